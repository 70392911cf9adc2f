"""The commands ``organism claims`` and ``organism claim NAME``."""

from __future__ import annotations

import textwrap
from pathlib import Path

from .._outputs import Output
from . import card, names, run

__all__ = ["list_cards", "run_one"]


def list_cards() -> None:
    """Print every card: its name, its sentence, and how large a full run is."""
    for name in names():
        one = card(name)
        print(name)
        print(textwrap.indent(textwrap.fill(one.sentence, 92), "    "))
        print(f"    {len(one.questions)} questions, {len(one.design()):,} settings × {one.replicates} replicates\n")


def run_one(name: str, *, arm=None, replicates=None, workers=None, store=None, grid=True, miniature=False, out=None,
            quiet=False) -> Path:
    """Run a card, print its answer and write its report.

    Parameters
    ----------
    name : str
    arm : str or None
    replicates, workers : int or None
    store : path or None
    grid, miniature : bool
    out : path or None
        Folder of the report; ``claim-NAME`` by default. With a store, what the same command wrote is replaced.
    quiet : bool
        Print nothing.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError, OSError
        If the folder holds anything else already, or cannot be written; nothing is run then.
    """
    folder = Path(out or f"claim-{name}" + (f"-{arm}" if arm else ""))
    output = Output(folder, f"organism claim {name}" + (f" --arm {arm}" if arm else "")
                    + (" --miniature" if miniature else ""), store)
    result = run(name, arm=arm, replicates=replicates, workers=workers, store=store, grid=grid, miniature=miniature,
                 progress=not quiet)
    output.write(result.write)
    if not quiet:
        print(result)
        if miniature:
            print("\nA miniature: 64 members for 60 ticks show that the card runs, and nothing else.")
        if len(result.failures):
            print(f"\n{len(result.failures)} of {len(result.failures) + len(result.frame)} runs failed; "
                  f"the first: {result.failures.iloc[0]['error']}")
        print(f"\nWritten to {folder}: " + ", ".join(sorted(p.name for p in folder.iterdir())))
    return folder
