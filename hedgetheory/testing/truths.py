"""True values for the assertions: a quantity of a policy, a family's threshold, a gold slope."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.functionals.quantities import value
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law, parse_policy

if TYPE_CHECKING:
    from hedgetheory.expressions.formula import Formula
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.base import Policy

#: Digits of the true value: far beyond any tolerance on a double.
DIGITS = 25


@lru_cache(maxsize=4096)
def true_value(
    quantity: str,
    policy: str,
    law: str,
    *,
    at: Fraction | str | None = None,
    order: Fraction | None = None,
    gold: str | None = None,
) -> Number:
    """The value of a quantity, certified to 25 digits, or the best ball that was reached.

    Beside those of `hedgetheory.functionals.quantities.QUANTITIES`: ``threshold``, where
    ``policy`` is a family, and ``slope``, dE[g]/dθ in the policy's parameter, in λ for Soft
    Best-of-n.

    Raises InputError for arguments out of domain and NotCertified where nothing is certain.
    """
    on, curve = parse_law(law), None if gold is None else parse_gold(gold)
    try:
        if quantity in ("threshold", "slope"):
            if curve is None or at is not None or order is not None:
                raise InputError(f"{quantity} takes gold, such as u**12*(1 - u), and nothing else")
            if quantity == "threshold":
                return _threshold(on, policy, curve)
            return _slope(on, parse_policy(policy), curve)
        by = parse_policy(policy)
        return value(on, by, quantity, at=at, order=order, gold=curve, digits=DIGITS)
    except NotCertified as failed:
        if failed.enclosure is None:
            raise
        return failed.enclosure


def _threshold(law: Law, family: str, gold: Formula) -> Number:
    from hedgetheory.analysis.check import check

    found = check(law, parse_family(family), gold, DIGITS)
    if found.hacking == "undecided":
        raise NotCertified(f"the threshold of {family} is undecided: {found.threshold.reason}")
    return found.threshold


def _slope(law: Law, policy: Policy, gold: Formula) -> Number:
    """f′(θ): by the race for Soft Best-of-n, else (N′D − ND′)/D² of the exact form of f = N/D."""
    from hedgetheory.analysis.curve import NoExactForm, curve_of
    from hedgetheory.functionals.soft.slope import slope_in_strength
    from hedgetheory.numerics.ball import ball, certify
    from hedgetheory.policies.soft_best_of_n import SoftBestOfN

    if isinstance(policy, SoftBestOfN):
        return slope_in_strength(policy, law, gold, DIGITS)
    if policy.name not in ("bon", "bop", "quantile_tilt", "tilt"):
        raise InputError(f"{policy}, but a slope is of bon, bop, quantile_tilt, tilt or sbon")
    (theta,) = policy.bindings.values()
    try:
        curve = curve_of(law, parse_family(policy.name), gold)
    except NoExactForm as why:
        raise NotCertified(f"the slope of {policy} on {law} is not certified: {why}") from None
    if theta <= curve.lower:
        raise InputError(f"{policy} is the end of its family: the slope is asked inside of it")
    return certify(
        lambda: curve.slope(ball(theta)) / curve.denominator(ball(theta)) ** 2,
        DIGITS,
        f"the slope of {policy}",
    )
