"""Prediction strength: how surely a number of roles, found in one half of what is known, is found again in the other.

The number of roles is the largest whose strength reaches a threshold (Tibshirani and Walther 2005). The strength is a
mean over random halves and has an error; where that leaves the choice open, the number is underdetermined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

__all__ = ["chosen", "error_of", "rivals", "said_rivals", "strengths_of", "together"]

#: Pairs of random halves that are drawn at a time, and at most.
FEW, MANY = 4, 40
#: Halves are added until the mean is so many standard errors off the threshold, or its standard error is so small.
CLEAR, SMALL = 4, 0.01
#: A mean within so many standard errors of the threshold may lie on either side.
OPEN = 2
#: So many members are worth one observation in a draw, and a draw is worth so many at most.
WORTH, WORTHS = 100, 4


def together(table: np.ndarray, fewest: int = 1) -> float:
    """Return the share of pairs of members of a row that share a column too, least of all rows.

    Parameters
    ----------
    table : ndarray of int, shape (R, C)
        Members in role i by one division and role j by the other.
    fewest : int, default 1
        A row of fewer members counts 0; else a row of one member counts 1. Empty rows count 0.

    Returns
    -------
    float
        In [0, 1].
    """
    size = table.sum(axis=1)
    share = (table * (table - 1)).sum(axis=1) / np.maximum(size * (size - 1), 1)
    return float(np.where(size < max(fewest, 1), 0.0, np.where(size == 1, 1.0, share)).min())


def error_of(found, members: int = 0) -> float:
    """Return the standard error of a mean of strengths; it is never 0, not even where all are alike.

    Strengths lie in [0, 1] and may leap from one end to the other, so a few equal ones are no proof that the next is
    equal too. The error is at least what one more observation, at the farther end of the range, would change the mean.

    Parameters
    ----------
    found : sequence of float
        At least 2.
    members : int, default 0
        Of the population. The halves of a large one leap less: a draw of 200 is worth two observations.

    Returns
    -------
    float
    """
    n = len(found)
    worth = min(max(members / WORTH, 1), WORTHS)
    far = max(np.mean(found), 1 - np.mean(found))
    return max(float(np.std(found, ddof=1) / np.sqrt(n)), float(far) / (n * worth + 1))


def strengths_of(draw: Callable[[int], float], numbers: Iterable[int], threshold: float, few: int = FEW,
                 many: int = MANY, rest: bool = True, members: int = 0) -> tuple[dict[int, float], dict[int, float]]:
    """Return the prediction strengths of some numbers of roles, and their standard errors.

    From the largest number down, each is averaged over random halves until one sees on which side of the threshold the
    mean is, or the error is small. Numbers below one that is clearly above matter little.

    Parameters
    ----------
    draw : callable
        Takes a number; returns its strength in one pair of random halves.
    numbers : iterable of int
    threshold : float
    few, many : int, default 4 and 40
        Pairs of halves that are drawn at a time, and at most.
    rest : bool, default True
        Whether to take a rough look at the numbers below one that is clearly above the threshold; else they are left
        out.
    members : int, default 0
        Of the population; see :func:`error_of`.

    Returns
    -------
    strengths, errors : dict of int to float
        By number, the smallest first. The errors are over halves of the same members; they tell nothing of what others
        would show.
    """
    strengths, errors, clear = {}, {}, False
    for number in sorted(numbers, reverse=True):
        if clear and not rest:
            break
        found = []
        while True:
            found += [draw(number) for _ in range(few)]
            mean, error = float(np.mean(found)), error_of(found, members)
            if clear or len(found) >= many or error <= SMALL or abs(mean - threshold) > CLEAR * error:
                break
        strengths[number], errors[number] = mean, error
        clear |= mean - CLEAR * error > threshold
    return dict(sorted(strengths.items())), dict(sorted(errors.items()))


def chosen(strengths: Mapping[int, float], threshold: float) -> int:
    """Return the largest number that reaches the threshold, or 1."""
    return max((number for number, strength in strengths.items() if strength >= threshold), default=1)


def rivals(strengths: Mapping[int, float], errors: Mapping[int, float], threshold: float) -> tuple[int, ...]:
    """Return the numbers that might be the right one, given the errors of their strengths; one if it is certain.

    They are all whose mean is within two standard errors of the threshold, and the largest that is further above; but
    none below that.
    """
    near = {number: abs(strength - threshold) <= OPEN * errors[number] for number, strength in strengths.items()}
    sure = max((number for number, strength in strengths.items() if strength >= threshold and not near[number]),
               default=1)
    return (sure, *sorted(number for number in strengths if near[number] and number > sure))


def said_rivals(numbers: tuple[int, ...], what: str) -> str:
    """Say that the number is underdetermined; nothing if it is certain."""
    if len(numbers) < 2:
        return ""
    words = ", ".join(str(number) for number in numbers[:-1])
    return f"  The number is underdetermined: random halves of the data leave it open if there are {words} or " \
           f"{numbers[-1]} {what}."
