"""What came of a run: everything for ``summary.json``, and the words that are printed."""

from __future__ import annotations

import platform
from importlib import metadata

import numpy as np

from .. import __version__, measures
from ..world import World
from .options import plural

__all__ = ["report", "summarise", "verdict"]

#: How many shuffles make the null of the division of labour.
SHUFFLES = 199
#: Labour is divided from this corrected index and below this p-value.
DIVIDED, SIGNIFICANT = .1, .05


def summarise(world: World, series, found, options, seconds: float, stopped: bool) -> dict:
    """Return everything that ``summary.json`` holds; ``found`` are roles and wholes, or None."""
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
            **({} if found is None else found.results()),
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


def report(world: World, summary: dict, emergent) -> str:
    """Return the summary that is printed, in words that need no manual."""
    found, audit = summary["results"], summary["audit"]
    labour, recent = found["division_of_labour_test"], found["recent_means"]
    lines = [f"After {plural(summary['ticks'], 'tick')} ({summary['seconds']:.1f} s): "
             f"{plural(found['members'], 'member')} alive on {plural(world.n_sites, 'site')}.", ""]

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
        lines.append(f"  {verdict(labour)}")
    else:
        lines.append("Nobody is alive: the population died out.")
    made, start = sum(audit["produced"]), sum(audit["initial"])
    line("Goods", "ok" if audit["closes"] else "WRONG",
         f"{start:,.0f} at the start + {made:,.0f} made = all that is held, used, spoiled or lost "
         f"(off by {audit['relative']:.0e})")
    if emergent is not None:
        lines += ["", emergent.report()]
    return "\n".join([*lines, ""])


def verdict(labour: dict) -> str:
    """Say whether labour is divided, by the size of the index and by what chance makes of it."""
    if not labour["defined"]:
        return "(it takes two members that have acted, and two tasks, to divide labour)"
    if labour["pvalue"] >= SIGNIFICANT:
        words = "no more than chance"
    elif labour["corrected"] < DIVIDED:
        words = "beyond chance, but tiny: labour is hardly divided"
    else:
        words = "labour is divided"
    return f"{words} (p = {labour['pvalue']:.3g} in {SHUFFLES} shuffles of the same acts)"
