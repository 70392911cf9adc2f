"""Wholes: what is planted is found, what is not is not, and every number agrees with a slow plain one."""

import itertools
import math
import re
from collections import Counter

import networkx as nx
import numpy as np
import pytest
from scipy import sparse, stats

from organism import Params, Snapshots, Topology, World, datasets, flows, interdependence
from organism.wholes import (
    Null,
    agreement,
    codelength,
    find_wholes,
    null_flows,
    planted_flows,
    trade_of,
    walk,
)
from organism.wholes._detect import alike, detect, nested
from organism.wholes._level import statistics
from organism.wholes._nulls import null_of

try:
    import infomap
except ImportError:
    infomap = None
needs_infomap = pytest.mark.skipif(infomap is None, reason="infomap is not installed, so there is nothing to compare")

#: Two triangles, and one tie between them.
TRIANGLES = nx.Graph([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
HALVES = np.repeat([0, 1], 3)


def matrix(graph):
    return sparse.csr_array(nx.to_scipy_sparse_array(graph, dtype=float))


def dense(*rows):
    return sparse.csr_array(np.array(rows, float))


@pytest.fixture(scope="module")
def small():
    """400 members in blocks of 20 within blocks of 100."""
    return planted_flows(400, (20, 100), ties=8000, rng=1)


# -- agreement ----------------------------------------------------------------------------


def plain_agreement(a, b):
    """Adjusted mutual information, with the mean over all orders of ``b`` for what chance makes."""
    def information(x, y):
        n = len(x)
        return sum(math.log(n * both / (x.count(i) * y.count(j))) * both / n
                   for i, j in set(zip(x, y, strict=True))
                   for both in [sum(pair == (i, j) for pair in zip(x, y, strict=True))])

    a, b = list(a), list(b)
    chance = np.mean([information(a, list(order)) for order in itertools.permutations(b)])
    return (information(a, b) - chance) / ((information(a, a) + information(b, b)) / 2 - chance)


@pytest.mark.parametrize("a, b", [([0, 0, 1, 1], [0, 1, 0, 1]), ([0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 2, 2]),
                                  ([0, 0, 0, 0, 1, 1], [5, 5, 5, 2, 2, 2]), ([0, 1, 2, 3, 3], [0, 0, 0, 1, 1])])
def test_agreement_is_the_plain_one(a, b):
    assert agreement(a, b) == pytest.approx(plain_agreement(a, b), abs=1e-12)
    assert agreement(b, a) == pytest.approx(agreement(a, b), abs=1e-12)


def test_agreement_of_the_same_and_of_chance():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 8, 2000)
    names = rng.permutation(8)
    assert agreement(labels, names[labels]) == pytest.approx(1, abs=1e-12)
    chance = [agreement(labels, rng.permutation(labels)) for _ in range(20)]
    assert abs(np.mean(chance)) < .001 and np.abs(chance).max() < .01
    assert agreement([0, 0, 0], [1, 1, 1]) == 1 and agreement([0, 0, 0, 0], [0, 0, 1, 1]) == 0


def test_agreement_refuses_other_members():
    with pytest.raises(ValueError, match=r"one label for each member, not shapes \(3,\) and \(4,\)"):
        agreement([0, 1, 2], [0, 1, 2, 3])


# -- the map equation ---------------------------------------------------------------------


def entropy(*p):
    p = np.array(p, float) / sum(p)
    return float(-(p * np.log2(p)).sum())


def test_codelength_of_two_triangles_by_hand():
    """Undirected: a node is visited as often as it has ties (2, 2, 3, 3, 2, 2 of 14); 1 of 14 crosses, each way."""
    flow = matrix(TRIANGLES)
    assert codelength(flow) == pytest.approx(entropy(2, 2, 3, 3, 2, 2), abs=1e-12)
    crossing, inside = 1 / 14, 8 / 14               # leaving a half; its three visits and its exit
    expected = 2 * crossing * entropy(1, 1) + 2 * inside * entropy(2, 2, 3, 1)
    assert codelength(flow, HALVES) == pytest.approx(expected, abs=1e-12)
    assert codelength(flow, HALVES) < codelength(flow)
    assert codelength(flow, np.arange(6) % 2) > codelength(flow)


def test_codelength_of_a_directed_ring_by_hand():
    """Around a ring of four each node has a quarter of the visits, and each pair is left in every fourth step."""
    ring = matrix(nx.cycle_graph(4, nx.DiGraph))
    visits, steps = walk(ring)
    assert visits == pytest.approx(np.full(4, .25), abs=1e-12) and steps.sum() == pytest.approx(1)
    assert codelength(ring) == pytest.approx(2, abs=1e-12)
    assert codelength(ring, [0, 0, 1, 1]) == pytest.approx(.5 * 1 + 2 * .75 * entropy(1, 1, 1), abs=1e-12)


def test_walk_is_the_leaping_walk():
    """By the definition: with 15 % to the start of a flow, always from where nothing flows out; leaps not counted."""
    flow = dense([0, 3, 1, 0], [0, 0, 2, 0], [4, 0, 0, 2], [0, 0, 0, 0])
    out = flow.sum(axis=1)
    home = out / out.sum()
    move = np.array([row / total if total else home for row, total in zip(flow.toarray(), out, strict=True)])
    move[out > 0] = .85 * move[out > 0] + .15 * home
    p = np.linalg.matrix_power(move, 500)[0]
    expected = (p / np.where(out > 0, out, 1))[:, None] * flow.toarray()
    visits, steps = walk(flow)
    assert steps.toarray() == pytest.approx(expected / expected.sum(), abs=1e-12)
    assert visits == pytest.approx(expected.sum(axis=0) / expected.sum(), abs=1e-12)


def infomap_of(flow, directed, two_level, given=None):
    """Infomap's own codelength and nested labels, of the division it finds or of a given one."""
    ties = flow.tocoo() if directed else sparse.triu(flow).tocoo()
    made = infomap.Infomap(options={"silent": True, "directed": directed, "two_level": two_level, "seed": 1,
                                    "no_infomap": given is not None})
    made.add_links(np.stack([ties.row, ties.col, ties.data], axis=1))
    found = made.run() if given is None else made.run(initial_partition={i: int(m) + 1 for i, m in enumerate(given)})
    modules = [found.modules(level=depth) for depth in range(1, found.num_levels)]
    return found.codelength, [[one.get(i, -i) for i in range(flow.shape[0])] for one in modules]  # -i: without ties


@needs_infomap
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("two_level", [True, False])
def test_codelength_is_infomaps(small, directed, two_level):
    flow = small[0] if directed else (small[0] + small[0].T).tocsr()
    bits, levels = infomap_of(flow, directed, two_level)
    assert len(levels) == 1 if two_level else len(levels) >= 2
    assert codelength(flow, *levels) == pytest.approx(bits, abs=1e-9)


@needs_infomap
def test_codelength_of_given_divisions_is_infomaps(small):
    karate = nx.karate_club_graph()
    club = [data["club"] == "Officer" for _, data in karate.nodes(data=True)]
    assert codelength(matrix(karate), club) == pytest.approx(infomap_of(matrix(karate), False, True, club)[0], abs=1e-9)
    flow, levels = small
    for labels in levels:
        assert codelength(flow, labels) == pytest.approx(infomap_of(flow, True, True, labels)[0], abs=1e-9)


@needs_infomap
def test_codelength_with_dead_ends_is_infomaps():
    flow = sparse.random_array((40, 40), density=.06, rng=np.random.default_rng(3)).tolil()
    flow.setdiag(0)
    flow = flow.tocsr()
    flow.eliminate_zeros()
    assert (flow.sum(axis=1) == 0).sum() >= 2
    bits, levels = infomap_of(flow, True, True)
    assert codelength(flow, *levels) == pytest.approx(bits, abs=1e-9)


def test_codelength_prefers_what_was_planted(small):
    flow, (fine, coarse) = small
    bits = [codelength(flow, *levels) for levels in ([coarse, fine], [fine], [coarse], [])]
    assert bits == sorted(bits)
    with pytest.raises(ValueError, match="level 1 must refine the level before it"):
        codelength(flow, fine, coarse)
    with pytest.raises(ValueError, match="no flows to walk along"):
        codelength(sparse.csr_array((3, 3)))


# -- nulls --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bumpy():
    """Flows with very unequal givers, ties and amounts."""
    rng = np.random.default_rng(5)
    table = rng.exponential(1, (60, 60)) * rng.pareto(1.5, 60)[:, None] * (rng.random((60, 60)) < .15)
    np.fill_diagonal(table, 0)
    return sparse.csr_array(table)


def ties(flow):
    return set(zip(*(ends.tolist() for ends in flow.nonzero()), strict=True))


def test_null_of_flows_keeps_ties_and_amounts(bumpy):
    made = null_flows(bumpy, "flows", np.random.default_rng(1))
    assert ties(made) == ties(bumpy) and sorted(made.data) == sorted(bumpy.data)
    assert (made.data != bumpy.data).mean() > .9


def test_null_of_strengths_keeps_ties_and_strengths(bumpy):
    made = null_flows(bumpy, "strengths", np.random.default_rng(1))
    assert ties(made) == ties(bumpy)
    for axis in (0, 1):
        assert made.sum(axis=axis) == pytest.approx(bumpy.sum(axis=axis), rel=1e-4)
    assert np.corrcoef(made.data, bumpy.data)[0, 1] < .9


def dyads(flow):
    """Return ties out, in and both ways of each member; what they give one way, by giver; and the pairs of amounts."""
    table = flow.toarray()
    there, back = table > 0, table.T > 0
    ways = [(there & ~back).sum(axis=1).tolist(), (there & ~back).sum(axis=0).tolist(),
            (there & back).sum(axis=1).tolist()]
    given = [sorted(row[one].tolist()) for row, one in zip(table, there & ~back, strict=True)]
    pairs = sorted(tuple(sorted([table[i, j], table[j, i]])) for i, j in zip(*np.nonzero(there & back), strict=True))
    return ways, given, pairs


@pytest.mark.parametrize("name", ["bumpy", "chesapeake_bay", "oyster_reef", "leontief_economy"])
def test_null_of_degrees_keeps_degrees_and_what_is_given(name, bumpy):
    """Also where hardly any other network has them: of three sectors that all trade there is but one."""
    flow = bumpy if name == "bumpy" else trade_of(getattr(datasets, name)()).flows
    for seed in range(5):
        made = null_flows(flow, "degrees", np.random.default_rng(seed))
        assert dyads(made) == dyads(flow) and not made.diagonal().any()
        shared = len(ties(made) & ties(flow)) / flow.nnz
        assert shared == 1 if name == "leontief_economy" else shared < .6 if len(flow.indptr) > 20 else True


def test_null_of_degrees_is_any_network_alike():
    """Three ties from six members: all networks that there are, equally often."""
    flow = dense([0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0],
                 [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0])
    made = (null_flows(flow, "degrees", np.random.default_rng(seed)) for seed in range(1200))
    seen = Counter(tuple(sorted(ties(one))) for one in made)
    assert len(seen) == 6                       # three givers, three receivers
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


@pytest.mark.parametrize("null", ["flows", "strengths", "degrees"])
def test_nulls_are_new_each_time_and_repeatable(bumpy, null):
    before = bumpy.copy()
    one, same, other = (null_flows(bumpy, null, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (one != same).nnz == 0 and (one != other).nnz > 0
    assert (bumpy != before).nnz == 0


# -- planted levels -----------------------------------------------------------------------


def _assortativity(table, labels):
    """Newman's coefficient, plainly: (Σ e_ii − Σ a_i b_i)/(1 − Σ a_i b_i)."""
    groups = sorted(set(labels.tolist()))
    e = [[sum(table[i, j] for i in np.flatnonzero(labels == a) for j in np.flatnonzero(labels == b)) / table.sum()
          for b in groups] for a in groups]
    by_chance = sum(sum(e[k]) * sum(row[k] for row in e) for k in range(len(groups)))
    return (sum(e[k][k] for k in range(len(groups))) - by_chance) / (1 - by_chance)


def _between(flow, labels):
    member = np.eye(labels.max() + 1)[labels]
    return member.T @ flow.toarray() @ member


def test_planted_flows_are_as_described():
    flow, (fine, coarse) = planted_flows(rng=3)
    assert flow.shape == (5000, 5000) and (np.bincount(fine) == 50).all() and (np.bincount(coarse) == 500).all()
    a, b = flow.nonzero()
    same_fine, same_coarse = fine[a] == fine[b], coarse[a] == coarse[b]
    kept = [np.average(same, weights=flow.data) for same in (same_fine, same_coarse)]
    assert kept[0] == pytest.approx(.5 + .3 * .1 + .2 * .01, abs=.02)      # and what falls there by chance
    assert kept[1] == pytest.approx(.5 + .3 + .2 * .1, abs=.02)
    assert .97e5 < flow.sum() < 1.01e5 and not flow.diagonal().any()
    again = planted_flows(rng=3)[0]
    assert (again != flow).nnz == 0 and (planted_flows(rng=4)[0] != flow).nnz > 0


@pytest.mark.parametrize("change, match", [
    ({"sizes": (50, 501)}, "50 does not divide 501"), ({"n": 5100}, "500 does not divide 5100"),
    ({"shares": (.5, .5)}, "shares must be 3 numbers"), ({"shares": (.5, .6, -.1)}, "at least 0"),
    ({"shares": (.5, .5, .5)}, "sum to 1"), ({"ties": -1}, "ties must be at least 0, not -1"),
    ({"n": 0}, "n must be at least 1, not 0")])
def test_planted_flows_refuse(change, match):
    with pytest.raises(ValueError, match=match):
        planted_flows(**change)


def same_degrees(flow):
    """Ties at random of members that give and get in as many as here, by networkx's configuration model."""
    degrees = ([int(one) for one in (flow > 0).sum(axis=axis)] for axis in (0, 1))
    graph = nx.DiGraph(nx.directed_configuration_model(*degrees, seed=2))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


@pytest.mark.parametrize("method", ["louvain", pytest.param("infomap", marks=needs_infomap)])
def test_both_planted_levels_are_found(method):
    """Blocks of 50 inside 500, 10⁵ ties; and not a level in random ties of the same degrees."""
    flow, (fine, coarse) = planted_flows(rng=1)
    found = find_wholes(flow, method, nulls=(), rng=1)
    assert len(found) == 2
    figures = agreement(found[0].labels, fine), agreement(found[1].labels, coarse)
    print(f"{method}: adjusted mutual information {figures[0]:.3f} fine, {figures[1]:.3f} coarse")
    assert figures[0] >= .9 and figures[1] >= .95
    assert found.codelength < codelength(flow, fine) < found.undivided
    assert len(find_wholes(same_degrees(flow), method, nulls=(), rng=1)) == 0


def test_planted_levels_stand_and_random_ties_have_none(small):
    """Nulls are divided into about as many groups, though at the same resolution they would be one."""
    flow, (fine, coarse) = small
    found = find_wholes(flow, rng=1)
    assert [level.stands for level in found] == [True, True] and len(found.standing) == 2
    assert agreement(found[0].labels, fine) > .9 and agreement(found[1].labels, coarse) > .95
    assert detect(null_flows(flow, "degrees", np.random.default_rng(2)), found[1].setting, 1).max() == 0
    assert 0 < found[1].nulls["degrees"]["closure"].mean < found[1].statistics["closure"] - .1
    for null in found[1].nulls["degrees"].values():
        assert len(null.values) == 19 and 1 / 20 <= null.above <= 1 and 1 / 20 <= null.below <= 1
    random = null_flows(flow, "degrees", np.random.default_rng(2))
    none = find_wholes(random, rng=1)
    assert not len(none) and "No wholes" in str(none)


def test_inside_known_wholes_chance_deals_there_only(small):
    """Flows, strengths and receivers stay between the same wholes; and members keep what each null keeps."""
    flow, (fine, coarse) = small
    before = _between(flow, coarse)
    for null in ("flows", "strengths", "degrees"):
        made = null_flows(flow, null, np.random.default_rng(1), coarse)
        assert (made != flow).nnz > 0
        if null != "strengths":
            assert _between(made, coarse) == pytest.approx(before)
        ties = [_between(one.astype(bool).astype(float), coarse).tolist() for one in (flow, made)]
        assert ties[0] == ties[1]
    degrees = [[np.diff(one.indptr).tolist(), np.bincount(one.indices, minlength=400).tolist()] for one in (flow, made)]
    assert degrees[0] == degrees[1]


def test_a_finer_level_must_show_more_than_the_level_above():
    """Two groups of random ties: what divides them further beats the null, unless chance deals inside the groups."""
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1], 60)
    flow = sparse.csr_array(rng.poisson(np.where(labels[:, None] == labels, .5, .01)).astype(float))
    finer = detect(flow, 2., 1)
    assert agreement(labels[np.unique(finer, return_index=True)[1]][finer], labels) > .95     # it divides the groups
    values = {inside is not None: [statistics(trade_of(flow), detect(made, 2., seed), made)["modularity"]
                                   for seed in range(19)
                                   for made in [null_flows(flow, "degrees", np.random.default_rng(seed), inside)]]
              for inside in (None, labels)}
    observed = statistics(trade_of(flow), finer)["modularity"]
    assert max(values[False]) < observed < max(values[True])
    ladder = [.28, .3, .32, 4., 4.01, 4.02]
    found = find_wholes(flow, nulls="degrees", resolutions=ladder, stable=.5, rng=1)
    assert [(level.n_wholes > 2, level.stands, list(level.beyond)) for level in found] == [
        (True, False, ["inside the 2"]), (False, True, [])]
    assert "inside the 2, by chance 0." in str(found)


def test_a_coarser_level_must_show_more_than_its_parts():
    """Three equal groups: two of them in one is stable, but only because of the three."""
    rng = np.random.default_rng(6)
    labels = np.repeat(range(3), 12)
    flow = sparse.csr_array(rng.poisson(np.where(labels[:, None] == labels, 2., .1)).astype(float))
    ladder = [.15, .16, .17, .5, .6, .7]
    found = find_wholes(flow, nulls="degrees", resolutions=ladder, stable=.8, rng=1)
    assert [level.n_wholes for level in found] == [3, 2]
    assert [(level.stands, list(level.beyond)) for level in found] == [
        (True, []), (False, ["from its 3"])]
    assert agreement(found[0].labels, labels) == pytest.approx(1) and found.standing == [found[0]]


def test_ties_within_parts_stay(small):
    flow, (fine, _) = small
    row, column = flow.nonzero()
    own = fine[row] == fine[column]
    for null in ("flows", "degrees"):
        made = null_flows(flow, null, np.random.default_rng(1), parts=fine)
        assert (made != flow).nnz > 0
        kept = [np.where((fine[:, None] == fine), one.toarray(), 0) for one in (flow, made)]
        assert (kept[0] == kept[1]).all() and own.any()
        assert made.sum() == pytest.approx(flow.sum())


def test_what_goes_back_and_forth_stays_together(bumpy):
    """Where every flow is returned in kind, so it is when flows are dealt out anew; single ones are dealt apart."""
    table = np.triu(bumpy.toarray(), 1)
    both = sparse.csr_array(table + 3 * table.T)
    made = null_flows(both, "flows", np.random.default_rng(1)).toarray()
    assert (made != both.toarray()).any() and sorted(made[made > 0]) == pytest.approx(sorted(both.data))
    pairs = made > 0
    ratio = made[pairs] / made.T[pairs]
    assert set(np.round(ratio, 9)) == {3., round(1 / 3, 9)}
    assert (np.abs(np.log(ratio[::2])) > 0).all() and 0 < (made > made.T).sum() < pairs.sum()


def test_levels_nest(small):
    fine, coarse = find_wholes(small[0], nulls=(), rng=1)
    assert all(len(set(coarse.labels[fine.labels == whole])) == 1 for whole in range(fine.n_wholes))
    assert (np.diff(fine.sizes) <= 0).all() and (np.diff(coarse.sizes) <= 0).all()
    loose = [np.repeat([0, 1], [5, 7]), np.repeat([0, 1, 2], 4)]                       # the middle one lies in both
    made = nested(loose)
    assert made[1].tolist() == loose[1].tolist() and made[0].tolist() == [0] * 4 + [1] * 8


def test_statistics_are_the_plain_ones(small):
    level = find_wholes(small[0], nulls=(), rng=1)[1]
    table, labels = small[0].toarray(), level.labels
    same = labels[:, None] == labels
    assert level.statistics["closure"] == pytest.approx(table[same].sum() / table.sum(), abs=1e-12)
    assert level.statistics["boundary"] == pytest.approx((table[~same] > 0).sum() / (table > 0).sum(), abs=1e-12)
    digraph = nx.from_numpy_array(table, create_using=nx.DiGraph)
    groups = [np.flatnonzero(labels == whole).tolist() for whole in range(level.n_wholes)]
    modularity = nx.community.modularity(digraph, groups)
    assert level.statistics["modularity"] == pytest.approx(modularity, abs=1e-12)
    assert level.statistics["assortativity"] == pytest.approx(_assortativity(table, labels), abs=1e-12)
    steps = walk(small[0])[1].toarray()
    member = np.eye(level.n_wholes)[labels]
    joint, fine = member.T @ steps @ member, steps @ member

    def information(p):
        expected = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
        return (p[p > 0] * np.log2(p[p > 0] / expected[p > 0])).sum()

    assert level.statistics["individuality"] == pytest.approx(information(joint) / information(fine), abs=1e-9)
    rows = joint / joint.sum(axis=1, keepdims=True)
    effective = information(rows / len(rows)) / np.log2(level.n_wholes)
    assert level.statistics["effectiveness"] == pytest.approx(effective, abs=1e-9)


def test_same_seed_same_result_also_in_processes(small):
    one, same, spread = (find_wholes(small[0], rng=7, n_nulls=2, n_bootstraps=6, workers=workers)
                         for workers in (None, None, 2))
    for other in (same, spread):
        assert [a.labels.tolist() for a in one] == [b.labels.tolist() for b in other]
        assert [a.bootstrap for a in one] == [b.bootstrap for b in other]
        assert one.frame().equals(other.frame())
    assert .7 < one[1].bootstrap < 1 and .5 < one[0].bootstrap < one[1].bootstrap


def test_names_of_members_do_not_matter(small):
    """Shuffled members are divided alike: not bit for bit, as members are moved in another order."""
    order = np.random.default_rng(2).permutation(400)
    found, other = (find_wholes(flow, nulls=(), rng=1) for flow in (small[0], small[0][order][:, order]))
    assert len(found) == len(other) == 2
    assert min(agreement(a.labels[order], b.labels) for a, b in zip(found, other, strict=True)) > .95
    named = nx.relabel_nodes(nx.from_scipy_sparse_array(small[0], create_using=nx.DiGraph), lambda i: f"m{i}")
    same = find_wholes(named, nulls=(), rng=1)
    assert [a.labels.tolist() for a in found] == [b.labels.tolist() for b in same]
    assert same.membership()["node"].tolist() == [f"m{i}" for i in range(400)]


# -- odd graphs ---------------------------------------------------------------------------


def lonely():
    graph = nx.DiGraph()
    graph.add_nodes_from("abc")
    return graph


@pytest.mark.parametrize("source, members", [
    (nx.DiGraph(), 0), (sparse.csr_array((0, 0)), 0), (nx.path_graph(1), 1), (lonely(), 3), (np.zeros((4, 4)), 4),
    (nx.DiGraph([(0, 0)]), 1), (nx.DiGraph([(0, 1)]), 2), (nx.star_graph(20), 21), (nx.path_graph(30), 30)],
    ids=["empty", "empty array", "one", "no ties", "no flows", "a loop", "a tie", "star", "path"])
@pytest.mark.parametrize("method", ["louvain", pytest.param("infomap", marks=needs_infomap)])
def test_nothing_to_find(source, members, method):
    found = find_wholes(source, method, rng=1, n_nulls=2)
    if method == "louvain" or members < 20:
        assert len(found) == 0 and f" the {members} members" in str(found) and str(found).startswith("No wholes: n")
    assert len(found.membership()) == members == len(found.trade.uid)
    assert len(found.standing) <= len(found)


@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
@pytest.mark.parametrize("method", ["louvain", "networkx", pytest.param("infomap", marks=needs_infomap)])
def test_islands_are_wholes(kind, method):
    """Five cliques without a tie between them: also against nulls in which there is no such level at all."""
    found = find_wholes(nx.disjoint_union_all([nx.complete_graph(8, kind)] * 5), method, rng=1)
    assert len(found) == 1 and found[0].stands
    assert agreement(found[0].labels, np.repeat(range(5), 8)) == pytest.approx(1)
    assert found[0].statistics["closure"] == 1 and found[0].statistics["individuality"] == pytest.approx(1)
    assert found[0].statistics["modularity"] == pytest.approx(.8)
    assert list(found[0].nulls) == ["degrees"]                        # flows that are all the same say nothing
    assert found[0].graph().number_of_edges() == 5


def test_loops_do_not_count():
    graph = nx.DiGraph([(0, 1, {"weight": 2.}), (1, 0, {"weight": 1.}), (1, 1, {"weight": 9.})])
    assert trade_of(graph).flows.toarray().tolist() == [[0, 2], [1, 0]]


def test_undirected_ties_count_both_ways_and_parallel_ones_add_up():
    assert trade_of(nx.Graph([(0, 1, {"weight": 2.})])).flows.toarray().tolist() == [[0, 2], [2, 0]]
    both = nx.MultiDiGraph([(0, 1, {"weight": 2.}), (0, 1, {"weight": 3.})])
    assert trade_of(both).flows.toarray().tolist() == [[0, 5], [0, 0]]


@pytest.mark.parametrize("source, error, match", [
    (nx.DiGraph([(0, 1, {"weight": -1.})]), ValueError, "flows must be finite and 0 or more, not -1.0"),
    (np.array([[0, np.nan], [1, 0]]), ValueError, "finite and 0 or more, not nan"),
    (np.array([[0, np.inf], [1, 0]]), ValueError, "finite and 0 or more, not inf"),
    (np.ones((2, 3)), TypeError, r"a square array of flows, not an array of shape \(2, 3\)"),
    (np.ones(3), TypeError, r"not an array of shape \(3,\)"), ("karate", TypeError, "not 'karate'"),
    (None, TypeError, "source must be a World, a Reading, snapshots, a networkx graph or a square array of flows, "
                      "not None")])
def test_bad_sources_are_refused(source, error, match):
    with pytest.raises(error, match=match):
        find_wholes(source, rng=1)


@pytest.mark.parametrize("change, match", [
    ({"method": "louvian"}, "method must be one of louvain, networkx, infomap, not 'louvian'; did you mean 'louvain'"),
    ({"nulls": ["degres"]}, "nulls must be some of flows, strengths, degrees, not 'degres'; did you mean 'degrees'"),
    ({"n_nulls": 0}, "n_nulls must be at least 1, not 0"), ({"n_bootstraps": -1}, "n_bootstraps must be at least 0"),
    ({"resolutions": [1, 0]}, r"each of resolutions must be in \(0, 1e\+06\], not 0"),
    ({"resolutions": []}, "numbers above 0"),
    ({"stable": 1.5}, r"stable must be in \(0, 1\], not 1.5"),
    ({"alpha": 0}, r"alpha must be in \(0, 1\], not 0")])
def test_bad_settings_are_refused(change, match):
    with pytest.raises(ValueError, match=match):
        find_wholes(TRIANGLES, **change)


# -- worlds -------------------------------------------------------------------------------


def test_of_a_world_and_of_its_reading():
    world = World(Topology.grid((8, 8)), rng=1, ledger=True)
    world.step(100)
    living, reading = trade_of(world), trade_of(flows.reading(world))
    assert abs(living.flows - reading.flows).max() < 1e-9
    assert living.nodes == reading.nodes == list(world.topology.nodes)
    assert abs(sum(living.resources) - living.flows).max() < 1e-9
    assert living.tasks.shape == (64, 3) and reading.tasks is None
    bare = World(Topology.grid((8, 8)), rng=1)
    bare.step(100)
    assert trade_of(bare).resources == () and trade_of(bare).flows.nnz > 0


def test_of_a_reading_in_which_members_take_others_places():
    """Two who lived at one site, one after the other, keep their own flows, and none counts twice."""
    world = World(Topology.grid((4, 4)), rng=1, ledger=True)
    taken = Snapshots(world, every=20)
    world.step(20)
    for site in (5, 6):
        world.remove([site])
        world.add(site)
    world.step(20)
    reading = taken.window()
    trade = trade_of(reading)
    assert len(reading.site) == 18 and trade.uid.tolist() == reading.uid.tolist()
    place = {uid: i for i, uid in enumerate(trade.uid.tolist())}
    for giver, receiver, amount in zip(reading.giver.tolist(), reading.receiver.tolist(), reading.amount, strict=True):
        assert trade.flows[place[giver], place[receiver]] == pytest.approx(amount.sum())
        assert [one[place[giver], place[receiver]] for one in trade.resources] == pytest.approx(amount.tolist())
    assert trade.flows.sum() == pytest.approx(reading.amount.sum())


# -- what nulls can and cannot say --------------------------------------------------------


def test_what_chance_can_only_make_again_does_not_stand():
    """Three stars: every network with these numbers of ties is three stars."""
    stars = nx.DiGraph([(f"hub {h}", f"leaf {h}.{i}") for h in range(3) for i in range(8)])
    found = find_wholes(stars, rng=1)
    assert [(level.n_wholes, level.stands) for level in found] == [(3, False)] and not found.standing
    assert "No level beats its null" in str(found) and "the test has no power" in str(found)


def test_nulls_without_a_level_are_less_than_any():
    none = Null.of(.5, [np.nan] * 19)
    assert none.above == .05 and none.below == 1 and none.varies and "no such level" in none.told
    some = Null.of(.5, [np.nan, .4, .6, .5])
    assert some.above == pytest.approx(3 / 5) and some.below == pytest.approx(4 / 5)


def test_a_null_counts_levels_as_they_count():
    """A stray few beside one whole is no level, in a null either; else it would beat a real division into two."""
    club = trade_of(nx.karate_club_graph()).flows
    seen = [alike(null_flows(club, "degrees", np.random.default_rng(seed)), "louvain", .2, 2,
                  np.random.default_rng(seed)) for seed in range(20)]
    sizes = [np.bincount(labels) for labels in seen if labels is not None]
    assert sizes and all(np.sort(size)[:-1].sum() >= 4 for size in sizes)


@pytest.fixture(scope="module")
def lattice():
    """Uniform land, of whose trade 300 ticks are seen."""
    world = World(Topology.grid((12, 12)), rng=1, ledger=True)
    world.step(600)
    taken = Snapshots(world, every=100)
    world.step(300)
    return world, taken


@pytest.mark.parametrize("method", ["networkx", pytest.param("infomap", marks=needs_infomap)])
def test_flows_of_a_world_are_along_given_ties_as_a_graph_too(lattice, method):
    """A lattice falls into regions whatever flows: against other ties they would stand."""
    world, taken = lattice
    graph = interdependence(world, window=300)
    assert trade_of(graph).given and trade_of(taken).given and not trade_of(nx.karate_club_graph()).given
    as_graph, as_window = find_wholes(graph, method, rng=1), find_wholes(taken.window(), method, rng=1)
    assert len(as_graph) and not as_graph.standing and not as_window.standing
    assert set(as_graph[0].nulls) == {"flows", "strengths"}
    if method == "networkx":
        assert find_wholes(graph, method, given=False, rng=1).standing


def test_few_nulls_tell_nothing(lattice):
    found = find_wholes(lattice[1].window(), "networkx", n_nulls=5, rng=1)
    assert {level.stands for level in found} == {None} and not found.standing
    assert "too few nulls to tell" in str(found)


def test_windows_tell_of_tasks_and_welfare(lattice):
    world, taken = lattice
    here = trade_of(taken.window())
    last = trade_of(taken)
    assert last.flows.sum() < here.flows.sum() and trade_of(taken[-1]).flows.sum() == last.flows.sum()
    for one, acts in ((here, sum(each.tasks for each in taken)), (last, taken[-1].tasks)):
        place = [world.topology.nodes.index(node) for node in one.nodes]
        assert one.tasks == pytest.approx(acts[place]) and one.welfare == pytest.approx(taken[-1].welfare[place])
        assert one.left_out == pytest.approx(0, abs=1e-6)
    level = find_wholes(taken.window(), "networkx", rng=1)[0]
    assert {"differentiation", "welfare_between", "self_sufficiency_2", "exports_between"} <= set(level.statistics)
    assert {"welfare", "welfare_sd", "main_task"} <= set(level.frame())


def test_flows_of_those_who_went_are_said_to_be_left_out():
    params = Params.preset("organic").replace(**{"demography.enabled": True, "demography.hazard": .02})
    world = World(Topology.grid((8, 8)), params, 1, ledger=True)
    world.step(100)
    taken = Snapshots(world, every=50)
    world.step(100)
    window = taken.window()
    trade = trade_of(window)
    assert .05 < trade.left_out < 1
    assert trade.left_out == pytest.approx(1 - trade.flows.sum() / window.amount.sum())
    assert "of the flows are left out" in str(find_wholes(window, "networkx", nulls=(), rng=1))


def test_goods_go_with_the_flows_that_are_dealt_out(lattice):
    trade = trade_of(lattice[1].window())
    for null in ("flows", "strengths", "degrees"):
        made, parts = null_of(trade, null, np.random.default_rng(1))
        assert abs(sum(parts) - made).max() < 1e-6 * made.max() and (made != trade.flows).nnz
        if null != "strengths":
            assert [part.sum() for part in parts] == pytest.approx([part.sum() for part in trade.resources])
            mixes = [sorted((part.data[part.data > 0]).round(6).tolist()) for part in parts]
            assert mixes == [sorted(part.data.round(6).tolist()) for part in trade.resources]


def test_self_sufficiency_and_exports_by_hand():
    """Two pairs: 0 gives 1 both goods, 2 gives 3 and 1 good 0; 1 gives 2 good 1."""
    first, second = dense([0, 3, 0, 0], [0, 0, 0, 0], [0, 2, 0, 5], [0, 0, 0, 0]), dense(
        [0, 1, 0, 0], [0, 0, 4, 0], [0, 0, 0, 0], [0, 0, 0, 0])
    graph = nx.DiGraph()
    graph.add_nodes_from(range(4))
    for i, j in ties(first + second):
        graph.add_edge(i, j, weight=first[i, j] + second[i, j], r0=first[i, j], r1=second[i, j])
    found = statistics(trade_of(graph), np.array([0, 0, 1, 1]))
    assert found["self_sufficiency_0"] == pytest.approx(8 / 10) and found["self_sufficiency_1"] == pytest.approx(1 / 5)
    # the first pair exports 4 of good 1, the second 2 of good 0: mixes (0, 1) and (1, 0) about (1/3, 2/3)
    assert found["exports_between"] == pytest.approx((4 * 2 * (1 / 3)**2 + 2 * 2 * (2 / 3)**2) / 6)


@pytest.mark.parametrize("change, said", [
    ({"nulls": 5}, "nulls must be some of flows, strengths, degrees, not 5"),
    ({"nulls": ["flow"]}, "did you mean 'flows'"),
    ({"stable": "x"}, "stable must be a number in (0, 1], not 'x'"), ({"alpha": None}, "alpha must be a number"),
    ({"resolutions": ["a"]}, "each of resolutions must be a number"),
    ({"resolutions": []}, "resolutions must hold numbers above 0, and there are none"),
    ({"resolutions": -1}, "each of resolutions must be in (0")])
def test_mistakes_are_told_in_a_sentence(change, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        find_wholes(TRIANGLES, **change)
    with pytest.raises(ValueError, match="nulls must be some of"):
        null_flows(matrix(TRIANGLES), "x", np.random.default_rng(1))


def test_resolutions_are_sorted_and_must_be_three():
    flows, _ = planted_flows(600, (20, 100), ties=9000, shares=(.5, .35, .15), rng=1)
    ladder = np.geomspace(.1, 30, 20)
    wanted = [level.n_wholes for level in find_wholes(flows, nulls=(), resolutions=ladder, rng=1)]
    assert len(wanted) == 2 and wanted == [
        level.n_wholes for level in find_wholes(flows, nulls=(), resolutions=[*ladder[::-1], *ladder], rng=1)]
    with pytest.raises(ValueError, match=r"resolutions must be 3 different numbers at least.*not \[1.5\]"):
        find_wholes(flows, resolutions=[1.5] * 4)


def test_a_null_that_is_too_fine_is_made_coarser():
    """Few ties: at some resolutions hardly anybody is in a group, and then the resolution must come down."""
    from organism.wholes._detect import settled

    rng = np.random.default_rng(3)
    for seed in range(6):
        ends = rng.integers(150, size=(2, 150))
        flow = sparse.csr_array((np.ones(150), ends), shape=(150, 150))
        labels, _ = settled(flow, 200., 50, np.random.default_rng(seed))
        assert labels is not None


def test_too_few_nulls_are_said_to_be_too_few():
    told = str(find_wholes(nx.ring_of_cliques(6, 5), n_nulls=3, rng=1))
    assert told.startswith("Too few nulls to tell") and "chance divides as well" not in told
