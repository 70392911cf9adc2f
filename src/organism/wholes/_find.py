"""Wholes found in flows, level by level, each against its nulls."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from .._checks import closest, number, whole
from .._checks import seed as resolved
from ._agree import agreement
from ._detect import METHODS, NEAR, RESOLUTIONS, RUN, STABLE, alike, candidates, detect, divides, nested, settled
from ._level import Level, Null, statistics
from ._maps import codelength, walk
from ._meta import to_mesa, triplets
from ._nulls import known_null, null_of
from ._trade import Trade, trade_of

__all__ = ["Wholes", "find_wholes"]

#: What chance keeps in each null, and what is enough for a level that is no more than it makes.
KEPT = {"flows": "same ties, flows shuffled", "strengths": "same ties, flows shuffled, each member's totals kept",
        "degrees": "ties at random, as many of each member"}
ENOUGH = {"flows": "who is tied to whom", "strengths": "how much each member gives and gets",
          "degrees": "how many ties each member has"}
#: Nulls from which the resolution of the others is learnt.
PILOTS = 3


@dataclass(frozen=True, eq=False)
class Wholes:
    """The nest of wholes of a population: members in tissues, tissues in organs, organs in the organism.

    Parameters
    ----------
    levels : list of Level
        The finest first; each whole lies in one whole of the next level. Empty if no division is stable.
    trade : Trade
    method : str
    codelength : float
        Bits a step of a walk, told by the whole nest; ``undivided`` without any.
    undivided : float
    nesting : list of float
        Agreement (AMI) of each level, as it nests, with the same level as it was found.
    seed : int
    """

    levels: list[Level]
    trade: Trade
    method: str
    codelength: float
    undivided: float
    nesting: list[float]
    seed: int

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, index):
        return self.levels[index]

    def __iter__(self):
        return iter(self.levels)

    @property
    def standing(self) -> list[Level]:
        """Levels that beat their decisive null; all, where none was run."""
        return [level for level in self.levels if level.stands or not level.nulls]

    def __str__(self) -> str:
        n = len(self.trade.uid)
        if not self.trade.flows.nnz:
            return f"No wholes: nothing flowed between the {n:,} members (what one gives itself does not count)."
        if not self.levels:
            return (f"No wholes: no division of the {n:,} members is a level ({self.method}): "
                    + ("none stays the same over a stretch of resolutions." if self.method == "louvain" else
                       "the method finds none."))
        tested, lines = any(level.nulls for level in self.levels), []
        if self.trade.left_out > 0.005:
            lines.append(f"{self.trade.left_out:.0%} of the flows are left out: who gave or got them was gone when a "
                         "window ended.")
        if not self.standing:
            lines.append("Too few nulls to tell whether any level stands: take 19 or more."
                         if all(level.stands is None for level in self.levels) else
                         "No level beats its null: chance divides as well.")
        lines.append(f"{len(self.levels)} level{'s' * (len(self.levels) > 1)} of {n:,} members, the finest first "
                     f"({self.method}). Bits that tell a step of a walk: {self.codelength:.3f} with these levels, "
                     f"{self.undivided:.3f} without" + ("." if self.codelength < self.undivided else
                                                        ", so by the map equation it is better not to divide."))
        for i, level in enumerate(self.levels):
            verdict = {None: ", too few nulls to tell" if level.nulls else "", True: " stands",
                       False: " does not stand"}[level.stands]
            lines += [f"  Level {i}{verdict}: {level}", *(f"    {line}" for line in self._against(level))]
        if tested:
            lines.append(f"By chance: {KEPT[self.levels[0].decisive]}; the detector runs again.")
        return "\n".join(lines)

    def _against(self, level: Level) -> list[str]:
        """Say what other levels, and other nulls, make of the assortativity of one."""
        said = [f"{'inside' if what[0] == 'i' else 'between'} {what.split(' ', 1)[1]}, by chance "
                f"{null['assortativity'].told}" for what, null in (level.beyond or {}).items()]
        for name, null in level.nulls.items():
            one = null["assortativity"]
            if name == level.decisive and not one.varies:
                said.append("chance can make nothing else of these ties: the test has no power")
            elif one.below <= level.alpha:
                said.append(f"less than chance makes ({KEPT[name]}: {one.mean:.2f}, p of so little = {one.below:.3g})")
            elif name != level.decisive and level.stands and one.above > level.alpha:
                said.append(f"{ENOUGH[name]} is enough for it ({KEPT[name]}: {one.told})")
        return said

    __repr__ = __str__

    def frame(self):
        """Return one row a level and statistic as a pandas DataFrame, with what the nulls gave."""
        import pandas as pd

        rows = []
        for i, level in enumerate(self.levels):
            for name, value in level.statistics.items():
                row = {"level": i, "wholes": level.n_wholes, "statistic": name, "observed": value}
                for null, found in level.nulls.items():
                    row |= {f"{null}_mean": found[name].mean, f"{null}_above": found[name].above,
                            f"{null}_below": found[name].below}
                rows.append(row)
        return pd.DataFrame(rows if rows else None, columns=None if rows else
                            ["level", "wholes", "statistic", "observed"])

    def compare(self, *others):
        """Return how far other nests agree with this one, as a pandas DataFrame.

        Parameters
        ----------
        *others : Wholes
            Of the same members in the same order, such as other methods find.

        Returns
        -------
        pandas.DataFrame
            One row for each level of each nest, this one's first: ``method``, ``level``, ``wholes``, ``codelength``
            (bits a step, of this level alone), ``stability`` over resolutions and ``bootstrap`` (NaN where there is
            none), ``agreement``, the adjusted mutual information with the level of this nest that is most like it,
            and that ``with_level`` (-1: there is none).
        """
        import pandas as pd

        rows = []
        for nest in (self, *others):
            if len(nest.trade.uid) != len(self.trade.uid):
                raise ValueError(f"others must divide the same {len(self.trade.uid)} members, not "
                                 f"{len(nest.trade.uid)}")
            for i, level in enumerate(nest.levels):
                alike = [agreement(level.labels, mine.labels) for mine in self.levels]
                best = int(np.argmax(alike)) if alike else -1
                rows.append({"method": nest.method, "level": i, "wholes": level.n_wholes,
                             "codelength": codelength(self.trade.flows, level.labels),
                             "stability": level.stability, "bootstrap": level.bootstrap,
                             "agreement": alike[best] if alike else np.nan, "with_level": best})
        return pd.DataFrame(rows, columns=["method", "level", "wholes", "codelength", "stability", "bootstrap",
                                           "agreement", "with_level"])

    def membership(self):
        """Return one row a member as a pandas DataFrame: node, uid and its whole at each level."""
        import pandas as pd

        return pd.DataFrame({"node": self.trade.nodes, "uid": self.trade.uid,
                             **{f"level_{i}": level.labels for i, level in enumerate(self.levels)}})

    def triplets(self, relation: str = "part of") -> list[tuple]:
        """Return who is part of what as (member, group, relation); see :func:`organism.wholes.triplets`."""
        return triplets(self, relation)

    def to_mesa(self, model, agents=None) -> list[list]:
        """Make a meta-agent of each whole in a Mesa model; see :func:`organism.wholes.to_mesa`.

        Parameters
        ----------
        model : mesa.Model
        agents : sequence of mesa.Agent, optional
            One for each member; by default those whose ``unique_id`` is the member's uid.

        Returns
        -------
        list of list of mesa MetaAgent
            By level, the finest first.
        """
        return to_mesa(self, model, agents)


def find_wholes(source, method: str = "louvain", *, nulls=None, n_nulls: int = 19, n_bootstraps: int = 0,
                given: bool | None = None, resolutions=RESOLUTIONS, stable: float = STABLE, alpha: float = 0.05,
                workers: int | None = None, progress: bool = False, rng=None) -> Wholes:
    """Find the wholes of a population: groups that trade among themselves, at every level.

    Louvain's method divides the members at a ladder of resolutions; divisions with which those at the next
    resolutions agree (three or more in a row, by an AMI of ``stable``) are levels. Each is held against nulls in
    which the same detector runs again and divides into as many wholes (within 5 %, where it can): whatever it is
    given, a detector finds groups, also on land without any (MODEL.md says why patches of equal size are no null).
    A level must also show more than others explain: the one that exceeds its null most stands first; a finer one
    must beat chance inside its wholes, a coarser one between them.

    Parameters
    ----------
    source : World, Reading, Snapshot, Snapshots, networkx graph or sparse array
        See :func:`trade_of`.
    method : {"louvain", "networkx", "infomap"}
        scikit-network's Louvain swept over resolutions; networkx's own levels; those of infomap, if installed.
    nulls : sequence of {"flows", "strengths", "degrees"}, optional
        See :func:`null_flows`; the first is decisive. By default "flows" and "strengths" where ties are ``given``,
        and "degrees" before them where they are themselves what is found. Empty: none. Where all ties carry the
        same, "degrees" alone: there is nothing to deal out.
    n_nulls : int, default 19
        Of each; 19 make the least p-value .05, with fewer no level stands or falls at that. A level stands if no
        null in 19 has as much, so one near the limit may stand with one seed and not with the next: to be surer, and
        always for small networks, take 99 or more.
    n_bootstraps : int, default 0
        Times that flows are resampled (Poisson weights) and divided again, to see how stable levels are.
    given : bool, optional
        Whether members could give along these ties only, so that what flows along them is in question, not who is tied
        to whom: a lattice falls into regions whatever its members do. By default so of worlds, readings, snapshots
        and graphs made of them (:func:`organism.interdependence`).
    resolutions : sequence of float
        In (0, 10⁶], three different ones at least. A level stays the same over three in a row, so they should be well
        apart (by default each is 1.26 times the one before).
    stable : float
        In (0, 1].
    alpha : float
    workers : int, optional
        Processes for the nulls (loky); by default none.
    progress : bool
        Show a bar.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    Wholes
        Its ``levels`` have ``labels``, ``statistics``, ``nulls[name][statistic]``, and ``beyond``: what they show
        beyond the levels around them. ``print`` tells all.

    Examples
    --------
    >>> import networkx as nx
    >>> found = find_wholes(nx.ring_of_cliques(8, 6), rng=1)
    >>> [(level.n_wholes, level.stands) for level in found]
    [(8, True)]
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}" + closest(str(method), METHODS))
    n_nulls, n_bootstraps = whole("n_nulls", n_nulls, 1), whole("n_bootstraps", n_bootstraps, 0)
    if nulls is not None:
        nulls = list(dict.fromkeys(
            known_null(null) for null in ([nulls] if isinstance(nulls, str) or not np.iterable(nulls) else nulls)))
    stable, alpha = number("stable", stable, 0, 1, "(]"), number("alpha", alpha, 0, 1, "(]")
    resolutions = list(resolutions) if np.iterable(resolutions) else [resolutions]
    if not resolutions:
        raise ValueError("resolutions must hold numbers above 0, and there are none")
    resolutions = sorted({number("each of resolutions", one, 0, 1e6, "(]") for one in resolutions})
    if method == "louvain" and len(resolutions) < RUN:
        raise ValueError(f"resolutions must be {RUN} different numbers at least, for a level stays the same over so "
                         f"many in a row, not {resolutions}")
    seed = resolved(rng)
    generator = np.random.default_rng(seed)
    trade = trade_of(source)
    if not trade.flows.nnz:
        return Wholes([], trade, method, 0.0, 0.0, [], seed)
    if nulls is None:
        given = trade.given if given is None else bool(given)
        dealt = ["flows", "strengths"] if given or np.ptp(trade.flows.data) else []
        nulls = dealt if given else ["degrees", *dealt]
    found = candidates(trade.flows, method, generator, resolutions, stable)
    nest = nested([one["labels"] for one in found])
    keep = [i for i, labels in enumerate(nest) if divides(labels)]
    found, nest = [found[i] for i in keep], [_by_size(nest[i]) for i in keep]
    step = walk(trade.flows)
    levels = [Level(labels, trade, one["setting"], one["stability"], np.nan, statistics(trade, labels, step=step), {},
                    nulls[0] if nulls else "flows", alpha) for one, labels in zip(found, nest, strict=True)]
    levels = _tested(levels, trade, method, nulls, n_nulls, n_bootstraps, generator, workers, progress)
    return Wholes(levels[::-1], trade, method, codelength(trade.flows, *nest), codelength(trade.flows),
                  [agreement(a, one["labels"]) for a, one in zip(nest, found, strict=True)][::-1], seed)


def _by_size(labels) -> np.ndarray:
    """Return labels that number groups from the largest on."""
    size = np.bincount(labels)
    rank = np.empty(len(size), np.int64)
    rank[np.argsort(-size, kind="stable")] = np.arange(len(size))
    return rank[labels]


def _one_null(trade: Trade, null: str, method: str, wanted, given: dict, seed: int) -> list[dict | None]:
    """Make one null, and return the statistics of the levels with about as many wholes that are found in it.

    ``wanted`` holds pairs of a setting and a number of wholes.
    """
    rng = np.random.default_rng(seed)
    flows, resources = null_of(trade, null, rng, **given)
    made = None if method == "louvain" else candidates(flows, method, rng)
    found = [alike(flows, method, setting, k, rng, made) for setting, k in wanted]
    step = walk(flows)
    return [None if labels is None else statistics(trade, labels, flows, resources, step) for labels in found]


def _one_bootstrap(trade: Trade, method: str, settings, labels, seed: int) -> list[float]:
    """Resample the flows, and return how far each level is found again."""
    from scipy import sparse

    rng = np.random.default_rng(seed)
    data = trade.flows.data * rng.poisson(1.0, trade.flows.nnz)
    flows = sparse.csr_array((data, trade.flows.indices.copy(), trade.flows.indptr.copy()), shape=trade.flows.shape)
    flows.eliminate_zeros()
    if method == "louvain":
        made = [detect(flows, setting, int(rng.integers(2**31))) for setting in settings]
    else:
        depths = {one["setting"]: one["labels"] for one in candidates(flows, method, rng)}
        made = [depths.get(setting) for setting in settings]
    return [np.nan if one is None else agreement(one, own) for one, own in zip(made, labels, strict=True)]


def _tested(levels, trade, method, nulls, n_nulls, n_bootstraps, rng, workers, progress):
    """Run nulls and bootstraps, and return the levels, the coarsest first, with what they gave.

    A level is there in part because a finer or a coarser one is. So the strongest is taken first, and each must beat
    chance also inside the next coarser, and between the wholes of the next finer, that stand already or come to.
    """
    from tqdm import tqdm

    if not levels:
        return levels

    def against(some, null, given, each, bar):
        wanted = [(level.setting, level.n_wholes) for level in some]
        if method == "louvain":                 # where first nulls have as many, others are soon there
            first = [null_of(trade, null, rng, **given)[0] for _ in range(PILOTS)]
            wanted = [(float(np.exp(np.mean([np.log(settled(one, setting, k, rng, NEAR / 2)[1]) for one in first]))), k)
                      for setting, k in wanted]
        jobs = [(_one_null, trade, null, method, wanted, given, seed)
                for seed in rng.integers(2**63, size=n_nulls).tolist()]
        rows = list(each(jobs, bar))
        return [{name: Null.of(value, [np.nan if row[i] is None else row[i][name] for row in rows])
                 for name, value in level.statistics.items()} for i, level in enumerate(some)]

    with tqdm(total=len(nulls) * n_nulls + n_bootstraps, desc="nulls", disable=not progress) as bar, \
            _workers(workers) as each:
        by_null = {null: against(levels, null, {}, each, bar) for null in nulls}
        levels = [replace(level, nulls={null: found[i] for null, found in by_null.items()})
                  for i, level in enumerate(levels)]
        strongest = sorted((i for i, level in enumerate(levels) if level.stands),
                           key=lambda i: -np.nan_to_num(levels[i].excess, nan=np.inf))
        for i in strongest * 2:                 # the second time against those that came after it
            standing = [j for j in strongest if j != i and levels[j].beyond is not None and levels[j].stands]
            above = max((j for j in standing if j < i), default=None)
            below = min((j for j in standing if j > i), default=None)
            beyond = dict(levels[i].beyond or {})
            for name, given, j in (("inside the", "inside", above), ("from its", "parts", below)):
                what = None if j is None else f"{name} {levels[j].n_wholes}"
                if j is not None and what not in beyond and levels[i].stands:
                    bar.total += n_nulls
                    beyond[what], = against([levels[i]], nulls[0], {given: levels[j].labels}, each, bar)
            levels[i] = replace(levels[i], beyond=beyond)
        settings, labels = [level.setting for level in levels], [level.labels for level in levels]
        seeds = rng.integers(2**63, size=n_bootstraps).tolist()
        found = list(each([(_one_bootstrap, trade, method, settings, labels, seed) for seed in seeds], bar))
    if found:
        levels = [replace(level, bootstrap=float(np.nanmean([one[i] for one in found])))
                  for i, level in enumerate(levels)]
    return levels


@contextmanager
def _workers(workers):
    """Give a way to do jobs, here or in processes, that yields what they return in their order."""
    def here(jobs, bar):
        for call, *given in jobs:
            yield call(*given)
            bar.update()

    if workers is None or whole("workers", workers, 1) == 1:
        yield here
        return
    from loky import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as pool:
        def there(jobs, bar):
            for future in [pool.submit(*job) for job in jobs]:
                yield future.result()
                bar.update()

        yield there
