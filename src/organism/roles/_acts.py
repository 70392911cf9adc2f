"""What members do, read from worlds, graphs or tables: blocks of counts or goods, one row a member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..measures import dependence, effective_draws
from ..measures._sources import is_world, ratio

__all__ = ["BLOCKS", "Acts", "acts_of", "chance", "points_of"]

#: The blocks of a world, and what their columns count.
BLOCKS = {"tasks": "acts by task", "exports": "goods given by resource", "imports": "goods received by resource",
          "position": "goods given, received, and made for own use"}


@dataclass(frozen=True, eq=False)
class Acts:
    """What members did.

    Parameters
    ----------
    blocks : dict of str to ndarray of float64, shape (n, columns)
        Amounts ≥ 0; only their shares within a row count.
    draws : ndarray, shape (n,)
        How many independent acts a member's rows are worth.
    uid, site : ndarray of int64, shape (n,)
        Who and where.
    resources : int
        Number of resources K; 0 if unknown.
    """

    blocks: dict[str, np.ndarray]
    draws: np.ndarray
    uid: np.ndarray
    site: np.ndarray
    resources: int = 0

    def __len__(self) -> int:
        return len(self.uid)

    def take(self, some) -> Acts:
        """Return the acts of some members."""
        return Acts({name: table[some] for name, table in self.blocks.items()}, self.draws[some], self.uid[some],
                    self.site[some], self.resources)


def acts_of(source, blocks=None, draws=None) -> Acts:
    """Read what members did.

    Parameters
    ----------
    source : World, mapping or array_like
        A world; a mapping of block names to tables (n, columns); or one table, of tasks.
    blocks : sequence of str, optional
        Only these.
    draws : float or array_like, shape (n,), optional
        How many independent acts a row is worth; of a world what its memory makes of its acts, else row sums
        of the first block.

    Returns
    -------
    Acts
    """
    if is_world(source):
        found = _of_world(source)
    else:
        tables = dict(source) if isinstance(source, Mapping) else {"tasks": source}
        tables = {name: _table(name, table) for name, table in tables.items()}
        if not tables:
            raise ValueError("source must hold at least one block of acts")
        sizes = {name: len(table) for name, table in tables.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(f"blocks must have one row for each member, not {sizes}")
        n = next(iter(sizes.values()))
        found = Acts(tables, next(iter(tables.values())).sum(axis=1), np.arange(n), np.arange(n))
    if blocks is not None:
        blocks = [blocks] if isinstance(blocks, str) else list(blocks)
        for name in blocks:
            if name not in found.blocks:
                raise ValueError(f"blocks must be some of {', '.join(found.blocks)}, not {name!r}")
        found = Acts({name: found.blocks[name] for name in blocks}, found.draws, found.uid, found.site,
                     found.resources)
    if draws is not None:
        given = np.asarray(draws, float)
        if given.shape not in ((), (len(found),)) or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(f"draws must be one number of 0 or more, or one for each of the {len(found)} members")
        found = Acts(found.blocks, np.broadcast_to(given, len(found)).copy(), found.uid, found.site, found.resources)
    return found


def _table(name, table) -> np.ndarray:
    table = np.asarray(table, float)
    if table.ndim != 2:
        raise ValueError(f"{name} must have two axes, members and columns, not shape {table.shape}")
    if not (np.isfinite(table) & (table >= 0)).all():
        i, j = np.argwhere(~(np.isfinite(table) & (table >= 0)))[0]
        raise ValueError(f"{name}[{i}, {j}] must be finite and 0 or more, not {table[i, j]}")
    return table


def _of_world(world) -> Acts:
    living, topology, k = world.living, world.topology, world.params.resources
    n = world.n_sites
    blocks = {"tasks": np.asarray(world.state["task_counts"][living], float)}
    if world.ledger:
        total = world.tie("total")
        blocks["exports"] = _sums(topology.source, total, n)[living]
        blocks["imports"] = _sums(topology.target, total, n)[living]
    trace = world.tie("trace")[:, None]
    given, got = (_sums(ends, trace, n)[living, 0] for ends in (topology.source, topology.target))
    burned = np.asarray(world.state["consumption"][living], float)
    blocks["position"] = np.stack([given, got, burned * np.maximum(0, 1 - dependence(world, each=True))], axis=1)
    return Acts(blocks, effective_draws(world), np.asarray(world.state["uid"][living]), np.asarray(living), k)


def _sums(ends, amounts, n) -> np.ndarray:
    """Add up amounts (ties, K) by site."""
    return np.stack([np.bincount(ends, column, n) for column in np.asarray(amounts, float).T], axis=1)


def points_of(acts: Acts) -> tuple[np.ndarray, tuple[int, ...], np.ndarray]:
    """Return the points (square roots of shares), the blocks' edges and the least variances.

    A row without any amount in a block (a member that never gave) stands at the population's mix: it says
    nothing there.
    """
    parts, floors = [], []
    for table in acts.blocks.values():
        total = table.sum(axis=1, keepdims=True)
        common = ratio(table.sum(axis=0), table.sum())
        parts.append(np.sqrt(np.where(total > 0, ratio(table, total), common)))
        floors.append(1 / (4 * max(1.0, float(np.median(acts.draws)) if len(acts) else 1.0)))
    edges = np.concatenate([[0], np.cumsum([part.shape[1] for part in parts])])
    return np.concatenate(parts, axis=1), tuple(edges.tolist()), np.array(floors)


def chance(acts: Acts, rng: np.random.Generator) -> Acts:
    """Return acts of the same number, drawn by every member from the population's own mixes."""
    draws, blocks = np.maximum(np.rint(acts.draws), 1).astype(int), {}
    for name, table in acts.blocks.items():
        common, some = ratio(table.sum(axis=0), table.sum()), table.sum(axis=1) > 0
        blocks[name] = rng.multinomial(np.where(some, draws, 0), common if common.sum() > 0 else
                                       np.full(len(common), 1 / len(common))).astype(float)
    return Acts(blocks, acts.draws, acts.uid, acts.site, acts.resources)
