"""The supremum over every μ > 0 of the gap of Best-of-Poisson on finitely many atoms, certified.

Atoms r_1 < … < r_k of masses p_i, F_i their sums. With c_i = (1 − e^{−μp_i})/p_i the ratio of
Best-of-Poisson is w_i = e^{−μ(1−F_i)} (1 + F_{i−1} c_i), which cancels nowhere, and so is its
derivative s_i = ∂_μ ln w_i = −(1 − F_i) + F_{i−1} e^{−μp_i}/(1 + F_{i−1} c_i). Three pieces:

1. (0, μ₀]: gap ≤ KL(μ) ≤ KL(μ₀). KL increases in μ: for μ < ν, KL(ν) ≥ E_ν[ln w_μ] (Gibbs) ≥
   E_μ[ln w_μ], since w_μ does not decrease in the reward and the policy increases stochastically.
2. [μ₁, ∞): let p = p_k, q = 1 − p, Δ = r_k − r_{k−1}, D = r_{k−1} − r_1, a = max_{i<k} ln(q/p_i).
   The policy misses the top with probability δ = q e^{−μp}. Take the λ ≥ 0 whose tilt τ misses it
   as often. By the chain rule gap ≤ KL(π‖τ) = δ KL(π′‖τ′), both given a miss, and this is at most
   δ max ln(1/τ′_i) ≤ δ (a + λD), for τ′_i ≥ p_i e^{λr_i}/(q e^{λr_{k−1}}). And δ/(1 − δ) =
   Σ_{j<k} p_j e^{−λ(r_k−r_j)}/p ≤ (q/p) e^{−λΔ} gives λΔ ≤ ln(q/(pδ)) = μp + ln(1/p). So

       gap ≤ q e^{−μp} (a + (D/Δ)(μp + ln(1/p))),

   which decreases from μp = 1 on: d/ds e^{−s}(A + Cs) = e^{−s}(C − A − Cs) ≤ 0, A ≥ 0, s ≥ 1.
3. [μ₀, μ₁]: branch and bound (`gap_search`), H″ = Σ π_i [(s_i² + s_i′)(ln w_i − λr_i) + s_i²].
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import lam
from hedgetheory.functionals.gap import cumulants, matched_strength
from hedgetheory.functionals.gap_search import Largest, gap_at_point, largest
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.program import compiled

#: More atoms than these are refused: the work grows with them.
MAX_ATOMS = 100


@dataclass(frozen=True)
class OnAtoms:
    """H(μ) of `gap_search` on a law with atoms."""

    law: FiniteLaw

    @cached_property
    def _rows(self) -> tuple[tuple[Fraction, Fraction, Fraction, Fraction], ...]:
        """(reward, mass, F before, 1 − F)."""
        sums = (Fraction(0), *self.law.cumulative)
        return tuple(
            (value, mass, before, 1 - upto)
            for (value, mass), before, upto in zip(self.law.atoms, sums, sums[1:], strict=False)
        )

    @cached_property
    def _potential(self) -> tuple[Any, Any]:
        form = cumulants(self.law)
        return compiled(form, (lam,)), compiled(sympy.diff(form, lam), (lam,))

    def _terms(self, x: Any) -> list[tuple[Any, Any, Any, Any, Any]]:
        """(reward, π_i, ln w_i, s_i, s_i′) at a ball μ."""
        out = []
        for value, mass, before, above in self._rows:
            p, low, high = ball(mass), ball(before), ball(above)
            fall = (-x * p).exp()
            rise = 1 + low * (-(-x * p).expm1() / p)
            rate = low * fall / rise
            log_ratio = -x * high + rise.log()
            out.append(
                (ball(value), p * rise * (-x * high).exp(), log_ratio, rate - high,
                 -rate * (p + rate))
            )  # fmt: skip
        return out

    def strength(self, at: Fraction) -> Any:
        mean = _sum(value * weight for value, weight, *_ in self._terms(ball(at)))
        return matched_strength(self.law, self._potential[1], mean)

    def value(self, at: Fraction, strength: Any) -> Any:
        terms = self._terms(ball(at))
        average = _sum(weight * (ratio - strength * value) for value, weight, ratio, *_ in terms)
        return average + self._potential[0](REAL, strength)

    def slope(self, at: Fraction, strength: Any) -> Any:
        terms = self._terms(ball(at))
        return _sum(weight * s * (ratio - strength * value) for value, weight, ratio, s, _ in terms)

    def curvature(self, low: Fraction, high: Fraction, strength: Any) -> Any:
        terms = self._terms(hull(ball(low), ball(high)))
        return _sum(
            weight * ((s**2 + bend) * (ratio - strength * value) + s**2)
            for value, weight, ratio, s, bend in terms
        )

    def divergence(self, at: Fraction) -> Any:
        """KL(BoP_μ‖ref)."""
        return _sum(weight * ratio for _, weight, ratio, *_ in self._terms(ball(at)))


def _sum(terms: Any) -> Any:
    total = ball(0)
    for term in terms:
        total += term
    return total


def large_mu_bound(law: FiniteLaw, at: Fraction) -> Any:
    """A bound of the gap on [at, ∞), at ≥ 1/p with p the mass of the highest of ≥ 2 atoms."""
    (*lower, (top, mass)) = law.atoms
    if not lower or at * mass < 1:
        raise NotCertified(f"the bound of the gap at large mu holds from mu = {1 / mass} on")
    rest = 1 - mass
    spread = ball((lower[-1][0] - lower[0][0]) / (top - lower[-1][0]))
    rarest = ball(rest / min(p for _, p in lower)).log()
    s = ball(at * mass)
    return ball(rest) * (-s).exp() * (rarest + spread * (s - ball(mass).log()))


def finite_supremum(law: FiniteLaw, digits: int) -> Largest:
    """Balls around sup over μ > 0 of the gap on ≥ 3 atoms, and around every maximiser.

    Raises NotCertified past 100 atoms or the work bound, or where two maximisers are not told
    apart.
    """
    if len(law.atoms) > MAX_ATOMS:
        raise NotCertified(
            f"the supremum of the gap is not searched for on {len(law.atoms)} atoms, more than "
            f"{MAX_ATOMS}: ask for it at a mu"
        )
    objective = OnAtoms(law)
    mass = law.atoms[-1][1]
    with balls.precision(int(2 * (digits + 2) * balls.BITS_PER_DIGIT) + 80):
        floor = ball(0)
        for exponent in range(-2, 6):
            here = gap_at_point(objective, Fraction(2) ** exponent / mass)
            floor = floor.max(here.lower())
        if not floor > 0:
            raise NotCertified(f"the gap on {law} is not seen to be positive")
        high = 1 / mass
        while not large_mu_bound(law, high) < floor:
            high *= 2
        low = Fraction(1)
        while not objective.divergence(low) < floor:
            low /= 2
        return largest(objective, low, high, digits, weight=1 + len(law.atoms) // 4)
