"""ln Γ(1 + d), ratios of Γ functions, and what the tilts of a Gumbel law need, t = scale·λ."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from hedgetheory.numerics.kernels.pairs import exp_of, expm1_of, pair_product, pair_sum
from hedgetheory.numerics.kernels.pieces import (
    EULER,
    Array,
    Kernel,
    Pair,
    fitted,
    mp_context,
    on_interval,
)


@lru_cache(maxsize=1)
def _log_gamma_fit() -> Kernel:
    """ln Γ(1 + d)/(d (1 − d)) on [0, 1]: it vanishes at both ends."""
    mp = mp_context()
    return on_interval(0.0, 1.0, fitted(lambda d: mp.loggamma(1 + d) / (d * (1 - d)), 0, 1))


def log_gamma_1p(d: Array, rest: Array) -> Array:
    """ln Γ(1 + d), 0 <= d <= 1, rest = 1 − d."""
    return d * rest * _log_gamma_fit()(d)


#: From here on Γ(z + c)/Γ(z) is a power of z times a polynomial in the inverse square.
_FAR = 20


@lru_cache(maxsize=16)
def _ratio_fit(c: Fraction) -> Kernel:
    """Γ(z + c)/Γ(z) w^{−c} in 1/w², w = z + (c − 1)/2, whose odd powers are absent."""
    mp = mp_context()
    exponent = mp.mpf(c.numerator) / c.denominator
    end = 1.0 / (_FAR - 0.5) ** 2

    def function(s: Any) -> Any:
        w = 1 / mp.sqrt(s)
        z = w - (exponent - 1) / 2
        return mp.exp(mp.loggamma(z + exponent) - mp.loggamma(z)) * w**-exponent

    return on_interval(0.0, end, fitted(function, 0, end))


def gamma_ratio(z: Array, c: Fraction) -> Array:
    """Γ(z + c)/Γ(z), z >= 1, 0 < c <= 1."""
    step = float(c)
    near = z < _FAR
    w = np.where(near, z + _FAR, z) + 0.5 * (step - 1.0)
    result = w**step * _ratio_fit(c)(1.0 / (w * w))
    low = np.where(near, z, 1.0)
    factor = np.ones_like(low)
    for j in range(_FAR):
        factor *= (low + j) / (low + step + j)
    return np.where(near, result * factor, result)


def pareto_mean(excess: Array, alpha: Fraction) -> Array:
    """Γ(n + 1) Γ(1 − c)/Γ(n + 1 − c), c = 1/alpha < 1, n = 1 + excess."""
    mp, c = mp_context(), 1 / alpha
    front = float(mp.gamma(mp.mpf((1 - c).numerator) / (1 - c).denominator))
    return front * gamma_ratio(excess + float(2 - c), c)


def gumbel_mean(excess: Array) -> Array:
    """γ + ln n, the mean of Best-of-n on the standard Gumbel law."""
    return EULER + np.log1p(excess)


def digamma(x: Array) -> Array:
    """ψ(x), 0 < x <= 1, where it has no zero."""
    result: Array = special.digamma(x)
    return result


GUMBEL_KL_EDGE, GUMBEL_CHI2_EDGE = 0.5, 0.25


@lru_cache(maxsize=1)
def _gumbel_fits() -> tuple[Kernel, Kernel]:
    """KL/t² on [0, ½]; ln(Γ(1 − 2t)/Γ(1 − t)²)/t² on [0, ¼]."""
    mp = mp_context()

    def kl(t: Any) -> Any:
        return (-t * mp.digamma(1 - t) - mp.loggamma(1 - t)) / t**2

    def log_chi2(t: Any) -> Any:
        return (mp.loggamma(1 - 2 * t) - 2 * mp.loggamma(1 - t)) / t**2

    return (
        on_interval(0.0, GUMBEL_KL_EDGE, fitted(kl, 0, GUMBEL_KL_EDGE)),
        on_interval(0.0, GUMBEL_CHI2_EDGE, fitted(log_chi2, 0, GUMBEL_CHI2_EDGE)),
    )


def gumbel_tilt_kl(t: Array, d: Array) -> Array:
    """−t ψ(1 − t) − ln Γ(1 − t), d = 1 − t; the pole at d = 0 is taken out."""
    small = t < GUMBEL_KL_EDGE
    near = np.where(small, t, 0.25)
    far = np.where(small, 0.25, d)
    rest = np.where(small, 0.75, t)
    beyond = rest / far + np.log(far) - rest * special.digamma(1 + far) - log_gamma_1p(far, rest)
    return np.where(small, near * near * _gumbel_fits()[0](near), beyond)


def gumbel_tilt_chi2(t: Array, below_half: Array, d: Array) -> Array:
    """Γ(1 − 2t)/Γ(1 − t)² − 1, below_half = ½ − t; infinite from ½ on."""
    small, finite = t < GUMBEL_CHI2_EDGE, below_half > 0
    near = np.where(small, t, 0.125)
    middle = finite & ~small
    first = special.gamma(np.where(middle, 2.0 * below_half, 1.0))
    second = special.gamma(np.where(middle, d, 1.0))
    result = np.expm1(near * near * _gumbel_fits()[1](near))
    return np.where(small, result, np.where(finite, first / second**2 - 1.0, np.inf))


_SERIES, _FRACTION = 24, 120


def small_gamma_tails(d: Pair, rest: Array, x: Pair, log_x: Pair) -> tuple[Array, Array]:
    """P(d, x) and Q(d, x) for 0 < d <= 1 of any size, rest = 1 − d.

    Up to x = 1, P = x^d/Γ(1 + d) (1 − d h), h = Σ_k (−1)^{k+1} x^k/(k! (k + d)), so that 1 − P is
    an expm1 plus a positive number; the sum in it, −d ln x + ln Γ(1 + d) + …, keeps the sign of
    d E₁(x). From there Legendre's continued fraction, whose 120th convergent at x = 1 is off by
    e^{−4√120} = 1e-19.
    """
    a = d[0]
    log_gamma = log_gamma_1p(a, rest)
    power = pair_product(d, log_x)
    near = x[0] <= 1.0
    y = np.where(near, x[0], 0.5)
    term, h = np.ones_like(y), np.zeros_like(y)
    for k in range(1, _SERIES):
        term = term * (y / k)
        h = h + (term if k % 2 else -term) / (k + a)
    exponent = pair_sum(power, (-log_gamma, np.zeros_like(log_gamma)))
    exponent = np.where(near, exponent[0], 0.0), np.where(near, exponent[1], 0.0)
    scaled = exp_of(exponent)
    lower = scaled * (1.0 - a * h)
    upper = -expm1_of(exponent) + a * scaled * h
    far = np.where(near, 2.0, np.minimum(x[0], 1e200))
    f = far + (2 * _FRACTION + 1) - a
    for k in range(_FRACTION, 0, -1):
        f = far + (2 * k - 1) - a - k * (k - a) / f
    total = pair_sum(power, (-x[0], -x[1]))
    beyond = a / f * exp_of((total[0], total[1])) * np.exp(-log_gamma)
    return np.where(near, lower, 1.0 - beyond), np.where(near, upper, beyond)
