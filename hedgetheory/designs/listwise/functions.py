"""The listwise reward of a scorer's list against the true scores."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import sympy

from hedgetheory.errors import InputError
from hedgetheory.exact import RealInput, rational

MAX_SCORES = 1000

#: The true difference of a pair of scores, and its weight.
delta = sympy.Symbol("delta", real=True)
WEIGHT = 1 + sympy.Abs(delta)


def listwise_reward(true: Sequence[RealInput], scores: Sequence[RealInput]) -> Fraction:
    """R = max(0, 1 − Σ penalty / Σ w) over all pairs, w = 1 + |Δ|, Δ the true difference.

    The penalty of a pair is w where its order is reversed, w/2 where different true scores are
    tied, 0 elsewhere (also where the true scores tie). Exact: it sees only the order of ``scores``.
    2 to 1000 of each, equally many; published scores are whole, 1 to 5. Raises InputError.

    >>> listwise_reward([1, 3, 5], [2, 2, 4])
    Fraction(19, 22)
    """
    if len(true) != len(scores) or not 2 <= len(true) <= MAX_SCORES:
        raise InputError(
            f"{len(true)} true scores and {len(scores)} scores, but must be equally many, "
            f"2 to {MAX_SCORES} [listwise_reward(...)]"
        )
    pairs = list(
        zip(
            (rational(x, "true") for x in true),
            (rational(x, "scores") for x in scores),
            strict=True,
        )
    )
    total = penalty = Fraction(0)
    for (true_a, a), (true_b, b) in combinations(pairs, 2):
        weight = 1 + abs(true_a - true_b)
        total += weight
        if true_a != true_b:
            agreement = (a - b) * (true_a - true_b)
            penalty += weight * Fraction(int(agreement < 0) + int(agreement <= 0), 2)
    return max(Fraction(0), 1 - penalty / total)


def share_of_ties(true: Sequence[RealInput]) -> Fraction:
    """W_=/W, the share of the weight on pairs whose true scores tie. Exact.

    >>> share_of_ties([1, 1, 3])
    Fraction(1, 7)
    """
    values = [rational(x, "true") for x in true]
    gaps = [abs(a - b) for a, b in combinations(values, 2)]
    return Fraction(gaps.count(Fraction(0))) / sum(1 + gap for gap in gaps)
