"""How far from the real axis the race transform φ has no zeros, measured on the real axis.

**Any law.** With τ = |t| cos y, φ(|t|e^{iy})/φ(τ) = E_τ[exp(−iτ tan y·X)], X = e^Z, E_τ the mean
under the law tilted by e^{−τX}. Its modulus is at least the mean of cos(τ tan y (X − E_τX)), hence
at least 1 − ½ tan²y·V(τ) with V(τ) = τ² Var_τ(X). So φ has no zero where tan²y·V < 2, and
|φ(|t|e^{iy})| ≥ (1 − ½c) φ(|t| cos y) where tan²y·V ≤ c.

**Log-concave Z.** Z tilted by e^{−τe^Z} has a log-concave density with −(ln)″ ≥ τe^z. By Brascamp
and Lieb (1976), Var_τ(τe^Z) ≤ E_τ[(τe^Z)²/(τe^Z)] = E_τ[τe^Z] = τL′(τ), L = −ln φ. As L is concave
in τ with L(0) = 0, V(τ) ≤ τL′(τ) ≤ L(τ), which increases; and φ(t) ≥ F(z)e^{−te^z} for every z.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hedgetheory.errors import NotCertified
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.race import STRIP, Strip, check_work

#: tan²y·V below this: |φ| is at least a twentieth of its value on the axis.
FREE = Fraction(19, 10)
#: tan²y·V below this: |φ| is at least half of its value on the axis.
HALF = Fraction(1)
#: (E[e^{−tX}], E[tX e^{−tX}], E[(tX)² e^{−tX}]) at t.
Moments = Callable[[Any], tuple[Any, Any, Any]]


def bounded_strip(spread: Any, share: Fraction, draws: Fraction) -> Strip:
    """The strip where tan²y·V ≤ share, for a bound ``spread`` of V. Raises NotCertified."""
    if not spread.is_finite():
        raise NotCertified(
            "a real n needs the zeros of the race transform excluded, which is not certified here: "
            "take an integer n"
        )
    half = STRIP
    if spread > 0:
        half = min(STRIP, Fraction(math.atan(math.sqrt(float(share) / float(spread.upper())))))
        half *= Fraction(999, 1000)
    if not ball(half).tan() ** 2 * spread <= ball(share):
        raise NotCertified("no strip around the real axis is certified to be free of zeros")
    return Strip(half, True, math.log(draws) + 6, half)


def scanned_spread(moments: Moments, top: Fraction, time: Fraction, cost: int) -> Any:
    """sup V(τ) for 0 < τ ≤ e^time, on a law with z ≤ top; ``cost`` exponentials an evaluation.

    Below e^{−top}, τX ≤ 1 and V ≤ ¼. On [t₀, t₁], with x₀ near E_{t₀}X: V(τ) ≤ τ²N(τ)/D(τ), where
    N = E[(X − x₀)² e^{−τ(X−x₀)}] is convex, so at most the larger of its ends, and D =
    E[e^{−τ(X−x₀)}] is log-convex, so at least D(t₀)exp(−(t₁ − t₀)|E_{t₀}X − x₀|).
    """
    density = 16
    count = max(1, math.ceil((time + top) * density))
    check_work(count * cost, "the search for zeros of the race transform")
    step = ball(Fraction(1, density)).exp()
    t = (-ball(top)).exp()
    a, b, c = moments(t)
    worst = ball(Fraction(1, 4))
    for _ in range(count):
        later = t * step
        a1, b1, c1 = moments(later)
        mean = (b / a).mid() / t.mid()
        slack = (later - t) * abs(b / (a * t) - mean)
        here = _second(a, b, c, t * mean) / a * (later / t) ** 2
        there = _second(a1, b1, c1, later * mean) / a * ((later - t) * mean).exp()
        worst = REAL.maximum(worst, REAL.maximum(here, there) * slack.exp())
        if not worst.is_finite():
            return balls.no_bound()
        t, a, b, c = later, a1, b1, c1
    return worst.upper()


def _second(a: Any, b: Any, c: Any, place: Any) -> Any:
    """t² E[(X − x₀)² e^{−tX}] from the moments, place = t x₀."""
    return c - 2 * place * b + place * place * a
