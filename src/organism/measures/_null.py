"""The null of the division of labour: the same acts dealt out at random (see the package's head)."""

from __future__ import annotations

import numpy as np

from ._sources import entropy
from ._tasks import draws_of

__all__ = ["chance", "column_sums", "expected_information", "null_information", "null_mixes", "whole_draws"]


def whole_draws(source, counts: np.ndarray, memory: float, draws) -> np.ndarray:
    """Return each member's number of draws under the null: whole, at least 1 if it acted."""
    total = counts.sum(axis=1)
    if draws is None:
        n = draws_of(total, source, memory)
    else:
        n = np.asarray(draws, dtype=float)
        if n.shape not in ((), (len(counts),)):
            raise ValueError(f"draws must be one number or one for each of the {len(counts)} members, "
                             f"not of shape {n.shape}")
        if not (np.isfinite(n) & (n >= 0)).all():
            raise ValueError("draws must be finite and 0 or more")
    return np.where(total > 0, np.maximum(1, np.rint(n)), 0).astype(np.int64)


def column_sums(counts: np.ndarray, total: int) -> np.ndarray:
    """Split ``total`` acts over the tasks in the population's mix, by largest remainders."""
    exact = counts.sum(axis=0) / counts.sum() * total
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]] += 1
    return whole


def expected_information(counts: np.ndarray, rows: np.ndarray) -> float:
    """Return the null's mean of I: H(task) less the members' mean expected entropy.

    How often a member does a task is hypergeometric under the null, so the sum is
    exact; beyond 24 different row sizes it is interpolated in log size.
    """
    total = int(rows.sum())
    if total == 0:
        return 0.0
    columns = column_sums(counts, total)
    top = float(entropy(columns / total))
    sizes = np.sort(rows)
    sizes = sizes[np.diff(sizes, prepend=0) > 0]    # each size once, without 0; np.unique is slower
    if len(sizes) > 24:
        sizes = np.unique(np.rint(np.geomspace(sizes[0], sizes[-1], 24)).astype(np.int64))
    bias = np.empty(len(sizes))
    for s, n in enumerate(sizes):
        done = np.arange(1, n + 1)
        part = done / n
        bias[s] = top + chance(done[:, None], total, columns, n).sum(axis=1) @ (part * np.log2(part))
    weight = counts.sum(axis=1) / counts.sum()
    # size × bias changes slowly, so it is what is interpolated
    each = np.interp(np.log(np.maximum(rows, 1)), np.log(sizes), sizes * bias) / np.maximum(rows, 1)
    return float((weight * each).sum())    # no @: its threads wait on busy cores


def chance(done, total: int, columns, n: int) -> np.ndarray:
    """Return the hypergeometric probabilities that of n acts ``done`` were of each task."""
    from scipy.special import gammaln

    def choose(a, b):
        return gammaln(a + 1.0) - gammaln(b + 1.0) - gammaln(a - b + 1.0)

    others = total - columns
    able = (done <= columns) & (n - done <= others)
    done = np.where(able, done, np.maximum(0, n - others))  # any possible number will do
    log = choose(columns, done) + choose(others, n - done) - choose(total, n)
    return np.where(able, np.exp(log), 0.0)


def null_information(counts, rows, n_tables: int, rng: np.random.Generator) -> np.ndarray:
    """Return I(member; task) of tables in which the acts are dealt out at random."""
    acting = rows > 0
    weight = counts[acting].sum(axis=1) / counts.sum()
    return np.maximum(0.0, np.concatenate([entropy(weight @ mixes, axis=-1) - entropy(mixes, axis=-1) @ weight
                                           for mixes in null_mixes(counts, rows, n_tables, rng)]))


def null_mixes(counts, rows, n_tables: int, rng: np.random.Generator):
    """Deal the acts out at random, and yield the mixes (tables, acting members, tasks done), some tables at a time."""
    from scipy.stats import random_table

    rows, columns = rows[rows > 0], column_sums(counts, int(rows.sum()))
    columns = columns[columns > 0]
    deal = random_table(rows, columns) if rows.sum() <= 10**7 else None
    chunk = max(1, 2_000_000 // (len(rows) * len(columns)))
    for start in range(0, n_tables, chunk):
        size = min(chunk, n_tables - start)
        if deal is not None:
            tables = deal.rvs(size, method="patefield", random_state=rng)
        else:
            tables = rng.multinomial(rows, columns / columns.sum(), size=(size, len(rows)))
        yield tables.reshape(size, len(rows), len(columns)) / rows[:, None]
