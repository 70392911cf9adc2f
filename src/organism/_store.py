"""The store of a sweep: a folder of parts, each written at once, that many processes may share.

``sweep.json`` names the format. ``parts/`` holds files of finished runs: Parquet with
pyarrow, else JSON lines, which keep every bit of a number too. Their column ``key`` is
the manifest: the hash of parameters, seed, measures and version of each run. A part is
written beside and moved into place, so there is never half of one; runs that two
processes both did are read once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from ._runs import Outcome

__all__ = ["Store", "StoreError"]

FORMAT = 1


class StoreError(OSError):
    """The store cannot be written."""


class Store:
    """A folder of finished runs.

    Parameters
    ----------
    path : path
        Made if it is not there; else it must be empty or a store.

    Raises
    ------
    OSError, ValueError
        If it cannot be written, is no store, or has another format.
    """

    def __init__(self, path):
        self.path = Path(path).absolute()
        self.parts = self.path / "parts"
        self.parquet = importlib.util.find_spec("pyarrow") is not None
        head = self.path / "sweep.json"
        try:
            if not head.exists():
                if self.path.exists() and (not self.path.is_dir() or any(
                        p.name != "parts" and not p.name.startswith(".") for p in self.path.iterdir())):
                    raise ValueError(f"store {path} is neither empty nor the store of a sweep; give another folder")
                self.parts.mkdir(parents=True, exist_ok=True)
                self._put(head, json.dumps({"format": FORMAT, "about": "runs of organism.sweep"}).encode())
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

    def _put(self, path: Path, data) -> None:
        """Write a file all at once: bytes, or a function that writes to a path."""
        fresh = path.with_name(f".{uuid.uuid4().hex}")
        try:
            if callable(data):
                data(fresh)
            else:
                fresh.write_bytes(data)
            os.replace(fresh, path)
        except OSError as error:
            try:
                fresh.unlink(missing_ok=True)
            except OSError:
                pass
            raise StoreError(f"store {self.path} cannot be written: {error.strerror or error}") from None

    def write(self, outcomes: list[Outcome]) -> None:
        """Add a part with these runs."""
        if not outcomes:
            return
        lines = [json.dumps(o._asdict()) for o in outcomes]
        part = f"{os.getpid()}-{uuid.uuid4().hex}"
        if not self.parquet:
            self._put(self.parts / f"{part}.jsonl", ("\n".join(lines) + "\n").encode())
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, list] = {name: [] for name in ("key", "replicate", "seed", "point", "seconds",
                                                          "error", "message", "where", "names")}
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
        texts = ("key", "point", "error", "message", "where", "names")
        arrays = {name: pa.array(v, pa.string() if name in texts else None) for name, v in columns.items()}
        arrays |= {name: pa.array(v, pa.float64()) for name, v in values.items()}
        self._put(self.parts / f"{part}.parquet", lambda path: pq.write_table(pa.table(arrays), path))

    def _files(self) -> Iterable[Path]:
        return sorted(p for p in self.parts.iterdir() if p.suffix in (".parquet", ".jsonl") and p.name[0] != ".")

    def finished(self) -> dict[str, bool]:
        """Return the keys of the runs that are there, and whether each went well."""
        found: dict[str, bool] = {}
        for outcome in self.read(rows=False):
            found[outcome.key] = found.get(outcome.key, False) or outcome.error is None
        return found

    def read(self, rows: bool = True) -> Iterator[Outcome]:
        """Yield every run of every part; a run may come more than once."""
        for path in self._files():
            try:
                yield from self._parquet(path, rows) if path.suffix == ".parquet" else self._lines(path)
            except FileNotFoundError:
                continue
            except (ValueError, OSError, KeyError, TypeError) as error:
                warnings.warn(f"{path} is damaged and passed over, so its runs are missing: {error}", stacklevel=2)

    def _lines(self, path) -> list[Outcome]:
        found = []
        for line in path.read_text(encoding="utf-8").splitlines():
            o = Outcome(**json.loads(line))
            found.append(o._replace(error=tuple(o.error) if o.error else None, point=_tuples(o.point)))
        return found

    def _parquet(self, path, rows) -> list[Outcome]:
        import pyarrow.parquet as pq

        base = ["key", "replicate", "seed", "point", "seconds", "error", "message", "where", "names"]
        with pq.ParquetFile(path) as file:
            table = file.read(None if rows else base).to_pydict()
        found: list[Outcome] = []
        for i, run in enumerate(table["key"]):
            names = json.loads(table["names"][i])
            row = {n: _measured(n, table[f"measure.{n}"][i]) for n in names} if rows else {}
            if found and found[-1].key == run:
                found[-1].rows.append(row)
                continue
            error = (table["error"][i], table["message"][i], table["where"][i]) if table["error"][i] else None
            found.append(Outcome(run, table["replicate"][i], table["seed"][i], _tuples(json.loads(table["point"][i])),
                                 [row] if error is None else None, table["seconds"][i], error))
        return found


def _measured(name, value):
    return int(value) if name == "tick" else value


def _tuples(point: dict) -> dict:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in point.items()}
