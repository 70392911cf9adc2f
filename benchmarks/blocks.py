"""Measure the blocks against what else one would write: NumPy, SciPy, networkx, plain Mesa, numba by hand.

``python benchmarks/blocks.py`` prints the tables; ``--write`` also puts them into RESULTS-blocks.md beside this file;
``--quick`` is a rough look at smaller sizes. Times are the least of some turns, taken in turns, so that ratios hold on
a busy machine; all ways must give the same before they are timed. numba is an extra (``pip install numba``).
"""

from __future__ import annotations

import argparse
import datetime
import functools
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from bench import Others, Report, machine
from scipy import ndimage, sparse

from organism import Topology
from organism import interact as act

try:
    import numba
except ImportError:
    numba = None


def turns(ways, rounds):
    """Return the least seconds of each way, all tried in turns."""
    best = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, call in ways.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def alike(ways, rtol):
    """Check that all ways give the same, and warm them up."""
    first = None
    for name, call in ways.items():
        made = np.asarray(call()).ravel()
        first = made if first is None else first
        np.testing.assert_allclose(made, first, rtol=rtol, atol=rtol, err_msg=name)


def bandwidth(nbytes=256 * 2**20):
    """Return bytes a second of a copy of an array much larger than any cache, read and written, one thread."""
    a = np.ones(nbytes // 8)
    b = np.empty_like(a)
    b[...] = a
    return 2 * nbytes / min(turns({"copy": lambda: np.copyto(b, a)}, 5).values())


def grid_in_numba():
    """Return what one would write by hand in numba: sum, and a step of diffusion, on a Moore torus."""
    @numba.njit
    def total(x, out):
        h, w = x.shape
        for i in range(h):
            up, down = (i - 1 if i else h - 1), (i + 1 if i < h - 1 else 0)
            for j in range(w):
                left, right = (j - 1 if j else w - 1), (j + 1 if j < w - 1 else 0)
                out[i, j] = (x[up, left] + x[up, j] + x[up, right] + x[i, left] + x[i, right] + x[down, left]
                             + x[down, j] + x[down, right])
        return out

    @numba.njit
    def spread(x, out, rate):
        h, w = x.shape
        for i in range(h):
            up, down = (i - 1 if i else h - 1), (i + 1 if i < h - 1 else 0)
            for j in range(w):
                left, right = (j - 1 if j else w - 1), (j + 1 if j < w - 1 else 0)
                near = (x[up, left] + x[up, j] + x[up, right] + x[i, left] + x[i, right] + x[down, left] + x[down, j]
                        + x[down, right])
                out[i, j] = x[i, j] + rate * (near - 8 * x[i, j])
        return out

    return total, spread


def ties_in_numba():
    """Return the same along ties."""
    @numba.njit
    def total(ptr, end, x, out):
        for i in range(len(ptr) - 1):
            s = x[0] * 0
            for k in range(ptr[i], ptr[i + 1]):
                s += x[end[k]]
            out[i] = s
        return out

    return total


def ways_of(topology, x, h, square):
    """Return the ways to sum over neighbours, and to take a step of diffusion; on a grid ``square`` is its shape."""
    n, dtype = topology.n_sites, x.dtype
    A = sparse.csr_array((np.ones(topology.n_ties, dtype), (topology.source, topology.target)), shape=(n, n))
    L = (sparse.eye_array(n) - h * (sparse.diags_array(topology.out_degree.astype(float)) - A)).tocsr().astype(dtype)
    out, twin = np.empty_like(x), np.empty_like(x)
    sums = {"organism": lambda: act.neighbour_sum(topology, x, out=out), "scipy.sparse": lambda: A @ x}
    steps = {"organism": lambda: act.diffuse(topology, x, h, out=out), "scipy.sparse": lambda: L @ x}
    if square:
        field, other, around = x.reshape(square), twin.reshape(square), np.ones((3, 3), dtype)
        around[1, 1] = 0
        heat = (h * around).astype(dtype)
        heat[1, 1] = 1 - 8 * h
        sums["ndimage.convolve"] = lambda: ndimage.convolve(field, around, mode="wrap")
        steps["ndimage.convolve"] = lambda: ndimage.convolve(field, heat, mode="wrap")
        if numba:
            total, spread = grid_in_numba()
            sums["numba"] = lambda: total(field, other)
            steps["numba"] = lambda: spread(field, other, dtype.type(h))
    elif numba:
        along = ties_in_numba()
        sums["numba"] = lambda: along(A.indptr, A.indices, x, twin)
    return sums, steps


#: Times that the others must take at least: place, what, type, whom, how often.
PROMISED = [
    ("grid", "sum", "float64", "scipy.sparse", 8), ("grid", "sum", "float64", "numba", 2),
    ("grid", "diffusion", "float64", "scipy.sparse", 6), ("grid", "diffusion", "float64", "numba", 1.5),
    *(("torus as ties", what, "float64", "scipy.sparse", 2) for what in ("sum", "diffusion")),
    *(("random graph", what, of, "scipy.sparse", 1.3)
      for of in ("float64", "float32") for what in ("sum", "diffusion")),
]


def neighbours(report, side, rounds):
    """Sum and diffuse on a Moore torus as a grid, the same torus as ties, and a random graph of some ties."""
    rng, speed, rows = np.random.default_rng(1), bandwidth(), []
    grid = Topology.grid((side, side))
    torus = Topology.from_sparse(sparse.csr_array((np.ones(grid.n_ties, np.float32), (grid.source, grid.target))))
    n = 100 * side
    ends = np.unique(np.sort(rng.integers(n, size=(5 * n, 2))), axis=0)
    ends = ends[ends[:, 0] != ends[:, 1]]
    graph = Topology.from_edges(*np.concatenate([ends, ends[:, ::-1]]).T, n)
    for place, topology in (("grid", grid), ("torus as ties", torus), ("random graph", graph)):
        for dtype in (np.float64, np.float32):
            x = rng.random(topology.n_sites).astype(dtype)
            h = 0.1 if topology is not graph else 1 / (topology.out_degree.max() + 1)
            both = ways_of(topology, x, h, (side, side) if topology is grid else None)
            for what, ways in zip(("sum", "diffusion"), both, strict=True):
                alike(ways, 1e-12 if dtype is np.float64 else 1e-5)
                ways["copy"] = functools.partial(np.copyto, np.empty_like(x), x)
                best = turns(ways, rounds)
                for *which, whom, times in PROMISED:
                    if which == [place, what, np.dtype(dtype).name] and whom in best:
                        report.promise(f"{what} on a {place}, {which[2]}: {whom}", best[whom] / best["organism"], times,
                                       True, " ×")
                own, ties = best["organism"], 0 if topology is grid else 4 * topology.n_ties + 8 * topology.n_sites
                rows.append([place, what, np.dtype(dtype).name, f"{1e3 * own:.2f}",
                             *(f"{best[name] / own:.1f}" if name in best else "" for name in (
                                 "scipy.sparse", "ndimage.convolve", "numba")),
                             f"{own / best['copy']:.1f}", f"{(2 * x.nbytes + ties) / own / speed:.0%}"])
    report.table(f"Neighbours: {side}×{side} Moore torus, and {graph.n_ties:,} ties between {n:,} sites at random",
                 ["where", "what", "type", "ms", "scipy.sparse takes ×", "ndimage ×", "numba ×", "× a copy",
                  "of bandwidth"], rows)
    report.say("\n× a copy: over the time in which NumPy copies the same numbers from one array to the other, in turns "
               "with the rest, so that both find them in memory and not in a cache: on a grid nothing that reads and "
               "writes each number once does better. Of bandwidth: the bytes that must be moved at least (what is "
               "read and written, and ties, once), over what moves in that time in a copy of arrays of 256 MB, whose "
               f"stores go around the caches ({speed / 1e9:.1f} GB/s here, one thread). Between random sites the wall "
               f"is latency: each tie reads its own line of {n * 8 / 1e6:.1f} MB (float64), in the second and third "
               f"cache; {float(rows[-4][3]) * 1e6 / graph.n_ties:.1f} ns a tie are what is left of their 5 to 15 "
               "ns when several are under way at once.")


def dilemma(report, side, generations, plain):
    """Run the spatial prisoner's dilemma of Nowak and May, b = 1.85: all ways from the same start to the same end."""
    b, start = 1.85, (np.random.default_rng(1).random((side, side)) < 0.5).astype(np.int8)      # 1: defects
    grid, payoff = Topology.grid((side, side)), np.array([[1, 0], [b, 0]])

    def own(n):
        now, score, then = start.copy(), np.empty((side, side)), np.empty_like(start)
        for _ in range(n):
            act.play(grid, now, payoff, include_self=True, out=score)
            act.imitate(grid, now, score, out=then)
            now, then = then, now
        return now

    def in_numpy(n):
        now = start.copy()
        around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        for _ in range(n):
            friends = sum(np.roll(now == 0, one, (0, 1)).astype(int) for one in around)
            score = np.where(now == 1, b * friends, friends)
            best, then = score.copy(), now.copy()
            for one in around:
                other = np.roll(score, one, (0, 1))
                better = other > best
                best[better], then[better] = other[better], np.roll(now, one, (0, 1))[better]
            now = then
        return now

    ways = {"organism": own, "NumPy": in_numpy}
    if numba:
        ways["numba"] = dilemma_in_numba(start, b)
    for call in ways.values():
        np.testing.assert_array_equal(call(30), own(30))
    best = turns({name: (lambda call=call: call(generations)) for name, call in ways.items()}, 3)
    model = mesa_dilemma(start, b)
    began = time.perf_counter()
    for _ in range(plain):
        model.step()
    best["Mesa"] = (time.perf_counter() - began) * generations / plain
    np.testing.assert_array_equal(model.strategies(), own(plain))
    for name, times in (("numba", 5), ("Mesa", 500)):
        if name in best:
            report.promise(f"spatial prisoner's dilemma: {name}", best[name] / best["organism"], times, True, " ×")
    report.table(f"Spatial prisoner's dilemma, {side}×{side}, {generations} generations",
                 ["", "s", "takes × organism's"],
                 [[name + (f" ({plain} generations, times {generations / plain:g})" if name == "Mesa" else ""),
                   f"{best[name]:.3f}", f"{best[name] / best['organism']:.1f}"] for name in best])


def dilemma_in_numba(start, b):
    """Return what one would write by hand in numba."""
    @numba.njit
    def run(now, n):
        h, w = now.shape
        score, then = np.zeros((h, w)), now.copy()
        for _ in range(n):
            for i in range(h):
                for j in range(w):
                    friends = 0
                    for di in range(-1, 2):
                        for dj in range(-1, 2):
                            friends += now[(i + di) % h, (j + dj) % w] == 0
                    score[i, j] = b * friends if now[i, j] else friends
            for i in range(h):
                for j in range(w):
                    best, kind = score[i, j], now[i, j]
                    for di in range(-1, 2):
                        for dj in range(-1, 2):
                            y, x = (i + di) % h, (j + dj) % w
                            if score[y, x] > best:
                                best, kind = score[y, x], now[y, x]
                    then[i, j] = kind
            now, then = then, now
        return now

    return lambda n: run(start.copy(), n)


def mesa_dilemma(start, b):
    """Return the same model written plainly in Mesa."""
    import mesa
    from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid

    class Player(FixedAgent):
        def __init__(self, model, cell, strategy):
            super().__init__(model)
            self.cell, self.strategy, self.score, self.next = cell, strategy, 0, strategy

        def play(self):
            friends = (self.strategy == 0) + sum(cell.agents[0].strategy == 0 for cell in self.cell.neighborhood)
            self.score = b * friends if self.strategy else friends

        def look(self):
            best, self.next = self.score, self.strategy
            for cell in self.cell.neighborhood:
                other = cell.agents[0]
                if other.score > best:
                    best, self.next = other.score, other.strategy

        def turn(self):
            self.strategy = self.next

    class Dilemma(mesa.Model):
        def __init__(self):
            super().__init__(rng=1)
            self.grid = OrthogonalMooreGrid(start.shape, torus=True, random=self.random)
            for cell in self.grid.all_cells:
                Player(self, cell, int(start[cell.coordinate]))

        def step(self):
            for what in ("play", "look", "turn"):
                self.agents.do(what)

        def strategies(self):
            made = np.empty_like(start)
            for player in self.agents:
                made[player.cell.coordinate] = player.strategy
            return made

    return Dilemma()


def fixation(report, replicates, plain):
    """Death-birth fixation of one cooperator on a random graph of 100 sites."""
    import networkx as nx

    G = nx.random_regular_graph(6, 100, seed=1)
    topology, payoff, strength = Topology.from_networkx(G), np.array([[4., -1], [5, 0]]), 0.05
    rows = []
    found = act.evolve(topology, payoff, resident=1, mutant=0, selection=strength, replicates=replicates // 50, rng=1)
    start = time.perf_counter()
    found = act.evolve(topology, payoff, resident=1, mutant=0, selection=strength, replicates=replicates, rng=1)
    own = time.perf_counter() - start
    share = float((found.fixed == 0).mean())
    rows.append(["organism", f"{own:.2f}", "1.0", f"{share:.5f} ± {np.sqrt(share * (1 - share) / replicates):.5f}"])
    near = np.array([sorted(G[i]) for i in range(100)])
    many = {"networkx and Python": (_fixations(G, near, payoff, strength, False), plain)}
    if numba:
        many["numba"] = (_fixations(G, near, payoff, strength, True), replicates // 20)
    for name, (call, n) in many.items():
        call(2, 1)
        start = time.perf_counter()
        fixed = call(n, 1)
        took = (time.perf_counter() - start) * replicates / n
        rows.append([f"{name} ({n:,} runs, times {replicates / n:g})", f"{took:.2f}", f"{took / own:.1f}",
                     f"{fixed / n:.5f} ± {np.sqrt(max(fixed, 1) / n / n):.5f}"])
    report.table(f"Death-birth fixation of one cooperator (b = 5, c = 1, δ = {strength}), 100 sites of degree 6, "
                 f"{replicates:,} runs", ["", "s", "takes × organism's", "fixed"], rows)


def _fixations(G, near, payoff, strength, compiled):
    """Return a function that counts in how many runs the cooperator is fixed: in numba, or as in many a course."""
    def runs(near, payoff, n, seed):
        np.random.seed(seed)
        total = 0
        for _ in range(n):
            kind = np.ones(100, np.int64)
            kind[np.random.randint(100)] = 0
            left = 1
            while 0 < left < 100:
                site = np.random.randint(100)
                fit = np.zeros(6)
                for a in range(6):
                    j, earned = near[site, a], 0.0
                    for k in near[j]:
                        earned += payoff[kind[j], kind[k]]
                    fit[a] = 1 + strength * earned / 6
                at, u = 0, np.random.random() * fit.sum()
                while at < 5 and u >= fit[at]:
                    u -= fit[at]
                    at += 1
                left += kind[site] - kind[near[site, at]]
                kind[site] = kind[near[site, at]]
            total += left == 100
        return total

    if compiled:
        fast = numba.njit(runs)
        return lambda n, seed: fast(near, payoff, n, seed)

    def plainly(n, seed):
        import random

        random.seed(seed)
        total = 0
        for _ in range(n):
            kind = dict.fromkeys(G, 1)
            kind[random.randrange(100)] = 0
            left = 1
            while 0 < left < 100:
                site = random.randrange(100)
                fit = [1 + strength * sum(payoff[kind[j], kind[k]] for k in G[j]) / 6 for j in G[site]]
                chosen = random.choices(list(G[site]), fit)[0]
                left += kind[site] - kind[chosen]
                kind[site] = kind[chosen]
            total += left == 100
        return total

    return plainly


def voter(report, side, rounds):
    """Run the voter model to consensus, and each way of giving the rule over the same sweeps."""
    grid = Topology.grid((side, side))
    state = np.random.default_rng(1).integers(0, 2, grid.n_sites).astype(float)
    done = act.activate(grid, state, "voter", "replacement", until="consensus", rng=1)

    def in_python(site, partner, neighbours, weights, now, out, shared, u):
        out[site] = now[neighbours[int(u[0] * len(neighbours))]]

    sweeps = 20
    ways = {"ready-made": "voter", "Python callable": in_python}
    if numba:
        @numba.cfunc(act.RULE_NUMBA)
        def in_numba(site, partner, degree, neighbours, weights, now, out, columns, shared, u):
            out[site] = now[neighbours[int(u[0] * degree)]]

        @numba.njit
        def by_hand(ptr, end, now, n, seed):
            np.random.seed(seed)
            for _ in range(n * len(now)):
                i = np.random.randint(len(now))
                now[i] = now[end[ptr[i] + int(np.random.random() * (ptr[i + 1] - ptr[i]))]]
            return now

        ways["numba cfunc"] = in_numba
    calls = {name: (lambda rule=rule: act.activate(grid, state, rule, "replacement", sweeps, rng=1).state)
             for name, rule in ways.items()}
    alike({name: calls[name] for name in calls if name != "ready-made"}, 0)
    if numba:
        A = sparse.csr_array((np.ones(grid.n_ties), (grid.source, grid.target)))
        calls["numba by hand, the whole loop"] = lambda: by_hand(A.indptr, A.indices, state.copy(), sweeps, 1)
        calls["numba by hand, the whole loop"]()
    calls["networkx and Python"] = _voter_in_networkx(grid, state, sweeps)
    best = turns(calls, rounds)
    report.table(f"Voter model, {side}×{side}, {sweeps} sweeps under \"replacement\"",
                 ["rule", "s", "ns an event", "takes × ready-made"],
                 [[name, f"{value:.4f}", f"{1e9 * value / sweeps / grid.n_sites:.0f}",
                   f"{value / best['ready-made']:.1f}"] for name, value in best.items()])
    report.say(f"\nTo consensus: {done.steps:,} sweeps ({done.events:,} events).")


def _voter_in_networkx(grid, state, sweeps):
    import random

    import networkx as nx

    G = nx.Graph(zip(grid.source.tolist(), grid.target.tolist(), strict=True))

    def call():
        now, sites = dict(enumerate(state)), list(G)
        for _ in range(sweeps * len(sites)):
            site = random.choice(sites)
            now[site] = now[random.choice(list(G[site]))]

    return call


def sugarscape(report, steps, seeds):
    """Run our Sugarscape against Mesa's own, by the example's own script."""
    script = Path(__file__).parents[1] / "examples" / "sugarscape" / "compare.py"
    said = subprocess.run([sys.executable, script.name, str(steps), str(seeds)], cwd=script.parent, check=True,
                          capture_output=True, text=True).stdout
    report.say(f"\n## Sugarscape with trade, {steps} steps\n\n`python examples/sugarscape/compare.py {steps} {seeds}`, "
               "each run in a fresh process; its Python agents remain.\n")
    for line in said.splitlines():
        report.say(f"- {line}")


def main(argv=None):
    """Measure and print everything."""
    parser = argparse.ArgumentParser(description="Measure the blocks of organism.interact.")
    parser.add_argument("--write", action="store_true", help="write RESULTS-blocks.md beside this file")
    parser.add_argument("--quick", action="store_true", help="a rough look, at smaller sizes")
    args = parser.parse_args(argv)
    report, others = Report(), Others()
    report.say("# Benchmark results of the blocks\n")
    report.say(f"`python benchmarks/blocks.py{' --quick' * args.quick}` on {datetime.date.today()}.")
    report.table("Machine", ["what", "value"], machine())
    neighbours(report, 300 if args.quick else 1000, 5 if args.quick else 60)
    dilemma(report, 60 if args.quick else 200, 100 if args.quick else 600, 2)
    fixation(report, 5000 if args.quick else 100_000, 20 if args.quick else 200)
    voter(report, 20 if args.quick else 50, 3)
    sugarscape(report, 20 if args.quick else 200, 1 if args.quick else 5)
    report.table("Promises: how many times as long the others take", ["what", "promised", "measured", "kept"],
                 report.promises)
    report.say(f"\nOther processes kept {others.cores():.2f} cores busy.")
    if args.write:
        Path(__file__).with_name("RESULTS-blocks.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
