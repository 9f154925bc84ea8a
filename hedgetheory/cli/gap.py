"""``hedgetheory gap``: Best-of-Poisson against the tilt of equal mean proxy reward."""

from __future__ import annotations

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown
from hedgetheory.errors import InputError


@click.command(
    "gap",
    epilog=options.examples(
        "gap --law uniform --at 4",
        "gap --law normal --at 7/2 --digits 30 --json",
    ),
)
@options.law()
@click.option("--at", metavar="MU", help="The mu of Best-of-Poisson, mu >= 0.")
@click.option("--sup", is_flag=True, help="The largest gap over all mu (not built yet).")
@options.digits(15)
@command_options
def command(law_text: str, at: str | None, sup: bool, digits: int) -> Report:
    """KL(BoP at mu) - KL(tilt) in nats, at the tilt with the same mean proxy reward."""
    if sup and at is not None:
        raise click.UsageError("--sup and --at exclude each other")
    if sup:
        raise InputError("--sup is not built yet: ask for the gap at one mu with --at")
    if at is None:
        raise click.UsageError("missing --at MU")
    from hedgetheory.functionals.gap import gap_at
    from hedgetheory.spec.grammar import parse_law

    law = parse_law(law_text)
    point = gap_at(law, at, digits)
    numbers = {"number": point.gap, "lam": point.lam, "mean": point.mean}
    fields = {
        "law": str(law),
        "at": at,
        "digits": digits,
        **{name: number.to_json(digits) for name, number in numbers.items()},
    }
    labels = {"number": "gap in nats", "lam": "lam of the tilt", "mean": "mean proxy reward"}
    rows = [[labels[name], shown(number, digits)] for name, number in numbers.items()]
    return Report("gap", fields, [Grid([f"bop(mu={at}) on {law}", ""], rows)])
