"""Specialisation on sparse graphs."""

import networkx as nx
import numpy as np

from organism import Topology
from organism.interact import neighbour_mean

SOURCE = ("Yanni, Jacobeen, Márquez-Zacarías, Weitz, Ratcliff, Yunker (2020) Topological constraints in early "
          "multicellularity favor reproductive division of labor. *eLife* 9: e54348")
RULE = ("A group of ten cells divides its effort: cell i puts v_i into reproduction and 1 − v_i into survival, with "
        "returns of power α; survival is shared with neighbours. W = Σ v_i^α Σ_j C_ij (1 − v_j)^α, C sharing evenly "
        "with oneself and the neighbours (β = 1). 10,000 genomes of ten loci; each generation each locus mutates with "
        "probability .02 by U(−.05, .05), clipped to [0, 1], and genomes are drawn anew in proportion to W. "
        "Specialisation is the mean of 2|v − ½|.")
ACTIVATION = "synchronous (generations do not overlap)"
NOTE = """\
The point v = ½ stops being a maximum at α* = 1/(1 − μ), μ being the least eigenvalue of C: more concave returns
(lower α) still favour specialists where a graph is sparse and bipartite. The best W and its specialisation were
calculated by another program; just above α* the optimum is flat (at .76 a specialisation wrong by .0004 costs less
than 10⁻⁷ of W), so three digits are compared. The authors' data of their individual-based model are compared with ±
.03; from α* to .07 above it a run of 2,000 generations has not settled (their own value at ring, α = .8 is .760 and
depends on the run), so none of these is."""
GRAPHS = {"ring": nx.cycle_graph(10), "K₅,₅": nx.complete_bipartite_graph(5, 5), "complete": nx.complete_graph(10),
          "star": nx.star_graph(9)}
TURNS = {"ring": .75, "K₅,₅": .6, "complete": 1.0}
OPTIMA = {.7: (3.789291, 0.0), .76: (3.491967, .517), .8: (3.390253, .876), .9: (3.333994, .998)}
AUTHORS = {"ring": {.7: .160, .9: .918, 1.0: .943}, "star": {.6: .557, .8: .711, 1.0: .893}}


def worth(topology, v, alpha):
    """Return W of groups, one a column of v (cells, groups)."""
    survival = neighbour_mean(topology, (1 - v)**alpha, include_self=True)
    return (v**alpha * survival).sum(axis=0)


def slope(topology, v, alpha):
    """Return the gradient of W where sharing is even both ways, as on regular graphs."""
    given, kept = neighbour_mean(topology, v**alpha, include_self=True), neighbour_mean(topology, (1 - v)**alpha,
                                                                                         include_self=True)
    return alpha * (v**(alpha - 1) * kept - (1 - v)**(alpha - 1) * given)


def best(topology, alpha, starts=20, exact=False):
    """Return the best division of effort found from many starts; ``exact``: with a last step on the gradient."""
    from scipy.optimize import minimize, root

    rng = np.random.default_rng(1)
    found = [minimize(lambda v: -float(worth(topology, v[:, None], alpha)[0]), rng.random(topology.n_sites),
                      bounds=[(1e-9, 1 - 1e-9)] * topology.n_sites, options={"ftol": 1e-15, "gtol": 1e-10})
             for _ in range(starts)]
    v = min(found, key=lambda one: one.fun).x
    if exact:
        v = root(lambda x: slope(topology, x, alpha), v, tol=1e-13).x
    return float(worth(topology, v[:, None], alpha)[0]), float(np.mean(2 * np.abs(v - .5)))


def evolved(topology, alpha, seed, generations=2000, genomes=10_000):
    """Return the specialisation of genomes after so many generations."""
    rng = np.random.default_rng(seed)
    v = rng.random((topology.n_sites, genomes))
    for _ in range(generations):
        hit = rng.random(v.shape) < .02
        v[hit] = np.clip(v[hit] + rng.uniform(-.05, .05, int(hit.sum())), 0, 1)
        w = worth(topology, v, alpha)
        v = v[:, rng.choice(genomes, genomes, p=w / w.sum())]
    return float(np.mean(2 * np.abs(v - .5)))


def check(report, short=False):
    """Run the model and compare."""
    for name, expected in TURNS.items():
        sharing = neighbour_mean(Topology.from_networkx(GRAPHS[name]), np.eye(10), include_self=True)
        least = np.linalg.eigvalsh(sharing).min()
        report.near(f"α*, {name}, from the least eigenvalue of sharing", 1 / (1 - least), expected, 1e-9)
    ring = Topology.from_networkx(GRAPHS["ring"])
    for alpha, (value, spec) in OPTIMA.items():
        found = best(ring, alpha, 8 if short else 40, exact=True)
        report.near(f"best W, ring, α = {alpha}", found[0], value, 1e-6)
        report.near(f"specialisation of the best, ring, α = {alpha}", found[1], spec, 5e-4)
    if short:
        return
    for name, values in AUTHORS.items():
        topology = Topology.from_networkx(GRAPHS[name])
        for alpha, expected in values.items():
            made = [evolved(topology, alpha, seed) for seed in (1, 2, 3)]
            report.near(f"specialisation evolved, {name}, α = {alpha}, 3 seeds", float(np.mean(made)), expected, .03)


def draw(figure):
    """Specialisation against α: where returns are concave (α < 1) only sparse graphs specialise."""
    axis = figure.subplots()
    alphas = np.linspace(.5, 1.3, 17)
    for name, graph in GRAPHS.items():
        topology = Topology.from_networkx(graph)
        line, = axis.plot(alphas, [best(topology, alpha, 8)[1] for alpha in alphas], label=f"{name}, best")
        if name in AUTHORS:
            axis.plot(list(AUTHORS[name]), list(AUTHORS[name].values()), "x", color=line.get_color(),
                      label=f"{name}, the authors' evolved")
    axis.set(xlabel="α: returns on effort", ylabel="specialisation", title="Specialisation of ten cells, β = 1")
    axis.legend(fontsize=7)
