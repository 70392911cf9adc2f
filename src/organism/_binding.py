"""What the kernel is handed of a world: arrays, ties, laws and the values of parameters."""

from __future__ import annotations

import threading

import numpy as np

from ._dispatch import core
from ._slices import LANES, aligned
from .agenda import Agenda
from .params import CARE_KINDS, TRAITS
from .regimes import Endorsed, Government, Specified
from .state import COLUMNS

__all__ = ["attach", "attach_regimes", "count_neighbours", "new_ties", "start", "tell"]

#: Planes that the kernel reads as one row.
_FLAT = {"occupied", "shared", "order_share", "task", "order_task", "age", "births", "uid",
         "parent_uid", "founder", "regime", "obeys", "block", "off"}


def start(world, threads, ledger):
    """Make what every world has beside its columns: kernel, ties, scratch, books."""
    topology, k = world.topology, world._params.resources
    slices, row = len(topology.out_ptr) - 1, world.state.row
    world._kernel, world._agenda, world.history = core.Kernel(), Agenda(), []
    world._lock, world._stepping = threading.RLock(), False
    world._government = Government(k)
    world.ledger, world.threads = ledger, threads
    world._ties = new_ties(world, topology)
    world._scratch = {"offer": aligned((k, row), "f8"), "deficit": aligned((k, row), "f4"),
                     "account": aligned((4 * k, slices), "f8"), "neighbours": aligned((1, row), "f4")}


def new_ties(world, topology):
    """Return fresh columns for the ties of a topology."""
    k = world._params.resources
    ties = {"bond": aligned((len(topology.out_index),), "f4", 1), "trace": aligned((len(topology.in_index),), "f4")}
    if world.ledger:
        ties["total"] = aligned((k, len(topology.in_index)), "f8")
    return ties


def attach(world):
    """Hand arrays and parameters to the kernel; after any of them was replaced."""
    kernel, p, state, topology, scratch = world._kernel, world._params, world.state, world.topology, world._scratch
    state.ensure(p)
    row = state.row
    if topology.directed and "mutual" not in scratch:
        scratch["mutual"] = np.zeros((1, row), "f4")
    if p.demography.enabled:
        scratch.setdefault("doomed", np.zeros(row, "i1"))
    if p.care.kind == "kin" or p.care.horizon > 1:
        scratch.setdefault("others", np.zeros((1, row), "f4"))
    # the shortfall is read before offers are written: they share memory
    scratch["shortfall"] = scratch["offer"].reshape(-1).view("f4")[:p.resources * row].reshape(-1, row)
    scratch["spoilage"] = np.repeat(np.resize(np.array(p.metabolism.spoilage, "f8"), p.resources)[:, None],
                                    LANES, axis=1)
    scratch["harm"] = np.zeros((p.resources, LANES), "f4")
    scratch["harm"][list(p.metabolism.harmful)] = 1
    for name in COLUMNS:
        plane = state.planes.get(name)
        setattr(kernel, name, plane if plane is None or name not in _FLAT else plane[0])
    if p.production.depletion == 0:        # then richness is not read, whatever it holds
        kernel.richness = np.ones((p.resources, LANES), "f4")
    for name, plane in scratch.items():
        setattr(kernel, name, plane)
    for name in ("out_ptr", "in_ptr", "out_index", "in_index", "in_to_out", "mate", "slot_weight"):
        setattr(kernel, name, getattr(topology, name))
    plain = np.array_equal(topology.site_id, np.arange(world.n_sites))
    kernel.site_id = None if plain else topology.site_id
    kernel.by_id = None if plain else np.argsort(topology.site_id)
    kernel.bond, kernel.trace = world._ties["bond"], world._ties["trace"]
    kernel.ledger_total = world._ties.get("total")
    attach_regimes(world)
    tell(world)


def attach_regimes(world):
    """Hand laws, blocks and what stated objectives read to the kernel."""
    kernel, own, row = world._kernel, world._government, world.state.row
    kernel.governed = len(own.regimes) > 1
    kernel.stated, kernel.endorsing = own.has(Specified), own.has(Endorsed)
    kernel.laws = own.laws() if kernel.governed else None
    # who is to be told hears of births and deaths too, where members' needs differ
    differ = world.state.planes["need"].shape[1] > LANES
    kernel.watched = differ and any(map(own.listens, range(len(own.regimes))))
    kernel.news = True
    blocks = len(own.block_operator)
    kernel.block_operator, kernel.quota, kernel.seen, kernel.reading = (
        own.block_operator, own.quota, own.seen, own.reading) if blocks else [None] * 4
    kernel.block_row, kernel.block_count = np.zeros((2, blocks), np.int32) if blocks else (None, None)
    k = world._params.resources
    for name, rows in (("made", 1), ("burned", k)):
        if kernel.stated:
            world._scratch.setdefault(name, aligned((rows, row), "f4"))
        else:
            world._scratch.pop(name, None)
        setattr(kernel, name, world._scratch.get(name))


def tell(world):
    """Hand the parameters' values to the kernel."""
    kernel, p = world._kernel, world._params
    kernel.sites, kernel.K, kernel.M = world.n_sites, p.resources, p.tasks
    kernel.F, kernel.G, kernel.seed = p.features, p.share_features, world.seed
    for group in ("production", "exchange", "learning", "demography"):
        for name, value in vars(getattr(p, group)).items():
            name = {"base_yield": "yield_"}.get(name, name)
            if isinstance(value, (int, float)) and hasattr(kernel, name):
                setattr(kernel, name, value)
    kernel.depletion_law = p.production.regrowth_law == "logistic"
    leontief = p.metabolism.complementarity == "leontief"
    kernel.leontief, kernel.complementarity = leontief, 0 if leontief else p.metabolism.complementarity
    kernel.care_kind, kernel.horizon = CARE_KINDS.index(p.care.kind), p.care.horizon
    kernel.saturation = p.care.saturation
    kernel.directed = world.topology.directed
    kernel.threads = min(world._threads, len(world.topology.out_ptr) - 1)     # each works on whole slices
    kernel.demography, kernel.global_parents = p.demography.enabled, p.demography.dispersal == "global"
    kernel.mutates = sum(1 << TRAITS.index(name) for name in p.demography.mutates)
    kernel.policy_sd, kernel.start_stock = p.start.policy_sd, p.start.stock
    kernel.start_spread, kernel.start_skill = p.start.stock_spread, p.start.skill
    kernel.start_welfare, kernel.start_vitality = p.start.welfare, p.start.vitality
    kernel.bind()


def count_neighbours(world):
    """Count each member's occupied out-neighbours, and those among them that can give back."""
    t, here = world.topology, world.state["occupied"]
    world._scratch["neighbours"][:] = 0
    world._scratch.pop("mutual", None)
    alive = here[t.target]
    world._scratch["neighbours"][0, :world.n_sites] = np.bincount(t.source[alive], minlength=world.n_sites)
    if t.directed:
        both = alive & (t.mate[t.out_slot] != t.in_ptr[-1])
        world._scratch["mutual"] = np.zeros((1, world.state.row), "f4")
        world._scratch["mutual"][0, :world.n_sites] = np.bincount(t.source[both], minlength=world.n_sites)
