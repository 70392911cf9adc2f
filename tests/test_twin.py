"""The compiled tick against the plain one, on random topologies, parameters and states."""

import math

import numpy as np
import pytest
import reference
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from organism import Params, Topology, World
from organism.regimes import RULED_TASKS, Corrigible, Endorsed, Frozen, Organic, Rule, Specified
from organism.state import COLUMNS

# ------------------------------------------------------------------- worlds for the twin alone


def founders(topology, params, seed=1, **columns):
    """Return the state and ties of a full world at tick 0, as MODEL.md's section 5 has them."""
    n, k, m = topology.n_sites, params.resources, params.tasks
    ids = [int(x) for x in topology.site_id]
    keys = [reference.founder_key(seed, x, 0) for x in ids]

    def each(value):
        return [value for _ in range(n)]

    def table(*shape):
        return np.zeros((n, *shape)).tolist()

    def goods(value):
        return [list(value) if isinstance(value, tuple) else [value] * k for _ in range(n)]

    uids = np.argsort(np.argsort(ids)).tolist()
    state = {
        "occupied": each(True), "uid": uids, "parent_uid": each(-1), "founder": list(uids), "key": keys,
        "age": each(0), "births": each(0),
        "stock": [reference.start_stock(params, seed, key) for key in keys],
        "skill": goods(params.start.skill), "supply": goods(1.0), "richness": goods(1.0),
        "ground": goods(0.0), "need": goods(params.metabolism.need),
        "reserve": goods(params.metabolism.reserve), "capability": each(1.0),
        "care": each(params.care.weight), "learning_rate": each(params.learning.rate),
        "task": each(-1), "shared": each(False), "task_counts": table(m),
        "policy": [reference.start_policy(params, seed, key) for key in keys],
        "eligibility": table(m, params.features),
        "share_policy": table(params.share_features), "share_eligibility": table(params.share_features),
        "share_feature": table(params.share_features - 1),
        "welfare": each(params.start.welfare), "appraisal": each(params.start.welfare),
        "baseline": each(params.start.welfare), "vitality": each(params.start.vitality),
        "consumption": each(0.0), "given": each(0.0), "order_task": each(-1), "order_share": each(-1),
        "regime": each(0),
    }
    state.update(columns)
    ties = {"trace": [0.0] * topology.n_ties, "bond": [1.0] * topology.n_ties,
            "total": np.zeros((topology.n_ties, k)).tolist()}
    return state, ties


def run(topology, params, state, ties, ticks, seed=1):
    """Step the twin, yielding the outcome of each tick."""
    next_uid = topology.n_sites
    for tick in range(ticks):
        after = reference.tick(topology, params, state, ties, tick, seed, next_uid)
        yield after
        state, ties, next_uid = after.state, after.ties, after.next_uid


def total(*columns):
    """Return the sum over sites, per resource."""
    return sum(np.sum(column, axis=0) for column in columns)


@pytest.mark.parametrize("changes", [
    {},
    {"demography.enabled": True, "demography.hazard": .05, "demography.refill": .3, "exchange.loss": .1},
    {"demography.enabled": True, "demography.hazard": .1, "demography.dispersal": "global",
     "demography.mutates": "care,reserve", "production.depletion": .1, "metabolism.complementarity": .5},
], ids=["default", "local", "global"])
def test_twin_conserves_goods(changes):
    topology = Topology.grid((4, 4))
    params = Params().replace(**changes)
    state, ties = founders(topology, params)
    held = total(state["stock"], state["ground"])
    uids = set(state["uid"])
    for after in run(topology, params, state, ties, 50):
        goods = {name: np.array(amount) for name, amount in after.goods.items()}
        expected = held + goods["produced"] - goods["burned"] - goods["spoiled"] - goods["lost"]
        held = total(after.state["stock"], after.state["ground"])
        np.testing.assert_allclose(held, expected, rtol=1e-12, atol=1e-12)
        uids |= set(after.state["uid"])
    if params.demography.enabled:
        assert after.next_uid > topology.n_sites
        assert uids == {-1, *range(after.next_uid)}
    moved = total(after.ties["total"], *[[amount] for amount in after.closed.values()])
    assert (moved >= 0).all()


def test_twin_by_hand():
    """Two members and one good: every number of one tick worked out by hand."""
    topology = Topology.from_edges([0, 1], [1, 0])
    params = Params(resources=1).replace(**{
        "learning.perception": 1, "care.kind": "interdependence", "care.weight": .5, "exchange.loss": .1})
    state, ties = founders(topology, params, stock=[[3.0], [0.2]], order_task=[0, -1], order_share=[1, -1],
                           capability=[1.0, 0.0])
    after = reference.tick(topology, params, state, ties, 0, 1, 2)
    made = 1.6 * (1 + 1.5 * .3**2)
    sent = min(3 + made - 2, 2 - .2)                            # wanted: the other's reserve of 2
    assert after.goods["produced"] == pytest.approx([made])
    assert after.state["given"] == pytest.approx([sent, 0])
    assert after.ties["trace"] == pytest.approx([sent, 0])
    got = .2 + .9 * sent
    assert after.goods["lost"] == pytest.approx([.1 * sent])
    assert after.state["stock"][0] == pytest.approx([.98 * (3 + made - sent - 1)])
    assert after.state["stock"][1] == pytest.approx([.98 * (got - 1)])
    assert after.state["welfare"] == pytest.approx([1 - .02 * sent, 1])
    # the fed member's dependence is sent / 1 > 1/3, so its care is full
    assert after.state["appraisal"] == pytest.approx([1 - .02 * sent, .5 + .5 * (1 - .02 * sent)])
    assert after.state["baseline"][1] == pytest.approx(.5 + .02 * (after.state["appraisal"][1] - .5))
    assert after.state["share_eligibility"][0] == [0.0]         # it was ordered to share
    assert after.state["share_eligibility"][1] == pytest.approx([.48 if after.state["shared"][1] else -.48])
    assert after.state["eligibility"] == [[[0, 0]], [[0, 0]]]   # one task leaves nothing to learn
    assert after.ties["bond"] == [1, 1]                         # one partner each: both targets are 1
    assert after.state["skill"][0] == pytest.approx([.3 + .05 * .7])


@pytest.mark.parametrize(("p", "expected"), [
    (1, .5), (0, math.sqrt(.24)), ("leontief", .4), (-1, 2 / (1 / .4 + 1 / .6)), (1e-9, math.sqrt(.24)),
    (-1e-9, math.sqrt(.24)), (-1e4, .4 * 2 ** 1e-4)])
def test_power_mean(p, expected):
    assert reference.power_mean([.4, .6], p) == pytest.approx(expected, rel=1e-8)


def test_power_mean_of_nothing_to_eat():
    assert [reference.power_mean([0, 1], p) for p in (1, .5, 0, -1, "leontief")] == [.5, .25, 0, 0, 0]
    assert reference.power_mean([0, 0], .5) == 0


def test_twin_learns_to_share():
    """The plain twin alone shows the model's main effect: care makes members feed each other."""
    topology = Topology.grid((6,))
    sharing = {}
    for weight in (0, 1):
        params = Params().replace(**{"care.kind": "neighbours", "care.weight": weight, "learning.rate": .2})
        *_, after = run(topology, params, *founders(topology, params), 400)
        sharing[weight] = np.mean(after.state["share_policy"])
    assert sharing[0] < -1 < sharing[1]


# ------------------------------------------------------------------- random cases


@st.composite
def topologies(draw):
    """Grids, random graphs (directed or not, weighted or not, with isolated nodes) and hubs."""
    kind = draw(st.sampled_from(["grid", "ring", "directed", "undirected", "hub"]))
    if kind == "grid":
        shape = draw(st.tuples(st.integers(1, 6), st.sampled_from([2, 4, 6])))
        around = draw(st.sampled_from(["moore", "von_neumann", "hexagonal"]))
        topology = Topology.grid(shape[::-1], around, draw(st.integers(1, 2)), draw(st.booleans()))
    elif kind == "ring":
        topology = Topology.grid((draw(st.integers(1, 40)),), torus=draw(st.booleans()))
    else:
        n = draw(st.integers(18, 60) if kind == "hub" else st.integers(1, 40))
        chance = np.random.default_rng(draw(st.integers(0, 2**32)))
        if kind == "hub":
            edges = np.zeros((n, n), bool)
            edges[0, 1:] = True
            edges |= edges.T if draw(st.booleans()) else chance.random((n, n)) < 1 / n
        else:
            edges = chance.random((n, n)) < min(1, draw(st.floats(0, 6)) / n)
            edges[:, chance.random(n) < .1] = False
            edges |= edges.T & (kind == "undirected")
        np.fill_diagonal(edges, False)
        source, target = np.nonzero(edges)
        weight = np.round(chance.exponential(size=len(source)), 1) if draw(st.booleans()) else None
        topology = Topology.from_edges(source, target, n, weight=weight)
    if draw(st.booleans()):
        n = topology.n_sites
        chance = np.random.default_rng(draw(st.integers(0, 2**32)))
        topology = topology.with_site_ids(chance.permutation(2**40 + 3 * np.arange(n)))
        topology = topology.permuted(chance.permutation(n))
    return topology


def unit(low=0.0, high=1.0):
    """Numbers of half precision in the range, so that all are of one size; its ends often."""
    return st.one_of(st.sampled_from([low, high]), st.floats(low, high, width=16, allow_subnormal=False))


@st.composite
def parameters(draw):
    """Parameters over their whole ranges, unbounded ones up to where numbers stay of one size."""
    resources = draw(st.integers(1, 5))
    each = st.lists(unit(0, 2), min_size=resources, max_size=resources)
    p = st.one_of(st.sampled_from([0, 1, "leontief", -1e4, -30, -1e-6, 1e-6]), st.floats(-8, 1, width=32))
    ranges = {
        "production.base_yield": unit(0, 4), "production.skill_gain": unit(0, 4),
        "production.skill_up": unit(), "production.skill_down": unit(), "production.rest": st.booleans(),
        "production.work_cost": unit(), "production.depletion": st.one_of(st.just(0), unit()),
        "production.regrowth": unit(), "production.regrowth_law": st.sampled_from(["linear", "logistic"]),
        "production.task_memory": unit(), "metabolism.need": each, "metabolism.reserve": each,
        "metabolism.spoilage": st.one_of(unit(), st.lists(unit(), min_size=resources, max_size=resources)),
        "metabolism.complementarity": p,
        "metabolism.harmful": st.lists(st.integers(0, resources - 1), max_size=2),
        "exchange.share_cost": unit(), "exchange.loss": unit(), "exchange.bond_rate": unit(),
        "exchange.bond_floor": unit(), "exchange.memory": unit(), "learning.rate": unit(),
        "learning.trace_decay": unit(), "learning.baseline_rate": unit(), "learning.exploration": unit(),
        "learning.share_exploration": unit(0, .5), "learning.perception": st.integers(0, 2),
        "learning.cue": st.booleans(),
        "learning.share_features": st.sampled_from([(), ("belief",), ("watched", "belief")]),
        "learning.task_bound": unit(0, 8), "learning.share_bound": unit(0, 6),
        "care.kind": st.sampled_from(["self", "neighbours", "kin", "interdependence", "whole"]),
        "care.weight": unit(), "care.saturation": unit(.125, 2), "care.horizon": st.integers(1, 4),
        "demography.enabled": st.booleans(), "demography.hazard": unit(), "demography.frailty": unit(0, 4),
        "demography.vitality_rate": unit(), "demography.refill": unit(), "demography.selection": unit(0, 8),
        "demography.dispersal": st.sampled_from(["local", "global"]),
        "demography.mutation_sd": st.one_of(unit(0, 2), st.just(50.0)),
        "demography.mutates": st.sets(st.sampled_from(reference.TRAITS)).map(tuple),
        "demography.inherit_policy": st.booleans(), "start.policy_sd": unit(0, 2), "start.skill": unit(),
        "start.welfare": unit(), "start.vitality": unit(),
    }
    return Params(resources=resources).replace(**{name: draw(values) for name, values in ranges.items()})


def randomise(world, chance):
    """Overwrite a new world's state with random values of every kind that can occur."""
    p, topology, state = world.params, world.topology, world.state
    n, k, here = world.n_sites, p.resources, world.state["occupied"]
    seldom = (chance.random(n) < .2).nonzero()[0]

    def some(*shape, zeros=.2, high=2.0):
        values = chance.uniform(0, high, (n, *shape))
        values[chance.random((n, *shape)) < zeros] = 0
        return values

    def within(bound, *shape):
        return np.clip(chance.normal(0, 2, (n, *shape)), -bound, bound)

    traits = {"need": some(k), "reserve": some(k), "capability": some(), "care": some(high=1),
              "learning_rate": some(high=1), "supply": some(k)}
    for name in traits:
        if chance.random() < .5:
            world.set(name, traits[name])
    stock = some(k, high=4)
    stock[seldom] = state["reserve"][seldom]
    columns = {
        "stock": stock, "skill": some(k, high=1), "task_counts": some(p.tasks, high=50),
        "policy": within(p.learning.task_bound, p.tasks, p.features),
        "eligibility": chance.normal(0, 2, (n, p.tasks, p.features)),
        "share_policy": within(p.learning.share_bound, p.share_features),
        "share_eligibility": chance.normal(0, 2, (n, p.share_features)),
        "welfare": chance.uniform(-.5, 1, n), "appraisal": chance.uniform(-.5, 1, n),
        "baseline": chance.uniform(-.5, 1, n), "vitality": some(high=1), "consumption": some(high=10),
    }
    if p.learning.share_features:
        columns["share_feature"] = chance.uniform(-1, 1, (n, p.share_features - 1))
    if p.production.depletion > 0 or chance.random() < .2:     # a flow takes no notice of richness
        columns["richness"] = some(k, high=1)
    if chance.random() < .5:
        columns["order_task"] = np.where(chance.random(n) < .3, chance.integers(0, p.tasks, n), -1)
        columns["order_share"] = np.where(chance.random(n) < .3, chance.integers(0, 2, n), -1)
    for name, values in columns.items():
        world.set(name, values)
    if chance.random() < .5:
        govern(world, chance)

    # what only the model itself may write
    own = {"age": chance.integers(0, 100, n), "births": chance.integers(0, 5, n)}
    if "founder" in state.planes:
        own["founder"] = chance.integers(0, 3, n)
    for name, values in own.items():
        state.view(name)[here] = values[here]
    if "ground" in state.planes:
        state.view("ground")[:] = some(k)
    alive = here[topology.source] & here[topology.target]
    mutual = np.isin(topology.target * n + topology.source, topology.source * n + topology.target)
    trace = chance.exponential(size=topology.n_ties) * (chance.random(topology.n_ties) < .7)
    bond = chance.uniform(max(.05, p.exchange.bond_floor), 2, topology.n_ties)
    total = chance.exponential(size=(k, topology.n_ties)) * (chance.random(topology.n_ties) < .7)
    world._ties["total"][:, topology.in_slot] = np.where(alive, total, 0)
    world._ties["trace"][topology.in_slot] = np.where(alive, trace, 0)
    world._ties["bond"][topology.out_slot] = np.where(mutual, bond, 1)


def govern(world, chance):
    """Put parts of a world under random regimes, some of them told what has changed since, in the midst of it."""
    k, n = world.params.resources, world.n_sites

    def one(*items):
        return items[int(chance.integers(len(items)))]

    def operator():
        return Corrigible(period=one(1, 2, 3), delay=one(0, 0, 1, 5), error=one(0, .3, 1), malice=one(0, 0, .5),
                          view=one(1, 2, 4), gain=one(.005, 1.), scaled=one(True, False), told=one(True, False),
                          harmful=one(None, (0,)), need=one(None, chance.integers(0, 3, k).tolist()))

    def specified():
        return Specified(objective=one("welfare", "output"), good=int(chance.integers(k)), care=one(True, False),
                         need=one(None, chance.integers(0, 3, k).tolist()), harmful=one(None, (k - 1,)))

    def rule():
        return Rule(task=one(*RULED_TASKS), good=int(chance.integers(k)), share=one("always", "never", "learned"))

    def endorsed():
        return Endorsed(operator=operator(), margin=one(0, .1), trial=one(0, .5, 1), spell=one(1, 7))

    world._kernel.tick = int(chance.integers(0, 30))
    for _ in range(int(chance.integers(1, 6))):
        regime = one(Organic, Frozen, specified, rule, operator, endorsed)()
        sites = np.flatnonzero(world.state["occupied"] & (chance.random(n) < .6))
        world.govern(regime, sites if len(sites) else None, rng=int(chance.integers(2**32)))
    if (world.state["block"] >= 0).any() and chance.random() < .3:
        world.switch(False, np.flatnonzero(world.state["block"] >= 0)[::2])
    own, here = world._government, world.state["occupied"]
    if chance.random() < .5:                                   # in the midst of it
        own.reading[:] = chance.random(own.reading.shape)
        own.reading[chance.random(len(own.reading)) < .2] = -1
        own.seen[:] = chance.random(own.seen.shape)
        for block, r in enumerate(own.block_operator):
            quota = own.wanted(r) * chance.uniform(.02, 1, k)
            own.quota[block] = quota / max(quota.sum(), 1e-9)
    if "obeys" in world.state.planes:
        for name in ("obeyed", "unbidden"):
            world.state.view(name)[here] = chance.uniform(-.5, 1, n)[here]
    if chance.random() < .5:                                   # news for those who are to be told
        world.set("need", chance.integers(0, 3, (n, k)) * (chance.random(k) < .7))
        world.update(**{"metabolism.harmful": np.flatnonzero(chance.random(k) < .2).tolist()})


def government(world):
    """Return who decides, for the twin; None where nobody but the members does."""
    own = world._government
    if own.regimes == [Organic()]:
        return None
    return {"regimes": list(own.regimes), **{name: getattr(own, name).tolist() for name in own.ARRAYS},
            "endorsing": own.has(Endorsed), "stating": own.has(Specified)}


def snapshot(world):
    """Return the world's columns as lists, for the twin."""
    state = {name: world.state[name].tolist() for name in COLUMNS}
    return state, {name: world.tie(name).tolist() for name in ("trace", "bond", "total")}


def step_twin(world):
    """Return what the twin makes of the world's state."""
    state, ties = snapshot(world)
    return reference.tick(world.topology, world.params, state, ties, world.tick, world.seed,
                          world._kernel.next_uid, government(world))


#: Single precision carries 24 bits, a relative 6e-8 an operation. That is well within rtol = 1e-6
#: for sums of positive numbers, but a difference is only as exact as what it is taken of: a shortfall
#: of goods, say, when a member holds nearly its reserve, and so the way a gift is split. So there is
#: an absolute tolerance too, a few 1e-7 times the size of the terms behind a column: goods up to
#: about 10 a site, welfare about 1, and, for slopes and what learns from them, logits of up to
#: about 40, whose error is that of the log-probabilities.
ATOL = dict.fromkeys(("eligibility", "share_eligibility", "policy", "share_policy"), 1e-5)
#: Draws as near to a choice's boundary as its probability is uncertain may go either way.
MARGIN = 1e-5


def agree(world, after, rtol=1e-6, loosen=1):
    """Assert that the world holds what the twin says."""
    here = np.array(after.state["occupied"], bool)
    np.testing.assert_array_equal(world.state["occupied"], here, "occupied")
    for name, column in COLUMNS.items():
        everywhere = column.owner == "site" or name in ("uid", "parent_uid", "founder", "stock", "welfare")
        sites = np.ones_like(here) if everywhere else here
        got, want = world.state[name][sites], np.array(after.state[name], world.state[name].dtype)[sites]
        if column.dtype[0] in "iu":
            np.testing.assert_array_equal(got, want, name)
        else:
            np.testing.assert_allclose(got, want, rtol, loosen * ATOL.get(name, 5e-6), err_msg=name)
    for name in ("told", "quota", "seen", "reading") if after.government else ():
        got = getattr(world._government, name)
        np.testing.assert_allclose(got, np.reshape(after.government[name], got.shape), rtol, loosen * 1e-6,
                                   err_msg=name)
    for name in ("trace", "bond", "total"):
        got, want = world.tie(name), np.reshape(after.ties[name], world.tie(name).shape)
        np.testing.assert_allclose(got, want, rtol, loosen * 5e-6, err_msg=name)


def agree_on_goods(world, before, after):
    """Assert that both accounts say the same, and that the world's closes."""
    audit = world.audit()
    for name, amounts in after.goods.items():
        got = getattr(audit, name) - getattr(before, name)
        np.testing.assert_allclose(got, amounts, 1e-6, 5e-6, err_msg=name)
    change = audit.produced - audit.burned - audit.spoiled - audit.lost \
        - (before.produced - before.burned - before.spoiled - before.lost)
    held = (audit.held + audit.ground) - (before.held + before.ground)
    np.testing.assert_allclose(held, change, rtol=0, atol=1e-10)
    uids, amounts = world.closed_accounts()
    closed = {tuple(pair): amount for pair, amount in zip(uids.tolist(), amounts, strict=True)}
    assert closed.keys() == after.closed.keys()
    for pair, amount in after.closed.items():
        np.testing.assert_allclose(closed[pair], amount, 1e-6, 5e-6, err_msg=f"closed {pair}")


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), parameters(), st.integers(0, 2**64 - 1), st.sampled_from([0, .3, .9, 1]))
def test_one_tick_from_any_state(topology, params, seed, empty):
    chance = np.random.default_rng(seed)
    here = chance.random(topology.n_sites) >= empty
    world = World(topology, params, rng=seed, occupied=here, ledger=True, threads=1 + seed % 2)
    randomise(world, chance)
    before, after = world.audit(), step_twin(world)
    assume(all(distance > MARGIN for _, _, distance in after.margins))
    world.step(1)
    agree(world, after)
    agree_on_goods(world, before, after)
    assert world._kernel.next_uid == after.next_uid


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), parameters(), st.integers(0, 2**64 - 1))
def test_founders(topology, params, seed):
    chance = np.random.default_rng(seed)
    here = chance.random(topology.n_sites) < .8
    world = World(topology, params, rng=seed, occupied=here)
    for i in here.nonzero()[0]:
        key = reference.founder_key(seed, int(topology.site_id[i]), 0)
        assert int(world.state["key"][i]) == key
        stock, policy = reference.start_stock(params, seed, key), reference.start_policy(params, seed, key)
        np.testing.assert_allclose(world.state["stock"][i], stock, 1e-12)
        np.testing.assert_allclose(world.state["policy"][i], policy, 1e-6, 1e-7)
    order = np.argsort(topology.site_id[here])
    assert world.state["uid"][here][order].tolist() == list(range(here.sum()))


@pytest.mark.parametrize("changes", [
    {},
    {"care.kind": "neighbours", "care.horizon": 3, "learning.cue": True, "production.depletion": .05},
    {"demography.enabled": True, "demography.hazard": .05, "demography.refill": .5, "care.kind": "kin"},
    {"demography.enabled": True, "demography.hazard": .05, "demography.dispersal": "global",
     "production.rest": True, "production.work_cost": .1, "demography.mutates": reference.TRAITS},
], ids=["default", "depletion", "local", "global"])
def test_many_ticks(changes):
    """Both go their own way for a while; rounding errors grow with the ticks, and no faster."""
    params, ticks = Params().replace(**changes), 12
    agreed = 0
    for seed in range(5):
        world = World(Topology.grid((4, 4), "von_neumann"), params, rng=seed, ledger=True)
        state, ties = snapshot(world)
        near = math.inf
        for after in run(world.topology, params, state, ties, ticks, seed):
            near = min([near, *(distance for _, _, distance in after.margins)])
            if near < 10 * MARGIN:
                break
            world.step(1)
            agree(world, after, rtol=1e-5, loosen=10)
            agreed += 1
    assert agreed > 2 * ticks


def test_traces_that_faded_away():
    """Where nobody has given anything for 10⁴ ticks, traces are near the smallest float there is."""
    topology = Topology.grid((4, 4))
    world = World(topology, Params().replace(**{"exchange.memory": 1.0}), rng=1, ledger=True)
    world._ties["trace"][topology.in_slot] = np.random.default_rng(1).integers(0, 60, topology.n_ties) * 1e-45
    world.set("order_share", 0)
    after = step_twin(world)
    world.step(1)
    agree(world, after)


def test_walks_that_hardly_lead_elsewhere():
    """A walk of two steps from site 0 returns, but for 1 in 10¹¹: that one decides its term."""
    topology = Topology.grid((3,), torus=False)
    params = Params().replace(**{"exchange.memory": 1.0, "care.horizon": 2, "care.weight": 1.0})
    world = World(topology, params, rng=1, ledger=True)
    world.set("order_share", 0)
    world.set("stock", [[2, 2, 2], [1, 0, 1], [0.5, 0.5, 0.5]])
    given = {(0, 1): 1, (1, 0): 1, (2, 1): 1e-11, (1, 2): 1}
    traces = [given[i, j] for i, j in zip(topology.source.tolist(), topology.target.tolist(), strict=True)]
    world._ties["trace"][topology.in_slot] = traces
    after = step_twin(world)
    world.step(1)
    agree(world, after)
    _, near, far = after.state["welfare"]
    assert after.state["appraisal"][0] == pytest.approx((near + far) / 2)


@pytest.mark.parametrize("changes", [
    {"learning.cue": True},
    {"learning.share_features": "belief", "demography.enabled": True, "demography.hazard": .3,
     "demography.refill": 1.0},
], ids=["richness without depletion", "features of newborns"])
def test_columns_that_a_mechanism_leaves_behind(changes):
    """Richness means nothing while supply is a flow; a newborn does not get the dead's features."""
    world = World(Topology.grid((6,)), Params().replace(**changes), rng=1, ledger=True)
    if "learning.cue" in changes:
        world.set("richness", .25)
    else:
        world.set("share_feature", .5)
    for _ in range(4):
        after = step_twin(world)
        assert all(distance > MARGIN for _, _, distance in after.margins)
        world.step(1)
        agree(world, after)
