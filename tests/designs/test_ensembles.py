"""Ensembles against the statistics module, SciPy, and simulation with stated error."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction as F

import numpy as np
import pytest
from scipy import integrate, special, stats

import hedgetheory as ht
from hedgetheory.designs.ensembles.aggregators import AGGREGATORS, aggregate
from hedgetheory.designs.ensembles.herding import Herding
from hedgetheory.designs.ensembles.law import MinOf, min_of
from hedgetheory.errors import InputError, NotCertified

REWARDS = [F(1, 2), F(-3), F(7, 3), F(0), F(7, 3)]


@pytest.mark.parametrize(
    ("how", "by_hand"),
    [
        ("mean", statistics.mean(REWARDS)),
        ("median", statistics.median(REWARDS)),
        ("min", min(REWARDS)),
        ("mean_minus_var_ddof0", statistics.mean(REWARDS) - statistics.pvariance(REWARDS) / 3),
        ("mean_minus_var_ddof1", statistics.mean(REWARDS) - statistics.variance(REWARDS) / 3),
    ],
)
def test_an_aggregate_is_that_of_the_statistics_module(how, by_hand):
    assert aggregate(REWARDS, how, "1/3") == by_hand


@pytest.mark.parametrize("ddof", [0, 1])
def test_std_is_numpys(ddof):
    ours = float(aggregate(REWARDS, f"mean_minus_std_ddof{ddof}", 2))
    x = np.array([float(r) for r in REWARDS])
    assert ours == pytest.approx(x.mean() - 2 * x.std(ddof=ddof), rel=1e-14)
    assert ours != pytest.approx(x.mean() - 2 * x.std(ddof=1 - ddof), rel=1e-3)


def test_an_even_median_is_the_middle_of_two():
    assert aggregate([1, 9, 2, 4], "median") == 3


@pytest.mark.parametrize(
    ("law", "theirs", "k"),
    [
        (ht.normal(1, 2), stats.norm(1, 2), 4),
        (ht.logistic(), stats.logistic(), 3),
        (ht.gumbel(), stats.gumbel_r(), 2),
    ],
    ids=["normal", "logistic", "gumbel"],
)
def test_the_least_has_the_mean_of_its_survival_power(law, theirs, k):
    shortest = min_of(law, k)
    low, high = theirs.ppf(1e-15), theirs.ppf(1 - 1e-15)

    def inside(r):
        return r * 3 * (1 - theirs.sf(r) ** k) ** 2 * k * theirs.sf(r) ** (k - 1) * theirs.pdf(r)

    mean = integrate.quad(inside, low, high, epsabs=1e-11, limit=300)[0]
    assert float(ht.value(shortest, ht.best_of_n(3), "mean_reward")) == pytest.approx(
        mean, rel=1e-8
    )
    at = float(theirs.ppf(0.3))
    found = ht.value(shortest, ht.best_of_n(1), "cdf", at=at)
    assert float(found) == pytest.approx(1 - theirs.sf(at) ** k, rel=1e-12)


def test_the_least_of_a_named_law_is_named_where_it_is_one():
    assert str(min_of(ht.uniform(), 4)) == "beta(a=1, b=4)"
    assert str(min_of(ht.exponential(2), 3)) == "exponential(rate=6)"
    assert str(min_of(ht.pareto(2), 3)) == "pareto(alpha=6)"
    assert isinstance(min_of(ht.normal(), 1), MinOf)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 2), (40, 3)])
def test_best_of_n_on_the_least_of_uniforms_is_the_gamma_formula(n, k):
    log_lost = special.gammaln(n + 1) + special.gammaln(1 + 1 / k) - special.gammaln(n + 1 + 1 / k)
    found = float(ht.value(min_of(ht.uniform(), k), ht.best_of_n(n), "mean_reward"))
    assert found == pytest.approx(1 - math.exp(log_lost), rel=1e-11)


def test_herding_is_that_of_a_simulation():
    # Each mean of 20,000 differs from its expectation by more than 6 standard errors with
    # probability below 1e-8.
    rng = np.random.default_rng(11)
    for seeds in ("pretrain", "finetune"):
        implied = Herding("1/2", 1, "3/4", k=3, seeds=seeds).implied(ht.normal(0, 2))
        expected = float(ht.value(implied.law, ht.best_of_n(4), "gold", gold=implied))
        size = (20_000, 4)
        true = rng.normal(0, 2, size)
        members = 3 if seeds == "pretrain" else 1
        pre = rng.normal(0, 1, (members, *size)).mean(axis=0)
        fine = rng.normal(0, 0.75, (3, *size)).mean(axis=0)
        proxy = true + rng.normal(0, 0.5, size) + pre + fine
        picked = np.take_along_axis(true, proxy.argmax(axis=1)[:, None], axis=1)[:, 0]
        assert abs(picked.mean() - expected) < 6 * picked.std() / math.sqrt(len(picked))


def test_herding_reads_back_and_orders_the_seeds():
    text = "herding(shared=0.5, pretrain=0.5, finetune=0.5, k=5, seeds=finetune)"
    assert str(ht.parse_joint(text)) == text
    half = ("1/2", "1/2", "1/2")
    ways = ((5, "pretrain"), (5, "finetune"), (1, "finetune"))
    errors = [Herding(*half, k, seeds).error for k, seeds in ways]
    assert errors == sorted(errors)
    assert len(set(errors)) == 3


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: aggregate([1], "best"), InputError, "unknown aggregator best"),
        (lambda: aggregate([1], "mean_minus_std_ddof1"), InputError, "must be 2 to 1000"),
        (lambda: aggregate([1, 2], "mean", -1), InputError, "c=-1"),
        (lambda: min_of(ht.normal(), "1/2"), InputError, "k=1/2, but must be a whole number"),
        (lambda: min_of(ht.student_t(3), 2), NotCertified, "not log-concave"),
        (lambda: min_of(ht.bernoulli("1/2"), 2), InputError, "must be a law without atoms"),
        (lambda: Herding(-1, 0, 0), InputError, "shared=-1"),
        (lambda: Herding(1, 0, 0, k=0), InputError, "k=0"),
        (lambda: Herding(1, 0, 0).implied(ht.uniform()), InputError, "needs a normal true reward"),
    ],
)
def test_what_is_refused_says_why(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_every_aggregator_has_a_case_here():
    assert len(AGGREGATORS) == 7
