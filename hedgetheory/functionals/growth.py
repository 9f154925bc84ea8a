"""How fast a formula can grow in the reward: what the tail of a certified integral rests on."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.numerics.ball import REAL, upper_integer
from hedgetheory.numerics.program import compiled


@dataclass(frozen=True)
class Growth:
    """|h(r)| ≤ size·m^degree·e^{rate·m} with m = max(1, |r|), all three exact and ≥ 0."""

    size: Fraction
    degree: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)

    def __add__(self, other: Growth) -> Growth:
        return Growth(
            self.size + other.size, max(self.degree, other.degree), max(self.rate, other.rate)
        )

    def raised(self, outer: Growth) -> Growth:
        """The bound of h(T(y)) from this one of T and an ``outer`` one of h with rate 0.

        max(1, |T|) ≤ max(1, size)·m^degree·e^{rate·m}, to the power of the outer degree.
        """
        ceiling = -(-outer.degree.numerator // outer.degree.denominator)
        size = outer.size * max(self.size, Fraction(1)) ** ceiling
        return Growth(size, self.degree * outer.degree, self.rate * outer.degree)

    def __mul__(self, other: Growth) -> Growth:
        return Growth(self.size * other.size, self.degree + other.degree, self.rate + other.rate)


ONE = Growth(Fraction(1))


def _upper(value: sympy.Expr) -> Fraction:
    """A rational upper bound of the absolute value of a constant."""
    if value.is_Rational:
        return abs(Fraction(int(value.p), int(value.q)))
    x = compiled(value, ())(REAL)
    if x.is_finite():
        return upper_integer(x)
    raise NotCertified(f"no bound for the constant {value} in the tail")


def growth(expr: sympy.Expr, side: int = 0) -> Growth:
    """A bound of the growth of a formula in r, by its structure.

    ``side`` +1 bounds it for r ≥ 0 only, −1 for r ≤ 0 only, where e^{−r}, say, does not grow.

    Raises NotCertified where the structure gives none (for instance a quotient by a formula that
    could vanish, or the exponential of a square).

    >>> growth(r**2 + 1)
    Growth(size=Fraction(2, 1), degree=Fraction(2, 1), rate=Fraction(0, 1))
    """
    if expr == r:
        return Growth(Fraction(1), Fraction(1))
    if not expr.has(r):
        return Growth(_bound_constant(expr))
    if isinstance(expr, sympy.Add):
        first, *rest = (growth(term, side) for term in expr.args)
        for other in rest:
            first = first + other
        return first
    if isinstance(expr, sympy.Mul):
        result = ONE
        for factor in expr.args:
            result = result * growth(factor, side)
        return result
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and expr.exp >= 0:
        return _power(growth(expr.base, side), Fraction(int(expr.exp.p), int(expr.exp.q)))
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational and expr.exp < 0:
        least = _floor(expr.base)
        if least > 0:
            return _power(Growth(1 / least), -Fraction(int(expr.exp.p), int(expr.exp.q)))
    if isinstance(expr, (sympy.sin, sympy.cos, sympy.tanh, sympy.erf)):
        return ONE
    if isinstance(expr, sympy.Abs):
        return growth(expr.args[0], side)
    if isinstance(expr, (sympy.Min, sympy.Max)):
        return _largest([growth(arg, side) for arg in expr.args])
    if isinstance(expr, sympy.Piecewise):
        return _largest([growth(piece.expr, side) for piece in expr.args])
    if isinstance(expr, sympy.exp):
        return _exponential(expr.args[0], side)
    if isinstance(expr, sympy.log) and _floor(expr.args[0]) >= 1:
        # 0 ≤ ln h ≤ ln size + degree·ln m + rate·m, where ln m ≤ m and 1 ≤ m.
        inner = growth(expr.args[0], side)
        size = Fraction(int(inner.size + 1).bit_length())
        return Growth(size + inner.degree + inner.rate, Fraction(1))
    raise NotCertified(
        f"the growth of {expr} is not bounded by its structure, so neither is the integral's tail"
    )


def side_of(support: tuple[object, object]) -> int:
    """+1 for a range of rewards ≥ 0, −1 for one ≤ 0, and 0 for others: the ``side`` of `growth`."""
    low, high = support
    if isinstance(low, Fraction) and low >= 0:
        return 1
    return -1 if isinstance(high, Fraction) and high <= 0 else 0


def _floor(expr: sympy.Expr) -> Fraction:
    """A lower bound, ≥ 0, of a formula that is non-negative by its structure; −1 of any other."""
    if expr.is_Rational:
        return max(Fraction(int(expr.p), int(expr.q)), Fraction(-1))
    if isinstance(expr, sympy.exp) or (
        isinstance(expr, sympy.Pow) and expr.exp.is_Integer and expr.exp % 2 == 0
    ):
        return Fraction(0)
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational:
        return min(_floor(expr.base), Fraction(0))
    if not expr.has(r) and expr.is_positive:
        return Fraction(0)
    if isinstance(expr, sympy.Piecewise):
        return min(_floor(piece.expr) for piece in expr.args)
    if isinstance(expr, (sympy.Add, sympy.Mul)):
        parts = [_floor(part) for part in expr.args]
        if min(parts) < 0:
            return Fraction(-1)
        return (
            sum(parts, Fraction(0))
            if isinstance(expr, sympy.Add)
            else prod(parts, start=Fraction(1))
        )
    return Fraction(-1)


def _bound_constant(expr: sympy.Expr) -> Fraction:
    if isinstance(expr, sympy.Add):
        return sum((_bound_constant(term) for term in expr.args), Fraction(0))
    if isinstance(expr, sympy.Mul):
        product = Fraction(1)
        for factor in expr.args:
            product *= _bound_constant(factor)
        return product
    if isinstance(expr, sympy.Pow) and expr.exp == sympy.Rational(1, 2):
        return _bound_constant(expr.base) + 1
    return _upper(expr)


def _power(base: Growth, exponent: Fraction) -> Growth:
    # x ↦ x^q is increasing; a rational power of the size is rounded up to the next integer power.
    ceiling = -(-exponent.numerator // exponent.denominator)
    size = max(base.size, Fraction(1)) ** ceiling
    return Growth(size, base.degree * exponent, base.rate * exponent)


def _largest(bounds: list[Growth]) -> Growth:
    return Growth(
        max(b.size for b in bounds), max(b.degree for b in bounds), max(b.rate for b in bounds)
    )


def _exponential(exponent: sympy.Expr, side: int) -> Growth:
    """e^{a + b·r} ≤ 3^{⌈|a|⌉}·e^{|b||r|}; e to a negative even power of r is bounded too.

    On the side where b·r ≤ 0 the second factor is not needed.
    """
    polynomial = sympy.Poly(exponent, r) if exponent.is_polynomial(r) else None
    if polynomial is None or not all(c.is_Rational for c in polynomial.all_coeffs()):
        raise NotCertified(f"no growth bound for exp({exponent})")
    lead = polynomial.LC()
    if polynomial.degree() % 2 == 0 and lead < 0 and polynomial.length() == 1:
        return ONE
    if polynomial.degree() == 2 and lead < 0:
        top = _upper(polynomial.nth(0) - polynomial.nth(1) ** 2 / (4 * lead))
        return Growth(Fraction(3) ** -(-top.numerator // top.denominator))
    if polynomial.degree() > 1:
        raise NotCertified(f"no growth bound for exp({exponent})")
    slope, start = _upper(polynomial.nth(1)), _upper(polynomial.nth(0))
    if side * polynomial.nth(1) < 0:
        slope = Fraction(0)
    return Growth(Fraction(3) ** -(-start.numerator // start.denominator), Fraction(0), slope)
