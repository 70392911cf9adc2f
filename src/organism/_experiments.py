"""Experiments in TOML files, and what the command ``organism sweep`` makes of them.

A file holds one experiment, in the tables ``experiment``, ``vary``, ``params``, ``topology``
and ``measure``; or several, each in a table ``[[experiment]]`` of its own, which then has the
other four inside (``[experiment.vary]``) where they differ from those that all share.
Dotted names may be quoted or not: ``"care.weight" = 1`` and ``care.weight = 1`` are the same.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import tomllib
from pathlib import Path

from ._checks import closest
from ._outputs import Output, outputs
from ._runs import shape
from .sweeps import Sweep, prepare

__all__ = ["read_experiments", "run_experiment"]

_HOW = ("name", "model", "ticks", "replicates", "seed", "time_limit", "stop", "design", "n", "paired")
#: What a table in ``[vary]`` says of a range or an interval; a table without these is part of a dotted name.
_RANGE = {"from", "to", "step", "low", "high", "scale"}
#: The tables that may also stand inside an experiment; None takes any name.
_TABLES = {"vary": None, "params": None, "topology": ("size", "graph"), "measure": ("names", "functions", "every")}


def read_experiments(path) -> dict[str, dict]:
    """Return the arguments of :func:`~organism.sweeps.sweep` of each experiment in a file at ``path``, by name."""
    path = Path(path)
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML file: {error}") from None
    try:
        listed = record.pop("experiment", {})
        shared = _tables(record, ("experiment", *_TABLES))
        found: dict[str, dict] = {}
        for number, how in enumerate(listed if isinstance(listed, list) else [listed], 1):
            if not isinstance(how, dict):
                raise ValueError(f"experiment must be a table, not {how!r:.60}")
            own = _tables({name: how.pop(name) for name in _TABLES if name in how})
            _known("[experiment]", how, (*_HOW, *_TABLES))
            name = str(how.pop("name", path.stem if isinstance(listed, dict) else f"{path.stem}-{number}"))
            if name in found or not name or set(name) & set("/\\"):
                raise ValueError(f"each experiment must have a name of its own that can name a folder, not {name!r}")
            dotted = ("vary",) if "model" in how else ("vary", "params")  # a parameter of a model may be a table
            tables = {table: {name: value for entries in (shared[table], own[table]) for name, value in
                              (_flat(f"[{table}]", entries) if table in dotted else entries).items()}
                      for table in _TABLES}
            found[name] = _arguments(how, tables, path.parent)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{path}: {error}") from None
    return found


def _tables(record: dict, known=tuple(_TABLES)) -> dict[str, dict]:
    """Return the four tables, empty where they are missing."""
    for table, entries in record.items():
        if table not in _TABLES or not isinstance(entries, dict):
            raise ValueError(f"no table is called [{table}]; known are {', '.join(known)}" + closest(table, known))
        if _TABLES[table] is not None:
            _known(f"[{table}]", entries, _TABLES[table])
    return {table: record.get(table, {}) for table in _TABLES}


def _flat(table: str, entries: dict, before: str = "") -> dict:
    """Return nested tables as dotted names; a range stays a table."""
    found: dict = {}
    for name, value in entries.items():
        nested = isinstance(value, dict) and value and not _RANGE & set(value)
        for full, inner in (_flat(table, value, f"{before}{name}.") if nested else {before + name: value}).items():
            if full in found:
                raise ValueError(f"{table} names {full!r} twice, quoted and not; give it once")
            found[full] = inner
    return found


def _known(table: str, entries: dict, known) -> None:
    for name in entries:
        if name not in known:
            raise ValueError(f"{table} has no entry {name!r}; it takes {', '.join(known)}" + closest(name, known))


def _arguments(how: dict, tables: dict, folder: Path) -> dict:
    """Return what an experiment's tables say in the words of ``sweep``."""
    vary, place, measure = tables["vary"], tables["topology"], tables["measure"]
    both = [name for name in tables["params"] if name in vary]
    if both:
        raise ValueError(f"{both[0]!r} is in [params] and in [vary]; give it in one of them")
    if "size" in place and "graph" in place:
        raise ValueError("[topology] has size and graph; give one of them")
    if isinstance(place.get("size"), str):
        raise ValueError(f"[topology] size must be a whole number or two, not {place['size']!r:.60}; "
                         "the name or file of a graph is given as graph")
    if "size" in place:
        shape("[topology] size", place["size"])
    if not isinstance(place.get("graph", ""), str):
        raise ValueError(f"[topology] graph must be the name or file of a graph, not {place['graph']!r:.60}")
    if "names" in measure and "functions" in measure:
        raise ValueError("[measure] has names and functions; give one of them")
    found = {"params": tables["params"] or None, "vary": vary or None, "every": measure.get("every"),
             "topology": place.get("size", place.get("graph")), "rng": how.pop("seed", None), **how}
    if "model" in how:
        found["what"] = _attribute("model", found.pop("model"), folder)
    if "functions" in measure:
        if not isinstance(measure["functions"], dict):
            raise ValueError("[measure] takes functions as a table of names to texts, not "
                             f"{measure['functions']!r:.60}")
        found["measure"] = {name: _attribute(f"measure.functions.{name}", text, folder)
                            for name, text in measure["functions"].items()}
    else:
        found["measure"] = measure.get("names")
    if ":" in str(how.get("stop")):
        found["stop"] = _attribute("stop", how["stop"], folder)
    if how.get("design") == "list":  # one list for each name, read side by side
        lengths = {name: len(column) if isinstance(column, list) else 0 for name, column in vary.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise ValueError("[vary] must have lists of the same length with design = 'list', not of "
                             + (", ".join(f"{n} in {name}" for name, n in lengths.items()) or "none"))
        found["vary"] = [dict(zip(vary, row, strict=True)) for row in zip(*vary.values(), strict=True)]
    return found


def _attribute(entry: str, text, folder: Path):
    """Return what ``"module:attribute"`` or ``"file.py:attribute"`` names; both are also looked for in ``folder``."""
    source, _, name = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not source or not name:
        raise ValueError(f"{entry} must be 'module:attribute' or 'file.py:attribute', not {text!r:.60}")
    folder = folder.absolute()
    if str(folder) not in sys.path:  # last, so that nothing beside the file hides a library
        sys.path.append(str(folder))
    try:
        module = _file(folder / source) if source.endswith(".py") else importlib.import_module(source)
    except Exception as error:
        if isinstance(error, FileNotFoundError) and source.endswith(".py") and not (folder / source).exists():
            raise ValueError(f"{entry} names the file {folder / source}, which is not there") from None
        if isinstance(error, ModuleNotFoundError):
            raise ValueError(f"{entry} names {text!r}, but {error.name} cannot be imported: install it, or put it "
                             "beside the experiment's file") from None
        raise ValueError(f"{entry} names {text!r}, but {source} fails when it is imported: "
                         f"{type(error).__name__}: {error}") from error
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise ValueError(f"{entry} names {text!r}, but {source} has no {part!r}"
                             + closest(part, [n for n in vars(found) if n[0] != "_"]))
        found = getattr(found, part)
    return found


def _file(path: Path):
    """Return a file as a module that is sent to worker processes with the experiment."""
    import cloudpickle

    name = f"experiment_{path.stem}"
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    cloudpickle.register_pickle_by_value(module)
    return module


def run_experiment(path, *, name=None, workers=None, store=None, replicates=None, out=None, progress=True):
    """Run the experiments in a TOML file and write their tables and figures.

    Parameters
    ----------
    path : path
    name : str, optional
        Of the only experiment to run; all of the file's by default.
    workers, store, replicates, progress
        As :func:`~organism.sweeps.sweep` takes them; ``replicates`` overrides the file's.
    out : path, optional
        Folder for ``runs.csv`` (and ``runs.parquet`` with pyarrow), ``failures.csv``,
        ``summary.csv`` and ``figure.png``; ``organism-NAME`` by default. Of several experiments
        each has a folder of its name in it, and it is ``organism-FILE`` by default. With a store
        a folder that the same command wrote is replaced, all at once; anything else is refused.

    Returns
    -------
    Sweep or dict of str to Sweep, pathlib.Path
        Several experiments come by name.
    """
    experiments = read_experiments(path)
    if name is not None:
        if name not in experiments:
            raise ValueError(f"{path} has no experiment {name!r}; it has {', '.join(experiments)}"
                             + closest(name, experiments))
        experiments = {name: experiments[name]}
    several = len(experiments) > 1
    folder = Path(out or f"organism-{Path(path).stem if several else next(iter(experiments))}")
    makers = {name: f"organism sweep {Path(path).name}, experiment {name}" for name in experiments}
    places = outputs(folder, makers, store) if several else {
        name: Output(folder, maker, store) for name, maker in makers.items()}
    more = {} if replicates is None else {"replicates": replicates}
    ready = {name: prepare(workers=workers, store=store, progress=progress, **(arguments | more))
             for name, arguments in experiments.items()}
    found = {}
    for name, place in places.items():
        found[name] = ready.pop(name)()
        place.write(functools.partial(_write, found[name]))
    return (found if several else found.popitem()[1]), folder


def _write(found: Sweep, folder: Path) -> None:
    found.frame.to_csv(folder / "runs.csv", index=False)
    if importlib.util.find_spec("pyarrow") is not None:
        mixed = {name: found.frame[name].map(str) for name in found.names if found.frame[name].dtype == object}
        found.frame.assign(**mixed).to_parquet(folder / "runs.parquet", index=False)
    found.failures.to_csv(folder / "failures.csv", index=False)
    if found.measures:  # else every run failed
        found.summary().to_csv(folder / "summary.csv", index=False)
        found.figure().savefig(folder / "figure.png", dpi=150)
