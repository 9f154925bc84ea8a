"""Certified references for float64 on the laws with heavy, skewed and two-sided tails.

    python tests/functionals/float64_laws_references.py

writes float64_laws_reference.json beside this file: balls of `DIGITS` digits at exact binary64
parameters and rewards, from the plans that `value` evaluates; nothing of it comes from the code
under test. scipy.stats only proposes where rewards are put.
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import lam, mu, n, r
from hedgetheory.functionals.evaluate import enclosure, exact, number
from hedgetheory.functionals.float64 import FAMILIES
from hedgetheory.functionals.plans import Closed, Plan
from hedgetheory.functionals.quantities import plans
from hedgetheory.numerics.ball import ball, certify, precision
from hedgetheory.spec.grammar import parse_law

REFERENCE = Path(__file__).with_name("float64_laws_reference.json")
DIGITS = 20
COUNT = 32
SYMBOL = {"bon": n, "bop": mu, "quantile_tilt": lam, "tilt": lam}
RANK = ("bon", "bop", "quantile_tilt")
POINTWISE = ("density", "ratio", "cdf", "survival")
#: Where rewards are proposed; the parameters are short decimals and fractions.
PROPOSALS: dict[str, Any] = {
    "gumbel(0,1)": stats.gumbel_r(),
    "gumbel(-1/3,0.3)": stats.gumbel_r(-1 / 3, 0.3),
    "laplace(0,1)": stats.laplace(),
    "laplace(1/7,2.7)": stats.laplace(1 / 7, 2.7),
    "weibull(3/2,2)": stats.weibull_min(1.5, scale=2),
    "weibull(0.3,1/3)": stats.weibull_min(0.3, scale=1 / 3),
    "pareto(5/2)": stats.pareto(2.5),
    "pareto(0.3)": stats.pareto(0.3),
    "lognormal(0,1)": stats.lognorm(1),
    "lognormal(-1/3,2.7)": stats.lognorm(2.7, scale=np.exp(-1 / 3)),
    "gamma(5/2,1)": stats.gamma(2.5),
    "gamma(0.1,7/3)": stats.gamma(0.1, scale=3 / 7),
    "gamma(40,1/3)": stats.gamma(40, scale=3),
    "beta(5/2,3/2)": stats.beta(2.5, 1.5),
    "beta(0.1,3)": stats.beta(0.1, 3),
    "beta(30,20)": stats.beta(30, 20),
    "student_t(3)": stats.t(3),
    "student_t(0.7)": stats.t(0.7),
    "student_t(50)": stats.t(50),
}
#: Laws whose tilts of the reward have closed forms.
TILTED = ("gumbel", "laplace", "gamma")


def law_named(text: str) -> Any:
    """The law of a spec string: every one here is continuous."""
    return parse_law(text)


def arguments(law: str, family: str, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Parameters over 24 decades, rewards over the quantiles and where the policy has its mass."""
    rng = np.random.default_rng([seed, *map(ord, law + family)])
    strength = 10 ** np.linspace(-12, 12, count)
    if family == "tilt":
        limit = float(law_named(law).mgf_limit)
        near = 1 - 10 ** rng.uniform(-12, -0.1, count)
        strength = limit * np.where(
            rng.random(count) < 0.5, 10 ** np.linspace(-12, -0.1, count), near
        )
    theta = 1.0 + strength if family == "bon" else strength
    dist = PROPOSALS[law]
    lower = 10 ** -(300 ** rng.uniform(-0.3, 1, count))
    upper = 10 ** -(300 ** rng.uniform(-0.3, 1, count))
    # Where n ū is between 1e-2 and 700: the exponent of w is large but representable.
    bulk = np.clip(10 ** rng.uniform(-2, 2.85, count) / np.maximum(strength, 1e-12), 1e-290, 0.9)
    bulk = np.where(strength < 10, rng.random(count), bulk)
    kind = rng.integers(0, 4, count)
    at = np.where(kind == 0, dist.ppf(lower), np.where(kind == 1, dist.isf(upper), dist.isf(bulk)))
    low, high = dist.support()
    inside = np.isfinite(at) & (at > low) & (at < high)
    return theta, np.where(inside, at, dist.median())


@lru_cache(maxsize=512)
def _plan(law: str, family: str, quantity: str, at: bool) -> Plan:
    member = FAMILIES[family](Fraction(1, 64) if family == "tilt" else 2)  # type: ignore[call-arg]
    base = law_named(law)
    where = base.centre if at else None
    return next(iter(plans(base, member, quantity, at=where)))


def plan_at(law: str, family: str, quantity: str, theta: float, at: float | None) -> Plan:
    """The plan of a member: that of another one bound again where it is one formula for all."""
    where = None if at is None else Fraction(at)
    if family in RANK:
        plan = _plan(law, family, quantity, at is not None)
        if isinstance(plan, Closed):
            bindings = {**plan.bindings, SYMBOL[family]: Fraction(theta)}
            if where is not None and r in bindings:
                bindings[r] = where
            return Closed(**{**vars(plan), "bindings": bindings})
    member = FAMILIES[family](Fraction(theta))  # type: ignore[call-arg]
    return next(iter(plans(parse_law(law), member, quantity, at=where)))


def certified(law: str, family: str, quantity: str, theta: float, at: float | None) -> Number:
    """A number of `DIGITS` digits; 0 or ∞ beyond 10^±400."""
    if quantity == "survival":
        plan = plan_at(law, family, "cdf", theta, at)
        with precision(2000):
            small = abs(1 - enclosure(plan)) < ball(Fraction(1, 10**400))
        return Number.exact(0) if small else certify(lambda: 1 - enclosure(plan), DIGITS)
    plan = plan_at(law, family, quantity, theta, at)
    if isinstance(plan, Closed) and exact(plan) is None:
        with precision(256):
            size = abs(enclosure(plan))
        if size < ball(Fraction(1, 10**400)):
            return Number.exact(0)
        if size > ball(Fraction(10**400)):
            return Number.infinity()
    return number(plan, DIGITS, quantity)


# -- the file --------------------------------------------------------------------------------------

#: Per (law, family): parameters, rewards and, by quantity, decimals in the same order.
Rows = dict[str, list[str]]


def functionals() -> list[tuple[str, str, str]]:
    """(law, family, quantity) without a reward: closed means of Best-of-n, and tilts."""
    found = [
        (law, "bon", "mean_reward")
        for law in ("gumbel(0,1)", "gumbel(0,0.3)", "pareto(5/2)", "pareto(1.01)", "beta(5/2,1)")
    ]
    for law in (
        "gumbel(0,1)",
        "gumbel(0,0.3)",
        "laplace(0,2.7)",
        "gamma(0.1,7/3)",
        "gamma(40,1/3)",
    ):
        found += [(law, "tilt", q) for q in ("kl", "chi2", "mean_reward", "mean_quantile")]
    return [*found, ("laplace(0,2.7)", "tilt", "total_variation")]


def strengths(law: str, family: str, quantity: str) -> np.ndarray:
    if family == "bon":
        return 1.0 + np.logspace(-12, 12, 37)
    limit = float(law_named(law).mgf_limit)
    if quantity == "mean_quantile":
        # An integral: certified in some 100 ms each, and not next to the limit.
        return limit * np.array([1e-12, 1e-6, 0.01, 0.3, 0.7, 0.99])
    edges = [0.125, 0.2499, 0.2501, 0.4999, 0.5, 0.5001]
    far = 1 - np.logspace(-12, -0.05, 12)
    return limit * np.unique(np.concatenate([np.logspace(-12, -0.05, 19), far, edges]))


def decimal(number: Number) -> str:
    if number.infinite:
        return "inf"
    return "0" if number.fraction == 0 else number.decimal(DIGITS)[0]


def rows(law: str, family: str, count: int = COUNT) -> Rows:
    theta, at = arguments(law, family, count)
    found = {"theta": [float(t).hex() for t in theta], "at": [float(x).hex() for x in at]}
    for quantity in POINTWISE:
        found[quantity] = [
            decimal(certified(law, family, quantity, float(t), float(x)))
            for t, x in zip(theta, at, strict=True)
        ]
    return found


def main() -> None:
    document: dict[str, Rows] = {}
    for law in PROPOSALS:
        for family in (*RANK, "tilt") if law.startswith(TILTED) else RANK:
            document[f"{law}/{family}"] = rows(law, family)
            print(law, family, flush=True)
    for law, family, quantity in functionals():
        theta = strengths(law, family, quantity)
        document[f"{law}/{family}/{quantity}"] = {
            "theta": [float(t).hex() for t in theta],
            quantity: [decimal(certified(law, family, quantity, float(t), None)) for t in theta],
        }
    REFERENCE.write_text(json.dumps(document, indent=0) + "\n")


if __name__ == "__main__":
    main()
