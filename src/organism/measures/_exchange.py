"""What members give each other, and how far they live on it."""

from __future__ import annotations

import numpy as np

from .._slices import LANES
from ._sources import column, is_world, mean, ratio

__all__ = ["dependence", "given", "reciprocity", "share_propensity", "share_rate"]


def given(source) -> float:
    """Return the goods a living member sent in the last tick, on average (goods/tick)."""
    return mean(column(source, "given"))


def share_rate(source) -> float:
    """Return the fraction of the living that were willing to share in the last tick."""
    return mean(column(source, "shared"))


def share_propensity(world, *, each: bool = False):
    """Return σ(φ·g): how ready members are to share, without the exploration floor.

    Parameters
    ----------
    world : World
    each : bool, default False
        Return one value a member instead of the mean.
    """
    policy = column(world, "share_policy")
    logit = policy[:, 0] + 0.0
    if policy.shape[1] > 1:
        logit += (policy[:, 1:] * column(world, "share_feature")).sum(axis=1)
    values = 0.5 * (1 + np.tanh(0.5 * logit))
    return values if each else mean(values)


def dependence(world, *, each: bool = False):
    """Return imports over consumption: how far members live on what others give.

    imports_i = Σ_j L_ji, what arrived in the decayed record of i's in-ties, counted
    as sent; consumption_i is all that i burned, decayed with the same γ
    (``exchange.memory``). 0/0 = 0. The very number that interdependence care reads.

    Parameters
    ----------
    world : World
    each : bool, default False
        Return one value a member instead of the mean.

    Returns
    -------
    float or ndarray of shape (members,)
        0 = lives on its own work; above 1 where more arrives than is burned.
    """
    values = ratio(_imports(world)[world.living], column(world, "consumption"))
    return values if each else mean(values)


def _imports(world) -> np.ndarray:
    """Return the traces of the in-ties of each site, summed: as they are stored, for ``world.tie`` would sort them."""
    start = world.topology.in_ptr // LANES
    some = np.diff(start) > 0    # slices without a slot have no sum
    imports = np.zeros((len(some), LANES))
    trace = world._ties["trace"].astype(np.float64).reshape(-1, LANES)    # empty slots hold 0
    imports[some] = np.add.reduceat(trace, start[:-1][some], axis=0)
    return imports.ravel()


def reciprocity(source) -> float:
    """Return the share of the flow that is returned: Σ min(f_ij, f_ji) / Σ f_ij.

    Parameters
    ----------
    source : World or sparse matrix of shape (n, n)
        A world (its decayed traces are read) or flows, row = giver, such as
        :func:`organism.flows.flow_matrix` makes.

    Returns
    -------
    float
        0 if every flow is one-way (or there is none), 1 if all are returned in full.

    References
    ----------
    Squartini, Picciolo, Ruzzenenti & Garlaschelli (2013) Reciprocity of weighted
    networks. *Scientific Reports* 3:2729, eq. 4.
    """
    if is_world(source):
        flow, topology = source._ties["trace"], source.topology    # by in-slot; empty slots, and the last, hold 0
        slot = topology.in_to_out    # of the reverse, if undirected
        back = flow.take(slot if topology.mate is None else topology.mate.take(slot))
        return float(ratio(np.minimum(flow, back).sum(dtype=float), flow.sum(dtype=float)))
    from scipy import sparse

    flow = sparse.csr_array(source, dtype=float)
    return float(ratio(flow.minimum(flow.T).sum(), flow.sum()))
