"""The quantile tilt, whose functionals are even or odd in λ: h = λ/2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hedgetheory.numerics.kernels.fused import Fused, buffers, pieces_into, polynomial, whole
from hedgetheory.numerics.kernels.pieces import (
    EULER,
    TINY,
    Array,
    Kernel,
    fitted,
    mp_context,
    on_interval,
    piecewise,
)
from hedgetheory.numerics.kernels.special import ein, scaled_ei

# w = h e^{2h(u − ½)}/sinh h. With the Langevin function L(h) = coth h − 1/h and
# A(h) = ln(sinh h/h): E[U] = ½ + L/2, χ² = h L, TV = A/(2h) + L/2, KL = h L − A.

TILT_EDGE = 1.0


@lru_cache(maxsize=1)
def _tilt_fits() -> dict[str, Kernel]:
    """In q = h²: L/h and A/h² on [0, 1]."""
    mp = mp_context()

    def langevin(q: Any) -> Any:
        h = mp.sqrt(q)
        return (mp.coth(h) - 1 / h) / h

    def log_sinhc(q: Any) -> Any:
        h = mp.sqrt(q)
        return mp.log(mp.sinh(h) / h) / q

    return {
        "langevin": on_interval(0.0, 1.0, fitted(langevin, 0, 1)),
        "log_sinhc": on_interval(0.0, 1.0, fitted(log_sinhc, 0, 1)),
    }


@lru_cache(maxsize=4)
def _tilt_kl_fit(name: str) -> tuple[float, ...]:
    """KL/λ² in q = λ²."""
    mp = mp_context()

    def quotient(q: Any) -> Any:
        h = mp.sqrt(q) / 2
        return (h * mp.coth(h) - 1 - mp.log(mp.sinh(h) / h)) / q

    return fitted(quotient, *{"kl": (0, 1), "kl_beyond": (1, 9), "kl_whole": (0, 9)}[name])


def _tilt_kl_identity(lam: Array, out: Array) -> None:
    np.multiply(lam, lam, out=out)
    out *= -1 / 960
    out += 1 / 24
    out *= lam
    out *= lam


def _tilt_kl_by(name: str, low: float, high: float) -> Fused:
    """λ² times a fitted polynomial in λ², low <= λ² <= high."""

    def kernel(lam: Array, out: Array) -> None:
        square, s, *_ = buffers(lam.size)
        np.multiply(lam, lam, out=square)
        np.multiply(square, 2.0 / (high - low), out=s)
        s -= (low + high) / (high - low)
        polynomial(s, _tilt_kl_fit(name), out)
        out *= square

    return kernel


def _tilt_kl_middle(lam: Array, out: Array) -> None:
    # λ/(e^λ − 1) − 1 + ln q with q = λ/(1 − e^{−λ}), where λ/(e^λ − 1) = q − λ. At 0 it is 0/0,
    # which only what is mended below may see.
    q, *_ = buffers(lam.size)
    np.negative(lam, out=q)
    np.expm1(q, out=q)
    with np.errstate(invalid="ignore"):
        np.divide(lam, q, out=q)
        np.negative(q, out=q)
        np.log(q, out=out)
        q -= lam
        out += q
    out -= 1.0


def _tilt_kl_log(lam: Array, out: Array) -> None:
    np.log(lam, out=out)
    out -= 1.0


TILT_KL_EDGES = (2.0**-14, TILT_EDGE, 3.0, 45.0)
_TILT_KL: tuple[Fused, ...] = (
    _tilt_kl_identity,
    _tilt_kl_by("kl", 0.0, 1.0),
    _tilt_kl_by("kl_beyond", 1.0, 9.0),
    _tilt_kl_middle,
    _tilt_kl_log,
)
_TILT_KL_UNSORTED = (_tilt_kl_middle, 3.0, _tilt_kl_by("kl_whole", 0.0, 9.0))


def tilt_kl_into(lam: Array, out: Array) -> None:
    """KL of the quantile tilt, λ/(e^λ − 1) − 1 − ln((1 − e^{−λ})/λ), λ >= 0."""
    pieces_into(lam, out, TILT_KL_EDGES, _TILT_KL, _TILT_KL_UNSORTED)


tilt_kl = whole(tilt_kl_into)


def langevin(h: Array) -> Array:
    """L(h) = coth h − 1/h, h >= 0."""
    return piecewise(
        h,
        (TILT_EDGE,),
        (lambda h: _tilt_fits()["langevin"](h * h) * h, lambda h: 1.0 / np.tanh(h) - 1.0 / h),
    )


def tilt_shortfall(lam: Array) -> Array:
    """1 − E[U] of the quantile tilt, 1/λ − 1/(e^λ − 1), from ½ down to 1/λ."""

    def far(lam: Array) -> Array:
        decay = np.exp(-lam)
        return 1.0 / lam - decay / (1.0 - decay)

    return piecewise(lam, (2.0,), (lambda lam: 0.5 - 0.5 * langevin(0.5 * lam), far))


def log_sinhc(h: Array) -> Array:
    """A(h) = ln(sinh h/h), h >= 0."""
    return piecewise(
        h,
        (TILT_EDGE,),
        (
            lambda h: _tilt_fits()["log_sinhc"](h * h) * (h * h),
            lambda h: h - (np.log(2.0 * h) - np.log1p(-np.exp(-2.0 * h))),
        ),
    )


def tilt_total_variation(lam: Array) -> Array:
    """TV of the quantile tilt, A(h)/(2h) + L(h)/2 at h = λ/2."""
    h = 0.5 * lam
    return 0.5 * (log_sinhc(h) / np.maximum(h, TINY) + langevin(h))


@lru_cache(maxsize=1)
def _logit_fit() -> Kernel:
    mp = mp_context()

    def quotient(q: Any) -> Any:
        lam = mp.sqrt(q)

        def ein_of(x: Any) -> Any:
            return mp.hyp2f2(1, 1, 2, 2, -x) * x

        return (ein_of(lam) / -mp.expm1(-lam) + ein_of(-lam) / mp.expm1(lam)) / lam

    return on_interval(0.0, 1.0, fitted(quotient, 0, 1))


def tilt_logit(lam: Array) -> Array:
    """E[ln(U/(1 − U))] under the quantile tilt: odd in λ, λ/2 near 0, ln λ + γ far away."""

    def far(lam: Array) -> Array:
        decay = np.exp(-lam)
        # E[−ln U] = −Ein(−λ)/(e^λ − 1), with Ein(−λ) = γ + ln λ − Ei(λ).
        low = (scaled_ei(lam) - (EULER + np.log(lam)) * decay) / -np.expm1(-lam)
        return ein(lam) / -np.expm1(-lam) - low

    return piecewise(lam, (1.0,), (lambda lam: _logit_fit()(lam * lam) * lam, far))
