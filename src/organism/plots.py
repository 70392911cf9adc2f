"""Pictures of worlds: every function takes and returns matplotlib Axes.

Roles and tasks have the hues of Okabe and Ito, which colour-blind readers can tell
apart; quantities run through viridis or cividis. Grids are drawn as maps with row 0
at the top, other topologies as nodes and links at their positions or, if they have
none, in a seeded layout. ``ax=None`` makes a new figure.

References
----------
Okabe & Ito (2008) Color universal design. https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from . import _drawing, _flowgraph, measures
from ._animation import animate
from ._checks import closest
from ._drawing import EMPTY, FLAT, IDLE, INK, NOBODY, PALETTE
from ._scaleplots import by_scale, prediction_strength, role_correlation
from ._wholecourse import wholes_over_time
from ._wholeplots import outline, wholes_by_level, wholes_graph, wholes_matrix, wholes_tree
from .state import COLUMNS

__all__ = [
    "PALETTE",
    "animate",
    "by_scale",
    "field_map",
    "interdependence_graph",
    "layout",
    "prediction_strength",
    "role_correlation",
    "role_map",
    "summary_figure",
    "task_colours",
    "time_series",
    "welfare_map",
    "wholes_by_level",
    "wholes_graph",
    "wholes_map",
    "wholes_matrix",
    "wholes_over_time",
    "wholes_tree",
    "world_html",
]

#: What a summary shows of a longer recording.
COURSE = ("welfare", "division_of_labour", "dependence", "share_rate", "gini")

#: How many flows a picture shows at most.
MOST = 300

#: What the measures are counted in; columns of the state say so themselves.
UNITS = {
    "welfare": "0–1", "gini": "0–1", "division_of_labour": "0–1", "dependence": "imports / consumption",
    "reciprocity": "0–1", "task_persistence": "probability", "share_rate": "fraction", "activity": "fraction",
    "specialisation": "0–1", "share_propensity": "probability", "given": "goods/tick", "members": "count",
}
#: Units whose lines can share one axis without a word on each.
SHARES = {"0–1", "fraction", "probability", "imports / consumption"}


def task_colours(world) -> np.ndarray:
    """Return the colour of every task of a world, float (M, 3): resting is grey."""
    return _drawing.task_hues(world.params)


def layout(topology, seed: int = 1) -> np.ndarray:
    """Return where to draw each site: its position, or else a place that its ties suggest.

    Parameters
    ----------
    topology : Topology
    seed : int, default 1
        Of the layout that sites without positions get, connected parts one by one: by
        distances up to 120 sites, by forces up to 500, above by two modes of a walk.

    Returns
    -------
    ndarray of float64, shape (N, 2)
        Without positions, in the unit square.
    """
    return _drawing.layout(topology, seed)


# -- maps -----------------------------------------------------------------------------


def role_map(world, ax: Axes | None = None, *, roles=None, places=None, title: str | None = "roles") -> Axes:
    """Draw what each member mostly does and how one-sidedly, or the roles that were found.

    Hue is the task done most in memory; the paler, the more evenly a member spreads
    its acts over the tasks (see :func:`organism.measures.specialisation`). With ``roles`` hue is the
    role, the paler the less sure (of its probability). Members that never acted, or of no role, are light grey,
    sites without a member white.

    Parameters
    ----------
    world : World
    ax : Axes, optional
        Where to draw; by default new axes.
    roles : Roles, optional
        Found in this world, or in a window of it (:func:`organism.find_roles`).
    places : array_like of shape (N, 2), optional
        Where to draw each site; by default :func:`layout`.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the roles are those of members of another world.
    """
    ax, places, below = _map_axes(world, ax, places)
    if roles is not None:
        return _found_roles(world, ax, roles, places, below, title)
    hues, colours = task_colours(world), _blank(world)
    task = measures.dominant_task(world)
    spread = np.sqrt(measures.specialisation(world, each=True))[:, None]
    depth = 0.25 + 0.75 * spread if world.params.tasks > 1 else np.ones_like(spread)  # there is but one task
    acted = task >= 0
    rgb = np.where(acted[:, None], 1 - depth * (1 - hues[task]), to_rgb(IDLE))
    colours[world.living] = np.column_stack([rgb, np.ones(len(rgb))])
    _drawing.draw_sites(ax, world.topology, colours, places)
    _drawing.frame(ax, world.topology, title)
    _task_legend(ax, world, below)
    if not len(world.living):
        _drawing.note(ax, NOBODY)
    return ax


def _found_roles(world, ax: Axes, roles, places, below: bool, title: str | None) -> Axes:
    """Draw the role of each member that has one."""
    outside = roles.site[(roles.site < 0) | (roles.site >= world.n_sites)]
    if len(outside):
        raise ValueError(f"roles must be of members of this world, of {world.n_sites:,} sites, not at site "
                         f"{outside[0]:,}")
    here = np.isin(roles.uid, world.state["uid"][world.living])     # the others died since
    hues, colours = _drawing.role_hues(roles, world.params.resources), _blank(world)
    colours[world.living] = [*to_rgb(IDLE), 1.0]
    sure = roles.probabilities.max(axis=1, initial=0)[:, None]
    rgb = np.where(roles.labels[:, None] >= 0, 1 - sure * (1 - hues[roles.labels]), to_rgb(IDLE))
    colours[roles.site[here], :3] = rgb[here]
    _drawing.draw_sites(ax, world.topology, colours, places)
    _drawing.frame(ax, world.topology, title)
    marks = [(f"{profile.name} ({profile.size:,})", hue) for profile, hue in zip(roles.profiles, hues, strict=True)]
    _key(ax, below, marks + _empty(world) + [("too few acts", to_rgb(IDLE))] * bool((roles.labels < 0).any()),
         "paler: less sure")
    return ax


def _map_axes(world, ax: Axes | None, places):
    """Return the axes of a map, the places of its sites, and whether its key belongs below it."""
    places = _drawing.map_places(world.topology, places)
    aspect = _drawing.map_aspect(world.topology, places)
    return _drawing.map_axes(ax, aspect), places, aspect < FLAT


def _blank(world) -> np.ndarray:
    return np.tile([*to_rgb(EMPTY), 1.0], (world.n_sites, 1))


def _task_legend(ax: Axes, world, below: bool) -> None:
    """Name the tasks beside or below the axes, the first dozen of them."""
    names = [f"makes resource {k}" for k in range(world.params.resources)]
    names += ["rests"] * (world.params.tasks - len(names))
    _key(ax, below, list(zip(names, task_colours(world), strict=True))[:12] + _empty(world),
         "paler: other tasks too" if world.params.tasks > 1 else None)


def _empty(world) -> list:
    return [("empty", to_rgb(EMPTY))] if len(world.living) < world.n_sites else []


def _key(ax: Axes, below: bool, marks, title: str | None = None) -> None:
    ax.legend(handles=[Line2D([], [], linestyle="", marker="s", markersize=7, color=hue, label=name,
                              markeredgecolor=INK, markeredgewidth=0.4) for name, hue in marks],
              **_drawing.key_place(ax, below), frameon=False, fontsize=8, handletextpad=0.1,
              borderaxespad=0.2, title=title, title_fontsize=7, alignment="left")


def field_map(world, values, ax: Axes | None = None, *, label: str | None = None,
              resource: int | None = None, cmap: str = "viridis", limits=None, places=None,
              title: str | None = None) -> Axes:
    """Draw a quantity at every site.

    Parameters
    ----------
    world : World
    values : str or array_like
        A column of the state, one number a site, or one number a living member.
    ax : Axes, optional
        Where to draw; by default new axes.
    label : str, optional
        What the colours mean, with its unit; known for columns.
    resource : int, optional
        Which resource (or task) of a column or array that has a second axis.
    cmap : str, default "viridis"
        A matplotlib colour map; viridis and cividis suit colour-blind readers.
    limits : (float, float), optional
        Values of the darkest and the lightest colour; by default the range drawn.
    places : array_like of shape (N, 2), optional
        Where to draw each site; by default :func:`layout`.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the values have the wrong length, or a second axis and no ``resource``.
    """
    name = values if isinstance(values, str) else None
    column = COLUMNS.get(name) if name else None
    values = np.asarray(world.state[name] if name else values, dtype=float)
    if values.ndim > 2 or values.ndim == 2 and resource is None:
        raise ValueError(f"a map shows one number a site; {name or 'values'} has shape {values.shape}, so "
                         "say which resource")
    if values.ndim == 2:
        if not 0 <= resource < values.shape[1]:
            raise ValueError(f"resource must be in [0, {values.shape[1] - 1}], not {resource}")
        values = values[:, resource]
    living, n = world.living, world.n_sites
    if values.shape not in ((n,), (len(living),)):
        raise ValueError(f"values must hold one number for each of {n} sites or {len(living)} members, "
                         f"not shape {values.shape}")
    shown = np.ones(n, bool)
    if values.shape != (n,) or column is not None and column.owner != "site":
        shown[:] = False  # empty sites have no value of their own
        shown[living] = True
    if values.shape != (n,):
        values = _spread(values, living, n)
    shown &= np.isfinite(values)
    ax, places, below = _map_axes(world, ax, places)
    norm = Normalize(*(limits or _range(values[shown])))
    colours = _blank(world)
    colours[shown] = colormaps[cmap](norm(values[shown]))
    _drawing.draw_sites(ax, world.topology, colours, places)
    _drawing.frame(ax, world.topology, title if title is not None else (name or "").replace("_", " "))
    if label is None and column is not None:
        part = "" if resource is None else f" {resource}"
        label = f"{name.replace('_', ' ')}{part} ({UNITS.get(name, _unit(column))})"
    if shown.any() or limits:  # else there is no range to speak of
        _drawing.colour_bar(ax, ScalarMappable(norm, colormaps[cmap]), label or "", below)
    if not shown.any():
        _drawing.note(ax, "no finite value" if len(living) else NOBODY)
    return ax


def _unit(column) -> str:
    return "relative" if column.unit == "1" else column.unit


def _spread(values, living, n: int) -> np.ndarray:
    out = np.zeros(n)
    out[living] = values
    return out


def _range(values) -> tuple[float, float]:
    """Return the range of the values, widened where they are all one."""
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def welfare_map(world, ax: Axes | None = None, *, places=None, title: str | None = "welfare") -> Axes:
    """Draw every member's welfare in the last tick, from 0 to 1.

    Parameters
    ----------
    world : World
    ax : Axes, optional
        Where to draw; by default new axes.
    places : array_like of shape (N, 2), optional
        Where to draw each site; by default :func:`layout`.
    title : str, optional

    Returns
    -------
    Axes
    """
    return field_map(world, measures.welfare(world, each=True), ax, label="welfare (share of need met)",
                     cmap="cividis", limits=(0, 1), places=places, title=title)


def wholes_map(world, wholes, ax: Axes | None = None, *, roles=None, places=None,
               title: str | None = "roles and wholes") -> Axes:
    """Draw the roles of members and the boundaries of the wholes they are in, wider from level to level.

    Networks have no boundaries to draw: there ties inside wholes are dark, the wider the finer the whole. Up to a dozen
    wholes of the coarsest level bear their numbers, in the hues that they have in :func:`wholes_tree`.

    Parameters
    ----------
    world : World
    wholes : Wholes
        Found in the world, or in a reading of it.
    ax : Axes, optional
        Where to draw; by default new axes.
    roles : Roles, optional
        As in :func:`role_map`; by default what members mostly do.
    places : array_like of shape (N, 2), optional
        Where to draw each site; by default :func:`layout`.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the wholes are not of members of this world.
    """
    at = _drawing.map_places(world.topology, places)
    if ax is None and FLAT <= _drawing.map_aspect(world.topology, at) <= 2:
        ax = _drawing.axes_or_new(None, (5.2, 5.0))     # room for a key below
    ax = role_map(world, ax, roles=roles, places=places, title=title)
    outline(ax, wholes, world.topology, at)
    return ax


# -- time -----------------------------------------------------------------------------


def time_series(recording, ax: Axes | None = None, *, names=None,
                title: str | None = "over time") -> Axes:
    """Draw the recorded measures against ticks, each line named at its end.

    Parameters
    ----------
    recording : Recording or None
        What ``world.record`` returned; measures that are not single numbers are
        left out.
    ax : Axes, optional
        Where to draw; by default new axes.
    names : sequence of str, optional
        Which measures; by default all.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a name was not recorded; the nearest is suggested.
    """
    ax = _drawing.axes_or_new(ax, (6.4, 4.2))
    recording = {} if recording is None else recording
    for name in names or ():
        if name not in recording:
            raise ValueError(f"nothing called {name!r} was recorded" + closest(name, recording))
    ticks = np.asarray(getattr(recording, "ticks", ()))
    lines = {name: np.asarray(recording[name]) for name in (names or recording)}
    lines = {name: line for name, line in lines.items() if line.ndim == 1 and line.dtype.kind in "biuf"}
    ax.set_title(title or "", fontsize=11)
    ax.set_xlabel("tick")
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=2, labelsize=8)
    if not len(ticks) or not lines:
        _drawing.note(ax, "nothing recorded")
        return ax
    hues = [hue for hue in PALETTE if hue != "#F0E442"]  # yellow text cannot be read on white
    styles = ("-", "--", ":", "-.")
    drawn = [ax.plot(ticks, values, color=hues[i % len(hues)], linewidth=1.4, label=name,
                     linestyle=styles[i // len(hues) % len(styles)],
                     marker="o" if len(ticks) == 1 else None)[0]
             for i, (name, values) in enumerate(lines.items())]
    units = sorted({UNITS.get(name, "value") for name in lines})
    ax.set_ylabel(units[0] if len(units) == 1 else "value" if set(units) - SHARES else "share or index (0–1)")
    low, high = ax.get_ylim()
    every = np.concatenate(list(lines.values()))
    if every.min() >= -0.1 and every.max() <= 1:
        low, high = min(0.0, every.min()), 1.0
    ax.set_ylim(low, high + 0.02 * (high - low))
    ax.set_xlim(ticks[0], ticks[-1] if ticks[-1] > ticks[0] else ticks[0] + 1)
    heights = _apart([line[-1] for line in lines.values()], low, high)
    for name, line, height in zip(lines, drawn, heights, strict=True):
        ax.annotate(name.replace("_", " "), (1.0, lines[name][-1]), xycoords=ax.get_yaxis_transform(),
                    xytext=(1.04, height), textcoords=ax.get_yaxis_transform(), fontsize=8, va="center",
                    color=line.get_color(), annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": line.get_color(), "linewidth": 0.6})
    return ax


def _apart(values, low: float, high: float, gap: float = 0.055) -> np.ndarray:
    """Move label heights apart until none overlaps, keeping their order and the range."""
    values = np.asarray(values, dtype=float)
    order, step = np.argsort(values, kind="stable"), gap * (high - low)
    out = values[order]
    for _ in range(2):
        for i in range(1, len(out)):
            out[i] = max(out[i], out[i - 1] + step)
        out = np.minimum(out, high - step * np.arange(len(out))[::-1])
    placed = np.empty_like(out)
    placed[order] = out
    return placed


# -- who feeds whom -------------------------------------------------------------------


def interdependence_graph(source, ax: Axes | None = None, *, most: int = MOST, places=None,
                          title: str | None = "who feeds whom") -> Axes:
    """Draw who feeds whom: an arrow from giver to receiver, as wide as the flow.

    Nodes have the hue of the task done most. Arrows have the hue of the resource
    that makes up most of the flow where that is known (exact totals), else they are
    grey. Members of a grid stay at their rows and columns. What is drawn of a world too
    large to be read is said under the picture:

    - of a grid or a map of positions, more than a dozen members wide, a window in the
      middle, ten members wide (fourteen of a line);
    - of more than 150 members without positions, the hundred that the strongest flows
      lead to from the busiest;
    - where more than ``most`` flows are left, the strongest.

    Parameters
    ----------
    source : World or networkx.DiGraph
        A world (the exact totals if it keeps them, else the decayed sums), or a
        graph such as :func:`organism.interdependence` and
        :meth:`organism.flows.Reading.graph` return.
    ax : Axes, optional
        Where to draw; by default new axes.
    most : int, default 300
        Draw at most so many flows.
    places : array_like of shape (n, 2), optional
        Where to draw each site of a world, or each node of a graph in its order.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax)
    read = _flowgraph.scene_of_graph if hasattr(source, "adj") else _flowgraph.scene_of_world
    _flowgraph.draw_scene(ax, read(source, places), most, title)
    return ax


# -- all at once ----------------------------------------------------------------------


def summary_figure(world, recording=None, *, title: str | None = None) -> Figure:
    """Draw a world at a glance: roles, welfare, the course of the run, who feeds whom.

    Parameters
    ----------
    world : World
    recording : Recording, optional
        What ``world.record`` returned, for the time series.
    title : str, optional
        By default what the world is and when.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: save it with ``savefig``.
    """
    places = _drawing.map_places(world.topology)
    flat = _drawing.map_aspect(world.topology, places) < FLAT
    figure = Figure(figsize=(12, 7.6 if flat else 9.6), layout="constrained")
    (roles, well), (course, graph) = figure.subplots(2, 2, height_ratios=(0.5 if flat else 1, 1))
    role_map(world, roles, places=places, title="main task of each member")
    welfare_map(world, well, places=places)
    names = [name for name in COURSE if name in (recording or ())]
    time_series(recording, course, names=names or None)
    network = world.topology.kind != "grid" and world.n_sites <= 150
    scene = _flowgraph.scene_of_world(world, places if network else None)
    window = _flowgraph.window(scene)
    if window is not None:  # the graph is of a part; say of which
        roles.add_patch(Rectangle(window[0], *(window[1] - window[0]), fill=False, edgecolor="black",
                                  linewidth=1.4, clip_on=False, zorder=4))
    _flowgraph.draw_scene(graph, scene, MOST, "who feeds whom" + ("" if window is None else " in the frame"))
    if title is None:
        members = len(world.living)
        title = f"{members:,} member{'s' * (members != 1)}, tick {world.tick:,}, seed {world.seed}"
    figure.suptitle(title, fontsize=13)
    return figure


def world_html(world) -> str:
    """Return a world as HTML for notebooks: a small picture and the vital signs."""
    import base64
    from io import BytesIO

    signs = measures.vital_signs(world)
    image = "<span>(no picture: a network this large has no positions to draw it at)</span>"
    if world.topology.positions is not None or world.n_sites <= 500:
        buffer = BytesIO()
        _small_maps(world).savefig(buffer, format="png", dpi=90, bbox_inches="tight", pad_inches=0.03)
        data = base64.b64encode(buffer.getvalue()).decode()
        image = f'<img alt="roles and welfare" src="data:image/png;base64,{data}">'
    rows = "".join(f'<tr><td style="text-align:left">{name.replace("_", " ")}</td>'
                   f"<td>{value:{',' if isinstance(value, int) else '.3f'}}</td></tr>"
                   for name, value in signs.items())
    return (f'<div style="display:flex;align-items:center;gap:1em">{image}<table>'
            f'<caption>World, seed {world.seed}</caption>{rows}</table></div>')


def _small_maps(world) -> Figure:
    """Draw roles and welfare side by side, or one above the other where they are flat."""
    places = _drawing.map_places(world.topology)
    aspect = _drawing.map_aspect(world.topology, places)
    if aspect < FLAT:
        size, shape = (5.0, 2 * (4.8 * aspect + 1.4)), (2, 1)
    else:
        height = 2.6 if aspect > 2 else min(1.9, 2.0 * aspect)
        size, shape = (2 * height / aspect + 2.6, height + 0.5), (1, 2)
    figure = Figure(figsize=size, layout="constrained")
    roles, well = figure.subplots(*shape)
    role_map(world, roles, places=places, title="main task")
    welfare_map(world, well, places=places)
    for ax in (roles, well):  # rows and columns go without saying at this size
        ax.set_ylabel("")
        if aspect >= FLAT:  # else the key stands below the word
            ax.set_xlabel("")
    return figure
