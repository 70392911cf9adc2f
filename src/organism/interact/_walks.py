"""How neighbours are reached, along ties or row by row of a grid without holes; and the arrays they are read from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._checks import closest, whole
from .._dispatch import neighbours
from ..topology import Topology

__all__ = ["Walk", "address", "array_of", "grid_shape", "kind_of", "owned", "read", "room", "same", "walk", "within"]

address = neighbours.address
#: Kinds of elements that the compiled loops know, and what their sums are.
KINDS = {np.dtype(name): kind for kind, name in enumerate(("int32", "int64", "float32", "float64"))}
DIRECTIONS = ("out", "in")


@dataclass(eq=False)
class Walk:
    """The neighbours of every site of a topology, in one direction and within some ties.

    What a grid does not need is not made: it has its ties beyond the first only if somebody asks for them.

    Parameters
    ----------
    given : Topology
    reach : int
        Neighbours are at most so many ties away.
    direction : {"out", "in"}
    """

    given: Topology
    reach: int
    direction: str
    _strengths = _held = None

    def __reduce__(self):
        return Walk, (self.given, self.reach, self.direction)     # a copy has addresses of its own

    @cached_property
    def topology(self) -> Topology:
        """Whose ties lead from a site to its neighbours at once."""
        return within(self.given, self.reach)

    @cached_property
    def order(self) -> np.ndarray | None:
        """Tie of each neighbour, in canonical order; None if they are in canonical order."""
        if self.direction == "out":
            return None
        topology = self.topology
        return np.lexsort((topology.site_id[topology.source], topology.target))

    @cached_property
    def ptr(self) -> np.ndarray:
        """First neighbour of each site, int64 (N + 1,)."""
        degree = self.topology.out_degree if self.direction == "out" else self.topology.in_degree
        return np.concatenate([[0], np.cumsum(degree, dtype=np.int64)])

    @cached_property
    def end(self) -> np.ndarray:
        """Neighbours of the sites one after the other, int32 (n_ties,)."""
        topology = self.topology
        return np.ascontiguousarray(topology.target if self.order is None else topology.source[self.order])

    @cached_property
    def degree(self) -> np.ndarray:
        """Number of neighbours of each site, int32 (N,)."""
        if self.grid:
            ones, degree = np.ones(self.given.n_sites, np.int32), np.empty(self.given.n_sites, np.int64)
            shape, reach, moore, torus = self.grid
            neighbours.on_grid(KINDS[ones.dtype], 0, address(ones), address(degree), shape, 1, reach, moore, torus,
                               False, 1)
            return degree.astype(np.int32)
        return np.ascontiguousarray(self.topology.out_degree if self.direction == "out" else self.topology.in_degree,
                                    np.int32)

    @cached_property
    def strength(self) -> np.ndarray:
        """Sum of the weights of each site's ties in this direction, float64 (N,)."""
        weight, ends = self.topology.weight, (self.topology.source, self.topology.target)[self.direction == "in"]
        return (self.degree.astype(np.float64) if weight is None else
                np.bincount(ends, weight.astype(np.float64), self.topology.n_sites))

    @cached_property
    def even(self) -> bool:
        """Whether the same leaves every site as comes to it, all weights being 1."""
        one = self.topology
        return one.weight is None and np.array_equal(one.out_degree, one.in_degree)

    def strengths(self, dtype) -> np.ndarray:
        """Return ``strength`` in another type; the last one that was asked for is kept."""
        if self._strengths is None or self._strengths.dtype != dtype:
            self._strengths = self.strength.astype(dtype)
        return self._strengths

    @cached_property
    def strongest(self) -> tuple[float, int]:
        """Greatest strength of all sites, and whose it is."""
        at = int(self.strength.argmax())
        return float(self.strength[at]), at

    @cached_property
    def ties(self) -> tuple:
        """Number of sites, and the addresses of ``ptr`` and ``end``, as the compiled loops take them."""
        return len(self.ptr) - 1, address(self.ptr), address(self.end)

    @cached_property
    def slices(self) -> tuple:
        """The same and the sites sorted so that one instruction serves several of them (_neighbours.h)."""
        size, n = neighbours.slice_sites, len(self.ptr) - 1
        run, site, rest = np.empty(n // size, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
        runs, gathers, rests, ends = neighbours.find_slices(self.ties, address(run), address(site), address(rest))
        run, site, rest = run[:runs].copy(), site[:size * gathers].copy(), rest[:rests].copy()
        start, end = np.empty(runs + gathers + 1, np.int64), np.empty(ends, np.int32)
        neighbours.fill_slices(self.ties, address(run), address(site), runs, gathers, address(start), address(end))
        self._held = run, site, rest, start, end
        return (*self.ties, address(run), address(site), address(rest), (runs, gathers, rests), address(start),
                address(end))

    @cached_property
    def grid(self) -> tuple | None:
        """Shape, reach, and whether square and wrapped, of a grid that can be walked row by row; else None."""
        one = self.given
        if one.kind != "grid" or len(one.shape) != 2 or one.radius is None or not row_by_row(one):
            return None
        if one.neighbourhood not in ("moore", "von_neumann") or not (np.diff(one.site_id) == 1).all():
            return None
        reach = min(one.radius * self.reach, sum(one.shape))       # from there all others are in reach
        if one.torus and min(one.shape) < 2 * reach + 1:           # a neighbour on both sides has one tie
            return None
        return tuple(one.shape), reach, one.neighbourhood == "moore", bool(one.torus)

    def weights(self, weights, dtype) -> np.ndarray | None:
        """Return the weights of the neighbours one after the other, or None if all are 1."""
        if weights is None:
            return None
        if isinstance(weights, str):
            if weights != "ties":
                raise ValueError(f"weights must be None, 'ties' or one number a tie, not {weights!r}")
            given = self.topology.weight
            if given is None:
                return None
        else:
            given = array_of("weights", weights)
            if given.shape != (self.topology.n_ties,):
                raise ValueError(f"weights must hold one number a tie, in the order of topology.source, shape "
                                 f"({self.topology.n_ties},), not {given.shape}")
            if given.dtype.kind not in "iufb" or not np.isfinite(given).all():
                raise ValueError("weights must be finite numbers" + (
                    f"; that of tie {int(np.flatnonzero(~np.isfinite(given))[0])} is not"
                    if given.dtype.kind == "f" else f", not of type {given.dtype}"))
        with np.errstate(over="ignore"):
            made = np.ascontiguousarray(given if self.order is None else given[self.order], dtype)
        if made.dtype == np.float32 and not np.isfinite(made).all():
            raise ValueError(f"weights must be in the range of {np.dtype(dtype)}, as the values are, and one is "
                             f"{max(given.max(), -given.min()):g}")
        return made


def walk(topology, reach: int = 1, direction: str = "out") -> Walk:
    """Return the walk over neighbours within ``reach`` ties; it is kept with the topology."""
    _known(topology)
    if direction not in DIRECTIONS:
        raise ValueError(f"direction must be 'out' or 'in', not {direction!r}" + closest(direction, DIRECTIONS))
    reach = whole("reach", reach, 1)
    kept = vars(topology).setdefault("_walks", {})
    if (reach, direction) not in kept:
        kept[reach, direction] = Walk(topology, reach, direction)
    return kept[reach, direction]


def _known(topology) -> None:
    if not isinstance(topology, Topology):
        raise TypeError(f"topology must be a Topology, not {type(topology).__name__}; see Topology.grid and "
                        "Topology.from_space")


def within(topology, reach: int) -> Topology:
    """Tie every site to all that are at most some ties away, itself left out.

    Parameters
    ----------
    topology : Topology
    reach : int
        Ties, at least 1. On a grid without holes the radius grows so many times.

    Returns
    -------
    Topology
        With the same sites; all weights are 1 if ``reach`` is above 1.

    Examples
    --------
    >>> from organism import Topology
    >>> within(Topology.grid((9, 9)), 2).n_ties // 81
    24
    """
    _known(topology)
    reach = whole("reach", reach, 1)
    if reach == 1:
        return topology
    radius = topology.radius * reach if topology.kind == "grid" and topology.radius is not None else np.inf
    if topology.neighbourhood == "moore":
        radius = min(radius, max(topology.shape))                  # from there all others are in reach
    if radius <= max(topology.shape or (0,)) and row_by_row(topology):
        made = Topology.grid(topology.shape, topology.neighbourhood or "moore", radius, bool(topology.torus))
        if np.array_equal(made.site_id, topology.site_id):
            return made
    from scipy import sparse

    n = topology.n_sites
    step = sparse.csr_array((np.ones(topology.n_ties, bool), (topology.source, topology.target)), shape=(n, n))
    near = step
    for _ in range(reach - 1):
        before = near.nnz
        near = (near + near @ step).astype(bool)
        if near.nnz == before:                          # no one else is in reach
            break
    ends = near.tocoo()
    other = ends.row != ends.col
    made = Topology.from_edges(ends.row[other], ends.col[other], n)
    return made if np.array_equal(made.site_id, topology.site_id) else made.with_site_ids(topology.site_id)


def row_by_row(topology) -> bool:
    """Tell whether the sites of a topology are the cells of a box without holes, row by row."""
    kept = vars(topology).setdefault("_walks", {})
    if "rows" not in kept:
        shape, cells = topology.shape, topology.cells
        kept["rows"] = shape is not None and topology.n_sites == int(np.prod(shape)) and (
            topology.kind == "grid" if cells is None else cells.shape == (topology.n_sites, len(shape)) and bool(
                (np.diff(np.ravel_multi_index(tuple(cells.T), shape)) == 1).all()))
    return kept["rows"]


def grid_shape(topology) -> tuple | None:
    """Return the shape of a grid whose sites go row by row, else None: those of a space may go by columns."""
    holes = topology.kind == "grid" and topology.n_sites < math.prod(topology.shape)
    return tuple(topology.shape) if holes or row_by_row(topology) else None


def array_of(name: str, values) -> np.ndarray:
    """Return an array, or say that rows are not equally long."""
    try:
        return np.asarray(values)
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"{name} must have rows of one length, and they have not") from None


def kind_of(array) -> int:
    """Return the kind of an array's elements, as the compiled loops count them."""
    return KINDS[array.dtype]


def read(name: str, values, topology, kinds: str = "biuf") -> tuple[np.ndarray, tuple]:
    """Return values as rows of sites in a type that the compiled loops know, and the shape that they came in.

    Parameters
    ----------
    name : str
        What the values are called, for messages.
    values : array_like, shape (N,), (N, …), or the grid's shape and further columns
    topology : Topology
    kinds : str
        Kinds of NumPy types that are allowed.

    Returns
    -------
    rows : ndarray, shape (N, C)
        C-contiguous; the values themselves where they are so.
    shape : tuple of int
    """
    given = array_of(name, values)
    n, grid = topology.n_sites, grid_shape(topology)
    if given.dtype.kind not in kinds or given.dtype.kind == "f" and given.dtype.itemsize not in (4, 8):
        wanted = "float32 or float64" if kinds == "f" else "whole numbers, float32 or float64"
        raise TypeError(f"{name} must be {wanted}, not of type {given.dtype}")
    whole_grid = grid is not None and len(grid) > 1 and given.shape[:len(grid)] == tuple(grid)
    if not whole_grid and given.shape[:1] != (n,):
        said = f"({n},)" + (f" or {tuple(grid)}" if grid is not None and len(grid) > 1 else "")
        raise ValueError(f"{name} must have one row for each of the {n} sites, shape {said} and further columns if "
                         f"any, not {given.shape}")
    if whole_grid and n != math.prod(grid):
        raise ValueError(f"{name} must have one row for each of the {n} sites, shape ({n},): the grid has holes")
    native = given.dtype.newbyteorder("=")
    known = native if native in KINDS else np.int64 if given.dtype.itemsize >= 4 else np.int32
    rows = np.ascontiguousarray(given, known).reshape(n, -1)
    if given.dtype == np.uint64 and rows.size and rows.min() < 0:
        raise ValueError(f"{name} must be below 2**63, and some are not")
    return rows, given.shape


def owned(out):
    """Return the array of what keeps its numbers in one and hands it out, as a Field does; else ``out`` itself."""
    if isinstance(out, np.ndarray) or not hasattr(out, "__array__"):
        return out
    own = np.asarray(out)
    return own if np.may_share_memory(own, np.asarray(out)) else out        # not a copy, which is another every time


def same(out, given) -> bool:
    """Tell whether two arrays are the very same memory, read in the same way."""
    return isinstance(out, np.ndarray) and (out.ctypes.data, out.shape, out.strides, out.dtype) == (
        given.ctypes.data, given.shape, given.strides, given.dtype)


def room(out, shape, dtype, *others, name: str = "out") -> np.ndarray:
    """Return the caller's array if it can take the result, or a new one.

    Parameters
    ----------
    out : ndarray or None
    shape : tuple of int
    dtype : dtype
    *others : ndarray
        What is read while ``out`` is written.
    name : str
    """
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.shape != tuple(shape) or out.dtype != dtype:
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(f"{name} must be a {np.dtype(dtype)} array of shape {tuple(shape)}, not {got}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"{name} must be C-contiguous and writeable")
    if any(np.shares_memory(out, other) for other in others if other is not None):
        raise ValueError(f"{name} must not share memory with what is read")
    return out
