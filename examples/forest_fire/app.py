"""The model in the browser: ``solara run app.py``."""

import numpy as np
import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter
from model import ForestFire


@solara.component
def Map(model):
    """Draw trees green, fire red, members as dots the darker the better they live, and carriers as crosses."""
    update_counter.get()
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    trees, fire = model.trees.array.T, model.fire.array.T
    axes.imshow(np.dstack([.9 - .5 * trees, .85 - .1 * trees - .6 * fire, .75 - .4 * trees - .6 * fire]).clip(0, 1),
                origin="lower")
    sites, shape = model.people.sites, model.trees.array.shape
    axes.scatter(*np.unravel_index(sites, shape), c=model.people.get("welfare"), cmap="Greys", vmin=-.2, vmax=1, s=6)
    places = np.array([carrier.cell.coordinate for carrier in model.agents]).reshape(-1, 2)
    axes.scatter(*places.T, c="#2040c0", marker="x", s=20)
    axes.set(xticks=[], yticks=[], title=f"{len(sites)} members; books close: {model.people.audit().closes}")
    solara.FigureMatplotlib(figure)


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

page = SolaraViz(ForestFire(rng=1),
                 components=[Map, make_plot_component(["trees", "fire"]), make_plot_component("welfare"),
                             make_plot_component("members")],
                 model_params=model_params, name="Forest, fire and members")
page  # noqa: B018
