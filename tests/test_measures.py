"""Measures against published numbers, brute force and their own nulls."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from organism import Params, Topology, World, measures
from organism.measures._null import chance, column_sums, expected_information
from organism.measures._sources import entropy

FACTORY = [[8, 2], [1, 9]]
WORKSHOP = [[30, 10, 0], [5, 5, 40], [0, 20, 0], [1, 1, 8]]
PAIRS = [[1, 0], [1, 0], [0, 1], [0, 1]]


@pytest.fixture(scope="module")
def world():
    world = World(Topology.grid((12, 12)), rng=4)
    world.step(800)
    return world


def decayed_acts(rng, mix, ages, memory):
    """Counts of members that drew every act independently from their mix, as the kernel forgets them."""
    counts = np.zeros((len(ages), len(mix[0])))
    for i, age in enumerate(ages):
        acts = rng.choice(len(mix[i]), age, p=mix[i])
        counts[i] = np.bincount(acts, weights=memory ** np.arange(age), minlength=len(mix[i]))
    return counts


# -- Gorelick's indices -------------------------------------------------------------------


@pytest.mark.parametrize("table, information, sym, task, ind", [
    (FACTORY, .39731261, .39875584, .39731261, .4002043),
    (WORKSHOP, None, .50148038, .47056369, .53442833),
    (PAIRS, 1., .70710678, .5, 1.),
])
def test_gorelick_published(table, information, sym, task, ind):
    found = measures.gorelick(table)
    assert (found.sym, found.task, found.ind) == pytest.approx((sym, task, ind), abs=1e-8)
    if information is not None:
        assert found.information == pytest.approx(information, abs=1e-8)
    assert found.defined
    for name in measures.INDICES:
        raw = measures.division_of_labour(table, normalisation=name, corrected=False)
        assert raw == getattr(found, name)


def test_gorelick_brute_force():
    table = np.array(WORKSHOP, float)
    p = table / table.sum()
    information = sum(p[i, m] * math.log2(p[i, m] / (p[i].sum() * p[:, m].sum()))
                      for i, m in itertools.product(range(4), range(3)) if p[i, m])
    assert measures.gorelick(table).information == pytest.approx(information, rel=1e-12)


def test_idle_members_and_unused_tasks_change_nothing():
    plain = dataclasses.astuple(measures.gorelick(FACTORY))
    padded = dataclasses.astuple(measures.gorelick([[8, 2, 0], [0, 0, 0], [1, 9, 0]]))
    assert padded == pytest.approx(plain)
    test = measures.division_of_labour_test([[8, 2, 0], [0, 0, 0], [1, 9, 0]], rng=1)
    plain = measures.division_of_labour_test(FACTORY, rng=1)
    assert np.array_equal(test.null_distribution, plain.null_distribution)


@pytest.mark.parametrize("table", [
    [[5.], [7.]], [[3, 4]], [[0, 0], [0, 0]], [[4, 0], [9, 0]], np.zeros((0, 3)), [[2, 3], [0, 0]],
])
def test_undefined_is_zero_and_flagged(table):
    found = measures.gorelick(table)
    assert not found.defined and found.ind == found.task == found.sym == 0
    test = measures.division_of_labour_test(table, n_resamples=9, rng=0)
    assert (test.statistic, test.pvalue, test.corrected, test.defined) == (0, 1, 0, False)
    assert measures.division_of_labour(table) == 0
    assert np.isfinite(measures.task_persistence(table))
    assert np.isfinite(measures.task_persistence(table, excess=True))


@settings(max_examples=60, deadline=None)
@given(arrays(float, st.tuples(st.integers(0, 6), st.integers(1, 4)), elements=st.floats(0, 200)))
@example(np.array([[1., 1e-200], [1e-200, 1e-200]]))
def test_indices_stay_in_range(table):
    found = measures.gorelick(table)
    assert all(np.isfinite(value) for value in dataclasses.astuple(found))
    assert -1e-9 <= found.ind <= 1 + 1e-9
    assert found.information <= min(found.task_entropy, found.member_entropy) + 1e-9
    assert measures.division_of_labour(table) <= found.ind + 1e-9
    assert np.isfinite(measures.task_persistence(table, each=True)).all()
    assert ((0 <= (s := measures.specialisation(table, each=True))) & (s <= 1)).all()


# -- the null -----------------------------------------------------------------------------


def test_effective_draws():
    assert measures.effective_draws([[3, 4], [0, 0]]).tolist() == [7, 0]
    for age in (1, 2, 30, 5000):
        weight = .995 ** np.arange(age)
        kish = weight.sum() ** 2 / (weight**2).sum()
        assert measures.effective_draws([[weight.sum(), 0]], .995)[0] == pytest.approx(kish)
    assert measures.effective_draws([[200.]], .995)[0] == pytest.approx(399, rel=1e-3)
    assert measures.effective_draws([[200.1]], .995)[0] < 402  # rounding must not run away


def test_expected_information_by_enumeration():
    """All ways to deal 5 acts, 3 of one task and 2 of the other, to two members with 2 and 3."""
    acts, tables = [0, 0, 0, 1, 1], []
    for first in itertools.combinations(range(5), 2):
        counts = np.zeros((2, 2))
        for k, task in enumerate(acts):
            counts[0 if k in first else 1, task] += 1
        tables.append(measures.gorelick(counts).information)
    observed = np.array([[2, 0], [1, 2]], float)
    rows = observed.sum(axis=1).astype(int)
    assert expected_information(observed, rows) == pytest.approx(np.mean(tables), rel=1e-12)


def test_expected_is_the_mean_of_the_null():
    counts = np.random.default_rng(2).integers(0, 30, (12, 3)).astype(float)
    test = measures.division_of_labour_test(counts, n_resamples=2000, rng=3)
    expected = expected_information(counts, counts.sum(axis=1).astype(int)) / test.indices.task_entropy
    error = test.null_distribution.std() / math.sqrt(2000)
    assert test.null_distribution.mean() == pytest.approx(expected, abs=4 * error)


def test_expected_interpolates_many_ages():
    rng = np.random.default_rng(5)
    rows = np.arange(2, 402)
    counts = np.array([rng.multinomial(n, [.2, .3, .5]) for n in rows], float)
    whole = expected_information(counts, rows)
    weight, columns = rows / rows.sum(), column_sums(counts, rows.sum())
    exact = 0.
    for n, w in zip(rows, weight, strict=True):
        done = np.arange(1, n + 1)[:, None]
        part = done[:, 0] / n
        exact += w * (entropy(columns / columns.sum())
                      + chance(done, rows.sum(), columns, n).sum(axis=1) @ (part * np.log2(part)))
    assert whole == pytest.approx(exact, rel=1e-3)


def test_chance_is_hypergeometric():
    from scipy.stats import hypergeom

    for total, columns, n in ((20, [11, 9], 10), (47880, [16000, 15000, 16880], 399), (100, [3, 97], 50)):
        done = np.arange(1, n + 1)[:, None]
        expected = hypergeom.pmf(done, total, columns, n)
        assert chance(done, total, np.array(columns), n) == pytest.approx(expected, abs=1e-10)


def test_null_keeps_size_when_there_are_no_roles():
    """One mix for all, members of all ages: the test rejects at its level, the correction finds 0."""
    rng, mix, pvalues, corrected, excess = np.random.default_rng(6), [.5, .3, .2], [], [], []
    for trial in range(150):
        ages = rng.integers(2, 900, 20)
        counts = decayed_acts(rng, [mix] * 20, ages, .99)
        test = measures.division_of_labour_test(counts, memory=.99, n_resamples=59, rng=trial)
        pvalues.append(test.pvalue)
        corrected.append(test.corrected)
        excess.append(measures.task_persistence(counts, memory=.99, excess=True))
    assert np.mean(np.array(pvalues) <= .05) <= .05 + 3 * math.sqrt(.05 * .95 / 150)
    assert np.mean(np.array(pvalues) <= .5) > .3
    for values in (corrected, excess):
        assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(150)


@pytest.mark.parametrize("age", [3, 20, 300])
def test_correction_finds_the_division_of_labour_behind_short_memories(age):
    rng = np.random.default_rng(7)
    mix = rng.dirichlet([.7] * 3, 300)
    behind = measures.gorelick(mix).ind
    found = [measures.division_of_labour(decayed_acts(rng, mix, [age] * 300, 1.)) for _ in range(3)]
    raw = measures.gorelick(decayed_acts(rng, mix, [age] * 300, 1.)).ind
    assert np.mean(found) == pytest.approx(behind, abs=.04)
    if age < 100:
        assert raw > behind + .04


def test_correction_at_the_ends():
    assert measures.division_of_labour(np.eye(3) * 100) == pytest.approx(1)
    assert measures.division_of_labour(PAIRS) == 0  # one act each: nothing but chance is possible
    assert measures.division_of_labour(np.full((9, 3), 50)) < 0


def test_null_distribution_is_repeatable():
    sources = (5, 5, np.random.default_rng(1), np.random.default_rng(1), np.random.SeedSequence(2), None)
    runs = [measures.division_of_labour_test(WORKSHOP, rng=rng) for rng in sources]
    assert np.array_equal(runs[0].null_distribution, runs[1].null_distribution) and runs[0].seed == 5
    assert np.array_equal(runs[2].null_distribution, runs[3].null_distribution)
    for run in runs[2:]:
        again = measures.division_of_labour_test(WORKSHOP, rng=run.seed)
        assert np.array_equal(run.null_distribution, again.null_distribution)
    assert runs[0].pvalue == 1 / 200 and runs[0].draws == 30


def test_fewer_draws_are_less_sure():
    sure = measures.division_of_labour_test(FACTORY, rng=1)
    unsure = measures.division_of_labour_test(FACTORY, rng=1, draws=2)
    assert sure.pvalue < .05 < unsure.pvalue and unsure.draws == 2
    assert unsure.corrected < sure.corrected < sure.statistic


def test_large_totals_take_the_free_columns():
    test = measures.division_of_labour_test(np.full((30, 2), 2e5), n_resamples=5, rng=1)
    assert (test.null_distribution < 1e-5).all() and test.pvalue == 1


@pytest.mark.parametrize("change, match", [
    ({"normalisation": "indiv"}, "normalisation must be one of ind, task, sym, not 'indiv'; did you mean"),
    ({"n_resamples": 0}, "n_resamples must be a whole number"),
    ({"draws": [1, 2, 3]}, "draws must be one number or one for each of the 2 members"),
    ({"draws": -1}, "draws must be finite and 0 or more"),
    ({"memory": 1.5}, r"memory must be in \[0, 1\], not 1.5"),
    ({"rng": -1}, "rng must be in"),
    ({"rng": "x"}, "rng must be an int"),
])
def test_refusals(change, match):
    with pytest.raises((ValueError, TypeError), match=match):
        measures.division_of_labour_test(FACTORY, **change)


@pytest.mark.parametrize("table, match", [
    ([1, 2, 3], "two axes"), ([[1, -2]], r"task_counts\[0, 1\] must be 0 or more, not -2"),
    ([[1, np.nan]], r"task_counts\[0, 1\] must be finite, not nan"),
])
def test_bad_counts(table, match):
    with pytest.raises(ValueError, match=match):
        measures.gorelick(table)


# -- tasks --------------------------------------------------------------------------------


def test_persistence_is_the_share_of_equal_pairs():
    """Of the pairs of different acts of a member; and, for the excess, of different members."""
    members = [[0, 0, 0, 1], [1, 1, 2], [2]]
    counts = [np.bincount(acts, minlength=3) for acts in members]

    def equal(pairs):
        return np.mean([a == b for a, b in pairs])

    each = [equal(itertools.combinations(acts, 2)) for acts in members[:2]]
    assert measures.task_persistence(counts, each=True) == pytest.approx([*each, 0])
    assert measures.task_persistence(counts) == pytest.approx(np.mean(each))
    across = equal([(a, b) for i, j in itertools.combinations(range(3), 2)
                    for a in members[i] for b in members[j]])
    excess = (np.mean(each) - across) / (1 - across)
    assert measures.task_persistence(counts, excess=True) == pytest.approx(excess)
    assert measures.task_persistence(np.eye(3) * 50, excess=True) == pytest.approx(1)
    assert measures.task_persistence([[5, 0], [9, 0]], excess=True) == 0


def test_persistence_is_what_a_record_of_acts_shows():
    """Tasks at least ten ticks apart agree as often as the counts say."""
    world = World(Topology.grid((10, 10)), rng=2)
    world.step(1500)
    series = world.record({"task": lambda w: w.state["task"].copy()})
    world.step(500)
    acts = series["task"]
    apart = np.mean([(acts[lag:] == acts[:-lag]).mean() for lag in (10, 20, 40)])
    assert measures.task_persistence(world) == pytest.approx(apart, abs=.02)


def test_dominant_task_and_specialisation():
    counts = [[0, 0, 0], [1, 5, 0], [4, 4, 4], [0, 0, 9]]
    assert measures.dominant_task(counts).tolist() == [-1, 1, 0, 2]
    assert measures.specialisation(counts, each=True)[[0, 2, 3]] == pytest.approx([0, 0, 1])
    assert measures.specialisation([[3], [4]]) == 0


# -- welfare, exchange --------------------------------------------------------------------


def test_welfare_is_floored():
    assert measures.welfare([-.5, .5, 1.]) == pytest.approx(.5)
    assert measures.welfare([-.5, .5], each=True).tolist() == [0, .5]
    with pytest.raises(ValueError, match=r"welfare\[1\] must be finite, not inf"):
        measures.welfare([0, np.inf])


@pytest.mark.parametrize("amounts, value", [
    ([1, 2, 3, 4, 5], 4 / 15), ([1, 1, 1], 0), ([0, 0, 1], 2 / 3), ([0, 0], 0), ([], 0), ([7], 0)])
def test_gini(amounts, value):
    assert measures.gini(amounts) == pytest.approx(value)


def test_gini_is_half_the_relative_mean_difference():
    amounts = np.random.default_rng(0).exponential(size=50)
    assert measures.gini(amounts) == pytest.approx(
        np.abs(amounts[:, None] - amounts).mean() / 2 / amounts.mean())
    with pytest.raises(ValueError, match=r"amounts\[1\] must be 0 or more, not -1"):
        measures.gini([1, -1])


def test_reciprocity():
    assert measures.reciprocity([[0, 3], [1, 0]]) == pytest.approx(2 / 4)
    assert measures.reciprocity([[0, 3, 0], [0, 0, 3], [3, 0, 0]]) == 0
    assert measures.reciprocity(np.ones((4, 4)) - np.eye(4)) == 1
    assert measures.reciprocity(np.zeros((3, 3))) == 0


def test_world_measures_against_loops(world):
    state, topology, trace = world.state, world.topology, world.tie("trace")
    imports = np.zeros(world.n_sites)
    flow = {}
    for i, j, amount in zip(topology.source.tolist(), topology.target.tolist(), trace.tolist(), strict=True):
        imports[j] += amount
        flow[i, j] = amount
    each = measures.dependence(world, each=True)
    assert each == pytest.approx(imports / state["consumption"], rel=1e-5)
    assert measures.dependence(world) == pytest.approx(each.mean())
    back = sum(min(amount, flow[j, i]) for (i, j), amount in flow.items()) / sum(flow.values())
    assert measures.reciprocity(world) == pytest.approx(back, rel=1e-6)
    assert measures.share_rate(world) == state["shared"].mean()
    assert measures.given(world) == pytest.approx(state["given"].mean(), rel=1e-6)
    ready = 1 / (1 + np.exp(-state["share_policy"][:, 0].astype(float)))
    assert measures.share_propensity(world, each=True) == pytest.approx(ready)
    assert measures.activity(world) == 1
    assert measures.division_of_labour(world) == pytest.approx(
        measures.division_of_labour(state["task_counts"], memory=.995))
    assert measures.effective_draws(world) == pytest.approx(
        measures.effective_draws(state["task_counts"], memory=.995))


def test_roles_are_found_where_there_are_any(world):
    test = measures.division_of_labour_test(world, rng=1, n_resamples=39)
    assert test.pvalue == 1 / 40 and test.statistic > 50 * test.null_distribution.mean()
    assert .98 * test.statistic < test.corrected < test.statistic
    assert test.corrected == measures.division_of_labour(world)


def test_resting_members_are_not_active():
    world = World(Topology.grid((8, 8)), Params.preset("resting"), rng=1)
    assert measures.activity(world) == 0  # nobody has done anything yet
    world.step(50)
    assert measures.activity(world) == np.mean(world.state["task"] < 3)
    assert 0 < measures.activity(world) < 1


def test_share_propensity_reads_all_features():
    world = World(Topology.grid((3, 3)), Params(), rng=1)
    plain = {"share_policy": np.array([[1., 2.], [0., -1.]]), "share_feature": np.array([[.5], [1.]])}

    class Stand:
        state, living = plain, np.arange(2)

    assert measures.share_propensity(Stand, each=True) == pytest.approx(1 / (1 + np.exp([-2., 1.])))
    assert measures.share_propensity(world) == .5


def test_only_the_living_count():
    world = World(Topology.grid((6, 6)), rng=1, occupied=[0, 1, 2, 8])
    world.step(200)
    assert measures.welfare(world, each=True).shape == (4,)
    assert measures.dependence(world, each=True).shape == (4,)
    living = world.state["welfare"][[0, 1, 2, 8]]
    assert measures.welfare(world) == pytest.approx(np.maximum(0, living).mean())


@pytest.mark.parametrize("shape, occupied", [((3, 3), []), ((1, 1), [0]), ((3, 3), [4])])
def test_extinct_and_lonely_worlds(shape, occupied):
    world = World(Topology.grid(shape), rng=1, occupied=occupied)
    world.step(30)
    signs = measures.vital_signs(world)
    assert signs["members"] == len(occupied) and signs["tick"] == 30
    assert all(np.isfinite(value) for value in signs.values())
    assert signs["division_of_labour"] == signs["reciprocity"] == signs["dependence"] == 0
    assert measures.division_of_labour_test(world, n_resamples=5).pvalue == 1


def test_storage_order_does_not_matter(world):
    topology = Topology.grid((8, 8))
    other = topology.permuted(np.random.default_rng(1).permutation(64))
    a, b = World(topology, rng=3), World(other, rng=3)
    for each in (a, b):
        each.step(60)
    for name, value in measures.vital_signs(a).items():
        assert measures.vital_signs(b)[name] == pytest.approx(value, rel=1e-6), name


def test_every_scalar_records():
    world = World(Topology.grid((5, 5)), rng=1)
    series = world.record(measures.SCALARS, every=10)
    world.step(30)
    assert set(series) == set(measures.SCALARS)
    assert all(values.shape == series.ticks.shape for values in series.values())
    assert all(np.isfinite(values).all() for values in series.values())
