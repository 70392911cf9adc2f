"""Bootstrap intervals of a mean and of a difference of means: one place for all of them."""

from __future__ import annotations

import warnings

import numpy as np

__all__ = ["interval", "mean_interval"]


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
    from scipy.stats import bootstrap

    samples = tuple(np.asarray(x, float) for x in samples)
    if min(x.size for x in samples) < 2:
        return np.nan, np.nan
    statistic = _mean if len(samples) == 1 else _difference
    if all(np.ptp(x) == 0 for x in samples):
        value = float(statistic(*samples))
        return value, value
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = bootstrap(samples, statistic, confidence_level=confidence, n_resamples=n_resamples, method=method,
                              random_state=np.random.default_rng(rng)).confidence_interval
        if np.isfinite([found.low, found.high]).all():
            break
    return float(found.low), float(found.high)


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
