"""The value f(θ) of a family on a law as a ratio of exponential sums, where it is one.

Rank families on a law without atoms, gold piecewise polynomial in the quantile:
 Best-of-n (exponents rational): ∫ x^c n x^{n−1} = n/(n+c)·[b^{n+c} − a^{n+c}];
 Best-of-Poisson, quantile tilt: ∫ p(u) e^{x(u−1)} du = Σ_j (−1)^j [p^{(j)} e^{x(u−1)}]/x^{j+1}.
On finitely many atoms f = Σ_i (g_i − g_{i+1}) G_θ(F_i) with F_i the cdf at the atom, u = F_i there.
The raw tilt: the quantile tilt on the uniform law, a weighted sum on atoms, moments of the tilted
law for the normal and the exponential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, factorial
from typing import Any

import sympy

from hedgetheory.analysis.expsum import (
    Coefficient,
    Coefficients,
    ExpSum,
    canonical,
    differentiate_polynomial,
    is_zero,
    multiply_polynomials,
    symbolic,
)
from hedgetheory.analysis.gold import Gold, NotPolynomial, Piece, pieces_of
from hedgetheory.errors import NotOnThisLaw
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law, exact_symbol
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.family import Family

ONE, ZERO = Fraction(1), Fraction(0)
#: The exact end value of f: a constant, or an infinite sign.
Limit = "Coefficient | int"
MAX_ATOMS = 200
MAX_FREQUENCIES = 60
MAX_DEGREE = 200


class NoExactForm(Exception):
    """f is not a ratio of exponential sums here (or one too long); the message says why."""


@dataclass(frozen=True)
class Curve:
    """f = numerator/denominator on (lower, upper), the denominator positive there.

    ``start`` is f(lower); ``end`` the limit at ``upper`` (None for ∞), an int ±1 for ±∞.
    """

    numerator: ExpSum
    denominator: ExpSum
    lower: Fraction
    upper: Fraction | None
    start: Coefficient
    end: Any

    @cached_property
    def slope(self) -> ExpSum:
        """N′D − ND′, which has the sign of f′ on the open domain."""
        return (
            self.numerator.derivative() * self.denominator
            - self.numerator * self.denominator.derivative()
        )

    def value(self, x: Any) -> Any:
        """f at a ball inside the domain."""
        return self.numerator(x) / self.denominator(x)

    def exact_value(self, x: Fraction) -> Fraction | None:
        """f at a rational where it is visibly rational and not too long to write down."""
        if x == self.lower:
            return self.start if isinstance(self.start, Fraction) else None
        top, bottom = self.numerator.exact_value(x), self.denominator.exact_value(x)
        return None if top is None or bottom is None else top / bottom

    def at_integer(self, n: int) -> sympy.Expr | None:
        """f at an integer as an exact constant, in sums of powers F^n; None elsewhere."""
        if not (self.numerator.logarithmic and 0 < n <= MAX_DEGREE):
            return None
        top, bottom = (
            sympy.Add(
                *(
                    symbolic(c) * n**k * exact_symbol(base) ** n
                    for base, coefficients in total.terms.items()
                    for k, c in enumerate(coefficients)
                )
            )
            for total in (self.numerator, self.denominator)
        )
        return top / bottom


def curve_of(law: Law, family: Family, gold: Gold) -> Curve:
    """The exact form of f. Raises NoExactForm where there is none, NotOnThisLaw for no tilt."""
    try:
        if isinstance(law, FiniteLaw):
            return _on_atoms(law, family, gold)
        if not isinstance(law, ContinuousLaw):
            raise NoExactForm(f"no exact form on {law}")
        if family.name == "tilt":
            return _tilt(law, gold)
        return _rank(law, family, gold)
    except NotPolynomial as why:
        raise NoExactForm(str(why)) from None


def gold_in_quantile(law: ContinuousLaw, gold: Gold) -> sympy.Expr:
    """g as a formula in u, on a law without atoms."""
    if not gold.expr.has(r):
        return gold.expr
    if isinstance(law, Uniform):
        return gold.expr.xreplace({r: u})
    raise NoExactForm(f"gold in the reward on {law.name} is not polynomial in the quantile")


# Rank families on a law without atoms -----------------------------------------------------------


def _rank(law: ContinuousLaw, family: Family, gold: Gold) -> Curve:
    builders: dict[str, Callable[[list[Piece]], tuple[ExpSum, ExpSum]]] = {
        "bon": best_of_n,
        "bop": _best_of_poisson,
        "quantile_tilt": _quantile_tilt,
    }
    if family.name not in builders:
        raise NoExactForm(f"no exact form for the family {family}")
    pieces = pieces_of(gold_in_quantile(law, gold), u, ZERO, ONE)
    top, bottom = builders[family.name](pieces)
    start = mean_of(pieces)
    return Curve(top, bottom, family.domain.lower, None, start, pieces[-1].at(ONE))


def mean_of(pieces: list[Piece]) -> Coefficient:
    """∫₀¹ g du, exactly."""
    total = sympy.S.Zero
    for piece in pieces:
        for c, a in piece.terms.items():
            power = exact_symbol(c + 1)
            width = (
                exact_symbol(piece.high or ZERO) ** power - exact_symbol(piece.low or ZERO) ** power
            )
            total += symbolic(a) * width / power
    return canonical(total)


def best_of_n(pieces: list[Piece]) -> tuple[ExpSum, ExpSum]:
    """Numerator and denominator of ∫ g n u^{n−1} du over the pieces of g."""
    exponents = sorted({c for piece in pieces for c in piece.terms if c})
    bottom: Coefficients = (ONE,)
    for c in exponents:
        bottom = multiply_polynomials(bottom, (c, ONE))
    others: dict[Fraction, Coefficients] = {ZERO: bottom}
    for c in exponents:
        # n·Π_{c' ≠ c}(n + c'): synthetic division of the product by (n + c).
        quotient: list[Coefficient] = [ZERO] * (len(bottom) - 1)
        carry: Coefficient = ZERO
        for i in range(len(bottom) - 1, 0, -1):
            carry = canonical(symbolic(bottom[i]) - symbolic(carry) * exact_symbol(c))
            quotient[i - 1] = carry
        others[c] = (ZERO, *quotient)
    top = ExpSum({}, logarithmic=True)
    for piece in pieces:
        for c, a in piece.terms.items():
            for end, sign in ((piece.high, 1), (piece.low, -1)):
                if end:
                    factor = canonical(sign * symbolic(a) * exact_symbol(end) ** exact_symbol(c))
                    top = top + ExpSum({end: multiply_polynomials(others[c], (factor,))}, True)
    return top, ExpSum({ONE: bottom}, logarithmic=True)


def _exponential_integral(pieces: list[Piece], weight: Coefficients, power: int) -> ExpSum:
    """x^{power}·∫ weight(u) g(u) e^{x(u−1)} du, for a power above the degree of the integrand."""
    terms = ExpSum({})
    for piece in pieces:
        if not piece.is_polynomial:
            raise NoExactForm("exponents that are not integers are exact for best-of-n only")
        p, sign, exponent = multiply_polynomials(piece.coefficients, weight), 1, power - 1
        while p:
            for end, side in ((piece.high, 1), (piece.low, -1)):
                value = _at(p, end or ZERO)
                if not is_zero(value):
                    scaled = canonical(sign * side * symbolic(value))
                    terms = terms + ExpSum({(end or ZERO) - 1: (ZERO,) * exponent + (scaled,)})
            p, sign, exponent = differentiate_polynomial(p), -sign, exponent - 1
    if len(terms.terms) > MAX_FREQUENCIES:
        raise NoExactForm("too many breakpoints for the exact treatment")
    return terms


def _at(p: Coefficients, x: Fraction) -> Coefficient:
    total: Coefficient = ZERO
    for c in reversed(p):
        if isinstance(total, Fraction) and isinstance(c, Fraction):
            total = total * x + c
        else:
            total = canonical(symbolic(total) * exact_symbol(x) + symbolic(c))
    return total


def _degree(pieces: list[Piece]) -> int:
    degree = max(piece.degree for piece in pieces)
    if degree > MAX_DEGREE:
        raise NoExactForm(f"the degree {degree} is beyond the exact treatment")
    return degree


def _best_of_poisson(pieces: list[Piece]) -> tuple[ExpSum, ExpSum]:
    # f = ∫ g e^{x(u−1)} + x ∫ u g e^{x(u−1)}.
    power = _degree(pieces) + 1
    plain = _exponential_integral(pieces, (ONE,), power)
    weighted = _exponential_integral(pieces, (ZERO, ONE), power + 1)
    return plain + weighted, ExpSum({ZERO: (ZERO,) * power + (ONE,)})


def _quantile_tilt(pieces: list[Piece]) -> tuple[ExpSum, ExpSum]:
    # f = x/(1 − e^{−x}) ∫ g e^{x(u−1)}.
    power = _degree(pieces)
    bottom = ExpSum({ZERO: (ZERO,) * power + (ONE,), -ONE: (ZERO,) * power + (-ONE,)})
    return _exponential_integral(pieces, (ONE,), power + 1), bottom


# Laws with atoms --------------------------------------------------------------------------------


def gold_on_atoms(law: FiniteLaw, gold: Gold) -> list[Coefficient]:
    """g at each atom; a formula in u is taken at u = F(r), the atom included."""
    in_quantile = gold.expr.has(u)
    points = law.cumulative if in_quantile else tuple(value for value, _ in law.atoms)
    out = []
    for point in points:
        value = gold.expr.subs(u if in_quantile else r, exact_symbol(point))
        if value.has(sympy.nan, sympy.zoo, sympy.oo) or not value.is_real:
            raise NoExactForm(f"the gold value at {point} is not a real number")
        out.append(canonical(value))
    return out


def _on_atoms(law: FiniteLaw, family: Family, gold: Gold) -> Curve:
    if len(law.atoms) > MAX_ATOMS:
        raise NoExactForm(f"{len(law.atoms)} atoms are beyond the exact treatment")
    values = gold_on_atoms(law, gold)
    masses = [mass for _, mass in law.atoms]
    start = canonical(
        sympy.Add(*(symbolic(g) * exact_symbol(p) for g, p in zip(values, masses, strict=True)))
    )
    top, bottom = _atom_sums(law, family, values)
    return Curve(top, bottom, family.domain.lower, None, start, values[-1])


def steps_of(law: FiniteLaw, values: list[Coefficient]) -> dict[Fraction, Coefficient]:
    """F_i -> steps[i] with f = Σ_i steps[i]·G(F_i), from G(F_i) − G(F_{i−1}) summed by parts."""
    steps = {
        cumulative: canonical(symbolic(here) - symbolic(following))
        for cumulative, here, following in zip(
            law.cumulative, values, [*values[1:], ZERO], strict=True
        )
    }
    return {cumulative: c for cumulative, c in steps.items() if not is_zero(c)}


def _atom_sums(law: FiniteLaw, family: Family, values: list[Coefficient]) -> tuple[ExpSum, ExpSum]:
    if family.name == "tilt":
        highest = law.atoms[-1][0]
        weights = {value - highest: mass for value, mass in law.atoms}
        top = {
            key: (canonical(symbolic(g) * exact_symbol(mass)),)
            for (key, mass), g in zip(weights.items(), values, strict=True)
            if not is_zero(g)
        }
        return ExpSum(top), ExpSum({key: (mass,) for key, mass in weights.items()})
    steps = steps_of(law, values)
    if family.name == "bon":
        one = ExpSum({ONE: (ONE,)}, logarithmic=True)
        return ExpSum({F: (c,) for F, c in steps.items()}, logarithmic=True), one
    if family.name == "bop":
        scaled = {F - 1: (canonical(symbolic(c) * exact_symbol(F)),) for F, c in steps.items()}
        return ExpSum(scaled), ExpSum({ZERO: (ONE,)})
    if family.name == "quantile_tilt":
        bottom = ExpSum({ZERO: (ONE,), -ONE: (-ONE,)})
        total = ExpSum({-ONE: (canonical(-sympy.Add(*map(symbolic, steps.values()))),)})
        return ExpSum({F - 1: (c,) for F, c in steps.items()}) + total, bottom
    raise NoExactForm(f"no exact form for the family {family}")


# The raw tilt -----------------------------------------------------------------------------------


def _tilt(law: ContinuousLaw, gold: Gold) -> Curve:
    if law.mgf_limit is not None and law.mgf_limit <= 0:
        raise NotOnThisLaw(f"tilt does not exist on {law}: M(lam) is infinite for every lam > 0")
    if isinstance(law, Uniform):
        pieces = pieces_of(gold.expr.xreplace({r: u}), u, ZERO, ONE)
        top, bottom = _quantile_tilt(pieces)
        return Curve(top, bottom, ZERO, None, mean_of(pieces), pieces[-1].at(ONE))
    if gold.expr.has(u) or not isinstance(law, (Normal, Exponential)):
        raise NoExactForm(f"no exact form of the tilt on {law.name} for this gold")
    low = ZERO if isinstance(law, Exponential) else None
    pieces = pieces_of(gold.expr, r, low, None)
    if len(pieces) > 1 or not pieces[0].is_polynomial:
        raise NoExactForm(f"the tilt on {law.name} is exact for polynomial gold in r only")
    p = pieces[0].coefficients
    _degree(pieces)
    return _normal_tilt(law, p) if isinstance(law, Normal) else _exponential_tilt(law, p)


def _normal_tilt(law: Normal, p: Coefficients) -> Curve:
    # E[(m + s²λ + sZ)^k] = Σ_j C(k, 2j) (2j − 1)!! s^{2j} (m + s²λ)^{k−2j}.
    shift: Coefficients = (law.mean, law.sd**2)
    powers: list[Coefficients] = [(ONE,)]
    for _ in p:
        powers.append(multiply_polynomials(powers[-1], shift))
    top = ExpSum({})
    for k, a in enumerate(p):
        for j in range(k // 2 + 1):
            moment = comb(k, 2 * j) * factorial(2 * j) // (2**j * factorial(j)) * law.sd ** (2 * j)
            factor = canonical(symbolic(a) * exact_symbol(Fraction(moment)))
            top = top + ExpSum({ZERO: powers[k - 2 * j]}).scaled((factor,))
    coefficients = top.terms.get(ZERO, (ZERO,))
    end = coefficients[0] if len(coefficients) == 1 else _sign(coefficients[-1])
    return Curve(top, ExpSum({ZERO: (ONE,)}), ZERO, None, coefficients[0], end)


def _exponential_tilt(law: Exponential, p: Coefficients) -> Curve:
    # The tilted law is Exponential(rate − λ): E[R^k] = k!/(rate − λ)^k.
    rate, degree = law.rate, max(len(p) - 1, 0)
    powers: list[Coefficients] = [(ONE,)]
    for _ in range(degree):
        powers.append(multiply_polynomials(powers[-1], (rate, -ONE)))
    top = ExpSum({})
    for k, a in enumerate(p):
        factor = canonical(symbolic(a) * factorial(k))
        top = top + ExpSum({ZERO: powers[degree - k]}).scaled((factor,))
    start = canonical(
        sympy.Add(*(symbolic(a) * factorial(k) / exact_symbol(rate) ** k for k, a in enumerate(p)))
    )
    end = _sign(p[-1]) if degree else start
    return Curve(top, ExpSum({ZERO: powers[degree]}), ZERO, rate, start, end)


def _sign(value: Coefficient) -> int:
    return 1 if symbolic(value) > 0 else -1
