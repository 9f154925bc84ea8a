"""The inverse of a monotone formula, where undoing its steps one by one gives it.

The variable may stand in one place, or in one quotient of two lines. Every step that is undone is
one-to-one between intervals of reals; which branch of an even power is meant is settled by a sign
that the caller knows.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from hedgetheory.expressions.vocabulary import expm1, log1p

#: Whether an expression in the variable is certainly positive (1), negative (−1), or neither (0).
SignOf = Callable[[sympy.Expr], int]


def inverse(
    expr: sympy.Expr, x: sympy.Symbol, value: sympy.Expr, sign_of: SignOf
) -> sympy.Expr | None:
    """x in terms of ``value`` = expr(x) on an interval where ``expr`` is monotone, else None.

    ``sign_of`` tells the sign of a subexpression on that interval.

    >>> t, v = sympy.symbols("t v", positive=True)
    >>> inverse(sympy.exp(2 * t + 1), t, v, lambda e: 1)
    log(v)/2 - 1/2
    """
    expr = _one_logarithm(expr, x)
    while expr != x:
        step = _undone(expr, x, value, sign_of)
        if step is None:
            return None
        expr, value = step
    return value


def _undone(
    expr: sympy.Expr, x: sympy.Symbol, value: sympy.Expr, sign_of: SignOf
) -> tuple[sympy.Expr, sympy.Expr] | None:
    """What is inside the outermost step, and its value."""
    quotient = _lines(expr, x)
    if quotient is not None:
        a, b, c, d = quotient  # (a x + b)/(c x + d)
        return x, (d * value - b) / (a - c * value)
    if isinstance(expr, sympy.exp):
        return expr.args[0], sympy.log(value)
    if isinstance(expr, sympy.log):
        return expr.args[0], sympy.exp(value)
    if isinstance(expr, expm1):
        return expr.args[0], log1p(value)
    if isinstance(expr, sympy.tanh):
        return expr.args[0], sympy.log((1 + value) / (1 - value)) / 2
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        fixed, moving = expr.as_independent(x)
        if fixed in (0, 1) and moving == expr:
            return None
        return moving, value - fixed if isinstance(expr, sympy.Add) else value / fixed
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and expr.exp != 0:
        return _root(expr, value, sign_of)
    return None


def _root(
    expr: sympy.Pow, value: sympy.Expr, sign_of: SignOf
) -> tuple[sympy.Expr, sympy.Expr] | None:
    base, power = expr.args
    sign = 1 if not power.is_Integer else sign_of(base)
    if sign > 0:
        return base, value ** (1 / power)
    if sign < 0:
        return base, -(((-1) ** power * value) ** (1 / power))
    return None


def _lines(
    expr: sympy.Expr, x: sympy.Symbol
) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr, sympy.Expr] | None:
    if not expr.is_rational_function(x) or sympy.count_ops(expr) > 60:
        return None
    above, below = sympy.fraction(sympy.together(expr))
    if not (above.is_polynomial(x) and below.is_polynomial(x)):
        return None
    top, bottom = sympy.Poly(above, x), sympy.Poly(below, x)
    if max(top.degree(), bottom.degree()) != 1:
        return None
    return top.nth(1), top.nth(0), bottom.nth(1), bottom.nth(0)


def _one_logarithm(expr: sympy.Expr, x: sympy.Symbol) -> sympy.Expr:
    """c ln p(x) − c ln q(x) as c ln(p/q): both logarithms have positive arguments."""
    terms = sympy.Add.make_args(expr)
    logs: dict[sympy.Expr, sympy.Expr] = {}
    rest = []
    for term in terms:
        scale, moving = term.as_independent(x)
        if isinstance(moving, sympy.log) and scale.is_Rational:
            key = abs(scale)
            logs[key] = logs.get(key, sympy.S.One) * moving.args[0] ** sympy.sign(scale)
        else:
            rest.append(term)
    if len(logs) != 1 or any(term.has(x) for term in rest):
        return expr
    ((scale, inside),) = logs.items()
    return sympy.Add(*rest, scale * sympy.log(inside))
