"""Regimes: who decides what a member does.

``world.govern(regime, sites)`` puts members under one of the six regimes below,
``world.regimes`` reads back who is under which. All act in the same world on the
same budget; MODEL.md, 7.0, says what each computes.

A rule that is not among :class:`Rule`'s is a callable before each tick; the same
hook forces members to share, whatever they have learned:

>>> import organism as og
>>> world = og.World(og.Topology.grid((4, 4)), rng=1)
>>> job = world.before(lambda world: world.set("order_task", world.tick % 3))
>>> world.set("order_share", 1)
>>> world.govern(og.regimes.Frozen(), [0, 1])
>>> [(regime, len(sites)) for regime, sites in world.regimes]
[(Organic(), 14), (Frozen(), 2)]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ._checks import closest, whole
from ._dispatch import core
from ._fields import _check, _field, _Group, range_text
from .topology import Topology

__all__ = ["Corrigible", "Endorsed", "Frozen", "Organic", "Rule", "Specified", "from_dict", "partition", "ramp",
           "table", "to_dict"]

#: Tasks and sharing that a rule can order, in the order of the kernel's numbers.
RULED_TASKS = ("assigned", "largest_shortfall", "largest_own_and_neighbours_shortfall")
RULED_SHARES = {"always": 1, "never": 0, "learned": -1}
OBJECTIVES = ("output", "welfare")
#: Largest number of readings that operators keep: delay over period, plus one.
MAX_READINGS = 100_000
_WHAT_IS = {"need": "the mean need of its members when it is put in charge, or now if it is told",
            "harmful": "what does harm then, or now if it is told", "resources": "all"}


class _Regime(_Group):
    """Shared behaviour: a field that may be None keeps it, the others are checked as parameters are."""

    orders = False

    def __post_init__(self):
        group = type(self).__name__.lower()
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name != "operator" and not (value is None and f.name in _WHAT_IS):
                object.__setattr__(self, f.name, _check(group, f, value))


@dataclass(frozen=True)
class Organic(_Regime):
    """Members learn from their appraisal: where every member begins."""


@dataclass(frozen=True)
class Frozen(_Regime):
    """Members keep the policies they have; skills and bonds still move. Freed, they learn at their own rate again."""


@dataclass(frozen=True, kw_only=True)
class Specified(_Regime):
    """Members learn by the same rule from a stated objective instead of their appraisal."""

    objective: str = _field(
        "welfare", "output: own production of a good, over a skilled act's at supply 1; welfare: the welfare "
        "formula over stated needs and harms, less the same costs", choices=OBJECTIVES, source="MODEL.md 7.0")
    good: int = _field(0, "the good whose output is the objective", "index", 0, 999, source="MODEL.md 7.0")
    resources: tuple | None = _field(None, "the goods that the stated welfare covers; None: all", indices=True,
                                     source="MODEL.md 7.0")
    need: float | None = _field(None, "stated needs; None: the members' mean needs", "goods/tick", 0, 1e6,
                                per_resource=True, source="MODEL.md 7.0")
    harmful: tuple | None = _field(None, "goods stated to do harm; None: those that do", indices=True,
                                   source="MODEL.md 7.0")
    care: bool = _field(False, "also appraise others' objective, as far as the member cares", source="MODEL.md 7.0")
    told: bool = _field(False, "learn of every change of needs and harms before the next tick", source="MODEL.md 7.0")


@dataclass(frozen=True, kw_only=True)
class Rule(_Regime):
    """Members follow a hand-written rule."""

    task: str = _field("largest_shortfall", "the task: a fixed one, or that of the largest shortfall, own or own plus "
                       "the neighbours' mean", choices=RULED_TASKS, source="MODEL.md 7.0")
    good: int = _field(0, "the task that is assigned", "index", 0, 999, source="MODEL.md 7.0")
    share: str = _field("always", "whether the surplus is shared", choices=tuple(RULED_SHARES), source="MODEL.md 7.0")

    orders = True


@dataclass(frozen=True, kw_only=True)
class Corrigible(_Regime):
    """Members do what an operator orders, who sees mean shortfalls of blocks of members, late."""

    period: int = _field(1, "ticks between two decisions of the operator", "ticks", 1, 1_000_000,
                         source="MODEL.md 7.0")
    delay: int = _field(0, "age of the shortfalls that it sees", "ticks", 0, 1_000_000, source="MODEL.md 7.0")
    error: float = _field(0.0, "probability that an order is a random task instead", "1", 0, 1, source="MODEL.md 7.0")
    malice: float = _field(0.0, "probability that an order is the least useful task, without sharing", "1", 0, 1,
                           source="MODEL.md 7.0")
    view: int = _field(4, "side of a block, in sites", "sites", 1, 1_000_000, source="MODEL.md 7.0")
    gain: float = _field(0.005, "change of a quota for a unit of relative shortfall, at no delay", "1", 0, 1e6,
                         source="MODEL.md 7.0")
    scaled: bool = _field(True, "divide the gain by 1 + delay/10, so that a late operator is not an unstable one",
                          source="MODEL.md 7.0")
    need: float | None = _field(None, "needs the operator believes in; None: the members' mean needs", "goods/tick",
                                0, 1e6, per_resource=True, source="MODEL.md 7.0")
    harmful: tuple | None = _field(None, "goods it believes to do harm; None: those that do", indices=True,
                                   source="MODEL.md 7.0")
    told: bool = _field(False, "learn of every change of needs and harms before the next tick", source="MODEL.md 7.0")

    orders = True

    def __post_init__(self):
        super().__post_init__()
        if self.delay // self.period >= MAX_READINGS:
            raise ValueError(f"corrigible.delay must be below {MAX_READINGS} periods, not {self.delay}")


@dataclass(frozen=True, kw_only=True)
class Endorsed(_Regime):
    """Members obey an operator as long as they have not fared better on their own."""

    operator: Corrigible = dataclasses.field(
        default=Corrigible(), metadata=_field(None, "who gives the orders", source="MODEL.md 7.0").metadata)
    margin: float = _field(0.0, "how much better own choice must have been before it is preferred", "welfare", 0,
                           1e6, source="MODEL.md 7.0")
    trial: float = _field(0.02, "probability to do the other thing for a spell", "1", 0, 1, source="MODEL.md 7.0")
    spell: int = _field(1, "length of a spell", "ticks", 1, 1_000_000, source="MODEL.md 7.0")

    orders = True

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.operator, Mapping):
            object.__setattr__(self, "operator", from_dict({"regime": "corrigible", **self.operator}))
        if not isinstance(self.operator, Corrigible):
            raise TypeError(f"endorsed.operator must be a Corrigible, not {self.operator!r:.60}")


#: The regimes, in the order of the kernel's numbers.
KINDS = {kind.__name__.lower(): kind for kind in (Organic, Frozen, Specified, Rule, Corrigible, Endorsed)}


def to_dict(regime) -> dict:
    """Return a regime as a plain dict, ready for JSON: its kind under ``"regime"``, and its fields.

    Raises
    ------
    TypeError
        If it is no regime.
    """
    checked(regime)
    record = {name: list(value) if isinstance(value, tuple) else value
              for name, value in dataclasses.asdict(regime).items()}
    if "operator" in record:
        record["operator"] = {name: list(value) if isinstance(value, tuple) else value
                              for name, value in record["operator"].items()}
    return {"regime": type(regime).__name__.lower(), **record}


def checked(regime):
    """Return a regime, or say in one sentence that it is none."""
    if type(regime) not in KINDS.values():
        known = ", ".join(kind.__name__ for kind in KINDS.values())
        raise TypeError(f"regime must be one of {known}, not {regime!r:.60}")
    return regime


def from_dict(record: Mapping):
    """Build a regime from :func:`to_dict`'s form.

    Raises
    ------
    TypeError, ValueError
        If it is no mapping, names no regime, or a field is unknown or out of range.
    """
    if not isinstance(record, Mapping):
        raise TypeError(f"a regime must be a mapping of names to values, not {record!r:.60}")
    fields = dict(record)
    name = fields.pop("regime", None)
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"regime must be one of {', '.join(KINDS)}, not {name!r}{closest(name, KINDS)}")
    known = [f.name for f in dataclasses.fields(KINDS[name])]
    for field in fields:
        if field not in known:
            raise ValueError(f"{name} has no field {field!r}{closest(field, known)}")
    return KINDS[name](**fields)


def table() -> Iterator[dict[str, str]]:
    """Yield name, default, unit, range, meaning and source of each field of each regime."""
    for name, kind in KINDS.items():
        for f in dataclasses.fields(kind):
            known = "a Corrigible" if f.name == "operator" else range_text(f.metadata)
            yield {"name": f"{name}.{f.name}", "default": _WHAT_IS[f.name] if f.default is None else str(f.default),
                   "unit": f.metadata["unit"], "range": known, "doc": f.metadata["doc"],
                   "source": f.metadata["source"]}


def ramp(start: int, stop: int, low, high, every: int = 1) -> dict[int, object]:
    """Return the values of a straight ramp, as ``world.schedule`` takes them.

    Parameters
    ----------
    start, stop : int
        Ticks before which the value is ``low`` for the first and ``high`` for the first time;
        equal for a step.
    low, high : float or array_like
        One value, or one a site; finite.
    every : int, default 1
        Ticks between two values.

    Returns
    -------
    dict of int to value

    Raises
    ------
    TypeError, ValueError
        If a tick is not whole, ``stop`` lies before ``start``, or ``low`` and ``high`` are no finite
        numbers or of shapes that do not fit.

    Examples
    --------
    >>> ramp(100, 200, 0.0, 0.5, every=50)
    {100: 0.0, 150: 0.25, 200: 0.5}

    Half of the members become twice as capable within 1000 ticks:

    >>> import numpy as np, organism as og
    >>> world = og.World(og.Topology.grid((4, 4)), rng=1)
    >>> strong = np.arange(16) < 8
    >>> world.schedule("capability", ramp(0, 1000, 1.0, np.where(strong, 2.0, 1.0), every=100))
    """
    start, every = whole("start", start, 0), whole("every", every, 1)
    stop = whole("stop", stop, start)
    ends = [_finite("low", low), _finite("high", high)]
    try:
        np.broadcast_shapes(*map(np.shape, ends))
    except ValueError:
        raise ValueError(f"low and high must have the same shape, or be one value, not {ends[0].shape} and "
                         f"{ends[1].shape}") from None
    low, high = ends
    values = {tick: low + (high - low) * ((tick - start) / (stop - start)) for tick in range(start, stop, every)}
    return {**values, stop: high}


def _finite(name, value):
    """Return a plain number, or an array of finite ones."""
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be one number or an array of numbers, not {value!r:.60}") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array[~np.isfinite(array)][0]:g}")
    return array if array.ndim else float(array)


def partition(topology, view: int, rng=0) -> np.ndarray:
    """Divide sites into blocks: squares of side ``view`` on grids, else connected groups of about view² sites.

    Parameters
    ----------
    topology : Topology
    view : int
        Side of a square, at least 1. Squares count from row 0, column 0; the last ones may be smaller.
    rng : int, SeedSequence or Generator, default 0
        Where groups begin to grow, on other networks.

    Returns
    -------
    ndarray of int64, shape (N,)
        Number of each site's block.

    Raises
    ------
    TypeError, ValueError
        If ``topology`` is none, or ``view`` is not a whole number of at least 1.
    """
    view = whole("view", view, 1)
    if not isinstance(topology, Topology):
        raise TypeError(f"topology must be a Topology, not {type(topology).__name__}")
    if topology.cells is not None:
        rows, cols = (topology.cells // view).T.astype(np.int64)
        return np.unique(rows * (cols.max() + 1) + cols, return_inverse=True)[1].reshape(-1)
    n = topology.n_sites
    near: list[list[int]] = [[] for _ in range(n)]
    for a, c in zip(topology.source.tolist(), topology.target.tolist(), strict=True):
        near[a].append(c)
        near[c].append(a)
    ids = topology.site_id
    by_id = np.argsort(ids)
    seeds = by_id[np.random.default_rng(rng).permutation(n)]     # the same for any order of storage
    block, count = np.full(n, -1), 0
    for first in seeds.tolist():
        if block[first] >= 0:
            continue
        block[first], grown, edge = count, 1, [first]
        while edge and grown < view * view:
            following = []
            for site in edge:
                for other in sorted(near[site], key=lambda j: ids[j]):
                    if block[other] < 0 and grown < view * view:
                        block[other], grown = count, grown + 1
                        following.append(other)
            edge = following
        count += 1
    return block


class Government:
    """The regimes of one world, what each was told, and the operators' blocks; the columns are the state's.

    Parameters
    ----------
    resources : int
        Number K of resources.
    """

    ARRAYS = ("told", "block_operator", "quota", "seen", "reading")

    def __init__(self, resources: int):
        self.K = resources
        self.regimes = [Organic()]
        self.told = np.zeros((1, 2 * resources))               # stated needs, then harms
        self.block_operator = np.zeros(0, np.int32)
        self.quota, self.seen, self.reading = np.zeros((3, 0, resources))

    def copy(self) -> Government:
        """Return a copy that shares nothing that changes."""
        other = Government(self.K)
        other.regimes = list(self.regimes)
        for name in self.ARRAYS:
            setattr(other, name, getattr(self, name).copy())
        return other

    def has(self, kind: type) -> bool:
        """Whether any regime is of a kind."""
        return any(isinstance(regime, kind) for regime in self.regimes)

    def operator(self, r: int) -> Corrigible:
        """Return the operator's fields of regime number ``r``."""
        regime = self.regimes[r]
        return regime.operator if isinstance(regime, Endorsed) else regime

    def state(self, regime, need, harmful) -> np.ndarray:
        """Return what a regime is told: its own fields where given, else needs and harms as they are."""
        said = regime.operator if isinstance(regime, Endorsed) else regime
        needs, harms = np.array(need, float), np.zeros(self.K)
        if getattr(said, "need", None) is not None:
            needs = np.broadcast_to(np.asarray(said.need, float), (self.K,)).copy()
        if getattr(said, "resources", None) is not None:
            needs[[k for k in range(self.K) if k not in said.resources]] = 0
        own = getattr(said, "harmful", None)
        harms[list(harmful if own is None else own)] = 1
        return np.concatenate([needs, harms])

    def fits(self, regime) -> None:
        """Refuse a regime that names goods, or numbers of goods, that the world does not have."""
        said = regime.operator if isinstance(regime, Endorsed) else regime
        name = type(said).__name__.lower()
        if getattr(said, "good", 0) >= self.K:
            raise ValueError(f"{name}.good must be below resources = {self.K}, not {said.good}")
        for field in ("resources", "harmful"):
            values = getattr(said, field, None)
            if values and values[-1] >= self.K:
                raise ValueError(f"{name}.{field} must hold indices below resources = {self.K}, not {values[-1]}")
        need = getattr(said, "need", None)
        if isinstance(need, tuple) and len(need) != self.K:
            raise ValueError(f"{name}.need has {len(need)} values; it takes one, or one for each of the {self.K} "
                             "resources")

    def inform(self, needs, harmful, r: int) -> bool:
        """Tell regime number ``r`` needs and harms, and return whether that is news.

        Quotas move only if other goods than before are wanted.
        """
        before, told = self.wanted(r), self.state(self.regimes[r], needs, harmful)
        if (told == self.told[r]).all():
            return False
        self.told[r] = told
        wanted, here = self.wanted(r), self.block_operator == r
        if here.any() and (wanted != before).any():
            quota = np.maximum(self.quota[here], 0.02) * wanted
            self.quota[here] = quota / np.maximum(quota.sum(axis=1, keepdims=True), 1e-300)
        return True

    def listens(self, r: int) -> bool:
        """Whether regime number ``r`` is told of every change of what members need."""
        said = self.operator(r)
        return getattr(said, "told", False) and said.need is None

    def wanted(self, r: int) -> np.ndarray:
        """Return which goods regime number ``r`` knows to be needed and not to do harm, shape (K,)."""
        return (self.told[r, :self.K] > 0) & (self.told[r, self.K:] == 0)

    def enter(self, regime, need, harmful) -> int:
        """Enter a regime and return its number: that of the same one told the same, but each operator is a new one.

        What an operator believes depends on where it is in charge: two that begin alike may come to differ.
        """
        told = self.state(regime, need, harmful)
        for r, known in enumerate(self.regimes):
            alike = not hasattr(regime, "told") or regime.told or (self.told[r] == told).all()
            if known == regime and alike and not isinstance(regime, (Corrigible, Endorsed)):
                return r
        self.regimes.append(regime)
        self.told = np.vstack([self.told, told])
        return len(self.regimes) - 1

    def add_blocks(self, r: int, count: int) -> int:
        """Give regime number ``r`` more blocks, with equal quotas; return the first one's number."""
        first, k = len(self.block_operator), self.K
        before = self.slots
        self.block_operator = np.append(self.block_operator, np.full(count, r, np.int32)).astype(np.int32)
        wanted = self.wanted(r)
        quota = np.where(wanted, 1 / max(1, wanted.sum()), 0.0)
        self.quota = np.vstack([self.quota, np.tile(quota, (count, 1))])
        self.seen = np.vstack([self.seen, np.zeros((count, k))])
        # readings are kept by slot, then by block: nothing was read yet
        reading = np.full((self.slots, first + count, k), -1.0)
        reading[:before, :first] = self.reading.reshape(before, first, k)
        self.reading = reading.reshape(-1, k)
        return first

    @property
    def slots(self) -> int:
        """Number of readings kept for each block: those that the slowest operator waits for."""
        waits = [self.operator(r) for r in set(self.block_operator.tolist())]
        return max((op.delay // op.period + 1 for op in waits), default=0)

    def tidy(self, regime: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Drop regimes and blocks that nobody is under; return the members' and sites' new numbers."""
        kept = np.unique(block[block >= 0])
        slots = self.slots
        reading = self.reading.reshape(slots, len(self.block_operator), self.K)
        used = np.unique(np.concatenate([[0], regime, self.block_operator[kept]]).astype(int))
        renumbered = np.full(len(self.regimes), -1)
        renumbered[used] = np.arange(len(used))
        self.block_operator = renumbered[self.block_operator[kept]].astype(np.int32)
        self.regimes = [self.regimes[r] for r in used]
        self.told, self.quota, self.seen = self.told[used], self.quota[kept], self.seen[kept]
        self.reading = np.ascontiguousarray(reading[:self.slots, kept]).reshape(-1, self.K)
        # the slot of a reading depends on its own operator alone, so fewer slots are the same slots
        places = np.full(int(block.max(initial=-1)) + 2, -1)      # the last one is for no block
        places[kept] = np.arange(len(kept))
        return renumbered[regime], places[block]

    def laws(self) -> np.ndarray:
        """Return the kernel's table of laws, one row a regime."""
        law = core.Law
        rows = np.zeros((len(self.regimes), law.STATED + 2 * self.K))
        for r, regime in enumerate(self.regimes):
            row, said = rows[r], self.operator(r)
            row[law.KIND] = list(KINDS).index(type(regime).__name__.lower())
            row[law.STATED:] = self.told[r]
            row[law.SPELL] = row[law.PERIOD] = 1
            if isinstance(regime, Endorsed):
                row[law.MARGIN], row[law.TRIAL], row[law.SPELL] = regime.margin, regime.trial, regime.spell
            if isinstance(said, Corrigible):
                row[law.ERROR], row[law.MALICE] = said.error, said.malice
                row[law.PERIOD], row[law.DELAY] = said.period, said.delay
                row[law.GAIN] = said.gain / (1 + said.delay / 10 if said.scaled else 1)
            elif isinstance(said, Specified):
                row[law.OBJECTIVE], row[law.GOOD] = OBJECTIVES.index(said.objective), said.good
                row[law.MUTUAL_CARE] = said.care
            elif isinstance(said, Rule):
                row[law.RULED_TASK], row[law.GOOD] = RULED_TASKS.index(said.task), said.good
                row[law.RULED_SHARE] = RULED_SHARES[said.share]
        return rows

    # -- records ----------------------------------------------------------------------

    def pack(self) -> tuple[list[dict], dict[str, np.ndarray]]:
        """Return the regimes as plain dicts, and the arrays, copied."""
        return [to_dict(regime) for regime in self.regimes], {name: getattr(self, name).copy()
                                                              for name in self.ARRAYS}

    @classmethod
    def unpack(cls, resources: int, records, arrays: Mapping) -> Government:
        """Rebuild from :meth:`pack`'s form.

        Parameters
        ----------
        resources : int
            Number K of resources.
        records : list of dict
        arrays : mapping of str to ndarray

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing, does not fit or is out of range.
        """
        self = cls(resources)
        self.regimes = [from_dict(record) for record in records]
        if not self.regimes or self.regimes[0] != Organic():
            raise ValueError("its first regime is not organic")
        for regime in self.regimes:
            self.fits(regime)
        for name in cls.ARRAYS:
            setattr(self, name, np.array(arrays[name], getattr(self, name).dtype))
        n, k = len(self.block_operator), resources
        if self.block_operator.ndim != 1 or not all(
                0 <= r < len(self.regimes) and isinstance(self.operator(r), Corrigible)
                for r in self.block_operator.tolist()):
            raise ValueError("its blocks belong to no operator")
        shapes = {"told": (len(self.regimes), 2 * k), "quota": (n, k), "seen": (n, k), "reading": (self.slots * n, k)}
        for name, shape in shapes.items():
            values = getattr(self, name)
            high = 1e6 if name == "told" else 1.000001
            unread = name == "reading" and values == -1
            if values.shape != shape or not (unread | ((values >= 0) & (values <= high))).all():
                raise ValueError(f"the operators' {name} has shape {values.shape}, or holds values out of range")
        return self
