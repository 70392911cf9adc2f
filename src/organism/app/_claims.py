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
    with solara.AppBarTitle():
        solara.Text("organism")
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
    solara.Markdown(f"## {card.sentence}\n\nVerdict: **{result.verdict}**\n\n{result.answer()}\n\n{result.reading()}")
    solara.FigureMatplotlib(figure, dependencies=[card.name])
    texts = {"Held by": card.holders, "Denied by": card.deniers, "Setting": card.setting, "Limits": card.limits}
    solara.Markdown("\n\n".join(f"**{head}.** {text}" for head, text in texts.items() if text)
                    + f"\n\n{len(result.frame):,} recorded runs; nothing is run here. "
                      f"`organism claim {card.name}` runs them anew.")
