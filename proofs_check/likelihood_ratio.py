"""BoN, BoP and both tilts have strictly monotone likelihood ratios, also across atoms.

For s < t the ratio w_t/w_s is (t/s) x^{t-s} for BoN, e^{(t-s)(x-1)} (1+t x)/(1+s x) for BoP with
(1+t x)/(1+s x) = 1 + (t-s) x/(1+s x) increasing, and a constant times e^{(t-s) x} for the tilts:
each strictly increases, for every s < t, with no differentiation in the parameter. The score is
1/s + ln x, (x-1) + x/(1+s x), x - E: strictly increasing as well.
Across atoms: if w_t/w_s increases, the ratio of its means over an interval and a later one too.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from proofs_check.tools import Check, Verdict, algebra, best_of, by_name, same_claim, same_formula

ID = "paper.corollary-1-mlr"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.claims.statements import BON, BOP, TILT

    x, s, d = sympy.symbols("x s d", positive=True)
    t = s + d
    ratios = {
        "BoN": (s * x ** (s - 1), d * sympy.log(x), BON),
        "BoP": (
            (1 + s * x) * sympy.exp(s * (x - 1)),
            d * (x - 1) + sympy.log(1 + t * x) - sympy.log(1 + s * x),
            BOP,
        ),
        "tilt": (s * sympy.exp(s * x) / (sympy.exp(s) - 1), d * x, TILT),
    }
    for name, (w, log_ratio, family) in ratios.items():
        varying = sympy.diff(sympy.log(w.subs(s, t)) - sympy.log(w), x)
        slope = sympy.factor(sympy.diff(log_ratio, x))
        yield algebra(f"{name}: d/dx ln(w_t/w_s) = {slope}", varying - slope)
        yield Check("algebra", f"{name}: which is positive", bool(slope.is_positive))
        score_slope = sympy.factor(sympy.diff(sympy.log(w), s, x))
        yield Check("algebra", f"{name}: the score increases", bool(score_slope.is_positive))
        yield same_formula(f"{name} w", w, by_name(family.ratio, u=x, n=s, mu=s, lam=s))
    law = (
        (Fraction(0), Fraction(1, 5)),
        (Fraction(1), Fraction(3, 10)),
        (Fraction(2), Fraction(1, 2)),
    )
    for fewer, more in ((1, 2), (2, 5)):
        small, large = best_of(law, fewer), best_of(law, more)
        quotients = [large[value] / small[value] for value, _ in law]
        rising = quotients == sorted(set(quotients))
        yield Check(
            "confirmed", f"three atoms counted: best of {more} over best of {fewer}", rising
        )
    yield same_claim(ID, EXPECTED)
    yield same_claim("rank.mlr-with-atoms", EXPECTED)
