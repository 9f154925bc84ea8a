"""Claims on hack contamination."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

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
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.contamination.functions import (
    VALUE,
    best_draws,
    best_of_n_value,
    eps,
    h,
    least_kl,
    threshold,
)
from hedgetheory.expressions.symbols import n, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import kl_divergence
from hedgetheory.laws.joint import Contaminated
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

PAPER = "arXiv 2508.17511"
_MODEL = (
    "with chance eps a response has the top proxy and the true reward h; else the true reward is "
    "its quantile among honest ones (modelling choice)"
)
_HONEST = Symbol("honest", positive=True)


@claim(
    "contamination.value",
    "Best-of-n under contamination has a closed form",
    "E[true reward] = (1-eps)^n n/(n+1) + h (1 - (1-eps)^n).",
    hypotheses=(_MODEL, "0 < eps < 1", "n >= 1"),
    source=f"this project, a model for {PAPER}",
)
def best_of_n_closed_form() -> Iterator[Evidence]:
    inside = u / _HONEST * n * u ** (n - 1)
    whole = n * u ** (n + 1) / ((n + 1) * _HONEST)
    yield from identity(
        "g w has antiderivative n u^(n+1)/((n+1)(1-eps)) below 1 - eps",
        sympy.powsimp(sympy.diff(whole, u) - inside),
    )
    yield from identity(
        "at u = 1 - eps, with h times the mass above, it is the value",
        sympy.expand(
            sympy.powsimp(whole.xreplace({u: _HONEST}))
            + h * (1 - _HONEST**n)
            - VALUE.xreplace({eps: 1 - _HONEST})
        ),
    )
    gold = Contaminated("1/10", "1/4").implied(Uniform()).expr
    pieces = [
        sympy.integrate(expr * 5 * u**4, (u, low, high))
        for (expr, _), low, high in zip(
            gold.args, (0, sympy.Rational(9, 10)), (sympy.Rational(9, 10), 1), strict=True
        )
    ]
    yield confirmed(
        "contaminated(1/10, 1/4) at n = 5, by polynomial integrals",
        "rational arithmetic",
        sum(pieces) == best_of_n_value(5, "1/10", "1/4"),
    )


@claim(
    "contamination.best-draws",
    "The best n is the floor of 1/sqrt(eps)",
    "For h = 0 the best whole n is floor(1/sqrt(eps)), tied with its predecessor where 1/sqrt(eps) "
    "is a whole number >= 2. Over real n >= 1 the only maximum is at (-1 + sqrt(1 + 4/L))/2, L = "
    "-ln(1-eps), where L <= 1/2, and at 1 otherwise.",
    hypotheses=(_MODEL, "h = 0", "0 < eps < 1"),
    source=f"this project, a model for {PAPER}",
)
def best_number_of_draws() -> Iterator[Evidence]:
    steps = VALUE.xreplace({h: sympy.S.Zero})
    ratio = steps / steps.xreplace({n: n - 1})
    yield from identity(
        "f(n)/f(n-1) - 1 = (1 - eps n^2)/(n^2 - 1), n >= 2",
        sympy.powsimp(sympy.simplify(ratio)) - 1 - (1 - eps * n**2) / (n**2 - 1),
    )
    yield words("f(n) >= f(n-1) exactly where n <= 1/sqrt(eps), with equality where they are equal")
    rate = Symbol("L", positive=True)
    slope = -rate + 1 / n - 1 / (n + 1)
    by_hand = sympy.diff(-rate * n + log(n) - log(n + 1), n)
    yield from identity("d ln f/dn = -L + 1/(n(n+1))", by_hand - slope)
    bend = -sympy.diff(1 / n - 1 / (n + 1), n)
    yield from positive("and it decreases: 1/n^2 - 1/(n+1)^2 > 0", sympy.factor(bend))
    root = (sympy.sqrt(1 + 4 / rate) - 1) / 2
    yield from identity(
        "it is 0 at (-1 + sqrt(1 + 4/L))/2", sympy.expand(root * (root + 1)) - 1 / rate
    )
    yield words("which is >= 1 exactly where 1 + 4/L >= 9, that is L <= 1/2")
    for share in ("1/100", "1/99", "1/4", "1/5", "4/5"):
        values = [best_of_n_value(k, share) for k in range(1, 15)]
        best = tuple(k for k, v in enumerate(values, 1) if v == max(values))
        yield confirmed(f"eps = {share}", "rational arithmetic", best == best_draws(share))
    with precision(200):
        place = ball_at(threshold("1/100"), {})
    yield confirmed(
        "eps = 1/100: the threshold is in (9, 10)", "balls", 9 < place < 10, n=as_json(place)
    )


@claim(
    "contamination.kl-optimal-is-best",
    "The rule that is optimal in KL is also best for the true reward",
    "At its best parameter the exponential tilt, which gets the most proxy reward for its KL, gets "
    "at least the true reward of Best-of-n and Best-of-Poisson.",
    hypotheses=(_MODEL, "h = 0"),
    source="popular",
    expected="refuted",
)
def kl_optimal_is_best() -> Iterator[Evidence]:
    share = "1/100"
    peaks = {}
    for law, policy in ((Uniform(), BestOfPoisson), (Uniform(), QuantileTilt), (Normal(), Tilt)):
        found = check(law, _family(policy), _gold(share, law), digits=6)
        (peak,) = found.extrema
        yield certified(
            f"{policy.name} on {law}: one peak on its whole domain",
            "check",
            found.regime == "peak" and peak.kind == "max",
            theta=f"{float(peak.theta):.6g}",
            value=f"{float(peak.value):.6g}",
        )
        peaks[policy.name] = peak.value.bounds[1]
    best = best_of_n_value(10, share)
    order = [best, *(peaks[name] for name in ("bop", "quantile_tilt", "tilt"))]
    yield witness(
        "eps = 1/100: bon(10) beats the best bop, that the best quantile tilt, that the best tilt",
        "rational arithmetic against upper ends of balls",
        order == sorted(order, reverse=True) and all(best > peak for peak in peaks.values()),
        values={"bon": f"{float(best):.6g}", **{k: f"{float(v):.6g}" for k, v in peaks.items()}},
    )


def _family(policy: type[Policy]) -> Family:
    return Family(policy.name, policy, policy.symbols[0], policy.domains[0])


def _gold(share: str, law: Normal | Uniform) -> GoldCurve:
    return GoldCurve(Contaminated(share, 0).implied(law).expr, "u")


@claim(
    "contamination.price-of-a-hack-rate",
    "Hacking at rate q costs at least the binary KL",
    "A policy whose responses hack at rate q has KL >= q ln(q/eps) + (1-q) ln((1-q)/(1-eps)) from "
    "the reference, with equality exactly where it changes nothing within the hacks and within the "
    "honest; hacking always costs ln(1/eps).",
    hypotheses=("0 < eps < 1", "0 <= q <= 1", "any law"),
    source="data processing; this project",
)
def price_of_a_hack_rate() -> Iterator[Evidence]:
    p, r, q = sympy.symbols("p r q", positive=True)
    term = log(p / r)
    split = log(q / eps) + log((p / q) / (r / eps))
    yield from identity(
        "ln(p/r) = ln(q/eps) + ln((p/q)/(r/eps)), p, r masses of a hack",
        sympy.expand_log(term - split, force=True),
    )
    yield words(
        "averaged over the policy, with the same for the honest: KL = kl(q||eps) + q KL(within the "
        "hacks) + (1-q) KL(within the honest), and both are >= 0, zero where nothing changes there"
    )
    limit = least_kl(1, "1/7")
    yield from identity("at q = 1 it is ln(1/eps)", limit - log(sympy.Integer(7)))
    for draws in (2, 10, 100):
        rate = 1 - Fraction(99, 100) ** draws
        kl = kl_divergence(BestOfN(draws)).bounds[0]
        with precision(300):
            least = ball_at(least_kl(rate, "1/100"), {})
            holds = bool(least < ball(kl))
        yield confirmed(f"bon({draws}), eps = 1/100: above its price", "balls", holds)


CLAIMS: tuple[Claim, ...] = (
    best_of_n_closed_form,
    best_number_of_draws,
    kl_optimal_is_best,
    price_of_a_hack_rate,
)
