"""Theorem 1 repaired, for BoN and BoP: a unimodal g has at most one threshold.

Both have f' = ∫ h(x) e^{s T(x)} dx up to a positive factor, with a strictly increasing T and h = g'
times a positive function of x alone:
  BoN: -dG/dn = -x^n ln x = (-ln x) e^{n ln x}, T = ln x;
  BoP: -dG/dmu = x(1-x) e^{mu(x-1)}, T = x - 1.
If g' changes sign once, at c, from plus to minus, then h(x)(T(x)-T(c)) <= 0 and < 0 on a set of
positive measure. So J(s) = ∫ h e^{s (T - T(c))} has J' = ∫ h (T - T(c)) e^{...} < 0: J strictly
decreases, has at most one zero, and there f' turns from plus to minus. From minus to plus: reverse.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "paper.corollary-1"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.claims.peaks import kernel_of
    from hedgetheory.claims.statements import BON, BOP

    x, c, s = sympy.symbols("x c s", positive=True)
    families = {
        "BoN": (x**s, sympy.log(x), -sympy.log(x), BON),
        "BoP": (x * sympy.exp(s * (x - 1)), x - 1, x * (1 - x), BOP),
    }
    for name, (cdf, statistic, weight, package) in families.items():
        kernel = -sympy.diff(cdf, s)
        yield algebra(
            f"{name}: -dG/ds = weight e^(s T)", kernel - weight * sympy.exp(s * statistic)
        )
        slope = sympy.diff(statistic, x)
        yield Check("algebra", f"{name}: T' = {slope} > 0", bool(slope.is_positive))
        shifted = sympy.exp(s * (statistic - statistic.subs(x, c)))
        yield algebra(
            f"{name}: d/ds e^(s(T-T(c))) = (T-T(c)) e^(...)",
            sympy.diff(shifted, s) - (statistic - statistic.subs(x, c)) * shifted,
        )
        ends = [sympy.limit(kernel, x, 0, "+"), sympy.limit(kernel, x, 1, "-")]
        yield Check("algebra", f"{name}: the kernel vanishes at 0 and 1", ends == [0, 0])
        theirs = by_name(kernel_of(package), u=x, n=s, mu=s)
        yield same_formula(f"{name} kernel", kernel, theirs)
    odds = sympy.Symbol("q", positive=True)
    inside = 1 / (1 + odds)
    yield Check(
        "algebra",
        "the weights -ln x and x(1-x) are positive on (0,1), x = 1/(1+q)",
        bool(
            sympy.expand_log(-sympy.log(inside)).is_positive
            and sympy.factor(inside * (1 - inside)).is_positive
        ),
    )
    yield same_claim(ID, EXPECTED)
    yield same_claim("paper.corollary-1-existence", EXPECTED)
