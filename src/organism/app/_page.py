"""The page of a model: what world, Mesa's controls, our view, pictures on demand, downloads."""

from __future__ import annotations

import itertools
from functools import partial
from urllib.parse import parse_qs

import solara
from mesa.visualization import Slider, SolaraViz

from .._checks import closest
from ..model import OrganismModel
from ..params import CARE_KINDS, GROUPS, Params
from ..topology import Topology
from ._downloads import DOWNLOADS, PICTURES, draw, picture_png
from ._live import make_view_component

__all__ = ["TOPOLOGIES", "Model", "PageModel"]


def _small_world(n):
    import networkx as nx

    return Topology.from_networkx(nx.connected_watts_strogatz_graph(max(n, 9), 8, 0.1, seed=1))


def _scale_free(n):
    import networkx as nx

    return Topology.from_networkx(nx.barabasi_albert_graph(max(n, 9), 4, seed=1))


def _karate(n):
    import networkx as nx

    return Topology.from_networkx(nx.karate_club_graph())


#: Where members can live: name → function of the side of a grid, or of the root of the number of nodes.
TOPOLOGIES = {
    "torus": lambda side: Topology.grid((side, side)),
    "bounded grid": lambda side: Topology.grid((side, side), torus=False),
    "von Neumann torus": lambda side: Topology.grid((side, side), "von_neumann"),
    "hexagonal grid": lambda side: Topology.grid((side, side), "hexagonal", torus=False),
    "ring": lambda side: Topology.grid((side * side,), radius=4),
    "small world": lambda side: _small_world(side * side),
    "scale-free network": lambda side: _scale_free(side * side),
    "karate club (34 nodes)": _karate,
}
#: Sides of grids; networks have as many nodes as the grid has cells.
SIZES = (8, 16, 32, 64, 128)
#: Parameters with a slider, and the greatest value there.
SLIDERS = {"care.weight": 1.0, "care.saturation": 2.0, "exchange.share_cost": 0.2, "exchange.loss": 0.5,
           "production.depletion": 0.2, "production.skill_gain": 3.0, "metabolism.spoilage": 0.2,
           "learning.rate": 0.5, "learning.exploration": 0.2, "demography.hazard": 0.01}
#: Steps of each slider.
STEPS = 100
VIEW = make_view_component()


class PageModel(OrganismModel):
    """An `OrganismModel` made of what the page lets one choose.

    Parameters
    ----------
    preset : str
    topology : str
        One of `TOPOLOGIES`.
    size : int
        Side of a grid; networks have its square of nodes.
    rng : int
    **kwargs
        Single parameters by dotted name.
    """

    def __init__(self, preset="organic", topology="torus", size=32, rng=1, **kwargs):
        if topology not in TOPOLOGIES:
            raise ValueError(f"topology must be one of {', '.join(TOPOLOGIES)}, not {topology!r}"
                             + closest(str(topology), TOPOLOGIES))
        # Sliders round what they are given: what lies within half a step of the preset's value is that value.
        given = Params.preset(preset)
        kwargs = {name: given[name] if name in SLIDERS and isinstance(given[name], float)
                  and abs(value - given[name]) <= (0.5 + 1e-9) * SLIDERS[name] / STEPS else value
                  for name, value in kwargs.items()}
        super().__init__(topology=TOPOLOGIES[topology](size), preset=preset, rng=rng, **kwargs)


def parameters(preset: str) -> dict:
    """Return what Mesa's page lets one choose: the parameters that matter, as the preset has them."""
    params = Params.preset(preset)
    chosen: dict = {"rng": Slider("seed", 1, 0, 100, 1),
                    "care.kind": {"type": "Select", "label": "care.kind", "values": list(CARE_KINDS),
                                  "value": params["care.kind"]}}
    for name, most in SLIDERS.items():
        group, _, part = name.partition(".")
        low = GROUPS[group].__dataclass_fields__[part].metadata
        step = most / STEPS
        value = params[name]
        chosen[name] = Slider(name, float(value if not isinstance(value, tuple) else value[0]),
                              step if low["open_low"] else 0.0, most, step)
    for name in ("production.rest", "demography.enabled"):
        chosen[name] = {"type": "Checkbox", "label": name, "value": params[name]}
    return chosen


def _brief(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


@solara.component
def Run(preset, topology, size):
    """Show a new model: Mesa's controls at the side, the view, and what can be drawn and taken home."""
    model = solara.use_reactive(solara.use_memo(lambda: PageModel(preset, topology, size), []))
    adjustable = solara.use_memo(lambda: parameters(preset), [])
    SolaraViz(model, components=[], name="organism",
              model_params={"preset": preset, "topology": topology, "size": size, **adjustable})
    with solara.Row(gap="32px", style={"flex-wrap": "wrap", "align-items": "flex-start"}):
        VIEW(model.value)
        Aside(model.value)


@solara.component
def Aside(model):
    """Draw pictures of the model when asked to, and offer what there is to take home."""
    name = solara.use_reactive(next(iter(PICTURES)))
    drawing = solara.lab.use_task(lambda: draw(model, name.value), dependencies=None, raise_error=False)
    picture = solara.use_memo(lambda: partial(picture_png, model, name.value), [model, name.value])
    files = solara.use_memo(lambda: {label: partial(make, model) for label, (_, make) in DOWNLOADS.items()}, [model])
    began = solara.use_memo(lambda: "; ".join(f"{name} {_brief(model.world.params[name])}"
                                              for name in ("care.kind", *SLIDERS)), [model])
    with solara.Column(style={"max-width": "640px", "flex": "1 1 400px"}):
        with solara.Card("Pictures"):
            solara.Select("picture", values=list(PICTURES), value=name)
            with solara.Row():
                solara.Button("Draw it as it is now", on_click=lambda: drawing(), disabled=drawing.pending)
                solara.FileDownload(picture, f"{name.value}.png", label="Download as PNG", mime_type="image/png")
            solara.ProgressLinear(drawing.pending)
            if drawing.error:
                solara.Error(f"It could not be drawn: {drawing.exception}")
            elif drawing.latest is not None:
                solara.FigureMatplotlib(drawing.latest, dependencies=[drawing.latest])
        with solara.Card("Parameters at the start"):
            solara.Text(began)
        with solara.Card("Download"), solara.Column():
            for label, (file, _) in DOWNLOADS.items():
                solara.FileDownload(files[label], file, label=label)


@solara.component
def Model():
    """Choose a world, and run it."""
    router = solara.use_router()
    asked = parse_qs((router.search or "").lstrip("?")).get("preset", ["organic"])[0]
    presets = Params.presets()
    preset = solara.use_reactive(asked if asked in presets else "organic")
    topology, size = solara.use_reactive("torus"), solara.use_reactive(32)
    wanted = (preset.value, topology.value, size.value)
    count = solara.use_memo(itertools.count, [])
    turn = solara.use_memo(lambda: next(count), [wanted])
    solara.Title("organism")
    with solara.Sidebar():
        with solara.Card("Model"):
            solara.Select("preset", values=list(presets), value=preset)
            solara.Text(presets[preset.value])
            solara.Select("topology", values=list(TOPOLOGIES), value=topology)
            solara.Select("size (side; networks have its square of nodes)", values=list(SIZES), value=size)
            solara.Text("Parameters below are taken up on Reset; sliders at the picture change the running world.")
        if turn % 2:
            solara.Div()        # what Mesa puts below keeps its state while it keeps its place: it gets another
    if asked not in presets and preset.value == "organic":
        solara.Error(f"no preset is called {asked!r}" + closest(asked, presets))
    Run(*wanted).key(" ".join(map(str, wanted)))
