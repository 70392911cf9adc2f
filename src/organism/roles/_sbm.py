"""The stochastic block model: its likelihood, and how it is fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures._sources import ratio
from ._mixture import first_labels
from ._strength import together

__all__ = ["Fit", "dispersion", "explained", "fit", "found_again", "likelihood", "prepared", "rough"]

#: Steps of variational EM that every start makes, and the best of them at most; where members' probabilities
#: change by less than so much, on average, they are settled.
FIRST, MOST, SETTLED = 8, 50, 2e-3
#: Every other pair of starts begins with so many blocks more, and joins them.
MORE = 2
#: Part of the overall mean that every pair of blocks is taken to have given beforehand, so that no rate is 0.
BEFORE = 1e-2


@dataclass(frozen=True, eq=False)
class Ready:
    """Flows as matrices.

    Parameters
    ----------
    pairs : Pairs
        Amounts in acts.
    out, into : scipy.sparse.csr_array, shape ((K + 1)·n, n)
        Flows of each resource and the ties themselves, one above the other; by giver and by receiver.
    """

    pairs: object
    out: object
    into: object

    @property
    def n(self) -> int:
        return len(self.pairs.uid)

    @property
    def k(self) -> int:
        return self.pairs.amount.shape[1]


@dataclass(frozen=True, eq=False)
class Fit:
    """One fitted model: labels (n,), and its integrated completed likelihood in nats."""

    labels: np.ndarray
    icl: float


def prepared(pairs, scale=1.0) -> Ready:
    """Divide amounts by ``scale`` (K,) and lay out the matrices that a fit multiplies with."""
    from dataclasses import replace

    from scipy import sparse

    n, amount = len(pairs.uid), pairs.amount / scale
    layers = [*amount.T, np.ones(len(pairs.row))]
    out, into = (sparse.vstack([sparse.csr_array((layer, ends), shape=(n, n)) for layer in layers], format="csr")
                 for ends in ((pairs.row, pairs.column), (pairs.column, pairs.row)))
    return Ready(replace(pairs, amount=amount), out, into)


def _counted(ready: Ready, p) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return flows between blocks (B, B, K), their chances (B, B), and out-flows of members to blocks (K + 1, n, B).

    The chances are the numbers of ties, or, of all pairs, the product of the blocks' strengths.
    """
    to = (ready.out @ p).reshape(ready.k + 1, ready.n, -1)
    between = (p.T @ to).transpose(1, 2, 0)
    flows = between[..., :-1]
    if ready.pairs.given:
        return flows, between[..., -1], to
    total = flows.sum(axis=2)
    return flows, np.outer(total.sum(axis=1), total.sum(axis=0)) / max(total.sum(), 1e-300), to


def likelihood(ready: Ready, labels) -> tuple[float, np.ndarray]:
    """Return the log-likelihood of labels, but for terms without them (nats), and the rates (B, B, K)."""
    from scipy.special import xlogy

    flows, chances, _ = _counted(ready, np.eye(int(labels.max()) + 1)[labels])
    rates = ratio(flows, chances[..., None])
    return float(xlogy(flows, rates).sum()), rates


def _means(ready: Ready, labels) -> np.ndarray:
    """Return the expected flow of each pair that carried something, (t, K)."""
    rates, pairs = likelihood(ready, labels)[1], ready.pairs
    means = rates[labels[pairs.row], labels[pairs.column]]
    if pairs.given:
        return means
    total = pairs.amount.sum(axis=1)
    given, got = np.bincount(pairs.row, total, ready.n), np.bincount(pairs.column, total, ready.n)
    return means * (given[pairs.row] * got[pairs.column] / max(total.sum(), 1e-300))[:, None]


def dispersion(ready: Ready, labels) -> np.ndarray:
    """Return Pearson's χ² over its degrees of freedom, by resource: how many goods make one act.

    Taken over pairs, and over what each member gives to, and gets from, each block: the flows of one member go
    together, and are worth fewer acts than as many members' would be (Rao and Scott 1981). The largest counts.
    """
    pairs, n, blocks = ready.pairs, ready.n, int(labels.max()) + 1
    freedom = len(pairs.row) if pairs.given else n * (n - 1) - 2 * n
    square = ratio(pairs.amount**2, _means(ready, labels)).sum(axis=0) - pairs.amount.sum(axis=0)
    found = [square / max(1, freedom - blocks**2)]
    p, rates = np.eye(blocks)[labels], likelihood(ready, labels)[1]
    for matrix, own in ((ready.out, rates), (ready.into, rates.transpose(1, 0, 2))):
        to = (matrix @ p).reshape(ready.k + 1, n, blocks)
        chances = to[-1]
        if not pairs.given:
            mine = to[:-1].sum(axis=(0, 2))
            theirs = to[:-1].sum(axis=(0, 1))
            chances = np.outer(mine, theirs) / max(mine.sum(), 1e-300)
        means = chances * own[labels].transpose(2, 0, 1)
        square = ratio((to[:-1] - means)**2, means).sum(axis=(1, 2))
        cells = (means > 0).sum(axis=(1, 2)) - blocks**2 - (0 if pairs.given else n)
        found.append(square / np.maximum(1, cells))
    mean = ratio(pairs.amount.sum(axis=0), (pairs.amount > 0).sum(axis=0))
    # flows that are all alike have no scatter to measure; each is then an act of a hundredth part
    return np.maximum(np.max(found, axis=0), np.where(mean > 0, 0.01 * mean, 1.0))


def explained(ready: Ready, labels) -> float:
    """Return the share of the deviance that blocks explain, of what one block leaves; in [0, 1]."""
    from scipy.special import xlogy

    amount = ready.pairs.amount
    left = [float((xlogy(amount, np.where(amount > 0, amount, 1)) - xlogy(amount, means)).sum())
            for means in (_means(ready, np.zeros(ready.n, np.int64)), _means(ready, labels))]
    return float(np.clip(1 - ratio(left[1], left[0]), 0, 1)) if left[0] > 0 else 0.0


def rough(ready: Ready, n_blocks: int, rng: np.random.Generator) -> np.ndarray:
    """Return labels of members that give and get alike amounts, for a first dispersion.

    That within one block is so large where blocks differ that too few acts would be left to find them.
    """
    return first_labels(_amounts(ready), n_blocks, rng)[0]


def fit(ready: Ready, n_blocks: int, starts: int, rng: np.random.Generator) -> Fit:
    """Fit a model by variational EM, the best of some starts by ICL.

    Parameters
    ----------
    ready : Ready
    n_blocks : int
        In [1, n].
    starts : int
        By turns from what members give and get, and from the flows' singular vectors; then so, but with two blocks
        more, which are joined. (A block that was split too early is hard to put together by moving members.)
    rng : numpy.random.Generator

    Returns
    -------
    Fit
    """
    if n_blocks == 1:
        return _scored(ready, np.zeros(ready.n, np.int64), 1)
    features = [_amounts(ready), _spectrum(ready, n_blocks, rng)]
    found = []
    for i in range(starts):
        first = n_blocks if i % 4 < 2 else min(n_blocks + MORE, ready.n)
        p = _climb(ready, _soft(first_labels(features[i % 2], first, rng)[0], first), FIRST, rng)
        if first > n_blocks:
            p = _climb(ready, _soft(_joined(ready, p, n_blocks), n_blocks), FIRST, rng)
        found.append((_labelled(ready, p).icl, p))
    p = max(found, key=lambda one: one[0])[1]
    return _labelled(ready, _climb(ready, p, MOST, rng))


def _soft(labels, n_blocks: int) -> np.ndarray:
    """Return probabilities of blocks that lean on labels."""
    return np.full((len(labels), n_blocks), 0.1 / n_blocks) + 0.9 * np.eye(n_blocks)[labels]


def _joined(ready: Ready, p, n_blocks: int) -> np.ndarray:
    """Join the two blocks whose union loses least, until there are ``n_blocks``; return labels."""
    from scipy.special import xlogy

    labels = p.argmax(axis=1)
    for n in range(p.shape[1], n_blocks, -1):
        flows, chances, _ = _counted(ready, np.eye(n)[labels])
        best, to = -np.inf, None
        for a in range(n):
            for b in range(a):
                into = np.where(np.arange(n) == a, b, np.arange(n) - (np.arange(n) > a))
                m = np.eye(n - 1)[into]
                f, c = np.einsum("ac,abk,bd->cdk", m, flows, m, optimize=True), m.T @ chances @ m
                gain = float(xlogy(f, ratio(f, c[..., None])).sum())
                if gain > best:
                    best, to = gain, into
        labels = to[labels]
    return labels


def _labelled(ready: Ready, p) -> Fit:
    return _scored(ready, p.argmax(axis=1), p.shape[1])


def _scored(ready: Ready, labels, n_blocks: int) -> Fit:
    from scipy.special import xlogy

    n, size = ready.n, np.bincount(labels, minlength=n_blocks)
    seen = len(ready.pairs.row) if ready.pairs.given else n * (n - 1)
    icl = likelihood(ready, labels)[0] + float(xlogy(size, size / n).sum())
    icl -= 0.5 * n_blocks**2 * ready.k * np.log(max(seen, 1)) + 0.5 * (n_blocks - 1) * np.log(n)
    return Fit(labels, icl)


def _amounts(ready: Ready) -> np.ndarray:
    """Return roots of what members give and get by resource: of counts, the roots scatter alike."""
    pairs, n = ready.pairs, ready.n
    columns = []
    for ends in (pairs.row, pairs.column):
        amount = np.stack([np.bincount(ends, column, n) for column in pairs.amount.T], axis=1)
        by = np.bincount(ends, minlength=n)[:, None] if pairs.given else amount.sum(axis=1, keepdims=True)
        columns.append(np.sqrt(ratio(amount, by)))
    return np.concatenate(columns, axis=1)


def _spectrum(ready: Ready, n_blocks: int, rng) -> np.ndarray:
    """Return the leading singular vectors of the flows, each over the roots of its ends' strengths."""
    from scipy import sparse
    from scipy.sparse.linalg import svds

    pairs, n = ready.pairs, ready.n
    total = pairs.amount.sum(axis=1)
    given, got = np.bincount(pairs.row, total, n), np.bincount(pairs.column, total, n)
    typical = total.sum() / n                          # weak members would have vectors of their own (Qin, Rohe 2013)
    scaled = sparse.csr_array((total / np.sqrt((given[pairs.row] + typical) * (got[pairs.column] + typical)),
                               (pairs.row, pairs.column)), shape=(n, n))
    k = min(n_blocks, n - 1)
    u, values, v = svds(scaled, k=k, v0=rng.standard_normal(n)) if k > 0 and n > 2 else (
        *np.linalg.svd(scaled.toarray()),)
    points = np.concatenate([u[:, :k] * values[:k], v[:k].T * values[:k]], axis=1)
    return points if pairs.given else points / np.maximum(
        np.linalg.norm(points, axis=1, keepdims=True), 1e-12)


def _rates(ready: Ready, p) -> np.ndarray:
    """Return the rates (B, B, K) of probabilities of blocks (n, B); none is 0."""
    flows, chances, _ = _counted(ready, p)
    mean = ratio(flows.sum(axis=(0, 1)), chances.sum())
    before = BEFORE * max(1.0, float(chances.sum()) / p.shape[1]**2 * BEFORE)
    return (flows + before * mean) / (chances[..., None] + before)


def _climb(ready: Ready, p, steps: int, rng, rates=None) -> np.ndarray:
    """Run variational EM from probabilities of blocks (n, B) until they settle, and return where they end.

    With ``rates`` (B, B, K) these stay as they are. All members at once may swap blocks for ever (two sides of a
    bipartite graph do): each step moves a random half.
    """
    n, n_blocks, k = ready.n, p.shape[1], ready.k
    for _ in range(steps):
        at = _rates(ready, p) if rates is None else rates
        logs = np.log(np.maximum(at, 1e-300))
        to, came = ((matrix @ p).reshape(k + 1, n, n_blocks) for matrix in (ready.out, ready.into))
        new = np.log(np.maximum(p.mean(axis=0), 1e-300))[None].repeat(n, axis=0)
        for r in range(k):
            new += to[r] @ logs[:, :, r].T + came[r] @ logs[:, :, r]
        if ready.pairs.given:
            new -= to[-1] @ at.sum(axis=2).T + came[-1] @ at.sum(axis=2)
        else:
            gave, got = (each[:-1].sum(axis=(0, 2)) for each in (to, came))
            most, sums = max(gave.sum(), 1e-300), at.sum(axis=2)
            new -= np.outer(gave, sums @ (got @ p) / most) + np.outer(got, gave @ p @ sums / most)
        new = np.exp(new - new.max(axis=1, keepdims=True))
        new /= new.sum(axis=1, keepdims=True)
        change = float(np.abs(new - p).sum()) / n
        p = np.where(rng.random(n)[:, None] < 0.5, new, p)
        if change < SETTLED:
            return new
    return p


def found_again(pairs, scale, n_blocks: int, starts: int, rng: np.random.Generator) -> float:
    """Return how well the blocks of one random half of the ties are found again with the rates of the other half.

    Both halves are fitted, of the same members. In each half members are put into blocks once more, with the rates of
    the other half. The share of pairs of a block that stay together is counted, both ways, and of all blocks the least
    counts; averaged over the halves.

    Parameters
    ----------
    pairs : Pairs
    scale : ndarray, shape (K,)
        See :func:`prepared`.
    n_blocks, starts, rng
        As :func:`fit` takes them.

    Returns
    -------
    float
        In [0, 1]; 1 of one block.
    """
    if n_blocks == 1:
        return 1.0
    first = rng.random(len(pairs.row)) < 0.5
    halves = [prepared(pairs.among(half), scale) for half in (first, ~first)]
    own = [fit(half, n_blocks, starts, rng).labels for half in halves]
    found = []
    for here, there in ((0, 1), (1, 0)):
        rates = _rates(halves[there], np.eye(n_blocks)[own[there]])
        again = _climb(halves[here], _soft(own[there], n_blocks), MOST, rng, rates).argmax(axis=1)
        table = np.bincount(own[here] * n_blocks + again, minlength=n_blocks**2).reshape(n_blocks, n_blocks)
        found.append(min(together(table), together(table.T)))
    return float(np.mean(found))
