"""The gamma law."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import (
    log1p,
    log_gamma_cdf,
    log_gamma_of,
    log_gamma_ppf,
    log_gamma_sf,
)
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.latent import LogGamma


class Gamma(ContinuousLaw):
    """Gamma on (0, ∞) with shape and rate > 0, f(r) ∝ r^{shape−1} e^{−rate·r}.

    E[e^{λR}] = (1 − λ/rate)^{−shape} for λ < rate. Raises InputError for shape or rate <= 0, or a
    shape outside of [1e-9, 1e9].

    >>> Gamma(3, 2).mean
    3/2
    """

    name = "gamma"
    parameters = ("shape", "rate")
    support = (Fraction(0), None)
    log_concave = False

    def __init__(self, shape: RealInput, rate: RealInput = 1) -> None:
        self.shape = self._shape("shape", shape)
        self.rate = self._positive("rate", rate)
        k, b = exact_symbol(self.shape), exact_symbol(self.rate)
        # Not log(b): sympy would write e^{k ln b} as b^k, digits and all.
        log_b = log1p(b - 1)
        y = log_b + log(r)
        self.pdf = exp(k * y - b * r - log_gamma_of(k)) / r
        self.cdf, self.survival = log_gamma_cdf(k, y), log_gamma_sf(k, y)
        self.quantile = exp(log_gamma_ppf(k, u, ubar)) / b
        self.log_mgf = -k * log1p(-lam / b)
        self.mgf_limit = self.rate
        self.mean = k / b
        self.end_density = {-1: (exp(k * log_b - log_gamma_of(k)), self.shape - 1)}
        self.evaluation_cost = 1 + int(float(self.shape) ** 0.5 / 6)
        self.centre, self.width = self.shape / self.rate, (1 + self.shape) / self.rate

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        b = exact_symbol(self.rate)
        return transformed(self, LogGamma(self.shape), exp(r) / b, log(b * r))

    def tilted(self, strength: Fraction) -> Gamma:
        return Gamma(self.shape, self.rate - strength)
