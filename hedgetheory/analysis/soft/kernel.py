"""k_λ(c) = −∂_λ G_λ(c) of Soft Best-of-n on the uniform law, in float64: for searches, no proof.

f′(λ) = ∫ g′(c) k_λ(c) dc, so k is the slope in λ for the step gold 1{u > c}: with t = e^s,
    k = n(n − 1) ∫ φ^{n−2} (M₁ M_{x>c} − M_{>c} M_x) ds,
M_{>c} = (e^{−te^{λc}} − e^{−te^λ})/λ and M_{x>c} by parts with E₁.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

#: Below this part of the largest k over c cancellation drowns it.
SMALLEST = 1e-8
_STEP = 0.1


def strength_kernel(draws: int, strength: float, places: Sequence[float]) -> Any:
    """k_λ at each c, an estimate by the trapezoid rule: about 1e-12 of the largest value.

    >>> float(strength_kernel(2, 1e-3, [0.5])[0].round(4))  # c(1 − c)/4 as λ → 0
    0.0625
    """
    from scipy.special import exp1

    low, high = -40.0 - strength - np.log(draws), np.log(50.0) + 0.1
    t = np.exp(np.arange(low, high, _STEP))[:, None]
    top = t * np.exp(strength)
    with np.errstate(under="ignore", over="ignore"):
        phi = (exp1(t) - exp1(top)) / strength

        def moments(c: Any) -> tuple[Any, Any]:
            x = t * np.exp(strength * c)
            mass = (np.exp(-x) - np.exp(-top)) / strength
            place = (c * np.exp(-x) - np.exp(-top)) / strength
            return mass, place + (exp1(x) - exp1(top)) / strength**2

        whole, whole_place = moments(np.zeros((1, 1)))
        above, above_place = moments(np.asarray(places, dtype=float)[None, :])
        products = whole * above_place - above * whole_place
        return draws * (draws - 1) * _STEP * np.sum(phi ** (draws - 2) * products, axis=0)


def smallest_minor(
    draws: int, strengths: Sequence[float], places: Sequence[float]
) -> tuple[float, int]:
    """The smallest mixed difference of ln k over neighbouring λ and c, and how many there were.

    Pairs where k is below `SMALLEST` of its largest value are left out.
    """
    values = np.array([strength_kernel(draws, strength, places) for strength in strengths])
    usable = values > SMALLEST * values.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        mixed = np.diff(np.diff(np.log(values), axis=1), axis=0)
    kept = usable[1:, 1:] & usable[1:, :-1] & usable[:-1, 1:] & usable[:-1, :-1]
    return float(mixed[kept].min()), int(kept.sum())
