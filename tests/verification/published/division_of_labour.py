"""Indices of the division of labour."""

import numpy as np

from organism.measures import gorelick

SOURCE = ("Gorelick, Bertram, Killeen, Fewell (2004) Normalized mutual entropy in biology. *American Naturalist* 164: "
          "677-682")
RULE = ("Of a table of acts, rows individuals and columns tasks, over its grand total: D_sym = I/√(H_x H_y), D_task = "
        "I/H_x, D_ind = I/H_y; I in bits.")
ACTIVATION = "none: a measure"
NOTE = """\
The expected values are the formulas, calculated by another program. Rows are weighted by how much they did; equal
weights would be another index."""
TABLES = {
    "two specialists, nearly": ([[8, 2], [1, 9]], (.39731261, .39875584, .39731261, .4002043)),
    "four individuals, three tasks": ([[30, 10, 0], [5, 5, 40], [0, 20, 0], [1, 1, 8]],
                                      (.83956051, .50148038, .47056369, .53442833)),
    "two pairs of specialists": ([[1, 0], [1, 0], [0, 1], [0, 1]], (1.0, .70710678, .5, 1.0)),
}


def check(report, short=False):
    """Compare."""
    for name, (table, expected) in TABLES.items():
        found = gorelick(np.array(table, float))
        report.near(f"I, D_sym, D_task, D_ind of {name}", [found.information, found.sym, found.task, found.ind],
                    expected, 5e-8)
        idle = gorelick(np.array([*table, [0] * len(table[0])], float))
        report.near(f"the same with somebody idle, {name}", [idle.information, idle.sym, idle.task, idle.ind], expected,
                    5e-8)
