"""Members as points, roles as clouds of them: the mixture, and how many clouds there are.

A mix (of tasks, of goods given …) is a point on the simplex. The square roots of its
shares are a point on the unit sphere, and there the noise of n draws is about the same in
every direction, with variance 1/(4n), whatever the mix (Rao 1995). So a role is a spherical
normal cloud of such points, one variance a block of columns, never less than the draws' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Cloud", "first_labels", "fit", "prediction_strength"]

#: Steps of k-means that start a fit, and steps of EM at most.
FIRST, MOST = 8, 60
#: A step of EM that gains less than this a member is the last (nats).
GAIN = 1e-4
#: A role with fewer members than this in half of them is not told from a few strays.
FEWEST = 5


@dataclass(frozen=True, eq=False)
class Cloud:
    """A fitted mixture.

    Parameters
    ----------
    centres : ndarray, shape (R, D)
        Mean points of the roles.
    weights : ndarray, shape (R,)
        Shares of the members.
    variances : ndarray, shape (blocks,)
        Of each block, shared by the roles.
    edges : tuple of int
        First column of each block, and the number of columns.
    loglikelihood : float
        Nats.
    """

    centres: np.ndarray
    weights: np.ndarray
    variances: np.ndarray
    edges: tuple[int, ...]
    loglikelihood: float

    def logs(self, points: np.ndarray) -> np.ndarray:
        """Return the log density of each point in each role, weights included, shape (n, R)."""
        scale = np.repeat(1 / np.sqrt(self.variances), np.diff(self.edges))
        x, c = points * scale, self.centres * scale
        far = np.einsum("ij,ij->i", x, x)[:, None] - 2 * x @ c.T + np.einsum("ij,ij->i", c, c)
        free = np.diff(self.edges) - 1                      # a mix of M shares has M - 1 degrees of freedom
        return np.log(self.weights) - far / 2 - (free * np.log(2 * np.pi * self.variances)).sum() / 2

    def probabilities(self, points: np.ndarray) -> np.ndarray:
        """Return the probability of each role for each point, shape (n, R); rows sum to 1."""
        return _softmax(self.logs(points))[0]

    def labels(self, points: np.ndarray) -> np.ndarray:
        """Return the likeliest role of each point."""
        return self.logs(points).argmax(axis=1)


def _softmax(logs: np.ndarray) -> tuple[np.ndarray, float]:
    """Return probabilities by row, and the sum of the rows' log totals."""
    top = logs.max(axis=1, keepdims=True)
    e = np.exp(logs - top)
    total = e.sum(axis=1, keepdims=True)
    return e / total, float((top + np.log(total)).sum())


def fit(points: np.ndarray, edges, floors, n_roles: int, rng: np.random.Generator, starts: int = 3) -> Cloud:
    """Fit a mixture of ``n_roles`` clouds by EM, the best of some starts.

    Parameters
    ----------
    points : ndarray of float64, shape (n, D)
    edges : sequence of int
        First column of each block, and D.
    floors : sequence of float
        Least variance of each block.
    n_roles : int
        In [1, n].
    rng : numpy.random.Generator
    starts : int
        Each from other first centres (k-means++, Arthur and Vassilvitskii 2007).

    Returns
    -------
    Cloud
    """
    found = (_climb(points, tuple(edges), np.asarray(floors, float), first_labels(points, n_roles, rng))
             for _ in range(starts if n_roles > 1 else 1))
    return max(found, key=lambda cloud: cloud.loglikelihood)


def first_labels(points, n_roles, rng) -> np.ndarray:
    """Return the labels of a short k-means from well spread centres."""
    centres = [points[rng.integers(len(points))]]
    nearest = np.full(len(points), np.inf)
    for _ in range(n_roles - 1):
        nearest = np.minimum(nearest, ((points - centres[-1])**2).sum(axis=1))
        total = nearest.sum()
        centres.append(points[rng.choice(len(points), p=nearest / total) if total > 0
                              else rng.integers(len(points))])
    centres = np.array(centres)
    for _ in range(FIRST):
        labels = ((centres**2).sum(axis=1) - 2 * points @ centres.T).argmin(axis=1)
        member = np.eye(n_roles)[labels]
        size = member.sum(axis=0)
        centres = np.where(size[:, None] > 0, member.T @ points / np.maximum(size, 1)[:, None], centres)
    return labels


def _climb(points, edges, floors, labels) -> Cloud:
    """Run EM from hard labels until it gains no more."""
    n, n_roles = len(points), int(labels.max()) + 1
    p = np.eye(n_roles)[labels]
    squares = np.stack([np.einsum("ij,ij->i", points[:, a:b], points[:, a:b])
                        for a, b in zip(edges, edges[1:], strict=False)], axis=1).sum(axis=0)
    free, before = np.diff(edges) - 1, -np.inf
    for step in range(MOST):
        size = p.sum(axis=0) + 1e-9
        centres = p.T @ points / size[:, None]
        # Σ p |x - c|² = Σ |x|² - Σ size |c|², for the centres are the means
        around = squares - np.array([(size[:, None] * centres[:, a:b]**2).sum()
                                     for a, b in zip(edges, edges[1:], strict=False)])
        variances = np.maximum(np.maximum(around, 0) / n / np.maximum(free, 1), floors)
        cloud = Cloud(centres, size / size.sum(), variances, edges, before)
        p, after = _softmax(cloud.logs(points))
        if after - before < GAIN * n and step > 3:
            break
        before = after
    return Cloud(centres, size / size.sum(), variances, edges, after)


def prediction_strength(points, edges, floors, n_roles: int, rng: np.random.Generator, sample: int = 1000,
                        splits: int = 3) -> float:
    """Return how well the roles of one half of the members are found again from the other half.

    Both halves are clustered. Of each role of a half, the share of pairs of its members is counted which
    the other half's roles put together too; the least share of any role counts (0 of one with fewer than 5
    members there), averaged over the halves and over splits (Tibshirani and Walther 2005).

    Parameters
    ----------
    points, edges, floors, n_roles, rng
        As :func:`fit` takes them.
    sample : int
        Members in a half, at most.
    splits : int

    Returns
    -------
    float
        In [0, 1]; 1 of one role.

    References
    ----------
    Tibshirani, Walther (2005) Cluster validation by prediction strength. *Journal of Computational and
    Graphical Statistics* 14: 511-528.
    """
    if n_roles == 1:
        return 1.0
    half, found = min(len(points) // 2, sample), []
    if half < FEWEST * n_roles:
        return 0.0
    for _ in range(splits):
        order = rng.permutation(len(points))[:2 * half]
        halves = points[order[:half]], points[order[half:]]
        clouds = [fit(part, edges, floors, n_roles, rng) for part in halves]
        for mine, own, other in ((halves[0], *clouds), (halves[1], *clouds[::-1])):
            table = np.zeros((n_roles, n_roles))
            np.add.at(table, (own.labels(mine), other.labels(mine)), 1)
            size = table.sum(axis=1)
            together = (table * (table - 1)).sum(axis=1) / np.maximum(size * (size - 1), 1)
            found.append(float(np.where(size >= FEWEST, together, 0.0).min()))
    return float(np.mean(found))
