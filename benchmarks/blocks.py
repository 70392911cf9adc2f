"""Measure the blocks against what else one would write: NumPy, SciPy, networkx, plain Mesa, numba by hand.

``python benchmarks/blocks.py`` prints the tables; ``--write`` also puts them into RESULTS-blocks.md beside this file;
``--quick`` is a rough look at smaller sizes. Times are the least of some turns, taken in turns, so that ratios hold on
a busy machine; all ways must give the same before they are timed. numba is an extra (``pip install numba``).
"""

from __future__ import annotations

import argparse
import datetime
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
                best = turns(ways, rounds)
                own, ties = best["organism"], 0 if topology is grid else 4 * topology.n_ties + 8 * topology.n_sites
                rows.append([place, what, np.dtype(dtype).name, f"{1e3 * own:.2f}",
                             *(f"{best[name] / own:.1f}" if name in best else "" for name in (
                                 "scipy.sparse", "ndimage.convolve", "numba")),
                             f"{(2 * x.nbytes + ties) / own / speed:.0%}"])
    report.table(f"Neighbours: {side}×{side} Moore torus, and {graph.n_ties:,} ties between {n:,} sites at random",
                 ["where", "what", "type", "ms", "scipy.sparse takes ×", "ndimage ×", "numba ×", "of bandwidth"], rows)
    report.say(f"\nA copy moves {speed / 1e9:.1f} GB/s here, one thread. Of bandwidth: the bytes that must be moved at "
               "least (what is read and written, and ties, once), over what a copy would move in that time.")


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
    neighbours(report, 300 if args.quick else 1000, 5 if args.quick else 15)
    report.say(f"\nOther processes kept {others.cores():.2f} cores busy.")
    if args.write:
        Path(__file__).with_name("RESULTS-blocks.md").write_text("\n".join(report.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
