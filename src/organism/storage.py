"""Saving and loading worlds: one zip of plain arrays, written atomically, never unpickled."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np

__all__ = ["FORMAT", "read", "write"]

MAGIC = "organism world"
#: Version of the file format; a file of a higher version is refused.
FORMAT = 2


def write(path, header: dict, arrays: dict[str, np.ndarray], magic: str = MAGIC) -> None:
    """Write header and arrays to ``path``; the old file stays until the new one is complete.

    Parameters
    ----------
    path : path
    header : dict
        Plain values, for JSON.
    arrays : dict of str to ndarray
    magic : str
        What kind of file it is.

    Raises
    ------
    OSError
        If the folder cannot be written; what was at ``path`` is untouched.
    """
    path = Path(path)
    text = json.dumps({"magic": magic, "format": FORMAT, **header}).encode()
    arrays = {"header": np.frombuffer(text, np.uint8), **arrays}
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)          # as open() would have made it
        os.replace(name, path)
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if os.path.exists(name):
            os.unlink(name)


def read(path, magic: str = MAGIC) -> tuple[dict, dict[str, np.ndarray]]:
    """Read what :func:`write` wrote.

    Parameters
    ----------
    path : path
    magic : str
        What kind of file it must be.

    Returns
    -------
    header : dict
    arrays : dict of str to ndarray

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file; if it is not a world, is truncated or damaged,
        or was written by a newer version.
    """
    path, kind = Path(path), f"a saved {magic.removeprefix('organism ')}"
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not {kind}")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with open(path, "rb") as handle, np.load(handle, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile) or "header" not in file.files:
                raise ValueError(f"{path} is not {kind}")
            header = json.loads(bytes(file["header"]))
            if not isinstance(header, dict) or header.get("magic") != magic:
                raise ValueError(f"{path} is not {kind}")
            if header["format"] > FORMAT:
                raise ValueError(f"{path} has file format {header['format']}, newer than this version of organism "
                                 f"reads ({FORMAT}); install a newer organism")
            return header, {name: file[name] for name in file.files if name != "header"}
    except ValueError as error:
        if str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} is not {kind}, or is damaged") from None
    except Exception as error:                  # a damaged zip makes zipfile and NumPy raise anything
        raise ValueError(f"{path} is not {kind}, or is truncated or damaged "
                         f"({type(error).__name__})") from None
