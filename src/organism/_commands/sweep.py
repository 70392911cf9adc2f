"""``organism sweep``: run an experiment of many runs."""

from __future__ import annotations

import os
import sys

from .options import Mistake, count

__all__ = ["add", "sweep"]


def add(commands) -> None:
    """Add the command to the commands of a parser."""
    many = commands.add_parser("sweep", help="run an experiment of many runs, described in a TOML file",
                               description="Run an experiment of many runs, described in a TOML file. The exit code "
                                           "is 1 if a run failed, 2 after a mistake, 130 after Ctrl-C, and else 0.")
    many.add_argument("file", metavar="FILE.toml")
    many.add_argument("--experiment", metavar="NAME", help="the only one to run of a file with several")
    many.add_argument("--workers", metavar="N", type=count(1, 1024), help="processes (default: none of their own)")
    many.add_argument("--store", metavar="FOLDER",
                      help="keeps finished runs, so that the same command continues, also with more replicates, tries "
                           "again what failed, and writes its tables anew")
    many.add_argument("--replicates", metavar="N", type=count(1), help="runs of each point, instead of the file's")
    many.add_argument("--out", metavar="FOLDER",
                      help="where to write the tables (default: organism-NAME); with a --store, what the same command "
                           "wrote there is replaced")
    many.add_argument("--quiet", action="store_true", help="no progress bar and no summary; failures are still named")
    many.set_defaults(call=sweep)


def sweep(options) -> int:
    """Run the experiment of a file and write its tables; return the exit code."""
    from .._experiments import run_experiment

    try:
        found, folder = run_experiment(options.file, name=options.experiment, workers=options.workers,
                                       store=options.store, replicates=options.replicates, out=options.out,
                                       progress=not options.quiet)
    except (TypeError, ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    except KeyboardInterrupt as stopped:
        print(f"organism: stopped by Ctrl-C: {stopped}", file=sys.stderr)
        return 130
    each = {f"{name}: ": its for name, its in found.items()} if isinstance(found, dict) else {"": found}
    if not options.quiet:
        for name, its in each.items():
            print(f"{name}{its._head}")
        print(f"Written to {folder}: " + ", ".join(sorted(os.listdir(folder))))
        sys.stdout.flush()
    complaints = [f"organism: {name}{its._complaint}" for name, its in each.items() if its._complaint]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0
