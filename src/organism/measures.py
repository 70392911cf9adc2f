"""What a population is like: welfare, inequality, division of labour, dependence.

Pure functions: a :class:`~organism.World` or plain arrays in, numbers out; nothing
is changed. Handed to ``world.record`` they make time series. Conventions, once:

* Only living members count. ``each=True`` returns one value a member, in the order
  of ``world.living``, instead of the mean.
* Nothing returns NaN. An index that is undefined (nobody alive, one member, one
  task, 0/0) is 0; :class:`Gorelick` and :class:`DivisionOfLabour` flag it.
* Information is in bits; goods, ticks and welfare are the model's units.

**Remembered acts as a sample.** ``task_counts`` forget: an act of *a* ticks ago
weighs γᵃ (γ = ``production.task_memory``). T acts in a row leave a row that sums to
S = (1 − γᵀ)/(1 − γ) and estimate the member's task mix as well as

    n = (Σ weight)² / Σ weight² = S (1 + γ) / (2 − S (1 − γ))

equally weighted acts would (Kish 1965, *Survey Sampling*): 399 for γ = .995 in the
long run, T while the member is young. This ``n`` is what the nulls below draw.

**The null of the division of labour** is a permutation: the remembered acts are
thrown together and dealt out again at random, every member getting back as many as
it had. So each member draws from the population's own mix, nobody has a mix of its
own, and members differ by the luck of few draws alone. Acts count as independent
draws. Where need makes members alternate between tasks, as it does in this model,
rows are less scattered than that and the test is conservative; where the same act
comes in bouts of b ticks the test is too sure of itself: pass ``draws`` = n/b.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._checks import seed as resolved
from .params import closest

__all__ = [
    "SCALARS",
    "DivisionOfLabour",
    "Gorelick",
    "activity",
    "dependence",
    "division_of_labour",
    "division_of_labour_test",
    "dominant_task",
    "effective_draws",
    "gini",
    "given",
    "gorelick",
    "reciprocity",
    "share_propensity",
    "share_rate",
    "specialisation",
    "task_persistence",
    "vital_signs",
    "welfare",
]

#: The names of Gorelick's three normalisations of the information I(member; task).
INDICES = ("ind", "task", "sym")


# -- reading a source -----------------------------------------------------------------


def _is_world(source) -> bool:
    return hasattr(source, "state") and hasattr(source, "living")


def _column(source, name: str) -> np.ndarray:
    """Return a column of the living members of a world, or a plain array, as float64."""
    if _is_world(source):
        return np.asarray(source.state[name][source.living], dtype=np.float64)
    values = np.asarray(source, dtype=np.float64)
    if not np.isfinite(values).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"{name}{list(bad)} must be finite, not {values[bad]}")
    return values


def _counts(source) -> np.ndarray:
    """Return the (members, tasks) table of remembered acts of a world or of an array."""
    counts = _column(source, "task_counts")
    if counts.ndim != 2:
        raise ValueError(f"task_counts must have two axes, members and tasks, not shape {counts.shape}")
    if (counts < 0).any():
        i, m = np.argwhere(counts < 0)[0]
        raise ValueError(f"task_counts[{i}, {m}] must be 0 or more, not {counts[i, m]}")
    return counts


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _ratio(above, below):
    """Divide, with 0 where the divisor is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.zeros(below.shape), where=below > 0)


def _entropy(p: np.ndarray, axis=None):
    """Return the entropy of ``p`` in bits, with 0 log 0 = 0."""
    return -(p * np.log2(np.where(p > 0, p, 1))).sum(axis=axis)


# -- welfare and what is exchanged ----------------------------------------------------


def welfare(source, *, each: bool = False):
    """Return the mean welfare of the living, each member's floored at 0.

    Parameters
    ----------
    source : World or array_like
        A world, or welfares.
    each : bool, default False
        Return one value a member instead.

    Returns
    -------
    float or ndarray of shape (members,)
        In [0, 1]; 0.0 if nobody lives.
    """
    values = np.maximum(0.0, _column(source, "welfare"))
    return values if each else _mean(values)


def gini(source) -> float:
    """Return the Gini coefficient of a world's welfare, or of given amounts.

    Parameters
    ----------
    source : World or array_like of shape (members,)
        A world, or amounts ≥ 0 (a stock, say).

    Returns
    -------
    float
        Half the mean difference of two draws over the mean: 0 if all are equal,
        1 − 1/members if one has everything; 0.0 if all amounts are 0. Not
        corrected for small samples (times members/(members − 1) would be).

    Raises
    ------
    ValueError
        If an amount is negative, NaN or infinite.
    """
    values = welfare(source, each=True) if _is_world(source) else np.ravel(_column(source, "amounts"))
    if (values < 0).any():
        i = int(np.argmax(values < 0))
        raise ValueError(f"amounts[{i}] must be 0 or more, not {values[i]}")
    n, total = values.size, values.sum()
    if not total > 0:
        return 0.0
    rank = np.arange(1, n + 1)
    return max(0.0, float((2 * rank - n - 1) @ np.sort(values) / (n * total)))


def given(source) -> float:
    """Return the goods a living member sent in the last tick, on average (goods/tick)."""
    return _mean(_column(source, "given"))


def share_rate(source) -> float:
    """Return the fraction of the living that were willing to share in the last tick."""
    return _mean(_column(source, "shared"))


def share_propensity(world, *, each: bool = False):
    """Return σ(φ·g): how ready members are to share, without the exploration floor.

    Parameters
    ----------
    world : World
    each : bool, default False
        Return one value a member instead of the mean.
    """
    policy = _column(world, "share_policy")
    logit = policy[:, 0] + 0.0
    if policy.shape[1] > 1:
        logit += (policy[:, 1:] * _column(world, "share_feature")).sum(axis=1)
    values = 0.5 * (1 + np.tanh(0.5 * logit))
    return values if each else _mean(values)


def activity(world) -> float:
    """Return the fraction of the living whose last task was work, not rest (1 without ``rest``)."""
    task = world.state["task"][world.living]
    return _mean((task >= 0) & (task < world.params.resources))


def dependence(world, *, each: bool = False):
    """Return imports over consumption: how far members live on what others give.

    imports_i = Σ_j L_ji, what arrived in the decayed record of i's in-ties, counted
    as sent; consumption_i is all that i burned, decayed with the same γ
    (``exchange.memory``). 0/0 = 0. The very number that interdependence care reads.

    Parameters
    ----------
    world : World
    each : bool, default False
        Return one value a member instead of the mean.

    Returns
    -------
    float or ndarray of shape (members,)
        0 = lives on its own work; above 1 where more arrives than is burned.
    """
    imports = np.bincount(world.topology.target, weights=world.tie("trace"), minlength=world.n_sites)
    values = _ratio(imports[world.living], _column(world, "consumption"))
    return values if each else _mean(values)


def reciprocity(source) -> float:
    """Return the share of the flow that is returned: Σ min(f_ij, f_ji) / Σ f_ij.

    Parameters
    ----------
    source : World or sparse matrix of shape (n, n)
        A world (its decayed traces are read) or flows, row = giver, such as
        :func:`organism.flows.flow_matrix` makes.

    Returns
    -------
    float
        0 if every flow is one-way (or there is none), 1 if all are returned in full.

    References
    ----------
    Squartini, Picciolo, Ruzzenenti & Garlaschelli (2013) Reciprocity of weighted
    networks. *Scientific Reports* 3:2729, eq. 4.
    """
    from scipy import sparse

    if _is_world(source):
        topology, n = source.topology, source.n_sites
        flow = sparse.csr_array(
            (np.asarray(source.tie("trace"), float), (topology.source, topology.target)), shape=(n, n))
    else:
        flow = sparse.csr_array(source, dtype=float)
    return float(_ratio(flow.minimum(flow.T).sum(), flow.sum()))


# -- who does what --------------------------------------------------------------------


def dominant_task(source) -> np.ndarray:
    """Return the task each member has done most, as it remembers; -1 if it never acted.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)

    Returns
    -------
    ndarray of int64, shape (members,)
    """
    counts = _counts(source)
    return np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1) if counts.size else -1, -1)


def specialisation(source, *, each: bool = False):
    """Return how one-sided members' task mixes are: 1 − H(mix)/log₂ tasks.

    A description of members, not a test: short memories look specialised. 0 for a
    member that did all tasks equally or never acted, 1 for one that did a single
    task; 0 if there is only one task to do.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)
    each : bool, default False
        Return one value a member instead of the mean.
    """
    counts = _counts(source)
    total = counts.sum(axis=1)
    most = np.log2(max(counts.shape[1], 1))
    values = np.zeros(len(counts))
    if most > 0:
        mix = _ratio(counts, total[:, None])
        values = np.where(total > 0, np.clip(1 - _entropy(mix, axis=1) / most, 0, 1), 0)
    return values if each else _mean(values)


def effective_draws(source, memory: float = 1.0) -> np.ndarray:
    """Return how many equally weighted acts each member's decayed counts are worth.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)
    memory : float in [0, 1], default 1
        Decay γ of the counts; read from the parameters when ``source`` is a world.

    Returns
    -------
    ndarray of shape (members,)
        Kish's n (see the module's head); the row sum itself if nothing decays.
    """
    total = _counts(source).sum(axis=1)
    if _is_world(source):
        memory = source.params.production.task_memory
    elif not 0 <= memory <= 1:
        raise ValueError(f"memory must be in [0, 1], not {memory!r}")
    return total * (1 + memory) / (2 - np.minimum(1, total * (1 - memory)))


@dataclass(frozen=True)
class Gorelick:
    """Gorelick's indices of a table of acts: raw, as observed.

    Parameters
    ----------
    ind, task, sym : float
        D_ind = I/H(task), in [0, 1]: how far knowing the member tells the task;
        D_task = I/H(member): how far knowing the task tells the member;
        D_sym = I/√(H(task)·H(member)). 0 where undefined.
    information, task_entropy, member_entropy : float
        I(member; task), H(task) and H(member), in bits.
    defined : bool
        False if fewer than two members acted or fewer than two tasks were done.
    """

    ind: float
    task: float
    sym: float
    information: float
    task_entropy: float
    member_entropy: float
    defined: bool


def gorelick(source) -> Gorelick:
    """Return Gorelick et al.'s division-of-labour indices, all three normalisations.

    With p = M/ΣM, the share that each cell of the members × tasks table has in all
    acts, I = H(member) + H(task) − H(member, task). Members that did nothing and
    tasks that nobody did add nothing.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)
        A world (the living members' decayed counts) or a table of counts ≥ 0.

    References
    ----------
    Gorelick, Bertram, Killeen & Fewell (2004) Normalized mutual entropy in biology:
    quantifying division of labor. *American Naturalist* 164:677–682.

    Examples
    --------
    >>> gorelick([[1, 0], [1, 0], [0, 1], [0, 1]]).ind
    1.0
    """
    return Gorelick(*_indices(_counts(source)))


def _indices(counts: np.ndarray) -> tuple[float, float, float, float, float, float, bool]:
    p = _ratio(counts, counts.sum())
    members, tasks = float(_entropy(p.sum(axis=1))), float(_entropy(p.sum(axis=0)))
    if min(members, tasks) < 1e-9:  # all by one member or all one task, up to rounding
        return 0.0, 0.0, 0.0, 0.0, tasks, members, False
    information = max(0.0, members + tasks - float(_entropy(p)))
    return (information / tasks, information / members, information / (tasks * members) ** 0.5,
            information, tasks, members, True)


def division_of_labour(source, *, normalisation: str = "ind", corrected: bool = True,
                       memory: float = 1.0, draws=None) -> float:
    """Return one division-of-labour index of the living, corrected for chance.

    A table of few acts a member looks divided by luck alone (after one tick D_ind is
    1). As Vinh et al. do for clusterings, the information that chance would give, I₀,
    is taken off so that none remains 0 and all remains all:
    I* = I_max (I − I₀)/(I_max − I₀), with I_max = min(H(member), H(task)) and I₀ the
    exact mean under the null (see the module's head); then I* is normalised like I.
    May be slightly below 0; 0 where nothing but chance is possible.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)
        A world, or a table of counts ≥ 0.
    normalisation : {"ind", "task", "sym"}
        D_ind = I/H(task), D_task = I/H(member) or D_sym; see :class:`Gorelick`.
    corrected : bool, default True
        False returns the raw index, as published.
    memory : float in [0, 1], default 1
        Decay γ of the counts of an array; a world's own is used for a world.
    draws : float or array_like of shape (members,), optional
        How many independent draws each member's acts are worth; by default what
        :func:`effective_draws` says.

    Returns
    -------
    float
        At most 1; 0.0 where the index is undefined.

    References
    ----------
    Vinh, Epps & Bailey (2010) Information theoretic measures for clusterings
    comparison. *Journal of Machine Learning Research* 11:2837–2854.
    """
    _known_index(normalisation)
    counts = _counts(source)
    raw = gorelick(counts)
    if not corrected:
        return getattr(raw, normalisation)
    return _chance_free(raw, normalisation, _expected(counts, _draws(source, counts, memory, draws)))


@dataclass(frozen=True)
class DivisionOfLabour:
    """A division-of-labour index and what chance makes of it.

    Parameters
    ----------
    statistic : float
        The index as observed (D_ind unless another normalisation was asked for).
    pvalue : float
        (1 + how many of the null tables reach the statistic) / (1 + their number).
    null_distribution : ndarray
        The index of each null table.
    corrected : float
        The index corrected for chance, :func:`division_of_labour`.
    indices : Gorelick
        All three indices and the entropies.
    defined : bool
        False if fewer than two members acted or fewer than two tasks were done; then
        the indices are 0 and the p-value 1.
    draws : float
        Mean number of effective draws a member.
    seed : int
        Seed of the null tables.
    """

    statistic: float
    pvalue: float
    null_distribution: np.ndarray
    corrected: float
    indices: Gorelick
    defined: bool
    draws: float
    seed: int


def division_of_labour_test(source, *, normalisation: str = "ind", n_resamples: int = 199,
                            rng=None, memory: float = 1.0, draws=None) -> DivisionOfLabour:
    """Test a division-of-labour index against members that draw from one common mix.

    Each null table deals the effective acts out again at random with both margins
    fixed (see the module's head) and weighs each row as the observed one. Above 10⁷
    acts the columns are left free (a multinomial: the difference is below 10⁻⁷).

    Parameters
    ----------
    source, normalisation
        As in :func:`division_of_labour`.
    n_resamples : int, default 199
        Number of null tables; time grows with members × tasks × this.
    rng : int, SeedSequence, Generator or None
        Source of the null tables; the integer it resolves to is in the result.
    memory, draws
        As in :func:`division_of_labour`.

    Returns
    -------
    DivisionOfLabour

    Examples
    --------
    >>> test = division_of_labour_test([[40, 2], [3, 50], [45, 1]], rng=1)
    >>> test.pvalue
    0.005
    """
    _known_index(normalisation)
    if isinstance(n_resamples, bool) or int(n_resamples) != n_resamples or n_resamples < 1:
        raise ValueError(f"n_resamples must be a whole number in [1, inf), not {n_resamples!r}")
    seed = resolved(rng)
    counts = _counts(source)
    raw, rows = gorelick(counts), _draws(source, counts, memory, draws)
    null = np.zeros(int(n_resamples))
    if raw.defined:
        null = _null_information(counts, rows, len(null), np.random.default_rng(seed))
        null *= _ratio(getattr(raw, normalisation), raw.information) if raw.information else 1.0
    statistic = getattr(raw, normalisation)
    reached = null >= statistic - 1e-12
    return DivisionOfLabour(
        statistic=statistic, pvalue=float((1 + reached.sum()) / (1 + len(null))), null_distribution=null,
        corrected=_chance_free(raw, normalisation, _expected(counts, rows)), indices=raw,
        defined=raw.defined, draws=_mean(rows[rows > 0]), seed=seed)


def _known_index(name: str) -> None:
    if name not in INDICES:
        raise ValueError(f"normalisation must be one of {', '.join(INDICES)}, not {name!r}"
                         + closest(name, INDICES))


def _norm(raw: Gorelick, name: str) -> float:
    """Return what the information is divided by."""
    return {"ind": raw.task_entropy, "task": raw.member_entropy,
            "sym": (raw.task_entropy * raw.member_entropy) ** 0.5}[name]


def _draws(source, counts: np.ndarray, memory: float, draws) -> np.ndarray:
    """Return each member's number of draws under the null: whole, at least 1 if it acted."""
    if draws is None:
        n = effective_draws(source, memory)
    else:
        n = np.asarray(draws, dtype=float)
        if n.shape not in ((), (len(counts),)):
            raise ValueError(f"draws must be one number or one for each of the {len(counts)} members, "
                             f"not of shape {n.shape}")
        if not (np.isfinite(n) & (n >= 0)).all():
            raise ValueError("draws must be finite and 0 or more")
    return np.where(counts.sum(axis=1) > 0, np.maximum(1, np.rint(n)), 0).astype(np.int64)


def _columns(counts: np.ndarray, total: int) -> np.ndarray:
    """Split ``total`` acts over the tasks in the population's mix, by largest remainders."""
    exact = counts.sum(axis=0) / counts.sum() * total
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]] += 1
    return whole


def _expected(counts: np.ndarray, rows: np.ndarray) -> float:
    """Return the null's mean of I: H(task) less the members' mean expected entropy.

    How often a member does a task is hypergeometric under the null, so the sum is
    exact; beyond 24 different row sizes it is interpolated in log size.
    """
    total = int(rows.sum())
    if total == 0:
        return 0.0
    columns = _columns(counts, total)
    top = float(_entropy(columns / total))
    sizes = np.unique(rows[rows > 0])
    if len(sizes) > 24:
        sizes = np.unique(np.rint(np.geomspace(sizes[0], sizes[-1], 24)).astype(np.int64))
    bias = np.empty(len(sizes))
    for s, n in enumerate(sizes):
        done = np.arange(1, n + 1)
        part = done / n
        bias[s] = top + _chance(done[:, None], total, columns, n).sum(axis=1) @ (part * np.log2(part))
    weight = counts.sum(axis=1) / counts.sum()
    # size × bias changes slowly, so it is what is interpolated
    each = np.interp(np.log(np.maximum(rows, 1)), np.log(sizes), sizes * bias) / np.maximum(rows, 1)
    return float(weight @ each)


def _chance(done, total: int, columns, n: int) -> np.ndarray:
    """Return the hypergeometric probabilities that of n acts ``done`` were of each task."""
    from scipy.special import gammaln

    def choose(a, b):
        return gammaln(a + 1.0) - gammaln(b + 1.0) - gammaln(a - b + 1.0)

    others = total - columns
    able = (done <= columns) & (n - done <= others)
    done = np.where(able, done, np.maximum(0, n - others))  # any possible number will do
    log = choose(columns, done) + choose(others, n - done) - choose(total, n)
    return np.where(able, np.exp(log), 0.0)


def _chance_free(raw: Gorelick, name: str, expected: float) -> float:
    """Return an index of which chance would give 0 and the possible most stays as it is."""
    most = min(raw.task_entropy, raw.member_entropy)
    if not raw.defined or most - expected < 1e-9:
        return 0.0
    return float(most * (raw.information - expected) / (most - expected) / _norm(raw, name))


def _null_information(counts, rows, n_tables: int, rng: np.random.Generator) -> np.ndarray:
    """Return I(member; task) of tables in which the acts are dealt out at random."""
    from scipy.stats import random_table

    acting = rows > 0
    rows, weight = rows[acting], counts[acting].sum(axis=1) / counts.sum()
    columns = _columns(counts, int(rows.sum()))
    columns = columns[columns > 0]
    deal = random_table(rows, columns) if rows.sum() <= 10**7 else None
    out, chunk = [], max(1, 2_000_000 // (len(rows) * len(columns)))
    for start in range(0, n_tables, chunk):
        size = min(chunk, n_tables - start)
        if deal is not None:
            tables = deal.rvs(size, method="patefield", random_state=rng)
        else:
            tables = rng.multinomial(rows, columns / columns.sum(), size=(size, len(rows)))
        mixes = tables.reshape(size, len(rows), len(columns)) / rows[:, None]
        out.append(_entropy(weight @ mixes, axis=-1) - _entropy(mixes, axis=-1) @ weight)
    return np.maximum(0.0, np.concatenate(out))


def task_persistence(source, *, each: bool = False, excess: bool = False, memory: float = 1.0):
    """Return the probability that two different acts of a member were the same task.

    For a member with task mix p and n effective draws, (Σ p_m² − 1/n)/(1 − 1/n): two
    *different* remembered acts, so a short memory does not look persistent (the
    estimate is unbiased for independent acts). What lasts is measured, not the next
    act: members that alternate between tasks by need repeat their last task less
    often than this, and over ten ticks or more as often.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)
    each : bool, default False
        Return one value a member instead of the mean over those with two acts or more.
    excess : bool, default False
        Compare with chance: (within − across)/(1 − across), ``across`` being the same
        probability for acts of two different members. 0 if members differ no more
        than by chance, 1 if each has its own one task; 0 where everyone does one.
    memory : float in [0, 1], default 1
        Decay γ of the counts of an array; a world's own is used for a world.

    Returns
    -------
    float or ndarray of shape (members,)
        Member values may be slightly below 0; 0 for members with fewer than two acts.
    """
    counts = _counts(source)
    n, total = effective_draws(source, memory), counts.sum(axis=1)
    enough = n > 1.5  # draws are whole numbers while the memory is short
    same = (_ratio(counts, total[:, None]) ** 2).sum(axis=1)
    values = np.where(enough, _ratio(same * n - 1, n - 1), 0.0)
    if excess:
        pairs = total.sum() ** 2 - (total**2).sum()
        across = float(_ratio((counts.sum(axis=0) ** 2).sum() - (counts**2).sum(), pairs))
        scale = 1 - across if pairs > 0 and 1 - across > 1e-12 else np.inf
        values = np.where(enough, (values - across) / scale, 0.0)
    return values if each else _mean(values[enough])


# -- all at once ----------------------------------------------------------------------

#: The measures that make one number of a world, by name: ready for ``world.record``.
SCALARS: dict[str, Callable[[Any], float]] = {
    "welfare": welfare,
    "gini": gini,
    "division_of_labour": division_of_labour,
    "dependence": dependence,
    "reciprocity": reciprocity,
    "task_persistence": task_persistence,
    "share_rate": share_rate,
    "given": given,
    "activity": activity,
}


def vital_signs(world) -> dict[str, float]:
    """Return tick, number of members and every measure of :data:`SCALARS`, by name."""
    return {"tick": int(world.tick), "members": int(len(world.living)),
            **{name: measure(world) for name, measure in SCALARS.items()}}
