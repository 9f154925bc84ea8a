"""Claims on majority labels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import Symbol, log

from hedgetheory.claims.checks import (
    as_json,
    ball_at,
    certified,
    confirmed,
    identity,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.majority.functions import (
    GROUP,
    best_of_n_success,
    logit,
    majority_accuracy,
    next_logit,
    plurality_accuracy,
)
from hedgetheory.expressions.symbols import lam, m, p
from hedgetheory.numerics.ball import precision

PAPER = "arXiv 2508.00410"
_TWO = "two possible answers, samples of a phrasing independent"

#: A = I_p(m, m), the accuracy of a label of 2m or 2m − 1 samples.
accuracy = Symbol("A", positive=True)
_j, _size, _ways = (
    Symbol("j", positive=True),
    Symbol("N", positive=True),
    Symbol("C", positive=True),
)
#: 1 − p on its own, so that its powers come apart.
t = Symbol("t", positive=True)
_CHANCES = tuple(map(Fraction, ("1/100", "3/10", "1/2", "7/9", "99/100")))


def _slope(expr: sympy.Expr) -> sympy.Expr:
    """d/dp of a formula in p and t = 1 − p."""
    return sympy.diff(expr, p) - sympy.diff(expr, t)


def _telescoping() -> Iterator[Evidence]:
    """d/dp Σ_{j ≥ k} C(N, j) p^j (1 − p)^{N − j} = N C(N − 1, k − 1) p^{k−1} (1 − p)^{N−k}."""
    term = _ways * p**_j * t ** (_size - _j)
    # N C(N − 1, j − 1) = j C(N, j) and N C(N − 1, j) = (N − j) C(N, j), with C for C(N, j).
    before = _j * _ways * p ** (_j - 1) * t ** (_size - _j)
    after = (_size - _j) * _ways * p**_j * t ** (_size - 1 - _j)
    yield from identity(
        "d/dp C(N,j) p^j (1-p)^(N-j) = a_{j-1} - a_j, a_j = N C(N-1,j) p^j (1-p)^(N-1-j)",
        sympy.expand(_slope(term) - (before - after)),
    )
    yield words("the sum over j from k to N telescopes to a_{k-1}, as a_N = 0")


@claim(
    "majority.even-adds-nothing",
    "A label of 2m samples is as accurate as one of 2m - 1",
    "P(majority of 2m right) = P(majority of 2m - 1 right) = I_p(m, m), ties split.",
    hypotheses=(_TWO, "m >= 1", "0 <= p <= 1"),
    source=PAPER,
)
def even_adds_nothing() -> Iterator[Evidence]:
    yield from _telescoping()
    # C(2m, m) = c: 2m C(2m − 1, m) = m c, and (2m − 1) C(2m − 2, m − 1) = m c/2.
    c = Symbol("c", positive=True)
    odd = m * c / 2 * (p * t) ** (m - 1)
    more = m * c * p**m * t ** (m - 1)
    tie = _slope(c / 2 * (p * t) ** m)
    yield from identity(
        "slopes in p: 2m C(2m-1,m) p^m (1-p)^(m-1) + (C(2m,m) (p(1-p))^m / 2)' = that of 2m - 1",
        sympy.powsimp(sympy.expand((more + tie - odd) / (p * t) ** (m - 1))).xreplace({t: 1 - p}),
    )
    yield words("both are 0 at p = 0; the slope is p^(m-1) (1-p)^(m-1) / B(m,m), that of I_p(m,m)")
    for half in (1, 2, 4, 25):
        yield confirmed(
            f"m = {half}: equal at {len(_CHANCES)} chances",
            "rational arithmetic",
            all(
                majority_accuracy(x, 2 * half) == majority_accuracy(x, 2 * half - 1)
                for x in _CHANCES
            ),
        )


@claim(
    "majority.smallest-label-when-weak",
    "Below one half the best label is a single sample",
    "For odd G the accuracy of a majority label falls in G where p < 1/2, and grows where p > 1/2: "
    "below one half the best G is 1, tied with 2.",
    hypotheses=(_TWO, "0 < p < 1, p != 1/2"),
    source=PAPER,
)
def smallest_label_when_weak() -> Iterator[Evidence]:
    yield from _telescoping()
    # With C = C(2m − 1, m): 1/B(m, m) = m C and 1/B(m + 1, m + 1) = (4m + 2) C.
    step = (p - t) * (p * t) ** m
    slopes = (4 * m + 2) * (p * t) ** m - m * (p * t) ** (m - 1)
    yield from identity(
        "I_p(m+1,m+1) - I_p(m,m) and C(2m-1,m) (2p-1) (p(1-p))^m have the same slope in p",
        sympy.powsimp(sympy.expand((_slope(step) - slopes) / (p * t) ** (m - 1))).xreplace(
            {t: 1 - p}
        ),
    )
    yield words("both are 0 at p = 0, so that they are equal: the step has the sign of 2p - 1")
    for x in _CHANCES:
        values = [majority_accuracy(x, group) for group in range(1, 12, 2)]
        ordered = all((b - a) * (2 * x - 1) > 0 or x == Fraction(1, 2) for a, b in pairwise(values))
        yield confirmed(f"p = {x}: G = 1, 3, ..., 11", "rational arithmetic", ordered)


@claim(
    "majority.sum-one-divides",
    "p + q = 1 divides collapse to the right answer from collapse to the wrong one",
    "Under simultaneous updates logit p <- logit p + lam (2 I_q(m,m) - 1) and symmetrically, "
    "p + q = 1 is invariant; above it both p and q go to 1, below it both to 0, for every lam > 0.",
    hypotheses=(_TWO, "lam > 0, m >= 1", "0 < p, q < 1"),
    source=f"{PAPER}, the update as a modelling choice",
)
def sum_one_divides() -> Iterator[Evidence]:
    yield from identity("the density of I_p(m,m) is even about 1/2", _even(p) - _even(1 - p))
    yield words("so I_{1-p}(m,m) = 1 - I_p(m,m): h(x) = 2 I_{sigma(x)}(m,m) - 1 is odd, increasing")
    odds = sympy.exp(logit(p))
    yield from identity(
        "logit(1 - p) = -logit p, by the odds", odds * odds.xreplace({p: 1 - p}) - 1
    )
    x, hx = Symbol("x", real=True), Symbol("h", real=True)
    yield from identity(
        "from y = -x, h(y) = -h(x): the next x and y have sum 0",
        next_logit(x, (1 - hx) / 2) + next_logit(-x, (1 + hx) / 2),
    )
    hy = Symbol("k", real=True)
    y = Symbol("y", real=True)
    ahead, behind = next_logit(x, (1 + hy) / 2), next_logit(y, (1 + hx) / 2)
    yield from identity(
        "s = x + y becomes s + lam (h(x) + h(y))", ahead + behind - (x + y + lam * (hx + hy))
    )
    yield from identity(
        "d = x - y becomes d - lam (h(x) - h(y))", ahead - behind - (x - y - lam * (hx - hy))
    )
    yield words(
        "s > 0: y > -x, so h(x) + h(y) > 0 and s grows. |h| < 1 and h(x) - h(y) has the sign of d, "
        "so |d| never exceeds max(|d_0|, 2 lam). On s_0 <= s <= S with d bounded, h(x) + h(y) has "
        "a positive minimum, so s passes every S: s -> oo with d bounded, both x and y go to oo. "
        "s < 0 is the mirror image."
    )
    yield from positive("the slope of h is positive", p ** (m - 1) * t ** (m - 1))
    for start, end in ((("3/5", "41/100"), 1), (("3/5", "39/100"), 0)):
        for strength in (Fraction(1, 10), Fraction(2)):
            last = _after(400, Fraction(start[0]), Fraction(start[1]), strength)
            near = all(abs(value - end) < 0.01 for value in last)
            yield confirmed(f"from {start}, lam = {strength}: both near {end}", "binary64", near)


def _even(x: sympy.Expr) -> sympy.Expr:
    return x ** (m - 1) * (1 - x) ** (m - 1)


def _after(steps: int, own: Fraction, other: Fraction, strength: Fraction) -> tuple[float, float]:
    from hedgetheory.designs.majority.functions import orbit

    states = orbit(float(own), float(other), float(strength))
    return [next(states) for _ in range(steps)][-1]


@claim(
    "majority.agreement-prevents-collapse",
    "Agreement across phrasings prevents collapse",
    "Rewarding agreement with the other phrasing's majority keeps the policy from collapsing to a "
    "wrong answer.",
    hypotheses=(_TWO,),
    source=f"a popular reading of {PAPER}",
    expected="refuted",
)
def agreement_prevents_collapse() -> Iterator[Evidence]:
    start = Fraction(1, 5)
    wrong = majority_accuracy(start, GROUP)
    yield witness(
        "p = q = 1/5, G = 8: p + q < 1 and a right answer earns less than a wrong one, so that "
        "both go to 0 (majority.sum-one-divides)",
        "rational arithmetic",
        wrong < Fraction(1, 2),
        reward_of_right=str(wrong),
        reward_of_wrong=str(1 - wrong),
    )
    yield witness(
        "p = q = 0: the constant wrong answer always agrees, reward 1",
        "rational arithmetic",
        1 - majority_accuracy(0, GROUP) == 1,
        reward="1",
    )


@claim(
    "majority.plurality-finds-the-mode",
    "With several answers a label can be right although p < 1/2",
    "With three answers or more, more samples can help below one half: plurality goes to the mode.",
    hypotheses=("answers with chances 2/5, 3/10, 3/10, the first right", "ties split evenly"),
    source="this project",
    expected="certified",
)
def plurality_finds_the_mode() -> Iterator[Evidence]:
    chances = ["2/5", "3/10", "3/10"]
    values = {group: plurality_accuracy(chances, group) for group in (1, 8, 33, 60)}
    yield certified(
        "p = 2/5: accuracy 2/5 at G = 1, above 7/10 at G = 60, increasing between",
        "rational arithmetic",
        values[1] == Fraction(2, 5)
        and values[60] > Fraction(7, 10)
        and all(a < b for a, b in pairwise(values.values())),
        values={str(group): f"{float(value):.15g}" for group, value in values.items()},
    )
    two = [plurality_accuracy(["2/5", "3/5"], group) for group in (7, 8)]
    yield confirmed(
        "with two answers it is the majority",
        "rational arithmetic",
        two == [majority_accuracy("2/5", group) for group in (7, 8)],
    )


@claim(
    "majority.best-of-n-turns-once",
    "Best-of-n against a majority label hacks: one turn, at an explicit n",
    "With a label right with chance A, Best-of-n by agreement succeeds with f(n) = A (1 - (1-p)^n) "
    "+ (1-A) p^n. Over all real n, f' has exactly one zero, ln c / ln((1-p)/p) with c = (1-A) ln p "
    "/ (A ln(1-p)): a maximum for p > 1/2, a minimum for p < 1/2, interior where it exceeds 1. f "
    "goes to A as n grows.",
    hypotheses=("0 < p < 1, p != 1/2", "0 < A < 1", "real n"),
    source="this project",
)
def best_of_n_turns_once() -> Iterator[Evidence]:
    n = Symbol("n", positive=True)
    value = accuracy * (1 - t**n) + (1 - accuracy) * p**n
    c = (1 - accuracy) * log(p) / (accuracy * log(t))
    rising = -accuracy * log(t) * t**n
    yield from identity(
        "f' = -A ln(1-p) (1-p)^n (1 - c (p/(1-p))^n)",
        sympy.expand(sympy.diff(value, n) - rising * (1 - c * p**n / t**n)),
    )
    yield words(
        "-ln(1-p) > 0, c > 0, and (p/(1-p))^n is strictly monotone in n: increasing for p > 1/2 "
        "(f' from + to -), decreasing for p < 1/2 (from - to +), so that f' = 0 once, where "
        "(p/(1-p))^n = 1/c. As n grows both powers vanish: f goes to A."
    )
    chance = Fraction(3, 5)
    label = majority_accuracy(chance, GROUP)
    values = [best_of_n_success(k, chance, label) for k in range(1, 30)]
    yield confirmed(
        "p = q = 3/5, G = 8: the best whole n is 4, better than the label itself",
        "rational arithmetic",
        values.index(max(values)) == 3 and values[3] > label,
        value=str(values[3]),
        label=str(label),
    )
    with precision(200):
        place = {p: chance, t: 1 - chance, accuracy: label}
        threshold = ball_at(log(c) / log(t / p), place)
    yield confirmed(
        "its real threshold is between 3 and 4", "balls", 3 < threshold < 4, n=as_json(threshold)
    )


CLAIMS: tuple[Claim, ...] = (
    even_adds_nothing,
    smallest_label_when_weak,
    sum_one_divides,
    agreement_prevents_collapse,
    plurality_finds_the_mode,
    best_of_n_turns_once,
)
