"""Wholes through time, in planted block graphs whose members change; and wholes handed on to others."""

import dataclasses

import mesa
import networkx as nx
import numpy as np
import pytest

from organism import OrganismModel, Params, Topology, World
from organism.snapshots import Snapshots
from organism.wholes import find_wholes, follow_wholes, trade_of
from organism.wholes._follow import EVENTS
from organism.wholes._level import Level, Null, statistics


def planted(blocks, seed, inside=12.0, outside=2.0):
    """A directed weighted graph with about so many ties of each node in and out of its block."""
    rng = np.random.default_rng(seed)
    nodes = [node for block in blocks for node in block]
    home = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    same = home[:, None] == home
    size = same.sum(axis=1)
    chance = np.where(same, inside / size[:, None], outside / max(1, len(nodes) - size.min()))
    ties = (rng.random(chance.shape) < chance) & ~np.eye(len(nodes), dtype=bool)
    graph = nx.DiGraph()
    order = rng.permutation(len(nodes))                 # nodes come in any order
    graph.add_nodes_from(nodes[i] for i in order)
    graph.add_weighted_edges_from((nodes[i], nodes[j], float(rng.gamma(4)))
                                  for i, j in zip(*np.nonzero(ties), strict=True))
    return graph


def renewed(blocks, rng, rate, fresh):
    """The blocks with a share of the members of each replaced by new ones."""
    return [[next(fresh) if rng.random() < rate else node for node in block] for block in blocks]


def level(labels, uids):
    """A level without flows worth the name: only who is where."""
    flows = nx.DiGraph()
    flows.add_nodes_from(uids)
    flows.add_weighted_edges_from((a, b, 1.0) for a, b in zip(uids, uids[1:], strict=False))
    trade = trade_of(flows)
    labels = np.asarray(labels)
    return Level(labels, trade, 1.0, np.nan, np.nan, statistics(trade, labels))


def told(followed, event):
    """Each event of a kind as (tick, whole, names before, names after)."""
    table = followed.events
    return [(tick, whole, set(rows.before.dropna()), set(rows.after.dropna()))
            for (tick, whole), rows in table[table.event == event].groupby(["tick", "whole"])]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_merges_and_splits_are_tracked_through_noise(seed):
    rng = np.random.default_rng(seed)
    fresh = iter(range(10_000, 99_999))
    a, b, c, d, e = ([100 * k + i for i in range(size)] for k, size in enumerate((70, 40, 40, 80, 40)))
    windows = []

    def window(tick, blocks):
        windows.append((tick, find_wholes(planted(blocks, int(rng.integers(2**31))), nulls=(), rng=seed)))

    blocks = [a, b, c, d, e]
    window(100, blocks)
    blocks = renewed(blocks, rng, 0.1, fresh)           # 200: a tenth of the members die and are replaced
    window(200, blocks)
    a, b, c, d, e = renewed(blocks, rng, 0.1, fresh)    # 300: a takes b in
    window(300, [a + b, c, d, e])
    ab, c, d, e = renewed([a + b, c, d, e], rng, 0.1, fresh)
    window(400, [ab, c, d[:45], d[45:], e])             # 400: d parts
    f = [next(fresh) for _ in range(40)]
    window(500, [ab, d[:45], d[45:], e, f])             # 500: c dies out, f is born
    followed = follow_wholes(windows)
    assert [one.n_wholes for one in followed.levels] == [5, 5, 4, 5, 5]

    name = {}                                           # by who is in the first window: the largest first
    for block, sample in zip("abcde", (0, 100, 200, 300, 400), strict=True):
        first = followed.levels[0]
        members = np.isin(first.trade.uid, np.arange(sample, sample + 100))
        name[block] = followed.names[0][np.bincount(first.labels[members]).argmax()]
    assert len(set(name.values())) == 5
    assert told(followed, "merge") == [(300, name["a"], {name["a"], name["b"]}, {name["a"]})]
    (split,) = told(followed, "split")
    assert split[:3] == (400, name["d"], {name["d"]}) and name["d"] in split[3] and len(split[3]) == 2
    assert [one[:3] for one in told(followed, "death")] == [(500, name["c"], {name["c"]})]
    (birth,) = told(followed, "birth")
    assert birth[0] == 500 and not birth[2]
    assert sum(followed.counts()[event] for event in ("continuation", "growth", "shrinkage")) == 5 + 3 + 3 + 4
    assert followed.names[-1].count(name["a"]) == followed.names[-1].count(name["e"]) == 1
    assert "1 merge, 1 split, 1 death" in str(followed)
    linked = followed.events.dropna(subset=["before", "after"])
    assert (linked.pvalue < 1e-6).all()


def test_the_largest_heir_keeps_the_name_and_evidence_is_exact():
    uids = list(range(20))
    first = level([0] * 12 + [1] * 8, uids)
    second = level([0] * 8 + [2] * 4 + [1] * 8, uids)
    followed = follow_wholes([(1, first), (2, second)])
    assert followed.names == [["W1", "W2"], ["W1", "W2", "W3"]]
    split = followed.events.query("event == 'split'").set_index("after")
    assert split.shared.to_dict() == {"W1": 8, "W3": 4}
    assert split.jaccard.to_dict() == pytest.approx({"W1": 8 / 12, "W3": 4 / 12})
    assert split.kept["W3"] == pytest.approx(4 / 12) and split.drawn["W3"] == 1
    # Choosing 4 of 20 survivors, all from the 12 of the first whole.
    assert split.pvalue["W3"] == pytest.approx(12 * 11 * 10 * 9 / (20 * 19 * 18 * 17))
    back = follow_wholes([(2, second), (3, first)])
    merged = back.events.query("event == 'merge'")
    assert set(merged.before) == {"W1", "W3"} and set(merged.after) == {"W1"}


def test_growth_shrinkage_and_continuation():
    first = level([0] * 10 + [1] * 10 + [2] * 10, list(range(30)))
    second = level([0] * 10 + [1] * 8 + [2] * 10 + [0] * 2 + [2], [*range(18), *range(20, 30), 40, 41, 42])
    events = follow_wholes([(1, first), (2, second)], change=0.15).events.set_index("whole").event
    assert events.to_dict() == {"W1": "growth", "W2": "shrinkage", "W3": "continuation"}


def test_members_are_known_by_their_uids_not_their_place():
    first, second = level([0] * 5 + [1] * 5, list(range(10))), level([0] * 5 + [1] * 5, list(range(10, 20)))
    followed = follow_wholes([(1, first), (2, second)])
    assert followed.counts() | {"birth": 2, "death": 2} == followed.counts()
    assert followed.names == [["W1", "W2"], ["W3", "W4"]]


def test_links_by_chance_are_called_doubtful():
    rng = np.random.default_rng(3)
    uids = list(range(200))
    windows = [(tick, level(rng.permutation(np.arange(200) % 2), uids)) for tick in range(12)]
    followed = follow_wholes(windows)
    linked = followed.events.dropna(subset=["before", "after"])
    assert (linked.pvalue > 0.05).mean() > 0.5 and "share no more members than chance" in str(followed)
    apart = [(tick, level(rng.permutation(np.arange(200) % 8), uids)) for tick in range(12)]
    assert follow_wholes(apart).counts() == dict.fromkeys(
        ("growth", "shrinkage", "continuation", "merge", "split"), 0) | {"birth": 88, "death": 88}


def test_windows_without_a_level():
    """Names last over a window in which the level was not found: that is no evidence of death."""
    none = find_wholes(np.zeros((6, 6)), nulls=())
    some = level([0] * 3 + [1] * 3, list(range(6)))
    followed = follow_wholes([(1, none), (2, some), (3, none), (4, some)])
    assert followed.names == [["W1", "W2"]] * 2 and followed.counts() == {**dict.fromkeys(EVENTS, 0), "continuation": 2}
    assert followed.ticks == [2, 4] and followed.absent == [1, 3] and not followed.fell
    assert "before, 1 window without a stable level" in str(followed)
    assert "between, 1 window in which this level was not found; names last over it" in str(followed)
    assert "after, 2 windows in which this level was not found any more" in str(
        follow_wholes([(1, some), (2, none), (3, none)]))
    test = Null.of(0.0, [.4, .5] * 10)
    fell = find_wholes(np.zeros((6, 6)), nulls=())
    fell = dataclasses.replace(fell, levels=[dataclasses.replace(some, decisive="flows", nulls={
        "flows": {"assortativity": test}})])
    later = follow_wholes([(1, some), (2, fell)])
    assert not fell.standing and later.names == [["W1", "W2"]] * 2
    assert "in 1 of the windows its wholes are no more than chance" in str(later)
    never = follow_wholes([(1, fell), (2, fell)])
    assert never.absent == [1, 2] and "no level that stands was found" in str(never)
    nothing = follow_wholes([(1, none), (2, none)])
    assert str(nothing).startswith("No wholes to follow") and nothing.frame().empty and nothing.events.empty
    assert str(follow_wholes([])).startswith("No windows")


def test_the_level_followed_stays_the_same_one():
    """Where a window has a level more, the one that agrees best with that of the window before is followed."""
    fine, coarse = np.arange(60) // 10, np.arange(60) // 30
    nest = find_wholes(planted([list(range(30)), list(range(30, 60))], 1), nulls=(), rng=1)

    def wholes(*labels):
        return type(nest)([level(one, list(range(60))) for one in labels], nest.trade, "louvain", 0.0, 0.0, [], 1)

    windows = [(1, wholes(fine, coarse)), (2, wholes(coarse)), (3, wholes(fine, coarse))]
    assert [one.n_wholes for one in follow_wholes(windows, level=-1).levels] == [2, 2, 2]
    assert [one.n_wholes for one in follow_wholes(windows[::2]).levels] == [6, 6]
    # a window that has only the level above is none of mergers
    gap = follow_wholes(windows)
    assert gap.ticks == [1, 3] and gap.absent == [2] and gap.counts()["continuation"] == 6 == sum(gap.counts().values())
    # but if the level followed was alone, its wholes have merged
    assert follow_wholes([(1, wholes(fine)), (2, wholes(coarse))]).counts()["merge"] == 2


def nested_in(*labels, uids=None):
    none = find_wholes(np.zeros((6, 6)), nulls=())
    return dataclasses.replace(none, levels=[level(list(one), uids or list(range(len(one)))) for one in labels],
                               trade=level(list(labels[0]), uids or list(range(len(labels[0])))).trade)


def test_wholes_that_merge_or_split_beside_another_level_do_so():
    four = np.repeat(range(4), [20, 20, 10, 10])
    merged = [0] * 40 + [1] * 10 + [2] * 10
    followed = follow_wholes([(1, nested_in(four, four // 2)), (2, nested_in(merged, four // 2)),
                              (3, nested_in(merged, four // 2))])
    assert followed.ticks == [1, 2, 3] and followed.counts()["merge"] == 1 and followed.counts()["continuation"] == 5
    tens = np.repeat(range(4), 10)
    split = follow_wholes([(1, nested_in(tens, tens // 2)), (2, nested_in(tens, [0] * 10 + [1] * 10 + [2] * 20))], -1)
    assert split.counts()["split"] == 1 and split.counts()["merge"] == 0


def test_another_level_is_known_even_if_it_was_not_there_for_a_window():
    fine, coarse = np.repeat(range(6), 10), np.repeat(range(2), 30)
    both = nested_in(fine, coarse)
    for between in ((2, nested_in(fine)), (2, nested_in(fine)[0])):
        followed = follow_wholes([(1, both), between, (3, nested_in(coarse)), (4, both)])
        assert followed.ticks == [1, 2, 4]
        assert followed.counts()["continuation"] == 12 == sum(followed.counts().values())
    other = follow_wholes([(1, both), (2, nested_in(coarse)), (3, nested_in(fine)), (4, both)], -1)
    assert [one.n_wholes for one in other.levels] == [2, 2, 2] and other.absent == [3]


def test_members_who_are_all_gone_are_deaths_and_no_likeness_is_none():
    fine, coarse = np.repeat(range(6), 10), np.repeat(range(2), 30)
    empty = find_wholes(np.zeros((0, 0)), nulls=())
    ended = follow_wholes([(1, nested_in(fine)), (2, empty), (3, empty)])
    assert ended.counts() == {**dict.fromkeys(EVENTS, 0), "death": 6} and ended.absent == [2, 3]
    assert "none of its members was left" in str(ended)
    strangers = nested_in(fine, coarse, uids=list(range(100, 160)))
    for level_, number in ((0, 6), (-1, 2)):
        again = follow_wholes([(1, nested_in(fine, coarse)), (2, empty), (3, strangers)], level_)
        assert again.counts()["death"] == again.counts()["birth"] == number and not set.intersection(
            *map(set, again.names))
    shuffled = np.random.default_rng(0).permutation(fine)
    for first in (nested_in(fine), nested_in(fine, coarse)):
        assert follow_wholes([(1, first), (2, nested_in(shuffled))]).absent == [2]


def test_snapshots_are_searched_window_by_window():
    supply = np.ones((16, 16))
    supply[::8], supply[:, ::8] = 0.05, 0.05
    world = World(Topology.grid((16, 16)), Params.preset("organic").replace(**{"care.weight": 0.75}), rng=1,
                  columns={"supply": np.repeat(supply.reshape(-1, 1), 3, axis=1)}, ledger=True)
    world.step(400)
    series = Snapshots(world, every=100)
    world.step(300)
    followed = follow_wholes(series, rng=1, nulls=())
    assert followed.ticks == [500, 600, 700]
    same = [find_wholes(one.reading(), nulls=(), rng=int(seed)).levels for one, seed in
            zip(series, np.random.default_rng(1).integers(2**63, size=3), strict=True)]
    assert [any(np.array_equal(chosen.labels, one.labels) for one in found)
            for chosen, found in zip(followed.levels, same, strict=True)] == [True] * 3
    table = followed.frame()
    assert (table.groupby("tick")["size"].sum() == 256).all() and table.name.iloc[0] == "W1"


@pytest.mark.parametrize(("changes", "words"), [
    ({"overlap": 0.2}, r"overlap must be in \[0.5, 1\), not 0.2"),
    ({"change": -1}, "change must be 0 or more, not -1"),
    ({"nulls": ()}, "options of find_wholes"),
    ({"nullz": ()}, "options of find_wholes must be some of .*, not 'nullz'; did you mean 'nulls'"),
    ({"level": "x"}, "level must be a whole number, not 'x'"),
    ({"overlap": "x"}, r"overlap must be a number in \[0.5, 1\), not 'x'"),
    ({"change": None}, "change must be a number of 0 or more, not None"),
])
def test_bad_input_gets_a_sentence(changes, words):
    windows = [(1, level([0, 0, 1, 1], [1, 2, 3, 4]))] * 2
    with pytest.raises((ValueError, TypeError), match=words):
        follow_wholes(windows, **changes)
    with pytest.raises(ValueError, match="ticks must ascend, but 1 comes after 1"):
        follow_wholes(windows)
    with pytest.raises(ValueError, match="series must be snapshots"):
        follow_wholes([3])
    with pytest.raises(TypeError, match="series must be snapshots, or a sequence of pairs .*, not 3"):
        follow_wholes(3)


# -- handed on ------------------------------------------------------------------------


def nest(seed=1):
    """Two levels: four blocks of twelve in two of twenty-four."""
    blocks = [list(range(12 * k, 12 * k + 12)) for k in range(4)]
    graph = planted(blocks, seed, inside=9.0, outside=0.2)
    rng = np.random.default_rng(seed)
    for pair in (0, 24):
        for i in range(pair, pair + 12):
            for j in rng.choice(np.arange(pair + 12, pair + 24), 2, replace=False):
                graph.add_edge(i, int(j), weight=2.0)
    made = find_wholes(graph, nulls=(), rng=seed, resolutions=np.geomspace(0.05, 20, 24))
    assert [one.n_wholes for one in made] == [4, 2]
    return made


def test_triplets_tell_the_whole_nest():
    wholes = nest()
    found = wholes.triplets()
    assert len(found) == 48 + 4 and {relation for *_, relation in found} == {"part of"}
    home = {part: group for part, group, _ in found}
    table = wholes.membership()
    for uid, fine, coarse in zip(table.uid, table.level_0, table.level_1, strict=True):
        assert home[uid] == f"level 0, whole {fine}" and home[home[uid]] == f"level 1, whole {coarse}"
    assert find_wholes(np.zeros((3, 3)), nulls=()).triplets() == []


def test_meta_agents_in_a_mesa_model():
    wholes = nest()
    model = mesa.Model()
    agents = [mesa.Agent(model) for _ in wholes.trade.uid]
    fine, coarse = wholes.to_mesa(model, agents)
    assert [len(one) for one in fine] == wholes[0].sizes.tolist() and len(coarse) == 2
    for agent, label in zip(agents, wholes[0].labels, strict=True):
        assert agent in fine[label] and agent.meta_agent is fine[label]
        assert (agent.meta_agent.level, agent.meta_agent.whole) == (0, label)
    assert set(coarse[0]) | set(coarse[1]) == set(fine) and all(one.meta_agent in coarse for one in fine)
    assert coarse[0].name == "level 1, whole 0" and coarse[0] in model.agents


def test_meta_agents_of_an_organism_model():
    model = OrganismModel(width=12, height=12, rng=1)
    model.world.step(100)
    wholes = find_wholes(model.world, "networkx", nulls=(), rng=1)
    assert len(wholes) and len(wholes.trade.uid) == 144
    model.world.remove([5])
    made = wholes.to_mesa(model)
    assert sum(len(one) for one in made[0]) == 143
    member = model.member_at(7)
    assert member.meta_agent is made[0][wholes[0].labels[7]] and member in member.meta_agent
    model.step()
    assert model.running and made[0][0] in model.agents and made[0][0].unique_id < 0
    with pytest.raises(AttributeError, match="no attribute"):
        member.meta_agnet = 1


def test_members_of_others_are_no_agents_of_this_model():
    """Ids that are the same by chance make no meta-agents."""
    model = OrganismModel(width=8, height=8, rng=1)
    with pytest.raises(ValueError, match="agents must be given, .* from a graph without uids or a table"):
        nest().to_mesa(model)
    world = World(Topology.grid((12, 12)), rng=1)
    world.step(100)
    wholes = find_wholes(world, nulls=(), rng=1)
    with pytest.raises(ValueError, match="wholes must be of this model: member .* lives at .* in them"):
        wholes.to_mesa(model)
    other = mesa.Model()
    agents = [mesa.Agent(other) for _ in range(144)]
    with pytest.raises(ValueError, match="agents must be given, one a member: the model is no OrganismModel"):
        wholes.to_mesa(other)
    assert len(wholes.to_mesa(other, agents)) == len(wholes)
    with pytest.raises(TypeError, match="model must be a mesa.Model, not None"):
        wholes.to_mesa(None)


def test_no_meta_agents_without_members_or_without_mesa(monkeypatch):
    wholes = nest()
    with pytest.raises(ValueError, match="no agent of the model has the uid"):
        wholes.to_mesa(mesa.Model())
    with pytest.raises(ValueError, match="one for each of the 48 members, not 1"):
        wholes.to_mesa(mesa.Model(), [None])
    monkeypatch.setitem(__import__("sys").modules, "mesa.experimental.meta_agents", None)
    with pytest.raises(ImportError, match="does not offer; triplets"):
        wholes.to_mesa(mesa.Model())
