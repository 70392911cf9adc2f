"""What is shown of anybody's model: numbers or kinds by site, read from its attributes at each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import is_color_like

from .. import _paint
from .._drawing import PALETTE
from ..topology import Topology
from ._subject import Subject

__all__ = ["FieldSubject", "Layer", "read_layers"]


@dataclass(frozen=True)
class Layer:
    """Values by site, and how they are coloured.

    Parameters
    ----------
    values : str or callable
        An attribute of the model or a function of it: an array, a property layer or an `organism.Field`. One value
        a site of a topology or a node, or in two dimensions ``(width, height)``, as in Mesa; x goes right, y up.
        NaN is shown as nothing.
    low, high : float, optional
        Ends of the scale; by default the least and greatest seen.
    cmap : str, default "viridis"
        A colormap of matplotlib.
    categories : sequence of str, optional
        Names of kinds: then values are the numbers of kinds, from 0 on, and others are shown as nothing.
    colours : sequence of str, optional
        A colour for each kind; by default those of Okabe and Ito, which the colour-blind can tell apart.
    """

    values: Any
    low: float | None = None
    high: float | None = None
    cmap: str = "viridis"
    categories: Sequence[str] | None = None
    colours: Sequence[str] | None = None

    def __post_init__(self):
        if not (isinstance(self.values, str) or callable(self.values)):
            raise TypeError("values must be an attribute's name or a function of the model, not "
                            f"{type(self.values).__name__}")
        if self.cmap not in colormaps:
            raise ValueError(f"cmap must be a colormap of matplotlib, such as 'viridis', not {self.cmap!r}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low must be below high = {self.high:g}, not {self.low:g}")
        if self.categories is None:
            if self.colours is not None:
                raise ValueError("colours are those of categories; give both, or a cmap")
            return
        if isinstance(self.categories, str) or not 1 <= len(self.categories) <= 250:
            raise ValueError(f"categories must be 1 to 250 names, not {self.categories!r:.60}")
        colours = self.colours
        if colours is None:
            if len(self.categories) > len(PALETTE):
                raise ValueError(f"colours must be given for more than {len(PALETTE)} categories, and there are "
                                 f"{len(self.categories)}")
            object.__setattr__(self, "colours", PALETTE[:len(self.categories)])
        elif len(colours) != len(self.categories) or not all(map(is_color_like, colours)):
            raise ValueError(f"colours must be {len(self.categories)} colours, one a category, not {colours!r:.60}")

    def read(self, model):
        """Return what it is of a model: an array, or what has one."""
        return getattr(model, self.values) if isinstance(self.values, str) else self.values(model)


def read_layers(fields) -> dict[str, Layer]:
    """Return layers by name."""
    if not isinstance(fields, Mapping) or not fields:
        raise TypeError(f"fields must map names to layers, one at least, not {fields!r:.60}")
    return {str(name): layer if isinstance(layer, Layer) else Layer(layer) for name, layer in fields.items()}


def _array(found) -> np.ndarray:
    """Return the values themselves: of a Field, a property layer or whatever is like an array."""
    if not isinstance(found, np.ndarray):
        found = getattr(found, "array", getattr(found, "data", found))
    return np.asarray(found)


class FieldSubject(Subject):
    """Fields of any Mesa model as the view shows them.

    Parameters
    ----------
    model : mesa.Model
    layers : dict of str to Layer
    topology : Topology, str or callable, optional
    text : callable, optional
    """

    extras = False

    def __init__(self, model, layers, topology=None, text=None):
        self.model, self.layers, self._text = model, layers, text
        self.roles = self.wholes = None
        self.span: list = []
        if isinstance(topology, str):
            topology = getattr(model, topology)
        elif not isinstance(topology, Topology) and callable(topology):
            topology = topology(model)
        self._upwards = topology is None and _array(self._first()).ndim == 2    # as Mesa has it: x first, y upwards
        if topology is None:
            topology = self._found()
        elif not isinstance(topology, Topology):
            raise TypeError("topology must be a Topology, an attribute's name or a function of the model that returns "
                            f"one, not {type(topology).__name__}")
        self.world = SimpleNamespace(topology=topology, n_sites=topology.n_sites, model=model)
        self._place()

    def _first(self):
        return next(iter(self.layers.values())).read(self.model)

    def _found(self) -> Topology:
        """Return the topology that the first values tell of."""
        found = self._first()
        array = _array(found)
        if array.ndim == 2:
            return Topology.grid(array.shape[::-1], "von_neumann", torus=False)
        if isinstance(getattr(found, "topology", None), Topology):
            return found.topology
        raise ValueError(f"topology must be given: field {next(iter(self.layers))!r} has shape {array.shape}, and only "
                         "two dimensions or a Field say where sites are")

    @property
    def tick(self) -> int:
        """Steps the model has taken; Mesa 4 counts them as its time."""
        return int(getattr(self.model, "steps", self.model.time if hasattr(self.model, "time") else 0))

    def fork(self):
        """Refuse: a model is shown where it is."""
        raise TypeError("the view of a model cannot copy it")

    def step(self, n):
        """Refuse: Mesa's own controls step the model."""
        raise TypeError("the view of a model cannot step it; the model's own controls do")

    def kind(self):
        """Return what no other has: models are shown by themselves."""
        return id(self)

    def fields(self) -> list[str]:
        """Return the names of what colours can show."""
        return list(self.layers)

    def values(self, name: str) -> np.ndarray:
        """Return the values of a field, one a site."""
        array, topology = _array(self.layers[name].read(self.model)), self.world.topology
        if self._upwards and array.shape == topology.shape[::-1]:
            array = array.T[::-1]
        if array.size != topology.n_sites:
            raise ValueError(f"field {name!r} must have a value for each of the {topology.n_sites:,} sites, not shape "
                             f"{array.shape}")
        return array.reshape(-1)

    def paint(self, field: str) -> _paint.Painting:
        """Return codes (by row and column, where sites are cells), palette and legend."""
        layer, values = self.layers[field], self.values(field)
        if layer.categories is None:
            painting = _paint.paint_values(values, field, layer.low, layer.high, None, self.span, layer.cmap)
        else:
            painting = _paint.paint_categories(values, field, layer.categories, layer.colours)
        if self.cells:
            painting = painting._replace(codes=_paint.image(self.world.topology, painting.codes))
        return painting

    def text(self) -> str:
        """Say when it is, and what the model's own text says."""
        told = "" if self._text is None else f" · {self._text(self.model)}"
        return f"step {self.tick:,}{told}"

    def uid_at(self, site: int) -> None:
        """Return None: sites are shown, not members."""

    def name(self, site: int) -> str:
        """Return what a site is called: (x, y) of a property layer, else as its topology names it."""
        if not self._upwards:
            return super().name(site)
        height, width = self.world.topology.shape
        return f"({site % width}, {height - 1 - site // width})"

    def detail(self, site: int) -> dict:
        """Return the values at a site."""
        rows = []
        for name, layer in self.layers.items():
            value = self.values(name)[site].item()
            if layer.categories is not None:
                there = value == value and 0 <= value < len(layer.categories)
                value = layer.categories[int(value)] if there else "none"
            rows.append([name, value if isinstance(value, str) else f"{value:.4g}"])
        return {"title": self.name(site), "rows": rows, "at": self.at[site].tolist(), "suppliers": [], "clients": []}

    def slider(self, name: str):
        """Refuse: what can be changed in a running model is not known."""
        raise ValueError(f"{name} cannot have a slider: only parameters of an OrganismModel can")
