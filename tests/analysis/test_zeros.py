"""Zeros of exponential sums: all of them, with multiplicity, and gaps named where they stay."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from hedgetheory.analysis.expsum import ExpSum
from hedgetheory.analysis.zeros import isolate
from hedgetheory.numerics.ball import enclosing_rationals, precision
from hedgetheory.numerics.roots import polynomial_roots

ZERO, ONE = Fraction(0), Fraction(1)


def total(**terms):
    """total(c=[...], e=[...]): polynomials times 1 and e^x."""
    keys = {"c": ZERO, "e": ONE, "ee": Fraction(2)}
    return ExpSum({keys[k]: tuple(map(Fraction, p)) for k, p in terms.items()})


def test_both_zeros_of_e_to_the_x_minus_3x():
    found = isolate(total(e=[1], c=[0, -3]), ZERO)
    expected = [-mpmath.lambertw(mpmath.mpf(-1) / 3, k).real for k in (0, -1)]
    assert found.complete
    with precision(100):
        bounds = [enclosing_rationals(zero.ball()) for zero in found.zeros]
    for (low, high), root in zip(bounds, expected, strict=True):
        assert float(low) == pytest.approx(float(root), rel=1e-14)
        assert high - low < Fraction(1, 2**90)


def test_multiplicities_are_exact():
    once = total(e=[1], c=[0, -3])
    square = once * once * total(c=[-2, 0, 1]) * total(c=[-5, 1]) * total(c=[-5, 1])
    zeros = isolate(square, ZERO).zeros
    assert [zero.multiplicity for zero in zeros] == [2, 1, 2, 2]
    assert zeros[3].exact == 5


def test_a_zero_at_the_lower_end_itself_is_not_inside():
    # e^x − 1 − x − x²/2 has a triple zero at 0 and none beyond.
    assert isolate(total(e=[1], c=[-1, -1, Fraction(-1, 2)]), ZERO).zeros == []


def test_zeros_near_the_lower_end_are_found():
    # (e^x − 1)(x − 10⁻⁹) is near zero twice.
    tiny = Fraction(1, 10**9)
    found = isolate(total(e=[1], c=[-1]) * total(c=[-tiny, 1]), ZERO)
    assert [zero.exact for zero in found.zeros] == [tiny]


def test_a_double_zero_among_logarithms_leaves_a_gap():
    # ((1/2)^x − 1/3)² has a double zero that no squarefree part removes here.
    half, third = Fraction(1, 2), Fraction(-1, 3)
    once = ExpSum({half: (ONE,), ONE: (third,)}, logarithmic=True)
    found = isolate(once * once, ONE)
    assert not found.complete
    assert [float(low) for low, _ in found.gaps] == pytest.approx([float(mpmath.log(3, 2))])


def test_polynomial_roots_are_exact_where_rational():
    roots = polynomial_roots([Fraction(c) for c in (-6, 11, -6, 1)])
    assert sorted(root.low for root in roots) == [1, 2, 3]
    assert all(root.low == root.high for root in roots)
