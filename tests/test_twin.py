"""The compiled tick against the plain one, on random topologies, parameters and states."""

import math

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

from organism.params import Params
from organism.topology import Topology

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
        "skill": goods(params.start.skill), "supply": goods(1.0), "richness": goods(1.0), "ground": goods(0.0),
        "need": goods(params.metabolism.need), "reserve": goods(params.metabolism.reserve),
        "capability": each(1.0), "care": each(params.care.weight), "learning_rate": each(params.learning.rate),
        "task": each(-1), "shared": each(False), "task_counts": table(m),
        "policy": [reference.start_policy(params, seed, key) for key in keys],
        "eligibility": table(m, params.features),
        "share_policy": table(params.share_features), "share_eligibility": table(params.share_features),
        "share_feature": table(params.share_features - 1),
        "welfare": each(params.start.welfare), "appraisal": each(params.start.welfare),
        "baseline": each(params.start.welfare), "vitality": each(params.start.vitality),
        "consumption": each(0.0), "given": each(0.0), "order_task": each(-1), "order_share": each(-1),
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
