"""Rows of ties in the sliced storage of the kernel, and the checks of ties that are given.

The storage is described in topology.py.
"""

from __future__ import annotations

import math
import numbers

import numpy as np

#: Sites in one slice of the sliced storage: the lanes of one vector register.
LANES = 16
#: Slots and sites are numbered in 32 bits; the last slice of slots is the sentinel.
MAX_SLOTS = 2**31 - 1 - LANES
#: Largest tie weight: products with it stay within float32.
MAX_WEIGHT = np.float64(1e30)


def aligned(shape, dtype, fill=0) -> np.ndarray:
    """Make an array that starts on a cache line, so that a slice of a plane touches no line twice."""
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.__array_interface__["data"][0] % 64
    array = raw[start:start + size].view(dtype).reshape(shape)
    if fill:
        array.fill(fill)
    return array


def _frozen(array):
    """Make an array read-only, so that nothing derived from it can go stale."""
    array.flags.writeable = False
    return array


def _slices(n: int, degree: np.ndarray, site: np.ndarray | None = None):
    """Lay rows out in slices; rows are given in id order, ``site`` is where each is stored.

    Returns the slice pointers (S+1,), the degrees in storage order (N,) and the
    slot of every tie, row by row in id order.
    """
    place = np.arange(n) if site is None else site
    stored = np.zeros(-(-n // LANES) * LANES, np.int32)
    stored[place] = degree
    width = stored.reshape(-1, LANES).max(axis=1).astype(np.int64)
    ptr = np.concatenate(([0], np.cumsum(LANES * width)))
    if ptr[-1] > MAX_SLOTS:
        raise ValueError(f"the topology needs {ptr[-1]} tie slots; at most {MAX_SLOTS} can be numbered")
    # 32 bits throughout: what overflows on the way wraps back, for every slot fits.
    start = np.cumsum(degree, dtype=np.int64) - degree
    slot = np.repeat((ptr[place // LANES] + place % LANES - LANES * start).astype(np.int32), degree)
    step = np.arange(slot.size, dtype=np.int32)
    step *= LANES
    slot += step
    return ptr, stored[:n], slot


def _filled(size: int, slot: np.ndarray, values: np.ndarray, pad) -> np.ndarray:
    """Spread tie values over ``size`` slots and a sentinel slice, padding the rest."""
    out = aligned((size + LANES,), values.dtype, pad)
    out[slot] = values
    return out


def _reverse(n: int, indptr, indices, csc, in_slot, none: int) -> np.ndarray:
    """Find the in-slot of the reverse of every tie, ``none`` where it has no reverse."""
    row = np.arange(n, dtype=np.int64) * n
    wanted = np.repeat(row, np.diff(indptr)) + indices
    known = np.repeat(row, np.diff(csc.indptr)) + csc.indices
    at = np.minimum(np.searchsorted(known, wanted), known.size - 1)
    return np.where(known[at] == wanted, in_slot[at], none).astype(np.int32)


def sliced(n: int, indptr, indices, weight=None, site_id=None) -> dict:
    """Return all arrays of a topology, by name, from CSR rows given in permanent-id order."""
    from scipy.sparse import csr_array

    if site_id is None or (site_id[1:] > site_id[:-1]).all():
        site = None
    else:
        site = np.argsort(site_id)
    sentinel = -(-n // LANES) * LANES
    stored = np.asarray if site is None else site.astype(np.int32).__getitem__
    ptr, degree, slot = _slices(n, np.diff(indptr), site)
    index = _filled(ptr[-1], slot, stored(indices), sentinel)

    # Transposition is a counting sort, so columns come out in id order as well.
    tie = np.arange(indices.size, dtype=np.int32)
    csc = csr_array((tie, indices, indptr.astype(np.int32)), shape=(n, n)).tocsc()
    directed = not (np.array_equal(csc.indptr, indptr) and np.array_equal(csc.indices, indices))
    if directed:
        in_ptr, in_degree, in_slot = _slices(n, np.diff(csc.indptr), site)
        in_index = _filled(in_ptr[-1], in_slot, stored(csc.indices), sentinel)
        mate = _filled(ptr[-1], slot, _reverse(n, indptr, indices, csc, in_slot, in_ptr[-1]), in_ptr[-1])
    else:
        in_ptr, in_degree, in_slot, in_index, mate = ptr, degree, slot, index, None
    back = csc.data
    del tie, csc

    plain = site is None and (site_id is None or site_id[-1] == n - 1)
    return dict(
        n_sites=n, n_ties=indices.size, directed=directed,
        _site_id=None if plain else np.array(site_id, np.int64),
        out_ptr=ptr, out_index=index, out_degree=degree,
        in_ptr=in_ptr, in_index=in_index, in_degree=in_degree,
        in_to_out=_filled(in_ptr[-1], in_slot, slot[back], ptr[-1]), mate=mate,
        slot_weight=None if weight is None else _filled(ptr[-1], slot, weight, 0),
    )


def _rows(n: int, source, target, weight, name, repeated: str, loops: str):
    """Sort checked ties into CSR rows ``(indptr, indices, weight)``; refuse loops and repeats.

    ``name(i)`` says which node index ``i`` is; ``repeated`` and ``loops`` say how
    to get rid of what is refused.
    """
    loop = np.flatnonzero(source == target)
    if loop.size:
        raise ValueError(f"node {name(source[loop[0]])} has a self-loop, and nobody can feed itself"
                         f" across a tie; {loops}")
    key = source * np.int64(n) + target
    if not (key[1:] > key[:-1]).all():
        if weight is None:
            key.sort()
        else:
            order = np.argsort(key)
            key, weight = key[order], weight[order]
        again = np.flatnonzero(key[1:] == key[:-1])
        if again.size:
            i, j = divmod(int(key[again[0]]), n)
            raise ValueError(f"edge ({name(i)}, {name(j)}) occurs more than once, and ties cannot be"
                             f" parallel; {repeated}")
        source, target = np.divmod(key, n)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(source, minlength=n))))
    return indptr, target.astype(np.int32), weight


def _weights(values, n: int, edge) -> np.ndarray | None:
    """Check tie weights and return them as float32, or None if all are 1.

    ``edge(k)`` names the k-th edge.
    """
    if not isinstance(values, np.ndarray) or values.dtype == object:
        values = np.ravel(values).tolist() if isinstance(values, np.ndarray) else list(values)
        for k, value in enumerate(values[:n]):
            if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
                raise TypeError(f"weight of edge {edge(k)} must be a number >= 0, not {value!r}")
        values = np.array([value if isinstance(value, float) else _float(value) for value in values], float)
    if values.shape != (n,):
        raise ValueError(f"weight must hold one number per edge, shape ({n},), not {values.shape}")
    if n and values.dtype.kind not in "iuf":
        raise TypeError(f"weight of edge {edge(0)} must be a number >= 0, not {values.tolist()[0]!r}")
    bad = np.flatnonzero(~((values >= 0) & (values <= MAX_WEIGHT)))
    if bad.size:
        raise ValueError(f"weight of edge {edge(bad[0])} must be in [0, {MAX_WEIGHT:.3g}],"
                         f" not {values[bad[0]].item()!r}")
    return None if (values == 1).all() else values.astype(np.float32)


def _float(value: numbers.Real) -> float:
    """Return a number as a float, infinite where an int is too long for one."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _sites(name: str, values) -> np.ndarray:
    """Return site indices as an int64 vector, refusing anything but whole numbers."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a vector of site indices, not an array of shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        bad = next((v for v in array.tolist() if isinstance(v, bool) or not isinstance(v, int)), values)
        raise TypeError(f"{name} must hold site indices (whole numbers), not {bad!r}")
    return array.astype(np.int64)


def _ids(site_id, n: int) -> np.ndarray:
    """Check permanent ids: one per site, distinct and >= 0."""
    site_id = _sites("site_id", site_id)
    if site_id.shape != (n,):
        raise ValueError(f"site_id must hold one id per site, {n} in all, not {site_id.size}")
    if site_id.min() < 0:
        raise ValueError(f"site_id must hold numbers >= 0, not {site_id.min()}")
    ids, count = np.unique(site_id, return_counts=True)
    if ids.size < n:
        raise ValueError(f"site_id must not repeat; {ids[count > 1][0]} occurs more than once")
    return site_id


def _edges(n: int, source, target, weight):
    """Check edges between ``n`` sites: indices in range, weights finite and >= 0."""
    source, target = _sites("source", source), _sites("target", target)
    if source.shape != target.shape:
        raise ValueError(f"source and target must be equally long, not {source.size} and {target.size}")
    for name, ends in (("source", source), ("target", target)):
        bad = np.flatnonzero((ends < 0) | (ends >= n))
        if bad.size:
            raise ValueError(f"{name}[{bad[0]}] must be a site index in 0..{n - 1}, not {ends[bad[0]]}")
    if weight is not None:
        weight = _weights(weight, source.size, lambda k: f"{k} ({source[k]}, {target[k]})")
    return source, target, weight


def _count(name: str, value, low: int) -> int:
    """Return a whole number that is at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number >= {low}, not {value!r}")
    if value < low:
        raise ValueError(f"{name} must be a whole number >= {low}, not {value!r}")
    return int(value)
