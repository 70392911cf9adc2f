"""Interventions: what an experimenter does to a world between two ticks.

``world.do(intervention)`` applies one and keeps it in ``world.history``. Goods
that appear or vanish are booked as *added* or *removed* in the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._checks import site_indices

__all__ = ["Intervention", "ablate", "assign", "permute_supply", "reset", "rewire", "scale"]


@dataclass(frozen=True)
class Intervention:
    """A named change of a world.

    Parameters
    ----------
    name : str
        What is done, in a few words; kept in the world's history.
    apply : callable
        Takes the world.
    """

    name: str
    apply: Callable

    def __call__(self, world) -> None:
        """Apply the intervention to ``world``."""
        self.apply(world)


def ablate(sites) -> Intervention:
    """Remove the members at ``sites`` with all they hold.

    Parameters
    ----------
    sites : int or sequence of int
        Occupied sites.
    """
    count = np.size(sites)
    return Intervention(f"ablate {count} member{'s' * (count != 1)}", lambda world: world.remove(sites))


def assign(name: str, values, sites=None) -> Intervention:
    """Set a column, as :meth:`World.set` does.

    Parameters
    ----------
    name : str
        A writable column.
    values : array_like
        One value, or an array that broadcasts to the column's shape.
    sites : int or sequence of int, optional
        Sites to write; all by default.
    """
    return Intervention(f"assign {name}", lambda world: world.set(name, values, sites))


def scale(name: str, factor, sites=None) -> Intervention:
    """Multiply a column.

    Parameters
    ----------
    name : str
        A writable column.
    factor : float or array_like
        One value, or one a resource.
    sites : int or sequence of int, optional
        Sites to write; all by default.

    Examples
    --------
    >>> import organism as og
    >>> world = og.World(og.Topology.grid((4, 4)), rng=1)
    >>> world.do(og.intervene.scale("supply", [0.5, 1, 1]))
    >>> world.state["supply"][0]
    array([0.5, 1. , 1. ], dtype=float32)
    """
    def apply(world):
        index = slice(None) if sites is None else site_indices(world.n_sites, sites)
        try:
            values = world.state[name][index] * np.asarray(factor, float)
        except (TypeError, ValueError):
            raise TypeError(f"factor must be one number, or one a resource, not {factor!r:.60}") from None
        world.set(name, values, sites)
    return Intervention(f"scale {name}", apply)


def permute_supply(rng) -> Intervention:
    """Give the sites each other's supply, in random order.

    Parameters
    ----------
    rng : int or numpy.random.Generator
    """
    def apply(world):
        order = np.random.default_rng(rng).permutation(world.n_sites)
        world.set("supply", world.state["supply"][order])
    return Intervention("permute supply", apply)


def reset(what: str = "both", sites=None) -> Intervention:
    """Unlearn: set the weights of a policy, and their eligibilities, to 0.

    Parameters
    ----------
    what : {"both", "policy", "share_policy"}
        The task policy, the share policy, or both.
    sites : int or sequence of int, optional
        Occupied sites; all by default.

    Raises
    ------
    ValueError
        If ``what`` is something else.
    """
    heads = {"policy": ("policy", "eligibility"), "share_policy": ("share_policy", "share_eligibility")}
    if what not in (*heads, "both"):
        raise ValueError(f"what must be policy, share_policy or both, not {what!r}")

    def apply(world):
        for head in heads if what == "both" else (what,):
            for name in heads[head]:
                world.set(name, 0, sites)
    return Intervention(f"reset {'policy and share_policy' if what == 'both' else what}", apply)


def rewire(topology) -> Intervention:
    """Replace the topology, as :meth:`World.rewire` does."""
    return Intervention("rewire", lambda world: world.rewire(topology))
