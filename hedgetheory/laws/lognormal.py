"""The lognormal law."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property

import sympy
from sympy import exp, log

from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.latent import near
from hedgetheory.laws.normal import Normal


def _bulk(mu: Fraction) -> Fraction:
    """About e^mu, within binary64."""
    return near(math.exp(min(max(mu, Fraction(-30)), Fraction(30)))) or Fraction(1)


class LogNormal(ContinuousLaw):
    """e^Y with Y normal(mu, sigma), sigma > 0, on (0, ∞).

    Every moment is finite and E[e^{λR}] infinite for every λ > 0: no tilt exists. Raises InputError
    for sigma <= 0.

    >>> LogNormal(0, 1).mean
    exp(1/2)
    """

    name = "lognormal"
    parameters = ("mu", "sigma")
    support = (Fraction(0), None)
    mgf_limit = Fraction(0)
    log_concave = False
    formulas = frozenset({"quantile", "mean"})

    def __init__(self, mu: RealInput = 0, sigma: RealInput = 1) -> None:
        self.mu = rational(mu, "mu")
        self.sigma = self._positive("sigma", sigma)
        self._normal = base = Normal(self.mu, self.sigma)
        self.pdf = base.pdf.xreplace({r: log(r)}) / r
        self.cdf = base.cdf.xreplace({r: log(r)})
        self.survival = base.survival.xreplace({r: log(r)})
        self.quantile = exp(base.quantile)
        self.mean = exp(exact_symbol(self.mu + self.sigma**2 / 2))
        self.end_density = {-1: (sympy.S.Zero, Fraction(0))}
        self.centre = self.width = _bulk(self.mu)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        return transformed(self, self._normal, exp(r), log(r))
