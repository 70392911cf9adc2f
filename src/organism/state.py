"""The columns of a world: one table drives allocation, birth, save, docs and member properties.

Storage is by *planes* ``(rows, R)``: one row a resource, task or weight, one
element a site, padded for the kernel (``R = 16 · (slices + 1)``). What users see
is in site order and unpadded: ``(N,)``, ``(N, K)``, ``(N, M, F)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ._checks import closest
from ._fields import LARGEST
from ._slices import LANES, aligned
from .params import Params

__all__ = ["COLUMNS", "Column", "State"]


@dataclass(frozen=True)
class Column:
    """One column of the state: what it holds, its shape, who owns it and what values it takes.

    Parameters
    ----------
    name : str
    dtype : str
        NumPy type of the stored plane.
    shape : str
        Trailing axes of the public view: ``""``, ``"K"``, ``"M"``, ``"M,F"``, ``"G"`` or ``"G-1"``.
    owner : {"member", "site", "trait"}
        Members take theirs along; a site keeps its own; a trait is inherited and
        stored once while all sites share it.
    unit, doc : str
    low, high : float or None
        Range of allowed values; None: unbounded.
    writable : bool
        Whether :meth:`World.set` and ``Member`` may write it.
    empty : float
        Value at an empty site.
    """

    name: str
    dtype: str
    shape: str
    owner: str
    unit: str
    doc: str
    low: float | None = None
    high: float | None = None
    writable: bool = True
    empty: float = 0


def _c(name, dtype, shape, owner, unit, doc, low=None, high=None, writable=True, empty=0):
    return Column(name, dtype, shape, owner, unit, doc, low, high, writable, empty)


#: Every column, in the order they are documented and saved.
COLUMNS: dict[str, Column] = {c.name: c for c in (
    _c("occupied", "i1", "", "member", "bool", "whether a member lives at the site", 0, 1, False),
    _c("uid", "i8", "", "member", "id", "serial number of the member, never used again", writable=False, empty=-1),
    _c("parent_uid", "i8", "", "member", "id", "uid of the parent; -1 for founders", writable=False, empty=-1),
    _c("founder", "i8", "", "member", "id", "uid of the founding ancestor", writable=False, empty=-1),
    _c("key", "u4", "", "member", "bits", "random key: the member's luck", writable=False),
    _c("age", "i4", "", "member", "ticks", "ticks lived", 0, None, False),
    _c("births", "i4", "", "member", "count", "children born so far", 0, None, False),
    _c("stock", "f8", "K", "member", "goods", "goods held", 0),
    _c("skill", "f4", "K", "member", "1", "how well each productive task has been learned", 0, 1),
    _c("task", "i2", "", "member", "index", "task of the last tick; -1: none", writable=False, empty=-1),
    _c("shared", "i1", "", "member", "bool", "whether it shared in the last tick", writable=False),
    _c("task_counts", "f4", "M", "member", "ticks", "decayed counts of tasks done", 0),
    _c("policy", "f4", "M,F", "member", "logit", "weights θ of the task policy"),
    _c("eligibility", "f4", "M,F", "member", "1", "eligibility traces of the task policy"),
    _c("share_policy", "f4", "G", "member", "logit", "weights φ of the share policy"),
    _c("share_eligibility", "f4", "G", "member", "1", "eligibility traces of the share policy"),
    _c("share_feature", "f4", "G-1", "member", "1", "extra features that the share policy reads", -LARGEST,
       LARGEST),
    _c("welfare", "f4", "", "member", "welfare", "own need met, less costs: not floored at 0", None, 1),
    _c("appraisal", "f4", "", "member", "welfare", "the signal learned from"),
    _c("baseline", "f4", "", "member", "welfare", "running mean of the appraisal"),
    _c("vitality", "f4", "", "member", "welfare", "moving average of welfare, floored at 0", 0, 1),
    _c("consumption", "f4", "", "member", "goods", "decayed sum of goods burned", 0),
    _c("given", "f4", "", "member", "goods", "goods sent in the last tick", 0, None, False),
    _c("order_task", "i2", "", "member", "index", "task imposed from outside, K: rest; -1: free", -1, None, empty=-1),
    _c("order_share", "i1", "", "member", "flag", "sharing imposed from outside: 0 no, 1 yes, -1 free", -1, 1,
       empty=-1),
    _c("regime", "i2", "", "member", "index", "number of the member's regime in world.regimes", 0, None, False),
    _c("obeys", "i1", "", "member", "flag", "whether an endorsed member obeyed: 0 no, 1 yes, -1 had no order", -1, 1,
       False, -1),
    _c("obeyed", "f4", "", "member", "welfare", "mean appraisal after obeying", writable=False),
    _c("unbidden", "f4", "", "member", "welfare", "mean appraisal after own choice, where there was an order",
       writable=False),
    _c("objective", "f4", "", "member", "welfare", "what the tick was worth by the stated objective",
       writable=False),
    _c("need", "f4", "K", "trait", "goods/tick", "goods burned a tick", 0, LARGEST),
    _c("reserve", "f4", "K", "trait", "goods", "goods kept back from sharing", 0, LARGEST),
    _c("capability", "f4", "", "trait", "1", "innate productivity", 0, LARGEST),
    _c("care", "f4", "", "trait", "1", "care weight c", 0, 1),
    _c("learning_rate", "f4", "", "trait", "1", "learning rate", 0, LARGEST),
    _c("supply", "f4", "K", "site", "1", "richness of the land, relative to base_yield", 0, LARGEST),
    _c("richness", "f4", "K", "site", "1", "share of the supply that is not depleted", 0, 1),
    _c("ground", "f8", "K", "site", "goods", "goods left by the dead", 0, None, False),
    _c("block", "i4", "", "site", "index", "block of an operator; -1: none", -1, None, False, -1),
    _c("rank", "f4", "", "site", "1", "rank within the block, which decides the task", 0, 1, False),
    _c("off", "i1", "", "site", "bool", "whether the operator's switch is off", 0, 1, False),
)}

#: Columns that are the same for all until they are told apart: stored once.
SHARED = ("need", "reserve", "capability", "care", "learning_rate", "supply")
#: Columns that are not there until something needs them.
LAZY = ("parent_uid", "founder", "share_feature", "order_task", "order_share", "regime", "obeys", "obeyed",
        "unbidden", "objective", "richness", "ground", "block", "rank", "off")


#: The parameter that gives a trait its value; capability, which has none, is 1, and so is supply.
TRAIT_PARAMETERS = {"need": "metabolism.need", "reserve": "metabolism.reserve", "care": "care.weight",
                    "learning_rate": "learning.rate"}


class State(Mapping):
    """Read-only views of all columns by name, in site order.

    ``world.state["stock"]`` is a live, read-only array of shape ``(N, K)``; write
    through :meth:`World.set`. Columns whose mechanism is off are shown with the
    value they then have.

    Parameters
    ----------
    n_sites : int
        Number N of sites.
    slices : int
        Number of storage slices, ⌈N/16⌉.
    params : Params
        Decides the trailing axes, the shared traits and which columns are needed.
    """

    def __init__(self, n_sites: int, slices: int, params: Params):
        self.n_sites, self.row = n_sites, LANES * (slices + 1)
        self.planes: dict[str, np.ndarray] = {}
        self.sizes = _sizes(params)
        for name in COLUMNS:
            if name not in LAZY + SHARED:
                self.allocate(name)
        for name in SHARED:
            self.share(name, params[TRAIT_PARAMETERS[name]] if name in TRAIT_PARAMETERS else 1.)
        self.ensure(params)

    def rows(self, name: str) -> int:
        """Return the number of rows of a column's plane."""
        if name == "key":
            return 2
        return int(np.prod(self.trailing(name), dtype=int))

    def trailing(self, name: str) -> tuple[int, ...]:
        """Return the trailing axes of a column's public view."""
        shape = COLUMNS[name].shape
        return tuple(self.sizes[axis] for axis in shape.split(",")) if shape else ()

    def allocate(self, name: str) -> np.ndarray:
        """Give a column one element a site, filled with its value at empty sites."""
        column = COLUMNS[name]
        plane = aligned((self.rows(name), self.row), column.dtype, column.empty)
        self.planes[name] = plane
        return plane

    def share(self, name: str, value) -> None:
        """Store one value (or one a row) for all sites.

        Parameters
        ----------
        name : str
            A column of :data:`SHARED`.
        value : float or array_like of shape (rows,)
        """
        plane = aligned((self.rows(name), LANES), COLUMNS[name].dtype)
        plane[:] = np.reshape(np.asarray(value, COLUMNS[name].dtype), (-1, 1))
        self.planes[name] = plane

    def tell_apart(self, name: str) -> np.ndarray:
        """Give every site its own element of a shared or absent column; return its plane."""
        plane = self.planes.get(name)
        if plane is None or plane.shape[1] == LANES < self.row:
            values = self[name]
            self.allocate(name)[:, :self.n_sites] = self.to_plane(name, values)
        return self.planes[name]

    def ensure(self, params: Params) -> None:
        """Allocate what the mechanisms of ``params`` need and is not there yet."""
        wanted = []
        if params.demography.enabled or params.care.kind == "kin":
            wanted += ["parent_uid", "founder"]
        if params.demography.enabled:
            wanted += ["ground", *params.demography.mutates]
        if params.production.depletion > 0:
            wanted.append("richness")
        if params.share_features > 1 and "share_feature" not in self.planes:
            self.allocate("share_feature")
        for name in wanted:
            self.tell_apart(name)

    def to_plane(self, name: str, values: np.ndarray) -> np.ndarray:
        """Turn values in the public shape into rows by sites.

        Parameters
        ----------
        name : str
        values : ndarray, shape (n, …)

        Returns
        -------
        ndarray, shape (rows, n)
        """
        values = np.asarray(values)
        if name == "key":
            return np.stack([values & 0xFFFFFFFF, values >> 32]).astype("u4")
        n = values.shape[0]
        return values.reshape(n, -1).T if values.ndim > 1 else values.reshape(1, n)

    def view(self, name: str) -> np.ndarray:
        """Return a live, writable view in the public shape (read-only where shared or absent)."""
        column, trailing, n = COLUMNS[name], self.trailing(name), self.n_sites
        plane = self.planes.get(name)
        if name == "key":
            low, high = plane[0, :n].astype("u8"), plane[1, :n].astype("u8")
            return low | high << np.uint64(32)
        if plane is None:
            if name == "founder":
                return self.view("uid")
            value = 1 if name == "richness" else column.empty
            return np.broadcast_to(np.asarray(value, column.dtype), (n, *trailing))
        if plane.shape[1] == LANES < self.row:
            return np.broadcast_to(plane[:, 0].reshape(trailing), (n, *trailing))
        view = plane[:, :n]
        if not trailing:
            view = view[0]
        elif len(trailing) == 1:
            view = view.T
        else:
            view = np.moveaxis(view.reshape(*trailing, n), -1, 0)
        return view.view(bool) if column.unit == "bool" else view

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in COLUMNS:
            raise KeyError(f"no column is called {name!r}" + closest(name, COLUMNS))
        view = self.view(name)
        view = view[...]
        view.flags.writeable = False
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(COLUMNS)

    def __len__(self) -> int:
        return len(COLUMNS)

    def __repr__(self) -> str:
        return f"State({self.n_sites} sites: {', '.join(COLUMNS)})"

    @property
    def nbytes(self) -> int:
        """Bytes held by the planes."""
        return sum(plane.nbytes for plane in self.planes.values())


def _sizes(params: Params) -> dict[str, int]:
    """Return the lengths of the axes that columns are made of."""
    return {"K": params.resources, "M": params.tasks, "F": params.features,
            "G": params.share_features, "G-1": params.share_features - 1}
