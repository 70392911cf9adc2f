"""Measure the forest on its layers against trees as Mesa agents: ``python compare.py [side] [steps]``."""

import sys
import time

import mesa
import numpy as np
from mesa.discrete_space import FixedAgent, OrthogonalVonNeumannGrid
from model import ForestFire


class Place(FixedAgent):
    """A cell's ground: bare, with a tree, or burning."""

    def __init__(self, model, cell, state):
        super().__init__(model)
        self.cell, self.state = cell, state

    def look(self):
        """See what comes next."""
        model, state = self.model, self.state
        if state == "tree":
            near = any(other.state == "fire" for other in self.cell.neighborhood.agents)
            caught = near or model.struck[self.cell.coordinate] < model.lightning
            self.coming = "fire" if caught else "tree"
        else:
            sprouts = state == "bare" and model.sprouting[self.cell.coordinate] < model.growth
            self.coming = "tree" if sprouts else "bare"

    def turn(self):
        """Become what was seen to come."""
        self.state = self.coming


class Plain(mesa.Model):
    """The forest alone, as one writes it in Mesa."""

    def __init__(self, ours):
        super().__init__()
        self.growth, self.lightning, self.shape = ours.growth, ours.lightning, ours.trees.array.shape
        self.grid = OrthogonalVonNeumannGrid(self.shape, torus=True, random=self.random)
        for cell in self.grid:
            Place(self, cell, "tree" if ours.trees.array[cell.coordinate] else "bare")

    def step(self):
        """Take one step of the forest, all cells at once."""
        self.struck, self.sprouting = self.rng.random((2, *self.shape))
        self.agents.do("look")
        self.agents.do("turn")

    def where(self, state):
        """Return where the ground is so."""
        return np.array([place.state == state for place in self.agents]).reshape(self.shape)


def clock(step, steps):
    """Return the seconds of a step."""
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - started) / steps


if __name__ == "__main__":
    side, steps = [*map(int, sys.argv[1:]), *(100, 30)[len(sys.argv) - 1:]]
    ours = ForestFire(side, side, carriers=0, rng=1)
    plain = Plain(ours)
    plain.rng.bit_generator.state = ours.rng.bit_generator.state
    plain_s, here_s = clock(plain.step, steps), clock(ours.burn, steps)
    same = all(np.array_equal(plain.where(state), field.array > 0)
               for state, field in (("tree", ours.trees), ("fire", ours.fire)))
    print(f"the forest, {side}x{side}, a step: plain Mesa {plain_s * 1e3:.1f} ms, here {here_s * 1e3:.2f} ms, "
          f"{plain_s / here_s:.2f} times as fast; same after {steps} steps: {same}")
    print(f"all of it, with {len(ours.people)} members: {clock(ours.step, steps) * 1e3:.1f} ms a step")
