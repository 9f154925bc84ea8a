"""Evaluating plans: in certified balls, in mpmath, in float64, and exactly where rational."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.errors import HedgeTheoryError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r as reward_symbol
from hedgetheory.expressions.symbols import total, u, ubar
from hedgetheory.functionals.plans import (
    AtomSum,
    Bindings,
    Closed,
    Estimated,
    Infinite,
    Inverse,
    LineIntegral,
    Plan,
    Race,
    Undefined,
    UnitIntegral,
    eps,
)
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, certify, complex_arithmetic
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.rationals import EXACT, NotRational

#: A sum over atoms is written as a rational where its terms have no more bits than this in all:
#: thousands of digits say less than a ball, and take minutes.
MAX_EXACT_BITS = 10_000_000


def number(plan: Plan, digits: int, what: str = "the value") -> Number:
    """The value of a plan: exact where it is rational, infinite or undefined, else certified.

    Raises NotCertified, with the best enclosure, where the digits cannot be reached.
    """
    if isinstance(plan, Infinite):
        return Number.infinity(plan.sign)
    if isinstance(plan, Undefined):
        return Number.undefined(plan.why)
    if isinstance(plan, Estimated):
        value = plan.estimate()
        if not math.isfinite(value):
            raise NotCertified(f"{what} is estimated as {value}, of which nothing is known")
        return Number.estimate(value)
    rational = exact(plan)
    if rational is not None:
        return Number.exact(rational)
    return certify(lambda: enclosure(plan), digits, what, costly=has_integral(plan))


def has_integral(plan: Any) -> bool:
    if isinstance(plan, (UnitIntegral, LineIntegral)):
        return True
    inner = plan.bindings.values() if isinstance(plan, (Closed, AtomSum, Inverse)) else ()
    return any(map(has_integral, inner))


def _ordered(bindings: Bindings) -> tuple[sympy.Symbol, ...]:
    return tuple(bindings)


# -- exact rationals -----------------------------------------------------------------------------


def exact(plan: Plan) -> Fraction | None:
    """The value as a rational, where the plan stays among the rationals; else None."""
    try:
        if isinstance(plan, Closed):
            return _exact_at(plan.expr, plan.bindings)
        if isinstance(plan, AtomSum):
            inner = {s: _exact_binding(v) for s, v in plan.bindings.items()}
            symbols = (*plan.columns, *inner)
            program = compiled(plan.term, symbols)
            value = Fraction(0)
            for row in plan.rows:
                value += program(EXACT, *row, *inner.values())
                if value.denominator.bit_length() * len(plan.rows) > MAX_EXACT_BITS:
                    return None
            return _exact_at(plan.post, {**plan.bindings, total: value})
    except NotRational:
        return None
    return None


def _exact_binding(value: Any) -> Fraction:
    if isinstance(value, Fraction):
        return value
    found = exact(value)
    if found is None:
        raise NotRational
    return found


def _exact_at(expr: sympy.Expr, bindings: Bindings) -> Fraction:
    values = [_exact_binding(v) for v in bindings.values()]
    result = compiled(expr, _ordered(bindings))(EXACT, *values)
    if not isinstance(result, Fraction):
        raise NotRational
    return result


# -- balls ---------------------------------------------------------------------------------------


def enclosure(plan: Plan) -> Any:
    """A ball around the value of a plan at the current working precision (NaN where none)."""
    if isinstance(plan, Closed):
        return _closed(plan.expr, plan.bindings)
    if isinstance(plan, AtomSum):
        values = _values(plan.bindings)
        program = compiled(plan.term, (*plan.columns, *plan.bindings))
        result = ball(Fraction(0))
        for row in plan.rows:
            result += program(REAL, *map(ball, row), *values)
        return _post(plan.post, plan.bindings, result)
    if isinstance(plan, UnitIntegral):
        return _post(plan.post, plan.bindings, _unit_integral(plan))
    if isinstance(plan, LineIntegral):
        return _post(plan.post, plan.bindings, _line_integral(plan))
    if isinstance(plan, Inverse):
        root = _inverse(plan)
        return _post(plan.post, plan.bindings, root)
    if isinstance(plan, Race):
        return plan.enclose()
    raise HedgeTheoryError(f"a plan of kind {type(plan).__name__} has no enclosure")


def _values(bindings: Bindings) -> list[Any]:
    return [ball(v) if isinstance(v, Fraction) else enclosure(v) for v in bindings.values()]


def _closed(expr: sympy.Expr, bindings: Bindings) -> Any:
    return compiled(expr, _ordered(bindings))(REAL, *_values(bindings))


def _post(post: sympy.Expr, bindings: Bindings, value: Any) -> Any:
    if post == total:
        return value
    return compiled(post, (total, *bindings))(REAL, value, *_values(bindings))


def _unit_integral(plan: UnitIntegral) -> Any:
    program = compiled(plan.integrand, (u, ubar, *plan.bindings))
    values = [balls.as_complex(v) for v in _values(plan.bindings)]
    half, one = ball(Fraction(1, 2)), ball(Fraction(1))

    def integrand(x: Any, analytic: bool) -> Any:
        return program(complex_arithmetic(analytic), x, 1 - x, *values)

    def from_left(s: Any, analytic: bool) -> Any:
        x = (-s).exp()
        return program(complex_arithmetic(analytic), x, 1 - x, *values) * x

    def from_right(s: Any, analytic: bool) -> Any:
        x = (-s).exp()
        return program(complex_arithmetic(analytic), 1 - x, x, *values) * x

    result = ball(Fraction(0))
    for substituted, omitted, low, high in (
        (from_left, plan.omitted_left, ball(Fraction(0)), half),
        (from_right, plan.omitted_right, half, one),
    ):
        if omitted is None:
            result += balls.integral(integrand, low, high)
            continue
        # u = e^{−s} spreads the singular end over a long range on which the integrand is analytic;
        # what lies beyond that range is bounded.
        length, bound = _length_left_out(omitted, plan.bindings)
        if not bound.is_finite():
            return bound
        result += balls.symmetric(bound)
        result += balls.integral(substituted, -half.log(), -length.log())
    return result


def _length_left_out(omitted: sympy.Expr, bindings: Bindings) -> tuple[Any, Any]:
    """A power of two so small that what is left out is below the precision, and its bound."""
    program = compiled(omitted, (eps, *bindings))
    bits = balls.current_precision()
    exponent = 2 * bits
    while exponent <= 1 << 22:
        length = balls.power_of_two(-exponent)
        bound = program(REAL, length, *_values(bindings))
        if bound.is_finite() and bound < balls.power_of_two(-bits):
            return length, bound
        exponent *= 2
    return length, balls.no_bound()


def _line_integral(plan: LineIntegral) -> Any:
    program = compiled(plan.integrand, (reward_symbol, *plan.bindings))
    values = [balls.as_complex(v) for v in _values(plan.bindings)]

    def integrand(x: Any, analytic: bool) -> Any:
        return program(complex_arithmetic(analytic), x, *values)

    result = ball(Fraction(0))
    if not all(value.is_finite() for value in values):
        return balls.no_bound()
    cuts = []
    for end, side in zip(plan.support, (-1, 1), strict=True):
        if end is not None:
            place = end_ball(end)
            if plan.singular[(1 + side) // 2] and plan.edge is not None:
                # Next to the end balls reach over it, and nothing is finite there.
                offset = balls.power_of_two(-2 * balls.current_precision())
                end_and_cut = (place, place - side * offset)
                result += balls.symmetric(plan.edge(balls.hull(*end_and_cut)) * offset)
                place = end_and_cut[1]
            cuts.append(place)
            continue
        cut, bound = tail_cut(plan, side)
        if not bound.is_finite():
            return bound
        result += balls.symmetric(bound)
        cuts.append(ball(cut))
    centre = ball(plan.centre)
    for low, high in ((cuts[0], centre), (centre, cuts[1])):
        result += balls.integral(integrand, low, high, plan.cost)
    return result


def end_ball(end: Any) -> Any:
    """A ball around an end of an interval: a rational, a formula of constants, or a ball."""
    if isinstance(end, Fraction):
        return ball(end)
    return compiled(end, ())(REAL) if isinstance(end, sympy.Expr) else end


def tail_cut(plan: LineIntegral, side: int) -> tuple[Fraction, Any]:
    """The nearest dyadic multiple of the width beyond which the tail is below the precision."""
    small = balls.power_of_two(-balls.current_precision())
    distance = plan.width
    for _ in range(100):
        cut = plan.centre + side * distance
        bound = plan.tail(ball(cut), side)
        if bound.is_finite() and bound < small:
            return cut, bound
        distance = distance * 5 / 4 if distance > 4 * plan.width else distance * 2
    return cut, balls.no_bound()


def _inverse(plan: Inverse) -> Any:
    """A ball around the root of an increasing function on (0, 1), by bisection and secants."""
    program = compiled(plan.increasing, (plan.variable, *plan.bindings))
    values = _values(plan.bindings)
    level = ball(plan.level)
    return balls.increasing_root(lambda x: program(REAL, x, *values) - level)


def at_least(plan: Plan, level: Fraction) -> bool:
    """Whether a plan's value is at least a rational level, decided exactly or by balls.

    Raises NotCertified where 65,536 bits do not separate the two.
    """
    value = exact(plan)
    if value is not None:
        return value >= level
    bits = 64
    while bits <= balls.MAX_BITS:
        with balls.precision(bits):
            x = enclosure(plan) - ball(level)
            if x > 0:
                return True
            if x < 0:
                return False
        bits *= 2
    raise NotCertified(f"{balls.MAX_BITS} bits do not tell the value from {level}")
