"""Parts for other people's Mesa models: `Field`, a live array over their space, and `Population`, members in it.

Nothing of Mesa is replaced or patched. The host keeps its agents, its clock and its generators; it steps our parts when
it likes. Both find their way by the order of the space's cells: site i of `Field.topology` and of a population is the
i-th cell, which on a grid is element i of a raveled layer.

>>> import mesa
>>> from mesa.discrete_space import OrthogonalMooreGrid
>>> from organism import Field, Population
>>> class Host(mesa.Model):
...     def __init__(self, rng=None):
...         super().__init__(rng=rng)
...         self.grid = OrthogonalMooreGrid((8, 6), torus=True, random=self.random)
...         self.sugar = Field.attach(self.grid, "sugar", default=1.)
...         self.people = Population(self, self.grid)
...
...     def step(self):
...         self.sugar.diffuse(.1)
...         self.people.step()
>>> host = Host(rng=1)
>>> host.step()
>>> len(host.people), host.people.audit().closes
(48, True)
"""

from __future__ import annotations

import numbers
import weakref
from functools import cached_property

import mesa
import numpy as np
from mesa.discrete_space import Cell, DiscreteSpace

from ._checks import number
from ._clock import alone
from ._editing import trade
from ._layers import create_layer, find_layer, has_layers, place_of, space_topology, start_value
from ._residents import Group, Members, Resident, make_reporters
from .flows import interdependence
from .interact import diffuse, flow, regrow
from .measures import SCALARS
from .topology import Topology
from .world import World

__all__ = ["Field", "Group", "Members", "Population", "Resident"]

#: The population that lives in each space; both may be forgotten.
_HOMES: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()

_trade = alone(trade)


def _check_space(space, name: str) -> None:
    if not isinstance(space, DiscreteSpace):
        raise TypeError(f"{name} must be a space of mesa.discrete_space, not {type(space).__name__}")


class Field:
    """One number a cell: a Mesa grid's layer, or an array of its own on spaces that have no layers.

    Made by `attach`. The functions of :mod:`organism.interact` take it as values, and the methods below step it in
    place::

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
        Ties among the cells as they were when the field was attached, in the order of `values`; of the shape
        of the layer, (width, height).

    Notes
    -----
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
            Float64 for a layer that is made; of a layer that is there, its own and no other.
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
        _check_space(grid, "grid")
        if not isinstance(name, str) or not name.isidentifier():
            raise TypeError(f"name must be a string that can name an attribute of cells, not {name!r:.60}")
        n = len(grid._cells)
        if topology is None:
            topology = space_topology(grid)
        elif not isinstance(topology, Topology):
            raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
        elif topology.n_sites != n:
            raise ValueError(f"topology has {topology.n_sites} sites and the space {n} cells; each cell needs its site")
        elif has_layers(grid) and topology.kind == "grid" and len(topology.shape) == 2 \
                and topology.shape != tuple(grid.dimensions):
            raise ValueError(f"topology has shape {topology.shape} and layers of this grid {tuple(grid.dimensions)}; "
                             "its sites must be in the order of a raveled layer")
        wanted = np.dtype(np.float64 if dtype is None else dtype)
        self = object.__new__(cls)
        self.space, self.name, self.topology, self._own, self._seen = grid, name, topology, None, (None, None)
        if not has_layers(grid):
            self.dtype, self._own = wanted, np.full(n, start_value(default, wanted))
            self._places  # noqa: B018  (cells are numbered now, whatever becomes of the space)
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
        return {} if self._own is None else {id(cell): k for k, cell in enumerate(self.space)}

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
                                 f"attached to {len(self._own)}; attach it anew")
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
        array = self.array
        return array if self._own is not None else self._seen[1]

    def __array__(self, dtype=None, copy=None):
        array = self.array
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
        array = self.array
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
        array = self.array
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
        values, shape = self.values, self.array.shape
        keep = np.asarray(reserve)
        if keep.ndim > 1 and keep.shape == shape:
            keep = keep.reshape(-1)
        _, sent, received = flow(self.topology, values, keep, loss=loss, out=values, threads=threads)
        return sent.reshape(shape), received.reshape(shape)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_places"} | {"_seen": (None, None)}

    def __repr__(self):
        return f"<Field {self.name!r} of {self.dtype} on {type(self.space).__name__} of {self.topology.n_sites} cells>"


class Population(Members):
    """Members whom the kernel steps, in a Mesa model of somebody else's.

    Parameters
    ----------
    model : mesa.Model
        The host. One number is drawn from its ``rng``: the seed of the population, whose luck is from then on a
        function of that seed, whatever else draws from ``model.rng``.
    topology : Topology or mesa.discrete_space.DiscreteSpace
        Who can feed whom. Of a space: the ties of its cells, as they are now; members then live in the cells.
    params : Params, optional
        The preset "organic" by default.
    space : mesa.discrete_space.DiscreteSpace, optional
        With a topology of its own: a space to live in, of one cell a site.
    occupied : array_like of bool, of site indices, or of cells, optional
        Where a member lives at the start; everywhere by default.
    columns : mapping, optional
        Initial values of columns, as `World` takes them.
    ledger : bool, default True
        Keep exact totals of what moved along each tie (8 K bytes a tie).
    threads : int, default 1
        Threads of the kernel; the results do not depend on it.

    Attributes
    ----------
    model : mesa.Model
    world : World
        The state, the kernel and the ledger: measures, graphs and interventions take it.
    space : mesa.discrete_space.DiscreteSpace or None

    Raises
    ------
    TypeError, ValueError
        In one sentence, for what cannot be used; ``model.rng`` is as it was then.

    Notes
    -----
    Members are no Mesa agents: they are not in ``model.agents``, not in the agents of a cell, and use up no capacity,
    so Mesa agents may sit in any cell. They meet members by `member_at`, `take` and `give`.

    Iterating gives a `Resident` for each member, a light view. `get`, `set`, `select`, `agg` and `do` are the verbs of
    Mesa's `AgentSet` on arrays.

    A space holds one population: a second one would claim the same cells, so it is refused until the first is detached
    or forgotten. Populations on topologies alone may be as many as you like.

    A pickled or deep-copied host has a copy of the population that goes on with the same bits. As with every world,
    jobs (``world.every`` and the like) stay behind.

    Examples
    --------
    >>> import mesa
    >>> from mesa.discrete_space import OrthogonalMooreGrid
    >>> host = mesa.Model(rng=1)
    >>> grid = OrthogonalMooreGrid((6, 4), torus=True, random=host.random)
    >>> people = Population(host, grid, occupied=[0, 1, 7])
    >>> people.step(10)
    >>> people.member_at(grid[0, 1]).unique_id, people.member_at(grid[5, 3])
    (1, None)
    >>> got = people.take(grid[0, 1], resource=0, amount=.25)
    >>> people.audit().closes, float(people.audit().removed[0]) == got
    (True, True)
    """

    def __init__(self, model: mesa.Model, topology: Topology | DiscreteSpace, params=None, *, space=None,
                 occupied=None, columns=None, ledger: bool = True, threads: int = 1):
        _check_model(model)
        if isinstance(topology, DiscreteSpace):
            if space is not None:
                raise ValueError("give a space alone, or a topology and a space, not two spaces")
            space, topology = topology, Topology.from_space(topology)
        elif not isinstance(topology, Topology):
            raise TypeError("topology must be a Topology or a space of mesa.discrete_space, not "
                            f"{type(topology).__name__}")
        self._house(space, topology)
        luck = model.rng.bit_generator.state
        try:
            world = World(topology, params, model.rng, occupied=self._sites_at(occupied), columns=columns,
                          ledger=ledger, threads=threads)
        except BaseException:
            model.rng.bit_generator.state = luck
            raise
        self._settle(model, world)

    def _house(self, space, topology):
        """Take a space to live in, or say why it cannot be."""
        if space is not None:
            _check_space(space, "space")
            if len(space._cells) != topology.n_sites:
                raise ValueError(f"space has {len(space._cells)} cells and topology {topology.n_sites} sites; each "
                                 "site needs its cell")
            there = _HOMES.get(space, lambda: None)()
            if there is not None:
                raise ValueError(f"this space has a population attached already, {there!r}; detach that one first, or "
                                 "give the second a space or a topology of its own")
        self.space = space
        self._numbers  # noqa: B018  (cells are numbered now, whatever becomes of the space)

    @cached_property
    def _cells(self) -> list[Cell]:
        return [] if self.space is None else list(self.space)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {id(cell): site for site, cell in enumerate(self._cells)}

    def _settle(self, model, world):
        self.model, self.world = model, world
        if self.space is not None:
            _HOMES[self.space] = weakref.ref(self)

    def _sites_at(self, occupied):
        """Return occupied cells as sites, and anything else as it is."""
        try:
            some = [*occupied]
        except TypeError:
            return occupied
        return [self.site_of(cell) for cell in some] if some and all(isinstance(c, Cell) for c in some) else occupied

    @property
    def population(self) -> Population:
        """The population itself."""
        return self

    @property
    def sites(self) -> np.ndarray:
        """Sites of the members, ascending, int64 (n,)."""
        return self.world.living

    def __len__(self) -> int:
        return self.world.n_members

    def __repr__(self):
        return f"<Population: {len(self)} members on {self.world.n_sites} sites, tick {self.tick}>"

    # -- time ---------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Ticks the population has run; the host's clock is another."""
        return self.world.tick

    def step(self, n: int = 1) -> None:
        """Run ``n`` ticks, at least 0."""
        self.world.step(n)

    # -- places -------------------------------------------------------------------------------

    def site_of(self, where) -> int:
        """Return the index of a site.

        Parameters
        ----------
        where : int, Cell, Resident or node
            A site index, a cell of `space`, a member, or a node of the topology. A whole number is always a site index.

        Raises
        ------
        ValueError
            If there is no such site.
        """
        if isinstance(where, Cell):
            if id(where) not in self._numbers:
                raise ValueError(f"cell {where.coordinate} is in no space that this population lives in")
            return self._numbers[id(where)]
        if isinstance(where, Resident):
            if where.population is not self:
                raise ValueError(f"{where!r} is a member of another population")
            return where.site
        if isinstance(where, numbers.Integral) and not isinstance(where, bool):
            if not 0 <= where < self.world.n_sites:
                raise ValueError(f"site must be in 0..{self.world.n_sites - 1}, not {where}")
            return int(where)
        return self.world.topology.index(where)

    def cell_of(self, where) -> Cell:
        """Return the cell of a site or of a member."""
        if self.space is None:
            raise ValueError("this population lives in no space, so it has no cells")
        return self._cells[self.site_of(where)]

    def member_at(self, where) -> Resident | None:
        """Return the member that lives at a site or in a cell, or None."""
        site = self.site_of(where)
        uid = int(self.world.state["uid"][site])
        return None if uid < 0 else Resident(self, uid, site)

    # -- coming, going, giving and taking -----------------------------------------------------

    def add(self, where, **columns) -> Resident:
        """Settle a new member at an empty site; its goods are booked as added.

        Parameters
        ----------
        where : int, Cell or node
            See `site_of`.
        **columns
            Values of columns that differ from a founder's, such as ``care=0``.

        Returns
        -------
        Resident

        Raises
        ------
        KeyError, TypeError, ValueError
            If a member lives there or a value is refused; nothing is added then.
        """
        site = self.site_of(where)
        return Resident(self, self.world.add(site, columns or None), site)

    def remove(self, members) -> None:
        """Take members out with all they hold, which is booked as removed.

        Parameters
        ----------
        members : Resident, Group, Cell, int, or sequence of these
        """
        if isinstance(members, Members):
            if members.population is not self:
                raise ValueError(f"{members!r} is of another population")
            sites = members.sites
        else:
            some = [members] if isinstance(members, (Resident, Cell, numbers.Integral)) else members
            try:
                sites = [self.site_of(one) for one in some]
            except TypeError:
                raise TypeError(f"members must be members, cells or sites, not {members!r:.60}") from None
        self.world.remove(sites)

    def move(self, member, to) -> None:
        """Move a member, with its goods, to an empty site; its ties there start afresh.

        Parameters
        ----------
        member : Resident, Cell, int or node
            The member, or where it lives.
        to : int, Cell or node
        """
        site, to = self.site_of(member), self.site_of(to)
        if site != to:
            self.world.move(site, to)

    def take(self, where, resource: int, amount: float) -> float:
        """Take goods from the member at a site, at most all it holds; they are booked as removed.

        Parameters
        ----------
        where : int, Cell, Resident or node
            See `site_of`.
        resource : int
            In [0, K − 1].
        amount : float
            At least 0.

        Returns
        -------
        float
            What was taken: 0 if nobody lives there.
        """
        return -self._trade(where, resource, amount, -1) + 0.0

    def give(self, where, resource: int, amount: float) -> float:
        """Give goods to the member at a site; they are booked as added.

        Parameters
        ----------
        where : int, Cell, Resident or node
            See `site_of`.
        resource : int
            In [0, K − 1].
        amount : float
            At least 0.

        Returns
        -------
        float
            What was given: 0 if nobody lives there, and then the giver keeps it.
        """
        return self._trade(where, resource, amount, 1)

    def _trade(self, where, resource, amount, sign):
        site, k = self.site_of(where), self.world.params.resources
        if isinstance(resource, bool) or not isinstance(resource, numbers.Integral) or not 0 <= resource < k:
            raise ValueError(f"resource must be in 0..{k - 1}, not {resource!r:.60}")
        return _trade(self.world, site, int(resource), sign * number("amount", amount, 0))

    def audit(self):
        """Return the account of every good: what guests gave and took is in ``added`` and ``removed``."""
        return self.world.audit()

    # -- reports and files --------------------------------------------------------------------

    def to_networkx(self):
        """Return who fed whom as a networkx graph; see :func:`organism.interdependence`."""
        return interdependence(self.world)

    def reporters(self, *names: str, prefix: str = "") -> dict:
        """Return reporters for Mesa's `DataCollector`, by name.

        Parameters
        ----------
        *names : str
            "tick", "members" and names of :data:`organism.measures.SCALARS`; "welfare" and "share_rate" by default.
        prefix : str
            Put before the names, for hosts with several populations.

        Returns
        -------
        dict of str to callable
            For ``model_reporters``. They are copied and pickled with the host.
        """
        return make_reporters(self, names or ("welfare", "share_rate"), SCALARS, prefix)

    def save(self, path) -> None:
        """Write the population to a file, as :meth:`World.save` does."""
        self.world.save(path)

    @classmethod
    def load(cls, path, model: mesa.Model, space: DiscreteSpace | None = None) -> Population:
        """Read a saved population, or any saved world, into a model; nothing is drawn from ``model.rng``.

        Parameters
        ----------
        path : path
        model : mesa.Model
        space : mesa.discrete_space.DiscreteSpace, optional
            Space to live in: one cell a site and, if it lived in a space before, cells of the same keys.

        Raises
        ------
        FileNotFoundError, TypeError, ValueError
            If there is no such file, it is not a saved world or is damaged, or the space does not fit.
        """
        _check_model(model)
        world = World.load(path)
        self = cls.__new__(cls)
        self._house(space, world.topology)
        if space is not None and world.topology.kind == "space" and list(world.topology.nodes) != list(space._cells):
            raise ValueError("space has cells of other keys than the one the saved population lived in")
        self._settle(model, world)
        return self

    def detach(self) -> None:
        """Leave the space, which is then free for another population; members go on without cells."""
        if self.space is not None:
            _HOMES.pop(self.space, None)
        self.space, self._cells, self._numbers = None, [], {}

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("_cells", "_numbers")}

    def __setstate__(self, state):
        vars(self).update(state)
        if self.space is not None:
            _HOMES.setdefault(self.space, weakref.ref(self))


def _check_model(model) -> None:
    if not isinstance(model, mesa.Model):
        raise TypeError(f"model must be a mesa.Model, not {type(model).__name__}")
    if getattr(model, "rng", None) is None:
        raise ValueError("model has no rng yet; call super().__init__(rng=…) of the model first")
