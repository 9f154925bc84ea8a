"""The exponential tilt of the raw proxy reward."""

from __future__ import annotations

from fractions import Fraction

from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import lam
from hedgetheory.policies.base import Domain, Policy


class Tilt(Policy):
    """The optimum of E[R] − KL/λ, what RLHF aims at: w = e^{λr}/M(λ), λ ≥ 0, where M(λ) < ∞.

    Bound to a law with M(λ) = ∞ it does not exist, and asking anything of it raises NotOnThisLaw.
    Raises InputError for λ < 0.

    >>> Tilt("1/2")
    tilt(lam=0.5)
    """

    name = "tilt"
    symbols = (lam,)
    domains = (Domain(Fraction(0)),)

    def __init__(self, lam: RealInput) -> None:
        self._set(lam)

    @property
    def strength(self) -> Fraction:
        """λ."""
        return self.bindings[lam]

    @property
    def is_reference(self) -> bool:
        return self.strength == 0
