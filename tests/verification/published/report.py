"""What was expected and what was measured, with a verdict on each line."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


def _told(value) -> str:
    """Write a number with as many digits as tell something."""
    if isinstance(value, (list, tuple, np.ndarray)):
        return ", ".join(_told(one) for one in np.ravel(value))
    if isinstance(value, (bool, np.bool_, str)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    return f"{float(value):.9g}"


@dataclass
class Line:
    """One expected number and one measured."""

    what: str
    expected: object
    measured: object
    tolerance: str
    holds: bool

    def __str__(self):
        return (f"{'ok  ' if self.holds else 'FAIL'}  {self.what}: {_told(self.measured)}, expected "
                f"{_told(self.expected)} ({self.tolerance})")


@dataclass
class Report:
    """The lines of one case."""

    name: str
    loud: bool = True
    lines: list[Line] = field(default_factory=list)

    def _add(self, what, expected, measured, tolerance, holds):
        line = Line(what, expected, measured, tolerance, bool(holds))
        self.lines.append(line)
        if self.loud:
            print(line, flush=True)

    def same(self, what, measured, expected):
        """The same to the last digit: whole numbers, truths, words."""
        self._add(what, expected, measured, "exact", np.array_equal(measured, expected))

    def near(self, what, measured, expected, tolerance):
        """No further apart than a tolerance that the source, or the arithmetic, gives."""
        apart = np.abs(np.asarray(measured, float) - np.asarray(expected, float))
        self._add(what, expected, measured, f"± {tolerance:g}", np.all(apart <= tolerance))

    def sampled(self, what, measured, expected, error):
        """Within four standard errors of a mean or share of many runs."""
        z = float(np.max(np.abs(np.asarray(measured) - np.asarray(expected)) / np.asarray(error)))
        most = "" if np.ndim(error) == 0 else "up to "
        tolerance = f"4 standard errors of {most}{float(np.max(error)):.2g}; z = {z:.2f}"
        self._add(what, expected, measured, tolerance, z < 4)

    def share(self, what, hits, runs, expected):
        """The share of runs in which something happens, its standard error √(p (1 − p)/R) from what is expected."""
        self.sampled(f"{what} ({runs:,} runs)", hits / runs, expected, np.sqrt(expected * (1 - expected) / runs))

    @property
    def holds(self) -> bool:
        """Whether all lines hold, and there are some."""
        return bool(self.lines) and all(line.holds for line in self.lines)
