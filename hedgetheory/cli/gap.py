"""``hedgetheory gap``: Best-of-Poisson against the tilt of equal mean proxy reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown

if TYPE_CHECKING:
    from hedgetheory.laws.base import Law


@click.command(
    "gap",
    epilog=options.examples(
        "gap --law uniform --at 4",
        "gap --law normal --at 7/2 --digits 30 --json",
        "gap --law uniform --sup --digits 10",
    ),
)
@options.law()
@click.option("--at", metavar="MU", help="The mu of Best-of-Poisson, mu >= 0.")
@click.option("--sup", is_flag=True, help="The supremum over all mu, and where it is attained.")
@options.digits(15)
@command_options
def command(law_text: str, at: str | None, sup: bool, digits: int) -> Report:
    """KL(BoP at mu) - KL(tilt) in nats, at the tilt with the same mean proxy reward."""
    if sup == (at is not None):
        raise click.UsageError("give one of --at MU and --sup")
    law = options.read_law(law_text)
    return _supremum(law, digits) if at is None else _at(law, at, digits)


def _supremum(law: Law, digits: int) -> Report:
    from hedgetheory.functionals.gap_supremum import gap_supremum

    found = gap_supremum(law, digits)
    fields = {
        "law": str(law),
        "digits": digits,
        "sup": found.supremum.to_json(digits),
        "argmax": None if found.argmax is None else found.argmax.to_json(digits),
        "verdict": found.verdict,
    }
    rows = [["gap in nats", shown(found.supremum, digits)]]
    if found.argmax is not None:
        rows.append(["at mu", shown(found.argmax, digits)])
    return Report("gap", fields, [Grid([f"bop on {law}, all mu", found.verdict], rows)])


def _at(law: Law, at: str, digits: int) -> Report:
    from hedgetheory.functionals.gap import gap_at

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
