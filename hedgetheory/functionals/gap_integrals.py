"""The gap where K(λ) = ln E[e^{λR}] has no formula: every tilt is asked for at a rational λ.

Let λ* match the mean m of the policy, with λ₁ ≤ λ* ≤ λ₂ known by the signs of E_λ[R] − m at both,
certified integrals. H(λ) = KL(policy) − λm + K(λ) is convex, least at λ*, where it is the gap, and
H′(λ) = E_λ[R] − m. So

    H(λ₁) − |E_{λ₁}[R] − m| (λ₂ − λ₁) ≤ gap ≤ H(λ₁),

and with K(λ) = λE_λ[R] − KL(tilt_λ), H(λ₁) = KL(policy) − KL(tilt_{λ₁}) + λ₁ (E_{λ₁}[R] − m).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball, hull
from hedgetheory.policies.tilt import Tilt


def tilted_mean(law: Law, strength: Fraction) -> Any:
    """A ball around E_λ[R]."""
    return enclosure(next(iter(bind(Tilt(strength), law).mean_reward())))


def tilted_divergence(law: Law, strength: Fraction) -> Any:
    """A ball around KL(tilt_λ‖ref)."""
    return enclosure(next(iter(bind(Tilt(strength), law).kl())))


def matched_between(law: Law, mean: Any) -> tuple[Fraction, Fraction]:
    """Rationals on the two sides of the λ ≥ 0 with E_λ[R] = mean, which is at least E[R]."""
    limit = law.mgf_limit if isinstance(law, (ContinuousLaw, MixedLaw)) else None

    def strength(t: Fraction) -> Fraction:
        return t / (1 - t) if limit is None else limit * t

    def excess(t: Any) -> Any:
        # What `increasing_root` asks at is an exact dyadic number.
        return tilted_mean(law, strength(balls.enclosing_rationals(t)[0])) - mean

    low, high = balls.enclosing_rationals(balls.increasing_root(excess))
    return strength(max(low, Fraction(0))), strength(high)


def gap_between(law: Law, ends: tuple[Fraction, Fraction], divergence: Any, mean: Any) -> Any:
    """A ball around the gap, from both sides of the matched λ."""
    low, high = ends
    off = tilted_mean(law, low) - mean
    above = divergence - tilted_divergence(law, low) + ball(low) * off
    return hull(above - balls.symmetric(off).upper() * ball(high - low), above)
