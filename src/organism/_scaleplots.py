"""Pictures of measures by scale."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from . import _drawing
from ._checks import closest
from ._drawing import PALETTE

__all__ = ["by_scale", "role_correlation"]

#: What each measure says at its ends.
SAYS = {"role_entropy": "entropy of roles within groups\n(0: one role each, 1: all roles)",
        "closure": "share of flows inside groups", "individuality": "individuality (1: closed to information)",
        "effectiveness": "effectiveness of the flows between groups"}


def by_scale(scales, measure: str = "role_entropy", ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw a measure against the size of groups, with the band of its null.

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
    ax.fill_between(rows["scale"], rows["null_low"], rows["null_high"], color="#999999", alpha=0.4, linewidth=0,
                    label=f"by chance (range of {scales.n_nulls} nulls)")
    ax.plot(rows["scale"], rows["null_mean"], color="#777777", linewidth=1)
    ax.plot(rows["scale"], rows["observed"], "o-", color=PALETTE[0], markersize=4, label="observed")
    beyond = rows[(rows["above"] <= 0.05) | (rows["below"] <= 0.05)]
    ax.plot(beyond["scale"], beyond["observed"], "o", color=PALETTE[4], markersize=7, label="beyond chance (p ≤ .05)")
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.set_xlabel("members in a group", fontsize=9)
    ax.set_ylabel(SAYS.get(measure, measure.replace("_", " ")), fontsize=9)
    ax.set_title(measure.replace("_", " ") + " by scale" if title is None else title, fontsize=11)
    ax.set_ylim(-0.03, 1.05)
    ax.tick_params(length=2, labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
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
    ax.axhline(0, color="#333333", linewidth=0.8)
    ax.fill_between(frame["distance"], frame["null_low"], frame["null_high"], color="#999999", alpha=0.4, linewidth=0,
                    label="by chance (95 % of nulls)")
    ax.plot(frame["distance"], frame["correlation"], "o-", color=PALETTE[0], markersize=4, label="observed")
    if length is not None and np.isfinite(length) and length > 0:
        ax.axvline(length, color=PALETTE[4], linestyle=":", label=f"correlation length: {length:.1f} ties")
    ax.set_xlabel("distance (ties)", fontsize=9)
    ax.set_ylabel("correlation of roles (1: all alike,\nbelow 0: rather unlike)", fontsize=9)
    if title:
        ax.set_title(title, fontsize=11)
    ax.tick_params(length=2, labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=8)
    return ax
