"""Every policy normalises: the slope of its rank cdf integrates to one.

For best of a random N the cdf is sum P(N = k) x^k, so it is 0 at 0, 1 at 1, and its slope is >= 0
term by term. Summed here from the masses for each named law of N, and compared with the package.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "density.random-draws"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    from hedgetheory.policies import random_draws

    x, y, p, rate, c = sympy.symbols("x y p lam c", positive=True)
    j = sympy.Symbol("j", integer=True, nonnegative=True)
    exponential = sympy.summation(rate**j * x**j / sympy.factorial(j), (j, 0, sympy.oo))
    yield algebra("sum (l x)^j/j! = e^{l x}", exponential - sympy.exp(rate * x))
    geometric = p * x / (1 - (1 - p) * x)
    partial = p * x * sum(((1 - p) * x) ** i for i in range(6))
    rest = p * x * ((1 - p) * x) ** 6 / (1 - (1 - p) * x)
    yield algebra("geometric: six terms and the rest", geometric - partial - rest)
    power = (1 - p + p * x) ** 5
    terms = sum(sympy.binomial(5, i) * p**i * (1 - p) ** (5 - i) * x**i for i in range(6))
    yield algebra("binomial(5, p): the binomial theorem", power - terms)
    plain: dict[str, tuple[type[random_draws.Draws], sympy.Expr]] = {
        "ZTP": (
            random_draws.ZeroTruncatedPoisson,
            (exponential - 1) / (exponential.subs(x, 1) - 1),
        ),
        "geometric": (random_draws.Geometric, geometric),
        "binomial": (
            random_draws.Binomial,
            ((1 - p + p * x) ** y - (1 - p) ** y) / (1 - (1 - p) ** y),
        ),
        "negative binomial": (
            random_draws.NegativeBinomial,
            ((p / (1 - (1 - p) * x)) ** c - p**c) / (1 - p**c),
        ),
        "Sibuya": (random_draws.Sibuya, 1 - (1 - x) ** c),
    }
    for name, (draws, pgf) in plain.items():
        yield algebra(f"{name}: 0 at 0", sympy.simplify(pgf.subs(x, 0)))
        yield algebra(f"{name}: 1 at 1", sympy.simplify(pgf.subs(x, 1)) - 1)
        # p and a lie in (0, 1), but the two sides are the same analytic function beyond.
        inside = {p: 1 / (1 + p), c: c / 8}
        theirs = by_name(draws.pgf, u=x, ubar=1 - x, p=p, lam=rate, m=y, k=c, a=c)
        slope = by_name(draws.slope, u=x, ubar=1 - x, p=p, lam=rate, m=y, k=c, a=c)
        yield same_formula(f"{name} pgf", pgf.subs(inside), theirs.subs(inside))
        yield same_formula(f"{name} slope", sympy.diff(pgf, x).subs(inside), slope.subs(inside))
    yield same_claim(ID, EXPECTED)
    yield same_claim("density.rank-policies", EXPECTED)
    yield same_claim("density.raw-tilt", EXPECTED)
    yield same_claim("density.bop-is-one-plus-poisson", EXPECTED)
