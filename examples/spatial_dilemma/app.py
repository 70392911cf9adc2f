"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import solara
from mesa.visualization import Slider, SolaraViz
from model import SpatialDilemma

from organism.app import Layer, make_field_component

#: As in Nowak and May: cooperators blue, defectors red; green and yellow who has just become one.
STRATEGIES = Layer(lambda model: 2 * model.strategies + model.before,
                   categories=["cooperates", "cooperates, did not before", "defects, did not before", "defects"],
                   colours=["#2050c0", "#30a040", "#f0d030", "#c02020"])
Map = make_field_component({"strategy": STRATEGIES}, series={"cooperators": lambda model: model.cooperators},
                           text=lambda model: f"{model.cooperators:.1%} cooperate")

model_params = {
    "width": 100,
    "height": 100,
    "temptation": Slider("temptation", 1.85, 1.0, 2.5, .01),
    "defectors": Slider("defectors at the start (0: one)", .1, 0.0, 1.0, .01),
    "include_self": {"type": "Checkbox", "value": True, "label": "play with oneself"},
    "rule": {"type": "Select", "value": "best", "values": ["best", "proportional", "fermi"], "label": "imitation"},
    "intensity": Slider("intensity (fermi)", 10.0, 0.0, 50.0, .5),
    "rng": Slider("seed", 1, 0, 100, 1),
}


@solara.component
def Page():
    """Give each browser tab a model of its own."""
    SolaraViz(solara.use_memo(lambda: SpatialDilemma(rng=1), []), components=[Map], model_params=model_params,
              name="Spatial prisoner's dilemma")


page = Page()
page  # noqa: B018
