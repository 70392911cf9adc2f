"""What is handed on comes back: graphs of windows through files, tidy frames, meta-agents of Mesa."""

import io
import numbers

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from organism import OrganismModel, Params, Snapshots, Topology, World, find_wholes, flows
from organism.wholes import trade_of

#: Members die and are born.
MORTAL = Params.preset("evolving").replace(**{"demography.hazard": .01, "care.weight": .75})


@pytest.fixture(scope="module")
def taken():
    """Four windows of 25 ticks of a mortal population."""
    world = World(Topology.grid((8, 8)), MORTAL, rng=1, ledger=True)
    series = Snapshots(world, every=25)
    world.step(100)
    assert world.n_died > 20
    return series


def graphs(taken):
    window = taken.window(25, 100)
    wholes = find_wholes(window, "networkx", nulls=(), rng=1)
    return {"by site": window.graph(), "by member": window.graph("member"), "one window": taken[1].reading().graph(),
            "interdependence": flows.interdependence(taken, window=(50, 100)), "wholes": wholes[0].graph()}


KINDS = ("by site", "by member", "one window", "interdependence", "wholes")


# -- graphs -------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("write, read", [(nx.write_graphml, nx.read_graphml), (nx.write_gexf, nx.read_gexf)],
                         ids=["GraphML", "GEXF"])
def test_graphs_come_back_with_every_number(taken, kind, write, read):
    graph, buffer = graphs(taken)[kind], io.BytesIO()
    write(graph, buffer)
    buffer.seek(0)
    again = read(buffer)
    name = {node: str(node) for node in graph}
    assert again.is_directed() and list(again) == list(name.values()) and len(graph.edges) > 5
    assert {(name[i], name[j]) for i, j in graph.edges} == set(again.edges)
    for node, data in graph.nodes(data=True):
        found = again.nodes[name[node]]
        for key, value in data.items():
            assert isinstance(value, numbers.Real) and type(value).__module__ == "builtins", (key, value)
            assert found[key] == value and type(found[key]) is type(value), (key, value)
    for i, j, data in graph.edges(data=True):
        found = again.edges[name[i], name[j]]
        assert {"weight", "r0", "r1", "r2"} <= set(data)
        for key, value in data.items():
            assert type(value) is float and found[key] == value
        assert data["weight"] == pytest.approx(data["r0"] + data["r1"] + data["r2"])


@pytest.mark.parametrize("by", ["site", "member"])
def test_what_is_read_back_is_the_same_trade(taken, tmp_path, by):
    graph = taken.window(25, 100).graph(by)
    nx.write_graphml(graph, tmp_path / "window.graphml")
    mine, again = trade_of(graph), trade_of(nx.read_graphml(tmp_path / "window.graphml"))
    assert len(again.resources) == 3 and again.nodes == [str(node) for node in mine.nodes]
    for one, other in zip((mine.flows, *mine.resources), (again.flows, *again.resources), strict=True):
        assert one.nnz and (one != other).nnz == 0
    # the graph by member is the ledger: the members' uids survive, whatever the reader calls its nodes
    if by == "member":
        assert again.uid.tolist() == taken.window(25, 100).members.tolist()


def test_a_window_says_which_it_is(taken, tmp_path):
    nx.write_graphml(taken.window(25, 75).graph(), tmp_path / "window.graphml")
    about = nx.read_graphml(tmp_path / "window.graphml").graph
    assert (about["start"], about["stop"], about["ticks"]) == (25, 75, 50)
    assert about["source"] == "exact totals" and about["grid"] == "torus" and about["width"] == 8.0


# -- frames -------------------------------------------------------------------------------

def test_frame_of_a_reading_is_tidy(taken):
    window = taken.window(25, 100)
    frame = window.frame()
    assert list(frame) == ["start", "stop", "giver", "receiver", "giver_site", "receiver_site", "r0", "r1", "r2",
                           "weight"]
    assert all(kind.kind in "if" for kind in frame.dtypes) and not frame.isna().any(axis=None)
    assert not frame.duplicated(["start", "stop", "giver", "receiver"]).any()       # a row for each observation
    assert set(frame["start"]) == {25} and set(frame["stop"]) == {100}
    assert frame[["r0", "r1", "r2"]].sum().to_numpy() == pytest.approx(window.total)
    assert frame["weight"].to_numpy() == pytest.approx(frame[["r0", "r1", "r2"]].sum(axis=1).to_numpy())
    home = dict(zip(window.uid.tolist(), window.site.tolist(), strict=True))
    for who in ("giver", "receiver"):
        assert frame[f"{who}_site"].tolist() == [home.get(uid, -1) for uid in frame[who].tolist()]


def test_frames_of_a_series_go_together(taken):
    each = list(taken.frames())
    assert len(each) == 4 and all(list(one) == list(each[0]) for one in each)
    whole = pd.concat(each, ignore_index=True)
    assert sorted(set(zip(whole["start"], whole["stop"], strict=True))) == [(0, 25), (25, 50), (50, 75), (75, 100)]
    assert not whole.duplicated(["start", "giver", "receiver"]).any()
    summed = whole[whole["start"] >= 25].groupby(["giver", "receiver"])["r1"].sum()
    window = taken.window(25, 100)
    expected = pd.Series(window.amount[:, 1], index=pd.MultiIndex.from_arrays([window.giver, window.receiver]))
    assert summed.index.tolist() == expected.index.tolist()
    assert summed.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6)


def test_frames_are_read_from_disk_one_at_a_time(tmp_path):
    world = World(Topology.grid((6, 6)), rng=1, ledger=True)
    Snapshots(world, every=10, path=tmp_path / "run")
    world.step(30)
    again = Snapshots.read(tmp_path / "run")
    frames = again.frames()
    assert next(frames)["stop"].iloc[0] == 10 and not again._held
    assert [one["stop"].iloc[0] for one in frames] == [20, 30]


# -- Mesa ---------------------------------------------------------------------------------

def test_wholes_of_a_window_become_agents_of_the_model():
    """The Mesa at hand, whichever it is: meta-agents hold whom the triplets name."""
    model = OrganismModel(width=12, height=12, params=MORTAL, rng=1, ledger=True)
    series = Snapshots(model.world, every=30)
    for _ in range(90):
        model.step()
    wholes = find_wholes(series.window(30, 90), "networkx", nulls=(), rng=1)
    living = {agent.unique_id for agent in model.agents}
    assert set(wholes.trade.uid.tolist()) - living          # some were seen and died since
    made = wholes.to_mesa(model)
    assert [len(level) for level in made] == [level.n_wholes for level in wholes] and len(made) > 1
    part_of = {part: group for part, group, _ in wholes.triplets()}
    seen = []
    for agent in filter(None, made[0]):
        for member in agent.agents:
            assert part_of[member.unique_id] == agent.name
            seen.append(member.unique_id)
    assert sorted(seen) == sorted(living & set(wholes.trade.uid.tolist())) and len(seen) == len(set(seen)) > 100
    for level in made[1:]:
        for agent in filter(None, level):
            assert all(part_of[part.name] == agent.name for part in agent.agents)
    model.step()
    assert all(agent in model.agents for agent in filter(None, made[-1]))
    assert np.isfinite(model.world.state["welfare"]).all()
