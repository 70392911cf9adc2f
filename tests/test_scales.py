"""Measures by scale against plain twins, cases worked by hand, a published value, planted groups and none; and their
pictures: what is drawn."""

from collections import Counter
from dataclasses import replace
from math import e, log2

import matplotlib
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.collections import PolyCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from organism import (  # noqa: E402
    Snapshots,
    Topology,
    World,
    find_roles,
    flows,
    interdependence,
    measures,
    plots,
    scales,
)
from organism.scales import COLUMNS, Scales, _length, boxes, by_scale, role_correlation  # noqa: E402
from organism.wholes import _detect, null_flows, planted_flows, trade_of  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    """Close what ``ax=None`` opened."""
    yield
    pyplot.close("all")


def make(shape=(8, 8), ticks=60, **options):
    world = World(Topology.grid(shape, **options), rng=1, ledger=True)
    world.step(ticks)
    return world


def of(found, name, groups=None):
    """Observed values of a measure, by number of groups; or one of them."""
    rows = found.frame[found.frame["measure"] == name].set_index("groups")["observed"]
    return rows.to_dict() if groups is None else rows[groups]


def bits(counts):
    return -sum(n / sum(counts) * log2(n / sum(counts)) for n in counts if n)


def plain_entropy(roles, labels):
    groups = [[role for role, label in zip(roles, labels, strict=True) if label == one] for one in set(labels)]
    return sum(len(group) * bits(Counter(group).values()) for group in groups) / len(roles) / bits(
        Counter(roles).values())


def plain_closure(table, labels):
    inside = sum(table[i][j] for i in range(len(labels)) for j in range(len(labels)) if labels[i] == labels[j])
    return inside / sum(map(sum, table))


def plain_information(table, labels):
    """Effective information in bits, and individuality, of flows that are the same both ways."""
    n, groups, total = len(table), sorted(set(labels)), sum(map(sum, table))
    to = [[sum(table[i][j] for j in range(n) if labels[j] == b) / total for b in groups] for i in range(n)]
    coarse = [[sum(to[i][b] for i in range(n) if labels[i] == a) for b in range(len(groups))] for a in groups]
    rows = [[value / sum(row) for value in row] for row in coarse]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    after = bits([sum(column) for column in zip(*to, strict=True)])
    known = [after - sum(sum(row) * bits(row) for row in one if sum(row)) for one in (coarse, to)]
    return bits(mean) - sum(map(bits, rows)) / len(rows), known[0] / known[1]


# -- what is measured ---------------------------------------------------------------------


def test_twin_on_a_grid():
    world = make()
    found = by_scale(world, n_nulls=1, rng=1)
    table, roles = flows.flow_matrix(world).toarray().tolist(), measures.dominant_task(world).tolist()
    for side, groups in ((1, 64), (2, 16), (4, 4), (8, 1)):
        labels = [site // 8 // side * 8 + site % 8 // side for site in range(64)]
        assert of(found, "role_entropy", groups) == pytest.approx(plain_entropy(roles, labels))
        assert of(found, "closure", groups) == pytest.approx(plain_closure(table, labels))
    assert tuple(found.frame) == COLUMNS and found.frame["scale"].unique().tolist() == [1, 4, 16, 64]
    assert repr(found) == "Scales(groups of 1 to 64 members; 1 nulls: roles dealt out, flows)"


@pytest.mark.parametrize("seed", range(3))
def test_twin_of_information(seed):
    """Of flows that are the same both ways, where the walk is known without repeating it."""
    rng = np.random.default_rng(seed)
    table = np.triu(rng.integers(0, 5, (12, 12)), 1)
    table, labels = table + table.T, rng.permutation(np.arange(12) % 4)
    found = by_scale(table, nest=[labels], n_nulls=1, rng=1)
    effective, individuality = plain_information(table.tolist(), labels.tolist())
    assert of(found, "effective_information", 4) == pytest.approx(effective)
    assert of(found, "effectiveness", 4) == pytest.approx(effective / 2)
    assert of(found, "individuality", 4) == pytest.approx(individuality) and 0 < individuality < 1


def test_effective_information_by_hand():
    """A ring tells all; a complete graph that it is not here; a star that it is at its hub, or where it came from."""
    ring, full, star = nx.cycle_graph(4, nx.DiGraph), nx.complete_graph(4), nx.star_graph(4)
    alone = [np.arange(4)]
    found = by_scale(ring, nest=alone, n_nulls=1, rng=1)
    assert (of(found, "effective_information", 4), of(found, "effectiveness", 4)) == pytest.approx((2, 1))
    assert of(by_scale(full, nest=alone, n_nulls=1), "effective_information", 4) == pytest.approx(2 - log2(3))
    hub = .8 * log2(1 / .8) + 4 * .05 * log2(20) - log2(4) / 5
    assert of(by_scale(star, nest=[range(5)], n_nulls=1), "effective_information", 5) == pytest.approx(hub)
    square = nx.Graph([("a", "b", {"weight": 3}), ("c", "d", {"weight": 3}), ("a", "c", {"weight": 1}),
                       ("b", "d", {"weight": 1})])
    pairs = by_scale(square, nest=[[0, 0, 1, 1]], n_nulls=1, rng=1)     # three of four steps stay in a pair
    assert list(square) == ["a", "b", "c", "d"] and of(pairs, "closure", 2) == .75
    assert of(pairs, "effective_information", 2) == pytest.approx(1 - bits([3, 1]))
    assert of(pairs, "individuality", 2) == pytest.approx(1)            # both members of a pair do alike


def test_effective_information_of_the_karate_club():
    """2.3500950888734686 bits, as the code of Klein and Hoel (2020) gives (github.com/jkbren/einet, README)."""
    club = nx.Graph(nx.karate_club_graph().edges)
    found = by_scale(club, nest=[range(34)], n_nulls=1, rng=1)
    assert of(found, "effective_information", 34) == pytest.approx(2.3500950888734686, rel=1e-12)


def test_ends_of_the_ladder():
    """Members alone keep nothing and have one role each; of one group effectiveness and individuality say nothing."""
    found = by_scale(make(), n_nulls=3, rng=1)
    alone, whole = (found.frame[found.frame["groups"] == n].set_index("measure")["observed"] for n in (64, 1))
    assert alone[["role_entropy", "closure", "individuality"]].tolist() == [0, 0, 1]
    assert whole.to_dict() == {"role_entropy": 1, "closure": 1, "effective_information": 0}


def test_names_of_members_do_not_matter():
    table, (fine, coarse) = planted_flows(
        60, sizes=(5, 20), ties=500, rng=1)
    order = np.random.default_rng(1).permutation(60)
    roles = np.arange(60) % 3
    one = by_scale(table, roles, nest=[fine, coarse], n_nulls=1, rng=1)
    other = by_scale(table[order][:, order], roles[order], nest=[7 - fine[order] % 7 + 10 * fine[order],
                                                                coarse[order]], n_nulls=1, rng=1)
    assert one.frame["observed"].to_numpy() == pytest.approx(other.frame["observed"].to_numpy())


def test_same_seed_same_answer_and_the_world_stays():
    world = make(ticks=20)
    graph = flows.interdependence(world)
    for call in (lambda rng: by_scale(world, n_nulls=4, rng=rng).frame,
                 lambda rng: by_scale(graph, n_nulls=4, rng=rng).frame,
                 lambda rng: role_correlation(world, rng=rng)[0]):
        pd.testing.assert_frame_equal(call(3), call(3))
        assert not call(3).equals(call(4))
    again = by_scale(world, n_nulls=2, rng=np.random.default_rng(1))
    assert again.frame.equals(by_scale(world, n_nulls=2, rng=again.seed).frame)
    assert world.tick == 20 and world.n_members == 64


def test_a_reading_of_a_grid_has_boxes_too():
    world = make(ticks=0)
    taken = Snapshots(world, every=30)
    world.step(30)
    here, window = by_scale(world, n_nulls=1, rng=1), by_scale(taken.window(), n_nulls=1, rng=1)
    assert "role_entropy" not in set(window.frame["measure"])           # a reading tells no roles
    assert window.null == here.null == "flows"
    for groups, value in of(here, "closure").items():
        assert of(window, "closure", groups) == pytest.approx(value, rel=1e-5)
    roles = measures.dominant_task(world)
    assert of(by_scale(taken.window(), roles, n_nulls=1, rng=1), "role_entropy") == of(here, "role_entropy")


def test_roles_may_be_those_that_were_found():
    world = make((12, 12), ticks=1000)
    roles = find_roles(world, rng=1)
    assert roles.n_roles > 1
    quarters = [i // 12 // 4 * 3 + i % 12 // 4 for i in range(144)]
    assert of(by_scale(world, roles, n_nulls=1, rng=1), "role_entropy", 9) == pytest.approx(
        plain_entropy(roles.labels.tolist(), quarters))
    given, found = (role_correlation(world, one, reach=2, rng=1)[0] for one in (roles.labels, roles))
    assert given.equals(found)


@pytest.mark.parametrize("shape, numbers", [((8, 8), [64, 16, 4, 1]), ((6, 10), [60, 15, 6, 2, 1]),
                                            ((7,), [7, 4, 2, 1]), ((1, 1), [1])])
def test_boxes(shape, numbers):
    topology = Topology.grid(shape)
    n = topology.n_sites
    nest = boxes(topology, np.arange(n))
    assert [len(np.unique(labels)) for labels in nest] == numbers
    for fine, coarse in zip(nest, nest[1:], strict=False):
        assert len(set(zip(fine.tolist(), coarse.tolist(), strict=True))) == fine.max() + 1
    width = ((1, *shape))[-1]
    for i, labels in enumerate(nest[:-1]):
        for site in range(n):
            corner = site // width // 2**i * 2**i * width + site % width // 2**i * 2**i
            assert labels[site] == labels[corner]


def test_places_of_the_dead_are_in_no_box():
    world = make((4, 4), ticks=5)
    world.remove([0, 1, 4, 5])
    found = by_scale(world, n_nulls=1, rng=1)
    assert found.frame["groups"].unique().tolist() == [12, 3, 1]
    assert found.frame["scale"].unique().tolist() == [1, 4, 12]


def test_the_same_partition_counts_once_but_others_as_many_do_not():
    table, roles = planted_flows(40, sizes=(4, 20), ties=300, rng=1)[0], np.arange(40) % 2
    halves, odd = np.arange(40) // 20, np.arange(40) % 2
    found = by_scale(table, roles, nest=[halves, 1 - halves, odd], n_nulls=1, rng=1)
    assert found.frame.loc[found.frame["measure"] == "role_entropy", "observed"].tolist() == [1, 0]


# -- what chance gives --------------------------------------------------------------------


def test_large_sizes_are_written_out():
    frame = pd.DataFrame({"scale": [1.0, 1024.0], "measure": "closure"})
    assert repr(Scales(frame, "flows", 9, 1)).startswith("Scales(groups of 1 to 1,024 members; 9 nulls")


def test_bands_are_of_roles_and_of_flows_dealt_out():
    """Mean and range of nulls that are made again here, and p-values of both tails from their ranks."""
    world = make(ticks=30)
    found = by_scale(world, n_nulls=12, rng=5)
    table, roles = flows.flow_matrix(world), measures.dominant_task(world)
    ties = trade_of(world).ties                                     # also those that carried nothing
    assert ties.nnz == world.topology.n_ties and (ties != table).nnz == 0
    rng, dealt = np.random.default_rng(5), []
    for _ in range(12):
        one = null_flows(ties, "flows", np.random.default_rng(int(rng.integers(2**63))))
        assert (one.indices == ties.indices).all() and sorted(one.data[one.data > 0]) == sorted(table.data)
        dealt.append((one.toarray().tolist(), rng.permutation(roles).tolist()))
    labels = [site // 8 // 2 * 4 + site % 8 // 2 for site in range(64)]
    rows = found.frame[found.frame["groups"] == 16].set_index("measure")
    for name, values in (("closure", [plain_closure(one, labels) for one, _ in dealt]),
                         ("role_entropy", [plain_entropy(who, labels) for _, who in dealt])):
        row = rows.loc[name]
        assert row[["null_mean", "null_low", "null_high"]].tolist() == pytest.approx(
            [np.mean(values), min(values), max(values)])
        above, below = ((1 + sum(hit)) / 13 for hit in zip(
            *((value >= row["observed"], value <= row["observed"]) for value in values), strict=True))
        assert row[["above", "below"]].tolist() == pytest.approx([above, below])
        assert row["pvalue"] == pytest.approx(min(1, 2 * min(above, below)))
        assert row["null_groups"] == 16


def test_chance_of_graphs_ties_others():
    """Of equal flows, dealing them out again would change nothing."""
    graph = nx.planted_partition_graph(4, 12, 0.8, 0.05, seed=1)
    nest = [np.arange(48) // 12]
    ties = by_scale(graph, nest=nest, rng=1)
    same = by_scale(graph, nest=nest, null="flows", rng=1)
    row, flat = (one.frame.set_index("measure").loc["closure"] for one in (ties, same))
    assert ties.null == "degrees" and row["pvalue"] == .05 and row["above"] == 1 / 40
    assert flat["null_low"] == flat["null_high"] == flat["observed"] and flat["pvalue"] == 1


def test_groups_that_are_found_are_found_again_in_the_nulls():
    """Of equally many, or there is no comparison: Louvain's method divides random ties into many, never into few."""
    table, (fine, _) = planted_flows(400, sizes=(20, 100), shares=(.6, .3, .1), ties=6000, rng=1)
    found = by_scale(table, roles=fine, n_nulls=9, rng=1).frame
    assert found["groups"].max() == 400 and found["groups"].min() == 1
    assert found.loc[found["measure"] == "role_entropy", "null_groups"].tolist() == found.loc[
        found["measure"] == "role_entropy", "groups"].tolist()
    some = found[found["null_mean"].notna()]
    assert (np.abs(np.log(some["null_groups"] / some["groups"])) <= np.log(1.5) + 1e-9).all()
    left_out = found[found["null_mean"].isna()]
    assert left_out["pvalue"].isna().all() and (left_out["measure"] != "role_entropy").all()
    assert ((found["compared"] == 0) == found["null_mean"].isna()).all()
    assert scales._alike([np.arange(400), np.zeros(400, int)], [fine]) == [None]
    mid = some[(some["measure"] == "closure") & some["groups"].between(15, 30)]
    assert len(mid) and (mid["observed"] > mid["null_high"]).all()      # the planted 20 keep more than chance does
    role = found[(found["measure"] == "role_entropy") & found["groups"].between(15, 30)]
    assert (role["observed"] < role["null_low"]).all()


def test_random_graphs_have_no_scale():
    """Ties at random: of 20 such graphs, few are beyond chance at a scale, and by either tail."""
    low = 0
    for seed in range(20):
        table = planted_flows(60, sizes=(6,), shares=(0., 1.), ties=400, rng=seed)[0]
        found = by_scale(table, nest=[np.arange(60) // 6], rng=seed).frame.set_index("measure")
        low += found.loc["closure", "pvalue"] <= .05
    assert low <= stats.binom.ppf(.999, 20, .05)


def test_roles_at_random_are_seldom_called_more():
    """200 shuffles: p-values of both tails are at their nominal level."""
    rng, none = np.random.default_rng(3), sparse.csr_array((64, 64))
    nest = boxes(Topology.grid((8, 8)), np.arange(64))[1:2]
    small = sum(by_scale(none, rng.permutation(np.arange(64) % 3), nest=nest, rng=rng).frame["pvalue"].iloc[0] <= .05
                for _ in range(200))
    assert stats.binom.ppf(.0005, 200, .05) <= small <= stats.binom.ppf(.9995, 200, .05)


def test_roles_alone_and_flows_alone():
    none, table = sparse.csr_array((16, 16)), planted_flows(16, sizes=(4,), shares=(.5, .5), ties=60, rng=1)[0]
    roles = np.arange(16) // 4
    only = by_scale(none, roles, n_nulls=2, rng=1).frame                # nothing flows: members alone, and all in one
    assert set(only["measure"]) == {"role_entropy"} and only["groups"].tolist() == [16, 1]
    assert "role_entropy" not in set(by_scale(table, n_nulls=2, rng=1).frame["measure"])
    alike = by_scale(none, np.zeros(16), nest=[roles], n_nulls=2, rng=1).frame
    assert alike[["observed", "pvalue"]].values.tolist() == [[0, 1]]    # one role: nothing to mix


@pytest.mark.parametrize("call, error, match", [
    (lambda world: by_scale(world, n_nulls=0), ValueError, "n_nulls must be at least 1, not 0"),
    (lambda world: by_scale(world, null="flow"), ValueError,
     "null must be one of flows, strengths, degrees, not 'flow'; did you mean 'flows'"),
    (lambda world: by_scale(world, nest=[np.zeros(16), np.zeros(3)]), ValueError,
     r"nest\[1\] must have one label for each of the 16 members, not shape \(3,\)"),
    (lambda world: by_scale(world, nest=[]), ValueError, "nest must hold at least one partition"),
    (lambda world: by_scale(world, [1, 2]), ValueError,
     r"roles must have one label for each of the 16 members, not shape \(2,\)"),
    (lambda world: by_scale(np.zeros((3, 3))), ValueError,
     "source must have members, and roles or flows of theirs; there are neither"),
    (lambda world: by_scale(np.zeros((0, 0))), ValueError,
     "source must have members, and roles or flows of theirs; nobody is there"),
    (lambda world: by_scale("world"), TypeError, "source must be a World, a Reading"),
    (lambda world: by_scale(world, rng="x"), TypeError, "rng must be an int"),
    (lambda world: boxes(Topology.from_networkx(nx.path_graph(3)), [0]), ValueError,
     "boxes need a grid; this topology is none"),
    (lambda world: role_correlation(world, reach=0), ValueError, "reach must be at least 1, not 0"),
    (lambda world: role_correlation(world, n_nulls=1.5), TypeError, "n_nulls must be a whole number of at least 1"),
    (lambda world: role_correlation(world, [0]), ValueError,
     r"roles must have one label for each of the 16 members, not shape \(1,\)")])
def test_refused(call, error, match):
    with pytest.raises(error, match=match):
        call(make((4, 4), ticks=3))


# -- roles by distance --------------------------------------------------------------------


@pytest.mark.parametrize("topology", [Topology.grid((6, 6), torus=False), Topology.from_networkx(
    nx.gnm_random_graph(36, 50, seed=2, directed=True))], ids=["grid", "directed"])
def test_correlation_twin(topology):
    world = World(topology, rng=1)
    world.remove([7, 8, 20])
    living, rng = world.living.tolist(), np.random.default_rng(1)
    roles = rng.integers(3, size=len(living)).tolist()
    frame, _ = role_correlation(world, roles, reach=3, n_nulls=40, rng=9)
    graph = nx.Graph(zip(topology.source.tolist(), topology.target.tolist(), strict=True))
    graph.add_nodes_from(range(36))
    far = dict(nx.all_pairs_shortest_path_length(graph))
    pairs = [(i, j) for i in range(33) for j in range(i)]
    again = np.random.default_rng(9)
    dealt = [again.permutation(np.array(roles)).tolist() for _ in range(40)]
    assert frame["distance"].tolist() == [1, 2, 3]
    for row in frame.to_dict("records"):
        apart = [(i, j) for i, j in pairs if far[living[i]].get(living[j]) == row["distance"]]

        def alike(who, apart=apart):
            by_chance = np.mean([who[i] == who[j] for i, j in pairs])
            return (np.mean([who[i] == who[j] for i, j in apart]) - by_chance) / (1 - by_chance)

        assert row["pairs"] == len(apart) and row["correlation"] == pytest.approx(alike(roles))
        assert [row["null_low"], row["null_high"]] == pytest.approx(
            np.quantile([alike(who) for who in dealt], [.025, .975]))


def test_correlation_by_hand():
    """A chessboard is unlike at odd distances and alike at even ones; halves fade; members alike have none."""
    world = World(Topology.grid((8, 8), "von_neumann"), rng=1)
    row, column = np.divmod(np.arange(64), 8)
    by_chance = 31 / 63                                     # of 63 others, 31 have one's colour
    board, length = role_correlation(world, (row + column) % 2, reach=4, rng=1)
    assert board["correlation"].tolist() == pytest.approx([-by_chance / (1 - by_chance), 1] * 2) and length == np.inf
    halves, length = role_correlation(world, row // 4, reach=4, rng=1)
    first = 1 - 2 * 8 / 128                                 # 16 of 128 ties cross on a torus: along two seams
    assert halves["correlation"].iloc[0] == pytest.approx((first - by_chance) / (1 - by_chance))
    assert 1 < length < 4 and halves["correlation"].is_monotonic_decreasing
    same, length = role_correlation(world, np.zeros(64), rng=1)
    assert (same["correlation"] == 0).all() and length == 0


def test_length_by_hand():
    """Interpolated where the size falls to 1/e of the first, whichever its sign; gaps are crossed."""
    def length(distance, correlation, low=-.1, high=.1):
        return _length(pd.DataFrame({"distance": distance, "correlation": correlation, "null_low": low,
                                     "null_high": high}))

    assert length([1, 2, 3], [.8, .4, .16]) == pytest.approx(2 + (.5 - 1 / e) / (.5 - .2))
    assert length([1, 2, 3], [-.8, .4, -.16]) == pytest.approx(2 + (.5 - 1 / e) / (.5 - .2))
    assert length([1, 3], [.8, 0]) == pytest.approx(1 + 2 * (1 - 1 / e))
    assert length([1, 2], [.8, .7]) == np.inf and length([1, 2], [.05, 0]) == 0
    assert length([2, 3], [.8, 0]) == 0 and length([], []) == 0


def test_roles_at_random_have_seldom_a_length():
    """200 shuffles: a first correlation is beyond 95 % of its nulls as often as it says."""
    world, rng = World(Topology.grid((6, 6)), rng=1), np.random.default_rng(4)
    found = sum(role_correlation(world, rng.permutation(np.arange(36) % 3), reach=1, rng=rng)[1] != 0
                for _ in range(200))
    assert found <= stats.binom.ppf(.999, 200, .06)         # ties of a discrete null, and 99 of them


# -- pictures -----------------------------------------------------------------------------


def drawn(ax):
    """Draw for real, so that what cannot be drawn fails."""
    ax.figure.canvas.draw()
    return ax


def words(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def line(ax, label):
    return next(one for one in ax.lines if one.get_label().startswith(label))


def test_curve_and_band_are_those_of_the_frame():
    found = by_scale(make((16, 16), ticks=200), n_nulls=39, rng=1)
    for name in found.frame["measure"].unique():
        rows = found.frame[found.frame["measure"] == name]
        ax = drawn(plots.by_scale(found, name, ax=Figure().subplots()))
        assert line(ax, "observed").get_xydata().tolist() == rows[["scale", "observed"]].values.tolist()
        (band,) = [one for one in ax.collections if isinstance(one, PolyCollection)]
        corners = {tuple(point) for path in band.get_paths() for point in path.vertices.tolist()}
        assert {(x, y) for key in ("null_low", "null_high") for x, y in rows[["scale", key]].values.tolist()} <= corners
        beyond = rows[rows["pvalue"] <= .05]
        high = beyond["observed"] > beyond["null_mean"]
        for some, label, marker in ((beyond[high], "above", "^"), (beyond[~high], "below", "v")):
            if len(some):
                marked = line(ax, f"{label} chance (p ≤ 0.05)")
                assert marked.get_xydata().tolist() == some[["scale", "observed"]].values.tolist()
                assert marked.get_marker() == marker
        assert ("nowhere beyond chance (p ≤ 0.05)" in words(ax)) == (not len(beyond))
        assert ("not defined for a single group of all" in words(ax)) == (name in ("effectiveness", "individuality"))
        assert ax.get_xscale() == "log" and ax.get_title() == name.replace("_", " ") + " by scale"
        low, high = ax.get_ylim()
        assert low < 0 and high > rows[["observed", "null_high"]].max(axis=None)
        assert "by chance (range of 39 nulls)" in words(ax) and "\n" in ax.get_ylabel()
    beyond = found.frame[(found.frame["measure"] == "role_entropy") & (found.frame["pvalue"] <= .05)]
    assert len(beyond)                                      # neighbours divide the roles among them: marks were drawn


def rows(**columns):
    return Scales(pd.DataFrame({"measure": "closure", "compared": 39, **columns}), "flows", 39, 1)


def test_too_few_nulls_are_said_to_be_too_few():
    few = rows(scale=[2, 4, 8], observed=[.9, .9, .9], null_mean=[.2] * 3, null_low=[.1] * 3, null_high=[.3] * 3,
               pvalue=[2 / 19] * 3, compared=18)
    said = words(drawn(plots.by_scale(few, "closure")))
    assert "too few nulls to tell p ≤ 0.05 (it takes 39) at 3 of 3 sizes" in said and len(said) == 3
    some = rows(scale=[2, 4], observed=[.9, .9], null_mean=[.2] * 2, null_low=[.1] * 2, null_high=[.3] * 2,
                pvalue=[.05, 2 / 38], compared=[39, 37])
    said = "; ".join(words(drawn(plots.by_scale(some, "closure"))))
    assert "at 1 of 2 sizes" in said and "above chance" in said


def test_what_is_given_has_its_flows_shuffled():
    """A series of snapshots and the interdependence of a world have the nulls of their world."""
    world = World(Topology.grid((8, 8)), rng=1, ledger=True)
    world.step(100)
    taken = Snapshots(world, every=50)
    world.step(50)
    for source in (taken, taken[-1], taken[-1].reading(), interdependence(world), world):
        assert by_scale(source, n_nulls=1, rng=1).null == "flows"
    assert by_scale(nx.karate_club_graph(), n_nulls=1, rng=1).null == "degrees"
    boxed = [by_scale(one, n_nulls=1, rng=1).frame["scale"].unique().tolist() for one in (taken, world)]
    assert boxed[0] == boxed[1]
    with pytest.raises(TypeError, match="world must be a World, .*, not Snapshots"):
        role_correlation(taken)


def test_no_band_where_nothing_compares_and_a_bar_where_one_scale_is():
    gap = rows(scale=[1, 4, 16, 64], observed=[0, .2, .3, 1], null_mean=[0, .1, np.nan, 1], null_low=[0, .1, np.nan, 1],
               null_high=[0, .2, np.nan, 1], pvalue=[1, .5, np.nan, 1])
    ax = drawn(plots.by_scale(gap, "closure"))
    assert "no band: no null has about as many groups" in words(ax)
    (band,) = [one for one in ax.collections if isinstance(one, PolyCollection)]
    assert len(band.get_paths()) == 2 and line(ax, "observed").get_xdata().tolist() == [1, 4, 16, 64]
    single = rows(scale=[4], observed=[.5], null_mean=[.3], null_low=[.2], null_high=[.4], pvalue=[.05])
    ax = drawn(plots.by_scale(single, "closure", title="mine"))
    (bar,) = [one for container in ax.containers for one in container[2]]
    assert [point.tolist() for point in bar.get_segments()[0]] == [[4, .2], [4, .4]]
    assert ax.get_title() == "mine" and line(ax, "above").get_ydata().tolist() == [.5]


def test_a_measure_that_was_not_taken():
    with pytest.raises(ValueError, match="measure must be one of closure, not 'closur'; did you mean 'closure'"):
        plots.by_scale(rows(scale=[1], observed=[0], null_mean=[0], null_low=[0], null_high=[0], pvalue=[1]), "closur")


@pytest.mark.parametrize("roles, said", [
    (np.arange(64) // 8 // 4, "correlation length: 2."), (np.arange(64) // 8 % 2, "no correlation length: neighbours"),
    (np.zeros(64), "correlation length: 0 (neighbours as by chance)")])
def test_correlation_is_drawn_with_its_length(roles, said):
    world = World(Topology.grid((8, 8), "von_neumann" if roles[8] != 1 else "moore"), rng=1)
    frame, length = role_correlation(world, roles, reach=3, rng=1)
    ax = drawn(plots.role_correlation(frame, length))
    assert any(said in text for text in words(ax)) and "by chance (range of 95 % of nulls)" in words(ax)
    assert line(ax, "observed").get_xydata().tolist() == frame[["distance", "correlation"]].values.tolist()
    upright = [one for one in ax.lines if one.get_linestyle() == ":"]
    assert [one.get_xdata()[0] for one in upright] == ([length] if 0 < length < np.inf else [])
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_neighbours_who_are_unlike_have_no_correlation_length():
    frame = pd.DataFrame({"distance": [1, 2, 3], "correlation": [-.5, .1, 0], "null_low": -.2, "null_high": .2})
    ax = drawn(plots.role_correlation(frame, 1.6))
    assert "no correlation length: neighbours are rather unlike" in words(ax)
    assert not [one for one in ax.lines if one.get_linestyle() == ":"]
    assert line(ax, "below chance").get_xydata().tolist() == [[1, -.5]]


def test_nobody_to_correlate_is_said():
    world = World(Topology.grid((4, 4)), rng=1)
    world.remove(world.living[1:])
    frame, length = role_correlation(world, rng=1)
    assert len(frame) == 0 and length == 0
    ax = drawn(plots.role_correlation(frame, length, ax=Figure().subplots(), title="mine"))
    assert [text.get_text() for text in ax.texts] == ["no two members are tied"] and ax.get_title() == "mine"


def test_unknown_roles_are_left_out():
    """As if those members were not there: neither a role of their own nor part of any."""
    world = make()
    labels = np.random.default_rng(1).integers(0, 3, 64)
    labels[::4] = -1
    known, nest = labels >= 0, np.arange(64) // 16
    found = by_scale(world, labels, nest=[nest], n_nulls=5, rng=1)
    assert of(found, "role_entropy", 4) == pytest.approx(plain_entropy(labels[known].tolist(), nest[known].tolist()))
    assert found.matched is None
    assert set(by_scale(world, np.full(64, -1), nest=[nest], n_nulls=1, rng=1).frame["measure"]) == {
        "closure", "effective_information", "effectiveness", "individuality"}
    frame, _ = role_correlation(world, labels, reach=2, rng=1)
    assert frame.loc[0, "pairs"] < role_correlation(world, labels + 1, reach=2, rng=1)[0].loc[0, "pairs"]


def test_roles_are_matched_by_uid():
    world = make((6, 6))
    for site in (0, 7, 20):
        world.remove([site])
        world.add([site])
    world.step(30)
    uid = np.asarray(world.state["uid"][world.living])
    roles = find_roles(world, 3, rng=1)
    order = np.argsort(roles.uid)
    turned = replace(roles, uid=roles.uid[order], site=roles.site[order], labels=roles.labels[order])
    assert (turned.uid != uid).any()
    one, other = (by_scale(world, each, n_nulls=3, rng=1) for each in (roles, turned))
    assert one.matched == other.matched == 36 and "roles of 36 members" in repr(one)
    pd.testing.assert_frame_equal(one.frame, other.frame)
    one, other = (role_correlation(world, each, n_nulls=9, rng=1)[0] for each in (roles, turned))
    pd.testing.assert_frame_equal(one, other)
    assert one.attrs["matched"] == 36
    with pytest.raises(ValueError, match="roles must be of members with the same uids, not of 36 others"):
        by_scale(world, replace(roles, uid=roles.uid + 1000), n_nulls=1)


def test_nulls_are_divided_only_where_the_nest_is(monkeypatch):
    """A few runs of Louvain's method a null, not the whole sweep; three members have no groups between."""
    runs = []
    for module in (scales, _detect):
        monkeypatch.setattr(module, "detect", lambda *given, one=_detect.detect: runs.append(1) or one(*given))
    found = by_scale(nx.karate_club_graph(), n_nulls=4, rng=1).frame
    assert len(runs) < 38 + 4 * 25
    groups = found["groups"].unique()
    assert (groups[:-1] >= 1.25 * groups[1:]).all() and groups[0] == 34 and groups[-1] == 1 and len(groups) > 5
    del runs[:]
    assert set(by_scale(nx.path_graph(3, create_using=nx.DiGraph), n_nulls=1, rng=1).frame["groups"]) == {3, 1}
    assert not runs


def test_shown_at_the_head(capsys):
    assert scales.by_scale is by_scale
    by_scale(make((4, 4), ticks=3), n_nulls=2, rng=1, progress=True)
    assert "nulls" in capsys.readouterr().err


@pytest.mark.parametrize("graph", [nx.ring_of_cliques(8, 6), nx.disjoint_union_all([nx.complete_graph(4)] * 6),
                                   nx.balanced_tree(2, 4)], ids=["ring", "apart", "tree"])
def test_nulls_that_divide_in_no_such_way_are_left_out(graph):
    made = by_scale(graph, n_nulls=5, rng=1)
    assert len(made.frame) and made.n_nulls == 5
