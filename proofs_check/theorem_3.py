"""Theorem 3: f' = Cov(g, score), with the three scores.

w is smooth in the parameter s and dw/ds = w score, so f' = ∫ g w score = E[g score]; ∫ w = 1 gives
E[score] = 0, and the expectation is a covariance. For g = x^k the derivative of the closed E[x^k]
and the integral of x^k w score are computed apart: BoN for every real k, BoP and the tilt for
k = 0, 1, 2, 3 by the recurrence of the moments of e^{sx}. Passing d/ds under the integral for
bounded g is dominated convergence.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, by_name, same_claim, same_formula

ID = "paper.theorem-3"
EXPECTED: Verdict = "proved"


def against_exponential(polynomial: sympy.Expr, x: sympy.Symbol, s: sympy.Symbol) -> sympy.Expr:
    """∫₀¹ polynomial e^{sx} dx, by I_k = e^s/s − (k/s) I_{k−1}."""
    coefficients = sympy.Poly(polynomial, x).all_coeffs()[::-1]
    moments = [(sympy.exp(s) - 1) / s]
    for k in range(1, len(coefficients)):
        moments.append(sympy.exp(s) / s - k * moments[-1] / s)
    return sum(c * moment for c, moment in zip(coefficients, moments, strict=True))


def checks() -> Iterator[Check]:
    from hedgetheory.claims.statements import BON, BOP, TILT

    x, s, k = sympy.symbols("x s k", positive=True)
    bon = s * x ** (s - 1)
    bop = (1 + s * x) * sympy.exp(s * (x - 1))
    tilt = s * sympy.exp(s * x) / (sympy.exp(s) - 1)
    mean = 1 / (1 - sympy.exp(-s)) - 1 / s
    scores = {
        "BoN": (bon, 1 / s + sympy.log(x), BON),
        "BoP": (bop, (x - 1) + x / (1 + s * x), BOP),
        "tilt": (tilt, x - mean, TILT),
    }
    for name, (w, score, family) in scores.items():
        yield algebra(f"{name}: dw/ds = w score", sympy.diff(w, s) / w - score)
        yield same_formula(f"{name} score", score, by_name(family.score, u=x, n=s, mu=s, lam=s))
    covariance = sympy.integrate(sympy.expand(x**k * bon * scores["BoN"][1]), (x, 0, 1))
    yield algebra("BoN: E[x^k score] = d/dn n/(n+k)", covariance - sympy.diff(s / (s + k), s))
    yield algebra("BoN: E[score] = 0", covariance.subs(k, 0))
    kernels = {
        "BoP": ((1 + s * x) * sympy.exp(-s), ((x - 1) * (1 + s * x) + x) * sympy.exp(-s)),
        "tilt": (s / (sympy.exp(s) - 1), s * (x - mean) / (sympy.exp(s) - 1)),
    }
    for name, (plain, weighted) in kernels.items():
        w, score, _ = scores[name]
        yield algebra(f"{name}: w = plain e^(s x)", w - plain * sympy.exp(s * x))
        yield algebra(f"{name}: w score = weighted e^(s x)", plain * score - weighted)
        for power in range(4):
            yield algebra(
                f"{name}: E[x^{power} score] = d/ds E[x^{power}]",
                against_exponential(x**power * weighted, x, s)
                - sympy.diff(against_exponential(x**power * plain, x, s), s),
            )
    yield Check("cited", "dominated convergence passes d/ds under the integral, g bounded", True)
    yield same_claim(ID, EXPECTED)
    yield same_claim("paper.score-formulas", EXPECTED)
    yield same_claim("threshold.bop-example", "certified")
