"""Claims on likelihood-based rewards."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import mpmath
import sympy
from sympy import Symbol, log

from hedgetheory.analysis.check import check
from hedgetheory.claims.checks import (
    as_json,
    ball_at,
    certified,
    confirmed,
    identity,
    positive,
    witness,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.designs.likelihood.functions import jepo_uniform, standardised
from hedgetheory.designs.likelihood.law import LogProb, rank_reward
from hedgetheory.expressions.formula import parse_formula
from hedgetheory.expressions.symbols import lam, r, u
from hedgetheory.functionals.bind import bind
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

PAPER = "arXiv 2602.03979"
_A_UNIFORM = "the probability of the answer is uniform on (0, 1)"


@claim(
    "likelihood.optimum-is-the-posterior",
    "The best policy for log-probability with a KL price of 1 is the exact posterior",
    "max over q of E_q[log pi(a|z)] - KL(q||pi_ref) is log p(a), at q = pi(z|a) only.",
    hypotheses=("p(a) > 0", "z on finitely many values, or densities"),
    source=f"{PAPER}; the variational principle of Gibbs",
)
def optimum_is_the_posterior() -> Iterator[Evidence]:
    q, prior, likelihood, evidence = sympy.symbols("q prior l p", positive=True)
    objective = log(likelihood) - log(q / prior)
    posterior = prior * likelihood / evidence
    yield from identity(
        "log l - log(q/prior) = log p - log(q/posterior), term by term",
        sympy.expand_log(objective - (log(evidence) - log(q / posterior)), force=True),
    )
    yield words(
        "averaged over q: E_q[log l] - KL(q||prior) = log p - KL(q||posterior), and KL >= 0 with "
        "equality only where q is the posterior"
    )
    priors, likelihoods = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)), (1, 3, 8)
    total = sum((a * b for a, b in zip(priors, likelihoods, strict=True)), Fraction(0))
    ratio = [Fraction(b) / total for b in likelihoods]
    yield confirmed(
        "three values: the tilt of log l at lam = 1 has mass prior * l / p",
        "rational arithmetic",
        sum(a * w for a, w in zip(priors, ratio, strict=True)) == 1,
    )


@claim(
    "likelihood.log-prob-tilt-is-best-of-n",
    "The log-probability tilt is Best-of-n with n = 1 + lambda",
    "Where the probability of the answer is uniform, the tilt of log pi(a|z) at lam is Best-of-n "
    "with n = 1 + lam, and its hacking threshold in lam is that of Best-of-n minus 1; where P(p <= "
    "x) = x^a, n = 1 + lam/a.",
    hypotheses=("P(p <= x) = x^a, a > 0; a = 1 for the first part", "lam >= 0"),
    source="this project",
)
def log_prob_tilt_is_best_of_n() -> Iterator[Evidence]:
    a = Symbol("a", positive=True)
    law, n = LogProb("2/3"), BestOfN.symbols[0]
    yield from identity(
        "e^(lam ln p) = u^(lam/a), of mean a/(a + lam): w is that of bon(1 + lam/a)",
        u ** (lam / a) * (a + lam) / a - BestOfN.ratio.xreplace({n: 1 + lam / a}),
    )
    yield words("theta -> 1 + theta increases: extrema in lam are extrema in n, moved by 1")
    same = [value(law, policy, "kl").bounds for policy in (Tilt(3), BestOfN(Fraction(11, 2)))]
    yield confirmed(
        "a = 2/3: tilt(3) and bon(11/2) have one KL",
        "balls",
        same[0][0] <= same[1][1] and same[1][0] <= same[0][1],
    )
    family = Family("tilt", Tilt, lam, Tilt.domains[0])
    gold = parse_formula("u**2*(1 - u)", what="gold")
    found = check(LogProb(), family, gold, digits=6)
    # Under Best-of-n f = n/((n + 2)(n + 3)), with its peak at √6.
    (peak,) = found.extrema
    low, high = (1 + end for end in peak.theta.bounds)
    yield confirmed(
        "u^2 (1-u): the threshold in lam is sqrt(6) - 1", "check", low**2 <= 6 <= high**2
    )


@claim(
    "likelihood.prob-tilt-is-quantile-tilt",
    "The probability tilt is the quantile tilt",
    "Where the probability of the answer is uniform, the tilt of pi(a|z) is the quantile tilt.",
    hypotheses=(_A_UNIFORM, "lam >= 0"),
    source="this project",
)
def prob_tilt_is_quantile_tilt() -> Iterator[Evidence]:
    yield from identity("F(p) = p on the uniform law", Uniform().cdf - r)
    yield words("so e^(lam p) = e^(lam u): one potential, one tilt")
    bound = bind(Tilt(2), Uniform())
    yield confirmed(
        "one implementation: tilt(2) on the uniform law binds as quantile_tilt(2)",
        "equality",
        bound.policy == QuantileTilt(2),
    )


@claim(
    "likelihood.rank-reward-is-a-grid",
    "NOVER's reward has one law, whatever the model",
    "(m - rank)/m of a random candidate among m without ties is uniform on {0, 1/m, ..., (m-1)/m}, "
    "with mean (m-1)/(2m), whatever the law of the scores.",
    hypotheses=("no ties", "m >= 1"),
    source="NOVER, as in SYSTEMS; this project",
)
def rank_reward_is_a_grid() -> Iterator[Evidence]:
    yield words("a random candidate has each rank 1, ..., m with chance 1/m")
    m, k = Symbol("m", positive=True), Symbol("k", positive=True)
    partial = (k - 1) * k / 2
    yield from identity(
        "1 + ... + (k-1) = (k-1)k/2, by its step", partial.xreplace({k: k + 1}) - partial - k
    )
    yield from identity("the mean is ((m-1)m/2)/m^2", (m - 1) * m / 2 / m**2 - (m - 1) / (2 * m))
    yield confirmed(
        "m = 1, ..., 9",
        "rational arithmetic",
        all(rank_reward(size).mean == Fraction(size - 1, 2 * size) for size in range(1, 10)),
    )


@claim(
    "likelihood.jepo-increases",
    "JEPO's bound increases in G, from E log p to log E p",
    "J_G = E log of the mean of G independent probabilities does not decrease in G; J_1 = E log p, "
    "and J_G goes to log E p.",
    hypotheses=("E log p finite", "0 < p <= 1"),
    source=f"{PAPER}; Burda et al. 2016, arXiv 1509.00519, for the monotonicity",
)
def jepo_increases() -> Iterator[Evidence]:
    x, total, size = sympy.symbols("x S G", positive=True)
    yield from identity(
        "sum (S - p_i)/(G-1) over i, divided by G, is S/G: the mean of the means without one",
        (size * total - total) / (size - 1) / size - total / size,
    )
    yield from positive("log is strictly concave: -(log x)'' > 0", -sympy.diff(log(x), x, 2))
    yield words(
        "for any G the mean m_G is the mean of the G means m_-i without one, so that log m_G >= "
        "(1/G) sum log m_-i (Jensen), of mean J_{G-1}. m_G goes to E p almost surely (law of large "
        "numbers), log m_G <= 0, and its negative part is at most the mean of the -log p_i, which "
        "is uniformly integrable: J_G goes to log E p."
    )
    yield cited(
        "strong law of large numbers; means of i.i.d. variables are uniformly integrable",
        "textbook",
    )
    with precision(400):
        balls = [ball_at(jepo_uniform(group), {}) for group in range(1, 20)]
        rising = all(b > a for a, b in pairwise(balls))
        below = balls[-1] < ball_at(-log(2), {})
    yield confirmed(
        "uniform p, G = 1, ..., 19: increasing, below ln 1/2", "balls", rising and below
    )


@claim(
    "likelihood.jepo-on-uniform",
    "JEPO's bound in closed form on the uniform law",
    "J_G = sum_{k=1..G} (-1)^(G-k) C(G,k) k^G ln k / G! - H_G - ln G for uniform p.",
    hypotheses=(_A_UNIFORM, "G >= 1"),
    source="this project; stated in SYSTEMS",
)
def jepo_on_uniform() -> Iterator[Evidence]:
    s, m, h = sympy.symbols("s m H", positive=True)
    # h_m(s) = s^m (ln s − H_m)/m! has slope h_{m−1}; H_{m−1} = H_m − 1/m, m! = m (m − 1)!.
    slope = sympy.diff(s**m * (log(s) - h) / m, s)
    yield from identity(
        "d/ds s^m (ln s - H_m)/m! = s^(m-1) (ln s - H_(m-1))/(m-1)!",
        sympy.expand(slope / s ** (m - 1)) - (log(s) - (h - 1 / m)),
    )
    yield from identity(
        "d/ds s^m/m! = s^(m-1)/(m-1)!", sympy.simplify(sympy.diff(s**m / m, s) / s ** (m - 1)) - 1
    )
    yield words(
        "integrating a G-th derivative over [0, 1]^G at s = u_1 + ... + u_G gives its G-th "
        "difference: E h^(G)(S) = sum_k (-1)^(G-k) C(G,k) h(k). With h = s^G (ln s - H_G)/G!, "
        "h^(G) = ln s; with h = s^G/G! the sum is 1, which takes out -H_G. ln of the mean is ln S "
        "- ln G."
    )
    for group in (1, 2, 3):
        with precision(200):
            found = ball_at(jepo_uniform(group), {})
        by_hand = _by_quadrature(group)
        yield confirmed(
            f"G = {group}: the density of the sum, by quadrature",
            "mpmath",
            abs(float(found.mid()) - by_hand) < 1e-12,
            value=as_json(found),
        )


def _by_quadrature(group: int) -> float:
    """E ln(S/G) with the density of the sum of G uniforms (Irwin and Hall), an estimate."""

    def density(x: mpmath.mpf) -> mpmath.mpf:
        terms = (
            (-1) ** k * mpmath.binomial(group, k) * (x - k) ** (group - 1)
            for k in range(int(x) + 1)
        )
        return sum(terms, mpmath.mpf(0)) / mpmath.factorial(group - 1)

    places = list(range(group + 1))
    return float(mpmath.quad(lambda x: mpmath.log(x / group) * density(x), places))


@claim(
    "likelihood.probability-rewards-vanish",
    "Probability rewards vanish for long answers",
    "As the probabilities of long answers shrink to e^-100 and beyond, the advantages of a group "
    "vanish with them.",
    hypotheses=("advantages (r - mean)/std, without an epsilon",),
    source=f"a popular reading, e.g. around {PAPER}",
    expected="refuted",
)
def probability_rewards_vanish() -> Iterator[Evidence]:
    group = [Fraction(1), Fraction(2), Fraction(4)]
    tiny = [x / 10**60 for x in group]
    plain, scaled = standardised(group, 2), standardised(tiny, 2)
    yield witness(
        "rewards 1, 2, 4 and the same times 1e-60: one standardised advantage",
        "exact arithmetic",
        plain == scaled,
        advantage=str(plain),
        scaled=str(scaled),
    )
    with precision(400):
        damped = ball_at(standardised(tiny, 2, epsilon="1e-6"), {})
        small = bool(damped < ball(Fraction(1, 10**53)))
    yield certified(
        "with epsilon = 1e-6 in the denominator they do vanish: below 1e-53",
        "balls",
        small,
        advantage=as_json(damped),
    )


CLAIMS: tuple[Claim, ...] = (
    optimum_is_the_posterior,
    log_prob_tilt_is_best_of_n,
    prob_tilt_is_quantile_tilt,
    rank_reward_is_a_grid,
    jepo_increases,
    jepo_on_uniform,
    probability_rewards_vanish,
)
