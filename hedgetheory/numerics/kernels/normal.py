"""The normal law: its tail, density and error function, from pairs."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from hedgetheory.numerics.kernels.pairs import (
    as_pair,
    constant_pair,
    exp_of,
    exp_pair,
    leading_bits,
    negative,
    pair_sum,
    two_product,
    two_sum,
)
from hedgetheory.numerics.kernels.pieces import Array, Pair, mp_context

# ln Q(a) = −a²/2 + l(a), where l = ln(e^{a²/2} Q(a)) is mild. The exponent a²/2 is a pair: at
# a = 37 it is 684, and its rounding error would cost two digits, as it does in Cephes' erfc. With
# m = Mills' ratio, s = l′ = a − 1/m satisfies s′ = 1 + a s − s²: the Taylor coefficients at a node
# follow from m there. The nearest zero of Q is 3.4 away from 0: at 1/32 nine terms suffice.

_NODES_PER_UNIT, _TABLE_END, _TAYLOR_ORDER = 16, 8.0, 8


@lru_cache(maxsize=1)
def _log_tail_table() -> tuple[Array, ...]:
    """l and l′ at the nodes as high and low, then l^{(k)}/k! for k = 2, …, 8."""
    mp = mp_context()
    rows = []
    for j in range(int(_TABLE_END * _NODES_PER_UNIT) + 1):
        node = mp.mpf(j) / _NODES_PER_UNIT
        scaled = mp.exp(node**2 / 2) * mp.erfc(node / mp.sqrt(2)) / 2
        slopes = [node - 1 / (scaled * mp.sqrt(2 * mp.pi))]
        for k in range(_TAYLOR_ORDER - 1):
            square = mp.fsum(slopes[i] * slopes[k - i] for i in range(k + 1))
            before = slopes[k - 1] if k else mp.mpf(1)
            slopes.append((before + node * slopes[k] - square) / (k + 1))
        taylor = [mp.log(scaled), *(c / (k + 1) for k, c in enumerate(slopes))]
        pairs = [(float(c), float(c - mp.mpf(float(c)))) for c in taylor]
        rows.append([*pairs[0], *pairs[1], *(high for high, _ in pairs[2:])])
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _log_tail_series(a: Pair) -> tuple[Any, Pair, Array]:
    """The nearest node's row number, the distance from it, and Σ_{k>=2} of Taylor's series."""
    table = _log_tail_table()
    near = np.minimum(a[0], _TABLE_END)
    node = np.rint(near * _NODES_PER_UNIT)
    row = node.astype(np.intp)
    h = near - node / _NODES_PER_UNIT
    total = table[-1].take(row)
    for column in table[-2:3:-1]:
        total *= h
        total += column.take(row)
    total *= h
    total *= h
    # Far out, where another formula is taken, the low part may be of any size.
    return row, (h, np.where(a[0] > _TABLE_END, 0.0, a[1])), total


def _beyond_table(a: Pair, high: Array, low: Array) -> None:
    """l(a) = ln(erfcx(a/√2)/2) in place beyond the table, where Q < 1e-15."""
    far = a[0] > _TABLE_END
    if far.any():
        high[far] = np.log(0.5 * special.erfcx(a[0][far] * np.sqrt(0.5)))
        low[far] = 0.0


def half_square(a: Pair) -> Pair:
    """a²/2 as a pair."""
    x = a[0]
    square = x * x
    head = leading_bits(x)
    tail = x - head
    low = ((head * head - square) + 2.0 * head * tail) + tail * tail
    return two_sum(0.5 * square, 0.5 * low + x * a[1])


def log_normal_tail(a: Pair) -> Pair:
    """ln(1 − Φ(a)), a >= 0: −a²/2 as a pair plus the rest in float64, right to 1e-15 in all."""
    table = _log_tail_table()
    row, h, series = _log_tail_series(a)
    series += h[0] * table[2].take(row)
    series += table[0].take(row)
    _beyond_table(a, series, np.zeros_like(series))
    high, low = half_square(a)
    return two_sum(-high, series - low)


def log_normal_tail_pair(a: Pair) -> Pair:
    """ln(1 − Φ(a)), a >= 0, as a pair right to 1e-19."""
    table = _log_tail_table()
    row, h, series = _log_tail_series(a)
    slope = two_product(h[0], table[2].take(row))
    correction = slope[1] + h[0] * table[3].take(row) + h[1] * table[2].take(row)
    high, low = two_sum(table[0].take(row), slope[0])
    low = low + (correction + table[1].take(row))
    high, low = pair_sum((high, low), (series, np.zeros_like(series)))
    _beyond_table(a, high, low)
    return pair_sum(negative(half_square(a)), (high, low))


def normal_tail(a: Pair) -> Array:
    """1 − Φ(a), a >= 0."""
    return exp_of(log_normal_tail(a))


def normal_tail_pair(a: Pair) -> Pair:
    """1 − Φ(a), a >= 0, as a pair."""
    return exp_pair(log_normal_tail_pair(a))


def log_normal_density_pair(z: Pair) -> Pair:
    """ln φ(z) as a pair."""
    return negative(pair_sum(half_square(z), as_pair(constant_pair("log_sqrt_2pi"), z[0])))


def erf(x: Array) -> Array:
    """The error function."""
    result: Array = special.erf(x)
    return result


def ndtr(x: Array) -> Array:
    """Φ(x), x <= 0, with a relative error of x²/2 ulp: what is not the result but its logarithm."""
    result: Array = special.ndtr(x)
    return result
