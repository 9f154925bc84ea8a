"""float64 kernels for the functionals, conditioned over the whole range of the parameter.

Every kernel maps arrays of float64 to arrays of float64, without warnings, and has a relative error
of a few ulp at every representable argument of its domain. Three devices do it:

- *pairs*: an unevaluated sum high + low of two float64 carries some 100 bits. exp(y) turns an error
  of y into |y| times as large a relative error, so that an exponent of 700 needs more than 53 bits;
- *pieces*: near the identity policy a polynomial fitted to the quotient by the leading power, far
  from it the terms that do not cancel, in between polynomials for what cancels. Their coefficients
  are computed once, at first use, from the definition in mpmath, so that no formula is typed twice;
- *blocks*: large arrays are worked on in pieces that stay in the cache.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import log as _log
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array: TypeAlias = NDArray[np.float64]
#: An unevaluated sum high + low, |low| <= ulp(high)/2 or a little more.
Pair: TypeAlias = tuple[Array, Array]
Kernel: TypeAlias = Callable[[Array], Array]

EULER = 0.5772156649015329
#: Elements worked on at once: few enough for the cache, enough to outweigh the calls; and the
#: elements among which those of one piece are looked for.
BLOCK = 16384
WIDE_BLOCK = 8 * BLOCK
_DIGITS = 60


@lru_cache(maxsize=1)
def _mp() -> Any:
    """An mpmath context of its own, with enough digits for every fit here."""
    from mpmath import MPContext

    context = MPContext()
    context.dps = _DIGITS
    return context


def pair_of(value: Fraction) -> tuple[float, float]:
    """A rational as high + low, right to 2^−105 of it where it is in range."""
    high = float(value)
    return high, float(value - Fraction(high))


# -- pieces --------------------------------------------------------------------------------------


def piecewise(x: Array, edges: Sequence[float], kernels: Sequence[Kernel]) -> Array:
    """kernels[k](x) where edges[k − 1] <= x < edges[k], block by block, each x in one kernel only.

    No kernel sees an argument outside its piece, so that none can overflow or divide by zero.
    """
    flat = np.ascontiguousarray(x, dtype=np.float64).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, WIDE_BLOCK):
        block, part = flat[start : start + WIDE_BLOCK], out[start : start + WIDE_BLOCK]
        least, greatest = float(block.min()), float(block.max())
        first, last = bisect_right(edges, least), bisect_right(edges, greatest)
        inside = edges[first:last]
        if first == last or _is_sorted(block, least, greatest):
            # A sorted grid, as most are: the pieces are slices.
            cuts = [0, *np.searchsorted(block, inside).tolist(), block.size]
            for kernel, (low, high) in zip(kernels[first : last + 1], pairwise(cuts), strict=True):
                for at in range(low, high, BLOCK):
                    end = min(at + BLOCK, high)
                    part[at:end] = kernel(block[at:end])
            continue
        piece = np.zeros(block.shape, dtype=np.uint8)
        for edge in inside:
            piece += block >= edge
        for offset, kernel in enumerate(kernels[first : last + 1]):
            where = np.flatnonzero(piece == offset)
            for at in range(0, where.size, BLOCK):
                chosen = where[at : at + BLOCK]
                part[chosen] = kernel(block[chosen])
    return out.reshape(x.shape)


def _is_sorted(x: Array, least: float, greatest: float) -> bool:
    ends = bool(x[0] == least and x[-1] == greatest)
    return ends and bool((x[1:] >= x[:-1]).all())


def horner(x: Array, coefficients: Sequence[float]) -> Array:
    """Σ coefficients[j] x^j in one buffer."""
    total = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        total += coefficient
        total *= x
    total += coefficients[0]
    return total


def fitted(
    function: Callable[[Any], Any], low: float, high: float, scale: float | None = None
) -> tuple[float, ...]:
    """Coefficients in s ∈ [−1, 1], x = mid + half·s, of the interpolant at Chebyshev's points.

    ``function`` takes and returns mpmath numbers; it is analytic around [low, high]. The expansion
    ends where the rest is below 2^−56 of ``scale``, by default of the least |value|.
    """
    mp = _mp()
    mid, half = (mp.mpf(low) + high) / 2, (mp.mpf(high) - low) / 2
    angles = [mp.pi * (2 * i + 1) / (2 * _SAMPLES) for i in range(_SAMPLES)]
    values = [function(mid + half * mp.cos(t)) for t in angles]
    weights = [
        mp.fsum(v * mp.cos(j * t) for v, t in zip(values, angles, strict=True)) / _SAMPLES
        for j in range(_SAMPLES)
    ]
    weights = [weights[0], *(2 * w for w in weights[1:])]
    bound = mp.ldexp(mp.mpf(scale) if scale else min(map(abs, values)), -56)
    while abs(weights[-1]) < bound:
        bound -= abs(weights.pop())
    if len(weights) == _SAMPLES:
        raise ArithmeticError(f"{_SAMPLES} terms do not reach 53 bits on [{low}, {high}]")
    # T_{j+1} = 2 s T_j − T_{j−1}, as coefficient lists.
    chebyshev = [[mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]]
    total = [mp.mpf(0)] * len(weights)
    for j, weight in enumerate(weights):
        if j > 1:
            doubled = [mp.mpf(0), *(2 * c for c in chebyshev[-1])]
            for i, c in enumerate(chebyshev[-2]):
                doubled[i] -= c
            chebyshev.append(doubled)
        for i, c in enumerate(chebyshev[j]):
            total[i] += weight * c
    return tuple(float(c) for c in total)


_SAMPLES = 28


def _on(low: float, high: float, coefficients: Sequence[float]) -> Kernel:
    """The polynomial in s of `fitted`, as a function of x."""
    scale, shift = 2.0 / (high - low), -(low + high) / (high - low)

    def kernel(x: Array) -> Array:
        s = x * scale
        s += shift
        return horner(s, coefficients)

    return kernel


# -- pairs ---------------------------------------------------------------------------------------


def two_sum(a: Any, b: Any) -> Pair:
    """a + b exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _head(a: Any) -> Array:
    """The leading 26 bits of a: masking, unlike Dekker's product, cannot overflow."""
    bits = np.asarray(a, dtype=np.float64).view(np.int64)
    head: Array = (bits & np.int64(-(1 << 27))).view(np.float64)
    return head


def two_product(a: Any, b: Any) -> Pair:
    """a·b to some 2^−105, where neither the product nor its error term leaves the range."""
    product = a * b
    ah, bh = _head(a), _head(b)
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
    mp = _mp()
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
    """e^x as a pair, right to some 2^−98; x is cut to [−700, 700]."""
    x = np.clip(x[0], -700.0, 700.0), np.where(np.abs(x[0]) > 700.0, 0.0, x[1])
    power, p, _ = _exp_parts(x)
    return pair_sum(power, pair_product(power, p))


def expm1_pair(x: Pair) -> Pair:
    """e^x − 1 as a pair, right to some 2^−95 of itself; x is cut to [−700, 700]."""
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
    mp = _mp()
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


# -- the normal tail -----------------------------------------------------------------------------
# ln Q(a) = −a²/2 + l(a), where l = ln(e^{a²/2} Q(a)) is mild. The exponent a²/2 is a pair: at
# a = 37 it is 684, and its rounding error would cost two digits, as it does in Cephes' erfc. With
# m = Mills' ratio, s = l′ = a − 1/m satisfies s′ = 1 + a s − s²: the Taylor coefficients at a node
# follow from m there. The nearest zero of Q is 3.4 away from 0: at 1/32 nine terms suffice.

_NODES_PER_UNIT, _TABLE_END, _TAYLOR_ORDER = 16, 8.0, 8


@lru_cache(maxsize=1)
def _log_tail_table() -> tuple[Array, ...]:
    """l and l′ at the nodes as high and low, then l^{(k)}/k! for k = 2, …, 8."""
    mp = _mp()
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
    head = _head(x)
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


@lru_cache(maxsize=256)
def constant_pair(name: str, value: Fraction = Fraction(0)) -> tuple[float, float]:
    """√(2π), ln √(2π), or the logarithm of a positive rational, as a pair."""
    mp = _mp()
    exactly = {
        "sqrt_2pi": lambda: mp.sqrt(2 * mp.pi),
        "log_sqrt_2pi": lambda: mp.log(2 * mp.pi) / 2,
        "log": lambda: mp.log(mp.mpf(value.numerator) / value.denominator),
    }[name]()
    high = float(exactly)
    return high, float(exactly - mp.mpf(high))


SQRT_2PI, LOG_SQRT_2PI = float(np.sqrt(2 * np.pi)), 0.5 * _log(2 * np.pi)


def log_normal_density_pair(z: Pair) -> Pair:
    """ln φ(z) as a pair."""
    return negative(pair_sum(half_square(z), _as_pair(constant_pair("log_sqrt_2pi"), z[0])))


def erf(x: Array) -> Array:
    """The error function."""
    result: Array = special.erf(x)
    return result


def ndtr(x: Array) -> Array:
    """Φ(x), x <= 0, with a relative error of x²/2 ulp: what is not the result but its logarithm."""
    result: Array = special.ndtr(x)
    return result


def _as_pair(constant: tuple[float, float], like: Array) -> Pair:
    return np.full_like(like, constant[0]), np.full_like(like, constant[1])


# -- Best-of-n, in the excess x = n − 1, exact for float64 n <= 2^53 -------------------


def _bon_kl_tiny(x: Array) -> Array:
    # ln(1 + x) − x/(1 + x) = Σ_{k>=2} (−1)^k (1 − 1/k) x^k.
    return horner(x, (1 / 2, -2 / 3, 3 / 4, -4 / 5)) * (x * x)


def _bon_kl_near(x: Array) -> Array:
    # With s = x/(2 + x): ln(1 + x) = 2 atanh s and x/(1 + x) = 2s/(1 + s), so that
    # ln n − (n − 1)/n = 2 s²/(1 + s) + 2 s³ (1/3 + s²/5 + s⁴/7 + …): no difference is left.
    s = x / (2.0 + x)
    square = s * s
    series = horner(square, _ATANH)
    series *= s
    series += 1.0 / (1.0 + s)
    series *= square
    series *= 2.0
    return series


#: x < 1/8: s² < 1/289, and the first term left out is s^{13}/13 of s².
_ATANH = tuple(1.0 / (2 * j + 3) for j in range(6))
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
    safe = np.maximum(x, _TINY)
    return x / (1.0 + x) * np.exp(-np.log1p(safe) / safe)


_TINY = 1e-300

# -- Best-of-Poisson -----------------------------------------------------------------------------
# KL = (S(1 + μ) − e^{−μ} S(1))/μ + ln(1 + μ) − 1 with S(z) = e^{−z} Ei(z). Near 0 it is
# μ²/6 − …: the quotient by μ² is fitted. From 3/2 on ln(1 + μ) is at most four times the value,
# and KL − ln(1 + μ) is fitted in 1/(1 + μ); from 1024 on Ei's asymptotic series ends in time.

BOP_KL_EDGES = (
    *(2.0**-26, 2.0**-13, 2.0**-6, 0.25, 0.625, 1.5, 2.5, 4.0, 7.0, 12.0, 20.0),
    *(32.0, 64.0, 128.0, 1024.0, 2.0**13, 2.0**27),
)


def _bop_kl_exactly(mu: Any) -> Any:
    mp = _mp()
    mu = mp.mpf(mu)
    # Two factors of μ cancel.
    mp.dps = _DIGITS + 2 * max(0, int(-mp.log10(mu)))
    z = 1 + mp.mpf(mu)
    value = mp.exp(-z) * (mp.ei(z) - mp.ei(1)) / mu + mp.log1p(mu) - 1
    mp.dps = _DIGITS
    return value


@lru_cache(maxsize=1)
def _bop_kl_pieces() -> tuple[Kernel, ...]:
    fits: list[Kernel] = []
    ends = BOP_KL_EDGES[1:-2]
    for low, high in pairwise(ends):
        fits.append(_bop_near(low, high) if high <= 1.5 else _bop_middle(low, high))
    return (
        lambda mu: mu * mu * (1 / 6 - mu / 12),
        # Taylor's coefficients, from the fit's own function near 0.
        lambda mu: horner(mu, _bop_taylor()) * (mu * mu),
        *fits,
        # S(z) = (1 + 1/z + 2/z² + 6/z³ + …)/z at z = 1 + μ, where e^{−μ} is nothing, over
        # μ = z − 1: the sums of the coefficients.
        _bop_far((1.0, 2.0, 4.0, 10.0)),
        _bop_far((1.0, 2.0)),
        lambda mu: np.log1p(mu) - 1.0,
    )


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


def _bop_near(low: float, high: float) -> Kernel:
    quotient = _on(low, high, fitted(lambda mu: _bop_kl_exactly(mu) / mu**2, low, high))

    def kernel(mu: Array) -> Array:
        total = quotient(mu)
        total *= mu
        total *= mu
        return total

    return kernel


def _bop_middle(low: float, high: float) -> Kernel:
    mp = _mp()
    start, end = 1.0 / (1.0 + high), 1.0 / (1.0 + low)

    def rest(t: Any) -> Any:
        mu = 1 / t - 1
        return _bop_kl_exactly(mu) - mp.log1p(mu)

    scale = float(_bop_kl_exactly(low))
    polynomial = _on(start, end, fitted(rest, start, end, scale))

    def kernel(mu: Array) -> Array:
        total = polynomial(1.0 / (1.0 + mu))
        total += np.log1p(mu)
        return total

    return kernel


def _bop_far(coefficients: Sequence[float]) -> Kernel:
    def kernel(mu: Array) -> Array:
        t = 1.0 / (1.0 + mu)
        series = horner(t, coefficients)
        series *= t
        series *= t
        series -= 1.0
        series += np.log1p(mu)
        return series

    return kernel


def bop_kl(mu: Array) -> Array:
    """KL of Best-of-Poisson, μ >= 0."""
    return piecewise(mu, BOP_KL_EDGES, _bop_kl_pieces())


def _factorial_tail(shift: int, terms: int) -> tuple[float, ...]:
    """(−1)^j/(j + shift)!: φ_shift(−y) = Σ of these y^j."""
    return tuple(
        (-1.0) ** j / float(special.factorial(j + shift, exact=True)) for j in range(terms)
    )


_PHI2, _PHI3 = _factorial_tail(2, 18), _factorial_tail(3, 18)


def phi1_minus(y: Array) -> Array:
    """φ₁(−y) = (1 − e^{−y})/y, y >= 0."""
    safe = np.maximum(y, _TINY)
    return -np.expm1(-safe) / safe


def phi2_minus(y: Array) -> Array:
    """φ₂(−y) = (y − 1 + e^{−y})/y², y >= 0."""
    return piecewise(y, (1.0,), (lambda y: horner(y, _PHI2), lambda y: (1.0 - phi1_minus(y)) / y))


def bop_chi2(mu: Array) -> Array:
    """χ² of Best-of-Poisson, 2μ² φ₃(−2μ) = μ (½ − φ₂(−2μ)), μ >= 0."""
    return piecewise(
        mu,
        (0.5,),
        (
            lambda mu: 2.0 * mu * mu * horner(2.0 * mu, _PHI3),
            lambda mu: mu * (0.5 - (1.0 - phi1_minus(2.0 * mu)) / (2.0 * mu)),
        ),
    )


def bop_total_variation(mu: Array) -> Array:
    """TV of Best-of-Poisson: with ω + ln ω = 1 + μ it is (ω − 1)²/(μω).

    v = ω − 1 solves v + ln(1 + v) = μ, which is well conditioned at 0, where ω is not.
    """
    safe = np.maximum(mu, _TINY)
    v = safe - np.log1p(0.5 * safe)
    for _ in range(4):
        v = v - (v + np.log1p(v) - safe) * (1.0 + v) / (2.0 + v)
    return v / safe * (v / (1.0 + v)) * (mu > 0)


# -- the quantile tilt, even in λ: h = λ/2 ---------------------------------------------------------
# w = h e^{2h(u − ½)}/sinh h. With the Langevin function L(h) = coth h − 1/h and
# A(h) = ln(sinh h/h): E[U] = ½ + L/2, χ² = h L, TV = A/(2h) + L/2, KL = h L − A.

TILT_EDGE = 1.0


@lru_cache(maxsize=1)
def _tilt_fits() -> dict[str, Kernel]:
    """In q = λ² or h²: KL/λ², L/h and A/h² on [0, 1], KL/λ² on [1, 9] too."""
    mp = _mp()

    def langevin(q: Any) -> Any:
        h = mp.sqrt(q)
        return (mp.coth(h) - 1 / h) / h

    def log_sinhc(q: Any) -> Any:
        h = mp.sqrt(q)
        return mp.log(mp.sinh(h) / h) / q

    def kl(q: Any) -> Any:
        return (langevin(q / 4) - log_sinhc(q / 4)) / 4

    return {
        "kl": _on(0.0, 1.0, fitted(kl, 0, 1)),
        "kl_beyond": _on(1.0, 9.0, fitted(kl, 1, 9)),
        "langevin": _on(0.0, 1.0, fitted(langevin, 0, 1)),
        "log_sinhc": _on(0.0, 1.0, fitted(log_sinhc, 0, 1)),
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
    return 0.5 * (log_sinhc(h) / np.maximum(h, _TINY) + langevin(h))


# -- tilts of the exponential law ------------------------------------------------------------------


def minus_log1pmx(x: Array) -> Array:
    """x − ln(1 + x), x >= 0: the KL of an exponential tilt at x = λ/(rate − λ)."""

    def near(x: Array) -> Array:
        # x = 2s/(1 − s), ln(1 + x) = 2 atanh s: 2 s²/(1 − s) − 2 s³ (1/3 + s²/5 + …).
        s = x / (2.0 + x)
        return 2.0 * s * s * (1.0 / (1.0 - s) - s * horner(s * s, _ATANH))

    return piecewise(x, (0.125,), (near, lambda x: x - np.log1p(x)))


# -- mean rewards --------------------------------------------------------------------------------


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


@lru_cache(maxsize=1)
def _logit_fit() -> Kernel:
    mp = _mp()

    def quotient(q: Any) -> Any:
        lam = mp.sqrt(q)

        def ein_of(x: Any) -> Any:
            return mp.hyp2f2(1, 1, 2, 2, -x) * x

        return (ein_of(lam) / -mp.expm1(-lam) + ein_of(-lam) / mp.expm1(lam)) / lam

    return _on(0.0, 1.0, fitted(quotient, 0, 1))


def tilt_logit(lam: Array) -> Array:
    """E[ln(U/(1 − U))] under the quantile tilt: odd in λ, λ/2 near 0, ln λ + γ far away."""

    def far(lam: Array) -> Array:
        decay = np.exp(-lam)
        # E[−ln U] = −Ein(−λ)/(e^λ − 1), with Ein(−λ) = γ + ln λ − Ei(λ).
        low = (scaled_ei(lam) - (EULER + np.log(lam)) * decay) / -np.expm1(-lam)
        return ein(lam) / -np.expm1(-lam) - low

    return piecewise(lam, (1.0,), (lambda lam: _logit_fit()(lam * lam) * lam, far))


# -- the tilt of the logistic law, by y = πt, t = scale·λ, and d = 1 − t ---------------------------
# M(λ) = y/sin y (location 0): KL = 1 − y cot y − ln(y/sin y), E[R] = scale·π (1/y − cot y), and
# χ² = M(2λ)/M(λ)² − 1 = tan y/y − 1 for t < ½.

LOGISTIC_EDGE = 0.25


@lru_cache(maxsize=1)
def _logistic_fits() -> dict[str, Kernel]:
    """In q = y²: KL/q, (1/y − cot y)/y on y² <= π²/16, and (tan y/y − 1)/q."""
    mp = _mp()
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
        "mean": _on(0.0, end, fitted(mean, 0, end)),
        "kl": _on(0.0, end, fitted(kl, 0, end)),
        "chi2": _on(0.0, end, fitted(chi2, 0, end)),
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
    y = np.pi * np.maximum(t, _TINY)
    return np.sin(np.pi * np.where(t < 0.5, np.maximum(t, _TINY), d)) / y


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
