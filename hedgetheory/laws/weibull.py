"""The Weibull law."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import sympy
from sympy import exp, gamma, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.latent import LogGamma


class Weibull(ContinuousLaw):
    """Weibull on (0, ∞) with shape and scale > 0, 1 − F(r) = exp(−(r/scale)^shape).

    E[e^{λR}] is finite for every λ where shape > 1, for λ < 1/scale where shape = 1 (an
    exponential law), for no λ > 0 where shape < 1. Raises InputError for shape or scale <= 0, or a
    shape outside of [1e-9, 1e9].

    >>> Weibull("1/2").mgf_limit
    Fraction(0, 1)
    """

    name = "weibull"
    parameters = ("shape", "scale")
    support = (Fraction(0), None)
    log_concave = False
    formulas = frozenset({"quantile", "mean"})

    def __init__(self, shape: RealInput, scale: RealInput = 1) -> None:
        self.shape = self._shape("shape", shape)
        self.scale = self._positive("scale", scale)
        k, s = exact_symbol(self.shape), exact_symbol(self.scale)
        # Not log(s): sympy would write e^{k ln s} as s^k, digits and all.
        log_s = log1p(s - 1)
        x = exp(k * (log(r) - log_s))
        self.pdf = k * x * exp(-x) / r
        self.cdf, self.survival = -expm1(-x), exp(-x)
        half = sympy.Rational(1, 2)
        minus_log = sympy.Piecewise((-log1p(-u), u < half), (-log(ubar), True))
        self.quantile = s * exp(log(minus_log) / k)
        self.mean = s * gamma(1 + 1 / k, evaluate=bool(k * 30 > 1))
        self.end_density = {-1: (k * exp(-k * log_s), self.shape - 1)}
        self.centre, self.width = self.scale, 2 * self.scale
        if self.shape < 1:
            self.mgf_limit = Fraction(0)
        elif self.shape == 1:
            self.mgf_limit = 1 / self.scale
            self.log_mgf = -log1p(-lam * s)
            self.formulas = self.formulas | {"log_mgf"}

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        # Y = ln((R/scale)^shape) is the logarithm of a standard exponential variable.
        k, s = exact_symbol(self.shape), exact_symbol(self.scale)
        return transformed(self, LogGamma(Fraction(1)), s * exp(r / k), k * log(r / s))

    def tilted(self, strength: Fraction) -> Weibull | None:
        return Weibull(1, 1 / (1 / self.scale - strength)) if self.shape == 1 else None
