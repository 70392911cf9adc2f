"""Sites: what they are called, which cells of a grid they are, where they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ._checks import closest
from ._slices import _frozen

__all__ = ["Places"]


class Places:
    """What a topology knows of its sites, whatever ties them; see :class:`~organism.Topology`."""

    n_sites: int
    kind: str
    shape: tuple[int, ...] | None
    torus: bool
    neighbourhood: str | None
    radius: int | None

    @property
    def site_id(self) -> np.ndarray:
        """Permanent ids, shape (N,); stored only where they differ from the sites' own numbers."""
        return _frozen(np.arange(self.n_sites)) if self._site_id is None else self._site_id

    @cached_property
    def nodes(self) -> Sequence:
        """Labels of the sites: index → node; ``(row, col)`` on a grid, the index on a ring or line."""
        if self._nodes is not None:
            return self._nodes
        return tuple(map(tuple, self.cells.tolist())) if self._is_plane else range(self.n_sites)

    @property
    def _is_plane(self) -> bool:
        """Whether the labels are cells of a grid."""
        return self._nodes is None and self.kind == "grid" and len(self.shape) == 2

    @cached_property
    def cells(self) -> np.ndarray | None:
        """Row and column of every site, int32 (N, 2), on a grid; None elsewhere."""
        if self._cells is not None or self.shape is None:
            return self._cells
        site = np.arange(self.n_sites, dtype=np.int32)
        return _frozen(np.stack(np.divmod(site, np.int32(self.shape[-1])), axis=1))

    @cached_property
    def positions(self) -> np.ndarray | None:
        """Where to draw every site, float64 (N, 2) as (x, y), or None.

        On a grid ``(col, row)``; hexagonal rows are half a cell apart and
        closer together, so that neighbours are at distance 1.
        """
        if self._positions is not None or self.cells is None:
            return self._positions
        row, col = self.cells.T.astype(float)
        if self.neighbourhood == "hexagonal":
            col, row = col + .5 * (row % 2 == 0), row * math.sqrt(.75)
        return _frozen(np.stack((col, row), axis=1))

    def index(self, node) -> int:
        """Return the site of a node label; ValueError if there is none."""
        try:
            if self._is_plane:
                row, col = node
                return self.site_at(row, col)
            return self._index[node]
        except (KeyError, TypeError, ValueError):
            known = [label for label in self._nodes or () if isinstance(label, str)]
            raise ValueError(f"{node!r} is not a node of the topology"
                             + (closest(node, known) if isinstance(node, str) else "")) from None

    @cached_property
    def _index(self) -> dict:
        return {node: k for k, node in enumerate(self.nodes)}

    def site_at(self, row, col=None):
        """Return the site in a cell of the grid; ValueError where there is none.

        Parameters
        ----------
        row, col : int or array_like of int
            Cells of the grid; one number is enough on a ring or line.

        Returns
        -------
        int or ndarray of int64
        """
        if self.shape is None:
            raise ValueError("site_at needs a grid, and this topology is none")
        if (col is None) != (len(self.shape) == 1):
            raise TypeError(f"site_at needs {len(self.shape)} number(s) on a grid of shape {self.shape}")
        where = (row,) if col is None else (row, col)
        for name, value, size in zip(("row", "col"), where, self.shape, strict=False):
            value = np.asarray(value)
            if value.dtype.kind not in "iu":
                raise TypeError(f"{name} must be a whole number in 0..{size - 1}, not of type {value.dtype}")
            bad = value[(value < 0) | (value >= size)]
            if bad.size:
                raise ValueError(f"{name} must be in 0..{size - 1}, not {bad.flat[0]}")
        site = self._site_at[where]
        if (site < 0).any():
            hole = tuple(int(np.broadcast_to(v, site.shape)[site < 0][0]) for v in where)
            raise ValueError(f"there is no site in cell {hole}: it is a hole")
        return int(site) if site.ndim == 0 else site

    @cached_property
    def _site_at(self) -> np.ndarray:
        lookup = np.full((1, *self.shape)[-2:], -1)
        lookup[tuple(self.cells.T)] = np.arange(self.n_sites)
        return _frozen(lookup.reshape(self.shape))

    def as_grid(self, values, fill=np.nan) -> np.ndarray:
        """Lay values per site out as a picture of the grid.

        Parameters
        ----------
        values : array_like, shape (N, ...)
            One entry per site.
        fill : scalar
            What to put into holes, if there are any.

        Returns
        -------
        ndarray, shape ``shape + (...)``
            Works for holes, permuted storage and Mesa grids, where a plain
            ``reshape`` does not.
        """
        if self.shape is None:
            raise ValueError("as_grid needs a grid, and this topology is none")
        values = np.asarray(values)
        if values.shape[:1] != (self.n_sites,):
            raise ValueError(f"values must have one entry per site, {self.n_sites} in all,"
                             f" not shape {values.shape}")
        whole = math.prod(self.shape) == self.n_sites
        out = np.full((*(1, *self.shape)[-2:], *values.shape[1:]), 0 if whole else fill,
                      values.dtype if whole else np.result_type(values.dtype, np.min_scalar_type(fill)))
        out[tuple(self.cells.T)] = values
        return out.reshape(*self.shape, *values.shape[1:])
