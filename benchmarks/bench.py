"""Measure the kernel: speed by size, against its peers, pass by pass, and what memory allows.

``python benchmarks/bench.py`` prints the tables; ``--write`` also puts them
into RESULTS.md beside this file; ``--quick`` is a rough look in a few seconds.
Whatever is compared is measured in turns within one run, and medians are
reported, so a slow moment of the machine touches both sides. What one thread
does is timed in processor time, which other processes' turns leave alone.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import mesa
import numpy as np
from peer_mesa import MesaPeer
from peer_numpy import NumpyPeer

import organism as og
from organism._dispatch import core

SIDES = {"10³": 32, "10⁴": 100, "10⁵": 316, "10⁶": 1000}
X86_LEVELS = [
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
    ("x86-64-v4", {"avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"}),
]


# -- the machine ------------------------------------------------------------------------


def _cpuinfo() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _first_line(command) -> str:
    try:
        out = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=20)
        return out.stdout.splitlines()[0].replace(command[0], Path(command[0]).name)
    except (OSError, IndexError, subprocess.SubprocessError):
        return "not found"


def machine() -> list[tuple[str, str]]:
    """Return what the figures depend on: processor, compilers and versions."""
    cpu = _cpuinfo()
    flags, level = set(cpu.get("flags", "").split()), platform.machine()
    for name, needed in X86_LEVELS:
        if needed <= flags:
            level = name
        else:
            break
    build = core.__name__.rpartition("_v")[2]
    build = f"x86-64-v{build}" if build.isdigit() else "base level"
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[:1]
    return [
        ("processor", cpu.get("model name") or platform.processor() or "unknown"),
        ("instruction level", level),
        ("cores", str(cores())),
        ("kernel's build", f"{build}, {core.width} lanes, OpenMP {'on' if core.openmp else 'off'}"
                           + (", bounds checked" if core.checked else "")),
        ("compiler here", _first_line(compiler)),
        ("Python", f"{platform.python_version()} ({platform.python_compiler()})"),
        ("NumPy, Mesa", f"{np.__version__}, {mesa.__version__}"),
        ("system", f"{platform.system()} {platform.machine()}"),
    ]


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Others:
    """How many cores other processes keep busy, between the making of this object and a reading."""

    def __init__(self):
        self.start = self._read()

    @staticmethod
    def _read():
        try:
            fields = [int(x) for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return None
        busy = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and iowait
        return time.perf_counter(), busy, time.process_time()

    def cores(self) -> float:
        """Return the mean number of cores, NaN where the system does not tell."""
        end = self._read()
        if end is None or self.start is None:
            return float("nan")
        wall, busy, own = (b - a for a, b in zip(self.start, end, strict=True))
        return max(0.0, (busy - own) / wall)

    def in_the_way(self) -> str:
        """Say why two threads could not be judged meanwhile; empty if they could."""
        if cores() < 2:
            return "skipped: one core"
        return "skipped: cores busy" if self.cores() > .1 else ""


# -- measuring --------------------------------------------------------------------------


class Run:
    """Something that advances by ``step(ticks)``, and the speeds measured of it.

    Parameters
    ----------
    step : callable
        Advances by a number of ticks.
    members : int
        Members stepped a tick.
    seconds : float
        About how long one measurement lasts.
    clock : callable
        Processor time, or wall time where threads are to be compared.
    """

    def __init__(self, step, members, seconds, clock=time.process_time):
        self.step, self.members, self.clock, self.speeds = step, members, clock, []
        self.ticks, took = 1, self._time(1)
        while took < seconds / 4:
            self.ticks *= 2
            took = self._time(self.ticks)
        self.ticks = max(1, round(self.ticks * seconds / took))

    def _time(self, ticks) -> float:
        begin = self.clock()
        self.step(ticks)
        return self.clock() - begin

    def measure(self):
        """Add one measurement, in million member-ticks a second."""
        self.speeds.append(self.members * self.ticks / self._time(self.ticks) / 1e6)

    @property
    def speed(self) -> float:
        """The median speed, in million member-ticks a second."""
        return median(self.speeds)


def in_turns(rounds, *runs):
    """Measure all runs once a round, so that they share the machine's moods."""
    for _ in range(rounds):
        for run in runs:
            run.measure()


def ratio(one: Run, other: Run) -> float:
    """Return the median over the rounds of ``one``'s speed over ``other``'s."""
    return median(a / b for a, b in zip(one.speeds, other.speeds, strict=True))


def make_world(side, ledger=False):
    """Return a full Moore torus with the preset "organic"."""
    topology = og.Topology.grid((side, side))
    return og.World(topology, og.Params.preset("organic"), rng=1, ledger=ledger)


def mesa_stepper(side):
    """Return a ``step(ticks)`` for the Mesa peer."""
    model = MesaPeer(side, side, rng=1)

    def step(ticks):
        for _ in range(ticks):
            model.step()

    return step


def threads_stepper(world, threads):
    """Return a ``step(ticks)`` of ``world`` with so many threads."""
    def step(ticks):
        world.threads = threads
        world.step(ticks)
        world.threads = 1

    return step


class Triad:
    """STREAM's ``a = b + s·c`` in NumPy, block by block in cache so that memory is passed once."""

    BLOCK = 1 << 15

    def __init__(self, blocks=512):
        self.a, self.b, self.c = (np.full((blocks, self.BLOCK), value) for value in (0., 1., 2.))

    def _rows(self, first, last):
        product = np.empty(self.BLOCK)
        for i in range(first, last):
            np.multiply(self.c[i], 3., out=product)
            np.add(self.b[i], product, out=self.a[i])

    def __call__(self, threads) -> float:
        """Return GB/s, counting two reads and one write an element (24 bytes)."""
        edges = [len(self.a) * t // threads for t in range(threads + 1)]
        clock = time.process_time if threads == 1 else time.perf_counter
        begin = clock()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._rows, edges[:-1], edges[1:]))
        return 24e-9 * self.a.size / (clock() - begin)


def import_seconds(repeats) -> float:
    """Return the median time of ``import organism`` in a fresh interpreter."""
    code = "import time; t = time.process_time(); import organism; print(time.process_time() - t)"
    return median(float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                       check=True).stdout) for _ in range(repeats))


# -- the report -------------------------------------------------------------------------


class Report:
    """Markdown that is printed as it grows, and the promises it can judge."""

    def __init__(self):
        self.lines: list[str] = []
        self.promises: list[list[str]] = []

    def say(self, text=""):
        """Add a paragraph or a line."""
        print(text, flush=True)
        self.lines.append(text)

    def table(self, title, head, rows):
        """Add an aligned Markdown table; all columns but the first are set right."""
        rows = [head, *([str(cell) for cell in row] for row in rows)]
        width = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, ["-" * n if i == 0 else "-" * (n - 1) + ":" for i, n in enumerate(width)])
        self.say(f"\n## {title}\n")
        for row in rows:
            cells = (c.rjust(n) if i else c.ljust(n) for i, (c, n) in enumerate(zip(row, width, strict=True)))
            self.say(f"| {' | '.join(cells)} |")

    def promise(self, what, value, limit, least, unit=""):
        """Note whether ``value`` keeps a promised limit, which it must reach (``least``) or not exceed."""
        sign, met = ("≥", value >= limit) if least else ("≤", value <= limit)
        self.promises.append([what, f"{sign} {limit:g}{unit}", f"{value:.3g}{unit}" if value < 100
                              else f"{value:,.0f}{unit}", "yes" if met else "no"])


def speed_by_size(report, worlds, plain, rounds, seconds):
    """Report the speed without and with exact totals, and how the cost grows with size."""
    exact = {name: Run(make_world(SIDES[name], ledger=True).step, run.members, seconds)
             for name, run in plain.items()}
    in_turns(rounds, *plain.values(), *exact.values())
    cost = {name: ratio(plain["10³"], run) for name, run in plain.items()}
    report.table(
        "Speed by size", ["members", "M/s", "ns a member-tick", "cost against 10³", "M/s with exact totals"],
        [[f"{run.members:,}", f"{run.speed:.1f}", f"{1e3 / run.speed:.0f}", f"{cost[name]:.2f} ×",
          f"{exact[name].speed:.1f}"] for name, run in plain.items()])
    for name, limit in (("10⁴", 10), ("10⁶", 6)):
        if name in plain:
            report.promise(f"speed at {name}", plain[name].speed, limit, True, " M/s")
    for name, limit in (("10⁵", 1.3), ("10⁶", 2.2)):
        if name in plain:
            report.promise(f"cost of a member-tick, {name} against 10³", cost[name], limit, False, " ×")


def two_threads(report, worlds, rounds, seconds):
    """Report the gain of a second thread, where a second core is free to show it."""
    rows = []
    for name in [name for name in ("10⁴", "10⁵", "10⁶") if name in worlds]:
        world = worlds[name]
        one, two = (Run(threads_stepper(world, n), world.n_members, seconds, time.perf_counter)
                    for n in (1, 2))
        for _ in range(3):
            one.speeds, two.speeds, others = [], [], Others()
            in_turns(rounds, one, two)
            if not (skipped := others.in_the_way()):
                break
        gain = ratio(two, one)
        rows.append([f"{world.n_members:,}", *(["", "", skipped] if skipped else
                     [f"{one.speed:.1f}", f"{two.speed:.1f}", f"{gain:.2f} ×"])])
        if name == "10⁵" and skipped:
            report.promises.append(["gain of a second thread at 10⁵", "≥ 1.7 ×", skipped, ""])
        elif name == "10⁵":
            report.promise("gain of a second thread at 10⁵", gain, 1.7, True, " ×")
    if rows:
        report.table("Two threads", ["members", "M/s, one thread", "M/s, two threads", "gain"], rows)


def peers(report, worlds, rounds, seconds):
    """Report how much faster the kernel is than the same model in Mesa and in NumPy."""
    rows = []
    for kind, name in (("Mesa", "10³"), ("NumPy", "10³"), ("NumPy", "10⁴"), ("NumPy", "10⁶")):
        if name not in worlds:
            continue
        side, members = SIDES[name], worlds[name].n_members
        step = mesa_stepper(side) if kind == "Mesa" else NumpyPeer(side, side, rng=1).step
        peer, kernel = Run(step, members, seconds), Run(worlds[name].step, members, seconds / 2)
        in_turns(rounds, peer, kernel)
        gain = ratio(kernel, peer)
        rows.append([kind, f"{members:,}", f"{peer.speed:.3g}", f"{kernel.speed:.1f}",
                     f"{gain:.1f} ×" if gain < 100 else f"{gain:,.0f} ×"])
        if kind == "Mesa":
            report.promise("faster than plain Mesa", gain, 400, True, " ×")
    report.table("Peers", ["peer", "members", "peer, M/s", "kernel, M/s", "kernel is faster by"], rows)


def passes(report, worlds):
    """Report what each pass costs, in cache and out of it."""
    cost = {}
    for name in [name for name in ("10⁴", "10⁶") if name in worlds]:
        world = worlds[name]
        ticks = max(3, 3_000_000 // world.n_members)
        begin = time.process_time()
        spent = world.profile(ticks)  # by the wall clock: only its proportions are used
        unit = 1e9 * (time.process_time() - begin) / (ticks * world.n_members * sum(spent.values()))
        cost[name] = {key: value * unit for key, value in spent.items()}
    total = {name: sum(column.values()) for name, column in cost.items()}
    keys = next(iter(cost.values()))
    rows = [[key] for key in keys] + [["sum"]]
    for name, column in cost.items():
        for row, value in zip(rows, [*column.values(), total[name]], strict=True):
            row += [f"{value:.1f}", f"{100 * value / total[name]:.0f} %"]
    head = [text for name in cost for text in (f"ns a member-tick, {name}", "share")]
    report.table("Cost of each pass", ["pass", *head], rows)
    report.say("\n\"appraise: walks, mean\" is the work of care for kin, for the whole and beyond the nearest; "
               "the preset\nneeds none of it.")


def traffic(world) -> int:
    """Count the bytes a member-tick that the passes read and write, as STREAM counts them.

    Each pass over a world larger than the caches fetches its rows anew; a neighbour's value is
    counted once, for the lines of a slice's neighbours are still there.
    """
    p, d = world.params, round(world.topology.out_degree.mean())
    k, m, w = p.resources, p.tasks, p.tasks * p.features  # resources, tasks, weights of the task policy
    sense = 8 * k + 4 * k                                   # stock; shortfall
    act = (4 * d + 4 * k + 16 * k + 8 * k + 4 * k + 8 * m   # ties; shortfall, stock, skill, deficit; counts
           + 4 * w + 8 * w + 12 + 8 + 8)                    # policy, eligibility, those of sharing; key; flags
    offer = 8 * d + 4 * k + 16 * k + 8 * k + 5              # ties, bonds; deficit, stock, offer; given
    receive = 20 * d + 8 * k + 4 * k + 16 * k + 19          # ties, bonds, traces; offer, deficit, stock; welfare
    learn = 16 * d + 8 * w + 4 * w + 12 + 28                # ties, traces, bonds; policy, eligibility; appraisal
    return sense + act + offer + receive + learn + 9        # age


def memory(report, worlds, plain, rounds):
    """Report the size of a world, and how near the largest comes to the memory's bandwidth."""
    name, world = list(worlds.items())[-1]
    size, run = world.nbytes / world.n_members, plain[name]
    rows = [["bytes a member, ties and topology included", f"{size:.0f}"]]
    report.promise("bytes a member", size, 460, False)
    if name == "10⁶":
        triad, one, two = Triad(), [], []
        others, run.speeds = Others(), []
        for _ in range(rounds):
            one.append(triad(1))
            two.append(triad(2))
            run.measure()
        moved = traffic(world)
        rows += [
            ["STREAM triad, one thread", f"{median(one):.1f} GB/s"],
            ["STREAM triad, two threads", others.in_the_way() or f"{median(two):.1f} GB/s"],
            [f"kernel at {name} in the same minute, one thread", f"{run.speed:.1f} M/s"],
            ["bytes a member-tick that its passes read and write", f"{moved}"],
            ["its traffic", f"{1e-3 * moved * run.speed:.1f} GB/s"],
            ["share of the triad, one thread", f"{moved * run.speed / median(one) / 10:.0f} %"],
        ]
    report.table("Memory", ["what", "value"], rows)


def start(report, worlds, repeats):
    """Report how long it takes until there is something to step."""
    name = list(worlds)[-1]
    side, grids, builds = SIDES[name], [], []
    for _ in range(3):
        begin = time.process_time()
        topology = og.Topology.grid((side, side))
        grids.append(time.process_time() - begin)
        og.World(topology, og.Params.preset("organic"), rng=1)
        builds.append(time.process_time() - begin)
    loading = import_seconds(repeats)
    report.table("Start", ["what", "seconds"], [
        [f"build a world of {name} members", f"{median(builds):.2f}"],
        ["of which its topology", f"{median(grids):.2f}"],
        ["import organism", f"{loading:.3f}"],
    ])
    if name == "10⁶":
        report.promise(f"build a world of {name}", median(builds), 2, False, " s")
    report.promise("import organism", loading, .5, False, " s")


def main(argv=None):
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description="Measure the kernel of organism.")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md beside this file")
    parser.add_argument("--quick", action="store_true", help="a rough look: up to 10⁴ members, short runs")
    args = parser.parse_args(argv)
    rounds, seconds = (3, .02) if args.quick else (15, .2)

    quick = " --quick" if args.quick else ""
    report, others = Report(), Others()
    report.say("# Benchmark results\n")
    report.say(f"""\
`python benchmarks/bench.py{quick}` on {datetime.date.today()}. K = 3, Moore torus, all
sites occupied, preset `organic`: perception 2, learning, interdependence care and bonds. M/s is million
member-ticks a second. Medians of {rounds} measurements taken in turns, of processor time; one thread
unless said, two threads by the wall clock.""")
    report.table("Machine", ["what", "value"], machine())

    sides = {name: side for name, side in SIDES.items() if side <= 100 or not args.quick}
    worlds = {name: make_world(side) for name, side in sides.items()}
    plain = {name: Run(world.step, world.n_members, seconds) for name, world in worlds.items()}
    speed_by_size(report, worlds, plain, rounds, seconds)
    two_threads(report, worlds, rounds, seconds)
    peers(report, worlds, rounds, seconds)
    passes(report, worlds)
    memory(report, worlds, plain, rounds)
    start(report, worlds, rounds)
    report.table("Promises", ["what", "promised", "measured", "kept"], report.promises)
    report.say(f"\nOther processes kept {others.cores():.2f} of {cores()} cores busy during the run.")
    if args.write:
        Path(__file__).with_name("RESULTS.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
