"""Where sites go on a page, and the marks that every picture is made of.

Nothing here is public: :mod:`organism.plots` says what is drawn, this module how.
"""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.transforms import Bbox, ScaledTranslation

#: Okabe and Ito's hues, in the order in which tasks and lines take them.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#000000")
#: Of resting, of members that never acted, of sites without a member, of background ties, of words.
REST, IDLE, EMPTY, TIE, INK = "#777777", "#C8C8C8", "#FFFFFF", "#D5D5D5", "#333333"
#: What a picture of an extinct world says.
NOBODY = "no members left"
#: Height of a row of hexagons at unit distance.
HEX_ROW = 0.75**0.5
#: Maps lower than this share of their width have their key below, not beside.
FLAT = 0.4
#: How high the map of a ring or line is, relative to its width.
STRIP = 0.2
#: Thickness of a colour bar, its distance from the map, and room for the words below a map, in inches.
BAR, GAP, WORDS = 0.12, 0.08, 0.42


def hues(k: int) -> np.ndarray:
    """Return k hues: Okabe and Ito's as far as they go, else turbo's."""
    if k <= len(PALETTE):
        return np.array([to_rgb(hue) for hue in PALETTE[:k]])
    return colormaps["turbo"](np.linspace(0.04, 0.96, k))[:, :3]


def task_hues(params) -> np.ndarray:
    """Return the colour of every task: resting is grey."""
    rest = params.tasks - params.resources
    return np.concatenate([hues(params.resources), np.tile(to_rgb(REST), (rest, 1))])


def role_hues(roles, resources: int) -> np.ndarray:
    """Return a hue for each role, float (R, 3): that of its resource, if it mostly makes one and is the first to."""
    found = {}
    for role, profile in enumerate(roles.profiles):
        share = next(iter(profile.shares.values()))[:resources]
        if share.max(initial=0) > 0.5:
            found.setdefault(int(share.argmax()), role)
    pool, owner = hues(max(resources, len(roles.profiles))), {role: k for k, role in found.items()}
    free = iter([k for k in range(len(pool)) if k not in found])
    return np.array([pool[owner[role] if role in owner else next(free)] for role in range(len(roles.profiles))])


# -- where sites go -------------------------------------------------------------------


def layout(topology, seed: int = 1) -> np.ndarray:
    """Return the positions of the sites, or else places that their ties suggest."""
    if topology.positions is not None:
        return np.array(topology.positions, dtype=float)
    return spring(topology.n_sites, topology.source, topology.target, seed)


def spring(n: int, source, target, seed: int = 1) -> np.ndarray:
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


def unit_length(places) -> float:
    """Return the length in which arrows and margins are measured: about that between neighbours."""
    extent = np.ptp(places, axis=0)
    if len(places) < 2 or not extent.any():
        return 1.0
    if not extent.all():  # all in a line
        return float(extent.max() / (len(places) - 1))
    return float(np.sqrt(extent.prod() / len(places)))


def map_places(topology, places=None) -> np.ndarray | None:
    """Return where a map draws each site, or None where square cells fill it."""
    if places is not None:
        return np.asarray(places, dtype=float)
    if topology.kind == "grid" and topology.neighbourhood != "hexagonal":
        return None
    return layout(topology)


def map_aspect(topology, places) -> float:
    """Return about how high a map is, relative to its width."""
    if places is None:
        return topology.shape[0] / topology.shape[1] if len(topology.shape) == 2 else STRIP
    if len(places) < 2:
        return 1.0
    width, height = np.ptp(places, axis=0) + unit_length(places)
    return float(height / width)


# -- axes and keys --------------------------------------------------------------------


def axes_or_new(ax: Axes | None, size=(5.2, 4.6)) -> Axes:
    """Return ``ax``, or the only axes of a new figure that pyplot shows."""
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(figsize=size, layout="constrained")[1]
    return ax


def map_axes(ax: Axes | None, aspect: float) -> Axes:
    """Return ``ax``, or new axes in a figure that suits a map of this aspect."""
    if aspect < FLAT:
        return axes_or_new(ax, (6.4, 1.7 + 5.6 * aspect))
    return axes_or_new(ax, (5.2, 4.6) if aspect <= 2 else (2.2 + 4 / aspect, 5.2))


def note(ax: Axes, words: str) -> None:
    """Say in the middle of the axes why they are empty."""
    ax.text(0.5, 0.5, words, ha="center", va="center", transform=ax.transAxes, color=INK)


def frame(ax: Axes, topology, title: str | None) -> None:
    """Give a map its axes: rows and columns on a grid, nothing elsewhere."""
    ax.set_title(title or "", fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])
    if topology.kind == "grid":
        longest, flat = max(topology.shape), len(topology.shape) == 1
        ax.set_xlabel("site" if flat else "column (site)")
        ax.set_xticks(_ticks(topology.shape[-1], longest))
        if not flat:
            ax.set_ylabel("row (site)")
            rows = _ticks(topology.shape[0], longest)
            ax.set_yticks(rows * (HEX_ROW if topology.neighbourhood == "hexagonal" else 1), rows.tolist())
    ax.spines[:].set_visible(False)
    ax.tick_params(length=2, colors=INK, labelsize=8)


def _ticks(n: int, longest: int) -> np.ndarray:
    """Return which of n rows to number, as far apart as on the longest side."""
    ticks = np.arange(0, n, max(1, longest // 5))
    return np.array([0, n - 1]) if len(ticks) == 1 and n > max(1, longest / 12) else ticks


def colour_bar(ax: Axes, mappable, label: str, below: bool) -> None:
    """Draw a colour bar as long as the map beside it (or above it) turns out to be."""
    def place(*_):
        figure = ax.figure
        # not figure.bbox, which bbox_inches="tight" crops
        width, height = np.diff(figure.transSubfigure.transform([(0, 0), (1, 1)]), axis=0)[0] / figure.dpi
        box = ax.get_position()
        if not below:
            return Bbox.from_bounds(box.x1 + GAP / width, box.y0, BAR / width, box.height)
        return Bbox.from_bounds(box.x0, box.y0 - (WORDS + GAP + BAR) / height, box.width, BAR / height)

    inset = ax.inset_axes((1.0, 0.0, 0.1, 1.0))
    inset.set_axes_locator(place)  # the map keeps its shape, so its size is known only when it is drawn
    bar = ax.figure.colorbar(mappable, cax=inset, label=label, orientation="horizontal" if below else "vertical")
    if isinstance(mappable.norm, LogNorm):
        _plain_ticks(bar)
    bar.outline.set_visible(False)
    inset.tick_params(length=2, labelsize=8)


def _plain_ticks(bar) -> None:
    """Write plain numbers beside a logarithmic colour bar: over few decades also between powers of ten."""
    low, high = bar.mappable.norm.vmin, bar.mappable.norm.vmax
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = (1,) if high / low >= 1e3 else (1, 2, 5) if high / low >= 5 else (1, 1.5, *range(2, 10))
    ticks = np.unique(np.outer(powers, steps))
    ticks = ticks[(ticks >= low * (1 - 1e-9)) & (ticks <= high * (1 + 1e-9))]
    if len(ticks) < 2:
        ticks = np.unique([low, high / (1 + 1e-9)])
    bar.minorticks_off()
    bar.set_ticks(ticks, labels=[f"{tick:,.3g}" if tick < 1000 else f"{tick:,.0f}" for tick in ticks])


def key_place(ax: Axes, below: bool) -> dict:
    """Return the arguments that put a legend beside the axes, or under the words below them."""
    if not below:
        return {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    down = ScaledTranslation(0, -WORDS, ax.figure.dpi_scale_trans)
    return {"loc": "upper left", "bbox_to_anchor": (0.0, 0.0), "bbox_transform": ax.transAxes + down,
            "ncols": 4, "columnspacing": 1.2}


# -- marks ----------------------------------------------------------------------------


def draw_sites(ax: Axes, topology, colours: np.ndarray, places) -> None:
    """Draw every site in its colour, RGBA (N, 4), at the places of :func:`map_places`."""
    if places is None:
        rows, columns = topology.cells.T
        image = np.zeros(((1, *topology.shape)[-2:]) + (4,))
        image[rows, columns] = colours
        flat = len(topology.shape) == 1
        ax.imshow(image, interpolation="nearest", origin="upper", aspect="auto" if flat else "equal")
        if flat:
            ax.set_box_aspect(STRIP)
    elif topology.kind == "grid":
        _hexagons(ax, places, colours)
    else:
        _links(ax, topology, places)
        draw_nodes(ax, places, colours)
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


def draw_nodes(ax: Axes, places, colours, across: float = np.inf) -> None:
    """Draw nodes as discs that together fill about an eighth of the axes, no more than so far across."""
    box = ax.get_window_extent().size * 72 / ax.get_figure().dpi
    n = max(len(places), 1)
    size = 0.12 * box[0] * box[1] / n
    if np.isfinite(across):  # the axes have their limits, and one unit is as long in x as in y
        span = np.abs([np.diff(ax.get_xlim())[0], np.diff(ax.get_ylim())[0]])
        size = min(size, (across * (box / span).min()) ** 2)
    size = float(np.clip(size, 2, 160))
    ax.scatter(*places.T, s=size, c=colours, edgecolors=INK, linewidths=0.5 if n < 1000 else 0, zorder=3)
    if not np.isfinite(across):
        ax.margins(0.06)
