"""Roles and wholes on the command line: how a run is watched for them, how they are found, told and written."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..roles import Roles, find_roles
from ..snapshots import Snapshot, Snapshots
from ..temporal import through_time
from ..wholes import Followed, Wholes, find_wholes, follow_wholes
from .files import FLOWS, minimum, picture
from .options import plural

__all__ = ["Emergent", "Watch", "about_wholes", "look", "matrix_picture", "save", "untested", "with_nulls",
           "wrapped"]

#: Nulls of each kind where flows go along no more ties than this, and no nulls otherwise, unless told.
NULLS, CHEAP = 19, 200_000
#: The table of flows holds so many rows at most.
ROWS = 1_000_000
#: Wholes are followed through so many windows at most.
WINDOWS = 40
#: Resamplings here do not share the luck of the run.
SEED = 0


class Watch:
    """Takes snapshots of a run: of each third of it, and of the windows that were asked for.

    Totals since the beginning mix how the members began with what they became; the last third does not.

    Parameters
    ----------
    world : World
    ticks : int
        That it will run.
    every : int or None
        Ticks in a window; None for no windows.
    folder : Path
        For the windows.
    """

    def __init__(self, world, ticks: int, every: int | None, folder: Path):
        self.world = world
        self.thirds = Snapshots(world, every=max(1, math.ceil(ticks / 3)), keep=2)
        self.windows = Snapshots(world, every=every, path=folder / "snapshots") if every else None

    def finish(self) -> None:
        """Take what has run since the last snapshots, and no more."""
        for taken in [self.thirds] if self.windows is None else [self.thirds, self.windows]:
            if self.world.tick > (taken.ticks[-1] if len(taken) else 0):
                taken(self.world)
            taken.stop()

    @property
    def last(self) -> Snapshot | None:
        """The last third; of a run that was cut short the last part as long as half of one, if there is any."""
        long = [one for one in self.thirds if 2 * (one.stop - one.start) >= self.thirds.every]
        return long[-1] if long else self.thirds[-1] if len(self.thirds) else None


@dataclass(frozen=True, eq=False)
class Emergent:
    """What emerged in the last part of a run.

    Parameters
    ----------
    snapshot : Snapshot
        That part.
    roles : Roles
    wholes : Wholes
    followed : Followed or None
        The wholes of the windows that were asked for.
    n_nulls : int
    """

    snapshot: Snapshot
    roles: Roles
    wholes: Wholes
    followed: Followed | None
    n_nulls: int

    def columns(self, uid: np.ndarray) -> dict[str, np.ndarray]:
        """Return role, and whole at each level, of some members; -1 of those who came later."""
        return {name: _labels_of(uid, *of) for name, of in (
            ("role", (self.roles.uid, self.roles.labels)),
            *((f"whole_{i}", (level.trade.uid, level.labels)) for i, level in enumerate(self.wholes)))}

    def results(self) -> dict:
        """Return what ``summary.json`` holds of roles and wholes."""
        roles, window = self.roles, {"ticks": [self.snapshot.start + 1, self.snapshot.stop]}
        found = {
            "roles": {**window, "number": roles.n_roles, "differ": roles.differ, "D_ind": roles.statistic,
                      "null": f"{len(roles.null_distribution)} tables of the same acts dealt out at random",
                      "null_mean": _plain(float(roles.null_distribution.mean())), "pvalue": roles.pvalue,
                      "seed": roles.seed,
                      "prediction_strength": {str(n): one for n, one in roles.strengths.items()},
                      "strength_error": {str(n): one for n, one in roles.errors.items()},
                      "underdetermined": roles.underdetermined, "halfway": roles.halfway,
                      "roles": [{"name": one.name, "text": one.text, "members": one.size} for one in roles.profiles],
                      "unknown": int((roles.labels < 0).sum())},
            "wholes": {**window, **about_wholes(self.wholes, self.n_nulls)}}
        if self.followed is not None:
            found["wholes_over_time"] = {"windows_end": self.followed.ticks, "windows_without": self.followed.absent,
                                         "stands": [level.stands for level in self.followed.levels],
                                         "events": self.followed.counts(),
                                         "wholes": [len(names) for names in self.followed.names]}
        return found

    def report(self) -> str:
        """Return the words that are printed."""
        lines = [f"In ticks {self.snapshot.start + 1:,} to {self.snapshot.stop:,}:", str(self.roles),
                 str(self.wholes), *untested(self.wholes, self.n_nulls)]
        if self.followed is not None:
            lines += ["", "Window by window, the coarsest level, and in later windows what is most like it:",
                      str(self.followed)]
        return wrapped("\n".join(lines))


def look(watch: Watch, nulls: int | None, say: Callable[[str], None], progress: bool) -> Emergent | None:
    """Find roles and wholes in what was watched; None if nothing has run.

    Parameters
    ----------
    watch : Watch
        Finished.
    nulls : int or None
        Of each kind for wholes; None for as many as are cheap.
    say : function
        Takes what is being done.
    progress : bool
        Show a bar for nulls.
    """
    last = watch.last
    if last is None:
        return None
    say(f"Looking for roles of {plural(len(last.living), 'member')} ... (Ctrl-C leaves out roles and wholes)")
    roles = find_roles(last, rng=SEED)
    reading = last.reading()
    ties = len(reading.giver)
    n_nulls = (NULLS if ties <= CHEAP else 0) if nulls is None else nulls
    say(f"Looking for wholes in the flows along {plural(ties, 'tie')}, {with_nulls(n_nulls)} ...")
    wholes = find_wholes(reading, rng=SEED, progress=progress, **_options(n_nulls))
    followed = None
    if watch.windows is not None:
        some = _some(watch.windows)
        say(f"Following wholes through {plural(len(some), 'window')} ...")
        followed = follow_wholes((watch.windows[i] for i in tqdm(some, desc="windows", disable=not progress)),
                                 level=-1, rng=SEED, **_options(n_nulls, "flows"))
    return Emergent(last, roles, wholes, followed, n_nulls)


def _labels_of(uid, known, labels) -> np.ndarray:
    """Return the labels of some uids, where ``known`` are those that have one."""
    if not len(known):
        return np.full(len(uid), -1)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known, uid, sorter=order), len(known) - 1)]
    return np.where(known[at] == uid, labels[at], -1)


def _options(n_nulls: int, nulls=("flows", "strengths")) -> dict:
    return {"nulls": nulls, "n_nulls": n_nulls} if n_nulls else {"nulls": ()}


def _some(windows: Snapshots) -> list[int]:
    """Return which windows are followed: whole ones, evenly spaced, the last among them, and not too many."""
    long = np.flatnonzero(np.diff(windows.ticks, prepend=0) == windows.every).tolist() or [*range(len(windows))]
    return long[::-1][::math.ceil(len(long) / WINDOWS)][::-1]


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def about_wholes(wholes: Wholes, n_nulls: int) -> dict:
    """Return what results files hold of wholes; what is not defined is None."""
    return {
        "method": wholes.method, "members": len(wholes.trade.uid), "ties": int(wholes.trade.flows.nnz),
        "nulls": n_nulls, "seed": wholes.seed, "standing": len(wholes.standing) if n_nulls else None,
        "codelength": wholes.codelength, "codelength_undivided": wholes.undivided,
        "levels": [{
            "wholes": level.n_wholes, "sizes": level.sizes.tolist(), "stands": level.stands, "setting": level.setting,
            "stability": _plain(level.stability), "bootstrap": _plain(level.bootstrap), "decisive_null": level.decisive,
            "statistics": {name: _plain(value) for name, value in level.statistics.items()},
            "nulls": {null: {name: {"mean": _plain(one.mean), "above": one.above, "below": one.below}
                             for name, one in found.items()}
                      for null, found in (level.nulls | (level.beyond or {})).items()},
        } for level in wholes]}


def untested(wholes: Wholes, n_nulls: int) -> list[str]:
    """Say, of levels that were held against no null, that they may be chance."""
    if n_nulls or not len(wholes):
        return []
    return [f"These may be chance: along {plural(int(wholes.trade.flows.nnz), 'tie')} no nulls were run; "
            f"--nulls {NULLS} runs them."]


def with_nulls(n_nulls: int) -> str:
    """Say how many nulls are run."""
    return f"with {n_nulls:,} nulls of each kind" if n_nulls else "without nulls"


def wrapped(text: str) -> str:
    """Break long lines, and indent what goes on."""
    def folded(line):
        indent = " " * (len(line) - len(line.lstrip()))
        return textwrap.fill(line.strip(), 96, initial_indent=indent, subsequent_indent=indent + "     " * bool(indent))

    return "\n".join(folded(line) for line in text.splitlines())


def save(world, watch: Watch, found: Emergent | None, folder: Path) -> list[str]:
    """Write pictures of what was found, and the windows that were asked for; return what was left out."""
    from .. import plots

    notes = []
    if found is not None:
        roles = found.roles if found.roles.n_roles > 1 else None        # else what each mostly does
        title = ("roles" if roles else "main tasks") + " and wholes"
        picture(folder / "wholes_map.png", (8.0, 2.6) if _flat(world.topology) else (5.6, 5.6),
                lambda ax: plots.wholes_map(world, found.wholes, ax, roles=roles, title=title))
        notes += matrix_picture(found.wholes, folder / "wholes_matrix.png",
                                f"goods in ticks {found.snapshot.start + 1:,}–{found.snapshot.stop:,}")
        if found.followed is not None and any(found.followed.names):
            picture(folder / "wholes_over_time.png", (7.2, 4.4), lambda ax: plots.wholes_over_time(found.followed, ax))
        elif found.followed is not None:
            notes.append("There is no wholes_over_time.png, because no window has wholes to follow.")
    return notes + (save_windows(watch.windows, folder) if watch.windows else [])


def _flat(topology) -> bool:
    """Tell a map that is much wider than high, and has its key below."""
    return topology.shape is not None and (1, *topology.shape)[-2] < 0.4 * topology.shape[-1]


def matrix_picture(wholes: Wholes, path: Path, unit: str) -> list[str]:
    """Write who gives whom, sorted by whole; without wholes to sort by say that it is left out."""
    from .. import plots

    if not len(wholes):
        return [f"There is no {path.name}, because no wholes were found."]
    picture(path, (5.6, 5.0), lambda ax: plots.wholes_matrix(wholes, ax, unit=unit))
    return []


def save_windows(windows: Snapshots, folder: Path) -> list[str]:
    """Write measures of each window, a tidy table of their flows, and the last as a graph."""
    import networkx as nx

    through_time(windows).to_csv(folder / "windows.csv", index=False, float_format="%.7g")
    first, rows = len(windows), 0
    while first and (rows := rows + len(windows[first - 1].tie) + len(windows[first - 1].pair)) <= ROWS:
        first -= 1
    first, notes = min(first, len(windows) - 1), []
    with open(folder / "flows.csv", "w", newline="", encoding="utf-8") as file:
        for i in range(first, len(windows)):
            windows[i].reading().frame().to_csv(file, index=False, header=i == first, float_format="%.7g")
    if first:
        notes.append(f"flows.csv holds the last {len(windows) - first:,} of {len(windows):,} windows; "
                     "organism.Snapshots.read('snapshots').frames() gives all")
    last = windows[-1].reading()
    least = minimum(last.amount.sum(axis=1), len(last.uid))
    if least is None:
        notes.append(f"last_window.graphml is left out: of more than {FLOWS:,} members it would need too much memory")
    else:
        nx.write_graphml(last.graph(minimum=least), folder / "last_window.graphml")
    return notes
