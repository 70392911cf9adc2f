"""Who works by response thresholds, and how many join when all see how many have joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import number

__all__ = ["ResponseEquilibrium", "response_equilibrium", "threshold_equilibrium"]


@dataclass(frozen=True)
class ResponseEquilibrium:
    """What response thresholds come to.

    Attributes
    ----------
    stimulus : float
    active : ndarray of float64
        Share of the workers of each threshold who are at work.
    """

    stimulus: float
    active: np.ndarray


def response_equilibrium(thresholds, shares=None, *, leave: float = 0.2, work: float = 3.0,
                         demand: float = 1.0) -> ResponseEquilibrium:
    """Calculate who is at work when response thresholds and the stimulus are in balance.

    Mean-field, one task: an idle worker with threshold θ takes it up with probability T = s²/(s² + θ²) a step and
    leaves it with probability p, so that T/(T + p) are at work; the stimulus s is where their work is what is demanded,
    α Σ_k f_k x_k = δ. The counterpart of the rule "response_threshold" of :func:`organism.interact.activate`, under any
    activation in which each worker has one event a sweep.

    Parameters
    ----------
    thresholds : array_like of float, shape (K,)
        θ of each kind of workers, at least 0; those of 0 work at any stimulus above 0.
    shares : array_like of float, shape (K,), optional
        f: what part of the workers are of each kind; by default equal ones.
    leave : float, default 0.2
        p, in (0, 1].
    work : float, default 3
        α: by how much s falls in a step if all are at work.
    demand : float, default 1
        δ: by how much s rises in a step, above 0.

    Returns
    -------
    ResponseEquilibrium

    Raises
    ------
    ValueError
        If the work cannot be done: even an endless stimulus has no more than 1/(1 + p) at work. Or if those without a
        threshold do more than is demanded at any stimulus above 0: then there is no balance.

    References
    ----------
    Bonabeau, Theraulaz, Deneubourg (1996) *Proc. R. Soc. B* 263: 1565-1569; (1998) Fixed response thresholds and the
    regulation of division of labor in insect societies. *Bulletin of Mathematical Biology* 60: 753-807.

    Examples
    --------
    >>> found = response_equilibrium([8, 1], [0.1, 0.9])
    >>> round(found.stimulus, 5), found.active.round(5).tolist()
    (0.36414, [0.01023, 0.36923])
    """
    from scipy.optimize import brentq

    theta = np.atleast_1d(np.asarray(thresholds, float))
    if theta.ndim != 1 or not theta.size or not (np.isfinite(theta).all() and theta.min() >= 0):
        raise ValueError("thresholds must be finite and at least 0, one for each kind of workers, not "
                         f"{thresholds!r:.60}")
    f = np.full(len(theta), 1 / len(theta)) if shares is None else np.asarray(shares, float)
    if f.shape != theta.shape or not (f.min() >= 0 and abs(f.sum() - 1) < 1e-9):
        raise ValueError(f"shares must be {len(theta)} numbers of 0 or more with sum 1, not {shares!r:.60}")
    f = f / f.sum()
    p = number("leave", leave, 0, 1, "(]")
    work, demand = number("work", work, 0, np.inf, "()"), number("demand", demand, 0, np.inf, "()")
    if demand >= work / (1 + p):
        raise ValueError(f"demand must be below work / (1 + leave) = {work / (1 + p):g}, which is done if nobody "
                         f"rests, not {demand:g}: the stimulus would grow for ever")

    def active(log):
        with np.errstate(over="ignore", divide="ignore"):
            taken = 1 / (1 + np.exp(2 * (np.log(theta) - log)))
        return taken / (taken + p)

    def over(log):
        return work * float(f @ active(log)) - demand

    some = theta[(theta > 0) & (f > 0)]
    if not some.size or work * float(f[theta == 0].sum()) / (1 + p) >= demand:
        raise ValueError(f"thresholds of 0 must not be those of so many ({f[theta == 0].sum():g} of all) that they "
                         f"alone do what is demanded, {demand:g}, at any stimulus: there is no balance then")
    low, high = np.log(some.min()), np.log(some.max())
    while over(low) > 0:
        low -= 10
    while over(high) < 0 and high < 700:                # nearly as much as can be done takes nearly endless stimulus
        high += 10
    if over(high) < 0:
        return ResponseEquilibrium(float("inf"), np.full(len(theta), 1 / (1 + p)))
    log = float(brentq(over, low, high, xtol=1e-14, rtol=1e-14))
    return ResponseEquilibrium(float(np.exp(log)), active(log))


def threshold_equilibrium(thresholds, start=None) -> float:
    """Calculate which share joins in the end, when each joins once as many have as its threshold asks for.

    Exact. Nobody leaves, so the order and activation do not matter: it is the least share r of all at which no more
    than r have joined before or have thresholds of r or less (Granovetter 1978). The counterpart of the rule
    "threshold" with ``everyone``.

    Parameters
    ----------
    thresholds : array_like of float, shape (N,), or callable
        The share of all that each wants to see; at most 0: joins in any case, above 1: never. Or the distribution
        function F of the thresholds of an infinite population, continuous on [0, 1].
    start : array_like of bool, shape (N,), or float
        Who has joined at first; by default nobody. Of an infinite population which share of it, in [0, 1], drawn
        without regard to thresholds: r = start + (1 − start) F(r).

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        If thresholds are no numbers, or F is no distribution function, or ``start`` does not fit.

    Notes
    -----
    Of a function the first crossing of F(r) and r on a grid of 20,001 points is taken, and made exact within it: two
    crossings nearer than that can be missed.

    References
    ----------
    Granovetter (1978) Threshold models of collective behavior. *American J. Sociology* 83: 1420-1443.

    Examples
    --------
    A hundred people with thresholds 0, 1, … 99 %, and the same with nobody of 1 %, but two of 2 %:

    >>> riot = np.arange(100) / 100
    >>> threshold_equilibrium(riot), threshold_equilibrium([0, .02, *riot[2:]])
    (1.0, 0.01)
    """
    from scipy.optimize import brentq

    if callable(thresholds):
        first = number("start", 0.0 if start is None else start, 0, 1)
        grid = np.linspace(first, 1, 20_001)
        try:
            above = np.array([float(thresholds(r)) for r in grid])
        except (TypeError, ValueError):
            raise TypeError("thresholds must be numbers, or a function of a share that returns one") from None
        if not (np.isfinite(above).all() and above.min() >= -1e-12 and above.max() <= 1 + 1e-12):
            raise ValueError("thresholds must be a distribution function, with values in [0, 1]")
        if np.diff(above).min(initial=0) < -1e-9:
            at = int(np.diff(above).argmin())
            raise ValueError(f"thresholds must be a distribution function, which never falls, and from {grid[at]:g} on "
                             "it does")

        def over(r):
            return first + (1 - first) * float(thresholds(r)) - r

        low = np.flatnonzero(first + (1 - first) * above <= grid)
        k = int(low[0]) if low.size else len(grid) - 1
        if k == 0 or over(grid[k]) >= 0:
            return float(grid[k])
        return float(brentq(over, grid[k - 1], grid[k], xtol=1e-15))
    try:
        theta = np.ravel(np.asarray(thresholds, float))
    except (TypeError, ValueError):
        raise TypeError(f"thresholds must be numbers, or a function of a share, not {thresholds!r:.60}") from None
    n = len(theta)
    if not n or np.isnan(theta).any():
        raise ValueError("thresholds must be numbers, one for each of at least one person")
    has = np.zeros(n, bool) if start is None else np.ravel(np.asarray(start))
    if has.shape != (n,) or has.dtype != bool:
        raise ValueError(f"start must say true or false of each of the {n} persons who has joined at first, not "
                         f"{start!r:.60}")
    waiting, joined = np.sort(theta[~has]), int(has.sum())
    while True:                                         # each step passes all who follow at once
        now = int(has.sum() + np.searchsorted(waiting, joined / n + 1e-12, "right"))
        if now <= joined:
            return joined / n
        joined = now
