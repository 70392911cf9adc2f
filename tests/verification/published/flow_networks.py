"""Networks of flows in ecology and economics."""

import numpy as np

from organism.datasets import cone_spring, leontief_economy, oyster_reef
from organism.flows import flow_network

SOURCE = ("Dame, Patten (1981) *Marine Ecology Progress Series* 5: 115-124 and Borrett, Lau (2014) enaR. *Methods in "
          "Ecology and Evolution* 5: 1206-1213 (oyster reef); Finn (1976) *J. Theoretical Biology* 56: 363-380; "
          "Ulanowicz (1986) *Growth and Development* (Cone Spring); Leontief (1986) *Input-Output Economics*, chapter "
          "2")
RULE = "Measures of a steady state; see organism.flows.FlowNetwork."
ACTIVATION = "none: measures"
NOTE = """\
The numbers of the oyster reef are those that enaR prints for its dataset "oyster", those of Cone Spring are Ulanowicz's
and Finn's; both are cited from memory, so what they prove rests on their many digits. A chain and a ring are by hand:
in a chain nothing is cycled and every unit passes all three; where a share r
goes round a ring of n, a unit passes each compartment 1/(1 − r) times, so FCI = r and APL = n/(1 − r)."""


def check(report, short=False):
    """Compare."""
    reef = flow_network(oyster_reef())
    for what, found, expected, tolerance in (
            ("total throughflow", reef.total_throughflow, 83.5833, 5e-5),
            ("total system throughput", reef.total_system_throughput, 125.0533, 5e-5),
            ("Finn cycling index", reef.finn_cycling_index, .1101686, 5e-8),
            ("average path length", reef.average_path_length, 2.015512, 5e-7),
            ("realised indirect to direct", reef.realised_indirect_to_direct, 1.582925, 5e-7),
            ("ascendency", reef.ascendency, 166.3473, 5e-5), ("capacity", reef.capacity, 377.4452, 5e-5)):
        report.near(f"oyster reef, {what}", found, expected, tolerance)
    spring = flow_network(cone_spring())
    report.near("Cone Spring, total system throughput", spring.total_system_throughput, 42_445, 0)
    report.near("Cone Spring, Finn cycling index", spring.finn_cycling_index, .092, 5e-4)
    report.near("Cone Spring, ascendency (kcal bits)", spring.ascendency, 56_725, 1)
    chain = flow_network([[0, 5, 0], [0, 0, 5], [0, 0, 0]], [5, 0, 0], [0, 0, 5])
    report.near("a chain of three: cycling, path length", [chain.finn_cycling_index, chain.average_path_length], [0, 3],
                1e-12)
    n, r = 4, .6
    through = 1 / (1 - r)
    ring = np.zeros((n, n))
    ring[np.arange(n), (np.arange(n) + 1) % n] = through
    ring[n - 1, 0] = r * through
    turn = flow_network(ring, [1, 0, 0, 0], [0, 0, 0, 1])
    report.near("a ring of four, of which .6 goes round: cycling, path length",
                [turn.finn_cycling_index, turn.average_path_length], [r, n / (1 - r)], 1e-12)
    economy = leontief_economy()
    flows = flow_network(economy)
    quantity = np.array([[economy[a][b]["quantity"] for b in economy] for a in economy])
    report.near("Leontief's economy: technical coefficients (a bushel's and a yard's wheat and cloth)",
                (quantity / quantity.sum(axis=1))[:2, :2].ravel(), [.25, .40, .14, .12], 1e-12)
    report.near("Leontief's economy is closed: every sector sells what it buys", flows.flow.sum(axis=0),
                flows.flow.sum(axis=1), 1e-9)
