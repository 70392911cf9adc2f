"""Card: any fixed specification fails sufficiently far out of distribution."""

from __future__ import annotations

import numpy as np

from .. import measures, regimes
from .._bootstrap import mean_interval
from ..topology import Topology
from .contract import COSTS, Card, Question, make_world
from .tables import listed, means, ruled

__all__ = ["Specification"]

COST = "exchange.share_cost"
#: The shifts, in the order of the ladder as it was thought out beforehand.
SHIFTS = ("none", "permuted", "scarce", "lesion", "rewired", "new resource", "harmful")
#: The operator that the others vary: blocks of 4×4, shortfalls 10 ticks old.
OPERATOR = {"view": 4, "delay": 10}
#: Who decides, by arm.
ARMS = {
    "organic": regimes.Organic(), "frozen": regimes.Organic(),
    "specified welfare": regimes.Specified(objective="welfare", care=True), "specified output": None,
    "specified welfare, told": regimes.Specified(objective="welfare", care=True, told=True),
    "rule": regimes.Rule(task="largest_own_and_neighbours_shortfall", share="always"),
    "operator": regimes.Corrigible(**OPERATOR), "operator, told": regimes.Corrigible(**OPERATOR, told=True),
    "operator, late": regimes.Corrigible(view=4, delay=300),
    "operator, erring": regimes.Corrigible(**OPERATOR, error=0.3),
    "operator, malicious": regimes.Corrigible(**OPERATOR, malice=0.1),
    "operator, one view": regimes.Corrigible(view=10_000, delay=10),
    "endorsed": regimes.Endorsed(operator=regimes.Corrigible(**OPERATOR)),
    "endorsed, late": regimes.Endorsed(operator=regimes.Corrigible(view=4, delay=300)),
    "endorsed, erring": regimes.Endorsed(operator=regimes.Corrigible(**OPERATOR, error=0.3)),
    "endorsed, malicious": regimes.Endorsed(operator=regimes.Corrigible(**OPERATOR, malice=0.1)),
}
#: What an arm of endorsement is compared with, and after which shifts: where its operator is a bad one.
BAD = {"late": ("new resource", "harmful"), "erring": ("none",), "malicious": ("none",)}
#: Where the shifts change neither needs nor harms, a stated welfare is the same as that which members feel.
SAME = ("none", "permuted", "scarce", "lesion", "rewired")
#: An arm leads with the best if it ends within so much welfare of it.
CLOSE = 0.05
#: Arms that are run at every share_cost.
MAIN = ("organic", "frozen", "specified welfare", "specified welfare, told", "rule", "operator", "operator, told",
        "endorsed")


def _land(active: int, rng):
    """Return a function of a topology that gives each site one rich good of the active ones, and none of the last."""
    def columns(topology):
        supply = np.full((topology.n_sites, active + 1), 0.7)
        supply[np.arange(topology.n_sites), rng.integers(0, active, topology.n_sites)] = 1.4
        supply[:, active] = 0
        return {"supply": supply}
    return columns


def _shift(world, name: str, active: int, rng) -> None:
    """Change the world, by one rung of the ladder; ``rng`` says who and where."""
    supply = world.state["supply"].copy()
    if name == "permuted":                      # every site's rich good is another one
        supply[:, :active] = np.roll(supply[:, :active], 1, axis=1)
        world.set("supply", supply)
    elif name == "scarce":
        supply[:, 0] /= 2
        world.set("supply", supply)
    elif name == "lesion":
        living = world.living
        world.remove(rng.permutation(living)[:len(living) // 5])
    elif name == "rewired":                     # as many ties, to anybody
        import networkx as nx

        degree = [int(d) for d in world.topology.out_degree]
        graph = nx.Graph(nx.configuration_model(degree, seed=int(rng.integers(2**32))))
        graph.remove_edges_from(list(nx.selfloop_edges(graph)))
        world.rewire(Topology.from_networkx(graph, order=range(world.n_sites)))
    elif name == "new resource":
        supply[:, active] = 1
        world.set("supply", supply)
        world.update(**{"metabolism.need": 1.0, "metabolism.reserve": 2.0})
    elif name == "harmful":
        world.update(**{"metabolism.harmful": (active - 1,)})


def _run(world, ticks: int) -> float:
    """Run on and return mean welfare, read 10 times."""
    found = []
    for _ in range(10):
        world.step(max(1, ticks // 10))
        found.append(measures.welfare(world))
    return float(np.mean(found))


class Specification(Card):
    """All regimes on one world and one budget, along a ladder of shifts."""

    name = "specification"
    sentence = "Any fixed specification fails sufficiently far out of distribution; only what was grown can follow."
    holders = ("Proponents of organic alignment: a stated objective is a guess about the world in which it was stated.")
    deniers = ("Proponents of specification and control: a stated objective can be restated, and an operator who is "
               "told of the change does better than any member could.")
    definitions = {
        "fixed specification": "members learn by the same rule, on the same budget, from the welfare formula with the "
                               "needs and harms stated before the shift",
        "grown": "members learn from their appraisal: own welfare and that of those they depend on",
        "fails": "welfare in the last quarter of 4,000 ticks after the shift",
        "far": "the welfare that frozen policies lose in the first quarter after the shift",
    }
    setting = ("24×24 torus; three goods and a fourth that is there from the start with supply, need and reserve "
               "0; each site is rich in one good (1.4 against .7). 4,000 ticks under one regime, then forks with "
               "one shift each and 4,000 ticks more: none, goods permuted among the sites' riches, one good's "
               "supply halved, a fifth of the members lost, ties rewired at random, the fourth good switched on, "
               "the third turned harmful. Regimes: organic, frozen at the shift, stated welfare (also restated "
               "at once when needs or harms change), stated output of an assigned good, a hand-written rule, an "
               "operator (blocks 4×4, 10 ticks late) and her late, erring, malicious, one-view and informed sisters, "
               "and obedience by endorsement to her and to the late, erring and malicious ones. The main regimes at "
               "share_cost 0, .02, .05 and .15.")
    prediction = ("After a good has turned harmful, organic members end with more welfare, by more than .1, than "
                  "members who learn from the welfare stated before.")
    opposite = "The difference stays below .1."
    known = ("A prototype of the model had shown that a competent operator beats organic members when supply is "
             "permuted, loses in scarcity, fails wholly when a good turns harmful and does best of all if told of it; "
             "and that endorsement rescues members from bad operators.")
    amendments = (
        "That an operator who is told might end as high stood in the opposite as well as in a question of its own; "
        "prediction and opposite could both come true. It is now the rival question alone.",
        "Two of the twenty replicates had been looked at before the full run, to see the figure; after that only this "
        "text, the opposite, the reading and the figure's labels were changed.",
        "A welfare that is restated at once, which is the deniers' own regime, and endorsement of erring and malicious "
        "operators were added with the first results known; endorsement of a late operator had been asked about "
        "without a shift, where she is not a bad one.",
        "That five of the seven comparisons with a stated welfare are identities had not been said.")
    rival = "told"
    rival_variations = tuple(f"told, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    variations = tuple(f"harmful, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    null = ("The same fork without a shift; frozen policies (that they lose to learners is trivial and not counted); "
            "an operator who is told. Without a shift and after those that change neither needs nor harms, the stated "
            "welfare is the felt one, and the two arms must be equal to the last bit: that they are checks the code "
            "and says nothing about the sentence.")
    limits = ("What the first question measures is the price of a list of needs and harms that nobody brings up to "
              "date; that there is a price follows from the rules of the model, and only how high it is does not: that "
              "the verdict is the same in every setting is no sign of how general it is. "
              "Organic members feel the harm directly, in their own welfare: the card asks what that is worth, not "
              "whether it could be built in. The operator's rule is one of many. Goods, information and compute are "
              "counted, not priced.")
    references = ("Soares, Fallenstein, Yudkowsky, Armstrong (2015) Corrigibility. AAAI Workshops.",
                  "Amodei and others (2016) Concrete problems in AI safety. arXiv:1606.06565.")
    questions = (
        Question(name="harmful", text="After a good has turned harmful, do organic members fare better than those with "
                                      "a welfare stated before?",
                 treatment={"arm": "organic", COST: 0.02}, control={"arm": "specified welfare", COST: 0.02},
                 measure="late, harmful", smallest=0.1),
        Question(name="in distribution", text="Without a shift, do the two fare alike?",
                 treatment={"arm": "organic", COST: 0.02}, control={"arm": "specified welfare", COST: 0.02},
                 measure="late, none", smallest=0.1, direction=0),
        *(Question(name=shift, text=f"The same after: {shift}.",
                   treatment={"arm": "organic", COST: 0.02}, control={"arm": "specified welfare", COST: 0.02},
                   measure=f"late, {shift}", smallest=0.1) for shift in SHIFTS if shift not in ("none", "harmful")),
        *(Question(name=f"operator, {shift}", text=f"Do organic members fare better than under the operator: {shift}?",
                   treatment={"arm": "organic", COST: 0.02}, control={"arm": "operator", COST: 0.02},
                   measure=f"late, {shift}", smallest=0.1) for shift in SHIFTS),
        Question(name="told", text="And better than under an operator who is told of the harm?",
                 treatment={"arm": "organic", COST: 0.02}, control={"arm": "operator, told", COST: 0.02},
                 measure="late, harmful", smallest=0.1),
        *(Question(name=f"told, share_cost {cost:g}", text=f"Than under one who is told, at share_cost {cost:g}?",
                   treatment={"arm": "organic", COST: cost}, control={"arm": "operator, told", COST: cost},
                   measure="late, harmful", smallest=0.1) for cost in COSTS if cost != 0.02),
        *(Question(name=f"restated, {shift}", text=f"Better than learners whose stated welfare is restated at once: "
                                                   f"{shift}?",
                   treatment={"arm": "organic", COST: 0.02}, control={"arm": "specified welfare, told", COST: 0.02},
                   measure=f"late, {shift}", smallest=0.1) for shift in SHIFTS if shift not in SAME),
        *(Question(name=f"endorsement, {operator}, {shift}",
                   text=f"Does endorsement rescue members from the {operator} operator: {shift}?",
                   treatment={"arm": f"endorsed, {operator}", COST: 0.02},
                   control={"arm": f"operator, {operator}", COST: 0.02}, measure=f"late, {shift}", smallest=0.1)
          for operator, shifts in BAD.items() for shift in shifts),
        *(Question(name=f"harmful, share_cost {cost:g}", text=f"The first question at share_cost {cost:g}.",
                   treatment={"arm": "organic", COST: cost}, control={"arm": "specified welfare", COST: cost},
                   measure="late, harmful", smallest=0.1) for cost in COSTS if cost != 0.02),
    )
    ticks = 4000

    def points(self) -> list[dict]:
        """Return the points of the design."""
        return [{"arm": arm, COST: cost, "ticks": self.ticks} for cost in COSTS
                for arm in (ARMS if cost == 0.02 else MAIN)]

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Train the arm of a point with rng, then run one fork for each shift."""
        arm, ticks = point["arm"], int(point["ticks"])
        active = int(point.get("resources") or 3)
        changes = {"metabolism.need": (*[1.0] * active, 0.0), "metabolism.reserve": (*[2.0] * active, 0.0)}
        world = make_world({**point, "resources": active + 1}, rng, columns=_land(active, rng), **changes)
        if arm == "specified output":
            for good in range(active):
                theirs = np.arange(world.n_sites) % active == good
                world.govern(regimes.Specified(objective="output", good=good), theirs)
        elif arm != "organic":
            world.govern(ARMS[arm])
        world.step(ticks - ticks // 4)
        found = {"before": _run(world, ticks // 4)}
        # under the changes of the robustness grid only the first question is asked
        shifts = SHIFTS if isinstance(point.get("variation"), float) or not point.get("variation") else SHIFTS[-1:]
        seeds = {shift: int(rng.integers(2**32)) for shift in SHIFTS}
        for shift in shifts:
            fork = world.fork()
            if arm == "frozen":
                fork.govern(regimes.Frozen())
            _shift(fork, shift, active, np.random.default_rng(seeds[shift]))
            found[f"early, {shift}"] = _run(fork, ticks // 4)
            fork.step(ticks // 2)
            found[f"late, {shift}"] = _run(fork, ticks // 4)
            found[f"goods sent, {shift}"] = float(fork.state["given"].sum()) / max(1, fork.n_members)
        return {**found, **_costs(world, arm)}

    def reading(self, findings, frame) -> str:
        """Say from findings who leads at which shift in the runs of frame, and what telling the operator changes."""
        verdicts = {name: finding.verdict for name, finding in findings.items()}
        behind = {shift: "supports" if findings[f"operator, {shift}"].high < -0.1 else
                  "contradicts" if findings[f"operator, {shift}"].low > -0.1 else "underdetermined" for shift in SHIFTS}
        return " ".join([
            ruled({shift: verdicts[shift] for shift in SHIFTS if shift not in SAME},
                  "learners who feel the change lead learners with a stated welfare after: {}",
                  "learners who feel the change do not lead those with a stated welfare after: {}",
                  "whether those who feel it lead stays open after: {}"),
            {"supports": "Where needs and harms do not change the two are the same by the rules of the model.",
             "contradicts": "Already without a shift they differ, which the rules of the model do not allow.",
             "underdetermined": "Whether they fare alike without a shift stays open."}[verdicts["in distribution"]],
            ruled({shift: verdicts[f"restated, {shift}"] for shift in SHIFTS if shift not in SAME},
                  "those who feel the change lead learners whose stated welfare is restated at once after: {}",
                  "those who feel the change do not lead learners whose stated welfare is restated at once after: {}",
                  "whether they lead learners whose stated welfare is restated at once stays open after: {}"),
            ruled({shift: verdicts[f"operator, {shift}"] for shift in SHIFTS},
                  "organic members lead the operator after: {}", "organic members do not lead the operator after: {}",
                  "whether organic members lead stays open after: {}"),
            ruled(behind, "the operator leads organic members by more than .1 after: {}",
                  "the operator does not lead organic members by more than .1 after: {}",
                  "whether the operator leads organic members by more than .1 stays open after: {}"),
            {"supports": "Told of the harm, the operator still does worse than the members who feel it.",
             "contradicts": "An operator who is told of the harm does as well as the members who feel it, or better: "
                            "what fails is the specification that nobody restates.",
             "underdetermined": "Whether an operator who is told does as well stays open."}[verdicts["told"]],
            ruled({f"the {operator} one ({shift})": verdicts[f"endorsement, {operator}, {shift}"]
                   for operator, shifts in BAD.items() for shift in shifts},
                  "obeying by endorsement rescues members from a bad operator: {}",
                  "endorsement does not rescue them from: {}", "whether endorsement rescues them stays open of: {}"),
            self._leaders(frame)])

    def _leaders(self, frame) -> str:
        """Say who ends best at which distance, and at what cost."""
        rows = self._ladder(frame)
        first, last = rows[0], rows[-1]
        leaders = [f"after {row['shift']} {listed(row['best'][:3])} lead" for row in rows]
        text = (f"From the nearest shift to the farthest (of {len(ARMS)} regimes, up to three that are within "
                f"{CLOSE:g} of the best): {'; '.join(leaders)}. ")
        always = [arm for arm in first["best"] if all(arm in row["best"] for row in rows)]
        text += f"{listed(always)} is among the best everywhere. " if always else "Nobody is the best everywhere. "
        costs = self.main(frame)
        columns = ["numbers read", "weights learned", "goods sent, none"]
        costs = costs[costs[COST] == 0.02].groupby("arm")[columns].mean().rename(index=_named)
        named = dict.fromkeys([*always, first["best"][0], last["best"][0], "organic"])
        return text + "A tick takes of a member: " + "; ".join(
            "{} takes {:.0f} numbers read, {:.0f} weights learned and {:.2f} goods sent".format(arm, *costs.loc[arm])
            for arm in named) + "."

    def _ladder(self, frame) -> list[dict]:
        """Return, for each shift from the nearest to the farthest, how far it is and who that learns ends best."""
        here = self.main(frame)
        here = here[here[COST] == 0.02]
        far, here = self._distances(here), here[here["arm"] != "frozen"]
        ends = {shift: here.groupby("arm")[f"late, {shift}"].mean().sort_values(ascending=False) for shift in SHIFTS}
        return [{"shift": shift, "far": far[shift], "welfare": float(ends[shift].iloc[0]),
                 "best": [_named(arm) for arm in ends[shift].index[ends[shift] > ends[shift].iloc[0] - CLOSE]]}
                for shift in sorted(SHIFTS, key=far.get)]

    @staticmethod
    def _distances(here) -> dict[str, float]:
        """Return the welfare that frozen policies lose at first after each shift."""
        frozen = here[here["arm"] == "frozen"]
        return {shift: float(frozen["before"].mean() - frozen[f"early, {shift}"].mean()) for shift in SHIFTS}

    def tables(self, frame) -> dict:
        """Return, from frame, how each regime fares after each shift, and what it takes."""
        import pandas as pd

        here = self.main(frame)
        ladder = pd.DataFrame([row | {"best": listed(row["best"]), "far": f"{row['far']:.2f}",
                                      "welfare": f"{row['welfare']:.2f}"} for row in self._ladder(frame)])
        found = {"Who leads at which distance, at share_cost .02": ladder.rename(columns={
            "far": "distance (welfare frozen policies lose at first)", "welfare": "welfare of the best",
            "best": f"within {CLOSE:g} of the best"})}
        for cost in COSTS:
            found[f"Welfare, last quarter after each shift, at share_cost {cost:g}"] = means(
                here[here[COST] == cost], ["arm"], {shift: f"late, {shift}" for shift in SHIFTS})
        found["What it takes, at share_cost .02 (a member and tick)"] = means(
            here[here[COST] == 0.02], ["arm"], {"welfare before": "before", "goods sent": "goods sent, none",
                                                "numbers read": "numbers read", "weights learned": "weights learned"})
        return found

    def figure(self, frame, figure=None):
        """Draw, into figure, welfare of frame late after each shift against how far it was, for each regime."""
        from matplotlib.figure import Figure

        from ..plots import PALETTE

        figure = Figure(figsize=(12, 4.6), layout="constrained") if figure is None else figure
        here = self.main(frame)
        here = here[here[COST] == 0.02]
        far = self._distances(here)
        order = sorted(SHIFTS, key=far.get)
        lines = {"organic": PALETTE[2], "specified welfare": PALETTE[4], "specified welfare, told": PALETTE[4],
                 "operator": PALETTE[0], "operator, told": PALETTE[0], "endorsed": PALETTE[1], "rule": PALETTE[3],
                 "frozen": "#777777"}
        bad = dict(zip(BAD, (PALETTE[0], PALETTE[1], PALETTE[3]), strict=True))
        more = {"organic": PALETTE[2], **{f"{who}, {how}": colour for how, colour in bad.items()
                                          for who in ("operator", "endorsed")},
                "operator, one view": PALETTE[5], "specified output": PALETTE[4]}
        main, others = figure.subplots(1, 2, sharey=True)
        for ax, arms in ((main, lines), (others, more)):
            for arm, colour in arms.items():
                runs = here[here["arm"] == arm]
                mean, low, high = np.transpose([mean_interval(runs[f"late, {shift}"]) for shift in order])
                better = arm.endswith("told") or arm.startswith("endorsed,")
                ax.plot(range(len(order)), mean, "o--" if better else "o-", color=colour, markersize=4, label=arm)
                ax.fill_between(range(len(order)), low, high, color=colour, alpha=0.2, linewidth=0)
            labels = [f"{shift}\n({far[shift]:.2f})".replace("new ", "new\n") for shift in order]
            ax.set_xticks(range(len(order)), labels, fontsize=8)
            ax.set(xlabel="shift (welfare that frozen policies lose at first)", ylim=(0, 1.02))
            ax.spines[["top", "right"]].set_visible(False)
            ax.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
        main.set_ylabel("welfare, last quarter after the shift (0–1)")
        return figure


def _named(arm: str) -> str:
    """Return an arm's name as it goes into a list: "operator (told)"."""
    head, _, tail = arm.partition(", ")
    return f"{head} ({tail})" if tail else head


def _costs(world, arm: str) -> dict:
    """Count what a regime reads and computes, for a member and tick."""
    p, degree = world.params, float(world.topology.out_degree.mean())
    learns = arm == "organic" or arm.startswith(("specified", "endorsed"))
    reads = p.resources * degree if arm in ("organic", "frozen", "rule") or learns else 0.0   # neighbours' shortfalls
    reads += degree if arm == "organic" or learns and arm != "specified output" else 0.0      # others' welfare
    ordered = arm.startswith(("operator", "endorsed"))
    return {"numbers read": reads + (p.resources + 1.0 if ordered else 0.0),                  # upwards, and the order
            "weights learned": float(p.tasks * p.features + 1) if learns else 0.0}
