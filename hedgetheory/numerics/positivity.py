"""Signs of a formula on a whole closed interval, certified: exactly for polynomials, else by balls.

A formula of the whitelist without jumps is continuous wherever balls around the points of an
interval give finite balls: every step of its evaluation is continuous where its ball is finite.
A ball of values that is positive is a proof for every point of the ball of arguments.

At an end where the formula vanishes no ball is positive. There it is shown by Taylor's theorem: if
f and its first m − 1 derivatives are zero at the end (reduced to zero, symbolically) and
(±1)^m f^{(m)} > 0 on the interval from the end to δ (by balls), then f > 0 there but at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal

import sympy

from hedgetheory.expressions.prover import reduces_to_zero
from hedgetheory.numerics.ball import REAL, ball, hull, precision
from hedgetheory.numerics.program import UnsupportedExpression, compiled

#: Boxes that one search looks at, and how often a box is halved.
MAX_BOXES, MAX_HALVINGS = 6000, 60
#: Polynomials up to this degree are decided by exact roots.
MAX_DEGREE = 60
#: The working precision of the search.
BITS = 192
#: Zeros at an end up to this order are shown by derivatives.
MAX_ORDER = 4


@dataclass(frozen=True)
class Sign:
    """What is known of a formula on an interval.

    ``positive``: it is > 0 but for isolated zeros. ``negative``: at the rational ``place`` it is
    certainly below zero, ``value`` being a ball. ``open``: neither was certified; ``place`` is
    where the search stopped, if it knows.
    """

    verdict: Literal["positive", "negative", "open"]
    place: Fraction | None = None
    value: str = ""


_POSITIVE, _OPEN = Sign("positive"), Sign("open")


def nonnegative(expr: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> Sign:
    """Whether ``expr`` ≥ 0 on [low, high] with at most isolated zeros.

    >>> t = sympy.Symbol("t", real=True)
    >>> nonnegative(t * (1 - t), t, Fraction(0), Fraction(1)).verdict
    'positive'
    >>> nonnegative(t - sympy.Rational(1, 10**9), t, Fraction(0), Fraction(1)).verdict
    'negative'
    """
    expr = sympy.sympify(expr, strict=True)
    if not expr.has(x):
        return _box_sign(expr, x, low, high)
    signs = [_factor_sign(factor, x, low, high) for factor in _factors(expr, x)]
    if 0 not in signs:
        if sympy.prod(signs) > 0:
            return _POSITIVE
        return _witness(expr, x, low, high)
    return _covered(expr, x, low, high)


def finite(expr: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> Fraction | None:
    """None where balls show ``expr`` finite and continuous on [low, high], else where they fail.

    >>> t = sympy.Symbol("t", real=True)
    >>> finite(1 / (t - 1), t, Fraction(0), Fraction(2)) is None
    False
    """
    boxes, seen = [(low, high, 0)], 0
    program = compiled(expr, (x,))
    with precision(BITS):
        while boxes:
            a, b, depth = boxes.pop()
            seen += 1
            if program(REAL, hull(ball(a), ball(b))).is_finite():
                continue
            if depth >= MAX_HALVINGS or seen > MAX_BOXES:
                return (a + b) / 2
            middle = (a + b) / 2
            boxes += [(middle, b, depth + 1), (a, middle, depth + 1)]
    return None


def _factors(expr: sympy.Expr, x: sympy.Symbol) -> list[sympy.Expr]:
    """Factors whose product is ``expr``; only polynomials and quotients of them are factored."""
    if expr.is_rational_function(x) and sympy.count_ops(expr) < 200:
        above, below = sympy.fraction(sympy.together(expr))
        if _rational_polynomial(above, x) is None or _rational_polynomial(below, x) is None:
            return list(sympy.Mul.make_args(expr))
        return [above, 1 / below]
    return list(sympy.Mul.make_args(expr))


def _rational_polynomial(expr: sympy.Expr, x: sympy.Symbol) -> sympy.Poly | None:
    if not expr.is_polynomial(x):
        return None
    poly = sympy.Poly(expr, x)
    if poly.degree() > MAX_DEGREE or not all(c.is_Rational for c in poly.all_coeffs()):
        return None
    return poly


def _factor_sign(factor: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> int:
    """+1 or −1 where a factor has that sign but for isolated zeros, 0 where it is not known."""
    if isinstance(factor, sympy.exp):
        # Positive wherever it is finite, which the search by balls shows elsewhere.
        return 1 if finite(factor, x, low, high) is None else 0
    base, power = factor.as_base_exp()
    if power.is_Rational and base != factor:
        inner = _factor_sign(base, x, low, high)
        if power.is_Integer:
            # An isolated zero of the base is a pole of a negative power.
            fine = power > 0 or finite(factor, x, low, high) is None
            return (1 if power % 2 == 0 else inner) if inner and fine else 0
        return int(inner > 0 and finite(factor, x, low, high) is None)
    if (poly := _rational_polynomial(factor, x)) is not None and factor.has(x):
        return _polynomial_sign(poly, low, high)
    for sign in (1, -1):
        if _covered(sign * factor, x, low, high).verdict == "positive":
            return sign
    return 0


def _polynomial_sign(poly: sympy.Poly, low: Fraction, high: Fraction) -> int:
    """The sign of a polynomial that does not change inside, by its roots of odd multiplicity."""
    ends = _rational(low), _rational(high)
    for part, times in poly.sqf_list()[1]:
        if times % 2 == 0:
            continue
        inside = part.count_roots(*ends) - sum(part.eval(end) == 0 for end in ends)
        if inside:
            return 0
    for k in range(1, 2 * poly.degree() + 3):
        value = poly.eval(_rational(low + (high - low) * Fraction(k, 2 * poly.degree() + 3)))
        if value != 0:
            return 1 if value > 0 else -1
    return 0


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def _covered(expr: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> Sign:
    """By balls inside, and Taylor's theorem next to an end where the formula vanishes."""
    start, stop = low, high
    try:
        for end, side in ((low, 1), (high, -1)):
            reach = _near_end(expr, x, end, side, (high - low) / 2)
            if reach and side > 0:
                start = low + reach
            elif reach:
                stop = high - reach
        found = _box_sign(expr, x, start, stop)
        poly = _rational_polynomial(expr, x)
        if found.verdict == "open" and poly is not None:
            return _between_roots(poly, low, high) or found
    except UnsupportedExpression:
        return _OPEN
    return found


def _near_end(
    expr: sympy.Expr, x: sympy.Symbol, end: Fraction, side: int, span: Fraction
) -> Fraction | None:
    """A δ such that the formula is positive within δ of an end where it is zero, else None."""
    derivative, order = expr, 0
    with precision(BITS):
        while order <= MAX_ORDER:
            value = derivative.xreplace({x: _rational(end)})
            if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                return None
            if not compiled(value, ())(REAL).contains(0) or not reduces_to_zero(value):
                break
            derivative, order = sympy.diff(derivative, x), order + 1
        if not 0 < order <= MAX_ORDER:
            return None
        program = compiled(side**order * derivative, (x,))
        reach = span
        for _ in range(40):
            edge = ball(end + side * reach)
            if program(REAL, hull(*sorted_balls(ball(end), edge, side))) > 0:
                return reach
            reach /= 2
    return None


def sorted_balls(first: Any, second: Any, side: int) -> tuple[Any, Any]:
    """The lower and the upper of two ends, ``side`` +1 where the first is the lower."""
    return (first, second) if side > 0 else (second, first)


def _box_sign(expr: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> Sign:
    boxes, seen = [(low, high, 0)], 0
    program = compiled(expr, (x,))
    with precision(BITS):
        while boxes:
            a, b, depth = boxes.pop()
            seen += 1
            if program(REAL, hull(ball(a), ball(b))) > 0:
                continue
            middle = (a + b) / 2
            value = program(REAL, ball(middle))
            if value < 0:
                return Sign("negative", middle, str(value))
            if depth >= MAX_HALVINGS or seen > MAX_BOXES:
                return Sign("open", middle)
            boxes += [(middle, b, depth + 1), (a, middle, depth + 1)]
    return _POSITIVE


def _witness(expr: sympy.Expr, x: sympy.Symbol, low: Fraction, high: Fraction) -> Sign:
    """A rational point where a formula that is negative on the whole interval is so."""
    program = compiled(expr, (x,))
    with precision(BITS):
        for k in range(1, 16):
            place = low + (high - low) * Fraction(k, 16)
            value = program(REAL, ball(place))
            if value < 0:
                return Sign("negative", place, str(value))
    return _OPEN


def _between_roots(poly: sympy.Poly, low: Fraction, high: Fraction) -> Sign | None:
    """A point between isolated roots at which a polynomial is negative, exactly."""
    eps = _rational((high - low) / 10**30)
    places = [low]
    for (a, b), _ in poly.intervals(inf=_rational(low), sup=_rational(high), eps=eps):
        places += [Fraction(int(a.p), int(a.q)), Fraction(int(b.p), int(b.q))]
    for a, b in pairwise([*places, high]):
        middle = (a + b) / 2
        value = poly.eval(_rational(middle))
        if value < 0:
            return Sign("negative", middle, f"{float(value):.6g}")
    return None
