"""Process rewards of the steps of one response, exactly: raw, clipped, and as differences."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.laws.base import exact_symbol

SHAPES = ("raw", "clip", "delta")
MAX_STEPS = 10_000

#: The statement of one step: its score, the next one's, and the threshold of Clip.
score, following, eta = sympy.symbols("PRM_k PRM_next eta", real=True)
CLIP = sympy.Min(score - eta, 0)
DELTA = score - following


def _scores(scores: Sequence[RealInput], call: str) -> list[Fraction]:
    values = [rational(x, "score") for x in scores]
    if not 1 <= len(values) <= MAX_STEPS:
        raise InputError(f"{len(values)} steps, but there must be 1 to {MAX_STEPS} [{call}]")
    return values


def clip_rewards(scores: Sequence[RealInput], eta: RealInput) -> tuple[Fraction, ...]:
    """Rewards of the steps under Clip: min(PRM_k − η, 0), exactly.

    ``scores`` of the K >= 1 steps in order, ``eta`` the threshold, in the unit of the scores. All
    rewards are <= 0: no step pays. Raises InputError for no or too many steps.

    >>> clip_rewards(["1/2", "9/10"], "3/4")
    (Fraction(-1, 4), Fraction(0, 1))

    Source: arXiv 2410.15115, §4.
    """
    bound = rational(eta, "eta")
    return tuple(min(x - bound, Fraction(0)) for x in _scores(scores, "clip_rewards"))


def delta_rewards(scores: Sequence[RealInput]) -> tuple[Fraction, ...]:
    """Rewards of the steps under Delta: PRM_k − PRM_{k+1}, then PRM_{K−1}, then 0, exactly.

    The last step has no reward of its own (the answer is judged by its outcome), and the one before
    keeps its score; *this last index is from memory*. A response of one step has reward 0.
    ``scores`` of the K >= 1 steps in order. Raises InputError for no or too many steps.

    >>> delta_rewards(["1/2", "1/4", 1, "1/3"])
    (Fraction(1, 4), Fraction(-3, 4), Fraction(1, 1), Fraction(0, 1))

    Source: arXiv 2410.15115, §4.
    """
    values = _scores(scores, "delta_rewards")
    if len(values) == 1:
        return (Fraction(0),)
    steps = [x - y for x, y in pairwise(values[:-1])]
    return (*steps, values[-2], Fraction(0))


def discounted(rewards: Sequence[RealInput], k: RealInput = 1, gamma: RealInput = 1) -> Fraction:
    """The return Σ_{j ≥ k} γ^{j−k} r_j from step ``k`` (from 1) on, exactly.

    ``rewards`` of the steps, ``gamma`` in [0, 1]. Raises InputError for a k that is no step, and γ
    outside.

    >>> discounted(delta_rewards(["1/2", "1/4", 1, "1/3"]), 2)
    Fraction(1, 4)
    """
    values, factor, place = _scores(rewards, "discounted"), rational(gamma, "gamma"), _step(k)
    call = f"discounted({len(values)} rewards, k={place}, gamma={short(factor)})"
    if place > len(values):
        raise must_be("k", place, f"a step from 1 to {len(values)}", call)
    if not 0 <= factor <= 1:
        raise must_be("gamma", short(factor), "a real number in [0, 1]", call)
    total = Fraction(0)
    for value in reversed(values[place - 1 :]):
        total = value + factor * total
    return total


def _step(k: RealInput) -> int:
    place = rational(k, "k")
    if place.denominator != 1 or place < 1:
        raise must_be("k", short(place), "a whole number >= 1", f"step(k={short(place)})")
    return int(place)


def clip_return(
    scores: Sequence[RealInput], eta: RealInput, k: RealInput = 1, gamma: RealInput = 1
) -> sympy.Expr:
    """`discounted` of `clip_rewards`.

    >>> clip_return(["1/2", "1/2", "1/2"], "3/4")
    -3/4
    """
    return exact_symbol(discounted(clip_rewards(scores, eta), k, gamma))


def delta_return(scores: Sequence[RealInput], k: RealInput = 1, gamma: RealInput = 1) -> sympy.Expr:
    """`discounted` of `delta_rewards`: PRM_k − (1 − γ) Σ_{k<j≤K−1} γ^{j−k−1} PRM_j for k <= K − 1.

    >>> delta_return(["1/2", "1/4", 1, "1/3"])
    1/2
    """
    return exact_symbol(discounted(delta_rewards(scores), k, gamma))
