"""``hedgetheory randomised``: is a tilt exactly the best of a random number of draws?"""

from __future__ import annotations

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown
from hedgetheory.errors import InputError

DIGITS = 15


@click.command(
    "randomised",
    epilog=options.examples(
        'randomised --law "exponential(1)" --policy "tilt(1/2)"',
        'randomised --law normal --policy "tilt(1)" --json',
        'randomised --law "finite({0: 1/3, 1: 1/3, 2: 1/3})" --policy "tilt(1)"',
    ),
)
@options.law()
@click.option("--policy", "text", metavar="TILT", required=True, help="A raw tilt: tilt(1/2).")
@command_options
def command(law_text: str, text: str) -> Report:
    """Is the tilt of the raw reward exactly the best of N draws for some random N?

    The law of N with E[N] where it is, a certified witness where it is not. Exit code 3 where that
    is undecided.
    """
    from hedgetheory.analysis.randomised.decide import decide
    from hedgetheory.policies.tilt import Tilt
    from hedgetheory.spec.grammar import parse_policy

    law, policy = options.read_law(law_text), parse_policy(text)
    if not isinstance(policy, Tilt):
        raise InputError(f"policy={policy}, but must be a tilt of the raw reward, such as tilt(1)")
    found = decide(law, policy.strength)
    fields = {
        "law": str(law),
        "policy": str(policy),
        "verdict": found.verdict,
        "reason": found.reason,
        "draws": None,
        "witness": found.witness or None,
    }
    rows = [["because", found.reason]]
    if found.draws is not None:
        drawn = found.draws
        mean = None if drawn.mean is None else drawn.mean.to_json(DIGITS)
        fields["draws"] = {
            "name": drawn.name,
            "pgf": drawn.pgf,
            "mean": mean,
            "masses": [{"n": n, "mass": mass.to_json(DIGITS)} for n, mass in drawn.masses],
            "unique": drawn.unique,
        }
        rows += [["N", drawn.name], ["G(u)", drawn.pgf]]
        if drawn.mean is not None:
            rows.append(["E[N]", shown(drawn.mean, DIGITS)])
        rows += [[f"P(N = {n})", shown(mass, DIGITS)] for n, mass in drawn.masses]
    else:
        rows += [[name, _brief(value)] for name, value in found.witness.items()]
    title = f"{policy} on {law} is a randomised best-of-n"
    code = 3 if found.verdict == "undecided" else 0
    return Report("randomised", fields, [Grid([title, found.verdict], rows)], code)


def _brief(value: object) -> str:
    return str(value["decimal"]) if isinstance(value, dict) else str(value)
