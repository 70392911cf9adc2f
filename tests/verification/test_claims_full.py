"""Full runs of the claim cards, held to the reports that the page of verdicts is made from."""

import numpy as np
import pytest

from organism import claims

pytestmark = pytest.mark.full


@pytest.mark.parametrize("name", claims.names())
def test_full_run(name, tmp_path):
    result = claims.run(name, workers=2, store=tmp_path / "runs", progress=False)
    print(f"\n{result}\n{result.seconds:.0f} s")
    assert len(result.failures) == 0 and result.seconds < 15 * 60
    recorded = claims.recorded(name)
    assert result.verdict == recorded.verdict
    effects = [finding.effect for finding in recorded.findings]
    np.testing.assert_allclose([finding.effect for finding in result.findings], effects, atol=1e-6)
