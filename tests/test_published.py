"""Published results through the public functions: the short form of every case (all: ``pytest -m verify``)."""

import importlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "verification"))

from published import CASES  # noqa: E402
from published.report import Report  # noqa: E402
from validate import main, page, run  # noqa: E402


@pytest.mark.parametrize("name", CASES)
def test_short(name):
    report = run(name, short=True)
    assert report.holds, "\n".join(str(line) for line in report.lines if not line.holds)


def test_a_wrong_number_is_told():
    report = Report("division_of_labour", loud=False)
    report.seconds = 0.0
    report.near("near", 1.0, 1.2, .1)
    report.same("same", [1, 2], [1, 3])
    report.share("share", 60, 100, .3)
    assert not report.holds and [line.holds for line in report.lines] == [False] * 3
    assert page([report]).count("**NOT**") == 3 and "| **not** |" in page([report])
    assert not Report("empty").holds


def test_the_page_is_of_these_cases():
    """VALIDATION.md has every case, and nothing in it that failed."""
    root = Path(__file__).parents[1]
    if not (root / "VALIDATION.md").exists():
        pytest.skip("VALIDATION.md is not installed with the package")
    text = (root / "VALIDATION.md").read_text(encoding="utf-8")
    for name in CASES:
        case = importlib.import_module(f"published.{name}")
        assert f"## {case.__doc__.strip().rstrip('.')}\n" in text and case.NOTE.strip() in text
        if hasattr(case, "draw"):
            assert f"(docs/validation/{name}.png)" in text and (root / "docs/validation" / f"{name}.png").exists()
    assert "**NOT**" not in text and text.count("| as expected |") == len(CASES)


def test_an_unknown_case_is_told(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["validate.py", "contagoin"])
    with pytest.raises(SystemExit):
        main()
    assert "there is no case 'contagoin'" in capsys.readouterr().err
