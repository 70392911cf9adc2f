"""Roles: what members consistently do, found in their acts and never declared."""

from __future__ import annotations

from ._acts import Acts, acts_of
from ._find import Roles, find_roles
from ._profile import Profile

__all__ = ["Acts", "Profile", "Roles", "acts_of", "find_roles"]
