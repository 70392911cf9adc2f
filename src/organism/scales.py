"""Measures as a function of scale, from one member to the whole.

Members are put together step by step: on a grid into boxes of side 1, 2, 4, …, elsewhere into the groups that
Louvain's method finds at ever lower resolutions. At each step it is asked how mixed the roles within groups are, how
much of the flows stays inside, how well a group tells where goods go next; and each answer is held against
chance: roles dealt out anew among members, flows dealt out anew among the same ties (or ties among the same members).

>>> import organism as og
>>> world = og.World(og.Topology.grid((8, 8)), rng=1)
>>> world.step(100)
>>> by_scale(world, rng=1)
Scales(groups of 1 to 64 members; 39 nulls: roles dealt out, flows)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._checks import closest, whole
from ._checks import seed as resolved
from ._matching import known_of, labels_of
from .flows import Reading
from .measures import dominant_task
from .measures._sources import entropy, is_world, ratio
from .snapshots import latest
from .wholes import Trade, trade_of, walk
from .wholes._detect import RESOLUTIONS, alike, detect, nested
from .wholes._level import statistics
from .wholes._nulls import NULLS, null_of

__all__ = ["Scales", "boxes", "by_scale", "role_correlation"]

#: Groups of a null are compared with no more, and no less, than so many times as many.
NEAR = 1.5
#: Steps of a ladder have at least so many times as many groups as the next, and resolutions of nulls are moved where
#: their numbers differ by more; so few members have no groups between.
APART, TINY = 1.25, 3
#: Columns of the frame.
COLUMNS = ("scale", "groups", "measure", "observed", "null_mean", "null_low", "null_high", "null_groups", "above",
           "below", "pvalue", "compared")


@dataclass(frozen=True, eq=False)
class Scales:
    """Measures by scale.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a scale and measure: ``scale`` (mean members in a group), ``groups``, ``measure``, ``observed``,
        ``null_mean``, ``null_low`` and ``null_high`` (least and greatest of the nulls), ``null_groups`` (their mean
        number), ``above`` and ``below`` (p-values of so high, and so low, a value by chance: (1 + how many nulls are as
        extreme)/(1 + their number)) and ``pvalue``, of both tails: twice the lesser, at most 1;
        and ``compared``, the number of nulls with a comparable division.
    null : str
        What chance deals, of :func:`organism.wholes.null_flows`.
    n_nulls, seed : int
    matched : int or None
        Members whose roles were matched by uid; None if roles were given in the members' order.
    """

    frame: object
    null: str
    n_nulls: int
    seed: int
    matched: int | None = None

    def __repr__(self) -> str:
        sizes = self.frame["scale"].unique()
        least, most = (f"{size:,.0f}" if size >= 100 else f"{size:.3g}" for size in (sizes.min(), sizes.max()))
        return (f"Scales(groups of {least} to {most} members; {self.n_nulls} nulls: roles dealt "
                f"out, {self.null}" + ("" if self.matched is None else f"; roles of {self.matched:,} members") + ")")


def boxes(topology, sites) -> list[np.ndarray]:
    """Return a nest of boxes on a grid: sides of 1, 2, 4, … sites, and last all in one.

    Parameters
    ----------
    topology : Topology
        A grid in one or two dimensions.
    sites : array_like of int, shape (n,)
        Of the members.

    Returns
    -------
    list of ndarray of int64, shape (n,)
        A label for each member, the finest first.

    Raises
    ------
    ValueError
        If the topology is no grid.
    """
    if topology.kind != "grid":
        raise ValueError("boxes need a grid; this topology is none")
    height, width = (1, *topology.shape)[-2:]
    row, column = np.divmod(np.asarray(sites), width)
    found, side = [], 1
    while side < max(height, width):
        found.append(np.unique(row // side * width + column // side, return_inverse=True)[1])
        side *= 2
    return [*found, np.zeros(len(row), np.int64)]


def _ladder(flows, rng, resolutions=RESOLUTIONS) -> tuple[list[np.ndarray], dict[int, float]]:
    """Return a nest of groups of any graph, the finest first: members alone, Louvain's groups, all in one.

    Also the resolution at which each number of groups was found.
    """
    n, found = flows.shape[0], []
    for one in resolutions if flows.nnz and n > TINY else ():
        found.append(detect(flows, one, int(rng.integers(2**31))))
        if _size(found[-1]) == n:               # nothing is finer
            break
    nest, settings = [np.arange(n)], {}
    for labels, one in zip(nested(found)[::-1], resolutions[:len(found)][::-1], strict=True):
        k = _size(labels)
        if k > 1 and _size(nest[-1]) >= APART * k:
            nest.append(labels)
            settings[k] = one
    return _distinct([*nest, np.zeros(n, np.int64)]), settings


def _again(flows, settings, rng) -> list[np.ndarray]:
    """Return a nest of groups of a null, found where those of a nest were, and where it has about as many."""
    n = flows.shape[0]
    made = [detect(flows, one, int(rng.integers(2**31))) for one in settings.values()] if flows.nnz else []
    # once more where there are a few groups too many or too few, lest scales be compared with coarser or finer ones
    made += [detect(flows, one * k / _size(labels), int(rng.integers(2**31)))
             for (k, one), labels in zip(settings.items(), made, strict=False) if abs(_size(labels) - k) > 0.05 * k]
    numbers = np.array([_size(labels) for labels in made])
    made += [alike(flows, "louvain", one, k, rng) for k, one in settings.items()
             if len(numbers) and np.abs(np.log(numbers / k)).min() > np.log(APART)]
    made = nested(sorted((one for one in made if one is not None), key=_size))[::-1]    # None: no such division
    return _distinct([np.arange(n), *made, np.zeros(n, np.int64)])


def _distinct(nest) -> list[np.ndarray]:
    """Return partitions without repeats, each labelled from 0 on in order of its first members."""
    found = {}
    for labels in nest:
        _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
        labels = np.argsort(np.argsort(first))[inverse]
        found.setdefault(labels.tobytes(), labels)
    return list(found.values())


def by_scale(source, roles=None, *, nest=None, null: str | None = None, n_nulls: int = 39, rng=None,
             progress: bool = False) -> Scales:
    """Measure roles and flows at every scale, from one member to the whole.

    Parameters
    ----------
    source : World, Reading, Snapshot, Snapshots, networkx graph or sparse array
        As :func:`organism.find_wholes` takes it; of a series its last window.
    roles : Roles, Blocks, Level or array_like, shape (n,), optional
        Of the members, matched by uid, or an array in their order; by default of a world what each did most. Members of
        unknown role (negative, or not known there) are left out of the role entropy, and without any so is all of it.
    nest : list of array_like, shape (n,), optional
        Partitions, the finest first, that do not come from these flows, such as regions; by default :func:`boxes` of a
        grid, else Louvain's at ever lower resolutions (each step at least 1¼ times as many groups as the next),
        which are found again in each null.
    null : {"flows", "strengths", "degrees"}, optional
        What chance deals, see :func:`organism.wholes.null_flows`; by default "flows" where ties are given (a world, a
        reading, their interdependence), and "degrees" in another graph, whose ties are themselves what is found.
    n_nulls : int, default 39
        The least p-value is 2/(1 + n_nulls): .05.
    rng : int, SeedSequence, Generator or None
    progress : bool
        Show a bar.

    Returns
    -------
    Scales
        ``role_entropy``: mean entropy of the roles within a group over that of the population (0: each group has
        one role, 1: each group has all); small groups have few by chance alone. ``closure``: the share of flows kept
        inside groups. ``effective_information``, in bits: how well a group tells to which group goods go next, if all
        groups are equally likely to have them; ``effectiveness``, that over its greatest possible value, log₂ of the
        number of groups. ``individuality``: how much of what the member who has the goods tells about the group they
        go to is told by its group alone; of one group it would say nothing, nor would effectiveness. See
        :func:`organism.wholes.walk` for how goods go. Where groups are found again in a null, those most nearly as
        many are compared; nulls without a division into ⅔ to 1½ times as many are left out, and if all are, so are
        the p-values (NaN). Each p-value is of one measure at one scale: of many, some are small by chance alone.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or if there is nobody, or neither roles nor flows.

    References
    ----------
    Hoel, Albantakis, Tononi (2013) Quantifying causal emergence shows that macro can beat micro. *PNAS* 110:
    19790-19795. Klein, Hoel (2020) The emergence of informative higher scales in complex networks. *Complexity* 2020:
    8932526. Bertschinger, Olbrich, Ay, Jost (2006) Information and closure in systems theory. *Proc. 7th German
    Workshop on Artificial Life*, 9-19.
    """
    import pandas as pd
    from tqdm import tqdm

    n_nulls, seed = whole("n_nulls", n_nulls, 1), resolved(rng)
    generator = np.random.default_rng(seed)
    source = latest(source)
    placed = is_world(source) or isinstance(source, Reading)
    trade = trade_of(source)
    null = null or ("flows" if trade.given else "degrees")
    if null not in NULLS:
        raise ValueError(f"null must be one of {', '.join(NULLS)}, not {null!r}" + closest(str(null), NULLS))
    n, flows = len(trade.uid), trade.flows
    if roles is None and is_world(source):
        roles = dominant_task(source)
    roles, matched = (None, None) if roles is None else _roles(roles, trade.uid)
    roles = None if roles is None or not (roles >= 0).any() else roles
    if not n or roles is None and not flows.nnz:
        raise ValueError("source must have members, and roles or flows of theirs; "
                         + ("there are neither" if n else "nobody is there"))
    climbed = nest is None and not (placed and source.topology.kind == "grid")
    if climbed:
        nest, settings = _ladder(flows, generator)
    elif nest is None:
        nest = boxes(source.topology, source.living if is_world(source) else source.site)
    nest = _distinct([_labels(f"nest[{i}]", labels, n) for i, labels in enumerate(nest)])
    if not nest:
        raise ValueError("nest must hold at least one partition")
    observed = _measured(flows, nest, roles, nest)
    chance = [{name: [] for name in found} for found in observed]
    for _ in tqdm(range(n_nulls), desc="nulls", disable=not progress):
        dealt, _ = null_of(trade, null, generator)
        again = _alike(_again(dealt, settings, generator), nest) if climbed else nest
        who = None if roles is None else _dealt(roles, generator)
        for found, one in zip(chance, _measured(dealt, again, who, nest), strict=True):
            for name in found.keys() & one.keys():
                found[name].append(one[name])
    rows = [(n / _size(labels), _size(labels), name, seen[name][0], *_compared(seen[name][0], values))
            for labels, seen, found in zip(nest, observed, chance, strict=True) for name, values in found.items()]
    return Scales(pd.DataFrame(rows, columns=list(COLUMNS)), null, n_nulls, seed, matched)


def _labels(name: str, values, n: int) -> np.ndarray:
    """Return one label for each of n members, from 0 on."""
    values = np.asarray(values)
    if values.shape != (n,):
        raise ValueError(f"{name} must have one label for each of the {n} members, not shape {values.shape}")
    return np.unique(values, return_inverse=True)[1]


def _roles(roles, uid) -> tuple[np.ndarray, int | None]:
    """Return the roles of members with these uids, from 0 on, -1 if unknown; and how many were matched by uid."""
    labels, matched = labels_of("roles", roles, uid)
    known = known_of(labels)
    found = np.full(len(labels), -1)
    found[known] = np.unique(labels[known], return_inverse=True)[1]
    return found, matched


def _dealt(roles, generator) -> np.ndarray:
    """Deal roles out anew among the members whose role is known."""
    found, known = roles.copy(), roles >= 0
    found[known] = generator.permutation(roles[known])
    return found


def _size(labels) -> int:
    return int(labels.max()) + 1


def _alike(ladder, nest) -> list:
    """Return of a ladder, for each step of a nest, the step of most nearly as many groups; None if none is near."""
    numbers, found = np.array([_size(labels) for labels in ladder]), []
    for labels in nest:
        apart = np.abs(np.log(numbers / _size(labels)))
        found.append(ladder[apart.argmin()] if apart.min() <= np.log(NEAR) else None)
    return found


def _measured(flows, nest, roles, places) -> list[dict[str, tuple[float, int]]]:
    """Return each measure, and of how many groups: of flows at each step of a nest, of roles at each of others."""
    found = [{} if roles is None else {"role_entropy": (_mixed(roles, labels), _size(labels))} for labels in places]
    if not flows.nnz:
        return found
    bare, step = Trade(flows, (), None, None, [], np.arange(flows.shape[0])), walk(flows)
    for one, labels in zip(found, nest, strict=True):
        if labels is None:
            continue
        k, seen = _size(labels), statistics(bare, labels, step=step)
        one |= {"closure": (seen["closure"], k), "effective_information": (seen["effectiveness"] * np.log2(k), k)}
        if k > 1:                               # of one group the others would say nothing
            one |= {name: (seen[name], k) for name in ("effectiveness", "individuality")}
    return found


def _compared(value: float, chance) -> tuple[float, ...]:
    """Return mean and range of what chance gives, its number of groups, p-values of both tails, and of how many."""
    if not chance:
        return (*(np.nan,) * 7, 0)
    chance, groups = np.array(chance).T
    n = 1 + len(chance)
    above, below = ((1 + found.sum()) / n for found in (chance >= value - 1e-12, chance <= value + 1e-12))
    return (chance.mean(), chance.min(), chance.max(), groups.mean(), above, below, min(1.0, 2 * min(above, below)),
            n - 1)


def _mixed(roles, labels) -> float:
    """Return the mean entropy of known roles within groups, over that of all."""
    roles, labels = roles[roles >= 0], labels[roles >= 0]
    k, r = _size(labels), _size(roles)
    table = np.bincount(labels * r + roles, minlength=k * r).reshape(k, r).astype(float)
    size = table.sum(axis=1)
    within = float((entropy(ratio(table, size[:, None]), axis=1) * size).sum() / size.sum())
    return float(ratio(within, entropy(table.sum(axis=0) / size.sum())))


def role_correlation(world, roles=None, *, reach: int = 10, n_nulls: int = 99, rng=None):
    """Return how alike members' roles are, by how many ties they are apart, and over what distance that fades.

    Parameters
    ----------
    world : World
    roles : Roles, Blocks, Level or array_like, shape (n,), optional
        Of the living, matched by uid, or an array in their order; by default what each did most. Members of unknown
        role (negative, or not known there) are left out.
    reach : int, default 10
        Greatest distance, in ties, whichever way they lead; empty sites are passed through.
    n_nulls : int, default 99
        Times that roles are dealt out anew among the members.
    rng : int, SeedSequence, Generator or None

    Returns
    -------
    frame : pandas.DataFrame
        One row a distance: ``pairs``, how many are so far apart; ``correlation``, (the share of them with the same
        role, less that among all pairs) over (1 less that among all pairs): 1 if all are alike, 0 as by chance, below
        0 if they are rather unlike; ``null_low`` and ``null_high``, between which 95 % of the nulls lie.
        ``frame.attrs["matched"]``: members whose roles were matched by uid (None of an array).
    length : float
        Correlation length: distance at which the size of the correlation first falls to 1/e of that at one tie, by
        interpolation; 0 if that at one tie is not beyond its null; inf if it does not fall so low within reach.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused; snapshots and graphs do not tell who is how far from whom.
    """
    import pandas as pd

    reach, n_nulls = whole("reach", reach, 1), whole("n_nulls", n_nulls, 1)
    if not is_world(world):
        raise TypeError(f"world must be a World, whose ties tell how far members are apart, not {type(world).__name__}")
    generator = np.random.default_rng(resolved(rng))
    living = np.asarray(world.living)
    uid = np.asarray(world.state["uid"][living])
    labels, matched = _roles(dominant_task(world) if roles is None else roles, uid)
    living, labels = living[labels >= 0], labels[labels >= 0]
    n = len(living)
    count = np.bincount(labels)
    # two different members, whoever they are
    chance = float((count * (count - 1)).sum() / (n * (n - 1))) if n > 1 else 1.0
    draws = [labels, *(generator.permutation(labels) for _ in range(n_nulls))]
    rows = []
    for distance, (one, other) in enumerate(_pairs(world.topology, living, reach), 1):
        if len(one):
            same = np.array([(who[one] == who[other]).mean() for who in draws])
            alike = (same - chance) / (1 - chance if chance < 1 else 1.0)
            rows.append((distance, len(one), alike[0], *np.quantile(alike[1:], (0.025, 0.975))))
    frame = pd.DataFrame(rows, columns=["distance", "pairs", "correlation", "null_low", "null_high"])
    frame.attrs["matched"] = matched
    return frame, _length(frame)


def _pairs(topology, living, reach: int):
    """Yield, for each distance from 1 on, the pairs (place in ``living``, place) that are so many ties apart."""
    from scipy import sparse

    ties = topology.to_sparse()
    ties = ((ties + ties.T) > 0).astype(float).tocsr()
    seen, ring = sparse.eye_array(topology.n_sites, format="csr"), ties
    for _ in range(reach):
        ring = (ring - ring.multiply(seen > 0)).tocsr()
        ring.eliminate_zeros()
        here = sparse.triu(ring[living][:, living]).tocoo()
        yield here.row, here.col
        seen = seen + ring
        ring = ((ring @ ties) > 0).astype(float).tocsr()


def _length(frame) -> float:
    """Return the correlation length."""
    if not len(frame) or frame["distance"].iloc[0] > 1:
        return 0.0
    first = frame.iloc[0]
    if first["null_low"] <= first["correlation"] <= first["null_high"]:
        return 0.0
    far, size = frame["distance"].to_numpy(), np.abs(frame["correlation"].to_numpy() / first["correlation"])
    below = np.flatnonzero(size <= 1 / np.e)
    if not len(below):
        return np.inf
    i = int(below[0])
    return float(far[i - 1] + (far[i] - far[i - 1]) * (size[i - 1] - 1 / np.e) / (size[i - 1] - size[i]))
