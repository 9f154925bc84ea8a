"""Claims on T-REG."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import Symbol, exp, log, tanh

from hedgetheory.claims.checks import certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.par.claims import gentle_tilt_steps
from hedgetheory.designs.treg.law import (
    IN_PROBABILITIES,
    TOKEN_REWARD,
    better,
    token_reward,
    token_weights,
    treg,
    worse,
)
from hedgetheory.expressions.formula import parse_formula
from hedgetheory.expressions.symbols import alpha, r
from hedgetheory.functionals.quantities import kl_divergence, value
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.student_t import StudentT
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.tilt import Tilt

PAPER = "arXiv 2412.02685"
#: The ratio π_b/π_w, so that every pair of positive probabilities is (w·ratio, w).
ratio = Symbol("ratio", positive=True)
_B = tuple(map(Fraction, ("1/2", "1/3", "1/6", "0")))
_W = tuple(map(Fraction, ("1/8", "1/8", "1/2", "1/4")))


@claim(
    "treg.reward-is-half-tanh",
    "The token reward is tanh of half the log-ratio, halved",
    "sigma(x) - 1/2 = tanh(x/2)/2 = (pi_b - pi_w)/(2(pi_b + pi_w)), x = log(pi_b/pi_w), in [-1/2, "
    "1/2].",
    hypotheses=("pi_b, pi_w >= 0, not both 0",),
    source=PAPER,
)
def reward_is_half_tanh() -> Iterator[Evidence]:
    at = log(ratio) * 2
    inside = TOKEN_REWARD.xreplace({r: at}).rewrite(exp)
    yield from identity(
        "sigma(x) - 1/2 in the ratio, pi_b/pi_w = ratio^2",
        inside - IN_PROBABILITIES.xreplace({better: worse * ratio**2}),
    )
    yield from identity(
        "tanh(x/2)/2 in the ratio",
        (tanh(at / 2) / 2).rewrite(exp) - IN_PROBABILITIES.xreplace({better: worse * ratio**2}),
    )
    yield from positive("1/2 - r = pi_w/(pi_b + pi_w) > 0", worse / (better + worse))
    yield from identity(
        "1/2 - r is that, and 1/2 + r its mirror image",
        sympy.Rational(1, 2) - IN_PROBABILITIES - worse / (better + worse),
    )


@claim(
    "treg.no-token-reverses",
    "No token's push reverses for alpha <= 2",
    "The weights 1 +- alpha r lie in [1 - alpha/2, 1 + alpha/2]: none is negative for alpha <= 2; "
    "for alpha > 2 one can be.",
    hypotheses=("alpha >= 0", "-1/2 <= r <= 1/2", "stop-gradient"),
    source=PAPER,
)
def no_token_reverses() -> Iterator[Evidence]:
    share, rest = sympy.symbols("s rest", positive=True)
    # r = ½ − s/(s + rest) covers the open interval; the ends are its limits.
    reward = sympy.Rational(1, 2) - share / (share + rest)
    yield from positive("1 + alpha/2 - (1 + alpha r) > 0", sympy.factor(alpha / 2 - alpha * reward))
    yield from positive("1 + alpha r - (1 - alpha/2) > 0", sympy.factor(alpha / 2 + alpha * reward))
    yield words("1 - alpha r is the same with r and -r exchanged; 1 - alpha/2 >= 0 for alpha <= 2")
    edge = token_weights(["1/2", "-1/2"], 2)
    beyond = token_weights(["-1/2"], "2.001")
    yield confirmed(
        "alpha = 2 gives 2 and 0; alpha = 2.001 a negative weight",
        "rational arithmetic",
        edge == (2, 0) and beyond[0] < 0,
    )


@claim(
    "treg.mean-under-either",
    "The token reward has mean 0 under the average policy, at least 0 under the better one",
    "E r = 0 under (pi_b + pi_w)/2, and E_b r = (1/4) sum (pi_b - pi_w)^2/(pi_b + pi_w) >= 0.",
    hypotheses=("two policies on finitely many tokens",),
    source=f"this project, on {PAPER}",
)
def mean_under_either() -> Iterator[Evidence]:
    average = (better + worse) / 2
    yield from identity(
        "(pi_b + pi_w)/2 * r = (pi_b - pi_w)/4", average * IN_PROBABILITIES - (better - worse) / 4
    )
    yield words("which sums to (1 - 1)/4 = 0")
    yield from identity(
        "pi_b r = (pi_b - pi_w)/4 + (pi_b - pi_w)^2/(4 (pi_b + pi_w))",
        better * IN_PROBABILITIES
        - (better - worse) / 4
        - (better - worse) ** 2 / (4 * (better + worse)),
    )
    yield words("sum: the first part vanishes, the second is a sum of squares over positives")
    rewards = [token_reward(b, w) for b, w in zip(_B, _W, strict=True)]
    under_better = sum(b * x for b, x in zip(_B, rewards, strict=True))
    squares = sum(sympy.Rational((b - w) ** 2 / (4 * (b + w))) for b, w in zip(_B, _W, strict=True))
    mean = sum((b + w) / 2 * x for b, w, x in zip(_B, _W, rewards, strict=True))
    yield confirmed(
        "four tokens, one that the better policy never writes",
        "rational arithmetic",
        mean == 0 and under_better == squares > 0,
        mean_under_better=str(under_better),
    )


@claim(
    "treg.tilt-is-gentle",
    "The tilt of the token reward has KL <= lambda^2/8",
    "For every law of the log-ratio and lam >= 0 the tilt of r = sigma(x) - 1/2 exists, KL <= "
    "lam^2/8.",
    hypotheses=("any law of the log-ratio", "lam >= 0"),
    source=f"this project, on {PAPER}",
)
def tilt_is_gentle() -> Iterator[Evidence]:
    yield from gentle_tilt_steps()
    yield words("r = s - 1/2 with s in (0, 1): a shift divides out, and M(lam) <= e^(lam/2)")
    kl = kl_divergence(Tilt(6), treg(StudentT(2))).bounds[1]
    yield confirmed(
        "a log-ratio with law student_t(2), lam = 6: KL < 36/8",
        "balls",
        kl < Fraction(36, 8),
        kl=f"{float(kl):.15g}",
    )


@claim(
    "treg.threshold-untouched",
    "Best-of-n on token rewards has the threshold of the log-ratio",
    "r increases strictly in the log-ratio: rank policies, their laws and thresholds are those of "
    "the log-ratio itself; a bounded reward does not stop hacking.",
    hypotheses=("Best-of-n or another rank policy on r",),
    source="this project",
)
def threshold_untouched() -> Iterator[Evidence]:
    slope = sympy.diff(IN_PROBABILITIES.xreplace({better: worse * ratio}), ratio)
    yield from positive("d r/d ratio > 0", sympy.factor(slope))
    yield words("an increasing function of the log-ratio; rank.monotone-invariance does the rest")
    gold = parse_formula("u**12*(1 - u)", what="gold")
    shaped = treg(Normal())
    found = {n: value(shaped, BestOfN(n), "gold", gold=gold).bounds for n in (12, 50)}
    exact = {n: Fraction(n, (n + 12) * (n + 13)) for n in found}
    yield confirmed(
        "normal log-ratio, g = u^12 (1-u): n/((n+12)(n+13)), falling past n = 13",
        "balls around exact rationals",
        all(low <= exact[n] <= high for n, (low, high) in found.items()) and exact[50] < exact[12],
    )


@claim(
    "treg.weights-keep-the-margin",
    "Token weights only rescale a preference",
    "Whatever the token rewards, weighting tokens by 1 + alpha r leaves the sign of a response's "
    "summed log-ratio.",
    hypotheses=("alpha = 1", "a response of two tokens"),
    source=f"a popular reading of {PAPER}",
    expected="refuted",
)
def weights_keep_the_margin() -> Iterator[Evidence]:
    # Log-ratios of the trained policy ±; the token rewards come from another pair of policies.
    ratios = (Fraction(5, 4), Fraction(-1))
    weights = token_weights(["-1/4", "1/4"], 1)
    plain = sum(ratios)
    weighted = sum(w * x for w, x in zip(weights, ratios, strict=True))
    yield certified(
        "the weights are 3/4 and 5/4",
        "rational arithmetic",
        weights == (sympy.Rational(3, 4), sympy.Rational(5, 4)),
    )
    yield witness(
        "log-ratios 5/4 and -1, r = -1/4 and 1/4: the sum 1/4 becomes -5/16",
        "rational arithmetic",
        plain > 0 > weighted,
        plain=str(plain),
        weighted=str(weighted),
    )


CLAIMS: tuple[Claim, ...] = (
    reward_is_half_tanh,
    no_token_reverses,
    mean_under_either,
    tilt_is_gentle,
    threshold_untouched,
    weights_keep_the_margin,
)
