"""Pictures of sweeps: curves with their intervals, maps with doubtful points marked, scatters, histograms."""

from __future__ import annotations

import math
import numbers

import numpy as np

from ._drawing import PALETTE

__all__ = ["courses", "curve", "heat", "overview"]

#: A map is drawn of two names with at least so many values each; below, curves read better.
MANY = 5
#: Series of at most so many points are drawn over time.
FEW = 8


def overview(points, samples, tables):
    """Draw every measure in a way that suits the design, and return the Figure.

    One name that varies gives a curve, two a curve for each value of the one with fewer or, of
    many numbers each, a map; a design that is no grid, or has more names, the mean of each point
    over each name; and a single point a histogram of its runs. ``samples`` are the values of each
    measure, shape (points, replicates), ``tables`` their summaries.
    """
    from matplotlib.figure import Figure

    levels = {name: list(dict.fromkeys(point.get(name) for point in points))
              for name in dict.fromkeys(name for point in points for name in point)}
    names = sorted((name for name in levels if len(levels[name]) > 1), key=lambda name: -len(levels[name]))
    grid = len(points) == math.prod(map(len, levels.values()))
    scatter = len(names) > 2 or (len(names) == 2 and not grid)
    columns = len(names) if scatter else math.ceil(math.sqrt(len(samples)))
    rows = len(samples) if scatter else math.ceil(len(samples) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for number, (measure, values) in enumerate(samples.items()):
        table = tables[measure]
        if scatter:
            for ax, name in zip(panels[number], names, strict=True):
                ax.plot(_places(ax, table[name]), table["mean"], ".", color=PALETTE[0], markersize=4)
                ax.set(xlabel=name, ylabel=measure)
                ax.spines[["top", "right"]].set_visible(False)
            continue
        ax = panels.flat[number]
        if not names:
            ax.hist(values[~np.isnan(values)], color=PALETTE[0])
            ax.set(xlabel=measure, ylabel="runs")
        elif len(names) == 1:
            curve(table, names[0], measure, ax=ax)
        elif all(len(levels[name]) >= MANY and _are_numbers(levels[name]) for name in names):
            heat(table, *names, measure, ax=ax)
        else:
            x, hue = names if _are_numbers(levels[names[0]]) or not _are_numbers(levels[names[1]]) else names[::-1]
            curve(table, x, measure, hue, ax)
    for ax in panels.flat[len(samples):] if not scatter else ():
        ax.remove()
    return figure


def courses(tables, names):
    """Draw the course of every measure, a line for each point of ``names``, and return the Figure.

    ``tables`` hold, for each measure, its mean and interval by point and tick.
    """
    from matplotlib.figure import Figure

    columns = math.ceil(math.sqrt(len(tables)))
    rows = math.ceil(len(tables) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.2 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax, (measure, table) in zip(panels, tables.items(), strict=False):
        changing = [name for name in names if table[name].map(str).nunique() > 1]
        label = ", ".join(changing)
        texts = [", ".join(map(str, values)) for values in table[changing].itertuples(index=False)]
        curve(table.assign(**{label: texts}) if changing else table, "tick", measure, label if changing else None, ax)
        if changing:
            ax.get_legend().remove()
    if changing:
        figure.legend(*panels[0].get_legend_handles_labels(), title=label, loc="outside lower center", ncols=4,
                      frameon=False, fontsize=8, title_fontsize=8)
    for ax in panels[len(tables):]:
        ax.remove()
    return figure


def _are_numbers(values) -> bool:
    return all(isinstance(v, numbers.Real) and not isinstance(v, (bool, np.bool_)) for v in values)


def _places(ax, values):
    """Return where values are on the axis of x: numbers where they are, others side by side in their order."""
    values = list(values)
    if _are_numbers(values):
        return np.array(values, float)
    places = {text: i for i, text in enumerate(dict.fromkeys(map(str, values)))}
    ax.set_xticks(range(len(places)), labels=list(places))
    return np.array([places[str(value)] for value in values], float)


def curve(table, x, y, hue=None, ax=None):
    """Draw the mean of ``y`` over ``x``, a line for each value of ``hue``, from a summary ``table``, on ``ax``."""
    import matplotlib.pyplot as plt

    if ax is None:
        ax = plt.subplots(layout="constrained")[1]
    table = table.assign(place=_places(ax, table[x]))
    groups = table.groupby(hue, sort=False, dropna=False) if hue else [(None, table)]
    for number, (value, part) in enumerate(groups):
        part, colour = part.sort_values("place"), PALETTE[number % len(PALETTE)]
        ax.plot(part.place, part["mean"], "-" if x == "tick" else "o-", color=colour, markersize=4, label=value)
        ax.fill_between(part.place, part["low"], part["high"], alpha=.25, color=colour, linewidth=0)
    ax.set(xlabel=x, ylabel=y)
    ax.spines[["top", "right"]].set_visible(False)
    if hue:
        ax.legend(title=hue, frameon=False, fontsize=8, title_fontsize=8)
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
