"""Random worlds under random edits: no crash, no NaN, no good lost, nothing half-done.

A case is a seed. It draws a topology, parameters over their whole ranges and
initial columns; then it steps and edits in turn. After each edit and each few
ticks all that must hold of any world is checked, and an edit that is refused
must be refused in one sentence and have changed nothing.

The fast tier runs a fixed few cases. ``ORGANISM_FUZZ=20000 pytest tests/test_fuzz.py``
runs that many, ``ORGANISM_FUZZ_FIRST`` says from which seed on.
"""

import copy
import os
import pickle

import numpy as np
import pytest
from fuzz_edits import BAD, EDITS, edit_add, edit_later
from fuzz_worlds import LEFT_BEHIND, REFUSED, Chance, draw_world

import organism as og
from organism.state import COLUMNS, SHARED

CASES = int(os.environ.get("ORGANISM_FUZZ", "150"))
FIRST = int(os.environ.get("ORGANISM_FUZZ_FIRST", "0"))


def address(plane):
    """Say where an array or memoryview begins."""
    return np.asarray(plane).__array_interface__["data"][0]


# -- what must hold ----------------------------------------------------------------------


def check(world, known=None):
    """Hold a world to all that must be true of any; ``known`` remembers members from check to check."""
    state, t, n = world.state, world.topology, world.n_sites
    here = state["occupied"]
    assert world.n_members == here.sum() and np.array_equal(world.living, np.flatnonzero(here))
    tasks = world.params.tasks
    highs = {"task": tasks - 1, "order_task": world.params.resources}
    for name, column in COLUMNS.items():
        values = state[name]
        assert values.shape == (n, *state.trailing(name)), name
        assert np.isfinite(values).all(), f"{name} holds {values[~np.isfinite(values)][0]}"
        high = highs.get(name, column.high)
        low = -1 if name == "task" else column.low
        assert low is None or (values >= low).all(), f"{name} holds {values.min()}"
        assert high is None or (values <= high).all(), f"{name} holds {values.max()}"
        if column.owner == "member":
            assert (values[~here] == column.empty).all(), f"{name} of an empty row is {values[~here].max()}"
    uid, key = state["uid"][here], state["key"][here]
    assert len(np.unique(uid)) == len(uid) and len(np.unique(key)) == len(key)
    assert ((uid >= 0) & (uid < world._kernel.next_uid)).all()
    assert (state["parent_uid"][here] < uid).all() and (state["founder"][here] <= uid).all()
    if known is not None:  # a uid stays one member's: same key and ancestors for ever
        for row in zip(
            uid.tolist(), key.tolist(), state["parent_uid"][here].tolist(), state["founder"][here].tolist(), strict=True
        ):
            assert known.setdefault(row[0], row[1:]) == row[1:]
    lone = ~(here[t.source] & here[t.target])
    for name in ("bond", "trace") + (("total",) if world.ledger else ()):
        values = world.tie(name)
        assert np.isfinite(values).all() and (values >= 0).all(), name
        assert name == "bond" or (values[lone] == 0).all(), f"{name} of a tie that has lost an end"
    uids, amounts = world.closed_accounts()
    assert np.isfinite(amounts).all() and (amounts.sum(axis=1) > 0).all() and (uids >= 0).all()
    ends = here[t.target]
    counted = world._scratch["neighbours"][0, :n]
    assert np.array_equal(counted, np.bincount(t.source[ends], minlength=n)), "neighbours"
    if t.directed:
        ends = ends & (t.find_ties(t.target, t.source) >= 0)
        counted = world._scratch["mutual"][0, :n]
        assert np.array_equal(counted, np.bincount(t.source[ends], minlength=n)), "mutual"
    audit = world.audit()
    for name, values in audit.to_dict().items():
        assert np.isfinite(values).all() and (name == "residual" or min(values) >= 0), f"{name} {values}"
    assert audit.closes, str(audit)
    own = world._government
    assert (state["regime"] < len(own.regimes)).all() and (state["block"] < len(own.block_operator)).all()
    assert sum(len(sites) for _, sites in world.regimes) == world.n_members
    for r in set(own.block_operator.tolist()):
        quota = own.quota[own.block_operator == r]
        assert ((quota > 0) == own.wanted(r)).all()
        assert np.allclose(quota.sum(axis=1), own.wanted(r).any())
    for name, plane in state.planes.items():  # the padding of every plane stays empty
        if plane.shape[1] == state.row and name not in LEFT_BEHIND + ("supply", "richness"):
            assert (plane[:, n:] == COLUMNS[name].empty).all(), f"the padding of {name}"
        if name != "richness":  # and the kernel works on these very planes
            assert address(getattr(world._kernel, name)) == address(plane), f"the kernel has another {name}"
    for name, plane in world._ties.items():
        assert address(getattr(world._kernel, "ledger_total" if name == "total" else name)) == address(plane), name


def check_ticked(world):
    """Hold a world to what is true right after a tick."""
    state, learning = world.state, world.params.learning
    grown = state["occupied"] & (state["age"] > 0)
    for name, bound in (("policy", learning.task_bound), ("share_policy", learning.share_bound)):
        assert (np.abs(state[name][grown]) <= bound * (1 + 1e-6)).all(), name
    assert (state["given"][~state["shared"]] == 0).all()
    alive = state["occupied"] & (state["age"] >= 1)
    idle = state["order_task"] == world.params.tasks       # ordered to rest where that is no task
    assert ((state["task"] >= 0) | idle)[alive].all() and (state["task"][alive & idle] == -1).all()
    alive &= ~idle
    for name in ("task", "share"):
        order, done = state[f"order_{name}"][alive], state["task" if name == "task" else "shared"][alive]
        assert (done[order >= 0] == order[order >= 0]).all(), f"an order to {name} was not obeyed"


def picture(world):
    """Return all that an edit could change, comparable by ``==``."""
    header, arrays = world._pack()
    arrays |= {f"scratch.{name}": world._scratch[name] for name in ("neighbours", "mutual") if name in world._scratch}
    kernel = {name: getattr(world._kernel, name) for name in ("K", "M", "F", "G", "horizon", "memory", "threads")}
    shared = {name: bool(world.state.planes[name].shape[1] == og.topology.LANES) for name in SHARED}
    return {
        "header": header,
        "params": world.params,
        "topology": id(world.topology),
        "kernel": kernel,
        "shared": shared if world.n_sites > 1 else None,
        "jobs": len(world._agenda.jobs),
        **{name: (a.shape, a.dtype.str, a.tobytes()) for name, a in arrays.items()},
    }


def difference(before, after):
    """Name what differs between two pictures, or None."""
    return next((key for key in {**before, **after} if before.get(key) != after.get(key)), None)


def goes_on_alike(a, b, ticks):
    """Step two worlds and name what then differs, or None."""
    a.step(ticks), b.step(ticks)
    one, two = a._pack()[1], b._pack()[1]
    return next((name for name in {**one, **two} if not np.array_equal(one.get(name), two.get(name))), None)


# -- the run -------------------------------------------------------------------------------


def refuse(world, call, what):
    """Make a call that must be refused in one sentence, and must change nothing."""
    before = picture(world)
    try:
        call()
    except REFUSED as error:
        text = str(error)
    else:
        pytest.fail(f"{what} was accepted")
    assert len(text) > 10 and "\n" not in text, f"{what} was refused with {text!r}"
    assert difference(before, picture(world)) is None, f"{what}, refused with {text!r}, changed the world"


def copied(chance, world, folder):
    """Go on with a copy, and hold it to going on alike at another number of threads."""
    path = folder / "w.npz"
    world.save(path)
    other = chance.one((
        world.fork,
        lambda: og.World.load(path),
        lambda: copy.deepcopy(world),
        lambda: pickle.loads(pickle.dumps(world)),
    ))()
    apart = {"topology": 0, "jobs": 0}
    assert difference(picture(world) | apart, picture(other) | apart) is None
    other.threads = int(chance.integers(1, 5))
    quiet = world.fork()  # without the jobs, which a copy leaves behind
    assert goes_on_alike(quiet, other, int(chance.integers(1, 6))) is None
    return other


@pytest.mark.parametrize("seed", range(FIRST, FIRST + CASES))
def test_nothing_breaks(seed, tmp_path):
    chance, known = Chance(seed), {}
    far = chance.maybe(0.2)  # numbers of any size, which may be refused
    try:
        world = draw_world(chance, far)
    except REFUSED:
        if not far:
            raise
        return
    check(world, known)
    for _ in range(12):
        if chance.maybe(0.3):
            call = chance.one(BAD)(chance, world)
            if call is not None:
                refuse(world, call, f"the call of line {call.__code__.co_firstlineno}")
        elif chance.maybe(0.1):
            world = copied(chance, world, tmp_path)
        else:
            edit, before = chance.one(EDITS), picture(world) if far else None
            try:
                edit(chance, world, far)
            except REFUSED:
                if not far:
                    raise
                if edit is not edit_add and edit is not edit_later:  # these are several edits
                    assert difference(before, picture(world)) is None, edit.__name__
        if world.n_members < 2 and chance.maybe(0.8):
            world.update(**{"demography.hazard": 0.02})
            edit_add(chance, world, False)
        check(world, known)
        for _ in range(int(chance.integers(0, 3))):
            ticks = int(chance.one((1, 1, 2, 5, 17)))
            world.step(ticks)
            check(world, known)
            check_ticked(world)
