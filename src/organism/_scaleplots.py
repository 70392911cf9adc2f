"""Pictures of measures by scale, and of roles by distance.

Public through :mod:`organism.plots`.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from . import _drawing
from ._checks import closest
from ._drawing import INK, PALETTE
from ._wholeplots import bare

__all__ = ["by_scale", "prediction_strength", "role_correlation"]

#: p-value up to which a value is marked.
ALPHA = 0.05
#: What each measure says at its ends.
SAYS = {"role_entropy": "entropy of roles within groups\n(0: one role each, 1: all roles)",
        "closure": "share of flows inside groups\n(1: nothing leaves them)",
        "effective_information": "effective information\nof the flows between groups (bits)",
        "effectiveness": "effectiveness of the flows between groups\n"
                          "(1: each group gives to one other alone,\neach to a different one)",
        "individuality": "individuality of groups\n(1: knowing the member adds nothing)"}


def by_scale(scales, measure: str = "role_entropy", ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw a measure against the size of groups, with the band of its null.

    The band is the range of the nulls; where none has groups of that size there is none, which is said. Values are
    marked that are above (▲) or below (▼) chance, of both tails, each for itself: of many, some are by chance alone.

    Parameters
    ----------
    scales : Scales
        Of :func:`organism.scales.by_scale`.
    measure : str, default "role_entropy"
        One that is in its frame.
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the measure was not taken.
    """
    known = list(dict.fromkeys(scales.frame["measure"]))
    if measure not in known:
        raise ValueError(f"measure must be one of {', '.join(known)}, not {measure!r}" + closest(str(measure), known))
    ax = _drawing.axes_or_new(ax, (5.2, 4.0))
    rows = scales.frame[scales.frame["measure"] == measure].sort_values("scale")
    _band(ax, rows["scale"], rows, f"by chance (range of {scales.n_nulls} nulls)")
    ax.plot(rows["scale"], rows["null_mean"], color="#777777", linewidth=1)
    ax.plot(rows["scale"], rows["observed"], "o-", color=PALETTE[0], markersize=4, label="observed")
    beyond = rows["pvalue"] <= ALPHA
    high = rows["observed"] > rows["null_mean"]
    few = ~beyond & rows["null_mean"].notna() & (rows["compared"] + 1 < 2 / ALPHA)
    if beyond.any() or not few.all():
        _marks(ax, rows["scale"], rows["observed"], beyond & high, beyond & ~high, f"(p ≤ {ALPHA:.2g})")
    if few.any():
        ax.plot([], [], " ", label=f"too few nulls to tell p ≤ {ALPHA:.2g} (it takes {2 / ALPHA - 1:.0f}) "
                                   f"at {few.sum()} of {len(rows)} sizes")
    _ends(ax, scales.frame, rows)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}")
    top = max(1.0, rows["observed"].max(), rows["null_high"].max())
    ax.set_ylim(-0.03 * top, 1.05 * top)
    _finish(ax, "members in a group (mean)", SAYS[measure],
            measure.replace("_", " ") + " by scale" if title is None else title)
    return ax


def role_correlation(frame, length: float | None = None, ax: Axes | None = None, *,
                     title: str | None = "roles by distance") -> Axes:
    """Draw how alike members' roles are by how many ties they are apart.

    Values are marked that are above (▲) or below (▼) the band of chance. Where neighbours are rather unlike there is no
    correlation length to draw. The curve ends where no two members are further apart, or as far as was looked.

    Parameters
    ----------
    frame : pandas.DataFrame
    length : float, optional
        Both of :func:`organism.scales.role_correlation`.
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax, (5.2, 4.0))
    if not len(frame):
        bare(ax, title)
        _drawing.note(ax, "no two members are tied")
        return ax
    ax.axhline(0, color=INK, linewidth=0.8)
    _band(ax, frame["distance"], frame, "by chance (range of 95 % of nulls)")
    ax.plot(frame["distance"], frame["correlation"], "o-", color=PALETTE[0], markersize=4, label="observed")
    _marks(ax, frame["distance"], frame["correlation"], frame["correlation"] > frame["null_high"],
           frame["correlation"] < frame["null_low"], "(outside that range)")
    unlike = frame["distance"].iloc[0] == 1 and frame["correlation"].iloc[0] < frame["null_low"].iloc[0]
    if unlike and length is not None:           # what falls with distance is then how unlike they are
        ax.plot([], [], " ", label="no correlation length: neighbours are rather unlike")
    elif length is not None and np.isfinite(length) and length > 0:
        ax.axvline(length, color=PALETTE[4], linestyle=":", label=f"correlation length: {length:.1f} ties")
    elif length is not None:
        ax.plot([], [], " ", label="correlation length: " + (
            "0 (neighbours as by chance)" if length == 0 else "beyond the distances shown"))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(ax, "distance (ties), up to the greatest between two members or that was looked at",
            "correlation of roles\n(1: alike, 0: as by chance, below 0: rather unlike)", title)
    return ax


def prediction_strength(roles, ax: Axes | None = None, *, title: str | None = "prediction strength") -> Axes:
    """Draw how surely each number of roles is found again in other members, and which number was chosen.

    Bars are means over random halves, with one standard error either way; the dashed line is the threshold that the
    strength must reach. The chosen number is the greatest that does, else one.

    Parameters
    ----------
    roles : Roles or Blocks
        What :func:`organism.find_roles` or :func:`organism.block_roles` returned.
    ax : Axes, optional
        Where to draw; by default new axes.
    title : str, optional

    Returns
    -------
    Axes
    """
    ax = _drawing.axes_or_new(ax, (5.2, 4.0))
    chosen, what = (roles.n_blocks, "blocks") if hasattr(roles, "n_blocks") else (roles.n_roles, "roles")
    if not roles.strengths:
        bare(ax, title)
        _drawing.note(ax, f"no number of {what} was tried")
        return ax
    numbers = sorted(roles.strengths)
    x = [chosen, *numbers] if chosen == 1 else numbers              # one role is always found again
    for number in x:
        mine = number == chosen
        ax.bar(number, roles.strengths.get(number, 1.0), width=0.7, color=PALETTE[4] if mine else "#BBBBBB",
               hatch="//" if number not in roles.strengths else None, edgecolor="white",
               label=f"chosen: {number:,}" if mine else None)
    ax.errorbar(numbers, [roles.strengths[number] for number in numbers],
                [roles.errors.get(number, 0.0) for number in numbers], fmt="none", ecolor=INK, elinewidth=1.2,
                capsize=3, label="standard error")
    ax.axhline(roles.threshold, color=INK, linestyle="--", linewidth=1, label=f"threshold: {roles.threshold:g}")
    ax.set_xticks(x)
    ax.set_ylim(0, 1.05)
    _finish(ax, f"number of {what}" + " (of one there is nothing to find again: 1)" * (chosen == 1),
            "prediction strength\n(1: always found again in other members)", title)
    return ax


def _marks(ax: Axes, x, y, above, below, when: str) -> None:
    """Mark what is above and what is below chance, or say that nothing is."""
    for some, marker, word in ((above, "^", "above"), (below, "v", "below")):
        if some.any():
            ax.plot(x[some], y[some], marker, color=PALETTE[4], markersize=8, label=f"{word} chance {when}")
    if not (above | below).any():
        ax.plot([], [], " ", label=f"nowhere beyond chance {when}")


def _ends(ax: Axes, frame, rows) -> None:
    """Say why a curve or its band ends before the greatest groups."""
    if rows["scale"].max() < frame["scale"].max():
        ax.plot([], [], " ", label="not defined for a single group of all")
    if rows["null_mean"].isna().any():
        ax.plot([], [], " ", label="no band: no null has about as many groups")


def _band(ax: Axes, x, rows, label: str) -> None:
    """Shade what chance gives; a single step has a bar."""
    if len(x) == 1:
        ax.errorbar(x, rows["null_low"], yerr=[[0], rows["null_high"] - rows["null_low"]], color="#999999",
                    linewidth=6, alpha=0.4, label=label)
    else:
        ax.fill_between(x, rows["null_low"], rows["null_high"], color="#999999", alpha=0.4, linewidth=0, label=label)


def _finish(ax: Axes, x: str, y: str, title: str | None) -> None:
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)
    if title:
        ax.set_title(title, fontsize=11)
    ax.tick_params(length=2, labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
