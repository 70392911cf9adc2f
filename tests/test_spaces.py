"""Mesa spaces: built to match a topology, given, and drawn by Mesa itself.

The same tests run on every supported Mesa.
"""

import warnings

import mesa
import networkx as nx
import numpy as np
import pytest
from mesa.discrete_space import HexGrid, Network, OrthogonalMooreGrid, OrthogonalVonNeumannGrid, VoronoiGrid
from models import TURNOVER, make

from organism import OrganismModel, Topology

TOPOLOGIES = {
    "moore": Topology.grid((4, 6)),
    "bounded": Topology.grid((4, 6), torus=False),
    "von_neumann": Topology.grid((5, 3), "von_neumann"),
    "radius 2": Topology.grid((6, 7), radius=2),
    "hexagonal": Topology.grid((4, 6), "hexagonal"),
    "hexagonal, odd width": Topology.grid((4, 5), "hexagonal"),
    "hexagonal, bounded": Topology.grid((3, 5), "hexagonal", torus=False),
    "small torus": Topology.grid((2, 2)),
    "ring": Topology.grid((9,), radius=2),
    "line": Topology.grid((9,), torus=False),
    "holes": Topology.grid((4, 6), holes=np.arange(24).reshape(4, 6) % 5 == 1),
    "graph": Topology.from_networkx(nx.les_miserables_graph()),
    "directed": Topology.from_networkx(nx.gnp_random_graph(15, .2, seed=1, directed=True)),
    "alone": Topology.from_edges([], [], n_sites=3),
}
KINDS = {"von_neumann": OrthogonalVonNeumannGrid, "moore": OrthogonalMooreGrid, "hexagonal": HexGrid}


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_a_space_is_built_to_match_the_topology(topology):
    model = OrganismModel(topology=topology, rng=1)
    space = model.space
    assert model.space is space
    if topology.kind == "grid":
        assert isinstance(space, KINDS[topology.neighbourhood or "von_neumann"])
        assert (space.height, space.width) == (1, *topology.shape)[-2:]
    else:
        assert isinstance(space, Network)
    assert len(space.agents) == topology.n_sites
    for member in model.agents:
        assert member.cell.agents == [member] and model.site_of(member.cell) == member.site
        near = {model.site_of(cell) for cell in member.cell.connections.values()}
        assert near == set(topology.target[topology.source == member.site].tolist())
        if topology.kind == "grid":
            assert member.cell.coordinate == tuple(topology.cells[member.site][::-1])


def test_relative_moves_follow_rebuilt_connections():
    topology = TOPOLOGIES["radius 2"]
    model = OrganismModel(topology=topology, rng=1, occupied=np.arange(topology.n_sites) == 0)
    member = model.member_at(0)
    member.move_relative((-2, 1))
    assert member.cell.coordinate == (5, 1)


def test_holes_are_no_sites():
    model = OrganismModel(topology=TOPOLOGIES["holes"], rng=1)
    hole = model.space[1, 0]
    assert not hole.connections and not hole.agents
    with pytest.raises(ValueError, match=r"cell \(1, 0\) of this space is no site"):
        model.member_at(hole)


POINTS = [(x + .1 * (y % 3), y + .07 * x) for x in range(4) for y in range(3)]
SPACES = {
    "moore": lambda rng: OrthogonalMooreGrid((5, 3), torus=True, random=rng),
    "von_neumann": lambda rng: OrthogonalVonNeumannGrid((5, 3), torus=False, capacity=1, random=rng),
    "hex": lambda rng: HexGrid((4, 4), torus=True, random=rng),
    "network": lambda rng: Network(nx.karate_club_graph(), random=rng),
    "voronoi": lambda rng: VoronoiGrid(POINTS, random=rng),
    "3d": lambda rng: OrthogonalMooreGrid((3, 3, 3), torus=True, random=rng),
}


def make_space(kind):
    with warnings.catch_warnings():  # Mesa 3.3 makes its Voronoi cells with numpy.matrix
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return SPACES[kind](mesa.Model(rng=1).random)


@pytest.mark.parametrize("kind", SPACES)
def test_a_given_space(kind):
    space = make_space(kind)
    model = OrganismModel(space=space, rng=1, **TURNOVER)
    cells = list(space)
    assert model.space is space and model.world.n_sites == len(cells)
    for _ in range(8):
        model.step()
        assert len(space.agents) == model.world.n_members
        for site, here in enumerate(model.world.state["occupied"]):
            assert [member.site for member in cells[site].agents] == [site] * int(here)
    if kind in ("moore", "hex"):
        member = next(iter(model.agents))
        x, y = member.cell.coordinate
        assert member.site == model.world.topology.index((x, y)) == model.site_of((x, y))
    assert model.world.audit().closes


def test_a_given_space_with_a_topology_of_its_own():
    space = make_space("moore")
    topology = Topology.from_edges([0, 1, 2], [1, 2, 0], n_sites=15)
    model = OrganismModel(space=space, topology=topology, rng=1)
    assert model.world.topology is topology and model.member_at(4).cell is list(space)[4]
    assert len(model.space.agents) == 15
    with pytest.raises(ValueError, match="15 cells and topology 3 sites"):
        OrganismModel(space=space, topology=Topology.from_edges([0], [1], n_sites=3))


def test_a_given_space_is_drawn_without_being_asked_for():
    space = make_space("network")
    OrganismModel(space=space, rng=1)
    assert len(space.agents) == 34


@pytest.mark.parametrize("where", [-1, 24, (9, 9), "here", True])
def test_bad_places(where):
    model = make()
    with pytest.raises(ValueError, match="0..23|not a node"):
        model.member_at(where)
    with pytest.raises(ValueError, match="no site of the world"):
        model.member_at(make().space[0, 0])


def portrayal(member):
    from mesa.visualization.components import AgentPortrayalStyle

    return AgentPortrayalStyle(color="#123456", size=10 + member.welfare)


@pytest.fixture
def visual():
    """Give Mesa's drawing, if what it needs is installed, and close the figures."""
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("solara")
    pytest.importorskip("altair")
    matplotlib.use("agg")
    with warnings.catch_warnings():  # of Mesa's own components, when solara reads them
        warnings.simplefilter("ignore")
        import mesa.visualization as visual

    yield visual
    import matplotlib.pyplot as plt
    plt.close("all")


def n_drawn(ax):
    """Count the markers in the members' colour; a network's nodes have another."""
    from matplotlib.collections import PathCollection
    from matplotlib.colors import to_hex

    return sum(len(art.get_offsets()) for art in ax.collections
               if isinstance(art, PathCollection) and to_hex(art.get_facecolor()[0]) == "#123456")


@pytest.mark.parametrize("name", ["moore", "hexagonal", "ring", "holes", "graph", "directed"])
def test_mesas_own_drawing(visual, name):
    topology = TOPOLOGIES[name]
    model = OrganismModel(topology=topology, rng=1, **TURNOVER)
    model.run_for(3)
    ax = visual.draw_space(model.space, portrayal)
    assert n_drawn(ax) == model.world.n_members
    renderer = visual.SpaceRenderer(model, backend="matplotlib")
    model.run_for(3)  # the renderer keeps the space: it must show the living all the same
    renderer.draw_structure()
    if hasattr(renderer, "setup_agents"):  # Mesa 3.4 and later
        ax = renderer.setup_agents(portrayal).draw_agents()
    else:
        ax = renderer.draw_agents(portrayal)
    assert n_drawn(ax) == model.world.n_members
