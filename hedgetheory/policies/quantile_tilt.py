"""The exponential tilt of the proxy quantile."""

from __future__ import annotations

from fractions import Fraction

from sympy import exp, log

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, u, ubar
from hedgetheory.expressions.vocabulary import log1p, phi1
from hedgetheory.policies.base import Domain, RankPolicy


class QuantileTilt(RankPolicy):
    """The optimum of E[U] − KL/λ: G(u) = (e^{λu} − 1)/(e^λ − 1), w = λ e^{λu}/(e^λ − 1), λ ≥ 0.

    It is best of N with N zero-truncated Poisson(λ), hence sampled exactly at λ/(1 − e^{−λ})
    draws on average; λ = 0 is the reference. Raises InputError for λ < 0.

    >>> QuantileTilt(3)
    quantile_tilt(lam=3)
    """

    name = "quantile_tilt"
    symbols = (lam,)
    domains = (Domain(Fraction(0)),)
    # Written with φ₁(−λ) = (1 − e^{−λ})/λ: no overflow at large λ, no 0/0 at λ = 0.
    cdf = u * exp(-lam * ubar) * phi1(-lam * u) / phi1(-lam)
    ratio = exp(-lam * ubar) / phi1(-lam)
    log_ratio = -lam * ubar - log(phi1(-lam))
    survival = ubar * phi1(-lam * ubar) / phi1(-lam)
    mean_draws = 1 / phi1(-lam)
    inverse = log1p(u * lam * phi1(lam)) / lam

    def __init__(self, lam: RealInput) -> None:
        self._set(lam)

    @property
    def is_reference(self) -> bool:
        return self.bindings[lam] == 0
