"""What neighbours have: sums, means, extremes, counts."""

from __future__ import annotations

import numbers

import numpy as np

from .._checks import crew, whole
from .._dispatch import neighbours
from ._walks import address, grid_shape, kind_of, read, room, walk

__all__ = ["count_categories", "count_equal", "neighbour_argmax", "neighbour_max", "neighbour_mean", "neighbour_min",
           "neighbour_sum"]

SUM, LEAST, MOST = 0, 1, 2


def _reduced(what, topology, rows, along, weights, include_self, threads, out):
    """Fill ``out`` (N, C) with what each site's neighbours come to; integers come to int64."""
    n, columns = rows.shape
    if not rows.size:
        return
    kind, itself, threads = kind_of(rows), bool(include_self), crew(threads)
    if along.grid and weights is None:
        shape, reach, moore, torus = along.grid
        neighbours.on_grid(kind, what, address(rows), address(out), shape, columns, reach, moore, torus, itself,
                           threads)
    else:
        neighbours.reduce(kind, what, address(rows), address(weights), address(out),
                          along.ties if columns > 1 or weights is not None else along.slices, columns, itself, threads)


def _result(rows):
    return np.dtype(np.int64) if rows.dtype.kind in "iu" else rows.dtype


def neighbour_sum(topology, values, *, weights=None, reach: int = 1, direction: str = "out", include_self: bool = False,
                  out=None, threads: int = 1) -> np.ndarray:
    """Sum over the neighbours of every site.

    Synchronous. y_i = Σ_j w_ij x_j over the neighbours j of i, in the order of their permanent ids along ties, and
    column by column of the neighbourhood on grids.

    Parameters
    ----------
    topology : Topology
        N sites.
    values : array_like, shape (N,) or (N, …), or the grid's shape and further columns
        Whole numbers, float32 or float64. They are not searched for NaN, which spreads to the neighbours.
    weights : {None, "ties"} or array_like of float, shape (n_ties,)
        None: all 1; "ties": the topology's own; or one number a tie in the order of ``topology.source``.
    reach : int, default 1
        Neighbours are all sites within so many ties. On a grid without holes its radius grows so many times.
    direction : {"out", "in"}
        Whether neighbours are the ends of out-ties or of in-ties.
    include_self : bool, default False
        Whether a site counts among its neighbours (with weight 1).
    out : ndarray, optional
        Where to put the result: C-contiguous, of the result's type and shape, not ``values`` itself.
    threads : int, default 1
        The result does not depend on it.

    Returns
    -------
    ndarray
        Shape of ``values``; int64 of whole numbers, else of the type of ``values``.

    Examples
    --------
    >>> from organism import Topology
    >>> neighbour_sum(Topology.grid((5,)), [0, 1, 0, 0, 5])
    array([6, 0, 1, 5, 0])
    """
    along = walk(topology, reach, direction)
    rows, shape = read("values", values, topology)
    if weights is not None and rows.dtype.kind in "iu":
        rows = rows.astype(np.float64)
    weights = along.weights(_known(weights, reach), rows.dtype)
    made = room(out, shape, _result(rows), rows)
    _reduced(SUM, topology, rows, along, weights, include_self, threads, made.reshape(rows.shape))
    return made


def _known(weights, reach):
    """Refuse weights of ties where neighbours are further than a tie."""
    if weights is not None and whole("reach", reach, 1) > 1:
        raise ValueError(f"weights are of ties, and with a reach of {reach} neighbours are further than one")
    return weights


def neighbour_mean(topology, values, *, weights=None, reach: int = 1, direction: str = "out",
                   include_self: bool = False, empty: float = np.nan, out=None, threads: int = 1) -> np.ndarray:
    """Take the mean over the neighbours of every site, weighted if there are weights.

    Synchronous. y_i = Σ_j w_ij x_j / Σ_j w_ij (DeGroot 1974 where it is repeated).

    Parameters
    ----------
    topology, values, weights, reach, direction, include_self, out, threads
        As for :func:`neighbour_sum`.
    empty : float, default NaN
        What sites without neighbours get, and those whose weights sum to 0.

    Returns
    -------
    ndarray
        Shape of ``values``; float64 of whole numbers, else of the type of ``values``.

    References
    ----------
    DeGroot (1974) Reaching a consensus. *Journal of the American Statistical Association* 69: 118-121.
    """
    along = walk(topology, reach, direction)
    rows, shape = read("values", values, topology)
    if rows.dtype.kind in "iu":
        rows = rows.astype(np.float64)
    own, empty = along.weights(_known(weights, reach), rows.dtype), _fill(empty, rows.dtype)
    made = room(out, shape, rows.dtype, rows)
    flat = made.reshape(rows.shape)
    _reduced(SUM, topology, rows, along, own, include_self, threads, flat)
    if own is None:
        over = along.degree.astype(rows.dtype)
    else:
        over = np.empty((len(rows), 1), rows.dtype)
        _reduced(SUM, topology, np.ones((len(rows), 1), rows.dtype), along, own, False, threads, over)
        over = over[:, 0]
    over = over + bool(include_self)
    with np.errstate(divide="ignore", invalid="ignore"):
        flat /= over[:, None]
    if (over == 0).any():
        flat[over == 0] = empty
    return made


def _fill(empty, dtype):
    """Return what sites without neighbours get, or say why it cannot be of the type of the result."""
    if dtype.kind == "f":
        most = float(np.finfo(dtype).max)
        if isinstance(empty, numbers.Real) and not isinstance(empty, bool):
            if empty != empty or abs(empty) == np.inf or abs(empty) <= most:
                return float(empty)
        raise ValueError(f"empty must be a number that {dtype} can hold, not {empty!r:.60}")
    low, high = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    if not isinstance(empty, (numbers.Real, np.bool_)) or not low <= empty <= high or empty != int(empty):
        raise ValueError(f"empty must be a whole number in [{low}, {high}], as values are of type {dtype}, not "
                         f"{empty!r:.60}")
    return int(empty)


def _extreme(what, name, topology, values, reach, direction, include_self, empty, out, threads):
    along = walk(topology, reach, direction)
    rows, shape = read("values", values, topology)
    dtype = np.asarray(values).dtype
    alone = np.flatnonzero(along.degree == 0) if not include_self else np.empty(0, int)
    if alone.size and empty is None and rows.dtype.kind in "iu":
        raise ValueError(f"site {alone[0]} has no neighbours, so {name} needs a value for it: give empty=…")
    empty = np.nan if empty is None else _fill(empty, dtype)
    made = room(out, shape, dtype, rows)
    flat = made.reshape(rows.shape) if made.dtype == _result(rows) else np.empty(rows.shape, _result(rows))
    _reduced(what, topology, rows, along, None, include_self, threads, flat)
    if flat.dtype != made.dtype:
        made[...] = flat.reshape(shape)
    if alone.size:
        made.reshape(rows.shape)[alone] = empty
    return made


def neighbour_min(topology, values, *, reach: int = 1, direction: str = "out", include_self: bool = False, empty=None,
                  out=None, threads: int = 1) -> np.ndarray:
    """Take the least among the neighbours of every site.

    Synchronous.

    Parameters
    ----------
    topology, values, reach, direction, include_self, out, threads
        As for :func:`neighbour_sum`. NaN among the values makes the result of sites around it arbitrary.
    empty : number, optional
        What sites without neighbours get; by default NaN, and of whole numbers an error.

    Returns
    -------
    ndarray
        Shape and type of ``values``.
    """
    return _extreme(LEAST, "neighbour_min", topology, values, reach, direction, include_self, empty, out, threads)


def neighbour_max(topology, values, *, reach: int = 1, direction: str = "out", include_self: bool = False, empty=None,
                  out=None, threads: int = 1) -> np.ndarray:
    """Take the most among the neighbours of every site.

    Synchronous.

    Parameters
    ----------
    topology, values, reach, direction, include_self, empty, out, threads
        As for :func:`neighbour_min`.

    Returns
    -------
    ndarray
        Shape and type of ``values``.
    """
    return _extreme(MOST, "neighbour_max", topology, values, reach, direction, include_self, empty, out, threads)


def neighbour_argmax(topology, values, *, reach: int = 1, direction: str = "out", include_self: bool = False, out=None,
                     threads: int = 1) -> np.ndarray:
    """Find the neighbour of every site that has most.

    Synchronous. Of equals it is the site itself, if it counts, else the first by permanent id.

    Parameters
    ----------
    topology, values, reach, direction, include_self, threads
        As for :func:`neighbour_sum`.
    out : ndarray of int64, optional

    Returns
    -------
    ndarray of int64
        Sites; -1 where there is no neighbour.
    """
    along = walk(topology, reach, direction)
    rows, shape = read("values", values, topology)
    made = room(out, shape, np.int64, rows)
    neighbours.argmax(kind_of(rows), address(rows), address(made), along.ties, rows.shape[1], bool(include_self),
                      crew(threads))
    return made


def count_equal(topology, values, *, reach: int = 1, direction: str = "out", include_self: bool = False, out=None,
                threads: int = 1) -> np.ndarray:
    """Count the neighbours that have the same value as the site.

    Synchronous.

    Parameters
    ----------
    topology, values, reach, direction, include_self, threads
        As for :func:`neighbour_sum`. NaN equals nothing, but for the site itself if it counts.
    out : ndarray of int64, optional

    Returns
    -------
    ndarray of int64
        Shape of ``values``.
    """
    along = walk(topology, reach, direction)
    rows, shape = read("values", values, topology)
    made = room(out, shape, np.int64, rows)
    neighbours.equal(kind_of(rows), address(rows), address(made), along.ties, rows.shape[1], bool(include_self),
                     crew(threads))
    return made


def count_categories(topology, categories, n_categories: int | None = None, *, reach: int = 1, direction: str = "out",
                     include_self: bool = False, out=None, threads: int = 1) -> np.ndarray:
    """Count the neighbours of every category.

    Synchronous.

    Parameters
    ----------
    topology, reach, direction, include_self, threads
        As for :func:`neighbour_sum`.
    categories : array_like of int, shape (N,) or the grid's
        In [0, n_categories).
    n_categories : int, optional
        By default one more than the greatest.
    out : ndarray of int64, shape (N, n_categories) or the grid's and n_categories, optional

    Returns
    -------
    ndarray of int64, shape (N, n_categories) or the grid's and n_categories
    """
    along = walk(topology, reach, direction)
    categories = np.asarray(categories)
    if categories.dtype.kind not in "biu":
        raise TypeError(f"categories must be whole numbers, not of type {categories.dtype}")
    rows, shape = read("categories", categories, topology)
    if rows.shape[1] != 1 or len(shape) not in (1, len(grid_shape(topology) or (0,))):
        raise ValueError(f"categories must be one a site, not of shape {shape}")
    low, high = (int(rows.min()), int(rows.max())) if rows.size else (0, 0)
    n_categories = high + 1 if n_categories is None else whole("n_categories", n_categories, 1)
    if low < 0 or high >= n_categories:
        at = int(np.flatnonzero((rows < 0) | (rows >= n_categories))[0])
        raise ValueError(f"categories must be in [0, {n_categories - 1}]; that of site {at} is {rows[at, 0]}")
    made = room(out, (*shape, n_categories), np.int64)
    labels = np.ascontiguousarray(rows[:, 0], np.int32)
    neighbours.count(address(labels), address(made), along.ties, n_categories, bool(include_self),
                     crew(threads))
    return made
