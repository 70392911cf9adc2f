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
    if not a.size:
        raise ValueError("there are no members to compare partitions of")
    (_, i), (names, j) = np.unique(a, return_inverse=True), np.unique(b, return_inverse=True)
    pair, both = np.unique(i * np.int64(len(names)) + j, return_counts=True)
    return sparse.csr_array((both.astype(float), np.divmod(pair, max(1, len(names)))))


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
    table = crossed(a, b).tocoo()
    n, (i, j), both = len(a), table.coords, table.data
    rows, columns = np.bincount(i, both), np.bincount(j, both)
    if min(len(rows), len(columns)) <= 1:
        return float(len(rows) == len(columns))
    shared = float((both / n * np.log(both * n / (rows[i] * columns[j]))).sum())
    entropies = [-float((size / n * np.log(size / n)).sum()) for size in (rows, columns)]
    expected, most = _expected(rows, columns, n), sum(entropies) / 2
    return float((shared - expected) / (most - expected)) if most - expected > 1e-12 else 1.0


def _expected(rows, columns, n: int) -> float:
    """Return the mean mutual information of random partitions with these sizes, in nats."""
    from scipy.special import gammaln

    total = 0.0
    (a, times_a), (b, times_b) = (np.unique(sizes.astype(int), return_counts=True) for sizes in (rows, columns))
    log = gammaln(np.arange(n + 2))             # log[k + 1] = log k!
    log_a, log_b = (log[size + 1] + log[n - size + 1] for size in (a, b))
    for size, times, given in zip(a, times_a, log_a, strict=True):      # together with all others b: at most n terms
        low = np.maximum(1, size + b - n)
        terms = np.minimum(size, b) - low + 1
        i = np.repeat(np.arange(len(b)), terms)
        k = np.arange(len(i)) - np.repeat(np.cumsum(terms) - terms, terms) + low[i]
        other = b[i]
        logs = (given + log_b[i] - log[n + 1] - log[k + 1] - log[size - k + 1] - log[other - k + 1]
                - log[n - size - other + k + 1])
        total += times * float((times_b[i] * (k / n) * np.log(n * (k / (size * other))) * np.exp(logs)).sum())
    return total
