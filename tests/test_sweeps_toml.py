"""Experiments in TOML files, and the command that runs them."""

import textwrap

import pandas as pd
import pytest

from organism._experiments import read_experiments, run_experiment
from organism.__main__ import main


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


