"""Card: roles and coherence grow from care and local interaction."""

from __future__ import annotations

import numpy as np

from .. import measures
from .._bootstrap import mean_interval
from .contract import COSTS, Card, Question, make_world
from .tables import listed, means, ruled, with_interval

__all__ = ["Emergence"]

KINDS = ("neighbours", "interdependence", "whole", "kin")
WEIGHTS = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9)
#: Weights that a slow change of care passes through, each held for a third of a run.
PATH = (0.0, 0.25, 0.5, 0.75, 0.9)
#: How many times as long a slower change holds each.
SLOW = 10
COST = "exchange.share_cost"


def transition(weights, welfare) -> float:
    """Return the care weight at which welfare first passes half its range, by linear interpolation.

    NaN where welfare spans less than .2: then there is no transition to speak of.
    """
    welfare = np.asarray(welfare, float)
    if np.ptp(welfare) < 0.2:
        return np.nan
    above = welfare - (welfare.min() + welfare.max()) / 2
    i = int(np.flatnonzero(above > 0)[0])
    if i == 0:
        return float(weights[0])
    part = above[i - 1] / (above[i - 1] - above[i])
    return float(weights[i - 1] + part * (weights[i] - weights[i - 1]))


def _mean(world, ticks: int) -> dict:
    """Run on and return the means of the measures, read 20 times."""
    rows = []
    for _ in range(20):
        world.step(max(1, ticks // 20))
        rows.append([measures.welfare(world), measures.dependence(world), measures.division_of_labour(world),
                     measures.share_propensity(world), measures.gini(world)])
    names = ("welfare", "dependence", "division_of_labour", "share_propensity", "gini")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


class Emergence(Card):
    """Care weight swept for each kind of care, beside forced sharing, selfishness and autarky."""

    name = "emergence"
    sentence = ("Let members care about those they depend on and interact with their neighbours only, and roles and a "
                "coherent whole grow without being designed.")
    holders = ("Proponents of organic alignment; in biology, those who see the division of labour among cells as "
               "grown from local exchange.")
    deniers = ("Those who hold that exchange alone, or a rule that makes everybody share, does the same; and those who "
               "see in roles no more than chance.")
    definitions = {
        "roles": "division of labour: normalised mutual information of member and task (Gorelick's D_ind), less its "
                 "expectation if tasks were shuffled among members",
        "coherence": "welfare (share of needs met) and dependence (imports over consumption)",
        "care": "the share of others' welfare in what a member learns from: care.weight, for each care.kind",
    }
    setting = ("24×24 torus, Moore neighbours, three resources, 6,000 ticks, means of the last 1,000. Care "
               "weight .1 to .9 for care of neighbours, by interdependence, for the whole, and for kin (with "
               "death and birth, or there are no kin); against selfish members, members who must always share, "
               "and members who never do. Care raised slowly from 0, and lowered slowly from .9. Dependence- "
               "based care at saturation 1 from scratch (ignite) and after neighbours' care has done its work "
               "(sustain). Each at share_cost 0, .02, .05 and .15.")
    prediction = ("Care by interdependence at weight .75 raises the corrected division of labour by more than .1 over "
                  "selfish members, at the default share_cost of .02.")
    opposite = "Roles stay within .1 of what selfish members show."
    known = ("A prototype of the model had shown that welfare and roles rise steeply between care weights of .25 and "
             ".75, that everybody's sharing makes as many, and that care by dependence at saturation 1 sustains what "
             "it hardly ignites.")
    amendments = (
        "That forced sharing might do as well stood in the opposite as well as in a question of its own; prediction "
        "and opposite could both come true. It is now the rival question alone.",
        "Hysteresis was asked at one rate of change, too fast for either branch to settle; ten times slower was added.",
        "Whether care at saturation 1 starts anything was added: before, it was compared only with what it keeps up.",
        "Hysteresis had been read at weight .5 alone; the reading now gives the gap at every weight, and whether a "
        "slow rise leads to where members come who cared from the start. That roles exceed what shuffled tasks give, "
        "and forced sharing at the other costs, were made questions.")
    rival = "more than forced sharing"
    variations = tuple(f"roles, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    rival_variations = tuple(f"more than forced sharing, share_cost {cost:g}" for cost in COSTS if cost != 0.02)
    null = ("Tasks shuffled among members with the same marginals (its expectation is taken off the index, its p-value "
            "reported); the selfish arm; forced sharing.")
    limits = ("Members learn by one rule and want three complementary goods; where goods are abundant or "
              "substitutable there is nothing to specialise for. With share_cost 0 a fed population has no signal "
              "left, and any policy persists. A branch that is held for a time is not a steady "
              "state: two rates of change cannot tell slowness from hysteresis for certain. Care for kin needs death "
              "and birth, and is compared with selfish members under the same turnover.")
    references = (
        "Gorelick, Bertram, Killeen, Fewell (2004) Normalized mutual entropy in biology. American Naturalist 164.",
        "Emerson (1962) Power-dependence relations. American Sociological Review 27.",
    )
    questions = (
        Question(name="roles", text="Does care by interdependence make roles that selfish members do not have?",
                 treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: 0.02},
                 control={"arm": "selfish", COST: 0.02}, measure="division_of_labour", smallest=0.1),
        Question(name="welfare", text="Does it raise welfare?",
                 treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: 0.02},
                 control={"arm": "selfish", COST: 0.02}, measure="welfare", smallest=0.1),
        *(Question(name=f"roles, {kind}", text=f"Does care of kind {kind} make roles?",
                   treatment={"arm": "care", "kind": kind, "weight": 0.75, COST: 0.02},
                   control={"arm": "selfish" if kind != "kin" else "selfish, turnover", COST: 0.02},
                   measure="division_of_labour", smallest=0.1)
          for kind in ("neighbours", "whole", "kin")),
        *(Question(name=f"roles, share_cost {cost:g}", text=f"Does it at share_cost {cost:g}?",
                   treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: cost},
                   control={"arm": "selfish", COST: cost}, measure="division_of_labour", smallest=0.1)
          for cost in COSTS if cost != 0.02),
        Question(name="more than forced sharing", text="Are there more roles than where all must share, without care?",
                 treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: 0.02},
                 control={"arm": "forced", COST: 0.02}, measure="division_of_labour", smallest=0.05),
        *(Question(name=f"more than forced sharing, share_cost {cost:g}",
                   text=f"Are there more roles than where all must share, at share_cost {cost:g}?",
                   treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: cost},
                   control={"arm": "forced", COST: cost}, measure="division_of_labour", smallest=0.05)
          for cost in COSTS if cost != 0.02),
        Question(name="more than chance", text="Are there more roles than if tasks were shuffled among members?",
                 treatment={"arm": "care", "kind": "interdependence", "weight": 0.75, COST: 0.02}, control={},
                 measure="division_of_labour", smallest=0.1),
        Question(name="more than chance, selfish", text="And among selfish members?",
                 treatment={"arm": "selfish", COST: 0.02}, control={}, measure="division_of_labour", smallest=0.1),
        Question(name="ignite", text="Does dependence-based care at saturation 1 start something from scratch?",
                 treatment={"arm": "ignite", COST: 0.02}, control={"arm": "selfish", COST: 0.02}, measure="welfare",
                 smallest=0.1),
        Question(name="sustain or ignite", text="Does dependence-based care at saturation 1 keep up more than it "
                                                "starts?",
                 treatment={"arm": "sustain", COST: 0.02}, control={"arm": "ignite", COST: 0.02},
                 measure="welfare", smallest=0.1),
        *(Question(name=f"hysteresis, {kind}", text=f"Is welfare at weight .5 of {kind} care higher when care is "
                                                    "lowered than when it is raised?",
                   treatment={"arm": "lowered", "kind": kind, COST: 0.02, "hold": None},
                   control={"arm": "raised", "kind": kind, COST: 0.02, "hold": None}, measure="welfare at 0.5",
                   smallest=0.1)
          for kind in ("neighbours", "interdependence")),
        *(Question(name=f"hysteresis, {kind}, slow", text=f"The same, {SLOW} times slower ({kind}).",
                   treatment={"arm": "lowered", "kind": kind, COST: 0.02, "hold": SLOW},
                   control={"arm": "raised", "kind": kind, COST: 0.02, "hold": SLOW}, measure="welfare at 0.5",
                   smallest=0.1)
          for kind in ("neighbours", "interdependence")),
    )

    def points(self) -> list[dict]:
        """Return the points of the design."""
        found = []
        for cost in COSTS:
            common = {COST: cost, "ticks": self.ticks}
            found += [{"arm": arm, **common} for arm in ("selfish", "selfish, turnover", "forced", "autarky",
                                                         "ignite", "sustain")]
            found += [{"arm": "care", "kind": kind, "weight": weight, **common} for kind in KINDS for weight in WEIGHTS]
            found += [{"arm": arm, "kind": kind, **common} for arm in ("raised", "lowered")
                      for kind in ("neighbours", "interdependence")]
        found += [{"arm": arm, "kind": kind, "hold": SLOW, COST: 0.02, "ticks": self.ticks}
                  for arm in ("raised", "lowered") for kind in ("neighbours", "interdependence")]
        return found

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Run one point with rng: its arm for as many ticks as it says, and means of the last sixth."""
        arm, kind, ticks = point["arm"], point.get("kind") or "self", int(point["ticks"])
        changes = {"care.kind": kind, "care.weight": point.get("weight") or 0.0}
        if kind == "kin" or arm == "selfish, turnover":
            changes["demography.enabled"] = True
        if arm == "ignite":
            changes |= {"care.kind": "interdependence", "care.weight": 0.75, "care.saturation": 1.0}
        if arm == "sustain":
            changes |= {"care.kind": "neighbours", "care.weight": 0.75}
        world = make_world(point, rng, **changes)
        if arm in ("forced", "autarky"):
            world.set("order_share", arm == "forced")
        if arm in ("raised", "lowered"):
            return Emergence._path(world, PATH if arm == "raised" else PATH[::-1],
                                   ticks // 3 * int(point.get("hold") or 1))
        if arm in ("ignite", "sustain"):
            world.step(ticks)
            world.update(**{"care.kind": "interdependence", "care.weight": 0.75, "care.saturation": 1.0})
        last = ticks // 6
        world.step(ticks - last)
        found = _mean(world, last)
        found["pvalue"] = measures.division_of_labour_test(world, rng=rng).pvalue
        return found

    @staticmethod
    def _path(world, weights, ticks: int) -> dict:
        """Pass through care weights, and return the welfare at the end of each."""
        found = {}
        for weight in weights:
            world.update(**{"care.weight": weight})
            world.step(ticks - ticks // 6)
            found[f"welfare at {weight:g}"] = _mean(world, ticks // 6)["welfare"]
        return found

    def reading(self, findings, frame) -> str:
        """Say from findings what makes roles in the runs of frame, and whether care starts or keeps them."""
        verdicts = {name: finding.verdict for name, finding in findings.items()}
        start, keep = verdicts["ignite"], verdicts["sustain or ignite"]
        ignition = {("supports", "supports"): "starts a whole, but keeps up more than it starts",
                    ("contradicts", "supports"): "keeps up what it cannot start",
                    ("supports", "contradicts"): "starts as much as it keeps up"}.get(
                        (start, keep), "is not shown to start less than it keeps up")
        return " ".join([
            ruled({kind: verdicts["roles" if kind == "interdependence" else f"roles, {kind}"] for kind in KINDS},
                  "roles grow under care of {}", "roles do not grow under care of {}",
                  "whether roles grow stays open under care of {}"),
            {"supports": "There are more by .05 than where everybody must share: care does more than make goods flow.",
             "contradicts": "They exceed those where everybody must share by less than .05, if at all: what "
                            "makes roles is the flow of goods, and care matters as a reason for it.",
             "underdetermined": "Whether there are more by .05 than where everybody must share stays open."
             }[verdicts["more than forced sharing"]],
            self._chance(findings, frame),
            f"Care by dependence that saturates at full dependence only (saturation 1) {ignition}.",
            *(self._loop(frame, kind) for kind in ("neighbours", "interdependence"))])

    def _chance(self, findings, frame) -> str:
        """Say whether roles exceed shuffled tasks, and whether a p-value tells the arms apart."""
        here = self.main(frame)
        here = here[here[COST] == 0.02]
        rates = {"care": here[(here["arm"] == "care") & (here["kind"] == "interdependence") & (here["weight"] == 0.75)],
                 "selfishness": here[here["arm"] == "selfish"], "autarky": here[here["arm"] == "autarky"]}
        rates = {arm: float((runs["pvalue"] < 0.05).mean()) for arm, runs in rates.items()}
        text = {"supports": "Roles exceed by more than .1 what shuffled tasks would give",
                "contradicts": "Roles do not exceed by .1 what shuffled tasks would give",
                "underdetermined": "Whether roles exceed by .1 what shuffled tasks would give stays open"
                }[findings["more than chance"].verdict]
        text += "; p < .05 in " + listed(f"{rate:.0%} of the runs of {arm}" for arm, rate in rates.items())
        if max(rates["selfishness"], rates["autarky"]) > 0.5:
            text += ": many members make the test so sharp that it also finds roles too weak to matter"
        return text + "."

    def _loop(self, frame, kind: str) -> str:
        """Say how far apart falling and rising care end at each weight, and whether a slow rise gets anywhere."""
        here = self.main(frame)
        here = here[(here[COST] == 0.02) & (here["kind"] == kind)]
        slow = here[here["hold"] == SLOW]
        gap, raised = {}, {}
        for hold, part in ((1, here[here["hold"].isna()]), (SLOW, slow)):
            up, down = (part[part["arm"] == arm].set_index("replicate") for arm in ("raised", "lowered"))
            raised[hold] = up["welfare at 0.9"].mean()
            gap[hold] = [float((down[f"welfare at {w:g}"] - up[f"welfare at {w:g}"]).mean()) for w in PATH[1:]]
        scratch = here[(here["arm"] == "care") & (here["weight"] == 0.9)]["welfare"].mean()
        text = (f"Care of {kind}, lowered less raised: welfare differs by "
                + listed(f"{one:+.2f} at weight {w:g}" for w, one in zip(PATH[1:], gap[1], strict=True))
                + f", and by {listed(f'{one:+.2f}' for one in gap[SLOW])} where each weight is held {SLOW} times as "
                "long. ")
        if scratch - raised[SLOW] > 0.1:
            return text + (f"Even slowly raised to .9, care leaves at {raised[SLOW]:.2f} a population that was "
                           f"selfish before, where those who cared from the start come to {scratch:.2f}: it depends "
                           "on the past.")
        return text + (f"Slowly raised to .9, care brings a population that was selfish before to {raised[SLOW]:.2f}, "
                       f"and those who cared from the start come to {scratch:.2f}.")

    def tables(self, frame) -> dict:
        """Return, from frame, where the transition lies, and how often roles beat their null."""
        import pandas as pd

        here = self.main(frame)
        found = []
        for cost in COSTS:
            row = {"share_cost": cost}
            for kind in KINDS:
                runs = here[(here[COST] == cost)]
                none = runs[runs["arm"] == ("selfish, turnover" if kind == "kin" else "selfish")]
                care = runs[(runs["arm"] == "care") & (runs["kind"] == kind)]
                curves = [none.set_index("replicate")["welfare"]]
                curves += [care[care["weight"] == weight].set_index("replicate")["welfare"] for weight in WEIGHTS]
                table = pd.concat(curves, axis=1).dropna().to_numpy()
                row[f"care: {kind}"] = with_interval([transition((0, *WEIGHTS), curve) for curve in table])
            found.append(row)
        care = here[(here["arm"] != "care") | (here["weight"] == 0.75)]
        care = care[(care[COST] == 0.02) & ~care["arm"].isin(("raised", "lowered"))].copy()
        care["significant"] = (care["pvalue"] < 0.05).astype(float)
        care["kind"] = care["kind"].fillna("–") if "kind" in care else "–"
        arms = means(care, ["arm", "kind"], {
            "roles": "division_of_labour", "runs with p < .05": "significant", "welfare": "welfare",
            "dependence": "dependence", "readiness to share": "share_propensity"})
        return {"Care weight of the transition": pd.DataFrame(found),
                "Arms at share_cost .02, care weight .75": arms}

    def figure(self, frame, figure=None):
        """Draw, into figure, roles and welfare of frame against the care weight, also raised and lowered."""
        from matplotlib.figure import Figure

        from ..plots import PALETTE

        figure = Figure(figsize=(13, 3.6), layout="constrained") if figure is None else figure
        roles, well, loop = figure.subplots(1, 3)
        here = self.main(frame)
        here = here[here[COST] == 0.02]
        for ax, measure in ((roles, "division_of_labour"), (well, "welfare")):
            for kind, colour in zip(KINDS, PALETTE, strict=False):
                none = "selfish, turnover" if kind == "kin" else "selfish"
                curve = [mean_interval(here[here["arm"] == none][measure])]
                curve += [mean_interval(here[(here["arm"] == "care") & (here["kind"] == kind)
                                             & (here["weight"] == weight)][measure]) for weight in WEIGHTS]
                mean, low, high = np.transpose(curve)
                ax.plot([0, *WEIGHTS], mean, "o-", color=colour, markersize=3, label=f"care: {kind}")
                ax.fill_between([0, *WEIGHTS], low, high, color=colour, alpha=0.25, linewidth=0)
            for arm, style in (("forced", "--"), ("autarky", ":")):
                ax.axhline(mean_interval(here[here["arm"] == arm][measure])[0], color="#333333", linestyle=style,
                           linewidth=1, label={"forced": "all must share", "autarky": "nobody shares"}[arm])
            ax.set(xlabel="care weight", ylabel=measure.replace("_", " ") + " (0–1)")
        roles.legend(frameon=False, fontsize=7)
        for kind, colour in (("neighbours", PALETTE[0]), ("interdependence", PALETTE[1])):
            for arm, mark in (("raised", "^"), ("lowered", "v")):
                rows = here[(here["arm"] == arm) & (here["kind"] == kind)]
                for part, style, how in ((rows[rows["hold"].isna()], "--", ""),
                                         (rows[rows["hold"] == SLOW], "-", f", {SLOW} × slower")):
                    mean, low, high = np.transpose([mean_interval(part[f"welfare at {weight:g}"]) for weight in PATH])
                    loop.plot(PATH, mean, mark + style, color=colour, markersize=3, linewidth=1,
                              label=f"{kind}, {arm}{how}")
                    loop.fill_between(PATH, low, high, color=colour, alpha=0.2, linewidth=0)
        loop.set(xlabel="care weight, raised or lowered in steps", ylabel="welfare (0–1)")
        loop.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
        for ax in (roles, well, loop):
            ax.set_ylim(-0.02, 1.02)
            ax.spines[["top", "right"]].set_visible(False)
        return figure
