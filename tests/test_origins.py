"""Topologies from edges, matrices, networkx graphs and Mesa spaces, and what is refused."""

import math
import random
from fractions import Fraction

import mesa.discrete_space as ds
import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from topologies import build, check, graphs, ties

from organism.topology import Topology

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
