"""Theorem 2: mean and KL of Best-of-Poisson on a law without atoms.

With t = 1 + m x (x the quantile, m the rate): w dx = t e^{t-1-m} dt/m and ln w = ln t + t - 1 - m,
t from 1 to 1 + m. Then ∫ t e^t ln t = (t-1) e^t ln t - e^t + Ei(t) and ∫ t e^t (t-c) is elementary,
so KL = e^{-m-1} (Ei(m+1) - Ei(1))/m + ln(1+m) - 1; and E[U] = ∫ ((t-1)/m) t e^{t-1-m} dt/m.
(The package differentiates another antiderivative back, in x.)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy
from flint import arb

from proofs_check.tools import (
    Check,
    Verdict,
    algebra,
    ball,
    bits,
    by_name,
    integral,
    same_claim,
    same_formula,
)

ID = "paper.theorem-2"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    t, m, x = sympy.symbols("t m x", positive=True)
    w = (1 + m * x) * sympy.exp(m * (x - 1))
    substituted = t * sympy.exp(t - 1 - m)
    yield algebra("w = t e^{t-1-m}", w.subs(x, (t - 1) / m) - substituted)
    c = 1 + m
    logarithm = (t - 1) * sympy.exp(t) * sympy.log(t) - sympy.exp(t) + sympy.Ei(t)
    yield algebra("∫ t e^t ln t", sympy.diff(logarithm, t) - t * sympy.exp(t) * sympy.log(t))
    square = sympy.exp(t) * (t**2 - 2 * t + 2 - c * t + c)
    yield algebra("∫ t e^t (t-c)", sympy.diff(square, t) - t * sympy.exp(t) * (t - c))
    primitive = sympy.exp(-c) * (logarithm + square) / m
    kl = sympy.exp(-m - 1) * (sympy.Ei(m + 1) - sympy.Ei(1)) / m + sympy.log(1 + m) - 1
    yield algebra("KL", primitive.subs(t, c) - primitive.subs(t, 1) - kl)
    moment = sympy.exp(t - c) * (t**2 - 3 * t + 3) / m**2
    yield algebra(
        "∫ (t-1) t e^{t-c}/m^2", sympy.diff(moment, t) - (t - 1) * t * sympy.exp(t - c) / m**2
    )
    mean = 1 - 1 / m + (1 - sympy.exp(-m)) / m**2
    yield algebra("E[U]", moment.subs(t, c) - moment.subs(t, 1) - mean)
    for rate in map(Fraction, ("1/50", "3/2", "29/7", "60")):
        yield Check("confirmed", f"KL and E[U] by quadrature at m = {rate}", _quadrature(rate))
    yield from _same(kl, mean, m)


def _quadrature(rate: Fraction) -> bool:
    with bits(200):
        m, one = ball(rate), ball(1)

        def ratio(x: Any) -> Any:
            return (1 + m * x) * (m * (x - 1)).exp()

        kl = integral(lambda x: ratio(x) * ((1 + m * x).log() + m * (x - 1)), ball(0), one)
        mean = integral(lambda x: x * ratio(x), ball(0), one)
        closed = (-m - 1).exp() * ((m + 1).ei() - one.ei()) / m + (1 + m).log() - 1
        closed_mean = 1 - 1 / m + (1 - (-m).exp()) / m**2
        small = arb(2) ** -120
        return bool(abs(kl - closed) < small and abs(mean - closed_mean) < small)


def _same(kl: sympy.Expr, mean: sympy.Expr, m: sympy.Symbol) -> Iterator[Check]:
    from hedgetheory.functionals.closed_forms import RANK_FORMS
    from hedgetheory.policies.best_of_poisson import BestOfPoisson

    for name, mine in (("kl", kl), ("mean_quantile", mean)):
        theirs = by_name(RANK_FORMS[BestOfPoisson, name].expr, mu=m)
        yield same_formula(f"{name} of BoP", mine, theirs)
    yield same_claim(ID, EXPECTED)
