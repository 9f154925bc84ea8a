"""Exact polynomial algebra for root isolation: integer coefficients in, isolating intervals out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from hedgetheory.numerics import ball as balls


@dataclass(frozen=True)
class PolynomialRoot:
    """One real root: the interval [low, high] holds it and no other root of ``factor``.

    ``low == high`` exactly where the root is rational; otherwise the root is interior.
    """

    low: Fraction
    high: Fraction
    factor: tuple[int, ...]
    multiplicity: int


def integers(coefficients: Sequence[Fraction]) -> list[int]:
    """The coefficients times their common denominator.

    >>> integers([Fraction(1, 2), Fraction(1, 3)])
    [3, 2]
    """
    common = lcm(*(c.denominator for c in coefficients), 1)
    return [int(c * common) for c in coefficients]


def sign_at(coefficients: Sequence[int], x: Fraction) -> int:
    """The exact sign of a polynomial (constant coefficient first) at a rational.

    >>> sign_at([-2, 0, 1], Fraction(3, 2))
    1
    """
    # Homogenised: Σ c_i p^i q^{d−i}, integers only.
    total, power = 0, 1
    for c in reversed(coefficients):
        total = total * x.numerator + c * power
        power *= x.denominator
    return (total > 0) - (total < 0)


def polynomial_roots(coefficients: Sequence[Fraction]) -> list[PolynomialRoot]:
    """All real roots of a non-zero rational polynomial with their multiplicities.

    The polynomial is factored over the rationals, so that rational roots are exact, two factors
    share no root, and every root of a factor is simple. Guarantee: exact isolation.

    >>> [(root.low, root.multiplicity) for root in polynomial_roots([Fraction(0), Fraction(0), 1])]
    [(Fraction(0, 1), 2)]
    """
    found: list[PolynomialRoot] = []
    for factor, multiplicity in balls.irreducible_factors(integers(coefficients)):
        if len(factor) == 2:
            root = Fraction(-factor[0], factor[1])
            found.append(PolynomialRoot(root, root, tuple(factor), multiplicity))
            continue
        found += [
            PolynomialRoot(low, high, tuple(factor), multiplicity)
            for low, high in _isolated(factor)
        ]
    return found


def _isolated(factor: list[int]) -> list[tuple[Fraction, Fraction]]:
    """Isolating intervals of an irreducible factor, with a sign change from end to end."""
    bits = 64
    while True:
        with balls.precision(bits):
            intervals = [balls.enclosing_rationals(x) for x in balls.real_roots(factor)]
        # An irrational root is no end of an interval, so opposite signs certify what the ball
        # promises: one simple root inside.
        if all(sign_at(factor, low) * sign_at(factor, high) < 0 for low, high in intervals):
            return sorted(intervals)
        bits *= 2
