"""Claims on SuperHF and the hacking threshold: one round keeps it, several may have more."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy

from hedgetheory.claims.checks import (
    agree,
    confirmed,
    identity,
    positive,
    unit_integral,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.superhf.policy import PAPER, SuperHF, next_cdf
from hedgetheory.expressions.symbols import beta, n, u
from hedgetheory.numerics.ball import ball, number, precision
from hedgetheory.policies.best_of_n import BestOfN

_THIS = f"this project, on {PAPER}"
ONE_ROUND = next_cdf(u)


@claim(
    "superhf.one-round-keeps-the-threshold",
    "One round of SuperHF has the hacking threshold of Best-of-n",
    "With one round, E[g] = (f(n) + beta f(1))/(1 + beta) with f that of Best-of-n: every extremum "
    "in n is at the same place, and its distance from f(1) is divided by 1 + beta.",
    hypotheses=("beta > 0", "any law", "E[g] finite under Best-of-n and the reference"),
    source=_THIS,
)
def one_round_keeps_the_threshold() -> Iterator[Evidence]:
    mixture = (BestOfN.cdf + beta * u) / (1 + beta)
    yield from identity("G after one round is (u^n + beta u)/(1 + beta)", ONE_ROUND - mixture)
    yield from identity(
        "and its w that of Best-of-n, mixed with 1",
        sympy.diff(ONE_ROUND, u) - (BestOfN.ratio + beta) / (1 + beta),
    )
    yield words(
        "E[g] is linear in the law, and u^n, u are the rank cdfs of Best-of-n and the reference, "
        "atoms or not: f' is multiplied by 1/(1 + beta) > 0."
    )
    # u^12 (1 - u) under n = 13: E = 13/25 - 13/26 for Best-of-n, 1/13 - 1/14 for the reference.
    at = {n: Fraction(13), beta: Fraction(23, 100)}
    direct = unit_integral(SuperHF(13, "0.23").ratio * u**12 * (1 - u), at)
    expected = (Fraction(1, 50) + Fraction(23, 100) * Fraction(1, 182)) / Fraction(123, 100)
    with precision(128):
        same = agree(direct, ball(expected))
    yield confirmed("E[u^12 (1 - u)] at n = 13, beta = 0.23, by quadrature", "balls", same)


@claim(
    "superhf.one-round-single-peak",
    "One round of SuperHF has a single peak for gold with a single peak",
    "-dG/dn of one round is that of Best-of-n times 1/(1 + beta), strictly TP2 in (n, u): where g' "
    "changes sign at most once, f has at most one interior extremum in n.",
    hypotheses=("beta >= 0", "any law", "g unimodal, E[g] finite"),
    source=_THIS,
)
def one_round_single_peak() -> Iterator[Evidence]:
    kernel = -sympy.diff(ONE_ROUND, n)
    yield from identity("-dG/dn", kernel + sympy.diff(BestOfN.cdf, n) / (1 + beta))
    mixed = sympy.diff(sympy.log(kernel), n, u)
    yield from identity("d2 ln(-dG/dn)/dn du = 1/u", mixed - 1 / u)
    yield from positive("which is positive", 1 / u)
    yield cited("a TP2 kernel does not add sign changes", "Karlin 1968, chapter 5")


@claim(
    "superhf.one-round-is-mlr",
    "One round of SuperHF has monotone likelihood ratios in n",
    "d2 ln w/dn du >= 0 for one round with beta > 0, as for Best-of-n (so that the paper's "
    "Corollary 1 would cover it).",
    hypotheses=("beta > 0",),
    source=_THIS,
    expected="refuted",
)
def one_round_is_mlr() -> Iterator[Evidence]:
    log_ratio = sympy.log(n * u ** (n - 1) + beta)
    numerator = n**2 * u ** (n - 1) + beta * (2 * n - 1 + n * (n - 1) * sympy.log(u))
    claimed = u ** (n - 2) * numerator / (n * u ** (n - 1) + beta) ** 2
    yield from identity("d2 ln w/dn du", sympy.diff(log_ratio, n, u) - claimed)
    at = Fraction(1, 64)
    with precision(128):
        value = 4 * ball(at) + ball(Fraction(23, 100)) * (3 + 2 * ball(at).log())
    data = {"n": "2", "beta": "0.23", "u": "1/64", "its numerator": str(number(value, 6))}
    yield witness("negative at n = 2, beta = 0.23, u = 1/64", "ball", bool(value < 0), at=data)


def _cdf(at: Fraction, size: int, prior: Fraction, rounds: int) -> Fraction:
    cdf = at
    for _ in range(rounds):
        cdf = (cdf**size + prior * at) / (1 + prior)
    return cdf


@claim(
    "superhf.several-rounds-single-peak",
    "Several rounds of SuperHF have a single peak for gold with a single peak",
    "For gold that rises and then falls, E[g] after T rounds rises and then falls in n, as it does "
    "after one round.",
    hypotheses=("beta > 0", "three rounds", "g unimodal"),
    source=_THIS,
    expected="refuted",
)
def several_rounds_single_peak() -> Iterator[Evidence]:
    low, middle, last = Fraction(39, 50), Fraction(43, 50), Fraction(1613, 2000)
    prior, points = Fraction(23, 100), (1, 4, 5, 8)
    values = []
    for size in points:
        first, second = (_cdf(at, size, prior, 3) for at in (low, middle))
        values.append(second - first + last * (1 - second))
    rises = [after > before for before, after in pairwise(values)]
    yield witness(
        "three atoms of mass 39/50, 2/25, 7/50 with gold 0, 1, 1613/2000: up, down, up in n",
        "exact rationals",
        rises == [True, False, True],
        beta="0.23",
        rounds=3,
        values={str(k): f"{float(v):.12g}" for k, v in zip(points, values, strict=True)},
    )


@claim(
    "superhf.one-round-kl",
    "One round of SuperHF has at most 1/(1 + beta) of the KL of Best-of-n",
    "KL(p‖p0) <= KL(BoN‖p0)/(1 + beta) <= (ln n - (n - 1)/n)/(1 + beta) after one round.",
    hypotheses=("beta > 0", "n >= 1", "any law"),
    source=_THIS,
)
def one_round_kl() -> Iterator[Evidence]:
    x = sympy.Symbol("x", positive=True)
    convex = sympy.diff(x * sympy.log(x), x, 2)
    yield from identity("(x ln x)'' = 1/x", convex - 1 / x)
    yield from positive("which is positive", 1 / x)
    yield words(
        "w = s w_1 + (1 - s)·1 with s = 1/(1 + beta), so w ln w <= s w_1 ln w_1 + 0 (Jensen), on "
        "every law."
    )
    yield cited("KL(BoN) <= ln n - (n - 1)/n, atoms or not", "Beirami et al., arXiv 2401.01879")
    at = {n: Fraction(32), beta: Fraction(23, 100)}
    ratio = SuperHF(32, "0.23").ratio
    kl = unit_integral(ratio * sympy.log(ratio), at)
    with precision(128):
        most = (ball(Fraction(32)).log() - ball(Fraction(31, 32))) / ball(Fraction(123, 100))
        below, shown = bool(kl < most), str(number(kl, 8))
    data = {"kl": shown, "bound": str(number(most, 8))}
    yield confirmed("at n = 32, beta = 0.23", "certified quadrature", below, **data)


CLAIMS: tuple[Claim, ...] = (
    one_round_keeps_the_threshold,
    one_round_single_peak,
    one_round_is_mlr,
    several_rounds_single_peak,
    one_round_kl,
)
