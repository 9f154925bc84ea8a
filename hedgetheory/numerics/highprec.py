"""mpmath arithmetic in a private context: a second opinion, always `estimated`, never certified."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any

import mpmath

from hedgetheory.numerics.incomplete_estimates import HighIncomplete
from hedgetheory.numerics.program import Operators


class HighPrecision(HighIncomplete, Operators):
    """The arithmetic of mpmath at a fixed number of decimal digits."""

    def __init__(self, digits: int = 30) -> None:
        self.context = mpmath.MPContext()
        self.context.dps = digits
        context = self.context
        self.exp, self.log, self.sqrt = context.exp, context.log, context.sqrt
        self.sin, self.cos, self.tan = context.sin, context.cos, context.tan
        self.sinh, self.cosh, self.tanh = context.sinh, context.cosh, context.tanh
        self.erf, self.erfc, self.erfinv = context.erf, context.erfc, context.erfinv
        self.gamma, self.lgamma = self.context.gamma, self.context.loggamma
        self.digamma, self.harmonic = self.context.digamma, self.context.harmonic
        self.log1p, self.expm1, self.ei = self.context.log1p, self.context.expm1, self.context.ei
        self.absolute = self.context.fabs
        self.minimum, self.maximum = min, max
        self.infinity, self.undefined = context.inf, context.nan

    def state(self) -> Hashable:
        return int(self.context.prec)

    def constant(self, value: Fraction | str) -> Any:
        if isinstance(value, str):
            named = {"pi": self.context.pi, "e": self.context.e, "euler": self.context.euler}
            return +named[value]
        return self.context.mpf(value.numerator) / value.denominator

    def integer_power(self, exponent: int) -> Callable[[Any], Any]:
        return lambda x: x**exponent

    def pow(self, x: Any, y: Any) -> Any:
        return x**y

    def erfcinv(self, x: Any) -> Any:
        # The root of ln erfc(y) = ln x from the leading tail term, for the small x where 1 − x
        # would cancel.
        context = self.context
        if x > 0.5:
            return context.erfinv(1 - x)
        start = context.sqrt(max(-context.log(x), 0.1))
        return context.findroot(lambda y: context.log(context.erfc(y)) - context.log(x), start)

    def phi1(self, x: Any) -> Any:
        return self.expm1(x) / x if x else self.context.one

    def phi2(self, x: Any) -> Any:
        return self.context.hyp1f1(1, 3, x) / 2

    def phi3(self, x: Any) -> Any:
        return self.context.hyp1f1(1, 4, x) / 6

    def Ein(self, x: Any) -> Any:
        return (
            x * self.context.hyp2f2(1, 1, 2, 2, -x)
            if x < 1
            else (self.context.euler + self.log(x) - self.ei(-x))
        )

    def scaled_ei(self, x: Any) -> Any:
        return self.exp(-x) * self.ei(x)

    def wright_omega(self, x: Any) -> Any:
        if x > 1e6:
            return self.context.findroot(lambda w: w + self.log(w) - x, x - self.log(x))
        return self.context.lambertw(self.exp(x)).real

    def ndtr(self, x: Any) -> Any:
        return self.erfc(-x / self.sqrt(2)) / 2

    def less(self, x: Any, y: Any) -> bool:
        return bool(x < y)

    def at_most(self, x: Any, y: Any) -> bool:
        return bool(x <= y)

    def both(self, x: bool, y: bool) -> bool:
        return x and y

    def either(self, x: bool, y: bool) -> bool:
        return x or y

    def where(self, condition: bool, x: Any, y: Any) -> Any:
        return x if condition else y
