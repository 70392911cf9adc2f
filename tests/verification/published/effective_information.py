"""Effective information of graphs."""

import networkx as nx
import numpy as np

from organism.flows import causal_emergence, effective_information

SOURCE = "Klein, Hoel (2020) The emergence of informative higher scales in complex networks. *Complexity* 2020: 8932526"
RULE = "EI = H(⟨W_out⟩) − ⟨H(W_out)⟩ in bits; nodes with nothing going out are left out."
ACTIVATION = "none: a measure"
NOTE = "The values are by hand or from the formula; of random graphs the paper gives the limit −log₂ p."
GRAPHS = {"directed cycle of 8": (nx.cycle_graph(8, create_using=nx.DiGraph), 3.0),
          "cycle of 10": (nx.cycle_graph(10), np.log2(10) - 1),
          "complete graph of 6": (nx.complete_graph(6), np.log2(6 / 5)),
          "5×5 torus": (nx.grid_2d_graph(5, 5, periodic=True), np.log2(25) - 2),
          "star of 10": (nx.star_graph(9), .4689955935892812), "Petersen": (nx.petersen_graph(), 1.736965594166206)}


def check(report, short=False):
    """Compare."""
    for name, (graph, expected) in GRAPHS.items():
        report.near(f"EI, {name}", effective_information(graph), expected, 1e-12)
    n, p = 1500, .05
    found = [effective_information(nx.fast_gnp_random_graph(n, p, seed)) for seed in (1, 2, 3)]
    report.near(f"EI, random graphs, N = {n:,}, p = {p}, 3 of them", float(np.mean(found)), -np.log2(p), .01)
    star = nx.star_graph(9)
    report.near("causal emergence, star of 10 as hub and leaves", causal_emergence(star, [0] + [1] * 9),
                1 - .4689955935892812, 1e-12)
    for name in ("cycle of 10", "complete graph of 6"):
        graph = GRAPHS[name][0]
        halves = [k * 2 // len(graph) for k in range(len(graph))]
        report.same(f"halves tell no more than nodes, {name}", causal_emergence(graph, halves) < 0, True)
