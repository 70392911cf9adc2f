"""Choose the build of the kernel that this processor runs best.

The same source is compiled once for each instruction level; all give the same
bits. ``ORGANISM_LEVEL`` (1, 3 or 4) forces a lower one.
"""

from __future__ import annotations

import importlib
import os

__all__ = ["core", "games", "neighbours"]


def _load():
    # Between passes a thread waits for the others: it spins some 100 µs, for waking one that sleeps
    # takes longer than a pass over 10⁴ members, and then sleeps, for on a busy machine those that spin
    # keep away the one waited for. libgomp reads this once, when it is loaded.
    chosen = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
    if not chosen:
        os.environ["GOMP_SPINCOUNT"] = "50000"
    try:
        base = importlib.import_module("organism._core")
    finally:
        if not chosen:
            del os.environ["GOMP_SPINCOUNT"]
    best = base.level()
    wanted = os.environ.get("ORGANISM_LEVEL", "")
    if wanted:
        if wanted not in ("1", "3", "4"):
            raise ImportError(f"ORGANISM_LEVEL must be 1, 3 or 4, not {wanted!r}")
        best = min(best, int(wanted))
    return base, best


def _best(name):
    """Return the build of a module for the highest level there is, up to the processor's."""
    for level in (4, 3):
        if level <= _level:
            try:
                return importlib.import_module(f"organism.{name}_v{level}")
            except ModuleNotFoundError:  # the compiler did not know that level
                continue
    return importlib.import_module(f"organism.{name}")


_base, _level = _load()
core = _best("_core")
neighbours = _best("_neighbours")
games = _best("_games")
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=core.after_fork)
