"""The world: members on a topology, stepped by the compiled tick. Knows no Mesa."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import _binding, _editing, _governing, _packing, _settling
from ._checks import closest, mask, seed, whole
from ._clock import Clock, alone
from .params import Params
from .records import Audit
from .state import State
from .topology import Topology

__all__ = ["World"]

#: More threads than any machine has; each costs scratch memory.
MAX_THREADS = 1024


class World(Clock):
    """A population of members on a topology.

    Parameters
    ----------
    topology : Topology
        N sites and the ties among them.
    params : Params, optional
        Defaults to the preset ``organic``.
    rng : int, SeedSequence or Generator, optional
        Source of all randomness; the integer it resolves to is ``seed``. None
        draws one from the operating system.
    occupied : array_like of bool, shape (N,), or of site indices, optional
        Where a founder lives at tick 0; everywhere by default.
    columns : mapping of str to array_like, optional
        Initial values of columns, as in :meth:`set`; given stocks count as initial.
    ledger : bool, default False
        Keep the exact total of every good that went along every tie.
    threads : int, default 1
        Threads of the kernel; the results do not depend on it. Worth it from some
        thousand members on, on cores that nobody else uses.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, shape or range, in one sentence.

    Notes
    -----
    The tick is described in MODEL.md. The world is consistent between ticks
    whatever happens: the kernel cannot fail, and Ctrl-C stops between ticks.

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((8, 8)), rng=1)
    >>> world.step(100)
    >>> world.audit().closes
    True
    """

    def __init__(self, topology, params=None, rng=None, *, occupied=None, columns=None, ledger=False,
                 threads=1):
        if not isinstance(topology, Topology):
            raise TypeError(f"topology must be a Topology, not {type(topology).__name__}; see "
                            "Topology.grid and Topology.from_networkx")
        params = Params() if params is None else params
        if not isinstance(params, Params):
            raise TypeError(f"params must be a Params, not {type(params).__name__}; see Params.preset")
        if not isinstance(ledger, (bool, np.bool_)):
            raise TypeError(f"ledger must be true or false, not {ledger!r}")
        here = mask(topology.n_sites, occupied)
        if not isinstance(columns, Mapping | None):
            raise TypeError(f"columns must map column names to values, not {columns!r:.60}")
        self.topology, self._params, self.seed = topology, params, seed(rng)
        self.state = State(topology.n_sites, len(topology.out_ptr) - 1, params)
        _binding.start(self, threads, bool(ledger))
        self.state.planes["occupied"][0, :self.n_sites] = here
        _binding.attach(self)
        self._kernel.found_all(True)
        for name, values in (columns or {}).items():
            self.set(name, values)
        self._initial, self._added, self._removed = self._held(), *np.zeros((2, params.resources))

    # -- reading ----------------------------------------------------------------------------

    @property
    def tick(self) -> int:
        """Ticks computed so far."""
        return self._kernel.tick

    @property
    def params(self) -> Params:
        """Parameters in force; :meth:`update` changes them."""
        return self._params

    @property
    def n_sites(self) -> int:
        """Number N of sites."""
        return self.topology.n_sites

    @property
    def n_members(self) -> int:
        """Number of members alive."""
        return self._kernel.n_alive

    @property
    def n_born(self) -> int:
        """Births so far, founders and members added from outside not counted."""
        return self._kernel.n_born

    @property
    def n_died(self) -> int:
        """Deaths so far, removals from outside not counted."""
        return self._kernel.n_died

    @property
    def living(self) -> np.ndarray:
        """Sites of the members alive, ascending, shape (n_members,)."""
        return np.flatnonzero(self.state["occupied"])

    @property
    def threads(self) -> int:
        """Threads of the kernel; any number gives the same bits."""
        return self._threads

    @threads.setter
    @alone
    def threads(self, value):
        value = whole("threads", value, 1)
        if value > MAX_THREADS:
            raise ValueError(f"threads must be in [1, {MAX_THREADS}], not {value}")
        self._threads = value
        if hasattr(self, "_initial"):
            _binding.tell(self)

    @property
    def nbytes(self) -> int:
        """Bytes of state, ties, scratch and topology."""
        shared = {id(a): a.nbytes for a in vars(self.topology).values() if isinstance(a, np.ndarray)}
        own = sum(a.nbytes for name, a in self._scratch.items() if name != "shortfall")
        return self.state.nbytes + sum(a.nbytes for a in self._ties.values()) + own + sum(shared.values())

    def tie(self, name: str) -> np.ndarray:
        """Return a copy of a tie column, aligned with ``topology.source`` and ``topology.target``.

        Parameters
        ----------
        name : {"bond", "trace", "total"}
            Adaptive factor of the bond; decayed sum of flows, all resources;
            exact flows since the world began, per resource (needs ``ledger=True``).

        Returns
        -------
        ndarray, shape (n_ties,), or (n_ties, K) for "total"
        """
        if name not in ("bond", "trace", "total"):
            raise KeyError(f"no tie column is called {name!r}" + closest(name, ("bond", "trace", "total")))
        if name == "total" and not self.ledger:
            raise ValueError("exact totals are kept only by a world made with ledger=True")
        if name == "bond":
            return self._ties["bond"][self.topology.out_slot]
        values = self._ties[name][..., self.topology.in_slot]
        return np.ascontiguousarray(values.T) if name == "total" else values

    @alone
    def closed_accounts(self, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact totals of ties one of whose members has gone since.

        Parameters
        ----------
        start : int
            Leave out so many that were closed first.

        Returns
        -------
        uids : ndarray of int64, shape (n, 2)
            Giver and receiver.
        amounts : ndarray of float64, shape (n, K)
            Goods given while both lived.
        """
        n = max(0, self._kernel.closed_count - start)
        uids, amounts = np.empty((n, 2), "i8"), np.empty((n, self._params.resources))
        self._kernel.closed(uids, amounts, start)
        return uids, amounts

    def audit(self) -> Audit:
        """Return the account of every good since the world began."""
        k = self._params.resources
        produced, burned, spoiled, lost = self._scratch["account"].reshape(4, k, -1).sum(axis=2)
        return Audit(self._initial.copy(), produced, self._added.copy(), self._held(),
                     self.state["ground"].sum(axis=0), burned, spoiled, lost, self._removed.copy())

    def _held(self):
        return self.state["stock"].sum(axis=0)

    # -- changing, between ticks ---------------------------------------------------------------

    @alone
    def update(self, **changes) -> None:
        """Change parameters from the next tick on.

        Parameters
        ----------
        **changes
            Dotted names, as in :meth:`Params.replace`. A new ``care.weight``,
            ``learning.rate``, ``metabolism.need`` or ``metabolism.reserve`` is given to all
            sites. Where ``learning.perception`` or ``learning.cue`` change, the features that stay
            keep their weights and eligibilities; those that come, or come back, start at 0.

        Raises
        ------
        ValueError
            If a name or value is refused, or if the number of resources or tasks
            would change; nothing is changed then.
        """
        _editing.update(self, changes)

    @alone
    def set(self, name: str, values, sites=None) -> None:
        """Write a column.

        Parameters
        ----------
        name : str
            A writable column; see :data:`organism.state.COLUMNS`.
        values : array_like
            One value, or an array that broadcasts to the column's shape ``(N, …)``
            (or ``(len(sites), …)``); one value a site, shape ``(N,)``, holds for all its
            resources. For ``supply``, also a map of the shape of the grid.
        sites : int or sequence of int, optional
            Sites to write; all by default. Member columns are written at occupied sites only.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the name is unknown or not writable, or values or sites are refused;
            nothing is written then.

        Notes
        -----
        Stocks that change are booked as goods added or removed.
        """
        _editing.write(self, name, values, sites)

    # -- who decides ---------------------------------------------------------------------------

    @alone
    def govern(self, regime, sites=None, blocks=None, rng=None) -> None:
        """Put members under a regime, from the next tick on.

        Parameters
        ----------
        regime : Organic, Frozen, Specified, Rule, Corrigible or Endorsed
            See :mod:`organism.regimes`.
        sites : int or sequence of int, optional
            Whose members; all by default. An operator also takes charge of empty sites.
        blocks : array_like of int, shape (N,), optional
            Block of each site, 0 or more, for an operator; by default :func:`organism.regimes.partition`
            with the operator's ``view``.
        rng : int, SeedSequence or Generator, optional
            Source of the members' ranks in their blocks, and of the partition where there is
            no grid; by default it follows from the world's seed and the tick.

        Raises
        ------
        TypeError, ValueError
            If the regime, the sites or the blocks are refused; nothing is changed then.

        Notes
        -----
        The regime is the member's: it moves with it, and children inherit it. Block, rank and
        off switch are the site's, and the latest call holds: who lives where no operator is in
        charge any more decides for itself. Each call puts an operator of its own in charge.
        Members added from outside are organic. Orders given by :meth:`set` to members under a
        rule or an operator are overwritten; other members' are cleared by this call.
        Blocks stay as they are when the network is rewired: govern anew for other ones.
        """
        _governing.govern(self, regime, sites, blocks, rng)

    @property
    def regimes(self) -> list[tuple]:
        """Who is under what: each regime with the sites of its members, ascending, in order of the column ``regime``.

        Each operator has an entry of its own, also one that no member is under.
        """
        here, number = self.state["occupied"], self.state["regime"]
        return [(regime, np.flatnonzero(here & (number == r))) for r, regime in enumerate(self._government.regimes)]

    @property
    def quotas(self) -> np.ndarray:
        """The operators' quotas, shape (blocks, K), by the numbers in the column ``block``; a copy."""
        return self._government.quota.copy()

    @alone
    def inform(self) -> None:
        """Tell all operators and stated objectives what members need, and what does harm, now.

        Those made with ``told=True`` are told of every change before the next tick. Where members'
        needs differ, births and deaths are such changes, and each tick that has some takes longer.
        """
        _governing.spread_news(self, all_of_them=True)

    @alone
    def switch(self, on: bool, sites=None) -> None:
        """Throw the operators' off switch: members who obey rest and do not share until it is on again.

        Parameters
        ----------
        on : bool
            False switches off.
        sites : int or sequence of int, optional
            Sites in an operator's charge; all those by default.

        Raises
        ------
        TypeError, ValueError
            If a site is in no operator's charge; nothing is changed then.
        """
        _governing.switch(self, on, sites)

    def do(self, intervention) -> None:
        """Apply an intervention (see :mod:`organism.intervene`) and note it in ``history``."""
        if not callable(intervention):
            raise TypeError(f"an intervention must be callable with the world, not {intervention!r}")
        intervention(self)
        self.history.append((self.tick, str(getattr(intervention, "name", intervention))))

    @alone
    def remove(self, sites) -> None:
        """Take away the members at ``sites`` with all they hold (booked as removed)."""
        _settling.remove(self, sites)

    @alone
    def add(self, site: int, columns: Mapping | None = None) -> int:
        """Settle a new member, with a founder's start, at an empty site (goods booked as added).

        Parameters
        ----------
        site : int
            An empty site.
        columns : mapping of str to value, optional
            Values of its columns that differ from a founder's. Traits that are not given are
            those of the parameters (capability 1), whoever lived at the site before.

        Returns
        -------
        int
            Its uid.
        """
        return _settling.add(self, site, columns)

    @alone
    def move(self, site: int, to: int) -> None:
        """Move a member to an empty site; its ties there start afresh."""
        _settling.move(self, site, to)

    @alone
    def rewire(self, topology: Topology) -> None:
        """Replace the topology; ties that both have keep bond, trace and exact totals.

        Parameters
        ----------
        topology : Topology
            With the same number of sites. Totals of ties that go are closed.
        """
        _settling.rewire(self, topology)

    # -- copies -----------------------------------------------------------------------------

    def fork(self, rng=None) -> World:
        """Return a twin with the same state; jobs and recordings stay here.

        Parameters
        ----------
        rng : int, SeedSequence or Generator, optional
            Luck of the twin from now on; by default it is the same as here.
        """
        header, arrays = self._pack()
        if rng is not None:
            header["seed"] = seed(rng)
        return self._unpack(self.topology, self._params, header,
                            {name: array.copy() for name, array in arrays.items()})

    def __reduce__(self):
        """Pickle and deep-copy as :meth:`fork` copies: without jobs and recordings."""
        header, arrays = self._pack()
        return type(self)._unpack, (self.topology, self._params, header, arrays)

    def save(self, path) -> None:
        """Write the world to ``path`` (a zip of arrays); an existing file is replaced only when all is written.

        Jobs and recordings are not saved.
        """
        _packing.save(self, path)

    @classmethod
    def load(cls, path) -> World:
        """Read a saved world.

        Raises
        ------
        FileNotFoundError, ValueError
            If the file is missing, is not a saved world, is truncated, damaged,
            or was written by a newer version; it is never unpickled.
        """
        return _packing.load(cls, path)

    @alone
    def _pack(self):
        """Return header and arrays, unpadded, that :meth:`_unpack` understands."""
        return _packing.pack(self)

    @classmethod
    def _unpack(cls, topology, params, header, arrays):
        """Undo :meth:`_pack`; pickles hold its name."""
        return _packing.unpack(cls, topology, params, header, arrays)

    def __repr__(self) -> str:
        return f"World({self.n_members} members on {self.n_sites} sites, tick {self.tick}, seed {self.seed})"

    def _repr_html_(self) -> str:
        from .plots import world_html

        return world_html(self)
