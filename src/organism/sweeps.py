"""Many runs: designs × replicates of a world, a Mesa model or a function, on any executor.

>>> def walk(params, rng):
...     return {"end": rng.normal(params["drift"])}
>>> result = sweep(walk, vary={"drift": [0, 2]}, replicates=3, rng=1, progress=False)
>>> list(result.frame.columns), len(result.frame)
(['drift', 'replicate', 'seed', 'end'], 6)

The seed of a run is derived from ``rng``, the values of its point and its replicate
alone, so the numbers are the same on every engine, in any order, and stay the same when
values or replicates are added later.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import numbers
import os
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from . import measures as _measures
from ._bootstrap import intervals, moments
from ._checks import closest, whole
from ._checks import seed as resolved
from ._designs import canonical, key, plain, points
from ._engines import parallel, serial
from ._progress import Progress, named
from ._readings import Readings, Tasks
from ._runs import Plan, Reporter, compile_stop, seed_name
from ._store import MANY, Store, StoreError
from ._version import __version__
from .params import Params
from .topology import Topology

__all__ = ["Sweep", "sweep"]


class Sweep:
    """What came of a sweep: made by :func:`sweep`.

    The tasks it was given are looked up in the store, if there is one, when first asked for.

    Attributes
    ----------
    points : list of dict
        The points of the design, in order.
    seed : int
        What ``rng`` was resolved to; with it the sweep can be repeated and extended.
    replicates : int
        Runs of each point.
    paired : bool
        Whether the same replicate has the same seed at every point.
    """

    def __init__(self, tasks, seed, paired, store=None):
        self.points, self.seed, self.replicates, self.paired = tasks.points, seed, tasks.replicates, paired
        self._tasks, self._store = tasks, store

    @functools.cached_property
    def _readings(self) -> Readings:
        readings = Readings(self._tasks)
        for outcome in self._store.read() if self._store is not None else ():
            readings.add(outcome)
        return readings

    @property
    def names(self) -> list[str]:
        """Names of what varies, in order."""
        return list(dict.fromkeys(name for point in self.points for name in point))

    @functools.cached_property
    def frame(self):
        """A tidy pandas DataFrame: a row a run, or a run and tick, in the order of the design.

        The point's names, ``replicate``, ``seed`` and the measures are the columns; runs
        that failed are in :attr:`failures`.
        """
        return self._frame(*self._readings.rows())

    def iter_frames(self, rows: int = 50_000):
        """Yield :attr:`frame` in pieces, in the order of the store; never more is in memory than one of them.

        Parameters
        ----------
        rows : int, default 50000
            About how many rows a piece has.

        Yields
        ------
        pandas.DataFrame
        """
        rows = whole("rows", rows, 1)
        if self._store is None:
            yield self.frame
            return
        readings = Readings(self._tasks)
        for outcome in self._store.read():
            readings.add(outcome)
            if len(readings) >= rows:
                yield self._frame(*readings.rows())
                readings.clear()
        if len(readings):
            yield self._frame(*readings.rows())

    @functools.cached_property
    def failures(self):
        """A pandas DataFrame of the runs that failed: point, replicate, seed, error, message, where."""
        index = self._failed
        rows = [self._readings.errors[run] for run in self._tasks.run[index]]
        return self._frame(index, {name: [row[i] for row in rows]
                                   for i, name in enumerate(("error", "message", "where"))})

    @functools.cached_property
    def runs(self):
        """A pandas DataFrame of all runs: point, replicate, seed, seconds, and the error if there was one."""
        seconds, errors = self._readings.seconds[self._tasks.run], self._readings.errors
        index = np.flatnonzero(~np.isnan(seconds))
        names = [errors[run][0] if run in errors else None for run in self._tasks.run[index].tolist()]
        return self._frame(index, {"seconds": seconds[index], "error": names})

    def _frame(self, index, columns):
        """Return a table of columns, beside the point, replicate and seed of the task of each row."""
        import pandas as pd

        point, replicate = np.divmod(index, self.replicates)
        given = {name: pd.Series([values.get(name) for values in self.points]).array.take(point)
                 for name in self.names}
        return pd.DataFrame({**given, "replicate": replicate, "seed": self._tasks.seeds[index], **columns})

    @property
    def measures(self) -> list[str]:
        """Names of the measures."""
        left = {*self.names, "replicate", "seed", "tick"}
        return [name for name in self.frame.columns if name not in left]

    def summary(self, reference: Mapping | None = None, confidence: float = .95, n_resamples: int = 1999, rng=0):
        """Return mean, spread and interval of each measure at each point; of a series, its last reading.

        Parameters
        ----------
        reference : mapping, optional
            The point that the others are compared with.
        confidence : float, default .95
            Level of the intervals, in (0, 1).
        n_resamples : int, default 1999
            Resamples of the studentised bootstrap (Efron and Tibshirani 1993, chapter 12), which holds the
            mean about as often as it says from 5 values on; of 2 to 4 values, and of samples of little
            but one value, the interval is Student's (Welch's for a difference). A constant sample has one of width 0.
        rng : int, SeedSequence or Generator, default 0
            Of the bootstrap.

        Returns
        -------
        pandas.DataFrame
            The point's names, ``measure``, ``n``, ``mean``, ``sd`` (n - 1), ``low``, ``high``; with a
            reference also ``difference`` with its interval and Hedges' g (Hedges 1981). Values that
            are NaN are left out; an interval takes two values. With ``paired``, differences are
            resampled in pairs.
        """
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must be in (0, 1), not {confidence!r}")
        n_resamples = whole("n_resamples", n_resamples, 1)
        base, texts = None, [canonical(point) for point in self.points]
        if reference is not None:
            if not isinstance(reference, Mapping):
                raise TypeError(f"reference must be a dict of what varies to its values, not {reference!r:.60}")
            if canonical(dict(reference)) not in texts:
                raise ValueError(f"reference must be a point of the sweep, not {dict(reference)!r:.80}"
                                 + self._astray(reference))
            base = texts.index(canonical(dict(reference)))
        return self._summary(self._samples(), base, confidence=confidence, n_resamples=n_resamples, rng=resolved(rng))

    def _astray(self, reference) -> str:
        """Say in which names, and to what, a reference that is no point of the sweep must change; "" if in none."""
        levels = {name: {canonical(point[name]): point[name] for point in self.points if name in point}
                  for name in self.names}
        wrong = [f"it must give {name}, one of {', '.join(map(repr, [*known.values()][:9]))}"
                 + (", …" if len(known) > 9 else "")
                 for name, known in levels.items() if name not in reference or canonical(reference[name]) not in known]
        wrong += [f"{name} does not vary" + closest(name, self.names) for name in reference if name not in levels]
        return "".join(f"; {text}" for text in wrong)

    def _summary(self, samples, base=None, *, confidence=.95, n_resamples=1999, rng=0):
        """Return the table of :meth:`summary` of some measures; ``base`` is the index of the reference."""
        import pandas as pd

        given = {name: [point.get(name) for point in self.points] for name in self.names}
        how = {"confidence": confidence, "n_resamples": n_resamples, "rng": rng}
        tables = []
        for name, x in samples.items():
            n = np.count_nonzero(~np.isnan(x), axis=1)
            mean, spread = moments(x)
            low, high = intervals(x, **how)
            columns = {"measure": name, "n": n, "mean": mean, "sd": spread, "low": low, "high": high}
            if base is not None:
                columns |= _compared(x, x[base], mean, spread, n, base, self.paired, how)
            tables.append(pd.DataFrame({**given, **columns}, index=range(len(self.points))))
        if not tables:
            return pd.DataFrame(columns=[*self.names, "measure", "n", "mean", "sd", "low", "high"])
        # Point by point, the measures of each in their order.
        return pd.concat(tables).sort_index(kind="stable").reset_index(drop=True)

    def plot(self, measure: str, *, x: str | None = None, y: str | None = None, hue: str | None = None,
             levels=None, ax=None):
        """Draw a measure over one varied name with its 95 % interval, or as a map over two.

        Parameters
        ----------
        measure : str
        x, y : str, optional
            Names that vary; by default the first, and no second. ``x="tick"`` draws the course of a series.
        hue : str, optional
            Name that gives each of its values a curve.
        levels : float or sequence of float, optional
            Draw the map as a phase diagram: the regions between these values.
        ax : matplotlib.axes.Axes, optional

        Returns
        -------
        matplotlib.axes.Axes
            On a map, crosses mark the points whose interval is wide, or holds a level.
        """
        from . import _sweepplots

        if measure not in self.measures:
            raise ValueError(f"measure must be one of {', '.join(self.measures)}, not {measure!r}")
        used = [name for name in (x or self.names[0], y, hue) if name is not None]
        for name in used:
            if name not in self.names and not (name == x == "tick" and self._series):
                raise ValueError(f"{name!r} does not vary; what varies is {', '.join(self.names)}"
                                 + (", and tick as x" if self._series else ""))
        table = self._course(measure) if x == "tick" else self._summary({measure: self._samples()[measure]})
        if table.duplicated(used).any():
            raise ValueError(f"several points share the same {', '.join(used)}; name the other names that vary too")
        if y is None:
            return _sweepplots.curve(table, used[0], measure, hue, ax)
        return _sweepplots.heat(table, used[0], y, measure, levels, ax)

    def figure(self, measures: Iterable[str] | None = None):
        """Draw measures over what varies, each in a panel, in a way that suits the design.

        One varied name gives a curve, two a curve for each value of the second or, of many
        numbers each, a map; more, or points that are no grid, give the mean of each point over
        each name; none, a histogram of the runs. A series of few points is drawn over time.

        Parameters
        ----------
        measures : list of str, optional
            All by default.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from . import _sweepplots

        samples = self._samples()
        for name in measures or ():
            if name not in samples:
                raise ValueError(f"measures must be among {', '.join(samples)}, not {name!r}")
        samples = {name: samples[name] for name in (measures or samples)}
        if not samples:
            raise ValueError("there is nothing to draw: no run left a number")
        if self._series and len(self.points) <= _sweepplots.FEW:
            return _sweepplots.courses({name: self._course(name) for name in samples}, self.names)
        tables = {name: self._summary({name: values}) for name, values in samples.items()}
        return _sweepplots.overview(self.points, samples, tables)

    @functools.cached_property
    def _series(self) -> bool:
        """Whether some run was read at several ticks."""
        ticks = self._readings.rows()[1].get("tick")
        return ticks is not None and len(ticks) > len(self._tasks) and len(np.unique(ticks)) > 1

    def _course(self, measure):
        """Return mean and interval of a measure at each point and tick."""
        import pandas as pd

        task, columns = self._readings.rows()
        point, replicate = np.divmod(task, self.replicates)
        at, row = np.unique(np.stack([point, columns["tick"]]), axis=1, return_inverse=True)
        values = np.full((at.shape[1], self.replicates), np.nan)
        values[row, replicate] = columns[measure]
        low, high = intervals(values, n_resamples=1999)
        given = {name: [self.points[i].get(name) for i in at[0].astype(int)] for name in self.names}
        return pd.DataFrame({**given, "tick": at[1], "mean": moments(values)[0], "low": low, "high": high})

    def _samples(self) -> dict[str, np.ndarray]:
        """Return the values of each measure, shape (points, replicates), NaN where a run has none."""
        return {name: values.reshape(len(self.points), self.replicates)
                for name, values in self._readings.last().items()}

    @functools.cached_property
    def _failed(self):
        """The tasks that failed, in the order of the design."""
        return np.flatnonzero(np.isin(self._tasks.run, list(self._readings.errors)))

    @property
    def _head(self) -> str:
        return (f"Sweep({len(self.points)} points × {self.replicates} replicates, "
                f"{len(self._failed)} failed, seed {self.seed})")

    @property
    def _first_error(self) -> str:
        """Name the first run that failed, with its error; empty if none did."""
        if not len(self._failed):
            return ""
        first = self._failed[0]
        task, (error, message, _) = self._tasks[first], self._readings.errors[self._tasks.run[first]]
        return ": ".join(filter(None, [named(task.point, task.replicate), error, message]))

    @property
    def _complaint(self) -> str:
        """Say how many runs failed and why the first did; empty if none did."""
        failed, total = len(self._failed), len(self._tasks)
        return f"{failed:,} of {total:,} runs failed; first error: {self._first_error}" if failed else ""

    def __repr__(self) -> str:
        return self._head + (f", first error: {self._first_error:.100}" if len(self._failed) else "")


def _compared(x, other, mean, spread, n, base, paired, how) -> dict:
    """Return the differences of means from the reference's with their intervals, and Hedges' g."""
    low, high = intervals(x - other, **how) if paired else intervals(x, other, **how)
    freedom = n + n[base] - 2
    difference = np.where((n > 1) & (n[base] > 1), mean - mean[base], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sqrt(((n - 1) * spread**2 + (n[base] - 1) * spread[base]**2) / freedom)
        g = np.where(pooled > 0, difference / pooled * (1 - 3 / (4 * freedom - 1)),
                     np.where(difference == 0, 0., np.nan))
    return {"difference": difference, "difference_low": low, "difference_high": high, "hedges_g": g}


def _plan(what, params, measure, ticks, every, stop, topology, time_limit) -> Plan:
    """Check what is run and how, and return it as a plan."""
    if what is None:
        kind = "world"
    elif isinstance(what, type) and any(c.__module__.partition(".")[0] == "mesa" for c in what.__mro__):
        kind = "model"
        seed_name(what)
    elif callable(what) and not isinstance(what, type):
        kind = "function"
    else:
        raise TypeError("what must be None for a world, a mesa.Model class or a function of (params, rng), "
                        f"not {what!r:.60}")
    preset = "organic"
    if kind == "world" and (isinstance(params, (str, Params))):
        preset, params = params, {}
        if isinstance(preset, str):
            Params.preset(preset)
    if not isinstance(params, Mapping | None):
        also = ", a Params or a preset" if kind == "world" else ""
        raise TypeError(f"params must be a dict{also}, not {params!r:.60}")
    params = dict(params or {})
    if kind == "world":
        preset = params.pop("preset", preset)
    if kind == "function":
        for name, value in (("ticks", ticks), ("every", every), ("stop", stop), ("measure", measure),
                            ("topology", topology)):
            if value is not None:
                raise TypeError(f"{name} is for worlds and models; a function decides by itself what it returns")
    else:
        if ticks is None:
            raise TypeError("ticks, the number of ticks of a run, must be given")
        ticks = whole("ticks", ticks, 0)
        every = None if every in (None, "end") else whole("every", every, 1)
    if kind != "world" and topology is not None:
        raise TypeError("topology is for worlds; a model makes its own space")
    if time_limit is not None and (isinstance(time_limit, bool) or not isinstance(time_limit, numbers.Real)
                                   or not 0 < time_limit < float("inf")):
        raise ValueError(f"time_limit must be in (0, inf) seconds, not {time_limit!r}")
    if kind == "world":
        topology = (32, 32) if topology is None else topology
        if not isinstance(topology, (Topology, str, tuple, list, numbers.Integral)) and not callable(topology):
            raise TypeError("topology must be a Topology, a grid's shape, the name of a graph or a function of rng, "
                            f"not {topology!r:.60}")
        if isinstance(topology, (tuple, list, numbers.Integral)):
            topology = plain("topology", topology)
    plan = Plan(what, kind, params, preset, topology, _measured(measure, kind), ticks, every, stop, time_limit)
    if stop is not None:
        compile_stop(stop, plan.measures, kind)
    return plan


def _measured(measure, kind):
    """Return the measures as functions by name; None leaves them to a model's data collector."""
    if kind == "function" or (kind == "model" and measure is None):
        return None
    if measure is None:
        return dict(_measures.SCALARS)
    if isinstance(measure, str):
        measure = [measure]
    if not isinstance(measure, Iterable):
        raise TypeError(f"measure must be a list of names or a dict of names to functions, not {measure!r:.60}")
    measure = measure if isinstance(measure, Mapping) else list(measure)
    if not measure:
        raise ValueError(f"measure must name at least one measure, not {measure!r}; without it all are read")
    if not isinstance(measure, Mapping):
        if kind == "model":
            return {str(name): Reporter(str(name)) for name in measure}
        for name in measure:
            if name not in _measures.SCALARS:
                raise ValueError(f"no measure is called {name!r}" + closest(name, _measures.SCALARS)
                                 + "; measures of your own are given as a dict of names to functions")
        return {name: _measures.SCALARS[name] for name in measure}
    for name, function in measure.items():
        if not callable(function):
            raise TypeError(f"measure[{name!r}] must be a function, not {function!r:.60}")
    return dict(measure)


def sweep(what=None, *, params=None, vary=None, design: str = "factorial", n: int | None = None,
          replicates: int = 1, measure=None, ticks: int | None = None, every=None, stop=None, topology=None,
          rng=None, paired: bool = False, workers: int | None = None, executor=None, store=None,
          time_limit: float | None = None, version: str | None = None, progress: bool = True) -> Sweep:
    """Run a world, a model or a function at many points, several times each.

    Parameters
    ----------
    what : None, mesa.Model class or function, optional
        None runs a world; a class is made with the point's values as keyword arguments (or
        its ``scenario`` is, whose class ``params`` names if it is not the default); a function
        is called with ``(params: dict, rng: Generator)`` and returns a number, a mapping of
        numbers, or a list of mappings (a series).
    params : Params, str or dict, optional
        What all points share; for a world parameters, a preset or dotted names.
    vary : mapping, list of dicts or DataFrame, optional
        What differs; see ``design``. For a world, dotted names, ``size``, ``preset`` and
        ``topology``.
    design : {"factorial", "list", "latin_hypercube", "sobol"}
        Every combination of lists; the points as given (also chosen by a list of dicts);
        or ``n`` points in intervals ``(low, high)`` or ``{"low", "high", "scale"}``.
    n : int, optional
        Points of the last two designs; a power of 2 for ``"sobol"``.
    replicates : int, default 1
        Runs of each point.
    measure : list of str or dict of str to function, optional
        Names of :data:`organism.measures.SCALARS` (all by default), for a model of the
        reporters of its ``datacollector`` (all by default) or of its attributes; or functions
        of the world or model.
    ticks : int
        Ticks of a run of a world or model.
    every : int, optional
        Ticks between two readings; by default one at the end.
    stop : str or function, optional
        Ends a run early: ``"welfare < 0.1"``, or a function of the world or model. It is
        asked before every tick.
    topology : Topology, tuple, str or function, optional
        Where a world's members live: also a grid's shape (32 × 32 by default), a graph as
        :func:`organism.inputs.read_graph` takes it, or a function of a Generator.
    rng : int, SeedSequence or Generator, optional
        Source of all seeds. Without it a seed is drawn; a store draws one when it is made
        and remembers it, so that the same call continues.
    paired : bool, default False
        Common random numbers: the same replicate has the same seed at every point.
    workers : int, optional
        That many processes (loky); functions defined in a notebook work too.
    executor : concurrent.futures.Executor or dask.distributed.Client, optional
        Runs the runs instead, and is left open.
    store : path, optional
        Folder that keeps what is finished; the same call again does only what is missing
        and what failed.
    time_limit : float, optional
        Seconds after which a run is stopped and counts as failed. With ``workers`` this
        holds whatever the run does; otherwise a run inside compiled code that does not
        return to Python cannot be stopped.
    version : str, optional
        Stands for the code of ``what`` and the measures in the keys of the store; by
        default a fingerprint of it does, so that an edited function runs anew.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    Sweep

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, before the first run.
    OSError
        If a graph's file cannot be read, before the first run; or if the store cannot be
        written, and then what is finished is kept.
    KeyboardInterrupt
        On Ctrl-C; what is finished is in the store, and in the error's ``sweep``.
    """
    return prepare(**locals())()


def prepare(what=None, **given) -> Callable[[], Sweep]:
    """Check what :func:`sweep` is given, and return what does the runs: of several sweeps, all are checked first."""
    given = {**sweep.__kwdefaults__, **given}
    workers, executor, store, rng = (given[name] for name in ("workers", "executor", "store", "rng"))
    plan = _plan(what, *(given[name] for name in ("params", "measure", "ticks", "every", "stop", "topology",
                                                  "time_limit")))
    replicates = whole("replicates", given["replicates"], 1)
    if workers is not None and executor is not None:
        raise TypeError("workers and executor are two ways to run; give one of them")
    workers = None if workers is None else whole("workers", workers, 1)
    if not isinstance(store, (str, os.PathLike, type(None))):
        raise TypeError(f"store must be the path of a folder, not {store!r:.60}")
    kept = None if store is None else Store(store)
    if rng is None and kept is not None:
        rng = kept.seed
        if rng is None:
            raise ValueError(f"rng must be given with the store {store}, which remembers no seed")
    seed, version, paired = resolved(rng), given["version"], given["paired"]
    chosen = points(given["vary"], given["design"], given["n"], seed)
    _check_points(plan, chosen)
    result = Sweep(Tasks(chosen, replicates, seed, paired, key([plan.identity(version), version or __version__])),
                   seed, paired, kept)
    if plan.kind == "world":
        _check_places(plan, (chosen[i] for i in np.unique(_missing(result) // replicates)))

    def run() -> Sweep:
        _run(plan, result, workers, executor, given["progress"])
        return result
    return run


def _missing(result) -> np.ndarray:
    """Return the tasks of a sweep that its store does not hold."""
    tasks = result._tasks
    there = np.empty(0, "S32") if result._store is None else result._store.finished()
    return np.sort(tasks.first[~np.isin(tasks.keys, there)])


def _run(plan, result, workers, executor, progress) -> None:
    """Run what is missing and keep count."""
    tasks, store, handed = result._tasks, result._store, itertools.count(1)
    missing = _missing(result)  # asked again, for another sweep may have done some meanwhile
    if not len(missing):
        return

    def hand_on(outcomes):
        if store is None:
            for outcome in outcomes:
                result._readings.add(outcome)
        elif next(handed) % (MANY // 2) == 0:
            with contextlib.suppress(StoreError):  # without room to merge them the parts stay as they are
                store.merge()

    shown = Progress(progress, len(tasks.keys), len(tasks.keys) - len(missing), hand_on)
    todo = (tasks[i] for i in missing)
    try:
        if workers is None and executor is None:
            serial(plan, todo, store, shown)
        else:
            parallel(plan, todo, len(missing), store, shown, workers=workers, executor=executor)
    except KeyboardInterrupt:
        stopped = KeyboardInterrupt(f"{shown.done} of {shown.total} runs finished; " + (
            "run the same call again to continue" if store is not None else
            "give a store to be able to continue another time"))
        stopped.sweep = result
        raise stopped from None
    except StoreError as error:
        raise StoreError(f"{error}; {shown.done} of {shown.total} runs are finished and kept: "
                         "make room and run the same call again") from None
    finally:
        shown.close()


def _check_points(plan: Plan, chosen) -> None:
    """Refuse values that a world or a model would refuse, before the first run."""
    reserved = {"replicate", "seed", "tick"}
    for point in chosen:
        wrong = reserved & set(point)
        if wrong:
            raise ValueError(f"vary cannot name {min(wrong)!r}, which is a column of the results")
        if plan.kind == "world":
            plan.parameters(point)
            if "size" in point and "topology" in point:
                raise ValueError("vary names size and topology, of which one takes the other's place")
    if plan.kind == "world":
        for name, value in plan.params.items():
            plain(name, value)
    if plan.kind == "model" and seed_name(plan.what) != "scenario":
        takes = inspect.signature(plan.what.__init__).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
            for name in [*plan.params, *dict.fromkeys(name for point in chosen for name in point)]:
                if name not in takes:
                    raise TypeError(f"{plan.what.__name__}.__init__ takes no {name!r}; it takes "
                                    + ", ".join(list(takes)[1:]))


def _check_places(plan: Plan, chosen) -> None:
    """Build each grid and graph of some points once, so that none is refused run by run."""
    seen = set()
    for point in chosen:
        name, where = plan.where(point)
        if isinstance(where, Topology) or callable(where):  # a function is left to the runs, whose luck it needs
            continue
        if (name, repr(where)) not in seen:
            seen.add((name, repr(where)))
            plan.place(point, 0)
