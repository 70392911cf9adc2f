"""Measures over time as the view shows them: sampled at frames, thinned when there are many."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping

from .._checks import closest
from ..measures import SCALARS

__all__ = ["Series", "read_measures"]

#: Points kept a measure; of twice as many every second goes.
KEPT = 600
#: Of the time a measure may take one part in so many, so that no measure slows the picture much.
PART = 25
#: Seconds after which any measure is due again.
LONGEST = 5.0
#: Seconds from which on a measure is too dear to be waited for when a button is pressed.
DEAR = 0.1


def read_measures(series) -> dict:
    """Return measures by name: from names, or a mapping of names to functions of a world."""
    if series is None:
        return {}
    if isinstance(series, Mapping):
        for name, measure in series.items():
            if not callable(measure):
                raise TypeError(f"series must map names to functions of a world; {name!r} has {measure!r:.60}")
        return {str(name): measure for name, measure in series.items()}
    names = [series] if isinstance(series, str) else list(series) if isinstance(series, Iterable) else None
    if names is None:
        raise TypeError(f"series must be names of measures, or a mapping of names to functions, not {series!r:.60}")
    for name in names:
        if not isinstance(name, str) or name not in SCALARS:
            raise ValueError(f"series must be names in organism.measures.SCALARS, not {name!r}"
                             + closest(str(name), SCALARS))
    return {name: SCALARS[name] for name in names}


class Series:
    """The course of some measures in one world or several.

    Parameters
    ----------
    measures : mapping of str to callable
    """

    def __init__(self, measures):
        self.measures = dict(measures)
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self.points: dict[str, list] = {name: [] for name in self.measures}
        self.failed: dict[str, str] = {}
        self._due = dict.fromkeys(self.measures, 0.0)
        self._took = dict.fromkeys(self.measures, 0.0)
        self._fresh: dict[str, list] = {}
        self._whole = True

    def sample(self, subjects, pressing: bool = False) -> list[str]:
        """Measure what is due (a dear measure seldom is), or all that is not dear; return what went wrong.

        A measure that raises is left out from then on: the picture and the other measures go on.
        """
        tick, wrong = subjects[0].tick, []
        for name, measure in self.measures.items():
            points, began = self.points[name], time.perf_counter()
            if name in self.failed or points and points[-1][0] == tick:
                continue
            if began < self._due[name] and not (pressing and self._took[name] < DEAR):
                continue
            try:
                values = [float(measure(subject.world)) for subject in subjects]
            except Exception as error:
                self.failed[name] = f"{name}: {type(error).__name__}: {' '.join(str(error).split())}"
                wrong.append(self.failed[name])
                continue
            self._took[name] = time.perf_counter() - began
            if points:                          # the first time it may have had to load something
                self._due[name] = began + min(PART * self._took[name], LONGEST)
            # What is undefined, such as a mean of nothing, is a gap.
            points.append([tick, *(value if math.isfinite(value) else None for value in values)])
            self._fresh.setdefault(name, []).append(points[-1])
            if len(points) >= 2 * KEPT:
                del points[1:-1:2]
                self._whole = True
        return wrong

    def news(self, whole: bool = False) -> dict:
        """Return what the page has not had yet: ``whole`` tells whether it replaces what it had."""
        whole = whole or self._whole
        told = {"whole": whole, "points": self.points if whole else self._fresh}
        self._fresh, self._whole = {}, False
        return told
