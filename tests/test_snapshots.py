"""Snapshots hold exactly what readings differ by, whatever happens to the members meanwhile, in memory and on disk."""

import numpy as np
import pytest

from organism import Params, Topology, World, flows, measures
from organism.snapshots import Snapshots
from organism.wholes import trade_of

MORTAL = Params.preset("evolving").replace(**{"demography.hazard": .02, "care.weight": .75})


def make(params=None, ledger=True, side=6, rng=1):
    return World(Topology.grid((side, side)), params, rng=rng, ledger=ledger)


def agree(found, expected):
    """The same window, pairs, amounts (to single precision) and members."""
    assert (found.start, found.stop, found.ticks) == (expected.start, expected.stop, expected.ticks)
    small = 1e-6 * expected.amount.max()
    ours, theirs = ({(i, j): amount for i, j, amount in zip(one.giver.tolist(), one.receiver.tolist(), one.amount,
                                                            strict=True) if amount.max() > small}
                    for one in (found, expected))
    assert ours.keys() == theirs.keys() and len(ours)
    for pair, amount in theirs.items():
        assert ours[pair] == pytest.approx(amount, rel=2e-6, abs=small)
    assert found.total == pytest.approx(expected.total, rel=1e-6)


def nothing(world):
    pass


def take_out(world):
    world.remove(world.living[[3, 4, 20]])


def move(world):
    there, here = world.living[:2].tolist()
    world.remove([there])
    world.move(here, there)


def rewire(world):
    world.rewire(Topology.grid((6, 6), "von_neumann"))


def replace(world):
    site = world.living[5:6]
    world.remove(site)
    world.add(site)


@pytest.mark.parametrize("params", [None, MORTAL], ids=["lasting", "mortal"])
@pytest.mark.parametrize("event", [nothing, take_out, move, rewire, replace])
def test_windows_are_differences_of_readings(params, event):
    """Births and deaths all along, and something done in the middle of the second window."""
    world = make(params)
    taken, readings = Snapshots(world, every=20), [flows.reading(world)]
    for n in range(4):
        world.step(10)
        if n == 1:
            event(world)
        world.step(10)
        readings.append(flows.reading(world))
    assert taken.ticks.tolist() == [20, 40, 60, 80]
    for i, (before, after) in enumerate(zip(readings, readings[1:], strict=False)):
        agree(taken.window(20 * i, 20 * i + 20), flows.diff(after, before))
        agree(taken[i].reading(), flows.diff(after, before))
    agree(taken.window(20, 60), flows.diff(readings[3], readings[1]))
    agree(taken.window(), flows.diff(readings[4], readings[0]))
    if params is MORTAL:
        assert sum(len(one.pair) for one in taken) > 0


def test_windows_add_up_to_what_was_given():
    world, sent = make(), 0.
    taken = Snapshots(world, every=7)
    for _ in range(42):
        world.step()
        sent += world.state["given"].sum(dtype=float)
    assert sum(one.amount.sum(dtype=float) for one in taken) == pytest.approx(sent, rel=1e-5)
    assert taken.window().total.sum() == pytest.approx(sent, rel=1e-5)


def test_sums_are_the_goods_of_the_living():
    world = make(MORTAL)
    taken = Snapshots(world, every=30)
    world.step(30)
    window, one = taken.window(), taken[0]
    for ends, who in (("source", window.giver), ("target", window.receiver)):
        sums = one.sums(ends)
        assert sums.shape == (36, 3)
        for site in one.living:
            own = window.amount[who == one.uid[site]]
            assert sums[site] == pytest.approx(own.sum(axis=0), rel=1e-5, abs=1e-5)


def test_snapshot_of_what_members_do():
    """Over one window from the start all acts are in it; over a later one what came before is gone."""
    world = make()
    taken = Snapshots(world, every=40)
    world.step(40)
    assert taken[0].tasks == pytest.approx(world.state["task_counts"], rel=1e-5)
    assert taken[0].welfare.tolist() == world.state["welfare"].tolist()
    assert taken[0].living.tolist() == list(range(36)) and taken[0].uid.tolist() == world.state["uid"].tolist()
    assert taken[0].nbytes == sum(getattr(taken[0], name).nbytes for name in taken[0].ARRAYS)
    world.step(40)
    memory = world.params.production.task_memory
    weights = memory**np.arange(40)
    assert taken[1].tasks.sum(axis=1) == pytest.approx(np.full(36, weights.sum()), rel=1e-4)
    assert taken[1].draws == pytest.approx(measures.effective_draws(taken[1].tasks, memory))
    assert len(taken[1].tie) <= world.topology.n_ties and (taken[1].amount.sum(axis=1) > 0).all()
    assert taken[1].amount.dtype == np.float32


def same(a, b):
    assert (a.start, a.stop, a.seed, a.memory) == (b.start, b.stop, b.seed, b.memory)
    for name in a.ARRAYS:
        one, other = getattr(a, name), getattr(b, name)
        assert one.dtype == other.dtype and one.tolist() == other.tolist(), name
    assert (a.topology.source == b.topology.source).all() and (a.topology.target == b.topology.target).all()


def test_disk_holds_what_memory_holds(tmp_path):
    world = make(MORTAL)
    kept, written = Snapshots(world, every=15), Snapshots(world, every=15, path=tmp_path / "run")
    world.step(20)
    rewire(world)
    world.step(25)
    assert len(written._held) == 1 and len(kept) == len(written) == 3
    back = Snapshots.read(tmp_path / "run")
    assert len(back) == 3 and back.every == 15 and repr(back) == repr(written) == repr(kept)
    for one, there, again in zip(kept, written, back, strict=True):
        same(one, there)
        same(one, again)
    for series in (written, back):
        agree(series.window(15, 45), kept.window(15, 45))
        same(series[-1], kept[-1])
    assert [one.stop for one in back[1:]] == [30, 45]
    assert back[0].topology is not back[2].topology
    world.step(15)
    assert len(back) == 3 and len(written) == 4 and len(Snapshots.read(tmp_path / "run")) == 4


@pytest.mark.parametrize("path", [None, "run"])
def test_keep_the_last(tmp_path, path):
    world = make()
    taken = Snapshots(world, every=10, keep=2, path=path and tmp_path / path)
    world.step(50)
    assert len(taken) == 2 and taken.ticks.tolist() == [40, 50]
    assert (taken.window().start, taken.window().stop) == (30, 50)
    if path:
        assert len(list((tmp_path / path).glob("snapshot-*.npz"))) == 2
        assert Snapshots.read(tmp_path / path).ticks.tolist() == [40, 50]
    with pytest.raises(ValueError, match="start must be an end of a window, such as 30, not 0"):
        taken.window(0, 50)


def test_stop():
    world = make()
    taken = Snapshots(world, every=10)
    world.step(20)
    taken.stop()
    world.step(20)
    assert taken.ticks.tolist() == [10, 20]


def test_a_fork_leaves_the_job_behind():
    world = make()
    taken = Snapshots(world, every=10)
    world.step(10)
    twin = world.fork()
    twin.step(30)
    assert len(taken) == 1
    world.step(10)
    assert taken.ticks.tolist() == [10, 20]
    ours = Snapshots(twin, every=5)
    twin.step(5)
    assert (ours[0].start, ours[0].stop) == (40, 45) and len(taken) == 2


def test_it_changes_nothing():
    plain, watched = make(MORTAL), make(MORTAL)
    Snapshots(watched, every=7)
    for world in (plain, watched):
        world.step(40)
    assert plain.state["stock"].tolist() == watched.state["stock"].tolist()
    assert plain.tie("total").tolist() == watched.tie("total").tolist()


def test_windows_that_are_not_there(tmp_path):
    world = make()
    taken = Snapshots(world, every=20)
    assert len(taken) == 0 and repr(taken) == "Snapshots(none yet)" and taken.ticks.tolist() == []
    with pytest.raises(ValueError, match="no snapshot has been taken yet"):
        taken.window()
    with pytest.raises(IndexError):
        taken[0]
    world.step(60)
    for (start, stop), match in (((5, 40), "start must be an end of a window, such as 0, not 5"),
                                 ((20, 59), "stop must be an end of a window, such as 60, not 59"),
                                 ((40, 40), "start must lie before stop, not 40 and 40"),
                                 ((40, 20), "start must lie before stop, not 40 and 20"),
                                 ((60, 20), "start must lie before stop, not 60 and 20"),
                                 ((60, None), "start must be an end of a window, such as 40, not 60")):
        with pytest.raises(ValueError, match=match):
            taken.window(start, stop)
    with pytest.raises(IndexError):
        taken[3]


@pytest.mark.parametrize("change, error, match", [
    ({"every": 0}, ValueError, "every must be at least 1, not 0"), ({"every": 1.5}, TypeError, "every must be a whole"),
    ({"every": True}, TypeError, "every must be a whole"), ({"keep": 0}, ValueError, "keep must be at least 1, not 0"),
    ({"keep": "all"}, TypeError, "keep must be a whole number")])
def test_bad_settings(change, error, match):
    with pytest.raises(error, match=match):
        Snapshots(make(), **change)


def test_no_world():
    with pytest.raises(TypeError, match="world must be a World, made with ledger=True, not 3"):
        Snapshots(3)
    taken = Snapshots(world := make(), every=5)
    world.step(5)
    with pytest.raises(TypeError, match="start must be a whole number, not 'a'"):
        taken.window("a")
    with pytest.raises(ValueError, match="no snapshot has been taken yet"):
        trade_of(Snapshots(world, every=5))


def test_windows_of_an_old_world_are_exact():
    """Totals grow for ever; what is added to them in a window does not get lost in them."""
    world = make()
    taken = Snapshots(world, every=5)
    ties = world._ties["total"]
    taken._before.total += 1e7
    ties += 1e7
    before = ties.copy()
    world.step(5)
    gain = (ties - before)[:, world.topology.in_slot]
    assert gain.max() > 0 and taken.window().total == pytest.approx(gain.sum(axis=1), rel=1e-6)


def test_no_ledger():
    with pytest.raises(ValueError, match="snapshots need exact totals, and this world keeps none; make it with ledger"):
        Snapshots(make(ledger=False))


def test_bad_folders(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ValueError, match="must be a new or an empty folder"):
            Snapshots(make(), path=path)
    with pytest.raises(ValueError, match="holds no snapshots"):
        Snapshots.read(tmp_path)
    with pytest.raises(ValueError, match="holds no snapshots"):
        Snapshots.read(tmp_path / "missing")


def test_foreign_files_are_refused(tmp_path):
    world = make()
    taken = Snapshots(world, every=10, path=tmp_path / "run")
    world.step(20)
    assert len(taken) == 2
    first = min((tmp_path / "run").glob("snapshot-*.npz"))
    world.save(tmp_path / "world.npz")
    first.write_bytes((tmp_path / "world.npz").read_bytes())
    with pytest.raises(ValueError, match="is not a saved snapshot"):
        Snapshots.read(tmp_path / "run")[0]
    first.write_bytes(first.read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged"):
        Snapshots.read(tmp_path / "run").window()
