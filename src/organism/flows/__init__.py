"""Who fed whom: flows between members as networkx graphs and SciPy matrices.

There are two records. The *decayed* one (``world.tie("trace")``) forgets at rate γ =
``exchange.memory`` and is what members act on; every world has it. The *exact* one
(``ledger=True``) adds up every unit sent since the members were born, per resource,
and keeps the accounts of the dead. An exact window is a difference of two readings:

>>> import organism as og
>>> world = og.World(og.Topology.grid((6, 6)), rng=1, ledger=True)
>>> world.step(50)
>>> before = reading(world)
>>> world.step(50)
>>> window = diff(reading(world), before)
>>> window.ticks
50

Amounts are goods *as sent*, before any loss on the way. In every matrix the row is
the giver; in every graph an edge points from the giver to the receiver.

**Networks of flows.** :func:`flow_network` takes such a graph, or any table of an ecosystem or an economy, and gives
the measures of both fields: throughflow, structure matrices, cycling, ascendency. :func:`effective_information`,
:func:`causal_emergence` and :func:`brokerage` ask what a graph does. Elsewhere: the map equation is
:func:`organism.wholes.codelength`, modularity ``networkx.community.modularity`` (or a level's ``statistics``),
reciprocity :func:`organism.measures.reciprocity` (of weights) and ``networkx.overall_reciprocity`` (of edges).
"""

from ._information import brokerage, causal_emergence, coarse_grained, effective_information
from ._network import FlowNetwork, flow_network
from ._record import Reading, add, diff, flow_matrix, interdependence, merge, reading

__all__ = ["FlowNetwork", "Reading", "add", "brokerage", "causal_emergence", "coarse_grained", "diff",
           "effective_information", "flow_matrix", "flow_network", "interdependence", "merge", "reading"]
