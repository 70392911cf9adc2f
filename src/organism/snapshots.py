"""Snapshots of the ledger: who gave whom how much, window by window, while a world runs.

Each snapshot holds what flowed since the one before: exact, sparse (ties that carried nothing are left out) and in
single precision. In memory, or one file each in a folder that may be read again later:

>>> import organism as og
>>> world = og.World(og.Topology.grid((6, 6)), rng=1, ledger=True)
>>> taken = Snapshots(world, every=20)
>>> world.step(60)
>>> taken
Snapshots(3 windows of 36 members, ticks 0–60)
>>> taken.window(20, 60).ticks
40
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import storage
from ._checks import whole
from .flows import Reading, merge
from .measures import effective_draws
from .measures._sources import is_world
from .topology import Topology

__all__ = ["Snapshot", "Snapshots"]

MAGIC = "organism snapshot"
#: Flows that are added up at a time.
LARGE = 5_000_000


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What members gave each other, and did, in one window.

    Parameters
    ----------
    start, stop : int
        The window: ticks start + 1 … stop.
    tie : ndarray of int32, shape (n,)
        Ties, by their place in ``topology.source``, that carried something between two members who lived there all
        the time.
    amount : ndarray of float32, shape (n, K)
        Goods sent along them.
    pair : ndarray of int64, shape (m, 2)
        Uids of givers and receivers of which at least one came or went in the window.
    pair_amount : ndarray of float32, shape (m, K)
    uid : ndarray of int64, shape (sites,)
        Who lives where at the end; -1: nobody.
    tasks : ndarray of float32, shape (sites, M)
        Acts of the window by task, the older the less (``production.task_memory``).
    burned : ndarray of float32, shape (sites,)
        Goods consumed in the window, about: of the decayed sum that is kept.
    welfare : ndarray of float32, shape (sites,)
        At the end.
    topology : Topology
    seed : int
    memory : float
        Decay of ``tasks`` a tick.
    """

    start: int
    stop: int
    tie: np.ndarray
    amount: np.ndarray
    pair: np.ndarray
    pair_amount: np.ndarray
    uid: np.ndarray
    tasks: np.ndarray
    burned: np.ndarray
    welfare: np.ndarray
    topology: Topology
    seed: int
    memory: float

    #: Names of the arrays, as files hold them.
    ARRAYS = ("tie", "amount", "pair", "pair_amount", "uid", "tasks", "burned", "welfare")

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return sum(getattr(self, name).nbytes for name in self.ARRAYS)

    @property
    def living(self) -> np.ndarray:
        """Sites with a member at the end, ascending."""
        return np.flatnonzero(self.uid >= 0)

    @property
    def draws(self) -> np.ndarray:
        """How many independent acts each living member's tasks are worth (see :mod:`organism.measures`)."""
        return effective_draws(self.tasks[self.living], self.memory)

    def flows(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return uids of givers and of receivers, and amounts (n, K), of ties and of pairs that came or went."""
        at = self.topology
        return [(self.uid[at.source[self.tie]], self.uid[at.target[self.tie]], self.amount),
                (self.pair[:, 0], self.pair[:, 1], self.pair_amount)]

    def reading(self) -> Reading:
        """Return the flows as a :class:`~organism.flows.Reading`."""
        site = self.living
        order = np.argsort(self.uid[site])
        return Reading(self.start, self.stop, self.stop - self.start, *_together(self.flows()), self.uid[site][order],
                       site[order], self.topology, self.seed, self.tasks[site][order].astype(float),
                       self.welfare[site][order].astype(float))

    def sums(self, ends: str) -> np.ndarray:
        """Return the goods that those who live at the end gave ("source") or got ("target"), float64 (sites, K)."""
        at = getattr(self.topology, ends)[self.tie]
        found = np.stack([np.bincount(at, column, len(self.uid)) for column in self.amount.T.astype(float)], axis=1)
        if len(self.pair):
            who = self.pair[:, 0 if ends == "source" else 1]
            order = np.argsort(self.uid)
            place = order[np.minimum(np.searchsorted(self.uid, who, sorter=order), len(order) - 1)]
            here = self.uid[place] == who
            np.add.at(found, place[here], self.pair_amount[here])
        return found


def latest(source):
    """Return the reading of a snapshot, or of the last of a series; anything else as it is."""
    if isinstance(source, Snapshots):
        if not len(source):
            raise ValueError("no snapshot has been taken yet")
        source = source[-1]
    return source.reading() if isinstance(source, Snapshot) else source


def _together(flows):
    """Add up the flows of equal pairs, in ascending order."""
    giver, receiver, amount = (np.concatenate(part) for part in zip(*flows, strict=True))
    return merge(giver, receiver, amount.astype(float))


class _State:
    """What a snapshot is a difference of: copies of what the world holds now."""

    def __init__(self, world, before: _State | None = None):
        self.tick, self.topology = int(world.tick), world.topology
        self.uid = np.array(world.state["uid"])
        self.total = np.array(world._ties["total"])
        self.tasks = np.array(world.state["task_counts"])
        self.consumption = np.array(world.state["consumption"])
        self.n_closed = world._kernel.closed_count
        if before is not None and before.topology is self.topology:
            self.tie_of_slot = before.tie_of_slot
        else:
            self.tie_of_slot = np.full(self.total.shape[1], -1, np.int32)
            self.tie_of_slot[self.topology.in_slot] = np.arange(self.topology.n_ties, dtype=np.int32)

    def loose(self, ties, sign: int):
        """Return uids of givers and receivers and the totals of some ties, times ``sign``."""
        total = self.total[:, self.topology.in_slot[ties]].T
        some = np.flatnonzero((total > 0).any(axis=1))
        ties = ties[some]
        return self.uid[self.topology.source[ties]], self.uid[self.topology.target[ties]], sign * total[some]

    def window(self, before: _State, world) -> Snapshot:
        """Return what happened since ``before``.

        Totals only grow while a pair lives. So of ties whose members stayed the flow is a difference of totals;
        of the others it is what they have now, and what was closed meanwhile, less what they had.
        """
        span, memory = self.tick - before.tick, float(world.params.production.task_memory)
        if self.topology is before.topology:
            came = self.uid != before.uid
            gain = (self.total - before.total).astype(np.float32)       # not of singles: totals grow for ever
            flowing = gain[0] > 0
            for row in gain[1:]:
                flowing |= row > 0
            if came.any():
                loose = np.flatnonzero(came[self.topology.source] | came[self.topology.target])
                flowing[self.topology.in_slot[loose]] = False
            else:
                loose = np.empty(0, np.int64)
            slot = np.flatnonzero(flowing)
            tie, amount = self.tie_of_slot[slot], np.ascontiguousarray(gain[:, slot].T)
            stayed = ~came
            pairs = [self.loose(loose, 1), before.loose(loose, -1)]
        else:
            tie, amount = np.empty(0, np.int32), np.empty((0, len(self.total)), np.float32)
            stayed = np.zeros(len(self.uid), bool)
            pairs = [one.loose(np.arange(one.topology.n_ties), sign) for one, sign in ((self, 1), (before, -1))]
            at = np.minimum(np.searchsorted(np.sort(before.uid), self.uid), len(before.uid) - 1)
            here = np.sort(before.uid)[at] == self.uid
            order = np.argsort(before.uid)[at]
        uids, amounts = world.closed_accounts(before.n_closed)
        pairs.append((uids[:, 0], uids[:, 1], amounts))
        giver, receiver, sent = _together(pairs)
        some = (sent > 1e-9 * (1 + np.abs(sent).max(initial=0))).any(axis=1)
        pair, pair_amount = np.stack([giver[some], receiver[some]], axis=1), np.maximum(sent[some], 0)
        fade = np.float32(memory**span)
        if self.topology is before.topology:
            old_tasks, old_burned = before.tasks * stayed[:, None], before.consumption * stayed
        else:
            old_tasks, old_burned = before.tasks[order] * here[:, None], before.consumption[order] * here
        gamma = float(world.params.exchange.memory)
        worth = span if gamma == 1 else (1 - gamma**span) / (1 - gamma)
        return Snapshot(
            start=before.tick, stop=self.tick, tie=tie, amount=amount, pair=pair,
            pair_amount=pair_amount.astype(np.float32), uid=self.uid,
            tasks=np.maximum(self.tasks - fade * old_tasks, 0).astype(np.float32),
            burned=np.maximum(self.consumption - np.float32(gamma**span) * old_burned, 0) * np.float32(span / worth),
            welfare=np.array(world.state["welfare"]), topology=self.topology, seed=world.seed, memory=memory)


class Snapshots(Sequence):
    """A series of snapshots, taken while a world runs.

    Parameters
    ----------
    world : World
        Made with ``ledger=True``. The first window begins now.
    every : int, default 100
        Ticks in a window.
    path : path, optional
        A folder, empty or new, into which each snapshot is written; then only the last is kept in memory.
    keep : int, optional
        Keep only so many of the last snapshots (in memory, or on disk).

    Raises
    ------
    ValueError
        If the world keeps no exact totals, or the folder is not empty.
    """

    def __init__(self, world, every: int = 100, path=None, keep: int | None = None):
        if not (is_world(world) and hasattr(world, "ledger")):
            raise TypeError(f"world must be a World, made with ledger=True, not {world!r:.60}")
        if not world.ledger:
            raise ValueError("snapshots need exact totals, and this world keeps none; make it with ledger=True")
        self.every = whole("every", every, 1)
        self.keep = None if keep is None else whole("keep", keep, 1)
        self.path = None if path is None else Path(path)
        if self.path is not None:
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise ValueError(f"path {path} must be a new or an empty folder")
            self.path.mkdir(parents=True, exist_ok=True)
        self._ends: list[tuple[int, int]] = []
        self._held: dict[int, Snapshot] = {}
        self._topologies: list[Topology] = []
        self._before = _State(world)
        self._world = weakref.ref(world)
        self._job = world.every(self.every, self)

    @classmethod
    def read(cls, path) -> Snapshots:
        """Return the series that was written into a folder.

        Parameters
        ----------
        path : path

        Returns
        -------
        Snapshots
            Read from the files when asked for; nothing is added to it.
        """
        self = cls.__new__(cls)
        self.path, self.keep, self._held, self._topologies = Path(path), None, {}, []
        names = sorted(self.path.glob("snapshot-*.npz"))
        if not names:
            raise ValueError(f"{path} holds no snapshots")
        self._ends = [tuple(int(word) for word in name.stem.split("-")[1:3]) for name in names]
        self.every = self._ends[0][1] - self._ends[0][0]
        self._world, self._job = None, None
        return self

    def __call__(self, world) -> None:
        """Take a snapshot of ``world`` now."""
        now = _State(world, self._before)
        snapshot = now.window(self._before, world)
        if self.path is not None:
            self._write(snapshot)
            self._held.clear()
        self._held[snapshot.stop] = snapshot
        self._ends.append((snapshot.start, snapshot.stop))
        self._before = now
        while self.keep is not None and len(self._ends) > self.keep:
            start, stop = self._ends.pop(0)
            self._held.pop(stop, None)
            if self.path is not None:
                self._file(start, stop).unlink(missing_ok=True)

    def stop(self) -> None:
        """Take no more snapshots; what was taken stays."""
        world = self._world and self._world()
        if world is not None:
            world.cancel(self._job)

    def _file(self, start: int, stop: int) -> Path:
        return self.path / f"snapshot-{start:010d}-{stop:010d}.npz"

    def _write(self, snapshot: Snapshot) -> None:
        known = [i for i, one in enumerate(self._topologies) if one is snapshot.topology]
        if not known:
            known = [len(self._topologies)]
            storage.write(self.path / f"topology-{known[0]}.npz", {}, snapshot.topology.to_arrays(), magic=MAGIC)
            self._topologies.append(snapshot.topology)
        header = {"start": snapshot.start, "stop": snapshot.stop, "seed": snapshot.seed, "memory": snapshot.memory,
                  "topology": known[0]}
        storage.write(self._file(snapshot.start, snapshot.stop), header,
                      {name: getattr(snapshot, name) for name in Snapshot.ARRAYS}, magic=MAGIC)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        start, stop = self._ends[index]
        found = self._held.get(stop)
        if found is None:
            header, arrays = storage.read(self._file(start, stop), magic=MAGIC)
            while len(self._topologies) <= header["topology"]:
                name = self.path / f"topology-{len(self._topologies)}.npz"
                self._topologies.append(Topology.from_arrays(storage.read(name, magic=MAGIC)[1]))
            found = Snapshot(topology=self._topologies[header.pop("topology")],
                             **{name: header[name] for name in ("start", "stop", "seed", "memory")}, **arrays)
        return found

    @property
    def ticks(self) -> np.ndarray:
        """Ticks at which the windows end, int64 (n,)."""
        return np.array([stop for _, stop in self._ends], np.int64)

    def window(self, start: int | None = None, stop: int | None = None) -> Reading:
        """Return the flows of some windows together.

        Parameters
        ----------
        start, stop : int, optional
            The ticks start + 1 … stop; each an end of a window. By default all.

        Returns
        -------
        Reading

        Raises
        ------
        ValueError
            If no window begins or ends there.
        """
        if not len(self):
            raise ValueError("no snapshot has been taken yet")
        begins, ends = [a for a, _ in self._ends], [b for _, b in self._ends]
        given = start is not None and stop is not None
        start, stop = begins[0] if start is None else start, ends[-1] if stop is None else stop
        swapped = whole("start", start) >= whole("stop", stop)
        if swapped and given:
            raise ValueError(f"start must lie before stop, not {start} and {stop}")
        for name, value, known in (("start", start, begins), ("stop", stop, ends)):
            if value not in known:
                near = min(known, key=lambda tick: abs(tick - value))
                raise ValueError(f"{name} must be an end of a window, such as {near}, not {value}")
        chosen = self[begins.index(start):ends.index(stop) + 1] if self.path is None else (
            self[i] for i in range(begins.index(start), ends.index(stop) + 1))
        flows, waiting, seen = [], 0, []
        for one in chosen:
            flows += one.flows()
            seen.append((one.uid[one.living], one.living, one.tasks[one.living], one.welfare[one.living]))
            waiting += len(flows[-1][0])
            if waiting > LARGE:
                flows, waiting = [_together(flows)], 0
        ticks = sum(b - a for a, b in self._ends[begins.index(start):ends.index(stop) + 1])
        uids, sites, acts, welfare = (np.concatenate(part) for part in zip(*seen[::-1], strict=True))   # the last first
        uid, first, who = np.unique(uids, return_index=True, return_inverse=True)
        tasks = np.stack([np.bincount(who, column, len(uid)) for column in acts.T.astype(float)], axis=1)
        return Reading(start, stop, ticks, *_together(flows), uid, sites[first], one.topology, one.seed, tasks,
                       welfare[first].astype(float))

    def frames(self):
        """Yield the flows of each window as a tidy pandas DataFrame, one after the other.

        Yields
        ------
        pandas.DataFrame
            As :meth:`organism.flows.Reading.frame` makes it; ``pandas.concat`` puts them together.
        """
        for one in self:
            yield one.reading().frame()

    def __repr__(self) -> str:
        if not len(self):
            return "Snapshots(none yet)"
        return (f"Snapshots({len(self)} windows of {len(self[-1].living):,} members, ticks {self._ends[0][0]}–"
                f"{self._ends[-1][1]})")
