"""The model in the browser: ``solara run app.py``."""

import numpy as np
import solara
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter
from model import SpatialDilemma

#: As in Nowak and May: cooperators blue, defectors red; green and yellow who has just become one.
COLOURS = ListedColormap(["#2050c0", "#30a040", "#f0d030", "#c02020"])


@solara.component
def Map(model):
    """Draw what each does, and did a step before."""
    update_counter.get()
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(np.add(2 * model.strategies, model.before).T, cmap=COLOURS, vmin=0, vmax=3, origin="lower")
    axes.set(xticks=[], yticks=[], title=f"{model.cooperators:.1%} cooperate")
    solara.FigureMatplotlib(figure)


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

page = SolaraViz(SpatialDilemma(rng=1), components=[Map, make_plot_component("cooperators")],
                 model_params=model_params, name="Spatial prisoner's dilemma")
page  # noqa: B018
