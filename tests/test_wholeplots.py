"""Pictures of wholes: what is drawn is what was found; nothing found is said in words."""

import matplotlib
import networkx as nx
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.patches import FancyArrowPatch, Rectangle  # noqa: E402

from organism import Topology, World, plots  # noqa: E402
from organism._wholeplots import DISTINCT, hues_of, named_flows  # noqa: E402
from organism.roles import block_roles  # noqa: E402
from organism.wholes import find_wholes, follow_wholes, trade_of  # noqa: E402
from organism.wholes._find import Wholes  # noqa: E402
from organism.wholes._level import Level, Null, statistics  # noqa: E402


@pytest.fixture(autouse=True)
def closed():
    """Close what ``ax=None`` opened."""
    yield
    pyplot.close("all")


def wholes_of(source, *labels, nulls=None):
    """Wholes with these labels, whatever flows."""
    trade = trade_of(source)
    levels = []
    for one in labels:
        one = np.asarray(one)
        found = statistics(trade, one)
        levels.append(Level(one, trade, 1.0, 1.0, np.nan, found,
                            {name: {key: Null.of(value, values) for key, value in found.items()}
                             for name, values in (nulls or {}).items()}))
    return Wholes(levels, trade, "louvain", 1.0, 2.0, [1.0] * len(levels), 1)


def grid(shape=(8, 8), **options):
    """A world that has run a little."""
    world = World(Topology.grid(shape, **options), rng=1, ledger=True)
    world.step(30)
    return world


def quarters(shape=(8, 8)):
    """Sixteen blocks in four quarters."""
    row, column = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
    return row // 2 * 4 + column // 2, row // 4 * 2 + column // 4


def drawn(ax):
    """Draw for real, so that what cannot be drawn fails."""
    assert isinstance(ax, Axes)
    ax.figure.canvas.draw()
    return ax


def words(ax):
    return " ".join([text.get_text() for text in ax.texts] + [ax.get_xlabel(), ax.get_title()])


def black(ax):
    """Segments of the black lines, by width."""
    return {float(one.get_linewidth()[0]): one.get_segments() for one in ax.collections
            if isinstance(one, LineCollection) and np.allclose(one.get_color()[0], (0, 0, 0, 1))}


EMPTY = np.zeros((6, 6))


@pytest.mark.parametrize("draw", [plots.wholes_graph, plots.wholes_matrix, plots.wholes_tree, plots.wholes_by_level])
def test_nothing_found_is_said(draw):
    none = find_wholes(EMPTY, nulls=())
    assert "no wholes found" in words(drawn(draw(none)))
    ax = Figure().subplots()
    assert draw(none, ax=ax) is ax and draw(none, ax=ax, title="mine").get_title() == "mine"


def test_nothing_to_follow_or_to_map_is_said():
    none = find_wholes(EMPTY, nulls=())
    assert "no wholes to follow" in words(drawn(plots.wholes_over_time(follow_wholes([(1, none)]))))
    assert "no wholes to follow" in words(drawn(plots.wholes_over_time(follow_wholes([]))))
    world = grid()
    assert "no wholes found" in words(drawn(plots.wholes_map(world, wholes_of(world))))


@pytest.mark.parametrize(("torus", "fine", "coarse"), [(True, 2 * 8 * 4 + 2 * 8, 2 * 8 * 2 + 2 * 8),
                                                       (False, 2 * 8 * 3, 2 * 8)])
def test_boundaries_are_the_sides_between_wholes(torus, fine, coarse):
    world = grid(torus=torus)
    ax = drawn(plots.wholes_map(world, wholes_of(world, *quarters())))
    lines = black(ax)
    thin, wide = sorted(lines)
    # Four (three) lines down and across, eight sides long; on a torus that at the edge is drawn at both edges.
    assert (len(lines[thin]), len(lines[wide])) == (fine, coarse)
    inner = {side for side in map(lambda line: tuple(map(tuple, line)), lines[wide])
             if 0 < side[0][0] < 7 and side[0][0] == side[1][0]}
    assert inner == {((3.5, row - 0.5), (3.5, row + 0.5)) for row in range(8)}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["16 wholes", "4 wholes, numbered"]


def test_boundaries_of_hexagons_are_their_sides():
    world = grid((6, 6), neighbourhood="hexagonal", torus=False)
    labels = (np.arange(36) % 6 >= 3).astype(int)
    (lines,) = black(drawn(plots.wholes_map(world, wholes_of(world, labels)))).values()
    topology = world.topology
    apart = labels[topology.source] != labels[topology.target]
    assert len(lines) == apart.sum() > 0
    assert np.allclose([np.hypot(*(b - a)) for a, b in map(np.asarray, lines)], 1 / np.sqrt(3))


def test_networks_show_ties_inside_wholes():
    world = World(Topology.from_networkx(nx.path_graph(8)), rng=1, ledger=True)
    world.step(20)
    ax = drawn(plots.wholes_map(world, wholes_of(world, np.arange(8) // 2, np.arange(8) // 4)))
    lines = black(ax)
    thin, wide = sorted(lines)
    assert len(lines[wide]) == 2 * 4 and len(lines[thin]) == 2 * 6      # ties run both ways


@pytest.mark.parametrize("shape", [(30,), (6, 40), (40, 6)])
def test_maps_of_other_shapes_keep_both_keys(shape):
    world = grid(shape)
    n = world.n_sites
    ax = drawn(plots.wholes_map(world, wholes_of(world, np.arange(n) * 3 // n)))
    assert ax.get_legend().get_texts()[0].get_text() == "3 wholes, numbered"
    assert any("makes resource 0" in [text.get_text() for text in one.get_texts()]
               for one in ax.artists if hasattr(one, "get_texts"))


def test_a_map_of_other_members_is_refused():
    with pytest.raises(ValueError, match="not of members who live on this topology"):
        plots.wholes_map(grid((4, 4)), wholes_of(grid((8, 8)), *quarters()))


def test_discs_are_members_and_arrows_flows():
    flows = np.zeros((12, 12))
    flows[0, 5] = flows[5, 0] = 4
    flows[1, 11], flows[0, 1], flows[5, 6], flows[10, 11] = 1, 20, 20, 20
    wholes = wholes_of(flows, [0] * 5 + [1] * 4 + [2] * 3)
    ax = drawn(plots.wholes_graph(wholes))
    (discs,) = [one for one in ax.collections if isinstance(one, EllipseCollection)]
    assert np.allclose((discs.get_widths() / discs.get_widths()[0])**2, np.array([5, 4, 3]) / 5)
    assert [text.get_text() for text in ax.texts] == ["0\n(5)", "1\n(4)", "2\n(3)"]
    (arrows,) = [one for one in ax.collections if type(one) is PolyCollection]
    assert len(arrows.get_paths()) == 3
    assert "3 wholes" in words(ax) and "goods along the widest arrow: 4" in words(ax) and "87% of flows" in words(ax)
    one = drawn(plots.wholes_graph(wholes, most=1, ax=Figure().subplots()))
    assert "only the strongest flow, " in words(one) and "44% of what crosses" in words(one)
    with pytest.raises(ValueError, match=r"level must be in \[-1, 0\], not 1"):
        plots.wholes_graph(wholes, 1)


def test_a_whole_round_a_torus_lies_where_its_members_are():
    world = grid((6, 6))
    labels = np.where(np.isin(np.arange(36) % 6, [5, 0, 1]), 0, 1)
    ax = drawn(plots.wholes_graph(wholes_of(world, labels), topology=world.topology))
    (discs,) = [one for one in ax.collections if isinstance(one, EllipseCollection)]
    x = discs.get_offsets()[:, 0]
    assert np.allclose(np.exp(2j * np.pi * x / 6), np.exp(2j * np.pi * np.array([0, 3]) / 6))


def test_frames_of_the_matrix_nest_and_hold_their_flows():
    world = grid()
    fine, coarse = quarters()
    ax = drawn(plots.wholes_matrix(wholes_of(world, fine, coarse)))
    frames = [(one.get_x(), one.get_width()) for one in ax.patches if isinstance(one, Rectangle)]
    assert frames[:16] == [(4 * i, 4) for i in range(16)] and frames[16:] == [(16 * i, 16) for i in range(4)]
    image = np.nan_to_num(np.asarray(ax.images[0].get_array().filled(0)))
    label = fine[np.lexsort((fine, coarse))]
    inside = image[label[:, None] == label].sum() / image.sum()
    assert inside == pytest.approx(wholes_of(world, fine).levels[0].statistics["closure"])


def test_boxes_stand_under_the_whole_they_are_part_of():
    world = grid()
    ax = drawn(plots.wholes_tree(wholes_of(world, *quarters())))
    rows = {}
    for one in ax.patches:
        rows.setdefault(int(one.get_y()), []).append((one.get_x(), one.get_width()))
    assert rows == {0: [(0, 64)], 1: [(16 * i, 16) for i in range(4)], 2: [(4 * i, 4) for i in range(16)]}
    assert [text.get_text() for text in ax.get_yticklabels()] == ["all", "4 wholes", "16 wholes"]


def test_levels_stand_beside_the_range_of_their_nulls():
    world = grid()
    wholes = wholes_of(world, *quarters(), nulls={"flows": [0.1, 0.2, 0.3], "strengths": [0.4, 0.6, 0.95]})
    ax = drawn(plots.wholes_by_level(wholes, "individuality"))
    assert ax.get_ylabel() == "individuality (0–1)"
    ranges = [tuple(line.get_ydata()) for line in ax.lines if line.get_linewidth() == 9]
    assert ranges == [(0.1, 0.3)] * 2 + [(0.4, 0.95)] * 2
    (seen,) = [line for line in ax.lines if line.get_marker() == "D"]
    assert list(seen.get_ydata()) == [level.statistics["individuality"] for level in wholes]
    told = " ".join(text.get_text() for text in ax.get_legend().get_texts())
    assert "flows shuffled (range and mean of 3 nulls" in told and "▼ below" in told
    with pytest.raises(ValueError, match="statistic must be one of closure, .*not 'closur'"):
        plots.wholes_by_level(wholes, "closur")
    assert "no null was run" in words(plots.wholes_by_level(wholes_of(world, *quarters())))


def test_bars_and_bands_are_members_and_hues_persist():
    flows = np.ones((20, 20))
    first, second = [0] * 12 + [1] * 8, [0] * 8 + [2] * 4 + [1] * 8
    followed = follow_wholes([(10, wholes_of(flows, first)), (20, wholes_of(flows, second)),
                              (30, wholes_of(flows, first))])
    ax = drawn(plots.wholes_over_time(followed))
    bars = {(tick, name): bar for bar, (tick, name) in zip(
        ax.patches, [(tick, name) for tick, names in zip(followed.ticks, followed.names, strict=True)
                     for name in names], strict=True)}
    assert {key: bar.get_height() for key, bar in bars.items()} == {
        (10, "W1"): 12, (10, "W2"): 8, (20, "W1"): 8, (20, "W2"): 8, (20, "W3"): 4, (30, "W1"): 12, (30, "W2"): 8}
    assert len({bars[tick, "W1"].get_facecolor() for tick in (10, 20, 30)}) == 1
    assert bars[20, "W3"].get_facecolor() != bars[20, "W1"].get_facecolor()
    bands = [one.get_paths()[0].vertices for one in ax.collections]
    heights = sorted(np.ptp(band[np.isclose(band[:, 0], band[:, 0].min()), 1]) for band in bands)
    assert np.allclose(heights, [4, 4, 8, 8, 8, 8])
    assert "1 merge, 1 split" in words(ax)


def test_captions_say_what_is_held_against_chance():
    wholes = wholes_of(grid(), *quarters(), nulls={"flows": [0.1, 0.2, 0.3]})
    said = words(drawn(plots.wholes_graph(wholes, -1, unit="tonnes")))
    seen = wholes[-1].statistics["assortativity"]
    assert f"assortativity {seen:.2f}, 0.20 by chance (p = " in said and "chance: same ties, flows shuffled" in said
    assert "more than" not in said and "tonnes along the widest arrow" in said
    for statistic in ("assortativity", "modularity"):
        assert "0–1" not in drawn(plots.wholes_by_level(wholes, statistic, Figure().subplots())).get_ylabel()


def test_numbers_and_hues_are_the_same_in_tree_graph_and_map():
    world = grid()
    wholes = wholes_of(world, *quarters())
    tree, graph, places = drawn(plots.wholes_tree(wholes)), drawn(plots.wholes_graph(wholes, 1)), drawn(
        plots.wholes_map(world, wholes))
    boxes = {text.get_text(): box for text, box in zip(tree.texts[1:5], tree.patches[1:5], strict=True)}
    assert list(boxes) == [f"{i} (16)" for i in range(4)]
    (discs,) = [one for one in graph.collections if isinstance(one, EllipseCollection)]
    marks = {text.get_text(): text.get_bbox_patch().get_facecolor()[:3] for text in places.texts}
    assert sorted(marks) == list("0123")
    for i, box in enumerate(boxes.values()):
        assert np.allclose(box.get_facecolor()[:3], discs.get_facecolors()[i][:3])
        assert np.allclose(marks[str(i)], box.get_facecolor()[:3])
    many = wholes_of(world, np.arange(64) // 4)
    assert not drawn(plots.wholes_map(world, many)).texts           # more numbers than can be told apart


def test_nodes_bear_their_names_and_even_ties_are_lines():
    graph = nx.Graph([("ann", "bob"), ("bob", "cleo"), ("cleo", "ann"), ("dan", "eve"), ("cleo", "dan")])
    wholes = wholes_of(graph, [0, 0, 0, 1, 1])
    ax = drawn(named_flows(Figure().subplots(), wholes, None, mutual=True, unit="weight", title="mine"))
    assert {"ann", "bob", "cleo", "dan", "eve"} == {text.get_text() for text in ax.texts}
    lines = [one for one in ax.patches if isinstance(one, FancyArrowPatch)]
    assert len(lines) == 5 and {type(one.get_arrowstyle()).__name__ for one in lines} == {"Curve"}
    assert "width: weight, the widest 1" in ax.get_xlabel()
    (discs,) = [one for one in ax.collections if isinstance(one, EllipseCollection)]
    assert len(np.unique(discs.get_facecolors(), axis=0)) == 2
    ax = named_flows(Figure().subplots(), wholes, None, mutual=False, unit="weight", title=None)
    assert len([one for one in ax.patches if isinstance(one, FancyArrowPatch)]) == 10
    named = drawn(plots.wholes_matrix(wholes, unit="tonnes"))
    assert [text.get_text() for text in named.get_yticklabels()] == ["ann", "bob", "cleo", "dan", "eve"]
    none = find_wholes(nx.Graph([("ann", "bob")]), nulls=())
    blocks = block_roles(nx.Graph([("ann", "bob")]), n_nulls=0, rng=1)
    assert "hue: the block" in named_flows(Figure().subplots(), none, blocks, mutual=True, unit="weight",
                                           title=None).get_xlabel()


def test_the_matrix_says_of_what_in_plain_numbers():
    flows = np.zeros((70, 70))
    flows[:35, :35], flows[35:, 35:] = 2, 6
    ax = drawn(plots.wholes_matrix(wholes_of(flows, np.arange(70) // 35), unit="goods in ticks 1–9"))
    (bar,) = ax.child_axes
    assert bar.get_ylabel() == "goods in ticks 1–9\nfrom member to member"
    assert {"2", "5"} <= {text.get_text() for text in bar.get_yticklabels()}
    assert ax.get_xlabel() == "receiver (members)"


def test_hues_are_distinct_and_visible_and_said_to_repeat():
    pool = hues_of(DISTINCT)
    assert len(np.unique(pool.round(3), axis=0)) == DISTINCT >= 16 and (pool.min(axis=1) < 0.75).all()
    for number, repeats in ((16, False), (40, True)):
        ax = drawn(plots.wholes_over_time(follow_wholes(
            [(t, wholes_of(np.ones((400, 400)), np.arange(400) * number // 400)) for t in (1, 2)])))
        assert len({bar.get_facecolor() for bar in ax.patches}) == min(number, DISTINCT)
        assert ("hues repeat" in words(ax)) == repeats == ("without a name" in words(ax))


def test_one_window_and_windows_without_wholes():
    flows = np.ones((20, 20))
    some, none = wholes_of(flows, [0] * 12 + [1] * 8), find_wholes(EMPTY, nulls=())
    one = drawn(plots.wholes_over_time(follow_wholes([(5, some)])))
    assert [bar.get_height() for bar in one.patches] == [12, 8]
    gap = drawn(plots.wholes_over_time(follow_wholes([(5, some), (6, none), (7, some)])))
    assert "not found" in words(gap) and "no birth, merge, split or death" in words(gap) and len(gap.collections) == 2
    assert [bar.get_facecolor() for bar in gap.patches[:2]] == [bar.get_facecolor() for bar in gap.patches[2:]]


def test_pictures_of_found_wholes_leave_nothing_in_pyplot():
    graph = nx.connected_caveman_graph(6, 8)
    wholes = find_wholes(graph, n_nulls=3, rng=1)
    assert len(wholes)
    figure = Figure()
    for ax, draw in zip(figure.subplots(2, 2).flat, (plots.wholes_graph, plots.wholes_matrix, plots.wholes_tree,
                                                     plots.wholes_by_level), strict=True):
        assert draw(wholes, ax=ax) is ax
    figure.canvas.draw()
    assert not pyplot.get_fignums()
