"""The model in the browser: ``solara run app.py``."""

import networkx as nx
import solara
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter
from model import ACTIVATIONS, NETWORKS, Contagion

PLACES = {}


@solara.component
def Map(model):
    """Draw the network; the active are orange."""
    update_counter.get()
    name = model.graph.number_of_nodes()
    if name not in PLACES:
        PLACES[name] = nx.spring_layout(model.graph, seed=1)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    nx.draw_networkx_edges(model.graph, PLACES[name], ax=axes, alpha=.25)
    nx.draw_networkx_nodes(model.graph, PLACES[name], ax=axes, node_size=90,
                           node_color=["#e07020" if one else "#4070b0" for one in model.active])
    axes.set_title(f"{model.active.mean():.0%} active, {model.at_odds:.0%} of ties at odds")
    axes.set_axis_off()
    solara.FigureMatplotlib(figure)


model_params = {
    "network": {"type": "Select", "value": "karate", "values": list(NETWORKS), "label": "network"},
    "rule": {"type": "Select", "value": "voter", "values": ["voter", "invasion", "threshold"], "label": "rule"},
    "activation": {"type": "Select", "value": "replacement", "values": ACTIVATIONS, "label": "activation"},
    "threshold": Slider("threshold", .25, 0.0, 1.0, .01),
    "seeds": Slider("active at the start", 8, 0, 30, 1),
    "where": {"type": "Select", "value": "hubs", "values": ["hubs", "random"], "label": "which"},
    "rng": Slider("seed", 1, 0, 100, 1),
}

page = SolaraViz(Contagion(seeds=8, rng=1), components=[Map, make_plot_component(["active", "at odds"])],
                 model_params=model_params, name="Contagion")
page  # noqa: B018
