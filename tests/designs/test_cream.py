"""Consistency against SciPy's Kendall tau, a minimiser, and enumeration."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import permutations

import numpy as np
import pytest
import sympy
from scipy.optimize import minimize_scalar
from scipy.stats import kendalltau

from hedgetheory.designs.cream.functions import (
    kendall_tau,
    loss,
    multiplier,
    null_variance,
    optimal_margin,
)
from hedgetheory.errors import InputError


def test_tau_without_ties_is_scipys():
    rng = np.random.default_rng(7)
    for size in (2, 5, 40):
        x, y = rng.permutation(size), rng.permutation(size)
        ours = kendall_tau(x.tolist(), y.tolist())
        assert float(ours) == pytest.approx(kendalltau(x, y).statistic, abs=1e-14)


def test_a_tied_pair_counts_as_neither():
    assert kendall_tau([1, 1, 2], [1, 2, 3]) == F(2, 3)


@pytest.mark.parametrize("tau", [-0.75, -0.1, 0.0, 0.5, 0.96875])
def test_the_margin_is_where_a_minimiser_stops(tau):
    def by_hand(z):
        return (1 + tau) / 2 * np.logaddexp(0, -z) + (1 - tau) / 2 * np.logaddexp(0, z)

    found = minimize_scalar(by_hand, bracket=(-1, 1), tol=1e-12).x
    margin = float(optimal_margin(tau))
    assert margin == pytest.approx(found, abs=1e-6)
    assert float(loss(margin, tau)) == pytest.approx(by_hand(margin), rel=1e-14)


def test_the_multiplier_is_the_margin_over_beta():
    assert sympy.log(multiplier("3/5", "1/10")).evalf(30) == (10 * optimal_margin("3/5")).evalf(30)
    assert multiplier(0) == 1


@pytest.mark.parametrize("size", [2, 3, 4, 5, 6])
def test_the_null_variance_is_that_of_all_rankings(size):
    values = [kendall_tau(range(size), order) for order in permutations(range(size))]
    assert sum(values) == 0
    assert sum(x * x for x in values) / len(values) == null_variance(size)
    assert null_variance(size) != F(2 * (2 * size + 5), 9 * size * (size + 1))  # a known slip


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: kendall_tau([1], [1]), "2 to 1000"),
        (lambda: kendall_tau([1, 2], [1, 2, 3]), "equally many"),
        (lambda: optimal_margin(1), "tau=1, but must be a real number, -1 < tau < 1"),
        (lambda: loss(0, "3/2"), "-1 <= tau <= 1"),
        (lambda: multiplier(0, 0), "beta=0, but must be a real number > 0"),
        (lambda: null_variance(1), "responses=1"),
    ],
)
def test_bad_arguments_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
