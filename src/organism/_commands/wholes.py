"""``organism wholes``: roles and wholes of anybody's flow network."""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import textwrap
from importlib import metadata
from pathlib import Path

from .. import __version__
from ..flows._record import ours
from ..inputs import read_graph
from ..roles import Blocks, block_roles
from ..wholes import Wholes, agreement, find_wholes
from .emergent import CHEAP, NULLS, about_wholes, matrix_picture, untested, with_nulls, wrapped
from .files import new_folder, picture, table
from .options import Mistake, count, nulls, plural

__all__ = ["add", "wholes"]

FOLDER = "organism-wholes"
#: Of networks with more ties it is said what takes long.
LARGE = 10_000
#: Greatest flow whose square can be computed with.
MOST = 1e100
#: Whether ties are themselves in question (the default of a graph), or given.
KINDS = {"found": False, "given": True}
#: What chance deals out in each null.
CHANCE = {"degrees": "other ties, as many of each node", "flows": "other flows on the same ties",
          "strengths": "other flows on the same ties, of which each node gives and gets as much"}


def add(commands) -> None:
    """Add the command to the commands of a parser."""
    parser = commands.add_parser(
        "wholes", formatter_class=argparse.RawDescriptionHelpFormatter,
        help="find roles and wholes in a flow network from a file",
        description=textwrap.dedent("""\
        Find roles and wholes in a flow network: who gives whom how much. Roles are
        blocks that give to, and get from, the same blocks (a stochastic block model);
        wholes are groups that trade among themselves, level by level. Each finding is
        held against networks dealt out by chance, and "no" is said plainly.

        Written into a folder: membership.csv (each node's block and whole at each
        level), levels.csv (every statistic of every level, and its nulls),
        level_0.graphml … (the wholes of a level and what flows between them, the finest
        level first), summary.json, and pictures."""),
        epilog=textwrap.dedent("""\
        examples:
          organism wholes karate
          organism wholes trade.csv --directed --seed 1
          organism wholes energy.graphml --method infomap --nulls 99 --out energy
          organism wholes organism-run/interdependence.graphml"""))
    parser.add_argument("file", metavar="FILE|NAME",
                        help="a network, weighted or not, directed or not: a file in any format that networkx reads, "
                             "known by its extension (.graphml .gml .gexf .json .edgelist .txt .csv .adjlist .net "
                             ".lgr .g6 .s6; also .gz), or the name of a graph that networkx ships (karate, "
                             "les_miserables, …). 'weight' of an edge is its flow, else 1; r0, r1, … are flows by "
                             "resource; undirected edges count both ways; loops are left out")
    parser.add_argument("--directed", action="store_true",
                        help="ties of an edge or adjacency list go one way, from giver to receiver")
    parser.add_argument("--method", choices=("louvain", "networkx", "infomap"), default="louvain",
                        help="louvain sweeps the resolution and keeps what is stable (default); networkx and infomap "
                             "have levels of their own; infomap must be installed")
    parser.add_argument("--ties", choices=tuple(KINDS),
                        help="found: the ties themselves are to be explained (default); given: they were there "
                             "before, as on a lattice or along roads, and only the flows on them are (default for "
                             "files that 'organism run' wrote)")
    parser.add_argument("--nulls", metavar="N", type=nulls,
                        help="networks dealt out by chance, of each kind, in which roles and wholes are looked for "
                             f"again: 19 or more, or 0 for none (default: {NULLS} up to {CHEAP:,} ties, else 0)")
    parser.add_argument("--bootstraps", metavar="N", type=count(0, 10_000), default=0,
                        help="times that flows are drawn again and divided again, to see how stable levels are "
                             "(default: 0)")
    parser.add_argument("--seed", metavar="N", type=count(0, 2**64 - 1),
                        help="makes the search repeatable (default: a new one, which is printed)")
    parser.add_argument("--out", metavar="FOLDER",
                        help=f"where to write (default: {FOLDER}, numbered if that is taken)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")
    parser.set_defaults(call=wholes)


def wholes(options) -> int:
    """Find roles and wholes in a network and write them; return the exit code."""
    graph = _graph(options)
    _has(options.method)
    folder = new_folder(options.out, FOLDER)
    try:
        return _search(graph, options, folder)
    except OSError as error:
        raise Mistake(f"{folder} could not be written in full: {error.strerror or error}") from None
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _has(method: str) -> None:
    """Refuse a method whose package is not installed, before anything is done."""
    if method == "infomap":
        from importlib.util import find_spec

        if find_spec("infomap") is None:
            raise Mistake("--method infomap needs the package infomap (GPL), which is not installed: "
                          "pip install infomap")


def _graph(options):
    """Read the network and check its flows, with the edge that is wrong."""
    try:
        graph = read_graph(options.file, directed=options.directed)
    except (ValueError, OSError) as error:
        raise Mistake(str(error).replace("read the graph as directed", "use --directed")) from None
    if not len(graph):
        raise Mistake(f"{options.file}: there are no nodes in this network")
    for giver, receiver, data in graph.edges(data=True):
        for name, amount in data.items():
            if name == "weight" or name[:1] == "r" and name[1:].isdigit():
                if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount <= MOST:
                    raise Mistake(f"{options.file}: {name} of the edge from {giver} to {receiver} must be a number "
                                  f"in [0, {MOST:g}], not {amount!r}")
    return graph


def _search(graph, options, folder: Path) -> int:
    """Find, tell and write."""
    seed = secrets.randbits(32) if options.seed is None else options.seed
    ties = graph.number_of_edges() * (1 if graph.is_directed() else 2)
    kind = options.ties or ("given" if ours(graph) else "found")
    n_nulls = (NULLS if ties <= CHEAP else 0) if options.nulls is None else options.nulls
    told = not options.quiet and ties > LARGE

    def say(words, wanted):
        if wanted:
            print(words, flush=True)

    say(f"organism {__version__}: {Path(options.file).name} with {plural(len(graph), 'node')} and "
        f"{plural(graph.number_of_edges(), 'edge')}, {options.method}, seed {seed}", not options.quiet)
    say(f"Looking for roles, {with_nulls(n_nulls)} ...", told)
    blocks = block_roles(graph, given=KINDS[kind], n_nulls=n_nulls, rng=seed)
    say(f"Looking for wholes, {with_nulls(n_nulls)} ...", told)
    found = find_wholes(graph, options.method, rng=seed, progress=told, n_bootstraps=options.bootstraps,
                        **({"given": KINDS[kind], "n_nulls": n_nulls} if n_nulls else {"nulls": ()}))
    say(_report(blocks, found, n_nulls), not options.quiet)
    again = find_wholes(graph, "networkx" if options.method != "networkx" else "louvain", nulls=(), rng=seed)
    alike = [max(((agreement(level.labels, other.labels), other.n_wholes) for other in again), default=None)
             for level in found]
    say(_compared(found, again.method, alike), not options.quiet and len(found))
    say(f"Writing to {folder} ...", told)
    summary = _summary(options, seed, kind, blocks, found, n_nulls)
    for level, one in zip(summary["wholes"]["levels"], alike, strict=True):
        level["other_method"] = {"method": again.method, "agreement": one and one[0], "wholes": one and one[1]}
    notes = _write(graph, blocks, found, summary, folder)
    for note in notes:
        say(note, not options.quiet)
    say(f"Written to {folder}: " + ", ".join(sorted(os.listdir(folder))), not options.quiet)
    return 0


def _drawn(graph):
    """Return the network as it is drawn: one that is not ours without attributes of nodes, which may mean anything."""
    drawn = graph.to_directed()
    if not ours(graph):
        for data in drawn.nodes.values():
            data.clear()
    return drawn


def _report(blocks: Blocks, found: Wholes, n_nulls: int) -> str:
    """Return the words that are printed."""
    lines = ["", "Roles (blocks that give and get alike):", str(blocks), "",
             "Wholes (groups that trade among themselves):", str(found), *untested(found, n_nulls)]
    if n_nulls and len(found):
        lines.append("Chance deals out: " + "; ".join(CHANCE[null] for null in found[0].nulls) + ". The first decides.")
    return wrapped("\n".join([*lines, ""]))


def _compared(found: Wholes, method: str, alike: list) -> str:
    """Return how stable each level is, and what is most like it of another method's, in words."""
    lines = ["How sure is that?"]
    for i, (level, other) in enumerate(zip(found, alike, strict=True)):
        said = [f"over resolutions {level.stability:.2f}"] if level.stability == level.stability else []
        said += [f"under bootstrap {level.bootstrap:.2f}"] if level.bootstrap == level.bootstrap else []
        said.append(f"with the {other[1]} wholes of {method} {other[0]:.2f}" if other else f"{method} has no levels")
        lines.append(f"  Level {i}, agreement: " + ", ".join(said))
    return wrapped("\n".join([*lines, "  (adjusted mutual information: 1 is the same, 0 what chance makes)", ""]))


def _summary(options, seed: int, kind: str, blocks: Blocks, found: Wholes, n_nulls: int) -> dict:
    """Return everything that ``summary.json`` holds."""
    return {
        "file": options.file, "directed": options.directed, "seed": seed, "ties_are": kind,
        "roles": {"blocks": blocks.n_blocks, "sizes": blocks.sizes.tolist(), "stands": blocks.stands,
                  "explained": blocks.statistic, "pvalue": blocks.pvalue, "nulls": len(blocks.null_distribution),
                  "null_mean": float(blocks.null_distribution.mean()) if len(blocks.null_distribution) else None,
                  "underdetermined": blocks.underdetermined,
                  "prediction_strength": {str(number): one for number, one in blocks.strengths.items()},
                  "strength_error": {str(number): one for number, one in blocks.errors.items()},
                  "icl": {str(number): icl for number, icl in blocks.icl.items()}},
        "wholes": about_wholes(found, n_nulls),
        "versions": {"organism": __version__, "python": platform.python_version(), "platform": platform.platform(),
                     **{name: metadata.version(name) for name in ("numpy", "scipy", "networkx", "scikit-network")}},
    }


def _write(graph, blocks: Blocks, found: Wholes, summary: dict, folder: Path) -> list[str]:
    """Write the output folder, the small and certain files first; return which pictures there are not, and why."""
    import networkx as nx

    from .. import plots
    from .._wholeplots import NAMED, named_flows

    unit = "goods" if ours(graph) else "weight"

    (folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    table(folder / "membership.csv", {"node": [str(node) for node in found.trade.nodes], "block": blocks.labels,
                                      **{f"level_{i}": level.labels for i, level in enumerate(found)}})
    for i, level in enumerate(found):
        nx.write_graphml(level.graph(), folder / f"level_{i}.graphml")
        picture(folder / f"level_{i}.png", (5.2, 5.0), lambda ax, i=i: plots.wholes_graph(found, i, ax, unit=unit))
    if len(graph) <= NAMED and not ours(graph):
        picture(folder / "flows.png", (6.4, 6.0), lambda ax: named_flows(
            ax, found, blocks, mutual=not graph.is_directed(), unit="weight", title="who gives whom"))
    else:
        picture(folder / "flows.png", (6.4, 6.0), lambda ax: plots.interdependence_graph(_drawn(graph), ax))
    notes = matrix_picture(found, folder / "matrix.png", unit)
    if len(found):
        found.frame().to_csv(folder / "levels.csv", index=False, float_format="%.7g")
        height = 1.6 + 0.8 * (len(found) + 1)
        picture(folder / "tree.png", (6.4, height), lambda ax: plots.wholes_tree(found, ax))
        if found[0].nulls:
            picture(folder / "nulls.png", (6.4, 4.6), lambda ax: plots.wholes_by_level(found, "assortativity", ax))
        else:
            notes.append("There is no nulls.png, because no nulls were run.")
    return notes
