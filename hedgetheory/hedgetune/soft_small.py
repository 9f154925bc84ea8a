"""Soft Best-of-n of few responses: every subset, or every multiset of draws, written out.

The race integral costs some hundred nodes a response whatever n; C(S, n) subsets are fewer where S
or n is small, and then prompts, subsets and members are one array operation.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, combinations_with_replacement
from math import comb, factorial, prod

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.table import Array

#: As many subsets a response cost what the race does.
MAX_SUBSETS = 16
_CELLS = 1 << 16
#: C(S, n) > 16 S wherever n and S - n both exceed this: no need to compute it.
_DEEPEST = 8


def few_subsets(size: int, n: int) -> bool:
    """Whether the n-subsets of S responses are few enough to write out."""
    if min(n, size - n) > _DEEPEST:
        return False
    return comb(size, n) <= min(MAX_SUBSETS * size, _CELLS // n)


def few_multisets(size: int, n: float) -> bool:
    """The same for n draws with replacement, without their order; n an integer."""
    if n != int(n) or min(int(n), size) > _DEEPEST:
        return False
    return comb(size + int(n) - 1, int(n)) <= min(MAX_SUBSETS * size, _CELLS // size)


def subset_values(heights: Array, gold: Array, n: int) -> Array:
    """(P,): the mean over n-subsets of their softmax mean. Rows in order, the highest last."""
    members = _subsets(heights.shape[1], n)
    out = np.empty(len(heights))
    step = max(1, _CELLS // members.size)
    for start in range(0, len(heights), step):
        rows = slice(start, start + step)
        found = heights[rows][:, members]
        # Relative to the highest of each subset: nothing underflows that counts.
        weights = np.exp(found - found[:, :, -1:])
        ours = (weights * gold[rows][:, members]).sum(axis=2)
        out[rows] = (ours / weights.sum(axis=2)).mean(axis=1)
    return out


def multiset_ratio(heights: Array, n: int) -> Array:
    """(P, S): S times the chance of each response to be picked from n draws with replacement."""
    size = heights.shape[1]
    members, chance = _multisets(size, n)
    # Which multisets a response is in: sums over them are products with these columns.
    held = (members[:, :, None] == np.arange(size)).sum(axis=1).astype(np.float64)
    top = members[:, -1]
    out = np.empty_like(heights)
    step = max(1, _CELLS // held.size)
    for start in range(0, len(heights), step):
        rows = heights[start : start + step]
        # Only members count; of others the difference may be positive and overflow.
        weights = np.exp(np.minimum(rows[:, None, :] - rows[:, top, None], 0.0)) * held
        weights /= weights.sum(axis=2, keepdims=True)
        out[start : start + step] = size * np.einsum("pkr,k->pr", weights, chance)
    return out


@lru_cache(maxsize=32)
def _subsets(size: int, n: int) -> NDArray[np.int64]:
    return np.array(list(combinations(range(size), n)), np.int64)


@lru_cache(maxsize=32)
def _multisets(size: int, n: int) -> tuple[NDArray[np.int64], Array]:
    """Each multiset of n of S in order, and its chance n!/Π c! / S^n."""
    found = list(combinations_with_replacement(range(size), n))
    ways = [factorial(n) // prod(factorial(s.count(i)) for i in set(s)) for s in found]
    return np.array(found, np.int64), np.array([way / size**n for way in ways])
