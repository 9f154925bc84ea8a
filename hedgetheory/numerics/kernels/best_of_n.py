"""Best-of-n in the excess x = n − 1, which is exact for float64 n <= 2^53."""

from __future__ import annotations

import numpy as np

from hedgetheory.numerics.kernels.pieces import ATANH, TINY, Array, horner, piecewise


def _bon_kl_tiny(x: Array) -> Array:
    # ln(1 + x) − x/(1 + x) = Σ_{k>=2} (−1)^k (1 − 1/k) x^k.
    return horner(x, (1 / 2, -2 / 3, 3 / 4, -4 / 5)) * (x * x)


def _bon_kl_near(x: Array) -> Array:
    # With s = x/(2 + x): ln(1 + x) = 2 atanh s and x/(1 + x) = 2s/(1 + s), so that
    # ln n − (n − 1)/n = 2 s²/(1 + s) + 2 s³ (1/3 + s²/5 + s⁴/7 + …): no difference is left.
    s = x / (2.0 + x)
    square = s * s
    series = horner(square, ATANH)
    series *= s
    series += 1.0 / (1.0 + s)
    series *= square
    series *= 2.0
    return series


BON_KL_EDGES = (2.0**-13, 0.125)


def _bon_kl_far(x: Array) -> Array:
    total = np.log1p(x)
    total -= x / (1.0 + x)
    return total


def bon_kl(x: Array) -> Array:
    """KL of Best-of-n, ln(1 + x) − x/(1 + x), x = n − 1 >= 0."""
    return piecewise(x, BON_KL_EDGES, (_bon_kl_tiny, _bon_kl_near, _bon_kl_far))


def bon_chi2(x: Array) -> Array:
    """χ² of Best-of-n, x²/(1 + 2x)."""
    return x * (x / (1.0 + 2.0 * x))


def bon_total_variation(x: Array) -> Array:
    """TV of Best-of-n: u* = n^{−1/x}, and u* − u*ⁿ = u* (1 − 1/n); the exponent is in (−1, 0]."""
    safe = np.maximum(x, TINY)
    return x / (1.0 + x) * np.exp(-np.log1p(safe) / safe)
