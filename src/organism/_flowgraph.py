"""The picture of who feeds whom: what it is made from, which part is drawn, and its arrows.

Nothing here is public: see :func:`organism.plots.interdependence_graph`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from . import measures
from ._drawing import HEX_ROW, IDLE, NOBODY, draw_nodes, hues, layout, note, spring, task_hues, unit_length
from .flows._record import grid_size

#: What the exact totals are, and what the hues of arrows say.
EXACT, HUE = "goods sent along a tie since it was made", "hue: the resource sent most"
#: How many members wide the part of a large map is that is drawn, and that of a line.
SIDE, LINE = 10, 14
#: How many members of a large network without positions are drawn.
REACHED = 100


@dataclass
class Scene:
    """What the picture is made from: n members, and the flows between them by index."""

    places: np.ndarray | None  # (n, 2); None: to be found once the members to draw are chosen
    nodes: np.ndarray  # colours of the members, (n, 3)
    hues: np.ndarray  # colours of the resources
    giver: np.ndarray
    receiver: np.ndarray
    amount: np.ndarray  # (flows, resources), or (flows, 1) where these are not told apart
    said: list[str]  # what the amounts and the hues are
    grid: dict | None = None  # as grid_size says it, of grids drawn at their rows and columns

    @property
    def weight(self) -> np.ndarray:
        """Goods of each flow, of all resources together."""
        return self.amount.sum(axis=1)

    @property
    def period(self) -> np.ndarray | None:
        """After which distance in x and y a grid repeats; infinite with borders, None elsewhere."""
        if not self.grid:
            return None
        return np.array([self.grid["width"], self.grid["height"]] if self.grid["grid"] == "torus" else [np.inf] * 2)


def scene_of_world(world, places=None) -> Scene:
    """Return the scene of the living members of a world."""
    topology, living = world.topology, world.living
    exact, grid = bool(world.ledger), None
    amount = np.asarray(world.tie("total") if exact else world.tie("trace")[:, None], dtype=float)
    some = amount.sum(axis=1) > 0
    node = np.full(world.n_sites, -1)
    node[living] = np.arange(len(living))
    if places is None and topology.kind == "grid":
        if len(topology.shape) == 1 and topology.torus and topology.n_sites <= 60:
            turn = 2 * np.pi * np.arange(topology.n_sites) / topology.n_sites  # a ring looks like one
            places = topology.n_sites / (2 * np.pi) * np.stack([np.sin(turn), np.cos(turn)], axis=1)
        else:
            places, grid = layout(topology), grid_size(topology)
    elif places is None and (topology.positions is not None or topology.n_sites <= 150):
        places = layout(topology)
    said = [EXACT, HUE] if exact else [f"goods sent, decayed sums (memory {world.params.exchange.memory:g} a tick)"]
    return Scene(None if places is None else np.asarray(places, float)[living],
                 _node_hues(measures.dominant_task(world), task_hues(world.params)), hues(amount.shape[1]),
                 node[topology.source[some]], node[topology.target[some]], amount[some], said, grid)


def scene_of_graph(graph, places=None) -> Scene:
    """Return the same from a networkx graph, as far as its attributes say it."""
    about, nodes = graph.graph, list(graph)
    index = {node: i for i, node in enumerate(nodes)}
    edges = list(graph.edges(data=True))
    giver = np.array([index[i] for i, _, _ in edges], dtype=int)
    receiver = np.array([index[j] for _, j, _ in edges], dtype=int)
    names = ["weight"]
    if edges and "r0" in edges[0][2]:
        names = sorted((name for name in edges[0][2] if name[:1] == "r" and name[1:].isdigit()),
                       key=lambda name: int(name[1:]))
    amount = np.array([[data.get(name, float(name == "weight")) for name in names] for _, _, data in edges],
                      dtype=float).reshape(-1, len(names))
    some = (giver != receiver) & (amount.sum(axis=1) > 0)   # a loop is no arrow, and where nothing flows there is none
    giver, receiver, amount = giver[some], receiver[some], amount[some]
    grid = None
    if places is None and nodes and all("x" in data and "y" in data for _, data in graph.nodes(data=True)):
        places = [(data["x"], data["y"]) for _, data in graph.nodes(data=True)]
        grid = {key: about[key] for key in ("grid", "width", "height")} if "grid" in about else None
    task = np.array([data.get("dominant_task", -1) for _, data in graph.nodes(data=True)], dtype=int)
    k = max(len(names), int(task.max(initial=-1)) + 1)
    whole = about.get("source") == "exact totals" and "start" not in about  # not of a window of ticks
    said = [EXACT if whole else about.get("unit", "weight"), *[HUE] * (len(names) > 1)]
    return Scene(None if places is None else np.asarray(places, dtype=float), _node_hues(task, hues(k)), hues(k),
                 giver, receiver, amount, said, grid)


def _node_hues(task, of_tasks) -> np.ndarray:
    return np.where((task >= 0)[:, None], of_tasks[task % len(of_tasks)], to_rgb(IDLE))


def draw_scene(ax: Axes, scene: Scene, most: int, title: str | None) -> None:
    """Draw a scene, or a part of it that can be read, and say under it what is drawn."""
    ax.set_title(title or "", fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.set_aspect("equal")
    if not len(scene.nodes):
        note(ax, NOBODY)
        return
    places, giver, receiver, weight = scene.places, scene.giver, scene.receiver, scene.weight
    shown, part = _part(scene)
    keep = np.flatnonzero(shown[giver] & shown[receiver] if places is None else shown[giver] | shown[receiver])
    if len(keep) > most:
        strongest = keep[np.argsort(-weight[keep], kind="stable")[:most]]
        part.append(f"the strongest {most:,} of {len(keep):,} flows{' there' if part else ''}, "
                    f"{weight[strongest].sum() / weight[keep].sum():.0%} of the goods")
        keep = strongest
    giver, receiver, amount = giver[keep], receiver[keep], scene.amount[keep]
    if places is None:
        places, new = np.zeros((len(shown), 2)), np.cumsum(shown) - 1
        places[shown] = spring(int(shown.sum()), new[giver], new[receiver])
    unit = 1.0 if scene.grid else unit_length(places[shown])
    arrows(ax, places, giver, receiver, amount, unit, scene.period, scene.hues)
    low, high = places[shown].min(axis=0) - 0.6 * unit, places[shown].max(axis=0) + 0.6 * unit
    ax.set_xlim(low[0], high[0])
    ax.set_ylim((high[1], low[1]) if scene.grid else (low[1], high[1]))
    draw_nodes(ax, places[shown], scene.nodes[shown], 0.36 * unit)
    said, *hue = scene.said
    widest = [f"widest arrow: {count(weight[keep].max())}"] if len(keep) else []
    ax.set_xlabel("\n".join([said, *["; ".join(hue + widest)] * bool(hue + widest), *part]), fontsize=8)


def count(amount: float) -> str:
    """Return an amount of goods in digits that can be read."""
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"


# -- which part -----------------------------------------------------------------------


def _part(scene: Scene) -> tuple[np.ndarray, list[str]]:
    """Choose which members to draw, and say so: all, those in a window, or a neighbourhood."""
    n = len(scene.nodes)
    shown, box = np.ones(n, bool), window(scene)
    if box is not None:
        shown = ((scene.places >= box[0]) & (scene.places <= box[1])).all(axis=1)
        where = _rows_and_columns(scene, scene.places[shown]) if scene.grid else "in the middle"
        return shown, [f"only the {shown.sum():,} members {where}, of {n:,}"]
    if scene.places is None and n > 150 and len(scene.weight):
        shown[:] = False
        shown[_neighbourhood(scene.giver, scene.receiver, scene.weight, n, REACHED)] = True
        return shown, [f"only {shown.sum():,} of {n:,} members, reached over the strongest flows "
                       "from the busiest"]
    return shown, []


def window(scene: Scene) -> np.ndarray | None:
    """Return two corners of the part in the middle to draw of a large map, or None if all of it."""
    places = scene.places
    if places is None or not len(places):
        return None
    low, high = places.min(axis=0), places.max(axis=0)
    unit = unit_length(places)  # more than 1 on a grid where few are left
    side = LINE if (high == low).any() else SIDE
    if (high - low < (1.25 * side) * unit).all():
        return None
    middle = places[np.argmin(((places - (low + high) / 2) ** 2).sum(axis=1))] + unit / 2
    half = side * unit / 2
    return np.stack([np.maximum(middle - half, low - unit / 2), np.minimum(middle + half, high + unit / 2)])


def _rows_and_columns(scene: Scene, places) -> str:
    """Say at which rows and columns of a grid the places are."""
    row = 1.0 if scene.grid["height"] % 1 == 0 else HEX_ROW  # only rows of hexagons add up to a fraction
    rows, columns = np.rint(places[:, 1] / row).astype(int), np.floor(places[:, 0] + 0.25).astype(int)
    across = f"{columns.min()}–{columns.max()}"
    if scene.grid["height"] == 1:
        return f"at sites {across}"
    return f"in rows {rows.min()}–{rows.max()}, columns {across}"


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


# -- arrows ---------------------------------------------------------------------------


def arrows(ax: Axes, places, giver, receiver, amount, unit: float, period, of_resource) -> None:
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
    colours = of_resource[amount.argmax(axis=1)] if amount.shape[1] > 1 else np.array([to_rgb("#666666")])
    ax.add_collection(PolyCollection(np.stack(corner, axis=1), facecolors=colours, linewidths=0, alpha=0.85,
                                     zorder=2))
