"""The world that the options of ``organism run`` describe."""

from __future__ import annotations

import os
import secrets

import numpy as np

from .._checks import closest
from ..inputs import read_graph, read_supply, weight_of
from ..params import Params
from ..topology import Topology
from ..world import World
from .options import Mistake, read_value

__all__ = ["SIDE", "build", "read_params"]

#: Rows and columns of the torus unless told otherwise.
SIDE = 64


def build(options) -> World:
    """Return the world that the options describe, everything checked."""
    params = read_params(options.preset, options.changes)
    supply = read_supply(options.supply, options.supply_scale) if options.supply else None
    if options.graph:
        if options.size:
            raise Mistake("--size sets the torus and --graph takes its place; give one of them")
        topology = _network(options.graph, options.directed)
    else:
        if options.directed:
            raise Mistake("--directed says how to read a --graph file, and there is none")
        shape = options.size or (supply.shape[:2] if supply is not None else (SIDE, SIDE))
        if supply is not None and supply.shape[:2] != shape:
            raise Mistake(f"the supply has {supply.shape[0]} rows and {supply.shape[1]} columns, but --size "
                          f"asks for {shape[0]} rows and {shape[1]} columns")
        _memory(shape[0] * shape[1], 8 * shape[0] * shape[1], params.resources)
        topology = Topology.grid(shape)
    _memory(topology.n_sites, topology.n_ties, params.resources)
    columns = None
    if supply is not None:
        columns = {"supply": _spread(supply, topology, params.resources, bool(options.graph), options)}
    seed = secrets.randbits(32) if options.seed is None else options.seed  # short enough to type again
    return World(topology, params, rng=seed, columns=columns, ledger=True, threads=options.threads)


def read_params(preset: str, changes: list[str]) -> Params:
    """Return the preset with the changes of ``--set``."""
    params, new = Params.preset(preset), {}
    for change in changes:
        name, equals, text = change.partition("=")
        name = name.strip()
        if not equals:
            raise Mistake(f"--set takes NAME=VALUE, not {change!r}")
        if name not in Params.names():
            raise Mistake(f"no parameter is called {name!r}" + closest(name, Params.names())
                          + " ('organism params' lists them)")
        value = read_value(text)
        if isinstance(params[name], tuple) and value in ("", "none", None):
            value = ()
        new[name] = value
    return params.replace(**new)


def _memory(sites: int, ties: int, resources: int):
    """Refuse a world that this machine cannot hold, before it starts to swap."""
    try:
        have = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return
    need = sites * (250 + 60 * resources) + ties * (50 + 36 * resources)     # with the flows of the last third
    if need > have:
        raise Mistake(f"a world of {sites:,} sites needs about {need / 2**30:,.0f} GB of memory; "
                      f"this machine has {have / 2**30:,.0f} GB")


def _network(source: str, directed: bool) -> Topology:
    try:
        graph = read_graph(source, directed=directed)
    except ValueError as error:
        raise Mistake(str(error).replace("read the graph as directed", "use --directed")) from None
    try:
        return Topology.from_networkx(graph, weight=weight_of(graph))
    except (TypeError, ValueError) as error:
        raise Mistake(f"{source}: {error}") from None


def _spread(supply: np.ndarray, topology: Topology, k: int, network: bool, options) -> np.ndarray:
    """Return the supply as (sites, resources)."""
    n = topology.n_sites
    if not network:
        each = supply[..., None] if supply.ndim == 2 else supply
        each = each.reshape(n, -1)
    elif supply.ndim == 2 and supply.shape[0] == n:
        each = supply
    else:
        each = supply.reshape(-1, *supply.shape[2:]) if 1 in supply.shape[:2] else supply
        if each.ndim != 2 or each.shape[0] != n:
            raise Mistake(f"with --graph the supply takes a row for each of the {n} nodes; "
                          f"it has {' × '.join(map(str, supply.shape))} values")
    if each.shape[1] not in (1, k):
        raise Mistake(f"the supply has {each.shape[1]} maps for {k} resources; give one map, one for each, "
                      f"or --set resources={each.shape[1]}")
    return np.repeat(each, k, axis=1) if each.shape[1] == 1 else each
