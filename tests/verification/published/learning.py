"""Learning and the replicator dynamics."""

import numpy as np

from organism import Topology
from organism.interact import activate
from organism.theory import replicator

SOURCE = ("Cross (1973) A stochastic learning model of economic behavior. *Quarterly J. Economics* 87: 239-266; "
          "Börgers, Sarin (1997) Learning through reinforcement and replicator dynamics. *J. Economic Theory* 77: "
          "1-14; Mei, Xiao, Szepesvári, Schuurmans (2020) On the global convergence rates of softmax policy gradient "
          "methods. *ICML*")
RULE = ("Two players; after action a with payoff u in [0, 1], x_a += d u (1 − x_a) and x_b −= d u x_b for the others; "
        "d = .001, 10,000 plays. A bandit with preferences θ and softmax probabilities π: after arm a with reward r, "
        "θ_b += η r ([a = b] − π_b).")
ACTIVATION = "each pair plays once a sweep; bandits synchronous"
NOTE = """\
The expected values at t = 10 are the differential equation, integrated by another program. The mean step of Cross's
rule is d times the replicator's slope, exactly; after 10,000 small steps the mean of many runs differs from the
equation by an amount of order d, hence ± .008. The exact gradient of a bandit of two arms, g apart, has the solution
D + sinh D = g t for the difference D of preferences, from which t (V* − V) → ½, the O(1/t) of Mei et al.; steps of η
= .01 follow it to that order."""
PENNIES = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
CASES = {
    "prisoner's dilemma from (.5, .5)": ([[.6, 0], [1, .2]], (.5, .5), (.077898, .077898)),
    "prisoner's dilemma from (.7, .6)": ([[.6, 0], [1, .2]], (.7, .6), (.152698, .085721)),
    "stag hunt from (.7, .6)": ([[1, 0], [.8, .4]], (.7, .6), (.617253, .590963)),
    "stag hunt from (.5, .5)": ([[1, 0], [.8, .4]], (.5, .5), (.108277, .108277)),
    "matching pennies from (.7, .6)": (PENNIES, (.7, .6), (.405959, .702502)),
}


def learned(payoff, start, runs, rng, plays=10_000, rate=.001):
    """Return the probabilities of the first action of both players after some plays, of many pairs."""
    pairs = Topology.from_edges(np.arange(runs), runs + np.arange(runs), 2 * runs)      # from rows to columns
    p = np.repeat(start, runs)
    made = activate(pairs, np.column_stack([p, 1 - p]), "cross_learning", "fixed", plays, rng=rng,
                    parameters={"payoff": payoff, "rate": rate})
    return made.state[:, 0].reshape(2, runs)


def expected(payoff, start, time=10):
    """Return the same by the replicator dynamics of two populations."""
    a, b = start
    return [float(one[0]) for one in replicator(payoff, [a, 1 - a], time, other=[b, 1 - b])]


def mean_step(payoff, x, y, rate, runs, rng):
    """Return the mean step of the row player, its standard error, and d times the replicator's slope."""
    A = np.array(payoff, float)
    moved = learned(payoff, (x, y), runs, rng, 1, rate)[0] - x
    gain = A @ [y, 1 - y]
    return moved.mean(), moved.std() / np.sqrt(runs), rate * x * (gain[0] - np.array([x, 1 - x]) @ gain)


def softmax(site, partner, neighbours, weights, state, out, shared, u):
    """Pull an arm drawn from the softmax of the state; or, with shared[0] = 0, follow the exact gradient."""
    chance = np.exp(state[site] - state[site].max())
    chance /= chance.sum()
    rate, worth = shared[1], shared[2:]
    if shared[0]:
        arm = np.searchsorted(np.cumsum(chance), u[0])
        out[site] -= rate * worth[arm] * chance
        out[site, arm] += rate * worth[arm]
    else:
        out[site] += rate * chance * (worth - chance @ worth)


def bandits(theta, worth, rate, pulls, runs=1, drawn=True, rng=None):
    """Return the preferences of so many softmax bandits after some pulls."""
    arms = Topology.from_edges([], [], runs)
    return activate(arms, np.tile(theta, (runs, 1)), softmax, "synchronous", pulls, shared=[drawn, rate, *worth],
                    rng=rng).state


def check(report, short=False):
    """Run the model and compare."""
    runs = 400 if short else 4000
    for name, (payoff, start, wanted) in CASES.items():
        report.near(f"{name}, replicator dynamics at t = 10", expected(payoff, start), wanted, 1e-6)
        if short and "stag" in name:
            continue
        found = [learned(payoff, start, runs, seed).mean(axis=1) for seed in (1, 2, 3)]
        report.near(f"{name}, mean of 3 × {runs:,} runs", np.mean(found, axis=0).tolist(), wanted, .008)
    for x, y in ((.7, .4), (.2, .9)):
        step, error, slope = mean_step([[.6, 0], [1, .2]], x, y, .25, 200_000, 5)
        report.sampled(f"mean of one step of Cross's rule at ({x}, {y}), d = .25", step, slope, error)


    theta, worth, runs = np.array([.3, -.2, .5]), np.array([.2, .9, .4]), 20_000 if short else 200_000
    chance = np.exp(theta) / np.exp(theta).sum()
    moved = bandits(theta, worth, .1, 1, runs, rng=3) - theta
    report.sampled(f"mean step of a softmax bandit of three arms, η π_a (r_a − r̄) ({runs:,} runs)", moved.mean(axis=0),
                   .1 * chance * (worth - chance @ worth), moved.std(axis=0) / np.sqrt(runs))
    gap, rate = .5, .01
    for time in (10,) if short else (10, 100, 1000):
        found = bandits([0.0, 0.0], [.8, .3], rate, round(time / rate), drawn=False)[0]
        apart = found[0] - found[1]
        report.near(f"two arms, exact gradient, t = {time}: (D + sinh D)/(g t)",
                    float((apart + np.sinh(apart)) / (gap * time)), 1, rate)
        if time == 1000:
            report.near("t (V* − V) → ½", float(time * gap / (1 + np.exp(apart))), .5, .01)


def draw(figure):
    """Paths of one pair, of the mean of many, and of the equation."""
    axes = figure.subplots(1, 2)
    for axis, name in zip(axes, ("prisoner's dilemma from (.7, .6)", "matching pennies from (.7, .6)"), strict=True):
        payoff, start, _ = CASES[name]
        times = np.linspace(0, 10, 41)
        row, column = replicator(payoff, [start[0], 1 - start[0]], times, other=[start[1], 1 - start[1]])
        axis.plot(row[:, 0], column[:, 0], color="black", label="replicator")
        path = np.array([learned(payoff, start, 300, 1, int(1000 * t)).mean(axis=1) for t in times[::4]])
        axis.plot(path[:, 0], path[:, 1], "o", ms=3, label="mean of 300 pairs")
        axis.set(title=name, xlabel="row plays the first action", ylabel="column plays the first action")
    axes[0].legend(fontsize=7)
