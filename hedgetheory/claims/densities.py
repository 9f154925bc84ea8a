"""Densities normalise: every rank cdf of the package is a distribution function on [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import exp, log

from hedgetheory.claims.checks import (
    agree,
    as_json,
    ball_at,
    confirmed,
    identity,
    in_u,
    integral_is,
    limit,
    of_step,
    positive,
    unit_integral,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import BON, BOP, FAMILIES, PAPER, TILT
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import lam, mu, r, u, ubar
from hedgetheory.functionals.plans import eps
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    Draws,
    Geometric,
    NegativeBinomial,
    Sibuya,
    ZeroTruncatedPoisson,
)

DRAWS: tuple[type[Draws], ...] = (
    ZeroTruncatedPoisson,
    Geometric,
    Binomial,
    NegativeBinomial,
    Sibuya,
)


def density_steps(name: str, cdf: sympy.Expr, ratio: sympy.Expr) -> Iterator[Evidence]:
    """G(0+) = 0, G(1−) = 1, G′ = w, and w > 0 on (0, 1)."""
    cdf, ratio = in_u(cdf), in_u(ratio)
    yield limit(f"{name}: G(0+) = 0", cdf, u, 0, 0)
    yield limit(f"{name}: G(1-) = 1", cdf, u, 1, 1)
    yield from identity(f"{name}: G' = w", sympy.diff(cdf, u) - ratio)
    yield from positive(f"{name}: w > 0 for 0 < u < 1", ratio)


@claim(
    "density.rank-policies",
    "BoN, BoP and the quantile tilt are densities",
    "For BoN (G = u^n), BoP (G = u e^{mu(u-1)}) and the quantile tilt (G = (e^{lam "
    "u}-1)/(e^lam-1)): G(0+) = 0, G(1-) = 1, w = G' > 0 on (0,1), hence w integrates to one.",
    hypotheses=("real n > 1", "mu > 0", "lam > 0", "a law without atoms, or its atom intervals"),
    source=f"{PAPER}, §2 and §3",
)
def rank_policies() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from density_steps(family.name, family.cdf, family.ratio)
        yield from identity(f"{family.name}: w = e^(ln w)", family.ratio - exp(family.log_ratio))
    tilt = QuantileTilt
    yield from identity("tilt: the package's G is this one", in_u(tilt.cdf) - TILT.cdf)
    yield from identity("tilt: the package's w is this one", in_u(tilt.ratio) - TILT.ratio)
    yield from identity("tilt: e^(package's ln w) = w", exp(in_u(tilt.log_ratio)) - TILT.ratio)


@claim(
    "density.random-draws",
    "The laws of a random number of draws give densities",
    "For N zero-truncated Poisson, geometric, zero-truncated binomial and negative binomial, and "
    "Sibuya: the stated pgf G has G(0+) = 0, G(1-) = 1, and the stated slope is G' > 0 on (0,1).",
    hypotheses=("lam > 0", "0 < p < 1", "m > 1", "r > 0", "0 < a < 1"),
    source="definition; pgf of each law",
)
def random_draws() -> Iterator[Evidence]:
    for draws in DRAWS:
        yield from density_steps(draws.name, draws.pgf, draws.slope)


@claim(
    "density.bop-is-one-plus-poisson",
    "Best-of-Poisson is best of 1 + Poisson(mu) draws",
    "The pgf of N = 1 + Poisson(mu) is u e^{mu(u-1)}; the best of N draws has rank cdf equal to "
    "the pgf of N; for N = n fixed it is u^n.",
    hypotheses=("mu > 0", "integer n >= 1"),
    source=f"{PAPER}, §3",
)
def one_plus_poisson() -> Iterator[Evidence]:
    yield words("Given N = n, all n ranks are below u with probability u^n, so G(u) = E[u^N].")
    yield from identity("N = n: G = u^n", BON.cdf - u**BON.theta)
    kernel = exp(mu * (u - 1))
    yield from identity("G = u h with h = e^{mu(u-1)}", BOP.cdf - u * kernel)
    yield from identity(
        "h' = mu h: every derivative is mu^k h", sympy.diff(kernel, u) - mu * kernel
    )
    yield of_step(algebra("h(0) = e^{-mu} = P(Poisson = 0)", kernel.subs(u, 0) - exp(-mu)))
    yield words(
        "h is entire, so it is its Taylor series: coefficient mu^k e^{-mu}/k! = P(Poisson(mu) = k)."
    )


@claim(
    "tilt.quantile-tilt-is-best-of-n",
    "The quantile tilt is exactly a zero-truncated-Poisson best-of-n",
    "(e^{lam u}-1)/(e^lam-1) is the pgf of Poisson(lam) given N >= 1: the optimal quantile tilt is "
    "the best of N draws, sampled exactly at E[N] = lam/(1-e^{-lam}) draws.",
    hypotheses=("lam > 0",),
    source="this project (not in the paper)",
)
def quantile_tilt_is_best_of_n() -> Iterator[Evidence]:
    yield from zero_truncated_poisson(in_u(ZeroTruncatedPoisson.pgf), ZeroTruncatedPoisson.mean)


def zero_truncated_poisson(pgf: sympy.Expr, mean: sympy.Expr) -> Iterator[Evidence]:
    """The pgf's Taylor coefficients are the masses of Poisson(λ) given N ≥ 1."""
    stated = (exp(lam * u) - 1) / (exp(lam) - 1)
    yield from identity("the package's ZTP pgf is (e^{lam u}-1)/(e^lam-1)", pgf - stated)
    yield from identity("it is the quantile tilt's cdf", pgf - TILT.cdf)
    slope = sympy.diff(pgf, u)
    yield from identity("its slope is the tilt e^{lam u}/E[e^{lam U}]", slope - TILT.ratio)
    yield from identity("G'' = lam G'", sympy.diff(slope, u) - lam * slope)
    yield limit("G(0) = 0: no mass at N = 0", pgf, u, 0, 0)
    first = lam * exp(-lam) / (1 - exp(-lam))
    yield limit("G'(0) = P(Poisson = 1)/P(Poisson >= 1)", slope, u, 0, first)
    k = sympy.Symbol("k", positive=True, integer=True)
    mass = exp(-lam) * lam**k / sympy.gamma(k + 1) / (1 - exp(-lam))
    ratio = sympy.gammasimp(mass.subs(k, k + 1) / mass)
    yield of_step(algebra("P(k+1) = P(k) lam/(k+1)", ratio - lam / (k + 1)))
    yield words("G is entire with G^(k+1)(0) = lam G^(k)(0): its coefficients are these masses.")
    yield limit("E[N] = G'(1) = lam/(1-e^{-lam})", slope, u, 1, lam / (1 - exp(-lam)))
    yield from identity("the package's mean", mean - lam / (1 - exp(-lam)))


@claim(
    "density.raw-tilt",
    "The raw-reward tilt is a density where M is finite",
    "int e^{lam r} dF / M(lam) = 1 with the package's ln M: uniform ln((e^lam-1)/lam); normal(m,s) "
    "m lam + s^2 lam^2/2; exponential(b) -ln(1-lam/b) for lam < b; logistic(c,s) c lam + "
    "ln Gamma(1+s lam) + ln Gamma(1-s lam) for s lam < 1.",
    hypotheses=("lam > 0", "lam < b (exponential), s lam < 1 (logistic)"),
    source="exponential families",
)
def raw_tilt() -> Iterator[Evidence]:
    yield from integral_is(
        "uniform: int e^{lam u} du = M", exp(lam * u), exp(lam * u) / lam, exp(Uniform.log_mgf)
    )
    law = Normal(2, 3)
    moved = law.pdf.xreplace({r: r - 9 * lam})
    yield from identity(
        "normal(2,3): e^{lam r} f(r) = M f(r - 9 lam), a shifted density",
        exp(lam * r) * law.pdf - exp(law.log_mgf) * moved,
    )
    # u = F(r) turns the exponential and the logistic law into powers of ū and u/ū.
    rate, k = Exponential(3), sympy.Symbol("k", positive=True)
    yield from identity(
        "exponential(3): e^{lam Q(u)} = (1-u)^{k-1}, k = 1 - lam/3",
        exp(3 * (1 - k) * -log(1 - u) / 3) - (1 - u) ** (k - 1),
    )
    yield from integral_is(
        "int (1-u)^{k-1} du = 1/k for k > 0",
        (1 - u) ** (k - 1),
        -((1 - u) ** k) / k,
        1 / k,
        {sympy.S.One: sympy.S.Zero},
    )
    yield from identity(
        "exponential(3): M = 1/k", exp(rate.log_mgf.xreplace({lam: 3 * (1 - k)})) - 1 / k
    )
    yield cited("int (u/(1-u))^a du = Gamma(1+a) Gamma(1-a), |a| < 1", "Euler's Beta integral")
    logistic = Logistic(0, 1)
    for strength in (Fraction(1, 7), Fraction(1, 2), Fraction(5, 7)):
        # (u/ū)^a ≤ 2u^a ≤ 2 near 0, and ≤ ū^{−a} near 1.
        integral = unit_integral(
            (u / ubar) ** lam,
            {lam: strength},
            omitted_left=2 * eps,
            omitted_right=eps ** (1 - lam) / (1 - lam),
        )
        closed = ball_at(exp(logistic.log_mgf), {lam: strength})
        yield confirmed(
            f"logistic(0,1), lam = {strength}: the integral is the package's M",
            "certified quadrature",
            agree(integral, closed, bits=30),
            value=as_json(closed),
        )


CLAIMS: tuple[Claim, ...] = (
    rank_policies,
    random_draws,
    raw_tilt,
    one_plus_poisson,
    quantile_tilt_is_best_of_n,
)
