"""Members as a table, and tables as CSV."""

from __future__ import annotations

import csv

import numpy as np

from . import measures

__all__ = ["members_table", "write_table"]

#: Columns of members that are read from the state, in this order.
STATE = ("uid", "parent_uid", "founder", "age", "births", "welfare", "appraisal", "vitality", "care",
         "capability", "learning_rate", "consumption", "given", "stock", "skill", "need", "reserve",
         "supply", "task_counts")


def members_table(world) -> dict:
    """Return the living members as columns: where they live, what they do, and their state."""
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


def write_table(file, columns: dict) -> None:
    """Write columns of equal length as CSV to an open file, real numbers with seven significant digits."""
    def cells(values):
        values = np.asarray(values)
        return [f"{value:.7g}" for value in values.tolist()] if values.dtype.kind == "f" else values.tolist()

    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(zip(*map(cells, columns.values()), strict=True))
