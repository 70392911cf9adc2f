"""How members fare, and how equally."""

from __future__ import annotations

import numpy as np

from ._sources import column, is_world, mean

__all__ = ["gini", "welfare"]


def welfare(source, *, each: bool = False):
    """Return the mean welfare of the living, each member's floored at 0.

    Parameters
    ----------
    source : World or array_like
        A world, or welfares.
    each : bool, default False
        Return one value a member instead.

    Returns
    -------
    float or ndarray of shape (members,)
        In [0, 1]; 0.0 if nobody lives.
    """
    values = np.maximum(0.0, column(source, "welfare"))
    return values if each else mean(values)


def gini(source) -> float:
    """Return the Gini coefficient of a world's welfare, or of given amounts.

    Parameters
    ----------
    source : World or array_like of shape (members,)
        A world, or amounts ≥ 0 (a stock, say).

    Returns
    -------
    float
        Half the mean difference of two draws over the mean: 0 if all are equal,
        1 − 1/members if one has everything; 0.0 if all amounts are 0. Not
        corrected for small samples (times members/(members − 1) would be).

    Raises
    ------
    ValueError
        If an amount is negative, NaN or infinite.
    """
    values = welfare(source, each=True) if is_world(source) else np.ravel(column(source, "amounts"))
    if (values < 0).any():
        i = int(np.argmax(values < 0))
        raise ValueError(f"amounts[{i}] must be 0 or more, not {values[i]}")
    n, total = values.size, values.sum()
    if not total > 0:
        return 0.0
    rank = np.arange(1, n + 1)
    return max(0.0, float((2 * rank - n - 1) @ np.sort(values) / (n * total)))
