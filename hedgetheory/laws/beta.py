"""The beta law."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import (
    kummer,
    log1p,
    log_gamma_of,
    logit_beta_cdf,
    logit_beta_ppf,
)
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.latent import LogitBeta


class Beta(ContinuousLaw):
    """Beta on (0, 1) with a and b > 0, f(r) ∝ r^{a−1} (1 − r)^{b−1}.

    E[e^{λR}] = ₁F₁(a; a + b; λ) for every λ. Raises InputError for a or b outside of [1e-9, 1e9].

    >>> Beta(2, 1).mean
    2/3
    """

    name = "beta"
    parameters = ("a", "b")
    support = (Fraction(0), Fraction(1))
    log_concave = False

    def __init__(self, a: RealInput, b: RealInput) -> None:
        self.a, self.b = self._shape("a", a), self._shape("b", b)
        p, q = exact_symbol(self.a), exact_symbol(self.b)
        log_beta = log_gamma_of(p) + log_gamma_of(q) - log_gamma_of(p + q)
        self._coordinate = log(r) - log1p(-r)
        self.pdf = exp((p - 1) * log(r) + (q - 1) * log1p(-r) - log_beta)
        self.cdf = logit_beta_cdf(p, q, self._coordinate)
        self.survival = logit_beta_cdf(q, p, -self._coordinate)
        self.quantile = 1 / (1 + exp(-logit_beta_ppf(p, q, u, ubar)))
        self.log_mgf = log(kummer(p, p + q, lam))
        self.mean = p / (p + q)
        peak = exp(-log_beta)
        self.end_density = {-1: (peak, self.a - 1), 1: (peak, self.b - 1)}
        self.evaluation_cost = 1 + min(int(min(self.a, self.b)), 600)
        self.centre, self.width = Fraction(1, 2), Fraction(1)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        return transformed(self, LogitBeta(self.a, self.b), 1 / (1 + exp(-r)), self._coordinate)
