"""Sweeps: the same numbers on every engine, and nothing finished lost or counted twice."""

import concurrent.futures as cf
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

import organism as og
from organism._designs import points
from organism.sweeps import sweep


def draw(params, rng):
    return {"x": params["a"] + rng.normal(), "n": 1}


def fragile(params, rng):
    if params["a"] == 1:
        raise ZeroDivisionError("a is one")
    return draw(params, rng)


def deadly(params, rng):
    """Kill the own process: the first time only if there is a flag to set, else always."""
    if params["a"] == 1:
        try:
            os.close(os.open(params["flag"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return draw(params, rng)
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(params, rng)


def killer(params, rng):
    if params["a"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(params, rng)


def hangs(params, rng):
    while params["a"] == 1:
        pass
    return draw(params, rng)


def deaf(params, rng):
    """Hang where no signal handler of Python's can run."""
    if params["a"] == 1:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(600)
    return draw(params, rng)


def quiet(*args, **kwargs):
    return sweep(*args, **{"rng": 1, "progress": False, **kwargs})


GRID = {"a": [0, 1, 2.5]}


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
    ({"vary": GRID, "ticks": 3}, "ticks is for worlds"), ({"vary": GRID, "workers": 0}, "workers"),
])
def test_bad_input_is_refused_in_a_sentence(kwargs, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        quiet(draw, **kwargs)


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


@pytest.mark.parametrize("parquet", [True, False])
def test_store_skips_what_is_finished(expected, tmp_path, parquet, monkeypatch):
    if not parquet:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    else:
        pytest.importorskip("pyarrow")
    quiet(draw, vary=GRID, replicates=2, store=tmp_path)
    before = set(os.listdir(tmp_path / "parts"))
    assert {name.rpartition(".")[2] for name in before} == {"parquet" if parquet else "jsonl"}
    found = quiet(draw, vary=GRID, replicates=4, store=tmp_path)
    pd.testing.assert_frame_equal(found.frame, expected, check_exact=True)
    assert len(list(found._store.read())) == 12 and before < set(os.listdir(tmp_path / "parts"))


def test_a_run_that_raises_is_a_row(tmp_path):
    found = quiet(fragile, vary=GRID, replicates=2, store=tmp_path)
    assert len(found.frame) == 4 and found.failures.error.tolist() == ["ZeroDivisionError"] * 2
    assert found.failures.message[0] == "a is one" and found.failures["where"][0].startswith("test_sweeps.py:")


@pytest.mark.parametrize("function, error", [(killer, "WorkerDied"), (deaf, "TimeLimit")])
def test_a_run_that_kills_or_hangs_its_worker(expected, function, error):
    found = quiet(function, vary=GRID, replicates=1, workers=2, time_limit=2.)
    assert found.failures.error.tolist() == [error] and found.frame.a.tolist() == [0, 2.5]
    assert found.frame.x.tolist() == expected[(expected.replicate == 0) & (expected.a != 1)].x.tolist()


def test_a_worker_killed_once_costs_nothing(expected, tmp_path):
    found = quiet(deadly, params={"flag": str(tmp_path / "flag")}, vary=GRID, replicates=4, workers=2,
                  store=tmp_path / "store")
    assert (tmp_path / "flag").exists() and found.failures.empty
    assert found.frame.x.tolist() == expected.x.tolist()


def test_time_limit_serial_and_in_a_thread():
    assert quiet(hangs, vary=GRID, time_limit=.3).failures.error.tolist() == ["TimeLimit"]
    with cf.ThreadPoolExecutor(1) as pool:
        assert quiet(hangs, vary=GRID, time_limit=.3, executor=pool).failures.a.tolist() == [1]


def test_interrupt_keeps_what_is_finished(tmp_path):
    def interrupted(params, rng):
        if params["a"] == 1 and not (tmp_path / "flag").exists():
            (tmp_path / "flag").touch()
            os.kill(os.getpid(), signal.SIGINT)
        return draw(params, rng)

    with pytest.raises(KeyboardInterrupt, match="4 of 12 runs finished; run the same call again"):
        quiet(interrupted, vary=GRID, replicates=4, store=tmp_path / "store")
    found = quiet(interrupted, vary=GRID, replicates=4, store=tmp_path / "store")
    assert len(list(found._store.read())) == 12 and len(found.frame) == 12


def test_disk_full(tmp_path):
    code = textwrap.dedent("""
        import resource, sys
        from organism.sweeps import sweep
        def draw(params, rng):
            return {f"x{i}": rng.normal() for i in range(50)}
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        try:
            sweep(draw, vary={"a": [1, 2]}, rng=1, store=sys.argv[1], progress=False)
        except OSError as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True)
    assert re.search("cannot be written: .*File too large", done.stdout) and "run the same call again" in done.stdout
    assert os.listdir(tmp_path / "store" / "parts") == []


def test_stores_that_are_refused(tmp_path):
    with pytest.raises(OSError, match="cannot be written"):
        quiet(draw, vary=GRID, store="/proc/organism-store")
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="neither empty nor"):
        quiet(draw, vary=GRID, store=tmp_path)
    for form, kind in ((0, "older"), (99, "newer")):
        (tmp_path / "sweep.json").write_text(json.dumps({"format": form}))
        (tmp_path / "parts").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=f"{kind} format {form}"):
            quiet(draw, vary=GRID, store=tmp_path)


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


def test_mesa_model():
    found = quiet(og.OrganismModel, params={"width": 5, "height": 5}, vary={"care.weight": [0., .5]}, ticks=3,
                  measure={"members": lambda model: len(model.agents)}, workers=1).frame
    assert found.members.tolist() == [25, 25] and found.tick.tolist() == [3, 3]


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
    with pytest.raises(ValueError, match="reference must be a point"):
        quiet(shifted, vary={"a": [0, 2]}).summary(reference={"a": 5})


@pytest.mark.filterwarnings("ignore")
def test_dask_with_a_killed_worker(expected, tmp_path):
    distributed = pytest.importorskip("distributed")
    with (distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
                                   host="127.0.0.1") as cluster, distributed.Client(cluster) as client):
        found = quiet(deadly, params={"flag": str(tmp_path / "flag")}, vary=GRID, replicates=4, executor=client,
                      store=tmp_path / "store")
    assert (tmp_path / "flag").exists() and found.failures.empty
    assert found.frame.x.tolist() == expected.x.tolist()
    assert len({o.key for o in found._store.read()}) == 12


def test_command(tmp_path, monkeypatch, capsys):
    from organism.__main__ import main

    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.toml").write_text(textwrap.dedent("""
        [experiment]
        ticks = 5
        replicates = 2
        seed = 4
        [topology]
        size = 4
        [vary]
        "care.weight" = {from = 0, to = 1, step = 0.5}
        [measure]
        names = ["welfare"]
        every = 5
    """))
    assert main(["sweep", "e.toml", "--quiet", "--replicates", "3", "--store", "runs"]) == 0
    found = pd.read_csv("organism-e/runs.csv")
    assert found["care.weight"].tolist() == sorted([0, .5, 1] * 6) and found.tick.tolist() == [0, 5] * 9
    assert len(pd.read_csv("organism-e/summary.csv")) == 3
    (tmp_path / "bad.toml").write_text("[experiment]\ntick = 5")
    assert main(["sweep", "bad.toml"]) == 2 and "no entry 'tick'" in capsys.readouterr().err


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
