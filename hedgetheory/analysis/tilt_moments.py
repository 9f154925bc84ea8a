"""Certified moments of gold and reward under the raw tilt, at one exact λ after the other.

f′(λ) = Cov_λ(g, R) = E_λ[g·(R − m)] − E_λ[g]·(E_λ[R] − m) for every m: with m the rational middle
of the ball of E_λ[R] the second term is a correction of the size of that ball.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.atoms.countable import TiltOnCountable
from hedgetheory.functionals.atoms.countable_sums import selected, upto
from hedgetheory.functionals.continuous import unit_supremum
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.growth import Growth, growth
from hedgetheory.functionals.plans import Bindings, Plan, Race
from hedgetheory.functionals.tilt_continuous import CUMULANT, TiltOnContinuous
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics.ball import (
    REAL,
    ball,
    current_bits,
    enclosing_rationals,
    hull,
    precision,
)
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import in_u
from hedgetheory.policies.tilt import Tilt

FIRST_BITS, _MOST_BITS = 80, 1024
#: What only corrects, or only bounds, is computed to so many bits.
_CRUDE_BITS = 64
_LARGEST_CACHE = 4096


class TiltMoments(ABC):
    """E_λ[g(R)·p(R)] for a gold curve g and polynomials p, as balls."""

    def __init__(self, expr: sympy.Expr) -> None:
        self.gold = in_u(expr.xreplace({ubar: 1 - u}))
        self._known: dict[tuple[Any, ...], Any] = {}

    @abstractmethod
    def _mean(self, strength: Fraction, outer: sympy.Expr, factor: sympy.Expr) -> Any:
        """E_λ[outer·factor], ``outer`` in the gold's variable and ``factor`` in r."""

    @abstractmethod
    def _mean_reward(self, strength: Fraction) -> Any: ...

    def _once(self, name: str, strength: Fraction, evaluate: Callable[[], Any]) -> Any:
        """A value at the current precision, computed once."""
        key = (name, strength, current_bits())
        if key not in self._known:
            if len(self._known) > _LARGEST_CACHE:
                self._known.clear()
            self._known[key] = evaluate()
        return self._known[key]

    def mean_gold(self, strength: Fraction) -> Any:
        """f(λ) at the current precision."""
        return self._once("gold", strength, lambda: self._mean(strength, self.gold, sympy.S.One))

    def mean_reward(self, strength: Fraction) -> Any:
        """K′(λ) at the current precision."""
        return self._once("reward", strength, lambda: self._mean_reward(strength))

    def slope(self, strength: Fraction) -> Any:
        """f′(λ) at the current precision."""
        return self._once("slope", strength, lambda: self._covariance(strength))

    def _covariance(self, strength: Fraction) -> Any:
        reward = self.mean_reward(strength)
        if not reward.is_finite():
            return reward
        middle = enclosing_rationals(reward.mid())[0]
        with precision(_CRUDE_BITS):
            gold = self.mean_gold(strength)
        centred = self._mean(strength, self.gold, r - exact_symbol(middle))
        return centred - gold * (reward - ball(middle))

    def sign(self, strength: Fraction) -> int:
        """The certified sign of f′(λ), 0 where it is not decided."""
        bits = FIRST_BITS
        while bits <= _MOST_BITS:
            try:
                with precision(bits):
                    slope = self.slope(strength)
                    if slope > 0 or slope < 0:
                        return 1 if slope > 0 else -1
                    if not slope.is_finite() and bits > FIRST_BITS:
                        return 0
            except NotCertified:
                return 0
            bits *= 2
        return 0

    def steepest(self, low: Fraction, high: Fraction) -> Any:
        """An upper bound of |f′| on [low, high].

        |f′|² ≤ Var_λ(R)·Var_λ(g) ≤ E_λ[(R − m)²]·E_λ[(g − a)²]. With N(λ) = E[e^{λ(R−m)}] and
        h ≥ 0, e^{λx} ≤ e^{low·x} + e^{high·x} gives E_λ[h] N(λ) ≤ E_low[h] N(low) +
        E_high[h] N(high), and ln N = K − λm is convex: ln N(λ) ≥ ln N(low) − (m − K′(low))⁺
        (high − low) and ln N(high) ≤ ln N(low) + (K′(high) − m)(high − low).
        """
        with precision(_CRUDE_BITS):
            width = ball(high - low)
            below, above = self.mean_reward(low), self.mean_reward(high)
            gold = self.mean_gold(low)
            if not (below.is_finite() and above.is_finite() and gold.is_finite()):
                return below * 0 / 0
            m, a = (enclosing_rationals(x.mid())[0] for x in (below, gold))
            least = (-REAL.maximum(ball(m) - below, ball(0)) * width).exp()
            most = ((above - ball(m)) * width).exp()
            size = ball(1)
            for outer, factor in (
                (sympy.S.One, (r - exact_symbol(m)) ** 2),
                ((self.gold - exact_symbol(a)) ** 2, sympy.S.One),
            ):
                ends = [self._mean(x, outer, factor) for x in (low, high)]
                size = size * (ends[0] + ends[1] * most) / least
            return size.abs_upper().sqrt()


def _product_bound(expr: sympy.Expr) -> Growth:
    """A bound of a formula in u over [0, 1], or of a constant."""
    return Growth(unit_supremum(expr)) if expr.has(u) else growth(expr)


class Product(TiltOnContinuous):
    """The tilt with K(λ), where it is an integral, computed once; gold in u times a power of r."""

    def __init__(self, policy: Tilt, law: ContinuousLaw) -> None:
        super().__init__(policy, law)
        self.cumulant: Any = None
        self.factor, self.size = sympy.S.One, Growth(Fraction(1))
        self.split = False

    @property
    def bindings(self) -> Bindings:
        plain = super().bindings
        if CUMULANT not in plain or self.cumulant is None:
            return plain
        known = self.cumulant
        return {**self.policy.bindings, CUMULANT: Race(lambda: known, lambda _: known, "K")}

    def settle(self) -> None:
        """Compute K(λ) at the current precision."""
        bound = super().bindings
        if CUMULANT in bound:
            plan = bound[CUMULANT]
            assert not isinstance(plan, Fraction)
            self.cumulant = enclosure(plan)

    def product(self, outer: sympy.Expr, factor: sympy.Expr) -> Plan:
        self.split = bool(outer.has(u))
        if self.split:
            self.factor, self.size = factor, _product_bound(outer)
        return self._mean(outer * factor)

    def _growth(
        self, h: sympy.Expr, inside: sympy.Expr, strand: Strand
    ) -> dict[int, Growth | None]:
        if not self.split:
            return super()._growth(h, inside, strand)
        # |g(u)| ≤ size on [0, 1]; the factor is bounded as any formula in the reward is.
        bounds = super()._growth(self.factor, self.factor.xreplace({r: strand.reward}), strand)
        return {side: b if b is None else self.size * b for side, b in bounds.items()}

    def _edge(self, strand: Strand, h: sympy.Expr, bound: Growth | None) -> Callable[[Any], Any]:
        if not self.split:
            return super()._edge(strand, h, bound)
        inner, size = super()._edge(strand, self.factor, None), self.size.size
        return lambda x: inner(x) * ball(size)


class ContinuousMoments(TiltMoments):
    """On a law without atoms, by certified integrals over its strands."""

    def __init__(self, law: ContinuousLaw, expr: sympy.Expr) -> None:
        super().__init__(expr)
        self.law = law
        self._bound: tuple[Fraction, int, Product] | None = None

    def _at(self, strength: Fraction) -> Product:
        key = (strength, current_bits())
        if self._bound is None or self._bound[:2] != key:
            bound = Product(Tilt(strength), self.law)
            bound.settle()
            self._bound = (*key, bound)
        return self._bound[2]

    def _mean(self, strength: Fraction, outer: sympy.Expr, factor: sympy.Expr) -> Any:
        return enclosure(self._at(strength).product(outer, factor))

    def _mean_reward(self, strength: Fraction) -> Any:
        bound = self._at(strength)
        plan = next(iter(bound.mean_reward()))
        return enclosure(plan)


class _Series(TiltOnCountable):
    def product(self, term: sympy.Expr, size: Growth) -> Plan:
        return self._sum("a moment", selected * term, lambda: self._tails(lambda _: size))


class CountableMoments(TiltMoments):
    """On countably many atoms, by truncated sums with bounded tails; u is F(r), atom included."""

    def __init__(self, law: CountableLaw, expr: sympy.Expr) -> None:
        super().__init__(expr)
        self.law = law

    @cached_property
    def _lowest(self) -> Any:
        """F at the first atom, from where on the gold in u is asked for."""
        return compiled(self.law.mass, (r,))(REAL, ball(self.law.first))

    def _mean(self, strength: Fraction, outer: sympy.Expr, factor: sympy.Expr) -> Any:
        if outer.has(u):
            size = supremum_from(outer, self._lowest) * growth(factor, 1)
        else:
            size = growth(outer * factor, 1)
        term = (outer * factor).xreplace({u: upto})
        return enclosure(_Series(Tilt(strength), self.law).product(term, size))

    def _mean_reward(self, strength: Fraction) -> Any:
        return enclosure(next(iter(_Series(Tilt(strength), self.law).mean_reward())))


def supremum_from(expr: sympy.Expr, low: Any) -> Growth:
    """A bound of |g| on [low, 1], ``low`` a ball above 0. Raises NotCertified without one."""
    value = abs(compiled(expr, (u,))(REAL, hull(low, ball(1))))
    if not value.is_finite():
        return Growth(unit_supremum(expr))
    return Growth(enclosing_rationals(value.abs_upper())[1])


__all__ = [
    "FIRST_BITS",
    "ContinuousMoments",
    "CountableMoments",
    "Product",
    "TiltMoments",
    "supremum_from",
]
