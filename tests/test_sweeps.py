"""Sweeps: designs, engines, tables and pictures; the same numbers on every engine."""

import concurrent.futures as cf
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sweep_cases import GRID, draw, quiet

import organism as og
from organism._bootstrap import interval, intervals
from organism._designs import points


@pytest.fixture(scope="module")
def expected():
    return quiet(draw, vary=GRID, replicates=4).frame


def test_designs():
    assert points({"a": [1, 2], "b": ["u", None]}) == [
        {"a": 1, "b": "u"}, {"a": 1, "b": None}, {"a": 2, "b": "u"}, {"a": 2, "b": None}]
    assert points({"a": {"from": 0, "to": .3, "step": .1}}) == [{"a": v} for v in (0, .1, .2, .3)]
    for design in ("latin_hypercube", "sobol"):
        found = points({"a": (2., 4.), "b": {"low": 1e-3, "high": 10, "scale": "log"}}, design, 64, seed=3)
        a, b = np.array([[p["a"], p["b"]] for p in found]).T
        assert np.bincount(((a - 2) * 32).astype(int), minlength=64).tolist() == [1] * 64
        assert np.bincount((np.log10(b / 1e-3) * 16).astype(int), minlength=64).tolist() == [1] * 64


@pytest.mark.parametrize("kwargs, words", [
    ({"vary": {"a": []}}, "holds no values"), ({"vary": {"a": [1, 1.0]}}, "repeats a value"),
    ({"vary": {"a": (1, 0)}, "design": "sobol", "n": 4}, "low < high"),
    ({"vary": {"a": (0, 1)}, "design": "sobol", "n": 5}, "power of 2"), ({"vary": []}, "no points"),
    ({"vary": GRID, "design": "sobl"}, "did you mean 'sobol'"), ({"vary": GRID, "replicates": 0}, "replicates"),
    ({"vary": GRID, "time_limit": 0}, "time_limit must be in"), ({"vary": {"seed": [1]}}, "column of the results"),
    ({"vary": GRID, "store": 5}, "store must be the path of a folder, not 5"),
    ({"what": None, "ticks": 1, "measure": []}, "measure must name at least one measure, not []"),
    ({"what": None, "ticks": 1, "measure": 3}, "measure must be a list of names or a dict of names to functions"),
    ({"vary": GRID, "ticks": 3}, "ticks is for worlds"), ({"vary": GRID, "workers": 0}, "workers"),
])
def test_bad_input_is_refused_in_a_sentence(kwargs, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        quiet(**{"what": draw, **kwargs})


def test_list_points_need_not_have_the_same_names():
    found = quiet(lambda params, rng: {"n": len(params)}, vary=[{"a": 1, "s": "u"}, {"b": None}], replicates=2).frame
    assert found["n"].tolist() == [2, 2, 1, 1] and list(found.columns) == ["a", "s", "b", "replicate", "seed", "n"]


def test_more_values_and_replicates_change_no_run(expected):
    more = quiet(draw, vary={"a": [7, 2.5, 1, 0]}, replicates=6).frame
    both = expected.merge(more, on=["a", "replicate"], suffixes=("", "_more"))
    assert len(both) == 12 and (both.x == both.x_more).all() and expected.seed.nunique() == 12


def test_common_random_numbers():
    found = quiet(draw, vary=GRID, replicates=3, paired=True).frame
    assert found.seed.nunique() == 3
    assert np.allclose((found.x - found.a).groupby(found.replicate).std(), 0)


def test_engines_agree_bitwise(expected, tmp_path):
    pd.testing.assert_frame_equal(quiet(draw, vary=GRID, replicates=4, workers=2).frame, expected, check_exact=True)
    with cf.ThreadPoolExecutor(2) as pool:
        found = quiet(draw, vary=GRID, replicates=4, executor=pool, store=tmp_path).frame
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_world():
    found = quiet(vary={"care.weight": [0, .5], "size": [5]}, ticks=25, every=10, measure=["welfare"],
                  stop="welfare < 0")
    assert found.frame.tick.tolist() == [0, 10, 20, 25] * 2
    row = found.frame.iloc[-1]
    world = og.World(og.Topology.grid((5, 5)), og.Params.preset("organic").replace(**{"care.weight": .5}),
                     rng=int(row.seed))
    world.step(25)
    assert row.welfare == og.measures.welfare(world)
    stopped = quiet(ticks=25, topology=(4, 4), stop="activity > 0").frame
    assert stopped.tick.tolist() == [1]


def test_summary():
    def shifted(params, rng):
        return {"x": params["a"] + rng.normal(), "constant": 3}

    table = quiet(shifted, vary={"a": [0, 2]}, replicates=40).summary(reference={"a": 0}, rng=2)
    x = table[table.measure == "x"].set_index("a")
    assert (x.n == 40).all() and (x.low < x["mean"]).all() and (x["mean"] < x.high).all()
    assert abs(x.high[0] - x.low[0] - 2 * 1.96 * x.sd[0] / 40**.5) < .1
    assert x.difference[2] == pytest.approx(x["mean"][2] - x["mean"][0]) and x.difference_low[2] > 1
    pooled = ((x.sd[0]**2 + x.sd[2]**2) / 2) ** .5
    assert x.hedges_g[2] == pytest.approx(x.difference[2] / pooled * (1 - 3 / (4 * 78 - 1)), rel=1e-3)
    constant = table[table.measure == "constant"]
    assert (constant.low == 3).all() and (constant.high == 3).all()


def test_a_reference_that_is_none_is_told_what_it_must_give():
    found = quiet(lambda params, rng: 1, vary={"care.weight": [0, .5], "size": [4, 8]})
    for reference, words in (({"care.weight": 0}, "not {'care.weight': 0}; it must give size, one of 4, 8"),
                             ({"care.weight": 3, "size": 4}, "it must give care.weight, one of 0, 0.5"),
                             ({"care.weight": 0, "size": 4, "sizes": 1}, "sizes does not vary; did you mean 'size'?")):
        with pytest.raises(ValueError, match=re.escape("reference must be a point of the sweep")) as raised:
            found.summary(reference=reference)
        assert str(raised.value).endswith(words)
    with pytest.raises(TypeError, match="reference must be a dict of what varies to its values, not 3"):
        found.summary(reference=3)
    assert len(found.summary(reference={"size": 4., "care.weight": 0})) == 4


def test_intervals_of_many_samples_are_those_of_each():
    rng = np.random.default_rng(3)
    x, other = rng.gamma(1, size=(40, 9)), rng.normal(size=6)
    x[3, 2:4], x[5], x[6, 1:], x[7] = np.nan, 4., np.nan, np.nan
    for second in ((), (other,)):
        low, high = intervals(x, *second, n_resamples=999, rng=2)
        each = [interval(row[~np.isnan(row)], *second, n_resamples=999, rng=2) for row in x]
        assert np.allclose(np.column_stack([low, high]), each, atol=.01, equal_nan=True)  # ties are rounded otherwise
        assert np.isnan(low[[6, 7]]).all() and not np.isnan(np.delete(low, [6, 7])).any()
    shifted = intervals(x, other + 5, n_resamples=999, rng=2)
    assert np.allclose(np.add(shifted, 5), [low, high], equal_nan=True)
    again = intervals(x, other, n_resamples=999, rng=2)
    assert np.array_equal(again, [low, high], equal_nan=True)


def test_an_interval_is_that_of_the_textbook():
    """Efron and Tibshirani (1993), 12.5, resample by resample; and Student's and Welch's where that has none."""
    x, y = np.random.default_rng(4).gamma(1, size=12), np.random.default_rng(5).normal(size=7)

    def resamples(*samples):
        rng = np.random.default_rng(2)
        draws = [rng.multinomial(len(s), [1 / len(s)] * len(s), size=999) for s in samples]
        return [[np.repeat(s, times) for times in drawn] for s, drawn in zip(samples, draws, strict=True)]

    def error(*samples):
        return sum(s.var(ddof=1) / len(s) for s in samples) ** .5

    ratios = sorted((r.mean() - x.mean()) / error(r) for r in resamples(x)[0])
    expected = x.mean() - ratios[974] * error(x), x.mean() - ratios[24] * error(x)
    assert interval(x, n_resamples=999, rng=2) == pytest.approx(expected, rel=1e-9)
    gap = x.mean() - y.mean()
    ratios = sorted((a.mean() - b.mean() - gap) / error(a, b) for a, b in zip(*resamples(x, y), strict=True))
    expected = gap - ratios[974] * error(x, y), gap - ratios[24] * error(x, y)
    assert interval(x, y, n_resamples=999, rng=2) == pytest.approx(expected, rel=1e-9)
    for few in (x[:2], x[:4], np.array([0., 0, 0, 0, 1, 0, 0, 0])):
        assert interval(few) == pytest.approx(tuple(stats.ttest_1samp(few, 0).confidence_interval(.95)))
    for few in (x[:2], x[:4]):
        welch = stats.ttest_ind(y, few, equal_var=False).confidence_interval(.95)
        assert interval(y, few) == pytest.approx(tuple(welch))
    assert interval([.1] * 3) == interval([.1] * 30) == (.1, .1) and interval([2.] * 6, [.5] * 3) == (1.5, 1.5)


@pytest.mark.parametrize("n, lognormal", [(2, .87), (5, .86), (20, .90)])
def test_intervals_hold_the_mean_as_often_as_they_say(n, lognormal):
    """Within four standard errors of 2,000 samples: the nominal level, or what skewed samples leave of it."""
    rng = np.random.default_rng(n)

    def held(samples, mean):
        low, high = intervals(samples, n_resamples=999)
        return np.mean((low <= mean) & (mean <= high))

    assert abs(held(rng.normal(size=(2000, n)), 0) - .95) < 4 * (.95 * .05 / 2000) ** .5
    assert held(rng.lognormal(size=(2000, n)), np.exp(.5)) > lognormal - 4 * (.9 * .1 / 2000) ** .5
    zeros_and_ones = (rng.random((2000, n)) < .5).astype(float)
    low, high = intervals(zeros_and_ones, n_resamples=999)
    mixed = np.ptp(zeros_and_ones, axis=1) > 0
    assert (high - low)[mixed].min() > 0 == (high - low)[~mixed].max(initial=0)
    assert n < 5 or (held(zeros_and_ones[mixed], .5) > .9 and (high - low).max() < 2)


def test_summary_of_pairs_and_of_what_is_missing():
    def luck(params, rng):
        if params["a"] == "fails" or (params["a"] == "once" and rng.integers(2)):
            raise ValueError("no")
        return params["a"] + rng.normal()

    paired = quiet(luck, vary={"a": [0, 3]}, replicates=12, paired=True).summary(reference={"a": 0})
    assert np.allclose(paired[["difference", "difference_low", "difference_high"]], [[0] * 3, [3] * 3], atol=1e-12)
    table = quiet(luck, vary={"a": [0, "fails"]}, replicates=3).summary(reference={"a": 0}).set_index("a")
    assert table.n.tolist() == [3, 0]
    assert table.loc["fails", ["mean", "sd", "low", "difference", "hedges_g"]].isna().all()
    assert quiet(luck, vary={"a": ["fails"]}).summary().empty


def test_a_measure_cannot_be_called_like_a_column():
    found = quiet(lambda params, rng: {"a": 1}, vary=GRID)
    assert found.failures.message.str.contains("a measure is called 'a'").all() and len(found.failures) == 3


def test_sobol_indices_of_the_ishigami_function():
    """Sample, sweep, analyse; the indices are known (Ishigami and Homma 1990)."""
    sobol_sample = pytest.importorskip("SALib.sample.sobol")
    sobol_analysis = pytest.importorskip("SALib.analyze.sobol")
    problem = {"num_vars": 3, "names": ["x1", "x2", "x3"], "bounds": [[-np.pi, np.pi]] * 3}

    def ishigami(params, rng):
        x1, x2, x3 = params.values()
        return np.sin(x1) + 7 * np.sin(x2)**2 + .1 * x3**4 * np.sin(x1)

    sample = pd.DataFrame(sobol_sample.sample(problem, 512, seed=1), columns=problem["names"])
    found = quiet(ishigami, vary=sample)
    indices = sobol_analysis.analyze(problem, found.frame["value"].to_numpy(), seed=1)
    assert np.allclose(indices["S1"], [.314, .442, 0], atol=.03)
    assert np.allclose(indices["ST"], [.558, .442, .244], atol=.04)


def test_plots():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def plane(params, rng):
        return {"z": params["a"] + params["b"] + .01 * rng.normal()}

    found = quiet(plane, vary={"a": [0, 1, 2], "b": [0, 10]}, replicates=5)
    axes = found.plot("z", x="a", hue="b")
    assert len(axes.lines) == 2 and np.allclose(axes.lines[1].get_ydata(), [10, 11, 12], atol=.05)
    assert np.allclose(found.plot("z", x="a", y="b").images[0].get_array(), [[0, 1, 2], [10, 11, 12]], atol=.05)
    phases = found.plot("z", x="a", y="b", levels=[.5, 5])
    assert phases.images[0].get_array().tolist() == [[0, 1, 1], [2, 2, 2]]
    with pytest.raises(ValueError, match="name the other names"):
        found.plot("z", x="a")
    plt.close("all")


def panels(figure):
    return [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]


def test_figure_suits_the_design():
    def plane(params, rng):
        z = sum(v if isinstance(v, (int, float)) else len(v) for v in params.values())
        return {"z": z + .01 * rng.normal(), "minus": -z}

    def drawn(vary, **how):
        return panels(quiet(plane, vary=vary, replicates=2, **how).figure())

    line, other = drawn({"a": [0, 1, 2]})
    assert (line.get_xlabel(), line.get_ylabel(), other.get_ylabel()) == ("a", "z", "minus")
    assert np.allclose(line.lines[0].get_ydata(), [0, 1, 2], atol=.05)
    hues = drawn({"s": ["uu", "v"], "a": [0, 1]})[0]
    assert hues.get_xlabel() == "a" and [t.get_text() for t in hues.get_legend().get_texts()] == ["uu", "v"]
    assert hues.get_legend().get_title().get_text() == "s"
    texts = drawn({"s": ["zz", "y"]})[1]
    assert [t.get_text() for t in texts.get_xticklabels()] == ["zz", "y"]
    assert texts.lines[0].get_ydata().tolist() == [-2, -1]
    mapped = drawn({"a": range(5), "b": range(6)})[0]
    assert mapped.images[0].get_array().shape == (5, 6) and mapped.get_xlabel() == "b"
    scatter = drawn({"a": (0., 1.), "b": (0., 1.)}, design="latin_hypercube", n=9)
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in scatter] == [(x, y) for y in ("z", "minus") for x in "ab"]
    assert len(scatter[0].lines[0].get_xdata()) == 9
    assert len(drawn({"a": [0, 1], "b": [0, 1], "c": [0, 1]})) == 6
    assert sum(bar.get_height() for bar in drawn({"a": [1]})[0].patches) == 2

    def course(params, rng):
        return [{"tick": 10 * t, "z": params["a"] * t, "late": t if t else float("nan")} for t in range(3)]

    found = quiet(course, vary={"a": [1, 2]}, replicates=2)
    first, second = panels(found.figure())
    assert first.get_xlabel() == second.get_xlabel() == "tick" and first.figure.legends
    assert [line.get_ydata().tolist() for line in first.lines] == [[0, 1, 2], [0, 2, 4]]
    assert first.lines[0].get_xdata().tolist() == [0, 10, 20] and np.isnan(second.lines[0].get_ydata()[0])
    assert len(found.plot("z", x="tick", hue="a").lines) == 2
    with pytest.raises(ValueError, match="'b' does not vary; what varies is a, and tick as x"):
        found.plot("z", x="b")
    with pytest.raises(ValueError, match="several points share the same tick"):
        found.plot("z", x="tick")
    with pytest.raises(ValueError, match="measures must be among z, minus, not 'y'"):
        quiet(plane, vary=GRID).figure(["y"])
