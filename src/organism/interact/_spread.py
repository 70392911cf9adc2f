"""What goes between neighbours: diffusion, the exchange of surplus for want; and what grows again."""

from __future__ import annotations

import numpy as np

from .._checks import closest, crew, number, whole
from .._dispatch import neighbours
from ._reduce import SUM, _reduced
from ._walks import address, grid_shape, kind_of, owned, read, room, same, walk

__all__ = ["diffuse", "flow", "regrow"]

STEP = 3
KINDS = ("linear", "logistic")


def _rates(name, rate, columns, low=0.0):
    """Return a rate a column, or say what is wrong with one."""
    rates = np.atleast_1d(np.asarray(rate))
    if rates.dtype.kind not in "iufb" or rates.ndim > 1 or len(rates) not in (1, columns):
        raise ValueError(f"{name} must be one number, or one for each of the {columns} columns, not {rate!r:.60}")
    for one in rates.tolist():
        number(name, one, low)
    return np.broadcast_to(rates.astype(np.float64), columns)


def diffuse(topology, values, rate, steps: int = 1, *, out=None, threads: int = 1) -> np.ndarray:
    """Take explicit steps of diffusion: a part of what each site has goes along each of its ties.

    Synchronous. x_i ← x_i + h (Σ_j w_ji x_j − x_i Σ_j w_ij), that is x ← x − hLx on an undirected topology: the
    forward Euler step of the heat equation. What leaves a site arrives at others, so column sums stay the same to
    rounding. Each mode of the Laplacian with eigenvalue λ shrinks by 1 − hλ a step.

    Parameters
    ----------
    topology : Topology
        N sites; its weights, none negative, count.
    values : array_like of float32 or float64, shape (N,) or (N, …), or the grid's shape and further columns
    rate : float or array_like of float, shape (columns,)
        h, the part that goes along a tie of weight 1 in a step, one for all columns or one each. At least 0, and h
        times the most that leaves a site, max_i Σ_j w_ij, at most 1: more would take what is not there, and beyond
        twice that much the steps explode.
    steps : int, default 1
        At least 0.
    out : ndarray, optional
        C-contiguous, of the type and shape of ``values``; may be ``values`` itself, and a `Field`.
    threads : int, default 1
        The result does not depend on it.

    Returns
    -------
    ndarray
        Of the shape and type of ``values``.

    References
    ----------
    LeVeque (2007) *Finite Difference Methods for Ordinary and Partial Differential Equations*, chapter 9.

    Examples
    --------
    >>> from organism import Topology
    >>> diffuse(Topology.grid((5,)), np.array([1., 0, 0, 0, 0]), 0.25)
    array([0.5 , 0.25, 0.  , 0.  , 0.25])
    """
    given, along = walk(topology), walk(topology, 1, "in")
    rows, shape = read("values", values, topology, "f")
    columns, steps, threads = rows.shape[1], whole("steps", steps, 0), crew(threads)
    rates = _rates("rate", rate, columns)
    weight = given.weights("ties", np.float64)
    if weight is not None and len(weight) and weight.min() < 0:
        raise ValueError(f"weights must not be negative for diffusion; that of tie {int(weight.argmin())} is "
                         f"{weight.min():g}")
    most, at = given.strongest
    if rates.size and rates.max() * most > 1 + 1e-12:
        raise ValueError(f"rate must be in [0, {1 / most:.6g}], not {rates.max():g}: site {at} has ties of {most:g} in "
                         "all, and no more can leave a site than it has")
    out = owned(out)
    over = same(out, np.asarray(values))
    made = room(out, shape, rows.dtype, None if over else rows)
    here = made.reshape(rows.shape)
    if not rows.size or not steps:
        here[...] = rows
        return made
    kind = kind_of(rows)
    if given.grid and weight is None:
        grid, reach, moore, torus = given.grid
        tiled = np.ascontiguousarray(np.tile(rates, grid[1]), rows.dtype)
        for step in range(steps):           # from the second on over itself: it keeps rows as long as it needs them
            neighbours.on_grid(kind, STEP, address(here if step else rows), address(here), grid, columns, reach, moore,
                               torus, False, threads, address(tiled), 0 if torus else address(given.degree))
        return made
    own, back = given.strengths(rows.dtype), along.weights("ties", rows.dtype)
    rates, other = rates.astype(rows.dtype), None
    if columns > 1 or back is not None:
        ties = along.ties
    else:
        ties, own = along.slices, None if given.even else own
    if steps > 1 or over:
        other = np.empty_like(rows)
    there = here if steps % 2 and not over else other     # so that the last step ends where it should
    for _ in range(steps):
        neighbours.diffuse(kind, address(rows), address(there), address(back), address(own), address(rates), ties,
                           columns, threads)
        rows, there = there, here if there is other else other
    if rows is not here:
        here[...] = rows
    return made


def flow(topology, stock, reserve, *, sharing=None, weights=None, loss: float = 0.0, flows=None, out=None,
         threads: int = 1):
    """Let those who have more than their reserve give to neighbours who have less: one conserving exchange.

    Synchronous, in two passes, as in a world's tick (MODEL.md, "share"). Donor i has s_i = max(0, x_i − r_i) to give
    and sees wants d_j = max(0, r_j − x_j); it sends min(s_i, Σ_j d_j), divided as w_ij d_j. So a site may get more than
    it wants, from several.

    Parameters
    ----------
    topology : Topology
        N sites; i can give to j along i → j.
    stock : array_like of float32 or float64, shape (N,) or (N, …), or the grid's shape and further columns
        x, one column a resource, at least 0.
    reserve : array_like of float
        r, at least 0, of a shape that broadcasts to that of ``stock``.
    sharing : array_like of bool, shape (N,) or the grid's, optional
        Who gives; by default all.
    weights : {None, "ties"} or array_like of float, shape (n_ties,)
        w, at least 0; only the ratios of those of one donor count. Those of weight 0 get nothing and are not counted.
    loss : float, default 0
        Part of what is sent that is lost, in [0, 1].
    flows : ndarray, shape (n_ties, columns), optional
        Where to put what goes along every tie, as sent, in the order of ``topology.source``.
    out : ndarray, optional
        C-contiguous, of the type and shape of ``stock``; may be ``stock`` itself, and a `Field`.
    threads : int, default 1

    Returns
    -------
    stock, sent, received : ndarray
        Of the shape and type of ``stock``: x − sent + (1 − loss) · received, what each site sent, and what came to it
        before the loss. Sums of sent and received are the same to rounding.

    Examples
    --------
    >>> from organism import Topology
    >>> flow(Topology.grid((3,), torus=False), [4., 1., 0.], 2.)[0]
    array([3., 2., 0.])
    """
    give, take = walk(topology), walk(topology, 1, "in")
    rows, shape = read("stock", stock, topology, "f")
    dtype, loss = rows.dtype, number("loss", loss, 0, 1)
    keep = np.asarray(reserve)
    try:
        if keep.dtype.kind not in "iufb":
            raise TypeError
        keep = np.ascontiguousarray(np.broadcast_to(keep, shape), dtype).reshape(rows.shape)
    except (ValueError, TypeError):
        raise ValueError(f"reserve must be numbers that broadcast to the stock's shape {shape}, not of type "
                         f"{keep.dtype} and shape {keep.shape}") from None
    for name, some in (("stock", rows), ("reserve", keep)):
        if some.size and not (some.min() >= 0 and np.isfinite(some).all()):
            at = int(np.flatnonzero(~((some >= 0) & np.isfinite(some)).all(axis=1))[0])
            raise ValueError(f"{name} must be finite and at least 0; that of site {at} is {some[at].tolist()}")
    kept = give.weights(weights, np.float64)
    if kept is not None and kept.size and kept.min() < 0:
        raise ValueError(f"weights must not be negative; that of tie {int(kept.argmin())} is {kept.min():g}")
    if kept is not None:
        kept = _tamed(kept, give).astype(dtype, copy=False)
    givers, threads = None, crew(threads)
    if sharing is not None:
        givers = np.asarray(sharing)
        if givers.dtype != bool or givers.shape not in ((topology.n_sites,), grid_shape(topology)):
            raise ValueError(f"sharing must say true or false of each of the {topology.n_sites} sites, not be of type "
                             f"{givers.dtype} and shape {givers.shape}")
        givers = givers.reshape(-1)
    out = owned(out)
    made = room(out, shape, dtype, None if same(out, np.asarray(stock)) else rows)
    if flows is not None:
        room(flows, (topology.n_ties, rows.shape[1]), dtype, rows, kept, made, name="flows")

    want = np.maximum(keep - rows, 0)
    asked, weighed = np.empty_like(rows), np.empty_like(rows)
    if kept is None:
        _reduced(SUM, topology, want, give, None, False, threads, asked)
        weighed = asked
    else:
        _reduced(SUM, topology, want, give, (kept > 0).astype(dtype), False, threads, asked)
        _reduced(SUM, topology, want, give, kept, False, threads, weighed)
    sent = np.minimum(np.maximum(rows - keep, 0), asked)
    if givers is not None:
        sent[~givers] = 0
    sent[weighed <= 0] = 0
    with np.errstate(over="ignore"):
        part = np.divide(sent, weighed, out=np.zeros_like(rows), where=weighed > 0)
    received = np.empty_like(rows)
    back = None if kept is None else np.ascontiguousarray(kept[take.order])
    _reduced(SUM, topology, part, take, back, False, threads, received)
    with np.errstate(over="ignore", invalid="ignore"):
        received *= want
        left = rows - sent + (1 - loss) * received
    _conserved(sent, received, left, give, take)
    if flows is not None:
        flows[...] = part[topology.source]
        if kept is not None:
            flows *= kept[:, None]      # first, as above: without its weight a part may be too large for the type
        flows *= want[topology.target]
    made.reshape(rows.shape)[...] = left
    return made, sent.reshape(shape), received.reshape(shape)


def _tamed(kept, give):
    """Scale each donor's weights by a power of two if some are very large or tiny; no bit of the result is another."""
    if not kept.size or (kept.min() > 2.0**-32 and kept.max() < 2.0**32):
        return kept
    most, has = np.zeros(len(give.degree)), give.degree > 0
    most[has] = np.maximum.reduceat(kept, give.ptr[:-1][has])
    return np.ldexp(kept, -np.repeat(np.frexp(most)[1], give.degree))


def _conserved(sent, received, left, give, take):
    """Refuse an exchange whose numbers lie so far apart that the type loses some of what is sent."""
    if not sent.size:
        return
    of_one = int(give.degree.max()) + int(take.degree.max()) + 8    # roundings of what goes from one to one
    kind = np.finfo(sent.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        away, come = (one.sum(axis=0, dtype=np.float64) for one in (sent, received))
        fine = abs(away - come) <= of_one * float(kind.eps) * away + len(sent) * float(kind.tiny)
        fine &= np.isfinite(left.sum(axis=0, dtype=np.float64))
    if not fine.all():
        raise ValueError(f"stock, reserve and weights must not be so large or far apart that {sent.dtype} cannot hold "
                         f"their sums and products: of {away[~fine][0]:g} sent {come[~fine][0]:g} would arrive in "
                         f"column {int(np.flatnonzero(~fine)[0])}")


def regrow(values, rate, capacity, kind: str = "linear", *, out=None) -> np.ndarray:
    """Let resources grow again, up to a capacity.

    Element by element, once. "linear": x ← min(K, x + r), as in Sugarscape (Epstein and Axtell 1996, rule G_α).
    "logistic": x ← x + r x (1 − x/K), the discrete form of Verhulst's; what is 0 stays 0.

    Parameters
    ----------
    values : array_like of float or int
        x, at least 0. Whole numbers grow by whole numbers, and linearly only.
    rate : array_like
        r, at least 0; for "logistic" at most 2, beyond which the steps of this map no longer settle.
    capacity : array_like
        K, at least 0, and no more than the type of ``values`` can hold. What is above stays as it is ("linear") or
        shrinks ("logistic").
    kind : {"linear", "logistic"}
    out : ndarray, optional
        Of the type and shape of ``values``; may be ``values`` itself, and a `Field`.

    Returns
    -------
    ndarray
        Of the shape and type of ``values``.

    Examples
    --------
    >>> regrow(np.array([0, 2, 4]), 1, 4)
    array([1, 3, 4])
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be 'linear' or 'logistic', not {kind!r}" + closest(str(kind), KINDS))
    x, r, top = np.asarray(values), np.asarray(rate), np.asarray(capacity)
    for name, some, most in (("values", x, np.inf), ("rate", r, 2 if kind == "logistic" else np.inf),
                             ("capacity", top, np.inf)):
        said = "finite and at least 0" if most == np.inf else f"in [0, {most:g}]"
        if some.dtype.kind not in "iuf":
            raise ValueError(f"{name} must be numbers {said}, not of type {some.dtype}")
        _all(name, some, (some >= 0) & (some <= most) & np.isfinite(some), said)
        try:
            np.broadcast_to(some, x.shape)
        except ValueError:
            raise ValueError(f"{name} must broadcast to the values' shape {x.shape}, not {some.shape}") from None
    if x.dtype.kind == "f":
        limit = np.finfo(x.dtype).max
        _all("capacity", top, top <= limit, f"of at most {limit:g}, as values are of type {x.dtype}")
    else:
        if kind == "logistic":
            raise TypeError(f"values must be float32 or float64 for logistic growth, not of type {x.dtype}")
        limit = int(np.iinfo(x.dtype).max)
        for name, some in (("rate", r), ("capacity", top)):
            _all(name, some, some == np.floor(some), f"without a fraction, as values are of type {x.dtype}")
        _all("capacity", top, ~_beyond(top, limit), f"of at most {limit}, as values are of type {x.dtype}")
        r, top = (np.where(_beyond(some, limit), x.dtype.type(limit), np.where(_beyond(some, limit), 0, some).astype(
            x.dtype)) for some in (r, top))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if kind == "logistic":
            change = np.where(r > 0, r * x * (1 - x / top), 0)          # x / top can be too large for the type
            grown = np.maximum(x + np.where(top > 0, change, -x), 0)
        elif x.dtype.kind == "f":
            grown = np.maximum(x, np.minimum(top, x + r))
        else:
            grown = x + np.minimum(r, np.maximum(x, top) - x)       # x + r could be more than the type holds
    out = owned(out)
    made = out if same(out, x) and out.flags.writeable else room(out, x.shape, x.dtype)
    made[...] = grown
    return made


def _all(name, some, fine, said):
    """Refuse numbers of which some are not fine, and say which is the first."""
    if not fine.all():
        at = tuple(np.argwhere(~fine)[0].tolist())
        raise ValueError(f"{name} must be numbers {said}, not {some[at]}" + (f" as at {at}" if at else ""))


def _beyond(some, limit):
    """Tell which whole numbers are above the greatest of a type, also if they are floats, which cannot hold it."""
    return some.astype(np.float64) >= limit + 1.0 if some.dtype.kind == "f" else some > limit
