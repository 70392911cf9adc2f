"""A live array over the cells of a Mesa space."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..interact import diffuse, flow, regrow
from ..topology import Topology
from ._layers import check_space, create_layer, find_layer, has_layers, place_of, space_topology, start_value

__all__ = ["Field"]


def _ties(space, topology) -> Topology:
    """Return the ties of a space, or those given instead if there is a site for each cell."""
    if topology is None:
        return space_topology(space)
    n = len(space._cells)
    if not isinstance(topology, Topology):
        raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
    if topology.n_sites != n:
        raise ValueError(f"topology has {topology.n_sites} sites and the space {n} cells; each cell needs its site")
    if has_layers(space) and topology.kind == "grid" and len(topology.shape) == 2 \
            and topology.shape != tuple(space.dimensions):
        raise ValueError(f"topology has shape {topology.shape} and layers of this grid {tuple(space.dimensions)}; "
                         "its sites must be in the order of a raveled layer")
    return topology


class Field:
    """One number a cell: a Mesa grid's layer, or an array of its own on spaces that have no layers.

    Made by `attach`. The functions of :mod:`organism.interact` take it as values (of a grid of three or more dimensions
    its `values`), and the methods below step it in place::

        field = Field.attach(grid, "sugar")
        field.regrow(1, capacity=4)
        field.diffuse(.05, steps=3)
        near = interact.neighbour_sum(field.topology, field)

    What is in a cell is ``field[cell]``, and on grids also ``cell.sugar``: one memory, read and written from both
    sides.

    Attributes
    ----------
    space : mesa.discrete_space.DiscreteSpace
    name : str
    dtype : numpy.dtype
    topology : Topology
        Ties among the cells as they were when the field was attached or last refreshed, in the order of `values`;
        of the shape of the layer, (width, height).

    Notes
    -----
    A host that connects or disconnects cells, or adds or removes some, calls `refresh` then. Cells that came or went
    in a space without layers are noticed, and steps are refused until then; other connections are not, since looking
    at all of them would take longer than a step, and the field goes on along those it knows.

    A copied or unpickled host has a copy of the field on its own space. There Mesa itself (3.3 to 4.0.0a0) loses
    ``cell.name`` for all cells of a grid but one; ``field[cell]`` keeps working. And where agents had asked for
    neighbourhoods, a deep copy by Mesa 3.3 and 3.5 may leave some in cells that are not in the grid, which the field
    refuses; a pickled copy is sounder.

    Examples
    --------
    >>> import mesa
    >>> from mesa.discrete_space import OrthogonalMooreGrid
    >>> grid = OrthogonalMooreGrid((4, 3), torus=True, random=mesa.Model(rng=1).random)
    >>> field = Field.attach(grid, "sugar")
    >>> cell = grid[2, 1]
    >>> cell.sugar = 8.
    >>> float(field[cell]), float(field.array[2, 1])
    (8.0, 8.0)
    >>> field.diffuse(.125)
    >>> float(cell.sugar), float(grid[1, 1].sugar)
    (0.0, 1.0)
    """

    def __init__(self):
        raise TypeError("make a Field with Field.attach")

    @classmethod
    def attach(cls, grid, name: str, default=0.0, dtype=None, topology: Topology | None = None) -> Field:
        """Take the layer of a grid, or make it if the grid has none of this name.

        Parameters
        ----------
        grid : mesa.discrete_space.DiscreteSpace
            A grid. A network or Voronoi space has no layers: there the field owns an array in the order of the space's
            cells, a new one every time.
        name : str
            Of the layer.
        default : float
            What fills a layer that is made.
        dtype : numpy type, optional
            Float64 for a layer that is made; of one that is there, its own and no other. In the machine's byte order.
        topology : Topology, optional
            Other ties among the cells than the space's own; one site a cell, in the space's order.

        Returns
        -------
        Field

        Raises
        ------
        TypeError, ValueError
            In one sentence, if something does not fit; the grid is as it was then.
        """
        check_space(grid, "grid")
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"name must be a string that can name an attribute of cells, not {name!r:.60}")
        topology = _ties(grid, topology)
        wanted = np.dtype(np.float64 if dtype is None else dtype).newbyteorder("=")
        self = object.__new__(cls)
        self.space, self.name, self.topology, self._own, self._seen = grid, name, topology, None, (None, None)
        self._cells = ()        # of a space without layers, so that nobody else gets their places
        if not has_layers(grid):
            self._start, self._cells = start_value(default, wanted), tuple(grid._cells.values())
            self.dtype, self._own = wanted, np.full(len(self._cells), self._start)
            return self
        layer = find_layer(grid, name)
        if layer is None:
            create_layer(grid, name, default, wanted)
            layer = find_layer(grid, name)
        elif dtype is not None and layer.dtype != wanted:
            raise ValueError(f"dtype is {wanted}, and the layer {name!r} is there with {layer.dtype}; leave dtype out "
                             "to take it as it is")
        self.dtype = layer.dtype
        self._look(layer)
        return self

    @cached_property
    def _places(self) -> dict[int, int]:
        """Place of each cell by its identity; none on grids, where cells know it."""
        return {id(cell): k for k, cell in enumerate(self._cells)}

    def _look(self, layer):
        """Check a layer that is another than last time, and make a flat view of it, the same one every time."""
        shape = tuple(self.space.dimensions)
        if layer.dtype != self.dtype or layer.shape != shape:
            raise ValueError(f"layer {self.name!r} is now of type {layer.dtype} and shape {layer.shape}, and the field "
                             f"was attached to {self.dtype} and {shape}; attach it anew")
        if not layer.flags.c_contiguous:
            raise ValueError(f"layer {self.name!r} is not C-contiguous, so it cannot be stepped in place; give the "
                             "grid a copy made by numpy.ascontiguousarray")
        self._seen = layer, layer.reshape(-1)

    @property
    def array(self) -> np.ndarray:
        """The memory itself, never a copy: of the grid's shape (width, height), elsewhere (n_cells,).

        Looked up at every call, since a host may put another layer in its place, and Mesa 3.3 does so in
        ``modify_properties``. Keep the field, not the array.
        """
        if self._own is not None:
            if len(self.space._cells) != len(self._own):
                raise ValueError(f"the space has {len(self.space._cells)} cells now, and field {self.name!r} was "
                                 f"attached to {len(self._own)}; call its refresh, or attach it anew")
            return self._own
        layer = find_layer(self.space, self.name)
        if layer is None:
            raise ValueError(f"layer {self.name!r} has been removed from the grid; attach the field anew to make it")
        if layer is not self._seen[0]:
            self._look(layer)
        return layer

    @property
    def values(self) -> np.ndarray:
        """The same memory as one number a site of `topology`, shape (n_sites,)."""
        array = self._current()
        return array if self._own is not None else self._seen[1]

    def _current(self) -> np.ndarray:
        """Return `array` if its places are still those of the cells."""
        array = self.array
        if self._own is not None and tuple(self.space._cells.values()) != self._cells:
            now = zip(self.space._cells.values(), self._cells, strict=True)
            cell = next(cell for cell, before in now if cell is not before)
            raise ValueError(f"cell {cell.coordinate} has a place in the space that was another's when field "
                             f"{self.name!r} was attached; call its refresh")
        return array

    def _writeable(self) -> np.ndarray:
        """Return `array` if it can be written."""
        array = self.array
        if not array.flags.writeable:
            raise ValueError(f"{'layer' if self._own is None else 'field'} {self.name!r} is read-only and cannot be "
                             "written; set flags.writeable of its array")
        return array

    def refresh(self, topology: Topology | None = None) -> None:
        """Read the ties among the cells anew, after the host has changed them.

        Cells keep what is in them. In a space without layers those that are new get the default that the field was
        attached with, and if any came or went the field has another array.

        Parameters
        ----------
        topology : Topology, optional
            Other ties than the space's own, as for `attach`; those given there are not kept.

        Raises
        ------
        TypeError, ValueError
            In one sentence, if something does not fit; the field is as it was then.
        """
        topology = _ties(self.space, topology)
        cells = tuple(self.space._cells.values())
        if self._own is None:
            layer = self.array
            if topology.n_sites != layer.size:
                raise ValueError(f"layer {self.name!r} has {layer.size} places, and the grid {len(cells)} cells now; "
                                 "each place needs its cell")
        elif cells != self._cells:
            own, places = np.full(len(cells), self._start), self._places
            for k, cell in enumerate(cells):
                if id(cell) in places:
                    own[k] = self._own[places[id(cell)]]
            self._own, self._cells = own, cells
            del self._places
        self.topology = topology

    def __array__(self, dtype=None, copy=None):
        array = self._current()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a field of {array.dtype} is no array of {np.dtype(dtype)} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __getitem__(self, cell):
        """Return what is in a cell of the space; a key of the space, such as (x, y), does as well."""
        return self.array[place_of(self.space, cell, self._places)]

    def __setitem__(self, cell, value):
        """Write what is in a cell."""
        array = self._writeable()
        array[place_of(self.space, cell, self._places)] = value

    def diffuse(self, rate, steps: int = 1, *, threads: int = 1) -> None:
        """Take steps of diffusion in place; see :func:`organism.interact.diffuse`.

        Parameters
        ----------
        rate : float
            The part that goes along a tie in a step, at least 0; times the number of ties of a cell at most 1.
        steps : int, default 1
            At least 0.
        threads : int, default 1
            The result does not depend on it.

        Raises
        ------
        TypeError, ValueError
            If the layer is not of floats, or a value is out of range; nothing is changed then.
        """
        self._writeable()
        values = self.values
        diffuse(self.topology, values, rate, steps, out=values, threads=threads)

    def regrow(self, rate, capacity, kind: str = "linear") -> None:
        """Let it grow again in place; see :func:`organism.interact.regrow`.

        Parameters
        ----------
        rate, capacity : float, array_like of the shape of `array`, or Field
            At least 0; a logistic rate at most 2.
        kind : {"linear", "logistic"}

        Raises
        ------
        TypeError, ValueError
            If a value is out of range, or does not fit the cells; nothing is changed then.
        """
        self._writeable()
        array = self._current()
        regrow(array, rate, capacity, kind, out=array)

    def flow(self, reserve, *, loss: float = 0.0, threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Let cells with more than a reserve give to neighbours with less, in place.

        See :func:`organism.interact.flow`.

        Parameters
        ----------
        reserve : float, array_like of the shape of `array`, or Field
            What a cell keeps, at least 0.
        loss : float, default 0
            The part that is lost on the way, in [0, 1].
        threads : int, default 1
            The result does not depend on it.

        Returns
        -------
        sent, received : ndarray
            Of the shape of `array`; before the loss.

        Raises
        ------
        TypeError, ValueError
            If a value is out of range, or does not fit the cells; nothing is changed then.
        """
        shape = self._writeable().shape
        values = self.values
        keep = np.asarray(reserve)
        if keep.ndim > 1 and keep.shape == shape:
            keep = keep.reshape(-1)
        _, sent, received = flow(self.topology, values, keep, loss=loss, out=values, threads=threads)
        return sent.reshape(shape), received.reshape(shape)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_places"} | {"_seen": (None, None)}

    def __repr__(self):
        return f"<Field {self.name!r} of {self.dtype} on {type(self.space).__name__} of {self.topology.n_sites} cells>"
