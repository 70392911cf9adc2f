"""The Mesa face: members as views, the agent verbs, special members, spaces and data collection.

The same tests run on every supported Mesa.
"""

import gc
import warnings
import weakref

import mesa
import networkx as nx
import numpy as np
import pytest
from mesa.discrete_space import (
    CellAgent,
    HexGrid,
    Network,
    OrthogonalMooreGrid,
    OrthogonalVonNeumannGrid,
    VoronoiGrid,
)

from organism import Member, OrganismModel, Params, Topology, World
from organism.state import COLUMNS

HAS_SCENARIOS = hasattr(mesa.Model, "scenario")
TURNOVER = {"demography.enabled": True, "demography.hazard": .1, "demography.frailty": 0.,
            "demography.refill": .5}


class Miller(Member):
    """Always works at task 0 and never shares."""

    def step(self):
        self.order_task = 0
        self.order_share = 0


def make(width=6, height=4, rng=1, **kwargs):
    return OrganismModel(width, height, rng=rng, **kwargs)


def in_step(action, site=3, **kwargs):
    """Return a model whose member at ``site`` does ``action(member)`` in its step."""
    class Actor(Member):
        def step(self):
            action(self)

    return make(members={site: Actor}, **kwargs)


def uids(model):
    return model.world.state["uid"][model.world.living].tolist()


# -- the model as a world and as a Mesa model ------------------------------------------------


def test_it_is_the_same_world_as_a_bare_one():
    model, world = make(rng=5), World(Topology.grid((4, 6)), rng=5)
    for _ in range(12):
        model.step()
        model.agents.shuffle_do(lambda member: member.welfare)
        model.random.random(), model.rng.random()
    world.step(12)
    assert isinstance(model, mesa.Model) and model.world.seed == 5 == world.seed
    for name in COLUMNS:
        np.testing.assert_array_equal(model.world.state[name], world.state[name], err_msg=name)


def test_the_world_never_draws_from_mesa_generators():
    model = make(members={2: Miller}, **TURNOVER)
    before = model.random.getstate(), model.rng.bit_generator.state
    for _ in range(5):
        model.step()
        list(model.agents), list(model.space)
    assert (model.random.getstate(), model.rng.bit_generator.state) == before


@pytest.mark.parametrize("seed", [7, np.int64(7), None, np.random.SeedSequence(7)], ids=repr)
def test_seeds(seed):
    model = OrganismModel(3, 3, rng=seed)
    again = OrganismModel(3, 3, rng=model.world.seed if seed is None else seed)
    assert again.world.seed == model.world.seed and again.random.random() == model.random.random()
    assert again.rng.random() == model.rng.random()


def test_a_generator_gives_the_seed_and_stays_the_models():
    rng = np.random.default_rng(3)
    model = OrganismModel(3, 3, rng=rng)
    assert model.rng is rng
    assert model.world.seed == World(Topology.grid((3, 3)), rng=np.random.default_rng(3)).seed


def test_ticks_are_counted_by_the_world():
    model = make()
    model.step()
    model.run_for(3)
    model.world.step(2)
    assert model.tick == model.world.tick == 6


def test_run_model_ends_when_nobody_is_left():
    model = make(**{"demography.enabled": True, "demography.hazard": 1., "demography.frailty": 0.})
    model.run_model()
    assert not model.running and model.tick == 1 and len(model.agents) == 0
    assert model.world.audit().closes


def test_a_kernel_only_run_makes_no_members():
    model = make(**TURNOVER)
    model.run_for(10)
    assert not model._views
    assert len(model.agents) == model.world.n_members == len(model._views)


def test_the_model_is_freed():
    model = make(members={2: Miller})
    list(model.agents), list(model.space)
    model.step()
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_repr():
    model = make()
    member = model.member_at(2)
    assert repr(model) == "<OrganismModel: 24 members on 24 sites, tick 0>"
    assert repr(member) == "<Member 2 at site 2>"
    member.remove()
    assert repr(member) == "<Member 2 (dead)>"


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


# -- spaces --------------------------------------------------------------------------------------


TOPOLOGIES = {
    "moore": Topology.grid((4, 6)),
    "bounded": Topology.grid((4, 6), torus=False),
    "von_neumann": Topology.grid((5, 3), "von_neumann"),
    "radius 2": Topology.grid((6, 7), radius=2),
    "hexagonal": Topology.grid((4, 6), "hexagonal"),
    "hexagonal, odd width": Topology.grid((4, 5), "hexagonal"),
    "hexagonal, bounded": Topology.grid((3, 5), "hexagonal", torus=False),
    "small torus": Topology.grid((2, 2)),
    "ring": Topology.grid((9,), radius=2),
    "line": Topology.grid((9,), torus=False),
    "holes": Topology.grid((4, 6), holes=np.arange(24).reshape(4, 6) % 5 == 1),
    "graph": Topology.from_networkx(nx.les_miserables_graph()),
    "directed": Topology.from_networkx(nx.gnp_random_graph(15, .2, seed=1, directed=True)),
    "alone": Topology.from_edges([], [], n_sites=3),
}
KINDS = {"von_neumann": OrthogonalVonNeumannGrid, "moore": OrthogonalMooreGrid, "hexagonal": HexGrid}


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_a_space_is_built_to_match_the_topology(topology):
    model = OrganismModel(topology=topology, rng=1)
    space = model.space
    assert model.space is space
    if topology.kind == "grid":
        assert isinstance(space, KINDS[topology.neighbourhood or "von_neumann"])
        assert (space.height, space.width) == (1, *topology.shape)[-2:]
    else:
        assert isinstance(space, Network)
    assert len(space.agents) == topology.n_sites
    for member in model.agents:
        assert member.cell.agents == [member] and model.site_of(member.cell) == member.site
        near = {model.site_of(cell) for cell in member.cell.connections.values()}
        assert near == set(topology.target[topology.source == member.site].tolist())
        if topology.kind == "grid":
            assert member.cell.coordinate == tuple(topology.cells[member.site][::-1])


def test_relative_moves_follow_rebuilt_connections():
    topology = TOPOLOGIES["radius 2"]
    model = OrganismModel(topology=topology, rng=1, occupied=np.arange(topology.n_sites) == 0)
    member = model.member_at(0)
    member.move_relative((-2, 1))
    assert member.cell.coordinate == (5, 1)


def test_holes_are_no_sites():
    model = OrganismModel(topology=TOPOLOGIES["holes"], rng=1)
    hole = model.space[1, 0]
    assert not hole.connections and not hole.agents
    with pytest.raises(ValueError, match=r"cell \(1, 0\) of this space is no site"):
        model.member_at(hole)


POINTS = [(x + .1 * (y % 3), y + .07 * x) for x in range(4) for y in range(3)]
SPACES = {
    "moore": lambda rng: OrthogonalMooreGrid((5, 3), torus=True, random=rng),
    "von_neumann": lambda rng: OrthogonalVonNeumannGrid((5, 3), torus=False, capacity=1, random=rng),
    "hex": lambda rng: HexGrid((4, 4), torus=True, random=rng),
    "network": lambda rng: Network(nx.karate_club_graph(), random=rng),
    "voronoi": lambda rng: VoronoiGrid(POINTS, random=rng),
    "3d": lambda rng: OrthogonalMooreGrid((3, 3, 3), torus=True, random=rng),
}


def make_space(kind):
    with warnings.catch_warnings():  # Mesa 3.3 makes its Voronoi cells with numpy.matrix
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return SPACES[kind](mesa.Model(rng=1).random)


@pytest.mark.parametrize("kind", SPACES)
def test_a_given_space(kind):
    space = make_space(kind)
    model = OrganismModel(space=space, rng=1, **TURNOVER)
    cells = list(space)
    assert model.space is space and model.world.n_sites == len(cells)
    for _ in range(8):
        model.step()
        assert len(space.agents) == model.world.n_members
        for site, here in enumerate(model.world.state["occupied"]):
            assert [member.site for member in cells[site].agents] == [site] * int(here)
    if kind in ("moore", "hex"):
        member = next(iter(model.agents))
        x, y = member.cell.coordinate
        assert member.site == model.world.topology.index((x, y)) == model.site_of((x, y))
    assert model.world.audit().closes


def test_a_given_space_with_a_topology_of_its_own():
    space = make_space("moore")
    topology = Topology.from_edges([0, 1, 2], [1, 2, 0], n_sites=15)
    model = OrganismModel(space=space, topology=topology, rng=1)
    assert model.world.topology is topology and model.member_at(4).cell is list(space)[4]
    assert len(model.space.agents) == 15
    with pytest.raises(ValueError, match="15 cells and topology 3 sites"):
        OrganismModel(space=space, topology=Topology.from_edges([0], [1], n_sites=3))


def test_a_given_space_is_drawn_without_being_asked_for():
    space = make_space("network")
    OrganismModel(space=space, rng=1)
    assert len(space.agents) == 34


@pytest.mark.parametrize("where", [-1, 24, (9, 9), "here", True])
def test_bad_places(where):
    model = make()
    with pytest.raises(ValueError, match="0..23|not a node"):
        model.member_at(where)
    with pytest.raises(ValueError, match="no site of the world"):
        model.member_at(make().space[0, 0])


def portrayal(member):
    from mesa.visualization.components import AgentPortrayalStyle

    return AgentPortrayalStyle(color="#123456", size=10 + member.welfare)


@pytest.fixture
def visual():
    """Give Mesa's drawing, if what it needs is installed, and close the figures."""
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("solara")
    pytest.importorskip("altair")
    matplotlib.use("agg")
    with warnings.catch_warnings():  # of Mesa's own components, when solara reads them
        warnings.simplefilter("ignore")
        import mesa.visualization as visual

    yield visual
    import matplotlib.pyplot as plt
    plt.close("all")


def n_drawn(ax):
    """Count the markers in the members' colour; a network's nodes have another."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_hex

    return sum(len(art.get_offsets()) for art in ax.collections
               if isinstance(art, PathCollection) and to_hex(art.get_facecolor()[0]) == "#123456")


@pytest.mark.parametrize("name", ["moore", "hexagonal", "ring", "holes", "graph", "directed"])
def test_mesas_own_drawing(visual, name):
    topology = TOPOLOGIES[name]
    model = OrganismModel(topology=topology, rng=1, **TURNOVER)
    model.run_for(3)
    ax = visual.draw_space(model.space, portrayal)
    assert n_drawn(ax) == model.world.n_members
    renderer = visual.SpaceRenderer(model, backend="matplotlib")
    model.run_for(3)  # the renderer keeps the space: it must show the living all the same
    renderer.draw_structure()
    if hasattr(renderer, "setup_agents"):  # Mesa 3.4 and later
        ax = renderer.setup_agents(portrayal).draw_agents()
    else:
        ax = renderer.draw_agents(portrayal)
    assert n_drawn(ax) == model.world.n_members


# -- data collection -----------------------------------------------------------------------------


def test_ready_reporters():
    model = make(**TURNOVER)
    model.run_for(5)
    frame = model.datacollector.get_model_vars_dataframe()
    assert list(frame) == ["tick", "members", "welfare", "share_rate", "given"]
    assert frame["tick"].tolist() == [0, 1, 2, 3, 4, 5]
    assert frame["members"].iloc[-1] == model.world.n_members


def test_reporters_by_name():
    model = make(model_reporters=["gini"], agent_reporters=["welfare", "task", "stock"], collect_every=2,
                 **TURNOVER)
    model.run_for(5)
    assert model.datacollector.get_model_vars_dataframe()["tick"].tolist() == [0, 2, 4]
    frame = model.datacollector.get_agent_vars_dataframe()
    assert list(frame) == ["welfare", "task", "stock"] and set(frame.index.get_level_values(0)) == {0, 2, 4}
    first = frame.xs(0)
    assert first.index.tolist() == list(range(24))
    np.testing.assert_array_equal(np.stack(first["stock"]), make().world.state["stock"])


def test_reporters_in_mesas_own_form():
    model = make(model_reporters={"oldest": lambda m: max(m.agents.get("age")), "time": "tick"},
                 agent_reporters={"rich": lambda member: member.stock.sum() > 1})
    model.datacollector.collect(model)
    own = mesa.DataCollector(model_reporters={"tick": "tick"}, agent_reporters={"care": "care"})
    model.datacollector = own
    model.step()
    assert own.get_model_vars_dataframe()["tick"].tolist() == [1]
    assert own.get_agent_vars_dataframe()["care"].tolist() == [.75] * 24


# -- arguments -----------------------------------------------------------------------------------


def test_parameters():
    model = OrganismModel(3, 3, preset="selfish", rng=1, **{"care.weight": .125, "resources": 2})
    assert model.world.params == Params.preset("selfish").replace(**{"care.weight": .125, "resources": 2})
    params = Params.preset("neighbours")
    assert OrganismModel(3, 3, params=params, rng=1).world.params == params
    model = OrganismModel(height=2, rng=1, threads=2, ledger=False)
    assert model.world.topology.shape == (2, 64) and model.world.threads == 2 and not model.world.ledger
    assert make().world.ledger


def test_columns_at_the_start():
    model = make(columns={"care": np.linspace(0, 1, 24)})
    assert model.agents.get("care") == pytest.approx(np.linspace(0, 1, 24))


@pytest.mark.parametrize(("kwargs", "error", "match"), [
    ({"seed": 1}, TypeError, "rng, not seed"),
    ({"preset": "organc"}, ValueError, "did you mean 'organic'"),
    ({"preset": "organic", "params": Params()}, ValueError, "params or preset, not both"),
    ({"params": {"care.weight": .5}}, TypeError, "params must be Params, not dict"),
    ({"care.wieght": .5}, ValueError, "did you mean 'care.weight'"),
    ({"width": 0}, ValueError, "width must be a whole number of cells >= 1, not 0"),
    ({"height": 2.5}, TypeError, "height must be a whole number"),
    ({"width": 4, "topology": Topology.grid((2, 2))}, ValueError, "leave them out"),
    ({"topology": nx.path_graph(3)}, TypeError, "topology must be a Topology, not Graph"),
    ({"space": nx.path_graph(3)}, TypeError, "space must be a space of mesa.discrete_space"),
    ({"threads": 0}, ValueError, "threads"),
    ({"model_reporters": ["walfare"]}, ValueError, "model_reporters.*did you mean 'welfare'"),
    ({"agent_reporters": "stck"}, ValueError, "agent_reporters.*did you mean 'stock'"),
    ({"collect_every": -1}, ValueError, "collect_every"),
    ({"collect_every": 1.5}, TypeError, "collect_every"),
])
def test_bad_arguments(kwargs, error, match):
    with pytest.raises(error, match=match):
        OrganismModel(**kwargs)


@pytest.mark.skipif(HAS_SCENARIOS, reason="this Mesa has scenarios")
def test_a_mesa_without_scenarios_says_so():
    with pytest.raises(TypeError, match="scenario needs Mesa 3.5 or later"):
        OrganismModel(3, 3, scenario=object())


@pytest.mark.skipif(not HAS_SCENARIOS, reason="this Mesa has no scenarios")
def test_scenarios():
    from mesa.experimental.scenarios import Scenario

    class Kind(Scenario):
        mood: str = "good"

    one = OrganismModel(3, 3, scenario=Scenario(rng=4, density=1, **{"care.weight": .25}))
    assert one.world.params.care.weight == .25 and one.scenario.density == 1
    scenario = Scenario(rng=4)
    assert OrganismModel(3, 3, scenario=scenario).world.seed == one.world.seed
    if hasattr(scenario, "initial_rng_state"):  # Mesa 4 lets a scenario be used again
        assert OrganismModel(3, 3, scenario=scenario).world.seed == one.world.seed
    two = OrganismModel(3, 3, scenario=Kind, rng=9)
    assert two.scenario.mood == "good"
    assert two.world.seed == OrganismModel(3, 3, scenario=Kind, rng=9).world.seed
    with pytest.raises(ValueError, match="rng or a scenario"):
        OrganismModel(3, 3, rng=1, scenario=scenario)


@pytest.mark.skipif(not hasattr(mesa.Model, "schedule_event"), reason="this Mesa has no events")
def test_mesas_events_and_signals_keep_working():
    model, log = make(**TURNOVER), []

    def note():
        log.append((model.tick, len(model.agents)))

    model.schedule_event(note, at=2.5)
    model.run_until(4)
    assert len(log) == 1 and log[0][0] == 2 and model.tick == 4


def test_a_subclass_as_mesa_users_write_it():
    class Village(OrganismModel):
        def __init__(self, size=4, **kwargs):
            super().__init__(size, size, **kwargs)
            self.visitor = CellAgent(self)
            self.visitor.cell = self.space[0, 0]

        def step(self):
            super().step()
            self.visitor.move_relative((1, 0))

    model = Village(rng=2)
    model.run_for(3)
    assert model.tick == 3 and model.visitor.cell.coordinate == (3, 0)
    assert len(model.space.agents) == 17 == len(model.agents)
