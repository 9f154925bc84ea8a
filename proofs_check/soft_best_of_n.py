"""Soft Best-of-n: race and softmax agree by enumeration; two draws; the tilt at rate 1/n.

The race: independent exponential clocks of rates x_j = e^{l r_j}; the first to ring is i with
probability x_i / sum x_j, the softmax choice. Conditioning on the winner's clock gives
w(r) = n int e^{l r} e^{-t e^{l r}} phi(t)^{n-1} dt. Here it is compared, on a three-atom law, with
the enumeration of every draw; the integral is a finite sum there, since phi^{n-1} is a sum of
exponentials. For n -> oo the substitution t = s/n gives the tilt and its 1/n term.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb

import mpmath
import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "sbon.limit-in-n"
EXPECTED: Verdict = "proved"

LAW = (
    (Fraction(0), Fraction(1, 4)),
    (Fraction(1, 2), Fraction(1, 4)),
    (Fraction(1), Fraction(1, 2)),
)


def by_enumeration(n: int, strength: int) -> list[mpmath.mpf]:
    """P(the chosen reward is each atom), over every ordered draw of n."""
    chosen = [mpmath.mpf(0)] * len(LAW)
    for draw in product(range(len(LAW)), repeat=n):
        probability = mpmath.mpf(1)
        for i in draw:
            probability *= mpmath.mpf(LAW[i][1].numerator) / LAW[i][1].denominator
        rates = [mpmath.exp(strength * _real(LAW[i][0])) for i in draw]
        for i, rate in zip(draw, rates, strict=True):
            chosen[i] += probability * rate / sum(rates)
    return chosen


def by_race(n: int, strength: int) -> list[mpmath.mpf]:
    """p·n·x ∫ e^{−tx} φ^{n−1} dt: φ^{n−1} expands, and each exponential integrates."""
    rates = [mpmath.exp(strength * _real(value)) for value, _ in LAW]
    masses = [_real(mass) for _, mass in LAW]
    chosen = []
    for x, p in zip(rates, masses, strict=True):
        total = mpmath.mpf(0)
        for i in range(n):
            for j in range(n - i):
                k = n - 1 - i - j
                count = comb(n - 1, i) * comb(n - 1 - i, j)
                weight = count * masses[0] ** i * masses[1] ** j * masses[2] ** k
                total += weight * x / (x + i * rates[0] + j * rates[1] + k * rates[2])
        chosen.append(p * n * total)
    return chosen


def _real(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def checks() -> Iterator[Check]:
    t, x, rest, s, h, m1, m2, e = sympy.symbols("t x rest s h M M2 e", positive=True)
    clock = -x / (x + rest) * sympy.exp(-t * (x + rest))
    yield algebra("d/dt [-x/(x+rest) e^{-t(x+rest)}] = x e^{-t(x+rest)}",
                  sympy.diff(clock, t) - x * sympy.exp(-t * (x + rest)))  # fmt: skip
    # ln phi(s h) to second order, times n - 1 = 1/h - 1, minus s h e^{l r}.
    log_phi = -s * h * m1 + (s * h) ** 2 * (m2 - m1**2) / 2
    expanded = sympy.expand((1 / h - 1) * log_phi - s * h * e)
    term = expanded.coeff(h, 1)
    yield algebra("ln phi = -tM + t^2 (M2 - M^2)/2 + ...",
                  sympy.series(sympy.log(1 - t * m1 + t**2 * m2 / 2), t, 0, 3).removeO()
                  - (-t * m1 + t**2 * (m2 - m1**2) / 2))  # fmt: skip
    yield algebra("the exponent's limit is -sM", expanded.coeff(h, 0) + s * m1)
    integral = sympy.integrate(term * sympy.exp(-s * m1), (s, 0, sympy.oo))
    yield algebra(
        "M int term e^{-sM} ds = M2/M^2 - e^{l r}/M", m1 * integral - (m2 / m1**2 - e / m1)
    )
    own, v, rate = sympy.symbols("u v l", positive=True)
    share = sympy.exp(rate * own) / (sympy.exp(rate * own) + sympy.exp(rate * v))
    antiderivative = v - sympy.log(sympy.exp(rate * own) + sympy.exp(rate * v)) / rate
    yield algebra("n = 2: the antiderivative of the share", sympy.diff(antiderivative, v) - share)
    with mpmath.workdps(30):
        for n, strength in ((2, 3), (4, 2), (5, 7)):
            pairs = zip(by_enumeration(n, strength), by_race(n, strength), strict=True)
            yield Check("confirmed", f"race = softmax on three atoms, n = {n}, l = {strength}",
                        all(abs(a - b) < mpmath.mpf(10) ** -25 for a, b in pairs))  # fmt: skip
    from hedgetheory.functionals.quantities import value
    from hedgetheory.laws.finite import Finite
    from hedgetheory.policies.soft_best_of_n import SoftBestOfN

    law = Finite(dict(LAW))
    for (reward, _), expected in zip(LAW, by_enumeration(4, 2), strict=True):
        found = value(law, SoftBestOfN(4, 2), "mass", at=reward)
        yield Check("same", f"the package's mass at {reward}, n = 4, l = 2",
                    abs(float(found) - float(expected)) < 1e-14)  # fmt: skip
    yield same_claim(ID, EXPECTED)
    for other in ("sbon.race", "sbon.two-draws", "sbon.limits-in-strength"):
        yield same_claim(other, "proved")
