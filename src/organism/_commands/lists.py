"""``organism presets`` and ``organism params``: what can be set."""

from __future__ import annotations

import json
import textwrap

from .._checks import closest
from ..params import PRESETS, Params
from .options import Mistake

__all__ = ["add", "list_params", "list_presets"]


def add(commands) -> None:
    """Add both commands to the commands of a parser."""
    presets = commands.add_parser("presets", help="list the presets and what they change",
                                  description="List the presets and what each changes.")
    presets.set_defaults(call=list_presets)

    params = commands.add_parser("params", help="list the parameters with unit, range and default",
                                 description="List the parameters with unit, range and default.")
    params.add_argument("words", metavar="WORD", nargs="*",
                        help="only those whose name or meaning holds one of these words")
    params.set_defaults(call=list_params)


def list_presets(options) -> int:
    """Print the presets; return the exit code."""
    for name, (doc, changes) in PRESETS.items():
        print(f"{name:<12}{doc}")
        for key, value in changes.items():
            print(f"{'':<12}  {key} = {json.dumps(value)}")
    return 0


def list_params(options) -> int:
    """Print the parameters that hold one of the words, or all; return the exit code."""
    words = [word.lower() for word in options.words]
    rows = [row for row in Params.table()
            if not words or any(word in (row["name"] + " " + row["doc"]).lower() for word in words)]
    if not rows:
        raise Mistake(f"no parameter's name or meaning holds {' or '.join(map(repr, options.words))}"
                      + closest(options.words[0], Params.names()))
    widths = {key: max(len(key), *(len(row[key]) for row in rows)) + 2 for key in ("name", "default", "unit")}
    print("".join(key.upper().ljust(width) for key, width in widths.items()) + "RANGE")
    for row in rows:
        print("".join(row[key].ljust(width) for key, width in widths.items()) + row["range"])
        print(textwrap.indent(textwrap.fill(f"{row['doc']} [{row['source']}]", 96), "    "))
    return 0
