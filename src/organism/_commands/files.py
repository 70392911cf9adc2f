"""The files that ``organism run`` writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from .. import flows, measures
from ..world import World

__all__ = ["write"]

#: The graph file holds the strongest flows up to this number, and none of more members than that:
#: networkx needs some 15 kB of memory for each.
FLOWS = 100_000
#: Columns of ``members.csv`` that are read from the state, in this order.
STATE = ("uid", "parent_uid", "founder", "age", "births", "welfare", "appraisal", "vitality", "care",
         "capability", "learning_rate", "consumption", "given", "stock", "skill", "need", "reserve",
         "supply", "task_counts")


def write(world: World, series, summary: dict, folder: Path) -> list[str]:
    """Write the output folder, the small and certain files first; return what was left out."""
    import networkx as nx

    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    world.save(folder / "world.npz")
    _table(folder / "series.csv", series.to_dict())
    _table(folder / "members.csv", _members(world))
    minimum, notes = _minimum(world), []
    if minimum is None:
        notes.append(f"interdependence.graphml is left out: of more than {FLOWS:,} members it would need too much "
                     "memory; organism.interdependence(World.load('world.npz'), minimum=...) makes it")
    else:
        if minimum > 0:
            notes.append(f"interdependence.graphml holds the strongest {FLOWS:,} flows: those of {minimum:,.3g} "
                         "goods or more")
        nx.write_graphml(flows.interdependence(world, minimum=minimum), folder / "interdependence.graphml")
    from .. import plots

    plots.summary_figure(world, series).savefig(folder / "figure.png", dpi=150)
    return notes


def _minimum(world: World) -> float | None:
    """Return the smallest flow that goes into the graph file; None if there are too many members for one."""
    if world.n_members > FLOWS:
        return None
    amount = world.tie("total").sum(axis=1)
    return 0.0 if np.count_nonzero(amount) <= FLOWS else float(np.partition(amount, -FLOWS)[-FLOWS])


def _table(path: Path, columns: dict) -> None:
    """Write columns of equal length as CSV, real numbers with seven significant digits."""
    def cells(values):
        values = np.asarray(values)
        return [f"{value:.7g}" for value in values.tolist()] if values.dtype.kind == "f" else values.tolist()

    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*map(cells, columns.values()), strict=True))


def _members(world: World) -> dict:
    """Return the living members as columns."""
    living, nodes = world.living, world.topology.nodes
    columns: dict = {"site": living}
    if world.topology.shape is not None and len(world.topology.shape) == 2:
        columns["row"], columns["column"] = (np.array([nodes[i] for i in living]).reshape(-1, 2)).T
    else:
        columns["node"] = [str(nodes[i]) for i in living]
    columns["dominant_task"] = measures.dominant_task(world)
    for name in ("specialisation", "dependence", "share_propensity"):
        columns[name] = getattr(measures, name)(world, each=True)
    for name in STATE:
        values = world.state[name][living]
        if values.ndim == 1:
            columns[name] = values
        else:
            columns.update({f"{name}_{k}": values[:, k] for k in range(values.shape[1])})
    return columns
