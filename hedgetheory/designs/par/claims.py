"""Claims on PAR."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from statistics import NormalDist

import sympy
from sympy import Symbol, exp, log, tanh

from hedgetheory.analysis.check import check
from hedgetheory.claims.checks import (
    certified,
    confirmed,
    identity,
    limit,
    of_step,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.par.law import SIGMOID, Par, k, par, reference, sigmoid
from hedgetheory.errors import NotOnThisLaw
from hedgetheory.expressions.formula import parse_formula
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import lam, r, u
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.quantities import kl_divergence, value
from hedgetheory.laws.base import Law
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.student_t import StudentT
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

PAPER = "arXiv 2502.18770"
#: Where only the law of a whole shaped reward matters, one that does not depend on a law.
x = Symbol("x", real=True)
#: e^{k(r − ref)/2}: every r, one to one.
w = Symbol("w", positive=True)
_GOLD = parse_formula("u**12*(1 - u)", what="gold")


def _in_w(expr: sympy.Expr) -> sympy.Expr:
    return expr.xreplace({r: reference + 2 * log(w) / k}).rewrite(exp)


def _slope(expr: sympy.Expr) -> sympy.Expr:
    """d/dr of a formula in w."""
    return sympy.diff(expr, w) * k * w / 2


@claim(
    "par.bounded-and-gentle",
    "The shaped reward is in (0, 1), with slope at most k/4 and mean 1/2 on average",
    "sigma(k(r - ref)) and its mean over references lie in (0, 1) and have slope at most k/4; the "
    "mean is 1/2 where r and the reference are independent with the same law.",
    hypotheses=("k > 0", "finite rewards", "for the mean: r and ref exchangeable"),
    source=PAPER,
)
def bounded_and_gentle() -> Iterator[Evidence]:
    share = w**2 / (1 + w**2)
    yield from identity("sigma = w^2/(1 + w^2), w = e^(k(r - ref)/2)", _in_w(SIGMOID) - share)
    yield from positive("sigma > 0", share)
    yield from positive("1 - sigma = 1/(1 + w^2) > 0", 1 / (1 + w**2))
    yield from identity(
        "the slope is k s (1 - s), s = sigma", _slope(share) - k * share * (1 - share)
    )
    half = sympy.Rational(1, 2)
    yield from identity("1/4 - s(1 - s) = (s - 1/2)^2", half**2 - x * (1 - x) - (x - half) ** 2)
    yield from identity("sigma(k(ref - r)) = 1 - sigma", share.xreplace({w: 1 / w}) + share - 1)
    yield words("a mean of such is such; exchanging r and ref, E sigma = 1 - E sigma = 1/2")


@claim(
    "par.rank-policies-unchanged",
    "Best-of-n and Best-of-Poisson do not see PAR",
    "With the same references for all candidates the shaped reward increases strictly in the "
    "reward: the laws of BoN, BoP and every rank policy, and their thresholds, are the same.",
    hypotheses=("k > 0", "the same references for every candidate of a prompt"),
    source=f"this project, on {PAPER}",
)
def rank_policies_unchanged() -> Iterator[Evidence]:
    share = w**2 / (1 + w**2)
    yield from identity("sigma = w^2/(1 + w^2), w = e^(k(r - ref)/2)", _in_w(SIGMOID) - share)
    yield from positive("its slope in r is positive", sympy.factor(_slope(share)))
    yield words("a mean of increasing functions increases; rank.monotone-invariance does the rest")
    for law in (Normal(), StudentT(2)):
        shaped = Par(law, m=3)
        same = value(shaped, BestOfN(4), "kl").bounds == value(law, BestOfN(4), "kl").bounds
        yield confirmed(f"{shaped}: KL of bon(4) as before", "balls", same)


@claim(
    "par.mitigates-hacking",
    "PAR mitigates reward hacking, whatever the policy",
    "Shaping the proxy reward by PAR moves the hacking threshold or lowers the loss beyond it.",
    hypotheses=("Best-of-n on the shaped reward",),
    source=f"a popular reading of {PAPER}",
    expected="refuted",
)
def mitigates_hacking() -> Iterator[Evidence]:
    shaped = Par(Normal(), m=2)
    found = {
        n: [value(law, BestOfN(n), "gold", gold=_GOLD).bounds for law in (Normal(), shaped)]
        for n in (12, 50)
    }
    exact = {n: Fraction(n, (n + 12) * (n + 13)) for n in found}
    holds = all(low <= exact[n] <= high for n, both in found.items() for low, high in both)
    yield witness(
        "g = u^12 (1-u) on normal(0, 1): E[g] under bon(n) is n/((n+12)(n+13)) with and without "
        "PAR, past its peak at n = 50",
        "balls around exact rationals",
        holds and exact[50] < exact[12],
        values={str(n): str(v) for n, v in exact.items()},
    )


def gentle_tilt_steps() -> Iterator[Evidence]:
    """KL ≤ λ²/8 for the tilt of a reward s in (0, 1); a shifted reward has the same tilt."""
    cumulant = sympy.Function("K")(lam)
    divergence = lam * sympy.diff(cumulant, lam) - cumulant
    bend = sympy.diff(divergence, lam) - lam * sympy.diff(cumulant, lam, 2)
    yield of_step(algebra("d/dlam (lam K' - K) = lam K''", bend))
    mean, square = Symbol("m", real=True), Symbol("q", real=True)
    half = sympy.Rational(1, 2)
    yield from identity(
        "Var s = E s^2 - m^2 = 1/4 - (m - 1/2)^2 - E[s(1 - s)]",
        (square - mean**2) - (half**2 - (mean - half) ** 2 - (mean - square)),
    )
    yield from identity("lam^2/8 has derivative lam/4", sympy.diff(lam**2 / 8, lam) - lam / 4)
    yield words(
        "s(1 - s) >= 0, so Var_lam(s) <= 1/4; KL = lam K' - K has derivative lam K'' <= lam/4 and "
        "is 0 at 0: KL <= lam^2/8"
    )


@claim(
    "par.tilt-always-exists",
    "The tilt of a PAR reward exists at every lambda, with KL <= lambda^2/8",
    "For lam >= 0, Z = E[e^(lam s)] <= e^lam and KL <= lam^2/8, whatever the law of the reward: "
    "also where the raw reward has no tilt at all.",
    hypotheses=("0 < s < 1", "lam >= 0", "any law"),
    source=f"this project, on {PAPER}",
)
def tilt_always_exists() -> Iterator[Evidence]:
    yield words("s < 1 gives e^(lam s) <= e^lam. K = ln Z has K(0) = 0, K'' = Var_lam(s)")
    yield from gentle_tilt_steps()
    law = StudentT(2)
    try:
        bind(Tilt(1), law)
    except NotOnThisLaw:
        exists = False
    else:
        exists = True
    kl = kl_divergence(Tilt(9), sigmoid(law)).bounds[1]
    yield confirmed(
        "student_t(2): no tilt of the raw reward; for the shaped one at lam = 9 KL < 81/8",
        "balls",
        not exists and kl < Fraction(81, 8),
        kl=f"{float(kl):.15g}",
    )


@claim(
    "par.logistic-is-the-quantile",
    "On a logistic law PAR's tilt is the quantile tilt, and log sigma's is Best-of-n",
    "For R logistic(loc, 1/k) and one reference at loc the shaped reward is the quantile: its tilt "
    "is the quantile tilt; the tilt of log sigma is Best-of-n with n = 1 + lam.",
    hypotheses=("k > 0", "R logistic(loc, 1/k)", "one reference, at loc", "lam >= 0"),
    source=f"this project, on {PAPER}",
)
def logistic_is_the_quantile() -> Iterator[Evidence]:
    cdf = 1 / (1 + exp(-k * (r - reference)))
    yield from identity("sigma(k(r - loc)) = F(r), in w", _in_w(SIGMOID) - _in_w(cdf))
    yield words("so e^(lam s) = e^(lam u), and e^(lam ln s) = u^lam with mean 1/(1 + lam)")
    ratio = BestOfN.ratio.xreplace({BestOfN.symbols[0]: 1 + lam})
    yield from identity("u^lam/E[U^lam] is w of bon(1 + lam)", u**lam * (1 + lam) - ratio)
    made = [par(Logistic(), m=1), sigmoid(Logistic(3, "1/2"), at=3, k=2)]
    yield confirmed(
        "one implementation: par(logistic, m=1) is uniform, and its tilt binds as quantile_tilt",
        "equality",
        all(law == Uniform() for law in made) and bind(Tilt(2), made[0]).policy == QuantileTilt(2),
    )


@claim(
    "par.limit-is-the-quantile",
    "Steep PAR with many references is the quantile",
    "For references drawn from the law of R itself, the mean of sigma(k(r - ref)) over M of them "
    "goes to F(r) as k and M grow, almost surely, at every r.",
    hypotheses=("a law without atoms", "independent references from it"),
    source=f"this project, on {PAPER}",
)
def limit_is_the_quantile() -> Iterator[Evidence]:
    y, steep = Symbol("y", positive=True), Symbol("steep", positive=True)
    yield limit(
        "sigma(k y) -> 1 for y > 0", (1 + tanh(steep * y / 2)) / 2, steep, sympy.oo, sympy.S.One
    )
    yield limit("sigma(-k y) -> 0", (1 - tanh(steep * y / 2)) / 2, steep, sympy.oo, sympy.S.Zero)
    yield cited(
        "dominated convergence (|sigma| <= 1): E sigma(k(r - ref)) -> P(ref < r) = F(r); the "
        "strong law of large numbers for the mean over M",
        "textbook",
    )
    normal = NormalDist()
    places = [normal.inv_cdf((2 * i + 1) / 2000) for i in range(1000)]

    def averaged(at: float) -> float:
        return math.fsum(0.5 + 0.5 * math.tanh(200 * (at - place)) for place in places) / 1000

    far = max(abs(averaged(at) - normal.cdf(at)) for at in (-2.5, -1.0, 0.1, 0.7, 3.0))
    yield confirmed(
        "normal law, k = 400, M = 1000 at quantiles: within 1/1000 of F at five rewards",
        "binary64",
        far < 1e-3,
        largest=f"{far:.3g}",
    )


@claim(
    "par.moves-the-tilt-threshold",
    "Under the tilt PAR moves the threshold and can raise the peak",
    "normal(0, 1), g = u^12 (1-u): the raw tilt peaks near lam = 1.514 at less than 0.01361; the "
    "tilt of sigma(r) still rises at lam = 11 and reaches more than 0.0171.",
    hypotheses=("normal(0, 1)", "one reference at 0, k = 1", "g = u^12 (1-u)"),
    source="this project",
    expected="certified",
)
def moves_the_tilt_threshold() -> Iterator[Evidence]:
    family = Family("tilt", Tilt, lam, Tilt.domains[0])
    found = check(Normal(), family, _GOLD, digits=8)
    (peak,) = found.extrema
    low, high = peak.theta.bounds
    top = peak.value.bounds[1]
    yield certified(
        "the raw tilt has one peak, and it is below 0.01361",
        "variation diminishing and balls (check)",
        found.regime == "peak"
        and Fraction("1.51") < low < high < Fraction("1.52")
        and top < Fraction("0.01361"),
        threshold=f"{float(low):.9g}",
    )
    shaped: Law = sigmoid(Normal())
    values = {
        s: value(shaped, Tilt(s), "gold", gold=_GOLD).bounds for s in (Fraction("1.5"), 11, 12)
    }
    yield certified(
        "with sigma(r): f(1.5) < f(11) < f(12), f(12) > 0.0171",
        "balls",
        values[Fraction("1.5")][1] < values[11][0]
        and values[11][1] < values[12][0]
        and values[12][0] > Fraction("0.0171"),
        values={str(s): f"{float(v[0]):.12g}" for s, v in values.items()},
    )


CLAIMS: tuple[Claim, ...] = (
    bounded_and_gentle,
    rank_policies_unchanged,
    mitigates_hacking,
    tilt_always_exists,
    logistic_is_the_quantile,
    limit_is_the_quantile,
    moves_the_tilt_threshold,
)
