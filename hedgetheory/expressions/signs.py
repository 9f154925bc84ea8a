"""Signs and continuity shown by structure alone: what is not shown is "not shown", never "false".

`shown_positive` reads an expression as sums, products and powers of positive things, with the few
comparisons that those miss (1 − e^{−x}, b^s − 1, ln b). It knows of a symbol only its assumptions;
a symbol with a bounded range is first written in one without: u = 1/(1 + s) (see `INSIDE`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from hedgetheory.expressions import symbols as _symbols
from hedgetheory.expressions.vocabulary import (
    Ein,
    expm1,
    log1p,
    phi1,
    phi2,
    phi3,
    scaled_ei,
    spell_out,
    wright_omega,
)


def _unbounded(name: str) -> sympy.Dummy:
    # Dummies: two parameters must not be taken for one because their stand-ins share a name.
    return sympy.Dummy(name, positive=True)


_odds = _unbounded("s")

#: Every u in (0, 1), n > 1, m > 1, p and a in (0, 1), in symbols that are merely positive.
INSIDE: Mapping[sympy.Symbol, sympy.Expr] = {
    _symbols.u: 1 / (1 + _odds),
    _symbols.ubar: _odds / (1 + _odds),
    _symbols.n: 1 + _unbounded("d"),
    _symbols.m: 1 + _unbounded("d"),
    _symbols.p: 1 / (1 + _unbounded("q")),
    _symbols.a: 1 / (1 + _unbounded("q")),
}

#: Positive at every real x: φ_k(x) = ∫₀¹ e^{(1−t)x} t^{k−1}/(k−1)! dt, and ω solves ω + ln ω = x.
_ALWAYS_POSITIVE = (sympy.exp, phi1, phi2, phi3, wright_omega)
#: Of the sign of their argument.
_SIGN_OF_ARGUMENT = (expm1, log1p, Ein, sympy.tanh, sympy.sinh, sympy.erf)
_ENTIRE = (
    *(sympy.exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.erf, sympy.erfc),
    *(expm1, phi1, phi2, phi3, Ein, wright_omega),
)
_ON_POSITIVE = (sympy.log, sympy.Ei, scaled_ei, sympy.gamma, sympy.loggamma, sympy.digamma)


def inside(expr: sympy.Expr) -> sympy.Expr:
    """``expr`` on the open domain of its parameters, in symbols that are merely positive."""
    return sympy.sympify(expr).xreplace(dict(INSIDE))


def shown_positive(expr: sympy.Expr) -> bool:
    """Whether ``expr`` > 0 wherever its symbols meet their assumptions, shown by structure.

    >>> u, n = _symbols.u, _symbols.n
    >>> shown_positive(1 + n * u), shown_positive(1 - u), shown_positive(inside(1 - u))
    (True, False, True)
    """
    expr = sympy.sympify(expr)
    if expr.has(sympy.Float, sympy.I, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return False
    return _positive(expr) or _positive(_as_fraction(spell_out(expr)))


def _as_fraction(expr: sympy.Expr) -> sympy.Expr:
    """One fraction, its numerator and denominator expanded."""
    above, below = sympy.fraction(sympy.together(expr))
    return sympy.expand(above) / sympy.expand(below)


def _positive(e: sympy.Expr) -> bool:
    if e.is_Rational or e in (sympy.pi, sympy.E, sympy.EulerGamma):
        return bool(e > 0)
    if e.is_Symbol:
        return e.is_positive is True
    if e.is_Add:
        return _positive_sum(e)
    if e.is_Mul:
        return _positive_product(e)
    if isinstance(e, sympy.exp) or (e.is_Pow and e.base == sympy.E):
        return _real(e.exp)
    if e.is_Pow:
        return _positive_difference(e.base) and _real(e.exp)
    if isinstance(e, _ALWAYS_POSITIVE):
        return _real(e.args[0])
    if isinstance(e, _SIGN_OF_ARGUMENT):
        return _positive(e.args[0])
    if isinstance(e, sympy.log):
        return _positive_difference(e.args[0] - 1)
    return False


def _real(e: sympy.Expr) -> bool:
    """Real and defined for all its symbols: sympy alone would call log1p(−2) real."""
    if e.is_Rational or e in (sympy.pi, sympy.E, sympy.EulerGamma):
        return True
    if e.is_Symbol:
        return e.is_real is True
    if e.is_Add or e.is_Mul or isinstance(e, _ENTIRE):
        return all(map(_real, e.args))
    if e.is_Pow:
        if e.exp.is_Integer and e.exp >= 0:
            return _real(e.base)
        return _real(e.exp) and _positive_difference(e.base)
    if isinstance(e, log1p):
        return _positive_difference(1 + e.args[0])
    return isinstance(e, _ON_POSITIVE) and _positive_difference(e.args[0])


def _positive_product(e: sympy.Expr) -> bool:
    """Every factor has a shown sign, an even number of them negative."""
    negative = False
    for factor in e.args:
        if _positive(factor):
            continue
        if not _negative(factor):
            return False
        negative = not negative
    return not negative


def _negative(e: sympy.Expr) -> bool:
    if e.is_Rational:
        return bool(e < 0)
    if e.is_Add:
        return _positive_difference(sympy.expand(-e)) or _positive_sum(sympy.expand(-e))
    if isinstance(e, sympy.log):
        return _positive(e.args[0]) and _positive_difference(1 - e.args[0])
    if isinstance(e, _SIGN_OF_ARGUMENT) and not isinstance(e, log1p):
        return _positive(sympy.expand(-e.args[0]))
    if e.is_Pow and e.exp.is_Integer and e.exp % 2 == 1:
        return _negative(e.base)
    return False


def _positive_sum(e: sympy.Expr) -> bool:
    return all(_positive(term) for term in e.args) or _beyond_one(e)


def _positive_difference(e: sympy.Expr) -> bool:
    """A difference that may need a common denominator before its signs show."""
    return _positive(e) or _positive(_as_fraction(e))


def _beyond_one(e: sympy.Expr) -> bool:
    """e = c(b^s − 1) or c(1 − b^s) with rational c > 0 and the power on the right side of one."""
    constant, power = e.as_coeff_Add()
    if constant == 0:
        return False
    coefficient, power = power.as_coeff_Mul()
    if coefficient != -constant:
        return False
    base, exponent = power.as_base_exp()
    if base == sympy.E:
        return _positive_difference(exponent if coefficient > 0 else -exponent)
    if power == base or not _positive(base):
        return False
    above = _positive_difference(base - 1)
    below = not above and _positive_difference(1 - base)
    grows = _positive(exponent)
    shrinks = not grows and _positive(-exponent)
    if not (above or below) or not (grows or shrinks):
        return False
    return (above == grows) == bool(coefficient > 0)


def continuous_where_defined(expr: sympy.Expr, symbol: sympy.Symbol, at: sympy.Expr) -> bool:
    """Whether a finite value by substitution at ``at`` is the limit there: no jumps, no 0^0.

    >>> u = _symbols.u
    >>> continuous_where_defined(sympy.floor(u), u, sympy.S.One)
    False
    """
    known = (*_ENTIRE, *_ON_POSITIVE, log1p, sympy.Abs, sympy.exp)
    for e in sympy.preorder_traversal(expr):
        if not e.has(symbol) or e == symbol or e.is_Add or e.is_Mul or isinstance(e, known):
            continue
        # A base that vanishes under an exponent that moves has no limit by substitution.
        if not e.is_Pow or (e.exp.has(symbol) and not shown_positive(e.base.subs(symbol, at))):
            return False
    return True


def shown_continuous(
    expr: sympy.Expr, variable: sympy.Symbol, low: sympy.Expr, high: sympy.Expr
) -> bool:
    """Whether ``expr`` is continuous in ``variable`` on the open interval, shown by structure.

    A pole, a jump or a branch point inside would break "differentiate the antiderivative back".
    """
    expr, low, high = map(sympy.sympify, (expr, low, high))
    if expr.has(_symbols.u) and expr.has(_symbols.ubar):
        return False  # one of them would be taken for a constant
    s = sympy.Dummy("s", positive=True)
    if low.is_finite and high.is_finite:
        within = low + (high - low) / (1 + s)
    elif low.is_finite:
        within = low + s
    elif high.is_finite:
        within = high - s
    else:
        within = sympy.Dummy("x", real=True)
    return _continuous(expr, variable, lambda e: inside(e.xreplace({variable: within})))


def _continuous(
    e: sympy.Expr, variable: sympy.Symbol, at: Callable[[sympy.Expr], sympy.Expr]
) -> bool:
    if not e.has(variable) or e == variable:
        return True
    if isinstance(e, sympy.exp):
        return _continuous(e.exp, variable, at)
    if not all(_continuous(part, variable, at) for part in e.args):
        return False
    if e.is_Add or e.is_Mul or isinstance(e, _ENTIRE):
        return True
    if e.is_Pow:
        if e.exp.is_Integer and e.exp >= 0:
            return True
        base = at(e.base)
        if e.base == sympy.E or shown_positive(base):
            return True
        return bool(e.exp.is_Integer) and shown_positive(-base)
    if isinstance(e, _ON_POSITIVE):
        return shown_positive(at(e.args[0]))
    if isinstance(e, log1p):
        return shown_positive(at(1 + e.args[0]))
    return False
