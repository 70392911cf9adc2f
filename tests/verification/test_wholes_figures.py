"""Wholes where they must be and where they must not: graded barriers and uniform land, planted blocks, random ties.

The land: 32×32 torus, three resources, care .75, 3,000 ticks and then a window of 500. On every 8th row and column
the supply is shallow, on every 16th deep, elsewhere 1: four regions of 16×16, each of four of 8×8. The barriers
themselves belong to nobody, so agreement is taken over the members between them. Each test prints its figures.
"""

import numpy as np
import pytest

import organism as og
from organism.wholes import agreement, find_wholes, null_flows, planted_flows, trade_of

pytestmark = pytest.mark.verify

SEEDS = (1, 2, 3, 4, 5)
METHODS = ("louvain", "infomap")
ROW, COLUMN = np.divmod(np.arange(32 * 32), 32)
BETWEEN = (ROW % 8 > 0) & (COLUMN % 8 > 0)


def window(seed, shallow=1., deep=1.):
    """Return what flowed in the last 500 of 3,500 ticks."""
    supply = np.ones((32, 32))
    supply[::8] = supply[:, ::8] = shallow
    supply[::16] = supply[:, ::16] = deep
    params = og.Params.preset("organic").replace(**{"care.weight": .75})
    columns = {"supply": np.repeat(supply.reshape(-1, 1), 3, 1)}
    world = og.World(og.Topology.grid((32, 32)), params, seed, columns=columns, ledger=True)
    world.step(3000)
    before = og.flows.reading(world)
    world.step(500)
    return og.flows.diff(og.flows.reading(world), before)


def region(size):
    return (ROW // size * 32 + COLUMN // size)[BETWEEN]


@pytest.mark.parametrize("seed", SEEDS)
def test_uniform_land_has_no_wholes(seed):
    """The default finds no division that is stable."""
    found = find_wholes(window(seed), rng=1)
    print(found)
    assert len(found) == 0 and "No wholes" in str(found)


def test_infomap_on_uniform_land():
    """It always divides a lattice, into about nine regions and about a hundred knots of ten; they do not stand."""
    pytest.importorskip("infomap")
    stand = [0, 0]
    for seed in SEEDS:
        found = find_wholes(window(seed), "infomap", rng=1)
        assert len(found) == 2
        for i, level in enumerate(found):
            excess = level.excess
            print(f"seed {seed}, {level.n_wholes} wholes: {excess:+.3f} beyond shuffled flows, stands: {level.stands}")
            stand[i] += level.stands
            assert excess < 0
    print(f"knots stand at {stand[0]}, regions at {stand[1]} of {len(SEEDS)} seeds")
    assert stand == [0, 0]


def alike(level, size):
    return agreement(level.labels[BETWEEN], region(size))


@pytest.mark.parametrize("seed", SEEDS)
def test_graded_barriers_make_sixteen_in_four(seed):
    """Supply of one half on every 8th row and column, of a tenth on every 16th.

    Both levels stand, the sixteen also inside the four; other levels that come up do not. What members give and get
    says as much as their ties do: poor sites trade little, and no level stands out from flows of the same strengths.
    """
    found = find_wholes(window(seed, .5, .1), rng=1)
    print(found)
    fine, coarse = found.standing
    print(f"adjusted mutual information {alike(coarse, 16):.3f} coarse, {alike(fine, 8):.3f} fine")
    assert alike(coarse, 16) >= .95 and alike(fine, 8) >= .9 and list(fine.beyond) == [f"inside the {coarse.n_wholes}"]
    for level in found:
        assert level.nulls["strengths"]["assortativity"].above > .05


@pytest.mark.parametrize("shape", [(24, 24), (60, 4), (100, 3)])
def test_uniform_land_of_any_shape(shape):
    """On a narrow strip divisions are stable, for there are few; of 24 levels or fewer one or so stands by chance."""
    found = stand = 0
    for seed in range(1, 13):
        world = og.World(og.Topology.grid(shape), og.Params.preset("organic"), seed, ledger=True)
        world.step(2000)
        taken = og.Snapshots(world, every=1000)
        world.step(1000)
        levels = find_wholes(taken.window(), rng=1)
        found, stand = found + len(levels), stand + len(levels.standing)
    print(f"{shape}: {stand} of {found} levels stand, in 12 worlds")
    assert stand <= 2


@pytest.mark.parametrize("shallow, deep, least, most", [(.5, .1, 4, 5), (.6, .1, 4, 5), (.8, .1, 0, 2)])
def test_how_shallow_a_barrier_makes_a_level(shallow, deep, least, most):
    """The four are nearly always found; the sixteen, where a barrier is deep enough to be seen in 500 ticks."""
    readings = [window(seed, shallow, deep) for seed in SEEDS]
    nests = [find_wholes(reading, nulls=(), rng=1) for reading in readings]
    four, sixteen = (sum(max(alike(level, size) for level in nest) >= enough for nest in nests)
                     for size, enough in ((16, .95), (8, .9)))
    print(f"barriers of {shallow} and {deep}: the four at {four} of {len(SEEDS)} seeds, the sixteen at {sixteen}")
    assert four >= 4 and least <= sixteen <= most


@pytest.mark.parametrize("method", METHODS)
def test_planted_levels_in_a_million_ties(method):
    """Blocks of 50 inside 500, 5,000 members: the figures of both methods."""
    if method == "infomap":
        pytest.importorskip("infomap")
    flows, (fine, coarse) = planted_flows(ties=1_000_000, rng=1)
    found = find_wholes(flows, method, nulls=(), rng=1)
    print(found)
    best = [max(agreement(level.labels, truth) for level in found) for truth in (fine, coarse)]
    print(f"{method}: adjusted mutual information {best[0]:.3f} fine, {best[1]:.3f} coarse")
    assert best[0] >= .9 and best[1] >= .95
    assert not len(find_wholes(null_flows(flows, "degrees", np.random.default_rng(1)), method, nulls=(), rng=1))


@pytest.mark.parametrize("method", METHODS)
def test_random_ties_seldom_stand(method):
    """Of the levels found in random ties of given degrees about one in twenty stands, as it should at the .05 level."""
    from scipy import stats

    if method == "infomap":
        pytest.importorskip("infomap")
    found = stand = 0
    for given in (og.datasets.chesapeake_bay(), planted_flows(100, (20,), (0, 1), 500, rng=1)[0]):
        flows = trade_of(given).flows
        for seed in range(60):
            random = null_flows(flows, "degrees", np.random.default_rng(seed))
            levels = find_wholes(random, method, nulls="degrees", rng=seed)
            found, stand = found + len(levels), stand + len(levels.standing)
    print(f"{method}: {stand} of {found} levels stand")
    assert found >= 40 and stand <= stats.binom.ppf(.999, found, .05)
