"""Roles in plain words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures._sources import ratio

__all__ = ["Profile", "profiles_of"]

#: A share of more than so much is "mostly"; columns that together make up so much are named; and a column
#: counts as taken up if it has more than this part of an equal share.
MOSTLY, NAMED, EQUAL = 0.6, 0.8, 0.5


@dataclass(frozen=True, eq=False)
class Profile:
    """What the members of one role do.

    Parameters
    ----------
    name : str
        Short: "gathers 2", "gathers 0 and 1", "gathers all".
    text : str
        A sentence.
    size : int
        Members of the role.
    shares : dict of str to ndarray, shape (columns,)
        Mean share of each column in a member's row, by block; sums to 1 (0 where nobody had anything).
    """

    name: str
    text: str
    size: int
    shares: dict[str, np.ndarray]

    def __str__(self) -> str:
        return f"{self.name} ({self.size:,} members): {self.text}"


def profiles_of(acts, labels, n_roles: int) -> list[Profile]:
    """Describe each role by the mean shares of its members."""
    rows = {name: ratio(table, table.sum(axis=1, keepdims=True)) for name, table in acts.blocks.items()}
    used = {name: table.sum(axis=1) > 0 for name, table in acts.blocks.items()}
    found = []
    for role in range(n_roles):
        mine = labels == role
        shares = {name: table[mine & used[name]].mean(axis=0) if (mine & used[name]).any()
                  else np.zeros(table.shape[1]) for name, table in rows.items()}
        found.append(Profile(_name(shares, acts.resources), _text(shares, acts.resources), int(mine.sum()), shares))
    return found


def _main(share: np.ndarray) -> list[int]:
    """Return the columns that make up most, the largest first."""
    order = np.argsort(-share, kind="stable")
    enough = int(np.searchsorted(np.cumsum(share[order]), NAMED * share.sum()) + 1)
    return [int(i) for i in order[:enough] if share[i] > EQUAL / len(share)]


def _listed(columns) -> str:
    words = [str(column) for column in columns]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _verb(block: str, resources: int, column: int) -> str:
    return "rests" if block == "tasks" and resources and column >= resources else "gathers"


def _name(shares, resources) -> str:
    block, share = next(iter(shares.items()))
    main = sorted(_main(share))
    if not share.any():
        return "does nothing"
    if share.max() > MOSTLY and block != "position":
        main = [int(share.argmax())]
    verb = {"tasks": "gathers", "exports": "gives", "imports": "gets"}.get(block, block)
    if block == "tasks" and resources and main == [resources]:
        return "rests"
    if block == "position":
        return _position(share)
    return f"{verb} all" if len(main) == len(share) > 1 else f"{verb} {_listed(main)}"


def _position(share) -> str:
    given, got = share[:2]
    if given > 1.25 * got:
        return "gives more than it gets"
    return "gets more than it gives" if got > 1.25 * given else "gives as much as it gets"


def _text(shares, resources) -> str:
    said = []
    for block, share in shares.items():
        if not share.any():
            said.append({"exports": "gives nothing", "imports": "gets nothing"}.get(block, f"has no {block}"))
        elif block == "position":
            said.append(f"{_position(share)} ({share[0]:.0%} given, {share[1]:.0%} got, {share[2]:.0%} made for itself)"
                        if len(share) == 3 else _position(share))
        else:
            main = _main(share)
            verb = {"tasks": "gathers resource", "exports": "exports", "imports": "imports"}.get(block, block)
            how = "mostly " if share[main[0]] > MOSTLY else ""
            if block == "tasks" and resources and main[0] >= resources:
                said.append(f"{how}rests ({share[main[0]]:.0%})")
                continue
            said.append(f"{how}{verb} " + _listed(f"{column} ({share[column]:.0%})" for column in main))
    return ", ".join(said)
