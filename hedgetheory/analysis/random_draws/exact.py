"""f along best of a random number of draws as a ratio of exponential sums, where it is one.

* Binomial, p free, on every law where Best-of-n has exact values φ_j: in the odds x = p/(1 − p)
  f = Σ_j C(m, j) φ_j x^j / Σ_j C(m, j) x^j, j ≥ 1.
* Sibuya is Best-of-n with n = a in ū: f = ∫ g(1 − v) a v^{a−1} dv.
* Binomial, m free, is Best-of-n with n = m in y = 1 − pū on [q, 1], divided by 1 − q^m.
* Negative binomial (geometric: r = 1), p free, polynomial gold Σ h_c ū^c: with T = e^s = 1/p and
  t = T − 1, f = Σ_c h_c t^{−c} r ∫₁ᵀ (y − 1)^c y^{−r−1} dy / (1 − T^{−r}).
* On finitely many atoms f = Σ steps·G(F_i): sums of powers of rationals in a, m or r; rational in
  t for the negative binomial at integer r.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any

import sympy

from hedgetheory.analysis.curve import (
    ONE,
    ZERO,
    Curve,
    NoExactForm,
    best_of_n,
    curve_of,
    gold_in_quantile,
    gold_on_atoms,
    mean_of,
    steps_of,
)
from hedgetheory.analysis.expsum import (
    Coefficient,
    Coefficients,
    ExpSum,
    canonical,
    is_zero,
    multiply_polynomials,
    symbolic,
)
from hedgetheory.analysis.gold import Gold, NotPolynomial, Piece, pieces_of
from hedgetheory.analysis.random_draws.lines import Line
from hedgetheory.analysis.soft.pattern import BON
from hedgetheory.expressions.symbols import u
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.policies.random_draws import Binomial, LogarithmicSeries, Sibuya

#: The largest m, and the largest degree of a rational f, of the exact treatment.
MAX_TRIALS = 40
MAX_RATIONAL_DEGREE = 40
MAX_GOLD_DEGREE = 24
MAX_ATOMS = 200


@dataclass(frozen=True)
class Chart:
    """θ as a monotone function of the variable x in which f is exact; of balls and rationals."""

    theta: Callable[[Any], Any]
    back: Callable[[Any], Any]
    falls: bool = False
    #: Whether a rational x has a rational θ.
    rational: bool = True


SAME = Chart(lambda x: x, lambda theta: theta)
ODDS = Chart(lambda x: x / (1 + x), lambda p: p / (1 - p))
RECIPROCAL = Chart(lambda t: 1 / (1 + t), lambda p: 1 / p - 1, falls=True)
#: t = e^{1/β} − 1 of the logarithmic series.
LOGARITHM = Chart(lambda t: 1 / t.log1p(), lambda b: (1 / b).expm1(), falls=True, rational=False)
DECAY = Chart(lambda s: (-s).exp(), lambda p: -p.log(), falls=True, rational=False)


def exact_curve(law: Law, line: Line, gold: Gold) -> tuple[Curve, Chart]:
    """f in a variable of its own, and how that leads to θ. Raises NoExactForm where there is none.

    The curve's ``start`` and ``end`` are the values at the lower and the upper x.
    """
    if line.draws is LogarithmicSeries:
        raise NoExactForm(f"no exact form for the family {line.family}")
    try:
        if line.is_power_series and line.draws is Binomial:
            return _by_best_of_n(law, line, gold), ODDS
        if isinstance(law, FiniteLaw):
            return _on_atoms(law, line, gold)
        if not isinstance(law, ContinuousLaw):
            raise NoExactForm(f"no exact form on {law}")
        expr = gold_in_quantile(law, gold)
        if line.draws is Sibuya:
            return _sibuya(expr), SAME
        if line.whole:
            return _trials(line, expr), SAME
        if line.is_power_series:
            return _decaying(line, pieces_of(expr.subs(u, 1 - u), u, ZERO, ONE)), DECAY
    except NotPolynomial as why:
        raise NoExactForm(str(why)) from None
    raise NoExactForm(f"no exact form for the family {line.family}")


def _by_best_of_n(law: Law, line: Line, gold: Gold) -> Curve:
    trials = int(line.fixed)
    if trials > MAX_TRIALS:
        raise NoExactForm(f"m = {trials} is beyond the exact treatment")
    best = curve_of(law, BON, gold)
    values = [best.exact_value(Fraction(j)) for j in range(1, trials + 1)]
    known = [value for value in values if value is not None]
    if len(known) < trials:
        raise NoExactForm("a value of best-of-n is not a rational, or is too long")
    weights = [Fraction(comb(trials, j)) for j in range(1, trials + 1)]
    top = tuple(c * value for c, value in zip(weights, known, strict=True))
    return Curve(
        *(ExpSum({ZERO: _trimmed(top)}), ExpSum({ZERO: tuple(weights)})),
        *(ZERO, None, known[0], known[-1]),
    )


def _trimmed(coefficients: Coefficients) -> Coefficients:
    while coefficients and is_zero(coefficients[-1]):
        coefficients = coefficients[:-1]
    return coefficients


def _sibuya(expr: sympy.Expr) -> Curve:
    pieces = pieces_of(expr.subs(u, 1 - u), u, ZERO, ONE)
    top, bottom = best_of_n(pieces)
    return Curve(top, bottom, ZERO, ONE, pieces[0].at(ZERO), mean_of(pieces))


def _trials(line: Line, expr: sympy.Expr) -> Curve:
    p, q = line.fixed, 1 - line.fixed
    pieces = pieces_of(expr.subs(u, (u - exact_symbol(q)) / exact_symbol(p)), u, q, ONE)
    top, bottom = best_of_n(pieces)
    start = canonical(symbolic(mean_of(pieces)) / exact_symbol(p))
    bottom = bottom * ExpSum({ONE: (ONE,), q: (-ONE,)}, logarithmic=True)
    return Curve(top, bottom, ONE, None, start, pieces[-1].at(ONE))


def _decaying(line: Line, pieces: list[Piece]) -> Curve:
    """``pieces`` are those of g in ū."""
    if len(pieces) > 1 or not pieces[0].is_polynomial:
        raise NoExactForm("exact for one polynomial in the quantile only")
    r, (piece,) = line.fixed, pieces
    degree = piece.degree
    if degree > MAX_GOLD_DEGREE or r > MAX_RATIONAL_DEGREE or r.denominator > 8:
        raise NoExactForm(f"degree {degree} with r = {r} is beyond the exact treatment")
    rise = ExpSum({ONE: (ONE,), ZERO: (-ONE,)})
    powers = [ExpSum({ZERO: (ONE,)})]
    for _ in range(degree):
        powers.append(powers[-1] * rise)
    top = ExpSum({})
    for c, h in piece.terms.items():
        moment = ExpSum({})
        for j in range(int(c) + 1):
            factor = Fraction(comb(int(c), j) * (-1) ** (int(c) - j)) * r
            moment = moment + _integral_of_power(j - r).scaled((factor,))
        top = top + (moment * powers[degree - int(c)]).scaled((h,))
    bottom = powers[degree] * ExpSum({ZERO: (ONE,), -r: (-ONE,)})
    return Curve(top, bottom, ZERO, None, mean_of(pieces), piece.at(ZERO))


def _integral_of_power(e: Fraction) -> ExpSum:
    """∫₁ᵀ y^{e−1} dy = (T^e − 1)/e with T = e^s, which is s at e = 0."""
    if e == 0:
        return ExpSum({ZERO: (ZERO, ONE)})
    return ExpSum({e: (1 / e,), ZERO: (-1 / e,)})


# Laws with atoms --------------------------------------------------------------------------------


def _on_atoms(law: FiniteLaw, line: Line, gold: Gold) -> tuple[Curve, Chart]:
    if len(law.atoms) > MAX_ATOMS:
        raise NoExactForm(f"{len(law.atoms)} atoms are beyond the exact treatment")
    values = gold_on_atoms(law, gold)
    steps, top = steps_of(law, values), values[-1]
    mean = canonical(
        sympy.Add(
            *(
                symbolic(g) * exact_symbol(mass)
                for g, (_, mass) in zip(values, law.atoms, strict=True)
            )
        )
    )
    if line.draws is Sibuya:
        total = canonical(sympy.Add(*map(symbolic, steps.values())))
        sums = _sums({1 - F: _minus(c) for F, c in steps.items() if F < 1}, total)
        one = ExpSum({ONE: (ONE,)}, logarithmic=True)
        return Curve(sums, one, ZERO, ONE, top, mean), SAME
    if line.is_power_series:
        return _rational(line, steps, mean, top), RECIPROCAL
    total = _minus(canonical(sympy.Add(*map(symbolic, steps.values()))))
    if line.whole:
        p, q = line.fixed, 1 - line.fixed
        sums = _sums({1 - p * (1 - F): c for F, c in steps.items()}, total, at=q)
        bottom = ExpSum({ONE: (ONE,), q: (-ONE,)}, logarithmic=True)
        return Curve(sums, bottom, ONE, None, mean, top), SAME
    # G = ((p/z)^r − p^r)/(1 − p^r) with z = 1 − qF; the logarithmic series law as r → 0.
    p, q = line.fixed, 1 - line.fixed
    sums = _sums({p / (1 - q * F): c for F, c in steps.items()}, total, at=p)
    bottom = ExpSum({ONE: (ONE,), p: (-ONE,)}, logarithmic=True)
    logs = [symbolic(c) * sympy.log(exact_symbol(1 - q * F)) for F, c in steps.items()]
    start = canonical(sympy.Add(*logs) / sympy.log(exact_symbol(p)))
    return Curve(sums, bottom, ZERO, None, start, top), SAME


def _minus(c: Coefficient) -> Coefficient:
    return -c if isinstance(c, Fraction) else canonical(sympy.Mul(-1, c))


def _sums(powers: dict[Fraction, Coefficient], constant: Coefficient, at: Fraction = ONE) -> ExpSum:
    """Σ c·key^x and the constant times at^x."""
    total = ExpSum({key: (c,) for key, c in powers.items() if not is_zero(c)}, logarithmic=True)
    if is_zero(constant):
        return total
    return total + ExpSum({at: (constant,)}, logarithmic=True)


def _rational(
    line: Line, steps: dict[Fraction, Coefficient], start: Coefficient, end: Coefficient
) -> Curve:
    """G = (T^r Y^{−r} − 1)/(T^r − 1), Y = 1 + t(1 − F), T = 1 + t, over a common denominator."""
    r = line.fixed
    if r.denominator != 1 or r * (len(steps) + 1) > MAX_RATIONAL_DEGREE:
        raise NoExactForm(f"r = {r} on {len(steps)} atoms is beyond the exact treatment")
    inner: dict[Fraction, Coefficients] = {F: _power((ONE, 1 - F), int(r)) for F in steps}
    outer = _power((ONE, ONE), int(r))
    product: Coefficients = (ONE,)
    for factor in inner.values():
        product = multiply_polynomials(product, factor)
    numerator = ExpSum({})
    for F, c in steps.items():
        others: Coefficients = (c,)
        for other, factor in inner.items():
            if other != F:
                others = multiply_polynomials(others, factor)
        # T^r − Y^r has the factor t, which goes on both sides of the fraction.
        difference = ExpSum({ZERO: outer}) - ExpSum({ZERO: inner[F]})
        numerator = numerator + difference.scaled(others)
    bottom = (ExpSum({ZERO: outer}) - ExpSum({ZERO: (ONE,)})).scaled(product)
    return Curve(_divided(numerator), _divided(bottom), ZERO, None, start, end)


def _power(base: Coefficients, exponent: int) -> Coefficients:
    base = _trimmed(base)
    out: Coefficients = (ONE,)
    for _ in range(exponent):
        out = multiply_polynomials(out, base)
    return out


def _divided(total: ExpSum) -> ExpSum:
    """A polynomial without constant term, divided by the variable."""
    return ExpSum({key: p[1:] for key, p in total.terms.items()})


__all__ = ["DECAY", "LOGARITHM", "ODDS", "RECIPROCAL", "SAME", "Chart", "exact_curve"]
