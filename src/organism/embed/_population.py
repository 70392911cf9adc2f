"""Members whom the kernel steps, inside a foreign Mesa model."""

from __future__ import annotations

import numbers
import weakref
from functools import cached_property

import mesa
import numpy as np
from mesa.discrete_space import Cell, DiscreteSpace

from .._checks import number
from .._clock import alone
from .._editing import trade
from ..flows import interdependence
from ..measures import SCALARS
from ..topology import Topology
from ..world import World
from ._layers import check_space
from ._residents import Members, Resident, make_reporters

__all__ = ["Population"]

#: The population that lives in each space; both may be forgotten.
_HOMES: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()

_trade = alone(trade)


def _check_model(model) -> None:
    if not isinstance(model, mesa.Model):
        raise TypeError(f"model must be a mesa.Model, not {type(model).__name__}")
    if getattr(model, "rng", None) is None:
        raise ValueError("model has no rng yet; call super().__init__(rng=…) of the model first")


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
            check_space(space, "space")
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
            if isinstance(members, np.ndarray) and members.dtype.kind == "b":
                raise TypeError("members must be members, cells or sites; those for whom a mask is true are "
                                "population.select(mask)")
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
        where, resource, amount
            As for `take`.

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
