"""The rank reduction: a rank policy sees of a prompt only its gold scores in proxy order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.table import Array, Table

#: Scores sorted at once (96 kB): larger temporaries cost more in page faults than in sorting.
_BLOCK = 12_288


@dataclass(frozen=True, slots=True)
class RankGroup:
    """The prompts with ``size`` responses: ``gold`` (prompts, size) in increasing proxy order.

    ``proxy``, of that shape, is the ordered proxy: what tilts, soft selection and the KL of tied
    scores ask for, and rank policies do without. ``prompts``: their places in the table.
    """

    size: int
    gold: Array
    proxy: Array | None = None
    prompts: NDArray[np.int64] | None = None


def rank_gold(proxy: ArrayLike, gold: ArrayLike) -> Array:
    """Gold scores by rank of their proxy, tied responses sharing their mean.

    g_(i), i = 1..S: the gold score of the i-th smallest proxy. Responses with exactly equal proxies
    cannot be told apart, and a fair draw among them has their mean, so each gets it.

    ``proxy`` and ``gold`` are (prompts, S) arrays of finite numbers. Returns a new (prompts, S)
    array. Only the order of proxies within a prompt matters: an increasing map of them, and any
    order of the responses, leave it unchanged (up to rounding in the mean of ties).

    Raises InputError for shapes that differ or are not (prompts, S) with S ≥ 1, and for NaN and
    infinities, whose place in an order is an accident.

    >>> rank_gold([[0.3, 0.1, 0.3]], [[1, 5, 0]])
    array([[5. , 0.5, 0.5]])

    Source: THEORY.md, section 8.
    """
    scores, gold = checked_scores(proxy, gold)
    ranked = np.empty_like(scores)
    step = max(1, _BLOCK // scores.shape[1])
    for start in range(0, len(scores), step):
        rows = slice(start, start + step)
        ranked[rows] = _rank_block(scores[rows], gold[rows])[1]
    return ranked


def checked_scores(proxy: ArrayLike, gold: ArrayLike) -> tuple[Array, Array]:
    """Both as finite float64 arrays of one shape (prompts, S), S ≥ 1; InputError otherwise."""
    scores, gold = np.asarray(proxy, np.float64), np.asarray(gold, np.float64)
    if scores.shape != gold.shape or scores.ndim != 2 or scores.shape[1] == 0:
        raise InputError(
            f"proxy {scores.shape} and gold {gold.shape} must be of one shape (prompts, S), S >= 1"
        )
    if not (np.isfinite(scores).all() and np.isfinite(gold).all()):
        raise InputError("proxy and gold must be finite: drop rows with NaN or infinite scores")
    return scores, gold


def _ranked(scores: Array, gold: Array) -> tuple[Array, Array]:
    """The ordered proxy, and gold in that order with ties shared."""
    ordered, ranked = np.empty_like(scores), np.empty_like(scores)
    step = max(1, _BLOCK // scores.shape[1])
    for start in range(0, len(scores), step):
        rows = slice(start, start + step)
        ordered[rows], ranked[rows] = _rank_block(scores[rows], gold[rows])
    return ordered, ranked


def _rank_block(scores: Array, gold: Array) -> tuple[Array, Array]:
    ranked = np.take_along_axis(gold, np.argsort(scores, axis=1), axis=1)
    ordered = np.sort(scores, axis=1)  # the same as taking along the order, and faster
    same = ordered[:, 1:] == ordered[:, :-1]
    if same.any():
        _share_ties(ranked, same)
    return ordered, ranked


def _share_ties(ranked: Array, same: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    """In place; ``same[:, i]`` says that ranks i and i + 1 (from 0) are tied."""
    first = np.zeros(ranked.shape, bool)
    first[:, :-1] = same
    tied = first.copy()
    tied[:, 1:] |= same
    first[:, 1:] &= ~same
    flat = ranked.reshape(-1)
    places = np.flatnonzero(tied)
    starts = np.flatnonzero(first.reshape(-1)[places])
    counts = np.diff(starts, append=len(places))
    flat[places] = np.repeat(np.add.reduceat(flat[places], starts) / counts, counts)


def rank_groups(table: Table) -> list[RankGroup]:
    """The rank reduction of a table, one group for each number of responses, smallest first.

    >>> table = Table.from_arrays([0, 0, 1, 1, 1], [1, 2, 3, 2, 1], [1, 0, 6, 7, 8])
    >>> [(group.size, group.gold.tolist()) for group in rank_groups(table)]
    [(2, [[1.0, 0.0]]), (3, [[8.0, 7.0, 6.0]])]
    """
    starts = np.cumsum(table.sizes) - table.sizes
    groups = []
    for size in np.unique(table.sizes):
        prompts = np.flatnonzero(table.sizes == size)
        if len(prompts) == len(table.sizes):
            scores, gold = (x.reshape(-1, size) for x in (table.proxy, table.gold))
        else:
            rows = starts[prompts][:, None] + np.arange(size)
            scores, gold = table.proxy[rows], table.gold[rows]
        ordered, ranked = _ranked(*checked_scores(scores, gold))
        groups.append(RankGroup(int(size), ranked, ordered, prompts))
    return groups
