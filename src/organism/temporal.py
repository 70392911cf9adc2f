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

from ._checks import site_indices
from .measures import welfare
from .measures._sources import mean, ratio
from .wholes import trade_of

__all__ = ["autarky", "core", "flow_reciprocity", "through_time", "turnover"]

#: Columns of the frame that :func:`through_time` returns.
COLUMNS = ("tick", "members", "goods", "ties", "tie_turnover", "goods_turnover", "reciprocity", "core", "autarky",
           "welfare")


def flow_reciprocity(source) -> float:
    """Return the share of flows that are returned: Σ min(f_ij, f_ji)/Σ f_ij over i ≠ j (0 if nothing flows).

    Parameters
    ----------
    source : World, Reading, networkx graph or array, shape (n, n)
        As :func:`organism.find_wholes` takes it: of an array, row = giver. Loops do not count.

    Returns
    -------
    float
        In [0, 1].

    References
    ----------
    Squartini, Picciolo, Ruzzenenti, Garlaschelli (2013) Reciprocity of weighted networks. *Scientific Reports* 3:
    2729.

    Examples
    --------
    >>> flow_reciprocity([[0, 3], [1, 0]])
    0.5
    """
    flows = _flows(source)
    return float(ratio(flows.minimum(flows.T).sum(), flows.sum()))


def core(source, members=None) -> float:
    """Return the share of members in the largest strongly connected part: all who feed each other, if indirectly.

    Parameters
    ----------
    source
        As :func:`flow_reciprocity` takes it.
    members : array_like of int or bool, optional
        Who is asked for, by row; by default all n. Others may still pass goods on.

    Returns
    -------
    float
        In [0, 1]; 0 if no two feed each other.

    Examples
    --------
    >>> core([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0]])
    0.75
    """
    from scipy.sparse.csgraph import connected_components

    flows = _flows(source)
    here = _rows(flows, members)
    if not len(here):
        return 0.0
    size = int(np.bincount(connected_components(flows, connection="strong")[1][here]).max())
    return size / len(here) if size > 1 else 0.0


def autarky(source, members=None) -> float:
    """Return the share of members that got nothing from anybody else.

    Parameters
    ----------
    source, members
        As :func:`core` takes them.

    Returns
    -------
    float
        In [0, 1].
    """
    flows = _flows(source)
    return mean(np.asarray(flows.sum(axis=0)).ravel()[_rows(flows, members)] <= 0)


def turnover(before, after) -> tuple[float, float]:
    """Return how far flows changed: of ties (Jaccard's distance), and of goods (Bray and Curtis's).

    Parameters
    ----------
    before, after
        As :func:`flow_reciprocity` takes them, of the same members in the same order, over windows of one length.

    Returns
    -------
    ties, goods : float
        In [0, 1]: 0 if nothing changed, 1 if nothing is left; 0 if nothing flowed in either.

    Raises
    ------
    ValueError
        If the numbers of members differ.

    References
    ----------
    Jaccard (1912) The distribution of the flora in the alpine zone. *New Phytologist* 11: 37-50. Bray, Curtis (1957)
    An ordination of the upland forest communities of southern Wisconsin. *Ecological Monographs* 27: 325-349.

    Examples
    --------
    >>> turnover([[0, 4], [0, 0]], [[0, 2], [2, 0]])
    (0.5, 0.5)
    """
    before, after = _flows(before), _flows(after)
    if before.shape != after.shape:
        raise ValueError(f"before and after must be flows between the same members, not between {before.shape[0]} "
                         f"and {after.shape[0]}")
    kept = before.minimum(after)
    ties, total = before.nnz + after.nnz - kept.nnz, before.sum() + after.sum()
    # what is left may exceed all by a rounding error
    return float(ratio(ties - kept.nnz, ties)), float(max(0.0, ratio(total - 2 * kept.sum(), total)))


def through_time(snapshots):
    """Return measures of interdependence, window by window, as a pandas DataFrame.

    Ties are between members, not sites: who takes the place of one who died has ties of its own.

    Parameters
    ----------
    snapshots : Snapshots

    Returns
    -------
    pandas.DataFrame
        One row a window: ``tick`` at its end, ``members`` alive then, ``goods`` that were sent and ``ties`` (pairs with
        a flow), also of those who died meanwhile, ``tie_turnover`` and ``goods_turnover`` since the window before (NaN
        in the first), ``reciprocity``, and of those alive at the end the shares in the ``core`` and in ``autarky``, and
        mean ``welfare``.
    """
    import pandas as pd

    rows, before = [], None
    for i, one in enumerate(snapshots):
        if not hasattr(one, "reading"):
            raise TypeError(f"snapshots must be a Snapshots or a sequence of them; item {i} is {one!r:.60}")
        now = one.reading()
        flows, here = now.matrix(by="member"), np.searchsorted(now.members, now.uid)
        changed = (np.nan, np.nan) if before is None else turnover(*_between_same(before, now))
        rows.append((one.stop, len(here), float(now.amount.sum()), len(now.giver), *changed, flow_reciprocity(flows),
                     core(flows, here), autarky(flows, here), welfare(one.welfare[one.living])))
        before = now
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _flows(source):
    """Return flows as a sparse array without loops, checked."""
    return trade_of(np.asarray(source) if isinstance(source, (list, tuple)) else source).flows


def _rows(flows, members) -> np.ndarray:
    return np.arange(flows.shape[0]) if members is None else site_indices(flows.shape[0], members, "members")


def _between_same(*readings):
    """Return the flows of each of some windows between all who are in any of them."""
    from scipy import sparse

    uid = np.unique(np.concatenate([one.members for one in readings]))
    return [sparse.csr_array((one.amount.sum(axis=1), (np.searchsorted(uid, one.giver),
                                                       np.searchsorted(uid, one.receiver))), shape=(len(uid),) * 2)
            for one in readings]
