"""The notebook view by its traits, without a browser: it shows, plays, and never touches the world."""

import importlib
import re
import subprocess
import sys
import threading
import time

import matplotlib

matplotlib.use("Agg")

import networkx as nx  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from traitlets import TraitError  # noqa: E402

from organism import Params, Topology, World, intervene, measures, plots  # noqa: E402
from organism.view import view  # noqa: E402

module = importlib.import_module("organism.view")
HOLES = np.zeros((6, 7), bool)
HOLES[2:4, 2:4] = True
TOPOLOGIES = {
    "torus": Topology.grid((8, 10)),
    "holes": Topology.grid((6, 7), holes=HOLES, torus=False),
    "hexagonal": Topology.grid((6, 7), "hexagonal"),
    "ring": Topology.grid((20,)),
    "one site": Topology.grid((1, 1)),
    "karate": Topology.from_networkx(nx.karate_club_graph()),
    "no ties": Topology.from_edges([], [], n_sites=3),
    "directed": Topology.from_networkx(nx.gn_graph(20, seed=1)),
}


@pytest.fixture
def shown():
    """Make views that are closed, and their threads ended, when the test is over."""
    made = []

    def make(*args, **kwargs):
        made.append(view(*args, **kwargs))
        return made[-1]
    yield make
    for one in made:
        one.close()
    until(lambda: not players())
    pyplot.close("all")


def players() -> list[str]:
    """Return the threads of views that are still there."""
    return [thread.name for thread in threading.enumerate() if thread.name == "view"]


@pytest.fixture
def world():
    return World(Topology.grid((12, 14)), rng=3)


def until(condition, seconds=20):
    """Wait for something, for so long at most."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.005)


def same(a, b) -> bool:
    """Tell whether two worlds agree in every bit of every column and tie, and in their tick."""
    return a.tick == b.tick and all(np.array_equal(a.state[name], b.state[name]) for name in a.state) \
        and all(np.array_equal(a.tie(name), b.tie(name)) for name in ("bond", "trace"))


def stepped(world, n, **changes):
    twin = world.fork()
    if changes:
        twin.update(**changes)
    twin.step(n)
    return twin


def codes(one) -> np.ndarray:
    return np.frombuffer(one.frame["codes"], np.uint8)


def colours(one) -> np.ndarray:
    """Return the RGB of what is drawn, by cell or site, 0–255."""
    return np.frombuffer(one.frame["palette"], np.uint8).reshape(256, 4)[codes(one), :3]


# -- what is shown ----------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
@pytest.mark.parametrize("field", ["task", "dominant_task", "welfare", "stock 1", "supply 0", "age"])
def test_every_topology(shown, topology, field):
    world = World(topology, rng=1)
    world.step(3)
    one = shown(world, field)
    cells = one.scene.get("rows", 0) * one.scene.get("columns", 0)
    assert len(codes(one)) == (cells or world.n_sites)
    if "places" in one.scene:
        places = np.frombuffer(one.scene["places"], "<f4")
        assert len(places) == 2 * world.n_sites and places.min() >= 0 and places.max() <= 1
        links = np.frombuffer(one.scene["links"], "<u4")
        assert len(links) == (0 if topology.kind == "grid" else 2 * topology.n_ties)
    if topology.shape == (6, 7) and cells:
        assert (codes(one).reshape(6, 7)[HOLES] == 0).all() and (codes(one).reshape(6, 7)[~HOLES] > 0).all()


@pytest.mark.parametrize("preset", Params.presets())
def test_every_field_of_every_preset(shown, preset):
    world = World(Topology.grid((5, 6)), Params.preset(preset), rng=1)
    one = shown(world)
    for field in one.fields:
        one.field = field
        assert codes(one).min() > 0, field
        assert one.frame["legend"]["label"]
    assert {"task", "dominant_task", "welfare", "care", "stock 2", "supply 0"} <= set(one.fields)
    assert not {"uid", "key", "stock", "policy"} & set(one.fields)


def test_tasks_have_the_hues_of_the_plots(shown, world):
    one = shown(world, "task")
    assert (codes(one) == 1).all() and ["no act yet", plots.IDLE] in one.frame["legend"]["marks"]
    one.step(5)
    assert np.array_equal(colours(one), np.rint(255 * plots.task_colours(world))[one.world.state["task"]])
    names = [name for name, _ in one.frame["legend"]["marks"]]
    assert names == ["makes resource 0", "makes resource 1", "makes resource 2"]


def test_roles_pale_as_members_do_other_things(shown, world):
    one = shown(world, "dominant_task")
    one.step(300)
    twin = one.world
    hues = plots.task_colours(twin)[measures.dominant_task(twin)]
    depth = 0.25 + 0.75 * np.sqrt(measures.specialisation(twin, each=True))[:, None]
    assert np.abs(colours(one) / 255 - (1 - depth * (1 - hues))).max() < 0.2  # sixteen shades


def test_welfare_runs_from_0_to_1(shown, world):
    one = shown(world, "welfare")
    one.step(50)
    assert (one.frame["legend"]["low"], one.frame["legend"]["high"]) == ("0", "1")
    welfare = measures.welfare(one.world, each=True)
    assert np.abs((codes(one) - 2) / 253 - welfare).max() < 0.51 / 253
    assert f"{welfare.mean():.2f}" in one.frame["text"] and "tick 50" in one.frame["text"]


def test_unbounded_columns_keep_their_scale(shown, world):
    one = shown(world, "stock 0")
    world.set("stock", 0)
    one.world = world
    lows = []
    for _ in range(30):
        one.step()
        lows.append(float(one.frame["legend"]["high"].replace(",", "")))
    assert lows == sorted(lows) and one.frame["legend"]["low"] == "0"
    one.field = "welfare"
    one.field = "stock 0"                     # what was seen before is forgotten
    assert float(one.frame["legend"]["high"]) <= lows[-1]


def test_empty_sites_are_white(shown):
    world = World(Topology.grid((4, 4)), rng=1, occupied=[0, 5])
    one = shown(world, "welfare")
    for field in ("welfare", "task", "dominant_task"):
        one.field = field
        assert np.flatnonzero(codes(one)).tolist() == [0, 5]
        assert (colours(one)[1] == 255).all()
    assert ["empty", plots.EMPTY] in one.frame["legend"]["marks"]
    one.field = "supply 0"                    # the land is there
    assert (codes(one) > 0).all()


def test_extinction_and_many_tasks(shown):
    empty = World(Topology.grid((3, 3)), rng=1, occupied=[])
    one = shown(empty)
    for field in one.fields:
        one.field = field
    one.step()
    assert one.frame["text"].startswith("tick 1 · 0 members")
    many = World(Topology.grid((8, 8)), Params(resources=40), rng=1)
    one.world = many
    one.step(40)
    for field in ("task", "dominant_task"):
        one.field = field
        assert codes(one).min() > 0
        near = np.rint(255 * plots.task_colours(many))
        if field == "task":
            assert np.array_equal(colours(one), near[one.world.state["task"]])


# -- it never influences the run ----------------------------------------------------------


def test_the_world_is_not_touched(shown, world):
    before = world.fork()
    one = shown(world, "dominant_task")
    one.speed = 1000
    one.playing = True
    until(lambda: one.frame["tick"] > 20)
    one.value = 0.1
    one.field = "stock 0"
    one.step(3)
    one.reset()
    assert same(world, before) and world.history == before.history
    world.step(5)
    assert one.frame["tick"] == 0             # nor does the world move the view


@pytest.mark.parametrize("preset", ["organic", "evolving", "resting"])
def test_same_bits_with_and_without_a_view(shown, preset):
    world = World(Topology.grid((12, 14)), Params.preset(preset), rng=5)
    one = shown(world, "dominant_task")
    one.speed = 1000
    one.playing = True
    until(lambda: one.frame["tick"] > 60)
    one.playing = False
    twin = one.world
    assert twin.tick > 60 and same(twin, stepped(world, twin.tick))
    assert twin.audit().closes


def test_work_goes_on_while_it_plays(shown, world):
    """This thread computes at the same time as the view's, and neither notices."""
    one = shown(world)
    one.speed = 1000
    one.playing = True
    mine = world.fork()
    for _ in range(50):
        mine.step(10)
        copy = one.world                      # a whole tick, even while it plays
        assert copy.audit().closes
    until(lambda: one.frame["tick"] > copy.tick)
    one.playing = False
    assert same(mine, stepped(world, 500))
    assert same(one.world, stepped(world, one.world.tick))


# -- playing ------------------------------------------------------------------------------


def test_play_and_pause(shown, world):
    one = shown(world)
    assert not one.playing and one.frame["tick"] == 0
    for _ in range(3):
        start = one.frame["tick"]
        one.playing = True
        until(lambda start=start: one.frame["tick"] > start)
        one.playing = False
        tick = one.frame["tick"]
        assert one.world.tick == tick         # the last frame is of where it stopped
        time.sleep(0.15)
        assert one.world.tick == one.frame["tick"] == tick
    until(lambda: not players())


def test_speed(shown, world):
    one = shown(world)
    one.speed = 20
    start = time.monotonic()
    one.playing = True
    until(lambda: one.frame["tick"] >= 5)
    one.playing = False
    assert one.frame["tick"] <= 1 + 20 * (time.monotonic() - start) + 2
    one.speed = 1000.0
    start = time.monotonic()
    one.playing = True
    until(lambda: one.frame["tick"] >= 200)
    one.playing = False
    assert one.frame["tick"] <= 5 + 1100 * (time.monotonic() - start) + 100
    for bad in (0, -1, 5000, "fast"):
        with pytest.raises(TraitError):
            one.speed = bad
    assert one.speed == 1000


def test_a_large_world_plays_too(shown):
    one = shown(World(Topology.grid((300, 300)), rng=1))
    one.speed = 1000                          # more than can be had
    one.playing = True
    until(lambda: one.frame["tick"] > 10)
    start = time.monotonic()
    one.playing = False
    assert time.monotonic() - start < 5       # the buttons still answer


def test_step_and_reset(shown, world):
    one = shown(world)
    one.playing = True
    one.step()
    assert not one.playing
    tick = one.frame["tick"]
    one.step(7)
    assert one.frame["tick"] == tick + 7
    one.reset()
    assert one.frame["tick"] == 0 and same(one.world, world)
    with pytest.raises(ValueError, match="n must be at least 0, not -1"):
        one.step(-1)


def test_buttons_of_the_page(shown, world):
    one = shown(world)
    for wish, tick in (("step", 1), ("step", 2), ("reset", 0), ("close", 0), ({"do": 1}, 0)):
        one._handle_custom_msg(wish, [])
        assert one.frame["tick"] == tick
    one.set_state({"playing": True, "speed": 500, "field": "dominant_task"})  # as the page sends traits
    until(lambda: one.frame["tick"] > 5)
    one.set_state({"playing": False, "value": 0.5})
    assert one.world.params.care.weight == 0.5 and one.field == "dominant_task"
    for bad in ({"value": 7}, {"field": "x"}, {"speed": 0}):
        with pytest.raises(TraitError):
            one.set_state(bad)
    assert (one.value, one.field, one.speed, len(one.world.history)) == (0.5, "dominant_task", 500, 1)


def test_close_stops(shown, world):
    one = shown(world)
    one.playing = True
    one.close()
    tick = one.world.tick
    time.sleep(0.15)
    assert one.world.tick == tick and not one.playing


# -- the slider ---------------------------------------------------------------------------


def test_slider_changes_the_twin_and_is_noted(shown, world):
    one = shown(world)
    assert one.value == 0.75
    one.step(10)
    one.value = 0.25
    one.value = 0.25
    one.step(10)
    twin = one.world
    assert twin.history == [(10, "care.weight = 0.25")]
    other = stepped(world, 10)
    other.update(**{"care.weight": 0.25})
    other.step(10)
    assert same(twin, other)
    one.reset()                               # back to the start, the slider left where it is
    assert one.value == 0.25 and one.world.history == [(0, "care.weight = 0.25")]
    one.step(20)
    assert same(one.world, stepped(world, 20, **{"care.weight": 0.25}))


def test_slider_while_playing(shown, world):
    one = shown(world)
    one.playing = True
    until(lambda: one.frame["tick"] > 3)
    one.value = 0.5
    tick = one.frame["tick"]
    until(lambda: one.frame["tick"] > tick + 3)
    one.playing = False
    [(when, what)] = one.world.history
    assert what == "care.weight = 0.5" and 3 < when < one.frame["tick"]
    other = stepped(world, when)
    other.do(intervene.Intervention(what, lambda world: world.update(**{"care.weight": 0.5})))
    other.step(one.frame["tick"] - when)
    assert same(one.world, other)


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), float("inf"), None, "much"])
def test_slider_out_of_range(shown, world, value):
    one = shown(world)
    with pytest.raises(TraitError) as refused:
        one.value = value
    if isinstance(value, float):
        assert str(refused.value) == f"care.weight must be in [0, 1] on this slider, not {value:g}"
    assert one.value == 0.75 and one.world.history == [] and same(one.world, world)


def test_sliders_of_all_parameters(shown, world):
    for name in Params.names():
        value = world.params[name]
        if name == "resources" or isinstance(value, (str, bool, tuple)):
            with pytest.raises(ValueError, match=f"^{re.escape(name)} cannot have a slider: it "):
                view(world, slider=name)
            continue
        one = shown(world, slider=name)
        low, high = one.slider["low"], one.slider["high"]
        assert low <= value <= high and one.value == value and one.slider["doc"]
        for end in (low, high):
            one.value = end
            assert one.world.params[name] == end
        one.step(2)


def test_whole_numbers_stay_whole(shown, world):
    one = shown(world, slider="care.horizon")
    assert (one.slider["low"], one.slider["high"], one.slider["step"]) == (1, 8, 1)
    with pytest.raises(TraitError, match="care.horizon must be a whole number in .*, not 2.5"):
        one.value = 2.5
    one.value = 3
    assert one.world.params.care.horizon == 3


def test_no_slider(shown, world):
    one = shown(world, slider=None)
    assert one.slider is None and one.value == 0
    with pytest.raises(TraitError, match="this view has no slider that could be set to 0.5"):
        one.value = 0.5
    one.step()
    one.reset()
    assert same(one.world, world)


# -- another world ------------------------------------------------------------------------


def test_world_replaced(shown, world):
    one = shown(world, "stock 2")
    one.playing = True
    other = World(TOPOLOGIES["karate"], Params.preset("resting").replace(resources=2), rng=2)
    other.update(**{"care.weight": 0.3})
    other.step(7)
    one.world = other
    assert not one.playing and one.frame["tick"] == 7 and one.value == 0.3
    assert one.field == "task" and "stock 2" not in one.fields   # a field that it lacks
    assert len(codes(one)) == other.n_sites and "places" in one.scene
    one.step(5)
    assert same(one.world, stepped(other, 5)) and other.tick == 7
    one.reset()
    assert one.frame["tick"] == 7 and same(one.world, other)
    one.world = world
    assert one.scene == {"rows": 12, "columns": 14} and one.frame["tick"] == 0 and one.value == 0.75


def test_bad_world_changes_nothing(shown, world):
    one = shown(world)
    one.step(2)
    with pytest.raises(TypeError, match="world must be a World, not str"):
        one.world = "another"
    tuples = World(Topology.grid((3, 3)), Params().replace(**{"metabolism.need": (1, 1, 2)}), rng=1)
    two = shown(world, slider="metabolism.need")
    with pytest.raises(ValueError, match="metabolism.need cannot have a slider"):
        two.world = tuples
    assert one.frame["tick"] == 2 and same(one.world, stepped(world, 2)) and same(two.world, world)


@pytest.mark.parametrize("error, message, change", [
    (TypeError, "world must be a World, not int", {"world": 3}),
    (ValueError, "field must be .*, not 'taks'; did you mean 'task'?", {"field": "taks"}),
    (ValueError, "field must be .*, not 'stock'; did you mean 'stock 2'?", {"field": "stock"}),
    (ValueError, "no parameter is called 'care.wieght'; did you mean 'care.weight'?", {"slider": "care.wieght"}),
])
def test_bad_arguments(world, error, message, change):
    with pytest.raises(error) as refused:
        view(**{"world": world} | change)
    assert re.match(message.replace("?", r"\?").replace("'stock 2'", "'stock [0-2]'"), str(refused.value))


def test_bad_field_later(shown, world):
    one = shown(world)
    with pytest.raises(TraitError, match="there is no field 'wellfare'; did you mean 'welfare'?"):
        one.field = "wellfare"
    assert one.field == "task"


# -- pages --------------------------------------------------------------------------------


def test_a_still_where_anywidget_is_absent(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    module._widget.cache_clear()
    try:
        world.step(3)
        for field, title in {"task": "roles", "dominant_task": "roles", "welfare": "welfare", "stock 1": "stock 1",
                             "share_policy 0": "share policy 0"}.items():
            axes = view(world, field)
            assert isinstance(axes, Axes) and axes.get_title() == title + ", tick 3"
            axes.get_figure().canvas.draw()
        with pytest.raises(ValueError, match="no parameter"):
            view(world, slider="care.wieght")
    finally:
        module._widget.cache_clear()
        pyplot.close("all")


def test_a_still_for_pages_without_widgets(shown, world):
    pyplot.close("all")
    bundle, _ = shown(world)._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG") and "application/vnd.jupyter.widget-view+json" in bundle
    assert not pyplot.get_fignums()


def test_the_script_needs_no_network_and_speaks():
    assert not re.search(r"https?:|fetch\(|\bimport\b|XMLHttp|WebSocket|eval\(|innerHTML", module.SCRIPT)
    for thing in ('role: "img"', 'role: "toolbar"', '"aria-label"', "aria-valuetext", "lm-suppress-shortcuts",
                  '"label"'):
        assert thing in module.SCRIPT
    assert "@import" not in module.LOOKS and "url(" not in module.LOOKS
    assert to_rgb(plots.EMPTY) == (1, 1, 1)   # the colour of code 0


def test_import_is_light():
    code = "import sys, organism.view; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"anywidget", "ipywidgets", "traitlets", "matplotlib", "networkx"} & set(done.stdout.split())
