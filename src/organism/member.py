"""A Mesa agent that is a view on one row of a world's state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mesa.discrete_space import Cell, CellAgent

from ._checks import closest
from ._rowview import RowView
from .state import COLUMNS

if TYPE_CHECKING:
    from .model import OrganismModel

__all__ = ["Member"]

#: What Mesa's meta-agents set on the agents that they are made of.
META = ("meta_agent", "meta_agents")


class Member(RowView, CellAgent):
    """A living member as a Mesa agent: a view on one row of the world's state.

    Besides `model` and `unique_id` (the world's uid) it holds nothing; every column
    of the state is a property. Those the kernel does not own can be set. A vector is
    handed out as a read-only copy; assign a whole one to change it. When the member
    dies its attributes raise `AttributeError`; ask `alive`.

    Parameters
    ----------
    model : OrganismModel
    site : int, node or Cell
        Where the member lives; see `OrganismModel.site_of`. This makes a view on a
        member that is there already; `OrganismModel.add_member` makes a member.

    Raises
    ------
    ValueError
        If nobody lives on the site.

    Notes
    -----
    Subclasses with a ``step`` are called once a tick, by ascending ``unique_id``,
    before the members sense. They may read everything and write their own row: set
    `order_task` to a task and `order_share` to 0 or 1 to decide for the kernel (-1
    hands the decision back; an order stands until it is changed). A write to another
    member from a step is refused. Subclasses may hold attributes of their own.
    """

    # What Mesa expects to find on an agent, and what is held: all class-level until set.
    pos = None
    current_action = None
    model: OrganismModel = None
    unique_id: int = None
    _slot: int = -1

    def __init__(self, model: OrganismModel, site):
        # Not Mesa's __init__: it would number the agent and hold more than the view may.
        model._enrol(self, site)

    def __setattr__(self, name, value):
        # A mistyped column must not become a silent attribute of the view.
        if type(self) is Member and name not in META and not hasattr(Member, name):
            raise AttributeError(f"a member has no attribute {name!r}{closest(name, COLUMNS)}")
        object.__setattr__(self, name, value)

    def __repr__(self):
        where = f"at site {self.site}" if self.alive else "(dead)"
        return f"<{type(self).__name__} {self.unique_id} {where}>"

    @property
    def _world(self):
        return self.model.world

    def _permit(self) -> None:
        self.model._permit(self)

    @property
    def cell(self) -> Cell:
        """Cell of the model's Mesa space the member lives on; set it to move to an empty one.

        A move needs an empty site and takes the member's goods along.
        """
        return self.model._cell(self._row())

    @cell.setter
    def cell(self, cell):
        model, site = self.model, self._row()
        model._permit(self)
        if cell is None:
            raise ValueError("a member lives on a site; remove() takes it out of the world")
        to = model.site_of(cell)
        if to != site:
            model.world.move(site, to)
            self._slot = to
            model._refresh()

    def step(self) -> None:
        """Act before the members sense; nothing here, since ordinary members act in the kernel."""

    def remove(self) -> None:
        """Take the member out of the world; its stock leaves with it and is booked as removed."""
        model, site = self.model, self._row()
        model._permit(self)
        model.world.remove([site])
        model._refresh()
