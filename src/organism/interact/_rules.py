"""Rules for `activate`: the ready-made ones, and how a compiled one is recognised."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .._checks import closest, number
from ._games import payoffs_of

__all__ = ["READY", "RULE", "RULE_NUMBA", "Ready", "compiled"]

_NUMBERS, _SITES = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_int32)

#: The type of a compiled rule for ctypes: ``RULE(("name", library))`` is a rule in a shared library.
RULE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, _SITES, _NUMBERS, _NUMBERS, _NUMBERS,
                        ctypes.c_int64, _NUMBERS, _NUMBERS)
#: The same for numba: ``@numba.cfunc(RULE_NUMBA)``.
RULE_NUMBA = ("void(int64, int64, int64, CPointer(int32), CPointer(float64), CPointer(float64), CPointer(float64), "
              "int64, CPointer(float64), CPointer(float64))")
WANTED = "void (int64_t, int64_t, int64_t, int32_t *, double *, double *, double *, int64_t, double *, double *)"
#: Other spellings of the types in it.
SAME = {"long": "int64_t", "longlong": "int64_t", "int64": "int64_t", "ssize_t": "int64_t", "py_ssize_t": "int64_t",
        "npy_intp": "int64_t", "intptr_t": "int64_t", "int": "int32_t", "int32": "int32_t", "float64": "double",
        "npy_int64": "int64_t", "npy_int32": "int32_t", "npy_float64": "double", "npy_double": "double"}


def _parts(signature: str) -> list[str]:
    """Return the types of the result and of the arguments, in one spelling."""
    result, _, rest = signature.partition("(")
    parts = []
    for one in (result, *rest.rstrip(") ").split(",")):
        words = [word for word in one.replace("*", " * ").split() if word != "const"]
        stars, base = words.count("*"), "".join(word for word in words if word != "*").lower()
        parts.append(SAME.get(base, base) + " *" * stars)
    return parts


def _spelled(kind) -> str:
    """Return the name of a ctypes type."""
    if kind is None:
        return "void"
    if kind is ctypes.c_void_p:
        return "void *"
    if isinstance(kind, type) and issubclass(kind, ctypes._Pointer):
        return _spelled(kind._type_) + " *"
    for plain, name in ((ctypes.c_int64, "int64_t"), (ctypes.c_int32, "int32_t"), (ctypes.c_longlong, "int64_t")):
        if kind is plain:
            return name
    return kind.__name__.removeprefix("c_") if isinstance(kind, type) else repr(kind)


def compiled(rule) -> int | None:
    """Return where a compiled rule begins, None of what is not compiled, or say that its signature is another."""
    import scipy

    if hasattr(rule, "address") and isinstance(getattr(rule, "ctypes", None), ctypes._CFuncPtr):  # of numba
        rule = rule.ctypes
    if isinstance(rule, scipy.LowLevelCallable):
        if rule.user_data is not None:
            raise ValueError("rule must not have user_data, which would not reach it: give it shared=… instead")
        signature = rule.signature
        capsule = tuple.__getitem__(rule, 0)
        get = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer",
                                                                                    ctypes.pythonapi))
        where = get(capsule, signature.encode())
    elif isinstance(rule, ctypes._CFuncPtr):
        if rule.argtypes is None:
            raise TypeError("rule must tell its arguments: make it with organism.interact.RULE((name, library))")
        signature = f"{_spelled(rule.restype)} ({', '.join(map(_spelled, rule.argtypes))})"
        where = ctypes.cast(rule, ctypes.c_void_p).value
    else:
        return None
    got, wanted = _parts(signature), _parts(WANTED)
    fits = len(got) == len(wanted) and all(one == other or (one == "void *" and other.endswith("*"))
                                           for one, other in zip(got, wanted, strict=True))
    if not fits:
        raise TypeError(f"rule must have the signature {WANTED}, not {signature}")
    if not where:
        raise ValueError("rule must be a function, and this is a null pointer")
    return where


# -- ready-made -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """A ready-made rule: its number in the kernel, and what it needs.

    Parameters
    ----------
    number : int
    draws : int
        Uniforms an event.
    shared : callable
        From the state (N, columns) and the parameters to the shared state; it refuses a state that cannot be.
    parameters : dict
        Names and defaults.
    closing : bool
        Whether it has something to do at the end of a sweep.
    synchronous : bool
        Whether all sites can follow it at once: not if it writes to the partner.
    needed : callable, optional
        From the state and the shared state of an earlier result to the parameters that have no default.
    """

    number: int
    draws: int
    shared: Callable
    parameters: dict
    closing: bool = False
    synchronous: bool = True
    needed: Callable | None = None

    def again(self, name, state, shared) -> np.ndarray:
        """Return the shared state of an earlier result if it can be one of this rule."""
        try:
            fresh = self.begin(name, state, self.needed(state, shared) if self.needed else None)
        except IndexError:
            fresh = None
        if fresh is None or fresh.shape != shared.shape or (self.needed and (fresh != shared).any()):
            raise ValueError(f"shared must be that of an earlier result of {name!r}, and the {len(shared)} numbers "
                             "given cannot be")
        return shared

    def begin(self, name, state, given) -> np.ndarray:
        """Return the shared state to begin with."""
        known = dict(self.parameters)
        for key, value in (given or {}).items():
            if key not in known:
                raise ValueError(f"parameters of {name!r} are {', '.join(known) or 'none'}, not {key!r}"
                                 + closest(str(key), known))
            known[key] = value
        return np.asarray(self.shared(state, known), np.float64)


def _columns(name, state, least, most=None):
    """Refuse a state of too few or too many columns."""
    if state.shape[1] < least or (most is not None and state.shape[1] > most):
        said = f"{least}" if most == least else f"at least {least}"
        raise ValueError(f"state must have {said} columns for {name!r}, not {state.shape[1]}")


def _whole(what, column, kinds):
    bad = np.flatnonzero(~((column >= 0) & (column < kinds) & (column == np.floor(column))))
    if bad.size:
        raise ValueError(f"state must be {what} in [0, {kinds - 1}]; that of site {bad[0]} is {column[bad[0]]:g}")


def _nothing(state, known):
    return []


def _threshold(state, known):
    _columns("threshold", state, 2, 2)
    flags = [float(bool(known[key])) for key in ("absolute", "reversible", "everyone")]
    return [np.count_nonzero(state[:, 0]), *flags, len(state)]


def _majority(state, known):
    return [float(bool(known["include_self"]))]


def _best_response(state, known):
    if known["payoff"] is None:
        raise ValueError("parameters of 'best_response' must have payoff, a square matrix [own, other]")
    first, second, kinds = payoffs_of(known["payoff"])
    if second is not None:
        raise ValueError("payoff of 'best_response' must be one matrix [own, other]: there is one role")
    _whole("strategies", state[:, 0], kinds)
    return [kinds, number("error", known["error"], 0, 1), *first.ravel()]


def _game_before(state, shared):
    kinds = int(np.sqrt(max(len(shared) - 2, 1)))
    return {"payoff": np.resize(shared[2:], (kinds, kinds)), "error": shared[1]}


def _cross_before(state, shared):
    n = state.shape[1]
    return {"payoff": np.resize(shared[1:], (2, n, n)), "rate": shared[0]}


def _exchange(state, known):
    return [number("unit", known["unit"], 0, np.inf, "()")]


def _cross(state, known):
    _columns("cross_learning", state, 2)
    if known["payoff"] is None:
        raise ValueError("parameters of 'cross_learning' must have payoff, a matrix [own, other] or a pair of them")
    first, second, kinds = payoffs_of(known["payoff"])
    if kinds != state.shape[1]:
        raise ValueError(f"payoff must have as many actions as the state has columns, {state.shape[1]}, not {kinds}")
    both = np.array([first, first.T if second is None else second])
    if both.min() < 0 or both.max() > 1:
        raise ValueError(f"payoff must be in [0, 1] for 'cross_learning', not {both.min():g} to {both.max():g}")
    bad = np.flatnonzero((state.min(axis=1) < 0) | (abs(state.sum(axis=1) - 1) > 1e-9))
    if bad.size:
        raise ValueError(f"state must be probabilities of the actions, with sum 1; that of site {bad[0]} is "
                         f"{state[bad[0]].tolist()}")
    return [number("rate", known["rate"], 0, 1), *both.ravel()]


def _response(state, known):
    _columns("response_threshold", state, 2)
    tasks = state.shape[1] - 1
    _whole("the task of each site", state[:, 0], tasks + 1)
    if state[:, 1:].min() < 0:
        raise ValueError(f"state must have thresholds of at least 0, not {state[:, 1:].min():g}")
    highest = known["highest"]
    if highest is None:
        highest = max(1000.0, float(state[:, 1:].max()))
    each = []
    for key in ("stimulus", "demand"):
        some = np.asarray(known[key])
        some = some.astype(np.float64) if some.dtype.kind in "iuf" else np.array(np.nan)
        if some.shape not in ((), (1,), (tasks,)) or not (np.isfinite(some) & (some >= 0)).all():
            raise ValueError(f"{key} must be a number of 0 or more, or one for each of the {tasks} tasks, not "
                             f"{known[key]!r:.60}")
        each.extend(np.broadcast_to(some, tasks))
    return [number("leave", known["leave"], 0, 1), number("work", known["work"], 0, np.inf, "[)"),
            number("learn", known["learn"], 0, np.inf, "[)"), number("forget", known["forget"], 0, np.inf, "[)"),
            number("highest", highest, 0, np.inf, "[)"), *each]


READY = {
    "voter": Ready(0, 1, _nothing, {}),
    "invasion": Ready(1, 1, _nothing, {}, synchronous=False),
    "threshold": Ready(2, 0, _threshold, {"absolute": False, "reversible": False, "everyone": False}, closing=True),
    "majority": Ready(3, 1, _majority, {"include_self": True}),
    "best_response": Ready(4, 2, _best_response, {"payoff": None, "error": 0.0}, needed=_game_before),
    "exchange": Ready(5, 2, _exchange, {"unit": 1.0}, synchronous=False),
    "cross_learning": Ready(6, 3, _cross, {"payoff": None, "rate": .01}, synchronous=False,
                            needed=_cross_before),
    "response_threshold": Ready(7, 2, _response, {
        "leave": .2, "work": 3.0, "learn": 0.0, "forget": 0.0, "highest": None, "stimulus": 0.0, "demand": 1.0},
        closing=True),
}
