"""The model in the browser: ``organism app app.py`` or ``solara run app.py``."""

import numpy as np
import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter
from model import DivisionOfLabour


@solara.component
def Workers(model):
    """Draw what each worker has done so far, sorted by its first task."""
    update_counter.get()
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    shares = model.done / np.maximum(model.done.sum(1, keepdims=True), 1)
    order, below = np.lexsort((shares[:, 0], model.major)), np.zeros(len(shares))
    for task in range(shares.shape[1]):
        axes.bar(np.arange(len(shares)), shares[order, task], 1, below, label=f"task {task + 1}")
        below += shares[order, task]
    axes.set(xlabel="worker (minors first)", ylabel="share of its work",
             title=f"specialisation {model.specialisation:.2f}")
    axes.legend(loc="lower right")
    solara.FigureMatplotlib(figure)


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

page = SolaraViz(DivisionOfLabour(tasks=2, rng=1),
                 components=[Workers, make_plot_component(["minors at work", "majors at work"]),
                             make_plot_component("stimulus")],
                 model_params=model_params, name="Division of labour")
page  # noqa: B018
