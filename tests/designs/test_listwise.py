"""The listwise reward against a loop over ordered pairs, and its identities on random lists."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgetheory.designs.listwise.functions import listwise_reward, share_of_ties
from hedgetheory.errors import InputError

LISTS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=7)


def by_ordered_pairs(true, scores, false_tie=F(1, 2)):
    """1 − penalty/weight over ordered pairs (i, j) with i first in truth, written independently."""
    penalty = weight = F(0)
    for i, x in enumerate(true):
        for j, y in enumerate(true):
            if i == j:
                continue
            w = 1 + abs(F(x) - F(y))
            weight += w
            if x > y:
                penalty += (
                    2
                    * w
                    * (F(1) if scores[i] < scores[j] else false_tie * (scores[i] == scores[j]))
                )
    return max(F(0), 1 - penalty / weight)


@given(LISTS)
def test_the_reward_is_that_of_a_plain_loop(pairs):
    true, scores = zip(*pairs, strict=True)
    assert listwise_reward(true, scores) == by_ordered_pairs(true, scores)


@given(LISTS)
def test_a_list_and_its_reversal_share_a_constant(pairs):
    true, scores = zip(*pairs, strict=True)
    backwards = [-s for s in scores]
    both = listwise_reward(true, scores) + listwise_reward(true, backwards)
    assert both == 1 + share_of_ties(true)


def test_a_constant_gets_the_mean_of_all_orders():
    true = (1, 2, 2, 4)
    rewards = [listwise_reward(true, order) for order in permutations(range(4))]
    assert listwise_reward(true, (5, 5, 5, 5)) == sum(rewards) / 24


def test_a_false_tie_that_cost_nothing_would_reward_hedging():
    true = (1, 3, 5)
    assert (
        by_ordered_pairs(true, (2, 2, 2), false_tie=F(0)) == 1 != listwise_reward(true, (2, 2, 2))
    )


def test_perfect_and_worst_lists():
    assert listwise_reward((1, 3, 5), (2, 3, 4)) == 1
    assert listwise_reward((1, 3, 5), (4, 3, 2)) == 0
    assert listwise_reward((3, 3), (1, 2)) == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: listwise_reward([1], [1]), "1 true scores and 1 scores, but must be equally many"),
        (lambda: listwise_reward([1, 2], [1]), "2 true scores and 1 scores"),
        (lambda: listwise_reward([1, "x"], [1, 2]), "true"),
    ],
)
def test_bad_lists_are_told(call, says):
    with pytest.raises(InputError, match=says):
        call()
