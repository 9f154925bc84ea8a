"""Definition 1 on the paper's example g = x^12 (1-x), Best-of-n on a law without atoms.

Hacking with threshold t: f strictly decreases beyond t, and beyond no smaller number, while the
mean proxy quantile and KL keep increasing. (The paper's word is "the largest" threshold; the set
of t with f decreasing beyond is an up-set, so the threshold is its least element.)

f(n) = ∫ x^12 (1-x) n x^{n-1} dx = n/(n+12) - n/(n+13). The numerator of f' is 156 - n^2, whose one
positive root is sqrt(156); its sign is plus before and minus beyond.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "paper.definition-1"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    x, n = sympy.symbols("x n", positive=True)
    f = sympy.integrate(sympy.expand(x**12 * (1 - x) * n * x ** (n - 1)), (x, 0, 1))
    yield algebra("f = n/((n+12)(n+13))", f - n / ((n + 12) * (n + 13)))
    slope = sympy.numer(sympy.together(sympy.diff(n / ((n + 12) * (n + 13)), n)))
    yield algebra("numerator of f' is 156 - n^2", slope - (156 - n**2))
    root = sympy.sqrt(156)
    roots = sympy.Poly(slope, n).real_roots()
    yield Check(
        "algebra", "its one positive root is sqrt(156)", [z for z in roots if z > 0] == [root]
    )
    signs = slope.subs(n, 12) > 0 and slope.subs(n, 13) < 0
    yield Check("algebra", "plus at n = 12, minus at n = 13", bool(signs))
    yield algebra("d/dn n/(n+1) = (n+1)^-2 > 0", sympy.diff(n / (n + 1), n) - (n + 1) ** -2)
    kl = sympy.log(n) - (n - 1) / n
    yield algebra("dKL/dn = (n-1)/n^2 > 0 for n > 1", sympy.diff(kl, n) - (n - 1) / n**2)
    tied = f.subs(n, 12) == f.subs(n, 13) == sympy.Rational(1, 50)
    yield Check(
        "confirmed", "f(12) = f(13) = 1/50: the integers on both sides of the root tie", tied
    )
    power = sympy.Rational(2401, 200)
    moved = {k: k / ((k + power) * (k + power + 1)) for k in (sympy.Integer(12), sympy.Integer(13))}
    between = 144 < power * (power + 1) < sympy.Rational(25, 2) ** 2
    rounding_fails = bool(between) and moved[13] > moved[12]
    yield Check(
        "confirmed", "exponent 2401/200: threshold below 12.5, 13 better than 12", rounding_fails
    )
    yield same_claim(ID, EXPECTED)
    yield same_claim("popular.round-the-threshold", "refuted")
    yield same_claim("paper.definition-1-tie", "certified")
