"""What the commands share: the parser, the readers of values, and how a mistake is said."""

from __future__ import annotations

import argparse
import json
import math

__all__ = ["Mistake", "Parser", "count", "nulls", "plural", "read_value", "size"]


class Mistake(Exception):
    """A user's mistake, said in one sentence."""


class Parser(argparse.ArgumentParser):
    """A parser that answers a mistake with one sentence instead of the whole usage."""

    def error(self, message):
        """Refuse the command line."""
        raise Mistake(f"{message} (see '{self.prog} --help')")


def count(low: int, high: float = math.inf):
    """Return a reader of whole numbers from ``low`` to ``high``."""
    allowed = f"[{low}, {high}" + (")" if high == math.inf else "]")

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"must be a whole number in {allowed}, not {text!r}")
        return value
    return read


def nulls(text: str) -> int:
    """Read a number of nulls: none, or enough that a p-value can be .05."""
    value = count(0)(text)
    if 0 < value < 19:
        raise argparse.ArgumentTypeError(f"must be 0 or a whole number of at least 19, for with fewer no p-value is "
                                         f"as low as .05, not {text!r}")
    return value


def size(text: str) -> tuple[int, int]:
    """Read ``N`` or ``WxH`` and return (rows, columns)."""
    parts = text.lower().replace("×", "x").split("x")
    if not (1 <= len(parts) <= 2 and all(part.isascii() and part.isdigit() and int(part) for part in parts)):
        raise argparse.ArgumentTypeError(f"must be N or WxH, whole numbers from 1 on, not {text!r}")
    width, height = int(parts[0]), int(parts[-1])
    return height, width


def read_value(text: str):
    """Read a value as JSON where it is JSON; a list where there are commas; else as text."""
    text = text.strip()
    for read in (json.loads, float):
        try:
            return read(text)
        except ValueError:
            pass
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if "," in text:
        return [read_value(part) for part in text.split(",") if part.strip()]
    return text


def plural(number: int, word: str) -> str:
    """Return a number with its noun: ``1 tick``, ``2,000 ticks``."""
    return f"{number:,} {word}" + ("" if number == 1 else "s")
