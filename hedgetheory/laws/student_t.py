"""Student's t law."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import sympy
from sympy import exp, log, pi, sinh, sqrt

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.expressions.vocabulary import log1p, log_gamma_of, logit_beta_cdf, logit_beta_ppf
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.latent import LogitBeta


class StudentT(ContinuousLaw):
    """Student's t with df > 0 degrees of freedom, f(r) ∝ (1 + r²/df)^{−(df+1)/2}.

    P(|R| > r) ~ c r^{−df}: the mean is 0 for df > 1 and undefined otherwise; E[e^{λR}] is infinite
    for every λ > 0. With Y = 2 arsinh(R/√df), Y is the logit of a beta(df/2, df/2) variable. Raises
    InputError for df outside of [1e-9, 1e9].

    >>> StudentT(3).mean, StudentT(1).mean
    (0, nan)
    """

    name = "student_t"
    parameters = ("df",)
    support = (None, None)
    mgf_limit = Fraction(0)
    log_concave = False
    formulas = frozenset({"quantile", "mean"})

    def __init__(self, df: RealInput) -> None:
        self.df = self._shape("df", df)
        nu = exact_symbol(self.df)
        h, x = nu / 2, r / sqrt(nu)
        scale = log_gamma_of(h + sympy.Rational(1, 2)) - log_gamma_of(h) - log(nu * pi) / 2
        self.pdf = exp(scale - (h + sympy.Rational(1, 2)) * log1p(x**2))
        root = sqrt(1 + x**2)
        self._coordinate = 2 * sympy.Piecewise((-log(root - x), r < 0), (log(root + x), True))
        self.cdf = logit_beta_cdf(h, h, self._coordinate)
        self.survival = logit_beta_cdf(h, h, -self._coordinate)
        self.quantile = sqrt(nu) * sinh(logit_beta_ppf(h, h, u, ubar) / 2)
        self.mean = sympy.S.Zero if self.df > 1 else sympy.nan
        self.tail_index = (self.df, self.df)
        self.evaluation_cost = 1 + min(int(self.df / 2), 600)
        self.centre, self.width = Fraction(0), Fraction(2)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        half = self.df / 2
        reward = sqrt(exact_symbol(self.df)) * (exp(r / 2) - exp(-r / 2)) / 2
        return transformed(self, LogitBeta(half, half), reward, self._coordinate)
