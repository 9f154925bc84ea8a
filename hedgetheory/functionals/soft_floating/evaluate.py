"""Soft Best-of-n in float64 over arrays of n, λ and rewards at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError, nearest
from hedgetheory.functionals.soft_floating.base import Gold
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.functionals.soft_floating.race import Array
from hedgetheory.functionals.soft_floating.samples import SoftBestOfNSamples
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import Scale

POINTWISE = ("density", "mass", "ratio", "cdf", "survival")
FUNCTIONALS = ("kl", "chi2", "total_variation", "mean_reward", "mean_quantile")
OF_GOLD = ("gold", "gain", "slope", "slope_in_draws")
_UNIFORM = Uniform()


def soft_evaluate(
    quantity: str,
    n: ArrayLike,
    lam: ArrayLike,
    law: Law | ArrayLike = _UNIFORM,
    *,
    at: ArrayLike | None = None,
    gold: Gold | None = None,
    scale: Scale = "reward",
) -> Array:
    """A quantity of Soft Best-of-n at arrays of n, λ and rewards that broadcast together.

    Each different (n, λ) is prepared once, in about a millisecond on the uniform law and ten or
    more elsewhere; a reward then costs some ten nanoseconds where there are many.

    Args:
        quantity: of `POINTWISE` (which need ``at``), `FUNCTIONALS`, or `OF_GOLD` (``gold``).
        n: real numbers >= 1.
        lam: λ > 0.
        law: Uniform, Normal, Exponential, Logistic, a finite law, or an array of rewards.
        at: rewards.
        gold: a vectorised function of the reward, or its values at the rewards of a sample.
        scale: "reward", or "quantile" where the softmax sees F(r).

    Returns an array of the broadcast shape, estimates as `SoftBestOfNFloats` says.
    Raises InputError for arguments out of domain or a quantity that the law does not have,
    NotOnThisLaw for a law that is not one of these.

    >>> soft_evaluate("kl", [2, 16], [[1.0], [10.0]]).round(6)
    array([[0.009826, 0.035741],
           [0.157508, 1.106591]])
    """
    if quantity not in (*POINTWISE, *FUNCTIONALS, *OF_GOLD):
        known = [*POINTWISE, *FUNCTIONALS, *OF_GOLD]
        raise InputError(f"unknown quantity {quantity}: {nearest(quantity, known)}")
    for name, given, used in (
        ("at", at, quantity in POINTWISE),
        ("gold", gold, quantity in OF_GOLD),
    ):
        if (given is not None) != used:
            wanted = "needs" if used else "takes no"
            raise InputError(f"{quantity} {wanted} {name} [soft_evaluate]")
    counts, strengths, rewards = np.broadcast_arrays(
        np.asarray(n, dtype=np.float64),
        np.asarray(lam, dtype=np.float64),
        np.asarray(0.0 if at is None else at, dtype=np.float64),
    )
    pairs = np.stack([counts.ravel(), strengths.ravel()], axis=1)
    if not np.isfinite(pairs).all():
        raise InputError("n and lam must be finite numbers [soft_evaluate]")
    different, which = np.unique(pairs, axis=0, return_inverse=True)
    which = which.ravel()
    out = np.empty(counts.size)
    for index, (draws, strength) in enumerate(different):
        here = which == index
        soft = _soft(float(draws), float(strength), law, scale)
        out[here] = _one(soft, quantity, rewards.ravel()[here], gold)
    return out.reshape(counts.shape)


def _soft(draws: float, strength: float, law: Law | ArrayLike, scale: Scale) -> Any:
    if isinstance(law, Law) and not isinstance(law, FiniteLaw):
        return SoftBestOfNFloats(draws, strength, law, scale)
    return SoftBestOfNSamples(draws, strength, law, scale)


def _one(soft: Any, quantity: str, rewards: Array, gold: Gold | None) -> Any:
    function = getattr(soft, quantity, None)
    if function is None:
        raise InputError(f"{quantity} does not exist on this law [soft_evaluate]")
    if quantity in POINTWISE:
        return function(rewards)
    return function() if gold is None else function(gold)
