"""Flow networks from published tables balance, and are as large as their sources say."""

import networkx as nx
import numpy as np
import pytest

from organism import datasets

ECOSYSTEMS = ("oyster_reef", "cone_spring", "chesapeake_bay")


def throughflow(graph) -> np.ndarray:
    """What each compartment gets, in the order of the nodes."""
    return np.array([data["input"] + graph.in_degree(node, weight="weight") for node, data in graph.nodes(data=True)])


def cycling(graph) -> float:
    """Finn's index: which share of the throughflow has been there before."""
    flows, through = nx.to_numpy_array(graph), throughflow(graph)
    again = np.linalg.inv(np.eye(len(through)) - flows / through[:, None]).diagonal()
    return float((through * (1 - 1 / again)).sum() / through.sum())


@pytest.mark.parametrize("name", sorted(datasets.NETWORKS))
def test_balances(name):
    """As nearly as the source rounds: five digits for the bay and the reef, whole numbers for the others."""
    graph = datasets.NETWORKS[name]()
    exact = name in ("cone_spring", "leontief_economy")
    assert max(map(abs, datasets.imbalance(graph).values())) <= (0 if exact else 6e-5)


@pytest.mark.parametrize("name", sorted(datasets.NETWORKS))
def test_is_a_flow_network(name):
    graph = datasets.NETWORKS[name]()
    assert type(graph) is nx.DiGraph and nx.is_weakly_connected(graph)
    assert all(data["weight"] > 0 for *_, data in graph.edges(data=True))
    assert all(data[kind] >= 0 for _, data in graph.nodes(data=True) for kind in ("input", "export", "respiration"))
    assert graph.graph["unit"] and graph.graph["source"]
    graph.nodes[next(iter(graph))]["input"] = -1.
    assert datasets.NETWORKS[name]().nodes[next(iter(graph))]["input"] >= 0  # the next one gets a copy of its own


@pytest.mark.parametrize("name, size, flows, inputs, total, finn", [
    ("oyster_reef", 6, 12, 41.47, 84, .11), ("cone_spring", 5, 8, 11819, 30626, .09),
    ("chesapeake_bay", 36, 122, 888791, 3227453, .19)])
def test_totals_are_the_published_ones(name, size, flows, inputs, total, finn):
    """Total inputs, total system throughflow and Finn's cycling index, as Borrett and Lau (2014) list them."""
    graph = datasets.NETWORKS[name]()
    assert (len(graph), graph.number_of_edges()) == (size, flows)
    assert sum(data["input"] for _, data in graph.nodes(data=True)) == pytest.approx(inputs, abs=.5)
    assert throughflow(graph).sum() == pytest.approx(total, abs=.5)
    assert cycling(graph) == pytest.approx(finn, abs=.005)


@pytest.mark.parametrize("name", ECOSYSTEMS)
def test_ecosystems_are_fed_from_outside(name):
    graph = datasets.NETWORKS[name]()
    nodes = dict(graph.nodes(data=True))
    gets = sum(data["input"] for data in nodes.values())
    loses = sum(data["export"] + data["respiration"] for data in nodes.values())
    assert gets == pytest.approx(loses, rel=6e-5) and gets > 0
    assert all(data["respiration"] > 0 for node, data in nodes.items() if "carbon" not in node)


def test_only_crabs_eat_their_own():
    assert list(nx.selfloop_edges(datasets.chesapeake_bay())) == [("blue crab", "blue crab")]


def test_leontief_quantities_are_worth_their_weight():
    graph = datasets.leontief_economy()
    for giver, _, data in graph.edges(data=True):
        assert data["weight"] == data["quantity"] * graph.nodes[giver]["price"]
    outputs = {node: sum(data["quantity"] for *_, data in graph.out_edges(node, data=True)) for node in graph}
    assert outputs == {"agriculture": 100, "manufacture": 50, "households": 300}
    assert dict(graph.out_degree(weight="weight")) == {"agriculture": 200, "manufacture": 250, "households": 300}


def test_imbalance_finds_a_mistyped_flow():
    graph = datasets.cone_spring()
    graph["bacteria"]["detritus feeders"]["weight"] = 750.
    wrong = {node for node, share in datasets.imbalance(graph).items() if share}
    assert wrong == {"bacteria", "detritus feeders"}
    assert datasets.imbalance(nx.DiGraph()) == {}
