"""What a world looks like at a glance: one byte a site beside a palette of 256 colours.

So pictures cost next to nothing to make and to send, whoever shows them: the live view,
the web page, animations. Colours are those of :mod:`organism.plots`. A world is only read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex, to_rgb

from . import _drawing, measures
from ._checks import closest
from ._fields import LARGEST
from ._wholeplots import hues_of
from .roles import Roles
from .state import COLUMNS
from .wholes import Wholes

__all__ = ["Painting", "image", "is_cells", "names", "paint", "paint_categories", "paint_values"]

#: Codes of an empty site and of a member that has none of what is shown; a field's own follow.
EMPTY, IDLE, FIRST = 0, 1, 2
#: Fields that are no columns of the state.
TASKS, SHARES = ("task", "dominant_task"), {"welfare": "share of need met", "dependence": "imports / consumption"}


class Painting(NamedTuple):
    """What is drawn of a world.

    Parameters
    ----------
    codes : ndarray of uint8, shape (N,)
        Colour of each site, by number.
    palette : ndarray of uint8, shape (256, 4)
        The colours, RGBA.
    legend : dict
        ``label``, and either ``marks``, pairs of name and colour, or the ends ``low`` and ``high`` of a scale.
    """

    codes: np.ndarray
    palette: np.ndarray
    legend: dict


def names(world, roles=None, wholes=None) -> dict[str, tuple[str, int | None]]:
    """Return what can be shown: its name, and the column and part of it that it is."""
    found: dict[str, tuple[str, int | None]] = {name: (name, None) for name in (*TASKS, *SHARES)}
    if roles is not None:
        found["role"] = ("role", None)
    for level in range(len(wholes) if wholes is not None else 0):
        found[f"whole {level}"] = ("whole", level)
    for name, column in COLUMNS.items():
        axes = world.state.trailing(name)
        if column.unit not in ("id", "bits") and len(axes) < 2:
            found |= {f"{name} {k}": (name, k) for k in range(axes[0])} if axes else {name: (name, None)}
    return found


def check_field(world, field, roles=None, wholes=None) -> None:
    """Refuse a field that cannot be shown of a world, and what no roles or wholes are."""
    for name, found, kind in (("roles", roles, Roles), ("wholes", wholes, Wholes)):
        if found is not None and not isinstance(found, kind):
            raise TypeError(f"{name} must be what organism.find_{name} returned, not {type(found).__name__}")
    there = names(world, roles, wholes)
    if not isinstance(field, str) or field not in there:
        raise ValueError("field must be 'task', 'dominant_task', 'dependence', 'role' or 'whole 0' (of roles= and "
                         f"wholes=), or a column of the state, not {field!r}" + closest(str(field), there))


def paint(world, field: str, span: list | None = None, roles=None, wholes=None) -> Painting:
    """Paint one field of a world.

    Parameters
    ----------
    world : World
    field : str
        One of :func:`names`.
    span : list, optional
        Lowest and highest value seen so far of a column without bounds; kept up to date. By default forgotten.
    roles, wholes : Roles, Wholes, optional
        For the fields "role" and "whole 0", "whole 1", …

    Returns
    -------
    Painting
    """
    name, part = names(world, roles, wholes)[field]
    if name in TASKS:
        return _tasks(world, name)
    if name == "role":
        return _roles(world, roles)
    if name == "whole":
        return _wholes(world, wholes, part)
    return _column(world, field, name, part, [] if span is None else span)


def _painting(codes, colours, legend) -> Painting:
    """Put colours, from IDLE on, into a palette; what is empty is white."""
    palette = np.full((256, 4), 255, np.uint8)
    palette[EMPTY, :3] = np.rint(255 * np.array(to_rgb(_drawing.EMPTY)))
    palette[IDLE:IDLE + len(colours), :3] = np.rint(255 * np.array(colours))
    return Painting(codes, palette, legend)


def _tasks(world, field) -> Painting:
    """Colour members as :func:`plots.role_map` does."""
    hues = _drawing.task_hues(world.params)[:256 - FIRST]
    here, levels = world.state["occupied"], 1
    if field == "task":
        code = FIRST + np.asarray(world.state["task"], np.int16) % len(hues)
        idle = world.state["task"] < 0
    else:
        levels = min(16, (256 - FIRST) // len(hues))
        code, idle = np.full(world.n_sites, FIRST, np.int16), np.ones(world.n_sites, bool)
        task = measures.dominant_task(world)
        shade = np.rint(measures.specialisation(world, each=True) * (levels - 1)).astype(np.int16)
        living = world.living
        code[living] += (task % len(hues) * levels + shade).astype(np.int16)
        idle[living] = task < 0
    depth = 0.25 + 0.75 * np.sqrt(np.arange(levels) / (levels - 1) if levels > 1 else np.ones(1))
    colours = 1 - depth[:, None] * (1 - hues[:, None, :])
    code[idle] = IDLE
    codes = np.where(here, code, EMPTY).astype(np.uint8)
    words = ([f"makes resource {k}" for k in range(world.params.resources)] + ["rests"])[:len(hues)]
    marks = [[name, to_hex(hue)] for name, hue in zip(words, hues, strict=True)][:12]
    label = "task in the last tick" if field == "task" else "task done most (paler: less one-sidedly)"
    return _painting(codes, [to_rgb(_drawing.IDLE), *colours.reshape(-1, 3)],
                     {"label": label, "marks": marks + _others(codes, "no act yet")})


def _others(codes, idle: str) -> list:
    """Return the marks of members without a colour of their own, and of empty sites, where there are any."""
    return [[idle, _drawing.IDLE]] * bool((codes == IDLE).any()) + [["empty", _drawing.EMPTY]] * bool(
        (codes == EMPTY).any())


def label_of(world, uid, labels) -> np.ndarray:
    """Return by site what was told of members by their uid; -1 of empty sites and of those not told of."""
    out, order = np.full(world.n_sites, -1), np.argsort(uid, kind="stable")
    if len(order):
        now = np.asarray(world.state["uid"])
        at = np.minimum(np.searchsorted(uid, now, sorter=order), len(order) - 1)
        told = world.state["occupied"] & (np.asarray(uid)[order[at]] == now)
        out[told] = np.asarray(labels)[order[at[told]]]
    return out


def _labels(world, labels, hues) -> np.ndarray:
    codes = np.where(labels >= 0, FIRST + labels % len(hues), IDLE)
    return np.where(world.state["occupied"], codes, EMPTY).astype(np.uint8)


def _roles(world, roles) -> Painting:
    hues = _drawing.role_hues(roles, world.params.resources)[:256 - FIRST]
    codes = _labels(world, label_of(world, roles.uid, roles.labels), hues)
    marks = [[profile.name, to_hex(hue)] for profile, hue in zip(roles.profiles, hues, strict=False)][:12]
    return _painting(codes, [to_rgb(_drawing.IDLE), *hues],
                     {"label": "role, as it was found", "marks": marks + _others(codes, "none told")})


def _wholes(world, wholes, level) -> Painting:
    found = wholes[level]
    hues = hues_of(min(found.n_wholes, 256 - FIRST))
    codes = _labels(world, label_of(world, wholes.trade.uid, found.labels), hues)
    verdict = {True: ", stands against its null", False: ", does not stand against its null",
               None: ", not held against nulls"}[found.stands]
    return _painting(codes, [to_rgb(_drawing.IDLE), *hues],
                     {"label": f"wholes of level {level}, as they were found ({found.n_wholes:,}{verdict})",
                      "marks": _others(codes, "in none")})


def _column(world, field, name, part, span: list) -> Painting:
    """Colour a column over its bounds or, if it lacks one, over the ``span`` of values seen so far."""
    if name == "dependence":
        values, low, high, shown = np.zeros(world.n_sites), 0, 1, world.state["occupied"]
        values[world.living] = measures.dependence(world, each=True)
    else:
        column, values = COLUMNS[name], np.asarray(world.state[name])
        values = values if part is None else values[:, part]
        shown = None if column.owner == "site" else world.state["occupied"]
        low, high = ends = column.low, column.high
        if any(end is not None and abs(end) >= LARGEST for end in ends):
            low = high = None                               # a bound against nonsense says nothing of the scale
    if name in SHARES:
        low, unit = 0, f" ({SHARES[name]})"
    else:
        unit = "" if column.unit in ("1", "bool", "flag", "index") else f" ({column.unit})"
    label = field.replace("_", " ") + unit
    return paint_values(values, label, low, high, shown, span, "cividis" if name == "welfare" else "viridis")


def paint_values(values, label: str, low=None, high=None, shown=None, span: list | None = None,
                 cmap: str = "viridis") -> Painting:
    """Paint numbers on a scale.

    Parameters
    ----------
    values : array_like, shape (N,)
    label : str
        What they are.
    low, high : float, optional
        Ends of the scale; by default the least and greatest seen.
    shown : array_like of bool, shape (N,), optional
        Where there is something to show; by default where values are finite.
    span : list, optional
        Least and greatest seen so far; kept up to date.
    cmap : str

    Returns
    -------
    Painting
    """
    values = np.asarray(values, np.float32)
    finite = np.isfinite(values)
    shown = finite if shown is None else shown & finite
    if low is None or high is None:
        seen = np.append(values[shown], [] if span is None else span)
        ends = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
        if span is not None:
            span[:] = ends
        low, high = ends[0] if low is None else low, ends[1] if high is None else high
    share = np.full(len(values), 0.5, np.float32)
    if high > low:
        np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1, out=share)
    share[~shown] = 0
    codes = np.where(shown, FIRST + np.rint(share * (255 - FIRST)), EMPTY).astype(np.uint8)
    colours = colormaps[cmap](np.linspace(0, 1, 256 - FIRST))
    return _painting(codes, [(1, 1, 1), *colours[:, :3]], {"label": label, "low": brief(low), "high": brief(high)})


def paint_categories(values, label: str, categories, colours) -> Painting:
    """Paint kinds.

    Parameters
    ----------
    values : array_like of int, shape (N,)
        Numbers of kinds; where there is no such kind nothing is shown.
    label : str
        What they are.
    categories, colours : sequence of str
        Name and colour of each kind.

    Returns
    -------
    Painting
    """
    values = np.nan_to_num(np.asarray(values, float), nan=-1)
    shown = (values >= 0) & (values < len(categories))
    codes = np.where(shown, FIRST + values, EMPTY).astype(np.uint8)
    colours = [to_rgb(colour) for colour in colours]
    marks = [[name, to_hex(colour)] for name, colour in zip(categories, colours, strict=True)]
    return _painting(codes, [to_rgb(_drawing.IDLE), *colours], {"label": label, "marks": marks})


def brief(value) -> str:
    """Write a number in few digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def is_cells(topology) -> bool:
    """Tell whether sites are drawn as square cells, not as dots."""
    return topology.kind == "grid" and topology.neighbourhood != "hexagonal"


def image(topology, codes) -> np.ndarray:
    """Return codes by row and column of a grid of square cells; a ring or line is one row.

    Parameters
    ----------
    topology : Topology
    codes : ndarray of uint8, shape (N,)

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        What is no site is empty.
    """
    cells = np.full((1, *topology.shape)[-2:], EMPTY, np.uint8)
    cells[tuple(topology.cells.T)] = codes
    return cells
