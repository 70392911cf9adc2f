"""Tables of a report: means with their intervals, by what was varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .._bootstrap import mean_interval

__all__ = ["listed", "markdown", "means", "ruled", "with_interval"]


def listed(words) -> str:
    """Return words as a list in a sentence: "a, b and c"."""
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def ruled(verdicts: Mapping[str, str], supports: str, contradicts: str, underdetermined: str) -> str:
    """Return a sentence of what was supported, what contradicted and what stayed open.

    Parameters
    ----------
    verdicts : mapping of str to str
        Verdict of each thing.
    supports, contradicts, underdetermined : str
        Clauses with {} for the list of things of that verdict; a clause without any is left out.

    Returns
    -------
    str

    Examples
    --------
    >>> ruled({"a": "supports", "b": "contradicts", "c": "supports"}, "it holds for {}", "not for {}", "open for {}")
    'It holds for a and c; not for b.'
    """
    clauses = [clause.format(listed(found))
               for verdict, clause in (("supports", supports), ("contradicts", contradicts),
                                       ("underdetermined", underdetermined))
               if (found := [thing for thing, its in verdicts.items() if its == verdict])]
    text = "; ".join(clauses)
    return text[:1].upper() + text[1:] + "."


def with_interval(values, digits: int = 2) -> str:
    """Return the mean of some values with its 95 % interval, as text.

    Parameters
    ----------
    values : array_like, shape (n,)
    digits : int
        After the point.
    """
    mean, low, high = mean_interval(values)
    if not np.isfinite(mean):
        return "–"
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def means(frame, by: Sequence[str], measures: Mapping[str, str], digits: int = 2):
    """Return the mean of each measure with its interval, at each value of what was varied.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run.
    by : sequence of str
        Columns whose values make the rows, in the order of their first appearance.
    measures : mapping of str to str
        Heading of each column of the table, and the measure in it.
    digits : int

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    rows = []
    for values, runs in frame.groupby(list(by), sort=False, dropna=False):
        row = dict(zip(by, values, strict=True))
        rows.append(row | {head: with_interval(runs[measure], digits) for head, measure in measures.items()})
    return pd.DataFrame(rows, columns=[*by, *measures])


def markdown(table) -> list[str]:
    """Return a table as lines of Markdown."""
    def text(value):
        if value is None or value != value:
            return "–"
        return f"{value:g}" if isinstance(value, float) else str(value)

    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|---" * len(table.columns) + "|"]
    return lines + ["| " + " | ".join(text(value) for value in row) + " |" for row in table.itertuples(index=False)]
