"""What measures read: columns of a world or plain arrays; and how they divide and average."""

from __future__ import annotations

import numpy as np

__all__ = ["column", "entropy", "is_world", "mean", "ratio", "task_table"]

#: The smallest normal number: a logarithm of it is finite, and 0 times that is 0.
TINY = np.finfo(np.float64).tiny


def is_world(source) -> bool:
    return hasattr(source, "state") and hasattr(source, "living")


def column(source, name: str) -> np.ndarray:
    """Return a column of the living members of a world, or a plain array, as float64.

    A world's is a copy that lies as the state does, plane by plane (in Fortran order): sums over tasks are fast.
    """
    if is_world(source):
        values, living = source.state[name], source.living
        if len(living) < len(values):
            values = values.T.take(living, axis=-1).T
        return values.astype(np.float64)
    try:
        values = np.asarray(source, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be numbers, not {source!r:.60}") from None
    if not np.isfinite(values).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"{name}{list(bad)} must be finite, not {values[bad]}")
    return values


def task_table(source) -> np.ndarray:
    """Return the (members, tasks) table of remembered acts of a world or of an array."""
    counts = column(source, "task_counts")
    if counts.ndim != 2:
        raise ValueError(f"task_counts must have two axes, members and tasks, not shape {counts.shape}")
    if (counts < 0).any():
        i, m = np.argwhere(counts < 0)[0]
        raise ValueError(f"task_counts[{i}, {m}] must be 0 or more, not {counts[i, m]}")
    return counts


def mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def ratio(above, below):
    """Divide, with 0 where the divisor is 0."""
    above, below = np.asarray(above, float), np.asarray(below, float)
    out = np.zeros_like(np.broadcast_arrays(above, below)[0])    # laid out as ``above``
    return np.divide(above, below, out=out, where=below > 0)


def entropy(p: np.ndarray, axis=None):
    """Return the entropy of ``p`` in bits, with 0 log 0 = 0."""
    return -(p * np.log2(np.maximum(p, TINY))).sum(axis=axis)
