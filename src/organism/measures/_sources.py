"""What measures read: columns of a world or plain arrays; and how they divide and average."""

from __future__ import annotations

import numpy as np

__all__ = ["column", "entropy", "is_world", "mean", "ratio", "task_table"]


def is_world(source) -> bool:
    return hasattr(source, "state") and hasattr(source, "living")


def column(source, name: str) -> np.ndarray:
    """Return a column of the living members of a world, or a plain array, as float64."""
    if is_world(source):
        return np.asarray(source.state[name][source.living], dtype=np.float64)
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
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.zeros(below.shape), where=below > 0)


def entropy(p: np.ndarray, axis=None):
    """Return the entropy of ``p`` in bits, with 0 log 0 = 0."""
    return -(p * np.log2(np.where(p > 0, p, 1))).sum(axis=axis)
