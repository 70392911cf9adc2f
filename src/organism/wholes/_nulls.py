"""Flows without wholes: what chance makes of the same ties, of the same strengths, of the same degrees."""

from __future__ import annotations

import numpy as np

__all__ = ["NULLS", "null_flows"]

#: Rounds of scaling, and of swapping, at most; and how near strengths must come.
ROUNDS, NEAR = 500, 1e-6


def _pool(flows, row, inside):
    """Return ties ordered by pool, in which chance may deal: (order, start of the pool of each tie, its end)."""
    if inside is None:
        pool = np.zeros(flows.nnz, np.int64)
    else:
        pool = inside[row] * np.int64(inside.max() + 1) + inside[flows.indices]
    order = np.argsort(pool, kind="stable")
    ordered = pool[order]
    return order, np.searchsorted(ordered, pool, "left"), np.searchsorted(ordered, pool, "right")


def _dealt(values, order, start, rng):
    """Return values dealt out at random within each pool."""
    made = np.empty_like(values)
    made[order] = values[order][np.lexsort((rng.random(len(values)), start[order]))]
    return made


def _flows(flows, rng, inside):
    """Deal the flows out again among the same ties."""
    from scipy import sparse

    order, start, _ = _pool(flows, _givers(flows), inside)
    return sparse.csr_array((_dealt(flows.data, order, start, rng), flows.indices, flows.indptr), shape=flows.shape)


def _givers(flows):
    return np.repeat(np.arange(flows.shape[0], dtype=np.int64), np.diff(flows.indptr))


def _strengths(flows, rng, inside):
    """Deal the flows out again and scale them until every member gives and gets what it did."""
    out, into = (np.asarray(flows.sum(axis=axis)).ravel() for axis in (1, 0))
    row = _givers(flows)
    found = _flows(flows, rng, inside)
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


def _degrees(flows, rng, inside):
    """Tie every giver to other receivers: as many ties out and in as before, flows go with their givers."""
    from scipy import sparse

    n = flows.shape[0]
    row = _givers(flows)
    order_of_pools, start, end = _pool(flows, row, inside)
    column = _dealt(flows.indices.astype(np.int64), order_of_pools, start, rng)
    for _ in range(ROUNDS):
        key = row * n + column
        order = np.argsort(key, kind="stable")
        bad = np.zeros(len(key), bool)
        bad[order[1:]] = key[order[1:]] == key[order[:-1]]
        bad |= row == column
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


def null_flows(flows, null: str, rng: np.random.Generator, inside=None):
    """Return flows as they would be without wholes, or without wholes inside known ones.

    Parameters
    ----------
    flows : scipy.sparse.csr_array, shape (n, n)
        Row = giver; no loops.
    null : {"flows", "strengths", "degrees"}
        "flows": the same ties, on which the same flows are dealt out at random.
        "strengths": so, and then scaled until every member gives and gets as much as before.
        "degrees": ties to others at random, as many out and in of each member.
    rng : numpy.random.Generator
    inside : ndarray of int, shape (n,), optional
        The known whole of each member, from 0 on. Flows, and receivers, are then dealt out only among ties from
        the same whole to the same whole.

    Returns
    -------
    scipy.sparse.csr_array of float64

    References
    ----------
    Maslov, Sneppen (2002) Specificity and stability in topology of protein networks. *Science* 296: 910-913. Deming,
    Stephan (1940) On a least squares adjustment of a sampled frequency table. *Annals of Mathematical Statistics*
    11: 427-444.
    """
    return NULLS[null](flows, rng, inside)
