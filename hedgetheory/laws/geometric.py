"""The geometric law on {1, 2, …}."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from sympy import exp

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import Array, CountableLaw

#: F(k) = 1 − (1 − p)^k is written as a rational up to this many bits.
_LONGEST = 200_000


class Geometric(CountableLaw):
    """The first success: P(R = k) = p(1 − p)^{k−1} on {1, 2, …}, 0 < p < 1.

    E[e^{λR}] is finite for λ < −ln(1 − p) only. Raises InputError for p outside (0, 1): a certain
    reward leaves nothing to select.

    >>> Geometric("1/4").mean
    Fraction(4, 1)
    """

    name = "geometric"
    parameters = ("p",)
    first = 1
    mode = 1

    def __init__(self, p: RealInput) -> None:
        self.p = rational(p, "p")
        if not 0 < self.p < 1:
            raise must_be("p", p, "a real number in (0, 1)", f"geometric(p={p})")
        success, failure = exact_symbol(self.p), exact_symbol(1 - self.p)
        odds = failure / success
        self.mass = success * failure ** (r - 1)
        # The tilt is geometric with failure probability (1 − p)e^λ.
        self._tilted_mass = (
            success * (1 - odds * expm1(lam)) * failure ** (r - 1) * exp(lam * (r - 1))
        )
        self.log_mgf = lam - log1p(-odds * expm1(lam))
        self.mean = 1 / self.p
        self.growth_limit = 1 / (1 - self.p)

    def step(self, k: int) -> Fraction:
        return 1 - self.p

    def upto(self, k: int) -> Fraction | None:
        if k * (1 - self.p).denominator.bit_length() > _LONGEST:
            return None
        return 1 - (1 - self.p) ** max(k, 0)

    def _rate(self) -> float:
        """−ln(1 − p) without cancellation."""
        return -math.log1p(-float(self.p)) if self.p < 0.5 else -math.log(1 - self.p)

    def rewards_at(self, u: Array, ubar: Array) -> Array:
        # The smallest k with (1 − p)^k ≤ ū.
        logs = np.where(u < 0.5, np.log1p(-u), np.log(np.maximum(ubar, 5e-324)))
        return np.asarray(np.maximum(np.ceil(-logs / self._rate()), 1.0), np.float64)

    def nearly_tilted(self, strength: float) -> Geometric:
        return Geometric(Fraction(-math.expm1(strength - self._rate())))
