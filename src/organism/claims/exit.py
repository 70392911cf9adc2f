"""Card: the strong will come to see the weak as parasites."""

from __future__ import annotations

import dataclasses

import numpy as np

from .._bootstrap import mean_interval
from ..regimes import ramp
from .contract import COSTS, Card, Finding, Question, decide, make_world
from .tables import listed, means, ruled, with_interval

__all__ = ["Exit"]

COST = "exchange.share_cost"
KINDS = ("self", "neighbours", "interdependence", "whole", "kin")
CARING = KINDS[1:]
#: How many times as capable the strong become.
POWERS = (1.0, 2.0, 5.0, 10.0)
#: Ticks over which a ramp spreads the change, and its steps; share weight that leaves only the floor.
RAMP, STEPS, REFUSAL = 2000, 20, -6.0
#: Measures of a fall: which flow of the twin's can fall, and how much of it there is to lose.
FALLS = {"change of net flow": ("twin net flow", 1.0), "change of flow": ("twin strong to weak", 1.0),
         "net flow beyond half": ("twin net flow", 0.5)}


def _able(world, strong: np.ndarray) -> np.ndarray:
    """Say who is strong: with births and deaths strength is inherited, so it is read anew."""
    grown = world.state["capability"] > 1
    return grown if world.params.demography.enabled and grown.any() else strong


def _flows(world, strong: np.ndarray, ticks: int) -> dict:
    """Run on and return the mean flows between the groups and their welfare.

    A flow is in goods a tick and member of the giving group: what went along its ties, exactly. It is
    read 20 times; with births and deaths every 5 ticks, since a tie's total begins anew with whoever
    is at its ends.
    """
    topology, span = world.topology, max(1, 5 if world.params.demography.enabled else ticks // 20)
    rows, before, uid = [], world.tie("total").sum(axis=1), world.state["uid"].copy()
    for _ in range(max(1, ticks // span)):
        world.step(span)
        able, total, here = _able(world, strong), world.tie("total").sum(axis=1), world.state["occupied"]
        stayed = world.state["uid"] == uid
        flow = np.where(stayed[topology.source] & stayed[topology.target], total - before, total) / span
        before, uid = total, world.state["uid"].copy()
        giver, taker = able[topology.source], able[topology.target]
        welfare = np.maximum(world.state["welfare"], 0)
        sizes = max(1, int((here & able).sum())), max(1, int((here & ~able).sum()))
        rows.append([flow[giver & ~taker].sum() / sizes[0], flow[~giver & taker].sum() / sizes[1],
                     flow[~giver & ~taker].sum() / sizes[1], flow[giver & taker].sum() / sizes[0],
                     welfare[here & able].mean() if (here & able).any() else np.nan,
                     welfare[here & ~able].mean() if (here & ~able).any() else np.nan])
    names = ("strong to weak", "weak to strong", "weak to weak", "strong to strong", "welfare strong", "welfare weak")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def _asked(kind: str, **more) -> dict:
    return {"kind": kind, "power": 5.0, "way": "step", "bonds": True, COST: 0.02, **more}


def _named(name: str, cost: float) -> str:
    """Return the name of a question at a cost of sharing."""
    return name if cost == 0.02 else f"{name}, share_cost {cost:g}"


def _mean(frame, condition: dict, measure: str) -> float:
    """Return the mean of a measure over the runs that fulfil a condition."""
    return float(frame.loc[np.all([frame[key] == value for key, value in condition.items()], axis=0), measure].mean())


def _beside(frame):
    """Return, for each pair of runs with one seed, net flows of the selfish and under care by interdependence."""
    import pandas as pd

    runs = frame[(frame["way"] == "step") & frame["bonds"].astype(bool) & (frame["power"] > 1)
                 & frame["kind"].isin(("self", "interdependence"))]
    flows = runs.pivot(index=[COST, "power", "replicate"], columns="kind", values=["net flow", "twin net flow"])
    (own, net), (own_twin, twin) = ((flows[flow, "self"], flows[flow, "interdependence"])
                                    for flow in ("net flow", "twin net flow"))
    return pd.DataFrame({"selfish": own, "net": net, "twin": twin, "beyond": net - own,
                         "twin beyond": twin - own_twin}).reset_index()


def _at(flows) -> str:
    """Return the costs of sharing of a table of flows in words."""
    return f"at share_cost {listed(f'{cost:g}' for cost in flows.index)}"


class Exit(Card):
    """Half of the members become more capable; what still flows to the other half, beside a twin world."""

    name = "exit"
    party = -1
    sentence = "When some grow much stronger, they come to see the weak as parasites, and stop feeding them."
    holders = ("Critics of alignment by mutual dependence: whoever no longer depends on the others has no reason left "
               "to care for them.")
    deniers = ("Those who hold that care once grown outlasts need, and that the strong, having more, give more.")
    definitions = {
        "strong": "half of the members, drawn at random, whose capability rises from 1 to m",
        "stop feeding": "flow from strong to weak, in goods a tick and strong member, less what the exploration floor "
                        "alone makes them give (a fork in which the strong's share weights are held at "
                        f"{REFUSAL:g}), against the same in a twin world in which nobody changes",
        "suffer": "mean welfare of the weak against that of the same members in the twin",
    }
    setting = ("24×24 torus, three resources, care weight .75, 4,000 ticks together; then m = 1, 2, 5 or 10, at once "
               "or over 2,000 ticks, and 6,000 ticks more, the last 2,000 measured. Selfish members, and care of "
               "neighbours, by interdependence, for the whole and for kin (kin with death and birth); with bonds that "
               "adapt and bonds that do not. Each at share_cost 0, .02, .05 and .15 for m = 5.")
    prediction = ("Under care by interdependence and m = 5 the strong's flow to the weak, net of the floor, falls by "
                  "more than .1 goods a tick below the twin's.")
    opposite = "It stays within .1 of the twin's, or rises."
    null = ("The floor fork; the twin; m = 1, where nothing can change; selfish members, who were expected to give "
            "what the floor makes them give and nothing more. That last one is itself asked, at each cost of sharing.")
    limits = ("By definition, care by interdependence fades with dependence: a member that imports nothing cares for "
              "nobody. That it then gives less is nearly built in; not built in are how much it still imports, what "
              "bonds do, and whether the weak are worse off. For every kind of care it is built in that the floor's "
              "gifts grow with the surplus of the strong, which lowers the net flow and feeds the weak whatever "
              "anybody wants. The floor takes off too little: selfish strong who want for nothing have little reason "
              "to learn to refuse, and where giving is cheap they give more than the floor. The weak cannot leave, "
              "and nobody is stronger by taking.")
    references = ("Emerson (1962) Power-dependence relations. American Sociological Review 27.",
                  "Trivers (1971) The evolution of reciprocal altruism. Quarterly Review of Biology 46.")
    known = ("A prototype of the model had shown, at share_cost .15, that under care by interdependence flow to the "
             "weak falls from .31 to .17 while their welfare rises from .65 to .70, and that under care of neighbours "
             "it doubles.")
    amendments = (
        "Flows were read from decayed traces, which still hold a third of what went before after 100 ticks; now from "
        "exact totals.",
        "Kin: the floor is measured in a fork that refuses for the first 300 ticks of the measured time only, and from "
        "its 100th on. Refusing from the start, as for the other kinds, the strong had bred the weak away before "
        "anything was measured, and the floor was 0 because nobody was left to feed.",
        "Whether they stop (less than half remains) was added: that flow falls by more than .1 is less than that.",
        "All flow was asked for each kind of care: the floor that is taken off rises with what the strong hold.",
        "Bonds that do not adapt were added for every kind of care.",
        "With the results known: whether they stop had been asked at share_cost .02 alone; now at all four costs.",
        "With the results known: a fall is asked only where the twin's flow, on average, is large enough to fall by "
        "the smallest effect; else the question is left without runs. Care of the whole had never started anything, "
        "its twin gave next to nothing, and that flow did not fall had been counted against the sentence.",
        "With the results known: that selfish members give the floor's only was a null that nobody asked; it is asked "
        "now at each cost, and so is the fall beyond the selfish's own change.")
    rival = "stops"
    variations = tuple(f"exit, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    rival_variations = tuple(f"stops, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    questions = (
        Question(name="exit", text="Do the strong, who cared by interdependence, feed the weak less than the twin's?",
                 treatment=_asked("interdependence"), control={}, measure="change of net flow", smallest=0.1,
                 direction=-1),
        Question(name="weak worse off", text="Are the weak worse off than in the twin?",
                 treatment=_asked("interdependence"), control={}, measure="change of weak welfare", smallest=0.05,
                 direction=-1),
        Question(name="stops", text="Do they stop, that is, does less than half of the twin's net flow remain?",
                 treatment=_asked("interdependence"), control={}, measure="net flow beyond half", smallest=0.02,
                 direction=-1),
        Question(name="all flow", text="Does all that they give fall, the floor's gifts included?",
                 treatment=_asked("interdependence"), control={}, measure="change of flow", smallest=0.1,
                 direction=-1),
        *(Question(name=f"stops, share_cost {cost:g}", text=f"Does less than half remain at share_cost {cost:g}?",
                   treatment=_asked("interdependence", **{COST: cost}), control={}, measure="net flow beyond half",
                   smallest=0.02, direction=-1) for cost in COSTS if cost != 0.02),
        Question(name="beyond the selfish", text="Does net flow fall, taken against its change among the selfish?",
                 treatment=_asked("interdependence"), control=_asked("self"), measure="change of net flow",
                 smallest=0.1, direction=-1),
        *(Question(name=_named("selfish", cost),
                   text=f"A check of the null: do selfish strong give the floor's only at share_cost {cost:g}?",
                   treatment=_asked("self", **{COST: cost}), control={}, measure="net flow", smallest=0.02,
                   direction=0) for cost in COSTS),
        *(Question(name=f"exit, {kind}", text=f"Do the strong of {kind} care feed the weak less than the twin's?",
                   treatment=_asked(kind), control={}, measure="change of net flow", smallest=0.1, direction=-1)
          for kind in CARING if kind != "interdependence"),
        *(Question(name=f"all flow, {kind}", text=f"Does all that the strong of {kind} care give fall?",
                   treatment=_asked(kind), control={}, measure="change of flow", smallest=0.1, direction=-1)
          for kind in CARING if kind != "interdependence"),
        *(Question(name=f"weak worse off, {kind}", text=f"Are the weak worse off than in the twin, with {kind} care?",
                   treatment=_asked(kind), control={}, measure="change of weak welfare", smallest=0.05, direction=-1)
          for kind in CARING if kind != "interdependence"),
        *(Question(name=f"exit, m = {power:g}",
                   text=f"Do the strong exit at m = {power:g}?" if power > 1 else
                        "A check: at m = 1, where the forks are the same, does nothing change?",
                   treatment=_asked("interdependence", power=power), control={}, measure="change of net flow",
                   smallest=0.1, direction=-1 if power > 1 else 0) for power in POWERS if power != 5),
        Question(name="ramp", text="Is the fall the same when strength comes slowly?",
                 treatment=_asked("interdependence", way="ramp"), control=_asked("interdependence"),
                 measure="change of net flow", smallest=0.1, direction=0),
        Question(name="bonds", text="Is the fall the same when bonds do not adapt?",
                 treatment=_asked("interdependence", bonds=False), control=_asked("interdependence"),
                 measure="change of net flow", smallest=0.1, direction=0),
        *(Question(name=f"exit, share_cost {cost:g}", text=f"Do the strong exit at share_cost {cost:g}?",
                   treatment=_asked("interdependence", **{COST: cost}), control={}, measure="change of net flow",
                   smallest=0.1, direction=-1) for cost in COSTS if cost != 0.02),
    )
    robustness = {label: change for label, change in Card.robustness.items() if not label.startswith("bonds")} | {
        "bonds fast": {"exchange.bond_rate": 0.03}, "care weight .5": {"care.weight": 0.5},
        "care weight .9": {"care.weight": 0.9}}

    def points(self) -> list[dict]:
        """Return the points of the design."""
        common = {"ticks": self.ticks}
        found = [{**_asked(kind, power=power), **common} for kind in KINDS for power in POWERS]
        found += [{**_asked(kind, way="ramp"), **common} for kind in KINDS]
        found += [{**_asked(kind, bonds=False), **common} for kind in KINDS]
        found += [{**_asked(kind, **{COST: cost}), **common} for kind in KINDS for cost in COSTS if cost != 0.02]
        return found

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Grow the world of a point with rng, make half strong in one fork, measure both and their floors."""
        kind, ticks, power = point["kind"], int(point["ticks"]), float(point["power"])
        changes = {"care.kind": kind, "care.weight": 0.75, "demography.enabled": kind == "kin"}
        if not point["bonds"]:
            changes["exchange.bond_rate"] = 0.0
        world = make_world(point, rng, ledger=True, **changes)
        strong = np.zeros(world.n_sites, bool)
        strong[rng.permutation(world.n_sites)[:world.n_sites // 2]] = True
        world.step(2 * ticks // 3)
        found = {}
        def refuse(w):
            w.set("share_policy", REFUSAL, np.flatnonzero(_able(w, strong) & w.state["occupied"]))

        for fork in ("", "twin "):
            run = world.fork()
            floor = run.fork()
            for one in (run, floor):
                if not fork:
                    Exit._strengthen(one, np.flatnonzero(strong & one.state["occupied"]), power, point["way"], ticks)
            run.step(ticks - ticks // 3)
            if kind == "kin":               # in time, strong who refuse would breed the weak away
                floor = run.fork()
                floor.before(refuse, every=20)
                floor.step(ticks // 60)
                floored = _flows(floor, strong, ticks // 30)
            else:
                floor.before(refuse, every=20)
                floor.step(ticks - ticks // 3)
                floored = _flows(floor, strong, ticks // 3)
            flows = _flows(run, strong, ticks // 3)
            found |= {f"{fork}{name}": value for name, value in flows.items()}
            found |= {f"{fork}floor {name}": value for name, value in floored.items()}
        net = {fork: found[f"{fork}strong to weak"] - found[f"{fork}floor strong to weak"] for fork in ("", "twin ")}
        found |= {"net flow": net[""], "twin net flow": net["twin "], "change of net flow": net[""] - net["twin "],
                  "net flow beyond half": net[""] - 0.5 * net["twin "],
                  "change of flow": found["strong to weak"] - found["twin strong to weak"],
                  "change of weak welfare": found["welfare weak"] - found["twin welfare weak"]}
        return found

    @staticmethod
    def _strengthen(world, sites, power: float, way: str, ticks: int) -> None:
        """Raise the capability of the members at some sites, at once or over the ramp."""
        if way == "step" or power == 1:
            world.set("capability", power, sites)
            return
        uids, span = world.state["uid"][sites], min(RAMP, ticks // 3)
        for tick, value in ramp(world.tick, world.tick + span, 1.0, power, every=max(1, span // STEPS)).items():
            def raise_to(w, value=value):
                w.set("capability", value, sites[w.state["uid"][sites] == uids])    # only those who were chosen
            world.at(tick, raise_to)

    def ask(self, question: Question, frame, level: float = 0.95) -> Finding:
        """Answer a question of frame at level; one of a fall only where there is something to fall."""
        if self._can_fall(question, frame):
            return super().ask(question, frame, level)
        return decide([], question.smallest, question.direction, level, question.name)

    @staticmethod
    def _can_fall(question: Question, frame) -> bool:
        """Say whether the twin's flow, in the mean of a question's runs, can fall by the smallest effect."""
        flow, share = FALLS.get(question.measure, ("", 1.0))
        if question.direction != -1 or flow not in frame:
            return True
        return not share * _mean(frame, question.treatment, flow) <= question.smallest

    def reading(self, findings, frame) -> str:
        """Say from findings and frame who stops feeding the weak, at which cost, and who is the worse for it."""
        verdicts, here = {name: finding.verdict for name, finding in findings.items()}, self.main(frame)
        flows = _beside(here).query("power == 5").groupby(COST).mean()
        given = flows[flows[["twin", "twin beyond"]].min(axis=1) > self.questions[0].smallest]
        left, beyond = (listed(f"{part:.0%}" for part in given[now] / given[twin]) if len(given) else ""
                        for now, twin in (("net", "twin"), ("beyond", "twin beyond")))
        well = [_mean(here, _asked("interdependence"), f"{fork}welfare weak") for fork in ("", "twin ", "floor ")]

        def costs(name):
            return {f"{cost:g}": verdicts[_named(name, cost)] for cost in COSTS}

        return " ".join([
            *self._kinds("exit", verdicts, here, "net of the floor, flow to the weak falls under care of {}",
                         "net flow does not fall under care of {}",
                         "whether net flow falls stays open under care of {}"),
            *self._kinds("all flow", verdicts, here,
                         "all that they give, the floor's gifts included, falls under care of {}",
                         "all that they give does not fall under care of {}",
                         "whether all that they give falls stays open under care of {}"),
            *self._kinds("weak worse off", verdicts, here,
                         "the weak are worse off than in the twin under care of {}",
                         "the weak are not worse off under care of {}",
                         "whether the weak are worse off stays open under care of {}"),
            f"Under care by interdependence and m = 5 the weak have welfare {well[0]:.2f}, {well[1]:.2f} in the twin, "
            f"and {well[2]:.2f} if the strong give only the floor.",
            ruled(costs("stops"), "the strong of interdependence stop, with less than half of the twin's net flow "
                  "left, at share_cost {}", "the strong of interdependence do not stop at share_cost {}",
                  "whether the strong of interdependence stop stays open at share_cost {}"),
            *([f"Of the twin's net flow {left} remains {_at(given)}, of what it is beyond the selfish's {beyond}."]
              if len(given) else []),
            {"supports": "Taken against its change among the selfish, their net flow falls too.",
             "contradicts": "Taken against its change among the selfish, their net flow does not fall.",
             "underdetermined": "Whether their net flow falls against its change among the selfish stays open."
             }[verdicts["beyond the selfish"]],
            ruled(costs("selfish"), "the null, that selfish strong give the floor's only, holds at share_cost {}",
                  "the null, that selfish strong give the floor's only, fails at share_cost {}",
                  "whether selfish strong give the floor's only stays open at share_cost {}"),
            f"Beyond the floor the selfish strong give {listed(f'{flow:.2f}' for flow in flows['selfish'])} goods a "
            f"tick {_at(flows)}."])

    def _kinds(self, name: str, verdicts: dict, frame, *clauses: str) -> list[str]:
        """Return sentences of what a question came to for each kind of care, or that there was nothing to fall."""
        asked, idle = {}, []
        for kind in CARING:
            own = name if kind == "interdependence" else f"{name}, {kind}"
            question = next(one for one in self.questions if one.name == own)
            if self._can_fall(question, frame):
                asked[kind] = verdicts[own]
                continue
            twin = FALLS[question.measure][0]
            word = "net flow" if twin == "twin net flow" else "flow, the floor's gifts included,"
            flow, before = (_mean(frame, question.treatment, one) for one in (twin.removeprefix("twin "), twin))
            idle.append(f"Under care of {kind} there is nothing to fall: the twin's {word} is {before:.2f} goods a "
                        f"tick, where a fall of {question.smallest:g} would count (that of the strong is {flow:.2f}).")
        return ([ruled(asked, *clauses)] if asked else []) + idle

    def tables(self, frame) -> dict:
        """Return, from frame, flows and welfare for each kind of care and strength."""
        here = self.main(frame)
        columns = {"strong to weak": "strong to weak", "of it the floor's": "floor strong to weak",
                   "net": "net flow", "net in the twin": "twin net flow", "weak to strong": "weak to strong",
                   "welfare of the weak": "welfare weak", "in the twin": "twin welfare weak",
                   "on the floor's gifts": "floor welfare weak",
                   "welfare of the strong": "welfare strong"}
        usual = here[(here["way"] == "step") & here["bonds"].astype(bool)]
        other = here[(here[COST] == 0.02) & ((here["way"] != "step") | ~here["bonds"].astype(bool))]
        beside = _beside(here)
        selfish = means(beside, [COST, "power"], {
            "net, selfish": "selfish", "net, interdependence": "net", "in the twin": "twin",
            "net beyond the selfish's": "beyond", "beyond it in the twin": "twin beyond"})
        flows = beside.groupby([COST, "power"], sort=False).mean()
        for head, (now, twin) in {"net, left": ("net", "twin"), "beyond, left": ("beyond", "twin beyond")}.items():
            selfish[head] = [f"{part:.0%}" if np.isfinite(part) else "–" for part in flows[now] / flows[twin]]
        return {"What there is to fall, and how it changes, at m = 5 (goods a tick and strong member)":
                self._changes(usual[usual["power"] == 5]),
                "Net flow beyond that of the selfish (goods a tick and strong member)": selfish,
                "Flows (goods a tick and member of the giving group) and welfare at share_cost .02":
                means(usual[usual[COST] == 0.02], ["kind", "power"], columns),
                "Other costs of sharing, m = 5": means(usual[(usual["power"] == 5) & (usual[COST] != 0.02)],
                                                       [COST, "kind"], columns),
                "A ramp, and bonds that do not adapt": means(other, ["kind", "way", "bonds"], columns)}

    def _changes(self, frame):
        """Return the table of the twin's flows and their changes, which says where there is nothing to fall."""
        import pandas as pd

        rows = []
        for (cost, kind), runs in frame.groupby([COST, "kind"], sort=False):
            row = {COST: cost, "kind": kind}
            for question in (one for one in self.questions if one.name in ("exit", "all flow")):
                twin, change = FALLS[question.measure][0], question.measure
                asked = dataclasses.replace(question, treatment={"kind": kind})
                row |= {twin: with_interval(runs[twin]), change: with_interval(runs[change])
                        if self._can_fall(asked, runs) else "nothing to fall"}
            rows.append(row)
        return pd.DataFrame(rows).sort_values(COST, kind="stable")

    def figure(self, frame, figure=None):
        """Draw, into figure, net flows of frame to the weak and their welfare against how strong the strong are."""
        from matplotlib.figure import Figure

        from ..plots import PALETTE

        figure = Figure(figsize=(11, 4), layout="constrained") if figure is None else figure
        here = self.main(frame)
        here = here[(here[COST] == 0.02) & (here["way"] == "step") & here["bonds"].astype(bool)]
        flow, well = figure.subplots(1, 2)
        for kind, colour in zip(KINDS, ("#777777", *PALETTE), strict=False):
            for ax, measure, twin in ((flow, "net flow", "twin net flow"), (well, "welfare weak", "twin welfare weak")):
                runs = here[here["kind"] == kind]
                curve = [mean_interval(runs[runs["power"] == power][measure]) for power in POWERS]
                mean, low, high = np.transpose(curve)
                ax.plot(POWERS, mean, "o-", color=colour, markersize=3, label=f"care: {kind}")
                ax.fill_between(POWERS, low, high, color=colour, alpha=0.2, linewidth=0)
                ax.plot(POWERS, [mean_interval(runs[runs["power"] == power][twin])[0] for power in POWERS], ":",
                        color=colour, linewidth=1)
        for ax in (flow, well):
            ax.set_xscale("log")
            ax.set_xticks(POWERS, [f"{power:g}" for power in POWERS], minor=False)
            ax.minorticks_off()
            ax.set_xlabel("m: capability of the strong")
            ax.spines[["top", "right"]].set_visible(False)
        flow.set_ylabel("flow from strong to weak, net of the floor\n(goods a tick and strong member)")
        well.set_ylabel("welfare of the weak (0–1)")
        well.plot([], [], ":", color="#333333", linewidth=1, label="the twin, in which\nnobody changed")
        well.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
        return figure
