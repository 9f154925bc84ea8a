"""Best of a geometric number of draws in `check`, against mpmath on the definition."""

from __future__ import annotations

import mpmath
import pytest
import sympy

from hedgetheory.analysis.check import check
from hedgetheory.expressions.symbols import mu, r, u, ubar
from hedgetheory.policies.random_draws import Geometric
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

FAMILY = parse_family("best_of_random(geometric)")


def f(gold, p, quantile=lambda v: v):
    """E[g(Q(V))] with density p/(1 − (1 − p)v)²."""
    return mpmath.quad(
        lambda v: gold(quantile(v)) * p / (1 - (1 - p) * v) ** 2, [0, 0.5, 0.9, 0.99, 0.999, 1]
    )


def test_the_kernel_in_the_odds_is_that_of_the_pgf():
    p = sympy.Symbol("p", positive=True)
    in_odds = Geometric.pgf.subs(ubar, 1 - u).subs(Geometric.symbols[0], 1 / (1 + mu))
    kernel = -sympy.diff(in_odds, mu)
    assert sympy.simplify(kernel - u * (1 - u) / (1 + mu * (1 - u)) ** 2) == 0
    bend = sympy.diff(sympy.log(u * (1 - u) / (1 + mu * (1 - u)) ** 2), u, mu)
    assert sympy.simplify(bend - 2 / (1 + mu * (1 - u)) ** 2) == 0
    assert p not in kernel.free_symbols


@pytest.mark.parametrize(
    ("law", "text", "quantile", "regime"),
    [
        ("uniform", "u**3*(1 - u)", lambda v: v, "peak"),
        ("uniform", "u", lambda v: v, "decreasing"),
        ("uniform", "(u - 9/10)**2", lambda v: v, "trough"),
        ("exponential", "r - r**2/4", lambda v: -mpmath.log(1 - v), "peak"),
    ],
)
def test_the_picture_in_p_is_that_of_the_definition(law, text, quantile, regime):
    gold = sympy.lambdify(r if "r" in text else u, parse_gold(text).expr, "mpmath")
    result = check(parse_law(law), FAMILY, parse_gold(text), 8)
    assert (result.regime, result.complete) == (regime, "certified")
    assert [str(end.theta) for end in result.ends] == ["0 exactly", "1 exactly"]
    assert abs(f(gold, 1, quantile) - float(result.ends[1].value)) < 1e-7
    for extremum in result.extrema:
        p = float(extremum.theta)
        at = f(gold, p, quantile)
        sides = [f(gold, p * (1 + s), quantile) for s in (-0.01, 0.01)]
        assert abs(at - float(extremum.value)) < 1e-7
        assert all(side < at for side in sides) == (extremum.kind == "max")
        assert all(side > at for side in sides) == (extremum.kind == "min")


def test_gold_with_an_infinite_mean_is_undecided():
    assert check(parse_law("pareto(0.9)"), FAMILY, parse_gold("r")).regime == "undecided"
