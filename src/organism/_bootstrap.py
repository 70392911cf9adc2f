"""Bootstrap intervals of a mean and of a difference of means: one place for all of them."""

from __future__ import annotations

import warnings

import numpy as np

__all__ = ["interval", "intervals", "mean_interval", "moments"]

#: Numbers of resamples that are in memory at once.
NUMBERS = 4_000_000
#: Values that a sample must have to be resampled; of fewer, too many resamples are of one value.
FEWEST = 5
#: A resample of less than this part of the sample's spread tells nothing of the spread: it counts as endlessly far off.
STILL = .1


def interval(*samples, confidence: float = 0.95, n_resamples: int = 1999, rng=0) -> tuple[float, float]:
    """Return the studentised bootstrap interval of a mean, or of the difference of two means.

    The mean of each resample is divided by the resample's own standard error, and the quantiles
    of these ratios stand for those of Student's t (the bootstrap-t; of two samples with Welch's error).
    Student's interval itself (Welch's of two) is returned where there is nothing better: of 2 to 4 values, and
    where more resamples than fit beyond a bound are of nearly one value, as of 0 and 1 with few of one kind.

    Parameters
    ----------
    *samples : array_like, shape (n,)
        One sample, or two; finite.
    confidence : float
        In (0, 1).
    n_resamples : int
        From 1 on; at least 2/(1 - confidence), or the bounds are the extremes of the resamples.
    rng : int or numpy.random.Generator

    Returns
    -------
    low, high : float
        NaN of fewer than two values; of equal values, that value. They may lie beyond what a measure can be.

    Notes
    -----
    SWEEPS.md has a table of how often intervals hold the mean: of 5 normal values 94.5 % do at a level of 95 % (BCa
    84.9 %), of 5 lognormal ones 87.5 % (74.4 %), and of 20 each 94.7 % and 91.5 %.

    What no interval can know is missing where the sample shows nothing of it: five draws of a 0 or 1
    that is 1 in a fifth of cases are all 0 in a third of samples, and a constant sample has an interval of width 0.

    References
    ----------
    Efron, Tibshirani (1993) *An Introduction to the Bootstrap*, chapter 12. Hall (1988) Theoretical
    comparison of bootstrap confidence intervals, *Annals of Statistics* 16: 927-953.
    """
    low, high = intervals(*(np.asarray(x, float).reshape(1, -1) for x in samples), confidence=confidence,
                          n_resamples=n_resamples, rng=rng)
    return float(low[0]), float(high[0])


def intervals(x, other=None, *, confidence: float = 0.95, n_resamples: int = 1999, rng=0):
    """Return the :func:`interval` of each row of a table at once, which costs a fraction of one after the other.

    Parameters
    ----------
    x : array_like, shape (k, n)
        A sample a row; NaN is left out.
    other : array_like, shape (m,), optional
        The sample whose mean is taken away from each; NaN is left out.
    confidence, n_resamples, rng
        As :func:`interval` takes them; every row has the same resamples.

    Returns
    -------
    low, high : ndarray, shape (k,)
    """
    x, generator = np.asarray(x, float), np.random.default_rng(rng)
    start = generator.bit_generator.state
    low, high = np.full((2, len(x)), np.nan)
    here = ~np.isnan(x)
    counts = here.sum(axis=1)
    other = None if other is None else np.ravel(other)[~np.isnan(np.ravel(other))].astype(float)[None]
    if other is not None and other.size < 2:
        return low, high
    size = max(1, NUMBERS // n_resamples)
    for n in np.unique(counts[counts > 1]):
        generator.bit_generator.state = start
        draws = [_draws(generator, n_resamples, m) for m in (int(n), *(() if other is None else (other.size,)))]
        rows = np.flatnonzero(counts == n)
        for some in np.split(rows, range(size, len(rows), size)):
            samples = [x[some][here[some]].reshape(len(some), n), *(() if other is None else (other,))]
            low[some], high[some] = _bounds(samples, draws, (1 - confidence) / 2)
    return low, high


def _draws(generator, n_resamples, n):
    """Return how often each of n values is in each resample: a resample's sums are then one matrix product."""
    return generator.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(float)


def _bounds(samples, draws, tail):
    """Return the bounds of one mean, or of one less another, for rows without NaN; ``tail`` is beyond each."""
    from scipy.special import stdtrit

    centre, away, square, theirs, freedom = 0., 0., 0., 0., 0.
    for x, drawn, sign in zip(samples, draws, (1, -1), strict=False):
        n = x.shape[1]
        mean = np.where(np.ptp(x, axis=1) > 0, x.mean(axis=1), x[:, 0])  # of equal values not rounded
        x = x - mean[:, None]
        error = np.einsum("ij,ij->i", x, x) / (n - 1) / n
        shift = x @ drawn.T / n
        centre, square, freedom = centre + sign * mean, square + error, freedom + error**2 / (n - 1)
        away = away + sign * shift
        theirs = theirs + np.maximum(x**2 @ drawn.T / n - shift**2, 0.) / (n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(square > 0, square**2 / freedom, 1.)  # Welch's; n - 1 of one sample
        ratio = np.where(theirs > STILL**2 * square[:, None], away / np.sqrt(theirs), np.copysign(np.inf, away))
    error, reach = np.sqrt(square), stdtrit(freedom, 1 - tail)
    last = ratio.shape[1] - 1
    beyond = min(max(int((last + 2) * tail + 1e-9) - 1, 0), last)  # of B ratios the (B + 1)·tail-th from each end
    ratio.partition((beyond, last - beyond), axis=1)
    least, most = ratio[:, beyond], ratio[:, last - beyond]
    student = np.isinf(least) | np.isinf(most) | (min(x.shape[1] for x in samples) < FEWEST)
    return centre - np.where(student, reach, most) * error, centre + np.where(student, reach, -least) * error


def moments(x):
    """Return the mean and the standard deviation (n - 1) of each row, NaN left out; NaN of too few values."""
    x = np.asarray(x, float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(x, axis=1), np.nanstd(x, axis=1, ddof=1)


def mean_interval(values, confidence: float = 0.95, n_resamples: int = 1999) -> tuple[float, float, float]:
    """Return the mean of the finite values and its interval, for curves and tables.

    Parameters
    ----------
    values : array_like, shape (n,)
    confidence : float
    n_resamples : int

    Returns
    -------
    mean, low, high : float
        Of a single value, the value thrice; of none, NaN.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if values.size < 2:
        value = float(values.mean()) if values.size else np.nan
        return value, value, value
    return float(values.mean()), *interval(values, confidence=confidence, n_resamples=n_resamples)
