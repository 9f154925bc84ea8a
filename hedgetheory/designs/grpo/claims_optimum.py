"""Claims on where GRPO with the k3 penalty stops: π = β π_ref/(η − r), on any bounded reward."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations, product
from math import prod

import sympy
from sympy import Rational, log
from sympy.combinatorics import Permutation

from hedgetheory.claims.checks import (
    as_json,
    ball_at,
    confirmed,
    identity,
    integral_is,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.grpo.claims_loss import OURS, policy, reference
from hedgetheory.designs.grpo.policy import Grpo
from hedgetheory.expressions.symbols import beta, r, u
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.finite import Finite

ON_POLICY = "responses of the current policy, one token or k3 on whole responses"
eta = sympy.Symbol("eta", positive=True)


@claim(
    "grpo.optimum",
    "GRPO with k3 stops at pi = beta pi_ref/(eta - r), the one optimum of E[R] - beta KL(ref || "
    "pi)",
    "With advantages r - mean the stationary policy is pi = beta pi_ref/(eta - r), eta >= r_max; "
    "it is the unique maximum of J = E_pi[R] - beta KL(pi_ref || pi), and J(pi) - J(q) = "
    "beta E_ref[x - 1 - ln x], x = q/pi, for every q where pi has no mass beyond this one.",
    hypotheses=(ON_POLICY, "r bounded above", "advantages not divided by the standard deviation"),
    source=OURS,
)
def optimum() -> Iterator[Evidence]:
    other = sympy.Symbol("other", positive=True)
    yield from identity(
        "stationary: r + beta ref/pi = eta at pi = beta ref/(eta - r)",
        (r + beta * reference / policy).subs(policy, beta * reference / (eta - r)) - eta,
    )
    here = policy * (eta - beta * reference / policy) + beta * reference * log(policy / reference)
    there = other * (eta - beta * reference / policy) + beta * reference * log(other / reference)
    x = other / policy
    yield from identity(
        "J(pi) - J(q) - beta ref (x - 1 - ln x) = eta (pi - q), response by response",
        here - there - beta * reference * (x - 1 - log(x)) - eta * (policy - other),
    )
    yield words(
        "Summed over responses pi - q is 0, and x - 1 - ln x > 0 but at x = 1: pi is the only "
        "maximum. Mass of q where pi_ref has none costs eta - r >= 0 more."
    )


@claim(
    "grpo.converges-to-the-tilt",
    "GRPO with the k3 penalty converges to the exponential tilt",
    "On-policy, GRPO with the k3 penalty of weight beta stops at pi = pi_ref e^(r/beta)/M, or at a "
    "tilt of some other strength.",
    hypotheses=(ON_POLICY, "r bounded"),
    source="widely used",
    expected="refuted",
)
def converges_to_the_tilt() -> Iterator[Evidence]:
    # A tilt has w(0) w(1) = w(1/2)²; β/(η − r) would need (η − ½)² = η(η − 1).
    gap = (eta - Rational(1, 2)) ** 2 - eta * (eta - 1)
    yield from identity("(eta - 1/2)^2 - eta (eta - 1) = 1/4, whatever eta", gap - Rational(1, 4))
    law = Finite({0: "1/3", "1/2": "1/3", 1: "1/3"})
    w = [value(law, Grpo(1), "ratio", at=at) for at in (0, "1/2", 1)]
    (a, _), (_, b), (c, _) = (x.bounds for x in w)
    middle = w[1].bounds[1]
    yield witness(
        "three equal atoms 0, 1/2, 1 and beta = 1: w(0) w(1) > w(1/2)^2, and a tilt has equality",
        "balls",
        a * c > middle**2 and b == middle,
        ratios=[x.to_json(15) for x in w],
    )


@claim(
    "grpo.group-mean",
    "In a group of G the mean that includes the response itself turns beta into beta G/(G-1)",
    "E[(1/G) sum (r_i - mean) grad ln pi_i] = (1 - 1/G) grad E[R]: with the penalty not so shrunk, "
    "GRPO stops at the optimum of beta G/(G-1).",
    hypotheses=(ON_POLICY, "G independent responses", "advantages r - mean of the group"),
    source=OURS,
)
def group_mean() -> Iterator[Evidence]:
    size, both, reward, score = sympy.symbols("G both reward score", real=True)
    # E[r̄ ψ_1] = (E[rψ] + (G − 1) E[r] E[ψ])/G by independence.
    mean = both - (both + (size - 1) * reward * score) / size
    yield from identity(
        "with E[score] = 0: (1 - 1/G) E[r score]", mean.subs(score, 0) - (1 - 1 / size) * both
    )
    yield words("E[score] = 0 since the probabilities sum to one.")
    probabilities, rewards = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)), (0, 1, 4)
    scores = (Fraction(1), Fraction(-2), Fraction(1))
    found = Fraction(0)
    for group in product(range(3), repeat=3):
        average = Fraction(sum(rewards[i] for i in group), 3)
        term = sum(((rewards[i] - average) * scores[i] for i in group), Fraction(0)) / 3
        found += prod(probabilities[i] for i in group) * term
    exact = sum(p * x * s for p, x, s in zip(probabilities, rewards, scores, strict=True))
    yield confirmed(
        "three responses, G = 3, all 27 groups", "exact rationals", found == Fraction(2, 3) * exact
    )


@claim(
    "grpo.atom-at-the-top",
    "The optimum has an atom at the top iff the integral of beta/(r_max - r) is below one",
    "With I = E_ref[1/(r_max - R)]: where beta I >= 1 an eta >= r_max with E[beta/(eta - R)] = 1 "
    "exists; where beta I < 1 the optimum has eta = r_max and an atom 1 - beta I at the top, "
    "although pi_ref has none. An atom of pi_ref at the top has I = oo. Example: density 3(1 - "
    "r)^2 on (0, 1), I = 3/2, an atom for beta < 2/3.",
    hypotheses=(ON_POLICY, "r bounded above"),
    source=OURS,
)
def atom_at_the_top() -> Iterator[Evidence]:
    gap = sympy.Symbol("gap", positive=True)
    yield from positive(
        "E[beta/(eta - R)] falls in eta, from beta I at r_max to 0: one root iff beta I >= 1",
        -sympy.diff(beta / (eta + gap), eta),
    )
    yield from identity("beta/(eta - r) times its distance is beta: to 0 as eta grows",
                        beta / (eta + gap) * (eta + gap) - beta)  # fmt: skip
    density = Beta(1, 3).pdf.xreplace({r: u})
    yield from identity("beta(1, 3) has density 3(1 - r)^2", density - 3 * (1 - u) ** 2)
    yield from integral_is("I = 3/2", 3 * (1 - u), 3 * u - 3 * u**2 / 2, Rational(3, 2))
    yield words(
        "Where beta I < 1 take eta = r_max and the missing mass at the top, where r = eta: the "
        "argument of grpo.optimum holds as it stands, since a q with no such mass loses (eta - r) "
        "q there, which is 0."
    )


@claim(
    "grpo.one-turn",
    "Along beta a single-peaked gold curve gives at most one turn, on every law",
    "w = beta/(eta - r) is strictly totally positive of every order in (-eta, r), and eta rises "
    "with beta: f - c has at most as many sign changes in beta as g - c has in r, for every c; for "
    "g that rises and then falls f is monotone or single-peaked.",
    hypotheses=("r bounded, eta > r_max", "E[g] finite", "raw reward, or its quantile"),
    source=f"{OURS}; S. Karlin, Total Positivity (1968)",
)
def one_turn() -> Iterator[Evidence]:
    etas, rewards = sympy.symbols("eta1:4", real=True), sympy.symbols("r1:4", real=True)
    for size in (2, 3):
        cells = [(i, j) for i in range(size) for j in range(size)]
        # det(1/(η_i − r_j)) times all η_i − r_j, as a polynomial.
        found = sympy.Add(
            *(
                Permutation(order).signature()
                * sympy.Mul(*(etas[i] - rewards[j] for i, j in cells if order[i] != j))
                for order in permutations(range(size))
            )
        )
        vandermonde = sympy.Mul(
            *((etas[i] - etas[j]) * (rewards[j] - rewards[i]) for i, j in cells if i < j)
        )
        yield from identity(f"Cauchy's determinant of order {size}", found - vandermonde)
    gap, step = sympy.symbols("gap step", positive=True)
    yield from positive(
        "eta_i falling and r_j rising below them: each factor is > 0", gap * step / (gap + step)
    )
    yield from positive(
        "E[1/(eta - R)] = 1/beta falls in eta: eta rises with beta",
        -sympy.diff(1 / (eta + gap), eta),
    )
    yield cited(
        "variation diminishing: a kernel strictly totally positive of order 3 gives f - c no more "
        "sign changes than g - c has, in the same order",
        "S. Karlin, Total Positivity (1968), ch. 5; Cauchy's determinant of every order",
    )


@claim(
    "grpo.optimum-on-atoms",
    "On finitely many atoms eta is between r_max + beta p_top and r_max + beta",
    "sum beta p_i/(eta - r_i) = 1 has one root above r_max, and it is in [r_max + beta p_top, "
    "r_max + beta]: there is never mass beyond pi_ref's own atom, and the top's mass is at least "
    "p_top.",
    hypotheses=("finitely many atoms",),
    source=OURS,
)
def optimum_on_atoms() -> Iterator[Evidence]:
    p, distance, room = sympy.symbols("p_top distance room", positive=True)
    yield from identity(
        "at room = p_top the top alone has mass 1", p / room - 1 + (room - p) / room
    )
    yield from positive("at room = 1 no atom has more than p_i", p - p / (1 + distance / beta))
    yield from positive("each term falls in room", -sympy.diff(p / (room + distance), room))
    law = Finite({0: "1/2", 1: "1/4", 3: "1/4"})
    total = Fraction(0)
    for reward, _ in law.atoms:
        low, high = value(law, Grpo("1/2"), "mass", at=reward).bounds
        total += (low + high) / 2
    yield confirmed(
        "masses sum to one on an example", "balls", abs(total - 1) < Fraction(1, 10**14)
    )


@claim(
    "grpo.no-optimum-without-a-bound",
    "Where rewards have no upper bound, E[R] - beta KL(ref || pi) has no maximum",
    "Moving a share s of pi to a set of rewards above x gains at least s (x - E[R]) and costs at "
    "most -beta ln(1 - s): for s fixed the gain is unbounded in x, whatever beta.",
    hypotheses=("P(R > x) > 0 for every x", "E|R| finite"),
    source=OURS,
)
def no_optimum_without_a_bound() -> Iterator[Evidence]:
    share, x, mean = sympy.symbols("a x mean", positive=True)
    gain = share * x + (1 - share) * mean - mean
    yield from identity("the gain in E[R]", gain - share * (x - mean))
    yield from identity(
        "it grows at the rate s in x, the cost does not", sympy.diff(gain, x) - share
    )
    odds = sympy.Symbol("odds", positive=True)
    # q = (1 − s) ref + s ref(· | R > x), with odds = s/(1 − s).
    moved = 1 / (1 + odds) + odds / (1 + odds) * reference
    yield from positive("q/ref > 1 - s, so that ln(ref/q) < -ln(1 - s)", moved - 1 / (1 + odds))
    cost = ball_at(log(Rational(2)), {})
    yield confirmed(
        "s = 1/2: the cost is at most beta ln 2", "balls", bool(cost < 1), cost=as_json(cost)
    )


CLAIMS: tuple[Claim, ...] = (
    optimum,
    converges_to_the_tilt,
    group_mean,
    atom_at_the_top,
    optimum_on_atoms,
    no_optimum_without_a_bound,
    one_turn,
)
