"""T-REG's token rewards and weights against SciPy and exact sums."""

from __future__ import annotations

import math
from fractions import Fraction as F

import numpy as np
import pytest
from scipy import integrate, special, stats

import hedgetheory as ht
from hedgetheory.designs.treg.law import token_reward, token_weights, treg
from hedgetheory.errors import InputError


@pytest.mark.parametrize(("b", "w"), [("3/4", "1/4"), ("1/1000000000", "1/2"), ("1/3", "1/3")])
def test_the_reward_is_the_sigmoid_of_the_log_ratio(b, w):
    ours = float(token_reward(b, w))
    log_ratio = math.log(F(b)) - math.log(F(w))
    assert ours == pytest.approx(special.expit(log_ratio) - 0.5, rel=1e-13, abs=1e-16)


def test_a_token_that_one_policy_never_writes_gets_a_half():
    assert token_reward("1/7", 0) == F(1, 2)
    assert token_reward(0, "1/7") == -F(1, 2)


def test_the_law_is_that_of_the_reward():
    def mass(t):
        def inside(x):
            return math.exp(t * (special.expit(x) - 0.5)) * stats.norm.pdf(x, 0, 2)

        return integrate.quad(inside, -40, 40, epsabs=1e-13, limit=200)[0]

    step = 1e-4
    mean = (math.log(mass(3 + step)) - math.log(mass(3 - step))) / (2 * step)
    found = ht.value(ht.parse_law("treg(normal(0, 2))"), ht.tilt(3), "mean_reward")
    assert float(found) == pytest.approx(mean, rel=1e-7)


def test_its_support_is_half_on_both_sides():
    assert treg(ht.student_t(2)).support == (F(-1, 2), F(1, 2))


def test_weights_are_one_plus_or_minus_alpha_r():
    rewards = [F(-1, 2), F(0), F(1, 5)]
    assert token_weights(rewards, "1/2") == tuple(1 + x / 2 for x in rewards)
    assert token_weights(rewards, "1/2", chosen=False) == tuple(1 - x / 2 for x in rewards)


def test_the_mean_under_the_average_is_zero_for_random_policies():
    rng = np.random.default_rng(3)
    for _ in range(20):
        b, w = (rng.integers(0, 9, 6) + (np.arange(6) == 0) for _ in range(2))
        pairs = [
            (F(int(x), int(b.sum())), F(int(y), int(w.sum()))) for x, y in zip(b, w, strict=True)
        ]
        total = sum((x + y) * token_reward(x, y) for x, y in pairs if x + y)
        assert total == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: token_reward(0, 0), "better=0 and worse=0"),
        (lambda: token_reward(2, 0), "better=2, but must be a probability"),
        (lambda: token_weights([1], 1), "reward=1, but must be a real number from -1/2 to 1/2"),
        (lambda: token_weights([0], -1), "alpha=-1, but must be a real number >= 0"),
        (lambda: token_weights([], 1), "0 rewards"),
        (lambda: treg(ht.bernoulli("1/2")), "must be a law without atoms"),
    ],
)
def test_bad_arguments_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
