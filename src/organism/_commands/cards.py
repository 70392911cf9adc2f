"""``organism claims`` and ``organism claim``: sentences that are put to the test."""

from __future__ import annotations

from .options import Mistake, count

__all__ = ["add", "list_claims", "run_claim"]


def add(commands) -> None:
    """Add both commands to the commands of a parser."""
    cards = commands.add_parser("claims", help="list the claim cards: sentences that can be tested",
                                description="List the claim cards: sentences of the debate, each made an experiment.")
    cards.add_argument("--page", metavar="FOLDER",
                       help="print instead the page of verdicts, from the reports in this folder")
    cards.set_defaults(call=list_claims)

    claim = commands.add_parser("claim", help="put a claim card to the test",
                                description="Run a claim card, print its answer and write a report into a folder.")
    claim.add_argument("name", metavar="NAME", help="of the card; 'organism claims' lists them")
    claim.add_argument("--arm", metavar="ARM", help="an arm that is run by itself: 'evolution' of emergence")
    claim.add_argument("--replicates", metavar="N", type=count(2, 10**6), help="runs of each setting")
    claim.add_argument("--workers", metavar="N", type=count(1, 1024), help="processes (default: 1)")
    claim.add_argument("--store", metavar="FOLDER",
                       help="keep finished runs here; the same command goes on with them and writes its report anew")
    claim.add_argument("--no-grid", action="store_true", help="leave out the robustness grid")
    claim.add_argument("--miniature", action="store_true", help="a few small runs, to see that it works")
    claim.add_argument("--out", metavar="FOLDER",
                       help="where to write the report (default: claim-NAME); with a --store, what the same command "
                            "wrote there is replaced")
    claim.add_argument("--quiet", action="store_true", help="print nothing but errors")
    claim.set_defaults(call=run_claim)


def list_claims(options) -> int:
    """Print the cards, or the page of verdicts; return the exit code."""
    from ..claims.command import list_cards
    from ..claims.page import page

    if options.page is None:
        list_cards()
        return 0
    try:
        print(page(options.page), end="")
    except (OSError, ValueError, KeyError) as error:
        raise Mistake(str(error)) from None
    return 0


def run_claim(options) -> int:
    """Put a card to the test and write its report; return the exit code."""
    from .. import claims
    from ..claims.command import run_one

    try:
        claims.card(options.name, options.arm)
    except ValueError as error:
        raise Mistake(str(error)) from None
    try:
        run_one(options.name, arm=options.arm, replicates=options.replicates, workers=options.workers,
                store=options.store, grid=not options.no_grid, miniature=options.miniature, out=options.out,
                quiet=options.quiet)
    except (ValueError, OSError) as error:
        raise Mistake(str(error)) from None
    return 0
