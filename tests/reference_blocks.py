"""Plain twins of the blocks in `organism.interact`: lists, loops and nothing clever."""

import functools
import math

import numpy as np


def neighbours_of(topology, reach=1, direction="out"):
    """List the sites within some ties of each site, itself left out, by permanent id."""
    near = [set() for _ in range(topology.n_sites)]
    for i, j in zip(topology.source.tolist(), topology.target.tolist(), strict=True):
        if direction == "out":
            near[i].add(j)
        else:
            near[j].add(i)
    found = []
    for i in range(topology.n_sites):
        seen, edge = {i}, {i}
        for _ in range(reach):
            edge = {k for j in edge for k in near[j]} - seen
            seen |= edge
        found.append(sorted(seen - {i}, key=lambda j: topology.site_id[j]))
    return found


def tie_weights(topology):
    """Map the ends of every tie to its weight."""
    weight = topology.weight
    return {(i, j): 1.0 if weight is None else float(weight[k])
            for k, (i, j) in enumerate(zip(topology.source.tolist(), topology.target.tolist(), strict=True))}


def diffuse(topology, values, rate, steps):
    """Send ``rate`` times the weight of a tie of what a site has along each of its ties."""
    weight, here = tie_weights(topology), [float(x) for x in values]
    for _ in range(steps):
        new = list(here)
        for (i, j), w in weight.items():
            new[i] -= rate * w * here[i]
            new[j] += rate * w * here[i]
        here = new
    return here


def flow(topology, stock, reserve, sharing, weight, loss):
    """One exchange of one resource: lists of what is left, sent and received, and a map of flows by tie."""
    n = topology.n_sites
    want = [max(0.0, reserve[i] - stock[i]) for i in range(n)]
    sent, received, flows = [0.0] * n, [0.0] * n, {}
    for i in range(n):
        ties = [(j, w) for (a, j), w in weight.items() if a == i]
        asked = sum(want[j] for j, w in ties if w > 0)
        weighed = sum(w * want[j] for j, w in ties)
        if sharing[i] and weighed > 0:
            sent[i] = min(max(0.0, stock[i] - reserve[i]), asked)
            for j, w in ties:
                flows[i, j] = sent[i] * w * want[j] / weighed
                received[j] += flows[i, j]
    return [stock[i] - sent[i] + (1 - loss) * received[i] for i in range(n)], sent, received, flows


# -- games and activations --------------------------------------------------------------------------------------------

WORD = 2**64 - 1
near = functools.cache(neighbours_of)                 # topologies never change


class Chance:
    """xoshiro256** seeded by splitmix64, as _chance.h says."""

    def __init__(self, seed, number=0):
        (a,), (b,) = self.mixed(seed, 1), self.mixed(number, 1)
        self.s = self.mixed(a ^ (b * 0xD1342543DE82EF95 & WORD), 4)

    @staticmethod
    def mixed(x, n):
        made = []
        for _ in range(n):
            x = (x + 0x9E3779B97F4A7C15) & WORD
            z = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
            made.append(z ^ (z >> 31))
        return made

    @staticmethod
    def rolled(x, k):
        return (x << k | x >> (64 - k)) & WORD

    def next(self):
        s = self.s
        result = self.rolled(s[1] * 5 & WORD, 7) * 9 & WORD
        t = s[1] << 17 & WORD
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = self.rolled(s[3], 45)
        return result

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def below(self, n):
        m = self.next() * n
        if m & WORD < n:
            while m & WORD < (2**64 - n) % n:
                m = self.next() * n
        return m >> 64


def play(topology, row, column, first, second=None, include_self=False, average=False, weight=None):
    """What each site earns; ``weight`` maps ties to how much their games count."""
    weight = dict.fromkeys(zip(topology.source.tolist(), topology.target.tolist(), strict=True), 1.0) \
        if weight is None else weight
    earned = []
    for i in range(topology.n_sites):
        total = games = 0.0
        count = [0.0] * len(first)
        for j in near(topology)[i]:
            count[column[j]] += weight[i, j]
            games += weight[i, j]
        if include_self:
            count[column[i]] += 1
            games += 1
        total += sum((n * first[row[i]][s] for s, n in enumerate(count)), 0.0)
        if second is not None:
            count = [0.0] * len(first)
            for j in near(topology, 1, "in")[i]:
                count[row[j]] += weight[j, i]
                games += weight[j, i]
            if include_self:
                count[row[i]] += 1
                games += 1
            total += sum((n * second[s][column[i]] for s, n in enumerate(count)), 0.0)
        earned.append(total if not average else total / games if games else 0.0)
    return earned


def imitate_best(topology, strategies, payoffs, include_self=True):
    """The strategies of the best: the own if it is among them, else of the first."""
    new = []
    for i, js in enumerate(near(topology)):
        who = [i, *js] if include_self else js
        most = max((payoffs[j] for j in who), default=None)
        new.append(next((strategies[j] for j in who if payoffs[j] == most), strategies[i]))
    return new


def evolve(topology, payoff, update, start, mutant, selection, average, include_self, mutation, events, absorb, seed,
           number, weight=None, second=None):
    """One replicate: strategies at the end and how many events there were; payoffs are reckoned anew at each."""
    chance, n, kinds, s = Chance(seed, number), topology.n_sites, len(payoff), list(start)
    order = sorted(range(n), key=lambda i: topology.site_id[i])
    out, back = near(topology), near(topology, 1, "in")
    ones = weight is None
    weight = dict.fromkeys(tie_weights(topology), 1.0) if ones else weight

    def chosen(ends, parts, plain):
        if plain:
            return ends[chance.below(len(ends))] if ends else None
        total = sum(parts, 0.0)
        if not total > 0:
            return None
        at = chance.uniform() * total
        for j, part in zip(ends, parts, strict=True):
            at -= part
            if at < 0:
                return j
        return ends[-1]

    if mutant >= 0:
        s[order[chance.below(n)]] = mutant
    done = 0
    while (events is None or done < events) and not (absorb and len(set(s)) == 1):
        p = play(topology, s, s, payoff, second, include_self, average, weight)
        fit = [1 + selection * x for x in p]
        if update == "birth_death":
            at, source = chance.uniform() * sum(fit), 0
            while source < n - 1 and at >= fit[source]:
                at -= fit[source]
                source += 1
            to = chosen(out[source], [weight[source, j] for j in out[source]], ones)
        else:
            to = order[chance.below(n)]
            if ones and not topology.directed and not mutation and all(s[j] == s[to] for j in back[to]):
                done += 1                               # among equals it draws nothing
                continue
            if update == "pairwise_comparison":
                source = chosen(back[to], [weight[j, to] for j in back[to]], ones)
                if source is not None and not chance.uniform() < 1 / (1 + math.exp(-selection * (p[source] - p[to]))):
                    source = to
            else:
                own = [to] if update == "imitation" else []
                source = chosen([*back[to], *own], [*(weight[j, to] * fit[j] for j in back[to]),
                                                    *(fit[j] for j in own)], False)
        done += 1
        if source is None or to is None:
            continue
        new = s[source]
        if mutation > 0 and chance.uniform() < mutation:
            new = chance.below(kinds)
        s[to] = new
    return s, done


def activate(topology, state, rule, activation, sweeps, seed, shared=(), draws=1, closing=False, rates=None,
             weights=None, direction="out"):
    """Apply a rule (of Python, as `organism.interact.activate` takes it) to lists of rows; state, shared and time."""
    chance, n, now = Chance(seed), topology.n_sites, np.array(state, float)
    shared, time = np.array(shared, float), 0.0
    ends = near(topology, 1, direction)
    weight = tie_weights(topology) if weights is None else weights
    order = sorted(range(n), key=lambda i: topology.site_id[i])
    ids = topology.site_id
    ties = sorted(weight, key=lambda tie: (ids[tie[0]], ids[tie[1]]))
    clock = np.cumsum([1.0 if rates is None else rates[i] for i in order])
    deck = list(order)

    def apply(site, partner, before, after):
        u = np.array([chance.uniform() for _ in range(draws)])
        js = ends[site] if site >= 0 else []
        w = np.array([weight[(site, j) if direction == "out" else (j, site)] for j in js])
        rule(site, partner, np.array(js, int), w, before, after, shared, u)

    def shuffle():
        for k in range(n - 1, 0, -1):
            other = chance.below(k + 1)
            deck[k], deck[other] = deck[other], deck[k]

    for _ in range(sweeps):
        if activation == "synchronous":
            new = now.copy()
            for i in order:
                apply(i, -1, now, new)
            if closing:
                apply(-1, -1, now, new)
            now = new
            continue
        if activation in ("permutation", "pairs"):
            shuffle()
        for k in range(n // 2 if activation == "pairs" else n):
            site, partner = -1, -1
            if activation == "fixed":
                site = order[k]
            elif activation == "permutation":
                site = deck[k]
            elif activation == "replacement":
                site = order[chance.below(n)]
            elif activation == "edge":
                site, partner = ties[chance.below(len(ties))]
                if chance.next() >> 63:
                    site, partner = partner, site
            elif activation == "pairs":
                site, partner = deck[2 * k], deck[2 * k + 1]
            else:
                time -= math.log1p(-chance.uniform()) / clock[-1]
                at = chance.uniform() * clock[-1]
                site = order[next(j for j in range(n) if clock[j] > at)]
            apply(site, partner, now, now)
        if closing:
            apply(-1, -1, now, now)
    return now, shared, time


def _other(partner, neighbours, weights, u):
    """The partner, or a neighbour drawn in proportion to weight, or None."""
    if partner >= 0:
        return partner
    if not len(neighbours):
        return None
    if (weights == 1).all():
        return int(neighbours[int(u * len(neighbours))])
    at, found = u * sum(weights.tolist(), 0.0), None
    for j, w in zip(neighbours.tolist(), weights.tolist(), strict=True):
        found = j if w > 0 else found
        at -= w
        if at < 0:
            break
    return found


def voter(site, partner, neighbours, weights, state, out, shared, u):
    j = _other(partner, neighbours, weights, u[0])
    if j is not None:
        out[site, 0] = state[j, 0]


def invasion(site, partner, neighbours, weights, state, out, shared, u):
    j = _other(partner, neighbours, weights, u[0])
    if j is not None:
        out[j, 0] = state[site, 0]


def threshold(site, partner, neighbours, weights, state, out, shared, u):
    if site < 0:
        shared[0] = (out[:, 0] != 0).sum()
        return
    absolute, reversible, everyone = shared[1:4] != 0
    if everyone:
        active, every = shared[0], shared[4]
    elif partner >= 0:
        active, every = float(state[partner, 0] != 0), 1.0
    else:
        active = sum(w for j, w in zip(neighbours, weights, strict=True) if state[j, 0] != 0)
        every = sum(weights)
    if not absolute:
        active = active / every if every > 0 else 0.0
    was = state[site, 0] != 0
    now = active >= state[site, 1] or (was and not reversible)
    if out is state:
        shared[0] += int(now) - int(was)
    out[site, 0] = float(now)


def majority(site, partner, neighbours, weights, state, out, shared, u):
    if partner >= 0:
        out[site, 0] = state[partner, 0]
        return
    votes = {}
    if shared[0]:
        votes[state[site, 0]] = 1.0
    for j, w in zip(neighbours, weights, strict=True):
        votes[state[j, 0]] = votes.get(state[j, 0], 0.0) + w
    best = [value for value in votes if votes[value] == max(votes.values())]
    if best and state[site, 0] not in best:
        out[site, 0] = best[int(u[0] * len(best))]


def best_response(site, partner, neighbours, weights, state, out, shared, u):
    kinds = int(shared[0])
    A = shared[2:].reshape(kinds, kinds)
    if u[0] < shared[1]:
        out[site, 0] = int(u[1] * kinds)
        return
    if partner >= 0:
        neighbours, weights = [partner], [1.0]
    if not len(neighbours):
        return
    worth = [sum(w * A[s, int(state[j, 0])] for j, w in zip(neighbours, weights, strict=True)) for s in range(kinds)]
    if worth[int(state[site, 0])] < max(worth):
        out[site, 0] = worth.index(max(worth))


def exchange(site, partner, neighbours, weights, state, out, shared, u):
    j = _other(partner, neighbours, weights, u[1])
    if j is None:
        return
    giver, taker = (site, j) if u[0] < .5 else (j, site)
    if out[giver, 0] >= shared[0]:
        out[giver, 0] -= shared[0]
        out[taker, 0] += shared[0]


def cross_learning(site, partner, neighbours, weights, state, out, shared, u):
    j = _other(partner, neighbours, weights, u[2])
    if j is None:
        return
    n, rate = state.shape[1], shared[0]
    mine, theirs = shared[1:].reshape(2, n, n)

    def drawn(p, x):
        for k in range(n - 1):
            x -= p[k]
            if x < 0:
                return k
        return n - 1

    a, b = drawn(state[site], u[0]), drawn(state[j], u[1])
    for who, act, by in ((site, a, rate * mine[a, b]), (j, b, rate * theirs[a, b])):
        for k in range(n):
            out[who, k] += by * (1 - out[who, k]) if k == act else -(by * out[who, k])


def response_threshold(site, partner, neighbours, weights, state, out, shared, u):
    n, tasks = state.shape[0], state.shape[1] - 1
    leave, work, learn, forget, highest = shared[:5]
    stimulus, demand = shared[5:5 + tasks], shared[5 + tasks:]
    if site < 0:
        for k in range(tasks):
            stimulus[k] = max(0.0, stimulus[k] + demand[k] - work * (out[:, 0] == k + 1).sum() / n)
        return
    task = int(state[site, 0])
    if task:
        task = 0 if u[0] < leave else task
    else:
        task = 1 + int(u[1] * tasks)
        square, theta = stimulus[task - 1] * stimulus[task - 1], state[site, task]
        if not (square > 0 and u[0] < square / (square + theta * theta)):
            task = 0
    for k in range(1, tasks + 1):
        out[site, k] = min(max(state[site, k] + (-learn if k == task else forget), 0.0), highest)
    out[site, 0] = task
