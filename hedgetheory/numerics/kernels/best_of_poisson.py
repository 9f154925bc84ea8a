"""Best-of-Poisson, μ >= 0."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from hedgetheory.numerics.kernels.fused import (
    PANELS,
    CellTable,
    Fused,
    buffers,
    pieces_into,
    polynomial,
    whole,
)
from hedgetheory.numerics.kernels.pieces import DIGITS, TINY, Array, horner, mp_context, piecewise
from hedgetheory.numerics.kernels.special import PHI3, phi1_minus

# KL = (S(1 + μ) − e^{−μ} S(1))/μ + ln(1 + μ) − 1 with S(z) = e^{−z} Ei(z): μ²/6 − … near 0 and
# ln μ − 1 + … far away. In between KL = ln(1 + μ y E(y)), y = μ/(3 + μ), with E between 0.37 and
# 0.5, smooth on [0, 1], from a table; the logarithm forgives what E has lost. From 1024 on Ei's
# asymptotic series ends in time.

_MIDDLE = 3.0
#: The inner ones are the panels' ends: y = k/PANELS.
BOP_KL_EDGES = (
    *(2.0**-26, 2.0**-13),
    *(_MIDDLE * k / (PANELS - k) for k in range(1, PANELS)),
    *(1024.0, 2.0**13, 2.0**27),
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
def _bop_kl_table() -> CellTable:
    mp = mp_context()

    def quotient(y: Any) -> Any:
        mu = _MIDDLE * y / (1 - y)
        return mp.expm1(_bop_kl_exactly(mu)) / (mu * y)

    return CellTable(quotient)


def _bop_kl_middle(panel: int | None) -> Fused:
    """By one panel of the table, or by all of it."""

    def kernel(mu: Array, out: Array) -> None:
        y, spare, *_ = buffers(mu.size)
        np.add(mu, _MIDDLE, out=y)
        np.divide(mu, y, out=y)
        if panel is None:
            _bop_kl_table().into(y, spare, out)
        else:
            _bop_kl_table().on_panel(panel, y, spare, out)
        out *= y
        out *= mu
        np.log1p(out, out=out)

    return kernel


def _bop_kl_identity(mu: Array, out: Array) -> None:
    np.multiply(mu, -1 / 12, out=out)
    out += 1 / 6
    out *= mu
    out *= mu


def _bop_kl_near(mu: Array, out: Array) -> None:
    polynomial(mu, _bop_taylor(), out)
    out *= mu
    out *= mu


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


def _bop_kl_far(coefficients: Sequence[float]) -> Fused:
    def kernel(mu: Array, out: Array) -> None:
        t, series, *_ = buffers(mu.size)
        np.add(mu, 1.0, out=t)
        np.divide(1.0, t, out=t)
        polynomial(t, coefficients, series)
        series *= t
        series *= t
        series -= 1.0
        np.log1p(mu, out=out)
        out += series

    return kernel


def _bop_kl_log(mu: Array, out: Array) -> None:
    np.log1p(mu, out=out)
    out -= 1.0


_BOP_KL: tuple[Fused, ...] = (
    _bop_kl_identity,
    _bop_kl_near,
    *map(_bop_kl_middle, range(PANELS)),
    # S(z) = (1 + 1/z + 2/z² + 6/z³ + …)/z at z = 1 + μ, where e^{−μ} is nothing, over μ = z − 1:
    # the sums of the coefficients.
    _bop_kl_far((1.0, 2.0, 4.0, 10.0)),
    _bop_kl_far((1.0, 2.0)),
    _bop_kl_log,
)
_BOP_KL_ANY = _bop_kl_middle(None)


def bop_kl_into(mu: Array, out: Array) -> None:
    """KL of Best-of-Poisson, μ >= 0."""
    pieces_into(mu, out, BOP_KL_EDGES, _BOP_KL, (_BOP_KL_ANY, 0.0, _BOP_KL_ANY))


bop_kl = whole(bop_kl_into)


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
