"""How far two partitions of the same members agree."""

from __future__ import annotations

import numpy as np

__all__ = ["agreement", "crossed"]


def crossed(a, b):
    """Return the sparse table of how many members are in group i of one and group j of the other partition."""
    from scipy import sparse

    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"both partitions must have one label for each member, not shapes {a.shape} and {b.shape}")
    return sparse.coo_array((np.ones(len(a)), (np.unique(a, return_inverse=True)[1],
                                               np.unique(b, return_inverse=True)[1]))).tocsr()


def agreement(a, b) -> float:
    """Return the adjusted mutual information of two partitions.

    0 is what random partitions with groups of the same sizes would have, 1 is the same partition. Unlike the
    normalised mutual information it does not grow with the number of groups.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        A label for each member.

    Returns
    -------
    float
        At most 1; 1 where neither divides at all.

    References
    ----------
    Vinh, Epps, Bailey (2010) Information theoretic measures for clusterings comparison. *Journal of Machine
    Learning Research* 11: 2837-2854 (the mean of both entropies normalises).

    Examples
    --------
    >>> round(agreement([0, 0, 1, 1], [1, 1, 0, 0]), 12), round(agreement([0, 0, 1, 1], [0, 1, 0, 1]), 6)
    (1.0, -0.5)
    """
    table = crossed(a, b)
    n = table.sum()
    rows, columns = np.asarray(table.sum(axis=1)).ravel(), np.asarray(table.sum(axis=0)).ravel()
    if min(len(rows), len(columns)) <= 1:
        return float(len(rows) == len(columns))
    i, j = table.nonzero()
    shared = float((table.data / n * np.log(table.data * n / (rows[i] * columns[j]))).sum())
    entropies = [-float((size / n * np.log(size / n)).sum()) for size in (rows, columns)]
    expected, most = _expected(rows, columns, n), sum(entropies) / 2
    return float((shared - expected) / (most - expected)) if most - expected > 1e-12 else 1.0


def _expected(rows, columns, n) -> float:
    """Return the mean mutual information of random partitions with these sizes, in nats."""
    from scipy.special import gammaln

    total = 0.0
    (a, times_a), (b, times_b) = (np.unique(sizes, return_counts=True) for sizes in (rows, columns))
    log = gammaln(np.arange(n + 2))             # log[k + 1] = log k!
    for size, times in zip(a.astype(int), times_a, strict=True):
        for other, also in zip(b.astype(int), times_b, strict=True):
            k = np.arange(max(1, size + other - int(n)), min(size, other) + 1)
            if not len(k):
                continue
            logs = (log[size + 1] + log[other + 1] + log[int(n) - size + 1] + log[int(n) - other + 1]
                    - log[int(n) + 1] - log[k + 1] - log[size - k + 1] - log[other - k + 1]
                    - log[int(n) - size - other + k + 1])
            total += times * also * float((k / n * np.log(n * k / (size * other)) * np.exp(logs)).sum())
    return total
