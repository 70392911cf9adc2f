"""Worlds as plain arrays: forked, pickled, saved and loaded."""

from __future__ import annotations

import numpy as np

from . import storage
from ._binding import attach, count_neighbours, new_ties, start
from ._checks import seed, whole
from ._version import __version__
from .params import Params
from .regimes import Endorsed, Government, Specified
from .state import COLUMNS, SHARED, State
from .topology import Topology

__all__ = ["load", "pack", "save", "unpack"]

#: What the kernel counts.
_COUNTERS = ("tick", "n_alive", "next_uid", "n_born", "n_died")


def save(world, path):
    """Write the world to a file; see :meth:`organism.World.save`."""
    header, arrays = world._pack()
    record = {"params": world._params.to_dict(), "organism": __version__, "numpy": np.__version__}
    topology = {f"topology.{name}": a for name, a in world.topology.to_arrays().items()}
    storage.write(path, {**header, **record}, {**arrays, **topology})


def load(cls, path):
    """Read a saved world; see :meth:`organism.World.load`."""
    header, arrays = storage.read(path)
    try:
        params = Params.from_dict(header["params"])
        topology = Topology.from_arrays({name.removeprefix("topology."): a for name, a in arrays.items()
                                         if name.startswith("topology.")})
        return cls._unpack(topology, params, header, arrays)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None


def pack(world):
    """Return header and arrays, unpadded, that :func:`unpack` understands."""
    n = world.n_sites
    regimes, told = world._government.pack()
    header = {"seed": world.seed, "ledger": world.ledger, "threads": world._threads, "regimes": regimes,
              "history": world.history, **{name: getattr(world._kernel, name) for name in _COUNTERS}}
    arrays = {f"state.{name}": plane[:, :n] if plane.shape[1] == world.state.row else plane[:, :1]
              for name, plane in world.state.planes.items()}
    arrays |= {f"tie.{name}": world.tie(name) for name in world._ties}
    uids, amounts = world.closed_accounts()
    account = world._scratch["account"]
    books = {"account": account, "initial": world._initial, "added": world._added,
             "removed": world._removed, "closed_uids": uids, "closed_amounts": amounts}
    arrays |= {f"regime.{name}": a for name, a in told.items()}
    return header, arrays | {f"book.{name}": a for name, a in books.items()}


def unpack(cls, topology, params, header, arrays):
    """Return the world that :func:`pack` took apart, or raise if something does not fit."""
    world = cls.__new__(cls)
    world.topology, world._params, world.seed = topology, params, seed(header["seed"])
    world.state = State(topology.n_sites, len(topology.out_ptr) - 1, params)
    start(world, whole("threads", header["threads"], 1), bool(header["ledger"]))
    world.history = [tuple(entry) for entry in header["history"]]
    state, n = world.state, topology.n_sites
    missing = {f"state.{name}" for name in state.planes} - arrays.keys()
    if missing:
        raise ValueError(f"column {min(missing)[6:]} is missing")
    for key in [key for key in arrays if key.startswith("state.")]:
        name, rows = key.removeprefix("state."), arrays[key]
        column = COLUMNS[name]
        shared = name in SHARED and rows.shape[1] == 1 and n > 1
        if rows.dtype != np.dtype(column.dtype) or rows.shape != (state.rows(name), 1 if shared else n):
            raise ValueError(f"column {name} has shape {rows.shape} and type {rows.dtype}")
        high = {"task": params.tasks - 1, "order_task": params.resources}.get(name, column.high)
        if not (np.isfinite(rows).all() and (column.low is None or (rows >= column.low).all())
                and (high is None or (rows <= high).all())):
            raise ValueError(f"column {name} holds values out of its range")
        if shared:
            state.share(name, rows[:, 0])
        else:
            state.allocate(name)[:, :n] = rows
    _unpack_regimes(world, header, arrays)
    for name, like in new_ties(world, topology).items():
        rows = arrays[f"tie.{name}"]
        slots = topology.out_slot if name == "bond" else topology.in_slot
        if rows.T.shape != like[..., slots].shape or not (np.isfinite(rows) & (rows >= 0)).all():
            raise ValueError(f"tie column {name} does not fit the ties")
        like[..., slots] = rows.T
        world._ties[name] = like
    for name in ("account", "initial", "added", "removed"):
        rows = arrays[f"book.{name}"]
        shape = world._scratch["account"].shape if name == "account" else (params.resources,)
        if rows.shape != shape or not np.isfinite(rows).all():
            raise ValueError(f"the account of goods {name} has shape {rows.shape}, or holds NaN or inf")
        if name == "account":
            world._scratch["account"][:] = rows
        else:
            setattr(world, f"_{name}", np.array(rows, float))
    for name in _COUNTERS:
        setattr(world._kernel, name, int(header[name]))
    if not 0 <= world.tick < 2**32:
        raise ValueError(f"the tick {world.tick} is not in [0, 2**32)")
    if not world.audit().closes:
        raise ValueError("its account of goods does not close")
    if world._kernel.n_alive != int(state["occupied"].sum()):
        raise ValueError("the number of members does not fit the occupied sites")
    count_neighbours(world)
    attach(world)
    uids, amounts = (np.ascontiguousarray(arrays[f"book.closed_{name}"]) for name in ("uids", "amounts"))
    if uids.shape != (len(amounts), 2) or amounts.shape[1:] != (params.resources,):
        raise ValueError("the closed accounts do not fit each other")
    world._kernel.reopen(uids, amounts)
    return world


def _unpack_regimes(world, header, arrays):
    """Take over who is under what; files of format 1 know no regimes."""
    if "regimes" not in header:
        return
    told = {name.removeprefix("regime."): a for name, a in arrays.items() if name.startswith("regime.")}
    own, state = Government.unpack(world._params.resources, header["regimes"], told), world.state
    if state["regime"].max() >= len(own.regimes) or state["block"].max() >= len(own.block_operator):
        raise ValueError("a member's regime or a site's block is not there")
    needed = ["regime", "order_task", "order_share"] if len(own.regimes) > 1 else []
    needed += ["objective"] * own.has(Specified) + ["obeys", "obeyed", "unbidden"] * own.has(Endorsed)
    needed += ["rank", "block"] * bool(len(own.block_operator))
    for name in needed:
        if name not in state.planes:
            raise ValueError(f"column {name} is missing")
    world._government = own
