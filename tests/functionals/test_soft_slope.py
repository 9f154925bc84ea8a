"""The slope in λ: within-draw covariance, against differences and an enumeration."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import mpmath
import pytest

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft.slope import slope_in_strength, slope_sign
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import Scale, SoftBestOfN
from hedgetheory.spec.grammar import parse_gold

UNIFORM, THREE = Uniform(), Finite({0: "1/4", "1/2": "1/4", 1: "1/2"})
PEAKED = parse_gold("u**12*(1-u)")
HUMP = parse_gold("r*(1-r) + r/5")


@pytest.mark.parametrize(
    ("law", "n", "lam"),
    [
        (UNIFORM, 16, Fraction(5)),
        (UNIFORM, Fraction(5, 2), Fraction(3)),
        (UNIFORM, 3, Fraction(1, 100)),
        (THREE, 4, Fraction(2)),
        (THREE, Fraction(5, 2), Fraction(3)),
        (THREE, Fraction(3, 2), Fraction(3)),
        (UNIFORM, Fraction(5, 4), Fraction(2)),
    ],
    ids=str,
)
def test_the_slope_is_the_difference_of_certified_values(
    law: Law, n: Fraction, lam: Fraction
) -> None:
    gold = PEAKED if law == UNIFORM else HUMP
    step = Fraction(1, 10**6)
    ends = [
        sum(value(law, SoftBestOfN(n, lam + s * step), "gold", gold=gold, digits=24).bounds) / 2
        for s in (-1, 1)
    ]
    difference = (ends[1] - ends[0]) / (2 * step)
    slope = slope_in_strength(SoftBestOfN(n, lam), law, gold)
    assert float(slope) == pytest.approx(float(difference), rel=1e-9)


def test_the_slope_is_the_mean_of_the_covariance_within_the_draws() -> None:
    mpmath.mp.dps = 30
    n, lam = 3, mpmath.mpf(2)
    total = mpmath.mpf(0)
    for draw in product(THREE.atoms, repeat=n):
        chance = mpmath.mpf(1)
        for _, p in draw:
            chance *= mpmath.mpf(p.numerator) / p.denominator
        rewards = [mpmath.mpf(x.numerator) / x.denominator for x, _ in draw]
        weights = [mpmath.exp(lam * x) for x in rewards]
        weights = [w / sum(weights) for w in weights]
        golds = [x * (1 - x) + x / 5 for x in rewards]
        means = [sum(w * y for w, y in zip(weights, ys, strict=True)) for ys in (rewards, golds)]
        both = sum(w * x * g for w, x, g in zip(weights, rewards, golds, strict=True))
        total += chance * (both - means[0] * means[1])
    assert abs(float(slope_in_strength(SoftBestOfN(3, 2), THREE, HUMP)) / total - 1) < 1e-14


@pytest.mark.parametrize(("n", "low", "high"), [(16, "26.05", "26.15"), (8, "50.35", "50.45")])
def test_the_true_threshold_is_a_certified_sign_change(n: int, low: str, high: str) -> None:
    assert slope_sign(SoftBestOfN(n, low), UNIFORM, PEAKED) == 1
    assert slope_sign(SoftBestOfN(n, high), UNIFORM, PEAKED) == -1


def _marginal_covariance(n: int, lam: float) -> float:
    """The mutant: Cov(g, u) under the policy itself."""
    floats = SoftBestOfNFloats(n, lam)
    u, weight = floats._points
    w = weight * (1 + floats._weighed[0])
    g = u**12 * (1 - u)
    return float(w @ (g * u) - (w @ g) * (w @ u))


def test_the_marginal_covariance_has_another_threshold_or_none() -> None:
    # n = 16: its sign changes at 21.4, where the true slope is certainly positive.
    assert _marginal_covariance(16, 21.3) > 0 > _marginal_covariance(16, 21.5)
    assert slope_sign(SoftBestOfN(16, "21.5"), UNIFORM, PEAKED) == 1
    # n = 8: none at all, where the true slope turns at 50.4.
    assert all(_marginal_covariance(8, lam) > 0 for lam in (1, 10, 30, 50, 60, 100, 300))


def test_the_slope_of_one_draw_is_zero_and_bad_arguments_are_refused() -> None:
    assert str(slope_in_strength(SoftBestOfN(1, 3), UNIFORM, PEAKED)) == "0 exactly"
    with pytest.raises(InputError, match="lam=0"):
        slope_in_strength(SoftBestOfN(2, 0), UNIFORM, PEAKED)
    with pytest.raises((InputError, NotCertified)):
        slope_in_strength(SoftBestOfN("3/2", 1), Normal(), parse_gold("r"))


@pytest.mark.parametrize(
    ("law", "n", "scale", "text"),
    [
        (Normal(1, 2), 3, "reward", "r - r**2/4"),
        (Normal(1, 2), Fraction(5, 2), "reward", "u*(1-u)"),
        (Exponential(2), Fraction(5, 2), "reward", "tanh(r)"),
        (Normal(1, 2), 3, "quantile", "r - r**2/4"),
    ],
    ids=str,
)
def test_the_slope_on_a_line_is_the_difference_of_certified_values(
    law: Law, n: Fraction, scale: Scale, text: str
) -> None:
    gold, step = parse_gold(text), Fraction(1, 10**3)
    ends = [
        sum(value(law, SoftBestOfN(n, 1 + s * step, scale), "gold", gold=gold, digits=9).bounds) / 2
        for s in (-1, 1)
    ]
    slope = slope_in_strength(SoftBestOfN(n, 1, scale), law, gold, digits=6)
    assert float(slope) == pytest.approx(float((ends[1] - ends[0]) / (2 * step)), rel=1e-5)
