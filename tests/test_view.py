"""The notebook view by its traits, without a browser: it shows, plays, and never touches the world."""

import gc
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

from organism import Params, Topology, World, find_roles, find_wholes, intervene, measures, plots  # noqa: E402
from organism.view import _player, _widget, view  # noqa: E402
from organism.view._subject import Subject  # noqa: E402

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
        made.append(view(*args, **{"sliders": "care.weight"} | kwargs))
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


def codes(one, panel=0) -> np.ndarray:
    return one.frame["paintings"][panel].codes.ravel()


def colours(one, panel=0) -> np.ndarray:
    """Return the RGB of what is drawn, by cell or site, 0–255."""
    return one.frame["paintings"][panel].palette[codes(one, panel), :3]


def text(one, panel=0) -> str:
    return one.frame["panels"][panel]["text"]


class Page:
    """What a page does: it takes messages, and answers."""

    def __init__(self, view, name="page"):
        self.view, self.name, self.got = view, name, []
        send = view.send
        view.send = lambda content, buffers=None: (self.got.append((content, buffers)), send(content, buffers))

    def say(self, what, **more):
        self.view._handle_custom_msg({"page": self.name, "say": what} | more, [])

    def last(self, kind="frame"):
        return next(one for one in reversed(self.got) if one[0]["kind"] == kind)


# -- what is shown ----------------------------------------------------------------------


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
@pytest.mark.parametrize("field", ["task", "dominant_task", "welfare", "dependence", "stock 1", "supply 0", "age"])
def test_every_topology(shown, topology, field):
    world = World(topology, rng=1)
    world.step(3)
    one = shown(world, field=field)
    page = Page(one)
    page.say("ready")
    (scene,), buffers = page.last("scene")[0]["panels"], page.last("scene")[1]
    cells = scene.get("rows", 0) * scene.get("columns", 0)
    assert len(codes(one)) == (cells or world.n_sites) and 0.05 < scene["aspect"] <= 5
    if not cells:
        places = np.frombuffer(buffers[0], "<f4")
        assert len(places) == 2 * world.n_sites and places.min() >= 0 and places.max() <= 1
        links = {tuple(sorted(ends)) for ends in np.frombuffer(buffers[1], "<u4").reshape(-1, 2).tolist()}
        ties = {tuple(sorted(ends)) for ends in zip(topology.source.tolist(), topology.target.tolist(), strict=True)}
        assert links == (set() if topology.kind == "grid" else ties)
    if topology.shape == (6, 7) and cells:
        assert (codes(one).reshape(6, 7)[HOLES] == 0).all() and (codes(one).reshape(6, 7)[~HOLES] > 0).all()
    frame, sent = page.last()
    panel = frame["panels"][0]
    assert bytes(sent[panel["codes"]]) == codes(one).tobytes() and len(sent[panel["palette"]]) == 1024


def test_of_too_many_ties_some_are_drawn(shown):
    one = shown(World(Topology.from_networkx(nx.gnm_random_graph(2000, 25_000, seed=1)), rng=1))
    page = Page(one)
    page.say("ready")
    (scene, buffers) = page.last("scene")
    assert len(buffers[1]) == 8 * 20_000 and scene["panels"][0]["ties"] == "20,000 of 25,000 ties are drawn"


@pytest.mark.parametrize("preset", Params.presets())
def test_every_field_of_every_preset(shown, preset):
    world = World(Topology.grid((5, 6)), Params.preset(preset), rng=1)
    one = shown(world)
    for field in one.fields:
        one.field = field
        assert codes(one).min() > 0, field
        assert one.frame["legend"]["label"]
    assert {"task", "dominant_task", "welfare", "dependence", "care", "stock 2", "supply 0"} <= set(one.fields)
    assert not {"uid", "key", "stock", "policy"} & set(one.fields)


def test_tasks_have_the_hues_of_the_plots(shown, world):
    one = shown(world, field="task")
    assert (codes(one) == 1).all() and ["no act yet", plots.IDLE] in one.frame["legend"]["marks"]
    one.step(5)
    assert np.array_equal(colours(one), np.rint(255 * plots.task_colours(world))[one.world.state["task"]])
    names = [name for name, _ in one.frame["legend"]["marks"]]
    assert names == ["makes resource 0", "makes resource 1", "makes resource 2"]


def test_roles_pale_as_members_do_other_things(shown, world):
    one = shown(world, field="dominant_task")
    one.step(300)
    twin = one.world
    hues = plots.task_colours(twin)[measures.dominant_task(twin)]
    depth = 0.25 + 0.75 * np.sqrt(measures.specialisation(twin, each=True))[:, None]
    assert np.abs(colours(one) / 255 - (1 - depth * (1 - hues))).max() < 0.2  # sixteen shades


def test_welfare_runs_from_0_to_1(shown, world):
    one = shown(world, field="welfare")
    one.step(50)
    assert (one.frame["legend"]["low"], one.frame["legend"]["high"]) == ("0", "1")
    welfare = measures.welfare(one.world, each=True)
    assert np.abs((codes(one) - 2) / 253 - welfare).max() < 0.51 / 253
    assert f"{welfare.mean():.2f}" in text(one) and "tick 50" in text(one)


def test_unbounded_columns_keep_their_scale(shown, world):
    one = shown(world, field="stock 0")
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
    one = shown(world, field="welfare")
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
    assert text(one).startswith("tick 1 · 0 members")
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
    one = shown(world, field="dominant_task")
    one.speed = 1000
    one.playing = True
    until(lambda: one.frame["tick"] > 20)
    one.values = {"care.weight": 0.1}
    one.select(3)
    one.flows = True
    one.field = "stock 0"
    one.step(3)
    one.reset()
    assert same(world, before) and world.history == before.history
    world.step(5)
    assert one.frame["tick"] == 0             # nor does the world move the view


@pytest.mark.parametrize("preset", ["organic", "evolving", "resting"])
def test_same_bits_with_and_without_a_view(shown, preset):
    world = World(Topology.grid((12, 14)), Params.preset(preset), rng=5)
    one = shown(world, field="dominant_task")
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
    for bad in (0, -1, 50_000, float("nan"), float("inf")):
        with pytest.raises(TraitError, match=r"speed must be in \[0.1, 10000\] ticks a second, not"):
            one.speed = bad
    with pytest.raises(TraitError):
        one.speed = "fast"
    assert one.speed == 1000


def test_as_fast_as_it_can(shown):
    one = shown(World(Topology.grid((4, 4)), rng=1), series=None)
    one.speed = 10_000
    one.playing = True
    until(lambda: one.frame["tick"] > 3000)


def test_slow_worlds_show_at_once_what_is_chosen(shown, world):
    one = shown(world)
    one.speed = 0.1
    one.playing = True
    one.select(7)
    assert one.selected[0]["title"].startswith("member 7 ")
    one.field = "welfare"
    assert one.frame["legend"]["label"].startswith("welfare")


def test_many_hands_on_the_buttons(shown, world):
    """Whoever presses last is obeyed, and one thread at most plays."""
    one = shown(world, series=None)

    def press():
        for i in range(40):
            one.playing = i % 2 == 0
    hands = [threading.Thread(target=press) for _ in range(3)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    one.playing = True
    until(lambda: len(players()) == 1)
    one.playing = False
    until(lambda: not players())
    tick = one.world.tick
    time.sleep(0.2)
    assert one.world.tick == tick == one.frame["tick"]


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
    page = Page(one)
    for wish, tick in (("step", 1), ("step", 2), ("reset", 0), ("close", 0), ("nonsense", 0)):
        page.say(wish)
        assert one.frame["tick"] == tick
    for wish in (3, None, "step", {"do": 1}):
        one._handle_custom_msg(wish, [])
        assert one.frame["tick"] == 0
    one.set_state({"playing": True, "speed": 500, "field": "dominant_task"})  # as the page sends traits
    until(lambda: one.frame["tick"] > 5)
    one.set_state({"playing": False, "values": {"care.weight": 0.5}})
    assert one.world.params.care.weight == 0.5 and one.field == "dominant_task"
    for bad in ({"values": {"care.weight": 7}}, {"field": "x"}, {"speed": 0}, {"borders": 0}):
        with pytest.raises(TraitError):
            one.set_state(bad)
    assert (one.values, one.field, one.speed, len(one.world.history)) == ({"care.weight": 0.5}, "dominant_task", 500, 1)


def test_close_stops(shown, world):
    one = shown(world)
    one.playing = True
    one.close()
    tick = one.world.tick
    time.sleep(0.15)
    assert one.world.tick == tick and not one.playing
    until(lambda: not players())
    one.close()
    with pytest.raises(TraitError, match="this view is closed; make another with organism.view"):
        one.playing = True


def test_stopping_is_immediate(shown):
    """No tick is begun after the button, however many are owed."""
    one = shown(World(Topology.grid((150, 150)), rng=1), series=None)
    one.speed = 1000
    for _ in range(5):
        tick = one.frame["tick"]
        one.playing = True
        until(lambda tick=tick: one.frame["tick"] > tick + 3)
        start = time.monotonic()
        one.playing = False
        took, tick = time.monotonic() - start, one.world.tick
        time.sleep(0.1)
        assert one.world.tick == tick and took < 2


# -- pages --------------------------------------------------------------------------------


def test_a_new_page_gets_all_there_is(shown, world):
    one = shown(world)
    one.step(4)
    page = Page(one)
    page.say("ready")
    assert [content["kind"] for content, _ in page.got] == ["scene", "frame"]
    series = page.last()[0]["series"]
    assert series["whole"] and [point[0] for point in series["points"]["welfare"]] == [0, 4]
    one.step()
    series = page.last()[0]["series"]
    assert not series["whole"] and [point[0] for point in series["points"]["welfare"]] == [5]


def test_frames_wait_for_the_page(shown, world, monkeypatch):
    monkeypatch.setattr(_player, "LATE", 30.0)
    one = shown(world, series=None)
    page = Page(one)
    page.say("ready")
    one.speed = 1000
    one.playing = True
    until(lambda: len(page.got) > 10)
    time.sleep(0.5)
    sent = len(page.got)                      # so many are on their way; nobody has drawn any
    assert sent <= 3 + _player.AHEAD
    page.say("drawn", number=page.last()[0]["number"])
    until(lambda: len(page.got) > sent)


def test_a_slow_page_slows_frames_not_ticks(shown, world, monkeypatch):
    monkeypatch.setattr(_player, "LATE", 0.2)
    one = shown(world, series=None)
    page = Page(one)
    page.say("ready")
    one.speed = 200
    one.playing = True
    until(lambda: len(page.got) > _player.AHEAD + 6)
    tick, start, sent = one.frame["tick"], time.monotonic(), len(page.got)
    until(lambda: len(page.got) > sent + 3)
    assert one.frame["tick"] - tick > 10 * 3 and time.monotonic() - start > 0.5


def test_nobody_looks_nothing_steps(shown, world, monkeypatch):
    """A page that falls silent, hidden or lost, holds the stepping; another one goes on with it."""
    monkeypatch.setattr(_player, "SILENCE", 0.6)
    one = shown(world)
    page = Page(one)
    page.say("ready")
    one.playing = True
    until(lambda: one.frame["tick"] > 3)
    time.sleep(1.2)
    tick = one.world.tick
    time.sleep(0.6)
    assert one.world.tick == tick and one.playing
    Page(one, "another").say("ready")
    until(lambda: one.frame["tick"] > tick + 3)
    assert same(one.world, stepped(world, one.world.tick))


def test_the_last_page_that_closes_stops(shown, world):
    one = shown(world)
    first, second = Page(one, "first"), Page(one, "second")
    first.say("ready")
    second.say("ready")
    one.playing = True
    first.say("gone")
    assert one.playing
    second.say("gone")
    assert not one.playing
    tick = one.world.tick
    time.sleep(0.15)
    assert one.world.tick == tick


def test_nothing_piles_up(shown):
    """Thousands of frames leave no more behind than hundreds."""
    tracemalloc = pytest.importorskip("tracemalloc")
    one = shown(World(Topology.grid((32, 32)), rng=1))
    one.flows, one.speed = True, 1000
    one.select(5)

    def play(frames):
        for _ in range(frames):
            with one._player.lock:
                one._advance(1)
                one._show()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    tracemalloc.start()
    try:
        before = play(700)
        assert play(1500) - before < 400_000  # of 1500 frames of 2.5 kB, and of thinned series, less than a tenth
    finally:
        tracemalloc.stop()


# -- sliders ------------------------------------------------------------------------------


def test_slider_changes_the_twin_and_is_noted(shown, world):
    one = shown(world)
    assert one.values == {"care.weight": 0.75}
    one.step(10)
    one.values = {"care.weight": 0.25}
    one.values = {"care.weight": 0.25}
    one.step(10)
    twin = one.world
    assert twin.history == [(10, "care.weight = 0.25")]
    other = stepped(world, 10)
    other.update(**{"care.weight": 0.25})
    other.step(10)
    assert same(twin, other)
    one.reset()                               # back to the start, the slider left where it is
    assert one.values == {"care.weight": 0.25} and one.world.history == [(0, "care.weight = 0.25")]
    one.step(20)
    assert same(one.world, stepped(world, 20, **{"care.weight": 0.25}))


def test_several_sliders(shown, world):
    one = shown(world, sliders=["care.weight", "exchange.loss", "care.horizon"])
    assert list(one.values) == ["care.weight", "exchange.loss", "care.horizon"]
    one.values = {"exchange.loss": 0.1}       # the others stay where they are
    assert one.values == {"care.weight": 0.75, "exchange.loss": 0.1, "care.horizon": world.params.care.horizon}
    one.values = {"care.weight": 0.5, "care.horizon": 3}
    assert [what for _, what in one.world.history] == ["exchange.loss = 0.1", "care.weight = 0.5", "care.horizon = 3"]
    with pytest.raises(TraitError, match="this view has no slider called 'exchange.los'; did you mean 'exchange.loss'"):
        one.values = {"exchange.los": 0.2}
    with pytest.raises(TraitError, match="exchange.loss must be in"):
        one.values = {"care.weight": 0.1, "exchange.loss": 2}
    assert one.values["care.weight"] == 0.5 == one.world.params.care.weight


def test_slider_while_playing(shown, world):
    one = shown(world)
    one.playing = True
    until(lambda: one.frame["tick"] > 3)
    one.values = {"care.weight": 0.5}
    tick = one.frame["tick"]
    until(lambda: one.frame["tick"] > tick + 3)
    one.playing = False
    [(when, what)] = one.world.history
    assert what == "care.weight = 0.5" and 3 < when < one.frame["tick"]
    other = stepped(world, when)
    other.do(intervene.Intervention(what, lambda world: world.update(**{"care.weight": 0.5})))
    other.step(one.frame["tick"] - when)
    assert same(one.world, other)


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), float("inf"), None, "much", True, [1]])
def test_slider_out_of_range(shown, world, value):
    one = shown(world)
    with pytest.raises(TraitError) as refused:
        one.values = {"care.weight": value}
    if isinstance(value, float):
        assert str(refused.value) == f"care.weight must be in [0, 1] on this slider, not {value:g}"
    else:
        assert str(refused.value) == f"care.weight must be a number, not {value!r}"
    assert one.values == {"care.weight": 0.75} and one.world.history == [] and same(one.world, world)


def test_sliders_of_all_parameters(shown, world):
    for name in Params.names():
        value = world.params[name]
        if name == "resources" or isinstance(value, (str, bool, tuple)):
            with pytest.raises(ValueError, match=f"^{re.escape(name)} cannot have a slider: it "):
                view(world, sliders=name)
            continue
        one = shown(world, sliders=name)
        low, high = one.sliders[0]["low"], one.sliders[0]["high"]
        assert low <= value <= high and one.values == {name: value} and one.sliders[0]["doc"]
        assert abs(low) < 1e4 > abs(high)     # a range that a hand can find its way in
        for end in (low, high):
            one.values = {name: end}
            assert one.world.params[name] == end
        one.step(2)


def test_whole_numbers_stay_whole(shown, world):
    one = shown(world, sliders="care.horizon")
    assert (one.sliders[0]["low"], one.sliders[0]["high"], one.sliders[0]["step"]) == (1, 8, 1)
    with pytest.raises(TraitError, match="care.horizon must be a whole number in .*, not 2.5"):
        one.values = {"care.horizon": 2.5}
    one.values = {"care.horizon": 3}
    assert one.world.params.care.horizon == 3


def test_no_slider(shown, world):
    one = shown(world, sliders=None)
    assert one.sliders == [] and one.values == {}
    with pytest.raises(TraitError, match="this view has no slider called 'care.weight'"):
        one.values = {"care.weight": 0.5}
    one.step()
    one.reset()
    assert same(one.world, world)


# -- two worlds ---------------------------------------------------------------------------


def test_a_fork_and_its_twin(shown, world):
    one = shown(world, world.fork(), names=["changed", "as it was"])
    one.step(10)
    assert one.frame["differ"] == 0 and same(*one.worlds)
    one.values = {"care.weight": 0.0}
    one.step(40)
    left, right = one.worlds
    assert same(right, stepped(world, 50)) and right.history == []
    other = stepped(world, 10)
    other.update(**{"care.weight": 0.0})
    other.step(40)
    assert same(left, other) and one.frame["differ"] == (codes(one, 0) != codes(one, 1)).mean() > 0
    assert [len(point) for point in one._series.points["welfare"]] == [3] * len(one._series.points["welfare"])
    assert one.names == ["changed", "as it was"]
    one.reset()
    assert one.frame["tick"] == 0 and one.worlds[0].params.care.weight == 0 and one.worlds[1].params.care.weight == 0.75


def test_whom_sliders_move(shown, world):
    other = world.fork()
    other.update(**{"care.weight": 0.9})
    one = shown(world, other)

    def weights():
        return [each.params.care.weight for each in one.worlds]
    one.acts_on = "both"                      # looking changes nothing
    assert weights() == [0.75, 0.9] and one.worlds[1].history == []
    one.acts_on = "right"
    assert one.values == {"care.weight": 0.9} and weights() == [0.75, 0.9]
    one.values = {"care.weight": 0.25}
    assert weights() == [0.75, 0.25]
    one.acts_on = "left"
    assert one.values == {"care.weight": 0.75}
    one.values = {"care.weight": 0.1}
    one.acts_on = "right"
    one.reset()                               # both sliders are where they were
    assert weights() == [0.1, 0.25] and one.values == {"care.weight": 0.25}
    one.acts_on = "both"
    one.values = {"care.weight": 0.5}
    assert weights() == [0.5, 0.5]
    with pytest.raises(TraitError):
        one.acts_on = "middle"
    one.worlds = [world, other]
    assert one.acts_on == "left" and weights() == [0.75, 0.9]


def test_both_moves_only_what_was_moved(shown, world):
    other = world.fork()
    other.update(**{"exchange.loss": 0.4})
    one = shown(world, other, sliders=["care.weight", "exchange.loss"])
    one.acts_on = "both"
    one.values = {"care.weight": 0.5}
    assert [each.params.exchange.loss for each in one.worlds] == [0, 0.4]


def test_ranges_hold_the_values_of_both(shown, world):
    other = world.fork()
    other.update(**{"exchange.share_cost": 5.0})
    one = shown(world, other, sliders="exchange.share_cost")
    one.acts_on = "right"
    assert one.values == {"exchange.share_cost": 5.0} and one.sliders[0]["high"] >= 5


def test_two_worlds_share_their_scale(shown, world):
    rich = world.fork()
    rich.set("stock", 50.0)
    one = shown(world, rich, field="stock 0")
    assert (codes(one, 1) == 255).all() and codes(one, 0).max() < 255
    assert one.frame["legend"]["high"] == "50"


def test_two_worlds_of_different_kinds(shown, world):
    karate = World(TOPOLOGIES["karate"], Params.preset("resting").replace(resources=2), rng=2)
    one = shown(world, karate)
    assert "stock 2" not in one.fields and "stock 1" in one.fields and "differ" not in one.frame
    one.step(3)
    one.select(100)                           # the right world has not so many sites
    assert one.selected[0]["title"].startswith("member 100") and one.selected[1] is False


# -- members ------------------------------------------------------------------------------


def rows(detail) -> dict:
    return dict(detail["rows"])


def test_click_a_member(shown, world):
    one = shown(world)
    one.step(60)
    page = Page(one)
    page.say("click", panel=0, x=(5 + 0.5) / 14, y=(3 + 0.5) / 12)
    site, twin = 3 * 14 + 5, one.world
    (told,) = one.selected
    assert told["title"] == f"member {twin.state['uid'][site]} at (3, 5)"
    assert np.allclose(told["at"], [(5 + 0.5) / 14, (3 + 0.5) / 12])
    assert rows(told)["welfare"] == f"{max(0, twin.state['welfare'][site]):.3f}"
    trace, topology = twin.tie("trace"), twin.topology
    suppliers = topology.source[(topology.target == site) & (trace > 0)]
    clients = topology.target[(topology.source == site) & (trace > 0)]
    assert len(suppliers) > 3 and len(told["suppliers"]) == len(suppliers) and len(told["clients"]) == len(clients)
    middles = {(round((x + 0.5) / 14, 4), round((y + 0.5) / 12, 4)) for y, x in topology.cells[suppliers]}
    assert {(round(line[0], 4), round(line[1], 4)) for line in told["suppliers"]} == middles
    largest = max(zip(trace[(topology.target == site) & (trace > 0)], suppliers, strict=True))
    row, column = topology.cells[largest[1]]
    assert rows(told)["suppliers"].startswith(f"({row}, {column}): {largest[0]:.3g}")
    page.say("leave")
    assert one.selected is None


def test_clicks_on_every_topology(shown):
    for name, topology in TOPOLOGIES.items():
        one = shown(World(topology, rng=1))
        subject = one._subjects[0]
        for site in range(topology.n_sites):
            assert subject.site_at(*subject.at[site]) == site, name
        page = Page(one)
        page.say("move", x=1, y=0)
        assert one.selected[0] is not None
        for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            page.say("move", x=x, y=y)
            assert one.selected[0] is not None
    page.say("click", panel=3, x=0.5, y=0.5)  # there is no such world
    page.say("click", panel=0, x=7, y=0.5)
    assert one.selected[0] is not None
    holes = shown(World(TOPOLOGIES["holes"], rng=1))
    Page(holes).say("click", panel=0, x=2.5 / 7, y=2.5 / 6)
    assert holes.selected is None             # a hole is nobody


def test_arrow_keys_go_around_a_torus(shown):
    one = shown(World(Topology.grid((5, 4)), rng=1))
    one.select(3)
    page = Page(one)
    seen = []
    for x, y in ((1, 0), (0, -1), (-1, 0), (0, 1)):
        page.say("move", x=x, y=y)
        seen.append(one.selected[0]["title"].split(" at ")[1])
    assert seen == ["(0, 0)", "(4, 0)", "(4, 3)", "(0, 3)"]


def test_a_member_is_followed(shown):
    world = World(Topology.grid((6, 6)), rng=1, occupied=[7, 20])
    one = shown(world)
    one.select(7)
    moved = one._subjects[0].world
    moved.move(7, 30)
    one.refresh()
    assert one.selected[0]["title"] == "member 0 at (5, 0)"
    moved.remove([30])
    one.refresh()
    assert one.selected == [None]             # it is gone, and the page says so
    one.select(30)
    assert one.selected[0]["title"] == "site (5, 0): empty" and "supply" in rows(one.selected[0])
    one.step(2)
    assert one.selected[0]["title"] == "site (5, 0): empty"


def test_bad_sites(shown, world):
    one = shown(world)
    for bad, message in ((168, r"site must be in \[0, 167\], not 168"), (-1, "site must be at least 0, not -1")):
        with pytest.raises(ValueError, match=message):
            one.select(bad)
    with pytest.raises(ValueError, match="panel must be below 1, the number of worlds, not 1"):
        one.select(3, panel=1)


# -- flows, roles and wholes ------------------------------------------------------------------


def test_flows_are_the_strongest_of_late(shown, world):
    one = shown(world)
    page = Page(one)
    one.flows = True
    assert len(page.last()[1][page.last()[0]["panels"][0]["flows"]]) == 0    # nothing has flowed yet
    one.step(50)
    frame, buffers = page.last()
    lines = np.frombuffer(buffers[frame["panels"][0]["flows"]], "f4").reshape(-1, 4)
    widths = np.frombuffer(buffers[frame["panels"][0]["widths"]], "f4")
    trace, topology = one.world.tie("trace"), one.world.topology
    most = min((trace > 0).sum(), 1500)
    assert len(lines) == len(widths) == most and np.isclose(widths.max(), 1)
    assert np.allclose(np.sort(widths), np.sort(trace)[-most:] / trace.max())
    best = int(trace.argmax())
    y, x = topology.cells[topology.source[best]]
    assert np.allclose(lines[widths.argmax(), :2], [(x + 0.5) / 14, (y + 0.5) / 12])
    assert np.abs(lines[:, 2:] - lines[:, :2]).max() < 2 / 12    # none runs across the picture


def test_wholes_and_their_boundaries(shown):
    world = World(TOPOLOGIES["karate"], rng=1, ledger=True)
    world.step(400)
    found = find_wholes(world, n_nulls=19, rng=1)
    assert len(found)
    one = shown(world, wholes=found, field="whole 0")
    assert f"({found[0].n_wholes}" in one.frame["legend"]["label"] and len(one.levels) == len(found)
    for u in range(found[0].n_wholes):        # one colour a whole
        assert len(set(codes(one)[found[0].labels == u])) == 1
    page = Page(one)
    one.borders = 0
    frame, buffers = page.last()
    lines = np.frombuffer(buffers[frame["panels"][0]["borders"]], "f4").reshape(-1, 4)
    topology, labels = world.topology, found[0].labels
    assert len(lines) == (labels[topology.source] == labels[topology.target]).sum()
    one.select(0)
    assert rows(one.selected[0])["whole 0"] == f"{labels[0]} of {found[0].n_wholes}"
    with pytest.raises(TraitError, match=f"borders must be -1 .none. or a level below {len(found)}, not 9"):
        one.borders = 9


def test_boundaries_on_a_grid():
    world = World(Topology.grid((6, 8), torus=False), rng=1)
    subject = Subject(world)

    class Level:
        labels, n_wholes, stands = (np.arange(48) % 8 >= 4).astype(int), 2, None

    class Wholes(list):
        class trade:  # noqa: N801
            uid = np.arange(48)
    subject.wholes = Wholes([Level])
    lines = subject.borders(0)
    assert len(lines) == 6 and (lines[:, [0, 2]] == 0.5).all() and lines[:, 1].tolist() == [r / 6 for r in range(6)] \
        or np.allclose(np.sort(lines[:, 1]), np.arange(6) / 6)


def test_find_roles_and_wholes(shown, world):
    one = shown(world)
    one.step(300)
    before = one.world
    one.find_roles(wait=True)
    assert one.field == "role" and one.busy == "" and "role" in one.fields
    roles = find_roles(before, rng=before.seed)
    assert (codes(one) - 2 == roles.labels)[roles.labels >= 0].all()
    one.find_wholes()                         # in the background
    until(lambda: not one.busy, 120)
    wholes = find_wholes(before, rng=before.seed)
    assert len(one.levels) == len(wholes)
    assert (one.borders >= 0) == bool(len(wholes)) and ("No wholes" in one.message) == (not len(wholes))
    assert same(one.world, before)
    one.reset()
    assert "role" in one.fields               # as they were found, until others are


def test_found_for_a_world_that_is_gone(shown, world, monkeypatch):
    """What was looked for in one world is not shown of another."""
    started, go = threading.Event(), threading.Event()
    find = Subject.find

    def slow(self, what):
        started.set()
        go.wait(20)
        find(self, what)
    monkeypatch.setattr(Subject, "find", slow)
    one = shown(world)
    one.step(100)
    one.find_roles()
    started.wait(20)
    assert one.busy == "finding roles…"
    with pytest.raises(RuntimeError, match="the view is finding roles; wait until it is done"):
        one.find_wholes(wait=True)
    one.world = World(Topology.grid((4, 4)), rng=1)
    go.set()
    until(lambda: not one.busy)
    assert "role" not in one.fields and "not shown any more" in one.message


def test_fewer_wholes_than_before(shown, monkeypatch):
    world = World(TOPOLOGIES["karate"], rng=1, ledger=True)
    world.step(400)
    found = find_wholes(world, n_nulls=19, rng=1)
    last = len(found) - 1
    one = shown(world, wholes=found, field=f"whole {last}")
    one.borders = last
    none = find_wholes(World(Topology.grid((4, 4)), rng=1), rng=1)
    assert len(none) == 0
    monkeypatch.setattr(Subject, "find", lambda self, what: setattr(self, "wholes", none))
    one.find_wholes(wait=True)
    assert one.levels == [] and one.borders == -1 and one.field == "task" and one.message.startswith("No wholes")
    one.step()
    assert one.frame["tick"] == 401


# -- measures over time -------------------------------------------------------------------


def test_series_are_the_measures(shown, world):
    one = shown(world, series=["welfare", "gini"])
    for _ in range(5):
        one.step(10)
    points = np.array(one._series.points["gini"])
    assert points[:, 0].tolist() == [0, 10, 20, 30, 40, 50]
    twin = world.fork()
    for tick, value in points:
        twin.step(int(tick) - twin.tick)
        assert value == measures.gini(twin)
    one.reset()
    assert [point[0] for point in one._series.points["welfare"]] == [0]


def test_series_of_ones_own(shown, world):
    one = shown(world, series={"members": lambda world: world.n_members})
    one.step(3)
    assert one._series.points["members"] == [[0, 168.0], [3, 168.0]]


def test_long_series_are_thinned(shown, world):
    one = shown(world, series={"tick": lambda world: world.tick})
    for _ in range(3000):
        with one._player.lock:
            one._advance(1)
            one._series.sample(one._subjects, True)
    points = one._series.points["tick"]
    assert 600 <= len(points) <= 1200 and points[0] == [0, 0] and points[-1] == [3000, 3000]
    assert all(tick == value for tick, value in points)


def test_a_measure_that_raises_is_told(shown, world):
    """Its message is on the page, and everything else goes on."""
    def worse(world):
        if world.tick >= 5:
            raise RuntimeError("no such\nluck")
        return 1.0
    one = shown(world, series={"worse": worse, "tick": lambda world: world.tick})
    page = Page(one)
    one.playing = True
    until(lambda: one.frame["tick"] > 8)
    assert one.message == "worse: RuntimeError: no such luck" and one.playing
    page.say("step")
    tick = one.frame["tick"]
    assert one._series.points["tick"][-1] == [tick, tick] and one._series.points["worse"][-1][0] < 5
    page.say("ready", page="another")
    assert page.last()[0]["tick"] == tick
    one.select(3)
    assert one.selected[0]["title"].startswith("member 3")
    page.say("reset")
    assert one.message == "" and one.frame["tick"] == 0


def test_a_world_that_raises_is_told(shown, world, monkeypatch):
    step = Subject.step

    def worse(self, n):
        step(self, n)
        if self.tick >= 5:
            raise MemoryError("no room")
    monkeypatch.setattr(Subject, "step", worse)
    one = shown(world)
    page = Page(one)
    one.playing = True
    until(lambda: not one.playing)
    assert one.message == "MemoryError: no room"
    page.say("reset")
    assert one.message == "" and one.frame["tick"] == 0
    page.say("step")
    assert one.frame["tick"] == 1 and one.message == ""
    until(lambda: not players())


def test_what_is_undefined_is_a_gap(shown, world):
    twin = world.fork()
    twin.remove(twin.living)
    one = shown(world, twin, series={"care": lambda world: world.state["care"][world.living].sum() or float("nan")})
    assert one._series.points["care"] == [[0, pytest.approx(0.75 * 168, rel=1e-5), None]]


# -- another world ------------------------------------------------------------------------


def test_world_replaced(shown, world):
    one = shown(world, field="stock 2")
    one.select(5)
    one.playing = True
    other = World(TOPOLOGIES["karate"], Params.preset("resting").replace(resources=2), rng=2)
    other.update(**{"care.weight": 0.3})
    other.step(7)
    page = Page(one)
    one.world = other
    assert not one.playing and one.frame["tick"] == 7 and one.values == {"care.weight": 0.3}
    assert one.field == "task" and "stock 2" not in one.fields   # a field that it lacks
    assert len(codes(one)) == other.n_sites and "sites" in page.last("scene")[0]["panels"][0] and one.selected is None
    one.step(5)
    assert same(one.world, stepped(other, 5)) and other.tick == 7
    one.reset()
    assert one.frame["tick"] == 7 and same(one.world, other)
    one.worlds = [world, world]
    assert one.names == ["left", "right"] and len(page.last("scene")[0]["panels"]) == 2
    assert one.frame["tick"] == 0 and one.values == {"care.weight": 0.75}
    for bad in ([], [world] * 3):
        with pytest.raises(ValueError, match=f"worlds must be one world or two, not {len(bad)}"):
            one.worlds = bad
    with pytest.raises(TypeError, match="worlds must be a sequence of one world or two, not World"):
        one.worlds = world


def test_world_freed(shown):
    one = shown(World(Topology.grid((8, 8)), rng=1))     # nobody else keeps it
    gc.collect()
    one.step(3)
    one.reset()
    assert same(one.world, World(Topology.grid((8, 8)), rng=1))


def test_two_views_of_one_world(shown, world):
    one, two = shown(world), shown(world)
    one.playing = two.playing = True
    until(lambda: min(one.frame["tick"], two.frame["tick"]) > 5)
    one.playing = two.playing = False
    two.values = {"care.weight": 0.0}
    assert same(one.world, stepped(world, one.world.tick)) and one.values == {"care.weight": 0.75} and world.tick == 0


def test_bad_world_changes_nothing(shown, world):
    one = shown(world)
    one.step(2)
    with pytest.raises(TypeError, match="world must be a World, not str"):
        one.world = "another"
    tuples = World(Topology.grid((3, 3)), Params().replace(**{"metabolism.need": (1, 1, 2)}), rng=1)
    two = shown(world, sliders="metabolism.need")
    with pytest.raises(ValueError, match="metabolism.need cannot have a slider"):
        two.world = tuples
    assert one.frame["tick"] == 2 and same(one.world, stepped(world, 2)) and same(two.world, world)


@pytest.mark.parametrize("error, message, change", [
    (TypeError, "world must be a World, not int", {"world": 3}),
    (TypeError, "world must be a World, not NoneType", {"world": None}),
    (TypeError, "other must be a World, not str", {"other": "twin"}),
    (TypeError, "roles must be what organism.find_roles returned, not str", {"roles": "x", "field": "role"}),
    (TypeError, "wholes must be what organism.find_wholes returned, not int", {"wholes": 3}),
    (TypeError, "sliders must be names of parameters, not 5", {"sliders": 5}),
    (ValueError, "sliders must be different parameters; 'care.weight' is there twice",
     {"sliders": ["care.weight"] * 2}),
    (ValueError, "names must be one name for each of the 1 worlds, not .1.", {"names": [1]}),
    (ValueError, "field must be .*, not .'task'.", {"field": ["task"]}),
    (ValueError, "names must be one name for each of the 1 worlds, not 'ab'", {"names": "ab"}),
    (ValueError, "series must be names in .*, not 'wellfare'; did you mean 'welfare'?", {"series": ["wellfare"]}),
    (TypeError, "series must map names to functions of a world; 'x' has 3", {"series": {"x": 3}}),
    (TypeError, "series must be names of measures, or a mapping of names to functions, not 3", {"series": 3}),
    (ValueError, "field must be .*, not 'whole 0'", {"field": "whole 0"}),
    (ValueError, "field must be .*, not 'taks'; did you mean 'task'?", {"field": "taks"}),
    (ValueError, "field must be .*, not 'stock'; did you mean 'stock 2'?", {"field": "stock"}),
    (ValueError, "no parameter is called 'care.wieght'; did you mean 'care.weight'?", {"sliders": "care.wieght"}),
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
    _widget.field_view.cache_clear()
    try:
        world.step(3)
        for field, title in {"task": "roles", "dominant_task": "roles", "welfare": "welfare", "stock 1": "stock 1",
                             "share_policy 0": "share policy 0", "dependence": "dependence"}.items():
            axes = view(world, field=field)
            assert isinstance(axes, Axes) and axes.get_title() == title + ", tick 3"
            axes.get_figure().canvas.draw()
        with pytest.raises(ValueError, match="no parameter"):
            view(world, sliders="care.wieght")
    finally:
        _widget.field_view.cache_clear()
        pyplot.close("all")


def test_a_still_for_pages_without_widgets(shown, world):
    pyplot.close("all")
    bundle, _ = shown(world)._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG") and "application/vnd.jupyter.widget-view+json" in bundle
    assert not pyplot.get_fignums()


def test_the_script_needs_no_network_and_speaks():
    script, looks = _widget.field_view()._esm, _widget.field_view()._css
    script, looks = str(script), str(looks)
    assert not re.search(r"https?:|fetch\(|\bimport\b|XMLHttp|WebSocket|eval\(|innerHTML", script)
    for thing in ('role: "img"', 'role: "toolbar"', '"aria-label"', "aria-valuetext", "lm-suppress-shortcuts",
                  '"label"', 'role: "alert"', '"aria-live"', "ArrowLeft", 'tabindex: "0"'):
        assert thing in script, thing
    assert "@import" not in looks and "url(" not in looks and "focus-visible" in looks
    assert to_rgb(plots.EMPTY) == (1, 1, 1)   # the colour of code 0


def test_import_is_light():
    code = "import sys, organism.view; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"anywidget", "ipywidgets", "traitlets", "matplotlib", "networkx"} & set(done.stdout.split())
