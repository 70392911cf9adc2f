"""A world's time: stepping it, and what is called between ticks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import numpy as np

from ._checks import closest, undisturbed, whole
from ._editing import checked_update, checked_values
from ._governing import spread_news
from .agenda import Job
from .records import Recording
from .state import COLUMNS

__all__ = ["Clock", "alone"]

#: Seconds of compiled ticks between two looks at the interpreter (Ctrl-C, progress).
PATIENCE = 0.1
#: The kernel's sweeps, by the passes of MODEL.md that each computes.
PASSES = ("sense", "choose, produce", "share: offer", "share: receive; metabolise", "appraise: walks, mean",
          "appraise, learn", "reap and breed")


def alone(method):
    """Refuse a call while another thread is in one (the kernel runs without the GIL); hold back Ctrl-C till its end."""
    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        with undisturbed():
            if not self._lock.acquire(blocking=False):
                raise RuntimeError("another thread is stepping or changing this world; wait until it is done")
            try:
                return method(self, *args, **kwargs)
            finally:
                self._lock.release()
    return guarded


class Clock:
    """What a :class:`~organism.World` does as time goes on; the rest of it is read and changed between ticks."""

    def step(self, n: int = 1, progress: bool | Callable = False) -> None:
        """Advance ``n`` ticks.

        Parameters
        ----------
        n : int, default 1
            Number of ticks, at least 0.
        progress : bool or callable, default False
            True shows a progress bar; a callable is called as ``progress(done, n)``.

        Raises
        ------
        TypeError, ValueError
            If ``n`` is negative or not whole, or ``progress`` is something else.
        KeyboardInterrupt
            On Ctrl-C, between two ticks: the world stays consistent. (A tick of 10⁵ members
            that care several steps ahead can itself take more than half a second.)
        """
        n = whole("n", n, 0)
        if self.tick + n >= 2**32:
            raise ValueError(f"n must keep the tick below 2**32; the world is at {self.tick} and n is {n}")
        if self._stepping:
            raise RuntimeError("the world is being stepped; what it calls between ticks cannot step it")
        bar = None
        if not isinstance(progress, bool) and not callable(progress):
            raise TypeError(f"progress must be true, false or callable as progress(done, n), not {progress!r}")
        if progress is True:
            from tqdm.auto import tqdm

            bar = tqdm(total=n, unit="tick", desc="stepping", mininterval=0.2)
        start, end = self.tick, self.tick + n
        self._stepping = True
        try:
            while self.tick < end:
                done = self._some(end)
                if bar is not None:
                    bar.update(done)
                elif callable(progress):
                    progress(self.tick - start, n)
        finally:
            self._stepping = False
            if bar is not None:
                bar.close()

    def _some(self, end: int) -> int:
        """Do what is due before the next tick, some ticks, and what is due after them; return how many."""
        before = self.tick
        self._agenda.run(self, before=False)               # what an error kept from being done
        self._agenda.run(self, before=True)
        stop = min(end, self._agenda.next(before))
        return self._ticks(int(stop - before))

    @alone
    def _ticks(self, n):
        """Compute up to n ticks and do what is due after them, Ctrl-C or not: it would be missed for ever."""
        if self._kernel.news:
            spread_news(self)
            self._kernel.news = False
        done = self._kernel.run(n, PATIENCE)
        self._agenda.run(self, before=False)
        return done

    def before(self, call: Callable, every: int = 1) -> Job:
        """Call ``call(world)`` before the tick is computed, whenever the tick is a multiple of ``every``.

        This is where those decide who order members about (``order_task``,
        ``order_share``), set share features, or write their own row.

        Returns
        -------
        Job
            For :meth:`cancel`.
        """
        return self._agenda.add(call, 0, whole("every", every, 1), True)

    def every(self, n: int, call: Callable) -> Job:
        """Call ``call(world)`` after every ``n`` ticks from now; return the job for :meth:`cancel`."""
        return self._agenda.add(call, self.tick, whole("n", n, 1), False)

    def at(self, tick: int, call: Callable) -> Job:
        """Call ``call(world)`` once, before tick ``tick`` (now or later) is computed."""
        if whole("tick", tick, 0) < self.tick:
            raise ValueError(f"tick must be {self.tick} or later, not {tick}")
        return self._agenda.add(call, int(tick), 0, True)

    def cancel(self, job: Job | Recording) -> None:
        """Call a job no more, or take no more readings for a recording."""
        self._agenda.cancel(job)

    def schedule(self, name: str, values: Mapping[int, object]) -> None:
        """Change a parameter or a column as time goes on.

        Parameters
        ----------
        name : str
            Dotted parameter name, as in :meth:`update`, or a column, as in :meth:`set`.
        values : mapping of int to value
            What it becomes before each of these ticks is computed; of a column, one value or one
            a site. :func:`organism.regimes.ramp` makes such a mapping.

        Raises
        ------
        TypeError, ValueError
            If a tick lies in the past, or a name or value is refused; nothing is scheduled then.

        Notes
        -----
        These are jobs, which forks and saved worlds are without. To go on with a schedule there,
        schedule what is left of it: the ticks from ``world.tick`` on.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"values must map ticks to values, not {values!r:.60}")
        column = name in COLUMNS
        if not column and name not in self._params.names():
            raise ValueError(f"neither a parameter nor a column is called {name!r}"
                             + closest(name, [*self._params.names(), *COLUMNS]))
        for tick, value in values.items():
            if column:
                checked_values(self, name, value, None)
            else:
                checked_update(self, {name: value})
            if whole("tick", tick, 0) < self.tick:
                raise ValueError(f"tick must be {self.tick} or later, not {tick}")
        for tick, value in values.items():
            if column:
                value = np.array(value)                    # a copy: the caller's array may change meanwhile
                self.at(tick, lambda world, value=value: world.set(name, value))
            else:
                self.at(tick, lambda world, value=value: world.update(**{name: value}))

    def record(self, measures: Mapping[str, Callable], every: int = 1) -> Recording:
        """Take measures now and after every ``every`` ticks.

        Parameters
        ----------
        measures : mapping of str to callable
            Each takes the world and returns a number or an array.
        every : int, default 1
            Ticks between two readings.

        Returns
        -------
        Recording
            Fills as the world runs.
        """
        every = whole("every", every, 1)
        if not isinstance(measures, Mapping):
            raise TypeError(f"measures must map names to callables, not {measures!r:.60}")
        for name, measure in measures.items():
            if not callable(measure):
                raise TypeError(f"measures[{name!r}] must be callable with the world, not {measure!r}")
        recording = Recording(measures)
        recording(self)
        self.every(every, recording)
        return recording

    def profile(self, n: int = 100) -> dict[str, float]:
        """Advance ``n`` ticks and return the seconds spent in each pass."""
        kernel = self._kernel
        kernel.spent, kernel.timed = [0.0] * 7, True
        try:
            self.step(n)
        finally:
            kernel.timed = False
        return dict(zip(PASSES, kernel.spent, strict=True))
