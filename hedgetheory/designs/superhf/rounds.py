"""Claims on what a round of SuperHF is: a minimiser, a tree of draws, a bound on KL(p₀‖p)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from hedgetheory.claims.checks import confirmed, identity, positive, strictly_convex_from
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.superhf.draws import draws_pmf, expected_leaves
from hedgetheory.designs.superhf.policy import PAPER, SuperHF, next_cdf
from hedgetheory.expressions.symbols import beta, m, n, p, total, u
from hedgetheory.policies.best_of_n import BestOfN

#: Densities at a point: of what is imitated, of the prior, of any q; and a rank cdf with its slope.
b, c, q, x = sympy.symbols("b c q x", positive=True)
G, w = sympy.symbols("G w", positive=True)


@claim(
    "superhf.round-is-exact-minimiser",
    "A SuperHF round minimises KL(BoN‖q) + beta KL(p0‖q)",
    "Over all q, KL(b‖q) + beta KL(p0‖q) with b the Best-of-n of the current policy has its unique "
    "minimum at m = (b + beta p0)/(1 + beta), and exceeds it elsewhere by (1 + beta) KL(m‖q).",
    hypotheses=("beta > 0", "any law", "the filtered policy has a finite KL to m, which it has"),
    source=f"this project, on {PAPER}; the prior term is KL(p0‖p)",
)
def round_is_exact_minimiser() -> Iterator[Evidence]:
    mix = (b + beta * c) / (1 + beta)

    def cost(density: sympy.Expr) -> sympy.Expr:
        return b * sympy.log(b / density) + beta * c * sympy.log(c / density)

    excess = (1 + beta) * mix * sympy.log(mix / q)
    yield from identity(
        "cost(q) - cost(m) = (1 + beta) m ln(m/q), point by point",
        sympy.expand_log(cost(q) - cost(mix) - excess),
    )
    yield from strictly_convex_from("x ln x - x + 1 >= 0", x * sympy.log(x) - x + 1, x, 1, x)
    yield words(
        "With x = m/q, times q and integrated, the second gives KL(m‖q) >= 0 with equality only at "
        "q = m (Gibbs). b/m <= 1 + beta, so that all is finite at q = m."
    )


@claim(
    "superhf.no-prior-is-best-of-n-to-the-t",
    "SuperHF without a prior is Best-of-n^T after T rounds",
    "At beta = 0 the rank cdf after T rounds is u^(n^T).",
    hypotheses=("beta = 0", "n >= 1 real", "any law"),
    source=f"this project, on {PAPER}",
)
def no_prior_is_best_of_n_to_the_t() -> Iterator[Evidence]:
    step = next_cdf(u**m).subs(beta, 0)
    yield from identity("one round takes u^m to u^(m n)", step - u ** (m * n))
    yield words("G_0 = u is u^m with m = 1; by induction m = n^T after T rounds.")
    same = SuperHF(3, 0, 4).simplest() == BestOfN(81)
    yield confirmed("superhf(3, 0, rounds=4) is evaluated as bon(81)", "the policy itself", same)


@claim(
    "superhf.random-tree-of-draws",
    "SuperHF is best of a random number of draws, the leaves of a tree",
    "For an integer n, G is the probability generating function of N: N_0 = 1, and N_(t+1) is 1 "
    "with probability beta/(1 + beta), else the sum of n independent copies of N_t.",
    hypotheses=("n >= 1 an integer", "beta >= 0", "any law"),
    source=f"this project, on {PAPER}",
)
def random_tree_of_draws() -> Iterator[Evidence]:
    tree = G**n / (1 + beta) + beta * u / (1 + beta)
    yield from identity("the two chances weigh G^n and u as the round does", next_cdf(G) - tree)
    yield from identity("they sum to 1", 1 / (1 + beta) + beta / (1 + beta) - 1)
    yield words(
        "The pgf of a sum of n independent copies is the n-th power, n an integer; u is that of "
        "one draw. Best of N draws has its pgf as rank cdf (theory page, section 2)."
    )
    at, holds = Fraction(2, 7), True
    for size, prior, rounds in ((3, Fraction(23, 100), 2), (2, Fraction(1), 5)):
        mass = draws_pmf(size, prior, rounds)
        policy = SuperHF(size, prior, rounds)
        value = sympy.Rational(2, 7)
        cdf = policy.cdf.subs({n: size, beta: sympy.Rational(prior), u: value})
        by_tree = sum((share * at**k for k, share in mass.items()), Fraction(0))
        holds &= sympy.Rational(by_tree.numerator, by_tree.denominator) == cdf
        holds &= sum(mass.values()) == 1
    yield confirmed("G(2/7) by the enumerated tree and by the policy", "exact rationals", holds)


@claim(
    "superhf.mean-number-of-draws",
    "SuperHF's mean number of draws converges exactly when n < 1 + beta",
    "m_0 = 1, m_(t+1) = (n m_t + beta)/(1 + beta), so that m_T = m* + (1 - m*)(n/(1 + beta))^T "
    "with m* = beta/(1 + beta - n), and 1 + T beta/(1 + beta) at n = 1 + beta: as T -> oo it "
    "converges, to m*, iff n < 1 + beta, and goes to infinity otherwise.",
    hypotheses=("n > 1 an integer", "beta >= 0"),
    source=f"this project, on {PAPER}",
)
def mean_number_of_draws() -> Iterator[Evidence]:
    slope = (n * G ** (n - 1) * w + beta) / (1 + beta)
    chain = sympy.diff(next_cdf(G), G) * w + sympy.diff(next_cdf(G), u)
    yield from identity("G' after a round, by the chain rule", chain - slope)
    mean = sympy.Symbol("mean", positive=True)
    following = slope.subs(G, 1).subs(w, mean)
    fixed, power = beta / (1 + beta - n), total
    solution = fixed + (1 - fixed) * power
    grown = fixed + (1 - fixed) * power * n / (1 + beta)
    yield from identity(
        "the closed form solves the recursion", following.subs(mean, solution) - grown
    )
    yield from identity("and starts at 1", solution.subs(total, 1) - 1)
    at_edge = following.subs(n, 1 + beta) - mean - beta / (1 + beta)
    yield from identity("at n = 1 + beta each round adds beta/(1 + beta)", at_edge)
    beyond = ((n - 1) / (n - 1 - beta)).subs(n, 1 + beta + x)
    yield from positive("1 - m* = (n - 1)/(n - 1 - beta) > 0 for n > 1 + beta", beyond)
    yield from identity("that is 1 - m*", 1 - fixed - (n - 1) / (n - 1 - beta))
    yield words("(n/(1 + beta))^T -> 0, or -> oo with a positive factor.")
    mass = draws_pmf(3, "0.23", 3)
    by_tree = sum((k * share for k, share in mass.items()), Fraction(0))
    held = by_tree == expected_leaves(3, "0.23", 3)
    yield confirmed("E[N] of the enumerated tree, 3 rounds of n = 3", "exact rationals", held)


@claim(
    "superhf.reverse-kl-bounded",
    "SuperHF keeps KL(p0‖p) at most ln(1 + 1/beta)",
    "After every round w >= beta/(1 + beta), so that KL(p0‖p) <= ln(1 + 1/beta), atoms or not.",
    hypotheses=("beta > 0", "n >= 1", "any law", "at least one round"),
    source=f"this project, on {PAPER}",
)
def reverse_kl_bounded() -> Iterator[Evidence]:
    ratio = sympy.diff(next_cdf(G), G) * w + sympy.diff(next_cdf(G), u)
    yield from identity(
        "w after a round is beta/(1 + beta) + n G^(n-1) w/(1 + beta)",
        ratio - beta / (1 + beta) - n * G ** (n - 1) * w / (1 + beta),
    )
    yield from positive("the second term is positive", n * G ** (n - 1) * w / (1 + beta))
    yield from identity(
        "-ln(beta/(1 + beta)) = ln(1 + 1/beta)",
        sympy.log(beta / (1 + beta)) + sympy.log((1 + beta) / beta),
    )
    yield words("KL(p0‖p) = E0[-ln w]; an atom's ratio is an average of w over its interval.")
    worst = min(
        SuperHF(32, "0.23", 2).ratio.subs(
            {n: 32, beta: sympy.Rational(23, 100), u: sympy.Rational(k, 16)}
        )
        for k in range(1, 16)
    )
    held = bool(worst >= sympy.Rational(23, 123))
    yield confirmed("w >= 23/123 at 15 points, n = 32, beta = 0.23, 2 rounds", "rationals", held)


@claim(
    "superhf.greedier-in-n-milder-in-beta",
    "SuperHF is greedier in n and in rounds, milder in beta",
    "The rank cdf falls in n and with every round, and rises in beta: the mean proxy reward and "
    "KL(p‖p0) increase in n and in the number of rounds and decrease in beta, on every law.",
    hypotheses=("n > 1", "beta > 0", "proxy reward with a finite mean"),
    source=f"this project, on {PAPER}",
)
def greedier_in_n_milder_in_beta() -> Iterator[Evidence]:
    # p stands for G in (0, 1), w for −∂_n G ≥ 0 or ∂_β G ≥ 0 of the round before.
    cdf = sympy.Function("C")(total)
    moved = next_cdf(cdf)
    in_n = -(sympy.diff(moved, n) + sympy.diff(moved, cdf) * (-w)).xreplace({cdf: p})
    claimed_n = (-(p**n) * sympy.log(p) + n * p ** (n - 1) * w) / (1 + beta)
    yield from identity("-dG/dn after a round", in_n - claimed_n)
    yield from positive("it is positive", claimed_n)
    in_beta = (sympy.diff(moved, beta) + sympy.diff(moved, cdf) * w).xreplace({cdf: p})
    claimed_beta = n * p ** (n - 1) * w / (1 + beta) + (u - p**n) / (1 + beta) ** 2
    yield from identity("dG/dbeta after a round", in_beta - claimed_beta)
    yield from identity("u - G^n = (u - G) + G(1 - G^(n-1))", u - p**n - (u - p) - p + p**n)
    yield from positive("G(1 - G^(n-1)) > 0 for 0 < G < 1", p * (1 - p ** (n - 1)))
    yield words("G <= u: it holds for u, and (G^n + beta u)/(1 + beta) <= u as G^n <= G <= u.")
    step = next_cdf(p) - (p + u * beta) / (1 + beta) + p * (1 - p ** (n - 1)) / (1 + beta)
    yield from identity("a round takes less from (G + beta u)/(1 + beta)", step)
    later, before = sympy.symbols("later before", positive=True)
    gained = later * sympy.log(later) - before * sympy.log(before)
    parts = later * sympy.log(later / before) + (later - before) * sympy.log(before)
    yield from identity("w' ln w' - w ln w = w' ln(w'/w) + (w' - w) ln w", gained - parts)
    yield words(
        "Rounds: G_1 < u = G_0, and x -> (x^n + beta u)/(1 + beta) increases, so G_(t+1) < G_t. "
        "A smaller G is a larger reward in law; w does not decrease in r, so that E'[ln w] >= "
        "E[ln w]; KL rises by KL(p'‖p) and that. Atoms average w over their intervals."
    )


CLAIMS: tuple[Claim, ...] = (
    round_is_exact_minimiser,
    no_prior_is_best_of_n_to_the_t,
    random_tree_of_draws,
    mean_number_of_draws,
    reverse_kl_bounded,
    greedier_in_n_milder_in_beta,
)
