"""Run the published cases, and write VALIDATION.md.

    python tests/verification/validate.py            # all, and VALIDATION.md with its pictures
    python tests/verification/validate.py contagion  # some of them, printed only
    python tests/verification/validate.py --short    # what the fast tests run, printed only
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from published import CASES  # noqa: E402
from published.report import Report, _told  # noqa: E402

ROOT = Path(__file__).parents[2]
PICTURES = Path("docs", "validation")


def run(name: str, short: bool = False, loud: bool = True) -> Report:
    """Run one case."""
    case = importlib.import_module(f"published.{name}")
    report = Report(name, loud)
    began = time.perf_counter()
    case.check(report, short)
    report.seconds = time.perf_counter() - began
    return report


def _cell(value) -> str:
    told = _told(value)
    if len(told) < 90:
        return told
    parts = told.split(", ")
    return ", ".join([*parts[:4], "…", *parts[-2:]])


def page(reports: list[Report]) -> str:
    """Return VALIDATION.md."""
    import organism

    lines = sum(len(one.lines) for one in reports)
    failed = sum(not line.holds for one in reports for line in one.lines)
    text = ["# Published results, reproduced", "",
            f"{lines} numbers from {len(reports)} cases, {lines - failed} as expected, {failed} not; organism "
            f"{organism.__version__}, {time.strftime('%Y-%m-%d')}, {sum(one.seconds for one in reports):.0f} s. "
            "Written by `python tests/verification/validate.py`; each case is one short script in "
            "[tests/verification/published](tests/verification/published) that uses the public functions only. What "
            "is expected is printed in the source or follows from its rule: by hand, from a formula, or by another "
            "program than this one, as each case says. Few lines are our own; they say so.", "",
            "| case | numbers | verdict | seconds |", "|---|---:|---|---:|"]
    titles = {one.name: importlib.import_module(f"published.{one.name}").__doc__.strip().rstrip(".") for one in reports}
    for one in reports:
        anchor = re.sub(r"[^\w -]", "", titles[one.name].lower()).replace(" ", "-")
        text.append(f"| [{titles[one.name]}](#{anchor}) | {len(one.lines)} | "
                    f"{'as expected' if one.holds else '**not**'} | {one.seconds:.1f} |")
    for one in reports:
        case = importlib.import_module(f"published.{one.name}")
        text += ["", f"## {titles[one.name]}", "", f"**Source.** {case.SOURCE}.", "", f"**Rule.** {case.RULE}", "",
                 f"**Activation.** {case.ACTIVATION}.", "", case.NOTE.strip(), ""]
        if hasattr(case, "draw"):
            text += [f"![{titles[one.name]}]({PICTURES.as_posix()}/{one.name}.png)", ""]
        text += ["| what | expected | measured | tolerance | verdict |", "|---|---|---|---|---|"]
        text += [f"| {line.what} | {_cell(line.expected)} | {_cell(line.measured)} | {line.tolerance} | "
                 f"{'ok' if line.holds else '**NOT**'} |" for line in one.lines]
    return "\n".join(text) + "\n"


def draw(name: str) -> None:
    """Draw the case's picture, if it has one."""
    case = importlib.import_module(f"published.{name}")
    if not hasattr(case, "draw"):
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained", dpi=110)
    case.draw(figure)
    (ROOT / PICTURES).mkdir(parents=True, exist_ok=True)
    figure.savefig(ROOT / PICTURES / f"{name}.png")


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; by default all, and "
                                                                   "VALIDATION.md is written")
    parser.add_argument("--short", action="store_true", help="what the fast tests run")
    asked = parser.parse_args()
    unknown = [name for name in asked.cases if name not in CASES]
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
    reports = []
    for name in asked.cases or CASES:
        print(f"== {name}")
        reports.append(run(name, asked.short))
    if not asked.cases and not asked.short:
        for name in CASES:
            draw(name)
        (ROOT / "VALIDATION.md").write_text(page(reports), encoding="utf-8")
        print("wrote VALIDATION.md")
    failed = [line for one in reports for line in one.lines if not line.holds]
    print(f"{sum(len(one.lines) for one in reports)} numbers, {len(failed)} not as expected, "
          f"{sum(one.seconds for one in reports):.0f} s")
    for line in failed:
        print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
