"""Certified gold, slope and their condition, from moments of U by balls: no code under test.

E[U^k] is n/(n + k) under Best-of-n; with J_k = ∫ u^k e^{−θ(1−u)} du it is 1 − k J_k under
Best-of-Poisson (by parts) and J_k/J_0 under the quantile tilt, where J_k = (1 − k J_{k−1})/θ and
dJ_k/dθ = J_{k+1} − J_k. What cancels is bought back by precision.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Any

from hedgetheory.exact import Number
from hedgetheory.numerics.ball import ball, certify, precision

#: Coefficients in u, the constant first: a peak (the paper's synthetic gold), one that vanishes
#: under the reference, one that changes sign twice, and one with a large constant.
GOLDS: dict[str, tuple[Fraction, ...]] = {
    "u**12*(1-u)": (*[Fraction(0)] * 12, Fraction(1), Fraction(-1)),
    "u-1/2": (Fraction(-1, 2), Fraction(1)),
    "1/20-u**2+u**5/3": (
        *(Fraction(1, 20), Fraction(0), Fraction(-1)),
        *(Fraction(0), Fraction(0), Fraction(1, 3)),
    ),
    "1000+(1-u)**3": (Fraction(1001), Fraction(-3), Fraction(3), Fraction(-1)),
}


def moments(family: str, theta: Fraction, degree: int) -> tuple[list[Any], list[Any]]:
    """E[U^k] and its derivative in θ for k = 0, …, degree, as balls at the current precision."""
    orders = range(degree + 1)
    if family == "bon":
        n = ball(theta)
        return [n / (n + k) for k in orders], [k / (n + k) ** 2 for k in orders]
    t = ball(theta)
    j = [-(-t).expm1() / t]
    for k in range(1, degree + 2):
        j.append((1 - k * j[-1]) / t)
    slopes = [j[k + 1] - j[k] for k in orders]
    if family == "bop":
        return [1 - k * j[k] for k in orders], [-k * slopes[k] for k in orders]
    ratio = [j[k] / j[0] for k in orders]
    return ratio, [(slopes[k] - ratio[k] * slopes[0]) / j[0] for k in orders]


def reference(quantity: str, family: str, name: str, theta: float, digits: int) -> Number:
    """Gold or slope at n, μ or λ."""
    coefficients = GOLDS[name]

    def compute() -> Any:
        values = moments(family, Fraction(theta), len(coefficients) - 1)[quantity == "slope"]
        return sum((ball(c) * v for c, v in zip(coefficients, values, strict=True)), ball(0))

    return certify(compute, digits)


def size(quantity: str, family: str, name: str, theta: float) -> float:
    """The sum of the sizes of the terms that `evaluate` documents: its condition times |value|."""
    c = GOLDS[name]
    m = len(c) - 1
    b = [sum(c[k] * Fraction(comb(j, k), comb(m, k)) for k in range(j + 1)) for j in range(m + 1)]
    steps = [abs(b[j + 1] - b[j]) for j in range(m)]
    with precision(4096):
        values, slopes = moments(family, Fraction(theta), m)
        if quantity == "slope":
            tails = _tails(_bernstein(slopes))
            return float(sum(ball(s) * t for s, t in zip(steps, tails, strict=True)).mid())
        masses = _bernstein(values)
        plain = sum(ball(abs(x)) * p for x, p in zip(b, masses, strict=True))
        above = [t - ball(Fraction(m - j, m + 1)) for j, t in enumerate(_tails(masses))]
        start = abs(sum(x / (k + 1) for k, x in enumerate(c)))
        nearby = ball(start) + sum(ball(s) * t for s, t in zip(steps, above, strict=True))
        return min(float(plain.mid()), float(nearby.mid()))


def _bernstein(powers: list[Any]) -> list[Any]:
    """E[B_j] from E[U^k]."""
    m = len(powers) - 1
    return [
        comb(m, j) * sum((-1) ** (k - j) * comb(m - j, k - j) * powers[k] for k in range(j, m + 1))
        for j in range(m + 1)
    ]


def _tails(masses: list[Any]) -> list[Any]:
    """Σ_{i>j} of the masses, for j = 0, …, m − 1."""
    return [sum(masses[j + 1 :], ball(0)) for j in range(len(masses) - 1)]
