"""Closed forms on a law without atoms, each with the obligation that proves it.

Key: (policy or draws class, quantity). A rank functional that does not see the reward holds on
every law without atoms. Where a form is proved by an antiderivative of its definition, the
definition is taken from `INTEGRANDS`, so that definition and closed form cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy
from sympy import Ei, S, exp, harmonic, log, sqrt

from hedgetheory.expressions.prover import Antiderivative, Proof, identity
from hedgetheory.expressions.symbols import a, alpha, lam, mu, n, p, r, total, u, ubar
from hedgetheory.expressions.vocabulary import (
    Ein,
    expm1,
    log1p,
    phi1,
    phi2,
    phi3,
    scaled_ei,
    wright_omega,
)
from hedgetheory.functionals.stable_means import stable_mean
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Geometric, Sibuya, ZeroTruncatedPoisson

#: quantity -> (integrand over u from w and ln w, the quantity as a function of the integral).
INTEGRANDS: dict[str, tuple[Callable[[Any, Any], Any], sympy.Expr]] = {
    "kl": (lambda w, log_w: w * log_w, total),
    "chi2": (lambda w, log_w: w**2 - 1, total),
    "renyi": (lambda w, log_w: exp(alpha * log_w), log(total) / (alpha - 1)),
    "total_variation": (lambda w, log_w: sympy.Abs(w - 1) / 2, total),
    "mean_quantile": (lambda w, log_w: u * w, total),
}


@dataclass(frozen=True)
class ClosedForm:
    """A formula and what proves it."""

    expr: sympy.Expr
    prove: Callable[[], Proof]
    title: str


def policy_key(policy: RankPolicy) -> type:
    """The class whose closed forms a policy uses: of its draws where it is best of random draws.

    The zero-truncated Poisson best-of-N is the quantile tilt, so that both use one set of forms.
    """
    if not isinstance(policy, BestOfRandom):
        return type(policy)
    return QuantileTilt if isinstance(policy.draws, ZeroTruncatedPoisson) else type(policy.draws)


_BON_LOG = log(n) + (n - 1) * log(u)
_BOP_EXP = exp(mu * (u - 1))
_TILT_C = 1 / phi1(-lam)
_TILT_LOG = lam * (u - 1) - log(phi1(-lam))
_GEO_D = 1 - (1 - p) * u
_SIB_LOG = log(a) + (a - 1) * log(1 - u)

_RANK_STATEMENTS: dict[type, tuple[sympy.Expr, sympy.Expr]] = {
    BestOfN: (BestOfN.ratio, BestOfN.log_ratio),
    BestOfPoisson: (BestOfPoisson.ratio, BestOfPoisson.log_ratio),
    QuantileTilt: (QuantileTilt.ratio, QuantileTilt.log_ratio),
    Geometric: (Geometric.slope, log(p) - 2 * log(ubar + p * u)),
    Sibuya: (Sibuya.slope, log(a) + (a - 1) * log(ubar)),
}
_RANK_CDF: dict[type, sympy.Expr] = {
    BestOfN: BestOfN.cdf,
    BestOfPoisson: BestOfPoisson.cdf,
    QuantileTilt: QuantileTilt.cdf,
    Geometric: Geometric.pgf,
    Sibuya: Sibuya.pgf,
}

#: (class, quantity) -> (antiderivative in u of the integrand, value of the quantity,
#: limits at the ends that substitution does not give).
_BY_ANTIDERIVATIVE: dict[tuple[type, str], tuple[sympy.Expr, sympy.Expr, dict[Any, Any]]] = {
    (BestOfN, "kl"): (u**n * _BON_LOG - (n - 1) / n * u**n, log(n) - (n - 1) / n, {S.Zero: S.Zero}),
    (BestOfN, "chi2"): (
        n**2 * u ** (2 * n - 1) / (2 * n - 1) - u,
        (n - 1) ** 2 / (2 * n - 1),
        {S.Zero: S.Zero},
    ),
    (BestOfN, "renyi"): (
        n**alpha * u ** (alpha * (n - 1) + 1) / (alpha * (n - 1) + 1),
        (alpha * log(n) - log1p(alpha * (n - 1))) / (alpha - 1),
        {S.Zero: S.Zero},
    ),
    (BestOfN, "mean_quantile"): (n * u ** (n + 1) / (n + 1), n / (n + 1), {}),
    (BestOfPoisson, "kl"): (
        u * _BOP_EXP * (log(1 + mu * u) + mu * (u - 1) - 1) + exp(-mu - 1) * Ei(1 + mu * u) / mu,
        (scaled_ei(1 + mu) - exp(-mu) * scaled_ei(S.One)) / mu + log1p(mu) - 1,
        {},
    ),
    (BestOfPoisson, "chi2"): (
        _BOP_EXP**2 * (1 / (4 * mu) + u / 2 + mu * u**2 / 2) - u,
        2 * mu**2 * phi3(-2 * mu),
        {},
    ),
    (BestOfPoisson, "mean_quantile"): (
        _BOP_EXP * (u**2 - u / mu + 1 / mu**2),
        1 - phi2(-mu),
        {},
    ),
    (QuantileTilt, "kl"): (
        _TILT_C / lam * exp(lam * (u - 1)) * (_TILT_LOG - 1),
        lam * (phi2(-lam) / phi1(-lam) - 1) - log(phi1(-lam)),
        {},
    ),
    (QuantileTilt, "chi2"): (
        _TILT_C**2 * exp(2 * lam * (u - 1)) / (2 * lam) - u,
        phi1(-2 * lam) / phi1(-lam) ** 2 - 1,
        {},
    ),
    (QuantileTilt, "renyi"): (
        exp(alpha * _TILT_LOG) / (alpha * lam),
        (log(phi1(-alpha * lam)) - alpha * log(phi1(-lam))) / (alpha - 1),
        {},
    ),
    (QuantileTilt, "mean_quantile"): (
        _TILT_C * exp(lam * (u - 1)) * (u / lam - 1 / lam**2),
        phi2(-lam) / phi1(-lam),
        {},
    ),
    (Geometric, "kl"): (
        p / (1 - p) / _GEO_D * (log(p) - 2 * log(_GEO_D) - 2),
        -(1 + p) * log(p) / (1 - p) - 2,
        {},
    ),
    (Geometric, "chi2"): (
        p**2 / (3 * (1 - p) * _GEO_D**3) - u,
        (1 - p) ** 2 / (3 * p),
        {},
    ),
    (Geometric, "mean_quantile"): (
        p / (1 - p) ** 2 * (1 / _GEO_D + log(_GEO_D)),
        1 / (1 - p) + p * log(p) / (1 - p) ** 2,
        {},
    ),
    (Sibuya, "kl"): (
        -((1 - u) ** a) * (_SIB_LOG - (a - 1) / a),
        log(a) - (a - 1) / a,
        {S.One: S.Zero},
    ),
    (Sibuya, "chi2"): (
        -(a**2) * (1 - u) ** (2 * a - 1) / (2 * a - 1) - u,
        (1 - a) ** 2 / (2 * a - 1),
        {S.One: -S.One},
    ),
    (Sibuya, "renyi"): (
        -(a**alpha) * (1 - u) ** (1 + alpha * (a - 1)) / (1 + alpha * (a - 1)),
        (alpha * log(a) - log(1 + alpha * (a - 1))) / (alpha - 1),
        {S.One: S.Zero},
    ),
    (Sibuya, "mean_quantile"): (
        (1 - u) ** (a + 1) * a / (a + 1) - (1 - u) ** a,
        1 / (a + 1),
        {S.One: S.Zero},
    ),
}

#: (class, u* with w(u*) = 1): w is increasing, so total variation is u* − G(u*).
_UNIT_RATIO: dict[type, sympy.Expr] = {
    BestOfN: n ** (-1 / (n - 1)),
    BestOfPoisson: (wright_omega(1 + mu) - 1) / mu,
    QuantileTilt: 1 + log(phi1(-lam)) / lam,
    Geometric: 1 / (1 + sqrt(p)),
    Sibuya: 1 - a ** (1 / (1 - a)),
}


#: n > 1 and 0 < a < 1 in a form that sympy's signs understand; the ends are the reference.
_EXCESS = sympy.Symbol("d", positive=True)
_POSITIVE = {n: 1 + _EXCESS}
#: E[w^α] under Sibuya(a) is finite for 1 + α(a − 1) > 0, written 1/(1 + d).
_FINITE_MOMENT: dict[tuple[type, str], dict[sympy.Symbol, sympy.Expr]] = {
    (Sibuya, "chi2"): {a: 1 - _EXCESS / (1 + _EXCESS) / 2},
    (Sibuya, "renyi"): {a: 1 - _EXCESS / (1 + _EXCESS) / alpha},
}


def _by_antiderivative(key: tuple[type, str]) -> ClosedForm:
    antiderivative, value, ends = _BY_ANTIDERIVATIVE[key]
    policy, quantity = key
    w, log_w = map(in_u, _RANK_STATEMENTS[policy])
    integrand, post = INTEGRANDS[quantity]
    # "renyi" is a function of its integral: what is proved is the integral, exp((α−1)·value).
    integral = value if post == total else exp((alpha - 1) * value)
    title = f"{quantity} of {policy.__name__} on a law without atoms"

    def prove() -> Proof:
        domain = _FINITE_MOMENT.get(key, _POSITIVE)
        obligation = Antiderivative(
            integrand(w, log_w), antiderivative, u, integral, ends=ends, domain=domain
        )
        return obligation.prove(f"{title} is {value}")

    return ClosedForm(value, prove, title)


def _total_variation(policy: type) -> ClosedForm:
    star = _UNIT_RATIO[policy]
    at_star = _RANK_CDF[policy].xreplace({u: star, ubar: 1 - star})
    title = f"total_variation of {policy.__name__} on a law without atoms"

    def prove() -> Proof:
        w, log_w = map(in_u, _RANK_STATEMENTS[policy])
        if policy is BestOfPoisson:
            # With ω = ω(1+μ): 1 + μu* = ω and μ(u*−1) = ω − 1 − μ, so ln w = ln ω + ω − (1+μ),
            # zero by the definition of ω.
            omega = sympy.Symbol("omega", positive=True)
            one = identity(
                "ln w(u*) = 0",
                log_w.xreplace({u: (omega - 1) / mu}) - (log(omega) + omega - 1 - mu),
            )
        else:
            inside = {**_POSITIVE, a: 1 / (1 + _EXCESS)}
            one = identity("w(u*) = 1", w.xreplace({u: star}).xreplace(inside) - 1)
        return Proof(
            f"{title} is u* − G(u*) at u* = {star}",
            (one,),
            ("w is non-decreasing in u, so that {w < 1} is an interval [0, u*): TV = ∫(1 − w)⁺",),
        )

    return ClosedForm(star - at_star, prove, title)


def antiderivative(
    policy: type, quantity: str
) -> tuple[sympy.Expr, dict[sympy.Expr, sympy.Expr]] | None:
    """P in u with P′ = the integrand of a quantity, and P at ends where it has no value; or None.

    It is what the closed form of (policy, quantity) is proved by.
    """
    known = _BY_ANTIDERIVATIVE.get((policy, quantity))
    return None if known is None else (known[0], known[2])


def unit_ratio(policy: type) -> sympy.Expr | None:
    """The quantile at which w = 1, where it has a formula."""
    return _UNIT_RATIO.get(policy)


def _registry() -> dict[tuple[type, str], ClosedForm]:
    forms = {key: _by_antiderivative(key) for key in _BY_ANTIDERIVATIVE}
    for policy in _UNIT_RATIO:
        forms[policy, "total_variation"] = _total_variation(policy)
    return forms


RANK_FORMS = _registry()


# -- mean reward ---------------------------------------------------------------------------------
# On a law with quantile function Q, ∫ Q dG = Q(0+) + ∫ (1 − G) Q′ where Q(0+) is finite, and
# E[−ln(1−U)] = ∫ (1 − G)/(1 − u), E[−ln U] = ∫ G/u: each integral in v = 1 − u or in u.

#: class -> E[−ln(1 − U)], the mean under a standard exponential law, by an antiderivative in v.
_MINUS_LOG_UBAR: dict[type, tuple[sympy.Expr, sympy.Expr]] = {
    BestOfPoisson: (Ein(mu * ubar) - exp(-mu * ubar) / mu, Ein(mu) + phi1(-mu)),
    QuantileTilt: (Ein(lam * ubar) / (lam * phi1(-lam)), Ein(lam) / (lam * phi1(-lam))),
}
#: class -> E[−ln U], by an antiderivative in u.
_MINUS_LOG_U: dict[type, tuple[sympy.Expr, sympy.Expr]] = {
    BestOfPoisson: (exp(mu * (u - 1)) / mu, phi1(-mu)),
    QuantileTilt: (-Ein(-lam * u) / expm1(lam), -Ein(-lam) / expm1(lam)),
}


def _mean_proof(policy: type, which: str) -> Proof:
    cdf = _RANK_CDF[policy]
    if which == "ubar":
        antiderivative, value = _MINUS_LOG_UBAR[policy]
        integrand = (1 - cdf.xreplace({u: 1 - ubar})) / ubar
        return Antiderivative(integrand, antiderivative, ubar, value).prove("E[−ln(1 − U)]")
    antiderivative, value = _MINUS_LOG_U[policy]
    return Antiderivative(in_u(cdf) / u, antiderivative, u, value).prove("E[−ln U]")


def _harmonic_proof() -> Proof:
    # (1 − uⁿ)/(1 − u) has no elementary antiderivative in a real n: the integral is cited.
    step = identity("E[−ln U] = ∫ u^{n−1} du = 1/n", sympy.diff(u**n / n, u) - u ** (n - 1))
    return Proof(
        "E[−ln(1 − U)] = H_n and E[−ln U] = 1/n under u^n",
        (
            step,
            identity(
                "H_n − 1/n = H_{n−1}", sympy.expand_func(harmonic(n) - harmonic(n - 1)) - 1 / n
            ),
        ),
        ("H_n = ∫₀¹ (1 − uⁿ)/(1 − u) du for real n ≥ 0 (DLMF 5.9.16 with 5.4.14)",),
    )


@lru_cache(maxsize=256)
def mean_reward(policy: type, law: ContinuousLaw) -> ClosedForm | None:
    """The closed mean reward of a rank policy class on a law, where there is one."""
    if isinstance(law, Exponential):
        scale = 1 / sympy.Rational(law.rate.numerator, law.rate.denominator)
        title = f"mean_reward of {policy.__name__} on {law}"
        if policy is BestOfN:
            return ClosedForm(scale * harmonic(n), _harmonic_proof, title)
        if policy in _MINUS_LOG_UBAR:
            value = scale * _MINUS_LOG_UBAR[policy][1]
            return ClosedForm(value, lambda: _mean_proof(policy, "ubar"), title)
    if isinstance(law, Logistic):
        scale = sympy.Rational(law.scale.numerator, law.scale.denominator)
        title = f"mean_reward of {policy.__name__} on {law}"
        if policy is BestOfN:
            return ClosedForm(law.mean + scale * harmonic(n - 1), _harmonic_proof, title)
        if policy in _MINUS_LOG_U:
            value = law.mean + scale * (_MINUS_LOG_UBAR[policy][1] - _MINUS_LOG_U[policy][1])

            def prove() -> Proof:
                top, bottom = _mean_proof(policy, "ubar"), _mean_proof(policy, "u")
                return Proof(title, top.steps + bottom.steps)

            return ClosedForm(value, prove, title)
    stable = stable_mean(policy, law)
    if stable is not None:
        value, proof = stable
        return ClosedForm(value, lambda: proof, f"mean_reward of {policy.__name__} on {law}")
    return None


__all__ = ["INTEGRANDS", "RANK_FORMS", "ClosedForm", "mean_reward", "policy_key", "r"]
