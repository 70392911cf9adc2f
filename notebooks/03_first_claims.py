# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # First claims
#
# ## WHAT IS IT?
#
# A debate about the alignment of artificial minds makes claims that sound like philosophy: what depends on a
# greater whole grows aligned with it; alignment must come before intelligence; the strong will come to see the
# weak as parasites; whatever is specified in advance fails in the end. Here each of these sentences is an
# experiment that can come out either way. This notebook walks through four of them: small versions run live in
# the cells, and the full ones, hundreds of worlds each, are stored with the package.
#
# ## HOW IT WORKS
#
# A *claim card* states, before its first full run: who holds the sentence and who denies it, what its words mean in
# the model, a treatment and a control, what each side predicts, the smallest effect worth talking about (δ), and
# the rule by which the runs decide. There are three verdicts. The runs **support** the sentence if the whole
# interval of the effect lies beyond δ, **contradict** it if the whole interval falls short of δ, and leave it
# **underdetermined** if the interval holds δ. The same question is then asked again in other worlds, to see where
# the answer flips.
#
# ## HOW TO USE IT
#
# Run the cells from top to bottom. The third shows a world in which half of the members have just become five times
# as capable as the others: pull `care.weight` down and up, and watch who still feeds whom.

# %%
import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import Markdown, display

import organism as og

world = og.World(og.Topology.grid((24, 24)), og.Params.preset("organic"), rng=1, ledger=True)
world.step(3000)
strong = np.random.default_rng(1).permutation(world.n_sites)[: world.n_sites // 2]
unequal = world.fork()
unequal.set("capability", 5, strong)

# %%
og.view(unequal, field="welfare", sliders="care.weight")

# %% [markdown]
# ## THINGS TO NOTICE
#
# ### A rule that can say no
#
# Twenty paired differences of welfare, drawn from a normal distribution whose mean we know. Which verdict do they
# get when the true effect is large, when it is nothing, and when it is just the smallest that matters? Run the cell
# with other numbers of replicates: what more runs buy is a narrower interval, never another rule.

# %%
rng = np.random.default_rng(1)
rows = []
for true in (0.3, 0.12, 0.1, 0.0, -0.2):
    finding = og.claims.decide(rng.normal(true, 0.05, 20), smallest=0.1)
    rows.append({"true effect": true, "measured": round(finding.effect, 3), "low": round(finding.low, 3),
                 "high": round(finding.high, 3), "verdict": finding.verdict})
pd.DataFrame(rows)

# %% [markdown]
# ### Emergence: do roles grow from care?
#
# Live: small worlds in which members care for those they depend on, for all their neighbours, or for nobody, at
# rising weights. Four seeds each, the same for every weight. Is it a slope or a step?

# %%
small = og.sweep(params={"care.kind": "neighbours"}, vary={"care.weight": [0, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]},
                 replicates=4, ticks=3000, topology=(16, 16), measure=["welfare", "division_of_labour"], rng=1,
                 paired=True, progress=False)
dependent = og.sweep(params={"care.kind": "interdependence"}, vary={"care.weight": [0, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9]},
                     replicates=4, ticks=3000, topology=(16, 16), measure=["welfare", "division_of_labour"], rng=1,
                     paired=True, progress=False)
figure, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained", sharex=True)
for ax, measure in zip(axes, ("division_of_labour", "welfare"), strict=True):
    for found, colour, label in ((small, "#0072B2", "neighbours"), (dependent, "#E69F00", "interdependence")):
        curve = found.frame.groupby("care.weight")[measure].mean()
        ax.plot(found.frame["care.weight"], found.frame[measure], "o", color=colour, alpha=0.4, markersize=4)
        ax.plot(curve.index, curve, color=colour, label=f"care: {label}")
    ax.legend(frameon=False)
    ax.set(xlabel="care weight (0–1)", ylabel=measure.replace("_", " ") + " (0–1)", ylim=(-0.02, 1.02))
    ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# The full card has 20 replicates of 24×24 members for 6,000 ticks at four costs of sharing, all kinds of care, and
# the controls: selfish members, members who *must* share without caring, members who never do. Read its answer
# first; then look at the figure and find the control that matters most: where everybody is made to share, are there
# fewer roles?

# %%
emergence = og.claims.recorded("emergence")
display(Markdown(emergence.answer() + "\n\n" + emergence.reading()))
_ = emergence.card.figure(emergence.frame, plt.figure(figsize=(11, 3.6), layout="constrained"))

# %% [markdown]
# Care may also be *inherited*, with mutation, in worlds where members die and are born. Does it evolve from near
# nothing? Mind the grey line: it is a trait that does nothing, and it rises too, because mutation cannot take it
# below 0. What counts is the distance from it.

# %%
evolution = og.claims.recorded("emergence", "evolution")
display(Markdown(evolution.answer() + "\n\n" + evolution.reading()))
_ = evolution.card.figure(evolution.frame, plt.figure(figsize=(9, 3.6), layout="constrained"))

# %% [markdown]
# ### Order: alignment first, intelligence later?
#
# Two stages. In the first, members have care or not, and see or not. In the second all have both. Live: does it
# matter what came first? The dashed line is where the second stage begins. (What is missing here: those who had
# both from the start. The full card has them, as the rival of the sentence.)

# %%
firsts = {"care first, then sight": (0.5, 0, "#009E73"), "sight first, then care": (0.0, 2, "#D55E00"),
          "neither, then both": (0.0, 0, "#777777")}
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for label, (care, perception, colour) in firsts.items():
    for seed in range(4):
        params = og.Params().replace(**{"care.weight": care, "learning.perception": perception})
        one = og.World(og.Topology.grid((24, 24)), params, rng=seed)
        line = one.record({"welfare": og.measures.welfare}, every=40)
        one.step(3000)
        one.update(**{"care.weight": 0.75, "learning.perception": 2})
        one.step(3000)
        ax.plot(line.ticks, line["welfare"], color=colour, linewidth=1, label=None if seed else label)
ax.axvline(3000, color="black", linestyle="--", linewidth=0.8)
ax.set(xlabel="tick", ylabel="mean welfare (0–1)", ylim=(0, 1))
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# Suppose the order matters. Is it because ability came first, or because selfish members *learned to refuse*? The
# card takes the two apart: arms whose share policy was held still in the first stage cannot learn to refuse, and
# arms whose weights are reset at the switch lose what they learned.

# %%
order = og.claims.recorded("order")
display(Markdown(order.answer() + "\n\n" + order.reading()))
_ = order.card.figure(order.frame, plt.figure(figsize=(13, 4), layout="constrained"))

# %% [markdown]
# ### Exit: do the strong come to see the weak as parasites?
#
# Live: the world from the first cell, in which half of the members became five times as capable, beside its twin,
# in which nobody changed. A ledger keeps what went along each tie, so we can ask what the strong give the weak. Some
# of it is only the floor that exploration forces on everybody: a third world holds the strong's wish to share at −6.

# %%
def course(world, forbid=False, ticks=3000, every=100):
    """Step a fork of a world; return ticks, mean flow from strong to weak since the last, and welfare of the weak."""
    one, member = world.fork(), np.zeros(world.n_sites, bool)
    member[strong] = True
    if forbid:
        one.before(lambda w: w.set("share_policy", -6, strong), every=20)
    across = member[one.topology.source] & ~member[one.topology.target]
    rows, before = [], one.tie("total")[across].sum()
    for _ in range(ticks // every):
        one.step(every)
        total = one.tie("total")[across].sum()     # all that went along these ties, exactly
        rows.append((one.tick - world.tick, (total - before) / every / len(strong),
                     np.maximum(0, one.state["welfare"])[~member].mean()))
        before = total
    return np.transpose(rows)


figure, (flow, well) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for label, one, forbid, colour in (("the strong are five times as able", unequal, False, "#D55E00"),
                                   ("the twin: nobody changed", world, False, "#777777"),
                                   ("five times as able, floor only", unequal, True, "#E69F00")):
    ticks, given, fared = course(one, forbid)
    flow.plot(ticks, given, color=colour, label=label)
    well.plot(ticks, fared, color=colour)
flow.set(xlabel="ticks since the change", ylabel="goods to the weak\n(a tick and strong member)", ylim=(0, None))
well.set(xlabel="ticks since the change", ylabel="welfare of the weak (0–1)", ylim=(0, 1))
flow.legend(frameon=False, fontsize=8)
for ax in (flow, well):
    ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
# The card asks the parts of the sentence apart: does the flow *fall*, does it *stop*, and are the weak *worse off*? For
# care by interdependence part of the answer is true by definition (a member who imports nothing cares for nobody),
# and the card says so beforehand. Which parts are not? And mind the floor: it grows with what the strong hold, so that
# some of what the weak live on is given by nobody's wish.

# %%
leave = og.claims.recorded("exit")
display(Markdown(leave.answer() + "\n\n" + leave.reading()))
_ = leave.card.figure(leave.frame, plt.figure(figsize=(11, 4), layout="constrained"))

# %% [markdown]
# ### Specification: does whatever is stated beforehand fail in the end?
#
# Live: four ways of deciding, and then the third good turns harmful. The *organic* members feel it. The *specified*
# ones learn just as well, but from a formula of welfare that was written before. The *operator* orders tasks from
# what it knew; and one operator is *told* of the harm. Until then the first two fare alike, and so do the operators:
# their lines lie on top of each other. Who is ahead in between, and who after it?

# %%
regimes = {"organic": (og.regimes.Organic(), "#009E73"), "specified": (og.regimes.Specified(care=True), "#D55E00"),
           "operator": (og.regimes.Corrigible(delay=10), "#0072B2"),
           "operator, told": (og.regimes.Corrigible(delay=10, told=True), "#56B4E9")}
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
for label, (regime, colour) in regimes.items():
    one = og.World(og.Topology.grid((24, 24)), og.Params.preset("organic"), rng=1)
    one.govern(regime)
    line = one.record({"welfare": og.measures.welfare}, every=40)
    one.step(3000)
    one.update(**{"metabolism.harmful": (2,)})
    one.step(3000)
    ax.plot(line.ticks, line["welfare"], color=colour, label=label)
ax.axvline(3000, color="black", linestyle="--", linewidth=0.8)
ax.set(xlabel="tick", ylabel="mean welfare (0–1)", ylim=(0, 1))
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

# %%
specification = og.claims.recorded("specification")
display(Markdown(specification.answer() + "\n\n" + specification.reading()))
_ = specification.card.figure(specification.frame, plt.figure(figsize=(12, 4.6), layout="constrained"))

# %% [markdown]
# ### All verdicts at once
#
# The primary question of each card; its rival, the comparison with what the sentence's deniers would do instead; and
# in how many other settings the verdict is the same. A sentence that holds in one world only is a sentence about that
# world, and one that is supported while its rival does as well decides nothing between the two sides.

# %%
cards = (emergence, evolution, order, leave, specification)
table = pd.DataFrame([{"card": one.card.name, "verdict": one.verdict,
                       "rival": one.rival.verdict if one.rival else "–", "effect": round(one.findings[0].effect, 2),
                       "low": round(one.findings[0].low, 2), "high": round(one.findings[0].high, 2),
                       "same verdict in": "{} of {}".format(*one.kept) if one.settings else "–",
                       "flips with": ", ".join(one.flips) or "–"} for one in cards])
with pd.option_context("display.max_colwidth", None):
    display(table.set_index("card"))

# %% [markdown]
# ## THINGS TO TRY
#
# 1. A verdict depends on δ, which somebody chose. For which δ would each verdict be another one? (A solution is
#    below.) Would you have chosen that δ beforehand?
# 2. Every report has a table of secondary questions: `print(order.report())`. They are not corrected for their
#    number. How many of them would you expect to "support" by luck?
# 3. Which change of the robustness grid flips a verdict, and why? Make that world and look at it live.
# 4. In the live cell of *exit*, let the strong care for all neighbours: set `care.kind` to "neighbours" in both forks.
# 5. Give the operator of *specification* a delay of 300 ticks, or let it err.

# %% tags=["solution"]
found = {}
for one in cards:
    question, frame = one.card.questions[0], one.card.main(one.frame)
    for smallest in (0.02, 0.05, 0.1, 0.2, 0.4):
        judged = one.card.ask(dataclasses.replace(question, smallest=smallest), frame, one.findings[0].level)
        found[one.card.name, smallest] = judged.verdict
pd.Series(found).unstack()

# %% [markdown]
# ## EXTENDING THE MODEL
#
# A card of your own is a class: texts, questions, the points to run and how to run one. This one asks whether giving
# to the neighbours survives when it costs ten times as much. Before you run it, write down what you expect.

# %%
class Dear(og.claims.Card):
    """Does care keep goods flowing when giving is dear?"""

    name = "dear"
    sentence = "Members who care go on feeding each other when giving is dear."
    prediction = "At share_cost .2 care of neighbours still raises welfare by more than .1 over selfish members."
    questions = (og.claims.Question(name="fed", text="Do they fare better than the selfish when giving costs .2?",
                                    treatment={"care.weight": 0.75}, control={"care.weight": 0.0},
                                    measure="welfare", smallest=0.1),)
    robustness = {}
    replicates = 8

    def points(self):
        """Two arms."""
        return [{"care.weight": weight} for weight in (0.0, 0.75)]

    @staticmethod
    def simulate(point, rng):
        """Run one arm."""
        changes = {"exchange.share_cost": 0.2, "care.kind": "neighbours", **point}
        one = og.World(og.Topology.grid((16, 16)), og.Params().replace(**changes), rng=rng)
        one.step(3000)
        return {"welfare": og.measures.welfare(one)}


dear = og.claims.run(Dear(), progress=False)
print(dear)

# %% [markdown]
# ## ORGANISM FEATURES
#
# - `organism claims` lists the cards; `organism claim NAME` runs one in full and writes a report: the answer in a
#   paragraph, the figure that carries it, method, robustness, limits.
# - *Paired runs*: replicate r has the same seed in every arm, so that arms differ in one thing.
# - *Sweeps* (`og.sweep`) run worlds, Mesa models and functions on any number of processes, with a store that goes
#   on where it stopped. `og.claims.recorded` reads the full runs that came with the package.
#
# ## RELATED MODELS
#
# - *A first run* (notebook 01) introduces the world that all cards share.
# - *Cooperation*, *Altruism* and *Divide the Cake* (NetLogo library) let strategies compete by inheritance alone.
#
# ## CREDITS AND REFERENCES
#
# - Efron & Tibshirani (1993) *An Introduction to the Bootstrap*. Chapman & Hall.
# - Emerson (1962) Power-dependence relations. *American Sociological Review* 27:31–41.
# - Lakens (2017) Equivalence tests. *Social Psychological and Personality Science* 8:355–362.
# - Soares, Fallenstein, Yudkowsky & Armstrong (2015) Corrigibility. *AAAI Workshops*.
# - The sources of each card: `og.claims.card("exit").references`.
#
# How to cite this package: CITATION.cff. Licence: Apache-2.0.
