"""Local rules under named activations: every way of giving one, against plain twins, exact laws, published figures."""

import ctypes
import os
import shutil
import signal
import subprocess
import threading
from itertools import permutations, product

import networkx as nx
import numpy as np
import pytest
import reference_blocks as plain
from scipy import LowLevelCallable
from scipy.special import ndtri
from test_interact import TOPOLOGIES

from organism import Topology
from organism import interact as act

RNG = np.random.default_rng(5)
ACTIVATIONS = ("synchronous", "fixed", "permutation", "replacement", "edge", "pairs", "exponential")
LIGHT = {name: TOPOLOGIES[name] for name in ("von neumann", "ring", "digraph", "karate", "permuted")}
active = pytest.mark.parametrize("activation", ACTIVATIONS)


def probabilities(n, kinds):
    x = RNG.random((n, kinds))
    return x / x.sum(axis=1, keepdims=True)


PENNIES = np.eye(2), 1 - np.eye(2)
RULES = {                                               # a state of n sites, and parameters
    "voter": (lambda n: RNG.integers(0, 4, n), {}),
    "invasion": (lambda n: RNG.integers(0, 4, n), {}),
    "threshold": (lambda n: np.column_stack([RNG.random(n) < .3, RNG.random(n)]), {}),
    "threshold, reversible": (lambda n: np.column_stack([RNG.random(n) < .3, RNG.random(n)]), {"reversible": True}),
    "threshold, absolute": (lambda n: np.column_stack([RNG.random(n) < .3, RNG.integers(1, 4, n)]), {"absolute": True}),
    "threshold, everyone": (lambda n: np.column_stack([RNG.random(n) < .3, RNG.random(n)]), {"everyone": True}),
    "majority": (lambda n: RNG.integers(0, 4, n), {}),
    "majority, others": (lambda n: RNG.integers(0, 4, n), {"include_self": False}),
    "best_response": (lambda n: RNG.integers(0, 3, n), {"payoff": np.array([[2, 0, 1], [1, 1, 1], [0, 3, 0]])}),
    "best_response, error": (lambda n: RNG.integers(0, 3, n), {"payoff": np.eye(3), "error": .3}),
    "exchange": (lambda n: RNG.integers(0, 3, n), {}),
    "cross_learning": (lambda n: probabilities(n, 3), {"payoff": np.arange(9).reshape(3, 3) / 9, "rate": .1}),
    "cross_learning, pennies": (lambda n: probabilities(n, 2), {"payoff": PENNIES, "rate": .2}),
    "response_threshold": (lambda n: np.column_stack([np.zeros(n), RNG.random(n) * 4]), {"stimulus": 1}),
    "response_threshold, learning": (
        lambda n: np.column_stack([RNG.integers(0, 3, n), 5 * RNG.random((n, 2))]),
        {"stimulus": [1, 2], "demand": .5, "learn": .2, "forget": .1, "highest": 5}),
}
PARTNERS = ("invasion", "exchange", "cross_learning")   # rules that write to both


@pytest.mark.parametrize("name", LIGHT)
@active
@pytest.mark.parametrize("case", RULES)
def test_ready_made_rules_equal_their_twins(name, activation, case):
    """The compiled rule, the same in Python in the same loop, and loop and rule in plain Python: the same bits."""
    rule, topology = case.split(",")[0], LIGHT[name]
    begin, parameters = RULES[case]
    state = np.asarray(begin(topology.n_sites), float)
    ready = act._activate.READY[rule]
    if activation == "synchronous" and not ready.synchronous:
        with pytest.raises(ValueError, match="must not be 'synchronous': two sites could write to one"):
            act.activate(topology, state, rule, activation, parameters=parameters)
        return
    rates = RNG.random(topology.n_sites) if activation == "exponential" else None
    args = {"rates": rates, "rng": 17}
    made = act.activate(topology, state, rule, activation, 4, parameters=parameters, **args)
    rows = state.reshape(topology.n_sites, -1)
    shared = ready.begin(rule, rows, parameters)
    own = act.activate(topology, rows, getattr(plain, rule), activation, 4, shared=shared, draws=ready.draws,
                       closing=ready.closing, **args)
    assert (own.state.reshape(state.shape) == made.state).all() and (own.shared == made.shared).all()
    wanted, globals_, time = plain.activate(topology, rows, getattr(plain, rule), activation, 4, 17, shared,
                                            ready.draws, ready.closing, rates)
    assert (wanted == own.state).all() and (globals_ == own.shared).all()
    assert made.steps == 4 and made.time == own.time == (time if activation == "exponential" else 4)
    assert made.events == 4 * (topology.n_sites // 2 if activation == "pairs" else topology.n_sites)
    if rule == "exchange":
        assert made.state.sum() == state.sum() and made.state.min() >= 0
    if rule == "cross_learning":
        assert np.allclose(made.state.sum(axis=1), 1)
    on = act.activate(topology, made.state, rule, activation, 0, shared=made.shared)       # an earlier result, to go on
    assert (on.state == made.state).all() and (on.shared == made.shared).all() and on.events == 0


# -- your own rule, three ways ----------------------------------------------------------------------------------------


def towards(site, partner, neighbours, weights, state, out, shared, u):
    """Move a random part of the way to the mean of the neighbours, or of the partner; count; close sweeps."""
    if site < 0:
        shared[1] += 1
        return
    if partner >= 0:
        out[site, 0] += u[0] * shared[0] * (state[partner, 0] - state[site, 0])
    elif len(neighbours):
        total = 0.0
        for k in range(len(neighbours)):
            total += weights[k] * state[neighbours[k], 0]
        out[site, 0] += u[0] * shared[0] * (total / len(neighbours) - state[site, 0])
    out[site, 1] = state[site, 1] + u[1]


IN_C = """
#include <stdint.h>
#define RULE(name) void name(int64_t site, int64_t partner, int64_t degree, const int32_t *neighbours, \\
    const double *weights, const double *state, double *out, int64_t columns, double *shared, const double *u)
RULE(towards) {
    if (site < 0) { shared[1] += 1; return; }
    double *to = out + columns * site;
    const double *own = state + columns * site;
    if (partner >= 0) to[0] += u[0] * shared[0] * (state[columns * partner] - own[0]);
    else if (degree) {
        double total = 0;
        for (int64_t k = 0; k < degree; k++) total += weights[k] * state[columns * neighbours[k]];
        to[0] += u[0] * shared[0] * (total / degree - own[0]);
    }
    to[1] = own[1] + u[1];
}
RULE(below) { if (site == 0) out[-1] = 3; }
RULE(beyond) { if (site == 1) out[columns * 20 + 2] = 3; }
RULE(globals) { shared[2] = 1; }
RULE(draws) { ((double *)u)[1] = 1; }
RULE(nothing) { if (site == 7) out[columns * site] = 0. / 0.; }
RULE(ties) { if (site == 3) ((int32_t *)neighbours)[0] = 0; }
RULE(weighs) { if (site == 3) ((double *)weights)[0] = 5; }
RULE(infinite) { shared[0] = 1 / 0.; }
double other(double x) { return x; }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("rules")
    (folder / "rules.c").write_text(IN_C)
    subprocess.run([compiler, "-O1", "-ffp-contract=off", "-shared", "-fPIC", folder / "rules.c", "-o",
                    folder / "rules.so"], check=True)
    return ctypes.CDLL(str(folder / "rules.so"))


def all_ways(library):
    """The rule in Python, in C through ctypes and SciPy, and in numba if there is one."""
    c = act.RULE(("towards", library))
    ways = {"python": towards, "ctypes": c, "scipy": LowLevelCallable(c)}
    signature = ("void (int64_t, int64_t, int64_t, int32_t const *, double const *, double const *, double *, int64_t, "
                 "double *, double const *)")
    ways["scipy, spelled"] = LowLevelCallable(c, signature=signature)
    try:
        import numba
    except ImportError:
        return ways

    @numba.cfunc(act.RULE_NUMBA)
    def compiled(site, partner, degree, neighbours, weights, state, out, columns, shared, u):
        if site < 0:
            shared[1] += 1
            return
        if partner >= 0:
            out[columns * site] += u[0] * shared[0] * (state[columns * partner] - state[columns * site])
        elif degree:
            total = 0.0
            for k in range(degree):
                total += weights[k] * state[columns * neighbours[k]]
            out[columns * site] += u[0] * shared[0] * (total / degree - state[columns * site])
        out[columns * site + 1] = state[columns * site + 1] + u[1]

    return ways | {"numba": compiled, "numba, scipy": LowLevelCallable(compiled.ctypes)}


@active
def test_every_way_of_giving_a_rule_gives_the_same_bits(activation, library):
    for topology in LIGHT.values():
        state = RNG.random((topology.n_sites, 2))
        rates = np.arange(1., topology.n_sites + 1) if activation == "exponential" else None
        found = {way: act.activate(topology, state, rule, activation, 5, shared=[.7, 0], draws=2, closing=True, rng=3,
                                   rates=rates) for way, rule in all_ways(library).items()}
        wanted, shared, _ = plain.activate(topology, state, towards, activation, 5, 3, [.7, 0], 2, True, rates)
        for made in found.values():
            assert (made.state == wanted).all() and (made.shared == shared).all() and shared[1] == 5


def test_numba_was_among_them_if_there_is_one(library):
    pytest.importorskip("numba")
    assert "numba" in all_ways(library)


def test_a_rule_may_look_along_in_ties_and_at_weights_of_its_own(library):
    topology = LIGHT["digraph"]
    own = RNG.random(topology.n_ties)
    given = dict(zip(zip(topology.source.tolist(), topology.target.tolist(), strict=True), own.tolist(), strict=True))
    state = RNG.random((topology.n_sites, 2))
    for direction in ("out", "in"):
        for rule in all_ways(library).values():
            made = act.activate(topology, state, rule, "permutation", 3, shared=[.5, 0], draws=2, rng=1, weights=own,
                                direction=direction)
            assert (made.state == plain.activate(topology, state, towards, "permutation", 3, 1, [.5, 0], 2,
                                                 weights=given, direction=direction)[0]).all()


@active
def test_storage_changes_nothing(activation):
    grid = Topology.grid((5, 6))
    moved = grid.permuted(RNG.permutation(30))
    state = RNG.integers(0, 5, 30).astype(float)
    one = act.activate(grid, state, "voter", activation, 6, rng=8)
    other = act.activate(moved, state[moved.site_id], "voter", activation, 6, rng=8)
    assert (other.state == one.state[moved.site_id]).all() and other.time == one.time


def test_a_python_rule_may_activate_something_else_and_grids_keep_their_shape():
    grid = Topology.grid((3, 4))
    inner = []

    def rule(site, partner, neighbours, weights, state, out, shared, u):
        assert state.shape == (12,) and neighbours.dtype == np.int32 and u.shape == (1,)
        inner.append(act.activate(grid, state, lambda *a: a[5].__setitem__(a[0], a[0]), "fixed").state.sum())
        out[site] += 1

    made = act.activate(grid, np.zeros((3, 4)), rule)
    assert made.state.tolist() == np.ones((3, 4)).tolist() and inner == [66.0] * 12


def test_threads_of_python_have_rules_of_their_own():
    ring, found = Topology.grid((50,)), {}

    def work(k):
        def rule(site, partner, neighbours, weights, state, out, shared, u):
            out[site] = k
        found[k] = act.activate(ring, np.zeros(50), rule, "permutation", 100).state

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert all((found[k] == k).all() for k in range(4))


# -- exact laws -------------------------------------------------------------------------------------------------------

LOOP = Topology.from_edges([0, 1, 1, 2, 2, 0, 3], [1, 0, 2, 1, 0, 2, 0], 4)     # site 3 listens to 0, nobody to it
NEAR = plain.neighbours_of(LOOP)
TIES = list(zip(LOOP.source.tolist(), LOOP.target.tolist(), strict=True))
RATES = [1., 2., .5, 0.]


def copied(s, i, j):
    return (*s[:i], s[j], *s[i + 1:])


def site_event(law, i):
    """The law of states after site i has copied a random neighbour; sites here all have one."""
    new = {}
    for s, p in law.items():
        for j in NEAR[i]:
            t = copied(s, i, j)
            new[t] = new.get(t, 0) + p / len(NEAR[i])
    return new


def mixed(laws):
    new = {}
    for weight, law in laws:
        for s, p in law.items():
            new[s] = new.get(s, 0) + weight * p
    return new


def pairings(sites):
    """All orders in which pairs can come out of a shuffled population."""
    for order in permutations(sites):
        yield [order[k:k + 2] for k in range(0, len(order) - 1, 2)]


def sweep(law, activation):
    """One sweep of the voter model, by enumeration."""
    n = 4
    if activation == "synchronous":
        return mixed((p / np.prod([len(js) for js in NEAR]), {tuple(s[j] for j in js): 1})
                     for s, p in law.items() for js in product(*NEAR))
    if activation == "fixed":
        for i in range(n):
            law = site_event(law, i)
        return law
    if activation == "permutation":
        orders, new = list(permutations(range(n))), []
        for order in orders:
            here = law
            for i in order:
                here = site_event(here, i)
            new.append((1 / len(orders), here))
        return mixed(new)
    if activation == "pairs":
        both = list(pairings(range(n)))
        new = []
        for pairs in both:
            for s, p in law.items():
                for i, j in pairs:
                    s = copied(s, i, j)
                new.append((p / len(both), {s: 1}))
        return mixed(new)
    for _ in range(n):
        if activation == "edge":
            ways = [(1 / 2 / len(TIES), pair) for i, j in TIES for pair in ((i, j), (j, i))]
            law = mixed((w * p, {copied(s, i, j): 1}) for w, (i, j) in ways for s, p in law.items())
        else:
            chance = [1 / n] * n if activation == "replacement" else np.array(RATES) / sum(RATES)
            law = mixed((chance[i], site_event(law, i)) for i in range(n))
    return law


@active
def test_a_sweep_has_the_law_of_its_activation(activation):
    """The voter model from four different opinions: counts of all that can be after one and two sweeps."""
    start, runs, law = (0, 1, 2, 3), 6000, {(0, 1, 2, 3): 1.0}
    rates = RATES if activation == "exponential" else None
    rng = np.random.default_rng(2)
    laws = []
    for steps in (1, 2):
        law = sweep(law, activation)
        assert sum(law.values()) == pytest.approx(1)
        laws.append(law)
        seen = {}
        for _ in range(runs):
            made = act.activate(LOOP, start, "voter", activation, steps, rates=rates, rng=rng)
            s = tuple(made.state.astype(int).tolist())
            seen[s] = seen.get(s, 0) + 1
        assert set(seen) <= {s for s in law if law[s] > 0}
        for s, p in law.items():
            assert abs(seen.get(s, 0) - runs * p) <= 4 * np.sqrt(runs * p * (1 - p)) + 1e-9


def test_the_laws_differ():
    """The chance that four different opinions stay apart, or all of a sweep's chances, tell activations apart."""
    laws = [sweep({(0, 1, 2, 3): 1.0}, activation) for activation in ACTIVATIONS]
    for k, one in enumerate(laws):
        for other in laws[:k]:
            assert max(abs(one.get(s, 0) - other.get(s, 0)) for s in {*one, *other}) > .01


def test_one_event_has_the_law_of_its_activation():
    runs, start, rng = 8000, (0, 1, 2, 3), np.random.default_rng(1)
    ways = {"replacement": [(1 / 4 / len(NEAR[i]), (i, j)) for i in range(4) for j in NEAR[i]],
            "edge": [(1 / 2 / len(TIES), pair) for i, j in TIES for pair in ((i, j), (j, i))],
            "pairs": [(1 / 12, pair) for pair in permutations(range(4), 2)]}
    for activation, events in ways.items():
        law = mixed((p, {copied(start, i, j): 1}) for p, (i, j) in events)
        seen = {}
        for _ in range(runs):
            made = act.activate(LOOP, start, "voter", activation, events=1, rng=rng)
            assert made.events == 1 and made.steps == 0
            s = tuple(made.state.astype(int).tolist())
            seen[s] = seen.get(s, 0) + 1
        for s, p in law.items():
            assert abs(seen.get(s, 0) - runs * p) <= 4 * np.sqrt(runs * p * (1 - p))


def test_clocks_keep_time():
    """Events in a time T are Poisson; each site has its share of them; the time of an event is exponential."""
    ring, rates = Topology.grid((5,)), np.array([0, 1, 2, 3, 4.])

    def count(site, partner, neighbours, weights, state, out, shared, u):
        out[site] += 1

    made = act.activate(ring, np.zeros(5), count, "exponential", duration=2000, rates=rates, rng=1)
    assert made.time == 2000 and made.state.sum() == made.events and made.state[0] == 0
    assert (abs(made.state - 2000 * rates) <= 4 * np.sqrt(2000 * rates)).all()
    rng = np.random.default_rng(4)
    times = [act.activate(ring, np.zeros(5), "voter", "exponential", events=1, rates=rates, rng=rng).time
             for _ in range(4000)]
    assert abs(np.mean(times) - .1) < 4 * .1 / np.sqrt(4000)
    assert act.activate(ring, np.zeros(5), "voter", "exponential", duration=0).events == 0


def test_of_an_odd_number_one_is_left_out():
    def mark(site, partner, neighbours, weights, state, out, shared, u):
        out[site] += 1
        out[partner] += 1

    made = act.activate(Topology.from_edges([], [], 7), np.zeros(7), mark, "pairs", 700, rng=3)
    assert made.events == 2100 and made.state.sum() == 4200
    assert (abs(made.state - 600) < 4 * np.sqrt(700 * 6 / 49)).all()


def test_goals():
    ring = Topology.grid((9,))
    x = np.arange(9.) % 2
    made = act.activate(ring, x, "voter", "replacement", until="consensus", rng=1)
    assert made.met and len(set(made.state)) == 1 and made.steps * 9 == made.events
    assert not act.activate(ring, x, "voter", "fixed", 1, until="consensus", rng=1).met
    seeds = np.column_stack([x * 0 + (np.arange(9) == 4), np.full(9, .5)])
    for activation, steps in (("synchronous", 5), ("fixed", 3)):
        made = act.activate(ring, seeds, "threshold", activation, until="still")
        assert made.met and made.state[:, 0].all() and made.steps <= steps and made.shared[0] == 9
    seen = []
    made = act.activate(ring, x, "voter", "permutation", until=lambda state, shared: seen.append(state.copy()) or
                        len(seen) == 3, rng=1)
    assert made.met and made.steps == 3 and (seen[-1] == made.state).all()
    with pytest.raises(ValueError, match="read-only"):
        act.activate(ring, x, "voter", until=lambda state, shared: state.fill(1))
    with pytest.raises(ZeroDivisionError):
        act.activate(ring, x, "voter", until=lambda state, shared: 1 / 0)


# -- published figures ------------------------------------------------------------------------------------------------


def test_granovetters_crowds():
    """Granovetter (1978): thresholds 0, 1, …, 99 %; with one 1 made a 2; and normal ones, exact at N = 10⁵."""
    crowd = Topology.from_edges([], [], 100)
    for first, wanted in ((1, 100), (2, 1)):
        thresholds = np.array([0, first, *range(2, 100)]) / 100
        made = act.activate(crowd, np.column_stack([np.zeros(100), thresholds]), "threshold", until="still",
                            parameters={"everyone": True})
        assert made.shared[0] == made.state[:, 0].sum() == wanted
    n = 10**5
    many, z = Topology.from_edges([], [], n), ndtri((np.arange(n) + .5) / n)
    for sigma, wanted in ((11, 1.713), (12, 4.021), (12.1, 4.553), (12.2, 5.479), (12.3, 100), (30, 99.339)):
        made = act.activate(many, np.column_stack([np.zeros(n), (25 + sigma * z) / 100]), "threshold", until="still",
                            parameters={"everyone": True})
        assert abs(100 * made.shared[0] / n - wanted) < .02


@pytest.mark.parametrize("topology, most", [
    (Topology.grid((60,)), 1 / 2), (Topology.grid((31, 31), "von_neumann"), 1 / 4), (Topology.grid((31, 31)), 3 / 8)],
    ids=["ring", "von neumann", "moore"])
def test_morris_contagion_thresholds(topology, most):
    """Morris (2000): a seeded block spreads if q is at most 1/2, 1/4 and 3/8."""
    block = np.zeros(topology.shape)
    block[(slice(10, 20),) * len(topology.shape)] = 1
    for q, spreads in ((most, True), (most + .01, False)):
        made = act.activate(topology, np.column_stack([block.ravel(), np.full(block.size, q)]), "threshold",
                            until="still")
        assert made.state[:, 0].all() == spreads
        game = [[1 - q, 0], [0, q]]                    # strategy 0 is best if at least q of the neighbours play it
        made = act.activate(topology, 1 - block.ravel(), "best_response", "fixed", until="still",
                            parameters={"payoff": game})
        assert (made.state == 0).all() == spreads or abs(q - most) < 1e-9       # equal payoffs change nobody


@pytest.mark.parametrize("major, stimulus, busy_major, busy_minor", [
    (.1, .36414, .01023, .36923), (.5, .71520, .03813, .62853), (.9, 2.32667, .28054, .80844)])
def test_response_thresholds_share_the_work(major, stimulus, busy_major, busy_minor):
    """Bonabeau et al. (1996): thresholds 8 and 1; work is exactly demand over work, shares are mean-field."""
    n = 1000
    theta = np.where(np.arange(n) < major * n, 8., 1.)
    colony = Topology.from_edges([], [], n)
    made = act.activate(colony, np.column_stack([np.zeros(n), theta]), "response_threshold", steps=1000, rng=1)
    seen = []
    made = act.activate(colony, made.state, "response_threshold", steps=3000, shared=made.shared, rng=2,
                        until=lambda state, shared: seen.append([state[:, 0].mean(), state[theta == 8, 0].mean(),
                                                                 state[theta == 1, 0].mean(), shared[5]]))
    work, many, few, s = np.mean(seen, axis=0)
    assert abs(work - 1 / 3) < .002
    assert abs(s - stimulus) < .01 * (1 + stimulus) and abs(many - busy_major) < .007 and abs(few - busy_minor) < .007


def test_reinforced_thresholds_make_specialists():
    """Theraulaz et al. (1998): of five, at least two learn either task, and each task gets its third of the work."""
    colony, work = Topology.from_edges([], [], 5), []
    state = np.column_stack([np.zeros(5), np.full((5, 2), 500.)])
    for seed in range(10):
        made = act.activate(colony, state, "response_threshold", steps=6000, rng=seed,
                            parameters={"learn": 10, "forget": 1, "highest": 1000})
        seen = []
        made = act.activate(colony, made.state, "response_threshold", steps=6000, shared=made.shared, rng=100 + seed,
                            until=lambda state, shared, seen=seen: seen.append([(state[:, 0] == 1).mean(),
                                                                                (state[:, 0] == 2).mean()]))
        assert ((made.state[:, 1:] < 100).sum(axis=0) >= 2).all()
        work.append(np.mean(seen, axis=0))
    assert (abs(np.mean(work, axis=0) - 1 / 3) < .004).all()


def test_cross_learning_follows_the_replicator():
    """Börgers and Sarin (1997): 10⁴ plays at d = .001; a prisoner's dilemma from (.7, .6) and matching pennies."""
    runs = 600
    pairs = Topology.from_edges(np.arange(runs), runs + np.arange(runs), 2 * runs)          # rows to columns
    begin = np.column_stack([np.repeat([.7, .6], runs), np.repeat([.3, .4], runs)])
    for payoff, wanted in (([[.6, 0], [1, .2]], (.152698, .085721)), (PENNIES, (.405959, .702502))):
        made = act.activate(pairs, begin, "cross_learning", "fixed", 10_000, rng=4,
                            parameters={"payoff": payoff, "rate": .001})
        found = made.state[:, 0].reshape(2, runs)
        error = found.std(axis=1) / np.sqrt(runs)
        assert (abs(found.mean(axis=1) - wanted) < .005 + 4 * error).all()


def test_one_play_of_cross_moves_as_the_replicator_says():
    """E[Δx] = d · replicator, by enumerating the draws."""
    pair = Topology.from_edges([0], [1], 2)
    x, A, d = np.array([[.7, .3], [.4, .6]]), np.array([[.6, 0], [1, .2]]), .25
    moved = np.zeros(2)
    for a, b in product((0, 1), repeat=2):
        shared = [d, *A.ravel(), *A.T.ravel()]
        before, after = x.copy(), x.copy()
        plain.cross_learning(0, 1, [], [], after, after, np.array(shared), [.999 * a, .999 * b, 0])
        moved += x[0, a] * x[1, b] * (after - before)[:, 0]
    worth = A @ x[1]
    assert moved[0] == pytest.approx(d * x[0, 0] * (worth[0] - x[0] @ worth), abs=1e-16)
    runs, rng = 3000, np.random.default_rng(1)
    seen = [act.activate(pair, x, "cross_learning", "fixed", rng=rng, parameters={"payoff": A, "rate": d}).state[0, 0]
            for _ in range(runs)]
    assert abs(np.mean(seen) - x[0, 0] - moved[0]) < 4 * np.std(seen) / np.sqrt(runs)


def test_the_voter_model_keeps_its_mean():
    """On a regular graph the chance that an opinion wins is its share; on others, under "edge", too."""
    karate, runs, rng = Topology.from_networkx(nx.karate_club_graph()), 2000, np.random.default_rng(3)
    x = (np.arange(34) < 12).astype(float)
    for activation, p in (("edge", 12 / 34), ("replacement", karate.out_degree[:12].sum() / karate.n_ties)):
        won = np.mean([act.activate(karate, x, "voter", activation, until="consensus", rng=rng).state[0]
                       for _ in range(runs)])
        assert abs(won - p) < 4 * np.sqrt(p * (1 - p) / runs)


# -- what is refused --------------------------------------------------------------------------------------------------

GRID = Topology.grid((4, 5))
X, HALVES = np.zeros(20), np.full((20, 2), .5)


def nan_at_three(site, partner, neighbours, weights, state, out, shared, u):
    out[site] = np.nan if site == 3 else 1


def raises(site, partner, neighbours, weights, state, out, shared, u):
    out[site] = 1
    if site == 5:
        raise LookupError("nothing here")


def far(site, partner, neighbours, weights, state, out, shared, u):
    out[site + 1] = 1


def returns(site, partner, neighbours, weights, state, out, shared, u):
    return 5


def backwards(site, partner, neighbours, weights, state, out, shared, u):
    state[site] = 1


@pytest.mark.parametrize("call, said", [
    (lambda **a: act.activate("grid", X, "voter", **a), "topology must be a Topology, not str"),
    (lambda **a: act.activate(GRID, np.zeros(19), "voter", **a), "state must have one row for each of the 20 sites"),
    (lambda **a: act.activate(GRID, X + np.inf, "voter", **a), r"state must be finite; that of site 0 is \[inf\]"),
    (lambda **a: act.activate(GRID, X, "voters", **a), "rule must be one of .*, not 'voters'; did you mean 'voter'"),
    (lambda **a: act.activate(GRID, X, 3, **a), "rule must be a name, a callable or a compiled function, not int"),
    (lambda **a: act.activate(GRID, X, "voter", "fixd", **a), "activation must be one of .*; did you mean 'fixed'"),
    (lambda **a: act.activate(GRID, X, "voter", steps=-1, **a), "steps must be at least 0, not -1"),
    (lambda **a: act.activate(GRID, X, "voter", events=3, **a), "events must not be given under 'synchronous'"),
    (lambda **a: act.activate(GRID, X, "voter", duration=3, **a), "duration must only be given under 'exponential'"),
    (lambda **a: act.activate(GRID, X, "voter", "exponential", duration=-1, **a), "duration must be a number of 0"),
    (lambda **a: act.activate(GRID, X, "voter", rates=X, **a), "rates must only be given under 'exponential'"),
    (lambda **a: act.activate(GRID, X, "voter", "exponential", rates=[1], **a), "rates must be one number, or one"),
    (lambda **a: act.activate(GRID, X, "voter", "exponential", rates=X - 1, **a), "that of site 0 is -1"),
    (lambda **a: act.activate(GRID, X, "voter", "exponential", rates=X, **a), "rates must have a finite sum above 0"),
    (lambda **a: act.activate(Topology.from_edges([], [], 20), X, "voter", "edge", **a), "topology must have ties"),
    (lambda **a: act.activate(GRID, X, "voter", parameters={"x": 1}, **a), "parameters of 'voter' are none, not 'x'"),
    (lambda **a: act.activate(GRID, np.zeros((20, 2)), "threshold", parameters={"absolut": 1}, **a),
     "not 'absolut'; did you mean 'absolute'"),
    (lambda **a: act.activate(GRID, X, "threshold", **a), "state must have 2 columns for 'threshold', not 1"),
    (lambda **a: act.activate(GRID, X, "best_response", **a), "parameters of 'best_response' must have payoff"),
    (lambda **a: act.activate(GRID, X + 2, "best_response", parameters={"payoff": np.eye(2)}, **a),
     r"state must be strategies in \[0, 1\]; that of site 0 is 2"),
    (lambda **a: act.activate(GRID, HALVES - .1, "cross_learning", "edge", parameters={"payoff": PENNIES}, **a),
     "state must be probabilities of the actions"),
    (lambda **a: act.activate(GRID, HALVES, "cross_learning", "edge", parameters={"payoff": 2 * np.eye(2)}, **a),
     r"payoff must be in \[0, 1\] for 'cross_learning', not 0 to 2"),
    (lambda **a: act.activate(GRID, X, "voter", shared=[1], **a), "shared must be that of an earlier result of '"),
    (lambda **a: act.activate(GRID, X, "best_response", shared=[9, 0, 1], **a), "shared must be that of an"),
    (lambda **a: act.activate(GRID, X, "best_response", shared=[], **a), "shared must be that of an earlier result"),
    (lambda **a: act.activate(GRID, X, "exchange", "pairs", parameters={"unit": 0}, **a), "unit must be"),
    (lambda **a: act.activate(GRID, X, "voter", draws=2, **a), "draws and closing are for rules of your own"),
    (lambda **a: act.activate(GRID, X, nan_at_three, parameters={}, **a), "parameters are for the ready-made rules"),
    (lambda **a: act.activate(GRID, X, nan_at_three, draws=-1, **a), "draws must be at least 0, not -1"),
    (lambda **a: act.activate(GRID, X, nan_at_three, shared=[[1]], **a), "shared must be numbers in one row"),
    (lambda **a: act.activate(GRID, X, nan_at_three, shared=[1, np.nan], **a), "shared must be finite; number 1 is"),
    (lambda **a: act.activate(GRID, X, "voter", until="ever", **a), "until must be 'consensus', 'still' or callable"),
    (lambda **a: act.activate(GRID, X, "voter", weights=-np.ones(160), **a), "weights must not be negative; that of"),
    (lambda **a: act.activate(GRID, X, nan_at_three, steps=4, **a),
     r"the rule must leave finite numbers, and left \[nan\] at site 3, in sweep 0"),
    (lambda **a: act.activate(GRID, X, raises, steps=4, **a), "nothing here"),
    (lambda **a: act.activate(GRID, X, raises, "permutation", 4, **a), "nothing here"),
    (lambda **a: act.activate(GRID, X, far, "fixed", **a), "out of bounds"),
    (lambda **a: act.activate(GRID, X, backwards, **a), "read-only"),
    (lambda **a: act.activate(GRID, X, lambda *b: b[2].fill(0), **a), "read-only"),
    (lambda **a: act.activate(GRID, X, lambda: 0, **a), r"rule must take 8 arguments, \(site, partner, neighbours, "
     r"weights, state, out, shared, u\), and <lambda>\(\) does not"),
    (lambda **a: act.activate(GRID, X, returns, "fixed", **a), "rule must write to out and return nothing; at site 0 "
     "it returned 5"),
])
def test_bad_input_is_told_in_one_sentence(call, said):
    out = np.full(20, 7.)
    with pytest.raises((TypeError, ValueError, LookupError), match=said) as error:
        call(out=X)
    assert "\n" not in str(error.value) and not X.any()
    with pytest.raises(type(error.value), match=said):
        call(out=out)
    assert (out == 7).all()


def test_a_state_may_be_written_over_by_any_view_of_it():
    x = RNG.integers(0, 3, 20).astype(float)
    wanted = act.activate(GRID, x, "voter", "fixed", 3, rng=4).state
    act.activate(GRID, x[:], "voter", "fixed", 3, rng=4, out=x[:])
    assert x.tolist() == wanted.tolist()
    long = np.zeros(21)
    with pytest.raises(ValueError, match="out must not share memory with what is read"):
        act.activate(GRID, long[:20], "voter", "fixed", out=long[1:])


def test_one_site_has_no_partner():
    with pytest.raises(ValueError, match="topology must have at least 2 sites under 'pairs', not 1"):
        act.activate(Topology.from_edges([], [], 1), [1.], "voter", "pairs", events=3)
    for activation in ("fixed", "permutation", "replacement", "exponential"):
        assert act.activate(Topology.from_edges([], [], 1), [1.], "voter", activation, events=3).events == 3


def test_compiled_rules_that_go_wrong_are_found_out(library):
    x = np.zeros((20, 2))
    for name in ("below", "beyond", "globals", "draws"):
        for activation in ACTIVATIONS[:2]:
            with pytest.raises(RuntimeError, match="the rule wrote outside its state"):
                act.activate(GRID, x, act.RULE((name, library)), activation, shared=[0, 0], out=x)
    weights = np.ones(GRID.n_ties)
    before = GRID.target.tolist()
    for name in ("ties", "weighs"):
        with pytest.raises(RuntimeError, match="the rule wrote to neighbours or weights, which it may only read"):
            act.activate(GRID, x, act.RULE((name, library)), "fixed", weights=weights, out=x)
    assert GRID.target.tolist() == before and (weights == 1).all()
    assert act.neighbour_sum(GRID, np.ones(20)).tolist() == [8] * 20
    with pytest.raises(ValueError, match=r"left \[nan, 0.0\] at site 7, in sweep 0"):
        act.activate(GRID, x, act.RULE(("nothing", library)), "fixed", out=x)
    with pytest.raises(ValueError, match="left inf as number 0 of the shared state"):
        act.activate(GRID, x, act.RULE(("infinite", library)), "fixed", shared=[0], out=x)
    other = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(("other", library))
    for wrong in (other, LowLevelCallable(other)):
        with pytest.raises(TypeError, match=r"rule must have the signature void \(int64_t, .*, not double \(double\)"):
            act.activate(GRID, x, wrong, out=x)
    with pytest.raises(ValueError, match="rule must not have user_data"):
        act.activate(GRID, x, LowLevelCallable(act.RULE(("towards", library)), ctypes.c_void_p(8)), out=x)
    with pytest.raises(TypeError, match="rule must tell its arguments"):
        act.activate(GRID, x, library.towards, out=x)
    assert not x.any()


def test_numba_of_another_signature_is_refused():
    numba = pytest.importorskip("numba")

    @numba.cfunc("float64(float64)")
    def wrong(x):
        return x

    for one in (wrong, LowLevelCallable(wrong.ctypes)):
        with pytest.raises(TypeError, match="rule must have the signature"):
            act.activate(GRID, X, one)


def test_the_state_may_be_stepped_in_place():
    x = np.arange(20.).reshape(4, 5)
    wanted = act.activate(GRID, x, "voter", "permutation", 3, rng=1)
    made = act.activate(GRID, x, "voter", "permutation", 3, rng=1, out=x)
    assert made.state is x and (x == wanted.state).all()


def test_ctrl_c_ends_an_endless_activation():
    x = np.zeros(20)
    for rule in ("voter", lambda *a: None):
        threading.Timer(.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            act.activate(GRID, x, rule, "permutation", 10**12, out=x)
    assert not x.any()
