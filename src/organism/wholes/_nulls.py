"""Flows without wholes: what chance makes of the same ties, of the same strengths, of the same degrees."""

from __future__ import annotations

import numpy as np

__all__ = ["NULLS", "null_flows", "null_of"]

#: Rounds of scaling, and of swapping, at most; and how near strengths must come.
ROUNDS, NEAR = 500, 1e-6


def _pool(flows, row, inside, parts):
    """Return the pool of each tie, in which chance may deal; a tie of pool -1 stays as it is."""
    pool = np.zeros(flows.nnz, np.int64)
    if inside is not None:
        pool = inside[row] * np.int64(inside.max() + 1) + inside[flows.indices]
    if parts is not None:
        pool[parts[row] == parts[flows.indices]] = -1
    return pool


def _spans(pool):
    """Return the order that sorts pools, and where the pool of each entry starts and ends in it."""
    order = np.argsort(pool, kind="stable")
    return order, np.searchsorted(pool[order], pool, "left"), np.searchsorted(pool[order], pool, "right")


def _shuffled(pool, rng):
    """Return which entry each one gets what it carries from: any of its pool; of pool -1, from itself."""
    order = np.argsort(pool, kind="stable")
    given = np.empty(len(pool), np.int64)
    given[order] = np.lexsort((rng.random(len(pool)), pool))
    return np.where(pool < 0, np.arange(len(pool)), given)


def _flows(flows, rng, inside, parts):
    """Deal the flows out again among the same ties; what both ends of a tie give each other stays together."""
    from scipy import sparse

    if not flows.nnz:
        return flows.copy()
    n, row, column = flows.shape[0], _givers(flows), flows.indices.astype(np.int64)
    pool = _pool(flows, row, inside, parts)
    key, back = row * n + column, column * n + row
    order = np.argsort(key)
    at = order[np.minimum(np.searchsorted(key[order], back), len(key) - 1)]
    mate = np.where(key[at] == back, at, -1)
    data = flows.data.copy()
    single = np.flatnonzero(mate < 0)
    data[single] = flows.data[single[_shuffled(pool[single], rng)]]
    # a pair is dealt with its two directions, either way round where both ends are in one whole
    a = np.flatnonzero((mate >= 0) & (row < column))
    a = np.where(pool[a] <= pool[mate[a]], a, mate[a])
    b, same = mate[a], pool[a] == pool[mate[a]]
    source = a[_shuffled(pool[a], rng)]
    turned = same & (pool[a] >= 0) & (rng.random(len(a)) < 0.5)
    data[a], data[b] = (flows.data[np.where(turn, mate[source], source)] for turn in (turned, ~turned))
    return sparse.csr_array((data, flows.indices, flows.indptr), shape=flows.shape)


def _givers(flows):
    return np.repeat(np.arange(flows.shape[0], dtype=np.int64), np.diff(flows.indptr))


def _strengths(flows, rng, inside, parts):
    """Deal the flows out again and scale them until every member gives and gets what it did."""
    out, into = (np.asarray(flows.sum(axis=axis)).ravel() for axis in (1, 0))
    row = _givers(flows)
    found = _flows(flows, rng, inside, parts)
    data, n = found.data, flows.shape[0]
    for _ in range(ROUNDS):
        data *= _per(out, np.bincount(row, data, n))[row]
        given = np.bincount(flows.indices, data, n)
        data *= _per(into, given)[flows.indices]
        if np.abs(np.bincount(row, data, n) - out).max() <= NEAR * out.max():
            break
    return found


def _per(above, below):
    return np.divide(above, below, out=np.ones(len(above)), where=below > 0)


def _degrees(flows, rng, inside, parts):
    """Tie every giver to other receivers: as many ties out and in as before, flows go with their givers."""
    from scipy import sparse

    n = flows.shape[0]
    row = _givers(flows)
    pool = _pool(flows, row, inside, parts)
    order_of_pools, start, end = _spans(pool)
    column = flows.indices.astype(np.int64)[_shuffled(pool, rng)]
    for _ in range(ROUNDS):
        key = row * n + column
        order = np.argsort(key, kind="stable")
        bad = np.zeros(len(key), bool)
        bad[order[1:]] = key[order[1:]] == key[order[:-1]]
        bad |= row == column
        if parts is not None:
            bad |= parts[row] == parts[column]
        bad &= pool >= 0
        if not bad.any():
            break
        bad = np.flatnonzero(bad)
        other = order_of_pools[rng.integers(start[bad], end[bad])]
        for i, j in zip(bad.tolist(), other.tolist(), strict=True):
            column[i], column[j] = column[j], column[i]
    keep = row != column                        # where no swap can help: a member tied to all others
    return sparse.coo_array((flows.data[keep], (row[keep], column[keep])), shape=flows.shape).tocsr()


#: What each null keeps.
NULLS = {"flows": _flows, "strengths": _strengths, "degrees": _degrees}


def null_flows(flows, null: str, rng: np.random.Generator, inside=None, parts=None):
    """Return flows as they would be without wholes; or without any inside known ones, or of known parts.

    Parameters
    ----------
    flows : scipy.sparse.csr_array, shape (n, n)
        Row = giver; no loops.
    null : {"flows", "strengths", "degrees"}
        "flows": the same ties, on which the same flows are dealt out at random; what the two ends of a tie give each
        other stays together, for those who give often get back, and that makes no whole.
        "strengths": so, and then scaled until every member gives and gets as much as before.
        "degrees": ties to others at random, as many out and in of each member.
    rng : numpy.random.Generator
    inside : ndarray of int, shape (n,), optional
        The known whole of each member, from 0 on. Flows, and receivers, are then dealt out only among ties from
        the same whole to the same whole.
    parts : ndarray of int, shape (n,), optional
        Known parts of wholes. Ties within them stay as they are.

    Returns
    -------
    scipy.sparse.csr_array of float64

    References
    ----------
    Maslov, Sneppen (2002) Specificity and stability in topology of protein networks. *Science* 296: 910-913. Deming,
    Stephan (1940) On a least squares adjustment of a sampled frequency table. *Annals of Mathematical Statistics*
    11: 427-444.
    """
    return NULLS[null](flows, rng, inside, parts)


def null_of(trade, null: str, rng: np.random.Generator, **given):
    """Return the null of a :class:`Trade`; by "flows" ties that carried nothing may get a flow, and others none."""
    if null != "flows" or trade.ties is None:   # strengths say who gives at all, and degrees whom
        return null_flows(trade.flows, null, rng, **given)
    flows = null_flows(trade.ties, null, rng, **given).copy()       # it shares its places with the ties
    flows.eliminate_zeros()
    return flows
