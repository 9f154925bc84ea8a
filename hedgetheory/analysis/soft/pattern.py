"""What both directions of Soft Best-of-n ask first: which parameter is free, and the shape of g."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

from hedgetheory.analysis.curve import NoExactForm, gold_on_atoms
from hedgetheory.analysis.expsum import canonical, symbolic
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, constant_sign
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import lam, n, r, u, ubar
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.continuous import unit_supremum
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.plans import Infinite, Undefined
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball, precision, upper_integer
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import Domain
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: The strict signs of dg in order, and where they change.
Pattern: TypeAlias = tuple[list[int], list[Change]]
#: Best-of-n, which lends what does not depend on the family: g′ and the reference.
BON = Family("bon", BestOfN, n, Domain(Fraction(1)))
_FEWER_DIGITS = (15, 6)


def along_strength(family: Family) -> bool:
    """Whether a family is Soft Best-of-n with λ free."""
    return family.symbol == lam and isinstance(family.at(family.domain.lower), SoftBestOfN)


def along_draws(family: Family) -> bool:
    """Whether a family is Soft Best-of-n with n free."""
    return family.symbol == n and isinstance(family.at(family.domain.lower), SoftBestOfN)


def gold_pattern(law: Law, gold: Gold) -> tuple[Pattern | None, str]:
    """The strict signs of dg and their changes, or None and why they are not known."""
    try:
        if isinstance(law, FiniteLaw):
            return _on_atoms(law, gold), ""
        if isinstance(law, ContinuousLaw):
            # Best-of-n lends its certified signs of g′: they do not depend on the family.
            pattern = smooth_pattern(SmoothCurve(law, BON, gold))
            return pattern, "" if pattern else "the sign changes of g' are not certified"
    except (NoExactForm, NotPolynomial, NotCertified) as why:
        return None, str(why)
    return None, f"no sign changes on {law}"


def _on_atoms(law: FiniteLaw, gold: Gold) -> Pattern:
    values = gold_on_atoms(law, gold)
    signs: list[int] = []
    changes: list[Change] = []
    for i in range(1, len(values)):
        sign = constant_sign(canonical(symbolic(values[i]) - symbolic(values[i - 1])))
        if sign and signs and sign != signs[-1]:
            at = law.atoms[i - 1][0]
            changes.append(Change(at, at, signs[-1], sign))
        if sign and (not signs or sign != signs[-1]):
            signs.append(sign)
    return signs, changes


def gold_supremum(law: Law, curve: GoldCurve) -> Fraction | None:
    """A rational upper bound of |g| on the law's range, None where it is not seen to be bounded."""
    if isinstance(law, FiniteLaw):
        program = compiled(curve.expr.xreplace({ubar: 1 - u}), (r, u))
        return max(
            upper_integer(program(REAL, ball(at), ball(level)))
            for (at, _), level in zip(law.atoms, law.cumulative, strict=True)
        )
    if curve.expr.has(r) and not isinstance(law, Uniform):
        return None
    try:
        return unit_supremum(curve.expr.xreplace({r: u}))
    except NotCertified:
        return None


def infinite_mean(law: Law, gold: Gold) -> str:
    """Why E[g] under the reference is not known to be finite; empty where it is.

    w ≤ n, so that E[g] is finite under Soft Best-of-n wherever E|g| is under the reference.
    """
    try:
        plan = next(iter(bind(BestOfN(1), law).gold(GoldCurve.of(gold))))
        if isinstance(plan, (Infinite, Undefined)):
            return f"E[g] is not finite: {plan.why}"
        with precision(64):
            finite = enclosure(plan).is_finite()
    except NotCertified as why:
        return f"E[g] is not certified to be finite: {why}"
    return "" if finite else "E[g] is not certified to be finite"


def certified_value(law: Law, policy: Any, curve: GoldCurve, digits: int) -> Number:
    """E[g] under a policy, to fewer digits where those are beyond the bounded work.

    Undefined, with its reason, where it is not certified at all.
    """
    reason = ""
    for asked in (digits, *(fewer for fewer in _FEWER_DIGITS if fewer < digits)):
        try:
            return value(law, policy, "gold", gold=curve, digits=asked)
        except NotCertified as why:
            reason = reason or str(why)
    return Number.undefined(reason)


def between(low: Fraction, high: Fraction, digits: int) -> Number:
    """The tightest decimal ball around [low, high]."""
    middle = (low + high) / 2
    size = max(abs(middle), Fraction(1, 10**300))
    exponent = len(str(int(size))) if size >= 1 else -len(str(int(1 / size))) + 1
    exp10 = exponent - digits - 6
    unit = Fraction(10) ** exp10
    mid = round(middle / unit)
    rad = -(-max(high - mid * unit, mid * unit - low) // unit)
    return Number.ball(mid, int(rad), exp10)
