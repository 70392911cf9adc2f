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
# # Roles and wholes
#
# ## WHAT IS IT?
#
# In a population where everybody may do anything and give to any neighbour, two kinds of order can appear. Members can
# take on *roles*: some mostly do this, others that. And they can form *wholes*: groups that trade among themselves more
# than with others, which may lie in larger wholes, as cells lie in tissues and tissues in organs. Nobody declares them
# here. They are looked for in what members did and in what flowed between them, and every finding is put to a test
# that it can fail. Roles and wholes are then followed through time, and the same questions asked of four networks from
# books: three ecosystems and an economy.
#
# ## HOW IT WORKS
#
# - **Roles.** Each member is a row of shares: of tasks, of resources given and got, of giving, getting and own use.
#   First a test: do members differ more than if all drew from one mix? Then clouds of rows are fitted, and the
#   largest number of clouds is taken that, found in one half of the members, is found again in the other (*prediction
#   strength*).
# - **Wholes.** A detector of communities divides the members at many resolutions. What stays the same over a stretch of
#   them is a candidate. Detectors always find something, so the same detector is run again on *nulls*: the same ties
#   with the flows shuffled among them; so, but with everybody's giving and getting kept; or the same numbers of ties
#   tied to others at random. A level **stands** if its assortativity (the share of the flows kept inside beyond what
#   the sizes of its wholes explain, over the most that it could be) is higher than in all, or nearly all, nulls. It
#   also has to show more than the levels around it explain: inside larger wholes, and made of smaller ones.
#
# ## HOW TO USE IT
#
# Run the cells from top to bottom. Two worlds are made that differ in the land alone: one is uniform, the other is cut
# by poor seams: half the supply on every 8th row and column, a tenth on every 16th. The view shows a twin of the
# second: press *Play*, and see what happens at the seams when members care less.

# %%
import importlib.util

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from IPython.display import HTML, display

import organism as og
from organism.roles import block_roles, follow_roles, labour_between, refilling
from organism.wholes import agreement, codelength, follow_wholes, null_flows, planted_flows, trade_of


def show(frame):
    """Show a whole table, and nothing where it knows nothing."""
    with pd.option_context("display.max_colwidth", None):
        display(HTML(frame.round(3).to_html(index=False, na_rep="")))


SIDE = 32
seams = np.ones((SIDE, SIDE))
seams[::8] = seams[:, ::8] = 0.5
seams[::16] = seams[:, ::16] = 0.1


def settle(supply, seed=1):
    """Make a world on this land, let it settle for 3,000 ticks, and note what flows in the 500 after."""
    made = og.World(og.Topology.grid((SIDE, SIDE)), og.Params.preset("organic").replace(**{"care.weight": 0.75}),
                    rng=seed, columns={"supply": np.repeat(supply.reshape(-1, 1), 3, 1)}, ledger=True)
    made.step(3000)
    taken = og.Snapshots(made, every=100)
    made.step(500)
    return made, taken


uniform, uniform_flows = settle(np.ones((SIDE, SIDE)))
graded, graded_flows = settle(seams)
print(uniform_flows, graded_flows, sep="\n")

# %%
og.view(graded, field="welfare", sliders="care.weight")

# %% [markdown]
# ## THINGS TO NOTICE
#
# ### Roles on uniform land
#
# Left, the prediction strength of each number of roles: the share of members of the worst cloud that the other half of
# the population would group alike too, with its standard error. The largest number above the line is taken. Right,
# where the roles are. Some roles are of two tasks: is that a role of its own, or a member on its way from one task to
# the other? Follow a few members in the view before you decide.

# %%
roles = og.find_roles(uniform, rng=1)
print(roles)
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
og.plots.prediction_strength(roles, left)
og.plots.role_map(uniform, right, roles=roles, title="who has which")
plt.show()

# %% [markdown]
# The null: members who all draw from the population's own mix, as often as these acted. There must be no roles then,
# and at the level of the test, .05, one such population in twenty will seem to have some.

# %%
acts = uniform.state["task_counts"]
draws = og.measures.effective_draws(uniform)
rng = np.random.default_rng(1)
mix = acts.sum(axis=0) / acts.sum()
verdicts = [og.find_roles(rng.multinomial(np.rint(draws).astype(int), mix), n_resamples=99, rng=i) for i in range(20)]
print(f"{sum(one.differ for one in verdicts)} of {len(verdicts)} populations without roles seem to differ; "
      f"{sum(one.n_roles > 1 for one in verdicts)} are told to have roles.")
print(verdicts[0])

# %% [markdown]
# A second opinion, from network science. A *stochastic block model* never looks at what members do; it asks which
# members give the same goods to the same others. It is asked here for as many blocks as there are roles (without that
# it chooses a number by itself). If both find the same groups, roles are in the acts and in the ties.

# %%
blocks = block_roles(uniform_flows.window(), roles.n_roles, rng=1)
print(blocks)
print(roles.agreement(blocks))

# %% [markdown]
# ### Do roles last, and are they filled again?
#
# A role is more than what members happen to do now if it lasts, and if a neighbour takes it over when those who had it
# are gone. First, five windows of 100 ticks: who keeps a role? Then the members of one role are taken away from a
# corner, in twins of the world that have the same luck. (Taking over some of it is not filling the gap: look how much.)

# %%
print(follow_roles(uniform_flows, rng=1))
corner = (np.arange(SIDE**2) // SIDE < 6) & (np.arange(SIDE**2) % SIDE < 6)
print(refilling(uniform, role=0, sites=corner, ticks=500, rng=1))

# %% [markdown]
# Where is the like of a member? Correlation of roles by distance, beside the same roles dealt out at random. Neighbours
# *avoid* what the other does: here parts differ because they are next to each other.

# %%
og.plots.role_correlation(*og.scales.role_correlation(uniform, rng=1))
plt.show()

# %% [markdown]
# ### Wholes on uniform land: none
#
# The negative control. Every place is like every other, so there is nothing that could make one group out of these
# members rather than out of those. Trade is local, and any division of a map into patches keeps much of it inside; that
# is no whole.

# %%
none = og.find_wholes(uniform_flows.window(), rng=1)
print(none)

# %% [markdown]
# ### Wholes on land with graded seams
#
# The positive control: four regions between the deep seams, each of four between the shallow ones. Does the detector
# find 4, and 16 inside them? The seams themselves belong to nobody, so agreement with the land is taken over the
# members between them (adjusted mutual information: 1 the same, 0 as good as chance).

# %%
levels = og.find_wholes(graded_flows.window(), rng=1)
print(levels)
row, column = np.divmod(np.arange(SIDE**2), SIDE)
between = (row % 8 > 0) & (column % 8 > 0)
regions = {8: row // 8 * SIDE + column // 8, 16: row // 16 * SIDE + column // 16}
for level in levels:
    print(f"{level.n_wholes} wholes: agreement with the 16 regions "
          f"{agreement(level.labels[between], regions[8][between]):.2f}, with the 4 "
          f"{agreement(level.labels[between], regions[16][between]):.2f}")


# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 5), layout="constrained")
og.plots.wholes_map(graded, levels, left, roles=og.find_roles(graded, rng=1))
og.plots.wholes_matrix(levels, right)
plt.show()
figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
og.plots.wholes_tree(levels, left)
og.plots.wholes_graph(levels, ax=right)
plt.show()

# %% [markdown]
# Against which nulls? In each the detector ran again, so as to find about as many wholes. Flows shuffled among the ties
# are beaten by the four and by the sixteen, and each also beats what the other explains: the sixteen beat shuffles
# inside the four, the four beat shuffles between the sixteen. The other levels come up because the land has these two:
# two halves are each made of two of the four, and the many small ones keep *less* inside than chance would, for
# a member's partners are those who have what it lacks, not those in one tight knot.
#
# Flows shuffled with all totals kept are not beaten; these keep even a little more inside than the real ones do. On
# this land, *how much* each member gives and gets (little, near a seam) already says where the borders are. A seam
# divides because those on it hardly trade, not because the others prefer their own. Is that a whole? It is as much of
# one as a lake or a wall makes; which null is the right one depends on which of these you want to call one.

# %%
og.plots.wholes_by_level(levels, "assortativity")
plt.show()
table = levels.frame()
show(table[table["statistic"].isin(["closure", "assortativity", "individuality", "effectiveness"])])

# %% [markdown]
# Would other methods say the same, and the same method of other flows? `agreement` (adjusted mutual information) is
# with the most similar level above; `stability` is over resolutions; for `bootstrap` flows were resampled and divided
# again. `codelength` is what the map equation says: so many bits tell a step of a walk through the flows, fewer is
# better. It likes about fifty wholes best, of which no null approves: a short code is no test.

# %%
methods = ["louvain", "networkx", *["infomap"] * (importlib.util.find_spec("infomap") is not None)]
again = [og.find_wholes(graded_flows.window(), method, nulls=(), n_bootstraps=5, rng=1) for method in methods]
show(again[0].compare(*again[1:]))

# %% [markdown]
# What is one of the wholes like? One row for each of the coarsest level that stands: size, the share of what its
# members give that stays inside (`closure`), the shares of resources in its exports, and which part of what its
# members get of each resource comes from inside (`self_sufficiency`). Are they organs, each with a job for the
# others, or all alike?

# %%
if levels.standing:
    show(levels.standing[-1].frame().drop(columns=["exported", "imported"]))

# %% [markdown]
# ### Organs, or the same thing many times?
#
# Organs do different things for each other. Do these wholes? The division of labour splits into one between wholes and
# one within them, each held against members dealt out to groups by lot.

# %%
for level in levels.standing:
    print(f"{level.n_wholes} wholes. {labour_between(graded, level, rng=1)}")

# %% [markdown]
# So they are no organs: each is a bundle with some of everything, more balanced than chance would make it.
# Shared needs and a border do not make wholes specialise. The same, by the size of a square of neighbours: the
# entropy of roles within it, and how much of what leaves it could be told from the square alone.

# %%
scales = og.scales.by_scale(graded, rng=1)
figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, measure in zip(axes, ("role_entropy", "effectiveness"), strict=True):
    og.plots.by_scale(scales, measure, ax)
plt.show()

# %% [markdown]
# ### Wholes come and go
#
# Uniform land for 750 ticks, then the seams are laid, and after 1,500 ticks they are taken away again. Wholes are
# looked for in windows of 250 ticks, at low resolutions, and known again by their members. Do wholes outlive what made
# them? (No: the four are found while the seams are there, and no more from the first window after.)

# %%
land = og.World(og.Topology.grid((SIDE, SIDE)), uniform.params, rng=1, ledger=True)
land.step(2000)
course = og.Snapshots(land, every=250)
for supply, ticks in ((1.0, 750), (seams, 1500), (1.0, 750)):
    land.set("supply", supply)
    land.step(ticks)
followed = follow_wholes(course, -1, nulls=(), resolutions=np.geomspace(0.02, 0.5, 12), rng=1)
print(followed)
og.plots.wholes_over_time(followed)
plt.show()

# %% [markdown]
# What else changed on the way? The share of ties that are not those of the window before (`tie_turnover`), of goods
# that went the other way too (`reciprocity`), of members who all feed each other, by however many steps (`core`), and
# of those who got nothing from others (`autarky`).

# %%
show(og.temporal.through_time(course))

# %% [markdown]
# ### Who is missed?
#
# A *keystone* is a member without whom others fare worse. Twelve members are removed, one at a time, in twins with the
# same luck. Could their standing in the network of flows have told how much they would be missed?

# %%
keys = og.counterfactual.keystones(graded, sample=12, ticks=150, branches=4, rng=1)
print(keys)
show(keys.frame.sort_values("loss", ascending=False))

# %% [markdown]
# ### Is it luck?
#
# Two more worlds of each kind, without nulls. Do the four regions come back, and the sixteen? Other levels that come
# with them may differ from world to world.

# %%
found = []
for seed in (2, 3):
    for name, supply in (("uniform", np.ones((SIDE, SIDE))), ("graded", seams)):
        again = og.find_wholes(settle(supply, seed)[1].window(), nulls=(), rng=1)
        found.append({"seed": seed, "land": name, "levels": len(again),
                      "wholes": ", ".join(str(level.n_wholes) for level in again) or "none",
                      **{f"agreement with {number}": round(max(
                          (agreement(level.labels[between], regions[size][between]) for level in again), default=0), 2)
                         for number, size in ((16, 8), (4, 16)) if name == "graded"}})
show(pd.DataFrame(found).sort_values(["land", "seed"]))

# %% [markdown]
# ### Would it find them if they were there?
#
# Planted truth: 1,000 members in blocks of 20 within blocks of 100; half of the ties stay in the small block, .3 go
# somewhere in the large one and .2 anywhere. Our own map-equation score (bits a step to tell a walk; fewer is better)
# compares divisions by a measure that Louvain's method was not built to please. Which method finds both levels?

# %%
planted, (small, large) = planted_flows(1000, (20, 100), ties=20_000, rng=1)
rows = [{"division": "the planted one", "wholes": "10, 50", "bits a step": codelength(planted, large, small)}]
for method in methods:
    division = og.find_wholes(planted, method, nulls=(), rng=1)
    best = [max((agreement(level.labels, truth) for level in division), default=0) for truth in (large, small)]
    rows.append({"division": method, "wholes": ", ".join(str(level.n_wholes) for level in division[::-1]),
                 "bits a step": division.codelength, "agreement, large": best[0], "agreement, small": best[1]})
rows.append({"division": "undivided", "wholes": "1", "bits a step": codelength(planted)})
show(pd.DataFrame(rows))

# %% [markdown]
# ### Real networks
#
# Flows of energy, carbon and money from published tables (the economy is Leontief's example, not a measured one).
# What comes in from the world outside and leaves to it (respiration, export) is kept with the nodes. In a steady
# state what each compartment gets is what it loses; the last column says by how much the worst one is out.

# %%
networks = {name: make() for name, make in og.datasets.NETWORKS.items()}
show(pd.DataFrame([{"network": graph.graph["name"], "compartments": len(graph), "flows": graph.number_of_edges(),
                    "unit": graph.graph["unit"], "source": graph.graph["source"],
                    "worst balance": f"{max(map(abs, og.datasets.imbalance(graph).values())):.0e}"}
                   for graph in networks.values()]))

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.9), layout="constrained")
for ax, name in zip(axes, ("oyster_reef", "cone_spring", "leontief_economy"), strict=True):
    graph = networks[name]
    places = nx.circular_layout(graph)
    ties = [(i, j) for i, j in graph.edges if i != j]
    weight = np.array([graph[i][j]["weight"] for i, j in ties])
    nx.draw_networkx_nodes(graph, places, ax=ax, node_color="#CCE3F0", node_size=1900)
    nx.draw_networkx_edges(graph, places, ties, ax=ax, width=(0.5 + 5 * weight / weight.max()).tolist(),
                           edge_color="#555555", connectionstyle="arc3,rad=.12", node_size=1900)
    nx.draw_networkx_labels(graph, places, {node: node.replace(" ", "\n") for node in graph}, ax=ax, font_size=7.5)
    ax.set_title(f"{graph.graph['name']}\nwidest arrow: {weight.max():,.4g} {graph.graph['unit']}", fontsize=9)
    ax.margins(0.25)
    ax.set_axis_off()
plt.show()

# %%
bay = networks["chesapeake_bay"]
amount = nx.to_numpy_array(bay)
figure, ax = plt.subplots(figsize=(9.5, 8), layout="constrained")
image = ax.imshow(np.where(amount > 0, np.log10(np.where(amount > 0, amount, 1)), np.nan), cmap="viridis_r")
ax.set(xticks=range(len(bay)), yticks=range(len(bay)), xlabel="who gets", ylabel="who gives", title="Chesapeake Bay")
ax.set_xticklabels(list(bay), rotation=90, fontsize=7)
ax.set_yticklabels(list(bay), fontsize=7)
figure.colorbar(image, ax=ax, shrink=0.6, label="log₁₀ of mg carbon per square metre and year")
plt.show()

# %% [markdown]
# ### Do they have wholes?
#
# Before asking, count. How many different networks are there that have the same numbers of ties? If hardly any, no
# division can be surprising, whatever it looks like: the test has no power, and its silence says nothing.
#
# In the bay, levels even keep *less* inside than in most networks of the same degrees: a few flows carry most of the
# carbon, and wherever chance puts these, a division can be drawn around them.

# %%
rows = []
for graph in networks.values():
    flows = trade_of(graph).flows
    others = {tuple(zip(*(ends.tolist() for ends in null_flows(flows, "degrees", np.random.default_rng(i)).nonzero()),
                        strict=True)) for i in range(50)}
    for method in methods:
        division = og.find_wholes(graph, method, rng=1)
        levels_of = [f"{level.n_wholes} wholes, assortativity {level.statistics['assortativity']:.2f} "
                     f"({level.nulls['degrees']['assortativity'].mean:.2f} by chance, "
                     f"p of so much {level.nulls['degrees']['assortativity'].above:.2g}, "
                     f"of so little {level.nulls['degrees']['assortativity'].below:.2g})" for level in division]
        rows.append({"network": graph.graph["name"], "different nulls among 50": len(others), "method": method,
                     "levels": "; ".join(levels_of) or "none", "stand": len(division.standing)})
answers = pd.DataFrame(rows)
show(answers)
print("No method finds a level that stands in any of them." if not answers["stand"].any() else
      "Levels that stand: " + ", ".join(answers.loc[answers["stand"] > 0, "network"].unique()))

# %% [markdown]
# Is there nothing in the bay, then? Forget how much flows and keep who eats whom, as Girvan and Newman did in 2002, who
# found what lives on the ground and what lives in the water. (Their network has neither the carbon pools nor amounts;
# direction is forgotten too.)

# %%
eats = nx.Graph((a, b) for a, b in bay.edges if a != b)
for method in methods:
    print(method, og.find_wholes(eats, method, rng=1), sep=": ")
halves = og.find_wholes(eats, methods[-1], rng=1)[-1]
for whole in range(halves.n_wholes):
    print(f"  {whole}:", ", ".join(name for name, one in zip(eats, halves.labels, strict=True) if one == whole))

# %% [markdown]
# *Who eats whom* divides the bay beyond chance, by all methods, though not into the same parts; *how much* does not.
# Read the names: most of what lives on the ground is in one group, with the fish that eat it; plankton, what lives off
# it, and the filter feeders that reach up for it are in the other. Which of the two networks is "the" bay? The answer
# to "does it have parts?" depends on it.
#
# ### Do they have roles?
#
# The rows are now what a compartment's losses go to (others here, export, respiration) and what its gains come from
# (others here, outside). The test asks whether compartments differ more than if all drew from one mix, and for that it
# must know how many independent acts a row is worth. A flow of 8,881 kcal is not 8,881 acts: in calories it would be a
# thousand times as many. So p is shown for several answers. What does not hang on the unit is whether clouds found in
# one half of the compartments are found again in the other (empty where nothing was fitted, as nobody differs). None
# are: so few compartments that all differ have no roles that could be told.

# %%
rows = []
for graph in networks.values():
    nodes = graph.nodes(data=True)
    table = {"losses": [[graph.out_degree(i, "weight"), data["export"], data["respiration"]] for i, data in nodes],
             "gains": [[graph.in_degree(i, "weight"), data["input"]] for i, data in nodes]}
    for worth in (10, 30, 100):
        answer = og.find_roles(table, draws=worth, least_acts=1, max_roles=4, rng=1)
        rows.append({"network": graph.graph["name"], "acts a row": worth, "division of labour": answer.statistic,
                     "p": answer.pvalue, "roles": answer.n_roles,
                     "best prediction strength": max(answer.strengths.values(), default=np.nan)})
show(pd.DataFrame(rows))

# %% [markdown]
# ### What one may not conclude
#
# - *That the reef, the spring and the economy have no parts.* Three to six compartments cannot show wholes against any
#   null: there is next to nothing to shuffle. They are here to check the flows, not to be divided.
# - *That Chesapeake Bay is one whole.* It has power enough for strong wholes only; and its compartments are themselves
#   groups, put together by those who drew up the table. Wholes of what somebody lumped are partly his.
# - *That a network is an organism because a level stands.* Standing says that more of the flows stays inside than
#   chance explains, given what the null keeps. It says nothing about care, goals, or who could live without whom; for
#   that, remove members and see (the first notebook does).
# - *That a whole with a border is an organ.* Ours have borders because the land has; inside they are all alike.
# - *That p = .05 is strong.* With 19 nulls it is the least value there can be. Take more nulls for a finer one.
# - *That a finding of one method is the network's.* Methods disagree above; where they do, say so.
#
# ## THINGS TO TRY
#
# 1. Make the seams shallower (`seams` in the first cell): 0.8 on every 8th, 0.1 on every 16th. Are there still
#    sixteen?
# 2. Look at a window of 100 ticks instead of 500: `graded_flows.window(3400, 3500)`. Which level goes first?
# 3. Take the care away (`"care.weight": 0`): are there still wholes, and of what?
# 4. Give the detector fewer resolutions: `og.find_wholes(…, resolutions=np.geomspace(.01, 50, 9))`. What changes,
#    and what should not? (A solution is below.)
# 5. Find the wholes of Zachary's club, `nx.karate_club_graph()`, and compare them with the two it split into.

# %% tags=["solution"]
for number in (9, 19, 38):
    ladder = np.geomspace(0.01, 50, number)
    swept = og.find_wholes(graded_flows.window(), nulls=(), resolutions=ladder, rng=1)
    print(f"{number} resolutions:", ", ".join(f"{level.n_wholes} wholes (stability {level.stability:.2f})"
                                              for level in swept) or "none")
club = nx.karate_club_graph()
split = [data["club"] for _, data in club.nodes(data=True)]
division = og.find_wholes(club, rng=1)
print(division)
print("Agreement with the real split:", [round(agreement(level.labels, split), 2) for level in division])

# %% [markdown]
# ## EXTENDING THE MODEL
#
# Any square array of flows, row = giver, can be asked. Here are two nulls of your own making, as a check of the
# checker: the bay with its flows dealt out again among the same ties, and a ring of five groups that hardly trade.

# %%
bay_flows = trade_of(bay).flows
dealt = null_flows(bay_flows, "flows", np.random.default_rng(3))
print("dealt out again:", og.find_wholes(dealt, nulls="degrees", rng=1))
groups = np.kron(np.eye(5), np.ones((12, 12))) + np.kron(np.roll(np.eye(5), 1, axis=1), np.full((12, 12), 0.02))
noisy = np.random.default_rng(4).poisson(3 * groups)
print("five groups:", og.find_wholes(noisy, rng=1))

# %% [markdown]
# ## ORGANISM FEATURES
#
# - *Snapshots* (`organism.snapshots`): what flowed, window by window, exact and sparse, in memory or streamed to files.
# - *Wholes* (`organism.wholes`): levels with statistics, two tails of each null, bootstraps, aggregated graphs.
# - *Roles* (`organism.roles`): labels, probabilities, profiles in words, the test and its null; block models;
#   persistence, refilling, labour between groups.
# - *Pictures* (`organism.plots`): `wholes_map`, `wholes_graph`, `wholes_matrix`, `wholes_tree`, `wholes_by_level`,
#   `wholes_over_time`, `by_scale`, `role_correlation`.
# - *Data* (`organism.datasets`): these networks, and how nearly they balance. Same seed, same answer, everywhere.
#
# ## RELATED MODELS
#
# - *Ecological network analysis* (Ulanowicz; Patten): cycling, ascendency and indirect effects of such tables.
# - *Input–output analysis* (Leontief): what each sector must make for a given final demand.
# - *Blockmodels* (White, Boorman & Breiger): members with the same ties to the same others have one position.
#
# ## CREDITS AND REFERENCES
#
# - Baird & Ulanowicz (1989) The seasonal dynamics of the Chesapeake Bay ecosystem. *Ecological Monographs* 59:329–364.
# - Blondel, Guillaume, Lambiotte & Lefebvre (2008) Fast unfolding of communities in large networks. *Journal of
#   Statistical Mechanics* P10008.
# - Dame & Patten (1981) Analysis of energy flows in an intertidal oyster reef. *Marine Ecology Progress Series*
#   5:115–124.
# - Girvan & Newman (2002) Community structure in social and biological networks. *PNAS* 99:7821–7826.
# - Leontief (1986) *Input-Output Economics*, 2nd edition. Oxford University Press.
# - Rosvall & Bergstrom (2008) Maps of random walks on complex networks reveal community structure. *PNAS*
#   105:1118–1123.
# - Tibshirani & Walther (2005) Cluster validation by prediction strength. *Journal of Computational and Graphical
#   Statistics* 14:511–528.
# - Tilly (1968) The structure and dynamics of Cone Spring. *Ecological Monographs* 38:169–197.
# - Ulanowicz (1986) *Growth and Development: Ecosystems Phenomenology*. Springer.
# - Vinh, Epps & Bailey (2010) Information theoretic measures for clusterings comparison. *Journal of Machine Learning
#   Research* 11:2837–2854.
# - Zachary (1977) An information flow model for conflict and fission in small groups. *Journal of Anthropological
#   Research* 33:452–473.
#
# How to cite this package: CITATION.cff. Licence: Apache-2.0.
