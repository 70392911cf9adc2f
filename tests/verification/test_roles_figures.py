"""Roles: how often they are told where there are none, how well planted ones are found, and how surely counted.

The worlds: 32×32 torus, the preset "organic", three or five resources. Each test prints its figures.
"""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

import organism as og
from organism.flows import reading
from organism.roles import block_roles, find_roles, labour_between, refilling
from organism.roles._pairs import pairs_of
from organism.roles._refill import _branch, _neighbours
from organism.wholes import agreement

pytestmark = pytest.mark.verify


def settled(seed, ticks=3000, resources=3, side=32):
    """Return a world after some ticks."""
    params = og.Params.preset("organic").replace(resources=resources)
    world = og.World(og.Topology.grid((side, side)), params, rng=seed, ledger=True)
    world.step(ticks)
    return world


def mixed(contrast, n_roles=3):
    """Return the mixes of roles: every task has a part of 1 - contrast, evenly, and one's own the rest besides."""
    return np.eye(n_roles) * contrast + (1 - contrast) / n_roles


def planted(rng, contrast, acts, n=400):
    true = rng.permutation(np.arange(n) % 3)
    return true, rng.multinomial(acts, mixed(contrast)[true])


@pytest.mark.parametrize("resources", [3, 5])
@pytest.mark.parametrize("blocks", [None, "tasks"])
def test_the_number_is_the_same_with_every_seed(resources, blocks):
    """20 seeds each, and the same worlds some ticks later; a number that seeds leave open is said to be open."""
    for world_seed in (1, 2):
        numbers = []
        world = settled(world_seed, 3000, resources)
        for more in (0, 500, 2500):
            world.step(more) if more else None
            found = [find_roles(world, blocks=blocks, rng=seed, n_resamples=19) for seed in range(20)]
            count = Counter(one.n_roles for one in found)
            number = count.most_common(1)[0][0]
            print(f"K = {resources}, {blocks or 'all'}, world {world_seed}, tick {world.tick}: {dict(count)}, open in "
                  f"{sum(one.underdetermined for one in found)}; strength {found[0].strengths[number]:.2f} ± "
                  f"{found[0].errors[number]:.3f}")
            assert len(count) == 1 or sum(one.underdetermined for one in found) >= 10
            assert count[number] >= 16
            numbers.append(number)
        assert len(set(numbers)) == 1


def test_shuffled_recordings_have_no_roles():
    """200 shuffles at levels of .05 and .01: as many are called different as should be."""
    rng = np.random.default_rng(1)
    _, table = planted(rng, .5, 60, 120)
    acts = np.repeat(np.tile(np.arange(3), len(table)), table.ravel())
    found = []
    for _ in range(200):
        deal = rng.permutation(acts).reshape(len(table), 60)
        counts = np.stack([(deal == task).sum(axis=1) for task in range(3)], axis=1)
        found.append(find_roles(counts, rng=rng, max_roles=4))
    for level in (.05, .01):
        said = sum(one.pvalue <= level for one in found)
        print(f"level {level}: {said} of 200 shuffles are said to differ")
        low, high = stats.binom(200, level).ppf([.0005, .9995])
        assert low <= said <= high
    roles = sum(one.n_roles > 1 for one in found)
    print(f"roles in {roles} of them")
    assert roles <= stats.binom(200, .05).ppf(.9995)


def test_groups_by_lot_do_not_divide_labour():
    """200 times, at levels of .05 at each tail; and 200 recordings of members that draw from one mix."""
    rng = np.random.default_rng(2)
    _, table = planted(rng, .5, 60, 120)
    groups = [labour_between(table, rng.integers(0, 6, 120), n_resamples=99, rng=rng).nulls["groups"]["between"]
              for _ in range(200)]
    even = [labour_between(rng.multinomial(60, [.5, .3, .2], 120), np.arange(120) % 6, n_resamples=99, rng=rng)
            .nulls["acts"]["total"] for _ in range(200)]
    said = {"groups, above": sum(one.above <= .05 for one in groups),
            "groups, below": sum(one.below <= .05 for one in groups), "acts": sum(one.above <= .05 for one in even)}
    print(said)
    low, high = stats.binom(200, .05).ppf([.0005, .9995])
    assert all(low <= number <= high for number in said.values())


@pytest.mark.parametrize("contrast, acts, counted, least", [
    (.7, 60, 20, .99), (.315, 60, 20, .9), (.245, 60, 20, .8), (.15, 100, 18, .6), (.08, 100, 0, 0)])
def test_planted_roles_under_noise(contrast, acts, counted, least):
    """400 members, 20 recordings: how often three are found, and how well they agree with the planted ones."""
    found, alike = [], []
    for seed in range(20):
        true, table = planted(np.random.default_rng(seed), contrast, acts)
        found.append(find_roles(table, rng=seed))
        alike.append(agreement(true, found[-1].labels) if found[-1].n_roles > 1 else 0.)
    number = Counter(one.n_roles for one in found)
    print(f"own task {(1 + 2 * contrast) / 3:.2f}, {acts} acts: {dict(number)} roles, open in "
          f"{sum(one.underdetermined for one in found)}; adjusted mutual information {min(alike):.3f} to "
          f"{max(alike):.3f}, mean {np.mean(alike):.3f}")
    assert all(one.differ for one in found) and number[3] >= counted
    assert min(alike) >= least if counted else number[1] >= 18


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_methods_agree(seed):
    """Roles by what members do, blocks by who gives whom; and by lot, and blocks of flows dealt out again."""
    world = settled(seed)
    roles, blocks = find_roles(world, rng=1), block_roles(world, rng=1)
    found = roles.agreement(blocks)
    rng = np.random.default_rng(1)
    lots = [agreement(rng.permutation(roles.labels), blocks.labels) for _ in range(99)]
    pairs = pairs_of(reading(world))
    dealt = block_roles(_graph(pairs, rng), blocks.n_blocks, given=True, n_nulls=0, rng=1)
    by_chance = agreement(roles.labels, dealt.labels)
    print(roles, blocks, found, sep="\n")
    print(f"by lot at most {max(lots):.3f}; blocks of flows dealt out again {by_chance:.3f}")
    assert blocks.stands and found.statistic > .6 and found.pvalue < 1e-6
    assert max(lots) < .02 and by_chance < .1


def _graph(pairs, rng):
    """Return flows dealt out again on the same ties, as a graph."""
    import networkx as nx

    graph, amount = nx.DiGraph(), rng.permutation(pairs.amount)
    graph.add_nodes_from(range(len(pairs.uid)))
    for i, j, each in zip(pairs.row.tolist(), pairs.column.tolist(), amount.tolist(), strict=True):
        graph.add_edge(i, j, weight=sum(each), **{f"r{k}": one for k, one in enumerate(each)})
    return graph


def test_blocks_of_many_members():
    """ICL goes as far as it may; blocks that are found again do not."""
    world = settled(1, 1500, side=110)
    roles, blocks = find_roles(world, rng=1), block_roles(world, n_nulls=0, rng=1)
    print(roles, blocks, roles.agreement(blocks), blocks.icl, blocks.strengths, sep="\n")
    assert blocks.capped and 2 < blocks.n_blocks < 8 and "ICL alone would take 8" in str(blocks)
    assert float(roles.agreement(blocks)) > .6


def test_neighbours_take_over():
    """In five worlds the neighbours of a patch that lost a role take it over, whichever role it is."""
    patch = np.flatnonzero((np.arange(256) // 16 < 5) & (np.arange(256) % 16 < 5))
    for seed in range(1, 6):
        world = settled(seed, 2000, side=16)
        roles = find_roles(world, 3, blocks="tasks", rng=1)
        for role in range(3):
            lost = refilling(world, role, patch, roles=roles, ticks=400, rng=1)
            print(f"world {seed}, role {role}: {lost}")
            assert lost.taken_over and abs(lost.elsewhere) < .03


def test_nobody_takes_over_what_was_not_lost():
    """Where a member far away was lost, 120 times: twins drift apart, and as many intervals miss 0 as should."""
    from organism._bootstrap import interval

    world = settled(1, 2000, side=16)
    roles = find_roles(world, 3, blocks="tasks", rng=1)
    patch = np.flatnonzero((np.arange(256) // 16 < 5) & (np.arange(256) % 16 < 5))
    lost = patch[roles.labels[patch] == 0]
    near, above, below, each = _neighbours(world.topology, lost), 0, 0, []
    for repeat in range(120):
        change = []
        for branch in range(8):
            away, twin, _ = _branch(world, np.array([12 * 16 + 12]), roles.cloud, 0, 400, 1000 * repeat + branch)
            change.append(np.nansum((away - twin)[near]) / len(lost))
        low, high = interval(change)
        above, below = above + (low > 0), below + (high < 0)
        each.append(np.mean(change))
    print(f"{above} of 120 intervals lie above 0, {below} below; mean {np.mean(each):+.4f}, sd {np.std(each):.4f}")
    assert max(above, below) <= stats.binom(120, .025).ppf(.9995) and np.std(each) > 0
    assert abs(np.mean(each)) < 4 * np.std(each) / np.sqrt(120)
