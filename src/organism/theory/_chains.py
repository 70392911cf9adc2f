"""Chains in which a number goes up or down by one: one-step processes."""

from __future__ import annotations

import numpy as np

from .._checks import number, whole

__all__ = ["herding", "one_step_fixation", "one_step_stationary"]


def _rates(up, down, ends: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates, with 0 where they are not looked at: at both ends, or only where the chain would leave."""
    given = []
    for name, one in (("up", up), ("down", down)):
        try:
            one = np.array(one, float)
        except (TypeError, ValueError):
            one = np.zeros(0)
        if one.ndim == 1 and len(one):
            one[{"both": [0, -1], "outer": [-1] if name == "up" else [0]}[ends]] = 0
        if one.ndim != 1 or len(one) < 2 or not np.isfinite(one).all() or one.min() < 0:
            raise ValueError(f"{name} must be numbers of 0 or more, one for each of the states 0 … N, not {one!r:.60}")
        given.append(one)
    if len(given[0]) != len(given[1]):
        raise ValueError(f"up and down must be equally long, not {len(given[0])} and {len(given[1])}")
    return given[0], given[1]


def one_step_fixation(up, down) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Calculate where a one-step chain ends that is absorbed at 0 and at N, and when.

    Exact. From state k the chain goes to k + 1 with probability (or rate) ``up[k]`` and to k − 1 with ``down[k]``.

    Parameters
    ----------
    up, down : array_like of float, shape (N + 1,)
        At least 0; those of the states 0 and N are not looked at.

    Returns
    -------
    chance : ndarray of float64, shape (N + 1,)
        Probability of ending at N.
    time : ndarray of float64, shape (N + 1,)
        Expected number of steps (or time) until either end.
    time_if_fixed : ndarray of float64, shape (N + 1,)
        The same where it ends at N; NaN where that has a probability of 0, or of less than the least number.

    Raises
    ------
    ValueError
        If a rate is negative or not finite, or the chain does not end.

    References
    ----------
    Karlin, Taylor (1975) *A First Course in Stochastic Processes*, 2nd ed., chapter 4. Antal, Scheuring (2006) Fixation
    of strategies for an evolutionary game in finite populations. *Bulletin of Mathematical Biology* 68: 1923-1944.

    Examples
    --------
    The Moran process of a mutant with fitness r, (1 − 1/r)/(1 − r**−N):

    >>> k, n, r = np.arange(11), 10, 1.5
    >>> total = r * k + n - k
    >>> chance, _, _ = one_step_fixation(r * k / total * (n - k) / n, (n - k) / total * k / n)
    >>> round(float(chance[1]), 6), round((1 - 1 / r) / (1 - r**-n), 6)
    (0.339216, 0.339216)
    """
    up, down = _rates(up, down, "both")
    n = len(up) - 1
    inner = slice(1, n)
    stuck = np.flatnonzero((up[inner] == 0) & (down[inner] == 0))
    if stuck.size:
        raise ValueError("up and down must let the chain leave every state between 0 and N, and state "
                         f"{stuck[0] + 1} it cannot leave")
    floor, ceiling = np.flatnonzero(down[inner] == 0), np.flatnonzero(up[inner] == 0)
    if floor.size and ceiling.size and floor[0] <= ceiling[-1]:
        raise ValueError(f"up and down must let the chain end, and between the states {floor[0] + 1}, which it does "
                         f"not leave downwards, and {ceiling[-1] + 1}, upwards, it stays for ever")
    # of all steps only the ratios and the reciprocals of rates count, and all that is added up is positive
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.log(down[inner]) - np.log(up[inner])
    win, lose = _ends(ratio)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore", under="ignore"):
        to_top = _passage(up, down, win)
        to_bottom = _passage(down[::-1], up[::-1], lose[::-1])[::-1]
        chance = np.exp(win)
        time = np.where(chance > 0, chance * to_top, 0) + np.where(lose > -np.inf, np.exp(lose) * to_bottom, 0)
    time[[0, n]] = 0.0
    return chance, time, np.where(chance > 0, to_top, np.nan)


def _ends(ratio) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of the probabilities of ending at the top and at the bottom, from all states."""
    up = ratio == np.inf                                # from there nobody goes up
    if up.any():                                        # below it, and there, all is lost
        last = int(np.flatnonzero(up)[-1]) + 1
        win, lose = _ends(ratio[last:])
        return (np.concatenate([np.full(last, -np.inf), win]), np.concatenate([np.zeros(last), lose]))
    terms = np.concatenate([[0.0], np.cumsum(ratio)])   # of the gambler's ruin
    rising = np.concatenate([[-np.inf], np.logaddexp.accumulate(terms)])
    falling = np.concatenate([np.logaddexp.accumulate(terms[::-1])[::-1], [-np.inf]])
    return rising - rising[-1], falling - rising[-1]


def _passage(up, down, win) -> np.ndarray:
    """Return the times to the top of the chains that end there: of their steps, made likelier as they lead there."""
    n = len(up) - 1
    step, times = 0.0, np.zeros(n + 1)
    for k in range(1, n):                               # how long from k to k + 1
        if win[k] == -np.inf:
            times[k] = np.inf
            continue
        rise = up[k] * np.exp(win[k + 1] - win[k])
        fall = down[k] * np.exp(win[k - 1] - win[k])
        step = 1 / rise + (fall / rise * step if fall > 0 else 0.0)
        times[k] = step
    return np.concatenate([np.cumsum(times[::-1])[::-1][:n], [0.0]])


def one_step_stationary(up, down) -> np.ndarray:
    """Calculate in which states a one-step chain that is nowhere absorbed is found in the long run.

    Exact, by detailed balance: p[k + 1] down[k + 1] = p[k] up[k].

    Parameters
    ----------
    up, down : array_like of float, shape (N + 1,)
        Probabilities or rates from k to k + 1 and to k − 1. All but ``up[N]`` and ``down[0]`` (not looked at) above 0.

    Returns
    -------
    ndarray of float64, shape (N + 1,)
        Sums to 1.

    Raises
    ------
    ValueError
        If a rate is negative or not finite, or one that must be above 0 is not.

    References
    ----------
    Van Kampen (2007) *Stochastic Processes in Physics and Chemistry*, 3rd ed., chapter 6.

    Examples
    --------
    >>> one_step_stationary([2, 1, 0], [0, 1, 2])
    array([0.25, 0.5 , 0.25])
    """
    up, down = _rates(up, down, "outer")
    for name, one, first in (("up", up[:-1], 0), ("down", down[1:], 1)):
        if not one.min() > 0:
            raise ValueError(f"{name} must be above 0 wherever the chain could go there, and in state "
                             f"{int(one.argmin()) + first} it is 0")
    log = np.concatenate([[0.0], np.cumsum(np.log(up[:-1]) - np.log(down[1:]))])
    p = np.exp(log - log.max())
    return p / p.sum()


def herding(n: int, switch: float, keep: float) -> np.ndarray:
    """Calculate how many of N ants are found at the first of two sources, in Kirman's model of recruitment.

    Exact. In an event a uniform ant goes over to the other source by itself with probability ``switch``; or, with
    probability 1 − ``keep``, it meets another uniform ant and is where that is: of k ants one comes with
    (1 − k/N)(ε + (1 − δ) k/(N − 1)), one leaves with (k/N)(ε + (1 − δ)(N − k)/(N − 1)).

    Parameters
    ----------
    n : int
        N, at least 2.
    switch : float
        ε, in (0, δ]: it and 1 − δ are probabilities of different things, with a sum of at most 1.
    keep : float
        δ, in (0, 1].

    Returns
    -------
    ndarray of float64, shape (N + 1,)
        Stationary probabilities of k. With ε < (1 − δ)/(N − 1) they are highest at both ends; with
        ε = (1 − δ)/(N − 1) all are equal. For N → ∞ with ε N/(1 − δ) = α fixed, k/N has the density of Beta(α, α).

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    Kirman (1993) Ants, rationality, and recruitment. *Quarterly J. Economics* 108: 137-156.

    Examples
    --------
    >>> herding(3, 0.25, 0.5).round(12)
    array([0.25, 0.25, 0.25, 0.25])
    """
    n = whole("n", n, 2)
    keep = number("keep", keep, 0, 1, "(]")
    switch = number("switch", switch, 0, 1, "(]")
    if switch > keep * (1 + 1e-12):
        raise ValueError(f"switch must be in (0, {keep:g}], as it and 1 - keep together are at most 1, not {switch:g}")
    k = np.arange(n + 1)
    return one_step_stationary((1 - k / n) * (switch + (1 - keep) * k / (n - 1)),
                               k / n * (switch + (1 - keep) * (n - k) / (n - 1)))
