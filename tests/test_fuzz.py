"""Random worlds under random edits: no crash, no NaN, no good lost, nothing half-done.

A case is a seed. It draws a topology, parameters over their whole ranges and
initial columns; then it steps and edits in turn. After each edit and each few
ticks all that must hold of any world is checked, and an edit that is refused
must be refused in one sentence and have changed nothing.

The fast tier runs a fixed few cases. ``ORGANISM_FUZZ=20000 pytest tests/test_fuzz.py``
runs that many, ``ORGANISM_FUZZ_FIRST`` says from which seed on.
"""

import copy
import dataclasses
import os
import pickle

import numpy as np
import pytest

import organism as og
from organism import params as parameters
from organism import regimes
from organism.state import COLUMNS, SHARED

CASES = int(os.environ.get("ORGANISM_FUZZ", "150"))
FIRST = int(os.environ.get("ORGANISM_FUZZ_FIRST", "0"))
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


# -- worlds ------------------------------------------------------------------------------


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


def address(plane):
    """Say where an array or memoryview begins."""
    return np.asarray(plane).__array_interface__["data"][0]


# -- what must hold ----------------------------------------------------------------------


def check(world, known=None):
    """Hold a world to all that must be true of any; ``known`` remembers members from check to check."""
    state, t, n = world.state, world.topology, world.n_sites
    here = state["occupied"]
    assert world.n_members == here.sum() and np.array_equal(world.living, np.flatnonzero(here))
    tasks = world.params.tasks
    highs = {"task": tasks - 1, "order_task": world.params.resources}
    for name, column in COLUMNS.items():
        values = state[name]
        assert values.shape == (n, *state.trailing(name)), name
        assert np.isfinite(values).all(), f"{name} holds {values[~np.isfinite(values)][0]}"
        high = highs.get(name, column.high)
        low = -1 if name == "task" else column.low
        assert low is None or (values >= low).all(), f"{name} holds {values.min()}"
        assert high is None or (values <= high).all(), f"{name} holds {values.max()}"
        if column.owner == "member":
            assert (values[~here] == column.empty).all(), f"{name} of an empty row is {values[~here].max()}"
    uid, key = state["uid"][here], state["key"][here]
    assert len(np.unique(uid)) == len(uid) and len(np.unique(key)) == len(key)
    assert ((uid >= 0) & (uid < world._kernel.next_uid)).all()
    assert (state["parent_uid"][here] < uid).all() and (state["founder"][here] <= uid).all()
    if known is not None:  # a uid stays one member's: same key and ancestors for ever
        for row in zip(
            uid.tolist(), key.tolist(), state["parent_uid"][here].tolist(), state["founder"][here].tolist(), strict=True
        ):
            assert known.setdefault(row[0], row[1:]) == row[1:]
    lone = ~(here[t.source] & here[t.target])
    for name in ("bond", "trace") + (("total",) if world.ledger else ()):
        values = world.tie(name)
        assert np.isfinite(values).all() and (values >= 0).all(), name
        assert name == "bond" or (values[lone] == 0).all(), f"{name} of a tie that has lost an end"
    uids, amounts = world.closed_accounts()
    assert np.isfinite(amounts).all() and (amounts.sum(axis=1) > 0).all() and (uids >= 0).all()
    ends = here[t.target]
    counted = world._scratch["neighbours"][0, :n]
    assert np.array_equal(counted, np.bincount(t.source[ends], minlength=n)), "neighbours"
    if t.directed:
        ends = ends & (t.find_ties(t.target, t.source) >= 0)
        counted = world._scratch["mutual"][0, :n]
        assert np.array_equal(counted, np.bincount(t.source[ends], minlength=n)), "mutual"
    audit = world.audit()
    for name, values in audit.to_dict().items():
        assert np.isfinite(values).all() and (name == "residual" or min(values) >= 0), f"{name} {values}"
    assert audit.closes, str(audit)
    own = world._government
    assert (state["regime"] < len(own.regimes)).all() and (state["block"] < len(own.block_operator)).all()
    assert sum(len(sites) for _, sites in world.regimes) == world.n_members
    for r in set(own.block_operator.tolist()):
        quota = own.quota[own.block_operator == r]
        assert ((quota > 0) == own.wanted(r)).all()
        assert np.allclose(quota.sum(axis=1), own.wanted(r).any())
    for name, plane in state.planes.items():  # the padding of every plane stays empty
        if plane.shape[1] == state.row and name not in LEFT_BEHIND + ("supply", "richness"):
            assert (plane[:, n:] == COLUMNS[name].empty).all(), f"the padding of {name}"
        if name != "richness":  # and the kernel works on these very planes
            assert address(getattr(world._kernel, name)) == address(plane), f"the kernel has another {name}"
    for name, plane in world._ties.items():
        assert address(getattr(world._kernel, "ledger_total" if name == "total" else name)) == address(plane), name


def check_ticked(world):
    """Hold a world to what is true right after a tick."""
    state, learning = world.state, world.params.learning
    grown = state["occupied"] & (state["age"] > 0)
    for name, bound in (("policy", learning.task_bound), ("share_policy", learning.share_bound)):
        assert (np.abs(state[name][grown]) <= bound * (1 + 1e-6)).all(), name
    assert (state["given"][~state["shared"]] == 0).all()
    alive = state["occupied"] & (state["age"] >= 1)
    idle = state["order_task"] == world.params.tasks       # ordered to rest where that is no task
    assert ((state["task"] >= 0) | idle)[alive].all() and (state["task"][alive & idle] == -1).all()
    alive &= ~idle
    for name in ("task", "share"):
        order, done = state[f"order_{name}"][alive], state["task" if name == "task" else "shared"][alive]
        assert (done[order >= 0] == order[order >= 0]).all(), f"an order to {name} was not obeyed"


def picture(world):
    """Return all that an edit could change, comparable by ``==``."""
    header, arrays = world._pack()
    arrays |= {f"scratch.{name}": world._scratch[name] for name in ("neighbours", "mutual") if name in world._scratch}
    kernel = {name: getattr(world._kernel, name) for name in ("K", "M", "F", "G", "horizon", "memory", "threads")}
    shared = {name: bool(world.state.planes[name].shape[1] == og.topology.LANES) for name in SHARED}
    return {
        "header": header,
        "params": world.params,
        "topology": id(world.topology),
        "kernel": kernel,
        "shared": shared if world.n_sites > 1 else None,
        "jobs": len(world._agenda.jobs),
        **{name: (a.shape, a.dtype.str, a.tobytes()) for name, a in arrays.items()},
    }


def difference(before, after):
    """Name what differs between two pictures, or None."""
    return next((key for key in {**before, **after} if before.get(key) != after.get(key)), None)


def goes_on_alike(a, b, ticks):
    """Step two worlds and name what then differs, or None."""
    a.step(ticks), b.step(ticks)
    one, two = a._pack()[1], b._pack()[1]
    return next((name for name in {**one, **two} if not np.array_equal(one.get(name), two.get(name))), None)


# -- edits that must be accepted (where ``far`` numbers were drawn, that may be refused) -----


def some_sites(chance, world, alive=None):
    """Draw sites without repeats: all sites (None), or some, occupied or empty as asked."""
    here = world.state["occupied"]
    pool = np.arange(world.n_sites) if alive is None else np.flatnonzero(here == alive)
    return chance.permutation(pool)[: int(chance.integers(0, len(pool) + 1))]


def edit_set(chance, world, far):
    name = chance.one(writable(world))
    sites = some_sites(chance, world, True if COLUMNS[name].owner == "member" else None) if chance.maybe() else None
    count = world.n_sites if sites is None else len(sites)
    world.set(name, draw_values(chance, name, (count, *world.state.trailing(name)), world, far), sites)


def edit_add(chance, world, far):
    for site in some_sites(chance, world, False)[:5].tolist():
        names = [name for name in writable(world) if COLUMNS[name].owner != "site" and chance.maybe(0.1)]
        columns = {name: draw_values(chance, name, (1, *world.state.trailing(name)), world, far) for name in names}
        columns = {
            name: v[0] if v.ndim > len(world.state.trailing(name)) and chance.maybe() else v
            for name, v in columns.items()
        }
        uid = world.add(site, columns)
        assert world.state["uid"][site] == uid == world._kernel.next_uid - 1
        for name, values in columns.items():
            assert (world.state[name][site] == np.asarray(values).astype(COLUMNS[name].dtype)).all()


def edit_remove(chance, world, far):
    sites = some_sites(chance, world, True)
    if chance.maybe(0.7):
        sites = sites[:3]
    world.do(og.intervene.ablate(sites)) if chance.maybe() else world.remove(sites)


def edit_move(chance, world, far):
    for site in some_sites(chance, world, True)[:4].tolist():
        empty = some_sites(chance, world, False)
        if len(empty):
            member = {name: world.state[name][site].copy() for name, c in COLUMNS.items() if c.owner != "site"}
            world.move(site, int(empty[0]))
            for name, values in member.items():
                assert (world.state[name][empty[0]] == values).all(), name


def edit_rewire(chance, world, far):
    old = {
        name: dict(
            zip(
                zip(world.topology.source.tolist(), world.topology.target.tolist(), strict=True),
                world.tie(name).tolist(),
                strict=True,
            )
        )
        for name in ("bond", "trace")
    }
    topology = draw_topology(chance, world.n_sites, far)
    if chance.maybe(0.3):  # the same ties but for a few
        kept = chance.random(world.topology.n_ties) < 0.9
        topology = world.topology.rewired(world.topology.source[kept], world.topology.target[kept])
    world.rewire(topology)
    for name, start in (("bond", 1), ("trace", 0)):
        new = zip(topology.source.tolist(), topology.target.tolist(), world.tie(name).tolist(), strict=True)
        assert all(value == old[name].get((i, j), start) for i, j, value in new), name


def edit_update(chance, world, far):
    world.update(**draw_changes(chance, world.params.resources, chance.one((0.05, 0.3)), far))


def edit_switch(chance, world, far):
    """Turn whole mechanisms on and off."""
    switches = {
        "demography.enabled": (True, False),
        "learning.cue": (True, False),
        "learning.perception": (0, 1, 2),
        "learning.share_features": ((), ("seen",), ("odd", "seen"), ("watched", "odd")),
        "care.kind": parameters.CARE_KINDS,
        "care.horizon": (1, 1, 2, 3),
        "production.depletion": (0.0, 0.1, 1.0),
        "demography.mutates": ((), ("care",), parameters.TRAITS),
        "demography.refill": (0.0, 0.3, 1.0),
        "demography.hazard": (0.0, 0.05, 1.0),
    }
    world.update(**{name: chance.one(values) for name, values in switches.items() if chance.maybe(0.3)})


def edit_later(chance, world, far):
    """Have the world changed on its way."""
    name, value = chance.one(list(draw_changes(chance, world.params.resources, 1).items()))
    world.schedule(name, {world.tick + int(chance.integers(0, 4)): value})
    seed = int(chance.integers(2**32))
    job = world.before(lambda w: edit_set(Chance(seed + w.tick), w, False), every=int(chance.integers(1, 3)))
    world.at(world.tick + 3, lambda w: w.cancel(job))
    world.schedule("capability", regimes.ramp(world.tick, world.tick + 3, 1.0, chance.random(world.n_sites)))
    call = chance.one((edit_add, edit_remove, edit_move, edit_switch, edit_orders, edit_govern, edit_reign))
    world.at(world.tick + int(chance.integers(0, 3)), lambda w: call(Chance(seed), w, False))
    recording = world.record({"welfare": lambda w: float(w.state["welfare"].mean()), "n": lambda w: w.n_members})
    assert len(recording.ticks) == 1


def edit_orders(chance, world, far):
    world.set("order_task", chance.integers(-1, world.params.resources + 1, world.n_sites))
    world.set("order_share", chance.integers(-1, 2, world.n_sites))


def draw_regime(chance, world):
    """Draw a regime with fields from the ranges that their declarations give."""
    kind = chance.one(tuple(regimes.KINDS.values()))
    resources, fields = world.params.resources, {}
    for field in dataclasses.fields(kind):
        if field.name == "operator":
            fields["operator"] = draw_operator(chance, resources)
        elif field.name in ("resources", "harmful"):
            fields[field.name] = chance.one((None, tuple(k for k in range(resources) if chance.maybe(0.4))))
        elif field.name == "good":
            fields["good"] = int(chance.integers(resources))
        elif chance.maybe(0.7):
            fields[field.name] = draw_parameter(chance, field, resources)
    return draw_operator(chance, resources) if kind is regimes.Corrigible else kind(**fields)


def draw_operator(chance, resources):
    """Draw an operator; gains of every size."""
    skipped = ("harmful", "delay")
    fields = {f.name: draw_parameter(chance, f, resources) for f in dataclasses.fields(regimes.Corrigible)
              if f.name not in skipped and chance.maybe()}
    return regimes.Corrigible(**fields, delay=int(chance.one((0, 1, 3, 20))))


def edit_govern(chance, world, far):
    regime = draw_regime(chance, world)
    sites = None if chance.maybe(0.3) else some_sites(chance, world, True)
    blocks = chance.integers(0, 3, world.n_sites) if hasattr(regime, "operator") and chance.maybe() else None
    world.govern(regime, sites, blocks=blocks, rng=chance.one((None, 5)))
    under = {int(site): known for known, where in world.regimes for site in where}
    assert all(under[int(site)] == regime for site in (world.living if sites is None else sites))


def edit_reign(chance, world, far):
    """Tell the operators, or throw their switch."""
    charge = np.flatnonzero(world.state["block"] >= 0)
    chance.one((world.inform, lambda: world.switch(chance.maybe()),
                lambda: world.switch(chance.maybe(), charge[chance.random(len(charge)) < 0.5])))()


def edit_intervene(chance, world, far):
    which = chance.integers(4)
    if which == 3:
        world.do(og.intervene.reset(chance.one(("both", "policy", "share_policy"))))
        return
    if which == 0:
        world.do(og.intervene.permute_supply(int(chance.integers(2**32))))
    elif which == 1:
        world.do(
            og.intervene.scale(
                chance.one(("stock", "supply", "need", "capability", "share_policy")), chance.one((0, 0.5, 1))
            )
        )
    else:
        world.do(og.intervene.assign("care", chance.random(world.n_sites)))


def edit_threads(chance, world, far):
    world.threads = int(chance.integers(1, 6))


EDITS = (
    edit_set,
    edit_set,
    edit_add,
    edit_remove,
    edit_move,
    edit_rewire,
    edit_update,
    edit_switch,
    edit_later,
    edit_orders,
    edit_govern,
    edit_govern,
    edit_reign,
    edit_intervene,
    edit_threads,
)


# -- edits that must be refused --------------------------------------------------------------


def bad_value(chance, world):
    """One bad number somewhere in a column that is otherwise good."""
    name = chance.one(writable(world))
    values = np.broadcast_to(
        draw_values(chance, name, (world.n_sites, *world.state.trailing(name)), world),
        (world.n_sites, *world.state.trailing(name)),
    ).astype(float)
    column = COLUMNS[name]
    bad = [np.nan, np.inf, -np.inf]
    bad += [] if column.low is None else [column.low - 1]
    bad += [] if column.high is None else [column.high + 1]
    bad += [0.5] if column.dtype.startswith("i") else [1e300]
    if values.size:
        values.flat[chance.integers(values.size)] = chance.one(bad)
        return lambda: world.set(name, values)


def bad_set(chance, world):
    n, k = world.n_sites, world.params.resources
    calls = [
        lambda: world.set("care", 0.5, [n]),
        lambda: world.set("care", 0.5, [-1]),
        lambda: world.set("care", 0.5, [0, 0]),
        lambda: world.set("care", 0.5, [0.5]),
        lambda: world.set("care", 0.5, "all"),
        lambda: world.set("stock", np.ones((n, k + 1))),
        lambda: world.set("stock", np.ones((n + 1, k))),
        lambda: world.set("stock", "lots"),
        lambda: world.set("stock", [1, None] * k),
        lambda: world.set("need", {}),
        lambda: world.set("uid", 3),
        lambda: world.set("occupied", True),
        lambda: world.set("stok", 1),
        lambda: world.set("order_task", world.params.resources + 1),
        lambda: world.set("order_share", 2),
        lambda: world.do(og.intervene.scale("care", -1)) if world.state["care"].any() else world.set("x", 1),
        lambda: world.do(og.intervene.scale("stock", np.nan)),
        lambda: world.do(3),
    ]
    empty = np.flatnonzero(~world.state["occupied"])
    if len(empty):
        name = chance.one([name for name in writable(world) if COLUMNS[name].owner == "member"])
        calls += [lambda: world.set(name, 0, [int(chance.one(empty))])] * 4
    if not world.params.learning.share_features:
        calls.append(lambda: world.set("share_feature", 1))
    return chance.one(calls)


def bad_member(chance, world):
    n, k = world.n_sites, world.params.resources
    here = world.state["occupied"]
    full, empty = np.flatnonzero(here).tolist(), np.flatnonzero(~here).tolist()
    calls = [
        lambda: world.add(n),
        lambda: world.add(-1),
        lambda: world.add(0.5),
        lambda: world.add([]),
        lambda: world.remove([n]),
        lambda: world.remove("all"),
        lambda: world.move(0, n),
        lambda: world.move(0, 0),
    ]
    if full:
        member = chance.one(full)
        calls += [
            lambda: world.add(member),
            lambda: world.remove([member, member]),
            lambda: world.remove([member, n]),
            lambda: world.move(chance.one(full), member),
        ]
    if empty:
        site = chance.one(empty)
        calls += [lambda: world.remove([*full, site]), lambda: world.move(site, chance.one(full + empty))]
        for columns in (
            {"stock": -1},
            {"stock": 1, "care": 2},
            {"care": 0.5, "stok": 1},
            {"stock": np.ones((1, 1, k))},
            {"stock": [[1.0] * k] * 2},
            {"supply": 1},
            {"uid": 1},
            {"skill": 0, "care": "much"},
            {"age": 1},
            {"order_task": 0, "task": 0},
            {"policy": np.nan},
            [("care", 1, 2)],
            3,
        ):
            calls.append(lambda columns=columns: world.add(site, columns))
    return chance.one(calls)


def bad_parameter(chance, world):
    good = draw_changes(chance, world.params.resources)
    bad = chance.one(
        [
            {"care.wight": 0.5},
            {"care.weight": 2},
            {"care.weight": np.nan},
            {"metabolism.need": -1},
            {"metabolism.need": [1.0] * (world.params.resources + 1)},
            {"metabolism.need": "much"},
            {"resources": world.params.resources + 1},
            {"production.rest": not world.params.production.rest},
            {"care.kind": "kinn"},
            {"learning.perception": 3},
            {"learning.perception": 1.5},
            {"demography.mutates": "skill"},
            {"learning.cue": 1},
            {"production.base_yield": np.inf},
            {"production.base_yield": 10**400},
            {"metabolism.harmful": [world.params.resources]},
            {"care": None},
            {"care.horizon": 0},
            {"learning.share_features": 3},
            {"demography.mutates": ("care", "care")},
            {"learning.share_features": ("a", "a")},
        ]
    )
    if chance.maybe(0.3):
        ((name, value),) = bad.items()
        return lambda: world.schedule(
            name, {world.tick + 1: world.params[name] if name in world.params.names() else 1, world.tick + 2: value}
        )
    return lambda: world.update(**good | bad)


def bad_call(chance, world):
    tick = world.tick
    return chance.one(
        [
            lambda: world.step(-1),
            lambda: world.step(0.5),
            lambda: world.step(np.nan),
            lambda: world.step(np.inf),
            lambda: world.step(2**32),
            lambda: world.step("all"),
            lambda: world.step(None),
            lambda: world.at(tick - 1, print),
            lambda: world.at(tick, 3),
            lambda: world.every(0, print),
            lambda: world.every(1, None),
            lambda: world.before(print, every=0),
            lambda: world.schedule("care.weight", {tick - 1: 0.5}),
            lambda: world.schedule("care.weight", {tick: 0.5, tick + 1: 7}),
            lambda: world.record({"a": 1}),
            lambda: world.record({"a": len}),
            lambda: world.record({"a": lambda w: 1}, every=0),
            lambda: setattr(world, "threads", 0),
            lambda: setattr(world, "threads", 2.5),
            lambda: setattr(world, "threads", "2"),
            lambda: setattr(world, "threads", 2**40),
            lambda: setattr(world, "threads", 2**70),
            lambda: world.rewire(og.Topology.grid((world.n_sites + 1,))),
            lambda: world.rewire(None),
            lambda: world.govern("frozen"),
            lambda: world.govern(regimes.Frozen),
            lambda: world.govern(regimes.Frozen(), [world.n_sites]),
            lambda: world.govern(regimes.Frozen(), blocks=np.zeros(world.n_sites, int)),
            lambda: world.govern(regimes.Corrigible(), blocks=np.zeros(world.n_sites + 1, int)),
            lambda: world.govern(regimes.Corrigible(), blocks=0.5),
            lambda: world.govern(regimes.Corrigible(), rng=-1),
            lambda: world.govern(regimes.Corrigible(harmful=[world.params.resources])),
            lambda: world.govern(regimes.Specified(need=[1.0] * (world.params.resources + 1))),
            lambda: world.govern(regimes.Rule(task="assigned", good=world.params.resources)),
            lambda: world.switch(1),
            lambda: world.switch(True, [world.n_sites]),
            lambda: world.schedule("care", {tick: 2.0}),
            lambda: world.schedule("capability", {tick: np.ones(world.n_sites + 1)}),
            lambda: world.do(og.intervene.reset("all")),
            lambda: world.tie("bonds"),
            lambda: world.tie("total") if not world.ledger else world.tie("totals"),
        ]
    )


BAD = (bad_value, bad_value, bad_set, bad_member, bad_parameter, bad_call)


# -- the run -------------------------------------------------------------------------------


def refuse(world, call, what):
    """Make a call that must be refused in one sentence, and must change nothing."""
    before = picture(world)
    try:
        call()
    except REFUSED as error:
        text = str(error)
    else:
        pytest.fail(f"{what} was accepted")
    assert len(text) > 10 and "\n" not in text, f"{what} was refused with {text!r}"
    assert difference(before, picture(world)) is None, f"{what}, refused with {text!r}, changed the world"


def copied(chance, world, folder):
    """Go on with a copy, and hold it to going on alike at another number of threads."""
    path = folder / "w.npz"
    world.save(path)
    other = chance.one((
        world.fork,
        lambda: og.World.load(path),
        lambda: copy.deepcopy(world),
        lambda: pickle.loads(pickle.dumps(world)),
    ))()
    apart = {"topology": 0, "jobs": 0}
    assert difference(picture(world) | apart, picture(other) | apart) is None
    other.threads = int(chance.integers(1, 5))
    quiet = world.fork()  # without the jobs, which a copy leaves behind
    assert goes_on_alike(quiet, other, int(chance.integers(1, 6))) is None
    return other


@pytest.mark.parametrize("seed", range(FIRST, FIRST + CASES))
def test_nothing_breaks(seed, tmp_path):
    chance, known = Chance(seed), {}
    far = chance.maybe(0.2)  # numbers of any size, which may be refused
    try:
        world = draw_world(chance, far)
    except REFUSED:
        if not far:
            raise
        return
    check(world, known)
    for _ in range(12):
        if chance.maybe(0.3):
            call = chance.one(BAD)(chance, world)
            if call is not None:
                refuse(world, call, f"the call of line {call.__code__.co_firstlineno}")
        elif chance.maybe(0.1):
            world = copied(chance, world, tmp_path)
        else:
            edit, before = chance.one(EDITS), picture(world) if far else None
            try:
                edit(chance, world, far)
            except REFUSED:
                if not far:
                    raise
                if edit is not edit_add and edit is not edit_later:  # these are several edits
                    assert difference(before, picture(world)) is None, edit.__name__
        if world.n_members < 2 and chance.maybe(0.8):
            world.update(**{"demography.hazard": 0.02})
            edit_add(chance, world, False)
        check(world, known)
        for _ in range(int(chance.integers(0, 3))):
            ticks = int(chance.one((1, 1, 2, 5, 17)))
            world.step(ticks)
            check(world, known)
            check_ticked(world)
