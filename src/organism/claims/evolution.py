"""The evolution arm of the card "emergence": whether care itself evolves from near 0."""

from __future__ import annotations

import numpy as np

from .. import measures
from .._bootstrap import mean_interval
from .contract import Card, Question, decide, make_world
from .tables import listed, ruled

__all__ = ["Evolution"]

KINDS = ("neighbours", "interdependence", "kin")
#: Care weight of all founders, and readings in a run.
START, READINGS = 0.05, 40
#: A line that changes by less than this over the last quarter of a run has come to rest: a fifth of what counts.
REST = 0.02


def _line(question: str) -> str:
    """Return the kind of care and the dispersal that a question is about."""
    kind, dispersal = ("neighbours, local" if question == "evolves" else question).split(", ")
    return f"{kind} ({dispersal})"


class Evolution(Card):
    """Care as a heritable trait under death and birth, with local and global dispersal."""

    name = "emergence, evolution"
    sentence = "Care need not be given: where members live on what their neighbours share, it evolves from near none."
    holders = "Those who see alignment as grown by evolution: cells that stayed together came to care for the whole."
    deniers = "Those who hold that care is a cost that others reap, and is selected away unless kin are near."
    definitions = {
        "care": "care.weight, inherited from the parent with normal mutation of sd .05, reflected at 0 and 1",
        "evolves": "mean care weight at the end, against a neutral trait: the same inheritance, mutation and turnover "
                   "in a world whose members' care is of kind self, where its weight changes nothing",
    }
    setting = ("50×50 torus, three resources, share_cost .05, death and birth with selection 6, 130,000 ticks (some "
               "200 lifetimes), all founders at care .05; care of neighbours, by interdependence and for kin; parents "
               "drawn from the neighbourhood (local) or from all (global).")
    prediction = ("With local dispersal, care of neighbours ends more than .1 above the neutral trait.")
    opposite = "It ends within .1 of the neutral trait, or below."
    known = ("A prototype of the model, in a tenth of the time and from .05, had shown no invasion: care rose to .20, "
             "as mutation alone would raise it; from uniform care, local dispersal had kept more of it than global.")
    null = "The neutral trait: mutation reflected at 0 drifts upwards by itself."
    limits = ("The verdicts are of 130,000 ticks and not of an equilibrium: from .05 even the neutral trait takes "
              "long, and what the lines would come to is not known. One population size and one mutation rate; "
              "policies are learned anew by every member. A weight of care that is selected says nothing of what it "
              "would be selected for elsewhere.")
    references = ("Hamilton (1964) The genetical evolution of social behaviour. Journal of Theoretical Biology 7.",
                  "Ohtsuki, Hauert, Lieberman, Nowak (2006) A simple rule for the evolution of cooperation on graphs. "
                  "Nature 441.")
    amendments = (
        "With the results known: the reading had called care selected away that rose, but less than the neutral trait; "
        "now it tells what is held below the neutral trait from what ends below where it began. Which lines still move "
        "at the end was added.",)
    questions = (
        Question(name="evolves", text="Does care of neighbours evolve from near 0 with local dispersal?",
                 treatment={"kind": "neighbours", "dispersal": "local"},
                 control={"kind": "self", "dispersal": "local"}, measure="care", smallest=0.1),
        *(Question(name=f"{kind}, {dispersal}", text=f"Does care of kind {kind} evolve with {dispersal} dispersal?",
                   treatment={"kind": kind, "dispersal": dispersal},
                   control={"kind": "self", "dispersal": dispersal}, measure="care", smallest=0.1)
          for kind in KINDS for dispersal in ("local", "global") if (kind, dispersal) != ("neighbours", "local")),
        Question(name="dispersal", text="Does local dispersal favour care of neighbours?",
                 treatment={"kind": "neighbours", "dispersal": "local"},
                 control={"kind": "neighbours", "dispersal": "global"}, measure="care", smallest=0.1),
    )
    robustness = {}
    ticks, side = 130_000, 50

    def points(self) -> list[dict]:
        """Return the points of the design."""
        return [{"kind": kind, "dispersal": dispersal, "ticks": self.ticks, "side": self.side,
                 "exchange.share_cost": 0.05} for kind in ("self", *KINDS) for dispersal in ("local", "global")]

    @staticmethod
    def simulate(point: dict, rng) -> dict:
        """Run one point with rng and return the care weight over time, and at the end."""
        world = make_world(point, rng, **{
            "care.kind": point["kind"], "care.weight": START, "demography.enabled": True,
            "demography.dispersal": point["dispersal"], "demography.mutates": ("care",)})
        found, ticks = {}, int(point["ticks"])
        for reading in range(1, READINGS + 1):
            world.step(ticks // READINGS)
            care = world.state["care"][world.living]
            found[f"care {reading}"] = float(care.mean()) if care.size else np.nan
        return {**found, "care": found[f"care {READINGS}"], "sd of care": float(care.std()),
                "welfare": measures.welfare(world), "births": float(world.n_born)}

    def reading(self, findings, frame) -> str:
        """Say from findings and frame which care evolved, which was held back or lost, and what has come to rest."""
        asked = {name: finding for name, finding in findings.items() if name != "dispersal"}
        ends, moves, changes = {}, {}, []
        for (kind, dispersal), runs in self.main(frame).groupby(["kind", "dispersal"], sort=False):
            name = f"{'the neutral trait' if kind == 'self' else kind} ({dispersal})"
            _, low, high = mean_interval(runs["care"])
            if kind != "self":
                ends[name] = "supports" if low > START else "contradicts" if high < START else "underdetermined"
            moved = decide(runs["care"] - runs[f"care {READINGS * 3 // 4}"], REST, direction=0)
            moves[name] = moved.verdict
            if moved.verdict == "contradicts":
                changes.append(f"{moved.effect:+.2f}")
        said = [
            ruled({_line(name): finding.verdict for name, finding in asked.items()},
                  "care of {} evolves beyond the neutral trait by more than .1",
                  "care of {} does not evolve beyond the neutral trait by more than .1",
                  "whether care of {} evolves beyond the neutral trait stays open"),
            ruled({_line(name): "supports" if finding.high < -0.1 else "contradicts" if finding.low > -0.1 else
                   "underdetermined" for name, finding in asked.items()},
                  "care of {} is held more than .1 below the neutral trait: selection works against it",
                  "care of {} is not held more than .1 below the neutral trait",
                  "whether care of {} is held more than .1 below the neutral trait stays open"),
            ruled(ends, f"care of {{}} ends above the {START:g} that it began with: it is not selected away",
                  f"care of {{}} ends below the {START:g} that it began with: it is selected away",
                  f"whether care of {{}} ends above the {START:g} that it began with stays open"),
            {"supports": "Local dispersal favours care of neighbours over global by more than .1.",
             "contradicts": "Local dispersal does not favour care of neighbours over global by more than .1.",
             "underdetermined": "Whether local dispersal favours care of neighbours by more than .1 stays open."
             }[findings["dispersal"].verdict],
            ruled(moves, f"over the last quarter of the time the mean of {{}} changes by less than {REST:g}",
                  f"over the last quarter of the time the mean of {{}} still moves by more than {REST:g}",
                  f"whether the mean of {{}} still moves by more than {REST:g} stays open")]
        if changes:
            said.append(f"No equilibrium was reached: the changes are {listed(changes)}.")
        return " ".join(said)

    def figure(self, frame, figure=None):
        """Draw, into figure, the mean care weight of frame over time."""
        from matplotlib.figure import Figure

        from ..plots import PALETTE

        figure = Figure(figsize=(9, 3.6), layout="constrained") if figure is None else figure
        ticks = np.arange(READINGS + 1) * (self.ticks // READINGS)
        for ax, dispersal in zip(figure.subplots(1, 2, sharey=True), ("local", "global"), strict=True):
            for kind, colour in zip(("self", *KINDS), ("#777777", *PALETTE), strict=False):
                runs = frame[(frame["kind"] == kind) & (frame["dispersal"] == dispersal)]
                curve = [mean_interval(runs[f"care {reading}"]) for reading in range(1, READINGS + 1)]
                mean, low, high = np.transpose([(START,) * 3, *curve])
                ax.plot(ticks, mean, color=colour, label="neutral trait" if kind == "self" else f"care: {kind}")
                ax.fill_between(ticks, low, high, color=colour, alpha=0.2, linewidth=0)
            ax.set(xlabel="tick", title=f"{dispersal} dispersal", ylim=(0, 1))
            ax.spines[["top", "right"]].set_visible(False)
            ax.legend(frameon=False, fontsize=8)
        figure.axes[0].set_ylabel("mean care weight (0–1)")
        return figure
