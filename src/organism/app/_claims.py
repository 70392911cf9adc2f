"""The page of claim cards: recorded runs, judged and drawn once; nothing is run here."""

from __future__ import annotations

import functools
import threading

import solara

from .. import claims

__all__ = ["Claims", "read"]

#: Matplotlib and the cache are used by one page at a time.
LOCK = threading.Lock()


@functools.cache
def _read(name: str):
    result = claims.recorded(name)
    return result, result.card.figure(result.frame)


def read(name: str):
    """Return the recorded result of a card, and its figure."""
    with LOCK:
        return _read(name)


@solara.component
def Claims():
    """Choose a card; read its question and answer."""
    solara.Title("organism: claims")
    names = solara.use_memo(lambda: {claims.card(name).sentence: name for name in claims.names()}, [])
    chosen = solara.use_reactive(next(iter(names)))
    found = solara.lab.use_task(lambda: read(names[chosen.value]), dependencies=[chosen.value], raise_error=False)
    with solara.Column(style={"max-width": "900px", "margin": "0 auto"}):
        solara.Select("sentence", values=list(names), value=chosen)
        solara.ProgressLinear(found.pending)
        if found.error:
            solara.Error(f"The recorded run could not be read: {found.exception}")
        elif found.value is not None:
            Card(*found.value)


@solara.component
def Card(result, figure):
    """Show a card's sentence, verdict, answer and figure."""
    card = result.card
    texts = {"Held by": card.holders, "Denied by": card.deniers, "Setting": card.setting, "Limits": card.limits,
             "The runs": f"{len(result.frame):,} recorded runs; organism claim {card.name} runs them anew."}
    # Not as Markdown: Solara's would fetch the fonts of formulas from the internet.
    solara.HTML("h2", card.sentence)
    solara.Text(f"Verdict: {result.verdict}", style={"font-weight": "bold"})
    for text in filter(None, (result.answer(), result.reading())):
        solara.Text(text.replace("**", ""))
    solara.FigureMatplotlib(figure, dependencies=[card.name])
    for head, text in texts.items():
        if text:
            solara.Text(f"{head}: {text}".replace("**", ""))
