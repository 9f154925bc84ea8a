"""``hedgetheory construct``: a gold curve with extrema where one wants them."""

from __future__ import annotations

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown


@click.command(
    "construct",
    epilog=options.examples(
        "construct --law uniform --family bon --extrema 2,5,11",
        'construct --law "normal(0,1)" --family tilt --extrema 1,2 --json',
    ),
)
@options.law()
@options.family()
@click.option(
    "--extrema", metavar="THETAS", required=True, help="Where f shall turn, such as 2,5,11."
)
@options.digits(12)
@command_options
def command(law_text: str, family_text: str, extrema: str, digits: int) -> Report:
    """A polynomial gold curve whose value along the family turns exactly at the points given.

    The counterexample to Theorem 1 without a condition on the gold curve. Exit code 3 where the
    number of extrema is not certified.
    """
    from hedgetheory.analysis.prescribed import gold_with_extrema
    from hedgetheory.spec.grammar import parse_family, parse_law

    law, family = parse_law(law_text), parse_family(family_text)
    made = gold_with_extrema(law, family, [text.strip() for text in extrema.split(",")])
    found = made.found
    fields = {
        "law": str(law),
        "family": str(family),
        "extrema_asked": [str(theta) for theta in made.thetas],
        "gold": str(made),
        "certified": made.certified,
        "digits": digits,
        **found.to_json(),
    }
    rows = [
        [e.kind, str(theta), shown(e.theta, digits), shown(e.value, digits)]
        for theta, e in zip(made.thetas, found.extrema, strict=False)
    ]
    blocks: list[str | Grid] = [
        f"gold: {made}",
        "",
        Grid(["kind", "asked", "certified at", "value"], rows),
        f"complete: {found.complete} on {found.domain}: {found.complete_reason}",
    ]
    return Report("construct", fields, blocks, 0 if made.certified else 3)
