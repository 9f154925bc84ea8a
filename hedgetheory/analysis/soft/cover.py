"""Every zero of f′(λ) on an interval, Soft Best-of-n with integer n: a covering by certified f′.

f(λ) = E[Σ pᵢgᵢ] over the draws, p = softmax(λx). Given the draws this is an exponential family, so
its derivatives are joint cumulants, with m(λ) = E_λ[x], m′ = E[Var(x)] and Γ = max g − min g:
    |f″| = |E[E_p[(g − ḡ)(x − x̄)²]]| ≤ Γ m′,
    |f‴| = |E[E_p[(g − ḡ)(x − x̄)³] − 3 Cov_p(g, x) Var_p(x)]| ≤ (7/4) Γ (max x − min x) m′,
as |Cov_p(g, x)| ≤ Γ(max x − min x)/4. So on [a, b] f′ varies by at most V = Γ(m(b) − m(a)) in all,
and f″ by at most W = (7/4)(max x − min x)V. Values of f′ and m at a and b alone thus show
- that f′ has no zero there: f′ ≥ (f′(a) + f′(b) − V)/2, or f′ ≥ min(f′(a), f′(b)) − (b − a)W/4, as
  f″ is within W of its mean, which is the slope of the chord; or the reverse;
- or that f′ is strictly monotone: f″ is within W of (f′(b) − f′(a))/(b − a).
Steps adapt; the work is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from hedgetheory.analysis.zeros import sign_of
from hedgetheory.numerics.ball import ball, precision

_BITS = 64
_NARROWEST = Fraction(1, 2**12)


@dataclass(frozen=True)
class Place:
    """λ with balls around f′ and m there; ``at_rest`` says that f′ is exactly zero."""

    at: Fraction
    slope: Any
    mean: Any
    at_rest: bool = False


@dataclass
class Cover:
    """The zeros of f′ on (0, end], each alone in (low, high) with the sign before it."""

    end: Fraction = Fraction(0)
    zeros: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    #: the sign of f′ on the first stretch, and just before ``end``
    first: int = 0
    last: int = 0
    evaluations: int = 0


def cover(
    evaluate: Callable[[Fraction], Place],
    spread: Fraction,
    reach: Fraction,
    target: Fraction,
    cost: Callable[[Fraction], float],
    budget: float,
) -> Cover:
    """March from λ = 0 to ``target`` as far as ``budget`` goes, ``cost`` what a place costs.

    ``evaluate`` gives certified balls at a rational λ ≥ 0, ``spread`` bounds Γ, ``reach`` is
    max x − min x. The result covers (0, end], ``end`` ≤ ``target``.
    """
    found = Cover()
    left = evaluate(Fraction(0))
    step = Fraction(1, 4) / reach
    while found.end < target and step > _NARROWEST / reach:
        at = min(left.at + step, target)
        budget -= cost(at)
        if budget < 0:
            break
        right = evaluate(at)
        found.evaluations += 1
        with precision(_BITS):
            signs = _signs(left, right, spread, reach)
        if signs is None:
            step /= 2
            continue
        before, after = signs
        if before != after:
            found.zeros.append((left.at, right.at, before))
        found.first = found.first or before
        found.last, found.end = after, right.at
        left, step = right, step * 3 / 2
    return found


def _signs(left: Place, right: Place, spread: Fraction, reach: Fraction) -> tuple[int, int] | None:
    """The signs of f′ after ``left`` and before ``right``, at most one zero between, or None."""
    width = ball(right.at - left.at)
    varies = (ball(spread) * (right.mean - left.mean)).abs_upper()
    bends = varies * ball(reach) * 7 / 4
    for sign in (1, -1):
        one, other = left.slope * sign, right.slope * sign
        chord = width * bends / 4
        if one + other > varies or (one > chord and other > chord):
            return sign, sign
    rise = (right.slope - left.slope) / width
    monotone = sign_of(rise - bends) > 0 or sign_of(rise + bends) < 0
    before = sign_of(rise) if left.at_rest else sign_of(left.slope)
    after = sign_of(right.slope)
    return (before, after) if monotone and before and after else None
