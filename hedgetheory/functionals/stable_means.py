"""Closed mean rewards where the best of the draws stays in the family of the law.

The maximum of n Gumbels is a Gumbel; the best of a Sibuya number of draws has the survival S^a, and
so stays exponential, Pareto or Weibull; the powers of a uniform are beta(a, 1).
"""

from __future__ import annotations

import sympy
from sympy import EulerGamma, exp, log, loggamma

from hedgetheory.expressions.prover import Proof, identity
from hedgetheory.expressions.symbols import a, n, r, u
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.weibull import Weibull
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.random_draws import Sibuya

#: A reward above the lower end of a half-line.
_X = sympy.Symbol("x", positive=True)


def stable_mean(policy: type, law: ContinuousLaw) -> tuple[sympy.Expr, Proof] | None:
    """The mean reward and its proof, where a classical stability gives it; it must be finite."""
    title = f"mean_reward of {policy.__name__} on {law}"
    if policy is BestOfN and isinstance(law, Gumbel):
        c, s = exact_symbol(law.loc), exact_symbol(law.scale)
        z = (r - c) / s
        step = identity("ln F^n is ln F moved by scale ln n", n * exp(-z) - exp(-(z - log(n))))
        cites = ("the mean of gumbel(loc, scale) is loc + γ scale (−Γ′(1) = γ, DLMF 5.4.12)",)
        return c + s * (EulerGamma + log(n)), Proof(title, (step,), cites)
    if policy is BestOfN and isinstance(law, Beta) and law.b == 1:
        p = exact_symbol(law.a)
        whole = n * u ** (n + 1 / p) / (n + 1 / p)
        step = identity(
            "E[U^{1/a}] by its antiderivative", whole.diff(u) - n * u ** (n - 1 + 1 / p)
        )
        cites = ("R = U^{1/a}, as F(r) = r^a; the antiderivative is 0 at 0",)
        return n / (n + 1 / p), Proof(title, (step,), cites)
    if policy is BestOfN and isinstance(law, Pareto):
        shift = 1 / exact_symbol(law.alpha)
        value = exp(loggamma(n + 1) + loggamma(1 - shift) - loggamma(n + 1 - shift))
        tail = (_X**-shift) ** (-1 / shift)
        step = identity("R = V^{−1/alpha} with V = 1 − U, as S(R) = V", tail - _X)
        cites = ("∫ u^{p−1}(1 − u)^{q−1} du = Γ(p)Γ(q)/Γ(p + q) (DLMF 5.12.1), nΓ(n) = Γ(n + 1)",)
        return value, Proof(title, (step,), cites)
    if policy is Sibuya:
        return _of_power(law, title)
    return None


def _of_power(law: ContinuousLaw, title: str) -> tuple[sympy.Expr, Proof] | None:
    """The mean of the law with survival S^a."""
    if isinstance(law, Exponential):
        b = exact_symbol(law.rate)
        step = identity("S^a = e^{−a rate r}", exp(-b * _X) ** a - exp(-a * b * _X))
        return 1 / (a * b), Proof(title, (step,), ("exponential(rate) has mean 1/rate",))
    if isinstance(law, Pareto):
        p = exact_symbol(law.alpha)
        step = identity("S^a = r^{−a alpha}", (_X ** (-p)) ** a - _X ** (-a * p))
        cites = ("pareto(alpha) has mean alpha/(alpha − 1) for alpha > 1",)
        return a * p / (a * p - 1), Proof(title, (step,), cites)
    if isinstance(law, Weibull):
        k, s = exact_symbol(law.shape), exact_symbol(law.scale)
        power = (_X / s) ** k
        moved = (_X / (s * a ** (-1 / k))) ** k
        step = identity(
            "S^a is Weibull of scale·a^{−1/shape}", a * power - sympy.powdenest(moved, force=True)
        )
        cites = ("weibull(shape, scale) has mean scale Γ(1 + 1/shape)",)
        return law.mean * a ** (-1 / k), Proof(title, (step,), cites)
    return None
