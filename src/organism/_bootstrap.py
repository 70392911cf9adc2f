"""Bootstrap intervals of a mean and of a difference of means: one place for all of them."""

from __future__ import annotations

import warnings

import numpy as np

__all__ = ["interval", "intervals", "mean_interval", "moments"]

#: Numbers of resamples that are in memory at once.
NUMBERS = 4_000_000


def _mean(x, axis=-1):
    return np.mean(x, axis=axis)


def _difference(x, y, axis=-1):
    return np.mean(x, axis=axis) - np.mean(y, axis=axis)


def interval(*samples, confidence: float = 0.95, n_resamples: int = 9999, rng=0) -> tuple[float, float]:
    """Return a bias-corrected and accelerated interval of a mean, or of the difference of two means.

    Parameters
    ----------
    *samples : array_like, shape (n,)
        One sample, or two; finite.
    confidence : float
        In (0, 1).
    n_resamples : int
    rng : int or numpy.random.Generator

    Returns
    -------
    low, high : float
        NaN of fewer than two values; of equal values, that value. The percentile interval
        where BCa has none (a few values so extreme that no resample lies beyond the mean).

    References
    ----------
    Efron, Tibshirani (1993) *An Introduction to the Bootstrap*, chapters 13 and 14.
    """
    low, high = intervals(*(np.asarray(x, float).reshape(1, -1) for x in samples), confidence=confidence,
                          n_resamples=n_resamples, rng=rng)
    return float(low[0]), float(high[0])


def intervals(x, other=None, *, confidence: float = 0.95, n_resamples: int = 9999, rng=0):
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
    other = None if other is None else np.ravel(other)[~np.isnan(np.ravel(other))].astype(float)
    if other is not None and other.size < 2:
        return low, high
    for n in np.unique(counts[counts > 1]):
        rows = np.flatnonzero(counts == n)
        size = max(1, NUMBERS // (n_resamples * int(n)))
        for some in np.split(rows, range(size, len(rows), size)):
            generator.bit_generator.state = start
            values = x[some][here[some]].reshape(len(some), n)
            low[some], high[some] = _bounds(values, other, generator, confidence, n_resamples)
    return low, high


def _bounds(x, other, generator, confidence, n_resamples):
    """Return the bounds for rows without NaN."""
    from scipy.stats import bootstrap

    statistic = _mean if other is None else _difference
    still = np.ptp(x, axis=1) == 0
    if other is not None:
        still &= np.ptp(other) == 0
    low = x[:, 0] - (0. if other is None else other[0])
    high = low.copy()
    left, start = np.flatnonzero(~still), generator.bit_generator.state
    for method in ("BCa", "percentile"):
        if not left.size:
            break
        samples = (x[left],) if other is None else (x[left], np.broadcast_to(other, (left.size, other.size)))
        generator.bit_generator.state = start
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = bootstrap(samples, statistic, axis=1, vectorized=True, confidence_level=confidence,
                              n_resamples=n_resamples, method=method, random_state=generator).confidence_interval
        low[left], high[left] = found.low, found.high
        left = left[~np.isfinite(low[left] + high[left])]
    return low, high


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
