"""Flows between pairs of members, as the block model takes them: ties that carried nothing count too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..flows import Reading, merge
from ..measures._sources import is_world
from ..snapshots import latest
from ..wholes import trade_of

__all__ = ["Pairs", "pairs_of"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Flows between members.

    Parameters
    ----------
    row, column : ndarray of int64, shape (t,)
        Giver and receiver, by their place in ``uid``; each pair once.
    amount : ndarray of float64, shape (t, K)
    uid, site : ndarray of int64, shape (n,)
    given : bool
        Whether these are all ties that there are; else all pairs might have given.
    """

    row: np.ndarray
    column: np.ndarray
    amount: np.ndarray
    uid: np.ndarray
    site: np.ndarray
    given: bool

    def take(self, some) -> Pairs:
        """Return the flows among some members, a mask."""
        place = np.cumsum(some) - 1
        both = some[self.row] & some[self.column]
        return replace(self, row=place[self.row[both]], column=place[self.column[both]], amount=self.amount[both],
                       uid=self.uid[some], site=self.site[some])

    def among(self, ties) -> Pairs:
        """Return the flows along some ties, a mask; the members stay."""
        return replace(self, row=self.row[ties], column=self.column[ties], amount=self.amount[ties])


def pairs_of(source, given: bool | None = None) -> Pairs:
    """Read flows by pairs; see :func:`~organism.roles.block_roles`."""
    source = latest(source)
    if is_world(source):
        site = np.asarray(source.living)
        amount = source.tie("total") if source.ledger else source.tie("trace")[:, None]
        found = _on_ties(source.topology, np.asarray(source.state["uid"][site]), site, np.asarray(amount, float))
    elif isinstance(source, Reading):
        found = _of_reading(source)
    else:
        trade = trade_of(source)
        parts = [flow.tocoo() for flow in trade.resources or [trade.flows]]
        row, column = (np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)
                       for name in ("row", "col"))
        amount = np.zeros((len(row), len(parts)))
        amount[np.arange(len(row)), np.repeat(np.arange(len(parts)), [part.nnz for part in parts])] = (
            np.concatenate([part.data for part in parts]))
        found = Pairs(*merge(row, column, amount), trade.uid, trade.uid, False)
    return found if given is None else replace(found, given=bool(given))


def _on_ties(topology, uid, site, amount) -> Pairs:
    """Keep the ties between occupied sites."""
    place = np.full(topology.n_sites, -1)
    place[site] = np.arange(len(site))
    row, column = place[topology.source], place[topology.target]
    both = (row >= 0) & (column >= 0) & (row != column)
    return Pairs(row[both], column[both], amount[both], uid, site, True)


def _of_reading(source: Reading) -> Pairs:
    """Take who lived at each site last, the ties among them, and what flowed between them."""
    last = np.full(source.topology.n_sites, -1)
    np.maximum.at(last, source.site, source.uid)
    site = np.flatnonzero(last >= 0)
    uid, k = last[site], source.amount.shape[1]
    ties = _on_ties(source.topology, uid, site, np.zeros((source.topology.n_ties, k)))
    order = np.argsort(uid)
    place = [order[np.minimum(np.searchsorted(uid, who, sorter=order), len(uid) - 1)] if len(uid) else who
             for who in (source.giver, source.receiver)]
    here = (uid[place[0]] == source.giver) & (uid[place[1]] == source.receiver) if len(uid) else (
        np.zeros(len(source.giver), bool))
    return replace(ties, **dict(zip(("row", "column", "amount"), merge(
        np.concatenate([ties.row, place[0][here]]), np.concatenate([ties.column, place[1][here]]),
        np.concatenate([ties.amount, source.amount[here]])), strict=True)))
