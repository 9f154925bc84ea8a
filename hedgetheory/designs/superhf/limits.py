"""Claims on SuperHF after infinitely many rounds: its fixed point, and the atom at the top."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from hedgetheory.claims.checks import certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.superhf.policy import PAPER, next_cdf
from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import beta, n, u
from hedgetheory.numerics.ball import ball, number, power_of_two, precision
from hedgetheory.numerics.roots import polynomial_roots, sign_at

_THIS = f"this project, on {PAPER}"
F = sympy.Symbol("F", positive=True)
#: Zero at a fixed point at the top, u = 1.
TOP = F**n - (1 + beta) * F + beta


def fixed_quantile(cdf: sympy.Expr) -> sympy.Expr:
    """The quantile u at which ``cdf`` is a fixed point of a round: u = ((1 + β)F − Fⁿ)/β."""
    return ((1 + beta) * cdf - cdf**n) / beta


def collapse_cdf(n: int, beta: RealInput, digits: int = 20) -> Fraction:
    """F*, below which the top's atom begins: the smallest root of Fⁿ − (1 + β)F + β in (0, 1].

    In the limit of many rounds the top of the law carries 1 − F*; F* = 1 iff n <= 1 + β.

    ``n`` an integer >= 2, ``beta`` > 0. Returns a rational within 10^−digits of F*, above it or
    equal (exact isolation of the roots). Raises InputError outside. Source: this project.

    >>> collapse_cdf(2, "1/4"), collapse_cdf(2, 1)
    (Fraction(1, 4), Fraction(1, 1))
    """
    prior = rational(beta, "beta")
    if n != int(n) or not 2 <= n <= 1000:
        raise must_be("n", n, "an integer from 2 to 1000", f"collapse_cdf(n={n}, beta={beta})")
    if prior <= 0:
        raise must_be("beta", beta, "a real number > 0", f"collapse_cdf(n={n}, beta={beta})")
    coefficients = [prior, -(1 + prior), *[Fraction(0)] * (int(n) - 2), Fraction(1)]

    roots = [root for root in polynomial_roots(coefficients) if root.high > 0 and root.low <= 1]
    first = min(roots, key=lambda root: root.low)
    low, high = first.low, first.high
    # An irrational root is the only one of its factor in [low, high], whose sign changes there.
    while high - low > Fraction(1, 10**digits):
        middle = (low + high) / 2
        before = sign_at(first.factor, middle) == sign_at(first.factor, low)
        low, high = (middle, high) if before else (low, middle)
    # 1 is a root: the smallest is not above it.
    return min(high, Fraction(1))


@claim(
    "superhf.fixed-point",
    "The rounds of SuperHF converge to u = ((1 + beta) F - F^n)/beta",
    "For every u in (0, 1) the rank cdf falls with the rounds to the one root F in (0, u] of "
    "F^n - (1 + beta) F + beta u.",
    hypotheses=("beta > 0", "n > 1"),
    source=_THIS,
)
def fixed_point() -> Iterator[Evidence]:
    at = next_cdf(F).subs(u, fixed_quantile(F))
    yield from identity("F is a fixed point at u = ((1 + beta) F - F^n)/beta", at - F)
    h = F**n - (1 + beta) * F + beta * u
    yield from identity("h = (1 + beta)(next - F)", h - (1 + beta) * (next_cdf(F) - F))
    yield from identity("h(u) = -u (1 - u^(n-1))", h.subs(F, u) + u * (1 - u ** (n - 1)))
    yield from positive("so h(u) < 0", u * (1 - u ** (n - 1)))
    yield from positive("h'' = n(n - 1) F^(n-2) > 0", n * (n - 1) * F ** (n - 2))
    yield from identity("that is h''", sympy.diff(h, F, 2) - n * (n - 1) * F ** (n - 2))
    yield from positive("a round increases with the cdf", n * F ** (n - 1) / (1 + beta))
    yield words(
        "h(0) = beta u > 0 > h(u) and h is convex: one root F in (0, u), h < 0 on (F, u]. From "
        "G_0 = u the rounds fall (h < 0) and stay above F (a round increases, F is fixed): they "
        "converge, to a fixed point in [F, u], which is F."
    )
    with precision(200):
        cdf, at_u = ball(Fraction(1, 2)), ball(Fraction(1, 2))
        for _ in range(200):
            cdf = (cdf**4 + ball(Fraction(1)) * at_u) / 2
        residue = cdf**4 - 2 * cdf + at_u
        close = bool(abs(residue) < power_of_two(-60))
    yield confirmed("n = 4, beta = 1, u = 1/2 after 200 rounds", "balls", close)


@claim(
    "superhf.phase-transition",
    "In the limit SuperHF puts an atom on the top exactly when n > 1 + beta",
    "After many rounds the top of the law carries 1 - F*, with F* the smallest root in (0, 1] of "
    "F^n - (1 + beta) F + beta: F* = 1, no atom, iff n <= 1 + beta. For n = 2, F* = min(beta, 1).",
    hypotheses=("beta > 0", "n > 1", "law without atoms"),
    source=_THIS,
)
def phase_transition() -> Iterator[Evidence]:
    yield from identity("F = 1 is a root", TOP.subs(F, 1))
    slope = sympy.diff(TOP, F)
    yield from identity("slope n - 1 - beta at 1", slope.subs(F, 1) - (n - 1 - beta))
    curvature = n * (n - 1) * F ** (n - 2)
    yield from identity("second derivative", sympy.diff(slope, F) - curvature)
    yield from positive("strictly convex", curvature)
    yield from identity("beta at 0, n > 1", TOP.subs(F**n, 0).subs(F, 0) - beta)
    yield words(
        "Convex with a slope <= 0 at its root 1: positive before it, F* = 1. With a slope > 0 it "
        "is negative just before 1 and positive at 0: F* < 1 lies between. The limit F(u) of claim "
        "superhf.fixed-point increases in u and stays below F*, where h = -beta (1 - u) < 0; as "
        "u -> 1 it tends to a root at u = 1, which is F*."
    )
    yield from identity("n = 2: (F - 1)(F - beta)", TOP.subs(n, 2) - (F - 1) * (F - beta))
    below = [collapse_cdf(32, "0.23"), collapse_cdf(3, "1.9"), collapse_cdf(3, 2)]
    held = below[0] < Fraction(1, 4) and below[1] < 1 and below[2] == 1
    data = {"F* at n = 32, beta = 0.23": f"{float(below[0]):.12g}"}
    yield confirmed("F* at (32, 0.23), (3, 1.9) and (3, 2)", "exact roots", held, **data)


@claim(
    "superhf.kl-prior-prevents-collapse",
    "The KL prior of SuperHF prevents collapse",
    "With beta > 0, KL(p‖p0) stays bounded as the rounds go on, and no share of the policy gathers "
    "at the very top of the proxy.",
    hypotheses=("beta > 0", "n > 1 + beta", "law without atoms"),
    source=_THIS,
    expected="refuted",
)
def kl_prior_prevents_collapse() -> Iterator[Evidence]:
    size, prior, quarter = 32, Fraction(23, 100), Fraction(1, 4)
    level = quarter**size - (1 + prior) * quarter + prior
    yield certified("F^32 - 1.23 F + 0.23 < 0 at F = 1/4: F* < 1/4", "exact rationals", level < 0)
    with precision(400):
        cdf = at = 1 - power_of_two(-40)
        for _ in range(16):
            cdf = (cdf**size + ball(prior) * at) / ball(1 + prior)
        above = 1 - cdf
        cost = above * (above / power_of_two(-40)).log() + cdf * (cdf / at).log()
        held = bool(cdf < ball(quarter)) and bool(cost > 20)
    data = {"share": str(number(above, 8)), "KL at least": str(number(cost, 8))}
    yield witness(
        "n = 32, beta = 0.23: after 16 rounds more than 3/4 of the policy is in the top 2^-40 of "
        "the reference, which costs more than 20 nats of KL(p‖p0), while KL(p0‖p) <= 1.68",
        "balls, and the binary KL (data processing)",
        held,
        **data,
    )


CLAIMS: tuple[Claim, ...] = (fixed_point, phase_transition, kl_prior_prevents_collapse)
