"""What is kept of a table too large to hold: moments of gold by rank, which add up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.moments import (
    CROSS,
    FOLDS,
    CoMoments,
    RankMoments,
    rank_bins,
    times_power,
)
from hedgetheory.hedgetune.ranks import rank_groups
from hedgetheory.hedgetune.table import Array, Table

#: Cross-products take at most this many bytes in all.
MAX_BYTES = 1 << 29

_CELLS = 1 << 22

RankWeights: TypeAlias = Callable[[Array, int], Array]
RankValues: TypeAlias = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True)
class CurveMoments:
    """Values of a policy at several parameters, and how sure: in units of ``unit``.

    ``mean`` (k,): the weighted mean over prompts of the value at each parameter; ``covariance``
    (k, k): the sampling covariance of that mean (NaN with one prompt); ``fold_weight`` (F,) and
    ``fold_mean`` (F, k): the same means in each fold; ``exact``: False where ranks were binned,
    which touches covariance and folds, never the mean.
    """

    mean: Array
    covariance: Array
    fold_weight: Array
    fold_mean: Array
    unit: float
    count: int
    exact: bool

    @property
    def error(self) -> Array:
        """Standard errors (k,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))

    def resampled_means(self, resamples: int, seed: int) -> Array:
        """Mean curves as resampling prompts would give them, (resamples, k): normal ones.

        By the central limit theorem over prompts, N(mean, covariance); the bootstrap itself would
        need every prompt. The same for the same seed.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((resamples, len(self.mean)))
        return np.asarray(self.mean + drawn @ root.T, np.float64)


@dataclass(frozen=True, slots=True)
class Reduction:
    """A table reduced to moments by rank: all that tuning a rank policy needs.

    ``moments``: group (None without a group column) → number of responses S → RankMoments.
    ``rows`` used and ``dropped``; ``selects``: some prompt's proxy is not constant. ``merge`` joins
    the reductions of two tables that have no prompt in common.
    """

    name: str
    moments: Mapping[str | None, Mapping[int, RankMoments]]
    rows: int
    dropped: int
    selects: bool

    def merge(self, other: Reduction) -> Reduction:
        """The reduction of both tables together."""
        moments = {group: dict(sizes) for group, sizes in self.moments.items()}
        for group, sizes in other.moments.items():
            mine = moments.setdefault(group, {})
            for size, found in sizes.items():
                mine[size] = mine[size].merge(found) if size in mine else found
        needed = sum(found.nbytes for sizes in moments.values() for found in sizes.values())
        if needed > MAX_BYTES:
            raise InputError(
                f"{self.name}: the cross-products of {sum(map(len, moments.values()))} numbers of "
                f"responses and groups exceed {MAX_BYTES >> 20} MB; take a smaller cross"
            )
        return Reduction(
            self.name,
            moments,
            self.rows + other.rows,
            self.dropped + other.dropped,
            self.selects or other.selects,
        )

    @property
    def groups(self) -> list[str]:
        """The groups in order; empty without a group column."""
        return sorted(group for group in self.moments if group is not None)

    def group(self, name: str) -> Reduction:
        """The prompts of one group (``rows`` and ``dropped`` remain those of the table)."""
        if name not in self.moments:
            raise InputError(f"no group {name!r} in {self.name}")
        return replace(self, moments={None: self.moments[name]})

    def sizes(self) -> list[RankMoments]:
        """The moments for each number of responses, smallest first, all groups together."""
        merged: dict[int, RankMoments] = {}
        for sizes in self.moments.values():
            for size, found in sizes.items():
                merged[size] = merged[size].merge(found) if size in merged else found
        return [merged[size] for size in sorted(merged)]

    def mean(self, values: RankValues, thetas: ArrayLike, exponent: int) -> Array:
        """Mean curve in units of 2^exponent: ``values(thetas, ḡ)`` averaged over the sizes S.

        ``values`` takes the mean gold by rank, (S,), to the value at each theta.
        """
        points = np.asarray(thetas)
        mean, total = np.zeros(len(points)), 0.0
        for m in self.sizes():
            total += m.first.weight
            value = values(points, times_power(m.rank_mean, m.exponent - exponent))
            mean += (m.first.weight / total if total else 0.0) * (value - mean)
        return mean

    def kl(self, rank_cdf: RankWeights, thetas: ArrayLike) -> Array | None:
        """Mean KL over prompts of the plug-in policies G = ``rank_cdf(thetas, S)`` at 0, 1/S, …, 1.

        On the tied empirical law of each prompt, in nats; None where ties were not counted.
        """
        points, total, whole = np.asarray(thetas), np.zeros(len(np.asarray(thetas))), 0.0
        for m in self.sizes():
            if m.ties is None:
                return None
            whole += m.first.weight
            step = max(1, _CELLS // (m.size + 1))
            for start in range(0, len(points), step):
                part = slice(start, start + step)
                total[part] += m.ties.kl(rank_cdf(points[part], m.size))
        return total / whole if whole else None

    @property
    def exponent(self) -> int:
        """2^exponent: the unit in which no gold score is beyond 1."""
        return max(m.exponent for sizes in self.moments.values() for m in sizes.values())

    def curve(self, thetas: ArrayLike, weights: RankWeights) -> CurveMoments:
        """The curve of a rank policy: mean W·ḡ and covariance W Σ Wᵀ, over all S.

        ``weights(thetas, S)``: (k, S), what the policy weighs each rank with, for instance
        ``best_of_n_weights``; it is called on slices of ``thetas``. The covariance of the weighted
        mean Σwv/Σw is N/(N−1) Σ w² (v − v̄)(v − v̄)ᵀ/(Σw)², the usual linearisation.

        >>> from hedgetheory.hedgetune.estimators import best_of_n_weights
        >>> table = Table.from_arrays([0, 0, 1, 1], [1, 2, 1, 2], [0, 1, 1, 1])
        >>> curve = reduce_rows(Rows.of(table)).curve([1, 2], best_of_n_weights)
        >>> (curve.unit * curve.mean).tolist(), (curve.unit * curve.error).tolist()
        ([0.75, 1.0], [0.25, 0.0])
        """
        points = np.asarray(thetas)
        found, exponent = self.sizes(), self.exponent
        first: list[CoMoments] = []
        second: list[CoMoments] = []
        folds: list[tuple[Array, Array]] = []
        mean, total = np.zeros(len(points)), 0.0
        for raw in found:
            m = raw.in_units(exponent)
            exact_mean, binned = _weigh(points, weights, m)
            total += m.first.weight
            mean += (m.first.weight / total if total else 0.0) * (exact_mean - mean)
            first.append(_mapped(m.first, binned))
            second.append(first[-1] if m.first is m.second else _mapped(m.second, binned))
            folds.append((m.folds[0], m.folds[1] @ binned.T))
        count = sum(m.count for m in found)
        center = reduce(CoMoments.merge, first).mean
        spread = reduce(CoMoments.merge, second).about(center)
        covariance = np.full_like(spread, np.nan)
        if count > 1:
            covariance = spread * (count / (count - 1) / total**2)
        fold_weight = np.sum([weight for weight, _ in folds], axis=0)
        fold_sum = np.sum([weight[:, None] * value for weight, value in folds], axis=0)
        return CurveMoments(
            mean,
            covariance,
            fold_weight,
            fold_sum / np.where(fold_weight > 0, fold_weight, 1.0)[:, None],
            float(np.ldexp(1.0, exponent)),
            count,
            all(m.size <= m.cross for m in found),
        )


def _weigh(points: NDArray[Any], weights: RankWeights, m: RankMoments) -> tuple[Array, Array]:
    """The mean at every point from all ranks, and the weights summed over the bins."""
    starts = rank_bins(m.size, m.cross)
    mean, binned = np.empty(len(points)), np.empty((len(points), len(starts)))
    step = max(1, _CELLS // m.size)
    for start in range(0, len(points), step):
        block = slice(start, start + step)
        by_rank = weights(points[block], m.size)
        mean[block] = by_rank @ m.rank_mean
        binned[block] = np.add.reduceat(by_rank, starts, axis=1)
    return mean, binned


def _mapped(moments: CoMoments, matrix: Array) -> CoMoments:
    comoment = matrix @ moments.comoment @ matrix.T
    return CoMoments(moments.weight, matrix @ moments.mean, comoment)


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows held at once, in any order, all rows of each of their prompts.

    ``prompt``: int64, equal for rows of one prompt; ``hashes``: those of the prompts where
    ``prompt`` is a place in it, None where ``prompt`` is the id itself; ``response``: a hash of
    the response's id; ``group``: a place in ``group_names``.
    """

    prompt: NDArray[np.int64]
    proxy: Array
    gold: Array
    hashes: NDArray[np.uint64] | None = None
    weight: Array | None = None
    group: NDArray[np.int64] | None = None
    group_names: tuple[str, ...] = ()
    response: NDArray[np.uint64] | None = None

    @classmethod
    def of(cls, table: Table) -> Rows:
        """The rows of a table, its prompts numbered."""

        def spread(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else np.repeat(values, table.sizes)

        return cls(
            np.repeat(np.arange(len(table.sizes)), table.sizes),
            table.proxy,
            table.gold,
            None,
            spread(table.weights),
            spread(table.groups),
            table.group_names,
        )


def reduce_rows(rows: Rows, *, cross: int = CROSS, name: str = "table") -> Reduction:
    """The reduction of rows held in memory; every score is finite.

    Raises InputError for no rows and prompts with two weights or groups; RepeatedResponse where
    two rows of a prompt may have one response id.
    """
    order = np.argsort(rows.prompt)
    prompt, proxy, gold = rows.prompt[order], rows.proxy[order], rows.gold[order]
    starts = np.flatnonzero(np.diff(prompt, prepend=prompt[:1] - 1))
    sizes = np.diff(starts, append=len(prompt))
    ids = prompt[starts]
    weight, group = (
        _of_prompts(None if x is None else x[order], what, starts, sizes)
        for x, what in ((rows.weight, "weight"), (rows.group, "group"))
    )
    if weight is not None and (weight < 0).any():
        raise InputError(f"{name}: weight {weight.min():g} is negative; weights must be >= 0")
    if rows.response is not None:
        _check_responses(rows.response[order], sizes)
    hashed = hash_integers(ids) if rows.hashes is None else rows.hashes[ids]
    fold = (hashed % np.uint64(FOLDS)).astype(np.int64)
    spread = np.maximum.reduceat(proxy, starts) > np.minimum.reduceat(proxy, starts)
    moments: dict[str | None, dict[int, RankMoments]] = {}
    for found in rank_groups(Table(name, proxy, gold, sizes)):
        here = np.flatnonzero(sizes == found.size)
        for label, mine in _labelled(None if group is None else group[here], rows.group_names):
            prompts = here[mine]
            moments.setdefault(label, {})[found.size] = RankMoments.of(
                found.gold[mine],
                fold[prompts],
                None if weight is None else weight[prompts],
                cross,
                None if found.proxy is None else found.proxy[mine],
            )
    return Reduction(name, moments, len(prompt), 0, bool(spread.any()))


def _labelled(
    codes: NDArray[np.int64] | None, names: tuple[str, ...]
) -> Iterator[tuple[str | None, slice | NDArray[np.intp]]]:
    """The name and the places of each group; None and all of them without groups."""
    if codes is None:
        yield None, slice(None)
        return
    for code in np.unique(codes):
        yield names[int(code)], np.flatnonzero(codes == code)


def merge_all(name: str, dropped: int, found: Iterable[Reduction]) -> Reduction:
    """All of them together; those without rows do not count."""
    empty = Reduction(name, {}, 0, dropped, False)
    return reduce(Reduction.merge, found, empty)


class RepeatedResponse(InputError):
    """Two rows of a prompt may have one response id: their hashes are equal."""


def _check_responses(response: NDArray[np.uint64], sizes: NDArray[np.int64]) -> None:
    prompt = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((response, prompt))
    ordered = response[order]
    same = (ordered[1:] == ordered[:-1]) & (prompt[1:] == prompt[:-1])
    if same.any():
        raise RepeatedResponse("two rows of a prompt have one response id")


def _of_prompts(
    values: NDArray[Any] | None, what: str, starts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> NDArray[Any] | None:
    """One entry a prompt, from one a row, rows in order."""
    if values is None:
        return None
    if (values != np.repeat(values[starts], sizes)).any():
        raise InputError(f"a prompt has more than one {what}; all its rows must have the same")
    return values[starts]


def hash_integers(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Sixty-four mixed bits of an integer id: the finaliser of splitmix64.

    >>> hash_integers(np.array([0, 1])).tolist()
    [16294208416658607535, 10451216379200822465]

    Source: Steele, Lea and Flood, Fast splittable pseudorandom number generators (2014).
    """
    x = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)


def hash_texts(ids: Iterable[str]) -> NDArray[np.uint64]:
    """Sixty-four bits of the MD5 of a text id: the same on every machine and in the engine."""
    digests = (hashlib.md5(text.encode(), usedforsecurity=False).digest() for text in ids)
    return np.array([int.from_bytes(digest[8:], "little") for digest in digests], np.uint64)
