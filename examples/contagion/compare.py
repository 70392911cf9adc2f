"""Measure voters against a loop over networkx: ``python compare.py [network] [runs]``."""

import random
import sys
import time

from model import Contagion


def loop(graph, active, luck):
    """Return who wins: random nodes take a random neighbour's opinion until all have the same."""
    nodes, opinion = list(graph), dict(zip(graph, active, strict=True))
    count = sum(opinion.values())
    while 0 < count < len(nodes):
        node = luck.choice(nodes)
        taken = opinion[luck.choice(list(graph[node]))]
        count += taken - opinion[node]
        opinion[node] = taken
    return opinion[nodes[0]]


if __name__ == "__main__":
    network, runs = [*sys.argv[1:], *("les_miserables", "1000")[len(sys.argv) - 1:]]
    model, luck, runs = Contagion(network, rng=1), random.Random(1), int(runs)
    started = time.perf_counter()
    theirs = sum(loop(model.graph, model.active, luck) for _ in range(runs)) / runs
    between = time.perf_counter()
    ours = model.wins(runs)
    loop_s, here_s = between - started, time.perf_counter() - between
    degrees = dict(model.graph.degree)
    law = max(degrees.values()) / sum(degrees.values())
    print(f"{network}, {runs} runs to consensus: networkx loop {loop_s:.2f} s, here {here_s:.2f} s, "
          f"{loop_s / here_s:.2f} times as fast; the hub wins {theirs:.3f} and {ours:.3f} (law: {law:.3f})")
