"""Roles: planted ones are found, none where there are none; through time, between groups, and as blocks of a graph."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from scipy import sparse, stats

from organism import Params, Topology, World, interdependence, regimes, roles
from organism.flows import reading
from organism.measures import division_of_labour
from organism.roles import (
    Acts,
    acts_of,
    block_roles,
    count_acts,
    find_roles,
    follow_roles,
    labour_between,
    refilling,
)
from organism.snapshots import Snapshots
from organism.wholes import Level, agreement, trade_of
from organism.wholes._detect import detect

MIXES = np.array([[.8, .1, .1], [.1, .8, .1], [.1, .1, .8]])


def planted(rng, n=150, acts=80, mixes=MIXES):
    """Return true roles, in random order, and a table of acts."""
    true = rng.permutation(np.arange(n) % len(mixes))
    return true, rng.multinomial(acts, mixes[true])


@pytest.fixture(scope="module")
def trading():
    """A world with roles, and snapshots of its windows."""
    world = World(Topology.grid((16, 16)), rng=1, ledger=True)
    series = Snapshots(world, every=400)
    world.step(2000)
    return world, series


# -- finding roles ------------------------------------------------------------------------


@pytest.mark.parametrize("mixes, acts, least", [
    (MIXES, 80, .99), (np.eye(5) * .5 + .1, 100, .99),                # all are told: AMI 1 in 20 recordings
    (MIXES * .45 + .55 / 3, 60, .95),                                 # .96 to 1 in 20 recordings, mean .98
    (MIXES * .35 + .65 / 3, 60, .85),                                 # .87 to .95, mean .91
    (MIXES * .25 + .75 / 3, 100, .8)])                                # .81 to .92, mean .84
def test_planted_roles_are_found(mixes, acts, least):
    """Roles are found and counted under noise; the comments say what AMI with the planted ones others got."""
    true, table = planted(np.random.default_rng(5), 400, acts, mixes)
    found = find_roles(table, rng=1)
    assert found.differ and found.n_roles == len(mixes)
    assert agreement(true, found.labels) >= least
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(400))
    assert sorted(found.sizes) == sorted(np.bincount(found.labels)) and found.sizes.sum() == 400


def test_roles_hide_in_noise():
    """Roles that differ by less than the acts scatter are not told apart, though the test sees that members differ."""
    mixes = np.array([[.4, .3, .3], [.3, .4, .3], [.3, .3, .4]])
    _, table = planted(np.random.default_rng(2), 400, 80, mixes)
    found = find_roles(table, rng=1)
    assert found.differ and found.n_roles == 1 and max(found.strengths.values()) < .8
    assert "by degrees" in str(found)


def test_members_that_differ_by_degrees_have_no_roles():
    rng = np.random.default_rng(4)
    found = find_roles(rng.multinomial(200, rng.dirichlet([2, 2, 2], 400)), rng=1)
    assert found.differ and found.n_roles == 1


def test_no_roles_in_shuffled_recordings():
    """The test errs as often as it should: 200 shuffles of a recording with roles, at level .05."""
    rng = np.random.default_rng(6)
    true = np.arange(60) % 3
    acts = (rng.random((30, 60))[..., None] > np.cumsum(MIXES, axis=1)[true]).sum(axis=-1)
    assert find_roles(count_acts(acts, 3), rng=1).n_roles == 3
    said = []
    for _ in range(200):
        shuffled = rng.permutation(acts.ravel()).reshape(acts.shape)
        said.append(find_roles(count_acts(shuffled, 3), n_resamples=99, rng=rng, max_roles=4))
    low, high = stats.binom(200, .05).ppf([.0005, .9995])
    assert low <= sum(one.differ for one in said) <= high
    assert sum(one.n_roles > 1 for one in said) <= high


def test_the_number_does_not_hang_on_luck():
    """Six clouds, of which poor fits find three alike: the number is the same with every seed, and so are the roles.

    Three do one thing, three do two. Mean strengths of 10 seeds scatter as their standard errors say.
    """
    ends = np.eye(3) * .7 + .1
    mixes = np.concatenate([ends, (ends + np.roll(ends, 1, axis=0)) / 2])
    true, table = planted(np.random.default_rng(1), 500, 60, mixes)
    found = [find_roles(table, rng=seed, n_resamples=19) for seed in range(10)]
    assert {one.n_roles for one in found} == {6} and not any(one.underdetermined for one in found)
    assert all(one.rivals == (6,) and "underdetermined" not in str(one) for one in found)
    strengths, errors = (np.array([getattr(one, name)[6] for one in found]) for name in ("strengths", "errors"))
    assert strengths.mean() > .9 and strengths.std() < .02 and errors.max() < .05
    assert min(agreement(found[0].labels, one.labels) for one in found) > .95


def test_an_open_number_is_said_to_be_open():
    """Near the threshold seeds still differ, and then all but few say that the number is underdetermined."""
    _, table = planted(np.random.default_rng(5), 400, 80, MIXES * .22 + .78 / 3)
    found = [find_roles(table, rng=seed, n_resamples=19, max_roles=4) for seed in range(10)]
    open_ = [one for one in found if one.underdetermined]
    assert len(open_) >= 7 and {3} <= set.intersection(*(set(one.rivals) for one in open_))
    assert all("The number is underdetermined" in str(one) and "or 3 roles" in str(one) for one in open_)
    for one in open_:
        assert all(abs(one.strengths[number] - .8) <= 2 * one.errors[number] for number in one.rivals[1:])


def test_which_numbers_are_open():
    from organism.roles._strength import chosen, rivals, strengths_of, together

    strengths, errors = {2: .95, 3: .79, 4: .5, 5: .81, 6: .7}, {2: .01, 3: .01, 4: .1, 5: .02, 6: .02}
    assert chosen(strengths, .8) == 5 and rivals(strengths, errors, .8) == (2, 3, 5)
    assert rivals(strengths, errors, .75) == (5,) and rivals({2: .3}, {2: .1}, .8) == (1,)
    assert chosen({2: .3}, .8) == chosen({}, .8) == 1
    tables = [np.diag([5, 1]), np.full((2, 2), 2), np.array([[3, 0], [4, 0]]), np.diag([5, 0])]
    assert [together(table) for table in tables] == [1, pytest.approx(1 / 3), 1, 0]
    assert together(tables[0], 5) == 0 and together(tables[2].T) == 0
    rng, drawn = np.random.default_rng(1), []
    means, errors = strengths_of(lambda number: drawn.append(number) or rng.normal({5: .8, 4: .95, 3: .2}[number], .1),
                                 (3, 4, 5), .8, many=20, members=400)
    assert drawn.count(5) == 20 and drawn.count(4) <= 20 and drawn.count(3) == 4 and list(means) == [3, 4, 5]
    assert errors[5] == pytest.approx(.1 / np.sqrt(20), rel=.5)
    assert list(strengths_of(lambda number: .9, (3, 4, 5), .8, rest=False)[0]) == [5]


def test_a_few_equal_draws_prove_nothing():
    """Strengths that leap between 0 and 1: a run of equal ones neither ends the draws nor has an error of 0."""
    from organism.roles._strength import error_of, strengths_of

    drawn = iter([1.] * 10 + [0., 1.] * 15)
    means, errors = strengths_of(lambda number: next(drawn), [2], .8)
    assert means[2] < .8 and errors[2] > .05
    assert [error_of([1.] * n) for n in (4, 40)] == [1 / 5, 1 / 41] and error_of([0.] * 4) == 1 / 5
    assert error_of([1.] * 4, 10**5) == 1 / 17 and error_of([0., 1.] * 8) == pytest.approx(np.sqrt(1 / 60))
    low, high = [], []                                  # what is clearly below needs few draws, what is above more
    strengths_of(lambda number: low.append(1) or .1, [2], .8, members=1000)
    strengths_of(lambda number: high.append(1) or 1., [2], .8, members=1000)
    assert len(low) == 4 < len(high) < 10


def test_blocks_of_a_small_graph_do_not_hang_on_luck():
    """Of ten seeds nine say of the karate club that there may be one block or two; before, five did."""
    found = [block_roles(nx.karate_club_graph(), n_nulls=0, max_blocks=3, rng=seed) for seed in (3, 6)]
    assert all(one.underdetermined and one.rivals == (1, 2) and one.errors[2] > .02 for one in found)


def test_order_of_members_does_not_matter():
    rng = np.random.default_rng(7)
    _, table = planted(rng)
    order = rng.permutation(len(table))
    a, b = find_roles(table, rng=1), find_roles(table[order], rng=1)
    assert a.n_roles == b.n_roles == 3
    assert (a.labels[order] == b.labels).all()
    names = [[profile.name for profile in one.profiles] for one in (a, b)]
    assert names == [["gathers 0", "gathers 1", "gathers 2"]] * 2


def test_same_seed_same_roles(trading):
    world, _ = trading
    a, b = (find_roles(world, rng=9) for _ in range(2))
    assert (a.labels == b.labels).all() and (a.probabilities == b.probabilities).all()
    assert (a.null_distribution == b.null_distribution).all() and a.strengths == b.strengths and a.seed == 9


@pytest.mark.parametrize("table, words", [
    (np.zeros((0, 3)), "nobody acted"), (np.zeros((6, 3)), "nobody acted"), ([[30, 4]], "only one member"),
    (np.full((30, 1), 40), "only one thing to do"), (np.tile([40, 0], (30, 1)), "no more than chance"),
    (np.eye(3)[np.arange(30) % 3] * 2, "30 members acted too little")])
def test_where_there_is_nothing_to_find(table, words):
    found = find_roles(table, rng=1)
    assert found.n_roles == 1 and found.pvalue == 1 and not found.differ
    assert "No roles" in str(found) and words in str(found)


@pytest.mark.parametrize("shape, params, words", [
    ((5, 5), Params.preset("organic").replace(resources=1), "only one thing to do"), ((1, 1), None, "only one member")])
def test_one_resource_and_one_member(shape, params, words):
    world = World(Topology.grid(shape), params, rng=1, ledger=True)
    series = Snapshots(world, every=50)
    world.step(100)
    for source in (world, series):
        assert words in str(find_roles(source, rng=1))
        assert not block_roles(source, rng=1).stands
    assert "No roles" in str(find_roles(reading(world), rng=1)) and "No roles" in str(follow_roles(series, rng=1))
    assert not labour_between(world, np.zeros(len(world.living), int), rng=1).defined
    with pytest.raises(ValueError, match=words):
        refilling(world, 0)


def test_nobody_alive():
    world = World(Topology.grid((3, 3)), rng=1, occupied=[], ledger=True)
    world.step(3)
    assert "nobody acted" in str(find_roles(world, rng=1))
    assert "fewer than two members" in str(block_roles(world, rng=1))
    with pytest.raises(ValueError, match="no roles to lose. No roles: nobody acted"):
        refilling(world, 0)


def test_profiles_in_plain_words():
    blocks = {"tasks": [[90, 10, 0]] * 20 + [[0, 0, 100]] * 20, "exports": [[5., 0]] * 20 + [[0, 0]] * 20,
              "imports": [[0, 3.]] * 20 + [[2, 2.]] * 20, "position": [[5., 3, 2]] * 20 + [[0., 4, 0]] * 20}
    acts = acts_of(blocks)
    found = find_roles(Acts(acts.blocks, acts.draws, acts.uid, acts.site, 2), rng=1)
    assert [profile.name for profile in found.profiles] == ["gathers 0", "rests"]
    assert str(found.profiles[0]) == (
        "gathers 0 (20 members): mostly gathers resource 0 (90%), mostly exports 0 (100%), mostly imports 1 (100%), "
        "gives more than it gets (50% given, 30% got, 20% made for itself)")
    assert found.profiles[1].text.startswith("mostly rests (100%), gives nothing, imports 0 (50%) and 1 (50%)")
    assert found.profiles[1].shares["exports"].tolist() == [0, 0]


def test_the_mixture_is_likelier_than_one_cloud():
    from organism.roles._acts import points_of
    from organism.roles._mixture import fit, found_again

    true, table = planted(np.random.default_rng(3))
    points, edges, floors = points_of(acts_of(table))
    assert points.shape == (150, 3) and (points**2).sum(axis=1) == pytest.approx(np.ones(150))
    assert floors == pytest.approx([1 / 320])
    clouds = {number: fit(points, edges, floors, number, np.random.default_rng(1)) for number in (1, 3)}
    assert clouds[3].loglikelihood > clouds[1].loglikelihood + 150
    centres = np.array([points[true == role].mean(axis=0) for role in range(3)])
    nearest = ((clouds[3].centres[:, None] - centres[None])**2).sum(axis=2).min(axis=1)
    assert nearest.max() < 1e-4
    assert (clouds[3].variances >= floors).all()
    strength = [found_again(points, edges, floors, number, np.random.default_rng(1)) for number in (1, 3, 5)]
    assert strength[0] == 1 and strength[1] > .95 and strength[2] < .8


# -- what roles are found in ------------------------------------------------------------------


def test_sources_agree(trading):
    world, series = trading
    whole = find_roles(world, n_roles=3, rng=1)
    for source in (series, series[-1], reading(world), interdependence(world)):
        found = find_roles(source, n_roles=3, rng=1)
        assert found.differ and (found.uid == whole.uid).all()
        assert float(whole.agreement(found)) > .6
    first, last = find_roles(series, window=0, rng=1), find_roles(series, rng=1)
    assert not np.array_equal(first.labels, last.labels)
    assert (last.labels == find_roles(series[len(series) - 1], rng=1).labels).all()


def test_acts_of_a_snapshot_and_of_a_reading(trading):
    world, series = trading
    acts, read = acts_of(series), acts_of(series[-1].reading())
    assert list(acts.blocks) == ["tasks", "exports", "imports", "position"]
    assert list(read.blocks) == ["exports", "imports", "position"] and acts.counted and not read.counted
    assert acts.blocks["exports"] == pytest.approx(read.blocks["exports"])
    assert acts.blocks["exports"].sum() == pytest.approx(acts.blocks["imports"].sum(), rel=1e-6)
    assert acts.blocks["position"][:, :2] == pytest.approx(read.blocks["position"])
    assert (acts.draws == series[-1].draws).all()
    assert (acts_of(world).blocks["position"] >= 0).all()


def test_more_may_arrive_than_is_burned(trading, monkeypatch):
    monkeypatch.setattr("organism.roles._acts.dependence", lambda world, each: np.full(256, 1.5))
    acts = acts_of(trading[0])
    assert (acts.blocks["position"][:, 2] == 0).all() and find_roles(trading[0], rng=1).differ


def test_ties_are_the_acts_of_flows():
    graph = nx.DiGraph()
    graph.add_edge("a", "b", weight=2., r0=2., r1=0.)
    graph.add_edge("a", "c", weight=2., r0=0., r1=2.)
    graph.add_edge("b", "c", weight=3., r0=0., r1=3.)
    acts = acts_of(graph)
    assert acts.blocks["exports"].tolist() == [[2, 2], [0, 3], [0, 0]]
    assert acts.blocks["imports"].tolist() == [[0, 0], [2, 0], [0, 5]]
    assert acts.draws.tolist() == [2, 1, 0] and acts.resources == 2
    assert acts_of(graph, "position").draws == pytest.approx([2, 25 / 13, 25 / 13])
    assert acts_of(graph, draws=7).draws.tolist() == [7, 7, 7] and acts_of(graph, draws=7).counted
    plain = acts_of(sparse.csr_array(nx.to_scipy_sparse_array(graph)))
    assert list(plain.blocks) == ["position"] and plain.resources == 0


def test_counting_acts():
    rng = np.random.default_rng(1)
    acts = rng.integers(-1, 4, (50, 7))
    table = count_acts(acts, 5)
    assert table.shape == (7, 5) and table[:, 4].sum() == 0
    assert all(table[i, m] == (acts[:, i] == m).sum() for i in range(7) for m in range(5))
    assert count_acts(np.zeros((0, 3), int)).tolist() == [[0], [0], [0]]
    for wrong, error, match in (([[0, 3]], ValueError, r"\[-1, 2\], not 3"), ([[0, -2]], ValueError, "not -2"),
                                ([[.5]], TypeError, "whole numbers"), ([1, 2], TypeError, "two axes")):
        with pytest.raises(error, match=match):
            count_acts(wrong, 3)


@pytest.mark.parametrize("change, match", [
    ({"n_roles": 41}, r"n_roles must be in \[1, 40\]"), ({"n_roles": 0}, "n_roles must be at least 1"),
    ({"threshold": 0}, r"threshold must be in \(0, 1\], not 0"), ({"alpha": 2}, r"alpha must be in \(0, 1\]"),
    ({"blocks": "exports"}, "blocks must be some of tasks, not 'exports'"), ({"draws": -1}, "draws must be"),
    ({"blocks": []}, "not none"), ({"max_roles": 1}, "max_roles must be at least 2"),
    ({"threshold": "a"}, r"threshold must be a number in \(0, 1\], not 'a'"),
    ({"least_acts": "b"}, "least_acts must be a number of 0 or more, not 'b'"),
    ({"least_acts": -1}, "least_acts must be 0 or more, not -1"), ({"draws": "x"}, "draws must hold numbers"),
    ({"window": "a"}, "window must be a whole number, not 'a'"), ({"threshold": float("nan")}, "not nan")])
def test_arguments_are_checked(change, match):
    with pytest.raises((TypeError, ValueError), match=match):
        find_roles(planted(np.random.default_rng(1), 40)[1], rng=1, **change)


def test_tables_are_checked():
    for source, match in (([[1, -2]], r"tasks\[0, 1\] must be finite and 0 or more, not -2"), ([1, 2], "two axes"),
                          ({}, "at least one block"), ({"a": [[1]], "b": [[1], [2]]}, "one row for each member")):
        with pytest.raises(ValueError, match=match):
            find_roles(source)


def test_sources_are_checked():
    for source, match in ((None, "source must be a World, .*, or Snapshots, not None"), (3, "or Snapshots, not 3"),
                          ("abc", "not 'abc'"), ([["a"]], "tasks must hold numbers"),
                          ([[1, 2], [3]], "tasks must hold numbers, in rows of one length")):
        with pytest.raises(TypeError, match=match):
            find_roles(source)
    world = World(Topology.grid((4, 4)), rng=1)
    recording = world.record({"one": lambda world: 1.0}, every=5)
    world.step(10)
    with pytest.raises(TypeError, match="recording of measures, which holds no acts of members; take Snapshots"):
        find_roles(recording)
    graph = nx.Graph()
    graph.add_edge("a", "b", weight="much")
    with pytest.raises(TypeError, match="weight of an edge must be a number, not 'much' .edge from 'a' to 'b'"):
        block_roles(graph)
    for change, match in (({"alpha": "a"}, r"alpha must be a number in \(0, 1\), not 'a'"),
                          ({"threshold": None}, r"threshold must be a number in \(0, 1\], not None")):
        with pytest.raises(TypeError, match=match):
            block_roles(nx.karate_club_graph(), **change)


def test_texts_of_blocks_are_plain():
    import dataclasses

    found = block_roles(nx.karate_club_graph(), 2, n_nulls=0, rng=1)
    assert all(": gives most to block " in line for line in str(found).splitlines()[1:]) and "(misfit)" in str(found)
    one = dataclasses.replace(found, rates=found.rates[:1, :1], icl={1: 0., 2: 1.}, strengths={2: .75, 3: .1},
                              errors={2: .1, 3: .1})
    assert str(one).startswith("No blocks for certain: no number from 2 to 3 is found again in the other half of the "
                               "ties of the 34 members (prediction strength below 0.8); ICL alone would take 2 (ICL: "
                               "likelihood less a price for each block).\n  The number is underdetermined")
    sure = dataclasses.replace(one, strengths={2: .1}, errors={2: .1})
    assert str(sure).startswith("No blocks: no number above 1 is found again") and "underdetermined" not in str(sure)


def test_a_series_without_windows(trading):
    world, series = trading
    empty = Snapshots(world.fork(), every=5)
    for call in (find_roles, block_roles, follow_roles):
        with pytest.raises(ValueError, match="snapshot|window"):
            call(empty)
    with pytest.raises(ValueError, match="window must be one of the 5 snapshots taken, not 5"):
        find_roles(series, window=5)


def test_roles_in_a_frame():
    true, table = planted(np.random.default_rng(1), 60)
    table[0] = 0
    found = find_roles(table, rng=1)
    frame = found.frame()
    assert frame["role"].tolist() == found.labels.tolist() and frame["name"][0] == "unknown"
    assert np.isnan(frame["probability"][0]) and frame["probability"][1:].min() > 1 / 3


# -- through time ----------------------------------------------------------------------------


def test_roles_keep_their_numbers():
    """Windows number their roles by what they find first; matched, a role keeps its number."""
    rng = np.random.default_rng(1)
    true = np.arange(120) % 3
    windows = [find_roles(rng.multinomial(100, MIXES[true]), rng=1) for _ in range(2)]
    swapped = find_roles(rng.multinomial(100, MIXES[true]), rng=1)
    order = np.array([2, 0, 1])                                     # the same roles under other numbers
    back = np.argsort(order)
    cloud = type(swapped.cloud)(swapped.cloud.centres[back], swapped.cloud.weights[back], swapped.cloud.variances,
                                swapped.cloud.edges, swapped.cloud.loglikelihood)
    import dataclasses

    swapped = dataclasses.replace(swapped, labels=order[swapped.labels], cloud=cloud,
                                  profiles=[swapped.profiles[i] for i in back])
    history = follow_roles([*windows, swapped], rng=1)
    assert agreement(history.labels[0], true) == 1 and not (swapped.labels == history.labels[2]).all()
    assert (history.labels[2] == history.labels[0]).all() and history.persistence.tolist() == [1, 1]
    assert history.lasting and history.names == {0: "gathers 0", 1: "gathers 1", 2: "gathers 2"}
    assert history.entropy == pytest.approx([np.log2(3)] * 3) and (history.corrected == 1).all()
    assert history.expected == pytest.approx([1 / 3] * 2, abs=.06)
    assert history.sizes().tolist() == [[40, 40, 40]] * 3


def test_roles_that_do_not_last():
    """Members draw new roles each window: the roles are there, but nobody keeps one."""
    rng = np.random.default_rng(2)
    history = follow_roles([planted(rng, 120)[1] for _ in range(5)], rng=1)
    assert len(history.names) == 3 and history.lasting is False
    assert history.persistence == pytest.approx(np.full(4, 1 / 3), abs=.15)
    assert "roles do not last" in str(history)


def test_all_members_swap_their_tasks():
    """Whoever did task 0 now does 1, and so on: the roles are the same, and nobody keeps one."""
    rng = np.random.default_rng(8)
    for mixes in (MIXES, MIXES * .5 + .5 / 3):
        true = np.arange(150) % 3
        history = follow_roles([rng.multinomial(200, mixes[(true + turn) % 3]) for turn in (0, 1, 2)], rng=1)
        assert len(history.names) == 3 and (history.persistence < .05).all() and (history.pvalue == 1).all()
        assert "roles do not last" in str(history)


def test_a_role_changes_what_it_does():
    """Little by little a role gathers another thing, with the same members: it is the same role all the time."""
    rng, true = np.random.default_rng(9), np.arange(150) % 3
    windows = []
    for part in np.linspace(0, 1, 7):
        mixes = np.array([[.8, .1, .05, .05], [.1, .8, .05, .05], [.05, .05, .85 - .8 * part, .05 + .8 * part]])
        windows.append(rng.multinomial(200, mixes[true]))
    history = follow_roles(windows, n_roles=3, rng=1)
    assert history.lasting and (history.persistence == 1).all()
    assert history.names == {0: "gathers 0", 1: "gathers 1", 2: "gathers 3"}


def test_members_decide_where_roles_do_alike():
    from organism.roles._follow import _match

    was, own = np.repeat([0, 1, 2], 10), np.repeat([2, 0, 1], 10)
    assert _match(was, own, np.full((3, 3), .3)).tolist() == [1, 2, 0]
    assert _match(was, own, np.full((3, 3), .3) + np.eye(3) * -.3 + .6).tolist() == [-1, -1, -1]
    assert _match(was, own, np.full((3, 3), .9) + .6, np.inf).tolist() == [1, 2, 0]
    assert _match(was, own, np.where(np.eye(3), 0, 1.)).tolist() == [0, 1, 2]


def test_persistence_by_lot_is_at_its_level():
    rng = np.random.default_rng(3)
    windows = [find_roles(planted(rng, 60)[1], 3, n_resamples=1, rng=rng) for _ in range(201)]
    history = follow_roles(windows, n_resamples=99, rng=1)
    low, high = stats.binom(200, .05).ppf([.0005, .9995])
    assert (history.pvalue <= .05).sum() <= high
    assert np.abs(history.corrected.mean()) < .03


def test_a_third_changes_roles_and_a_role_comes_and_goes():
    rng = np.random.default_rng(4)
    true = np.arange(180) % 2
    three = np.where(np.arange(180) < 60, 2, true)
    history = follow_roles([rng.multinomial(150, MIXES[roles_]) for roles_ in (true, three, true, three)], rng=1)
    assert len(history.names) == 3 and np.count_nonzero(history.sizes(), axis=1).tolist() == [2, 3, 2, 3]
    assert history.persistence == pytest.approx(np.full(3, 2 / 3), abs=.02) and history.lasting
    assert (history.labels[1] == history.labels[3]).mean() > .98      # the role that was gone has its number again
    steps, frame = history.steps(), history.frame()
    assert steps["roles"].tolist() == [2, 3, 2, 3] and np.isnan(steps["persistence"][0])
    assert len(frame) == 4 * 180 and set(frame["name"]) == {"gathers 0", "gathers 1", "gathers 2"}


def test_windows_without_roles_say_nothing():
    rng = np.random.default_rng(5)
    true = np.arange(120) % 3
    alike = rng.multinomial(100, np.full(3, 1 / 3), 120)
    history = follow_roles([rng.multinomial(100, MIXES[true]), alike, rng.multinomial(100, MIXES[true])], rng=3)
    assert history.sizes().tolist() == [[40, 40, 40], [0, 0, 0], [40, 40, 40]]
    assert np.isnan(history.persistence[0]) and history.persistence[1] == 1 and np.isnan(history.pvalue[0])
    assert "In 1 of 3 windows no roles are told apart" in str(history)
    none = follow_roles([np.zeros((5, 3)), np.zeros((0, 3))], rng=1)
    assert none.lasting is None and str(none) == "No roles in 2 windows (ticks 0–1): none are told apart."
    once = follow_roles([rng.multinomial(100, MIXES[true])], rng=1)
    assert once.lasting is None and "says nothing of persistence" in str(once)


def test_following_snapshots(trading):
    _, series = trading
    a, b = (follow_roles(series, blocks="tasks", rng=1) for _ in range(2))
    assert (a.ticks == series.ticks).all() and len(a) == 5
    assert np.array_equal(a.null_distribution, b.null_distribution, equal_nan=True)
    assert a.lasting and np.nanmin(a.persistence) > .5 and np.nanmax(a.expected) < .45
    with pytest.raises(ValueError, match="ticks must hold one number for each of the 5 windows"):
        follow_roles(series, ticks=[1, 2], blocks="tasks")
    with pytest.raises(ValueError, match="same blocks"):
        follow_roles([find_roles(series, blocks=one, rng=1) for one in ("tasks", "position", "exports", ["tasks",
                      "exports"])])
    with pytest.raises(ValueError, match="at least one window"):
        follow_roles([])


# -- refilling -------------------------------------------------------------------------------


def test_neighbours_take_over(trading):
    world = trading[0]
    found = find_roles(world, 3, blocks="tasks", rng=1)
    role = [one.name for one in found.profiles].index("gathers 2")
    patch = np.flatnonzero((np.arange(256) // 16 < 5) & (np.arange(256) % 16 < 5))
    tick, before = world.tick, world.state["task_counts"].copy()
    lost = refilling(world, role, patch, roles=found, ticks=400, branches=6, rng=1)
    assert world.tick == tick and (world.state["task_counts"] == before).all()
    assert lost.taken_over and .1 < lost.low < lost.statistic < lost.high < 1
    assert abs(lost.elsewhere) < .02 and lost.newcomers == 0 and str(lost).startswith("Neighbours take over")
    assert set(lost.lost) == set(patch[found.labels[patch] == role]) and not set(lost.site) & set(lost.lost)
    assert lost.seeds[0] == world.seed and len(set(lost.seeds)) == 6
    frame = lost.frame()
    assert frame["change"].sum() / len(lost.lost) == pytest.approx(lost.statistic)
    assert ((frame["low"] <= frame["change"]) & (frame["change"] <= frame["high"])).all()


def test_a_trace_is_no_takeover(trading):
    """One member is lost, and its neighbours change surely, but by next to nothing."""
    lost = refilling(trading[0], sites=40, roles=find_roles(trading[0], 3, blocks="tasks", rng=1), ticks=20, rng=1)
    import dataclasses

    trace = dataclasses.replace(lost, statistic=.01, low=.005, high=.02)
    assert trace.taken_over is False and str(trace).startswith("Neighbours do not take over, but for a trace")
    assert dataclasses.replace(lost, statistic=.2, low=.1, high=.3).taken_over
    assert str(dataclasses.replace(lost, statistic=-.2, low=-.3, high=-.1)).startswith("Neighbours turn away")


def ruled():
    """A world whose members do one task each, by rule."""
    world = World(Topology.grid((9, 9)), rng=3)
    for good in range(3):
        world.govern(regimes.Rule(task="assigned", good=good), np.flatnonzero(np.arange(81) % 3 == good))
    world.step(300)
    return world


def test_nobody_takes_over_by_rule():
    world = ruled()
    lost = refilling(world, 0, np.arange(40), ticks=200, branches=3, rng=1)
    assert (lost.change == 0).all() and lost.statistic == 0 and lost.taken_over is False
    assert str(lost).startswith("No sign that neighbours take over")
    one = refilling(world, sites=40, ticks=50, branches=1, rng=1)
    assert one.taken_over is None and one.lost.tolist() == [40] and len(one.site) == 8
    assert one.role == find_roles(world, blocks="tasks", rng=1).labels[40]


def test_twins_share_their_luck(trading):
    """After one tick nobody but neighbours can know of the loss, and all others do the same as in the twin."""
    lost = refilling(trading[0], sites=[40, 41], roles=find_roles(trading[0], 3, blocks="tasks", rng=1), ticks=1,
                     branches=4, rng=1)
    assert lost.elsewhere == 0 and (lost.twin > 0).any()


def test_newborns_refill():
    params = Params.preset("evolving").replace(**{"demography.refill": .2, "care.weight": .75,
                                                  "demography.inherit_policy": True})
    world = World(Topology.grid((12, 12)), params, rng=1)
    world.step(1500)
    found = find_roles(world, 3, blocks="tasks", rng=1)
    lost = refilling(world, 0, roles=found, ticks=300, branches=2, rng=1)
    assert lost.newcomers > .02 and np.isnan(lost.change).any()


@pytest.mark.parametrize("given, error, match", [
    ({}, ValueError, "role or sites must be given"), ({"role": 7}, ValueError, r"role must be in \[0, 2\], not 7"),
    ({"role": 0, "sites": []}, ValueError, "no member of role 0"), ({"sites": 99}, ValueError, r"\[0, 80\]"),
    ({"role": 0, "ticks": 0}, ValueError, "ticks must be at least 1")])
def test_refilling_checks(given, error, match):
    with pytest.raises(error, match=match):
        refilling(ruled(), rng=1, **given)


def test_refilling_needs_roles_of_this_world(trading):
    world = trading[0]
    with pytest.raises(ValueError, match="roles must be those of this world"):
        refilling(world, 0, roles=find_roles(ruled(), n_roles=3, rng=1))
    with pytest.raises(TypeError, match="world must be a World"):
        refilling("here", 0)


# -- between groups --------------------------------------------------------------------------


def test_the_parts_add_up():
    rng = np.random.default_rng(1)
    for _ in range(5):
        table, groups = rng.integers(0, 9, (30, 4)), rng.integers(0, 4, 30)
        found = labour_between(table, groups, n_resamples=9, rng=1)
        acts = np.stack([np.bincount(groups, column) for column in table.T], axis=1)
        assert found.total == pytest.approx(division_of_labour(table, corrected=False))
        assert found.between == pytest.approx(division_of_labour(acts, corrected=False))
        assert found.within == pytest.approx(found.total - found.between) and found.within > 0
        assert found.corrected["total"] == pytest.approx(division_of_labour(table))
        assert found.corrected["total"] == pytest.approx(found.corrected["between"] + found.corrected["within"])


def test_groups_of_specialists_and_balanced_bundles():
    true, table = planted(np.random.default_rng(2), 120)
    apart, bundles = labour_between(table, true, rng=1), labour_between(table, np.argsort(np.argsort(
        true, kind="stable")) % 40, rng=1)
    assert apart.corrected["between"] > 50 * abs(apart.corrected["within"])
    assert apart.nulls["groups"]["between"].above == .005 and "among themselves" in str(apart)
    assert bundles.nulls["groups"]["between"].below == .005 and "balanced bundle" in str(bundles)
    assert bundles.corrected["within"] > 20 * abs(bundles.corrected["between"])
    assert bundles.nulls["groups"]["within"].above == .005
    names = labour_between(table, np.array(["x", "y", "z"])[true], rng=1)
    assert names.groups.tolist() == ["x", "y", "z"] and names.between == apart.between
    assert f"is {bundles.between:.2g}, and would be" in str(bundles) and "0.000" not in str(bundles)
    from organism.roles._groups import _brief
    assert [_brief(value) for value in (0, 3e-7, .00034, .5)] == ["0", "below 0.0001", "0.00034", "0.5"]


def test_groups_by_lot_are_at_their_level():
    """Specialists put into groups by lot, 200 times: either tail calls as often as it should."""
    rng = np.random.default_rng(3)
    _, table = planted(rng, 60, 40)
    found = [labour_between(table, rng.integers(0, 5, 60), n_resamples=39, rng=rng).nulls["groups"]["between"]
             for _ in range(200)]
    low, high = stats.binom(200, .05).ppf([.0005, .9995])
    assert low <= sum(one.above <= .05 for one in found) <= high
    assert low <= sum(one.below <= .05 for one in found) <= high


def test_undivided_labour_is_at_its_level():
    """Members that all draw from one mix: the null of dealt acts calls as often as it should, in every part."""
    rng = np.random.default_rng(4)
    found = [labour_between(rng.multinomial(20, [.5, .3, .2], 30), np.arange(30) % 5, n_resamples=39, rng=rng)
             for _ in range(200)]
    low, high = stats.binom(200, .05).ppf([.0005, .9995])
    for part in ("total", "between", "within"):
        assert low <= sum(one.nulls["acts"][part].above <= .05 for one in found) <= high
        assert np.mean([one.corrected[part] for one in found]) == pytest.approx(0, abs=.005)
    said = [str(one) for one in found if one.nulls["acts"]["total"].above > .05]
    assert all(text.startswith("Labour is not divided") for text in said)


def test_labour_between_groups_that_trade(trading):
    world = trading[0]
    trade = trade_of(world)
    groups = detect(trade.flows, 1.0, seed=1)
    level = Level(groups, trade, 1.0, np.nan, np.nan, {})
    assert find_roles(world, 3, rng=1).agreement(level).sizes == (3, level.n_wholes)
    found = labour_between(world, groups, rng=1)
    assert found.nulls["acts"]["total"].above == .005
    assert found.corrected["within"] > 10 * abs(found.corrected["between"])
    assert len(found.frame()) == 5 and found.sizes.sum() == 256
    some = labour_between(world, np.where(np.arange(256) < 100, groups, -1), rng=1)
    assert some.sizes.sum() == 100
    with pytest.raises(ValueError, match="groups must have one label for each of the 256 members"):
        labour_between(world, [0, 1])


@pytest.mark.parametrize("table", [np.zeros((0, 3)), np.zeros((4, 3)), np.full((4, 1), 20), [[3, 2]]])
def test_no_labour_to_divide(table):
    found = labour_between(table, np.zeros(len(table), int), rng=1)
    assert not found.defined and found.total == found.corrected["total"] == 0
    assert found.nulls["acts"]["total"].above == 1 and str(found).startswith("No division of labour")


# -- blocks of a graph -----------------------------------------------------------------------


def graph_of(rng, true, rates, uneven=True):
    """Return Poisson flows between members of uneven strengths."""
    strength = rng.gamma(4, .25, len(true)) if uneven else np.ones(len(true))
    flows = rng.poisson(np.asarray(rates)[true][:, true] * strength[:, None] * strength)
    np.fill_diagonal(flows, 0)
    return sparse.csr_array(flows)


@pytest.mark.parametrize("rates, least", [
    ([[.3, .03, .03], [.03, .3, .03], [.03, .03, .3]], .95),         # each to its own
    ([[.02, .3, .02], [.02, .02, .3], [.3, .02, .02]], .95),         # a cycle
    ([[.4, .4, .04], [.4, .04, .04], [.04, .04, .6]], .95)])         # centre and rim, and one apart
def test_planted_blocks_are_found(rates, least):
    """Of 20 graphs each, all had three blocks; least AMI .98, 1 and .91."""
    rng = np.random.default_rng(1)
    true = rng.permutation(np.arange(210) % 3)
    found = block_roles(graph_of(rng, true, rates), rng=1)
    assert found.n_blocks == 3 and found.stands and found.pvalue == .05 and not found.given
    assert agreement(true, found.labels) >= least
    assert found.icl[3] == max(found.icl.values()) and found.dispersion[0] == pytest.approx(1, abs=.1)


def test_few_ties_show_fewer_blocks():
    """With half as many flows, centre and rim are not surely told apart in half of these, and that is said."""
    rng = np.random.default_rng(1)
    true = rng.permutation(np.arange(210) % 3)
    found = block_roles(graph_of(rng, true, [[.2, .2, .02], [.2, .02, .02], [.02, .02, .3]]), n_nulls=0, rng=1)
    assert found.by_icl == 3 and found.n_blocks == 2 and found.strengths[3] < .8 < found.strengths[2]
    assert "ICL alone would take 3 (ICL: likelihood less a price for each block), but more than 2 are not" in str(found)


def test_blocks_by_degrees_are_none():
    """Members of a large lattice whose mixes differ by degrees: ICL divides as far as it may, and nothing is kept."""
    rng, topology = np.random.default_rng(3), Topology.grid((24, 24))
    mix = rng.dirichlet([2, 2, 2], 576)
    amount = rng.poisson(6 * mix[topology.source] * (1 - mix[topology.target])).astype(float)
    graph = nx.DiGraph()
    graph.add_edges_from((i, j, {"weight": sum(each), **{f"r{k}": each[k] for k in range(3)}}) for i, j, each in zip(
        topology.source.tolist(), topology.target.tolist(), amount.tolist(), strict=True))
    found = block_roles(graph, given=True, max_blocks=6, n_nulls=0, rng=1)
    assert found.n_blocks == 1 and found.by_icl >= 5 and max(found.strengths.values()) < .8
    assert "is found again in the other half of the ties" in str(found) and not found.stands


def test_goods_are_no_counts():
    """Flows in other units, and uneven ones, give the same blocks; dispersion says what an act is."""
    rng = np.random.default_rng(2)
    true = rng.permutation(np.arange(210) % 3)
    counts = graph_of(rng, true, np.full((3, 3), .03) + np.eye(3) * .4)
    plain, large = block_roles(counts, rng=1, n_nulls=0), block_roles(counts * 1000., rng=1, n_nulls=0)
    assert (plain.labels == large.labels).all() and large.dispersion == pytest.approx(1000 * plain.dispersion)
    assert large.icl == pytest.approx(plain.icl)
    uneven = counts.astype(float)
    uneven.data *= rng.exponential(1, counts.nnz)
    found = block_roles(uneven, rng=1)
    assert found.n_blocks == 3 and agreement(true, found.labels) > .9


def test_blocks_by_resource_on_given_ties():
    """On a lattice whose ties say nothing, who gives what to whom does."""
    rng, topology = np.random.default_rng(3), Topology.grid((16, 16))
    true = rng.permutation(np.arange(256) % 3)
    graph = nx.DiGraph()
    for i, j in zip(topology.source.tolist(), topology.target.tolist(), strict=True):
        graph.add_edge(i, j, **{f"r{k}": float(rng.poisson(4. if true[i] == k != true[j] else .3)) for k in range(3)})
        graph.edges[i, j]["weight"] = sum(graph.edges[i, j][f"r{k}"] for k in range(3))
    found = block_roles(graph, given=True, rng=1)
    place = [list(graph).index(site) for site in range(256)]
    assert found.given and found.n_blocks == 3 and found.stands and agreement(true, found.labels[place]) > .95
    assert sorted(found.shares.argmax(axis=1)) == [0, 1, 2] and found.rates.shape == (3, 3, 3)
    by_flows = find_roles(graph, rng=1)
    assert float(by_flows.agreement(found)) > .9 and "They agree:" in str(by_flows.agreement(found))


def test_no_blocks_where_strengths_are_all():
    rng = np.random.default_rng(4)
    found = [block_roles(graph_of(rng, np.zeros(80, int), [[.1]]), max_blocks=4, rng=1, n_nulls=19) for _ in range(20)]
    assert sum(one.stands for one in found) <= stats.binom(20, .05).ppf(.9995)
    assert all("No blocks" in str(one) for one in found if not one.stands)


def test_no_blocks_in_shuffled_flows(trading):
    import dataclasses

    rng, one = np.random.default_rng(5), trading[1][-1]
    real = block_roles(one, max_blocks=4, rng=1)
    assert real.stands and real.statistic > 3 * real.null_distribution.max()
    for _ in range(3):
        amount = np.zeros((one.topology.n_ties, 3), np.float32)
        amount[one.tie] = one.amount
        shuffled = dataclasses.replace(one, tie=np.arange(len(amount), dtype=np.int32), amount=rng.permutation(amount))
        found = block_roles(shuffled, max_blocks=4, rng=1, n_nulls=0)
        assert found.n_blocks == 1 or found.statistic < real.statistic / 3


def test_blocks_and_roles_of_a_world(trading):
    world, series = trading
    blocks, same = block_roles(world, 3, n_nulls=0, rng=1), block_roles(world, 3, n_nulls=0, rng=1)
    assert (blocks.labels == same.labels).all() and blocks.given and "as asked for" in str(blocks)
    found = find_roles(world, 3, rng=1)
    assert float(found.agreement(blocks)) > .7
    kept = world.fork()
    kept.remove(np.arange(5))
    assert found.agreement(block_roles(kept, 3, n_nulls=0, rng=1)).n == 251
    assert (block_roles(reading(world), 3, n_nulls=0, rng=1).labels == blocks.labels).mean() > .95
    assert len(blocks.frame()) == 256 and blocks.sizes.sum() == 256


def test_disagreement_is_said():
    rng = np.random.default_rng(6)
    true, table = planted(rng, 120)
    found = find_roles(table, rng=1)
    same, other = found.agreement(true), found.agreement(rng.permutation(true))
    assert float(same) == 1 and str(same).startswith("They agree: ") and same.pvalue < 1e-20
    assert "; p < 0.001)" in str(same) and "e-" not in str(same)
    assert abs(float(other)) < .1 and str(other).startswith("They disagree: ") and other.pvalue > .01
    assert str(found.agreement(np.zeros(120, int))).startswith("Nothing to compare: one does not divide")
    assert str(found.agreement(np.full(120, -1))).startswith("Nothing to compare: no member")
    mixed = np.where(rng.random(120) < .35, rng.permutation(true), true)
    assert str(found.agreement(mixed)).startswith("They agree in part: ")
    with pytest.raises(ValueError, match="one label for each of the 120 members"):
        found.agreement([1, 2])


def test_order_of_members_does_not_matter_for_blocks():
    rng = np.random.default_rng(7)
    true = rng.permutation(np.arange(150) % 3)
    flows = graph_of(rng, true, np.full((3, 3), .03) + np.eye(3) * .5).tocsr()
    order = rng.permutation(150)
    a, b = block_roles(flows, n_nulls=0, rng=1), block_roles(flows[order][:, order], n_nulls=0, rng=1)
    assert a.n_blocks == b.n_blocks == 3 and agreement(a.labels[order], b.labels) == 1


@pytest.mark.parametrize("flows", [np.zeros((0, 0)), np.zeros((4, 4)), np.zeros((1, 1))])
def test_no_flows_no_blocks(flows):
    found = block_roles(sparse.csr_array(flows), rng=1)
    assert found.n_blocks == 1 and not found.stands and found.pvalue == 1 and "fewer than two" in str(found)


def test_few_members():
    pair = sparse.csr_array(np.array([[0, 1.], [0, 0]]))
    assert block_roles(pair, rng=1).n_blocks == 1
    with pytest.raises(ValueError, match=r"n_blocks must be in \[1, 2\]"):
        block_roles(pair, 3)
    ring = nx.DiGraph([(i, (i + 1) % 6, {"weight": 1.}) for i in range(6)])
    assert not block_roles(ring, rng=1).stands and set(block_roles(ring, rng=1).labels) >= {0}


def test_public_names():
    assert all(hasattr(roles, name) for name in roles.__all__)


def test_roles_of_plain_flows_are_named_by_position():
    found = find_roles(nx.gn_graph(60, seed=1), rng=1)
    assert {one.name for one in found.profiles} <= {
        "gives more than it gets", "gets more than it gives", "gives as much as it gets"}


def test_nobody_has_no_role_in_the_text():
    assert str(find_roles(np.zeros((6, 3)), rng=1)).splitlines() == [
        "No roles: nobody acted enough to tell (least_acts is how much that is).",
        "  6 members acted too little to tell"]


def test_without_directions_nobody_differs():
    found = find_roles(nx.karate_club_graph(), rng=1)
    assert found.pvalue == 1 and "as it must where flows have no direction (p = 1)" in str(found)


# -- members are matched by who they are ------------------------------------------------------


def reborn():
    """A world whose sites are not in the order of uids, and the flows of its last window."""
    world = World(Topology.grid((6, 6)), rng=1, ledger=True)
    world.step(60)
    for site in (0, 7, 20):
        world.remove([site])
        world.add([site])
    world.step(60)
    return world, reading(world)


def test_levels_are_matched_by_uid():
    world, flows = reborn()
    trade, uid = trade_of(flows), np.asarray(world.state["uid"][world.living])
    assert len(trade.uid) == len(uid) and (trade.uid != uid).any()
    found = find_roles(world, 3, rng=1)
    of = dict(zip(found.uid.tolist(), found.labels.tolist(), strict=True))
    level = Level(np.array([of[one] for one in trade.uid.tolist()]), trade, 1.0, np.nan, np.nan, {})
    same = found.agreement(level)
    assert same.statistic == pytest.approx(1) and same.n == (found.labels >= 0).sum()
    by_uid, by_place = (labour_between(world, groups, n_resamples=9, rng=1) for groups in (level, found.labels))
    assert by_uid.between == by_place.between and by_uid.matched == 36 and by_place.matched is None
    assert "36 members matched by uid" in str(by_uid) or "not divided" in str(by_uid)
    assert labour_between(world, found, n_resamples=9, rng=1).between == by_uid.between


def test_strangers_are_not_matched():
    world, flows = reborn()
    trade = trade_of(flows)
    strange = Level(np.zeros(36, int), replace(trade, uid=trade.uid + 1000), 1.0, np.nan, np.nan, {})
    for call in (lambda: find_roles(world, 2, rng=1).agreement(strange), lambda: labour_between(world, strange)):
        with pytest.raises(ValueError, match="must be of members with the same uids, not of 36 others"):
            call()


# -- roles in flows alone ---------------------------------------------------------------------


def single_goods(rng, true=None, own=0.):
    """60 members that each give 5 others one good each, exponential amounts; with ``own`` that of their role."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(60))
    for i in range(60):
        for j in rng.choice(np.delete(np.arange(60), i), 5, replace=False).tolist():
            amount, good = rng.exponential(), true[i] if rng.random() < own else rng.integers(3)
            graph.add_edge(i, j, weight=amount, **{f"r{k}": amount * (k == good) for k in range(3)})
    return graph


def test_goods_dealt_to_ties_keep_amounts_and_counts():
    graph = single_goods(np.random.default_rng(1))
    for block in ("exports", "imports"):
        acts = acts_of(graph, block)
        dealt = acts.deal(np.random.default_rng(2))
        assert dealt.sum(axis=1) == pytest.approx(acts.blocks[block].sum(axis=1))
        assert not np.allclose(dealt, acts.blocks[block])
    acts = acts_of(graph, "position")
    assert acts.deal(np.random.default_rng(2)).sum(axis=1) == pytest.approx(acts.blocks["position"].sum(axis=1))
    assert acts_of(graph, draws=5).deal is None


def test_flows_alone_are_at_their_level_and_tell_planted_roles():
    by_chance = sum(find_roles(single_goods(np.random.default_rng(seed)), 1, rng=seed).differ for seed in range(100))
    assert stats.binom.ppf(.001, 100, .05) < by_chance <= stats.binom.ppf(.999, 100, .05)
    planted = [find_roles(single_goods(np.random.default_rng(seed), np.arange(60) % 3, .5), 1, rng=seed)
               for seed in range(10)]
    assert all(found.differ for found in planted)


def test_a_continuum_has_no_gap_and_clouds_have():
    rng = np.random.default_rng(1)
    even = find_roles(rng.multinomial(60, rng.dirichlet([1, 1], 2000)), rng=1)
    assert even.n_roles == 1 or even.halfway > .5 and "no clear gap" in str(even)
    apart = find_roles(rng.multinomial(60, np.repeat([[.8, .2], [.2, .8]], 300, axis=0)), rng=1)
    assert apart.n_roles == 2 and apart.halfway < .3 and "gap" not in str(apart)


def test_continua_are_seldom_called_roles_without_a_word():
    """Chances to do one of two things that are even from .2 to .8: a cut through them is no gap."""
    silent = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = rng.uniform(.2, .8, 300)
        found = find_roles(rng.multinomial(100, np.stack([p, 1 - p], axis=1)), rng=seed, n_resamples=19)
        silent += found.n_roles > 1 and "no clear gap" not in str(found) and not found.underdetermined
    assert silent <= 2


def test_middles_are_those_of_the_two_centres():
    from organism.roles._mixture import halfway

    points = np.array([[0.], [.05], [1.], [.95], [.5], [2.], [2.02], [-1.]])
    labels, centres = np.array([0, 0, 1, 1, 0, 1, 1, 0]), np.array([[0.], [1.]])
    assert halfway(points, labels, centres) == halfway(points[:5], labels[:5], centres) == .5


def test_few_members_are_said_to_be_too_few():
    found = find_roles(np.repeat(np.eye(2, dtype=int) * 50, 9, axis=0), rng=1)
    assert found.n_roles == 1 and not found.strengths and "18 are too few to tell roles by: 20" in str(found)
