"""Diffusion by the patterns that it shrinks without changing them."""

from __future__ import annotations

import numpy as np

from .._checks import number, whole
from ..interact._walks import array_of, read, walk

__all__ = ["diffusion", "diffusion_modes"]


def diffusion_modes(topology) -> tuple[np.ndarray, np.ndarray]:
    """Calculate the modes of diffusion: eigenvalues and eigenvectors of the graph's Laplacian.

    Exact. L = D − W. A step of :func:`organism.interact.diffuse` with rate h multiplies mode k by 1 − hλ_k; diffusion
    in continuous time multiplies it by exp(−λ_k t). On a ring of N sites λ = 2 − 2 cos(2πk/N).

    Parameters
    ----------
    topology : Topology
        N sites, undirected, weighted or not. Time grows as N³.

    Returns
    -------
    eigenvalues : ndarray of float64, shape (N,)
        Ascending from 0.
    modes : ndarray of float64, shape (N, N)
        One a column, of length 1, orthogonal.

    Raises
    ------
    ValueError
        If the topology is directed.

    References
    ----------
    Chung (1997) *Spectral Graph Theory*; Olfati-Saber, Fax, Murray (2007) Consensus and cooperation in networked
    multi-agent systems. *Proc. IEEE* 95: 215-233.

    Examples
    --------
    >>> from organism import Topology
    >>> diffusion_modes(Topology.grid((4,)))[0].round(9)
    array([0., 2., 2., 4.])
    """
    walk(topology)
    n = topology.n_sites
    W = np.zeros((n, n))
    W[topology.source, topology.target] = 1.0 if topology.weight is None else topology.weight
    if not np.allclose(W, W.T, rtol=1e-12, atol=0):
        raise ValueError("topology must be undirected: every tie with its reverse, of the same weight")
    values, modes = np.linalg.eigh(np.diag(W.sum(axis=1)) - W)
    values[np.abs(values) < 1e-12 * max(1.0, values[-1])] = 0.0
    return values, modes


def diffusion(topology, values, rate: float, time: float, *, continuous: bool = False) -> np.ndarray:
    """Calculate what diffusion makes of a pattern, by its modes.

    Exact, to rounding: Σ_k v_k (1 − hλ_k)^t v_k·x, what ``time`` synchronous steps of
    :func:`organism.interact.diffuse` make of it; or in continuous time Σ_k v_k exp(−hλ_k t) v_k·x.

    Parameters
    ----------
    topology : Topology
        N sites, undirected, weighted or not.
    values : array_like of float, shape (N,) or (N, …), or the grid's shape and further columns
    rate : float
        h, at least 0.
    time : int, or float if ``continuous``
        t, at least 0.
    continuous : bool, default False

    Returns
    -------
    ndarray of float64
        Of the shape of ``values``.

    Raises
    ------
    TypeError, ValueError
        If values are not finite or do not fit, the topology is directed, or the steps explode.

    References
    ----------
    LeVeque (2007) *Finite Difference Methods for Ordinary and Partial Differential Equations*, chapter 9.

    Examples
    --------
    >>> from organism import Topology
    >>> diffusion(Topology.grid((6,), torus=False), [1, 0, 0, 0, 0, 0], 0.1, 15).round(4)
    array([0.4314, 0.3114, 0.1652, 0.0659, 0.0203, 0.0057])
    """
    rows, shape = read("values", array_of("values", values), topology)
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise ValueError(f"values must be finite; those of site {int(np.argwhere(~np.isfinite(rows))[0, 0])} are not")
    if not isinstance(continuous, bool | np.bool_):
        raise TypeError(f"continuous must be true or false, not {continuous!r:.60}")
    rate = number("rate", rate, 0, np.inf, "[)")
    time = number("time", time, 0, np.inf, "[)") if continuous else whole("time", time, 0)
    eigenvalues, modes = diffusion_modes(topology)
    with np.errstate(over="ignore", invalid="ignore"):
        shrink = np.exp(-rate * time * eigenvalues) if continuous else (1 - rate * eigenvalues)**time
        made = modes @ (shrink[:, None] * (modes.T @ rows))
    if not np.isfinite(made).all():
        if continuous:
            raise ValueError(f"rate times time must be finite, and {rate:g} times {time:g} is not")
        raise ValueError(f"rate must keep {time:g} steps finite, and {rate:g} does not: steps explode beyond "
                         f"{2 / eigenvalues[-1]:g}")
    return made.reshape(shape)
