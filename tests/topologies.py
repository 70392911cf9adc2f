"""Brute force for topologies: what their arrays must hold, and graphs to draw them from."""

import numpy as np
from hypothesis import strategies as st

from organism.topology import LANES, Topology

ARRAYS = ("site_id", "out_ptr", "out_index", "out_degree", "in_ptr", "in_index", "in_degree", "in_to_out",
          "mate", "slot_weight", "source", "target", "weight", "out_slot", "in_slot", "cells", "positions")


def ties(topology) -> set:
    return set(zip(topology.source.tolist(), topology.target.tolist(), strict=True))


def read_rows(ptr, index, site_id, n):
    """Read the rows off a sliced layout as its definition says, checking pads, order and sentinel."""
    none = -(-n // LANES) * LANES
    assert ptr.dtype == np.int64 and index.dtype == np.int32
    assert ptr.shape == (none // LANES + 1,) and index.shape == (ptr[-1] + LANES,)
    assert (index[-LANES:] == none).all()
    rows, slots, used = [], [], 0
    for lane in range(none):
        s = lane // LANES
        at = np.arange(ptr[s] + lane % LANES, ptr[s + 1], LANES)
        row = index[at].tolist()
        degree = len(row) - row.count(none)
        assert all(0 <= j < n for j in row[:degree]) and all(j == none for j in row[degree:])
        if lane >= n:
            assert degree == 0
            continue
        ids = site_id[row[:degree]].tolist()
        assert ids == sorted(set(ids))
        rows.append(row[:degree])
        slots.append(at[:degree].tolist())
        used += len(at)
    for s in range(len(ptr) - 1):
        widest = max(len(row) for row in rows[LANES * s:LANES * (s + 1)])
        assert ptr[s + 1] - ptr[s] == LANES * widest
    return rows, slots


def check(topology, edges=None, weights=None) -> Topology:
    """Rebuild every array of a topology by brute force and compare."""
    n = topology.n_sites
    out, out_slot = read_rows(topology.out_ptr, topology.out_index, topology.site_id, n)
    into, in_slot = read_rows(topology.in_ptr, topology.in_index, topology.site_id, n)
    listed = [(i, j) for i in range(n) for j in out[i]]
    found = set(listed)
    assert found == {(i, j) for j in range(n) for i in into[j]} and topology.n_ties == len(listed)
    if edges is not None:
        assert found == set(edges)
    out_at = {(i, j): slot for i in range(n) for j, slot in zip(out[i], out_slot[i], strict=True)}
    in_at = {(i, j): slot for j in range(n) for i, slot in zip(into[j], in_slot[j], strict=True)}

    np.testing.assert_array_equal(topology.out_degree, [len(row) for row in out])
    np.testing.assert_array_equal(topology.in_degree, [len(row) for row in into])
    assert listed == list(zip(topology.source.tolist(), topology.target.tolist(), strict=True))
    assert topology.out_slot.tolist() == [out_at[tie] for tie in listed]
    assert topology.in_slot.tolist() == [in_at[tie] for tie in listed]
    assert topology.source.dtype == topology.target.dtype == np.int32
    assert topology.out_slot.dtype == topology.in_slot.dtype == np.int64

    t_out, t_in = topology.out_ptr[-1], topology.in_ptr[-1]
    expected = np.full(t_in + LANES, t_out)
    for tie in found:
        expected[in_at[tie]] = out_at[tie]
    np.testing.assert_array_equal(topology.in_to_out, expected)
    assert topology.in_to_out.dtype == np.int32
    assert topology.directed == any((j, i) not in found for i, j in found)
    if topology.directed:
        expected = np.full(t_out + LANES, t_in)
        for i, j in found:
            expected[out_at[i, j]] = in_at.get((j, i), t_in)
        np.testing.assert_array_equal(topology.mate, expected)
        assert topology.mate.dtype == np.int32
    else:
        assert topology.mate is None
        assert topology.in_index is topology.out_index and topology.in_ptr is topology.out_ptr
        assert topology.in_degree is topology.out_degree
        assert all(out_at[i, j] == in_at[j, i] for i, j in found)

    if weights is None:
        assert topology.slot_weight is None and topology.weight is None
    else:
        expected = np.zeros(t_out + LANES, np.float32)
        for tie, weight in weights.items():
            expected[out_at[tie]] = weight
        np.testing.assert_array_equal(topology.slot_weight, expected)
        np.testing.assert_array_equal(topology.weight, np.float32([weights[tie] for tie in listed]))
        assert topology.weight.dtype == topology.slot_weight.dtype == np.float32
    for name in ARRAYS:
        array = getattr(topology, name)
        assert array is None or not array.flags.writeable, name
    return topology


@st.composite
def graphs(draw):
    """Site count, directed edges, weights or None: sparse or dense, with or without reverses."""
    n = draw(st.integers(1, 40))
    seed, share = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0, .02, .1, .4, 1]))
    rng = np.random.default_rng(seed)
    matrix = rng.random((n, n)) < share
    kind = draw(st.sampled_from(["any", "undirected", "one way", "hub"]))
    if kind == "undirected":
        matrix |= matrix.T
    elif kind == "one way":
        matrix = np.triu(matrix)
    elif kind == "hub":
        matrix[rng.integers(n)] = True
    np.fill_diagonal(matrix, False)
    edges = [(int(i), int(j)) for i, j in np.argwhere(matrix)]
    rng.shuffle(edges)
    edges = [(int(i), int(j)) for i, j in edges]
    weights = {edge: float(np.float32(rng.choice([0, .5, 2, rng.random()]))) for edge in edges}
    weighted = draw(st.booleans()) and any(w != 1 for w in weights.values())
    return n, edges, weights if weighted else None


def build(n, edges, weights) -> Topology:
    source, target = [i for i, _ in edges], [j for _, j in edges]
    return Topology.from_edges(source, target, n, None if weights is None else [weights[e] for e in edges])
