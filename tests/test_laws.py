"""Simulated voters, exchanges and fixation on random graphs against exact enumeration, under every activation.

Graphs of up to eight sites are drawn anew each time; the seed is in the name of what fails (ORGANISM_LAWS=seed repeats
it). Each comparison is at four standard errors, shared out over the states that it compares. Runs are so many that
probabilities wrong by 2 % stand out, which test_errors_of_two_percent_are_found shows. What is beyond four standard
errors by chance alone is beyond them again in one of 16,000 cases: an alarm is looked into once more, with new runs.
"""

import os
import secrets

import networkx as nx
import numpy as np
import pytest
from laws import Chain, exchange, invasion, voter
from scipy.stats import chi2, norm

from organism import Topology
from organism.interact import activate, evolve
from organism.theory import fixation, opinion_weights

SEED = int(os.environ.get("ORGANISM_LAWS", secrets.randbits(32)))
RUNS, ONE_BY_ONE = 200_000, 20_000          # copies of a graph side by side; where pairs could be of two copies
ALARM = 2 * norm.sf(4)
ACTIVATIONS = ["synchronous", "fixed", "permutation", "replacement", "edge", "pairs", "exponential"]
UPDATES = ["death_birth", "birth_death", "imitation", "pairwise_comparison"]
RULES = {"voter": voter, "invasion": invasion, "exchange": exchange}


def drawn(rng, most=8, mutual=True):
    """Ties and weights of a random connected graph; of one that is not mutual some ties go one way only."""
    while True:
        n = int(rng.integers(3, most + 1))
        graph = nx.gnm_random_graph(n, int(rng.integers(n - 1, 2 * n)), seed=int(rng.integers(2**31)))
        if nx.is_connected(graph):
            break
    ties = {pair: float(rng.choice([.5, 1, 2, 3])) for i, j in graph.edges for pair in ((i, j), (j, i))}
    if not mutual:
        for pair in list(ties):
            if rng.random() < .2:
                del ties[pair]
    return n, ties


def copied(n, ties, copies):
    """So many separate copies of a graph as one topology; sites of a copy follow one another."""
    a, b = np.array(list(ties)).T
    shift = n * np.arange(copies)[:, None]
    return Topology.from_edges((a + shift).ravel(), (b + shift).ravel(), n * copies,
                               weight=np.tile(list(ties.values()), copies))


def near(n, ties):
    """Neighbours of each site with the weights of the ties."""
    return [{j: w for (a, j), w in sorted(ties.items()) if a == i} for i in range(n)]


def suspect(law, states, seen) -> str:
    """Tell what is improbable about how often states were seen, at four standard errors in all; "" if nothing is."""
    runs = len(seen)
    rows, number = np.unique(seen, axis=0, return_counts=True)
    counts = {tuple(row): k for row, k in zip(rows.astype(int).tolist(), number.tolist(), strict=True)}
    unknown = set(counts) - {tuple(map(int, one)) for one in states}
    if unknown:
        return f"{unknown} cannot be"
    k = np.array([counts.get(tuple(map(int, one)), 0) for one in states])
    possible = law > 1e-12
    if k[~possible].any():
        return f"{np.array(states)[~possible][0]} has probability 0 and was seen"
    law, k = law[possible], k[possible]
    often = law * runs >= 25
    if often.sum() < 2:
        return "" if often.all() else f"only {often.sum()} of {len(law)} states are frequent enough"
    error = np.sqrt(law * (1 - law) / runs)[often]
    z = np.abs(k[often] / runs - law[often]) / error
    limit = norm.isf(ALARM / 4 / often.sum())
    if z.max() > limit:
        return f"a state is {z.max():.1f} standard errors off, more than {limit:.1f}"
    expected = np.append(law[often], law[~often].sum()) * runs
    observed = np.append(k[often], k[~often].sum())
    if expected[-1] < 25:
        expected, observed = expected[:-1], observed[:-1]
    square = float(((observed - expected)**2 / expected).sum())
    p = chi2.sf(square, len(expected) - 1)
    return f"χ² = {square:.0f} with {len(expected) - 1} degrees of freedom" if p < ALARM / 2 else ""


def held(name, law, states, sample):
    """Compare what is sampled with a law, and once more if it is improbable."""
    found = suspect(law, states, sample()) and suspect(law, states, sample())
    assert not found, f"seed {SEED}, {name}: {found}"


def begin(rule, n, rng):
    """A state to begin with, in which not all are the same."""
    if rule == "exchange":
        return tuple(rng.multinomial(5, np.full(n, 1 / n)).tolist())
    start = np.arange(n) < rng.integers(1, n)
    return tuple(rng.permutation(start).astype(int).tolist())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_sweep(rule, activation):
    """The law of all states after a sweep."""
    if activation == "synchronous" and rule != "voter":
        with pytest.raises(ValueError, match="must not be 'synchronous'"):
            activate(Topology.grid((4,)), np.zeros(4), rule, activation)
        return
    rng = np.random.default_rng([SEED, ACTIVATIONS.index(activation), list(RULES).index(rule)])
    for mutual in (True, False)[:1 if activation == "pairs" else 2]:
        n, ties = drawn(rng, 6 if rule == "exchange" else 8, mutual)
        start = begin(rule, n, rng)
        chain = Chain(start, near(n, ties), RULES[rule])
        rates = rng.uniform(.5, 2, n) if activation == "exponential" else None
        copies = 1 if activation == "pairs" else RUNS
        if activation == "synchronous":
            law = chain.synchronous(lambda s, i, chain=chain: [
                (w / sum(chain.near[i].values()), s[j]) for j, w in chain.near[i].items()] or [(1, s[i])])
        else:
            law = chain.law(activation, copies, list(ties), rates)
        assert law.sum() == pytest.approx(1)
        topology = copied(n, ties, copies)

        def sample(n=n, start=start, copies=copies, topology=topology, rates=rates):
            if copies == 1:
                return np.array([activate(topology, start, rule, activation, rng=rng).state for _ in range(ONE_BY_ONE)])
            return activate(topology, np.tile(start, RUNS).astype(float), rule, activation, rng=rng,
                            rates=None if rates is None else np.tile(rates, RUNS)).state.reshape(RUNS, n)

        held(f"{rule} under {activation} on {ties} from {start}", law, chain.states, sample)


@pytest.mark.parametrize("wrong", ["draws", "gives", "activation"])
def test_errors_of_two_percent_are_found(wrong):
    """A neighbour drawn with .51 for .5, a giver likewise, and one activation's law for another's."""
    start, rng, found = (0, 1, 0, 1), np.random.default_rng(SEED), []
    for _ in range(3):
        if wrong == "activation":
            ties = dict.fromkeys([(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2)], 1.0)
            law = Chain(start, near(4, ties), voter).law("replacement", RUNS, list(ties))
            chain = Chain(start, near(4, ties), voter)
            seen = activate(copied(4, ties, RUNS), np.tile(start, RUNS).astype(float), "voter", "edge", rng=rng).state
        elif wrong == "draws":
            ties = {(i, j): 1.0 for i in range(4) for j in ((i + 1) % 4, (i - 1) % 4)}
            biased = {pair: 51.0 if pair == (0, 1) else 49.0 if pair == (0, 3) else 1.0 for pair in ties}
            start = (0, 1, 1, 0)
            chain = Chain(start, near(4, ties), voter)
            law = chain.law("fixed")
            begun = np.tile(start, RUNS).astype(float)
            seen = activate(copied(4, biased, RUNS), begun, "voter", "fixed", rng=rng).state
        else:
            ties = {(0, 1): 1.0, (1, 0): 1.0}
            start = (2, 2)
            chain = Chain(start, near(2, ties), exchange)
            law = chain.law("fixed")

            def giver(site, partner, neighbours, weights, state, out, shared, u):
                other = neighbours[0]
                a, b = (site, other) if u[0] < (.51 if site % 2 == 0 else .5) else (other, site)
                if state[a] >= 1:
                    out[a], out[b] = state[a] - 1, state[b] + 1

            seen = activate(copied(2, ties, RUNS), np.tile(start, RUNS).astype(float), giver, "fixed", rng=rng).state
        found.append(bool(suspect(law, chain.states, seen.reshape(RUNS, len(start)))))
    assert all(found), found


@pytest.mark.parametrize("rule", ["voter", "invasion"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_all_agree_on(rule, activation):
    """The probability of either consensus, from the weights of opinions."""
    if activation == "synchronous" and rule == "invasion":
        return
    rng = np.random.default_rng([SEED, 7, ACTIVATIONS.index(activation), len(rule)])
    while True:
        n, ties = drawn(rng, 6)
        start = np.array(begin(rule, n, rng), float)
        rates = rng.uniform(.5, 2, n) if activation == "exponential" else None
        try:                                            # not where opinions go round, or some stay by themselves
            p = float(opinion_weights(copied(n, ties, 1), rule, activation, rates=rates) @ start)
        except ValueError as error:
            assert "agree" in str(error) or "round for ever" in str(error)
            continue
        if .2 < p < .8:                                 # so that 2 % are many standard errors
            break
    runs = ONE_BY_ONE if activation == "pairs" else RUNS // 4
    topology = copied(n, ties, 1 if activation == "pairs" else runs)

    def agreed(state, shared):
        rows = state.reshape(runs, n)
        return (rows == rows[:, :1]).all()

    def off():
        if activation == "pairs":
            won = sum(activate(topology, start, rule, activation, until="consensus", rng=rng).state[0]
                      for _ in range(runs))
        else:
            won = activate(topology, np.tile(start, runs), rule, activation, rng=rng, until=agreed,
                           rates=None if rates is None else np.tile(rates, runs)).state.reshape(runs, n)[:, 0].sum()
        return abs(won / runs - p) / np.sqrt(p * (1 - p) / runs)

    assert off() < 4 or off() < 4, f"seed {SEED}, {rule} under {activation} on {ties} from {start}"


@pytest.mark.parametrize("update", UPDATES)
def test_fixation(update):
    """Who takes over a random graph under strong selection, and in how many events; 2 % are six standard errors."""
    rng = np.random.default_rng([SEED, 8, UPDATES.index(update)])
    for _ in range(2):
        while True:
            n, ties = drawn(rng)
            topology, payoff = copied(n, ties, 1), rng.uniform(0, 2, (2, 2))
            exact = fixation(topology, payoff, update, selection=1.0)
            if exact.probability > .05:
                break
        runs = int(36 * (1 - exact.probability) / exact.probability / .02**2)

        def off(topology=topology, payoff=payoff, exact=exact, runs=runs):
            made = evolve(topology, payoff, update, selection=1.0, replicates=runs, rng=rng, threads=2)
            p = exact.probability
            yield abs(made.fixation[1] - p) / np.sqrt(p * (1 - p) / runs)
            for mean, seen in ((exact.events, made.events), (exact.events_if_fixed, made.events[made.fixed == 1])):
                yield abs(seen.mean() - mean) / (seen.std() / np.sqrt(len(seen)))

        assert max(off()) < 4 or max(off()) < 4, f"seed {SEED}, {update} on {ties}, {payoff.tolist()}"
