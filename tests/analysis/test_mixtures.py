"""Gold in the reward on mixtures, whose strands overlap, against scipy quadrature of E_θ[g]."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hedgetheory.analysis.check import check
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.numerics.ball import ball, precision
from hedgetheory.spec.grammar import parse_family, parse_gold, parse_law

Array = Any
_X, _W = np.polynomial.legendre.leggauss(60)
#: Panels of the whole line that end at 0, 1 and 3, where components have corners.
_OUTER = 2.0 ** np.arange(0, 8, 0.5)
_EDGES = np.concatenate([-_OUTER[::-1], np.linspace(-0.75, 5.75, 27), 5 + _OUTER])
NODES = np.concatenate([(a + b) / 2 + (b - a) / 2 * _X for a, b in pairwise(_EDGES)])
WEIGHTS = np.concatenate([(b - a) / 2 * _W for a, b in pairwise(_EDGES)])

MIXTURES = {
    "mixture({normal(0,1): 0.9, normal(3,1): 0.1})": [(0.9, stats.norm()), (0.1, stats.norm(3))],
    "mixture({normal(0,1): 0.9, laplace(3,1): 0.1})": [
        (0.9, stats.norm()), (0.1, stats.laplace(3))],
    "mixture({normal(0,1): 0.9, uniform: 0.1})": [(0.9, stats.norm()), (0.1, stats.uniform())],
    "mixture({logistic(0,1): 0.5, gamma(3,1): 0.5})": [
        (0.5, stats.logistic()), (0.5, stats.gamma(3))],
}  # fmt: skip


def moments(law: str, family: str, gold: Callable[[Array], Array], theta: float) -> float:
    """E_θ[g] = ∫ g w f, w from THEORY.md."""
    parts = MIXTURES[law]
    density = sum(p * d.pdf(NODES) for p, d in parts)
    above = sum(p * d.sf(NODES) for p, d in parts)
    level = sum(p * d.cdf(NODES) for p, d in parts)
    with np.errstate(divide="ignore"):
        ratio = {
            "bon": lambda: theta * np.exp((theta - 1) * np.log(level)),
            "bop": lambda: (1 + theta * level) * np.exp(-theta * above),
            "quantile_tilt": lambda: theta * np.exp(-theta * above) / -np.expm1(-theta),
        }[family]()
    return float(WEIGHTS @ (gold(NODES) * ratio * density))


CASES: list[tuple[str, str, str, Callable[[Array], Array]]] = [
    ("mixture({normal(0,1): 0.9, normal(3,1): 0.1})", "bon", "r-r**2/8", lambda r: r - r**2 / 8),
    ("mixture({normal(0,1): 0.9, normal(3,1): 0.1})", "quantile_tilt", "r-r**2/4",
     lambda r: r - r**2 / 4),
    ("mixture({normal(0,1): 0.9, laplace(3,1): 0.1})", "bop", "r-r**2/8", lambda r: r - r**2 / 8),
    ("mixture({normal(0,1): 0.9, uniform: 0.1})", "bon", "exp(-(r-1)**2)",
     lambda r: np.exp(-((r - 1) ** 2))),
]  # fmt: skip


@pytest.mark.parametrize(("law", "family", "text", "gold"), CASES)
def test_the_peak_on_a_mixture_agrees_with_quadrature(law, family, text, gold):
    result = check(parse_law(law), parse_family(family), parse_gold(text), 6)
    assert (result.regime, result.complete) == ("peak", "certified")
    (peak,) = result.extrema
    place = float(peak.theta)
    step = 0.05 * place
    values = [moments(law, family, gold, place + i * step) for i in (-2, -1, 0, 1, 2)]
    # The derivative by five points, whose error is of order step⁴.
    slope = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12 * step)
    bend = (values[1] - 2 * values[2] + values[3]) / step**2
    assert abs(slope / bend) < 1e-3 * place
    assert float(peak.value) == pytest.approx(values[2], rel=1e-6)
    assert values[1] > values[0]
    assert values[3] > values[4]


def test_values_and_slopes_on_mixtures_agree_with_quadrature():
    gold = lambda r: 1 / (1 + (r - 1) ** 2)  # noqa: E731
    law = "mixture({logistic(0,1): 0.5, gamma(3,1): 0.5})"
    curve = SmoothCurve(parse_law(law), parse_family("bon"), parse_gold("1/(1+(r-1)**2)"))
    with precision(40):
        value, slope = float(curve.value(ball(3))), float(curve(ball(3)))
    around = [moments(law, "bon", gold, 3 + d) for d in (-2e-3, -1e-3, 1e-3, 2e-3)]
    assert value == pytest.approx(moments(law, "bon", gold, 3), rel=1e-9)
    expected = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / 12e-3
    assert slope == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        # E[r²] is infinite: the tail of student_t(3/2).
        ("mixture({normal(0,1): 0.9, student_t(3/2): 0.1})", "r-r**2"),
        # Three turns: more than the quantile tilt's TP2 decides.
        ("mixture({normal(0,1): 0.9, normal(3,1): 0.1})", "r*(r-1)*(r-2)*(r-4)"),
    ],
)
def test_what_is_not_proved_on_a_mixture_stays_undecided(law, text):
    result = check(parse_law(law), parse_family("quantile_tilt"), parse_gold(text), 8)
    assert (result.regime, result.complete) == ("undecided", "undecided")


def test_a_turn_in_the_quantile_is_reported_in_the_quantile():
    # √u·e^{−u} turns at u = 1/2, although the integrals run over √u.
    result = check(parse_law("uniform"), parse_family("bon"), parse_gold("sqrt(u)*exp(-u)"), 6)
    (witness,) = [h.witness for h in result.hypotheses if h.id == "gold_sign_changes"]
    (change,) = witness["changes"]
    assert float(change["at"]) == pytest.approx(0.5, abs=1e-12)
