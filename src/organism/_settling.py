"""Members that come, go and move from outside, and ties that change under them."""

from __future__ import annotations

import numbers
from collections.abc import Mapping

import numpy as np

from ._binding import attach, count_neighbours, new_ties
from ._checks import site_indices
from ._editing import checked_values
from .state import COLUMNS, TRAIT_PARAMETERS
from .topology import Topology

__all__ = ["add", "move", "remove", "rewire"]

#: Columns that may be given when a member is added.
_ADDABLE = tuple(name for name, c in COLUMNS.items() if c.writable and c.owner != "site")


def remove(world, sites):
    """Take away members; see :meth:`organism.World.remove`."""
    index = site_indices(world.n_sites, sites)
    empty = ~world.state["occupied"][index]
    if empty.any():
        raise ValueError(f"site {index[empty][0]} is empty; there is no member to remove")
    world._removed += world.state["stock"][index].sum(axis=0)
    for site in index:
        world._kernel.leave(int(site))


def add(world, site, columns):
    """Settle a new member; see :meth:`organism.World.add`."""
    index = site_indices(world.n_sites, int(site) if isinstance(site, numbers.Integral) else site)
    if len(index) != 1:
        raise ValueError(f"site must be one site, not {site!r}")
    if world.state["occupied"][index[0]]:
        raise ValueError(f"site {index[0]} is occupied; a site holds at most one member")
    if not isinstance(columns, Mapping | None):
        raise TypeError(f"columns must map column names to values, not {columns!r:.60}")
    fresh = {}
    for name, values in (columns or {}).items():
        if name not in _ADDABLE and name in COLUMNS:
            raise ValueError(f"{name} cannot be given to a member")
        fresh[name] = checked_values(world, name, values, index)[1]
    world._kernel.found(int(index[0]), True, True)
    added, removed = world._added.copy(), world._removed.copy()
    for name in ("capability", *TRAIT_PARAMETERS):
        if name not in fresh and world.state.planes[name].shape[1] == world.state.row:
            world.state.planes[name][:, index[0]] = world._params[TRAIT_PARAMETERS[name]] \
                if name in TRAIT_PARAMETERS else 1
    for name, values in fresh.items():
        world.set(name, values, index)
    # what it comes with is added, and nothing of a founder's start in whose place a given stock is
    world._added, world._removed = added + world.state["stock"][index[0]], removed
    return int(world.state["uid"][index[0]])


def move(world, site, to):
    """Move a member; see :meth:`organism.World.move`."""
    index = site_indices(world.n_sites, [site, to])
    for where, wanted in zip(index, (True, False), strict=True):
        if world.state["occupied"][where] != wanted:
            raise ValueError(f"site {where} is {'empty; nobody' if wanted else 'occupied; no second member'} "
                             f"can {'leave' if wanted else 'settle'} there")
    planes = [plane for name, plane in world.state.planes.items()
              if COLUMNS[name].owner != "site" and plane.shape[1] == world.state.row]
    rows = [plane[:, index[0]].copy() for plane in planes]
    kernel = world._kernel
    kernel.leave(int(index[0]))
    kernel.found(int(index[1]), False)
    kernel.next_uid -= 1
    for plane, row in zip(planes, rows, strict=True):
        plane[:, index[1]] = row


def rewire(world, topology):
    """Replace the topology; see :meth:`organism.World.rewire`."""
    if not isinstance(topology, Topology):
        raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
    if topology.n_sites != world.n_sites:
        raise ValueError(f"topology must have {world.n_sites} sites, not {topology.n_sites}")
    old = world.topology
    columns = {name: world.tie(name) for name in world._ties}
    found = old.find_ties(topology.source, topology.target)
    kept = found >= 0
    origin = found[kept]
    if world.ledger:
        gone = np.ones(old.n_ties, bool)
        gone[origin] = False
        gone &= columns["total"].sum(axis=1) > 0
        uid, (uids, amounts) = world.state["uid"], world.closed_accounts()
        pairs = np.column_stack([uid[old.source[gone]], uid[old.target[gone]]])
        world._kernel.reopen(np.concatenate([uids, pairs]),
                            np.concatenate([amounts, columns["total"][gone]]))
    world.topology, world._ties = topology, new_ties(world, topology)
    world._ties["bond"][topology.out_slot[kept]] = columns["bond"][origin]
    world._ties["trace"][topology.in_slot[kept]] = columns["trace"][origin]
    if world.ledger:
        world._ties["total"][:, topology.in_slot[kept]] = columns["total"][origin].T
    count_neighbours(world)
    attach(world)
