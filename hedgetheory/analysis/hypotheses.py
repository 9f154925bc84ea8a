"""The hypotheses of the theorems, each with a verdict and its witness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from hedgetheory.analysis.gold import Change
from hedgetheory.analysis.soft.likelihood import strength_ratio
from hedgetheory.analysis.soft.pattern import along_draws, along_strength
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import lam, mu, n, u, ubar
from hedgetheory.expressions.vocabulary import spell_out
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


@dataclass(frozen=True)
class Hypothesis:
    """One hypothesis: its id in the contract, its verdict and the witness of it."""

    id: str
    verdict: str
    witness: str | Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "verdict": self.verdict, "witness": self.witness}


#: family -> (log w in u, θ, the claimed value of ∂θ∂u log w, which must be visibly positive).
_MIXED_LOG_RATIO = {
    "bon": (BestOfN.log_ratio, n, 1 / u),
    "bop": (BestOfPoisson.log_ratio, mu, 1 + 1 / (1 + mu * u) ** 2),
    "quantile_tilt": (QuantileTilt.log_ratio, lam, sympy.S.One),
}

#: family -> (log k up to terms in u alone or θ alone, θ, the claimed value of ∂θ∂u log k).
_MIXED_LOG_KERNEL = {
    "bon": (sympy.log(-sympy.diff(BestOfN.cdf, n)), n, 1 / u),
    "bop": (mu * (u - 1) + sympy.log(u) + sympy.log(1 - u), mu, sympy.S.One),
}


@lru_cache(maxsize=32)
def mixed_derivative(family: str) -> sympy.Expr | None:
    """∂θ∂u log w of a rank family, proved equal to its simple form; None for other families."""
    if family not in _MIXED_LOG_RATIO:
        return None
    log_ratio, theta, claimed = _MIXED_LOG_RATIO[family]
    difference = sympy.diff(spell_out(log_ratio).subs(ubar, 1 - u), theta, u) - claimed
    return claimed if sympy.simplify(difference) == 0 else None


@lru_cache(maxsize=32)
def mixed_kernel_derivative(family: str) -> sympy.Expr | None:
    """∂θ∂u log k of Best-of-n and Best-of-Poisson, proved equal to its simple form."""
    if family not in _MIXED_LOG_KERNEL:
        return None
    log_kernel, theta, claimed = _MIXED_LOG_KERNEL[family]
    return claimed if sympy.simplify(sympy.diff(log_kernel, theta, u) - claimed) == 0 else None


@lru_cache(maxsize=1)
def quantile_tilt_kernel_is_tp2() -> bool:
    """The machine-checkable steps of: k = −∂_λ G of the quantile tilt is TP2.

    k_λ(u) M(λ)² = ∬_{x≤u<y} (y − x) e^{λ(x+y)} dx dy = ∫ e^{λz} A(z, u) dz with z = x + y and
    A = u(z − u) for z ≤ 1, (1 − u)(u + 1 − z) for z ≥ 1, on max(0, z − 1) < u < min(z, 1). The
    support is a lattice, ∂_u ln A is continuous across z = 1 and increases in z on both sides, so
    A is TP2; e^{λz} is; hence so is their composition (basic composition formula, Karlin 1968).
    """
    x, z = sympy.symbols("x z", positive=True)
    inner = sympy.integrate(z - 2 * x, x)
    low_a = u * (z - u)
    high_a = (1 - u) * (u + 1 - z)
    areas = (
        # z ≤ 1: x from 0 to min(u, z − u); z ≥ 1: from z − 1. Both upper ends give u(z − u).
        sympy.expand(inner.subs(x, u) - inner.subs(x, 0) - low_a),
        sympy.expand(inner.subs(x, z - u) - inner.subs(x, 0) - low_a),
        sympy.expand(inner.subs(x, u) - inner.subs(x, z - 1) - high_a),
        sympy.expand(inner.subs(x, z - u) - inner.subs(x, z - 1) - high_a),
    )
    slopes = [sympy.diff(sympy.log(a), u) for a in (low_a, high_a)]
    increasing = (
        sympy.simplify(sympy.diff(slopes[0], z) - 1 / (z - u) ** 2),
        sympy.simplify(sympy.diff(slopes[1], z) - 1 / (u + 1 - z) ** 2),
    )
    joined = sympy.simplify((slopes[0] - slopes[1]).subs(z, 1))
    # With a(λ) = ∫₀ᵘ e^{λx} dx, M = ∫₀¹ e^{λx} dx and a′, M′ the same with a factor x inside, the
    # double integral is a (M′ − a′) − a′ (M − a), and G = a/M.
    a, mass = sympy.Function("a")(lam), sympy.Function("M")(lam)
    double = a * (mass.diff(lam) - a.diff(lam)) - a.diff(lam) * (mass - a)
    same = sympy.expand(double + sympy.expand(sympy.diff(a / mass, lam) * mass**2))
    return all(step == 0 for step in (*areas, *increasing, joined, same))


def hypotheses(
    law: Law, family: Family, changes: list[Change] | None, why_not: str = ""
) -> list[Hypothesis]:
    """All hypotheses of the contract; ``changes`` are the sign changes of g′, None if not known."""
    single = isinstance(law, FiniteLaw) and len(law.atoms) == 1
    mlr = _mlr(law, family)
    return [
        mlr,
        _kernel(law, family),
        _score(mlr),
        _sign_changes(changes, why_not),
        *_increasing(law, family, mlr, single),
    ]


def _on_atoms(law: Law) -> str:
    if not isinstance(law, (FiniteLaw, CountableLaw, MixedLaw)):
        return ""
    return "; averaged over the atoms' intervals of quantiles, which keeps it (basic composition)"


def _mlr(law: Law, family: Family) -> Hypothesis:
    if along_draws(family):
        text = (
            "w composes e^(-t x), x = e^(lam r), with phi(t)^(n-1) over t: strictly totally "
            "positive in (n, r) on every law (basic composition, Karlin 1968)"
        )
        return Hypothesis("mlr", "proved", text)
    if along_strength(family):
        ratio = strength_ratio(law, family)
        return Hypothesis("mlr", ratio.verdict, ratio.witness)
    if family.name == "tilt":
        return Hypothesis("mlr", "proved", "log w = lam*r - K(lam): d/dlam d/dr log w = 1 > 0")
    mixed = mixed_derivative(family.name)
    if mixed is None:
        return Hypothesis("mlr", "undecided", f"no proof is known here for {family}")
    text = f"d/dtheta d/du log w = {mixed} > 0 for 0 < u < 1{_on_atoms(law)}"
    return Hypothesis("mlr", "proved", text)


def _kernel(law: Law, family: Family) -> Hypothesis:
    name = "kernel_tp2"
    mixed = mixed_kernel_derivative(family.name)
    if mixed is not None:
        text = f"d/dtheta d/du log k = {mixed} > 0 for k = -dG/dtheta on 0 < u < 1"
        return Hypothesis(name, "proved", text + (" (taken at u = F(r))" if _on_atoms(law) else ""))
    uniform = isinstance(law, Uniform) and family.name == "tilt"
    if (family.name == "quantile_tilt" or uniform) and quantile_tilt_kernel_is_tp2():
        return Hypothesis(
            name,
            "proved",
            "k*M^2 is e^(lam*z) composed with A(z, u) = u(z - u) for z <= 1, (1 - u)(u + 1 - z) "
            "for z >= 1, both TP2 (basic composition formula, Karlin 1968)",
        )
    if family.name == "tilt" or along_draws(family):
        w = "w" if along_draws(family) else "w = e^(lam*r)/M"
        text = f"not decided on this law, nor needed: {w} is TP of every order"
        return Hypothesis(name, "undecided", text)
    return Hypothesis(name, "undecided", f"no proof is known here for {family}")


def _score(mlr: Hypothesis) -> Hypothesis:
    text = "the score d/dtheta log w increases in r: its r-derivative is that of the mlr witness"
    if mlr.verdict == "proved":
        return Hypothesis("score_monotone", "proved", text)
    # Of Soft Best-of-n in λ the score falls where MLR fails: the witness is the same.
    return Hypothesis("score_monotone", mlr.verdict, mlr.witness)


def _sign_changes(changes: list[Change] | None, why_not: str) -> Hypothesis:
    name = "gold_sign_changes"
    if changes is None:
        return Hypothesis(name, "undecided", why_not or "the sign changes of g' are not certified")
    witness = {
        "count": len(changes),
        "changes": [
            {
                "at": change.describe(),
                "between": [_decimal_text(change.low, -1), _decimal_text(change.high, 1)],
                "from": "+" if change.before > 0 else "-",
                "to": "+" if change.after > 0 else "-",
            }
            for change in changes
        ],
    }
    return Hypothesis(name, "proved" if len(changes) <= 1 else "refuted", witness)


def _decimal_text(value: Fraction, direction: int) -> str:
    """A short number on the safe side of a rational: exact where short, else 18 decimals."""
    if value.denominator <= 10**6:
        return short(value)
    scaled = value * 10**18
    return f"{scaled.numerator // scaled.denominator + (direction > 0)}e-18"


def _increasing(law: Law, family: Family, mlr: Hypothesis, single: bool) -> list[Hypothesis]:
    if single:
        text = "the law has one atom: w = 1, and nothing changes with theta"
        return [Hypothesis(i, "refuted", text) for i in ("kl_increasing", "proxy_increasing")]
    soft = along_draws(family) or along_strength(family)
    policy = family.at(family.domain.lower + 1) if soft else None
    if isinstance(policy, SoftBestOfN) and policy.is_reference:
        text = f"{policy} is the reference, w = 1, and so is every member: nothing changes"
        return [Hypothesis(i, "refuted", text) for i in ("kl_increasing", "proxy_increasing")]
    if along_strength(family):
        proxy = (
            "a larger lam moves the softmax over any draws upwards; w_lam is non-constant and the "
            "law has two points (claim sbon.stochastically-increasing)"
        )
        kl = (
            "w is non-decreasing in r and the family stochastically increasing: KL rises by a "
            "divergence and more (claim sbon.stochastically-increasing)"
        )
        return [
            Hypothesis("kl_increasing", "proved", kl),
            Hypothesis("proxy_increasing", "proved", proxy),
        ]
    if mlr.verdict == "proved":
        kl = "strict MLR and the reference is the member at the lower end of the domain"
        proxy = "strict MLR makes the family strictly stochastically increasing in r"
        return [
            Hypothesis("kl_increasing", "proved", kl),
            Hypothesis("proxy_increasing", "proved", proxy),
        ]
    return [Hypothesis(i, "undecided", mlr.witness) for i in ("kl_increasing", "proxy_increasing")]
