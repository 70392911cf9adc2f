"""Roles found in what members do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._checks import number as real
from .._checks import seed as resolved
from .._checks import whole
from ..measures import division_of_labour_test, gorelick
from ._acts import acts_of, points_of
from ._agree import Agreement
from ._mixture import FEWEST, Cloud, fit, found_again, halfway
from ._profile import Profile, profiles_of
from ._strength import chosen, rivals, said_rivals, strengths_of

__all__ = ["Roles", "find_roles"]

#: Members by which roles are counted and tested; more are sampled.
SAMPLE = 2000
#: Pairs of random halves by which a number of roles is judged, at most, of few members and of more than are sampled:
#: those leap less, and cost more.
MOST_HALVES = 40, 24
#: If more members lie halfway between two roles, over those at their middles, there is no clear gap between them.
NO_GAP = 0.5


@dataclass(frozen=True, eq=False)
class Roles:
    """The roles of a population.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Role of each member, in the order of ``uid``; -1 of one that acted too little to tell.
    probabilities : ndarray, shape (n, R)
        Of each role; rows of -1 are 0.
    profiles : list of Profile
        One a role.
    strengths : dict of int to float
        Prediction strength of each number of roles that was tried, mean of random halves of the members.
    errors : dict of int to float
        Standard errors of these means.
    statistic : float
        Division of labour D_ind of the first block (tasks), as observed in the members that were tested.
    pvalue : float
        Of members that all draw from one mix, both margins of the table fixed.
    null_distribution : ndarray
    alpha, threshold : float
        Level of the test; least prediction strength of roles.
    uid, site : ndarray of int64, shape (n,)
    seed : int
    cloud : Cloud
        The mixture: centres, weights and variances of the roles.
    halfway : float
        Members halfway between two roles, over those at their middles: near 0 where roles are apart, near 1 or above
        where a continuum is cut in two. The greatest of all roles and those nearest to them; 0 of one role.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    profiles: list[Profile]
    strengths: dict[int, float]
    errors: dict[int, float]
    statistic: float
    pvalue: float
    null_distribution: np.ndarray
    alpha: float
    threshold: float
    uid: np.ndarray
    site: np.ndarray
    seed: int
    cloud: Cloud
    halfway: float

    @property
    def n_roles(self) -> int:
        """Number of roles; 1 means that none are told apart."""
        return len(self.profiles)

    @property
    def differ(self) -> bool:
        """Whether members differ by more than chance: ``pvalue`` is at most ``alpha``."""
        return self.pvalue <= self.alpha

    @property
    def rivals(self) -> tuple[int, ...]:
        """Numbers of roles that cannot be told apart: the threshold is within 2 standard errors of their strengths.

        One number where it is certain (or was asked for). The error is that of random halves of these members.
        """
        return rivals(self.strengths, self.errors, self.threshold) if self.strengths else (self.n_roles,)

    @property
    def underdetermined(self) -> bool:
        """Whether other numbers of roles might be right as well; see ``rivals``."""
        return len(self.rivals) > 1

    def agreement(self, other) -> Agreement:
        """Compare with another division of the same members, such as :func:`block_roles` finds.

        Parameters
        ----------
        other : Roles, Blocks, Level or array_like of shape (n,)
            Roles, blocks or a level of wholes, matched by uid; or a label (negative: unknown) for each member in the
            order of ``uid``.

        Returns
        -------
        Agreement
            Printed, it says whether both agree.
        """
        return Agreement.of(self, other)

    @property
    def sizes(self) -> np.ndarray:
        """Members of each role, shape (R,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=self.n_roles)

    def __str__(self) -> str:
        acting, first = int((self.labels >= 0).sum()), next(iter(self.profiles[0].shares.values()))
        if acting < 2:
            head = ("No roles: nobody acted enough to tell (least_acts is how much that is)." if not acting else
                    "No roles: only one member acted enough to tell, and there is none to differ from.")
        elif len(first) < 2:
            head = "No roles: there is only one thing to do."
        elif self.statistic < 1e-9 and next(iter(self.profiles[0].shares)) == "position" and not self.differ:
            head = (f"No roles: every member gives as much as it gets, as it must where flows have no direction "
                    f"(p = {self.pvalue:.3g}).")
        elif not self.differ:
            head = (f"No roles: members differ no more than chance lets them (p = {self.pvalue:.3g})"
                    + (f"; the {self.n_roles} that were asked for:" if self.n_roles > 1 else "."))
        elif self.n_roles == 1:
            head = f"Members differ (D_ind = {self.statistic:.2f}, p = {self.pvalue:.3g})"
            head += (f", but by degrees: no number of roles from 2 to {max(self.strengths)} is found again in other "
                     f"members (prediction strength below {self.threshold:g})." if self.strengths else
                     f", but {acting} are too few to tell roles by: {4 * FEWEST} are the least."
                     if acting < 4 * FEWEST else "; one role was asked for.")
        else:
            test, number = f"D_ind = {self.statistic:.2f}, p = {self.pvalue:.3g}", self.n_roles
            head = (f"{number} roles ({test}; prediction strength {self.strengths[number]:.2f} ± "
                    f"{self.errors[number]:.2f}):" if self.strengths else f"{number} roles, as asked for ({test}):")
        unknown, more = int((self.labels < 0).sum()), said_rivals(self.rivals, "roles")
        few = [f"  {unknown:,} member{'s' * (unknown > 1)} acted too little to tell"] if unknown else []
        roles = [f"  {i}  {one}" for i, one in enumerate(self.profiles)] if acting else []
        if self.n_roles > 1 and self.differ and self.halfway > NO_GAP:
            more = (more + "\n").lstrip() + (
                f"  There is no clear gap: {self.halfway:.0%} as many members lie halfway between two roles as at "
                "their middles; they may differ by degrees.")
        return "\n".join([head, *([more] if more else []), *roles, *few])

    __repr__ = __str__

    def frame(self):
        """Return one row a member as a pandas DataFrame: uid, site, role, its name and its probability."""
        import pandas as pd

        known = self.labels >= 0
        names = np.array([profile.name for profile in self.profiles] + ["unknown"])
        return pd.DataFrame({"uid": self.uid, "site": self.site, "role": self.labels, "name": names[self.labels],
                             "probability": np.where(known, self.probabilities.max(axis=1), np.nan)})


def find_roles(source, n_roles: int | None = None, *, blocks=None, max_roles: int = 8, threshold: float = 0.8,
               alpha: float = 0.05, n_resamples: int = 199, least_acts: float | None = None, draws=None,
               window: int = -1, rng=None) -> Roles:
    """Find the roles of a population in what its members do.

    Every member is described by the shares of tasks in its acts, of resources in what it gives and gets, and of
    giving, getting and own use in its dealings. First a test: do members differ more than if all drew
    their acts from one mix? If not, there is one role. If so, mixtures of 2 to ``max_roles`` clouds are
    fitted (to the square roots of the shares, where chance scatters alike in all directions), and the largest number
    is taken whose clouds, found in one half of the members, are found again in the other: prediction strength
    of at least ``threshold``. (A role of fewer than about ten members passes for a few strays.) Members may also
    differ by degrees; then as a rule no number passes, and there is one role. But where only two things are done a cut
    through the middle of a continuum is found again like a border: whether there is a gap is said by ``halfway``.

    The strength of a number is a mean over random halves of the members, more of them where it is near the threshold.
    If the threshold is still within two standard errors, the number is said to be underdetermined.

    Parameters
    ----------
    source : World, Snapshot, Snapshots, Reading, networkx graph, sparse array, mapping or array_like
        A world (its living members; what they remember, and all that they gave and got where it keeps
        exact totals); a snapshot of one window, or a series of them; flows alone (a reading, a graph whose edges
        carry ``weight`` and ``r0``, ``r1``, …, a sparse array, row = giver; in an undirected graph without resources
        giving is getting, so that p is 1); a table of counts (members, tasks), such
        as :func:`count_acts` makes; or a mapping of block names to such tables of amounts ≥ 0, the first of which
        is tested.
    n_roles : int, optional
        This many, without choosing.
    blocks : sequence of str, optional
        Only these blocks: of a world some of "tasks", "exports", "imports" and "position"; the first is tested.
    max_roles : int, default 8
    threshold : float, default 0.8
        Least prediction strength, in (0, 1].
    alpha : float, default 0.05
        Level of the test, in (0, 1).
    n_resamples : int, default 199
        Tables of the null.
    least_acts : float, optional
        Members whose acts are worth fewer draws are told no role (-1); by default 10, and 2 of flows alone.
    draws : float or array_like, shape (n,), optional
        How many independent acts a row is worth; by default what a world's memory makes of them, row sums of the
        first block of tables, and of flows alone the number of ties that they went along (:mod:`organism.roles`).
    window : int, default -1
        Which snapshot of a series.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Roles

    Notes
    -----
    How well: 400 members in three planted roles, each with 60 acts, of which a member does its own task with
    probability .54 and each other with .23 (.50 and .25): in 20 recordings three roles were found each time, with
    an adjusted mutual information with the planted ones of .96 to 1 (.87 to .95). In 200 recordings whose acts were
    shuffled the test calls members different as often as ``alpha`` says. So it does in flows alone: of 200 graphs of 60
    members that each give 5 others one good each, of exponential amounts, 12 were rejected at .05 by what members give
    and 8 by what they get. Where a member gives a good of its own, one of three, with probability .2, .35 or .5 (else
    any), 11, 32 and 40 of 40 were.

    References
    ----------
    Tibshirani, Walther (2005) Cluster validation by prediction strength. *Journal of Computational and
    Graphical Statistics* 14: 511-528. Rao (1995) A review of canonical coordinates and an alternative to
    correspondence analysis using Hellinger distance. *Qüestiió* 19: 23-63.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> mixes = np.repeat([[.8, .1, .1], [.1, .8, .1], [.1, .1, .8]], 100, axis=0)
    >>> roles = find_roles(rng.multinomial(100, mixes), rng=1)
    >>> roles.n_roles, [profile.name for profile in roles.profiles]
    (3, ['gathers 0', 'gathers 1', 'gathers 2'])
    """
    max_roles = whole("max_roles", max_roles, 2)
    if n_roles is not None:
        n_roles = whole("n_roles", n_roles, 1)
    threshold, alpha = real("threshold", threshold, 0, 1, "(]"), real("alpha", alpha, 0, 1, "(]")
    if least_acts is not None:
        least_acts = real("least_acts", least_acts, 0)
    seed = resolved(rng)
    rng = np.random.default_rng(seed)
    acts = acts_of(source, blocks, draws, window)
    least_acts = (10 if acts.counted else 2) if least_acts is None else least_acts
    first = next(iter(acts.blocks.values()))
    known = (acts.draws >= least_acts) & (first.sum(axis=1) > 0)
    able = acts.take(known)
    if n_roles is not None and n_roles > max(1, len(able)):
        raise ValueError(f"n_roles must be in [1, {max(1, len(able))}], the members that acted, not {n_roles}")
    some = able.take(np.sort(rng.permutation(len(able))[:SAMPLE]))
    statistic, pvalue, null = _tested(some, n_resamples, rng)
    points, edges, floors = points_of(able)
    strengths, errors, number = {}, {}, n_roles or 1
    most = min(max_roles, len(points) // (2 * FEWEST))      # more would have too few members in half of them
    if n_roles is None and pvalue <= alpha and most > 1:
        sample = points[rng.permutation(len(points))[:2 * SAMPLE]]
        strengths, errors = strengths_of(lambda number: found_again(sample, edges, floors, number, rng),
                                         range(2, most + 1), threshold, members=len(sample),
                                         many=MOST_HALVES[len(points) > 2 * SAMPLE])
        number = chosen(strengths, threshold)
    cloud = fit(points[rng.permutation(len(points))[:2 * SAMPLE]] if len(points) else np.zeros((1, edges[-1])),
                edges, floors, number, rng)
    cloud = _sorted(cloud)
    probabilities, labels = np.zeros((len(acts), number)), np.full(len(acts), -1)
    probabilities[known] = cloud.probabilities(points)
    labels[known] = probabilities[known].argmax(axis=1)
    return Roles(labels=labels, probabilities=probabilities, profiles=profiles_of(acts, labels, number),
                 strengths=strengths, errors=errors, statistic=statistic, pvalue=pvalue,
                 null_distribution=null, alpha=alpha, threshold=threshold, uid=acts.uid,
                 site=acts.site, seed=seed, cloud=cloud, halfway=halfway(points, labels[known], cloud.centres))


def _tested(acts, n_resamples: int, rng) -> tuple[float, float, np.ndarray]:
    """Test whether members differ: D_ind of the first block, its p-value, and what chance makes of it.

    Of flows alone ties are what chance deals to: exact, as members do not differ if any tie may carry any goods.
    """
    table = next(iter(acts.blocks.values()))
    if acts.deal is None:
        test = division_of_labour_test(table, n_resamples=n_resamples, rng=rng, draws=acts.draws)
        return test.statistic, test.pvalue, test.null_distribution
    n_resamples, found = whole("n_resamples", n_resamples, 1), gorelick(table)
    null = np.array([gorelick(acts.deal(rng)).ind for _ in range(n_resamples)] if found.defined
                    else np.zeros(n_resamples))
    return found.ind, float((1 + (null >= found.ind - 1e-12).sum()) / (1 + len(null))), null


def _sorted(cloud: Cloud) -> Cloud:
    """Return the cloud with its roles in the order of their first block's mixes, so that a rerun names them alike."""
    mixes = cloud.centres[:, :cloud.edges[1]]**2
    order = sorted(range(len(mixes)), key=lambda role: (int(mixes[role].argmax()), -float(mixes[role].max())))
    return Cloud(cloud.centres[order], cloud.weights[order], cloud.variances, cloud.edges, cloud.loglikelihood)
