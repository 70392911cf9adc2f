"""Who takes over a small graph: the Markov chain over all ways in which two strategies can be spread on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import closest, number, whole
from ..interact._evolve import UPDATES
from ..interact._games import payoffs_of
from ..interact._walks import walk

__all__ = ["Fixation", "fixation"]

#: More sites would take a dense matrix of more than 4096 × 4096.
MOST_SITES = 12


@dataclass(frozen=True, eq=False)
class Fixation:
    """What becomes of two strategies on a graph.

    State k is the one in which the sites whose bits are set in k have the mutant's strategy, site 0 being the lowest.

    Attributes
    ----------
    by_state : ndarray of float64, shape (2**N,)
        Probability that the mutant's strategy is fixed.
    events_by_state : ndarray of float64, shape (2**N,)
        Expected number of events until either is.
    events_if_fixed_by_state : ndarray of float64, shape (2**N,)
        The same where the mutant's is fixed; NaN where that has a probability below 1e-11, of which rounding leaves
        too few digits.
    n_sites : int
    """

    by_state: np.ndarray
    events_by_state: np.ndarray
    events_if_fixed_by_state: np.ndarray
    n_sites: int

    @property
    def _single(self) -> np.ndarray:
        return 1 << np.arange(self.n_sites)

    @property
    def probability(self) -> float:
        """Probability that one mutant at a uniform site is fixed."""
        return float(self.by_state[self._single].mean())

    @property
    def by_site(self) -> np.ndarray:
        """Probability that one mutant at each site is fixed, float64 (N,)."""
        return self.by_state[self._single]

    @property
    def events(self) -> float:
        """Expected events until one mutant at a uniform site is fixed or gone."""
        return float(self.events_by_state[self._single].mean())

    @property
    def events_if_fixed(self) -> float:
        """Expected events until one mutant at a uniform site is fixed, where it is; NaN if it never is."""
        chance = self.by_state[self._single]
        if not chance.max() > 1e-11:
            return float("nan")
        some = chance > 1e-11
        return float((chance * np.where(some, self.events_if_fixed_by_state[self._single], 0)).sum() / chance.sum())

    def state(self, mutants) -> int:
        """Return the state in which these sites have the mutant's strategy.

        Parameters
        ----------
        mutants : array_like of bool or of 0 and 1, shape (N,)

        Returns
        -------
        int
            In [0, 2**N).

        Raises
        ------
        ValueError
            If it does not say 0 or 1 of each site.
        """
        given = np.asarray(mutants).ravel()
        if given.shape != (self.n_sites,) or not np.isin(given, (0, 1)).all():
            raise ValueError(f"mutants must say 0 or 1 of each of the {self.n_sites} sites, not {mutants!r:.60}")
        return int((given.astype(np.int64) << np.arange(self.n_sites)).sum())

    def __repr__(self):
        return f"<Fixation on {self.n_sites} sites: {self.probability:.6g} of single mutants, {self.events:.6g} events>"


def fixation(topology, payoff, update="death_birth", *, resident: int = 0, mutant: int = 1, selection: float = 1.0,
             average: bool = True, include_self: bool = False, weights="ties") -> Fixation:
    """Calculate who takes over a small graph, and in how many events, by solving the Markov chain.

    Exact, for asynchronous updates without mutation: the counterpart of :func:`organism.interact.evolve`, with the same
    words. All 2**N ways in which two strategies can be spread are states; the linear system of absorption is solved.

    Parameters
    ----------
    topology : Topology
        N sites, at most 12; may be directed and weighted.
    payoff : array_like of float, shape (M, M), or two of them
        A[own, other], or (A, B) for two roles; see :func:`organism.interact.play`.
    update : {"death_birth", "birth_death", "imitation", "pairwise_comparison"} or callable
        See :func:`organism.interact.evolve`. A callable ``update(strategies, payoffs)`` gets N strategies and what each
        site earns, and returns a matrix (N, N): at [i, j] the probability that in an event the strategy of j is copied
        to i. The probabilities sum to at most 1; otherwise nothing happens.
    resident, mutant : int
        The two strategies.
    selection : float, default 1
        Fitness is 1 + selection · payoff; under "pairwise_comparison" the strength of comparison.
    average, include_self, weights
        As for :func:`organism.interact.evolve`.

    Returns
    -------
    Fixation
        With `probability`, `events` and `events_if_fixed` of one mutant at a uniform site, and all of it `by_state`.

    Raises
    ------
    ValueError
        If there are more than 12 sites, a fitness is not above 0, or a strategy cannot always be fixed: the graph falls
        into parts, or some sites take nothing over from others. Or if it takes too long: see Notes.

    Notes
    -----
    Probabilities have an absolute error of about 2e-16 times the most events that are expected from any state; where
    that would be above 1e-6, as where strong selection keeps both strategies for ever and a day, it is refused.

    References
    ----------
    Allen, Tarnita (2014) Measures of success in a class of evolutionary models with fixed population size and
    structure. *J. Mathematical Biology* 68: 109-143. Hindersin, Möller, Traulsen, Bauer (2016) Exact numerical
    calculation of fixation probability and time on graphs. *BioSystems* 150: 87-91.

    Examples
    --------
    >>> from organism import Topology
    >>> round(fixation(Topology.grid((8,)), [[0, 5], [-1, 4]], selection=0.05).probability, 6)
    0.136132
    """
    out = walk(topology)
    n = topology.n_sites
    if n > MOST_SITES:
        raise ValueError(f"topology must have at most {MOST_SITES} sites, whose 2**N states are solved exactly, not "
                         f"{n}; organism.interact.evolve simulates larger ones")
    first, second, kinds = payoffs_of(payoff)
    resident, mutant = whole("resident", resident, 0), whole("mutant", mutant, 0)
    if max(resident, mutant) >= kinds or resident == mutant:
        raise ValueError(f"resident and mutant must be different strategies in [0, {kinds - 1}], not {resident} and "
                         f"{mutant}")
    if not callable(update) and update not in UPDATES:
        raise ValueError(f"update must be callable or one of {', '.join(map(repr, UPDATES))}, not {update!r}"
                         + closest(str(update), UPDATES))
    selection = number("selection", selection, 0, np.inf, "[)")
    W = _matrix(topology, out.weights(weights, np.float64))
    if (W < 0).any():
        raise ValueError(f"weights must not be negative, and one is {W.min():g}")
    has = (np.arange(2**n)[:, None] >> np.arange(n)) & 1                       # (states, sites): who is a mutant
    pay = _payoffs(has, W, (first, second), (resident, mutant), bool(average), bool(include_self))
    if callable(update):
        up, down = _asked(update, has, pay, (resident, mutant))
    else:
        up, down = _chances(update, has, pay, W, selection)
    return _solved(has, np.where(has == 1, down, up))


def _matrix(topology, weight) -> np.ndarray:
    """Return the weights of all ties as a dense matrix [source, target]."""
    W = np.zeros((topology.n_sites,) * 2)
    W[topology.source, topology.target] = 1.0 if weight is None else weight
    return W


def _payoffs(has, W, payoffs, kinds, average, include_self) -> np.ndarray:
    """Return what every site earns in every state, float64 (states, sites)."""
    games = W.sum(axis=1) + include_self
    mine, theirs = (has == 0).astype(float), has.astype(float)
    total, played = np.zeros(has.shape), games.astype(float)
    for A, links, column in ((payoffs[0], W, False), (payoffs[1], W.T, True)):
        if A is None:
            continue
        A = A[np.ix_(kinds, kinds)].T if column else A[np.ix_(kinds, kinds)]     # [own, other]
        met = [mine @ links.T + include_self * mine, theirs @ links.T + include_self * theirs]
        total += np.where(has == 1, met[0] * A[1, 0] + met[1] * A[1, 1], met[0] * A[0, 0] + met[1] * A[0, 1])
        if column:
            played = played + W.sum(axis=0) + include_self
    return np.divide(total, played, out=np.zeros_like(total), where=played > 0) if average else total


def _chances(update, has, pay, W, selection):
    """Return how likely each site is, in an event, to get the mutant's strategy, and the resident's."""
    n = len(W)
    into, share = W.sum(axis=0), np.divide(W, W.sum(axis=1, keepdims=True), out=np.zeros_like(W),
                                           where=W.sum(axis=1, keepdims=True) > 0)
    listen = np.divide(W, into, out=np.zeros_like(W), where=into > 0)           # [j, i]: i looks at j
    if update == "pairwise_comparison":
        with np.errstate(over="ignore"):
            take = 1 / (1 + np.exp(-selection * (pay[:, :, None] - pay[:, None, :])))      # [state, j, i]
        each = listen[None] * take / n
        return (each * has[:, :, None]).sum(axis=1), (each * (1 - has)[:, :, None]).sum(axis=1)
    fit = 1 + selection * pay
    if not fit.min() > 0:
        at = np.unravel_index(int(fit.argmin()), fit.shape)
        raise ValueError(f"selection must leave every fitness 1 + selection · payoff above 0, and {selection:g} makes "
                         f"that of site {at[1]} {fit[at]:g} in one state")
    both = [fit * has, fit * (1 - has)]                                         # of mutants, of residents
    if update == "birth_death":
        return tuple(one / fit.sum(axis=1, keepdims=True) @ share for one in both)
    own = fit if update == "imitation" else 0.0
    all_ = fit @ W + own
    return tuple(np.divide(one @ W + (one if update == "imitation" else 0), all_, out=np.zeros_like(fit),
                           where=all_ > 0) / n for one in both)


def _asked(update, has, pay, kinds):
    """Ask a callable in every state."""
    up, down = np.zeros(has.shape), np.zeros(has.shape)
    n = has.shape[1]
    for k, (row, earned) in enumerate(zip(has, pay, strict=True)):
        copies = np.asarray(update(np.where(row, kinds[1], kinds[0]), earned.copy()), float)
        if copies.shape != (n, n) or not (np.isfinite(copies).all() and copies.min() >= 0
                                          and copies.sum() <= 1 + 1e-9):
            raise ValueError(f"update must return an ({n}, {n}) matrix of probabilities with a sum of at most 1, and "
                             f"for the strategies {np.where(row, kinds[1], kinds[0]).tolist()} it did not")
        up[k], down[k] = copies @ row, copies @ (1 - row)
    return up, down


def _solved(has, change) -> Fixation:
    """Solve for absorption; ``change`` holds the probability of each site's strategy changing, by state."""
    states, n = has.shape
    last = states - 1
    inner = np.arange(1, last)
    if n == 1:
        return Fixation(np.array([0.0, 1.0]), np.zeros(2), np.array([np.nan, 0.0]), 1)
    leaves = -np.diag(change[inner].sum(axis=1))
    to = inner[:, None] ^ (1 << np.arange(n))
    inside = (to > 0) & (to < last)
    rows = np.broadcast_to(np.arange(len(inner))[:, None], to.shape)
    leaves[rows[inside], to[inside] - 1] += change[inner][inside]
    wins = np.where(to == last, change[inner], 0).sum(axis=1)
    _absorbed(change, inner, to)
    from scipy.linalg import lu_factor, lu_solve

    factors = lu_factor(-leaves)
    found = lu_solve(factors, np.column_stack([wins, np.ones(len(inner))]))
    if not (found[:, 1].min() >= 1 - 1e-9 and found[:, 1].max() < 5e9):
        raise ValueError("selection must let one strategy take over within 5e9 events on average, which is as far as "
                         "the equations can be solved in double precision, and from some states it takes longer")
    chance = np.concatenate([[0.0], np.clip(found[:, 0], 0, 1), [1.0]])
    events = np.concatenate([[0.0], found[:, 1], [0.0]])
    until = lu_solve(factors, chance[1:last])
    ever = chance > 1e-11
    if_fixed = np.full(states, np.nan)
    if_fixed[1:last] = np.divide(until, chance[1:last], out=np.full(len(inner), np.nan), where=ever[1:last])
    if_fixed[last] = 0.0
    return Fixation(chance, events, if_fixed, n)


def _absorbed(change, inner, to):
    """Refuse a chain that can stay for ever where there are both strategies."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    states = len(change)
    steps = change[inner] > 0
    a, b = np.broadcast_to(inner[:, None], to.shape)[steps], to[steps]
    back = csr_array((np.ones(len(a) + 1, bool), (np.append(b, states - 1), np.append(a, 0))), (states, states))
    reach = breadth_first_order(back, states - 1, return_predecessors=False)   # from either end backwards
    if len(reach) < states:
        stuck = int(np.setdiff1d(np.arange(states), reach)[0])
        sites = [i for i in range(stuck.bit_length()) if stuck >> i & 1]
        raise ValueError("topology must let one strategy take over in the end, and from the state in which sites "
                         f"{sites} alone have the mutant's strategy neither can")
