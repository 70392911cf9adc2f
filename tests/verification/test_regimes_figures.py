"""The regimes against the prototype's figures: who copes with which shift. Gaps, not second decimals.

24×24 torus, supply 1.4/.7/.7 in random order at each site, share_cost 0, interdependence care .75,
perception 2; 5,000 ticks, then a shift, then 5,000 more. Welfare before, over the first 1,000
ticks after the shift, and over the last 1,000; means of three seeds, printed beside the prototype's.
"""

import numpy as np
import pytest

import organism as og
from organism.regimes import Corrigible, Endorsed, Frozen, Organic, Specified

pytestmark = pytest.mark.verify

SEEDS = (1, 2, 3)
B4 = Corrigible(view=4, delay=10)
ARMS = {
    "frozen": Frozen(), "organic": Organic(), "corrigible": B4, "told": Corrigible(view=4, delay=10, told=True),
    "B16": Corrigible(view=16, delay=10), "error .3": Corrigible(view=4, delay=10, error=0.3),
    "endorsed": Endorsed(operator=B4), "endorsed error .3": Endorsed(operator=Corrigible(view=4, delay=10, error=0.3)),
    "specified": Specified(care=True),
}
SHIFTS = {
    "none": lambda w: None,
    "permuted": lambda w: w.do(og.intervene.permute_supply(5)),
    "scarce": lambda w: w.do(og.intervene.scale("supply", [0.5, 1, 1])),
    "harmful": lambda w: w.update(**{"metabolism.harmful": (2,)}),
}
#: What the prototype gave: 0–1,000 and 4,000–5,000 ticks after the shift.
PROTOTYPE = {
    "frozen": {"none": (.99, .99), "permuted": (.82, .82), "scarce": (.76, .75), "harmful": (.01, .01)},
    "organic": {"none": (.99, .99), "permuted": (.86, .95), "scarce": (.83, .92), "harmful": (.26, .88)},
    "corrigible": {"none": (.98, .98), "permuted": (.97, .97), "scarce": (.80, .78), "harmful": (.01, .01)},
    "told": {"harmful": (.99, 1.00)},
    "B16": {"none": (.92, .92), "permuted": (.93, .93), "scarce": (.75, .74), "harmful": (.04, .04)},
    "error .3": {"none": (.90, .90), "permuted": (.88, .87), "scarce": (.55, .50), "harmful": (.05, .05)},
}


@pytest.fixture(scope="module")
def figures():
    """Welfare soon and long after each shift, by arm."""
    found = {}
    for arm, regime in ARMS.items():
        rows = []
        for seed in SEEDS:
            supply = np.random.default_rng(seed).permuted(np.tile([1.4, .7, .7], (576, 1)), axis=1)
            params = og.Params().replace(**{"exchange.share_cost": 0.0})
            world = og.World(og.Topology.grid((24, 24)), params, rng=seed, columns={"supply": supply})
            if arm == "frozen":                     # a policy fixed at the end of training
                world.step(5000)
                world.govern(regime)
            else:
                world.govern(regime)
                world.step(5000)
            rows.append([])
            for shift in SHIFTS.values():
                twin = world.fork()
                shift(twin)
                course = twin.record({"welfare": og.measures.welfare}, every=100)
                twin.step(5000)
                welfare = np.array(course["welfare"][1:])
                rows[-1].append((welfare[:10].mean(), welfare[-10:].mean()))
        found[arm] = dict(zip(SHIFTS, np.mean(rows, axis=0).tolist(), strict=True))
        for shift, (soon, late) in found[arm].items():
            known = PROTOTYPE.get(arm, {}).get(shift)
            print(f"{arm:18} {shift:9} {soon:.2f} {late:.2f}  prototype "
                  + (f"{known[0]:.2f} {known[1]:.2f}" if known else "–"))
    return found


def test_a_competent_operator_beats_organic_after_a_permuted_supply(figures):
    assert figures["corrigible"]["permuted"][0] > figures["organic"]["permuted"][0] + .03


def test_organic_beats_an_operator_and_frozen_under_scarcity(figures):
    for arm in ("corrigible", "frozen"):
        assert figures["organic"]["scarce"][1] > figures[arm]["scarce"][1] + .08


def test_a_good_turned_harmful_only_learners_and_those_told_survive(figures):
    late = {arm: shifts["harmful"][1] for arm, shifts in figures.items()}
    assert late["organic"] > .8 and late["told"] > .95
    assert max(late["frozen"], late["corrigible"], late["B16"], late["error .3"]) < .15


def test_errors_and_a_wide_view_cost_welfare(figures):
    for arm in ("B16", "error .3"):
        assert figures[arm]["none"][1] < figures["corrigible"]["none"][1] - .02


def test_endorsement_rescues_those_with_a_bad_operator(figures):
    assert figures["endorsed error .3"]["scarce"][1] > figures["error .3"]["scarce"][1] + .2
    assert figures["endorsed"]["harmful"][1] > figures["corrigible"]["harmful"][1] + .5


@pytest.mark.parametrize("arm", PROTOTYPE)
def test_within_reach_of_the_prototype(figures, arm):
    """The prototype put a harm outside the mean and floored welfare: hence the wide tolerance."""
    for shift, known in PROTOTYPE[arm].items():
        assert np.abs(np.subtract(figures[arm][shift], known)).max() < .15, (shift, figures[arm][shift], known)
