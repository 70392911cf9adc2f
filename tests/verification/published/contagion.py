"""Thresholds and contagion."""

import numpy as np
from scipy.special import ndtr, ndtri

from organism import Topology
from organism.interact import activate
from organism.theory import threshold_equilibrium

SOURCE = ("Granovetter (1978) Threshold models of collective behavior. *American J. Sociology* 83: 1420-1443; Morris "
          "(2000) Contagion. *Review of Economic Studies* 67: 57-78")
RULE = ("Granovetter: each joins when the share of all who have joined is at least its threshold. Morris: each takes "
        "up what at least a share q of its neighbours have taken up.")
ACTIVATION = "synchronous; nobody leaves, so the end is the same under any"
NOTE = """\
The ends solve r = F(r); the critical σ solves F′(r) = 1 with it. Of thresholds with mean 25 and standard deviation σ
the end jumps from 6.2 to all at σ = 12.222. Granovetter's figure has 12.2 and about 6 of 100; with thresholds at the
quantiles (i − ½)/N nothing is left to chance. The lattices' thresholds are counts: at a flat edge a site has 1 of 2,
1 of 4, 3 of 8 neighbours behind it."""
ENDS = {11: 1.713, 12: 4.0211, 12.1: 4.5529, 12.2: 5.4792, 12.3: 100.0, 30: 99.3394}
LATTICES = {"ring": (Topology.grid((60,)), 1 / 2), "von Neumann": (Topology.grid((31, 31), "von_neumann"), 1 / 4),
            "Moore": (Topology.grid((31, 31)), 3 / 8)}


def crowd(thresholds):
    """Return the share that joins in the end."""
    n = len(thresholds)
    state = np.column_stack([np.zeros(n), thresholds])
    made = activate(Topology.from_edges([], [], n), state, "threshold", until="still", parameters={"everyone": True})
    return float(made.state[:, 0].mean())


def critical(low=12.0, high=12.5):
    """Return the standard deviation at which the end jumps, and the end just below."""
    for _ in range(60):
        middle = (low + high) / 2
        jumped = threshold_equilibrium(lambda r, s=middle: float(ndtr((100 * r - 25) / s))) > .5
        low, high = (low, middle) if jumped else (middle, high)
    return low, 100 * threshold_equilibrium(lambda r: float(ndtr((100 * r - 25) / low)))


def check(report, short=False):
    """Run the model and compare."""
    riot = np.arange(100) / 100
    report.same("a hundred with thresholds 0, 1, … 99 %: joined", crowd(riot), 1.0)
    report.same("the same, with two of 2 % and nobody of 1 %: joined", crowd([0, .02, *riot[2:]]), .01)
    n = 10**5
    z = ndtri((np.arange(n) + .5) / n)
    for sigma, end in ENDS.items():
        report.near(f"joined, σ = {sigma}, N = 100,000, agents (%)", 100 * crowd((25 + sigma * z) / 100), end, .02)
        report.near(f"joined, σ = {sigma}, in the limit (%)",
                    100 * threshold_equilibrium(lambda r, s=sigma: float(ndtr((100 * r - 25) / s))), end, .02)
    if not short:
        sigma, end = critical()
        report.near("σ at which the end jumps", sigma, 12.222086826902416, 1e-6)
        report.near("the end just below (%)", end, 6.20, .05)
    for name, (topology, most) in LATTICES.items():
        block = np.zeros(topology.shape)
        block[(slice(10, 20),) * len(topology.shape)] = 1
        for q, spreads in ((most, True), (most + 1e-6, False)):
            made = activate(topology, np.column_stack([block.ravel(), np.full(block.size, q)]), "threshold",
                            until="still")
            report.same(f"a block takes over the lattice, {name}, q = {most:g}{' + 10⁻⁶' * (not spreads)}",
                        bool(made.state[:, 0].all()), spreads)


def draw(figure):
    """Granovetter's figure 2: how many join against the spread of thresholds."""
    axis = figure.subplots()
    n = 100
    z = ndtri((np.arange(n) + .5) / n)
    sigmas = np.linspace(1, 90, 179)
    axis.plot(sigmas, [100 * crowd((25 + s * z) / 100) for s in sigmas], label="100 agents")
    axis.plot(sigmas, [100 * threshold_equilibrium(lambda r, s=s: float(ndtr((100 * r - 25) / s))) for s in sigmas],
              lw=.8, color="black", label="in the limit")
    axis.set(xlabel="standard deviation of thresholds, mean 25", ylabel="joined in the end (%)")
    axis.legend(fontsize=7)
