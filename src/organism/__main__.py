"""The command line: ``organism run``, ``organism presets``, ``organism params``.

Whatever a user gets wrong is answered by one sentence on the error stream and exit
code 2; Ctrl-C writes what there is and exits with 130. A goods audit that does not
close, which no user can cause, exits with 1 after everything is written.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import secrets
import sys
import tempfile
import textwrap
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from . import __version__, flows, measures
from .inputs import read_graph, read_supply
from .params import PRESETS, Params, closest
from .topology import Topology
from .world import World

__all__ = ["main"]

TICKS, SIDE, FOLDER = 3000, 64, "organism-run"
#: How many points a series aims at, and how many shuffles make the null.
POINTS, SHUFFLES = 200, 199
#: The graph file holds the strongest flows up to this number, and none of more members than that:
#: networkx needs some 15 kB of memory for each.
FLOWS = 100_000
#: Roles are worth the name from this corrected index and below this p-value.
ROLES, SIGNIFICANT = .1, .05
#: Columns of ``members.csv`` that are read from the state, in this order.
STATE = ("uid", "parent_uid", "founder", "age", "births", "welfare", "appraisal", "vitality", "care",
         "capability", "learning_rate", "consumption", "given", "stock", "skill", "need", "reserve",
         "supply", "task_counts")


class Mistake(Exception):
    """A user's mistake, said in one sentence."""


# -- the options --------------------------------------------------------------------------

class _Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one sentence instead of the whole usage."""

    def error(self, message):
        raise Mistake(f"{message} (see '{self.prog} --help')")


def _count(low: int, high: float = math.inf):
    """Return a reader of whole numbers from ``low`` to ``high``."""
    allowed = f"[{low}, {high}" + (")" if high == math.inf else "]")

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a whole number in {allowed}, not {text!r}")
        return value
    return read


def _size(text: str) -> tuple[int, int]:
    """Read ``N`` or ``WxH`` and return (rows, columns)."""
    parts = text.lower().replace("×", "x").split("x")
    if not (1 <= len(parts) <= 2 and all(part.isascii() and part.isdigit() and int(part) for part in parts)):
        raise argparse.ArgumentTypeError(f"must be N or WxH, whole numbers from 1 on, not {text!r}")
    width, height = int(parts[0]), int(parts[-1])
    return height, width


def _parser() -> argparse.ArgumentParser:
    wide = argparse.RawDescriptionHelpFormatter
    top = _Parser(prog="organism", formatter_class=wide, description=textwrap.dedent("""\
        Agent-based models of how many locally interacting agents become one thing,
        and when that goes wrong."""))
    top.add_argument("--version", action="version", version=f"organism {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    run = commands.add_parser(
        "run", formatter_class=wide, help="run a world and write what came of it into a folder",
        description=textwrap.dedent("""\
        Run a world and write what came of it into a folder: the results with all
        parameters, the course of the run, the members, who fed whom, the world
        itself, and a figure. Without options: 64×64 members on a torus."""),
        epilog=textwrap.dedent("""\
        examples:
          organism run
          organism run --preset selfish --seed 7
          organism run --size 100x40 --set care.weight=0.5 --set learning.perception=1
          organism run --graph karate
          organism run --graph friends.graphml --set metabolism.need=1,1,0.5
          organism run --supply map.txt
          organism run --supply grain.csv water.csv salt.csv --supply-scale none

        'organism presets' lists the presets, 'organism params' what --set can set."""))
    where = run.add_argument_group("where the members live")
    where.add_argument("--size", metavar="N|WxH", type=_size,
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
    how = run.add_argument_group("how they live")
    how.add_argument("--preset", metavar="NAME", default="organic",
                     help="a named parameter set (default: organic)")
    how.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="changes",
                     help="change one parameter; give it as often as needed; values for each resource are "
                          "separated by commas")
    how.add_argument("--ticks", metavar="N", type=_count(0, 2**32 - 1), default=TICKS,
                     help=f"ticks to run (default: {TICKS})")
    how.add_argument("--seed", metavar="N", type=_count(0, 2**64 - 1),
                     help="makes the run repeatable (default: a new one, which is printed)")
    how.add_argument("--threads", metavar="N", type=_count(1, 1024), default=1,
                     help="threads; the results are the same for any number (default: 1)")
    out = run.add_argument_group("what comes out")
    out.add_argument("--out", metavar="FOLDER",
                     help=f"where to write (default: {FOLDER}, numbered if that is taken)")
    out.add_argument("--quiet", action="store_true", help="no progress bar and no summary")

    many = commands.add_parser("sweep", help="run an experiment of many runs, described in a TOML file",
                               description="Run an experiment of many runs, described in a TOML file.")
    many.add_argument("file", metavar="FILE.toml")
    many.add_argument("--workers", metavar="N", type=_count(1, 1024), help="processes (default: none of their own)")
    many.add_argument("--store", metavar="FOLDER", help="keeps finished runs, so that the same command continues")
    many.add_argument("--replicates", metavar="N", type=_count(1), help="runs of each point, instead of the file's")
    many.add_argument("--out", metavar="FOLDER", help="where to write the tables (default: organism-NAME)")
    many.add_argument("--quiet", action="store_true", help="no progress bar and no summary")

    commands.add_parser("presets", help="list the presets and what they change",
                        description="List the presets and what each changes.")
    params = commands.add_parser("params", help="list the parameters with unit, range and default",
                                 description="List the parameters with unit, range and default.")
    params.add_argument("words", metavar="WORD", nargs="*",
                        help="only those whose name or meaning holds one of these words")
    cards = commands.add_parser("claims", help="list the claim cards: sentences that can be tested",
                                description="List the claim cards: sentences of the debate, each made an experiment.")
    cards.add_argument("--page", metavar="FOLDER",
                       help="print instead the page of verdicts, from the reports in this folder")
    claim = commands.add_parser("claim", help="put a claim card to the test",
                                description="Run a claim card, print its answer and write a report into a folder.")
    claim.add_argument("name", metavar="NAME", help="of the card; 'organism claims' lists them")
    claim.add_argument("--arm", metavar="ARM", help="an arm that is run by itself: 'evolution' of emergence")
    claim.add_argument("--replicates", metavar="N", type=_count(2, 10**6), help="runs of each setting")
    claim.add_argument("--workers", metavar="N", type=_count(1, 1024), help="processes (default: 1)")
    claim.add_argument("--store", metavar="FOLDER", help="keep finished runs here; the same command goes on with them")
    claim.add_argument("--no-grid", action="store_true", help="leave out the robustness grid")
    claim.add_argument("--miniature", action="store_true", help="a few small runs, to see that it works")
    claim.add_argument("--out", metavar="FOLDER", help="where to write the report (default: claim-NAME)")
    claim.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return top


def _value(text: str):
    """Read a value as JSON where it is JSON; a list where there are commas; else as text."""
    text = text.strip()
    for read in (json.loads, float):
        try:
            return read(text)
        except ValueError:
            pass
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "," in text:
        return [_value(part) for part in text.split(",") if part.strip()]
    return text


def _params(preset: str, changes: list[str]) -> Params:
    """Return the preset with the changes of ``--set``."""
    params, new = Params.preset(preset), {}
    for change in changes:
        name, equals, text = change.partition("=")
        name = name.strip()
        if not equals:
            raise Mistake(f"--set takes NAME=VALUE, not {change!r}")
        if name not in Params.names():
            raise Mistake(f"no parameter is called {name!r}" + closest(name, Params.names())
                          + " ('organism params' lists them)")
        value = _value(text)
        if isinstance(params[name], tuple) and value in ("", "none", None):
            value = ()
        new[name] = value
    return params.replace(**new)


# -- the world ----------------------------------------------------------------------------

def _memory(sites: int, ties: int, resources: int):
    """Refuse a world that this machine cannot hold, before it starts to swap."""
    try:
        have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    need = sites * (250 + 60 * resources) + ties * (40 + 8 * resources)
    if need > have:
        raise Mistake(f"a world of {sites:,} sites needs about {need / 2**30:,.0f} GB of memory; "
                      f"this machine has {have / 2**30:,.0f} GB")


def _build(options) -> World:
    """Return the world that the options describe, everything checked."""
    params = _params(options.preset, options.changes)
    supply = read_supply(options.supply, options.supply_scale) if options.supply else None
    if options.graph:
        if options.size:
            raise Mistake("--size sets the torus and --graph takes its place; give one of them")
        topology = _network(options.graph, options.directed)
    else:
        if options.directed:
            raise Mistake("--directed says how to read a --graph file, and there is none")
        shape = options.size or (supply.shape[:2] if supply is not None else (SIDE, SIDE))
        if supply is not None and supply.shape[:2] != shape:
            raise Mistake(f"the supply has {supply.shape[0]} rows and {supply.shape[1]} columns, but --size "
                          f"asks for {shape[0]} rows and {shape[1]} columns")
        _memory(shape[0] * shape[1], 8 * shape[0] * shape[1], params.resources)
        topology = Topology.grid(shape)
    _memory(topology.n_sites, topology.n_ties, params.resources)
    columns = None
    if supply is not None:
        columns = {"supply": _spread(supply, topology, params.resources, bool(options.graph), options)}
    seed = secrets.randbits(32) if options.seed is None else options.seed  # short enough to type again
    return World(topology, params, rng=seed, columns=columns, ledger=True, threads=options.threads)


def _network(source: str, directed: bool) -> Topology:
    try:
        graph = read_graph(source, directed=directed)
    except ValueError as error:
        raise Mistake(str(error).replace("read the graph as directed", "use --directed")) from None
    weighted = any("weight" in data for _, _, data in graph.edges(data=True))
    try:
        return Topology.from_networkx(graph, weight="weight" if weighted else None)
    except (TypeError, ValueError) as error:
        raise Mistake(f"{source}: {error}") from None


def _spread(supply: np.ndarray, topology: Topology, k: int, network: bool, options) -> np.ndarray:
    """Return the supply as (sites, resources)."""
    n = topology.n_sites
    if not network:
        each = supply[..., None] if supply.ndim == 2 else supply
        each = each.reshape(n, -1)
    elif supply.ndim == 2 and supply.shape[0] == n:
        each = supply
    else:
        each = supply.reshape(-1, *supply.shape[2:]) if 1 in supply.shape[:2] else supply
        if each.ndim != 2 or each.shape[0] != n:
            raise Mistake(f"with --graph the supply takes a row for each of the {n} nodes; "
                          f"it has {' × '.join(map(str, supply.shape))} values")
    if each.shape[1] not in (1, k):
        raise Mistake(f"the supply has {each.shape[1]} maps for {k} resources; give one map, one for each, "
                      f"or --set resources={each.shape[1]}")
    return np.repeat(each, k, axis=1) if each.shape[1] == 1 else each


# -- the run ------------------------------------------------------------------------------

def _folder(asked: str | None) -> Path:
    """Make the output folder, before the run, so that an unwritable one costs nothing."""
    path, number = Path(asked or FOLDER), 2
    while not asked and path.exists():
        path, number = Path(f"{FOLDER}-{number}"), number + 1
    if path.exists() and not path.is_dir():
        raise Mistake(f"the output folder {path} is a file")
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise Mistake(f"the output folder {path} is not empty, and nothing in it is overwritten; "
                          "give another --out")
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise Mistake(f"the output folder {path} cannot be written: {error.strerror or error}") from None
    return path


def _run(options) -> int:
    try:
        world = _build(options)
    except MemoryError:
        raise Mistake("there is not enough memory for a world of this size") from None
    except (TypeError, ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    folder = _folder(options.out)
    try:
        return _live(world, options, folder)
    except OSError as error:
        raise Mistake(f"{folder} could not be written in full: {error.strerror or error}") from None
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _sweep(options) -> int:
    from ._experiments import run_experiment

    try:
        found, folder = run_experiment(options.file, workers=options.workers, store=options.store,
                                       replicates=options.replicates, out=options.out, progress=not options.quiet)
    except (TypeError, ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    except KeyboardInterrupt as stopped:
        print(f"organism: stopped by Ctrl-C: {stopped}", file=sys.stderr)
        return 130
    if not options.quiet:
        print(f"{found}\nWritten to {folder}: " + ", ".join(sorted(os.listdir(folder))))
    return 0


def _live(world: World, options, folder: Path) -> int:
    """Run the world, then write and say what came of it, also after Ctrl-C."""
    if not options.quiet:
        print(f"organism {__version__}: {_preset(options)}, {_place(world, options)}, "
              f"{_plural(world.params.resources, 'resource')}, seed {world.seed}", flush=True)
    series = world.record(measures.SCALARS, every=max(1, options.ticks // POINTS))
    start, stopped = time.perf_counter(), False
    try:
        world.step(options.ticks, progress=not options.quiet)
    except KeyboardInterrupt:
        stopped = True
    seconds = time.perf_counter() - start
    if not len(series.ticks) or series.ticks[-1] != world.tick:
        series(world)
    summary = _summary(world, series, options, seconds, stopped)
    if not options.quiet:
        print(_report(world, summary))
    if not options.quiet and world.n_sites > 10_000:
        print(f"Writing to {folder} ...", flush=True)
    notes = _write(world, series, summary, folder)
    if not options.quiet:
        print("".join(f"{note}\n" for note in notes), end="")
    if not summary["audit"]["closes"]:
        print(f"organism: error: the goods do not add up: {summary['audit']['relative']:.0e} of what came in "
              f"is unaccounted for, so do not trust this run (it was written to {folder})", file=sys.stderr)
    if stopped:
        print(f"organism: stopped by Ctrl-C after {world.tick} of {options.ticks} ticks; "
              f"what there is was written to {folder}", file=sys.stderr)
        return 130
    if not options.quiet:
        print(f"Written to {folder}: " + ", ".join(sorted(os.listdir(folder))))
    return 0 if summary["audit"]["closes"] else 1


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def _preset(options) -> str:
    """Name the preset and what ``--set`` changed of it."""
    changes = ", ".join("=".join(part.strip() for part in change.split("=", 1)) for change in options.changes)
    return f"preset {options.preset}" + (f" with {changes}" if changes else "")


def _place(world: World, options) -> str:
    """Say in a few words where the members live."""
    topology = world.topology
    if options.graph:
        return (f"{Path(options.graph).name} with {_plural(topology.n_sites, 'node')} and "
                f"{_plural(topology.n_ties // (1 if topology.directed else 2), 'edge')}")
    height, width = topology.shape
    files = ", ".join(Path(file).name for file in options.supply or ())
    supply = f" with supply from {files}" if files else ""
    return f"{width}×{height} torus{supply}"


def _summary(world: World, series, options, seconds: float, stopped: bool) -> dict:
    """Return everything that ``summary.json`` holds."""
    recent = max(1, len(series.ticks) // 10)  # the last tenth: one tick of a small world is mostly luck
    labour = measures.division_of_labour_test(world, n_resamples=SHUFFLES, rng=0)
    audit, indices = world.audit(), labour.indices
    return {
        "ticks": int(world.tick), "ticks_asked": options.ticks, "stopped_early": stopped,
        "seed": world.seed, "preset": options.preset, "changes": options.changes,
        "graph": options.graph, "supply": options.supply, "supply_scale": options.supply_scale,
        "results": {
            **measures.vital_signs(world),
            "recent_means": {"since_tick": int(series.ticks[-recent]),
                             **{name: float(np.mean(series[name][-recent:])) for name in series}},
            "division_of_labour_test": {
                "index": "D_ind = I(member; task)/H(task), at the end",
                "corrected": labour.corrected, "raw": labour.statistic, "defined": labour.defined,
                "null": f"{SHUFFLES} tables of the same acts dealt out at random",
                "raw_null_mean": float(labour.null_distribution.mean()),
                "raw_null_max": float(labour.null_distribution.max()),
                "pvalue": labour.pvalue, "seed": labour.seed,
                "raw_D_task": indices.task, "raw_D_sym": indices.sym,
            },
        },
        "audit": {"closes": audit.closes, "relative": audit.relative, **audit.to_dict()},
        "topology": {"kind": world.topology.kind, "shape": world.topology.shape,
                     "sites": world.n_sites, "ties": world.topology.n_ties},
        "parameters": world.params.to_dict(),
        "seconds": round(seconds, 3), "threads": world.threads,
        "versions": {"organism": __version__, "python": platform.python_version(),
                     "platform": platform.platform(),
                     **{name: metadata.version(name) for name in ("numpy", "scipy", "networkx", "mesa")}},
    }


def _report(world: World, summary: dict) -> str:
    """Return the summary that is printed, in words that need no manual."""
    found, audit = summary["results"], summary["audit"]
    labour, recent = found["division_of_labour_test"], found["recent_means"]
    lines = [f"After {_plural(summary['ticks'], 'tick')} ({summary['seconds']:.1f} s): "
             f"{_plural(found['members'], 'member')} alive on {_plural(world.n_sites, 'site')}.", ""]

    def line(name, value, meaning):
        lines.append(f"{name:<22}{value:>7}  {meaning}".rstrip())

    if found["members"]:
        lines.append(f"Means since tick {recent['since_tick']:,}:")
        line("Welfare", f"{recent['welfare']:.2f}", "of what members need is met (0 to 1)")
        line("  inequality", f"{recent['gini']:.2f}", "Gini: 0 if all fare alike, 1 if one has everything")
        line("Dependence", f"{recent['dependence']:.2f}", "of what a member consumes came from others")
        line("  given back", f"{recent['reciprocity']:.2f}", "of what is given, by the one who got it")
        lines += ["", f"At the end, tick {summary['ticks']:,}:"]
        line("Division of labour", f"{labour['corrected']:.2f}",
             "beyond chance: 0 if none, 1 if each keeps to one task")
        lines.append(f"  {_verdict(labour)}")
    else:
        lines.append("Nobody is alive: the population died out.")
    made, start = sum(audit["produced"]), sum(audit["initial"])
    line("Goods", "ok" if audit["closes"] else "WRONG",
         f"{start:,.0f} at the start + {made:,.0f} made = all that is held, used, spoiled or lost "
         f"(off by {audit['relative']:.0e})")
    return "\n".join([*lines, ""])


def _verdict(labour: dict) -> str:
    """Say whether there are roles, by the size of the index and by what chance makes of it."""
    if not labour["defined"]:
        return "(it takes two members that have acted, and two tasks, to divide labour)"
    if labour["pvalue"] >= SIGNIFICANT:
        words = "no more than chance"
    elif labour["corrected"] < ROLES:
        words = "beyond chance, but tiny: no roles to speak of"
    else:
        words = "there are roles"
    return f"{words} (p = {labour['pvalue']:.3g} in {SHUFFLES} shuffles of the same acts)"


# -- the files ----------------------------------------------------------------------------

def _write(world: World, series, summary: dict, folder: Path) -> list[str]:
    """Write the output folder, the small and certain files first; return what was left out."""
    import networkx as nx

    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    world.save(folder / "world.npz")
    _table(folder / "series.csv", series.to_dict())
    _table(folder / "members.csv", _members(world))
    minimum, notes = _minimum(world), []
    if minimum is None:
        notes.append(f"interdependence.graphml is left out: of more than {FLOWS:,} members it would need too much "
                     "memory; organism.interdependence(World.load('world.npz'), minimum=...) makes it")
    else:
        if minimum > 0:
            notes.append(f"interdependence.graphml holds the strongest {FLOWS:,} flows: those of {minimum:,.3g} "
                         "goods or more")
        nx.write_graphml(flows.interdependence(world, minimum=minimum), folder / "interdependence.graphml")
    from . import plots

    plots.summary_figure(world, series).savefig(folder / "figure.png", dpi=150)
    return notes


def _minimum(world: World) -> float | None:
    """Return the smallest flow that goes into the graph file; None if there are too many members for one."""
    if world.n_members > FLOWS:
        return None
    amount = world.tie("total").sum(axis=1)
    return 0.0 if np.count_nonzero(amount) <= FLOWS else float(np.partition(amount, -FLOWS)[-FLOWS])


def _table(path: Path, columns: dict) -> None:
    """Write columns of equal length as CSV, real numbers with seven significant digits."""
    def cells(values):
        values = np.asarray(values)
        return [f"{value:.7g}" for value in values.tolist()] if values.dtype.kind == "f" else values.tolist()

    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*map(cells, columns.values()), strict=True))


def _members(world: World) -> dict:
    """Return the living members as columns."""
    living, nodes = world.living, world.topology.nodes
    columns: dict = {"site": living}
    if world.topology.shape is not None and len(world.topology.shape) == 2:
        columns["row"], columns["column"] = (np.array([nodes[i] for i in living]).reshape(-1, 2)).T
    else:
        columns["node"] = [str(nodes[i]) for i in living]
    columns["dominant_task"] = measures.dominant_task(world)
    for name in ("specialisation", "dependence", "share_propensity"):
        columns[name] = getattr(measures, name)(world, each=True)
    for name in STATE:
        values = world.state[name][living]
        if values.ndim == 1:
            columns[name] = values
        else:
            columns.update({f"{name}_{k}": values[:, k] for k in range(values.shape[1])})
    return columns


# -- the lists ----------------------------------------------------------------------------

def _presets(options) -> int:
    for name, (doc, changes) in PRESETS.items():
        print(f"{name:<12}{doc}")
        for key, value in changes.items():
            print(f"{'':<12}  {key} = {json.dumps(value)}")
    return 0


def _list_params(options) -> int:
    words = [word.lower() for word in options.words]
    rows = [row for row in Params.table()
            if not words or any(word in (row["name"] + " " + row["doc"]).lower() for word in words)]
    if not rows:
        raise Mistake(f"no parameter's name or meaning holds {' or '.join(map(repr, options.words))}"
                      + closest(options.words[0], Params.names()))
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) + 2 for key in ("name", "default", "unit")}
    print("".join(key.upper().ljust(width) for key, width in widths.items()) + "RANGE")
    for row in rows:
        print("".join(row[key].ljust(width) for key, width in widths.items()) + row["range"])
        print(textwrap.indent(textwrap.fill(f"{row['doc']} [{row['source']}]", 96), "    "))
    return 0


def _list_claims(options) -> int:
    from .claims.command import list_cards
    from .claims.page import page

    if options.page is None:
        list_cards()
        return 0
    try:
        print(page(options.page), end="")
    except (OSError, ValueError, KeyError) as error:
        raise Mistake(str(error)) from None
    return 0


def _claim(options) -> int:
    from . import claims
    from .claims.command import run_one

    try:
        claims.card(options.name, options.arm)
    except ValueError as error:
        raise Mistake(str(error)) from None
    try:
        run_one(options.name, arm=options.arm, replicates=options.replicates, workers=options.workers,
                store=options.store, grid=not options.no_grid, miniature=options.miniature, out=options.out,
                quiet=options.quiet)
    except OSError as error:
        raise Mistake(str(error)) from None
    return 0


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``organism``; by default those of the process.

    Returns
    -------
    int
        Exit code: 0, 1 if the goods audit does not close, 2 after a user's mistake, 130 after Ctrl-C.
    """
    commands = {"run": _run, "sweep": _sweep, "presets": _presets, "params": _list_params, "claims": _list_claims,
                "claim": _claim}
    try:
        parser = _parser()
        options = parser.parse_args(argv)
        if options.command is None:
            parser.print_help()
            return 0
        code = commands[options.command](options)
        sys.stdout.flush()
        return code
    except Mistake as mistake:
        print(f"organism: error: {' '.join(str(mistake).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("organism: stopped by Ctrl-C; nothing more was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, 'head' say, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
