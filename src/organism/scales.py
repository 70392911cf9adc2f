"""Measures as a function of scale, from one member to the whole.

Members are put together step by step: on a grid into boxes of side 1, 2, 4, …, elsewhere into the groups that
Louvain's method finds at ever lower resolutions. At each step it is asked how mixed the roles within groups are, how
much of the flows stays inside, how well a group tells where goods go next; and each answer is held against
chance: roles dealt out anew among members, flows dealt out anew among the same ties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._checks import seed as resolved
from ._checks import whole
from .measures import dominant_task
from .measures._sources import entropy, is_world, ratio
from .wholes import Trade, trade_of
from .wholes._detect import RESOLUTIONS, detect, nested
from .wholes._level import statistics
from .wholes._nulls import null_flows

__all__ = ["Scales", "boxes", "by_scale", "role_correlation"]

#: What is measured at each scale, and which null it is held against.
MEASURES = {"role_entropy": "roles", "closure": "flows", "individuality": "flows", "effectiveness": "flows"}


@dataclass(frozen=True, eq=False)
class Scales:
    """Measures by scale.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a scale and measure: ``scale`` (mean members in a group), ``groups``, ``measure``, ``observed``,
        ``null_mean``, ``null_low`` and ``null_high`` (least and greatest of the nulls), ``above`` and ``below``
        (p-values of so high, and so low, a value by chance).
    n_nulls, seed : int
    """

    frame: object
    n_nulls: int
    seed: int

    def __repr__(self) -> str:
        sizes = self.frame["scale"].unique()
        return f"Scales(groups of {sizes.min():.3g} to {sizes.max():.3g} members; {self.n_nulls} nulls)"


def boxes(topology, sites) -> list[np.ndarray]:
    """Return a nest of boxes on a grid: sides of 1, 2, 4, … sites, and last all in one.

    Parameters
    ----------
    topology : Topology
        A grid in one or two dimensions.
    sites : array_like of int, shape (n,)
        Of the members.

    Returns
    -------
    list of ndarray of int64, shape (n,)
        A label for each member, the finest first.

    Raises
    ------
    ValueError
        If the topology is no grid.
    """
    if topology.kind != "grid":
        raise ValueError("boxes need a grid; this topology is none")
    height, width = (1, *topology.shape)[-2:]
    row, column = np.divmod(np.asarray(sites), width)
    found, side = [], 1
    while side < max(height, width):
        found.append(np.unique(row // side * width + column // side, return_inverse=True)[1])
        side *= 2
    return [*found, np.zeros(len(row), np.int64)]


def _ladder(flows, rng, resolutions=RESOLUTIONS) -> list[np.ndarray]:
    """Return a nest of groups of any graph, the finest first: members alone, Louvain's groups, all in one."""
    n = flows.shape[0]
    found = nested([detect(flows, one, int(rng.integers(2**31))) for one in resolutions])[::-1]
    return [np.arange(n), *found, np.zeros(n, np.int64)]


def by_scale(source, roles=None, *, nest=None, n_nulls: int = 19, rng=None) -> Scales:
    """Measure roles and flows at every scale, from one member to the whole.

    Parameters
    ----------
    source : World, Reading, networkx graph or sparse array
        As :func:`organism.find_wholes` takes it.
    roles : Roles or array_like of int, shape (n,), optional
        Of the members; by default of a world what each did most. Without any, role entropy is left out.
    nest : list of array_like, shape (n,), optional
        Partitions, the finest first; by default :func:`boxes` of a grid, else Louvain's at ever lower resolutions.
    n_nulls : int, default 19
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Scales
        ``role_entropy``: mean entropy of the roles within a group over that of the population (0: each group has
        one role, 1: each group has all). ``closure``, ``individuality`` and ``effectiveness`` as in
        :func:`organism.wholes.statistics`. Where groups were found in the flows they are found again, at the same
        resolution, in each null.

    References
    ----------
    Hoel, Albantakis, Tononi (2013) Quantifying causal emergence shows that macro can beat micro. *PNAS* 110:
    19790-19795. Klein, Hoel (2020) The emergence of informative higher scales in complex networks. *Complexity* 2020:
    8932526. Bertschinger, Olbrich, Ay, Jost (2006) Information and closure in systems theory. *Proc. 7th German
    Workshop on Artificial Life*, 9-19.
    """
    import pandas as pd

    n_nulls, seed = whole("n_nulls", n_nulls, 1), resolved(rng)
    generator = np.random.default_rng(seed)
    trade = trade_of(source)
    n = len(trade.uid)
    climbed = nest is None and not (is_world(source) and source.topology.kind == "grid")
    if nest is None:
        nest = _ladder(trade.flows, generator) if climbed else boxes(source.topology, source.living)
    nest = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in nest]
    for i, labels in enumerate(nest):
        if labels.shape != (n,):
            raise ValueError(f"nest[{i}] must have one label for each of the {n} members, not shape {labels.shape}")
    if roles is None and is_world(source):
        roles = dominant_task(source)
    labels_of_roles = None if roles is None else np.asarray(getattr(roles, "labels", roles))
    if labels_of_roles is not None and labels_of_roles.shape != (n,):
        raise ValueError(f"roles must have one label for each of the {n} members, not shape {labels_of_roles.shape}")
    bare = Trade(trade.flows, (), None, None, trade.nodes, trade.uid)
    nulls = [null_flows(trade.flows, "flows", generator) for _ in range(n_nulls)] if trade.flows.nnz else []
    # boxes are where they are; groups that were found in the flows are found again in each null
    others = [_ladder(flows, generator) if climbed else nest for flows in nulls]
    rows, done = [], set()
    for i, labels in enumerate(nest):
        k = int(labels.max()) + 1
        if k in done or k == 1 and i + 1 < len(nest):
            continue
        done.add(k)
        found = {}
        if labels_of_roles is not None:
            found["role_entropy"] = (_mixed(labels_of_roles, labels), [
                _mixed(generator.permutation(labels_of_roles), labels) for _ in range(n_nulls)])
        if nulls:
            seen = statistics(bare, labels)
            chance = [statistics(bare, other[i], flows) for flows, other in zip(nulls, others, strict=True)]
            found |= {name: (seen[name], [one[name] for one in chance]) for name in MEASURES if name in seen}
        for name, (value, by_chance) in found.items():
            by_chance = np.asarray(by_chance)
            rows.append({"scale": n / k, "groups": k, "measure": name, "observed": value,
                         "null_mean": by_chance.mean(), "null_low": by_chance.min(), "null_high": by_chance.max(),
                         "above": (1 + (by_chance >= value - 1e-12).sum()) / (1 + n_nulls),
                         "below": (1 + (by_chance <= value + 1e-12).sum()) / (1 + n_nulls)})
    return Scales(pd.DataFrame(rows), n_nulls, seed)


def _mixed(roles, labels) -> float:
    """Return the mean entropy of roles within groups, over that of all."""
    roles = np.unique(roles, return_inverse=True)[1]
    k, r = int(labels.max()) + 1, int(roles.max()) + 1
    table = np.bincount(labels * r + roles, minlength=k * r).reshape(k, r).astype(float)
    size = table.sum(axis=1)
    within = float((entropy(ratio(table, size[:, None]), axis=1) * size).sum() / size.sum())
    return float(ratio(within, entropy(table.sum(axis=0) / size.sum())))


def role_correlation(world, roles=None, *, reach: int = 10, n_nulls: int = 99, rng=None):
    """Return how alike members' roles are, by how many ties they are apart, and over what distance that fades.

    Parameters
    ----------
    world : World
    roles : Roles or array_like of int, shape (n,), optional
        Of the living; by default what each did most.
    reach : int, default 10
        Greatest distance, in ties.
    n_nulls : int, default 99
        Times that roles are dealt out anew among the members.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    frame : pandas.DataFrame
        One row a distance: ``pairs``; ``correlation``, (how many pairs have the same role, less what chance gives)
        over (1 less what chance gives); ``null_low`` and ``null_high``, 2.5 and 97.5 % of the nulls.
    length : float
        Correlation length: distance at which the size of the correlation first falls to 1/e of that at one tie, by
        interpolation; 0 if there is none at one tie beyond the null; inf if it does not fall within reach.
    """
    import pandas as pd

    reach, n_nulls = whole("reach", reach, 1), whole("n_nulls", n_nulls, 1)
    generator = np.random.default_rng(resolved(rng))
    living = np.asarray(world.living)
    labels = np.asarray(getattr(roles, "labels", dominant_task(world) if roles is None else roles))
    if labels.shape != living.shape:
        raise ValueError(f"roles must have one label for each of the {len(living)} members, not shape {labels.shape}")
    ties = world.topology.to_sparse()
    ties = ((ties + ties.T) > 0).astype(float).tocsr()
    labels = np.unique(labels, return_inverse=True)[1]
    share = np.bincount(labels) / max(1, len(labels))
    chance = float((share**2).sum())
    onehot = np.zeros((world.n_sites, len(share)))
    onehot[living, labels] = 1
    draws = [generator.permutation(len(living)) for _ in range(n_nulls)]
    rows, seen = [], ties.copy()
    seen.setdiag(1)
    ring = ties
    for distance in range(1, reach + 1):
        here = ring[living][:, living].tocoo()
        if here.nnz:
            same = (labels[here.row] == labels[here.col]).mean()
            null = [(labels[d][here.row] == labels[d][here.col]).mean() for d in draws]
            scale = 1 - chance if chance < 1 else 1.0
            low, high = np.quantile([(one - chance) / scale for one in null], (0.025, 0.975))
            rows.append({"distance": distance, "pairs": here.nnz, "correlation": (same - chance) / scale,
                         "null_low": low, "null_high": high})
        if distance == reach:
            break
        wider = ((ring @ ties) > 0).astype(float).tocsr()
        ring = (wider - wider.multiply(seen > 0)).tocsr()
        ring.eliminate_zeros()
        seen = ((seen + ring) > 0).astype(float).tocsr()
    frame = pd.DataFrame(rows, columns=["distance", "pairs", "correlation", "null_low", "null_high"])
    return frame, _length(frame)


def _length(frame) -> float:
    if not len(frame):
        return 0.0
    first = frame.iloc[0]
    if first["null_low"] <= first["correlation"] <= first["null_high"]:
        return 0.0
    size = np.abs(frame["correlation"].to_numpy()) / abs(first["correlation"])
    below = np.flatnonzero(size <= 1 / np.e)
    if not len(below):
        return np.inf
    i = int(below[0])
    a, b = size[i - 1], size[i]
    return float(frame["distance"].iloc[i - 1] + (a - 1 / np.e) / (a - b))
