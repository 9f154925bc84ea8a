"""Soft Best-of-n: the race formula, two draws in closed form, and the limits with their rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import Function, Symbol, exp, log

from hedgetheory.claims.checks import identity, of_step
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import RECONSTRUCTED
from hedgetheory.exact import Number
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import lam, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

t, x, s = (Symbol(name, positive=True) for name in "txs")


@claim(
    "sbon.race",
    "Soft Best-of-n is an exponential race, on every law",
    "Drawing n and picking one by softmax(lam r) has w(r) = n int_0^oo e^{lam r} e^{-t e^{lam r}} "
    "phi(t)^{n-1} dt, phi(t) = E[e^{-t e^{lam R}}], on every law, atoms included. For real n >= 1 "
    "the right side is a density ratio too: E[w] = 1.",
    hypotheses=("lam >= 0", "integer n >= 1 for the first part, real n >= 1 for the second"),
    source=f"{RECONSTRUCTED}; the race is folklore (Gumbel-max)",
)
def race() -> Iterator[Evidence]:
    rest = Symbol("rest", positive=True)
    both = x + rest
    yield from identity(
        "d/dt [-x/(x + rest) e^{-t (x + rest)}] = x e^{-t x} e^{-t rest}",
        sympy.diff(-x / both * exp(-t * both), t) - x * exp(-t * x) * exp(-t * rest),
    )
    yield words(
        "Over (0, oo) that is x/(x + rest): a clock of rate x = e^{lam r} beats independent clocks "
        "of total rate `rest` with the softmax probability."
    )
    yield words(
        "Given the winner's reward r the other n - 1 draws are independent, so E[e^{-t rest}] = "
        "phi(t)^{n-1}; any of the n draws may win."
    )
    phi, k = Function("phi", positive=True)(t), Symbol("k", positive=True)
    yield of_step(
        algebra(
            "d/dt [-phi^n] = n phi^{n-1} (-phi')",
            (-(phi**k)).diff(t) + k * phi ** (k - 1) * phi.diff(t),
        )
    )
    yield cited(
        "E[e^{lam R} e^{-t e^{lam R}}] = -phi'(t), t > 0", "Laplace transforms are analytic"
    )
    yield words("phi(0) = 1 and phi(oo) = 0, since e^{lam R} > 0: so E[w] = 1.")
    halves = [
        value(Uniform(), SoftBestOfN(3, 2), "gold", gold=GoldCurve(g, "u"), digits=12)
        for g in (u, 1 - u)
    ]
    total = sum(map(float, halves))
    yield Evidence(
        "confirmed",
        "E[u] + E[1-u] = 1 at n = 3, lam = 2 on the uniform law",
        "certified values",
        abs(total - 1) < 1e-11,
    )


def _close(says: str, number: Number, expected: float, within: float) -> Evidence:
    error = abs(float(number) - expected)
    return Evidence("confirmed", says, "certified value", error <= within * abs(expected))


@claim(
    "sbon.two-draws",
    "Soft Best-of-2 on the uniform law in closed form",
    "On the uniform law, n = 2: w(u) = (2/lam) ln[(1 + e^{lam u})/(1 + e^{lam (u-1)})].",
    hypotheses=("lam > 0", "the uniform law, or the quantile scale on a law without atoms"),
    source="this project",
)
def two_draws() -> Iterator[Evidence]:
    own, v = Symbol("own", positive=True), Symbol("v", positive=True)
    share = exp(lam * own) / (exp(lam * own) + exp(lam * v))
    antiderivative = v - log(exp(lam * own) + exp(lam * v)) / lam
    yield from identity(
        "d/dv [v - ln(e^{lam u} + e^{lam v})/lam] = e^{lam u}/(e^{lam u} + e^{lam v})",
        sympy.diff(antiderivative, v) - share,
    )
    # 2∫₀¹: the logarithms of e^{λu} + 1 and e^{λu} + e^λ, the latter with e^λ taken out.
    closed = 2 / lam * (log(1 + exp(lam * own)) - log(1 + exp(lam * (own - 1))))
    at_ends = 2 * (1 - log(exp(lam * own) + exp(lam)) / lam + log(exp(lam * own) + 1) / lam)
    taken_out = sympy.log(exp(lam) * (1 + exp(lam * (own - 1))))
    yield from identity(
        "e^{lam u} + e^{lam} = e^{lam} (1 + e^{lam (u-1)})",
        exp(lam * own) + exp(lam) - exp(lam) * (1 + exp(lam * (own - 1))),
    )
    yield from identity(
        "2 int_0^1 of it is the closed form",
        at_ends.subs(log(exp(lam * own) + exp(lam)), taken_out) - closed,
    )
    at = Fraction(1, 3)
    expected = 2 / 3 * float(sympy.N(log((1 + exp(1)) / (1 + exp(-2))), 20))
    ratio = value(Uniform(), SoftBestOfN(2, 3), "ratio", at=at)
    yield _close("w(1/3) at lam = 3, against 20 digits", ratio, expected, 1e-14)


@claim(
    "sbon.limits-in-strength",
    "Soft Best-of-n runs from the reference to Best-of-n",
    "For integer n: lam -> 0 gives w -> 1 pointwise, and on a law with range [a,b] e^{-lam (b-a)} "
    "<= w <= e^{lam (b-a)}. On a law without atoms lam -> oo gives w -> n F(r)^{n-1}, and w <= n.",
    hypotheses=("integer n >= 1", "lam -> 0: any law; lam -> oo: a law without atoms"),
    source=f"{RECONSTRUCTED}",
)
def limits_in_strength() -> Iterator[Evidence]:
    low, k = sympy.symbols("low k", positive=True)
    yield words("w(r) = E[n e^{lam r}/(e^{lam r} + sum over n-1 others of e^{lam r_j})].")
    yield from identity(
        "with every e^{lam r_j} = c the share is e^{lam r}/(e^{lam r} + (n-1) c); at c = e^{lam r} "
        "it is 1/n",
        k * low / (low + (k - 1) * low) - 1,
    )
    yield words(
        "Each of the n terms is between e^{lam a} and e^{lam b}: n times the share is between "
        "e^{-lam (b-a)} and e^{lam (b-a)}, and at most n always. lam -> 0: every term tends to 1, "
        "the share to 1/n. lam -> oo: without ties the share tends to 1 where r is the largest "
        "and to 0 elsewhere, which has probability F(r)^{n-1}."
    )
    yield cited(
        "the limits pass under E[.], since n times the share is at most n", "dominated convergence"
    )
    kl = float(value(Uniform(), BestOfN(4), "kl"))
    far = value(Uniform(), SoftBestOfN(4, 2_000), "kl", digits=5)
    yield _close("KL at n = 4, lam = 2e3 is near that of Best-of-4", far, kl, 5e-3)
    near = value(Uniform(), SoftBestOfN(4, "1/1000"), "ratio", at="9/10")
    inside = abs(float(near) - 1) <= 1.001e-3
    yield Evidence("confirmed", "|w - 1| <= lam at lam = 1/1000", "certified value", inside)


@claim(
    "sbon.limit-in-n",
    "Soft Best-of-n tends to the tilt at rate 1/n, with the exact constant",
    "If M(2 lam) < oo, w_n/w = 1 + [M(2 lam)/M(lam)^2 - e^{lam r}/M(lam)]/n + o(1/n), w the tilt. "
    "On the uniform law, with M = (e^lam - 1)/lam and c = [K'(lam) M(2 lam) - M'(2 lam)]/M(lam)^2, "
    "the mean is that of the tilt plus c/n, and the KL divergence that of the tilt plus lam c/n, "
    "up to o(1/n).",
    hypotheses=("lam > 0", "M(2 lam) finite; the constants: the uniform law"),
    source=f"{RECONSTRUCTED}; the constant: this project",
)
def limit_in_n() -> Iterator[Evidence]:
    m1, m2, e, h = sympy.symbols("M1 M2 e h", positive=True)  # M(λ), M(2λ), e^{λr}, 1/n
    phi = 1 - s * h * m1 + (s * h) ** 2 * m2 / 2
    exponent = (1 / h - 1) * sympy.series(log(phi), h, 0, 3).removeO() - s * h * e
    first = sympy.expand(exponent).coeff(h, 1)
    yield of_step(
        algebra("t = s/n: the exponent tends to -sM", sympy.expand(exponent).coeff(h, 0) + s * m1)
    )
    yield of_step(
        algebra(
            "and its 1/n term is sM + s^2 (M2 - M^2)/2 - s e^{lam r}",
            first - (s * m1 + s**2 * (m2 - m1**2) / 2 - s * e),
        )
    )
    moments = [(1, 1 / m1), (s, 1 / m1**2), (s**2, 2 / m1**3)]
    for weight, moment in moments:
        rate = Symbol("rate", positive=True)
        yield of_step(
            algebra(
                f"int_0^oo {weight} e^(-sM) ds = {moment}",
                _laplace(weight, rate).subs(rate, m1) - moment,
            )
        )
    linear = sum(
        sympy.expand(first).coeff(s, power) * moment
        for power, moment in ((1, 1 / m1**2), (2, 2 / m1**3))
    )
    yield of_step(
        algebra("so w_n/w = 1 + (M2/M^2 - e^{lam r}/M)/n", m1 * linear - (m2 / m1**2 - e / m1))
    )
    yield cited(
        "the expansion integrates: phi(s/n)^{n-1} <= e^{-sc} for s <= n, and is below any power "
        "of 1/n beyond",
        "Laplace's method",
    )
    yield words(
        "E_w[r (M2/M^2 - e^{lam r}/M)] = K' M2/M^2 - M'(2 lam)/M^2 = c. ln w = lam r - K and the "
        "correction has mean zero, so KL moves by lam c/n (KL's own second order is 1/n^2)."
    )
    strength, draws = Fraction(2), 400
    big = (exp(lam) - 1) / lam
    c = (log(big).diff(lam) * big.subs(lam, 2 * lam) - big.diff(lam).subs(lam, 2 * lam)) / big**2
    constant = float(sympy.N(c.subs(lam, 2), 25))
    for quantity, limit in (("mean_reward", constant), ("kl", 2 * constant)):
        soft = value(Uniform(), SoftBestOfN(draws, strength), quantity, digits=9)
        tilt = value(Uniform(), QuantileTilt(strength), quantity, digits=14)
        rate_found = draws * (float(soft) - float(tilt))
        yield Evidence(
            "confirmed",
            f"{quantity}: n times the difference at n = 400, lam = 2 is {limit:.6f} to 2 %",
            "certified values",
            abs(rate_found - limit) <= 0.02 * abs(limit),
        )


def _laplace(weight: sympy.Expr, rate: sympy.Symbol) -> sympy.Expr:
    """∫₀^∞ weight e^{−s·rate} ds from the antiderivative, checked by differentiation."""
    power = sympy.degree(weight, s) if weight != 1 else 0
    terms = [
        sympy.factorial(power) / sympy.factorial(j) * s**j / rate ** (power - j + 1)
        for j in range(power + 1)
    ]
    antiderivative = -exp(-s * rate) * sympy.Add(*terms)
    if sympy.simplify(sympy.diff(antiderivative, s) - weight * exp(-s * rate)) != 0:
        return sympy.nan
    return -antiderivative.subs(s, 0)


CLAIMS: tuple[Claim, ...] = (race, two_draws, limits_in_strength, limit_in_n)
