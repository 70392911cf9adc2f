"""What every claim card is: a sentence that can fail, and the rule by which it does.

A card is a subclass of :class:`Card` in a file of its own, written before its first full
run. It names who holds the sentence and who denies it, defines its words by measures,
and asks a :class:`Question` or more: each compares two sets of runs, paired by replicate, by one
measure. :func:`decide` turns the differences into a verdict; nothing else may.

The rule of decision
--------------------
Let δ be the smallest effect of interest, stated in the card, and let the interval be Student's
interval of the mean paired difference, in the direction that the sentence predicts.

- **supports**: the whole interval lies above δ.
- **contradicts**: the whole interval lies below δ: whatever effect there is, is smaller than
  what the sentence needs (a test of non-superiority; an effect within (-δ, δ) is found
  equivalent to none, one below -δ the opposite).
- **underdetermined**: the interval holds δ.

For a question that predicts *no* effect, "supports" is the whole interval within (-δ, δ) (two
one-sided tests), "contradicts" the whole interval outside, and else it is underdetermined.

Intervals of a card's primary question hold at 1 - .05/C, where C is the number of cards and of arms
that are run by themselves (Bonferroni), so that the table of verdicts as a whole errs with probability
of about .05 at most (exactly so for normal differences). All other questions and the robustness grid
are secondary: 95 % each, uncorrected, and said to be so.

A sentence may hold and its deniers' own alternative do as well: all share because they must, or an
operator is told. That comparison is the card's *rival* question. Where the primary question supports and the
rival one contradicts, the page of verdicts says "mixed".

A card is committed before its first full run. Single pilot runs, with other seeds than the card's,
may be looked at before, to see that every arm runs; nothing is chosen by them. What a prototype of the
model had shown before a prediction was written is told in the card, and what was changed in it after
its first full run, with the reason. The contract itself was changed once, after the first full runs: intervals had
been BCa bootstrap intervals, of which 99 % held the truth in some 97.5 % of samples of 20 (no verdict
changed); the other costs of sharing count among the settings; and rivals and readings were written then, with
the results known. Verdicts rest on the primary questions alone, which are as they were, but for that of exit:
its flows were first read from decayed sums and then from exact totals (-.211 became -.213).

References
----------
Lakens (2017) Equivalence tests. *Social Psychological and Personality Science* 8, 355–362.
Student (1908) The probable error of a mean. *Biometrika* 6, 1–25.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..params import Params
from ..topology import Topology
from ..world import World

__all__ = ["COSTS", "Card", "Finding", "Question", "TEXTS", "VERDICTS", "decide", "make_world"]

#: The costs of sharing at which every card is run; the second is the default.
COSTS = (0.0, 0.02, 0.05, 0.15)
#: What a question can come to.
VERDICTS = ("supports", "contradicts", "underdetermined")
#: Fewer pairs than this decide nothing: nobody can see of so few whether their differences are near normal.
FEWEST = 5
#: The texts that a card must have.
TEXTS = ("name", "sentence", "holders", "deniers", "definitions", "setting", "known", "prediction", "opposite",
         "null", "limits", "references")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A comparison of two sets of runs.

    Parameters
    ----------
    name : str
        Short, unique within the card.
    text : str
        The question in a sentence.
    treatment, control : mapping
        Keys of points and the values they must have (None: not given); which runs are
        compared. An empty control: the measure is itself a difference, compared with 0.
    measure : str
        The measure that is compared; one of those the card's runs return.
    smallest : float
        Smallest effect of interest δ > 0, in units of the measure.
    direction : {1, -1, 0}
        Sign of the effect that the sentence predicts; 0: none.
    reached : str or None
        Of a time that is censored at the end of a run: the measure that is 1 where the mark was reached
        and 0 where not. Pairs in which neither side reached it say nothing, and are left out.
    bounds : tuple of float or None
        The least and the greatest value that the measure can take. Where both sides' means lie within δ of
        the same bound there is no room for the effect, whatever is true; such settings are counted apart.
    """

    name: str
    text: str
    treatment: Mapping
    control: Mapping
    measure: str
    smallest: float
    direction: int = 1
    reached: str | None = None
    bounds: tuple[float, float] | None = None

    def __post_init__(self):
        if not self.smallest > 0:
            raise ValueError(f"smallest effect of interest of {self.name} must be above 0, not {self.smallest!r}")
        if self.direction not in (1, -1, 0):
            raise ValueError(f"direction of {self.name} must be 1, -1 or 0, not {self.direction!r}")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a question came to.

    Parameters
    ----------
    question : str
        Name of the question.
    effect, low, high : float
        Mean paired difference treatment - control and its interval, in units of the measure.
    hedges_g : float
        The effect in standard deviations of the differences, corrected for few replicates.
    n : int
        Number of pairs.
    level : float
        Confidence level of the interval.
    verdict : {"supports", "contradicts", "underdetermined"}
    means : tuple of float
        Mean of the measure in the treatment and in the control.
    """

    question: str
    effect: float
    low: float
    high: float
    hedges_g: float
    n: int
    level: float
    verdict: str
    means: tuple[float, float] = (np.nan, np.nan)


def decide(difference, smallest: float, direction: int = 1, level: float = 0.95, name: str = "",
           means: tuple[float, float] = (np.nan, np.nan)) -> Finding:
    """Turn paired differences into a finding, by the rule of this module.

    Parameters
    ----------
    difference : array_like, shape (n,)
        Treatment - control of each replicate; five finite numbers at least, or the
        finding is underdetermined.
    smallest : float
        Smallest effect of interest δ > 0.
    direction : {1, -1, 0}
        Sign of the predicted effect; 0: none.
    level : float
        Confidence level in (0, 1).
    name : str
        Of the question.
    means : tuple of float
        Kept in the finding.

    Returns
    -------
    Finding

    Examples
    --------
    >>> decide([.4, .5, .45, .48, .51], smallest=.1).verdict
    'supports'
    >>> decide([.4, .5, .45, .48, .51], smallest=.1, direction=-1).verdict
    'contradicts'
    """
    if not smallest > 0:
        raise ValueError(f"smallest must be above 0, not {smallest!r}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), not {level!r}")
    given = np.asarray(difference, float).ravel()
    if np.isinf(given).any():
        raise ValueError("difference must hold finite numbers (NaN: a replicate without a value)")
    given = given[np.isfinite(given)]
    n = given.size
    effect = float(given.mean()) if n else np.nan
    low, high = _interval(given, level)
    spread = float(given.std(ddof=1)) if n > 1 else np.nan
    g = effect / spread * (1 - 3 / (4 * n - 5)) if n > 2 and spread > 0 else np.nan
    if n < FEWEST:
        verdict = "underdetermined"
    elif direction == 0:
        inside, outside = -smallest < low and high < smallest, low > smallest or high < -smallest
        verdict = "supports" if inside else "contradicts" if outside else "underdetermined"
    else:
        bottom, top = (low, high) if direction == 1 else (-high, -low)
        verdict = "supports" if bottom > smallest else "contradicts" if top < smallest else "underdetermined"
    return Finding(question=name, effect=effect, low=low, high=high, hedges_g=g, n=n, level=level,
                   verdict=verdict, means=means)


def _interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return Student's interval of the mean; NaN of fewer than two values, of equal values that value."""
    from scipy.stats import t

    if values.size < 2:
        return np.nan, np.nan
    half = float(t.ppf((1 + level) / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size))
    return float(values.mean()) - half, float(values.mean()) + half


#: Changes that every card's primary question is asked again under: parameters moved both ways, other
#: topologies, a real network. (Each is a point's keys.)
ROBUSTNESS = {
    "yield 1.4": {"production.base_yield": 1.4}, "yield 1.8": {"production.base_yield": 1.8},
    "learning rate .02": {"learning.rate": 0.02}, "learning rate .1": {"learning.rate": 0.1},
    "exploration .01": {"learning.exploration": 0.01}, "exploration .05": {"learning.exploration": 0.05},
    "bonds fixed": {"exchange.bond_rate": 0.0}, "bonds fast": {"exchange.bond_rate": 0.03},
    "two resources": {"resources": 2}, "four resources": {"resources": 4},
    "von Neumann": {"topology": "von_neumann"}, "random regular": {"topology": "random_regular"},
    "Les Misérables": {"topology": "les_miserables"},
}


class Card:
    """A sentence of the debate as an experiment; see the module's docstring.

    A subclass gives the texts as class attributes, `questions` with the primary one first,
    :meth:`points` and :meth:`simulate`, draws :meth:`figure`, and may add a :meth:`reading` and
    :meth:`tables`. All else is the contract's.

    Attributes
    ----------
    name : str
        Short name, as in ``organism claim NAME``.
    sentence, holders, deniers : str
        The sentence in our words; who holds it; who denies it.
    party : {1, -1}
        Whose sentence it is: of those who hold that alignment grows (1), or of their critics (-1).
    definitions : mapping of str to str
        What the sentence's words mean here.
    setting, known, prediction, opposite, null, limits : str
        World and treatments; what was known before the prediction was written; what the sentence
        predicts; what its denial does; what chance or mere mechanism gives; what the card cannot show.
    references : tuple of str
        Sources.
    amendments : tuple of str
        What was changed in the card after its first full run, and why; empty if nothing.
    questions : tuple of Question
        The first is the primary one: its verdict is the card's.
    rival : str
        Name of the question that compares with the deniers' own alternative; "" without one.
    variations : tuple of str
        Names of questions that ask the primary one in another setting; they count with the
        robustness grid.
    rival_variations : tuple of str
        Names of questions that ask the rival one in another setting.
    replicates : int
        Replicates of a full run.
    ticks : int
        Ticks of one stage of a run.
    side : int
        Sites along an edge of the grid.
    """

    name = sentence = holders = deniers = setting = known = prediction = opposite = null = limits = rival = ""
    party = 1
    definitions: Mapping[str, str] = {}
    references: tuple[str, ...] = ()
    amendments: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    variations: tuple[str, ...] = ()
    rival_variations: tuple[str, ...] = ()
    replicates = 20
    ticks = 6000
    side = 24
    robustness: Mapping[str, Mapping] = ROBUSTNESS

    @property
    def seed(self) -> int:
        """Seed of all replicates: 64 bits of a hash of the card's name, so that nobody can choose it."""
        return int.from_bytes(hashlib.sha256(f"organism claim {self.name}".encode()).digest()[:8], "big")

    def miniature(self) -> Card:
        """Return the card with runs of a second: 8×8 sites, 60 ticks, 3 replicates; for tests and a first look."""
        small = copy.copy(self)
        small.ticks, small.side, small.replicates = 60, 8, 3
        return small

    def design(self, grid: bool = True) -> list[dict]:
        """Return all points to be run, with or without those of the robustness grid."""
        points = self.points() + (self.grid() if grid else [])
        return points if self.side == 24 else [{"side": self.side, **point} for point in points]

    def points(self) -> list[dict]:
        """Return the points of the design, without those of the robustness grid."""
        raise NotImplementedError

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Run one point.

        Parameters
        ----------
        point : dict
            One of :meth:`design`.
        rng : numpy.random.Generator
            The run's luck.

        Returns
        -------
        dict of str to float
            Its measures.
        """
        raise NotImplementedError

    def figure(self, frame, figure=None):
        """Draw the one figure that carries the answer.

        Parameters
        ----------
        frame : pandas.DataFrame
            The runs.
        figure : matplotlib Figure, optional
            A new one by default.

        Returns
        -------
        Figure
            Of a card that does not say otherwise: effects and intervals of all its questions.
        """
        from matplotlib.figure import Figure

        from .result import forest

        if figure is None:
            figure = Figure(figsize=(7, 0.4 * len(self.questions) + 1.2), layout="constrained")
        asked = self.questions[0]
        findings = {one.question: one for one, question in zip(self.judge(frame), self.questions, strict=True)
                    if question.measure == asked.measure}
        forest(findings, figure.subplots(), asked)
        return figure

    def reading(self, findings: Mapping[str, Finding], frame) -> str:
        """Say in plain words what the answers mean together, by a rule that could say otherwise.

        Parameters
        ----------
        findings : mapping of str to Finding
            By the names of the questions.
        frame : pandas.DataFrame
            The runs.

        Returns
        -------
        str
        """
        return ""

    def tables(self, frame) -> dict[str, object]:
        """Return further tables of the report, by title.

        Parameters
        ----------
        frame : pandas.DataFrame
            The runs.

        Returns
        -------
        dict of str to pandas.DataFrame
        """
        return {}

    @staticmethod
    def main(frame):
        """Return the runs that do not belong to the robustness grid.

        Parameters
        ----------
        frame : pandas.DataFrame

        Returns
        -------
        pandas.DataFrame
        """
        return frame[frame["variation"].isna()] if "variation" in frame else frame

    def grid(self) -> list[dict]:
        """Return the points of the robustness grid: the primary question's two sides under each change."""
        primary = self.questions[0]
        sides = [self._point(condition) for condition in (primary.treatment, primary.control) if condition]
        return [{**side, **change, "variation": label} for label, change in self.robustness.items() for side in sides]

    def _point(self, condition: Mapping) -> dict:
        """Return the one point that fulfils a condition."""
        found = [p for p in self.points() if all(p.get(k) == v for k, v in condition.items())]
        if len(found) != 1:
            raise ValueError(f"card {self.name}: {dict(condition)} names {len(found)} points, not one")
        return dict(found[0])

    # -- judging ----------------------------------------------------------------------------

    def judge(self, frame, n_cards: int = 1) -> list[Finding]:
        """Answer the questions from the runs.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row a run: the points' keys, ``replicate`` and the measures. Rows with a
            ``variation`` belong to the robustness grid and are left out.
        n_cards : int
            Number of primary questions that are decided together.

        Returns
        -------
        list of Finding
            In the order of the questions.
        """
        frame = self.main(frame)
        return [self.ask(question, frame, 1 - 0.05 / n_cards if i == 0 else 0.95)
                for i, question in enumerate(self.questions)]

    def judge_grid(self, frame) -> dict[str, Finding]:
        """Answer the primary question under each change of the robustness grid."""
        if "variation" not in frame:
            return {}
        primary = self.questions[0]
        treatment = self._point(primary.treatment)
        control = self._point(primary.control) if primary.control else {}
        # what tells the two sides apart, whatever the change did to the rest
        keys = sorted(key for key in {*treatment, *control} if treatment.get(key) != control.get(key))
        asked = dataclasses.replace(primary, treatment={key: treatment.get(key) for key in keys},
                                    control={key: control.get(key) for key in keys} if control else {})
        return {label: self.ask(asked, frame[frame["variation"] == label], 0.95) for label in self.robustness}

    def ask(self, question: Question, frame, level: float = 0.95) -> Finding:
        """Answer one question.

        Parameters
        ----------
        question : Question
            One of the card's, or a variation of it.
        frame : pandas.DataFrame
            The runs: those of :meth:`main`, or of one setting of the robustness grid.
        level : float
            Confidence level in (0, 1).

        Returns
        -------
        Finding
        """
        sides = [_runs(frame, question.treatment, question.measure)]
        sides.append(_runs(frame, question.control, question.measure) if question.control else 0 * sides[0])
        both = sides[0].index.intersection(sides[1].index)
        if question.reached is not None:
            marks = [_runs(frame, side, question.reached).loc[both].astype(float)
                     for side in (question.treatment, question.control)]
            both = both[(marks[0] + marks[1] > 0).to_numpy()]
        treatment, control = (side.loc[both].to_numpy(float) for side in sides)
        if not len(both):
            return decide([], question.smallest, question.direction, level, question.name)
        return decide(treatment - control, question.smallest, question.direction, level, question.name,
                      (float(np.nanmean(treatment)), float(np.nanmean(control))))


def _runs(frame, condition: Mapping, measure: str):
    """Return a measure by replicate, of the runs that fulfil a condition."""
    if measure not in frame:
        return frame.iloc[:0].set_index("replicate").reindex(columns=[measure])[measure]
    for key, value in condition.items():
        if value is None:
            frame = frame[frame[key].isna()] if key in frame else frame
        else:
            frame = frame[frame[key] == value] if key in frame else frame.iloc[:0]
    return frame.set_index("replicate")[measure]


def make_world(point: Mapping, rng, *, side: int = 24, columns=None, ledger: bool = False, **changes) -> World:
    """Make the world of a point.

    Parameters
    ----------
    point : mapping
        ``topology`` ("torus", the default, "von_neumann", "random_regular" of degree 8, or
        "les_miserables"), ``side`` and dotted parameters; other keys are the card's own.
    rng : numpy.random.Generator
        Seeds the random graph and the world.
    side : int
        Sites along an edge of the grid, where the point does not say.
    columns : mapping or callable, optional
        Initial values of columns, or a function of the topology that returns them.
    ledger : bool
        Keep exact totals.
    **changes
        Dotted parameters, before those of the point.

    Returns
    -------
    World
    """
    side = int(point.get("side", side))
    kind = point.get("topology", "torus")
    seed, graph_seed = (int(word) for word in rng.integers(0, 2**32, 2))
    if kind in ("torus", "von_neumann"):
        topology = Topology.grid((side, side), "moore" if kind == "torus" else "von_neumann")
    elif kind == "random_regular":
        import networkx as nx

        topology = Topology.from_networkx(nx.random_regular_graph(8, side * side, seed=graph_seed))
    elif kind == "les_miserables":
        import networkx as nx

        topology = Topology.from_networkx(nx.les_miserables_graph())
    else:
        raise ValueError(f"topology must be torus, von_neumann, random_regular or les_miserables, not {kind!r}")
    known = set(Params.names())
    given = {key: value for key, value in point.items() if key in known and value is not None}
    params = Params.preset("organic").replace(**{**changes, **given})
    return World(topology, params, seed, columns=columns(topology) if callable(columns) else columns, ledger=ledger)
