"""The preset "organic" as plain numbers, and the four figures on which its implementations are compared."""

from __future__ import annotations

import numpy as np

from organism.params import Params

PRESET = Params.preset("organic")

K = PRESET.resources
BASE_YIELD = PRESET.production.base_yield
SKILL_GAIN = PRESET.production.skill_gain
SKILL_UP = PRESET.production.skill_up
SKILL_DOWN = PRESET.production.skill_down
TASK_MEMORY = PRESET.production.task_memory
NEED = PRESET.metabolism.need
RESERVE = PRESET.metabolism.reserve
SPOILAGE = PRESET.metabolism.spoilage
SHARE_COST = PRESET.exchange.share_cost
BOND_RATE = PRESET.exchange.bond_rate
BOND_FLOOR = PRESET.exchange.bond_floor
MEMORY = PRESET.exchange.memory
RATE = PRESET.learning.rate
TRACE_DECAY = PRESET.learning.trace_decay
BASELINE_RATE = PRESET.learning.baseline_rate
EXPLORATION = PRESET.learning.exploration
SHARE_EXPLORATION = PRESET.learning.share_exploration
TASK_BOUND = PRESET.learning.task_bound
SHARE_BOUND = PRESET.learning.share_bound
CARE = PRESET.care.weight
SATURATION = PRESET.care.saturation
START = PRESET.start


def vital_signs(welfare, counts, imports, consumption, share_policy) -> dict[str, float]:
    """Return the figures on which two implementations of the model are compared.

    Parameters
    ----------
    welfare : array of float, (N,)
        Welfare of this tick, not floored.
    counts : array of float, (N, K)
        Decayed task counts.
    imports, consumption : array of float, (N,)
        Decayed sums of goods received and burned.
    share_policy : array of float, (N,)
        Weight φ of the share policy's constant.

    Returns
    -------
    dict
        ``welfare`` (mean, floored at 0), ``division`` (I(member; task)/H(task),
        not corrected for small counts), ``dependence`` (all imports over all
        consumption) and ``sharing`` (mean σ(φ)).
    """
    welfare, counts, imports, consumption, share_policy = (
        np.asarray(a, np.float64) for a in (welfare, counts, imports, consumption, share_policy))

    def entropy(p):
        return -(p * np.log(np.where(p > 0, p, 1))).sum()

    joint = counts / counts.sum()
    tasks, members = entropy(joint.sum(0)), entropy(joint.sum(1))
    return {
        "welfare": float(np.maximum(welfare, 0).mean()),
        "division": float((tasks + members - entropy(joint)) / tasks),
        "dependence": float(imports.sum() / consumption.sum()),
        "sharing": float((1 / (1 + np.exp(-share_policy))).mean()),
    }
