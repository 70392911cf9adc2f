"""Roles through time: which role of one window is which of the next, and who keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._checks import seed as resolved
from .._checks import whole
from ..measures._sources import entropy, ratio
from ._find import Roles, find_roles

__all__ = ["RoleHistory", "follow_roles"]

#: Two roles are the same if (1 - overlap of their members) + DOING × distance of their centres is at most SAME: what
#: members do counts for more than who they are, or all might swap their tasks and seem to keep their roles.
DOING, SAME = 2.0, 1.5


@dataclass(frozen=True, eq=False)
class RoleHistory:
    """The roles of a population, window by window, under lasting numbers.

    Parameters
    ----------
    ticks : ndarray of int64, shape (n,)
        When windows end; 0, 1, … if unknown.
    roles : list of Roles
        As found in each window, with numbers of their own.
    labels : list of ndarray of int64
        Lasting role of each member, in the order of ``roles[i].uid``; -1 unknown, and where no roles are told apart.
    names : dict of int to str
        Of each lasting role, as it was called when it was seen last.
    persistence : ndarray, shape (n - 1,)
        Share of the members known in a window, and in the last one before it with roles, that keep their role; NaN
        if there are none.
    expected : ndarray, shape (n - 1,)
        Its mean if the members had the later window's labels by lot, and roles were matched anew.
    pvalue : ndarray, shape (n - 1,)
        Of so much persistence by lot; NaN where there is none to test.
    null_distribution : ndarray, shape (n - 1, n_resamples)
    entropy : ndarray, shape (n,)
        Of the roles' sizes, in bits: 0 for one role, log₂ R for R of equal size.
    alpha : float
    seed : int
    """

    ticks: np.ndarray
    roles: list[Roles]
    labels: list[np.ndarray]
    names: dict[int, str]
    persistence: np.ndarray
    expected: np.ndarray
    pvalue: np.ndarray
    null_distribution: np.ndarray
    entropy: np.ndarray
    alpha: float
    seed: int

    def __len__(self) -> int:
        return len(self.roles)

    @property
    def corrected(self) -> np.ndarray:
        """Persistence of which lots would give 0 and all members 1, (persistence - expected)/(1 - expected)."""
        return np.where(self.tested, ratio(self.persistence - self.expected, 1 - self.expected), np.nan)

    @property
    def tested(self) -> np.ndarray:
        """Which steps have a persistence, mask (n - 1,)."""
        return np.isfinite(self.persistence)

    @property
    def lasting(self) -> bool | None:
        """Whether roles last: persistence beyond chance in every step; None if there is none to test.

        Each step is tested at ``alpha`` over their number (Bonferroni).
        """
        return bool((self.pvalue[self.tested] <= self._level).all()) if self.tested.any() else None

    @property
    def _level(self) -> float:
        return self.alpha / max(1, self.tested.sum())

    def sizes(self) -> np.ndarray:
        """Return the members of each lasting role in each window, int64 (n, roles)."""
        return np.stack([np.bincount(labels[labels >= 0], minlength=len(self.names)) for labels in self.labels])

    def __str__(self) -> str:
        span = f"ticks {self.ticks[0]}–{self.ticks[-1]}" if len(self) > 1 else f"tick {self.ticks[0]}"
        windows = f"{len(self)} windows ({span})" if len(self) > 1 else f"one window ({span})"
        if not self.names:
            return f"No roles in {windows}: none are told apart."
        head, sizes = f"{len(self.names)} roles in {windows}", self.sizes()
        if not self.tested.any():
            return f"{head}; they are told apart once only, which says nothing of persistence."
        steps, beyond = int(self.tested.sum()), int((self.pvalue[self.tested] <= self._level).sum())
        kept = self.persistence[self.tested]
        share = " to ".join(dict.fromkeys(f"{one:.0%}" for one in (kept.min(), kept.max())))
        lines = [f"{head}. From window to window {share} of the members keep theirs, "
                 f"{self.expected[self.tested].mean():.0%} by chance; " + (
                     "more than chance each time." if beyond == steps else "never more than chance: roles do not last."
                     if not beyond else f"more than chance in {beyond} of {steps} steps.")]
        bare = int((sizes.sum(axis=1) == 0).sum())
        if bare:
            lines.append(f"  In {bare} of {len(self)} windows no roles are told apart.")
        for role, name in self.names.items():
            seen = np.flatnonzero(sizes[:, role])
            lines.append(f"  {role}  {name}: {sizes[seen, role].min():,} to {sizes[seen, role].max():,} members, in "
                         f"{len(seen)} of {len(self)} windows")
        return "\n".join(lines)

    __repr__ = __str__

    def frame(self):
        """Return one row a member and window as a pandas DataFrame: tick, uid, site, role and its name."""
        import pandas as pd

        names = {-1: "unknown", **self.names}
        return pd.concat([pd.DataFrame({"tick": tick, "uid": one.uid, "site": one.site, "role": labels,
                                        "name": [names[label] for label in labels.tolist()]})
                          for tick, one, labels in zip(self.ticks, self.roles, self.labels, strict=True)],
                         ignore_index=True)

    def steps(self):
        """Return one row a window as a pandas DataFrame: number of roles, entropy, and persistence from the last."""
        import pandas as pd

        before = {"persistence": self.persistence, "expected": self.expected, "corrected": self.corrected,
                  "pvalue": self.pvalue}
        return pd.DataFrame({"tick": self.ticks, "roles": np.count_nonzero(self.sizes(), axis=1),
                             "entropy": self.entropy,
                             **{name: np.concatenate([[np.nan], values]) for name, values in before.items()}})


def follow_roles(series, *, ticks=None, n_resamples: int = 199, alpha: float = 0.05, rng=None,
                 **options) -> RoleHistory:
    """Follow roles through time.

    A role of one window is a role of the next if its members do the same, and are the same. For every pair of roles
    the cost is (1 - overlap) + 2 × distance: of their members, those of both over those of either (Jaccard), counted
    among members known in both windows; and of their centres, Hellinger's distance, the mean of the blocks, over how
    far a role's centre usually is from the nearest other's. Roles are matched so that the sum of costs is least (Kuhn's
    assignment); pairs that cost more than 1.5 are not. So members that all swap their tasks are said to change roles;
    a role whose members stay may change what it does, little by little. A role that was gone is known again by
    what it does. All others get new numbers. A window in which no roles are told apart says nothing; roles are matched
    across it.

    Parameters
    ----------
    series : Snapshots, or sequence
        Roles, or anything else in which :func:`find_roles` finds them, one a window; members are known by uid.
    ticks : sequence of int, optional
        When windows end; read from snapshots.
    n_resamples : int, default 199
        Shuffles of each window's labels.
    alpha : float, default 0.05
        Level at which the text says that roles last, for all steps together.
    rng : int, SeedSequence, Generator or None
    **options
        For :func:`find_roles`.

    Returns
    -------
    RoleHistory

    References
    ----------
    Kuhn (1955) The Hungarian method for the assignment problem. *Naval Research Logistics Quarterly* 2: 83-97.
    Greene, Doyle, Cunningham (2010) Tracking the evolution of communities in dynamic social networks. *ASONAM*, 176-183
    (matching by Jaccard overlap, also with what was gone).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> mixes = np.repeat([[.8, .1, .1], [.1, .8, .1], [.1, .1, .8]], 50, axis=0)
    >>> history = follow_roles([rng.multinomial(100, mixes) for _ in range(3)], rng=1)
    >>> history.lasting, history.persistence
    (True, array([1., 1.]))
    """
    n_resamples, seed = whole("n_resamples", n_resamples, 1), resolved(rng)
    if not isinstance(series, Sequence) or not len(series):
        raise ValueError("series must hold at least one window, snapshots or roles" if isinstance(series, Sequence) else
                         f"series must be snapshots or a sequence of windows, not {series!r:.60}")
    rng = np.random.default_rng(seed)
    found = [one if isinstance(one, Roles) else find_roles(one, rng=rng, **options) for one in series]
    if ticks is None:
        ticks = getattr(series, "ticks", None)
        ticks = [getattr(one, "stop", i) for i, one in enumerate(series)] if ticks is None else ticks
    ticks = np.asarray(ticks, np.int64)
    if ticks.shape != (len(found),):
        raise ValueError(f"ticks must hold one number for each of the {len(found)} windows, not {ticks.shape}")
    if len({one.cloud.edges for one in found}) > 1:
        raise ValueError("all windows must have the same blocks, of as many columns")
    labels, names, last = [], {}, None
    centres = np.empty((0, found[0].cloud.centres.shape[1]))
    persistence, null = np.full(len(found), np.nan), np.full((len(found), n_resamples), np.nan)
    for step, now in enumerate(found):
        labels.append(np.full(len(now.uid), -1))
        if now.n_roles < 2:
            continue
        was, own = np.empty((2, 0), np.int64) if last is None else _shared(found[last].uid, labels[last], now)
        far = _distances(centres, now.cloud)
        number = _match(was, own, far)
        new = np.flatnonzero(number < 0)
        number[new] = len(names) + np.arange(len(new))
        centres = np.concatenate([centres, now.cloud.centres[new]])
        centres[number] = now.cloud.centres
        names |= {int(lasting): profile.name for lasting, profile in zip(number, now.profiles, strict=True)}
        labels[step] = np.where(now.labels >= 0, number[now.labels], -1)
        if len(was):
            persistence[step] = (was == number[own]).mean()
            lots = (rng.permutation(own) for _ in range(n_resamples))
            null[step] = [(was == _match(was, lot, far, np.inf)[lot]).mean() for lot in lots]
        last = step
    names, persistence, null = dict(sorted(names.items())), persistence[1:], null[1:]
    sizes = [np.bincount(one[one >= 0], minlength=len(names)) for one in labels]
    return RoleHistory(
        ticks=ticks, roles=found, labels=labels, names=names, persistence=persistence, expected=null.mean(axis=1),
        pvalue=np.where(np.isfinite(persistence), (1 + (null >= persistence[:, None] - 1e-12).sum(axis=1))
                        / (1 + n_resamples), np.nan),
        null_distribution=null, entropy=np.array([float(entropy(ratio(size, size.sum()))) for size in sizes]) + 0.0,
        alpha=alpha, seed=seed)


def _shared(uid, labels, now: Roles):
    """Return the earlier and the present labels of the members known in both windows."""
    _, i, j = np.intersect1d(uid, now.uid, return_indices=True)
    known = (labels[i] >= 0) & (now.labels[j] >= 0)
    return labels[i][known], now.labels[j][known]


def _distances(centres, cloud) -> np.ndarray:
    """Return the distances of lasting roles' centres from those of a window, over that of nearest lasting roles."""
    def far(a, b):
        return np.mean([np.sqrt(((a[:, None, i:j] - b[None, :, i:j])**2).sum(axis=2) / 2)
                        for i, j in zip(cloud.edges, cloud.edges[1:], strict=False)], axis=0)

    if not len(centres):
        return np.empty((0, len(cloud.centres)))
    apart = far(centres, centres)
    np.fill_diagonal(apart, np.inf)
    return far(centres, cloud.centres) / max(float(np.median(apart.min(axis=1))), 1e-9)


def _match(was, own, far, most: float = SAME) -> np.ndarray:
    """Return the lasting role of each role of a window, from labels of the same members in both.

    -1 for none: where the cost is above ``most``. (Lots are matched as well as can be, at any cost.)
    """
    from scipy.optimize import linear_sum_assignment

    both = np.zeros(far.shape)
    np.add.at(both, (was, own), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    cost = 1 - ratio(both, either) + DOING * far
    # what is not the same is best left alone: such a pair costs no more than none
    old, new = linear_sum_assignment(np.minimum(cost, most + 1e-9))
    number = np.full(far.shape[1], -1)
    same = cost[old, new] <= most
    number[new[same]] = old[same]
    return number
