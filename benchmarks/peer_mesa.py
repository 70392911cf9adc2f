"""The model written plainly in Mesa: one Python agent a member, one method a stage.

Passes 1 to 7 with the preset "organic" on a Moore torus. Every stage reads only
what earlier stages wrote, so ``agents.do`` may call the members in any order.
"""

from __future__ import annotations

from math import exp
from operator import mul

from mesa import Model
from mesa.discrete_space import FixedAgent, OrthogonalMooreGrid
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

RESOURCES = range(K)
FEATURES = range(1 + 2 * K)


class Member(FixedAgent):
    """A member: senses, chooses a task, produces, shares, burns and learns."""

    def __init__(self, model, cell):
        super().__init__(model)
        self.cell = cell
        self.stock = [START.stock + self.random.uniform(0, START.stock_spread) for _ in RESOURCES]
        self.skill = [START.skill] * K
        self.policy = [[self.random.gauss(0, START.policy_sd) for _ in FEATURES] for _ in RESOURCES]
        self.eligibility = [[0.0] * len(FEATURES) for _ in RESOURCES]
        self.share_policy = self.share_eligibility = 0.0
        self.baseline = self.welfare = START.welfare
        self.consumption = 0.0
        self.task_counts = [0.0] * K
        self.shortfall = [max(0.0, 1 - x / RESERVE) for x in self.stock]

    def meet_neighbours(self):
        """Note the neighbours once, as members never move; all ties start alike."""
        self.neighbours = [member for cell in self.cell.neighborhood for member in cell.agents]
        self.bond = dict.fromkeys(self.neighbours, 1.0)
        self.trace = dict.fromkeys(self.neighbours, 0.0)  # decayed sum of what each gave me

    def act(self):
        """Sense, choose and produce (passes 1 to 3)."""
        around = zip(*(member.shortfall for member in self.neighbours), strict=True)
        self.features = [1.0, *self.shortfall, *(sum(column) / len(self.neighbours) for column in around)]

        logits = [sum(map(mul, weights, self.features)) for weights in self.policy]
        top = max(logits)
        odds = [exp(logit - top) for logit in logits]
        total = sum(odds)
        self.softmax = [x / total for x in odds]
        self.chance = [(1 - EXPLORATION) * p + EXPLORATION / K for p in self.softmax]
        self.task = self.random.choices(RESOURCES, self.chance)[0]
        self.inclination = 1 / (1 + exp(-self.share_policy))
        self.share_chance = SHARE_EXPLORATION + (1 - 2 * SHARE_EXPLORATION) * self.inclination
        self.sharing = self.random.random() < self.share_chance

        self.stock[self.task] += BASE_YIELD * (1 + SKILL_GAIN * self.skill[self.task] ** 2)
        self.skill = [q + SKILL_UP * (1 - q) if m == self.task else q - SKILL_DOWN * q
                      for m, q in enumerate(self.skill)]
        self.task_counts = [TASK_MEMORY * n + (m == self.task) for m, n in enumerate(self.task_counts)]
        self.want = [max(0.0, RESERVE - x) for x in self.stock]

    def offer(self):
        """Decide how much to give, and at which rate per bond and want (pass 4, donor)."""
        self.sent = [0.0] * K
        if not self.sharing:
            return
        self.rate = [0.0] * K
        for k in RESOURCES:
            demand = bonded = 0.0
            for member, bond in self.bond.items():
                demand += member.want[k]
                bonded += bond * member.want[k]
            if bonded > 0:
                self.sent[k] = min(max(0.0, self.stock[k] - RESERVE), demand)
                self.rate[k] = self.sent[k] / bonded

    def receive(self):
        """Take what is offered, then burn, spoil and feel (passes 4, receiver, and 5)."""
        received = [0.0] * K
        for donor in self.neighbours:
            self.trace[donor] *= MEMORY
            if donor.sharing:
                bond = donor.bond[self]
                for k in RESOURCES:
                    flow = donor.rate[k] * bond * self.want[k]
                    received[k] += flow
                    self.trace[donor] += flow

        stock = [x - s + r for x, s, r in zip(self.stock, self.sent, received, strict=True)]
        burned = [min(x, NEED) for x in stock]
        self.stock = [(x - u) * (1 - SPOILAGE) for x, u in zip(stock, burned, strict=True)]
        self.consumption = MEMORY * self.consumption + sum(burned)
        satisfaction = 1.0
        for u in burned:
            satisfaction *= u / NEED
        self.welfare = satisfaction ** (1 / K) - SHARE_COST * sum(self.sent)
        self.shortfall = [max(0.0, 1 - x / RESERVE) for x in self.stock]

    def learn(self):
        """Appraise the tick, move both policies and the bonds (passes 6 and 7)."""
        imports = sum(self.trace.values())
        appraisal = self.welfare
        if imports > 0:
            others = sum(given * member.welfare for member, given in self.trace.items()) / imports
            care = CARE * min(1.0, imports / self.consumption / SATURATION)
            appraisal += care * (others - self.welfare)
        step = RATE * (appraisal - self.baseline)
        self.baseline += BASELINE_RATE * (appraisal - self.baseline)

        pull = (1 - EXPLORATION) * self.softmax[self.task] / self.chance[self.task]
        for m in RESOURCES:
            slope = pull * ((m == self.task) - self.softmax[m])
            self.eligibility[m] = [TRACE_DECAY * e + slope * f
                                   for e, f in zip(self.eligibility[m], self.features, strict=True)]
            self.policy[m] = [min(max(w + step * e, -TASK_BOUND), TASK_BOUND)
                              for w, e in zip(self.policy[m], self.eligibility[m], strict=True)]
        slope = (1 - 2 * SHARE_EXPLORATION) * self.inclination * (1 - self.inclination)
        slope = slope / self.share_chance if self.sharing else -slope / (1 - self.share_chance)
        self.share_eligibility = TRACE_DECAY * self.share_eligibility + slope
        self.share_policy = min(max(self.share_policy + step * self.share_eligibility, -SHARE_BOUND),
                                SHARE_BOUND)

        for member, given in self.trace.items():
            target = len(self.neighbours) * given / imports if imports > 0 else 1.0
            bond = self.bond[member]
            self.bond[member] = max(BOND_FLOOR, bond + BOND_RATE * (target - bond))


class MesaPeer(Model):
    """A full torus of :class:`Member`.

    Parameters
    ----------
    height, width : int
        Size of the torus, each at least 3.
    rng : int, optional
        Seed.
    """

    def __init__(self, height, width, rng=None):
        super().__init__(rng=rng)
        self.grid = OrthogonalMooreGrid((height, width), torus=True, capacity=1, random=self.random)
        for cell in self.grid.all_cells:
            Member(self, cell)
        self.agents.do("meet_neighbours")

    def step(self):
        """Advance one tick, stage by stage."""
        for stage in ("act", "offer", "receive", "learn"):
            self.agents.do(stage)

    def vital_signs(self) -> dict[str, float]:
        """Return welfare, division of labour, dependence and sharing."""
        members = list(self.agents)
        return vital_signs([m.welfare for m in members], [m.task_counts for m in members],
                           [sum(m.trace.values()) for m in members], [m.consumption for m in members],
                           [m.share_policy for m in members])
