"""One level: members divided into wholes, what can be said of each, and what chance would make of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..flows import effective_information
from ..measures import division_of_labour
from ..measures._sources import entropy, ratio
from ._maps import walk
from ._trade import Trade

__all__ = ["Level", "Null", "statistics"]


@dataclass(frozen=True, eq=False)
class Null:
    """A statistic of a level where nothing but chance makes wholes.

    Parameters
    ----------
    values : ndarray, shape (n_nulls,)
        In each null the detector is run again; NaN where it found no level, which is less than any.
    above, below : float
        p-values of the observed value being so high, and so low, by chance: (1 + how many are as
        extreme)/(1 + n_nulls).
    """

    values: np.ndarray
    above: float
    below: float

    @property
    def varies(self) -> bool:
        """Whether chance could make anything else at all: not all values are one."""
        return len(set(np.round(self.values, 12).tolist())) > 1 or bool(np.isnan(self.values).any())

    @property
    def mean(self) -> float:
        """Mean of the values; NaN if no null had such a level."""
        found = self.values[~np.isnan(self.values)]
        return float(found.mean()) if len(found) else np.nan

    @property
    def told(self) -> str:
        """The mean, and the p-value of so much, in words."""
        return (("no such level" if np.isnan(self.mean) else f"{self.mean:.2f}")
                + f", p = {self.above:.3g}, {len(self.values)} nulls")

    @classmethod
    def of(cls, observed: float, values) -> Null:
        """Compare an ``observed`` value with the ``values`` of the nulls."""
        values = np.asarray(values, float)
        n = 1 + len(values)
        return cls(values, float((1 + (values >= observed - 1e-12).sum()) / n),
                   float((1 + (~(values > observed + 1e-12)).sum()) / n))


def inside_out(flows, labels, k: int):
    """Return the aggregated flows between wholes, a dense (k, k) array for few wholes, else sparse."""
    from scipy import sparse

    member = sparse.csr_array((np.ones(len(labels)), (np.arange(len(labels)), labels)), shape=(len(labels), k))
    return (member.T @ flows @ member).tocsr()


def statistics(trade: Trade, labels, flows=None, resources=None, step=None) -> dict[str, float]:
    """Return the numbers of a level that are held against nulls.

    Parameters
    ----------
    trade : Trade
    labels : ndarray of int64, shape (n,)
        From 0 on.
    flows : scipy.sparse.csr_array, optional
        Of a null; by default those of ``trade``.
    resources : sequence of scipy.sparse.csr_array, optional
        The same by resource.
    step : tuple, optional
        The :func:`walk` through the flows, if it is known already.

    Returns
    -------
    dict of str to float
        ``closure``: the share of flows kept inside wholes. ``modularity``: by how much it exceeds what wholes that
        give and get so much would keep by chance (0 for one whole of all). ``assortativity``: that over the most that
        it could be (Newman 2003), which lets one compare few wholes with many. ``boundary``: the share of ties that
        cross. ``self_sufficiency_k``: the share of resource k that comes from inside the whole of those who get it.
        ``exports_between``: the variance of the mix of exports between wholes, weighted by what they export and summed
        over resources (0 if all export the same mix).
        ``individuality``: how much of what a walk through the flows, at a member, tells about the whole it will be in
        next is told by the whole alone, I(whole'; whole)/I(whole'; member): 1 if wholes are closed to
        information. ``effectiveness``: effective information of the walk between wholes over its greatest
        possible value, log₂ of their number. ``differentiation``: division of labour between
        wholes, D_ind of their acts (0 without tasks). ``welfare_between``: the share of the variance of welfare that
        lies between wholes (η²).
    """
    resources = trade.resources if flows is None else resources or ()
    flows = trade.flows if flows is None else flows
    k = int(labels.max()) + 1
    whole = inside_out(flows, labels, k)
    total = flows.sum()
    ties = flows.tocoo()
    given, got = (np.asarray(whole.sum(axis=axis)).ravel() / total for axis in (1, 0))
    closure = float(whole.diagonal().sum() / total)
    by_chance = float(given @ got) if k > 1 else 1.0
    found = {"closure": closure, "modularity": closure - by_chance if k > 1 else 0.0,
             "assortativity": float(ratio(closure - by_chance, 1 - by_chance)),
             "boundary": float((labels[ties.row] != labels[ties.col]).mean()),
             **_information(*(walk(flows) if step is None else step), labels, k)}
    exports = []
    for r, one in enumerate(resources):
        part = inside_out(one, labels, k)
        found[f"self_sufficiency_{r}"] = float(ratio(part.diagonal().sum(), part.sum()))
        exports.append(np.asarray(part.sum(axis=1)).ravel() - part.diagonal())
    if len(exports) > 1:
        each = np.stack(exports, axis=1)
        mix, mean = ratio(each, each.sum(axis=1, keepdims=True)), ratio(each.sum(axis=0), each.sum())
        found["exports_between"] = float(ratio(each.sum(axis=1) @ ((mix - mean)**2).sum(axis=1), each.sum()))
    if trade.tasks is not None:
        acts = np.stack([np.bincount(labels, column, k) for column in trade.tasks.T], axis=1)
        found["differentiation"] = division_of_labour(acts, corrected=False)
    if trade.welfare is not None:
        size = np.bincount(labels, minlength=k)
        mean = np.bincount(labels, trade.welfare, k) / size
        spread = trade.welfare.var()
        found["welfare_between"] = float(ratio((size * (mean - trade.welfare.mean())**2).sum() / len(labels), spread))
    return found


def _information(visits, steps, labels, k) -> dict[str, float]:
    """Return individuality and effectiveness of the walk, lumped by labels."""
    from scipy import sparse

    joint = inside_out(steps, labels, k).toarray() if k <= 3000 else inside_out(steps, labels, k)
    member = sparse.csr_array((np.ones(len(labels)), (np.arange(len(labels)), labels)), shape=(len(labels), k))
    fine = (steps @ member).tocsr()                              # member → whole of the next step
    joint = joint if sparse.issparse(joint) else sparse.csr_array(joint)
    after = np.asarray(joint.sum(axis=0)).ravel()
    top = float(entropy(after))
    coarse_known = top - _conditional(joint)
    fine_known = top - _conditional(fine)
    effective = effective_information(joint)
    told = np.clip(coarse_known / fine_known, 0, 1) if fine_known > 1e-9 else 0.0       # one whole: nothing to tell
    return {"individuality": float(told),
            "effectiveness": float(ratio(effective, np.log2(k))) if k > 1 else 0.0}


def _conditional(joint) -> float:
    """Return H(column | row) of a sparse joint distribution, in bits."""
    row = np.asarray(joint.sum(axis=1)).ravel()
    data = joint.data
    return -float((data * np.log2(np.where(data > 0, data, 1))).sum()) + float((row * np.log2(
        np.where(row > 0, row, 1))).sum())


@dataclass(frozen=True, eq=False)
class Level:
    """One level of a nest: every member in one whole.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        The whole of each member, from 0 on, the largest first.
    trade : Trade
    setting : float
        Of the method: the resolution, or the depth.
    stability : float
        Mean agreement (AMI) with the partitions at neighbouring resolutions; NaN where there is no sweep.
    bootstrap : float
        Mean agreement with what is found when flows are resampled; NaN if that was not done.
    statistics : dict of str to float
        See :func:`statistics`.
    nulls : dict of str to dict of str to Null
        By null, then by statistic.
    decisive : str
        The null by which the level stands or falls.
    alpha : float
    beyond : dict of str to dict of str to Null, or None
        What must be beaten besides: nulls that keep what a coarser level ("inside the 4": flows are dealt only among
        ties between the same of its wholes) or a finer one ("from its 64": ties within its wholes stay as they are)
        explains. None where the level did not come so far.
    """

    labels: np.ndarray
    trade: Trade
    setting: float
    stability: float
    bootstrap: float
    statistics: dict[str, float]
    nulls: dict[str, dict[str, Null]] = field(default_factory=dict)
    decisive: str = "flows"
    alpha: float = 0.05
    beyond: dict[str, dict[str, Null]] | None = None

    @property
    def n_wholes(self) -> int:
        """Number of wholes."""
        return int(self.labels.max()) + 1

    @property
    def sizes(self) -> np.ndarray:
        """Members of each whole, int64 (n_wholes,)."""
        return np.bincount(self.labels)

    @property
    def stands(self) -> bool | None:
        """Whether it beats the decisive null, and those ``beyond`` it, by assortativity; None without enough nulls.

        Closure alone would not do: a null in which the detector finds one whole of all keeps everything inside. A null
        ``beyond`` that can make nothing else asks nothing; the decisive one that can make nothing else is not beaten.
        """
        if self.decisive not in self.nulls:
            return None
        decisive = self.nulls[self.decisive]["assortativity"]
        against = [one["assortativity"] for one in (self.beyond or {}).values()]
        if 1 / (1 + len(decisive.values)) > self.alpha:
            return None
        return decisive.above <= self.alpha and all(one.above <= self.alpha for one in against if one.varies)

    @property
    def excess(self) -> float:
        """Assortativity beyond the mean of the decisive null; NaN without nulls, or if none has such a level."""
        null = self.nulls.get(self.decisive)
        return np.nan if null is None else self.statistics["assortativity"] - null["assortativity"].mean

    @property
    def between(self):
        """Flows between wholes, inside them on the diagonal: csr_array (n_wholes, n_wholes)."""
        return inside_out(self.trade.flows, self.labels, self.n_wholes)

    def frame(self):
        """Return one row a whole as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            ``size``; ``closure``, the share of what its members give that stays inside; ``boundary``, ties that
            cross; ``exported`` and ``imported`` goods; by resource k ``exports_k``, the share of k in what leaves,
            and ``self_sufficiency_k``, the share of what its members get of k that comes from inside;
            ``welfare``, mean and standard deviation; ``main_task``.
        """
        import pandas as pd

        k, table = self.n_wholes, {"size": self.sizes}
        flows = self.between
        own, given, got = flows.diagonal(), *(np.asarray(flows.sum(axis=axis)).ravel() for axis in (1, 0))
        ties = self.trade.flows.tocoo()
        a, b = self.labels[ties.row], self.labels[ties.col]
        table |= {"closure": ratio(own, given), "exported": given - own, "imported": got - own,
                  "boundary": np.bincount(a[a != b], minlength=k) + np.bincount(b[a != b], minlength=k)}
        each = [inside_out(flow, self.labels, k) for flow in self.trade.resources]
        leaving = [np.asarray(one.sum(axis=1)).ravel() - one.diagonal() for one in each]
        for r, one in enumerate(each):
            table[f"exports_{r}"] = ratio(leaving[r], sum(leaving))
            table[f"self_sufficiency_{r}"] = ratio(one.diagonal(), np.asarray(one.sum(axis=0)).ravel())
        if self.trade.welfare is not None:
            mean = np.bincount(self.labels, self.trade.welfare, k) / self.sizes
            square = np.bincount(self.labels, self.trade.welfare**2, k) / self.sizes
            table |= {"welfare": mean, "welfare_sd": np.sqrt(np.maximum(square - mean**2, 0))}
        if self.trade.tasks is not None:
            acts = np.stack([np.bincount(self.labels, column, k) for column in self.trade.tasks.T], axis=1)
            table["main_task"] = acts.argmax(axis=1)
        return pd.DataFrame(table, index=pd.RangeIndex(k, name="whole"))

    def graph(self):
        """Return the wholes as a networkx graph.

        Returns
        -------
        networkx.DiGraph
            Nodes 0 … n_wholes - 1 with the columns of :meth:`frame`; an edge carries ``weight`` and, where known,
            ``r0``, ``r1``, …; what stays inside is a loop.
        """
        import networkx as nx

        graph = nx.DiGraph(level=self.setting, wholes=self.n_wholes)
        for whole, row in zip(range(self.n_wholes), self.frame().to_dict("records"), strict=True):
            graph.add_node(whole, **row)
        ties = self.between.tocoo()
        graph.add_weighted_edges_from(zip(ties.row.tolist(), ties.col.tolist(), ties.data.tolist(), strict=True))
        for r, flow in enumerate(self.trade.resources):
            nx.set_edge_attributes(graph, 0.0, f"r{r}")
            ties = inside_out(flow, self.labels, self.n_wholes).tocoo()
            for i, j, amount in zip(ties.row.tolist(), ties.col.tolist(), ties.data.tolist(), strict=True):
                graph.edges[i, j][f"r{r}"] = amount
        return graph

    def __str__(self) -> str:
        least, most = self.sizes.min(), self.sizes.max()
        text = (f"{self.n_wholes} wholes of {least:,} members each" if least == most else
                f"{self.n_wholes} wholes of {least:,} to {most:,} members")
        text += (f", {self.statistics['closure']:.0%} of the flows stay inside; "
                 f"assortativity {self.statistics['assortativity']:.2f}")
        return text + (f" (by chance {self.nulls[self.decisive]['assortativity'].told})"
                       if self.decisive in self.nulls else "")

    __repr__ = __str__
