"""The record of who fed whom: graphs, matrices and windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import dependence, dominant_task, specialisation, welfare

__all__ = ["Reading", "add", "diff", "flow_matrix", "interdependence", "merge", "reading"]


# -- the present state of a world -----------------------------------------------------


def _exact(world, exact: bool | None) -> bool:
    """Decide which record is read: the exact one where there is one, unless told."""
    if exact and not world.ledger:
        raise ValueError("exact totals were asked for, but this world keeps none; make it with ledger=True, "
                         "or take exact=False for the decayed sums")
    return bool(world.ledger) if exact is None else bool(exact)


def _resource(resource, n: int) -> int:
    """Check the index of a resource."""
    if isinstance(resource, (bool, np.bool_)) or not isinstance(resource, (int, np.integer)):
        raise TypeError(f"resource must be a whole number in [0, {n - 1}] or None, not {resource!r}")
    if not 0 <= resource < n:
        raise ValueError(f"resource must be in [0, {n - 1}], not {resource}")
    return int(resource)


def _sparse(amount, source, target, n: int):
    """Return a CSR matrix of the positive amounts."""
    from scipy import sparse

    some = amount > 0
    return sparse.csr_array((amount[some].astype(np.float64), (source[some], target[some])), shape=(n, n))


def flow_matrix(world, exact: bool | None = None, resource: int | None = None):
    """Return the flows between sites as a sparse matrix.

    Parameters
    ----------
    world : World
    exact : bool, optional
        True reads the exact totals, False the decayed sums; by default the exact
        totals if the world keeps them.
    resource : int, optional
        Only this resource (exact totals only); by default the sum of all.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (sites, sites)
        Row = giver, in site order. Goods: since the pair of members exists, or
        decayed by γ a tick.

    Raises
    ------
    ValueError
        If exact totals are asked for and the world keeps none, or there is no such
        resource.
    """
    exact = _exact(world, True if resource is not None and exact is None else exact)
    if exact:
        total = world.tie("total")
        amount = total.sum(axis=1) if resource is None else total[:, _resource(resource, total.shape[1])]
    elif resource is not None:
        raise ValueError("the decayed sums are not kept per resource; leave resource out, or take exact=True")
    else:
        amount = np.asarray(world.tie("trace"))
    topology = world.topology
    return _sparse(amount, topology.source, topology.target, world.n_sites)


def interdependence(world, exact: bool | None = None, *, window=None, minimum: float = 0.0):
    """Return who feeds whom among the living, as a networkx graph.

    Parameters
    ----------
    world : World or Snapshots
    exact : bool, optional
        True reads the exact totals, False the decayed sums; by default the exact
        totals if the world keeps them.
    window : int or (int, int), optional
        Only flows of the last so many ticks, or of the ticks from one to another, of a world of which
        :class:`~organism.Snapshots` are taken. Of the ticks start + 1 … stop; both must be ends of their windows.
        Of several series the first that has the window is read.
    minimum : float, default 0
        Leave out edges that carry this much or less (goods).

    Returns
    -------
    networkx.DiGraph
        One node for each living member, named as in ``world.topology.nodes``, with
        the attributes ``site``, ``uid``, ``dominant_task`` (-1 if none),
        ``specialisation``, ``welfare``, ``dependence``, ``capability``, ``age`` and,
        where sites have positions, ``x`` and ``y``. An edge i → j carries ``weight``,
        what i gave j, and from the exact totals ``r0``, ``r1``, … per resource.
        ``G.graph`` says what the weights are: ``source`` ("exact totals" or "decayed
        sums"), ``unit``, ``tick``, ``seed`` and ``memory`` (γ; 1 if exact); of a grid
        also ``grid`` ("torus" or "bounded"), ``width`` and ``height``, in units of x
        and y. Of a window, nodes are the sites of all who were seen in it, with site, x and y
        alone (see :meth:`Reading.graph`). All attributes are plain numbers and text, so every networkx writer
        takes them.

    Raises
    ------
    TypeError, ValueError
        If exact totals are asked for and the world keeps none, or no snapshots are taken of it, or a window does not
        begin and end where they do.
    """
    if window is not None or not hasattr(world, "state"):
        if exact is False:
            raise ValueError("a window is of exact totals; leave exact out")
        return _windowed(world, window).graph(minimum=minimum)
    exact = _exact(world, exact)
    topology, state, living = world.topology, world.state, world.living
    nodes = {
        "site": living, "uid": state["uid"][living], "dominant_task": dominant_task(world),
        "specialisation": specialisation(world, each=True), "welfare": welfare(world, each=True),
        "dependence": dependence(world, each=True), "capability": state["capability"][living],
        "age": state["age"][living], **_places(topology, living),
    }
    amount = np.asarray(world.tie("total") if exact else world.tie("trace")[:, None], dtype=np.float64)
    memory = 1.0 if exact else float(world.params.exchange.memory)
    about = {
        "source": "exact totals" if exact else "decayed sums",
        "unit": "goods sent since the tie was made" if exact else "goods sent, decayed each tick",
        "tick": int(world.tick), "seed": str(world.seed), "memory": memory, **grid_size(topology),
    }
    labels = _labels(topology, living)
    name = dict(zip(living.tolist(), labels, strict=True))
    return _graph(labels, nodes, topology.source, topology.target, amount, name, minimum, exact, about)


def ours(graph) -> bool:
    """Tell whether a graph holds the flows of one of our worlds, in which members give along ties they were given."""
    return graph.graph.get("source") in ("exact totals", "decayed sums")


def _windowed(source, window) -> Reading:
    """Return the flows of a window of snapshots, or of those that are taken of a world."""
    taken = source
    if hasattr(source, "state"):
        series = [job.call for job in source._agenda.jobs if hasattr(job.call, "window")]
        if not series:
            raise ValueError("a window needs snapshots of the world: og.Snapshots(world, every=…) before it runs")
        if len(series) > 1:
            return _of_some(series, window)
        taken = series[0]
    if not hasattr(taken, "window"):
        raise TypeError(f"world must be a World or Snapshots, not {source!r:.60}")
    if window is None:
        return taken.window()
    ends = window if isinstance(window, (tuple, list)) else (window,)
    if len(ends) > 2 or not all(isinstance(end, (int, np.integer)) and not isinstance(end, bool) for end in ends):
        raise ValueError(f"window must be a number of ticks or two ticks, not {window!r}")
    if len(ends) == 2:
        return taken.window(*map(int, ends))
    stop = int(taken.ticks[-1]) if len(taken) else 0
    if ends[0] < 1:
        raise ValueError(f"window must be at least 1 tick, not {ends[0]}")
    return taken.window(stop - int(ends[0]), stop)


def _of_some(series, window) -> Reading:
    """Return the flows of a window from the first of several series of snapshots that has it."""
    refused = []
    for taken in series:
        if len(taken):
            try:
                return _windowed(taken, window)
            except ValueError as error:
                refused.append(error)
    if not refused:
        raise ValueError("no snapshot has been taken yet")
    if not all("must be an end of a window" in str(error) for error in refused):
        raise refused[0]                        # not a matter of which windows there are
    known = " and ".join(f"every {taken.every} ticks up to {int(taken.ticks[-1])}" for taken in series if len(taken))
    raise ValueError(f"window must begin and end where snapshots were taken ({known}), not {window!r}")


def _labels(topology, sites) -> list:
    nodes = topology.nodes
    return [nodes[i] for i in sites.tolist()]


def _places(topology, sites) -> dict[str, np.ndarray]:
    """Return x and y of the sites, if the topology has positions."""
    if topology.positions is None:
        return {}
    return {"x": topology.positions[sites, 0], "y": topology.positions[sites, 1]}


def grid_size(topology) -> dict:
    """Return whether a grid wraps, and how wide and high it is in units of x and y; {} elsewhere."""
    if topology.kind != "grid":
        return {}
    height, width = (1, *topology.shape)[-2:]
    row = 0.75**0.5 if topology.neighbourhood == "hexagonal" else 1.0
    return {"grid": "torus" if topology.torus else "bounded", "width": float(width), "height": height * row}


def _graph(labels, nodes, source, target, amount, name, minimum, per_resource, about):
    """Build the graph; ``name`` maps what ``source`` and ``target`` hold to node labels."""
    import networkx as nx

    weight = amount.sum(axis=1)
    some = np.flatnonzero(weight > minimum)
    columns = {"weight": weight[some]}
    if per_resource:
        columns |= {f"r{k}": amount[some, k] for k in range(amount.shape[1])}
    graph = nx.DiGraph(**about)
    graph.add_nodes_from(zip(labels, _rows(nodes), strict=True))
    graph.add_edges_from((name[i], name[j], data) for i, j, data in
                         zip(source[some].tolist(), target[some].tolist(), _rows(columns), strict=True))
    return graph


def _rows(columns: dict[str, np.ndarray]) -> list[dict]:
    """Turn columns into one dict of plain Python numbers a row."""
    names = list(columns)
    values = [np.asarray(column).tolist() for column in columns.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


# -- windows of the exact ledger ------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Reading:
    """Exact flows between members over a stretch of ticks; made by :func:`reading`.

    Parameters
    ----------
    start, stop : int
        The window: flows of the ticks start + 1 … stop.
    ticks : int
        How many ticks that are (fewer than stop − start where windows were added
        with a gap).
    giver, receiver : ndarray of int64, shape (pairs,)
        Permanent uids, dead members included; each pair once, in ascending order.
    amount : ndarray of float64, shape (pairs, K)
        Goods sent, per resource.
    uid, site : ndarray of int64, shape (members,)
        Where members were when last seen by a reading; uids ascend.
    topology : Topology
        Of the world when it was read.
    seed : int
        Of the world.
    tasks : ndarray, shape (members, M), or None
        Acts by task of those in ``uid`` in the window, where snapshots tell.
    welfare : ndarray, shape (members,), or None
        When they were last seen, where snapshots tell.
    """

    start: int
    stop: int
    ticks: int
    giver: np.ndarray
    receiver: np.ndarray
    amount: np.ndarray
    uid: np.ndarray
    site: np.ndarray
    topology: object
    seed: int
    tasks: np.ndarray | None = None
    welfare: np.ndarray | None = None

    def __repr__(self):
        return (f"Reading(ticks {self.start}–{self.stop}: {self.amount.sum():,.1f} goods "
                f"between {len(self.giver):,} pairs)")

    @property
    def total(self) -> np.ndarray:
        """All goods sent, per resource, float64 (K,)."""
        return self.amount.sum(axis=0)

    def _amounts(self, resource: int | None) -> np.ndarray:
        if resource is None:
            return self.amount.sum(axis=1)
        return self.amount[:, _resource(resource, self.amount.shape[1])]

    def _ends(self, by: str) -> tuple[np.ndarray, np.ndarray]:
        """Return givers and receivers as sites (-1 where unknown) or as indices into ``members``."""
        if by == "member":
            members = self.members
            return np.searchsorted(members, self.giver), np.searchsorted(members, self.receiver)
        if by != "site":
            raise ValueError(f"by must be 'site' or 'member', not {by!r}")
        return self._site_of(self.giver), self._site_of(self.receiver)

    def _site_of(self, uid: np.ndarray) -> np.ndarray:
        if not self.uid.size:
            return np.full(uid.shape, -1)
        at = np.minimum(np.searchsorted(self.uid, uid), self.uid.size - 1)
        return np.where(self.uid[at] == uid, self.site[at], -1)

    @property
    def members(self) -> np.ndarray:
        """Uids of all that gave, received or were seen, ascending."""
        return np.unique(np.concatenate([self.giver, self.receiver, self.uid]))

    def matrix(self, resource: int | None = None, by: str = "site"):
        """Return the flows as a sparse matrix, row = giver.

        Parameters
        ----------
        resource : int, optional
            Only this resource; by default the sum of all.
        by : {"site", "member"}
            Rows and columns are sites (of everyone who lived there), or
            :attr:`members`, the dead included. Flows of members that no reading saw
            alive have no site and are only in the latter.

        Returns
        -------
        scipy.sparse.csr_array of float64
        """
        source, target = self._ends(by)
        n = self.topology.n_sites if by == "site" else len(self.members)
        amount = np.where((source >= 0) & (target >= 0), self._amounts(resource), 0)
        return _sparse(amount, source, target, n)

    def frame(self):
        """Return one row a pair of members that traded, as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            ``start`` and ``stop`` of the window, uids of ``giver`` and ``receiver``, their sites (-1 where unknown),
            goods sent by resource ``r0``, ``r1``, …, and their sum ``weight``.
        """
        import pandas as pd

        return pd.DataFrame({
            "start": self.start, "stop": self.stop, "giver": self.giver, "receiver": self.receiver,
            "giver_site": self._site_of(self.giver), "receiver_site": self._site_of(self.receiver),
            **{f"r{k}": column for k, column in enumerate(self.amount.T)}, "weight": self.amount.sum(axis=1)})

    def graph(self, by: str = "site", minimum: float = 0.0):
        """Return the flows as a networkx graph.

        Parameters
        ----------
        by : {"site", "member"}
            Nodes are sites, named as in the topology, or members, named by uid.
        minimum : float, default 0
            Leave out edges that carry this much or less (goods).

        Returns
        -------
        networkx.DiGraph
            Edges carry ``weight`` and ``r0``, ``r1``, … as in :func:`interdependence`.
            ``G.graph["unplaced"]`` is what flowed from or to members that no reading
            saw alive, and so is in no edge between sites.
        """
        source, target = self._ends(by)
        placed = (source >= 0) & (target >= 0)
        amount = self.amount[placed]
        if by == "site":
            here = np.unique(np.concatenate([self.site, source[placed], target[placed]]))
            nodes = {"site": here, **_places(self.topology, here)}
            labels = _labels(self.topology, here)
            source, target, amount = merge(source[placed], target[placed], amount)
        else:
            uids = self.members
            here = np.arange(len(uids))
            nodes, labels = {"uid": uids, "site": self._site_of(uids)}, uids.tolist()
        about = {"source": "exact totals", "unit": "goods sent in the window", "start": self.start,
                 "stop": self.stop, "ticks": self.ticks, "seed": str(self.seed), "memory": 1.0,
                 "unplaced": float(self.amount[~placed].sum())}
        if by == "site":
            about |= grid_size(self.topology)
        name = dict(zip(here.tolist(), labels, strict=True))
        return _graph(labels, nodes, source, target, amount, name, minimum, True, about)


def merge(giver, receiver, amount):
    """Add up the amounts of equal pairs.

    Parameters
    ----------
    giver, receiver : ndarray of int64, shape (n,)
    amount : ndarray of float64, shape (n, K)

    Returns
    -------
    giver, receiver : ndarray of int64, shape (m,)
        Each pair once, in ascending order.
    amount : ndarray of float64, shape (m, K)
    """
    if not len(giver):
        return giver, receiver, amount
    order = np.lexsort((receiver, giver))
    giver, receiver, amount = giver[order], receiver[order], amount[order]
    first = np.flatnonzero(np.r_[True, (giver[1:] != giver[:-1]) | (receiver[1:] != receiver[:-1])])
    return giver[first], receiver[first], np.add.reduceat(amount, first, axis=0)


def reading(world) -> Reading:
    """Read the exact ledger: all that members gave each other since the world began.

    Parameters
    ----------
    world : World
        Made with ``ledger=True``.

    Returns
    -------
    Reading
        With start 0; the accounts of the dead and of removed ties are included.

    Raises
    ------
    ValueError
        If the world keeps no exact totals.
    """
    _exact(world, True)
    topology, uid = world.topology, np.asarray(world.state["uid"])
    total = np.asarray(world.tie("total"))
    some = (total > 0).any(axis=1)
    closed_uids, closed_amounts = world.closed_accounts()
    giver = np.concatenate([uid[topology.source[some]], closed_uids[:, 0]])
    receiver = np.concatenate([uid[topology.target[some]], closed_uids[:, 1]])
    giver, receiver, amount = merge(giver, receiver, np.concatenate([total[some], closed_amounts]))
    site = np.array(world.living, dtype=np.int64)
    order = np.argsort(uid[site])
    return Reading(0, int(world.tick), int(world.tick), giver, receiver, amount, uid[site][order],
                   site[order], topology, world.seed)


def _comparable(a: Reading, b: Reading) -> None:
    if a.seed != b.seed or a.topology.n_sites != b.topology.n_sites or a.amount.shape[1] != b.amount.shape[1]:
        raise ValueError(f"the readings are of different worlds: {a!r} and {b!r}")


def _seen(a: Reading, b: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Return uids and sites seen by either; where both saw a member, ``a`` is right."""
    uid, first = np.unique(np.concatenate([a.uid, b.uid]), return_index=True)
    return uid, np.concatenate([a.site, b.site])[first]


def add(a: Reading, b: Reading) -> Reading:
    """Return the flows of two windows of one world together.

    Parameters
    ----------
    a, b : Reading
        Windows that do not overlap; a gap between them is left out.

    Returns
    -------
    Reading
        From the earlier start to the later stop.

    Raises
    ------
    ValueError
        If the windows overlap or are of different worlds.
    """
    _comparable(a, b)
    early, late = sorted((a, b), key=lambda r: (r.start, r.stop))
    if early.stop > late.start:
        raise ValueError(f"the windows overlap: ticks {early.start}–{early.stop} and "
                         f"{late.start}–{late.stop}")
    giver, receiver, amount = merge(*(np.concatenate(pair) for pair in (
        (early.giver, late.giver), (early.receiver, late.receiver), (early.amount, late.amount))))
    return Reading(early.start, late.stop, early.ticks + late.ticks, giver, receiver, amount,
                   *_seen(late, early), late.topology, late.seed)


def diff(later: Reading, earlier: Reading) -> Reading:
    """Return the flows of the ticks between two readings of one world.

    Parameters
    ----------
    later, earlier : Reading
        Readings with the same start, such as :func:`reading` makes.

    Returns
    -------
    Reading
        From ``earlier.stop`` to ``later.stop``: what members gave that died in
        between is included.

    Raises
    ------
    ValueError
        If the readings are in the wrong order, start at different ticks or are of
        different worlds.
    """
    _comparable(later, earlier)
    if later.start != earlier.start or later.stop < earlier.stop:
        raise ValueError(f"a difference takes a later and an earlier reading with the same start, not ticks "
                         f"{later.start}–{later.stop} and {earlier.start}–{earlier.stop}")
    giver, receiver, amount = merge(*(np.concatenate(pair) for pair in (
        (later.giver, earlier.giver), (later.receiver, earlier.receiver), (later.amount, -earlier.amount))))
    # Totals only grow; closing an account may regroup its sum, which moves the last bit.
    if (amount < -1e-9 * (1 + later.amount.sum())).any():
        i = int(np.argmin(amount.min(axis=1)))
        raise ValueError(f"member {giver[i]} gave member {receiver[i]} less in the later reading than in the "
                         "earlier; they are of different worlds")
    some = (amount > 0).any(axis=1)
    return Reading(earlier.stop, later.stop, later.ticks - earlier.ticks, giver[some], receiver[some],
                   np.maximum(amount[some], 0), *_seen(later, earlier), later.topology, later.seed)
