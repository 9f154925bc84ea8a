"""What a selection policy states: a rank policy its rank cdf G, the tilt its potential."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import sympy

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import u, ubar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from hedgetheory.functionals.bound import Bound
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.family import Family


@dataclass(frozen=True)
class Domain:
    """The interval of a family's free parameter; `upper` None is ∞."""

    lower: Fraction
    lower_closed: bool = True
    upper: Fraction | None = None
    upper_closed: bool = False

    def contains(self, value: Fraction) -> bool:
        above = value > self.lower or (self.lower_closed and value == self.lower)
        if self.upper is None:
            return above
        return above and (value < self.upper or (self.upper_closed and value == self.upper))

    def __str__(self) -> str:
        left = f"{'>=' if self.lower_closed else '>'} {short(self.lower)}"
        if self.upper is None:
            return f"a real number {left}"
        return f"a real number {left} and {'<=' if self.upper_closed else '<'} {short(self.upper)}"


class Parametric(ABC):
    """A thing with a name in the spec grammar and exact parameters, each in its domain.

    A subclass states its parameters as `symbols` with their `domains`, in order; the first is the
    one that a family leaves free. Instances are immutable and equal by name and parameters.
    """

    name: ClassVar[str]
    symbols: ClassVar[tuple[sympy.Symbol, ...]]
    domains: ClassVar[tuple[Domain, ...]]

    def _set(self, *values: RealInput) -> None:
        self.bindings: dict[sympy.Symbol, Fraction] = {}
        for symbol, domain, value in zip(self.symbols, self.domains, values, strict=True):
            exact = rational(value, symbol.name)
            if not domain.contains(exact):
                call = f"{self.name}({symbol.name}={value})"
                raise must_be(symbol.name, value, str(domain), call)
            self.bindings[symbol] = exact

    def __str__(self) -> str:
        inside = ", ".join(f"{s.name}={short(v)}" for s, v in self.bindings.items())
        return f"{self.name}({inside})"

    def __repr__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, str(self)))

    @property
    @abstractmethod
    def is_reference(self) -> bool:
        """Whether the policy is the reference itself, w = 1 (for a law of draws: N = 1)."""


class Policy(Parametric):
    """A selection policy: a likelihood ratio w on the proxy reward's law."""

    def simplest(self) -> Policy:
        """The same policy by its simplest name, such as bon(m) for best of a binomial(m, 1)."""
        return self

    def bound_on(self, law: Law) -> Bound | None:
        """The policy on a law, from a policy that brings its own evaluation; None leaves it to
        `functionals.bind`, which knows rank policies, the tilt and SBoN."""
        return None

    @classmethod
    def known_as(cls, family: Family, fixed: Mapping[str, Any]) -> Family:
        """A family of these policies with what is known of its shape; ``fixed`` by parameter."""
        return family


def in_u(expr: sympy.Expr) -> sympy.Expr:
    """An expression in u and ū as one in u alone."""
    return expr.xreplace({ubar: 1 - u})


class RankPolicy(Policy):
    """A policy that sees only the proxy quantile, stated by its rank cdf G on [0, 1].

    `cdf` is the statement, in u and ū = 1 − u; the ratio w = G′, its logarithm and the survival
    1 − G are derived from it, or restated where the derived form cancels (each restatement is a
    proof obligation of the tests). On a law without atoms w is the likelihood ratio at quantile u;
    an atom at r gets G(F(r)) − G(F(r−)). w is non-decreasing for every policy of this kind here.
    """

    cdf: sympy.Expr
    #: G′(1): E[N] where the policy is best of a random number N of draws.
    mean_draws: sympy.Expr

    @property
    def counts_draws(self) -> bool:
        """Is it best of a random number of draws? With a real n it is a rank policy only."""
        return True

    @property
    def most_draws(self) -> float:
        """The largest number of draws, from a policy that brings a sampler of its own."""
        return math.inf

    def drawn(self, size: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
        """``size`` independent copies of N, from a policy that brings a sampler of its own."""
        return None

    @cached_property
    def ratio(self) -> sympy.Expr:
        return sympy.diff(in_u(self.cdf), u)

    @cached_property
    def log_ratio(self) -> sympy.Expr:
        return sympy.log(self.ratio)

    @cached_property
    def survival(self) -> sympy.Expr:
        return 1 - self.cdf

    #: An explicit G⁻¹, where there is one: u as a formula in the level (written u, ū), and ū if it
    #: has a form that keeps the digits of a small ū.
    inverse: sympy.Expr | None = None
    inverse_bar: sympy.Expr | None = None

    #: 1 − G(1 − s) ≤ E[N]^{[tail_power = 1]} s^{tail_power}: only Sibuya has a power below one.
    @property
    def tail_power(self) -> Fraction:
        return Fraction(1)

    #: Is w analytic and positive on the closed interval [0, 1]?
    regular: bool = True
