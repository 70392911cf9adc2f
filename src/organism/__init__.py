"""Agent-based models of how many locally interacting agents become one thing, and when that goes wrong.

A compiled kernel for local interactions and resource flows, Mesa for agents and
scheduling, networkx for interdependence. Start with::

    import organism as og

    world = og.World(og.Topology.grid((64, 64)), og.Params.preset("organic"), rng=1)
    world.step(2000)
    graph = og.interdependence(world)

Where things are, each module importing only from those above it:

=================  ==================================================================================
``params``         what can be set; ``_fields`` declares and checks it
``topology``       who can feed whom: ``_places`` (sites) and ``_ties``, made by ``_origins``,
                   stored by ``_slices``, written by ``_written``
``state``          the columns of a world, one table; ``regimes``: who decides
``world``          the world: ``_clock`` (stepping), ``_editing``, ``_settling``, ``_governing``,
                   ``_packing`` (files, copies), ``_binding`` (what the kernel is handed)
``_core``          the kernel, in Cython; ``_neighbours``, ``_games``: the loops of ``interact``
``interact``       blocks for anybody's arrays: neighbours, diffusion, games, local rules
``measures``       numbers of a world; ``flows``: who fed whom; ``intervene``: what can be done to it
``theory``         what can be calculated instead of simulated
``snapshots``      flows window by window; ``temporal``: how they change; ``roles``, ``wholes``: what
                   emerges, found and held against chance (``_matching``: who is who in two findings);
                   ``scales``; ``counterfactual``: lesions
``datasets``       flow networks from published tables
``model``          the world in Mesa, with ``member``, ``_arguments`` and ``_spaces``
``embed``          parts for anybody's Mesa model: a live field, a population
``sweeps``         many runs, with ``_designs``, ``_runs``, ``_engines`` and ``_store``
``plots, view``    figures, and a live view in notebooks
``claims``         sentences of a debate, put to the test
``__main__``       the command line, with ``_commands``
=================  ==================================================================================
"""

from __future__ import annotations

import importlib

from . import intervene, measures, regimes
from ._version import __version__
from .flows import interdependence
from .params import Params
from .topology import Topology
from .view import view
from .world import World

__all__ = [
    "Field",
    "Member",
    "OrganismModel",
    "Params",
    "Population",
    "Snapshots",
    "Topology",
    "World",
    "__version__",
    "claims",
    "datasets",
    "find_roles",
    "find_wholes",
    "inputs",
    "interact",
    "interdependence",
    "intervene",
    "lesion",
    "measures",
    "plots",
    "regimes",
    "sweep",
    "theory",
    "view",
]

# What needs Mesa, matplotlib or networkx is loaded when it is first asked for.
_LATE = {"OrganismModel": ".model", "Member": ".member", "Field": ".embed",
         "Population": ".embed", "sweep": ".sweeps", "Snapshots": ".snapshots",
         "find_roles": ".roles", "find_wholes": ".wholes", "lesion": ".counterfactual"}
_LATE_MODULES = ("claims", "counterfactual", "datasets", "embed", "flows", "inputs", "interact", "model", "plots",
                 "roles", "scales", "snapshots", "sweeps", "temporal", "theory", "wholes")


def __getattr__(name: str):
    if name in _LATE:
        return getattr(importlib.import_module(_LATE[name], __name__), name)
    if name in _LATE_MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LATE, *_LATE_MODULES})
