"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import numpy as np
import solara
from mesa.visualization import Slider, SolaraViz
from model import DivisionOfLabour

from organism import Topology
from organism.app import Layer, make_field_component

TASKS = ["none", "task 1", "task 2", "task 3", "task 4"]


def mostly(model):
    """Return the task that each worker has done most, 0 where it has done none."""
    return np.where(model.done.any(axis=1), 1 + model.done.argmax(axis=1), 0)


# A row of workers, minors first: nobody looks at anybody, so there is no map.
Workers = make_field_component(
    {"done most": Layer(mostly, categories=TASKS), "at work": Layer(lambda model: model.state[:, 0], categories=TASKS),
     "threshold of task 1": Layer(lambda model: model.state[:, 1], low=0)},
    lambda model: Topology.grid((len(model.state),), torus=False),
    series={"minors at work": lambda model: model.busy(~model.major),
            "majors at work": lambda model: model.busy(model.major),
            "stimulus": lambda model: model.stimulus.mean(), "specialisation": lambda model: model.specialisation},
    text=lambda model: f"{model.major.sum()} majors at the right")

model_params = {
    "workers": Slider("workers", 100, 10, 500, 10),
    "tasks": Slider("tasks", 2, 1, 4, 1),
    "majors": Slider("share of majors", .2, 0.0, 1.0, .05),
    "low": Slider("threshold of minors", 8.0, .5, 50.0, .5),
    "high": Slider("threshold of majors", 20.0, .5, 50.0, .5),
    "learn": Slider("learn", 0.0, 0.0, 2.0, .1),
    "forget": Slider("forget", 0.0, 0.0, 2.0, .1),
    "rng": Slider("seed", 1, 0, 100, 1),
}


@solara.component
def Page():
    """Give each browser tab a model of its own."""
    SolaraViz(solara.use_memo(lambda: DivisionOfLabour(tasks=2, rng=1), []), components=[Workers],
              model_params=model_params, name="Division of labour")


page = Page()
page  # noqa: B018
