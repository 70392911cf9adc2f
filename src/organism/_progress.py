"""How far a sweep is: counts, a bar with the time that is left, and which run failed or is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ._runs import Outcome, Task

__all__ = ["Progress", "named"]

#: A run is slow beyond this many times the mean of those done, and this many seconds.
SLOW, LEAST = 5, 2.


class Progress:
    """Counts the runs that are done and hands them on.

    Parameters
    ----------
    show : bool
        Whether to draw a bar.
    total, done : int
        Runs of the sweep, and those that were found in the store.
    hand_on : function
        Takes each list of outcomes.

    Attributes
    ----------
    running : function
        Returns the runs that are under way as (task, when it began), where the engine can tell.
    """

    def __init__(self, show: bool, total: int, done: int, hand_on: Callable[[list[Outcome]], None]):
        self.total, self.done, self.failed, self.hand_on = total, done, 0, hand_on
        self.seconds, self.delivered, self.last = 0., 0, ""
        self.running: Callable[[], list[tuple[Task, float]]] = list
        self.bar, self.over = None, threading.Event()
        if show and done < total:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=total, initial=done, unit="run", desc="sweep", mininterval=.2)
            threading.Thread(target=self._watch, daemon=True).start()

    def deliver(self, outcomes: list[Outcome]) -> None:
        """Take in runs that are done."""
        self.hand_on(outcomes)
        for outcome in outcomes:
            self.done += 1
            self.delivered += 1
            self.seconds += outcome.seconds
            if outcome.error is not None:
                self.failed += 1
                self.last = f"{self.failed} failed, last {named(outcome.point, outcome.replicate)}: {outcome.error[0]}"
        if self.bar is not None:
            self.bar.set_postfix_str("; ".join(filter(None, [self.last, self.slow()])), refresh=False)
            self.bar.update(len(outcomes))

    def slow(self) -> str:
        """Name the run that takes longest, if that is long."""
        if not self.delivered:
            return ""
        now, limit = time.time(), max(LEAST, SLOW * self.seconds / self.delivered)
        late = [(now - since, task) for task, since in self.running() if now - since > limit]
        if not late:
            return ""
        took, task = max(late, key=lambda pair: pair[0])
        return f"slow: {named(task.point, task.replicate)}, {took:.0f} s"

    def _watch(self) -> None:
        while not self.over.wait(1.):
            self.bar.set_postfix_str("; ".join(filter(None, [self.last, self.slow()])))

    def close(self) -> None:
        """Leave the bar as it is."""
        self.over.set()
        if self.bar is not None:
            self.bar.close()


def named(point: dict, replicate: int) -> str:
    """Return what a run is called: the values of its point and its replicate."""
    return " ".join(filter(None, [", ".join(f"{name}={value}" for name, value in point.items()),
                                  f"replicate {replicate}"]))
