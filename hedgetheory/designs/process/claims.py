"""Claims on Clip and Delta: what steps earn, which tilts exist, what selection does to length."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import exp, log

from hedgetheory.claims.checks import as_json, certified, confirmed, identity, positive, witness
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.process.functions import (
    CLIP,
    DELTA,
    clip_rewards,
    delta_rewards,
    discounted,
    following,
    score,
)
from hedgetheory.designs.process.law import ProcessSum
from hedgetheory.errors import NotOnThisLaw
from hedgetheory.expressions.symbols import lam, n, r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.geometric import Geometric
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.tilt import Tilt

PAPER = "arXiv 2410.15115"
OURS = f"this project, on {PAPER}"
LAST_STEPS = "the last two rewards are PRM_(K-1) and 0 (index from memory)"

gamma, c = sympy.symbols("gamma c", positive=True)
steps = sympy.Symbol("K", positive=True)

_EXAMPLES = (
    (Fraction(1, 2), Fraction(1, 4), Fraction(1), Fraction(1, 3)),
    (Fraction(3, 4), Fraction(3, 4)),
    tuple(Fraction(k * k % 7, 7) for k in range(12)),
)
_GAMMAS = (Fraction(0), Fraction(1, 3), Fraction(9, 10), Fraction(1))


@claim(
    "process.delta-return",
    "The Delta return from step k is PRM_k - (1-gamma) sum gamma^(j-k-1) PRM_j",
    "For 1 <= k <= K - 1, sum over j >= k of gamma^(j-k) r_j = PRM_k - (1 - gamma) sum over "
    "k < j <= K - 1 of gamma^(j-k-1) PRM_j; undiscounted it is PRM_k.",
    hypotheses=("K >= 2 steps", LAST_STEPS, "gamma in [0, 1]"),
    source=PAPER,
)
def delta_returns() -> Iterator[Evidence]:
    # R_k = r_k + γ R_{k+1}, and T_k = PRM_{k+1} + γ T_{k+1} with T_{K−1} = 0.
    later = sympy.Symbol("T_next", real=True)
    following_return = following - (1 - gamma) * later
    here = following + gamma * later
    yield from identity(
        "from step k + 1 to step k",
        DELTA + gamma * following_return - (score - (1 - gamma) * here),
    )
    yield from identity("the start, k = K - 1: PRM_(K-1) + gamma 0", score + gamma * 0 - score)
    yield from identity("undiscounted: PRM_k", (score - (1 - gamma) * here).subs(gamma, 1) - score)
    yield words("Induction downwards from k = K - 1.")
    same = all(
        discounted(delta_rewards(scores), k, factor) == _formula(scores, k, factor)
        for scores in _EXAMPLES
        for factor in _GAMMAS
        for k in range(1, len(scores))
    )
    yield confirmed("three responses, four discounts, every k", "exact rationals", same)


def _formula(scores: tuple[Fraction, ...], k: int, factor: Fraction) -> Fraction:
    later = range(k + 1, len(scores))  # j from k + 1 to K − 1
    return scores[k - 1] - (1 - factor) * sum(
        (factor ** (j - k - 1) * scores[j - 1] for j in later), Fraction(0)
    )


@claim(
    "process.delta-repetition",
    "Under Delta one more step earns nothing, and costs something where rewards are discounted",
    "For K >= 2 a further step leaves the undiscounted return from any earlier step at PRM_k, and "
    "changes the discounted one by -(1 - gamma) gamma^(K-1-k) PRM_K <= 0.",
    hypotheses=("K >= 2", "PRM >= 0", LAST_STEPS, "gamma in [0, 1]"),
    source=PAPER,
)
def delta_repetition() -> Iterator[Evidence]:
    start, tail, new = sympy.symbols("PRM_k T PRM_K", positive=True)
    power = gamma**steps  # γ^{K−1−k}
    before = start - (1 - gamma) * tail
    after = start - (1 - gamma) * (tail + power * new)
    yield from identity("the change", after - before + (1 - gamma) * power * new)
    share = 1 / (1 + sympy.Symbol("odds", positive=True))
    yield from positive("it is a cost for gamma < 1", ((1 - gamma) * new).subs(gamma, share))
    yield from identity("and 0 at gamma = 1", (after - before).subs(gamma, 1))
    repeated = [(Fraction(1, 2), *([Fraction(3, 4)] * k), Fraction(1)) for k in (1, 2, 30)]
    same = {discounted(delta_rewards(scores)) for scores in repeated} == {Fraction(1, 2)}
    yield confirmed("a step said 1, 2 and 30 times", "exact rationals", same)


@claim(
    "process.delta-never-sees-length",
    "The total Delta reward does not depend on the number of steps",
    "With one score for all steps the Delta rewards of a response sum to the same for every K >= "
    "1.",
    hypotheses=(LAST_STEPS,),
    source="a reading of the telescoping sum",
    expected="refuted",
)
def delta_never_sees_length() -> Iterator[Evidence]:
    totals = [sum(delta_rewards([Fraction(1, 2)] * k), Fraction(0)) for k in (1, 2, 3)]
    yield witness(
        "score 1/2: one step earns 0, two or three earn 1/2: the second step is paid",
        "rational arithmetic",
        totals[0] < totals[1] == totals[2],
        totals=[str(x) for x in totals],
    )


@claim(
    "process.clip-does-not-pay",
    "The Clip return is never positive and no further step raises it",
    "Every return under Clip is <= 0, and one more step changes it by gamma^(K-k) min(PRM - eta, "
    "0) <= 0.",
    hypotheses=("any scores", "gamma in [0, 1]"),
    source=PAPER,
)
def clip_does_not_pay() -> Iterator[Evidence]:
    gap = sympy.Symbol("gap", positive=True)
    eta = next(s for s in CLIP.free_symbols if s.name == "eta")
    yield from identity("above the threshold a step has 0", CLIP.subs(score, eta + gap))
    yield from positive("below it a step costs", -CLIP.subs(score, eta - gap))
    rest, power = sympy.symbols("R gamma_power", real=True)
    yield from identity(
        "one more step adds gamma^(K-k) r", (rest + power * CLIP) - rest - power * CLIP
    )
    falls = all(
        x >= y and x <= 0
        for scores in _EXAMPLES
        for factor in _GAMMAS
        for x, y in pairwise(
            discounted(clip_rewards(scores[:k], Fraction(1, 2)), 1, factor)
            for k in range(1, len(scores) + 1)
        )
    )
    yield confirmed("three responses, step by step", "exact rationals", falls)


@claim(
    "process.delta-keeps-the-optimum",
    "Delta is potential-based, so that it leaves the optimal policy as it is",
    "Adding the Delta rewards to the outcome reward does not change which policy is optimal.",
    hypotheses=(LAST_STEPS, "undiscounted", "success rewarded with 1"),
    source="a reading of Ng, Harada and Russell (1999)",
    expected="refuted",
)
def delta_keeps_the_optimum() -> Iterator[Evidence]:
    # A potential-based sum is −Φ(start), one number for all responses; this one is PRM of step 1.
    plain = {"A": Fraction(2, 5), "B": Fraction(3, 5)}
    first = {"A": Fraction(9, 10), "B": Fraction(1, 10)}
    shaped = {
        way: plain[way] + sum(delta_rewards([first[way], Fraction(1, 2), Fraction(1)]), Fraction(0))
        for way in plain
    }
    yield witness(
        "opening A: success 0.4, first score 0.9; B: 0.6 and 0.1: B is better, Delta prefers A",
        "rational arithmetic",
        plain["B"] > plain["A"] and shaped["A"] > shaped["B"],
        success={k: str(v) for k, v in plain.items()},
        with_delta={k: str(v) for k, v in shaped.items()},
    )


@claim(
    "process.start-potential",
    "With the start's potential paid back Delta is potential-based",
    "Taking PRM_1 - Phi(start) off, with one Phi(start) for all responses to a prompt, makes the "
    "undiscounted Delta sum the same for every response with K >= 2: then no optimum changes.",
    hypotheses=("K >= 2", LAST_STEPS, "undiscounted"),
    source=f"{OURS}; A. Ng, D. Harada, S. Russell (1999)",
)
def start_potential() -> Iterator[Evidence]:
    start = sympy.Symbol("Phi_start", real=True)
    first = sympy.Symbol("PRM_1", real=True)
    yield from identity("PRM_1 - (PRM_1 - Phi) = Phi", first - (first - start) - start)
    same = all(sum(delta_rewards(x), Fraction(0)) == x[0] for x in _EXAMPLES)
    yield confirmed("the Delta sum is PRM_1 on three responses", "exact rationals", same)


@claim(
    "process.raw-tilt-exists",
    "The tilt of the raw sum exists iff lam < -ln(rho)/c",
    "K geometric, P(K > k) = rho^k, score c a step: E[e^(lam c K)] is finite iff rho e^(lam c) < "
    "1. Where it is, K is again geometric, with continuation rho e^(lam c), and E[K] = "
    "1/(1 - rho e^(lam c)) grows without bound as lam comes to the limit.",
    hypotheses=("0 < rho < 1", "c > 0", "no cut"),
    source=OURS,
)
def raw_tilt_exists() -> Iterator[Evidence]:
    q, rho = sympy.symbols("q rho", positive=True)
    partial = (1 - q**steps) / (1 - q)
    yield from identity(
        "partial sums of q^(k-1), q = rho e^(lam c)",
        partial + q**steps - (1 - q ** (steps + 1)) / (1 - q),
    )
    yield words(
        "The partial sums converge iff q < 1, that is lam c < -ln rho: at q = 1 they are K itself."
    )
    edge = rho * exp(lam * c)
    yield from identity("q = 1 at lam = -ln(rho)/c", edge.subs(lam, -log(rho) / c) - 1)
    yield from positive("q increases in lam", sympy.diff(edge, lam))
    term = (1 - rho) * rho ** (steps - 1) * exp(lam * c * steps)
    whole = (1 - rho) * exp(lam * c) / (1 - edge)
    yield from identity(
        "the tilted mass at k is (1 - q) q^(k-1), q^(k-1) written out",
        term / whole - (1 - edge) * rho ** (steps - 1) * exp(lam * c * (steps - 1)),
    )
    law = Geometric("1/2")
    mean = value(law, Tilt("69/100"), "mean_reward", digits=12)
    refused = False
    try:
        value(law, Tilt("70/100"), "mean_reward")
    except NotOnThisLaw:
        refused = True
    with precision(100):
        exact = 1 / (1 - ball(Fraction(69, 100)).exp() / 2)
        near = abs(exact - ball(sum(mean.bounds, Fraction(0)) / 2)) < ball(Fraction(1, 10**6))
    yield confirmed(
        "rho = 1/2, c = 1: E[K] at lam = 0.69, and no tilt at 0.70 > ln 2",
        "balls",
        bool(near) and refused,
        mean=as_json(exact, 12),
    )


@claim(
    "process.clip-and-delta-tilts-exist",
    "The clipped and the delta tilt exist for every lam >= 0",
    "The clipped sum is <= 0 and the Delta sum <= PRM_1: E[e^(lam S)] <= max(1, e^(lam c)) < oo, "
    "whatever the law of K. With one score c below the threshold eta the clipped tilt has K "
    "geometric with continuation rho e^(-lam (eta - c)).",
    hypotheses=("lam >= 0", "scores bounded above by c"),
    source=OURS,
)
def clip_and_delta_tilts_exist() -> Iterator[Evidence]:
    loss, rho = sympy.symbols("loss rho", positive=True)
    yield from positive("e^(-lam loss) < 1", 1 - exp(-lam * loss))
    edge = rho * exp(-lam * loss)
    term = (1 - rho) * rho ** (steps - 1) * exp(-lam * loss * steps)
    whole = (1 - rho) * exp(-lam * loss) / (1 - edge)
    yield from identity(
        "the tilted mass at k is (1 - q) q^(k-1), q^(k-1) written out",
        term / whole - (1 - edge) * rho ** (steps - 1) * exp(-lam * loss * (steps - 1)),
    )
    delta = Finite({0: "1/2", 1: "1/2"})
    top = value(delta, Tilt(50), "mass", at=1, digits=10).bounds[0]
    yield confirmed("delta at rho = 1/2, lam = 50", "balls", top > 1 - Fraction(1, 10**20))


@claim(
    "process.only-length-hacked",
    "Where more steps only harm, the raw sum is hacked at once, Clip never, Delta not beyond two",
    "True reward g(K) non-increasing, one score for all steps: under Best-of-n on the raw sum the "
    "true reward falls in n from n = 1 on, for every law of K; on a clipped sum (c < eta) it "
    "rises; under Delta all responses of two or more steps tie. So for the tilts, and every rank "
    "policy whose cdf falls in its parameter.",
    hypotheses=("g non-increasing, bounded, not constant", "score c > 0 a step"),
    source=OURS,
)
def only_length_hacked() -> Iterator[Evidence]:
    yield from positive("u^n falls in n for 0 < u < 1", -sympy.diff(u**n, n))
    low, high, at, before = sympy.symbols("g_next g_k G_k G_before", real=True)
    yield from identity(
        "summation by parts: g (G_k - G_before) + ... = (g_k - g_next) G_k + ...",
        high * (at - before) + low * (1 - at) - ((high - low) * at + low - high * before),
    )
    yield words(
        "E[g] = lim g + sum (g_k - g_(k+1)) G(F_k) with F_k = P(K <= k): each weight is >= 0 and "
        "G(F_k) = F_k^n falls in n. On the clipped sum the order of K is reversed, and E[g] = g_1 "
        "- sum (g_k - g_(k+1)) G(P(K > k)) rises. The "
        "cdf of K falls in lam under the tilt of the raw sum too (monotone likelihood ratio), and "
        "rises under that of the clipped one."
    )
    harm = 1 / (1 + steps)
    raw, clip = ([_best_of(k, shape, harm) for k in (1, 2, 8)] for shape in ("raw", "clip"))
    yield confirmed(
        "g = 1/(1 + K), n = 1, 2, 8",
        "exact rationals",
        raw[0] > raw[1] > raw[2] and clip[0] < clip[1] < clip[2],
    )


@claim(
    "process.steps-that-help",
    "Where steps help at first, the raw sum has a threshold and Clip is hacked at once",
    "K geometric with rho = 9/10, cut at 30, c = 1/10, true reward K(30 - K)/225: Best-of-n on the "
    "raw sum is best at n = 3 and falls from there on; on the clipped sum (eta = 1/5), which "
    "prefers short responses, it falls from n = 1; Delta can only drop one-step responses, and "
    "gains less than the raw sum at its threshold. No process reward here spares the choice of n.",
    hypotheses=("this law and this true reward", "1 <= n <= 64"),
    source=f"{OURS}, on arXiv 2506.19248, Definition 1",
    expected="certified",
)
def steps_that_help() -> Iterator[Evidence]:
    useful = steps * (30 - steps) / 225
    counts = (1, 2, 3, 4, 8, 16, 64)
    raw = {k: _best_of(k, "raw", useful) for k in counts}
    clip = {k: _best_of(k, "clip", useful) for k in counts}
    yield certified(
        "raw: up to n = 3, then down",
        "exact rationals",
        raw[1] < raw[2] < raw[3] > raw[4] > raw[8] > raw[16] > raw[64],
        values={str(k): _shown(x) for k, x in raw.items()},
    )
    yield certified(
        "clipped: down from n = 1",
        "exact rationals",
        all(x > y for x, y in pairwise(clip.values())),
        values={str(k): _shown(x) for k, x in clip.items()},
    )
    one = Fraction(29, 225)
    more = (raw[1] - Fraction(1, 10) * one) / Fraction(9, 10)  # E[g | K >= 2]
    yield certified(
        "Delta: between E[g] and E[g | K >= 2], below the raw peak",
        "exact rationals",
        raw[1] < more < raw[3],
        limit=_shown(more),
    )


def _best_of(count: int, shape: str, true: sympy.Expr) -> Fraction:
    """E[g(K)] under Best-of-n on the raw or clipped sum of up to 30 steps of score 1/10."""
    law = ProcessSum("9/10", "1/10", 30, shape, "1/5")
    length = 10 * r if shape == "raw" else -10 * r
    found = value(law, BestOfN(count), "gold", gold=GoldCurve(true.subs(steps, length), "r"))
    assert found.fraction is not None
    return found.fraction


def _shown(x: Fraction) -> str:
    return f"{float(x):.6g}"


CLAIMS: tuple[Claim, ...] = (
    delta_returns,
    delta_repetition,
    delta_never_sees_length,
    clip_does_not_pay,
    delta_keeps_the_optimum,
    start_potential,
    raw_tilt_exists,
    clip_and_delta_tilts_exist,
    only_length_hacked,
    steps_that_help,
)

#: The statement of the two rewards of a step.
STATEMENT = sympy.And(
    sympy.Eq(sympy.Symbol("clip_k"), CLIP), sympy.Eq(sympy.Symbol("delta_k"), DELTA)
)
