"""A family of policies: one with a single parameter left free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy

from hedgetheory.exact import RealInput
from hedgetheory.policies.base import Domain, Policy


@dataclass(frozen=True)
class Mixture:
    """Members that mix Best-of-n with the reference: w = s w₁ + 1 − s, so f = s f₁ + (1 − s) f₀.

    ``base`` is Best-of-n. Along it, at n = θ^power and a fixed ``share`` s > 0; or, with ``start``,
    from Best-of-start at θ = 0 towards the reference, s = 1/(1 + θ).
    """

    base: Family
    share: Fraction = Fraction(1)
    power: int = 1
    start: Fraction | None = None


@dataclass(frozen=True)
class Family:
    """θ ↦ π_θ: its text in the spec grammar, how to build a member, the free symbol, its domain."""

    name: str
    build: Callable[[RealInput], Policy]
    symbol: sympy.Symbol
    domain: Domain
    mixture: Mixture | None = None

    def at(self, theta: RealInput) -> Policy:
        """The member at θ. Raises InputError outside the domain."""
        return self.build(theta)

    def __str__(self) -> str:
        return self.name
