"""Those who are told believe in the needs and harms of now; those who are not, in those of when they began."""

import copy
import pickle

import numpy as np
import pytest

import organism as og
from organism.regimes import Corrigible, Endorsed, Specified

EVOLVING = {"demography.enabled": True, "demography.hazard": 0.03, "demography.refill": 0.3}
#: Regimes that are told, or not, of the needs that no field of theirs says.
LISTENERS = {"corrigible": lambda told: Corrigible(view=3, told=told),
             "endorsed": lambda told: Endorsed(operator=Corrigible(view=3, delay=2, told=told)),
             "specified": lambda told: Specified(told=told)}


def differing(kind="corrigible", changes=None, topology=None, told=(True, False)):
    """A world whose members' needs differ: by site id, every second of them is under a regime that is told."""
    topology = og.Topology.grid((6, 7)) if topology is None else topology
    world = og.World(topology, og.Params().replace(**(changes or {})), rng=3)
    needs = np.random.default_rng(1).uniform(0.5, 1.5, (topology.n_sites, 3))
    needs[:, 2] *= np.arange(topology.n_sites) % 14 == 0           # few need good 2, and they may all die
    world.set("need", needs[topology.site_id])
    for part, each in enumerate(told):
        world.govern(LISTENERS[kind](each), np.flatnonzero(topology.site_id % 2 == part))
    return world


def number(world, told):
    """Return the number of the regime that is told, or of the one that is not."""
    own = world._government
    (r,) = [r for r in range(len(own.regimes)) if getattr(own.operator(r), "told", None) is told]
    return r


def belief(world, told):
    """Return the needs that a regime believes in."""
    return world._government.told[number(world, told), :3].copy()


def mean_need(world):
    """Return the mean need of the members that the told regime is in charge of."""
    own, state, r = world._government, world.state, number(world, True)
    its = state["regime"] == r
    if r in own.block_operator:
        its = np.isin(state["block"], np.flatnonzero(own.block_operator == r))
    return state["need"][its & state["occupied"]].mean(axis=0, dtype=float)


EDITS = {
    "remove": lambda w: w.remove([0, 2, 4]),
    "add": lambda w: (w.remove([0]), w.add(0, {"need": [3, 0, 1]})),
    "move": lambda w: (w.remove([1]), w.move(0, 1)),
    "set": lambda w: w.set("need", [0.5, 0, 0.25], [6]),
    "set for all": lambda w: w.set("need", [1, 1, 0]),
    "update": lambda w: w.update(**{"metabolism.need": (0, 1, 2)}),
    "govern": lambda w: w.govern(og.regimes.Frozen(), [0, 2]),
}


@pytest.mark.parametrize("kind", LISTENERS)
@pytest.mark.parametrize("edit", EDITS)
def test_those_who_are_told_follow_every_change_and_the_others_none(kind, edit):
    world = differing(kind)
    world.step(1)
    before, untold = belief(world, True), belief(world, False)
    np.testing.assert_allclose(before, mean_need(world), rtol=1e-12)
    EDITS[edit](world)
    world.step(1)
    assert (belief(world, False) == untold).all()
    np.testing.assert_allclose(belief(world, True), mean_need(world), rtol=1e-12)
    moved = (kind, edit) == ("specified", "move")              # a member takes its objective along
    assert (belief(world, True) == before).all() == moved


@pytest.mark.parametrize("kind", LISTENERS)
def test_those_who_are_told_follow_births_and_deaths(kind):
    world = differing(kind, EVOLVING)
    seen, untold = set(), belief(world, False)
    for _ in range(60):
        now = mean_need(world)
        world.step(1)
        np.testing.assert_allclose(belief(world, True), now, rtol=1e-12)
        seen.add(tuple(now))
    assert world.n_born > 10 < len(seen) and (belief(world, False) == untold).all()


@pytest.mark.parametrize("kind", LISTENERS)
def test_copies_chunks_threads_and_storage_change_no_bit(kind, tmp_path):
    topology = og.Topology.grid((6, 7))
    order = np.random.default_rng(0).permutation(42)
    world = differing(kind, EVOLVING)
    apart = differing(kind, EVOLVING, topology.permuted(order))
    world.remove([0])                                          # news that nobody has been told yet
    apart.remove(np.flatnonzero(apart.topology.site_id == 0))
    world.save(tmp_path / "w.npz")
    threaded, slow = world.fork(), world.fork()
    threaded.threads = 3
    slow.before(lambda world: None)                            # one tick at a time
    copies = [og.World.load(tmp_path / "w.npz"), pickle.loads(pickle.dumps(world)), copy.deepcopy(world)]
    copies += [threaded, slow]
    for each in (world, *copies, apart):
        each.step(40)
    expected = world._pack()[1]
    for each in copies:
        found = each._pack()[1]
        assert [name for name in expected if not np.array_equal(expected[name], found[name])] == []
    slot = np.argsort(apart.topology.site_id)
    for column in set(world.state) - {"block"}:                # which number a block has does not matter
        assert np.array_equal(world.state[column], apart.state[column][slot]), column
    assert (belief(world, True) == belief(apart, True)).all() and world.n_born > 5


def test_quotas_stay_where_nothing_that_is_wanted_changes():
    world = og.World(og.Topology.grid((6, 6)), rng=1)
    world.govern(Corrigible(view=6, told=True, period=1000))       # it acts before the first tick only
    world.set("stock", [2.0, 1.0, 0.0])
    world._government.quota[:] = [0.01, 0.19, 0.8]
    world.step(1)
    quota = world.quotas
    assert 0 < quota[0, 0] < 0.02                                  # .02 over a sum above 1
    for edit in (lambda: world.update(**{"care.weight": 0.1}), lambda: world.set("need", 0.9, [3]),
                 lambda: world.set("need", [1, 2, 1])):
        edit()
        world.step(1)
        assert (world.quotas == quota).all()
    world.set("need", [1, 0, 1])
    world.step(1)
    np.testing.assert_allclose(world.quotas[0], np.array([0.02, 0, quota[0, 2]]) / (0.02 + quota[0, 2]))
    kept = world.quotas
    world.set("need", 1.0)
    world.step(1)
    np.testing.assert_allclose(world.quotas[0], (kept[0] + [0, 0.02, 0]) / 1.02)


def test_each_call_puts_an_operator_of_its_own_in_charge():
    """Two that began alike believe in what their own members need, once these differ."""
    world = og.World(og.Topology.grid((4, 4)), rng=1)
    for part in (np.arange(8), np.arange(8, 16)):
        world.govern(Corrigible(view=4, told=True), part)
    world.set("need", np.repeat([[1.0, 1, 0], [0, 1, 1]], 8, axis=0))
    world.step(1)
    assert (world.quotas > 0).tolist() == [[True, True, False], [False, True, True]]
    assert (world.state["task"][:8] < 2).all() and (world.state["task"][8:] > 0).all()
    assert [len(sites) for _, sites in world.regimes] == [0, 8, 8]


def test_a_needs_field_is_believed_whatever_is_told():
    world = og.World(og.Topology.grid((4, 4)), rng=1)
    world.govern(Corrigible(need=(1, 2, 0), harmful=(0,), told=True))
    world.set("need", 3.0)
    world.update(**{"metabolism.harmful": (1,)})
    world.step(2)
    assert world._government.told[1].tolist() == [1, 2, 0, 1, 0, 0] and (world.state["task"] == 1).all()


def test_where_nobody_lives_it_believes_in_what_all_members_need():
    world = og.World(og.Topology.grid((4, 4)), rng=1)
    world.set("need", np.repeat([[1.0, 1, 0], [0, 1, 1]], 8, axis=0))
    world.govern(Corrigible(view=4, told=True), np.arange(8))
    world.remove(np.arange(8))
    world.step(1)
    assert belief(world, True).tolist() == [0, 1, 1]
    world.remove(np.arange(8, 16))
    world.step(1)
    assert belief(world, True).tolist() == [0.5, 1, 0.5]
