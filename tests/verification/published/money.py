"""Money that changes hands at random."""

import networkx as nx
import numpy as np

from organism import Topology
from organism.interact import activate
from organism.measures import gini, herfindahl, lorenz

SOURCE = "Drăgulescu, Yakovenko (2000) Statistical mechanics of money. *European Physical J. B* 17: 723-729"
RULE = ("In an event two agents meet; either, with probability ½, gives the other one unit if it has one. All begin "
        "with m units.")
ACTIVATION = "pairs; and replacement on a random graph of degree 3, where only neighbours meet"
NOTE = """\
Every event is as likely as its reverse, so in the long run all ways to distribute the money are equally likely,
whoever meets whom: holdings are geometric, for many units exponential, and the Gini coefficient is (1 + m)/(1 + 2m)
→ ½. The effective number of agents is one over the Herfindahl index, N m/(1 + 2m). The measured ones are means over
200 looks at 5,000 agents; their standard error is reckoned from batches of 20 looks. (On a ring it takes as long as
money diffuses around it: 40,000 sweeps of 5,000 agents are too few.)"""


def holdings(topology, activation, m, sweeps, rng, looks=200):
    """Return what agents hold at some late times, (looks, agents)."""
    n = topology.n_sites
    generator = np.random.default_rng(rng)
    state = activate(topology, np.full(n, float(m)), "exchange", activation, sweeps, rng=generator).state
    seen = []
    for _ in range(looks):
        state = activate(topology, state, "exchange", activation, max(1, sweeps // looks), rng=generator).state
        seen.append(state)
    return np.array(seen)


def check(report, short=False):
    """Run the model and compare."""
    n = 1000 if short else 5000
    cases = [("anybody meets anybody", Topology.from_edges([], [], n), "pairs", 5, 2000)]
    if not short:
        sparse = Topology.from_networkx(nx.random_regular_graph(3, n, seed=1))
        cases += [("anybody, twice the money", Topology.from_edges([], [], n), "pairs", 10, 8000),
                  ("neighbours on a random graph of degree 3", sparse, "replacement", 2, 8000)]
    for name, topology, activation, m, sweeps in cases:
        held = holdings(topology, activation, m, sweeps, 1)
        report.same(f"{name}: money is conserved", bool((held.sum(axis=1) == m * n).all()), True)
        batch = [np.mean([gini(one) for one in part]) for part in held.reshape(10, -1, n)]
        report.sampled(f"{name}, m = {m}: Gini coefficient", float(np.mean(batch)), (1 + m) / (1 + 2 * m),
                       float(np.std(batch, ddof=1)) / np.sqrt(10))
        law = (m / (1 + m))**np.arange(4) / (1 + m)
        found = [[(part == k).mean() for k in range(4)] for part in held.reshape(10, -1, n)]
        report.sampled(f"{name}, m = {m}: share of agents with 0, 1, 2, 3 units", np.mean(found, axis=0), law,
                       np.std(found, axis=0, ddof=1) / np.sqrt(10))
        alike = [np.mean([herfindahl(one) for one in part]) for part in held.reshape(10, -1, n)]
        report.sampled(f"{name}, m = {m}: effective number of agents", float(1 / np.mean(alike)),
                       n * m / (2 * m + 1), float(np.std(1 / np.array(alike), ddof=1)) / np.sqrt(10))


def draw(figure):
    """Holdings and the Lorenz curve."""
    axes, n, m = figure.subplots(1, 2), 2000, 20
    held = holdings(Topology.from_edges([], [], n), "pairs", m, 20_000, 1, 20)
    count = np.bincount(held.ravel().astype(int), minlength=121)[:121] / held.size
    k = np.arange(121)
    axes[0].semilogy(k, count, ".", ms=3, label="simulated")
    axes[0].semilogy(k, (m / (1 + m))**k / (1 + m), lw=.8, color="black", label="all distributions equally likely")
    axes[0].set(xlabel="units held", ylabel="share of agents", title=f"{n:,} agents, {m} units each at first")
    axes[0].legend(fontsize=7)
    axes[1].plot(*lorenz(held[-1]), label=f"Gini {gini(held[-1]):.3f}")
    x = np.linspace(0, 1 - 1e-9, 200)
    axes[1].plot(x, x + (1 - x) * np.log(1 - x), lw=.8, color="black", label="exponential, Gini ½")
    axes[1].plot([0, 1], [0, 1], ":", color="gray")
    axes[1].set(xlabel="share of agents, the poorest first", ylabel="share of the money")
    axes[1].legend(fontsize=7)
