"""The analytic side: against closed forms, enumeration written otherwise, and each other."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import binom, norm

from organism import Topology
from organism.interact import activate, diffuse, evolve
from organism.theory import (
    coalescence_times,
    critical_benefit_to_cost,
    diffusion,
    diffusion_modes,
    fixation,
    herding,
    one_step_fixation,
    one_step_stationary,
    opinion_weights,
    replicator,
    response_equilibrium,
    threshold_equilibrium,
)

RNG = np.random.default_rng(3)
RING, PATH = Topology.grid((6,)), Topology.grid((5,), torus=False)
DONATION = np.array([[0, 5.], [-1, 4]])
UPDATES = ("death_birth", "birth_death", "imitation", "pairwise_comparison")


def graph_of(G):
    return Topology.from_networkx(G)


def weighted(n=5, directed=False):
    """A connected graph with random weights; undirected ones have equal weights both ways."""
    W = RNG.uniform(.2, 2, (n, n)) * (1 - np.eye(n))
    W = W if directed else (W + W.T) / 2
    a, b = np.nonzero(W)
    return Topology.from_edges(a, b, n, weight=W[a, b]), W


# -- chains -----------------------------------------------------------------------------------------------------------


def test_moran_process_in_all_its_closed_forms():
    for n, r in ((2, 1.0), (7, 1.0), (10, 2.5), (25, .8)):
        k = np.arange(n + 1)
        total = r * k + n - k
        chance, time, if_fixed = one_step_fixation(r * k / total * (n - k) / n, (n - k) / total * k / n)
        wanted = k / n if r == 1 else (1 - r**-k) / (1 - r**-float(n))
        assert chance == pytest.approx(wanted, abs=1e-12)
        assert time[0] == time[n] == if_fixed[n] == 0 and np.isnan(if_fixed[0])
    n = 10                                              # neutral: a mutant that is fixed takes N (N − 1) steps
    k = np.arange(n + 1)
    _, _, if_fixed = one_step_fixation(k * (n - k) / n**2, k * (n - k) / n**2)
    assert if_fixed[1] == pytest.approx(n * (n - 1))
    complete = fixation(graph_of(nx.complete_graph(6)), np.ones((2, 2)), "birth_death")
    k = np.arange(7)
    one, time, if_fixed = one_step_fixation(k / 6 * (6 - k) / 5, (6 - k) / 6 * k / 5)
    assert complete.probability == pytest.approx(one[1]) and complete.events == pytest.approx(time[1])
    assert complete.events_if_fixed == pytest.approx(if_fixed[1])


def test_small_chances_and_what_happens_then():
    """Moran's process: given that it is fixed, a bad mutant takes as long as a good one."""
    n, k = 100, np.arange(101)
    times = []
    for r in (.5, 2.0):
        total = r * k + n - k
        chance, _, if_fixed = one_step_fixation(r * k / total * (n - k) / n, (n - k) / total * k / n)
        assert chance[1] == pytest.approx((1 - 1 / r) / (1 - r**-float(n)), rel=1e-9)
        times.append(if_fixed[1])
    assert times[0] == pytest.approx(times[1])
    chance, time, _ = one_step_fixation([0, 0, 1, 1, 0], [0, 1, 1, 1, 0])       # from 1 nobody goes up
    assert chance == pytest.approx([0, 0, 1 / 3, 2 / 3, 1]) and time == pytest.approx([0, 1, 5 / 3, 4 / 3, 0])


def test_stationary_chains():
    n = 12
    k = np.arange(n + 1)
    assert one_step_stationary((n - k) * .3, k * .7) == pytest.approx(binom.pmf(k, n, .3))
    for switch, keep in ((.05, .2), (.3, .3), (.2, 1.0)):
        law = herding(n, switch, keep)
        up = (1 - k / n) * (switch + (1 - keep) * k / (n - 1))
        down = k / n * (switch + (1 - keep) * (n - k) / (n - 1))
        T = np.diag(1 - up - down) + np.diag(up[:-1], 1) + np.diag(down[1:], -1)
        assert law @ T == pytest.approx(law, abs=1e-14) and law == pytest.approx(law[::-1])
    assert herding(n, .2, 1.0) == pytest.approx(binom.pmf(k, n, .5))       # nobody recruits: coins
    assert herding(10, .1, 1 - .9) == pytest.approx(herding(10, .1, .1))
    assert one_step_stationary([1, 1, -1], [np.nan, 1, 1]).tolist() == pytest.approx([1 / 3] * 3)
    assert one_step_fixation([np.nan, 1, np.nan], [9, 1, -1])[0].tolist() == [0, .5, 1]
    assert herding(3000, .001, .5).sum() == pytest.approx(1)               # long products do not overflow


# -- fixation ---------------------------------------------------------------------------------------------------------


def by_hand(topology, payoff, update, selection, W, average=True, include_self=False):
    """Absorption of the chain over all states, with loops and rules from their definitions."""
    n = topology.n_sites
    A = np.asarray(payoff, float)
    T = np.zeros((2**n, 2**n))
    for state in range(2**n):
        s = [state >> i & 1 for i in range(n)]
        pay = []
        for i in range(n):
            games = [(W[i, j], A[s[i], s[j]]) for j in range(n) if W[i, j]]
            games += [(1, A[s[i], s[i]])] if include_self else []
            total, weight = sum(w * a for w, a in games), sum(w for w, _ in games)
            pay.append((total / weight if average else total) if weight else 0)
        fit = [1 + selection * p for p in pay]

        def put(i, j, p, state=state, s=s):
            T[state, state & ~(1 << i) | s[j] << i] += p

        for i in range(n):
            sources = [j for j in range(n) if W[j, i]]
            if update == "birth_death":
                targets = [j for j in range(n) if W[i, j]]
                for j in targets:
                    put(j, i, fit[i] / sum(fit) * W[i, j] / sum(W[i]))
                if not targets:
                    put(i, i, fit[i] / sum(fit))
            elif not sources:
                put(i, i, 1 / n)
            elif update == "pairwise_comparison":
                for j in sources:
                    share, take = W[j, i] / sum(W[:, i]), 1 / (1 + np.exp(-selection * (pay[j] - pay[i])))
                    put(i, j, share * take / n)
                    put(i, i, share * (1 - take) / n)
            else:
                pull = {j: W[j, i] * fit[j] for j in sources}
                if update == "imitation":
                    pull[i] = fit[i]
                for j, weight in pull.items():
                    put(i, j, weight / sum(pull.values()) / n)
    assert T.sum(axis=1) == pytest.approx(1)
    inner = np.arange(1, 2**n - 1)
    stay = np.eye(len(inner)) - T[np.ix_(inner, inner)]
    wins, events = np.linalg.solve(stay, T[inner, -1]), np.linalg.solve(stay, np.ones(len(inner)))
    return wins, events, np.linalg.solve(stay, wins) / wins


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("average, include_self", [(True, False), (False, True)])
def test_fixation_equals_the_chain_by_hand(update, average, include_self):
    for directed in (False, True):
        topology, W = weighted(4, directed)
        payoff = RNG.uniform(0, 2, (2, 2))
        found = fixation(topology, payoff, update, selection=.7, average=average, include_self=include_self)
        W = np.zeros_like(W)
        W[topology.source, topology.target] = topology.weight               # as float32 has them
        wins, events, if_fixed = by_hand(topology, payoff, update, .7, W, average, include_self)
        assert found.by_state[1:-1] == pytest.approx(wins, abs=1e-12)
        assert found.events_by_state[1:-1] == pytest.approx(events)
        assert found.events_if_fixed_by_state[1:-1] == pytest.approx(if_fixed)
        assert found.by_site.shape == (4,) and found.probability == pytest.approx(found.by_site.mean())
        assert found.by_state[found.state([1, 0, 1, 0])] == pytest.approx(wins[4])


def test_fixation_that_takes_for_ever_is_refused_and_what_is_near_it_is_right():
    K, game = graph_of(nx.complete_graph(10)), [[0, 2], [2, 0]]                 # symmetric: from half, half
    assert fixation(K, game, "pairwise_comparison", selection=3).by_state[31] == pytest.approx(.5, abs=1e-6)
    for selection in (8, 12):
        with pytest.raises(ValueError, match="selection must let one strategy take over within 5e9 events"):
            fixation(K, game, "pairwise_comparison", selection=selection)


def test_fixation_of_two_roles_and_of_other_strategies():
    topology, _ = weighted(5, True)
    game = RNG.uniform(0, 1, (2, 3, 3))
    exact = fixation(topology, game, resident=2, mutant=0, weights=None)
    made = evolve(topology, game, resident=2, mutant=0, weights=None, replicates=60_000, rng=2)
    p = exact.probability
    assert abs(made.fixation[0] - p) < 4 * np.sqrt(p * (1 - p) / 60_000)


def test_an_update_of_ones_own():
    """Death-birth, given as a callable, and one that only ever takes from site 0."""
    topology, payoff = RING, DONATION

    def death_birth(strategies, payoffs):
        fit, n = 1 + .1 * payoffs, 6
        copies = np.zeros((n, n))
        for i in range(n):
            near = [(i - 1) % n, (i + 1) % n]
            copies[i, near] = fit[near] / fit[near].sum() / n
        return copies

    assert fixation(topology, payoff, death_birth).probability == pytest.approx(
        fixation(topology, payoff, selection=.1).probability, abs=1e-14)
    found = fixation(topology, payoff, lambda s, p: np.eye(6)[[0] * 6] / 6)
    assert found.by_site == pytest.approx([1, 0, 0, 0, 0, 0])
    assert found.events_by_state[1] == pytest.approx(6 * sum(1 / k for k in range(1, 6)))     # coupons


def test_coalescence_times_and_the_ratio_they_give():
    for G in (nx.cycle_graph(7), nx.star_graph(4), nx.lollipop_graph(4, 3)):
        topology, n = graph_of(G), len(G)
        P = nx.to_numpy_array(G, weight=None)
        P = P / P.sum(axis=1, keepdims=True)
        system, right = np.eye(n * n), np.ones(n * n)
        for i in range(n):
            for j in range(n):
                if i == j:
                    right[i * n + j] = 0
                    continue
                for k in range(n):
                    system[i * n + j, j * n + k] -= P[i, k] / 2
                    system[i * n + j, i * n + k] -= P[j, k] / 2
        wanted = np.linalg.solve(system, right).reshape(n, n)
        assert coalescence_times(topology) == pytest.approx(wanted)
        pi = np.array([d for _, d in G.degree()]) / (2 * G.number_of_edges())
        t = [pi @ np.einsum("ij,ij->i", np.linalg.matrix_power(P, k), wanted) for k in (1, 2, 3)]
        ratio = np.inf if abs(t[2] - t[0]) < 1e-12 else t[1] / (t[2] - t[0])      # a star: never
        assert critical_benefit_to_cost(topology) == pytest.approx(ratio)


@pytest.mark.parametrize("G", [nx.cycle_graph(7), nx.lollipop_graph(4, 3), nx.path_graph(5)],
                         ids=["ring", "lollipop", "path"])
def test_at_the_critical_ratio_weak_selection_is_neutral(G):
    """The chain over all states knows nothing of coalescence: its slope in δ changes sign at (b/c)*."""
    topology, n, delta = graph_of(G), len(G), 1e-5
    ratio = critical_benefit_to_cost(topology)
    slopes = [fixation(topology, [[0, b], [-1, b - 1]], selection=delta).by_site.mean() - 1 / n
              for b in (ratio * .9, ratio, ratio * 1.1)]
    assert slopes[0] < 0 < slopes[2] and abs(slopes[1]) < .02 * min(-slopes[0], slopes[2])


def test_weights_of_ties_count_in_coalescence():
    topology, W = weighted(6)
    doubled = Topology.from_edges(topology.source, topology.target, 6, weight=2 * topology.weight)
    assert critical_benefit_to_cost(topology) == pytest.approx(critical_benefit_to_cost(doubled))
    assert critical_benefit_to_cost(topology) != pytest.approx(critical_benefit_to_cost(graph_of(nx.complete_graph(6))))


# -- opinions ---------------------------------------------------------------------------------------------------------


def test_opinion_weights_where_they_are_known():
    for G in (nx.star_graph(5), nx.lollipop_graph(4, 2)):
        topology, degree = graph_of(G), np.array([d for _, d in G.degree()], float)
        n = len(G)
        for activation in ("replacement", "exponential", *["synchronous"] * (not nx.is_bipartite(G))):
            assert opinion_weights(topology, activation=activation) == pytest.approx(degree / degree.sum())
        assert opinion_weights(topology, "invasion") == pytest.approx(1 / degree / (1 / degree).sum())
        for activation in ("edge", "pairs"):
            for rule in ("voter", "invasion"):
                assert opinion_weights(topology, rule, activation) == pytest.approx(np.full(n, 1 / n))
        rates = RNG.uniform(.5, 2, n)
        assert opinion_weights(topology, activation="exponential", rates=rates) == pytest.approx(
            degree / rates / (degree / rates).sum())
        order = np.zeros((n, n))                        # the mean over all orders, one by one
        P = nx.to_numpy_array(G) / degree[:, None]
        for one in permutations(range(n)):
            sweep = np.eye(n)
            for i in one:
                sweep[i] = P[i] @ sweep
            order += sweep
        order /= len(list(permutations(range(n))))
        found = opinion_weights(topology, activation="permutation")
        assert found @ order == pytest.approx(found)
    assert opinion_weights(Topology.grid((1,))).tolist() == [1]


def test_who_listens_to_nobody_decides():
    follows = Topology.from_edges([1, 2, 2], [0, 0, 1], 3)       # 1 and 2 look at 0
    assert opinion_weights(follows).tolist() == [1, 0, 0]
    assert opinion_weights(follows, direction="in")[0] == pytest.approx(0)
    weight = np.array([3., 1, 1, 3])
    pair = Topology.from_edges([0, 0, 1, 2], [1, 2, 0, 0], 3, weight=weight)
    assert opinion_weights(pair).sum() == pytest.approx(1)
    assert opinion_weights(pair, weights=None) == pytest.approx([.5, .25, .25])


# -- dynamics ---------------------------------------------------------------------------------------------------------


def test_replicator_dynamics():
    times = np.linspace(0, 3, 4)
    x = replicator([[1, 1], [0, 0]], [.2, .8], times)                   # logistic growth
    assert x[:, 0] == pytest.approx(1 / (1 + 4 * np.exp(-times)))
    assert x.sum(axis=1) == pytest.approx(1)
    rock = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0.]])
    path = replicator(rock, [.5, .3, .2], [0, 5, 50])
    assert path.prod(axis=1) == pytest.approx(.03)                      # a conserved quantity
    a, b = replicator((rock, -rock), [.5, .3, .2], 3, other=[.2, .2, .6])
    assert a.shape == b.shape == (3,)
    both = replicator(rock, [.5, .3, .2], 3, other=[.5, .3, .2])        # two equal populations are one
    assert both[0] == pytest.approx(both[1]) and both[0] == pytest.approx(replicator(rock, [.5, .3, .2], 3))
    assert replicator(rock, [1, 0, 0], 0).tolist() == [1, 0, 0]


def test_replicator_dynamics_of_unlike_and_of_fast_populations():
    A, B = RNG.random((2, 2, 3))
    x, y = replicator((A, B), [.4, .6], [.01, .01], other=[.2, .3, .5])
    assert x.shape == (2, 2) and y.shape == (2, 3) and (x[0] == x[1]).all()
    gain = A @ [.2, .3, .5]
    slope = .4 * (gain[0] - np.dot([.4, .6], gain))
    assert x[0, 0] - .4 == pytest.approx(.01 * slope, abs=1e-4)
    fast = replicator(1e6 * np.array([[.6, 0], [1, .2]]), [.5, .5], 10)
    assert fast == pytest.approx([0, 1]) and fast.min() >= 0


def test_the_rarest_strategies_keep_their_digits():
    """Logistic invasion from next to nothing; and rock, paper, scissors that spirals outwards, in its cycle."""
    for x0 in (1e-8, 1e-20, 1e-200):
        assert replicator([[0, 0], [1, 1]], [1 - x0, x0], -np.log(x0))[1] == pytest.approx(.5, abs=1e-6)
    rock = [[0, -1.5, 1], [1, 0, -1.5], [-1.5, 1, 0]]
    path = replicator(rock, [.5, .3, .2], [150, 200, 250, 300, 500, 1000])
    assert path.argmax(axis=1).tolist() == [1, 2, 0, 0, 1, 0]
    assert path.sum(axis=1) == pytest.approx(1) and path.max() <= 1
    assert replicator([[0, 2], [1, 0]], [0, 1], 5).tolist() == [0, 1]          # who is not there does not come


def test_response_equilibrium():
    found = response_equilibrium([4, 1, 0], [.5, .3, .2], leave=.5, work=3, demand=1.2)
    taken = [found.stimulus**2 / (found.stimulus**2 + th**2) if th else 1 for th in (4, 1, 0)]
    assert found.active == pytest.approx([t / (t + .5) for t in taken])
    assert 3 * np.dot([.5, .3, .2], found.active) == pytest.approx(1.2)
    for far in ([1e200, 1.0], [1e-200], [1e-200, 1e200]):                              # nothing over- or underflows
        found = response_equilibrium(far, leave=.2, demand=1.0)
        assert 3 * found.active.mean() == pytest.approx(1.0) and found.stimulus > 0
    nearly = response_equilibrium([1, 2], [.5, .5 - 5e-10], demand=2.5 * (1 - 2e-10))
    assert nearly.active == pytest.approx(1 / 1.2) and nearly.stimulus > 1e3
    for one in (response_equilibrium([7.0]), response_equilibrium([7.0, 7.0], [.4, .6])):
        assert one.active == pytest.approx(1 / 3)


def test_threshold_equilibrium():
    assert threshold_equilibrium([0.0]) == 1 and threshold_equilibrium([.1]) == 0
    assert threshold_equilibrium([.5, .5, .6, 2], [False, True, False, False]) == .25
    assert threshold_equilibrium([.5, .5, .5, 2], [False, False, True, True]) == 1
    assert threshold_equilibrium(lambda r: .3, .5) == pytest.approx(.65)
    assert threshold_equilibrium(lambda r: 0.3) == pytest.approx(.3)
    assert threshold_equilibrium(lambda r: r**2 * .5 + .1) == pytest.approx(1 - np.sqrt(.8))
    n = 400
    for seed in range(5):
        theta = np.random.default_rng(seed).normal(.4, .3, n)
        made = activate(Topology.from_edges([], [], n), np.column_stack([np.zeros(n), theta]), "threshold",
                        "permutation", until="still", parameters={"everyone": True}, rng=seed)
        assert threshold_equilibrium(theta) == pytest.approx(made.state[:, 0].mean())
        first = np.random.default_rng(9).random(n) < .1
        made = activate(Topology.from_edges([], [], n), np.column_stack([first.astype(float), theta]), "threshold",
                        "permutation", until="still", parameters={"everyone": True}, rng=seed)
        assert threshold_equilibrium(theta, first) == pytest.approx(made.state[:, 0].mean())
    assert threshold_equilibrium(lambda r: float(norm.cdf((r - .4) / .2))) == pytest.approx(
        threshold_equilibrium(norm.ppf((np.arange(10**6) + .5) / 10**6, .4, .2)), abs=1e-4)


def test_diffusion_by_modes():
    ring = Topology.grid((9,))
    values, modes = diffusion_modes(ring)
    assert values == pytest.approx(np.sort(2 - 2 * np.cos(2 * np.pi * np.arange(9) / 9)), abs=1e-12) and values[0] == 0
    assert modes.T @ modes == pytest.approx(np.eye(9), abs=1e-12)
    topology, _ = weighted(7)
    W = np.zeros((7, 7))
    W[topology.source, topology.target] = topology.weight
    L = np.diag(W.sum(axis=1)) - W
    x = RNG.random((7, 3))
    assert diffusion(topology, x, .05, 12) == pytest.approx(diffuse(topology, x, .05, 12))
    assert diffusion(topology, x, .3, 2.5, continuous=True) == pytest.approx(expm(-.75 * L) @ x)
    grid = Topology.grid((4, 5))
    assert diffusion(grid, np.ones((4, 5)), .1, 3).shape == (4, 5)


# -- what is refused --------------------------------------------------------------------------------------------------

TWO = Topology.from_edges([0, 1, 2, 3], [1, 0, 3, 2], 4)
CIRCLE = Topology.from_edges([0, 1, 2], [1, 2, 0], 3)
ARROW = Topology.from_edges([0, 1], [1, 2], 3)


@pytest.mark.parametrize("call, said", [
    (lambda: fixation(Topology.grid((13,)), DONATION), "topology must have at most 12 sites, .* not 13"),
    (lambda: fixation(RING, DONATION, "death_brith"), "did you mean 'death_birth'"),
    (lambda: fixation(RING, np.ones((2, 3))), "payoff must be a square matrix"),
    (lambda: fixation(RING, DONATION, selection=2.0), "selection must leave every fitness .* above 0, and 2 makes"),
    (lambda: fixation(RING, DONATION, mutant=0), "resident and mutant must be different .* not 0 and 0"),
    (lambda: fixation(TWO, DONATION, selection=.1), "must let one strategy take over in the end, .* sites \\[0, 1\\]"),
    (lambda: fixation(RING, DONATION, lambda s, p: np.ones((6, 6))), "update must return an \\(6, 6\\) matrix"),
    (lambda: fixation(RING, DONATION, selection=.1).state([1, 2]), "mutants must say 0 or 1 of each of the 6 sites"),
    (lambda: critical_benefit_to_cost(TWO), "topology must be connected"),
    (lambda: coalescence_times(ARROW), "topology must be undirected"),
    (lambda: coalescence_times(Topology.grid((1,))), "topology must have at least 2 sites, not 1"),
    (lambda: one_step_fixation([0, 1], [0, 1, 0]), "up and down must be equally long, not 2 and 3"),
    (lambda: one_step_fixation([0, -1, 0], [0, 1, 0]), "up must be numbers of 0 or more"),
    (lambda: one_step_fixation([0, 0, 1, 0], [0, 0, 1, 0]), "state 1 it cannot leave"),
    (lambda: one_step_stationary([1, 0, 0], [0, 1, 1]), "up must be above 0 .* in state 1 it is 0"),
    (lambda: herding(1, .1, .1), "n must be at least 2, not 1"),
    (lambda: herding(5, 0, .1), "switch must be in \\(0, 1\\], not 0"),
    (lambda: opinion_weights(TWO), "sites 0 and 2 never hear of each other"),
    (lambda: opinion_weights(RING, "votre"), "did you mean 'voter'"),
    (lambda: opinion_weights(RING, activation="edges"), "did you mean 'edge'"),
    (lambda: opinion_weights(RING, "invasion", "synchronous"), "must not be 'synchronous'"),
    (lambda: opinion_weights(Topology.grid((13,)), activation="permutation"), "at most 12 sites under 'permutation'"),
    (lambda: replicator(DONATION, [.5, .6], 1), "start must be 2 shares of 0 or more with sum 1"),
    (lambda: replicator(DONATION, [.5, .5], [2, 1]), "times must be finite, at least 0 and ascending"),
    (lambda: response_equilibrium([1.0], demand=2.6), "demand must be below work / \\(1 \\+ leave\\) = 2.5"),
    (lambda: response_equilibrium([-1.0]), "thresholds must be finite and at least 0"),
    (lambda: response_equilibrium([1.0, 2.0], [.5, .6]), "shares must be 2 numbers of 0 or more with sum 1"),
    (lambda: threshold_equilibrium([np.nan]), "thresholds must be numbers"),
    (lambda: threshold_equilibrium(lambda r: 2.0), "thresholds must be a distribution function"),
    (lambda: threshold_equilibrium(lambda: 2.0), "thresholds must be numbers, or a function of a share"),
    (lambda: threshold_equilibrium([.5], start=2), "start must say true or false of each of the 1 persons"),
    (lambda: threshold_equilibrium(lambda r: r, 2), "start must be in \\[0, 1\\], not 2"),
    (lambda: threshold_equilibrium("ab"), "thresholds must be numbers, or a function of a share"),
    (lambda: one_step_fixation([0, 1, 0, 0], [0, 0, 1, 0]), "between the states 1, .* and 2, .* stays for ever"),
    (lambda: herding(5, .3, .2), "switch must be in \\(0, 0.2\\], as it and 1 - keep .* not 0.3"),
    (lambda: opinion_weights(CIRCLE, activation="fixed"), "under 'fixed': opinions go round for ever"),
    (lambda: opinion_weights(RING, activation="pairs", rates=2), "rates must only be given under 'exponential'"),
    (lambda: threshold_equilibrium(lambda r: 1 - r), "thresholds must be .* which never falls"),
    (lambda: herding(5, .1, 0), "keep must be in \\(0, 1\\], not 0"),
    (lambda: diffusion(RING, np.ones(6), 1e200, 1e200, continuous=True), "rate times time must be finite"),
    (lambda: opinion_weights(RING, activation="synchronous"), "topology must not be bipartite"),
    (lambda: response_equilibrium([0.0, 5.0]), "thresholds of 0 must not be those of so many \\(0.5 of all\\)"),
    (lambda: diffusion(RING, [np.nan] * 6, .1, 1), "values must be finite; those of site 0 are not"),
    (lambda: diffusion(RING, np.eye(6)[0], 10.0, 1000), "steps explode beyond 0.5"),
    (lambda: diffusion(RING, np.ones(6), .1, 1, continuous="no"), "continuous must be true or false"),
    (lambda: diffusion_modes(ARROW), "topology must be undirected"),
    (lambda: diffusion(RING, np.ones(5), .1, 1), "values must have one row for each of the 6 sites"),
    (lambda: diffusion(RING, np.ones(6), -.1, 1), "rate must be 0 or more, not -0.1"),
    (lambda: diffusion(RING, np.ones(6), .1, 1.5), "time must be a whole number"),
])
def test_refused(call, said):
    with pytest.raises((ValueError, TypeError), match=said):
        call()
