"""Wholes: groups of members that trade among themselves, found at every level and never declared."""

from __future__ import annotations

from ._agree import agreement
from ._find import Wholes, find_wholes
from ._follow import Followed, follow_wholes
from ._level import Level, Null
from ._maps import codelength, walk
from ._meta import to_mesa, triplets
from ._nulls import null_flows
from ._planted import planted_flows
from ._trade import Trade, trade_of

__all__ = ["Followed", "Level", "Null", "Trade", "Wholes", "agreement", "codelength", "find_wholes", "follow_wholes",
           "null_flows", "planted_flows", "to_mesa", "trade_of", "triplets", "walk"]
