"""What a topology is made from: arguments of its constructors, checked and turned into ties."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ._checks import closest
from ._layouts import NEIGHBOURHOODS, _graph_attributes, _grid_rows, _labels, _positions, _space_positions
from ._slices import _count, _edges, _weights

__all__ = ["graph_ties", "grid_rows", "matrix_ties", "space_ties"]

#: Mesa's grids by class name, so that Mesa need not be imported.
_MESA_GRIDS = {"OrthogonalMooreGrid": "moore", "OrthogonalVonNeumannGrid": "von_neumann",
               "HexGrid": "hexagonal"}


def grid_rows(shape, neighbourhood, radius, torus, holes):
    """Return the CSR rows of a grid, and what describes it."""
    if isinstance(shape, (str, bytes)) or not isinstance(shape, (Sequence, np.ndarray)) \
            or len(shape) not in (1, 2):
        raise TypeError(f"shape must be (height, width), or (length,) for a ring or line, not {shape!r}")
    shape = tuple(_count(f"shape[{k}]", size, 1) for k, size in enumerate(shape))
    if neighbourhood not in NEIGHBOURHOODS:
        raise ValueError(f"neighbourhood must be one of {', '.join(NEIGHBOURHOODS)},"
                         f" not {neighbourhood!r}{closest(neighbourhood, NEIGHBOURHOODS)}")
    radius = _count("radius", radius, 1)
    if radius > max(shape):
        raise ValueError(f"radius must be in 1..{max(shape)} on a grid of shape {shape}, not {radius}")
    if not isinstance(torus, (bool, np.bool_)):
        raise TypeError(f"torus must be true or false, not {torus!r}")
    height, width = (1, *shape)[-2:]
    if neighbourhood == "hexagonal":
        if len(shape) == 1:
            raise ValueError(f"a hexagonal grid needs a (height, width), not shape {shape}")
        if torus and height % 2:
            raise ValueError(f"a hexagonal torus needs an even height, not {height}")
    keep = None
    if holes is not None:
        holes = np.asarray(holes)
        if holes.dtype != bool:
            raise TypeError(f"holes must be a mask of true and false, not {holes.dtype}")
        if holes.shape != shape:
            raise ValueError(f"holes must have the grid's shape {shape}, not {holes.shape}")
        keep = ~holes.reshape(height, width)
        if not keep.any():
            raise ValueError("a topology needs at least one site, and holes covers them all")
        keep = None if keep.all() else keep
    indptr, indices = _grid_rows(height, width, neighbourhood, radius, bool(torus), keep, len(shape))
    cells = None if keep is None else np.argwhere(keep).astype(np.int32)
    return indptr, indices, {"kind": "grid", "shape": shape, "torus": bool(torus), "radius": radius, "_cells": cells,
                             "neighbourhood": neighbourhood if len(shape) == 2 else None}


def matrix_ties(A):  # noqa: N803
    """Return the number of sites, sources, targets and weights of a square matrix."""
    dense = not hasattr(A, "tocoo")
    matrix = np.asarray(A) if dense else A
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"A must be square, not of shape {matrix.shape}")
    if matrix.shape[0] == 0:
        raise ValueError("a topology needs at least one site; A has none")
    if matrix.dtype.kind not in "biuf":
        raise TypeError(f"A must hold numbers, not {matrix.dtype}")
    if dense:
        source, target = np.nonzero(matrix)
        weight = matrix[source, target]
    else:
        coo = matrix.tocsr().tocoo()
        source, target, weight = coo.row, coo.col, coo.data
    if weight.dtype.kind == "b":
        weight = weight.astype(np.int8)
    real = (source != target) | (weight != 0)
    return matrix.shape[0], *_edges(matrix.shape[0], source[real], target[real], weight[real])


def graph_ties(G, weight, order):  # noqa: N803
    """Return the ties of a networkx graph, and what describes it, as ``Topology._from_ties`` takes them."""
    if not (hasattr(G, "is_multigraph") and hasattr(G, "adj")):
        raise TypeError(f"G must be a networkx graph, not {type(G).__name__}")
    nodes = _labels(G.nodes if order is None else order, name="order")
    n = G.number_of_nodes()
    if n == 0:
        raise ValueError("the graph has no nodes; a topology needs at least one")
    index = {node: k for k, node in enumerate(nodes)}
    if order is not None:
        stray = next((node for node in nodes if node not in G), None)
        if stray is not None:
            raise ValueError(f"order names {stray!r}, which is not a node of the graph"
                             + closest(stray, G.nodes))
        if len(nodes) != n:
            missing = next(node for node in G if node not in index)
            raise ValueError(f"order must name every node of the graph; {missing!r} is missing")
    edges = list(G.edges())
    ends = np.fromiter((index[node] for edge in edges for node in edge), np.int64, 2 * len(edges))
    source, target = ends[::2], ends[1::2]
    values = None
    if weight is not None and edges:
        data = [d for *_, d in G.edges(data=True)]
        names = {name for d in data for name in d}
        if weight not in names:
            raise ValueError(f"no edge of the graph has the attribute {weight!r} to be read as weight"
                             + closest(weight, names))
        values = _weights([d.get(weight, 1) for d in data], len(edges),
                          lambda k: f"({edges[k][0]!r}, {edges[k][1]!r})")
    plain = "nx.DiGraph(G)" if G.is_directed() else "nx.Graph(G)"
    return (n, source, target, values, G.is_directed()), {
        "nodes": nodes, "repeated": f"merge them first, for example with {plain}",
        "loops": "remove self-loops with G.remove_edges_from(list(nx.selfloop_edges(G)))",
        "_positions": _positions([G.nodes[node].get("pos") for node in nodes]),
        "_attributes": _graph_attributes(G, weight)}


def space_ties(space):
    """Return the ties of a Mesa space, and what describes it, as ``Topology._from_ties`` takes them."""
    cells = getattr(space, "_cells", None)
    if not isinstance(cells, dict) or not all(hasattr(cell, "connections") for cell in cells.values()):
        raise TypeError(f"space must be a Mesa discrete_space, not {type(space).__name__}")
    if not cells:
        raise ValueError("the space has no cells; a topology needs at least one")
    nodes, number = _labels(cells), {id(cell): k for k, cell in enumerate(cells.values())}
    size = getattr(space, "dimensions", None)
    source, target = [], []
    for k, cell in enumerate(cells.values()):
        # A dict, for a small torus reaches one cell in several directions.
        near = {id(other): other for other in cell.connections.values()}
        if size is not None:
            near.pop(id(cell), None)
        for key, other in near.items():
            if key not in number:
                raise ValueError(f"cell {nodes[k]!r} is connected to {other.coordinate!r},"
                                 " which is not in the space")
            source.append(k)
            target.append(number[key])
    about = {"kind": "space", "torus": bool(getattr(space, "torus", False))}
    if size is not None and len(size) <= 2:
        place = np.zeros((len(nodes), 2), np.int32)
        place[:, -len(size):] = np.array(nodes)[:, ::-1]
        about["shape"], about["_cells"] = tuple(int(length) for length in size)[::-1], place
        names = {base.__name__ for base in type(space).__mro__}
        about["neighbourhood"] = next((to for name, to in _MESA_GRIDS.items() if name in names), None)
        about["radius"] = 1 if about["neighbourhood"] else None
    elif size is None:
        about["_positions"] = _space_positions(space, cells)
        if hasattr(getattr(space, "G", None), "adj"):
            about["_attributes"] = _graph_attributes(space.G, None)
    return (len(nodes), np.array(source, np.int64), np.array(target, np.int64), None), {
        "nodes": nodes, "repeated": "", "loops": "disconnect the cell from itself", **about}


def to_graph(topology):
    """Return a topology as a networkx graph; see :meth:`organism.Topology.to_networkx`."""
    import networkx as nx

    old = topology._attributes or {}
    directed = old.get("directed") or topology.directed
    source, target, weight = topology.source, topology.target, topology.weight
    if not directed and weight is not None:
        directed = not np.array_equal(weight, weight[topology.find_ties(target, source)])
    if not directed:
        once = source < target
        source, target = source[once], target[once]
        weight = None if weight is None else weight[once]
    graph = nx.DiGraph() if directed else nx.Graph()
    nodes = topology.nodes
    graph.add_nodes_from(nodes)
    ends = ([nodes[k] for k in end.tolist()] for end in (source, target))
    if weight is None:
        graph.add_edges_from(zip(*ends, strict=True))
    else:
        graph.add_weighted_edges_from(zip(*ends, weight.tolist(), strict=True),
                                      weight=old.get("weight") or "weight")
    graph.graph.update(old.get("graph", {}))
    for node, attributes in old.get("nodes", {}).items():
        if node in graph:
            graph.nodes[node].update(attributes)
    for edge, attributes in old.get("edges", {}).items():
        if graph.has_edge(*edge):
            graph.edges[edge].update(attributes)
    return graph
