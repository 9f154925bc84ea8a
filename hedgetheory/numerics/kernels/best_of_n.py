"""Best-of-n in the excess x = n − 1, which is exact for float64 n <= 2^53."""

from __future__ import annotations

import numpy as np

from hedgetheory.numerics.kernels.fused import buffers, pieces_into, polynomial, whole
from hedgetheory.numerics.kernels.pieces import ATANH, TINY, Array


def _bon_kl_tiny(x: Array, out: Array) -> None:
    # ln(1 + x) − x/(1 + x) = Σ_{k>=2} (−1)^k (1 − 1/k) x^k.
    polynomial(x, (1 / 2, -2 / 3, 3 / 4, -4 / 5), out)
    out *= x
    out *= x


def _bon_kl_near(x: Array, out: Array) -> None:
    # With s = x/(2 + x): ln(1 + x) = 2 atanh s and x/(1 + x) = 2s/(1 + s), so that
    # ln n − (n − 1)/n = 2 s²/(1 + s) + 2 s³ (1/3 + s²/5 + s⁴/7 + …): no difference is left.
    s, square, *_ = buffers(x.size)
    np.add(x, 2.0, out=s)
    np.divide(x, s, out=s)
    np.multiply(s, s, out=square)
    polynomial(square, ATANH, out)
    out *= s
    s += 1.0
    np.divide(1.0, s, out=s)
    out += s
    out *= square
    out *= 2.0


def _bon_kl_far(x: Array, out: Array) -> None:
    share, *_ = buffers(x.size)
    np.add(x, 1.0, out=share)
    np.divide(x, share, out=share)
    np.log1p(x, out=out)
    out -= share


BON_KL_EDGES = (2.0**-13, 0.125)


def bon_kl_into(x: Array, out: Array) -> None:
    """KL of Best-of-n, ln(1 + x) − x/(1 + x), x = n − 1 >= 0."""
    kernels = (_bon_kl_tiny, _bon_kl_near, _bon_kl_far)
    pieces_into(x, out, BON_KL_EDGES, kernels, (_bon_kl_far, BON_KL_EDGES[-1], _bon_kl_near))


bon_kl = whole(bon_kl_into)


def bon_chi2(x: Array) -> Array:
    """χ² of Best-of-n, x²/(1 + 2x)."""
    return x * (x / (1.0 + 2.0 * x))


def bon_total_variation(x: Array) -> Array:
    """TV of Best-of-n: u* = n^{−1/x}, and u* − u*ⁿ = u* (1 − 1/n); the exponent is in (−1, 0]."""
    safe = np.maximum(x, TINY)
    return x / (1.0 + x) * np.exp(-np.log1p(safe) / safe)
