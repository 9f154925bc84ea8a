"""`check` on the Poisson and geometric laws, against sums over scipy's masses."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.analysis.gold_shape import GoldShape
from hedgetheory.analysis.lattice_curve import LatticeCurve
from hedgetheory.analysis.lattice_shape import lattice_pattern
from hedgetheory.numerics.ball import ball, enclosing_rationals, precision
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

Array = Any
Gold = Callable[[Array, Array], Array]
LAWS = {
    "poisson(3)": stats.poisson(3),
    "poisson(20)": stats.poisson(20),
    "poisson(1/2)": stats.poisson(0.5),
    "geometric(1/3)": stats.geom(1 / 3),
    "geometric(1/2)": stats.geom(1 / 2),
}


def atoms(law: str) -> tuple[Array, Array, Array, Array]:
    first = 1 if law.startswith("geometric") else 0
    k = np.arange(first, first + 300)
    return k, LAWS[law].pmf(k), LAWS[law].cdf(k), LAWS[law].sf(k)


def survival(family: str, theta: float, level: Array, above: Array) -> Array:
    """1 − G at u = level = 1 − above, from THEORY.md."""
    if family == "bon":
        return -np.expm1(theta * np.log1p(-above))
    if family == "bop":
        return -np.expm1(np.log1p(-above) - theta * above)
    return np.expm1(-theta * above) / np.expm1(-theta) if theta else above


def value(law: str, family: str, gold: Gold, theta: float) -> float:
    k, mass, level, above = atoms(law)
    g = gold(k, level)
    if family == "tilt":
        weights = np.exp(np.log(np.where(mass > 0, mass, 1)) + theta * k) * (mass > 0)
        return float(weights @ g / weights.sum())
    return float(g[0] + np.diff(g) @ survival(family, theta, level, above)[:-1])


def slope(law: str, family: str, gold: Gold, theta: float) -> tuple[float, float]:
    """f′ and a size below which its sign is noise."""
    step = 1e-4 * (1 + theta)
    values = [value(law, family, gold, theta + d) for d in (-step, step)]
    return (values[1] - values[0]) / (2 * step), 1e-11 * max(map(abs, values)) / step


CASES: list[tuple[str, str, str, Gold, str]] = [
    ("poisson(3)", "bop", "r-r**2/12", lambda r, u: r - r**2 / 12, "peak"),
    ("poisson(3)", "bon", "(r-1)*(r-4)*(r-9)", lambda r, u: (r - 1) * (r - 4) * (r - 9),
     "multiple"),
    ("poisson(3)", "bop", "u**8*(1-u)", lambda r, u: u**8 * (1 - u), "peak"),
    ("poisson(3)", "quantile_tilt", "where(r<4, r, 0)", lambda r, u: np.where(r < 4, r, 0),
     "decreasing"),
    ("poisson(3)", "bon", "abs(r-6)", lambda r, u: abs(r - 6), "trough"),
    ("poisson(3)", "tilt", "r/(1+r**2/9)", lambda r, u: r / (1 + r**2 / 9), "peak"),
    ("poisson(3)", "tilt", "u**4*(1-u)", lambda r, u: u**4 * (1 - u), "peak"),
    ("poisson(20)", "bon", "where(r<4, r, where(r<30, 4, 34-r))",
     lambda r, u: np.where(r < 4, r, np.where(r < 30, 4, 34 - r)), "decreasing"),
    ("poisson(1/2)", "bon", "u*(1-u)", lambda r, u: u * (1 - u), "decreasing"),
    ("geometric(1/3)", "quantile_tilt", "r*exp(-r/5)", lambda r, u: r * np.exp(-r / 5), "peak"),
    ("geometric(1/3)", "bon", "r/(1+r**2/50)", lambda r, u: r / (1 + r**2 / 50), "peak"),
    ("geometric(1/2)", "bon", "sqrt(u)*(2-u)", lambda r, u: np.sqrt(u) * (2 - u), "decreasing"),
    ("geometric(1/2)", "bop", "tanh(r)", lambda r, u: np.tanh(r), "increasing"),
    ("geometric(1/2)", "bop", "exp(r/2)", lambda r, u: np.exp(r / 2), "increasing"),
]  # fmt: skip


def found(law: str, family: str, text: str) -> CheckResult:
    return check(parse_law(law), parse_family(family), parse_gold(text))


@pytest.mark.parametrize(("law", "family", "text", "gold", "regime"), CASES)
def test_the_shape_agrees_with_sums_over_the_atoms(law, family, text, gold, regime):
    result = found(law, family, text)
    assert (result.regime, result.complete) == (regime, "certified")
    places = [float(e.theta) for e in result.extrema]
    signs = {"increasing": [1], "decreasing": [-1]}.get(regime) or [
        *[1 if e.kind == "max" else -1 for e in result.extrema],
        -1 if result.extrema[-1].kind == "max" else 1,
    ]
    lower = 1.0 if family == "bon" else 0.0
    for theta in lower + np.geomspace(0.01, 2 if family == "tilt" else 60, 25):
        if any(abs(theta - place) < 0.02 * (1 + place) for place in places):
            continue
        derivative, noise = slope(law, family, gold, theta)
        if abs(derivative) > noise:
            assert np.sign(derivative) == signs[sum(place < theta for place in places)], theta
    for extremum in result.extrema:
        place = float(extremum.theta)
        sign = -1 if extremum.kind == "max" else 1
        best = optimize.minimize_scalar(
            lambda x: sign * value(law, family, gold, x),  # noqa: B023
            bounds=(lower + (place - lower) * 0.8, lower + (place - lower) * 1.2),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert place == pytest.approx(best.x, rel=1e-5)
        assert float(extremum.value) == pytest.approx(sign * best.fun, rel=1e-10)
    start = value(law, family, gold, lower)
    assert float(result.ends[0].value) == pytest.approx(start, rel=1e-10)


def test_exact_values_under_best_of_n_on_the_geometric_law():
    # E[max of n] = Σ_j (−1)^{j+1} C(n, j)/(1 − (1 − p)^j): 8/3 at n = 2, p = 1/2.
    curve = LatticeCurve(parse_law("geometric(1/2)"), parse_family("bon"), parse_gold("r"))
    with precision(128):
        low, high = enclosing_rationals(curve.value(ball(2)))
    assert low <= Fraction(8, 3) <= high
    assert high - low < Fraction(1, 10**30)


@pytest.mark.parametrize(
    ("law", "family", "text"),
    [
        ("geometric(1/2)", "bon", "exp(r)"),  # Σ 2^{−r}e^r = ∞
        ("geometric(1/2)", "tilt", "exp(r)"),
        ("geometric(1/2)", "tilt", "exp(r/2)"),  # finite at λ = 0, infinite from ln 2 − 1/2 on
        ("geometric(1/2)", "bop", "-exp(r)"),
        ("poisson(3)", "bon", "sin(r)"),  # infinitely many turns
        ("poisson(3)", "tilt", "(r-1)*(r-4)*(r-9)*(r-20)"),  # three turns: no bound for the tilt
        ("poisson(3)", "quantile_tilt", "(r-1)*(r-4)*(r-9)"),  # two turns, k is only TP2
        ("poisson(3)", "bon", "log(1-u)"),  # unbounded at u = 1
        ("poisson(3)", "best_of_random(sibuya)", "r"),  # w is not bounded
    ],
)
def test_what_is_not_proved_stays_undecided(law, family, text):
    result = found(law, family, text)
    assert (result.regime, result.complete, result.hacking) == ("undecided",) * 3
    assert result.complete_reason
    assert result.best is None


def test_turns_between_atoms_are_no_turns():
    # g rises and falls between 2 and 3 only: at the atoms it increases.
    text = "r + where(r<2, 0, where(r<3, 9*(r-2)*(3-r), 0))"
    assert found("poisson(3)", "bon", text).regime == "increasing"
    # And below F(0) = e^{−1/2} no atom has its quantile.
    assert found("poisson(1/2)", "bon", "(u-3/10)**2").regime == "increasing"


@pytest.mark.parametrize(
    ("law", "text", "signs", "places"),
    [
        ("poisson(3)", "r-r**2/20", [1, -1], [10]),  # g(10) > g(11), g(9) = 8.1 − … < g(10)
        ("poisson(3)", "r*(9-r)", [1, -1], [5]),  # g(4) = g(5): a zero increment
        ("geometric(1/2)", "u*(1-u)", [-1], []),  # F = 1/2, 3/4, …
        ("geometric(1/2)", "min(r,5)", [1], []),
        ("geometric(1/2)", "where(r<=3, r, 1)", [1, -1], [3]),
        ("geometric(1/2)", "where(r<3, r, 1)", [1, -1], [2]),
    ],
)
def test_increments_change_sign_where_the_numbers_do(law, text, signs, places):
    one = parse_law(law)
    pattern = lattice_pattern(one, GoldShape(one, parse_gold(text)))
    assert pattern is not None
    assert pattern[0] == signs
    assert [c.low for c in pattern[1]] == places


def test_constant_gold_is_constant():
    for family in ("bon", "tilt"):
        assert found("poisson(3)", family, "cos(r)**2 + sin(r)**2").regime == "constant"


def test_a_turn_far_out_is_found_among_many_atoms():
    result = found("poisson(2000)", "bon", "u**9*(1-u)")
    # As on a law without atoms, up to the masses: E[u^9 − u^10] = n/(n + 9) − n/(n + 10), largest
    # at n = √90, n ≥ 1.
    assert float(result.extrema[0].theta) == pytest.approx(90**0.5, rel=0.02)
