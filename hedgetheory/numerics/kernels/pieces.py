"""Pieces of a kernel: blocks of arrays, polynomials fitted in mpmath, and their types."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
#: An unevaluated sum high + low, |low| <= ulp(high)/2 or a little more.
Pair: TypeAlias = tuple[Array, Array]
Kernel: TypeAlias = Callable[[Array], Array]

EULER = 0.5772156649015329
#: Elements worked on at once: few enough for the cache, enough to outweigh the calls; and the
#: elements among which those of one piece are looked for.
BLOCK = 16384
WIDE_BLOCK = 8 * BLOCK
DIGITS = 60
#: 1/(2j + 3): atanh s = s + s³ Σ of these s^{2j}. x < 1/8 in x/(2 + x) gives s² < 1/289, and
#: the first term left out is s^{13}/13 of s².
ATANH = tuple(1.0 / (2 * j + 3) for j in range(6))
#: In place of 0 where it would divide.
TINY = 1e-300


@lru_cache(maxsize=1)
def mp_context() -> Any:
    """An mpmath context of its own, with enough digits for every fit here."""
    from mpmath import MPContext

    context = MPContext()
    context.dps = DIGITS
    return context


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
    mp = mp_context()
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


def on_interval(low: float, high: float, coefficients: Sequence[float]) -> Kernel:
    """The polynomial in s of `fitted`, as a function of x."""
    scale, shift = 2.0 / (high - low), -(low + high) / (high - low)

    def kernel(x: Array) -> Array:
        s = x * scale
        s += shift
        return horner(s, coefficients)

    return kernel
