"""A law known only through another library's floats: what needs it is estimated."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.laws.base import ContinuousLaw


class EstimatedLaw(ContinuousLaw):
    """A law without atoms by a frozen scipy.stats distribution that is not recognised by name.

    What rank policies have free of the law (KL, win rate, …) stays certified on it. Densities,
    probabilities, quantiles and means in the reward are scipy's floats, with the guarantee
    ``estimated``; formulas are refused with NotCertified, and so are policies that see the reward.
    """

    name = "estimated"
    log_concave = False
    formulas = frozenset()
    tilt_unknown = True

    def __init__(self, frozen: Any) -> None:
        self.frozen = frozen
        low, high = (float(x) for x in frozen.support())
        self.support = (
            None if low == -float("inf") else Fraction(low),
            None if high == float("inf") else Fraction(high),
        )
        self.centre, self.width = Fraction(0), Fraction(1)

    def _none(self, what: str) -> NotCertified:
        return NotCertified(f"the {what} of {self} is known by floats only: nothing is certified")

    @cached_property
    def pdf(self) -> sympy.Expr:
        raise self._none("density")

    @cached_property
    def cdf(self) -> sympy.Expr:
        raise self._none("cdf")

    @cached_property
    def survival(self) -> sympy.Expr:
        raise self._none("cdf")

    @cached_property
    def mean(self) -> sympy.Expr:
        raise self._none("mean")

    def __str__(self) -> str:
        given = [repr(float(x)) for x in self.frozen.args]
        given += [f"{k}={float(v)!r}" for k, v in sorted(self.frozen.kwds.items())]
        return f"estimated({self.frozen.dist.name}({', '.join(given)}))"
