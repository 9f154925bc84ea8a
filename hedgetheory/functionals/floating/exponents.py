"""exp(θ·slope + shift) at rewards: in float64, and by pairs where float64 would lose digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from hedgetheory.functionals.floating.points import CAREFUL, NormalPoints, Points
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array, Pair

#: Elements at a time of what is done in pairs: the more intermediates, the fewer elements stay in
#: the cache.
_PAIRS_BLOCK = 4096


def exponential(theta: Array, points: Points, slope: str, shift: str = "") -> Array:
    """exp(θ·slope + shift), broadcast; ``slope`` and ``shift`` name what the points give.

    In float64 where the exponent is small, as a pair where float64 would lose its |exponent| ulp.
    """
    if slope == "log_u" and type(points) is NormalPoints:
        one_to_one = theta.size == 1 or theta.shape == points.r.shape
        if one_to_one and points.r.size:
            least, greatest = points.z[0].min(), points.z[0].max()
            if least >= k.LOW_END and greatest <= k.HIGH_END:
                return _by_table(theta, points, shift)
            if greatest >= k.LOW_END and least <= k.HIGH_END:
                return _partly_by_table(theta, points, shift)
    first = getattr(points, slope)
    second = getattr(points, shift) if shift else 0.0
    with np.errstate(over="ignore", under="ignore"):
        product = theta * first
        exponent = product + second if shift else product
        result: Array = np.exp(exponent)
    careful = np.abs(product) > (points.careful if slope == "log_u" else CAREFUL)
    if shift:
        careful |= np.abs(second) > CAREFUL
    if careful.any():
        careful &= exponent > -760.0
        result = np.array(result)
        result[careful] = _carefully(theta, points, slope, shift, careful)
    return result


#: e^{−_LIFT} times a number that is not subnormal gives digits where e^x alone has lost them.
_LIFT, _LOW = 400.0, 1e-290


def scaled_exponential(
    factor: Any, theta: Array, points: Points, slope: str, shift: str = ""
) -> Array:
    """factor·exp(θ·slope + shift), where the exponential alone may underflow."""
    power = exponential(theta, points, slope, shift)
    result: Array = factor * power
    low = np.broadcast_to(power < _LOW, result.shape)
    if low.any():
        # Of what has become 0 nothing is left below a factor of 2^52.
        low = low & (factor > np.where(power > 0.0, 1.0, 2.0**52))
    if low.any():
        lifted = _carefully(theta, points, slope, shift, low, lift=_LIFT)
        factors = np.broadcast_to(factor, low.shape)[low]
        result[low] = lifted * factors * np.exp(-_LIFT)
    return result


def _by_table(theta: Array, points: NormalPoints, shift: str) -> Array:
    """exp(θ ln Φ + shift) where the table of ln Φ covers every reward."""
    log_u, half_square = k.log_cdf_parts(points.z)
    if shift == "log_density":
        constant = k.LOG_SQRT_2PI + points.log_scale[0]
        return k.power(theta, log_u, half_square, constant)
    return k.power(theta, log_u, log_u if shift else None)


def _partly_by_table(theta: Array, points: NormalPoints, shift: str) -> Array:
    below, above = points.z[0] < k.LOW_END, points.z[0] > k.HIGH_END
    out = np.empty(points.r.shape)
    for part in (below, ~(below | above), above):
        if part.any():
            here = theta.reshape(1) if theta.size == 1 else theta[part]
            out[part] = exponential(here, points.at(points.r[part]), "log_u", shift)
    return out


def _carefully(
    theta: Array, points: Points, slope: str, shift: str, where: Any, *, lift: float = 0.0
) -> Array:
    """exp(θ·slope + shift + lift) by pairs, at the selected elements of the broadcast."""
    thetas: Array = np.broadcast_to(theta, where.shape)[where]
    if points.r.size < thetas.size:
        # Few rewards against many parameters: what the law says, once for each reward.
        first, second = (_get_pair(points, name) for name in (slope, shift))
        spread = [np.broadcast_to(x, where.shape)[where] for x in (*first, *second)]
        exponent = _exponent_pair(thetas, (spread[0], spread[1]), (spread[2], spread[3]))
        return k.exp_of(_lifted(exponent, lift))
    rewards: Array = np.broadcast_to(points.r, where.shape)[where]
    out = np.empty_like(thetas)
    for start in range(0, out.size, _PAIRS_BLOCK):
        part = slice(start, start + _PAIRS_BLOCK)
        inner = points.at(rewards[part])
        first, second = (_get_pair(inner, name) for name in (slope, shift))
        out[part] = k.exp_of(_lifted(_exponent_pair(thetas[part], first, second), lift))
    return out


def _get_pair(points: Points, name: str) -> Pair:
    if not name:
        zero = np.zeros_like(points.r)
        return zero, zero
    if name == "minus_ubar":
        return k.negative(points.ubar_pair())
    pair: Pair = getattr(points, name + "_pair")()
    return pair


def _lifted(exponent: Pair, lift: float) -> Pair:
    """exponent + lift, cut where nothing is left; a pair of infinite products has no low part."""
    if not lift:
        return exponent
    far = ~(exponent[0] > -1e6)
    high, low = np.where(far, -1e6, exponent[0]), np.where(far, 0.0, exponent[1])
    return k.pair_sum((high, low), (np.full_like(high, lift), np.zeros_like(high)))


def _exponent_pair(theta: Array, slope: Pair, shift: Pair) -> Pair:
    return k.pair_sum(k.pair_product((theta, np.zeros_like(theta)), slope), shift)
