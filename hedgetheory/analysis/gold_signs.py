"""Signs of g′ on any interval, infinite ones and singular ends included, where its form decides.

A quotient of sums Σ p_k(x) e^{β_k x} (with tanh, sinh, cosh among them) has the signs of its
numerator and denominator, whose zeros `analysis.zeros` isolates on a half-line, none missed; a
common factor e^{q(x)} such as e^{−x²} is positive and goes.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

import sympy

from hedgetheory.analysis.expsum import Coefficient, ExpSum, canonical, symbolic, trim
from hedgetheory.analysis.gold import NotPolynomial, constant_sign
from hedgetheory.analysis.zeros import Zero, isolate, sign_at

#: (low, high of the place, the sign from there on).
Mark: TypeAlias = "tuple[Fraction, Fraction, int]"

#: A point on the left of everything, where the interval has no lower end to name.
_START = Fraction(0)
_MAX_TERMS = 400
#: Of the polynomial in an exponent, where a limit is asked for.
_MAX_DEGREE = 64


def slope_signs(
    slope: sympy.Expr, x: sympy.Symbol, low: Fraction | None, high: Fraction | None
) -> list[Mark] | None:
    """The strict signs of a formula on (low, high) and where they change; None where it is open.

    The first mark has no place of its own: it is at ``low``, or anywhere where that is infinite.
    Signs are certified. Raises nothing.
    """
    if slope == 0:
        return []
    split = _quotient(slope, x)
    if split is None:
        return None
    top, bottom = split
    if not top:
        return []
    poles, places = _zeros(bottom, low, high), _zeros(top, low, high)
    if poles is None or poles or places is None:
        return None
    points = _between(places, low, high)
    signs = [sign_at(top, point) * sign_at(bottom, point) for point in points]
    if 0 in signs:
        return None
    first = low if low is not None else (places[0][0] if places else high or _START)
    marks: list[Mark] = [(first, first, signs[0])]
    for place, before, after in zip(places, signs, signs[1:], strict=False):
        if before != after:
            marks.append((*place, after))
    return marks


def _quotient(slope: sympy.Expr, x: sympy.Symbol) -> tuple[ExpSum, ExpSum] | None:
    plain = slope.rewrite([sympy.tanh, sympy.sinh, sympy.cosh], sympy.exp)
    parts = sympy.fraction(sympy.together(sympy.powsimp(plain)))
    sums = [_exponential_sum(part, x) for part in parts]
    if sums[0] is None or sums[1] is None:
        return None
    return sums[0], sums[1]


#: q (its coefficients from the first power on, the highest first) -> power -> coefficient.
Terms: TypeAlias = "dict[tuple[Fraction, ...], dict[int, sympy.Expr]]"


def _terms(expr: sympy.Expr, x: sympy.Symbol) -> Terms | None:
    """A formula as Σ c x^k e^{q(x)} with polynomials q; None where it is not of that form."""
    terms: Terms = {}
    summands = sympy.Add.make_args(sympy.expand(sympy.powsimp(sympy.expand(expr))))
    if len(summands) > _MAX_TERMS:
        return None
    for summand in summands:
        coefficient, rest = sympy.powsimp(summand).as_independent(x)
        power, exponent = 0, sympy.S.Zero
        for factor in sympy.Mul.make_args(rest):
            base, raised = factor.as_base_exp()
            if base == x and raised.is_Integer and raised >= 0:
                power += int(raised)
            elif isinstance(factor, sympy.exp):
                exponent += factor.args[0]
            elif factor != 1:
                return None
        if not coefficient.is_real or not exponent.is_polynomial(x):
            return None
        *higher, constant = sympy.Poly(exponent, x).all_coeffs()
        if not all(c.is_Rational for c in higher):
            return None
        at = terms.setdefault(tuple(map(_fraction, higher)), {})
        at[power] = at.get(power, sympy.S.Zero) + coefficient * sympy.exp(constant)
    return terms


def _exponential_sum(expr: sympy.Expr, x: sympy.Symbol) -> ExpSum | None:
    """A formula as Σ p_k(x) e^{β_k x}, but for a factor e^{q(x)}; None where it is none."""
    terms = _terms(expr, x)
    if terms is None or len({q[:-1] for q in terms}) > 1:
        return None
    return ExpSum(
        {
            (q[-1] if q else Fraction(0)): trim(
                [
                    canonical(sympy.simplify(powers.get(k, sympy.S.Zero)))
                    for k in range(max(powers) + 1)
                ]
            )
            for q, powers in terms.items()
        }
    )


def limit_at_infinity(expr: sympy.Expr, x: sympy.Symbol) -> Coefficient | int | None:
    """lim expr, x → ∞, of a quotient of sums Σ c x^k e^{q(x)}, by its leading terms.

    An exact constant, or ±1 of type int for ±∞; None where the form is another.
    """
    if not expr.has(x):
        return canonical(expr)
    plain = expr.rewrite([sympy.tanh, sympy.sinh, sympy.cosh], sympy.exp)
    leads = []
    for part in sympy.fraction(sympy.together(sympy.powsimp(plain))):
        terms = _terms(part, x)
        try:
            lead = None if terms is None else _leading(terms)
        except NotPolynomial:  # the sign of its coefficient is not certain
            return None
        if lead is None:
            return None
        leads.append(lead)
    (top_order, top), (bottom_order, bottom) = leads
    if top == 0 or top_order < bottom_order:
        return Fraction(0)
    ratio = canonical(symbolic(top) / symbolic(bottom))
    if top_order == bottom_order:
        return ratio
    return constant_sign(ratio)


def _leading(terms: Terms) -> tuple[tuple[tuple[Fraction, ...], int], Coefficient] | None:
    """The order, as something to compare, and the coefficient of the leading term at +∞."""
    longest = max(len(q) for q in terms)
    ranked = sorted(
        (((*(Fraction(0),) * (longest - len(q)), *q), k, c)
         for q, powers in terms.items() for k, c in powers.items()),
        key=lambda term: term[:2], reverse=True,
    )  # fmt: skip
    for q, k, c in ranked:
        exact = canonical(sympy.simplify(c))
        if exact == 0:
            continue
        constant_sign(exact)  # certainly not zero
        # Pad so that orders of different sums compare: the highest power of x in q decides first.
        padded = (*(Fraction(0),) * (_MAX_DEGREE - len(q)), *q)
        return None if len(q) > _MAX_DEGREE else ((padded, k), exact)
    return ((Fraction(0),) * _MAX_DEGREE, 0), Fraction(0)


def _fraction(value: sympy.Rational) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _zeros(
    total: ExpSum, low: Fraction | None, high: Fraction | None
) -> list[tuple[Fraction, Fraction]] | None:
    """Disjoint places in (low, high) that hold every zero; None where the search stays open."""
    places: list[tuple[Fraction, Fraction]] = []
    for mirrored, start, end in _half_lines(low, high):
        found = isolate(_mirror(total) if mirrored else total, start, end)
        if not found.complete:
            return None
        for zero in found.zeros:
            if not _narrowed(zero, end):
                return None
            if end is None or zero.high < end:
                places.append((-zero.high, -zero.low) if mirrored else (zero.low, zero.high))
    inside = (low is None or low < 0) and (high is None or high > 0)
    # Zero, where the two half-lines meet, is in neither of them.
    if inside and not sign_at(total, Fraction(0)):
        places.append((Fraction(0), Fraction(0)))
    return sorted(places)


def _narrowed(zero: Zero, end: Fraction | None) -> bool:
    """Whether the place of a zero is narrow, and clear of ``end``."""
    try:
        for bits in (40, 80, 160, 320):
            zero.narrow(max(abs(zero.high), Fraction(1)) / 2**bits)
            if end is None or not zero.low <= end <= zero.high:
                return True
    except ArithmeticError:  # its sign stays uncertain
        return False
    return False


def _half_lines(
    low: Fraction | None, high: Fraction | None
) -> list[tuple[bool, Fraction, Fraction | None]]:
    """(mirrored, start, end): the part below zero is searched as one above it, x → −x."""
    parts: list[tuple[bool, Fraction, Fraction | None]] = []
    if low is None or low < 0:
        below = Fraction(0) if high is None else max(-high, Fraction(0))
        parts.append((True, below, None if low is None else -low))
    if high is None or high > 0:
        parts.append((False, Fraction(0) if low is None else max(low, Fraction(0)), high))
    return parts


def _mirror(total: ExpSum) -> ExpSum:
    return ExpSum(
        {
            -rate: tuple(
                canonical(-c if isinstance(c, Fraction) else sympy.Mul(-1, c)) if k % 2 else c
                for k, c in enumerate(coefficients)
            )
            for rate, coefficients in total.terms.items()
        }
    )


def _between(
    places: list[tuple[Fraction, Fraction]], low: Fraction | None, high: Fraction | None
) -> list[Fraction]:
    """A point in each stretch between neighbouring zeros and the ends."""
    if not places:
        if low is not None and high is not None:
            return [(low + high) / 2]
        return [low + 1 if low is not None else high - 1 if high is not None else Fraction(1)]
    first, last = places[0][0], places[-1][1]
    points = [first - 1 if low is None else (low + first) / 2]
    points += [(a[1] + b[0]) / 2 for a, b in pairwise(places)]
    return [*points, last + 1 if high is None else (last + high) / 2]


__all__ = ["Mark", "slope_signs"]
