"""Learning and evolution in games when steps are small and populations large."""

from __future__ import annotations

import numpy as np

from ..interact._games import payoffs_of

__all__ = ["replicator"]


def _mix(name, x, n) -> np.ndarray:
    given = np.asarray(x, float)
    if given.shape != (n,) or not (given.min() >= 0 and abs(given.sum() - 1) < 1e-9):
        raise ValueError(f"{name} must be {n} shares of 0 or more with sum 1, not {x!r:.60}")
    return given


def _both(payoff) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the payoffs of one population, or of two that may have different numbers of strategies."""
    try:
        given = np.asarray(payoff, float)
    except (TypeError, ValueError):
        given = np.zeros(0)
    if given.ndim == 3 and len(given) == 2 and given.shape[1] != given.shape[2] and given.size:
        if not np.isfinite(given).all():
            raise ValueError("payoff must be finite")
        return given[0], given[1]
    first, second, _ = payoffs_of(payoff)
    return first, second


def replicator(payoff, start, times, *, other=None):
    """Integrate the replicator dynamics.

    Mean-field. ẋ_a = x_a ((A y)_a − x·A y), and in the second population, if there is one, likewise; else y = x. It is
    the limit of small steps of Cross's learning, t being steps times the rate (Börgers and Sarin 1997), and of
    imitation in proportion to gains in large populations.

    Parameters
    ----------
    payoff : array_like of float, shape (M, M), or two of shape (M, K)
        A[own, other]; or (A, B), where B[row's, column's] is what the second population (the column player) earns.
    start : array_like of float, shape (M,)
        Shares of the strategies at first, of the first population.
    times : float or array_like of float, shape (T,)
        At which times, at least 0 and ascending, to tell the shares.
    other : array_like of float, shape (M,) or (K,), optional
        Those of the second population; by default ``start``. Only with two populations: if it is given with one matrix,
        that is a symmetric game between two populations, B[i, j] = A[j, i].

    Returns
    -------
    ndarray of float64, shape (T, M) or, of one time, (M,); of two populations a pair of them

    Raises
    ------
    ValueError
        If a payoff is not finite, shares do not sum to 1, or times do not ascend.

    References
    ----------
    Taylor, Jonker (1978) Evolutionary stable strategies and game dynamics. *Mathematical Biosciences* 40: 145-156.
    Börgers, Sarin (1997) Learning through reinforcement and replicator dynamics. *J. Economic Theory* 77: 1-14.

    Examples
    --------
    >>> replicator([[0.6, 0], [1, 0.2]], [0.5, 0.5], 10).round(6)
    array([0.077898, 0.922102])
    """
    from scipy.integrate import solve_ivp

    first, second = _both(payoff)
    n, m = first.shape
    x = _mix("start", start, n)
    two = second is not None or other is not None
    y = _mix("other", start if other is None else other, m) if two else None
    B = first if second is None else second.T                    # [own, other] of the second population
    when = np.asarray(times, float)
    flat = np.atleast_1d(when)
    if flat.ndim != 1 or not flat.size or not np.isfinite(flat).all() or flat.min() < 0 or (np.diff(flat) < 0).any():
        raise ValueError(f"times must be finite, at least 0 and ascending, not {times!r:.60}")

    begin = np.concatenate([x, y]) if two else x
    lives = begin > 0

    def shares(z):
        """Return shares from logarithms, in which the rarest keep all their digits."""
        p = np.zeros(len(begin))
        p[lives] = z
        for part in ((slice(0, n), slice(n, None)) if two else (slice(None),)):
            here = lives[part]
            p[part] = np.where(here, np.exp(p[part] - p[part][here].max()), 0)
            p[part] /= p[part].sum()
        return p

    def slope(t, z):
        p = shares(z)
        p, q = (p[:n], p[n:]) if two else (p, p)
        gain = first @ q
        gain = gain - p @ gain
        if two:
            other_gain = B @ p
            gain = np.concatenate([gain, other_gain - q @ other_gain])
        return gain[lives] / scale

    distinct, place = np.unique(flat, return_inverse=True)
    scale = max(float(abs(first).max()), float(abs(B).max()), 1e-300)             # what is fast stays tractable
    if distinct[-1] == 0:
        path = begin[None]
    else:
        done = solve_ivp(slope, (0, distinct[-1] * scale), np.log(begin[lives]), "LSODA", distinct * scale, rtol=1e-11,
                         atol=1e-11)
        if not done.success:
            raise RuntimeError(f"the equations could not be integrated: {done.message}")
        path = np.array([shares(z) for z in done.y.T])
    path = path[place]
    path = path if when.ndim else path[0]
    return (path[..., :n], path[..., n:]) if two else path
