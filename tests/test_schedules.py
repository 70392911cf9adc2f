"""Curricula: parameters, columns and regimes that change as time goes on, against the same changes made by hand."""

import numpy as np
import pytest

import organism as og
from organism._editing import feature_names
from organism.regimes import Corrigible, Frozen, Organic, ramp

N, TICKS = 42, 24
STRONG = np.arange(N) < 21
CURRICULA = {
    "learning.perception": {0: 0, 8: 1, 16: 2},
    "learning.rate": ramp(3, 18, 0.05, 0.2, every=4),
    "learning_rate": ramp(3, 18, 0.05, np.where(STRONG, 0.0, 0.3)),
    "care.weight": ramp(0, 20, 0.0, 1.0, every=3),
    "care": ramp(2, 20, np.where(STRONG, 0.0, 1.0), np.where(STRONG, 1.0, 0.0), every=5),
    "capability": ramp(5, 15, 1.0, np.where(STRONG, 2.0, 1.0)),
    "supply": ramp(4, 12, np.ones((N, 3)), [1.4, 0.7, 0.7], every=2),
    "metabolism.harmful": {10: (2,)},
}


def world(evolving=False):
    changes = {"demography.enabled": True, "demography.hazard": 0.03, "demography.refill": 0.3} if evolving else {}
    made = og.World(og.Topology.grid((6, 7)), og.Params().replace(**changes), rng=4, ledger=True)
    made.govern(Corrigible(view=3, told=True, delay=2), np.arange(0, N, 3))
    return made


def change(world, name, value):
    """Make one change by hand."""
    if name in world.state:
        world.set(name, value)
    else:
        world.update(**{name: value})


def differing(a, b):
    """Name what two worlds differ in."""
    one, two = a._pack()[1], b._pack()[1]
    return [name for name in {**one, **two} if not np.array_equal(one.get(name), two.get(name))]


@pytest.mark.parametrize("evolving", [False, True])
@pytest.mark.parametrize("name", CURRICULA)
def test_a_schedule_is_the_same_changes_made_by_hand(name, evolving, tmp_path):
    """Also through a copy made half-way, where what is left is scheduled anew."""
    values = CURRICULA[name]
    scheduled, by_hand, plain = world(evolving), world(evolving), world(evolving)
    scheduled.schedule(name, values)
    for tick in range(TICKS):
        if tick in values:
            change(by_hand, name, values[tick])
        by_hand.step(1)
    plain.step(TICKS)
    scheduled.step(11)
    scheduled.save(tmp_path / "w.npz")
    copies = [scheduled.fork(), og.World.load(tmp_path / "w.npz")]
    for each in copies:
        assert not each._agenda.jobs                               # these stay behind
        each.schedule(name, {tick: value for tick, value in values.items() if tick >= each.tick})
    for each in (scheduled, *copies):
        each.step(TICKS - each.tick)
        assert differing(each, by_hand) == [] and each.params == by_hand.params
    assert differing(plain, by_hand) and scheduled.audit().closes


def test_a_parameter_that_founders_take_is_given_to_all_and_a_column_to_each():
    w = world()
    w.schedule("learning.rate", {0: 0.2, 2: 0.1})
    w.schedule("learning_rate", {1: np.where(STRONG, 0.3, 0.4)})
    w.step(1)
    assert (w.state["learning_rate"] == np.float32(0.2)).all()
    w.step(1)
    assert np.array_equal(w.state["learning_rate"], np.where(STRONG, 0.3, 0.4).astype("f4"))
    w.step(1)
    assert (w.state["learning_rate"] == np.float32(0.1)).all() and w.params.learning.rate == 0.1


@pytest.mark.parametrize(("levels", "cue"), [((2, 1), False), ((2, 0), True), ((1, 2), True), ((0, 2), False)])
def test_a_change_of_perception_keeps_what_was_learned_about_the_features_that_stay(levels, cue):
    w = og.World(og.Topology.grid((6, 7)), og.Params().replace(**{"learning.perception": levels[0]}), rng=4)
    w.step(30)
    before = {name: dict(zip(feature_names(w.params), np.moveaxis(w.state[name].copy(), 2, 0), strict=True))
              for name in ("policy", "eligibility")}
    task, share = w.state["task"].copy(), w.state["share_policy"].copy()
    w.schedule("learning.perception", {30: levels[1]})
    w.schedule("learning.cue", {30: cue})
    w._agenda.run(w, before=True)                                  # what is due before the next tick
    names = feature_names(w.params)
    assert w.state["policy"].shape == (N, 3, len(names)) and len(names) == 1 + 3 * (levels[1] + cue)
    stay = set(names) & set(before["policy"])
    assert len(stay) == 1 + 3 * min(levels)
    for name, known in before.items():
        for f, feature in enumerate(names):
            values = w.state[name][:, :, f]
            assert np.array_equal(values, known[feature]) if feature in known else (values == 0).all(), feature
    assert (before["policy"]["1"] != 0).all()
    assert np.array_equal(w.state["task"], task) and np.array_equal(w.state["share_policy"], share)
    w.step(20)                                                     # new features are learned about
    assert all((w.state["policy"][:, :, f] != 0).any() for f in range(len(names)))


def test_features_that_come_back_start_anew():
    w = og.World(og.Topology.grid((6, 7)), rng=4)
    w.step(30)
    constant = w.state["policy"][:, :, 0].copy()
    w.update(**{"learning.perception": 0})
    w.update(**{"learning.perception": 2})
    assert (w.state["policy"][:, :, 1:] == 0).all() and np.array_equal(w.state["policy"][:, :, 0], constant)


def test_a_curriculum_of_regimes():
    """Trained under an operator, then let go half by half, then frozen."""
    a, b = (og.World(og.Topology.grid((6, 7)), rng=4) for _ in range(2))
    plan = {0: (Corrigible(view=3), None), 10: (Organic(), np.flatnonzero(STRONG)), 15: (Frozen(), None)}
    for tick, (regime, sites) in plan.items():
        a.at(tick, lambda w, regime=regime, sites=sites: w.govern(regime, sites))
    for tick in range(TICKS):
        if tick in plan:
            b.govern(*plan[tick])
        b.step(1)
    a.step(TICKS)
    assert differing(a, b) == [] and [entry[0] for entry in a.history] == list(plan)
    assert dict(a.regimes)[Frozen()].size == N


@pytest.mark.parametrize(("name", "values", "error", "text"), [
    ("capabilty", {5: 1.0}, ValueError, "neither a parameter nor a column is called 'capabilty'; did you mean 'cap"),
    ("learning.percepton", {5: 1}, ValueError, "did you mean 'learning.perception'"),
    ("learning.perception", {5: 3}, ValueError, r"learning.perception must be in \[0, 2\], not 3"),
    ("learning.perception", ramp(5, 9, 0, 2), ValueError, "learning.perception must be a whole number"),
    ("learning.rate", ramp(5, 9, 1, -1), ValueError, r"learning.rate must be in \[0, 1e6\], not -0.5"),
    ("care", ramp(5, 9, 0, 2), ValueError, r"care at site 0 must be in \[0, 1\], not 1.5"),
    ("capability", {5: np.ones(3)}, ValueError, r"capability takes one value or an array of shape \(42,\), not \(3,\)"),
    ("capability", {5: "high"}, TypeError, "capability must be numbers, not 'high'"),
    ("uid", {5: 1}, ValueError, "uid cannot be set"),
    ("production.rest", {5: True}, ValueError, "production.rest cannot change in a running world"),
    ("care", {3: 0.5}, ValueError, "tick must be 4 or later, not 3"),
    ("care", {4.5: 0.5}, TypeError, "tick must be a whole number of at least 0, not 4.5"),
    ("care", [(5, 0.5)], TypeError, "values must map ticks to values"),
])
def test_a_schedule_that_cannot_be_kept_is_refused_at_once(name, values, error, text):
    w = world()
    w.step(4)
    with pytest.raises(error, match=text):
        w.schedule(name, values)
    assert not w._agenda.jobs


@pytest.mark.parametrize(("args", "error", "text"), [
    ((0, 5, "low", 1), TypeError, "low must be one number or an array of numbers, not 'low'"),
    ((0, 5, 0, np.nan), ValueError, "high must be finite, not nan"),
    ((0, 5, [0, 1], [1, 2, 3]), ValueError, r"low and high must have the same shape, or be one value, not \(2,\)"),
    ((0, 2.5, 0, 1), TypeError, "stop must be a whole number"),
    ((3, 2, 0, 1), ValueError, "stop must be at least 3, not 2"),
    ((0, 5, 0, 1, 0), ValueError, "every must be at least 1, not 0"),
])
def test_a_ramp_that_is_none_is_refused(args, error, text):
    with pytest.raises(error, match=text):
        ramp(*args)
