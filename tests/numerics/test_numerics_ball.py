"""Balls: certification, precision, integrals and roots."""

from __future__ import annotations

import time
from fractions import Fraction

import mpmath
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify, complex_arithmetic, integral, precision

few = settings(max_examples=50, deadline=None)
small = st.fractions(min_value=-4, max_value=4, max_denominator=50)


def contains(x: arb, value: Fraction) -> bool:
    low, high = balls.enclosing_rationals(x)
    return low <= value <= high


def test_precision_is_restored_also_after_an_exception():
    before = ctx.prec
    with precision(777):
        assert ctx.prec == 777
        with pytest.raises(ZeroDivisionError), precision(888):
            _ = 1 // 0
        assert ctx.prec == 777
    assert ctx.prec == before
    with pytest.raises(ZeroDivisionError):
        certify(lambda: ball(Fraction(1)) / (1 // 0), 10)
    assert ctx.prec == before
    with pytest.raises(NotCertified):
        certify(lambda: arb(0, 1), 10, costly=True)
    assert ctx.prec == before


def test_a_ball_that_never_narrows_is_not_certified_and_carries_the_best_enclosure():
    with pytest.raises(NotCertified, match="exactly 0 has no significant digits") as caught:
        certify(lambda: arb(0, 1), 10, "it")
    low, high = caught.value.enclosure.bounds
    assert low <= -1
    assert high >= 1
    with pytest.raises(NotCertified) as caught:
        certify(arb.nan, 10)
    assert caught.value.enclosure is None


@given(st.fractions(max_denominator=10**9), st.integers(1, 60))
@few
def test_certified_numbers_contain_the_value_with_the_digits_asked_for(value, digits):
    number = certify(lambda: ball(value) + ball(Fraction(1, 3)) - ball(Fraction(1, 3)), digits) \
        if value else Number.exact(0)  # fmt: skip
    low, high = number.bounds
    assert low <= value <= high
    assert high - low <= 2 * abs(value) * Fraction(1, 10**digits)


def test_a_value_that_cancels_is_found_at_higher_precision():
    tiny = Fraction(1, 10**200)
    number = certify(lambda: (1 + ball(tiny)) - 1, 20)
    low, high = number.bounds
    assert low <= tiny <= high
    assert high - low < tiny / 10**20


@given(small, small, st.integers(0, 7))
@few
def test_integer_powers_of_a_ball_contain_the_powers_and_even_ones_are_not_negative(c, w, k):
    low, high = min(c, w), max(c, w)
    box = balls.hull(ball(low), ball(high))
    power = REAL.integer_power(k)(box)
    for i in range(5):
        assert contains(power, (low + (high - low) * Fraction(i, 4)) ** k)
    if k % 2 == 0:
        assert REAL.integer_power(2)(arb(0, 1)) >= 0


@given(small, small, st.fractions(min_value=0, max_value=3, max_denominator=4))
@few
def test_real_powers_of_a_ball_that_touches_zero_contain_the_powers(low, width, exponent):
    low, high = Fraction(0), abs(width)
    # The part from 0 on: a ball around 0 reaches a little below it.
    power = REAL.pow(balls.hull(ball(low), ball(high)).nonnegative_part(), ball(exponent))
    for i in range(5):
        x = high * Fraction(i, 4)
        truth = mpmath.mpf(x.numerator) / x.denominator
        value = truth ** (mpmath.mpf(exponent.numerator) / exponent.denominator)
        lower, upper = balls.enclosing_rationals(power)
        assert float(lower) - 1e-12 <= value <= float(upper) + 1e-12


def test_a_magnitude_and_an_even_power_of_a_ball_around_zero_are_not_negative():
    # abs([-1, 1]) is [-1, 1] to flint, and its square is NaN.
    for box in (arb(0, 1), arb(0.25, 1), arb(-0.25, 1)):
        assert REAL.absolute(box) >= 0
        assert REAL.integer_power(2)(box) >= 0
        assert REAL.integer_power(2)(box).is_finite()
        assert contains(REAL.integer_power(3)(box), Fraction(-1, 8))


def test_a_bound_over_the_unit_interval_covers_roots_at_both_ends():
    defined, unit = balls.WHERE_DEFINED, balls.unit_interval()
    for value in (defined.sqrt(unit), defined.sqrt(1 - unit), defined.pow(1 - unit, arb(2.5))):
        assert value.is_finite()
        assert contains(value, Fraction(0))
        assert contains(value, Fraction(1))


def test_powers_outside_the_domain_are_not_finite():
    assert not REAL.pow(arb(-1), arb(0.5)).is_finite()
    assert not REAL.pow(arb(0, 1), arb(0.5)).is_finite()
    assert not REAL.pow(arb(0.5, 0.5), arb(-1)).is_finite()
    assert REAL.pow(arb(0), arb(0)) == 1


@given(small, small, small, small)
@few
def test_minimum_maximum_abs_and_where_contain_the_values_at_points(a, b, c, d):
    x, y = (balls.hull(ball(min(p, q)), ball(max(p, q))) for p, q in ((a, b), (c, d)))
    for s in (a, (a + b) / 2, b):
        for t in (c, d):
            assert contains(REAL.minimum(x, y), min(s, t))
            assert contains(REAL.maximum(x, y), max(s, t))
            assert contains(REAL.absolute(x), abs(s))
            chosen = REAL.where(REAL.less(x, y), arb(10), arb(20))
            assert contains(chosen, Fraction(10 if s < t else 20))
            chosen = REAL.where(REAL.at_most(x, y), arb(10), arb(20))
            assert contains(chosen, Fraction(10 if s <= t else 20))


def test_comparison_of_equal_points_is_decided_strictly():
    half = ball(Fraction(1, 2))
    assert REAL.less(half, half) is False
    assert REAL.at_most(half, half) is True
    assert REAL.less(arb(0, 1), half) is None
    assert REAL.both(None, False) is False
    assert REAL.both(None, True) is None
    assert REAL.either(None, True) is True
    assert REAL.either(None, False) is None


def test_complex_functions_with_branches_are_refused_where_analyticity_is_asked():
    analytic, plain = complex_arithmetic(True), complex_arithmetic(False)
    around_zero = balls.as_complex(arb(0, 1))
    for name in ("absolute", "log", "sqrt"):
        assert not getattr(analytic, name)(around_zero).is_finite()
    assert plain.absolute(around_zero).is_finite()
    one = balls.as_complex(arb(1))
    undecided = analytic.less(around_zero, one * 0)
    assert undecided is None
    assert not analytic.where(undecided, one, one).is_finite()
    assert plain.where(undecided, one, one * 3).real.contains(2)
    assert not analytic.minimum(around_zero, one * 0).is_finite()
    assert not analytic.pow(around_zero, one / 2).is_finite()
    assert not analytic.log1p(around_zero * 2).is_finite()


def test_integrals_of_functions_with_corners_and_jumps_contain_the_value():
    def corner(x, analytic):
        return complex_arithmetic(analytic).absolute(x - ball(Fraction(1, 3)))

    def jump(x, analytic):
        arithmetic = complex_arithmetic(analytic)
        condition = arithmetic.less(x, balls.as_complex(ball(Fraction(1, 3))))
        return arithmetic.where(condition, x * x, x * 0 + 5)

    def root(x, analytic):
        return complex_arithmetic(analytic).sqrt(x)

    with precision(100):
        zero, one = arb(0), arb(1)
        for function, value in (
            (corner, Fraction(1, 18) + Fraction(4, 18)),
            (jump, Fraction(1, 81) + Fraction(10, 3)),
            (root, Fraction(2, 3)),
        ):
            result = integral(function, zero, one)
            assert contains(result, value)
            assert result.rad() < arb("1e-20")


def test_an_integral_that_cannot_be_certified_ends_within_seconds():
    def wild(x, analytic):
        return (1 / x).sin() / x

    start = time.perf_counter()
    with pytest.raises(NotCertified), precision(100):
        integral(wild, arb("1e-9"), arb(1))
    assert time.perf_counter() - start < 10


def test_what_the_integrand_raises_comes_out_of_the_integral():
    class Stop(BaseException):
        pass

    calls = []

    def bad(x, analytic):
        calls.append(x)
        raise Stop

    with pytest.raises(Stop):
        integral(bad, arb(0), arb(1))
    assert len(calls) == 1


@pytest.mark.parametrize("bits", [40, 100, 300])
@pytest.mark.parametrize(
    "root", [Fraction(1, 3), Fraction(1, 2), Fraction(1, 10**9), 1 - Fraction(1, 10**7)]
)
def test_the_root_of_an_increasing_function_is_enclosed(bits, root):
    root = Fraction(root)
    with precision(bits):
        for function in (
            lambda x: x - ball(root),
            lambda x: (x - ball(root)) ** 3,
            lambda x: (x * 40).exp() - (ball(root) * 40).exp(),
        ):
            found = balls.increasing_root(function)
            assert contains(found, root)
        linear = balls.increasing_root(lambda x: x - ball(root))
        assert linear.rad() < ball(root) * arb(2) ** (8 - bits)


def test_an_undecided_sign_leaves_a_wide_but_true_root():
    found = balls.increasing_root(lambda x: x - arb(0.5, 0.125))
    assert contains(found, Fraction(3, 8))
    assert contains(found, Fraction(5, 8))


def test_the_bounds_of_a_ball_are_exact():
    low, high = balls.enclosing_rationals(arb(0.5, 0.25))
    assert Fraction(1, 4) - Fraction(1, 10**8) < low <= Fraction(1, 4)
    assert Fraction(3, 4) <= high < Fraction(3, 4) + Fraction(1, 10**8)
    assert balls.upper_integer(arb(-2.5)) >= Fraction(5, 2)
    assert not balls.no_bound().is_finite()
    assert contains(balls.symmetric(arb(-0.25)), Fraction(-1, 4))
    assert balls.unit_interval().contains(arb(1))
