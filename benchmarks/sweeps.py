"""Measure what a sweep costs beside its runs, and how well two workers are used.

``python benchmarks/sweeps.py`` prints the tables; ``--write`` also puts them into RESULTS-sweeps.md beside
this file; ``--quick`` is a rough look. Whatever is compared is measured in turns within one run, by the wall
clock, and medians are reported; a busy machine shows in the last line.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import mesa
from bench import Others, Report, machine, make_world

import organism as og
from organism.sweeps import sweep


def nothing(params, rng):
    return {"x": 0.}


def busy(params, rng):
    """Compute in Python for some seconds of processor time."""
    end = time.process_time() + params["seconds"]
    while time.process_time() < end:
        pass
    return {"x": 0.}


class Empty(mesa.Model):
    """A model that does nothing but collect."""

    def __init__(self, a=0, rng=None, **how):
        super().__init__(rng=rng, **how)
        self.datacollector = mesa.DataCollector({"x": lambda model: 0.})

    def step(self):
        """Collect."""
        self.datacollector.collect(self)


def quiet(what=None, **how):
    return sweep(what, rng=1, progress=False, **how)


def batch_run(runs, processes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mesa.batch_run(Empty, {"a": list(range(runs))}, number_processes=processes, max_steps=1, display_progress=False)


def timed(call, *args) -> float:
    start = time.perf_counter()
    call(*args)
    return time.perf_counter() - start


def kept(runs):
    with tempfile.TemporaryDirectory() as folder:
        quiet(nothing, vary={"a": range(runs)}, store=Path(folder) / "store")


def engines(stack) -> dict:
    """Return by name what does so many empty runs."""
    ways = {
        "function, serial": lambda runs: quiet(nothing, vary={"a": range(runs)}),
        "function, serial, with a store": kept,
        "function, two processes": lambda runs: quiet(nothing, vary={"a": range(runs)}, workers=2),
        "mesa.Model, serial": lambda runs: quiet(Empty, vary={"a": range(runs)}, ticks=1),
        "mesa.Model, two processes": lambda runs: quiet(Empty, vary={"a": range(runs)}, ticks=1, workers=2),
    }
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        print("skipped: Dask is not installed")
    else:
        cluster = stack.enter_context(LocalCluster(2, threads_per_worker=1, dashboard_address=None))
        client = stack.enter_context(Client(cluster))
        ways["function, Dask, two workers"] = lambda runs: quiet(nothing, vary={"a": range(runs)}, executor=client)
        ways["mesa.Model, Dask, two workers"] = lambda runs: quiet(Empty, vary={"a": range(runs)}, ticks=1,
                                                                   executor=client)
    if hasattr(mesa, "batch_run"):
        ways["mesa.batch_run, serial"] = lambda runs: batch_run(runs, 1)
        ways["mesa.batch_run, two processes"] = lambda runs: batch_run(runs, 2)
    return ways


def overhead(report, rounds, runs):
    """Report the cost of a run that does nothing; what starting costs is told by a sweep of two such runs."""
    with contextlib.ExitStack() as stack:
        ways = engines(stack)
        for way in ways.values():  # what is imported once is nobody's start
            way(2)
        starts, each = {name: [] for name in ways}, {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = timed(way, 2)
                starts[name].append(start)
                each[name].append((timed(way, runs) - start) / (runs - 2))
    peer = each.get("mesa.batch_run, serial")
    rows = [[name, f"{median(starts[name]):.2f}", f"{1e3 * median(each[name]):.3f}",
             f"{median(a / b for a, b in zip(each[name], peer, strict=True)):.2f} ×" if peer else "–"] for name in ways]
    report.table("Overhead of a run", ["engine", "start, s", "ms a run", "against mesa.batch_run, serial"], rows)


def efficiency(report, rounds, seconds):
    """Report how much of two workers eight long runs use, starting them included."""
    world = make_world(100)
    world.step(50)
    ticks = max(1, round(50 * seconds / timed(world.step, 50)))
    ways = {"pure Python": lambda **how: quiet(busy, vary={"seconds": [seconds]}, replicates=8, **how),
            "a world of 100×100": lambda **how: quiet(topology=og.Topology.grid((100, 100)), ticks=ticks, replicates=8,
                                                      measure=["welfare"], **how)}
    rows = []
    for name, way in ways.items():
        one, two = [], []
        for _ in range(rounds):
            one.append(timed(way))
            two.append(timed(lambda way=way: way(workers=2)))
        gain = median(a / b for a, b in zip(one, two, strict=True))
        rows.append([name, f"{median(one) / 8:.2f}", f"{gain:.2f} ×", f"{50 * gain:.0f} %"])
    report.table("Two workers, eight runs", ["run", "seconds a run, alone", "gain", "efficiency"], rows)


def main(argv=None):
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description="Measure the sweeps of organism.")
    parser.add_argument("--write", action="store_true", help="write RESULTS-sweeps.md beside this file")
    parser.add_argument("--quick", action="store_true", help="a rough look: few and short runs")
    args = parser.parse_args(argv)
    rounds, runs, seconds = (1, 100, .2) if args.quick else (5, 5000, 1.)

    report, others = Report(), Others()
    report.say("# Benchmark results of sweeps\n")
    quick = " --quick" if args.quick else ""
    report.say(f"`python benchmarks/sweeps.py{quick}` on {datetime.date.today()}. Medians of {rounds} measurements\n"
               "taken in turns, by the wall clock.")
    report.table("Machine", ["what", "value"], machine())
    overhead(report, rounds, runs)
    efficiency(report, min(rounds, 3), seconds)
    report.say(f"\nOther processes, the sweeps' own workers among them, kept {others.cores():.2f} cores busy.")
    if args.write:
        Path(__file__).with_name("RESULTS-sweeps.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
