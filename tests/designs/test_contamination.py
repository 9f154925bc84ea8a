"""Contamination against enumeration of hacks, brute force over n, and the joint model itself."""

from __future__ import annotations

import math
from fractions import Fraction as F
from math import comb

import pytest

import hedgetheory as ht
from hedgetheory.designs.contamination.functions import (
    best_draws,
    best_of_n_value,
    least_kl,
    threshold,
)
from hedgetheory.errors import InputError


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_the_value_is_that_of_all_numbers_of_hacks(n):
    eps, h = F(1, 9), F(-2, 3)
    honest = sum(
        comb(n, k) * eps**k * (1 - eps) ** (n - k) * (h if k else F(n, n + 1)) for k in range(n + 1)
    )
    assert best_of_n_value(n, eps, h) == honest


@pytest.mark.parametrize("n", [1, 3, 20])
def test_the_value_is_that_of_the_joint_model_on_any_law(n):
    implied = ht.parse_joint("contaminated(1/9, 1/4)").implied(ht.normal())
    found = ht.value(ht.normal(), ht.best_of_n(n), "gold", gold=implied)
    low, high = found.bounds
    assert low <= best_of_n_value(n, "1/9", "1/4") <= high


def test_the_best_n_is_that_of_a_search():
    for denominator in range(2, 150):
        for share in (F(1, denominator), F(3, 3 * denominator + 1)):
            values = [best_of_n_value(n, share) for n in range(1, 20)]
            best = tuple(n for n, value in enumerate(values, 1) if value == max(values))
            assert best_draws(share) == best
    assert best_draws("1/144") == (11, 12)
    assert best_draws("1/144") != (math.floor(1 / math.sqrt(1 / 144)),)  # the tie lost


@pytest.mark.parametrize("eps", [0.01, 0.2, 0.39])
def test_the_threshold_is_where_the_slope_vanishes(eps):
    n = float(threshold(eps))

    def log_value(x):
        return x * math.log1p(-eps) + math.log(x) - math.log1p(x)

    step = 1e-5
    assert log_value(n + step) - log_value(n - step) == pytest.approx(0, abs=1e-9)
    assert float(threshold(eps)) >= 1
    assert threshold("2/5") == 1


def test_the_threshold_is_that_of_check():
    found = ht.check(
        ht.uniform(),
        ht.parse_family("bon"),
        ht.parse_joint("contaminated(1/100, 0)").implied(ht.uniform()),
    )
    assert float(found.extrema[0].theta) == pytest.approx(float(threshold("1/100")), rel=1e-11)


@pytest.mark.parametrize("text", ["bon(12)", "bop(7)", "quantile_tilt(9)"])
def test_no_policy_is_below_the_price_of_its_hack_rate(text):
    eps = F(1, 20)
    policy = ht.parse_policy(text)
    rate = 1 - ht.value(ht.uniform(), policy, "cdf", at=1 - eps).bounds[1]
    kl = float(ht.kl_divergence(policy))
    assert kl >= float(least_kl(rate, eps))
    assert float(least_kl(0, eps)) == pytest.approx(-math.log1p(-0.05), rel=1e-14)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: best_of_n_value(0, "1/2"), "n=0, but must be a whole number"),
        (lambda: best_of_n_value(1, 1), "eps=1, but must be a real number, 0 < eps < 1"),
        (lambda: threshold(0), "eps=0"),
        (lambda: least_kl(2, "1/2"), "rate=2, but must be a probability"),
    ],
)
def test_bad_arguments_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
