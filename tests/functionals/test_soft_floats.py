"""float64 Soft Best-of-n on laws, atoms and samples; the record against balls is beside this."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from hedgetheory.errors import InputError, NotOnThisLaw
from hedgetheory.functionals.soft.slope import slope_in_strength, slope_sign
from hedgetheory.functionals.soft_floating.continuous import SoftBestOfNFloats
from hedgetheory.functionals.soft_floating.evaluate import soft_evaluate
from hedgetheory.functionals.soft_floating.samples import SoftBestOfNSamples
from hedgetheory.functionals.soft_floating.threshold import _turns, soft_thresholds
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.finite import Finite
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold, parse_law

LAWS: dict[str, ContinuousLaw] = {
    "uniform": Uniform(),
    "normal": Normal("1/3", "2.7"),
    "exponential": Exponential(2),
    "logistic": Logistic(-1, "0.3"),
}
DENSITIES: dict[str, Callable[[mpmath.mpf], mpmath.mpf]] = {
    "uniform": lambda r: mpmath.mpf(1),
    "normal": lambda r: mpmath.npdf(r, mpmath.mpf(1) / 3, mpmath.mpf("2.7")),
    "exponential": lambda r: 2 * mpmath.exp(-2 * r),
    "logistic": lambda r: mpmath.sech((r + 1) / mpmath.mpf("0.6")) ** 2 / mpmath.mpf("1.2"),
}
SUPPORTS = {"uniform": (0, 1), "normal": (-60, 60), "exponential": (0, 60), "logistic": (-40, 40)}
SAMPLE = np.array([0.3, -1.0, 2.0, 0.3, 0.3, 2.0])
GOLD = np.array([1.0, 4.0, -2.0, 0.5, 3.0, 1.0])


def two_draws(name: str, lam: float, at: float) -> float:
    """w at n = 2 by hand: 2 E[1/(1 + e^{λ(V − r)})], in mpmath."""
    low, high = SUPPORTS[name]
    # The integrand falls from the density to 0 within 40/λ of the reward.
    near = {low, high, *(min(max(at + k / lam, low), high) for k in (-40, -8, 0, 8, 40))}
    with mpmath.workdps(25):
        ends = sorted({*near, *(at + x for x in (-3, 3) if low < at + x < high)})
        return float(
            mpmath.quad(
                lambda v: 2 * DENSITIES[name](v) / (1 + mpmath.exp(lam * (v - mpmath.mpf(at)))),
                ends,
                maxdegree=8,
            )
        )


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("lam", [0.0078125, 1.5, 1000.0])
def test_the_ratio_of_two_draws_is_the_integral_by_hand(name: str, lam: float) -> None:
    at = {"uniform": 0.75, "normal": 1.5, "exponential": 0.5, "logistic": -0.75}[name]
    found = float(SoftBestOfNFloats(2, lam, LAWS[name]).ratio(at))
    assert abs(found / two_draws(name, lam, at) - 1) < 1e-12


def enumerated(draws: int, lam: float) -> tuple[np.ndarray, float]:
    """The probability of each response of SAMPLE, and the slope, over all ordered draws."""
    chances, slope, size = np.zeros(len(SAMPLE)), 0.0, len(SAMPLE)
    for drawn in itertools.product(range(size), repeat=draws):
        chosen = list(drawn)
        weight = np.exp(lam * SAMPLE[chosen])
        weight /= weight.sum()
        np.add.at(chances, chosen, weight / size**draws)
        x, g = SAMPLE[chosen], GOLD[chosen]
        slope += float(weight @ (g * x) - (weight @ g) * (weight @ x)) / size**draws
    return chances, slope


@pytest.mark.parametrize("lam", [1e-3, 0.7, 5.0])
def test_a_sample_with_ties_is_its_enumeration(lam: float) -> None:
    chances, slope = enumerated(3, lam)
    soft = SoftBestOfNSamples(3, lam, SAMPLE)
    # Tied responses share the mass of their atom equally, as they do in the enumeration.
    assert np.abs(soft.probabilities() / chances - 1).max() < 1e-13
    assert abs(soft.gold(GOLD) - chances @ GOLD) < 1e-13
    assert abs(soft.slope(GOLD) / slope - 1) < 1e-12
    assert abs(soft.mean_reward() - chances @ SAMPLE) < 1e-13
    assert abs(float(soft.cdf(0.3)) - chances[SAMPLE <= 0.3].sum()) < 1e-13


def test_a_sample_is_the_finite_law_of_its_shares() -> None:
    law = Finite({-1: "1/6", Fraction(0.3): "1/2", 2: "1/3"})
    for n, lam, scale in ((16, 3, "reward"), ("5/2", 40, "quantile"), (10**6, 0.01, "reward")):
        one = SoftBestOfNSamples(n, lam, law, scale)  # type: ignore[arg-type]
        other = SoftBestOfNSamples(n, lam, SAMPLE, scale)  # type: ignore[arg-type]
        assert np.abs(one.log_ratios - other.log_ratios).max() < 1e-11
        assert abs(one.kl() / other.kl() - 1) < 1e-12


@pytest.mark.parametrize(("n", "lam"), [(2, 3), (1000, 30)])
def test_the_slope_is_the_certified_one(n: int, lam: str) -> None:
    truth = float(slope_in_strength(SoftBestOfN(n, lam), Uniform(), parse_gold("u**12*(1-u)")))
    soft = SoftBestOfNFloats(n, lam)
    slope, noise = soft.slope_with_noise(lambda u: u**12 * (1 - u))
    assert abs(slope - truth) < noise
    assert noise < 1e-5 * abs(truth)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("lam", [0.5, 30.0])
def test_slopes_are_differences_of_values(name: str, lam: float) -> None:
    # Central differences of E[g]: their own error is of the order of 1e-7.
    law = LAWS[name]

    def gain(n: float, strength: float) -> float:
        return SoftBestOfNFloats(n, strength, law).gain(np.tanh)

    soft, d = SoftBestOfNFloats(5, lam, law), 2.0**-10
    slope = (gain(5, lam * (1 + d)) - gain(5, lam * (1 - d))) / (2 * d * lam)
    in_draws = (gain(5 + d, lam) - gain(5 - d, lam)) / (2 * d)
    assert soft.slope(np.tanh) == pytest.approx(slope, rel=1e-5)
    assert soft.slope_in_draws(np.tanh) == pytest.approx(in_draws, rel=1e-5)


@pytest.mark.parametrize("n", [16])
def test_the_threshold_is_within_1e8_of_a_certified_change_of_sign(n: int) -> None:
    found = soft_thresholds(Uniform(), lambda u: u**12 * (1 - u), n=n, bounds=(10, 100))
    assert found.kind == ("max",)
    assert found.best == found.theta[0]
    signs = [
        slope_sign(
            SoftBestOfN(n, Fraction(found.theta[0] * (1 + side * 1e-8))),
            Uniform(),
            parse_gold("u**12*(1-u)"),
        )
        for side in (-1, 1)
    ]
    assert signs == [1, -1]


def test_the_threshold_on_the_normal_law_is_the_certified_one() -> None:
    # slope_sign certifies +1 and −1 at 2.062895251 (1 ∓ 1e-8), in some thirty seconds.
    found = soft_thresholds(Normal(0, 1), lambda r: r - r**2 / 2, n=16, bounds=(1, 4))
    assert found.theta == pytest.approx([2.062895251], rel=2e-8)


def test_every_turn_is_found_where_there_are_several() -> None:
    roots, kinds = _turns(lambda x: (np.sin(np.log(x) * 2), 1e-9), 0.3, 30.0)
    assert kinds == ["min", "max", "min"]
    assert np.log(roots) * 2 == pytest.approx([0, np.pi, 2 * np.pi], abs=1e-12)


def test_a_slope_within_its_rounding_error_has_no_sign() -> None:
    roots, kinds = _turns(lambda x: (1e-12 * np.sin(50 * x), 1e-9), 0.3, 30.0)
    assert (roots, kinds) == ([], [])


def test_a_constant_gold_curve_has_no_turn() -> None:
    found = soft_thresholds(Normal(0, 1), lambda r: 0 * r + 3, n=4, bounds=(0.1, 10))
    assert found.theta.size == 0


def test_a_threshold_in_draws_is_the_turn_of_the_values() -> None:
    def gold(r: np.ndarray) -> np.ndarray:
        return r - r**2 / 4

    found = soft_thresholds(Logistic(0, 1), gold, lam=1, bounds=(1, 100))
    (theta,) = found.theta
    around = [SoftBestOfNFloats(theta * f, 1, Logistic(0, 1)).gold(gold) for f in (0.99, 1, 1.01)]
    assert found.kind == ("max",)
    assert max(around) == around[1] == pytest.approx(found.value[0])


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("scale", ["reward", "quantile"])
def test_cdf_and_survival_are_two_parts_of_one(name: str, scale: str) -> None:
    soft = SoftBestOfNFloats(16, 3, LAWS[name], scale)  # type: ignore[arg-type]
    r = soft.location + soft.width * np.array([0.25, 0.5, 0.875])
    assert soft.cdf(r) + soft.survival(r) == pytest.approx(1, abs=1e-13)
    d = 2.0**-12
    middle = (soft.cdf(r + d) - soft.cdf(r - d)) / (2 * d)
    assert soft.density(r) == pytest.approx(middle, rel=1e-5)


def test_only_the_shape_of_a_law_matters() -> None:
    # Affine images: w at the image of a reward, λ divided by the scale.
    x = np.array([-2.0, 0.5, 3.0])
    one = SoftBestOfNFloats(16, "1/2", Normal(7, 4)).ratio(7 + 4 * x)
    assert one == pytest.approx(SoftBestOfNFloats(16, 2, Normal(0, 1)).ratio(x), rel=1e-13)


def test_one_draw_is_the_reference() -> None:
    for law in LAWS.values():
        soft = SoftBestOfNFloats(1, 5, law)
        assert soft.kl() == soft.chi2() == soft.total_variation() == 0
        assert np.all(
            soft.ratio(float(law.centre) + np.linspace(-0.4, 0.4, 7) * float(law.width)) == 1
        )
    assert SoftBestOfNSamples(1, 5, SAMPLE).kl() == 0


def test_many_draws_or_a_large_lam_are_best_of_n_and_no_warning() -> None:
    for law in LAWS.values():
        width = SoftBestOfNFloats(2, 1, law).width
        # Best-of-n has KL ln n − (n − 1)/n; the difference is of order (n/λ)².
        assert abs(SoftBestOfNFloats(8, 999 / width, law).kl() - (np.log(8) - 7 / 8)) < 1e-3
        assert SoftBestOfNFloats(10**6, 999 / width, law).kl() < np.log(1e6) - (1 - 1e-6)
    top = SoftBestOfNSamples(10**6, 1000, SAMPLE)
    assert top.masses[-1] == pytest.approx(1, abs=1e-15)


def test_a_table_and_single_points_agree() -> None:
    for law in LAWS.values():
        for n, lam in ((2, 0.0078125), (16, 5), (1000, 40)):
            soft = SoftBestOfNFloats(n, lam, law)
            low, high = soft.shape.core
            x = np.linspace(max(low, -3), min(high, 6), 20_011)
            r = soft.location + soft.width * x
            alone = np.concatenate([np.atleast_1d(soft.ratio(v)) for v in r[::2001]])
            assert soft.ratio(r)[::2001] == pytest.approx(alone, rel=2e-12)


@pytest.mark.parametrize("top", ["1/2", "0.99", "0.999999"])
def test_real_n_keeps_its_digits_where_the_transform_has_zeros_near(top: str) -> None:
    # φ = 1 − p + p e^{−t(e^λ − 1)} (times e^{−t}) is 0 at t ~ (ln(p/(1 − p)) ± iπ)/(e^λ − 1).
    p, n, lam = Fraction(top), 2.5, 3
    soft = SoftBestOfNSamples(n, lam, Finite({0: 1 - p, 1: p}))
    with mpmath.workdps(20):
        mass, rate = mpmath.mpf(p.numerator) / p.denominator, mpmath.exp(lam)

        def integrand(s: mpmath.mpf) -> mpmath.mpf:
            t = mpmath.exp(s)
            phi = (1 - mass) * mpmath.exp(-t) + mass * mpmath.exp(-t * rate)
            return n * t * mpmath.exp(-t) * phi ** (n - 1)

        truth = float(mpmath.quad(integrand, [*range(-48, 5, 2)]))
    assert abs(float(soft.ratio(0)) / truth - 1) < 2e-12


def test_arrays_of_any_shape_are_vectorised() -> None:
    floats = SoftBestOfNFloats(16, 5)
    u = np.linspace(0, 1, 12).reshape(3, 4)
    assert floats.ratio(u).shape == (3, 4)
    assert np.all(np.diff(floats.ratio(np.linspace(0, 1, 1001))) > 0)
    assert float(floats.cdf(1.0)) == pytest.approx(1, abs=1e-14)
    found = soft_evaluate("ratio", [[2], [16]], 3, Normal(0, 1), at=[-1, 0, 2])
    assert found.shape == (2, 3)
    assert found[1, 2] == float(SoftBestOfNFloats(16, 3, Normal(0, 1)).ratio(2))
    assert soft_evaluate("gold", [2, 3], 1, SAMPLE, gold=GOLD).shape == (2,)


def test_arguments_out_of_domain_are_refused() -> None:
    for n, lam in ((0.5, 1), (2, -1e-9), (2, -1), (2, 1e5), (1e10, 1)):
        with pytest.raises(InputError, match="must be"):
            SoftBestOfNFloats(n, lam)
    with pytest.raises(InputError, match="NaN"):
        SoftBestOfNFloats(2, 1).ratio([0.5, np.nan])
    assert np.isnan(SoftBestOfNFloats(2, 1).ratio([0.5, 1.5])[1])
    assert SoftBestOfNFloats(2, 1).density([0.5, 1.5])[1] == 0
    with pytest.raises(InputError, match="at least"):
        SoftBestOfNFloats(2, 1, Normal(0, 1)).ratio(-40)
    with pytest.raises(NotOnThisLaw):
        SoftBestOfNFloats(2, 1, parse_law("bernoulli(1/2)"))
    for rewards in ([], [[1.0]], [1.0, np.inf]):
        with pytest.raises(InputError, match="one-dimensional"):
            SoftBestOfNSamples(2, 1, rewards)
    with pytest.raises(InputError, match="shape"):
        SoftBestOfNSamples(2, 1, SAMPLE).gold([1.0, 2.0])
    with pytest.raises(InputError, match="either n"):
        soft_thresholds(Uniform(), np.sin)
    with pytest.raises(InputError, match="needs at"):
        soft_evaluate("ratio", 2, 1)
    with pytest.raises(InputError, match="unknown quantity"):
        soft_evaluate("ratios", 2, 1)


@pytest.mark.parametrize("law", [Uniform(), Normal(1, 2)], ids=str)
def test_lam_zero_is_the_reference(law):
    soft = SoftBestOfNFloats(5, 0, law)
    assert soft.ratio([0.1, 0.7]).tolist() == [1, 1]
    assert soft.kl() == soft.chi2() == 0
    assert soft.mean_reward() == pytest.approx(float(law.values["mean"]) if law.values else 0.5)
    # d/dλ at 0 is (1 − 1/n) Var(R).
    variance = 4 if law.values else 1 / 12
    assert soft.slope(lambda x: x) == pytest.approx(0.8 * variance, rel=1e-12)
