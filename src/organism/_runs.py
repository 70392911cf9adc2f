"""One run of a sweep: what is run, how it is seeded, limited in time, and what it leaves."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import inspect
import math
import numbers
import operator
import os
import signal
import threading
import time
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import measures as _measures
from ._checks import closest, undisturbed, whole
from ._designs import key
from .params import Params
from .topology import Topology
from .world import World

__all__ = ["Outcome", "Plan", "Reporter", "Task", "TimeLimit", "execute", "in_turn", "run_seed", "shape"]

_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
          "!=": operator.ne}
#: Names that vary for a world besides its parameters.
_PLACE = ("preset", "size", "topology")
#: The most runs in one part of a store, and in one batch.
LARGEST = 500
#: Sites and ties of the topologies that are kept for the next run, beside the last one.
KEPT = 5_000_000


class TimeLimit(BaseException):
    """A run took too long; no Exception, so that a model's own ``except`` does not catch it."""


class Task(NamedTuple):
    """One run to do."""

    key: str
    point: dict
    replicate: int
    seed: int


class Outcome(NamedTuple):
    """What came of one run; ``rows`` is None if they are in the store, ``error`` None if it went well."""

    key: str
    replicate: int
    seed: int
    point: dict
    rows: list | None
    seconds: float
    error: tuple[str, str, str] | None


def run_seed(entropy: int, digits: str | None, replicate: int) -> int:
    """Return the seed of a run, in [0, 2**53) (exact in any table), whatever the other runs are.

    ``digits`` is the :func:`~organism._designs.key` of its point, None for the same luck at every point.
    """
    where = tuple(int(digits[i:i + 8], 16) for i in range(0, 32, 8)) if digits else ()
    sequence = np.random.SeedSequence(entropy, spawn_key=(*where, replicate))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(11))


@dataclass
class Plan:
    """How every run of a sweep goes; it travels to the workers."""

    what: Any
    kind: str
    params: dict = field(default_factory=dict)
    preset: Any = "organic"
    topology: Any = None
    measures: dict | None = None
    ticks: int | None = None
    every: int | None = None
    stop: Any = None
    time_limit: float | None = None
    built: dict[str, Topology] = field(default_factory=dict, repr=False)

    def __getstate__(self):
        return self.__dict__ | {"built": {}}  # each process builds what it needs

    def run(self, point: dict, seed: int) -> list[dict]:
        """Return the rows of one run."""
        if self.kind == "function":
            rows = _rows(self.what({**self.params, **point}, np.random.default_rng(seed)))
        else:
            rows = self._course(self.world(point, seed) if self.kind == "world" else self.model(point, seed))
        for name in rows[0] if rows else ():
            if name in point or name in ("replicate", "seed"):
                raise ValueError(f"a measure is called {name!r}, as a column of the results is; rename it")
        return rows

    def world(self, point: dict, seed: int) -> World:
        """Return the world of a point."""
        return World(self.place(point, seed), self.parameters(point), rng=seed)

    def parameters(self, point: dict) -> Params:
        """Return the parameters of a point, checked."""
        preset = point.get("preset", self.preset)
        base = preset if isinstance(preset, Params) else Params.preset(preset)
        changes = self.params | {name: value for name, value in point.items() if name not in _PLACE}
        return base.replace(**changes) if changes else base

    def where(self, point: dict) -> tuple[str, Any]:
        """Return what says where the members of a point live, size or topology, and its value."""
        name = "size" if "size" in point and "topology" not in point else "topology"
        return name, point.get(name, self.topology)

    def place(self, point: dict, seed: int) -> Topology:
        """Return the topology of a point."""
        name, where = self.where(point)
        if isinstance(where, Topology):
            return where
        if callable(where):
            found = where(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,))))
            return found if isinstance(found, Topology) else Topology.from_networkx(found)
        text = f"{name} {where!r}"
        found = self.built.get(text)
        if found is None:
            found = _build(name, where)
            room, kept = KEPT - found.n_sites - found.n_ties, {text: found}
            for other, topology in self.built.items():
                room -= topology.n_sites + topology.n_ties
                if room >= 0:
                    kept[other] = topology
            self.built = kept  # as a whole, for threads share the plan
        return found

    def model(self, point: dict, seed: int):
        """Return the Mesa model of a point."""
        name, given = seed_name(self.what), {**self.params, **point}
        if name == "scenario":
            scenario = given.pop("scenario", inspect.signature(self.what.__init__).parameters[name].default)
            if not isinstance(scenario, type):
                raise TypeError(f"params must name the class of {self.what.__name__}'s scenario, not {scenario!r:.60}")
            return self.what(scenario=scenario(rng=seed, **given))
        return self.what(**given, **{name: seed})

    def _course(self, source) -> list[dict]:
        """Step a world or a model, and read it when it is time to."""
        done, rows = 0, [self._read(source, 0)] if self.every else []
        stop = compile_stop(self.stop, self.measures, self.kind)
        while done < self.ticks and not (stop and stop(source)) and getattr(source, "running", True):
            if self.kind == "world":  # tick by tick only where somebody looks
                n = 1 if stop else min(self.every or self.ticks, self.ticks) - done % (self.every or self.ticks)
                source.step(min(n, self.ticks - done))
                done = source.tick
            else:
                source.step()
                done += 1
            if self.every and done % self.every == 0:
                rows.append(self._read(source, done))
        if not rows or rows[-1]["tick"] != done:
            rows.append(self._read(source, done))
        return rows

    def _read(self, source, tick) -> dict:
        measures = self.measures
        if measures is None:
            collector = getattr(source, "datacollector", None)
            if collector is None:
                raise ValueError("the model has no datacollector; give measure, a dict of names to functions of it")
            measures = {name: Reporter(name) for name in collector.model_vars}
        taken = {name: measure(source) for name, measure in measures.items()}
        return {"tick": tick, **{name: _number(name, value) for name, value in taken.items()}}

    def identity(self, version: str | None) -> dict:
        """Return what the keys of the runs depend on, in plain values."""
        return {"kind": self.kind, "what": _identity(self.what, version), "params": _plainest(self.params),
                "preset": self.preset.to_dict() if isinstance(self.preset, Params) else self.preset,
                "topology": _place_identity(self.topology, version), "ticks": self.ticks, "every": self.every,
                "stop": _identity(self.stop, version) if callable(self.stop) else self.stop,
                "measures": self.measures and {name: _identity(m, version) for name, m in self.measures.items()}}


@dataclass(frozen=True)
class Reporter:
    """Reads what a model's ``datacollector`` collected last under a name, or else the attribute of that name."""

    name: str

    def __call__(self, model):
        """Return the reading, None before the first."""
        collected = getattr(getattr(model, "datacollector", None), "model_vars", {})
        if self.name in collected:
            return collected[self.name][-1] if collected[self.name] else None
        if not hasattr(model, self.name):
            raise ValueError(f"the model has no reporter or attribute {self.name!r}; its datacollector has "
                             + (", ".join(collected) or "none"))
        return getattr(model, self.name)


def shape(name: str, size) -> tuple[int, ...]:
    """Return the shape of a grid, or say in one sentence why it is none; one number gives a square."""
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    try:
        if len(sides) not in (1, 2):
            raise ValueError
        return tuple(whole(name, side, 1) for side in sides)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a whole number from 1 on, or a height and a width, not {size!r:.60}"
                         ) from None


def _build(name: str, where) -> Topology:
    """Return the topology of a grid's shape, or of a graph's name or file."""
    try:
        if not isinstance(where, str) or name == "size":
            return Topology.grid(shape(name, where))
        from .inputs import read_graph, weight_of

        graph = read_graph(where)
        return Topology.from_networkx(graph, weight=weight_of(graph))
    except MemoryError:
        raise ValueError(f"{name} {where!r:.60} takes more memory than there is") from None


def seed_name(model) -> str:
    """Return what takes the seed of a Mesa model's class; a scenario takes the other values too."""
    takes = inspect.signature(model.__init__).parameters
    for name in ("rng", "seed", "scenario"):
        if name in takes:
            return name
    if any(p.kind is p.VAR_KEYWORD for p in takes.values()):
        return "rng"
    raise TypeError(f"{model.__name__}.__init__ must take rng (or seed, in Mesa 3) and hand it to Mesa, "
                    "or its runs could not be repeated")


def compile_stop(stop, measures, kind: str) -> Callable | None:
    """Return a stop condition as a function of the world or model; texts compare a measure with a number."""
    if stop is None or callable(stop):
        return stop
    parts = stop.split() if isinstance(stop, str) else ()
    known = (_measures.SCALARS if kind == "world" else {}) | (measures or {})
    try:
        name, sign, limit = parts
        compare, limit = _SIGNS[sign], float(limit)
    except (KeyError, ValueError):
        raise ValueError("stop must be a function or a comparison such as 'welfare < 0.1' with spaces around "
                         f"one of {' '.join(_SIGNS)}, not {stop!r}") from None
    if kind == "model" and name not in known:
        known = {name: Reporter(name)}
    if name not in known:
        raise ValueError(f"stop compares {name!r}, which is none of the measures" + closest(name, known))
    measure = known[name]
    return lambda source: bool(compare(_number(name, measure(source)), limit))


def _identity(thing, version):
    """Name a function or class, with a fingerprint of its code unless the user counts versions."""
    if isinstance(thing, functools.partial):
        return [_identity(thing.func, version), [repr(a) for a in thing.args],
                {name: repr(value) for name, value in thing.keywords.items()}]
    if thing is None:
        return None
    kind = thing if isinstance(thing, type) or hasattr(thing, "__qualname__") else type(thing)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if version is not None or kind.__module__.partition(".")[0] in ("organism", "mesa"):
        return name
    if isinstance(kind, type):
        own = [c for c in kind.__mro__ if c.__module__.partition(".")[0] not in ("mesa", "organism", "builtins")]
        return [name, *(_fingerprint(f) for c in own for f in vars(c).values() if hasattr(f, "__code__"))]
    return [name, _fingerprint(thing)]


def _fingerprint(function) -> str:
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    cells = [_value_text(c.cell_contents) for c in function.__closure__ or ()]
    return key([_code(code), [_value_text(v) for v in function.__defaults__ or ()],
                {n: _value_text(v) for n, v in (function.__kwdefaults__ or {}).items()}, cells])


def _value_text(value) -> str:
    if hasattr(value, "__code__"):
        return _fingerprint(value)
    if value is None or isinstance(value, (str, bytes, int, float, tuple, list, dict)):
        return repr(value)
    return type(value).__qualname__  # its text may hold an address


def _code(code) -> list:
    constants = [_code(c) if isinstance(c, types.CodeType) else
                 repr(sorted(c, key=repr)) if isinstance(c, frozenset) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names)]


def _place_identity(topology, version):
    if isinstance(topology, Topology):
        return key({name: key(np.asarray(array).tobytes().hex()) for name, array in topology.to_arrays().items()})
    return _identity(topology, version) if callable(topology) else topology


def _plainest(params: dict):
    return {name: value if value is None or isinstance(value, (str, bool, int, float, tuple, list)) else repr(value)
            for name, value in params.items()}


def _number(name, value) -> float:
    if value is None:
        return math.nan
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        value = value.item()
    if not isinstance(value, numbers.Real):
        raise TypeError(f"measure {name} must be a number, not {value!r:.60}")
    return float(value)


def _rows(result) -> list[dict]:
    """Return what a function returned as rows of numbers."""
    if result is None or (isinstance(result, (list, tuple)) and not result):
        raise TypeError("returned nothing; a run returns a number, a mapping of numbers or a list of these")
    if isinstance(result, Mapping):
        return [_row(result)]
    if isinstance(result, (list, tuple)):
        return [{"tick": i} | _row(row) for i, row in enumerate(result)]
    return [{"value": _number("value", result)}]


def _row(result) -> dict:
    if not isinstance(result, Mapping):
        raise TypeError(f"a run must return a number, a mapping of numbers or a list of these, not {result!r:.60}")
    return {str(name): _number(name, value) if name != "tick" else int(value) for name, value in result.items()}


# -- in the worker ------------------------------------------------------------------------

@contextlib.contextmanager
def limited(seconds: float | None):
    """Raise TimeLimit in the block after some seconds: by a signal, or in a thread between two bytecodes."""
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        def stop(*_):
            raise TimeLimit

        before = signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    else:
        ident, lock, done = threading.get_ident(), threading.Lock(), False

        def stop():
            with lock:
                if not done:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(TimeLimit))

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with lock:
                done = True
            timer.cancel()


def run_one(plan: Plan, task: Task) -> Outcome:
    """Do one run; whatever it raises becomes its outcome."""
    start, rows, error = time.perf_counter(), None, None
    try:
        with limited(plan.time_limit):
            rows = plan.run(task.point, task.seed)
    except TimeLimit:
        error = late(plan.time_limit)
    except Exception as problem:
        place = problem.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = place and f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}"
        error = (type(problem).__name__, " ".join(str(problem).split())[:500], where or "")
    return Outcome(task.key, task.replicate, task.seed, task.point, rows, time.perf_counter() - start, error)


def late(limit) -> tuple[str, str, str]:
    """Return the error of a run that took too long."""
    return "TimeLimit", f"it was stopped at the time limit of {limit:g} s", ""


_PLANS: dict[str, Plan] = {}


def execute(plan, tasks: list[Task], store=None, notes: str | None = None) -> list[Outcome]:
    """Do a batch of runs in a worker; with a store only short outcomes travel back."""
    if isinstance(plan, tuple):
        name, pickled = plan
        if name not in _PLANS:
            import pickle

            _PLANS.clear()
            _PLANS[name] = pickle.loads(pickled)
        plan = _PLANS[name]
    note = os.open(os.path.join(notes, str(os.getpid())), os.O_CREAT | os.O_WRONLY) if notes else None
    try:
        outcomes: list[Outcome] = []
        in_turn(plan, _noted(tasks, note), store, outcomes.extend, seconds=1.)
        return outcomes
    finally:
        if note is not None:
            os.ftruncate(note, 0)
            os.close(note)


def _noted(tasks, note):
    """Yield tasks, and write down who runs what since when: read by the sweep if this process hangs or dies."""
    for task in tasks:
        if note is not None:
            os.pwrite(note, f"{task.key} {time.time():20.6f}".encode(), 0)
        yield task


def in_turn(plan, tasks: Iterable[Task], store, deliver: Callable, seconds: float = .25) -> None:
    """Do runs one after the other; hand over, and write, what is done every so many seconds.

    What is done is handed over even if this is interrupted.
    """
    done: list[Outcome] = []
    since = time.perf_counter()

    def hand_over():
        if done:
            if store is not None:
                store.write(done)
            with undisturbed():
                deliver([o._replace(rows=None) for o in done] if store is not None else list(done))
                done.clear()

    try:
        for task in tasks:
            done.append(run_one(plan, task))
            if len(done) >= LARGEST or time.perf_counter() - since > seconds:
                hand_over()
                since = time.perf_counter()
    finally:
        hand_over()
