"""Claim cards: sentences of the debate, each made an experiment that can come out either way.

:func:`names` lists them, :func:`card` returns one, :func:`run` runs one and returns its :class:`Result`, and
:func:`recorded` returns that of the full run that came with this version. What a card is, and how its verdict
is reached, says :mod:`organism.claims.contract`.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from .._checks import closest
from .contract import Card, Finding, Question, decide
from .result import Result, run_card

__all__ = ["Card", "Finding", "Question", "Result", "card", "decide", "names", "recorded", "run"]

#: Reports of full runs: a folder for each card and arm.
REPORTS = Path(__file__).parent / "full-runs"
#: Name of each card, and its module and class.
_CARDS = {"emergence": ("emergence", "Emergence"), "order": ("order", "Order"), "exit": ("exit", "Exit"),
          "specification": ("specification", "Specification")}


def names() -> tuple[str, ...]:
    """Return the names of all cards.

    Examples
    --------
    >>> "emergence" in names()
    True
    """
    return tuple(_CARDS)


#: Arms of cards that are too long to be part of them.
_ARMS = {("emergence", "evolution"): ("evolution", "Evolution")}


def card(name: str, arm: str | None = None) -> Card:
    """Return a card by its name.

    Parameters
    ----------
    name : str
    arm : str, optional
        An arm that is run by itself: "evolution" of "emergence".

    Raises
    ------
    ValueError
        If no card has that name, or the card no such arm.
    """
    if name not in _CARDS:
        raise ValueError(f"no claim card is called {name!r}" + (closest(name, _CARDS)
                                                                or f"; there are {', '.join(_CARDS)}"))
    if arm is not None and (name, arm) not in _ARMS:
        arms = [known for of, known in _ARMS if of == name]
        raise ValueError(f"the card {name} has no arm {arm!r}" + (closest(arm, arms) or f"; it has {', '.join(arms)}"
                                                                  if arms else ""))
    module, kind = _CARDS[name] if arm is None else _ARMS[name, arm]
    return getattr(importlib.import_module(f".{module}", __name__), kind)()


def run(name: str | Card, *, arm: str | None = None, replicates: int | None = None, workers: int | None = None,
        executor=None, store=None, grid: bool = True, miniature: bool = False, progress: bool = True) -> Result:
    """Run a card and return its result.

    Parameters
    ----------
    name : str or Card
        Of a card; or a card of your own, which is decided by itself (no correction for others).
    arm : str, optional
        An arm of it that is run by itself; see :func:`card`.
    replicates : int, optional
        Replicates of every point; those of the card by default.
    workers : int, optional
        Processes; one by default.
    executor : concurrent.futures.Executor or dask Client, optional
        Runs it instead; see :func:`organism.sweep`.
    store : path, optional
        Folder that keeps finished runs: interrupted or extended, nothing is run twice, unless the files that
        define the card were edited meanwhile.
    grid : bool, default True
        Also run the robustness grid.
    miniature : bool, default False
        A few small runs, which show that the card works and nothing else.
    progress : bool, default True
        Show a progress bar.

    Returns
    -------
    Result
    """
    if isinstance(name, Card) and arm is not None:
        raise ValueError(f"arm must be None for a card of your own, not {arm!r}")
    one = name if isinstance(name, Card) else card(name, arm)
    return run_card(one.miniature() if miniature else one, replicates=replicates, workers=workers, executor=executor,
                    store=store, grid=grid, progress=progress,
                    n_cards=1 if isinstance(name, Card) else len(_CARDS) + len(_ARMS))


def recorded(name: str, arm: str | None = None) -> Result:
    """Return the result of the full run that came with this version, judged anew from its runs.

    Parameters
    ----------
    name : str
        Of a card.
    arm : str, optional
        An arm of it that is run by itself; see :func:`card`.

    Returns
    -------
    Result
        With every run in its ``frame``.

    Raises
    ------
    ValueError
        If no card has that name, or the card no such arm.
    """
    return Result.read(card(name, arm), REPORTS / (name if arm is None else f"{name}-{arm}"))
