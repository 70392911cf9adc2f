"""What would have been without them: lesions, and members that others cannot do without.

Two twins of one world with the same luck differ by what is done to one of them alone. But small differences grow:
after some hundred ticks twins differ everywhere, by as much whatever was done. What is left of a lesion then is its
*mean* effect: over several branches, each a pair of twins with luck of its own, from the same state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._checks import seed as resolved
from ._checks import site_indices, whole
from .flows import flow_matrix

__all__ = ["Keystones", "Lesion", "keystones", "lesion"]


@dataclass(frozen=True, eq=False)
class Lesion:
    """What others lost, or gained, by the removal of some members.

    Parameters
    ----------
    sites : ndarray of int64, shape (m,)
        Where members were removed.
    others : ndarray of int64, shape (n,)
        Sites of those who were left.
    effect, error : ndarray of float64, shape (n,)
        Welfare of each with the lesion less without, mean over the window and the branches, and its standard
        error over the branches. Where a member died in one of the twins its welfare counts as 0 there.
    distance : ndarray of int64, shape (n,)
        Ties to the nearest lesion, in whichever direction; -1: none leads there.
    ticks, branches, seed : int
    each : ndarray of float64, shape (branches, n)
        The effect in each branch.
    """

    sites: np.ndarray
    others: np.ndarray
    effect: np.ndarray
    error: np.ndarray
    distance: np.ndarray
    ticks: int
    branches: int
    seed: int
    each: np.ndarray

    @property
    def total(self) -> float:
        """Sum of the effects on all others, in welfare."""
        return float(self.effect.sum())

    def frame(self):
        """Return the mean effect by distance as a pandas DataFrame: members, effect, error, z.

        The branches' own scatter is the yardstick: |z| of less than about 3 is nothing.
        """
        import pandas as pd

        rows = []
        for distance in np.unique(self.distance):
            here = self.distance == distance
            # members of a branch share its luck: the branches are what is independent
            branch = self.each[:, here].mean(axis=1)
            mean, error = branch.mean(), branch.std(ddof=1) / np.sqrt(self.branches)
            rows.append({"distance": int(distance), "members": int(here.sum()), "effect": mean, "error": error,
                         "z": mean / error if error > 0 else np.nan})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return (f"Lesion of {len(self.sites)} members: the other {len(self.others):,} have {self.total:+.3f} welfare "
                f"in all, over {self.ticks} ticks and {self.branches} branches")


def lesion(world, sites, ticks: int = 300, *, branches: int = 16, rng=None) -> Lesion:
    """Remove members in a twin of the world, and see who is the worse for it.

    Parameters
    ----------
    world : World
        Is not changed.
    sites : int or sequence of int
        Whose members are removed.
    ticks : int, default 300
        Length of the window.
    branches : int, default 16
        Pairs of twins, at least 2.
    rng : int, SeedSequence, Generator or None
        Luck of the branches.

    Returns
    -------
    Lesion
    """
    ticks, branches = whole("ticks", ticks, 1), whole("branches", branches, 2)
    gone = np.unique(site_indices(world.n_sites, sites))
    if not np.isin(gone, world.living).all():
        empty = gone[~np.isin(gone, world.living)][0]
        raise ValueError(f"sites must be where members live; nobody lives at site {empty}")
    seed = resolved(rng)
    generator = np.random.default_rng(seed)
    others = np.setdiff1d(world.living, gone)
    uids = world.state["uid"][others]
    found = []
    for luck in generator.integers(2**63, size=branches):
        twin, hurt = world.fork(int(luck)), world.fork(int(luck))
        hurt.remove(gone)
        found.append(_fared(hurt, others, uids, ticks) - _fared(twin, others, uids, ticks))
    branch = np.array(found)
    return Lesion(gone, others, branch.mean(axis=0), branch.std(axis=0, ddof=1) / np.sqrt(branches),
                  _distance(world.topology, gone)[others], ticks, branches, seed, branch)


def _fared(world, sites, uids, ticks: int) -> np.ndarray:
    """Run on and return the mean welfare of members, read 20 times; 0 of the dead."""
    total, looks = np.zeros(len(sites)), min(20, ticks)
    for look in range(1, looks + 1):
        world.step(look * ticks // looks - (look - 1) * ticks // looks)
        total += np.where(world.state["uid"][sites] == uids, np.maximum(world.state["welfare"][sites], 0), 0)
    return total / looks


def _distance(topology, sites) -> np.ndarray:
    """Return how many ties each site is from the nearest of some, whichever way the ties lead; -1: none leads there."""
    ties = topology.to_sparse()
    ties = (ties + ties.T).tocsr()
    found = np.full(topology.n_sites, -1)
    edge, steps = np.zeros(topology.n_sites), 0
    edge[sites] = 1
    while (new := (edge > 0) & (found < 0)).any():
        found[new] = steps
        edge, steps = ties @ new.astype(float), steps + 1
    return found


@dataclass(frozen=True, eq=False)
class Keystones:
    """Members by what others lose without them, and by where they stand in the flows.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a member that was removed: ``site``, ``uid``, ``loss`` (welfare that others near it lost, summed), its
        ``error``, and centralities: ``given`` (goods), ``receivers`` (effective number, 2 to the entropy),
        ``pagerank`` (of the flows against their direction: who feeds those who feed), ``betweenness``.
    agreement : dict of str to (float, float)
        Spearman's rank correlation of each centrality with the loss, and its p-value by permutation.
    """

    frame: object
    agreement: dict[str, tuple[float, float]]

    def __repr__(self) -> str:
        said = ", ".join(f"{name} {value:+.2f} (p = {p:.2g})" for name, (value, p) in self.agreement.items())
        return f"Keystones: {len(self.frame)} members removed one by one; rank correlation with the loss: {said}"


def keystones(world, sites=None, *, sample: int = 30, ticks: int = 300, branches: int = 8, reach: int = 2,
              rng=None, progress: bool = False) -> Keystones:
    """Compare members without whom others fare worse with those who are central in the flows.

    Parameters
    ----------
    world : World
        Is not changed.
    sites : sequence of int, optional
        Whose members are removed, each alone; by default a random sample of the living.
    sample : int, default 30
        How many, if ``sites`` is not given.
    ticks, branches, rng
        As :func:`lesion` takes them; the untouched twins are shared.
    reach : int, default 2
        Others within so many ties count; those farther off add noise, and hardly any effect.
    progress : bool
        Show a bar.

    Returns
    -------
    Keystones
    """
    import networkx as nx
    import pandas as pd
    from scipy import stats
    from tqdm import tqdm

    ticks, branches = whole("ticks", ticks, 1), whole("branches", branches, 2)
    generator = np.random.default_rng(resolved(rng))
    living = np.asarray(world.living)
    if sites is None:
        chosen = np.sort(generator.permutation(living)[:whole("sample", sample, 3)])
    else:
        chosen = np.unique(site_indices(world.n_sites, sites))
        if not np.isin(chosen, living).all():
            empty = np.setdiff1d(chosen, living)[0]
            raise ValueError(f"sites must be where members live; nobody lives at site {empty}")
    if len(chosen) < 3:
        raise ValueError(f"keystones compares at least 3 members, not {len(chosen)}")
    lucks = [int(luck) for luck in generator.integers(2**63, size=branches)]
    uids = world.state["uid"][living]
    untouched = [_fared(world.fork(luck), living, uids, ticks) for luck in lucks]
    losses = []
    for site in tqdm(chosen.tolist(), desc="lesions", disable=not progress):
        away = _distance(world.topology, [site])[living]
        near, each = (away > 0) & (away <= whole("reach", reach, 1)), []
        for luck, before in zip(lucks, untouched, strict=True):
            hurt = world.fork(luck)
            hurt.remove([site])
            each.append((before - _fared(hurt, living, uids, ticks))[near].sum())
        losses.append((np.mean(each), np.std(each, ddof=1) / np.sqrt(branches)))
    flows = flow_matrix(world, exact=False)
    graph = nx.from_scipy_sparse_array(flows, create_using=nx.DiGraph)
    given = np.asarray(flows.sum(axis=1)).ravel()
    share = flows.multiply(1 / np.maximum(given, 1e-300)[:, None]).tocsr()
    spread = np.zeros(world.n_sites)
    np.add.at(spread, share.tocoo().row, -share.data * np.log2(share.data))
    rank = nx.pagerank(graph.reverse(copy=False))
    between = nx.betweenness_centrality(graph, k=min(200, len(graph)), seed=int(generator.integers(2**31)))
    frame = pd.DataFrame({"site": chosen, "uid": world.state["uid"][chosen], "loss": [mean for mean, _ in losses],
                          "error": [error for _, error in losses], "given": given[chosen],
                          "receivers": np.where(given[chosen] > 0, 2**spread[chosen], 0),
                          "pagerank": [rank[i] for i in chosen.tolist()],
                          "betweenness": [between[i] for i in chosen.tolist()]})
    agreement = {}
    for name in ("given", "receivers", "pagerank", "betweenness"):
        def correlation(x, of=name):
            return stats.spearmanr(x, frame[of]).statistic

        if frame[name].nunique() > 1 and frame["loss"].nunique() > 1:
            test = stats.permutation_test((frame["loss"].to_numpy(),), correlation, permutation_type="pairings",
                                          n_resamples=999, rng=generator)
            agreement[name] = (float(test.statistic), float(test.pvalue))
    return Keystones(frame, agreement)
