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

__all__ = ["by_scale", "role_correlation"]

#: p-value up to which a value is marked.
ALPHA = 0.05
#: What each measure says at its ends.
SAYS = {"role_entropy": "entropy of roles within groups\n(0: one role each, 1: all roles)",
        "closure": "share of flows inside groups\n(1: nothing leaves them)",
        "effective_information": "effective information\nof the flows between groups (bits)",
        "effectiveness": "effectiveness of the flows between groups\n(1: each gives one other, and no two the same)",
        "individuality": "individuality of groups\n(1: knowing the member adds nothing)"}


def by_scale(scales, measure: str = "role_entropy", ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw a measure against the size of groups, with the band of its null.

    The band is the range of the nulls; where none has groups of that size there is none. Values are marked that are
    beyond chance, of both tails, each for itself: of many, some are by chance alone.

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
    beyond = rows[rows["pvalue"] <= ALPHA]
    ax.plot(beyond["scale"], beyond["observed"], "o" if len(beyond) else " ", color=PALETTE[4], markersize=7,
            label=f"beyond chance (p ≤ {ALPHA:.2g})" if len(beyond) else f"nowhere beyond chance (p ≤ {ALPHA:.2g})")
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
    _band(ax, frame["distance"], frame, "by chance (95 % of nulls)")
    ax.plot(frame["distance"], frame["correlation"], "o-", color=PALETTE[0], markersize=4, label="observed")
    if length is not None and np.isfinite(length) and length > 0:
        ax.axvline(length, color=PALETTE[4], linestyle=":", label=f"correlation length: {length:.1f} ties")
    elif length is not None:
        ax.plot([], [], " ", label="correlation length: " + (
            "0 (neighbours as by chance)" if length == 0 else "beyond the distances shown"))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(ax, "distance (ties)", "correlation of roles\n(1: alike, 0: as by chance, below 0: rather unlike)", title)
    return ax


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
