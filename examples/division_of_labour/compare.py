"""Measure the model against the same one of Mesa agents: ``python compare.py [workers] [steps]``."""

import sys
import time

import mesa
import numpy as np
from model import DivisionOfLabour


class Worker(mesa.Agent):
    """One worker with its threshold and what it does."""

    def __init__(self, model, threshold):
        super().__init__(model)
        self.threshold, self.busy = threshold, False

    def step(self):
        """Stop with a probability if at work; else start with one that grows with the stimulus."""
        if self.busy:
            self.busy = self.random.random() >= .2
        else:
            square = self.model.stimulus ** 2
            self.busy = self.random.random() * (square + self.threshold ** 2) < square


class Plain(mesa.Model):
    """The same model, of one task, as one writes it in Mesa."""

    def __init__(self, thresholds, rng=None):
        super().__init__(rng=rng)
        self.stimulus = 0.0
        for threshold in thresholds.tolist():
            Worker(self, threshold)

    def step(self):
        """Take one sweep."""
        self.agents.do("step")
        at_work = np.mean([worker.busy for worker in self.agents])
        self.stimulus = max(0.0, self.stimulus + 1 - 3 * at_work)


def clock(model, steps, look):
    """Return the seconds of a step, and the mean of something over the second half of them."""
    spent, seen = 0.0, []
    for _ in range(steps):
        started = time.perf_counter()
        model.step()
        spent += time.perf_counter() - started
        seen.append(look(model))
    return spent / steps, float(np.mean(seen[steps // 2:]))


if __name__ == "__main__":
    workers, steps = [*map(int, sys.argv[1:]), *(1000, 400)[len(sys.argv) - 1:]]
    ours = DivisionOfLabour(workers, rng=1)
    plain = Plain(ours.state[:, 1], rng=1)
    plain_s, plain_level = clock(plain, steps, lambda model: model.stimulus)
    here_s, here_level = clock(ours, steps, lambda model: float(model.stimulus[0]))
    print(f"{workers} workers, a step: plain Mesa {plain_s * 1e3:.2f} ms, here {here_s * 1e3:.2f} ms, "
          f"{plain_s / here_s:.2f} times as fast; mean stimulus {plain_level:.2f} and {here_level:.2f}")
