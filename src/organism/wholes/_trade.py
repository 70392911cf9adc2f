"""What wholes are found in: flows between members, read from worlds, readings, graphs and tables."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, replace

import numpy as np

from ..flows import Reading, flow_matrix
from ..flows._record import ours
from ..measures import welfare
from ..measures._sources import is_world
from ..snapshots import latest

__all__ = ["Trade", "trade_of"]


@dataclass(frozen=True, eq=False)
class Trade:
    """What wholes are found in and described by.

    Parameters
    ----------
    flows : scipy.sparse.csr_array, shape (n, n)
        All goods, row = giver, without loops.
    resources : tuple of scipy.sparse.csr_array, shape (n, n)
        The same by resource; empty if unknown.
    tasks : ndarray, shape (n, M), or None
        Acts by task.
    welfare : ndarray, shape (n,), or None
    nodes : list
        Names of the members.
    uid : ndarray, shape (n,)
        Who they are, for good: uids in a world or reading, names of nodes in a graph, else places in the table.
    positions : ndarray, shape (n, 2), or None
    ties : scipy.sparse.csr_array, shape (n, n), or None
        Flows along all ties that there are, also where nothing flowed (zeros that are stored): of a world or reading.
    given : bool
        Whether the ties were there before, so that only what flows along them is in question.
    left_out : float
        Share of what was given that is left out, for giver or receiver was not there at any end of a window.
    """

    flows: object
    resources: tuple
    tasks: np.ndarray | None
    welfare: np.ndarray | None
    nodes: list
    uid: np.ndarray
    positions: np.ndarray | None = None
    ties: object = None
    given: bool = False
    left_out: float = 0.0


def trade_of(source) -> Trade:
    """Read what wholes are found in.

    Parameters
    ----------
    source : World, Reading, Snapshot, Snapshots, networkx graph or sparse array
        A world: flows between its living members (exact totals where it keeps them, so all that ever flowed: of a
        world that is still changing take a window of its snapshots). A reading: flows of its window between those who
        were seen; of windows of snapshots tasks and welfare are known too. Of a series of snapshots the last window
        (``series.window()`` is all of it). A graph: its ``weight``, and ``r0``, ``r1``, … where edges have them;
        undirected edges count both ways. A square array: row = giver.

    Returns
    -------
    Trade
    """
    from scipy import sparse

    source = latest(source)
    if is_world(source):
        here = np.asarray(source.living)
        flows = flow_matrix(source)[here][:, here]
        resources = tuple(flow_matrix(source, resource=k)[here][:, here] for k in range(source.params.resources)
                          ) if source.ledger else ()
        topology = source.topology
        return _trade(flows, resources, np.asarray(source.state["task_counts"][here], float),
                      np.asarray(welfare(source, each=True), float), [topology.nodes[i] for i in here.tolist()],
                      np.asarray(source.state["uid"][here]), topology, here)
    if isinstance(source, Reading):
        # by member, not by site: in a long window several may have lived at one
        who, here, topology = np.searchsorted(source.members, source.uid), source.site, source.topology
        parts = [source.matrix(resource, by="member")[who][:, who]
                 for resource in (None, *range(source.amount.shape[1]))]
        given = source.amount.sum()
        found = _trade(parts[0], tuple(parts[1:]), source.tasks, source.welfare,
                       [topology.nodes[i] for i in here.tolist()], source.uid, topology, here)
        return replace(found, left_out=float(1 - parts[0].sum() / given) if given > 0 else 0.0)
    if hasattr(source, "nodes") and hasattr(source, "adj"):
        import networkx as nx

        nodes = list(source.nodes)
        if not nodes:                           # networkx makes no matrix of none
            return trade_of(sparse.csr_array((0, 0)))
        names = sorted({key for *_, data in source.edges(data=True) for key in data
                        if isinstance(key, str) and key[:1] == "r" and key[1:].isdigit()}, key=lambda key: int(key[1:]))
        for name in ("weight", *names):
            _check(source, name)
        flows = sparse.csr_array(nx.to_scipy_sparse_array(source, nodelist=nodes, weight="weight", dtype=float))
        found = _trade(flows, tuple(_resource(source, nodes, name) for name in names), None, None, nodes,
                       _uids(source, nodes))
        return replace(found, given=ours(source))
    shape = getattr(source, "shape", ())
    if len(shape) != 2 or shape[0] != shape[1]:
        raise TypeError("source must be a World, a Reading, snapshots, a networkx graph or a square array of flows, "
                        "not " + (f"an array of shape {shape}" if shape else f"{source!r:.60}"))
    flows = sparse.csr_array(source, dtype=float)
    return _trade(flows, (), None, None, list(range(flows.shape[0])), np.arange(flows.shape[0]))


def _check(graph, name: str) -> None:
    """Refuse edges whose amount is no number; whether it is finite and 0 or more is looked at later."""
    for a, b, amount in graph.edges(data=name, default=0):
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"{name} of an edge must be a number, not {amount!r:.60} (edge from {a!r} to {b!r})")


def _resource(graph, nodes, name: str):
    """Return what flows of one resource; nothing along an edge that does not say."""
    from scipy import sparse

    place = {node: i for i, node in enumerate(nodes)}
    ties = [(place[a], place[b], data[name]) for a, b, data in graph.edges(data=True) if name in data]
    if not graph.is_directed():
        ties += [(b, a, amount) for a, b, amount in ties if a != b]
    row, column, amount = zip(*ties, strict=True)
    return sparse.coo_array((np.array(amount, float), (row, column)), shape=(len(nodes),) * 2).tocsr()


def _uids(graph, nodes) -> np.ndarray:
    """Return the nodes' uids where all have one, else their names, as numbers if they all are whole numbers."""
    names = [data["uid"] for _, data in graph.nodes(data=True) if "uid" in data]
    names = names if len(names) == len(nodes) else nodes
    if all(isinstance(name, (int, np.integer)) for name in names):
        return np.array(names, np.int64)
    return np.fromiter(names, object, len(names))


def _trade(flows, resources, tasks, fed, nodes, uid, topology=None, here=None) -> Trade:
    """Take loops away and check; where there is a topology, look up its ties between the sites ``here``."""
    from scipy import sparse

    def plain(matrix):
        matrix = sparse.csr_array(matrix, dtype=float)
        if not (np.isfinite(matrix.data) & (matrix.data >= 0)).all():
            bad = matrix.data[~(np.isfinite(matrix.data) & (matrix.data >= 0))][0]
            raise ValueError(f"flows must be finite and 0 or more, not {bad}")
        ties = matrix.tocoo()
        keep = (ties.row != ties.col) & (ties.data > 0)
        return sparse.csr_array((ties.data[keep], (ties.row[keep], ties.col[keep])), shape=matrix.shape)

    flows, positions, ties = plain(flows), None, None
    if topology is not None:
        n, place = len(here), np.full(topology.n_sites, -1)
        place[here] = np.arange(n)
        source, target = place[topology.source], place[topology.target]
        both, given = (source >= 0) & (target >= 0), flows.tocoo()
        ties = sparse.coo_array((np.concatenate([np.zeros(both.sum()), given.data]),
                                 (np.concatenate([source[both], given.row]),
                                  np.concatenate([target[both], given.col]))), shape=(n, n)).tocsr()
        positions = None if topology.positions is None else topology.positions[here]
    return Trade(flows, tuple(plain(one) for one in resources), tasks, fed, nodes, uid, positions, ties,
                 topology is not None)
