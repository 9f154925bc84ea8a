"""For monotone g there is no hacking: E[g] is monotone in the parameter.

G_s(x) strictly decreases in s at every x in (0,1) (stochastic order), and for a non-decreasing g,
E_s[g] = g(1) - ∫ G_s dg. BoN: d(x^n)/dn = x^n ln x < 0. BoP: d/dmu = -x(1-x) e^{mu(x-1)} < 0.
Quantile tilt: ln G = ln(e^{s x}-1) - ln(e^s-1), whose derivative in s is (a(s x) - a(s))/s with
a(t) = t/(1-e^{-t}), and a' > 0 because 1 - (1+t) e^{-t} = ∫_0^t v e^{-v} dv > 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "paper.corollary-3"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.claims.statements import BON, BOP, TILT

    x, s, t, v = sympy.symbols("x s t v", positive=True)
    bon, bop = x**s, x * sympy.exp(s * (x - 1))
    tilt = (sympy.exp(s * x) - 1) / (sympy.exp(s) - 1)
    yield algebra("BoN: dG/dn = x^n ln x", sympy.diff(bon, s) - x**s * sympy.log(x))
    yield algebra(
        "BoP: dG/dmu = -x(1-x) e^{mu(x-1)}",
        sympy.diff(bop, s) + x * (1 - x) * sympy.exp(s * (x - 1)),
    )
    a = t / (1 - sympy.exp(-t))
    logarithm = sympy.log(sympy.exp(s * x) - 1) - sympy.log(sympy.exp(s) - 1)
    yield algebra(
        "tilt: d ln G/ds = (a(s x) - a(s))/s",
        sympy.diff(logarithm, s) - (a.subs(t, s * x) - a.subs(t, s)) / s,
    )
    yield algebra(
        "a' = (1 - (1+t) e^{-t})/(1-e^{-t})^2",
        sympy.diff(a, t) - (1 - (1 + t) * sympy.exp(-t)) / (1 - sympy.exp(-t)) ** 2,
    )
    area = sympy.integrate(v * sympy.exp(-v), (v, 0, t))
    yield algebra("1 - (1+t) e^{-t} = ∫ v e^{-v} dv", area - (1 - (1 + t) * sympy.exp(-t)))
    for family, mine in ((BON, bon), (BOP, bop), (TILT, tilt)):
        theirs = by_name(family.cdf, u=x, n=s, mu=s, lam=s)
        yield same_formula(f"{family.name} G", mine, theirs)
    yield same_claim(ID, EXPECTED)
