"""Neighbour primitives against plain twins, on every kind of topology, and what they refuse."""

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
import reference_blocks as plain
from scipy import sparse

from organism import Topology
from organism import interact as act

RNG = np.random.default_rng(7)


def random_digraph(n=23, seed=1):
    A = sparse.random(n, n, 0.2, random_state=seed, format="lil")
    A.setdiag(0)
    A[3, :] = 0                                     # one site gives to nobody
    A[:, 5] = 0                                     # and nobody to another
    return Topology.from_sparse(A.tocsr())


TOPOLOGIES = {
    "moore torus": Topology.grid((7, 9)),
    "moore edges": Topology.grid((6, 8), torus=False),
    "moore 2": Topology.grid((8, 7), radius=2),
    "moore 2 edges": Topology.grid((4, 9), radius=2, torus=False),
    "von neumann": Topology.grid((5, 6), "von_neumann"),
    "von neumann 3 edges": Topology.grid((9, 8), "von_neumann", radius=3, torus=False),
    "von neumann 2": Topology.grid((9, 5), "von_neumann", radius=2),
    "hexagonal": Topology.grid((6, 5), "hexagonal"),
    "holes": Topology.grid((6, 6), holes=RNG.random((6, 6)) < .2),
    "narrow torus": Topology.grid((2, 9)),
    "ring": Topology.grid((12,)),
    "karate": Topology.from_networkx(nx.karate_club_graph(), weight="weight"),
    "digraph": random_digraph(),
    "permuted": Topology.grid((5, 5)).permuted(np.random.default_rng(3).permutation(25)),
}
DTYPES = ("bool", "int8", "uint16", "int32", "int64", "float32", "float64")
every = pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)


def drawn(topology, dtype, columns=()):
    x = np.random.default_rng(1).integers(0, 2 if dtype == "bool" else 9, (topology.n_sites, *columns))
    return x.astype(dtype) if np.dtype(dtype).kind != "f" else (x / 3).astype(dtype)


@every
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [(), (3,)], ids=["1", "3"])
def test_reductions_equal_their_twins(topology, dtype, columns):
    x = drawn(topology, dtype, columns)
    for reach in (1, 2):
        for direction in ("out", "in"):
            near = plain.neighbours_of(topology, reach, direction)
            for itself in (False, True):
                groups = [[*js, *([i] if itself else [])] for i, js in enumerate(near)]
                args = {"reach": reach, "direction": direction, "include_self": itself}
                wide = x.astype(np.int64 if np.dtype(dtype).kind in "biu" else dtype)
                total = act.neighbour_sum(topology, x, **args)
                assert total.dtype == wide.dtype and total.shape == x.shape
                np.testing.assert_allclose(total, [wide[js].sum(axis=0) for js in groups], rtol=2e-6)
                mean = act.neighbour_mean(topology, x, **args)
                np.testing.assert_allclose(mean, [wide[js].mean(axis=0) if js else np.full(x.shape[1:], np.nan)
                                                  for js in groups], rtol=2e-6)
                low = act.neighbour_min(topology, x, empty=1, **args)
                high = act.neighbour_max(topology, x, empty=1, **args)
                assert low.dtype == high.dtype == x.dtype
                one = np.ones(x.shape[1:], x.dtype)
                assert (low == [x[js].min(axis=0) if js else one for js in groups]).all()
                assert (high == [x[js].max(axis=0) if js else one for js in groups]).all()
                same = act.count_equal(topology, x, **args)
                assert (same == [(x[js] == x[i]).sum(axis=0) for i, js in enumerate(groups)]).all()
                first = [[i, *js] if itself else js for i, js in enumerate(near)]    # of equals: itself, then by id
                best = act.neighbour_argmax(topology, x, **args)
                wanted = [np.array(js)[x[js].argmax(axis=0)] if js else np.full(x.shape[1:], -1) for js in first]
                assert (best == wanted).all()


@every
def test_categories_and_weights_equal_their_twins(topology):
    kind = RNG.integers(0, 4, topology.n_sites)
    for reach in (1, 2):
        near = plain.neighbours_of(topology, reach)
        counts = act.count_categories(topology, kind, 5, reach=reach, include_self=True)
        assert (counts == [np.bincount(kind[[*js, i]], minlength=5) for i, js in enumerate(near)]).all()
    own = RNG.random(topology.n_ties)
    x = RNG.random((topology.n_sites, 2))
    for weights, given in (("ties", plain.tie_weights(topology)),
                           (own, dict(zip(zip(topology.source.tolist(), topology.target.tolist(), strict=True), own,
                                          strict=True)))):
        for direction in ("out", "in"):
            near = plain.neighbours_of(topology, 1, direction)
            of = [[given[(i, j) if direction == "out" else (j, i)] for j in js] for i, js in enumerate(near)]
            total = act.neighbour_sum(topology, x, weights=weights, direction=direction)
            np.testing.assert_allclose(total, [np.array(w) @ x[js] if js else [0, 0]
                                               for w, js in zip(of, near, strict=True)], rtol=1e-12)
            mean = act.neighbour_mean(topology, x, weights=weights, direction=direction, include_self=True)
            np.testing.assert_allclose(mean, [(np.array(w) @ x[js] + x[i]) / (sum(w) + 1) if js else x[i]
                                              for i, (w, js) in enumerate(zip(of, near, strict=True))], rtol=1e-12)


@every
def test_results_go_where_they_are_told_and_threads_change_no_bit(topology):
    x = RNG.standard_normal((topology.n_sites, 2))
    for function in (act.neighbour_sum, act.neighbour_mean, act.neighbour_min, act.neighbour_max):
        out = np.empty_like(x)
        assert function(topology, x, out=out) is out
        assert all((function(topology, x, threads=t) == out)[~np.isnan(out)].all() for t in (2, 3, 4))
    spread = act.diffuse(topology, abs(x), .01, 5)
    assert all((act.diffuse(topology, abs(x), .01, 5, threads=t) == spread).all() for t in (2, 3, 4))


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_diffusion_equals_its_twin_and_conserves(topology, dtype):
    x = RNG.random((topology.n_sites, 2)).astype(dtype)
    before = x.copy()
    rates = np.array([.01, .02])
    for steps in (0, 1, 2, 7):
        made = act.diffuse(topology, x, rates, steps)
        for c in (0, 1):
            np.testing.assert_allclose(made[:, c], plain.diffuse(topology, x[:, c], rates[c], steps),
                                       rtol=1e-12 if dtype == "float64" else 2e-5)
        assert np.allclose(made.sum(axis=0, dtype=float), x.sum(axis=0, dtype=float),
                           rtol=1e-12 if dtype == "float64" else 1e-5)
        over = x.copy()
        assert act.diffuse(topology, over, rates, steps, out=over) is over and (over == made).all()
        assert (x == before).all()


def irregular(n=3000):
    """Ties at random, with a hub, sites that have none, and a stretch of a torus among them."""
    rng = np.random.default_rng(5)
    G = nx.gnm_random_graph(n, 4 * n, seed=5)
    G.remove_edges_from(list(G.edges(range(7))))
    G.add_edges_from((7, int(j)) for j in rng.choice(np.arange(8, n), 900, replace=False))
    G.add_edges_from((n + i, n + (i + k) % 500) for i in range(500) for k in (1, 2, 50))
    G.add_edge(n, 9)
    return Topology.from_networkx(G)


WIDE = {
    "wide torus": Topology.grid((6, 131)), "wide edges": Topology.grid((7, 70), torus=False),
    "wide reach": Topology.grid((9, 83), radius=3), "one row": Topology.grid((1, 77), torus=False),
    "wide von neumann": Topology.grid((5, 66), "von_neumann", radius=2, torus=False),
    "torus as ties": Topology.from_networkx(nx.circulant_graph(1000, [1, 2, 40, 41])), "irregular": irregular(),
}


@pytest.mark.parametrize("topology", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64"])
def test_lanes_and_slices_change_no_bit(topology, dtype):
    """Whole numbers, which no order of adding changes, where rows and graphs are long enough for vector registers."""
    x = np.random.default_rng(2).integers(0, 1000, topology.n_sites).astype(dtype)
    near = plain.neighbours_of(topology, 1)
    for itself in (False, True):
        groups = [[*js, *([i] if itself else [])] for i, js in enumerate(near)]
        for function, twin in ((act.neighbour_sum, sum), (act.neighbour_min, min), (act.neighbour_max, max)):
            empty = {} if function is act.neighbour_sum else {"empty": 1}
            expected = [twin(x[js].tolist()) if js else empty.get("empty", 0) for js in groups]
            for threads in (1, 2, 5):
                assert function(topology, x, include_self=itself, threads=threads, **empty).tolist() == expected
    if dtype[0] == "f":
        rate = 2.**-6 if topology.out_degree.max() < 60 else 2.**-11
        x, over = np.ldexp(x, 5 if dtype == "float64" else 0), np.ldexp(x, 5 if dtype == "float64" else 0)
        expected = [x[i] + rate * (x[js].sum() - len(js) * x[i]) for i, js in enumerate(near)]
        for threads in (1, 2, 5):
            assert act.diffuse(topology, x, rate, threads=threads).tolist() == expected
        twice = act.diffuse(topology, act.diffuse(topology, x, rate), rate)
        assert act.diffuse(topology, over, rate, 2, out=over) is over and (over == twice).all()


@pytest.mark.parametrize("shape, neighbourhood, radius, torus, reach", [
    ((4, 4), "von_neumann", 1, False, 6), ((5, 5), "von_neumann", 1, False, 7), ((3, 3), "von_neumann", 2, False, 2),
    ((4, 4), "hexagonal", 1, False, 5), ((6, 6), "hexagonal", 1, False, 7), ((2, 7), "moore", 1, False, 9),
    ((1, 9), "moore", 2, False, 3), ((9, 1), "von_neumann", 1, False, 4), ((5, 4), "von_neumann", 2, True, 3),
    ((5, 7), "moore", 1, True, 9), ((1, 1), "moore", 1, False, 3), ((7, 8), "moore", 1, True, 3)])
def test_far_reach_is_so_many_ties(shape, neighbourhood, radius, torus, reach):
    topology = Topology.grid(shape, neighbourhood, radius, torus)
    x = np.random.default_rng(1).integers(0, 99, topology.n_sites)
    for one in (topology, Topology.from_edges(topology.source, topology.target, topology.n_sites)):
        near = plain.neighbours_of(one, reach)
        assert act.neighbour_sum(topology, x, reach=reach).tolist() == [int(x[js].sum()) for js in near]
        high = act.neighbour_max(topology, x, reach=reach, empty=-1)
        assert high.tolist() == [int(x[js].max()) if js else -1 for js in near]
        mean = act.neighbour_mean(topology, x, reach=reach, empty=-1)
        np.testing.assert_allclose(mean, [x[js].mean() if js else -1 for js in near])


def test_a_grid_whose_sites_lie_otherwise_is_not_walked_row_by_row():
    shuffled = np.random.default_rng(0).permutation(20)
    grid, x = Topology.grid((4, 5)), np.random.default_rng(1).random(20)
    hidden = grid.permuted(shuffled).with_site_ids(np.arange(20))
    for one in (hidden, Topology.from_arrays(hidden.to_arrays())):
        np.testing.assert_allclose(act.neighbour_sum(one, x),
                                   [x[one.target[one.source == i]].sum() for i in range(20)])
    with pytest.raises(ValueError, match=r"values must have one row for each of the 20 sites, shape \(20,\)"):
        act.neighbour_sum(grid.permuted(shuffled), x.reshape(4, 5))
    rewired = Topology.grid((6, 6)).rewired([0, 1, 2], [1, 2, 3])
    assert act.neighbour_sum(rewired, np.ones(36), reach=2).tolist() == [2, 2, 1] + [0] * 33


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i8", ">i4"])
def test_arrays_of_other_byte_orders_are_read(dtype):
    ring, x = Topology.grid((5,)), np.array([4, 2, 6, 0, 0])
    given = x.astype(dtype)
    assert (act.neighbour_sum(ring, given) == act.neighbour_sum(ring, x)).all()
    assert (act.neighbour_max(ring, given) == act.neighbour_max(ring, x)).all()
    if dtype[1] == "f":
        given = given / given.dtype.type(8)
        for made in (act.diffuse(ring, given, .25), act.flow(ring, given, .3)[0]):
            assert made.dtype.isnative and made.sum() == pytest.approx(given.sum()) and (made != given).any()


def test_far_reach_on_a_grid_makes_no_ties_and_copies_take_none_along():
    grid = Topology.grid((60, 60))
    size = len(pickle.dumps(grid))
    act.neighbour_sum(grid, np.ones(3600), reach=6)
    act.neighbour_min(grid, np.ones(3600), reach=6)
    assert len(pickle.dumps(grid)) < 1.3 * size


@pytest.mark.parametrize("name", ["torus as ties", "irregular"])
def test_copies_of_a_topology_reach_their_own_ties(name):
    topology = pickle.loads(pickle.dumps(WIDE[name]))
    x = np.arange(topology.n_sites)
    expected = act.neighbour_sum(topology, x)
    copies = [copy.deepcopy(topology), pickle.loads(pickle.dumps(topology)), copy.copy(topology)]
    del topology
    for one in copies:
        assert (act.neighbour_sum(one, x) == expected).all()


def test_diffusion_has_the_eigenvalues_of_the_laplacian():
    """Mode 2 of a ring of 12, and a unit at the end of a path of 6 (figures by hand, of x ← x − hLx)."""
    ring = Topology.grid((12,))
    mode = np.cos(2 * np.pi * 2 * np.arange(12) / 12)
    shrunk = (1 - .1 * (2 - 2 * np.cos(2 * np.pi * 2 / 12)))**50
    np.testing.assert_allclose(act.diffuse(ring, mode, .1, 50), shrunk * mode, atol=1e-15)
    assert shrunk == pytest.approx(.00515377520732, abs=1e-14)
    path = act.diffuse(Topology.grid((6,), torus=False), np.eye(6)[0], .1, 15)
    np.testing.assert_allclose(path, [.43135334, .31144229, .1652487, .06593033, .02030852, .00571682], atol=1e-8)


@every
@pytest.mark.parametrize("weights", [None, "ties", "own"])
def test_exchange_equals_its_twin_and_conserves(topology, weights):
    n = topology.n_sites
    stock, reserve, sharing = RNG.random((n, 2)) * 4, RNG.random((n, 2)) * 3, RNG.random(n) < .8
    weight = plain.tie_weights(topology) if weights == "ties" else dict.fromkeys(plain.tie_weights(topology), 1.0)
    if weights == "own":
        weights = np.where(RNG.random(topology.n_ties) < .2, 0, RNG.random(topology.n_ties))
        weight = dict(zip(zip(topology.source.tolist(), topology.target.tolist(), strict=True), weights.tolist(),
                          strict=True))
    flows = np.empty((topology.n_ties, 2))
    left, sent, received = act.flow(topology, stock, reserve, sharing=sharing, weights=weights, loss=.1, flows=flows)
    for c in (0, 1):
        want = plain.flow(topology, stock[:, c].tolist(), reserve[:, c].tolist(), sharing.tolist(), weight, .1)
        for mine, theirs in zip((left[:, c], sent[:, c], received[:, c]), want[:3], strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)
        ties = zip(topology.source.tolist(), topology.target.tolist(), strict=True)
        np.testing.assert_allclose(flows[:, c], [want[3].get(tie, 0) for tie in ties], rtol=1e-12, atol=1e-12)
    assert np.allclose(sent.sum(axis=0), received.sum(axis=0)) and sent.any()
    assert np.allclose(left.sum(axis=0), stock.sum(axis=0) - .1 * received.sum(axis=0))


def test_growth():
    assert act.regrow([0., 3.5, 5.], 1., 4.).tolist() == [1, 4, 5]
    assert act.regrow(np.array([0., 2., 6.]), .5, 4., "logistic").tolist() == [0, 2.5, 4.5]
    sugar = np.array([[1, 2], [3, 4]])
    assert act.regrow(sugar, 1, np.array([[1, 4], [4, 4]]), out=sugar) is sugar and sugar.tolist() == [[1, 3], [4, 4]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_whole_numbers_grow_without_overflow(dtype):
    most = int(np.iinfo(dtype).max)
    x = np.array([most - 7, most - 7, 0, most], dtype)
    for rate in (10, 10., np.array([10], np.uint8), 1e300):
        assert act.regrow(x, rate, most).tolist() == [most, most, 10 if np.max(rate) < 11 else most, most]
        assert act.regrow(x, rate, np.array([most - 2, 5, 3, 3], dtype)).tolist() == [most - 2, most - 7, 3, most]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exchange_conserves_with_weights_of_any_size(dtype):
    stock, reserve = np.array([400, 0, 400], dtype), np.array([0, 300, 0], dtype)
    for weight in (5e-324, 1e-320, 1e-37, 1., 1e37, 1e39, 1e308):
        flows = np.zeros((4, 1), dtype)
        left, sent, received = act.flow(LINE, stock, reserve, weights=np.full(4, weight), flows=flows)
        assert left == pytest.approx([100, 600, 100]) and flows.ravel() == pytest.approx([300, 0, 0, 300])
    few = np.array([0, 4, 0], dtype), np.array([3, 0, 3], dtype)       # only the ratios of one donor's weights count
    near, far = (act.flow(LINE, *few, weights=np.array([1, 1, 3, 1]) * scale) for scale in (1., 2.**100))
    assert all((one == other).all() for one, other in zip(near, far, strict=True)) and near[0].tolist() == [1, 0, 3]
    drop = np.array([0, 1e-44, 0], dtype)                              # what is next to nothing is let go
    assert act.flow(LINE, drop, few[1])[0].sum() >= 0


def test_out_may_be_the_very_memory_of_the_values():
    line, ring = Topology.grid((3,), torus=False), Topology.from_edges([0, 1, 2], [1, 2, 0], 3)
    for topology in (line, ring, Topology.grid((3, 1))):
        for steps in range(4):
            x = np.arange(4.)
            want = act.diffuse(topology, x[:3].copy(), .1, steps)
            assert (act.diffuse(topology, x[:3], .1, steps, out=x[:3]) == want).all() and (x[:3] == want).all()
    x = np.array([4., 1, 0, 9])
    act.flow(line, x[:3], 2., out=x[:3])
    act.regrow(x[1:], 1, 5, out=x[1:])
    assert x.tolist() == [3, 3, 1, 9]
    with pytest.raises(ValueError, match="out must not share memory"):
        act.diffuse(line, x[:3], .1, out=x[1:])
    turned = np.ones((2, 3)).T
    assert act.regrow(turned, 1, 4, out=turned) is turned and (turned == 2).all()


def test_threads_are_as_many_as_the_machine_can_use():
    x = np.arange(20.)
    assert (act.neighbour_sum(GRID, x, threads=2**40) == act.neighbour_sum(GRID, x)).all()
    assert (act.diffuse(GRID, x, .1, threads=2**62) == act.diffuse(GRID, x, .1)).all()


def test_arrays_of_a_grids_shape_keep_it():
    grid, x = Topology.grid((4, 6), torus=False), np.arange(48.).reshape(4, 6, 2)
    assert act.neighbour_sum(grid, x).shape == (4, 6, 2)
    assert (act.neighbour_sum(grid, x).reshape(24, 2) == act.neighbour_sum(grid, x.reshape(24, 2))).all()
    assert act.count_categories(grid, np.zeros((4, 6), int), 3).shape == (4, 6, 3)
    turned = x.transpose(1, 0, 2)[::-1].transpose(1, 0, 2)              # neither contiguous nor in order
    assert (act.neighbour_sum(grid, turned) == act.neighbour_sum(grid, turned.copy())).all()


GRID = Topology.grid((4, 5))
ALONE = Topology.from_edges([0], [1], 3)
LINE = Topology.grid((3,), "von_neumann", torus=False)


def test_reach_beyond_all_others_ends():
    path = Topology.from_networkx(nx.path_graph(5))
    far = act.neighbour_sum(path, np.arange(5.), reach=2**40)
    assert far.tolist() == act.neighbour_sum(path, np.arange(5.), reach=4).tolist() == (10 - np.arange(5.)).tolist()


def test_logistic_growth_of_what_is_far_above_a_tiny_capacity():
    x, top = np.array([1e30, 1, 1e30], np.float32), np.array([1e-10, 9, 1e-10], np.float32)
    made = act.regrow(x, [0, 0, 1], top, "logistic")
    assert made.tolist() == np.float32([1e30, 1, 0]).tolist()


@pytest.mark.parametrize("call, said", [
    (lambda: act.neighbour_sum("grid", [1]), "topology must be a Topology, not str"),
    (lambda: act.neighbour_sum(GRID, np.ones(19)), r"one row for each of the 20 sites, shape \(20,\) or \(4, 5\)"),
    (lambda: act.neighbour_sum(GRID, np.ones(20, complex)), "not of type complex128"),
    (lambda: act.neighbour_sum(GRID, np.ones(20, np.float16)), "not of type float16"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), reach=0), "reach must be at least 1, not 0"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), direction="upp"), "direction must be 'out' or 'in', not 'upp'"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), threads=0), "threads must be at least 1, not 0"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), weights="tie"), "weights must be None, 'ties' or one number a tie"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), weights=np.ones(3)), r"shape \(160,\), not \(3,\)"),
    (lambda: act.neighbour_sum(ALONE, np.ones(3), weights=[np.nan]), "that of tie 0 is not"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), weights="ties", reach=2), "with a reach of 2 neighbours are further"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), out=np.ones(20, np.float32)), "out must be a float64 array of shape"),
    (lambda: act.neighbour_min(ALONE, [1, 2, 3]), "site 1 has no neighbours, so neighbour_min needs a value for it"),
    (lambda: act.count_categories(GRID, np.full(20, -1)), "that of site 0 is -1"),
    (lambda: act.count_categories(GRID, np.arange(20), 19), r"categories must be in \[0, 18\]; that of site 19 is 19"),
    (lambda: act.diffuse(GRID, np.ones(20), .2), r"rate must be in \[0, 0.125\], not 0.2: site 0 has ties of 8 in all"),
    (lambda: act.diffuse(GRID, np.ones(20), -.1), "rate must be 0 or more, not -0.1"),
    (lambda: act.diffuse(GRID, np.ones(20, int), .1), "values must be float32 or float64, not of type int64"),
    (lambda: act.diffuse(GRID, np.ones((20, 3)), [.1, .1]), "one for each of the 3 columns"),
    (lambda: act.diffuse(GRID, np.ones(20), .1, -1), "steps must be at least 0, not -1"),
    (lambda: act.diffuse(ALONE, np.ones(3), np.nan), "rate must be 0 or more, not nan"),
    (lambda: act.flow(GRID, -np.ones(20), 1.), r"stock must be finite and at least 0; that of site 0 is \[-1.0\]"),
    (lambda: act.flow(GRID, np.ones(20), np.ones(3)), "reserve must be numbers that broadcast"),
    (lambda: act.flow(GRID, np.ones(20), 1., loss=2), r"loss must be in \[0, 1\], not 2"),
    (lambda: act.flow(GRID, np.ones(20), 1j), "reserve must be numbers that broadcast .* not of type complex128"),
    (lambda: act.flow(GRID, np.ones((4, 5)), 1., sharing=np.ones((5, 4), bool)), r"sharing must .* shape \(5, 4\)"),
    (lambda: act.neighbour_sum(GRID, np.ones(20, np.float32), weights=[1e300] + [1] * 159), "in the range of float32"),
    (lambda: act.neighbour_sum(GRID, [[1], [2, 3]]), "values must have rows of one length"),
    (lambda: act.within(5, 1), "topology must be a Topology, not int"),
    (lambda: act.flow(GRID, np.ones(20), 1., sharing=[True]), "sharing must say true or false of each of the 20 sites"),
    (lambda: act.flow(GRID, np.ones(20), 1., flows=np.ones(3)), r"flows must be a float64 array of shape \(160, 1\)"),
    (lambda: act.regrow(np.ones(3), 1, 1, "logistc"), "not 'logistc'; did you mean 'logistic'"),
    (lambda: act.regrow(np.ones(3), 3, 1, "logistic"), r"rate must be numbers in \[0, 2\]"),
    (lambda: act.regrow(np.ones(3), np.ones(2), 1), "rate must broadcast to the values' shape"),
    (lambda: act.regrow(np.int8([120]), 10, 1000), "capacity must be numbers of at most 127, as values .* int8"),
    (lambda: act.regrow(np.uint64([1]), 1, 2.**64), "capacity must be numbers of at most 18446744073709551615"),
    (lambda: act.regrow(np.ones(3, np.float32), 1, 1e300), r"of at most 3.40282e\+38, as values are of type float32"),
    (lambda: act.regrow(np.arange(3), .5, 4), "rate must be numbers without a fraction, as values .* int64, not 0.5"),
    (lambda: act.regrow(np.arange(3), 1, [4, 4, 4.5]), r"capacity must be .* a fraction, .* not 4.5 as at \(2,\)"),
    (lambda: act.regrow(np.arange(3), 1, 4, "logistic"), "values must be float32 or float64 for logistic growth"),
    (lambda: act.regrow(np.ones((2, 2)), [[1, np.nan], [1, 1]], 4), r"at least 0, not nan as at \(0, 1\)"),
    (lambda: act.regrow(np.ones(3), -1, 4), "rate must be numbers finite and at least 0, not -1"),
    (lambda: act.regrow(np.ones(3, bool), 1, 1), "values must be numbers finite and at least 0, not of type bool"),
    (lambda: act.flow(LINE, [0., 4, 0], [3., 0, 0], weights=[1, 1e-320, 1, 1], flows=np.ones((3, 1))), "flows must be"),
    (lambda: act.flow(LINE, [0., 1e308, 0], [1e308, 0, 1e308]), "stock, reserve and weights must not be so large"),
    (lambda: act.flow(LINE, np.float32([0, 4, 0]), [3e38, 0, 3e38]), "float32 cannot hold .* of 4 sent 0 would arrive"),
    (lambda: act.diffuse(LINE, np.arange(4.)[:3], .1, out=np.float64(3)), "out must be a float64 array of shape"),
    (lambda: act.diffuse(GRID, np.ones(20), .1, 2**70), r"steps must be in \[0, 2\*\*63\), not 1180591620717411303424"),
    (lambda: act.neighbour_sum(GRID, np.ones(20), threads=2**70), r"threads must be in \[1, 2\*\*63\), not 118"),
    (lambda: act.count_categories(GRID, np.ones(20)), "categories must be whole numbers, not of type float64"),
    (lambda: act.neighbour_min(ALONE, np.ones(3, np.uint8), empty=300), r"empty must be .* in \[0, 255\], .* not 300"),
    (lambda: act.neighbour_max(ALONE, np.ones(3, np.uint8), empty=-1), r"empty must be .* in \[0, 255\], .* not -1"),
    (lambda: act.neighbour_min(ALONE, [1, 2, 3], empty=np.nan), "empty must be a whole number in .* int64, not nan"),
    (lambda: act.neighbour_min(ALONE, np.ones(3, np.float32), empty=1e39), "empty must be a number that float32 can"),
    (lambda: act.neighbour_mean(ALONE, np.ones(3), empty="a"), "empty must be a number that float64 can hold, not 'a'"),
])
def test_bad_input_is_told_in_one_sentence(call, said):
    with pytest.raises((TypeError, ValueError), match=said) as error:
        call()
    assert "\n" not in str(error.value)


def test_what_fails_leaves_the_callers_arrays_alone():
    x, out = np.ones(20), np.full(20, 7.)
    for call in (lambda: act.diffuse(GRID, x, .2, out=x), lambda: act.flow(GRID, x, -1., out=x),
                 lambda: act.neighbour_sum(GRID, x, reach=0, out=out), lambda: act.neighbour_sum(GRID, x, out=x),
                 lambda: act.neighbour_min(GRID, x, empty="a", out=out),
                 lambda: act.neighbour_mean(GRID, x, empty="a", out=out)):
        with pytest.raises(ValueError):
            call()
    assert (x == 1).all() and (out == 7).all()


def test_arrays_of_a_spaces_shape_are_refused_where_sites_go_by_columns():
    mesa = pytest.importorskip("mesa.discrete_space")
    import random

    topology = Topology.from_space(mesa.OrthogonalMooreGrid((6, 4), random=random.Random(1)))
    x = np.arange(24.)
    assert act.neighbour_sum(topology, x).shape == (24,)
    for shape in ((4, 6), (6, 4)):
        with pytest.raises(ValueError, match=r"one row for each of the 24 sites, shape \(24,\) and"):
            act.neighbour_sum(topology, x.reshape(shape))
