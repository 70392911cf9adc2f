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
        self.model, self.layers, self._text, self.roles, self.wholes = model, layers, text, None, None
        self.span: list = []
        if isinstance(topology, str):
            topology = getattr(model, topology)
        elif callable(topology):
            topology = topology(model)
        if topology is None:
            topology = self._found()
        elif not isinstance(topology, Topology):
            raise TypeError(f"topology must be a Topology, an attribute's name or a function of the model that "
                            f"returns one, not {type(topology).__name__}")
        self.world = SimpleNamespace(topology=topology, n_sites=topology.n_sites, model=model)
        self._place()

    def _found(self) -> Topology:
        """Return the topology that the first values tell of."""
        name, layer = next(iter(self.layers.items()))
        found = layer.read(self.model)
        array = _array(found)
        if array.ndim == 2:         # as Mesa has it: x first, y upwards
            return Topology.grid(array.shape[::-1], "von_neumann", torus=False)
        if isinstance(getattr(found, "topology", None), Topology):
            return found.topology
        raise ValueError(f"topology must be given: field {name!r} has shape {array.shape}, and only two dimensions "
                         "tell by themselves where sites are")

    def fork(self):
        """Refuse: a model is shown where it is."""
        raise TypeError("a view of somebody's model cannot copy it")

    def values(self, name: str) -> np.ndarray:
        """Return the values of a field, one a site."""
        array, topology = _array(self.layers[name].read(self.model)), self.world.topology
        if array.ndim == 2 and array.shape == (topology.shape or ())[::-1] and self._upwards:
            array = array.T[::-1]
        if array.size != topology.n_sites:
            raise ValueError(f"field {name!r} must have a value for each of {topology.n_sites:,} sites, not shape "
                             f"{array.shape}")
        return array.reshape(-1)
