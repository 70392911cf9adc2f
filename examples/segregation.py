"""Schelling's model of segregation, with synchronous moves, for segregation.toml beside it."""

import mesa
import numpy as np


class Segregation(mesa.Model):
    """Members of two kinds move to free sites until enough of their neighbours are of their own kind.

    Parameters
    ----------
    width, height : int
        Of the torus.
    density : float
        Share of the sites that are taken, in (0, 1).
    homophily : float
        Share of the neighbours that must be of one's own kind, in [0, 1].
    rng : int
    """

    def __init__(self, width=20, height=20, density=.8, homophily=.4, rng=None):
        super().__init__(rng=rng)
        self.homophily, self.movers = homophily, None
        self.kind = self.rng.choice([0, 1, 2], size=(height, width), p=[1 - density, density / 2, density / 2])
        self.datacollector = mesa.DataCollector({"happy": lambda m: 1 - m._unhappy().sum() / (m.kind > 0).sum(),
                                                 "movers": "movers"})

    def _unhappy(self):
        """Return where members have too few of their own kind around them."""
        shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
        around = np.array([np.roll(self.kind, shift, (0, 1)) for shift in shifts])
        same, taken = (around == self.kind).sum(axis=0), (around > 0).sum(axis=0)
        return (self.kind > 0) & (same < self.homophily * taken)

    def step(self):
        """Move the unhappy to free sites, and collect."""
        leave, free = np.argwhere(self._unhappy()), np.argwhere(self.kind == 0)
        self.movers = min(len(leave), len(free))
        leave = self.rng.permutation(leave)[:self.movers]
        to = self.rng.permutation(free)[:self.movers]
        self.kind[tuple(to.T)] = self.kind[tuple(leave.T)]
        self.kind[tuple(leave.T)] = 0
        self.datacollector.collect(self)
