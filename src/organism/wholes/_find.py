"""Wholes found in flows, level by level, each against its nulls."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from .._checks import closest, whole
from .._checks import seed as resolved
from ..flows import Reading
from ..measures._sources import is_world
from ._agree import agreement
from ._detect import METHODS, RESOLUTIONS, STABLE, alike, candidates, detect, divides, nested
from ._level import Level, Null, statistics
from ._maps import codelength, walk
from ._meta import to_mesa, triplets
from ._nulls import NULLS, null_of
from ._trade import Trade, trade_of

__all__ = ["Wholes", "find_wholes"]

#: What it means that a level which stands is no more than another null makes.
ENOUGH = {"flows": "who is tied to whom is enough for it, whatever flows",
          "strengths": "how much each member gives and gets is enough for it",
          "degrees": "how many ties each member has is enough for it"}


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
        return [level for level in self.levels if level.stands is not False]

    def __str__(self) -> str:
        n = len(self.trade.uid)
        if not self.levels:
            return (f"No wholes: no division of the {n:,} members stays the same over a stretch of resolutions "
                    f"({self.method}).")
        lines = []
        if not self.standing:
            lines.append("No level beats its null: chance divides as well.")
        lines.append(f"{len(self.levels)} level{'s' * (len(self.levels) > 1)} of {n:,} members, the finest first "
                     f"({self.method}; {self.codelength:.3f} bits a step, {self.undivided:.3f} undivided):")
        for level in self.levels:
            verdict = {None: ": too few nulls to tell" if level.nulls else "", True: ": stands",
                       False: ": does not stand"}[level.stands]
            lines.append(f"  {level}{verdict}")
            for name, null in level.nulls.items():
                if name != level.decisive and level.stands and null["assortativity"].above > level.alpha:
                    lines.append(f"    {ENOUGH[name]} ({null['assortativity'].mean:.2f} by chance)")
        return "\n".join(lines)

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
        return pd.DataFrame(rows)

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
                resolutions=RESOLUTIONS, stable: float = STABLE, alpha: float = 0.05, workers: int | None = None,
                progress: bool = False, rng=None) -> Wholes:
    """Find the wholes of a population: groups that trade among themselves, at every level.

    Louvain's method divides the members at a ladder of resolutions; divisions that stay the same over a
    stretch of it (three or more, agreeing by an AMI of ``stable``) are levels. Each is held against nulls
    in which the same detector runs again: whatever it is given, a detector finds groups, also on land
    without any (MODEL.md says why patches of equal size are no null), and is compared with a division into about as
    many wholes. A level must also show more than others explain: the one that exceeds its null most stands first;
    a finer one must beat chance inside its wholes, a coarser one between them.

    Parameters
    ----------
    source : World, Reading, networkx graph or sparse array
        See :func:`trade_of`.
    method : {"louvain", "networkx", "infomap"}
        scikit-network's Louvain swept over resolutions; networkx's own levels; those of infomap, if installed.
    nulls : sequence of {"flows", "strengths", "degrees"}, optional
        See :func:`null_flows`; the first is decisive. By default "flows" and "strengths" where ties are
        given (a world, a reading), and "degrees" before them in a graph, whose ties are themselves what is found.
        Empty: none. Where all ties of a graph carry the same, "degrees" alone: there is nothing to deal out.
    n_nulls : int, default 19
        Of each; 19 make the least p-value .05, with fewer no level stands or falls at that.
    n_bootstraps : int, default 0
        Times that flows are resampled (Poisson weights) and divided again, to see how stable levels are.
    resolutions : sequence of float
        From coarse to fine.
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
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}" + closest(str(method), METHODS))
    n_nulls, n_bootstraps = whole("n_nulls", n_nulls, 1), whole("n_bootstraps", n_bootstraps, 0)
    nulls = [nulls] if isinstance(nulls, str) else nulls if nulls is None else list(nulls)
    for null in nulls or ():
        if null not in NULLS:
            raise ValueError(f"nulls must be some of {', '.join(NULLS)}, not {null!r}" + closest(str(null), NULLS))
    for name, value in (("stable", stable), ("alpha", alpha)):
        if not 0 < value <= 1:
            raise ValueError(f"{name} must be in (0, 1], not {value!r}")
    resolutions = [float(one) for one in resolutions]
    if not resolutions or not all(np.isfinite(one) and one > 0 for one in resolutions):
        raise ValueError("resolutions must be numbers above 0")
    seed = resolved(rng)
    generator = np.random.default_rng(seed)
    trade = trade_of(source)
    if not trade.flows.nnz:
        return Wholes([], trade, method, 0.0, 0.0, [], seed)
    if nulls is None:
        given = is_world(source) or isinstance(source, Reading)
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


def _one_null(trade: Trade, null: str, method: str, setting, k: int, given: dict, seed: int) -> dict | None:
    """Make one null, and return the statistics of the level with about ``k`` wholes that is found in it."""
    rng = np.random.default_rng(seed)
    flows = null_of(trade, null, rng, **given)
    labels = alike(flows, method, setting, k, rng)
    return None if labels is None else statistics(trade, labels, flows)


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

    def against(level, null, given, each, bar):
        jobs = [(_one_null, trade, null, method, level.setting, level.n_wholes, given, seed)
                for seed in rng.integers(2**63, size=n_nulls).tolist()]
        rows = list(each(jobs, bar))
        return {name: Null.of(value, [np.nan if row is None else row[name] for row in rows])
                for name, value in level.statistics.items()}

    with tqdm(total=len(levels) * len(nulls) * n_nulls + n_bootstraps, desc="nulls", disable=not progress) as bar, \
            _workers(workers) as each:
        levels = [replace(level, nulls={null: against(level, null, {}, each, bar) for null in nulls})
                  for level in levels]
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
                    beyond[what] = against(levels[i], nulls[0], {given: levels[j].labels}, each, bar)
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
