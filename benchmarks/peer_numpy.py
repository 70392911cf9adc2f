"""The model vectorised in NumPy: members along the last axis, neighbours by index arrays.

Passes 1 to 7 with the preset "organic", or some of its parameters changed, on a
Moore torus, in single precision like the kernel. Tie ``d`` of member ``i`` leads to ``neighbour[d, i]``, and the
same pair seen from the other end is tie ``7 - d`` of that neighbour.
"""

from __future__ import annotations

import numpy as np
from organic import (
    BASE_YIELD,
    BASELINE_RATE,
    BOND_FLOOR,
    BOND_RATE,
    CARE,
    EXPLORATION,
    MEMORY,
    NEED,
    RATE,
    RESERVE,
    SATURATION,
    SHARE_BOUND,
    SHARE_COST,
    SHARE_EXPLORATION,
    SKILL_DOWN,
    SKILL_GAIN,
    SKILL_UP,
    SPOILAGE,
    START,
    TASK_BOUND,
    TASK_MEMORY,
    TRACE_DECAY,
    K,
    vital_signs,
)

TINY = 1e-30  # keeps 0/0 at 0
OFFSETS = [(dr, dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1) if (dr, dc) != (0, 0)]


class NumpyPeer:
    """A full torus of members as arrays.

    Parameters
    ----------
    height, width : int
        Size of the torus, each at least 3.
    rng : int or numpy.random.Generator, optional
        Seed or generator.
    dtype : numpy.float32 or numpy.float64
        Precision of the state.
    share_cost, care, saturation : float
        ``exchange.share_cost``, ``care.weight`` and ``care.saturation``.
    kind : {"interdependence", "neighbours"}
        ``care.kind``.
    floored : bool
        Whether appraisals see welfare floored at 0, as the prototype's did; the model's do not.
    """

    def __init__(self, height, width, rng=None, dtype=np.float32, *, share_cost=SHARE_COST, care=CARE,
                 saturation=SATURATION, kind="interdependence", floored=False):
        if kind not in ("interdependence", "neighbours"):
            raise ValueError(f"kind is 'interdependence' or 'neighbours', not {kind!r}")
        self.share_cost, self.care, self.saturation = share_cost, care, saturation
        self.kind, self.floored = kind, floored
        self.rng = np.random.default_rng(rng)
        self.dtype = np.dtype(dtype)
        n = height * width
        row, col = np.divmod(np.arange(n), width)
        self.neighbour = np.stack([(row + dr) % height * width + (col + dc) % width for dr, dc in OFFSETS])
        self.mate = self.neighbour + n * np.arange(8)[::-1, None]  # flat index into (8, N)
        self.tasks = np.arange(K)[:, None]

        def full(shape, value=0.0):
            return np.full(shape, value, dtype)

        self.stock = full((K, n), START.stock) + START.stock_spread * self.rng.random((K, n), self.dtype)
        self.skill = full((K, n), START.skill)
        self.policy = START.policy_sd * self.rng.standard_normal((K, 1 + 2 * K, n), self.dtype)
        self.eligibility = full(self.policy.shape)
        self.share_policy, self.share_eligibility = full(n), full(n)
        self.welfare, self.baseline = full(n, START.welfare), full(n, START.welfare)
        self.consumption = full(n)
        self.task_counts = full((K, n))
        self.bond = full((8, n), 1.0)
        self.trace = full((8, n))  # decayed sum of what each neighbour gave

    def step(self, n=1):
        """Advance ``n`` ticks."""
        for _ in range(n):
            self.tick(self.rng.random((2, self.stock.shape[1]), self.dtype))

    def tick(self, draws):
        """Advance one tick; ``draws`` (2, N) are the uniforms of task and sharing."""
        stock = self.stock
        shortfall = np.maximum(0, 1 - stock / RESERVE)
        features = np.concatenate([np.ones_like(stock[:1]), shortfall, self.around(shortfall).mean(1)])

        logits = np.einsum("mfn,fn->mn", self.policy, features)
        softmax = np.exp(logits - logits.max(0))
        softmax /= softmax.sum(0)
        chance = (1 - EXPLORATION) * softmax + EXPLORATION / K
        task = (draws[0] >= chance[:-1].cumsum(0)).sum(0)
        chosen = (self.tasks == task).astype(self.dtype)
        inclination = 1 / (1 + np.exp(-self.share_policy))
        share_chance = SHARE_EXPLORATION + (1 - 2 * SHARE_EXPLORATION) * inclination
        sharing = draws[1] < share_chance

        stock += chosen * (BASE_YIELD * (1 + SKILL_GAIN * self.skill**2))
        self.skill += (SKILL_DOWN + (SKILL_UP - SKILL_DOWN) * chosen) * (chosen - self.skill)
        self.task_counts *= TASK_MEMORY
        self.task_counts += chosen

        want = np.maximum(0, RESERVE - stock)
        wanted = self.around(want)
        bonded = np.einsum("dn,kdn->kn", self.bond, wanted)
        sent = np.minimum(sharing * np.maximum(0, stock - RESERVE), wanted.sum(1))
        rate = sent / np.maximum(bonded, TINY)
        flow = self.around(rate) * self.bond.take(self.mate)
        flow *= want[:, None]
        self.trace *= MEMORY
        self.trace += flow.sum(0)

        stock += flow.sum(1) - sent
        burned = np.minimum(stock, NEED)
        stock -= burned
        stock *= 1 - SPOILAGE
        self.consumption *= MEMORY
        self.consumption += burned.sum(0)
        self.welfare = np.cbrt((burned / NEED).prod(0)) - self.share_cost * sent.sum(0)

        imports = self.trace.sum(0)
        fed = imports > 0
        weight = np.where(fed, self.trace / np.maximum(imports, TINY), self.dtype.type(1 / 8))
        felt = np.maximum(0, self.welfare) if self.floored else self.welfare
        if self.kind == "neighbours":
            care, others = self.care, felt.take(self.neighbour).mean(0)
        else:
            care = self.care * np.minimum(1, imports / np.maximum(self.consumption, TINY) / self.saturation)
            others = np.einsum("dn,dn->n", weight, felt.take(self.neighbour))
        appraisal = felt + care * (others - felt)
        step = RATE * (appraisal - self.baseline)
        self.baseline += BASELINE_RATE * (appraisal - self.baseline)

        pull = (1 - EXPLORATION) * softmax[task, np.arange(task.size)] / chance[task, np.arange(task.size)]
        self.eligibility *= TRACE_DECAY
        self.eligibility += (pull * (chosen - softmax))[:, None] * features
        self.policy += step * self.eligibility
        np.clip(self.policy, -TASK_BOUND, TASK_BOUND, out=self.policy)
        slope = (1 - 2 * SHARE_EXPLORATION) * inclination * (1 - inclination)
        slope /= np.where(sharing, share_chance, share_chance - 1)
        self.share_eligibility *= TRACE_DECAY
        self.share_eligibility += slope
        self.share_policy += step * self.share_eligibility
        np.clip(self.share_policy, -SHARE_BOUND, SHARE_BOUND, out=self.share_policy)

        self.bond += BOND_RATE * (8 * weight - self.bond)
        np.maximum(self.bond, BOND_FLOOR, out=self.bond)

    def around(self, values):
        """Return the neighbours' values, (K, 8, N)."""
        return values.take(self.neighbour, axis=1)

    def vital_signs(self) -> dict[str, float]:
        """Return welfare, division of labour, dependence and sharing."""
        return vital_signs(self.welfare, self.task_counts.T, self.trace.sum(0), self.consumption,
                           self.share_policy)
