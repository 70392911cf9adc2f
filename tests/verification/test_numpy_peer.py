"""The figures that test_prototype.py takes from the NumPy version, measured again with it.

24×24 torus, means over the last 1,000 ticks. A figure written in test_prototype.py
is one that ``benchmarks/peer_numpy.py`` gives to within ±.02.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from test_prototype import FLOORED, TABLE, UNEQUAL, verdict

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from organic import MEMORY  # noqa: E402
from peer_numpy import NumpyPeer  # noqa: E402

pytestmark = pytest.mark.verify

TOLERANCE = 0.02
SETTLED = {
    "perception 2, saturation 1, care .75": {"share_cost": 0.0, "care": 0.75, "saturation": 1.0},
    "share_cost .02, neighbours care .5": {"share_cost": 0.02, "care": 0.5, "kind": "neighbours"},
}


def settled(peer):
    """Welfare, division of labour, the members' mean imports/consumption, and σ(φ)."""
    signs = peer.vital_signs()
    return signs["welfare"], signs["division"], np.mean(peer.trace.sum(0) / peer.consumption), signs["sharing"]


def halves(peer):
    """Flows S→W, W→S and W→W a donor, and welfare of S and W, where S and W differ in name only."""
    gift = peer.trace.sum() * (1 - MEMORY) / peer.welfare.size / 2  # half of the ties lead to either half
    welfare = np.maximum(0, peer.welfare).mean()
    return gift, gift, gift, welfare, welfare


def run(seed, changes, before, figures):
    peer = NumpyPeer(24, 24, rng=seed, **changes)
    peer.step(before)
    rows = []
    for _ in range(20):
        peer.step(50)
        rows.append(figures(peer))
    return np.mean(rows, axis=0)


def over(seeds, **setting):
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(run, **setting), range(1, seeds + 1)))


@pytest.mark.parametrize("name", SETTLED)
def test_settled_worlds(name):
    runs = over(12, changes=SETTLED[name], before=5000, figures=settled)
    verdict(f"NumPy: {name}", TABLE[name][1], runs, TOLERANCE)


@pytest.mark.parametrize("floored", [False, True])
def test_equal_capability(floored):
    changes = {"share_cost": 0.15, "care": 0.75, "kind": "neighbours", "floored": floored}
    expected = (FLOORED if floored else UNEQUAL)["neighbours", 1]
    runs = over(3, changes=changes, before=11000, figures=halves)
    verdict(f"NumPy: neighbours, capability ×1, {'' if floored else 'un'}floored", expected, runs, TOLERANCE)
