"""Reading the arguments of a Mesa model of a world."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import mesa
import numpy as np
from mesa.discrete_space import DiscreteSpace

from ._checks import closest
from .measures import SCALARS
from .member import Member
from .params import Params
from .topology import Topology
from .world import World

__all__ = ["check_kind", "count_members", "new_topology", "only_world", "parameters", "read_reporters",
           "read_scenario", "report_measure", "special_members"]


def only_world(world, **others) -> None:
    """Refuse what a world that is given has already."""
    if not isinstance(world, World):
        raise TypeError(f"world must be a World, not {type(world).__name__}")
    for name, value in others.items():
        if value is not None:
            raise ValueError(f"{name} is the world's own; leave it out with world (and change world instead)")


def read_scenario(scenario, rng):
    """Return the seed, the scenario as an instance and the parameters it sets."""
    if scenario is None:
        return rng, None, {}
    if not hasattr(mesa.Model, "scenario"):
        raise TypeError(f"scenario needs Mesa 3.5 or later, and this is Mesa {mesa.__version__}; use rng and"
                        " parameters")
    if isinstance(scenario, type):
        scenario, rng = scenario(rng=rng), None
    if rng is not None and scenario.rng is None and all(value is None for _, value in scenario):
        return rng, None, {}    # Mesa 3.5's page gives one that says nothing to every model it resets
    if rng is not None:
        raise ValueError("give rng or a scenario, which has its own rng, not both")
    rng = scenario.rng
    if hasattr(scenario, "initial_rng_state"):
        # Mesa 4 hands out one generator; a copy of its start gives a reused scenario the same world.
        rng = np.random.Generator(type(rng.bit_generator)())
        rng.bit_generator.state = scenario.initial_rng_state
    names = set(Params.names())
    return rng, scenario, {name: value for name, value in scenario if name in names}


def parameters(params, preset, changes) -> Params:
    """Return the parameters, or those of the preset, with changes."""
    if params is None:
        params = Params.preset("organic" if preset is None else preset)
    elif preset is not None:
        raise ValueError(f"give params or preset, not both (preset = {preset!r})")
    elif not isinstance(params, Params):
        raise TypeError(f"params must be Params, not {type(params).__name__}")
    return params.replace(**changes) if changes else params


def new_topology(width, height, topology, space) -> Topology:
    """Return the given topology, that of the given space, or a new grid."""
    sized = width is not None or height is not None
    if sized and (topology is not None or space is not None):
        raise ValueError("width and height make a new grid; leave them out with topology or space")
    if topology is not None and not isinstance(topology, Topology):
        raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
    if space is not None and not isinstance(space, DiscreteSpace):
        raise TypeError(f"space must be a space of mesa.discrete_space, not {type(space).__name__}")
    if topology is None:
        if space is not None:
            return Topology.from_space(space)
        for name, value in (("width", width), ("height", height)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Integral)):
                raise TypeError(f"{name} must be a whole number of cells >= 1, not {value!r}")
            if value is not None and value < 1:
                raise ValueError(f"{name} must be a whole number of cells >= 1, not {value}")
        return Topology.grid((64 if height is None else int(height), 64 if width is None else int(width)))
    if space is not None and len(list(space)) != topology.n_sites:
        raise ValueError(f"space has {len(list(space))} cells and topology {topology.n_sites} sites; each"
                         " site needs its cell")
    return topology


def check_kind(kind, name):
    """Refuse what is no kind of member."""
    if not (isinstance(kind, type) and issubclass(kind, Member)):
        raise TypeError(f"{name} must be a subclass of Member, not {kind!r}")


def special_members(members) -> list[tuple[Any, type[Member]]]:
    """Return special members as pairs of site and class."""
    if members is None:
        return []
    try:
        pairs = members.items() if isinstance(members, Mapping) else members
        pairs = [(site, kind) for site, kind in pairs]
    except (TypeError, ValueError):
        raise TypeError("members must map sites to subclasses of Member, or hold pairs of both,"
                        f" not {members!r}") from None
    for site, kind in pairs:
        check_kind(kind, f"members[{site!r}]")
    return pairs


def count_members(model):
    """Report the number of members; a model reporter."""
    return model.world.n_members


def report_measure(name):
    """Make a model reporter of a measure."""
    def report(model):
        return SCALARS[name](model.world)

    return report


def read_reporters(chosen, known, argument, make) -> dict[str, Any]:
    """Return reporters by name, from names or from a mapping such as Mesa takes."""
    if isinstance(chosen, Mapping):
        return dict(chosen)
    names = [chosen] if isinstance(chosen, str) else list(chosen)
    for name in names:
        if name not in known:
            raise ValueError(f"{argument} must hold names from {', '.join(known)}, not {name!r}"
                             + closest(name, known))
    return {name: make(name) for name in names}
