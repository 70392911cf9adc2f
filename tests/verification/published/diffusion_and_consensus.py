"""Diffusion, consensus and conservation."""

import networkx as nx
import numpy as np

from organism import Topology
from organism.interact import activate, diffuse, neighbour_mean
from organism.theory import diffusion, diffusion_modes, opinion_weights

SOURCE = ("Olfati-Saber, Fax, Murray (2007) Consensus and cooperation in networked multi-agent systems. *Proc. IEEE* "
          "95: 215-233; DeGroot (1974) Reaching a consensus. *J. American Statistical Association* 69: 118-121")
RULE = "x ← x − hLx; and x ← ½ (x + mean of the neighbours' x)."
ACTIVATION = "synchronous"
NOTE = """\
Each mode of the Laplacian shrinks by the factor 1 − hλ a step; the first two results are that, in numbers. The value
on which the karate club agrees is the mean weighted by degree, Σ k_i x_i / Σ k_i. With x₀ = 0, 1, 2, … in the order
in which members first appear in the list of ties that is 14.0513; in the order of their labels, 0 to 33, 16.25.
Voters agree on the first twelve's opinion with the share of degrees that these have (67/156), or under "edge" with
their share of members (12/34)."""


def check(report, short=False):
    """Run the model and compare."""
    h, ring, path = .1, Topology.grid((12,)), Topology.grid((6,), torus=False)
    wave = np.cos(2 * np.pi * 2 * np.arange(12) / 12)
    made = diffuse(ring, wave, h, 50)
    report.near("mode 2 of a ring of 12, h = .1, after 50 steps", float(made @ wave / (wave @ wave)), .00515377520732,
                1e-13)
    unit = np.eye(6)[0]
    wanted = [.43135334, .31144229, .1652487, .06593033, .02030852, .00571682]
    report.near("a unit at the end of a path of 6, h = .1, after 15 steps", diffuse(path, unit, h, 15), wanted, 5e-9)
    report.near("the same by modes", diffusion(path, unit, h, 15), wanted, 5e-9)
    rng, graph = np.random.default_rng(1), nx.karate_club_graph()
    club = Topology.from_networkx(nx.Graph(list(graph.edges)))
    x = rng.random(34)
    values, modes = diffusion_modes(club)
    apart = [modes[:, k] @ diffuse(club, x, .05, 20) - (1 - .05 * values[k])**20 * (modes[:, k] @ x) for k in range(34)]
    report.near("all modes of the karate club, h = .05, 20 steps: greatest difference", float(np.abs(apart).max()), 0,
                1e-13)
    big, torus = rng.random(10_000), Topology.grid((100, 100))
    report.near("the sum of 10⁴ values on a torus after 1,000 steps, relative",
                float(diffuse(torus, big, .1, 1000).sum() / big.sum()), 1, 1e-12)
    from scipy.linalg import expm

    L = nx.laplacian_matrix(graph, nodelist=list(club.nodes), weight=None).toarray().astype(float)
    report.near("continuous diffusion against the matrix exponential: greatest difference",
                float(np.abs(diffusion(club, x, .1, 7.3, continuous=True) - expm(-.73 * L) @ x).max()), 0, 1e-12)
    x = np.arange(34.0)
    for _ in range(2000):
        x = .5 * (x + neighbour_mean(club, x))
    report.near("what the karate club agrees on, lazy means, least and most", [float(x.min()), float(x.max())],
                [14.051282051282051] * 2, 1e-9)
    weights = opinion_weights(club, activation="synchronous")
    report.near("the same from the weights of opinions", float(weights @ np.arange(34)), 14.051282051282051, 1e-9)
    runs, joined = 2000 if short else 20_000, np.arange(34) < 12
    for activation in ("replacement", "edge"):
        seed = np.random.default_rng(2)
        won = sum(int(activate(club, joined.astype(float), "voter", activation, until="consensus", rng=seed).state[0])
                  for _ in range(runs))
        report.share(f"voters of the karate club agree on the first twelve's opinion, {activation!r}", won, runs,
                     float(opinion_weights(club, activation=activation) @ joined))


def draw(figure):
    """How the modes of a ring shrink."""
    axis, ring, h = figure.subplots(), Topology.grid((12,)), .1
    for k in (1, 2, 3, 6):
        wave = np.cos(2 * np.pi * k * np.arange(12) / 12)
        seen = [float(diffuse(ring, wave, h, t) @ wave / (wave @ wave)) for t in range(0, 51, 5)]
        axis.semilogy(range(0, 51, 5), np.abs(seen), "o", ms=3, label=f"mode {k}")
        eigenvalue = 2 - 2 * np.cos(2 * np.pi * k / 12)
        axis.semilogy(range(51), np.abs(1 - h * eigenvalue)**np.arange(51), lw=.8, color="gray")
    axis.set(xlabel="steps", ylabel="amplitude", title="A ring of 12, h = .1; lines: (1 − hλ)^t")
    axis.legend(fontsize=7)
