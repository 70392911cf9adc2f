"""What a table of parameters is made of: declared fields, their checks, and how ranges are said."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np

from ._checks import closest

__all__ = ["LARGEST", "range_text"]

#: Largest value of a parameter without a bound of its own: products of several stay finite in float32.
LARGEST = 1e6


def _field(
    default,
    doc,
    unit="1",
    low=None,
    high=None,
    *,
    open_low=False,
    per_resource=False,
    choices=None,
    words=(),
    names=None,
    indices=False,
    source,
):
    """Declare a parameter: default, one-line meaning, unit, range and source.

    The source is the section of MODEL.md that defines it and, where the
    mechanism is from the literature, the key in MODEL.md's bibliography.
    """
    return field(
        default=default,
        metadata={
            "doc": doc,
            "unit": unit,
            "low": low,
            "high": high,
            "open_low": open_low,
            "per_resource": per_resource,
            "choices": choices,
            "words": words,
            "names": names,
            "indices": indices,
            "source": source,
        },
    )


def range_text(meta: Mapping[str, Any]) -> str:
    """Say the allowed range of a parameter in a few characters."""
    if meta["choices"]:
        return " | ".join(meta["choices"])
    if meta["names"] is not None:
        return "names" + (f" from {', '.join(meta['names'])}" if meta["names"] else "")
    if meta["indices"]:
        return "indices in 0, ..., resources - 1, or none"
    low, high = meta["low"], meta["high"]
    if low is None and high is None:
        text = "true or false"
    else:
        left = "(-inf" if low is None else ("(" if meta["open_low"] else "[") + _short(low)
        text = f"{left}, " + ("inf)" if high is None else f"{_short(high)}]")
    if meta["words"]:
        text += " or " + ", ".join(meta["words"])
    return text + (" (one value, or one per resource)" if meta["per_resource"] else "")


def _short(number) -> str:
    """Write a bound in few characters: 1e6, not 1e+06."""
    return f"{number:g}".replace("e+0", "e")


def _text(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)


def _plain(value):
    """Return a NumPy scalar as the Python bool, int, float or str that it holds."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item()
    return value


def _check(group: str, f: dataclasses.Field, value):
    """Return the canonical form of one field's value, or raise in one sentence."""
    name, meta, value = f"{group}.{f.name}", f.metadata, _plain(value)
    if meta["choices"]:
        if not isinstance(value, str) or value not in meta["choices"]:
            raise ValueError(
                f"{name} must be one of {', '.join(meta['choices'])}, not {value!r}"
                + closest(value, meta["choices"])
            )
        return value
    if meta["names"] is not None:
        return _names(name, value, meta)
    if meta["indices"]:
        return _indices(name, value, meta)
    if f.type == "bool":
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be true or false, not {value!r}")
        return value
    if isinstance(value, str):
        if value in meta["words"]:
            return value
        raise TypeError(f"{name} must be in {range_text(meta)}, not {value!r}" + closest(value, meta["words"]))
    if meta["per_resource"] and not isinstance(value, numbers.Real):
        try:
            items = list(value)
        except TypeError:
            raise TypeError(f"{name} must be in {range_text(meta)}, not {value!r}") from None
        return tuple(_number(f"{name}[{i}]", v, meta, "float") for i, v in enumerate(items))
    return _number(name, value, meta, "int" if f.type == "int" else "float")


def _names(name: str, value, meta) -> tuple:
    """Return a list of names as a tuple, or say which of them cannot be."""
    if isinstance(value, str):
        value = tuple(part.strip() for part in value.split(",") if part.strip())
    try:
        value = tuple(map(_plain, value))
    except TypeError:
        raise TypeError(f"{name} must hold {range_text(meta)}, not {value!r}") from None
    for item in value:
        if not isinstance(item, str) or (meta["names"] and item not in meta["names"]):
            raise ValueError(f"{name} must hold {range_text(meta)}, not {item!r}" + closest(item, meta["names"]))
    if len(set(value)) < len(value):
        raise ValueError(f"{name} must not repeat a name, as in {','.join(value)}")
    return value


def _indices(name: str, value, meta) -> tuple:
    """Return resource indices as a sorted tuple; whether they are below K, Params checks."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        value = (value,)
    allowed = range_text(meta)
    if isinstance(value, str):
        raise TypeError(f"{name} must hold {allowed}, not {value!r}")
    try:
        items = [_plain(item) for item in value]
    except TypeError:
        raise TypeError(f"{name} must hold {allowed}, not {value!r}") from None
    for item in items:
        if isinstance(item, bool) or not isinstance(item, numbers.Real):
            raise TypeError(f"{name} must hold {allowed}, not {item!r}")
        if not math.isfinite(item) or item < 0 or item != int(item):
            raise ValueError(f"{name} must hold {allowed}, not {item!r}")
    return tuple(sorted(set(map(int, items))))


def _number(name: str, value, meta, kind) -> float | int:
    """Return ``value`` as the field's number type, or say why it cannot be."""
    allowed = range_text(meta)
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number in {allowed}, not {value!r}")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an int too long for a float
        finite = False
    if not finite:
        raise ValueError(f"{name} must be finite and in {allowed}, not {value!r}")
    low, high = meta["low"], meta["high"]
    below = low is not None and (value <= low if meta["open_low"] else value < low)
    if below or (high is not None and value > high):
        raise ValueError(f"{name} must be in {allowed}, not {value!r}")
    if kind == "int":
        if value != int(value):
            raise ValueError(f"{name} must be a whole number in {allowed}, not {value!r}")
        return int(value)
    return float(value)


class _Group:
    """Shared behaviour of the parameter groups: check, replace, list."""

    def __post_init__(self):
        group = type(self).__name__.lower()
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, _check(group, f, getattr(self, f.name)))
