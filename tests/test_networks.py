"""Networks of flows and inequality: balances by hand, random balanced networks, other formulations."""

import networkx as nx
import numpy as np
import pytest

import organism as og
from organism import datasets, measures
from organism.flows import (
    brokerage,
    causal_emergence,
    coarse_grained,
    effective_information,
    flow_network,
    interdependence,
)

RNG = np.random.default_rng(11)


def balanced(n, rng, cycles=True):
    """A random network in a steady state: shares of what passes through, and what enters."""
    share = rng.random((n, n + 2)) * (rng.random((n, n + 2)) < .6)
    if not cycles:
        share[:, :n] = np.triu(share[:, :n], 1)
    share[:, n] += .05
    share /= share.sum(axis=1, keepdims=True)
    enters = rng.random(n) * (rng.random(n) < .7)
    enters[0] += .1
    through = np.linalg.solve(np.eye(n) - share[:, :n].T, enters)
    flow = through[:, None] * share
    return flow[:, :n], enters, flow[:, n], flow[:, n + 1], through


@pytest.mark.parametrize("cycles", [True, False])
def test_random_balanced_networks(cycles):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 9))
        flow, enters, export, respiration, through = balanced(n, rng, cycles)
        net = flow_network(flow, enters, export, respiration, tolerance=1e-9)
        assert net.throughflow == pytest.approx(through)
        assert net.throughflow == pytest.approx(flow.sum(axis=1) + export + respiration)
        assert net.total_throughflow == pytest.approx(through.sum())
        # structure matrices give back what passes through, from what enters and from what leaves
        assert enters @ net.ghosh == pytest.approx(through)
        assert net.leontief @ (export + respiration) == pytest.approx(through)
        some = through > 0
        assert net.ghosh[np.ix_(some, some)] == pytest.approx(      # similar matrices
            (net.leontief * through[None] / np.where(some, through, 1)[:, None])[np.ix_(some, some)])
        series, power = np.zeros((n, n)), np.eye(n)
        for _ in range(3000):
            series, power = series + power, power @ net.output_coefficients
        assert net.ghosh == pytest.approx(series)
        if not cycles:
            assert net.finn_cycling_index == pytest.approx(0, abs=1e-12)
        assert 0 <= net.finn_cycling_index < 1
        # a walker through the network: how long it stays, and what of it is where it had been before
        assert net.average_path_length == pytest.approx((enters @ series).sum() / enters.sum())
        assert net.capacity == pytest.approx(net.ascendency + net.overhead)
        assert 0 <= net.average_mutual_information <= net.flow_diversity + 1e-12
        double = flow_network(2 * flow, 2 * enters, 2 * export, 2 * respiration)
        for name, value in net.summary().items():
            sizes = ("total_throughflow", "total_system_throughput", "ascendency", "capacity", "overhead")
            factor = 2 if name in sizes else 1
            assert double.summary()[name] == pytest.approx(factor * value)


def test_finns_index_is_what_a_walker_passes_again():
    rng = np.random.default_rng(5)
    flow, enters, export, respiration, _ = balanced(4, rng)
    net = flow_network(flow, enters, export, respiration)
    go = np.cumsum(np.column_stack([net.output_coefficients, 1 - net.output_coefficients.sum(axis=1)]), axis=1)
    again = passed = 0
    for _ in range(20_000):
        at, seen = int(rng.choice(4, p=enters / enters.sum())), set()
        while at < 4:
            passed += 1
            again += at in seen
            seen.add(at)
            at = int(np.searchsorted(go[at], rng.random() * go[at, -1], "right"))
    assert again / passed == pytest.approx(net.finn_cycling_index, abs=.01)


def test_information_of_flows_by_hand():
    """Two flows that tell all, and four that tell nothing."""
    straight = flow_network([[0, 0], [0, 0]], [1, 1], [1, 0], [0, 1])
    p = np.array([1, 1, 1, 1]) / 4                      # in, in, export, respiration
    assert straight.flow_diversity == pytest.approx(-(p * np.log2(p)).sum())
    assert straight.average_mutual_information == pytest.approx(1.5)        # in or out, and half of which way out
    even = flow_network(np.ones((2, 2)), tolerance=0)
    assert even.average_mutual_information == pytest.approx(0) and even.flow_diversity == pytest.approx(2)
    assert "average_path_length" not in even.summary()


def test_networks_of_the_package_and_of_a_world():
    for make in datasets.NETWORKS.values():
        net = flow_network(make())
        assert net.nodes == list(make()) and np.isfinite(list(net.summary().values())).all()
    world = og.World(og.Topology.grid((6, 6)), rng=1, ledger=True)
    world.step(200)
    with pytest.raises(ValueError, match="flows must be in a steady state, and compartment"):
        flow_network(interdependence(world))            # members also make and burn goods
    graph = interdependence(world)
    got = np.array([graph.in_degree(i, weight="weight") for i in graph])
    gave = np.array([graph.out_degree(i, weight="weight") for i in graph])
    net = flow_network(graph, np.maximum(gave - got, 0), respiration=np.maximum(got - gave, 0))
    assert net.total_throughflow > 0 and repr(net).startswith("<FlowNetwork: 36 compartments")


def test_a_table_with_names():
    import pandas as pd

    table = pd.DataFrame([[5., 0], [0, 5]], index=["a", "b"], columns=["b", "a"])
    net = flow_network(table)
    assert net.nodes == ["a", "b"] and net.flow.tolist() == [[0, 5], [5, 0]]
    with pytest.raises(ValueError, match="flows must have the same compartments as rows and as columns"):
        flow_network(table.rename(columns={"a": "c"}))


def test_closed_networks_have_no_structure_matrices():
    with pytest.raises(ValueError, match="the network must lose something"):
        flow_network(datasets.leontief_economy()).ghosh  # noqa: B018


# -- information of graphs --------------------------------------------------------------------------------------------


def test_effective_information_by_enumeration():
    for _ in range(5):
        W = RNG.random((6, 6)) * (RNG.random((6, 6)) < .6)
        W[2] = 0
        rows = [row / row.sum() for row in W if row.sum()]
        mean = np.mean(rows, axis=0)

        def entropy(p):
            p = p[p > 0]
            return -(p * np.log2(p)).sum()

        wanted = entropy(mean) - np.mean([entropy(row) for row in rows])
        assert effective_information(W) == pytest.approx(wanted)
        assert effective_information(nx.from_numpy_array(W, create_using=nx.DiGraph)) == pytest.approx(wanted)
    assert effective_information(np.eye(2) * 1e-310) == 1
    assert effective_information([[1e308, 1e308], [1, 0]]) == pytest.approx(effective_information([[1, 1], [1, 0]]))
    assert effective_information(np.zeros((3, 3))) == 0 and effective_information([[1.0]]) == 0


def test_coarse_graining():
    W = np.array([[0, 1, 1, 0], [1, 0, 0, 2], [3, 0, 0, 1], [0, 1, 1, 0.]])
    turns = W / W.sum(axis=1, keepdims=True)
    values, vectors = np.linalg.eig(turns.T)
    p = np.real(vectors[:, np.argmax(np.real(values))])
    p /= p.sum()
    labels = np.array([0, 0, 1, 1])
    for within, often in (("stationary", p), ("uniform", np.ones(4))):
        wanted = [[(often[labels == a, None] * turns[labels == a][:, labels == b]).sum() / often[labels == a].sum()
                   for b in (0, 1)] for a in (0, 1)]
        assert coarse_grained(W, labels, within) == pytest.approx(np.array(wanted))
    for same in ({0: "a", 1: "a", 2: "b", 3: "b"}, [{0, 1}, {2, 3}], [[0, 1], (2, 3)], [0, 0, "b", "b"]):
        graph = nx.from_numpy_array(W, create_using=nx.DiGraph)
        assert coarse_grained(graph, same) == pytest.approx(coarse_grained(W, labels))
    own = np.arange(4)
    assert causal_emergence(W, own) == pytest.approx(0)


def test_where_a_long_walk_is():
    """Weak links, blind alleys, parts that do not hear of each other, and swinging to and fro."""
    a = 1e-7
    weak = np.array([[.5, 1, a, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 3 * a, 1, .2]])
    turns = weak / weak.sum(axis=1, keepdims=True)
    system = np.vstack([turns.T - np.eye(4), np.ones(4)])
    p = np.linalg.lstsq(system, [0, 0, 0, 0, 1], rcond=None)[0]
    wanted = [[(p[g, None] * turns[g][:, h]).sum() / p[g].sum() for h in ([0, 2], [1, 3])] for g in ([0, 2], [1, 3])]
    assert coarse_grained(weak, [0, 1, 0, 1]) == pytest.approx(np.array(wanted), rel=1e-5)
    up = np.diag(np.full(79, .1), 1) + np.diag(np.full(79, .9), -1)
    up[0, 0], up[-1, -1] = .9, .1
    assert coarse_grained(up, [0] * 40 + [1] * 40)[1] == pytest.approx([.8, .2])    # rarely there is not never
    ring = nx.cycle_graph(6, create_using=nx.DiGraph)
    assert coarse_grained(ring, [0, 1] * 3) == pytest.approx(np.array([[0, 1], [1, 0]]))
    chain = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0.]])        # it ends, and begins anew
    assert coarse_grained(chain, [0, 0, 1]).sum(axis=1) == pytest.approx([1, 0])
    apart = np.kron(np.eye(2), [[0, 1], [1, 0]])
    assert coarse_grained(apart, [0, 0, 1, 1]) == pytest.approx(np.eye(2))
    into = np.array([[0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0.]])      # from 0 to either of two ends
    assert coarse_grained(into, [0, 1, 2, 2]) == pytest.approx(np.array([[0, .5, .5], [0, 1, 0], [0, 0, 1]]))


def test_brokerage_goes_where_more_flows():
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([("a", "b", 10), ("b", "d", 10), ("a", "c", 1), ("c", "d", 1), ("d", "a", 0)])
    found = brokerage(graph)
    assert found["b"] > 0 and found["c"] == 0
    even = nx.DiGraph()
    even.add_weighted_edges_from([("s", "x", 2), ("x", "t", 12), ("s", "y", 3), ("y", "t", 4)])
    assert brokerage(even)["x"] == brokerage(even)["y"] > 0     # 1/2 + 1/12 = 1/3 + 1/4
    for far in ((1e-17, 1.5), (.5, 1e17), (.5e-9, 1e9)):        # a length must not be lost beside another
        assert brokerage(nx.Graph([(0, 1, {"weight": far[0]}), (1, 2, {"weight": far[1]})])) == {0: 0, 1: 1, 2: 0}
    double = brokerage(nx.MultiGraph([(0, 1), (0, 1), (1, 2), (0, 3), (3, 2)]))
    assert double == pytest.approx({0: 1 / 3, 1: 1 / 3, 2: 0, 3: 0})
    karate = nx.karate_club_graph()
    nx.set_edge_attributes(karate, 1.0, "weight")
    assert brokerage(karate) == pytest.approx(nx.betweenness_centrality(karate))


# -- inequality -------------------------------------------------------------------------------------------------------


def test_inequality():
    x = RNG.pareto(1.5, 200)
    members, amounts = measures.lorenz(x)
    assert 1 - 2 * np.trapezoid(amounts, members) == pytest.approx(measures.gini(x))
    assert measures.top_share(x, 1) == pytest.approx(1)
    assert measures.top_share(x, .05) == pytest.approx(np.sort(x)[-10:].sum() / x.sum())
    assert measures.top_share(np.ones(7), .3) == pytest.approx(.3)
    assert measures.herfindahl(np.ones(8)) == pytest.approx(1 / 8) and measures.herfindahl([0, 5]) == 1
    world = og.World(og.Topology.grid((5, 5)), rng=1)
    world.step(50)
    assert 0 <= measures.gini(world) < 1 and 1 / 25 <= measures.herfindahl(world) <= 1
    assert measures.lorenz(world)[1][-1] == pytest.approx(1)
    assert measures.lorenz(np.full(10**6, .1))[1][-1] == 1 and measures.top_share([1] * 10, .1) == .1
    huge = [1e308, 1e308, 0, 0]
    assert measures.gini(huge) == .5 and measures.herfindahl(huge) == .5 and measures.lorenz(huge)[1][-1] == 1
    assert measures.lorenz(np.zeros(3))[1] == pytest.approx(measures.lorenz(np.zeros(3))[0])


def test_entrenchment():
    x = RNG.random(50)
    assert measures.entrenchment(x, 3 * x + 1) == pytest.approx(1) and measures.entrenchment(x, -x) == pytest.approx(-1)
    assert measures.entrenchment(x, 2 * x, top=.1) == pytest.approx(1)
    assert measures.entrenchment(x, -x, top=.2) == pytest.approx(-.25)         # none stayed
    chance = [measures.entrenchment(RNG.random(50), RNG.random(50), top=.2) for _ in range(400)]
    assert abs(np.mean(chance)) < 4 * np.std(chance) / 20
    assert measures.entrenchment([1, 1, 1], [1, 2, 3]) == 0 and measures.entrenchment([1], [2]) == 0
    for n, top in ((25, .1), (5, .3), (3, .01), (3, 1e-10)):
        assert measures.entrenchment(np.arange(n), np.arange(n), top=top) == pytest.approx(1)
    tied = [measures.entrenchment([1, 1, 2, 2], [1, 1, 2, 2], top=.25)]
    assert tied[0] == pytest.approx((.5 - .25) / .75)                          # two share one place


@pytest.mark.parametrize("call, said", [
    (lambda: flow_network([[0, 1]]), "flows must be a square matrix .* not of shape \\(1, 2\\)"),
    (lambda: flow_network(nx.Graph()), "flows must be a directed graph"),
    (lambda: flow_network([[0, -1], [0, 0]]), "flows must be finite and at least 0; that of 0, 1 is -1"),
    (lambda: flow_network([[0, 1], [0, 0]], [1, 0]), "compartment 1 gets 1 and loses 0"),
    (lambda: flow_network([[0, 1], [0, 0]], [1, 0, 0]), "input must be one number for each of the 2 compartments"),
    (lambda: effective_information([[1, 2]]), "graph must be a networkx graph, or a square matrix .* \\(1, 2\\)"),
    (lambda: effective_information(None), "graph must be a networkx graph, or a square matrix .* not None"),
    (lambda: effective_information(nx.Graph()), "graph must have at least one node"),
    (lambda: coarse_grained(np.ones((2, 2)), [np.nan, 1]), "groups must be named by numbers or text"),
    (lambda: coarse_grained(np.ones((2, 2)), np.zeros((2, 1))), "groups must be named by numbers or text"),
    (lambda: effective_information(np.array([[0, 1j], [1, 0]])), "graph must be a networkx graph, or a square matrix"),
    (lambda: brokerage(nx.Graph([(0, 1, {"weight": 10**400})])), "that of the edge 0, 1 is 1000"),
    (lambda: coarse_grained(np.ones((3, 3)), 3), "groups must be the group of each node, or sets of nodes, not 3"),
    (lambda: flow_network(None), "flows must be a square matrix|flows must be a graph"),
    (lambda: flow_network([[0, 1], [0, 0]], tolerance=5), "tolerance must be in \\[0, 1\\), not 5"),
    (lambda: measures.gini(["a"]), "amounts must be numbers, not"),
    (lambda: measures.entrenchment([1], [1], top=7), "top must be in \\(0, 1\\), not 7"),
    (lambda: effective_information([[-1.0]]), "graph must have finite weights of 0 or more"),
    (lambda: coarse_grained(np.ones((3, 3)), [0, 1]), "groups must name one for each of the 3 nodes, not for 2"),
    (lambda: coarse_grained(nx.path_graph(3), {0: 1}), "groups must have every node, and 1 is missing"),
    (lambda: coarse_grained(nx.path_graph(3), [{0}, {1}]), "groups must have every node of the graph exactly once"),
    (lambda: coarse_grained(np.ones((3, 3)), [0, 1, 1], "uniforn"), "did you mean 'uniform'"),
    (lambda: brokerage(np.ones((2, 2))), "graph must be a networkx graph, not ndarray"),
    (lambda: brokerage(nx.Graph([(0, 1, {"weight": -1})])), "that of the edge 0, 1 is -1"),
    (lambda: measures.top_share([1, 2], 0), "top must be in \\(0, 1\\], not 0"),
    (lambda: measures.herfindahl([1, -2]), "amounts\\[1\\] must be 0 or more, not -2"),
    (lambda: measures.lorenz([np.nan]), "amounts\\[0\\] must be finite"),
    (lambda: measures.entrenchment([1, 2], [1]), "of the same members, not of 2 and 1"),
])
def test_refused(call, said):
    with pytest.raises((ValueError, TypeError), match=said):
        call()
