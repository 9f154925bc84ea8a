"""Gold curves in the reward on continuous laws, against mpmath quadrature of the definition."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from mpmath import mpf

from hedgetheory.analysis.check import check
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.expressions.symbols import r
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

EXP, SQRT = mpmath.exp, mpmath.sqrt
#: law -> (points of its support, pdf, cdf), written here.
LAWS = {
    "normal(1, 2)": (
        [-25, -7, -1, 1, 3, 9, 27],
        lambda x: mpmath.npdf(x, 1, 2),
        lambda x: mpmath.ncdf(x, 1, 2),
    ),
    "laplace(0, 1)": (
        [-60, -10, 0, 10, 60],
        lambda x: EXP(-abs(x)) / 2,
        lambda x: EXP(x) / 2 if x < 0 else 1 - EXP(-x) / 2,
    ),
    "gumbel(0, 1)": (
        [-5, -2, 0, 3, 15, 70],
        lambda x: EXP(-x - EXP(-x)),
        lambda x: EXP(-EXP(-x)),
    ),
    "lognormal(0, 1)": (
        [0, 0.05, 0.5, 1, 2, 5, 30, 500, 1e5],
        lambda x: mpmath.npdf(mpmath.log(x)) / x,
        lambda x: mpmath.ncdf(mpmath.log(x)),
    ),
    "pareto(7/2)": (
        [1, 2, 10, 1000, mpmath.inf],
        lambda x: mpf(7) / 2 * x ** (-mpf(9) / 2),
        lambda x: 1 - x ** (-mpf(7) / 2),
    ),
    "weibull(1/2, 1)": (
        [0, 1, 10, 100, 1000, 10000],
        lambda x: EXP(-SQRT(x)) / (2 * SQRT(x)),
        lambda x: -mpmath.expm1(-SQRT(x)),
    ),
    "logistic(0, 1)": (
        [-60, -10, 0, 10, 60],
        lambda x: 1 / (4 * mpmath.cosh(x / 2) ** 2),
        lambda x: 1 / (1 + EXP(-x)),
    ),
    "exponential(1)": ([0, 2, 10, 60], lambda x: EXP(-x), lambda x: -mpmath.expm1(-x)),
}
WEIGHTS = {
    "bon": lambda v, t: t * v ** (t - 1),
    "bop": lambda v, t: (1 + t * v) * mpmath.exp(t * (v - 1)),
    "quantile_tilt": lambda v, t: t * mpmath.exp(t * v) / mpmath.expm1(t),
}


def by_quadrature(law, family, text, theta, digits=25):
    gold = sympy.lambdify(r, parse_gold(text).expr, "mpmath")
    points, pdf, cdf = LAWS[law]
    weight = WEIGHTS[family]
    with mpmath.workdps(digits):
        return mpmath.quad(lambda x: gold(x) * weight(cdf(x), theta) * pdf(x), points)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("text", ["r/(1 + r**2)", "exp(-(r - 1)**2)", "r - r**2/4"])
def test_values_by_sign_changes_are_those_of_the_definition(law, text):
    for family, theta in (("bon", 3), ("bop", 2), ("quantile_tilt", 4)):
        curve = SmoothCurve(parse_law(law), parse_family(family), parse_gold(text))
        with precision(64):
            found = curve.value(ball(theta))
        expected = by_quadrature(law, family, text, mpf(theta))
        assert found.is_finite()
        assert abs(mpf(float(found.mid())) - expected) < 1e-9 * (1 + abs(expected))


@pytest.mark.parametrize("law", ["lognormal(0, 1)", "pareto(7/2)", "gamma(1/2, 1)"])
def test_more_bits_never_leave_the_enclosure(law):
    curve = SmoothCurve(parse_law(law), parse_family("bon"), parse_gold("r/(1 + r**2)"))
    for form in (lambda: curve.value(ball(2)), lambda: curve(ball(2))):
        enclosures = []
        for bits in (53, 80, 128):
            with precision(bits):
                enclosures.append(form())
        assert all(a.overlaps(b) for a in enclosures for b in enclosures)


@pytest.mark.parametrize(
    ("law", "family", "text"),
    [
        ("gumbel(0, 1)", "bon", "r - r**2/4"),
        ("laplace(0, 1)", "bon", "r - r**2/4"),
        ("exponential(1)", "bon", "r*exp(-r)"),
        ("logistic(0, 1)", "bop", "exp(-(r - 1)**2)"),
        ("normal(1, 2)", "quantile_tilt", "r - r**2/4"),
    ],
)
def test_the_peak_is_where_the_definition_turns(law, family, text):
    result = check(parse_law(law), parse_family(family), parse_gold(text), 8)
    assert (result.regime, result.complete) == ("peak", "certified")
    (extremum,) = result.extrema
    theta = mpf(float(extremum.theta))

    def rise(place):
        step = mpf("1e-4")
        return by_quadrature(law, family, text, place + step) - by_quadrature(
            law, family, text, place - step
        )

    assert rise(theta * mpf("0.999")) > 0 > rise(theta * mpf("1.001"))
    at = by_quadrature(law, family, text, theta)
    assert abs(at - mpf(float(extremum.value))) < 1e-9


def test_decreasing_gold_falls():
    result = check(parse_law("pareto(3)"), parse_family("bon"), parse_gold("1/r"), 8)
    assert (result.regime, result.complete) == ("decreasing", "certified")


def test_gold_with_an_infinite_mean_is_left_undecided():
    result = check(parse_law("pareto(1/2)"), parse_family("bon"), parse_gold("r"))
    assert result.regime == "undecided"
    assert "finite" in result.complete_reason
