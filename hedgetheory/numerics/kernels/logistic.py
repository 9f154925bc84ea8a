"""The tilt of the logistic law, by y = πt, t = scale·λ, and d = 1 − t."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from hedgetheory.numerics.kernels.pieces import TINY, Array, Kernel, fitted, mp_context, on_interval

# M(λ) = y/sin y (location 0): KL = 1 − y cot y − ln(y/sin y), E[R] = scale·π (1/y − cot y), and
# χ² = M(2λ)/M(λ)² − 1 = tan y/y − 1 for t < ½.

LOGISTIC_EDGE = 0.25


@lru_cache(maxsize=1)
def _logistic_fits() -> dict[str, Kernel]:
    """In q = y²: KL/q, (1/y − cot y)/y on y² <= π²/16, and (tan y/y − 1)/q."""
    mp = mp_context()
    end = (np.pi * LOGISTIC_EDGE) ** 2

    def mean(q: Any) -> Any:
        y = mp.sqrt(q)
        return (1 / y - mp.cot(y)) / y

    def kl(q: Any) -> Any:
        y = mp.sqrt(q)
        return (1 - y * mp.cot(y) - mp.log(y / mp.sin(y))) / q

    def chi2(q: Any) -> Any:
        y = mp.sqrt(q)
        return (mp.tan(y) / y - 1) / q

    return {
        "mean": on_interval(0.0, end, fitted(mean, 0, end)),
        "kl": on_interval(0.0, end, fitted(kl, 0, end)),
        "chi2": on_interval(0.0, end, fitted(chi2, 0, end)),
    }


def _by_t(t: Array, near: Kernel, far: Callable[[Array, Array], Array], d: Array) -> Array:
    """near(t) below the edge, far(t, d) above it."""
    small = t < LOGISTIC_EDGE
    out = np.empty_like(t)
    out[small] = near(t[small])
    out[~small] = far(t[~small], d[~small])
    return out


def _cot(t: Array, d: Array) -> Array:
    """cot πt for 1/4 <= t < 1, from 1 − t beyond 1/2: near 1 only d is known well."""
    return np.where(t < 0.5, np.tan(np.pi * (0.5 - t)), -1.0 / np.tan(np.pi * np.minimum(d, 0.5)))


def sinc_pi(t: Array, d: Array) -> Array:
    """sin(πt)/(πt), 0 <= t < 1."""
    y = np.pi * np.maximum(t, TINY)
    return np.sin(np.pi * np.where(t < 0.5, np.maximum(t, TINY), d)) / y


def logistic_tilt_kl(t: Array, d: Array) -> Array:
    """KL of the tilt of a logistic law."""

    def near(t: Array) -> Array:
        square = (np.pi * t) ** 2
        return _logistic_fits()["kl"](square) * square

    def far(t: Array, d: Array) -> Array:
        return 1.0 - np.pi * t * _cot(t, d) + np.log(sinc_pi(t, d))

    return _by_t(t, near, far, d)


def logistic_tilt_mean(t: Array, d: Array) -> Array:
    """(E_λ[R] − location)/scale."""

    def near(t: Array) -> Array:
        y = np.pi * t
        return np.pi * _logistic_fits()["mean"](y * y) * y

    return _by_t(t, near, lambda t, d: 1.0 / t - np.pi * _cot(t, d), d)


def logistic_tilt_chi2(t: Array, half: Array) -> Array:
    """χ² of the tilt of a logistic law, from t and ½ − t; ∞ from t = ½ on."""

    def near(t: Array) -> Array:
        square = (np.pi * t) ** 2
        return _logistic_fits()["chi2"](square) * square

    def far(t: Array, half: Array) -> Array:
        safe = np.where(half > 0, half, 0.25)
        return np.where(half > 0, 1.0 / (np.tan(np.pi * safe) * np.pi * t) - 1.0, np.inf)

    return _by_t(t, near, far, half)
