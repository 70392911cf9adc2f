"""Where sites lie and what they are called: rows of grids, labels, positions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ._slices import MAX_SLOTS

#: Names of the grid neighbourhoods.
NEIGHBOURHOODS = ("moore", "von_neumann", "hexagonal")
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
