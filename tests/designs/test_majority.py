"""Majority labels against enumeration of all samples, SciPy's incomplete beta, and simulation."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import product
from math import prod

import pytest
from scipy.special import betainc

from hedgetheory.designs.majority.functions import (
    best_of_n_success,
    majority_accuracy,
    orbit,
    plurality_accuracy,
)
from hedgetheory.errors import InputError


def by_enumeration(masses, group):
    """The chance that answer 0 wins, over all |answers|^G samples, ties split."""
    total = F(0)
    for sample in product(range(len(masses)), repeat=group):
        counts = [sample.count(answer) for answer in range(len(masses))]
        tied = counts.count(max(counts))
        if counts[0] == max(counts):
            total += prod((masses[answer] for answer in sample), start=F(1)) / tied
    return total


@pytest.mark.parametrize("group", range(1, 9))
def test_accuracy_is_that_of_all_samples(group):
    assert majority_accuracy("3/10", group) == by_enumeration([F(3, 10), F(7, 10)], group)


@pytest.mark.parametrize("group", range(1, 7))
def test_plurality_is_that_of_all_samples(group):
    masses = [F(2, 5), F(1, 3), F(4, 15)]
    assert plurality_accuracy(masses, group) == by_enumeration(masses, group)


@pytest.mark.parametrize("half", [1, 3, 40, 500])
def test_accuracy_is_the_incomplete_beta_function(half):
    for chance in (0.01, 0.4, 0.5, 0.7):
        assert float(majority_accuracy(chance, 2 * half)) == pytest.approx(
            float(betainc(half, half, chance)), rel=1e-11, abs=1e-300
        )


def test_a_label_with_its_ties_lost_is_not_the_accuracy():
    both_right = F(3, 10) ** 2
    assert both_right != majority_accuracy("3/10", 2) == F(3, 10)


def test_best_of_n_is_that_of_all_samples():
    right, label = F(3, 5), F(7, 10)
    for n in (1, 2, 5):
        value = F(0)
        for sample in product((True, False), repeat=n):
            chance = prod((right if good else 1 - right for good in sample), start=F(1))
            value += chance * (label * any(sample) + (1 - label) * all(sample))
        assert best_of_n_success(n, right, label) == value


@pytest.mark.parametrize("lam", [0.1, 1.0, 3.0])
def test_orbits_stay_on_their_side_of_sum_one(lam):
    for p, q, end in ((0.7, 0.31, 1), (0.05, 0.96, 1), (0.7, 0.29, 0), (0.5, 0.499, 0)):
        states = orbit(p, q, lam)
        last = [next(states) for _ in range(2000)][-1]
        assert all(abs(value - end) < 1e-3 for value in last)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: majority_accuracy(2), "p=2, but must be a probability from 0 to 1"),
        (lambda: majority_accuracy("1/2", 0), "group=0, but must be a whole number from 1 to 1000"),
        (lambda: plurality_accuracy(["1/2", "1/3"], 3), "sum exactly 1"),
        (lambda: plurality_accuracy(["1/2", "1/2"], 61), "group=61"),
        (lambda: best_of_n_success("3/2", "1/2", "1/2"), "n=3/2, but must be a whole number"),
    ],
)
def test_bad_arguments_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
