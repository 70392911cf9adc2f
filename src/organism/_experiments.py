"""Experiments in TOML files, and what the command ``organism sweep`` makes of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .params import closest
from .sweeps import sweep

__all__ = ["read_experiment", "run_experiment"]

_TABLES = {"experiment": ("name", "ticks", "replicates", "seed", "time_limit", "stop", "design", "n", "paired"),
           "vary": None, "params": None, "topology": ("size", "graph"), "measure": ("names", "every")}


def read_experiment(path) -> tuple[str, dict]:
    """Return the name and the arguments of :func:`~organism.sweeps.sweep` that a file at ``path`` describes."""
    try:
        record = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML file: {error}") from None
    for table, entries in record.items():
        if table not in _TABLES or not isinstance(entries, dict):
            raise ValueError(f"{path}: no table is called [{table}]; known are {', '.join(_TABLES)}"
                             + closest(table, _TABLES))
        for name in entries:
            if _TABLES[table] is not None and name not in _TABLES[table]:
                raise ValueError(f"{path}: [{table}] has no entry {name!r}; it takes {', '.join(_TABLES[table])}")
    how, place, measure = (record.get(name, {}) for name in ("experiment", "topology", "measure"))
    if "size" in place and "graph" in place:
        raise ValueError(f"{path}: [topology] has size and graph; give one of them")
    found = {"params": record.get("params") or None, "vary": record.get("vary"), "measure": measure.get("names"),
             "every": measure.get("every"), "topology": place.get("size", place.get("graph")), "rng": how.get("seed")}
    found |= {name: how[name] for name in how if name not in ("name", "seed")}
    if found.get("design") == "list":  # one list for each name, read side by side
        columns = found["vary"] or {}
        found["vary"] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return str(how.get("name", Path(path).stem)), found


def run_experiment(path, *, workers=None, store=None, replicates=None, out=None, progress=True):
    """Run the experiment in a TOML file and write its tables.

    Parameters
    ----------
    path : path
    workers, store, replicates, progress
        As :func:`~organism.sweeps.sweep` takes them; ``replicates`` overrides the file's.
    out : path, optional
        Folder for ``runs.csv``, ``failures.csv`` and ``summary.csv``; ``organism-NAME`` by default.

    Returns
    -------
    Sweep, pathlib.Path
    """
    name, arguments = read_experiment(path)
    if replicates is not None:
        arguments["replicates"] = replicates
    folder = Path(out or f"organism-{name}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"the output folder {folder} is not empty, and nothing in it is overwritten; "
                         "give another --out")
    found = sweep(workers=workers, store=store, progress=progress, **arguments)
    folder.mkdir(parents=True, exist_ok=True)
    found.frame.to_csv(folder / "runs.csv", index=False)
    found.failures.to_csv(folder / "failures.csv", index=False)
    found.summary().to_csv(folder / "summary.csv", index=False)
    return found, folder
