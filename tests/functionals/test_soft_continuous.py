"""Soft Best-of-n on laws without atoms, against the race typed here and quadrature in mpmath."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import special

from hedgetheory.errors import NotCertified
from hedgetheory.functionals.estimates import float64, highprec
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.quantities import plans, value
from hedgetheory.functionals.soft.lines import LineScene
from hedgetheory.functionals.soft.scenes import UnitScene, Weighing
from hedgetheory.functionals.soft.two_draws import TWO_DRAWS
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.spec.grammar import parse_gold

UNIFORM = Uniform()
LINES = (Normal(1, 2), Exponential(2), Logistic(0, 1))
_MEAN = Weighing(lambda w: w, lambda top: top)


def typed_ratio(n: Any, lam: Any, u: Any) -> Any:
    """w on the uniform law by tanh-sinh/Gauss of the definition."""
    n, lam, u = (mpmath.mpf(x) for x in (n, lam, u))

    def phi(t: Any) -> Any:
        return (mpmath.e1(t) - mpmath.e1(t * mpmath.exp(lam))) / lam

    def integrand(s: Any) -> Any:
        t = mpmath.exp(s)
        rate = t * mpmath.exp(lam * u)
        return n * rate * mpmath.exp(-rate) * phi(t) ** (n - 1)

    return mpmath.quad(integrand, mpmath.linspace(-lam - 60, 5, 40))


@pytest.mark.parametrize(("n", "lam"), [(2, 3), (16, 10), (5, 0.5), (2.5, 3), (1.25, 8)])
def test_the_ratio_is_the_race_on_the_uniform_law(n: float, lam: float) -> None:
    mpmath.mp.dps = 25
    for u in (0.125, 0.75):
        ours = value(UNIFORM, SoftBestOfN(n, lam), "ratio", at=u)
        assert abs(float(ours) / typed_ratio(n, lam, u) - 1) < 1e-14


@pytest.mark.parametrize("n", [2, 5, "5/2", 1000])
@pytest.mark.parametrize("lam", ["1/1000", 3, 40])
def test_the_ratio_has_mean_one_on_the_uniform_law(n: Any, lam: Any) -> None:
    with balls.precision(90):
        total = UnitScene(SoftBestOfN(n, lam)).expectation(_MEAN)
        assert 1 in total
        assert total.rad() < 1e-18


@pytest.mark.parametrize("law", LINES, ids=str)
@pytest.mark.parametrize(("n", "lam"), [(4, Fraction(1)), (3, Fraction(1, 1000))])
def test_the_ratio_has_mean_one_on_the_line(law: ContinuousLaw, n: int, lam: Fraction) -> None:
    with balls.precision(70):
        total = LineScene(SoftBestOfN(n, lam), law).expectation(_MEAN)
        assert 1 in total
        assert total.rad() < 1e-12


def test_the_closed_form_of_two_draws_is_proved_and_is_the_race() -> None:
    assert TWO_DRAWS.prove().holds
    for lam in ("1/100", 3, 40):
        for at in ("0", "0.3", "1"):
            closed, race = plans(UNIFORM, SoftBestOfN(2, lam), "ratio", at=at)
            with balls.precision(100):
                both = enclosure(closed), enclosure(race)
                assert both[0].overlaps(both[1])
                assert (both[0] - both[1]).abs_upper() < 1e-24


def test_the_mean_by_parts_is_the_mean_by_the_definition() -> None:
    for n, lam in ((16, 5), ("5/2", 3), (3, "1/1000")):
        by_parts, definition = plans(UNIFORM, SoftBestOfN(n, lam), "mean_quantile")
        with balls.precision(100):
            assert enclosure(by_parts).overlaps(enclosure(definition))
            assert (enclosure(by_parts) - enclosure(definition)).abs_upper() < 1e-18


def typed_ratios(n: float, lam: float, u: Any) -> Any:
    """The same race in numpy, at fixed nodes, for an array of quantiles."""
    s = np.arange(-lam - 45, 5, 1 / 8)
    t = np.exp(s)
    phi = (special.exp1(t) - special.exp1(t * np.exp(lam))) / lam
    rate = t * np.exp(lam * np.asarray(u))[:, None]
    return (rate * np.exp(-rate)) @ phi ** (n - 1) * n / 8


def test_divergences_are_integrals_of_the_typed_ratio() -> None:
    x, weight = np.polynomial.legendre.leggauss(40)
    w, weight = typed_ratios(4, 3, (x + 1) / 2), weight / 2
    policy = SoftBestOfN(4, 3)
    half = -2 * np.log(weight @ np.sqrt(w))
    typed = {"kl": weight @ (w * np.log(w)), "chi2": weight @ (w * w) - 1, "renyi": half}
    for quantity, truth in typed.items():
        order = {"order": "1/2"} if quantity == "renyi" else {}
        assert float(value(UNIFORM, policy, quantity, **order)) == pytest.approx(truth, rel=1e-11)


def test_total_variation_is_the_largest_gap_of_the_cdfs() -> None:
    policy = SoftBestOfN(6, 5)
    best = max(
        u - float(value(UNIFORM, policy, "cdf", at=u)) for u in (k / 200 for k in range(1, 200))
    )
    assert 0 <= float(value(UNIFORM, policy, "total_variation")) - best < 1e-4


def test_the_cdf_is_increasing_with_the_density_as_its_slope() -> None:
    step = Fraction(1, 10**6)
    for law, at in ((UNIFORM, Fraction(3, 10)), (Exponential(), Fraction(1))):
        policy = SoftBestOfN(3, 2)
        ends = [value(law, policy, "cdf", at=at + sign * step, digits=16) for sign in (-1, 1)]
        slope = float((sum(ends[1].bounds) - sum(ends[0].bounds)) / 2 / (2 * step))
        assert slope == pytest.approx(float(value(law, policy, "density", at=at)), rel=1e-8)


def test_the_quantile_inverts_the_cdf() -> None:
    policy = SoftBestOfN(16, 5)
    at = value(UNIFORM, policy, "quantile", at="1/3", digits=20).bounds[0]
    assert float(value(UNIFORM, policy, "cdf", at=at)) == pytest.approx(1 / 3, rel=1e-14)


@pytest.mark.parametrize("law", LINES, ids=str)
def test_two_draws_on_a_line_are_a_mean_of_sigmoids(law: ContinuousLaw) -> None:
    # w(r) = 2 E[1/(1 + e^{λ(R − r)})], by quadrature against the quantile function.
    mpmath.mp.dps = 20
    lam, at = mpmath.mpf("0.75"), mpmath.mpf("0.5")
    pdf: dict[str, Callable[[Any], Any]] = {
        "normal": lambda x: mpmath.npdf(x, 1, 2),
        "exponential": lambda x: 2 * mpmath.exp(-2 * x),
        "logistic": lambda x: 1 / (2 + mpmath.exp(x) + mpmath.exp(-x)),
    }
    low = 0 if law.name == "exponential" else -60
    truth = 2 * mpmath.quad(
        lambda x: pdf[law.name](x) / (1 + mpmath.exp(lam * (x - at))), mpmath.linspace(low, 60, 60)
    )
    ours = value(law, SoftBestOfN(2, "0.75"), "ratio", at="0.5")
    assert abs(float(ours) / truth - 1) < 1e-13


def test_the_line_and_the_quantile_scale_meet_where_they_must() -> None:
    # The softmax over quantiles does not see the law: only means of r do.
    policy = SoftBestOfN(3, 2, scale="quantile")
    on_line, on_unit = value(Normal(), policy, "kl"), value(UNIFORM, SoftBestOfN(3, 2), "kl")
    assert on_line == on_unit
    r = np.linspace(-9, 9, 1001)
    density = np.exp(-r * r / 2) / np.sqrt(2 * np.pi)
    mean = (r * density * typed_ratios(3, 2, special.ndtr(r))).sum() * (r[1] - r[0])
    ours = value(Normal(), policy, "mean_reward", digits=8)
    assert float(ours) == pytest.approx(mean, rel=1e-8)


def test_scores_are_differences_of_certified_logarithms() -> None:
    step = Fraction(1, 10**6)
    for law, n, lam in ((UNIFORM, Fraction(5, 2), 1), (Normal(), 3, 1)):
        for name in ("n", "lam"):
            moved = []
            for sign in (-1, 1):
                shift = {"n": (n + sign * step, lam), "lam": (n, lam + sign * step)}[name]
                low = value(law, SoftBestOfN(*shift), "ratio", at="0.75", digits=18).bounds[0]
                moved.append(mpmath.log(mpmath.mpf(low.numerator) / low.denominator))
            slope = float((moved[1] - moved[0]) / (2 * mpmath.mpf(10) ** -6))
            score = value(law, SoftBestOfN(n, lam), "score", at="0.75", wrt=name, digits=10)
            assert float(score) == pytest.approx(slope, rel=1e-7)


def test_at_no_strength_the_score_is_the_covariance_with_the_place() -> None:
    assert str(value(UNIFORM, SoftBestOfN(4, 0), "score", at="3/4", wrt="n")) == "0 exactly"
    near = float(value(UNIFORM, SoftBestOfN(4, "1e-6"), "score", at="3/4", wrt="lam", digits=6))
    assert near == pytest.approx(0.75 * 0.25, rel=1e-5)
    exact = value(UNIFORM, SoftBestOfN(4, 0), "score", at="3/4", wrt="lam")
    assert float(exact) == pytest.approx(0.75 * 0.25, rel=1e-14)


def test_small_strength_loses_no_digits() -> None:
    # KL = λ²(1 − 1/n)² Var(U)/2 + O(λ³).
    kl = float(value(UNIFORM, SoftBestOfN(4, "1e-9"), "kl"))
    assert kl == pytest.approx(1e-18 * 0.75**2 / 24, rel=1e-8)


def test_large_strength_tends_to_best_of_n() -> None:
    hard = float(value(UNIFORM, BestOfN(5), "mean_quantile"))
    gaps = [
        hard - float(value(UNIFORM, SoftBestOfN(5, lam), "mean_quantile")) for lam in (200, 400)
    ]
    assert 0 < gaps[1] < gaps[0] < 1e-3


def test_many_draws_tend_to_the_tilt_with_the_known_constant() -> None:
    # w_n/w = 1 + [M(2λ)/M(λ)² − e^{λu}/M(λ)]/n + o(1/n), here at λ = 2, u = 0.3.
    tilt = float(value(UNIFORM, QuantileTilt(2), "ratio", at="0.3"))
    m1, m2 = (mpmath.expm1(x) / x for x in (2, 4))
    constant = float(m2 / m1**2 - mpmath.exp(0.6) / m1)
    found = [
        n * (float(value(UNIFORM, SoftBestOfN(n, 2), "ratio", at="0.3")) / tilt - 1)
        for n in (10**4, 2 * 10**4)
    ]
    assert 2 * found[1] - found[0] == pytest.approx(constant, rel=1e-6)


def test_popular_wrong_formulas_are_outside_the_certified_balls() -> None:
    # u^{n−1}e^{λu}, normalised: at λ → 0 it is Best-of-n, not the reference.
    mpmath.mp.dps = 20
    n, lam, u = 16, 5, mpmath.mpf(3) / 4
    wrong = u ** (n - 1) * mpmath.exp(lam * u) / mpmath.quad(
        lambda v: v ** (n - 1) * mpmath.exp(lam * v), [0, 1]
    )  # fmt: skip
    low, high = value(UNIFORM, SoftBestOfN(n, lam), "ratio", at="3/4").bounds
    assert not low <= Fraction(float(wrong)) <= high
    # γ(n, λ)/λⁿ is ∫ u^{n−1} e^{−λu}: the sign of the exponent matters.
    gamma = u ** (n - 1) * mpmath.exp(lam * u) / (mpmath.gammainc(n, 0, lam) / mpmath.mpf(lam) ** n)
    assert not low <= Fraction(float(gamma)) <= high
    # The race without its factor n.
    assert not low <= Fraction(float(typed_ratio(n, lam, 0.75) / n)) <= high


def test_three_evaluators_agree() -> None:
    gold = parse_gold("u**12*(1-u)")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("ratio", {"at": "1/2"}),
        ("gold", {"gold": gold}),
    ]
    for quantity, arguments in asked:
        exact = float(value(UNIFORM, SoftBestOfN(3, 2), quantity, **arguments))
        plan = next(iter(plans(UNIFORM, SoftBestOfN(3, 2), quantity, **arguments)))
        assert float(highprec(plan, 6)) == pytest.approx(exact, rel=1e-6)
    plan = next(iter(plans(UNIFORM, SoftBestOfN(3, 2), "ratio", at="1/2")))
    assert float64(plan) == pytest.approx(
        float(value(UNIFORM, SoftBestOfN(3, 2), "ratio", at="1/2"))
    )


def test_what_is_not_certified_says_why() -> None:
    with pytest.raises(NotCertified, match="analytic"):
        value(UNIFORM, SoftBestOfN(3, 2), "gold", gold=parse_gold("where(u < 1/3, u, 1/3)"))
    with pytest.raises(NotCertified, match="fewer digits"):
        value(UNIFORM, SoftBestOfN(3, 2), "kl", digits=2000)
    with pytest.raises(NotCertified, match="exactly 0"):
        value(UNIFORM, SoftBestOfN(2, 3), "score", at="1/2", wrt="lam")


@pytest.mark.parametrize(("n", "scale"), [("5/2", 1), ("3/2", Fraction(1, 50))])
def test_a_real_n_on_a_narrow_logistic_law_is_the_typed_race(n: str, scale: Any) -> None:
    # λ·scale < 1: zeros of φ are excluded by the spread of e^Z alone.
    x, weight = np.polynomial.legendre.leggauss(60)
    ends = np.concatenate([[0.0], 2.0 ** -np.arange(52, 0, -1)])
    levels = [a + (b - a) * (x + 1) / 2 for a, b in pairwise(ends)]
    masses = np.concatenate([(b - a) / 2 * weight for a, b in pairwise(ends)])
    rewards = float(scale) * np.concatenate([np.log(v) - np.log1p(-v) for v in levels])
    rewards, masses = np.concatenate([rewards, -rewards]), np.concatenate([masses, masses])
    t = np.exp(np.arange(-60, 30, 1 / 16))
    phi = np.exp(-t[:, None] * np.exp(rewards / 2)) @ masses
    rate = t * np.exp(0.25)
    draws = float(Fraction(n))
    truth = (rate * np.exp(-rate)) @ phi ** (draws - 1) * draws / 16
    ours = value(Logistic(0, scale), SoftBestOfN(n, "1/2"), "ratio", at="1/2", digits=8)
    assert float(ours) == pytest.approx(truth, rel=1e-9)


@pytest.mark.parametrize("law", LINES, ids=str)
def test_the_quantile_inverts_the_cdf_on_a_line(law: ContinuousLaw) -> None:
    policy = SoftBestOfN(3, "3/4")
    at = value(law, policy, "quantile", at="1/3", digits=12).bounds[0]
    assert float(value(law, policy, "cdf", at=at, digits=12)) == pytest.approx(1 / 3, rel=1e-11)
