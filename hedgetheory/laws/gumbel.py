"""The Gumbel law of maxima."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import EulerGamma, exp, log, loggamma

from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.latent import LogGamma


class Gumbel(ContinuousLaw):
    """Gumbel of maximum type, F(r) = exp(−e^{−(r−loc)/scale}), scale > 0.

    The maximum of n draws is Gumbel(loc + scale·ln n, scale). E[e^{λR}] = e^{λ loc} Γ(1 − λ scale),
    finite for λ < 1/scale. Raises InputError for scale <= 0.

    >>> Gumbel(0, 2).mgf_limit
    Fraction(1, 2)
    """

    name = "gumbel"
    parameters = ("loc", "scale")
    support = (None, None)

    def __init__(self, loc: RealInput = 0, scale: RealInput = 1) -> None:
        self.loc = rational(loc, "loc")
        self.scale = self._positive("scale", scale)
        c, s = exact_symbol(self.loc), exact_symbol(self.scale)
        z = (r - c) / s
        self.pdf = exp(-z - exp(-z)) / s
        self.cdf, self.survival = exp(-exp(-z)), -expm1(-exp(-z))
        self.quantile = c - s * sympy.Piecewise(
            (log(-log(u)), u < sympy.Rational(1, 2)), (log(-log1p(-ubar)), True)
        )
        self.log_density_slope = expm1(-z) / s
        self.log_mgf = c * lam + loggamma(1 - s * lam)
        self.mgf_limit = 1 / self.scale
        self.mean = c + s * EulerGamma
        self.centre, self.width = self.loc, self.scale

    def tilted(self, strength: Fraction) -> LogGamma:
        # e^{−(R−loc)/scale} is exponential, and under the tilt gamma with shape 1 − λ scale.
        return LogGamma(1 - strength * self.scale, self.loc, -self.scale)
