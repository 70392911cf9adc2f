"""What can be calculated instead of simulated: the analytic side of the local rules in `organism.interact`.

Each function names the activation and the update that it is about, as the simulation does: the same rule has another
law under another activation. Those marked *exact* hold for any finite population; *mean-field* ones for an infinite,
well mixed one; *in the limit* says of what.

================================ ====================================================================================
:func:`fixation`                 exact: who takes over a small graph, and when, under any update
:func:`one_step_fixation`        exact: the same for chains in which one number goes up or down by one
:func:`one_step_stationary`      exact: how long such a chain stays where
:func:`herding`                  exact: Kirman's ants, who recruit each other
:func:`coalescence_times`        exact: since when two sites have had one ancestor
:func:`critical_benefit_to_cost` in the limit of weak selection: from when on it pays to cooperate on a graph
:func:`opinion_weights`          exact: whose opinion counts how much for what voters agree on
:func:`replicator`               mean-field, in the limit of small steps: learning and evolution in games
:func:`response_equilibrium`     mean-field: who works when by response thresholds
:func:`threshold_equilibrium`    exact: how many join when all see how many have joined
:func:`diffusion_modes`          exact: the patterns that diffusion shrinks without changing them
:func:`diffusion`                exact: diffusion by these modes
================================ ====================================================================================
"""

from ._chains import herding, one_step_fixation, one_step_stationary
from ._coalescence import coalescence_times, critical_benefit_to_cost
from ._diffusion import diffusion, diffusion_modes
from ._fixation import Fixation, fixation
from ._learning import replicator
from ._opinions import opinion_weights
from ._thresholds import ResponseEquilibrium, response_equilibrium, threshold_equilibrium

__all__ = [
    "Fixation",
    "ResponseEquilibrium",
    "coalescence_times",
    "critical_benefit_to_cost",
    "diffusion",
    "diffusion_modes",
    "fixation",
    "herding",
    "one_step_fixation",
    "one_step_stationary",
    "opinion_weights",
    "replicator",
    "response_equilibrium",
    "threshold_equilibrium",
]
