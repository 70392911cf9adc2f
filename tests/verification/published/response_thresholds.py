"""Division of labour by response thresholds."""

import numpy as np

from organism import Topology
from organism.interact import activate
from organism.theory import response_equilibrium

SOURCE = ("Bonabeau, Theraulaz, Deneubourg (1996) *Proc. R. Soc. B* 263: 1565-1569, (1998) *Bulletin of Mathematical "
          "Biology* 60: 753-807; Theraulaz, Bonabeau, Deneubourg (1998) *Proc. R. Soc. B* 265: 327-332")
RULE = ("An idle worker takes up a task with probability s²/(s² + θ²), a busy one leaves it with p = .2; then s ← "
        "max(0, s + δ − α N_act/N), with α = 3, δ = 1. Reinforced: θ falls by ξ = 10 at work and rises by φ = 1 "
        "otherwise, in [0, 1000]; an idle worker meets one uniform task a step.")
ACTIVATION = "synchronous"
NOTE = """\
That a third is at work holds for any thresholds while s stays above 0, because s neither grows nor falls for ever.
The values of s* and of the shares solve α Σ f x = δ with x = T/(T + p), T = s²/(s² + θ²). The values of p, α, δ and
of the thresholds (8 and 1) are of our choice, after the papers' ranges."""
MAJORS = {.1: (.36414, .01023, .36923), .5: (.71520, .03813, .62853), .9: (2.32667, .28054, .80844)}


def colony(thresholds, steps, drop, seed, **parameters):
    """Return what is seen at each step after some have been dropped, and the last state."""
    n = len(thresholds)
    crowd = Topology.from_edges([], [], n)
    state, shared, rng, seen = np.column_stack([np.zeros(n), thresholds]), None, np.random.default_rng(seed), []
    for many, keep in ((drop, False), (steps - drop, True)):
        if not many:
            continue
        made = activate(crowd, state, "response_threshold", "synchronous", many, rng=rng, shared=shared,
                        parameters=None if shared is not None else parameters,
                        until=(lambda now, s: seen.append((now[:, 0].copy(), s[5]))) if keep else None)
        state, shared = made.state, made.shared
    return seen, state


def check(report, short=False):
    """Run the model and compare."""
    n, steps, seeds = 1000, 3000 if short else 12_000, (1, 2, 3)
    for major, expected in MAJORS.items():
        theta = np.where(np.arange(n) < major * n, 8.0, 1.0)
        found = response_equilibrium([8, 1], [major, 1 - major])
        report.near(f"s*, majors and minors at work, {major:.0%} majors, mean-field", [found.stimulus, *found.active],
                    expected, 5e-6)
        work, many, few, stimulus = [], [], [], []
        for seed in seeds:
            seen, _ = colony(theta, steps, 1000, seed)
            busy = np.array([tasks for tasks, _ in seen]) > 0
            work.append(busy.mean())
            many.append(busy[:, theta == 8].mean())
            few.append(busy[:, theta == 1].mean())
            stimulus.append(np.mean([s for _, s in seen]))
        report.near(f"at work, {major:.0%} majors, N = {n:,}, {steps - 1000:,} steps, 3 seeds", float(np.mean(work)),
                    1 / 3, .002)
        if not short:
            report.near(f"s*, {major:.0%} majors, simulated", float(np.mean(stimulus)), expected[0], .005)
        report.near(f"majors and minors at work, {major:.0%} majors, simulated", [float(np.mean(many)),
                    float(np.mean(few))], expected[1:], .005)
    seen, state = colony(np.full((5, 2), 500.0), 40, 0, 1, learn=10, forget=1, highest=1000)
    tasks = np.array([one for one, _ in seen])
    share = np.column_stack([(tasks == k).mean(axis=0) for k in (1, 2)])
    report.near("reinforced: thresholds have moved by φ − (ξ + φ) · activity a step, so they rest at 1/11: greatest "
                "difference of ten", float(np.abs((state[:, 1:] - 500) / 40 - (1 - 11 * share)).max()), 0, 1e-9)
    runs, half = (8, 4000) if short else (40, 6000)
    activity, specialists = [], 0
    for seed in range(runs):
        seen, state = colony(np.full((5, 2), 500.0), 2 * half, half, seed, learn=10, forget=1, highest=1000)
        tasks = np.array([one for one, _ in seen])
        activity.append([(tasks == 1).mean(), (tasks == 2).mean()])
        specialists += bool(((state[:, 1:] < 100).sum(axis=0) >= 2).all())
    if short:
        report.same(f"reinforced: runs of {runs} that end with two or more specialists for each task", specialists,
                    runs)
        return
    report.same("reinforced: runs of 40 that end with two or more specialists (θ < 100) for each task", specialists, 40)
    report.near("reinforced: activity on each task, second half of 12,000 steps, mean of 40 runs",
                np.mean(activity, axis=0).tolist(), [1 / 3] * 2, .002)


def draw(figure):
    """Thresholds of five workers over time, for one task: who begins alike ends apart."""
    axes = figure.subplots(1, 2)
    crowd, state = Topology.from_edges([], [], 5), np.column_stack([np.zeros(5), np.full((5, 2), 500.0)])
    seen = []
    activate(crowd, state, "response_threshold", "synchronous", 6000, rng=1,
             parameters={"learn": 10, "forget": 1, "highest": 1000},
             until=lambda now, s: seen.append(now[:, 1:].copy()))
    seen = np.array(seen)
    for task, axis in enumerate(axes):
        axis.plot(seen[:, :, task])
        axis.set(title=f"thresholds for task {task + 1}", xlabel="step", ylabel="θ of five workers")
