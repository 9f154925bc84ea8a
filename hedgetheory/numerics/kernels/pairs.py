"""Pairs: an unevaluated sum high + low of two float64 carries some 100 bits."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import log as _log
from typing import Any

import numpy as np

from hedgetheory.numerics.kernels.pieces import Array, Pair, horner, mp_context


def pair_of(value: Fraction) -> tuple[float, float]:
    """A rational as high + low, right to 2^−105 of it where it is in range."""
    high = float(value)
    return high, float(value - Fraction(high))


def two_sum(a: Any, b: Any) -> Pair:
    """a + b exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def leading_bits(a: Any) -> Array:
    """The leading 26 bits of a: masking, unlike Dekker's product, cannot overflow."""
    bits = np.asarray(a, dtype=np.float64).view(np.int64)
    head: Array = (bits & np.int64(-(1 << 27))).view(np.float64)
    return head


def two_product(a: Any, b: Any) -> Pair:
    """a·b to some 2^−105, where neither the product nor its error term leaves the range."""
    product = a * b
    ah, bh = leading_bits(a), leading_bits(b)
    al, bl = a - ah, b - bh
    return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl


def pair_sum(x: Pair, y: Pair) -> Pair:
    """x + y, right to 2^−104 of |x| + |y|."""
    high, low = two_sum(x[0], y[0])
    low = low + (x[1] + y[1])
    total = high + low
    return total, low - (total - high)


def pair_product(x: Pair, y: Pair) -> Pair:
    """x·y, right to 2^−102."""
    high, low = two_product(x[0], y[0])
    low = low + (x[0] * y[1] + x[1] * y[0])
    total = high + low
    return total, low - (total - high)


def pair_quotient(x: Pair, y: Pair) -> Pair:
    """x/y: one step of long division after the float64 quotient."""
    q = x[0] / y[0]
    high, low = two_product(q, y[0])
    rest = ((x[0] - high) - low) + x[1] - q * y[1]
    return two_sum(q, rest / y[0])


def negative(x: Pair) -> Pair:
    """−x."""
    return -x[0], -x[1]


def choose(condition: Any, x: Pair, y: Pair) -> Pair:
    """x where the condition holds, y elsewhere."""
    return np.where(condition, x[0], y[0]), np.where(condition, x[1], y[1])


def exp_of(x: Pair) -> Array:
    """e^x in float64, one or two ulp; ∞ and 0 beyond the range, silently."""
    with np.errstate(over="ignore", under="ignore"):
        result: Array = np.exp(x[0])
        # Out of range the low part is no longer small.
        return result * (1.0 + np.where(np.abs(x[0]) < 800.0, x[1], 0.0))


def expm1_of(x: Pair) -> Array:
    """e^x − 1 in float64."""
    with np.errstate(over="ignore", under="ignore"):
        result: Array = np.expm1(x[0])
        inside = np.abs(x[0]) < 709.0
        correction: Array = np.where(inside, result + 1.0, 0.0) * np.where(inside, x[1], 0.0)
        return result + correction


_CELLS = 64


@lru_cache(maxsize=1)
def _exp_tables() -> tuple[Array, Array, tuple[float, float, float]]:
    """2^{j/64} as pairs, and ln 2/64 in three parts, the first two of 32 bits."""
    mp = mp_context()
    powers = [mp.mpf(2) ** (mp.mpf(j) / _CELLS) for j in range(_CELLS)]
    high = [float(p) for p in powers]
    low = [float(p - h) for p, h in zip(powers, high, strict=True)]
    unit, parts = mp.log(2) / _CELLS, []
    for bits in (38, 70):
        parts.append(float(mp.floor(unit * mp.mpf(2) ** bits) / mp.mpf(2) ** bits))
        unit -= parts[-1]
    return np.array(high), np.array(low), (parts[0], parts[1], float(unit))


def _exp_parts(x: Pair) -> tuple[Pair, Pair, Any]:
    """e^x = 2^{k/64} (1 + p): the pairs 2^{k/64} (scaled) and p, and k; −745 <= x <= 709."""
    high, low = x
    table_high, table_low, (first, second, third) = _exp_tables()
    k = np.rint(high * (_CELLS / _log(2.0)))
    # k·first and k·second are exact, and so is the difference of two nearby numbers.
    r, error = two_sum(high - k * first, -k * second)
    error = error + (low - k * third)
    square, square_low = two_product(r, r)
    # |r| <= 0.0055: the cubic and beyond need no more than float64.
    tail = r * square * horner(r, (1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040))
    p = two_sum(r, 0.5 * square)
    p = two_sum(p[0], p[1] + (error * (1.0 + r) + 0.5 * square_low + tail))
    index = k.astype(np.int64)
    cell, shift = index & (_CELLS - 1), (index >> 6).astype(np.int32)
    power = np.ldexp(table_high[cell], shift), np.ldexp(table_low[cell], shift)
    return power, p, k


def exp_pair(x: Pair) -> Pair:
    """e^x as a pair, right to some 2^−70; x is cut to [−700, 700]."""
    x = np.clip(x[0], -700.0, 700.0), np.where(np.abs(x[0]) > 700.0, 0.0, x[1])
    power, p, _ = _exp_parts(x)
    return pair_sum(power, pair_product(power, p))


def expm1_pair(x: Pair) -> Pair:
    """e^x − 1 as a pair, right to some 2^−67 of itself; x is cut to [−700, 700]."""
    x = np.clip(x[0], -700.0, 700.0), np.where(np.abs(x[0]) > 700.0, 0.0, x[1])
    power, p, k = _exp_parts(x)
    whole = pair_sum(power, pair_product(power, p))
    return choose(k == 0, p, pair_sum(whole, (np.full_like(k, -1.0), np.zeros_like(k))))


def log1p_pair(x: Pair) -> Pair:
    """ln(1 + x) as a pair, −0.7 <= x <= 1: one Newton step, whose residual is taken in pairs."""
    first = np.log1p(x[0])
    e = expm1_pair((-first, np.zeros_like(first)))
    # (1 + x)(1 + e) − 1 = x + e + x e, where x + e and x e nearly cancel.
    total, error = two_sum(x[0], e[0])
    product, product_low = two_product(x[0], e[0])
    residual = (total + product) + (error + e[1] + product_low + x[0] * e[1] + x[1] * (1.0 + e[0]))
    return two_sum(first, residual)


@lru_cache(maxsize=1)
def _log2_pair() -> tuple[float, float, float]:
    """ln 2 = a + b + c, where a has 32 bits, so that an exponent times a is exact."""
    mp = mp_context()
    a = float(mp.floor(mp.log(2) * 2**32) / 2**32)
    b = float(mp.log(2) - a)
    return a, b, float(mp.log(2) - a - b)


def log_pair(x: Pair) -> Pair:
    """ln x as a pair, for x > 0 away from 1 (near it `log1p_pair` keeps relative accuracy)."""
    mantissa, exponent = np.frexp(x[0])
    low = np.ldexp(x[1], -exponent)
    a, b, c = _log2_pair()
    whole = exponent.astype(np.float64)
    shift = pair_sum((whole * a, np.zeros_like(whole)), two_product(whole, b))
    shift = two_sum(shift[0], shift[1] + whole * c)
    # The mantissa is in [1/2, 1): its distance from 1 is exact.
    return pair_sum(log1p_pair((mantissa - 1.0, low)), shift)


@lru_cache(maxsize=256)
def constant_pair(name: str, value: Fraction = Fraction(0)) -> tuple[float, float]:
    """√(2π), ln √(2π), or the logarithm of a positive rational, as a pair."""
    mp = mp_context()
    exactly = {
        "sqrt_2pi": lambda: mp.sqrt(2 * mp.pi),
        "log_sqrt_2pi": lambda: mp.log(2 * mp.pi) / 2,
        "log": lambda: mp.log(mp.mpf(value.numerator) / value.denominator),
    }[name]()
    high = float(exactly)
    return high, float(exactly - mp.mpf(high))


SQRT_2PI, LOG_SQRT_2PI = float(np.sqrt(2 * np.pi)), 0.5 * _log(2 * np.pi)


def as_pair(constant: tuple[float, float], like: Array) -> Pair:
    return np.full_like(like, constant[0]), np.full_like(like, constant[1])
