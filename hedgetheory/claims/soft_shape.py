"""Soft Best-of-n: what is monotone and totally positive, and what in λ is not, with witnesses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from math import comb
from typing import Any

import sympy
from sympy import Function, Symbol, exp, log

from hedgetheory.analysis.soft.kernel import smallest_minor
from hedgetheory.claims.checks import as_json, certified, confirmed, identity, of_step, witness
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import PAPER, RECONSTRUCTED
from hedgetheory.exact import Number
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.prover import positive
from hedgetheory.expressions.symbols import lam, n, u, ubar
from hedgetheory.expressions.vocabulary import spell_out
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft.slope import slope_sign
from hedgetheory.functionals.soft.two_draws import TWO_DRAWS
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

t, x, a = (Symbol(name, positive=True) for name in "txa")
EXAMPLE = GoldCurve(u**12 * (1 - u), "u")
#: The thresholds of g = u^12 (1 - u) in λ, each bracketed in hundredths: n -> (low, high).
EXAMPLE_TURNS = {8: (5040, 5041), 16: (2612, 2613), 32: (1766, 1767), 64: (1504, 1505)}


def by_counts(
    law: tuple[tuple[Fraction, Fraction], ...], golds: list[Any], draws: int, strength: Fraction
) -> Any:
    """E[g] on three atoms as a ball: a sum over how many of each atom the draws hold."""
    top = law[-1][0]
    rates = [ball(strength * (place - top)).exp() for place, _ in law]
    total = ball(0)
    for i, j in product(range(draws + 1), repeat=2):
        counts = (i, j, draws - i - j)
        if counts[2] < 0:
            continue
        weight = Fraction(comb(draws, i) * comb(draws - i, j))
        for count, (_, mass) in zip(counts, law, strict=True):
            weight *= mass**count
        shares = [rate * count for rate, count in zip(rates, counts, strict=True)]
        mean = sum(share * g for share, g in zip(shares, golds, strict=True)) / sum(shares)
        total += ball(weight) * mean
    return total


@claim(
    "sbon.totally-positive-in-n",
    "Soft Best-of-n is strictly totally positive in n, on every law",
    "At fixed lam > 0, w_n(r) is strictly totally positive of every order in (n, r), n >= 1 real, "
    "on every law, atoms included. So w is strictly MLR in n, and for gold that turns once "
    "f(n) = E_n[g] is strictly monotone or turns once, in the same way; f increases (decreases) "
    "far out where E_{2 lam}[g] > E_{lam}[g] (<) under the tilt and M(2 lam) is finite.",
    hypotheses=("lam > 0, real n >= 1", "g bounded, for the shape; g not a.e. constant"),
    source="this project; basic composition and variation diminishing: Karlin 1968",
)
def totally_positive() -> Iterator[Evidence]:
    phi = Function("phi", positive=True)(t)
    k = Symbol("k", real=True)
    yield of_step(
        algebra("phi^{n-1} = e^{(n-1) ln phi}", (exp(k * log(phi)) - phi**k).rewrite(exp))
    )
    p, q, low, high = sympy.symbols("p q low high", positive=True)
    minor = exp((p + q) * (low + high)) * exp(p * low)
    minor -= exp((p + q) * low) * exp(p * (low + high))
    yield from identity(
        "a minor of e^{sx} with both arguments growing is positive: "
        "e^{(p+q)(l+h) + pl} - e^{(p+q)l + p(l+h)} = e^{...} (e^{qh} - 1)",
        minor - exp((p + q) * low + p * (low + high)) * (exp(q * high) - 1),
    )
    yield cited("e^{sx} is strictly totally positive of every order in (s, x)", "Karlin 1968")
    yield words(
        "w_n(r) = n x int e^{-tx} phi(t)^{n-1} dt, x = e^{lam r}. With s = -t the first factor is "
        "e^{sx}, the second e^{(n-1) c(s)} with c(s) = ln phi(-s) strictly increasing in s: both "
        "strictly totally positive. Factors n and x change no sign."
    )
    yield cited("their composition over s is strictly totally positive", "basic composition")
    yield cited("f - c changes sign at most as often as g - c, in that order", "Karlin 1968")
    h = a * exp(-n * a)
    yield from identity(
        "d/da [a e^{-na}] = d/dn [n e^{-na}]", h.diff(a) - (n * exp(-n * a)).diff(n)
    )
    yield words(
        "With a = -ln phi(t): f(n) = int n e^{-na} E_t[g] da, E_t the law dF x e^{-tx} normalised; "
        "so f'(n) = int a e^{-na} C(a) da with C = -dE_t[g]/da, by parts. E_t is a tilt by -t in "
        "x: for gold with one turn C changes sign at most once (peaks.tilt-single-peak). At a = 0 "
        "it is Cov(g, x)/M under the tilt, and E[g x^2]/E[x^2] - E[g x]/E[x] has its sign."
    )
    places = [Fraction(1, 8), Fraction(1, 2), Fraction(15, 16)]
    rows = [
        [value(Uniform(), SoftBestOfN(m, 4), "ratio", at=at, digits=20) for at in places]
        for m in (2, 5, 12)
    ]
    with precision(128):
        matrix = [[ball(entry.bounds[0]) for entry in row] for row in rows]
        minors = [
            matrix[i][j] * matrix[i + 1][j + 1] - matrix[i][j + 1] * matrix[i + 1][j]
            for i in (0, 1)
            for j in (0, 1)
        ]
        whole = sum(
            matrix[0][j]
            * (matrix[1][j - 2] * matrix[2][j - 1] - matrix[1][j - 1] * matrix[2][j - 2])
            for j in range(3)
        )
        holds = all(minor > 0 for minor in minors) and whole > 0
    yield confirmed("uniform, n = 2, 5, 12, lam = 4: minors up to order 3 > 0", "values", holds)


@claim(
    "sbon.stochastically-increasing",
    "Soft Best-of-n is stochastically increasing, and its KL increases, in n and in lam",
    "On every law with more than one point, atoms included: for non-decreasing h, E_{n,lam}[h] is "
    "non-decreasing in n and in lam, the selected reward strictly stochastically increasing, and "
    "KL(Soft Best-of-n || reference), where finite, strictly increases in n (lam > 0) and in lam "
    "(n > 1).",
    hypotheses=("real n >= 1, lam >= 0",),
    source=f"{RECONSTRUCTED}; this project",
)
def stochastically_increasing() -> Iterator[Evidence]:
    top, bottom = Function("N")(lam), Function("D")(lam)
    slope = top.diff(lam) / bottom - top / bottom * bottom.diff(lam) / bottom
    yield of_step(
        algebra(
            "in lam, given the draws: with N = sum h e^{lam x}, D = sum e^{lam x}, (N/D)' = "
            "N'/D - (N/D)(D'/D), the covariance of h and x under the softmax",
            (top / bottom).diff(lam) - slope,
        )
    )
    g1, g2, x1, x2 = sympy.symbols("g1 g2 x1 x2", real=True)
    yield from identity(
        "and a covariance is half the mean of (h - h')(x - x') over two independent copies",
        (g1 - g2) * (x1 - x2) - (g1 * x1 + g2 * x2 - g1 * x2 - g2 * x1),
    )
    yield words("(h - h')(x - x') >= 0 for non-decreasing h: E_{n,lam}[h] never falls in lam.")
    place = Symbol("place", real=True)
    kernel = exp(lam * place) * exp(-t * exp(lam * place))
    yield from identity(
        "in lam, real n: d/dlam [X_0 e^{-t X_0}] = r d/dt [t X_0 e^{-t X_0}], X_0 = e^{lam r}",
        kernel.diff(lam) - place * (t * kernel).diff(t),
    )
    m1, mg, mx, mgx = (Function(name)(t) for name in ("M", "A", "B", "C"))
    yield of_step(
        algebra(
            "by parts, with phi' = -M, d phi/dlam = -t B: n int (tC)' phi^{n-1} + n(n-1) int A "
            "phi^{n-2} (-tB) = n(n-1) int t phi^{n-2} (M C - A B)",
            (n - 1) * t * (mgx * m1 - mg * mx)
            - ((n - 1) * t * mgx * m1 + (n - 1) * mg * (-t * mx)),
        )
    )
    yield words("M C - A B is M^2 times a covariance of h and r: again >= 0.")
    yield words(
        "In n: f'(n) = int a e^{-na} C(a) da (sbon.totally-positive-in-n), C a positive multiple "
        "of the covariance of h and e^{lam R} under a law with density: >= 0."
    )
    rest, own = Symbol("rest", positive=True), Symbol("own", positive=True)
    yield from identity(
        "w is non-decreasing in r: d/dx [x/(x + rest)] = rest/(x + rest)^2",
        (own / (own + rest)).diff(own) - rest / (own + rest) ** 2,
    )
    yield from identity(
        "for real n: dw/dz = n int X(1-X) e^{-X} phi^{n-1} ds, and X(1-X) e^{-X} = d/ds [X e^{-X}]",
        (x * exp(-x)).diff(x) * x - x * (1 - x) * exp(-x),
    )
    yield words("so by parts dw/dz = -n int X e^{-X} d(phi^{n-1}) >= 0, as phi falls.")
    w1, w2 = sympy.symbols("w1 w2", positive=True)
    yield from identity(
        "KL_2 - KL_1 = KL(2||1) + (E_2 - E_1)[ln w_1]: pointwise",
        w2 * log(w2) - w1 * log(w1) - w2 * (log(w2) - log(w1)) - (w2 - w1) * log(w1),
    )
    yield words(
        "ln w_1 is non-decreasing, so the second term is >= 0, and KL(2||1) > 0 as the two laws "
        "differ: the covariances are positive for h(r) = r where the draws, or E_t, are not "
        "constant."
    )
    kls = [
        [value(Uniform(), SoftBestOfN(m, strength), "kl", digits=8) for strength in (1, 3, 9)]
        for m in (2, 4, 8)
    ]
    rising = all(b.bounds[0] > c.bounds[1] for row in kls for c, b in pairwise(row))
    rising &= all(
        high.bounds[0] > low.bounds[1]
        for lower, upper in pairwise(kls)
        for low, high in zip(lower, upper, strict=True)
    )
    yield confirmed("KL rises on a 3 by 3 grid of n and lam on the uniform law", "values", rising)


# -- in λ nothing of the kind holds ----------------------------------------------------------------


@claim(
    "popular.soft-best-of-n-is-mlr-in-strength",
    "Soft Best-of-n has a monotone likelihood ratio in lam",
    "At fixed n, w_lam(r) of Soft Best-of-n is TP2 in (lam, r): w_lam(r')/w_lam(r) is "
    "non-decreasing in lam for r < r'.",
    hypotheses=("lam > 0", "integer n >= 2"),
    source="popular: by analogy with Best-of-n and the tilt",
    expected="refuted",
)
def mlr_in_strength() -> Iterator[Evidence]:
    ratio = spell_out(TWO_DRAWS.expr).subs(ubar, 1 - u)
    edge = lam * (1 / (1 + exp(-lam)) - sympy.Rational(1, 2)) / log((1 + exp(lam)) / 2)
    at_one = sympy.diff(log(ratio), u).subs(u, 1)
    yield of_step(
        algebra(
            "two draws, uniform law: d/du ln w at u = 1 is lam (s(lam) - 1/2)/ln((1 + e^lam)/2), s "
            "the logistic function",
            sympy.simplify((at_one - edge).rewrite(exp)),
        )
    )
    values = []
    with precision(128):
        for strength in (4, 8):
            power = ball(strength).exp()
            share = 1 / (1 + 1 / power) - ball(Fraction(1, 2))
            values.append(ball(strength) * share / ((1 + power) / 2).log())
        falls = bool(values[0] > values[1])
    yield witness(
        "it falls from lam = 4 to lam = 8: near u = 1, w(1)/w(u) falls",
        "balls",
        falls,
        at_4=as_json(values[0]),
        at_8=as_json(values[1]),
    )
    for draws, halvings in ((2, 60), (3, 40), (4, 26), (8, 20), (16, 30), (32, 40)):
        law, strengths = low_pair(draws, halvings)
        first, second = (_low_ratio(law, draws, strength) for strength in strengths)
        yield witness(
            f"n = {draws}: atoms 0, 1/1000, 1 with masses p/2, p/2, 1 - p, p = 2^-{halvings}: "
            "w(1/1000)/w(0) falls",
            "balls, by counting draws",
            bool(first > second),
            lam=[str(strength) for strength in strengths],
            ratio=[as_json(first), as_json(second)],
        )


def low_pair(
    draws: int, halvings: int
) -> tuple[tuple[tuple[Fraction, Fraction], ...], tuple[Fraction, Fraction]]:
    """Two close atoms of small mass below a big one, and two λ between which w(ε)/w(0) falls."""
    mass = Fraction(1, 2**halvings)
    law = (
        (Fraction(0), mass / 2),
        (Fraction(1, 1000), mass / 2),
        (Fraction(1), 1 - mass),
    )
    nats = (draws - 1) * halvings * math.log(2)
    return law, (Fraction(round(nats - 1.5)), Fraction(round(nats + math.log(2 * draws)) + 2))


def _low_ratio(law: tuple[tuple[Fraction, Fraction], ...], draws: int, strength: Fraction) -> Any:
    with precision(256 + 4 * int(strength)):
        chosen = [
            by_counts(law, [ball(int(i == j)) for j in range(3)], draws, strength) for i in (0, 1)
        ]
        return chosen[1] / chosen[0]


@claim(
    "sbon.mlr-in-strength-fails-for-every-n",
    "For every n >= 2 a three-atom law breaks the monotone likelihood ratio of Soft Best-of-n",
    "For every integer n >= 2 there are a law on three atoms, r_1 < r_2 and lam_1 < lam_2 with "
    "w(r_2)/w(r_1) larger at lam_1 than at lam_2: atoms 0, eps, 1 with masses p/2, p/2, 1 - p, "
    "p^{n-1} = (4n)^{-6n}, eps small.",
    hypotheses=("integer n >= 2",),
    source="this project",
)  # fmt: skip
def fails_for_every_n() -> Iterator[Evidence]:
    z = Symbol("z", real=True)
    rest = Symbol("rest", positive=True)
    share = exp(z) / (exp(z) + rest)
    yield from identity(
        "P = X/(X + S), X = e^z: dP/dz = P - P^2", share.diff(z) - (share - share**2)
    )
    yield words(
        "So d ln w/dz = e := 1 - E[P^2]/E[P], and as eps -> 0, ln[w(eps)/w(0)]/eps -> lam e(lam) "
        "with e on the two atoms 0 and 1 of masses p and 1 - p at z = 0: S = K + (n-1-K) x, "
        "x = e^lam, K binomial(n-1, p). It is enough that lam_1 e(lam_1) > lam_2 e(lam_2). Let "
        "p^{n-1} = e^{-L}."
    )
    yield words(
        "At lam_2 = L + ln n, x = n e^L: K = n-1 has probability e^{-L} and P = 1/n, else "
        "P < 1/x: E[P] <= e^{-L}(1/n + 1/n), E[P^2] >= e^{-L}/n^2, so e(lam_2) <= 1 - 1/(2n). At "
        "lam_1 = L - ln 4, x = e^L/4: E[P^2] <= e^{-L}/n^2 + 16 e^{-2L}, and P >= 1/(n x) for "
        "K < n-1: E[P] >= 4 e^{-L}(1 - e^{-L})/n. With e^{-L} <= 1/(64 n^2) their ratio is at most "
        "(1/(4n) + 1/(16n))/(63/64)."
    )
    m = Symbol("m", positive=True)
    draws = m + 1
    yield from identity(
        "(1/(4n) + 4n/(64 n^2)) 64/63 = 20/(63 n)",
        (1 / (4 * m) + 4 * m / (64 * m**2)) * sympy.Rational(64, 63) - 20 / (63 * m),
    )
    yield of_step(positive("20/63 < 1/3", sympy.Rational(1, 3) - sympy.Rational(20, 63)))
    nats = 6 * m * log(4 * m)
    margin = (nats - log(4)) * (1 - 1 / (3 * m)) - (nats + log(m)) * (1 - 1 / (2 * m))
    yield from identity(
        "with L = 6 n ln(4n): (L - ln 4)(1 - 1/(3n)) - (L + ln n)(1 - 1/(2n)) = "
        "ln 4/(3n) + ln n/(2n)",
        sympy.expand_log(sympy.expand(margin), force=True)
        - sympy.expand_log(log(4) / (3 * m) + log(m) / (2 * m), force=True),
    )
    yield of_step(
        positive(
            "which is positive for n = 1 + k",
            sympy.log(4) / (3 * draws) + sympy.log(1 + m) / (2 * draws),
        )
    )
    yield words("and (4n)^{-6n} <= (4n)^{-3} <= 1/(64 n^2).")
    for number, halvings in ((2, 60), (8, 20)):
        law, strengths = low_pair(number, halvings)
        first, second = (_low_ratio(law, number, strength) for strength in strengths)
        yield confirmed(
            f"n = {number}, eps = 1/1000, p = 2^-{halvings}: the ratio falls",
            "balls, by counting draws",
            bool(first > second),
        )


#: The gold of n = 3: g′ = 36 (1−u)^12 − 7·495 u^4 (1−u)^8 = (1−u)^8 (36 (1−u)^4 − 3465 u^4).
RISE_FALL_RISE = sympy.integrate(
    sympy.expand(36 * (1 - u) ** 12 - 7 * 495 * u**4 * (1 - u) ** 8), (u, 0, u)
)
TROUGH = 1 - (1 - u) ** 8 - sympy.Rational(3, 4) * u
#: Three atoms for n = 16: (values and masses), and gold on them.
SIXTEEN = (
    (Fraction(0), Fraction(177, 250)),
    (Fraction(1, 20), Fraction(13, 50)),
    (Fraction(1), Fraction(4, 125)),
)


def _gold(policy: Policy, gold: sympy.Expr) -> Number:
    return value(Uniform(), policy, "gold", gold=GoldCurve(gold, "u"), digits=10)


def _alternate(values: list[tuple[Fraction, Fraction]], directions: list[int]) -> bool:
    """Whether certified (low, high) values rise (1) or fall (−1) as said."""
    return all(
        (b[0] > c[1]) if direction > 0 else (b[1] < c[0])
        for (c, b), direction in zip(pairwise(values), directions, strict=True)
    )


@claim(
    "popular.soft-best-of-n-peaks-once-in-strength",
    "For gold with one peak, Soft Best-of-n has one peak in lam",
    "For gold that rises and then falls, lam -> E[g] under Soft Best-of-n at fixed n is monotone "
    "or rises and then falls: a single-peak search over lam is safe.",
    hypotheses=("g rises, then falls", "integer n >= 2, any law"),
    source=f"popular reading of {PAPER}, Theorem 1 applied to Soft Best-of-n",
    expected="refuted",
)
def peaks_once() -> Iterator[Evidence]:
    yield from identity(
        "n = 2: g = 1 - (1-u)^8 - 3u/4 has g'' = -56 (1-u)^6 <= 0: it rises, then falls",
        sympy.diff(TROUGH, u, 2) + 56 * (1 - u) ** 6,
    )
    numbers = [
        _gold(BestOfN(1), TROUGH),
        _gold(SoftBestOfN(2, 32), TROUGH),
        _gold(BestOfN(2), TROUGH),
    ]
    yield witness(
        "uniform law, n = 2: f(0) > f(32) < f(oo): a trough",
        "certified values",
        _alternate([number.bounds for number in numbers], [-1, 1]),
        values={
            k: number.to_json(10) for k, number in zip(("0", "32", "oo"), numbers, strict=True)
        },
    )
    yield from identity(
        "n = 3: g' = (1-u)^8 (36 (1-u)^4 - 3465 u^4), whose bracket falls: g rises, then falls",
        sympy.diff(RISE_FALL_RISE, u) - (1 - u) ** 8 * (36 * (1 - u) ** 4 - 3465 * u**4),
    )
    policies: list[Policy] = [BestOfN(1), SoftBestOfN(3, 8), SoftBestOfN(3, 24), BestOfN(3)]
    numbers = [_gold(policy, RISE_FALL_RISE) for policy in policies]
    yield witness(
        "uniform law, n = 3: f(0) < f(8) > f(24) < f(oo): rise, fall, rise",
        "certified values",
        _alternate([number.bounds for number in numbers], [1, -1, 1]),
        values={
            k: number.to_json(10) for k, number in zip(("0", "8", "24", "oo"), numbers, strict=True)
        },
    )
    for top, strengths, directions in (
        (Fraction(1, 10), (Fraction(0), Fraction(1, 4), Fraction(6), Fraction(60)), [1, -1, 1]),
        (Fraction(-1, 10), (Fraction(1, 4), Fraction(6), Fraction(60)), [-1, 1]),
    ):
        with precision(192):
            balls = [
                by_counts(SIXTEEN, [ball(0), ball(1), ball(top)], 16, strength)
                for strength in strengths
            ]
            holds = all(
                (b - c) * direction > 0
                for (c, b), direction in zip(pairwise(balls), directions, strict=True)
            )
        yield witness(
            f"n = 16, atoms 0, 1/20, 1 with masses 177/250, 13/50, 4/125, g = 0, 1, {top}: f "
            + ("rises, falls, rises" if len(directions) == 3 else "falls, rises"),
            "balls, by counting draws",
            holds,
            values={str(s): as_json(b) for s, b in zip(strengths, balls, strict=True)},
        )


@claim(
    "sbon.example-thresholds",
    "The thresholds in lam of g = u^12 (1 - u) under Soft Best-of-n, n = 8, 16, 32, 64",
    "On the uniform law f(lam) = E[u^12 (1 - u)] turns from rising to falling at lam = 50.40 "
    "(n = 8), 26.12 (16), 17.66 (32), 15.04 (64), up to 0.01: f' changes sign between.",
    hypotheses=("uniform law, n = 8, 16, 32, 64",),
    source=f"{RECONSTRUCTED}: the synthetic example; the numbers: this project",
    expected="certified",
)
def example_thresholds() -> Iterator[Evidence]:
    for draws, (low, high) in EXAMPLE_TURNS.items():
        signs = [
            slope_sign(SoftBestOfN(draws, Fraction(at, 100)), Uniform(), EXAMPLE)
            for at in (low, high)
        ]
        yield certified(
            f"n = {draws}: f' > 0 at {low / 100}, f' < 0 at {high / 100}",
            "balls: the mean of the within-draw covariance",
            signs == [1, -1],
        )


@claim(
    "popular.marginal-covariance-is-the-slope",
    "The slope of Soft Best-of-n in lam is the covariance of gold and proxy under the policy",
    "d/dlam E[g] = Cov(g, R) under Soft Best-of-n, so the threshold is where that covariance "
    "vanishes.",
    hypotheses=("fixed n",),
    source="popular: true of the tilt; found in public code",
    expected="refuted",
)
def marginal_covariance() -> Iterator[Evidence]:
    for draws, strength, marginal, true in ((16, 24, -1, 1), (8, 56, 1, -1)):
        policy = SoftBestOfN(draws, strength)
        both, gold, place = (
            value(Uniform(), policy, "gold", gold=GoldCurve(g, "u"), digits=6)
            for g in (EXAMPLE.expr * u, EXAMPLE.expr, u)
        )
        with precision(128):
            low, high = (
                ball(both.bounds[i]) - ball(gold.bounds[1 - i]) * ball(place.bounds[1 - i])
                for i in (0, 1)
            )
            same_sign = bool(low > 0) - bool(high < 0)
        yield witness(
            f"uniform, g = u^12 (1-u), n = {draws}, lam = {strength}: the covariance is "
            + ("negative and f' > 0" if true > 0 else "positive and f' < 0"),
            "balls",
            same_sign == marginal and slope_sign(policy, Uniform(), EXAMPLE) == true,
            n=draws,
            lam=strength,
        )


@claim(
    "sbon.single-peak-on-uniform-from-ten-draws",
    "Conjecture: on the uniform law, from n = 10 on, unimodal gold has one peak in lam",
    "On the uniform law, for n >= 10, k_lam(c) = -dG_lam(c)/dlam of Soft Best-of-n is TP2 in "
    "(lam, c), so that f(lam) turns at most once for gold that turns once.",
    hypotheses=("the uniform law", "integer n >= 10"),
    source="conjecture; this project. It fails for n = 2, 3, 4, 5",
    expected="supported",
)
def single_peak_conjecture() -> Iterator[Evidence]:
    strengths = [2 ** (i / 3) for i in range(-6, 22)]
    places = [i / 32 for i in range(1, 32)]
    for draws in (10, 16, 32, 64):
        worst, minors = smallest_minor(draws, strengths, places)
        yield Evidence(
            "searched",
            f"n = {draws}: no minor of k negative among {minors} neighbouring ones, lam from 1/4 "
            "to 128, c = 1/32..31/32 where k >= 1e-8 of its largest",
            "float64; further in experiments/soft_strength_search.py",
            worst > -1e-9,
            {"smallest mixed difference of ln k": f"{worst:.3g}"},
        )
    worst, _ = smallest_minor(3, strengths, places)
    yield confirmed("the same search finds the failure at n = 3", "float64", worst < -1e-6)


CLAIMS: tuple[Claim, ...] = (
    totally_positive,
    stochastically_increasing,
    mlr_in_strength,
    fails_for_every_n,
    peaks_once,
    example_thresholds,
    marginal_covariance,
    single_peak_conjecture,
)
