"""Each regime through each shift: goods close, nothing breaks, the twin agrees, orders reach whom they should.

Then what the operators' fields do to the orders, counted.
"""

import networkx as nx
import numpy as np
import pytest
from test_twin import MARGIN, agree, agree_on_goods, step_twin

import organism as og
from organism.regimes import Corrigible, Endorsed, Frozen, Organic, Rule, Specified

REGIMES = {
    "organic": Organic(), "frozen": Frozen(), "specified": Specified(care=True, told=True),
    "rule": Rule(task="largest_own_and_neighbours_shortfall"),
    "corrigible": Corrigible(view=3, delay=3, period=2, error=0.1, malice=0.1),
    "endorsed": Endorsed(operator=Corrigible(view=3, delay=1, told=True), margin=0.05, trial=0.3, spell=7),
}
CORNER = np.array([0, 1, 6, 7])


def switch_on(world):
    """Let the last resource, present all along, be found, needed and kept back."""
    for name, value in (("supply", [1.4, 0.7, 0.7]), ("need", 1.0), ("reserve", 2.0)):
        world.set(name, value)


SHIFTS = {
    "lesion": lambda w: w.do(og.intervene.ablate(CORNER)),
    "arrival": lambda w: (w.remove(CORNER), [w.add(int(site)) for site in CORNER]),
    "move": lambda w: (w.remove([0]), w.move(35, 0)),
    "rewire": lambda w: w.do(og.intervene.rewire(og.Topology.from_networkx(nx.random_regular_graph(4, 36, seed=1)))),
    "new resource": switch_on,
    "supply permuted": lambda w: w.do(og.intervene.permute_supply(5)),
    "scarcity": lambda w: w.do(og.intervene.scale("supply", [0.5, 1, 1])),
    "harm": lambda w: w.update(**{"metabolism.harmful": (2,)}),
}


def check_orders(world):
    """Hold the orders of the last tick to who is under what, and where."""
    state = world.state
    for regime, sites in world.regimes:
        task, share = state["order_task"][sites], state["order_share"][sites]
        led = state["block"][sites] >= 0
        if isinstance(regime, Rule):
            assert (task >= 0).all() and (share == 1).all()
        elif isinstance(regime, Corrigible):
            assert ((task >= 0) == led).all() and ((share >= 0) == led).all()
        elif isinstance(regime, Endorsed):
            obeys = state["obeys"][sites]
            assert ((obeys >= 0) == led).all() and ((task >= 0) == (obeys == 1)).all()
        else:
            assert (task == -1).all() and (share == -1).all()
        ordered = task >= 0
        assert (state["task"][sites][ordered] == task[ordered]).all()
        assert (state["shared"][sites][ordered] == share[ordered]).all()


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("name", REGIMES)
def test_each_regime_goes_through_each_shift(name, shift):
    topology = og.Topology.grid((6, 6))
    world = og.World(topology, og.Params().replace(**{"exchange.share_cost": 0.05}), rng=2, ledger=True)
    world.set("supply", np.random.default_rng(1).permuted(np.tile([1.4, 0.7, 0.7], (36, 1)), axis=1))
    if shift == "new resource":
        for column in ("supply", "need", "reserve"):
            world.set(column, world.state[column] * [1, 1, 0])
    world.govern(REGIMES[name])
    world.step(40)
    block = world.state["block"].copy()
    SHIFTS[shift](world)
    assert (world.state["block"] == block).all()                   # a block is its sites, whoever lives there
    agreed = 0
    for _ in range(30):
        before, after = world.audit(), step_twin(world)
        world.step(1)
        check_orders(world)
        if all(distance > MARGIN for _, _, distance in after.margins):
            agree(world, after)
            if not world.closed_accounts()[0].size:
                agree_on_goods(world, before, after)
            agreed += 1
            if agreed == 3:
                break
    assert agreed == 3
    world.step(200)
    check_orders(world)
    assert world.audit().closes and world.n_members == {"lesion": 32, "move": 35}.get(shift, 36)
    for column in world.state:
        assert np.isfinite(world.state[column]).all(), column
    who = {regime: set(sites.tolist()) for regime, sites in world.regimes}
    if name != "organic":
        newcomers = set(CORNER.tolist()) if shift == "arrival" else set()
        assert who.get(Organic(), set()) == newcomers and who[REGIMES[name]] == set(world.living.tolist()) - newcomers


def test_a_place_without_an_operator_leaves_those_who_move_there_free():
    world = og.World(og.Topology.grid((6, 6)), rng=1)
    world.govern(Corrigible(view=3), np.arange(18))
    world.remove([35])
    world.move(0, 35)
    world.add(0)
    world.step(1)
    check_orders(world)
    assert world.state["order_task"][[0, 35]].tolist() == [-1, -1] and world.state["block"][0] >= 0
    world.remove([0])
    world.move(35, 0)                                              # back home, and under orders again
    world.step(1)
    assert world.state["order_task"][0] >= 0


# -- fields, counted ---------------------------------------------------------------------


def commanded(changes=None, **fields):
    """40×40 members under one operator whose quotas stand still; the good that each one's rank gives it."""
    world = og.World(og.Topology.grid((40, 40)), og.Params().replace(**(changes or {})), rng=4)
    world.set("stock", [1.0, 1.5, 1.8])                            # good 2 is the one least short
    world.govern(Corrigible(view=40, gain=0.0, **fields))
    return world, np.searchsorted(np.cumsum(world.quotas[0])[:-1], world.state["rank"], side="right")


def within(count, n, p):
    """Whether a count of n draws is within 4 standard deviations of what probability p gives."""
    return abs(count - n * p) <= 4 * np.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("rest", [False, True])
@pytest.mark.parametrize(("error", "malice"), [(0.2, 0.0), (0.0, 0.3), (0.2, 0.3), (1.0, 1.0), (0.001, 0.002)])
def test_orders_err_as_often_as_their_fields_say(error, malice, rest):
    world, right = commanded({"production.rest": rest}, error=error, malice=malice)
    tasks = np.zeros(world.params.tasks, int)
    wrong = unshared = 0
    ticks = 20
    for _ in range(ticks):
        least = world.state["stock"].mean(axis=0).argmax()         # before the tick: who sees no delay sees this
        world.step(1)
        task, share = world.state["order_task"], world.state["order_share"]
        assert (task[share == 0] == least).all()
        unshared += (share == 0).sum()
        err = (share == 1) & (task != right)
        wrong += err.sum()
        tasks += np.bincount(task[err], minlength=len(tasks))
    n, m = 1600 * ticks, world.params.tasks
    assert within(unshared, n, (1 - error) * malice), unshared
    assert within(wrong, n, error * (1 - 1 / m)), wrong            # an error hits the right task one time in M
    # the right tasks are a third each, so the wrong ones are (1 - 1/3) / M each, and rest is 1 / M
    expected = np.where(np.arange(m) < 3, 2 / 3, 1) * error / m
    assert all(within(count, n, p) for count, p in zip(tasks, expected, strict=True)), tasks


def test_a_trial_is_as_likely_as_its_field_says_and_lasts_a_spell():
    world, _ = commanded()
    world.govern(Endorsed(operator=Corrigible(view=40), margin=1e6, trial=0.3, spell=5))
    spells = []
    for _ in range(20):
        world.step(1)
        spells.append(world.state["obeys"] == 1)
    spells = np.array(spells).reshape(4, 5, -1)
    assert (spells == spells[:, :1]).all()                         # one decision for a whole spell
    assert all(within((~spell[0]).sum(), 1600, 0.3) for spell in spells)
    both = (~spells[0, 0] & ~spells[1, 0]).sum()
    assert within(both, 1600, 0.09)                                # and another one for the next


@pytest.mark.parametrize(("margin", "obeying"), [(0.0, False), (0.05, False), (0.2, True), (1e6, True)])
def test_a_margin_is_what_own_choice_must_be_better_by(margin, obeying):
    world, _ = commanded()
    world.govern(Endorsed(operator=Corrigible(view=40), margin=margin, trial=0.0))
    world.state.view("unbidden")[:] = world.state["obeyed"] + np.float32(0.1)
    world.step(1)
    assert ((world.state["obeys"] == 1) == obeying).all()
    assert ((world.state["order_task"] >= 0) == obeying).all()


# -- a late operator -----------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.02, 0.05])
def test_a_late_operator_settles_only_if_its_gain_is_scaled(gain):
    """Measured with delay 40: quotas range over .006 and .035 if scaled, over .77 and .94 if not."""
    spread, welfare = {}, {}
    for scaled in (True, False):
        world = og.World(og.Topology.grid((12, 12)), og.Params().replace(**{"exchange.share_cost": 0.0}), rng=1,
                         columns={"supply": [0.8, 1.0, 1.3]})
        world.govern(Corrigible(view=12, delay=40, gain=gain, scaled=scaled))
        world.step(1500)
        course = world.record({"quota": lambda w: w.quotas[0], "welfare": og.measures.welfare}, every=4)
        world.step(600)
        spread[scaled] = np.ptp(course["quota"], axis=0).max()
        welfare[scaled] = np.mean(course["welfare"])
    print(f"gain {gain}: quotas range over {spread[True]:.3f} scaled, {spread[False]:.3f} not; "
          f"welfare {welfare[True]:.3f} and {welfare[False]:.3f}")
    assert spread[True] < 0.1 and spread[False] > 0.5
    assert welfare[True] > 0.9 and welfare[False] < 0.5
