"""Lesions and keystones against plain twins, members nobody needs, and one whom everybody needs."""

import networkx as nx
import numpy as np
import pytest
from scipy import stats

import organism
from organism import Params, Snapshots, Topology, World, flows
from organism.counterfactual import CENTRALITIES, Lesion, _concordance, _rank_correlation, keystones, lesion

MORTAL = Params.preset("evolving").replace(**{"demography.hazard": .02})


def make(params=None, side=6, ticks=100, **options):
    world = World(Topology.grid((side, side), **options), params, rng=1, ledger=True)
    world.step(ticks)
    return world


def lonely(n=6):
    """A ring of n members and one more whom no tie leads to."""
    graph = nx.cycle_graph(n)
    graph.add_node(n)
    world = World(Topology.from_networkx(graph), rng=1)
    world.step(100)
    return world


def star():
    """A hub that alone makes resources 0 and 1, and twelve others who make resource 2."""
    supply = np.tile([0., 0, 1], (13, 1))
    supply[0] = 16, 16, 0
    world = World(Topology.from_networkx(nx.star_graph(12)), rng=1)
    world.set("supply", supply)
    world.step(600)
    return world


def fared(world, sites, uids, ticks):
    """Welfare of members at twenty looks, their mean; nothing of the dead."""
    total, looks = [0.] * len(sites), min(20, ticks)
    for look in range(looks):
        world.step((look + 1) * ticks // looks - look * ticks // looks)
        for i, (site, uid) in enumerate(zip(sites, uids, strict=True)):
            if world.state["uid"][site] == uid:
                total[i] += max(0., float(world.state["welfare"][site])) / looks
    return total


@pytest.mark.parametrize("params", [None, MORTAL], ids=["lasting", "mortal"])
@pytest.mark.parametrize("ticks", [7, 45])
def test_lesion_twin(params, ticks):
    world = make(params)
    sites = world.living[[3, 9]].tolist()
    found = lesion(world, sites, ticks, branches=3, rng=5)
    others = [site for site in world.living.tolist() if site not in sites]
    uids = [int(world.state["uid"][site]) for site in others]
    each = []
    for luck in np.random.default_rng(5).integers(2**63, size=3).tolist():
        twin, hurt = world.fork(luck), world.fork(luck)
        hurt.remove(sites)
        each.append([b - a for a, b in zip(fared(twin, others, uids, ticks), fared(hurt, others, uids, ticks),
                                           strict=True)])
    assert (found.sites.tolist(), found.others.tolist()) == (sites, others)
    assert found.each == pytest.approx(np.array(each), abs=1e-12) and np.abs(each).max() > 0
    assert found.effect == pytest.approx(np.mean(each, axis=0))
    assert found.error == pytest.approx(np.std(each, axis=0, ddof=1) / 3**.5)
    assert found.total == pytest.approx(np.sum(each) / 3)
    assert found.total_error == pytest.approx(np.std(np.sum(each, axis=1), ddof=1) / 3**.5)
    assert (found.ticks, found.branches, found.seed) == (ticks, 3, 5)


def test_distance_is_in_ties_of_either_direction():
    graph = nx.DiGraph([(0, 1), (2, 1), (2, 3), (3, 4), (5, 6)])
    world = World(Topology.from_networkx(graph), rng=1)
    place = {node: i for i, node in enumerate(world.topology.nodes)}
    found = lesion(world, place[0], 5, branches=2, rng=1)
    both, ways = graph.to_undirected(), {world.topology.nodes[i]: d for i, d in zip(
        found.others.tolist(), found.distance.tolist(), strict=True)}
    assert ways == {node: nx.shortest_path_length(both, 0, node) if nx.has_path(both, 0, node) else -1
                    for node in graph if node != 0}
    two = lesion(world, [place[0], place[4]], 5, branches=2, rng=1)
    assert dict(zip((world.topology.nodes[i] for i in two.others.tolist()), two.distance.tolist(), strict=True)) == {
        1: 1, 2: 2, 3: 1, 5: -1, 6: -1}


def test_frame_is_by_distance():
    found = lesion(make(), 14, 30, branches=4, rng=1)
    frame = found.frame().set_index("distance")
    assert frame["members"].to_dict() == {1: 8, 2: 16, 3: 11}
    for distance, row in frame.iterrows():
        branch = [np.mean([one[i] for i in range(35) if found.distance[i] == distance]) for one in found.each]
        assert row["effect"] == pytest.approx(np.mean(branch))
        assert row["error"] == pytest.approx(stats.sem(branch)) and row["z"] == pytest.approx(
            np.mean(branch) / stats.sem(branch))


def test_nobody_misses_who_trades_with_nobody():
    """Not by a bit: twins have the same luck; and where branches do not differ there is no z."""
    world = lonely()
    alone = lesion(world, 6, 200, branches=3, rng=1)
    assert (alone.each == 0).all() and alone.total == 0 and (alone.distance == -1).all()
    assert alone.frame()["z"].isna().all() and len(alone.frame()) == 1
    missed = lesion(world, 0, 200, branches=3, rng=1)
    assert missed.effect[missed.others == 6] == 0 and (missed.effect[missed.distance == 1] != 0).all()


def test_one_whom_everybody_needs():
    world = star()
    hub, leaf = lesion(world, 0, 100, branches=4, rng=1), lesion(world, 5, 100, branches=4, rng=1)
    assert hub.total < -1 and hub.total < 10 * leaf.total - 1 and abs(hub.frame()["z"].iloc[0]) > 3
    found = keystones(world, ticks=100, branches=4, sample=13, rng=1)
    assert found.frame["loss"].idxmax() == 0 and found.frame["given"].idxmax() == 0
    assert found.frame["betweenness"].idxmax() == 0


@pytest.mark.parametrize("call", [lambda world, rng: lesion(world, [3, 20], 30, branches=3, rng=rng),
                                  lambda world, rng: keystones(world, sample=4, ticks=20, branches=2, rng=rng)])
def test_same_seed_same_answer_and_the_world_stays(call):
    world = make()
    taken = Snapshots(world, every=10)
    before = {name: np.array(world.state[name]) for name in ("uid", "stock", "welfare")}
    a, b, c = call(world, 3), call(world, 3), call(world, 4)
    assert (a.each == b.each).all() and repr(a) == repr(b) and not (a.each == c.each).all()
    again = call(world, np.random.default_rng(1)).seed
    assert (call(world, again).each == call(world, np.random.default_rng(1)).each).all()
    assert world.tick == 100 and len(taken) == 0 and world.n_members == 36
    assert all((np.array(world.state[name]) == values).all() for name, values in before.items())


def test_order_and_kind_of_sites_do_not_matter():
    world = make()
    mask = np.isin(np.arange(36), [3, 20])
    each = [lesion(world, sites, 20, branches=2, rng=1).each for sites in ([3, 20], [20, 3], mask)]
    assert (each[0] == each[1]).all() and (each[0] == each[2]).all()
    assert keystones(world, [20, 3, 7], ticks=5, branches=2, rng=1).frame["site"].tolist() == [3, 7, 20]


def test_losses_of_keystones_are_those_of_lesions():
    """Of others within reach, with their sign turned; the untouched twins are the same."""
    world = make(side=8)
    found = keystones(world, [3, 20, 40], ticks=30, branches=3, reach=2, rng=7)
    assert (found.ticks, found.branches, found.reach, found.seed) == (30, 3, 2, 7)
    lucks = np.random.default_rng(7).integers(2**63, size=3).tolist()
    uids = world.state["uid"][world.living].tolist()
    for i, site in enumerate([3, 20, 40]):
        ties = nx.single_source_shortest_path_length(_graph(world), site, cutoff=2)
        near = [other for other in world.living.tolist() if 0 < ties.get(other, 9)]
        near = [other for other in near if other in ties]
        assert len(near) == 24
        for j, luck in enumerate(lucks):
            twin, hurt = world.fork(luck), world.fork(luck)
            hurt.remove([site])
            own = [uids[other] for other in near]
            assert found.each[j, i] == pytest.approx(sum(fared(twin, near, own, 30)) - sum(fared(hurt, near, own, 30)))
    frame = found.frame
    assert frame["loss"].to_numpy() == pytest.approx(found.each.mean(axis=0))
    assert frame["error"].to_numpy() == pytest.approx(stats.sem(found.each, axis=0))
    assert frame["uid"].tolist() == [uids[site] for site in (3, 20, 40)]


def _graph(world):
    graph = nx.Graph(zip(world.topology.source.tolist(), world.topology.target.tolist(), strict=True))
    graph.add_nodes_from(range(world.n_sites))
    return graph


def test_centralities_twin():
    """networkx's own, on the graph of flows that members remember; the dead are not in it."""
    world = make(side=6)
    world.remove([0, 14])
    world.step(5)
    graph = nx.DiGraph(organism.interdependence(world, exact=False))
    nodes = world.topology.nodes
    for *_, data in graph.edges(data=True):
        data["length"] = 1 / data["weight"]
    rank = nx.pagerank(graph.reverse())
    between = nx.betweenness_centrality(graph, weight="length")
    chosen = world.living[:10].tolist()
    frame = keystones(world, chosen, ticks=2, branches=2, rng=1).frame.set_index("site")
    for site in chosen:
        node = nodes[site]
        sent = np.array([data["weight"] for *_, data in graph.out_edges(node, data=True)])
        assert frame.loc[site, "given"] == pytest.approx(sent.sum())
        assert frame.loc[site, "receivers"] == pytest.approx(2**stats.entropy(sent, base=2))
        assert frame.loc[site, "pagerank"] == pytest.approx(rank[node], rel=1e-5)
        assert frame.loc[site, "betweenness"] == pytest.approx(between[node])
    assert frame["betweenness"].nunique() > 3


def test_correlations_of_ranks():
    """scipy's, with its exact p-value for few members."""
    found = keystones(make(), sample=6, ticks=30, branches=3, rng=2)
    assert tuple(found.agreement) == CENTRALITIES
    for name, (value, p) in found.agreement.items():
        assert value == pytest.approx(stats.spearmanr(found.frame["loss"], found.frame[name]).statistic)
        exact = stats.permutation_test((found.frame["loss"].to_numpy(),), lambda x, of=name: stats.spearmanr(
            x, found.frame[of]).statistic, permutation_type="pairings").pvalue
        assert p == pytest.approx(exact, abs=.06)
        assert f"{name} {value:+.2f} (p = {p:.2g})" in repr(found) or not found.determined
    rng = np.random.default_rng(1)
    for y in ([6, 5, 4, 3, 2, 1], [2, 1, 3, 6, 4, 5], [5, 1, 6, 3, 2, 4]):
        exact = stats.permutation_test((np.arange(6),), lambda x, y=y: stats.spearmanr(x, y).statistic,
                                       permutation_type="pairings")     # all 720 orders
        assert _rank_correlation(range(6), y, rng) == pytest.approx((exact.statistic, exact.pvalue), abs=.045)
    assert _rank_correlation([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 7, 6], rng)[1] < .02
    assert np.isnan(_rank_correlation([1, 2, 3], [5, 5, 5], rng)).all()


def test_concordance_is_kendalls():
    """W from Friedman's statistic; and by hand, rank sums of 11, 8, 8, 14, 11, 11 give 12 · 25.5/(3²(6³ − 6))."""
    rng = np.random.default_rng(1)
    each = rng.standard_normal((5, 9)) + np.arange(9) / 4
    value, p = _concordance(each, rng)
    friedman = stats.friedmanchisquare(*each.T)
    assert value == pytest.approx(friedman.statistic / (5 * 8)) and p == pytest.approx(friedman.pvalue, abs=.02)
    three = np.array([[5, 4, 1, 6, 3, 2], [2, 3, 1, 5, 6, 4], [4, 1, 6, 3, 2, 5]])
    assert _concordance(three, rng)[0] == pytest.approx(12 * 25.5 / (9 * 210))
    assert _concordance(np.tile(np.arange(6.), (4, 1)), rng) == (1, .001)


def test_noise_is_seldom_called_a_ranking():
    rng = np.random.default_rng(2)
    called = sum(_concordance(rng.standard_normal((4, 8)), rng)[1] <= .05 for _ in range(200))
    assert called <= stats.binom.ppf(.999, 200, .05)


def test_losses_too_noisy_to_rank_are_called_so():
    """Two short branches say too little; where nobody trades, nobody is missed."""
    world = World(Topology.grid((20,)), Params(resources=2), rng=1)
    found = keystones(world, sample=5, ticks=3, branches=2, rng=1)
    alone = keystones(World(Topology.from_networkx(nx.empty_graph(5)), rng=1), ticks=30, branches=2, rng=1)
    assert not found.determined and found.pvalue > .05
    assert "Underdetermined: the 2 branches do not agree who is missed most (Kendall's W = " in repr(found)
    assert "cannot be ranked; take more branches" in repr(found) and "correlation" not in repr(found)
    assert (alone.each == 0).all() and (alone.concordance, alone.pvalue, alone.determined) == (0, 1, False)
    assert all(np.isnan(pair).all() for pair in alone.agreement.values())
    assert repr(alone) == ("Keystones: 5 members removed one by one. None is missed: nobody within 2 ties fares "
                           "otherwise without them")


def test_what_is_printed():
    world = star()
    found = lesion(world, 0, 60, branches=2, rng=1)
    assert repr(found) == (f"Lesion of 1 member: the other 12 have {found.total:+.3f} ± {found.total_error:.3f} "
                           "welfare in all, over 60 ticks and 2 branches (welfare is summed over these members). "
                           + found._losers())
    assert "Lesion of 2 members: the other 11 have" in repr(lesion(world, [0, 1], 5, branches=2, rng=1))
    key = keystones(world, ticks=60, branches=8, rng=1)
    loss, error = key.frame.loc[0, ["loss", "error"]]
    assert key.determined and repr(key).startswith(
        f"Keystones: 13 members removed one by one; the greatest loss, {loss:.3f} ± {error:.3f} welfare, is without "
        "the one at site 0. The 8 branches agree who is missed most (Kendall's W = ")
    assert "rank correlation with the loss: given " in repr(key)


def test_a_lesion_names_who_loses_most():
    """By place, loss and its error, the greatest first; nobody whose loss may be noise."""
    effect, error = np.array([-.1, -.5, .4, -.2, -.3, -.9]), np.array([.01, .01, .01, .01, .01, .4])
    found = Lesion(np.array([0]), np.arange(1, 7), effect, error, np.ones(6, int), 10, 16, 1, np.stack([effect] * 2))
    assert repr(found).endswith("Most is lost at site 2 (0.500 ± 0.010), site 5 (0.300 ± 0.010), site 4 "
                                "(0.200 ± 0.010)")
    few = Lesion(np.array([0]), np.arange(1, 7), effect, error * 50, np.ones(6, int), 10, 16, 1, found.each)
    assert repr(few).endswith("Nobody alone loses more than noise, of so many members and 16 branches (p > 0.05, "
                              "Bonferroni)")


def test_of_many_members_whose_welfare_is_noise_a_lesion_names_nobody():
    named = 0
    for seed in range(100):
        each = np.random.default_rng(seed).standard_normal((16, 1000))
        found = Lesion(np.array([0]), np.arange(1, 1001), each.mean(axis=0), each.std(axis=0, ddof=1) / 4,
                       np.ones(1000, int), 10, 16, 1, each)
        named += "Most is lost" in repr(found)
    assert named <= stats.binom.ppf(.999, 100, .05)
    for branches in (2, 3, 5):              # few values, so that all branches often agree to the last bit
        each = np.random.default_rng(1).choice([-.1, 0, .1], (branches, 500))
        assert "Nobody alone" in repr(Lesion(np.array([0]), np.arange(1, 501), each.mean(axis=0), each.std(
            axis=0, ddof=1) / branches**.5, np.ones(500, int), 10, branches, 1, each))


def test_shown_at_the_head(capsys):
    assert organism.lesion is lesion
    world = make(ticks=20)
    lesion(world, 3, 5, branches=2, rng=1, progress=True)
    keystones(world, sample=3, ticks=5, branches=2, rng=1, progress=True)
    shown = capsys.readouterr().err
    assert "branches" in shown and "lesions" in shown


@pytest.mark.parametrize("call, error, match", [
    (lambda world: lesion(world, 3, 0), ValueError, "ticks must be at least 1, not 0"),
    (lambda world: lesion(world, 3, branches=1), ValueError, "branches must be at least 2, not 1"),
    (lambda world: lesion(world, 3, 1.5), TypeError, "ticks must be a whole number of at least 1, not 1.5"),
    (lambda world: lesion(world, 99), ValueError, r"sites must be in \[0, 35\], not 99"),
    (lambda world: lesion(world, [3, 3]), ValueError, "sites must not repeat; 3 occurs more than once"),
    (lambda world: lesion(world, "hub"), TypeError, "sites must be whole numbers below 36, not 'hub'"),
    (lambda world: lesion(world, [1, 0]), ValueError, "sites must be where members live; nobody lives at site 0"),
    (lambda world: lesion(world, []), ValueError, "sites must be of some of the 35 members, not of 0"),
    (lambda world: lesion(world, world.living), ValueError, "sites must be of some of the 35 members, not of 35"),
    (lambda world: lesion(world, 3, rng=-1), ValueError, r"rng must be in \[0, 2\*\*64\), not -1"),
    (lambda world: keystones(world, sample=2), ValueError, "sample must be at least 3, not 2"),
    (lambda world: keystones(world, [1, 2]), ValueError, "keystones compares at least 3 members, not 2"),
    (lambda world: keystones(world, [0, 1, 2]), ValueError, "sites must be where members live; nobody lives at site 0"),
    (lambda world: keystones(world, reach=0), ValueError, "reach must be at least 1, not 0"),
    (lambda world: keystones(world, branches=1), ValueError, "branches must be at least 2, not 1"),
    (lambda world: keystones(world, ticks="long"), TypeError, "ticks must be a whole number of at least 1, not")])
def test_refused(call, error, match):
    world = make(ticks=5)
    world.remove([0])
    with pytest.raises(error, match=match):
        call(world)


def test_effects_are_of_goods_not_of_places():
    """What the removed held is booked as removed, in the twin alone."""
    world = make()
    before = flows.reading(world).amount.sum()
    lesion(world, 3, 20, branches=2, rng=1)
    assert flows.reading(world).amount.sum() == before and world.audit().removed.sum() == 0
