"""What is shown of one world: its picture, its members, who feeds whom, where wholes end. It is only read here."""

from __future__ import annotations

import numbers

import numpy as np

from .. import _paint, measures
from .._checks import closest
from .._drawing import layout
from .._fields import LARGEST
from .._wholeplots import segments
from ..intervene import Intervention
from ..params import GROUPS, Params
from ..roles import find_roles
from ..wholes import find_wholes
from ..world import World

__all__ = ["Subject"]

#: Ties and flows that are drawn at most, on a grid and on a network: more would only be grey.
LINKS, FLOWS, ACROSS = 20_000, 1_500, 300
#: How high a strip is (a ring or line of cells), and the flattest and tallest pictures of others, relative to width.
STRIP, FLATTEST, TALLEST = 0.1, 0.2, 5.0
#: Partners of a member that are named at most.
PARTNERS = 6
#: Above so many members wholes are found without nulls: a page should not wait for minutes.
TESTED = 2_000


class Subject:
    """One world as the view shows it.

    Parameters
    ----------
    world : World
        The world that is stepped and read.
    """

    #: Whether flows can be drawn, and roles and wholes found.
    extras = True

    def __init__(self, world, roles=None, wholes=None, called="world"):
        if not isinstance(world, World):
            its = "; its world is model.world" if isinstance(getattr(world, "world", None), World) else ""
            raise TypeError(f"{called} must be a World, not {type(world).__name__}{its}")
        self.world, self.roles, self.wholes, self.span = world, roles, wholes, []
        self._place()

    def _place(self) -> None:
        """Lay out the sites of the world's topology."""
        self.cells = _paint.is_cells(self.world.topology)
        self.aspect, self._frame = 1.0, None
        self.at = self._places()

    def _places(self) -> np.ndarray:
        """Return the middle of each site in the unit square, y downwards, float64 (N, 2); find out its aspect."""
        topology = self.world.topology
        if self.cells:
            rows, columns = (1, *topology.shape)[-2:]
            self.aspect = STRIP if rows == 1 else min(max(rows / columns, FLATTEST), TALLEST)
            return (topology.cells[:, ::-1] + 0.5) / (columns, rows)
        places = np.array(layout(topology), float)
        extent = np.ptp(places, axis=0)
        margin = 0.04 * max(extent.max(), 1e-9) + 0.5 * (topology.kind == "grid")
        low, size = places.min(axis=0) - margin, extent + 2 * margin
        self.aspect = min(max(size[1] / size[0], FLATTEST), TALLEST)
        self._frame = low, size, topology.kind != "grid"
        return self._fit(places)

    def _fit(self, points) -> np.ndarray:
        """Put points of the layout into the unit square; a page counts downwards."""
        low, size, flip = self._frame
        fitted = (points - low) / size
        if flip:
            fitted[..., 1] = 1 - fitted[..., 1]
        return fitted

    @property
    def tick(self) -> int:
        """Ticks run."""
        return self.world.tick

    @property
    def n_sites(self) -> int:
        """Sites of its world."""
        return self.world.n_sites

    def uid_at(self, site: int) -> int | None:
        """Return who lives on a site; None if nobody does."""
        return int(self.world.state["uid"][site]) if self.world.state["occupied"][site] else None

    def fork(self) -> Subject:
        """Return a subject of a twin of its world."""
        twin = Subject.__new__(Subject)
        vars(twin).update(vars(self), world=self.world.fork(), span=[])
        return twin

    def step(self, n: int) -> None:
        """Advance n ticks."""
        self.world.step(n)

    def kind(self):
        """Return what worlds have in common whose members of one number are the same."""
        return self.world.seed, self.world.topology

    # -- the picture ------------------------------------------------------------------------

    def fields(self) -> list[str]:
        """Return the names of what colours can show."""
        return list(_paint.names(self.world, self.roles, self.wholes))

    def paint(self, field: str) -> _paint.Painting:
        """Return codes (by row and column, where sites are cells), palette and legend."""
        painting = _paint.paint(self.world, field, self.span, self.roles, self.wholes)
        if self.cells:
            painting = painting._replace(codes=_paint.image(self.world.topology, painting.codes))
        return painting

    def scene(self) -> tuple[dict, list[bytes]]:
        """Return where sites are drawn: rows and columns, or places in the unit square and links."""
        topology = self.world.topology
        if self.cells:
            rows, columns = (1, *topology.shape)[-2:]
            return {"rows": rows, "columns": columns, "aspect": self.aspect}, []
        ties, told = self._ties()
        return ({"sites": topology.n_sites, "aspect": self.aspect, "ties": told},
                [self.at.astype("<f4").tobytes(), ties.astype("<u4").tobytes()])

    def _ties(self) -> tuple[np.ndarray, str]:
        """Return the ties that are drawn, each pair once, int64 (m, 2), and what is to be said of the others."""
        topology = self.world.topology
        if topology.kind == "grid":
            return np.zeros((0, 2), int), ""
        ends = np.sort(np.stack([topology.source, topology.target]), axis=0)
        pairs = np.unique(ends[0].astype("i8") * topology.n_sites + ends[1])
        told = ""
        if len(pairs) > LINKS:                              # every n-th of them: all would only be grey
            told = f"{LINKS:,} of {len(pairs):,} ties are drawn"
            pairs = pairs[np.linspace(0, len(pairs) - 1, LINKS).astype(int)]
        return np.stack(np.divmod(pairs, topology.n_sites), axis=1), told

    def text(self) -> str:
        """Say when it is and how it goes."""
        world = self.world
        return (f"tick {world.tick:,} · {world.n_members:,} member{'s' * (world.n_members != 1)} · "
                f"mean welfare {measures.welfare(world):.2f}")

    # -- flows and wholes ---------------------------------------------------------------------

    def flows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the strongest flows of late: lines from giver to receiver, float32 (m, 4), and widths in (0, 1]."""
        world, trace = self.world, self.world.tie("trace")
        most = min(FLOWS if world.topology.kind == "grid" else ACROSS, int((trace > 0).sum()))
        if not most:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        ties = np.argpartition(trace, len(trace) - most)[len(trace) - most:]
        return self._lines(world.topology.source[ties], world.topology.target[ties]), trace[ties] / trace[ties].max()

    def _lines(self, start, end) -> np.ndarray:
        """Return lines between sites; round a torus they leave the picture where they would go on opposite."""
        a, step = self.at[start], self.at[end] - self.at[start]
        if self.world.topology.kind == "grid" and self.world.topology.torus:
            step -= np.rint(step) * (np.abs(step) > 0.5)
        return np.concatenate([a, a + step], axis=1).astype(np.float32)

    def borders(self, level: int) -> np.ndarray:
        """Return the lines between wholes (of a network: the ties inside wholes), float32 (m, 4)."""
        found, topology = self.wholes[level], self.world.topology
        labels = _paint.label_of(self.world, self.wholes.trade.uid, found.labels)
        if topology.kind != "grid":
            same = (labels[topology.source] == labels[topology.target]) & (labels[topology.source] >= 0)
            return self._lines(topology.source[same], topology.target[same])
        lines = np.array(segments(labels, topology, None if self.cells else layout(topology)), float).reshape(-1, 2, 2)
        if self.cells:
            lines = (lines + 0.5) / (1, *topology.shape)[:-3:-1]
        else:
            lines = self._fit(lines)
        return lines.reshape(-1, 4).astype(np.float32)

    def find(self, what: str) -> None:
        """Find roles or wholes; above some thousand members without nulls, which the legend says."""
        if what == "roles":
            self.roles = find_roles(self.world, rng=self.world.seed)
        else:
            many = self.world.n_members > TESTED
            self.wholes = find_wholes(self.world, nulls=() if many else None, rng=self.world.seed)

    # -- members ------------------------------------------------------------------------------

    def site_at(self, x: float, y: float) -> int | None:
        """Return the site at a place of the unit square: the cell there, or the nearest dot."""
        if self.cells:
            rows, columns = (1, *self.world.topology.shape)[-2:]
            cell = min(int(y * rows), rows - 1), min(int(x * columns), columns - 1)
            hit = np.flatnonzero((self.world.topology.cells == cell).all(axis=1))
            return int(hit[0]) if len(hit) else None
        return int(np.hypot(*((self.at - (x, y)) * (1, self.aspect)).T).argmin())

    def middle(self) -> int:
        """Return the site nearest to the middle of the picture."""
        return int(np.abs(self.at - 0.5).sum(axis=1).argmin())

    def site_beside(self, site: int, x: int, y: int) -> int:
        """Return the nearest site to the right (x = 1), left, below (y = 1) or above, or the same where none is."""
        step = self.at - self.at[site]
        if self.cells and self.world.topology.torus:
            step -= np.rint(step)
        step = step * (1, self.aspect)
        ahead, aside = step @ (x, y), np.abs(step @ (y, x))
        reach = np.where((ahead > 1e-6) & (aside <= ahead + 1e-6), ahead + 2 * aside, np.inf)
        best = int(reach.argmin())
        return best if np.isfinite(reach[best]) else site

    def site_of(self, uid: int) -> int | None:
        """Return where a member lives; None if it is gone."""
        hit = np.flatnonzero((self.world.state["uid"] == uid) & self.world.state["occupied"])
        return int(hit[0]) if len(hit) else None

    def partners(self, site: int) -> tuple[list, list]:
        """Return suppliers and clients of late, with what they gave or got, the greatest first."""
        topology, trace = self.world.topology, self.world.tie("trace")

        def ranked(mine, theirs):
            ties = np.flatnonzero((mine == site) & (trace > 0))
            ties = ties[np.argsort(-trace[ties], kind="stable")]
            return list(zip(theirs[ties].tolist(), trace[ties].tolist(), strict=True))
        return ranked(topology.target, topology.source), ranked(topology.source, topology.target)

    def name(self, site: int) -> str:
        """Return what a site is called: row and column of a grid, the node of a network."""
        topology = self.world.topology
        if topology.kind == "grid":
            return f"{tuple(topology.cells[site].tolist()[-len(topology.shape):])}".replace(",)", ")")
        return f"node {topology.nodes[site]}"

    def detail(self, site: int) -> dict:
        """Return the state of who lives on a site, or of the land where nobody does."""
        world, state = self.world, self.world.state
        if not state["occupied"][site]:
            rows = [["supply", _numbers(state["supply"][site])], ["goods left", _numbers(state["ground"][site])]]
            return {"title": f"site {self.name(site)}: empty", "rows": rows, "at": self.at[site].tolist(),
                    "suppliers": [], "clients": []}
        one = int(np.searchsorted(world.living, site))
        task = int(state["task"][site])
        tasks = [f"makes resource {k}" for k in range(world.params.resources)] + ["rests"]
        counts = np.asarray(state["task_counts"][site])
        rows = [
            ["task", "none yet" if task < 0 else tasks[task] + ", shares" * bool(state["shared"][site])],
            ["acts", _numbers(counts / counts.sum() if counts.sum() else counts, "share of each task")],
            ["welfare", f"{max(0., float(state['welfare'][site])):.3f}"],
            ["stock", _numbers(state["stock"][site], "goods")],
            ["need", _numbers(state["need"][site], "goods a tick")],
            ["skill", _numbers(state["skill"][site])],
            ["care", f"{float(state['care'][site]):.3f}"],
            ["dependence", f"{measures.dependence(world, each=True)[one]:.3f}"],
            ["age", f"{int(state['age'][site]):,} ticks"],
        ]
        uid = int(state["uid"][site])
        if self.roles is not None:
            role = self._told(self.roles.uid, self.roles.labels, uid)
            rows.append(["role", "none" if role is None else self.roles.profiles[role].name])
        for i, level in enumerate(self.wholes or ()):
            whole = self._told(self.wholes.trade.uid, level.labels, uid)
            rows.append([f"whole {i}", "none" if whole is None else f"{whole} of {level.n_wholes:,}"])
        suppliers, clients = self.partners(site)
        for what, found in (("suppliers", suppliers), ("clients", clients)):
            words = [f"{self.name(j)}: {amount:.3g}" for j, amount in found[:PARTNERS]]
            more = len(found) - len(words)
            rows.append([what, ("; ".join(words) + f"; {more} more" * bool(more)) or "none of late"])
        return {"title": f"member {uid} at {self.name(site)}", "rows": rows, "at": self.at[site].tolist(),
                "suppliers": self._lines([j for j, _ in suppliers], [site] * len(suppliers)).tolist(),
                "clients": self._lines([site] * len(clients), [j for j, _ in clients]).tolist()}

    @staticmethod
    def _told(uids, labels, uid) -> int | None:
        hit = np.flatnonzero(np.asarray(uids) == uid)
        return int(labels[hit[0]]) if len(hit) and labels[hit[0]] >= 0 else None

    # -- parameters ----------------------------------------------------------------------------

    def value(self, name: str) -> float:
        """Return a parameter that a slider moves."""
        return self.world.params[name]

    def check(self, name: str, value: float) -> None:
        """Refuse a value that the parameter cannot have."""
        self.world.params.replace(**{name: value})

    def turn(self, name: str, value: float) -> None:
        """Give a parameter a value, and note when."""
        if value != self.world.params[name]:
            self.world.do(Intervention(f"{name} = {value:g}", lambda world: world.update(**{name: value})))

    def slider(self, name: str) -> dict:
        """Return name, range, step and meaning of a parameter that a slider can move."""
        if name not in Params.names():
            raise ValueError(f"no parameter is called {name!r}" + closest(str(name), Params.names()))
        group, _, part = name.partition(".")
        value = self.world.params[name]
        if not part or isinstance(value, bool) or not isinstance(value, numbers.Real):
            why = f"it is {value!r}, not one number" if part else "it cannot change in a running world"
            raise ValueError(f"{name} cannot have a slider: {why}")
        about = GROUPS[group].__dataclass_fields__[part]
        low, high, whole = about.metadata["low"], about.metadata["high"], about.type == "int"
        if high is None or high >= LARGEST:     # bounds against nonsense are no range to choose from
            high = 5 * max(value, about.default, 1 if whole else 0.2)
        if low is not None and low <= -LARGEST:
            low = None
        if low is None or about.metadata["open_low"]:
            low = min(value, -high if low is None else high / 100)
        return {"name": name, "low": low, "high": high, "step": 1 if whole else (high - low) / 100,
                "doc": about.metadata["doc"]}


def _numbers(values, unit: str = "") -> str:
    text = ", ".join(f"{float(value):.3g}" for value in np.ravel(values)[:8])
    return text + ", …" * (np.size(values) > 8) + f" ({unit})" * bool(unit)
