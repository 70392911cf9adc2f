"""Layers of Mesa grids as arrays, whichever Mesa keeps them, and the ties of a space in their order."""

from __future__ import annotations

import numpy as np
from mesa.discrete_space import DiscreteSpace

from ..topology import Topology

__all__ = ["check_space", "create_layer", "find_layer", "has_layers", "place_of", "space_topology", "start_value"]


def _layers(grid) -> dict | None:
    """Return a grid's layers by name, None of a space that has none: arrays in Mesa 4, objects before."""
    own = vars(grid)
    return next((own[name] for name in ("property_layers", "_mesa_property_layers")
                 if isinstance(own.get(name), dict)), None)


def check_space(space, name: str) -> None:
    """Refuse what is no space of Mesa's."""
    if not isinstance(space, DiscreteSpace):
        raise TypeError(f"{name} must be a space of mesa.discrete_space, not {type(space).__name__}")


def has_layers(space) -> bool:
    """Tell whether the space keeps layers."""
    return _layers(space) is not None


def find_layer(grid, name: str) -> np.ndarray | None:
    """Return the memory of a layer as it is now, None if there is none of this name.

    Mesa 3.3 puts another array in its place at times, so none is to be kept for long.
    """
    layer = _layers(grid).get(name)
    if layer is None:
        return None
    if not isinstance(layer, np.ndarray):
        return layer.data
    if vars(grid).get(name) is not layer:
        raise ValueError(f"grid.{name} was set to something else than its layer, which cells would not see: set it back"
                         f" to grid.property_layers[{name!r}] and write with grid.{name}[...] = values")
    return layer


def start_value(default, dtype: np.dtype):
    """Return what fills a new layer as a number of a type, or say in one sentence why it cannot."""
    value = np.asarray(default)
    if value.ndim or value.dtype.kind not in "biuf" or not np.isfinite(value):
        raise ValueError(f"default must be a finite number, not {default!r:.60}")
    if dtype.kind not in "biuf":
        raise TypeError(f"dtype must be a type of numbers or bool, not {dtype}")
    with np.errstate(over="ignore", invalid="ignore"):
        filled = value.astype(dtype)[()]
    if not np.isfinite(filled) or (dtype.kind != "f" and filled != value):
        raise ValueError(f"default must fit the type {dtype}, and {default!r} does not")
    return filled


def create_layer(grid, name: str, default, dtype: np.dtype) -> None:
    """Give a grid a layer, or say in one sentence why it cannot have it."""
    if hasattr(type(next(iter(grid))), name) or hasattr(grid, name):
        raise ValueError(f"name must not be {name!r}, which grids or their cells have as an attribute already")
    grid.create_property_layer(name, default_value=start_value(default, dtype), dtype=dtype.type)


def place_of(space, cell, places: dict):
    """Return where a cell is in arrays of a space: its coordinate on grids, else its place in the space's order.

    Parameters
    ----------
    space : mesa.discrete_space.DiscreteSpace
    cell : Cell, or key of a cell in the space
    places : dict
        Place by identity of the cell, for spaces that are no grids.
    """
    cells = space._cells
    if not hasattr(cell, "connections"):
        try:
            cell = cells[cell]
        except (KeyError, TypeError):
            raise ValueError(f"{cell!r:.60} is no cell of the space, nor where one is") from None
    if not places:
        if cells.get(cell.coordinate) is cell:
            return cell.coordinate
    elif id(cell) in places:
        return places[id(cell)]
    raise ValueError(f"cell {cell.coordinate} is not in this space, or was not when it was attached")


def space_topology(space) -> Topology:
    """Return the ties of a space, with the sites and the shape of its layers: site i is element i of a raveled one.

    Cell (x, y) of a grid is site x · height + y. `Topology.from_space` numbers them so too, but has the shape of a
    picture, (height, width), where a layer has (width, height).

    Parameters
    ----------
    space : mesa.discrete_space.DiscreteSpace

    Returns
    -------
    Topology
        Of kind "grid" where cells are connected as on a plain grid, which is faster to walk.
    """
    found, size = Topology.from_space(space), getattr(space, "dimensions", None)
    if size is None or len(size) != 2:
        return found
    size = tuple(map(int, size))
    if found.neighbourhood in ("moore", "von_neumann"):
        plain = Topology.grid(size, found.neighbourhood, torus=found.torus)
        if np.array_equal(plain.out_ptr, found.out_ptr) and np.array_equal(plain.out_index, found.out_index):
            return plain
    return found._again(found.source, found.target, None, shape=size, neighbourhood=None, radius=None,
                        _cells=np.ascontiguousarray(found.cells[:, ::-1]), _positions=found.positions)
