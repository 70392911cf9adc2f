"""Mesa spaces that match a topology: cells connected as the ties run."""

from __future__ import annotations

import inspect

import numpy as np
from mesa.discrete_space import (
    Cell,
    DiscreteSpace,
    HexGrid,
    Network,
    OrthogonalMooreGrid,
    OrthogonalVonNeumannGrid,
)

__all__ = ["build_space"]

#: Mesa's grids by the name of the neighbourhood; the first also draws rings and lines.
GRIDS = {None: OrthogonalVonNeumannGrid, "von_neumann": OrthogonalVonNeumannGrid,
         "moore": OrthogonalMooreGrid, "hexagonal": HexGrid}


def build_space(topology, random) -> tuple[DiscreteSpace, list[Cell]]:
    """Build a Mesa space for a topology; return it with its cells in the order of the sites."""
    if topology.cells is None:
        space = _build_network(topology, random)
        cells = [space[site] for site in range(topology.n_sites)]
        size = None
    else:
        space = _build_grid(topology, random)
        cells = [space[col, row] for row, col in topology.cells.tolist()]
        size = space.dimensions if topology.torus else (0, 0)
    for hole in set(space).difference(cells):
        hole.connections.clear()
    # Mesa connects plain neighbourhoods as the ties run; where it does not, its connections are replaced.
    first = np.concatenate(([0], np.cumsum(topology.out_degree)))
    target = topology.target.tolist()
    for site, cell in enumerate(cells):
        others = [cells[j] for j in target[first[site]:first[site + 1]]]
        if set(cell.connections.values()) != set(others):
            cell.connections.clear()
            for other in others:
                cell.connect(other, None if size is None else _steps(cell.coordinate, other.coordinate, size))
    return space, cells


def _steps(here, there, size) -> tuple[int, ...]:
    """Return the shortest way from cell to cell along each axis; size 0 does not wrap."""
    return tuple((b - a + n // 2) % n - n // 2 if n else b - a
                 for a, b, n in zip(here, there, size, strict=True))


def _build_grid(topology, random) -> DiscreteSpace:
    """Build a Mesa grid of the topology's size and kind; rings and lines are one row."""
    height, width = (1, *topology.shape)[-2:]
    kind = GRIDS[topology.neighbourhood]
    # Mesa 4 refuses a hexagonal torus of odd width.
    torus = topology.torus and not (kind is HexGrid and width % 2)
    return kind((width, height), torus=torus, random=random)


def _build_network(topology, random) -> Network:
    """Build a Mesa network whose graph Mesa can draw: its nodes must be indices, its edges undirected."""
    import networkx as nx

    graph = nx.empty_graph(topology.n_sites)
    graph.add_edges_from(zip(topology.source.tolist(), topology.target.tolist(), strict=True))
    layout = {}
    if "layout" in inspect.signature(Network).parameters:  # Mesa 3.5 and later; 3.3 lays out when it draws
        if topology.positions is not None:
            layout = {"layout": dict(enumerate(topology.positions))}
        elif topology.n_sites <= 1000:
            layout = {"layout": nx.spring_layout(graph, seed=0)}
    return Network(graph, random=random, **layout)
