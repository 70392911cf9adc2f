"""Random topologies, parameters, columns and worlds, of which a seed draws the same ones."""

import dataclasses

import numpy as np

import organism as og
from organism import params as parameters
from organism.state import COLUMNS

SIZES = (1, 2, 3, 15, 16, 17, 31, 32, 33, 47, 64, 100, 300)
#: Numbers of every size that must do, and numbers that may be refused but else must do.
PLAIN = (0.0, 1e-30, 1e-6, 0.02, 0.3, 0.5, 1.0, 2.0, 3.7, 50.0, 1e3, 1e6)
FAR = (1e-44, 1e-300, 1e9, 1e20, 3e38, 1e39, 1e300)
REFUSED = (TypeError, ValueError, KeyError)
LEFT_BEHIND = ("need", "reserve", "capability", "care", "learning_rate")  # traits stay when a member goes


class Chance(np.random.Generator):
    """A generator with the draws that a fuzz run needs."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))

    def one(self, items):
        """Draw one of the items, as it is."""
        return items[int(self.integers(len(items)))]

    def maybe(self, p=0.5):
        """Say true with probability p."""
        return bool(self.random() < p)

    def number(self, low=None, high=None, far=False):
        """Draw a number in a range: its ends often, and of every size where it has no end."""
        if low is not None and high is not None and np.isfinite(high):
            return float(self.one((low, high, self.uniform(low, high), self.uniform(low, high))))
        size = float(self.one(FAR) if far and self.maybe(0.1) else self.one(PLAIN))
        if low is None:
            size *= self.one((-1, 1))
        size = size if low is None else max(size, low)
        return size if high is None else min(size, high)


def draw_topology(chance, n=None, far=False):
    """Draw grids with holes, random graphs of any kind, hubs; with ``n`` given, of n sites."""
    kind = chance.one(("grid", "holes", "ring", "random", "random", "random", "hub", "complete", "none"))
    size = int(chance.one((*SIZES, chance.integers(1, 60)))) if n is None else n
    if n is None and kind in ("grid", "holes"):
        around = chance.one(("moore", "von_neumann", "hexagonal"))
        shape = (2 * int(chance.integers(1, 9)), int(chance.integers(1, 18)))
        holes = chance.random(shape) < chance.uniform(0, 0.95) if kind == "holes" else None
        if holes is not None:
            holes.flat[chance.integers(holes.size)] = False
        topology = og.Topology.grid(
            shape, around, int(chance.integers(1, 1 + min(2, max(shape)))), chance.maybe(), holes
        )
    elif n is None and kind == "ring":
        topology = og.Topology.grid((size,), radius=int(chance.integers(1, min(4, size) + 1)), torus=chance.maybe())
    else:
        edges = np.zeros((size, size), bool)
        if kind == "complete" and size <= 40:
            edges[:] = True
        elif kind != "none":
            edges = chance.random((size, size)) < chance.uniform(0, 8) / size
            edges[:, chance.random(size) < chance.uniform(0, 0.5)] = False
        if kind == "hub":
            edges[0], edges[:, 0] = True, chance.maybe()
        if chance.maybe():
            edges |= edges.T
        np.fill_diagonal(edges, False)
        source, target = np.nonzero(edges)
        weight = None
        if chance.maybe():
            weight = np.array([chance.number(0, far=far) for _ in source])
        topology = og.Topology.from_edges(source, target, size, weight=weight)
    if chance.maybe(0.3):
        size = topology.n_sites
        topology = topology.with_site_ids(chance.permutation(2**40 + 3 * np.arange(size)))
        topology = topology.permuted(chance.permutation(size))
    return topology


def draw_parameter(chance, field, resources, far=False):
    """Draw a value of one parameter from the range that its declaration gives."""
    meta = field.metadata
    if meta["choices"]:
        return chance.one(meta["choices"])
    if meta["names"] is not None:
        names = meta["names"] or ("seen", "watched", "odd")
        return tuple(name for name in names if chance.maybe(0.4))
    if field.type == "bool":
        return chance.maybe()
    if field.name == "harmful":
        return tuple(k for k in range(resources) if chance.maybe(0.2))
    if meta["words"] and chance.maybe(0.3):
        return chance.one(meta["words"])
    if field.type == "int":
        return int(chance.integers(meta["low"], min(meta["high"], 4) + 1))
    low = 1e-6 if meta["open_low"] and not far else meta["low"]
    if meta["per_resource"] and chance.maybe(0.3):
        return tuple(chance.number(low, meta["high"], far) for _ in range(resources))
    return chance.number(low, meta["high"], far)


def draw_changes(chance, resources, share=0.25, far=False):
    """Draw new values for some parameters, by dotted name; the number of tasks stays."""
    return {
        f"{group}.{field.name}": draw_parameter(chance, field, resources, far)
        for group, kind in parameters.GROUPS.items()
        for field in dataclasses.fields(kind)
        if chance.maybe(share) and field.name != "rest"
    }


def draw_values(chance, name, shape, world, far=False):
    """Draw allowed values of a column: one, one a row, or one an element."""
    column, high = COLUMNS[name], COLUMNS[name].high
    if name == "order_task":
        high = world.params.resources
    row = shape[1:] if shape[1:] != shape[:1] else (1, *shape[1:])  # one row, or one a site? that is refused
    shape = chance.one(((), row, shape))
    if column.dtype.startswith("i"):
        return chance.integers(int(column.low), int(high) + 1, shape)
    if np.prod(shape) > 200:  # a large column: a few different numbers are enough
        few = np.array([chance.number(column.low, high, far) for _ in range(20)])
        return few[chance.integers(20, size=shape)]
    return np.reshape([chance.number(column.low, high, far) for _ in range(int(np.prod(shape)))], shape)


def writable(world):
    """Name the columns that can be set."""
    return [
        name
        for name, column in COLUMNS.items()
        if column.writable and (name != "share_feature" or world.params.learning.share_features)
    ]


def draw_world(chance, far):
    """Draw a world."""
    topology = draw_topology(chance, far=far)
    n = topology.n_sites
    resources = int(chance.one((1, 2, 3, 3, 3, 4, 5, 17))) if n < 120 else int(chance.integers(1, 5))
    params = og.Params(resources=resources)
    params = params.replace(**draw_changes(chance, resources, chance.one((0, 0.1, 0.5, 1)), far))
    params = params.replace(**{"production.rest": chance.maybe(0.3)})
    if chance.maybe(0.4):
        params = params.replace(**{"demography.enabled": True, "demography.hazard": chance.one((0.01, 0.1, 0.5))})
    occupied = chance.one((None, None, chance.random(n) < chance.random(), [int(chance.integers(n))]))
    world = og.World(
        topology,
        params,
        int(chance.integers(2**63)),
        occupied=occupied,
        ledger=chance.maybe(),
        threads=int(chance.integers(1, 4)),
    )
    if chance.maybe():  # the same world, with initial columns
        names = [name for name in writable(world) if chance.maybe(0.2)]
        columns = {name: draw_values(chance, name, (n, *world.state.trailing(name)), world, far) for name in names}
        world = og.World(
            topology, params, world.seed, occupied=occupied, columns=columns, ledger=world.ledger, threads=world.threads
        )
        assert (world.audit().added == 0).all() and (world.audit().removed == 0).all()
    return world
