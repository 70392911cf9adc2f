"""A world as it runs, as a GIF or MP4 for slides: :func:`animate`.

All that stays the same (words, keys, axes, ties) is drawn by matplotlib once. Of every frame only
the map's pixels are filled in, by a table of the site that each pixel shows, and the tick and the
lines are drawn anew: some milliseconds a frame, whatever the topology.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from . import _drawing, _film, _paint, measures
from ._checks import closest, number, whole
from ._drawing import FLAT, INK, NOBODY, STRIP
from ._fields import LARGEST
from .state import COLUMNS
from .world import World

__all__ = ["animate"]

#: Pixels of a map that has words of ordinary size; they grow with it.
USUAL = 480
#: Colours that the map may have in a GIF, of square cells or hexagons, and of discs, whose rims are blended.
MOST, FEW = 208, 128
#: Colour of the line around a map, RGBA.
RIM = (200, 200, 200, 255)
#: Hues of lines: yellow cannot be seen on white.
HUES = [hue for hue in _drawing.PALETTE if hue != "#F0E442"]


def animate(world, path, ticks: int = 300, *, field: str = "dominant_task", every: int = 1, fps: float = 20,
            size: int = USUAL, title: str | None = None, roles=None, wholes=None, beside=None, labels=None,
            limits=None, series=(), prepare=None, hold: float = 1.0, loop: bool = True, progress=True) -> Path:
    """Write a GIF or MP4 of a world as it runs.

    What runs is a fork with the same seed, so the same luck: the world given is not changed. Its jobs and
    recordings stay with it; what is to happen meanwhile, ``prepare`` says.

    Parameters
    ----------
    world : World
    path : path
        Where to write; a name that ends in .gif or .mp4. A file that is there is replaced when all is written.
        An MP4 needs ffmpeg, on the PATH or from the package imageio-ffmpeg.
    ticks : int, default 300
        How long to run.
    field : str, default "dominant_task"
        What the colours show: ``task`` (of the last tick), ``dominant_task`` (the task done most; the paler, the less
        one-sidedly), ``dependence``, ``welfare`` or any column of the state; of one with a second axis a part,
        such as ``stock 0``; ``role`` and ``whole 0`` of ``roles`` and ``wholes``.
    every : int, default 1
        Ticks between two frames. The first frame shows the world as it is, the last one the end, in any case.
    fps : float, default 20
        Frames a second, up to 50 in a GIF and 120 in an MP4.
    size : int, default 480
        Pixels that the longer side of the map has at most, from 64 to 4096. Cells are a whole number of pixels; of a
        grid with more rows or columns than pixels every second (third, …) one is shown.
    title : str, optional
    roles, wholes : Roles, Wholes, optional
        For the fields ``role`` and ``whole 0``, ``whole 1``, …
    beside : World, optional
        A second world, drawn at its right over the same number of ticks, in the same colours.
    labels : sequence of str, optional
        What to write above the map, or above each of both.
    limits : (float, float), optional
        Values of the darkest and the lightest colour, which those beyond have too. By default the bounds of the
        field. Where it has none they are the least and the greatest value in any frame, so that a colour means the
        same throughout; to find them, the course is run twice.
    series : str, sequence of str, or mapping of str to callable, optional
        Measures to draw as growing lines below: names of :data:`organism.measures.SCALARS`, or functions of the
        world. Their axis is from 0 to 1, and widens when a line leaves it.
    prepare : callable, optional
        Called as ``prepare(fork)`` with each fork before it runs, to schedule what is to happen:
        ``lambda w: w.schedule("care.weight", {100: 0.0})``.
    hold : float, default 1.0
        Seconds, up to 600, that the last frame stays longer.
    loop : bool, default True
        Whether a GIF begins anew when it is over.
    progress : bool or callable, default True
        True shows a progress bar; a callable is called as ``progress(done, n)``, in ticks.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError, ValueError
        If an argument is none that can be shown.
    OSError
        If the file cannot be written; what was at ``path`` is untouched.
    ImportError
        If an MP4 is asked for and there is no ffmpeg.
    KeyboardInterrupt
        On Ctrl-C: nothing is left half written.

    Notes
    -----
    A GIF has 255 colours for everything, so a scale has about 200 steps there, half as many on a network.

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((16, 16)), rng=1)
    >>> og.plots.animate(world, "tasks.gif", 20, every=2, series="welfare", progress=False).name
    'tasks.gif'
    """
    path, program = _check_path(path)
    worlds = [world] if beside is None else [world, beside]
    for name, one in zip(("world", "beside"), worlds, strict=False):
        if not isinstance(one, World):
            raise TypeError(f"{name} must be a World, not {type(one).__name__}")
        _paint.check_field(one, field, roles, wholes)
    ticks, every = whole("ticks", ticks, 1), whole("every", every, 1)
    fps = number("fps", fps, 0, _film.FASTEST[path.suffix.lower()], "(]")
    if not 64 <= (size := whole("size", size)) <= 4096:
        raise ValueError(f"size must be in [64, 4096] pixels, not {size}")
    hold = number("hold", hold, 0, 600)
    if not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress must be true, false or callable as progress(done, n), not {progress!r}")
    if prepare is not None and not callable(prepare):
        raise TypeError(f"prepare must be callable with a world, not {prepare!r:.60}")
    labels, series = _check_words(title, labels, len(worlds)), _check_series(series)
    show = _Shown(worlds, field, roles, wholes, _check_limits(worlds, field, limits, roles, wholes))

    def course(say):
        """Run forks; yield them whenever there is a frame to draw, and whether it is the last."""
        forks = [one.fork() for one in worlds]
        for fork in forks if prepare is not None else ():
            prepare(fork)
        done = 0
        yield forks, False
        while done < ticks:
            n = min(every, ticks - done)
            for fork in forks:
                fork.step(n)
            done += n
            say(n)
            yield forks, done == ticks

    with _Told(progress, ticks * (1 + show.twice)) as say, _film.Target(path) as name:
        if show.twice:
            for forks, _ in course(say):
                show.see(forks)
        _film_course(course(say), name, path, program, _Picture(show, size, title, labels, series, ticks),
                     fps, hold, bool(loop))
    return path


def _film_course(course, name, path, program, picture, fps, hold, loop) -> None:
    """Draw and write frame by frame."""
    film = None
    with contextlib.ExitStack() as unless_done:
        for worlds, last in course:
            picture.draw(worlds)
            if film is None:
                film = (_film.Mp4(name, picture.shape, fps, program) if path.suffix.lower() == ".mp4"
                        else _film.Gif(name, picture.shape, picture.colours().table, fps, loop))
                unless_done.callback(film.abandon)
            pixels = picture.pixels() if isinstance(film, _film.Mp4) else picture.entries()
            film.add(pixels, hold if last else 0)
        film.close()


# -- arguments ------------------------------------------------------------------------


def _check_path(path) -> tuple[Path, str | None]:
    """Return the path, and the program that writes it if it is an MP4."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a path that ends in .gif or .mp4, not {path!r:.60}")
    path = Path(path)
    if path.suffix.lower() not in _film.FASTEST:
        raise ValueError(f"path must end in .gif or .mp4, not {path.suffix or path.name!r}")
    if path.is_dir():
        raise ValueError(f"path must be of a file, and {path} is a folder")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path must be in a folder that exists, and {path.parent} does not")
    return path, _film.ffmpeg() if path.suffix.lower() == ".mp4" else None


def _check_words(title, labels, n: int) -> list[str]:
    if not isinstance(title, str | None):
        raise TypeError(f"title must be a str, not {title!r:.60}")
    if labels is None:
        return [""] * n
    labels = [labels] if isinstance(labels, str) else list(labels) if isinstance(labels, Iterable) else [labels]
    if len(labels) != n or not all(isinstance(label, str) for label in labels):
        raise ValueError(f"labels must be {'one str for each of both worlds' if n > 1 else 'one str'}, not {labels!r}")
    return labels


def _check_series(series) -> dict:
    """Return measures by name."""
    if isinstance(series, Mapping):
        for name, measure in series.items():
            if not callable(measure):
                raise TypeError(f"series[{name!r}] must be callable with a world, not {measure!r:.60}")
        return {str(name): measure for name, measure in series.items()}
    known = measures.SCALARS
    if not isinstance(series, Iterable | None):
        raise TypeError(f"series must be names of measures, or a mapping of names to functions, not {series!r:.60}")
    for name in (series := [series] if isinstance(series, str) else list(series or ())):
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"series must be of {', '.join(known)}, not {name!r}" + closest(str(name), known))
    return {name: known[name] for name in series}


def _check_limits(worlds, field, limits, roles, wholes) -> tuple[float, float] | None:
    if limits is None:
        return None
    name, _ = _paint.names(worlds[0], roles, wholes)[field]
    if name in (*_paint.TASKS, "role", "whole"):
        raise ValueError(f"limits must be None for {field!r}, which has no scale, not {limits!r:.60}")
    try:
        low, high = (number("limits", end) for end in limits)
    except (TypeError, ValueError):
        low = high = math.nan
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"limits must be two numbers, the lower first, not {limits!r:.60}")
    return low, high


class _Told:
    """A progress bar or callable that takes the ticks done since it was called last."""

    def __init__(self, progress, total: int):
        self.progress, self.total, self.done, self.bar = progress, total, 0, None

    def __enter__(self):
        if self.progress is True:
            from tqdm.auto import tqdm

            self.bar = tqdm(total=self.total, unit="tick", desc="animating", mininterval=0.2)
        return self

    def __call__(self, n: int) -> None:
        self.done += n
        if self.bar is not None:
            self.bar.update(n)
        elif callable(self.progress):
            self.progress(self.done, self.total)

    def __exit__(self, *error):
        if self.bar is not None:
            self.bar.close()


# -- colours --------------------------------------------------------------------------


class _Shown:
    """One field of each world, in the same colours in every frame."""

    def __init__(self, worlds, field, roles, wholes, limits):
        self.worlds, self.field, self.roles, self.wholes = worlds, field, roles, wholes
        self.name, self.part = _paint.names(worlds[0], roles, wholes)[field]
        self.scale = self.name not in (*_paint.TASKS, "role", "whole")
        self.twice, self.span, self.low, self.high = False, [], None, None
        if self.scale:
            self.label = _paint.paint(worlds[0], field, None, roles, wholes).legend["label"]
            self.low, self.high = limits or self._bounds()
            self.twice = self.low is None or self.high is None

    def _bounds(self):
        """Return the ends of the scale; None for one that only the course can tell."""
        if self.name in _paint.SHARES:
            return 0.0, 1.0
        column = COLUMNS[self.name]         # bounds against overflow are none of a scale
        return [None if end is None or abs(end) >= LARGEST else float(end) for end in (column.low, column.high)]

    def see(self, worlds) -> None:
        """Widen the scale to what is there now."""
        for world in worlds:
            self.paint(world)

    def settled(self) -> tuple[float, float]:
        """Return both ends of the scale."""
        low, high = self.span or (0.0, 0.0)
        return low if self.low is None else self.low, high if self.high is None else self.high

    def paint(self, world):
        """Return what a world looks like now."""
        if not self.scale:
            return _paint.paint(world, self.field, None, self.roles, self.wholes)
        shown = world.state["occupied"]
        if self.name == "dependence":
            values = np.zeros(world.n_sites)
            values[world.living] = measures.dependence(world, each=True)
        else:
            values = np.asarray(world.state[self.name])
            values = values if self.part is None else values[:, self.part]
            shown = None if COLUMNS[self.name].owner == "site" else shown
        return _paint.paint_values(values, self.label, self.low, self.high, shown, self.span, self.cmap)

    @property
    def cmap(self) -> str:
        return "cividis" if self.name == "welfare" else "viridis"


# -- maps -----------------------------------------------------------------------------


class _Map:
    """The pixels of one world: which site each shows.

    Parameters
    ----------
    world : World
    size : int
        Pixels of the longer side, at most.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of pixels.
    site : ndarray of int32
        Site of each pixel; the number of sites where there is none. Of discs only those at ``at`` count.
    """

    def __init__(self, world, size: int):
        self.n, self.topology = world.n_sites, world.topology
        self.at = self.left = self.top = self.own = None
        places = _drawing.map_places(self.topology)
        if places is None:
            self._cells(size)
        else:
            self._dots(places, size)

    def _cells(self, size):
        table = np.full((1, *self.topology.shape)[-2:], self.n, np.int32)
        table[tuple(self.topology.cells.T)] = np.arange(self.n)
        flat, longest = len(self.topology.shape) == 1, max(table.shape)
        step = -(-longest // size)
        table = table[::step, ::step]
        cell = max(1, size // max(table.shape))
        high = max(1, round(STRIP * cell * table.shape[1])) if flat else cell
        self.site, self.rim = np.repeat(np.repeat(table, high, axis=0), cell, axis=1), True
        self.shape = self.site.shape

    def _dots(self, places, size):
        """Give each pixel to the nearest site, if it is in its hexagon or disc."""
        from scipy.spatial import cKDTree

        hexagons = self.topology.kind == "grid"
        low, extent = places.min(axis=0), np.ptp(places, axis=0)
        if hexagons:
            pad = np.array([0.5, 1 / np.sqrt(3)])
        else:
            pad = max(0.06 * extent.max(), 0.5 * min(_drawing.unit_length(places), extent.max() or 1))
        extent = extent + 2 * pad
        per = size / extent.max()                                           # pixels of one unit
        shape = np.maximum(np.rint(extent * per), 1).astype(int)[::-1]
        self.shape, self.rim = (int(shape[0]), int(shape[1])), False
        self.places = (places - low + pad) * per
        if not hexagons:                                                    # a page counts downwards
            self.places[:, 1] = self.shape[0] - self.places[:, 1]
        rows, columns = np.indices(self.shape) + 0.5
        points = np.column_stack([columns.ravel(), rows.ravel()])
        if hexagons:
            site = cKDTree(self.places).query(points)[1]
            x, y = np.abs(points - self.places[site]).T / per
            inside = (x <= 0.5 + 0.5 / per) & (x / 2 + y * np.sqrt(0.75) <= 0.5 + 0.5 / per)
            self.site = np.where(inside, site, self.n).astype(np.int32).reshape(self.shape)
            return
        scale = size / USUAL
        radius = np.sqrt(np.clip(0.12 * shape.prod() / self.n, 8 * scale**2, 330 * scale**2)) / 2
        rim = max(0.7 * scale, 0.7) if self.n < 1000 else 0.0
        far, site = cKDTree(self.places).query(points, 2, distance_upper_bound=radius + 1)
        self.at = np.flatnonzero(np.isfinite(far[:, 0]))
        self.site, (far, next_far) = site[self.at, 0].astype(np.int32), far[self.at].T
        outer, self.inner = np.clip(radius + 0.5 - far, 0, 1), np.clip(radius - rim + 0.5 - far, 0, 1)
        if rim:                                                             # also between discs that overlap
            between = np.where(next_far < radius, np.clip((next_far - far) / rim - 0.5, 0, 1), 1)
            self.inner = np.minimum(self.inner, between)
        self.under, self.ink = 1 - outer, (outer - self.inner)[:, None] * 255 * np.array([*to_rgb(INK), 1.0])

    def settle(self, base, left: int, top: int) -> None:
        """Take up what is drawn below the map, RGBA, and where it is."""
        self.left, self.top = left, top
        if self.at is not None:
            below = base[self.box].reshape(-1, 4)[self.at]
            self.fixed = self.under[:, None] * below + self.ink
        elif self.rim:
            (rows, columns), rim = self.shape, np.array(RIM, np.uint8)
            box = base[top - 1:top + rows + 1, left - 1:left + columns + 1]
            box[[0, -1]], box[:, [0, -1]] = rim, rim

    @property
    def box(self) -> tuple[slice, slice]:
        return slice(self.top, self.top + self.shape[0]), slice(self.left, self.left + self.shape[1])

    def fill(self, pixels, painting) -> None:
        """Colour the sites in a picture, RGBA."""
        colours = painting.palette[np.append(painting.codes, np.uint8(_paint.EMPTY))]
        if self.at is None:
            pixels.view(np.uint32)[..., 0][self.box] = colours.view(np.uint32)[:, 0][self.site]
        else:
            mixed = np.rint(self.fixed + self.inner[:, None] * colours[self.site]).astype(np.uint8)
            part = pixels[self.box].reshape(-1, 4)
            part[self.at] = mixed
            pixels[self.box] = part.reshape(*self.shape, 4)

    def enter(self, entries, pixels, painting, colours) -> None:
        """Fill in the entries of a palette: those of sites as they are, those of rims by their pixels."""
        if self.own is None or not np.array_equal(self.own[0], painting.palette):
            self.own = painting.palette, colours.of_map(painting.palette[:, :3])
        own = self.own[1][np.append(painting.codes, np.uint8(_paint.EMPTY))]
        if self.at is None:
            entries[self.box] = own[self.site]
        else:
            part = entries[self.box].ravel()
            seen = pixels[self.box].reshape(-1, 4)[self.at]
            part[self.at] = np.where(self.inner == 1, own[self.site], colours.nearest(seen))
            entries[self.box] = part.reshape(self.shape)


# -- the picture ----------------------------------------------------------------------


class _Picture:
    """A picture of which only the maps, the words above them and the lines change.

    Parameters
    ----------
    show : _Shown
    size : int
    title : str or None
    labels : list of str
    series : dict of str to callable
    ticks : int
    """

    def __init__(self, show: _Shown, size: int, title, labels, series, ticks: int):
        self.show, self.title, self.labels, self.series, self.ticks = show, title, labels, series, ticks
        self.unit = max(size / USUAL, 0.75)
        self.maps = [_Map(world, size) for world in show.worlds]
        self.start = [world.tick for world in show.worlds]
        self.figure = Figure(dpi=100 * self.unit, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.marks, self.lines, self.table, self.furnished = [], [], None, None
        self.past = [([], {name: [] for name in series}) for _ in show.worlds]
        self.range, self.fits = [0.0, 1.0], {}
        self._lay_out()

    # Everything is measured in pixels from the top left; ``px`` are those of a map of the usual size.

    def px(self, length: float) -> int:
        return round(length * self.unit)

    def _font(self, points, bold=False) -> FontProperties:
        return FontProperties(size=points, weight="bold" if bold else "normal")

    def _width(self, words: str, points=9, bold=False) -> int:
        renderer = self.canvas.get_renderer()
        return math.ceil(renderer.get_text_width_height_descent(words, self._font(points, bold), False)[0])

    def _lines(self, words: str, width: int, points=9, bold=False) -> list[str]:
        """Break words into lines of at most this width; a word that is wider is broken itself."""
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".strip()
            if self._width(longer, points, bold) <= width:
                lines[-1] = longer
                continue
            while self._width(word, points, bold) > width and len(word) > 1:
                n = next(n for n in range(len(word) - 1, 0, -1)
                         if n == 1 or self._width(word[:n], points, bold) <= width)
                lines, word = lines + [word[:n]], word[n:]
            lines.append(word)
        return [line for line in lines if line]

    def _lay_out(self) -> None:
        """Find out where everything goes, and how large the figure is."""
        px, first = self.px, self._paint_all(self.show.worlds)[0].legend
        gap, edge = px(26), px(14)
        aspect = max(one.shape[0] / one.shape[1] for one in self.maps)
        self.below = aspect < FLAT
        shortest = self._width(f"tick {max(self.start) + self.ticks:,}", 10)
        slots = [max(one.shape[1], shortest, px(60)) for one in self.maps]
        maps = sum(slots) + gap * (len(slots) - 1)
        swatch, names = px(16), [name for name, _ in first.get("marks", ())] + ["no act yet", "none told", "empty"]
        if self.below:
            key = 0
        elif self.show.scale:
            key = max(px(96), min(px(165), self._width(first["label"])))
        else:
            key = max(px(90), swatch + max(self._width(name) for name in names))
        self.styles = [mark + (label or where) for mark, label, where in zip(
            ("—  ", "- -  "), self.labels, ("left", "right"), strict=False)] if len(self.maps) > 1 else []
        told = [name.replace("_", " ") for name in self.series] + self.styles
        side = max(self._width(line) for line in told) + px(26) if self.series else 0
        wide = maps + (px(18) + key if key else 0)
        if self.series:
            wide = max(wide, px(300) + side)
        if self.below:
            wide = max(wide, px(260))
        width = wide + 2 * edge
        y, self.words = edge, []                       # words: x, y, text, points, bold
        for line in self._lines(self.title or "", wide, 12, True):
            self.words.append((edge, y, line, 12, True))
            y += px(21)
        y += px(3) if self.title else 0
        rooms = slots if len(slots) > 1 else [wide]
        x, deepest, self.heads, lefts = edge, y, [], []
        for label, slot, room in zip(self.labels, slots, rooms, strict=True):
            for k, line in enumerate(self._lines(label, room, 10, True)):
                self.words.append((x, y + k * px(18), line, 10, True))
                deepest = max(deepest, y + (k + 1) * px(18))
            lefts.append(x)
            x += slot + gap
        for left, room in zip(lefts, rooms, strict=True):
            self.heads.append((left, deepest, room))
        top = deepest + px(22)
        self.corners = [(left, top) for left in lefts]
        y = bottom = top + max(one.shape[0] for one in self.maps)
        if self.below:
            self.key = (edge, y + px(10), wide)
            y = self._key(first, None)
        else:
            self.key = (edge + maps + px(18), top, key)
            y = max(bottom, self._key(first, None))
        self.chart = None
        if self.series:
            left, names = px(34), width - edge - side + px(14)
            high = max(px(104), px(17) * len(told))
            self.chart = (edge + left, y + px(18), names - px(14) - edge - left, high, names)
            y += px(18) + high + px(36)
        height = y + edge
        self.shape = (height + height % 2, width + width % 2)
        self.figure.set_size_inches(*((n + 0.01) / self.figure.dpi for n in self.shape[::-1]))

    # -- what stays -------------------------------------------------------------------

    def _axes(self, x, y, width, height) -> Axes:
        rows, columns = self.shape
        return self.figure.add_axes((x / columns, 1 - (y + height) / rows, width / columns, height / rows))

    def _text(self, x, y, words, points=9, bold=False, **looks):
        rows, columns = self.shape
        y += self.px(0.76 * points * 100 / 72)                      # of ascenders, so all baselines agree
        looks = {"va": "baseline", "color": INK, "parse_math": False} | looks
        return self.figure.text(x / columns, 1 - y / rows, words, fontproperties=self._font(points, bold), **looks)

    def _key(self, legend, draw) -> int:
        """Draw the key of the colours, if ``draw`` says so; return where it ends."""
        px, (x, y, width) = self.px, self.key
        for line in self._lines(legend["label"], width):
            if draw:
                self._text(x, y, line)
            y += px(15)
        y += px(5)
        if self.show.scale:
            return self._bar(x, y, width, draw)
        left, swatch = x, px(16)
        room = legend["marks"] if draw else [*legend["marks"], ("none told", 0), ("empty", 0)]
        for name, hue in room:
            if self.below and left > x and left + swatch + self._width(name) > x + width:
                left, y = x, y + px(17)
            if draw:
                rows, columns = self.shape
                self.figure.add_artist(Rectangle(
                    (left / columns, 1 - (y + px(12)) / rows), px(10) / columns, px(10) / rows, facecolor=hue,
                    edgecolor=INK, linewidth=0.4, transform=self.figure.transFigure))
                self._text(left + swatch, y, name)
            if self.below:
                left += swatch + self._width(name) + px(14)
            else:
                y += px(17)
        return y + (px(17) if self.below else 0)

    def _bar(self, x, y, width, draw) -> int:
        """Draw the scale: as high as what is left of the map, or as long as the key is wide."""
        px = self.px
        length = min(width, px(300)) if self.below else max(
            px(80), self.corners[0][1] + max(one.shape[0] for one in self.maps) - y)
        if draw:
            low, high = self.show.settled()
            ax = self._axes(*((x + 1, y, length, px(11)) if self.below else (x, y + 1, px(12), length)))
            ramp, ends = np.linspace(0, 1, 256)[None], (low, high) if high > low else (low - 0.5, low + 0.5)
            ax.imshow(colormaps[self.show.cmap](ramp if self.below else ramp.T), aspect="auto", origin="lower",
                      extent=(*ends, 0, 1) if self.below else (0, 1, *ends), interpolation="nearest")
            axis, other = (ax.xaxis, ax.yaxis) if self.below else (ax.yaxis, ax.xaxis)
            other.set_ticks([])
            axis.set_major_locator(MaxNLocator(max(2, min(5, length // px(50)))))
            if high <= low:
                axis.set_ticks([low], [_paint.brief(low)])
            else:
                axis.set_major_formatter(lambda value, _: _paint.brief(0 if abs(value) < 1e-12 else value))
            ax.yaxis.tick_right()
            ax.spines[:].set_visible(False)
            ax.tick_params(length=2, pad=2, colors=INK, labelsize=8)
        return y + (px(34) if self.below else length)

    def _furnish(self) -> None:
        """Draw what stays until the key, the ties or the axis of the lines change."""
        self.figure.clear()
        for words in self.words:
            self._text(*words)
        painted = self.painted[0].legend | ({"marks": self.marks} if self.marks else {})
        self._key(painted, True)
        for one, (left, top) in zip(self.maps, self.corners, strict=True):
            if one.at is not None:
                ax = self._axes(left, top, one.shape[1], one.shape[0])
                ax.set(xlim=(0, one.shape[1]), ylim=(one.shape[0], 0))
                ax.axis("off")
                _drawing._links(ax, one.topology, one.places)
        self._chart()
        self.tick_texts = [self._text(x, y, "", 10, animated=True) for x, y, _ in self.heads]
        self.canvas.draw()
        self.base = np.array(self.canvas.buffer_rgba())
        for one, corner in zip(self.maps, self.corners, strict=True):
            one.settle(self.base, *corner)
        self.flat = None if self.table is None else self.table.nearest(self.base)
        self.furnished = self._state()

    def _state(self) -> tuple:
        return [*self.range], [*self.marks], [one.topology for one in self.maps]

    def _chart(self) -> None:
        """Draw the axes of the lines, and their names."""
        self.lines = []
        if self.chart is None:
            return
        px, (x, y, width, height, names) = self.px, self.chart
        hues = HUES if len(self.series) <= len(HUES) else _drawing.hues(max(len(self.series), 9))
        ax = self._axes(x, y, width, height)
        ax.set_xlim(0, self.ticks)
        if self.start.count(self.start[0]) == len(self.start):
            ax.set_xlim(self.start[0], self.start[0] + self.ticks)
        low, high = self.range
        ax.set_ylim(low, high + 0.03 * (high - low))
        ax.set_xlabel("tick", fontsize=9, color=INK, labelpad=1)
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[:].set_color(INK)
        ax.tick_params(length=2, colors=INK, labelsize=8)
        ax.xaxis.set_major_locator(MaxNLocator(max(2, min(6, width // px(70))), integer=True))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        ax.yaxis.set_major_formatter(lambda value, _: _paint.brief(0 if abs(value) < 1e-12 else value))
        for k in range(len(self.maps)):
            self.lines.append([ax.plot([], [], color=hues[i], linewidth=1.5, animated=True,
                                       linestyle=("-", (0, (3, 1.5)))[k], solid_capstyle="butt")[0]
                               for i in range(len(self.series))])
        for i, name in enumerate(self.series):
            self._text(names, y + i * px(17), name.replace("_", " "), color=hues[i])
        for k, style in enumerate(self.styles):
            self._text(names, y + (len(self.series) + k) * px(17), style)

    # -- what changes -----------------------------------------------------------------

    def _paint_all(self, worlds) -> list:
        self.painted = [self.show.paint(world) for world in worlds]
        return self.painted

    def draw(self, worlds) -> None:
        """Draw worlds as they are now."""
        self._note_marks(self._paint_all(worlds))
        for one, world in zip(self.maps, worlds, strict=True):
            one.topology = world.topology
        self._measure(worlds)
        if self.furnished is None or any(a != b for a, b in zip(self.furnished[:2], self._state()[:2], strict=True)) \
                or any(a is not b for a, b in zip(self.furnished[2], self._state()[2], strict=True)):
            self._furnish()
        for text, world, (_, _, room) in zip(self.tick_texts, worlds, self.heads, strict=True):
            text.set_text(self._head(world, room))
        self._refresh()

    def _refresh(self) -> None:
        """Put what changes over what stays."""
        self.buffer = np.asarray(self.canvas.buffer_rgba())
        self.buffer[:] = self.base
        for one, painting in zip(self.maps, self.painted, strict=True):
            one.fill(self.buffer, painting)
        for text in self.tick_texts:
            self.figure.draw_artist(text)
        for lines, (ticks, past) in zip(self.lines, self.past, strict=False):
            for line, values in zip(lines, past.values(), strict=True):
                line.set_data(ticks, values)
                line.set_marker("o" if len(ticks) == 1 else "")
                line.set_markersize(3)
                line.axes.draw_artist(line)

    def _head(self, world, room: int) -> str:
        """Say tick and members, as far as there is room."""
        tick, n = f"tick {world.tick:,}", world.n_members
        longer = f"{tick}  ·  {n:,} member{'s' * (n != 1)}" if n else f"{tick}  ·  {NOBODY}"
        if len(longer) not in self.fits:        # digits are all as wide
            self.fits[len(longer)] = self._width(longer, 10) <= room
        return longer if self.fits[len(longer)] else tick

    def _note_marks(self, painted) -> None:
        """Keep every mark of the key that was ever needed; those of no colour of their own come last."""
        if self.show.scale:
            return
        marks = [tuple(mark) for one in painted for mark in one.legend["marks"]]
        found = list(dict.fromkeys([*self.marks, *marks]))
        ends = (_drawing.IDLE, _drawing.EMPTY)
        self.marks = sorted(found, key=lambda mark: ends.index(mark[1]) if mark[1] in ends else -1)

    def _measure(self, worlds) -> None:
        """Take readings; widen the axis where they leave it."""
        same = self.start.count(self.start[0]) == len(self.start)
        for world, start, (ticks, past) in zip(worlds, self.start, self.past, strict=True):
            ticks.append(world.tick - (0 if same else start))
            for name, measure in self.series.items():
                value = float(measure(world))
                past[name].append(value)
                low, high = self.range
                if not math.isfinite(value):
                    continue
                if value > high:
                    self.range[1] = value + 0.25 * (value - low)
                elif value < low:
                    self.range[0] = value - 0.25 * (high - value) if value < -0.1 else -0.1

    # -- what films take --------------------------------------------------------------

    def pixels(self) -> np.ndarray:
        """Return the picture, RGB."""
        return self.buffer[..., :3]

    def colours(self) -> _film.Colours:
        """Choose the colours of a GIF by what the picture will hold."""
        known = np.concatenate([one.palette[:, :3] for one in self.painted])
        sample = [self.buffer[..., :3].reshape(-1, 3)]
        if self.lines:
            self._sample_lines()
            sample.append(self.buffer[..., :3].reshape(-1, 3).copy())
        for one, painting in zip(self.maps, self.painted, strict=True):
            if one.at is not None:
                some = _film.distinct(painting.palette[:, :3])[::3]
                rims = (one.inner > 0) & (one.inner < 1)
                fixed, inner = one.fixed[rims][:40, :3], one.inner[rims][:40, None, None]
                sample.append(np.rint(fixed[:, None] + inner * some).astype(np.uint8).reshape(-1, 3))
        hues = np.array([to_rgb(line.get_color()) for line in (self.lines or [[]])[0]]).reshape(-1, 3)
        sure = [to_rgb(INK), *hues] + [1 - depth * (1 - np.array(to_rgb(INK))) for depth in np.arange(13, 0, -1) / 14]
        sure += [1 - depth * (1 - hue) for depth in (2 / 3, 1 / 3) for hue in hues]
        most = MOST if self.maps[0].at is None else FEW
        self.table = _film.Colours(known, np.concatenate(sample), most, np.rint(255 * np.array(sure)))
        self.flat = self.table.nearest(self.base)
        self._refresh()
        return self.table

    def _sample_lines(self) -> None:
        """Draw every line once across its axes: a picture of what there will be."""
        self.buffer[:] = self.base
        for lines in self.lines:
            for i, line in enumerate(lines):
                low, high = line.axes.get_xlim()
                line.set_data(np.linspace(low, high, 30), np.linspace(*self.range, 30)[::1 if i % 2 else -1] ** 2)
                line.axes.draw_artist(line)

    def entries(self) -> np.ndarray:
        """Return the picture as entries of the palette."""
        entries = self.flat.copy()
        for x, y, room in self.heads:
            part = slice(y, y + self.px(22) - 1), slice(x, x + room)
            entries[part] = self.table.nearest(self.buffer[part])
        if self.chart is not None:
            x, y, width, height, _ = self.chart
            part = slice(y - self.px(6), y + height + self.px(4)), slice(x - self.px(4), x + width + self.px(4))
            entries[part] = self.table.nearest(self.buffer[part])
        for one, painting in zip(self.maps, self.painted, strict=True):
            one.enter(entries, self.buffer, painting, self.table)
        return entries
