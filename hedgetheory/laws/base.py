"""What a law of the proxy reward states: a continuous one by formulas, a finite one by atoms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import sympy

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import lam, r


def exact_symbol(value: Fraction) -> sympy.Rational:
    """A Fraction as a sympy Rational."""
    return sympy.Rational(value.numerator, value.denominator)


class Law(ABC):
    """A law of the proxy reward under the reference policy.

    A subclass names itself as in the spec grammar (`name`, `parameters`) and is immutable; two
    laws are equal when they are of one class and one set of exact parameters.
    """

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def values(self) -> dict[str, Fraction]:
        return {name: getattr(self, name) for name in self.parameters}

    def _positive(self, name: str, value: RealInput) -> Fraction:
        exact = rational(value, name)
        if exact <= 0:
            raise must_be(name, value, "a real number > 0", f"{self.name}({name}={value})")
        return exact

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={short(v)}" for k, v in self.values.items())
        return f"{self.name}({inside})" if inside else self.name

    def __repr__(self) -> str:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((type(self).__name__, str(self)))


class ContinuousLaw(Law):
    """A law with a density, stated in closed form.

    Every formula is a sympy expression with exact rational constants: `pdf`, `cdf`, `survival` in
    the reward r; `quantile` in u and ū. `log_mgf` is K(λ) = ln E[e^{λR}] for λ in [0, mgf_limit).
    The density must be log-concave (it is for every law here), which is what the tail bounds of
    the certified integrals rest on; a law that is not must override `upper_tail`, `lower_tail`.
    """

    support: tuple[Fraction | None, Fraction | None]
    #: sup of the λ with E[e^{λR}] < ∞; None where there is no limit.
    mgf_limit: Fraction | None = None

    pdf: sympy.Expr
    cdf: sympy.Expr
    survival: sympy.Expr
    quantile: sympy.Expr
    log_mgf: sympy.Expr
    #: A point of the bulk, where an integration range is centred, and a width of the bulk.
    centre: Fraction
    width: Fraction

    @cached_property
    def log_density_slope(self) -> sympy.Expr:
        """(ln f)′(r), non-increasing because f is log-concave."""
        return sympy.simplify(sympy.diff(self.pdf, r) / self.pdf)

    @cached_property
    def mean(self) -> sympy.Expr:
        """E[R] = K′(0+), exact."""
        return sympy.limit(sympy.diff(self.log_mgf, lam), lam, 0, "+")

    def tilted(self, strength: Fraction) -> ContinuousLaw | None:
        """The law with density ∝ e^{λr} f(r) where it is again a law of this package, else None."""
        return None


class FiniteLaw(Law):
    """A law on finitely many atoms, by increasing value, with exact rational masses."""

    @property
    @abstractmethod
    def atoms(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """(value, mass) pairs, values increasing, masses positive with sum one."""

    @cached_property
    def cumulative(self) -> tuple[Fraction, ...]:
        """F at each atom; the last is exactly one."""
        total, out = Fraction(0), []
        for _, mass in self.atoms:
            total += mass
            out.append(total)
        return tuple(out)

    @cached_property
    def mean(self) -> Fraction:
        return sum((value * mass for value, mass in self.atoms), Fraction(0))
