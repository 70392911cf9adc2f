"""Measures of flows through time against plain twins, invariants, and a published network."""

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from organism import Params, Snapshots, Topology, World, datasets, flows, measures
from organism.temporal import COLUMNS, autarky, core, flow_reciprocity, through_time, turnover

MORTAL = Params.preset("evolving").replace(**{"demography.hazard": .02, "care.weight": .75})


def random_flows(seed, n=12, density=0.15):
    """Few flows, some both ways, with loops, which do not count."""
    rng = np.random.default_rng(seed)
    table = np.where(rng.random((n, n)) < density, rng.integers(1, 9, (n, n)), 0).astype(float)
    return table + np.where((rng.random((n, n)) < 0.3) & (table.T > 0), 2.0, 0)


def plain(table):
    """Flows as a dict, without loops."""
    return {(i, j): amount for i, row in enumerate(np.asarray(table).tolist()) for j, amount in enumerate(row)
            if amount and i != j}


def plain_reciprocity(ties):
    return sum(min(amount, ties.get((j, i), 0)) for (i, j), amount in ties.items()) / sum(ties.values())


def plain_core(ties, nodes):
    graph = nx.DiGraph(list(ties))
    sizes = [len(part & set(nodes)) for part in nx.strongly_connected_components(graph)]
    return max(sizes) / len(nodes) if max(sizes, default=0) > 1 else 0


def plain_autarky(ties, nodes):
    fed = {j for _, j in ties}
    return sum(node not in fed for node in nodes) / len(nodes)


def plain_turnover(before, after):
    pairs = before.keys() | after.keys()
    changed = sum(abs(before.get(pair, 0) - after.get(pair, 0)) for pair in pairs)
    return 1 - len(before.keys() & after.keys()) / len(pairs), changed / sum([*before.values(), *after.values()])


@pytest.mark.parametrize("seed", range(6))
def test_twin(seed):
    table, later = random_flows(seed), random_flows(seed + 100)
    ties, some = plain(table), list(range(0, 12, 2))
    assert flow_reciprocity(table) == pytest.approx(plain_reciprocity(ties))
    assert 0 < flow_reciprocity(table) < 1
    for members, nodes in ((None, range(12)), (some, some)):
        assert core(table, members) == pytest.approx(plain_core(ties, nodes))
        assert autarky(table, members) == pytest.approx(plain_autarky(ties, nodes))
    assert turnover(table, later) == pytest.approx(plain_turnover(ties, plain(later)))


def test_twin_has_cores_and_autarkic_members():
    """The cases above are not trivial ones."""
    found = [(core(random_flows(seed)), autarky(random_flows(seed))) for seed in range(6)]
    assert len({one for one, _ in found}) > 2 and any(alone > 0 for _, alone in found)


def test_members_are_a_mask_or_rows():
    table = random_flows(1)
    mask = np.arange(12) < 7
    for measure in (core, autarky):
        assert measure(table, mask) == measure(table, list(range(7)))


@pytest.mark.parametrize("seed", range(3))
def test_names_of_members_do_not_matter(seed):
    table, later = random_flows(seed), random_flows(seed + 100)
    order = np.random.default_rng(seed).permutation(12)
    for measure in (flow_reciprocity, core, autarky):
        assert measure(table[order][:, order]) == pytest.approx(measure(table))
    assert turnover(table[order][:, order], later[order][:, order]) == pytest.approx(turnover(table, later))


def test_every_kind_of_source_says_the_same():
    table = random_flows(2)
    graph = nx.from_numpy_array(table, create_using=nx.DiGraph)
    stored = sparse.csr_array(table)
    zeros = sparse.coo_array((np.r_[stored.tocoo().data, 0.], (np.r_[stored.tocoo().row, 3],
                                                              np.r_[stored.tocoo().col, 0])), shape=(12, 12))
    for measure in (flow_reciprocity, core, autarky):
        assert len({measure(one) for one in (table, table.tolist(), stored, zeros, graph)}) == 1
    assert turnover(graph, table) == (0, 0)


def test_ends_of_the_scales():
    none, ring, both = np.zeros((4, 4)), np.roll(np.eye(4), 1, axis=1), np.array([[0, 2.], [2, 0]])
    assert (flow_reciprocity(none), core(none), autarky(none), turnover(none, none)) == (0, 0, 1, (0, 0))
    assert (flow_reciprocity(ring), core(ring), autarky(ring)) == (0, 1, 0)
    assert (flow_reciprocity(both), core(both), autarky(both)) == (1, 1, 0)
    assert turnover(ring, ring) == (0, 0) and turnover(ring, none) == turnover(none, ring) == (1, 1)
    assert turnover(ring, 2 * ring) == pytest.approx((0, 1 / 3))
    assert turnover(ring, ring.T) == (1, 1)
    assert (core(np.zeros((0, 0))), autarky(np.zeros((0, 0))), core(ring, []), autarky(ring, [])) == (0, 0, 0, 0)
    assert (flow_reciprocity(np.eye(3)), core(np.eye(3)), autarky(np.eye(3))) == (0, 0, 1)  # loops feed nobody else


def test_ecosystems():
    """Of the reef only the filter feeders, fed from the water, are outside the cycle: so say Dame and Patten's flows.

    The ties of both ways are those with detritus: microbiota give none back, meiofauna and deposit feeders do.
    """
    reef, spring = datasets.oyster_reef(), datasets.cone_spring()
    assert (core(reef), autarky(reef)) == (5 / 6, 1 / 6)
    assert flow_reciprocity(reef) == pytest.approx(2 * (4.2403 + .6431) / sum(
        amount for *_, amount in reef.edges(data="weight")))
    assert (core(spring), autarky(spring)) == (4 / 5, 1 / 5)
    assert flow_reciprocity(spring) == pytest.approx(2 * (1600 + 200) / sum(
        amount for *_, amount in spring.edges(data="weight")))


@pytest.mark.parametrize("call, error, match", [
    (lambda: turnover(np.zeros((3, 3)), np.zeros((4, 4))), ValueError,
     "before and after must be flows between the same members, not between 3 and 4"),
    (lambda: flow_reciprocity(np.zeros((3, 4))), TypeError,
     r"source must be a World, .* not an array of shape \(3, 4\)"),
    (lambda: flow_reciprocity("flows"), TypeError, "source must be a World, .* not 'flows'"),
    (lambda: autarky([[0, -1.], [0, 0]]), ValueError, "flows must be finite and 0 or more, not -1.0"),
    (lambda: core([[0, np.inf], [0, 0]]), ValueError, "flows must be finite and 0 or more, not inf"),
    (lambda: core(np.zeros((3, 3)), [0, 3]), ValueError, r"members must be in \[0, 2\], not 3"),
    (lambda: autarky(np.zeros((3, 3)), [1, 1]), ValueError, "members must not repeat; 1 occurs more than once"),
    (lambda: core(np.zeros((3, 3)), [0.5]), TypeError, r"members must be whole numbers below 3, not \[0.5\]")])
def test_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def plain_course(readings):
    """The frame from differences of readings, pair by pair of members."""
    rows, before = [], None
    for earlier, later in zip(readings, readings[1:], strict=False):
        window = flows.diff(later, earlier)
        small = 1e-6 * window.amount.max()      # what single precision cannot hold is no flow
        ties = {(i, j): amount.sum() for i, j, amount in zip(window.giver.tolist(), window.receiver.tolist(),
                                                             window.amount, strict=True) if amount.max() > small}
        alive = later.uid.tolist()
        rows.append([later.stop, len(alive), sum(ties.values()), len(ties),
                     *(plain_turnover(before, ties) if before is not None else (np.nan, np.nan)),
                     plain_reciprocity(ties), plain_core(ties, alive), plain_autarky(ties, alive)])
        before = ties
    return np.array(rows)


@pytest.mark.parametrize("params", [None, MORTAL], ids=["lasting", "mortal"])
@pytest.mark.parametrize("path", [None, "run"])
def test_through_time(tmp_path, params, path):
    world = World(Topology.grid((6, 6)), params, rng=1, ledger=True)
    taken, readings, fed = Snapshots(world, every=15, path=path and tmp_path / path), [flows.reading(world)], []
    for i in range(4):
        world.step(8)
        if i == 1:
            site = world.living[7]
            world.remove([site])                # and someone new, with ties of its own
            world.add(site)
        world.step(7)
        readings.append(flows.reading(world))
        fed.append(measures.welfare(world))
    frame = through_time(taken)
    assert tuple(frame) == COLUMNS
    assert frame.iloc[:, :-1].to_numpy() == pytest.approx(plain_course(readings), rel=1e-5, nan_ok=True)
    assert frame["welfare"].tolist() == pytest.approx(fed, rel=1e-6)
    assert (frame["members"] == 36).all() == (params is None) and frame.iloc[1:].notna().all(axis=None)
    assert (sum(len(one.pair) for one in taken) > 0) and frame["tie_turnover"].iloc[1] > 0


def test_who_takes_a_place_has_other_ties():
    """The same sites trade, but not the same members."""
    world = World(Topology.grid((6, 6)), rng=1, ledger=True)
    taken = Snapshots(world, every=100)
    world.step(200)
    calm = through_time(taken)["tie_turnover"].iloc[1]
    for site in world.living[::2].tolist():
        world.remove([site])
        world.add(site)
    world.step(100)
    assert through_time(taken)["tie_turnover"].iloc[2] > calm + 0.3


def test_nothing_taken_is_an_empty_frame():
    world = World(Topology.grid((4, 4)), rng=1, ledger=True)
    assert tuple(through_time(Snapshots(world))) == COLUMNS and len(through_time(Snapshots(world))) == 0


def test_an_extinct_world():
    world = World(Topology.grid((4, 4)), rng=1, ledger=True)
    taken = Snapshots(world, every=10)
    world.step(10)
    world.remove(world.living)
    world.step(20)
    frame = through_time(taken)
    assert frame["ties"].iloc[0] > 0 and frame["ties"].tolist()[1:] == [0, 0]
    assert frame["members"].tolist() == [16, 0, 0]
    assert frame["tie_turnover"].tolist()[1:] == frame["goods_turnover"].tolist()[1:] == [1, 0]
    assert (frame.iloc[1:][["goods", "reciprocity", "core", "autarky", "welfare"]] == 0).all(axis=None)


# -- graphs and frames of windows ---------------------------------------------------------


def seen(side=6, every=20, windows=3):
    """A world that was watched, its snapshots, and readings at their ends."""
    world = World(Topology.grid((side, side)), rng=1, ledger=True)
    taken, readings = Snapshots(world, every=every), [flows.reading(world)]
    for _ in range(windows):
        world.step(every)
        readings.append(flows.reading(world))
    return world, taken, readings


@pytest.mark.parametrize("window, ends", [(20, (2, 3)), (40, (1, 3)), ((20, 40), (1, 2)), ([0, 60], (0, 3)),
                                          (np.int64(60), (0, 3))])
def test_graph_of_a_window(window, ends):
    """Its edges are differences of exact readings, by resource, whether a world or its snapshots are asked."""
    world, taken, readings = seen()
    expected = flows.diff(readings[ends[1]], readings[ends[0]]).graph()
    small = 1e-6 * max(data["weight"] for *_, data in expected.edges(data=True))
    for source in (world, taken):
        graph = flows.interdependence(source, window=window)
        assert (graph.graph["start"], graph.graph["stop"]) == (20 * ends[0], 20 * ends[1])
        assert list(graph) == list(world.topology.nodes)
        strong = [(i, j) for i, j, data in expected.edges(data=True) if data["weight"] > small]
        assert strong and set(strong) <= set(graph.edges)
        for i, j in strong:
            edge = graph.edges[i, j]
            assert edge == pytest.approx(expected.edges[i, j], rel=1e-5, abs=small)
            assert edge["r0"] + edge["r1"] + edge["r2"] == pytest.approx(edge["weight"])
    heavy = flows.interdependence(world, window=window, minimum=1.)
    assert set(heavy.edges) == {(i, j) for i, j, data in graph.edges(data=True) if data["weight"] > 1}


def test_snapshots_alone_are_all_windows():
    _, taken, readings = seen()
    graph = flows.interdependence(taken)
    assert (graph.graph["start"], graph.graph["stop"]) == (0, 60)
    assert graph.size("weight") == pytest.approx(readings[-1].amount.sum(), rel=1e-5)


def test_a_window_survives_graphml(tmp_path):
    world, *_ = seen()
    graph = flows.interdependence(world, window=20)
    nx.write_graphml(graph, tmp_path / "window.graphml")
    back = nx.read_graphml(tmp_path / "window.graphml")
    named = nx.relabel_nodes(graph, {node: str(node) for node in graph})
    assert dict(named.nodes(data=True)) == dict(back.nodes(data=True)) and graph.graph.items() <= back.graph.items()
    assert {(i, j): data for i, j, data in named.edges(data=True)} == {
        (i, j): {key: data[key] for key in ("weight", "r0", "r1", "r2")} for i, j, data in back.edges(data=True)}
    assert back.graph["start"] == 40 and {"weight", "r0", "r1", "r2"} == set(next(iter(back.edges.values())))


def test_tidy_frames():
    """One row a window and pair; sums are those of the readings."""
    import pandas as pd

    _, taken, readings = seen()
    frame = pd.concat(taken.frames())
    assert list(frame) == ["start", "stop", "giver", "receiver", "giver_site", "receiver_site", "r0", "r1", "r2",
                           "weight"]
    assert not frame.duplicated(["stop", "giver", "receiver"]).any()
    total = frame.groupby("stop")["weight"].sum()
    assert total.tolist() == pytest.approx([flows.diff(b, a).amount.sum() for a, b in zip(
        readings, readings[1:], strict=False)], rel=1e-5)
    assert frame[["r0", "r1", "r2"]].sum(axis=1).to_numpy() == pytest.approx(frame["weight"].to_numpy())
    assert (frame["giver_site"] == frame["giver"]).all()            # founders have the uids of their sites


@pytest.mark.parametrize("window, error, match", [
    (0, ValueError, "window must be at least 1 tick, not 0"), (-20, ValueError, "window must be at least 1 tick"),
    (7, ValueError, "start must be an end of a window, such as 40, not 53"),
    ((20, 50), ValueError, "stop must be an end of a window, such as 40, not 50"),
    (1.5, ValueError, "window must be a number of ticks or two ticks, not 1.5"),
    ((0., 20.), ValueError, r"window must be a number of ticks or two ticks, not \(0.0, 20.0\)"),
    ((0, 20, 40), ValueError, r"window must be a number of ticks or two ticks, not \(0, 20, 40\)"),
    (True, ValueError, "window must be a number of ticks or two ticks, not True"),
    ("all", ValueError, "window must be a number of ticks or two ticks, not 'all'")])
def test_windows_refused(window, error, match):
    with pytest.raises(error, match=match):
        flows.interdependence(seen()[0], window=window)


def test_what_has_no_windows():
    world = World(Topology.grid((4, 4)), rng=1, ledger=True)
    with pytest.raises(ValueError, match="a window needs snapshots of the world: og.Snapshots"):
        flows.interdependence(world, window=10)
    with pytest.raises(TypeError, match="world must be a World or Snapshots, not 'world'"):
        flows.interdependence("world")
    with pytest.raises(ValueError, match="a window is of exact totals; leave exact out"):
        flows.interdependence(world, exact=False, window=10)
    taken = Snapshots(world)
    for window in (None, 10):
        with pytest.raises(ValueError, match="no snapshot has been taken yet"):
            flows.interdependence(taken, window=window)


def test_a_window_is_looked_for_in_all_snapshots():
    world = World(Topology.grid((4, 4)), rng=1, ledger=True)
    rare, often = Snapshots(world, every=100), Snapshots(world, every=10)
    world.step(200)
    for window, taken, ends in ((30, often, (170, 200)), (100, rare, (100, 200)), ((20, 70), often, (20, 70))):
        graph = flows.interdependence(world, window=window)
        assert (graph.graph["start"], graph.graph["stop"]) == ends
        assert dict(graph.edges) == dict(taken.window(*ends).graph().edges)
    with pytest.raises(ValueError, match="every 100 ticks up to 200 and every 10 ticks up to 200.*, not 35"):
        flows.interdependence(world, window=35)
    with pytest.raises(ValueError, match="window must be at least 1 tick, not 0"):
        flows.interdependence(world, window=0)
