"""Families, and a second route to f′: Gauss quadrature of g′ against k in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

FAMILIES = {
    c.name: Family(c.name, c, c.symbols[0], c.domains[0])
    for c in (BestOfN, BestOfPoisson, QuantileTilt, Tilt)
}
RANK = ("bon", "bop", "quantile_tilt")


@dataclass(frozen=True)
class Curve:
    expr: sympy.Expr
    variable: str | None = "u"


def gold(expr: Any) -> Curve:
    expr = sympy.sympify(expr, locals={"u": u, "r": r})
    return Curve(expr, "r" if expr.has(r) else "u")


def found(law: Law, family: str, expr: Any, digits: int = 12) -> CheckResult:
    return check(law, FAMILIES[family], gold(expr), digits)


def uniform(family: str, expr: Any, digits: int = 12) -> CheckResult:
    return found(Uniform(), family, expr, digits)


def thetas(result: CheckResult) -> list[float]:
    return [float(e.theta) for e in result.extrema]


_X, _W = np.polynomial.legendre.leggauss(120)
#: Panels that crowd at u = 1, where the weight sits at large θ.
_EDGES = np.concatenate([[0.0], 1 - 2.0 ** -np.arange(1, 14), [1.0]])
NODES = np.concatenate([(a + b) / 2 + (b - a) / 2 * _X for a, b in pairwise(_EDGES)])
WEIGHTS = np.concatenate([(b - a) / 2 * _W for a, b in pairwise(_EDGES)])


def kernel(family: str, theta: float) -> Any:
    """k = −∂_θ G at the nodes, from THEORY.md, not from the package."""
    x = NODES
    if family == "bon":
        return -(x**theta) * np.log(x)
    if family == "bop":
        return x * (1 - x) * np.exp(theta * (x - 1))
    if theta == 0:
        return x * (1 - x) / 2
    # G = (e^{−λ(1−u)} − e^{−λ})/(1 − e^{−λ}), differentiated by hand.
    below, tail, whole = np.exp(-theta * (1 - x)), np.exp(-theta), -np.expm1(-theta)
    return ((1 - x) * below - tail) / whole + (below - tail) * tail / whole**2


def slope(
    family: str, gold_slope: Callable[[Any], Any], theta: float, doubt: float
) -> tuple[float, float]:
    """f′(θ) and a size below which its sign is noise."""
    terms = gold_slope(NODES) * kernel(family, theta) * WEIGHTS
    return float(terms.sum()), doubt * float(np.abs(terms).sum()) + 1e-300


def contradictions(
    family: str, expr: Any, result: CheckResult, grid: Any, doubt: float = 1e-11
) -> list[float]:
    """Grid points where the sign of f′ by quadrature is not that of the picture."""
    signs = {
        "increasing": [1],
        "decreasing": [-1],
        "constant": [0],
    }.get(result.regime) or [
        *[1 if e.kind == "max" else -1 for e in result.extrema],
        -1 if result.extrema[-1].kind == "max" else 1,
    ]
    places = thetas(result)
    gold_slope = sympy.lambdify(u, sympy.diff(gold(expr).expr, u), "numpy")
    out = []
    for theta in grid:
        if any(abs(theta - place) < 1e-6 * (1 + place) for place in places):
            continue
        value, noise = slope(family, lambda x: gold_slope(x) + 0 * x, theta, doubt)
        expected = signs[sum(place < theta for place in places)]
        if abs(value) > noise and np.sign(value) != expected:
            out.append(float(theta))
    return out
