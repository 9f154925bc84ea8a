"""Sums of polynomials times exponentials, Σ_k p_k(x) e^{β_k x}: what f is made of.

For polynomial gold (and piecewise polynomial gold, and finite laws) the value f and its slope are
ratios of such sums. The frequencies β are either rational, or logarithms of positive rationals
(Best-of-n on atoms has F_i^n = e^{n ln F_i}).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, TypeAlias

import sympy

from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics.ball import REAL, ball, polynomial
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.roots import integers, sign_at

#: Exact constants: a Fraction where rational, else a sympy number in canonical form.
Coefficient: TypeAlias = "Fraction | sympy.Expr"
Coefficients: TypeAlias = "tuple[Coefficient, ...]"


#: The longest power of a breakpoint or a cumulative mass that is written out exactly.
MAX_POWER_BITS = 20_000


def canonical(value: Coefficient) -> Coefficient:
    """A Fraction where the constant is visibly rational; else expanded to logarithms of primes.

    Logarithms of distinct primes are linearly independent over the rationals (with 1, by
    Lindemann), so a rational linear combination that is zero is seen to be zero.
    """
    if isinstance(value, Fraction):
        return value
    if value.has(sympy.log):
        value = sympy.expand_log(value, force=True, factor=True)
    value = sympy.expand(value)
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    return value


def symbolic(value: Coefficient) -> sympy.Expr:
    return exact_symbol(value) if isinstance(value, Fraction) else value


def constant_ball(value: Coefficient) -> Any:
    """The ball of an exact constant at the current precision."""
    if isinstance(value, Fraction):
        return ball(value)
    return compiled(value, ())(REAL)


def _plus(a: Coefficient, b: Coefficient) -> Coefficient:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a + b
    return canonical(symbolic(a) + symbolic(b))


def _times(a: Coefficient, b: Coefficient) -> Coefficient:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a * b
    return canonical(symbolic(a) * symbolic(b))


def is_zero(value: Coefficient) -> bool:
    """Whether the constant is visibly zero; False leaves it open for an irrational one."""
    return bool(value == 0)


def trim(coefficients: list[Coefficient]) -> Coefficients:
    while coefficients and is_zero(coefficients[-1]):
        coefficients.pop()
    return tuple(coefficients)


def add_polynomials(a: Coefficients, b: Coefficients) -> Coefficients:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    out = list(longer)
    for i, c in enumerate(shorter):
        out[i] = _plus(out[i], c)
    return trim(out)


def multiply_polynomials(a: Coefficients, b: Coefficients) -> Coefficients:
    if not a or not b:
        return ()
    out: list[Coefficient] = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        if not is_zero(x):
            for j, y in enumerate(b):
                out[i + j] = _plus(out[i + j], _times(x, y))
    return trim(out)


def differentiate_polynomial(a: Coefficients) -> Coefficients:
    return trim([_times(Fraction(i), c) for i, c in enumerate(a)][1:])


class ExpSum:
    """Σ_k p_k(x) e^{β_k x}, immutable; ``logarithmic`` says that β_k is the logarithm of its key.

    >>> S = ExpSum({Fraction(0): (Fraction(1),), Fraction(1): (Fraction(-1),)})
    >>> (S * S).terms[Fraction(2)], S.derivative().terms
    ((Fraction(1, 1),), {Fraction(1, 1): (Fraction(-1, 1),)})
    """

    def __init__(self, terms: Mapping[Fraction, Coefficients], logarithmic: bool = False) -> None:
        self.logarithmic = logarithmic
        self.terms = {key: terms[key] for key in sorted(terms, reverse=True) if terms[key]}
        self._held: tuple[Any, list[tuple[Any, Any]]] | None = None

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def neutral(self) -> Fraction:
        """The key of the frequency zero."""
        return Fraction(1) if self.logarithmic else Fraction(0)

    @property
    def is_polynomial(self) -> bool:
        return set(self.terms) <= {self.neutral}

    @property
    def is_rational(self) -> bool:
        """Whether every coefficient is a rational."""
        return all(isinstance(c, Fraction) for p in self.terms.values() for c in p)

    @property
    def rational_polynomial(self) -> list[Fraction]:
        """The coefficients of a sum that is a rational polynomial."""
        return [c for c in self.terms.get(self.neutral, ()) if isinstance(c, Fraction)]

    @cached_property
    def integer_polynomial(self) -> list[int]:
        """`rational_polynomial` times a positive integer."""
        return integers(self.rational_polynomial)

    @property
    def size(self) -> int:
        """More than the order of any zero of the sum (over distinct real frequencies)."""
        return sum(len(p) for p in self.terms.values())

    def frequency(self, key: Fraction) -> Coefficient:
        if not self.logarithmic:
            return key
        return canonical(sympy.log(exact_symbol(key)))

    def __add__(self, other: ExpSum) -> ExpSum:
        terms = dict(self.terms)
        for key, p in other.terms.items():
            terms[key] = add_polynomials(terms.get(key, ()), p)
        return ExpSum(terms, self.logarithmic)

    def __neg__(self) -> ExpSum:
        return self.scaled((Fraction(-1),))

    def __sub__(self, other: ExpSum) -> ExpSum:
        return self + -other

    def scaled(self, factor: Coefficients) -> ExpSum:
        """The product with a polynomial."""
        return ExpSum(
            {key: multiply_polynomials(p, factor) for key, p in self.terms.items()},
            self.logarithmic,
        )

    def __mul__(self, other: ExpSum) -> ExpSum:
        terms: dict[Fraction, Coefficients] = {}
        for a, p in self.terms.items():
            for b, q in other.terms.items():
                key = a * b if self.logarithmic else a + b
                terms[key] = add_polynomials(terms.get(key, ()), multiply_polynomials(p, q))
        return ExpSum(terms, self.logarithmic)

    def derivative(self) -> ExpSum:
        return ExpSum(
            {
                key: add_polynomials(
                    differentiate_polynomial(p), multiply_polynomials(p, (self.frequency(key),))
                )
                for key, p in self.terms.items()
            },
            self.logarithmic,
        )

    def relative_to_top(self) -> ExpSum:
        """The sum divided by its fastest exponential: the same zeros, all frequencies ≤ 0."""
        top = next(iter(self.terms))
        return ExpSum(
            {(key / top if self.logarithmic else key - top): p for key, p in self.terms.items()},
            self.logarithmic,
        )

    def _balls(self) -> list[tuple[Any, Any]]:
        """(β, p) as balls, held for one precision."""
        if self._held is None or self._held[0] != REAL.state():
            pairs = []
            for key, p in self.terms.items():
                beta = ball(key).log() if self.logarithmic else ball(key)
                pairs.append((beta, polynomial([constant_ball(c) for c in p])))
            self._held = (REAL.state(), pairs)
        return self._held[1]

    def __call__(self, x: Any) -> Any:
        """The value at a ball, at the current precision."""
        total = ball(0)
        for beta, p in self._balls():
            total += p(x) * (beta * x).exp()
        return total

    def exact_sign(self, x: Fraction) -> int | None:
        """The sign at a rational of a rational polynomial, None for other sums."""
        if not (self.is_polynomial and self.is_rational):
            return None
        return sign_at(self.integer_polynomial, x)

    def exact_value(self, x: Fraction) -> Fraction | None:
        """The value at a rational where it is visibly rational and short, else None."""
        total = Fraction(0)
        for key, p in self.terms.items():
            if not all(isinstance(c, Fraction) for c in p):
                return None
            if key != self.neutral:
                bits = max(key.numerator, key.denominator).bit_length()
                if not self.logarithmic or x.denominator != 1 or bits * abs(x) > MAX_POWER_BITS:
                    return None
            power = key**x.numerator if key != self.neutral else Fraction(1)
            value = Fraction(0)
            for c in reversed(p):
                value = value * x + c
            total += value * power
        return total

    def jet(self, x: Any, length: int) -> list[Any]:
        """The Taylor coefficients S^{(j)}(x)/j!, j < length, each enclosed over the ball x."""
        shift = polynomial([x, ball(1)])
        total = polynomial([])
        for beta, p in self._balls():
            series, term = [], (beta * x).exp()
            for j in range(length):
                series.append(term)
                term = term * beta / (j + 1)
            total += p(shift) * polynomial(series)
        coefficients = list(total.coeffs())[:length]
        return coefficients + [ball(0)] * (length - len(coefficients))

    def leading(self, x0: Fraction) -> tuple[int, Coefficient] | None:
        """The order k at x₀ and the coefficient of (x − x₀)^k there, where they are exact.

        None where an irrational coefficient is not visibly zero or its order is beyond 2.
        """
        if self.logarithmic:
            return self._leading_logarithmic(x0)
        if x0 != 0:
            if not self.is_polynomial:
                return None
            return self._leading_polynomial(x0)
        for order in range(self.size + 1):
            total: Coefficient = Fraction(0)
            for key, p in self.terms.items():
                for i, c in enumerate(p[: order + 1]):
                    total = _plus(total, _times(c, key ** (order - i) / _factorial(order - i)))
            if not is_zero(total):
                return order, total
        return None

    def _leading_polynomial(self, x0: Fraction) -> tuple[int, Coefficient] | None:
        p = self.terms.get(self.neutral, ())
        order = 0
        while p:
            value: Coefficient = Fraction(0)
            for c in reversed(p):
                value = _plus(_times(value, x0), c)
            if not is_zero(value):
                return order, _times(value, Fraction(1) / _factorial(order))
            p, order = differentiate_polynomial(p), order + 1
        return None

    def _leading_logarithmic(self, x0: Fraction) -> tuple[int, Coefficient] | None:
        if x0.denominator != 1:
            return None
        current = self
        for order in range(3):
            total: Coefficient = Fraction(0)
            for key, p in current.terms.items():
                for i, c in enumerate(p):
                    total = _plus(total, _times(c, x0**i * key**x0.numerator))
            if not is_zero(total):
                return order, _times(total, Fraction(1) / _factorial(order))
            current = current.derivative()
        return None


@cache
def _factorial(k: int) -> Fraction:
    return Fraction(1) if k == 0 else k * _factorial(k - 1)
