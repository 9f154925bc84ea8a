"""Claims on reward-model ensembles."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb

import sympy
from sympy import Symbol, gamma, sqrt

from hedgetheory.claims.checks import (
    ball_at,
    confirmed,
    identity,
    of_step,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.ensembles.aggregators import aggregate
from hedgetheory.designs.ensembles.herding import (
    ERROR,
    Herding,
    members,
    pretrain,
    shared,
    true,
)
from hedgetheory.designs.ensembles.law import min_of
from hedgetheory.expressions.prover import limit_is
from hedgetheory.expressions.symbols import u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.best_of_n import BestOfN

PAPER = "arXiv 2312.09244"
_t, _c = sympy.symbols("t c", positive=True)
#: k − 1, positive, for statements on every k ≥ 2.
_beyond_one = Symbol("k_minus_1", positive=True)


def _one_high(count: sympy.Expr, ddof: int) -> tuple[sympy.Expr, sympy.Expr]:
    """Mean and variance of (0, …, 0, t)."""
    return _t / count, (_t**2 / count - _t**2 / count**2) * count / (count - ddof)


@claim(
    "ensembles.mean-minus-std",
    "Mean minus std increases in every member only for two models",
    "mean - std with ddof 0 is coordinatewise monotone exactly for k <= 2, and the min at k = 2; "
    "with ddof 1 it is not monotone for any k >= 2.",
    hypotheses=("k >= 1 members, k >= 2 with ddof 1", "std with the ddof stated"),
    source=f"this project, on {PAPER}",
)
def mean_minus_std() -> Iterator[Evidence]:
    a, gap = sympy.symbols("a gap", positive=True)
    pair = (a + (a + gap)) / 2
    spread = sqrt(sympy.factor(((a - pair) ** 2 + (a + gap - pair) ** 2) / 2))
    yield from identity("k = 2, ddof 0: mean - std of (a, a + gap) is a", pair - spread - a)
    yield words("the min, which is monotone; k = 1 is the reward itself")
    q = Symbol("q", positive=True)
    # k = 1 + (1 + q)^2 covers k > 2, and k = (1 + q)^2 covers k > 1.
    for ddof, count, std in (
        (0, 1 + (1 + q) ** 2, _t * (1 + q) / (1 + (1 + q) ** 2)),
        (1, (1 + q) ** 2, _t / (1 + q)),
    ):
        mean, variance = _one_high(count, ddof)
        yield from identity(f"ddof {ddof}: the variance of (0, ..., 0, t)", variance - std**2)
        yield from positive(
            f"ddof {ddof}: std - mean > 0 for every k > {2 - ddof}", sympy.factor(std - mean)
        )
    yield words(
        "mean - std of (0, ..., 0, t) is negative for every t > 0 and 0 at t = 0: raising one "
        "reward lowers it"
    )
    for how, rewards in (
        ("mean_minus_std_ddof0", (0, 0, 1)),
        ("mean_minus_std_ddof1", (0, 1)),
        ("mean_minus_std_ddof1", (0, 0, 0, 0, 1)),
    ):
        with precision(200):
            below = bool(ball_at(aggregate(rewards, how), {}) < 0)
        yield confirmed(f"{how} of {rewards} is below that of zeros", "balls", below)
    yield confirmed(
        "ddof 0 of (3, 7) is 3", "exact arithmetic", aggregate((3, 7), "mean_minus_std_ddof0") == 3
    )


@claim(
    "ensembles.mean-minus-var",
    "Mean minus c var prefers three zeros to a zero, a zero and a large reward",
    "mean - c var prefers (0, 0, 0) to (0, 0, t), t > 0, exactly for t > 3/(2c) with ddof 0 and "
    "for t > 1/c with ddof 1.",
    hypotheses=("c, t > 0", "three members"),
    source=f"this project, on {PAPER} and 2310.02743",
)
def mean_minus_var() -> Iterator[Evidence]:
    for ddof, edge in ((0, 3 / (2 * _c)), (1, 1 / _c)):
        mean, variance = _one_high(sympy.Integer(3), ddof)
        slope = _c * variance / _t**2
        yield from identity(
            f"ddof {ddof}: mean - c var = {slope} t (edge - t), edge = {edge}",
            mean - _c * variance - slope * _t * (edge - _t),
        )
    yield words("which is negative exactly for t > edge, and 0 for (0, 0, 0)")
    found = [
        aggregate((0, 0, t), how, "1/2")
        for how, t in (
            ("mean_minus_var_ddof0", 3),
            ("mean_minus_var_ddof0", "3.01"),
            ("mean_minus_var_ddof1", 2),
            ("mean_minus_var_ddof1", "2.01"),
        )
    ]
    yield confirmed(
        "c = 1/2: 0 at t = 3 and 2, negative just beyond",
        "rational arithmetic",
        found[0] == found[2] == 0 and found[1] < 0 and found[3] < 0,
    )


@claim(
    "ensembles.never-dominated",
    "Best-of-n on an uncertainty-weighted ensemble never picks a dominated response",
    "Where every member rates one response at least as high as another, and some higher, Best-of-n "
    "on mean - c std or mean - c var does not pick the other.",
    hypotheses=("three members", "c = 1"),
    source="popular",
    expected="refuted",
)
def never_dominated() -> Iterator[Evidence]:
    scores = {
        how: [aggregate(x, how) for x in ((0, 0, 0), (0, 0, 2))]
        for how in ("mean_minus_std_ddof0", "mean_minus_var_ddof0", "mean_minus_var_ddof1")
    }
    with precision(200):
        holds = all(bool(ball_at(a - b, {}) > 0) for a, b in scores.values())
    yield witness(
        "members rate one response 0, 0, 0 and another 0, 0, 2: the first is picked",
        "balls",
        holds,
        scores={how: [str(x) for x in pair] for how, pair in scores.items()},
    )


@claim(
    "ensembles.herding",
    "Ensembles mitigate and do not eliminate",
    "In the Gaussian herding model E[T] under Best-of-n on the mean of k members is tau^2 e_n / "
    "sqrt(tau^2 + v). v falls from single to finetune-seed to pretrain-seed ensembles; as k grows "
    "it keeps s^2 (pretrain seeds) or s^2 + a^2 (finetune seeds). E[T] increases in n: no "
    "threshold.",
    hypotheses=("independent normal parts", "tau, s, a, b > 0", "k >= 2 for strict order"),
    source=f"{PAPER}; the model is a modelling choice",
)
def herding() -> Iterator[Evidence]:
    error, x, r = Symbol("v", positive=True), Symbol("x", real=True), Symbol("r", real=True)
    posterior = sympy.exp(-(x**2) / (2 * true) - (r - x) ** 2 / (2 * error))
    spread = true * error / (true + error)
    yield from identity(
        "(T - tau^2 r/(tau^2 + v)) f(T, r) = -(tau^2 v/(tau^2 + v)) df/dT",
        (x - true * r / (true + error)) * posterior + spread * sympy.diff(posterior, x),
    )
    yield words(
        "integrated over T: E[T | r] = tau^2 r/(tau^2 + v); the proxy is normal with variance "
        "tau^2 + v, its best of n has mean sqrt(tau^2 + v) e_n: E[T] = tau^2 e_n/sqrt(tau^2 + v), "
        "and e_n increases"
    )
    two_or_more = {members: 1 + _beyond_one}
    single = ERROR["pretrain"].xreplace({members: sympy.S.One})
    yield from positive(
        "single - finetune seeds > 0",
        sympy.factor((single - ERROR["finetune"]).xreplace(two_or_more)),
    )
    yield from positive(
        "finetune seeds - pretrain seeds > 0",
        sympy.factor((ERROR["finetune"] - ERROR["pretrain"]).xreplace(two_or_more)),
    )
    for seeds, left in (("pretrain", shared), ("finetune", shared + pretrain)):
        yield of_step(
            limit_is(f"{seeds} seeds: what is left of v", ERROR[seeds], members, sympy.oo, left)
        )
    yield from positive("E[T] falls in v", -sympy.diff(true / sqrt(true + error), error))
    model = Herding("1/2", "1/2", "1/2", k=5)
    implied = model.implied(Normal())
    found = value(implied.law, BestOfN(2), "gold", gold=GoldCurve.of(implied), digits=25)
    with precision(200):
        expected = ball_at(1 / sqrt(sympy.pi * (1 + sympy.Rational(7, 20))), {})
        low, high = found.bounds
        same = bool(ball(low) <= expected) and bool(expected <= ball(high))
    yield confirmed("tau = 1, errors 1/2, k = 5, n = 2: 1/sqrt(pi (1 + v))", "balls", same)


@claim(
    "ensembles.min-of-uniforms",
    "Best-of-n on the least of k uniform rewards",
    "E = 1 - n! Gamma(1 + 1/k)/Gamma(n + 1 + 1/k) for the least of k independent uniform rewards.",
    hypotheses=("whole n >= 1, k >= 1", "independent members"),
    source="this project; stated in SYSTEMS",
)
def min_of_uniforms() -> Iterator[Evidence]:
    k, n = sympy.symbols("k n", positive=True)
    lost = Symbol("y", positive=True)
    # ∫ (1 − u^k)^n du by parts: with y = 1 − u^k, d(u yⁿ)/du = (1 + nk) yⁿ − nk y^{n−1}.
    slope = sympy.diff(u * (1 - u**k) ** n, u)
    by_hand = (1 + n * k) * lost**n - n * k * lost ** (n - 1)
    yield from identity(
        "d/du u(1-u^k)^n = (1 + nk)(1-u^k)^n - nk (1-u^k)^(n-1)",
        sympy.simplify(
            (slope / (1 - u**k) ** (n - 1)) - (by_hand / lost ** (n - 1)).xreplace({lost: 1 - u**k})
        ),
    )
    yield words(
        "u (1-u^k)^n vanishes at both ends: I_n = nk/(1 + nk) I_{n-1}, I_0 = 1, for I_n = the "
        "integral of (1-u^k)^n, which is 1 - E: the least has cdf 1 - (1-m)^k, its best of n the "
        "n-th power"
    )
    closed = gamma(n + 1) * gamma(1 + 1 / k) / gamma(n + 1 + 1 / k)
    ratio = sympy.gammasimp(closed / closed.xreplace({n: n - 1}))
    yield from identity(
        "Gamma(n+1) Gamma(1+1/k)/Gamma(n+1+1/k) has the same ratio", ratio - n * k / (1 + n * k)
    )
    yield from identity("and is 1 at n = 0", closed.subs(n, 0) - 1)
    for count, draws in ((1, 4), (2, 3), (3, 5)):
        by_binomial = 1 - sum(
            Fraction((-1) ** j * comb(draws, j), j * count + 1) for j in range(draws + 1)
        )
        low, high = value(min_of(Uniform(), count), BestOfN(draws), "mean_reward").bounds
        yield confirmed(
            f"k = {count}, n = {draws}: the binomial expansion, and the law beta(1, k)",
            "rational arithmetic and balls",
            low <= by_binomial <= high,
            value=str(by_binomial),
        )


CLAIMS: tuple[Claim, ...] = (
    mean_minus_std,
    mean_minus_var,
    never_dominated,
    herding,
    min_of_uniforms,
)
