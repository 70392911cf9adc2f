"""Pictures of sweeps: a curve with its interval, or a map with the width of the interval beside it."""

from __future__ import annotations

import numpy as np

__all__ = ["curve", "heat"]


def curve(table, x, y, hue=None, ax=None):
    """Draw the mean of ``y`` over ``x``, a line for each value of ``hue``, from a summary ``table``, on ``ax``."""
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    for value, part in table.groupby(hue) if hue else [(None, table)]:
        part = part.sort_values(x)
        line, = ax.plot(part[x], part["mean"], marker="o", label=None if hue is None else f"{hue} = {value}")
        ax.fill_between(part[x], part["low"], part["high"], alpha=.25, color=line.get_color(), linewidth=0)
    ax.set(xlabel=x, ylabel=y)
    if hue:
        ax.legend()
    return ax


def heat(table, x, y, measure, levels=None, ax=None):
    """Draw the mean of a ``measure`` over ``x`` and ``y`` on ``ax``; a cross marks intervals wider than a fifth.

    With ``levels`` the map is a phase diagram of the regions between them; a cross then
    marks the points whose interval holds one.
    """
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    means, low, high = (table.pivot(index=y, columns=x, values=name) for name in ("mean", "low", "high"))
    values = means.to_numpy(float)
    if levels is None:
        spread = np.nanmax(values) - np.nanmin(values)
        doubtful = (high - low).to_numpy(float) > .2 * spread
    else:
        levels = np.sort(np.atleast_1d(levels))
        doubtful = np.digitize(low, levels) != np.digitize(high, levels)
        values = np.where(np.isnan(values), np.nan, np.digitize(values, levels))
    picture = ax.imshow(values, origin="lower", aspect="auto")
    ax.set(xlabel=x, ylabel=y, xticks=range(len(means.columns)), yticks=range(len(means.index)))
    ax.set_xticklabels([f"{v:g}" if isinstance(v, (int, float)) else str(v) for v in means.columns])
    ax.set_yticklabels([f"{v:g}" if isinstance(v, (int, float)) else str(v) for v in means.index])
    rows, columns = np.nonzero(doubtful & ~np.isnan(values))
    ax.scatter(columns, rows, marker="x", color="white", linewidths=1)
    if levels is not None:                      # before the bar, which takes its range over
        picture.set_clim(-.5, len(levels) + .5)
    bar = ax.figure.colorbar(picture, ax=ax, label=measure)
    if levels is not None:
        edges = ["-∞", *(f"{v:g}" for v in levels), "∞"]
        bar.set_ticks(range(len(levels) + 1), labels=[f"{a} to {b}" for a, b in zip(edges, edges[1:], strict=False)])
    return ax
