"""The examples run without a picture, do what their Readmes say, and their apps can be opened."""

import importlib
import importlib.util
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import organism as og

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ["contagion", "division_of_labour", "forest_fire", "spatial_dilemma", "sugarscape"]
HEADINGS = ["WHAT IS IT?", "HOW IT WORKS", "HOW TO USE IT", "THINGS TO NOTICE", "THINGS TO TRY", "EXTENDING THE MODEL",
            "CREDITS AND REFERENCES"]

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not installed with the package")


@contextmanager
def folder(name):
    """Import modules of an example as if it were run in its folder; they are forgotten afterwards."""
    sys.path.insert(0, str(EXAMPLES / name))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(EXAMPLES / name))
        for module in ("model", "agents", "compare"):
            sys.modules.pop(module, None)


@pytest.fixture
def load(request):
    """Return the modules model and compare of the example that a test is about."""
    with folder(request.param) as take:
        yield take("model"), take("compare")


def about(name):
    return pytest.mark.parametrize("load", [name], indirect=True, ids=[name])


def run(model, steps):
    for _ in range(steps):
        model.step()
    return model


# -- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_layout(name):
    there = {path.name for path in (EXAMPLES / name).iterdir()}
    assert {"model.py", "app.py", "compare.py", "Readme.md"} <= there
    text = (EXAMPLES / name / "Readme.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.M) == HEADINGS
    assert "before" in text and "after" in text
    app = (EXAMPLES / name / "app.py").read_text(encoding="utf-8")
    compile(app, "app.py", "exec")
    assert app.rstrip().splitlines()[-1].split()[0] == "page"


def test_apps_open():
    missing = [one for one in ("solara", "altair", "ipyvuetify") if importlib.util.find_spec(one) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: pip install \"mesa[viz]\" \"ipyvuetify<3\"")
    code = """
import sys, solara
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    import app
    box, context = solara.render(app.page, handle_error=False)
    context.close()
    sys.path.remove(folder)
    for name in ("app", "model", "agents"):
        sys.modules.pop(name, None)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, *[EXAMPLES / name for name in NAMES]],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "made"), [
    ("contagion", "Contagion"), ("division_of_labour", "DivisionOfLabour"), ("forest_fire", "ForestFire"),
    ("spatial_dilemma", "SpatialDilemma"), ("sugarscape", "Sugarscape")])
def test_a_seed_gives_a_course(name, made):
    with folder(name) as take:
        kind = getattr(take("model"), made)
        one, same, other = (run(kind(rng=seed), 6).datacollector.get_model_vars_dataframe() for seed in (5, 5, 6))
    assert one.equals(same) and not one.equals(other)


# -- Sugarscape ------------------------------------------------------------------------------------


@about("sugarscape")
def test_sugarscape_goes_as_mesas_own(load):
    _, compare = load
    theirs = compare.theirs(3)
    ours = compare.twin(theirs)
    for _ in range(25):
        theirs.step()
        ours.step()
    wanted, got = (model.datacollector.get_model_vars_dataframe() for model in (theirs, ours))
    assert wanted["#Traders"].tolist() == got["#Traders"].tolist() and len(ours.agents) < 150
    assert wanted["Trade Volume"].tolist() == got["Trade Volume"].tolist()
    assert np.allclose(wanted["Price"], got["Price"], rtol=1e-9)
    assert [one.cell.coordinate for one in theirs.agents] == [one.cell.coordinate for one in ours.agents]
    for name in ("sugar", "spice"):
        layer = getattr(theirs.grid, name)
        assert np.array_equal(getattr(layer, "data", layer), getattr(ours, name).array)


@about("sugarscape")
def test_sugarscape_of_its_own_luck_is_like_mesas(load):
    model, compare = load
    courses = np.array([[compare.course(run(some, 12)) for some in (compare.theirs(seed), model.Sugarscape(rng=seed))]
                        for seed in range(5)])
    gap = courses[:, 0].mean(0) - courses[:, 1].mean(0)
    error = np.sqrt(courses.var(0, ddof=1).sum(0) / len(courses))
    assert (abs(gap) < 3.5 * error).all(), (gap, error)  # traders left, trade volume, log price


@about("sugarscape")
def test_sugarscape_notes_every_trade(load):
    model, _ = load
    some = model.Sugarscape(rng=2)
    had, eaten = sum(one.sugar for one in some.agents), 0.
    traded = 0
    for _ in range(10):
        land = np.minimum(some.sugar.array + 1, some.sugar_most).sum()
        lived = list(some.agents)
        some.step()
        eaten += land - some.sugar.array.sum() - sum(one.metabolism_sugar for one in lived)
        had -= sum(one.sugar for one in lived if one not in some.agents)
        traded += sum(len(one.prices) for one in some.agents)
    assert np.isclose(sum(one.sugar for one in some.agents), had + eaten)
    graph = some.interdependence()
    assert isinstance(graph, nx.DiGraph) and set(nx.get_edge_attributes(graph, "weight").values()) > {2.}
    # Of sugar and spice one is a single unit in each trade.
    ends = sum(data["sugar"] + data["spice"] for _, _, data in graph.edges(data=True))
    assert traded * 2 <= ends and all(graph.has_edge(v, u) for u, v in graph.edges)
    assert og.find_roles(graph, rng=1) is not None


# -- spatial prisoner's dilemma --------------------------------------------------------------------


@about("spatial_dilemma")
def test_the_dilemma_is_that_of_plain_agents(load):
    model, compare = load
    ours = model.SpatialDilemma(24, 24, temptation=1.65, rng=4)
    plain = compare.Plain(ours.strategies, ours.payoff)
    for _ in range(8):
        ours.step()
        plain.step()
        assert np.array_equal(plain.strategies, ours.strategies.ravel())
    assert 0 < ours.cooperators < 1


@about("spatial_dilemma")
def test_the_dilemma_of_nowak_and_may(load):
    model, _ = load
    frame = run(model.SpatialDilemma(rng=1), 300).datacollector.get_model_vars_dataframe()
    assert abs(frame["cooperators"].tail(100).mean() - .318) < .02
    one = run(model.SpatialDilemma(99, 99, defectors=0), 60).strategies
    assert .2 < one.mean() < .8 and (one == one.T).all() and (one == one[::-1]).all()
    assert run(model.SpatialDilemma(30, 30, rule="fermi", rng=1), 100).cooperators == 0


# -- contagion -------------------------------------------------------------------------------------


@about("contagion")
@pytest.mark.parametrize("network", ["karate", "les_miserables", "davis"])
def test_who_wins_by_the_laws(load, network):
    model, _ = load
    some = model.Contagion(network, seeds=4, rng=1)
    degree, active, runs = np.array([d for _, d in some.graph.degree]), some.active > 0, 1000
    laws = {("voter", "replacement"): degree, ("voter", "edge"): np.ones(len(degree)),
            ("invasion", "replacement"): 1 / degree}
    for (rule, activation), weight in laws.items():
        some.rule, some.activation = rule, activation
        law = weight[active].sum() / weight.sum()
        assert abs(some.wins(runs) - law) < 4 * np.sqrt(law * (1 - law) / runs) + 1e-3, (rule, activation)
    assert some.active.sum() == 4


@about("contagion")
def test_thresholds_end_at_the_same_whatever_the_order(load):
    model, _ = load
    for network in model.NETWORKS:
        reached = {}
        for activation in ("fixed", "permutation", "synchronous"):
            some = model.Contagion(network, "threshold", activation, threshold=.3, rng=1)
            assert some.advance(None, until="still")
            reached[activation] = some.active.tolist()
        assert reached["fixed"] == reached["permutation"] == reached["synchronous"]
        by_hand, nodes = {max(some.graph, key=some.graph.degree)}, list(some.graph)
        while new := {node for node in set(nodes) - by_hand
                      if len(by_hand & set(some.graph[node])) >= .3 * some.graph.degree(node)}:
            by_hand |= new
        assert by_hand == {node for node, one in zip(nodes, some.active, strict=True) if one}


@about("contagion")
def test_two_sides_may_swap_for_ever(load):
    model, _ = load
    some = model.Contagion("davis", activation="synchronous", rng=1)
    women = [data["bipartite"] == 0 for _, data in some.graph.nodes(data=True)]
    some.active = np.array(women, float)
    assert not some.advance(101, until="consensus") and some.at_odds == 1
    assert some.active.tolist() == [float(not one) for one in women]


# -- division of labour ----------------------------------------------------------------------------


@about("division_of_labour")
def test_majors_step_in(load):
    model, compare = load
    at_work = []
    for majors in (.2, .8):
        some = model.DivisionOfLabour(500, majors=majors, rng=1)
        course = run(some, 500).datacollector.get_model_vars_dataframe().tail(400).mean()
        busy = majors * course["majors at work"] + (1 - majors) * course["minors at work"]
        assert abs(busy - 1 / 3) < .01  # demand / work: the stimulus stands still
        # Mean field: the share at work is T / (T + p), T = s² / (s² + θ²).
        for kind, threshold in (("minors at work", 8), ("majors at work", 20)):
            taking = course["stimulus"] ** 2 / (course["stimulus"] ** 2 + threshold ** 2)
            assert abs(course[kind] - taking / (taking + .2)) < .03
        at_work.append(course["majors at work"])
    assert at_work[1] > 1.5 * at_work[0]


@about("division_of_labour")
def test_colonies_are_those_of_plain_agents(load):
    model, compare = load
    ours = model.DivisionOfLabour(300, rng=1)
    plain = compare.Plain(ours.state[:, 1], rng=1)
    levels = [compare.clock(plain, 400, lambda some: some.stimulus)[1],
              compare.clock(ours, 400, lambda some: float(some.stimulus[0]))[1]]
    assert abs(levels[0] - levels[1]) < .12


@about("division_of_labour")
def test_specialists_among_equals(load):
    model, _ = load
    fixed, learnt = (run(model.DivisionOfLabour(tasks=2, majors=0, low=20., learn=learn, forget=.3 * learn, rng=1), 600)
                     for learn in (0., 1.))
    assert learnt.specialisation > .85 > .7 > fixed.specialisation


# -- forest, fire and members ----------------------------------------------------------------------


@about("forest_fire")
def test_the_forest_is_that_of_plain_agents(load):
    model, compare = load
    ours = model.ForestFire(20, 15, growth=.05, lightning=.01, carriers=0, rng=1)
    plain = compare.Plain(ours)
    plain.rng.bit_generator.state = ours.rng.bit_generator.state
    burnt = 0
    for _ in range(20):
        plain.step()
        ours.burn()
        assert np.array_equal(plain.where("tree"), ours.trees.array > 0)
        assert np.array_equal(plain.where("fire"), ours.fire.array > 0)
        burnt += ours.fire.array.sum()
    assert burnt > 20


@about("forest_fire")
def test_every_good_is_accounted_for(load):
    model, _ = load
    some = model.ForestFire(20, 20, lightning=.005, rng=3)
    brought, before = np.zeros(3), some.settle
    def settle():
        held = some.people.world.state["stock"].sum(0)
        before()
        brought[:] += some.people.world.state["stock"].sum(0) - held
    some.settle = settle
    run(some, 60)
    audit, loads = some.people.audit(), np.zeros(3)
    for carrier in some.agents:
        loads[carrier.resource] += carrier.load
    assert audit.closes and (some.burnt > 0).all() and loads.any() and (brought > 0).all()
    # What went out of the books either burnt or is in a carrier's load; what came in is settlers' or was carried.
    assert np.allclose(audit.removed - audit.added, some.burnt + loads - brought)
    assert (audit.added > brought).any()


@about("forest_fire")
def test_members_live_off_the_trees(load):
    model, _ = load
    some = run(model.ForestFire(20, 20, lightning=0, growth=0, carriers=0, settling=0, rng=1), 3)
    near = og.interact.neighbour_mean(some.people.world.topology, some.trees.values, include_self=True)
    assert np.allclose(some.people.world.state["supply"], .2 + 1.6 * near[:, None]) and np.ptp(near) > 0
    bare, full = (run(model.ForestFire(20, 20, lightning=0, growth=growth, carriers=0, rng=1), 150)
                  for growth in (0, 1))
    assert full.people.agg("welfare", np.mean) > bare.people.agg("welfare", np.mean) + .02
    burning = run(model.ForestFire(20, 20, lightning=1, deadly=1, settling=0, rng=1), 2)
    assert len(burning.people) < len(full.people) / 2
