"""Division of labour by response thresholds (Bonabeau, Theraulaz and Deneubourg 1996)."""

import mesa
import numpy as np

from organism import Topology
from organism.interact import activate

__all__ = ["DivisionOfLabour"]


class DivisionOfLabour(mesa.Model):
    """A colony of minors and majors, or of any castes, and tasks whose stimulus grows while nobody does them.

    Parameters
    ----------
    workers : int
    tasks : int
    majors : float
        Share of those with the high threshold.
    low, high : float
        Thresholds at the start of minors and of majors, for every task.
    leave : float
        Probability that a busy worker stops after a sweep.
    demand, work : float
        What a stimulus grows by in a sweep; what it falls by if all work at it.
    learn, forget : float
        What a threshold falls by while its task is done, and rises by while it is not (Theraulaz, Bonabeau and
        Deneubourg 1998); 0: thresholds are fixed.
    activation : str
        One of those of :func:`organism.interact.activate`.
    rng : int or Generator, optional

    Attributes
    ----------
    state : ndarray of float64, shape (workers, 1 + tasks)
        The task of each (0: idle) and its thresholds; minors come first.
    stimulus : ndarray of float64, shape (tasks,)
    done : ndarray of float64, shape (workers, tasks)
        Sweeps that each has spent at each task.
    """

    def __init__(self, workers=100, tasks=1, majors=.2, low=8.0, high=20.0, leave=.2, demand=1.0, work=3.0, learn=0.0,
                 forget=0.0, activation="synchronous", rng=None):
        super().__init__(rng=rng)
        # Nobody looks at anybody: they meet in the stimulus alone, so there are no ties.
        self.topology = Topology.from_edges([], [], workers)
        self.activation = activation
        self.parameters = {"leave": leave, "demand": demand, "work": work, "learn": learn, "forget": forget,
                           "highest": 2 * max(low, high)}
        self.major = np.arange(workers) >= workers - round(majors * workers)
        thresholds = np.where(self.major, high, low)
        self.state = np.column_stack([np.zeros(workers)] + [thresholds] * tasks)
        self.shared, self.done = None, np.zeros((workers, tasks))
        self.datacollector = mesa.DataCollector(model_reporters={
            "minors at work": lambda model: model.busy(~model.major),
            "majors at work": lambda model: model.busy(model.major),
            "stimulus": lambda model: float(model.stimulus.mean()),
            "specialisation": lambda model: model.specialisation})

    @property
    def stimulus(self):
        """Stimulus of each task."""
        tasks = self.state.shape[1] - 1
        return np.zeros(tasks) if self.shared is None else self.shared[5:5 + tasks]

    def busy(self, which):
        """Return the share of some workers that are at work, 0 of none."""
        return float(np.mean(self.state[which, 0] > 0)) if which.any() else 0.0

    @property
    def specialisation(self):
        """Mean share of a worker's work so far that went to its main task: from 1 / tasks to 1."""
        total = self.done.sum(1)
        return float(np.mean(self.done.max(1)[total > 0] / total[total > 0])) if total.any() else float("nan")

    def step(self):
        """Take one sweep."""
        result = activate(self.topology, self.state, "response_threshold", self.activation, 1, rng=self.rng,
                          **({"parameters": self.parameters} if self.shared is None else {"shared": self.shared}))
        self.state, self.shared = result.state, result.shared
        self.done += self.state[:, :1] == np.arange(1, self.done.shape[1] + 1)
        self.datacollector.collect(self)


if __name__ == "__main__":
    for majors in (.1, .3, .5, .7, .9):
        model = DivisionOfLabour(majors=majors, rng=1)
        for _ in range(1000):
            model.step()
        course = model.datacollector.get_model_vars_dataframe().tail(800).mean()
        print(f"{majors:.0%} majors: {course['majors at work']:.2f} of them work, {course['minors at work']:.2f} of "
              f"the minors; stimulus {course['stimulus']:.1f}")
    model = DivisionOfLabour(tasks=2, majors=0, low=20.0, learn=1.0, forget=.3, rng=1)
    for _ in range(2000):
        model.step()
    print(f"two tasks, learnt by doing: {model.specialisation:.2f} of a worker's work is its main task")
