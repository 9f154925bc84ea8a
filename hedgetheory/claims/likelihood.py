"""Strict monotone likelihood ratio, scores, and the threshold equations of Theorem 3."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import Function, Symbol

from hedgetheory.claims.checks import (
    certified,
    identity,
    integral_is,
    of_step,
    positive,
    unit_integral,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import BON, BOP, FAMILIES, PAPER, RECONSTRUCTED, RankFamily
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.prover import positive as sign
from hedgetheory.expressions.symbols import lam, n, r, u

_K = Function("K")(lam)
_DIFFERENTIATE = cited(
    "d/dtheta passes under the integral sign: g is bounded, and |dw/dtheta| has an integrable "
    "bound locally uniform in theta",
    "dominated convergence",
)


def mlr_steps(name: str, log_ratio: sympy.Expr, theta: sympy.Symbol) -> Iterator[Evidence]:
    """∂θ∂u ln w > 0 on the open domain."""
    mixed = sympy.simplify(sympy.diff(log_ratio, theta, u))
    yield from positive(f"{name}: d2 ln w/(d{theta} du) = {mixed} > 0", mixed)
    yield from identity(f"{name}: that mixed derivative", sympy.diff(log_ratio, theta, u) - mixed)


@claim(
    "paper.corollary-1-mlr",
    "BoN, BoP and both tilts have a strictly monotone likelihood ratio",
    "For theta < theta', w_theta'/w_theta is strictly increasing in the quantile u (BoN, BoP, "
    "quantile tilt) and so, on every law without atoms, strictly increasing in r on the support; "
    "for the raw-reward tilt it is strictly increasing in r on every law.",
    hypotheses=(
        "real n > 1, mu > 0, lam > 0 (at the closed ends n = 1, mu = 0, lam = 0 too)",
        "0 < u < 1; a law without atoms for the rank families",
        "M(lam) finite at both parameters for the raw-reward tilt",
    ),
    source=f"{PAPER}, Corollary 1 and Lemma 1 (reconstructed)",
)
def strict_mlr() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from mlr_steps(family.name, family.log_ratio, family.theta)
    tilt = lam * r - _K
    yield of_step(algebra("tilt: d2 ln w/(dlam dr) = 1", sympy.diff(tilt, lam, r) - 1))
    slope, density = Symbol("slope", positive=True), Symbol("f", positive=True)
    yield of_step(sign("chain rule: d/dr = f d/du keeps the sign where f > 0", slope * density))
    yield words(
        "Integrating over (theta, theta'): ln w_theta'/w_theta has derivative > 0 in u, or in r. "
        "Without atoms F is continuous and strictly increasing on the support up to null sets."
    )


@claim(
    "rank.mlr-with-atoms",
    "With atoms the rank families stay strictly MLR",
    "On any law the atom at r has mass G(F(r)) - G(F(r-)); as a family in theta these masses and "
    "the density elsewhere have a strictly monotone likelihood ratio, for BoN, BoP, quantile tilt.",
    hypotheses=("real n > 1, mu > 0, lam > 0", "two different rewards that both have F-mass"),
    source="this project; strict TP2 is kept by integrating over ordered intervals",
)
def mlr_with_atoms() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from mlr_steps(family.name, family.log_ratio, family.theta)
    yield words(
        "For u < v and theta < theta': w_theta(u) w_theta'(v) - w_theta'(u) w_theta(v) > 0. "
        "Integrated over u in [a,b], v in [c,d] with b <= c this is the 2x2 minor of the two "
        "masses."
    )
    masses = (Fraction(1, 4), Fraction(1, 3), Fraction(5, 12))
    ends = [sum(masses[:i], Fraction(0)) for i in range(len(masses) + 1)]

    def ratios(draws: int) -> list[Fraction]:
        return [(b**draws - a**draws) / (b - a) for a, b in itertools.pairwise(ends)]

    minors = [
        x[0] * y[1] - x[1] * y[0]
        for i, j in ((1, 2), (2, 3), (5, 9))
        for k in (0, 1)
        for x, y in [(ratios(i)[k : k + 2], ratios(j)[k : k + 2])]
    ]
    yield Evidence(
        "confirmed",
        "three atoms, n = 1 < 2, 2 < 3, 5 < 9: every 2x2 minor > 0, exactly",
        "rational arithmetic",
        all(minor > 0 for minor in minors),
        {"minors": [str(minor) for minor in minors]},
    )


def score_steps(family: RankFamily) -> Iterator[Evidence]:
    """The stated score is ∂θ ln w, has mean zero, and increases: exactly one sign change."""
    theta, name, score = family.theta, family.name, family.score
    yield from identity(f"{name}: d ln w/d{theta} = {score}", family.log_ratio.diff(theta) - score)
    ends = {sympy.S.Zero: sympy.S.Zero}
    yield from integral_is(
        f"{name}: E[score] = 0",
        score * family.ratio,
        sympy.diff(family.cdf, theta),
        sympy.S.Zero,
        ends if theta == n else None,
    )
    yield from positive(f"{name}: the score strictly increases in u", sympy.diff(score, u))


@claim(
    "paper.score-formulas",
    "The scores, their mean zero, and their single sign change",
    "The score d ln w/dtheta is 1/n + ln u (BoN), (u-1) + u/(1+mu u) (BoP), u - E_lam[U] (quantile "
    "tilt), r - E_lam[R] (tilt); each has mean zero under its policy, strictly increases, and "
    "changes sign exactly once, from minus to plus.",
    hypotheses=("real n > 1, mu > 0, lam > 0; a law without atoms for the rank families",),
    source=f"{PAPER}, Lemma 1 and Theorem 3 (reconstructed)",
)
def score_formulas() -> Iterator[Evidence]:
    for family in FAMILIES:
        yield from score_steps(family)
    yield of_step(
        algebra("tilt: d ln w/dlam = r - K'", sympy.diff(lam * r - _K, lam) - (r - _K.diff(lam)))
    )
    m_of = Function("M")(lam)
    yield of_step(algebra("K = ln M: K' = M'/M", sympy.log(m_of).diff(lam) - m_of.diff(lam) / m_of))
    yield cited("M'(lam) = E[R e^{lam R}] inside the domain of M, so K' = E_lam[R]", "analytic mgf")
    yield words(
        "A strictly increasing function with mean zero under a policy that is not a point mass "
        "takes both signs, and changes sign once."
    )


@claim(
    "paper.theorem-3",
    "Threshold equations",
    "f'(theta) = Cov_theta(g, score) = E_theta[g score]; a threshold solves E_theta[g score] = 0 "
    "with score 1/n + ln u (BoN), (u-1) + u/(1+mu u) (BoP), u - E_lam[U] (quantile tilt).",
    hypotheses=("real n > 1, mu > 0, lam > 0", "g bounded and measurable; no atoms"),
    source=f"{PAPER}, Theorem 3 (reconstructed)",
)
def theorem_3() -> Iterator[Evidence]:
    for family in FAMILIES:
        theta, w = family.theta, family.ratio
        yield from identity(
            f"{family.name}: dw/d{theta} = w score", sympy.diff(w, theta) - w * family.score
        )
        yield from score_steps(family)
        # g = u by parts: E[u ψ] = u ∂θG − ∂θ∫G, which must be d/dθ E[U].
        yield from mean_slope_steps(family)
    yield _DIFFERENTIATE
    k = Symbol("k", positive=True)
    power = u**k * BON.ratio * BON.score
    antiderivative = u ** (n + k) * (1 / (n + k) + n * sympy.log(u) / (n + k) - n / (n + k) ** 2)
    value = sympy.diff(n / (n + k), n)
    yield from integral_is(
        "BoN, g = u^k: E[g score] = k/(n+k)^2 = f'(n)",
        power,
        antiderivative,
        value,
        {sympy.S.Zero: sympy.S.Zero},
    )


def mean_slope_steps(family: RankFamily) -> Iterator[Evidence]:
    """E[U·score] = dE[U]/dθ, with E[U] = 1 − ∫G."""
    theta = family.theta
    total = family.cdf_integral
    yield from identity(f"{family.name}: an integral of G", sympy.diff(total, u) - family.cdf)
    whole = total.subs(u, 1) - (sympy.S.Zero if theta == n else total.subs(u, 0))
    yield from integral_is(
        f"{family.name}, g = u: E[U score] = dE[U]/d{theta}",
        u * family.score * family.ratio,
        u * sympy.diff(family.cdf, theta) - sympy.diff(total, theta),
        sympy.diff(1 - whole, theta),
        {sympy.S.Zero: sympy.S.Zero} if theta == n else None,
    )


@claim(
    "threshold.bop-example",
    "The threshold of g = u^12 (1-u) under BoP",
    "E_mu[g score] changes sign from plus to minus between mu = 12.3998 and mu = 12.3999, so the "
    "threshold of g = u^12 (1-u) under BoP lies there.",
    hypotheses=("g(u) = u^12 (1-u)", "BoP on a law without atoms", "paper.theorem-3"),
    source=f"{RECONSTRUCTED}: the example g proportional to u^12 (1-u)",
    expected="certified",
)
def bop_example() -> Iterator[Evidence]:
    yield from sign_change(
        "BoP", u**12 * (1 - u), BOP, Fraction(123998, 10000), Fraction(123999, 10000)
    )


def sign_change(
    name: str, gold: sympy.Expr, family: RankFamily, low: Fraction, high: Fraction
) -> Iterator[Evidence]:
    """f′ > 0 at ``low`` and < 0 at ``high``, by certified integration of g·w·score."""
    slope = gold * family.ratio * family.score
    for at, sgn in ((low, 1), (high, -1)):
        x = unit_integral(slope, {family.theta: at})
        wanted = x > 0 if sgn > 0 else x < 0
        says = f"{name}: f' {'>' if sgn > 0 else '<'} 0 at {float(at)}"
        yield certified(says, "certified integration of g w score", wanted, slope=str(x))


CLAIMS: tuple[Claim, ...] = (strict_mlr, mlr_with_atoms, score_formulas, theorem_3, bop_example)
