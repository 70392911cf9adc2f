"""Games between neighbours, and whom they imitate: all sites at once."""

from __future__ import annotations

import numpy as np

from .._checks import closest, crew, generator, number
from .._dispatch import games
from ._reduce import neighbour_max
from ._walks import address, array_of, grid_shape, read, room, walk

__all__ = ["imitate", "play"]

RULES = ("best", "proportional", "fermi")


def payoffs_of(payoff) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Return the payoffs as row, those as column (None: one role), and the number of strategies."""
    said = "payoff must be a square matrix [own, other], or a pair of them of one shape for two roles"
    try:
        given = np.asarray(payoff)
    except ValueError:
        given = None
    if given is None or given.dtype.kind not in "iufb":
        raise ValueError(f"{said}, of numbers")
    if given.ndim not in (2, 3) or given.shape[-1] != given.shape[-2] or not given.size or (
            given.ndim == 3 and len(given) != 2):
        raise ValueError(f"{said}, not of shape {given.shape}")
    given = np.ascontiguousarray(given, np.float64)
    if games.unbounded(address(given), given.size) >= 0:
        at = tuple(np.argwhere(~np.isfinite(given))[0].tolist())
        raise ValueError(f"payoff must be finite; that at {at} is {given[at]}")
    return (given, None, given.shape[1]) if given.ndim == 2 else (given[0], given[1], given.shape[1])


def strategies_of(topology, strategies, roles: bool = False) -> tuple[np.ndarray, tuple]:
    """Return strategies as whole numbers of 1, 4 or 8 bytes, (N, 1) or (N, 2), and the shape that they came in."""
    given = array_of("strategies", strategies)
    n = topology.n_sites
    kind = given.dtype                                  # those that the compiled loops read as they are are let through
    if given.size == n and kind.kind in "bi" and kind.itemsize != 2 and kind.isnative and given.flags.c_contiguous and (
            given.shape == (n,) or given.shape == grid_shape(topology)):
        return given.reshape(n), given.shape
    if given.dtype.kind not in "biu":
        raise TypeError(f"strategies must be whole numbers, not of type {given.dtype}")
    rows, shape = read("strategies", given, topology, "biu")
    many = (1, 2) if roles else (1,)
    if rows.shape[1] not in many:
        each = "one a site, or two, for either role," if roles else "one a site,"
        raise ValueError(f"strategies must be {each} not of shape {shape}")
    if rows.shape[1] == 1:
        return rows.reshape(n), shape
    return rows, shape


def coded(strategies, kinds: int, small=False):
    """Read strategies into bytes or 32 bits, or say which is not below ``kinds``."""
    made = np.empty(strategies.size, np.uint8 if small else np.int32)
    to = (address(made), 0) if small else (0, address(made))
    bad = games.codes(address(strategies), strategies.itemsize, strategies.size, kinds, *to)
    if bad >= 0:
        raise ValueError(f"strategies must be in [0, {kinds - 1}]; that of site {bad} is {int(strategies[bad])}")
    return made


def near(along, weights=None) -> tuple:
    """Return the addresses of a walk's neighbours and of their weights."""
    return address(along.ptr), address(along.end), address(weights)


def _simple(along) -> bool:
    """Whether neighbours are those one step away on a grid that can be walked row by row."""
    return along.grid is not None and along.grid[1] == 1


def play(topology, strategies, payoff, *, weights=None, include_self: bool = False, average: bool = False, out=None,
         threads: int = 1) -> np.ndarray:
    """Let every site play a game with each of its neighbours, and return what each earns.

    Synchronous: strategies do not change. Payoffs are Σ_s n_s A[own, s] over the strategies s in order, n_s being how
    many neighbours play s, so that sites in equal situations earn the same to the last bit.

    Parameters
    ----------
    topology : Topology
        N sites. With one matrix each site plays with the ends of its out-ties.
    strategies : array_like of int, shape (N,) or the grid's; with two roles also (N, 2) or the grid's and 2
        In [0, M).
    payoff : array_like of float, shape (M, M), or two of them
        A[own, other]; finite. With a pair (A, B) the game has two roles: along each tie i → j, i plays row and earns
        A[s_i, s_j], and j plays column and earns B[s_i, s_j]; so a site has games along its out-ties and its in-ties.
        Strategies of shape (N, 2) are for row and for column.
    weights : {None, "ties"} or array_like of float, shape (n_ties,)
        How much the games along the ties count: None: 1; "ties": as the topology's ties weigh.
    include_self : bool, default False
        Whether a site also plays with itself (once in either role).
    average : bool, default False
        Divide by the (weighted) number of games; without games the payoff is 0.
    out : ndarray of float64, optional
    threads : int, default 1
        The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (N,) or the grid's

    References
    ----------
    Nowak and May (1992) Evolutionary games and spatial chaos. *Nature* 359: 826-829.

    Examples
    --------
    >>> from organism import Topology
    >>> play(Topology.grid((5,)), [0, 1, 0, 0, 0], [[1, 0], [1.8, 0]])
    array([1. , 3.6, 1. , 2. , 2. ])
    """
    along = walk(topology)
    first, second, kinds = payoffs_of(payoff)
    rows, shape = strategies_of(topology, strategies, second is not None)
    threads = crew(threads)
    weight = along.weights(weights, np.float64)
    if rows.ndim == 2:
        shape = shape[:-1]
    made = room(out, shape, np.float64, rows)
    if kinds == 2 and second is None and weight is None and _simple(along):
        small = coded(rows, 2, small=True)
        (height, width), _, moore, torus = along.grid
        games.play_grid(address(small), address(made), address(first), height, width, moore, torus,
                        bool(include_self), bool(average), threads)
        return made
    both = [coded(np.ascontiguousarray(one), kinds) for one in (rows.T if rows.ndim == 2 else (rows,))]
    back = walk(topology, 1, "in") if second is not None else along
    home = back.weights(weights, np.float64) if second is not None else None
    games.play_ties(address(both[0]), address(both[-1]), address(first), address(second), address(made),
                    near(along, weight), near(back, home), topology.n_sites, kinds, bool(include_self), bool(average),
                    threads)
    return made


def imitate(topology, strategies, payoffs, rule: str = "best", *, include_self: bool = True, intensity: float = 1.0,
            greatest: float | None = None, rng=None, out=None, threads: int = 1) -> np.ndarray:
    """Let every site take over the strategy of a neighbour that earned more, and return the new strategies.

    Synchronous: all see the strategies and payoffs of before.

    "best": the strategy of whoever earned most, the site itself included; its own if it is among the best, else of
    equals the first by permanent id (Nowak and May 1992). "proportional": a random neighbour j, with probability
    max(0, p_j − p_i) / greatest possible difference (Helbing 1992; Schlag 1998). "fermi": a random neighbour j, with
    probability 1 / (1 + exp(−β (p_j − p_i))) (Szabó and Tőke 1998; Traulsen, Nowak and Pacheco 2006).

    Parameters
    ----------
    topology : Topology
        N sites; they look at the ends of their out-ties, whatever these weigh.
    strategies : array_like of int, shape (N,) or the grid's
    payoffs : array_like of float, of the shape of ``strategies``
        What each earned; finite.
    rule : {"best", "proportional", "fermi"}
    include_self : bool, default True
        For "best": whether the site itself counts. A site without neighbours keeps its strategy.
    intensity : float, default 1
        For "fermi": β, at least 0; 1/K of Szabó and Tőke.
    greatest : float, optional
        For "proportional": the greatest difference that there can be, above 0; by default the greatest among these
        payoffs.
    rng : int, SeedSequence or Generator, optional
        For the rules that draw: of each site two uniforms, for the neighbour and for taking over.
    out : ndarray, optional
        Of the type and shape of ``strategies``, not ``strategies`` itself.
    threads : int, default 1
        The result does not depend on it.

    Returns
    -------
    ndarray
        Of the type and shape of ``strategies``.

    References
    ----------
    Nowak and May (1992) Evolutionary games and spatial chaos. *Nature* 359: 826-829.
    Helbing (1992) A mathematical model for behavioral changes by pair interactions. In *Economic Evolution and
    Demographic Change*, 330-348.
    Schlag (1998) Why imitate, and if so, how? *Journal of Economic Theory* 78: 130-156.
    Szabó and Tőke (1998) Evolutionary prisoner's dilemma game on a square lattice. *Physical Review E* 58: 69-73.
    Traulsen, Nowak and Pacheco (2006) Stochastic dynamics of invasion and fixation. *Physical Review E* 74: 011909.

    Examples
    --------
    >>> from organism import Topology
    >>> imitate(Topology.grid((5,)), [0, 1, 0, 0, 0], [1., 3.6, 1., 2., 2.])
    array([1, 1, 1, 0, 0])
    """
    along = walk(topology)
    if rule not in RULES:
        raise ValueError(f"rule must be 'best', 'proportional' or 'fermi', not {rule!r}" + closest(str(rule), RULES))
    given = array_of("strategies", strategies)
    rows, shape = strategies_of(topology, given)
    scores = array_of("payoffs", payoffs)
    if scores.shape != shape or scores.dtype.kind not in "iufb":
        raise ValueError(f"payoffs must be numbers in the shape of the strategies, {shape}, not "
                         f"{scores.dtype} {scores.shape}")
    scores = np.ascontiguousarray(scores, np.float64)
    bad = games.unbounded(address(scores), scores.size)
    if bad >= 0:
        raise ValueError(f"payoffs must be finite; that of site {bad} is {scores.reshape(-1)[bad]}")
    threads = crew(threads)
    made = room(out, shape, given.dtype, given, scores)
    if rule != "best":
        made.reshape(-1)[...] = _drawn(topology, along, rows, scores.reshape(-1), rule, intensity, greatest, rng)
        return made
    fits = made.dtype.itemsize == rows.dtype.itemsize and made.dtype.isnative
    to = made if fits else np.empty(shape, rows.dtype)
    if _simple(along):
        small = np.empty(rows.size, np.uint8)
        if games.codes(address(rows), rows.itemsize, rows.size, 2, address(small), 0) < 0:
            (height, width), _, moore, torus = along.grid
            games.imitate_grid(address(small), address(to), rows.itemsize, address(scores),
                               address(along.ptr), address(along.end), height, width, moore, torus,
                               bool(include_self), threads)
            rows = None
    if rows is not None:
        games.imitate_ties(address(rows), address(to), rows.itemsize, address(scores), address(along.ptr),
                           address(along.end), topology.n_sites, bool(include_self), threads)
    if not fits:
        made[...] = to
    return made


def _drawn(topology, along, rows, scores, rule, intensity, greatest, rng):
    """Return the strategies after each site has looked at a random neighbour."""
    intensity = number("intensity", intensity, 0, float("inf"), "[)")
    if greatest is not None:
        greatest = number("greatest", greatest, 0, float("inf"), "()")
    n, degree = topology.n_sites, along.degree
    draw = generator(rng).random((2, n))
    if not (np.diff(topology.site_id) > 0).all():
        draw = draw[:, np.argsort(np.argsort(topology.site_id))]
    has = np.flatnonzero(degree)
    other = np.arange(n)
    other[has] = along.end[along.ptr[has] + (draw[0, has] * degree[has]).astype(np.int64)]
    with np.errstate(over="ignore"):
        gain = scores[other] - scores
    if rule == "fermi":
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-intensity * gain))
    else:
        with np.errstate(over="ignore"):
            top = float(np.ptp(scores)) if n else 0.0
            most = float((neighbour_max(topology, scores) - scores)[has].max(initial=0)) if top else 0.0
        if not np.isfinite(top):
            raise ValueError(f"payoffs must have finite differences, and {scores.min():g} and {scores.max():g} have "
                             "not")
        if greatest is None:
            greatest = top
        elif most > greatest * (1 + 1e-12):
            raise ValueError(f"greatest must be at least the greatest difference of payoffs, {most:g}, "
                             f"not {greatest:g}")
        chance = np.maximum(gain, 0) / (greatest or 1.0)
    return np.where(draw[1] < chance, rows[other], rows)
