"""Groups of members that trade among themselves, found by methods of others."""

from __future__ import annotations

from functools import cache
from itertools import takewhile

import numpy as np

from ._agree import agreement, crossed

__all__ = ["METHODS", "RUN", "alike", "candidates", "detect", "divides", "nested", "settled"]

#: Resolutions at which the flows are divided, from coarse to fine.
RESOLUTIONS = tuple(float(x) for x in np.geomspace(0.01, 50, 38).round(4))
#: A partition that agrees so well with those at the next resolutions, so many in a row with its own, is a level.
STABLE, RUN = 0.85, 3
#: A level divides: two members drawn by lot are in different wholes so often at least. And it groups: so large a share
#: of the members at least is in wholes of three or more.
DIVIDES, GROUPS = 0.2, 0.5
#: Nulls have about as many groups if the logarithm of the ratio is so small: as many, up to 20, for fewer groups keep
#: more inside. How often the resolution is moved for that.
NEAR, STEPS = 0.05, 6
#: Where no level of another method has about as many groups, by such a factor, Louvain's method divides the null.
FAR = 1.5


def detect(flows, resolution: float, seed: int) -> np.ndarray:
    """Divide members once: Louvain's method for directed modularity at a resolution.

    Parameters
    ----------
    flows : scipy.sparse.csr_array, shape (n, n)
    resolution : float
        Above 0; more makes smaller groups.
    seed : int
        In which order members are moved.

    Returns
    -------
    ndarray of int64, shape (n,)

    References
    ----------
    Blondel, Guillaume, Lambiotte, Lefebvre (2008) Fast unfolding of communities in large networks. *JSTAT* P10008.
    Dugué, Perez (2015) Directed Louvain: maximizing modularity in directed networks. HAL 01231784.
    """
    from scipy import sparse
    from sknetwork.clustering import Louvain

    found = Louvain(resolution=resolution, modularity="dugue", shuffle_nodes=True, random_state=seed,
                    return_probs=False, return_aggregate=False)
    return found.fit_predict(sparse.csr_matrix(flows)).astype(np.int64)


def divides(labels) -> bool:
    """Tell whether a partition is a level at all: no stray few beside one whole, nor hardly anybody together."""
    return _many(labels) and _together(labels)


def _many(labels) -> bool:
    share = np.bincount(labels) / len(labels)
    return bool(1 - share @ share >= DIVIDES)


def _together(labels) -> bool:
    size = np.bincount(labels)
    return bool(size[size > 2].sum() >= GROUPS * len(labels))


def _ladder(flows, rng, resolutions) -> dict[int, np.ndarray]:
    """Return the divisions of the flows by rung of the ladder, all that might be levels.

    From resolution 1 down, and up: beyond two rungs in a row that leave nearly all members in one whole, or nearly
    nobody in any, there is nothing more to find.
    """
    seeds = rng.integers(2**31, size=len(resolutions)).tolist()
    first = int(np.abs(np.log(resolutions)).argmin())
    made = {}
    for rungs, goes_on in ((range(first, -1, -1), _many), (range(first + 1, len(resolutions)), _together)):
        missed = 0
        for i in rungs:
            made[i] = detect(flows, resolutions[i], seeds[i])
            missed = 0 if goes_on(made[i]) else missed + 1
            if missed == 2:
                break
    return dict(sorted(made.items()))


def _louvain(flows, rng, resolutions, stable):
    """Sweep the resolution, and keep what stays the same over a stretch of it, most and longest first."""
    partitions = _ladder(flows, rng, resolutions)
    split = {i: divides(labels) for i, labels in partitions.items()}

    @cache
    def close(pair) -> float:
        return agreement(*(partitions[i] for i in pair))

    def stretch(i: int, step: int) -> list[int]:
        """Return the resolutions next to one, on one side, as far as their divisions agree with its own."""
        beside = range(i + step, len(resolutions) if step > 0 else -1, step)
        return list(takewhile(lambda j: split.get(j) and close(frozenset((i, j))) >= stable, beside))

    around = {i: stretch(i, -1) + stretch(i, 1) for i in split if split[i]}
    steady = {i: float(np.mean([close(frozenset((i, j))) for j in alike])) for i, alike in around.items() if alike}
    kept, taken = [], set()
    for i in sorted(steady, key=lambda i: -len(around[i]) * (steady[i] - stable)):
        own = {i, *around[i]} - taken
        if len(own) >= RUN and all(close(frozenset((i, j))) < max(stable, STABLE) for j in kept):
            kept.append(i)
            taken |= own
    return [{"labels": partitions[i], "setting": resolutions[i], "stability": steady[i]} for i in sorted(kept)]


def _networkx(flows, rng, resolutions, stable):
    """Take networkx's own Louvain levels, as a reference."""
    import networkx as nx

    graph = nx.from_scipy_sparse_array(flows, create_using=nx.DiGraph)
    n, found = flows.shape[0], []
    for depth, groups in enumerate(nx.community.louvain_partitions(graph, seed=int(rng.integers(2**31)))):
        labels = np.empty(n, np.int64)
        for i, group in enumerate(groups):
            labels[list(group)] = i
        if divides(labels):
            found.append({"labels": labels, "setting": depth, "stability": np.nan})
    return found[::-1]


def _infomap(flows, rng, resolutions, stable):
    """Take infomap's own levels."""
    try:
        from infomap import Infomap
    except ImportError:
        raise ImportError("method='infomap' needs the package infomap (GPL), which is not installed: "
                          "pip install infomap") from None
    ties = flows.tocoo()
    made = Infomap(silent=True, directed=True, seed=int(rng.integers(1, 2**31)), num_trials=1)
    made.add_links(np.stack([ties.row, ties.col, ties.data], axis=1))
    result = made.run()
    n, found = flows.shape[0], []
    for depth in range(1, result.num_levels):
        modules = result.modules(level=depth)
        labels = np.unique([modules.get(i, -1 - i) for i in range(n)], return_inverse=True)[1]
        if divides(labels):
            found.append({"labels": labels, "setting": depth, "stability": np.nan})
    return found


#: How levels are looked for.
METHODS = {"louvain": _louvain, "networkx": _networkx, "infomap": _infomap}


def candidates(flows, method: str, rng, resolutions=RESOLUTIONS, stable: float = STABLE) -> list[dict]:
    """Return candidate levels, the coarsest first: labels, the method's setting, stability."""
    return METHODS[method](flows, rng, resolutions, stable)


def alike(flows, method: str, setting, k: int, rng, made=None) -> np.ndarray | None:
    """Divide other flows by the same method into as many groups, or nearly, or None if it finds no groups.

    Where nothing divides them, a detector may leave flows whole at a resolution at which others fall into parts;
    to compare like with like, the resolution is moved until there are about ``k`` groups (Louvain), or that of the
    levels is taken whose number is nearest; if that is more than 1½ times as large or small, Louvain's method
    divides, which gives chance more. What would be no level, for it hardly divides, is none here either.
    """
    if method != "louvain":
        made = candidates(flows, method, rng) if made is None else made         # once for all levels
        off, labels = min(((abs(np.log((one["labels"].max() + 1) / k)), one["labels"]) for one in made),
                          key=lambda pair: pair[0], default=(np.inf, None))
        return labels if off <= np.log(FAR) else alike(flows, "louvain", 1.0, k, rng)
    return settled(flows, setting, k, rng)[0]


def settled(flows, setting: float, k: int, rng, near: float = NEAR) -> tuple[np.ndarray | None, float]:
    """Move the resolution of Louvain's method until there are about ``k`` groups; return them, and where that was."""
    seed, made, low, high = int(rng.integers(2**31)), [], None, None
    for _ in range(1 + STEPS):
        labels = detect(flows, setting, seed)
        off, level = np.log((labels.max() + 1) / k), divides(labels)
        if level:
            made.append((abs(off), labels, setting))
            if abs(off) <= near:
                break
        low, high = (setting, high) if off < 0 or not _many(labels) else (low, setting)
        guess = setting * float(np.exp(-off)) if level else 0.0     # groups grow about as the resolution
        if level and (low or 0) < guess < (high or np.inf):
            setting = guess
        else:
            setting = low * 4 if high is None else high / 4 if low is None else float(np.sqrt(low * high))
    return min(made, key=lambda one: one[0], default=(np.inf, None, setting))[1:]


def nested(levels: list[np.ndarray]) -> list[np.ndarray]:
    """Make levels nest, from the finest up: each group goes as a whole to where most of its members are.

    Parameters
    ----------
    levels : list of ndarray, shape (n,)
        The coarsest first.

    Returns
    -------
    list of ndarray
        The coarsest first.
    """
    made = [np.unique(levels[-1], return_inverse=True)[1]] if levels else []
    for labels in levels[-2::-1]:
        finer = made[0]
        home = np.asarray(crossed(finer, labels).argmax(axis=1)).ravel()
        made.insert(0, np.unique(home[finer], return_inverse=True)[1])
    return made
