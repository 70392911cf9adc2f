"""What every view of a living member does: find its row in the world, read its columns, write those that can be."""

from __future__ import annotations

import numpy as np

from .state import COLUMNS

__all__ = ["RowView"]


class RowView:
    """A view on the row of one member: it has a ``unique_id``, a ``_slot`` where it was seen last, and no state."""

    __slots__ = ()

    @property
    def _world(self):
        """The world that the member lives in."""
        raise NotImplementedError

    def _permit(self) -> None:
        """Refuse a change that must not be made now."""

    def _row(self) -> int:
        """Return the site, wherever the world has moved the member, or say that it died."""
        uids = self._world.state.planes["uid"][0]  # padded with -1
        slot = self._slot
        if slot < uids.size and uids[slot] == self.unique_id:
            return slot
        found = np.flatnonzero(uids == self.unique_id)
        if not found.size:
            raise AttributeError(f"member {self.unique_id} is dead at tick {self._world.tick}: its attributes"
                                 " are gone (alive tells)")
        self._slot = int(found[0])
        return self._slot

    @property
    def alive(self) -> bool:
        """Whether the member lives."""
        try:
            return self._row() >= 0
        except AttributeError:
            return False

    @property
    def site(self) -> int:
        """Index of the site the member lives on."""
        return self._row()


def _property(name: str, column) -> property:
    """Make the property that reads, and perhaps writes, one column."""
    def read(self):
        value = self._world.state[name][self._row()]
        if value.ndim == 0:
            return value.item()
        value = value.copy()
        value.flags.writeable = False
        return value

    def write(self, value):
        site = self._row()
        if not column.writable:
            raise AttributeError(f"{name} cannot be set; it is the model's own")
        self._permit()
        self._world.set(name, [value], [site])

    return property(read, write, doc=f"{column.doc[0].upper()}{column.doc[1:]} ({column.unit}).")


for _name, _about in COLUMNS.items():
    if _name != "occupied":
        setattr(RowView, _name, _property(_name, _about))
