"""What a law on the integers from some first one states: its masses and their ratios."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import ClassVar

import numpy as np
import sympy
from numpy.typing import NDArray

from hedgetheory.errors import NotCertified, NotOnThisLaw
from hedgetheory.exact import short
from hedgetheory.laws.base import Law
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball

Array = NDArray[np.float64]


class CountableLaw(Law, ABC):
    """A law on the integers first, first + 1, … with log-concave masses p_k > 0.

    `mass` is p_r as a formula in the reward r, `log_mgf` K(λ) = ln E[e^{λR}] where it is finite,
    `step(k)` the exact p_{k+1}/p_k, which must not increase in k: what is left out of a sum is then
    bounded by a geometric series.
    """

    first: ClassVar[int]
    mass: sympy.Expr
    log_mgf: sympy.Expr
    mean: Fraction
    #: An atom of the bulk; where the largest mass is.
    mode: int
    #: e^{λ} below which E[e^{λR}] is finite; None where it always is.
    growth_limit: Fraction | None = None

    @abstractmethod
    def step(self, k: int) -> Fraction:
        """p_{k+1}/p_k."""

    @property
    def tilted_mass(self) -> sympy.Expr:
        """The mass of the tilt at r, e^{λr − K(λ)} p_r, in r and λ."""
        return self._tilted_mass

    _tilted_mass: sympy.Expr

    def has_tilt(self, strength: Fraction) -> bool:
        """Whether E[e^{λR}] < ∞: e^λ is below the limit, which no rational λ ≠ 0 can equal."""
        limit = self.growth_limit
        if limit is None or strength == 0:
            return True
        bits = 64
        while bits <= balls.MAX_BITS:
            with balls.precision(bits):
                excess = ball(strength) - ball(limit).log()
                if excess < 0 or excess > 0:
                    return bool(excess < 0)
            bits *= 2
        raise NotCertified(f"{balls.MAX_BITS} bits do not tell lam from ln({short(limit)})")

    def require_tilt(self, strength: Fraction) -> None:
        """Raise NotOnThisLaw where E[e^{λR}] = ∞."""
        if not self.has_tilt(strength):
            raise NotOnThisLaw(
                f"tilt(lam={short(strength)}) does not exist on {self}: E[e^(lam R)] is infinite "
                f"from lam = ln({short(self.growth_limit or Fraction(1))}) on; take a smaller lam"
            )

    @abstractmethod
    def rewards_at(self, u: Array, ubar: Array) -> Array:
        """The quantile function in binary64 at u = 1 − ū, from the smaller of the two."""

    @abstractmethod
    def nearly_tilted(self, strength: float) -> CountableLaw:
        """The law of the tilt by λ, its parameter rounded to binary64; λ is in the domain."""

    def upto(self, k: int) -> Fraction | None:
        """F(k) where it is rational, else None."""
        return None
