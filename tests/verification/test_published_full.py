"""Published results through the public functions: every case in full."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from published import CASES  # noqa: E402
from validate import run  # noqa: E402

pytestmark = pytest.mark.verify


@pytest.mark.parametrize("name", CASES)
def test_full(name):
    report = run(name)
    assert report.holds, "\n".join(str(line) for line in report.lines if not line.holds)
