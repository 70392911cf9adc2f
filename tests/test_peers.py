"""The two peers of benchmarks/ compute the kernel's model.

Mesa's and NumPy's agree tick by tick when given the same draws. Both agree
with the kernel statistically: at 12 × 12 members the standard deviation over
seeds of each figure, averaged over the second half of a run, is at most .019
for 300 ticks and .013 for 1000, so that the tolerances are about four standard
errors of the difference of two means.
"""

import random
import sys
from pathlib import Path

import numpy as np
import pytest

import organism as og

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import bench  # noqa: E402
from organic import vital_signs  # noqa: E402
from peer_mesa import MesaPeer  # noqa: E402
from peer_numpy import NumpyPeer  # noqa: E402


class Kernel(og.World):
    def vital_signs(self):
        imports = np.bincount(self.topology.target, self.tie("trace"), self.n_sites)
        state = self.state
        return vital_signs(state["welfare"], state["task_counts"], imports, state["consumption"],
                           state["share_policy"][:, 0])


def kernel(height, width, rng):
    return Kernel(og.Topology.grid((height, width)), og.Params.preset("organic"), rng=rng)


def run(world, ticks, every=25):
    """Vital signs averaged over the second half of a run."""
    seen = []
    for tick in range(1, ticks + 1):
        world.step()
        if tick > ticks // 2 and tick % every == 0:
            seen.append(list(world.vital_signs().values()))
    return np.mean(seen, 0)


def mean_over(make, seeds, ticks):
    return np.mean([run(make(12, 12, rng=seed), ticks) for seed in seeds], 0)


class Tape(random.Random):
    """A random source that plays given draws."""

    def play(self, draws):
        self.tape = iter(draws)

    def random(self):
        return next(self.tape)


def test_mesa_and_numpy_agree_tick_by_tick():
    mesa, arrays = MesaPeer(5, 6, rng=1), NumpyPeer(5, 6, rng=2, dtype=np.float64)
    members = list(mesa.agents)
    arrays.stock[:] = np.transpose([m.stock for m in members])
    arrays.policy[:] = np.transpose([m.policy for m in members], (1, 2, 0))
    mesa.random, draws = Tape(), np.random.default_rng(3)
    for _ in range(60):
        uniform = draws.random((2, 30))
        mesa.random.play(uniform.T.ravel())
        mesa.step()
        arrays.tick(uniform)
    np.testing.assert_allclose([m.stock for m in members], arrays.stock.T, atol=1e-9)
    np.testing.assert_allclose([m.policy for m in members], arrays.policy.transpose(2, 0, 1), atol=1e-9)
    np.testing.assert_allclose([m.share_policy for m in members], arrays.share_policy, atol=1e-9)
    np.testing.assert_allclose([list(m.bond.values()) for m in members], arrays.bond.T, atol=1e-9)
    assert mesa.vital_signs() == pytest.approx(arrays.vital_signs(), abs=1e-9)
    assert arrays.trace.sum() > 0


def test_numpy_peer_agrees_with_the_kernel():
    difference = mean_over(NumpyPeer, range(12), 1000) - mean_over(kernel, range(12), 1000)
    assert np.abs(difference).max() < .02, difference


def test_mesa_peer_agrees_with_the_kernel():
    difference = mean_over(MesaPeer, range(3), 300) - mean_over(kernel, range(12), 300)
    assert np.abs(difference).max() < .05, difference


def test_benchmarks_run(capsys):
    bench.main(["--quick"])
    said = capsys.readouterr().out
    for title in ("Machine", "Speed by size", "Peers", "Cost of each pass", "Memory", "Start", "Promises"):
        assert f"## {title}\n" in said
