"""Measure how long it takes to find roles and wholes, and what snapshots cost a run.

``python benchmarks/wholes.py`` prints the tables; ``--write`` also puts them into RESULTS-wholes.md beside this
file; ``--quick`` is a rough look at a tenth of the size. Snapshots are measured in turns with a twin that takes
none; a busy machine shows in the last line.
"""

from __future__ import annotations

import argparse
import datetime
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import Others, Report, machine

import organism as og
from organism.roles import block_roles
from organism.wholes import planted_flows
from organism.wholes._detect import RESOLUTIONS, detect


def took(call, *args, **kwargs):
    """Call, and return what came of it and the seconds it took."""
    start = time.perf_counter()
    found = call(*args, **kwargs)
    return found, time.perf_counter() - start


def snapshots(report, world, rounds, every=100):
    """Compare a run of which snapshots are taken with its twin's."""
    plain, kept, written = world.fork(), world.fork(), world.fork()
    with tempfile.TemporaryDirectory() as folder:
        series = og.Snapshots(kept, every=every, keep=1), og.Snapshots(written, every=every, path=Path(folder) / "s")
        times = [[took(one.step, every)[1] for one in (plain, kept, written)] for _ in range(rounds)]
        size = sum(path.stat().st_size for path in (Path(folder) / "s").glob("snapshot-*")) / len(series[1])
    base = median(row[0] for row in times)
    parts = [median(row[i] / row[0] for row in times) - 1 for i in (1, 2)]
    report.table(f"Snapshots every {every} ticks of {world.n_members:,} members",
                 ["", "s", "more than without"],
                 [["run alone", f"{base:.3f}", ""], ["in memory", f"{base * (1 + parts[0]):.3f}", f"{parts[0]:.1%}"],
                  ["to files", f"{base * (1 + parts[1]):.3f}", f"{parts[1]:.1%}"]])
    report.say(f"\nA snapshot holds {series[0][-1].nbytes / 1e6:.1f} MB in memory and {size / 1e6:.1f} MB in its file.")
    report.promise("snapshots in memory, of the run", 100 * parts[0], 10, False, " %")


def roles(report, world):
    """Find roles, with and without goods, and by the block model."""
    rows = []
    og.find_roles([[9, 1], [1, 9]] * 20, rng=1)             # the first call also imports what it needs
    for name, blocks in (("all that is known", None), ("tasks alone", "tasks")):
        found, seconds = took(og.find_roles, world, blocks=blocks, rng=1)
        rows.append([f"find_roles, {name}", f"{world.n_members:,}", f"{seconds:.2f}", found.n_roles])
        if blocks is None:
            report.promise("roles of 10⁵ members", seconds, 2, False, " s")
    small = og.World(og.Topology.grid((100, 100)), og.Params.preset("organic"), rng=1, ledger=True)
    small.step(300)
    found, seconds = took(block_roles, small, rng=1)
    rows.append(["block_roles", f"{small.n_members:,}", f"{seconds:.2f}", found.n_blocks])
    report.table("Roles", ["", "members", "s", "found"], rows)


def wholes(report, ties):
    """Find wholes in flows with planted ones."""
    flows, *_ = planted_flows(ties=ties, rng=1)
    og.find_wholes(planted_flows(ties=1000, rng=1)[0], n_nulls=1, rng=1)
    rows = []
    for name, options in (("louvain, no null", {"nulls": ()}),
                          ("louvain, 19 nulls of each of 3 kinds, two processes", {"workers": 2}),
                          ("infomap, no null", {"method": "infomap", "nulls": ()})):
        found, seconds = took(og.find_wholes, flows, rng=1, **options)
        rows.append([name, f"{flows.nnz:,}", f"{seconds:.2f}", " ⊂ ".join(str(level.n_wholes) for level in found)])
    _, once = took(detect, flows, 1.0, 1)
    rows.append(["scikit-network's Louvain alone, one resolution", f"{flows.nnz:,}", f"{once:.2f}",
                 f"the ladder has {len(RESOLUTIONS)}, of which those that divide, and 2 more, are run"])
    report.table("Wholes", ["", "ties", "s", "wholes"], rows)
    report.promise("wholes of 10⁵ ties", float(rows[0][2]), 5, False, " s")
    report.promise("and with 19 nulls of each kind", float(rows[1][2]), 120, False, " s")


def main(argv=None):
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description="Measure how roles and wholes are found.")
    parser.add_argument("--write", action="store_true", help="write RESULTS-wholes.md beside this file")
    parser.add_argument("--quick", action="store_true", help="a rough look, at a tenth of the size")
    args = parser.parse_args(argv)
    side, ties, rounds = (100, 10_000, 3) if args.quick else (316, 100_000, 9)
    report, others = Report(), Others()
    report.say("# Benchmark results of roles and wholes\n")
    report.say(f"`python benchmarks/wholes.py{' --quick' * args.quick}` on {datetime.date.today()}.")
    report.table("Machine", ["what", "value"], machine())
    world = og.World(og.Topology.grid((side, side)), og.Params.preset("organic"), rng=1, ledger=True)
    world.step(300)
    snapshots(report, world, rounds)
    roles(report, world)
    wholes(report, ties)
    report.table("Promises", ["what", "promised", "measured", "kept"], report.promises)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    report.say(f"\nThe process took {peak:,.0f} MB at most. Other processes kept {others.cores():.2f} cores busy.")
    if args.write:
        Path(__file__).with_name("RESULTS-wholes.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
