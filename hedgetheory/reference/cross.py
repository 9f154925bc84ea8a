"""The second method of a case, and to how many digits it agrees with the first.

In this order: another plan of the same quantity in balls (the definition as an integral, where the
value is a closed form), and the last plan in mpmath. What does not agree to `REQUIRED` digits is
a bug, of the value or of the check: it is raised, never dropped.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hedgetheory.errors import HedgeTheoryError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.functionals.estimates import highprec
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.plans import Infinite, Plan, Undefined
from hedgetheory.reference.model import Check

#: Significant digits to which two methods must agree.
REQUIRED = 20
#: Digits of the second method.
WORKING = 30


class Disagreement(HedgeTheoryError):
    """Two methods give different values: one of them is wrong."""


def agreement(value: Number, other: Fraction) -> int:
    """Significant digits to which ``other`` agrees with a finite value, at most `WORKING`."""
    low, high = value.bounds
    distance = max(abs(other - low), abs(high - other))
    if low == high == 0 and distance < Fraction(1, 10**WORKING):
        return WORKING  # an exact zero has no significant digits: compared absolutely
    size = max(abs(low), abs(high))
    digits = 0
    while digits < WORKING and distance * 10 ** (digits + 1) <= size:
        digits += 1
    return digits


def by_plans(value: Number, plans: list[Plan]) -> Check:
    """Check a value against the last of its plans. Raises Disagreement."""
    last = plans[-1]
    if isinstance(last, (Infinite, Undefined)):
        return Check("criterion")
    if len(plans) > 1:
        try:
            other = number(last, REQUIRED + 2)
        except NotCertified:
            pass
        else:
            low, high = value.bounds
            lower, upper = other.bounds
            if high < lower or upper < low:
                raise Disagreement(f"{value} and {other} by the definition in balls")
            return Check("definition in balls", agreement(value, (lower + upper) / 2))
    estimate = highprec(last, WORKING)
    digits = agreement(value, as_fraction(estimate))
    if digits < REQUIRED:
        raise Disagreement(f"{value} and {estimate} by mpmath")
    return Check("plan in mpmath", digits)


def as_fraction(x: Any) -> Fraction:
    """The exact value of an mpmath number."""
    sign, mantissa, exponent, _ = x._mpf_
    if not mantissa and exponent:
        raise Disagreement(f"{x} by mpmath, which is no finite number")
    value = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -value if sign else value
