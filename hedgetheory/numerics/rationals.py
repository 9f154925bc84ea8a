"""Exact rational arithmetic: a program either stays among the rationals or says that it leaves."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from math import isqrt

#: A power whose result would be longer than this is left to the balls.
MAX_RESULT_BITS = 20_000
MAX_HARMONIC = 2_000


class NotRational(ArithmeticError):
    """The value is irrational, not known to be rational, or too long to write down."""


def _only_at(argument: int, value: int) -> Callable[[Rationals, Fraction], Fraction]:
    def method(self: Rationals, x: Fraction) -> Fraction:
        if x != argument:
            raise NotRational
        return Fraction(value)

    return method


class Rationals:
    """Fractions; a transcendental function answers only at its one rational point."""

    exp = _only_at(0, 1)
    log = _only_at(1, 0)
    log1p = expm1 = Ein = erf = erfinv = sin = tan = sinh = tanh = _only_at(0, 0)
    erfc = cos = cosh = phi1 = _only_at(0, 1)
    erfcinv = _only_at(1, 0)
    wright_omega = _only_at(1, 1)

    def state(self) -> Hashable:
        return None

    def constant(self, value: Fraction | str) -> Fraction | str:
        return value

    @staticmethod
    def _rational(x: Fraction | str) -> Fraction:
        if isinstance(x, str):
            raise NotRational(x)
        return x

    def integer_power(self, exponent: int) -> Callable[[Fraction], Fraction]:
        def power(x: Fraction) -> Fraction:
            x = self._rational(x)
            size = max(x.numerator.bit_length(), x.denominator.bit_length())
            if size * abs(exponent) > MAX_RESULT_BITS and x not in (0, 1, -1):
                raise NotRational
            return x**exponent

        return power

    def add(self, x: Fraction, y: Fraction) -> Fraction:
        return self._rational(x) + self._rational(y)

    def sub(self, x: Fraction, y: Fraction) -> Fraction:
        return self._rational(x) - self._rational(y)

    def mul(self, x: Fraction, y: Fraction) -> Fraction:
        return self._rational(x) * self._rational(y)

    def div(self, x: Fraction, y: Fraction) -> Fraction:
        if y == 0:
            raise NotRational
        return self._rational(x) / self._rational(y)

    def neg(self, x: Fraction) -> Fraction:
        return -self._rational(x)

    def sqrt(self, x: Fraction) -> Fraction:
        if self._rational(x) < 0:
            raise NotRational
        top, bottom = isqrt(x.numerator), isqrt(x.denominator)
        if top * top != x.numerator or bottom * bottom != x.denominator:
            raise NotRational
        return Fraction(top, bottom)

    def pow(self, x: Fraction, y: Fraction) -> Fraction:
        x, y = self._rational(x), self._rational(y)
        if x == 1 or y == 0:
            return Fraction(1)
        if x == 0 and y > 0:
            return Fraction(0)
        if x == 0:
            raise NotRational  # 0 to a negative power is no number
        if y.denominator == 1:
            return self.integer_power(y.numerator)(x)
        if y.denominator == 2:
            return self.integer_power(y.numerator)(self.sqrt(x))
        raise NotRational

    def harmonic(self, x: Fraction) -> Fraction:
        if x.denominator != 1 or not 0 <= x <= MAX_HARMONIC:
            raise NotRational
        return sum((Fraction(1, i) for i in range(1, int(x) + 1)), Fraction(0))

    def phi2(self, x: Fraction) -> Fraction:
        if x != 0:
            raise NotRational
        return Fraction(1, 2)

    def phi3(self, x: Fraction) -> Fraction:
        return self.phi2(x) / 3

    def ndtr(self, x: Fraction) -> Fraction:
        return self.phi2(x)

    def gamma(self, x: Fraction) -> Fraction:
        raise NotRational

    digamma = lgamma = ei = scaled_ei = gamma

    def logit_beta_cdf(self, a: Fraction, b: Fraction, y: Fraction) -> Fraction:
        if a != b or y != 0:
            raise NotRational
        return Fraction(1, 2)  # the median of a symmetric law

    def logit_beta_ppf(self, a: Fraction, b: Fraction, u: Fraction, ubar: Fraction) -> Fraction:
        if a != b or u != ubar:
            raise NotRational
        return Fraction(0)

    def log_gamma_cdf(self, k: Fraction, y: Fraction) -> Fraction:
        raise NotRational

    log_gamma_sf = log_gamma_cdf

    def log_gamma_ppf(self, k: Fraction, u: Fraction, ubar: Fraction) -> Fraction:
        raise NotRational

    def kummer(self, a: Fraction, b: Fraction, x: Fraction) -> Fraction:
        if x != 0:
            raise NotRational
        return Fraction(1)

    def absolute(self, x: Fraction) -> Fraction:
        return abs(self._rational(x))

    def minimum(self, x: Fraction, y: Fraction) -> Fraction:
        return min(self._rational(x), self._rational(y))

    def maximum(self, x: Fraction, y: Fraction) -> Fraction:
        return max(self._rational(x), self._rational(y))

    def less(self, x: Fraction, y: Fraction) -> bool:
        return self._rational(x) < self._rational(y)

    def at_most(self, x: Fraction, y: Fraction) -> bool:
        return self._rational(x) <= self._rational(y)

    def both(self, x: bool, y: bool) -> bool:
        return x and y

    def either(self, x: bool, y: bool) -> bool:
        return x or y

    def where(self, condition: bool, x: Fraction, y: Fraction) -> Fraction:
        return x if condition else y


EXACT = Rationals()
