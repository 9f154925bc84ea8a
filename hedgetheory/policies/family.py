"""A family of policies: one with a single parameter left free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from hedgetheory.exact import RealInput
from hedgetheory.policies.base import Domain, Policy


@dataclass(frozen=True)
class Family:
    """θ ↦ π_θ: its text in the spec grammar, how to build a member, the free symbol, its domain."""

    name: str
    build: Callable[[RealInput], Policy]
    symbol: sympy.Symbol
    domain: Domain

    def at(self, theta: RealInput) -> Policy:
        """The member at θ. Raises InputError outside the domain."""
        return self.build(theta)

    def __str__(self) -> str:
        return self.name
