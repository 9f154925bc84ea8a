"""The supremum of the gap over other families than Best-of-Poisson, on the uniform law.

With ε = E[1 − U] the tilt of the same mean has KL(tilt) = sup_λ [ln λ − ln(1 − e^{−λ}) − λε], at
most ln(1/ε) − 1 − ln(1 − 1/e) over λ ≥ 1 and at most ½ over λ ≤ 1, for K(λ) ≥ λ/2 (Jensen).

- geometric(p): KL = ln(1/p) − 2 + 2p ln(1/p)/(1 − p) and ε = p(ln(1/p) − (1 − p))/(1 − p)² ≥
  p(ln(1/p) − 1): the gap is at least ln(ln(1/p) − 1) − 1 + ln(1 − 1/e) for small p, unbounded.
- sibuya(a): KL = ln a + 1/a − 1 and ε = a/(1 + a): the gap is at least 1/a + 2 ln a − ln(1 + a) +
  ln(1 − 1/e) for small a, unbounded.
- bon(n), real n ≥ 1: KL = ln n − 1 + 1/n and ε = 1/(n + 1); λ = n + 1 gives gap ≤ 1/n − ln(1 + 1/n)
  ≤ 1/(2n²), small on [n₁, ∞). On [1, n₀] gap ≤ KL ≤ KL(n₀), increasing in n. Between: `gap_search`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.expressions.symbols import lam
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.gap import matched_strength
from hedgetheory.functionals.gap_search import Largest, gap_at_point, largest
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.program import Program, compiled
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.random_draws import Geometric, Sibuya

#: Laws of N whose best-of-N has no bounded gap on the uniform law, and why.
UNBOUNDED_ON_UNIFORM = {
    Geometric: "KL(tilt) lags behind by ln ln(1/p) as p -> 0 (gap.unbounded-geometric)",
    Sibuya: "KL grows like 1/a, KL(tilt) like ln(1/a), as a -> 0 (gap.unbounded-sibuya)",
}


@dataclass(frozen=True)
class OnUniform:
    """H(θ) of `gap_search` on the uniform law, from the closed forms of KL and E[U] of a policy."""

    policy: type[RankPolicy]

    def _derivatives(self, quantity: str) -> tuple[Program, ...]:
        (theta,) = self.policy.symbols
        form = RANK_FORMS[self.policy, quantity].expr
        return tuple(compiled(sympy.diff(form, theta, i), (theta,)) for i in range(4))

    @cached_property
    def _kl(self) -> tuple[Program, ...]:
        return self._derivatives("kl")

    @cached_property
    def _mean(self) -> tuple[Program, ...]:
        return self._derivatives("mean_quantile")

    @cached_property
    def _potential(self) -> tuple[Program, Program]:
        form = Uniform.log_mgf
        return compiled(form, (lam,)), compiled(sympy.diff(form, lam), (lam,))

    def strength(self, at: Fraction) -> Any:
        return matched_strength(Uniform(), self._potential[1], self._mean[0](REAL, ball(at)))

    def _objective(self, order: int, x: Any, strength: Any) -> Any:
        return self._kl[order](REAL, x) - strength * self._mean[order](REAL, x)

    def value(self, at: Fraction, strength: Any) -> Any:
        return self._objective(0, ball(at), strength) + self._potential[0](REAL, strength)

    def slope(self, at: Fraction, strength: Any) -> Any:
        return self._objective(1, ball(at), strength)

    def curvature(self, low: Fraction, high: Fraction, strength: Any) -> Any:
        # In mean-value form: the formulas repeat θ many times.
        x = hull(ball(low), ball(high))
        middle = ball((low + high) / 2)
        rest = self._objective(3, x, strength) * (x - middle)
        return self._objective(2, middle, strength) + rest

    def divergence(self, at: Fraction) -> Any:
        """KL(policy‖ref)."""
        return self._kl[0](REAL, ball(at))


def best_of_n_supremum(digits: int) -> Largest:
    """Balls around sup over real n ≥ 1 of the gap of Best-of-n on the uniform law, and its place.

    >>> found = best_of_n_supremum(6)
    >>> round(float(found.value.mid()), 7), round(float(found.place.mid()), 4)
    (0.0237212, 2.68)
    """
    objective = OnUniform(BestOfN)
    with balls.precision(int(2 * (digits + 2) * balls.BITS_PER_DIGIT) + 80):
        floor = gap_at_point(objective, Fraction(3)).lower()
        high = Fraction(4)
        while not 1 / (2 * ball(high) ** 2) < floor:
            high *= 2
        excess = Fraction(1)
        while not objective.divergence(1 + excess) < floor:
            excess /= 2
        return largest(objective, 1 + excess, high, digits)
