"""Experiments in TOML files, and the command that runs them."""

import importlib.util
import os
import re
import sys
import textwrap
from pathlib import Path

import matplotlib.image
import pandas as pd
import pytest

from organism.__main__ import main
from organism._experiments import read_experiments, run_experiment
from organism.sweeps import sweep

EXAMPLES = Path(__file__).parents[1] / "examples"


def write(folder, text, name="e.toml"):
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def test_command(tmp_path, monkeypatch, capsys):
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
    assert matplotlib.image.imread("organism-e/figure.png").shape[2] == 4
    if importlib.util.find_spec("pyarrow"):
        assert len(pd.read_parquet("organism-e/runs.parquet")) == 18
    (tmp_path / "bad.toml").write_text("[experiment]\ntick = 5")
    assert main(["sweep", "bad.toml"]) == 2 and "no entry 'tick'" in capsys.readouterr().err


MODEL = """
    import math
    from beside import LIFT

    CALLS = 0

    class Box:
        @staticmethod
        def lifted(params, rng):
            global CALLS
            CALLS += 1
            return {"y": params["x"] + LIFT, "pi": math.pi}
"""


@pytest.mark.parametrize("workers", [None, 2])
def test_a_function_from_a_file(tmp_path, monkeypatch, workers):
    """Its own imports are found beside it, also by worker processes."""
    write(tmp_path, MODEL, "random.py")  # no library is hidden by a file of its name
    write(tmp_path, "LIFT = 100", "beside.py")
    path = write(tmp_path, """
        [experiment]
        model = "random.py:Box.lifted"
        [vary]
        x = [1, 2]
        kind = ["a", 3]
    """)
    found, folder = run_experiment(path, workers=workers, out=tmp_path / "out", store=tmp_path / "store",
                                   progress=False)
    assert found.failures.empty and found.frame.y.tolist() == [101, 101, 102, 102]
    assert {"runs.csv", "summary.csv", "failures.csv", "figure.png"} <= set(os.listdir(folder))
    again, _ = run_experiment(path, out=tmp_path / "again", store=tmp_path / "store", progress=False)
    assert len(list(again._store.read())) == 4 and again.seed == found.seed


def test_modules_measures_and_stops_by_name(tmp_path):
    write(tmp_path, """
        def members(model):
            return len(model.agents)

        def late(model):
            return model.world.tick >= 3
    """, "reporters.py")
    path = write(tmp_path, """
        [experiment]
        model = "organism:OrganismModel"
        ticks = 9
        stop = "reporters.py:late"
        seed = 1
        [params]
        width = 4
        height = 4
        [measure]
        every = 1
        [measure.functions]
        members = "reporters.py:members"
    """)
    found, _ = run_experiment(path, out=tmp_path / "out", progress=False)
    assert found.frame.tick.tolist() == [0, 1, 2, 3] and found.frame.members.tolist() == [16] * 4


def test_designs_in_files(tmp_path):
    listed = read_experiments(write(tmp_path, """
        experiment.design = "list"
        vary = {a = [1, 2], b = [[3, 4], "x"]}
    """))["e"]
    assert listed["vary"] == [{"a": 1, "b": [3, 4]}, {"a": 2, "b": "x"}]
    sampled = read_experiments(write(tmp_path, """
        experiment = {design = "sobol", n = 8, seed = 1, ticks = 1}
        topology.size = 3
        measure.names = "welfare"
        [vary]
        "care.weight" = {low = 0.1, high = 1, scale = "log"}
    """))["e"]
    weights = sweep(**sampled, progress=False).frame["care.weight"]
    assert len(weights) == 8 and weights.between(.1, 1).all()


@pytest.mark.parametrize("spelled", [
    'vary."care.weight" = [0, 0.5]\nvary."exchange.share_cost" = {from = 0, to = 0.1, step = 0.1}\n'
    'params."care.kind" = "self"',
    "vary.care.weight = [0, 0.5]\nvary.exchange.share_cost = {from = 0, to = 0.1, step = 0.1}\n"
    "params.care.kind = 'self'",
    "[vary.care]\nweight = [0, 0.5]\n[vary.exchange.share_cost]\nfrom = 0\nto = 0.1\nstep = 0.1\n"
    "[params]\ncare = {kind = 'self'}",
])
def test_dotted_names_may_be_quoted_or_not(tmp_path, spelled):
    found = read_experiments(write(tmp_path, f"experiment.ticks = 1\nexperiment.seed = 1\n{spelled}"))["e"]
    assert found["vary"] == {"care.weight": [0, .5], "exchange.share_cost": {"from": 0, "to": .1, "step": .1}}
    assert found["params"] == {"care.kind": "self"}
    assert sweep(**found | {"topology": 3, "measure": "welfare"}, progress=False).frame["care.weight"].tolist() == [
        0, 0, .5, .5]


def test_shared_and_own_tables_are_one_whatever_the_spelling(tmp_path):
    found = read_experiments(write(tmp_path, """
        vary.care.weight = [0, 1]
        params.care.kind = "self"
        [[experiment]]
        vary."care.weight" = [0.5]
        params.care.saturation = 0.5
        [[experiment]]
        model = "math:pow"
        vary.care.bond = [1]
        params = {care = {kind = 2, low = 1}}
    """))
    assert found["e-1"]["vary"] == {"care.weight": [.5]}
    assert found["e-1"]["params"] == {"care.kind": "self", "care.saturation": .5}
    assert found["e-2"]["vary"] == {"care.weight": [0, 1], "care.bond": [1]}
    assert found["e-2"]["params"] == {"care": {"kind": 2, "low": 1}}  # a model may take a table


@pytest.mark.parametrize("second, words", [
    ('topology.graph = "karrate"', "did you mean 'karate'"), ("topology.size = 10000000", "can be numbered"),
    ("vary.size = [3, 3.5]", "not 3.5"), ("measure.names = []", "measure must name at least one measure, not []"),
    ("ticks = -1", "ticks must be at least 0, not -1"), ("vary.care.weight = [2]", "care.weight must be in [0, 1]"),
])
def test_all_experiments_are_checked_before_the_first_run(tmp_path, monkeypatch, capsys, second, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("organism.sweeps.serial", lambda *_: pytest.fail("a run was begun"))
    ticks = "" if "ticks" in second else "ticks = 1"
    write(tmp_path, f"[[experiment]]\nticks = 1\ntopology.size = 3\n[[experiment]]\n{ticks}\n{second}")
    assert main(["sweep", "e.toml"]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1 and not Path("organism-e").exists()


def test_runs_that_two_experiments_share_are_done_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "CALLS = []\n\ndef draw(params, rng):\n    CALLS.append(1)\n    return rng.normal()", "counted.py")
    one = "[[experiment]]\nmodel = 'counted.py:draw'\nseed = 1\nvary.a = [0, 1]\n"
    found, _ = run_experiment(write(tmp_path, one + one), store="s", progress=False)
    assert len(sys.modules["experiment_counted"].CALLS) == 2
    assert [len(its.frame) for its in found.values()] == [2, 2]


def test_several_experiments(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = read_experiments(EXAMPLES / "segregation.toml")
    assert list(found) == ["tolerance", "course"]
    assert found["tolerance"]["params"] == found["course"]["params"] == {"width": 20, "height": 20}
    assert found["tolerance"]["every"] is None and found["course"]["every"] == 5
    assert main(["sweep", str(EXAMPLES / "segregation.toml"), "--replicates", "2", "--store", "runs"]) == 0
    said = capsys.readouterr().out
    assert "12 points × 2 replicates, 0 failed" in said and "Written to organism-segregation: course, tolerance" in said
    runs = pd.read_csv("organism-segregation/tolerance/runs.csv")
    assert len(runs) == 24 and (runs.movers[runs.tick < 100] == 0).all() and runs.happy.between(0, 1).all()
    course = pd.read_csv("organism-segregation/course/runs.csv")
    assert course.tick.tolist() == list(range(0, 31, 5)) * 4 and course.movers.isna().sum() == 4
    assert Path("organism-segregation/course/figure.png").stat().st_size > 0
    assert main(["sweep", str(EXAMPLES / "segregation.toml"), "--experiment", "course", "--replicates", "2"]) == 0
    assert "Sweep(2 points × 2 replicates" in capsys.readouterr().out
    assert pd.read_csv("organism-course/runs.csv").equals(course)
    assert main(["sweep", str(EXAMPLES / "segregation.toml"), "--experiment", "curse"]) == 2
    assert "it has tolerance, course; did you mean 'course'?" in capsys.readouterr().err


def test_every_example_is_an_experiment():
    files = sorted(EXAMPLES.glob("*.toml"))
    assert len(files) >= 2 and all(read_experiments(path) for path in files)


def test_a_file_that_fails_when_it_is_imported(tmp_path, capsys):
    write(tmp_path, "def walk(:", "walk.py")
    path = write(tmp_path, "experiment.model = 'walk.py:walk'")
    assert main(["sweep", str(path)]) == 2
    assert re.search(r"walk.py fails when it is imported: SyntaxError: .*walk.py, line 1", capsys.readouterr().err)


@pytest.mark.parametrize("place, words", [
    ('graph = "karrate"', "no graph is called 'karrate' and no such file exists; did you mean 'karate'?"),
    ('size = "big"', "[topology] size must be a whole number or two, not 'big'; the name or file of a graph is given"),
    ("size = -3", "[topology] size must be a whole number from 1 on, or a height and a width, not -3"),
    ("graph = 3", "[topology] graph must be the name or file of a graph, not 3"),
])
def test_a_place_that_is_none(tmp_path, monkeypatch, capsys, place, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, f"experiment.ticks = 1\nexperiment.seed = 1\n[topology]\n{place}")
    assert main(["sweep", "e.toml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("organism: error: ") and words in said and said.count("\n") == 1
    assert not Path("organism-e").exists()


def test_runs_that_fail_are_said_and_give_exit_code_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, """
        def picky(params, rng):
            if params["a"] > params["limit"]:
                raise ValueError("a is too much")
            return params["a"]
    """, "picky.py")
    write(tmp_path, """
        [[experiment]]
        name = "some"
        model = "picky.py:picky"
        seed = 1
        replicates = 2
        params.limit = 2
        [[experiment]]
        name = "none"
        model = "picky.py:picky"
        seed = 1
        params.limit = 5
        [[experiment]]
        name = "all"
        model = "picky.py:picky"
        seed = 1
        params.limit = 0
        [vary]
        a = [1, 2, 3]
    """)
    some = "2 of 6 runs failed; first error: a=3 replicate 0: ValueError: a is too much\n"
    every = "organism: all: 3 of 3 runs failed; first error: a=1 replicate 0: ValueError: a is too much\n"
    assert main(["sweep", "e.toml", "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err == f"organism: some: {some}" + every
    assert len(pd.read_csv("organism-e/all/failures.csv")) == 3
    assert main(["sweep", "e.toml", "--experiment", "some"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("Sweep(3 points × 2 replicates, 2 failed, seed 1)\nWritten to organism-some: ")
    assert said.err.endswith(f"organism: {some}")
    assert main(["sweep", "e.toml", "--experiment", "none", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("text, words", [
    ("experiment.tics = 5", "[experiment] has no entry 'tics'"), ("[varry]", "no table is called [varry]"),
    ("experiment.tics = 5", "did you mean 'ticks'"), ("vary = 3", "no table is called [vary]"),
    ("[measure]\nname = 3", "[measure] has no entry 'name'"), ("experiment = 3", "experiment must be a table, not 3"),
    ("[topology]\nsize = 3\ngraph = 'karate'", "size and graph; give one"), ("a = [", "is no TOML file"),
    ("experiment.model = 'walk'", "model must be 'module:attribute' or 'file.py:attribute', not 'walk'"),
    ("experiment.model = 'no.py:walk'", "which is not there"),
    ("experiment.model = 'not_there_at_all:walk'", "not_there_at_all cannot be imported"),
    ("experiment.model = 'math:pie'", "math has no 'pie'; did you mean 'pi'"),
    ("[[experiment]]\nname = 'a'\n[[experiment]]\nname = 'a'", "a name of its own"),
    ("experiment.name = 'a/b'", "that can name a folder, not 'a/b'"),
    ("experiment.design = 'list'\nvary = {a = [1, 2], b = [1]}", "lists of the same length"),
    ("measure = {names = ['welfare'], functions = {}}", "names and functions; give one"),
    ("measure.functions = 3", "functions as a table"),
    ("params.care.weight = 0\nvary.'care.weight' = [1]", "'care.weight' is in [params] and in [vary]; give it in one"),
    ("params = {a = 1}\n[[experiment]]\nvary.a = [1]", "'a' is in [params] and in [vary]"),
    ("vary = {'care.weight' = [1], care = {weight = [2]}}", "[vary] names 'care.weight' twice"),
])
def test_bad_files_are_refused_in_a_sentence(tmp_path, text, words):
    path = write(tmp_path, text)
    with pytest.raises((ValueError, TypeError), match=re.escape(words)) as raised:
        read_experiments(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value).removesuffix(")")
    assert main(["sweep", str(path)]) == 2
