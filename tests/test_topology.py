"""Topology: the kernel's arrays against brute force, copies, saved forms and rewiring."""

import copy
import json
import pickle
import random

import mesa.discrete_space as ds
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from topologies import ARRAYS, build, check, graphs, ties

import organism.topology as module
from organism import _layouts, _slices
from organism.topology import LANES, Topology

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
