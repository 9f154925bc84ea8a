"""∫₀¹ h(u) du in mpmath by Gauss–Legendre panels in the distance to either end: an estimate.

With u = e^{−s} on the left half and 1 − u = e^{−s} on the right one, an integrand that changes at
any scale 2^{−k} of that distance changes over panels of length three in s.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

from hedgetheory.reference.definitions import mp

#: Digits of the arithmetic, nodes of a panel, and the last s: beyond it h must be negligible.
DIGITS, NODES, FARTHEST = 90, 44, 400
#: Length of a panel in s. The integrands are analytic and moderate in |Im s| < π/2, so that a rule
#: of 44 nodes on half a length of 1.5 has an error near 2.5^−88 = 10^−35.
WIDTH = 3


@cache
def legendre(count: int) -> tuple[tuple[Any, Any], ...]:
    """Nodes and weights on (−1, 1), by Newton's method from Chebyshev's guess."""
    with mp.workdps(DIGITS + 10):
        found = []
        for i in range(count):
            x = mp.cos(mp.pi * (i + mp.mpf(3) / 4) / (count + mp.mpf(1) / 2))
            for _ in range(100):
                value, before = x, mp.one
                for k in range(2, count + 1):
                    value, before = ((2 * k - 1) * x * value - (k - 1) * before) / k, value
                slope = count * (x * value - before) / (x * x - 1)
                step = value / slope
                x -= step
                if abs(step) < mp.mpf(10) ** -(DIGITS - 2):
                    break
            found.append((x, 2 / ((1 - x * x) * slope * slope)))
        return tuple(found)


def unit_integral(h: Callable[[Any], Any], kinks: tuple[Any, ...] = ()) -> Any:
    """∫₀¹ h du; ``kinks`` are quantiles where h is not smooth."""
    with mp.workdps(DIGITS):
        half = mp.log(2)
        left = [-mp.log(u) for u in kinks if u <= 0.5]
        right = [-mp.log1p(-u) for u in kinks if u > 0.5]
        return _side(h, half, left) + _side(lambda x: h(1 - x), half, right)


def _side(h: Callable[[Any], Any], start: Any, cuts: list[Any]) -> Any:
    edges = sorted([start + WIDTH * k for k in range(FARTHEST // WIDTH)] + cuts)
    whole, quiet = mp.zero, 0
    for low, high in pairwise(edges):
        middle, radius = (low + high) / 2, (high - low) / 2
        panel = mp.zero
        for node, weight in legendre(NODES):
            x = mp.exp(-(middle + radius * node))
            panel += weight * h(x) * x
        panel *= radius
        whole += panel
        # Three panels in a row that add nothing: the integrand only falls from there on.
        quiet = quiet + 1 if abs(panel) <= abs(whole) * mp.mpf(10) ** -31 else 0
        if quiet >= 3 and low > start + 40:
            break
    return whole
