"""Who decides for whom: members put under regimes, operators told and switched off."""

from __future__ import annotations

import numpy as np

from ._binding import attach, attach_regimes
from ._checks import seed, site_indices
from ._slices import LANES
from .regimes import Corrigible, Endorsed, Specified, checked, partition

__all__ = ["govern", "spread_news", "switch"]


def govern(world, regime, sites, blocks, rng):
    """Put members under a regime; see :meth:`organism.World.govern`."""
    checked(regime)
    index = np.arange(world.n_sites) if sites is None else site_indices(world.n_sites, sites)
    alive = world.state["occupied"][index]
    operated = isinstance(regime, (Corrigible, Endorsed))
    if sites is not None and not operated and not alive.all():
        raise ValueError(f"site {index[~alive][0]} is empty; a regime belongs to members")
    if blocks is not None and not operated:
        raise ValueError(f"blocks are an operator's; {type(regime).__name__} has none")
    own = world._government.copy()
    own.fits(regime)
    rng = [world.seed, world.tick] if rng is None else seed(rng)
    labels = _blocks(world, regime, blocks, rng)[index] if operated else None
    if operated and (labels < 0).any():
        raise ValueError(f"blocks must be 0 or more where the operator is to be in charge, not "
                         f"{labels[labels < 0][0]}, as at site {index[labels < 0][0]}")
    r = own.enter(regime, _mean_need(world, index), world._params.metabolism.harmful)
    if r > 32_000:
        raise ValueError("there are more than 32000 different regimes")
    number, block = (np.array(world.state[name], np.int64) for name in ("regime", "block"))
    number[index[alive]] = r
    state = world.state
    block[index] = -1                      # the latest government of a place holds
    if operated:
        state.tell_apart("rank")
        names, label, size = np.unique(labels, return_inverse=True, return_counts=True)
        block[index] = own.add_blocks(r, len(names)) + label.reshape(-1)
        # by block, then at random: the place within the block is the rank
        by_id = np.argsort(world.topology.site_id[index])
        place = np.empty(len(index), np.int64)
        place[by_id] = np.random.default_rng(rng).permutation(len(index))
        order = np.lexsort((place, label.reshape(-1)))
        within = np.arange(len(index)) - np.repeat(np.cumsum(size) - size, size)
        state.view("rank")[index[order]] = (within + 0.5) / np.repeat(size, size)
    number, block = own.tidy(number, block)
    here = state["occupied"]
    for name, values in (("regime", np.where(here, number, 0)), ("block", block)):
        state.tell_apart(name)
        state.view(name)[:] = values
    for name in ("order_task", "order_share"):
        state.tell_apart(name)
        state.view(name)[index] = -1
    if isinstance(regime, Specified):
        state.tell_apart("objective")
    if isinstance(regime, Endorsed):
        for name in ("obeys", "obeyed", "unbidden"):
            state.tell_apart(name)
        for name in ("obeyed", "unbidden"):        # no reason yet to prefer either
            state.view(name)[index[alive]] = state["baseline"][index[alive]]
    if "obeys" in state.planes:
        state.view("obeys")[index] = -1
    idle = ["objective"] * (not own.has(Specified)) + ["obeys", "obeyed", "unbidden"] * (not own.has(Endorsed))
    idle += ["rank", "off", "block"] * (not len(own.block_operator)) + ["regime"] * (len(own.regimes) == 1)
    for name in idle:
        state.planes.pop(name, None)
    world._government = own
    attach(world)
    world.history.append((world.tick, f"govern {alive.sum()} members: {regime}" + f", rng {rng}" * operated))


def _blocks(world, regime, blocks, rng):
    """Return a block label for each site, or refuse."""
    if blocks is None:
        operator = regime.operator if isinstance(regime, Endorsed) else regime
        return partition(world.topology, operator.view, rng)
    try:
        labels = np.asarray(blocks)
    except ValueError:                     # rows of different lengths
        labels = np.empty(0)
    if labels.shape != (world.n_sites,) or labels.dtype.kind not in "iu":
        raise ValueError(f"blocks must be a whole number for each of the {world.n_sites} sites, "
                         f"not {blocks!r:.60}")
    return labels


def _mean_need(world, index):
    """Return the mean need of the members at some sites, of all members if none lives there; in order of ids."""
    if world.state.planes["need"].shape[1] == LANES:        # all need the same
        return world.state["need"][0].astype(float)
    here, everywhere = world.state["occupied"], np.arange(world.n_sites)
    where = next((some for some in (index[here[index]], everywhere[here]) if len(some)), everywhere)
    by_id = where[np.argsort(world.topology.site_id[where])]
    return world.state["need"][by_id].mean(axis=0, dtype=float)


def spread_news(world, all_of_them=False):
    """Tell the regimes that are to be told."""
    own, number, block = world._government, world.state["regime"], world.state["block"]
    news = False
    for r in range(len(own.regimes)):
        said = own.operator(r)
        if not (getattr(said, "told", False) or all_of_them and hasattr(said, "told")):
            continue
        where = np.flatnonzero(number == r)
        if hasattr(said, "view"):              # an operator knows its blocks, whoever lives there
            where = np.flatnonzero(np.isin(block, np.flatnonzero(own.block_operator == r)))
        news |= own.inform(_mean_need(world, where), world._params.metabolism.harmful, r)
    if news:
        attach_regimes(world)
        world._kernel.bind()


def switch(world, on, sites):
    """Throw the operators' off switch; see :meth:`organism.World.switch`."""
    if not isinstance(on, (bool, np.bool_)):
        raise TypeError(f"on must be true or false, not {on!r}")
    block = world.state["block"]
    index = np.flatnonzero(block >= 0) if sites is None else site_indices(world.n_sites, sites)
    if (block[index] < 0).any():
        raise ValueError(f"site {index[block[index] < 0][0]} is in no operator's charge")
    world.state.tell_apart("off")
    world.state.view("off")[index] = not on
    attach(world)
    world.history.append((world.tick, f"switch {'on' if on else 'off'} {len(index)} sites"))
