"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import solara
from mesa.visualization import Slider, SolaraViz
from model import ACTIVATIONS, NETWORKS, Contagion

from organism.app import Layer, make_field_component

Map = make_field_component({"state": Layer("active", categories=["inactive", "active"])}, "topology",
                           series={"active": lambda model: model.active.mean(), "at odds": lambda model: model.at_odds},
                           text=lambda model: f"{model.active.mean():.0%} active, {model.at_odds:.0%} of ties at odds")

model_params = {
    "network": {"type": "Select", "value": "karate", "values": list(NETWORKS), "label": "network"},
    "rule": {"type": "Select", "value": "voter", "values": ["voter", "invasion", "threshold"], "label": "rule"},
    "activation": {"type": "Select", "value": "replacement", "values": ACTIVATIONS, "label": "activation"},
    "threshold": Slider("threshold", .25, 0.0, 1.0, .01),
    "seeds": Slider("active at the start", 8, 0, 30, 1),
    "where": {"type": "Select", "value": "hubs", "values": ["hubs", "random"], "label": "which"},
    "rng": Slider("seed", 1, 0, 100, 1),
}


@solara.component
def Page():
    """Give each browser tab a model of its own."""
    SolaraViz(solara.use_memo(lambda: Contagion(seeds=8, rng=1), []), components=[Map], model_params=model_params,
              name="Contagion")


page = Page()
page  # noqa: B018
