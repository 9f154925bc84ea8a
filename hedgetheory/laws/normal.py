"""The normal law."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import erfcinv, exp, pi, sqrt

from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import ndtr
from hedgetheory.laws.base import ContinuousLaw, exact_symbol


class Normal(ContinuousLaw):
    """Normal with the given mean and standard deviation, exact rationals, sd > 0.

    f(r) = e^{−(r−mean)²/(2 sd²)}/(sd √(2π)). Raises InputError for sd <= 0.

    >>> Normal(0, 1).mgf_limit is None
    True
    """

    name = "normal"
    parameters = ("mean", "sd")
    support = (None, None)

    def __init__(self, mean: RealInput = 0, sd: RealInput = 1) -> None:
        self.mean = rational(mean, "mean")
        self.sd = self._positive("sd", sd)
        m, s = exact_symbol(self.mean), exact_symbol(self.sd)
        z = (r - m) / s
        self.pdf = exp(-(z**2) / 2) / (s * sqrt(2 * pi))
        self.cdf, self.survival = ndtr(z), ndtr(-z)
        # Each half from the smaller of u and ū, so that neither tail cancels.
        self.quantile = m + s * sqrt(2) * sympy.Piecewise(
            (-erfcinv(2 * u), u < sympy.Rational(1, 2)), (erfcinv(2 * ubar), True)
        )
        self.log_density_slope = -z / s
        self.log_mgf = m * lam + s**2 * lam**2 / 2
        self.centre, self.width = self.mean, self.sd

    def tilted(self, strength: Fraction) -> Normal:
        return Normal(self.mean + strength * self.sd**2, self.sd)
