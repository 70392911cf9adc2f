"""Designs of sweeps: which points of the parameter space are run."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import numbers
from collections.abc import Iterable, Mapping

import numpy as np

from ._checks import closest, whole

__all__ = ["DESIGNS", "canonical", "key", "points"]

#: Every combination; the points as given; and SciPy's two space-filling designs.
DESIGNS = ("factorial", "list", "latin_hypercube", "sobol")


def plain(name: str, value):
    """Return a value of a parameter as plain Python, or say in one sentence why it cannot be one."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        value = value.item()
    if isinstance(value, (list, tuple, np.ndarray)):
        return tuple(plain(name, item) for item in value)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise TypeError(f"{name} takes text, numbers, true, false, None or lists of them, not {value!r:.60}")


def canonical(value) -> str:
    """Return JSON that is the same for equal values: sorted names, 1.0 written as 1."""
    return json.dumps(_same(value), sort_keys=True, separators=(",", ":"))


def _same(value):
    if isinstance(value, Mapping):
        return {str(name): _same(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_same(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def key(value) -> str:
    """Return 32 hexadecimal digits that stand for a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]


def points(vary, design: str = "factorial", n: int | None = None, seed: int = 0) -> list[dict]:
    """Return the points of a design, in order.

    Parameters
    ----------
    vary : mapping, iterable of mappings, DataFrame or None
        Of names to lists, ranges or single values (factorial); of names to intervals
        ``(low, high)`` or ``{"low": …, "high": …, "scale": "linear" | "log"}`` (sampling
        designs; a name with more or other values takes these in turn); or the points
        themselves (list).
    design : {"factorial", "list", "latin_hypercube", "sobol"}
    n : int, optional
        Number of points of the sampling designs.
    seed : int
        Of the sampling designs.

    Returns
    -------
    list of dict
    """
    if design not in DESIGNS:
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, not {design!r}" + closest(design, DESIGNS))
    sampled = design in ("latin_hypercube", "sobol")
    if (n is None) == sampled:
        raise ValueError(f"n, the number of points, {'must be given' if sampled else 'is not taken'} "
                         f"with design={design!r}")
    if vary is None:
        vary = {}
    if hasattr(vary, "to_dict") and hasattr(vary, "columns"):  # a DataFrame, without importing pandas
        vary = vary.to_dict("records")
    if not isinstance(vary, Mapping):
        return _listed(vary, design)
    if design == "list":
        raise TypeError("vary must be a list of dicts or a DataFrame with design='list', not a mapping")
    if any(not isinstance(name, str) or not name for name in vary):
        raise TypeError(f"the names in vary must be texts, not {next(iter(vary))!r}")
    if sampled:
        return _sampled(vary, design, whole("n", n, 1), seed)
    values = {name: _levels(name, given) for name, given in vary.items()}
    return [dict(zip(values, levels, strict=True)) for levels in itertools.product(*values.values())]


def _listed(vary, design):
    if design not in ("factorial", "list"):
        raise ValueError(f"vary must map names to (low, high) with design={design!r}, not be a list of points")
    if isinstance(vary, (str, bytes)) or not isinstance(vary, Iterable):
        raise TypeError(f"vary must map names to values or be a list of dicts, not {vary!r:.60}")
    found = []
    for number, point in enumerate(vary):
        if not isinstance(point, Mapping):
            raise TypeError(f"vary[{number}] must be a dict of names to values, not {point!r:.60}")
        found.append({str(name): plain(str(name), value) for name, value in point.items()})
    if not found:
        raise ValueError("vary holds no points")
    return found


def _levels(name: str, given) -> list:
    """Return the values that a factorial design takes of one name."""
    if isinstance(given, Mapping):
        return _range(name, given)
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        return [plain(name, given)]
    found = [plain(name, value) for value in given]
    if not found:
        raise ValueError(f"vary[{name!r}] holds no values")
    if len({canonical(value) for value in found}) < len(found):
        raise ValueError(f"vary[{name!r}] repeats a value; use replicates to run a point more than once")
    return found


def _range(name: str, given: Mapping) -> list:
    """Return from, from + step, …, to."""
    unknown = set(given) - {"from", "to", "step"}
    if unknown or len(given) < 3:
        raise ValueError(f"vary[{name!r}] must have from, to and step in a factorial design, not "
                         + (", ".join(map(str, given)) or "nothing"))
    low, high, step = (_real(f"vary[{name!r}].{part}", given[part]) for part in ("from", "to", "step"))
    if step <= 0 or high < low:
        raise ValueError(f"vary[{name!r}] must have step > 0 and from <= to, not from {low:g} to {high:g} by {step:g}")
    count = int(math.floor((high - low) / step + 1e-9)) + 1
    if count > 10**6:
        raise ValueError(f"vary[{name!r}] has {count:,} values; at most 1,000,000 are taken")
    wholes = all(isinstance(given[part], numbers.Integral) for part in ("from", "step"))
    # Rounded, so that 0.1 + 2·0.1 is the 0.3 that one would type.
    return [int(low + i * step) if wholes else round(low + i * step, 12) for i in range(count)]


def _real(name, value) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise TypeError(f"{name} must be a finite number, not {value!r:.60}")
    return value


def _interval(name: str, given):
    """Return low, high, scale and whether whole numbers are wanted; None if these are levels."""
    scale = "linear"
    if isinstance(given, Mapping):
        if not {"low", "high"} <= set(given) <= {"low", "high", "scale"}:
            raise ValueError(f"vary[{name!r}] must have low, high and perhaps scale in a sampling design, not "
                             + (", ".join(map(str, given)) or "nothing"))
        low, high, scale = given["low"], given["high"], given.get("scale", "linear")
    elif isinstance(given, tuple) and len(given) == 2 and not any(isinstance(v, (str, bool)) for v in given):
        low, high = given
    else:
        return None
    low, high = _real(f"the low end of vary[{name!r}]", low), _real(f"the high end of vary[{name!r}]", high)
    if scale not in ("linear", "log"):
        raise ValueError(f"the scale of vary[{name!r}] must be linear or log, not {scale!r}")
    if not low < high or (scale == "log" and low <= 0):
        raise ValueError(f"vary[{name!r}] must have {'0 < ' if scale == 'log' else ''}low < high, "
                         f"not {low:g} and {high:g}")
    return low, high, scale, isinstance(low, numbers.Integral) and isinstance(high, numbers.Integral)


def _sampled(vary, design, n, seed):
    """Return n points that fill the space evenly."""
    from scipy.stats import qmc

    if not vary:
        raise ValueError(f"vary must name at least one parameter with design={design!r}")
    columns = {name: _interval(name, given) or _levels(name, given) for name, given in vary.items()}
    if design == "sobol":
        if n & (n - 1):
            raise ValueError(f"n must be a power of 2 with design='sobol', not {n}: the sequence is only then balanced")
        unit = qmc.Sobol(len(columns), seed=np.random.default_rng(seed)).random(n)
    else:
        unit = qmc.LatinHypercube(len(columns), seed=np.random.default_rng(seed)).random(n)
    found: list[dict] = [{} for _ in range(n)]
    for (name, given), column in zip(columns.items(), unit.T, strict=True):
        for point, u in zip(found, column.tolist(), strict=True):
            if isinstance(given, list):
                point[name] = given[min(int(u * len(given)), len(given) - 1)]
                continue
            low, high, scale, wholes = given
            if wholes and scale == "linear":
                point[name] = min(low + int(u * (high - low + 1)), high)
                continue
            value = low * (high / low) ** u if scale == "log" else low + u * (high - low)
            point[name] = min(max(round(value), low), high) if wholes else float(value)
    return found
