"""Full runs of the claim cards, held to the recorded ones that the page of verdicts is made from.

The evolution arm takes half an hour on two cores. With ORGANISM_CLAIM_STORE set to a folder finished
runs are kept there, and an interrupted tier goes on where it stopped.
"""

import os

import numpy as np
import pytest

from organism import claims

pytestmark = pytest.mark.full


@pytest.mark.parametrize("name, arm, limit", [*((name, None, 15 * 60) for name in claims.names()),
                                              ("emergence", "evolution", 3 * 3600)])
def test_full_run(name, arm, limit, tmp_path):
    store = os.environ.get("ORGANISM_CLAIM_STORE")
    result = claims.run(name, arm=arm, workers=2, progress=False,
                        store=tmp_path / "runs" if store is None else os.path.join(store, f"{name}-{arm}"))
    print(f"\n{result}\n{len(result.frame):,} runs, {result.seconds:.0f} s on one core")
    assert len(result.failures) == 0 and result.seconds < 2 * limit         # on two cores
    recorded = claims.recorded(name, arm)
    assert result.verdict == recorded.verdict
    effects = [finding.effect for finding in recorded.findings]
    np.testing.assert_allclose([finding.effect for finding in result.findings], effects, atol=1e-6)
