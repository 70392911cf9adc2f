"""Flows with wholes put into them, by which detectors are tried."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .._checks import seed as resolved
from .._checks import whole

__all__ = ["planted_flows"]


def planted_flows(n: int = 5000, sizes=(50, 500), shares=(0.5, 0.3, 0.2), ties: int = 100_000, rng=None):
    """Return random flows in which wholes lie within wholes, and the wholes.

    Every tie goes from a random member to one drawn from its own block of the finest level, of the next, or from
    all. Ties of a member to itself are left out, those drawn twice are added up; flows are exponential with mean 1.

    Parameters
    ----------
    n : int, default 5000
        Members.
    sizes : sequence of int, default (50, 500)
        Members of a block at each level, the finest first; each must divide the next, and the last must divide n.
    shares : sequence of float, default (0.5, 0.3, 0.2)
        Of the ties drawn within the block of each level, and from all; one more than ``sizes``, summing to 1.
    ties : int, default 100000
        Ties drawn.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    flows : scipy.sparse.csr_array, shape (n, n)
        Row = giver.
    levels : list of ndarray of int64, shape (n,)
        The block of each member at each level, the finest first.

    Examples
    --------
    >>> flows, (fine, coarse) = planted_flows(1000, sizes=(20, 100), ties=10_000, rng=1)
    >>> int(fine.max()) + 1, int(coarse.max()) + 1
    (50, 10)
    """
    from scipy import sparse

    n, ties = whole("n", n, 1), whole("ties", ties, 0)
    sizes = [whole("sizes", size, 1) for size in sizes]
    for size, larger in pairwise([*sizes, n]):
        if larger % size:
            raise ValueError(f"sizes must each divide the next, and the last n = {n}; {size} does not divide {larger}")
    shares = np.asarray(shares, float)
    if shares.shape != (len(sizes) + 1,) or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"shares must be {len(sizes) + 1} numbers of at least 0 that sum to 1, not {shares.tolist()}")
    rng = np.random.default_rng(resolved(rng))
    within = np.array([*sizes, n])[rng.choice(len(shares), ties, p=shares)]
    giver = rng.integers(0, n, ties)
    receiver = giver // within * within + rng.integers(0, within)
    weight, other = rng.exponential(1.0, ties), giver != receiver
    flows = sparse.coo_array((weight[other], (giver[other], receiver[other])), shape=(n, n)).tocsr()
    return flows, [np.arange(n) // size for size in sizes]
