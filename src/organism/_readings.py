"""The runs of a sweep and what they read, in a few bytes a run."""

from __future__ import annotations

from array import array

import numpy as np

from ._designs import canonical, key
from ._runs import Outcome, Task, run_seed

__all__ = ["Readings", "Tasks"]


class Tasks:
    """Points × replicates, in order; a task is made when it is asked for, and 56 bytes of it are kept.

    Tasks of equal points are the same run, done once and read at each of its places.

    Parameters
    ----------
    points : list of dict
    replicates : int
    seed : int
        Entropy of all seeds.
    paired : bool
        Whether the same replicate has the same seed at every point.
    about : str
        Stands for what is run, in the keys.

    Attributes
    ----------
    seeds : ndarray of int64, shape (n,)
    keys : ndarray of S32, shape (n_runs,)
        Of the runs, sorted.
    run : ndarray of int64, shape (n,)
        Index in ``keys`` of each task.
    first : ndarray of int64, shape (n_runs,)
        First task of each run.
    """

    def __init__(self, points, replicates, seed, paired, about):
        self.points, self.replicates = points, replicates
        n = len(points) * replicates
        self.seeds, keys = np.empty(n, np.int64), np.empty(n, "S32")
        i = 0
        for point in points:
            text, digits = canonical(point), None if paired else key(point)
            for replicate in range(replicates):
                own = run_seed(seed, digits, replicate)
                self.seeds[i], keys[i] = own, key([about, text, own, replicate])
                i += 1
        self.keys, self.first, self.run = np.unique(keys, return_index=True, return_inverse=True)

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, i: int) -> Task:
        point, replicate = divmod(int(i), self.replicates)
        return Task(self.keys[self.run[i]].decode(), self.points[point], replicate, int(self.seeds[i]))

    def find(self, name: str) -> int | None:
        """Return the index in ``keys`` of a run, None if it is none of these."""
        text = name.encode()
        i = int(np.searchsorted(self.keys, text))
        return i if i < len(self.keys) and self.keys[i] == text else None


class Readings:
    """What the runs of some tasks left, each run once: 8 bytes a number.

    Attributes
    ----------
    seconds : ndarray, shape (n_runs,)
        How long each run took; NaN of those that are not there.
    errors : dict of int to (str, str, str)
        Of the runs that failed: error, message, where.
    """

    def __init__(self, tasks: Tasks):
        self.tasks = tasks
        self.seconds = np.full(len(tasks.keys), np.nan)
        self.errors: dict[int, tuple[str, str, str]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget the numbers, though not which runs were there."""
        self._run = array("q")
        self._columns: dict[str, array] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._run)

    def add(self, outcome: Outcome) -> None:
        """Take a run in, unless it is another sweep's or is there already; one that went well replaces a failure."""
        run = self.tasks.find(outcome.key)
        if run is None or (not np.isnan(self.seconds[run]) and (run not in self.errors or outcome.error is not None)):
            return
        self.seconds[run] = outcome.seconds
        self.errors.pop(run, None)
        if outcome.error is not None:
            self.errors[run] = outcome.error
        for row in outcome.rows or ():
            for name, value in row.items():
                if name not in self._columns:
                    self._columns[name] = array("d", [np.nan]) * len(self._run)
                self._columns[name].append(value)
            self._run.append(run)
            for column in self._columns.values():
                if len(column) < len(self._run):
                    column.append(np.nan)

    def rows(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the task of each row, in the order of the tasks, and the columns of numbers."""
        run = np.array(self._run, np.int64)
        order = np.argsort(run, kind="stable")
        counts = np.bincount(run, minlength=len(self.tasks.keys))
        starts = np.cumsum(counts) - counts
        each = counts[self.tasks.run]
        task = np.repeat(np.arange(len(self.tasks)), each)
        within = np.arange(len(task)) - np.repeat(np.cumsum(each) - each, each)
        take = order[np.repeat(starts[self.tasks.run], each) + within]
        columns = {name: np.array(column)[take] for name, column in self._columns.items()}
        if "tick" in columns and not np.isnan(columns["tick"]).any():
            columns["tick"] = columns["tick"].astype(np.int64)
        return task, columns

    def last(self) -> dict[str, np.ndarray]:
        """Return the last reading of each measure, by task; NaN where there is none."""
        run, found = np.array(self._run, np.int64), {}
        for name, column in self._columns.items():
            if name != "tick":
                values = np.full(len(self.tasks.keys), np.nan)
                values[run] = column  # of several rows of a run the last one stays
                found[name] = values[self.tasks.run]
        return found
