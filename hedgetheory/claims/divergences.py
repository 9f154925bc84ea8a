"""Theorem 2 and the other closed forms: each proved, and compared with its definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import sympy
from sympy import Ei, Expr, S, Symbol, diff, exp, log

from hedgetheory.claims.checks import (
    agree,
    as_json,
    ball_at,
    confirmed,
    identity,
    integral_is,
    of_proof,
    of_step,
    positive,
    shown,
    unit_integral,
)
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.claims.statements import BON, BOP, FAMILIES, PAPER, RECONSTRUCTED, TILT
from hedgetheory.expressions.prover import identity as algebra
from hedgetheory.expressions.symbols import lam, mu, n, u
from hedgetheory.functionals.closed_forms import RANK_FORMS
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.plans import eps
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import precision
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Geometric, Sibuya

#: Exact parameters from far below to far above one.
_PARAMETERS = tuple(map(Fraction, ("1/1000", "7/10", "2113/997", "57/4", "200")))
#: Theorem 2 as the paper writes it.
BOP_KL = exp(-mu - 1) * (Ei(mu + 1) - Ei(1)) / mu + log(1 + mu) - 1
BOP_MEAN = 1 - 1 / mu + (1 - exp(-mu)) / mu**2


def same_as_definition(
    says: str, definition: Expr, value: Expr, theta: Symbol, **omitted: Expr
) -> Iterator[Evidence]:
    """Closed form against ∫₀¹ definition du at exact parameters, both as balls."""
    shift = 1 if theta == n else 0
    for parameter in _PARAMETERS:
        point = {theta: shift + parameter}
        closed, integral = ball_at(value, point, 256), unit_integral(definition, point, **omitted)
        if closed.is_finite() and integral.is_finite() and not closed.overlaps(integral):
            data = {"at": shown(point), "closed": as_json(closed), "integral": as_json(integral)}
            yield Evidence("witness", f"not so: {says}", "certified quadrature", True, data)
            return
        yield confirmed(
            f"{says}: closed form and definition agree at {theta} = {shown(point)[theta.name]}",
            "certified quadrature",
            agree(closed, integral),
            value=as_json(closed),
        )


def theorem_2_steps(kl: Expr, mean: Expr) -> Iterator[Evidence]:
    """KL and E[U] of BoP by antiderivatives differentiated back, and against the definitions."""
    w, log_w = BOP.ratio, BOP.log_ratio
    kernel = exp(mu * (u - 1))
    yield from integral_is(
        "KL = int w ln w",
        w * log_w,
        u * kernel * (log(1 + mu * u) + mu * (u - 1) - 1) + exp(-mu - 1) * Ei(1 + mu * u) / mu,
        kl,
    )
    yield from integral_is("E[U] = int u w", u * w, kernel * (u**2 - u / mu + 1 / mu**2), mean)
    yield from same_as_definition("KL", w * log_w, kl, mu)
    yield from same_as_definition("E[U]", u * w, mean, mu)


@claim(
    "paper.theorem-2",
    "Theorem 2: mean and KL of Best-of-Poisson",
    "On a law without atoms, E[U] = 1 - 1/mu + (1-e^{-mu})/mu^2 and "
    "KL = e^{-mu-1} (Ei(mu+1) - Ei(1))/mu + ln(1+mu) - 1 nats.",
    hypotheses=("mu > 0", "a law without atoms"),
    source=f"{PAPER}, Theorem 2",
)
def theorem_2() -> Iterator[Evidence]:
    yield from theorem_2_steps(BOP_KL, BOP_MEAN)
    forms = {"kl": BOP_KL, "mean_quantile": BOP_MEAN}
    for quantity, stated in forms.items():
        form = RANK_FORMS[BestOfPoisson, quantity]
        yield from of_proof(form.prove())
        yield from identity(f"the package's {quantity} is the paper's", form.expr - stated)


@claim(
    "divergence.bon",
    "KL and mean of Best-of-n",
    "On a law without atoms, KL(BoN) = ln n - (n-1)/n and E[U] = n/(n+1).",
    hypotheses=("real n > 1", "a law without atoms"),
    source=f"{PAPER}, §2; folklore",
)
def bon() -> Iterator[Evidence]:
    yield from bon_steps(log(n) - (n - 1) / n, n / (n + 1))


def bon_steps(kl: Expr, mean: Expr) -> Iterator[Evidence]:
    w, log_w = BON.ratio, BON.log_ratio
    zero = {S.Zero: S.Zero}
    yield from integral_is(
        "KL = int w ln w", w * log_w, u**n * log_w - (n - 1) / n * u**n, kl, zero
    )
    yield from integral_is("E[U] = int u w", u * w, n * u ** (n + 1) / (n + 1), mean)
    # |∫₀^ε w ln w| ≤ εⁿ (ln n + (n−1)/n − (n−1) ln ε), by the antiderivative.
    omitted = eps**n * (log(n) + (n - 1) / n - (n - 1) * log(eps))
    yield from same_as_definition("KL", w * log_w, kl, n, omitted_left=omitted)
    yield from same_as_definition("E[U]", u * w, mean, n, omitted_left=eps**n)
    stated: Mapping[str, Expr] = {"kl": kl, "mean_quantile": mean}
    for quantity, formula in stated.items():
        form = RANK_FORMS[BestOfN, quantity].expr
        yield from identity(f"the package's {quantity} is this one", form - formula)


@claim(
    "divergence.quantile-tilt",
    "KL and mean of the quantile tilt",
    "On a law without atoms, E[U] = 1/(1-e^{-lam}) - 1/lam and "
    "KL = lam E[U] - ln((e^lam - 1)/lam).",
    hypotheses=("lam > 0", "a law without atoms"),
    source="exponential families; this project",
)
def quantile_tilt() -> Iterator[Evidence]:
    mean = 1 / (1 - exp(-lam)) - 1 / lam
    kl = lam * mean - log((exp(lam) - 1) / lam)
    w, log_w = TILT.ratio, TILT.log_ratio
    yield from integral_is("E[U] = int u w", u * w, (u - 1 / lam) * w / lam, mean)
    yield from integral_is("KL = int w ln w", w * log_w, (log_w - 1) * w / lam, kl)
    yield from same_as_definition("KL", w * log_w, kl, lam)
    forms = {q: RANK_FORMS[QuantileTilt, q] for q in ("kl", "mean_quantile")}
    yield from identity("the package's mean is this one", forms["mean_quantile"].expr - mean)
    # ln φ₁(−λ) and ln((e^λ−1)/λ) differ by λ, which algebra sees in the slope only.
    difference = forms["kl"].expr - kl
    yield from identity("the package's KL has this slope", diff(difference, lam))
    yield of_step(algebra("and this value at lam = ln 2", difference.subs(lam, log(2))))
    yield words("Equal slopes for lam > 0 and one equal value: the same function.")


@claim(
    "divergence.all-closed-forms",
    "Every closed form of the package on laws without atoms is proved",
    "KL, chi-squared, Renyi divergence, total variation and E[U] of BoN, BoP, quantile tilt, "
    "geometric and Sibuya best-of-N, wherever the package states a closed form.",
    hypotheses=("interior parameters of each family", "a law without atoms"),
    source="this project",
)
def all_closed_forms() -> Iterator[Evidence]:
    for (policy, quantity), form in RANK_FORMS.items():
        yield _against_definition(policy, quantity)
        proof = form.prove()
        yield Evidence(
            "proved",
            f"{policy.__name__} {quantity} = {form.expr}",
            "; ".join(dict.fromkeys(step.by for step in proof.steps)),
            proof.holds,
        )
    yield words(
        "Total variation rests on w being non-decreasing, which paper.corollary-1-mlr gives."
    )


_MEMBERS: dict[type, RankPolicy] = {
    BestOfN: BestOfN("17/5"),
    BestOfPoisson: BestOfPoisson("23/7"),
    QuantileTilt: QuantileTilt("31/9"),
    Geometric: BestOfRandom(Geometric("2/7")),
    Sibuya: BestOfRandom(Sibuya("5/8")),
}


def _against_definition(policy: type, quantity: str) -> Evidence:
    """A member's closed form against the integral that defines the quantity."""
    member, order = _MEMBERS[policy], Fraction(3, 2) if quantity == "renyi" else None
    closed, *_, definition = plans(Uniform(), member, quantity, order=order)
    with precision(192):
        value, integral = enclosure(closed), enclosure(definition)
    return confirmed(
        f"{quantity} of {member}: closed form and definition agree",
        "certified quadrature",
        closed is not definition and agree(value, integral, bits=50),
        value=as_json(value),
    )


@claim(
    "divergence.win-rate",
    "The win rate of Best-of-n is n/(n+1)",
    "On a law without atoms the win rate against one reference draw, ties one half, is E[F(R)] = "
    "E[U]: n/(n+1) for BoN, 1 - 1/mu + (1-e^{-mu})/mu^2 for BoP.",
    hypotheses=("real n > 1, mu > 0", "a law without atoms (ties have probability zero)"),
    source=f"{PAPER}; folklore",
)
def win_rate() -> Iterator[Evidence]:
    yield words(
        "Given the selected reward R, a reference draw R' loses with probability F(R-) and ties "
        "with F(R)-F(R-): P(win) + P(tie)/2 = E[(F(R)+F(R-))/2], which is E[F(R)] = E[U] without "
        "atoms."
    )
    zero = {S.Zero: S.Zero}
    yield from integral_is("BoN", u * BON.ratio, n * u ** (n + 1) / (n + 1), n / (n + 1), zero)
    kernel = exp(mu * (u - 1))
    yield from integral_is("BoP", u * BOP.ratio, kernel * (u**2 - u / mu + 1 / mu**2), BOP_MEAN)
    exchange = [Fraction(k, k + 1) for k in (1, 2, 5)]
    found = [_beats_one(k) for k in (1, 2, 5)]
    yield confirmed(
        "integer n: the best of n beats one more draw unless that one is the largest of n + 1",
        "counting orders",
        exchange == found,
    )


def _beats_one(draws: int) -> Fraction:
    """P(the largest of `draws` ranks exceeds one more) by counting all orders of draws + 1."""
    from itertools import permutations

    orders = list(permutations(range(draws + 1)))
    return Fraction(sum(max(o[:-1]) > o[-1] for o in orders), len(orders))


@claim(
    "divergence.kl-and-proxy-increase",
    "KL and the mean proxy quantile strictly increase along each family",
    "E_theta[U] and KL(pi_theta||pi_ref) strictly increase in theta for BoN, BoP, quantile tilt.",
    hypotheses=("real n > 1, mu > 0, lam > 0", "a law without atoms"),
    source=f"{RECONSTRUCTED}: Corollary 2",
)
def increase() -> Iterator[Evidence]:
    a, b, c, d = sympy.symbols("a b c d", real=True)
    yield of_step(
        algebra(
            "(a-c)(b-d) = ab + cd - ad - cb", (a - c) * (b - d) - (a * b + c * d - a * d - c * b)
        )
    )
    yield words(
        "With (a,b), (c,d) two independent copies of two functions of U: Cov = half of "
        "E[(a-c)(b-d)], > 0 when both functions strictly increase in U."
    )
    for family in FAMILIES:
        name, theta = family.name, family.theta
        yield from positive(f"{name}: score strictly increases", diff(family.score, u))
        yield from positive(f"{name}: ln w strictly increases", diff(family.log_ratio, u))
        slope = diff(family.ratio * family.log_ratio, theta)
        by_score = family.ratio * family.score * (family.log_ratio + 1)
        yield from identity(f"{name}: d(w ln w)/d{theta} = w score (ln w + 1)", slope - by_score)
    yield words(
        "So dKL/dtheta = Cov(ln w, score) > 0 and dE[U]/dtheta = Cov(U, score) > 0, as E[score] = "
        "0 (paper.score-formulas). Bounds locally uniform in theta are integrable: w, ln w are "
        "smooth on (0,1] and u^{n-1} ln^2 u is integrable."
    )
    yield from positive("BoN: dKL/dn = (n-1)/n^2 > 0", diff(log(n) - (n - 1) / n, n))


CLAIMS: tuple[Claim, ...] = (
    theorem_2,
    bon,
    quantile_tilt,
    all_closed_forms,
    win_rate,
    increase,
)
