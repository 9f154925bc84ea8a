"""``hedgetheory gap``: Best-of-Poisson against the tilt of equal mean proxy reward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hedgetheory.cli import options
from hedgetheory.cli.output import Report, command_options
from hedgetheory.cli.text import Grid, shown
from hedgetheory.errors import InputError

if TYPE_CHECKING:
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.base import Policy
    from hedgetheory.policies.family import Family


@click.command(
    "gap",
    epilog=options.examples(
        "gap --law uniform --at 4",
        "gap --law normal --at 7/2 --digits 30 --json",
        'gap --law "gumbel(0,1)" --policy "best_of_random(geometric(1/3))"',
        "gap --law uniform --sup --digits 10",
        'gap --law "finite({0: 1/2, 1: 1/4, 3: 1/4})" --sup',
        'gap --law uniform --sup --family "best_of_random(geometric)"',
    ),
)
@options.law()
@click.option("--at", metavar="MU", help="The mu of Best-of-Poisson, mu >= 0.")
@click.option("--policy", "policy_text", metavar="POLICY", help="A rank policy instead of --at.")
@click.option("--sup", is_flag=True, help="The supremum over all mu, and where it is attained.")
@click.option("--family", "family_text", metavar="FAMILY", help="With --sup: another family.")
@options.digits(15)
@command_options
def command(
    law_text: str,
    at: str | None,
    policy_text: str | None,
    sup: bool,
    family_text: str | None,
    digits: int,
) -> Report:
    """KL(policy) - KL(tilt) in nats, at the tilt with the same mean proxy reward.

    The policy is Best-of-Poisson at MU, or any rank policy with --policy; --sup is over every mu,
    or over the free parameter of a family of rank policies.
    """
    if sum((sup, at is not None, policy_text is not None)) != 1:
        raise click.UsageError("give one of --at MU, --policy POLICY and --sup")
    if family_text is not None and not sup:
        raise click.UsageError("--family goes with --sup")
    from hedgetheory.policies.best_of_poisson import BestOfPoisson
    from hedgetheory.spec.grammar import parse_family, parse_policy

    law = options.read_law(law_text)
    if sup:
        return _supremum(law, digits, None if family_text is None else parse_family(family_text))
    policy = BestOfPoisson(at or "") if policy_text is None else parse_policy(policy_text)
    return _at(law, policy, at, digits)


def _supremum(law: Law, digits: int, family: Family | None) -> Report:
    from hedgetheory.functionals.gap_supremum import gap_supremum

    found = gap_supremum(law, digits, family)
    name, theta = ("bop", "mu") if family is None else (str(family), family.symbol.name)
    theta = "r" if theta == "k" else theta  # r in formulas is the reward
    fields = {
        "law": str(law),
        "family": name,
        "digits": digits,
        "sup": found.supremum.to_json(digits),
        **({"reason": found.supremum.reason} if found.supremum.is_undefined else {}),
        "argmax": None if found.argmax is None else found.argmax.to_json(digits),
        "verdict": found.verdict,
        "why": found.why,
    }
    rows = [["gap in nats", shown(found.supremum, digits)]]
    if found.argmax is not None:
        rows.append([f"at {theta}", shown(found.argmax, digits)])
    if found.argmax is None and not found.supremum.is_undefined:
        rows.append(["because", found.why])
    return Report("gap", fields, [Grid([f"{name} on {law}, all {theta}", found.verdict], rows)])


def _at(law: Law, policy: Policy, at: str | None, digits: int) -> Report:
    from hedgetheory.functionals.gap import gap_of
    from hedgetheory.policies.base import RankPolicy

    if not isinstance(policy, RankPolicy):
        raise InputError(f"policy={policy}, but must be a rank policy, such as bon(4) [gap]")
    point = gap_of(law, policy, digits)
    numbers = {"number": point.gap, "lam": point.lam, "mean": point.mean}
    fields = {
        "law": str(law),
        "policy": str(policy),
        "at": at,
        "digits": digits,
        **{name: number.to_json(digits) for name, number in numbers.items()},
    }
    labels = {"number": "gap in nats", "lam": "lam of the tilt", "mean": "mean proxy reward"}
    rows = [[labels[name], shown(number, digits)] for name, number in numbers.items()]
    return Report("gap", fields, [Grid([f"{policy} on {law}", ""], rows)])
