"""The contract that every claim card inherits, and the rule of decision."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from organism import claims
from organism.__main__ import main
from organism.claims.contract import COSTS, TEXTS, VERDICTS, Question, make_world
from organism.claims.emergence import transition
from organism.claims.page import page
from organism.claims.result import run_card
from organism.claims.tables import ruled
from organism.params import Params

CARDS = claims.names()
NETWORKS = {"les_miserables"}
ROOT = Path(__file__).parents[1]


# -- the rule of decision -----------------------------------------------------------------

@pytest.mark.parametrize("shift, direction, verdict", [
    (0.3, 1, "supports"), (0.0, 1, "contradicts"), (-0.3, 1, "contradicts"), (0.1, 1, "underdetermined"),
    (-0.3, -1, "supports"), (0.3, -1, "contradicts"), (-0.1, -1, "underdetermined"),
    (0.0, 0, "supports"), (0.3, 0, "contradicts"), (-0.3, 0, "contradicts"), (0.1, 0, "underdetermined"),
])
def test_the_rule(shift, direction, verdict):
    differences = shift + 0.02 * np.random.default_rng(1).standard_normal(20)
    finding = claims.decide(differences, smallest=0.1, direction=direction)
    assert finding.verdict == verdict and finding.low < finding.effect < finding.high and finding.n == 20


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        finding = claims.decide(rng.normal(0.2, 0.1, 20), smallest=0.1)
        held += finding.low <= 0.2 <= finding.high
    assert 178 <= held <= 199               # 95 % of 200, within 4 sigma, and not all


def test_too_few_or_equal_replicates():
    assert claims.decide([0.5], smallest=0.1).verdict == "underdetermined"
    assert claims.decide([], smallest=0.1).verdict == "underdetermined"
    assert claims.decide([0.5, np.nan], smallest=0.1).n == 1
    assert claims.decide([0.5, 0.6, 0.55, 0.52], smallest=0.1).verdict == "underdetermined"     # too few to be sure
    same = claims.decide([0.5] * 5, smallest=0.1)
    assert same.verdict == "supports" and same.low == same.high == 0.5


@pytest.mark.parametrize("call, words", [
    (lambda: claims.decide([1, 2], smallest=0), "smallest must be above 0"),
    (lambda: claims.decide([1, np.inf], smallest=1), "finite"),
    (lambda: claims.decide([1, 2], smallest=1, level=95), r"level must be in \(0, 1\), not 95"),
    (lambda: claims.card("emergance"), "did you mean 'emergence'"),
    (lambda: claims.run("order", replicates=1), "replicates must be a whole number of at least 2"),
    (lambda: make_world({"topology": "moebius"}, np.random.default_rng(0)), "topology must be torus"),
    (lambda: Question(name="q", text="", treatment={}, control={}, measure="m", smallest=-1), "above 0, not -1"),
])
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# -- every card ----------------------------------------------------------------------------

@pytest.fixture(scope="module", params=CARDS)
def result(request):
    return run_card(claims.card(request.param).miniature(), progress=False, n_cards=len(CARDS))


@pytest.mark.parametrize("name", CARDS)
def test_a_card_says_what_it_must(name):
    card = claims.card(name)
    assert card.name == name
    for text in TEXTS:
        assert getattr(card, text), f"{name} has no {text}"
    assert all(any(char.isdigit() for char in reference) for reference in card.references)     # a year
    asked = [question.name for question in card.questions]
    assert len(set(asked)) == len(asked) and card.replicates >= 20


@pytest.mark.parametrize("name", CARDS)
def test_every_question_compares_what_the_design_has(name):
    card = claims.card(name)
    for question in card.questions:
        for condition in (question.treatment, question.control):
            if condition:
                card._point(condition)      # one point, or an error
    assert {point["exchange.share_cost"] for point in card.points()} == set(COSTS)


@pytest.mark.parametrize("name", CARDS)
def test_the_robustness_grid_moves_four_parameters_both_ways(name):
    card, default = claims.card(name), Params.preset("organic")
    ways = {}
    for change in card.robustness.values():
        for key, value in change.items():
            if key in Params.names():
                ways.setdefault(key, set()).add(bool(value > default[key]))
    assert sum(len(both) == 2 for both in ways.values()) >= 4
    topologies = {change["topology"] for change in card.robustness.values() if "topology" in change}
    assert len(topologies - NETWORKS) >= 2 and topologies & NETWORKS


def test_seeds_come_from_the_names():
    assert claims.card("emergence").seed == claims.card("emergence").seed != claims.card("order").seed


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_card_can_return_every_verdict(name, verdict):
    card = claims.card(name)
    question = card.questions[0]
    size, sign = question.smallest, question.direction or 1
    shift = {"supports": 3 * size, "contradicts": -size, "underdetermined": size}[verdict] * sign
    if question.direction == 0:
        shift = {"supports": 0, "contradicts": 3 * size, "underdetermined": size}[verdict]
    rng, rows = np.random.default_rng(3), []
    for replicate in range(20):
        base = rng.normal(0.5, 0.1) if question.control else 0
        for condition, add in ((question.treatment, shift), (question.control, 0)):
            if condition:
                rows.append({**card._point(condition), "replicate": replicate,
                             question.measure: base + add + 0.1 * size * rng.standard_normal()})
    findings = card.judge(pd.DataFrame(rows), n_cards=len(CARDS))
    assert findings[0].verdict == verdict
    assert findings[0].level == pytest.approx(1 - 0.05 / len(CARDS))
    assert all(finding.verdict in VERDICTS for finding in findings)


@pytest.mark.parametrize("name", CARDS)
def test_every_pattern_of_answers_has_a_reading(name):
    card, rng, texts = claims.card(name), np.random.default_rng(4), set()
    frame = claims.recorded(name).frame
    for trial in range(60):
        ruled = [VERDICTS[i] for i in (rng.integers(0, 3, len(card.questions)) if trial > 2
                                       else [trial] * len(card.questions))]
        findings = {question.name: claims.Finding(question=question.name, effect=0.0, low=-1.0, high=-0.5, hedges_g=0.0,
                                                  n=20, level=0.95, verdict=verdict)
                    for question, verdict in zip(card.questions, ruled, strict=True)}
        texts.add(card.reading(findings, frame))
    assert "" not in texts and len(texts) > 5      # it depends on what was found


@pytest.mark.parametrize("name", CARDS)
def test_what_stays_open_is_not_read_as_a_no(name):
    card = claims.card(name)
    findings = {question.name: claims.Finding(question=question.name, effect=0.0, low=-1.0, high=1.0, hedges_g=0.0,
                                              n=20, level=0.95, verdict="underdetermined")
                for question in card.questions}
    said = card.reading(findings, claims.recorded(name).frame)
    assert "open" in said
    assert not any(word in said for word in ("do not", "does not", " no ", "nobody", "not held", "not worse"))


def test_clauses_of_a_reading():
    words = "it holds for {}", "not for {}", "open for {}"
    assert ruled({"a": "supports", "b": "contradicts", "c": "supports"}, *words) == "It holds for a and c; not for b."
    assert ruled({"a": "underdetermined"}, *words) == "Open for a."


def test_where_welfare_rises():
    assert transition((0, 0.5, 1), (0.2, 0.2, 0.8)) == pytest.approx(0.75)
    assert np.isnan(transition((0, 1), (0.5, 0.6))) and transition((0, 1), (0.9, 0.1)) == 0


def test_a_card_replays_from_its_seed(result):
    card = result.card
    point = card.design(grid=False)[0]
    again = card.simulate(point, np.random.default_rng(5))
    assert again == card.simulate(point, np.random.default_rng(5))
    assert again != card.simulate(point, np.random.default_rng(6))


def test_a_card_in_miniature(result, tmp_path):
    card = result.card
    assert len(result.failures) == 0 and len(result.frame) == 3 * len(card.design())
    for question, finding in zip(card.questions, result.findings, strict=True):
        assert finding.question == question.name and finding.n == 3 and np.isfinite(finding.effect)
    assert set(result.grid) == set(card.robustness)
    assert all(finding.n == 3 for finding in result.grid.values())
    folder = result.write(tmp_path / card.name)
    report = (folder / "report.md").read_text()
    assert card.sentence in report and card.limits in report and "3 replicates" in report
    for title, table in card.tables(result.frame).items():
        assert f"### {title}" in report and len(table)
    assert json.loads((folder / "findings.json").read_text())["verdict"] == result.verdict
    assert (folder / "figure.png").read_bytes()[:4] == (folder / "robustness.png").read_bytes()[:4] == b"\x89PNG"
    again = claims.Result.read(card, folder)
    assert len(again.frame) == len(result.frame) and repr(again.findings) == repr(result.findings)
    assert repr(again.grid) == repr(result.grid)
    with pytest.raises(ValueError, match=f"holds the report of {card.name}, not of emergence, evolution"):
        claims.Result.read(claims.card("emergence", "evolution"), folder)
    assert result.answer().replace("**", "") in str(result)


# -- the full runs that come with the package ------------------------------------------------

@pytest.mark.parametrize("name, arm", [*((name, None) for name in CARDS), ("emergence", "evolution")])
def test_a_recorded_run_is_that_of_this_card(name, arm):
    """Its report is what the card, as it is now, makes of its runs; and nothing of the design is missing."""
    result = claims.recorded(name, arm)
    folder = claims.REPORTS / (name if arm is None else f"{name}-{arm}")
    record = json.loads((folder / "findings.json").read_text())
    assert (folder / "report.md").read_text() == result.report()
    assert rounded(record) == rounded(json.loads(json.dumps(result.record())))
    assert len(result.frame) == len(result.card.design()) * result.card.replicates and record["failed"] == 0


@pytest.mark.parametrize("name", CARDS)
def test_a_recorded_run_replays(name):
    """The card, as it is, gives for one of the recorded runs what is recorded."""
    result, rng = claims.recorded(name), np.random.default_rng()
    points, replicates = result.card.design(), result.card.replicates
    i, r = int(rng.integers(len(points))), int(rng.integers(replicates))
    row = result.frame.iloc[i * replicates + r]
    found = result.card.simulate(points[i], np.random.default_rng(int(row["seed"])))
    assert row["replicate"] == r
    for measure, value in found.items():
        assert float(row[measure]) == pytest.approx(float(value), rel=1e-9, abs=1e-12), (points[i], r, measure)


def rounded(record):
    """Return a record with numbers of six digits, which no version of a library changes."""
    if isinstance(record, dict):
        return {name: rounded(value) for name, value in record.items()}
    if isinstance(record, list):
        return [rounded(value) for value in record]
    return round(record, 6) if isinstance(record, float) else record


def test_the_page_is_that_of_the_recorded_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert Path("CLAIMS.md").read_text() == page(Path("src/organism/claims/full-runs"))


# -- a card of one's own -----------------------------------------------------------------

class Coin(claims.Card):
    """Is a coin fair?"""

    name = "coin"
    sentence = "A coin falls on its head more often than not."
    questions = (Question(name="head", text="Does it?", treatment={}, control={}, measure="head", smallest=0.1),)
    robustness = {}
    replicates = 12

    def points(self):
        return [{"bias": 0.5}]

    @staticmethod
    def simulate(point, rng):
        return {"head": float(rng.random() < point["bias"]) - 0.5}


def test_a_card_of_ones_own(tmp_path):
    result = claims.run(Coin(), progress=False)
    assert result.findings[0].n == 12 and result.findings[0].level == 0.95
    report = (result.write(tmp_path / "coin") / "report.md").read_text()
    assert "at 95 % for the first question and 95 % uncorrected" in report and "*Held by:*" not in report
    assert (tmp_path / "coin" / "figure.png").stat().st_size > 0

    class Silent(Coin):
        @staticmethod
        def simulate(point, rng):
            return {"tail": 1.0}

    with pytest.raises(ValueError, match="card coin: no run returned the measure 'head'"):
        claims.run(Silent(), progress=False)

    class Broken(Coin):
        @staticmethod
        def simulate(point, rng):
            raise OSError("the coin is gone")

    with pytest.raises(RuntimeError, match="all 12 runs of the card coin failed; the first: OSError: the coin is gone"):
        claims.run(Broken(), progress=False)

    class Empty(Coin):
        questions = ()

    with pytest.raises(ValueError, match="the card coin has no questions"):
        claims.run(Empty(), progress=False)
    with pytest.raises(ValueError, match="arm must be None"):
        claims.run(Coin(), arm="evolution")


def test_a_card_that_was_edited_runs_anew(tmp_path, monkeypatch):
    """Its store knows the runs of the file as it was; what a helper in that file does is part of the card."""
    text = """
from organism.claims import Card, Question

def toss(rng):
    return {value}

class Tossed(Card):
    name = "tossed"
    sentence = "A tossed coin falls on its head."
    questions = (Question(name="head", text="Does it?", treatment={{}}, control={{}}, measure="head", smallest=0.1),)
    robustness = {{}}
    replicates = 3

    def points(self):
        return [{{}}]

    @staticmethod
    def simulate(point, rng):
        return {{"head": toss(rng)}}
"""
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    for i, value in enumerate(("rng.random()", "1.0 + rng.random()")):
        for name in ("tossed", "tossed_again"):  # the second name is the edited file, imported anew
            (tmp_path / f"{name}{i}.py").write_text(text.format(value=value))
            module = importlib.import_module(f"{name}{i}")
            module.Tossed.__module__ = "cards_of_mine"
            monkeypatch.setitem(sys.modules, "cards_of_mine", module)
            result = claims.run(module.Tossed(), store=tmp_path / "store", progress=False)
            seen.append(result.frame["head"].tolist())
    assert seen[0] == seen[1] and seen[2] == seen[3] and min(seen[2]) >= 1 > max(seen[0])


# -- the command line ----------------------------------------------------------------------

def test_the_list_of_claims(capsys):
    assert main(["claims"]) == 0
    out = capsys.readouterr().out
    for name in CARDS:
        assert name in out and claims.card(name).sentence.split(",")[0][:30] in out


def test_a_claim_from_the_command_line(tmp_path, capsys):
    folder = tmp_path / "report"
    assert main(["claim", "order", "--miniature", "--out", str(folder), "--quiet"]) == 0
    assert (folder / "report.md").exists()
    assert main(["claim", "order", "--miniature", "--out", str(folder), "--quiet"]) == 2
    assert "nothing in it is overwritten" in capsys.readouterr().err
    assert main(["claims", "--page", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# Claims") and "| [order](" in out
    assert "**underdetermined** | underdetermined (3/3) | open |" in out
    assert main(["claims", "--page", str(folder)]) == 2
    assert "holds no report" in capsys.readouterr().err
    assert main(["claim", "ordre"]) == 2
    assert "did you mean 'order'" in capsys.readouterr().err
