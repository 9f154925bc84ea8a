"""Claims on GRPO's loss: advantages of a group, the k3 estimator, and the gradient of its mean."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy
from sympy import Rational, log, sqrt

from hedgetheory.claims.checks import as_json, ball_at, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.grpo.functions import K3, advantages, binary_advantages, ratio

PAPER = "arXiv 2402.03300 (DeepSeekMath)"
OURS = f"this project, on {PAPER}"
SAME_SUPPORT = "pi gives mass to every response that pi_ref gives mass to"

#: Probabilities of one response under π and π_ref; the rate of change of the first.
policy, reference = sympy.symbols("policy reference", positive=True)
rate = sympy.Symbol("rate", real=True)
_AT = {ratio: reference / policy}


@claim(
    "grpo.k-three-is-kl",
    "The mean of k3 under the policy is KL(policy || reference)",
    "With rho = pi_ref/pi, E_pi[rho - ln rho - 1] = KL(pi || pi_ref), and each term is >= 0, 0 "
    "only where rho = 1.",
    hypotheses=(SAME_SUPPORT, "KL(pi || pi_ref) < oo"),
    source=f"J. Schulman, Approximating KL divergence (2020); {PAPER}, eq. 4",
)
def k_three_is_kl() -> Iterator[Evidence]:
    term = policy * K3.xreplace(_AT) - policy * log(policy / reference)
    yield from identity(
        "pi k3 - pi ln(pi/ref) = ref - pi, response by response", term - reference + policy
    )
    yield words("Summed over responses ref - pi is 0: both are probabilities on one support.")
    excess = sympy.Symbol("excess", positive=True)
    slope = sympy.diff(K3, ratio)
    yield from identity("k3 is 0 at rho = 1", K3.subs(ratio, 1))
    yield from positive("k3 increases above rho = 1", slope.subs(ratio, 1 + excess))
    yield from positive("k3 falls below rho = 1", -slope.subs(ratio, 1 / (1 + excess)))


@claim(
    "grpo.k-three-is-always-unbiased",
    "k3 is unbiased for KL(policy || reference), whatever the two policies",
    "E_pi[k3] = KL(pi || pi_ref) for every pi with KL(pi || pi_ref) < oo.",
    hypotheses=("KL(pi || pi_ref) < oo",),
    source="widely used",
    expected="refuted",
)
def k_three_is_always_unbiased() -> Iterator[Evidence]:
    # π puts everything on the first of two responses that π_ref takes with probability ½ each.
    mean = K3.subs(ratio, Rational(1, 2))
    yield witness(
        "pi = (1, 0), pi_ref = (1/2, 1/2): E[k3] = KL - 1/2, short by the mass pi gave up",
        "exact logarithms",
        sympy.simplify(log(2) - mean) == Rational(1, 2),
        mean_k3=str(mean),
        kl="log(2)",
    )


@claim(
    "grpo.k-three-gradient",
    "As a loss on samples of the policy, k3 has the gradient of KL(reference || policy)",
    "For samples of pi that are not differentiated through, E_pi[grad k3] = grad KL(pi_ref || pi), "
    "for every differentiable family pi.",
    hypotheses=(
        SAME_SUPPORT,
        "one token, or k3 on whole responses",
        "the sum may be differentiated",
    ),
    source=OURS,
)
def k_three_gradient() -> Iterator[Evidence]:
    # A sample's loss moves with ln π alone: d k3 = k3′(ρ) dρ with dρ = −ρ dπ/π.
    sampled = policy * (sympy.diff(K3, ratio) * -ratio).xreplace(_AT) * rate / policy
    forward = sympy.diff(reference * log(reference / policy), policy) * rate
    yield from identity(
        "pi d(k3) - d(ref ln(ref/pi)) = d pi, response by response", sampled - forward - rate
    )
    yield words("Summed over responses d pi is 0, since the probabilities sum to one.")


@claim(
    "grpo.k-three-pulls-along-kl",
    "Descending k3 descends KL(policy || reference)",
    "Since E_pi[k3] = KL(pi || pi_ref), the gradient of the k3 loss is that of KL(pi || pi_ref).",
    hypotheses=("samples of pi are not differentiated through",),
    source="widely assumed of GRPO's penalty",
    expected="refuted",
)
def k_three_pulls_along_kl() -> Iterator[Evidence]:
    q = Rational(1, 4)
    p = Rational(1, 2)
    speed = q * (1 - q)  # of π(first) in its logit
    loss = -p * speed / q + (1 - p) * speed / (1 - q)
    kl = speed * log(q * (1 - p) / ((1 - q) * p))
    difference = ball_at(loss - kl, {})
    yield witness(
        "two responses, pi = (1/4, 3/4), pi_ref = (1/2, 1/2), along the logit: -1/4 against "
        "-(3/16) ln 3",
        "balls",
        loss == -p / 2 and bool(difference < 0),
        k3_gradient=str(loss),
        kl_gradient=str(kl),
        difference=as_json(difference),
    )


@claim(
    "grpo.binary-advantages",
    "With c right of G the right ones have advantage sqrt((G-c)(G-1)/(Gc))",
    "Rewards 0 and 1, c ones of G, sample standard deviation, no epsilon: A+ = "
    "sqrt((G-c)(G-1)/(Gc)) and A- = -sqrt(c(G-1)/(G(G-c))).",
    hypotheses=("0 < c < G whole", "ddof 1", "epsilon = 0"),
    source=OURS,
)
def binary() -> Iterator[Evidence]:
    c, wrong = sympy.symbols("c wrong", positive=True)
    size = c + wrong
    mean = c / size
    # c ones and G − c zeros: Σ (r − mean)² over G − 1.
    variance = (c * (1 - mean) ** 2 + wrong * mean**2) / (size - 1)
    more = sympy.Symbol("more", positive=True)  # G > 1
    size_above_one = {c: 1 + more}
    yield from identity(
        "A+^2 = (G-c)(G-1)/(Gc)",
        (1 - mean) ** 2 / variance - wrong * (size - 1) / (size * c),
    )
    yield from identity(
        "A-^2 = c(G-1)/(G(G-c))", mean**2 / variance - c * (size - 1) / (size * wrong)
    )
    yield from positive("the deviation of a right one is > 0", (1 - mean).xreplace(size_above_one))
    same = all(
        advantages([1] * right + [0] * (group - right), 0)[0 if sign else -1]
        == binary_advantages(right, group)[0 if sign else 1]
        for group in range(2, 9)
        for right in range(1, group)
        for sign in (True, False)
    )
    yield confirmed("every 0 < c < G <= 8 agrees with the definition", "exact numbers", same)


@claim(
    "grpo.advantages-invariant",
    "Without epsilon advantages do not change under r -> ar + b, a > 0",
    "With epsilon = 0 the advantages of a r_i + b are those of r_i, for every group.",
    hypotheses=("a > 0", "rewards not all equal", "epsilon = 0"),
    source=OURS,
)
def advantages_invariant() -> Iterator[Evidence]:
    a, variance = sympy.symbols("a variance", positive=True)
    deviation, mean, b = sympy.symbols("deviation mean b", real=True)
    yield from identity(
        "deviations scale: (a r + b) - (a mean + b) = a (r - mean)",
        (a * (mean + deviation) + b) - (a * mean + b) - a * deviation,
    )
    yield from identity(
        "a d / sqrt(a^2 v) = d / sqrt(v)",
        a * deviation / (a * sqrt(variance)) - deviation / sqrt(variance),
    )
    yield from identity("sqrt(a^2 v) = a sqrt(v)", (a * sqrt(variance)) ** 2 - a**2 * variance)


@claim(
    "grpo.advantages-invariant-with-epsilon",
    "GRPO's advantages do not depend on the scale of the reward",
    "With epsilon = 1e-6 the advantages of a r_i + b are those of r_i, for every a > 0.",
    hypotheses=("epsilon = 1e-6, as in public code",),
    source="widely assumed",
    expected="refuted",
)
def advantages_invariant_with_epsilon() -> Iterator[Evidence]:
    whole = advantages([1, 0, 0, 0])[0]
    small = advantages([Fraction(1, 10**6), 0, 0, 0])[0]
    yield witness(
        "rewards (1, 0, 0, 0) and 1e-6 times them: 3/2 becomes 1/2",
        "exact rationals",
        bool(whole > Rational(1499, 1000)) and small == Rational(1, 2),
        advantage=str(whole),
        scaled=str(small),
    )


@claim(
    "grpo.ddof",
    "Dividing by G instead of G - 1 makes every advantage sqrt(G/(G-1)) times as large",
    "A(ddof 0) = sqrt(G/(G-1)) A(ddof 1), without epsilon: a factor on the learning rate, and on "
    "1/beta.",
    hypotheses=("epsilon = 0", "rewards not all equal"),
    source=OURS,
)
def ddof() -> Iterator[Evidence]:
    more, squares = sympy.symbols("more squares", positive=True)
    size = 1 + more
    yield from identity(
        "ratio of squares of 1/std",
        (size / squares) / ((size - 1) / squares) - size / (size - 1),
    )
    groups = [group for group in product((0, 1, 3), repeat=3) if len(set(group)) > 1]
    same = all(
        sympy.simplify(x**2 - Rational(3, 2) * y**2) == 0
        for group in groups[:8]
        for x, y in zip(advantages(group, 0, 0), advantages(group, 0, 1), strict=True)
    )
    yield confirmed("groups of three rewards agree", "exact numbers", same)


CLAIMS: tuple[Claim, ...] = (
    k_three_is_kl,
    k_three_is_always_unbiased,
    k_three_gradient,
    k_three_pulls_along_kl,
    binary,
    advantages_invariant,
    advantages_invariant_with_epsilon,
    ddof,
)
