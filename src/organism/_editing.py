"""Changing a running world's columns and parameters."""

from __future__ import annotations

import numpy as np

from ._binding import attach
from ._checks import closest, site_indices
from ._slices import aligned
from .params import Params
from .state import COLUMNS, SHARED, TRAIT_PARAMETERS

__all__ = ["checked_update", "checked_values", "feature_names", "trade", "update", "write"]


def write(world, name, values, sites):
    """Write a column; see :meth:`organism.World.set`."""
    index, fresh = checked_values(world, name, values, sites)
    column, state = COLUMNS[name], world.state
    if name in SHARED and sites is None and np.size(values) in (1, state.rows(name)) \
            and np.ndim(values) <= len(state.trailing(name)) and name not in world._params.demography.mutates:
        state.share(name, fresh[0])
        attach(world)
        return
    if column.owner == "member":
        alive = world.state["occupied"][index]
        if sites is not None and not alive.all():
            raise ValueError(f"site {index[~alive][0]} is empty; {name} belongs to members")
        index, fresh = index[alive], fresh[alive]
    known = state.planes.get(name)
    state.tell_apart(name)
    view = state.view(name)
    if name == "stock":
        change = fresh - view[index]
        _book(world, change)
    view[index] = fresh
    if state.planes[name] is not known:
        attach(world)
    if name == "need":
        world._kernel.news = True


def _book(world, change):
    """Book stocks that change as added or removed, unless the world is still being made."""
    if hasattr(world, "_added"):
        world._added += np.maximum(change, 0).sum(axis=0)
        world._removed += np.maximum(-change, 0).sum(axis=0)


def trade(world, site: int, resource: int, amount: float) -> float:
    """Give one member goods, or take some where the amount is negative, and book them; a short way for guests.

    Returns
    -------
    float
        What came to the member: the amount, or minus all it has, or 0 if nobody lives there.
    """
    if not world.state.planes["occupied"][0, site]:
        return 0.0
    stock = world.state.planes["stock"][resource]
    before = float(stock[site])
    moved = max(amount, -before)
    if not before + moved <= 1e30:                         # as in checked_values
        raise ValueError(f"amount must leave a stock of at most 1e+30, not {before + moved:g}")
    stock[site] = before + moved
    (world._added if moved > 0 else world._removed)[resource] += abs(moved)
    return moved


def checked_values(world, name, values, sites):
    """Return site indices and values broadcast to them, or refuse in one sentence."""
    if name not in COLUMNS:
        raise KeyError(f"no column is called {name!r}" + closest(name, COLUMNS))
    column = COLUMNS[name]
    if not column.writable:
        raise ValueError(f"{name} cannot be set; it is the model's own")
    if name == "share_feature" and not world._params.learning.share_features:
        raise ValueError("share_feature can be set only where learning.share_features names some")
    index = np.arange(world.n_sites) if sites is None else site_indices(world.n_sites, sites)
    shape = (len(index), *world.state.trailing(name))
    try:
        fresh = np.asarray(values, float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be numbers, not {values!r:.60}") from None
    if name == "supply" and fresh.shape == world.topology.shape and len(fresh.shape) == 2 and sites is None \
            and fresh.size == world.n_sites:
        fresh = fresh.reshape(-1, 1)           # a landscape: the same for every resource
    elif fresh.shape == (len(index),) and len(shape) > 1:
        if fresh.size == shape[-1] > 1:
            raise ValueError(f"{name} of shape {fresh.shape} could be one value a site, then give shape "
                             f"({fresh.size}, 1), or one row for all sites, then give (1, {fresh.size})")
        fresh = fresh.reshape(-1, *(1,) * (len(shape) - 1))
    try:
        fresh = np.broadcast_to(fresh, shape)
    except ValueError:
        raise ValueError(f"{name} takes one value or an array of shape {shape}, not {fresh.shape}") from None
    large = 1e30 if column.dtype == "f8" else 1e15         # products with it stay within float32
    low = -large if column.low is None else column.low
    high = large if column.high is None else column.high
    if name == "order_task":
        high = world._params.resources          # rest, which can be ordered even where nobody can choose it
    bad = ~((fresh >= low) & (fresh <= high))              # NaN too
    if column.dtype[0] == "i":
        bad |= fresh != np.rint(fresh)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name} at site {index[where[0]]} must be in [{low:g}, {high:g}], "
                         f"not {fresh[where]:g}")
    return index, fresh.astype(column.dtype)


def update(world, changes):
    """Change parameters from the next tick on; see :meth:`organism.World.update`."""
    old, new = world._params, checked_update(world, changes)
    planes, sizes = dict(world.state.planes), dict(world.state.sizes)
    try:
        world._params = new
        if new.features != old.features or new.share_features != old.share_features:
            _refit(world, old, new)
        for column, name in TRAIT_PARAMETERS.items():
            if new[name] != old[name] or name in changes:
                world.state.share(column, new[name])
        attach(world)
    except BaseException:                              # out of memory: back to what was
        world._params, world.state.planes, world.state.sizes = old, planes, sizes
        attach(world)
        raise


def checked_update(world, changes):
    """Return the parameters with changes, or refuse."""
    new = world._params.replace(**changes)
    for name in ("resources", "production.rest"):
        if new[name] != world._params[name]:
            raise ValueError(f"{name} cannot change in a running world (now {world._params[name]!r}, "
                             f"asked for {new[name]!r})")
    return new


def _refit(world, old: Params, new: Params):
    """Carry policy weights over to another set of features, by feature name."""
    before, after = feature_names(old), feature_names(new)
    for name in ("policy", "eligibility"):
        values = world.state[name]
        fresh = np.zeros((world.n_sites, new.tasks, len(after)), "f4")
        for f, feature in enumerate(after):
            if feature in before:
                fresh[:, :, f] = values[:, :, before.index(feature)]
        _replace(world, name, fresh, new)
    before, after = ("1", *old.learning.share_features), ("1", *new.learning.share_features)
    for name, shift in (("share_policy", 0), ("share_eligibility", 0), ("share_feature", 1)):
        values = world.state[name] if name in world.state.planes else None
        fresh = np.zeros((world.n_sites, len(after) - shift), "f4")
        for g, feature in enumerate(after[shift:]):
            if feature in before and values is not None:
                fresh[:, g] = values[:, before.index(feature) - shift]
        _replace(world, name, fresh, new)
    world.state.sizes.update({"F": new.features, "G": new.share_features, "G-1": new.share_features - 1})


def _replace(world, name, values, params):
    """Put another plane in the place of a column's."""
    rows = world.state.to_plane(name, values)
    if rows.shape[0]:
        world.state.planes[name] = aligned((rows.shape[0], world.state.row), "f4")
        world.state.planes[name][:, :world.n_sites] = rows
    else:
        world.state.planes.pop(name, None)


def feature_names(params: Params) -> tuple[str, ...]:
    """Return the names of the task policy's features, in their order."""
    names = ["1"]
    for wanted, kind in ((params.learning.perception >= 1, "own shortfall"),
                         (params.learning.perception == 2, "neighbours' shortfall"),
                         (params.learning.cue, "own supply")):
        if wanted:
            names += [f"{kind} {k}" for k in range(params.resources)]
    return tuple(names)
