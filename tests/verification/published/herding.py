"""Herding by recruitment."""

import numpy as np
from scipy.stats import beta

from organism import Topology
from organism.interact import activate
from organism.theory import herding, one_step_fixation

SOURCE = ("Kirman (1993) Ants, rationality, and recruitment. *Quarterly J. Economics* 108: 137-156; Moran (1958) "
          "Random processes in genetics. *Proc. Cambridge Philosophical Society* 54: 60-71")
RULE = ("In an event a uniform one of N ants goes over to the other source by itself with probability ε; or, with "
        "probability 1 − δ, it meets another uniform one and is where that is.")
ACTIVATION = "replacement"
NOTE = """\
The stationary law is exact, by detailed balance: ε against (1 − δ)/(N − 1) decides whether it has one hump or two. The
simulation gives every ant a rule of a few lines. Colonies begin as the law says and must stay so; each is independent
of the others, so its mean over time is one observation, and errors are those of the mean of colonies."""


def ant(site, partner, neighbours, weights, state, out, shared, u):
    """Go over, or be where another is, or stay."""
    if u[0] < shared[0]:
        out[site] = 1 - state[site]
    elif u[0] < shared[0] + shared[1]:
        out[site] = state[neighbours[int(u[1] * len(neighbours))]]


def ants(n, switch, keep, sweeps, rng, colonies=1000):
    """Return how often so many were at the first source, in each of many colonies side by side."""
    ids = np.arange(n * colonies).reshape(colonies, n)
    a, b = np.array([(a, b) for a in range(n) for b in range(n) if a != b]).T
    crowd = Topology.from_edges(ids[:, a].ravel(), ids[:, b].ravel(), n * colonies)
    generator = np.random.default_rng(rng)
    first = generator.choice(n + 1, colonies, p=herding(n, switch, keep))
    state, seen = (np.arange(n) < first[:, None]).ravel().astype(float), np.zeros((colonies, n + 1))
    for k in range(sweeps):
        state = activate(crowd, state, ant, "replacement", 1, shared=[switch, 1 - keep], draws=2, rng=generator).state
        if k >= sweeps // 2:
            seen[np.arange(colonies), state.reshape(colonies, n).sum(axis=1).astype(int)] += 2 / sweeps
    return seen


def check(report, short=False):
    """Run the model and compare."""
    report.near("equal chances everywhere at ε = (1 − δ)/(N − 1)", herding(11, .05, .5), np.full(12, 1 / 12), 1e-12)
    n = 2000
    law = herding(n, 2 / n * .7, .3)
    apart = float(np.abs(np.cumsum(law) - beta.cdf((np.arange(n + 1) + .5) / n, 2, 2)).max())
    report.near("N = 2,000, ε N/(1 − δ) = 2: greatest distance from the distribution of Beta(2, 2), of order 1/N",
                apart, 0, 1 / n)
    r, n = 1.5, 20
    k = np.arange(n + 1)
    total = r * k + n - k
    chance, time, _ = one_step_fixation(r * k / total * (n - k) / n, (n - k) / total * k / n)
    report.near("Moran process, r = 1.5, N = 20: one mutant fixed", chance[1], (1 - 1 / r) / (1 - r**-n), 1e-12)
    for switch, keep in ((.02, .3),) if short else ((.02, .3), (.2, .3)):
        n = 8
        seen = ants(n, switch, keep, 20 if short else 60, 1)
        report.sampled(f"ants at the first source, N = 8, ε = {switch}, δ = {keep}: all nine probabilities",
                       seen.mean(axis=0), herding(n, switch, keep), seen.std(axis=0, ddof=1) / np.sqrt(len(seen)))


def draw(figure):
    """Kirman's two regimes."""
    axis, n = figure.subplots(), 100
    for switch, label in ((.002, "ε = .002"), (.7 / 99, "ε = (1 − δ)/(N − 1)"), (.03, "ε = .03")):
        axis.plot(np.arange(n + 1) / n, n * herding(n, switch, .3), label=label)
    axis.set(xlabel="share of ants at the first source", ylabel="density", title="N = 100, δ = .3", ylim=(0, 4))
    axis.legend(fontsize=7)
