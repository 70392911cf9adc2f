"""SWEEPS.md is true: its commands, files and Python run, and its links lead somewhere."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from organism.__main__ import main

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SWEEPS.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning",
                            "ignore::DeprecationWarning",  # distributed's own
                            "ignore:Port")                 # that of its status page may be another test's
def test_python(folder, monkeypatch):
    for module in ("SALib", "distributed", "pyarrow"):
        pytest.importorskip(module)
    monkeypatch.setattr("sys.path", list(sys.path))
    import matplotlib

    matplotlib.use("Agg")
    names: dict = {"__name__": "__main__"}
    for block in blocks("python"):
        exec(compile(block, "SWEEPS.md", "exec"), names)
        if "worlds" in names and "care" not in names:
            names["care"] = names["worlds"].frame.columns.tolist()
    assert names["care"] == ["care.weight", "replicate", "seed", "tick", "welfare", "dependence"]
    assert np.allclose(names["indices"]["S1"], [.314, .442, 0], atol=.03)
    assert len(names["walks"].frame) == 40 and names["walks"].seed == 1
    assert names["table"].num_rows == 40 and names["mean"] == pytest.approx(names["kept"].frame["end"].mean())


def test_the_experiment_of_the_guide(folder):
    (walk,) = (block for block in blocks("python") if "highest" in block)
    (experiment,) = blocks("toml")
    (folder / "walks.py").write_text(walk)
    (folder / "walks.toml").write_text(experiment)
    assert main(["sweep", "walks.toml", "--quiet"]) == 0
    assert (folder / "organism-walks" / "runs.csv").read_text().startswith("drift,replicate,seed,end,highest\n")


@pytest.mark.parametrize("words", [shlex.split(line) for block in blocks("bash") for line in block.splitlines()],
                         ids=" ".join)
def test_commands(words, folder):
    assert words[0] == "organism" and main([*words[1:], "--quiet"]) == 0


def test_links():
    targets = re.findall(r"\]\((?!http)([^)#]+)", TEXT)
    assert targets and all((ROOT / target).exists() for target in targets)
