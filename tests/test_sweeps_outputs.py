"""Output folders: the same command replaces what it wrote, as a whole, and nothing else."""

import os
import textwrap
from pathlib import Path

import pandas as pd
import pytest

from organism.__main__ import main
from organism._outputs import MARK, Output

FAILING = """
    from pathlib import Path

    def draw(params, rng):
        if params["a"] == 1 and Path("broken").exists():
            raise ValueError("broken")
        return params["a"] + rng.normal()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("draws.py").write_text(textwrap.dedent(FAILING))
    Path("e.toml").write_text("experiment = {model = 'draws.py:draw', seed = 1}\nvary.a = [0, 1]")


def sweep(*words, file="e.toml"):
    return main(["sweep", file, "--quiet", *words])


def tree(folder):
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def test_the_same_command_adds_replicates_and_tries_failures_again():
    Path("broken").touch()
    assert sweep("--store", "s", "--replicates", "2") == 1
    assert len(pd.read_csv("organism-e/runs.csv")) == 2 and len(pd.read_csv("organism-e/failures.csv")) == 2
    Path("broken").unlink()
    assert sweep("--store", "s", "--replicates", "2") == 0
    assert len(pd.read_csv("organism-e/runs.csv")) == 4 and pd.read_csv("organism-e/failures.csv").empty
    before = pd.read_csv("organism-e/runs.csv")
    assert sweep("--store", "s", "--replicates", "3") == 0
    after = pd.read_csv("organism-e/runs.csv")
    assert len(after) == 6 and after[after.replicate < 2].reset_index(drop=True).equals(before)
    assert sorted({*os.listdir()} - {"__pycache__"}) == ["draws.py", "e.toml", "organism-e", "s"]


@pytest.mark.parametrize("change, why", [
    (lambda: Path("organism-e/notes.txt").write_text("mine"), ": notes.txt is not what the command wrote"),
    (lambda: Path("organism-e/.hidden").write_text("mine"), ": .hidden is not what the command wrote"),
    (lambda: Path("organism-e/mine").mkdir(), ": mine is not what the command wrote"),
    (lambda: Path("organism-e/runs.csv").write_text("mine"), ": runs.csv is not what the command wrote"),
    (lambda: Path("organism-e", MARK).unlink(), ""), (lambda: Path("organism-e", MARK).write_text("[]"), ""),
    (lambda: Path("e.toml").rename("f.toml"), ": it was made by 'organism sweep e.toml, experiment e', and this is"),
])
def test_anything_else_is_refused(change, why, capsys):
    assert sweep("--store", "s") == 0
    change()
    before = tree("organism-e")
    file = "e.toml" if Path("e.toml").exists() else "f.toml"
    assert sweep("--store", "s", "--out", "organism-e", file=file) == 2
    said = capsys.readouterr().err
    assert f"the output folder organism-e is not empty, and nothing in it is overwritten{why}" in said
    assert said.count("\n") == 1 and tree("organism-e") == before


def test_without_a_store_nothing_is_replaced(capsys):
    assert sweep() == 0
    before = tree("organism-e")
    assert sweep() == 2 and "without a --store" in capsys.readouterr().err and tree("organism-e") == before
    Path("organism-e/runs.parquet").unlink(missing_ok=True)
    assert sweep("--store", "s") == 0 and set(tree("organism-e")) == set(before)


def test_several_experiments_are_replaced_each_as_a_whole(capsys):
    one = "[[experiment]]\nname = '{}'\nmodel = 'draws.py:draw'\nseed = 1\n[experiment.vary]\na = [0, 1]\n"
    Path("e.toml").write_text(one.format("left") + one.format("right"))
    for replicates in (2, 3):
        assert sweep("--store", "s", "--replicates", str(replicates)) == 0
        assert [len(pd.read_csv(f"organism-e/{name}/runs.csv")) for name in ("left", "right")] == [2 * replicates] * 2
    assert sorted(os.listdir("organism-e")) == ["left", "right"]
    Path("organism-e/mine").touch()
    assert sweep("--store", "s") == 2 and ": mine is not what the command wrote" in capsys.readouterr().err
    Path("organism-e/mine").rename("organism-e/right/mine")
    before = tree("organism-e")
    assert sweep("--store", "s") == 2 and "organism-e/right is not empty" in capsys.readouterr().err
    assert tree("organism-e") == before


def test_a_folder_is_replaced_whole_or_not_at_all(monkeypatch):
    def fill(text):
        return lambda folder: [Path(folder, name).write_text(text) for name in ("a", "b")]

    output = Output("out", "me", "s")
    output.write(fill("old"))
    before = tree("out")

    def half(folder):
        Path(folder, "a").write_text("new")
        assert tree("out") == before
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="the output folder out could not be written: No space left on device"):
        Output("out", "me", "s").write(half)
    assert tree("out") == before and sorted(os.listdir()) == ["draws.py", "e.toml", "out"]
    rename, calls = os.rename, []

    def second_fails(*paths):
        calls.append(paths)
        if len(calls) == 2:
            raise OSError(16, "Device or resource busy")
        rename(*paths)

    with monkeypatch.context() as patch:
        patch.setattr("os.rename", second_fails)
        with pytest.raises(OSError, match="Device or resource busy; what would be in it is in .*/out-") as raised:
            Output("out", "me", "s").write(fill("new"))
    assert tree("out") == before and Path(str(raised.value).rpartition(" is in ")[2], "b").read_text() == "new"
    Output("out", "me", "s").write(fill("new"))
    assert [Path("out", name).read_text() for name in "ab"] == ["new", "new"]
    output = Output("late", "me")
    Path("late").mkdir()
    Path("late/mine").touch()  # while the runs took their time
    with pytest.raises(OSError, match="late is not empty.*; what would be in it is in .*/late-"):
        output.write(fill("new"))
    assert os.listdir("late") == ["mine"]


def test_an_empty_folder_is_filled_and_a_bad_one_refused_before_the_first_run(monkeypatch, capsys):
    Path("empty").mkdir()
    number = os.stat("empty").st_ino
    assert sweep("--out", "empty") == 0 and os.stat("empty").st_ino == number and Path("empty/runs.csv").exists()
    monkeypatch.setattr("organism.sweeps.serial", lambda *_: pytest.fail("a run was begun"))
    Path("file").touch()
    for words, said in ((["--out", "file"], "the output folder file is a file"),
                        (["--out", "/proc/organism"], "the output folder /proc/organism cannot be written"),
                        (["--store", "out/s", "--out", "out"], "the store out/s must not be in the output folder out")):
        assert sweep(*words) == 2
        assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_claim_replaces_its_own_report(capsys):
    claim = ["claim", "order", "--no-grid", "--quiet", "--store", "s", "--out", "report"]
    assert main([*claim, "--miniature", "--replicates", "2"]) == 0
    first = Path("report/findings.json").read_text()
    assert main([*claim, "--miniature", "--replicates", "3"]) == 0
    assert Path("report/findings.json").read_text() != first
    before = tree("report")
    assert main(claim) == 2  # a full run is another one
    assert "it was made by 'organism claim order --miniature', and this is 'organism claim order'" in (
        capsys.readouterr().err)
    assert tree("report") == before
