"""Whether two ways to divide the same members agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._matching import known_of, labels_of
from ..wholes import agreement

__all__ = ["Agreement"]

#: From here on two divisions agree; up to there they do not.
AGREE, DISAGREE = 0.75, 0.25


@dataclass(frozen=True)
class Agreement:
    """How far two divisions of the same members agree.

    Parameters
    ----------
    statistic : float
        Adjusted mutual information: 0 by chance, 1 if both are the same.
    pvalue : float
        Of so much mutual information between divisions that know nothing of each other: G-test of their
        table, members taken as independent.
    n : int
        Members that both divide.
    sizes : tuple of int
        Number of groups of each.

    References
    ----------
    Vinh, Epps, Bailey (2010) Information theoretic measures for clusterings comparison. *Journal of Machine
    Learning Research* 11: 2837-2854. Sokal, Rohlf (1995) *Biometry*, chapter 17 (the G-test).
    """

    statistic: float
    pvalue: float
    n: int
    sizes: tuple[int, int]

    @classmethod
    def of(cls, one, other) -> Agreement:
        """Compare the labels of members that both know, matched by uid.

        Parameters
        ----------
        one : Roles or Blocks
        other : Roles, Blocks, Level or array_like
            Arrays are matched by place.

        Returns
        -------
        Agreement
        """
        from scipy.stats import chi2_contingency

        a, b = _paired(one, other)
        sizes = len(np.unique(a)), len(np.unique(b))
        if not len(a) or min(sizes) < 2:
            return cls(float(len(a) > 0 and sizes[0] == sizes[1]), 1.0, len(a), sizes)
        table = np.zeros(sizes)
        np.add.at(table, (np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]), 1)
        found = chi2_contingency(table, correction=False, lambda_="log-likelihood")
        return cls(agreement(a, b), float(found.pvalue), len(a), sizes)

    def __float__(self) -> float:
        return self.statistic

    def __str__(self) -> str:
        if not self.n:
            return "Nothing to compare: no member is known to both."
        if min(self.sizes) < 2:
            return (f"Nothing to compare: {'neither divides' if max(self.sizes) < 2 else 'one does not divide'} the "
                    f"{self.n:,} members ({self.sizes[0]} and {self.sizes[1]} groups).")
        how = ("They agree" if self.statistic >= AGREE else "They disagree" if self.statistic <= DISAGREE else
               "They agree in part")
        chance = f"p = {self.pvalue:.2g}" if self.pvalue >= 0.001 else "p < 0.001"
        return (f"{how}: adjusted mutual information {self.statistic:.2f} (0 by chance, 1 the same; {chance}) of "
                f"{self.sizes[0]} and {self.sizes[1]} groups of {self.n:,} members.")

    __repr__ = __str__


def _paired(one, other):
    """Return the labels of members that both divide."""
    a, b = one.labels, labels_of("other", other, one.uid)[0]
    known = (a >= 0) & known_of(b)
    return a[known], b[known]
