"""MUTANTS 1 to 21, each by its number: rejected, with its hint where it has one.

Those about functionals and tables are judged by `compare` (in `test_compare_mutants`, whose cases
are counted here); the others are about estimators, samplers and searches, which the assertions of
`hedgetheory.testing` judge. They have no hint: an assertion says what is wrong in words.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from conformance_support import mp, question, recognised, verdict_of
from scipy import optimize, stats
from test_compare_mutants import MUTANTS as COMPARED

from hedgetheory.reference.mistakes import MISTAKES, ROUNDED
from hedgetheory.testing import (
    Disagreement,
    assert_matches_reference,
    assert_sampler_follows,
    assert_single_peak,
    assert_unbiased,
)

#: By compare: rounding to an integer, 10, has a test of its own there.
HINTED = {1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 15, 16, 17, 18, 19}
WITHOUT_HINT = {8, 9, 14, 20, 21}


def test_every_mutant_has_a_place():
    assert set(range(1, 22)) == HINTED | WITHOUT_HINT
    numbers = {mistake.name: mistake.number for mistake in MISTAKES}
    compared = {numbers[name] for _, _, name in COMPARED} - {0}
    assert compared == HINTED - {ROUNDED.number}
    assert {mistake.number for mistake in (*MISTAKES, ROUNDED)} - {0} == HINTED


# -- 5: the slope itself ---------------------------------------------------------------------------


def test_the_marginal_covariance_is_no_slope():
    """n = 2, λ = 1 on the uniform law, g = u: both by mpmath, from the density of two draws."""

    def density(u):
        return 2 * mp.log((1 + mp.exp(u)) / (1 + mp.exp(u - 1)))

    def marginal(n, lam):
        mean = mp.quad(lambda u: u * density(u), [0, 1])
        return float(mp.quad(lambda u: u * u * density(u), [0, 1]) - mean**2)

    def within(n, lam):
        def mean_at(strength):
            def both(u, v):
                return (u * mp.exp(strength * u) + v * mp.exp(strength * v)) / (
                    mp.exp(strength * u) + mp.exp(strength * v)
                )

            nodes, weights = np.polynomial.legendre.leggauss(24)
            at = [(mp.mpf(float(x)) + 1) / 2 for x in nodes]
            return sum(
                float(w) * float(q) / 4 * both(u, v)
                for (u, w), (v, q) in product(zip(at, weights, strict=True), repeat=2)
            )

        return float((mean_at(mp.mpf("1.0001")) - mean_at(mp.mpf("0.9999"))) / mp.mpf("0.0002"))

    assert_matches_reference(within, "slope", ["sbon(2, 1)"], gold="u", rtol="1e-7")
    with pytest.raises(Disagreement, match="slope disagrees") as found:
        assert_matches_reference(marginal, "slope", ["sbon(2, 1)"], gold="u", rtol="1e-7")
    assert "MUTANTS 5" in dict(found.value.lines)["hint"]


# -- 8, 20: estimators -----------------------------------------------------------------------------


def self_normalised(proxies, golds, lam=1.0):
    """8: weights e^{λp}/Σ of all S responses."""
    w = [math.exp(lam * p) for p in proxies]
    return sum(x * g for x, g in zip(w, golds, strict=True)) / sum(w)


def soft_over_subsets(proxies, golds, n=2, lam=1.0):
    if n > len(proxies):
        return None
    rows = list(zip(proxies, golds, strict=True))
    values = [self_normalised(*zip(*chosen, strict=True), lam) for chosen in combinations(rows, n)]
    return sum(values) / len(values)


def soft_plug_in(factor, others_only):
    """20: for n = 2 the integral is Σ_ij w_i/(w_i + w_j) g_i/S² times n, over pairs."""

    def estimate(proxies, golds, n=2):
        size = len(proxies)
        w = [math.exp(p) for p in proxies]
        total = 0.0
        for i in range(size):
            others = [j for j in range(size) if j != i or not others_only]
            total += golds[i] * sum(w[i] / (w[i] + w[j]) for j in others) / max(len(others), 1)
        return total * (n / size if factor else 1)

    return estimate


@pytest.mark.parametrize(
    "mutant",
    [self_normalised, soft_plug_in(False, False), soft_plug_in(False, True)],
    ids=["8", "20: no factor", "20: the others only"],
)
def test_biased_soft_estimates_are_rejected(mutant):
    assert_unbiased(soft_over_subsets, "sbon(2, 1)")
    with pytest.raises(Disagreement, match="not the mean over subsets"):
        assert_unbiased(mutant, "sbon(2, 1)")


# -- 9: Best-of-Poisson cut at the table's width ---------------------------------------------------


def test_a_truncated_number_of_draws_is_rejected_by_value_and_by_sample():
    def mean(mu, width=None):
        n = np.arange(0, width or 400)
        p = stats.poisson.pmf(n, mu)
        return float(np.sum(p * (n + 1) / (n + 2)) / np.sum(p))

    assert_matches_reference(mean, "mean_quantile", ["bop(5)", "bop(16)"])
    asked = question("mean_quantile", "bop(16)", "uniform", 1 - 1 / mp.mpf(16)
                     + (1 - mp.exp(-16)) / 256)  # fmt: skip
    assert verdict_of(lambda case: mean(16), asked).status == "pass"
    found = verdict_of(lambda case: mean(16, 16), asked)
    assert (found.status, recognised(found)) == ("mismatch", None)
    with pytest.raises(Disagreement, match="mean_quantile disagrees"):
        assert_matches_reference(lambda mu: mean(mu, 16), "mean_quantile", ["bop(16)"])

    def cut(size, rng):
        return rng.random(size) ** (1 / np.minimum(1 + rng.poisson(16, size), 16))

    with pytest.raises(Disagreement, match="does not follow"):
        assert_sampler_follows(cut, "uniform", "bop(16)")


# -- 14: NaN among the scores ----------------------------------------------------------------------


def best_by_argmax(n, seen):
    """The mean over subsets of the gold at the best proxy, ties shared; ``seen`` picks the best."""

    def estimate(proxies, golds):
        rows = list(zip(proxies, golds, strict=True))
        if len(rows) < n:
            return None
        return sum(map(seen, combinations(rows, n))) / comb(len(rows), n)

    return estimate


def with_ties(subset):
    top = max(proxy for proxy, _ in subset)  # of [1, nan] 1, of [nan, 1] nan
    tied = [gold for proxy, gold in subset if proxy == top or proxy is top]
    return sum(tied) / len(tied)


def careful(subset):
    if any(math.isnan(proxy) for proxy, _ in subset):
        raise ValueError("a score is NaN")
    return with_ties(subset)


def test_an_argmax_that_sees_where_a_nan_stands_is_rejected():
    assert_unbiased(best_by_argmax(2, careful), "bon(2)", nan=True)
    assert_unbiased(best_by_argmax(2, with_ties), "bon(2)")
    with pytest.raises(Disagreement, match="where a NaN stands") as found:
        assert_unbiased(best_by_argmax(2, with_ties), "bon(2)", nan=True)
    said = dict(found.value.lines)
    assert "nan" in said["input"]
    assert {"got", "want", "because", "reproduce"} <= set(said)


# -- 21: a search for one peak where there is a trough ---------------------------------------------

LAW = "finite({0: 1/2, 1/10: 1/4, 1: 1/4})"
ATOMS = ((0.0, 0.5), (0.1, 0.25), (1.0, 0.25))
#: 0, 1 and 1/10 at the atoms: gold that rises and falls.
GOLD = "r*(1 - r)/(9/100) + r*(r - 1/10)/9"


def two_soft_draws(lam):
    """f(λ) for n = 2, pair by pair."""
    gold = {0.0: 0.0, 0.1: 1.0, 1.0: 0.1}
    total = 0.0
    for (x, p), (y, q) in product(ATOMS, repeat=2):
        at_x = 1 / (1 + math.exp(lam * (y - x)))
        total += p * q * (at_x * gold[x] + (1 - at_x) * gold[y])
    return total


def first_sign_change(n):
    """21: the first λ where f turns is taken for the peak."""

    def slope(lam):
        return two_soft_draws(lam + 1e-5) - two_soft_draws(lam - 1e-5)

    return optimize.brentq(slope, 0.01, 30)


def test_the_gold_of_the_trough_is_what_it_says():
    gold = [float(x * (1 - x) / Fraction(9, 100) + x * (x - Fraction(1, 10)) / 9)
            for x in (Fraction(0), Fraction(1, 10), Fraction(1))]  # fmt: skip
    assert gold == [0.0, 1.0, 0.1]
    assert two_soft_draws(0) > two_soft_draws(first_sign_change(2)) < two_soft_draws(60)


def test_a_search_for_one_peak_is_rejected_where_there_is_a_trough():
    with pytest.raises(Disagreement, match="threshold disagrees") as found:
        assert_matches_reference(first_sign_change, "threshold", ["sbon(n=2)"], laws=LAW, gold=GOLD)
    said = dict(found.value.lines)
    assert re.match(r"2\.68", said["got"])
    assert "undefined" in said["want"]
    assert_matches_reference(lambda n: math.nan, "threshold", ["sbon(n=2)"], laws=LAW, gold=GOLD)
    with pytest.raises(Disagreement, match="peak"):
        assert_single_peak(two_soft_draws, [0.1, 1, 2.7, 8, 30])
