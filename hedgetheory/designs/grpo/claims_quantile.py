"""Claims on GRPO's optimum on the proxy quantile, beside the tilt by 1/β."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from sympy import exp, log, sinh

from hedgetheory.claims.checks import (
    agree,
    as_json,
    ball_at,
    certified,
    confirmed,
    identity,
    in_u,
    integral_is,
    limit,
    positive,
    unit_integral,
)
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.grpo.bound import (
    CHI2,
    KL,
    MEAN_QUANTILE,
    RENYI,
    REVERSE_KL,
    TOTAL_VARIATION,
    moment,
)
from hedgetheory.designs.grpo.claims_loss import OURS, reference
from hedgetheory.designs.grpo.policy import QuantileGrpo
from hedgetheory.expressions.symbols import alpha, beta, lam, r, u
from hedgetheory.expressions.vocabulary import phi1, phi2, spell_out
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.quantile_tilt import QuantileTilt

ON_QUANTILE = ("a law without atoms, r its quantile", "0 < beta < oo")


#: With λ > 0 plain to the eye: the logarithm of each is a sum of logarithms of positive things.
_PLAIN = {
    phi1(-lam): (1 - exp(-lam)) / lam,
    phi1(lam): exp(lam) * (1 - exp(-lam)) / lam,
    phi2(-lam): (lam - 1 + exp(-lam)) / lam**2,
}


def _in_strength(expr: sympy.Expr) -> sympy.Expr:
    """In λ = 1/β, which the ledger's random points cover from 0 to 30."""
    return spell_out(in_u(expr).xreplace({beta: 1 / lam}).xreplace(_PLAIN))


#: w, and η − u over β up to a factor: 1 − u(1 − e^{−λ}).
W = _in_strength(QuantileGrpo.ratio)
ROOM = 1 - u + u * exp(-lam)
_TOP = 1 / (1 - exp(-lam))  # η
_TILT_MEAN = _in_strength(RANK_FORMS[QuantileTilt, "mean_quantile"].expr)
_TILT_KL = _in_strength(RANK_FORMS[QuantileTilt, "kl"].expr)


@claim(
    "grpo.on-the-quantile",
    "On the quantile eta = 1/(1 - e^(-1/beta)) and G = beta ln(eta/(eta - u))",
    "For r = u: w = beta/(eta - u) with eta = 1/(1 - e^(-1/beta)) integrates to one and has rank "
    "cdf G = beta ln(eta/(eta - u)).",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def on_the_quantile() -> Iterator[Evidence]:
    yield from identity("w = beta/(eta - u)", W - 1 / lam / (_TOP - u))
    yield from integral_is("w integrates to one", W, -log(ROOM) / lam, sympy.S.One)
    survival = _in_strength(QuantileGrpo.survival)
    yield from identity(
        "the policy's G has slope w", sympy.diff(_in_strength(QuantileGrpo.cdf), u) - W
    )
    yield from identity("and its survival slope -w", sympy.diff(survival, u) + W)
    yield from identity("G(0) = 0", _in_strength(QuantileGrpo.cdf).subs(u, 0))
    yield from identity("1 - G(1) = 0", survival.subs(u, 1))


@claim(
    "grpo.mirror-of-the-tilt",
    "On the quantile GRPO's optimum is the mirrored inverse of the tilt",
    "With T the rank cdf of the quantile tilt by 1/beta: G(1 - T(1 - v)) = v. Its quantile "
    "function is the tilt's cdf mirrored in the middle: hence the equal means and the exchanged "
    "divergences.",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def mirror_of_the_tilt() -> Iterator[Evidence]:
    tilt = _in_strength(QuantileTilt.cdf)
    mirrored = 1 - tilt.subs(u, 1 - u)
    yield from identity(
        "eta - u over beta at u = 1 - T(1 - v) is e^(-lam v)",
        ROOM.subs(u, mirrored) - exp(-lam * u),
    )
    yield from identity(
        "e^(-lam G) = 1 - u(1 - e^(-lam)) where G = -ln(...)/lam",
        sympy.diff(_in_strength(QuantileGrpo.cdf) + log(ROOM) / lam, u),
    )
    inverse = _in_strength(QuantileGrpo.inverse)
    yield from identity("so the policy's inverse is 1 - T(1 - v)", inverse - mirrored)
    bar = _in_strength(QuantileGrpo.inverse_bar)
    yield from identity("and one less it is T(1 - v)", bar - tilt.subs(u, 1 - u))


@claim(
    "grpo.closed-forms",
    "KL of GRPO's optimum on the quantile is ln(sinh(x)/x), x = 1/(2 beta)",
    "On a law without atoms, with x = 1/(2 beta): E[U] = eta - beta, KL(pi || ref) = "
    "ln(sinh(x)/x), 1 + chi2 = (sinh(x)/x)^2, Renyi and total variation as the package states "
    "them.",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def closed_forms() -> Iterator[Evidence]:
    kl, chi2 = _in_strength(KL), _in_strength(CHI2)
    sine = (exp(lam) - exp(-lam)) / 2 / lam
    at_double = {lam: 2 * lam}  # written in x = λ/2
    yield from identity("e^KL = sinh(x)/x", exp(kl.subs(at_double)) - sine)
    yield from identity("1 + chi2 = (sinh(x)/x)^2", 1 + chi2.subs(at_double) - sine**2)
    mean = _in_strength(MEAN_QUANTILE)
    yield from identity("E[U] = eta - beta", mean - (_TOP - 1 / lam))
    yield from integral_is(
        "E[U]", u * W, -u * _TOP / lam * (1 - exp(-lam)) - _TOP * log(ROOM) / lam, mean
    )
    level = log(1 - exp(-lam)) - log(lam)  # ln of β/η
    yield from integral_is(
        "KL(pi || ref) = int w ln w",
        W * (level - log(ROOM)),
        (-level * log(ROOM) + log(ROOM) ** 2 / 2) / lam,
        kl,
    )
    for order in (2, 3):
        # ∫ w^α = (β/η)^α ∫ room^{−α}, with d room = −du/η.
        value = (W**order).subs(u, 0) * _TOP * ROOM ** (1 - order) / (order - 1)
        claimed = exp((order - 1) * _in_strength(RENYI).subs(alpha, order))
        yield from integral_is(f"Renyi of order {order}", W**order, value, sympy.expand(claimed))
    half = {lam: Fraction(7, 3)}
    variation = ball_at(_in_strength(TOTAL_VARIATION), half)
    here = (1 - exp(-lam)) / lam
    yield from identity("w = 1 at u = E[U]", W.subs(u, mean) - 1)
    yield from identity("there G = -ln((1 - e^(-lam))/lam)/lam", ROOM.subs(u, mean) - here)
    yield from identity(
        "total variation is u - G(u) there", _in_strength(TOTAL_VARIATION) - mean - log(here) / lam
    )
    yield confirmed("total variation", "ball integral", agree(
        variation, unit_integral(sympy.Abs(W - 1) / 2, half, 64), 20))  # fmt: skip
    for k in (1, 12, 13):
        exact = ball_at(_in_strength(moment(k)), half)
        found = unit_integral(u**k * W, half)
        yield confirmed(f"E[U^{k}]", "ball integral", agree(exact, found, 40))


@claim(
    "grpo.mean-of-the-tilt",
    "On the quantile GRPO's optimum has exactly the mean of the tilt by 1/beta",
    "E[U] = eta - beta = 1/(1 - e^(-1/beta)) - beta under both.",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def mean_of_the_tilt() -> Iterator[Evidence]:
    yield from identity("the two means", _in_strength(MEAN_QUANTILE) - _TILT_MEAN)


@claim(
    "grpo.kl-from-the-reference",
    "On the quantile KL(ref || GRPO) is exactly KL(tilt || ref)",
    "KL(ref || pi) = KL(tilt || ref) with the tilt by 1/beta, on a law without atoms.",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def kl_from_the_reference() -> Iterator[Evidence]:
    level = log(1 - exp(-lam)) - log(lam)
    reverse = _in_strength(REVERSE_KL)
    antiderivative = -level * u + (-_TOP * ROOM) * (log(ROOM) - 1)
    yield from integral_is("KL(ref || pi) = -int ln w", log(ROOM) - level, antiderivative, reverse)
    yield from identity("it is KL(tilt || ref)", reverse - _TILT_KL)


@claim(
    "grpo.kl-of-the-policy",
    "On the quantile KL(GRPO || ref) is strictly larger than KL(tilt || ref)",
    "KL(pi || ref) > KL(tilt || ref) at every beta, at one and the same mean: the difference is "
    "KL(pi || tilt) = 2 ln(sinh(x)/x) - x coth(x) + 1 with x = 1/(2 beta).",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def kl_of_the_policy() -> Iterator[Evidence]:
    # In x = λ/2, written lam here.
    minus, plus = exp(lam) - exp(-lam), exp(lam) + exp(-lam)
    sine = exp(lam) * (1 - exp(-2 * lam)) / 2  # its logarithm is a sum of plain ones
    yield from identity("sinh(x)", sine - minus / 2)
    claimed = 2 * log(sine / lam) - lam * plus / minus + 1
    difference = (_in_strength(KL) - _TILT_KL).subs(lam, 2 * lam)
    yield from identity("the difference is the stated form", difference - claimed)
    plain = (KL - RANK_FORMS[QuantileTilt, "kl"].expr.xreplace({lam: 1 / beta})).xreplace(
        {beta: 1 / lam}
    )
    yield limit("it is 0 at x = 0", plain, lam, sympy.S.Zero, sympy.S.Zero)
    # x sinh² x times the slope is h(2x); h and its first three derivatives vanish at 0.
    y = sympy.Symbol("y", positive=True)
    h = y * sinh(y) / 4 - sympy.cosh(y) + 1 + y**2 / 4
    scaled = sympy.diff(claimed, lam) * lam * (minus / 2) ** 2
    doubled = h.subs(y, 2 * lam).rewrite(exp)
    yield from identity("x sinh(x)^2 times the slope is h(2x)", scaled - doubled)
    for order in range(4):
        yield from identity(f"h^({order})(0) = 0", sympy.diff(h, y, order).subs(y, 0))
    yield from positive("h'''' > 0", sympy.expand(sympy.diff(h, y, 4)))
    yield words("So h > 0 for y > 0 and the difference increases from 0.")


@claim(
    "grpo.best-of-logarithmic",
    "On the quantile GRPO's optimum is best of a logarithmic-series number of draws",
    "With p = 1 - e^(-1/beta): G is the pgf of P(N = k) = beta p^k/k, k >= 1, so one exact sample "
    "is the best of N draws; E[N] = beta (e^(1/beta) - 1), exponential in 1/beta, where the tilt "
    "of the same mean needs (1/beta)/(1 - e^(-1/beta)).",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def best_of_logarithmic() -> Iterator[Evidence]:
    # Σ β p^k u^k/k has slope Σ β p (pu)^{k−1} = βp/(1 − pu).
    share = 1 - exp(-lam)
    yield from identity("beta p/(1 - pu) is w", share / (1 - share * u) / lam - W)
    x, power = sympy.Symbol("x", positive=True), sympy.Symbol("K", positive=True)
    partial = (1 - x**power) / (1 - x)
    yield from identity(
        "partial sums of the geometric series",
        (partial + x**power) - (1 - x ** (power + 1)) / (1 - x),
    )
    yield words(
        "0 < pu < 1, so that the series converges to G, which is 0 at u = 0 and 1 at u = 1."
    )
    mean = _in_strength(QuantileGrpo.mean_draws)
    yield from identity("E[N] = G'(1) = beta (e^(1/beta) - 1)", mean - W.subs(u, 1))
    point = {lam: Fraction(2), u: Fraction(3, 4)}
    step = ball_at(share * u, point)
    with precision(300):
        total = ball(Fraction(0))
        for k in range(1, 400):
            total += step**k / (2 * k)
        total += balls.symmetric(step**400 / (1 - step))
    same = agree(total, ball_at(_in_strength(QuantileGrpo.cdf), point), 60)
    yield confirmed("400 terms at lam = 2, u = 3/4", "balls", same)


@claim(
    "grpo.likelihood-ratio",
    "On the quantile the likelihood ratio is monotone in 1/beta: KL and proxy reward rise",
    "With lam = 1/beta, d/dlam d/du ln w > 0 on 0 < u < 1: smaller beta is greedier, E[U] and "
    "KL(pi || ref) increase strictly from the reference at beta = oo to the top at beta = 0.",
    hypotheses=ON_QUANTILE,
    source=OURS,
)
def likelihood_ratio() -> Iterator[Evidence]:
    mixed = exp(-lam) / ROOM**2
    yield from identity("d/dlam d/du ln w = e^(-lam)/(1 - u(1 - e^(-lam)))^2",
                        sympy.diff(log(W), u, lam) - mixed)  # fmt: skip
    yield from positive("it is > 0", mixed)
    yield limit("w -> 1 as lam -> 0", W, lam, sympy.S.Zero, sympy.S.One)


@claim(
    "grpo.divided-by-the-deviation",
    "Divided by the standard deviation, GRPO on the quantile stops at one smaller beta",
    "With advantages (r - mean)/std the stationary policy is the optimum of b = beta sigma(b), "
    "sigma the policy's own standard deviation. On the quantile sigma(b)^2 = b^2 (x coth(x) - 1), "
    "x = 1/(2b), so that b is the one solution of x coth(x) = 1 + 1/beta^2: near beta^2/2 for "
    "small beta (b = 0.0008 for beta = 0.04).",
    hypotheses=(*ON_QUANTILE, "groups so large that mean and std are the policy's", "epsilon = 0"),
    source=OURS,
)
def divided_by_the_deviation() -> Iterator[Evidence]:
    spread, place = sympy.symbols("sigma eta", positive=True)
    kept = beta * spread * reference / (place - r)
    yield from identity(
        "stationary: r/sigma + beta ref/pi is one number at pi = beta sigma ref/(eta - r)",
        r / spread + beta * reference / kept - place / spread,
    )
    # In x = λ/2 = 1/(2b), written lam here.
    minus = exp(lam) - exp(-lam)
    coth = (exp(lam) + exp(-lam)) / minus
    variance = _in_strength(moment(2) - moment(1) ** 2).subs(lam, 2 * lam)
    yield from identity(
        "variance = b^2 (x coth x - 1)", variance - (lam * coth - 1) / (2 * lam) ** 2
    )
    above = sympy.Symbol("y", positive=True)
    yield from identity(
        "x coth(x) has slope (sinh 2x - 2x)/(2 sinh(x)^2)",
        sympy.diff(lam * coth, lam) - (exp(2 * lam) - exp(-2 * lam) - 4 * lam) / minus**2,
    )
    excess = sinh(above) - above
    yield from identity("sinh y - y is 0 at 0", excess.subs(above, 0))
    yield from identity("so is its slope, cosh y - 1", sympy.diff(excess, above).subs(above, 0))
    yield from positive("its second derivative is sinh y > 0", sympy.diff(excess, above, 2))
    yield words("x coth(x) rises from 1 at 0 without bound: one solution for every beta > 0.")
    target = 1 + Fraction(25) ** 2
    at = [ball_at(lam * coth, {lam: Fraction(10**4, 2 * s)}) for s in (9, 7)]
    with precision(200):
        between = bool(at[0] < ball(target) < at[1])
    yield confirmed("beta = 0.04: 0.0007 < b < 0.0009", "balls", between)


@claim(
    "grpo.hacked-before-the-tilt",
    "With k3 hacking sets in at a larger beta than under the tilt, and at a lower peak",
    "Gold u^12 (1 - u): along beta the optimum of GRPO with k3 peaks at beta = 0.2418 with value "
    "0.01280, the tilt at 1/lam = 0.0739 with 0.01960: more than three times the penalty is "
    "needed, and two thirds of the gain are reached. The published beta = 0.04 is past the peak.",
    hypotheses=("a law without atoms", "g = u^12 (1 - u)", "on the quantile"),
    source=f"{OURS}, on arXiv 2506.19248, §6",
    expected="certified",
)
def hacked_before_the_tilt() -> Iterator[Evidence]:
    value = _nested_moment(12) - _nested_moment(13)
    slope = sympy.diff(value, lam)
    low, high = Fraction(10**7, 2418079), Fraction(10**7, 2418078)
    signs = [ball_at(slope, {lam: x}) for x in (low, high)]
    yield certified(
        "f' in 1/beta is > 0 at beta = 0.2418079 and < 0 at 0.2418078: by grpo.one-turn no other",
        "balls",
        bool(signs[0] > 0) and bool(signs[1] < 0),
        slopes=[as_json(x, 8) for x in signs],
    )
    tilt = _tilt_moment(12) - _tilt_moment(13)
    tilt_slope = sympy.diff(tilt, lam)
    tilts = [Fraction(13529, 1000), Fraction(13530, 1000)]
    tilt_signs = [ball_at(tilt_slope, {lam: x}) for x in tilts]
    yield certified(
        "the tilt peaks between lam = 13.529 and 13.530, 1/lam = 0.0739",
        "balls",
        bool(tilt_signs[0] > 0) and bool(tilt_signs[1] < 0),
    )
    with precision(300):
        box = balls.hull(ball(low), ball(high))
        peak = compiled(value, (lam,))(REAL, box)
        best = ball_at(tilt, {lam: tilts[0]})
        holds = bool(peak < ball(Fraction(129, 10**4))) and bool(best > ball(Fraction(195, 10**4)))
    yield certified("peak values below 0.0129 against above 0.0195", "ball over the bracket", holds,
                    grpo=as_json(peak, 8), tilt=as_json(best, 8))  # fmt: skip
    far = ball_at(value, {lam: Fraction(25)})
    yield certified(
        "at beta = 0.04 less than a third of the peak is left", "balls", bool(3 * far < peak),
        value=as_json(far, 8),
    )  # fmt: skip


def _nested_moment(k: int) -> sympy.Expr:
    """E[U^k] of GRPO's optimum by the recursion behind `moment`, in λ."""
    found = sympy.S.One
    for power in range(1, k + 1):
        found = _TOP * found - 1 / (lam * power)
    return found


def _tilt_moment(k: int) -> sympy.Expr:
    """E[U^k] under the tilt: λ ∫ u^k e^{λ(u−1)} = 1 − k ∫ u^{k−1} e^{λ(u−1)}, over 1 − e^{−λ}."""
    integral = (1 - exp(-lam)) / lam
    for power in range(1, k + 1):
        integral = (1 - power * integral) / lam
    return lam * integral / (1 - exp(-lam))


CLAIMS: tuple[Claim, ...] = (
    on_the_quantile,
    mirror_of_the_tilt,
    closed_forms,
    mean_of_the_tilt,
    kl_from_the_reference,
    kl_of_the_policy,
    best_of_logarithmic,
    likelihood_ratio,
    divided_by_the_deviation,
    hacked_before_the_tilt,
)
