"""Since when two sites have had one ancestor, and what follows for cooperation on a graph."""

from __future__ import annotations

import numpy as np

from ..interact._walks import walk

__all__ = ["coalescence_times", "critical_benefit_to_cost"]


def _steps(topology):
    """Return the random walk on an undirected, connected graph, and how often it is where."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    walk(topology)
    n = topology.n_sites
    W = sparse.csr_array((np.ones(topology.n_ties) if topology.weight is None else topology.weight.astype(float),
                          (topology.source, topology.target)), shape=(n, n))
    if n < 2:
        raise ValueError("topology must have at least 2 sites, not 1")
    if abs(W - W.T).max() > 1e-12 * abs(W).max():
        raise ValueError("topology must be undirected: every tie with its reverse, of the same weight")
    if W.nnz and W.data.min() < 0:
        raise ValueError(f"topology must have no negative weights, and has one of {W.data.min():g}")
    W.eliminate_zeros()
    if connected_components(W, directed=False, return_labels=False) > 1:
        raise ValueError("topology must be connected: sites of different parts never have one ancestor")
    strength = np.asarray(W.sum(axis=1)).ravel()
    return (sparse.diags_array(1 / strength) @ W).tocsr(), strength / strength.sum()


def coalescence_times(topology) -> np.ndarray:
    """Calculate the expected times at which the lines of descent of two sites meet.

    Exact, for neutral death-birth updating: τ_ij = 1 + ½ Σ_k (p_ik τ_jk + p_jk τ_ik), τ_ii = 0, p_ij being the share of
    the tie i–j in all that i has. In a unit of time one of the two lines takes a step on average.

    Parameters
    ----------
    topology : Topology
        N sites, undirected, connected, weighted or not. Time and memory grow as N² times the mean degree and N².

    Returns
    -------
    ndarray of float64, shape (N, N)

    Raises
    ------
    ValueError
        If the topology has one site, is directed or falls into parts, or has negative weights.

    References
    ----------
    Allen, Lippner, Chen, Fotouhi, Momeni, Yau, Nowak (2017) Evolutionary dynamics on any population structure.
    *Nature* 544: 227-230, equation 1.

    Examples
    --------
    >>> from organism import Topology
    >>> coalescence_times(Topology.grid((4,)))[0].round(9)
    array([0., 3., 4., 3.])
    """
    P, visits = _steps(topology)
    return _times(P, visits)


def _times(P, visits) -> np.ndarray:
    """Solve for the times by conjugate gradients: scaled by √π the walk is symmetric, so X − ½(SX + XS) is too."""
    from scipy import sparse
    from scipy.sparse.linalg import LinearOperator, cg

    n, root = P.shape[0], np.sqrt(visits)
    S = (sparse.diags_array(root) @ P @ sparse.diags_array(1 / root)).tocsr()
    right = np.outer(root, root)
    np.fill_diagonal(right, 0)

    def apply(x):
        X = x.reshape(n, n)
        part = S @ X
        Y = X - .5 * (part + part.T)            # X is symmetric, as all that starts from the symmetric right side
        np.fill_diagonal(Y, 0)
        return Y.ravel()

    found, failed = cg(LinearOperator((n * n, n * n), matvec=apply, dtype=float), right.ravel(), rtol=1e-14,
                       maxiter=200 * n)
    if failed:
        raise RuntimeError(f"the coalescence times of the {n} sites were not found with {200 * n} iterations")
    return found.reshape(n, n) / right.clip(1e-300) * (1 - np.eye(n))


def critical_benefit_to_cost(topology) -> float:
    """Calculate from which ratio of benefit to cost on selection favours cooperation on a graph.

    In the limit of weak selection, for death-birth updating and averaged payoffs: cooperators pay c to give b to a
    neighbour, and one cooperator among defectors is fixed more often than in one of N cases if b/c is above
    (b/c)* = t₂/(t₃ − t₁), t_n being the mean coalescence time of the ends of a walk of n steps.

    Parameters
    ----------
    topology : Topology
        Undirected, connected, weighted or not.

    Returns
    -------
    float
        Negative where only spite, harming others at a cost to oneself, can be favoured (b/c below it); infinite where
        neither can. On regular graphs (N − 2)/(N/k − 2).

    Raises
    ------
    ValueError
        As for :func:`coalescence_times`.

    References
    ----------
    Allen et al. (2017) *Nature* 544: 227-230, equation 2. Taylor, Day, Wild (2007) Evolution of cooperation in a finite
    homogeneous graph. *Nature* 447: 469-472. Ohtsuki, Hauert, Lieberman, Nowak (2006) *Nature* 441: 502-505.

    Examples
    --------
    >>> from organism import Topology
    >>> round(critical_benefit_to_cost(Topology.grid((10,))), 6)
    2.666667
    """
    P, visits = _steps(topology)
    X, t = _times(P, visits), []
    for _ in range(3):
        X = P @ X                               # times from the end of a longer and longer walk to its start
        t.append(float(visits @ X.diagonal()))
    gain = t[2] - t[0]
    return float("inf") if abs(gain) <= 1e-9 * max(t) else t[1] / gain
