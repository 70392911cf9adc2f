"""The division of labour: its indices, what chance makes of them, and a test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import closest
from .._checks import seed as resolved
from ._null import expected_information, null_information, whole_draws
from ._sources import entropy, mean, ratio, task_table

__all__ = ["DivisionOfLabour", "Gorelick", "division_of_labour", "division_of_labour_test", "gorelick"]

#: The names of Gorelick's three normalisations of the information I(member; task).
INDICES = ("ind", "task", "sym")


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
    return Gorelick(*_indices(task_table(source)))


def _indices(counts: np.ndarray) -> tuple[float, float, float, float, float, float, bool]:
    p = counts / (counts.sum() or 1.0)
    members, tasks = float(entropy(p.sum(axis=1))), float(entropy(p.sum(axis=0)))
    if min(members, tasks) < 1e-9:  # all by one member or all one task, up to rounding
        return 0.0, 0.0, 0.0, 0.0, tasks, members, False
    information = max(0.0, members + tasks - float(entropy(p)))
    return (information / tasks, information / members, information / (tasks * members) ** 0.5,
            information, tasks, members, True)


def division_of_labour(source, *, normalisation: str = "ind", corrected: bool = True,
                       memory: float = 1.0, draws=None) -> float:
    """Return one division-of-labour index of the living, corrected for chance.

    A table of few acts a member looks divided by luck alone (after one tick D_ind is
    1). As Vinh et al. do for clusterings, the information that chance would give, I₀,
    is taken off so that none remains 0 and all remains all:
    I* = I_max (I − I₀)/(I_max − I₀), with I_max = min(H(member), H(task)) and I₀ the
    exact mean under the null (see the head of :mod:`organism.measures`); then I* is normalised like I.
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
    counts = task_table(source)
    raw = Gorelick(*_indices(counts))
    if not corrected:
        return getattr(raw, normalisation)
    return _chance_free(raw, normalisation, expected_information(counts, whole_draws(source, counts, memory, draws)))


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
    fixed (see the head of :mod:`organism.measures`) and weighs each row as the observed one. Above 10⁷
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
    counts = task_table(source)
    raw, rows = Gorelick(*_indices(counts)), whole_draws(source, counts, memory, draws)
    null = np.zeros(int(n_resamples))
    if raw.defined:
        null = null_information(counts, rows, len(null), np.random.default_rng(seed))
        null *= ratio(getattr(raw, normalisation), raw.information) if raw.information else 1.0
    statistic = getattr(raw, normalisation)
    reached = null >= statistic - 1e-12
    return DivisionOfLabour(
        statistic=statistic, pvalue=float((1 + reached.sum()) / (1 + len(null))), null_distribution=null,
        corrected=_chance_free(raw, normalisation, expected_information(counts, rows)), indices=raw,
        defined=raw.defined, draws=mean(rows[rows > 0]), seed=seed)


def _known_index(name: str) -> None:
    if name not in INDICES:
        raise ValueError(f"normalisation must be one of {', '.join(INDICES)}, not {name!r}"
                         + closest(name, INDICES))


def _norm(raw: Gorelick, name: str) -> float:
    """Return what the information is divided by."""
    return {"ind": raw.task_entropy, "task": raw.member_entropy,
            "sym": (raw.task_entropy * raw.member_entropy) ** 0.5}[name]


def _chance_free(raw: Gorelick, name: str, expected: float) -> float:
    """Return an index of which chance would give 0 and the possible most stays as it is."""
    most = min(raw.task_entropy, raw.member_entropy)
    if not raw.defined or most - expected < 1e-9:
        return 0.0
    return float(most * (raw.information - expected) / (most - expected) / _norm(raw, name))
