"""Where sites lie and what they are called: rows of grids, labels, positions, and their written form."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np

from ._slices import MAX_SLOTS, _count

#: Names of the grid neighbourhoods.
NEIGHBOURHOODS = ("moore", "von_neumann", "hexagonal")
#: What a topology can be made from.
KINDS = ("grid", "network", "space")
#: What is remembered of a networkx graph.
_ATTRIBUTES = {"directed", "weight", "graph", "nodes", "edges"}


def _grid_rows(height, width, neighbourhood, radius, torus, keep, ndim):
    """Return the CSR rows of a grid: ``(indptr, indices)``, rows in ascending order."""
    tables = _offsets(neighbourhood, radius, ndim)
    if torus:
        tables = [_distinct(table, height, width) for table in tables]
    k = tables[0].shape[0]
    if height * width * max(k, 1) > MAX_SLOTS:
        raise ValueError(f"a grid of {height} x {width} with {k} neighbours needs {height * width * k} tie"
                         f" slots; at most {MAX_SLOTS} can be numbered")
    row, col = np.arange(height)[:, None], np.arange(width)[:, None]
    near = np.empty((height, width, k), np.int32)
    inside = None if torus and keep is None else np.empty(near.shape, bool)
    for parity, table in enumerate(tables):
        rows = row[parity::len(tables)] + table[:, 0]
        cols = col + table[:, 1]
        block = slice(parity, None, len(tables))
        if torus:
            rows %= height
            cols %= width
        if inside is not None:
            ok = (rows >= 0) & (rows < height)
            inside[block] = ok[:, None] & ((cols >= 0) & (cols < width))
        near[block] = (rows * width).astype(np.int32)[:, None] + cols.astype(np.int32)
    if torus:
        # Offsets ascend, so only rows whose neighbours wrapped are out of order.
        for edge in (near[:radius], near[-radius:], near[:, :radius], near[:, -radius:]):
            edge.sort(axis=-1)
    near = near.reshape(height * width, k)
    if inside is None:
        return k * np.arange(len(near) + 1), near.ravel()
    inside = inside.reshape(near.shape)
    if keep is not None:
        keep = keep.ravel()
        number = np.cumsum(keep, dtype=np.int32) - 1
        near, inside = near[keep], inside[keep]
        near[~inside] = 0
        inside &= keep[near]
        near = number[near]
    return np.concatenate(([0], np.cumsum(inside.sum(axis=1)))), near[inside]


def _offsets(neighbourhood, radius, ndim):
    """Return the (row, column) offsets of the neighbours, ascending: one table, or one by row parity."""
    steps = range(-radius, radius + 1)
    if ndim == 1:
        return [np.array([(0, c) for c in steps if c])]
    square = [(r, c) for r in steps for c in steps if (r, c) != (0, 0)]
    if neighbourhood == "moore":
        return [np.array(square)]
    if neighbourhood == "von_neumann":
        return [np.array([(r, c) for r, c in square if abs(r) + abs(c) <= radius])]
    # Axial steps (r, q) turned into offset columns; even rows lie half a cell to the right.
    axial = [(r, q) for r, q in square if abs(r + q) <= radius]
    return [np.array(sorted((r, q - parity + (parity + r + (parity + r) % 2) // 2) for r, q in axial))
            for parity in (0, 1)]


def _distinct(table, height, width):
    """Drop offsets that lead home or to the same cell of a small torus as an earlier one."""
    where = table[:, 0] % height * width + table[:, 1] % width
    first = np.sort(np.unique(where, return_index=True)[1])
    return table[first[where[first] != 0]]


def _labels(values, n: int | None = None, name: str = "nodes") -> tuple:
    """Return ``n`` node labels as a tuple, refusing repeated and unhashable ones."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a sequence of labels, not {values!r}")
    labels = tuple(values)
    if n is not None and len(labels) != n:
        raise ValueError(f"{name} must hold one label per site, {n} in all, not {len(labels)}")
    seen = set()
    for label in labels:
        try:
            if label in seen:
                raise ValueError(f"{name} must be unique; {label!r} occurs more than once")
            seen.add(label)
        except TypeError:
            raise TypeError(f"{name} must be hashable, and {label!r} is not") from None
    if None in seen:
        raise ValueError(f"{name} must not hold None, which networkx cannot have as a node")
    return labels


def _positions(values):
    """Return positions (N, 2) if every one is a pair of finite numbers, else None."""
    try:
        array = np.array(values, float)
    except (TypeError, ValueError):
        return None
    return array if array.ndim == 2 and array.shape[1] == 2 and np.isfinite(array).all() else None


def _graph_attributes(G, weight):  # noqa: N803
    """Copy the attributes of a graph, its nodes and its edges."""
    return {
        "directed": G.is_directed(), "weight": weight, "graph": dict(G.graph),
        "nodes": {node: dict(d) for node, d in G.nodes(data=True) if d},
        "edges": {(u, v): dict(d) for u, v, d in G.edges(data=True) if d},
    }


def _space_positions(space, cells):
    """Return where a Network or VoronoiGrid has its cells, or None."""
    if hasattr(space, "centroids_coordinates"):
        return _positions(list(space.centroids_coordinates))
    layout = _positions([getattr(cell, "_position", None) for cell in cells.values()])
    if layout is None and hasattr(getattr(space, "G", None), "adj"):
        layout = _positions([space.G.nodes[node].get("pos") for node in cells])
    return layout


def _same(a, b) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))


def _check_layout(n: int, about: dict):
    """Refuse a saved description that does not describe ``n`` sites."""
    shape, cells, radius = about["shape"], about["_cells"], about["radius"]
    if about["_nodes"] is not None:
        _labels(about["_nodes"], n)
    if about["_attributes"] is not None and set(about["_attributes"]) != _ATTRIBUTES:
        raise ValueError("its attributes are unknown")
    if (about["kind"] not in KINDS or (about["kind"] == "grid" and shape is None)
            or type(about["torus"]) is not bool or about["neighbourhood"] not in (None, *NEIGHBOURHOODS)
            or not (radius is None or _count("radius", radius, 1))):
        raise ValueError("its layout is unknown")
    for name, kinds in (("_cells", "iu"), ("_positions", "f")):
        array = about[name]
        if array is not None and (array.shape != (n, 2) or array.dtype.kind not in kinds
                                  or not np.isfinite(array).all()):
            raise ValueError(f"its {name[1:]} have shape {array.shape} and type {array.dtype}")
    if shape is None:
        fits = cells is None
    else:
        size = [_count("shape", side, 1) for side in shape]
        fits = len(size) in (1, 2) and (math.prod(size) == n if cells is None else bool(
            cells.min() >= 0 and (cells < [1, *size][-2:]).all() and len(np.unique(cells, axis=0)) == n))
    if not fits:
        raise ValueError(f"its shape {shape} does not fit its cells")


def _encode(value, what: str):
    """Turn a label or attribute into JSON values, keeping the types that networkx graphs use."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is np.ndarray:
        return {"array": [_encode(value.tolist(), what)]}
    if type(value) in (tuple, list, set, frozenset):
        return {type(value).__name__: [_encode(item, what) for item in value]}
    if type(value) is dict:
        return {"dict": [[_encode(k, what), _encode(v, what)] for k, v in value.items()]}
    raise TypeError(f"{what} {value!r} of type {type(value).__name__} cannot be saved; labels may be numbers,"
                    " strings, booleans or tuples of them")


def _decode(value):
    """Undo `_encode`."""
    if not isinstance(value, dict):
        return value
    (kind, items), = value.items()
    if kind == "dict":
        return {_decode(k): _decode(v) for k, v in items}
    make = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset,
            "array": lambda items: np.array(*items)}[kind]
    return make([_decode(item) for item in items])


def _encode_attributes(attributes):
    """Encode the attributes of a graph, leaving out what has no JSON form."""
    lost = set()

    def kept(mapping):
        out = {}
        for name, value in mapping.items():
            try:
                _encode(name, "attribute"), _encode(value, "attribute")
                out[name] = value
            except TypeError:
                lost.add(str(name))
        return out

    plain = attributes | {"graph": kept(attributes["graph"])} | {
        part: {key: kept(value) for key, value in attributes[part].items()} for part in ("nodes", "edges")}
    if lost:
        warnings.warn(f"graph attributes that cannot be saved are left out: {', '.join(sorted(lost))}",
                      stacklevel=3)
    return _encode(plain, "attribute")
