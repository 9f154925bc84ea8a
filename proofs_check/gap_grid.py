"""The gap of Best-of-Poisson at equal E[U]: on a grid, and a bound for every m > 0.

gap(m) = KL(BoP_m) - KL(tilt_l), l matched. By the Pythagorean identity any l gives the upper bound
KL - l E + K(l), K(l) = ln((e^l-1)/l). Here l is found apart from the package, by Newton's method in
floats, and for the lower bound enclosed by bisection in balls.

For every m > 0: KL and E increase, so KL(b) - l E(a) + K(l) bounds the gap on [a,b], and bisection
covers [1/20, 16]; below 1/20 the gap is at most KL(1/20). Beyond 16 take l = y = m + 1: with
S = e^{-y} Ei(y) the bound is at most (S - 1/m)/m + y e^{-m}/m^2. S < 1/y + 2/y^2 for y >= 4, since
e^y (1/y + 2/y^2) - Ei(y) has derivative e^y (y-4)/y^3 >= 0 and is positive at 4. So the gap is
below (2/y^2)/m + 2 e^{-m}/m < 2/m^3 + 2 e^{-m}/m.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import sympy
from flint import arb

from proofs_check.tools import Check, Verdict, ball, bits, same_claim, vanishes

ID = "gap.bop-on-a-grid"
EXPECTED: Verdict = "certified"


def kl(m: arb) -> arb:
    return (-m - 1).exp() * ((m + 1).ei() - ball(1).ei()) / m + (1 + m).log() - 1


def mean(m: arb) -> arb:
    return 1 - 1 / m + (1 - (-m).exp()) / m**2


def potential(rate: arb) -> arb:
    return (rate.expm1() / rate).log()


def tilt_mean(rate: arb) -> arb:
    return 1 / (1 - (-rate).exp()) - 1 / rate


def newton(target: float) -> Fraction:
    """A rational near the λ with that mean; only its quality, not its truth, matters."""
    rate = 12 * (target - 0.5) if target < 0.75 else 1 / (1 - target)
    for _ in range(60):
        decay = math.exp(-rate)
        value = 1 / (1 - decay) - 1 / rate - target
        slope = 1 / rate**2 - decay / (1 - decay) ** 2
        rate = max(rate - value / slope, rate / 2)
    return Fraction(round(rate * 2**24), 2**24)


def upper(low: Fraction, high: Fraction) -> arb:
    """A bound of the gap on [low, high]."""
    average = mean(ball(low))
    rate = ball(newton(float(average)))
    return kl(ball(high)) - rate * average + potential(rate)


def lower(at: Fraction) -> arb:
    """The gap itself, the matched λ enclosed by bisection."""
    target, low, high = mean(ball(at)), ball(1), ball(20)
    for _ in range(60):
        middle = ((low + high) / 2).mid()
        low, high = (middle, high) if tilt_mean(middle) < target else (low, middle)
    inside = bool(tilt_mean(low) < target < tilt_mean(high))
    rate = low.union(high)
    return kl(ball(at)) - rate * target + potential(rate) if inside else arb.nan()


def _tail() -> bool:
    """The derivative, the value at 4, the three inequalities between rational functions."""
    y, m = sympy.symbols("y m", positive=True)
    difference = sympy.exp(y) * (1 / y + 2 / y**2) - sympy.Ei(y)
    slope = vanishes(sympy.diff(difference, y) - sympy.exp(y) * (y - 4) / y**3)
    bound = kl_minus(m, sympy.Symbol("S")) - (
        (sympy.Symbol("S") - sympy.exp(-m - 1) * sympy.Ei(1) - 1 / m) / m
        + sympy.log(1 - sympy.exp(-m - 1))
        + (m + 1) * sympy.exp(-m) / m**2
    )
    # 1/y + 2/y² − 1/m = 2/y² − 1/(m y), and (m + 1)/m² ≤ 2/m for m ≥ 1.
    simpler = vanishes(1 / (m + 1) - 1 / m + 1 / (m * (m + 1)))
    four, last = ball(4), ball(16)
    value = four.exp() * (1 / four + 2 / four**2) - four.ei()
    at_last = 2 / last**3 + 2 * (-last).exp() / last
    return bool(
        slope
        and vanishes(bound)
        and simpler
        and value > 0
        and ball(1).ei() > 0
        and at_last <= ball(Fraction(8, 10**4))
    )


def kl_minus(m: sympy.Symbol, scaled: sympy.Expr) -> sympy.Expr:
    """KL − λE + K(λ) at λ = m + 1, with S for e^{−m−1} Ei(m+1)."""
    rate = m + 1
    divergence = (scaled - sympy.exp(-m - 1) * sympy.Ei(1)) / m + sympy.log(1 + m) - 1
    average = 1 - 1 / m + (1 - sympy.exp(-m)) / m**2
    return divergence - rate * average + rate + sympy.log(1 - sympy.exp(-rate)) - sympy.log(rate)


def checks() -> Iterator[Check]:
    with bits(160):
        grid = [Fraction(k, 20) for k in range(1, 401)]
        bounds = [upper(at, at) for at in grid]
        worst = max(grid, key=lambda at: float(upper(at, at)))
        above = ball(Fraction(6751, 10**7))
        yield Check("certified", "gap <= 6.751e-4 on the grid", all(b <= above for b in bounds))
        yield Check("certified", "the largest bound is at m = 67/20", worst == Fraction(67, 20))
        at_peak = lower(Fraction(67, 20)) >= ball(Fraction(6750, 10**7))
        yield Check("certified", "gap(67/20) >= 6.750e-4", bool(at_peak))
    with bits(80):
        bound = ball(Fraction(8, 10**4))
        start = bool(kl(ball(Fraction(1, 20))) <= bound)
        yield Check("certified", "gap <= KL <= 8e-4 on (0, 1/20]", start)
        boxes, pending = 0, [(Fraction(1, 20), Fraction(16))]
        while pending and boxes < 20_000:
            low, high = pending.pop()
            boxes += 1
            if not upper(low, high) <= bound:
                middle = (low + high) / 2
                pending += [(low, middle), (middle, high)]
        yield Check("certified", f"gap <= 8e-4 on [1/20, 16], {boxes} boxes tried", not pending)
    yield Check("certified", "beyond 16: gap <= 2/m^3 + 2 e^-m/m, with S < 1/y + 2/y^2", _tail())
    yield same_claim(ID, EXPECTED)
    yield same_claim("gap.bop-at-most-8e-4", "certified")
