"""Exact laws by enumeration: how a distribution over all states of a small graph moves under each activation.

Nothing here is taken from the package: neighbours, events and activations are written afresh from their definitions.
"""

from itertools import combinations, permutations

import numpy as np
from scipy.stats import binom


class Chain:
    """All states that can be reached, and what events do to distributions over them.

    Parameters
    ----------
    start : tuple
    near : list of dict of int to float
        Neighbours of each site, and the weights of the ties to them.
    event : callable
        ``event(state, i, j)``: what can come of an event at i whose partner or drawn neighbour is j, as
        (probability, state).
    """

    def __init__(self, start, near, event):
        self.near, self.event, self.n = near, event, len(near)
        self.at, queue = {start: 0}, [start]
        pairs = [(i, j) for i in range(self.n) for j in range(self.n) if i != j]
        for state in queue:
            for i, j in pairs:
                for _, new in event(state, i, j):
                    if new not in self.at:
                        self.at[new] = len(queue)
                        queue.append(new)
        self.states = queue
        self.met = {}
        self.alone = [self._alone(i) for i in range(self.n)]

    def _matrix(self, ways):
        T = np.zeros((len(self.states),) * 2)
        for k, state in enumerate(self.states):
            for p, i, j in ways:
                if j is None:
                    T[k, k] += p
                    continue
                for q, new in self.event(state, i, j):
                    T[k, self.at[new]] += p * q
        return T

    def _alone(self, i):
        js = self.near[i]
        return self._matrix([(w / sum(js.values()), i, j) for j, w in js.items()] if js else [(1, i, None)])

    def between(self, i, j):
        """What an event at i with the partner j does."""
        if (i, j) not in self.met:
            self.met[i, j] = self._matrix([(1, i, j)])
        return self.met[i, j]

    def law(self, activation, copies=1, ties=None, rates=None):
        """The distribution after one sweep of ``copies`` separate graphs side by side, for one of them."""
        n, p = self.n, np.zeros(len(self.states))
        p[0] = 1
        if activation == "fixed":
            for i in range(n):
                p = p @ self.alone[i]
            return p
        if activation == "permutation":
            of = {0: p}
            for size in range(1, n + 1):
                sets = [(sum(1 << i for i in some), some) for some in combinations(range(n), size)]
                of = {one: sum(of[one ^ 1 << i] @ self.alone[i] for i in some) / size for one, some in sets}
            return of[(1 << n) - 1]
        if activation == "pairs":
            orders = list(permutations(range(n))) if n <= 5 else None
            if orders is None:
                return self._matched(p)
            return sum(self._through(p, order) for order in orders) / len(orders)
        if activation == "edge":
            one = sum(self.between(i, j) + self.between(j, i) for i, j in ties) / (2 * len(ties))
        else:
            chance = np.full(n, 1 / n) if rates is None else np.asarray(rates) / np.sum(rates)
            one = sum(c * T for c, T in zip(chance, self.alone, strict=True))
        events = n * copies                 # of them each copy gets a binomial number
        law, step = np.zeros_like(p), p
        for chance in binom.pmf(np.arange(min(events, n + 60) + 1), events, 1 / copies):
            law += chance * step
            step = step @ one
        return law

    def _through(self, p, order):
        for i, j in zip(order[::2], order[1::2], strict=False):
            p = p @ self.between(i, j)
        return p

    def _matched(self, p):
        """Random perfect matchings: all first pairs, then the rest, both directions alike (pairs do not touch)."""
        def rest(p, left):
            if len(left) < 2:
                return p
            i, *others = left
            if len(left) % 2:
                # one is left out: the first, or the first pairs with each other
                found = rest(p, others) / len(left)
                weight = (1 - 1 / len(left)) / len(others)
            else:
                found, weight = 0, 1 / len(others)
            for j in others:
                now = p @ ((self.between(i, j) + self.between(j, i)) / 2)
                found = found + weight * rest(now, [k for k in others if k != j])
            return found
        return rest(p, list(range(self.n)))

    def synchronous(self, take):
        """One synchronous sweep; ``take(state, i)``: what site i can take, as (probability, value)."""
        law = {(): 1.0}
        state = self.states[0]
        for i in range(self.n):
            new = {}
            for head, p in law.items():
                for q, value in take(state, i):
                    new[(*head, value)] = new.get((*head, value), 0) + p * q
            law = new
        p = np.zeros(len(self.states))
        for one, chance in law.items():
            if one not in self.at:
                self.at[one] = len(self.states)
                self.states.append(one)
                p = np.append(p, 0)
            p[self.at[one]] += chance
        return p


def voter(state, i, j):
    """Site i takes the opinion of j."""
    yield 1, (*state[:i], state[j], *state[i + 1:])


def invasion(state, i, j):
    """Site i gives its opinion to j."""
    yield 1, (*state[:j], state[i], *state[j + 1:])


def exchange(state, i, j):
    """One of the two, either as likely, gives the other a unit if it has one."""
    for giver, taker in ((i, j), (j, i)):
        new = list(state)
        if new[giver] >= 1:
            new[giver], new[taker] = new[giver] - 1, new[taker] + 1
        yield .5, tuple(new)
