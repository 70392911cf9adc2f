"""Whose opinion counts how much for what voters agree on."""

from __future__ import annotations

import numpy as np

from .._checks import closest
from ..interact._activate import ACTIVATIONS, _clocks
from ..interact._walks import walk

__all__ = ["opinion_weights"]

RULES = ("voter", "invasion")
#: Sites up to which all orders of a sweep are gone through (by subsets).
MOST_SITES = 12


def opinion_weights(topology, rule: str = "voter", activation: str = "replacement", *, rates=None,
                    direction: str = "out", weights="ties") -> np.ndarray:
    """Calculate whose opinion counts how much for what voters agree on.

    Exact. Σ_i π_i x_i stays the same on average from sweep to sweep, so if in the end all agree, it is on x with
    probability Σ π_i [x_i = x]; and means that are repeated under "synchronous" (DeGroot 1974) end at Σ π_i x_i. π is
    the left eigenvector, for 1, of the mean effect of a sweep on opinions. Time grows as N³, memory as N².

    On undirected graphs of degrees k_i, under "replacement" and "exponential" with equal rates, π_i ∝ k_i for voters
    and ∝ 1/k_i for invasion; under "edge" and "pairs" all count alike. Under "fixed" and "permutation" later sites see
    what earlier ones have taken over, and the weights are not these.

    Parameters
    ----------
    topology : Topology
        N sites; under "permutation" at most 12.
    rule : {"voter", "invasion"}
        Takes the opinion of a neighbour, or gives its own to one; see :func:`organism.interact.activate`.
    activation : str
        As there; "invasion" not "synchronous".
    rates, direction, weights
        As there.

    Returns
    -------
    ndarray of float64, shape (N,)
        π, with sum 1.

    Raises
    ------
    ValueError
        If there are several groups whose members listen to nobody outside: then they need not agree. Or if
        opinions can go round for ever, as under "synchronous" between the two sides of a bipartite graph.

    References
    ----------
    Suchecki, Eguíluz, San Miguel (2005) Conservation laws for the voter model in complex networks. *Europhysics
    Letters* 69: 228-234. Castellano (2005) *AIP Conf. Proc.* 779: 114. Sood, Antal, Redner (2008) Voter models on
    heterogeneous networks. *Physical Review E* 77: 041121. DeGroot (1974) *J. American Statistical Association* 69:
    118-121.

    Examples
    --------
    >>> from organism import Topology
    >>> star = Topology.from_edges([0, 0, 0, 1, 2, 3], [1, 2, 3, 0, 0, 0], 4)
    >>> opinion_weights(star).round(6)
    array([0.5     , 0.166667, 0.166667, 0.166667])
    """
    along = walk(topology, 1, direction)
    for name, one, known in (("rule", rule, RULES), ("activation", activation, ACTIVATIONS)):
        if one not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {one!r}"
                             + closest(str(one), known))
    if rule == "invasion" and activation == "synchronous":
        raise ValueError("activation of 'invasion' must not be 'synchronous': two sites could write to one")
    n = topology.n_sites
    clocks = _clocks(topology, rates, activation)
    weight = along.weights(weights, np.float64)
    if weight is not None and len(weight) and weight.min() < 0:
        raise ValueError(f"weights must not be negative, and one is {weight.min():g}")
    if activation == "pairs" or n == 1:                              # whoever meets, either is the first as often
        return np.full(n, 1 / n)
    sites = np.repeat(np.arange(n), np.diff(along.ptr))
    look = np.zeros((n, n))
    look[sites, along.end] = 1.0 if weight is None else weight
    total = look.sum(axis=1, keepdims=True)
    look = np.divide(look, total, out=np.zeros_like(look), where=total > 0)
    order = np.argsort(topology.site_id, kind="stable")
    return _left(_sweep(topology, look, rule, activation, clocks, order), activation)


def _heard(look, rule, i, opinions) -> None:
    """Let an event happen at site i, on average, to rows of opinions."""
    if not look[i].any():
        return
    if rule == "voter":
        opinions[i] = look[i] @ opinions
    else:
        told = np.flatnonzero(look[i])
        opinions[told] += look[i, told, None] * (opinions[i] - opinions[told])


def _sweep(topology, look, rule, activation, clocks, order) -> np.ndarray:
    """Return the mean effect of a sweep on opinions, (N, N)."""
    n = len(look)
    if activation == "edge":
        near = np.zeros((n, n))
        near[topology.source, topology.target] = 1
        near = near + near.T                            # either end of a uniform tie is the first as often
        return np.eye(n) + (near - np.diag(near.sum(axis=1))) / near.sum()
    silent = ~look.any(axis=1)
    if activation == "synchronous":
        return look + np.diag(silent.astype(float))
    if activation == "fixed":
        made = np.eye(n)
        for i in order:
            _heard(look, rule, i, made)
        return made
    if activation == "permutation":
        return _orders(look, rule)
    chance = np.full(n, 1 / n)
    if clocks is not None:
        chance[order] = np.diff(clocks, prepend=0) / clocks[-1]
    taken = chance[:, None] * look if rule == "voter" else (chance[:, None] * look).T      # [who, from whom]
    return np.eye(n) + taken - np.diag(taken.sum(axis=1))


def _orders(look, rule) -> np.ndarray:
    """Return the mean over all orders: that of a set is the mean over who is last in it."""
    n = len(look)
    if n > MOST_SITES:
        raise ValueError(f"topology must have at most {MOST_SITES} sites under 'permutation', where the orders of a "
                         f"sweep are gone through, not {n}")
    mean = {0: np.eye(n)}
    for size in range(1, n + 1):
        new = {}
        for one in range(1 << n):
            if one.bit_count() != size:
                continue
            total = np.zeros((n, n))
            for i in range(n):
                if one >> i & 1:
                    after = mean[one ^ 1 << i].copy()
                    _heard(look, rule, i, after)
                    total += after
            new[one] = total / size
        mean = new
    return mean[(1 << n) - 1]


def _left(effect, activation: str) -> np.ndarray:
    """Return the left eigenvector for 1, if there is just one."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(effect)
    across = effect * (1 - np.eye(n)) > 0
    parts, part = connected_components(csr_array(across), True, "strong")
    listens = np.zeros(parts, bool)
    for i, j in zip(*np.nonzero(across), strict=True):
        listens[part[i]] |= part[i] != part[j]
    if (~listens).sum() > 1:
        one, other = (int(np.flatnonzero(part == k)[0]) for k in np.flatnonzero(~listens)[:2])
        raise ValueError(f"topology must let all agree, and sites {one} and {other} never hear of each other, not even "
                         "through others")
    core = np.flatnonzero(part == np.flatnonzero(~listens)[0])      # who alone decides
    inner = effect[np.ix_(core, core)]
    if _swings(inner):
        raise ValueError("topology must not be bipartite, nor otherwise lead in circles of one length, under "
                         f"{activation!r}: opinions go round for ever there")
    system = (inner.T - np.eye(len(core)))
    system[-1] = 1.0                                    # in place of an equation that follows from the others
    right = np.zeros(len(core))
    right[-1] = 1.0
    weights = np.zeros(n)
    weights[core] = np.maximum(np.linalg.solve(system, right), 0)
    return weights / weights.sum()


def _swings(inner) -> bool:
    """Tell whether all circles of a strongly connected graph have lengths with a common divisor above 1."""
    import networkx as nx

    if inner.diagonal().any():
        return False
    return not nx.is_aperiodic(nx.from_numpy_array(inner, create_using=nx.DiGraph))
