"""The raw tilt of gold that is not monotone: turns, ends and limits against sums on a grid."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from hedgetheory.analysis.check import CheckResult, check
from hedgetheory.analysis.raw_tilt import raw_tilt_picture
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

#: Nodes of the trapezoidal rule, which is exponentially good for densities on the whole line, and
#: of tanh-sinh on (0, 1): r = 1/(1 + e^{−π sinh t}).
LINE = np.linspace(-110.0, 130.0, 48_001)
_T = np.linspace(-3.6, 3.6, 4_001)
UNIT = special.expit(np.pi * np.sinh(_T))
UNIT_WEIGHT = np.pi * np.cosh(_T) * UNIT * special.expit(-np.pi * np.sinh(_T))
#: r = e^s on the half-line.
_S = np.linspace(-60.0, 7.0, 20_001)
HALF = np.exp(_S)
SIDES = np.concatenate([-HALF, HALF])

Array = Any
#: law -> (nodes, weights without a factor in common, the limit of λ).
GRIDS: dict[str, tuple[Array, Array, float]] = {
    "normal(0,1)": (LINE, stats.norm.pdf(LINE), np.inf),
    "logistic(0,1)": (LINE, stats.logistic.pdf(LINE), 1.0),
    "gumbel(0,1)": (LINE, stats.gumbel_r.pdf(LINE), 1.0),
    "laplace(0,1)": (SIDES, np.exp(-np.abs(SIDES)) * np.abs(SIDES), 1.0),
    "gamma(3,1)": (HALF, stats.gamma.pdf(HALF, 3) * HALF, 1.0),
    "gamma(2,1)": (HALF, stats.gamma.pdf(HALF, 2) * HALF, 1.0),
    "exponential(1)": (HALF, stats.expon.pdf(HALF) * HALF, 1.0),
    "weibull(2,1)": (HALF, stats.weibull_min.pdf(HALF, 2) * HALF, np.inf),
    "beta(2,3)": (UNIT, stats.beta.pdf(UNIT, 2, 3) * UNIT_WEIGHT, np.inf),
    "beta(1/2,1/2)": (UNIT, UNIT_WEIGHT / np.sqrt(UNIT * special.expit(-np.pi * np.sinh(_T))),
                      np.inf),
    "mixture({normal(0,1): 0.9, normal(3,1): 0.1})": (
        LINE, 0.9 * stats.norm.pdf(LINE) + 0.1 * stats.norm.pdf(LINE, 3), np.inf),
    "affine(gumbel(0,1),loc=1,scale=2)": (LINE, stats.gumbel_r.pdf(LINE, 1, 2), 0.5),
    "truncated(normal(0,1),-1,3)": (4 * UNIT - 1, stats.norm.pdf(4 * UNIT - 1) * UNIT_WEIGHT,
                                    np.inf),
}  # fmt: skip

#: law, gold, the same in numpy (of r, or of F(r)), the regime.
CASES: list[tuple[str, str, Callable[[Array], Array], str]] = [
    ("normal(0,1)", "r/(1+(r-1)**2)", lambda r: r / (1 + (r - 1) ** 2), "peak"),
    ("normal(0,1)", "-(r+3)/(1+(r+3)**2)", lambda r: -(r + 3) / (1 + (r + 3) ** 2), "increasing"),
    ("normal(0,1)", "exp(-r**2/2)", lambda r: np.exp(-(r**2) / 2), "decreasing"),
    ("logistic(0,1)", "r**2-2*r", lambda r: r**2 - 2 * r, "trough"),
    ("gumbel(0,1)", "r*exp(-r)", lambda r: r * np.exp(-r), "peak"),
    ("laplace(0,1)", "1/(1+(r-1)**2)", lambda r: 1 / (1 + (r - 1) ** 2), "peak"),
    ("gamma(2,1)", "(r-1)*exp(-r)", lambda r: (r - 1) * np.exp(-r), "peak"),
    ("weibull(2,1)", "r*exp(-r)", lambda r: r * np.exp(-r), "peak"),
    ("beta(2,3)", "r*(1-r)**2", lambda r: r * (1 - r) ** 2, "decreasing"),
    ("beta(1/2,1/2)", "-(r-1/2)**2", lambda r: -((r - 0.5) ** 2), "decreasing"),
    ("mixture({normal(0,1): 0.9, normal(3,1): 0.1})", "r-r**2/8", lambda r: r - r**2 / 8, "peak"),
    ("affine(gumbel(0,1),loc=1,scale=2)", "r-r**2/20", lambda r: r - r**2 / 20, "peak"),
    ("truncated(normal(0,1),-1,3)", "r-r**2/3", lambda r: r - r**2 / 3, "peak"),
]


def tilted(law: str, gold: Callable[[Array], Array], strength: float) -> tuple[float, float]:
    """f(λ) and f′(λ) = Cov_λ(g, R)."""
    nodes, weights, _ = GRIDS[law]
    with np.errstate(all="ignore"):
        logs = np.log(weights) + strength * nodes
        mass = np.exp(logs - logs.max())
        values = gold(nodes)
    keep = mass > 0
    mass, values, places = mass[keep] / mass.sum(), values[keep], nodes[keep]
    mean = float(mass @ values)
    return mean, float(mass @ ((values - mean) * (places - mass @ places)))


def found(law: str, text: str, family: str = "tilt") -> CheckResult:
    # Six digits: each takes integrals.
    return check(parse_law(law), parse_family(family), parse_gold(text), 6)


@pytest.mark.parametrize(("law", "text", "gold", "regime"), CASES)
def test_the_shape_agrees_with_covariances_on_a_grid(law, text, gold, regime):
    result = found(law, text)
    assert (result.regime, result.complete) == (regime, "certified")
    limit = GRIDS[law][2]
    grid = np.linspace(0.03, 0.86, 12) * limit if limit < np.inf else np.geomspace(0.01, 12, 12)
    signs = {"increasing": [1], "decreasing": [-1], "peak": [1, -1], "trough": [-1, 1]}[regime]
    places = [float(e.theta) for e in result.extrema]
    for strength in grid:
        if any(abs(strength - place) < 1e-3 for place in places):
            continue
        expected = signs[sum(place < strength for place in places)]
        assert np.sign(tilted(law, gold, strength)[1]) == expected, strength
    for extremum in result.extrema:
        place = float(extremum.theta)
        low, high = place * 0.9, min(place * 1.1, (place + limit) / 2)
        root = optimize.brentq(lambda x: tilted(law, gold, x)[1], low, high, xtol=1e-13)
        assert place == pytest.approx(root, rel=1e-5)
        assert float(extremum.value) == pytest.approx(tilted(law, gold, place)[0], rel=1e-5)
    assert float(result.ends[0].value) == pytest.approx(tilted(law, gold, 0.0)[0], rel=1e-6)


def test_gold_in_the_quantile_is_taken_at_the_cdf():
    # On the exponential law u = 1 − e^{−r} has the beta law with density ∝ (1 − u)^{−λ}:
    # E[u²(1 − u)] = B(3, 2 − λ)/B(1, 1 − λ) = 2(1 − λ)/((2 − λ)(3 − λ)(4 − λ)).
    result = found("exponential(1)", "u**2*(1-u)")
    roots = np.roots(_numerator())
    expected = [x for x in roots if 0 < x < 1]
    assert [float(e.theta) for e in result.extrema] == pytest.approx(expected, rel=1e-6)
    at = expected[0]
    value = 2 * (1 - at) / ((2 - at) * (3 - at) * (4 - at))
    assert float(result.extrema[0].value) == pytest.approx(value, rel=1e-6)


def _numerator() -> Array:
    """Of the derivative of 2(1 − λ)/((2 − λ)(3 − λ)(4 − λ)), the highest power first."""
    top = np.poly1d([-2, 2])
    bottom = np.poly1d([2], True) * np.poly1d([3], True) * np.poly1d([4], True) * -1
    return (top.deriv() * bottom - top * bottom.deriv()).coeffs


def test_exact_values_of_polynomial_gold_on_the_gamma_law():
    # The tilted law is Gamma(3, 1 − λ): with m = 3/(1 − λ), E[r − r²/20] = m − (m² + m²/3)/20,
    # largest at m = 15/2, λ = 3/5, with the value 15/4.
    result = found("gamma(3,1)", "r-r**2/20")
    (peak,) = result.extrema
    for number, expected in ((peak.theta, Fraction(3, 5)), (peak.value, Fraction(15, 4))):
        low, high = number.bounds
        assert low <= expected <= high
        assert 0 < high - low < 1e-5


@pytest.mark.parametrize(
    ("law", "text", "family"),
    [
        # Three turns of g, or two with a third level crossing: no bound on the turns of f.
        ("normal(0,1)", "(r**3-3*r)*exp(-r**2/2)", "tilt"),
        ("gumbel(0,1)", "sin(r)", "tilt"),
        # Down, up, down to below where it began: some level is met three times.
        ("beta(2,3)", "-r**3/3 + r**2/2 - 3*r/16", "tilt"),
        # E[g] is infinite, or E_λ[g] becomes so before λ = 2.
        ("exponential(2)", "exp(3*r)", "tilt"),
        ("exponential(2)", "-exp(r)", "tilt"),
        ("exponential(2)", "r-exp(r)", "tilt"),
        # f is (1 − λ)-fold small: −((1 − λ)/(2 − λ))² rises to 0 on the whole domain, although
        # g = (r − 1)e^{−r} rises and falls. No sign of f′ can show the last sign of g′.
        ("exponential(1)", "(r-1)*exp(-r)", "tilt"),
    ],
)
def test_what_is_not_proved_stays_undecided(law, text, family):
    result = found(law, text, family)
    assert (result.regime, result.hacking) == ("undecided", "undecided")
    assert result.threshold.is_undefined
    assert result.complete_reason


def test_listed_turns_of_gold_with_three_turns_are_turns():
    gold = lambda r: (r**3 - 3 * r) * np.exp(-(r**2) / 2)  # noqa: E731
    result = found("normal(0,1)", "(r**3-3*r)*exp(-r**2/2)")
    assert result.extrema
    for extremum in result.extrema:
        place = float(extremum.theta)
        before, after = (tilted("normal(0,1)", gold, place + d)[1] for d in (-1e-4, 1e-4))
        assert (before > 0 > after) == (extremum.kind == "max")
        assert before * after < 0


def test_the_slope_is_bounded_where_it_is_said_to_be():
    law = "logistic(0,1)"
    picture, _ = raw_tilt_picture(parse_law(law), parse_gold("exp(-(r-2)**2)"))
    moments = picture.extrema[0].zero.total.moments
    for low, high in (("0.1", "0.2"), ("0.3", "0.6")):
        bound = float(moments.steepest(Fraction(low), Fraction(high)))
        slopes = [
            abs(tilted(law, lambda r: np.exp(-((r - 2) ** 2)), x)[1])
            for x in np.linspace(float(low), float(high), 9)
        ]
        assert max(slopes) <= bound <= 200 * max(slopes)


def test_the_domain_of_a_geometric_law_ends_at_a_logarithm():
    result = found("geometric(1/3)", "r-r**2/20")
    assert result.domain == "[0, ln(1.5))"
    assert float(result.ends[1].theta) == pytest.approx(np.log(1.5), rel=1e-12)
    # The tilt has mean m and variance m² − m: E = m − (2m² − m)/20, largest at m = 21/4,
    # where 1/m = 1 − (2/3)e^λ.
    (peak,) = result.extrema
    assert float(peak.theta) == pytest.approx(np.log(1.5 * (1 - 4 / 21)), rel=1e-6)
    assert float(peak.value) == pytest.approx(5.25 - (2 * 5.25**2 - 5.25) / 20, rel=1e-6)
