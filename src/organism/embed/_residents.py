"""Members of a population inside a foreign model: light views, and verbs for many at a time."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from .._checks import closest
from .._rowview import RowView
from ..state import COLUMNS

__all__ = ["Group", "Members", "Resident"]


class Resident(RowView):
    """A living member of a `Population`, as a view on its row: it holds its uid, and no state.

    Every column of the state is an attribute; those the kernel does not own can be set. Vectors are handed out as
    read-only copies. When the member is dead its attributes raise `AttributeError`; ask `alive`. It is no Mesa agent:
    it is in no `AgentSet`, and in no cell's list of agents. Two views of one member are equal.

    Parameters
    ----------
    population : Population
    unique_id : int
        The world's uid, never used again.
    site : int
        Where it was seen last.
    """

    __slots__ = ("population", "unique_id", "_slot")

    def __init__(self, population, unique_id: int, site: int):
        self.population, self.unique_id, self._slot = population, unique_id, site

    def __setattr__(self, name, value):
        if not hasattr(Resident, name):
            raise AttributeError(f"a member has no attribute {name!r}{closest(name, COLUMNS)}")
        object.__setattr__(self, name, value)

    def __eq__(self, other):
        return isinstance(other, Resident) and self.population is other.population \
            and self.unique_id == other.unique_id

    def __hash__(self):
        return hash(self.unique_id)

    def __repr__(self):
        return f"<Resident {self.unique_id} " + (f"at site {self.site}>" if self.alive else "(dead)>")

    @property
    def _world(self):
        return self.population.world

    @property
    def cell(self):
        """Cell it lives on; set it to move to one where no other member lives."""
        return self.population.cell_of(self._row())

    @cell.setter
    def cell(self, cell):
        self.population.move(self, cell)

    def remove(self) -> None:
        """Take it out of the population with its goods, which are booked as removed."""
        self.population.remove(self)


class Members:
    """Verbs of Mesa's `AgentSet` on arrays: for all members of a population, or for a `Group` of them.

    n is the number of members, which are always in the order of their sites.
    """

    population: Members

    @property
    def sites(self) -> np.ndarray:
        """Sites of the members, ascending, int64 (n,)."""
        raise NotImplementedError

    @property
    def uids(self) -> np.ndarray:
        """Their uids, int64 (n,)."""
        return self.population.world.state["uid"][self.sites]

    def __len__(self) -> int:
        return len(self.sites)

    def __iter__(self) -> Iterator[Resident]:
        sites = self.sites
        for uid, site in zip(self.population.world.state["uid"][sites].tolist(), sites.tolist(), strict=True):
            yield Resident(self.population, uid, site)

    def __contains__(self, member) -> bool:
        return isinstance(member, Resident) and member.population is self.population and member.unique_id in self.uids

    def __getitem__(self, uid: int) -> Resident:
        """Return the member of a uid; KeyError if it is not here or does not live."""
        found = np.flatnonzero(self.uids == uid)
        if isinstance(uid, bool) or not isinstance(uid, numbers.Integral) or not found.size:
            raise KeyError(f"no member of uid {uid!r:.60} lives here")
        return Resident(self.population, int(uid), int(self.sites[found[0]]))

    def get(self, names: str | Iterable[str]):
        """Return columns of the members.

        Parameters
        ----------
        names : str or iterable of str
            Names of :data:`organism.state.COLUMNS`.

        Returns
        -------
        ndarray, shape (n,), (n, K) or (n, M, F), or dict of str to ndarray
            Copies; one of several names is a mapping.
        """
        if not isinstance(names, str):
            return {name: self.get(name) for name in names}
        return self.population.world.state[names][self.sites]

    def set(self, name: str, values) -> Members:
        """Write a column of the members.

        Parameters
        ----------
        name : str
            A writable column.
        values : array_like
            One value, or an array that broadcasts to ``(n, …)``.

        Returns
        -------
        Members
            These, as of an `AgentSet`.

        Notes
        -----
        Stocks that change are booked as goods added or removed.
        """
        world, sites = self.population.world, self.sites
        world.set(name, values, None if len(sites) == world.n_sites else sites)
        return self

    def select(self, which=None, at_most: int | None = None) -> Group:
        """Choose some of the members.

        Parameters
        ----------
        which : array_like of bool, shape (n,) or (n_sites,), or callable, optional
            A mask over these members or over all sites, or ``which(member)`` that tells, which is slower. All by
            default.
        at_most : int, optional
            How many, the first by site.

        Returns
        -------
        Group
        """
        sites, n_sites = self.sites, self.population.world.n_sites
        if callable(which):
            which = [bool(which(member)) for member in self]
        mask = np.ones(len(sites), bool) if which is None else np.asarray(which)
        if mask.dtype != bool and mask.size or mask.ndim != 1 or mask.size not in (len(sites), n_sites):
            raise ValueError(f"which must be true or false for each of the {len(sites)} members or of the {n_sites} "
                             f"sites, not of type {mask.dtype} and shape {mask.shape}")
        chosen = sites[(mask if mask.size == len(sites) else mask[sites]).astype(bool)]
        if at_most is not None:
            if isinstance(at_most, bool) or not isinstance(at_most, numbers.Integral) or at_most < 0:
                raise ValueError(f"at_most must be a whole number of at least 0, not {at_most!r}")
            chosen = chosen[:at_most]
        return Group(self.population, self.population.world.state["uid"][chosen])

    def agg(self, name: str, func: Callable | Iterable[Callable]):
        """Hand a column to a function such as ``np.mean``, or to several.

        Parameters
        ----------
        name : str
        func : callable or iterable of callable
            Each takes the array that `get` returns.

        Returns
        -------
        object or list
        """
        values = self.get(name)
        several = [func] if callable(func) else [] if isinstance(func, str) else list(func)
        if not several or not all(map(callable, several)):
            raise TypeError(f"func must be a function of an array, such as np.mean, or several, not {func!r:.60}")
        return func(values) if callable(func) else [one(values) for one in several]

    def do(self, what: str | Callable, *args, **kwargs) -> Members:
        """Call a function with each member that still lives when its turn comes, or a method of its view by name.

        One after the other, by ascending site; for few members, since every call is in Python.

        Parameters
        ----------
        what : callable or str
            ``what(member, *args, **kwargs)``, or the name of a method of `Resident`.
        *args, **kwargs
            Handed on.

        Returns
        -------
        Members
            These, as of an `AgentSet`.
        """
        if not callable(what) and not (isinstance(what, str) and callable(getattr(Resident, what, None))):
            raise ValueError(f"what must be a callable or the name of a method such as 'remove', not {what!r:.60}")
        for member in list(self):
            if member.alive:
                getattr(member, what)(*args, **kwargs) if isinstance(what, str) else what(member, *args, **kwargs)
        return self


class Group(Members):
    """Some members of a population: those that were chosen, as long as they live.

    Parameters
    ----------
    population : Population
    uids : ndarray of int64
    """

    def __init__(self, population, uids):
        self.population, self._uids = population, np.sort(uids)

    @property
    def sites(self) -> np.ndarray:
        """Sites of those that live, ascending, int64 (n,)."""
        living = self.population.world.living
        return living[np.isin(self.population.world.state["uid"][living], self._uids)]

    def remove(self) -> None:
        """Take them out of the population with their goods, which are booked as removed."""
        self.population.remove(self)

    def __repr__(self):
        return f"<Group of {len(self)} members of {self.population!r}>"


class Reporter:
    """One measure of a population, for Mesa's data collectors, which hand over the model or nothing."""

    def __init__(self, population, name: str, measure: Callable | None):
        self.population, self.name, self.measure = population, name, measure

    def __call__(self, model: object = None) -> float:
        if self.measure is None:
            return {"tick": self.population.tick, "members": len(self.population)}[self.name]
        return self.measure(self.population.world)


def make_reporters(population, names, known: Mapping[str, Callable], prefix: str) -> dict[str, Reporter]:
    """Return reporters by name, or refuse a name that is not known."""
    if not isinstance(prefix, str):
        raise TypeError(f"prefix must be a string, not {prefix!r:.60}")
    own = {"tick": None, "members": None, **known}
    for name in names:
        if name not in own:
            raise ValueError(f"reporters are called {', '.join(own)}, not {name!r:.60}" + closest(str(name), own))
    return {prefix + name: Reporter(population, name, own[name]) for name in names}
