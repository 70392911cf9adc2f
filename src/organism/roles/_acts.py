"""What members do, read from worlds, snapshots, flows or tables: blocks of counts or goods, one row a member."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .._checks import whole
from ..flows import Reading
from ..measures import dependence, effective_draws
from ..measures._sources import is_world, ratio
from ..records import Recording
from ..snapshots import Snapshot, Snapshots
from ..wholes import trade_of

__all__ = ["BLOCKS", "Acts", "acts_of", "count_acts", "points_of"]

#: The blocks of a world, and what their columns count.
BLOCKS = {"tasks": "acts by task", "exports": "goods given by resource", "imports": "goods received by resource",
          "position": "goods given, received, and made for own use"}
#: What acts are read from, besides series of snapshots.
TAKEN = "World, a snapshot, a reading, a networkx graph, a sparse array, or a table of acts (members, tasks)"


@dataclass(frozen=True, eq=False)
class Acts:
    """What members did.

    Parameters
    ----------
    blocks : dict of str to ndarray of float64, shape (n, columns)
        Amounts ≥ 0; only their shares within a row count.
    draws : ndarray, shape (n,)
        How many independent acts a member's rows are worth.
    uid, site : ndarray of int64, shape (n,)
        Who and where.
    resources : int
        Number of resources K; 0 if unknown.
    counted : bool
        Whether ``draws`` are counted acts; False where they are ties (see :mod:`organism.roles`).
    deal : callable or None
        Of flows alone: given a Generator, the first block with the goods dealt out anew among the ties.
    """

    blocks: dict[str, np.ndarray]
    draws: np.ndarray
    uid: np.ndarray
    site: np.ndarray
    resources: int = 0
    counted: bool = True
    deal: Callable | None = None

    def __len__(self) -> int:
        return len(self.uid)

    def take(self, some) -> Acts:
        """Return the acts of some members."""
        return replace(self, blocks={name: table[some] for name, table in self.blocks.items()},
                       draws=self.draws[some], uid=self.uid[some], site=self.site[some],
                       deal=self.deal and (lambda rng: self.deal(rng)[some]))


def acts_of(source, blocks=None, draws=None, window: int = -1) -> Acts:
    """Read what members did.

    Parameters
    ----------
    source : World, Snapshot, Snapshots, Reading, networkx graph, sparse array, mapping, array_like or Acts
        A world (all four blocks of :data:`BLOCKS` with a ledger); a snapshot, or one of a series; flows (exports and
        imports by resource where these are known, and position: a reading, a graph with ``weight`` and ``r0``,
        ``r1``, …, a sparse square array, row = giver); a mapping of block names to tables (n, columns); or one
        table, of tasks.
    blocks : str or sequence of str, optional
        Only these.
    draws : float or array_like, shape (n,), optional
        How many independent acts a row is worth; by default what a world's memory makes of its tasks, how many
        ties flows alone went along (see :mod:`organism.roles`), or row sums of a table: of the first block.
    window : int, default -1
        Which snapshot of a series.

    Returns
    -------
    Acts
    """
    if blocks is not None:
        blocks = [blocks] if isinstance(blocks, str) else list(blocks)
    found = _read(source, blocks, whole("window", window))
    if blocks is not None:
        found = replace(found, blocks={name: found.blocks[name] for name in _known(blocks, found.blocks)})
    if draws is not None:
        given = _numbers("draws", draws)
        if given.shape not in ((), (len(found),)) or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(f"draws must be one number of 0 or more, or one for each of the {len(found)} members")
        found = replace(found, draws=np.broadcast_to(given, len(found)).copy(), counted=True, deal=None)
    return found


def _known(blocks, known):
    if not blocks:
        raise ValueError(f"blocks must be some of {', '.join(known)}, not none")
    for name in blocks:
        if name not in known:
            raise ValueError(f"blocks must be some of {', '.join(known)}, not {name!r}")
    return blocks


def _read(source, blocks, window) -> Acts:
    from scipy import sparse

    if isinstance(source, Acts):
        first = next(iter(source.blocks), None)
        return source if not blocks or blocks[0] == first else replace(source, deal=None)
    if isinstance(source, Snapshots):
        if not -len(source) <= window < len(source):
            raise ValueError(f"window must be one of the {len(source)} snapshots taken, not {window}")
        source = source[window]
    if isinstance(source, Snapshot):
        return _of_snapshot(source)
    if is_world(source):
        return _of_world(source)
    if isinstance(source, Reading):
        uid = source.members
        parts = [source.matrix(k, by="member") for k in range(source.amount.shape[1])]
        return _of_flows(sum(parts), parts, uid, source._site_of(uid), blocks)
    if sparse.issparse(source) or hasattr(source, "adj"):
        trade = trade_of(source)
        return _of_flows(trade.flows, trade.resources, trade.uid, trade.uid, blocks)
    if isinstance(source, Recording):
        raise TypeError("source is a recording of measures, which holds no acts of members; take Snapshots(world), "
                        f"which do, or the {TAKEN}")
    if not hasattr(source, "__len__") and not hasattr(source, "__array__"):
        raise TypeError(f"source must be a {TAKEN}, or Snapshots, not {source!r:.60}")
    tables = dict(source) if isinstance(source, Mapping) else {"tasks": source}
    tables = {name: _table(name, table) for name, table in tables.items()}
    if not tables:
        raise ValueError("source must hold at least one block of acts")
    sizes = {name: len(table) for name, table in tables.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(f"blocks must have one row for each member, not {sizes}")
    first = next(iter(tables)) if blocks is None else _known(blocks, tables)[0]
    n = sizes[first]
    return Acts(tables, tables[first].sum(axis=1), np.arange(n), np.arange(n))


def _numbers(name, values) -> np.ndarray:
    try:
        return np.asarray(values, float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold numbers, in rows of one length, not {values!r:.60}") from None


def _table(name, table) -> np.ndarray:
    table = _numbers(name, table)
    if table.ndim != 2:
        raise ValueError(f"{name} must have two axes, members and columns, not shape {table.shape}")
    if not (np.isfinite(table) & (table >= 0)).all():
        i, j = np.argwhere(~(np.isfinite(table) & (table >= 0)))[0]
        raise ValueError(f"{name}[{i}, {j}] must be finite and 0 or more, not {table[i, j]}")
    return table


def _of_world(world) -> Acts:
    living, topology, k = world.living, world.topology, world.params.resources
    n = world.n_sites
    blocks = {"tasks": np.asarray(world.state["task_counts"][living], float)}
    if world.ledger:
        total = world.tie("total")
        blocks["exports"] = _sums(topology.source, total, n)[living]
        blocks["imports"] = _sums(topology.target, total, n)[living]
    trace = world.tie("trace")[:, None]
    given, got = (_sums(ends, trace, n)[living, 0] for ends in (topology.source, topology.target))
    burned = np.asarray(world.state["consumption"][living], float)
    own = np.maximum(burned * (1 - dependence(world, each=True)), 0)        # more may arrive than is burned
    blocks["position"] = np.stack([given, got, own], axis=1)
    return Acts(blocks, effective_draws(world), np.asarray(world.state["uid"][living]), np.asarray(living), k)


def _of_snapshot(one: Snapshot) -> Acts:
    living, exports, imports = one.living, one.sums("source"), one.sums("target")
    given, got = exports.sum(axis=1), imports.sum(axis=1)
    position = np.stack([given, got, np.maximum(one.burned - got, 0)], axis=1)
    blocks = {"tasks": np.asarray(one.tasks, float), "exports": exports, "imports": imports, "position": position}
    return Acts({name: table[living] for name, table in blocks.items()}, one.draws, one.uid[living], living,
                exports.shape[1])


def _of_flows(flows, resources, uid, site, blocks) -> Acts:
    """Read flows (n, n), row = giver; what a member is worth is counted in the ties of the first block."""
    def sums(axis, each=resources):
        return np.stack([np.asarray(flow.sum(axis=axis)).ravel() for flow in each], axis=1)

    tables = {"exports": sums(1), "imports": sums(0)} if len(resources) else {}
    tables["position"] = np.concatenate([sums(1, [flows]), sums(0, [flows])], axis=1)
    first = next(iter(tables)) if not blocks else blocks[0]
    axes = {"exports": [1], "imports": [0]}.get(first, [0, 1])
    amount, square = (sum(sums(axis, [each])[:, 0] for axis in axes) for each in (flows, flows.multiply(flows)))
    deal = None
    if flows.nnz and first == "position":
        deal = _turned(flows)
    elif first != "position" and any(one.nnz for one in resources):
        deal = _dealt(resources, first == "imports")
    return Acts(tables, ratio(amount**2, square), np.asarray(uid), np.asarray(site), len(resources), counted=False,
                deal=deal)


def _dealt(resources, received: bool) -> Callable:
    """Deal out anew which goods each tie carries; each keeps its amount, and each mix goes to one tie."""
    from scipy import sparse

    ties = sum(resources).tocoo()
    goods = np.stack([np.asarray(sparse.csr_array(one)[ties.row, ties.col]).ravel() for one in resources], axis=1)
    some = goods.sum(axis=1) > 0
    owner, amount = (ties.col if received else ties.row)[some], goods[some].sum(axis=1)
    mixes = goods[some] / amount[:, None]
    sums = sparse.csr_array((amount, (owner, np.arange(len(amount)))), shape=(ties.shape[0], len(amount)))
    return lambda rng: sums @ mixes[rng.permutation(len(mixes))]


def _turned(flows) -> Callable:
    """Turn the dealings of each pair round by lot: who gave has got, and the other way about."""
    ties = sum((flows, flows.T)).tocoo()
    one, other = ties.row[ties.row < ties.col], ties.col[ties.row < ties.col]
    there, back = (np.asarray(each.tocsr()[one, other]).ravel() for each in (flows, flows.T))
    n = ties.shape[0]

    def deal(rng):
        keep = rng.random(len(one)) < 0.5
        given, got = np.where(keep, there, back), np.where(keep, back, there)
        return np.stack([np.bincount(one, given, n) + np.bincount(other, got, n),
                         np.bincount(one, got, n) + np.bincount(other, given, n)], axis=1)

    return deal


def count_acts(acts, n_tasks: int | None = None) -> np.ndarray:
    """Count recorded acts.

    Parameters
    ----------
    acts : array_like of int, shape (ticks, members)
        The task of each member in each tick; -1: it did none.
    n_tasks : int, optional
        Number of tasks; by default one more than the highest that occurs.

    Returns
    -------
    ndarray of int64, shape (members, n_tasks)
        A table for :func:`find_roles`.

    Examples
    --------
    >>> count_acts([[0, 1], [0, -1], [1, 1]])
    array([[2, 1],
           [0, 2]])
    """
    acts = np.asarray(acts)
    if acts.ndim != 2 or acts.dtype.kind not in "iu":
        raise TypeError(f"acts must be whole numbers with two axes, ticks and members, not {acts.dtype} of shape "
                        f"{acts.shape}")
    highest = int(acts.max(initial=-1))
    n_tasks = max(highest, 0) + 1 if n_tasks is None else whole("n_tasks", n_tasks, 1)
    if highest >= n_tasks or acts.min(initial=-1) < -1:
        wrong = highest if highest >= n_tasks else int(acts.min())
        raise ValueError(f"acts must be in [-1, {n_tasks - 1}], not {wrong}")
    n = acts.shape[1]
    counts = np.bincount((np.arange(n) * (n_tasks + 1) + acts + 1).ravel(), minlength=n * (n_tasks + 1))
    return counts.reshape(n, n_tasks + 1)[:, 1:]


def _sums(ends, amounts, n) -> np.ndarray:
    """Add up amounts (ties, K) by site."""
    return np.stack([np.bincount(ends, column, n) for column in np.asarray(amounts, float).T], axis=1)


def points_of(acts: Acts) -> tuple[np.ndarray, tuple[int, ...], np.ndarray]:
    """Return the points (square roots of shares), the blocks' edges and the least variances.

    A row without any amount in a block (a member that never gave) stands at the population's mix: it says
    nothing there.
    """
    parts, floors = [], []
    for table in acts.blocks.values():
        total = table.sum(axis=1, keepdims=True)
        common = ratio(table.sum(axis=0), table.sum())
        parts.append(np.sqrt(np.where(total > 0, ratio(table, total), common)))
        floors.append(1 / (4 * max(1.0, float(np.median(acts.draws)) if len(acts) else 1.0)))
    edges = np.concatenate([[0], np.cumsum([part.shape[1] for part in parts])])
    return np.concatenate(parts, axis=1), tuple(edges.tolist()), np.array(floors)
