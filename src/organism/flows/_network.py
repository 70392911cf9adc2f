"""Networks of flows with a world outside: the measures of ecological network analysis and of input–output analysis."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._checks import number

__all__ = ["FlowNetwork", "flow_network"]

OUTSIDE = ("input", "export", "respiration")


def _mean_log(joint) -> tuple[float, float]:
    """Return Σ p log₂ (p / p_row p_column) and −Σ p log₂ p of amounts."""
    total = joint.sum()
    if not total > 0:
        return 0.0, 0.0
    p = joint / total
    row, column = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    some = p > 0
    log = np.log2(p[some])
    return float((p[some] * (log - np.log2((row * column)[some]))).sum()), float(-(p[some] * log).sum())


@dataclass(frozen=True, eq=False)
class FlowNetwork:
    """Flows between compartments and with the world outside, in a steady state; made by :func:`flow_network`.

    What comes in is ``input``; what goes out is ``export`` (of use elsewhere) and ``respiration`` (lost). T_i, the
    throughflow of i, is all that passes through it. An undefined ratio (nothing flows) is 0.

    Attributes
    ----------
    flow : ndarray of float64, shape (N, N)
        f_ij, what i gives j.
    input, export, respiration : ndarray of float64, shape (N,)
    nodes : list
        Their names.

    References
    ----------
    Hannon (1973) The structure of ecosystems. *J. Theoretical Biology* 41: 535-546. Finn (1976) Measures of ecosystem
    structure and function derived from analysis of flows. *J. Theoretical Biology* 56: 363-380. Higashi, Patten (1989)
    Dominance of indirect causality in ecosystems. *American Naturalist* 133: 288-302. Ulanowicz (1986) *Growth and
    Development*; (2004) Quantitative methods for ecological network analysis. *Computational Biology and Chemistry* 28:
    321-339. Leontief (1986) *Input-Output Economics*. Borrett, Lau (2014) enaR: an R package for ecosystem network
    analysis. *Methods in Ecology and Evolution* 5: 1206-1213.
    """

    flow: np.ndarray
    input: np.ndarray
    export: np.ndarray
    respiration: np.ndarray
    nodes: list = field(default_factory=list)

    @cached_property
    def throughflow(self) -> np.ndarray:
        """T_i = input_i + Σ_j f_ji, float64 (N,); in a steady state also what leaves."""
        return self.input + self.flow.sum(axis=0)

    @property
    def total_throughflow(self) -> float:
        """TST = Σ T_i (Finn 1976)."""
        return float(self.throughflow.sum())

    @property
    def total_system_throughput(self) -> float:
        """T.. = Σ f_ij + Σ input + Σ export + Σ respiration (Ulanowicz 1986)."""
        return float(self.flow.sum() + self.input.sum() + self.export.sum() + self.respiration.sum())

    @cached_property
    def output_coefficients(self) -> np.ndarray:
        """B_ij = f_ij / T_i: what part of what passes through i goes to j (N, N)."""
        return np.divide(self.flow, self.throughflow[:, None], out=np.zeros_like(self.flow),
                         where=self.throughflow[:, None] > 0)

    @cached_property
    def input_coefficients(self) -> np.ndarray:
        """A_ij = f_ij / T_j: how much of i goes into a unit of j, Leontief's technical coefficients (N, N)."""
        return np.divide(self.flow, self.throughflow, out=np.zeros_like(self.flow), where=self.throughflow > 0)

    @cached_property
    def ghosh(self) -> np.ndarray:
        """(I − B)⁻¹: how often a unit that enters at i passes through j, all ways added up (N, N)."""
        return self._inverse(self.output_coefficients)

    @cached_property
    def leontief(self) -> np.ndarray:
        """(I − A)⁻¹: how much passes through i for a unit that leaves at j (N, N); times what leaves, T."""
        return self._inverse(self.input_coefficients)

    def _inverse(self, part) -> np.ndarray:
        left = np.eye(len(part)) - part
        if np.linalg.cond(left) > 1e13:
            raise ValueError("the network must lose something: what enters some of its compartments never leaves, and "
                             "the structure matrices of a closed network do not exist")
        return np.linalg.inv(left)

    @property
    def finn_cycling_index(self) -> float:
        """FCI: the share of the throughflow that is due to cycles, Σ T_i (n_ii − 1)/n_ii / TST, n being `ghosh`."""
        own = self.ghosh.diagonal()
        return self._per(float((self.throughflow * (1 - 1 / own)).sum()), self.total_throughflow)

    @property
    def average_path_length(self) -> float:
        """APL = TST / Σ input: through how many compartments a unit passes (Finn 1976)."""
        return self._per(self.total_throughflow, float(self.input.sum()))

    @property
    def indirect_to_direct(self) -> float:
        """I/D: flow over more than one step per flow over one, Σ (N − I − B) / Σ B (Higashi and Patten 1989)."""
        direct = float(self.output_coefficients.sum())
        return self._per(float((self.ghosh - np.eye(len(self.flow))).sum()) - direct, direct)

    @property
    def realised_indirect_to_direct(self) -> float:
        """The same weighted by what really enters: Σ z (N − I − B) / Σ z B, z being ``input``."""
        direct = float((self.input @ self.output_coefficients).sum())
        all_ = float((self.input @ (self.ghosh - np.eye(len(self.flow)))).sum())
        return self._per(all_ - direct, direct)

    @cached_property
    def _joint(self) -> np.ndarray:
        """All flows as a table from (compartments, outside) to (compartments, export, respiration)."""
        n = len(self.flow)
        made = np.zeros((n + 1, n + 2))
        made[:n, :n], made[n, :n], made[:n, n], made[:n, n + 1] = self.flow, self.input, self.export, self.respiration
        return made

    @property
    def average_mutual_information(self) -> float:
        """AMI, in bits: how well where a unit comes from tells where it goes (Ulanowicz 1986)."""
        return _mean_log(self._joint)[0]

    @property
    def flow_diversity(self) -> float:
        """H, in bits: how many different flows a unit could be on."""
        return _mean_log(self._joint)[1]

    @property
    def ascendency(self) -> float:
        """A = T.. · AMI, in units of flow times bits."""
        return self.total_system_throughput * self.average_mutual_information

    @property
    def capacity(self) -> float:
        """C = T.. · H, the most that ascendency could be."""
        return self.total_system_throughput * self.flow_diversity

    @property
    def overhead(self) -> float:
        """C − A: what is left in reserve."""
        return self.capacity - self.ascendency

    @staticmethod
    def _per(above: float, below: float) -> float:
        return above / below if below > 0 else 0.0

    def summary(self) -> dict[str, float]:
        """Return all measures of the whole network by name; of a closed one, without those of ways from input on."""
        names = ["total_throughflow", "total_system_throughput", "finn_cycling_index", "average_path_length",
                 "indirect_to_direct", "realised_indirect_to_direct", "average_mutual_information", "flow_diversity",
                 "ascendency", "capacity", "overhead"]
        if not self.input.any():
            names = names[:2] + names[6:]
        return {name: getattr(self, name) for name in names}

    def __repr__(self):
        return (f"<FlowNetwork: {len(self.flow)} compartments, throughflow {self.total_throughflow:g}, "
                f"{self.input.sum():g} in, {self.export.sum() + self.respiration.sum():g} out>")


def flow_network(flows, input=None, export=None, respiration=None, *, tolerance: float = 1e-3) -> FlowNetwork:
    """Take flows and what enters and leaves as a network in a steady state.

    Parameters
    ----------
    flows : networkx.DiGraph, or array_like, DataFrame or sparse array of shape (N, N)
        What i gives j, at least 0. A graph has it as ``weight``, and its nodes may have ``input``, ``export`` and
        ``respiration``; see `organism.datasets`.
    input, export, respiration : array_like of float, shape (N,), optional
        What comes from and goes to the world outside, at least 0; by default those of the graph, else 0. Of an economy
        final demand is ``export`` and value added is ``input``.
    tolerance : float, default 0.001
        By which share of the larger of both a compartment may get more or less than it loses, in [0, 1).

    Returns
    -------
    FlowNetwork

    Raises
    ------
    TypeError, ValueError
        If something is no number, a flow is negative or not finite, or a compartment is not in balance.

    References
    ----------
    See :class:`FlowNetwork`.

    Examples
    --------
    >>> from organism.datasets import oyster_reef
    >>> reef = flow_network(oyster_reef())
    >>> round(reef.total_throughflow, 4), round(reef.finn_cycling_index, 4), round(reef.average_path_length, 4)
    (83.5833, 0.1102, 2.0155)
    """
    tolerance = number("tolerance", tolerance, 0, 1, "[)")
    nodes, known = None, {}
    if hasattr(flows, "edges") and hasattr(flows, "nodes"):
        import networkx as nx

        if not flows.is_directed():
            raise TypeError("flows must be a directed graph: an edge goes from who gives to who gets")
        nodes = list(flows.nodes)
        known = {name: [data.get(name, 0.0) for _, data in flows.nodes(data=True)] for name in OUTSIDE}
        matrix = nx.to_numpy_array(flows, nodes)
    else:
        if hasattr(flows, "index") and hasattr(flows, "columns"):                # a DataFrame
            nodes = list(flows.index)
            if set(nodes) != set(flows.columns) or len(set(nodes)) < len(nodes):
                raise ValueError("flows must have the same compartments as rows and as columns, each once")
            flows = flows[nodes]
        try:
            matrix = np.array(flows.toarray() if hasattr(flows, "toarray") else flows, float)
        except (TypeError, ValueError):
            raise TypeError(f"flows must be a graph or a matrix of numbers, not {flows!r:.60}") from None
    n = len(matrix) if matrix.ndim else 0
    if matrix.shape != (n, n) or not n:
        raise ValueError(f"flows must be a square matrix of at least one compartment, not of shape {matrix.shape}")
    nodes = list(range(n)) if nodes is None else nodes
    outside = []
    for name, given in zip(OUTSIDE, (input, export, respiration), strict=True):
        try:
            one = np.array(known.get(name, np.zeros(n)) if given is None else given, float)
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be one number for each compartment, not {given!r:.60}") from None
        if one.shape != (n,):
            raise ValueError(f"{name} must be one number for each of the {n} compartments, not of shape {one.shape}")
        outside.append(one)
    for name, one in zip(("flows", *OUTSIDE), (matrix, *outside), strict=True):
        bad = np.argwhere(~(np.isfinite(one) & (one >= 0)))
        if len(bad):
            at = tuple(bad[0].tolist())
            raise ValueError(f"{name} must be finite and at least 0; that of {', '.join(str(nodes[k]) for k in at)} is "
                             f"{one[at]:g}")
    gets, loses = outside[0] + matrix.sum(axis=0), outside[1] + outside[2] + matrix.sum(axis=1)
    off = np.abs(gets - loses) - tolerance * np.maximum(gets, loses)
    if off.max() > 0:
        k = int(off.argmax())
        raise ValueError(f"flows must be in a steady state, and compartment {nodes[k]} gets {gets[k]:g} and loses "
                         f"{loses[k]:g}; more than a share of {tolerance:g} (tolerance) apart")
    for one in (matrix, *outside):
        one.flags.writeable = False                     # what is calculated from them is kept
    return FlowNetwork(matrix, *outside, nodes)
