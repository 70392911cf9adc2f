"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import solara
from mesa.visualization import Slider, SolaraViz
from model import Sugarscape, price

from organism.app import Layer, make_field_component

LAND = {"little of both": "#F4F1E8", "sugar": "#E69F00", "spice": "#56B4E9", "both": "#009E73", "traders": "#000000"}


def land(model):
    """Return what there is more than a third of in each cell, and who stands there, by its place in LAND."""
    sugar, spice = (now.array > most.max() / 3 for now, most in ((model.sugar, model.sugar_most),
                                                                 (model.spice, model.spice_most)))
    found = sugar + 2 * spice
    for trader in model.agents:
        found[trader.cell.coordinate] = 4
    return found


Map = make_field_component({"land": Layer(land, categories=list(LAND), colours=list(LAND.values())), "sugar": "sugar",
                            "spice": "spice"},
                           series={"traders": lambda model: len(model.agents), "price": price},
                           text=lambda model: f"{len(model.agents)} traders, {len(model.given)} pairs have traded")

model_params = {
    "initial_population": Slider("traders at the start", 200, 50, 500, 10),
    "metabolism_max": Slider("greatest metabolism", 5, 3, 8, 1),
    "vision_max": Slider("greatest vision", 5, 3, 8, 1),
    "enable_trade": {"type": "Checkbox", "value": True, "label": "trade"},
    "rng": Slider("seed", 1, 0, 100, 1),
}


@solara.component
def Page():
    """Give each browser tab a model of its own."""
    SolaraViz(solara.use_memo(lambda: Sugarscape(rng=1), []), components=[Map], model_params=model_params,
              name="Sugarscape with trade")


page = Page()
page  # noqa: B018
