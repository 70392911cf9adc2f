"""Parts for other people's Mesa models: `Field`, a live array over their space, and `Population`, members in it.

Nothing of Mesa is replaced or patched. The host keeps its agents, its clock and its generators; it steps our parts when
it likes. Both find their way by the order of the space's cells: site i of `Field.topology` and of a population is the
i-th cell, which on a grid is element i of a raveled layer.

>>> import mesa
>>> from mesa.discrete_space import OrthogonalMooreGrid
>>> from organism import Field, Population
>>> class Host(mesa.Model):
...     def __init__(self, rng=None):
...         super().__init__(rng=rng)
...         self.grid = OrthogonalMooreGrid((8, 6), torus=True, random=self.random)
...         self.sugar = Field.attach(self.grid, "sugar", default=1.)
...         self.people = Population(self, self.grid)
...
...     def step(self):
...         self.sugar.diffuse(.1)
...         self.people.step()
>>> host = Host(rng=1)
>>> host.step()
>>> len(host.people), host.people.audit().closes
(48, True)
"""

from ._field import Field
from ._population import Population
from ._residents import Group, Members, Resident

__all__ = ["Field", "Group", "Members", "Population", "Resident"]
