"""What is to be done between ticks, and when."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Agenda", "Job"]


@dataclass(eq=False)
class Job:
    """Something to call between ticks.

    Parameters
    ----------
    call : callable
        Called with the world.
    start : int
        First tick at which it is due.
    period : int
        Ticks between two calls; 0: only once.
    before : bool
        Before the tick is computed, rather than after the last one.
    last : int
        Tick at which it was last called.
    """

    call: Callable
    start: int
    period: int
    before: bool
    last: int = -1

    def due(self, tick: int) -> bool:
        """Whether the job is to be called at ``tick``, and has not been."""
        if tick == self.last:
            return False
        if self.period:
            return tick >= self.start and (tick - self.start) % self.period == 0
        return tick == self.start

    def next(self, tick: int) -> float:
        """Return the first tick after ``tick`` at which the job is due."""
        if tick < self.start:
            return self.start
        return tick + self.period - (tick - self.start) % self.period if self.period else math.inf


class Agenda:
    """The jobs of one world."""

    def __init__(self):
        self.jobs: list[Job] = []

    def add(self, call: Callable, start: int, period: int, before: bool) -> Job:
        """Enter a job and return it.

        Parameters
        ----------
        call, start, period, before
            As in :class:`Job`.

        Raises
        ------
        TypeError
            If ``call`` cannot be called.
        """
        if not callable(call):
            raise TypeError(f"call must be callable with the world, not {call!r}")
        self.jobs.append(Job(call, start, period, before, last=-1 if before else start))
        return self.jobs[-1]

    def cancel(self, entry) -> None:
        """Strike a job, or whatever job calls ``entry``."""
        self.jobs = [job for job in self.jobs if job is not entry and job.call is not entry]

    def run(self, world, before: bool) -> None:
        """Call what is due now; jobs that are over are struck.

        A job that raises ends the run; the next run takes up there. What raises before
        a tick is called again, for the tick is still to come; what raises after one is not.

        Parameters
        ----------
        world : World
        before : bool
            What is due before the next tick, rather than after the last one.
        """
        tick = world.tick
        for job in [job for job in self.jobs if job.before == before and job.due(tick)]:
            if job not in self.jobs:               # struck by a job before it
                continue
            if not before:
                job.last = tick
            try:
                job.call(world)
                job.last = tick
            finally:
                if job.last == tick and not job.period:
                    self.cancel(job)

    def next(self, tick: int) -> float:
        """Return the first tick after ``tick`` at which any job is due."""
        return min((job.next(tick) for job in self.jobs), default=math.inf)
