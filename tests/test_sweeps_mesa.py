"""Sweeps of Mesa models, whichever way the Mesa at hand takes its seed."""

import inspect

import mesa
import numpy as np
import pytest
from sweep_cases import quiet

import organism as og

#: Mesa 4 knows rng alone; Mesa 3 also seed, which its collector and its agents' order follow.
NAMES = [name for name in ("seed", "rng") if name in inspect.signature(mesa.Model.__init__).parameters]


class BySeed(mesa.Model):
    """Mesa 3's way."""

    def __init__(self, low=0, seed=None):
        super().__init__(seed=seed)
        self.low, self.values = low, []
        self.datacollector = mesa.DataCollector({"last": lambda model: model.values[-1], "ticks": "done"})

    done = property(lambda self: len(self.values))

    def step(self):
        self.values.append(self.low + self.random.random())
        self.datacollector.collect(self)


class ByRng(BySeed):
    """Mesa 3's other way, and Mesa 4's."""

    def __init__(self, low=0, rng=None):
        mesa.Model.__init__(self, rng=rng)
        self.low, self.values = low, []
        self.datacollector = mesa.DataCollector({"last": lambda model: model.values[-1], "ticks": "done"})

    def step(self):
        self.values.append(self.low + self.rng.random())
        self.datacollector.collect(self)


class Either(ByRng):
    """Hands on whatever Mesa takes."""

    def __init__(self, low=0, **how):
        mesa.Model.__init__(self, **how)
        self.low, self.values = low, []
        self.datacollector = mesa.DataCollector({"last": lambda model: model.values[-1], "ticks": "done"})


MODELS = [*([BySeed] if "seed" in NAMES else []), ByRng, Either]


@pytest.mark.filterwarnings("ignore:.*seed:FutureWarning")  # which Mesa 3.5 still takes
@pytest.mark.parametrize("model", MODELS)
def test_the_seed_reaches_the_model(model):
    found = quiet(model, vary={"low": [0, 10]}, replicates=3, ticks=4, every=2, measure=["last"], workers=1).frame
    assert found.tick.tolist() == [0, 2, 4] * 6 and found["last"].nunique() == 12
    again = quiet(model, vary={"low": [0, 10]}, replicates=3, ticks=4).frame
    assert found[found.tick == 4]["last"].tolist() == again["last"].tolist() and again.ticks.tolist() == [4] * 6
    row = again.iloc[-1]
    one = model(low=10, **{"seed" if model is BySeed else "rng": int(row.seed)})
    for _ in range(4):
        one.step()
    assert one.values[-1] == row["last"]


def test_readings_and_stops_by_name():
    found = quiet(ByRng, params={"low": 1}, ticks=50, stop="done >= 3", measure=["done"]).frame
    assert found.tick.tolist() == [3] and found.done.tolist() == [3]
    failed = quiet(ByRng, ticks=1, measure=["gini"]).failures
    assert "no reporter or attribute 'gini'; its datacollector has last, ticks" in failed.message[0]
    with pytest.raises(TypeError, match="takes no 'lo'; it takes low, rng"):
        quiet(ByRng, vary={"lo": [1]}, ticks=1)


def test_mesa_s_own_example():
    """The wealth model that Mesa ships, read through its own data collector."""
    from mesa.examples.basic.boltzmann_wealth_model import model

    scenario = {"scenario": model.BoltzmannScenario} if hasattr(model, "BoltzmannScenario") else {}
    found = quiet(model.BoltzmannWealth, params=scenario, vary={"n": [20]}, ticks=5, replicates=2)
    assert found.failures.empty and found.frame.Gini.between(0, 1).all() and found.frame.tick.tolist() == [5, 5]
    assert not np.isnan(found.summary().set_index("measure").low["Gini"])


def test_a_world_as_a_mesa_model():
    found = quiet(og.OrganismModel, params={"width": 5, "height": 5}, vary={"care.weight": [0., .5]}, ticks=3,
                  measure={"members": lambda model: len(model.agents)}, workers=1).frame
    assert found.members.tolist() == [25, 25] and found.tick.tolist() == [3, 3]
