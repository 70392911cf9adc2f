"""Grids against geometry and networkx, and what is refused."""

import tracemalloc

import networkx as nx
import numpy as np
import pytest
from topologies import check, ties

from organism.topology import LANES, NEIGHBOURHOODS, Topology


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
