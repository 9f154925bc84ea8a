"""Thresholds of Soft Best-of-n in float64: all turns of E[g] in λ at fixed n, or in n at fixed λ.

E[g] may turn several times in λ although g has one peak (THEORY §5), so that the slope is asked for
on a grid over the whole range before any root is found; a turn and its opposite between two grid
points is missed. An estimate: `hedgetheory.analysis.soft.strength` certifies the signs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput
from hedgetheory.functionals.soft_floating.base import Gold, Soft
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.functionals.soft_floating.race import Array
from hedgetheory.functionals.soft_floating.samples import SoftBestOfNSamples
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.policies.soft_best_of_n import Scale

#: Grid points per factor of e.
_DENSITY = 3.0
#: Where a law has no λ of its own to begin and end with, in units of 1/width.
_LEAST, _MOST = 1e-2, 1e3
_MOST_DRAWS = 1e6


@dataclass(frozen=True)
class SoftThresholds:
    """Interior turns of E[g], in increasing θ: where, ``max`` or ``min``, and E[g] there.

    ``best`` is the θ of the largest E[g] among the turns and the two ends of the range searched.
    """

    theta: Array
    kind: tuple[str, ...]
    value: Array
    best: float


def soft_thresholds(
    law: Law | ArrayLike,
    gold: Gold,
    *,
    n: RealInput | None = None,
    lam: RealInput | None = None,
    bounds: tuple[float, float] | None = None,
    scale: Scale = "reward",
) -> SoftThresholds:
    """Every turn of E[g] that a global scan shows, in λ (give n) or in n (give λ).

    Args:
        law: Uniform, Normal, Exponential, Logistic, a finite law, or an array of rewards.
        gold: a vectorised function of the reward, or on finite laws and samples its values there.
        n: the number of draws, a real number >= 1, where λ is what varies.
        lam: λ > 0, where n is what varies.
        bounds: the range of θ searched; by default λ·width from 1e-2 to 1e3, or n from 1 to 1e6.
        scale: "reward", or "quantile" where the softmax sees F(r).

    Returns estimates, θ within 1e-8 relative of certified sign changes where that was measured
    (uniform and normal law): slopes smaller than their rounding errors count as zero, not as a
    sign, and two turns between neighbouring points of the grid (a factor 1.4) are missed.
    Raises InputError unless exactly one of n and lam is given, and for arguments out of domain.
    Source: paper, §4; THEORY §6.

    >>> from hedgetheory.laws.uniform import Uniform
    >>> found = soft_thresholds(Uniform(), lambda u: u**12 * (1 - u), n=16)
    >>> found.theta.round(6), found.kind
    (array([26.121039]), ('max',))
    """
    if (n is None) == (lam is None):
        raise InputError("give either n, to vary lam, or lam, to vary n [soft_thresholds]")

    def policy(theta: float) -> Soft:
        draws, strength = (theta, lam) if n is None else (n, theta)
        assert draws is not None
        assert strength is not None
        if isinstance(law, Law) and not isinstance(law, FiniteLaw):
            return SoftBestOfNFloats(draws, strength, law, scale)
        return SoftBestOfNSamples(draws, strength, law, scale)

    low, high = bounds or _range(policy, in_draws=n is None)
    if not 0 < low < high:
        raise must_be("bounds", bounds, "0 < low < high", "soft_thresholds")

    def slope(theta: float) -> tuple[float, float]:
        soft = policy(theta)
        if n is None:
            return soft.slope_in_draws_with_noise(gold)
        return soft.slope_with_noise(gold)

    roots, kinds = _turns(slope, low, high)
    values = np.array([policy(theta).gold(gold) for theta in roots])
    candidates = np.array([low, *roots, high])
    heights = [policy(low).gold(gold), *values, policy(high).gold(gold)]
    return SoftThresholds(
        np.array(roots), tuple(kinds), values, float(candidates[int(np.argmax(heights))])
    )


def _range(policy: Callable[[float], Soft], in_draws: bool) -> tuple[float, float]:
    if in_draws:
        return 1.0, _MOST_DRAWS
    try:
        soft = policy(1e-9)
    except InputError:
        # λ·width is too large at λ = 1e-9 only for widths beyond 1e13, and n may be at fault.
        soft = policy(1e-30)
    unit = soft.unit
    return _LEAST / unit, _MOST / unit


def _turns(
    slope: Callable[[float], tuple[float, float]], low: float, high: float
) -> tuple[list[float], list[str]]:
    """Roots of the slope between points of a geometric grid where its sign is sure and changes."""
    count = max(2, int(np.ceil(np.log(high / low) * _DENSITY)) + 1)
    roots, kinds = [], []
    before: tuple[float, float] | None = None
    for theta in np.geomspace(low, high, count):
        value, noise = slope(float(theta))
        if abs(value) <= noise:
            continue
        if before is not None and before[1] * value < 0:
            root = optimize.brentq(
                lambda x: slope(x)[0], before[0], float(theta), xtol=1e-300, rtol=1e-14
            )
            roots.append(float(root))
            kinds.append("max" if value < 0 else "min")
        before = float(theta), value
    return roots, kinds
