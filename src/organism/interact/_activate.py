"""A local rule under a named activation."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np

from .._checks import closest, seed, whole
from .._dispatch import games
from ._rules import READY, compiled
from ._walks import grid_shape, owned, read, room, same, walk

__all__ = ["Activated", "activate"]

ACTIVATIONS = ("synchronous", "fixed", "permutation", "replacement", "edge", "pairs", "exponential")
GOALS = (None, "consensus", "still")
OUTSIDE, NOT_FINITE, SHARED_NOT_FINITE = 2, 3, 4
EVER = 2**62
#: What a rule in Python is called with, in this order.
ARGUMENTS = ("site", "partner", "neighbours", "weights", "state", "out", "shared", "u")


@dataclass(frozen=True, eq=False)
class Activated:
    """What a rule made of the state.

    Attributes
    ----------
    state : ndarray of float64
        Of the shape of the state given.
    shared : ndarray of float64
        The shared state.
    steps, events : int
        Whole sweeps and events that took place.
    time : float
        Time of the clocks under "exponential", else the number of whole sweeps.
    met : bool
        Whether ``until`` was met.
    seed : int
        Of the random numbers.
    """

    state: np.ndarray
    shared: np.ndarray
    steps: int
    events: int
    time: float
    met: bool
    seed: int


def activate(topology, state, rule, activation: str = "synchronous", steps: int | None = None, *,
             events: int | None = None, duration: float | None = None, rates=None, parameters: dict | None = None,
             shared=None, draws: int | None = None, closing: bool = False, until=None, direction: str = "out",
             weights="ties", rng=None, out=None) -> Activated:
    """Apply a local rule under a named activation, in one compiled loop.

    A *sweep* is one step of time. In it an event happens to

    =================  ============================================================================================
    ``"synchronous"``  every site, once; all read what was there before the sweep
    ``"fixed"``        every site, once, in the order of permanent ids; each reads what the ones before it wrote, as
                       under all that follow
    ``"permutation"``  every site, once, in a new random order each sweep
    ``"replacement"``  N times a uniform site
    ``"edge"``         N times the two ends of a uniform tie, in random direction
    ``"pairs"``        ⌊N/2⌋ pairs of a random perfect matching of all sites, tied or not; of an odd number one is
                       left out
    ``"exponential"``  N times the site whose clock rings first; clocks are exponential with a rate for each site, and
                       the time passes (Gillespie 1977)
    =================  ============================================================================================

    The same rule has another law under each of them: say which one a result is of.

    Parameters
    ----------
    topology : Topology
        N sites.
    state : array_like of float, shape (N,) or (N, columns), or the grid's shape and columns if any
        Finite. It is copied; if anything fails it is as it was.
    rule : str, callable or compiled function
        A ready-made rule (see Notes), or your own: a Python callable; a `scipy.LowLevelCallable`; what
        ``numba.cfunc(RULE_NUMBA)`` returns; a ctypes function of type ``RULE``. All run in the same loop, with the
        same random numbers.
    activation : str
        One of those above.
    steps : int, optional
        The most sweeps; by default 1, or any number if there are ``events``, a ``duration`` or ``until``.
    events : int, optional
        The most events; not under "synchronous". The last sweep may stay unfinished.
    duration : float, optional
        Under "exponential": the time at which it ends.
    rates : array_like of float, shape (N,), or float, optional
        Under "exponential": of the clocks, at least 0, per unit of time; by default 1.
    parameters : dict, optional
        Of a ready-made rule, see Notes.
    shared : array_like of float, shape (globals,), optional
        State that all sites share, finite, also copied. With a ready-made rule: that of an earlier result, to go on.
    draws : int, optional
        How many uniforms in [0, 1) your rule gets at each event; by default 1.
    closing : bool, default False
        Whether your rule is also called at the end of every whole sweep, as site −1 with degree N, to take the shared
        state a step on. Then, under "synchronous", ``state`` is still as before the sweep, and ``out`` as after it.
    until : {"consensus", "still"} or callable, optional
        What ends it early, looked at after every whole sweep: all sites having the same in column 0; a sweep having
        changed nothing; or ``until(state, shared)`` being true.
    direction : {"out", "in"}
        Whether neighbours are the ends of out-ties or of in-ties.
    weights : {"ties", None} or array_like of float, shape (n_ties,)
        What rules get as the ties' weights.
    rng : int, SeedSequence or Generator, optional
        Seeds one stream, xoshiro256**, for whose turn it is and for the draws.
    out : ndarray of float64, optional
        Where to put the state: of its shape, maybe ``state`` itself, and a `Field`. Written only if all went well.

    Returns
    -------
    Activated
        With `state`, `shared`, `steps`, `events` and `time`.

    Raises
    ------
    ValueError
        If the rule left NaN or infinity, which is looked at after every sweep.
    RuntimeError
        If a compiled rule wrote to neighbours or weights, or beside its arrays. The latter is seen up to 64 numbers
        away; further off anything may happen.

    Notes
    -----
    **Ready-made rules.** Column 0 is a site's opinion, strategy or task. "A neighbour" is the partner under "edge" and
    "pairs", else one drawn in proportion to weight.

    ======================  ======================================================================================
    ``voter``               takes the opinion of a neighbour (Clifford and Sudbury 1973; Holley and Liggett 1975)
    ``invasion``            gives its opinion to a neighbour (Castellano 2005). Not synchronous
    ``threshold``           columns: active (0 or 1), threshold. Becomes active if the share of active neighbours is
                            at least its threshold; ``absolute``: their number; ``everyone``: the share of all sites;
                            ``reversible``: otherwise becomes inactive (Granovetter 1978; Morris 2000; Watts 2002).
                            ``shared[0]`` is how many are active
    ``majority``            takes what most neighbours and, with ``include_self`` (True), the site have; keeps its own
                            if that is among the most frequent, else draws (Galam 1986; Krapivsky and Redner 2003)
    ``best_response``       column 0: strategy. Takes the best against its neighbours' strategies; keeps its own if it
                            is among the best, else the first; with probability ``error`` (0) a uniform one.
                            ``payoff``: A[own, other] (Kandori, Mailath and Rob 1993; Ellison 1993)
    ``exchange``            one of the two, either with probability ½, gives the other a ``unit`` (1) of column 0 if it
                            has one (Drăgulescu and Yakovenko 2000). Not synchronous
    ``cross_learning``      columns: probabilities of the actions. Both play and learn, x_a += d·u (1 − x_a) and
                            x_b −= d·u x_b, u being the payoff, in [0, 1], of action a. ``payoff``: A[own, other], or
                            (A, B) for the site and for the neighbour, [site's, neighbour's]; ``rate``: d (.01) (Cross
                            1973; Börgers and Sarin 1997). Not synchronous
    ``response_threshold``  columns: task (0: idle, 1 … T), threshold θ for each task. The idle look at one uniform
                            task and take it up with probability s²/(s² + θ²); the busy ``leave`` with a probability
                            (.2). Then θ falls by ``learn`` (0) for the own task and rises by ``forget`` (0) for the
                            others, in [0, ``highest``]. At the end of a sweep s ← max(0, s + ``demand`` (1) −
                            ``work`` (3) · busy / N), from ``stimulus`` (0); ``shared[5:5 + T]`` is s (Bonabeau,
                            Theraulaz and Deneubourg 1996; Theraulaz, Bonabeau and Deneubourg 1998)
    ======================  ======================================================================================

    **Your own.** In Python: ``rule(site, partner, neighbours, weights, state, out, shared, u)``. ``partner`` is −1
    where there is none. ``state`` and ``out`` are (N, columns), or (N,) if the state had no columns; ``out`` is where
    to write. Under "synchronous" it holds a copy of ``state``, which is then read-only; else it *is* ``state``. Write
    to the row of the site (and of the partner) only, and return nothing. ``neighbours`` are in the order of permanent
    ids; ``u`` holds the draws. If it raises, that goes on to the caller, whose arrays are as they were; of a compiled
    rule Python cannot know (numba prints what a ``cfunc`` raises, and goes on).

    In C the same, all arrays flat, row by row::

        void rule(int64_t site, int64_t partner, int64_t degree, const int32_t *neighbours, const double *weights,
                  const double *state, double *out, int64_t columns, double *shared, const double *u);

    One rule in three ways: a site moves by a random part of the way to the mean of its neighbours.

    1. Python:

    >>> import numpy as np
    >>> from organism import Topology
    >>> def towards(site, partner, neighbours, weights, state, out, shared, u):
    ...     if len(neighbours):
    ...         out[site] += u[0] * shared[0] * (state[neighbours].sum() / len(neighbours) - state[site])
    >>> ring, x = Topology.grid((6,)), np.arange(6.)
    >>> activate(ring, x, towards, "permutation", 2, shared=[.5], rng=1).state.shape
    (6,)

    2. numba (no need of `organism` for it; tens of times faster)::

        import numba
        from organism.interact import RULE_NUMBA

        @numba.cfunc(RULE_NUMBA)
        def towards(site, partner, degree, neighbours, weights, state, out, columns, shared, u):
            total = 0.0
            for k in range(degree):
                total += state[neighbours[k]]
            if degree:
                out[site] += u[0] * shared[0] * (total / degree - state[site])

        activate(ring, x, towards, "permutation", 2, shared=[.5], rng=1)   # or scipy.LowLevelCallable(towards.ctypes)

    3. C, in a shared library (``cc -O2 -shared -fPIC towards.c -o towards.so``)::

        #include <stdint.h>
        void towards(int64_t site, int64_t partner, int64_t degree, const int32_t *neighbours, const double *weights,
                     const double *state, double *out, int64_t columns, double *shared, const double *u) {
            double total = 0;
            for (int64_t k = 0; k < degree; k++) total += state[neighbours[k]];
            if (degree) out[site] += u[0] * shared[0] * (total / degree - state[site]);
        }

        import ctypes
        from organism.interact import RULE
        activate(ring, x, RULE(("towards", ctypes.CDLL("./towards.so"))), "permutation", 2, shared=[.5], rng=1)

    References
    ----------
    Gillespie (1977) Exact stochastic simulation of coupled chemical reactions. *J. Physical Chemistry* 81: 2340-2361.
    Clifford and Sudbury (1973) A model for spatial conflict. *Biometrika* 60: 581-588.
    Holley and Liggett (1975) Ergodic theorems for weakly interacting infinite systems. *Ann. Probability* 3: 643-663.
    Castellano (2005) Effect of network topology on the ordering dynamics of voter models. *AIP Conf. Proc.* 779: 114.
    Granovetter (1978) Threshold models of collective behavior. *American J. Sociology* 83: 1420-1443.
    Morris (2000) Contagion. *Review of Economic Studies* 67: 57-78.
    Watts (2002) A simple model of global cascades on random networks. *PNAS* 99: 5766-5771.
    Galam (1986) Majority rule, hierarchical structures, and democratic totalitarianism. *J. Math. Psychology* 30: 426.
    Krapivsky and Redner (2003) Dynamics of majority rule in two-state systems. *Physical Review Letters* 90: 238701.
    Kandori, Mailath and Rob (1993) Learning, mutation, and long run equilibria in games. *Econometrica* 61: 29-56.
    Ellison (1993) Learning, local interaction, and coordination. *Econometrica* 61: 1047-1071.
    Drăgulescu and Yakovenko (2000) Statistical mechanics of money. *European Physical J. B* 17: 723-729.
    Cross (1973) A stochastic learning model of economic behavior. *Quarterly J. Economics* 87: 239-266.
    Börgers and Sarin (1997) Learning through reinforcement and replicator dynamics. *J. Economic Theory* 77: 1-14.
    Bonabeau, Theraulaz and Deneubourg (1996) Quantitative study of the fixed threshold model for the regulation of
    division of labour in insect societies. *Proc. R. Soc. B* 263: 1565-1569.
    Theraulaz, Bonabeau and Deneubourg (1998) Response threshold reinforcement and division of labour in insect
    societies. *Proc. R. Soc. B* 265: 327-332.

    Examples
    --------
    >>> start = np.array([0., 0, 0, 1, 0, 0])
    >>> activate(ring, start, "voter", "replacement", until="consensus", rng=2).state.tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    along = walk(topology, 1, direction)
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(map(repr, ACTIVATIONS))}, not {activation!r}"
                         + closest(str(activation), ACTIVATIONS))
    rows, shape = read("state", state, topology)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if bad.size:
        raise ValueError(f"state must be finite; that of site {bad[0]} is {rows[bad[0]].tolist()}")
    n, columns = rows.shape
    if not columns:
        raise ValueError("state must have at least one column")
    work, code, globals_, draws, closing = _rule(rule, activation, rows, parameters, shared, draws, closing)
    most_sweeps, most_events, duration = _limits(activation, steps, events, duration, until)
    goal = until if not callable(until) else None
    if goal not in GOALS:
        raise ValueError(f"until must be 'consensus', 'still' or callable, not {until!r}")
    weight = along.weights(weights, np.float64)
    if weight is not None and len(weight) and weight.min() < 0:
        raise ValueError(f"weights must not be negative; that of tie {int(weight.argmin())} is {weight.min():g}")
    if weight is None and work != "ready":
        weight = np.ones(topology.n_ties)
    giver, taker = _ties(topology, activation)
    if activation == "pairs" and n < 2:
        raise ValueError("topology must have at least 2 sites under 'pairs', not 1")
    made = None
    if out is not None:
        out = owned(out)
        made = room(out, shape, np.float64, None if same(out, np.asarray(state)) else rows)
    key, guards = seed(rng), games.guards
    ends = along.end
    if work == "compiled":                              # which cannot be kept from writing there
        ends, weight = ends.copy(), weight.copy()
        ties = ends.copy(), weight.copy()
    arrays = {"ptr": along.ptr, "end": _frozen(ends), "weight": None if weight is None else _frozen(weight),
              "giver": giver, "taker": taker,
              "order": np.argsort(topology.site_id, kind="stable").astype(np.int32),
              "rate_sum": _clocks(topology, rates, activation), "deck": None}
    arrays["deck"] = arrays["order"].copy()
    inside = {}
    for name, one in (("state", rows), ("other", rows), ("shared", globals_), ("u", np.zeros(draws))):
        arrays[name] = np.zeros(one.size + 2 * guards)
        inside[name] = arrays[name][guards:guards + one.size].reshape(one.shape)
        inside[name][...] = one
    flat = shape == (n,) or shape == grid_shape(topology)
    seen = {name: inside[name][:, 0] if flat else inside[name] for name in ("state", "other")}
    arrays["views"] = tuple(view for name in ("state", "other") for view in (seen[name], _frozen(seen[name])))
    arrays["views"] += (inside["shared"], _frozen(inside["u"]))
    run = games.Running((work, code), arrays, {
        "sites": n, "columns": columns, "ties": topology.n_ties, "globals": globals_.size, "draws": draws,
        "events": most_events, "duration": duration, "seed": key, "activation": ACTIVATIONS.index(activation),
        "closing": closing, "until": GOALS.index(goal)})
    met = _run(run, most_sweeps, until if callable(until) else None, seen, inside)
    if work == "compiled" and not (np.array_equal(ends, ties[0]) and np.array_equal(weight, ties[1])):
        raise RuntimeError("the rule wrote to neighbours or weights, which it may only read")
    last = inside["other" if run.swapped else "state"]
    if made is None:
        made = last.reshape(shape).copy()
    else:
        made[...] = last.reshape(shape)
    sweeps, happened, time = run.done
    return Activated(made, inside["shared"].copy(), sweeps, happened, time, met, key)


def _frozen(array):
    view = array.view()
    view.flags.writeable = False
    return view


def _rule(rule, activation, rows, parameters, shared, draws, closing):
    """Return a rule's kind, what the kernel knows it by, the shared state, draws, and whether it closes sweeps."""
    if isinstance(rule, str):
        if rule not in READY:
            raise ValueError(f"rule must be one of {', '.join(map(repr, READY))}, or your own, not {rule!r}"
                             + closest(rule, READY))
        ready = READY[rule]
        if activation == "synchronous" and not ready.synchronous:
            raise ValueError(f"activation of {rule!r} must not be 'synchronous': two sites could write to one")
        if not isinstance(parameters, dict | None):
            raise TypeError(f"parameters must be a dict of names and values, not {parameters!r:.60}")
        if shared is not None and parameters:
            raise ValueError("parameters are part of the shared state: give only one of the two")
        begin = (ready.begin(rule, rows, parameters) if shared is None else
                 ready.again(rule, rows, _globals(shared)))
        if draws is not None or closing:
            raise ValueError(f"draws and closing are for rules of your own; {rule!r} has what it needs")
        return "ready", ready.number, begin, ready.draws, ready.closing
    if parameters is not None:
        raise ValueError("parameters are for the ready-made rules; your own reads the shared state")
    draws = 1 if draws is None else whole("draws", draws, 0)
    where = compiled(rule)
    if where is None and not callable(rule):
        raise TypeError(f"rule must be a name, a callable or a compiled function, not {type(rule).__name__}")
    if where is None:
        _takes(rule)
    work = ("python", rule) if where is None else ("compiled", where)
    return *work, _globals(() if shared is None else shared), draws, bool(closing)


def _takes(rule):
    """Refuse a Python rule that cannot be called with what it will be given."""
    try:
        signature = inspect.signature(rule)
    except ValueError:                  # of some built-in functions nobody knows
        return
    try:
        signature.bind(*ARGUMENTS)
    except TypeError:
        raise TypeError(f"rule must take {len(ARGUMENTS)} arguments, ({', '.join(ARGUMENTS)}), and "
                        f"{getattr(rule, '__name__', type(rule).__name__)}{signature} does not") from None


def _globals(shared):
    given = np.asarray(shared)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iufb"):
        raise ValueError(f"shared must be numbers in one row, not {shared!r:.60}")
    given = given.astype(np.float64)
    if not np.isfinite(given).all():
        raise ValueError(f"shared must be finite; number {int(np.flatnonzero(~np.isfinite(given))[0])} is not")
    return given


def _limits(activation, steps, events, duration, until):
    """Return the most sweeps, the most events (-1: any) and the time at the end."""
    if events is not None:
        events = whole("events", events, 0)
        if activation == "synchronous":
            raise ValueError("events must not be given under 'synchronous': all sites have theirs at once; give steps")
    if duration is not None:
        if activation != "exponential":
            raise ValueError(f"duration must only be given under 'exponential': {activation!r} has no clocks")
        if not (isinstance(duration, (int, float, np.number)) and 0 <= duration < np.inf):
            raise ValueError(f"duration must be a number of 0 or more, not {duration!r}")
    if steps is None:
        steps = 1 if events is None and duration is None and until is None else EVER
    return whole("steps", steps, 0), -1 if events is None else events, np.inf if duration is None else float(duration)


def _ties(topology, activation):
    """Return the ends of the ties, in the order of their permanent ids."""
    if activation != "edge":
        return None, None
    if not topology.n_ties:
        raise ValueError("topology must have ties under 'edge', and has none")
    ids = topology.site_id
    order = np.lexsort((ids[topology.target], ids[topology.source]))
    return np.ascontiguousarray(topology.source[order]), np.ascontiguousarray(topology.target[order])


def _clocks(topology, rates, activation):
    """Return the sum of the clocks' rates so far, in the order of permanent ids."""
    if activation != "exponential":
        if rates is not None:
            raise ValueError(f"rates must only be given under 'exponential': {activation!r} has no clocks")
        return None
    n = topology.n_sites
    given = np.asarray(1.0 if rates is None else rates)
    if given.dtype.kind not in "iufb" or given.shape not in ((), (n,), grid_shape(topology)):
        raise ValueError(f"rates must be one number, or one for each of the {n} sites, not of shape {given.shape}")
    given = np.broadcast_to(given.astype(np.float64).reshape(-1), n)
    bad = np.flatnonzero(~((given >= 0) & np.isfinite(given)))
    if bad.size:
        raise ValueError(f"rates must be finite and at least 0; that of site {bad[0]} is {given[bad[0]]:g}")
    total = np.cumsum(given[np.argsort(topology.site_id, kind="stable")])
    if not 0 < total[-1] < np.inf:
        raise ValueError("rates must have a finite sum above 0")
    return total


def _run(run, sweeps, until, seen, inside):
    """Run the loop, in one go or sweep by sweep, and say what went wrong with the rule."""
    met = False
    while sweeps > 0 and not run.met and not met:
        many = 1 if until is not None else sweeps
        before = run.done[0]
        run.run(many)
        now = "other" if run.swapped else "state"
        if run.stop == OUTSIDE:
            raise RuntimeError("the rule wrote outside its state, or of the shared state or the draws; "
                               "look for a wrong index in it")
        if run.stop == NOT_FINITE:
            raise ValueError(f"the rule must leave finite numbers, and left {inside[now][run.bad].tolist()} at site "
                             f"{run.bad}, in sweep {run.done[0]}")
        if run.stop == SHARED_NOT_FINITE:
            raise ValueError(f"the rule must leave finite numbers, and left {inside['shared'][run.bad]} as number "
                             f"{run.bad} of the shared state, in sweep {run.done[0]}")
        if until is not None and run.done[0] > before:
            met = bool(until(_frozen(seen[now]), _frozen(inside["shared"])))
        sweeps -= many
        if run.done[0] == before:
            break
    return met or run.met == 1
