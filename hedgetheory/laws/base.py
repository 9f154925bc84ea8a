"""What a law of the proxy reward states: a continuous one by formulas, a finite one by atoms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, TypeAlias

import sympy

from hedgetheory.errors import NotCertified, NotOnThisLaw, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import lam, r

#: Shapes and tail exponents are at most this, and at least its inverse.
MAX_SHAPE = Fraction(10**9)


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

    def _shape(self, name: str, value: RealInput) -> Fraction:
        exact = rational(value, name)
        if not 1 / MAX_SHAPE <= exact <= MAX_SHAPE:
            where = f"{self.name}({name}={value})"
            raise must_be(name, value, "a real number from 1e-9 to 1e9", where)
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


#: An end of an interval: exact, or a formula of constants (ln 2); None where there is none.
End: TypeAlias = "Fraction | sympy.Expr | None"


@dataclass(frozen=True, eq=False)
class Piece:
    """An interval of rewards and formulas of pdf, cdf and survival in r, analytic inside of it."""

    low: Fraction | None
    high: Fraction | None
    pdf: sympy.Expr
    cdf: sympy.Expr
    survival: sympy.Expr


@dataclass(frozen=True, eq=False)
class Strand:
    """A part of a continuous law in a coordinate in which nothing is singular: R = T(Y).

    T is increasing and analytic, and Y, whose value is written r in the formulas here too, has a
    log-concave density on ``support``: powers of the reward become exponentials of Y, heavy tails
    exponential ones, and singular ends move to infinity. What a law sums over is

        E[h(R) w(F(R))] = Σ over strands of weight · ∫ h(T(y)) w(F(T(y))) pdf(y) dy.

    ``pdf``, ``reward`` = T(y), and ``cdf`` and ``survival`` of the *whole* law at T(y), are
    analytic inside ``support``; ``coordinate`` is T⁻¹; ``law`` is the log-concave law of Y, from
    which the tails beyond a point are bounded. Where the law has a tilt, T″/(−(ln pdf)″) does not
    increase, so that e^{λT} pdf is log-concave from any point on at which it is.
    """

    law: ContinuousLaw
    reward: sympy.Expr
    coordinate: sympy.Expr
    pdf: sympy.Expr
    cdf: sympy.Expr
    survival: sympy.Expr
    support: tuple[End, End]
    #: Where an integral is centred, inside of the support, and the width of the bulk.
    centre: Fraction
    width: Fraction
    #: The interval of rewards.
    rewards: tuple[Fraction | None, Fraction | None]
    weight: Fraction | sympy.Expr = Fraction(1)
    #: Whether the formulas are singular at the lower and at the upper end of a finite support.
    singular: tuple[bool, bool] = (False, False)
    #: Whether T″/(−(ln pdf)″) does not increase; where False, a tilt needs an upper end of T.
    falling_bend: bool = True

    @property
    def whole(self) -> bool:
        """Whether this strand is the whole law, so that F(T(y)) is the cdf of Y itself."""
        return self.weight == 1 and self.support == self.law.support


class ContinuousLaw(Law):
    """A law with a density, stated by formulas.

    Every formula is a sympy expression with exact rational constants: `pdf`, `cdf`, `survival` in
    the reward r, valid inside the support; `quantile` in u and ū; `log_mgf` is K(λ) = ln E[e^{λR}]
    for λ in [0, mgf_limit); `mean` is E[R], ±oo or nan where infinite or undefined. A law without
    a formula for one of the last three is missing it from `formulas`: there the quantile is found
    by inverting the cdf, K and the mean are integrals, and reading the attribute raises.

    A law whose density is analytic inside its support and log-concave says no more. One that is not
    (`log_concave` False) states its `strands`, in which it is: certified integrals run over those,
    and their tail bounds rest on that log-concavity. What is proved for log-concave densities in
    the reward itself must ask `log_concave` first.
    """

    support: tuple[Fraction | None, Fraction | None]
    #: sup of the λ with E[e^{λR}] < ∞; None: no limit; 0: infinite for every λ > 0, no tilt.
    mgf_limit: Fraction | None = None
    #: (lower, upper): α where P(R beyond r) ~ c|r|^{−α}, c > 0; None where every moment is finite.
    tail_index: tuple[Fraction | None, Fraction | None] = (None, None)
    #: At a finite end of the support (side −1 or +1) where the formula of the pdf has no value:
    #: (c, p) with pdf ~ c·d^p at the distance d from it, c = 0 where it vanishes faster.
    end_density: Mapping[int, tuple[sympy.Expr, Fraction]] = MappingProxyType({})
    #: Is the pdf, as stated in r, analytic inside the support and log-concave?
    log_concave: bool = True
    #: Which of quantile, log_mgf, mean are stated by a formula.
    formulas: frozenset[str] = frozenset({"quantile", "log_mgf", "mean"})

    #: Where True, it is not decided for which λ E[e^{λR}] is finite, and a tilt is refused.
    tilt_unknown: bool = False

    #: How many times the work of an elementary formula one evaluation of the cdf costs.
    evaluation_cost: int = 1

    pdf: sympy.Expr
    cdf: sympy.Expr
    survival: sympy.Expr
    #: A point of the bulk, where an integration range is centred, and a width of the bulk.
    centre: Fraction
    width: Fraction

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        """The law in coordinates in which every density is log-concave and analytic."""
        forms = (self.pdf, self.cdf, self.survival)
        return (Strand(self, r, r, *forms, self.support, self.centre, self.width, self.support),)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The intervals of rewards, in order, on each of which the formulas are analytic."""
        return (Piece(*self.support, self.pdf, self.cdf, self.survival),)

    @cached_property
    def log_density_slope(self) -> sympy.Expr:
        """(ln f)′(r), non-increasing where f is log-concave."""
        return sympy.simplify(sympy.diff(self.pdf, r) / self.pdf)

    @cached_property
    def quantile(self) -> sympy.Expr:
        """Q in u and ū; raises NotCertified where it has no formula."""
        raise NotCertified(f"the quantile function of {self} has no formula")

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Formulas in u and ū with Q between them, for a law without a formula for Q itself."""
        raise NotCertified(f"the quantile function of {self} is not bracketed")

    @cached_property
    def log_mgf(self) -> sympy.Expr:
        """K(λ); raises NotOnThisLaw where it is infinite, NotCertified without a formula."""
        if self.mgf_limit == 0:
            raise NotOnThisLaw(f"no tilt exists on {self}: E[e^(lam R)] = oo for every lam > 0")
        raise NotCertified(f"the moment generating function of {self} has no formula")

    @cached_property
    def mean(self) -> sympy.Expr:
        """E[R] = K′(0+), exact; ±oo or nan where it is infinite or undefined."""
        return sympy.limit(sympy.diff(self.log_mgf, lam), lam, 0, "+")

    def moment(self, order: int) -> sympy.Expr | None:
        """E[R^order], exact, where the mean or M(λ) = Σ E[R^k] λ^k/k! has a formula; else None."""
        if order == 1 and "mean" in self.formulas:
            return sympy.sympify(self.mean)
        if "log_mgf" not in self.formulas or self.mgf_limit == 0:
            return None
        found = sympy.diff(sympy.exp(self.log_mgf), lam, order).subs(lam, 0).doit()
        known = found.is_finite and not found.has(sympy.zeta, sympy.polygamma)
        return sympy.simplify(found) if known else None

    def tilted(self, strength: Fraction) -> ContinuousLaw | None:
        """The law with density ∝ e^{λr} f(r) where it is again a law of this package, else None."""
        return None


def transformed(
    law: ContinuousLaw, base: ContinuousLaw, reward: sympy.Expr, coordinate: sympy.Expr
) -> tuple[Strand, ...]:
    """The one strand of R = T(Y), T = ``reward``, Y of the log-concave ``base``."""
    forms = (base.pdf, base.cdf, base.survival)
    bulk = (base.support, base.centre, base.width)
    return (Strand(base, reward, coordinate, *forms, *bulk, law.support),)


def clipped(strand: Strand, low: Fraction | None, high: Fraction | None) -> Strand | None:
    """The part of a strand on the rewards from low to high, None where there is none."""
    ends, rewards = list(strand.support), list(strand.rewards)
    for i, (cut, side) in enumerate(((low, -1), (high, 1))):
        here = rewards[i]
        if cut is not None and (here is None or side * (cut - here) < 0):
            place = strand.coordinate.xreplace({r: exact_symbol(cut)})
            ends[i] = Fraction(int(place.p), int(place.q)) if place.is_Rational else place
            rewards[i] = cut
    if rewards[0] is not None and rewards[1] is not None and rewards[0] >= rewards[1]:
        return None
    support = (ends[0], ends[1])
    centre = _inside(support, strand.centre, strand.width)
    return replace(strand, support=support, rewards=(rewards[0], rewards[1]), centre=centre)


def _inside(support: tuple[End, End], centre: Fraction, width: Fraction) -> Fraction:
    """A rational inside of an interval: the centre if it is there, else not far from it."""
    low, high = (
        None if end is None else Fraction(float(sympy.N(exact_end(end), 20))) for end in support
    )
    if low is not None and high is not None:
        return centre if low < centre < high else (low + high) / 2
    if low is not None:
        return max(centre, low + width)
    return centre if high is None else min(centre, high - width)


def exact_end(end: Fraction | sympy.Expr) -> sympy.Expr:
    """An end of an interval as an expression."""
    return exact_symbol(end) if isinstance(end, Fraction) else end


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
