"""Stub of the compiled kernel; see _core.pyx."""

import enum
from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

lanes: int
width: int
openmp: bool
checked: bool

class Stream(enum.IntFlag):
    ACT = 0
    DEATH = 1
    REFILL = 2
    BIRTH = 3
    START_POLICY = 4
    START_STOCK = 5
    MUTATION = 6
    FOUNDER = 7
    COMMAND = 8
    TRY = 9
    CANDIDATE = 256

class CareKind(enum.IntFlag):
    SELF = 0
    NEIGHBOURS = 1
    KIN = 2
    INTERDEPENDENCE = 3
    WHOLE = 4

class Account(enum.IntFlag):
    PRODUCED = 0
    BURNED = 1
    SPOILED = 2
    LOST = 3

class Law(enum.IntFlag):
    KIND = 0
    ERROR = 1
    MALICE = 2
    MARGIN = 3
    TRIAL = 4
    SPELL = 5
    PERIOD = 6
    DELAY = 7
    GAIN = 8
    GOOD = 9
    OBJECTIVE = 10
    MUTUAL_CARE = 11
    RULED_TASK = 12
    RULED_SHARE = 13
    STATED = 16

class Kind(enum.IntFlag):
    ORGANIC = 0
    FROZEN = 1
    SPECIFIED = 2
    RULE = 3
    CORRIGIBLE = 4
    ENDORSED = 5

def level() -> int: ...
def after_fork() -> None: ...
def philox_block(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]: ...
def uniforms(
    seed: int, key: NDArray[np.uint64], tick: int, stream: int
) -> list[tuple[float, float, float, float]]: ...

@final
class Kernel:
    sites: int
    K: int
    M: int
    F: int
    G: int
    tick: int
    n_alive: int
    next_uid: int
    seed: int
    perception: int
    cue: int
    rest: int
    horizon: int
    care_kind: int
    leontief: int
    inherit_policy: int
    global_parents: int
    directed: int
    depletion_law: int
    demography: int
    threads: int
    timed: int
    governed: int
    stated: int
    endorsing: int
    news: int
    watched: int
    yield_: float
    skill_gain: float
    skill_up: float
    skill_down: float
    work_cost: float
    depletion: float
    regrowth: float
    task_memory: float
    complementarity: float
    share_cost: float
    bond_rate: float
    bond_floor: float
    memory: float
    trace_decay: float
    baseline_rate: float
    exploration: float
    share_exploration: float
    task_bound: float
    share_bound: float
    saturation: float
    loss: float
    hazard: float
    frailty: float
    vitality_rate: float
    refill: float
    selection: float
    mutation_sd: float
    start_skill: float
    start_welfare: float
    start_vitality: float
    start_stock: float
    start_spread: float
    policy_sd: float
    mutates: int
    out_ptr: NDArray[np.int64] | None
    in_ptr: NDArray[np.int64] | None
    by_id: NDArray[np.int64] | None
    site_id: NDArray[np.int64] | None
    out_index: NDArray[np.int32] | None
    in_index: NDArray[np.int32] | None
    in_to_out: NDArray[np.int32] | None
    mate: NDArray[np.int32] | None
    slot_weight: NDArray[np.float32] | None
    occupied: NDArray[np.int8] | None
    shared: NDArray[np.int8] | None
    order_share: NDArray[np.int8] | None
    doomed: NDArray[np.int8] | None
    task: NDArray[np.int16] | None
    order_task: NDArray[np.int16] | None
    age: NDArray[np.int32] | None
    births: NDArray[np.int32] | None
    key: NDArray[np.uint32] | None
    uid: NDArray[np.int64] | None
    parent_uid: NDArray[np.int64] | None
    founder: NDArray[np.int64] | None
    stock: NDArray[np.float64] | None
    ground: NDArray[np.float64] | None
    offer: NDArray[np.float64] | None
    spoilage: NDArray[np.float64] | None
    account: NDArray[np.float64] | None
    shortfall: NDArray[np.float32] | None
    deficit: NDArray[np.float32] | None
    skill: NDArray[np.float32] | None
    supply: NDArray[np.float32] | None
    richness: NDArray[np.float32] | None
    need: NDArray[np.float32] | None
    reserve: NDArray[np.float32] | None
    capability: NDArray[np.float32] | None
    care: NDArray[np.float32] | None
    learning_rate: NDArray[np.float32] | None
    task_counts: NDArray[np.float32] | None
    policy: NDArray[np.float32] | None
    eligibility: NDArray[np.float32] | None
    share_policy: NDArray[np.float32] | None
    share_eligibility: NDArray[np.float32] | None
    share_feature: NDArray[np.float32] | None
    welfare: NDArray[np.float32] | None
    appraisal: NDArray[np.float32] | None
    baseline: NDArray[np.float32] | None
    vitality: NDArray[np.float32] | None
    consumption: NDArray[np.float32] | None
    given: NDArray[np.float32] | None
    others: NDArray[np.float32] | None
    harm: NDArray[np.float32] | None
    neighbours: NDArray[np.float32] | None
    mutual: NDArray[np.float32] | None
    regime: NDArray[np.int16] | None
    obeys: NDArray[np.int8] | None
    off: NDArray[np.int8] | None
    block: NDArray[np.int32] | None
    block_operator: NDArray[np.int32] | None
    block_row: NDArray[np.int32] | None
    block_count: NDArray[np.int32] | None
    rank: NDArray[np.float32] | None
    obeyed: NDArray[np.float32] | None
    unbidden: NDArray[np.float32] | None
    objective: NDArray[np.float32] | None
    made: NDArray[np.float32] | None
    burned: NDArray[np.float32] | None
    laws: NDArray[np.float64] | None
    quota: NDArray[np.float64] | None
    seen: NDArray[np.float64] | None
    reading: NDArray[np.float64] | None
    bond: NDArray[np.float32] | None
    trace: NDArray[np.float32] | None
    ledger_total: NDArray[np.float64] | None
    n_born: int
    n_died: int
    spent: list[float]
    @property
    def closed_count(self) -> int: ...
    def bind(self) -> None: ...
    def run(self, n: int, patience: float = ...) -> int: ...
    def found(self, i: int, with_stock: bool, unlike: bool = ...) -> None: ...
    def found_all(self, with_stock: bool) -> None: ...
    def leave(self, i: int) -> None: ...
    def closed(self, uids: NDArray[np.int64], amounts: NDArray[np.float64], start: int = ...) -> None: ...
    def reopen(self, uids: NDArray[np.int64], amounts: NDArray[np.float64]) -> None: ...
