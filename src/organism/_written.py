"""A topology as plain arrays, with labels and names as JSON text, and in words."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np

from ._layouts import _ATTRIBUTES, NEIGHBOURHOODS, _labels
from ._slices import _count, _edges, _ids

__all__ = ["in_html", "in_words", "read_arrays", "to_arrays"]

#: What a topology can be made from.
KINDS = ("grid", "network", "space")


def to_arrays(topology) -> dict[str, np.ndarray]:
    """Return what :meth:`organism.Topology.to_arrays` promises."""
    about = {name: topology.__dict__[name] for name in ("kind", "shape", "torus", "neighbourhood", "radius")}
    about["n_sites"] = topology.n_sites
    if topology._nodes is not None:
        about["nodes"] = _encode(topology._nodes, "node")
    if topology._attributes is not None:
        about["attributes"] = _encode_attributes(topology._attributes)
    text = json.dumps(about, separators=(",", ":")).encode()
    arrays = {"about": np.frombuffer(text, np.uint8), "site_id": topology.site_id,
              "source": topology.source, "target": topology.target,
              "weight": topology.weight, "cells": topology._cells, "positions": topology._positions}
    return {name: array for name, array in arrays.items() if array is not None}


def read_arrays(arrays):
    """Return number of sites, ties, ids and what describes the sites; damaged arrays raise errors of many kinds."""
    about = json.loads(np.asarray(arrays["about"], np.uint8).tobytes())
    n, shape = _count("n_sites", about.pop("n_sites"), 1), about.pop("shape")
    about = {name: about.pop(name) for name in ("kind", "torus", "neighbourhood", "radius")} | {
        "_" + name: _decode(about.get(name)) for name in ("nodes", "attributes")}
    about["shape"] = None if shape is None else tuple(shape)
    for name in ("cells", "positions"):
        array = arrays.get(name)
        about["_" + name] = None if array is None else array.copy()
    _check_layout(n, about)
    site_id = _ids(arrays["site_id"], n)
    ties = _edges(n, arrays["source"], arrays["target"], arrays.get("weight"))
    return n, *ties, site_id, about


def _check_layout(n: int, about: dict):
    """Refuse a saved description that does not describe ``n`` sites."""
    shape, cells, radius = about["shape"], about["_cells"], about["radius"]
    if about["_nodes"] is not None:
        _labels(about["_nodes"], n)
    if about["_attributes"] is not None and set(about["_attributes"]) != _ATTRIBUTES:
        raise ValueError("its attributes are unknown")
    if (about["kind"] not in KINDS or (about["kind"] == "grid" and shape is None)
            or type(about["torus"]) is not bool or about["neighbourhood"] not in (None, *NEIGHBOURHOODS)
            or not (radius is None or _count("radius", radius, 1))):
        raise ValueError("its layout is unknown")
    for name, kinds in (("_cells", "iu"), ("_positions", "f")):
        array = about[name]
        if array is not None and (array.shape != (n, 2) or array.dtype.kind not in kinds
                                  or not np.isfinite(array).all()):
            raise ValueError(f"its {name[1:]} have shape {array.shape} and type {array.dtype}")
    if shape is None:
        fits = cells is None
    else:
        size = [_count("shape", side, 1) for side in shape]
        fits = len(size) in (1, 2) and (math.prod(size) == n if cells is None else bool(
            cells.min() >= 0 and (cells < [1, *size][-2:]).all() and len(np.unique(cells, axis=0)) == n))
    if not fits:
        raise ValueError(f"its shape {shape} does not fit its cells")


def _encode(value, what: str):
    """Turn a label or attribute into JSON values, keeping the types that networkx graphs use."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is np.ndarray:
        return {"array": [_encode(value.tolist(), what)]}
    if type(value) in (tuple, list, set, frozenset):
        return {type(value).__name__: [_encode(item, what) for item in value]}
    if type(value) is dict:
        return {"dict": [[_encode(k, what), _encode(v, what)] for k, v in value.items()]}
    raise TypeError(f"{what} {value!r} of type {type(value).__name__} cannot be saved; labels may be numbers,"
                    " strings, booleans or tuples of them")


def _decode(value):
    """Undo `_encode`."""
    if not isinstance(value, dict):
        return value
    (kind, items), = value.items()
    if kind == "dict":
        return {_decode(k): _decode(v) for k, v in items}
    make = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset,
            "array": lambda items: np.array(*items)}[kind]
    return make([_decode(item) for item in items])


def _encode_attributes(attributes):
    """Encode the attributes of a graph, leaving out what has no JSON form."""
    lost = set()

    def kept(mapping):
        out = {}
        for name, value in mapping.items():
            try:
                _encode(name, "attribute"), _encode(value, "attribute")
                out[name] = value
            except TypeError:
                lost.add(str(name))
        return out

    plain = attributes | {"graph": kept(attributes["graph"])} | {
        part: {key: kept(value) for key, value in attributes[part].items()} for part in ("nodes", "edges")}
    if lost:
        warnings.warn(f"graph attributes that cannot be saved are left out: {', '.join(sorted(lost))}",
                      stacklevel=4)
    return _encode(plain, "attribute")


def in_words(topology) -> str:
    """Say in a few words what a topology was made from."""
    if topology.shape is None:
        return "Mesa space" if topology.kind == "space" else "network"
    if len(topology.shape) == 1:
        words = ["ring" if topology.torus else "line"]
    else:
        words = ["x".join(map(str, topology.shape)), topology.neighbourhood or "rewired",
                 "torus" if topology.torus else "bounded grid"]
    if topology.kind == "space":
        words.insert(0, "Mesa")
    if (topology.radius or 1) > 1:
        words.append(f"of radius {topology.radius}")
    return " ".join(words).replace("_", " ")


def in_html(topology) -> str:
    """Return a small table that describes a topology."""
    spread = topology.out_degree.min(), topology.out_degree.mean(), topology.out_degree.max()
    rows = {
        "made from": in_words(topology), "sites": f"{topology.n_sites:,}",
        "ties": f"{topology.n_ties:,} ({'directed' if topology.directed else 'undirected'})",
        "out-ties per site": f"{spread[0]} to {spread[2]}, mean {spread[1]:.3g}",
    }
    if topology.slot_weight is not None:
        rows["weights"] = f"{topology.weight.min():.3g} to {topology.weight.max():.3g}"
    body = "".join(f"<tr><th style='text-align:left'>{k}</th><td style='text-align:left'>{v}</td></tr>"
                   for k, v in rows.items())
    return f"<table><caption>Topology</caption>{body}</table>"
