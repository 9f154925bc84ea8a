"""Best-of-Poisson, μ >= 0."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from hedgetheory.numerics.kernels.pieces import (
    DIGITS,
    TINY,
    Array,
    Kernel,
    fitted,
    horner,
    mp_context,
    on_interval,
    piecewise,
)
from hedgetheory.numerics.kernels.special import PHI3, phi1_minus

# KL = (S(1 + μ) − e^{−μ} S(1))/μ + ln(1 + μ) − 1 with S(z) = e^{−z} Ei(z). Near 0 it is
# μ²/6 − …: the quotient by μ² is fitted. From 3/2 on ln(1 + μ) is at most four times the value,
# and KL − ln(1 + μ) is fitted in 1/(1 + μ); from 1024 on Ei's asymptotic series ends in time.

BOP_KL_EDGES = (
    *(2.0**-26, 2.0**-13, 2.0**-6, 0.25, 0.625, 1.5, 2.5, 4.0, 7.0, 12.0, 20.0),
    *(32.0, 64.0, 128.0, 1024.0, 2.0**13, 2.0**27),
)


def _bop_kl_exactly(mu: Any) -> Any:
    mp = mp_context()
    mu = mp.mpf(mu)
    # Two factors of μ cancel.
    mp.dps = DIGITS + 2 * max(0, int(-mp.log10(mu)))
    z = 1 + mp.mpf(mu)
    value = mp.exp(-z) * (mp.ei(z) - mp.ei(1)) / mu + mp.log1p(mu) - 1
    mp.dps = DIGITS
    return value


@lru_cache(maxsize=1)
def _bop_kl_pieces() -> tuple[Kernel, ...]:
    fits: list[Kernel] = []
    ends = BOP_KL_EDGES[1:-2]
    for low, high in pairwise(ends):
        fits.append(_bop_near(low, high) if high <= 1.5 else _bop_middle(low, high))
    return (
        lambda mu: mu * mu * (1 / 6 - mu / 12),
        # Taylor's coefficients, from the fit's own function near 0.
        lambda mu: horner(mu, _bop_taylor()) * (mu * mu),
        *fits,
        # S(z) = (1 + 1/z + 2/z² + 6/z³ + …)/z at z = 1 + μ, where e^{−μ} is nothing, over
        # μ = z − 1: the sums of the coefficients.
        _bop_far((1.0, 2.0, 4.0, 10.0)),
        _bop_far((1.0, 2.0)),
        lambda mu: np.log1p(mu) - 1.0,
    )


@lru_cache(maxsize=1)
def _bop_taylor() -> tuple[float, ...]:
    """KL/μ² = Σ c_j μ^j up to j = 3, from the power series of its definition.

    With u integrated out, KL = ln(1 + μ) − 1 + (S(1 + μ) − e^{−μ} S(1))/μ = ln(1 + μ) − 1 + I,
    I = ∫₀¹ e^{−μ(1−v)}/(1 + μv) dv: both factors are power series in μ.
    """
    from math import comb, factorial

    def moment(i: int, j: int) -> Fraction:
        """∫ (1 − v)^i v^j dv."""
        return Fraction(1, (i + j + 1) * comb(i + j, i))

    def coefficient(order: int) -> Fraction:
        both = sum(
            Fraction((-1) ** order, factorial(i)) * moment(i, order - i) for i in range(order + 1)
        )
        return both + Fraction((-1) ** (order + 1), order)

    return tuple(float(coefficient(order)) for order in range(2, 6))


def _bop_near(low: float, high: float) -> Kernel:
    quotient = on_interval(low, high, fitted(lambda mu: _bop_kl_exactly(mu) / mu**2, low, high))

    def kernel(mu: Array) -> Array:
        total = quotient(mu)
        total *= mu
        total *= mu
        return total

    return kernel


def _bop_middle(low: float, high: float) -> Kernel:
    mp = mp_context()
    start, end = 1.0 / (1.0 + high), 1.0 / (1.0 + low)

    def rest(t: Any) -> Any:
        mu = 1 / t - 1
        return _bop_kl_exactly(mu) - mp.log1p(mu)

    scale = float(_bop_kl_exactly(low))
    polynomial = on_interval(start, end, fitted(rest, start, end, scale))

    def kernel(mu: Array) -> Array:
        total = polynomial(1.0 / (1.0 + mu))
        total += np.log1p(mu)
        return total

    return kernel


def _bop_far(coefficients: Sequence[float]) -> Kernel:
    def kernel(mu: Array) -> Array:
        t = 1.0 / (1.0 + mu)
        series = horner(t, coefficients)
        series *= t
        series *= t
        series -= 1.0
        series += np.log1p(mu)
        return series

    return kernel


def bop_kl(mu: Array) -> Array:
    """KL of Best-of-Poisson, μ >= 0."""
    return piecewise(mu, BOP_KL_EDGES, _bop_kl_pieces())


def bop_chi2(mu: Array) -> Array:
    """χ² of Best-of-Poisson, 2μ² φ₃(−2μ) = μ (½ − φ₂(−2μ)), μ >= 0."""
    return piecewise(
        mu,
        (0.5,),
        (
            lambda mu: 2.0 * mu * mu * horner(2.0 * mu, PHI3),
            lambda mu: mu * (0.5 - (1.0 - phi1_minus(2.0 * mu)) / (2.0 * mu)),
        ),
    )


def bop_total_variation(mu: Array) -> Array:
    """TV of Best-of-Poisson: with ω + ln ω = 1 + μ it is (ω − 1)²/(μω).

    v = ω − 1 solves v + ln(1 + v) = μ, which is well conditioned at 0, where ω is not.
    """
    safe = np.maximum(mu, TINY)
    v = safe - np.log1p(0.5 * safe)
    for _ in range(4):
        v = v - (v + np.log1p(v) - safe) * (1.0 + v) / (2.0 + v)
    return v / safe * (v / (1.0 + v)) * (mu > 0)
