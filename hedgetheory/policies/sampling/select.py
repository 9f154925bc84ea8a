"""Selecting among scored responses, many prompts at a time."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import short
from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.sampling.counts import largest_of, most_draws, numbers_of_draws
from hedgetheory.policies.sampling.inputs import (
    Array,
    Places,
    Randomness,
    count_within_reach,
    generator,
    lenient,
    rows_of,
    scores,
)
from hedgetheory.policies.sampling.softmax import energies, pick, soft_pick
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt


def select(
    rewards: ArrayLike,
    policy: Policy,
    rng: Randomness,
    *,
    replace: bool = False,
    cap: bool = False,
) -> Places:
    """The response that a policy selects among S scored ones, for one prompt or for many at once.

    Without replacement (the default) the policy's draws are a uniformly random subset of the S
    responses: P(i) = mean over the n-subsets of the policy's choice in each. Where the S responses
    are independent draws from the reference, so are the n: what is selected has exactly the law of
    the policy. With ``replace=True`` the S responses stand for the reference itself, and draws
    from them are independent: P(rank i) = G(i/S) − G((i−1)/S) for a rank policy.

    * Best-of-n: the largest reward of the n. Without replacement n must be an integer <= S (n = S
      is the maximum); with replacement any real n >= 1 will do, as the rank policy it is.
    * Best-of-Poisson, quantile tilt (zero-truncated Poisson N), best of a random number: N is drawn
      for each prompt, then as Best-of-N. Without replacement an N > S cannot be served. If N can
      exceed S that is refused whatever N turns out, unless ``cap=True`` asks for min(N, S), which
      changes the law by at most P(N > S) in total variation.
    * Soft Best-of-n: one of n, an integer, by softmax(λ·reward). With its scale ``quantile``, by
      softmax(λ·u), u the share of the prompt's S rewards that are <= the response's: an estimate
      of the quantile, with an error of order 1/√S.
    * Tilt: one of all S by softmax(λ·reward), whatever ``replace``: the tilt of the S responses
      themselves. For what they were drawn from it is Soft Best-of-S, the tilt as S → ∞ only.

    Ties: a policy sees rewards only, so responses with equal rewards (−0 = 0) are equally likely,
    wherever they stand.

    Args:
        rewards: real numbers of shape (S,) for one prompt, (P, S) for P of them, or more leading
            axes; finite, S >= 1; read as binary64.
        policy: the policy.
        rng: a numpy Generator, or a seed, an integer >= 0. Nothing else is random.
        replace: whether draws are made with replacement.
        cap: without replacement, take min(N, S) draws where N is random.

    Returns the index along the last axis of the selected response, an integer array of shape
    ``rewards.shape[:-1]`` (a 0-d array for one prompt; it indexes and converts as an int). Prompts
    are independent. Exact in law up to binary64: total variation at most about S·2⁻⁵².

    Raises InputError for NaN or infinite rewards (naming the first), shapes without responses, an
    n or N that S responses cannot serve, a mean of N above 10¹², and an absent generator.

    >>> from hedgetheory.policies.best_of_n import BestOfN
    >>> rewards = [[0.1, 0.9, 0.5], [2.0, -1.0, 0.0]]
    >>> select(rewards, BestOfN(3), rng=0).tolist()
    [1, 0]
    >>> chosen = select(rewards, Tilt(1e9), rng=0)
    >>> np.take_along_axis(np.array(rewards), chosen[:, None], axis=1).ravel().tolist()
    [0.9, 2.0]

    Source: the samplers of the paper's Algorithms (arXiv 2506.19248).
    """
    call = f"select(policy={policy})"
    given = scores(rewards, call)
    if cap and replace:
        raise InputError(f"cap=True, but draws with replacement never run out [{call}]")
    table = given.reshape(-1, given.shape[-1])
    random = generator(rng, call)
    policy = policy.simplest() if isinstance(policy, Policy) else policy
    if isinstance(policy, Tilt):
        places = soft_pick(table, lenient(policy.strength), random)
    elif isinstance(policy, SoftBestOfN):
        places = _soft(table, policy, random, replace, call)
    elif isinstance(policy, RankPolicy):
        if replace:
            ranks = _ranks_with_replacement(table, policy, random)
        else:
            ranks = _ranks_in_subsets(table, policy, random, cap, call)
        places = _response_at(table, ranks, random)
    else:
        raise InputError(f"policy={policy!r}, but must be a selection policy [{call}]")
    return places.reshape(given.shape[:-1])


def _ranks_with_replacement(table: Array, policy: RankPolicy, rng: np.random.Generator) -> Places:
    """The rank (0 the lowest) of the best of N independent draws from S: one uniform a prompt."""
    prompts, size = table.shape
    count = numbers_of_draws(policy, prompts, rng)
    if count is None:
        count = np.full(prompts, float(policy.bindings[BestOfN.symbols[0]]))
    _, ubar = largest_of(count, prompts, rng)
    from_top = np.minimum(np.floor(size * ubar), size - 1)
    return np.asarray(size - 1 - from_top, np.int64)


def _ranks_in_subsets(
    table: Array, policy: RankPolicy, rng: np.random.Generator, cap: bool, call: str
) -> Places:
    """The rank (0 the lowest) of the best of a random N-subset of S: one uniform a prompt.

    Inverse transform of P(rank < j) = C(j, N)/C(S, N), built from j = S down.
    """
    prompts, size = table.shape
    _check_subsets(policy, size, cap, call)
    draws = numbers_of_draws(policy, prompts, rng)
    assert draws is not None
    count, which = np.unique(np.minimum(draws, size), return_inverse=True)
    rank = np.arange(size, 0, -1.0)
    below = np.cumprod(np.maximum(rank - count[:, None], 0.0) / rank, axis=1)
    steps = (below[which] <= rng.random((prompts, 1))).argmax(axis=1)
    return np.asarray(size - 1 - steps, np.int64)


def _check_subsets(policy: RankPolicy, size: int, cap: bool, call: str) -> None:
    if isinstance(policy, BestOfN):
        n = policy.bindings[BestOfN.symbols[0]]
        if n.denominator != 1 or n > size:
            raise _too_many(n, size, call)
    elif not cap and most_draws(policy) > size:
        raise InputError(
            f"N may exceed the {size} responses of a prompt: draw with replace=True, "
            f"or take at most {size} of them with cap=True [{call}]"
        )


def _too_many(n: Fraction, size: int, call: str) -> InputError:
    what = f"an integer <= {size}, the responses of a prompt, or drawn with replace=True"
    return must_be("n", short(n), what, call)


def _response_at(table: Array, ranks: Places, rng: np.random.Generator) -> Places:
    """A response with the reward of the given rank, uniformly among those tied with it."""
    order = np.argsort(table, axis=1)
    rows = rows_of(table)
    reward = table[rows, order[rows, ranks]][:, None]
    low, high = (table < reward).sum(axis=1), (table <= reward).sum(axis=1)
    return np.asarray(order[rows, rng.integers(low, high)], np.int64)


def _soft(
    table: Array, policy: SoftBestOfN, rng: np.random.Generator, replace: bool, call: str
) -> Places:
    prompts, size = table.shape
    n, strength = policy.draws, lenient(policy.strength)
    if n.denominator != 1:
        raise must_be("n", short(n), "an integer, to draw n responses and pick one", call)
    if n > size and not replace:
        raise _too_many(n, size, call)
    seen = _quantiles(table) if policy.scale == "quantile" else table
    if replace and n > size:
        # How often each response is drawn decides, and is never more than S numbers.
        count_within_reach("n", lenient(n), call)
        times = rng.multinomial(int(n), np.full(size, 1 / size), size=prompts).astype(float)
        top = np.where(times > 0, seen, -np.inf).max(axis=1, keepdims=True)
        return pick(times * np.exp(energies(seen, strength, top)), rng)
    if replace:
        drawn = rng.integers(size, size=(prompts, int(n)))
    elif n == size:
        return soft_pick(seen, strength, rng)
    else:
        drawn = np.argpartition(rng.random(table.shape), int(n) - 1, axis=1)[:, : int(n)]
    rows = rows_of(table)
    chosen = soft_pick(np.take_along_axis(seen, drawn, axis=1), strength, rng)
    return cast(Places, drawn[rows, chosen])


def _quantiles(table: Array) -> Array:
    """The share of its row that is <= each entry; equal entries share theirs."""
    size = table.shape[1]
    order = np.argsort(table, axis=1)
    ordered = np.take_along_axis(table, order, axis=1)
    last = np.full(table.shape, size)
    last[:, :-1] = np.where(ordered[:, 1:] > ordered[:, :-1], np.arange(1, size), size)
    shares = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1] / size
    quantiles = np.empty_like(table)
    np.put_along_axis(quantiles, order, shares, axis=1)
    return quantiles
