"""The logistic law."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import exp, log, loggamma

from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.latent import LogitBeta


class Logistic(ContinuousLaw):
    """Logistic with location and scale > 0, F(r) = 1/(1 + e^{−(r−loc)/scale}).

    E[e^{λR}] = e^{λ loc} Γ(1 + λ scale) Γ(1 − λ scale), finite for λ < 1/scale.
    Raises InputError for scale <= 0.

    >>> Logistic(0, 2).mgf_limit
    Fraction(1, 2)
    """

    name = "logistic"
    parameters = ("loc", "scale")
    support = (None, None)

    def __init__(self, loc: RealInput = 0, scale: RealInput = 1) -> None:
        self.loc = rational(loc, "loc")
        self.scale = self._positive("scale", scale)
        c, s = exact_symbol(self.loc), exact_symbol(self.scale)
        z = (r - c) / s
        self.cdf = 1 / (1 + exp(-z))
        self.survival = 1 / (1 + exp(z))
        self.pdf = 1 / (s * (2 + exp(z) + exp(-z)))
        self.quantile = c + s * (log(u) - log(ubar))
        self.log_density_slope = -sympy.tanh(z / 2) / s
        self.log_mgf = c * lam + loggamma(1 + s * lam) + loggamma(1 - s * lam)
        self.mgf_limit = 1 / self.scale
        self.mean = c
        self.centre, self.width = self.loc, 2 * self.scale

    def tilted(self, strength: Fraction) -> LogitBeta:
        # F(R) is beta(1 + κ, 1 − κ) under the tilt, κ = λ scale.
        kappa = strength * self.scale
        return LogitBeta(1 + kappa, 1 - kappa, self.loc, self.scale)
