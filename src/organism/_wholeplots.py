"""Pictures of wholes: where they lie, what they trade, how they nest, and whether they beat chance.

Public through :mod:`organism.plots`.
"""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from . import _drawing
from ._checks import closest, whole
from ._drawing import IDLE, INK, PALETTE
from ._flowgraph import arrows, count
from .flows._record import grid_size

__all__ = ["DISTINCT", "bare", "hues_of", "named_flows", "outline", "wholes_by_level", "wholes_graph", "wholes_matrix",
           "wholes_tree"]

#: What an empty picture says.
NONE = "no wholes found:\nno division of the members is stable"
#: Hues of wholes: those of the palette that words and thin shapes can be read in.
HUES = np.array([to_rgb(hue) for hue in PALETTE if hue not in ("#F0E442", "#000000")])
#: So many wholes have hues that eyes can tell apart: each hue as it is, dark, and pale, but not too pale to see.
DISTINCT = 3 * len(HUES)
#: So many nodes at most bear their names, and so many wholes of a map their numbers.
NAMED, NUMBERED = 60, 12
#: Rows and columns of a matrix at most; more members are drawn several to a cell.
CELLS = 256
#: What each null keeps and deals out anew.
KEEPS = {"flows": "same ties, flows shuffled", "strengths": "the same, each member's totals kept",
         "degrees": "as many ties of each, to others"}
#: More wholes than this are laid out faster, without regard to how much they exchange.
MANY = 150
#: So many levels can be told apart by the widths of lines.
MARKED = 3
#: How wide the lines around the finest wholes are, and how much wider at each further level, in points.
THIN, WIDER = 1.2, 1.4


def hues_of(number: int) -> np.ndarray:
    """Return a hue for each of so many wholes; beyond :data:`DISTINCT` they come again."""
    pool = np.concatenate([HUES, 0.5 * HUES, 0.58 * HUES + 0.42])
    return pool[np.arange(number) % DISTINCT]


def drawn_levels(wholes) -> list:
    """Return the levels whose wholes are marked in pictures: those that stand, if any do, and the coarsest of many."""
    return (wholes.standing or wholes.levels)[-MARKED:]


def _family(wholes, level: int) -> np.ndarray:
    """Return the hue of each whole of a level: that of the whole of the coarsest marked level that it is part of."""
    top, one = drawn_levels(wholes)[-1], wholes[level]
    if one.n_wholes < top.n_wholes:             # it holds several of them
        return np.tile(to_rgb(IDLE), (one.n_wholes, 1))
    home = np.zeros(one.n_wholes, np.int64)
    home[one.labels] = top.labels
    return hues_of(top.n_wholes)[home]


def _readable(hue) -> str:
    """Return in which colour words can be read on a hue."""
    return "white" if np.asarray(hue) @ (0.3, 0.59, 0.11) < 0.5 else "black"


def _words(number: int, what: str = "whole") -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _verdict(level) -> str:
    if level.stands is not False:
        return "stand" if level.stands else ""
    null = level.nulls.get(level.decisive, {}).get("assortativity")
    beyond = null is not None and null.above <= level.alpha
    return "no more than other levels" if beyond else "no more than chance"


def _order(wholes) -> np.ndarray:
    """Return the members sorted by their wholes, coarsest level first, so that every whole is one stretch."""
    return np.lexsort([level.labels for level in wholes])


def _stretches(labels) -> tuple[np.ndarray, np.ndarray]:
    """Return where stretches of equal labels begin, and where they end."""
    cuts = np.flatnonzero(np.diff(labels)) + 1
    return np.concatenate([[0], cuts]), np.concatenate([cuts, [len(labels)]])


# -- in space -------------------------------------------------------------------------


def _by_site(level, topology) -> np.ndarray:
    """Return the whole of whoever is on each site, -1 where nobody is."""
    labels = np.full(topology.n_sites, -1)
    labels[_sites(level.trade, topology)] = level.labels
    return labels


def _sites(trade, topology) -> list[int]:
    try:
        return [topology.index(node) for node in trade.nodes]
    except (ValueError, KeyError, TypeError):
        raise ValueError("these wholes are not of members who live on this topology") from None


def outline(ax: Axes, wholes, topology, places) -> None:
    """Draw the boundaries of wholes on a map, wider from level to level, and say what the widths mean.

    Networks have no boundaries to draw: there ties inside wholes are dark, the wider the finer the whole.
    """
    network, handles = topology.kind != "grid", []
    wholes = drawn_levels(wholes) if len(wholes) else []
    for i, level in enumerate(wholes):
        labels = _by_site(level, topology)
        lines = _inside(labels, topology, places) if network else segments(labels, topology, places)
        width = THIN + WIDER * (len(wholes) - 1 - i if network else i)
        if not network:                         # a pale rim keeps lines apart from dark land
            ax.add_collection(LineCollection(lines, colors="white", linewidths=width + 1.2, zorder=3 + 2 * i,
                                             capstyle="projecting"))
        ax.add_collection(LineCollection(lines, colors="black", linewidths=width, zorder=2 if network else 4 + 2 * i,
                                         capstyle="projecting"))
        verdict = _verdict(level)
        handles.append(Line2D([], [], color="black", linewidth=width, label="inside " * network
                              + _words(level.n_wholes) + f" ({verdict})" * bool(verdict)))
    if len(wholes) and wholes[-1].n_wholes <= NUMBERED:
        _numbers(ax, wholes[-1], topology, places)
        handles[-1].set_label(handles[-1].get_label() + ", numbered")
    tasks, beside = ax.get_legend(), _drawing.map_aspect(topology, places) < _drawing.FLAT
    if handles:
        if beside:                              # of a flat map, whose tasks are told below it
            where = _drawing.key_place(ax, False)
        else:
            where = _drawing.key_place(ax, True) | {"ncols": 2}
        ax.legend(handles=handles, **where, frameon=False, fontsize=8)
        if tasks is not None:
            ax.add_artist(tasks)
            tasks.set_clip_on(False)            # else layouts leave no room for it
    else:
        ax.set_xlabel("\n".join([ax.get_xlabel(), NONE.replace("\n", " ")]).strip())


def _numbers(ax: Axes, level, topology, places) -> None:
    """Write the number of each whole amid its members, in the hue that it has in the other pictures."""
    if places is None or topology.kind == "grid":
        spots = _centres(level, topology)[0]
    else:
        at = np.asarray(places)[_sites(level.trade, topology)]
        spots = np.stack([np.bincount(level.labels, at[:, axis]) / level.sizes for axis in range(2)], axis=1)
    for i, ((x, y), hue) in enumerate(zip(spots, hues_of(level.n_wholes), strict=True)):
        ax.text(x, y, f"{i}", ha="center", va="center", fontsize=8, fontweight="bold", color=_readable(hue), zorder=20,
                bbox={"boxstyle": "circle,pad=0.25", "facecolor": hue, "edgecolor": "white", "linewidth": 1.2})


def _inside(labels, topology, places) -> list:
    """Return the ties between members of one whole."""
    a, b = topology.source, topology.target
    same = (labels[a] == labels[b]) & (labels[a] >= 0)
    return np.stack([places[a[same]], places[b[same]]], axis=1).tolist()


def segments(labels, topology, places) -> list:
    """Return the sides of cells, squares or hexagons, that lie between different wholes."""
    if places is not None:
        a, b = topology.source, topology.target
        step = places[b] - places[a]
        cut = (labels[a] != labels[b]) & (np.abs(np.hypot(*step.T) - 1) < 1e-6)     # not the way around a torus
        middle = (places[a] + places[b])[cut] / 2
        across = 0.5 / np.sqrt(3) * np.stack([-step[:, 1], step[:, 0]], axis=1)[cut]
        return np.stack([middle - across, middle + across], axis=1).tolist()
    rows, columns = topology.cells.T
    image = np.full((1, *topology.shape)[-2:], -1)
    image[rows, columns] = labels
    height, width = image.shape
    lines = []
    for row, column in np.argwhere(image != np.roll(image, -1, axis=1)).tolist():
        if column + 1 < width or topology.torus:
            lines += [((x, row - 0.5), (x, row + 0.5)) for x in ([column + 0.5] if column + 1 < width
                                                                 else [-0.5, width - 0.5])]
    for row, column in np.argwhere(image != np.roll(image, -1, axis=0)).tolist():
        if row + 1 < height or topology.torus:
            lines += [((column - 0.5, y), (column + 0.5, y)) for y in ([row + 0.5] if row + 1 < height
                                                                       else [-0.5, height - 0.5])]
    return lines


def _centres(level, topology) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean position of each whole's members, and the period of the map; round a torus the circular mean."""
    spots = _drawing.layout(topology)[_sites(level.trade, topology)]
    grid = grid_size(topology)
    period = np.array([grid["width"], grid["height"]] if grid.get("grid") == "torus" else [np.inf] * 2)
    centres = np.empty((level.n_wholes, 2))
    for axis in range(2):
        if np.isfinite(period[axis]):
            turn = np.exp(2j * np.pi * spots[:, axis] / period[axis])
            total = np.bincount(level.labels, turn.real) + 1j * np.bincount(level.labels, turn.imag)
            centres[:, axis] = (np.angle(total) / (2 * np.pi) % 1) * period[axis]
        else:
            centres[:, axis] = np.bincount(level.labels, spots[:, axis]) / level.sizes
    return centres, period


def _spacing(places) -> float:
    """Return the median distance from a whole to the nearest other."""
    from scipy.spatial import KDTree

    return float(np.median(KDTree(places).query(places, 2)[0][:, 1])) if len(places) > 1 else 1.0


def _apart(between) -> np.ndarray:
    """Return where to draw wholes by what they exchange: the more, the nearer."""
    import networkx as nx

    ties = between.toarray() + between.T.toarray()
    np.fill_diagonal(ties, 0)
    n = len(ties)
    if n > MANY:
        return _drawing.spring(n, *np.nonzero(ties))
    far = 1 / np.sqrt(ties / max(ties.max(), 1e-300) + 0.07)
    found = nx.kamada_kawai_layout(nx.complete_graph(n), dist=dict(enumerate(dict(enumerate(row)) for row in far)))
    return np.array([found[i] for i in range(n)])


def wholes_graph(wholes, level: int | None = None, ax: Axes | None = None, *, topology=None, most: int | None = None,
                 unit: str = "goods", title: str | None = "what wholes give each other") -> Axes:
    """Draw the wholes of one level as discs, and what flows between them as arrows.

    A disc bears the number of the whole, as in ``wholes[level].frame()``, and how many members it has, which its area
    shows too. Its hue is that of the whole it is part of at the coarsest level, as in :func:`wholes_tree`. Arrows are
    as wide as the flow; what stays inside wholes is not drawn, but said.

    Parameters
    ----------
    wholes : Wholes
    level : int, optional
        The finest is 0, the coarsest -1; by default the finest that stands, or of all if none does.
    ax : Axes, optional
        Where to draw; by default new axes.
    topology : Topology, optional
        That the members live on: each whole is drawn at their mean position. By default wholes are the nearer the
        more they exchange.
    most : int, optional
        Draw at most so many flows, the strongest; by default four a whole.
    unit : str, default "goods"
        What flows are counted in.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax, (5.2, 5.0))
    bare(ax, title)
    ax.set_aspect("equal")
    if not len(wholes):
        _drawing.note(ax, NONE)
        return ax
    if level is None:
        level = wholes.levels.index((wholes.standing or wholes.levels)[0])
    if not -len(wholes) <= level < len(wholes):
        raise ValueError(f"level must be in [{-len(wholes)}, {len(wholes) - 1}], not {level}")
    level %= len(wholes)
    one = wholes[level]
    most = 4 * one.n_wholes if most is None else whole("most", most, 1)
    ties = one.between.tocoo()
    cross = ties.row != ties.col
    giver, receiver, amount = (part[cross] for part in (ties.row, ties.col, ties.data))
    kept = np.argsort(-amount, kind="stable")[:most]
    shown = amount[kept].sum() / amount.sum() if amount.size else 1.0
    giver, receiver, amount = giver[kept], receiver[kept], amount[kept]
    if topology is None:
        places, period = _apart(one.between), None
    else:
        places, period = _centres(one, topology)
    apart = _spacing(places)
    arrows(ax, places, giver, receiver, amount[:, None], apart, period, HUES)
    hues = _family(wholes, level)
    across = 0.5 * apart * np.sqrt(one.sizes / one.sizes.max())
    ax.add_collection(EllipseCollection(across, across, 0, units="xy", offsets=places, offset_transform=ax.transData,
                                        facecolors=hues, edgecolors=INK, linewidths=0.8, zorder=3))
    if one.n_wholes <= NAMED:
        for i, ((x, y), size, hue) in enumerate(zip(places, one.sizes.tolist(), hues, strict=True)):
            ax.text(x, y, f"{i}\n({size:,})", ha="center", va="center", fontsize=7, zorder=4, color=_readable(hue))
    low, high = places.min(axis=0) - 0.6 * apart, places.max(axis=0) + 0.6 * apart
    if period is not None and np.isfinite(period).all():
        low, high = np.minimum(low, -0.5), np.maximum(high, period - 0.5)
        ax.add_patch(Rectangle((-0.5, -0.5), *period, fill=False, edgecolor=IDLE, linewidth=0.8, zorder=1))
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(*((high[1], low[1]) if topology is not None and topology.kind == "grid" else (low[1], high[1])))
    said = [f"{_words(one.n_wholes)}; in each disc" + (
        ": number of the whole (members)" if one.n_wholes <= NAMED else ", by its area: members")]
    if level + 1 < len(wholes):
        said.append("hue: the coarsest whole")
    said += _held(one)
    if amount.size:
        said.append(f"{unit} along the widest arrow: {count(amount.max())}")
    if shown < 1:
        said[-1] += f"; only the strongest {_words(most, 'flow').removeprefix('1 ')}, {shown:.0%} of what crosses"
    ax.set_xlabel("\n".join(said), fontsize=8)
    return ax


def _held(level) -> list[str]:
    """Say how closed a level is, and how its assortativity, by which it stands or falls, compares with chance."""
    told = (f"{level.statistics['closure']:.0%} of flows stay inside; "
            f"assortativity {level.statistics['assortativity']:.2f}")
    null = level.nulls.get(level.decisive, {}).get("assortativity")
    if null is None or not len(null.values):
        return [told]
    mean = "no such level" if np.isnan(null.mean) else f"{null.mean:.2f}"
    lines = [f"{told}, {mean} by chance (p = {null.above:.2g})",
             f"chance: {KEEPS.get(level.decisive, level.decisive)}"]
    if level.stands is False and null.above <= level.alpha:
        lines[-1] += "; but no more than the other levels make"
    return lines


def bare(ax: Axes, title: str | None) -> None:
    """Give axes a title and nothing else."""
    ax.set_title(title or "", fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


def named_flows(ax: Axes, wholes, blocks, *, mutual: bool, unit: str, title: str | None) -> Axes:
    """Draw the flows between few named nodes; discs have the hue of the coarsest whole, or of the block if none is.

    A tie that carries as much either way is one line, if ``mutual``.
    """
    bare(ax, title)
    ax.set_aspect("equal")
    trade, n = wholes.trade, len(wholes.trade.nodes)
    if n == 0:
        _drawing.note(ax, _drawing.NOBODY)
        return ax
    ties = trade.flows.tocoo()
    labels = drawn_levels(wholes)[-1].labels if len(wholes) else np.asarray(blocks.labels)
    places = _drawing.spring(n, ties.row, ties.col) * np.sqrt(n)
    apart = _drawing.unit_length(places)
    box = ax.get_window_extent().size * 72 / ax.figure.dpi
    low, high = places.min(axis=0) - 0.7 * apart, places.max(axis=0) + 0.7 * apart
    point = max((high - low) / box)                                 # one point on paper, in units of the map
    radius = min(0.2 * apart, 9 * point)
    top = ties.data.max(initial=0)
    back = np.asarray(trade.flows[ties.col, ties.row]).ravel() if len(ties.data) else ties.data
    even = (np.abs(back - ties.data) <= 1e-9 * np.maximum(back, ties.data)) if mutual else np.zeros(len(back), bool)
    for i, j, amount, same, other in zip(ties.row, ties.col, ties.data, even, back, strict=True):
        if same and i > j:
            continue
        width = 0.5 + 4 * amount / top
        ax.add_patch(FancyArrowPatch(places[i], places[j], arrowstyle="-" if same else "-|>",
                                     connectionstyle="arc3" if same or not other else "arc3,rad=0.12",
                                     mutation_scale=5 + 1.6 * width, linewidth=width, color="#888888", zorder=2,
                                     shrinkA=radius / point, shrinkB=radius / point))
    hues = np.where((labels >= 0)[:, None], hues_of(int(labels.max(initial=0)) + 1)[labels], to_rgb(IDLE))
    ax.add_collection(EllipseCollection(2 * radius, 2 * radius, 0, units="xy", offsets=places, facecolors=hues,
                                        offset_transform=ax.transData, edgecolors=INK, linewidths=0.6, zorder=3))
    for (x, y), hue, node in zip(places, hues, trade.nodes, strict=True):
        within = len(str(node)) <= 2
        ax.text(x, y if within else y - radius - 2 * point, _short(node), ha="center", fontsize=7 if n > 20 else 8,
                va="center" if within else "top", zorder=5, parse_math=False,
                color=_readable(hue) if within else "black",
                path_effects=[] if within else [withStroke(linewidth=2, foreground="white")])
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    number = np.bincount(labels[labels >= 0])               # who trades with nobody is in no block
    kind = "whole" if len(wholes) else "block"
    if 0 < len(number) <= NUMBERED:
        ax.legend(handles=[Line2D([], [], linestyle="", marker="o", markersize=7, color=hue, markeredgecolor=INK,
                                  markeredgewidth=0.6, label=f"{kind} {i} ({size})")
                           for i, (hue, size) in enumerate(zip(hues_of(len(number)), number.tolist(), strict=True))],
                  loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, handletextpad=0.2)
    said = [f"hue: the {'coarsest ' * (len(wholes) > 1)}{kind}"
            + " (no wholes found)" * (not len(wholes))]
    if top:
        said.append(f"width: {unit}, the widest {count(top)}" + "; a line: as much either way" * bool(even.any()))
    ax.set_xlabel("\n".join(said), fontsize=8)
    return ax


# -- in the abstract ------------------------------------------------------------------


def wholes_matrix(wholes, ax: Axes | None = None, *, unit: str = "goods",
                  title: str | None = "who gives whom, sorted by whole") -> Axes:
    """Draw the flows between members as a matrix, with a frame around each whole of the levels that stand.

    If none stands, or none was tested, of all; of many levels the three coarsest. Members of one whole stand side by
    side. What lies inside the frames stays inside wholes. Up to sixty members bear their names.

    Parameters
    ----------
    wholes : Wholes
    ax : Axes, optional
        Where to draw; by default new axes.
    unit : str, default "goods"
        What flows are counted in, and of which window, such as "goods in ticks 1001–1500".
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax, (5.6, 5.0))
    ax.set_title(title or "", fontsize=11)
    flows, n = wholes.trade.flows, len(wholes.trade.nodes)
    order = _order(wholes) if len(wholes) else np.arange(n)
    cells = min(n, CELLS)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n) * cells // n
    ties = flows.tocoo()
    image = np.zeros((cells, cells))
    np.add.at(image, (place[ties.row], place[ties.col]), ties.data)
    size = np.bincount(place, minlength=cells)
    image /= size[:, None] * size
    if image.any():
        some = image[image > 0]
        norm = LogNorm(max(some.min(), 1e-4 * some.max()), some.max() * (1 + 1e-9))
        ax.imshow(np.where(image > 0, image, np.nan), cmap="Blues", norm=norm, extent=(0, n, n, 0),
                  interpolation="nearest")
        what = f"{unit}\nfrom member to member" + " (mean)" * (n > CELLS)
        _drawing.colour_bar(ax, ScalarMappable(norm, colormaps["Blues"]), what, False)
    else:
        ax.set_xlim(0, max(n, 1))
        ax.set_ylim(max(n, 1), 0)
        _drawing.note(ax, "nothing flows")
    handles = []
    for i, level in enumerate(drawn_levels(wholes)):
        hue, width = PALETTE[4] if i == 0 else "black", THIN + 0.9 * i
        for a, b in zip(*_stretches(level.labels[order]), strict=True):
            ax.add_patch(Rectangle((a, a), b - a, b - a, fill=False, edgecolor=hue, linewidth=width, zorder=4 - i / 10,
                                   clip_on=False))
        verdict = _verdict(level)
        handles.append(Line2D([], [], color=hue, linewidth=width,
                              label=_words(level.n_wholes) + f" ({verdict})" * bool(verdict)))
    named = n <= NAMED
    of = "" if named else " (members)" if len(wholes) else " (members, unsorted: no wholes found)"
    ax.set_xlabel(f"receiver{of}" + ", unsorted: no wholes found" * (named and not len(wholes)), fontsize=9)
    ax.set_ylabel("giver" + " (members)" * (not named), fontsize=9)
    ax.tick_params(length=2, labelsize=8)
    if named:
        names, size = [_short(wholes.trade.nodes[i]) for i in order], 8 if n <= 30 else 5
        upright = max(map(len, names), default=0) > 2
        ax.set_xticks(np.arange(n) + 0.5, names, rotation=90 * upright, fontsize=size, parse_math=False)
        ax.set_yticks(np.arange(n) + 0.5, names, fontsize=size, parse_math=False)
    if handles:
        deep = 34 + (0.62 * size * max(map(len, names)) if named and upright else 6)    # below the names, in points
        ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, frameon=False, fontsize=8,
                  bbox_transform=ax.transAxes + ScaledTranslation(0, -deep / 72, ax.figure.dpi_scale_trans))
    return ax


def _short(node) -> str:
    """Return the name of a node, cut where it would not fit."""
    name = str(node)
    return name if len(name) <= 16 else name[:15] + "…"


def wholes_tree(wholes, ax: Axes | None = None, *, title: str | None = "members, wholes, wholes of wholes") -> Axes:
    """Draw how wholes nest: a row for each level, from everyone at the top to the finest wholes.

    Each box is as wide as its members are many, and stands under the whole that it is part of. It bears the number of
    the whole, as in ``wholes[level].frame()``, and how many members it has; its hue is that of the coarsest whole that
    stands.

    Parameters
    ----------
    wholes : Wholes
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax, (6.4, 1.6 + 0.8 * (len(wholes) + 1)))
    n = len(wholes.trade.nodes)
    bare(ax, title)
    ax.set_xlim(0, max(n, 1))
    ax.set_ylim(len(wholes) + 1, 0)
    ax.add_patch(Rectangle((0, 0.04), n, 0.92, facecolor=IDLE, edgecolor="white"))
    ax.text(n / 2, 0.5, _words(n, "member"), ha="center", va="center", fontsize=8)
    if not len(wholes):
        ax.set_xlabel(NONE.replace("\n", " "), fontsize=9)
        return ax
    order = _order(wholes)
    for row, (index, level) in enumerate([*enumerate(wholes)][::-1], 1):
        hues, alpha = _family(wholes, index), 1 - 0.5 * (row - 1) / max(1, len(wholes) - 1)
        for a, b in zip(*_stretches(level.labels[order]), strict=True):
            label = int(level.labels[order[a]])
            ax.add_patch(Rectangle((a, row + 0.04), b - a, 0.92, facecolor=hues[label], edgecolor="white",
                                   linewidth=1.0, alpha=alpha))
            share = (b - a) / n
            if share > 0.022:
                told = f"{label}" + f"{' ' if share > 0.12 else chr(10)}({b - a:,})" * bool(share > 0.035)
                ax.text((a + b) / 2, row + 0.5, told, ha="center", va="center", fontsize=8 if share > 0.035 else 6,
                        color=_readable(1 - alpha * (1 - hues[label])))
    ax.set_yticks(np.arange(len(wholes) + 1) + 0.5,
                  ["all", *("\n".join([_words(level.n_wholes), *[_verdict(level)] * bool(_verdict(level))])
                            for level in wholes[::-1])], fontsize=8)
    ax.tick_params(length=0)
    ax.set_xlabel("number of the whole (members); width: members", fontsize=9)
    return ax


def _raised(ax: Axes, points: float) -> ScaledTranslation:
    return ScaledTranslation(0, points / 72, ax.figure.dpi_scale_trans)


def wholes_by_level(wholes, statistic: str = "closure", ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw a statistic of each level against what the same detector finds in its nulls.

    A point above every bar is more than chance makes of the same ties, strengths or degrees; a point below
    every bar is less.

    Parameters
    ----------
    wholes : Wholes
    statistic : str, default "closure"
        A name of :func:`organism.wholes.statistics`, such as are in ``wholes.frame()``.
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional
        By default the statistic.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the levels have no such statistic.
    """
    ax = _drawing.axes_or_new(ax, (5.2, 4.0))
    ax.set_title(statistic.replace("_", " ") if title is None else title, fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    ends = "at most 1, 0: as by chance" if statistic in ("assortativity", "modularity") else "0–1"
    ax.set_ylabel(f"{statistic.replace('_', ' ')} ({ends})", fontsize=9)
    ax.tick_params(length=2, labelsize=8)
    if not len(wholes):
        bare(ax, ax.get_title())
        _drawing.note(ax, NONE)
        return ax
    if statistic not in wholes[0].statistics:
        raise ValueError(f"statistic must be one of {', '.join(wholes[0].statistics)}, not {statistic!r}"
                         + closest(str(statistic), wholes[0].statistics))
    x, handles = np.arange(len(wholes)), []
    nulls = list(wholes[0].nulls)
    for k, name in enumerate(nulls):
        at = x + 0.16 * (k + 1)
        for place, level in zip(at, wholes, strict=True):
            values = level.nulls[name][statistic].values
            if not len(values):
                continue
            ax.plot([place] * 2, [values.min(), values.max()], color=HUES[k], linewidth=9, alpha=0.35,
                    solid_capstyle="butt")
            ax.plot([place - 0.05, place + 0.05], [values.mean()] * 2, color=HUES[k], linewidth=2)
            null = level.nulls[name][statistic]
            if null.above <= level.alpha:
                ax.plot(place, values.max(), "^", color=INK, markersize=5, transform=ax.transData + _raised(ax, 6))
            elif null.below <= level.alpha:
                ax.plot(place, values.min(), "v", color=INK, markersize=5, transform=ax.transData + _raised(ax, -6))
        made = len(wholes[0].nulls[name][statistic].values)
        handles.append(Patch(color=HUES[k], alpha=0.5,
                             label=f"{KEEPS.get(name, name)} (range and mean of {made} nulls)"))
    if nulls:
        handles.append(Line2D([], [], linestyle="", marker="^", color=INK, markersize=5,
                              label=f"observed is above chance (▼ below), p ≤ {wholes[0].alpha:g}"))
    observed = [level.statistics[statistic] for level in wholes]
    handles.insert(0, ax.plot(x, observed, "D-", color="black", markersize=6, linewidth=0.8, label="observed")[0])
    ax.set_xticks(x + 0.08 * len(nulls), [_words(level.n_wholes) for level in wholes])
    ax.set_xlim(-0.3, len(wholes) - 0.7 + 0.16 * len(nulls))
    ax.set_xlabel("level, the finest first" + "; no null was run" * (not nulls), fontsize=9)
    ax.margins(y=0.16)
    ax.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize=8)
    return ax
