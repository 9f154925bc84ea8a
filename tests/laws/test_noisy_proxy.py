"""Noise on a finite true reward: Bayes' rule by scipy, and hacking by heavy tails."""

from __future__ import annotations

import pytest
import scipy.integrate
import scipy.stats
import sympy

from hedgetheory.errors import InputError
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.quantities import value
from hedgetheory.spec.grammar import parse_joint, parse_law, parse_policy

NOISES = {
    "normal(0, 1)": scipy.stats.norm(),
    "student_t(3)": scipy.stats.t(3),
    "laplace(0, 1)": scipy.stats.laplace(),
    "affine(logistic, 1, 2)": scipy.stats.logistic(1, 2),
}
ATOMS = {-1: 0.25, 0.5: 0.25, 2: 0.5}
TRUE = "finite({-1: 1/4, 1/2: 1/4, 2: 1/2})"


def posterior_mean(frozen, x):
    weights = {t: p * frozen.pdf(x - t) for t, p in ATOMS.items()}
    return sum(t * w for t, w in weights.items()) / sum(weights.values())


@pytest.mark.parametrize("noise", NOISES)
def test_the_gold_curve_is_the_posterior_mean_over_the_atoms(noise):
    implied = parse_joint(f"noisy_proxy({noise})").implied(parse_law(TRUE))
    for x in (-3, 0.25, 1.5, 7):
        got = float(implied.expr.subs(r, sympy.Rational(x)).evalf())
        assert got == pytest.approx(posterior_mean(NOISES[noise], x), rel=1e-12)


@pytest.mark.parametrize("noise", ["normal(0, 1)", "laplace(0, 1)"])
def test_best_of_3_of_a_noisy_proxy_is_the_integral_of_scipy(noise):
    frozen = NOISES[noise]
    implied = parse_joint(f"noisy_proxy({noise})").implied(parse_law(TRUE))

    def integrand(x):
        cdf = sum(p * frozen.cdf(x - t) for t, p in ATOMS.items())
        pdf = sum(p * frozen.pdf(x - t) for t, p in ATOMS.items())
        return posterior_mean(frozen, x) * 3 * cdf**2 * pdf

    expected, _ = scipy.integrate.quad(integrand, -20, 20, limit=400, points=[-1, 0.5, 2])
    got = value(implied.law, parse_policy("bon(3)"), "gold", gold=implied, digits=8)
    assert got.guarantee == "certified"
    assert float(got) == pytest.approx(expected, rel=1e-6)


def test_heavy_noise_is_hacked_and_light_noise_is_not():
    def best_of(n, noise):
        implied = parse_joint(f"noisy_proxy({noise})").implied(parse_law("bernoulli(1/2)"))
        policy = parse_policy(f"bon({n})")
        return float(value(implied.law, policy, "gold", gold=implied, digits=4))

    heavy = [best_of(n, "student_t(3)") for n in (1, 10, 10**6)]
    # The reference has E[T] = 1/2; then f rises, and falls back to 1/2.
    assert heavy[0] == pytest.approx(0.5, abs=1e-4)
    assert heavy[1] > 0.65 > heavy[2] > 0.5
    light = [best_of(n, "normal(0, 1)") for n in (1, 10, 10**6)]
    assert light[0] < light[1] < light[2]


@pytest.mark.parametrize(
    "noise", ["uniform", "exponential(1)", "gamma(2)", "pareto(2)", "truncated(normal, -1, 1)"]
)
def test_noise_on_a_part_of_the_line_is_refused(noise):
    """Its gold curve was constant for uniform noise, where a proxy below 1 means a 0 for sure."""
    with pytest.raises(InputError, match="whole line"):
        parse_joint(f"noisy_proxy({noise})").implied(parse_law("bernoulli(1/2)"))


def test_a_constant_true_reward_is_its_own_mean():
    implied = parse_joint("noisy_proxy(normal(0, 1))").implied(parse_law("finite({3: 1})"))
    assert implied.expr == 3
    assert implied.law == parse_law("affine(normal(0, 1), 3, 1)")
