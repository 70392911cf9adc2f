"""Every notebook's source has the Info-tab headings, and runs: in time, without a warning."""

import datetime
import os
import re
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

from organism._dispatch import core

ROOT = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(ROOT.glob("*.py"))
#: The headings of NetLogo's Info tab, in its order.
HEADINGS = ["WHAT IS IT?", "HOW IT WORKS", "HOW TO USE IT", "THINGS TO NOTICE", "THINGS TO TRY",
            "EXTENDING THE MODEL", "ORGANISM FEATURES", "RELATED MODELS", "CREDITS AND REFERENCES"]
#: Seconds allowed, on a slow and busy machine too: the budget is 5 a cell and 60 in all, on two idle cores.
CELL, ALL = (120, 600) if core.checked else (60, 300)


def read(path):
    return jupytext.read(path, fmt="py:percent")


def seconds(cell) -> float:
    timing = cell.metadata["execution"]
    start, end = (datetime.datetime.fromisoformat(timing[key].replace("Z", "+00:00"))
                  for key in ("iopub.execute_input", "shell.execute_reply"))
    return (end - start).total_seconds()


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_source(path):
    """It starts without a kernel dialog, reads like an Info tab, and has a slider by its third cell."""
    notebook = read(path)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"^## (.+)$", text, re.M) == HEADINGS
    assert any("og.view(" in cell.source for cell in notebook.cells[:3])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)  # figures belong into the cells
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = read(path)
    client = nbclient.NotebookClient(notebook, kernel_name="python3", timeout=CELL, record_timing=True,
                                     resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env=dict(os.environ))             # an error in a cell raises, with its traceback
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        said = [output.get("text", "") for output in cell.outputs if output.output_type == "stream"]
        wrong = [output for output in cell.outputs if output.get("name") == "stderr"]
        assert not wrong and not re.search("Warning|Traceback", "".join(said)), f"{cell.source}\n{wrong or said}"
        assert seconds(cell) < CELL, f"{seconds(cell):.0f} s:\n{cell.source}"
    assert sum(map(seconds, cells)) < ALL
    kinds = {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
    assert {"image/png", "text/html", "application/vnd.jupyter.widget-view+json"} <= kinds
