"""Pictures: axes in, axes out, for every kind of world; nothing is left behind in pyplot."""

import base64
import io
import re
from types import SimpleNamespace

import matplotlib
import networkx as nx
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from organism import Params, Topology, World, _drawing, find_roles, flows, interdependence, measures, plots  # noqa: E402

HOLES = np.zeros((9, 9), bool)
HOLES[3:6, 3:6] = True


def geometric(n=60):
    return nx.random_geometric_graph(n, .2, seed=1)


TOPOLOGIES = {
    "torus": lambda: Topology.grid((8, 10)),
    "large torus": lambda: Topology.grid((30, 40)),
    "bounded": lambda: Topology.grid((8, 5), "von_neumann", torus=False),
    "wide": lambda: Topology.grid((8, 64)),
    "tall": lambda: Topology.grid((64, 8)),
    "hexagonal": lambda: Topology.grid((6, 7), "hexagonal"),
    "hexagonal bounded": lambda: Topology.grid((6, 7), "hexagonal", torus=False),
    "holes": lambda: Topology.grid((9, 9), holes=HOLES, torus=False),
    "ring": lambda: Topology.grid((20,)),
    "long ring": lambda: Topology.grid((90,)),
    "line": lambda: Topology.grid((12,), torus=False),
    "one site": lambda: Topology.grid((1, 1)),
    "two sites": lambda: Topology.from_networkx(nx.path_graph(2)),
    "no ties": lambda: Topology.from_networkx(nx.empty_graph(5)),
    "karate": lambda: Topology.from_networkx(nx.karate_club_graph()),
    "parts": lambda: Topology.from_networkx(nx.disjoint_union(nx.cycle_graph(7), nx.path_graph(4))),
    "positions": lambda: Topology.from_networkx(geometric()),
    "directed": lambda: Topology.from_networkx(nx.gn_graph(20, seed=1)),
    "large": lambda: Topology.from_networkx(nx.watts_strogatz_graph(700, 4, .1, seed=1)),
    "medium": lambda: Topology.from_networkx(nx.watts_strogatz_graph(200, 4, .1, seed=1)),
}


@pytest.fixture(autouse=True)
def closed():
    """Close what ``ax=None`` opened."""
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def world():
    world = World(Topology.grid((10, 12)), rng=1, ledger=True)
    world.step(100)
    return world


@pytest.fixture(scope="module")
def recording():
    world = World(Topology.grid((6, 6)), rng=1)
    recording = world.record(measures.SCALARS, every=10)
    world.step(60)
    return recording


def drawn(figure: Figure) -> np.ndarray:
    """Render a figure and return its pixels, without the time that a fine layout takes."""
    figure.set_layout_engine("none")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=40)
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(-1, 4)


FUNCTIONS = {
    "role_map": lambda w, ax: plots.role_map(w, ax),
    "welfare_map": lambda w, ax: plots.welfare_map(w, ax),
    "field_map": lambda w, ax: plots.field_map(w, "stock", ax, resource=1),
    "interdependence_graph": lambda w, ax: plots.interdependence_graph(w, ax),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_axes_in_axes_out(name, world):
    axes = Figure().subplots()
    assert FUNCTIONS[name](world, axes) is axes
    assert axes.get_title() and not pyplot.get_fignums()
    new = FUNCTIONS[name](world, None)
    assert isinstance(new, Axes) and pyplot.get_fignums() == [new.get_figure().number]


@pytest.mark.parametrize("kind", TOPOLOGIES)
def test_every_topology(kind):
    world = World(TOPOLOGIES[kind](), rng=1, ledger=kind not in ("large torus", "positions", "karate"))
    world.step(40)
    recording = world.record(measures.SCALARS, every=5)
    world.step(10)
    figure = plots.summary_figure(world, recording)
    pixels = drawn(figure)
    assert len(np.unique(pixels, axis=0)) > 20
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("params, occupied", [
    (Params(), []), (Params(), [3]), (Params(resources=1), None), (Params(resources=9), None),
    (Params.preset("resting"), [0, 1, 2, 9, 10]), (Params(), [0, 24]),
])
def test_special_worlds(params, occupied):
    world = World(Topology.grid((5, 5)), params, rng=1, occupied=occupied, ledger=True)
    assert "<table>" in plots.world_html(world)
    world.step(20)
    drawn(plots.summary_figure(world))


def test_role_map_has_the_hues_of_the_tasks(world):
    axes = plots.role_map(world)
    image = np.asarray(axes.get_images()[0].get_array())
    assert image.shape == (10, 12, 4)
    task = measures.dominant_task(world).reshape(10, 12)
    hues, depth = plots.task_colours(world), measures.specialisation(world, each=True).reshape(10, 12)
    for row, column in ((0, 0), (4, 7), (9, 11)):
        fade = .25 + .75 * np.sqrt(depth[row, column])
        assert image[row, column, :3] == pytest.approx(1 - fade * (1 - hues[task[row, column]]))
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["makes resource 0", "makes resource 1", "makes resource 2"]


def test_prediction_strength_is_that_of_the_roles():
    tried = SimpleNamespace(n_roles=3, strengths={2: .95, 3: .85, 4: .3}, errors={2: .01, 3: .02, 4: .05}, threshold=.8)
    axes = plots.prediction_strength(tried)
    axes.figure.canvas.draw()
    bars = {round(bar.get_x() + bar.get_width() / 2): bar for bar in axes.patches}
    assert {number: bar.get_height() for number, bar in bars.items()} == tried.strengths
    assert bars[3].get_facecolor() != bars[2].get_facecolor() == bars[4].get_facecolor()
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"chosen: 3", "threshold: 0.8", "standard error"} <= set(said)
    (whiskers,) = [one.get_segments() for one in axes.collections]
    assert np.allclose([np.ptp(line[:, 1]) / 2 for line in whiskers], [.01, .02, .05])
    assert .8 in [line.get_ydata()[0] for line in axes.lines]
    asked = SimpleNamespace(n_roles=3, strengths={}, errors={}, threshold=.8)
    assert "no number of roles was tried" in plots.prediction_strength(asked).texts[0].get_text()
    one = SimpleNamespace(n_blocks=1, strengths={2: .3}, errors={2: .1}, threshold=.8)
    axes = plots.prediction_strength(one, ax=Figure().subplots(), title="mine")
    assert axes.get_title() == "mine" and "blocks" in axes.get_xlabel() and len(axes.patches) == 2


def test_the_main_task_is_not_called_a_role():
    world = World(Topology.grid((4, 4)), rng=1)
    assert plots.summary_figure(world).axes[0].get_title() == "main task of each member"


def test_role_map_of_found_roles():
    """A role has the hue of its resource, the paler the less sure; who died since, and whom nobody asked, is idle."""
    rng = np.random.default_rng(1)
    kind = np.arange(120) % 3
    mixes = np.array([[.9, .05, .05], [.05, .05, .9], [.45, .1, .45]])
    world = World(Topology.grid((10, 12)), rng=1, ledger=True)
    roles = find_roles(np.stack([rng.multinomial(300, mixes[k]) for k in kind]), rng=1)
    assert roles.n_roles == 3 and world.state["uid"].tolist() == roles.uid.tolist()
    names = [profile.name for profile in roles.profiles]
    axes = plots.role_map(world, roles=roles)
    image = np.asarray(axes.get_images()[0].get_array()).reshape(120, 4)
    hues = dict(zip(names, _drawing.role_hues(roles, 3), strict=True))
    assert hues["gathers 0"] == pytest.approx(to_rgb(plots.PALETTE[0]))
    assert hues["gathers 2"] == pytest.approx(to_rgb(plots.PALETTE[2])) and len({tuple(h) for h in hues.values()}) == 3
    for site in (0, 1, 2, 77):
        sure = roles.probabilities[site].max()
        assert image[site, :3] == pytest.approx(1 - sure * (1 - hues[names[roles.labels[site]]]))
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == [f"{profile.name} (40)" for profile in roles.profiles]
    assert axes.get_legend().get_title().get_text() == "paler: less sure"
    world.remove([0])
    world.add([0])
    image = np.asarray(plots.role_map(world, roles=roles).get_images()[0].get_array())
    assert image[0, 0, :3] == pytest.approx(to_rgb(plots.IDLE))     # a newcomer
    small = World(Topology.grid((5, 5)), rng=1)
    with pytest.raises(ValueError, match="of this world, of 25 sites, not at site 25"):
        plots.role_map(small, roles=roles)


def test_empty_sites_are_told_apart():
    world = World(Topology.grid((4, 4)), Params.preset("resting"), rng=1, occupied=[0, 5])
    axes = plots.role_map(world)
    image = np.asarray(axes.get_images()[0].get_array())
    assert image[3, 3, :3] == pytest.approx(to_rgb(plots.EMPTY))
    assert image[0, 0, :3] == pytest.approx(to_rgb(plots.IDLE))
    assert [text.get_text() for text in axes.get_legend().get_texts()][-2:] == ["rests", "empty"]
    welfare = np.asarray(plots.welfare_map(world).get_images()[0].get_array())
    assert welfare[3, 3, :3] == pytest.approx(to_rgb(plots.EMPTY))


def test_okabe_ito():
    published = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
    assert set(plots.PALETTE) == published
    assert len(_drawing.hues(9)) == 9 and len(np.unique(_drawing.hues(20), axis=0)) == 20


def bar(axes) -> Axes:
    """The colour bar of a map."""
    return axes.child_axes[0]


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def extinct(topology) -> World:
    world = World(topology, rng=1, ledger=True)
    world.step(5)
    world.remove(world.living)
    return world


@pytest.mark.parametrize("kind", ["torus", "wide", "hexagonal", "ring", "karate"])
def test_an_extinct_world_says_so(kind):
    world = extinct(TOPOLOGIES[kind]())
    for draw in FUNCTIONS.values():
        assert words(draw(world, None)) == ["no members left"]
    figure = plots.summary_figure(world)
    roles, well, _, graph = figure.axes[:4]
    assert words(roles) == words(well) == words(graph) == ["no members left"]
    drawn(figure)
    assert not words(plots.field_map(world, "supply", resource=0))  # the land is still there
    assert "<table>" in plots.world_html(world)


def test_an_extinction_by_hazard():
    params = Params().replace(**{"demography.enabled": True, "demography.hazard": 1.0})
    world = World(Topology.grid((5, 5)), params, rng=1)
    world.step(3)
    assert not world.n_members and words(plots.role_map(world)) == ["no members left"]


def test_values_that_cannot_be_drawn():
    world = World(Topology.grid((4, 4)), rng=1)
    axes = plots.field_map(world, np.full(16, np.nan))
    assert words(axes) == ["no finite value"] and not axes.child_axes


# -- fields -------------------------------------------------------------------------------


def test_field_map_values(world):
    stock = world.state["stock"][:, 2]
    for values, resource in (("stock", 2), (world.state["stock"], 2), (stock, None), (list(stock), None)):
        axes = plots.field_map(world, values, resource=resource)
        image = np.asarray(axes.get_images()[0].get_array())
        top = np.unravel_index(stock.argmax(), (10, 12))
        assert image[top] == pytest.approx(matplotlib.colormaps["viridis"](1.))
    assert bar(plots.field_map(world, "stock", resource=0)).get_ylabel() == "stock 0 (goods)"
    assert bar(plots.field_map(world, "age")).get_ylabel() == "age (ticks)"
    assert bar(plots.field_map(world, np.ones(120), label="x")).get_ylabel() == "x"


@pytest.mark.parametrize("kind", ["torus", "tall", "wide", "ring", "hexagonal", "karate"])
def test_colour_bars_are_as_long_as_their_map(kind):
    world = World(TOPOLOGIES[kind](), rng=1)
    summary = plots.summary_figure(world)
    for axes in (plots.field_map(world, "stock", resource=0), summary.axes[1]):
        axes.get_figure().draw_without_rendering()
        box, along = axes.get_position(), bar(axes).get_position()
        if kind in ("wide", "ring"):
            assert (along.x0, along.x1) == pytest.approx((box.x0, box.x1)) and along.y1 < box.y0
        else:
            assert (along.y0, along.y1) == pytest.approx((box.y0, box.y1)) and along.x0 > box.x1
            assert along.x0 - box.x1 < 0.03  # next to it, however narrow the map
        inside = bar(axes).get_tightbbox()
        assert inside.y0 >= 0 and inside.x1 <= axes.get_figure().bbox.x1 + 1


def test_field_map_of_the_living():
    world = World(Topology.grid((4, 4)), rng=1, occupied=[2, 3])
    world.step(5)
    image = np.asarray(plots.field_map(world, [0., 1.]).get_images()[0].get_array())
    assert image[0, 3] == pytest.approx(matplotlib.colormaps["viridis"](1.))
    supply = np.asarray(plots.field_map(world, "supply", resource=0).get_images()[0].get_array())
    assert (supply[..., :3] != to_rgb(plots.EMPTY)).any(axis=-1).all()  # land is there without members


@pytest.mark.parametrize("values, options, error, match", [
    ("stock", {}, ValueError, r"stock has shape \(120, 3\), so say which resource"),
    ("stock", {"resource": 3}, ValueError, r"resource must be in \[0, 2\], not 3"),
    ([1, 2], {}, ValueError, "one number for each of 120 sites or 120 members"),
    ("stok", {}, KeyError, "did you mean 'stock'"),
])
def test_field_map_refusals(world, values, options, error, match):
    with pytest.raises(error, match=match):
        plots.field_map(world, values, **options)


# -- time ---------------------------------------------------------------------------------


def test_time_series(recording):
    axes = plots.time_series(recording, names=["welfare", "dependence"])
    assert [line.get_label() for line in axes.get_lines()] == ["welfare", "dependence"]
    assert axes.get_lines()[0].get_xdata().tolist() == recording.ticks.tolist()
    assert axes.get_xlabel() == "tick" and axes.get_ylabel() == "share or index (0–1)"
    assert [text.get_text() for text in axes.texts] == ["welfare", "dependence"]
    assert plots.time_series(recording, names=["given"]).get_ylabel() == "goods/tick"
    assert len(plots.time_series(recording).get_lines()) == len(measures.SCALARS)
    with pytest.raises(ValueError, match="nothing called 'welfar' was recorded; did you mean 'welfare'"):
        plots.time_series(recording, names=["welfar"])


def test_time_series_of_little():
    world = World(Topology.grid((3, 3)), rng=1)
    never = world.record({"stock": lambda w: w.state["stock"].copy()})
    for series in (None, never):
        axes = plots.time_series(series)
        assert axes.texts[0].get_text() == "nothing recorded"
    once = world.record({"welfare": measures.welfare})
    world.step()
    drawn(plots.time_series(once).get_figure())


def test_labels_are_moved_apart():
    values = [.5, .51, .5, .99, 1., 0.]
    placed = plots._apart(values, 0, 1)
    assert (np.diff(np.sort(placed)) > .054).all() and placed.max() <= 1 and placed.min() >= 0
    assert np.abs(placed - values).max() < .12


# -- who feeds whom -----------------------------------------------------------------------


def arrows(axes) -> int:
    return sum(len(c.get_paths()) for c in axes.collections if type(c).__name__ == "PolyCollection")


def test_graph_draws_the_strongest(world):
    flows_there = interdependence(world).number_of_edges()
    all_of_them = plots.interdependence_graph(world, most=10**6)
    assert arrows(all_of_them) >= flows_there  # those around the torus are drawn at both edges
    few = plots.interdependence_graph(world, most=20)
    assert 20 <= arrows(few) <= 40
    assert f"the strongest 20 of {flows_there:,} flows" in few.get_xlabel()


def test_graph_of_graphs(world):
    graph = interdependence(world)
    from_world, from_graph = plots.interdependence_graph(world), plots.interdependence_graph(graph)
    assert arrows(from_world) == arrows(from_graph)
    assert from_world.get_ylim() == from_graph.get_ylim()
    window = flows.diff(flows.reading(world), flows.reading(world))
    drawn(plots.interdependence_graph(window.graph()).get_figure())
    assert "goods sent in the window" in plots.interdependence_graph(window.graph()).get_xlabel()
    plain = nx.DiGraph([(0, 1), (1, 2)])
    assert arrows(plots.interdependence_graph(plain)) == 2
    assert arrows(plots.interdependence_graph(plain, places=[(0, 0), (1, 0), (1, 1)])) == 2
    assert arrows(plots.interdependence_graph(nx.DiGraph())) == 0


@pytest.mark.parametrize("topology, said", [
    (Topology.grid((40, 50)), "only the 100 members in rows 15–24, columns 20–29, of 2,000"),
    (Topology.grid((8, 64)), "only the 80 members in rows 0–7, columns 27–36, of 512"),
    (Topology.grid((20, 20), "hexagonal"), "only the 90 members in rows 6–15, columns 5–14, of 400"),
    (Topology.grid((90,)), "only the 14 members at sites 38–51, of 90"),
    (Topology.from_networkx(nx.random_geometric_graph(900, .06, seed=1)), "members in the middle, of 900"),
    (TOPOLOGIES["medium"](), "only 100 of 200 members, reached"),
], ids=repr)
def test_large_worlds_show_a_part(topology, said):
    world = World(topology, rng=1, ledger=True)
    world.step(30)
    from_world, from_graph = plots.interdependence_graph(world), plots.interdependence_graph(interdependence(world))
    assert said in from_world.get_xlabel()
    assert from_world.get_xlabel() == from_graph.get_xlabel()
    assert arrows(from_world) <= 2 * plots.MOST


def test_members_of_a_grid_keep_their_places():
    world = World(Topology.grid((64, 64)), rng=1)
    world.step(30)
    axes = plots.interdependence_graph(world)
    nodes = axes.collections[-1].get_offsets()
    assert sorted(map(tuple, nodes.tolist())) == [(x, y) for x in range(27, 37) for y in range(27, 37)]
    box = plots.summary_figure(world).axes[0].patches[0].get_bbox()
    assert 26 < box.x0 < 27 and 36 < box.x1 < 37 and 26 < box.y0 < 27 and 36 < box.y1 < 37


def test_a_few_members_of_a_large_grid_are_all_drawn():
    world = World(Topology.grid((40, 40)), rng=1, occupied=np.arange(0, 1600, 39))
    world.step(5)
    assert "only" not in plots.interdependence_graph(world).get_xlabel()


def test_captions_say_what_the_arrows_are(world):
    exact = plots.interdependence_graph(world).get_xlabel()
    assert exact.startswith("goods sent along a tie since it was made\nhue: the resource sent most; widest arrow: ")
    decayed = World(Topology.grid((4, 4)), rng=1)
    decayed.step(20)
    said = plots.interdependence_graph(decayed).get_xlabel()
    assert said.startswith("goods sent, decayed sums (memory 0.") and "hue" not in said


def test_arrows_point_from_giver_to_receiver():
    axes = plots.interdependence_graph(nx.DiGraph([("a", "b")]), places=[(0, 0), (1, 0)])
    tail, head = axes.collections[0].get_paths()[0].vertices[[0, 3]]
    assert 0 < tail[0] < head[0] < 1


@pytest.mark.parametrize("kind", TOPOLOGIES)
def test_layout(kind):
    topology = TOPOLOGIES[kind]()
    places = plots.layout(topology)
    assert places.shape == (topology.n_sites, 2) and np.isfinite(places).all()
    assert np.array_equal(places, plots.layout(topology))
    assert len(np.unique(places.round(9), axis=0)) == topology.n_sites
    if topology.positions is not None:
        assert np.array_equal(places, topology.positions)


def test_summary_saves_as_it_is(world, recording):
    buffer = io.BytesIO()
    plots.summary_figure(world, recording, title="a world").savefig(buffer, dpi=40)
    assert buffer.getvalue()[1:4] == b"PNG"


def test_world_html(world):
    html = plots.world_html(world)
    assert "data:image/png;base64," in html and "division of labour" in html
    assert not pyplot.get_fignums()


@pytest.mark.parametrize("kind", ["torus", "tall", "wide"])
def test_a_cropped_picture_keeps_its_words(kind):
    axes = plots.field_map(World(TOPOLOGIES[kind](), rng=1), "stock", resource=0)
    sizes = []
    for crop in ({}, {"bbox_inches": "tight", "pad_inches": 0.0}):
        buffer = io.BytesIO()
        axes.get_figure().savefig(buffer, format="png", **crop)
        buffer.seek(0)
        sizes.append((pyplot.imread(buffer)[..., :3].min(axis=-1) < 0.99).sum())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)  # pixels with ink


@pytest.mark.parametrize("kind", ["torus", "tall", "wide", "ring", "hexagonal", "karate"])
def test_world_html_wastes_no_room(kind):
    world = World(TOPOLOGIES[kind](), rng=1)
    world.step(20)
    data = base64.b64decode(re.search('base64,([^"]+)', plots.world_html(world)).group(1))
    ink = pyplot.imread(io.BytesIO(data))[..., :3].min(axis=-1) < 0.99
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height, width = ink.shape
    margins = rows[0], height - 1 - rows[-1], columns[0], width - 1 - columns[-1]
    assert max(margins) <= 6, "pixels without ink at the edges"
    assert max(height, width) < 650
