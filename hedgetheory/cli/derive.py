"""``hedgetheory derive``: a closed form with its proof."""

from __future__ import annotations

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid


@click.command(
    "derive",
    epilog=options.examples(
        "derive --law uniform --family bop --quantity kl",
        "derive --law exponential --family bon --quantity mean_reward --latex",
        "derive --law logistic --family tilt --quantity kl --json",
    ),
)
@options.law()
@options.family()
@click.option("--quantity", required=True, metavar="QUANTITY", help="See: list quantities.")
@click.option("--latex", "as_latex", is_flag=True, help="Print the formula as LaTeX.")
@command_options
def command(law_text: str, family_text: str, quantity: str, as_latex: bool) -> Report:
    """The closed form of a quantity along a family, and the steps that prove it.

    Exit code 3 where a step of the proof does not hold.
    """
    from hedgetheory.functionals.derive import derive
    from hedgetheory.spec.grammar import parse_family, parse_law

    law, family = parse_law(law_text), parse_family(family_text)
    found = derive(law, family, quantity)
    fields = {
        "law": str(law),
        "family": str(family),
        "quantity": quantity,
        "formula": found.formula,
        "latex": found.latex,
        "where": dict(found.where),
        "proof": found.proof.to_json(),
    }
    steps = [["holds" if s.holds else "FAILED", s.by, s.says] for s in found.proof.steps]
    where = [f"  where {name} = {meaning}" for name, meaning in found.where.items()]
    return Report(
        "derive",
        fields,
        [
            f"{quantity} of {family} on {law}: {found.latex if as_latex else found.formula}",
            *where,
            "",
            f"proof: {found.proof.statement}",
            Grid(["", "by", "step"], steps),
            *(f"rests on: {theorem}" for theorem in found.proof.rests_on),
        ],
        0 if found.proof.holds else 3,
    )
