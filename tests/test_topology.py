"""Topology: the kernel's arrays against brute force, grids against networkx, and what is refused."""

import copy
import json
import math
import pickle
import random
import tracemalloc
from fractions import Fraction

import mesa.discrete_space as ds
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import organism.topology as module
from organism import _layouts, _slices
from organism.topology import LANES, NEIGHBOURHOODS, Topology

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


# -- the kernel's arrays ----------------------------------------------------------------------


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_arrays_by_brute_force(graph):
    check(build(*graph), graph[1], graph[2])


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_permuted_storage(graph, rng):
    n, edges, weights = graph
    perm = rng.sample(range(n), n)
    where = {old: new for new, old in enumerate(perm)}
    moved = build(*graph).permuted(perm)
    assert moved.site_id.tolist() == perm and list(moved.nodes) == perm
    assert all(moved.index(old) == new for old, new in where.items())
    check(moved, [(where[i], where[j]) for i, j in edges],
          None if weights is None else {(where[i], where[j]): w for (i, j), w in weights.items()})
    back = moved.permuted([where[k] for k in range(n)])
    np.testing.assert_array_equal(back.out_index, build(*graph).out_index)


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_other_permanent_ids(graph, rng):
    n, edges, weights = graph
    ids = rng.sample(range(2**40), n)
    named = check(build(*graph).with_site_ids(ids), edges, weights)
    assert named.site_id.tolist() == ids
    perm = rng.sample(range(n), n)
    where = {old: new for new, old in enumerate(perm)}
    moved = check(named.permuted(perm), [(where[i], where[j]) for i, j in edges],
                  None if weights is None else {(where[i], where[j]): w for (i, j), w in weights.items()})
    # The same rows in the same order, wherever they are stored.
    for new, old in enumerate(perm):
        row = moved.target[moved.source == new]
        assert moved.site_id[row].tolist() == named.site_id[named.target[named.source == old]].tolist()


def test_hub_with_thousands_of_neighbours():
    n = 3000
    star = check(Topology.from_edges([1700] * (n - 1), [i for i in range(n) if i != 1700], directed=False))
    assert star.out_degree[1700] == n - 1 and star.out_degree.sum() == 2 * (n - 1)
    # Only the hub's slice is wide.
    assert star.out_index.size == LANES * (n - 1) + LANES * (-(-n // LANES) - 1) + LANES
    one_way = check(Topology.from_edges([1700] * (n - 1), [i for i in range(n) if i != 1700]))
    assert one_way.directed and one_way.in_degree.max() == 1


def test_no_ties_and_one_site():
    for topology in (Topology.from_edges([], [], 1), Topology.from_edges([], [], 17), Topology.grid((1, 1)),
                     Topology.from_networkx(nx.empty_graph(5))):
        check(topology, [])
        assert not topology.directed and topology.find_ties(0, 0).tolist() == [-1]
        assert topology.to_sparse().nnz == 0 and topology.to_networkx().number_of_edges() == 0


def test_directed_without_any_reverse():
    cycle = check(Topology.from_edges([0, 1, 2], [1, 2, 0]), [(0, 1), (1, 2), (2, 0)])
    assert cycle.directed and (cycle.mate == cycle.in_ptr[-1]).all()


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_find_ties(graph):
    n, edges, _ = graph
    topology = build(*graph).permuted(list(range(n))[::-1])
    i, j = np.divmod(np.arange(n * n), n)
    found = topology.find_ties(i, j)
    assert ((found >= 0) == [(a, b) in ties(topology) for a, b in zip(i, j, strict=True)]).all()
    real = found >= 0
    assert (topology.source[found[real]] == i[real]).all() and (topology.target[found[real]] == j[real]).all()
    assert topology.find_ties([-1, n, 0], [0, 0, n]).tolist() == [-1, -1, -1]


def test_slots_are_computed_modulo_2_32(monkeypatch):
    """Sums that leave 32 bits on the way come back, as they must from 2**27 ties on."""
    degree = np.array([2**27 + 5, 3])
    monkeypatch.setattr(module, "MAX_SLOTS", 2**40)
    start = np.cumsum(degree) - degree
    first = (np.arange(2) - LANES * start).astype(np.int32)
    step = np.int32([2**27 + 5, 2**27 + 6, 2**27 + 7]) * np.int32(LANES)
    assert (first[1] + step).tolist() == [1, 17, 33]


def test_too_many_slots(monkeypatch):
    with pytest.raises(ValueError, match="grid of 70000 x 70000 with 8 neighbours needs .* slots"):
        Topology.grid((70000, 70000))
    for part in (module, _slices, _layouts):
        monkeypatch.setattr(part, "MAX_SLOTS", 100)
    with pytest.raises(ValueError, match="needs 144 tie slots; at most 100"):
        Topology.from_edges([0] * 9, range(1, 10))
    with pytest.raises(ValueError, match="n_sites must be in 1..100, not 200"):
        Topology.from_edges([], [], 200)


# -- immutable, copied, saved -----------------------------------------------------------------


def test_immutable():
    topology = Topology.grid((3, 3))
    with pytest.raises(AttributeError, match="cannot be changed"):
        topology.shape = (9, 1)
    with pytest.raises(AttributeError, match="cannot be changed"):
        del topology.shape
    with pytest.raises(ValueError, match="read-only"):
        topology.out_index[0] = 3
    with pytest.raises(TypeError, match="Topology.grid"):
        Topology()
    assert copy.copy(topology) is topology and copy.deepcopy(topology) is topology


def examples():
    rng = np.random.default_rng(3)
    karate = nx.karate_club_graph()
    places = nx.random_geometric_graph(20, .4, seed=1)
    odd = nx.DiGraph([(("a", 1), "x"), ("x", 2.5), (2.5, True), (True, ("b", ("c", 3)))])
    odd.graph["partition"] = [{1, 2}, frozenset((3,))]
    odd.graph["place"] = np.arange(4.).reshape(2, 2)
    network = ds.Network(karate, random=random.Random(1))
    return {
        "torus": Topology.grid((5, 7)),
        "holes": Topology.grid((6, 5), "hexagonal", torus=False, holes=rng.random((6, 5)) < .3),
        "ring": Topology.grid((9,), radius=2),
        "permuted": Topology.grid((4, 5)).permuted(rng.permutation(20)),
        "karate": Topology.from_networkx(karate, weight="weight"),
        "places": Topology.from_networkx(places),
        "odd labels": Topology.from_networkx(odd),
        "weights": Topology.from_sparse(sp.random_array((30, 30), density=.1, rng=rng) * (1 - np.eye(30))),
        "mesa": Topology.from_space(ds.HexGrid((4, 6), torus=True, random=random.Random(1))),
        "network": Topology.from_space(network),
        "rewired": Topology.grid((4, 4)).rewired([0, 5], [5, 15], [2., 3.]),
    }


@pytest.mark.parametrize("name", examples())
def test_round_trips(name):
    topology = examples()[name]
    assert topology == examples()[name] and hash(topology) == hash(examples()[name])
    arrays = topology.to_arrays()
    assert all(isinstance(a, np.ndarray) and a.dtype != object for a in arrays.values())
    for again in (Topology.from_arrays(arrays), pickle.loads(pickle.dumps(topology))):
        assert again == topology and list(again.nodes) == list(topology.nodes)
        for attribute in ARRAYS:
            a, b = getattr(again, attribute), getattr(topology, attribute)
            np.testing.assert_array_equal(a, b)
            assert a is None or (a.dtype == b.dtype and not a.flags.writeable), attribute
        assert (again.in_index is again.out_index) == (not topology.directed)
        assert repr(again) == repr(topology)
        a, b = again.to_networkx(), topology.to_networkx()
        a.graph.pop("place", None), b.graph.pop("place", None)  # arrays have no truth value
        assert type(a) is type(b) and nx.utils.graphs_equal(a, b)
    assert (topology == Topology.grid((5, 7))) == (name == "torus")
    assert topology != "something else"


def test_attributes_survive_saving():
    topology = examples()["odd labels"]
    graph = Topology.from_arrays(topology.to_arrays()).to_networkx()
    assert graph.graph["partition"] == [{1, 2}, frozenset((3,))]
    np.testing.assert_array_equal(graph.graph["place"], [[0, 1], [2, 3]])


def test_what_cannot_be_saved():
    graph = nx.path_graph(3)
    graph.nodes[0]["thing"] = object()
    graph.nodes[0]["size"] = 3
    with pytest.warns(UserWarning, match="left out: thing"):
        arrays = Topology.from_networkx(graph).to_arrays()
    assert Topology.from_arrays(arrays).to_networkx().nodes[0] == {"size": 3}
    thing = Topology.from_edges([0], [1], nodes=[object(), "b"])
    with pytest.raises(TypeError, match="node .* of type object cannot be saved"):
        thing.to_arrays()


def damage():
    """Ways to spoil saved arrays."""
    good = Topology.grid((3, 4), holes=np.arange(12).reshape(3, 4) == 5).to_arrays()
    about = json.loads(good["about"].tobytes())

    def text(**changes):
        return np.frombuffer(json.dumps(about | changes).encode(), np.uint8)

    yield "no text", {k: v for k, v in good.items() if k != "about"}
    yield "cut text", good | {"about": good["about"][:-5]}
    yield "not utf-8", good | {"about": np.full(20, 255, np.uint8)}
    yield "not a dict", good | {"about": np.frombuffer(b"[1, 2]", np.uint8)}
    yield "kind", good | {"about": text(kind="cloud")}
    yield "shape", good | {"about": text(shape=[2, 4])}
    yield "no shape", good | {"about": text(shape=None)}
    yield "long shape", good | {"about": text(shape=[3, 4, 5])}
    yield "sites", good | {"about": text(n_sites=10)}
    yield "many sites", good | {"about": text(n_sites=2**40)}
    yield "labels", good | {"about": text(nodes={"tuple": [1, 2]})}
    yield "attributes", good | {"about": text(attributes={"dict": [["graph", 1]]})}
    yield "code", good | {"about": text(nodes={"eval": "1"})}
    yield "ties", good | {"source": good["source"][:-1]}
    yield "range", good | {"target": good["target"] + 1}
    yield "float", good | {"target": good["target"] + .5}
    yield "loop", good | {"target": good["source"]}
    yield "cells", good | {"cells": good["cells"] + 1}
    yield "same cells", good | {"cells": good["cells"] * 0}
    yield "fewer cells", good | {"cells": good["cells"][1:]}
    yield "ids", good | {"site_id": good["site_id"] * 0}
    yield "weight", good | {"weight": np.full(good["source"].size, np.nan, np.float32)}
    yield "positions", good | {"positions": np.full((11, 2), np.inf)}


@pytest.mark.parametrize("arrays", [pytest.param(a, id=name) for name, a in damage()])
def test_damaged_arrays_are_refused(arrays):
    with pytest.raises(ValueError, match="^these arrays do not hold a topology"):
        Topology.from_arrays(arrays)


def test_text():
    assert repr(Topology.grid((5, 7))) == "<Topology: 5x7 moore torus, 35 sites, 280 ties, undirected>"
    assert repr(Topology.grid((5,), torus=False, radius=2)).startswith("<Topology: line of radius 2, 5 sites")
    assert repr(Topology.from_edges([0], [1], weight=[2])) == (
        "<Topology: network, 2 sites, 1 tie, directed, weighted>")
    for topology in examples().values():
        html = topology._repr_html_()
        assert html.startswith("<table>") and f"{topology.n_sites:,}" in html


# -- grids ------------------------------------------------------------------------------------


def near(shape, neighbourhood, radius, torus, a, b) -> bool:
    """Whether cells a and b are at most ``radius`` apart, by geometry alone."""
    height, width = shape
    shifts = [(r, c) for r in (-height, 0, height) for c in (-width, 0, width)] if torus else [(0, 0)]
    for r, c in shifts:
        dr, dc = abs(b[0] + r - a[0]), abs(b[1] + c - a[1])
        if neighbourhood == "hexagonal":
            x = abs((b[1] + c + .5 * (b[0] % 2 == 0)) - (a[1] + .5 * (a[0] % 2 == 0)))
            steps = dr + max(0, x - dr / 2)
        else:
            steps = max(dr, dc) if neighbourhood == "moore" else dr + dc
        if steps <= radius:
            return True
    return False


@pytest.mark.parametrize("neighbourhood", NEIGHBOURHOODS)
@pytest.mark.parametrize("torus", [True, False])
@pytest.mark.parametrize(("shape", "radius"), [
    (shape, radius) for shape in [(2, 2), (2, 1), (4, 3), (2, 7), (8, 5), (6, 6), (18, 1)]
    for radius in (1, 2, 3) if radius <= max(shape)])
def test_grid_by_geometry(shape, radius, neighbourhood, torus):
    topology = Topology.grid(shape, neighbourhood, radius, torus)
    cells = [(r, c) for r in range(shape[0]) for c in range(shape[1])]
    assert list(topology.nodes) == cells == [tuple(cell) for cell in topology.cells.tolist()]
    check(topology, [(i, j) for i, a in enumerate(cells) for j, b in enumerate(cells)
                     if i != j and near(shape, neighbourhood, radius, torus, a, b)])
    assert (topology.kind, topology.shape, topology.torus) == ("grid", shape, torus)


def test_odd_heights():
    """Odd and single rows, which a hexagonal torus cannot have."""
    for shape in ((1, 1), (1, 5), (5, 1), (3, 7)):
        for neighbourhood, torus in (("moore", True), ("von_neumann", True), ("hexagonal", False)):
            cells = [(r, c) for r in range(shape[0]) for c in range(shape[1])]
            check(Topology.grid(shape, neighbourhood, torus=torus),
                  [(i, j) for i, a in enumerate(cells) for j, b in enumerate(cells)
                   if i != j and near(shape, neighbourhood, 1, torus, a, b)])


@pytest.mark.parametrize("torus", [True, False])
def test_grids_equal_networkx_lattices(torus):
    grid = Topology.grid((5, 6), "von_neumann", torus=torus).to_networkx()
    assert nx.utils.edges_equal(grid.edges, nx.grid_2d_graph(5, 6, periodic=torus).edges)
    line = Topology.grid((9,), torus=torus).to_networkx()
    assert nx.utils.edges_equal(line.edges, (nx.cycle_graph if torus else nx.path_graph)(9).edges)
    ring = Topology.grid((11,), radius=2).to_networkx()
    assert nx.utils.edges_equal(ring.edges, nx.circulant_graph(11, [1, 2]).edges)
    king = nx.strong_product(*(map(nx.cycle_graph if torus else nx.path_graph, (5, 6))))
    assert nx.utils.edges_equal(Topology.grid((5, 6), torus=torus).to_networkx().edges, king.edges)
    hexes = Topology.grid((4, 6), "hexagonal", torus=torus).to_networkx()
    triangles = nx.triangular_lattice_graph(*((4, 12) if torus else (3, 10)), periodic=torus)
    assert nx.is_isomorphic(hexes, triangles)


@pytest.mark.parametrize(("neighbourhood", "degree"), [("moore", 8), ("von_neumann", 4), ("hexagonal", 6)])
def test_degrees_on_a_torus(neighbourhood, degree):
    topology = Topology.grid((8, 9), neighbourhood)
    assert (topology.out_degree == degree).all() and topology.n_ties == 72 * degree
    assert not topology.directed and topology.neighbourhood == neighbourhood and topology.radius == 1
    for radius in (2, 3):
        cells = {"moore": (2 * radius + 1) ** 2 - 1, "von_neumann": 2 * radius * (radius + 1),
                 "hexagonal": 3 * radius * (radius + 1)}[neighbourhood]
        assert (Topology.grid((10, 9), neighbourhood, radius).out_degree == cells).all()


def test_degrees_on_a_bounded_grid():
    moore = Topology.grid((3, 4), torus=False).out_degree.reshape(3, 4)
    assert moore.tolist() == [[3, 5, 5, 3], [5, 8, 8, 5], [3, 5, 5, 3]]
    cross = Topology.grid((3, 4), "von_neumann", torus=False).out_degree.reshape(3, 4)
    assert cross.tolist() == [[2, 3, 3, 2], [3, 4, 4, 3], [2, 3, 3, 2]]
    # Even rows lie to the right: their right ends, and the left ends of odd rows, touch fewer.
    hexes = Topology.grid((3, 3), "hexagonal", torus=False).out_degree.reshape(3, 3)
    assert hexes.tolist() == [[3, 4, 2], [3, 6, 5], [3, 4, 2]]
    line = Topology.grid((5,), torus=False, radius=2).out_degree
    assert line.tolist() == [2, 3, 4, 3, 2]


def test_hexagonal_positions_are_at_distance_one():
    topology = Topology.grid((6, 7), "hexagonal", torus=False)
    x, y = topology.positions[topology.source].T - topology.positions[topology.target].T
    np.testing.assert_allclose(np.hypot(x, y), 1)
    far = np.hypot(*(topology.positions[:, None] - topology.positions).transpose(2, 0, 1))
    assert (far < 1.01).sum() == topology.n_ties + topology.n_sites


def test_positions_and_cells():
    topology = Topology.grid((3, 5))
    assert topology.positions.tolist() == [[c, r] for r in range(3) for c in range(5)]
    assert topology.site_at(2, 4) == topology.index((2, 4)) == 14 and isinstance(topology.site_at(2, 4), int)
    assert topology.site_at([0, 1], [4, 0]).tolist() == [4, 5]
    ring = Topology.grid((6,))
    assert list(ring.nodes) == list(range(6)) and ring.index(4) == ring.site_at(4) == 4
    assert ring.cells.tolist() == [[0, k] for k in range(6)] and ring.positions[3].tolist() == [3, 0]
    assert Topology.from_edges([0], [1]).positions is None
    assert Topology.from_edges([0], [1]).cells is None


def test_holes():
    holes = np.zeros((5, 6), bool)
    holes[1:3, 2:5] = holes[4, 0] = True
    for neighbourhood, torus in ((a, b) for a in NEIGHBOURHOODS for b in (True, False)):
        if neighbourhood == "hexagonal" and torus:
            continue
        whole = Topology.grid((5, 6), neighbourhood, torus=torus)
        topology = Topology.grid((5, 6), neighbourhood, torus=torus, holes=holes)
        kept = [tuple(cell) for cell in np.argwhere(~holes).tolist()]
        assert list(topology.nodes) == kept and topology.n_sites == 23
        number = {cell: k for k, cell in enumerate(kept)}
        check(topology, [(number[whole.nodes[i]], number[whole.nodes[j]]) for i, j in ties(whole)
                         if whole.nodes[i] in number and whole.nodes[j] in number])
        assert [topology.site_at(*cell) for cell in kept] == list(range(23))
    with pytest.raises(ValueError, match=r"no site in cell \(1, 2\): it is a hole"):
        topology.site_at(1, 2)
    with pytest.raises(ValueError, match=r"\(1, 2\) is not a node"):
        topology.index((1, 2))
    assert Topology.grid((5, 6), holes=np.zeros((5, 6), bool)) == Topology.grid((5, 6))
    gap = Topology.grid((6,), holes=[False, False, True, False, False, False])
    check(gap, [(0, 1), (1, 0), (2, 3), (3, 2), (3, 4), (4, 3), (4, 0), (0, 4)])


def test_as_grid():
    topology = Topology.grid((4, 5))
    values = np.arange(20, dtype=np.float32)
    assert topology.as_grid(values).dtype == np.float32
    np.testing.assert_array_equal(topology.as_grid(values), values.reshape(4, 5))
    perm = np.random.default_rng(1).permutation(20)
    np.testing.assert_array_equal(topology.permuted(perm).as_grid(values[perm]), values.reshape(4, 5))
    holes = np.arange(20).reshape(4, 5) % 3 == 1
    sparse = Topology.grid((4, 5), holes=holes)
    image = sparse.as_grid(np.ones((sparse.n_sites, 2), np.float32))
    assert image.shape == (4, 5, 2) and image.dtype == np.float32
    assert np.isnan(image[holes]).all() and (image[~holes] == 1).all()
    assert sparse.as_grid(np.zeros(sparse.n_sites, np.int16), fill=-1).dtype == np.int16
    assert Topology.grid((3,)).as_grid([1, 2, 3]).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="one entry per site, 20 in all, not shape"):
        topology.as_grid(np.zeros(19))
    with pytest.raises(ValueError, match="needs a grid"):
        Topology.from_edges([0], [1]).as_grid([1, 2])


def test_a_million_sites_in_bounded_memory():
    tracemalloc.start()
    topology = Topology.grid((1000, 1000))
    kept, peak = (size / topology.n_sites for size in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    assert topology.n_ties == 8_000_000 and kept < 90 and peak < 400
    near = set(topology.out_index[LANES * 8 * 62 + 9 + LANES * np.arange(8)].tolist())
    row, col = divmod(62 * 16 + 9, 1000)  # row 1, column 1
    assert near == {r * 1000 + c for r in range(3) for c in range(3)} - {1000 * row + col}


@pytest.mark.parametrize(("kwargs", "error", "words"), [
    ({"shape": 64}, TypeError, r"shape must be \(height, width\), or \(length,\)"),
    ({"shape": "64"}, TypeError, "shape must be"),
    ({"shape": (1, 2, 3)}, TypeError, "shape must be"),
    ({"shape": (0, 4)}, ValueError, r"shape\[0\] must be a whole number >= 1, not 0"),
    ({"shape": (4, -1)}, ValueError, r"shape\[1\]"),
    ({"shape": (4, 2.5)}, TypeError, r"shape\[1\] must be a whole number"),
    ({"shape": (True, 4)}, TypeError, r"shape\[0\]"),
    ({"shape": (4, 4), "radius": 0}, ValueError, "radius must be a whole number >= 1, not 0"),
    ({"shape": (4, 4), "radius": 1.5}, TypeError, "radius"),
    ({"shape": (4, 4), "radius": 5}, ValueError, r"must be in 1..4 on a grid of shape \(4, 4\), not 5"),
    ({"shape": (4, 4), "neighbourhood": "more"}, ValueError, "not 'more'; did you mean 'moore'"),
    ({"shape": (4, 4), "torus": 1}, TypeError, "torus must be true or false, not 1"),
    ({"shape": (5, 4), "neighbourhood": "hexagonal"}, ValueError, "even height, not 5"),
    ({"shape": (5,), "neighbourhood": "hexagonal"}, ValueError, "hexagonal grid needs"),
    ({"shape": (2, 2), "holes": np.ones((2, 2), bool)}, ValueError, "at least one site"),
    ({"shape": (2, 2), "holes": np.ones((2, 3), bool)}, ValueError, r"shape \(2, 2\), not \(2, 3\)"),
    ({"shape": (2, 2), "holes": np.ones((2, 2))}, TypeError, "mask of true and false, not float64"),
])
def test_bad_grids(kwargs, error, words):
    with pytest.raises(error, match=words):
        Topology.grid(**kwargs)


def test_bad_cells():
    grid = Topology.grid((3, 4))
    for args, error, words in (((3, 0), ValueError, r"row must be in 0..2, not 3"),
                               ((0, -1), ValueError, r"col must be in 0..3, not -1"),
                               ((0, 1.5), TypeError, "col must be a whole number"),
                               ((5,), TypeError, r"needs 2 number\(s\)")):
        with pytest.raises(error, match=words):
            grid.site_at(*args)
    with pytest.raises(ValueError, match="needs a grid"):
        Topology.from_edges([0], [1]).site_at(0, 0)
    for node in ((3, 0), 5, "a", (1,), [0, 0, 0], None):
        with pytest.raises(ValueError, match="is not a node of the topology"):
            grid.index(node)
    with pytest.raises(ValueError, match="'Jon' is not a node of the topology; did you mean 'John'"):
        Topology.from_edges([0], [1], nodes=["John", "Mary"]).index("Jon")
    with pytest.raises(ValueError, match="is not a node"):
        Topology.from_edges([0], [1]).index([1])


# -- edges and matrices -----------------------------------------------------------------------


def test_from_edges():
    topology = Topology.from_edges([2, 0, 0], [0, 2, 1], weight=[1, 2.5, 0], nodes=["a", "b", "c"])
    check(topology, [(2, 0), (0, 2), (0, 1)], {(2, 0): 1, (0, 2): 2.5, (0, 1): 0})
    assert topology.nodes == ("a", "b", "c") and topology.index("c") == 2
    assert Topology.from_edges([0], [3]).n_sites == 4 and Topology.from_edges([0], [1], 5).n_sites == 5
    both = Topology.from_edges([0, 1], [1, 2], weight=[2, 3], directed=False)
    check(both, [(0, 1), (1, 0), (1, 2), (2, 1)], {(0, 1): 2, (1, 0): 2, (1, 2): 3, (2, 1): 3})
    assert Topology.from_edges([0], [1], weight=[1]).weight is None
    assert Topology.from_edges([0], [1], weight=[Fraction(1, 2)]).weight.tolist() == [.5]
    assert Topology.from_edges(np.uint8([0]), np.int16([1]), weight=np.float16([2])).weight.tolist() == [2]
    # The inputs stay the caller's.
    source = np.array([0, 1])
    Topology.from_edges(source, source[::-1])
    source[0] = 1


@pytest.mark.parametrize(("args", "kwargs", "error", "words"), [
    (([], []), {}, ValueError, "at least one site"),
    (([], [], 0), {}, ValueError, "n_sites must be a whole number >= 1, not 0"),
    (([0], [1], 2.), {}, TypeError, "n_sites must be a whole number"),
    (([0, 1], [1]), {}, ValueError, "equally long, not 2 and 1"),
    (([0, 5], [1, 1], 3), {}, ValueError, r"source\[1\] must be a site index in 0..2, not 5"),
    (([0], [-1]), {}, ValueError, r"target\[0\] must be a site index in 0..0, not -1"),
    (([0.5], [1]), {}, TypeError, "source must hold site indices .* not 0.5"),
    (([0], ["a"]), {}, TypeError, "target must hold site indices .* not 'a'"),
    (([[0]], [[1]]), {}, ValueError, r"vector of site indices, not an array of shape \(1, 1\)"),
    (([0, 1], [1, 1]), {}, ValueError, "node 1 has a self-loop.*drop the edges whose source"),
    (([0, 1, 0], [1, 0, 1]), {}, ValueError, r"edge \(0, 1\) occurs more than once.*add up"),
    (([0, 1, 0], [1, 0, 1]), {"weight": [1, 2, 3]}, ValueError, r"edge \(0, 1\) occurs more than once"),
    (([0, 1], [1, 0]), {"directed": False}, ValueError, "list each undirected edge once"),
    (([0], [1]), {"nodes": ["a", "a"]}, ValueError, "nodes must be unique; 'a' occurs"),
    (([0], [1]), {"nodes": ["a", ["b"]]}, TypeError, r"nodes must be hashable, and \['b'\] is not"),
    (([0], [1]), {"nodes": 3}, TypeError, "nodes must be a sequence of labels, not 3"),
    (([0], [1]), {"nodes": ["a", None]}, ValueError, "nodes must not hold None"),
    (([0], [1], 3), {"nodes": ["a", "b"]}, ValueError, "one label per site, 3 in all, not 2"),
    (([0, 1], [1, 1]), {"nodes": ["a", "b"]}, ValueError, "node 'b' has a self-loop"),
    (([0], [1]), {"weight": [-1.]}, ValueError, r"edge 0 \(0, 1\) must be in \[0, 1e\+30\], not -1"),
    (([0, 1], [1, 0]), {"weight": [1, math.nan]}, ValueError, r"weight of edge 1 \(1, 0\) .* not nan"),
    (([0], [1]), {"weight": np.array([np.inf])}, ValueError, "not inf"),
    (([0], [1]), {"weight": [1e300]}, ValueError, r"not 1e\+300"),
    (([0], [1]), {"weight": [10**400]}, ValueError, "not inf"),
    (([0], [1]), {"weight": ["heavy"]}, TypeError, "must be a number >= 0, not 'heavy'"),
    (([0], [1]), {"weight": np.array(["2"])}, TypeError, "must be a number >= 0, not '2'"),
    (([0], [1]), {"weight": [True]}, TypeError, "not True"),
    (([0], [1]), {"weight": [None]}, TypeError, "not None"),
    (([0], [1]), {"weight": [1j]}, TypeError, "not 1j"),
    (([0], [1]), {"weight": [1, 2]}, ValueError, r"shape \(1,\), not \(2,\)"),
    (([0], [1]), {"weight": np.ones((1, 1))}, ValueError, r"shape \(1,\), not \(1, 1\)"),
])
def test_bad_edges(args, kwargs, error, words):
    with pytest.raises(error, match=words):
        Topology.from_edges(*args, **kwargs)


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_sparse_round_trip(graph):
    topology = build(*graph)
    matrix = topology.to_sparse()
    assert matrix.format == "csr" and matrix.shape == (topology.n_sites, topology.n_sites)
    assert Topology.from_sparse(matrix) == topology
    assert Topology.from_sparse(sp.csc_matrix(matrix)) == topology
    matrix.data[:] = 7  # a copy
    assert topology.slot_weight is None or (topology.slot_weight != 7).all()


def test_from_sparse():
    dense = np.array([[0, 2, 0], [0, 0, .5], [1, 0, 0]])
    expected = {(0, 1): 2, (1, 2): .5, (2, 0): 1}
    for matrix in (dense, dense.tolist(), sp.csr_array(dense), sp.coo_matrix(dense), sp.lil_matrix(dense)):
        check(Topology.from_sparse(matrix, nodes="abc"), expected, expected)
    assert Topology.from_sparse(dense != 0).weight is None
    twice = sp.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(2, 2))  # SciPy adds up repeated entries
    assert Topology.from_sparse(twice).weight.tolist() == [3]
    ones = sp.csr_array(np.ones((3, 3)))
    ones.setdiag(0)  # leaves stored zeros
    assert Topology.from_sparse(ones).n_ties == 6
    for bad, error, words in ((np.zeros((2, 3)), ValueError, r"square, not of shape \(2, 3\)"),
                              (np.zeros((0, 0)), ValueError, "at least one site"),
                              (np.zeros(3), ValueError, "square"),
                              (np.array([["a"]]), TypeError, "numbers"),
                              (np.eye(2), ValueError, r"node 0 has a self-loop.*A.setdiag\(0\)"),
                              (sp.eye_array(3), ValueError, "node 0 has a self-loop"),
                              (np.array([[0, -1.], [0, 0]]), ValueError, "not -1"),
                              (np.array([[0, np.nan], [0, 0]]), ValueError, "not nan")):
        with pytest.raises(error, match=words):
            Topology.from_sparse(bad)


# -- networkx ---------------------------------------------------------------------------------


@pytest.mark.parametrize("graph", [
    nx.karate_club_graph(), nx.les_miserables_graph(), nx.path_graph(1), nx.star_graph(40),
    nx.gnp_random_graph(30, .1, seed=1, directed=True), nx.barabasi_albert_graph(50, 2, seed=1),
    nx.grid_2d_graph(3, 4), nx.to_directed(nx.path_graph(4)), nx.florentine_families_graph(),
    nx.planted_partition_graph(3, 8, .5, .1, seed=2),
], ids=lambda g: f"{type(g).__name__}{g.number_of_nodes()}")
def test_networkx_round_trip(graph):
    weight = "weight" if nx.get_edge_attributes(graph, "weight") else None
    topology = Topology.from_networkx(graph, weight=weight)
    assert list(topology.nodes) == list(graph)
    number = {node: k for k, node in enumerate(graph)}
    both = graph.to_directed()
    check(topology, [(number[u], number[v]) for u, v in both.edges], None if weight is None else
          {(number[u], number[v]): d.get("weight", 1) for u, v, d in both.edges(data=True)})
    again = topology.to_networkx()
    assert type(again) is type(graph) and nx.utils.graphs_equal(again, graph) and again.graph == graph.graph
    assert list(again) == list(graph)
    # The attributes are copies.
    again.graph["new"] = 1
    assert "new" not in topology.to_networkx().graph


def test_networkx_options():
    graph = nx.DiGraph([("a", "b"), ("b", "a"), ("b", "c")])
    graph["a"]["b"]["cost"] = 3
    topology = Topology.from_networkx(graph, "cost", order=["c", "b", "a"])
    assert topology.nodes == ("c", "b", "a")
    check(topology, [(2, 1), (1, 2), (1, 0)], {(2, 1): 3, (1, 2): 1, (1, 0): 1})
    assert Topology.from_networkx(nx.MultiGraph([(0, 1), (1, 2)])).n_ties == 4
    assert Topology.from_networkx(nx.MultiDiGraph([(0, 1), (1, 0)])).n_ties == 2
    asymmetric = Topology.from_edges([0, 1], [1, 0], weight=[1, 2])
    assert not asymmetric.directed and asymmetric.to_networkx().is_directed()
    assert asymmetric.to_networkx()[1][0] == {"weight": 2}
    places = nx.random_geometric_graph(9, .5, seed=2)
    expected = [places.nodes[k]["pos"] for k in range(9)]
    np.testing.assert_array_equal(Topology.from_networkx(places).positions, expected)
    del places.nodes[3]["pos"]
    assert Topology.from_networkx(places).positions is None


def _loop():
    graph = nx.path_graph(["a", "b", "c"])
    graph.add_edge("b", "b")
    return graph


@pytest.mark.parametrize(("graph", "kwargs", "error", "words"), [
    (nx.Graph(), {}, ValueError, "no nodes"),
    ([(0, 1)], {}, TypeError, "G must be a networkx graph, not list"),
    (_loop(), {}, ValueError, r"node 'b' has a self-loop.*G.remove_edges_from\(list\(nx.selfloop_edges"),
    (nx.MultiGraph([("a", "b"), ("b", "a")]), {}, ValueError, r"\('a', 'b'\) occurs .*nx.Graph\(G\)"),
    (nx.MultiDiGraph([("a", "b")] * 2), {}, ValueError, r"parallel.*nx.DiGraph\(G\)"),
    (nx.Graph([("a", "b", {"weight": "x"})]), {"weight": "weight"}, TypeError,
     r"weight of edge \('a', 'b'\) must be a number >= 0, not 'x'"),
    (nx.Graph([("a", "b", {"weight": -2})]), {"weight": "weight"}, ValueError, r"\('a', 'b'\) .* not -2"),
    (nx.Graph([("a", "b", {"weight": math.nan})]), {"weight": "weight"}, ValueError, "not nan"),
    (nx.Graph([("a", "b", {"weight": math.inf})]), {"weight": "weight"}, ValueError, "not inf"),
    (nx.Graph([("a", "b", {"weight": 2})]), {"weight": "wieght"}, ValueError,
     "attribute 'wieght' .*did you mean 'weight'"),
    (nx.path_graph(3), {"order": [0, 1]}, ValueError, "must name every node of the graph; 2 is missing"),
    (nx.path_graph(3), {"order": [0, 1, 7]}, ValueError, "order names 7, which is not a node"),
    (nx.path_graph(3), {"order": [0, 1, 1]}, ValueError, "order must be unique; 1 occurs"),
])
def test_bad_graphs(graph, kwargs, error, words):
    with pytest.raises(error, match=words):
        Topology.from_networkx(graph, **kwargs)


# -- Mesa spaces ------------------------------------------------------------------------------


GRIDS = {"moore": ds.OrthogonalMooreGrid, "von_neumann": ds.OrthogonalVonNeumannGrid, "hexagonal": ds.HexGrid}


def connections(space) -> set:
    """Return the ties of a Mesa space as pairs of cells, without any cell to itself."""
    return {(a, b) for a in space for b in a.connections.values() if a is not b}


def matches(space) -> Topology:
    """Check that sites are the space's cells in order and ties their connections."""
    topology = Topology.from_space(space)
    cells = [space[node] for node in topology.nodes]
    assert all(a is b for a, b in zip(cells, space, strict=True)) and topology.kind == "space"
    number = {cell: k for k, cell in enumerate(cells)}
    return check(topology, {(number[a], number[b]) for a, b in connections(space)})


@pytest.mark.parametrize("neighbourhood", GRIDS)
@pytest.mark.parametrize("torus", [True, False])
@pytest.mark.parametrize("capacity", [None, 1, 3])
def test_mesa_grids(neighbourhood, torus, capacity):
    for width, height in ((6, 4), (4, 8), (2, 2), (2, 10)):
        space = GRIDS[neighbourhood]((width, height), torus=torus, capacity=capacity, random=random.Random(1))
        topology = matches(space)
        assert topology.shape == (height, width) and topology.torus == torus
        assert list(topology.nodes) == [(x, y) for x in range(width) for y in range(height)]
        # Our own grid of the same name is the same graph.
        grid = Topology.grid((height, width), neighbourhood, torus=torus)
        same = grid.permuted([grid.site_at(y, x) for x, y in topology.nodes])
        assert ties(same) == ties(topology) and topology.neighbourhood == neighbourhood
        np.testing.assert_allclose(same.positions, topology.positions)
        image = topology.as_grid(np.arange(topology.n_sites))
        assert image.shape == (height, width) and image[1, 0] == topology.site_at(1, 0) == 1
        assert f"Mesa {height}x{width}" in repr(topology)


def test_mesa_narrow_and_deep_grids():
    for size, torus in (((1, 5), True), ((3, 1), True), ((1, 1), True), ((7,), True), ((7,), False),
                        ((3, 4, 2), True), ((3, 4, 2), False)):
        for kind in (ds.OrthogonalMooreGrid, ds.OrthogonalVonNeumannGrid):
            topology = matches(kind(size, torus=torus, random=random.Random(1)))
            assert topology.shape == (size[::-1] if len(size) < 3 else None)
            assert (topology.positions is None) == (len(size) == 3)


def test_mesa_grid_with_cells_removed_and_connected():
    space = ds.OrthogonalVonNeumannGrid((4, 5), random=random.Random(1))
    space.remove_cell(space[1, 2])
    space.add_connection(space[0, 0], space[3, 4])
    topology = matches(space)
    assert topology.n_sites == 19 and np.isnan(topology.as_grid(np.ones(19))[2, 1])
    assert topology.find_ties(topology.index((0, 0)), topology.index((3, 4)))[0] >= 0


@pytest.mark.parametrize("graph", [nx.karate_club_graph(), nx.DiGraph([("a", "b"), ("b", "c"), ("c", "b")]),
                                   nx.empty_graph(3), nx.random_geometric_graph(12, .4, seed=1)],
                         ids=["karate", "directed", "empty", "placed"])
def test_mesa_network(graph):
    topology = matches(ds.Network(graph, random=random.Random(1)))
    assert list(topology.nodes) == list(graph) and topology.directed == graph.is_directed()
    assert nx.utils.graphs_equal(topology.to_networkx(), graph)
    assert topology.shape is None
    assert topology.positions is None or topology.positions.shape == (len(graph), 2)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # Mesa uses numpy.matrix
def test_mesa_voronoi():
    rng = random.Random(4)
    points = [[rng.random(), rng.random()] for _ in range(25)]
    topology = matches(ds.VoronoiGrid(points, random=rng))
    assert list(topology.nodes) == list(range(25))
    np.testing.assert_array_equal(topology.positions, points)


def test_bad_spaces():
    for thing in (None, nx.path_graph(3), {"_cells": {}}, type("Thing", (), {"_cells": {0: 1}})()):
        with pytest.raises(TypeError, match="space must be a Mesa discrete_space, not"):
            Topology.from_space(thing)
    with pytest.raises(ValueError, match="the space has no cells"):
        space = ds.OrthogonalMooreGrid((1, 1), random=random.Random(1))
        space._cells.clear()
        Topology.from_space(space)
    with pytest.raises(ValueError, match="node 'b' has a self-loop.*disconnect the cell"):
        Topology.from_space(ds.Network(_loop(), random=random.Random(1)))
    space = ds.OrthogonalMooreGrid((2, 2), random=random.Random(1))
    del space._cells[0, 1]
    with pytest.raises(ValueError, match=r"cell \(0, 0\) is connected to \(0, 1\), which is not"):
        Topology.from_space(space)


# -- rewiring ---------------------------------------------------------------------------------


def test_rewired_keeps_the_sites():
    grid = Topology.grid((4, 5), holes=np.arange(20).reshape(4, 5) == 7).permuted(np.arange(19)[::-1])
    new = check(grid.rewired([3, 0, 3], [0, 3, 9], [1, 2, 3]), None, {(3, 0): 1, (0, 3): 2, (3, 9): 3})
    for name in ("site_id", "cells", "positions"):
        np.testing.assert_array_equal(getattr(new, name), getattr(grid, name))
    assert new.nodes == grid.nodes and new.shape == grid.shape and new.neighbourhood is None
    karate = Topology.from_networkx(nx.karate_club_graph())
    graph = karate.rewired([0, 1], [1, 0]).to_networkx()
    assert graph.nodes[0]["club"] == "Mr. Hi" and graph.number_of_edges() == 1
    for args, words in ((([0, 1], [1, 1]), "self-loop"), (([0, 0], [1, 1]), "more than once"),
                        (([0], [19]), r"target\[0\]"), (([0], [1], [-1]), "not -1")):
        with pytest.raises(ValueError, match=words):
            grid.rewired(*args)


@pytest.mark.parametrize(("method", "value", "error", "words"), [
    ("permuted", [0, 1, 1], ValueError, r"perm must hold every site 0..2 once"),
    ("permuted", [0, 1], ValueError, "perm must hold every site"),
    ("permuted", [0., 1, 2], TypeError, "perm must hold"),
    ("with_site_ids", [0, 1], ValueError, "one id per site, 3 in all, not 2"),
    ("with_site_ids", [0, 1, -1], ValueError, "numbers >= 0, not -1"),
    ("with_site_ids", [0, 5, 5], ValueError, "must not repeat; 5 occurs"),
])
def test_bad_storage(method, value, error, words):
    with pytest.raises(error, match=words):
        getattr(Topology.from_edges([0], [1], 3), method)(value)
