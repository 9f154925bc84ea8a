"""exp(θ ln Φ(z) + shift) without a loss of |exponent| ulp and without arithmetic on pairs.

At a node on a grid of 1/64, ln Φ = T + t with T of 26 bits, so that T times the leading 26 bits of
θ is exact; what remains, θ t and θ times Taylor's series of ln Φ around the node, is a small part
of the exponent, and float64 is enough for it. With s = φ/Φ = (ln Φ)′, s′ = −s (z + s) gives the
coefficients. At |h| <= 1/128 and z <= 3 the eighth term is below (3/128)^8/8! < 3e-18 of ln Φ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from hedgetheory.numerics.kernels.pairs import leading_bits, two_sum
from hedgetheory.numerics.kernels.pieces import Array, Pair, mp_context

_PER_UNIT, _ORDER = 64, 7
#: The table's ends; below the first Φ itself underflows.
LOW_END, HIGH_END = -38.5, 3.0


@lru_cache(maxsize=1)
def _table() -> tuple[Array, ...]:
    """T, t and Taylor's coefficients of ln Φ, k = 1, …, _ORDER, at the nodes."""
    mp = mp_context()
    first, last = (round(end * _PER_UNIT) for end in (LOW_END, HIGH_END))
    node = np.arange(first, last + 1) / _PER_UNIT
    heads, tails, slopes = [], [], []
    for z in map(mp.mpf, node.tolist()):
        below = mp.erfc(-z / mp.sqrt(2)) / 2
        log = mp.log(below) if z < 0 else mp.log1p(-mp.erfc(z / mp.sqrt(2)) / 2)
        heads.append(float(leading_bits(float(log))))
        tails.append(float(log - heads[-1]))
        slopes.append(float(mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi) / below))
    s = [np.array(slopes)]
    for k in range(_ORDER - 1):
        square = sum(s[i] * s[k - i] for i in range(k + 1))
        s.append(-(node * s[k] + (s[k - 1] if k else 0.0) + square) / (k + 1))
    return np.array(heads), np.array(tails), *(c / (k + 1) for k, c in enumerate(s))


class Parts(NamedTuple):
    """A number as a part of at most 26 bits and a small rest."""

    head: Array
    rest: Array


def log_cdf_parts(z: Pair) -> tuple[Parts, Parts]:
    """ln Φ(z) and −z²/2 for z between the table's ends."""
    table = _table()
    index = np.rint(z[0] * _PER_UNIT)
    node = index * (1.0 / _PER_UNIT)
    h = z[0] - node
    h += z[1]
    index -= round(LOW_END * _PER_UNIT)
    row = index.astype(np.intp)
    series = table[-1].take(row)
    spare = np.empty_like(series)
    for column in table[-2:0:-1]:
        series *= h
        column.take(row, out=spare, mode="clip")
        series += spare
    square = node * node
    square *= -0.5
    # −z²/2 = −node²/2 − h (node + h/2)
    np.multiply(h, -0.5, out=spare)
    spare -= node
    spare *= h
    return Parts(table[0].take(row), series), Parts(square, spare)


def power(theta: Any, slope: Parts, shift: Parts | None, constant: float = 0.0) -> Array:
    """exp(θ·slope + shift − constant)."""
    front = leading_bits(theta)
    low = theta * slope.rest
    low += (theta - front) * slope.head
    high = front * slope.head
    if shift is not None:
        low += shift.rest
        high, error = two_sum(high, shift.head)
        low += error
    if constant:
        low -= constant
    total: Array = high + low
    high -= total
    high += low
    with np.errstate(over="ignore", under="ignore"):
        np.exp(total, out=total)
    # Far below the range the low part may be of any size and sign: 0 stays 0, not −0.
    high += 1.0
    np.maximum(high, 0.0, out=high)
    total *= high
    return total
