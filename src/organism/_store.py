"""The store of a sweep: a folder of parts, each written at once, that many processes may share.

``sweep.json`` names the format, and the seed of sweeps that are given none. ``parts/``
holds files of finished runs: Parquet with pyarrow, else JSON lines, which keep every bit
of a number too. Their column ``key`` is the manifest: the hash of parameters, seed,
measures and version of each run. A part is written beside and moved into place, so there
is never half of one, and never changed; many small ones are merged, and taken away only
when the merged one is in place. So whoever reads, or is interrupted, finds every run at
least once; that a run is there twice does no harm, for it is read once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ._runs import Outcome

__all__ = ["Store", "StoreError"]

FORMAT = 1
#: More parts than this, smaller than so many bytes, are merged.
MANY, SMALL = 200, 2**20
#: Rows that are in memory at once while parts are merged or read.
CHUNK = 5000
#: What reading a damaged part raises.
DAMAGE = (ValueError, OSError, KeyError, TypeError)


class StoreError(OSError):
    """The store cannot be written."""


class Store:
    """A folder of finished runs.

    Parameters
    ----------
    path : path
        Made if it is not there; else it must be empty or a store.

    Attributes
    ----------
    seed : int or None
        Drawn when the store was made, for sweeps that are given none.

    Raises
    ------
    OSError, ValueError
        If it cannot be written, is no store, or has another format.
    """

    def __init__(self, path):
        self.path = Path(path).absolute()
        self.parts = self.path / "parts"
        head = self.path / "sweep.json"
        try:
            if not head.exists():
                # Another process may make the same store between any two of these lines.
                if self.path.exists() and (not self.path.is_dir() or any(
                        p.name not in ("parts", head.name) and not p.name.startswith(".")
                        for p in self.path.iterdir())):
                    raise ValueError(f"store {path} is neither empty nor the store of a sweep; give another folder")
                self.parts.mkdir(parents=True, exist_ok=True)
                about = {"format": FORMAT, "about": "runs of organism.sweep", "seed": secrets.randbits(53)}
                self._put(head, json.dumps(about).encode(), first=True)
            about = json.loads(head.read_text(encoding="utf-8"))
            with tempfile.TemporaryFile(dir=self.parts):  # found out before the first run, not after it
                pass
        except OSError as error:
            raise StoreError(f"store {path} cannot be written: {error.strerror or error}; "
                             "give a folder that can") from None
        except json.JSONDecodeError:
            raise ValueError(f"store {path} has a damaged sweep.json; give another folder") from None
        found = about.get("format") if isinstance(about, dict) else None
        if found != FORMAT:
            kind = "newer" if isinstance(found, int) and found > FORMAT else "older"
            raise ValueError(f"store {path} has the {kind} format {found}, and this version of organism reads and "
                             f"writes format {FORMAT}; give another folder, or use the version that wrote it")
        self.seed = about.get("seed")
        if not _pyarrow() and any(p.suffix == ".parquet" for p in self._files()):
            raise ValueError(f"store {path} holds Parquet files, which pyarrow reads; install pyarrow")
        self._sweep_up()

    def _sweep_up(self) -> None:
        """Take away what processes that were killed while they wrote left behind, a day ago or more."""
        for path in self.parts.glob(".*"):
            try:
                if time.time() - path.stat().st_mtime > 86400:
                    path.unlink()
            except OSError:  # another process was faster
                continue

    def _put(self, path: Path, data, first: bool = False) -> None:
        """Write a file all at once: bytes, or a function that writes to a path; ``first`` leaves one that is there."""
        fresh = path.with_name(f".{uuid.uuid4().hex}")
        try:
            try:
                if callable(data):
                    data(fresh)
                else:
                    fresh.write_bytes(data)
                if first:
                    _link(fresh, path)
                else:
                    os.replace(fresh, path)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            hint = " (every worker must see the same folder)" if isinstance(error, FileNotFoundError) else ""
            raise StoreError(f"store {self.path} cannot be written: {error.strerror or error}{hint}") from None

    def write(self, outcomes: list[Outcome]) -> None:
        """Add a part with these runs."""
        if not outcomes:
            return
        part = self.parts / f"{os.getpid()}-{uuid.uuid4().hex}"
        if not _pyarrow():
            lines = [json.dumps(o._asdict()) for o in outcomes]
            self._put(part.with_suffix(".jsonl"), ("\n".join(lines) + "\n").encode())
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, list] = {name: [] for name in _BASE}
        measured = sorted({name for o in outcomes for row in o.rows or () for name in row})
        values: dict[str, list] = {f"measure.{name}": [] for name in measured}
        for o in outcomes:
            for row in o.rows or [{}]:
                error = o.error or (None, None, None)
                entry = (o.key, o.replicate, o.seed, json.dumps(o.point), o.seconds, *error, json.dumps(list(row)))
                for column, value in zip(columns.values(), entry, strict=True):
                    column.append(value)
                for name in measured:
                    values[f"measure.{name}"].append(None if row.get(name) is None else float(row[name]))
        kinds = {"replicate": pa.int64(), "seed": pa.int64(), "seconds": pa.float64()}
        arrays = {name: pa.array(v, kinds.get(name, pa.string())) for name, v in columns.items()}
        arrays |= {name: pa.array(v, pa.float64()) for name, v in values.items()}
        self._put(part.with_suffix(".parquet"), lambda path: pq.write_table(pa.table(arrays), path))

    def merge(self) -> None:
        """Merge the small parts once there are many of them.

        Safe beside other processes: each takes away only what is in a merged part of its own.
        """
        for suffix, join in ((".parquet", _join_parquet), (".jsonl", _join_lines)):
            small = [p for p in self._files() if p.suffix == suffix and _size(p) < SMALL]
            if len(small) <= MANY:
                continue
            merged: list[Path] = []
            self._put(self.parts / f"{os.getpid()}-{uuid.uuid4().hex}{suffix}",
                      lambda path, join=join, small=small, merged=merged: join(path, small, merged))
            for path in merged:
                try:
                    path.unlink(missing_ok=True)
                except OSError:  # somebody reads it; it is there twice until the next time
                    continue

    def _files(self) -> list[Path]:
        return sorted(p for p in self.parts.iterdir() if p.suffix in (".parquet", ".jsonl") and p.name[0] != ".")

    def finished(self) -> np.ndarray:
        """Return the keys of the runs that went well, shape (n,), dtype S32."""
        found = list(self._each(_finished))
        return np.unique(np.concatenate(found)) if found else np.empty(0, "S32")

    def read(self) -> Iterator[Outcome]:
        """Yield every run of every part; a run may come more than once."""
        return self._each(_outcomes)

    def _each(self, read: Callable[[Path], Iterator]) -> Iterator:
        """Yield what is read of every part, also of those that take merged parts' place meanwhile."""
        seen: set[Path] = set()
        while fresh := [path for path in self._files() if path not in seen]:
            for path in fresh:
                seen.add(path)
                try:
                    yield from read(path)
                except FileNotFoundError:  # merged since it was listed; the merged part is in the next list
                    continue
                except DAMAGE as error:
                    warnings.warn(f"{path} is damaged and passed over, so its runs are missing: {error}", stacklevel=2)


_BASE = ("key", "replicate", "seed", "point", "seconds", "error", "message", "where", "names")


def _pyarrow() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def _link(fresh: Path, path: Path) -> None:
    """Put a file in place unless one is there: of two processes at once, one wins."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(fresh, path)


def _size(path: Path) -> float:
    try:
        return path.stat().st_size
    except OSError:
        return float("inf")


def _sync(file) -> None:
    """Have a file on the disk before what it replaces goes."""
    file.flush()
    os.fsync(file.fileno())


def _join_lines(path: Path, parts: list[Path], merged: list[Path]) -> None:
    """Write the parts into one file, and note which."""
    with open(path, "wb") as out:
        for part in parts:
            try:
                with open(part, "rb") as file:
                    shutil.copyfileobj(file, out)
            except FileNotFoundError:
                continue
            merged.append(part)
        _sync(out)


def _join_parquet(path: Path, parts: list[Path], merged: list[Path]) -> None:
    """Write the parts into one file, some rows at a time, and note which.

    The rows of a run stay together, and one that went well is taken once: two in a row would be read as one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas = {}
    for part in parts:
        try:
            schemas[part] = pq.read_schema(part)
        except DAMAGE:  # gone, or not to be lost by merging: reading says so
            continue
    schema = pa.unify_schemas(list(schemas.values()))
    with open(path, "wb") as out:
        with pq.ParquetWriter(out, schema) as writer:
            tables, rows, seen = [schema.empty_table()], 0, set()

            def flush():
                table = pa.concat_tables(tables, promote_options="default")
                if len(table):
                    writer.write_table(table, row_group_size=len(table))

            for part in schemas:
                try:
                    with pq.ParquetFile(part) as file:
                        table = file.read()
                except DAMAGE:
                    continue
                merged.append(part)
                runs = list(zip(table["key"].to_pylist(), table["error"].to_pylist(), strict=True))
                tables.append(table.filter(pa.array([error is not None or run not in seen for run, error in runs],
                                                    pa.bool_())))
                seen.update(run for run, error in runs if error is None)
                rows += len(tables[-1])
                if rows >= CHUNK:
                    flush()
                    tables, rows = [schema.empty_table()], 0
            flush()
        _sync(out)


def _groups(path: Path, columns=None) -> Iterator:
    """Yield the groups of rows of a Parquet file as tables."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns)


def _finished(path: Path) -> Iterator[np.ndarray]:
    """Yield the keys of the runs of a part that went well, some at a time."""
    if path.suffix == ".jsonl":
        yield np.array([o.key for o in _outcomes(path) if o.error is None], "S32")
        return
    for table in _groups(path, ["key", "error"]):
        keys = np.array(table["key"].to_pylist(), "S32")
        yield np.unique(keys[table["error"].is_null().to_numpy()])


def _outcomes(path: Path) -> Iterator[Outcome]:
    """Yield the runs of a part."""
    if path.suffix == ".jsonl":
        with open(path, encoding="utf-8") as file:
            for line in file:
                o = Outcome(**json.loads(line))
                yield o._replace(error=tuple(o.error) if o.error else None, point=_tuples(o.point))
        return
    for group in _groups(path):
        table, start = group.to_pydict(), 0
        keys, errors = table["key"], table["error"]
        for end in range(1, len(keys) + 1):
            if end < len(keys) and keys[end] == keys[start] and errors[start] is None and errors[end] is None:
                continue
            error = (errors[start], table["message"][start], table["where"][start]) if errors[start] else None
            rows = [{name: _measured(name, table[f"measure.{name}"][i]) for name in json.loads(table["names"][i])}
                    for i in range(start, end)]
            yield Outcome(keys[start], table["replicate"][start], table["seed"][start],
                          _tuples(json.loads(table["point"][start])), None if error else rows,
                          table["seconds"][start], error)
            start = end


def _measured(name, value):
    return int(value) if name == "tick" else value


def _tuples(point: dict) -> dict:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in point.items()}
