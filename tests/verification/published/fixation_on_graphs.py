"""Fixation of cooperation on graphs."""

import networkx as nx
import numpy as np

from organism import Topology
from organism.interact import evolve
from organism.theory import critical_benefit_to_cost, fixation

SOURCE = ("Ohtsuki, Hauert, Lieberman, Nowak (2006) *Nature* 441: 502-505; Taylor, Day, Wild (2007) *Nature* 447: "
          "469-472; Allen et al. (2017) *Nature* 544: 227-230; Lieberman, Hauert, Nowak (2005) *Nature* 433: 312-316 "
          "(isothermal theorem)")
RULE = ("Cooperators pay c for each neighbour to get b; payoffs are averaged; fitness is F = 1 + δ · payoff. "
        "Death-birth: a uniform site dies, a neighbour j fills it ∝ F_j. Birth-death: a parent ∝ F among all "
        "overwrites a uniform neighbour. One mutant begins at a uniform site.")
ACTIVATION = "asynchronous, one death and birth an event"
NOTE = """\
The critical ratios are the closed form (N − 2)/(N/k − 2) of regular graphs; ours come from coalescence times, which
know nothing of it. The four probabilities on the cycle of 8 were calculated by another program from the chain over
all 256 states; ours come from a chain of our own and, a third way, from the simulation."""
GRAPHS = {"cycle of 10": nx.cycle_graph(10), "cycle of 100": nx.cycle_graph(100),
          "5×5 torus": nx.grid_2d_graph(5, 5, periodic=True), "10×10 torus": nx.grid_2d_graph(10, 10, periodic=True),
          "Petersen": nx.petersen_graph(), "cube": nx.hypercube_graph(3), "complete graph of 5": nx.complete_graph(5),
          "K₃,₃": nx.complete_bipartite_graph(3, 3)}
RATIOS = {"cycle of 10": 8 / 3, "cycle of 100": 2.0416666667, "5×5 torus": 5.4117647059, "10×10 torus": 4.2608695652,
          "Petersen": 6, "cube": 9, "complete graph of 5": -4}
EXACT = {"death_birth": (.136132, .113531), "birth_death": (.093345, .161340)}


def donation(b, c):
    """The donation game; strategy 1 cooperates."""
    return np.array([[0, b], [-c, b - c]], float)


def check(report, short=False):
    """Run the model and compare."""
    for name, graph in GRAPHS.items():
        found = critical_benefit_to_cost(Topology.from_networkx(graph))
        if name in RATIOS:
            report.near(f"(b/c)*, {name}, coalescence times", found, RATIOS[name], 1e-6)
            n, k = len(graph), graph.degree(next(iter(graph)))
            report.near(f"(b/c)*, {name}, (N − 2)/(N/k − 2)", (n - 2) / (n / k - 2), found, 1e-6)
        else:
            report.same(f"(b/c)*, {name}", found, np.inf)
    ring, game, runs = Topology.grid((8,)), donation(5, 1), 100_000 if short else 400_000
    for update, both in EXACT.items():
        for mutant, expected, who in ((1, both[0], "cooperator"), (0, both[1], "defector")):
            exact = fixation(ring, game, update, selection=.05, resident=1 - mutant, mutant=mutant).probability
            report.near(f"one {who} fixed, cycle of 8, {update}, exact chain", exact, expected, 1e-6)
            for seed in (1, 2, 3):
                made = evolve(ring, game, update, selection=.05, resident=1 - mutant, mutant=mutant, replicates=runs,
                              rng=seed, threads=2)
                report.share(f"one {who} fixed, cycle of 8, {update}, simulated, seed {seed}",
                             int((made.fixed == mutant).sum()), runs, exact)
    n, r = 8, 1.5
    moran = (1 - 1 / r) / (1 - r**-n)
    for name, graph in (("cycle of 8", nx.cycle_graph(8)), ("cube", GRAPHS["cube"]), ("complete graph of 8",
                                                                                     nx.complete_graph(8))):
        found = fixation(Topology.from_networkx(graph), [[0, 0], [r - 1, r - 1]], "birth_death").probability
        report.near(f"isothermal theorem: a mutant of fitness 1.5 fixed, {name}, birth-death, exact chain", found,
                    moran, 1e-12)
    star = fixation(Topology.from_networkx(nx.star_graph(7)), [[0, 0], [r - 1, r - 1]], "birth_death").probability
    report.same("a star is no isothermal graph: it amplifies selection", star > moran, True)
    for name in () if short else ("cycle of 10", "cube", "Petersen"):
        topology = Topology.from_networkx(GRAPHS[name])
        worth = [fixation(topology, donation(5, 1), "birth_death", selection=d).probability for d in (1e-3, .02)]
        report.same(f"birth-death never favours cooperation, {name}, b/c = 5", max(worth) < 1 / len(GRAPHS[name]), True)


def draw(figure):
    """Fixation probability against b/c, as in figure 2 of Ohtsuki et al."""
    axes = figure.subplots(1, 2)
    ratios = np.linspace(1.2, 14, 17)
    for axis, name in zip(axes, ("cycle of 10", "Petersen"), strict=True):
        graph = GRAPHS[name]
        topology, n, runs = Topology.from_networkx(graph), len(graph), 40_000
        exact = [fixation(topology, donation(r, 1), selection=.02).probability for r in ratios]
        axis.plot(ratios, exact, label="exact chain")
        made = [evolve(topology, donation(r, 1), selection=.02, replicates=runs, rng=k, threads=2)
                for k, r in enumerate(ratios)]
        axis.errorbar(ratios, [one.fixation[1] for one in made], [2 * one.standard_error[1] for one in made], fmt="o",
                      ms=3, label=f"{runs:,} runs, ± 2 standard errors")
        axis.axhline(1 / n, ls=":", color="gray", label="1/N")
        axis.axvline(critical_benefit_to_cost(topology), ls="--", color="gray", label="(b/c)*")
        axis.set(title=f"{name}, death-birth, δ = .02", xlabel="b/c", ylabel="one cooperator fixed")
    axes[0].legend(fontsize=7)
