"""The command line: ``organism run`` and its companions, each a module of ``_commands``.

Whatever a user gets wrong is answered by one sentence on the error stream and exit
code 2; Ctrl-C writes what there is and exits with 130. A goods audit that does not
close, which no user can cause, exits with 1 after everything is written.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap

from . import __version__
from ._commands import app, cards, lists, run, sweep, wholes
from ._commands.options import Mistake, Parser

__all__ = ["main"]

#: The modules with the commands, in the order of the help.
COMMANDS = (run, wholes, sweep, app, lists, cards)


def _parser() -> argparse.ArgumentParser:
    top = Parser(prog="organism", formatter_class=argparse.RawDescriptionHelpFormatter, description=textwrap.dedent("""\
        Agent-based models of how many locally interacting agents become one thing,
        and when that goes wrong."""))
    top.add_argument("--version", action="version", version=f"organism {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for module in COMMANDS:
        module.add(commands)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``organism``; by default those of the process.

    Returns
    -------
    int
        Exit code: 0, 1 if the goods audit does not close, 2 after a user's mistake, 130 after Ctrl-C.
    """
    try:
        parser = _parser()
        options = parser.parse_args(argv)
        if options.command is None:
            parser.print_help()
            return 0
        code = options.call(options)
        sys.stdout.flush()
        return code
    except Mistake as mistake:
        print(f"organism: error: {' '.join(str(mistake).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("organism: stopped by Ctrl-C; nothing more was written", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, 'head' say, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
