"""The quantile tilt, whose functionals are even or odd in λ: h = λ/2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

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
    """In q = λ² or h²: KL/λ², L/h and A/h² on [0, 1], KL/λ² on [1, 9] too."""
    mp = mp_context()

    def langevin(q: Any) -> Any:
        h = mp.sqrt(q)
        return (mp.coth(h) - 1 / h) / h

    def log_sinhc(q: Any) -> Any:
        h = mp.sqrt(q)
        return mp.log(mp.sinh(h) / h) / q

    def kl(q: Any) -> Any:
        return (langevin(q / 4) - log_sinhc(q / 4)) / 4

    return {
        "kl": on_interval(0.0, 1.0, fitted(kl, 0, 1)),
        "kl_beyond": on_interval(1.0, 9.0, fitted(kl, 1, 9)),
        "langevin": on_interval(0.0, 1.0, fitted(langevin, 0, 1)),
        "log_sinhc": on_interval(0.0, 1.0, fitted(log_sinhc, 0, 1)),
    }


def _tilt_kl_near(lam: Array) -> Array:
    square = lam * lam
    return _tilt_fits()["kl"](square) * square


def _tilt_kl_beyond(lam: Array) -> Array:
    square = lam * lam
    return _tilt_fits()["kl_beyond"](square) * square


def _tilt_kl_middle(lam: Array) -> Array:
    # λ/(e^λ − 1) − 1 + ln q with q = λ/(1 − e^{−λ}), where λ/(e^λ − 1) = q − λ.
    q = lam / -np.expm1(-lam)
    total = np.log(q)
    total += q - lam
    total -= 1.0
    return total


TILT_KL_EDGES = (2.0**-14, TILT_EDGE, 3.0, 45.0)


def tilt_kl(lam: Array) -> Array:
    """KL of the quantile tilt, λ/(e^λ − 1) − 1 − ln((1 − e^{−λ})/λ), λ >= 0."""
    return piecewise(
        lam,
        TILT_KL_EDGES,
        (
            lambda lam: lam * lam * (1 / 24 - lam * lam / 960),
            _tilt_kl_near,
            _tilt_kl_beyond,
            _tilt_kl_middle,
            lambda lam: np.log(lam) - 1.0,
        ),
    )


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
