"""The map equation: how short a walk through the flows can be told by a partition."""

from __future__ import annotations

import numpy as np

__all__ = ["codelength", "walk"]

#: Chance that the walk leaps instead of following a flow.
LEAP = 0.15


def walk(flows, leap: float = LEAP):
    """Return how often a random walk is at each node and on each flow.

    The walk follows flows in proportion to their size. Where flows are not the same both ways it leaps with
    probability ``leap`` (and always from where nothing flows out) to the start of a flow, in proportion to its size;
    leaps are not counted (unrecorded teleportation to links).

    Parameters
    ----------
    flows : scipy.sparse array, shape (n, n)
        Row = giver.
    leap : float
        In (0, 1).

    Returns
    -------
    visits : ndarray, shape (n,)
        Sums to 1.
    steps : scipy.sparse.csr_array, shape (n, n)
        Sums to 1.

    References
    ----------
    Lambiotte, Rosvall (2012) Ranking and clustering of nodes in networks with smart teleportation. *Physical Review E*
    85: 056107.
    """
    from scipy import sparse

    flows = sparse.csr_array(flows, dtype=float)
    out = np.asarray(flows.sum(axis=1)).ravel()
    total = out.sum()
    if not total > 0:
        raise ValueError("there are no flows to walk along")
    if abs(flows - flows.T).max() <= 1e-12 * flows.max():
        return out / total, flows / total
    home, rate = out / total, np.divide(1, out, out=np.zeros(len(out)), where=out > 0)
    turn = (sparse.diags_array(rate) @ flows).T.tocsr()
    p = home.copy()
    for _ in range(1000):
        before, idle = p, p[out == 0].sum()
        p = (1 - leap) * (turn @ p) + (leap * (1 - idle) + idle) * home
        p /= p.sum()
        if np.abs(p - before).sum() < 1e-15:
            break
    steps = (sparse.diags_array(p * rate) @ flows).tocsr()
    steps /= steps.sum()
    return np.asarray(steps.sum(axis=0)).ravel(), steps


def codelength(flows, *levels, leap: float = LEAP) -> float:
    """Return the bits a step that it takes to tell a random walk through the flows, group by group.

    A code of few bits says: within groups the walk stays long, so each group can have short names of its own. Levels
    nest: a name tells into which group of each level the walk goes, from the coarsest in.

    Parameters
    ----------
    flows : scipy.sparse array, shape (n, n)
        Row = giver.
    *levels : array_like, shape (n,)
        Labels of groups, the coarsest level first; each level must refine the one before. None: all in one.
    leap : float

    Returns
    -------
    float

    References
    ----------
    Rosvall, Bergstrom (2008) Maps of random walks on complex networks reveal community structure. *PNAS* 105:
    1118-1123. Rosvall, Bergstrom (2011) Multilevel compression of random walks on networks. *PLoS ONE* 6: e18209.
    """
    visits, steps = walk(flows, leap)
    n = len(visits)
    nest = [np.zeros(n, np.int64), *(np.unique(np.asarray(labels), return_inverse=True)[1] for labels in levels)]
    for i, labels in enumerate(nest[1:]):
        if labels.shape != (n,):
            raise ValueError(f"level {i} must have one label for each of the {n} members, not {len(labels)}")
    for i, (coarse, fine) in enumerate(zip(nest, nest[1:], strict=False)):
        if len(np.unique(np.stack([coarse, fine]), axis=1).T) != fine.max() + 1:
            raise ValueError(f"level {i} must refine the level before it; groups of it lie in several")
    steps = steps.tocoo()
    rates = [_crossings(steps, labels) for labels in nest]      # of the one group of all: 0
    total = 0.0
    for depth, labels in enumerate(nest):
        exits = rates[depth][1]
        if depth + 1 < len(nest):
            inner, parent = rates[depth + 1][0], np.zeros(nest[depth + 1].max() + 1, np.int64)
            parent[nest[depth + 1]] = labels
        else:
            inner, parent = visits, labels
        used = exits + np.bincount(parent, inner, len(exits))
        bits = _plogp(used) - _plogp(exits) - np.bincount(parent, _plogp(inner), len(exits))
        if depth + 1 < len(nest):                               # a group with one part is that part, and has no code
            bits[np.bincount(parent, minlength=len(exits)) == 1] = 0
        total += bits.sum()
    return float(total)


def _crossings(steps, labels) -> tuple[np.ndarray, np.ndarray]:
    """Return how often the walk enters and leaves each group."""
    a, b = labels[steps.row], labels[steps.col]
    out, n = a != b, int(labels.max()) + 1
    return np.bincount(b[out], steps.data[out], n), np.bincount(a[out], steps.data[out], n)


def _plogp(p):
    return p * np.log2(np.where(p > 0, p, 1))
