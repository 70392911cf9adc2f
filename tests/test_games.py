"""Games, imitation and evolution on graphs: against plain twins, exact chains and published figures."""

import os
import signal
import threading
import time
from itertools import product

import networkx as nx
import numpy as np
import pytest
import reference_blocks as plain
from test_interact import TOPOLOGIES, every

from organism import Topology
from organism import interact as act
from organism._dispatch import games

RNG = np.random.default_rng(11)
DONATION = [[4, -1], [5, 0]]                            # benefit 5, cost 1; 0 cooperates
UPDATES = ("death_birth", "birth_death", "imitation", "pairwise_comparison")
LIGHT = {name: TOPOLOGIES[name] for name in ("von neumann", "narrow torus", "holes", "digraph", "karate", "permuted")}


# -- play and imitate -------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("itself, average", [(False, False), (True, False), (True, True), (False, True)])
def test_play_equals_its_twin(topology, itself, average):
    n = topology.n_sites
    for kinds, dtype in ((1, int), (2, np.int8), (2, int), (3, np.int32), (5, np.uint16)):
        A, B = RNG.standard_normal((2, kinds, kinds))
        s, both = RNG.integers(0, kinds, n).astype(dtype), RNG.integers(0, kinds, (n, 2)).astype(dtype)
        args = {"include_self": itself, "average": average}
        out = np.empty(n)
        assert act.play(topology, s, A, out=out, **args) is out
        assert out.tolist() == plain.play(topology, s, s, A.tolist(), **args)               # bit by bit
        assert act.play(topology, s, A, threads=3, **args).tolist() == out.tolist()
        two = plain.play(topology, both[:, 0], both[:, 1], A.tolist(), B.tolist(), **args)
        assert act.play(topology, both, (A, B), **args).tolist() == two
        assert act.play(topology, s, (A, B), **args).tolist() == plain.play(topology, s, s, A.tolist(), B.tolist(),
                                                                           **args)
    own = RNG.random(topology.n_ties)
    weight = dict(zip(zip(topology.source.tolist(), topology.target.tolist(), strict=True), own.tolist(), strict=True))
    wanted = plain.play(topology, both[:, 0], both[:, 1], A.tolist(), B.tolist(), itself, average, weight)
    np.testing.assert_allclose(act.play(topology, both, [A, B], weights=own, **args), wanted, rtol=1e-12, atol=1e-12)


def test_equal_situations_earn_the_same_bits():
    """Every order of the same neighbours gives one payoff, and the quick way on grids gives the same as the other."""
    A = [[.1, .7], [1.1, .3]]
    for around in product((0, 1), repeat=8):
        s = np.zeros((3, 3), int)
        s.ravel()[[0, 1, 2, 3, 5, 6, 7, 8]] = around
        grid = Topology.grid((3, 3), torus=False)
        ties = Topology.from_edges(grid.source, grid.target, 9)
        fast, slow = act.play(grid, s, A, average=True), act.play(ties, s.ravel(), A, average=True)
        assert fast.ravel().tolist() == slow.tolist()
        p = act.play(Topology.from_edges([0] * 8, range(1, 9), 9), [0, *around], A)
        assert p[0] == act.play(Topology.from_edges([0] * 8, range(1, 9), 9), [0, *sorted(around)], A)[0]


@every
@pytest.mark.parametrize("itself", [True, False])
def test_imitating_the_best_equals_its_twin(topology, itself):
    n = topology.n_sites
    for kinds, dtype in ((2, bool), (2, np.int8), (2, np.int64), (4, np.int32), (4, np.uint16)):
        s = RNG.integers(0, kinds, n).astype(dtype)
        for p in (RNG.standard_normal(n), RNG.integers(0, 3, n), np.zeros(n)):              # with and without equals
            made = act.imitate(topology, s, p, include_self=itself)
            assert made.dtype == dtype and made.tolist() == plain.imitate_best(topology, s, p, itself)
            out = np.empty_like(s)
            assert act.imitate(topology, s, p, include_self=itself, threads=3, out=out) is out
            assert (out == made).all()


def test_grids_of_every_size_are_imitated_alike():
    for height, width, hood, torus in product((1, 2, 3, 4, 5), (1, 2, 3, 5, 34), ("moore", "von_neumann"), (1, 0)):
        grid = Topology.grid((height, width), hood, torus=bool(torus))
        s, p = RNG.integers(0, 2, (height, width)), RNG.integers(0, 3, (height, width))
        for itself in (True, False):
            assert act.imitate(grid, s, p, include_self=itself).ravel().tolist() == plain.imitate_best(
                grid, s.ravel(), p.ravel(), itself)
        for q in (1 + p * 1e-15, p * 1e300, (p - 1) * 1e-320, .1 * p):       # beyond what float32 tells apart
            assert act.imitate(grid, s, q).ravel().tolist() == plain.imitate_best(grid, s.ravel(), q.ravel())
        A = [[.3, 1.2], [.7, .1]]
        assert act.play(grid, s, A).ravel().tolist() == plain.play(grid, s.ravel(), s.ravel(), A)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_strategies_are_checked_as_wide_as_they_are(dtype):
    for bad in (2, -1, np.iinfo(dtype).max, np.iinfo(dtype).min):
        s = np.zeros(20, dtype)
        s[7] = bad
        with pytest.raises(ValueError, match=rf"strategies must be in \[0, 1\]; that of site 7 is {bad}"):
            act.play(GRID, s, [[1, 0], [1, 0]])
    many = np.arange(20).astype(dtype)
    assert act.play(GRID, many, np.zeros((200, 200))).tolist() == [0] * 20


@pytest.mark.parametrize("dtype", [">i2", ">i4", ">i8", ">u8", "<i8"])
def test_strategies_in_any_byte_order(dtype):
    for topology in (GRID, Topology.grid((20,))):
        s, p = RNG.integers(0, 2, 20), RNG.random(20)
        made = act.imitate(topology, s.astype(dtype), p)
        assert made.dtype == dtype and made.tolist() == act.imitate(topology, s, p).tolist()
        assert act.play(topology, s.astype(dtype), [[1, 0], [2, 0]]).tolist() == act.play(
            topology, s, [[1, 0], [2, 0]]).tolist()


def test_too_small_a_greatest_difference_is_refused_whatever_is_drawn():
    p = np.zeros(20)
    p[7] = 1
    for seed in range(20):
        with pytest.raises(ValueError, match="greatest must be at least the greatest difference .* 1, not 0.5"):
            act.imitate(GRID, S, p, "proportional", greatest=.5, rng=seed)


def test_random_imitation_has_its_probabilities():
    """Site 0 of a star of four looks at each of three others alike; the chances of taking over are by hand."""
    star = Topology.from_networkx(nx.star_graph(3))
    s, p = np.array([0, 1, 2, 3]), np.array([1., 3., 2., 0.])
    rng, draws = np.random.default_rng(3), 20_000
    chances = {"proportional": [0, 2 / 3 / 3, 1 / 3 / 3, 0],
               "fermi": [0, *(1 / (1 + np.exp(-.7 * (p[1:] - 1))) / 3)]}
    for rule, wanted in chances.items():
        seen = np.bincount([act.imitate(star, s, p, rule, intensity=.7, rng=rng)[0] for _ in range(draws)], minlength=4)
        wanted = np.array([1 - sum(wanted), *wanted[1:]])
        error = np.sqrt(wanted * (1 - wanted) * draws)
        assert (abs(seen - wanted * draws) <= 4 * error).all()
        again = [act.imitate(star, s, p, rule, rng=5).tolist() for _ in range(2)]
        assert again[0] == again[1]
    many = Topology.grid((40, 50))
    s, p = RNG.integers(0, 9, 2000), RNG.random(2000)
    moved = many.permuted(RNG.permutation(2000))
    for rule in chances:                                                        # storage changes nothing
        made = act.imitate(moved, s[moved.site_id], p[moved.site_id], rule, rng=2)
        assert (made == act.imitate(many, s, p, rule, rng=2)[moved.site_id]).all()


FRACTALS = {
    1.85: [1, 9, 25, 41, 81, 81, 109, 185, 289, 257, 253, 297, 325, 369, 557, 817, 1089, 993, 925, 905],
    1.9: [1, 9, 25, 41, 81, 81, 109, 185, 289, 257, 253, 297, 325, 369, 557, 817, 1089, 993, 925, 905],
    1.2: [1, 9, 1, 9, 1], 1.45: [1, 9, 5, 1, 9, 5, 1], 1.7: [1, 9, 9, 9, 9],
    2.1: [1, 9, 25, 45, 69, 89, 109, 121, 141],
}


@pytest.mark.parametrize("b", FRACTALS)
def test_one_defector_makes_nowak_and_mays_patterns(b):
    """Nowak and May (1992), rules as published: 8 neighbours and itself, R = 1, T = b, the others 0."""
    grid, s, counts = Topology.grid((65, 65)), np.zeros((65, 65), int), []
    s[32, 32] = 1
    for _ in FRACTALS[b]:
        counts.append(int(s.sum()))
        assert (s == s.T).all() and (s == s[::-1]).all() and (s == s[:, ::-1]).all()
        s = act.imitate(grid, s, act.play(grid, s, [[1, 0], [b, 0]], include_self=True))
    assert counts == FRACTALS[b]


@pytest.mark.parametrize("defectors", [.1, .5])
def test_cooperators_keep_the_share_that_nowak_and_may_found(defectors):
    """Their figure, about 0.318 from 1.8 to 2; .3155 ± .003 over generations 300 to 600, reckoned from the rules."""
    grid, rng, shares = Topology.grid((200, 200)), np.random.default_rng(12), []
    for b in (1.82, 1.85, 1.98):
        s = (rng.random((200, 200)) < defectors).astype(np.int8)
        for k in range(600):
            s = act.imitate(grid, s, act.play(grid, s, [[1, 0], [b, 0]], include_self=True))
            if k >= 300:
                shares.append(1 - s.mean())
    assert abs(np.mean(shares) - .3155) < .003


# -- evolution --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("name", LIGHT)
def test_evolution_equals_its_twin_event_by_event(name, update):
    topology, n = LIGHT[name], LIGHT[name].n_sites
    A, B = RNG.random((2, 3, 3))
    start = RNG.integers(0, 3, n)
    own = np.round(RNG.random(topology.n_ties), 2)
    ties = list(zip(topology.source.tolist(), topology.target.tolist(), strict=True))
    for weights, payoff, mutation, average, itself in (
            ("ties", A, 0, True, False), (None, A, .1, False, True), (own, A, 0, True, True),
            (own, (A, B), .1, True, False), (None, (A, B), 0, False, True)):
        pair = isinstance(payoff, tuple)
        given = {"initial": start} if mutation else {"resident": 2, "mutant": 1}
        found = act.evolve(topology, payoff, update, selection=.3, average=average, include_self=itself,
                           weights=weights, mutation=mutation, events=25, keep=True, replicates=3, rng=9, **given)
        used = None if weights is None or topology.weight is None else plain.tie_weights(topology)
        if isinstance(weights, np.ndarray):
            used = dict(zip(ties, own.tolist(), strict=True))
        for k in range(3):
            s, done = plain.evolve(topology, (payoff[0] if pair else payoff).tolist(), update,
                                   start.tolist() if mutation else [2] * n, -1 if mutation else 1, .3, average, itself,
                                   mutation, 25, not mutation, 9, k, used, B.tolist() if pair else None)
            assert found.strategies[k].tolist() == s and found.events[k] == done
        assert (found.counts == [np.bincount(s, minlength=3) for s in found.strategies]).all()


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("name", ["von neumann", "ring", "permuted", "digraph", "holes"])
def test_two_strategies_without_weights_equal_their_twin_too(name, update):
    """Here fitness is looked up, and sites among their equals draw nothing."""
    topology, n = TOPOLOGIES[name], TOPOLOGIES[name].n_sites
    start = (RNG.random(n) < .2).astype(int)
    for average, itself, mutation in ((True, False, 0), (False, True, 0), (True, True, .1)):
        found = act.evolve(topology, DONATION, update, initial=start, selection=.02, average=average, weights=None,
                           include_self=itself, mutation=mutation, events=80, to_fixation=True, keep=True, rng=5)
        s, done = plain.evolve(topology, DONATION, update, start.tolist(), -1, .02, average, itself, mutation, 80, True,
                               5, 0)
        assert found.strategies[0].tolist() == s and found.events[0] == done


def test_weights_far_apart_are_counted_anew():
    """Where adding and taking away would round, counts are as if they were made afresh."""
    ring = Topology.grid((7,))
    for own in ([1e16, 1, 1e-3, 3, 7, 1e12, .1] * 2, [.1] * 14, [1, 2] * 7, [0, 1] * 7, [3.5e37, 1e-30] * 7):
        weight = dict(zip(zip(ring.source.tolist(), ring.target.tolist(), strict=True), map(float, own), strict=True))
        for update in UPDATES:
            found = act.evolve(ring, DONATION, update, initial=[0, 1, 1, 0, 0, 1, 0], weights=own, selection=.1,
                               events=60, to_fixation=False, keep=True, rng=3)
            s, done = plain.evolve(ring, DONATION, update, [0, 1, 1, 0, 0, 1, 0], -1, .1, True, False, 0, 60, False, 3,
                                   0, weight)
            assert found.strategies[0].tolist() == s and done == 60


def test_replicates_depend_neither_on_threads_nor_on_each_other():
    ring = Topology.grid((11,))
    for update in UPDATES:
        args = {"resident": 1, "mutant": 0, "selection": .1, "rng": 4, "keep": True}
        one = act.evolve(ring, DONATION, update, replicates=300, **args)
        for threads in (2, 3, 4):
            many = act.evolve(ring, DONATION, update, replicates=300, threads=threads, **args)
            assert (many.fixed == one.fixed).all() and (many.events == one.events).all()
        few = act.evolve(ring, DONATION, update, replicates=7, **args)
        assert (few.events == one.events[:7]).all() and (few.strategies == one.strategies[:7]).all()
        assert (one.counts.sum(axis=1) == 11).all() and (one.fixed >= 0).all()


def chain(topology, payoff, update, selection, average=True, weight=None):
    """Probability that strategy 0 is fixed from each of the 2^N states, by the rules as they are written down."""
    n = topology.n_sites
    weight = plain.tie_weights(topology) if weight is None else weight
    out, back = plain.neighbours_of(topology), plain.neighbours_of(topology, 1, "in")
    states = list(product((0, 1), repeat=n))
    at = {s: k for k, s in enumerate(states)}
    T = np.zeros((len(states),) * 2)
    for s in states:
        p = plain.play(topology, s, s, payoff, average=average, weight=weight)
        fit = [1 + selection * x for x in p]
        for i in range(n):
            def move(i, j, chance, s=s):                # j's copy takes site i
                T[at[s], at[(*s[:i], s[j], *s[i + 1:])]] += chance
            if update == "birth_death":
                for j in out[i]:
                    move(j, i, fit[i] / sum(fit) * weight[i, j] / sum(weight[i, k] for k in out[i]))
            elif update == "pairwise_comparison":
                for j in back[i]:
                    chance = weight[j, i] / sum(weight[k, i] for k in back[i]) / n
                    take = 1 / (1 + np.exp(-selection * (p[j] - p[i])))
                    move(i, j, chance * take)
                    move(i, i, chance * (1 - take))
            else:
                parts = {j: weight[j, i] * fit[j] for j in back[i]}
                if update == "imitation":
                    parts[i] = fit[i]
                for j, part in parts.items():
                    move(i, j, part / sum(parts.values()) / n)
    inner = [k for k in range(len(states)) if 0 < sum(states[k]) < n]
    solved = np.linalg.solve(np.eye(len(inner)) - T[np.ix_(inner, inner)], T[inner, at[(0,) * n]])
    fixed = np.zeros(len(states))
    fixed[inner], fixed[at[(0,) * n]] = solved, 1
    return fixed, at, T


PATH = Topology.from_edges([0, 1, 1, 2, 2, 0, 3, 2], [1, 0, 2, 1, 0, 2, 2, 3], 4, weight=[1, 2, .5, 1, 1, 3, .25, 1])


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("topology, average", [(Topology.grid((5,)), True), (PATH, True), (PATH, False)],
                         ids=["ring", "weighted", "weighted sums"])
def test_fixation_has_the_probability_of_the_exact_chain(topology, average, update):
    n, runs = topology.n_sites, 40_000
    fixed, at, _ = chain(topology, DONATION, update, .1, average)
    alone = np.mean([fixed[at[tuple(int(k != i) for k in range(n))]] for i in range(n)])
    found = act.evolve(topology, DONATION, update, resident=1, mutant=0, selection=.1, average=average, replicates=runs,
                       rng=1)
    assert abs(found.fixation[0] - alone) < 4 * np.sqrt(alone * (1 - alone) / runs)
    assert found.standard_error[0] == pytest.approx(np.sqrt(alone * (1 - alone) / runs), rel=.05)
    start = (0, 1, 0, 1, 1)[:n]
    found = act.evolve(topology, DONATION, update, initial=start, selection=.1, average=average, replicates=runs, rng=2)
    p = fixed[at[start]]
    assert abs(found.fixation[0] - p) < 4 * np.sqrt(p * (1 - p) / runs)


@pytest.mark.parametrize("update", UPDATES)
def test_one_event_has_the_law_of_the_chain(update):
    start, runs = (0, 1, 1, 0), 40_000
    _, at, T = chain(PATH, DONATION, update, .15)
    found = act.evolve(PATH, DONATION, update, initial=start, selection=.15, events=1, replicates=runs, keep=True,
                       rng=6)
    seen = np.bincount([at[tuple(s)] for s in found.strategies.tolist()], minlength=16)
    wanted = T[at[start]]
    assert wanted.sum() == pytest.approx(1)
    assert (abs(seen - runs * wanted) <= 4 * np.sqrt(runs * wanted * (1 - wanted)) + 1e-6).all()


@pytest.mark.parametrize("update, cooperators, defectors", [
    ("death_birth", .136132, .113531), ("birth_death", .093345, .161340)])
def test_cooperation_on_a_ring_of_eight(update, cooperators, defectors):
    """Ohtsuki et al. (2006), exact for selection .05, b = 5, c = 1, payoffs averaged; 1/N is .125."""
    runs = 100_000
    for mutant, p in ((0, cooperators), (1, defectors)):
        found = act.evolve(Topology.grid((8,)), DONATION, update, resident=1 - mutant, mutant=mutant, selection=.05,
                           replicates=runs, rng=8)
        assert abs(found.fixation[mutant] - p) < 4 * np.sqrt(p * (1 - p) / runs)


def test_mutation_ends_by_events_and_finds_its_balance():
    """Neutral and mutation 1: each event makes a site uniform."""
    found = act.evolve(Topology.grid((6,)), np.ones((3, 3)), mutation=1, sweeps=40, replicates=5000, rng=1)
    assert (found.events == 240).all()
    z = (found.counts.mean(axis=0) - 2) / np.sqrt(6 * 2 / 9 / 5000)
    assert (abs(z) < 4).all()


def test_ctrl_c_ends_an_endless_evolution():
    """In coexistence nothing is fixed for ages."""
    both = threading.Timer(.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    both.start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        act.evolve(Topology.grid((20, 20)), [[0, 5], [5, 0]], "pairwise_comparison", selection=20, average=False,
                   initial=np.arange(400) % 2, replicates=2, rng=1)
    assert time.perf_counter() - began < 20


def test_streams_are_those_of_the_plain_generator():
    for seed, number in ((0, 0), (1, 5), (2**64 - 1, 2**40)):
        chance = plain.Chance(seed, number)
        assert games.words(seed, number, 20) == [chance.next() for _ in range(20)]
    # xoshiro256** with the state 1, 2, 3, 4: the first numbers of the reference implementation
    chance = plain.Chance(0)
    chance.s = [1, 2, 3, 4]
    assert [chance.next() for _ in range(3)] == [11520, 0, 1509978240]
    # splitmix64 from 0, likewise
    assert plain.Chance.mixed(0, 2) == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


# -- what is refused --------------------------------------------------------------------------------------------------

GRID, ALONE = Topology.grid((4, 5)), Topology.from_edges([0], [1], 3)
S, A = np.zeros(20, int), [[1, 0], [2, 0]]


@pytest.mark.parametrize("call, said", [
    (lambda: act.play("grid", S, A), "topology must be a Topology, not str"),
    (lambda: act.play(GRID, np.zeros(19, int), A), "strategies must have one row for each of the 20 sites"),
    (lambda: act.play(GRID, np.zeros(20), A), "strategies must be whole numbers, not of type float64"),
    (lambda: act.play(GRID, np.zeros((20, 2), int), A), r"strategies must be one a site, not of shape \(20, 2\)"),
    (lambda: act.play(GRID, np.zeros((20, 3), int), (A, A)), "strategies must be one a site, or two, for either role"),
    (lambda: act.play(GRID, S + 2, A), r"strategies must be in \[0, 1\]; that of site 0 is 2"),
    (lambda: act.play(ALONE, [0, 0, -1], A), r"strategies must be in \[0, 1\]; that of site 2 is -1"),
    (lambda: act.play(ALONE, [0, 0, 3], np.eye(3)), r"strategies must be in \[0, 2\]; that of site 2 is 3"),
    (lambda: act.play(GRID, S, [[1, 2, 3], [4, 5, 6]]), r"payoff must be a square matrix .*, not of shape \(2, 3\)"),
    (lambda: act.play(GRID, S, [[1, 2], [3]]), "payoff must be a square matrix .* of numbers"),
    (lambda: act.play(GRID, S, np.ones((3, 2, 2))), r"not of shape \(3, 2, 2\)"),
    (lambda: act.play(GRID, S, [[1, np.nan], [1, 1]]), r"payoff must be finite; that at \(0, 1\) is nan"),
    (lambda: act.play(GRID, S, A, out=np.zeros(20, int)), "out must be a float64 array"),
    (lambda: act.play(GRID, S, A, threads=0), "threads must be at least 1, not 0"),
    (lambda: act.play(GRID, S, A, weights=np.ones(3)), r"shape \(160,\), not \(3,\)"),
    (lambda: act.imitate(GRID, S, np.ones(19)), "payoffs must be numbers in the shape of the strategies"),
    (lambda: act.imitate(GRID, S, [np.inf] * 20), "payoffs must be finite; that of site 0 is inf"),
    (lambda: act.imitate(GRID, S, np.ones(20), "bets"), "not 'bets'; did you mean 'best'"),
    (lambda: act.imitate(GRID, S, np.ones(20), "fermi", intensity=-1), "intensity must be 0 or more, not -1"),
    (lambda: act.imitate(GRID, S, np.arange(20), "proportional", greatest=3), "greatest must be at least the greatest"),
    (lambda: act.imitate(GRID, S, [1e308, -1e308] * 10, "proportional"), "payoffs must have finite differences"),
    (lambda: act.imitate(GRID, S, np.ones(20), "fermi", rng="a"), "rng must be an int, a SeedSequence or a Generator"),
    (lambda: act.imitate(GRID, S, [[1], [2, 3]]), "payoffs must have rows of one length"),
    (lambda: act.imitate(GRID, [[1], [2, 3]], np.ones(20)), "strategies must have rows of one length"),
    (lambda: act.imitate(GRID, S, np.ones(20), out=S), "out must not share memory with what is read"),
    (lambda: act.evolve(GRID, A, "death_brith"), "not 'death_brith'; did you mean 'death_birth'"),
    (lambda: act.evolve(GRID, A, mutant=2), r"must be different strategies in \[0, 1\], not 0 and 2"),
    (lambda: act.evolve(GRID, [[-3, 0], [0, 0]]), r"could make that of site 0 -2"),
    (lambda: act.evolve(GRID, A, selection=-1), "selection must be"),
    (lambda: act.evolve(GRID, A, mutation=2), r"mutation must be in \[0, 1\], not 2"),
    (lambda: act.evolve(GRID, A, mutation=.1), "events or sweeps must be given if there is mutation"),
    (lambda: act.evolve(GRID, A, to_fixation=False), "events or sweeps must be given if fixation does not end it"),
    (lambda: act.evolve(GRID, A, events=1, sweeps=1), "give one of them"),
    (lambda: act.evolve(ALONE, A), "no strategy can be fixed where sites 0 and 2 take nothing over from each other"),
    (lambda: act.evolve(GRID, A, initial=[0]), "strategies must have one row for each of the 20 sites"),
    (lambda: act.evolve(GRID, A, weights=-np.ones(160)), "weights must not be negative; that of tie 0 is -1"),
    (lambda: act.evolve(GRID, A, replicates=0), "replicates must be at least 1, not 0"),
    (lambda: act.evolve(GRID, A, events=2**70), r"events must be in \[0, 2\*\*63\), not 1180591620717411303424"),
    (lambda: act.evolve(GRID, A, weights=np.full(160, 1e308)), r"weights must have a finite sum over all ties"),
    (lambda: act.evolve(GRID, A, rng=-1), r"rng must be in \[0, 2\*\*64\), not -1"),
])
def test_bad_input_is_told_in_one_sentence(call, said):
    with pytest.raises((TypeError, ValueError), match=said) as error:
        call()
    assert "\n" not in str(error.value)
    assert not S.any()


def test_what_fails_leaves_the_callers_arrays_alone():
    s, out = np.array([0] * 19 + [2]), np.full(20, 7.)
    for call in (lambda: act.play(GRID, s, A, out=out), lambda: act.play(GRID, s, A, average=True, out=out),
                 lambda: act.imitate(GRID, s, np.full(20, np.nan), out=out)):
        with pytest.raises(ValueError):
            call()
    assert s.tolist() == [0] * 19 + [2] and (out == 7).all()


@pytest.mark.parametrize("update", UPDATES)
def test_fitness_without_a_finite_sum_is_refused(update):
    for average in (False, True):
        with pytest.raises(ValueError, match=r"payoff must leave the sum of 1 \+ selection · payoff .* of 1e\+308"):
            act.evolve(GRID, np.full((2, 2), 1e308), update, average=average, rng=1, replicates=20)
    wide = act.evolve(GRID, np.ones((2, 2)), update, weights=np.full(160, 1e200), rng=1, replicates=20, threads=2**40,
                      sweeps=2**62)
    assert (wide.fixed >= 0).all()


def test_sites_that_nobody_feeds_keep_their_strategy():
    """A source spreads along its ties; where one source feeds all, fixation is sure and needs no limit."""
    line = Topology.from_edges([0, 1], [1, 2], 3)
    for update in UPDATES:
        found = act.evolve(line, np.ones((2, 2)), update, initial=[1, 0, 0], replicates=50, rng=1)
        assert (found.fixed == 1).all()
