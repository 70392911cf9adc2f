"""A world as a Mesa model: `OrganismModel`, and `Member`, a Mesa agent that is a view on a row.

The kernel keeps all state in arrays; Mesa's agents here hold none. A `Member` knows
its model, its ``unique_id`` (the world's uid) and the site it was last seen on, and
reads and writes the row of that site through properties made from the table of
columns. Members are made when somebody first looks at ``model.agents``; until then a
run costs what the kernel costs. From then on deaths, births and moves in the kernel
show in ``model.agents`` and in the Mesa space after every ``model.step()``.

A few *special* members may act in Python beside the kernel's many: subclass `Member`
and give it a ``step``, which is called once a tick before the members sense.

>>> from organism import Member, OrganismModel
>>> class Miller(Member):
...     def step(self):
...         self.order_task = 0
>>> model = OrganismModel(width=8, height=8, rng=1, members={12: Miller})
>>> model.step()
>>> model.member_at(12).task
0
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import mesa
import numpy as np
from mesa.discrete_space import Cell, DiscreteSpace

from ._arguments import (
    check_kind,
    count_members,
    new_topology,
    only_world,
    parameters,
    read_reporters,
    read_scenario,
    report_measure,
    special_members,
)
from ._checks import whole
from ._spaces import build_space
from .measures import SCALARS
from .member import Member
from .params import Params
from .state import COLUMNS
from .topology import Topology
from .world import World

__all__ = ["Member", "OrganismModel"]

#: What the model's data collector reports unless told otherwise: cheap at every tick.
REPORTERS = ("welfare", "share_rate", "given")





class OrganismModel(mesa.Model):
    """A world of members as a Mesa model.

    Parameters
    ----------
    width, height : int, optional
        Columns and rows of a Moore torus; 64 × 64 by default. Leave them out with
        ``topology`` or ``space``.
    params : Params, optional
        Parameters; those of ``preset`` by default.
    preset : str, optional
        Name of a parameter set, "organic" by default. Not together with ``params``.
    topology : Topology, optional
        Who can feed whom. A Mesa space to match is built when first asked for.
    space : mesa.discrete_space.DiscreteSpace, optional
        A Mesa space to live in; the topology is made from it, unless one is given
        with as many sites as the space has cells.
    rng : int, SeedSequence or numpy.random.Generator, optional
        Seed of the world and of Mesa's ``model.rng`` and ``model.random``, which the
        world never draws from. The integer in use is ``model.world.seed``.
    ledger : bool, default True
        Keep exact totals of what moved along each tie (8 K bytes a tie).
    threads : int, default 1
        Threads of the kernel; see `World`.
    members : mapping or iterable of pairs, optional
        Special members: site → subclass of `Member`. Sites as in `site_of`.
    scenario : mesa Scenario or subclass, optional
        For a Mesa that has scenarios (3.5 and later): gives ``rng``, and any of its
        values that is named like a parameter ("care.weight") is used.
    world : World, optional
        A world to go on with, such as a loaded or forked one, instead of a new one:
        without parameters, topology, rng, ledger, threads, occupied and columns.
    occupied : array_like of bool, shape (N,), optional
        Sites with a member at the start; all by default.
    columns : mapping, optional
        Initial values of columns by name, as `World` takes them.
    model_reporters, agent_reporters : names or mapping, optional
        What `datacollector` reports: names of `organism.measures.SCALARS` and of
        columns, or a mapping as Mesa's `DataCollector` takes it. Tick and number of
        members are always reported. No members by default: they are slow to read.
    collect_every : int, default 1
        Ticks between two collections; 0 never collects.
    **kwargs
        Single parameters by dotted name, ``**{"care.weight": 0.5}``.

    Attributes
    ----------
    world : World
        The state, the kernel and the ledger.
    datacollector : mesa.DataCollector
        One row at the start and after every ``collect_every`` ticks.

    Raises
    ------
    TypeError, ValueError
        In one sentence, for what cannot be used.

    Notes
    -----
    ``running`` becomes false when nobody is left. Other Mesa agents may join the
    model as guests; they are numbered downwards from -1, since members bear the
    world's uids. ``model.world`` may be stepped, forked and saved as any world:
    stepping it lets the special members act and shows when ``agents`` or ``space`` is
    next asked for; forks and files hold no Python, so their special members are
    ordinary ones.

    Examples
    --------
    >>> model = OrganismModel(width=8, height=8, rng=1, **{"care.weight": 0.5})
    >>> model.run_for(3)
    >>> len(model.agents), model.tick
    (64, 3)
    """

    def __init__(self, width: int | None = None, height: int | None = None, params: Params | None = None,
                 preset: str | None = None, topology: Topology | None = None,
                 space: DiscreteSpace | None = None, rng=None, ledger: bool = True, threads: int = 1,
                 members=None, scenario=None, *, world: World | None = None, occupied=None, columns=None,
                 model_reporters: Iterable[str] | Mapping[str, Any] = REPORTERS,
                 agent_reporters: Iterable[str] | Mapping[str, Any] = (), collect_every: int = 1,
                 **kwargs):
        # Mesa 3.3's SolaraViz lets sliders set single parameters only if the name is "kwargs".
        if "seed" in kwargs:
            raise TypeError("OrganismModel takes rng, not seed, as Mesa does from version 4 on")
        if world is not None:
            only_world(world, width=width, height=height, params=params, preset=preset, topology=topology, rng=rng,
                   scenario=scenario, occupied=occupied, columns=columns, **kwargs)
            topology, rng = world.topology, world.seed
        rng, scenario, varied = read_scenario(scenario, rng)
        params = parameters(params, preset, {**varied, **kwargs})
        topology = new_topology(width, height, topology, space)
        kinds = special_members(members)
        reporters = read_reporters(model_reporters, SCALARS, "model_reporters", report_measure)
        columns_reported = read_reporters(agent_reporters, COLUMNS, "agent_reporters", str)
        if isinstance(collect_every, bool) or not isinstance(collect_every, numbers.Integral):
            raise TypeError(f"collect_every must be a whole number of ticks >= 0, not {collect_every!r}")
        if collect_every < 0:
            raise ValueError(f"collect_every must be a whole number of ticks >= 0, not {collect_every}")

        # The world takes its seed before Mesa touches the generator: the same in every Mesa.
        if world is None:
            world = World(topology, params, rng=rng, occupied=occupied, columns=columns, ledger=ledger,
                          threads=threads)
        if scenario is not None:
            super().__init__(scenario=scenario)
        else:
            super().__init__(rng=world.seed if rng is None or isinstance(rng, numbers.Integral) else rng)
        self.world = world
        self.collect_every = int(collect_every)
        self._views: dict[int, Member] = {}  # uid -> view, of those that were ever asked for
        self._actors: dict[int, Member] = {}  # the views with a step of their own, by ascending uid
        self._job = None  # calls them before every tick of the world
        self._acting: Member | None = None
        self._acted = -1, set()  # a tick, and the uids of those who acted before it
        self._guests = 0
        self._seen: np.ndarray | None = None  # uids by site that Mesa knows of; None before the first look
        self._space, self._cells, self._sites = None, [], {}
        self._matched = topology  # what the space was built for
        if space is not None:
            self._adopt(space, list(space))
        for site, kind in kinds:
            kind(self, site)
        if space is not None:
            self._look()  # whoever brings a space expects to find the members in it
        self.datacollector = mesa.DataCollector(
            model_reporters={"tick": "tick", "members": count_members, **reporters},
            agent_reporters=columns_reported or None)
        if self.collect_every:
            self.datacollector.collect(self)

    def __repr__(self):
        return f"<{type(self).__name__}: {self.world.n_members} members on {self.world.n_sites} sites, " \
               f"tick {self.tick}>"

    def _repr_html_(self):
        return self.world._repr_html_()

    # -- time ---------------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Ticks the world has run, whoever stepped it."""
        return self.world.tick

    def step(self) -> None:
        """Run one tick, which special members begin, and collect data."""
        try:
            self.world.step()
        except BaseException:
            # Mesa from 3.5 on schedules the next step after this one: Ctrl-C would end all stepping, silently.
            schedule = getattr(self, "_default_schedule", None)
            if schedule is not None:
                schedule.pause()
                schedule.resume()
            raise
        self._refresh()
        if self.world.n_members == 0:
            self.running = False
        if self.collect_every and self.world.tick % self.collect_every == 0:
            self.datacollector.collect(self)

    if not hasattr(mesa.Model, "run_for"):  # Mesa 3.3
        def run_for(self, duration: int) -> None:
            """Step the model ``duration`` times."""
            for _ in range(whole("duration", duration, 0)):
                self.step()

    def _act(self, world):
        """Call the special members' steps, by ascending uid; a job of the world."""
        if self._acted[0] != world.tick:
            self._acted = world.tick, set()  # those who acted before another's step raised do not act again
        for uid, member in list(self._actors.items()):
            if not member.alive:
                del self._actors[uid]
                continue
            if uid in self._acted[1]:
                continue
            self._acting = member
            try:
                member.step()
            finally:
                self._acting = None
            self._acted[1].add(uid)

    def _permit(self, member=None):
        """Refuse a write that a special member's step makes outside its own row."""
        acting = self._acting
        if acting is not None and member is not acting:
            what = "the model" if member is None else f"member {member.unique_id}"
            raise RuntimeError(f"a step may write only its own member's row: member {acting.unique_id}"
                               f" must not change {what}")

    # -- members ------------------------------------------------------------------------------

    @mesa.Model.agents.getter
    def agents(self):
        """All members, as views, by ascending ``unique_id``, and guests as they came."""
        self._look()
        return super().agents

    @property
    def agent_types(self) -> list[type]:
        """Classes of the members and guests."""
        self._look()
        return super().agent_types

    @property
    def agents_by_type(self) -> dict:
        """Members and guests by class."""
        self._look()
        return super().agents_by_type

    def member_at(self, where) -> Member | None:
        """Return the view of the member that lives on a site, or None if it is empty.

        Parameters
        ----------
        where : int, node or Cell
            See `site_of`.
        """
        site = self.site_of(where)
        uid = int(self.world.state["uid"][site])
        return None if uid < 0 else self._view(uid, site)

    def add_member(self, where, kind: type[Member] = Member, **columns) -> Member:
        """Put a new member on an empty site.

        Parameters
        ----------
        where : int, node or Cell
            See `site_of`.
        kind : type, default Member
            `Member`, or a subclass whose ``step`` is to be called.
        **columns
            Values of columns that differ from a founder's, such as ``care=0``.

        Returns
        -------
        Member

        Raises
        ------
        ValueError
            If the site is not empty, or a value is refused; then nothing is added.

        Notes
        -----
        Its stock is booked as added, so that the audit closes.
        """
        self._permit()
        check_kind(kind, "kind")
        site = self.site_of(where)
        self.world.add(site, columns or None)
        if kind is not Member:
            return kind(self, site)
        self._refresh()
        return self.member_at(site)

    def remove_all_agents(self) -> None:
        """Remove all members from the world, and all guests from the model."""
        self._permit()
        self.world.remove(self.world.living)
        self._look()
        super().remove_all_agents()

    def register_agent(self, agent) -> None:
        """Make an agent known to Mesa; called by agents, not by you.

        Mesa 3.5 and later number an agent here. A member's number is the world's
        uid; guests count down from -1.
        """
        if not isinstance(agent, Member):
            self._guests += 1
            agent.unique_id = -self._guests
        self.agent_id_counter = agent.unique_id
        super().register_agent(agent)

    def _view(self, uid: int, site: int) -> Member:
        """Return the one view of a member, made if there is none."""
        view = self._views.get(uid)
        if view is None:
            view = object.__new__(Member)
            view.__dict__ = {"model": self, "unique_id": uid, "_slot": site}
            self._views[uid] = view
        return view

    def _enrol(self, view: Member, where):
        """Make a new view the view of the member on a site, in place of an earlier one."""
        self._permit()
        site = self.site_of(where)
        uid = int(self.world.state["uid"][site])
        if uid < 0:
            raise ValueError(f"site {site} is empty, and a {type(view).__name__} is a view on a living"
                             " member; add_member makes one")
        view.model, view.unique_id, view._slot = self, uid, site
        earlier = self._views.get(uid)
        self._views[uid] = view
        self._actors.pop(uid, None)
        if type(view).step is not Member.step:
            self._actors = dict(sorted({**self._actors, uid: view}.items()))
            self._job = self._job or self.world.before(self._act)
        if earlier is not None and self._seen is not None and earlier in super().agents:
            # Taking over the place in line keeps the order the same whether or not anybody had looked.
            order = {agent: k for k, agent in enumerate(super().agents)}
            order[view] = order[earlier]
            mesa.Agent.remove(earlier)
            self.register_agent(view)
            super().agents.sort(order.__getitem__, ascending=True, inplace=True)
            super().agents_by_type[type(view)].sort("unique_id", ascending=True, inplace=True)
            if self._space is not None:
                self._cells[site].remove_agent(earlier)
                self._cells[site].add_agent(view)
        self._refresh()

    def _refresh(self):
        """Bring what Mesa knows up to date, if anybody has looked at it before."""
        if self._seen is not None:
            self._look()

    def _look(self):
        """Bring Mesa's registers and cells in line with the world's members."""
        uids = self.world.state["uid"]
        if self._matched is not self.world.topology:
            if self._matched != self.world.topology:
                self._space, self._cells, self._sites = None, [], {}
            self._matched = self.world.topology
        seen = np.full(uids.size, -1) if self._seen is None else self._seen
        if self._seen is not None and np.array_equal(uids, seen):
            return
        same = seen.size == uids.size
        old = np.flatnonzero((seen != uids) & (seen >= 0)) if same else np.flatnonzero(seen >= 0)
        new = np.flatnonzero((seen != uids) & (uids >= 0)) if same else np.flatnonzero(uids >= 0)
        before = dict(zip(seen[old].tolist(), old.tolist(), strict=True))
        after = dict(sorted(zip(uids[new].tolist(), new.tolist(), strict=True)))
        if self._seen is None:  # forget views that were asked for before, and whose members died unseen
            for views in (self._views, self._actors):
                for uid in views.keys() - after.keys():
                    del views[uid]
        self._seen = uids.copy()  # first, for registering makes Mesa's observers look
        placed = self._space is not None
        if placed:
            for uid, site in before.items():
                self._cells[site].remove_agent(self._views[uid])
        for uid in before:
            if uid not in after:
                self._actors.pop(uid, None)
                mesa.Agent.remove(self._views.pop(uid))
        for uid, site in after.items():
            view = self._view(uid, site)
            view._slot = site
            if placed:
                self._cells[site].add_agent(view)
            if uid not in before:
                self.register_agent(view)

    # -- space --------------------------------------------------------------------------------

    @property
    def space(self) -> DiscreteSpace:
        """The Mesa space the members stand in: the given one, or one built to match the topology.

        Cell ``(x, y)`` of a grid is the site in row y and column x; a cell of a
        network is named by the index of its site. Cells are connected as the ties
        run. Holes are cells without connections.
        """
        self._look()
        if self._space is None:
            self._adopt(*build_space(self.world.topology, self.random))
            for uid, site in zip(self._seen.tolist(), range(self._seen.size), strict=True):
                if uid >= 0:
                    self._cells[site].add_agent(self._views[uid])
        return self._space

    def site_of(self, where) -> int:
        """Return the index of a site.

        Parameters
        ----------
        where : int, node or Cell
            A site index, a node of the topology (``(row, column)`` on grids) or a
            cell of `space`. A whole number is always a site index.

        Raises
        ------
        ValueError
            If there is no such site.
        """
        if isinstance(where, Cell):
            if self._space is None:
                self.space  # noqa: B018  (builds it)
            if where not in self._sites:
                raise ValueError(f"cell {where.coordinate} of this space is no site of the world")
            return self._sites[where]
        if isinstance(where, numbers.Integral) and not isinstance(where, bool):
            if not 0 <= where < self.world.n_sites:
                raise ValueError(f"site must be in 0..{self.world.n_sites - 1}, not {where}")
            return int(where)
        return self.world.topology.index(where)

    def _cell(self, site: int) -> Cell:
        if self._space is None:
            self.space  # noqa: B018  (builds it)
        return self._cells[site]

    def _adopt(self, space, cells):
        """Take a space whose cells are given in the order of the sites."""
        self._space, self._cells = space, cells
        self._sites = {cell: site for site, cell in enumerate(cells)}
