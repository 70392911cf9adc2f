"""The picture of wholes through time: bars, and bands of members between them.

Public through :mod:`organism.plots`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from . import _drawing
from ._drawing import IDLE, INK
from ._wholeplots import DISTINCT, bare, hues_of

__all__ = ["wholes_over_time"]

#: What an empty picture says.
NOTHING = "no wholes to follow"


def wholes_over_time(followed, ax: Axes | None = None, *, title: str | None = "wholes over time") -> Axes:
    """Draw wholes through time: bars for each window, and between them bands of members who go from whole to whole.

    A whole keeps its hue and its name for life; of more wholes than there are hues to tell apart, some share one, which
    is said, as it is of how many wholes there is no room for a name. Bands of wholes that are linked (see
    :func:`organism.wholes.follow_wholes`) have the hue of the earlier one, other moves of members are grey; members
    who are born or die begin or end without a band. Windows in which the level was not found are empty, and say so.

    Parameters
    ----------
    followed : Followed
        What :func:`organism.wholes.follow_wholes` returned.
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional

    Returns
    -------
    Axes
    """
    if not hasattr(followed, "names"):
        raise TypeError(f"followed must be what follow_wholes returns, not {type(followed).__name__}")
    ax = _drawing.axes_or_new(ax, (7.2, 4.4))
    bare(ax, title)
    hue = _lasting_hues(followed.names)
    if not hue:
        _drawing.note(ax, NOTHING)
        return ax
    ticks = np.array(followed.ticks, float)
    ends = np.array(sorted([*followed.ticks, *followed.absent]), float)
    width = 0.11 * (np.diff(ends).min() if len(ends) > 1 else 1.0)
    most = max(len(level.labels) for level in followed.levels)
    gap = most * min(0.02, 0.5 / max(map(len, followed.names)))
    stacks, last = [], None
    for t, level in enumerate(followed.levels):
        last = _stack(level, followed.shared[t - 1] if t else None, last, gap)
        stacks.append(last)
    for t, (low, high) in enumerate(zip(stacks, stacks[1:], strict=False)):
        _bands(ax, ticks[t] + width, ticks[t + 1] - width, low, high, followed.shared[t], followed.links[t],
               [hue[name] for name in followed.names[t]])
    named = set()
    for tick, bottom, level, own in zip(ticks, stacks, followed.levels, followed.names, strict=True):
        for y, size, name in zip(bottom, level.sizes, own, strict=True):
            ax.add_patch(Rectangle((tick - width, y), 2 * width, size, facecolor=hue[name], edgecolor="white",
                                   linewidth=0.5, zorder=3))
            if size > 0.035 * most and (len(ticks) <= 12 or tick in (ticks[0], ticks[-1])):
                named.add(name)
                ax.text(tick, y + size / 2, name, ha="center", va="center", fontsize=7, zorder=4, color="black",
                        path_effects=[withStroke(linewidth=1.8, foreground="white")])     # wider than its box
    for tick in followed.absent:
        ax.text(tick, most / 2, "not found", ha="center", va="center", fontsize=8, rotation=90, color=INK, zorder=5)
    ax.set_xlim(ends[0] - 2 * width, ends[-1] + 2 * width)
    tops = [bottom + level.sizes for bottom, level in zip(stacks, followed.levels, strict=True)]
    ax.set_ylim(-0.01 * most, 1.01 * max(top.max() for top in tops))
    some = np.unique(np.linspace(0, len(ends) - 1, min(len(ends), 12)).round().astype(int))
    ax.set_xticks(ends[some], [f"{ends[i]:,.0f}" for i in some], fontsize=8)
    told = [f"{number} {event}{'s' * (number != 1)}" for event, number in followed.counts().items()
            if number and event not in ("growth", "shrinkage", "continuation")]
    same = ("hue and name: the same whole" if len(hue) <= DISTINCT else
            "name: the same whole (hues repeat, names do not)")
    small = len(hue) - len(named)
    ax.set_xlabel("\n".join([f"tick (end of window); height: members, {same}",
                             *[f"without a name for want of room: {small:,} of {len(hue):,} wholes"] * bool(small),
                             ", ".join(told) or "no birth, merge, split or death"]), fontsize=8)
    return ax


def _lasting_hues(windows) -> dict:
    """Give each name a hue for life, its own as far as hues go, then one that none has in these two windows."""
    hue, number, before = {}, {}, []
    for names in windows:
        for name in names:
            if name not in number:
                taken = {number[other] for other in (*before, *names) if other in number}
                number[name] = len(number) if len(number) < DISTINCT else next(
                    (i for i in range(DISTINCT) if i not in taken), len(number) % DISTINCT)
                hue[name] = hues_of(DISTINCT)[number[name]]
        before = names
    return hue


def _stack(level, shared, before, gap: float) -> np.ndarray:
    """Return the bottom of each whole's bar: in the order of where their members come from."""
    order = np.arange(level.n_wholes)
    if shared is not None:
        weight = shared.sum(axis=0)
        origin = np.where(weight > 0, (before @ shared) / np.maximum(weight, 1), np.inf)
        order = np.argsort(origin, kind="stable")
    bottom = np.zeros(level.n_wholes)
    sizes = level.sizes[order]
    bottom[order] = np.cumsum(sizes) - sizes + gap * np.arange(len(sizes))
    return bottom


def _bands(ax: Axes, left, right, low, high, shared, link, hues) -> None:
    """Draw the members that go from each whole to each whole as bands that begin and end in their order."""
    along = np.linspace(0, 1, 40)
    x, rise = left + (right - left) * along, along**2 * (3 - 2 * along)
    start, end = low.copy(), high.copy()
    pairs = [(i, j) for i in np.argsort(low) for j in np.argsort(high) if shared[i, j]]
    begin = {}
    for i, j in pairs:
        begin[i, j] = start[i]
        start[i] += shared[i, j]
    for j, i in sorted(((j, i) for i, j in pairs), key=lambda pair: (high[pair[0]], low[pair[1]])):
        y = begin[i, j] + (end[j] - begin[i, j]) * rise
        ax.fill_between(x, y, y + shared[i, j], color=hues[i] if link[i, j] else to_rgb(IDLE), linewidth=0,
                        alpha=0.5, zorder=2 if link[i, j] else 1)
        end[j] += shared[i, j]
