"""Flows without wholes: what chance makes of the same ties, of the same strengths, of the same degrees."""

from __future__ import annotations

import numpy as np

from .._checks import closest

__all__ = ["NULLS", "known_null", "null_flows", "null_of"]

#: Rounds of scaling at most, and how near strengths must come, as a part of the greatest.
ROUNDS, NEAR = 200, 1e-5
#: How often ties may swap, of many and of few: in about half of the sweeps each tie is tried.
SWEEPS, MORE, FEW = 40, 100, 1000


def _pool(flows, row, inside, parts):
    """Return the pool of each tie, in which chance may deal; a tie of pool -1 stays as it is."""
    pool = np.zeros(flows.nnz, np.int64)
    if inside is not None:
        pool = inside[row] * np.int64(inside.max() + 1) + inside[flows.indices]
    if parts is not None:
        pool[parts[row] == parts[flows.indices]] = -1
    return pool


def _shuffled(pool, rng):
    """Return which entry each one gets what it carries from: any of its pool; of pool -1, from itself."""
    order = np.argsort(pool, kind="stable")
    given = np.empty(len(pool), np.int64)
    given[order] = np.lexsort((rng.random(len(pool)), pool))
    return np.where(pool < 0, np.arange(len(pool)), given)


def _mates(flows, row):
    """Return, of each tie, which one goes back; -1 if none does."""
    n, column = flows.shape[0], flows.indices.astype(np.int64)
    key, back = row * n + column, column * n + row
    order = np.argsort(key)
    at = order[np.minimum(np.searchsorted(key[order], back), len(key) - 1)]
    return np.where(key[at] == back, at, -1)


def _dyads(flows, row, pool, rng):
    """Return ties that go one way, and pairs that go both: of each the tie to give first, and the one back.

    Which is first is drawn where both are of one pool, else it is that of the lower pool.
    """
    mate = _mates(flows, row)
    a = np.flatnonzero((mate >= 0) & (row < flows.indices))
    b = mate[a]
    turn = np.where(pool[a] == pool[b], rng.random(len(a)) < 0.5, pool[a] > pool[b])
    return np.flatnonzero(mate < 0), np.where(turn, b, a), np.where(turn, a, b)


def _flows(flows, rng, inside, parts):
    """Deal the flows out again among the same ties; what both ends of a tie give each other stays together."""
    from scipy import sparse

    if not flows.nnz:
        return flows.copy()
    row = _givers(flows)
    pool = _pool(flows, row, inside, parts)
    single, first, back = _dyads(flows, row, pool, rng)
    data = flows.data.copy()
    data[single] = flows.data[single[_shuffled(pool[single], rng)]]
    source = _shuffled(pool[first], rng)
    data[first], data[back] = flows.data[first[source]], flows.data[back[source]]
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
    """Swap the receivers of ties, two by two: as many ties of each member go out, come in, and go both ways, as before.

    Many swaps are tried at once; those that would make a loop or a tie that is there, or that get in each other's way,
    are not made. Every step is as likely as its reverse, so all networks that can be reached are equally likely.
    """
    from scipy import sparse

    if not flows.nnz:
        return flows.copy()
    n, row = flows.shape[0], _givers(flows)
    pool = _pool(flows, row, inside, parts)
    single, first, back = _dyads(flows, row, pool, rng)
    lead = np.concatenate([single, first])
    both = np.arange(len(lead)) >= len(single)
    pool = np.where(pool[lead] < 0, -1, 2 * pool[lead] + both)
    giver, receiver = row[lead], flows.indices.astype(np.int64)[lead]
    ahead, behind = flows.data[lead], np.concatenate([np.zeros(len(single)), flows.data[back]])
    free, turns = pool >= 0, both & (True if inside is None else inside[giver] == inside[receiver])
    for _ in range(SWEEPS if len(lead) > FEW else MORE):
        turn = np.flatnonzero(turns & (rng.random(len(lead)) < 0.5))        # which end of a pair gives first
        giver[turn], receiver[turn] = receiver[turn], giver[turn]
        ahead[turn], behind[turn] = behind[turn], ahead[turn]
        order = np.lexsort((rng.random(len(lead)), pool))
        order = order[free[order] & (rng.random(len(lead)) < 0.5)]
        i, j = order[:-1], order[1:]
        start = np.concatenate([[True], pool[i] != pool[j]])                # pairs of one pool, each tie in one pair
        place = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
        pair = ~start[1:] & (place[:-1] % 2 == 0)
        i, j = i[pair], j[pair]
        ends = np.concatenate([np.minimum(giver, receiver), *(np.minimum(giver[x], receiver[y])
                                                              for x, y in ((i, j), (j, i)))])
        ends = ends * n + np.concatenate([np.maximum(giver, receiver), *(np.maximum(giver[x], receiver[y])
                                                                         for x, y in ((i, j), (j, i)))])
        _, which, times = np.unique(ends, return_inverse=True, return_counts=True)
        alone = times[which] == 1
        fine = (alone[i] & alone[j] & alone[len(lead):].reshape(2, -1).all(axis=0)
                & (giver[i] != receiver[j]) & (giver[j] != receiver[i]))
        if parts is not None:
            fine &= (parts[giver[i]] != parts[receiver[j]]) & (parts[giver[j]] != parts[receiver[i]])
        i, j = i[fine], j[fine]
        receiver[i], receiver[j] = receiver[j], receiver[i]
    ends = np.concatenate([giver, receiver[both]]), np.concatenate([receiver, giver[both]])
    return sparse.coo_array((np.concatenate([ahead, behind[both]]), ends), shape=flows.shape).tocsr()


#: How each null is made.
NULLS = {"flows": _flows, "strengths": _strengths, "degrees": _degrees}


def null_flows(flows, null: str, rng, inside=None, parts=None):
    """Return flows as they would be without wholes; or without any inside known ones, or of known parts.

    Parameters
    ----------
    flows : scipy.sparse.csr_array, or what it can be made of, shape (n, n)
        Row = giver; no loops.
    null : {"flows", "strengths", "degrees"}
        "flows": the same ties, on which the same flows are dealt out at random; what the two ends of a tie give each
        other stays together, for those who give often get back, and that makes no whole.
        "strengths": so, and then scaled until every member gives and gets as much as before.
        "degrees": ties to others at random, as many of each member that go out, come in, and go both ways.
    rng : int, SeedSequence or numpy.random.Generator
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
    from scipy import sparse

    flows = flows if isinstance(flows, sparse.csr_array) else sparse.csr_array(flows)
    return NULLS[known_null(null)](flows, np.random.default_rng(rng), inside, parts)


def known_null(null) -> str:
    """Return the name of a null, if it is one."""
    if not isinstance(null, str) or null not in NULLS:
        raise ValueError(f"nulls must be some of {', '.join(NULLS)}, not {null!r}" + closest(str(null), NULLS))
    return null


def null_of(trade, null: str, rng: np.random.Generator, **given) -> tuple:
    """Return a null of a :class:`Trade`: all flows, and the same by resource; goods go with the flows they are part of.

    By "flows", ties that carried nothing may get a flow, and others none.
    """
    from scipy import sparse

    # strengths say who gives at all, and degrees whom
    base = trade.flows if null != "flows" or trade.ties is None else trade.ties
    seed = int(rng.integers(2**63))
    made = null_flows(base, null, np.random.default_rng(seed), **given)
    parts = []
    if trade.resources:                         # the same lots once more, with the numbers of the ties
        numbers = sparse.csr_array((np.arange(base.nnz, dtype=float), base.indices, base.indptr), shape=base.shape)
        source = null_flows(numbers, "flows" if null == "strengths" else null, np.random.default_rng(seed), **given)
        for part in trade.resources:
            share = np.divide(_along(part, base), base.data, out=np.zeros(base.nnz), where=base.data > 0)
            data = share[source.data.astype(np.int64)] * made.data
            parts.append(sparse.csr_array((data, made.indices, made.indptr), shape=made.shape))
    made = made.copy()                          # it shares its places with the ties
    made.eliminate_zeros()
    return made, tuple(parts)


def _along(part, base) -> np.ndarray:
    """Return what a matrix holds at the places of another one, in its order."""
    n = base.shape[1]
    place, own = _givers(base) * n + base.indices, _givers(part) * n + part.indices
    order = np.argsort(place)
    at = order[np.minimum(np.searchsorted(place[order], own), len(place) - 1)]
    found = np.zeros(len(place))
    there = place[at] == own
    found[at[there]] = part.data[there]
    return found
