"""The exponential law."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.laws.base import ContinuousLaw, exact_symbol


class Exponential(ContinuousLaw):
    """Exponential on [0, ∞) with the given rate > 0, f(r) = rate·e^{−rate·r}.

    E[e^{λR}] is finite for λ < rate only. Raises InputError for rate <= 0.

    >>> Exponential(2).mgf_limit
    Fraction(2, 1)
    """

    name = "exponential"
    parameters = ("rate",)
    support = (Fraction(0), None)

    def __init__(self, rate: RealInput = 1) -> None:
        self.rate = self._positive("rate", rate)
        b = exact_symbol(self.rate)
        self.pdf = b * exp(-b * r)
        self.cdf = -expm1(-b * r)
        self.survival = exp(-b * r)
        self.quantile = sympy.Piecewise(
            (-log1p(-u) / b, u < sympy.Rational(1, 2)), (-log(ubar) / b, True)
        )
        self.log_density_slope = -b
        self.log_mgf = -log1p(-lam / b)
        self.mgf_limit = self.rate
        self.mean = 1 / b
        self.centre = self.width = 1 / self.rate

    def tilted(self, strength: Fraction) -> Exponential:
        return Exponential(self.rate - strength)
