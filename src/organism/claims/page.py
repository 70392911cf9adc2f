"""The page of all verdicts, made from the reports of full runs."""

from __future__ import annotations

import json
from pathlib import Path

from .result import effect

__all__ = ["page"]

HEAD = """\
# Claims

Sentences of a debate about alignment, each made an experiment that could come out either way.
A card states its definitions, prediction, smallest effect of interest and rule of decision before its
first full run; this page is made from the reports and holds whatever came of them.

A verdict *supports* a sentence if the whole interval of the effect lies beyond the smallest effect of
interest, *contradicts* it if it lies wholly short of that, and else is *underdetermined*. The intervals
of the first questions are corrected for the number of cards and arms (Bonferroni). "Rival" is the verdict on
the comparison with what the sentence's deniers would do instead. "Organic alignment" says whether both together
speak for or against those who hold that alignment grows; some sentences are theirs, some their critics'. It is
"mixed" where the sentence is supported and its deniers' alternative does as well. Which comparison is the rival
was settled after the first full runs, with the results known; the verdicts rest on the first questions alone.
"Kept" counts the other settings (costs of sharing, parameters, topologies, a real network) in which the verdict is
the same, of those in which there is room for the effect; after a rival's verdict, the costs of sharing in which that
is the same.

"""


def _speaks(record: dict) -> str:
    """Say whether a verdict speaks for or against those who hold that alignment grows."""
    sign = {"supports": 1, "contradicts": -1, "underdetermined": 0}[record["verdict"]]
    if sign == 1 and record["rival"] == "contradicts":
        return "mixed"
    return {0: "open", 1: "for", -1: "against"}[sign * record["party"]]


def _rival(record: dict) -> str:
    """Return the verdict on the rival, and in how many of its other settings it is the same."""
    settings = record["rival_settings"]
    kept = f" ({settings - len(record['rival_flips'])}/{settings})" if settings else ""
    return f"{record['rival']}{kept}" if record["rival"] else "–"


def page(folder) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    folder : path
        Holds one report folder a card, as ``organism claim`` writes them. The page's links
        start with it as it is given.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If the folder holds no report.
    """
    folder = Path(folder)
    found = {path.parent.name: json.loads(path.read_text(encoding="utf-8"))
             for path in sorted(folder.glob("*/findings.json"))}
    if not found:
        raise FileNotFoundError(f"{folder} holds no report; 'organism claim NAME --out {folder}/NAME' writes one")
    lines = [HEAD + "| card | sentence | verdict | rival | organic alignment | effect | interval | kept | runs |",
             "|---|---|---|---|---|---:|---|---:|---:|"]
    for name, record in found.items():
        first, settings = record["findings"][0], record["settings"]
        kept = f"{settings - len(record['flips'])}/{settings}" if settings else "–"
        value, low, high = (effect(first[name], digits=2) for name in ("effect", "low", "high"))
        lines.append(f"| [{record['card']}]({folder.as_posix()}/{name}/report.md) | {record['sentence']} | "
                     f"**{record['verdict']}** | {_rival(record)} | {_speaks(record)} | {value} | "
                     f"{low} … {high} | {kept} | {record['runs']:,} |")
    for name, record in found.items():
        lines += ["", f"## {record['card'].capitalize()}", "", record["sentence"], "", record["answer"], "",
                  *([record["reading"], ""] if record["reading"] else []),
                  f"![{record['card']}]({folder.as_posix()}/{name}/figure.png)", "",
                  "| question | effect | interval | n | verdict |", "|---|---:|---|---:|---|"]
        lines += [f"| {one['question']} | {effect(one['effect'])} | {effect(one['low'])} … {effect(one['high'])} | "
                  f"{one['n']} | {one['verdict']} |" for one in record["findings"]]
    return "\n".join([*lines, ""])
