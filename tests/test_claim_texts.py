"""Readings of the cards: full sentences, whatever was found, and clauses that follow the runs either way."""

import re

import numpy as np
import pytest

from organism import claims
from organism.claims import evolution
from organism.claims.contract import COSTS, VERDICTS

COST = "exchange.share_cost"
ALL = [*((name, None) for name in claims.names()), ("emergence", "evolution")]
#: The finite verbs of the readings. Of a clause whose only verb is cut off, "care of kin does not", none is left.
VERBS = ("is are was were has have had do does did can may must would will fall falls give gives remain remains stop "
         "stops stay stays hold holds fail fails grow grows start starts keep keeps matter matters free frees evolve "
         "evolves end ends change changes move moves favour favours lead leads fare fares differ differs feel feels "
         "shrink shrinks take takes come comes rise rises make makes cost costs beat beats lose loses need needs show "
         "shows say says speak speaks bring brings depend depends follow follows reach reaches "
         "reached rescue rescues").split()
#: An auxiliary at the end of a clause, with or without "not", stands for a verb that was said elsewhere.
CUT = re.compile(r"\b(is|are|was|were|has|have|do|does|did|can|may|must|would|will|not)\s*(?=[,;:.]( |$))")


@pytest.fixture(scope="module")
def runs():
    """Return the recorded runs of every card and arm."""
    return {of: claims.recorded(*of).frame for of in ALL}


def faults(text):
    """Return what keeps a text from being full sentences."""
    found = [part for part in ("  ", "..", " ,", ",,", "{", "}", ", and does", " . ") if part in text]
    found += re.findall(r"\b(?:nan|inf|None)\b", text)
    if not text or text != text.strip() or not text.endswith("."):
        found.append("its ends")
    for sentence in re.split(r"(?<=\.) (?=[^\d.])", text):
        if not sentence[:1].isupper():
            found.append(f"no capital: {sentence}")
        for clause in sentence.split("; "):
            whole = CUT.sub("", clause)
            if not any(re.search(rf"\b{verb}\b", whole) for verb in VERBS) or re.search(r"\bnot\s*\.?$", clause):
                found.append(f"no verb: {clause}")
    return found


def reading(of, frame, **replaced):
    """Return what a card or arm reads from a frame, with the findings that frame gives."""
    card = claims.card(*of)
    findings = {finding.question: finding for finding in card.judge(frame)}
    return card.reading(findings | replaced, frame)


def answers(card, verdicts, rng):
    """Return findings of these verdicts, one a question, with intervals drawn by rng on either side of the marks."""
    found = {}
    for question, verdict in zip(card.questions, verdicts, strict=True):
        low, high = np.sort(rng.uniform(-1, 1, 2))
        found[question.name] = claims.Finding(question=question.name, effect=(low + high) / 2, low=low, high=high,
                                              hedges_g=0.0, n=20, level=0.95, verdict=verdict)
    return found


# -- full sentences --------------------------------------------------------------------------

@pytest.mark.parametrize("text", [
    "Care of neighbours (local) and kin (global) does not.", "care falls.", "Care falls", "Care  falls.",
    "It holds for a; not for b.", "Care of {} falls.", "Of the twin's flow nan % remains.", "Care of kin.", "",
    "It falls. it rises.", "Care of kin evolves; care of neighbours does not.", "It is not.",
    "Care of kin (local), and kin (global), and does not."])
def test_what_is_no_full_sentence_is_found(text):
    assert faults(text)


def test_what_is_a_full_sentence_is_let_through():
    assert not faults("It falls under care of kin by .1; it does not fall for whole. Whether it stays is open.")


@pytest.mark.parametrize("of", ALL, ids=str)
def test_the_recorded_reading_is_full_sentences(of, runs):
    assert faults(reading(of, runs[of])) == []
    assert reading(of, runs[of]) == claims.recorded(*of).reading()


@pytest.mark.parametrize("of", ALL, ids=str)
def test_readings_are_full_sentences_whatever_was_found(of, runs):
    card, rng, texts = claims.card(*of), np.random.default_rng(1), set()
    for trial in range(60):
        verdicts = [VERDICTS[i] for i in rng.integers(0, 3, len(card.questions))]
        if trial < 3:
            verdicts = [VERDICTS[trial]] * len(card.questions)
        texts.add(text := card.reading(answers(card, verdicts, rng), runs[of]))
        assert faults(text) == [], text
    assert len(texts) > 30


# -- exit: every clause either way -----------------------------------------------------------

EXIT = ("exit", None)
USUAL = {"kind": "interdependence", "power": 5.0, "way": "step", "bonds": True}


def changed(frame, point, **measures):
    """Return a copy of a frame whose runs at a point have other measures: a number, or a function of the runs."""
    frame = frame.copy()
    rows = np.all([frame[key] == value for key, value in point.items()], axis=0)
    assert rows.any()
    for measure, value in measures.items():
        name = measure.replace("_", " ")
        frame.loc[rows, name] = value(frame.loc[rows]) if callable(value) else value
    return frame


def test_exit_as_it_was_recorded(runs):
    """What remains differs between the costs of sharing; care of the whole has nothing to fall; the null fails."""
    frame = runs[EXIT]
    found = {finding.question: finding for finding in claims.card("exit").judge(frame)}
    for cost in COSTS:
        here = frame[frame["variation"].isna()]
        here = here[np.all([here[key] == value for key, value in {**USUAL, COST: cost}.items()], axis=0)]
        asked = found["stops" if cost == 0.02 else f"stops, share_cost {cost:g}"]
        assert asked.n == 20
        assert asked.effect == pytest.approx((here["net flow"] - here["twin net flow"] / 2).mean())
        assert f"{here['net flow'].mean() / here['twin net flow'].mean():.0%}" in reading(EXIT, frame)
    assert found["exit, whole"].n == found["all flow, whole"].n == 0 < found["weak worse off, whole"].n
    assert found["exit"].n == found["exit, kin"].n == 20
    assert "Under care of whole there is nothing to fall" in reading(EXIT, frame)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("left, said", [(0.1, "interdependence stop"), (0.9, "interdependence do not stop"),
                                        (0.48, "interdependence stop stays open")])
def test_whether_they_stop_is_said_of_each_cost(runs, cost, left, said):
    rng = np.random.default_rng(2)
    frame = changed(runs[EXIT], {**USUAL, COST: cost}, twin_net_flow=1.0,
                    net_flow=lambda rows: left + rng.normal(0, 0.01, len(rows)),
                    net_flow_beyond_half=lambda rows: left - 0.5 + rng.normal(0, 0.01, len(rows)))
    text = reading(EXIT, frame)
    clause = next(clause for clause in re.split(r"; |(?<=\.) ", text)
                  if re.search(said + "(,| at)", clause))
    assert re.search(rf"\b{cost:g}\b(?!\.\d)", clause.partition("share_cost")[2]) and not faults(text)


def test_a_fall_is_asked_where_there_is_something_to_fall(runs):
    whole = {**USUAL, "kind": "whole", COST: 0.02}
    more = changed(runs[EXIT], whole, twin_net_flow=0.7, twin_strong_to_weak=0.8,
                   change_of_net_flow=lambda rows: rows["net flow"] - 0.7,
                   change_of_flow=lambda rows: rows["strong to weak"] - 0.8)
    text = reading(EXIT, more)
    assert "nothing to fall" not in text and not faults(text)
    assert "Net of the floor, flow to the weak falls under care of neighbours, interdependence and whole" in text
    card = claims.card("exit")
    assert {finding.question: finding.n for finding in card.judge(more)}["exit, whole"] == 20
    none = runs[EXIT].assign(**{"twin net flow": 0.09, "twin strong to weak": 0.09})
    text = reading(EXIT, none)
    assert not faults(text) and text.count("nothing to fall") == 8 and "net flow falls under" not in text
    assert "twin's net flow beyond" not in text and "% remains" not in text
    found = {finding.question: finding for finding in card.judge(none)}
    assert found["exit"].n == found["all flow, kin"].n == 0 < found["stops"].n    # of .045 there is .02 to lose
    cells = card.tables(runs[EXIT])["What there is to fall, and how it changes, at m = 5 (goods a tick and strong "
                                    "member)"].set_index("kind")["change of net flow"]
    assert set(cells[cells == "nothing to fall"].index) == {"self", "whole"}


@pytest.mark.parametrize("flow, clause", [(0.0, "floor's only, holds at share_cost 0, 0.02, 0.05 and 0.15"),
                                          (0.3, "floor's only, fails at share_cost 0, 0.02, 0.05 and 0.15"),
                                          (None, "floor's only stays open at share_cost 0, 0.02, 0.05 and 0.15")])
def test_the_null_of_the_selfish_holds_or_fails(runs, flow, clause):
    rng = np.random.default_rng(3)
    frame = changed(runs[EXIT], {"kind": "self"},
                    net_flow=lambda rows: flow if flow is not None else rng.choice([-0.1, 0.15], len(rows)))
    text = reading(EXIT, frame)
    assert clause in text and text.count("floor's only") == 1 and not faults(text)


@pytest.mark.parametrize("own, sentence", [(0.06, "net flow falls too."), (-0.3, "net flow does not fall."),
                                           (-0.11, "Whether their net flow falls against its change")])
def test_the_fall_beyond_the_selfish(runs, own, sentence):
    frame = changed(runs[EXIT], {**USUAL, "kind": "self", COST: 0.02}, change_of_net_flow=own)
    text = reading(EXIT, frame)
    assert sentence in text and not faults(text)


# -- evolution: every clause either way --------------------------------------------------------

EVOLUTION = ("emergence", "evolution")


def evolved(frame, care, noise=0.001, last=0.0):
    """Return the runs of a frame with the neutral trait at .4, all care at `care`, and a rise of `last` at the end."""
    frame = frame.copy()
    odd, second = frame["replicate"] % 2, frame["replicate"] % 4 // 2      # each ±1 as often, so that means are exact
    frame["care"] = np.where(frame["kind"] == "self", 0.4, care)
    frame["care"] += noise * (1 - 2 * np.where(frame["dispersal"] == "local", odd, second))
    frame[f"care {evolution.READINGS * 3 // 4}"] = frame["care"] - last - noise * (1 - 2 * (odd != second))
    return frame


@pytest.mark.parametrize("care, here, absent", [
    (0.7, ("evolves beyond", "is not held more", "ends above the 0.05"), ("selection works", "selected away;")),
    (0.4, ("does not evolve", "is not held more", "ends above the 0.05"), ("selection works",)),
    (0.2, ("does not evolve", "selection works against it", "not selected away"), (": it is selected away",)),
    (0.01, ("does not evolve", "selection works against it", ": it is selected away"), ("not selected away",)),
])
def test_care_evolves_is_held_back_or_is_lost(runs, care, here, absent):
    text = reading(EVOLUTION, evolved(runs[EVOLUTION], care))
    assert all(part in text for part in here) and not any(part in text for part in absent) and not faults(text)


@pytest.mark.parametrize("last, here, absent", [
    (0.05, ("still moves by more than 0.02", "No equilibrium was reached", "are +0.05"), ("changes by less",)),
    (-0.05, ("still moves by more than 0.02", "the changes are -0.05"), ("changes by less",)),
    (0.0, ("changes by less than 0.02",), ("still moves", "equilibrium")),
])
def test_lines_still_move_or_have_come_to_rest(runs, last, here, absent):
    text = reading(EVOLUTION, evolved(runs[EVOLUTION], 0.3, last=last))
    assert all(part in text for part in here) and not any(part in text for part in absent) and not faults(text)


def test_what_stays_open_of_evolution_is_not_read_as_a_no(runs):
    card, frame = claims.card(*EVOLUTION), evolved(runs[EVOLUTION], 0.05, noise=0.6)
    findings = {name: claims.Finding(question=name, effect=0.0, low=-1.0, high=1.0, hedges_g=0.0, n=20, level=0.95,
                                     verdict="underdetermined") for name in (one.name for one in card.questions)}
    text = card.reading(findings, frame)
    assert "open" in text and not faults(text)
    assert not re.search(r"does not|is not held|selection works|no equilibrium", text, re.I)


@pytest.mark.parametrize("gap, sentence", [(0.3, "Local dispersal favours care of neighbours over global"),
                                           (0.0, "Local dispersal does not favour care of neighbours"),
                                           (0.1, "Whether local dispersal favours care of neighbours")])
def test_dispersal(runs, gap, sentence):
    frame = evolved(runs[EVOLUTION], 0.3, noise=0.02)
    frame.loc[(frame["kind"] == "neighbours") & (frame["dispersal"] == "local"), "care"] += gap
    assert sentence in reading(EVOLUTION, frame)
