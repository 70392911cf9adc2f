"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import numpy as np
import solara
from mesa.visualization import Slider, SolaraViz
from model import ForestFire

from organism.app import Layer, make_field_component

LAND = {"bare": "#e6d9bf", "trees": "#009E73", "fire": "#D55E00", "members": "#000000", "carriers": "#0072B2"}


def land(model):
    """Return what is in each cell, by its place in LAND; who comes last is on top."""
    found = np.where(model.fire.array > 0, 2, np.where(model.trees.array > 0, 1, 0))
    found.ravel()[model.people.sites] = 3
    for carrier in model.agents:
        found[carrier.cell.coordinate] = 4
    return found


def welfare(model):
    """Return how well the members live, and NaN where there are none."""
    found = np.full(model.trees.array.shape, np.nan)
    found.ravel()[model.people.sites] = model.people.get("welfare")
    return found


Map = make_field_component(
    {"land": Layer(land, categories=list(LAND), colours=list(LAND.values())), "welfare": Layer(welfare, 0, 1)},
    series={"trees": lambda model: model.trees.array.mean(), "fire": lambda model: model.fire.array.mean(),
            "welfare": lambda model: model.people.get("welfare").mean() if len(model.people) else 0.,
            "members": lambda model: len(model.people)},
    text=lambda model: f"{len(model.people)} members; books close: {model.people.audit().closes}")

model_params = {
    "width": 40,
    "height": 40,
    "growth": Slider("growth of trees", .02, 0.0, .2, .005),
    "lightning": Slider("lightning", .0005, 0.0, .01, .0001),
    "settled": Slider("settled at the start", .6, .05, 1.0, .05),
    "settling": Slider("settling", .02, 0.0, .2, .01),
    "deadly": Slider("how deadly fire is", .3, 0.0, 1.0, .05),
    "carriers": Slider("carriers", 30, 0, 300, 10),
    "rng": Slider("seed", 1, 0, 100, 1),
}


@solara.component
def Page():
    """Give each browser tab a model of its own."""
    SolaraViz(solara.use_memo(lambda: ForestFire(rng=1), []), components=[Map], model_params=model_params,
              name="Forest, fire and members")


page = Page()
page  # noqa: B018
