"""A forest that burns (Drossel and Schwabl 1992), members of `organism` who live off it, and Mesa agents among them."""

import mesa
import numpy as np
from agents import Carrier
from mesa.discrete_space import OrthogonalMooreGrid

from organism import Field, Population, Topology
from organism.interact import neighbour_max, neighbour_mean

__all__ = ["ForestFire"]


class ForestFire(mesa.Model):
    """A host of the usual kind: a grid with layers, agents, a data collector; and a population that the kernel steps.

    Parameters
    ----------
    width, height : int
        At least 3.
    growth, lightning : float
        Probabilities in a step that a tree grows in an empty cell, and that lightning sets one on fire.
    settled : float
        Share of the cells where a member lives at the start.
    settling : float
        Probability in a step that somebody settles in an empty cell under a tree.
    deadly : float
        Probability that a member dies whose cell burns; the others lose all they hold.
    carriers : int
    rng : int or Generator, optional

    Attributes
    ----------
    trees, fire : Field
        1 where a tree stands, and where one burns; the ties of both are those of fire, to four neighbours.
    people : Population
        Members feed their eight neighbours.
    burnt : ndarray
        Goods of each kind that burnt so far.
    """

    def __init__(self, width=40, height=40, growth=.02, lightning=.0005, settled=.6, settling=.02, deadly=.3,
                 carriers=30, rng=None):
        super().__init__(rng=rng)
        self.growth, self.lightning, self.settling, self.deadly = growth, lightning, settling, deadly
        self.grid = OrthogonalMooreGrid((width, height), torus=True, random=self.random)
        four = Topology.grid((width, height), "von_neumann")
        self.trees = Field.attach(self.grid, "trees", topology=four)
        self.fire = Field.attach(self.grid, "fire", topology=four)
        self.trees.array[:] = self.rng.random((width, height)) < .5
        self.people = Population(self, self.grid, occupied=np.flatnonzero(self.rng.random(width * height) < settled))
        cells = list(self.grid)
        self.burnt = np.zeros(self.people.world.params.resources)
        for number in range(carriers):
            Carrier(self, self.random.choice(cells), number % len(self.burnt))
        self.feed()
        self.datacollector = mesa.DataCollector(model_reporters={
            "trees": lambda model: float(model.trees.array.mean()),
            "fire": lambda model: float(model.fire.array.mean()),
            **self.people.reporters("members", "welfare", "share_rate")})

    def burn(self):
        """Take one step of the forest, all cells at once."""
        trees, fire = self.trees.array, self.fire.array
        struck, sprouting = self.rng.random((2, *trees.shape))
        caught = (trees > 0) & ((neighbour_max(self.fire.topology, fire) > 0) | (struck < self.lightning))
        grown = (trees == 0) & (fire == 0) & (sprouting < self.growth)
        trees[:], fire[:] = (trees > 0) & ~caught | grown, caught

    def scorch(self):
        """Let the fire take the goods, and some of the lives, of those whose cells burn."""
        world = self.people.world
        hit = np.intersect1d(np.flatnonzero(self.fire.values), self.people.sites)
        if hit.size:
            self.burnt += world.state["stock"][hit].sum(0)
            world.set("stock", 0, hit)
            self.people.remove(hit[self.rng.random(hit.size) < self.deadly])

    def settle(self):
        """Let somebody settle under trees here and there."""
        free = self.people.world.state["uid"] < 0
        for site in np.flatnonzero(free & (self.trees.values > 0) & (self.rng.random(free.size) < self.settling)):
            self.people.add(int(site))

    def feed(self):
        """Let the land yield more the more trees stand around: from a fifth of the usual without any."""
        near = neighbour_mean(self.people.world.topology, self.trees.values, include_self=True)
        self.people.world.set("supply", .2 + 1.6 * near[:, None])

    def step(self):
        """Let the forest go on, the carriers walk, and the members live."""
        self.burn()
        self.scorch()
        self.settle()
        self.feed()
        self.agents.shuffle_do("step")
        self.people.step()
        self.datacollector.collect(self)


if __name__ == "__main__":
    for lightning, carriers in ((0, 0), (0, 30), (.0005, 0), (.0005, 30)):
        model = ForestFire(lightning=lightning, carriers=carriers, rng=1)
        for _ in range(300):
            model.step()
        course = model.datacollector.get_model_vars_dataframe().tail(100).mean()
        print(f"lightning {lightning}, {carriers} carriers: {course['members']:.0f} members, welfare "
              f"{course['welfare']:.3f}, trees {course['trees']:.2f}; books close: {model.people.audit().closes}")
