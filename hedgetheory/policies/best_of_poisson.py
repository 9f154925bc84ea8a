"""Best-of-Poisson."""

from __future__ import annotations

from fractions import Fraction

from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import mu, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, wright_omega
from hedgetheory.policies.base import Domain, RankPolicy


class BestOfPoisson(RankPolicy):
    """Best-of-Poisson: Best-of-N with N = 1 + Poisson(μ), G(u) = u e^{μ(u−1)}, μ ≥ 0.

    w = (1 + μu) e^{μ(u−1)}. Raises InputError for μ < 0. Source: paper, §3 (arXiv 2506.19248).

    >>> BestOfPoisson("5/2")
    bop(mu=2.5)
    """

    name = "bop"
    symbols = (mu,)
    domains = (Domain(Fraction(0)),)
    cdf = u * exp(-mu * ubar)
    ratio = (1 + mu * u) * exp(-mu * ubar)
    log_ratio = log1p(mu * u) - mu * ubar
    survival = ubar - u * expm1(-mu * ubar)
    mean_draws = 1 + mu
    # u e^{μ(u−1)} = v is (μu) e^{μu} = μ v e^μ.
    inverse = wright_omega(log(mu) + log(u) + mu) / mu

    def __init__(self, mu: RealInput) -> None:
        self._set(mu)

    @property
    def is_reference(self) -> bool:
        return self.bindings[mu] == 0
