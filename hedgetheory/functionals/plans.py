"""Plans: what is to be computed, apart from the arithmetic that computes it.

A functional of a bound policy is one or more plans: a closed form where one is proved, and the
definition as an integral or a sum over atoms. The evaluators of `hedgetheory.functionals.evaluate`
interpret plans in balls, in mpmath and in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import sympy

from hedgetheory.expressions.symbols import total

Bindings: TypeAlias = Mapping[sympy.Symbol, "Fraction | Plan"]


@dataclass(frozen=True)
class Closed:
    """A formula in bound symbols. ``proof`` names the closed form it comes from."""

    expr: sympy.Expr
    bindings: Bindings = field(default_factory=dict)
    proof: str = ""


@dataclass(frozen=True)
class UnitIntegral:
    """post(∫₀¹ integrand du), the integrand in u and ū.

    An end where the integrand is not analytic has an ``omitted`` formula in `eps`: a bound of the
    absolute integral over the outermost interval of that length.
    """

    integrand: sympy.Expr
    bindings: Bindings
    post: sympy.Expr = total
    omitted_left: sympy.Expr | None = None
    omitted_right: sympy.Expr | None = None


@dataclass(frozen=True)
class LineIntegral:
    """post(∫ integrand dr) over the law's support, the integrand in r.

    ``tail(arithmetic, x, side)`` bounds the absolute integral beyond x on that side (+1 or −1);
    ``support`` has None for an infinite end, and may have formulas of constants, or balls, for
    others; ``centre`` and ``width`` say where the bulk is.
    """

    integrand: sympy.Expr
    bindings: Bindings
    support: tuple[Any, Any]
    centre: Fraction
    width: Fraction
    tail: Callable[[Any, int], Any]
    post: sympy.Expr = total
    #: Finite ends at which the integrand is not analytic, and a bound of the absolute integral over
    #: the outermost ball of rewards there, as a function of that ball.
    singular: tuple[bool, bool] = (False, False)
    edge: Callable[[Any], Any] | None = None
    #: How many elementary evaluations one of the integrand costs.
    cost: int = 1


@dataclass(frozen=True)
class AtomSum:
    """post(Σ over rows of term), the term in ``columns``, one row an atom."""

    term: sympy.Expr
    columns: tuple[sympy.Symbol, ...]
    rows: tuple[tuple[Fraction, ...], ...]
    bindings: Bindings
    post: sympy.Expr = total


@dataclass(frozen=True)
class Inverse:
    """The x in [low, high] with increasing(x) = level, in the symbol ``variable``; then post(x).

    In post, `total` is x.
    """

    increasing: sympy.Expr
    variable: sympy.Symbol
    level: Fraction
    bindings: Bindings
    post: sympy.Expr = total


@dataclass(frozen=True)
class Race:
    """A quantity of Soft Best-of-n by the exponential race, with its own two evaluators.

    ``enclose`` gives a ball at the working precision, ``estimate`` an mpmath number at a number of
    digits; ``what`` names the quantity.
    """

    enclose: Callable[[], Any]
    estimate: Callable[[int], Any]
    what: str


@dataclass(frozen=True)
class Estimated:
    """A float of another library's, without any bound."""

    estimate: Callable[[], float]


@dataclass(frozen=True)
class Infinite:
    """Exactly +∞ or −∞, and why."""

    sign: int
    why: str


@dataclass(frozen=True)
class Undefined:
    """A quantity that does not exist here, and why."""

    why: str


Plan: TypeAlias = (
    Closed
    | UnitIntegral
    | LineIntegral
    | AtomSum
    | Inverse
    | Race
    | Estimated
    | Infinite
    | Undefined
)

#: The length of the interval that a `UnitIntegral` leaves out at a singular end.
eps = sympy.Symbol("eps", positive=True)
