"""Ties between numbered sites: frozen arrays, canonical order, look-ups."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ._slices import _frozen, _sites, _slices

__all__ = ["Ties"]


class Ties:
    """What a topology knows of its ties, wherever its sites lie and whatever they are called.

    See :class:`~organism.Topology` for the arrays, and :func:`organism._slices.sliced` for how they are made.
    """

    n_sites: int
    n_ties: int
    directed: bool
    out_degree: np.ndarray
    in_degree: np.ndarray
    out_ptr: np.ndarray
    in_ptr: np.ndarray
    out_index: np.ndarray
    in_index: np.ndarray
    in_to_out: np.ndarray
    mate: np.ndarray | None
    slot_weight: np.ndarray | None

    def _freeze(self):
        for value in self.__dict__.values():
            if isinstance(value, np.ndarray):
                _frozen(value)
        return self

    def __setattr__(self, name, value):
        raise AttributeError(f"a Topology cannot be changed; {name!r} cannot be set")

    def __delattr__(self, name):
        raise AttributeError(f"a Topology cannot be changed; {name!r} cannot be deleted")

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._freeze()

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    @cached_property
    def source(self) -> np.ndarray:
        """Giving end of every tie, int32 (n_ties,), in canonical order."""
        return _frozen(np.repeat(np.arange(self.n_sites, dtype=np.int32), self.out_degree))

    @cached_property
    def target(self) -> np.ndarray:
        """Receiving end of every tie, int32 (n_ties,), in canonical order."""
        return _frozen(self.out_index[self.out_slot])

    @cached_property
    def weight(self) -> np.ndarray | None:
        """Weight of every tie, float32 (n_ties,), in canonical order; None if all are 1."""
        return None if self.slot_weight is None else _frozen(self.slot_weight[self.out_slot])

    @cached_property
    def out_slot(self) -> np.ndarray:
        """Out-slot of every tie, int64 (n_ties,), in canonical order."""
        return _frozen(_slices(self.n_sites, self.out_degree)[2].astype(np.int64))

    @cached_property
    def in_slot(self) -> np.ndarray:
        """In-slot of every tie, int64 (n_ties,), in canonical order."""
        slot = _slices(self.n_sites, self.in_degree)[2]
        owner = np.empty(self.out_index.size, np.int64)
        owner[self.in_to_out[slot]] = slot
        return _frozen(owner[self.out_slot])

    def find_ties(self, source, target) -> np.ndarray:
        """Find ties by their ends.

        Parameters
        ----------
        source, target : array_like of int, shape (E,)
            Sites.

        Returns
        -------
        ndarray of int64, shape (E,)
            Position of each tie in canonical order, −1 where there is none.
        """
        source, target = np.broadcast_arrays(_sites("source", np.atleast_1d(source)),
                                             _sites("target", np.atleast_1d(target)))
        key, order = self._tie_keys
        wanted = source * self.n_sites + target
        real = (source >= 0) & (source < self.n_sites) & (target >= 0) & (target < self.n_sites)
        if key.size == 0:
            return np.full(wanted.shape, -1)
        at = np.minimum(np.searchsorted(key, wanted), key.size - 1)
        return np.where(real & (key[at] == wanted), at if order is None else order[at], -1)

    @cached_property
    def _tie_keys(self):
        """Tie keys in ascending order and, if canonical order differs from it, their ties."""
        key = self.source * np.int64(self.n_sites) + self.target
        order = None if (key[1:] > key[:-1]).all() else np.argsort(key)
        return key if order is None else key[order], order

    def to_sparse(self):
        """Return the weights as ``scipy.sparse.csr_array`` (N, N), row = source; ties in canonical order."""
        from scipy.sparse import csr_array

        data = np.ones(self.n_ties, np.float32) if self.weight is None else self.weight.copy()
        indptr = np.concatenate(([0], np.cumsum(self.out_degree)))
        return csr_array((data, self.target.copy(), indptr), shape=(self.n_sites, self.n_sites))
