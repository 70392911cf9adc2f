"""The Mesa face: a world as a Mesa model, its data collection and arguments.

The same tests run on every supported Mesa.
"""

import gc
import weakref

import mesa
import networkx as nx
import numpy as np
import pytest
from mesa.discrete_space import CellAgent
from models import TURNOVER, Miller, make

from organism import OrganismModel, Params, Topology, World
from organism.state import COLUMNS

HAS_SCENARIOS = hasattr(mesa.Model, "scenario")

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
