"""What a population is like: welfare, inequality, division of labour, dependence.

Pure functions: a :class:`~organism.World` or plain arrays in, numbers out; nothing
is changed. Handed to ``world.record`` they make time series. Conventions, once:

* Only living members count. ``each=True`` returns one value a member, in the order
  of ``world.living``, instead of the mean.
* Nothing returns NaN. An index that is undefined (nobody alive, one member, one
  task, 0/0) is 0; :class:`Gorelick` and :class:`DivisionOfLabour` flag it.
* Information is in bits; goods, ticks and welfare are the model's units.

**Remembered acts as a sample.** ``task_counts`` forget: an act of *a* ticks ago
weighs γᵃ (γ = ``production.task_memory``). T acts in a row leave a row that sums to
S = (1 − γᵀ)/(1 − γ) and estimate the member's task mix as well as

    n = (Σ weight)² / Σ weight² = S (1 + γ) / (2 − S (1 − γ))

equally weighted acts would (Kish 1965, *Survey Sampling*): 399 for γ = .995 in the
long run, T while the member is young. This ``n`` is what the nulls below draw.

**The null of the division of labour** is a permutation: the remembered acts are
thrown together and dealt out again at random, every member getting back as many as
it had. So each member draws from the population's own mix, nobody has a mix of its
own, and members differ by the luck of few draws alone. Acts count as independent
draws. Where need makes members alternate between tasks, as it does in this model,
rows are less scattered than that and the test is conservative; where the same act
comes in bouts of b ticks the test is too sure of itself: pass ``draws`` = n/b.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._exchange import dependence, given, reciprocity, share_propensity, share_rate
from ._inequality import entrenchment, gini, herfindahl, lorenz, top_share
from ._labour import INDICES, DivisionOfLabour, Gorelick, division_of_labour, division_of_labour_test, gorelick
from ._tasks import activity, dominant_task, effective_draws, specialisation, task_persistence
from ._welfare import welfare

__all__ = [
    "INDICES",
    "SCALARS",
    "DivisionOfLabour",
    "Gorelick",
    "activity",
    "dependence",
    "division_of_labour",
    "division_of_labour_test",
    "dominant_task",
    "effective_draws",
    "entrenchment",
    "gini",
    "given",
    "gorelick",
    "herfindahl",
    "lorenz",
    "reciprocity",
    "share_propensity",
    "share_rate",
    "specialisation",
    "task_persistence",
    "top_share",
    "vital_signs",
    "welfare",
]

#: The measures that make one number of a world, by name: ready for ``world.record``.
SCALARS: dict[str, Callable[[Any], float]] = {
    "welfare": welfare,
    "gini": gini,
    "division_of_labour": division_of_labour,
    "dependence": dependence,
    "reciprocity": reciprocity,
    "task_persistence": task_persistence,
    "share_rate": share_rate,
    "given": given,
    "activity": activity,
}


def vital_signs(world) -> dict[str, float]:
    """Return tick, number of members and every measure of :data:`SCALARS`, by name."""
    return {"tick": int(world.tick), "members": int(len(world.living)),
            **{name: measure(world) for name, measure in SCALARS.items()}}
