"""How unequal members are, and how long the same are on top."""

from __future__ import annotations

import numpy as np

from .._checks import number
from ._sources import column, is_world
from ._welfare import welfare

__all__ = ["entrenchment", "gini", "herfindahl", "lorenz", "top_share"]


def _amounts(source) -> np.ndarray:
    """Return a world's welfare, or amounts of 0 or more."""
    values = welfare(source, each=True) if is_world(source) else np.ravel(column(source, "amounts"))
    if (values < 0).any():
        i = int(np.argmax(values < 0))
        raise ValueError(f"amounts[{i}] must be 0 or more, not {values[i]}")
    most = values.max(initial=0)
    return values / most if most > 1e100 else values    # so that sums and squares stay finite


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

    References
    ----------
    Gini (1912) *Variabilità e mutabilità*. Cowell (2011) *Measuring Inequality*, 3rd ed.
    """
    values = _amounts(source)
    n, total = values.size, values.sum()
    if not total > 0:
        return 0.0
    rank = np.arange(1.0 - n, n, 2)    # 2 · rank − n − 1; no @: its threads wait on busy cores
    return max(0.0, float((rank * np.sort(values)).sum() / (n * total)))


def lorenz(source) -> tuple[np.ndarray, np.ndarray]:
    """Return the Lorenz curve: which share of the whole the poorest have.

    Parameters
    ----------
    source : World or array_like of shape (members,)
        A world (its welfare), or amounts ≥ 0.

    Returns
    -------
    members, amounts : ndarray of float64, shape (members + 1,)
        From (0, 0) to (1, 1). The area between it and the diagonal is half the Gini coefficient. If all amounts are 0,
        the diagonal.

    Raises
    ------
    ValueError
        If an amount is negative, NaN or infinite.

    References
    ----------
    Lorenz (1905) Methods of measuring the concentration of wealth. *Publications of the American Statistical
    Association* 9: 209-219.

    Examples
    --------
    >>> lorenz([1, 3])
    (array([0. , 0.5, 1. ]), array([0.  , 0.25, 1.  ]))
    """
    values = np.sort(_amounts(source))
    share = np.linspace(0, 1, len(values) + 1)
    total = np.cumsum(values)
    return share, np.concatenate([[0.0], total / total[-1]]) if total.size and total[-1] > 0 else share.copy()


def top_share(source, top: float = 0.1) -> float:
    """Return which share of the whole those have who have most.

    Parameters
    ----------
    source : World or array_like of shape (members,)
        A world (its welfare), or amounts ≥ 0.
    top : float, default 0.1
        Which part of the members, in (0, 1]; of a member in between, its part.

    Returns
    -------
    float
        In [``top``, 1]: ``top`` if all have the same, or nothing; 0.0 if there is nobody.

    Raises
    ------
    ValueError
        If an amount is negative, NaN or infinite; or ``top`` is out of range.

    References
    ----------
    Piketty, Saez (2003) Income inequality in the United States. *Quarterly J. Economics* 118: 1-41.

    Examples
    --------
    >>> top_share([1, 1, 1, 7], 0.25), top_share([1, 1, 1, 7], 0.5)
    (0.7, 0.8)
    """
    top = number("top", top, 0, 1, "(]")
    members, amounts = lorenz(source)
    return max(top, float(1 - np.interp(1 - top, members, amounts))) if len(members) > 1 else 0.0


def herfindahl(source) -> float:
    """Return the Herfindahl index: the probability that two units of the whole are had by the same member.

    Parameters
    ----------
    source : World or array_like of shape (members,)
        A world (its welfare), or amounts ≥ 0.

    Returns
    -------
    float
        Σ of squared shares, in [1/members, 1]; one over it is the number of members of equal size that would be as
        concentrated. 0.0 if all amounts are 0.

    Raises
    ------
    ValueError
        If an amount is negative, NaN or infinite.

    References
    ----------
    Hirschman (1964) The paternity of an index. *American Economic Review* 54: 761-762.

    Examples
    --------
    >>> herfindahl([1, 1, 2])
    0.375
    """
    values = _amounts(source)
    total = values.sum()
    return float(((values / total)**2).sum()) if total > 0 else 0.0


def entrenchment(before, after, top: float | None = None) -> float:
    """Return how far those who were on top stay there.

    Parameters
    ----------
    before, after : array_like of shape (members,)
        What the same members had at two times, in one order: stock, welfare, power.
    top : float, optional
        In (0, 1): of the ⌈top · members⌉ who were on top, the share that still is, beyond chance. By default all ranks
        count.

    Returns
    -------
    float
        Kendall's τ_b of the ranks, in [−1, 1]: 1 if nobody has passed anybody, about 0 if earlier ranks tell nothing of
        later ones; or with ``top`` (stayed − p)/(1 − p), p being the share of members who are on top: 1 if all have
        stayed, 0 as by chance. 0.0 where undefined: fewer than two members, all equal, or all on top.

    Raises
    ------
    ValueError
        If they are not equally many, an amount is not finite, or ``top`` is out of range.

    Notes
    -----
    Those who tie for the last places on top are there in part; whether they stayed cannot be told, and counts as if
    drawn.

    References
    ----------
    Kendall (1945) The treatment of ties in ranking problems. *Biometrika* 33: 239-251. Shorrocks (1978) The measurement
    of mobility. *Econometrica* 46: 1013-1024.

    Examples
    --------
    >>> entrenchment([1, 2, 3], [10, 20, 30]), entrenchment([1, 2, 3, 4], [1, 2, 4, 3], top=0.5)
    (1.0, 1.0)
    """
    one, other = (np.ravel(column(values, name)) for name, values in (("before", before), ("after", after)))
    if len(one) != len(other):
        raise ValueError(f"before and after must be of the same members, not of {len(one)} and {len(other)}")
    top = None if top is None else number("top", top, 0, 1, "()")
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    if top is None:
        from scipy.stats import kendalltau

        return float(kendalltau(one, other).statistic)
    places = max(1, int(np.ceil(top * len(one) - 1e-9)))
    if places == len(one):
        return 0.0
    chance = places / len(one)
    stayed = float(_among(one, places) @ _among(other, places)) / places
    return (stayed - chance) / (1 - chance)


def _among(values, places) -> np.ndarray:
    """Return how far each is among so many on top: 1, 0, or of those who tie for the last places a part."""
    left, inside = places, np.zeros(len(values))
    for value in np.unique(values)[::-1]:
        here = values == value
        inside[here] = min(1.0, left / here.sum())
        left -= here.sum()
        if left <= 0:
            break
    return inside
