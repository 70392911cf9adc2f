"""Who decides: the six regimes, operators and their switch, what is told to whom, schedules and resets."""

import copy
import json
import pickle

import numpy as np
import pytest

import organism as og
from organism import _dispatch
from organism.regimes import (
    KINDS,
    Corrigible,
    Endorsed,
    Frozen,
    Organic,
    Rule,
    Specified,
    from_dict,
    partition,
    ramp,
    table,
    to_dict,
)
from organism.state import COLUMNS

EVOLVING = {"demography.enabled": True, "demography.hazard": 0.02, "demography.refill": 0.3}
SIX = [Organic(), Frozen(), Specified(care=True), Rule(task="largest_own_and_neighbours_shortfall"),
       Corrigible(view=3, delay=4, period=2, error=0.1, malice=0.1), Endorsed(operator=Corrigible(delay=2), spell=3)]


def world(shape=(6, 7), changes=None, rng=1, **kwargs):
    return og.World(og.Topology.grid(shape), og.Params().replace(**(changes or {})), rng, **kwargs)


def mixed(shape=(12, 13), changes=None, topology=None, rng=3):
    """A world in which each regime governs every sixth site (by permanent id)."""
    topology = og.Topology.grid(shape) if topology is None else topology
    w = og.World(topology, og.Params().replace(**EVOLVING | (changes or {})), rng)
    for r, regime in enumerate(SIX):
        w.govern(regime, np.flatnonzero(topology.site_id % 6 == r))
    return w


def same(a, b, but=None):
    """Name what two worlds differ in, or None."""
    one, two = a._pack(), b._pack()
    for name in set(one[1]) - {but}:
        if not np.array_equal(one[1][name], two[1][name]):
            return name
    return None if one[0]["regimes"] == two[0]["regimes"] and a.tick == b.tick else "header"


# -- fields ------------------------------------------------------------------------------


@pytest.mark.parametrize("regime", [*SIX, Specified(need=(1, 0, 2), harmful=[2], resources=[0, 2])])
def test_a_regime_survives_json(regime):
    assert from_dict(json.loads(json.dumps(to_dict(regime)))) == regime


def test_the_table_lists_every_field():
    rows = list(table())
    assert {"corrigible.delay", "endorsed.operator", "specified.need"} <= {row["name"] for row in rows}
    assert all(row["doc"] and row["unit"] and row["range"] and row["source"].startswith("MODEL.md") for row in rows)


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: Corrigible(error=1.5), ValueError, r"corrigible.error must be in \[0, 1\], not 1.5"),
    (lambda: Corrigible(view=0), ValueError, r"corrigible.view must be in \[1, 1e6\], not 0"),
    (lambda: Corrigible(delay=200_000), ValueError, "corrigible.delay must be below 100000 periods"),
    (lambda: Specified(objective="profit"), ValueError, "specified.objective must be one of output, welfare"),
    (lambda: Endorsed(operator=Frozen()), TypeError, "endorsed.operator must be a Corrigible"),
    (lambda: Endorsed(operator={"dely": 1}), ValueError, "corrigible has no field 'dely'; did you mean 'delay'"),
    (lambda: Endorsed(operator={"regime": "rule"}), TypeError, "endorsed.operator must be a Corrigible"),
    (lambda: Endorsed(spell=0.5), ValueError, "endorsed.spell must be in"),
    (lambda: Specified(need=[1, -2, 1]), ValueError, r"specified.need\[1\] must be in \[0, 1e6\]"),
    (lambda: Specified(told=1), TypeError, "specified.told must be true or false, not 1"),
    (lambda: Rule(share="alwys"), ValueError, "rule.share must be one of .*; did you mean 'always'"),
    (lambda: Rule(good=None), TypeError, "rule.good must be a number in"),
    (lambda: from_dict({"regime": ["rule"]}), ValueError, "regime must be one of organic, frozen"),
    (lambda: to_dict(Rule), TypeError, "regime must be one of Organic, Frozen"),
    (lambda: partition("grid", 4), TypeError, "topology must be a Topology, not str"),
    (lambda: world().govern(Corrigible(), blocks=np.arange(-1, 41)), ValueError,
     "blocks must be 0 or more where the operator is to be in charge, not -1, as at site 0"),
    (lambda: world().govern(Corrigible(), blocks=[[1], [1, 2]]), ValueError, "blocks must be a whole number for each"),
    (lambda: from_dict({"regime": "frozn"}), ValueError, "did you mean 'frozen'"),
    (lambda: from_dict({"regime": "corrigible", "dely": 3}), ValueError, "did you mean 'delay'"),
    (lambda: world().govern(Rule(good=3)), ValueError, "rule.good must be below resources = 3, not 3"),
    (lambda: world().govern(Corrigible(need=(1, 2))), ValueError, "corrigible.need has 2 values"),
    (lambda: world().govern("organic"), TypeError, "regime must be one of Organic, Frozen"),
    (lambda: world(occupied=[1]).govern(Frozen(), [0]), ValueError, "site 0 is empty"),
    (lambda: world().govern(Frozen(), blocks=[0]), ValueError, "blocks are an operator's; Frozen has none"),
    (lambda: world().switch(False, [3]), ValueError, "site 3 is in no operator's charge"),
    (lambda: ramp(5, 4, 0, 1), ValueError, "stop must be at least 5, not 4"),
    (lambda: og.intervene.reset("all"), ValueError, "what must be policy, share_policy or both"),
])
def test_bad_input_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


# -- who is under what -------------------------------------------------------------------


def test_reading_back_who_is_under_what():
    w = world((4, 4))
    assert [(regime, len(sites)) for regime, sites in w.regimes] == [(Organic(), 16)]
    w.govern(Frozen(), [1, 2])
    w.govern(Corrigible(view=2), [4, 5, 6])
    assert w.history[-1] == (0, f"govern 3 members: {Corrigible(view=2)}, rng [1, 0]")
    w.govern(Organic(), [2])
    found = {regime: sites.tolist() for regime, sites in w.regimes}
    assert found[Frozen()] == [1] and found[Corrigible(view=2)] == [4, 5, 6] and 2 in found[Organic()]
    assert w.quotas.shape == (2, 3)                             # squares (1, 0) and (1, 1)
    w.remove([1, 4, 5, 6])
    w.govern(Rule(), [0])
    assert [len(sites) for _, sites in w.regimes] == [11, 0, 1]  # the operator is still there, nobody is frozen
    assert all((w.state["regime"][sites] == r).all() for r, (_, sites) in enumerate(w.regimes))


def test_a_world_without_regimes_does_not_grow_and_one_that_is_freed_shrinks_again():
    w, plain = world(), world()
    assert w.nbytes == plain.nbytes and not {"regime", "block", "objective"} & set(w.state.planes)
    w.govern(Specified())
    w.govern(Endorsed())
    w.step(3)
    assert w.nbytes > plain.nbytes
    w.govern(Organic())
    assert set(w.state.planes) - set(plain.state.planes) <= {"order_task", "order_share"}
    assert (w.state["order_task"] == -1).all() and not w._kernel.governed


def test_children_inherit_the_regime_and_movers_take_it_along():
    w = world((10, 10), EVOLVING)
    frozen = np.arange(50)
    w.govern(Frozen(), frozen)
    for _ in range(100):
        before = dict(zip(w.state["uid"].tolist(), w.state["regime"].tolist(), strict=True))
        w.step(1)
        here = np.flatnonzero(w.state["occupied"] & (w.state["parent_uid"] >= 0) & (w.state["age"] == 0))
        for site in here:
            if w.state["parent_uid"][site] in before:
                assert w.state["regime"][site] == before[w.state["parent_uid"][site]]
    assert w.n_born > 20
    w = world(occupied=np.arange(42) < 40)
    w.govern(Rule(task="assigned", good=2), [0])
    w.move(0, 41)
    w.step(1)
    assert w.state["task"][41] == 2 and dict(w.regimes)[Rule(task="assigned", good=2)].tolist() == [41]
    w.add(0)
    assert 0 in dict(w.regimes)[Organic()]


def test_an_operator_governs_places():
    w = world(occupied=np.arange(42) < 40)
    w.govern(Corrigible(view=2), np.arange(10))
    w.step(1)
    assert (w.state["order_task"][:10] >= 0).all() and (w.state["order_task"][10:] == -1).all()
    w.move(3, 41)                                                # nobody is in charge there
    w.step(1)
    assert w.state["order_task"][41] == -1 and w.state["regime"][41] > 0


# -- the regimes -------------------------------------------------------------------------


def test_a_frozen_policy_stays_and_learns_again_when_freed():
    w = world()
    w.step(50)
    w.govern(Frozen(), np.arange(20))
    policy, share = w.state["policy"].copy(), w.state["share_policy"].copy()
    w.step(50)
    for name, before in (("policy", policy), ("share_policy", share)):
        moved = (w.state[name] != before).reshape(42, -1).any(axis=1)
        assert not moved[:20].any() and moved[20:].all()
    w.govern(Organic())
    w.step(20)
    assert (w.state["policy"] != policy).reshape(42, -1).any(axis=1).all()
    assert (w.state["learning_rate"] == np.float32(0.05)).all()


@pytest.mark.parametrize(("share", "expected"), [("always", True), ("never", False)])
def test_a_rule_fixes_task_and_sharing(share, expected):
    w = world()
    w.govern(Rule(task="assigned", good=1, share=share))
    w.step(3)
    assert (w.state["task"] == 1).all() and (w.state["shared"] == expected).all()


def test_the_largest_shortfall_is_worked_on():
    w = world()
    w.set("stock", np.random.default_rng(1).random((42, 3)))
    lack = 1 - w.state["stock"] / 2
    near = np.array([lack[w.topology.target[w.topology.source == i]].mean(axis=0) for i in range(42)])
    w.govern(Rule(), np.arange(20))
    w.govern(Rule(task="largest_own_and_neighbours_shortfall"), np.arange(20, 42))
    w.step(1)
    assert (w.state["task"][:20] == lack.argmax(axis=1)[:20]).all()
    assert (w.state["task"][20:] == (lack + near).argmax(axis=1)[20:]).all()


def test_a_rule_of_ones_own():
    w = world()
    w.before(lambda w: w.set("order_task", w.tick % 3))
    w.set("order_share", 1)
    w.step(5)
    assert (w.state["task"] == 4 % 3).all() and w.state["shared"].all()


def test_output_is_all_that_an_output_objective_counts():
    w = world((12, 12))
    w.govern(Specified(objective="output", good=2))
    w.step(800)
    assert (w.state["task"] == 2).mean() > 0.9
    made = w.state["task"] == 2
    assert (w.state["objective"][~made] == 0).all() and (w.state["objective"][made] > 0.8).all()
    np.testing.assert_array_equal(w.state["appraisal"], w.state["objective"])


def test_a_stated_welfare_is_the_welfare_until_the_world_changes_and_nobody_is_told():
    w = world()
    w.govern(Specified(), np.arange(20))
    w.govern(Specified(told=True), np.arange(20, 42))
    w.step(20)
    np.testing.assert_allclose(w.state["objective"], w.state["welfare"], rtol=1e-6, atol=1e-6)
    w.update(**{"metabolism.harmful": (2,)})
    w.step(1)
    apart = np.abs(w.state["objective"] - w.state["welfare"]) > 1e-3
    assert apart[:20].any() and not apart[20:].any()
    w.inform()
    w.step(1)
    np.testing.assert_allclose(w.state["objective"], w.state["welfare"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("changes", [{}, {"exchange.share_cost": 0.1}])
def test_quotas_follow_need(changes):
    """Where one good's supply is halved, its quota grows; where none is short, nothing moves."""
    w = world((8, 8), changes)
    w.govern(Corrigible(view=8, gain=0.02))
    w.set("supply", [0.5, 1.0, 1.0])
    w.step(400)
    (quota,) = w.quotas
    assert quota[0] > 0.4 and quota.sum() == pytest.approx(1) and quota.min() >= 0.019
    assert w.state["shared"].all() and np.unique(w.state["task"]).size == 3


def test_orders_are_fixed_ranks_under_the_quotas():
    w = world((8, 8))
    w.govern(Corrigible(view=4))
    for block in range(4):
        rank = np.sort(w.state["rank"][w.state["block"] == block])
        np.testing.assert_allclose(rank, (np.arange(16) + 0.5) / 16)
    w.step(1)
    expected = np.searchsorted(np.cumsum(w.quotas[0])[:-1], w.state["rank"], side="right")
    np.testing.assert_array_equal(w.state["task"], expected)


def test_what_an_operator_sees_is_as_old_as_its_delay():
    w = world((4, 4))
    w.govern(Corrigible(view=4, delay=5, gain=1.0, scaled=False))
    seen = []
    for tick in range(12):
        seen.append(np.maximum(0, 1 - w.state["stock"] / w.state["reserve"]).mean(axis=0))
        quota = w.quotas[0]
        w.step(1)
        if tick < 5:
            np.testing.assert_array_equal(w.quotas[0], quota)
        else:
            moved = np.maximum(0.02, quota + seen[tick - 5] - seen[tick - 5].mean())
            np.testing.assert_allclose(w.quotas[0], moved / moved.sum(), rtol=1e-6)


def test_error_and_malice():
    w = world((40, 40))
    w.govern(Corrigible(error=1.0))
    w.step(1)
    counts = np.bincount(w.state["task"], minlength=3)
    assert (np.abs(counts - 1600 / 3) < 5 * np.sqrt(1600 * 2 / 9)).all() and w.state["shared"].all()
    w.govern(Corrigible(malice=1.0, view=40))
    w.set("stock", [0.5, 5.0, 0.5])
    w.step(1)
    assert (w.state["task"] == 1).all() and not w.state["shared"].any()


@pytest.mark.parametrize("rest", [True, False])
def test_the_off_switch(rest):
    w = world(changes={"production.rest": rest, "production.work_cost": 0.3})
    w.govern(Corrigible())
    w.step(5)
    before = w.audit().produced
    w.switch(False, np.arange(20))
    w.step(1)
    assert (w.state["task"][:20] == (3 if rest else -1)).all() and not w.state["shared"][:20].any()
    assert (w.state["task"][20:] < 3).all()
    w.switch(False)
    made = w.audit().produced
    w.step(4)
    np.testing.assert_array_equal(w.audit().produced, made)        # nobody works, and nobody pays for it
    assert made.sum() > before.sum() and (w.state["welfare"] >= 0).all()
    w.switch(True)
    w.step(1)
    assert (w.state["order_task"] < 3).all()


def test_members_endorse_who_serves_them_and_leave_who_does_not():
    obeying = {}
    for name, operator in (("good", Corrigible(view=4)), ("bad", Corrigible(view=4, malice=1.0))):
        w = world((16, 16), {"exchange.share_cost": 0.0})
        w.step(1500)
        w.govern(Endorsed(operator=operator))
        w.step(1500)
        obeying[name] = (w.state["obeys"] == 1).mean(), og.measures.welfare(w)
    assert obeying["bad"][0] < 0.05 < 0.3 < obeying["good"][0] and obeying["bad"][1] > 0.9, obeying


def test_being_told_of_a_harm_moves_the_quota_at_once():
    w = world()
    w.govern(Corrigible(view=8), np.arange(20))
    w.govern(Corrigible(view=8, told=True), np.arange(20, 42))
    w.update(**{"metabolism.harmful": (2,)})
    w.step(1)
    operated = w._government.block_operator
    quota = {w._government.operator(r).told: w.quotas[operated == r] for r in set(operated.tolist())}
    assert (quota[True][:, 2] == 0).all() and (quota[False][:, 2] > 0.3).all()
    w.inform()
    assert (w.quotas[:, 2] == 0).all() and np.allclose(w.quotas.sum(axis=1), 1)


def test_a_new_resource_can_be_switched_on_in_a_running_world():
    w = world((6, 6))
    for name in ("need", "reserve", "supply"):
        w.set(name, [1.0, 1.0, 0.0] if name != "reserve" else [2.0, 2.0, 0.0])
    w.govern(Corrigible(told=True), np.arange(18))
    w.govern(Corrigible(), np.arange(18, 36))
    w.step(50)
    assert (w.quotas[:, 2] == 0).all()
    for name, values in (("need", 1.0), ("reserve", 2.0), ("supply", 1.0)):
        w.set(name, values)
    w.step(200)
    made = np.bincount(w.state["task"][:18], minlength=3)
    assert made[2] > 0 and (w.state["task"][18:] < 2).all()


# -- blocks ------------------------------------------------------------------------------


def test_blocks_are_squares_on_grids_and_connected_groups_elsewhere():
    block = partition(og.Topology.grid((8, 6)), 4)
    assert block.max() == 3 and np.bincount(block).tolist() == [16, 8, 16, 8]
    import networkx as nx

    graph = nx.random_regular_graph(4, 100, seed=1)
    block = partition(og.Topology.from_networkx(graph), 3, rng=2)
    assert np.bincount(block).max() == 9 and np.bincount(block).mean() > 4
    for b in range(block.max() + 1):
        assert nx.is_connected(graph.subgraph(np.flatnonzero(block == b).tolist()))


def test_given_blocks():
    w = world((4, 4))
    w.govern(Corrigible(), blocks=np.repeat([7, 3], 8))
    assert w.state["block"].tolist() == [1] * 8 + [0] * 8


# -- copies, threads, storage, levels -------------------------------------------------------


def test_any_number_of_threads_gives_the_same_bits():
    worlds = [mixed((23, 29)) for _ in range(2)]
    worlds[1].threads = 3
    for w in worlds:
        w.step(60)
    assert same(*worlds) is None and worlds[0].n_born > 0


def test_every_instruction_level_gives_the_same_bits(monkeypatch):
    import importlib

    levels = []
    for name, level in (("_core", 1), ("_core_v3", 3), ("_core_v4", 4)):
        if level <= _dispatch.core.level():     # to import what the processor cannot run ends the process
            try:
                levels.append(importlib.import_module(f"organism.{name}"))
            except ImportError:
                continue
    worlds = []
    for module in levels:
        monkeypatch.setattr(og._binding, "core", module)
        worlds.append(mixed())
        worlds[-1].step(60)
    assert len(levels) > 1 or _dispatch.core.level() == 1
    # the account's sums over members run in the order of lanes
    assert [same(worlds[0], w, but="book.account") for w in worlds] == [None] * len(levels)


def test_copies_go_on_with_the_same_bits(tmp_path):
    w = mixed()
    w.step(33)
    w.switch(False, np.flatnonzero(w.state["block"] == 0))
    w.save(tmp_path / "w.npz")
    copies = [w.fork(), og.World.load(tmp_path / "w.npz"), pickle.loads(pickle.dumps(w)), copy.deepcopy(w)]
    for each in copies:
        assert same(w, each) is None and len(each.regimes) == 6
    for each in (w, *copies):
        each.step(30)
    assert all(same(w, each) is None for each in copies)


def test_permuting_storage_changes_no_bit():
    topology = og.Topology.grid((9, 10))
    perm = np.random.default_rng(0).permutation(90)
    a, b = mixed(topology=topology), mixed(topology=topology.permuted(perm))
    slot = np.argsort(b.topology.site_id)
    for _ in range(4):
        a.step(20)
        b.step(20)
        for column in set(COLUMNS) - {"block"}:                  # which number a block has does not matter
            assert np.array_equal(a.state[column], b.state[column][slot]), column


def test_a_damaged_record_is_refused(tmp_path):
    w = mixed()
    w.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as file:
        arrays = {name: file[name] for name in file.files}
    for name, values, text in (
            ("regime.quota", arrays["regime.quota"] * 7, "quota"),
            ("regime.block_operator", arrays["regime.block_operator"] + 100, "belong to no operator"),
            ("regime.reading", arrays["regime.reading"][1:], "reading"),
            ("state.regime", arrays["state.regime"] + np.int16(6), "is not there"),
            ("state.block", arrays["state.block"] + np.int32(999), "is not there")):
        np.savez(tmp_path / "bad.npz", **arrays | {name: values})
        with pytest.raises(ValueError, match=text):
            og.World.load(tmp_path / "bad.npz")


def test_a_file_of_the_first_format_is_read(tmp_path):
    w = world()
    w.step(5)
    w.save(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as file:
        arrays = {name: file[name] for name in file.files if not name.startswith("regime.")}
    header = json.loads(bytes(arrays["header"]))
    del header["regimes"]
    arrays["header"] = np.frombuffer(json.dumps(header | {"format": 1}).encode(), np.uint8)
    np.savez(tmp_path / "old.npz", **arrays)
    old = og.World.load(tmp_path / "old.npz")
    old.step(5)
    w.step(5)
    assert same(w, old) is None


# -- schedules and resets --------------------------------------------------------------------


def test_schedules_take_parameters_and_columns():
    w = world()
    strong = np.arange(42) < 21
    w.schedule("capability", ramp(2, 6, 1.0, np.where(strong, 3.0, 1.0), every=2))
    w.schedule("learning.perception", {3: 0})
    w.schedule("care.weight", ramp(0, 4, 0.0, 0.5))
    w.step(3)
    assert w.state["capability"][0] == 1 and w.params.learning.perception == 2
    w.step(2)
    assert w.state["capability"][[0, 41]].tolist() == [2, 1] and w.params.learning.perception == 0
    assert w.params.care.weight == 0.5
    w.step(2)
    assert w.state["capability"][[0, 41]].tolist() == [3, 1]
    with pytest.raises(ValueError, match=r"care at site 0 must be in \[0, 1\], not 2"):
        w.schedule("care", {9: 1.0, 10: 2.0})
    assert not w._agenda.jobs


@pytest.mark.parametrize("what", ["policy", "share_policy", "both"])
def test_a_reset_forgets_what_was_learned(what):
    w = world()
    w.step(30)
    w.do(og.intervene.reset(what, [0, 1]))
    for name in ("policy", "share_policy"):
        forgot = what in (name, "both")
        assert (w.state[name][:2] == 0).all() == forgot and w.state[name][2:].any()
    assert w.history[-1][1].startswith("reset")


def test_kinds_are_those_of_the_kernel():
    names = sorted(_dispatch.core.Kind.__members__.items(), key=lambda item: item[1])
    assert [name.lower() for name, _ in names] == list(KINDS)
