"""Wholes: groups of members that trade among themselves, found at every level and never declared."""

from __future__ import annotations

from ._agree import agreement
from ._find import Wholes, find_wholes, trade_of
from ._level import Level, Null, Trade
from ._maps import codelength, walk
from ._nulls import null_flows
from ._planted import planted_flows

__all__ = ["Level", "Null", "Trade", "Wholes", "agreement", "codelength", "find_wholes", "null_flows",
           "planted_flows", "trade_of", "walk"]
