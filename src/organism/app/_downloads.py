"""What the page lets one take home, as bytes. A model is copied under its guard, and written afterwards."""

from __future__ import annotations

import io
import os
import tempfile

from matplotlib.figure import Figure

from .. import plots
from .._tables import members_table, write_table
from ..roles import find_roles
from ._live import Guard

__all__ = ["DOWNLOADS", "PICTURES", "draw"]


def _who_feeds_whom(world, axes):
    plots.interdependence_graph(world, axes)


def _found_roles(world, axes):
    plots.role_map(world, axes, roles=find_roles(world, rng=world.seed), title="roles, as found")


#: Pictures of a world, drawn when they are asked for: name → function of the world and Axes.
PICTURES = {"roles": plots.role_map, "roles, as found by their profiles": _found_roles, "welfare": plots.welfare_map,
            "who feeds whom": _who_feeds_whom}


def draw(model, name: str) -> Figure:
    """Return one of `PICTURES` of a model as it is now."""
    with Guard.of(model).lock:
        world = model.world.fork()
    figure = Figure(figsize=(6.5, 6), layout="constrained")
    PICTURES[name](world, figure.subplots())
    return figure


def picture_png(model, name: str) -> bytes:
    """Return a picture as PNG."""
    file = io.BytesIO()
    draw(model, name).savefig(file, format="png", dpi=150)
    return file.getvalue()


def series_csv(model) -> str:
    """Return what the model's data collector has collected, as CSV."""
    with Guard.of(model).lock:
        frame = model.datacollector.get_model_vars_dataframe()
    return frame.to_csv(index=False)


def members_csv(model) -> str:
    """Return a row for each living member, as CSV."""
    with Guard.of(model).lock:
        columns = members_table(model.world)
    file = io.StringIO(newline="")
    write_table(file, columns)
    return file.getvalue()


def world_npz(model) -> bytes:
    """Return the world, as ``World.load`` reads it."""
    with Guard.of(model).lock:
        world = model.world.fork()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "world.npz")
        world.save(path)
        with open(path, "rb") as file:
            return file.read()


#: Files to take home: label → name of the file and function of the model.
DOWNLOADS = {"series (CSV)": ("series.csv", series_csv), "members (CSV)": ("members.csv", members_csv),
             "world (.npz)": ("world.npz", world_npz)}
