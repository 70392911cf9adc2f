"""Random edits of a world: those that must be accepted, and those that must be refused."""

import dataclasses

import numpy as np
from fuzz_worlds import Chance, draw_changes, draw_parameter, draw_topology, draw_values, writable

import organism as og
from organism import params as parameters
from organism import regimes
from organism.state import COLUMNS

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
