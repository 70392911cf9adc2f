"""Blocks for anybody's arrays: what neighbours have, what goes between them, at compiled speed.

Every function takes a `Topology` and arrays with one row a site, and knows nothing of members: the arrays are the
caller's own. On a grid they may also have the grid's shape.

==================  =====================================================================================
``neighbour_sum``   sums over neighbours; also ``_mean``, ``_min``, ``_max``, ``_argmax``
``count_equal``     how many neighbours have the same; ``count_categories``: how many of each kind
``diffuse``         some steps of diffusion; ``flow``: one exchange of surplus for want; ``regrow``
``play``            games with the neighbours; ``imitate``: who earned most, or more
``evolve``          strategies that spread, in many replicates; gives an ``Evolution``
``activate``        a local rule, ready-made or the user's own, under a named activation; gives an ``Activated``
``RULE``            the type of a compiled rule for ctypes; ``RULE_NUMBA``: for numba
``within``          who is at most so many ties away
==================  =====================================================================================

Unless said otherwise a function is *synchronous*: all sites read what was there before, and the order of sites does not
matter. The *neighbours* of a site are the other ends of its out-ties; with ``direction="in"`` those of its in-ties.

>>> import numpy as np
>>> from organism import Topology
>>> from organism.interact import neighbour_sum
>>> neighbour_sum(Topology.grid((5, 5)), np.ones((5, 5), int))[0]
array([8, 8, 8, 8, 8])
"""

from ._activate import Activated, activate
from ._evolve import Evolution, evolve
from ._games import imitate, play
from ._reduce import (
    count_categories,
    count_equal,
    neighbour_argmax,
    neighbour_max,
    neighbour_mean,
    neighbour_min,
    neighbour_sum,
)
from ._rules import RULE, RULE_NUMBA
from ._spread import diffuse, flow, regrow
from ._walks import within

__all__ = [
    "RULE",
    "RULE_NUMBA",
    "Activated",
    "Evolution",
    "activate",
    "count_categories",
    "count_equal",
    "diffuse",
    "evolve",
    "flow",
    "imitate",
    "neighbour_argmax",
    "neighbour_max",
    "neighbour_mean",
    "neighbour_min",
    "neighbour_sum",
    "play",
    "regrow",
    "within",
]
