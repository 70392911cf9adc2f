"""What a graph does: how well it tells what comes next, seen closely and from afar, and who stands between others."""

from __future__ import annotations

import math
import numbers

import numpy as np

from .._checks import closest
from ..measures._sources import entropy

__all__ = ["brokerage", "causal_emergence", "coarse_grained", "effective_information"]

STEADY = ("uniform", "stationary")


def _weights(graph):
    """Return the weights of a graph or matrix as a CSR array, and the nodes' names."""
    from scipy import sparse

    if hasattr(graph, "edges") and hasattr(graph, "nodes"):
        import networkx as nx

        if not len(graph):
            raise ValueError("graph must have at least one node, and has none")
        W, nodes = nx.to_scipy_sparse_array(graph, dtype=float, format="csr"), list(graph.nodes)
    else:
        try:
            if np.iscomplexobj(graph):
                raise TypeError
            W = sparse.csr_array(graph, dtype=float) if sparse.issparse(graph) else np.array(graph, float)
        except (TypeError, ValueError):
            W = np.zeros(0)
        if W.ndim != 2 or W.shape[0] != W.shape[1] or not W.shape[0]:
            raise ValueError("graph must be a networkx graph, or a square matrix of numbers of at least one node, not "
                             f"{f'of shape {W.shape}' if W.ndim == 2 else f'{graph!r:.60}'}")
        W, nodes = sparse.csr_array(W), list(range(W.shape[0]))
    if W.nnz and not (np.isfinite(W.data).all() and W.data.min() >= 0):
        raise ValueError("graph must have finite weights of 0 or more")
    if W.nnz and (W.data.max() > 1e100 or W.data.max() < 1e-100):
        W = W.copy()
        W.data = W.data / W.data.max()                  # only ratios count
    return W, nodes


def _turns(W):
    """Return the steps of a random walk, of the nodes that have ties out."""
    from scipy import sparse

    out = np.asarray(W.sum(axis=1)).ravel()
    has = out > 0
    return (sparse.diags_array(np.divide(1, out, out=np.zeros(len(out)), where=has)) @ W).tocsr(), has


def effective_information(graph) -> float:
    """Return the effective information of a graph, in bits.

    EI = H(⟨W_out⟩) − ⟨H(W_out)⟩: how much one step of a random walk tells about where it was, if all nodes are equally
    likely to be where it was. W_out are the shares in which a node's weight goes out; nodes with nothing going out are
    left out.

    Parameters
    ----------
    graph : networkx graph, or array_like or sparse array of shape (N, N)
        Directed (row = from) or not, weighted or not.

    Returns
    -------
    float
        In [0, log₂ N].

    Raises
    ------
    ValueError
        If there is no node, or a weight is negative or not finite.

    References
    ----------
    Klein, Hoel (2020) The emergence of informative higher scales in complex networks. *Complexity* 2020: 8932526,
    equation 1.

    Examples
    --------
    >>> import networkx as nx
    >>> effective_information(nx.cycle_graph(8, create_using=nx.DiGraph))
    3.0
    """
    turns, has = _turns(_weights(graph)[0])
    if not has.any():
        return 0.0
    mean = np.asarray(turns[has].mean(axis=0)).ravel()
    noise = -float((turns.data * np.log2(np.where(turns.data > 0, turns.data, 1))).sum()) / int(has.sum())
    return float(max(0.0, entropy(mean) - noise))


def coarse_grained(graph, groups, within: str = "stationary") -> np.ndarray:
    """Return the walk between groups of nodes.

    Parameters
    ----------
    graph
        As :func:`effective_information` takes it.
    groups : array_like, shape (N,), or dict of node to group, or list of sets of nodes
        The group of each node, in the order of the graph's nodes; or as `networkx.community` finds them.
    within : {"stationary", "uniform"}
        Where in a group the walk is: as often as a long walk that begins anywhere is there, or everywhere alike. Where
        a long walk never is, everywhere alike too; else, with "stationary" the walk between groups is as often in each
        as the one between nodes.

    Returns
    -------
    ndarray of float64, shape (groups, groups)
        Rows sum to 1 (to 0 where nothing goes out of a group); groups in ascending order, sets in that given.

    Raises
    ------
    TypeError, ValueError
        If groups do not have every node once, or a weight is negative or not finite.

    References
    ----------
    Klein, Hoel (2020), equations 8 to 10.
    """
    W, nodes = _weights(graph)
    labels = _labels(groups, nodes)
    if within not in STEADY:
        raise ValueError(f"within must be 'stationary' or 'uniform', not {within!r}" + closest(str(within), STEADY))
    turns, has = _turns(W)
    often = has.astype(float)
    if within == "stationary":
        often = _visits(W, turns, has)
        never = np.bincount(labels, often) == 0
        often = np.where(never[labels], has, often)
    k = int(labels.max()) + 1
    member = np.zeros((len(labels), k))
    member[np.arange(len(labels)), labels] = 1
    joint = (member * often[:, None]).T @ (turns @ member)
    total = joint.sum(axis=1, keepdims=True)
    return np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)


def _labels(groups, nodes) -> np.ndarray:
    """Return the number of each node's group."""
    if isinstance(groups, dict):
        missing = [node for node in nodes if node not in groups]
        if missing:
            raise ValueError(f"groups must have every node, and {missing[0]!r} is missing")
        given = [groups[node] for node in nodes]
    else:
        try:
            given = list(groups)
        except TypeError:
            raise TypeError(f"groups must be the group of each node, or sets of nodes, not {groups!r:.60}") from None
        if given and all(isinstance(one, (set, frozenset, list, tuple)) for one in given):
            of = {node: k for k, one in enumerate(given) for node in one}
            if len(of) != sum(map(len, given)) or set(of) != set(nodes):
                raise ValueError("groups must have every node of the graph exactly once")
            return np.array([of[node] for node in nodes])
    if len(given) != len(nodes):
        raise ValueError(f"groups must name one for each of the {len(nodes)} nodes, not for {len(given)}")
    given = [one.item() if isinstance(one, np.generic) else one for one in given]
    try:
        if any(one != one for one in set(given)):       # NaN is not even itself
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError("groups must be named by numbers or text, one name for each node, not NaN or several") from None
    try:
        names = sorted(set(given))
    except TypeError:
        names = list(dict.fromkeys(given))              # of several kinds: as they come
    number = {name: k for k, name in enumerate(names)}
    return np.array([number[one] for one in given])


def _visits(W, turns, has) -> np.ndarray:
    """Return how often a long walk that begins anywhere alike is where; where nothing goes out it begins anew."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import spsolve

    n = len(has)
    if has.all() and not (abs(W - W.T) > 0).nnz:        # of ties both ways: as strong as it is, in each part
        parts, part = connected_components(W, False)
        strength = np.asarray(W.sum(axis=1)).ravel()
        return strength / np.bincount(part, strength)[part] * np.bincount(part)[part] / n
    if not has.all():                                   # a node more, from which it begins
        anew = sparse.csr_array(np.full((1, n), 1 / n))
        lost = sparse.csr_array((~has).astype(float)[:, None])
        turns = sparse.block_array([[turns, lost], [anew, None]]).tocsr()
    m = turns.shape[0]
    begin = np.zeros(m)
    begin[:n] = 1 / n
    parts, part = connected_components(turns, True, "strong")
    ends = turns.tocoo()
    leaves = np.zeros(parts, bool)
    leaves[part[ends.row[part[ends.row] != part[ends.col]]]] = True
    passing = np.flatnonzero(leaves[part])
    if passing.size:                                    # how much of it comes to stay where
        inside = turns[passing][:, passing]
        through = spsolve((sparse.eye_array(len(passing)) - inside).T.tocsc(), begin[passing])
        begin = begin + turns[passing].T @ np.atleast_1d(through)
    often = np.zeros(m)
    for one in np.flatnonzero(~leaves):
        here = np.flatnonzero(part == one)
        if len(here) == 1:
            often[here] = begin[here]
            continue
        often[here] = begin[here].sum() * _steady(turns[here][:, here])
    return often[:n] / often[:n].sum()


def _steady(own) -> np.ndarray:
    """Return how often a walk that cannot leave is where."""
    from scipy import sparse
    from scipy.sparse.linalg import spsolve

    n = own.shape[0]
    if n > 600:                                         # one unknown is 1, the others follow
        left = (own.T - sparse.eye_array(n)).tocsc()
        p = np.append(spsolve(left[:-1, :-1], -left[:-1, [-1]].toarray().ravel()), 1.0)
        return np.maximum(p, 0) / np.maximum(p, 0).sum()
    P = own.toarray()                                   # without subtraction: what is rare keeps its digits
    for k in range(n - 1, 0, -1):
        P[:k, k] /= P[k, :k].sum()
        P[:k, :k] += np.outer(P[:k, k], P[k, :k])
    p = np.ones(n)
    for k in range(1, n):
        p[k] = p[:k] @ P[:k, k]
    return p / p.sum()


def causal_emergence(graph, groups, within: str = "stationary") -> float:
    """Return by how much more a graph tells when its nodes are taken as groups, in bits.

    EI of the walk between groups less EI of the walk between nodes. Above 0: the scale of the groups is the more
    informative one. A division that was searched for needs a null: the same search on graphs without groups.

    Parameters
    ----------
    graph, groups, within
        As for :func:`coarse_grained`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        As for :func:`coarse_grained`.

    References
    ----------
    Hoel, Albantakis, Tononi (2013) Quantifying causal emergence shows that macro can beat micro. *PNAS* 110:
    19790-19795. Klein, Hoel (2020).

    Examples
    --------
    Two halves, each of which goes over to anywhere in the other:

    >>> import numpy as np
    >>> half = np.ones((4, 4))
    >>> causal_emergence(np.block([[0 * half, half], [half, 0 * half]]), [0] * 4 + [1] * 4)
    0.0
    >>> noise = np.block([[half, 0 * half], [0 * half, half]])
    >>> noise[7] = [0, 0, 0, 0, 0, 0, 0, 1]
    >>> round(effective_information(noise), 3), round(causal_emergence(noise, [0] * 4 + [1] * 4), 3)
    (1.19, -0.19)
    """
    return effective_information(coarse_grained(graph, groups, within)) - effective_information(graph)


def brokerage(graph) -> dict:
    """Return who stands between others: the share of the shortest ways on which a node lies.

    Betweenness, the length of an edge being one over its weight: where more flows it is nearer. Ways that are equally
    long share; of weights that are not whole numbers rounding decides which are.

    Parameters
    ----------
    graph : networkx graph
        Such as :func:`interdependence` makes; weights above 0, or none.

    Returns
    -------
    dict of node to float
        In [0, 1]: of all pairs of other nodes.

    Raises
    ------
    TypeError, ValueError
        If it is no graph, or a weight is negative or not finite.

    References
    ----------
    Freeman (1977) A set of measures of centrality based on betweenness. *Sociometry* 40: 35-41. Brandes (2001) A faster
    algorithm for betweenness centrality. *J. Mathematical Sociology* 25: 163-177.

    Examples
    --------
    >>> import networkx as nx
    >>> brokerage(nx.path_graph(3))
    {0: 0.0, 1: 1.0, 2: 0.0}
    """
    from fractions import Fraction

    import networkx as nx

    if not hasattr(graph, "edges"):
        raise TypeError(f"graph must be a networkx graph, not {type(graph).__name__}")
    flows = nx.DiGraph() if graph.is_directed() else nx.Graph()
    flows.add_nodes_from(graph)
    for a, b, weight in graph.edges(data="weight", default=1.0):
        if not isinstance(weight, numbers.Real) or not 0 <= weight < 1e300 or 0 < weight < 1e-300:
            raise ValueError("graph must have finite weights of 0 or more; that of the edge "
                             f"{a!r}, {b!r} is {weight!r:.60}")
        if weight > 0:                                  # parallel edges add up
            flows.add_edge(a, b, flow=weight + (flows[a][b]["flow"] if flows.has_edge(a, b) else 0))
    found = {data["flow"] for _, _, data in flows.edges(data=True)}
    if len(found) < 2:
        return nx.betweenness_centrality(flows)
    # whole numbers, or fractions, are added exactly: ways that are as long stay so, and none is lost beside a long one
    common = math.lcm(*map(int, found)) if all(float(one).is_integer() for one in found) else 0
    exact = 0 < common < 2**1000
    for _, _, data in flows.edges(data=True):
        data["length"] = (common // int(data["flow"]) if exact else 1 / Fraction(data["flow"])
                          if max(found) > 1e12 * min(found) else 1 / data["flow"])
    return nx.betweenness_centrality(flows, weight="length")
