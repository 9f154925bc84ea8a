"""Every conclusion by two routes: random laws, families, gold curves and parameters.

A case is made from its number alone, so that a contradiction can be made again:

- *value*: all plans of a quantity (closed form, certified quadrature or sum over atoms) evaluated
  in balls must overlap, and mpmath's estimate of the definition must agree with them;
- *picture*: the regime and the extrema that `check` certifies, against the signs of differences of
  f on a dense grid, f computed here in float64 from the definitions of THEORY.md alone.

    python experiments/two_routes.py --cases 10000 --workers 2 -o experiments/two_routes.json
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

import hedgetheory
from hedgetheory.analysis.check import check
from hedgetheory.errors import HedgeTheoryError, NotCertified, NotOnThisLaw
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.estimates import highprec
from hedgetheory.functionals.evaluate import number
from hedgetheory.functionals.quantities import plans
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law, parse_policy
from hedgetheory.workers import in_order

CONTINUOUS = (
    *("uniform", "normal({m}, {s})", "exponential({s})", "logistic({m}, {s})", "gumbel({m}, {s})"),
    *("laplace({m}, {s})", "beta({s}, {t})", "gamma({s}, {t})", "lognormal({m}, {q})"),
    *("pareto({t})", "student_t({t})", "weibull({t}, {s})"),
    *("mixture({{normal(0, 1): 9/10, normal({m}, 1/2): 1/10}})", "log_prob({s})"),
    *("mixture({{normal({m}, {s}): 3/4, finite({{0: 1/2, 1: 1/2}}): 1/4}})", "min_of(normal, 3)"),
    *("mixture({{uniform: 2/3, finite({{1: 1}}): 1/3}})", "sigmoid(normal({m}, {s}))"),
)
SIMPLE = (
    *("kl", "chi2", "total_variation", "mean_reward", "mean_quantile", "win_rate"),
    *("density", "ratio", "cdf", "renyi", "gold"),
)


def law(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return atoms(rng)
    pick = {
        "m": Fraction(rng.randint(-20, 20), 4),
        "s": Fraction(rng.randint(1, 16), 4),
        "t": Fraction(rng.randint(1, 40), 8),
        "q": Fraction(rng.randint(1, 8), 8),
    }
    return rng.choice(CONTINUOUS).format(**pick)


def atoms(rng: random.Random) -> str:
    weights = [rng.randint(1, 9) for _ in range(rng.randint(2, 6))]
    values = sorted(rng.sample(range(-8, 9), len(weights)))
    total = sum(weights)
    table = ", ".join(f"{v}: {w}/{total}" for v, w in zip(values, weights, strict=True))
    return f"finite({{{table}}})"


def parameter(rng: random.Random) -> Fraction:
    """Half of them in the comfortable middle, half over sixteen decades."""
    size = rng.uniform(-1, 2) if rng.random() < 0.5 else rng.uniform(-8, 8)
    return Fraction(round(10 ** (size + 12)), 10**12)


def policy(rng: random.Random) -> str:
    theta = parameter(rng)
    share = Fraction(rng.randint(1, 99), 100)
    return rng.choice(
        [
            f"bon({theta + 1})",
            f"bon({rng.randint(1, 200)})",
            f"bop({theta})",
            f"quantile_tilt({theta})",
            f"tilt({min(theta, Fraction(5))})",
            f"best_of_random(geometric({share}))",
            f"best_of_random(binomial({rng.randint(1, 30)}, {share}))",
            f"best_of_random(negative_binomial({rng.randint(1, 9)}/2, {share}))",
            f"best_of_random(sibuya({share}))",
            f"best_of_random(finite({{1: {share}, {rng.randint(2, 9)}: {1 - share}}}))",
            f"superhf({rng.randint(1, 40)}, {share}, {rng.randint(1, 3)})",
            f"grpo({max(theta, Fraction(1, 50))}, scale=quantile)",
        ]
    )


def polynomial(rng: random.Random, variable: str) -> str:
    terms = [
        f"{c}*{variable}**{k}" if k else str(c)
        for k in range(rng.randint(1, 6))
        if (c := rng.randint(-12, 12))
    ]
    return " + ".join(terms).replace("+ -", "- ") or f"{variable}"


# -- values ----------------------------------------------------------------------------------------


def value_case(rng: random.Random) -> tuple[str, str]:
    """(what was asked, "agree" or why not)."""
    law_text, policy_text, quantity = law(rng), policy(rng), rng.choice(SIMPLE)
    more: dict[str, Any] = {}
    if quantity in ("density", "ratio", "cdf"):
        # A value of the law where it has atoms, so that the ratio and the mass are defined.
        finite = law_text.startswith("finite")
        more["at"] = (
            rng.choice(parse_law(law_text).atoms)[0]
            if finite and quantity != "density"
            else Fraction(rng.randint(-8, 24), 8)
        )
    if quantity == "renyi":
        more["order"] = Fraction(rng.randint(1, 12), 4)
    if quantity == "gold":
        more["gold"] = parse_gold(polynomial(rng, "u"))
    asked = f"{quantity} of {policy_text} on {law_text} {more}"
    bound_law, bound_policy = parse_law(law_text), parse_policy(policy_text)
    every = list(plans(bound_law, bound_policy, quantity, **more))
    found = []
    for plan in every:
        try:
            found.append(number(plan, 8, quantity))
        except NotCertified:
            continue
    if not found:
        return asked, "not certified"
    if any(n.infinite or n.is_undefined for n in found):
        kinds = {(n.infinite, n.is_undefined) for n in found}
        return asked, "agree" if len(kinds) == 1 else "CONTRADICTION: infinite and finite"
    if any("e-" in str(n) and int(str(n).split("e")[1].split()[0]) < -5000 for n in found):
        return asked, "agree (too small to compare)"
    low = max(n.bounds[0] for n in found)
    high = min(n.bounds[1] for n in found)
    if low > high:
        return asked, f"CONTRADICTION: {[str(n) for n in found]}"
    if max(abs(low), abs(high)) > 10**300:
        return asked, "agree (too large to compare)"
    with_mpmath = float(highprec(every[-1], 20))
    middle, size = float((low + high) / 2), float(high - low)
    if abs(with_mpmath - middle) > 1e-6 * abs(middle) + size + 1e-9:
        return asked, f"CONTRADICTION: balls {middle!r}, mpmath {with_mpmath!r}"
    return asked, "agree" if len(found) > 1 else "agree (one plan and mpmath)"


# -- pictures --------------------------------------------------------------------------------------

#: u = 1/(1 + e^{−y}): panels in y of Gauss–Legendre points, which resolve both ends for every θ.
_X, _W = np.polynomial.legendre.leggauss(24)
_EDGES = np.linspace(-42, 42, 169)
_Y = (_EDGES[:-1, None] + (_X + 1) / 2 * np.diff(_EDGES)[:, None]).ravel()
_U, _V = 1 / (1 + np.exp(-_Y)), 1 / (1 + np.exp(_Y))
_DU = _U * _V * np.tile(_W / 2 * np.diff(_EDGES)[0], 168)


def _bon(theta: float, x: Any, v: Any) -> Any:
    log_x = np.where(v < 0.5, np.log1p(-np.minimum(v, 0.5)), np.log(x))
    return theta * np.exp((theta - 1) * log_x)


def _tilt_cdf(theta: float, x: Any) -> Any:
    if theta == 0:
        return x
    return np.exp(theta * (x - 1)) * -np.expm1(-theta * x) / -np.expm1(-theta)


def _none(p: float, count: float) -> float:
    return float(-np.expm1(count * np.log1p(-p))) if p < 1 else 1.0


_ABOVE_ONE = np.geomspace(1e-3, 300, 160) + 1
_FROM_ZERO = np.geomspace(1e-3, 300, 160)
_SHARES = np.geomspace(2e-3, 1, 160)
#: family: G′ at u = x, 1 − u = v, from THEORY.md §2 and SYSTEMS.md; G; a grid of θ.
FAMILIES: dict[str, tuple[Any, Any, Any]] = {
    "bon": (_bon, lambda t, x: x**t, _ABOVE_ONE),
    "bop": (
        lambda t, x, v: (1 + t * x) * np.exp(-t * v),
        lambda t, x: x * np.exp(t * (x - 1)),
        _FROM_ZERO,
    ),
    "quantile_tilt": (
        lambda t, x, v: t * np.exp(-t * v) / -np.expm1(-t) if t else np.ones_like(x),
        _tilt_cdf,
        _FROM_ZERO,
    ),
    "best_of_random(geometric)": (
        lambda t, x, v: t / (v + t * x) ** 2,
        lambda t, x: t * x / (1 - x + t * x),
        _SHARES,
    ),
    "best_of_random(binomial(m=7))": (
        lambda t, x, v: 7 * t * (1 - t * v) ** 6 / _none(t, 7),
        lambda t, x: ((1 - t + t * x) ** 7 - (1 - t) ** 7) / _none(t, 7),
        _SHARES,
    ),
    "best_of_random(binomial(p=1/3))": (
        lambda t, x, v: t / 3 * (1 - v / 3) ** (t - 1) / _none(1 / 3, t),
        lambda t, x: ((2 + x) ** t - 2**t) / 3**t / _none(1 / 3, t),
        np.geomspace(1, 100, 160),
    ),
    "best_of_random(negative_binomial(r=3))": (
        lambda t, x, v: 3 * (1 - t) * t**3 / (t + (1 - t) * v) ** 4 / (1 - t**3),
        lambda t, x: t**3 * ((1 - (1 - t) * x) ** -3.0 - 1) / (1 - t**3),
        _SHARES[:-1],
    ),
    "best_of_random(negative_binomial(p=1/3))": (
        lambda t, x, v: t * 2 / 3 * 3**-t / (1 / 3 + v * 2 / 3) ** (t + 1) / (1 - 3**-t),
        lambda t, x: 3**-t * ((1 - x * 2 / 3) ** -t - 1) / (1 - 3**-t),
        np.geomspace(0.05, 60, 160),
    ),
    "grpo(scale=quantile)": (
        lambda t, x, v: t / (v + 1 / np.expm1(1 / t)),
        lambda t, x: -t * np.log((1 - x) + x * np.exp(-1 / t)),
        np.geomspace(0.05, 100, 160),
    ),
    "superhf(beta=1/2)": (
        lambda t, x, v: (_bon(t, x, v) + 0.5) / 1.5,
        lambda t, x: (x**t + x / 2) / 1.5,
        _ABOVE_ONE,
    ),
}


def continuous_value(family: str, gold: Any) -> Callable[[float], float]:
    g = gold(_U) + 0 * _U
    density = FAMILIES[family][0]
    return lambda theta: float((g * density(theta, _U, _V) * _DU).sum())


def finite_value(law: FiniteLaw, family: str, gold: Any, raw: bool) -> Callable[[float], float]:
    values = np.array([float(v) for v, _ in law.atoms])
    mass = np.array([float(p) for _, p in law.atoms])
    cdf = np.concatenate([[0.0], np.cumsum(mass)])
    cdf[-1] = 1.0
    g = gold(values if raw else cdf[1:]) + 0 * values
    if family == "tilt":
        return lambda lam: float(
            (g * mass * np.exp(lam * (values - values[-1]))).sum()
            / (mass * np.exp(lam * (values - values[-1]))).sum()
        )
    return lambda theta: float(np.diff(FAMILIES[family][1](theta, cdf)) @ g)


def picture_case(rng: random.Random) -> tuple[str, str]:
    """(what was asked, "agree", "undecided", or the contradiction)."""
    finite = rng.random() < 0.5
    law_text = atoms(rng) if finite else rng.choice(["uniform", "normal", "pareto(2)"])
    names = list(FAMILIES)
    family_text = rng.choice([*names, "tilt"] if finite else names)
    variable = "r" if finite and rng.random() < 0.7 else "u"
    gold_text = polynomial(rng, variable)
    asked = f"check {family_text} on {law_text} of {gold_text}"
    bound_law, gold = parse_law(law_text), parse_gold(gold_text)
    result = check(bound_law, parse_family(family_text), gold)
    if result.regime == "undecided":
        return asked, "undecided"
    plain = sympy.lambdify(r if variable == "r" else u, gold.expr, "numpy")
    f = (
        finite_value(bound_law, family_text, plain, variable == "r")
        if isinstance(bound_law, FiniteLaw)
        else continuous_value(family_text, plain)
    )
    grid = _FROM_ZERO if family_text == "tilt" else FAMILIES[family_text][2]
    values = np.array([f(theta) for theta in grid])
    noise = 1e-11 * float(np.max(np.abs(plain(_U) + 0 * _U)) + np.max(np.abs(values)))
    signs = {"increasing": [1], "decreasing": [-1], "constant": [0]}.get(result.regime)
    places = [float(e.theta) for e in result.extrema]
    if signs is None:
        signs = [1 if e.kind == "max" else -1 for e in result.extrema]
        signs.append(-signs[-1])
    for low, high, step in zip(grid, grid[1:], np.diff(values), strict=False):
        stretch = sum(place < low for place in places)
        if stretch != sum(place < high for place in places) or abs(step) < noise:
            continue
        if np.sign(step) != signs[stretch]:
            return asked, f"CONTRADICTION: {result.regime} {places}, but f goes by {step:.3g} " \
                          f"from {low:.6g} to {high:.6g}"  # fmt: skip
    for extremum, place in zip(result.extrema, places, strict=True):
        if abs(f(place) - float(extremum.value)) > 100 * noise:
            return asked, f"CONTRADICTION: f({place}) = {f(place)}, not {extremum.value}"
    return asked, "agree"


def case(k: int) -> tuple[int, str, str, str]:
    """Case number k: (k, kind, what was asked, outcome)."""
    rng = random.Random(k)
    kind, run = ("picture", picture_case) if k % 2 else ("value", value_case)
    try:
        asked, outcome = run(rng)
    except NotOnThisLaw:
        return k, kind, "", "not on this law"
    except NotCertified as why:
        return k, kind, str(why), "not certified"
    except HedgeTheoryError as why:
        return k, kind, str(why), f"REFUSED: {why}"
    except Exception as error:
        return k, kind, f"case {k}", f"BROKEN: {type(error).__name__}: {error}"
    return k, kind, asked, outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("-o", "--output")
    given = parser.parse_args()
    start, counts, bad = time.perf_counter(), Counter[str](), []
    numbers = range(given.first, given.first + given.cases)
    for k, kind, asked, outcome in in_order(case, numbers, given.workers):
        word = outcome.split(":")[0]
        counts[f"{kind}: {word}"] += 1
        if word.isupper():
            bad.append({"case": k, "asked": asked, "outcome": outcome})
            print(k, asked, outcome, file=sys.stderr, flush=True)
    record = {
        "version": hedgetheory.__version__,
        "cases": given.cases,
        "first": given.first,
        "counts": dict(sorted(counts.items())),
        "contradictions": bad,
        "minutes": math.ceil((time.perf_counter() - start) / 60),
    }
    print(json.dumps(record, indent=2))
    if given.output:
        with open(given.output, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.write("\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
