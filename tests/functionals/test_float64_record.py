"""The float64 layer against certified balls, over 24 decades; the worst errors only go down.

    python tests/functionals/test_float64_record.py

rewrites float64_record.json beside this file with the errors that improved (``--force`` with all of
them, for when the points compared have changed). Every reference value
is a ball of at least 25 digits, from the plans that `value` evaluates, at the exact rational values
of the float64 arguments; nothing of it comes from the code under test.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import gold_references
import numpy as np
import pytest

from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import lam, mu, n, r, u, ubar
from hedgetheory.functionals.evaluate import enclosure, exact, number
from hedgetheory.functionals.float64 import FAMILIES, evaluate
from hedgetheory.functionals.plans import Closed, Infinite, Plan
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels
from hedgetheory.numerics.ball import REAL, ball, certify, precision
from hedgetheory.numerics.program import compiled
from hedgetheory.spec.grammar import parse_gold

RECORD = Path(__file__).with_name("float64_record.json")
TARGET = 1e-13
#: Of what has a sign: ulp of the largest term.
SIGNED_ULP = 16
ULP = 2.0**-52
#: The tests compare at every THIN-th argument and at the recorded worst one; the record, at all.
THIN = 12
#: numpy chooses its exp and log by processor; they differ in the last place.
SLACK = 2 * ULP
DIGITS, INTEGRAL_DIGITS = 25, 18
TINY, HUGE = sys.float_info.min, sys.float_info.max

LAWS: dict[str, ContinuousLaw] = {
    "uniform": Uniform(),
    "normal": Normal(0, 1),
    "normal_shifted": Normal("1/3", "2.7"),
    "exponential": Exponential(1),
    "exponential_fast": Exponential("7/3"),
    "logistic": Logistic(0, 1),
    "logistic_shifted": Logistic("-1/3", "0.3"),
}
SYMBOL = {"bon": n, "bop": mu, "quantile_tilt": lam, "tilt": lam}
RANK = ("bon", "bop", "quantile_tilt")
#: Laws on which the mean reward of rank policies is compared.
MEANS = ("exponential", "exponential_fast", "logistic", "logistic_shifted", "normal")


# -- arguments -------------------------------------------------------------------------------------


def around(edge: float) -> list[float]:
    """The edge and its neighbours, three to each side."""
    points = [edge]
    for _ in range(3):
        points = [math.nextafter(points[0], 0.0), *points, math.nextafter(points[-1], math.inf)]
    return points


#: Where the kernels of Best-of-Poisson changed branches when the record began: kept, so that the
#: pairs compared stay the same. Where its KL does now is added for the KL alone.
BOP_PROBES = (
    *(2.0**-26, 2.0**-13, 2.0**-6, 0.25, 0.625, 1.5, 2.5, 4.0, 7.0, 12.0, 20.0),
    *(32.0, 64.0, 128.0, 1024.0, 2.0**13, 2.0**27),
)


def edges(family: str) -> list[float]:
    """Where the kernels of a family change branches, in n − 1, μ or λ."""
    of_family = {
        "bon": (*kernels.BON_KL_EDGES, 1.0),
        "bop": (*BOP_PROBES, 0.5, 1.0),
        "quantile_tilt": (*kernels.TILT_KL_EDGES, 1.0, 2.0, 50.0),
    }
    return [p for edge in of_family[family] for p in around(edge)]


def parameters(family: str) -> np.ndarray:
    """The log grid over 24 decades, random points and branch boundaries, as n, μ or λ."""
    rng = np.random.default_rng(20250607)
    grid = np.concatenate(
        [np.logspace(-12, 12, 73), 10 ** rng.uniform(-12, 12, 60), 10 ** rng.uniform(-3, 4, 60)]
    )
    points = np.concatenate([grid, edges(family)])
    return np.unique(1.0 + points if family == "bon" else points)


def tilt_parameters(law: ContinuousLaw) -> np.ndarray:
    """λ from 1e-12 to 1e12, or to the last float64 values before M(λ) = ∞."""
    rng = np.random.default_rng(5)
    if law.mgf_limit is None:
        return np.concatenate([np.logspace(-12, 12, 49), 10 ** rng.uniform(-2, 2, 20)])
    limit = float(law.mgf_limit)
    while Fraction(limit) >= law.mgf_limit:
        limit = math.nextafter(limit, 0.0)
    branch = [
        p for t in (kernels.LOGISTIC_EDGE, 0.5, 1 / 9) for p in around(float(law.mgf_limit) * t)
    ]
    points = np.concatenate(
        [limit * np.logspace(-12, -0.1, 25), limit * (1 - np.logspace(-1, -15, 15)), branch]
    )
    points = np.concatenate([points, limit * rng.uniform(0, 1, 20), [limit]])
    return np.unique(points)


#: Few on the normal law, where a certified mean is an integral of some 50 ms.
NORMAL_PARAMETERS = np.concatenate([np.logspace(-12, 12, 9), [0.3, 0.999, 1.7, 20.0, 300.0]])


def compared(quantity: str, family: str, law: str) -> np.ndarray:
    """The parameters at which a functional is compared."""
    if family == "tilt" and law != "uniform":
        return tilt_parameters(LAWS[law])
    if law.startswith("normal"):
        return (family == "bon") + NORMAL_PARAMETERS
    if family == "bop" and quantity == "kl":
        branches = [p for edge in kernels.BOP_KL_EDGES for p in around(edge)]
        return np.concatenate([parameters(family), branches])
    return parameters(family)


def gold_parameters(family: str, name: str) -> np.ndarray:
    """A third of the parameters, and where the formulas for gold change (`floating.gold.edge`)."""
    degree = len(gold_references.GOLDS[name]) - 1
    points = [p for x in (1.0, max(60.0, 8.0 * degree)) for p in around(x)]
    points += [20.0, 25.0, 30.0, 40.0]
    return np.concatenate([parameters(family)[::3], 1.0 * (family == "bon") + np.array(points)])


@lru_cache
def pairs(family: str, law: str) -> tuple[np.ndarray, np.ndarray]:
    """(θ, r) for pointwise quantities: all over the law, and where the policy has its mass."""
    rng = np.random.default_rng(11)
    base = LAWS[law]
    thetas = parameters(family) if family != "tilt" else tilt_parameters(base)
    if family == "tilt" and law == "uniform":
        thetas = parameters("quantile_tilt")
    count = 240
    theta = rng.choice(thetas, count)
    centre, width = float(base.centre), float(base.width)
    low, high = base.support
    if high is not None:
        wide = rng.choice([1e-300, 1e-20, 1e-3, 0.25, 0.5, 0.75, 1 - 1e-9, 1 - 2**-53, 1.0], count)
        wide = np.where(rng.random(count) < 0.5, rng.random(count), wide)
    elif low is not None:
        wide = width * 10 ** rng.uniform(-12, 2.5, count)
    else:
        reach = 38.0 if isinstance(base, Normal) else 300.0
        wide = centre + width * reach * rng.uniform(-1, 1, count) ** 3
        wide[:12] = centre + width * np.repeat([-200.0, -60.0, 50.0], 4)
    # Where n·ū (or λ·ū) is between 1e-2 and 700: the exponent of w is large but representable.
    strength = np.maximum(theta - (family == "bon"), 1e-12)
    level = np.clip(10 ** rng.uniform(-2, 2.85, count) / strength, 1e-280, 0.9)
    if isinstance(base, Uniform):
        bulk = 1 - level
    elif isinstance(base, Exponential):
        bulk = -width * np.log(level)
    elif isinstance(base, Logistic):
        bulk = centre + width / 2 * np.log((1 - level) / level)
    else:
        from scipy import special

        bulk = centre - width * special.ndtri(level)
    if family == "tilt" and isinstance(base, Normal):
        bulk = centre + theta * width**2 + width * rng.uniform(-36, 36, count)
    rewards = np.where((rng.random(count) < 0.4) | (np.arange(count) < 12), wide, bulk)
    if low is not None:
        rewards = np.maximum(rewards, 0.0)
    if law == "uniform":
        rewards = np.maximum(rewards, 1e-300)
    return theta, rewards


# -- references ------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def plan_at_once(family: str, law: str, quantity: str, at: Fraction | None) -> Plan:
    """The plan at one member, to be bound again: rank policies have one formula for all θ."""
    member = FAMILIES[family](2)  # type: ignore[call-arg]
    return next(iter(plans(LAWS[law], member, quantity, at=at)))


def plan_of(family: str, law: str, quantity: str, theta: float, at: float | None) -> Plan:
    where = None if at is None else Fraction(at)
    an_integral = quantity == "mean_reward" and law.startswith("normal")
    if an_integral or (family == "tilt" and law != "uniform"):
        member = FAMILIES[family](Fraction(theta))  # type: ignore[call-arg]
        return next(iter(plans(LAWS[law], member, quantity, at=where)))
    inside = None if where is None else LAWS[law].centre
    plan = plan_at_once(family, law, quantity, inside)
    assert isinstance(plan, Closed)
    bindings = {**plan.bindings, SYMBOL[family]: Fraction(theta)}
    if where is not None and r in bindings:
        bindings[r] = where
    return replace(plan, bindings=bindings)


def out_of_range(plan: Plan) -> Number | None:
    """0 or ∞ in place of what is beyond 10^±400: no number of digits is asked of it."""
    if isinstance(plan, Infinite) or exact(plan) is not None:
        return None
    with precision(128):
        x = abs(enclosure(plan))
        if x < ball(Fraction(1, 10**400)):
            return Number.exact(0)
        return Number.infinity() if x > ball(Fraction(10**400)) else None


def reference(family: str, law: str, quantity: str, theta: float, at: float | None) -> Number:
    """A certified value of at least 25 digits."""
    if quantity == "survival":
        assert at is not None
        high = LAWS[law].support[1]
        if high is not None and Fraction(at) >= high:
            return Number.exact(0)
        plan = plan_of(family, law, "cdf", theta, at)
        rational = exact(plan)
        if rational is not None:
            return Number.exact(1 - rational)
        return certify(lambda: 1 - enclosure(plan), DIGITS)
    if quantity == "mean_quantile" and family == "tilt" and law != "uniform":
        return mean_quantile_of_tilt(LAWS[law], Fraction(theta))
    plan = plan_of(family, law, quantity, theta, at)
    if not isinstance(plan, Closed | Infinite):
        return number(plan, INTEGRAL_DIGITS, quantity)
    return out_of_range(plan) or number(plan, DIGITS, quantity)


def mean_quantile_of_tilt(law: Any, strength: Fraction) -> Number:
    """Closed forms that the plans do not use; test_the_extra_closed_forms compares them."""
    if isinstance(law, Exponential):
        return Number.exact(law.rate / (2 * law.rate - strength))
    if isinstance(law, Logistic):
        return Number.exact((1 + strength * law.scale) / 2)
    return certify(lambda: (1 + (ball(strength * law.sd) / 2).erf()) / 2, DIGITS)


def score_terms(family: str, law: str, theta: float, at: float) -> float:
    """The largest term of the score as it is stated: its condition number is this over |score|."""
    base = LAWS[law]
    if family == "tilt" and law != "uniform":
        mean = float(reference("tilt", law, "mean_reward", theta, None))
        return max(abs(at - float(base.mean)), abs(mean - float(base.mean)))
    bindings = (Fraction(at), Fraction(theta))
    formulas = {
        "bon": (1 / n, -_log(u)),
        "bop": (ubar, u / (1 + mu * u)),
        "quantile_tilt": (ubar,),
        "tilt": (ubar,),
    }[family]
    terms = [
        compiled(term.xreplace({u: base.cdf, ubar: base.survival}), (r, SYMBOL[family]))(
            REAL, *map(ball, bindings)
        )
        for term in formulas
    ]
    sizes = [abs(float(t.mid())) for t in terms]
    if "tilt" in family:
        sizes.append(1 - float(reference("quantile_tilt", law, "mean_quantile", theta, None)))
    return max(sizes)


def _log(x: Any) -> Any:
    import sympy

    return sympy.log(x)


# -- errors ----------------------------------------------------------------------------------------


def relative_error(found: float, truth: Number, scale: float | None = None) -> float:
    """|found − truth| over |truth|, or over ``scale`` where larger; 0 where both left the range."""
    if truth.infinite:
        return 0.0 if found == truth.infinite * math.inf else math.inf
    if math.isnan(found):
        return math.inf
    middle = truth.fraction
    if middle is None:
        middle = truth.mid * Fraction(10) ** truth.exp10
    size = max(abs(middle), Fraction(scale or 0))
    if size > Fraction(HUGE) * (1 - Fraction(TARGET)):
        return 0.0 if found >= HUGE * (1 - TARGET) else math.inf
    if math.isinf(found):
        return math.inf
    difference = abs(Fraction(found) - middle)
    if size < Fraction(TINY):
        return 0.0 if difference <= Fraction(TINY) else math.inf
    return float(difference / size)


@lru_cache(maxsize=1)
def recorded() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(RECORD.read_text())
    return found


def known(quantity: str, family: str, law: str, argument: str) -> list[float]:
    """The argument at which the record has its worst error, if it has one."""
    entry = recorded()[f"{quantity}/{family}/{law}"]
    return [float.fromhex(entry[argument])] if argument in entry else []


def worst(
    quantity: str,
    family: str,
    law: str,
    function: Callable[..., Any] = evaluate,
    *,
    step: int = THIN,
) -> dict[str, Any]:
    """The largest error of one entry of the record, and where.

    At every ``step``-th argument and, unless at all, at the worst one of the record.
    """
    if quantity in {"gold", "slope"}:
        return worst_of_gold(quantity, family, law, function, step=step)
    pointwise = quantity in {"density", "ratio", "cdf", "survival", "score"}
    if pointwise:
        theta, at = (x[::step] for x in pairs(family, law))
        if step > 1:
            theta = np.append(theta, known(quantity, family, law, "theta"))
            at = np.append(at, known(quantity, family, law, "at"))
        found = function(quantity, family, theta, LAWS[law], at=at)
    else:
        theta = compared(quantity, family, law)[::step]
        if step > 1:
            theta = np.append(theta, known(quantity, family, law, "theta"))
        at = [None] * len(theta)
        found = function(quantity, family, theta, LAWS[law])
    entry: dict[str, Any] = {"error": 0.0}
    for f, t, x in zip(found, theta, at, strict=True):
        where = None if x is None else float(x)
        truth = reference(family, law, quantity, float(t), where)
        scale = None
        if quantity == "score":
            assert where is not None
            scale = score_terms(family, law, float(t), where)
        elif quantity == "mean_reward" and law.endswith("shifted"):
            scale = abs(float(LAWS[law].mean))
        error = relative_error(float(f), truth, scale)
        if not error <= entry["error"]:
            entry = {"error": error, "theta": float(t).hex()}
            if where is not None:
                entry["at"] = where.hex()
    return entry


def worst_of_gold(
    quantity: str, family: str, name: str, function: Callable[..., Any], *, step: int
) -> dict[str, Any]:
    """The largest error of gold or slope, as a part of its terms."""
    theta = gold_parameters(family, name)[::step]
    if step > 1:
        theta = np.append(theta, known(quantity, family, name, "theta"))
    found = function(quantity, family, theta, gold=parse_gold(name))
    entry: dict[str, Any] = {"error": 0.0}
    for f, t in zip(found, theta, strict=True):
        truth = gold_references.reference(quantity, family, name, float(t), DIGITS)
        scale = gold_references.size(quantity, family, name, float(t))
        error = relative_error(float(f), truth, scale)
        if not error <= entry["error"]:
            entry = {"error": error, "theta": float(t).hex()}
    return entry


def entries() -> list[tuple[str, str, str]]:
    """Every (quantity, family, law) of the record."""
    found = [
        (quantity, family, "uniform")
        for quantity in ("kl", "chi2", "total_variation", "mean_quantile")
        for family in RANK
    ]
    found += [("mean_reward", family, law) for family in RANK for law in MEANS]
    found += [
        (quantity, family, name)
        for quantity in ("gold", "slope")
        for family in RANK
        for name in gold_references.GOLDS
    ]
    for law in LAWS:
        for family in (*RANK, "tilt"):
            for quantity in ("density", "ratio", "cdf", "survival", "score"):
                if not (family == "tilt" and "logistic" in law and quantity in {"cdf", "survival"}):
                    found.append((quantity, family, law))
        if law == "uniform":
            continue
        for quantity in ("kl", "chi2", "total_variation", "mean_reward", "mean_quantile"):
            if not ("logistic" in law and quantity == "total_variation"):
                found.append((quantity, "tilt", law))
    return found


def target(quantity: str, law: str) -> float:
    signed = quantity in {"score", "gold", "slope"} or (
        quantity == "mean_reward" and law.endswith("shifted")
    )
    return SIGNED_ULP * ULP if signed else TARGET


# -- propositions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", entries(), ids="/".join)
def test_the_error_is_below_the_target_and_the_record_only_improves(
    key: tuple[str, str, str],
) -> None:
    quantity, _, law = key
    error = worst(*key)["error"]
    assert error <= target(quantity, law)
    assert error <= recorded()["/".join(key)]["error"] + SLACK


def test_the_record_holds_exactly_what_is_compared() -> None:
    assert list(recorded()) == ["/".join(key) for key in entries()]


def test_every_recorded_error_is_below_its_target() -> None:
    for quantity, family, law in entries():
        assert recorded()[f"{quantity}/{family}/{law}"]["error"] <= target(quantity, law)


def naive(quantity: str, family: str, theta: Any, law: Any, at: Any = None) -> Any:
    """The formulas as papers print them."""
    from scipy.special import expi
    from scipy.stats import norm

    x = np.asarray(theta)
    with np.errstate(all="ignore"):
        if quantity == "density":
            return x * norm.cdf(at) ** (x - 1) * norm.pdf(at)
        if quantity == "total_variation":
            star = x ** (-1 / (x - 1))
            return star - star**x
        if family == "bon":
            return np.log(x) - 1 + 1 / x
        return np.exp(-x - 1) * (expi(x + 1) - expi(1)) / x + np.log1p(x) - 1


MUTANTS = [
    ("kl", "bon", "uniform"),
    ("kl", "bop", "uniform"),
    ("total_variation", "bon", "uniform"),
    ("density", "bon", "normal"),
]


@pytest.mark.parametrize("key", MUTANTS, ids="/".join)
def test_a_formula_as_it_is_printed_would_be_caught(key: tuple[str, str, str]) -> None:
    quantity, _, law = key
    assert not worst(*key, function=naive)["error"] <= target(quantity, law)


def test_gold_by_its_monomials_would_be_caught() -> None:
    def by_monomials(quantity: str, family: str, theta: Any, gold: Any) -> Any:
        n = np.asarray(theta)
        return n / (n + 12) - n / (n + 13)

    error = worst("gold", "bon", "u**12*(1-u)", by_monomials)["error"]
    assert not error <= target("gold", "u**12*(1-u)")


@pytest.mark.parametrize(
    ("family", "theta"), [("bon", 1 + 1e-8), ("bop", 5e-4), ("bop", 800.0), ("bop", 3e4)]
)
def test_the_printed_kl_fails_where_it_is_known_to_fail(family: str, theta: float) -> None:
    truth = reference(family, "uniform", "kl", theta, None)
    assert not relative_error(float(naive("kl", family, theta, None)), truth) < 1e-12
    assert relative_error(float(evaluate("kl", family, theta)), truth) < TARGET


def test_the_extra_closed_forms_of_tilts_agree_with_their_integrals() -> None:
    for law, strength in ((Exponential("7/3"), "1/2"), (Logistic(0, 2), "1/5"), (Normal(1, 2), 1)):
        member = FAMILIES["tilt"](strength)  # type: ignore[call-arg]
        integral = number(next(iter(plans(law, member, "mean_quantile"))), 12)
        closed = mean_quantile_of_tilt(law, Fraction(strength))
        assert abs(float(integral) / float(closed) - 1) < 1e-11


def main() -> None:
    before = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    fresh = {}
    for key in entries():
        name = "/".join(key)
        entry, old = worst(*key, step=1), before.get(name)
        better = old is None or entry["error"] < old["error"] or "--force" in sys.argv
        fresh[name] = entry if better else old
        print(f"{name:45} {entry['error']:.2e}  {entry.get('theta')} {entry.get('at')}")
    RECORD.write_text(json.dumps(fresh, indent=1) + "\n")


if __name__ == "__main__":
    main()
