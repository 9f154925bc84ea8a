"""The Pareto law."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

import sympy
from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import r
from hedgetheory.expressions.vocabulary import expm1
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol, transformed
from hedgetheory.laws.exponential import Exponential


class Pareto(ContinuousLaw):
    """Pareto on [1, ∞), 1 − F(r) = r^{−alpha}, alpha > 0.

    E[R] = alpha/(alpha − 1), infinite for alpha <= 1; E[e^{λR}] is infinite for every λ > 0. Raises
    InputError for alpha outside of [1e-9, 1e9].

    >>> Pareto("0.9").mean, Pareto(3).mean
    (oo, 3/2)
    """

    name = "pareto"
    parameters = ("alpha",)
    support = (Fraction(1), None)
    mgf_limit = Fraction(0)
    log_concave = False
    formulas = frozenset({"quantile", "mean"})

    def __init__(self, alpha: RealInput) -> None:
        self.alpha = self._shape("alpha", alpha)
        a = exact_symbol(self.alpha)
        self._exponential = base = Exponential(self.alpha)
        self.pdf = a * exp(-a * log(r)) / r
        self.cdf, self.survival = -expm1(-a * log(r)), exp(-a * log(r))
        self.quantile = exp(base.quantile)
        self.mean = a / (a - 1) if self.alpha > 1 else sympy.oo
        self.tail_index = (None, self.alpha)
        self.centre, self.width = 1 + 1 / self.alpha, 1 / self.alpha

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        return transformed(self, self._exponential, exp(r), log(r))
