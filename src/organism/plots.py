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
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from . import flows, measures
from .params import closest
from .state import COLUMNS

__all__ = [
    "PALETTE",
    "field_map",
    "interdependence_graph",
    "layout",
    "role_map",
    "summary_figure",
    "task_colours",
    "time_series",
    "welfare_map",
    "world_html",
]

#: Okabe and Ito's hues, in the order in which tasks and lines take them.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
#: Of resting, of members that never acted, of sites without a member, of background ties, of words.
REST, IDLE, EMPTY, TIE, INK = "#777777", "#C8C8C8", "#FFFFFF", "#D5D5D5", "#333333"
#: What a summary shows of a longer recording.
COURSE = ("welfare", "division_of_labour", "dependence", "share_rate", "gini")

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
    rest = world.params.tasks - world.params.resources
    return np.concatenate([_hues(world.params.resources), np.tile(to_rgb(REST), (rest, 1))])


def _hues(k: int) -> np.ndarray:
    """Return k hues: Okabe and Ito's as far as they go, else turbo's."""
    if k <= len(PALETTE):
        return np.array([to_rgb(hue) for hue in PALETTE[:k]])
    return colormaps["turbo"](np.linspace(0.04, 0.96, k))[:, :3]


#: Height of a row of hexagons at unit distance.
HEX_ROW = 0.75**0.5
#: After which distance in x and y a grid with borders repeats.
BORDERS = np.array([np.inf, np.inf])


def _axes(ax: Axes | None, size=(5.2, 4.6)) -> Axes:
    """Return ``ax``, or the only axes of a new figure that pyplot shows."""
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(figsize=size, layout="constrained")[1]
    return ax


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
    if topology.positions is not None:
        return np.array(topology.positions, dtype=float)
    return _spring(topology.n_sites, topology.source, topology.target, seed)


def _spring(n: int, source, target, seed: int = 1) -> np.ndarray:
    """Lay out connected parts one by one, the largest first, and put them on shelves."""
    from scipy import sparse

    links = sparse.csr_array((np.ones(len(source)), (source, target)), shape=(n, n))
    links = links.maximum(links.T).tocsr()
    _, part = sparse.csgraph.connected_components(links, directed=False)
    members = np.split(np.argsort(part, kind="stable"), np.cumsum(np.bincount(part))[:-1]) if n else []
    places, x, y, shelf = np.zeros((n, 2)), 0.0, 0.0, 0.0
    for inside in sorted(members, key=len, reverse=True):
        side = np.sqrt(len(inside))
        if x and x + side > 1.2 * np.sqrt(n):
            x, y, shelf = 0.0, y + shelf, 0.0
        places[inside] = (x, y) + side * (0.1 + 0.8 * _spring_part(links[inside][:, inside], seed))
        x, shelf = x + side, max(shelf, side)
    return _unit_square(places)


def _spring_part(links, seed: int) -> np.ndarray:
    """Lay out one connected part in the unit square."""
    import networkx as nx

    n = links.shape[0]
    if n < 3:
        return np.full((n, 2), 0.5) + 0.5 * np.arange(n)[:, None]
    if n > 500:
        return _spectral(links, seed)
    graph = nx.from_scipy_sparse_array(links)
    found = nx.kamada_kawai_layout(graph) if n <= 120 else nx.spring_layout(graph, seed=seed, iterations=60)
    return _unit_square(np.array([found[i] for i in range(n)]))


def _spectral(links, seed: int) -> np.ndarray:
    """Place sites by the two slowest modes of a walk along the ties, found by simultaneous iteration."""
    degree = np.asarray(links.sum(axis=0)).ravel()
    resting = degree / degree.sum()
    modes = np.random.default_rng(seed).standard_normal((len(degree), 2))
    for _ in range(200):
        modes = 0.5 * (modes + links @ modes / degree[:, None])
        modes -= resting @ modes
        modes = np.linalg.qr(modes)[0]
    return np.argsort(np.argsort(modes, axis=0, kind="stable"), axis=0) / len(degree)  # ranks: they bunch up


def _unit_square(places) -> np.ndarray:
    if not len(places):
        return places
    low = places.min(axis=0)
    return (places - low) / np.maximum(places.max(axis=0) - low, 1e-9)


def _frame(ax: Axes, topology, title: str | None) -> None:
    """Give a map its axes: rows and columns on a grid, nothing elsewhere."""
    ax.set_title(title or "", fontsize=11)
    flat = topology.kind == "grid" and len(topology.shape) == 1
    if topology.kind == "grid":
        ax.set_xlabel("site" if flat else "column (site)")
        width = topology.shape[-1]
        ax.set_xticks(np.arange(0, width, max(1, width // 5)))
    else:
        ax.set_xticks([])
    if topology.kind != "grid" or flat:
        ax.set_yticks([])
    else:
        ax.set_ylabel("row (site)")
        rows = np.arange(0, topology.shape[0], max(1, topology.shape[0] // 5))
        ax.set_yticks(rows * (HEX_ROW if topology.neighbourhood == "hexagonal" else 1), rows.tolist())
    ax.spines[:].set_visible(False)
    ax.tick_params(length=2, colors=INK, labelsize=8)


def _draw(ax: Axes, topology, colours: np.ndarray, places=None) -> None:
    """Draw every site in its colour, RGBA (N, 4)."""
    if topology.kind == "grid" and topology.neighbourhood != "hexagonal" and places is None:
        rows, columns = topology.cells.T
        image = np.zeros(((1, *topology.shape)[-2:]) + (4,))
        image[rows, columns] = colours
        flat = len(topology.shape) == 1
        ax.imshow(image, interpolation="nearest", origin="upper", aspect="auto" if flat else "equal")
        if flat:
            ax.set_box_aspect(0.2)
        return
    places = layout(topology) if places is None else np.asarray(places, float)
    if topology.kind == "grid":
        _hexagons(ax, places, colours)
    else:
        _links(ax, topology, places)
        _nodes(ax, places, colours)
        ax.set_aspect("equal")


def _hexagons(ax: Axes, places, colours) -> None:
    """Draw hexagons of unit distance with a corner up; row 0 is at the top."""
    turn = np.pi / 3 * np.arange(6) + np.pi / 6
    corner = np.stack([np.cos(turn), np.sin(turn)], axis=1) / np.sqrt(3)
    ax.add_collection(PolyCollection(places[:, None, :] + corner, facecolors=colours, edgecolors=colours,
                                     linewidths=0.2))
    ax.set_xlim(places[:, 0].min() - 1, places[:, 0].max() + 1)
    ax.set_ylim(places[:, 1].max() + 1, places[:, 1].min() - 1)
    ax.set_aspect("equal")


def _links(ax: Axes, topology, places, most: int = 20_000) -> None:
    """Draw the ties in the background, each pair once; too many would only be grey."""
    source, target = topology.source, topology.target
    if topology.n_ties > most:
        return
    once = source < target if not topology.directed else slice(None)
    lines = np.stack([places[source[once]], places[target[once]]], axis=1)
    ax.add_collection(LineCollection(lines, colors=TIE, linewidths=0.6, zorder=1,
                                     alpha=float(np.clip(1000 / max(len(lines), 1), 0.2, 1))))


def _nodes(ax: Axes, places, colours) -> None:
    """Draw nodes as discs that together fill about an eighth of the axes."""
    box = ax.get_window_extent().size * 72 / ax.get_figure().dpi
    n = max(len(places), 1)
    size = float(np.clip(0.12 * box[0] * box[1] / n, 2, 160))
    ax.scatter(*places.T, s=size, c=colours, edgecolors=INK, linewidths=0.5 if n < 1000 else 0, zorder=3)
    ax.margins(0.06)


# -- maps -----------------------------------------------------------------------------


def role_map(world, ax: Axes | None = None, *, places=None, title: str | None = "roles") -> Axes:
    """Draw what each member mostly does and how one-sidedly.

    Hue is the task done most in memory; the paler, the more evenly a member spreads
    its acts over the tasks (see :func:`organism.measures.specialisation`). Members
    that never acted are light grey, sites without a member white.

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
    ax = _axes(ax)
    hues, colours = task_colours(world), _blank(world)
    task = measures.dominant_task(world)
    depth = 0.25 + 0.75 * np.sqrt(measures.specialisation(world, each=True))[:, None]
    acted = task >= 0
    rgb = np.where(acted[:, None], 1 - depth * (1 - hues[task]), to_rgb(IDLE))
    colours[world.living] = np.column_stack([rgb, np.ones(len(rgb))])
    _draw(ax, world.topology, colours, places)
    _frame(ax, world.topology, title)
    _task_legend(ax, world, empty=len(world.living) < world.n_sites)
    return ax


def _blank(world) -> np.ndarray:
    return np.tile([*to_rgb(EMPTY), 1.0], (world.n_sites, 1))


def _task_legend(ax: Axes, world, empty: bool = False) -> None:
    """Name the tasks beside the axes, the first dozen of them."""
    hues = task_colours(world)
    names = [f"makes resource {k}" for k in range(world.params.resources)]
    names += ["rests"] * (world.params.tasks - len(names))
    marks = list(zip(names, hues, strict=True))[:12] + ([("empty", to_rgb(EMPTY))] if empty else [])
    ax.legend(handles=[Line2D([], [], linestyle="", marker="s", markersize=7, color=hue, label=name,
                              markeredgecolor=INK, markeredgewidth=0.4) for name, hue in marks],
              loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, handletextpad=0.1,
              borderaxespad=0.2, title="paler: other tasks too", title_fontsize=7, alignment="left")


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
    ax = _axes(ax)
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
    norm = Normalize(*(limits or _range(values[shown])))
    colours = _blank(world)
    colours[shown] = colormaps[cmap](norm(values[shown]))
    _draw(ax, world.topology, colours, places)
    _frame(ax, world.topology, title if title is not None else (name or "").replace("_", " "))
    if label is None and column is not None:
        part = "" if resource is None else f" {resource}"
        label = f"{name.replace('_', ' ')}{part} ({UNITS.get(name, _unit(column))})"
    bar = ax.get_figure().colorbar(ScalarMappable(norm, colormaps[cmap]), ax=ax, label=label or "",
                                   shrink=0.8, pad=0.02, aspect=25)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=2, labelsize=8)
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
    ax = _axes(ax, (6.4, 4.2))
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
        ax.text(0.5, 0.5, "nothing recorded", ha="center", va="center", transform=ax.transAxes, color=INK)
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


def interdependence_graph(source, ax: Axes | None = None, *, most: int = 800, places=None,
                          title: str | None = "who feeds whom") -> Axes:
    """Draw who feeds whom: an arrow from giver to receiver, as wide as the flow.

    Nodes have the hue of the task done most. Arrows have the hue of the resource
    that makes up most of the flow where that is known (exact totals), else they are
    grey. Of a large map a square in the middle is drawn; of a large network without
    positions, the hundred members that the strongest flows lead to from the busiest.
    Where more than ``most`` flows are left, the strongest. What is drawn is said under
    the picture.

    Parameters
    ----------
    source : World or networkx.DiGraph
        A world (the exact totals if it keeps them, else the decayed sums), or a
        graph such as :func:`organism.interdependence` and
        :meth:`organism.flows.Reading.graph` return.
    ax : Axes, optional
        Where to draw; by default new axes.
    most : int, default 800
        Draw at most so many arrows.
    places : array_like of shape (n, 2), optional
        Where to draw each site of a world, or each node of a graph in its order.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    read = _scene_of_graph if hasattr(source, "adj") else _scene_of_world
    places, nodes, hues, giver, receiver, amount, period, down, said = read(source, places)
    ax.set_title(title or "", fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.set_aspect("equal")
    if not len(nodes):
        ax.text(0.5, 0.5, "nobody lives", ha="center", va="center", transform=ax.transAxes, color=INK)
        return ax
    weight = amount.sum(axis=1)
    shown, part = _part(places, giver, receiver, weight, len(nodes))
    inside = shown[giver] & shown[receiver]
    keep = np.flatnonzero(inside if places is None else shown[giver] | shown[receiver])
    if len(keep) > most:
        strongest = keep[np.argsort(-weight[keep], kind="stable")[:most]]
        part.append(f"the strongest {most:,} of {len(keep):,} flows, "
                    f"{weight[strongest].sum() / weight[keep].sum():.0%} of the goods")
        keep = strongest
    giver, receiver, amount = giver[keep], receiver[keep], amount[keep]
    if places is None:
        places, new = np.zeros((len(nodes), 2)), np.cumsum(shown) - 1
        places[shown] = _spring(int(shown.sum()), new[giver], new[receiver])
    unit = 1.0 if period is not None else _unit_length(places[shown])
    _arrows(ax, places, giver, receiver, amount, unit, period, hues)
    _nodes(ax, places[shown], nodes[shown])
    low, high = places[shown].min(axis=0) - 0.6 * unit, places[shown].max(axis=0) + 0.6 * unit
    ax.set_xlim(low[0], high[0])
    ax.set_ylim((high[1], low[1]) if down else (low[1], high[1]))
    if len(keep):
        said += f"; widest arrow {_count(amount.sum(axis=1).max())}"
    ax.set_xlabel("\n".join([said, *part]), fontsize=8)
    return ax


def _part(places, giver, receiver, weight, n: int):
    """Choose which of n members to draw, and say so: all, a square, or a neighbourhood."""
    shown = np.ones(n, bool)
    window = None if places is None else _window(places)
    if window is not None:
        shown = ((places >= window[0]) & (places <= window[1])).all(axis=1)
        return shown, [f"the {shown.sum():,} members in the middle, of {n:,}"]
    if places is None and n > 150 and len(weight):
        shown[:] = False
        shown[_neighbourhood(giver, receiver, weight, n, 100)] = True
        return shown, [f"{shown.sum():,} of {n:,} members, reached over the strongest flows "
                       "from the busiest"]
    return shown, []


def _window(places, side: int = 14):
    """Return two corners of the square to draw of a large map, about ``side`` members wide, or None."""
    low, high = places.min(axis=0), places.max(axis=0)
    unit = _unit_length(places)
    if ((high - low) < 1.5 * side * unit).all():
        return None
    middle = places[np.argmin(((places - (low + high) / 2) ** 2).sum(axis=1))] + unit / 2
    half = np.minimum(high - low + unit, side * unit / 2)
    return middle - half, middle + half


def _neighbourhood(giver, receiver, weight, n: int, size: int) -> list[int]:
    """Return the busiest member and those that the strongest flows, one after the other, add to it."""
    from heapq import heappop, heappush

    from scipy import sparse

    flow = sparse.csr_array((weight, (giver, receiver)), shape=(n, n))
    flow = (flow + flow.T).tocsr()
    start = int(np.argmax(flow.sum(axis=1)))
    inside, edge = set(), [(0.0, start)]
    while edge and len(inside) < size:
        _, i = heappop(edge)
        if i not in inside:
            inside.add(i)
            row = slice(flow.indptr[i], flow.indptr[i + 1])
            for j, amount in zip(flow.indices[row].tolist(), flow.data[row].tolist(), strict=True):
                if j not in inside:
                    heappush(edge, (-amount, j))
    return sorted(inside)


def _scene_of_world(world, places):
    """Return what the graph picture needs: nodes are the living."""
    topology, living = world.topology, world.living
    exact = bool(world.ledger)
    amount = np.asarray(world.tie("total") if exact else world.tie("trace")[:, None], dtype=float)
    some = amount.sum(axis=1) > 0
    node = np.full(world.n_sites, -1)
    node[living] = np.arange(len(living))
    giver, receiver = node[topology.source[some]], node[topology.target[some]]
    grid = topology.kind == "grid" and places is None
    period = None
    if grid and len(topology.shape) == 1 and topology.torus and topology.n_sites <= 60:
        turn = 2 * np.pi * np.arange(topology.n_sites) / topology.n_sites  # a ring looks like one
        places = topology.n_sites / (2 * np.pi) * np.stack([np.sin(turn), -np.cos(turn)], axis=1)
    elif grid:
        places, period = layout(topology), _period(topology)
    elif places is None and (topology.positions is not None or topology.n_sites <= 150):
        places = layout(topology)
    places = None if places is None else np.asarray(places, float)[living]
    said = ("goods sent since both met (hue: mostly of which)" if exact else
            f"goods sent, decayed sums (memory {world.params.exchange.memory:g} a tick)")
    nodes = _node_hues(measures.dominant_task(world), task_colours(world))
    return (places, nodes, _hues(amount.shape[1]), giver, receiver, amount[some], period, grid, said)


def _scene_of_graph(graph, places):
    """Return the same from a networkx graph, as far as its attributes say it."""
    nodes = list(graph)
    index = {node: i for i, node in enumerate(nodes)}
    edges = list(graph.edges(data=True))
    giver = np.array([index[i] for i, _, _ in edges], dtype=int)
    receiver = np.array([index[j] for _, j, _ in edges], dtype=int)
    names = ["weight"]
    if edges and "r0" in edges[0][2]:
        names = sorted((name for name in edges[0][2] if name[:1] == "r" and name[1:].isdigit()),
                       key=lambda name: int(name[1:]))
    amount = np.array([[data.get(name, 1.0) for name in names] for _, _, data in edges], dtype=float)
    if places is None and nodes and all("x" in data and "y" in data for _, data in graph.nodes(data=True)):
        places = [(data["x"], data["y"]) for _, data in graph.nodes(data=True)]
    task = np.array([data.get("dominant_task", -1) for _, data in graph.nodes(data=True)], dtype=int)
    places = None if places is None else np.asarray(places, dtype=float)
    k = max(len(names), int(task.max(initial=-1)) + 1)
    said = graph.graph.get("unit", "weight") + (" (hue: mostly of which)" if len(names) > 1 else "")
    grid, period = graph.graph.get("grid"), None
    if grid is not None:
        period = np.array([graph.graph["width"], graph.graph["height"]]) if grid == "torus" else BORDERS
    return (places, _node_hues(task, _hues(k)), _hues(k), giver, receiver,
            amount.reshape(-1, len(names)), period, grid is not None, said)


def _count(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


def _node_hues(task, hues) -> np.ndarray:
    return np.where((task >= 0)[:, None], hues[task % len(hues)], to_rgb(IDLE))


def _period(topology) -> np.ndarray:
    """Return after which distance in x and y a grid repeats; infinite if it has borders."""
    about = flows.grid_size(topology)
    return np.array([about["width"], about["height"]]) if about["grid"] == "torus" else BORDERS


def _unit_length(places) -> float:
    """Return the length in which arrows and margins are measured: about that between neighbours."""
    extent = np.ptp(places, axis=0)
    if len(places) < 2 or not extent.any():
        return 1.0
    if not extent.all():  # all in a line
        return float(extent.max() / (len(places) - 1))
    return float(np.sqrt(extent.prod() / len(places)))


def _arrows(ax: Axes, places, giver, receiver, amount, unit: float, period, hues) -> None:
    """Draw the flows, the strongest on top; those around a torus leave and come in at its edges."""
    weight = amount.sum(axis=1)
    if not len(weight):
        return
    start, step = places[giver], places[receiver] - places[giver]
    if period is not None:
        wraps = np.where(np.isfinite(period), np.rint(step / np.where(np.isfinite(period), period, 1)), 0)
        step = step - wraps * np.where(np.isfinite(period), period, 0)
        again = np.flatnonzero((wraps != 0).any(axis=1))
        start = np.concatenate([start, places[receiver[again]] - step[again]])
        which = np.concatenate([np.arange(len(weight)), again])
        step, weight, amount = step[which], weight[which], amount[which]
    length = np.hypot(*step.T)
    some = np.flatnonzero(length > 0)
    order = some[np.argsort(weight[some], kind="stable")]
    start, step, length, weight, amount = (v[order] for v in (start, step, length, weight, amount))
    along = step / length[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    strong = np.minimum(weight / np.quantile(weight, 0.99), 1)
    gap = np.minimum(0.24 * unit, 0.25 * length)  # room for the node at either end
    reach = length - 2 * gap
    half = 0.5 * unit * (0.015 + 0.125 * strong)
    head, barb = np.minimum(0.16 * unit + half, 0.6 * reach), half + 0.06 * unit * (0.4 + strong)
    side = barb + 0.012 * unit  # flows in both directions pass each other
    shape = [(0, -half), (reach - head, -half), (reach - head, -barb), (reach, 0 * half),
             (reach - head, barb), (reach - head, half), (0, half)]
    base = start + along * gap[:, None] + across * side[:, None]
    corner = [base + along * np.broadcast_to(a, length.shape)[:, None] + across * b[:, None]
              for a, b in shape]
    colours = hues[amount.argmax(axis=1)] if amount.shape[1] > 1 else np.array([to_rgb("#666666")])
    ax.add_collection(PolyCollection(np.stack(corner, axis=1), facecolors=colours, linewidths=0, alpha=0.85,
                                     zorder=2))


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
    figure = Figure(figsize=(12, 9.6), layout="constrained")
    (roles, well), (course, graph) = figure.subplots(2, 2)
    topology = world.topology
    places = None if topology.kind == "grid" else layout(topology)
    role_map(world, roles, places=places, title="roles: the task each member does most")
    welfare_map(world, well, places=places)
    names = [name for name in COURSE if name in (recording or ())]
    time_series(recording, course, names=names or None)
    window = None
    if topology.kind == "grid" and len(topology.shape) == 2 and len(world.living):
        window = _window(layout(topology)[world.living])
    if window is not None:  # the graph is of a part; say of which
        roles.add_patch(Rectangle(window[0], *(window[1] - window[0]), fill=False, edgecolor="black",
                                  linewidth=1.2))
    interdependence_graph(world, graph, places=places if world.n_sites <= 150 else None,
                          title="who feeds whom" + ("" if window is None else " in the square"))
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
    image = ""
    if world.topology.kind == "grid" or world.n_sites <= 500:
        figure = Figure(figsize=(5.6, 2.5), layout="constrained")
        roles, well = figure.subplots(1, 2)
        places = None if world.topology.kind == "grid" else layout(world.topology)
        role_map(world, roles, places=places)
        welfare_map(world, well, places=places)
        buffer = BytesIO()
        figure.savefig(buffer, format="png", dpi=90)
        data = base64.b64encode(buffer.getvalue()).decode()
        image = f'<img alt="roles and welfare" src="data:image/png;base64,{data}">'
    rows = "".join(f'<tr><td style="text-align:left">{name.replace("_", " ")}</td>'
                   f"<td>{value:{',' if isinstance(value, int) else '.3f'}}</td></tr>"
                   for name, value in signs.items())
    return (f'<div style="display:flex;align-items:center;gap:1em">{image}<table>'
            f'<caption>World, seed {world.seed}</caption>{rows}</table></div>')
