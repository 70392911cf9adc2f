"""Flows: graphs and matrices agree with the ties, windows with what was sent in them."""

import io

import networkx as nx
import numpy as np
import pytest

from organism import Params, Topology, World, flows, interdependence

MORTAL = Params.preset("evolving").replace(**{"demography.hazard": .02, "care.weight": .75})


@pytest.fixture(scope="module")
def world():
    world = World(Topology.grid((8, 8)), rng=1, ledger=True)
    world.step(150)
    return world


def mortal(ledger=True):
    return World(Topology.grid((8, 8)), MORTAL, rng=2, ledger=ledger)


# -- the present state --------------------------------------------------------------------


def test_matrix_holds_the_ties(world):
    topology, trace, total = world.topology, world.tie("trace"), world.tie("total")
    exact, decayed = flows.flow_matrix(world), flows.flow_matrix(world, exact=False)
    for tie in range(0, topology.n_ties, 7):
        i, j = topology.source[tie], topology.target[tie]
        assert exact[i, j] == pytest.approx(total[tie].sum())
        assert decayed[i, j] == pytest.approx(trace[tie])
    assert exact.shape == (64, 64) and exact.dtype == np.float64 and exact.format == "csr"
    parts = [flows.flow_matrix(world, resource=k) for k in range(3)]
    assert abs(sum(parts) - exact).max() < 1e-9
    assert exact.sum() == pytest.approx(total.sum())


def test_exact_totals_are_what_was_sent():
    world, sent = World(Topology.grid((6, 6)), rng=3, ledger=True), 0.
    for _ in range(80):
        world.step()
        sent += world.state["given"].sum(dtype=float)
    assert flows.flow_matrix(world).sum() == pytest.approx(sent, rel=1e-6)
    assert flows.flow_matrix(world, exact=False).sum() < sent


def test_matrix_without_a_ledger():
    world = World(Topology.grid((4, 4)), rng=1)
    world.step(20)
    assert flows.flow_matrix(world).sum() == pytest.approx(world.tie("trace").sum())
    for change, match in (({"exact": True}, "exact totals were asked for, but this world keeps none"),
                          ({"resource": 0}, "exact totals were asked for"),
                          ({"exact": False, "resource": 0}, "not kept per resource")):
        with pytest.raises(ValueError, match=match):
            flows.flow_matrix(world, **change)
    with pytest.raises(ValueError, match="make it with ledger=True"):
        interdependence(world, exact=True)
    with pytest.raises(ValueError, match="make it with ledger=True"):
        flows.reading(world)


@pytest.mark.parametrize("resource, error", [(3, ValueError), (-1, ValueError), ("0", TypeError),
                                             (True, TypeError)])
def test_no_such_resource(world, resource, error):
    with pytest.raises(error, match=r"resource must be .*\[0, 2\]"):
        flows.flow_matrix(world, resource=resource)


def test_graph_agrees_with_the_matrix(world):
    graph = interdependence(world)
    assert isinstance(graph, nx.DiGraph) and list(graph) == list(world.topology.nodes)
    matrix = nx.to_scipy_sparse_array(graph, nodelist=world.topology.nodes)
    assert abs(matrix - flows.flow_matrix(world)).max() < 1e-9
    for _, _, data in graph.edges(data=True):
        assert set(data) == {"weight", "r0", "r1", "r2"}
        assert data["weight"] == pytest.approx(data["r0"] + data["r1"] + data["r2"])
    assert graph.graph["source"] == "exact totals" and graph.graph["tick"] == 150
    assert (graph.graph["grid"], graph.graph["width"], graph.graph["height"]) == ("torus", 8, 8)


def test_graph_of_the_decayed_sums(world):
    graph = interdependence(world, exact=False)
    assert graph.graph["source"] == "decayed sums" and graph.graph["memory"] == .99
    assert {key for *_, data in graph.edges(data=True) for key in data} == {"weight"}
    assert graph.size(weight="weight") == pytest.approx(world.tie("trace").sum())


def test_node_attributes(world):
    state, graph = world.state, interdependence(world)
    for site, node in enumerate(world.topology.nodes):
        data = graph.nodes[node]
        assert node == (data["y"], data["x"]) and data["site"] == site
        assert data["uid"] == state["uid"][site] and data["age"] == 150
        assert data["dominant_task"] == state["task_counts"][site].argmax()
        assert data["welfare"] == pytest.approx(max(0, state["welfare"][site]))
        assert data["dependence"] >= 0 and 0 <= data["specialisation"] <= 1 and data["capability"] == 1
        assert all(type(value) in (int, float) for value in data.values())


def test_minimum_leaves_out_weak_edges(world):
    weights = [data["weight"] for *_, data in interdependence(world).edges(data=True)]
    middle = float(np.median(weights))
    graph = interdependence(world, minimum=middle)
    assert graph.number_of_edges() == sum(weight > middle for weight in weights)
    assert graph.number_of_nodes() == 64


def test_node_identities_are_kept():
    karate = nx.karate_club_graph()
    names = {i: f"member {i}" for i in karate}
    world = World(Topology.from_networkx(nx.relabel_nodes(karate, names), weight="weight"), rng=1)
    world.step(50)
    graph = interdependence(world)
    assert set(graph) == set(names.values())
    assert all(karate.has_edge(int(i[7:]), int(j[7:])) for i, j in graph.edges)
    assert "x" not in graph.nodes["member 0"] and "grid" not in graph.graph


def test_only_the_living_are_nodes():
    world = World(Topology.grid((5, 5)), rng=1, occupied=[0, 1, 7], ledger=True)
    world.step(30)
    assert list(interdependence(world)) == [(0, 0), (0, 1), (1, 2)]
    world.remove(world.living)
    assert interdependence(world).number_of_nodes() == 0
    assert flows.flow_matrix(world).nnz == 0


@pytest.mark.parametrize("write, read", [(nx.write_graphml, nx.read_graphml), (nx.write_gexf, nx.read_gexf)])
def test_graph_can_be_written(world, write, read):
    buffer = io.BytesIO()
    graph = interdependence(world)
    write(graph, buffer)
    buffer.seek(0)
    again = read(buffer)
    assert again.number_of_edges() == graph.number_of_edges()
    assert again.nodes["(0, 1)"]["welfare"] == pytest.approx(graph.nodes[0, 1]["welfare"])


# -- windows ------------------------------------------------------------------------------


def test_window_is_what_was_sent_in_it():
    world, sent = mortal(), 0.
    world.step(100)
    first = flows.reading(world)
    for _ in range(200):
        world.step()
        sent += world.state["given"].sum(dtype=float)
    second = flows.reading(world)
    window = flows.diff(second, first)
    assert world.n_died > 20
    assert (window.start, window.stop, window.ticks) == (100, 300, 200)
    assert (window.amount >= 0).all() and (window.amount.sum(axis=1) > 0).all()
    assert window.total == pytest.approx(second.total - first.total)
    assert window.total.sum() >= sent * (1 - 1e-6)


def test_reading_includes_the_dead():
    world = mortal()
    world.step(300)
    reading = flows.reading(world)
    _, closed = world.closed_accounts()
    assert reading.total == pytest.approx(world.tie("total").sum(axis=0) + closed.sum(axis=0))
    assert len(reading.members) > len(reading.uid) == world.n_members
    pairs = list(zip(reading.giver.tolist(), reading.receiver.tolist(), strict=True))
    assert pairs == sorted(set(pairs))


def test_windows_add_up():
    world, readings = mortal(), []
    for _ in range(4):
        world.step(60)
        readings.append(flows.reading(world))
    a, b, c = (flows.diff(later, earlier) for earlier, later in zip(readings, readings[1:], strict=False))
    whole = flows.diff(readings[3], readings[0])
    for added in (flows.add(flows.add(a, b), c), flows.add(c, flows.add(a, b))):
        assert (added.start, added.stop, added.ticks) == (60, 240, 180)
        assert np.array_equal(added.giver, whole.giver) and np.array_equal(added.receiver, whole.receiver)
        assert added.amount == pytest.approx(whole.amount, abs=1e-9)
    gap = flows.add(a, c)
    assert (gap.start, gap.stop, gap.ticks) == (60, 240, 120)
    assert flows.diff(readings[1], readings[1]).amount.size == 0


def test_window_without_deaths_is_a_difference_of_matrices(world):
    world = world.fork()
    before, first = flows.flow_matrix(world), flows.reading(world)
    world.step(40)
    after, window = flows.flow_matrix(world), flows.diff(flows.reading(world), first)
    assert abs(window.matrix() - (after - before)).max() < 1e-9
    for k in range(3):
        part = window.matrix(resource=k)
        assert part.sum() == pytest.approx(window.total[k])
    graph = window.graph()
    assert list(graph) == list(world.topology.nodes) and graph.graph["ticks"] == 40
    assert graph.graph["unplaced"] == 0
    assert graph[0, 0][0, 1]["weight"] == pytest.approx(window.matrix()[0, 1])


def test_members_and_sites():
    world = mortal()
    world.step(50)
    first = flows.reading(world)
    world.step(250)
    window = flows.diff(flows.reading(world), first)
    by_member, by_site = window.matrix(by="member"), window.matrix()
    assert by_member.sum() == pytest.approx(window.total.sum())
    graph = window.graph(by="member")
    assert list(graph) == window.members.tolist()
    i, j = int(window.giver[0]), int(window.receiver[0])
    assert graph[i][j]["weight"] == pytest.approx(window.amount[0].sum())
    assert "grid" not in graph.graph
    sites = window.graph()
    assert sites.graph["unplaced"] == pytest.approx(window.total.sum() - by_site.sum())
    assert 0 < sites.graph["unplaced"] < window.total.sum()
    assert sum(data["weight"] for *_, data in sites.edges(data=True)) == pytest.approx(by_site.sum())
    for node, data in sites.nodes(data=True):
        assert node == world.topology.nodes[data["site"]]
    with pytest.raises(ValueError, match="by must be 'site' or 'member', not 'uid'"):
        window.matrix(by="uid")


def test_windows_survive_rewiring_moves_and_saving(tmp_path):
    world = World(Topology.grid((5, 5)), rng=5, ledger=True)
    world.step(50)
    first = flows.reading(world)
    world.rewire(Topology.grid((5, 5), "von_neumann"))
    world.remove([3])
    world.move(4, 3)
    assert flows.reading(world).total == pytest.approx(first.total)
    world.step(30)
    world.save(tmp_path / "w.npz")
    window = flows.diff(flows.reading(World.load(tmp_path / "w.npz")), first)
    again = flows.diff(flows.reading(world), first)
    assert np.array_equal(window.amount, again.amount) and window.total.min() > 0


def test_windows_that_cannot_be():
    world = mortal()
    readings = []
    for _ in range(3):
        world.step(30)
        readings.append(flows.reading(world))
    a, b, c = readings
    other = World(Topology.grid((8, 8)), MORTAL, rng=9, ledger=True)
    other.step(30)
    with pytest.raises(ValueError, match="a later and an earlier reading"):
        flows.diff(a, b)
    with pytest.raises(ValueError, match="the windows overlap: ticks 0–30 and 0–60"):
        flows.add(a, b)
    with pytest.raises(ValueError, match="a later and an earlier reading"):
        flows.diff(c, flows.diff(b, a))
    with pytest.raises(ValueError, match="different worlds"):
        flows.diff(b, flows.reading(other))
    twin = World(Topology.grid((8, 8)), MORTAL.replace(**{"care.weight": .1}), rng=2, ledger=True)
    twin.step(90)
    with pytest.raises(ValueError, match="less in the later reading"):
        flows.diff(flows.reading(twin), b)


def test_empty_reading():
    world = World(Topology.grid((3, 3)), rng=1, occupied=[], ledger=True)
    reading = flows.reading(world)
    assert reading.total.tolist() == [0, 0, 0] and reading.matrix().nnz == 0
    assert reading.graph().number_of_nodes() == 0 and "0.0 goods between 0 pairs" in repr(reading)
