"""Formulas of laws: reading them, antiderivatives, limits and exact values."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from sympy.integrals.manualintegrate import manualintegrate

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.formula import Formula, parse_formula
from hedgetheory.expressions.prover import limit_is, reduces_to_zero
from hedgetheory.expressions.reading import read
from hedgetheory.expressions.symbols import r
from hedgetheory.expressions.vocabulary import expm1, log1p, ndtr
from hedgetheory.expressions.writing import written
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.positivity import BITS
from hedgetheory.numerics.program import UnsupportedExpression, compiled

#: Formulas of more operations are not integrated, or asked for log-concavity.
MAX_OPERATIONS = 80
#: Of polynomials beyond, what certifies a law takes minutes; a quantile function is expanded.
MAX_DEGREE = {"pdf": 400, "cdf": 400, "quantile": 40}
#: The largest k of a coordinate r = low + t^k.
MAX_ROOT = 12
T = sympy.Symbol("t", positive=True)
#: A formula without a value anywhere: where a coordinate has none.
UNKNOWN = log1p(-2 - r**2)
CORNERS = (sympy.Piecewise, sympy.Abs, sympy.Min, sympy.Max)


def read_formula(formula: str | Formula, variable: str, what: str) -> Formula:
    """A formula in one variable, without corners, its text in the canonical form."""
    text = formula if isinstance(formula, str) else formula.text
    text = written(read(text, what))
    found = parse_formula(text, (variable,), what)
    if found.variable is None:
        raise InputError(f"{what} must be a formula in {variable} [{text}]")
    if found.expr.has(*CORNERS):
        raise InputError(
            f"{what} may not have where, abs, min or max: write a mixture of laws by formulas, "
            f"one for each piece [{text}]"
        )
    if what in MAX_DEGREE and (degree := degree_of(found.expr)) > MAX_DEGREE[what]:
        raise NotCertified(
            f"{what}(...) of degree {float(degree):g} is not examined: at most {MAX_DEGREE[what]}"
        )
    return found


def degree_of(expr: sympy.Expr) -> Fraction:
    """The degree that powers, nested ones too, reach together; of a function that of its arguments.

    >>> degree_of((1 + r**3) ** 4 * sympy.exp(-(r**2)))
    Fraction(14, 1)
    """
    degrees = [degree_of(part) for part in expr.args]
    if expr.is_Pow and expr.exp.is_Rational:
        return degrees[0] * abs(Fraction(int(expr.exp.p), int(expr.exp.q)))
    if expr.is_Mul:
        return sum(degrees, Fraction(0))
    return max(degrees, default=Fraction(1 if expr.is_Symbol else 0))


def end_of(name: str, given: Any, side: int) -> Fraction | None:
    if isinstance(given, str) and given.strip() in ("oo", "-oo"):
        if given.strip() != ("-oo" if side < 0 else "oo"):
            raise InputError(f"{name}={given}, but must be a rational or {'-' * (side < 0)}oo")
        return None
    value: RealInput = given
    return rational(value, name)


def antiderivative(
    pdf: sympy.Expr, support: tuple[Fraction | None, Fraction | None]
) -> sympy.Expr | None:
    """An A with A′ = f, differentiated back and by balls continuous on the interval; else None."""
    x = sympy.Symbol("x", real=True)
    f = pdf.xreplace({r: x})
    if sympy.count_ops(f) > MAX_OPERATIONS:
        return None
    polynomial = f.is_polynomial(x)
    try:
        found = sympy.Poly(f, x).integrate().as_expr() if polynomial else manualintegrate(f, x)
    except (NotImplementedError, ValueError, TypeError, RecursionError, AttributeError):
        return None
    if found is None or found.has(sympy.Integral, *CORNERS):
        return None
    found = found.xreplace({x: r})
    if not reduces_to_zero(sympy.diff(found, r) - pdf):
        return None
    try:
        compiled(found, (r,))
    except UnsupportedExpression:
        return None
    return found


def tidy(expr: sympy.Expr) -> sympy.Expr:
    """An equal formula that cancels less at the end at which it vanishes, where one is known."""
    if expr.is_polynomial(r):
        return sympy.factor(expr)
    if not sympy.expand(expr).as_independent(r, as_Add=True)[0]:
        return expr  # without a constant, nothing to cancel
    constant, rest = expr.as_independent(r, as_Add=True)
    if constant == 1 and isinstance(-rest, sympy.exp):
        return -expm1((-rest).args[0])
    if expr.has(sympy.erf):
        # erf(z) = 2Φ(√2 z) − 1 = 1 − 2Φ(−√2 z)
        spread = sympy.expand(expr)
        z = next(iter(spread.atoms(sympy.erf))).args[0]
        for sign in (1, -1):
            level = sign * (2 * ndtr(sympy.sqrt(2) * sign * z) - 1)
            other = sympy.expand(spread.xreplace({sympy.erf(z): level}))
            if not other.as_independent(r, as_Add=True)[0]:
                return other
        return expr
    other = plain(expr)
    return other if other != expr and reduces_to_zero(other - in_exponentials(expr)) else expr


def in_exponentials(expr: sympy.Expr) -> sympy.Expr:
    return expr.rewrite([sympy.tanh, sympy.sinh, sympy.cosh], sympy.exp)


def plain(expr: sympy.Expr) -> sympy.Expr:
    """One quotient in exponentials, numerator and denominator without a common factor."""
    if sympy.count_ops(expr) > MAX_OPERATIONS:
        return expr
    return sympy.factor(in_exponentials(sympy.simplify(in_exponentials(expr))))


def limit_at(expr: sympy.Expr, side: int) -> sympy.Expr | None:
    """The limit at ±∞, by sympy on a formula in exponentials; None where it finds none."""
    t = sympy.Symbol("t", positive=True)
    inside = sympy.simplify(in_exponentials(expr).xreplace({r: side * t}))
    try:
        value = sympy.limit(inside, t, sympy.oo)
    except (NotImplementedError, ValueError):
        return None
    return value if limit_is("", inside, t, sympy.oo, value).holds else None


def ball_of(value: sympy.Expr) -> Any:
    with precision(BITS):
        return compiled(value, ())(REAL)


def rational_value(value: sympy.Expr) -> Fraction | None:
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    simple = sympy.simplify(value)
    return Fraction(int(simple.p), int(simple.q)) if simple.is_Rational else None


def integral_of(pdf: sympy.Expr, low: Fraction, high: Fraction) -> Any:
    """A ball around ∫ f, None where balls do not bound it."""
    program = compiled(pdf, (r,))
    with precision(BITS):
        value = balls.integral(
            lambda x, analytic: program(balls.complex_arithmetic(analytic), x),
            *(ball(low), ball(high)),
        )
    return value if value.is_finite() else None
