"""Parts inside foreign Mesa models: `Field` and `Population`.

The same tests run on every supported Mesa.
"""

import copy
import doctest
import gc
import pickle
import sys
import weakref

import mesa
import networkx as nx
import numpy as np
import pytest
from mesa.discrete_space import CellAgent, HexGrid, Network, OrthogonalMooreGrid, OrthogonalVonNeumannGrid, VoronoiGrid

import organism as og
from organism import Field, Params, Population, Topology, World, embed, interact
from organism.state import COLUMNS

# Mesa 3.3 makes its Voronoi cells with numpy.matrix.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

POINTS = [(x + .1 * (y % 3), y + .07 * x) for x in range(4) for y in range(3)]
GRIDS = {
    "moore torus": lambda rng: OrthogonalMooreGrid((5, 3), torus=True, random=rng),
    "moore": lambda rng: OrthogonalMooreGrid((3, 6), random=rng),
    "moore, narrow torus": lambda rng: OrthogonalMooreGrid((2, 6), torus=True, random=rng),
    "von neumann torus": lambda rng: OrthogonalVonNeumannGrid((4, 6), torus=True, random=rng),
    "von neumann": lambda rng: OrthogonalVonNeumannGrid((5, 3), random=rng),
    "hex torus": lambda rng: HexGrid((6, 4), torus=True, random=rng),
    "hex": lambda rng: HexGrid((3, 5), random=rng),
    "3d": lambda rng: OrthogonalMooreGrid((3, 4, 3), torus=True, random=rng),
}
NETS = {
    "network": lambda rng: Network(nx.karate_club_graph(), random=rng),
    "named network": lambda rng: Network(nx.les_miserables_graph(), random=rng),
    "voronoi": lambda rng: VoronoiGrid(POINTS, random=rng),
}
SPACES = {**GRIDS, **NETS}
TURNOVER = Params.preset("organic").replace(**{
    "demography.enabled": True, "demography.hazard": .1, "demography.frailty": 0., "demography.refill": .5})


def make_space(kind):
    return SPACES[kind](mesa.Model(rng=1).random)


def make_grid(width=5, height=4):
    return OrthogonalMooreGrid((width, height), torus=True, random=mesa.Model(rng=1).random)


def same(one: World, two: World) -> bool:
    return one.tick == two.tick and all(np.array_equal(one.state[name], two.state[name]) for name in COLUMNS)


class Thief(CellAgent):
    """A Mesa agent that takes from the members it meets, eats what the land has, and gives some back."""

    def __init__(self, model, cell):
        super().__init__(model)
        self.cell, self.purse, self.eaten = cell, 0., 0.

    def step(self):
        people, sugar = self.model.people, self.model.sugar
        # Not by neighbourhoods: where they were asked for, Mesa's copies leave agents in cells of no space.
        self.cell = self.random.choice(list(self.model.space))
        self.purse += people.take(self.cell, 0, .7)
        if self.purse > 1:
            self.purse -= people.give(self.cell, 1, .4)
        self.eaten += min(.25, sugar[self.cell])
        sugar[self.cell] -= min(.25, sugar[self.cell])


class Host(mesa.Model):
    """A foreign model with a layer, a population on some cells, and agents that deal with both."""

    def __init__(self, rng=None, kind="moore torus", params=None, thieves=4):
        super().__init__(rng=rng)
        self.space = SPACES[kind](self.random)
        cells = list(self.space)
        self.sugar = Field.attach(self.space, "sugar", default=1.)
        self.people = Population(self, self.space, params, occupied=cells[::2])
        for cell in cells[:thieves]:
            Thief(self, cell)
        self.datacollector = mesa.DataCollector(
            model_reporters={"sweet": lambda model: float(model.sugar.array.sum()), "thieves": count_thieves,
                             **self.people.reporters("tick", "members", "welfare", "share_rate")})

    def step(self):
        self.sugar.diffuse(.02)
        self.agents.shuffle_do("step")
        self.people.step()
        self.datacollector.collect(self)


def count_thieves(model):
    return len(model.agents)


class PlainHost(Host):
    """The same without a function that cannot be pickled."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.datacollector.model_reporters["sweet"], self.datacollector.model_vars["sweet"]


# -- fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", GRIDS)
def test_a_field_is_the_grids_own_memory(kind):
    grid = make_space(kind)
    field = Field.attach(grid, "sugar", default=2)
    shape = tuple(grid.dimensions)
    assert field.array.shape == shape and field.array.dtype == np.float64 and (field.array == 2).all()
    layer = grid.sugar if isinstance(grid.sugar, np.ndarray) else grid.sugar.data
    assert np.shares_memory(field.array, layer) and np.shares_memory(field.values, layer)
    for k, cell in enumerate(grid):
        cell.sugar = k + .5
    assert (field.values == np.arange(len(list(grid))) + .5).all()
    for k, cell in enumerate(grid):
        assert field[cell] == field[cell.coordinate] == cell.sugar == k + .5
        field[cell] = -k
        assert cell.sugar == -k == field.values[k]
    field.array[...] = 7
    assert all(cell.sugar == 7 for cell in grid)
    assert Field.attach(grid, "sugar").array is field.array
    assert np.asarray(field) is field.array
    assert np.asarray(field, np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(field), field.array)


@pytest.mark.parametrize("kind", NETS)
def test_a_space_without_layers_has_a_field_too(kind):
    space = make_space(kind)
    field = Field.attach(space, "rumour", default=1, dtype=np.float32)
    cells = list(space)
    assert field.array.shape == (len(cells),) and field.values is field.array
    for k, cell in enumerate(cells):
        field[cell] = k
    assert (field.array == np.arange(len(cells))).all() and [field[cell] for cell in cells] == list(range(len(cells)))
    assert field[next(iter(space._cells))] == 0


@pytest.mark.parametrize("kind", SPACES)
def test_neighbourhoods_agree(kind):
    space = make_space(kind)
    field = Field.attach(space, "sugar")
    rng = np.random.default_rng(1)
    field.values[...] = rng.random(field.topology.n_sites)
    site = {id(cell): k for k, cell in enumerate(space)}
    near = [sorted({site[id(other)] for other in cell.connections.values()} - {k}) for k, cell in enumerate(space)]
    ends = np.split(field.topology.target, np.cumsum(field.topology.out_degree)[:-1])
    assert [sorted(end.tolist()) for end in ends] == near
    total = interact.neighbour_sum(field.topology, field.values)
    for k, cell in enumerate(space):
        assert total[k] == pytest.approx(sum(field[list(space)[j]] for j in near[k]))
        if hasattr(space, "dimensions") and len(space.dimensions) == 2:
            shaped = interact.neighbour_sum(field.topology, field)
            assert shaped.shape == field.array.shape and shaped[cell.coordinate] == total[k]
            break
    if "moore" in kind or "von" in kind:
        assert field.topology.kind == "grid" and interact._walks.walk(field.topology).grid or "narrow" in kind
    before = field.values.copy()
    field.diffuse(.01, steps=3)
    assert (field.values == interact.diffuse(field.topology, before, .01, 3)).all()
    assert field.values.sum() == pytest.approx(before.sum())


def test_a_rewired_grid_is_walked_as_it_is_wired():
    grid = make_grid()
    grid[0, 0].disconnect(grid[1, 0])
    field = Field.attach(grid, "sugar")
    assert field.topology.n_ties == 20 * 8 - 1 and field.topology.shape == (5, 4)
    field[grid[0, 0]] = 1
    field.diffuse(.1)
    assert grid[1, 0].sugar == 0 and grid[0, 1].sugar == pytest.approx(.1)


def test_ready_steps_of_a_field():
    grid = make_grid()
    top, sugar = Field.attach(grid, "top", default=4), Field.attach(grid, "sugar")
    memory = sugar.array
    sugar.regrow(1.5, top)
    sugar.regrow(1, np.full((5, 4), 2.))
    assert (sugar.array == 2).all() and sugar.array is memory
    sugar[grid[2, 2]] = 5
    sent, received = sugar.flow(np.full((5, 4), 2.5))
    assert sent.shape == (5, 4) and sent[2, 2] == 2.5 and received[1, 1] == pytest.approx(2.5 / 8)
    assert sugar.array.sum() == pytest.approx(43) and sugar.array is memory
    sugar.regrow(.5, 10, "logistic")
    assert grid[0, 0].sugar == pytest.approx(2 + .5 * 2 * .8)
    assert repr(sugar) == "<Field 'sugar' of float64 on OrthogonalMooreGrid of 20 cells>"


def test_other_ties_and_types():
    grid = make_grid()
    ring = Topology.grid((20,))
    field = Field.attach(grid, "heat", default=0, dtype=np.float32, topology=ring)
    field.values[3] = 1
    field.diffuse(.25)
    assert field.array.reshape(-1)[2:5].tolist() == [.25, .5, .25]
    for _ in range(2):
        assert Field.attach(grid, "swapped", dtype=">f8").dtype == np.float64
    count = Field.attach(grid, "count", default=3, dtype=int)
    assert count.dtype == np.int64 and interact.neighbour_sum(count.topology, count)[0, 0] == 24
    assert Field.attach(grid, "empty").dtype == bool


def test_the_field_follows_a_layer_that_the_host_replaces():
    grid = make_grid()
    field = Field.attach(grid, "sugar", default=1.)
    if hasattr(grid, "modify_properties"):
        grid.modify_properties("sugar", np.add, 1.)             # Mesa 3.3 binds a new array here
        assert grid[2, 3].sugar == 2 == field[grid[2, 3]] and (field.array == 2).all()
        field.diffuse(.1)
        field[grid[0, 0]] = 9
        assert grid[0, 0].sugar == 9
        assert (field.values.reshape(5, 4) == field.array).all()
    grid.remove_property_layer("sugar")
    with pytest.raises(ValueError, match="layer 'sugar' has been removed from the grid; attach the field anew"):
        field.diffuse(.1)
    grid.create_property_layer("sugar", 3., dtype=float)
    field.diffuse(.1)
    field[grid[1, 1]] = 4
    assert grid[1, 1].sugar == 4 and (np.delete(field.values, 5) == 3).all()
    grid.remove_property_layer("sugar")
    grid.create_property_layer("sugar", 3, dtype=int)
    with pytest.raises(ValueError, match="is now of type int64 and shape .* attached to float64"):
        field[grid[1, 1]] = 5
    assert grid[1, 1].sugar == 3
    assert Field.attach(grid, "sugar").dtype == np.int64


@pytest.mark.skipif(hasattr(OrthogonalMooreGrid, "modify_properties"), reason="layers of this Mesa are no arrays")
def test_layers_given_and_lost_in_mesa_4():
    grid, mine = make_grid(), np.arange(20.).reshape(5, 4)
    grid.add_property_layer("sugar", mine)
    field = Field.attach(grid, "sugar")
    assert field.array is mine and field[grid[4, 3]] == 19
    grid.sugar = np.zeros((5, 4))
    with pytest.raises(ValueError, match="grid.sugar was set to something else than its layer"):
        field.diffuse(.1)
    grid.sugar = mine
    field.diffuse(.1)
    grid.add_property_layer("turned", np.zeros((4, 5)).T)
    with pytest.raises(ValueError, match="layer 'turned' is not C-contiguous"):
        Field.attach(grid, "turned")


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: Field(), TypeError, "Field.attach"),
    (lambda: Field.attach(np.zeros((3, 3)), "a"), TypeError, "grid must be a space of mesa.*, not ndarray"),
    (lambda: Field.attach(make_grid(), "two words"), TypeError, "name must be a string that can name an attribute"),
    (lambda: Field.attach(make_grid(), 3), TypeError, "name must be a string"),
    (lambda: Field.attach(make_grid(), "agents"), ValueError, "name must not be 'agents'"),
    (lambda: Field.attach(make_grid(), "connections"), ValueError, "name must not be 'connections'"),
    (lambda: Field.attach(make_grid(), "torus"), ValueError, "name must not be 'torus'"),
    (lambda: Field.attach(make_grid(), "a", default=np.nan), ValueError, "default must be a finite number, not nan"),
    (lambda: Field.attach(make_grid(), "a", default="b"), ValueError, "default must be a finite number, not 'b'"),
    (lambda: Field.attach(make_grid(), "a", default=.5, dtype=int), ValueError, "default must fit the type int64"),
    (lambda: Field.attach(make_grid(), "a", default=300, dtype=np.uint8), ValueError, "must fit the type uint8"),
    (lambda: Field.attach(make_grid(), "a", dtype=object), TypeError, "dtype must be a type of numbers or bool"),
    (lambda: Field.attach(make_grid(), "a", dtype="float46"), TypeError, "float46"),
    (lambda: Field.attach(make_grid(), "empty", dtype=float), ValueError, "'empty' is there with bool"),
    (lambda: Field.attach(make_grid(), "a", topology=Topology.grid((3, 3))), ValueError, "9 sites and the space 20"),
    (lambda: Field.attach(make_grid(), "a", topology=Topology.grid((4, 5))), ValueError, r"shape \(4, 5\) and layers"),
    (lambda: Field.attach(make_grid(), "a", topology="ring"), TypeError, "topology must be a Topology, not str"),
    (lambda: Field.attach(make_space("network"), "a", default=np.inf), ValueError, "default must be a finite number"),
    (lambda: Field.attach(make_space("network"), "a", default=.5, dtype=int), ValueError, "default must fit"),
    (lambda: Field.attach(make_space("network"), "a", dtype=str), TypeError, "dtype must be a type of numbers"),
    (lambda: Field.attach(make_grid(), "a")[9, 9], ValueError, r"\(9, 9\) is no cell of the space"),
    (lambda: Field.attach(make_grid(), "a")[None], ValueError, "None is no cell of the space"),
    (lambda: Field.attach(make_grid(), "a")[[1]], ValueError, r"\[1\] is no cell of the space"),
    (lambda: Field.attach(make_grid(), "a")[make_grid()[0, 0]], ValueError, r"cell \(0, 0\) is not in this space"),
    (lambda: Field.attach(make_space("network"), "a")[make_grid()[0, 0]], ValueError, "is not in this space"),
    (lambda: Field.attach(make_grid(), "a").diffuse(.2), ValueError, r"rate must be in \[0, 0.125\], not 0.2"),
    (lambda: Field.attach(make_grid(), "a", dtype=int).diffuse(.1), TypeError, "float32 or float64, not of"),
    (lambda: Field.attach(make_grid(), "a").regrow(-1, 1), ValueError, "rate must be numbers finite and at least 0"),
    (lambda: Field.attach(make_grid(), "a").regrow(1, np.ones(3)), ValueError, "capacity must broadcast"),
    (lambda: Field.attach(make_grid(), "a").flow(np.ones(3)), ValueError, "reserve must be numbers that broadcast"),
])
def test_fields_refuse_in_one_sentence(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_is_refused_leaves_the_grid_alone():
    grid = make_grid()
    layers = dir(grid), dir(grid[0, 0])
    for bad in ({"default": np.nan}, {"dtype": object}, {"topology": Topology.grid((3, 3))}):
        with pytest.raises((TypeError, ValueError)):
            Field.attach(grid, "sugar", **bad)
    assert (dir(grid), dir(grid[0, 0])) == layers
    field = Field.attach(grid, "sugar", default=1.)
    field[grid[2, 2]] = 5.
    before = field.array.copy()
    for call in (lambda: field.diffuse(1), lambda: field.regrow(1, np.nan), lambda: field.flow(-1.)):
        with pytest.raises(ValueError):
            call()
    assert (field.array == before).all()


def test_a_network_that_grows_is_told():
    space = make_space("network")
    field = Field.attach(space, "rumour")
    new = type(space[0])(99, random=space.random)
    space.add_cell(new)
    with pytest.raises(ValueError, match="the space has 35 cells now, and field 'rumour' was attached to 34"):
        field.diffuse(.01)
    space.remove_cell(space[5])
    with pytest.raises(ValueError, match="cell 99 is not in this space, or was not when it was attached"):
        field[new] = 1
    field[space[6]] = 2
    assert field.array[6] == 2


def test_a_field_is_refreshed_after_its_space_has_changed():
    space = make_space("network")
    field = Field.attach(space, "rumour", default=1)
    old, kept = space[0], space[5]
    field[kept] = 8
    space.remove_cell(old)
    new = type(old)(99, random=space.random)
    space.add_cell(new)
    space.add_connection(new, kept)
    for call in (lambda: field.diffuse(.01), lambda: field.regrow(1, 2), lambda: field.flow(1.), lambda: field.values,
                 lambda: interact.neighbour_sum(field.topology, field)):
        with pytest.raises(ValueError, match="cell 1 has a place in the space that was another's .* call its refresh"):
            call()
    with pytest.raises(TypeError, match="topology must be a Topology, not str"):
        field.refresh("ring")
    field.refresh()
    assert field[kept] == 8 and field[new] == 1 and field.values.sum() == 33 + 8
    field.diffuse(.01)
    assert field[new] == pytest.approx(1.07) and field.values.sum() == pytest.approx(41)
    with pytest.raises(ValueError, match="cell 0 is not in this space"):
        field[old]
    twin = pickle.loads(pickle.dumps(field))
    twin.diffuse(.01)
    grid = make_grid()
    heat, cell = Field.attach(grid, "heat", default=1.), grid[1, 1]
    for other in list(cell.connections.values()):
        grid.remove_connection(cell, other)
    heat[cell] = 9
    memory = heat.array
    heat.refresh()
    heat.diffuse(.1)
    assert heat[cell] == 9 and heat.array is memory and heat.topology.shape == (5, 4)
    heat.refresh(Topology.grid((20,)))
    assert heat.topology.n_ties == 40
    grid.remove_cell(cell)
    with pytest.raises(ValueError, match="layer 'heat' has 20 places, and the grid 19 cells now"):
        heat.refresh()


def test_a_field_takes_results():
    grid = make_grid()
    field = Field.attach(grid, "heat")
    field[grid[2, 2]] = 8
    assert interact.diffuse(field.topology, field, .1, out=field) is field.array
    assert interact.regrow(field, 1, 4, out=field) is field.array and grid[0, 0].heat == 1
    assert interact.flow(field.topology, field, 1., out=field)[0] is field.array
    count = Field.attach(grid, "count", default=3, dtype=int)
    with pytest.raises(ValueError, match="rate must be numbers without a fraction"):
        count.regrow(.5, 4)


def test_a_layer_that_is_read_only_is_told():
    grid = make_grid()
    field = Field.attach(grid, "heat", default=1.)
    field.array.flags.writeable = False
    for call in (lambda: field.diffuse(.1), lambda: field.regrow(1, 4), lambda: field.flow(1.),
                 lambda: field.__setitem__(grid[0, 0], 1)):
        with pytest.raises(ValueError, match="layer 'heat' is read-only and cannot be written"):
            call()
    assert (field.array == 1).all()


# -- populations: time, luck, conservation -----------------------------------------------------------


@pytest.mark.parametrize("kind", SPACES)
def test_a_population_in_a_foreign_model(kind):
    host = Host(rng=3, kind=kind)
    n = len(list(host.space))
    assert len(host.people) == (n + 1) // 2 and host.people.tick == 0
    for _ in range(6):
        host.step()
    assert host.people.tick == 6 and host.people.audit().closes
    frame = host.datacollector.get_model_vars_dataframe()
    assert list(frame) == ["sweet", "thieves", "tick", "members", "welfare", "share_rate"]
    assert frame["tick"].tolist() == [1, 2, 3, 4, 5, 6] and set(frame["thieves"]) == {4}
    for site, cell in enumerate(host.space):
        assert host.people.site_of(cell) == site and host.people.cell_of(site) is cell
        member = host.people.member_at(cell)
        assert (member is None) == (site % 2 == 1)
        assert member is None or (member.cell is cell and member.site == site)
    eaten = sum(agent.eaten for agent in host.agents)
    assert host.sugar.array.sum() == pytest.approx(n - eaten)


def test_guests_give_and_take_and_the_books_close():
    host = Host(rng=2, thieves=8)
    taken = given = 0.
    people = host.people

    class Books(Thief):
        def step(self):
            nonlocal taken, given
            before = self.purse
            self.purse += people.take(self.cell, 0, 5.)
            taken += self.purse - before
            before = self.purse
            self.purse -= people.give(self.cell, 1, min(.3, self.purse))
            given += before - self.purse
            self.cell = self.cell.neighborhood.select_random_cell()

    for cell in list(host.space)[:5]:
        Books(host, cell)
    for agent in [agent for agent in host.agents if type(agent) is Thief]:
        agent.remove()
    for _ in range(20):
        host.step()
        assert people.audit().closes and (people.get("stock") >= 0).all()
    audit = people.audit()
    assert taken > 0 < given
    assert audit.removed.tolist() == pytest.approx([taken, 0, 0])
    assert audit.added.tolist() == pytest.approx([0, given, 0])


def test_a_network_that_loses_cells_keeps_its_population():
    host = mesa.Model(rng=1)
    space = make_space("network")
    people = Population(host, space)
    kept, gone = space[8], space[3]
    space.remove_cell(gone)
    people.step(2)
    assert people.site_of(kept) == 8 and people.give(kept, 0, .1) == .1 and people.site_of(gone) == 3
    new = type(kept)(99, random=space.random)
    space.add_cell(new)
    with pytest.raises(ValueError, match="cell 99 is in no space that this population lives in"):
        people.take(new, 0, .1)


def test_take_and_give_say_what_was_moved():
    host = Host(rng=2)
    people, cell = host.people, host.space[0, 0]
    stock = people.member_at(cell).stock
    assert people.take(cell, 0, .25) == .25
    assert people.take(cell, 0, 100.) == stock[0] - .25 and people.member_at(cell).stock[0] == 0
    assert people.take(cell, 0, 1) == 0 and people.take(cell, 1, 0) == 0
    assert people.take(cell, 1, float("inf")) == stock[1]
    assert people.give(people.member_at(cell), 2, 1.5) == 1.5
    assert people.member_at(0).stock.tolist() == pytest.approx([0, 0, stock[2] + 1.5])
    assert people.take(1, 0, 1.) == people.give(1, 0, 1.) == 0                      # nobody lives there
    assert people.audit().closes


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_guests_do_the_books_close(seed):
    rng, host = np.random.default_rng(seed), mesa.Model(rng=seed)
    people = Population(host, make_grid(), TURNOVER, occupied=rng.random(20) < .6)
    came, went = people.audit().added.copy(), people.audit().removed.copy()
    for _ in range(300):
        site, to, good, amount = *rng.integers(20, size=2).tolist(), int(rng.integers(3)), rng.exponential(2)
        member, deed = people.member_at(site), rng.choice(["take", "give", "add", "remove", "move", "step"])
        if deed == "take":
            got = people.take(people.cell_of(site), good, amount)
            assert 0 <= got <= amount and (member is not None or got == 0)
            went[good] += got
        elif deed == "give":
            gave = people.give(site, good, amount)
            assert gave == (0 if member is None else amount)
            came[good] += gave
        elif deed == "add" and member is None:
            came += people.add(site, stock=[amount] * 3).stock
        elif deed == "remove" and member is not None:
            went += member.stock
            member.remove()
        elif deed == "move" and member is not None and people.member_at(to) is None:
            stock = member.stock
            member.cell = people.cell_of(to)
            assert member.site == to and (member.stock == stock).all()
        elif deed == "step":
            people.step(int(rng.integers(4)))
        audit = people.audit()
        assert audit.closes and (people.get("stock") >= 0).all()
        np.testing.assert_allclose(audit.removed, went, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(audit.added, came, rtol=1e-9, atol=1e-9)


def test_threads_change_no_bit():
    model = mesa.Model(rng=1)
    one = Population(model, Topology.grid((16, 16)), TURNOVER)
    two = Population(mesa.Model(rng=1), Topology.grid((16, 16)), TURNOVER, threads=2)
    one.step(20)
    two.step(20)
    assert same(one.world, two.world)


def test_a_world_in_mesa_can_be_a_host_too():
    host = og.OrganismModel(width=6, height=4, rng=1)
    field, guests = Field.attach(host.space, "sugar", default=1.), Population(host, host.space, occupied=[3])
    assert field.array.shape == (6, 4) and field.topology.kind == "grid"
    field.diffuse(.1)
    host.step()
    guests.step()
    cell = guests.cell_of(3)
    assert host.member_at(cell).cell is cell and guests.member_at(cell).unique_id == 0 and len(host.agents) == 24
    assert guests.audit().closes and host.world.audit().closes


def test_mesa_agents_sit_where_members_live():
    model = mesa.Model(rng=1)
    grid = OrthogonalVonNeumannGrid((3, 3), capacity=1, random=model.random)
    people = Population(model, grid)
    agent = CellAgent(model)
    agent.cell = grid[1, 1]
    assert grid[1, 1].agents == [agent] and people.member_at(agent.cell).site == 4
    assert list(model.agents) == [agent] and grid[0, 0].is_empty


def test_luck_is_the_models_and_then_its_own():
    one, two, other = Host(rng=7), Host(rng=7), Host(rng=8)
    assert one.people.world.seed == two.people.world.seed != other.people.world.seed
    for _ in range(5):
        one.step()
        two.step()
    assert same(one.people.world, two.people.world) and (one.sugar.array == two.sugar.array).all()
    model = mesa.Model(rng=5)
    state = mesa.Model(rng=5).rng.bit_generator.state
    people = Population(model, Topology.grid((4, 4)))
    bare = World(Topology.grid((4, 4)), rng=people.world.seed, ledger=True)
    assert model.rng.bit_generator.state != state
    state = model.rng.bit_generator.state, model.random.getstate()
    for _ in range(4):
        people.step(2)
        np.random.default_rng(0).random()
    assert (model.rng.bit_generator.state, model.random.getstate()) == state
    bare.step(8)
    assert same(people.world, bare)
    second = Population(model, Topology.grid((4, 4)))
    assert second.world.seed != people.world.seed


def test_turnover_shows_at_once():
    model = mesa.Model(rng=1)
    grid = make_grid()
    people = Population(model, grid, TURNOVER)
    some = people.select(np.arange(20) < 5)
    first = list(people)
    people.step(40)
    assert len(people) == people.world.n_members == len(list(people)) == len(people.uids)
    assert not set(people.uids.tolist()) <= set(range(20)) and len(some) < 5
    gone = next(member for member in first if not member.alive)
    with pytest.raises(AttributeError, match=f"member {gone.unique_id} is dead at tick 40"):
        gone.stock  # noqa: B018
    assert repr(gone) == f"<Resident {gone.unique_id} (dead)>" and gone not in people
    assert people.audit().closes


# -- populations: verbs --------------------------------------------------------------------------------


@pytest.fixture
def people():
    model = mesa.Model(rng=4)
    space = OrthogonalMooreGrid((5, 4), torus=True, random=model.random)
    found = Population(model, space, occupied=np.arange(20) % 3 != 0)
    found.step(3)
    return found


def test_get_set_select_agg_do(people):
    n = len(people)
    assert n == 13 and people.sites.tolist() == [k for k in range(20) if k % 3]
    assert people.get("stock").shape == (13, 3) and people.get("policy").shape[:2] == (13, 3)
    both = people.get(["welfare", "care"])
    assert list(both) == ["welfare", "care"] and (both["welfare"] == people.get("welfare")).all()
    assert people.set("care", .25) is people and (people.get("care") == .25).all()
    happy = people.select(people.get("welfare") > np.median(people.get("welfare")))
    assert 0 < len(happy) < n and (happy.get("welfare") > people.agg("welfare", np.median)).all()
    assert happy.set("care", np.linspace(0, 1, len(happy))).agg("care", [np.min, np.max]) == [0, 1]
    assert (people.select(~np.isin(people.uids, happy.uids)).get("care") == .25).all()
    assert people.select(lambda member: member.site < 5).sites.tolist() == [1, 2, 4]
    assert people.select(np.arange(20) < 5).select(at_most=2).sites.tolist() == [1, 2]
    assert len(people.select(np.zeros(n, bool))) == 0 and len(people.select()) == n
    welfare = og.measures.welfare(people.world, each=True)
    assert (people.select(welfare > .5).get("welfare") > .5).all()
    seen = []
    assert people.do(lambda member, more: seen.append(member.site + more), 1) is people
    assert seen == [site + 1 for site in people.sites]
    assert repr(happy).startswith("<Group of ") and repr(people) == "<Population: 13 members on 20 sites, tick 3>"
    happy.do("remove")
    assert len(happy) == 0 and 0 < len(people) < n and people.audit().closes
    people.select().remove()
    assert len(people.select([])) == 0
    assert len(people) == 0 and people.audit().closes and list(people) == []
    people.step(2)
    assert people.get("stock").shape == (0, 3)


def test_views(people):
    member = people[0]
    assert member == people.member_at(1) == next(iter(people)) and member in people and len({member, people[0]}) == 1
    assert member != people[1] and member != 0 and member.stock.shape == (3,) and not member.stock.flags.writeable
    member.care = .125
    assert people.world.state["care"][1] == np.float32(.125) and member.task in (0, 1, 2)
    with pytest.raises(AttributeError, match="did you mean 'care'"):
        member.caer = 1
    with pytest.raises(AttributeError, match="age cannot be set; it is the model's own"):
        member.age = 1
    with pytest.raises(KeyError, match="no member of uid 99 lives here"):
        people[99]
    assert repr(member) == "<Resident 0 at site 1>"
    uid = member.unique_id
    member.cell = people.space[0, 0]
    assert member.site == 0 and people.member_at((0, 0)) == member and people.member_at(1) is None
    member.remove()
    assert not member.alive and uid not in people.uids and people.audit().closes


def test_add_remove_move(people):
    held = people.get("stock").sum(axis=0)
    new = people.add(people.space[0, 0], care=0, stock=[3., 0, 1])
    assert new.site == 0 and new.care == 0 and new.stock.tolist() == [3, 0, 1] and len(people) == 14
    people.move(new, people.space[0, 3])
    assert new.site == 3 and new.stock.tolist() == [3, 0, 1]
    people.move(3, 3)
    people.move(3, 0)
    assert new.site == 0 and people.get("stock").sum(axis=0).tolist() == pytest.approx((held + [3, 0, 1]).tolist())
    people.step(5)
    assert people.audit().closes
    people.remove([people[1], people.space[0, 0], 4])
    people.remove(people.space[1, 1])                               # site 5
    assert set(people.sites.tolist()) == {k for k in range(20) if k % 3} - {2, 4, 5}
    people.remove(people.select(people.sites > 10))
    assert people.sites.tolist() == [1, 7, 8, 10] and people.audit().closes


def test_reporters(people):
    reporters = people.reporters("tick", "gini", "members", prefix="my_")
    assert list(reporters) == ["my_tick", "my_gini", "my_members"]
    assert list(people.reporters()) == ["welfare", "share_rate"]
    assert reporters["my_gini"](people.model) == og.measures.gini(people.world) == reporters["my_gini"]()
    own = mesa.DataCollector(model_reporters={**reporters, **{"uids": lambda model: people.uids}})
    own.collect(people.model)
    frame = own.get_model_vars_dataframe()
    assert frame["my_tick"].tolist() == [3] and frame["my_members"].tolist() == [13]


def test_a_field_feeds_a_population():
    model = mesa.Model(rng=1)
    grid = make_grid()
    land = Field.attach(grid, "land", default=1.)
    land[grid[0, 0]] = 0
    people = Population(model, grid)
    people.world.set("supply", land.values)
    assert people.world.state["supply"][:2].tolist() == [[0, 0, 0], [1, 1, 1]]
    welfare = np.zeros(20)
    welfare[people.sites] = people.get("welfare")
    assert interact.neighbour_mean(people.world.topology, welfare).shape == (20,)


def test_a_population_by_topology_alone():
    model = mesa.Model(rng=1)
    graph = nx.les_miserables_graph()
    people = Population(model, Topology.from_networkx(graph), occupied=[0, 5, 9], columns={"care": 0}, ledger=False,
                        threads=2)
    assert people.space is None and people.world.threads == 2 and not people.world.ledger
    assert people.member_at("Valjean") is None and people.site_of("Napoleon") == 0
    with pytest.raises(ValueError, match="lives in no space"):
        people.cell_of(0)
    with pytest.raises(ValueError, match=r"cell \(0, 0\) is in no space"):
        people.member_at(make_grid()[0, 0])
    space = make_grid()
    ring = Topology.grid((20,))
    lively = Population(model, ring, space=space)
    assert lively.world.topology is ring and lively.member_at(space[0, 1]).site == 1
    lively.step(2)
    assert lively.to_networkx().number_of_nodes() == 20 and lively.audit().closes


# -- copies and files ----------------------------------------------------------------------------------


def twin_of(host, how):
    return copy.deepcopy(host) if how == "deepcopy" else pickle.loads(pickle.dumps(host))


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
@pytest.mark.parametrize("kind", ["moore torus", "hex", "network", "voronoi"])
def test_copies_of_a_host_go_on_alike_and_apart(kind, how):
    host = PlainHost(rng=6, kind=kind, params=TURNOVER)
    for _ in range(3):
        host.step()
    twin = twin_of(host, how)
    assert twin.people is not host.people and twin.people.space is twin.sugar.space is twin.space is not host.space
    assert not np.shares_memory(twin.sugar.array, host.sugar.array)
    assert twin.people.model is twin and (twin.sugar.array == host.sugar.array).all()
    frozen = host.people.world.fork()
    for _ in range(4):
        twin.step()
    assert same(frozen, host.people.world) and host.people.tick == 3 and twin.people.tick == 7
    for _ in range(4):
        host.step()
    assert same(twin.people.world, host.people.world) and (twin.sugar.array == host.sugar.array).all()
    left, right = (one.datacollector.get_model_vars_dataframe() for one in (host, twin))
    assert left.equals(right) and left["tick"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert [agent.purse for agent in host.agents] == [agent.purse for agent in twin.agents]
    cells = list(twin.space)
    twin.sugar[cells[2]] = 5
    assert twin.sugar.values[2] == 5 != host.sugar.values[2]
    assert twin.people.member_at(cells[2]) is None or twin.people.member_at(cells[2]).site == 2
    with pytest.raises(ValueError, match="a population attached already"):
        Population(twin, twin.space)
    spice = Field.attach(twin.space, "spice", default=2)
    spice[cells[1]] = 3
    assert spice.values[:3].tolist() == [2, 3, 2]
    views = twin_of(list(host.people), how)
    assert [view.unique_id for view in views] == host.people.uids.tolist()


def test_save_and_load(tmp_path):
    host = Host(rng=2, params=TURNOVER)
    for _ in range(3):
        host.step()
    path = tmp_path / "people.npz"
    host.people.save(path)
    other = mesa.Model(rng=9)
    state = other.rng.bit_generator.state
    space = OrthogonalMooreGrid((5, 3), torus=True, random=other.random)
    people = Population.load(path, other, space)
    assert other.rng.bit_generator.state == state and same(people.world, host.people.world)
    people.step(5)
    host.people.step(5)
    assert same(people.world, host.people.world) and people.audit().closes
    assert people.member_at(space[0, 0]) is None or people.member_at(space[0, 0]).site == 0
    assert Population.load(path, other).space is None
    for kind, said in (("von neumann torus", "24 cells and topology 15 sites"), ("voronoi", "12 cells")):
        with pytest.raises(ValueError, match=said):
            Population.load(path, other, make_space(kind))
    with pytest.raises(ValueError, match="cells of other keys"):
        Population.load(path, other, make_grid(3, 5))
    with pytest.raises(ValueError, match="a population attached already"):
        Population.load(path, other, space)
    with pytest.raises(FileNotFoundError):
        Population.load(tmp_path / "none.npz", other)
    with pytest.raises(TypeError, match="model must be a mesa.Model, not str"):
        Population.load(path, "model")
    path.write_bytes(b"rubbish")
    with pytest.raises(ValueError, match="is not a saved world"):
        Population.load(path, other)


def test_a_space_holds_one_population():
    model, grid = mesa.Model(rng=1), make_grid()
    people = Population(model, grid)
    state = model.rng.bit_generator.state
    with pytest.raises(ValueError, match="this space has a population attached already, <Population: 20 members"):
        Population(model, grid)
    with pytest.raises(ValueError, match="attached already"):
        Population(model, Topology.grid((20,)), space=grid)
    assert model.rng.bit_generator.state == state
    apart = Population(model, people.world.topology)
    apart.step()
    assert people.tick == 0
    people.detach()
    second = Population(model, grid)
    people.step()
    assert people.space is None and people.audit().closes and second.tick == 0
    with pytest.raises(ValueError, match="is in no space"):
        people.take(grid[0, 0], 0, 1)
    del second
    gc.collect()
    Population(model, grid)


def test_a_population_is_freed_with_its_host():
    host = Host(rng=1)
    plain = mesa.Model(rng=1)
    mesa.Agent(plain)
    gone, bare = weakref.ref(host.people), weakref.ref(plain)
    del host, plain
    gc.collect()
    if bare() is not None:
        pytest.skip("this Mesa keeps every model that had an agent")
    assert gone() is None


class Early(mesa.Model):
    """Makes a population before Mesa has made a generator."""

    def __init__(self):
        Population(self, Topology.grid((3, 3)))


def model():
    return mesa.Model(rng=1)


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: Population("model", Topology.grid((3, 3))), TypeError, "model must be a mesa.Model, not str"),
    (Early, ValueError, "model has no rng yet"),
    (lambda: Population(model(), nx.path_graph(3)), TypeError, "topology must be a Topology or a space of mesa"),
    (lambda: Population(model(), make_grid(), space=make_grid()), ValueError, "not two spaces"),
    (lambda: Population(model(), Topology.grid((3, 3)), space=make_grid()), ValueError, "20 cells and topology 9"),
    (lambda: Population(model(), Topology.grid((3, 3)), space=7), TypeError, "space must be a space of mesa"),
    (lambda: Population(model(), make_grid(), {"care.weight": 1}), TypeError, "params must be a Params, not dict"),
    (lambda: Population(model(), make_grid(), occupied=[20]), ValueError, r"site indices in \[0, 19\]"),
    (lambda: Population(model(), make_grid(), occupied=[True]), ValueError, "entry for each of the 20 sites, not 1"),
    (lambda: Population(model(), make_grid(), occupied=[make_grid()[0, 0]]), ValueError, "is in no space"),
    (lambda: Population(model(), make_grid(), occupied="all"), ValueError, "occupied must be a mask or site indices"),
    (lambda: Population(model(), make_grid(), columns={"cair": 1}), KeyError, "did you mean 'care'"),
    (lambda: Population(model(), make_grid(), columns={"care": np.ones(3)}), ValueError, "care takes one value or an"),
    (lambda: Population(model(), make_grid(), threads=0), ValueError, "threads must be at least 1, not 0"),
    (lambda: Population(model(), make_grid(), ledger="yes"), TypeError, "ledger must be true or false"),
])
def test_populations_are_refused_in_one_sentence(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_refused_population_leaves_model_and_space_alone():
    host, grid = model(), make_grid()
    state = host.rng.bit_generator.state
    for bad in ({"columns": {"care": 2}}, {"occupied": [99]}, {"threads": -1}):
        with pytest.raises(ValueError):
            Population(host, grid, **bad)
        assert host.rng.bit_generator.state == state
    Population(host, grid)


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda p: p.step(-1), ValueError, "n must be at least 0, not -1"),
    (lambda p: p.take(1, 3, 1), ValueError, r"resource must be in 0\.\.2, not 3"),
    (lambda p: p.take(1, True, 1), ValueError, "resource must be in"),
    (lambda p: p.take(1, 0, -1), ValueError, "amount must be 0 or more, not -1"),
    (lambda p: p.take(1, 0, "all"), TypeError, "amount must be a number of 0 or more, not 'all'"),
    (lambda p: p.give(1, 0, np.inf), ValueError, "must leave a stock of at most"),
    (lambda p: p.give(1, 0, np.nan), ValueError, "amount must be 0 or more, not nan"),
    (lambda p: p.give(1, 0, 1e300), ValueError, r"a stock of at most 1e\+30, not 1e\+300"),
    (lambda p: p.take(20, 0, 1), ValueError, r"site must be in 0\.\.19, not 20"),
    (lambda p: p.take(None, 0, 1), ValueError, "None is not a node"),
    (lambda p: p.member_at(make_grid()[0, 0]), ValueError, "is in no space that this population lives in"),
    (lambda p: p.add(1), ValueError, "site 1 is occupied"),
    (lambda p: p.add(0, caer=1), KeyError, "did you mean 'care'"),
    (lambda p: p.add(0, care=2), ValueError, "care at site 0 must be in"),
    (lambda p: p.move(1, 2), ValueError, "site 2 is occupied; no second member"),
    (lambda p: p.move(0, 3), ValueError, "site 0 is empty; nobody can leave"),
    (lambda p: p.remove(np.ones(2, bool)), TypeError, "those for whom a mask is true are population.select"),
    (lambda p: p.agg("welfare", "mean"), TypeError, "func must be a function of an array, such as np.mean"),
    (lambda p: p.remove(0), ValueError, "site 0 is empty; there is no member"),
    (lambda p: p.remove([1, 1]), ValueError, "must not repeat"),
    (lambda p: p.remove(None), TypeError, "members must be members, cells or sites, not None"),
    (lambda p: p.remove(Population(model(), Topology.grid((3, 3)))), ValueError, "is of another population"),
    (lambda p: p.move(Population(model(), Topology.grid((3, 3)))[0], 0), ValueError, "a member of another population"),
    (lambda p: p.get("stck"), KeyError, "did you mean 'stock'"),
    (lambda p: p.set("uid", 3), ValueError, "uid cannot be set"),
    (lambda p: p.set("care", np.ones(20)), ValueError, r"array of shape \(13,\), not \(20,\)"),
    (lambda p: p.select(np.ones(12, bool)), ValueError, "each of the 13 members or of the 20 sites, not .* shape"),
    (lambda p: p.select(np.ones(13)), ValueError, "which must be true or false .* float64"),
    (lambda p: p.select(at_most=-1), ValueError, "at_most must be a whole number of at least 0, not -1"),
    (lambda p: p.do("dance"), ValueError, "what must be a callable or the name of a method such as 'remove'"),
    (lambda p: p.do("site"), ValueError, "what must be a callable"),
    (lambda p: p.reporters("wellfare"), ValueError, "did you mean 'welfare'"),
    (lambda p: p.reporters(prefix=1), TypeError, "prefix must be a string"),
])
def test_verbs_refuse_in_one_sentence_and_change_nothing(people, call, error, said):
    before = people.world.fork()
    with pytest.raises(error, match=said) as caught:
        call(people)
    assert "\n" not in str(caught.value)
    assert same(before, people.world) and people.audit().closes


# -- the rest --------------------------------------------------------------------------------------------


def test_nothing_of_mesa_is_patched():
    def of_mesa():
        kinds = mesa.Model, mesa.Agent, CellAgent, OrthogonalMooreGrid, Network, mesa.DataCollector
        return {(kind.__name__, name): id(value) for kind in kinds for name, value in vars(kind).items()}

    before = of_mesa()
    host = Host(rng=1)
    host.step()
    assert of_mesa() == before


def test_examples_run():
    for module in (embed, *(sys.modules[kind.__module__] for kind in (Field, Population))):
        done = doctest.testmod(module)
        assert done.attempted and not done.failed


def test_public_names():
    assert og.Field is Field and og.Population is Population and og.embed is embed
