"""``hedgetheory verify``: the ledger of claims."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid

if TYPE_CHECKING:
    from hedgetheory.claims.model import ClaimResult


@click.command(
    "verify",
    epilog=options.examples(
        "verify",
        "verify --only theorem-2 --json",
        "verify --workers -1 --json -o ledger.json",
    ),
)
@click.option("--only", metavar="TEXT", help="Claims whose id or title contains TEXT.")
@options.workers()
@command_options
def command(only: str | None, workers: int) -> Report:
    """Check every claim of the ledger: its verdict, and the one that we stand for.

    Exit code 1 where a decided verdict is not the expected one, 3 where a claim is unexpectedly
    undecided.
    """
    from hedgetheory.ledger import exit_code, select, to_json, verify

    with _progress(len(select(only))) as step:
        results = verify(only, step, workers)
    rows = [
        [result.claim.id, result.verdict, result.claim.expected, result.claim.title]
        for result in results
    ]
    return Report(
        "verify",
        {"claims": to_json(results)},
        [Grid(["claim", "verdict", "expected", "title"], rows), "", _summary(results)],
        exit_code(results),
    )


def _summary(results: list[ClaimResult]) -> str:
    counts = Counter(str(result.verdict) for result in results)
    parts = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    wrong = [result.claim.id for result in results if not result.as_expected]
    verdict = "all as expected" if not wrong else f"NOT as expected: {', '.join(wrong)}"
    seconds = sum(result.seconds for result in results)
    return f"{len(results)} claims: {parts}; {verdict} ({seconds:.1f} s)"


@contextmanager
def _progress(total: int) -> Iterator[Callable[[ClaimResult], None] | None]:
    """A bar on stderr, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("claims", total=total)

        def step(result: ClaimResult) -> None:
            bar.update(task, advance=1, description=result.claim.id)

        yield step
