"""Checks of arguments that several modules take: seeds, counts, masks, names."""

from __future__ import annotations

import difflib
import numbers
import os
import secrets
import signal
import threading

import numpy as np

__all__ = ["closest", "crew", "generator", "mask", "number", "seed", "site_indices", "undisturbed", "whole"]


def seed(rng) -> int:
    """Resolve ``rng`` (int, SeedSequence, Generator or None) to an integer in [0, 2**64)."""
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    if isinstance(rng, bool) or not isinstance(rng, numbers.Integral):
        raise TypeError(f"rng must be an int, a SeedSequence or a Generator, not {rng!r:.60}")
    if not 0 <= rng < 2**64:
        raise ValueError(f"rng must be in [0, 2**64), not {rng}")
    return int(rng)


def generator(rng) -> np.random.Generator:
    """Return a generator itself, or one seeded with an int, a SeedSequence or None."""
    if not isinstance(rng, np.random.Generator | np.random.SeedSequence | None):
        seed(rng)                                       # refuses what is none
    return np.random.default_rng(rng)


def whole(name, value, low=None) -> int:
    """Return a whole number, or say in one sentence why it is none.

    Parameters
    ----------
    name : str
        What the value is called, for the message.
    value : object
    low : int, optional
        Smallest allowed value. The greatest is 2**63 - 1, what the compiled loops can count to.

    Returns
    -------
    int
    """
    if type(value) is int and (low or 0) <= value < 2**63:              # as nearly always
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        if isinstance(value, bool) or not (isinstance(value, numbers.Real) and float(value).is_integer()):
            least = "" if low is None else f" of at least {low}"
            raise TypeError(f"{name} must be a whole number{least}, not {value!r}")
    if low is not None and value < low:
        raise ValueError(f"{name} must be at least {low}, not {value}")
    if not -2**63 <= int(value) < 2**63:
        raise ValueError(f"{name} must be in [{'-2**63' if low is None else low}, 2**63), not {value}")
    return int(value)


PROCESSORS = os.cpu_count() or 1


def crew(threads) -> int:
    """Return how many threads to start: as many as are asked for, up to four for each processor there is.

    More would only wait for each other, and so many that the system has no room for them end the interpreter.
    """
    return min(whole("threads", threads, 1), 4 * PROCESSORS)


def number(name, value, low=-float("inf"), high=float("inf"), ends: str = "[]") -> float:
    """Return a real number within bounds, or say in one sentence why it is none.

    Parameters
    ----------
    name : str
        What the value is called, for the message.
    value : object
    low, high : float
        Bounds; by default none.
    ends : str, default "[]"
        Whether the bounds are allowed themselves: "[" and "]" are, "(" and ")" are not.

    Returns
    -------
    float
    """
    above = f"of {low:g} or more" if ends[0] == "[" else f"above {low:g}"
    span = f"in {ends[0]}{low:g}, {high:g}{ends[1]}" if high < float("inf") else above if low > -float("inf") else ""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number {span}".rstrip() + f", not {value!r:.60}")
    if not ((value >= low if ends[0] == "[" else value > low) and (value <= high if ends[1] == "]" else value < high)):
        raise ValueError(f"{name} must be {span or 'a number'}, not {value!r}".replace("be of", "be"))
    return float(value)


def closest(name: str, known) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or ``""``."""
    spelled = {str(k).lower(): str(k) for k in known}
    match = difflib.get_close_matches(str(name).lower(), spelled, n=1)
    return f"; did you mean {spelled[match[0]]!r}?" if match else ""


def mask(n, occupied) -> np.ndarray:
    """Turn what says which sites are occupied into a mask.

    Parameters
    ----------
    n : int
        Number of sites.
    occupied : array_like or None
        A mask, site indices, or None for everywhere.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if occupied is None:
        return np.ones(n, bool)
    given = np.asarray(occupied)
    if given.dtype == bool:
        if given.size != n:
            raise ValueError(f"occupied must have one entry for each of the {n} sites, not {given.size}")
        return given.ravel()
    here = np.zeros(n, bool)
    if given.size:
        if given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= n:
            raise ValueError(f"occupied must be a mask or site indices in [0, {n - 1}], not {occupied!r:.60}")
        if np.unique(given).size < given.size:
            raise ValueError("occupied holds site indices, of which some repeat; "
                             "a mask must be of true and false, not of 1 and 0")
        here[given] = True
    return here


def site_indices(n_sites, sites, name: str = "sites") -> np.ndarray:
    """Return site indices from indices or from a mask, or say in one sentence what is wrong with them.

    Parameters
    ----------
    n_sites : int
    sites : int, array_like of int, or array_like of bool of shape (n_sites,)
    name : str
        What they are called, for the message.

    Returns
    -------
    ndarray of int64, shape (n,)
        Without repeats, in the order given.
    """
    index = np.atleast_1d(np.asarray(sites))
    if index.dtype == bool and index.shape == (n_sites,):
        return np.flatnonzero(index)
    if index.size == 0:
        return index.astype(np.int64).ravel()
    if index.dtype.kind not in "iu" or index.ndim != 1:
        raise TypeError(f"{name} must be whole numbers below {n_sites}, not {sites!r:.60}")
    bad = (index < 0) | (index >= n_sites)
    if bad.any():
        raise ValueError(f"{name} must be in [0, {n_sites - 1}], not {index[bad][0]}")
    unique, count = np.unique(index, return_counts=True)
    if (count > 1).any():
        raise ValueError(f"{name} must not repeat; {unique[count > 1][0]} occurs more than once")
    return index.astype(np.int64)


class undisturbed:  # noqa: N801
    """Hold back Ctrl-C until the statements of a ``with`` are done; a second Ctrl-C is not held back."""

    def __enter__(self):
        self.handler, self.caught = None, None
        if threading.current_thread() is threading.main_thread() and callable(signal.getsignal(signal.SIGINT)):
            self.handler = signal.signal(signal.SIGINT, self.catch)

    def catch(self, *frame):
        """Note the first interrupt; pass on the next."""
        if self.caught:
            self.handler(*frame)
        self.caught = frame

    def __exit__(self, *error):
        if self.handler is not None:
            signal.signal(signal.SIGINT, self.handler)
            if self.caught:
                self.handler(*self.caught)
