"""Films of worlds: every frame shows what the world's arrays hold, the world is not changed, and no half file stays."""

import os
import subprocess

import matplotlib

matplotlib.use("Agg")

import networkx as nx  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from PIL import Image, ImageSequence  # noqa: E402

from organism import Params, Topology, World, _animation, _film, _paint, find_roles, plots  # noqa: E402

HOLES = np.zeros((6, 7), bool)
HOLES[2:4, 2:4] = True
TOPOLOGIES = {
    "torus": lambda: Topology.grid((8, 10)),
    "holes": lambda: Topology.grid((6, 7), holes=HOLES, torus=False),
    "hexagonal": lambda: Topology.grid((6, 7), "hexagonal"),
    "wide": lambda: Topology.grid((4, 40)),
    "tall": lambda: Topology.grid((40, 4)),
    "ring": lambda: Topology.grid((20,)),
    "one site": lambda: Topology.grid((1, 1)),
    "two sites": lambda: Topology.from_networkx(nx.path_graph(2)),
    "no ties": lambda: Topology.from_edges([], [], n_sites=3),
    "karate": lambda: Topology.from_networkx(nx.karate_club_graph()),
    "positions": lambda: Topology.from_networkx(nx.random_geometric_graph(40, .3, seed=1)),
    "directed": lambda: Topology.from_networkx(nx.gn_graph(20, seed=1)),
}


@pytest.fixture
def world():
    return World(Topology.grid((10, 12)), rng=3)


def film(world, path, ticks=6, **options):
    """Animate without a bar; return the frames, RGB, and their seconds."""
    written = plots.animate(world, path, ticks, **{"progress": False, "size": 120} | options)
    assert written == path and os.listdir(path.parent) == [path.name]
    with Image.open(path) as image:
        frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"] / 1000)
                  for frame in ImageSequence.Iterator(image)]
    return [frame for frame, _ in frames], [seconds for _, seconds in frames]


def picture(world, field="dominant_task", size=120, **options):
    """Return what draws a world, for the places of its maps."""
    worlds = [world, *options.pop("beside", [])]
    show = _animation._Shown(worlds, field, options.pop("roles", None), None, None)
    return _animation._Picture(show, size, options.get("title"),
                               options.get("labels", [""] * len(worlds)), options.get("series", {}), 6)


def cells(frame, corner, topology, size=120):
    """Return the colour of each cell, having checked that it fills all its pixels."""
    rows, columns = topology.shape
    side = size // max(rows, columns)
    part = frame[corner[1]:corner[1] + rows * side, corner[0]:corner[0] + columns * side]
    blocks = part.reshape(rows, side, columns, side, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    return blocks[:, 0, :, 0]


def expected(world, field, **found):
    """Return the colour of each cell by the painting of the whole package."""
    painting = _paint.paint(world, field, **found)
    return painting.palette[_paint.image(world.topology, painting.codes)][..., :3]


def same(a, b) -> bool:
    """Tell whether two worlds agree in every bit of every column and tie, and in their tick."""
    return a.tick == b.tick and all(np.array_equal(a.state[name], b.state[name]) for name in a.state) \
        and all(np.array_equal(a.tie(name), b.tie(name)) for name in ("bond", "trace"))


# -- frames ---------------------------------------------------------------------------


@pytest.mark.parametrize("field, off", [("dominant_task", 0), ("task", 0), ("occupied", 3), ("welfare", 3),
                                        ("skill 1", 3), ("richness 0", 3)])
def test_frames_are_the_world_s_arrays(field, off, world, tmp_path):
    """Pixel for pixel; a scale has about 200 steps in a GIF, and so is off by no more than three of 255."""
    corner, twin = picture(world, field).corners[0], world.fork()
    frames, _ = film(world, tmp_path / "a.gif", 12, every=2, field=field)
    assert len(frames) == 7
    for frame in frames:
        seen = cells(frame, corner, world.topology).astype(int)
        assert np.abs(seen - expected(twin, field)).max() <= off
        twin.step(2)


def test_demography_and_holes(tmp_path):
    params = Params().replace(**{"demography.enabled": True, "demography.hazard": 0.1, "demography.refill": 0.2})
    world = World(Topology.grid((8, 8)), params, rng=1)
    corner, twin = picture(world).corners[0], world.fork()
    frames, _ = film(world, tmp_path / "a.gif", 20)
    for frame in frames:
        assert np.array_equal(cells(frame, corner, world.topology), expected(twin, "dominant_task"))
        twin.step()
    assert not twin.state["occupied"].all()
    holes = World(TOPOLOGIES["holes"](), rng=1)
    frames, _ = film(holes, tmp_path / "a.gif", 3)
    seen = cells(frames[-1], picture(holes).corners[0], holes.topology)
    holes.step(3)
    assert np.array_equal(seen, expected(holes, "dominant_task")) and (seen[HOLES] == 255).all()


@pytest.mark.parametrize("kind", TOPOLOGIES)
@pytest.mark.parametrize("field", ["dominant_task", "stock 0"])
def test_every_topology(kind, field, tmp_path):
    world = World(TOPOLOGIES[kind](), rng=1)
    frames, _ = film(world, tmp_path / "a.gif", 4, field=field, series=["welfare", "given"], title="All kinds")
    assert len(frames) == 5 and len({frame.tobytes() for frame in frames}) == 5
    assert not pyplot.get_fignums()
    drawn = picture(world, field)
    one = drawn.maps[0]
    assert set(range(world.n_sites)) <= set(one.site.ravel().tolist())
    white = (frames[-1] == 255).all(axis=-1)            # nothing is cut off
    assert white[:4].all() and white[-4:].all() and white[:, :4].all() and white[:, -4:].all()


@pytest.mark.parametrize("kind", ["hexagonal", "karate"])
def test_centres_have_their_colour(kind, tmp_path):
    world = World(TOPOLOGIES[kind](), rng=1)
    drawn = picture(world, size=300)
    (left, top), one = drawn.corners[0], drawn.maps[0]
    frames, _ = film(world, tmp_path / "a.gif", 5, size=300)
    world.step(5)
    painting = _paint.paint(world, "dominant_task")
    x, y = one.places.astype(int).T
    assert np.array_equal(frames[-1][top + y, left + x], painting.palette[painting.codes][:, :3])
    if kind == "hexagonal":
        assert np.array_equal(one.site[y, x], np.arange(world.n_sites))


def test_larger_than_the_picture(tmp_path):
    world = World(Topology.grid((100, 130)), rng=1)
    corner = picture(world, size=64).corners[0]
    frames, _ = film(world, tmp_path / "a.gif", 2, size=64)
    world.step(2)
    shown = expected(world, "dominant_task")[::3, ::3]
    assert np.array_equal(frames[-1][corner[1]:, corner[0]:][:34, :44], shown)


def test_roles(tmp_path):
    world = World(Topology.grid((10, 12)), rng=1)
    world.step(300)
    roles = find_roles(world, rng=1)
    corner = picture(world, "role", roles=roles).corners[0]
    frames, _ = film(world, tmp_path / "a.gif", 2, field="role", roles=roles)
    assert np.array_equal(cells(frames[0], corner, world.topology), expected(world, "role", roles=roles))


# -- what runs ------------------------------------------------------------------------


def test_the_world_is_not_changed(world, tmp_path):
    world.step(3)
    twin, called = world.fork(), []
    world.every(1, lambda w: called.append(w.tick))
    first, _ = film(world, tmp_path / "a.gif", field="stock 1")
    assert same(world, twin) and not called
    data = (tmp_path / "a.gif").read_bytes()
    film(twin, tmp_path / "a.gif", field="stock 1")
    assert (tmp_path / "a.gif").read_bytes() == data        # the same seed, the same film


def test_prepare(world, tmp_path):
    seen = []

    def prepare(fork):
        assert isinstance(fork, World) and fork is not world
        fork.at(2, lambda w: seen.append(w.tick))
        fork.at(2, lambda w: w.remove(np.arange(60)))

    frames, _ = film(world, tmp_path / "a.gif", 4, prepare=prepare)
    top = picture(world).corners[0]
    assert seen == [2] and world.n_members == 120
    assert (cells(frames[3], top, world.topology)[:5] == 255).all()
    assert not (cells(frames[1], top, world.topology)[:5] == 255).all(axis=-1).any()


def test_beside(world, tmp_path):
    other = world.fork()
    other.update(**{"care.weight": 0.0})
    more = {"labels": ["care", "none"], "series": {"members": lambda w: w.n_members}}
    corners = picture(world, beside=[other], **more).corners
    frames, _ = film(world, tmp_path / "a.gif", 20, every=20, beside=other, **more)
    assert len(corners) == 2
    for one, corner in zip((world, other), corners, strict=True):
        twin = one.fork()
        twin.step(20)
        assert np.array_equal(cells(frames[-1], corner, world.topology), expected(twin, "dominant_task"))


def test_a_scale_is_the_same_throughout(world, tmp_path):
    """What has no bounds is shown over the range of the whole course, found by running it twice."""
    corner = picture(world, "stock 1").corners[0]
    calls = []
    frames, _ = film(world, tmp_path / "a.gif", 10, field="stock 1", progress=lambda *done: calls.append(done))
    assert calls == [(n + 1, 20) for n in range(20)]
    twins = [world.fork() for _ in range(11)]
    for n, twin in enumerate(twins):
        twin.step(n)
    span = [0.0, max(twin.state["stock"][:, 1].max() for twin in twins)]
    for frame, twin in zip(frames, twins, strict=True):
        seen = cells(frame, corner, world.topology).astype(int)
        assert np.abs(seen - expected(twin, "stock 1", span=list(span))).max() <= 3


def test_limits(world, tmp_path):
    corner, calls = picture(world, "stock 1").corners[0], []
    frames, _ = film(world, tmp_path / "a.gif", 5, field="stock 1", limits=(0, 1e-9),
                     progress=lambda *done: calls.append(done))
    assert calls[-1] == (5, 5)
    world.step(5)
    held = world.state["stock"][:, 1].reshape(10, 12) >= 1e-9
    seen = cells(frames[-1], corner, world.topology)
    assert held.any() and (seen[held] == seen[held][0]).all()


def test_need_is_not_shown_up_to_its_bound(world):
    """Bounds that only keep numbers from overflowing are none of a scale."""
    assert _animation._Shown([world], "need 0", None, None, None).twice
    assert not _animation._Shown([world], "vitality", None, None, None).twice


# -- time -----------------------------------------------------------------------------


@pytest.mark.parametrize("ticks, every, n", [(6, 1, 7), (6, 2, 4), (7, 3, 4), (1, 5, 2)])
def test_frames_and_durations(ticks, every, n, world, tmp_path):
    frames, seconds = film(world, tmp_path / "a.gif", ticks, every=every, fps=20, hold=1.5)
    assert len(frames) == n
    assert np.allclose(seconds, [0.05] * (n - 1) + [1.55])


def test_durations_do_not_drift(world, tmp_path):
    _, seconds = film(world, tmp_path / "a.gif", 29, fps=30, hold=0)
    assert np.isclose(sum(seconds), 1) and set(np.round(seconds, 2)) == {0.03, 0.04}


@pytest.mark.parametrize("loop", [True, False])
def test_loop(loop, world, tmp_path):
    film(world, tmp_path / "a.gif", 2, loop=loop)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info.get("loop") == (0 if loop else None)


def test_still_frames_are_kept(tmp_path):
    world = World(Topology.grid((4, 4)), rng=1, occupied=[])
    frames, _ = film(world, tmp_path / "a.gif", 3, field="richness 0")
    assert len(frames) == 4


def test_bar(world, tmp_path, capsys):
    plots.animate(world, tmp_path / "a.gif", 3, size=64)
    assert "animating" in capsys.readouterr().err


# -- MP4 ------------------------------------------------------------------------------


def program():
    try:
        return _film.ffmpeg()
    except ImportError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("size", [120, 101])
def test_mp4(size, world, tmp_path):
    ffmpeg = program()
    path = tmp_path / "a.MP4"
    drawn = picture(world, size=size, title="Tasks")
    assert plots.animate(world, path, 6, size=size, fps=12.5, hold=0.4, title="Tasks", progress=False) == path
    assert os.listdir(tmp_path) == ["a.MP4"]
    raw = subprocess.run([ffmpeg, "-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                         capture_output=True, check=True).stdout
    rows, columns = drawn.shape
    assert rows % 2 == columns % 2 == 0
    frames = np.frombuffer(raw, np.uint8).reshape(-1, rows, columns, 3)
    assert len(frames) == 7 + 5                         # the last one stays
    world.step(6)
    (x, y), side = drawn.corners[0], size // 12
    centres = frames[-1][y + side // 2:y + 10 * side:side, x + side // 2:x + 12 * side:side]
    assert np.abs(centres.astype(int) - expected(world, "dominant_task")).mean() < 6


def test_ffmpeg_that_fails(world, tmp_path, monkeypatch):
    false = tmp_path / "ffmpeg"
    false.write_text("#!/bin/sh\necho 'Unknown encoder' >&2\nexit 3\n")
    false.chmod(0o755)
    monkeypatch.setattr(_film, "ffmpeg", lambda: str(false))
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="ffmpeg could not write the .mp4: Unknown encoder"):
        plots.animate(world, tmp_path / "out" / "a.mp4", 50, progress=False)
    assert not os.listdir(tmp_path / "out")


def test_without_ffmpeg(world, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(ImportError, match="an .mp4 needs ffmpeg, .*pip install imageio-ffmpeg, or write a .gif"):
        plots.animate(world, tmp_path / "a.mp4")
    assert not os.listdir(tmp_path)


# -- what goes wrong ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["gif", "mp4"])
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_nothing_is_left_half_written(suffix, there, error, world, tmp_path):
    if suffix == "mp4":
        program()
    path = tmp_path / f"a.{suffix}"
    if there:
        path.write_bytes(b"before")

    def stop(done, n):
        if done == 3:
            raise error

    with pytest.raises(error):
        plots.animate(world, path, 6, progress=stop)
    assert os.listdir(tmp_path) == [path.name] * there
    assert not there or path.read_bytes() == b"before"
    assert world.tick == 0


REFUSED = [
    ({"path": "a.avi"}, ValueError, "path must end in .gif or .mp4, not '.avi'"),
    ({"path": "a"}, ValueError, "path must end in .gif or .mp4, not 'a'"),
    ({"path": 3}, TypeError, "path must be a path that ends in .gif or .mp4, not 3"),
    ({"path": "nowhere/a.gif"}, FileNotFoundError, "path must be in a folder that exists, and nowhere does not"),
    ({"path": "folder.gif"}, ValueError, "path must be of a file, and folder.gif is a folder"),
    ({"world": 3}, TypeError, "world must be a World, not int"),
    ({"beside": 3}, TypeError, "beside must be a World, not int"),
    ({"ticks": 0}, ValueError, "ticks must be at least 1, not 0"),
    ({"every": 0}, ValueError, "every must be at least 1, not 0"),
    ({"fps": 0}, ValueError, r"fps must be in \(0, 50\], not 0"),
    ({"fps": 60}, ValueError, r"fps must be in \(0, 50\], not 60"),
    ({"size": 20}, ValueError, r"size must be in \[64, 4096\] pixels, not 20"),
    ({"hold": -1}, ValueError, r"hold must be in \[0, 600\], not -1"),
    ({"field": "wellfare"}, ValueError, "field must be .*, not 'wellfare'; did you mean 'welfare'"),
    ({"field": "role"}, ValueError, "field must be .*, not 'role'"),
    ({"title": 3}, TypeError, "title must be a str, not 3"),
    ({"labels": 5}, ValueError, r"labels must be one str, not \[5\]"),
    ({"series": 5}, TypeError, "series must be names of measures, .* not 5"),
    ({"series": [["a"]]}, ValueError, "series must be of welfare, "),
    ({"roles": "x", "field": "role"}, TypeError, "roles must be what organism.find_roles returned, not str"),
    ({"wholes": 3}, TypeError, "wholes must be what organism.find_wholes returned, not int"),
    ({"field": ["task"]}, ValueError, "field must be 'task', .* not .'task'."),
    ({"labels": ["a", "b"]}, ValueError, r"labels must be one str, not \['a', 'b'\]"),
    ({"series": "wellfare"}, ValueError, "series must be of welfare, .*, not 'wellfare'; did you mean 'welfare'"),
    ({"series": {"a": 3}}, TypeError, r"series\['a'\] must be callable with a world, not 3"),
    ({"limits": (1, 0), "field": "welfare"}, ValueError, r"limits must be two numbers, .*, not \(1, 0\)"),
    ({"limits": 5, "field": "welfare"}, ValueError, "limits must be two numbers, .*, not 5"),
    ({"limits": (0, 1)}, ValueError, r"limits must be None for 'dominant_task', .*, not \(0, 1\)"),
    ({"prepare": 3}, TypeError, "prepare must be callable with a world, not 3"),
    ({"progress": 3}, TypeError, "progress must be true, false or callable as .*, not 3"),
]


@pytest.mark.parametrize("wrong, error, words", REFUSED, ids=lambda value: str(value)[:40])
def test_refused(wrong, error, words, world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(error, match=words) as caught:
        plots.animate(**{"world": world, "path": "a.gif", "progress": False} | wrong)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["folder.gif"]


def test_a_name_that_is_no_str(world, tmp_path):
    with pytest.raises(ValueError, match="field must be .*, not 3"):
        plots.animate(world, tmp_path / "a.gif", field=3)


def test_docstring_tells_of_every_argument():
    import inspect
    import re

    doc, takes = inspect.getdoc(plots.animate), list(inspect.signature(plots.animate).parameters)
    listed = doc[doc.index("Parameters\n"):doc.index("Returns\n")]
    assert [name.strip() for line in re.findall(r"^([\w, ]+) : ", listed, re.M) for name in line.split(",")] \
        == takes
    assert takes[:3] == ["world", "path", "ticks"]
