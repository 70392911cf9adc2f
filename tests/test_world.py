"""Invariants of the world: goods, repeatability, copies, births and deaths, bad input."""

import copy
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import organism as og
from organism.state import COLUMNS

EVOLVING = {"demography.enabled": True, "demography.hazard": 0.01, "exchange.loss": 0.1}


def world(shape=(6, 7), rng=1, changes=None, **kwargs):
    return og.World(og.Topology.grid(shape), og.Params().replace(**(changes or {})), rng, **kwargs)


def same(a, b, but=()):
    """Name the first column or tie column in which two worlds differ, or None."""
    for name in COLUMNS:
        if name not in but and not np.array_equal(a.state[name], b.state[name]):
            return name
    for name in ("trace", "bond") + (("total",) if a.ledger else ()):
        if not np.array_equal(a.tie(name), b.tie(name)):
            return name
    return None if a.tick == b.tick and a.n_members == b.n_members else "tick"


CASES = {
    "organic": {},
    "evolving": EVOLVING,
    "global": EVOLVING
    | {
        "demography.dispersal": "global",
        "demography.inherit_policy": True,
        "demography.mutates": ("care", "reserve", "capability", "learning_rate"),
    },
    "whole": {"care.kind": "whole", "metabolism.complementarity": "leontief"},
    "kin": EVOLVING | {"care.kind": "kin", "care.horizon": 2},
    "horizon": {"care.horizon": 3, "learning.cue": True},
    "substitutes": {
        "metabolism.complementarity": 1.0,
        "metabolism.harmful": (1,),
        "production.rest": True,
        "production.work_cost": 0.1,
    },
    "depletion": {"production.depletion": 0.02, "production.regrowth_law": "logistic", "resources": 4},
    "one resource": {"resources": 1, "learning.perception": 0},
}


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_the_account_closes_at_every_tick(changes):
    w = world(changes=changes, ledger=True)
    for _ in range(60):
        w.step()
        assert w.audit().relative < 1e-12, str(w.audit())
    assert w.audit().produced.sum() > 0


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_any_number_of_threads_gives_the_same_bits(changes):
    worlds = [world((23, 29), changes=changes, threads=threads, ledger=True) for threads in (1, 2, 4)]
    for w in worlds:
        w.step(80)
    assert same(worlds[0], worlds[1]) is None
    assert same(worlds[0], worlds[2]) is None


@pytest.mark.parametrize("changes", CASES.values(), ids=CASES)
def test_save_load_and_fork_go_on_with_the_same_bits(changes, tmp_path):
    w = world(changes=changes, ledger=True, rng=5)
    w.step(40)
    w.save(tmp_path / "w.npz")
    loaded, twin = og.World.load(tmp_path / "w.npz"), w.fork()
    assert loaded.params == w.params and loaded.topology == w.topology and loaded.seed == w.seed
    for other in (loaded, twin):
        assert same(w, other) is None
    for each in (w, loaded, twin):
        each.step(40)
    assert same(w, loaded) is None and same(w, twin) is None
    assert np.array_equal(w.audit().produced, loaded.audit().produced)
    assert all(
        np.array_equal(a, b) for a, b in zip(w.closed_accounts(), loaded.closed_accounts(), strict=True)
    )


def test_pickled_and_deep_copied_worlds_go_on_with_the_same_bits():
    w = world(changes=EVOLVING, ledger=True, rng=5)
    w.step(40)
    copies = [pickle.loads(pickle.dumps(w)), copy.deepcopy(w)]
    for each in (w, *copies):
        each.step(20)
    assert same(w, copies[0]) is None and same(w, copies[1]) is None


@pytest.mark.parametrize("name", ["organic", "evolving", "global", "whole", "kin", "horizon"])
def test_permuting_storage_changes_no_bit(name):
    topology = og.Topology.grid((9, 10))
    perm = np.random.default_rng(0).permutation(topology.n_sites)
    params = og.Params().replace(**CASES[name])
    a, b = og.World(topology, params, 3), og.World(topology.permuted(perm), params, 3)
    slot = np.argsort(b.topology.site_id)
    for _ in range(4):
        a.step(20)
        b.step(20)
        for column in COLUMNS:
            assert np.array_equal(a.state[column], b.state[column][slot]), column


def test_a_birth_or_death_elsewhere_changes_nobodys_luck():
    ring = og.Topology.grid((64,))
    params = og.Params().replace(
        **{"demography.enabled": True, "demography.hazard": 0.02, "demography.refill": 0.3}
    )
    a = og.World(ring, params, 7)
    b = a.fork()
    b.remove([0])
    for _ in range(10):  # what happens at site 0 travels at most a few ties a tick
        a.step()
        b.step()
        far = slice(40, 45)
        for column in ("task", "shared", "key", "occupied", "stock"):
            assert np.array_equal(a.state[column][far], b.state[column][far]), column


def test_extinction_stays_and_the_account_still_closes():
    w = world(changes={"demography.enabled": True, "demography.hazard": 1.0})
    w.step(1)
    assert w.n_members == 0 and not w.state["occupied"].any()
    w.step(50)
    assert w.n_members == 0 and w.n_born == 0 and w.audit().closes
    assert w.audit().ground.sum() > 0 and w.audit().held.sum() == 0


def test_one_survivor_refills_the_world():
    w = world(
        (8, 8),
        changes={"demography.enabled": True, "demography.hazard": 0.0, "demography.refill": 0.5},
        occupied=[27],
    )
    assert w.n_members == 1
    w.step(200)
    assert w.n_members == 64 and w.n_born == 63 and w.audit().closes
    assert set(w.state["founder"]) == {0} and len(set(w.state["uid"])) == 64
    assert (w.state["parent_uid"] >= -1).all() and (w.state["births"].sum() == 63)


def test_uids_are_never_used_again():
    w = world((6, 6), changes=EVOLVING)
    seen, before = set(w.state["uid"].tolist()), set(w.state["uid"].tolist())
    for _ in range(300):
        w.step()
        now = set(w.state["uid"][w.living].tolist())
        fresh = now - before
        assert not fresh & seen
        seen |= fresh
        before = now
    assert w.n_born > 50
    assert len(seen) == 36 + w.n_born


def test_ledger_totals_and_closed_accounts_are_all_that_flowed():
    w = world((6, 6), changes=EVOLVING, ledger=True)
    received = np.zeros(3)
    for _ in range(200):
        before = w.audit()
        w.step()
        after = w.audit()
        received += (after.lost - before.lost) / w.params.exchange.loss
    uids, amounts = w.closed_accounts()
    assert len(uids) > 10 and (amounts.sum(axis=1) > 0).all()
    assert np.allclose(w.tie("total").sum(axis=0) + amounts.sum(axis=0), received, rtol=1e-9)


def test_members_without_ties_live_alone():
    w = og.World(og.Topology.from_edges([0, 1], [1, 0], 5), rng=1)
    w.step(100)
    assert w.audit().closes
    assert (w.state["given"][2:] == 0).all()
    assert np.array_equal(w.state["appraisal"][2:], w.state["welfare"][2:])


def test_ties_without_a_reverse_keep_their_bond():
    w = og.World(og.Topology.from_edges([0, 1, 2, 0, 1], [1, 2, 0, 2, 0]), rng=1)
    w.step(200)
    bond = dict(
        zip(
            zip(w.topology.source.tolist(), w.topology.target.tolist(), strict=True),
            w.tie("bond").tolist(),
            strict=True,
        )
    )
    assert bond[1, 2] == 1
    assert any(value != 1 for value in bond.values())


def test_weight_zero_ties_carry_nothing():
    w = og.World(og.Topology.from_edges([0, 1], [1, 0], weight=[0.0, 2.0]), rng=1, ledger=True)
    w.update(**{"learning.share_exploration": 0.5})
    w.step(300)
    total = w.tie("total").sum(axis=1)
    assert total[0] == 0 < total[1]


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2,), (17,)])
def test_tiny_worlds(shape):
    w = world(shape)
    w.step(50)
    assert w.audit().closes and np.isfinite(w.state["policy"]).all()


def test_need_zero_means_full_welfare():
    w = world(changes={"metabolism.need": 0, "exchange.share_cost": 0})
    w.step(5)
    assert (w.state["welfare"] == 1).all() and w.audit().burned.sum() == 0


def test_orders_are_obeyed_and_not_learned_from():
    w = world()
    w.set("order_task", 2)
    w.set("order_share", 1)
    w.step(20)
    assert (w.state["task"] == 2).all() and w.state["shared"].all()
    assert (w.state["eligibility"] == 0).all() and (w.state["share_eligibility"] == 0).all()
    w.set("order_task", -1)
    w.step(20)
    assert len(set(w.state["task"].tolist())) == 3 and (w.state["eligibility"] != 0).any()


def test_share_features_move_the_share_policy():
    w = world(changes={"learning.share_features": ("watched",), "learning.rate": 0})
    w.set("share_policy", [[0.0, 50.0]])
    w.set("share_feature", np.where(np.arange(42) % 2, 1.0, -1.0)[:, None])
    w.step(1)
    assert w.state["shared"][1::2].mean() > 0.8 > 0.2 > w.state["shared"][::2].mean()


def test_a_newcomer_has_the_parameters_traits_whoever_lived_there_before():
    w = world()
    w.remove([4])
    w.add(4, {"care": 0.1, "capability": 5, "need": [1, 2, 3]})
    w.remove([4])
    w.add(4)
    assert w.state["care"][4] == w.params.care.weight and w.state["capability"][4] == 1
    np.testing.assert_array_equal(w.state["need"][4], w.params.metabolism.need)


def test_after_an_error_what_was_due_is_done_once():
    w, calls, sound = world(), [], []

    def fail(w):
        calls.append(("fails", w.tick))
        if w.tick == 2 and not sound:
            raise RuntimeError("a job's own error")

    w.before(lambda w: calls.append(("first", w.tick)))
    w.before(fail)
    w.before(lambda w: calls.append(("last", w.tick)))
    recording = w.record({"tick": lambda w: w.tick})
    with pytest.raises(RuntimeError, match="a job's own error"):
        w.step(4)
    assert w.tick == 2 and calls[-2:] == [("first", 2), ("fails", 2)]
    sound.append(True)
    w.step(2)
    expected = [(name, t) for t in range(4) for name in ("first", "fails", "last")]
    expected.insert(expected.index(("fails", 2)), ("fails", 2))     # what raised before a tick is called again
    assert calls == expected
    sound.clear()
    assert list(recording.ticks) == [0, 1, 2, 3, 4]

    after = world()
    after.every(1, fail)
    recording = after.record({"tick": lambda w: w.tick})       # behind what fails
    with pytest.raises(RuntimeError):
        after.step(4)
    assert after.tick == 2 and list(recording.ticks) == [0, 1]
    after.step(1)
    assert list(recording.ticks) == [0, 1, 2, 3]


def test_an_update_without_memory_changes_nothing(monkeypatch):
    w = world(changes={"learning.perception": 0})
    w.step(3)
    twin = w.fork()

    def starved(*args):
        raise MemoryError

    monkeypatch.setattr(og._editing, "_replace", starved)
    with pytest.raises(MemoryError):
        w.update(**{"learning.perception": 2, "care.weight": 0.1})
    monkeypatch.undo()
    assert w.params == twin.params
    w.step(5), twin.step(5)
    for name in w.state:
        np.testing.assert_array_equal(w.state[name], twin.state[name])


def test_schedule_before_every_and_at():
    w = world(changes={"care.weight": 0.0})
    calls = []
    w.schedule("care.weight", {5: 0.5, 8: 0.25})
    w.before(lambda w: calls.append(("before", w.tick)), every=4)
    w.every(3, lambda w: calls.append(("every", w.tick)))
    w.at(7, lambda w: calls.append(("at", w.tick, w.params.care.weight)))
    recording = w.record({"care": lambda w: w.state["care"][0]})
    w.step(10)
    assert calls == [
        ("before", 0),
        ("every", 3),
        ("before", 4),
        ("every", 6),
        ("at", 7, 0.5),
        ("before", 8),
        ("every", 9),
    ]
    assert recording["care"].tolist() == [0] * 6 + [0.5] * 3 + [0.25] * 2
    assert recording.ticks.tolist() == list(range(11))
    assert recording.frame().index.name == "tick"


def test_one_step_of_many_is_many_steps_of_one():
    a, b = world(rng=4), world(rng=4)
    a.step(37)
    for _ in range(37):
        b.step()
    assert same(a, b) is None


def test_perception_can_grow_without_forgetting():
    w = world(changes={"learning.perception": 0})
    w.step(50)
    constant = w.state["policy"][:, :, 0].copy()
    w.update(**{"learning.perception": 2})
    assert w.state["policy"].shape == (42, 3, 7)
    assert np.array_equal(w.state["policy"][:, :, 0], constant) and (w.state["policy"][:, :, 1:] == 0).all()
    w.step(50)
    assert (w.state["policy"][:, :, 1:] != 0).any()


def test_rewiring_carries_ties_over():
    w = world((5, 5), ledger=True)
    w.step(100)
    old = w.topology
    bond = dict(
        zip(zip(old.source.tolist(), old.target.tolist(), strict=True), w.tie("bond").tolist(), strict=True)
    )
    total = w.tie("total").sum() + w.closed_accounts()[1].sum()
    new = og.Topology.grid((5, 5), "von_neumann")
    w.do(og.intervene.rewire(new))
    for i, j, b in zip(new.source.tolist(), new.target.tolist(), w.tie("bond").tolist(), strict=True):
        assert b == bond[i, j]
    assert np.isclose(w.tie("total").sum() + w.closed_accounts()[1].sum(), total)
    assert w.history == [(100, "rewire")]
    w.step(50)
    w.rewire(og.Topology.from_edges([0, 1], [1, 2], 25))
    w.step(50)
    assert w.audit().closes


def test_members_can_come_go_and_move():
    w = world((4, 4), ledger=True)
    w.step(30)
    uid, stock = w.state["uid"][3], w.state["stock"][3].copy()
    w.remove([5, 6])
    assert w.n_members == 14 and w.state["uid"][5] == -1
    w.move(3, 5)
    assert w.state["uid"][5] == uid and np.array_equal(w.state["stock"][5], stock)
    assert w.state["uid"][3] == -1 and w.n_members == 14
    fresh = w.add(6, {"care": 0.125, "stock": [1, 2, 3]})
    assert fresh == 16 and w.state["care"][6] == 0.125 and w.state["stock"][6].tolist() == [1, 2, 3]
    assert w.audit().closes
    w.step(50)
    assert w.audit().closes and w.n_members == 15


def test_setting_stock_is_booked():
    w = world()
    w.step(3)
    w.set("stock", 5.0, sites=[1, 2])
    w.do(og.intervene.scale("stock", 0.5))
    assert w.audit().closes and w.audit().added.sum() > 0 and w.audit().removed.sum() > 0


def test_heterogeneous_columns_take_effect():
    supply = np.ones((42, 3))
    supply[:21, 0] = 0
    w = world(
        columns={
            "supply": supply,
            "capability": np.linspace(0.5, 2, 42),
            "care": np.linspace(0, 1, 42),
            "need": [1, 0.5, 0.25],
            "learning_rate": np.where(np.arange(42) < 10, 0.0, 0.05),
        }
    )
    before = w.state["policy"].copy()
    w.step(30)
    assert (
        np.array_equal(w.state["policy"][:10], before[:10]) and (w.state["policy"][10:] != before[10:]).any()
    )
    assert w.state["need"].shape == (42, 3) and w.audit().closes


def test_views_are_read_only_and_live():
    w = world()
    stock = w.state["stock"]
    with pytest.raises(ValueError, match="read-only"):
        stock[0] = 1
    before = stock.copy()
    w.step()
    assert (stock != before).any()
    assert dict(w.state).keys() == COLUMNS.keys()


def heed_ctrl_c():
    """Undo what a shell that starts tests in the background tells its children: to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_a_consistent_world():
    code = """
import organism as og, sys
w = og.World(og.Topology.grid((300, 300)), rng=1)
w.step(1)
print("ready", flush=True)
try:
    w.step(10**8)
except KeyboardInterrupt:
    print("stopped", w.tick > 1, w.audit().closes, flush=True)
    w.step(2)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                          preexec_fn=heed_ctrl_c) as process:
        try:
            assert process.stdout.readline().strip() == "ready"
            time.sleep(0.7)
            clock = time.perf_counter()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()                            # one that does not heed it would run on for hours
    assert out.strip() == "stopped True True" and process.returncode == 0
    assert time.perf_counter() - clock < 5  # half a second, and slack for a busy machine


def test_ctrl_c_is_heard_soon_after_ticks_have_become_slow():
    w = world((40, 40), changes={"care.kind": "neighbours"})
    w.step(500)
    w.update(**{"care.horizon": 6})
    w.step(1)
    gaps, last = [], [time.perf_counter()]

    def note(done, n):
        gaps.append(time.perf_counter() - last[0])
        last[0] = time.perf_counter()

    w.step(30, progress=note)
    clock = time.perf_counter()
    w._kernel.run(1)
    one = time.perf_counter() - clock
    assert max(gaps) < 0.1 + 20 * one + 0.4           # the patience, a tick, and slack for a busy machine
    assert w._kernel.run(10**9, 0.05) < 10**6


def test_other_threads_run_while_the_kernel_does():
    w, counts = world((200, 200)), itertools.count()
    done = threading.Event()

    def count():
        while not done.is_set():
            next(counts)
            time.sleep(0.001)

    other = threading.Thread(target=count)
    w.step(2)
    other.start()
    w._kernel.run(200)  # one call: the GIL is free inside
    done.set()
    other.join()
    assert next(counts) > 3


def test_progress_is_told():
    seen = []
    world().step(25, progress=lambda done, n: seen.append((done, n)))
    assert seen[-1] == (25, 25) and seen == sorted(seen)


def test_relabelling_permanent_ids_agrees_to_rounding():
    topology = og.Topology.grid((7, 8))
    a = og.World(topology, rng=2)
    a.step(30)
    ids = np.random.default_rng(1).permutation(topology.n_sites)
    b = og.World(topology.with_site_ids(ids), rng=2)
    header, arrays = a._pack()
    b = og.World._unpack(b.topology, a.params, header, {k: v.copy() for k, v in arrays.items()})
    for name in ("bond", "trace"):  # canonical ties are listed in another order
        old = {
            (i, j): v
            for i, j, v in zip(
                a.topology.source.tolist(), a.topology.target.tolist(), a.tie(name).tolist(), strict=True
            )
        }
        values = np.array(
            [old[i, j] for i, j in zip(b.topology.source.tolist(), b.topology.target.tolist(), strict=True)],
            "f4",
        )
        slots = b.topology.out_slot if name == "bond" else b.topology.in_slot
        b._ties[name][slots] = values
    a.step()
    b.step()
    for name in ("stock", "welfare", "policy", "appraisal"):
        assert np.allclose(a.state[name], b.state[name], rtol=1e-6, atol=1e-6), name


# -- bad input ---------------------------------------------------------------------------

BAD = {
    "ticks": (lambda w: w.step(-1), ValueError, "n must be at least 0, not -1"),
    "half a tick": (lambda w: w.step(1.5), TypeError, "n must be a whole number"),
    "threads": (lambda w: setattr(w, "threads", 0), ValueError, "threads must be at least 1, not 0"),
    "unknown column": (lambda w: w.set("stok", 1), KeyError, "did you mean 'stock'"),
    "model's own": (lambda w: w.set("uid", 1), ValueError, "uid cannot be set"),
    "negative stock": (
        lambda w: w.set("stock", -1),
        ValueError,
        r"stock at site 0 must be in \[0, 1e\+30\], not -1",
    ),
    "NaN care": (lambda w: w.set("care", np.nan), ValueError, "care at site 0 must be in .0, 1., not nan"),
    "inf supply": (lambda w: w.set("supply", np.inf), ValueError, "supply at site 0"),
    "wrong shape": (lambda w: w.set("stock", np.ones((3, 9))), ValueError, r"array of shape \(42, 3\)"),
    "text": (lambda w: w.set("stock", "lots"), TypeError, "stock must be numbers, not 'lots'"),
    "a site too far": (lambda w: w.set("care", 0.5, [99]), ValueError, r"sites must be in \[0, 41\], not 99"),
    "a site twice": (lambda w: w.remove([3, 3]), ValueError, "must not repeat; 3 occurs more than once"),
    "nobody there": (lambda w: (w.remove([3]), w.remove([3])), ValueError, "site 3 is empty"),
    "somebody there": (lambda w: w.add(3), ValueError, "site 3 is occupied"),
    "order out of range": (
        lambda w: w.set("order_task", 4),
        ValueError,
        r"order_task at site 0 must be in \[-1, 3\]",
    ),
    "unknown parameter": (lambda w: w.update(**{"care.wight": 1}), ValueError, "did you mean 'care.weight'"),
    "another K": (lambda w: w.update(resources=4), ValueError, "resources cannot change in a running world"),
    "past": (lambda w: (w.step(2), w.at(1, print)), ValueError, "tick must be 2 or later, not 1"),
    "not callable": (lambda w: w.every(1, 3), TypeError, "call must be callable"),
    "progress": (lambda w: w.step(1, progress="yes"), TypeError, "progress must be true, false or callable"),
    "no measure": (lambda w: w.record({"x": 3}), TypeError, "measures"),
    "measures": (lambda w: w.record(["welfare"]), TypeError, "measures must map names to callables"),
    "schedule": (lambda w: w.schedule("care.weight", [1, 2]), TypeError, "values must map ticks to values"),
    "per site or resource": (lambda w: w.set("need", [1, 2, 3], [0, 1, 2]), ValueError, "could be one value a site"),
    "repeated sites": (lambda w: og.World(w.topology, occupied=np.ones(42, int)), ValueError, "some repeat"),
    "rewire": (lambda w: w.rewire(og.Topology.grid((3, 3))), ValueError, "must have 42 sites, not 9"),
    "no totals": (lambda w: w.tie("total"), ValueError, "ledger=True"),
    "no tie column": (lambda w: w.tie("bonds"), KeyError, "did you mean 'bond'"),
}


@pytest.mark.parametrize("call, error, text", BAD.values(), ids=BAD)
def test_bad_calls_are_refused_and_change_nothing(call, error, text):
    w, untouched = world(), world()
    with pytest.raises(error, match=text):
        call(w)
    w.step(1), untouched.step(w.tick)
    if w.n_members == 42:
        assert same(w, untouched) is None


@pytest.mark.parametrize(
    "kwargs, error, text",
    [
        ({"topology": 3}, TypeError, "topology must be a Topology, not int"),
        ({"params": {}}, TypeError, "params must be a Params, not dict"),
        ({"rng": -1}, ValueError, r"rng must be in \[0, 2\*\*64\), not -1"),
        ({"rng": "1"}, TypeError, "rng must be an int, a SeedSequence or a Generator"),
        ({"occupied": [99]}, ValueError, r"indices in \[0, 3\]"),
        ({"occupied": [True]}, ValueError, "one entry for each of the 4 sites, not 1"),
        ({"threads": 0}, ValueError, "threads must be at least 1"),
        ({"ledger": 2}, TypeError, "ledger must be true or false"),
        ({"columns": {"need": -1}}, ValueError, "need at site 0"),
    ],
)
def test_bad_worlds_are_refused(kwargs, error, text):
    with pytest.raises(error, match=text):
        og.World(**({"topology": og.Topology.grid((2, 2))} | kwargs))


def test_rng_may_be_an_int_a_sequence_or_a_generator():
    topology = og.Topology.grid((3, 3))
    for rng in (3, np.random.SeedSequence(3), np.random.default_rng(3), None):
        assert 0 <= og.World(topology, rng=rng).seed < 2**64
    a, b = (og.World(topology, rng=np.random.default_rng(3)) for _ in range(2))
    assert a.seed == b.seed == og.World(topology, rng=a.seed).seed


# -- files -----------------------------------------------------------------------------


def test_files_that_are_not_ours_are_refused(tmp_path):
    w = world()
    good = tmp_path / "good.npz"
    w.save(good)
    data = good.read_bytes()
    np.savez(tmp_path / "foreign.npz", a=np.ones(3))
    np.save(tmp_path / "object.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "empty.npz").write_bytes(b"")
    for cut in (10, len(data) // 2, len(data) - 30):
        (tmp_path / f"cut{cut}.npz").write_bytes(data[:cut])
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0xFF
    (tmp_path / "flipped.npz").write_bytes(flipped)
    for path in sorted(tmp_path.iterdir()):
        if path != good:
            with pytest.raises(ValueError, match=str(path)):
                og.World.load(path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        og.World.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="is a folder"):
        og.World.load(tmp_path)


def test_a_newer_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(og.storage, "FORMAT", 99)
    world().save(tmp_path / "w.npz")
    monkeypatch.undo()
    with pytest.raises(ValueError, match="file format 99, newer than this version of organism reads"):
        og.World.load(tmp_path / "w.npz")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    w, path = world(), tmp_path / "w.npz"
    w.save(path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="cannot write .*No space left"):
        w.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["w.npz"]
    with pytest.raises(OSError, match="cannot write"):
        w.save(tmp_path / "no" / "such" / "folder.npz")
