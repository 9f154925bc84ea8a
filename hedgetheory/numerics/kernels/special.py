"""Special functions of several families: φ₁, φ₂, Ein, scaled Ei, harmonic numbers."""

from __future__ import annotations

import numpy as np
from scipy import special

from hedgetheory.numerics.kernels.pieces import ATANH, EULER, TINY, Array, horner, piecewise


def _factorial_tail(shift: int, terms: int) -> tuple[float, ...]:
    """(−1)^j/(j + shift)!: φ_shift(−y) = Σ of these y^j."""
    return tuple(
        (-1.0) ** j / float(special.factorial(j + shift, exact=True)) for j in range(terms)
    )


PHI2, PHI3 = _factorial_tail(2, 18), _factorial_tail(3, 18)


def phi1_minus(y: Array) -> Array:
    """φ₁(−y) = (1 − e^{−y})/y, y >= 0."""
    safe = np.maximum(y, TINY)
    return -np.expm1(-safe) / safe


def phi2_minus(y: Array) -> Array:
    """φ₂(−y) = (y − 1 + e^{−y})/y², y >= 0."""
    return piecewise(y, (1.0,), (lambda y: horner(y, PHI2), lambda y: (1.0 - phi1_minus(y)) / y))


_EIN = tuple(
    (-1.0) ** j / ((j + 1) * float(special.factorial(j + 1, exact=True))) for j in range(18)
)


def ein(x: Array) -> Array:
    """Ein(x) = ∫₀ˣ (1 − e^{−t})/t dt, x >= 0; γ + ln x + E₁(x) adds positive numbers from 1 on."""
    return piecewise(
        x,
        (1.0,),
        (lambda x: x * horner(x, _EIN), lambda x: EULER + np.log(x) + special.exp1(x)),
    )


#: H(x) = Σ_k x/(k(k + x)): without its first four terms the series in x has ratio x/5.
_HARMONIC = tuple((-1.0) ** j * float(special.zeta(j + 2, 5)) for j in range(26))


def harmonic(x: Array) -> Array:
    """The harmonic number H(x) = ψ(1 + x) + γ, x >= 0; ψ(1 + x) + γ cancels at 0."""

    def near(x: Array) -> Array:
        total = horner(x, _HARMONIC)
        for k in (4.0, 3.0, 2.0, 1.0):
            total += 1.0 / (k * (k + x))
        return total * x

    return piecewise(x, (1.0,), (near, lambda x: special.digamma(1.0 + x) + EULER))


def scaled_ei(x: Array) -> Array:
    """e^{−x} Ei(x), x >= 1: Ei overflows from 716 on."""

    def far(x: Array) -> Array:
        t = 1.0 / x
        total = np.ones_like(t)
        for k in range(24, 0, -1):
            total *= k * t
            total += 1.0
        return total * t

    return piecewise(x, (50.0,), (lambda x: np.exp(-x) * special.expi(x), far))


def minus_log1pmx(x: Array) -> Array:
    """x − ln(1 + x), x >= 0: the KL of an exponential tilt at x = λ/(rate − λ)."""

    def near(x: Array) -> Array:
        # x = 2s/(1 − s), ln(1 + x) = 2 atanh s: 2 s²/(1 − s) − 2 s³ (1/3 + s²/5 + …).
        s = x / (2.0 + x)
        return 2.0 * s * s * (1.0 / (1.0 - s) - s * horner(s * s, ATANH))

    return piecewise(x, (0.125,), (near, lambda x: x - np.log1p(x)))
