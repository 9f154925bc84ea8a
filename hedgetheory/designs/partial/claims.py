"""Claims on weighted partial rewards: when they rank correctness first, and what if not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import prod

import sympy
from sympy import exp, log

from hedgetheory.claims.checks import certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.partial.functions import (
    REWARD,
    WEIGHTS,
    S,
    W,
    bigram_jaccard,
    margin,
    no_gradient,
    reward,
    success,
)
from hedgetheory.expressions.symbols import a, lam, mu, n, p, u

PAPER = "arXiv 2503.23157 (Reasoning-SQL)"
OURS = f"this project, on {PAPER}"
WEIGHTS_AS = "weights exec 3, judge 2, syntax, schema, n-gram, format 1 each (second-hand)"
_OTHERS = ("judge", "schema", "ngram")

#: Two queries with one set of bigrams: the two ways round the loops that start at "=".
FIRST = "SELECT b FROM t WHERE b = 1 AND b = 2 OR b = 3"
SECOND = "SELECT b FROM t WHERE b = 2 OR b = 1 AND b = 3"


@claim(
    "partial.dominance",
    "Every correct query outranks every wrong one iff w_exec > w_judge + w_schema + w_ngram",
    "A correct query has execution, syntax and format 1, a wrong one execution 0; the other scores "
    "are anything in [0, 1]. The least reward of a correct query less the largest of a wrong one "
    "is w_exec - w_judge - w_schema - w_ngram, attained on both sides, whether or not the judge "
    "also scores correct queries.",
    hypotheses=("weights > 0", "scores in [0, 1], each combination possible"),
    source=OURS,
)
def dominance() -> Iterator[Evidence]:
    free = {part: sympy.Symbol(f"q_{part}", nonnegative=True) for part in _OTHERS}
    lost = {part: sympy.Symbol(f"x_{part}", nonnegative=True) for part in W}
    correct = REWARD.subs({S[x]: 1 for x in ("execution", "syntax", "format")})
    correct = correct.subs({S[part]: free[part] for part in _OTHERS})
    # A wrong query loses x of each score but execution, which it has not got.
    wrong = REWARD.subs(S["execution"], 0).subs({S[part]: 1 - lost[part] for part in W})
    least = W["execution"] - sympy.Add(*(W[part] for part in _OTHERS))
    rest = sympy.Add(*(W[part] * (free[part] + lost[part]) for part in _OTHERS))
    rest += W["syntax"] * lost["syntax"] + W["format"] * lost["format"]
    yield from identity("correct less wrong = margin + terms >= 0", correct - wrong - least - rest)
    zero = dict.fromkeys([*free.values(), *lost.values()], sympy.S.Zero)
    yield from identity("the terms vanish at the worst pair", rest.subs(zero))
    yield words("Each term is a weight times scores >= 0, so the margin is the least difference.")


@claim(
    "partial.published-weights-dominate",
    "With the published weights and the judge correct queries outrank wrong ones",
    "With 3 for execution, 2 for the judge and 1 for each other part, every correct query has a "
    "larger reward than every wrong one.",
    hypotheses=(WEIGHTS_AS, "the judge scores queries that fail"),
    source=PAPER,
    expected="refuted",
)
def published_weights_dominate() -> Iterator[Evidence]:
    right = reward({"execution": 1, "syntax": 1, "format": 1})
    wrong = reward({part: 1 for part in WEIGHTS if part != "execution"})
    yield witness(
        "a correct query without overlap earns 5, a wrong one that pleases the judge 6",
        "rational arithmetic",
        wrong > right,
        correct=str(right),
        wrong=str(wrong),
    )


@claim(
    "partial.without-the-judge",
    "Without the judge the published weights dominate",
    "With 3 for execution and 1 for syntax, schema, n-gram and format each, the margin is 1 > 0.",
    hypotheses=(WEIGHTS_AS, "no judge"),
    source=OURS,
    expected="certified",
)
def without_the_judge() -> Iterator[Evidence]:
    kept = {part: weight for part, weight in WEIGHTS.items() if part != "judge"}
    steps = (Fraction(0), Fraction(1, 2), Fraction(1))
    correct = {"execution": 1, "syntax": 1, "format": 1}
    least = min(
        reward({**correct, "schema": q, "ngram": v}, kept)
        - reward({"syntax": x, "format": x, "schema": y, "ngram": z}, kept)
        for q, v, x, y, z in product(steps, repeat=5)
    )
    yield certified(
        "the margin is 1, attained at the ends", "rationals", margin(kept) == least == 1
    )


@claim(
    "partial.bigram-jaccard-one-is-equality",
    "A bigram Jaccard index of 1 means equal queries",
    "If the sets of bigrams of two queries have Jaccard index 1, the queries are the same text, or "
    "at least have the same result.",
    hypotheses=("tokens between white space",),
    source="widely assumed",
    expected="refuted",
)
def bigram_jaccard_one_is_equality() -> Iterator[Evidence]:
    rows = (1, 2, 3)
    first = [b for b in rows if (b == 1 and b == 2) or b == 3]
    second = [b for b in rows if b == 2 or (b == 1 and b == 3)]
    yield witness(
        "two queries with one set of bigrams, one of which finds b = 3 and the other b = 2",
        "sets, and both conditions on the rows 1, 2, 3",
        bigram_jaccard(FIRST, SECOND) == 1 and first == [3] and second == [2],
        first=FIRST,
        second=SECOND,
        results=[first, second],
    )


@claim(
    "partial.success-with-dominance",
    "With dominance Best-of-n succeeds with probability 1 - (1 - p)^n",
    "Where every correct query outranks every wrong one, P(the best of n is correct) = "
    "1 - (1 - p)^n, whatever the two laws: it increases in n, and no threshold is interior.",
    hypotheses=("p = P(correct)", "n independent queries", "dominance"),
    source=OURS,
)
def with_dominance() -> Iterator[Evidence]:
    # Where f₁ > 0 all wrong rewards are below: F = p F₁ + 1 − p, with v = F₁.
    v = sympy.Symbol("v", positive=True)
    whole = (p * v + 1 - p) ** n
    yield from identity(
        "n p (p v + 1 - p)^(n-1) is the slope of (p v + 1 - p)^n",
        sympy.diff(whole, v) - n * p * (p * v + 1 - p) ** (n - 1),
    )
    yield from identity("from v = 0 to 1", whole.subs(v, 1) - whole.subs(v, 0) - (1 - (1 - p) ** n))
    yield from positive("it increases in n", sympy.diff(1 - (1 - p) ** n, n))


@claim(
    "partial.success-without-dominance",
    "Without dominance success is the integral of n p f1 (p F1 + (1-p) F0)^(n-1)",
    "P(the best of n is correct) = int n p f1 F^(n-1) with F = p F1 + (1-p) F0 where there are no "
    "atoms, and sum [F^n - F-^n] P(correct | reward) with atoms, ties by lot: the value of "
    "Best-of-n with gold P(correct | reward).",
    hypotheses=("n independent queries", "ties by lot"),
    source=OURS,
)
def without_dominance() -> Iterator[Evidence]:
    right, wrong, below = sympy.symbols("f1 f0 F", positive=True)
    density = p * right + (1 - p) * wrong
    policy = n * below ** (n - 1) * density  # the density of the best of n
    yield from identity(
        "the best's density times P(correct | reward) is n p f1 F^(n-1)",
        policy * p * right / density - n * p * right * below ** (n - 1),
    )
    yield from identity(
        "correct and wrong together: n F^(n-1) dF",
        n * p * right * below ** (n - 1) + n * (1 - p) * wrong * below ** (n - 1) - policy,
    )
    share, values = Fraction(1, 3), (0, 1, 2)
    correct = (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2))
    other = (Fraction(1, 2), Fraction(1, 6), Fraction(1, 3))
    same = all(
        success(share, values, correct, other, k) == _by_enumeration(share, correct, other, k)
        for k in (1, 2, 3, 4)
    )
    yield confirmed("all tuples of up to four queries with ties", "exact rationals", same)


def _by_enumeration(
    share: Fraction, correct: tuple[Fraction, ...], wrong: tuple[Fraction, ...], count: int
) -> Fraction:
    """P(the best of n is correct) from every tuple of (level, correct or not), ties by lot."""
    outcomes = [(i, True, share * mass) for i, mass in enumerate(correct)]
    outcomes += [(i, False, (1 - share) * mass) for i, mass in enumerate(wrong)]
    total = Fraction(0)
    for queries in product(outcomes, repeat=count):
        top = max(level for level, _, _ in queries)
        best = [good for level, good, _ in queries if level == top]
        total += prod(mass for _, _, mass in queries) * Fraction(sum(best), len(best))
    return total


@claim(
    "partial.more-draws-help",
    "More draws never lower the success of partial rewards",
    "P(the best of n is correct) does not decrease in n.",
    hypotheses=(WEIGHTS_AS,),
    source="common practice",
    expected="refuted",
)
def more_draws_help() -> Iterator[Evidence]:
    # Half are correct, at 5; of the wrong ones a tenth please the judge, at 6.
    law = ("1/2", (1, 5, 6), (0, 1, 0), ("9/10", 0, "1/10"))
    values = [success(*law, k) for k in (3, 4, 5, 16, 64)]
    yield witness(
        "p = 1/2, correct queries at 5, a tenth of the wrong ones at 6: n = 4 is the best",
        "rational arithmetic",
        bool(values[0] < values[1] > values[2] > values[3] > values[4]),
        success={
            str(k): str(sympy.N(x, 8)) for k, x in zip((3, 4, 5, 16, 64), values, strict=True)
        },
    )


@claim(
    "partial.threshold",
    "A share e of wrong queries on top puts the threshold at ln(ln b/ln a)/ln(a/b)",
    "Correct queries (share p of all) at one level, wrong ones above it with share e and below it: "
    "success is a^n - b^n with a = 1 - e, b = 1 - e - p. It has one peak, at n = ln(ln b/ln a)/"
    "ln(a/b), the threshold where that exceeds 1, and tends to 0; without wrong ones on top (e = "
    "0) there is none.",
    hypotheses=("0 < b < a < 1", "real n > 0"),
    source=OURS,
)
def threshold() -> Iterator[Evidence]:
    # a = e^{−λ}, b = e^{−λ−μ}.
    value = exp(-lam * n) - exp(-(lam + mu) * n)
    place = log((lam + mu) / lam) / mu
    slope = sympy.diff(value, n)
    yield from identity("f' = 0 there", slope.subs(n, place))
    yield from positive("e^(lam n) f' falls in n: no other zero", -sympy.diff(
        sympy.expand(slope * exp(lam * n)), n))  # fmt: skip
    level = 1 - a  # e = 0: 1 − b^n with b = 1 − p
    yield from positive("with e = 0 success increases", sympy.diff(1 - level**n, n))


@claim(
    "partial.no-gradient",
    "With the execution reward alone a group has no policy gradient with p^G + (1-p)^G",
    "All G rewards of a group are equal, and so all advantages zero, iff all are right or all "
    "wrong: probability p^G + (1 - p)^G, least at p = 1/2, where it is 2^(1-G). The penalty's "
    "gradient stays.",
    hypotheses=("G independent responses", "advantages r - mean, divided by std or not"),
    source=OURS,
)
def gradient_lost() -> Iterator[Evidence]:
    count, rate = sympy.symbols("c rate", positive=True)
    size = count + rate
    # c ones and G − c zeros: Σ (r − mean)² = c(G − c)/G, 0 iff c = 0 or c = G.
    squares = count * (1 - count / size) ** 2 + rate * (count / size) ** 2
    yield from identity("sum of squared deviations = c(G-c)/G", squares - count * rate / size)
    yield from identity(
        "p^G + (1-p)^G at p = 1/2",
        sympy.Rational(1, 2) ** n + (1 - sympy.Rational(1, 2)) ** n - 2 * 2**-n,
    )
    half = sympy.Rational(1, 2)
    away = u / 2  # p = ½ + away, by symmetry; convex in p for G >= 2, with n = 1 + d
    bend = sympy.diff((half + p) ** (n + 1) + (half - p) ** (n + 1), p, 2).subs(p, away)
    yield from positive(
        "convex in p for G > 2 (at G = 2 it is 1 - 2p(1-p)): least in the middle", bend
    )
    share = Fraction(1, 3)
    total = Fraction(0)
    for group in product((0, 1), repeat=5):
        if len(set(group)) == 1:
            total += prod(share if x else 1 - share for x in group)
    yield confirmed(
        "all groups of five at p = 1/3", "exact rationals", bool(no_gradient(share, 5) == total)
    )


@claim(
    "partial.finer-rewards-keep-the-gradient",
    "Partial rewards leave fewer groups without a gradient",
    "Splitting the mass m of one reward value into x + y lowers the probability of equal rewards, "
    "sum m_i^G, by (x + y)^G - x^G - y^G > 0.",
    hypotheses=("x, y > 0", "G > 1"),
    source=OURS,
)
def finer_rewards() -> Iterator[Evidence]:
    y, d = sympy.symbols("y d", positive=True)
    yield from identity(
        "x = 1 and G = 1 + d: (1+y)^G - 1 - y^G = ((1+y)^d - 1) + y ((1+y)^d - y^d)",
        (1 + y) ** (1 + d) - 1 - y ** (1 + d) - ((1 + y) ** d - 1) - y * ((1 + y) ** d - y**d),
    )
    yield from positive("(1+y)^d > 1", (1 + y) ** d - 1)
    yield from positive("(1+y)^d > y^d, as (1 + 1/y)^d > 1", (1 + 1 / y) ** d - 1)
    yield words("For other x both sides are multiplied by x^G, with y/x for y.")


CLAIMS: tuple[Claim, ...] = (
    dominance,
    published_weights_dominate,
    without_the_judge,
    bigram_jaccard_one_is_equality,
    with_dominance,
    without_dominance,
    more_draws_help,
    threshold,
    gradient_lost,
    finer_rewards,
)

#: The statement from which rewards and the margin are derived.
STATEMENT = sympy.Eq(sympy.Symbol("R"), REWARD)
