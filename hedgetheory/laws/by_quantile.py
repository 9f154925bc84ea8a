"""Laws that may be known by their quantile function alone."""

from __future__ import annotations

from functools import cached_property

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.laws.base import ContinuousLaw


class KnownByQuantile(ContinuousLaw):
    """A law whose pdf, cdf and survival may have no formula in the reward.

    Where its constructor sets them they are used; otherwise reading one raises NotCertified, and
    pointwise quantities can still be had at a quantile.
    """

    @cached_property
    def cdf(self) -> sympy.Expr:
        raise self._unknown("cdf")

    @cached_property
    def survival(self) -> sympy.Expr:
        raise self._unknown("cdf")

    @cached_property
    def pdf(self) -> sympy.Expr:
        raise self._unknown("density")

    def _unknown(self, what: str) -> NotCertified:
        return NotCertified(f"the {what} of {self} has no formula in the reward: ask at u=…")
