"""Card: alignment first, intelligence later."""

from __future__ import annotations

import numpy as np

from .. import intervene, measures
from .._bootstrap import mean_interval
from .contract import COSTS, ROBUSTNESS, Card, Question, make_world
from .tables import listed, means, ruled

__all__ = ["Order"]

COST = "exchange.share_cost"
#: Welfare from which a population counts as out of the trap, lower marks beside it, and looks in the second stage.
ESCAPED, MARKS, LOOKS = 0.8, (0.6, 0.7, 0.8), 40
#: Lengths of the first stage, of the second.
STAGES = {"short": 0.125, "usual": 1, "long": 3}
#: Learned weights that are set to 0 when the second stage begins, in words; and their names.
RESETS = {"share": "share weights alone", "task": "task weights alone", "both": "both"}
COLUMNS = {"share": "share_policy", "task": "policy", "both": "both"}


def _arm(care: float, seen: int, *, learns=True, reset="none", stage="usual", turnover=False, cost=0.02,
         after=None) -> dict:
    """Return the point of a first stage with this care and perception; the second is ``after`` times as long."""
    return {"care 1": care, "perception 1": seen, "learns": learns, "reset": reset, "stage": stage,
            "turnover": turnover, COST: cost, "after": after}


def _chosen(frame, arm: dict):
    """Return the runs of an arm."""
    return frame[np.all([frame[key] == value for key, value in arm.items() if value is not None], axis=0)]


class Order(Card):
    """Care, perception and learning to share in the first stage; care and perception for all in the second."""

    name = "order"
    sentence = ("Alignment should come first and intelligence later: those who grow able before they care stay "
                "misaligned when care comes.")
    holders = "Proponents of organic alignment; developmental views in which attachment precedes competence."
    deniers = ("Those who hold that able learners align as soon as they have reason to; and those who hold that what "
               "locks in is a learned refusal, which ability has no part in.")
    definitions = {
        "alignment": "care weight above 0 (care by interdependence)",
        "intelligence": "perception: 0 sees nothing, 2 sees own and neighbours' shortfalls",
        "learns to share": "whether the share policy may move in the first stage (its bound is 0 where it may not)",
        "stay misaligned": "welfare in the last sixth of the second stage, in which all have care and perception; "
                           f"and the ticks until welfare reaches {ESCAPED:g} (also lower marks), censored at the end "
                           "(their mean is the restricted mean time)",
    }
    setting = ("24×24 torus, three resources. First stage, 4,000 ticks: care weight 0 or .5, by perception 0 or 2, by "
               "sharing learned or held. Second stage, as long: care weight .75 and perception 2 for all. At the "
               "switch, in some arms, share weights, task weights or both are reset. Each at share_cost 0, .02, .05 "
               "and .15; the first stage also 500 and 12,000 ticks long; also with turnover of .001 a tick.")
    prediction = ("Those who were given care at perception 0 first end the second stage with more welfare, by "
                  "more than .1, than those who were given perception 2 without care first.")
    opposite = "The order makes no difference of .1, or the able learn to share as well or better."
    null = ("The factorial: the same without care at perception 0 (is it ability or selfishness?), and the same with "
            "perception and the share policy held (is it ability or a learned refusal?).")
    limits = ("Intelligence is what a member can sense, not how well it reasons. Escape is slow but goes on: the card "
              "says who is trapped for a stage, not for ever; times to escape are censored.")
    references = ("Williams (1992) Simple statistical gradient-following algorithms. Machine Learning 8.",
                  "Royston, Parmar (2013) Restricted mean survival time. BMC Medical Research Methodology 13, 152.",
                  "Bengio, Louradour, Collobert, Weston (2009) Curriculum learning. ICML.")
    known = ("A prototype of the model, with a cost of sharing of 0, had shown a gap of .45 between the two orders "
             "that vanished at a learning rate of .2, at K = 2 and for short first stages, and of .34 and .10 at "
             "share_cost .05 and .15; that perception made no difference to being trapped; that those who learned with "
             "the share policy held were not trapped (.92); and that a reset of the share policy freed (.81). Not all "
             "of that comes out here.")
    amendments = (
        "Time to escape: pairs in which neither side reached the mark are left out. They had counted as equal times, "
        "and a question to which all runs were censored as answered.",
        "Ability without refusal was compared with care first, from which it differs in three ways; now with the same "
        "without perception.",
        "The question of equal care was added: those who were given care first had had care for twice as long.",
        "The costs of sharing and the lengths of the first stage count among the other settings.",
        "Times to lower marks and at share_cost 0 were added: at share_cost .02 no run of either order had reached .8.",
        "Settings in which welfare is within .1 of 0 or of 1 after either order are counted apart: there is no room "
        "for an order to matter.",
        "The reading says what part of the difference is care's and what ability's; it had been put down to the order "
        "alone.")
    rival = "ability with care"
    variations = (*(f"order, share_cost {cost:g}" for cost in COSTS if cost != 0.02), "order, short first stage",
                  "order, long first stage")
    rival_variations = tuple(f"ability with care, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    questions = (
        Question(name="order", text="Does care first lead to more welfare than intelligence first?",
                 treatment=_arm(0.5, 0), control=_arm(0.0, 2), measure="welfare", smallest=0.1, bounds=(0, 1)),
        *(Question(name=f"time to {mark:g}" + (", share_cost 0" if cost == 0 else ""),
                   text=f"Does it take longer after intelligence first until welfare is {mark:g}"
                        + (" at share_cost 0?" if cost == 0 else "?"),
                   treatment=_arm(0.0, 2, cost=cost), control=_arm(0.5, 0, cost=cost), measure=f"time to {mark:g}",
                   smallest=400, reached=f"reached {mark:g}")
          for mark, cost in ((ESCAPED, 0.02), *((mark, 0.02) for mark in MARKS if mark != ESCAPED), (ESCAPED, 0.0))),
        Question(name="ability alone", text="Without care first, does perception make it worse?",
                 treatment=_arm(0.0, 2), control=_arm(0.0, 0),
                 measure="welfare", smallest=0.1, direction=-1),
        Question(name="ability without refusal", text="Does perception without care trap those whose share policy was "
                                                      "held?",
                 treatment=_arm(0.0, 2, learns=False), control=_arm(0.0, 0, learns=False),
                 measure="welfare", smallest=0.1, direction=-1),
        Question(name="refusal", text="Does a share policy learned selfishly hold welfare down?",
                 treatment=_arm(0.0, 2), control=_arm(0.0, 2, learns=False),
                 measure="welfare", smallest=0.1, direction=-1),
        Question(name="ability with care", text="With care from the start, does perception from the start hurt?",
                 treatment=_arm(0.5, 2), control=_arm(0.5, 0),
                 measure="welfare", smallest=0.1, direction=-1),
        *(Question(name=f"ability with care, share_cost {cost:g}",
                   text=f"With care from the start, does perception from the start hurt at share_cost {cost:g}?",
                   treatment=_arm(0.5, 2, cost=cost), control=_arm(0.5, 0, cost=cost), measure="welfare", smallest=0.1,
                   direction=-1)
          for cost in COSTS if cost != 0.02),
        *(Question(name=f"reset {reset}", text=f"After intelligence first, does a reset of {words} free them?",
                   treatment=_arm(0.0, 2, reset=reset), control=_arm(0.0, 2), measure="welfare", smallest=0.1)
          for reset, words in RESETS.items()),
        Question(name="equal care", text="Does care first lead to more welfare also where those who were able first "
                                         "have had as many ticks of care?",
                 treatment=_arm(0.5, 0), control=_arm(0.0, 2, after=2), measure="welfare", smallest=0.1),
        Question(name="turnover", text="After intelligence first, do newcomers free them?",
                 treatment=_arm(0.0, 2, turnover=True), control=_arm(0.0, 2), measure="welfare", smallest=0.1),
        *(Question(name=f"order, share_cost {cost:g}", text=f"Does the order matter at share_cost {cost:g}?",
                   treatment=_arm(0.5, 0, cost=cost), control=_arm(0.0, 2, cost=cost), measure="welfare", smallest=0.1)
          for cost in COSTS if cost != 0.02),
        *(Question(name=f"order, {stage} first stage", text=f"Does the order matter after a {stage} first stage?",
                   treatment=_arm(0.5, 0, stage=stage), control=_arm(0.0, 2, stage=stage),
                   measure="welfare", smallest=0.1)
          for stage in ("short", "long")),
    )
    robustness = {**ROBUSTNESS, "learning rate .2": {"learning.rate": 0.2}, "yield 2.2": {"production.base_yield": 2.2},
                  "weights within 2": {"learning.task_bound": 2.0, "learning.share_bound": 2.0},
                  "five resources": {"resources": 5}}
    ticks = 4000

    def points(self) -> list[dict]:
        """Return the points of the design."""
        found = []
        for cost in COSTS:
            found += [_arm(care, seen, learns=learns, cost=cost)
                      for care in (0.0, 0.5) for seen in (0, 2) for learns in (True, False)]
            found += [_arm(0.0, 2, reset=reset, cost=cost) for reset in RESETS]
            found += [_arm(0.0, 2, turnover=True, cost=cost)]
        found += [_arm(care, seen, stage=stage) for stage in ("short", "long") for care, seen in ((0.5, 0), (0.0, 2))]
        found.append(_arm(0.0, 2, after=2))
        return [{key: value for key, value in point.items() if value is not None} | {"ticks": self.ticks}
                for point in found]

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Run both stages of a point with rng: welfare at the end, and when it reached the mark."""
        learns = bool(point["learns"])
        bound = point.get("learning.share_bound") or 6.0
        world = make_world(point, rng, **{"care.weight": point["care 1"], "care.kind": "interdependence",
                                          "learning.perception": int(point["perception 1"]),
                                          "demography.enabled": bool(point["turnover"])})
        world.update(**{"learning.share_bound": bound if learns else 0.0})
        world.step(int(point["ticks"] * STAGES[point["stage"]]))
        first = measures.welfare(world)
        if point["reset"] != "none":
            world.do(intervene.reset(COLUMNS[point["reset"]]))
        world.update(**{"learning.share_bound": bound, "care.weight": 0.75, "learning.perception": 2})
        ticks, reached, tail = int(point["ticks"]) * int(point.get("after") or 1), {}, []
        for look in range(1, LOOKS + 1):
            tick = look * ticks // LOOKS
            world.step(tick - (look - 1) * ticks // LOOKS)
            welfare = measures.welfare(world)
            for mark in MARKS:
                if welfare >= mark:
                    reached.setdefault(mark, tick)
            if tick > ticks - ticks // 6:
                tail.append(welfare)
        return {"welfare": float(np.mean(tail)), "welfare 1": first,
                **{f"reached {mark:g}": mark in reached for mark in MARKS},
                **{f"time to {mark:g}": reached.get(mark, ticks) for mark in MARKS},
                "division_of_labour": measures.division_of_labour(world),
                "share_propensity": measures.share_propensity(world)}

    def reading(self, findings, frame) -> str:
        """Say from findings what locks in, in the runs of frame, and whether the sentence is about that."""
        verdicts = {name: finding.verdict for name, finding in findings.items()}
        resets = {words: verdicts[f"reset {reset}"] for reset, words in RESETS.items()}
        said = [self._parts(findings),
                ruled({"a share policy learned without care": verdicts["refusal"],
                       "ability without care, where sharing was held": verdicts["ability without refusal"],
                       "ability without care, where sharing was learned": verdicts["ability alone"]},
                      "welfare is held down by {}", "welfare is not held down by {}",
                      "whether welfare is held down stays open of {}"),
                ruled({f"of {words}": verdict for words, verdict in resets.items()},
                      "the trapped are freed by a reset {}", "nobody is freed by a reset {}",
                      "whether anybody is freed stays open of a reset {}")]
        if list(resets.values()) == ["contradicts", "contradicts", "supports"]:
            said.append("It takes both: the refusal and the tasks that were learned with it keep each other up.")
        with_care = findings["ability with care"]
        said.append("As to later: with care from the start, perception from the start "
                    + {"supports": "does harm.", "underdetermined": "may do harm or not: that stays open.",
                       "contradicts": f"does no harm ({with_care.effect:+.2f})"
                       + (", it helps by more than .1: of all first stages, both from the start is the better one."
                          if with_care.low > 0.1 else ", and nothing speaks for putting it off.")
                       }[verdicts["ability with care"]])
        here = self.main(frame)
        here = here[here["after"].isna()] if "after" in here else here
        for cost in (0.02, 0.0):
            shares = [[float(_chosen(here, _arm(*arm, cost=cost))[f"reached {mark:g}"].mean()) for mark in MARKS]
                      for arm in ((0.5, 0), (0.0, 2))]
            first, second = (listed(f"{share:.0%}" for share in found) for found in shares)
            said.append(f"At share_cost {cost:g} welfare reached {listed(f'{mark:g}' for mark in MARKS)} in {first} of "
                        f"the runs after care first, in {second} after intelligence first.")
        return " ".join(said)

    @staticmethod
    def _parts(findings) -> str:
        """Say what part of the first question's difference is care's, and what ability's."""
        whole, ability = findings["order"], findings["ability alone"]
        text = (f"Of the difference of {whole.effect:+.2f} between the two orders, "
                f"{whole.effect + ability.effect:+.2f} is care's (given it from the start or not, perceiving nothing) "
                f"and {-ability.effect:+.2f} ability's (perceiving all or nothing, without care)")
        if whole.verdict != "supports":
            return text + "."
        text += ": "
        if ability.low > 0:
            return text + "what holds back those who grow able before they care is that they did not care, not that " \
                          "they were able; those who had neither fare worse still."
        if ability.high < 0:
            return text + "those who grow able before they care are held back by their ability as well."
        return text + "whether ability has a part in it stays open."

    def tables(self, frame) -> dict:
        """Return, from frame, how many escape and when, by what came first."""
        here = self.main(frame).copy()
        here["escaped"] = here[f"reached {ESCAPED:g}"].astype(float)
        names = ["care 1", "perception 1", "learns", "reset", "stage", "turnover", "after"]
        plain = {key: value for key, value in _arm(0, 0).items() if key not in ("care 1", "perception 1", "after")}
        found = {"Welfare at the end, by what the first stage was, at share_cost .02": means(
            _chosen(here[here["after"].isna()] if "after" in here else here, plain), ["care 1", "perception 1"],
            {"welfare": "welfare", **{f"reached {mark:g}": f"reached {mark:g}" for mark in MARKS}})}
        for cost in COSTS:
            part = here[here[COST] == cost]
            table = means(part, names, {"welfare": "welfare", "escaped": "escaped"})
            table["ticks to escape (restricted mean)"] = means(
                part, names, {"ticks": f"time to {ESCAPED:g}"}, digits=0)["ticks"]
            found[f"First stages at share_cost {cost:g}"] = table
        return found

    def figure(self, frame, figure=None):
        """Draw, into figure, the welfare that each first stage leads to in frame, and how long the escape takes."""
        from matplotlib.figure import Figure

        from ..plots import PALETTE

        figure = Figure(figsize=(11, 4), layout="constrained") if figure is None else figure
        end, escape = figure.subplots(1, 2, sharey=True)
        here = self.main(frame)
        here = here[(here[COST] == 0.02) & (here["stage"] == "usual") & here["after"].isna()]
        arms = [(f"{'care' if care else 'no care'}, sees {'all' if seen else 'nothing'}"
                 f"{'' if learns else ', sharing held'}", _arm(care, seen, learns=learns))
                for care in (0.5, 0.0) for seen in (0, 2) for learns in (True, False)]
        arms += [(f"no care, sees all; reset {reset}", _arm(0.0, 2, reset=reset)) for reset in RESETS]
        arms += [("no care, sees all; turnover", _arm(0.0, 2, turnover=True))]
        for row, (_, arm) in enumerate(arms):
            runs = _chosen(here, arm)
            colour = PALETTE[2] if arm["care 1"] else PALETTE[4]
            for ax, measure, mark in ((end, "welfare", "o"),
                                      *((escape, f"time to {mark:g}", shape) for mark, shape in zip(MARKS, "v^o",
                                                                                                    strict=True))):
                mean, low, high = mean_interval(runs[measure])
                ax.plot([low, high], [row, row], color=colour, linewidth=2)
                ax.plot(mean, row, mark, color=colour, label=measure if row == 0 and ax is escape else None)
            if len(runs):
                escape.annotate(" ".join(f"{runs[f'reached {mark:g}'].mean():.0%}" for mark in MARKS), (1.02, row),
                                xycoords=("axes fraction", "data"), va="center", fontsize=8)
        end.set_yticks(range(len(arms)), [label for label, _ in arms])
        end.invert_yaxis()
        end.set(xlabel="welfare at the end (0–1)", xlim=(0, 1))
        escape.set(xlabel="ticks until welfare reaches a mark (censored)", xlim=(0, None))
        escape.legend(frameon=False, fontsize=7, ncol=3, loc="lower center", bbox_to_anchor=(0.5, 1))
        escape.annotate("reached " + " ".join(f"{mark:g}" for mark in MARKS), (1.02, 1.02), xycoords="axes fraction",
                        fontsize=8)
        for ax in (end, escape):
            ax.spines[["top", "right"]].set_visible(False)
        return figure
