"""The world: members on a topology, stepped by the compiled tick. Knows no Mesa."""

from __future__ import annotations

import functools
import numbers
import threading
from collections.abc import Callable, Mapping

import numpy as np

from . import storage
from ._checks import mask, seed, undisturbed, whole
from ._dispatch import core
from ._slices import LANES, aligned
from .agenda import Agenda, Job
from .params import CARE_KINDS, TRAITS, Params, closest
from .records import Audit, Recording
from .regimes import Corrigible, Endorsed, Government, Specified, checked, partition
from .state import COLUMNS, SHARED, TRAIT_PARAMETERS, State
from .topology import Topology

__all__ = ["World"]

#: Seconds of compiled ticks between two looks at the interpreter (Ctrl-C, progress).
PATIENCE = 0.1
#: More threads than any machine has; each costs scratch memory.
MAX_THREADS = 1024
#: The kernel's sweeps, by the passes of MODEL.md that each computes.
PASSES = ("sense", "choose, produce", "share: offer", "share: receive; metabolise", "appraise: walks, mean",
          "appraise, learn", "reap and breed")
#: Planes that the kernel reads as one row.
_FLAT = {"occupied", "shared", "order_share", "task", "order_task", "age", "births", "uid",
         "parent_uid", "founder", "regime", "obeys", "block", "off"}
#: Columns that may be given when a member is added.
_ADDABLE = tuple(name for name, c in COLUMNS.items() if c.writable and c.owner != "site")


def _alone(method):
    """Refuse a call while another thread is in one (the kernel runs without the GIL); hold back Ctrl-C till its end."""
    @functools.wraps(method)
    def alone(self, *args, **kwargs):
        with undisturbed():
            if not self._lock.acquire(blocking=False):
                raise RuntimeError("another thread is stepping or changing this world; wait until it is done")
            try:
                return method(self, *args, **kwargs)
            finally:
                self._lock.release()
    return alone


class World:
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
        self._start(threads, bool(ledger))
        self.state.planes["occupied"][0, :self.n_sites] = here
        self._attach()
        self._kernel.found_all(True)
        for name, values in (columns or {}).items():
            self.set(name, values)
        self._initial, self._added, self._removed = self._held(), *np.zeros((2, params.resources))

    def _start(self, threads, ledger):
        """Make what every world has beside its columns: kernel, ties, scratch, books."""
        topology, k = self.topology, self._params.resources
        slices, row = len(topology.out_ptr) - 1, self.state.row
        self._kernel, self._agenda, self.history = core.Kernel(), Agenda(), []
        self._lock, self._stepping = threading.RLock(), False
        self._government = Government(k)
        self.ledger, self.threads = ledger, threads
        self._ties = self._new_ties(topology)
        self._scratch = {"offer": aligned((k, row), "f8"), "deficit": aligned((k, row), "f4"),
                         "account": aligned((4 * k, slices), "f8"), "neighbours": aligned((1, row), "f4")}

    def _new_ties(self, topology):
        k = self._params.resources
        ties = {"bond": aligned((len(topology.out_index),), "f4", 1), "trace": aligned((len(topology.in_index),), "f4")}
        if self.ledger:
            ties["total"] = aligned((k, len(topology.in_index)), "f8")
        return ties

    # -- the kernel's view -----------------------------------------------------------------

    def _attach(self):
        """Hand arrays and parameters to the kernel; after any of them was replaced."""
        kernel, p, state, topology, scratch = self._kernel, self._params, self.state, self.topology, self._scratch
        state.ensure(p)
        row = state.row
        if topology.directed and "mutual" not in scratch:
            scratch["mutual"] = np.zeros((1, row), "f4")
        if p.demography.enabled:
            scratch.setdefault("doomed", np.zeros(row, "i1"))
        if p.care.kind == "kin" or p.care.horizon > 1:
            scratch.setdefault("others", np.zeros((1, row), "f4"))
        # the shortfall is read before offers are written: they share memory
        scratch["shortfall"] = scratch["offer"].reshape(-1).view("f4")[:p.resources * row].reshape(-1, row)
        scratch["spoilage"] = np.repeat(np.resize(np.array(p.metabolism.spoilage, "f8"), p.resources)[:, None],
                                        LANES, axis=1)
        scratch["harm"] = np.zeros((p.resources, LANES), "f4")
        scratch["harm"][list(p.metabolism.harmful)] = 1
        for name in COLUMNS:
            plane = state.planes.get(name)
            setattr(kernel, name, plane if plane is None or name not in _FLAT else plane[0])
        if p.production.depletion == 0:        # then richness is not read, whatever it holds
            kernel.richness = np.ones((p.resources, LANES), "f4")
        for name, plane in scratch.items():
            setattr(kernel, name, plane)
        for name in ("out_ptr", "in_ptr", "out_index", "in_index", "in_to_out", "mate", "slot_weight"):
            setattr(kernel, name, getattr(topology, name))
        plain = np.array_equal(topology.site_id, np.arange(self.n_sites))
        kernel.site_id = None if plain else topology.site_id
        kernel.by_id = None if plain else np.argsort(topology.site_id)
        kernel.bond, kernel.trace = self._ties["bond"], self._ties["trace"]
        kernel.ledger_total = self._ties.get("total")
        self._attach_regimes()
        self._tell()

    def _attach_regimes(self):
        """Hand laws, blocks and what stated objectives read to the kernel."""
        kernel, own, row = self._kernel, self._government, self.state.row
        kernel.governed = len(own.regimes) > 1
        kernel.stated, kernel.endorsing = own.has(Specified), own.has(Endorsed)
        kernel.laws = own.laws() if kernel.governed else None
        # who is to be told hears of births and deaths too, where members' needs differ
        differ = self.state.planes["need"].shape[1] > LANES
        kernel.watched = differ and any(map(own.listens, range(len(own.regimes))))
        kernel.news = True
        blocks = len(own.block_operator)
        kernel.block_operator, kernel.quota, kernel.seen, kernel.reading = (
            own.block_operator, own.quota, own.seen, own.reading) if blocks else [None] * 4
        kernel.block_row, kernel.block_count = np.zeros((2, blocks), np.int32) if blocks else (None, None)
        k = self._params.resources
        for name, rows in (("made", 1), ("burned", k)):
            if kernel.stated:
                self._scratch.setdefault(name, aligned((rows, row), "f4"))
            else:
                self._scratch.pop(name, None)
            setattr(kernel, name, self._scratch.get(name))

    def _tell(self):
        """Hand the parameters' values to the kernel."""
        kernel, p = self._kernel, self._params
        kernel.sites, kernel.K, kernel.M = self.n_sites, p.resources, p.tasks
        kernel.F, kernel.G, kernel.seed = p.features, p.share_features, self.seed
        for group in ("production", "exchange", "learning", "demography"):
            for name, value in vars(getattr(p, group)).items():
                name = {"base_yield": "yield_"}.get(name, name)
                if isinstance(value, (int, float)) and hasattr(kernel, name):
                    setattr(kernel, name, value)
        kernel.depletion_law = p.production.regrowth_law == "logistic"
        leontief = p.metabolism.complementarity == "leontief"
        kernel.leontief, kernel.complementarity = leontief, 0 if leontief else p.metabolism.complementarity
        kernel.care_kind, kernel.horizon = CARE_KINDS.index(p.care.kind), p.care.horizon
        kernel.saturation = p.care.saturation
        kernel.directed = self.topology.directed
        kernel.threads = min(self._threads, len(self.topology.out_ptr) - 1)     # each works on whole slices
        kernel.demography, kernel.global_parents = p.demography.enabled, p.demography.dispersal == "global"
        kernel.mutates = sum(1 << TRAITS.index(name) for name in p.demography.mutates)
        kernel.policy_sd, kernel.start_stock = p.start.policy_sd, p.start.stock
        kernel.start_spread, kernel.start_skill = p.start.stock_spread, p.start.skill
        kernel.start_welfare, kernel.start_vitality = p.start.welfare, p.start.vitality
        kernel.bind()

    # -- stepping ---------------------------------------------------------------------------

    def step(self, n: int = 1, progress: bool | Callable = False) -> None:
        """Advance ``n`` ticks.

        Parameters
        ----------
        n : int, default 1
            Number of ticks, at least 0.
        progress : bool or callable, default False
            True shows a progress bar; a callable is called as ``progress(done, n)``.

        Raises
        ------
        TypeError, ValueError
            If ``n`` is negative or not whole, or ``progress`` is something else.
        KeyboardInterrupt
            On Ctrl-C, between two ticks: the world stays consistent. (A tick of 10⁵ members
            that care several steps ahead can itself take more than half a second.)
        """
        n = whole("n", n, 0)
        if self.tick + n >= 2**32:
            raise ValueError(f"n must keep the tick below 2**32; the world is at {self.tick} and n is {n}")
        if self._stepping:
            raise RuntimeError("the world is being stepped; what it calls between ticks cannot step it")
        bar = None
        if not isinstance(progress, bool) and not callable(progress):
            raise TypeError(f"progress must be true, false or callable as progress(done, n), not {progress!r}")
        if progress is True:
            from tqdm.auto import tqdm

            bar = tqdm(total=n, unit="tick", desc="stepping", mininterval=0.2)
        start, end = self.tick, self.tick + n
        self._stepping = True
        try:
            while self.tick < end:
                done = self._some(end)
                if bar is not None:
                    bar.update(done)
                elif callable(progress):
                    progress(self.tick - start, n)
        finally:
            self._stepping = False
            if bar is not None:
                bar.close()

    def _some(self, end: int) -> int:
        """Do what is due before the next tick, some ticks, and what is due after them; return how many."""
        before = self.tick
        self._agenda.run(self, before=False)               # what an error kept from being done
        self._agenda.run(self, before=True)
        stop = min(end, self._agenda.next(before))
        return self._ticks(int(stop - before))

    @_alone
    def _ticks(self, n):
        """Compute up to n ticks and do what is due after them, Ctrl-C or not: it would be missed for ever."""
        if self._kernel.news:
            self._spread_news()
            self._kernel.news = False
        done = self._kernel.run(n, PATIENCE)
        self._agenda.run(self, before=False)
        return done

    def before(self, call: Callable, every: int = 1) -> Job:
        """Call ``call(world)`` before the tick is computed, whenever the tick is a multiple of ``every``.

        This is where those decide who order members about (``order_task``,
        ``order_share``), set share features, or write their own row.

        Returns
        -------
        Job
            For :meth:`cancel`.
        """
        return self._agenda.add(call, 0, whole("every", every, 1), True)

    def every(self, n: int, call: Callable) -> Job:
        """Call ``call(world)`` after every ``n`` ticks from now; return the job for :meth:`cancel`."""
        return self._agenda.add(call, self.tick, whole("n", n, 1), False)

    def at(self, tick: int, call: Callable) -> Job:
        """Call ``call(world)`` once, before tick ``tick`` (now or later) is computed."""
        if whole("tick", tick, 0) < self.tick:
            raise ValueError(f"tick must be {self.tick} or later, not {tick}")
        return self._agenda.add(call, int(tick), 0, True)

    def cancel(self, job: Job | Recording) -> None:
        """Call a job no more, or take no more readings for a recording."""
        self._agenda.cancel(job)

    def schedule(self, name: str, values: Mapping[int, object]) -> None:
        """Change a parameter or a column as time goes on.

        Parameters
        ----------
        name : str
            Dotted parameter name, as in :meth:`update`, or a column, as in :meth:`set`.
        values : mapping of int to value
            What it becomes before each of these ticks is computed; of a column, one value or one
            a site. :func:`organism.regimes.ramp` makes such a mapping.

        Raises
        ------
        TypeError, ValueError
            If a tick lies in the past, or a name or value is refused; nothing is scheduled then.

        Notes
        -----
        These are jobs, which forks and saved worlds are without. To go on with a schedule there,
        schedule what is left of it: the ticks from ``world.tick`` on.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"values must map ticks to values, not {values!r:.60}")
        column = name in COLUMNS
        if not column and name not in self._params.names():
            raise ValueError(f"neither a parameter nor a column is called {name!r}"
                             + closest(name, [*self._params.names(), *COLUMNS]))
        for tick, value in values.items():
            if column:
                self._checked_values(name, value, None)
            else:
                self._checked_update({name: value})
            if whole("tick", tick, 0) < self.tick:
                raise ValueError(f"tick must be {self.tick} or later, not {tick}")
        for tick, value in values.items():
            if column:
                value = np.array(value)                    # a copy: the caller's array may change meanwhile
                self.at(tick, lambda world, value=value: world.set(name, value))
            else:
                self.at(tick, lambda world, value=value: world.update(**{name: value}))

    def record(self, measures: Mapping[str, Callable], every: int = 1) -> Recording:
        """Take measures now and after every ``every`` ticks.

        Parameters
        ----------
        measures : mapping of str to callable
            Each takes the world and returns a number or an array.
        every : int, default 1
            Ticks between two readings.

        Returns
        -------
        Recording
            Fills as the world runs.
        """
        every = whole("every", every, 1)
        if not isinstance(measures, Mapping):
            raise TypeError(f"measures must map names to callables, not {measures!r:.60}")
        for name, measure in measures.items():
            if not callable(measure):
                raise TypeError(f"measures[{name!r}] must be callable with the world, not {measure!r}")
        recording = Recording(measures)
        recording(self)
        self.every(every, recording)
        return recording

    def profile(self, n: int = 100) -> dict[str, float]:
        """Advance ``n`` ticks and return the seconds spent in each pass."""
        kernel = self._kernel
        kernel.spent, kernel.timed = [0.0] * 7, True
        try:
            self.step(n)
        finally:
            kernel.timed = False
        return dict(zip(PASSES, kernel.spent, strict=True))

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
    @_alone
    def threads(self, value):
        value = whole("threads", value, 1)
        if value > MAX_THREADS:
            raise ValueError(f"threads must be in [1, {MAX_THREADS}], not {value}")
        self._threads = value
        if hasattr(self, "_initial"):
            self._tell()

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

    @_alone
    def closed_accounts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact totals of ties one of whose members has gone since.

        Returns
        -------
        uids : ndarray of int64, shape (n, 2)
            Giver and receiver.
        amounts : ndarray of float64, shape (n, K)
            Goods given while both lived.
        """
        n = self._kernel.closed_count
        uids, amounts = np.empty((n, 2), "i8"), np.empty((n, self._params.resources))
        self._kernel.closed(uids, amounts)
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

    @_alone
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
        old, new = self._params, self._checked_update(changes)
        planes, sizes = dict(self.state.planes), dict(self.state.sizes)
        try:
            self._params = new
            if new.features != old.features or new.share_features != old.share_features:
                self._refit(old, new)
            for column, name in TRAIT_PARAMETERS.items():
                if new[name] != old[name] or name in changes:
                    self.state.share(column, new[name])
            self._attach()
        except BaseException:                              # out of memory: back to what was
            self._params, self.state.planes, self.state.sizes = old, planes, sizes
            self._attach()
            raise

    def _checked_update(self, changes):
        new = self._params.replace(**changes)
        for name in ("resources", "production.rest"):
            if new[name] != self._params[name]:
                raise ValueError(f"{name} cannot change in a running world (now {self._params[name]!r}, "
                                 f"asked for {new[name]!r})")
        return new

    def _refit(self, old: Params, new: Params):
        """Carry policy weights over to another set of features, by feature name."""
        before, after = feature_names(old), feature_names(new)
        for name in ("policy", "eligibility"):
            values = self.state[name]
            fresh = np.zeros((self.n_sites, new.tasks, len(after)), "f4")
            for f, feature in enumerate(after):
                if feature in before:
                    fresh[:, :, f] = values[:, :, before.index(feature)]
            self._replace(name, fresh, new)
        before, after = ("1", *old.learning.share_features), ("1", *new.learning.share_features)
        for name, shift in (("share_policy", 0), ("share_eligibility", 0), ("share_feature", 1)):
            values = self.state[name] if name in self.state.planes else None
            fresh = np.zeros((self.n_sites, len(after) - shift), "f4")
            for g, feature in enumerate(after[shift:]):
                if feature in before and values is not None:
                    fresh[:, g] = values[:, before.index(feature) - shift]
            self._replace(name, fresh, new)
        self.state.sizes.update({"F": new.features, "G": new.share_features, "G-1": new.share_features - 1})

    def _replace(self, name, values, params):
        rows = self.state.to_plane(name, values)
        if rows.shape[0]:
            self.state.planes[name] = aligned((rows.shape[0], self.state.row), "f4")
            self.state.planes[name][:, :self.n_sites] = rows
        else:
            self.state.planes.pop(name, None)

    @_alone
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
        index, fresh = self._checked_values(name, values, sites)
        column, state = COLUMNS[name], self.state
        if name in SHARED and sites is None and np.size(values) in (1, state.rows(name)) \
                and np.ndim(values) <= len(state.trailing(name)) and name not in self._params.demography.mutates:
            state.share(name, fresh[0])
            self._attach()
            return
        if column.owner == "member":
            alive = self.state["occupied"][index]
            if sites is not None and not alive.all():
                raise ValueError(f"site {index[~alive][0]} is empty; {name} belongs to members")
            index, fresh = index[alive], fresh[alive]
        known = state.planes.get(name)
        state.tell_apart(name)
        view = state.view(name)
        if name == "stock":
            change = fresh - view[index]
            self._book(change)
        view[index] = fresh
        if state.planes[name] is not known:
            self._attach()
        if name == "need":
            self._kernel.news = True

    # -- who decides ---------------------------------------------------------------------------

    @_alone
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
        checked(regime)
        index = np.arange(self.n_sites) if sites is None else self._sites(sites)
        alive = self.state["occupied"][index]
        operated = isinstance(regime, (Corrigible, Endorsed))
        if sites is not None and not operated and not alive.all():
            raise ValueError(f"site {index[~alive][0]} is empty; a regime belongs to members")
        if blocks is not None and not operated:
            raise ValueError(f"blocks are an operator's; {type(regime).__name__} has none")
        own = self._government.copy()
        own.fits(regime)
        rng = [self.seed, self.tick] if rng is None else seed(rng)
        labels = self._blocks(regime, blocks, rng)[index] if operated else None
        if operated and (labels < 0).any():
            raise ValueError(f"blocks must be 0 or more where the operator is to be in charge, not "
                             f"{labels[labels < 0][0]}, as at site {index[labels < 0][0]}")
        r = own.enter(regime, self._mean_need(index), self._params.metabolism.harmful)
        if r > 32_000:
            raise ValueError("there are more than 32000 different regimes")
        number, block = (np.array(self.state[name], np.int64) for name in ("regime", "block"))
        number[index[alive]] = r
        state = self.state
        block[index] = -1                      # the latest government of a place holds
        if operated:
            state.tell_apart("rank")
            names, label, size = np.unique(labels, return_inverse=True, return_counts=True)
            block[index] = own.add_blocks(r, len(names)) + label.reshape(-1)
            # by block, then at random: the place within the block is the rank
            by_id = np.argsort(self.topology.site_id[index])
            place = np.empty(len(index), np.int64)
            place[by_id] = np.random.default_rng(rng).permutation(len(index))
            order = np.lexsort((place, label.reshape(-1)))
            within = np.arange(len(index)) - np.repeat(np.cumsum(size) - size, size)
            state.view("rank")[index[order]] = (within + 0.5) / np.repeat(size, size)
        number, block = own.tidy(number, block)
        here = state["occupied"]
        for name, values in (("regime", np.where(here, number, 0)), ("block", block)):
            state.tell_apart(name)
            state.view(name)[:] = values
        for name in ("order_task", "order_share"):
            state.tell_apart(name)
            state.view(name)[index] = -1
        if isinstance(regime, Specified):
            state.tell_apart("objective")
        if isinstance(regime, Endorsed):
            for name in ("obeys", "obeyed", "unbidden"):
                state.tell_apart(name)
            for name in ("obeyed", "unbidden"):        # no reason yet to prefer either
                state.view(name)[index[alive]] = state["baseline"][index[alive]]
        if "obeys" in state.planes:
            state.view("obeys")[index] = -1
        idle = ["objective"] * (not own.has(Specified)) + ["obeys", "obeyed", "unbidden"] * (not own.has(Endorsed))
        idle += ["rank", "off", "block"] * (not len(own.block_operator)) + ["regime"] * (len(own.regimes) == 1)
        for name in idle:
            state.planes.pop(name, None)
        self._government = own
        self._attach()
        self.history.append((self.tick, f"govern {alive.sum()} members: {regime}" + f", rng {rng}" * operated))

    def _blocks(self, regime, blocks, rng):
        """Return a block label for each site, or refuse."""
        if blocks is None:
            operator = regime.operator if isinstance(regime, Endorsed) else regime
            return partition(self.topology, operator.view, rng)
        try:
            labels = np.asarray(blocks)
        except ValueError:                     # rows of different lengths
            labels = np.empty(0)
        if labels.shape != (self.n_sites,) or labels.dtype.kind not in "iu":
            raise ValueError(f"blocks must be a whole number for each of the {self.n_sites} sites, "
                             f"not {blocks!r:.60}")
        return labels

    def _mean_need(self, index):
        """Return the mean need of the members at some sites, of all members if none lives there; in order of ids."""
        if self.state.planes["need"].shape[1] == LANES:        # all need the same
            return self.state["need"][0].astype(float)
        here, everywhere = self.state["occupied"], np.arange(self.n_sites)
        where = next((some for some in (index[here[index]], everywhere[here]) if len(some)), everywhere)
        by_id = where[np.argsort(self.topology.site_id[where])]
        return self.state["need"][by_id].mean(axis=0, dtype=float)

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

    @_alone
    def inform(self) -> None:
        """Tell all operators and stated objectives what members need, and what does harm, now.

        Those made with ``told=True`` are told of every change before the next tick. Where members'
        needs differ, births and deaths are such changes, and each tick that has some takes longer.
        """
        self._spread_news(all_of_them=True)

    def _spread_news(self, all_of_them=False):
        """Tell the regimes that are to be told."""
        own, number, block = self._government, self.state["regime"], self.state["block"]
        news = False
        for r in range(len(own.regimes)):
            said = own.operator(r)
            if not (getattr(said, "told", False) or all_of_them and hasattr(said, "told")):
                continue
            where = np.flatnonzero(number == r)
            if hasattr(said, "view"):              # an operator knows its blocks, whoever lives there
                where = np.flatnonzero(np.isin(block, np.flatnonzero(own.block_operator == r)))
            news |= own.inform(self._mean_need(where), self._params.metabolism.harmful, r)
        if news:
            self._attach_regimes()
            self._kernel.bind()

    @_alone
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
        if not isinstance(on, (bool, np.bool_)):
            raise TypeError(f"on must be true or false, not {on!r}")
        block = self.state["block"]
        index = np.flatnonzero(block >= 0) if sites is None else self._sites(sites)
        if (block[index] < 0).any():
            raise ValueError(f"site {index[block[index] < 0][0]} is in no operator's charge")
        self.state.tell_apart("off")
        self.state.view("off")[index] = not on
        self._attach()
        self.history.append((self.tick, f"switch {'on' if on else 'off'} {len(index)} sites"))

    def _book(self, change):
        if hasattr(self, "_added"):
            self._added += np.maximum(change, 0).sum(axis=0)
            self._removed += np.maximum(-change, 0).sum(axis=0)

    def _checked_values(self, name, values, sites):
        """Return site indices and values broadcast to them, or refuse in one sentence."""
        if name not in COLUMNS:
            raise KeyError(f"no column is called {name!r}" + closest(name, COLUMNS))
        column = COLUMNS[name]
        if not column.writable:
            raise ValueError(f"{name} cannot be set; it is the model's own")
        if name == "share_feature" and not self._params.learning.share_features:
            raise ValueError("share_feature can be set only where learning.share_features names some")
        index = np.arange(self.n_sites) if sites is None else self._sites(sites)
        shape = (len(index), *self.state.trailing(name))
        try:
            fresh = np.asarray(values, float)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be numbers, not {values!r:.60}") from None
        if name == "supply" and fresh.shape == self.topology.shape and len(fresh.shape) == 2 and sites is None \
                and fresh.size == self.n_sites:
            fresh = fresh.reshape(-1, 1)           # a landscape: the same for every resource
        elif fresh.shape == (len(index),) and len(shape) > 1:
            if fresh.size == shape[-1] > 1:
                raise ValueError(f"{name} of shape {fresh.shape} could be one value a site, then give shape "
                                 f"({fresh.size}, 1), or one row for all sites, then give (1, {fresh.size})")
            fresh = fresh.reshape(-1, *(1,) * (len(shape) - 1))
        try:
            fresh = np.broadcast_to(fresh, shape)
        except ValueError:
            raise ValueError(f"{name} takes one value or an array of shape {shape}, not {fresh.shape}") from None
        large = 1e30 if column.dtype == "f8" else 1e15         # products with it stay within float32
        low = -large if column.low is None else column.low
        high = large if column.high is None else column.high
        if name == "order_task":
            high = self._params.resources          # rest, which can be ordered even where nobody can choose it
        bad = ~((fresh >= low) & (fresh <= high))              # NaN too
        if column.dtype[0] == "i":
            bad |= fresh != np.rint(fresh)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{name} at site {index[where[0]]} must be in [{low:g}, {high:g}], "
                             f"not {fresh[where]:g}")
        return index, fresh.astype(column.dtype)

    def _sites(self, sites) -> np.ndarray:
        index = np.atleast_1d(np.asarray(sites))
        if index.dtype == bool and index.shape == (self.n_sites,):
            return np.flatnonzero(index)
        if index.size == 0:
            return index.astype(np.int64).ravel()
        if index.dtype.kind not in "iu" or index.ndim != 1:
            raise TypeError(f"sites must be site indices below {self.n_sites}, not {sites!r:.60}")
        bad = (index < 0) | (index >= self.n_sites)
        if bad.any():
            raise ValueError(f"sites must be in [0, {self.n_sites - 1}], not {index[bad][0]}")
        unique, count = np.unique(index, return_counts=True)
        if (count > 1).any():
            raise ValueError(f"sites must not repeat; {unique[count > 1][0]} occurs more than once")
        return index.astype(np.int64)

    def do(self, intervention) -> None:
        """Apply an intervention (see :mod:`organism.intervene`) and note it in ``history``."""
        if not callable(intervention):
            raise TypeError(f"an intervention must be callable with the world, not {intervention!r}")
        intervention(self)
        self.history.append((self.tick, str(getattr(intervention, "name", intervention))))

    @_alone
    def remove(self, sites) -> None:
        """Take away the members at ``sites`` with all they hold (booked as removed)."""
        index = self._sites(sites)
        empty = ~self.state["occupied"][index]
        if empty.any():
            raise ValueError(f"site {index[empty][0]} is empty; there is no member to remove")
        self._removed += self.state["stock"][index].sum(axis=0)
        for site in index:
            self._kernel.leave(int(site))

    @_alone
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
        index = self._sites(int(site) if isinstance(site, numbers.Integral) else site)
        if len(index) != 1:
            raise ValueError(f"site must be one site, not {site!r}")
        if self.state["occupied"][index[0]]:
            raise ValueError(f"site {index[0]} is occupied; a site holds at most one member")
        if not isinstance(columns, Mapping | None):
            raise TypeError(f"columns must map column names to values, not {columns!r:.60}")
        fresh = {}
        for name, values in (columns or {}).items():
            if name not in _ADDABLE and name in COLUMNS:
                raise ValueError(f"{name} cannot be given to a member")
            fresh[name] = self._checked_values(name, values, index)[1]
        self._kernel.found(int(index[0]), True, True)
        self._added += self.state["stock"][index[0]]
        for name in ("capability", *TRAIT_PARAMETERS):
            if name not in fresh and self.state.planes[name].shape[1] == self.state.row:
                self.state.planes[name][:, index[0]] = self._params[TRAIT_PARAMETERS[name]] \
                    if name in TRAIT_PARAMETERS else 1
        for name, values in fresh.items():
            self.set(name, values, index)
        return int(self.state["uid"][index[0]])

    @_alone
    def move(self, site: int, to: int) -> None:
        """Move a member to an empty site; its ties there start afresh."""
        index = self._sites([site, to])
        for where, wanted in zip(index, (True, False), strict=True):
            if self.state["occupied"][where] != wanted:
                raise ValueError(f"site {where} is {'empty; nobody' if wanted else 'occupied; no second member'} "
                                 f"can {'leave' if wanted else 'settle'} there")
        planes = [plane for name, plane in self.state.planes.items()
                  if COLUMNS[name].owner != "site" and plane.shape[1] == self.state.row]
        rows = [plane[:, index[0]].copy() for plane in planes]
        kernel = self._kernel
        kernel.leave(int(index[0]))
        kernel.found(int(index[1]), False)
        kernel.next_uid -= 1
        for plane, row in zip(planes, rows, strict=True):
            plane[:, index[1]] = row

    @_alone
    def rewire(self, topology: Topology) -> None:
        """Replace the topology; ties that both have keep bond, trace and exact totals.

        Parameters
        ----------
        topology : Topology
            With the same number of sites. Totals of ties that go are closed.
        """
        if not isinstance(topology, Topology):
            raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
        if topology.n_sites != self.n_sites:
            raise ValueError(f"topology must have {self.n_sites} sites, not {topology.n_sites}")
        old = self.topology
        columns = {name: self.tie(name) for name in self._ties}
        found = old.find_ties(topology.source, topology.target)
        kept = found >= 0
        origin = found[kept]
        if self.ledger:
            gone = np.ones(old.n_ties, bool)
            gone[origin] = False
            gone &= columns["total"].sum(axis=1) > 0
            uid, (uids, amounts) = self.state["uid"], self.closed_accounts()
            pairs = np.column_stack([uid[old.source[gone]], uid[old.target[gone]]])
            self._kernel.reopen(np.concatenate([uids, pairs]),
                                np.concatenate([amounts, columns["total"][gone]]))
        self.topology, self._ties = topology, self._new_ties(topology)
        self._ties["bond"][topology.out_slot[kept]] = columns["bond"][origin]
        self._ties["trace"][topology.in_slot[kept]] = columns["trace"][origin]
        if self.ledger:
            self._ties["total"][:, topology.in_slot[kept]] = columns["total"][origin].T
        self._count_neighbours()
        self._attach()

    def _count_neighbours(self):
        """Count each member's occupied out-neighbours, and those among them that can give back."""
        t, here = self.topology, self.state["occupied"]
        self._scratch["neighbours"][:] = 0
        self._scratch.pop("mutual", None)
        alive = here[t.target]
        self._scratch["neighbours"][0, :self.n_sites] = np.bincount(t.source[alive], minlength=self.n_sites)
        if t.directed:
            both = alive & (t.mate[t.out_slot] != t.in_ptr[-1])
            self._scratch["mutual"] = np.zeros((1, self.state.row), "f4")
            self._scratch["mutual"][0, :self.n_sites] = np.bincount(t.source[both], minlength=self.n_sites)

    # -- copies -----------------------------------------------------------------------------

    _COUNTERS = ("tick", "n_alive", "next_uid", "n_born", "n_died")

    def fork(self) -> World:
        """Return a twin with the same state and the same luck; jobs and recordings stay here."""
        header, arrays = self._pack()
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
        header, arrays = self._pack()
        record = {"params": self._params.to_dict(), "organism": _version(), "numpy": np.__version__}
        topology = {f"topology.{name}": a for name, a in self.topology.to_arrays().items()}
        storage.write(path, {**header, **record}, {**arrays, **topology})

    @classmethod
    def load(cls, path) -> World:
        """Read a saved world.

        Raises
        ------
        FileNotFoundError, ValueError
            If the file is missing, is not a saved world, is truncated, damaged,
            or was written by a newer version; it is never unpickled.
        """
        header, arrays = storage.read(path)
        try:
            params = Params.from_dict(header["params"])
            topology = Topology.from_arrays({name.removeprefix("topology."): a for name, a in arrays.items()
                                             if name.startswith("topology.")})
            return cls._unpack(topology, params, header, arrays)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{path} is damaged: {error}") from None

    @_alone
    def _pack(self):
        """Return header and arrays, unpadded, that :meth:`_unpack` understands."""
        n = self.n_sites
        regimes, told = self._government.pack()
        header = {"seed": self.seed, "ledger": self.ledger, "threads": self._threads, "regimes": regimes,
                  "history": self.history, **{name: getattr(self._kernel, name) for name in self._COUNTERS}}
        arrays = {f"state.{name}": plane[:, :n] if plane.shape[1] == self.state.row else plane[:, :1]
                  for name, plane in self.state.planes.items()}
        arrays |= {f"tie.{name}": self.tie(name) for name in self._ties}
        uids, amounts = self.closed_accounts()
        account = self._scratch["account"]
        books = {"account": account, "initial": self._initial, "added": self._added,
                 "removed": self._removed, "closed_uids": uids, "closed_amounts": amounts}
        arrays |= {f"regime.{name}": a for name, a in told.items()}
        return header, arrays | {f"book.{name}": a for name, a in books.items()}

    @classmethod
    def _unpack(cls, topology, params, header, arrays):
        self = cls.__new__(cls)
        self.topology, self._params, self.seed = topology, params, seed(header["seed"])
        self.state = State(topology.n_sites, len(topology.out_ptr) - 1, params)
        self._start(whole("threads", header["threads"], 1), bool(header["ledger"]))
        self.history = [tuple(entry) for entry in header["history"]]
        state, n = self.state, topology.n_sites
        missing = {f"state.{name}" for name in state.planes} - arrays.keys()
        if missing:
            raise ValueError(f"column {min(missing)[6:]} is missing")
        for key in [key for key in arrays if key.startswith("state.")]:
            name, rows = key.removeprefix("state."), arrays[key]
            column = COLUMNS[name]
            shared = name in SHARED and rows.shape[1] == 1 and n > 1
            if rows.dtype != np.dtype(column.dtype) or rows.shape != (state.rows(name), 1 if shared else n):
                raise ValueError(f"column {name} has shape {rows.shape} and type {rows.dtype}")
            high = {"task": params.tasks - 1, "order_task": params.resources}.get(name, column.high)
            if not (np.isfinite(rows).all() and (column.low is None or (rows >= column.low).all())
                    and (high is None or (rows <= high).all())):
                raise ValueError(f"column {name} holds values out of its range")
            if shared:
                state.share(name, rows[:, 0])
            else:
                state.allocate(name)[:, :n] = rows
        self._unpack_regimes(header, arrays)
        for name, like in self._new_ties(topology).items():
            rows = arrays[f"tie.{name}"]
            slots = topology.out_slot if name == "bond" else topology.in_slot
            if rows.T.shape != like[..., slots].shape or not (np.isfinite(rows) & (rows >= 0)).all():
                raise ValueError(f"tie column {name} does not fit the ties")
            like[..., slots] = rows.T
            self._ties[name] = like
        for name in ("account", "initial", "added", "removed"):
            rows = arrays[f"book.{name}"]
            shape = self._scratch["account"].shape if name == "account" else (params.resources,)
            if rows.shape != shape or not np.isfinite(rows).all():
                raise ValueError(f"the account of goods {name} has shape {rows.shape}, or holds NaN or inf")
            if name == "account":
                self._scratch["account"][:] = rows
            else:
                setattr(self, f"_{name}", np.array(rows, float))
        for name in cls._COUNTERS:
            setattr(self._kernel, name, int(header[name]))
        if not 0 <= self.tick < 2**32:
            raise ValueError(f"the tick {self.tick} is not in [0, 2**32)")
        if not self.audit().closes:
            raise ValueError("its account of goods does not close")
        if self._kernel.n_alive != int(state["occupied"].sum()):
            raise ValueError("the number of members does not fit the occupied sites")
        self._count_neighbours()
        self._attach()
        uids, amounts = (np.ascontiguousarray(arrays[f"book.closed_{name}"]) for name in ("uids", "amounts"))
        if uids.shape != (len(amounts), 2) or amounts.shape[1:] != (params.resources,):
            raise ValueError("the closed accounts do not fit each other")
        self._kernel.reopen(uids, amounts)
        return self

    def _unpack_regimes(self, header, arrays):
        """Take over who is under what; files of format 1 know no regimes."""
        if "regimes" not in header:
            return
        told = {name.removeprefix("regime."): a for name, a in arrays.items() if name.startswith("regime.")}
        own, state = Government.unpack(self._params.resources, header["regimes"], told), self.state
        if state["regime"].max() >= len(own.regimes) or state["block"].max() >= len(own.block_operator):
            raise ValueError("a member's regime or a site's block is not there")
        needed = ["regime", "order_task", "order_share"] if len(own.regimes) > 1 else []
        needed += ["objective"] * own.has(Specified) + ["obeys", "obeyed", "unbidden"] * own.has(Endorsed)
        needed += ["rank", "block"] * bool(len(own.block_operator))
        for name in needed:
            if name not in state.planes:
                raise ValueError(f"column {name} is missing")
        self._government = own

    def __repr__(self) -> str:
        return f"World({self.n_members} members on {self.n_sites} sites, tick {self.tick}, seed {self.seed})"

    def _repr_html_(self) -> str:
        from .plots import world_html

        return world_html(self)


def feature_names(params: Params) -> tuple[str, ...]:
    """Return the names of the task policy's features, in their order."""
    names = ["1"]
    for wanted, kind in ((params.learning.perception >= 1, "own shortfall"),
                         (params.learning.perception == 2, "neighbours' shortfall"),
                         (params.learning.cue, "own supply")):
        if wanted:
            names += [f"{kind} {k}" for k in range(params.resources)]
    return tuple(names)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("organism-abm")
    except PackageNotFoundError:
        return "unknown"
