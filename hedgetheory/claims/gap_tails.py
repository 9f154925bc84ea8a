"""Laws and families on which the gap has no bound, and the bounds that finite laws rest on."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import E, exp, log, sqrt

from hedgetheory.claims.checks import (
    confirmed,
    identity,
    limit,
    positive,
    strictly_convex_from,
)
from hedgetheory.claims.model import Claim, Evidence, cited, claim, words
from hedgetheory.claims.statements import BON, BOP
from hedgetheory.expressions.symbols import a, k, mu, n, p, r, u
from hedgetheory.functionals.gap import gap_at
from hedgetheory.laws.gamma import Gamma as GammaLaw
from hedgetheory.laws.geometric import Geometric as GeometricLaw
from hedgetheory.laws.gumbel import Gumbel

_OURS = "this project"
v, t, s, y, c, b = sympy.symbols("v t s y c b", positive=True)
B, C, eta, delta, rho, beta = sympy.symbols("B C eta delta rho beta", positive=True)


@claim(
    "gap.data-processing",
    "What a policy concentrates on and the tilt does not, the gap pays for",
    "For every event A of rewards, with probability P under the policy and Q > 0 under the tilt of "
    "the same mean, the gap is at least P ln(1/Q) - ln 2.",
    hypotheses=("any law and rank policy with a matched tilt",),
    source=f"{_OURS}; Kullback's data processing",
)
def data_processing() -> Iterator[Evidence]:
    yield cited("KL(q||tilt) >= the divergence of (P, 1-P) from (Q, 1-Q)", "data processing")
    binary = p * (log(p) - log(a)) + (1 - p) * (log(1 - p) - log(1 - a))
    entropy = -p * log(p) - (1 - p) * log(1 - p)
    yield from identity(
        "P ln(P/Q) + (1-P) ln((1-P)/(1-Q)) = P ln(1/Q) - h(P) - (1-P) ln(1-Q)",
        binary - (-p * log(a) - entropy - (1 - p) * log(1 - a)),
    )
    yield from positive("-ln(1-Q) > 0", -log(1 - a))
    x = sympy.Symbol("x", real=True)
    centred = (log(2) - entropy).subs(p, (1 + x) / 2)
    yield from strictly_convex_from("ln 2 - h((1+x)/2) >= 0", centred, x, 0, 2 * u - 1)


@claim(
    "gap.limit-shapes",
    "Seen from the top, the rank families have limit shapes",
    "As their scale s grows, G(1 - v/s) -> e^{-v} for Best-of-Poisson (s = mu) and Best-of-n (s = "
    "n), and 1/(1+v) for the best of a geometric number (s = 1/p): the policy has 1 - F(R) between "
    "alpha/s and beta/s with a probability that tends to Gamma(alpha) - Gamma(beta) > 0.",
    hypotheses=("0 <= alpha < beta", "a law without atoms"),
    source=_OURS,
)
def limit_shapes() -> Iterator[Evidence]:
    yield from identity(
        "Best-of-Poisson, s = mu: G(1-v/mu) = (1-v/mu) e^{-v}",
        BOP.cdf.subs(u, 1 - v / mu) - (1 - v / mu) * exp(-v),
    )
    yield limit("which tends to e^{-v}", (1 - v / mu) * exp(-v), mu, sympy.oo, exp(-v))
    yield limit("Best-of-n, s = n: ln G -> -v", n * log(1 - v / n), n, sympy.oo, -v)
    yield from identity("for ln G(1-v/n) = n ln(1-v/n)", log(BON.cdf) - n * log(u))
    hyperbolic = (1 - p * v) / (1 + v - p * v)
    yield from identity(
        "geometric, s = 1/p: G(1-pv) = (1-pv)/(1+v-pv)",
        p * u / (1 - (1 - p) * u) - hyperbolic.subs(v, (1 - u) / p),
    )
    yield limit("which tends to 1/(1+v)", hyperbolic, p, sympy.S.Zero, 1 / (1 + v))
    yield from positive("e^{-v} falls", -sympy.diff(exp(-v), v))
    yield from positive("1/(1+v) falls", -sympy.diff(1 / (1 + v), v))


def _grows(law: GammaLaw | Gumbel | GeometricLaw, least: str) -> Evidence:
    """Certified gaps increase along powers of ten, and pass a number."""
    gaps = [gap_at(law, 10**e, 4).gap for e in (2, 12)]
    rising = all(x.bounds[1] < z.bounds[0] for x, z in pairwise(gaps))
    says = f"{law}: the gap rises from mu = 1e2 to 1e12, to more than {least}"
    shown = {"gaps": [gap.decimal(4)[0] for gap in gaps]}
    return confirmed(
        says, "certified gaps", rising and gaps[-1].bounds[0] > Fraction(least), **shown
    )


@claim(
    "gap.unbounded-log-concave",
    "Without an upper end and with a log-concave tail function the gap is unbounded",
    "On a law without atoms and without an upper end whose 1 - F is log-concave, sup gap = oo for "
    "Best-of-Poisson, Best-of-n, the quantile tilt, best of a geometric number, and every family "
    "with G_theta(1 - v/s) -> Gamma(v), continuous and strictly decreasing, as s(theta) -> oo.",
    hypotheses=("no atoms, E|R| < oo, no upper end, 1 - F log-concave", "tilting the reward"),
    source=_OURS,
)
def unbounded_log_concave() -> Iterator[Evidence]:
    yield words("P stays above a constant on the right events: gap.limit-shapes.")
    yield words(
        "R = x(E), E standard exponential, x concave and increasing to oo. A: |E - t| <= B; "
        "h(e) = lam x(e) - e is concave, and Q = int_A e^h/int e^h."
    )
    yield words(
        "If h' >= -eta up to t+B+C, then h >= max_A h - eta (C+2B) on [t+B, t+B+C]: "
        "1/Q >= 1 + C e^{-eta (C+2B)}/(2B). The same to the left with h' <= eta."
    )
    width = C + 2 * B
    yield from identity(
        "at eta = 1/(C+2B) that is 1 + C/(2Be)",
        (C * exp(-eta * width) / (2 * B)).subs(eta, 1 / width) - C / (2 * B * E),
    )
    far = 2 * B * E * (1 / delta - 1) + t
    yield from identity(
        "C = 2Be(1/delta - 1) + t makes it 1/delta + t/(2Be)",
        1 + far / (2 * B * E) - 1 / delta - t / (2 * B * E),
    )
    yield from positive("more than 1/delta", t / (2 * B * E))
    yield words(
        "So Q >= delta needs lam x'(t+B+C) < 1 - eta and lam x'(t-B-C) > 1 + eta. Were it so for "
        "every t >= t0 (some lam each), x' would fall by a factor on each step 2(B+C), and x be "
        "bounded: there are arbitrarily large t where no tilt has Q >= delta."
    )
    fall = (1 - eta) / (1 + eta)
    yield from positive("(1-eta)/(1+eta) < 1", sympy.simplify(1 - fall))
    yield from identity(
        "the sum of a geometric series is finite: 1/(1-rho) = 1 + rho/(1-rho)",
        1 / (1 - rho) - 1 - rho / (1 - rho),
    )
    yield words("With s = e^t P stays above a constant, so gap.data-processing gives sup = oo.")
    yield words(
        "The tilts reach every mean: H = -ln(1-F) is convex with H' -> L, so lam x - H(x) does "
        "not decrease at lam = L and M(L) = oo; where L = oo every lam is allowed."
    )
    yield cited("a log-concave density has a log-concave 1 - F", "Prekopa; Bagnoli, Bergstrom 2005")
    yield from positive(
        "gumbel: -(ln f)'' = e^{-z} > 0", -sympy.diff(Gumbel().log_density_slope, r)
    )
    yield from positive(
        "weibull, shape 1+t: the hazard rate rises", sympy.diff(log((1 + t) * y**t), y)
    )
    yield words("Normal, exponential and logistic densities are log-concave, laplace's too.")
    yield _grows(Gumbel(), "2.7")


@claim(
    "gap.unbounded-on-gamma",
    "On a gamma law of any shape the gap is unbounded",
    "On gamma(shape, rate), tilting the reward, sup gap = oo for the families of "
    "gap.unbounded-log-concave; below shape 1 the tail function is not log-concave.",
    hypotheses=("a gamma law, any shape and rate > 0",),
    source=_OURS,
)
def unbounded_on_gamma() -> Iterator[Evidence]:
    yield words("P stays above a constant on the right events: gap.limit-shapes.")
    power = k * log(beta) - beta * y
    yield from identity(
        "d/dbeta (k ln beta - beta y) = 0 at k/y", sympy.diff(power, beta).subs(beta, k / y)
    )
    yield from positive("and it is concave", -sympy.diff(power, beta, 2))
    yield from identity(
        "so a tilt's density is at most k^k e^{-k}/(Gamma(k) y): beta^k y^{k-1} "
        "e^{-beta y} there is k^k e^{-k}/y",
        power.subs(beta, k / y) + (k - 1) * log(y) - (k * log(k) - k - log(y)),
    )
    yield words("On A = [y, y+c] Q <= c k^k e^{-k}/(Gamma(k) y) -> 0.")
    yield limit("ln f(y+c)/f(y) -> -rate c", (k - 1) * log(1 + c / y) - b * c, y, sympy.oo, -b * c)
    yield words(
        "So (1-F)(y+c)/(1-F)(y) -> e^{-rate c} < 1 (l'Hopital); with s = 1/(1-F(y)), P -> "
        "Gamma(e^{-rate c}) - Gamma(1) > 0, and gap.data-processing gives gap -> oo. M is infinite "
        "at lam = rate: every mean is reached."
    )
    yield _grows(GammaLaw("1/2"), "3.1")


@claim(
    "gap.unbounded-on-counts",
    "On Poisson and geometric laws the gap is unbounded",
    "On poisson(mu) and geometric(p), tilting the reward, sup gap = oo for the families of "
    "gap.unbounded-log-concave.",
    hypotheses=("a Poisson law, or a geometric law on {1, 2, ...}",),
    source=_OURS,
)
def unbounded_on_counts() -> Iterator[Evidence]:
    yield words("P stays above a constant on the right events: gap.limit-shapes.")
    yield words("A tilt of a geometric law is geometric: its masses fall, so that Q(k) <= 1/k.")
    yield from positive("p(1-p)^{j-1} - p(1-p)^j > 0", p**2 * (1 - p) ** (k - 1))
    yield from identity(
        "for it is p^2 (1-p)^{j-1}",
        p * (1 - p) ** (k - 1) - p * (1 - p) ** k - p**2 * (1 - p) ** (k - 1),
    )
    power = k * log(beta) - beta
    yield from identity(
        "a tilt of a Poisson law is Poisson; d/dm (k ln m - m) = 0 at m = k",
        sympy.diff(power, beta).subs(beta, k),
    )
    yield from positive("and it is concave", -sympy.diff(power, beta, 2))
    yield cited("k! >= sqrt(2 pi k) k^k e^{-k}", "DLMF 5.6.1")
    yield from identity(
        "so Q(k) <= 1/sqrt(2 pi k)",
        exp(k * log(k) - k) / (sqrt(2 * sympy.pi * k) * exp(k * log(k) - k))
        - 1 / sqrt(2 * sympy.pi * k),
    )
    yield words(
        "S = P(R >= k), P(R > k) = rho S: rho = 1-p on geometric, at most mean/(k+1) on Poisson, "
        "whose masses fall by mean/(j+1) <= mean/(k+1). With s = 1/S the atom k has P = "
        "G(1 - rho S) - G(1 - S) -> Gamma(rho) - Gamma(1) > 0; for Best-of-Poisson at every k:"
    )
    at_least = (1 - s) * (exp(-a) - exp(-1))
    policy = (1 - a * s) * exp(-a) - (1 - s) * exp(-1)
    yield from identity(
        "(1-rho S) e^{-rho} - (1-S)/e = (1-S)(e^{-rho} - 1/e) + S(1-rho)e^{-rho}",
        policy - at_least - s * (1 - a) * exp(-a),
    )
    yield from positive("S(1-rho)e^{-rho} > 0", s * (1 - a) * exp(-a))
    yield words("So gap.data-processing gives gap -> oo along k -> oo. M is infinite at its limit.")
    yield _grows(GeometricLaw("1/2"), "2.7")


@claim(
    "gap.unbounded-on-mixtures",
    "In a mixture the heaviest upper tail decides that the gap is unbounded",
    "Let f = sum p_i f_i, each f_i with an upper end, a gamma law or as in "
    "gap.unbounded-log-concave, and f <= c f_0 beyond some reward for one that has no upper end. "
    "Then sup gap = oo on f.",
    hypotheses=(
        "finitely many components, each with a tilt; finitely many atoms may be among them",
    ),
    source=_OURS,
)
def unbounded_on_mixtures() -> Iterator[Evidence]:
    yield words("P stays above a constant on the right events: gap.limit-shapes.")
    yield words(
        "M >= p_0 M_0, so beyond that reward Q <= (c/p_0) Q_0; p_0 (1-F_0) <= 1-F <= c (1-F_0); "
        "M is finite where M_0 is. On 1-F_0 in [e^{-t-B}, e^{-t+B}], s = e^t, P is at least about "
        "Gamma(c e^{-B}) - Gamma(p_0 e^B), positive for large B; Q_0 falls below every bound at "
        "arbitrarily large t. On gamma components [y, y+c'] with c' large does the same."
    )
    spread = exp(-c * exp(-B)) - exp(-p * exp(B))
    yield limit(
        "Best-of-Poisson: e^{-c e^{-B}} - e^{-p e^B} -> 1",
        spread.subs(B, -log(t)),
        t,
        sympy.S.Zero,
        sympy.S.One,
    )
    yield words(
        "Which is heaviest: with ln f = -((r-c)/sigma)^k + a ln r + O(1), the smaller k; then the "
        "larger sigma; then, for k > 1, the larger c; then the larger a. Each difference of two "
        "such tends to oo or, where all agree, is bounded."
    )
    order = 1 + b  # k > 1, and c > 0 against the place 0
    lead = (1 - c * t) ** order  # ((r-c)/r)^k at r = 1/t
    yield limit("r^k - (r-c)^k ~ k c r^{k-1}", sympy.diff(1 - lead, t), t, sympy.S.Zero, order * c)
    yield from positive("k c > 0", order * c)


CLAIMS: tuple[Claim, ...] = (
    data_processing,
    limit_shapes,
    unbounded_log_concave,
    unbounded_on_gamma,
    unbounded_on_counts,
    unbounded_on_mixtures,
)
