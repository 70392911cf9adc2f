"""What became of a card: its runs, findings and report."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from .._designs import key
from .._version import __version__
from ..sweeps import sweep
from .contract import FEWEST, Card, Finding
from .tables import listed, markdown

__all__ = ["Result", "forest", "run_card"]

#: Colours of the verdicts, from Okabe and Ito's palette, and their marks.
COLOURS = {"supports": "#009E73", "contradicts": "#D55E00", "underdetermined": "#777777"}
MARKS = {"supports": "o", "contradicts": "X", "underdetermined": "s"}


@dataclass(frozen=True)
class Result:
    """The result of a card.

    Parameters
    ----------
    card : Card
        What was run.
    frame : pandas.DataFrame
        One row a run: the point's keys, ``replicate``, ``seed`` and the measures.
    failures : pandas.DataFrame
        Runs that failed, with their errors.
    findings : list of Finding
        Answers, the primary one first.
    grid : dict of str to Finding
        The primary question under each change of the robustness grid.
    seconds : float
        Computing time: the sum over all runs, whichever process or session did them.
    """

    card: Card
    frame: object
    failures: object
    findings: list[Finding]
    grid: dict[str, Finding]
    seconds: float

    @property
    def verdict(self) -> str:
        """The card's verdict: that of its primary question."""
        return self.findings[0].verdict

    @property
    def settings(self) -> dict[str, Finding]:
        """The primary question in other settings: of the robustness grid, and of the card's variations."""
        return {finding.question.partition(", ")[2] or finding.question: finding for finding in self.findings
                if finding.question in self.card.variations} | self.grid

    @property
    def cramped(self) -> list[str]:
        """Settings without room: both sides lie within the smallest effect of the same bound of the measure."""
        question = self.card.questions[0]
        return [label for label, finding in self.settings.items() if question.bounds is not None
                and any(all(abs(mean - bound) < question.smallest for mean in finding.means)
                        for bound in question.bounds)]

    @property
    def flips(self) -> list[str]:
        """Settings with room in which the verdict is another one."""
        return [label for label, finding in self.settings.items()
                if finding.verdict != self.verdict and label not in self.cramped]

    @property
    def rival_flips(self) -> list[str]:
        """Settings in which the verdict on the rival is another one."""
        return [finding.question.partition(", ")[2] for finding in self.findings
                if self.rival is not None and finding.question in self.card.rival_variations
                and finding.verdict != self.rival.verdict]

    @property
    def reversals(self) -> list[str]:
        """Settings in which the effect is beyond the smallest of interest, but the other way."""
        question = self.card.questions[0]
        return [label for label, finding in self.settings.items() if question.direction and finding.n >= FEWEST
                and max(finding.low * question.direction, finding.high * question.direction) < -question.smallest]

    @property
    def rival(self) -> Finding | None:
        """The answer to the comparison with the deniers' own alternative, if there is one."""
        return next((finding for finding in self.findings if finding.question == self.card.rival), None)

    def answer(self) -> str:
        """Return the answer in one paragraph."""
        card, finding = self.card, self.findings[0]
        question = card.questions[0]
        ruled = (f"this **{finding.verdict}** the sentence" if finding.verdict != "underdetermined"
                 else "the sentence stays **underdetermined**")
        text = (f"{question.text} {_sentence(finding, question.measure, question.smallest)} By the rule stated "
                f"beforehand {ruled}"
                + (": the interval holds the smallest effect of interest. "
                   if finding.verdict == "underdetermined" and finding.n >= FEWEST else ". "))
        if self.rival is not None and self.rival.n >= FEWEST:
            rival = next(one for one in card.questions if one.name == card.rival)
            text += (f"Against what its deniers would do instead: {rival.text} "
                     f"{_sentence(self.rival, rival.measure, rival.smallest)} By the same rule: "
                     f"**{self.rival.verdict}**"
                     + (f", but another verdict with {listed(self.rival_flips)}. " if self.rival_flips else ". "))
        if self.settings and finding.n >= FEWEST:
            asked = len(self.settings) - len(self.cramped)
            text += (f"The verdict on the first is the same in {asked - len(self.flips)} of {asked} other settings"
                     + (f"; it is another one with {listed(self.flips)}" if self.flips else "")
                     + (f" (the effect is reversed with {listed(self.reversals)})." if self.reversals else ".")
                     + (f" Not counted, for there is no room (both sides are within {card.questions[0].smallest:g} of "
                        f"the end of the scale): {listed(self.cramped)}." if self.cramped else ""))
        return text.rstrip()

    def reading(self) -> str:
        """Return what the answers mean together, by the card's rule; "" where it has none or there are too few runs."""
        if self.findings[0].n < FEWEST:
            return ""
        return self.card.reading({finding.question: finding for finding in self.findings}, self.frame)

    def __str__(self) -> str:
        rows = [f"{self.card.name}: {self.card.sentence}", "", self.answer().replace("**", ""), ""]
        if self.reading():
            rows += [self.reading(), ""]
        width = max(len(finding.question) for finding in self.findings)
        rows += [f"{finding.question:<{width}}  {effect(finding.effect):>7}  {effect(finding.low):>7} … "
                 f"{effect(finding.high):<7}  {finding.verdict}" for finding in self.findings]
        return "\n".join(rows)

    def write(self, folder) -> Path:
        """Write a report that a student can read into a folder, and return its path.

        Files: ``report.md`` (answer, figure, method, robustness, limits), ``figure.png``,
        ``robustness.png``, ``findings.json`` and ``runs.csv.gz``.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.frame.to_csv(folder / "runs.csv.gz", index=False, compression={"method": "gzip", "mtime": 1})
        (folder / "findings.json").write_text(json.dumps(self.record(), indent=2) + "\n", encoding="utf-8")
        self.card.figure(self.frame).savefig(folder / "figure.png", dpi=150, bbox_inches="tight")
        if self.grid:
            from matplotlib.figure import Figure

            figure = Figure(figsize=(6.5, 0.32 * len(self.settings) + 1.5), layout="constrained")
            cramped = self.cramped
            shown = {label + " (no room)" * (label in cramped): one for label, one in self.settings.items()}
            forest({"as it is": self.findings[0], **shown}, figure.subplots(), self.card.questions[0])
            figure.savefig(folder / "robustness.png", dpi=150, bbox_inches="tight")
        (folder / "report.md").write_text(self.report(), encoding="utf-8")
        return folder

    def record(self) -> dict:
        """Return what was found in plain values, as ``findings.json`` holds it."""
        return {"card": self.card.name, "seed": str(self.card.seed), "verdict": self.verdict, "flips": self.flips,
                "settings": len(self.settings) - len(self.cramped), "cramped": self.cramped,
                "rival": self.rival and self.rival.verdict, "rival_flips": self.rival_flips,
                "rival_settings": len(self.card.rival_variations),
                "seconds": round(self.seconds, 1), "runs": len(self.frame), "failed": len(self.failures),
                "sentence": self.card.sentence, "party": self.card.party, "answer": self.answer(),
                "reading": self.reading(), "replicates": self.replicates,
                "primaries": round(0.05 / (1 - self.findings[0].level)),
                "findings": [_record(finding) for finding in self.findings],
                "robustness": {label: _record(finding) for label, finding in self.grid.items()}}

    @classmethod
    def read(cls, card: Card, folder) -> Result:
        """Return the result whose report is in a folder, judged anew from its runs.

        Parameters
        ----------
        card : Card
        folder : path
            As :meth:`write` made it.

        Returns
        -------
        Result

        Raises
        ------
        OSError, ValueError
            If the folder holds no report, or that of another card.
        """
        import pandas as pd

        folder = Path(folder)
        record = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
        if record["card"] != card.name:
            raise ValueError(f"{folder} holds the report of {record['card']}, not of {card.name}")
        frame = pd.read_csv(folder / "runs.csv.gz", engine="python")     # whose numbers come back bit by bit
        return cls(card=card, frame=frame, failures=frame.iloc[:0], findings=card.judge(frame, record["primaries"]),
                   grid=card.judge_grid(frame), seconds=record["seconds"])

    def report(self) -> str:
        """Return the report as Markdown."""
        card = self.card
        texts = {"Held by": card.holders, "Denied by": card.deniers}
        method = {"Predicted": card.prediction, "The opposite": card.opposite, "Null": card.null,
                  "Known beforehand": card.known}
        lines = [f"# {card.sentence}", "", self.answer(), "", *([self.reading(), ""] if self.reading() else []),
                 "![The answer](figure.png)", "", "## The sentence", "",
                 *(f"*{head}:* {text}\n" for head, text in texts.items() if text)]
        if card.definitions:
            lines += ["Its words mean here:", "", *(f"- **{word}**: {meaning}"
                                                    for word, meaning in card.definitions.items()), ""]
        first = self.findings[0].level
        corrected = " (corrected for the number of cards and arms)" if first > 0.9501 else ""
        lines += ["## Method", "", *([card.setting, ""] if card.setting else []),
                  *(f"*{head}:* {text}\n" for head, text in method.items() if text),
                  f"{self.replicates} replicates of each point, paired: replicate r has the same seed at every point. "
                  f"{len(self.frame):,} runs, {len(self.failures)} failed, {self.seconds / 60:,.0f} minutes of "
                  "computing on one core. Intervals are Student's of the mean paired difference, at "
                  f"{100 * first:.4g} % for the first question{corrected} and 95 % uncorrected for the others; those "
                  "of further tables are studentised bootstrap intervals. "
                  "A verdict *supports* if the whole interval lies beyond the smallest effect of interest δ, "
                  "*contradicts* if it lies wholly short of it, and else is *underdetermined*.", "", "## Answers", "",
                  "| question | means | effect | interval | δ | Hedges' g | n | verdict |",
                  "|---|---|---:|---|---:|---:|---:|---|"]
        for question, finding in zip(card.questions, self.findings, strict=True):
            means = " / ".join(effect(value, "") for value in finding.means) if question.control else "a difference"
            lines.append(f"| {question.text} ({question.measure}) | {means} | {effect(finding.effect)} | "
                         f"{effect(finding.low)} … {effect(finding.high)} | {question.smallest:g} | "
                         f"{effect(finding.hedges_g, '', 2)} | {finding.n} | {finding.verdict} |")
        for title, table in card.tables(self.frame).items():
            lines += ["", f"### {title}", "", *markdown(table)]
        if self.grid:
            lines += ["", "## Robustness", "", "The first question asked again, one thing changed at a time "
                      "(secondary: 95 %, uncorrected):", "", "![Robustness](robustness.png)", "",
                      "Verdicts that differ: " + (listed(self.flips) if self.flips else "none") + "."
                      + (f" Effects that are reversed: {listed(self.reversals)}." if self.reversals else "")
                      + (f" No room for an effect: {listed(self.cramped)}." if self.cramped else "")]
        if card.amendments:
            lines += ["", "## Changed after the first full run", "", *(f"- {text}" for text in card.amendments)]
        for head, text in (("Limits", [card.limits]), ("Sources", [f"- {one}" for one in card.references])):
            if any(text):
                lines += ["", f"## {head}", "", *text]
        return "\n".join([*lines, ""])

    @property
    def replicates(self) -> int:
        """Replicates of the best replicated point."""
        return int(self.frame["replicate"].max()) + 1 if len(self.frame) else 0


def effect(value: float | None, sign: str = "+", digits: int = 3) -> str:
    """Return a number as it stands in tables: with its sign, and a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:{sign}.{digits}f}"


def _record(finding: Finding) -> dict:
    """Return a finding in what JSON knows, which has no NaN."""
    def plain(value):
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {name: [plain(v) for v in value] if isinstance(value, tuple) else plain(value)
            for name, value in dataclasses.asdict(finding).items()}


def _sentence(finding: Finding, measure: str, smallest: float) -> str:
    if finding.n < FEWEST:
        return f"There are too few runs to say: {finding.n} pairs, and it takes {FEWEST}."
    name = measure.replace("_", " ")
    return (f"The effect on {name} is {finding.effect:+.2f} (interval {finding.low:+.2f} to {finding.high:+.2f}, "
            f"{finding.n} pairs; smallest effect of interest {smallest:g}).")


def forest(findings, ax, question):
    """Draw findings as a forest plot: effect and interval of each, coloured by verdict.

    Parameters
    ----------
    findings : mapping of str to Finding
    ax : Axes
    question : Question
        Whose measure and smallest effect of interest are shown.

    Returns
    -------
    Axes
    """
    from matplotlib.lines import Line2D

    shown = [(label, finding) for label, finding in findings.items() if finding.n > 1]
    for row, (_, finding) in enumerate(shown):
        colour = COLOURS[finding.verdict]
        ax.plot([finding.low, finding.high], [row, row], color=colour, linewidth=2)
        ax.plot(finding.effect, row, MARKS[finding.verdict], color=colour)
    ax.set_yticks(range(len(shown)), [label for label, _ in shown])
    ax.invert_yaxis()
    ax.axvline(0, color="#333333", linewidth=0.8)
    for value in (question.smallest, -question.smallest) if question.direction == 0 else \
            (question.direction * question.smallest,):
        ax.axvline(value, color="#333333", linewidth=0.8, linestyle=":")
    ax.set_xlabel(f"effect on {question.measure.replace('_', ' ')} (dotted: smallest effect of interest)")
    ax.spines[["top", "right"]].set_visible(False)
    seen = [verdict for verdict in COLOURS if any(finding.verdict == verdict for _, finding in shown)]
    ax.legend(handles=[Line2D([], [], marker=MARKS[verdict], color=COLOURS[verdict], label=verdict)
                       for verdict in seen], frameon=False, fontsize=8, loc="best")
    return ax


def _code(card) -> str | None:
    """Return a fingerprint of the package's version and the modules that define the card: a store keeps runs by it.

    None, which leaves it to the sweep, where a card is defined without a file.
    """
    try:
        texts = [inspect.getsource(sys.modules[kind.__module__]) for kind in type(card).__mro__ if kind is not object]
    except (OSError, TypeError):
        return None
    return key([__version__, *texts])


def run_card(card: Card, *, replicates=None, workers=None, executor=None, store=None, grid=True, progress=True,
             n_cards=1) -> Result:
    """Run a card's design and judge it; see :func:`organism.claims.run`.

    Parameters
    ----------
    card : Card
    replicates : int or None
    workers : int or None
    executor, store
    grid, progress : bool
    n_cards : int
        Number of primary questions that are decided together.

    Returns
    -------
    Result
    """
    if replicates is not None and (isinstance(replicates, bool) or int(replicates) != replicates or replicates < 2):
        raise ValueError(f"replicates must be a whole number of at least 2, not {replicates!r}")
    if not card.questions:
        raise ValueError(f"the card {card.name or type(card).__name__} has no questions")
    found = sweep(card.simulate, vary=card.design(grid), design="list", replicates=int(replicates or card.replicates),
                  rng=card.seed, paired=True, workers=workers, executor=executor, store=store, progress=progress,
                  version=_code(card))
    frame = found.frame
    if not len(frame):
        first = found.failures.iloc[0]
        raise RuntimeError(f"all {len(found.failures)} runs of the card {card.name} failed; the first: "
                           f"{first['error']}: {first['message']} ({first['where']})")
    for measure in dict.fromkeys(question.measure for question in card.questions):
        if measure not in frame:
            raise ValueError(f"card {card.name}: no run returned the measure {measure!r} that a question asks for")
    return Result(card=card, frame=frame, failures=found.failures, findings=card.judge(frame, n_cards),
                  grid=card.judge_grid(frame), seconds=float(found.runs["seconds"].sum()))
