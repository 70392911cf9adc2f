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

#: How members can be central in the flows.
CENTRALITIES = ("given", "receivers", "pagerank", "betweenness")
#: Losers that the text names, at most.
LOSERS = 3
#: Times that ranks are dealt out anew; members from which ways are followed, at most; p-value up to which ranks stand.
N_NULLS, PIVOTS, ALPHA = 999, 200, 0.05


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

    @property
    def total_error(self) -> float:
        """Standard error of :attr:`total` over the branches."""
        return float(self.each.sum(axis=1).std(ddof=1) / np.sqrt(self.branches))

    def frame(self):
        """Return the mean effect by distance as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            One row a distance: how many ``members``, mean ``effect`` on them, its standard ``error`` over the branches
            and ``z``, their ratio (NaN where branches do not differ). |z| of less than about 3 is nothing, and of few
            branches also more.
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
        n = len(self.sites)
        return (f"Lesion of {n} member{'s' * (n > 1)}: the other {len(self.others):,} have {self.total:+.3f} ± "
                f"{self.total_error:.3f} welfare in all, over {self.ticks} ticks and {self.branches} branches (welfare "
                f"is summed over these members). {self._losers()}")

    def _losers(self) -> str:
        """Say who loses most, if anybody loses more than noise."""
        from scipy import stats

        with np.errstate(divide="ignore", invalid="ignore"):
            pvalue = stats.t.sf(-self.effect / self.error, self.branches - 1)
        # where all branches agree to the last bit that is at least as much as so many heads in a row
        pvalue = np.where(self.error > 1e-9 * abs(self.effect), pvalue, 0.5 ** (self.branches - 1)) * len(self.others)
        lost = np.flatnonzero((self.effect < 0) & (pvalue <= ALPHA))
        if not len(lost):
            return (f"Nobody alone loses more than noise, of so many members and {self.branches} branches "
                    f"(p > {ALPHA:g}, Bonferroni)")
        first = lost[np.argsort(self.effect[lost], kind="stable")[:LOSERS]].tolist()
        return "Most is lost at " + ", ".join(f"site {self.others[i]} ({-self.effect[i]:.3f} ± {self.error[i]:.3f})"
                                              for i in first)


def lesion(world, sites, ticks: int = 300, *, branches: int = 16, rng=None, progress: bool = False) -> Lesion:
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
    progress : bool
        Show a bar.

    Returns
    -------
    Lesion

    Raises
    ------
    TypeError, ValueError
        If a number or a site is refused, nobody lives at a site, or nobody would be left.

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((8, 8)), rng=1)
    >>> world.step(200)
    >>> lesion(world, 27, ticks=100, branches=4, rng=1).frame()["distance"].tolist()
    [1, 2, 3, 4]
    """
    from tqdm import tqdm

    ticks, branches = whole("ticks", ticks, 1), whole("branches", branches, 2)
    gone = _inhabited(world, sites)
    seed = resolved(rng)
    generator = np.random.default_rng(seed)
    others = np.setdiff1d(world.living, gone)
    if not len(gone) or not len(others):
        raise ValueError(f"sites must be of some of the {len(world.living)} members, not of {len(gone)}")
    uids = world.state["uid"][others]
    found = []
    for luck in tqdm(generator.integers(2**63, size=branches).tolist(), desc="branches", disable=not progress):
        twin, hurt = world.fork(luck), world.fork(luck)
        hurt.remove(gone)
        found.append(_fared(hurt, others, uids, ticks) - _fared(twin, others, uids, ticks))
    branch = np.array(found)
    return Lesion(gone, others, branch.mean(axis=0), branch.std(axis=0, ddof=1) / np.sqrt(branches),
                  _distance(world.topology, gone)[others], ticks, branches, seed, branch)


def _inhabited(world, sites) -> np.ndarray:
    """Return sites, ascending, if a member lives at each."""
    found = np.sort(site_indices(world.n_sites, sites))
    empty = np.setdiff1d(found, world.living)
    if len(empty):
        raise ValueError(f"sites must be where members live; nobody lives at site {empty[0]}")
    return found


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
        ``error``, and centralities: ``given`` (goods), ``receivers`` (to how many others it effectively gives: 2 to
        the entropy of its gifts' shares, so seldom a whole number; three with equal shares count 3, one that gets
        nearly all and two that get little hardly more than 1), ``pagerank`` (of the flows against their direction: who
        feeds those who feed), ``betweenness`` (on the shortest ways, where a tie is the shorter the more flows).
    agreement : dict of str to (float, float)
        Spearman's rank correlation of each centrality with the loss, and its two-sided p-value by permutation; NaN
        where all are alike.
    concordance : float
        Kendall's W: how far the branches rank the losses alike, 0 (not at all) to 1.
    pvalue : float
        Of so high a concordance by chance, by permutation within branches.
    each : ndarray of float64, shape (branches, members)
        The loss in each branch.
    ticks, branches, reach, seed : int
    """

    frame: object
    agreement: dict[str, tuple[float, float]]
    concordance: float
    pvalue: float
    each: np.ndarray
    ticks: int
    branches: int
    reach: int
    seed: int

    @property
    def determined(self) -> bool:
        """Whether the branches agree, beyond chance, who is missed most; else no correlation means anything."""
        return self.pvalue <= ALPHA

    def __repr__(self) -> str:
        alike = f"Kendall's W = {self.concordance:.2f}, p = {self.pvalue:.2g}"
        head = f"Keystones: {len(self.frame)} members removed one by one"
        if not self.each.any():
            return head + f". None is missed: nobody within {self.reach} ties fares otherwise without them"
        first = self.frame.loc[self.frame["loss"].idxmax()]
        head += (f"; the greatest loss, {first['loss']:.3f} ± {first['error']:.3f} welfare, is without the one at site "
                 f"{first['site']:.0f}. ")
        if not self.determined:
            return head + (f"Underdetermined: the {self.branches} branches do not agree who is missed most ({alike}), "
                           "so the losses cannot be ranked; take more branches")
        said = ", ".join(f"{name} " + ("all alike" if np.isnan(value) else f"{value:+.2f} (p = {p:.2g})")
                         for name, (value, p) in self.agreement.items())
        return head + (f"The {self.branches} branches agree who is missed most ({alike}); rank correlation with the "
                       f"loss: {said}")


def keystones(world, sites=None, *, sample: int = 30, ticks: int = 300, branches: int = 8, reach: int = 2,
              rng=None, progress: bool = False) -> Keystones:
    """Compare members without whom others fare worse with those who are central in the flows.

    Parameters
    ----------
    world : World
        Is not changed.
    sites : sequence of int, optional
        Whose members are removed, each alone, at least 3; by default a random sample of the living.
    sample : int, default 30
        How many, at least 3, if ``sites`` is not given.
    ticks, branches, rng
        As :func:`lesion` takes them; the untouched twins are shared.
    reach : int, default 2
        Others within so many ties count; those farther off add noise, and hardly any effect.
    progress : bool
        Show a bar.

    Returns
    -------
    Keystones

    Raises
    ------
    TypeError, ValueError
        If a number or a site is refused, nobody lives at a site, or there are fewer than 3 members to compare.

    References
    ----------
    Kendall, Babington Smith (1939) The problem of m rankings. *Annals of Mathematical Statistics* 10: 275-287. Opsahl,
    Agneessens, Skvoretz (2010) Node centrality in weighted networks. *Social Networks* 32: 245-251.
    """
    import pandas as pd
    from tqdm import tqdm

    ticks, branches, reach = whole("ticks", ticks, 1), whole("branches", branches, 2), whole("reach", reach, 1)
    seed = resolved(rng)
    generator = np.random.default_rng(seed)
    living = np.asarray(world.living)
    if sites is None:
        chosen = np.sort(generator.permutation(living)[:whole("sample", sample, 3)])
    else:
        chosen = _inhabited(world, sites)
    if len(chosen) < 3:
        raise ValueError(f"keystones compares at least 3 members, not {len(chosen)}")
    lucks = generator.integers(2**63, size=branches).tolist()
    uids = world.state["uid"][living]
    untouched = [_fared(world.fork(luck), living, uids, ticks) for luck in lucks]
    each = np.empty((branches, len(chosen)))
    for i, site in enumerate(tqdm(chosen.tolist(), desc="lesions", disable=not progress)):
        away = _distance(world.topology, [site])[living]
        near = (away > 0) & (away <= reach)
        for j, (luck, before) in enumerate(zip(lucks, untouched, strict=True)):
            hurt = world.fork(luck)
            hurt.remove([site])
            each[j, i] = (before - _fared(hurt, living, uids, ticks))[near].sum()
    loss, at = each.mean(axis=0), np.searchsorted(living, chosen)
    central = {name: values[at] for name, values in _centralities(world, living, generator).items()}
    frame = pd.DataFrame({"site": chosen, "uid": uids[at], "loss": loss,
                          "error": each.std(axis=0, ddof=1) / np.sqrt(branches), **central})
    agreement = {name: _rank_correlation(loss, values, generator) for name, values in central.items()}
    return Keystones(frame, agreement, *_concordance(each, generator), each, ticks, branches, reach, seed)


def _centralities(world, living, rng) -> dict[str, np.ndarray]:
    """Return how central each living member is in the flows that members remember."""
    import networkx as nx

    flows = flow_matrix(world, exact=False)[living][:, living].tocoo()
    n = len(living)
    given = np.bincount(flows.row, flows.data, n)
    share = flows.data / given[flows.row]
    bits = np.bincount(flows.row, -share * np.log2(share), n)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((i, j, {"weight": amount, "length": 1 / amount}) for i, j, amount in
                         zip(flows.row.tolist(), flows.col.tolist(), flows.data.tolist(), strict=True))
    rank = nx.pagerank(graph.reverse(copy=False))
    between = nx.betweenness_centrality(graph, k=min(PIVOTS, n), weight="length", seed=int(rng.integers(2**31)))
    found = (given, np.where(given > 0, 2**bits, 0), [rank[i] for i in range(n)], [between[i] for i in range(n)])
    return {name: np.asarray(values) for name, values in zip(CENTRALITIES, found, strict=True)}


def _rank_correlation(x, y, rng) -> tuple[float, float]:
    """Return Spearman's correlation and its two-sided p-value by permutation; NaN where all are alike."""
    from scipy.stats import rankdata

    a, b = (rankdata(one) - (len(one) + 1) / 2 for one in (x, y))
    scale = np.sqrt((a @ a) * (b @ b))
    if not scale > 0:
        return np.nan, np.nan
    by_chance = rng.permuted(np.tile(a, (N_NULLS, 1)), axis=1) @ b / scale
    value = float(a @ b / scale)
    return value, float((1 + (np.abs(by_chance) >= abs(value) - 1e-12).sum()) / (1 + N_NULLS))


def _concordance(each, rng) -> tuple[float, float]:
    """Return Kendall's W of rankings, one a row, and its p-value by permutation within rows; (0, 1) of ties alone."""
    from scipy.stats import rankdata

    ranks = rankdata(each, axis=1)
    spread = ranks.var(axis=1).mean()
    if not spread > 0:
        return 0.0, 1.0
    value = ranks.mean(axis=0).var() / spread
    by_chance = np.array([rng.permuted(ranks, axis=1).mean(axis=0).var() for _ in range(N_NULLS)]) / spread
    return float(value), float((1 + (by_chance >= value - 1e-12).sum()) / (1 + N_NULLS))
