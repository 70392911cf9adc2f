"""The spatial prisoner's dilemma of Nowak and May: all play with their neighbours, then copy the best of them."""

import mesa
import numpy as np

from organism import Topology
from organism.interact import imitate, play

__all__ = ["COOPERATE", "DEFECT", "SpatialDilemma"]

COOPERATE, DEFECT = 0, 1


class SpatialDilemma(mesa.Model):
    """Cooperators and defectors on a torus; there are no agents, only an array of strategies.

    Parameters
    ----------
    width, height : int
        At least 3.
    temptation : float
        What a defector earns from a cooperator; two cooperators earn 1 each, and nobody else earns anything.
    defectors : float
        Their share at the start, by chance; 0: a single one in the middle.
    include_self : bool
        Whether everybody also plays with itself, as in Nowak and May's first paper.
    rule : {"best", "proportional", "fermi"}
        Of :func:`organism.interact.imitate`.
    intensity : float
        Of "fermi".
    rng : int or Generator, optional

    Attributes
    ----------
    strategies : ndarray of int8, shape (width, height)
        0: cooperate; 1: defect.
    before : ndarray
        The strategies of the step before.
    payoffs : ndarray
        What each earned in the last step.
    """

    def __init__(self, width=100, height=100, temptation=1.85, defectors=.1, include_self=True, rule="best",
                 intensity=10.0, rng=None):
        super().__init__(rng=rng)
        self.topology = Topology.grid((width, height))
        self.payoff = np.array([[1, 0], [temptation, 0]], float)
        self.include_self, self.rule, self.intensity = include_self, rule, intensity
        self.strategies = (self.rng.random((width, height)) < defectors).astype(np.int8)
        if not defectors:
            self.strategies[width // 2, height // 2] = DEFECT
        self.before, self.payoffs = self.strategies.copy(), np.zeros((width, height))
        self.datacollector = mesa.DataCollector(model_reporters={"cooperators": lambda model: model.cooperators})
        self.datacollector.collect(self)

    @property
    def cooperators(self):
        """Share of cooperators."""
        return float(np.mean(self.strategies == COOPERATE))

    def step(self):
        """Let all play, then let all copy at once."""
        self.before, old = self.strategies, self.before
        play(self.topology, self.before, self.payoff, include_self=self.include_self, out=self.payoffs)
        self.strategies = imitate(self.topology, self.before, self.payoffs, self.rule, intensity=self.intensity,
                                  rng=None if self.rule == "best" else self.rng, out=old)
        self.datacollector.collect(self)


if __name__ == "__main__":
    model = SpatialDilemma(rng=1)
    for _ in range(300):
        model.step()
    print(f"share of cooperators in the last 100 steps: "
          f"{model.datacollector.get_model_vars_dataframe()['cooperators'].tail(100).mean():.3f}")
