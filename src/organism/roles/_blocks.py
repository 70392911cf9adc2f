"""Roles by network science: blocks of members that give to, and get from, the same blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import number as real
from .._checks import seed as resolved
from .._checks import whole
from ..measures._sources import ratio
from ..wholes import null_flows
from ._pairs import Pairs, pairs_of
from ._sbm import dispersion, explained, fit, found_again, likelihood, prepared, rough
from ._strength import chosen, rivals, said_rivals, strengths_of

__all__ = ["Blocks", "block_roles"]

#: Pairs of random halves of the ties by which a number of blocks is judged, at a time; and at most, of many members
#: and of few, which cost little.
HALVES, MOST_HALVES, CHEAP = 3, (9, 45), 4500
#: What the text says of ICL.
ICL = "ICL: likelihood less a price for each block"


@dataclass(frozen=True, eq=False)
class Blocks:
    """The blocks of a flow graph.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Block of each member, in the order of ``uid``; the largest is 0; -1 of members that gave and got nothing.
    icl : dict of int to float
        Integrated completed likelihood of each number of blocks that was tried, in nats of one act (see
        ``dispersion``); the number of the greatest is the most that is chosen.
    strengths, errors : dict of int to float
        Prediction strength of numbers of blocks, mean of random halves of the ties, and its standard error; from the
        number of the greatest ICL down to one that is clearly above the threshold.
    threshold : float
        Least prediction strength of blocks.
    rates : ndarray, shape (B, B, K)
        Goods from block to block: by tie where ties are given; else over what the members' strengths alone would make.
    statistic : float
        Share of the deviance of the flows that the blocks explain, in [0, 1].
    pvalue : float
        Of so much in the null, where as many blocks are fitted again; 1 if there is one block.
    null_distribution : ndarray
    dispersion : ndarray, shape (K,)
        Variance over mean of flows within blocks: so many goods weigh as much as one independent act.
    given : bool
        Whether flows are modelled on given ties only, or between all pairs with degrees corrected.
    shares : ndarray, shape (B, K)
        Of the resources in what a block gives.
    alpha : float
    uid, site : ndarray of int64, shape (n,)
    seed : int
    """

    labels: np.ndarray
    icl: dict[int, float]
    strengths: dict[int, float]
    errors: dict[int, float]
    threshold: float
    rates: np.ndarray
    statistic: float
    pvalue: float
    null_distribution: np.ndarray
    dispersion: np.ndarray
    given: bool
    shares: np.ndarray
    alpha: float
    uid: np.ndarray
    site: np.ndarray
    seed: int

    @property
    def n_blocks(self) -> int:
        """Number of blocks; 1 means that none are told apart."""
        return len(self.rates)

    @property
    def sizes(self) -> np.ndarray:
        """Members of each block, int64 (B,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_blocks)

    @property
    def stands(self) -> bool:
        """Whether there are blocks, and explain more than in the null."""
        return self.n_blocks > 1 and self.pvalue <= self.alpha

    @property
    def by_icl(self) -> int:
        """Number of blocks of the greatest ICL; with many members it grows, for ever finer degrees tell."""
        return max(self.icl, key=self.icl.get) if self.icl else self.n_blocks

    @property
    def capped(self) -> bool:
        """Whether the greatest ICL is that of the most blocks that were tried: more might have been better."""
        return self.by_icl > 2 and self.by_icl == max(self.icl, default=0)

    @property
    def rivals(self) -> tuple[int, ...]:
        """Numbers of blocks that cannot be told apart: the threshold is within 2 standard errors of their strengths."""
        return rivals(self.strengths, self.errors, self.threshold) if self.strengths else (self.n_blocks,)

    @property
    def underdetermined(self) -> bool:
        """Whether other numbers of blocks might be right as well; see ``rivals``."""
        return len(self.rivals) > 1

    def __str__(self) -> str:
        active = int((self.labels >= 0).sum())
        if active < 2:
            return "No blocks: fewer than two members gave or got anything."
        most = f"{self.by_icl}" + (", the most that were tried" if self.capped else "")
        if self.n_blocks == 1:
            if not self.strengths:
                return (f"No blocks: one block tells the flows of the {active:,} members best ({ICL})."
                        if self.icl else f"No blocks: those asked for fall into one, of {active:,} members.")
            tried = f"from {min(self.strengths)} to {max(self.strengths)}" if len(self.strengths) > 1 else "above 1"
            return "\n".join(filter(None, [
                f"No blocks{' for certain' * self.underdetermined}: no number {tried} is found again in the other half "
                f"of the ties of the {active:,} members (prediction strength below {self.threshold:g}); ICL alone "
                f"would take {most} ({ICL}).", said_rivals(self.rivals, "blocks")]))
        head = f"{self.n_blocks} blocks" + ("" if self.icl else ", as asked for")
        if self.n_blocks == self.by_icl and self.capped:
            head += ", the most that were tried (there may be more)"
        if len(self.null_distribution):
            head = head if self.stands else f"No blocks beyond chance; {head}"
            chance = f", {self.null_distribution.mean():.0%} by chance (p = {self.pvalue:.3g})"
        else:
            chance = "; no null was run"
        lines = [f"{head}: explain {self.statistic:.0%} of the deviance (misfit) of the flows{chance}."]
        if self.n_blocks in self.strengths:
            lines.append(f"  Prediction strength {self.strengths[self.n_blocks]:.2f} ± {self.errors[self.n_blocks]:.2f}"
                         + (f"; ICL alone would take {most} ({ICL}), but more than {self.n_blocks} are not "
                            "found again in other ties: members differ by degrees, or ties are few."
                            if self.n_blocks < self.by_icl else "."))
        lines += filter(None, [said_rivals(self.rivals, "blocks")])
        for block, size in enumerate(self.sizes.tolist()):
            rates, share = self.rates[block].sum(axis=1), self.shares[block]
            what = "" if len(share) < 2 else f", and most of resource {int(share.argmax())} ({share.max():.0%})"
            lines.append(f"  {block}  {size:,} members: gives most to block {int(rates.argmax())}{what}"
                         if rates.any() else f"  {block}  {size:,} members: gives nothing")
        return "\n".join(lines)

    __repr__ = __str__

    def frame(self):
        """Return one row a member as a pandas DataFrame: uid, site and block."""
        import pandas as pd

        return pd.DataFrame({"uid": self.uid, "site": self.site, "block": self.labels})


def block_roles(source, n_blocks: int | None = None, *, max_blocks: int = 8, given: bool | None = None,
                threshold: float = 0.8, starts: int = 4, n_nulls: int = 19, alpha: float = 0.05, rng=None) -> Blocks:
    """Find roles as network science does: with a stochastic block model of the flows.

    Members of a block give the same kinds of goods to the same blocks, and get alike. Flows are taken as Poisson
    counts with a mean for each pair of blocks and each resource. On given ties (a world's lattice says nothing of
    roles) only what they carry is modelled (Aicher, Jacobs and Clauset 2015); of a graph all pairs of members are, and
    members' strengths are taken as they are (Karrer and Newman 2011; one strength for giving and one for getting,
    all resources together). Goods are no counts: they are divided by their dispersion, variance over
    mean within the blocks of the largest model (a quasi-likelihood), by pairs or by members, whichever is more: the
    flows of one member go together. Fitted by variational EM from several starts.

    The number of blocks is at most that of the greatest integrated completed likelihood (ICL). But with many members
    ICL resolves ever finer degrees of more and less, and its number grows with theirs. So blocks must also be found
    again: both halves of the ties, split at random, are fitted, and the largest number is taken whose blocks in one
    half are those that the other half's rates make there (prediction strength of at least ``threshold``, as in
    :func:`find_roles`). One block if there is none. The mean of random halves has an error; numbers that it leaves
    open are said to be underdetermined. Halves know half as much: of few ties fewer blocks may be taken than there are.

    The null: as many blocks are fitted again, where flows are dealt out again on the same ties, or, between all pairs,
    where ties go to others at random and members keep their numbers of ties.

    Parameters
    ----------
    source : World, Snapshot, Snapshots, Reading, networkx graph or sparse array
        Flows by resource where they are known. Of a series the last window.
    n_blocks : int, optional
        So many, without choosing.
    max_blocks : int, default 8
        Most that are tried. Each that is tried against other ties costs 6 to 18 more fits, of half the ties; of less
        than some hundred members more.
    given : bool, optional
        Model flows on given ties only; by default so for all but graphs and arrays.
    threshold : float, default 0.8
        Least prediction strength, in (0, 1].
    starts : int, default 4
        Fits of each number of blocks, of which the best counts.
    n_nulls : int, default 19
        0 for none; then nothing stands.
    alpha : float, default 0.05
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Blocks

    References
    ----------
    Karrer, Newman (2011) Stochastic blockmodels and community structure in networks. *Physical Review E* 83: 016107.
    Aicher, Jacobs, Clauset (2015) Learning latent block structure in weighted networks. *Journal of Complex Networks*
    3: 221-248. Daudin, Picard, Robin (2008) A mixture model for random graphs. *Statistics and Computing* 18: 173-183.
    McCullagh, Nelder (1989) *Generalized Linear Models*, chapter 9 (quasi-likelihood). Rao, Scott (1981) The analysis
    of categorical data from complex sample surveys. *Journal of the American Statistical Association* 76: 221-230.
    Tibshirani, Walther (2005) Cluster validation by prediction strength. *Journal of Computational and Graphical
    Statistics* 14: 511-528.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> rng, side = np.random.default_rng(1), np.repeat([0, 1], 30)
    >>> flows = sparse.csr_array(rng.poisson(np.where(side[:, None] == side, 0.2, 2.0)))
    >>> found = block_roles(flows, rng=1)
    >>> found.n_blocks, found.stands
    (2, True)
    """
    max_blocks, starts = whole("max_blocks", max_blocks, 1), whole("starts", starts, 1)
    n_nulls, seed = whole("n_nulls", n_nulls, 0), resolved(rng)
    alpha, threshold = real("alpha", alpha, 0, 1, "()"), real("threshold", threshold, 0, 1, "(]")
    pairs = pairs_of(source, given)
    carried = pairs.amount.sum(axis=1) > 0
    active = np.zeros(len(pairs.uid), bool)
    active[pairs.row[carried]] = active[pairs.column[carried]] = True
    n = int(active.sum())
    if n_blocks is not None and whole("n_blocks", n_blocks, 1) > max(n, 1):
        raise ValueError(f"n_blocks must be in [1, {max(n, 1)}], the members that gave or got, not {n_blocks}")
    rng, labels, k = np.random.default_rng(seed), np.where(active, 0, -1), pairs.amount.shape[1]
    if n < 2:
        return Blocks(labels, {}, {}, {}, threshold, np.zeros((1, 1, k)), 0.0, 1.0, np.empty(0), np.ones(k),
                      pairs.given, np.zeros((1, k)), alpha, pairs.uid, pairs.site, seed)
    some = pairs.take(active)
    numbers = range(1, min(max_blocks, n // 2) + 1) if n_blocks is None else [n_blocks]
    plain, most = prepared(some), max(numbers)
    scale = dispersion(plain, rough(plain, most, rng))
    scale = dispersion(plain, fit(prepared(some, scale), most, starts, rng).labels)
    ready = prepared(some, scale)
    fits = {number: fit(ready, number, starts, rng) for number in numbers}
    strengths, errors, number = {}, {}, max(fits, key=lambda number: fits[number].icl)
    if n_blocks is None and number > 1:
        strengths, errors = strengths_of(lambda number: found_again(some, scale, number, starts, rng),
                                         range(2, number + 1), threshold, HALVES,
                                         int(np.clip(CHEAP // n, *MOST_HALVES)), rest=False, members=n)
        number = chosen(strengths, threshold)
    labels[active] = own = _by_size(fits[number].labels)
    statistic, null = explained(ready, own), np.empty(0)
    if own.max() > 0:
        null = np.array([explained(again, fit(again, number, starts, rng).labels)
                         for again in (prepared(_null(some, rng), scale) for _ in range(n_nulls))])
    pvalue = float((1 + (null >= statistic - 1e-12).sum()) / (1 + len(null)))
    rates = likelihood(prepared(some), own)[1]
    given_away = np.stack([np.bincount(own[some.row], column, own.max() + 1) for column in some.amount.T], axis=1)
    icl = {} if n_blocks else {number: one.icl for number, one in fits.items()}
    return Blocks(labels, icl, strengths, errors, threshold, rates, statistic, pvalue, null, scale, pairs.given,
                  ratio(given_away, given_away.sum(axis=1, keepdims=True)), alpha, pairs.uid, pairs.site, seed)


def _by_size(labels) -> np.ndarray:
    """Give the blocks new numbers, the largest first (of equals the one with the first member), empty ones left out."""
    _, first, labels, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(size), np.int64)
    rank[np.lexsort((first, -size))] = np.arange(len(size))
    return rank[labels]


def _null(pairs: Pairs, rng) -> Pairs:
    """Deal the flows out again: on the same ties, or between all pairs to others at random."""
    from dataclasses import replace

    from scipy import sparse

    if pairs.given:
        return replace(pairs, amount=rng.permutation(pairs.amount))
    seed, ties = int(rng.integers(2**63)), []
    for column in pairs.amount.T:                      # the same ties each time, for luck and places are the same
        flows = sparse.csr_array((column, (pairs.row, pairs.column)), shape=(len(pairs.uid),) * 2)
        ties.append(null_flows(flows, "degrees", np.random.default_rng(seed)).tocoo())
    return replace(pairs, row=ties[0].row, column=ties[0].col, amount=np.stack([one.data for one in ties], axis=1))
