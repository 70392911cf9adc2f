"""Roles: what members consistently do, found in their acts and never declared.

:func:`find_roles` finds them in what members do, :func:`block_roles` in who gives whom (the stochastic block model);
:meth:`Roles.agreement` compares both. :func:`follow_roles` follows roles through time, :func:`refilling` takes some
members of a role away and tells whether their neighbours take over, :func:`labour_between` splits the division of
labour into one between groups and one within them.

**Acts.** What a row of acts is worth, as a sample, decides what counts as more than chance. A member's tasks are
counted acts, of which a world forgets the old ones little by little; they are worth Kish's number (see
:mod:`organism.measures`). Where there are goods alone (a reading, a graph) nobody counted acts. There a tie is one
act: a member whose ties carry w₁, w₂, … is worth (Σ w)²/Σ w² of them, as if each tie carried one thing; ``draws`` says
better where better is known. Whether members differ is tested by dealing out anew what each tie carries, one good or a
mixture, while it keeps its amount (without resources: by turning the dealings of each pair round by lot).
"""

from __future__ import annotations

from ._acts import Acts, acts_of, count_acts
from ._agree import Agreement
from ._blocks import Blocks, block_roles
from ._find import Roles, find_roles
from ._follow import RoleHistory, follow_roles
from ._groups import Labour, labour_between
from ._profile import Profile
from ._refill import Refilling, refilling

__all__ = ["Acts", "Agreement", "Blocks", "Labour", "Profile", "Refilling", "RoleHistory", "Roles", "acts_of",
           "block_roles", "count_acts", "find_roles", "follow_roles", "labour_between", "refilling"]
