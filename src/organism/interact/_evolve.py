"""Strategies that spread on a graph, one event after the other, in many replicates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._checks import closest, crew, number, seed, whole
from .._dispatch import games
from .._version import __version__
from ._games import coded, near, payoffs_of, strategies_of
from ._walks import address, walk

__all__ = ["Evolution", "evolve"]

EVER = 2**63 - 1
UPDATES = ("death_birth", "birth_death", "imitation", "pairwise_comparison")


@dataclass(frozen=True, eq=False)
class Evolution:
    """What came of an evolution.

    Attributes
    ----------
    fixed : ndarray of int32, shape (replicates,)
        The strategy that all sites had at the end, -1 where there were several.
    counts : ndarray of int64, shape (replicates, M)
        How many sites had each strategy at the end.
    events : ndarray of int64, shape (replicates,)
        How many events there were.
    strategies : ndarray of int32, shape (replicates, N), or None
        Who had which at the end, if asked for.
    parameters : dict
        What was asked for, the seed and the version.
    """

    fixed: np.ndarray
    counts: np.ndarray
    events: np.ndarray
    strategies: np.ndarray | None = None
    parameters: dict = field(default_factory=dict)

    @property
    def fixation(self) -> np.ndarray:
        """Share of the replicates in which each strategy was fixed, float64 (M,)."""
        held = self.fixed[self.fixed >= 0]
        return np.bincount(held, minlength=self.counts.shape[1]) / len(self.fixed)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of `fixation`, √(p (1 − p) / replicates), float64 (M,)."""
        p = self.fixation
        return np.sqrt(p * (1 - p) / len(self.fixed))

    def __repr__(self):
        said = ", ".join(f"{p:.5g} ± {e:.1g}" for p, e in zip(self.fixation, self.standard_error, strict=True))
        return f"<Evolution: {len(self.fixed)} replicates of {self.parameters.get('update')}; fixed: {said}>"


def _exact(weight, strength) -> bool:
    """Whether weights can be added and taken away in any order without rounding."""
    if weight is None or not len(weight) or not weight.any():
        return True
    mantissa, power = np.frexp(weight[weight > 0])
    whole_part = (mantissa * 2.0**53).astype(np.int64)
    lowest = np.log2((whole_part & -whole_part).astype(float)) + power - 53     # of the last bit that is set
    return bool(np.log2(max(float(strength.max()), 1.0)) - lowest.min() < 52)


def evolve(topology, payoff, update: str = "death_birth", *, initial=None, resident: int = 0, mutant: int = 1,
           selection: float = 1.0, average: bool = True, include_self: bool = False, mutation: float = 0.0,
           weights="ties", events: int | None = None, sweeps: int | None = None, to_fixation: bool | None = None,
           replicates: int = 1, keep: bool = False, rng=None, threads: int = 1) -> Evolution:
    """Let strategies spread by one rule, one event after the other, and say what comes of many replicates.

    Asynchronous, one site an event. Everybody plays with its neighbours, as in :func:`play`; F = 1 + selection · payoff
    is the fitness. Copies go along ties, from i to j along i → j, in proportion to the weight w_ij where several can.

    ========================  ======================================================================================
    "death_birth"             a uniform site dies; an in-neighbour j is chosen ∝ w F_j; its copy takes the site
    "birth_death"             a parent is chosen ∝ F among all; its copy takes an out-neighbour, chosen ∝ w
    "imitation"               a uniform site takes over from itself ∝ F or from an in-neighbour ∝ w F
    "pairwise_comparison"     a uniform site compares itself with an in-neighbour, chosen ∝ w, and takes over with
                              probability 1 / (1 + exp(−selection · (p_j − p_i))), p being payoffs
    ========================  ======================================================================================

    A site without such a neighbour changes nothing; the event counts.

    Parameters
    ----------
    topology : Topology
        N sites; may be directed and weighted.
    payoff : array_like of float, shape (M, M), or two of them
        A[own, other], or (A, B) for row (along out-ties) and column; see :func:`play`.
    update : {"death_birth", "birth_death", "imitation", "pairwise_comparison"}
    initial : array_like of int, shape (N,) or the grid's, optional
        Strategies at first, in [0, M). By default one mutant at a uniform site.
    resident, mutant : int
        Strategies, different ones, that all sites and the mutant's site have at first if ``initial`` is not given.
    selection : float, default 1
        At least 0. If fitness could become 0 or less, that is an error.
    average : bool, default True
        Whether payoffs are averaged over a site's games, by weight, or summed.
    include_self : bool, default False
        Whether a site also plays with itself.
    mutation : float, default 0
        Probability that a copy has instead a uniform strategy of all M (its own among them).
    weights : {"ties", None} or array_like of float, shape (n_ties,)
        w, at least 0, of games and of copies: those of the topology, all 1, or one a tie in the order of
        ``topology.source``.
    events, sweeps : int, optional
        The most events there can be, or so many times N of them; by default as many as fixation takes.
    to_fixation : bool, optional
        Whether a replicate ends when all sites have one strategy; by default unless there is mutation.
    replicates : int, default 1
        Independent runs. Each has a random stream of its own, xoshiro256** seeded with the seed and its number, which
        depends neither on the threads nor on how many replicates there are.
    keep : bool, default False
        Whether to return all strategies at the end.
    rng : int, SeedSequence or Generator, optional
    threads : int, default 1
        The result does not depend on it.

    Returns
    -------
    Evolution
        With `fixation` and its `standard_error`, and `fixed`, `counts` and `events` by replicate.

    Notes
    -----
    Payoffs are kept up to date where strategies change; an event takes O(degree) and, for birth-death, O(log N) steps,
    and more only where one takes over. Ctrl-C ends a run.

    References
    ----------
    Ohtsuki, Hauert, Lieberman and Nowak (2006) A simple rule for the evolution of cooperation on graphs and social
    networks. *Nature* 441: 502-505.
    Allen, Lippner, Chen, Fotouhi, Momeni, Yau and Nowak (2017) Evolutionary dynamics on any population structure.
    *Nature* 544: 227-230.
    Traulsen, Nowak and Pacheco (2006) Stochastic dynamics of invasion and fixation. *Physical Review E* 74: 011909.

    Examples
    --------
    Neutral mutants are fixed in one of N cases:

    >>> from organism import Topology
    >>> found = evolve(Topology.grid((8,)), [[1, 1], [1, 1]], replicates=4000, rng=1)
    >>> bool(abs(found.fixation[1] - 1 / 8) < 4 * found.standard_error[1])
    True
    """
    out, back = walk(topology), walk(topology, 1, "in")
    first, second, kinds = payoffs_of(payoff)
    if update not in UPDATES:
        raise ValueError(f"update must be one of {', '.join(map(repr, UPDATES))}, not {update!r}"
                         + closest(str(update), UPDATES))
    n, replicates, threads = topology.n_sites, whole("replicates", replicates, 1), crew(threads)
    selection, mutation = number("selection", selection, 0, np.inf, "[)"), number("mutation", mutation, 0, 1)
    if initial is None:
        resident, mutant = whole("resident", resident, 0), whole("mutant", mutant, 0)
        if max(resident, mutant) >= kinds or resident == mutant:
            raise ValueError(f"resident and mutant must be different strategies in [0, {kinds - 1}], not {resident} "
                             f"and {mutant}")
        start = np.full(n, resident, np.int32)
    else:
        start, mutant = coded(np.ascontiguousarray(strategies_of(topology, initial)[0]), kinds), -1
    given = [along.weights(weights, np.float64) for along in (out, back)]
    if given[0] is not None and len(given[0]) and given[0].min() < 0:
        raise ValueError(f"weights must not be negative; that of tie {int(given[0].argmin())} is {given[0].min():g}")
    most = _most(n, events, sweeps)
    to_fixation = mutation == 0 if to_fixation is None else bool(to_fixation)
    if most < 0:
        _ends(topology, given[0], mutation, to_fixation)
    sums = [np.bincount(np.repeat(np.arange(n), along.degree), weight, n) if weight is not None else along.degree
            for along, weight in zip((out, back), given, strict=True)]
    with np.errstate(over="ignore"):
        strength = np.array(sums[0] + (sums[1] if second is not None else 0), np.float64)
    strength += bool(include_self) * (1 if second is None else 2)
    _bounded((first, second), given[0], strength, selection, average)
    if update != "pairwise_comparison":
        _fit(first, second, strength, selection, average)
    counts, done = np.zeros((replicates, kinds), np.int64), np.zeros(replicates, np.int64)
    fixed = np.zeros(replicates, np.int32)
    last = np.zeros((replicates, n), np.int32) if keep else None
    order = np.argsort(topology.site_id, kind="stable").astype(np.int32)
    key = seed(rng)
    games.evolve(near(out, given[0]), near(back, given[1]), address(order), address(start), address(first),
                 address(second), address(strength), n, kinds, replicates, most, mutant, key, selection, mutation,
                 UPDATES.index(update), bool(include_self), bool(average),
                 all(_exact(weight, np.asarray(total)) for weight, total in zip(given, sums, strict=True)),
                 to_fixation, not topology.directed and given[0] is None, min(threads, replicates), address(counts),
                 address(done), address(fixed), address(last))
    about = {"update": update, "payoff": np.asarray(payoff).tolist(), "selection": selection, "average": bool(average),
             "include_self": bool(include_self), "mutation": mutation, "events": None if most < 0 else most,
             "to_fixation": to_fixation, "seed": key, "version": __version__}
    return Evolution(fixed, counts, done, last, about)


def _most(n, events, sweeps) -> int:
    """Return the most events that a replicate may take, -1 for any number."""
    if events is not None and sweeps is not None:
        raise ValueError("events and sweeps both say how long it may take: give one of them")
    if sweeps is not None:
        return min(n * whole("sweeps", sweeps, 0), EVER)
    return -1 if events is None else whole("events", events, 0)


def _ends(topology, weight, mutation, to_fixation):
    """Refuse to run for ever."""
    if mutation or not to_fixation:
        raise ValueError("events or sweeps must be given if "
                         + ("there is mutation: nothing is fixed for good" if mutation else "fixation does not end it"))
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    some = slice(None) if weight is None else weight > 0
    ends = topology.source[some], topology.target[some]
    n = topology.n_sites
    parts, part = connected_components(csr_array((np.ones(len(ends[0]), bool), ends), shape=(n, n)), True, "strong")
    fed = np.zeros(parts, bool)
    across = part[ends[0]] != part[ends[1]]
    fed[part[ends[1]][across]] = True
    if (~fed).sum() > 1:
        one, other = (int(np.flatnonzero(part == k)[0]) for k in np.flatnonzero(~fed)[:2])
        raise ValueError(f"events or sweeps must be given: no strategy can be fixed where sites {one} and {other} take "
                         "nothing over from each other, not even by others")


def _bounded(payoffs, weight, strength, selection, average):
    """Refuse weights and payoffs whose sums could be infinite: in proportion to those nobody can be chosen."""
    greatest = max(float(abs(one).max()) for one in payoffs if one is not None)
    heaviest = 1.0 if weight is None else float(weight.max(initial=1))
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(strength.sum()):
            raise ValueError(f"weights must have a finite sum over all ties, and with one of {heaviest:g} it is not")
        games_of = np.count_nonzero(strength) if average else strength.sum()
        most = greatest * strength.sum() + heaviest * (len(strength) + selection * (greatest * games_of))
    if not np.isfinite(most):
        raise ValueError("payoff must leave the sum of 1 + selection · payoff over all sites and ties finite, and one "
                         f"of {greatest:g} with selection {selection:g} could make it infinite")


def _fit(first, second, strength, selection, average):
    """Refuse payoffs that could make a fitness 0 or less."""
    least = min(float(one.min()) for one in (first, second) if one is not None)
    games_of = np.where(strength > 0, 1.0, 0.0) if average else strength
    worst = 1 + selection * games_of * least
    at = int(worst.argmin())
    if not worst[at] > 0:
        raise ValueError(f"selection must leave every fitness 1 + selection · payoff above 0, and {selection:g} could "
                         f"make that of site {at} {worst[at]:g}")
