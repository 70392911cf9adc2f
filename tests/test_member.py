"""Members as Mesa agents: views on rows, the agent verbs, special members with a step of their own.

The same tests run on every supported Mesa.
"""

import mesa
import numpy as np
import pytest
from mesa.discrete_space import CellAgent, OrthogonalVonNeumannGrid
from models import TURNOVER, Miller, in_step, make, uids

from organism import Member, OrganismModel, Topology, World
from organism.state import COLUMNS

# -- members as views --------------------------------------------------------------------------


def test_members_read_every_column():
    model = make(agent_reporters=())
    model.run_for(3)
    state = model.world.state
    for member in list(model.agents)[::7]:
        assert isinstance(member, CellAgent) and member.unique_id == member.uid == state["uid"][member.site]
        for name in set(COLUMNS) - {"occupied"}:
            value = getattr(member, name)
            np.testing.assert_array_equal(value, state[name][member.site])
            assert isinstance(value, (bool, int, float, np.ndarray)) and not isinstance(value, np.generic)


def test_members_hold_nothing_else():
    member = make().member_at(2)
    assert set(vars(member)) == {"model", "unique_id", "_slot"}


def test_members_write_through():
    model = make()
    model.agents.set("care", .25)
    member = model.member_at(3)
    member.need = [1, 2, 3]
    member.order_task = 2
    assert (model.world.state["care"] == .25).all()
    assert model.world.state["need"][[3, 4]].tolist() == [[1, 2, 3], [1, 1, 1]]
    assert member.order_task == 2 == model.world.state["order_task"][3]


def test_edited_goods_are_booked():
    model = make()
    model.step()
    member = model.member_at(3)
    member.stock = member.stock + [1, 0, 2]
    member.stock = member.stock * .5
    model.step()
    assert model.world.audit().closes


@pytest.mark.parametrize(("name", "value", "error", "match"), [
    ("age", 3, AttributeError, "age cannot be set; it is the model's own"),
    ("uid", 3, AttributeError, "uid cannot be set"),
    ("caer", .5, AttributeError, "no attribute 'caer'; did you mean 'care'"),
    ("care", 1.5, ValueError, "care"),
    ("care", float("nan"), ValueError, "care"),
    ("stock", [1, 2], ValueError, "stock"),
    ("stock", [1, -2, 0], ValueError, "stock"),
    ("cell", None, ValueError, "remove"),
])
def test_bad_writes(name, value, error, match):
    model = make()
    member = model.member_at(3)
    with pytest.raises(error, match=match):
        setattr(member, name, value)
    for column in COLUMNS:
        np.testing.assert_array_equal(model.world.state[column], make().world.state[column])


def test_vectors_are_read_only_copies():
    model = make()
    stock = model.member_at(3).stock
    with pytest.raises(ValueError, match="read-only"):
        stock[0] = 5
    kept = stock.copy()
    model.run_for(2)
    np.testing.assert_array_equal(stock, kept)


def test_the_dead_say_so():
    model = make()
    member = model.member_at(3)
    member.remove()
    for read in (lambda: member.welfare, lambda: member.site, lambda: member.cell, member.remove):
        with pytest.raises(AttributeError, match="member 3 is dead at tick 0"):
            read()
    with pytest.raises(AttributeError, match="member 3 is dead"):
        member.care = .5
    assert not member.alive and member.unique_id == 3 and getattr(member, "welfare", None) is None
    assert model.member_at(3) is None


def test_there_is_one_view_of_a_member():
    model = make()
    early = model.member_at(5)
    assert early in model.agents and model.member_at(5) is early
    assert model.member_at((0, 5)) is early and model.member_at(early.cell) is early


# -- agent verbs -------------------------------------------------------------------------------


def test_agent_verbs():
    model = make()
    model.run_for(4)
    state = model.world.state
    agents = model.agents
    assert len(agents) == 24 and [agent.unique_id for agent in agents] == uids(model)
    assert agents.get("welfare") == pytest.approx(state["welfare"])
    assert agents.get(["task", "age"]) == list(map(list, zip(state["task"], state["age"], strict=True)))
    assert agents.agg("welfare", np.mean) == pytest.approx(state["welfare"].mean())
    poor = agents.select(lambda member: member.welfare < np.median(state["welfare"]))
    assert sorted(member.site for member in poor) \
        == np.flatnonzero(state["welfare"] < np.median(state["welfare"])).tolist()
    poor.set("learning_rate", .1)
    assert (state["learning_rate"] == np.float32(.1)).sum() == len(poor)
    tasks, counts = np.unique(state["task"], return_counts=True)
    assert agents.groupby("task").count() == dict(zip(tasks, counts, strict=True))
    assert agents.groupby("task").agg("age", max) == dict.fromkeys(tasks, 4)
    seen = []
    agents.do(seen.append), agents.shuffle_do(seen.append)
    assert seen[:24] == list(agents) and seen[24:] != seen[:24] and set(seen[24:]) == set(agents)
    assert agents.sort("unique_id", ascending=True) is not agents
    assert model.agent_types == [Member] and len(model.agents_by_type[Member]) == 24


def test_agents_follow_the_kernel():
    model = make(**TURNOVER)
    held, known = model.agents, {}
    for _ in range(15):
        model.step()
        assert sorted(member.unique_id for member in held) == sorted(uids(model))
        for member in held:
            assert known.setdefault(member.unique_id, member) is member
            assert model.world.state["uid"][member.site] == member.unique_id
    dead = set(known) - set(uids(model))
    assert dead and all(not known[uid].alive for uid in dead)
    assert model.agents is held and [member.unique_id for member in held] == sorted(uids(model))


def test_looking_changes_nothing():
    def run(look):
        model = make(occupied=np.arange(24) % 3 > 0, members={4: Miller, 1: Miller}, **TURNOVER)
        for tick in range(8):
            model.step()
            if look:
                list(model.agents)
            if tick == 3:
                free = int(np.flatnonzero(~model.world.state["occupied"])[0])
                model.add_member(free, Miller)
                Miller(model, int(model.world.living[5]))
        return [(type(agent), agent.unique_id) for agent in model.agents], \
               [agent.unique_id for agent in model.agents_by_type.get(Miller, ())], \
               model.world.state["stock"].copy()

    (looked, millers, stock), (blind, millers_too, stock_too) = run(True), run(False)
    assert looked == blind and millers == millers_too
    np.testing.assert_array_equal(stock, stock_too)


def test_what_is_done_behind_the_models_back_shows():
    model = make()
    members = {member.site: member for member in model.agents}
    model.world.remove([3, 4])
    model.world.move(5, 3)
    assert members[5].site == 3 and not members[4].alive
    assert len(model.agents) == 22 and members[5] in model.agents and members[4] not in model.agents
    assert model.space is members[5].cell._agents[0].model.space
    assert members[5].cell.coordinate == (3, 0)


def test_members_can_be_removed_by_verb():
    model = make(agent_reporters=["welfare"])
    model.step()
    model.agents.select(lambda member: member.site % 2).do("remove")
    assert model.world.n_members == len(model.agents) == 12
    assert model.world.audit().closes
    model.step()
    model.remove_all_agents()
    assert model.world.n_members == len(model.agents) == 0 and model.world.audit().closes


def test_adding_and_moving():
    model = make(occupied=np.arange(24) != 7)
    model.step()
    child = model.add_member(7, care=.1)
    assert type(child) is Member and child in model.agents and (child.site, child.unique_id) == (7, 23)
    assert child.care == pytest.approx(.1)
    model.member_at(8).remove()
    wealth = child.stock
    child.cell = model.space[2, 1]
    assert child.site == 8 and child.cell.coordinate == (2, 1) and model.member_at(7) is None
    np.testing.assert_array_equal(child.stock, wealth)
    child.move_relative((-1, 0))
    assert child.site == 7
    child.move_to(model.space[2, 1])
    assert child.site == 8 and child.cell.agents == [child] and model.space[1, 1].agents == []
    model.run_for(3)
    assert model.world.audit().closes


def test_taken_sites_are_refused():
    model = make()
    with pytest.raises(ValueError, match="4"):
        model.add_member(4)
    with pytest.raises(ValueError, match="5"):
        model.member_at(4).cell = 5
    with pytest.raises(ValueError, match="5"):
        model.member_at(4).move_relative((1, 0))
    model.member_at(4).cell = 4
    assert model.member_at(4).unique_id == 4 and len(model.agents) == 24
    model.member_at(6).remove()
    with pytest.raises(ValueError, match="care"):
        model.add_member(6, care=2)
    assert model.member_at(6) is None and model.world.audit().closes


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes(seed):
    rng = np.random.default_rng(seed)
    model = make(rng=seed, occupied=rng.random(24) < .6, **TURNOVER)
    space = model.space if seed else None
    for _ in range(60):
        living, empty = model.world.living, np.flatnonzero(~model.world.state["occupied"])
        match rng.integers(5):
            case 0 if living.size:
                model.member_at(int(rng.choice(living))).remove()
            case 1 if empty.size:
                model.add_member(int(rng.choice(empty)), rng.choice([Member, Miller]))
            case 2 if living.size and empty.size:
                model.member_at(int(rng.choice(living))).cell = int(rng.choice(empty))
            case 3 if living.size:
                model.world.remove(rng.choice(living, 1))
            case _:
                model.step()
        state = model.world.state
        assert [agent.unique_id for agent in model.agents] == sorted(uids(model))
        assert all(state["uid"][member.site] == member.unique_id for member in model.agents)
        for site, here in enumerate(state["occupied"] if space else ()):
            assert [member.site for member in model._cell(site).agents] == [site] * int(here)
        assert model.world.audit().closes


def test_rewiring():
    model = make()
    list(model.agents)
    old = model.space
    model.world.rewire(Topology.grid((4, 6), "von_neumann"))
    assert model.space is not old and isinstance(model.space, OrthogonalVonNeumannGrid)
    assert len(model.space.agents) == 24 and len(model.agents) == 24
    model.step()
    assert model.world.audit().closes


# -- special members -----------------------------------------------------------------------------


def test_a_step_comes_before_the_kernels():
    model = make(members={3: Miller, (2, 1): Miller})
    model.run_for(3)
    model.world.step(2)
    counts = model.world.state["task_counts"]
    assert model.member_at(3).task == 0 == model.member_at(13).task
    assert (counts[[3, 13], 1:] == 0).all() and (counts[[3, 13], 0] > 4.9).all()
    assert not model.member_at(3).shared and not model._seen
    assert type(model.member_at(3)) is Miller and len(model.agents_by_type[Miller]) == 2


def test_the_others_are_not_disturbed_by_the_python_of_a_few():
    class Idle(Member):
        def step(self):
            self.model.space, list(self.model.agents), self.welfare, self.model.random.random()

    model, plain = make(members={3: Idle, 7: Idle}), make()
    model.run_for(6), plain.run_for(6)
    np.testing.assert_array_equal(model.world.state["stock"], plain.world.state["stock"])


def test_special_members_can_be_made_ordinary_again():
    model = make(members={3: Miller})
    model.step()
    ordinary = Member(model, 3)
    assert model.member_at(3) is ordinary and model.agents_by_type[Member].get("site") == list(range(24))
    model.run_for(5)
    assert ordinary.order_task == 0 and ordinary.task_counts[1:].sum() == 0  # an order stands until changed
    ordinary.order_task = -1
    model.run_for(30)
    assert ordinary.task_counts[1:].sum() > 0


def test_steps_run_by_uid_until_death():
    calls = []

    class Actor(Member):
        def step(self):
            calls.append(self.unique_id)
            if self.unique_id == 5 and self.age == 2:
                self.remove()

    model = make(members=[(9, Actor), (5, Actor), (7, Actor)])
    for _ in range(4):
        model.step()
    assert calls == [5, 7, 9] * 3 + [7, 9]
    assert model.member_at(5) is None and model.world.audit().closes


def test_after_a_step_that_raised_nobody_acts_twice():
    calls, sound = [], []

    class Actor(Member):
        def step(self):
            if self.unique_id == 7 and not sound:
                raise RuntimeError("not today")
            calls.append(self.unique_id)

    model = make(members=[(9, Actor), (5, Actor), (7, Actor)])
    with pytest.raises(RuntimeError, match="not today"):
        model.step()
    assert calls == [5] and model.tick == 0
    sound.append(True)
    model.step()
    assert calls == [5, 7, 9] and model.tick == 1
    sound.clear()
    with pytest.raises(RuntimeError, match="not today"):
        model.run_for(3)
    sound.append(True)
    model.run_for(3)  # a model goes on after an error, in every Mesa
    assert calls == [5, 7, 9] * 4 and model.tick == 4


def test_a_model_goes_on_with_a_world(tmp_path):
    first = make()
    first.run_for(4)
    first.world.save(tmp_path / "w.npz")
    model = OrganismModel(world=World.load(tmp_path / "w.npz"))
    assert model.tick == 4 and len(model.agents) == 24
    first.run_for(3), model.run_for(3)
    np.testing.assert_array_equal(model.world.state["stock"], first.world.state["stock"])
    with pytest.raises(ValueError, match="preset is the world's own"):
        OrganismModel(world=model.world, preset="selfish")
    with pytest.raises(TypeError, match="world must be a World, not int"):
        OrganismModel(world=3)


def other(member):
    return member.model.member_at(8)


@pytest.mark.parametrize("action", [
    lambda member: setattr(other(member), "order_task", 1),
    lambda member: setattr(other(member), "stock", [9, 9, 9]),
    lambda member: setattr(other(member), "cell", 0),
    lambda member: other(member).remove(),
    lambda member: member.model.add_member(0),
    lambda member: member.model.remove_all_agents(),
    lambda member: Miller(member.model, 8),
    lambda member: member.model.agents.set("care", 0),
], ids=["order", "goods", "move", "remove", "add", "remove all", "take over", "verb"])
def test_a_step_writes_only_its_own_row(action):
    model = in_step(action, occupied=np.arange(24) > 0)
    before = {name: model.world.state[name].copy() for name in COLUMNS}
    before["care"] = before["care"] * (np.arange(24) != 3)  # the verb may reach its own row first
    with pytest.raises(RuntimeError, match="may write only its own member's row: member 2 must not change"):
        model.step()
    assert model.tick == 0
    for name, values in before.items():
        now = model.world.state[name]
        np.testing.assert_array_equal(now * (np.arange(24) != 3) if name == "care" else now, values)
    model.member_at(8).care = .5  # outside a step everything is open again
    assert model.member_at(8).care == .5


def test_a_step_may_read_all_and_move_its_member():
    def roam(member):
        richest = max(member.model.agents, key=lambda other: other.stock.sum())
        assert richest.welfare <= 1
        member.cell = next(cell for cell in member.cell.neighborhood if not cell.agents)

    model = in_step(roam, occupied=np.arange(24) % 2 == 1)
    sites = [model.member_at(3).site]
    actor = model.member_at(3)
    for _ in range(3):
        model.step()
        sites.append(actor.site)
    assert len(set(sites)) > 2 and model.world.audit().closes


def test_special_members_may_hold_state_of_their_own():
    class Counter(Member):
        def __init__(self, model, site, start=0):
            super().__init__(model, site)
            self.count = start

        def step(self):
            self.count += 1

    model = make(members={3: Counter})
    counters = Counter.create_agents(model, 2, [4, 9], start=10)
    model.run_for(2)
    assert model.member_at(3).count == 2 and counters.get("count") == [12, 12]
    assert model.agents_by_type[Counter].get("site") == [3, 4, 9]
    model.member_at(0).remove()
    assert model.add_member(model.space[0, 0], Counter).count == 0
    model.step()
    assert model.member_at(0).count == 1


def test_a_child_of_a_special_member_is_an_ordinary_one():
    model = make(members=dict.fromkeys(range(24), Miller), **TURNOVER)
    model.run_for(10)
    born = [member for member in model.agents if member.unique_id > 23]
    assert born and all(type(member) is Member and member.order_task == -1 for member in born)
    assert set(model._actors) == {member.unique_id for member in model.agents_by_type.get(Miller, ())}


@pytest.mark.parametrize(("members", "error", "match"), [
    ({3: mesa.Agent}, TypeError, r"members\[3\] must be a subclass of Member"),
    ({3: "Miller"}, TypeError, "subclass of Member"),
    ({99: Miller}, ValueError, r"0\.\.23"),
    ({(9, 9): Miller}, ValueError, r"\(9, 9\)"),
    ([Miller], TypeError, "pairs"),
    (5, TypeError, "pairs"),
])
def test_bad_special_members(members, error, match):
    with pytest.raises(error, match=match):
        make(members=members)


def test_an_empty_site_has_no_view():
    model = make(occupied=np.arange(24) != 3)
    with pytest.raises(ValueError, match="site 3 is empty"):
        Miller(model, 3)
    with pytest.raises(ValueError, match="site 3 is empty"):
        make(occupied=np.arange(24) != 3, members={3: Miller})
    with pytest.raises(TypeError, match="kind must be a subclass of Member"):
        model.add_member(3, mesa.Agent)


def test_guests_count_down():
    model = make(agent_reporters=["welfare"])
    guest, member = mesa.Agent(model), model.member_at(1)
    second = mesa.Agent(model)
    assert (guest.unique_id, second.unique_id) == (-1, -2) and member.unique_id == 1
    assert len(model.agents) == 26 and set(model.agents_by_type) == {Member, mesa.Agent}
    guest.remove()
    assert len(model.agents) == 25
    model.remove_all_agents()
    assert len(model.agents) == 0
