"""Output folders and the files in them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .. import flows
from .._tables import members_table, write_table
from ..world import World
from .options import Mistake

__all__ = ["FLOWS", "minimum", "new_folder", "picture", "table", "write"]

#: A graph file holds the strongest flows up to this number, and none of more members than that:
#: networkx needs some 15 kB of memory for each.
FLOWS = 100_000


def new_folder(asked: str | None, default: str) -> Path:
    """Make the output folder, before the work, so that an unwritable one costs nothing."""
    path, number = Path(asked or default), 2
    while not asked and path.exists():
        path, number = Path(f"{default}-{number}"), number + 1
    if path.exists() and not path.is_dir():
        raise Mistake(f"the output folder {path} is a file")
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise Mistake(f"the output folder {path} is not empty, and nothing in it is overwritten; "
                          "give another --out")
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise Mistake(f"the output folder {path} cannot be written: {error.strerror or error}") from None
    return path


def write(world: World, series, summary: dict, columns: Callable, folder: Path) -> list[str]:
    """Write what a run always writes, the small and certain files first; return what was left out.

    ``columns`` gives further columns of members, by their uids.
    """
    import networkx as nx

    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    world.save(folder / "world.npz")
    table(folder / "series.csv", series.to_dict())
    more = columns(world.state["uid"][world.living])
    table(folder / "members.csv", members_table(world) | more)
    least, notes = minimum(world.tie("total").sum(axis=1), world.n_members), []
    if least is None:
        notes.append(f"interdependence.graphml is left out: of more than {FLOWS:,} members it would need too much "
                     "memory; organism.interdependence(World.load('world.npz'), minimum=...) makes it")
    else:
        if least > 0:
            notes.append(f"interdependence.graphml holds the strongest {FLOWS:,} flows: those of {least:,.3g} "
                         "goods or more")
        graph = flows.interdependence(world, minimum=least)
        for name, values in more.items():
            nx.set_node_attributes(graph, dict(zip(graph, values.tolist(), strict=True)), name)
        nx.write_graphml(graph, folder / "interdependence.graphml")
    from .. import plots

    plots.summary_figure(world, series).savefig(folder / "figure.png", dpi=150)
    return notes


def minimum(amount: np.ndarray, members: int) -> float | None:
    """Return the smallest of some flows that goes into a graph file; None if there are too many members for one."""
    if members > FLOWS:
        return None
    return 0.0 if np.count_nonzero(amount) <= FLOWS else float(np.partition(amount, -FLOWS)[-FLOWS])


def picture(path: Path, size: tuple[float, float], draw: Callable) -> None:
    """Write as PNG what ``draw`` draws on the axes it is given; ``size`` is in inches, blank margins are cut."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    figure.savefig(path, dpi=150, bbox_inches="tight", pad_inches=0.1)


def table(path: Path, columns: dict) -> None:
    """Write columns of equal length as CSV, real numbers with seven significant digits."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        write_table(file, columns)
