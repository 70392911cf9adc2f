"""Interdependence through time: what stays and what changes from window to window.

>>> import organism as og
>>> world = og.World(og.Topology.grid((8, 8)), rng=1, ledger=True)
>>> taken = og.Snapshots(world, every=50)
>>> world.step(150)
>>> through_time(taken)["tick"].tolist()
[50, 100, 150]
"""

from __future__ import annotations

import numpy as np

from .measures._sources import ratio

__all__ = ["autarky", "core", "flow_reciprocity", "through_time", "turnover"]


def flow_reciprocity(flows) -> float:
    """Return the share of flows that are returned: Σ min(f_ij, f_ji)/Σ f_ij (0 if nothing flows).

    Parameters
    ----------
    flows : scipy.sparse array, shape (n, n)
        Row = giver.

    References
    ----------
    Squartini, Picciolo, Ruzzenenti, Garlaschelli (2013) Reciprocity of weighted networks. *Scientific Reports* 3:
    2729.
    """
    total = float(flows.sum())
    return float(flows.minimum(flows.T).sum() / total) if total > 0 else 0.0


def core(flows, members=None) -> float:
    """Return the share of members in the largest strongly connected part: all who feed each other, if indirectly.

    Parameters
    ----------
    flows : scipy.sparse array, shape (n, n)
    members : array_like of int, optional
        Who is there; by default all n.
    """
    from scipy.sparse.csgraph import connected_components

    here = np.arange(flows.shape[0]) if members is None else np.asarray(members)
    if not len(here):
        return 0.0
    part = connected_components(flows, connection="strong")[1][here]
    size = int(np.bincount(part).max())
    return size / len(here) if size > 1 else 0.0


def autarky(flows, members=None) -> float:
    """Return the share of members that got nothing from anybody.

    Parameters
    ----------
    flows, members
        As :func:`core` takes them.
    """
    got = np.asarray(flows.sum(axis=0)).ravel()
    got = got if members is None else got[np.asarray(members)]
    return float((got <= 0).mean()) if len(got) else 0.0


def turnover(before, after) -> tuple[float, float]:
    """Return how far flows changed: of ties (Jaccard's distance), and of goods (Bray and Curtis's).

    Parameters
    ----------
    before, after : scipy.sparse array, shape (n, n)
        Flows of two windows between the same members, of a length.

    Returns
    -------
    ties, goods : float
        In [0, 1]: 0 if nothing changed, 1 if nothing is left; 0 if nothing flowed in either.
    """
    both = float(before.minimum(after).sum())
    shared = float(((before > 0).multiply(after > 0)).sum())
    union = (before > 0).sum() + (after > 0).sum() - shared
    total = float(before.sum() + after.sum())
    return float(1 - ratio(shared, union)) if union else 0.0, 1 - 2 * both / total if total > 0 else 0.0


def through_time(snapshots):
    """Return measures of interdependence, window by window, as a pandas DataFrame.

    Parameters
    ----------
    snapshots : Snapshots

    Returns
    -------
    pandas.DataFrame
        One row a window: ``tick`` at its end, ``members``, ``goods`` and ``ties`` (pairs with a flow),
        ``tie_turnover`` and ``goods_turnover`` since the window before (NaN in the first), ``reciprocity``, ``core``,
        ``autarky`` and mean ``welfare``.
    """
    import pandas as pd

    rows, before = [], None
    for one in snapshots:
        reading = one.reading()
        flows, here = reading.matrix(), one.living
        changed = turnover(before, flows) if before is not None and before.shape == flows.shape else (np.nan, np.nan)
        rows.append({"tick": one.stop, "members": len(here), "goods": float(reading.amount.sum()),
                     "ties": len(reading.giver), "tie_turnover": changed[0], "goods_turnover": changed[1],
                     "reciprocity": flow_reciprocity(flows), "core": core(flows, here),
                     "autarky": autarky(flows, here),
                     "welfare": float(np.maximum(one.welfare[here], 0).mean()) if len(here) else 0.0})
        before = flows
    return pd.DataFrame(rows)
