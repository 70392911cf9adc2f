"""Full runs of the claim cards, held to the reports that the page of verdicts is made from."""

import json
from pathlib import Path

import numpy as np
import pytest

from organism import claims

pytestmark = pytest.mark.full

REPORTS = Path(__file__).parents[2] / "claims"


@pytest.mark.parametrize("name", claims.names())
def test_full_run(name, tmp_path):
    result = claims.run(name, workers=2, store=tmp_path / "runs", progress=False)
    print(f"\n{result}\n{result.seconds:.0f} s")
    assert len(result.failures) == 0 and result.seconds < 15 * 60
    assert (REPORTS / name / "findings.json").exists(), f"there is no report of {name} in {REPORTS} to hold it to"
    recorded = json.loads((REPORTS / name / "findings.json").read_text())
    assert result.verdict == recorded["verdict"]
    effects = [finding["effect"] for finding in recorded["findings"]]
    np.testing.assert_allclose([finding.effect for finding in result.findings], effects, atol=1e-6)
