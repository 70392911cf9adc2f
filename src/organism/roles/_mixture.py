"""Members as points, roles as clouds of them: the mixture, and how many clouds there are.

A mix (of tasks, of goods given …) is a point on the simplex. The square roots of its
shares are a point on the unit sphere, and there the noise of n draws is about the same in
every direction, with variance 1/(4n), whatever the mix (Rao 1995). So a role is a spherical
normal cloud of such points, one variance a block of columns, never less than the draws' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._strength import together

__all__ = ["Cloud", "first_labels", "fit", "found_again", "halfway"]

#: Steps of k-means and of EM that every start makes, and further steps of EM of the best start, at most.
FIRST, SHORT, MOST = 4, 5, 60
#: A step of EM that gains less than this a member is the last (nats).
GAIN = 1e-4
#: Starts run together as long as their probabilities are so many numbers at most.
TOGETHER = 200_000
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
        """Return the log density of each point in each role, weights included, shape (R, n): fast to add up."""
        return _logs(points, self.edges, self.centres, self.weights, self.variances)

    def probabilities(self, points: np.ndarray) -> np.ndarray:
        """Return the probability of each role for each point, shape (n, R); rows sum to 1."""
        return _softmax(self.logs(points))[0].T

    def labels(self, points: np.ndarray) -> np.ndarray:
        """Return the likeliest role of each point."""
        return self.logs(points).argmax(axis=0)


def _logs(points, edges, centres, weights, variances) -> np.ndarray:
    """Return log densities (R, n) of points (n, D) by centres (R, D), weights (R,) and variances (blocks,)."""
    alike = np.repeat(1 / variances, np.diff(edges)) @ (points**2).T / 2
    return _leanings(points, edges, centres, weights, variances) - alike


def _leanings(points, edges, centres, weights, variances) -> np.ndarray:
    """Return log densities (…, R, n) but for what is alike in all roles, the square of the point over its variance.

    Centres have shape (…, R, D), weights (…, R), variances (…, blocks).
    """
    widths, shape = np.diff(edges), centres.shape
    free = widths - 1                                       # a mix of M shares has M - 1 degrees of freedom
    scaled = centres * np.repeat(1 / variances, widths, axis=-1)[..., None, :]
    own = np.log(weights) - (scaled * centres).sum(axis=-1) / 2
    own -= (free * np.log(2 * np.pi * variances)).sum(axis=-1)[..., None] / 2
    logs = (scaled.reshape(-1, shape[-1]) @ points.T).reshape(*shape[:-1], len(points))
    logs += own[..., None]
    return logs


def _softmax(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn logs (…, R, n) into probabilities, in place; return them, and the sums (…) over n of the log totals."""
    top = logs.max(axis=-2, keepdims=True)
    logs -= top
    np.exp(logs, out=logs)
    total = logs.sum(axis=-2, keepdims=True)
    logs /= total
    return logs, (top + np.log(total)).sum(axis=(-2, -1))


def fit(points: np.ndarray, edges, floors, n_roles: int, rng: np.random.Generator, starts: int = 8) -> Cloud:
    """Fit a mixture of ``n_roles`` clouds by EM: several short runs, of which the best is run on.

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
        Short runs, each from other first centres.

    Returns
    -------
    Cloud

    References
    ----------
    Biernacki, Celeux, Govaert (2003) Choosing starting values for the EM algorithm for getting the highest likelihood
    in multivariate Gaussian mixture models. *Computational Statistics & Data Analysis* 41: 561-575.
    """
    edges, floors = tuple(edges), np.asarray(floors, float)
    best, many = (-np.inf, None), max(1, TOGETHER // (len(points) * n_roles))
    left = starts if n_roles > 1 else 1
    while left:
        labels = first_labels(points, n_roles, rng, min(left, many))
        left -= len(labels)
        cloud, p = _climb(points, edges, floors, (labels[:, None] == np.arange(n_roles)[:, None]).astype(float), SHORT)
        i = int(cloud.loglikelihood.argmax())
        best = max(best, (cloud.loglikelihood[i], p[i]), key=lambda one: one[0])
    cloud, _ = _climb(points, edges, floors, best[1][None], MOST)
    return Cloud(cloud.centres[0], cloud.weights[0], cloud.variances[0], edges, float(cloud.loglikelihood[0]))


def first_labels(points, n_roles, rng, starts: int = 1) -> np.ndarray:
    """Return the labels (starts, n) of short runs of k-means from well spread centres.

    Each new centre is the best of a few members drawn with probabilities as their squared distances from the last
    centres (greedy k-means++, Arthur and Vassilvitskii 2007).
    """
    n, square, trials, every = len(points), (points**2).sum(axis=1), 2 + int(np.log(n_roles)), np.arange(starts)

    def nearness(centres):
        """Return squared distances (starts, m, n) of the points from centres (starts, m, D), less the points' own."""
        made = (-2 * centres.reshape(-1, centres.shape[-1]) @ points.T).reshape(*centres.shape[:-1], n)
        made += (centres**2).sum(axis=-1)[..., None]
        return made

    centres = points[rng.integers(n, size=(starts, 1))]
    nearest = np.maximum(nearness(centres)[:, 0] + square, 0)
    for _ in range(n_roles - 1):
        reach, luck = np.cumsum(nearest, axis=1), rng.random((starts, trials))
        drawn = np.stack([np.searchsorted(one, u * one[-1], side="right") if one[-1] > 0 else (u * n).astype(int)
                          for one, u in zip(reach, luck, strict=True)])
        some = points[np.minimum(drawn, n - 1)]
        far = np.clip(nearness(some) + square, 0, nearest[:, None])
        best = far.sum(axis=-1).argmin(axis=1)
        centres = np.concatenate([centres, some[every, best][:, None]], axis=1)
        nearest = far[every, best]
    for _ in range(FIRST):
        labels = nearness(centres).argmin(axis=1)
        member = (labels[:, None] == np.arange(n_roles)[:, None]).astype(float)
        size = member.sum(axis=-1, keepdims=True)
        sums = (member.reshape(-1, n) @ points).reshape(centres.shape)
        centres = np.where(size > 0, sums / np.maximum(size, 1), centres)
    return labels


def _climb(points, edges, floors, p, steps: int) -> tuple[Cloud, np.ndarray]:
    """Run EM from probabilities (starts, R, n) until it gains no more; return stacked clouds, and probabilities."""
    n, blocks = len(points), edges[:-1]
    squares = np.add.reduceat((points**2).sum(axis=0), blocks)
    free, before = np.diff(edges) - 1, -np.inf
    for step in range(steps):
        size = p.sum(axis=-1) + 1e-9
        centres = (p.reshape(-1, n) @ points).reshape(*size.shape, -1) / size[..., None]
        # Σ p |x - c|² = Σ |x|² - Σ size |c|², for the centres are the means
        around = squares - np.add.reduceat((size[..., None] * centres**2).sum(axis=1), blocks, axis=1)
        variances = np.maximum(np.maximum(around, 0) / n / np.maximum(free, 1), floors)
        weights = size / size.sum(axis=-1, keepdims=True)
        p, after = _softmax(_leanings(points, edges, centres, weights, variances))
        after -= (squares / variances).sum(axis=-1) / 2
        if (after - before < GAIN * n).all() and step > 3:
            break
        before = after
    return Cloud(centres, weights, variances, edges, after), p


def halfway(points: np.ndarray, labels: np.ndarray, centres: np.ndarray) -> float:
    """Return how many members lie halfway between two roles, over how many lie at their middles.

    Members of a role and of the one nearest to it are projected on the line through their centres, and counted within
    a tenth of its length around the point halfway, and around both centres. Clouds that are apart have few between
    them; a continuum that is merely cut in two has as many there as elsewhere.

    Parameters
    ----------
    points : ndarray of float64, shape (n, D)
    labels : ndarray of int64, shape (n,)
    centres : ndarray of float64, shape (R, D)

    Returns
    -------
    float
        The greatest of all roles; 0 of one role.
    """
    most = 0.0
    for a, centre in enumerate(centres):
        apart = ((centres - centre) ** 2).sum(axis=1)
        apart[a] = np.inf
        b = int(apart.argmin())
        if not 0 < apart[b] < np.inf:
            continue
        along = (points[(labels == a) | (labels == b)] - centre) @ (centres[b] - centre) / apart[b]
        between, middles = (sum((np.abs(along - at) < 0.1).sum() for at in some) for some in ((0.5,), (0, 1)))
        most = max(most, float(2 * between / max(middles, 1)))
    return most


def found_again(points, edges, floors, n_roles: int, rng: np.random.Generator, sample: int = 1000) -> float:
    """Return how well the roles of one random half of the members are found again from the other half.

    Both halves are clustered. Of each role of a half, the share of pairs of its members is counted which
    the other half's roles put together too; the least share of any role counts (0 of one with fewer than 5
    members there), averaged over the halves.

    Parameters
    ----------
    points, edges, floors, n_roles, rng
        As :func:`fit` takes them.
    sample : int
        Members in a half, at most.

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
    half = min(len(points) // 2, sample)
    if half < FEWEST * n_roles:
        return 0.0
    order = rng.permutation(len(points))[:2 * half]
    halves = points[order[:half]], points[order[half:]]
    clouds = [fit(part, edges, floors, n_roles, rng) for part in halves]
    found = []
    for mine, own, other in ((halves[0], *clouds), (halves[1], *clouds[::-1])):
        table = np.bincount(own.labels(mine) * n_roles + other.labels(mine), minlength=n_roles**2)
        found.append(together(table.reshape(n_roles, n_roles), FEWEST))
    return float(np.mean(found))
