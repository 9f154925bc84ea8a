"""Gold in u with logarithms of u or of 1 − u: singular at an end, integrable against every kernel.

**Signs of g′.** With u = e^{−s} (or 1 − u = e^{−s}) a polynomial in powers and logarithms becomes
Σ p_k(s) e^{−β_k s} on s > 0, whose zeros are isolated on the whole half-line.

**Best-of-n** and log u: ∫ u^c (ln u)^k n u^{n−1} du = (−1)^k k! n/(n + c)^{k+1}, so that f is a
rational function of n.

**Elsewhere** u = 1/(1 + e^{−r}), which makes the law logistic: dg/dr = g′(u) u (1 − u) grows no
faster than a power of r, and the tails of f and f′ are enclosed as on that law.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import factorial
from typing import Any

import sympy

from hedgetheory.analysis.curve import ONE, ZERO, Curve, NoExactForm
from hedgetheory.analysis.deciding import smooth_picture
from hedgetheory.analysis.expsum import (
    Coefficient,
    Coefficients,
    ExpSum,
    canonical,
    constant_ball,
    multiply_polynomials,
    symbolic,
)
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.gold_signs import limit_at_infinity, slope_signs
from hedgetheory.analysis.picture import Picture, picture_of, settled
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import SmoothPiece
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.laws.logistic import Logistic
from hedgetheory.numerics.ball import ball, enclosing_rationals, hull, precision
from hedgetheory.policies.family import Family

_FAMILIES = ("bon", "bop", "quantile_tilt", "geometric_odds")
_BITS = 256
#: Of a logarithm, and terms of g, up to which f is written down as a rational function.
_MAX_POWER, _MAX_TERMS = 12, 40
_LOW, _HIGH = sympy.log(u), sympy.log(1 - u)


@dataclass(frozen=True)
class _InReward:
    expr: sympy.Expr
    variable: str | None = "r"


def singular_log(gold: Gold) -> sympy.Expr | None:
    """g in u where it has a logarithm of u, or of 1 − u, and no other; None elsewhere."""
    expr = gold.expr.xreplace({r: u, ubar: 1 - u})
    logs = {log for log in expr.atoms(sympy.log) if log.has(u)}
    if expr.has(sympy.Abs, sympy.Min, sympy.Max, sympy.Piecewise) or logs not in ({_LOW}, {_HIGH}):
        return None
    return expr


# Signs of g′ ------------------------------------------------------------------------------------


def _along_log(expr: sympy.Expr) -> tuple[sympy.Expr, sympy.Symbol, int]:
    """(g as a formula in s, s, whether u rises (1) or falls (−1) in s)."""
    s = sympy.Symbol("s", positive=True)
    if expr.has(_LOW):
        return expr.xreplace({_LOW: -s}).subs(u, sympy.exp(-s)), s, -1
    return sympy.expand(expr.xreplace({_HIGH: -s}).subs(u, 1 - sympy.exp(-s))), s, 1


def log_pattern(expr: sympy.Expr) -> tuple[list[int], list[Change]] | None:
    """The strict signs of g′ on (0, 1) and the places of their changes in u; None where open."""
    along, s, side = _along_log(expr)
    marks = slope_signs(sympy.diff(along, s), s, ZERO, None)
    if marks is None:
        return None
    signs = [side * sign for _, _, sign in marks]
    if not signs:
        return [], []
    places = [_level(low, high, side) for low, high, _ in marks[1:]]
    if side < 0:
        signs, places = signs[::-1], places[::-1]
    changes = [
        Change(low, high, before, after)
        for (low, high), before, after in zip(places, signs, signs[1:], strict=False)
    ]
    return signs, changes


def _level(low: Fraction, high: Fraction, side: int) -> tuple[Fraction, Fraction]:
    """u at s in [low, high]."""
    with precision(_BITS):
        near = (-hull(ball(low), ball(high))).exp()
        return enclosing_rationals(near if side < 0 else 1 - near)


def _limit(expr: sympy.Expr, top: bool) -> Coefficient | int | None:
    """lim g at u = 1 (``top``) or u = 0; ±1 of type int for ±∞."""
    along, s, side = _along_log(expr)
    if top == (side > 0):
        return limit_at_infinity(along, s)
    value = canonical(along.subs(s, 0))
    return value if isinstance(value, Fraction) or value.is_finite else None


# Best-of-n and log u ----------------------------------------------------------------------------


def rational_curve(expr: sympy.Expr) -> Curve:
    """f under Best-of-n as a quotient of polynomials in n. Raises NoExactForm elsewhere."""
    terms: dict[tuple[Fraction, int], Coefficient] = {}
    for term in sympy.Add.make_args(sympy.expand(expr)):
        coefficient, rest = term.as_independent(u)
        power, order = ZERO, 0
        for factor in sympy.Mul.make_args(rest):
            base, raised = factor.as_base_exp()
            if base == u and raised.is_Rational and raised >= 0:
                power += Fraction(int(raised.p), int(raised.q))
            elif base == _LOW and raised.is_Integer and raised > 0:
                order += int(raised)
            elif factor != 1:
                raise NoExactForm(f"{factor} is not a power of u or of log(u)")
        if not coefficient.is_real or order > _MAX_POWER:
            raise NoExactForm(f"{term} is not a real multiple of a small power of log(u)")
        known = symbolic(terms.get((power, order), ZERO))
        terms[power, order] = canonical(known + coefficient)
    if len(terms) > _MAX_TERMS:
        raise NoExactForm("too many terms for the exact treatment")
    most = {c: max(k for d, k in terms if d == c) + 1 for c, _ in terms}
    bottom: Coefficients = (ONE,)
    for c, k in most.items():
        for _ in range(k):
            bottom = multiply_polynomials(bottom, (c, ONE))
    top = ExpSum({}, logarithmic=True)
    for (c, k), a in terms.items():
        # a (−1)^k k! n/(n + c)^{k+1} over the common denominator.
        part: Coefficients = (ZERO, canonical(symbolic(a) * (-1) ** k * factorial(k)))
        for other, times in most.items():
            for _ in range(times - (k + 1 if other == c else 0)):
                part = multiply_polynomials(part, (other, ONE))
        top = top + ExpSum({ONE: part}, logarithmic=True)
    below = ExpSum({ONE: bottom}, logarithmic=True)
    start = canonical(
        sympy.Add(
            *(
                symbolic(a) * (-1) ** k * factorial(k) / (1 + sympy.Rational(c)) ** (k + 1)
                for (c, k), a in terms.items()
            )
        )
    )
    end = _limit(expr, True)
    if end is None:
        raise NoExactForm("the limit of g at u = 1 is not known")
    return Curve(top, below, ONE, None, start, end)


# Elsewhere --------------------------------------------------------------------------------------


class LogisticCurve(SmoothCurve):
    """f and f′ for gold in u, along r = ln(u/(1 − u))."""

    def __init__(self, family: Family, singular: sympy.Expr) -> None:
        self.singular = singular
        gold = _InReward(_spread(singular))
        super().__init__(Logistic(0, 1), family, gold)
        self._travels_as(family, singular)

    def _in_pieces(self) -> list[SmoothPiece]:
        # Multiplied out in u: 1/u and 1/(1 − u) cancel with du/dr = u(1 − u).
        slope = sympy.expand(sympy.cancel(sympy.diff(self.singular, u) * u * (1 - u)))
        along = _spread(slope)
        return [SmoothPiece(None, None, self.expr, along, sympy.diff(along, r))]


def _spread(expr: sympy.Expr) -> sympy.Expr:
    """A formula in u, log u and log(1 − u) as one in r, with u = 1/(1 + e^{−r})."""
    softplus = sympy.log(1 + sympy.exp(-r))
    parts = {_LOW: -softplus, _HIGH: -r - softplus, u: 1 / (1 + sympy.exp(-r))}
    return expr.xreplace({log: parts[log] for log in (_LOW, _HIGH)}).xreplace({u: parts[u]})


def log_picture(
    family: Family, expr: sympy.Expr
) -> tuple[Picture, tuple[list[int], list[Change]] | None]:
    """The picture of f for gold with such a logarithm, on any law without atoms, and its pattern.

    Raises NoExactForm for families without a certified quadrature, NotCertified as that does.
    """
    if family.name not in _FAMILIES:
        raise NoExactForm(f"no certified quadrature for the family {family}")
    pattern = log_pattern(expr)
    if family.name == "bon" and not expr.has(_HIGH):
        try:
            bound = None if pattern is None else len(pattern[1])
            return picture_of(rational_curve(expr), bound), pattern
        except NoExactForm:  # other functions of u beside it
            pass
    moved = None
    if pattern is not None:
        moved = pattern[0], [_moved(change) for change in pattern[1]]
    picture = smooth_picture(LogisticCurve(family, expr), family, moved)
    end = _limit(expr, True)
    if end is None:
        return picture, pattern
    return replace(picture, upper_end=replace(picture.upper_end, value=_number(end))), pattern


def _number(limit: Coefficient | int) -> Any:
    if isinstance(limit, int):
        return lambda _: Number.infinity(limit)
    if isinstance(limit, Fraction):
        return lambda _: Number.exact(limit)
    return lambda digits: settled(lambda: constant_ball(limit), digits)


def _moved(change: Change) -> Change:
    """The place of a change in r = ln(u/(1 − u))."""
    with precision(_BITS):
        ends = [(ball(x) / ball(1 - x)).log() for x in (change.low, change.high)]
        low, high = enclosing_rationals(ends[0])[0], enclosing_rationals(ends[1])[1]
    return Change(low, high, change.before, change.after)


__all__ = ["LogisticCurve", "log_pattern", "log_picture", "rational_curve", "singular_log"]
