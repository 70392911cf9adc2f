"""Mesa agents who walk among the members of a population and carry goods from one to another."""

from mesa.discrete_space import CellAgent

__all__ = ["Carrier"]


class Carrier(CellAgent):
    """One who takes of a good where there is plenty, and gives it where it lacks.

    Parameters
    ----------
    model : mesa.Model
        With `people`, a Population in the cells.
    cell : mesa.discrete_space.Cell
    resource : int
        What it carries.
    most : float
        What it can carry.
    """

    def __init__(self, model, cell, resource, most=5.0):
        super().__init__(model)
        self.cell, self.resource, self.most, self.load = cell, resource, most, 0.0

    def step(self):
        """Walk to a cell next to this one that does not burn, if there is any, and deal with who lives there."""
        ways = [cell for cell in self.cell.neighborhood if not self.model.fire[cell]]
        if ways:
            self.cell = self.random.choice(ways)
        people = self.model.people
        member = people.member_at(self.cell)
        if member is None:
            return
        left = float(member.stock[self.resource] - member.reserve[self.resource])
        if left > 0:
            self.load += people.take(member, self.resource, min(left, self.most - self.load))
        else:
            self.load -= people.give(member, self.resource, min(-left, self.load))
