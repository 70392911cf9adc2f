"""Wholes followed through time: which of one window is which of the next, and what became of it."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from .._checks import closest, number, whole
from .._checks import seed as resolved
from ..snapshots import Snapshot
from ._agree import agreement
from ._find import Wholes, find_wholes
from ._level import Level

__all__ = ["EVENTS", "Followed", "follow_wholes"]

#: What can become of a whole, in the order in which they are told.
EVENTS = ("birth", "growth", "shrinkage", "continuation", "merge", "split", "death")

#: A level is another one if so many of their wholes are found one to one.
SAME = 0.8


@dataclass(frozen=True, eq=False)
class Followed:
    """Wholes of successive windows, with names that persist.

    Parameters
    ----------
    ticks : list of int
        At which the windows end in which the level was found.
    levels : list of Level
        The level that was followed, in each of these windows; whether it stands there is its own ``stands``.
    names : list of list of str
        By window, the name of each whole in the order of its labels.
    shared : list of ndarray of int64, shape (wholes, wholes of the next window)
        For each step from a window to the next, how many members each two wholes share.
    links : list of ndarray of bool
        Of the same shapes: which share enough to be told in an event.
    records : list of dict
        The rows of :attr:`events`.
    alpha : float
    seed : int
        Of the search in snapshots.
    absent : list of int
        At which the windows end in which the level was not found; names last over them.
    ended : bool
        Whether in the end none of its members was left.
    fell : bool
        Whether some window had levels, but none that stands against its nulls to begin with.
    """

    ticks: list[int]
    levels: list[Level]
    names: list[list[str]]
    shared: list[np.ndarray]
    links: list[np.ndarray]
    records: list[dict] = field(repr=False)
    alpha: float
    seed: int
    absent: list[int] = field(default_factory=list)
    ended: bool = False
    fell: bool = False

    def __len__(self) -> int:
        return len(self.ticks)

    @property
    def events(self):
        """What became of wholes, one row an event and two wholes it binds, as a pandas DataFrame.

        Returns
        -------
        pandas.DataFrame
            ``tick``, of the later window; ``event``, one of :data:`EVENTS`; ``whole``, whose event it is (a merge is
            that of the whole merged into, a split that of the whole that parted; both have a row for each part);
            ``before`` and ``after``, names of the wholes bound, None at a birth or death; their sizes; and the
            evidence: ``shared`` members, ``jaccard`` (of those in either, the share in both), ``kept`` (the share of
            the earlier that is in the later), ``drawn`` (the share of the later that comes from the earlier) and
            ``pvalue``: the chance of sharing as many if the survivors were dealt to the later wholes at random.
        """
        import pandas as pd

        columns = ["tick", "event", "whole", "before", "after", "size_before", "size_after", "shared", "jaccard",
                   "kept", "drawn", "pvalue"]
        return pd.DataFrame(self.records, columns=columns)

    def counts(self) -> dict[str, int]:
        """Return how many events of each kind there were, a merge or split of several wholes counting as one."""
        seen = {(row["tick"], row["event"], row["whole"]) for row in self.records}
        found = Counter(event for _, event, _ in seen)
        return {event: found[event] for event in EVENTS}

    def frame(self):
        """Return one row a window and whole as a pandas DataFrame: tick, name, whole, and the columns of its level."""
        import pandas as pd

        parts = [level.frame().reset_index().assign(tick=tick, name=names) for tick, level, names
                 in zip(self.ticks, self.levels, self.names, strict=True)]
        if not parts:
            return pd.DataFrame(columns=["tick", "name", "whole", "size"])
        whole = pd.concat(parts, ignore_index=True)
        return whole[["tick", "name", *(name for name in whole.columns if name not in ("tick", "name"))]]

    def __str__(self) -> str:
        ends = sorted([*self.ticks, *self.absent])
        if not ends:
            return "No windows, so no wholes to follow."
        if not self.ticks:
            return (f"No wholes to follow in {_windows_of(len(ends))}, ticks {ends[0]:,} to {ends[-1]:,}: no "
                    + ("level that stands" if self.fell else "stable level") + " was found.")
        every, lasting = {name for names in self.names for name in names}, set.intersection(*map(set, self.names))
        text = [f"{len(every)} wholes followed through {_windows_of(len(self))}, ticks {self.ticks[0]:,} to "
                f"{self.ticks[-1]:,}; {len(lasting)} of them are there in every window."]
        first, last = self.ticks[0], self.ticks[-1]
        early, late = sum(tick < first for tick in self.absent), sum(tick > last for tick in self.absent)
        between = len(self.absent) - early - late
        if early:
            text.append(f"  before, {_windows_of(early)} without a "
                        + ("level that stands" if self.fell else "stable level"))
        if between:
            text.append(f"  between, {_windows_of(between)} in which this level was not found; names last over "
                        f"{'them' if between > 1 else 'it'}")
        if late:
            text.append(f"  after, {_windows_of(late)} in which this level was not found any more"
                        + (": none of its members was left" if self.ended else ""))
        chance = sum(level.stands is False for level in self.levels)
        if chance:
            text.append(f"  in {chance} of the windows its wholes are no more than chance or the other levels make")
        told = [f"{number} {event}{'s' * (number != 1)}" for event, number in self.counts().items() if number]
        if told:
            text.append("  " + ", ".join(told))
        bound = {(row["tick"], row["before"], row["after"]): row["pvalue"] for row in self.records
                 if row["before"] is not None and row["after"] is not None}
        doubtful = sum(p > self.alpha for p in bound.values())
        if doubtful:
            text.append(f"  {doubtful} of {len(bound)} links share no more members than chance would "
                        f"(p > {self.alpha:g})")
        return "\n".join(text)

    __repr__ = __str__


def _windows_of(number: int) -> str:
    return f"{number:,} window{'s' * (number != 1)}"


def follow_wholes(series, level: int = 0, *, overlap: float = 0.5, change: float = 0.1, alpha: float = 0.05, rng=None,
                  **options) -> Followed:
    """Follow wholes through time: their births, growth, mergers, splits and deaths, with names that persist.

    Two wholes of successive windows are linked if more than ``overlap`` of the smaller one's members are also in the
    other. Of those linked, pairs are taken for the same whole from the greatest Jaccard index down, each whole once:
    so the largest heir keeps the name. A whole linked to several earlier ones is a merger of them, one linked to
    several later ones has split; without an earlier one it is born, without a later one dead. Members are known by
    their uids (nodes of a graph by their names), so that one who dies is not taken for its successor on the site.

    One level is followed. In a later window it is the one that agrees best with it, but not one that is clearly another
    of the levels before (whose wholes are nearly all found again in it one to one): so a coarse level whose finer one
    was not found in some window is no merger. It is followed whether it stands there against its nulls or not. A window
    where nothing is like it is left out, and is no death, unless none of its members is left.

    Parameters
    ----------
    series : Snapshots, sequence of Snapshot, or sequence of (tick, Wholes) or (tick, Level)
        In the order of time. In snapshots :func:`find_wholes` runs on each window.
    level : int, default 0
        Which level of the first window that has any; 0 is the finest, -1 the coarsest, of those that stand against
        their nulls (all, where no null was run).
    overlap : float, default 0.5
        In [0.5, 1).
    change : float, default 0.1
        A whole whose size changes by more than this share has grown or shrunk; ≥ 0.
    alpha : float, default 0.05
        In the text, links with a greater p-value count as doubtful.
    rng : int, SeedSequence, Generator or None
        For snapshots.
    **options
        Handed to :func:`find_wholes`, for snapshots; ``nulls=()`` follows levels without asking whether they stand.

    Returns
    -------
    Followed

    Raises
    ------
    ValueError
        If a number is out of its range, or the ticks do not ascend.

    References
    ----------
    Greene, Doyle, Cunningham (2010) Tracking the evolution of communities in dynamic social networks. *ASONAM* 176-183
    (Jaccard index, events). Palla, Barabási, Vicsek (2007) Quantifying social group evolution. *Nature* 446: 664-667.

    Examples
    --------
    >>> import networkx as nx
    >>> from organism.wholes import find_wholes
    >>> windows = [(tick, find_wholes(nx.ring_of_cliques(n, 6), nulls=(), rng=1)) for tick, n in ((100, 8), (200, 9))]
    >>> print(follow_wholes(windows))
    9 wholes followed through 2 windows, ticks 100 to 200; 8 of them are there in every window.
      1 birth, 8 continuations
    """
    level, overlap = whole("level", level), number("overlap", overlap, 0.5, 1, "[)")
    change, alpha = number("change", change, 0), number("alpha", alpha, 0, 1)
    known = [name for name in inspect.signature(find_wholes).parameters if name not in ("source", "rng")]
    for name in options:
        if name not in known:
            raise TypeError(f"options of find_wholes must be some of {', '.join(known)}, not {name!r}"
                            + closest(name, known))
    if not isinstance(series, Iterable):
        raise TypeError(f"series must be snapshots, or a sequence of pairs of a tick and Wholes or a Level, not "
                        f"{series!r:.60}")
    seed = resolved(rng)
    ticks, levels, names, shared, links, records, absent, made = [], [], [], [], [], [], [], 0
    others, fell, latest, gone = [], False, None, False         # others: the last seen levels beside the one followed
    for tick, found in _windows(series, np.random.default_rng(seed), options):
        if latest is not None and tick <= latest:
            raise ValueError(f"ticks must ascend, but {tick} comes after {latest}")
        latest = int(tick)
        left = bool(levels) and len(_both(levels[-1], found)[0]) > 0
        chosen = _chosen(found, level, levels[-1] if left else None, others, strict=not levels)
        if chosen is None:
            absent.append(latest)
            fell |= not levels and len(found) > 0
            if levels and not left and not gone:
                gone = True
                records += [row | {"tick": latest} for row in _deaths(levels[-1], names[-1], change)]
            continue
        heirs = {}
        if levels:
            table, survivors = _shared(levels[-1], chosen)
            sizes = [levels[-1].sizes, chosen.sizes]
            link = table > overlap * np.minimum(sizes[0][:, None], sizes[1])
            heirs = _heirs(table, link, sizes)
        own = []
        for j in range(chosen.n_wholes):
            made += j not in heirs
            own.append(names[-1][heirs[j]] if j in heirs else f"W{made}")
        if levels:
            rows = _Step(latest, table, link, sizes, names[-1], own, survivors, change).rows()
            records += [row for row in rows if not (gone and row["event"] == "death")]
            shared.append(table)
            links.append(link)
        ticks.append(latest)
        levels.append(chosen)
        names.append(own)
        gone = False
        others = [one for one in found if one is not chosen] if isinstance(found, Wholes) and len(found) > 1 else others
    return Followed(ticks, levels, names, shared, links, records, alpha, seed, absent, gone, fell)


def _windows(series, rng, options):
    """Yield tick and wholes of each window."""
    for one in series:
        if isinstance(one, Snapshot):
            yield one.stop, find_wholes(one.reading(), rng=int(rng.integers(2**63)), **options)
            continue
        try:
            tick, found = one
        except (TypeError, ValueError):
            found = None
        if not isinstance(found, (Wholes, Level)):
            raise ValueError("series must be snapshots, or pairs of a tick and Wholes or a Level, "
                             f"and not hold {type(one).__name__}")
        if options:
            raise TypeError(f"options of find_wholes ({', '.join(options)}) go with snapshots only")
        yield tick, found


def _chosen(found, level: int, last: Level | None, others: list[Level], strict: bool) -> Level | None:
    """Return the level to follow of one window, or None; ``others`` were found beside the last one."""
    if isinstance(found, Level):
        return found
    if last is None:
        standing = found.standing
        if strict and standing and not -len(standing) <= level < len(standing):
            raise ValueError(f"level must be in [{-len(standing)}, {len(standing) - 1}], not {level}: "
                             f"so many levels stand in the first window")
        return standing[max(-len(standing), min(level, len(standing) - 1))] if standing else None
    like = []
    for one in found:
        alike, same = _alike(last, one), _paired(last, one)
        if alike > 0 and not any(SAME <= _paired(other, one) > same for other in others):
            like.append((alike, one))
    return max(like, key=lambda pair: pair[0])[1] if like else None


def _paired(a: Level, b: Level) -> float:
    """Return the share of the wholes of two levels that are found one to one in the other: a Jaccard index over ½."""
    table, _ = _shared(a, b)
    return 2 * float((table > (a.sizes[:, None] + b.sizes - table) / 2).sum()) / (a.n_wholes + b.n_wholes)


def _deaths(level: Level, names: list[str], change: float) -> list[dict]:
    """Return the rows of the deaths of all wholes of a level."""
    none, sizes = np.zeros((level.n_wholes, 0), np.int64), [level.sizes, np.zeros(0, np.int64)]
    return _Step(0, none, none > 0, sizes, names, [], 0, change).rows()


def _alike(a: Level, b: Level) -> float:
    """Return how far two levels agree on the members they share."""
    here = _both(a, b)
    return agreement(a.labels[here[0]], b.labels[here[1]]) if len(here[0]) else 0.0


def _both(a, b) -> tuple[list[int], list[int]]:
    """Return places, in each of two levels or wholes, of the members that are in both."""
    place = {uid: i for i, uid in enumerate(a.trade.uid.tolist())}
    pairs = [(place[uid], j) for j, uid in enumerate(b.trade.uid.tolist()) if uid in place]
    return [i for i, _ in pairs], [j for _, j in pairs]


def _shared(a: Level, b: Level) -> tuple[np.ndarray, int]:
    """Return how many members each two wholes share, and how many are in both windows."""
    table = np.zeros((a.n_wholes, b.n_wholes), np.int64)
    i, j = _both(a, b)
    np.add.at(table, (a.labels[i], b.labels[j]), 1)
    return table, len(i)


def _heirs(table, link, sizes) -> dict[int, int]:
    """Return which earlier whole each later one goes on as: the linked pairs of greatest Jaccard index, each once."""
    before, after = np.nonzero(link)
    jaccard = table[link] / (sizes[0][before] + sizes[1][after] - table[link])
    heirs, taken = {}, set()
    for pair in np.lexsort((after, before, -jaccard)):
        i, j = int(before[pair]), int(after[pair])
        if i not in taken and j not in heirs:
            heirs[j] = i
            taken.add(i)
    return heirs


@dataclass(frozen=True)
class _Step:
    """From one window to the next: what happened, with the evidence."""

    tick: int
    shared: np.ndarray
    link: np.ndarray
    sizes: list[np.ndarray]
    before: list[str]
    after: list[str]
    survivors: int
    change: float

    def rows(self) -> list[dict]:
        """Return rows of events, whole by whole."""
        rows = []
        for j, name in enumerate(self.after):
            origins = np.flatnonzero(self.link[:, j])
            if not len(origins):
                rows.append(self._row("birth", name, None, j))
            elif len(origins) > 1:
                rows += [self._row("merge", name, int(i), j) for i in origins]
            else:
                i = int(origins[0])
                if self.link[i].sum() == 1:     # else the split of the other tells it
                    rows.append(self._row(self._size(i, j), name, i, j))
        for i, name in enumerate(self.before):
            heirs = np.flatnonzero(self.link[i])
            if not len(heirs):
                rows.append(self._row("death", name, i, None))
            elif len(heirs) > 1:
                rows += [self._row("split", name, i, int(j)) for j in heirs]
        return rows

    def _size(self, i: int, j: int) -> str:
        gain = self.sizes[1][j] / self.sizes[0][i] - 1
        return "growth" if gain > self.change else "shrinkage" if gain < -self.change else "continuation"

    def _row(self, event: str, whole: str, i: int | None, j: int | None) -> dict:
        row = {"tick": self.tick, "event": event, "whole": whole,
               "before": None if i is None else self.before[i], "after": None if j is None else self.after[j],
               "size_before": 0 if i is None else int(self.sizes[0][i]),
               "size_after": 0 if j is None else int(self.sizes[1][j]),
               "shared": 0, "jaccard": 0.0, "kept": np.nan, "drawn": np.nan, "pvalue": np.nan}
        if i is not None and j is not None:
            from scipy.stats import hypergeom

            n, a, b = int(self.shared[i, j]), row["size_before"], row["size_after"]
            old, new = int(self.shared[i].sum()), int(self.shared[:, j].sum())      # survivors in each
            row |= {"shared": n, "jaccard": n / (a + b - n), "kept": n / a, "drawn": n / b,
                    "pvalue": float(hypergeom.sf(n - 1, self.survivors, old, new))}
        return row
