"""The Poisson law."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from sympy import exp, log, loggamma

from hedgetheory.errors import InputError
from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam, r
from hedgetheory.expressions.vocabulary import expm1
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import Array, CountableLaw


class Poisson(CountableLaw):
    """Poisson on {0, 1, 2, …} with mean μ > 0, P(R = k) = e^{−μ} μ^k/k!.

    Its tilt by λ is Poisson with mean μe^λ. Raises InputError for μ <= 0.

    >>> Poisson("7/2").mean
    Fraction(7, 2)
    """

    name = "poisson"
    parameters = ("mu",)
    first = 0

    def __init__(self, mu: RealInput) -> None:
        self.mu = self._positive("mu", mu)
        m = exact_symbol(self.mu)
        self.mass = exp(r * log(m) - m - loggamma(r + 1))
        self._tilted_mass = exp(r * (log(m) + lam) - m * exp(lam) - loggamma(r + 1))
        self.log_mgf = m * expm1(lam)
        self.mean = self.mu
        self.mode = int(self.mu)

    def step(self, k: int) -> Fraction:
        return self.mu / (k + 1)

    def rewards_at(self, u: Array, ubar: Array) -> Array:
        from scipy.stats import poisson

        law = poisson(float(self.mu))
        return np.asarray(np.where(u < 0.5, law.ppf(u), law.isf(ubar)), np.float64)

    def nearly_tilted(self, strength: float) -> Poisson:
        exponent = math.log(self.mu) + strength
        if not exponent < math.log(1e15):
            raise InputError(
                f"the tilt is Poisson with mean e^{exponent:.4g}, too large for samplers"
            )
        return Poisson(Fraction(math.exp(exponent)))
