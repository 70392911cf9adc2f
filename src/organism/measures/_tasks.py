"""Who does what, member by member."""

from __future__ import annotations

import numpy as np

from ._sources import entropy, is_world, mean, ratio, task_table

__all__ = ["activity", "dominant_task", "effective_draws", "specialisation", "task_persistence"]


def activity(world) -> float:
    """Return the fraction of the living whose last task was work, not rest (1 without ``rest``)."""
    task = world.state["task"][world.living]
    return mean((task >= 0) & (task < world.params.resources))


def dominant_task(source) -> np.ndarray:
    """Return the task each member has done most, as it remembers; -1 if it never acted.

    Parameters
    ----------
    source : World or array_like of shape (members, tasks)

    Returns
    -------
    ndarray of int64, shape (members,)
    """
    counts = task_table(source)
    best, most = np.full(len(counts), -1), np.zeros(len(counts))
    for task, done in enumerate(counts.T):    # argmax along the short axis takes far longer
        np.copyto(best, task, where=done > most)
        np.maximum(most, done, out=most)
    return best


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
    counts = task_table(source)
    total = counts.sum(axis=1)
    most = np.log2(max(counts.shape[1], 1))
    values = np.zeros(len(counts))
    if most > 0:
        mix = ratio(counts, total[:, None])
        values = np.where(total > 0, np.clip(1 - entropy(mix, axis=1) / most, 0, 1), 0)
    return values if each else mean(values)


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
        Kish's n (see the head of :mod:`organism.measures`); the row sum itself if nothing decays.
    """
    return draws_of(task_table(source).sum(axis=1), source, memory)


def draws_of(total: np.ndarray, source, memory: float) -> np.ndarray:
    """Return Kish's n of members whose counts sum to ``total``, which saves reading them again."""
    if is_world(source):
        memory = source.params.production.task_memory
    elif not 0 <= memory <= 1:
        raise ValueError(f"memory must be in [0, 1], not {memory!r}")
    return total * (1 + memory) / (2 - np.minimum(1, total * (1 - memory)))


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
    counts = task_table(source)
    total = counts.sum(axis=1)
    n = draws_of(total, source, memory)
    enough = n > 1.5  # draws are whole numbers while the memory is short
    same = (ratio(counts, total[:, None]) ** 2).sum(axis=1)
    values = np.where(enough, ratio(same * n - 1, n - 1), 0.0)
    if excess:
        pairs = total.sum() ** 2 - (total**2).sum()
        across = float(ratio((counts.sum(axis=0) ** 2).sum() - (counts**2).sum(), pairs))
        scale = 1 - across if pairs > 0 and 1 - across > 1e-12 else np.inf
        values = np.where(enough, (values - across) / scale, 0.0)
    return values if each else mean(values[enough])
