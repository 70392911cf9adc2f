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
# # A first run
#
# ## WHAT IS IT?
#
# A population of members, each of which needs several resources to live well, can make one at a time, gets
# better at what it practises, and may give what it can spare to its neighbours. Nobody is told what to do.
# Will the members divide the work among them? Will they come to depend on each other, so that the population
# fares like one body with organs? The model lets both happen, and lets both fail to happen.
#
# ## HOW IT WORKS
#
# Every tick each member *senses* what it lacks and what its neighbours lack, *chooses* a task and whether to
# share, *makes* some of that task's resource, *gives* surplus to neighbours who are short, *burns* what it needs
# and has welfare of it, *appraises* the tick by its own welfare mixed with that of the members it depends on
# (`care.weight` says how much), and *learns* to do more of what led to better appraisals.
#
# ## HOW TO USE IT
#
# Run the cells from top to bottom; each takes a few seconds at most. The second makes a world, the third
# shows it live: press *Play*, choose what to *show*, and move the slider to see what becomes of a world whose
# members care less. What you play with is a twin: the `world` of the cells below stays as it is.

# %%
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from IPython.display import display

import organism as og

world = og.World(og.Topology.grid((32, 32)), og.Params.preset("organic"), rng=1, ledger=True)

# %%
og.view(world, field="dominant_task", sliders="care.weight")

# %% [markdown]
# ## THINGS TO NOTICE
#
# ### How does the world fare?
#
# The same world again, now stepped by the cell, while a recording takes its vital signs. Each measure of the
# division of labour and of dependence is explained in `help(og.measures)`.

# %%
course = world.record({name: og.measures.SCALARS[name] for name in
                       ("welfare", "division_of_labour", "dependence", "share_rate")}, every=20)
world.step(3000)
og.plots.time_series(course, title="vital signs")
display(world)

# %% [markdown]
# ### Do members take on roles?
#
# Left, what each member has mostly done of late; the paler, the more it does other things too. Right, how well
# each fared in the last tick. Is there a pattern in who neighbours whom? The cell compares with a null: the
# same roles dealt out to the same sites at random.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
og.plots.role_map(world, left)
og.plots.welfare_map(world, right)

role = og.measures.dominant_task(world)          # everyone is alive, so this is in site order
source, target = world.topology.source, world.topology.target
alike = np.mean(role[source] == role[target])
rng = np.random.default_rng(1)
dealt = [rng.permutation(role) for _ in range(199)]
null = np.array([np.mean(roles[source] == roles[target]) for roles in dealt])
side = "outside" if not null.min() <= alike <= null.max() else "inside"
print(f"Members of each role: {np.bincount(role).tolist()}.")
print(f"{alike:.1%} of all ties join members of one role; dealt out at random it is "
      f"{null.min():.1%} to {null.max():.1%}.")
print(f"The world is {side} what chance makes" + (
    ", with neighbours " + ("less" if alike < null.min() else "more") + " alike than chance would have them."
    if side == "outside" else "."))

# %% [markdown]
# ### Is it division of labour, or luck?
#
# Gorelick's index says how far knowing the member tells the task: 0 if all do the same mix, 1 if each has a
# task of its own. Members that act at random differ too, a little, so the index needs a null: all acts thrown
# together and dealt out again.

# %%
test = og.measures.division_of_labour_test(world, n_resamples=199, rng=1)
figure, ax = plt.subplots(figsize=(6.4, 2.8), layout="constrained")
top = max(1.1 * test.statistic, 0.05)
ax.hist(test.null_distribution, bins=np.linspace(0, top, 60), color="#777777", label="dealt out at random")
ax.axvline(test.statistic, color="#D55E00", label="this world")
ax.set_xlim(-0.02 * top, top)
ax.set_xlabel("division of labour (Gorelick's D_ind, 0–1)")
ax.set_ylabel("null worlds (count)")
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

largest = test.null_distribution.max()
print(f"Division of labour {test.statistic:.3f}; the largest of {len(test.null_distribution)} null values is "
      f"{largest:.3f} (p = {test.pvalue:.3f}).")
print("Members have task mixes of their own." if test.pvalue < 0.05 else "Luck alone would do this.")

# %% [markdown]
# ### Who feeds whom?
#
# The world was made with `ledger=True`, so it knows exactly how much of what went along every tie. The
# interdependence graph is an ordinary networkx graph: an edge from giver to receiver, with its weight. Below
# is its middle, with arrows in the colour of the resource that is mostly given.

# %%
graph = og.interdependence(world)
figure, ax = plt.subplots(figsize=(6.4, 6.4), layout="constrained")
og.plots.interdependence_graph(world, ax)

weight = nx.get_edge_attributes(graph, "weight")
task = nx.get_node_attributes(graph, "dominant_task")
across = sum(amount for (giver, receiver), amount in weight.items() if task[giver] != task[receiver])
print(f"{graph.number_of_nodes():,} members, {graph.number_of_edges():,} flows, {sum(weight.values()):,.0f} goods.")
print(f"{across / sum(weight.values()):.0%} of the goods went between members of different roles; "
      f"{np.mean(role[source] != role[target]):.0%} of the ties join such.")
print(f"{og.measures.reciprocity(world):.0%} of what is given comes back from the same partner, and gifts are "
      f"worth {og.measures.dependence(world):.0%} of what a member burns.")
print(f"Every good is accounted for: {world.audit().closes}.")

# %% [markdown]
# ### Does care make the difference?
#
# Two arms that differ in one thing: in one, members' appraisals hold the welfare of those they depend on; in
# the other only their own. Five seeds each, and the same five for both.

# %%
arms = {"organic": ("#009E73", []), "selfish": ("#D55E00", [])}
figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
for name, (colour, ends) in arms.items():
    for seed in range(1, 6):
        other = og.World(og.Topology.grid((24, 24)), og.Params.preset(name), rng=seed)
        line = other.record({"welfare": og.measures.welfare}, every=20)
        other.step(2000)
        ax.plot(line.ticks, line["welfare"], color=colour, linewidth=1, label=name if seed == 1 else None)
        ends.append((line["welfare"][-25:].mean(), og.measures.division_of_labour(other)))
ax.set(xlabel="tick", ylabel="mean welfare (0–1)", ylim=(0, 1))
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

for name, (_, ends) in arms.items():
    (welfare, labour), (welfare_sd, labour_sd) = np.mean(ends, axis=0), np.std(ends, axis=0, ddof=1)
    print(f"{name}: welfare {welfare:.3f} ± {welfare_sd:.3f}, division of labour {labour:.3f} ± {labour_sd:.3f} "
          f"(mean ± standard deviation of {len(ends)} seeds)")

# %% [markdown]
# ### Who cannot live without whom?
#
# A graph of gifts shows who trades with whom; whether one could do without is another question. Here it is
# put by hand. A *fork* of a world is its twin: same state, same seed, same luck. Left alone it does exactly
# what the world would have done, so whatever differs after a *lesion* was caused by it. One lesion takes
# away all members of one role, an organ; as its null, five others take away as many members at random.

# %%
def lesion(sites, ticks=1000):
    """Take the members at ``sites`` out of a twin; return the survivors' welfare, there and in a whole twin."""
    hurt, whole = world.fork(), world.fork()
    hurt.do(og.intervene.ablate(sites))
    left = hurt.living
    mean = {"welfare": lambda twin: np.maximum(0, twin.state["welfare"][left]).mean()}
    lines = [twin.record(mean, every=10) for twin in (hurt, whole)]
    for twin in (hurt, whole):
        twin.step(ticks)
    return lines


organ = np.flatnonzero(role == 0)
cases = {"one role removed": [organ],
         "as many at random": [rng.choice(world.n_sites, len(organ), replace=False) for _ in range(5)]}
figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
early = {}
for (case, draws), colour in zip(cases.items(), ("#D55E00", "#777777"), strict=True):
    runs = [lesion(sites) for sites in draws]
    for n, (hurt, whole) in enumerate(runs):
        ax.plot(hurt.ticks, hurt["welfare"] - whole["welfare"], color=colour, linewidth=1.2,
                label=None if n else case)
    early[case] = [np.mean((hurt["welfare"] - whole["welfare"])[1:11]) for hurt, whole in runs]
    late = np.mean([(hurt["welfare"] - whole["welfare"])[-10:].mean() for hurt, whole in runs])
    print(f"{case}: survivors' welfare {np.mean(early[case]):+.2f} over the first 100 ticks, {late:+.2f} over "
          "the last 100, against the same members in the whole twin")
ax.axhline(0, color="black", linewidth=0.6)
ax.set(xlabel="tick", ylabel="change of the survivors' welfare")
ax.legend(frameon=False)
ax.spines[["top", "right"]].set_visible(False)

worse = early["one role removed"][0] < min(early["as many at random"])
print("Losing one role hurts the survivors " + ("more than any of the random losses of its size."
                                                if worse else "no more than random losses of its size do."))

# %% [markdown]
# Look at the far end too: do the survivors recover, and what must some of them have done for that? (Nobody
# is born in this preset. `hurt` in the cell above is a world like any other: draw its roles at the end.)
#
# ### Does it take a grid?
#
# Any graph will do as a neighbourhood. This is Zachary's karate club: a member can feed those it knew.

# %%
club = og.World(og.Topology.from_networkx(nx.karate_club_graph()), rng=1, ledger=True)
club.step(3000)
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
places = og.plots.layout(club.topology)
og.plots.role_map(club, left, places=places)
og.plots.interdependence_graph(club, right, places=places)

test = og.measures.division_of_labour_test(club, rng=1)
ties = np.corrcoef(club.topology.out_degree, og.measures.dependence(club, each=True))[0, 1]
print(f"Welfare {og.measures.welfare(club):.2f}; division of labour {test.statistic:.2f}, null at most "
      f"{test.null_distribution.max():.3f} (p = {test.pvalue:.3f}).")
print(f"Correlation of a member's number of ties with its dependence: {ties:+.2f}.")

# %% [markdown]
# ## THINGS TO TRY
#
# 1. In the view, let the world settle, then pull `care.weight` to 0. What goes first, welfare or roles? Push
#    it up again: does the world come back the way it went?
# 2. At which care weight do roles appear? Sweep it (a solution is below). Is it a slope or a step?
# 3. Make giving dearer: `exchange.share_cost` of .05 or .15.
# 4. Replace the grid: `og.Topology.grid((32, 32), "hexagonal")`, a ring, a random graph of equal degree.
# 5. Take away one *place* instead of one role, a 10 × 10 square. Which loss is worse for those at its edge?

# %% tags=["solution"]
weights, seeds = np.linspace(0, 1, 9), (1, 2, 3)
labour = np.zeros((len(weights), len(seeds)))
for i, care in enumerate(weights):
    for j, seed in enumerate(seeds):
        other = og.World(og.Topology.grid((16, 16)), og.Params().replace(**{"care.weight": care}), rng=seed)
        other.step(2000)
        labour[i, j] = og.measures.division_of_labour(other)
figure, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
ax.plot(weights, labour, "o", color="#0072B2", alpha=0.6)
ax.plot(weights, labour.mean(axis=1), color="#0072B2")
ax.set(xlabel="care.weight (0–1)", ylabel="division of labour (0–1)", ylim=(-0.02, 1))
ax.spines[["top", "right"]].set_visible(False)
i = int(np.argmax(np.diff(labour.mean(axis=1))))
print(f"The steepest rise is between care weights {weights[i]:.2f} and {weights[i + 1]:.2f}: from "
      f"{labour.mean(axis=1)[i]:.2f} to {labour.mean(axis=1)[i + 1]:.2f}.")

# %% [markdown]
# ## EXTENDING THE MODEL
#
# Whatever takes a world can be measured, and whatever changes one can be done to it: a measure is a function
# that returns a number, an intervention a function that writes. Here is a drought of one resource that comes and
# goes, and a measure of what it makes short.

# %%
def short_of_resource_0(world):
    """Return the share of members whose stock of resource 0 is below their reserve."""
    return np.mean(world.state["stock"][:, 0] < world.state["reserve"][:, 0])


twin = world.fork()
line = twin.record({"short of resource 0": short_of_resource_0, "welfare": og.measures.welfare}, every=10)
for factor in (0.4, 1 / 0.4):
    twin.step(500)
    twin.do(og.intervene.scale("supply", [factor, 1, 1]))
twin.step(500)
ax = og.plots.time_series(line, title="a drought of resource 0")
ax.set_ylabel("share of members, welfare (0–1)")
start = world.tick
ax.axvspan(start + 500, start + 1000, color="#E69F00", alpha=0.15)
change = {name: [values[line.ticks <= start + 500].mean(), values[line.ticks > start + 900][:10].mean()]
          for name, values in line.items()}
print(", ".join(f"{name}: {before:.2f} before, {during:.2f} late in the drought"
                for name, (before, during) in change.items()))
print("History:", twin.history)

# %% [markdown]
# ## ORGANISM FEATURES
#
# - *Same seed, same bits*: at any number of threads, after `world.save` and `og.World.load`, and in a fork,
#   which is what makes the lesions above true counterfactuals.
# - *Conserved goods*: `print(world.audit())`. *Exact flows* over any window of time: `og.flows`.
# - *Every measure with its null*: `og.measures`. *Every picture* takes and returns matplotlib axes: `og.plots`.
# - *A Mesa model* with agents, agent sets and data collection: `og.OrganismModel`.
# - All parameters with unit and range: `organism params` on the command line. The model in equations: MODEL.md.
#
# ## RELATED MODELS
#
# - *Sugarscape* (in the NetLogo library and Mesa's examples): harvest and trade on a landscape, by fixed rules
#   where members here learn. `organism run --supply` takes its sugar map.
# - *Response thresholds*: division of labour among insects by reinforced thresholds, without exchange.
# - *Cooperation* and *Altruism* (NetLogo library): inherited giving under selection; compare the preset `evolving`.
#
# ## CREDITS AND REFERENCES
#
# - Bonabeau, Theraulaz & Deneubourg (1996) Quantitative study of the fixed threshold model for the regulation of
#   division of labour in insect societies. *Proceedings of the Royal Society B* 263:1565–1569.
# - Epstein & Axtell (1996) *Growing Artificial Societies*. Brookings and MIT Press.
# - Gorelick, Bertram, Killeen & Fewell (2004) Normalized mutual entropy in biology: quantifying division of labor.
#   *American Naturalist* 164:677–682.
# - Wilensky (1999) *NetLogo*. Northwestern University; the headings are those of its Info tab.
# - Zachary (1977) An information flow model for conflict and fission in small groups. *Journal of
#   Anthropological Research* 33:452–473.
#
# How to cite this package: CITATION.cff. Licence: Apache-2.0.
