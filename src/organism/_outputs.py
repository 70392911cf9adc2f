"""Folders of tables and figures: written all at once, and replaced only where nothing is lost.

``made-by.json`` in such a folder says which command wrote it, with a digest of each file. With a
store, from which all of it can be made again, the same command replaces the folder, if it holds
nothing else and nobody changed a file; otherwise what is there is left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

__all__ = ["Output", "outputs"]

MARK = "made-by.json"


class Output:
    """A folder that a command writes.

    Parameters
    ----------
    folder : path
        Absent, empty, or what the same command wrote.
    maker : str
        The command and what it is about, such as ``"organism claim order"``; the same for the same output.
    store : path or None
        What keeps the runs that the output is made of. Without it nothing is replaced.

    Raises
    ------
    ValueError
        If the folder holds what would be lost, or the store.
    OSError
        If it cannot be written.
    """

    def __init__(self, folder, maker: str, store=None):
        self.folder, self.maker, self.store = Path(folder), maker, store
        _apart(self.folder, store)
        self._check()
        there = self.folder.absolute()
        while not there.exists():
            there = there.parent
        try:
            with tempfile.TemporaryFile(dir=there):  # found out before the first run, not after it
                pass
        except OSError as error:
            raise type(error)(f"the output folder {self.folder} cannot be written: {error.strerror or error}") from None

    def _check(self) -> None:
        """Refuse a folder that holds anything but what the same command wrote and can make again."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"the output folder {self.folder} is a file; give another --out")
        if not self.folder.exists() or not any(self.folder.iterdir()):
            return
        try:
            made = json.loads((self.folder / MARK).read_text(encoding="utf-8"))
            maker, digests = made["by"], dict(made["files"])
        except (OSError, ValueError, TypeError, KeyError):
            raise _refusal(self.folder, "") from None
        if maker != self.maker:
            raise _refusal(self.folder, f": it was made by {maker!r}, and this is {self.maker!r}")
        found = {path.name: path for path in self.folder.iterdir() if path.name != MARK}
        for name in sorted({*found, *digests}):
            if name not in digests or (name in found and _digest(found[name]) != digests[name]):
                raise _refusal(self.folder, f": {name} is not what the command wrote")
        if self.store is None:
            raise _refusal(self.folder, " without a --store, which can make it again")

    def write(self, fill: Callable[[Path], object]) -> None:
        """Have a new folder filled, and put it in place as a whole.

        Parameters
        ----------
        fill : function of a path
            Writes files into this folder.
        """
        place = self.folder.resolve()
        fresh = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
        try:
            fresh.mkdir(parents=True)
            fill(fresh)
            made = {"by": self.maker, "files": {path.name: _digest(path) for path in sorted(fresh.iterdir())}}
            (fresh / MARK).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            shutil.rmtree(fresh, ignore_errors=True)
            raise type(error)(f"the output folder {self.folder} could not be written: "
                              f"{error.strerror or error}") from None
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        try:
            self._check()  # the runs took their time
            _put(fresh, place)
        except (OSError, ValueError) as error:
            kept = fresh.rename(place.with_name(f"{place.name}-{fresh.name[-8:]}"))
            raise OSError(f"{error}; what would be in it is in {kept}") from None


def outputs(folder, makers: dict[str, str], store=None) -> dict[str, Output]:
    """Return a folder for each of several outputs, all of them checked, in a folder that holds nothing else.

    Parameters
    ----------
    folder : path
    makers : dict of str to str
        The maker of each output, by the name of its folder.
    store : path or None

    Raises
    ------
    ValueError, OSError
        As :class:`Output` does.
    """
    folder = Path(folder)
    _apart(folder, store)
    there = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    foreign = sorted(name for name in there if name not in makers and not name.startswith("."))
    if foreign:
        raise _refusal(folder, f": {foreign[0]} is not what the command wrote")
    return {name: Output(folder / name, maker, store) for name, maker in makers.items()}


def _apart(folder: Path, store) -> None:
    """Refuse a store in a folder that is replaced as a whole."""
    if store is not None and Path(store).resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"the store {store} must not be in the output folder {folder}, which is replaced as a whole; "
                         "give another --store or --out")


def _refusal(folder: Path, why: str) -> ValueError:
    return ValueError(f"the output folder {folder} is not empty, and nothing in it is overwritten{why}; "
                      "give another --out")


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder, which no output holds, nothing."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _put(fresh: Path, place: Path) -> None:
    """Move a folder to its place; what is there is moved away whole before, and back if that fails."""
    if not place.exists():
        os.rename(fresh, place)
    elif not any(place.iterdir()):  # kept, for somebody may be in it
        for path in fresh.iterdir():
            os.rename(path, place / path.name)
    else:
        old = fresh.with_name(f"{fresh.name}-old")
        os.rename(place, old)
        try:
            os.rename(fresh, place)
        except OSError:
            os.rename(old, place)
            raise
        shutil.rmtree(old)
