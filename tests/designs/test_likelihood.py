"""Likelihood rewards against simulation-free quadrature, SciPy, and Best-of-n."""

from __future__ import annotations

import math
from fractions import Fraction as F

import mpmath
import numpy as np
import pytest
from scipy import stats

import hedgetheory as ht
from hedgetheory.designs.likelihood.functions import jepo_uniform, standardised
from hedgetheory.designs.likelihood.law import LogProb, rank_reward
from hedgetheory.errors import InputError


@pytest.mark.parametrize("a", [F(1, 3), F(1), F(7)])
def test_the_law_is_that_of_log_p(a):
    law, theirs = LogProb(a), stats.beta(float(a), 1)
    for level in ("1/1000", "1/2", "999/1000"):
        found = float(ht.value(law, ht.best_of_n(1), "quantile", at=level))
        assert found == pytest.approx(math.log(theirs.ppf(float(F(level)))), rel=1e-12)
    assert law.mean == -1 / a


@pytest.mark.parametrize("quantity", ["kl", "chi2", "mean_reward", "mean_quantile"])
def test_its_tilt_is_best_of_n(quantity):
    tilt = ht.value(LogProb("1/2"), ht.tilt("3/4"), quantity)
    best = ht.value(LogProb("1/2"), ht.best_of_n("5/2"), quantity)
    assert float(tilt) == pytest.approx(float(best), rel=1e-14)
    wrong = ht.value(LogProb("1/2"), ht.best_of_n("3/2"), quantity)  # n = λ + 1 with a forgotten
    assert float(tilt) != pytest.approx(float(wrong), rel=1e-3)


def test_the_threshold_of_its_tilt_is_that_of_best_of_n_minus_one():
    gold = ht.parse_gold("u**12*(1 - u)")
    found = ht.check(ht.parse_law("log_prob"), ht.parse_family("tilt"), gold)
    assert float(found.extrema[0].theta) == pytest.approx(math.sqrt(156) - 1, rel=1e-11)


@pytest.mark.parametrize("group", [1, 2, 4, 7])
def test_jepo_is_the_mean_log_of_a_mean(group):
    # ln x = ∫ (e^{−t} − e^{−tx})/t dt, and E e^{−tU/G} = (1 − e^{−t/G}) G/t.
    def inside(t):
        return (mpmath.exp(-t) - (-mpmath.expm1(-t / group) * group / t) ** group) / t

    expected = mpmath.quad(inside, [0, 1, 10, 100, mpmath.inf])
    assert float(jepo_uniform(group)) == pytest.approx(float(expected), abs=1e-9)


def test_jepo_keeps_its_digits_where_its_terms_cancel():
    values = [float(jepo_uniform(group).evalf(30, maxn=5000)) for group in (100, 200)]
    # −ln 2 − Var/(2·mean²) + …: 1/(12 G)/(2/4).
    for group, found in zip((100, 200), values, strict=True):
        assert found == pytest.approx(-math.log(2) - 1 / (6 * group), abs=2 / group**2)


def test_standardised_rewards_are_numpys():
    rewards = np.array([0.5, 0.25, 2.0, 0.125])
    for ddof, epsilon in ((1, 0), (0, 0), (1, 0.5)):
        theirs = (rewards - rewards.mean()) / (rewards.std(ddof=ddof) + epsilon)
        ours = [float(standardised(rewards.tolist(), i, epsilon, ddof)) for i in range(4)]
        assert ours == pytest.approx(theirs.tolist(), rel=1e-14)


def test_the_rank_reward_is_uniform_on_its_grid():
    law = rank_reward(5)
    assert dict(law.atoms) == {F(k, 5): F(1, 5) for k in range(5)}
    assert str(ht.parse_law("rank_reward(5)")) == str(law)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: LogProb(0), "a=0, but must be a real number > 0"),
        (lambda: rank_reward("1/2"), "m=1/2, but must be a whole number"),
        (lambda: jepo_uniform(0), "jepo_uniform"),
        (lambda: standardised([1, 1], 0), "all rewards are equal and epsilon=0"),
        (lambda: standardised([1], 0), "2 to 1000 rewards"),
    ],
)
def test_bad_arguments_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
