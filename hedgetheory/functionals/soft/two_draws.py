"""Soft Best-of-2 on the quantile scale in closed form."""

from __future__ import annotations

import sympy
from sympy import exp, log

from hedgetheory.expressions.prover import Antiderivative, Proof, identity
from hedgetheory.expressions.symbols import lam, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p
from hedgetheory.functionals.closed_forms import ClosedForm

_v = sympy.Symbol("v", positive=True)


def _prove_two() -> Proof:
    # By Fubini, 2 ∫ e^{λu} e^{−te^{λu}} ∫₀¹ e^{−te^{λv}} dv dt = 2 ∫₀¹ e^{λu}/(e^{λu} + e^{λv}) dv.
    integrand = 2 * exp(lam * u) / (exp(lam * u) + exp(lam * _v))
    antiderivative = 2 * _v - 2 * log(exp(lam * u) + exp(lam * _v)) / lam
    value = 2 + 2 * (log(exp(lam * u) + 1) - log(exp(lam * u) + exp(lam))) / lam
    proof = Antiderivative(integrand, antiderivative, _v, value).prove(
        "w = 2E[1/(1 + e^{λ(V−u)})] = (2/λ) ln[(1 + e^{λu})/(1 + e^{λ(u−1)})] at n = 2"
    )
    # The stated form is (2/λ) ln of the right side below, the antiderivative's of the left side.
    left = exp(lam) * (exp(lam * u) + 1) / (exp(lam * u) + exp(lam))
    right = 1 + (exp(lam) - 1) / (1 + exp(lam * (1 - u)))
    step = identity("e^λ(e^{λu} + 1)/(e^{λu} + e^λ) = 1 + (e^λ − 1)/(1 + e^{λ(1−u)})", left - right)
    return Proof(proof.statement, (*proof.steps, step), ("Fubini's theorem, positive integrand",))


#: w at n = 2 on the quantile scale, in u and ū; proved by `ClosedForm.prove`.
TWO_DRAWS = ClosedForm(
    2 / lam * log1p(expm1(lam) / (1 + exp(lam * ubar))),
    _prove_two,
    "ratio of Soft Best-of-2 on the quantile scale",
)
