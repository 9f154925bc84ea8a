"""One formula in every arithmetic: random expressions agree, and only right rationals are given."""

from __future__ import annotations

import gc
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from hedgetheory.expressions.vocabulary import expm1, log1p, phi1
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, complex_arithmetic, precision
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import Program, UnsupportedExpression, compiled
from hedgetheory.numerics.rationals import EXACT, NotRational

x, y = sympy.symbols("x y", positive=True)
HALF = sympy.Rational(1, 2)

_UNARY = [sympy.exp, sympy.sin, sympy.cos, sympy.tanh, sympy.erf, sympy.Abs, expm1, phi1,
          lambda e: log1p(sympy.Abs(e)), lambda e: sympy.sqrt(sympy.Abs(e) + 1),
          lambda e: sympy.log(sympy.Abs(e) + HALF)]  # fmt: skip
_SMOOTH = [sympy.Add, sympy.Mul, lambda a, b: a - b, lambda a, b: a / (sympy.Abs(b) + 1)]
_ORDERED = [sympy.Min, sympy.Max,
            lambda a, b: sympy.Piecewise((a, a < b), (b + 1, True)),
            lambda a, b: sympy.Piecewise((a, sympy.And(a <= b, b < 1)), (b - 1, True))]  # fmt: skip


def finite(expr) -> bool:
    """Has a real value wherever it has one: sympy itself refuses to compare 1/0."""
    return not expr.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo, sympy.I)


def comparable(expr) -> bool:
    """sympy builds a comparison with it: a constant only where sympy knows its digits, which it
    does not for φ₁(1/2), and no Piecewise, which would make the comparison a logical ITE."""
    return (not expr.is_number or expr.is_comparable) and not expr.has(sympy.Piecewise)


def _grown(inner):
    ordered = inner.filter(comparable)
    return st.one_of(
        st.builds(lambda f, a: f(a), st.sampled_from(_UNARY), inner),
        st.builds(lambda f, a, b: f(a, b), st.sampled_from(_SMOOTH), inner, inner),
        st.builds(lambda f, a, b: f(a, b), st.sampled_from(_ORDERED), ordered, ordered),
        st.builds(lambda a, k: a**k, inner, st.integers(-2, 3).filter(bool)),
    ).filter(finite)


expressions = st.recursive(
    st.sampled_from([x, y, sympy.Integer(2), sympy.Rational(-1, 3), sympy.pi, HALF]),
    _grown,
    max_leaves=6,
)
points = st.fractions(min_value=Fraction(1, 50), max_value=3, max_denominator=50)


def fits(value, low, high) -> bool:
    slack = 1e-9 * (1 + abs(value))
    return low - slack <= value <= high + slack


@given(expressions, points, points)
@settings(max_examples=120, deadline=None)
def test_random_expressions_agree_in_every_arithmetic(expr, a, b):
    program = Program(expr, (x, y))
    with precision(200):
        enclosure = program(REAL, ball(a), ball(b))
        if not enclosure.is_finite():
            return
        low, high = balls.enclosing_rationals(enclosure)
        if high - low > Fraction(1, 10**20) or max(abs(low), abs(high)) > 10**8:
            return  # on a jump, or too large for float64 to keep digits
        for analytic in (False, True):
            flat = program(complex_arithmetic(analytic), balls.as_complex(ball(a)),
                           balls.as_complex(ball(b)))  # fmt: skip
            if flat.is_finite():
                assert flat.real.overlaps(enclosure)
        wide = program(REAL, balls.hull(ball(a), ball(a) + 1), balls.hull(ball(b) - 1, ball(b)))
        assert not wide.is_finite() or wide.contains(enclosure.mid()) or wide.overlaps(enclosure)
    try:
        exact = program(EXACT, a, b)
    except NotRational:
        pass
    else:
        assert isinstance(exact, str) or low <= exact <= high
    arithmetic = HighPrecision(50)
    estimate = program(arithmetic, arithmetic.constant(a), arithmetic.constant(b))
    middle = mpmath.mpf(low.numerator) / low.denominator
    assert abs(estimate - middle) <= 1e-12 * (1 + abs(middle))
    # float64 may take the other side of a comparison of equal numbers: only without those.
    if not expr.has(sympy.Piecewise, sympy.Min, sympy.Max, sympy.Abs):
        with np.errstate(all="ignore"):
            double = float(program(FLOAT64, np.float64(float(a)), np.float64(float(b))))
        assert fits(double, float(low) - 1e-6, float(high) + 1e-6) or abs(low) > 10**5


def test_strict_and_non_strict_comparisons_differ_at_the_boundary_in_every_arithmetic():
    strict = sympy.Piecewise((sympy.Integer(1), x < HALF), (sympy.Integer(2), True))
    loose = sympy.Piecewise((sympy.Integer(1), x <= HALF), (sympy.Integer(2), True))
    above = sympy.Piecewise((sympy.Integer(1), x > HALF), (sympy.Integer(2), True))
    from_half = sympy.Piecewise((sympy.Integer(1), x >= HALF), (sympy.Integer(2), True))
    half = Fraction(1, 2)
    mp = HighPrecision(20)
    for expr, value in ((strict, 2), (loose, 1), (above, 2), (from_half, 1)):
        program = Program(expr, (x,))
        assert program(REAL, ball(half)) == value
        assert program(EXACT, half) == value
        assert program(FLOAT64, np.float64(0.5)) == value
        assert program(mp, mp.constant(half)) == value
        assert program(complex_arithmetic(False), balls.as_complex(ball(half))).real == value


def test_conditions_combine_in_balls():
    both = sympy.Piecewise((sympy.Integer(1), sympy.And(x > HALF, x < 1)), (sympy.Integer(2), True))
    either = sympy.Piecewise(
        (sympy.Integer(1), sympy.Or(x < HALF, x > 1)), (sympy.Integer(2), True)
    )
    for at, first, second in ((0.75, 1, 2), (0.25, 2, 1), (1.5, 2, 1)):
        assert Program(both, (x,))(REAL, ball(Fraction(at))) == first
        assert Program(either, (x,))(REAL, ball(Fraction(at))) == second
    undecided = Program(both, (x,))(REAL, balls.hull(ball(Fraction(0)), ball(Fraction(2))))
    assert undecided.contains(1)
    assert undecided.contains(2)


def test_constants_follow_the_precision():
    program = Program(sympy.pi + x, (x,))
    with precision(60):
        coarse = program(REAL, ball(Fraction(1)))
    with precision(300):
        fine = program(REAL, ball(Fraction(1)))
        assert coarse.contains(fine)
        assert fine.rel_accuracy_bits() > 280


def test_a_program_never_uses_a_vanished_arithmetic_of_another_precision():
    program = Program(sympy.exp(x), (x,))
    for digits in (15, 60, 15, 60, 90):
        arithmetic = HighPrecision(digits)
        value = program(arithmetic, arithmetic.constant(Fraction(1)))
        truth = HighPrecision(120)
        error = abs(truth.context.mpf(value) - truth.context.e)
        assert error < truth.context.mpf(10) ** (1 - digits), digits
        del arithmetic, value
        gc.collect()


def test_what_no_arithmetic_knows_is_refused():
    with pytest.raises(UnsupportedExpression):
        compiled(sympy.zeta(x), (x,))
    with pytest.raises(UnsupportedExpression):
        compiled(sympy.Piecewise((x, x < 1)), (x,))


@pytest.mark.parametrize(
    ("expr", "at", "value"),
    [
        (sympy.sqrt(x), "9/4", "3/2"),
        (x**y, "4", "2"),  # y = 1/2
        (sympy.harmonic(x), "4", "25/12"),
        (sympy.exp(x - 1), "1", "1"),
        (sympy.log(x), "1", "0"),
        (x ** sympy.Integer(-2), "2", "1/4"),
        (sympy.Abs(x - 2), "1/2", "3/2"),
    ],
)
def test_rationals_are_recognised(expr, at, value):
    assert Program(expr, (x, y))(EXACT, Fraction(at), Fraction(1, 2)) == Fraction(value)


@pytest.mark.parametrize(
    ("expr", "at"),
    [
        (sympy.sqrt(x), "2"),
        (sympy.sqrt(sympy.pi) * x, "1"),
        (sympy.exp(x), "1"),
        (sympy.log(x), "0"),
        (1 / x, "0"),
        (x ** (y - 1), "0"),  # 0 to a negative power
        (x ** (-y), "0"),
        (x ** sympy.Integer(10**6), "3"),
        (sympy.harmonic(x), "1/2"),
        (sympy.gamma(x), "3"),
        (sympy.pi + x, "1"),
    ],
)
def test_what_is_not_known_to_be_rational_is_not_answered(expr, at):
    with pytest.raises(NotRational):
        Program(expr, (x, y))(EXACT, Fraction(at), Fraction(1, 2))
