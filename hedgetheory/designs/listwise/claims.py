"""Claims on listwise scores."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product

import sympy
from sympy import Symbol, log, sqrt

from hedgetheory.claims.atoms import bon_kl, bon_masses, continuous_kl
from hedgetheory.claims.checks import as_json, ball_at, confirmed, identity, positive
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.listwise.functions import listwise_reward, share_of_ties
from hedgetheory.expressions.symbols import n, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.joint import BivariateNormal
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.best_of_n import BestOfN

PAPER = "arXiv 2506.03637"
_TRUE = (1, 1, 2, 5)


@claim(
    "listwise.hedging-is-free",
    "A constant scorer gets exactly the mean of a random permutation",
    "R(s) + R(-s) = 2 - W_ne/W, W_ne the weight of the pairs whose true scores differ: a constant "
    "scorer gets 1 - W_ne/(2W), the mean of R over all orders of any scores without ties.",
    hypotheses=("at least two responses", "for the mean: scores without ties, uniformly permuted"),
    source=f"this project, on {PAPER}",
)
def hedging_is_free() -> Iterator[Evidence]:
    penalty, unequal, total = sympy.symbols("P W_ne W", positive=True)
    yield words(
        "negating s exchanges kept and reversed pairs and keeps ties: a pair with different true "
        "scores costs w in all over s and -s (w + 0, or w/2 twice), one with equal ones nothing; "
        "and P <= W_ne <= W, so that the maximum with 0 never acts"
    )
    yield from identity(
        "(1 - P/W) + (1 - (W_ne - P)/W) = 2 - W_ne/W",
        (1 - penalty / total) + (1 - (unequal - penalty) / total) - (2 - unequal / total),
    )
    yield from identity(
        "a constant has P = W_ne/2, half of that sum",
        1 - unequal / (2 * total) - (2 - unequal / total) / 2,
    )
    yield words("permutations pair up as s and its reversal, so that their mean is half of it too")
    constant = listwise_reward(_TRUE, (3, 3, 3, 3))
    rewards = [listwise_reward(_TRUE, order) for order in permutations((1, 2, 3, 4))]
    both = all(
        listwise_reward(_TRUE, s) + listwise_reward(_TRUE, [-x for x in s])
        == 2 - (1 - share_of_ties(_TRUE))
        for s in product((1, 2, 5), repeat=4)
    )
    yield confirmed(
        "true scores 1, 1, 2, 5: all 24 permutations, and 81 lists of scores",
        "rational arithmetic",
        sum(rewards, Fraction(0)) / 24 == constant and both,
        constant=str(constant),
    )


@claim(
    "listwise.sees-only-the-order",
    "The listwise reward does not change under increasing transforms of the scores",
    "R sees only the signs of differences of the scores: T(s) has the reward of s for every "
    "strictly increasing T.",
    hypotheses=("T strictly increasing",),
    source=PAPER,
)
def sees_only_the_order() -> Iterator[Evidence]:
    x, gap = Symbol("x", real=True), Symbol("gap", positive=True)
    slope = gap * (1 + 3 * x**2 + 3 * x * gap + gap**2)
    yield from identity(
        "for T(x) = x^3 + x: T(x + gap) - T(x)",
        sympy.expand((x + gap) ** 3 + x + gap - x**3 - x - slope),
    )
    yield words("a strictly increasing T keeps every sign of a difference, and R is made of those")
    same = all(
        listwise_reward(_TRUE, s) == listwise_reward(_TRUE, [y**3 + y for y in s])
        for s in product((-1, 0, 2), repeat=4)
    )
    yield confirmed("T(s) = s^3 + s on 81 lists", "rational arithmetic", same)


@claim(
    "listwise.scores-have-atoms",
    "Best-of-n on scores with ties costs less KL than ln n - 1 + 1/n",
    "On finitely many scores KL(BoN) is the sum over atoms, strictly below ln n - 1 + 1/n for n > "
    "1, and at most ln(1/p_top), p_top the mass of the best score.",
    hypotheses=("a law on finitely many scores", "n > 1"),
    source="Beirami et al., arXiv 2401.01879; atoms.* of this ledger",
)
def scores_have_atoms() -> Iterator[Evidence]:
    top = Symbol("s", positive=True)
    yield from positive(
        "w(u) = n u^(n-1) increases strictly, n > 1: slope with n = 1 + s",
        (1 + top) * top * u ** (top - 1),
    )
    yield words(
        "an atom's ratio is the mean of w over its stretch of u: by strict Jensen for x ln x its "
        "term is below the integral of w ln w there, and the sum below ln n - 1 + 1/n. Ratios "
        "increase with the score, so KL <= ln of that at the top, (1 - (1-p)^n)/p <= 1/p."
    )
    share, rest = sympy.symbols("p rest", positive=True)
    yield from identity(
        "1/p - (1 - (1-p)^n)/p = (1-p)^n/p, which is >= 0",
        1 / share - (1 - rest**n) / share - rest**n / share,
    )
    scores = Finite({1: "1/10", 2: "1/5", 3: "2/5", 4: "1/5", 5: "1/10"})
    for draws in (2, 16, 200):
        with precision(200):
            kl = bon_kl(scores, draws)
            below = bool(kl < continuous_kl(draws) and kl <= ball_at(log(sympy.Integer(10)), {}))
        yield confirmed(
            f"five scores, n = {draws}", "balls", below and len(bon_masses(scores, draws)) == 5
        )


@claim(
    "listwise.correlated-principles",
    "Best-of-n on one principle moves another by rho e_n",
    "Principles A and B standard normal with correlation rho: E[B] under Best-of-n on A is rho "
    "e_n, e_n the mean of the largest of n standard normals. Where rho < 0 the best n is 1, where "
    "rho > 0 there is no best n: no interior threshold.",
    hypotheses=("(A, B) bivariate normal, standardised", "-1 <= rho <= 1"),
    source="this project",
)
def correlated_principles() -> Iterator[Evidence]:
    rho, a, b = sympy.symbols("rho a b", real=True)
    rest = 1 - rho**2
    joint = sympy.exp(-(a**2 - 2 * rho * a * b + b**2) / (2 * rest))
    yield from identity(
        "(b - rho a) f(a, b) = -(1 - rho^2) df/db",
        (b - rho * a) * joint + rest * sympy.diff(joint, b),
    )
    yield words(
        "integrated over b: E[B | A = a] = rho a for |rho| < 1; at rho = 1, -1 B is A, -A. So E[B] "
        "= rho E[A] = rho e_n."
    )
    yield words(
        "e_n increases strictly in n: the largest of n + 1 is at least that of n, and larger with "
        "positive probability. e_1 = 0."
    )
    gold = BivariateNormal("-1/2").implied(Normal())
    for draws, exact in ((2, 1 / sqrt(sympy.pi)), (3, 3 / (2 * sqrt(sympy.pi)))):
        with precision(200):
            expected = ball_at(-exact / 2, {})
        found = value(Normal(), BestOfN(draws), "gold", gold=GoldCurve.of(gold), digits=25)
        low, high = found.bounds
        with precision(200):
            inside = bool(ball(low) <= expected) and bool(expected <= ball(high))
        yield confirmed(
            f"rho = -1/2, n = {draws}: -e_n/2", "balls", inside, value=as_json(expected)
        )


CLAIMS: tuple[Claim, ...] = (
    hedging_is_free,
    sees_only_the_order,
    scores_have_atoms,
    correlated_principles,
)
