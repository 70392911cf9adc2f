"""Who can feed whom: frozen directed ties between sites, in the form the kernel walks.

A `Topology` is made once from a grid, a networkx graph, a Mesa space, an edge
list or a sparse matrix, and never changes. Sites are numbered ``0 … N − 1``;
a tie ``i → j`` lets ``i`` give to ``j`` and sense its need.

The kernel reads *sliced* storage: sites are taken 16 at a time, and the d-th
ties of the 16 sites of a slice lie side by side, so that one vector register
holds one tie of 16 members. Slice ``s`` is as wide as its largest degree; the
d-th tie of site ``i`` sits in slot ``ptr[i // 16] + 16 * d + i % 16``. Slots
that hold no tie point at a sentinel site behind the last one. Rows are sorted
by the permanent id of the other end, so that sums run in one order whatever
the order of storage.

>>> from organism import Topology
>>> Topology.grid((4, 4)).n_ties
128
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ._layouts import NEIGHBOURHOODS, _labels, _same
from ._origins import graph_ties, grid_rows, matrix_ties, space_ties, to_graph
from ._places import Places
from ._slices import LANES, MAX_SLOTS, _count, _edges, _ids, _rows, _sites, sliced
from ._ties import Ties
from ._written import in_html, in_words, read_arrays, to_arrays

__all__ = ["LANES", "NEIGHBOURHOODS", "Topology"]

#: What describes a topology beside its ties.
_ABOUT = ("kind", "shape", "torus", "neighbourhood", "radius", "_nodes", "_cells", "_positions",
          "_attributes")


class Topology(Places, Ties):
    """Immutable directed ties between sites.

    Made by `grid`, `from_networkx`, `from_space`, `from_edges` or
    `from_sparse`, never by calling the class. All arrays are read-only.

    N is the number of sites, S = ceil(N / 16) the number of slices, Np = 16 S
    the sentinel site, T_out and T_in the number of slots without the sentinel
    slice. Ties in *canonical order* are sorted by source site, then by the
    permanent id of the target.

    Attributes
    ----------
    n_sites, n_ties : int
        Number of sites and of directed ties.
    directed : bool
        False if every tie has its reverse (weights may still differ).
    kind : {"grid", "network", "space"}
        What it was made from.
    shape : tuple of int or None
        ``(height, width)`` or ``(length,)`` of a grid.
    torus : bool
        Whether the grid wraps.
    neighbourhood : str or None
        "moore", "von_neumann" or "hexagonal" for grids.
    radius : int or None
        Radius of the neighbourhood of a grid.
    site_id : ndarray of int64, shape (N,)
        Permanent ids; they keep their site when storage is permuted.
    out_degree, in_degree : ndarray of int32, shape (N,)
        Ties from and to each site.
    out_ptr, in_ptr : ndarray of int64, shape (S + 1,)
        First slot of each slice.
    out_index, in_index : ndarray of int32, shape (T + 16,)
        The other end of the tie in each slot; Np in empty slots and in the
        sentinel slice at the end. If undirected, ``in_*`` *are* ``out_*``.
    in_to_out : ndarray of int32, shape (T_in + 16,)
        For the in-slot of i → j (owned by j) the out-slot of the same tie
        (owned by i); T_out in empty slots.
    mate : ndarray of int32, shape (T_out + 16,), or None
        For the out-slot of i → j the in-slot, owned by i, of j → i; T_in where
        there is no reverse. None if undirected: then it is the same slot.
    slot_weight : ndarray of float32, shape (T_out + 16,), or None
        Network weight by out-slot, 0 in empty slots; None if all weights are 1.
    """

    def __init__(self):
        raise TypeError("make a Topology with Topology.grid, .from_networkx, .from_space, .from_edges"
                        " or .from_sparse")

    # -- constructors -------------------------------------------------------------------------

    @classmethod
    def grid(cls, shape, neighbourhood: str = "moore", radius: int = 1, torus: bool = True,
             holes=None) -> Topology:
        """Make a grid, ring or line.

        Parameters
        ----------
        shape : tuple of int
            ``(height, width)``, or ``(length,)`` for a ring (torus) or a line.
        neighbourhood : {"moore", "von_neumann", "hexagonal"}
            Cells at most ``radius`` steps away: king's moves, rook's steps, or
            steps on a hexagonal grid. Hexagonal rows are offset, and even rows
            lie half a cell to the right ("even-r", as in Mesa's ``HexGrid``).
            A ring or a line has one neighbourhood: ``radius`` sites each side.
        radius : int
            At least 1, at most the longer side.
        torus : bool
            Whether edges wrap. A hexagonal torus needs an even height.
        holes : array_like of bool, shape ``shape``, optional
            True where there is no site.

        Returns
        -------
        Topology
            Sites in row-major order. On a small torus where a cell is reached
            by several offsets there is one tie, and none to oneself.

        Raises
        ------
        TypeError, ValueError
            In one sentence, for a shape, radius or mask that cannot be used.

        Examples
        --------
        >>> Topology.grid((4, 6), "hexagonal").out_degree.tolist() == 24 * [6]
        True
        """
        indptr, indices, about = grid_rows(shape, neighbourhood, radius, torus, holes)
        return cls._assemble(indptr.size - 1, indptr, indices, **about)

    @classmethod
    def from_edges(cls, source, target, n_sites: int | None = None, weight=None, nodes=None,
                   directed: bool = True) -> Topology:
        """Make a topology from lists of site indices.

        Parameters
        ----------
        source, target : array_like of int, shape (E,)
            Edge e lets ``source[e]`` give to ``target[e]``.
        n_sites : int, optional
            Number of sites; by default as many as ``nodes``, or the highest
            index plus one.
        weight : array_like of float, shape (E,), optional
            Finite and >= 0; 1 by default. Over a tie of weight 0 nothing moves.
        nodes : sequence of hashable, shape (N,), optional
            A label for every site; the indices by default.
        directed : bool
            If false, every edge makes two ties and must be listed once.

        Returns
        -------
        Topology

        Raises
        ------
        TypeError, ValueError
            For self-loops, repeated edges, indices out of range and bad weights,
            in one sentence that names the edge.
        """
        if n_sites is None:
            nodes = None if nodes is None else _labels(nodes)
            ends = np.concatenate((_sites("source", source), _sites("target", target)))
            n_sites = len(nodes) if nodes is not None else int(ends.max(initial=-1)) + 1
            if n_sites == 0:
                raise ValueError("a topology needs at least one site, and n_sites and the edges give none")
        n = _count("n_sites", n_sites, 1)
        if n > MAX_SLOTS:
            raise ValueError(f"n_sites must be in 1..{MAX_SLOTS}, not {n}")
        nodes = None if nodes is None else _labels(nodes, n)
        return cls._from_ties(n, *_edges(n, source, target, weight), directed, nodes=nodes)

    @classmethod
    def from_sparse(cls, A, nodes=None) -> Topology:  # noqa: N803
        """Make a topology from a square matrix.

        Parameters
        ----------
        A : scipy sparse matrix or array, or array_like, shape (N, N)
            ``A[i, j]`` is the weight of i → j, finite and >= 0. In a sparse
            matrix every stored entry off the diagonal is a tie, zeros included;
            in a dense one every entry that is not zero.
        nodes : sequence of hashable, shape (N,), optional
            Labels; the indices by default.

        Returns
        -------
        Topology
        """
        n, *ties = matrix_ties(A)
        return cls._from_ties(n, *ties, nodes=None if nodes is None else _labels(nodes, n),
                              loops="set the diagonal to 0, for example with A.setdiag(0)")

    @classmethod
    def from_networkx(cls, G, weight: str | None = None, order=None) -> Topology:  # noqa: N803
        """Make a topology from a networkx graph, keeping nodes and attributes.

        Parameters
        ----------
        G : networkx graph
            An undirected edge gives ties both ways. Multigraphs are fine as
            long as no two edges are parallel.
        weight : str, optional
            Edge attribute to read as tie weight, finite and >= 0; edges without
            it weigh 1. By default all ties weigh 1.
        order : sequence of nodes, optional
            The order of the sites; the graph's own by default.

        Returns
        -------
        Topology
            `nodes` are the graph's nodes; `positions` the nodes' "pos"
            attributes if all have one.

        Raises
        ------
        TypeError, ValueError
            For a graph with no nodes, self-loops, parallel edges and bad
            weights, in one sentence that names the node or edge.
        """
        ties, about = graph_ties(G, weight, order)
        return cls._from_ties(*ties, **about)

    @classmethod
    def from_space(cls, space) -> Topology:
        """Make a topology from any Mesa ``discrete_space``.

        Cells become sites in the space's order, which is also the order of a
        raveled property layer, and connections become ties. Capacities and
        agents play no part.

        Parameters
        ----------
        space : mesa.discrete_space.DiscreteSpace
            OrthogonalMooreGrid, OrthogonalVonNeumannGrid, HexGrid, Network,
            VoronoiGrid or a space of your own.

        Returns
        -------
        Topology
            ``space[topology.nodes[i]]`` is the cell of site i: nodes are grid
            coordinates (x, y), node ids of a Network, running numbers of a
            VoronoiGrid. A grid of two dimensions has `shape` (its height, its
            width) and `cells` (y, x). `positions` are coordinates of a grid,
            centroids, or the layout of a network.

        Raises
        ------
        TypeError, ValueError
            For what is not a space, has no cells, or connects a cell to itself.
        """
        ties, about = space_ties(space)
        return cls._from_ties(*ties, **about)

    @classmethod
    def _from_ties(cls, n, source, target, weight, directed=True, *, nodes=None,
                   repeated="add up their weights, or list each undirected edge once",
                   loops="drop the edges whose source is their target", **about):
        """Sort checked edges, double undirected ones and assemble."""
        if not directed:
            source, target = np.concatenate((source, target)), np.concatenate((target, source))
            weight = None if weight is None else np.concatenate((weight, weight))
        rows = _rows(n, source, target, weight, lambda i: repr(int(i) if nodes is None else nodes[i]),
                     repeated, loops)
        return cls._assemble(n, *rows, _nodes=nodes, **about)

    @classmethod
    def _from_stored(cls, n, source, target, weight, site_id, **about) -> Topology:
        """Assemble from checked ties between stored sites of any permanent ids."""
        site = np.argsort(site_id)
        rank = np.empty_like(site)
        rank[site] = np.arange(n)
        rows = _rows(n, rank[source], rank[target], weight, lambda k: f"at site {site[k]}",
                     "list each once", "drop the edges whose source is their target")
        return cls._assemble(n, *rows, site_id=site_id, **about)

    @classmethod
    def _assemble(cls, n, indptr, indices, weight=None, *, site_id=None, **about) -> Topology:
        """Build all arrays from CSR rows given in permanent-id order."""
        self = object.__new__(cls)
        self.__dict__.update(sliced(n, indptr, indices, weight, site_id))
        self.__dict__.update(dict.fromkeys(_ABOUT) | {"kind": "network", "torus": False} | about)
        return self._freeze()

    # -- other forms --------------------------------------------------------------------------

    def permuted(self, perm) -> Topology:
        """Store the same sites in another order: site k of the result is site ``perm[k]`` of this one.

        Permanent ids, labels, cells and positions travel with their sites, so
        a world on the result computes the same numbers; tests rely on it.
        (`organism.interact` walks a grid whose cells do not lie row by row
        along its ties: sums of floats there may differ in the last bit.)
        """
        perm = _sites("perm", perm)
        if not np.array_equal(np.sort(perm), np.arange(self.n_sites)):
            raise ValueError(f"perm must hold every site 0..{self.n_sites - 1} once")
        new = np.empty_like(perm)
        new[perm] = np.arange(perm.size)
        nodes = None
        if not self._is_plane:
            nodes = tuple(self.nodes[k] for k in perm.tolist())
        return self._again(new[self.source], new[self.target], self.weight, site_id=self.site_id[perm],
                           _nodes=nodes, _cells=None if self.cells is None else self.cells[perm],
                           _positions=None if self._positions is None else self._positions[perm])

    def with_site_ids(self, site_id) -> Topology:
        """Return the same sites and ties under other permanent ids, distinct whole numbers >= 0."""
        return self._again(self.source, self.target, self.weight, site_id=_ids(site_id, self.n_sites))

    def rewired(self, source, target, weight=None) -> Topology:
        """Return the same sites, with their ids, labels and places, under other ties.

        Parameters
        ----------
        source, target : array_like of int, shape (E,)
            Sites; directed, without self-loops or repeats.
        weight : array_like of float, shape (E,), optional
            Finite and >= 0; 1 by default.

        Returns
        -------
        Topology
            On a grid it keeps `shape`, but no `neighbourhood`.
        """
        kept = None if self._attributes is None else self._attributes | {"edges": {}}
        return self._again(*_edges(self.n_sites, source, target, weight), neighbourhood=None, radius=None,
                           _positions=self.positions, _attributes=kept)

    def _again(self, source, target, weight, **changes) -> Topology:
        """Assemble the same sites with changes, from ties given by where their ends are stored."""
        about = {name: self.__dict__[name] for name in _ABOUT} | {"site_id": self.site_id} | changes
        return self._from_stored(self.n_sites, source, target, weight, **about)

    def to_networkx(self):
        """Return the graph, with its nodes' labels and with all attributes it came with.

        Returns
        -------
        networkx.Graph or networkx.DiGraph
            A Graph if every tie has a reverse of the same weight and it was not
            made from a directed graph. Weights that are not all 1 are edge
            attributes under the name they were read from, or "weight".
        """
        return to_graph(self)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return plain arrays that `from_arrays` understands; labels and names as JSON text in bytes.

        Labels may be numbers, strings, booleans and tuples of them; other
        labels are refused with a TypeError. Attributes of the graph that have no
        such form are left out, with a warning.
        """
        return to_arrays(self)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Topology:
        """Restore what `to_arrays` returned; ValueError if the arrays are damaged or not ours."""
        try:
            n, *ties, site_id, about = read_arrays(arrays)
            return cls._from_stored(n, *ties, site_id, **about)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"these arrays do not hold a topology: {error}") from error

    def __eq__(self, other) -> bool:
        """Whether both have the same sites, ids, labels, cells, ties and weights, wherever they are drawn."""
        if not isinstance(other, Topology):
            return NotImplemented
        return (
            (self.n_sites, self.n_ties, self.kind, self.shape, self.torus)
            == (other.n_sites, other.n_ties, other.kind, other.shape, other.torus)
            and all(_same(getattr(self, name), getattr(other, name)) for name in
                    ("site_id", "out_degree", "out_index", "slot_weight", "cells"))
            and (self.nodes is other.nodes or tuple(self.nodes) == tuple(other.nodes))
        )

    def __hash__(self) -> int:
        return hash((self.n_sites, self.n_ties, self.kind, self.shape, self.torus))

    def __repr__(self) -> str:
        ties = "1 tie" if self.n_ties == 1 else f"{self.n_ties} ties"
        sites = "1 site" if self.n_sites == 1 else f"{self.n_sites} sites"
        how = "directed" if self.directed else "undirected"
        weights = "" if self.slot_weight is None else ", weighted"
        return f"<Topology: {in_words(self)}, {sites}, {ties}, {how}{weights}>"

    def _repr_html_(self) -> str:
        return in_html(self)
