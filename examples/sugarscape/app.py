"""The model in the browser: ``solara run app.py``."""

import numpy as np
import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter
from model import Sugarscape


@solara.component
def Map(model):
    """Draw sugar in red, spice in blue, and the traders."""
    update_counter.get()
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    sugar, spice = model.sugar.array.T / model.sugar_most.max(), model.spice.array.T / model.spice_most.max()
    axes.imshow(np.dstack([1 - spice, 1 - (sugar + spice) / 2, 1 - sugar]).clip(0, 1), origin="lower")
    places = np.array([trader.cell.coordinate for trader in model.agents]).reshape(-1, 2)
    axes.scatter(*places.T, c="black", s=8)
    axes.set(xticks=[], yticks=[], title=f"{len(places)} traders, {len(model.given)} pairs have traded")
    solara.FigureMatplotlib(figure)


model_params = {
    "initial_population": Slider("traders at the start", 200, 50, 500, 10),
    "metabolism_max": Slider("greatest metabolism", 5, 3, 8, 1),
    "vision_max": Slider("greatest vision", 5, 3, 8, 1),
    "enable_trade": {"type": "Checkbox", "value": True, "label": "trade"},
    "rng": Slider("seed", 1, 0, 100, 1),
}

page = SolaraViz(Sugarscape(rng=1), components=[Map, make_plot_component("#Traders"), make_plot_component("Price")],
                 model_params=model_params, name="Sugarscape with trade")
page  # noqa: B018
