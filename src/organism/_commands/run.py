"""``organism run``: run a world and write what came of it into a folder."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import time
from pathlib import Path

from .. import __version__, measures
from ..world import World
from .build import SIDE, build
from .emergent import CHEAP, NULLS, Watch, look, save
from .files import new_folder, write
from .options import Mistake, count, nulls, plural, size
from .summary import report, summarise

__all__ = ["add", "run"]

TICKS, FOLDER = 3000, "organism-run"
#: How many points a series aims at.
POINTS = 200
#: Of worlds with more sites it is said what takes long.
LARGE = 10_000


def add(commands) -> None:
    """Add the command to the commands of a parser."""
    parser = commands.add_parser(
        "run", formatter_class=argparse.RawDescriptionHelpFormatter,
        help="run a world and write what came of it into a folder",
        description=textwrap.dedent("""\
        Run a world and write what came of it into a folder: the results with all
        parameters, the course of the run, the members, who fed whom, the world
        itself, and pictures. Roles and wholes are looked for in what members did and
        gave each other in the last third of the run; each is held against chance.
        Without options: 64×64 members on a torus."""),
        epilog=textwrap.dedent("""\
        examples:
          organism run
          organism run --preset selfish --seed 7
          organism run --size 100x40 --set care.weight=0.5 --set learning.perception=1
          organism run --graph karate
          organism run --graph friends.graphml --set metabolism.need=1,1,0.5
          organism run --snapshots 300
          organism run --supply map.txt
          organism run --supply grain.csv water.csv salt.csv --supply-scale none

        'organism presets' lists the presets, 'organism params' what --set can set."""))
    where = parser.add_argument_group("where the members live")
    where.add_argument("--size", metavar="N|WxH", type=size,
                       help=f"a torus of N×N sites, or W columns and H rows (default: {SIDE})")
    where.add_argument("--graph", metavar="FILE|NAME",
                       help="a network instead of the torus: a file in any format that networkx reads, "
                            "known by its extension (.graphml .gml .gexf .json .edgelist .txt .csv .adjlist "
                            ".net .lgr .g6 .s6; also .gz), or the name of a graph that networkx ships "
                            "(karate, les_miserables, …); edge weights count if there are any")
    where.add_argument("--directed", action="store_true",
                       help="ties of an edge or adjacency list go one way, from the first name to the second")
    where.add_argument("--supply", metavar="FILE", nargs="+",
                       help="a landscape: how much each site yields (text, .csv or .npy). One H×W map sets "
                            "every resource and the size of the torus; one file for each resource, or an "
                            "H×W×K array, sets each. With --graph: a row for each node, one column or K")
    where.add_argument("--supply-scale", metavar="HOW", choices=("mean", "none"), default="mean",
                       help="mean scales each map to mean 1 (default); none keeps its values")
    how = parser.add_argument_group("how they live")
    how.add_argument("--preset", metavar="NAME", default="organic",
                     help="a named parameter set (default: organic)")
    how.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="changes",
                     help="change one parameter; give it as often as needed; values for each resource are "
                          "separated by commas")
    how.add_argument("--ticks", metavar="N", type=count(0, 2**32 - 1), default=TICKS,
                     help=f"ticks to run (default: {TICKS})")
    how.add_argument("--seed", metavar="N", type=count(0, 2**64 - 1),
                     help="makes the run repeatable (default: a new one, which is printed)")
    how.add_argument("--threads", metavar="N", type=count(1, 1024), default=1,
                     help="threads; the results are the same for any number (default: 1)")
    out = parser.add_argument_group("what comes out")
    out.add_argument("--out", metavar="FOLDER",
                     help=f"where to write (default: {FOLDER}, numbered if that is taken)")
    out.add_argument("--snapshots", metavar="N", type=count(1, 2**32 - 1),
                     help="keep who gave whom how much, every N ticks, and follow wholes from window to window: "
                          "snapshots/ holds every window (organism.Snapshots.read reads it), windows.csv a row of "
                          "measures for each, flows.csv a row for each window and pair (the last windows, up to a "
                          "million rows), last_window.graphml the last window as a graph, wholes_over_time.png what "
                          "became of wholes, if there were any")
    out.add_argument("--nulls", metavar="N", type=nulls,
                     help="how often wholes are looked for again in flows dealt out by chance, of each of two kinds: "
                          f"19 or more, or 0 for never (default: {NULLS} of up to {CHEAP:,} ties, else 0)")
    out.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    parser.set_defaults(call=run)


def run(options) -> int:
    """Build the world, run it and write what came of it; return the exit code."""
    try:
        world = build(options)
    except MemoryError:
        raise Mistake("there is not enough memory for a world of this size") from None
    except (TypeError, ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    if options.snapshots is not None and options.snapshots > options.ticks:
        raise Mistake(f"--snapshots must be in [1, {options.ticks}], the ticks to run, not {options.snapshots}")
    folder = new_folder(options.out, FOLDER)
    try:
        return _live(world, options, folder)
    except OSError as error:
        raise Mistake(f"{folder} could not be written in full: {error.strerror or error}") from None
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _live(world: World, options, folder: Path) -> int:
    """Run the world, then write and say what came of it, also after Ctrl-C."""
    if not options.quiet:
        print(f"organism {__version__}: {_preset(options)}, {_place(world, options)}, "
              f"{plural(world.params.resources, 'resource')}, seed {world.seed}", flush=True)
    series = world.record(measures.SCALARS, every=max(1, options.ticks // POINTS))
    watch = Watch(world, options.ticks, options.snapshots, folder)
    start, stopped, unsought = time.perf_counter(), False, False
    try:
        world.step(options.ticks, progress=not options.quiet)
    except KeyboardInterrupt:
        stopped = True
    seconds = time.perf_counter() - start
    if not len(series.ticks) or series.ticks[-1] != world.tick:
        series(world)
    watch.finish()
    told = not options.quiet and world.n_sites > LARGE

    def say(words):
        if told:
            print(words, flush=True)

    try:
        found = look(watch, options.nulls, say, progress=told)
    except KeyboardInterrupt:
        found, unsought = None, True
    summary = summarise(world, series, found, options, seconds, stopped)
    if not options.quiet:
        print(report(world, summary, found))
    say(f"Writing to {folder} ...")
    notes = write(world, series, summary, (lambda uid: {}) if found is None else found.columns, folder)
    notes += save(world, watch, found, folder)
    if not options.quiet:
        print("".join(f"{note}\n" for note in notes), end="")
    if not summary["audit"]["closes"]:
        print(f"organism: error: the goods do not add up: {summary['audit']['relative']:.0e} of what came in "
              f"is unaccounted for, so do not trust this run (it was written to {folder})", file=sys.stderr)
    if stopped:
        print(f"organism: stopped by Ctrl-C after {world.tick} of {options.ticks} ticks; "
              f"what there is was written to {folder}", file=sys.stderr)
        return 130
    if unsought:
        print(f"organism: stopped by Ctrl-C while looking for roles and wholes; the rest was written to {folder}",
              file=sys.stderr)
        return 130
    if not options.quiet:
        print(f"Written to {folder}: " + ", ".join(sorted(os.listdir(folder))))
    return 0 if summary["audit"]["closes"] else 1


def _preset(options) -> str:
    """Name the preset and what ``--set`` changed of it."""
    changes = ", ".join("=".join(part.strip() for part in change.split("=", 1)) for change in options.changes)
    return f"preset {options.preset}" + (f" with {changes}" if changes else "")


def _place(world: World, options) -> str:
    """Say in a few words where the members live."""
    topology = world.topology
    if options.graph:
        return (f"{Path(options.graph).name} with {plural(topology.n_sites, 'node')} and "
                f"{plural(topology.n_ties // (1 if topology.directed else 2), 'edge')}")
    height, width = topology.shape
    files = ", ".join(Path(file).name for file in options.supply or ())
    supply = f" with supply from {files}" if files else ""
    return f"{width}×{height} torus{supply}"
