"""Claims on CREAM."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations
from math import comb

import sympy
from sympy import Symbol, exp, log

from hedgetheory.claims.checks import certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.claims.statements import FAMILIES
from hedgetheory.designs.cream.functions import (
    CONSISTENCY,
    LOSS,
    MARGIN,
    kendall_tau,
    null_variance,
    tau,
    z,
)
from hedgetheory.expressions.symbols import n, u

PAPER = "arXiv 2410.12735"


@claim(
    "cream.optimal-margin",
    "The best margin is 2 artanh(tau)",
    "C (-log sigma(z)) + (1-C)(-log sigma(-z)) with C = (tau+1)/2 has its only minimum at z* = "
    "2 artanh(tau): the likelihood ratio of the pair is multiplied by ((1+tau)/(1-tau))^(1/beta).",
    hypotheses=("-1 < tau < 1", "beta > 0", "the margin z = beta * log-ratio is free"),
    source=PAPER,
)
def optimal_margin() -> Iterator[Evidence]:
    slope = sympy.diff(LOSS.rewrite(log), z)
    sigma = 1 / (1 + exp(-z))
    yield from identity("the slope is sigma(z) - C", slope - (sigma - CONSISTENCY))
    odds, share = Symbol("odds", positive=True), Symbol("s", positive=True)
    curvature = sympy.diff(sigma, z)
    yield from identity("its derivative is e^z/(1 + e^z)^2", curvature - exp(z) / (1 + exp(z)) ** 2)
    yield from positive("which is positive: strictly convex", odds / (1 + odds) ** 2)
    # τ = (1 − s)/(1 + s) covers −1 < τ < 1 with s > 0, and 2 artanh τ = −ln s.
    place = {tau: (1 - share) / (1 + share)}
    margin = sympy.log((1 + tau) / (1 - tau)).xreplace(place)
    yield from identity(
        "sigma(z*) = C", (sigma.xreplace({z: margin}) - CONSISTENCY.xreplace(place))
    )
    yield from identity(
        "2 artanh(tau) = ln((1+tau)/(1-tau)), by e^z",
        exp(MARGIN.rewrite(log).xreplace(place)) - exp(margin),
    )
    value = float(LOSS.rewrite(log).subs({tau: 0.5, z: float(sympy.log(3))}))
    grid = [float(LOSS.rewrite(log).subs({tau: 0.5, z: 0.05 * k})) for k in range(0, 50)]
    yield confirmed("tau = 1/2: no smaller on a grid", "binary64", min(grid) >= value)


@claim(
    "cream.null-of-consistency",
    "Independent rankings have E tau = 0 and Var tau = 2(2N+5)/(9N(N-1))",
    "For two independent rankings of N responses without ties, one of them uniformly random.",
    hypotheses=("N >= 2", "no ties"),
    source="Kendall 1938; used for arXiv 2410.12735",
)
def null_of_consistency() -> Iterator[Evidence]:
    size = Symbol("N", positive=True)
    yield words(
        "tau is the mean over pairs of signs s_ij = +-1. Reversing the random ranking changes "
        "every sign: E s_ij = 0. Pairs without a common response are independent; within a triple "
        "the three products of two signs are those of a random order of three."
    )
    total = Fraction(0)
    for order in permutations(range(3)):
        s12, s13, s23 = (1 if order[i] < order[j] else -1 for i, j in ((0, 1), (0, 2), (1, 2)))
        total += Fraction(s12 * s13 + s12 * s23 + s13 * s23, 6)
    yield from identity(
        "over the six orders of three the three products have mean sum 1/3",
        sympy.Rational(total) - sympy.Rational(1, 3),
    )
    pairs = size * (size - 1) / 2
    triples = size * (size - 1) * (size - 2) / 6
    yield from identity(
        "(C(N,2) + 2 C(N,3)/3)/C(N,2)^2 = 2(2N+5)/(9N(N-1))",
        (pairs + 2 * triples / 3) / pairs**2 - 2 * (2 * size + 5) / (9 * size * (size - 1)),
    )
    for count in (2, 3, 4, 5):
        values = [kendall_tau(range(count), order) for order in permutations(range(count))]
        mean = sum(values, Fraction(0)) / len(values)
        square = sum((x * x for x in values), Fraction(0)) / len(values)
        yield confirmed(
            f"N = {count}: over all {len(values)} rankings",
            "rational arithmetic",
            mean == 0 and square == null_variance(count),
            variance=str(square),
        )


@claim(
    "cream.pair-is-best-and-worst",
    "The pair spans (N-1)/(N+1) of the quantile",
    "The preferred response is best of N and the other worst of N: on a law without atoms the mean "
    "difference of their quantiles is (N-1)/(N+1).",
    hypotheses=("a law without atoms", "N >= 1"),
    source=PAPER,
)
def pair_is_best_and_worst() -> Iterator[Evidence]:
    best, worst = n * u ** (n - 1), n * (1 - u) ** (n - 1)
    yield from identity(
        "u w of the best has antiderivative n u^(n+1)/(n+1)",
        sympy.diff(n * u ** (n + 1) / (n + 1), u) - u * best,
    )
    yield from identity(
        "u w of the worst has antiderivative -(1-u)^n (1 + n u)/(n+1)",
        sympy.simplify(
            sympy.diff(-((1 - u) ** n) * (1 + n * u) / (n + 1), u) / (1 - u) ** (n - 1)
            - u * worst / (1 - u) ** (n - 1)
        ),
    )
    yield words("the first is n/(n+1) at 1 and 0 at 0; the second 0 at 1 and -1/(n+1) at 0")
    yield from identity("the difference", n / (n + 1) - 1 / (n + 1) - (n - 1) / (n + 1))
    worst_means = [
        sum(Fraction(count * comb(count - 1, k) * (-1) ** k, k + 2) for k in range(count))
        for count in range(1, 9)
    ]
    yield confirmed(
        "N = 1, ..., 8: the worst has mean 1/(N+1), by the binomial expansion",
        "rational arithmetic",
        worst_means == [Fraction(1, count + 1) for count in range(1, 9)],
    )


@claim(
    "cream.consistency-is-blind",
    "Every policy that is increasing in the reward keeps consistency 1",
    "Where log w increases strictly in the proxy reward, ranking responses by log w and by the "
    "proxy gives tau = 1, C = 1, whatever the parameter: BoN, BoP and the tilt, at every n > 1, mu "
    "> 0 and lam > 0.",
    hypotheses=("no ties in the proxy", "the policy is not the reference"),
    source=f"this project, on {PAPER}",
)
def consistency_is_blind() -> Iterator[Evidence]:
    for family in FAMILIES:
        slope = sympy.simplify(sympy.diff(family.log_ratio, u))
        if family.theta == n:
            above = Symbol("n_minus_1", positive=True)
            slope = sympy.simplify(slope.xreplace({n: 1 + above}))
        yield from positive(f"{family.name}: d log w/du > 0", slope)
    yield words("log w then orders any responses as the proxy does: every pair is concordant")
    scores = [Fraction(k * k, 7) for k in range(1, 9)]
    yield confirmed(
        "eight responses, log w of Best-of-5 on their ranks",
        "rational arithmetic",
        kendall_tau(scores, [(x / 10) ** 4 for x in scores]) == 1,
    )


@claim(
    "cream.consistency-detects-hacking",
    "Consistency detects reward hacking",
    "Where the consistency of two rankings stays high, the true reward has not begun to fall.",
    hypotheses=("rankings by the policy and by the proxy reward",),
    source=f"a popular reading of {PAPER}",
    expected="refuted",
)
def consistency_detects_hacking() -> Iterator[Evidence]:
    # Under BoN E[u^12 (1 − u)] = n/((n + 12)(n + 13)).
    value = {k: Fraction(k, (k + 12) * (k + 13)) for k in (12, 13, 50)}
    yield certified(
        "BoN, g = u^12 (1-u): f(12) = f(13) = 1/50 is the peak, at every whole n",
        "rational arithmetic",
        value[12] == value[13] == Fraction(1, 50),
    )
    points = [Fraction(k, 11) for k in range(1, 11)]
    consistency = (kendall_tau(points, [x**49 for x in points]) + 1) / 2
    yield witness(
        "n = 50: C = 1 on ten responses (and on any, cream.consistency-is-blind), f(50) < f(12)",
        "rational arithmetic",
        consistency == 1 and value[50] < value[12],
        consistency=str(consistency),
        values={str(k): str(v) for k, v in value.items()},
    )


CLAIMS: tuple[Claim, ...] = (
    optimal_margin,
    null_of_consistency,
    pair_is_best_and_worst,
    consistency_is_blind,
    consistency_detects_hacking,
)
