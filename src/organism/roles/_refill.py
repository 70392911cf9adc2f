"""Refilling: whether neighbours take over where members of a role are taken away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._bootstrap import interval, intervals
from .._checks import seed as resolved
from .._checks import site_indices, whole
from ..measures._sources import is_world, mean
from ._acts import Acts, points_of
from ._find import Roles, find_roles
from ._mixture import Cloud

__all__ = ["Refilling", "refilling"]

#: Neighbours that make up for less than this share of what was lost do not take over, however surely it is not 0.
LEAST = 0.05


@dataclass(frozen=True, eq=False)
class Refilling:
    """What became of a role where its members were taken away.

    Parameters
    ----------
    role : int
        The lost role.
    name : str
    lost : ndarray of int64
        Sites whose members were taken away.
    site, uid : ndarray of int64, shape (m,)
        The neighbours: living members with a tie from or to a lost site.
    change : ndarray, shape (branches, m)
        Probability of the lost role, judged by what the neighbour did after the loss, less that of the same
        neighbour in the untouched twin; NaN where it did not live to the end in both.
    twin : ndarray, shape (m,)
        That probability in the twins, mean of the branches.
    statistic : float
        Mean over branches of the neighbours' summed change over the number of lost members: how much of what was lost
        neighbours made up for (1: as many took over as went).
    low, high : float
        Its bootstrap interval over branches (95 %); NaN of one branch.
    elsewhere : float
        Mean change of a member that is no neighbour: what the loss does far away.
    newcomers : float
        Share of the lost sites where in the end a newborn member of the lost role lives.
    ticks : int
    seeds : list of int
        One a branch; the first is the world's own.
    """

    role: int
    name: str
    lost: np.ndarray
    site: np.ndarray
    uid: np.ndarray
    change: np.ndarray
    twin: np.ndarray
    statistic: float
    low: float
    high: float
    elsewhere: float
    newcomers: float
    ticks: int
    seeds: list[int]

    @property
    def taken_over(self) -> bool | None:
        """Whether neighbours take over: the interval lies above 0, the mean at 5 % or more; None without one."""
        return None if np.isnan(self.low) else bool(self.low > 0 and self.statistic >= LEAST)

    def __str__(self) -> str:
        what = f"{len(self.lost):,} of role {self.role} ({self.name}) were taken away"
        if not len(self.site):
            return f"{what}; they had no neighbours."
        verdict = {None: "One branch cannot tell whether neighbours take over", True: "Neighbours take over",
                   False: "Neighbours turn away" if self.high < 0 else "Neighbours do not take over, but for a trace"
                   if self.low > 0 else "No sign that neighbours take over"}
        text = (f"{verdict[self.taken_over]}: {what}, and in {self.ticks:,} ticks their {len(self.site):,} neighbours "
                f"made up for {self.statistic:.0%} of them")
        text += "." if np.isnan(self.low) else (f" (from {self.low:.0%} to {self.high:.0%}, {len(self.change)} pairs "
                                                "of twins).")
        if self.newcomers > 0:
            text += f" Newborn members fill {self.newcomers:.0%} of the lost places."
        return text

    __repr__ = __str__

    def frame(self):
        """Return one row a neighbour as a pandas DataFrame: site, uid, twin, mean change and its interval.

        Each interval holds for one neighbour; of many, some exclude 0 by luck.
        """
        import pandas as pd

        known = np.isfinite(self.change)
        low, high = intervals(self.change.T)
        total = np.where(known, self.change, 0).sum(axis=0)
        return pd.DataFrame({"site": self.site, "uid": self.uid, "twin": self.twin,
                             "change": np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan),
                             "low": low, "high": high})


def refilling(world, role: int | None = None, sites=None, *, roles: Roles | None = None, ticks: int = 1000,
              branches: int = 8, rng=None) -> Refilling:
    """Take members of a role away and see whether their neighbours take the role over.

    The world is forked twice: from one fork the members are removed, the other stays untouched. Both run on with the
    same luck, so what differs is due to the loss. But small differences grow until twins are as different as
    strangers: so this is done in several branches, each with luck of its own (the first with the world's), and their
    mean counts. The world itself is not changed.

    Parameters
    ----------
    world : World
    role : int, optional
        A role; by default the commonest among the members at ``sites``.
    sites : int, array_like of int, or mask, optional
        Where: with ``role`` only members of that role are taken from there, without it all of them. By default
        everywhere.
    roles : Roles, optional
        Of the world, as it is now, tasks being the first block; by default found here, in the tasks alone.
    ticks : int, default 1000
        How long both run on.
    branches : int, default 8
        Pairs of twins.
    rng : int, SeedSequence, Generator or None
        Source of the branches' luck, and of roles that are found here.

    Returns
    -------
    Refilling

    Raises
    ------
    ValueError
        If there are no two roles, or nobody to take away.

    Notes
    -----
    The null is the untouched twin. Where nothing near was lost neighbours do as in the twin on the average, however far
    the two have drifted apart, and the interval lies above 0 in about one of 40 cases.

    A neighbour's role is judged by its tasks alone, since the loss, with the centres of the roles as they were before.
    A role whose members were taken away everywhere can still be taken up.
    """
    if not is_world(world):
        raise TypeError(f"world must be a World, not {type(world).__name__}")
    ticks, branches, seed = whole("ticks", ticks, 1), whole("branches", branches, 1), resolved(rng)
    rng = np.random.default_rng(seed)
    if role is None and sites is None:
        raise ValueError("role or sites must be given, or there is nobody to take away")
    roles = find_roles(world, blocks="tasks", rng=rng) if roles is None else roles
    if roles.n_roles < 2:
        raise ValueError(f"world has no roles to lose. {str(roles).splitlines()[0]}")
    tasks = world.params.tasks
    if roles.cloud.edges[1] != tasks or not np.array_equal(roles.uid, world.state["uid"][world.living]):
        raise ValueError("roles must be those of this world, as it is now, with tasks as the first block")
    role, lost = _lost(world, roles, role, sites)
    near = _neighbours(world.topology, lost)
    near &= np.isin(np.arange(world.n_sites), world.living)
    cloud = roles.cloud
    cloud = Cloud(cloud.centres[:, :tasks], cloud.weights, cloud.variances[:1], cloud.edges[:2], cloud.loglikelihood)
    seeds = [world.seed, *(int(one) for one in rng.integers(0, 2**63, branches - 1))]
    found = [_branch(world, lost, cloud, role, ticks, one) for one in seeds]
    away = np.stack([touched - twin for touched, twin, _ in found])
    site = np.flatnonzero(near)
    change, twins = away[:, site], np.stack([twin for _, twin, _ in found])[:, site]
    each = np.nansum(change, axis=1) / len(lost)
    low, high = interval(each) if branches > 1 else (np.nan, np.nan)
    near[lost] = True
    rest = away[:, ~near]
    return Refilling(
        role=role, name=roles.profiles[role].name, lost=lost, site=site, uid=np.asarray(world.state["uid"][site]),
        change=change, twin=np.array([mean(column[np.isfinite(column)]) for column in twins.T]),
        statistic=float(each.mean()), low=low, high=high, elsewhere=mean(rest[np.isfinite(rest)]),
        newcomers=float(np.mean([new for *_, new in found])), ticks=ticks, seeds=seeds)


def _lost(world, roles: Roles, role, sites) -> tuple[int, np.ndarray]:
    """Return the lost role, and the sites of the members to take away."""
    labels = np.full(world.n_sites, -1)
    labels[roles.site] = roles.labels
    place = world.living if sites is None else site_indices(world.n_sites, sites)
    place = np.intersect1d(place, world.living)
    if role is None:
        known = labels[place][labels[place] >= 0]
        if not len(known):
            raise ValueError("sites must hold at least one member whose role is known")
        return int(np.bincount(known).argmax()), place
    role = whole("role", role, 0)
    if role >= roles.n_roles:
        raise ValueError(f"role must be in [0, {roles.n_roles - 1}], not {role}")
    place = place[labels[place] == role]
    if not len(place):
        raise ValueError(f"no member of role {role} lives there")
    return role, place


def _neighbours(topology, lost) -> np.ndarray:
    """Return the mask of sites with a tie from or to a lost one, lost ones left out."""
    gone, near = np.zeros((2, topology.n_sites), bool)
    gone[lost] = True
    near[topology.target[gone[topology.source]]] = True
    near[topology.source[gone[topology.target]]] = True
    return near & ~gone


def _branch(world, lost, cloud: Cloud, role: int, ticks: int, seed: int):
    """Run a lesioned fork and its twin on.

    Return by site the probability of the role in each (NaN of those who came or went), and the share of lost sites
    with a newborn of that role.
    """
    start, uid = np.array(world.state["task_counts"], float), np.array(world.state["uid"])
    fade = float(world.params.production.task_memory)**ticks
    found, here = [], np.isin(np.arange(world.n_sites), world.living)
    for lesion in (True, False):
        fork = _luck(world, seed)
        if lesion:
            fork.remove(lost)
        fork.step(ticks)
        living = fork.living
        stayed = here[living] & (fork.state["uid"][living] == uid[living])
        counts = np.maximum(fork.state["task_counts"][living] - fade * start[living] * stayed[:, None], 0)
        chances = np.full(world.n_sites, np.nan)
        acted = counts.sum(axis=1) > 0
        acts = Acts({"tasks": counts[acted]}, np.ones(acted.sum()), uid[living[acted]], living[acted])
        chances[living[acted]] = cloud.probabilities(points_of(acts)[0])[:, role]
        if lesion:
            new = float((chances[lost] > 0.5).mean())
        chances[np.setdiff1d(np.arange(world.n_sites), living[stayed])] = np.nan
        found.append(chances)
    return *found, new


def _luck(world, seed: int):
    """Fork a world, and give the fork this seed."""
    header, arrays = world._pack()
    return world._unpack(world.topology, world.params, {**header, "seed": seed},
                         {name: array.copy() for name, array in arrays.items()})
