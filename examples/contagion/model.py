"""Opinions and innovations that spread on real networks, under activations that have names."""

import mesa
import networkx as nx
import numpy as np

from organism import Topology
from organism.interact import activate

__all__ = ["ACTIVATIONS", "NETWORKS", "Contagion"]

#: All come with networkx.
NETWORKS = {"karate": nx.karate_club_graph, "les_miserables": nx.les_miserables_graph,
            "davis": nx.davis_southern_women_graph}
ACTIVATIONS = ["replacement", "permutation", "fixed", "synchronous", "edge", "exponential"]


class Contagion(mesa.Model):
    """Nodes that are active or not, and take it from their neighbours.

    Parameters
    ----------
    network : {"karate", "les_miserables", "davis"}
    rule : {"voter", "invasion", "threshold"}
        Take a random neighbour's state; give a random neighbour one's own; become active for good once the share of
        active neighbours is at least a threshold.
    activation : str
        One of those of :func:`organism.interact.activate`. "invasion" cannot be synchronous.
    threshold : float
        Of the rule "threshold", in [0, 1].
    seeds : int
        How many are active at the start.
    where : {"hubs", "random"}
        Which: those of most ties, or any.
    rng : int or Generator, optional

    Attributes
    ----------
    graph : networkx.Graph
    topology : Topology
    active : ndarray of float64, shape (n_nodes,)
        1 or 0 for each node, in the order of the graph.
    time_passed : float
        Sweeps, or the time of the clocks under "exponential".
    """

    def __init__(self, network="karate", rule="voter", activation="replacement", threshold=.25, seeds=1, where="hubs",
                 rng=None):
        super().__init__(rng=rng)
        self.graph = NETWORKS[network]()
        self.topology = Topology.from_networkx(self.graph)
        self.rule, self.activation, self.threshold, self.time_passed = rule, activation, threshold, 0.0
        degree = np.array([self.graph.degree(node) for node in self.graph])
        order = np.argsort(-degree, kind="stable") if where == "hubs" else self.rng.permutation(len(degree))
        self.active = np.zeros(len(degree))
        self.active[order[:seeds]] = 1
        self.datacollector = mesa.DataCollector(model_reporters={
            "active": lambda model: float(model.active.mean()), "at odds": lambda model: model.at_odds})
        self.datacollector.collect(self)

    @property
    def at_odds(self):
        """Share of ties whose ends differ."""
        known = dict(zip(self.graph, self.active, strict=True))
        return float(np.mean([known[one] != known[other] for one, other in self.graph.edges]))

    @property
    def consensus(self):
        """Whether all are the same."""
        return bool((self.active == self.active[0]).all())

    def advance(self, steps, until=None):
        """Take some sweeps at once, compiled, and perhaps stop before; tell whether it stopped."""
        state = self.active
        if self.rule == "threshold":
            state = np.column_stack([state, np.full_like(state, self.threshold)])
        done = activate(self.topology, state, self.rule, self.activation, steps, until=until, rng=self.rng)
        self.active = done.state[:, 0] if self.rule == "threshold" else done.state
        self.time_passed += done.time
        return done.met

    def wins(self, runs):
        """Return in what part of so many runs from here all end up active; the model stays as it is."""
        ends = [activate(self.topology, self.active, self.rule, self.activation, until="consensus", rng=self.rng)
                for _ in range(runs)]
        return float(np.mean([end.state[0] for end in ends]))

    def step(self):
        """Take one sweep."""
        self.advance(1)
        self.datacollector.collect(self)


if __name__ == "__main__":
    for name in NETWORKS:
        model = Contagion(name, rule="threshold", activation="fixed", rng=1)
        model.advance(None, until="still")
        print(f"{name}: from its hub an innovation of threshold {model.threshold} reaches {model.active.mean():.0%}")
        model = Contagion(name, rng=1)
        strength = np.array([model.graph.degree(node) for node in model.graph])
        print(f"    its hub's opinion wins in {model.wins(1000):.3f} of 1000 runs; by degree it should in "
              f"{strength.max() / strength.sum():.3f}")
