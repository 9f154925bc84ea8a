"""Moments of gold by rank: they merge, without cancellation and in units that do not overflow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.divergence import Atoms, atoms_by_rank
from hedgetheory.hedgetune.table import Array

#: Up to this many responses cross-products are kept for every pair of ranks; beyond, ranks are
#: binned (`rank_bins`).
CROSS = 512
#: Prompts fall into this many folds by a hash of their id: for cross-fitting.
FOLDS = 16
#: Gold scores beyond this in size could overflow when they are subtracted.
MAX_GOLD = 1e307


def times_power(values: Array, exponent: int) -> Array:
    """2^exponent × values: exact, and much faster than ldexp where 2^exponent is a number.

    >>> times_power(np.array([5e-324]), 1074).tolist()
    [1.0]
    """
    if -1000 < exponent < 1000:
        return np.asarray(values * 2.0**exponent, np.float64)
    return np.ldexp(values, exponent)


@dataclass(frozen=True, slots=True)
class CoMoments:
    """Σw, the weighted mean, and Σ w (x − mean)(x − mean)ᵀ of vectors x: what sums merge into."""

    weight: float
    mean: Array
    comoment: Array

    @classmethod
    def of(cls, values: Array, weights: Array | None = None) -> CoMoments:
        """Of the rows of (P, k), with a weight each.

        >>> CoMoments.of(np.array([[0.0], [2.0]])).comoment.tolist()
        [[2.0]]
        """
        w = np.ones(len(values)) if weights is None else weights
        total = float(w.sum())
        if total == 0:
            return cls(0.0, np.zeros(values.shape[1]), np.zeros((values.shape[1],) * 2))
        mean = w @ values / total
        offset = values - mean
        slip = w @ offset / total  # what rounding left in the mean
        scaled = offset if weights is None else offset * w[:, None]
        return cls(total, mean + slip, scaled.T @ offset - total * np.outer(slip, slip))

    def merge(self, other: CoMoments) -> CoMoments:
        """Chan, Golub and LeVeque: no cancellation, whatever the mean."""
        total = self.weight + other.weight
        if total == 0:
            return self
        step, share = other.mean - self.mean, other.weight / total
        return CoMoments(
            total,
            self.mean + share * step,
            self.comoment + other.comoment + self.weight * share * np.outer(step, step),
        )

    def about(self, point: Array) -> Array:
        """Σ w (x − point)(x − point)ᵀ."""
        step = self.mean - point
        return np.asarray(self.comoment + self.weight * np.outer(step, step), np.float64)

    def scaled(self, exponent: int) -> CoMoments:
        """Of 2^exponent x: exact."""
        if exponent == 0:
            return self
        comoment = times_power(times_power(self.comoment, exponent), exponent)
        return CoMoments(self.weight, times_power(self.mean, exponent), comoment)


@dataclass(frozen=True, slots=True)
class RankMoments:
    """Moments, over prompts with S = ``size`` responses, of gold by rank g_(1), …, g_(S).

    In units of 2^``exponent``, so that nothing overflows. ``count`` prompts; ``rank_mean`` (S,):
    the mean of each g_(i), weighted by the prompts' weights w; ``first`` and ``second``: CoMoments
    under w and under w² (one object where there are no weights) of the ranks, or of the means over
    `rank_bins` where S > ``cross``; ``folds``: the weight and the mean of the same in each fold;
    ``low`` and ``high``: the range of all g_(i), not in units; ``ties``: the runs of equal proxies,
    counted by weight, which KL asks for (None where S > ``cross``: there could be too many).

    ``merge`` is associative and commutative up to rounding: the moments of two sets of prompts
    that have none in common become those of their union.
    """

    size: int
    cross: int
    count: int
    exponent: int
    rank_mean: Array
    first: CoMoments
    second: CoMoments
    folds: tuple[Array, Array]
    low: float
    high: float
    ties: Atoms | None = None

    @classmethod
    def of(
        cls,
        ranked: Array,
        fold: NDArray[np.int64],
        weights: Array | None = None,
        cross: int = CROSS,
        proxy: Array | None = None,
    ) -> RankMoments:
        """Of ``ranked`` (P, S), as `rank_gold` gives it, and the fold of each prompt.

        ``proxy``: the proxies in order, for their ties.
        """
        low, high = float(ranked.min()), float(ranked.max())
        largest = max(high, -low)
        if largest > MAX_GOLD:
            raise InputError(f"a gold score of size {largest:.3g} is beyond {MAX_GOLD:g}; rescale")
        exponent = int(np.frexp(largest)[1]) if largest else -1100
        ranked = times_power(ranked, -exponent)
        size = ranked.shape[1]
        starts = rank_bins(size, cross)
        w = np.ones(len(ranked)) if weights is None else weights
        if len(starts) == size:
            binned = ranked
        else:
            binned = np.add.reduceat(ranked, starts, axis=1) / _widths(starts, size)
        first = CoMoments.of(binned, weights)
        second = first if weights is None else CoMoments.of(binned, weights * weights)
        total = float(w.sum())
        rank_mean = first.mean if binned is ranked else w @ ranked / (total or 1.0)
        in_fold = np.zeros((FOLDS, len(ranked)))
        in_fold[fold, np.arange(len(ranked))] = w
        fold_weight = in_fold.sum(axis=1)
        safe = np.where(fold_weight > 0, fold_weight, 1.0)
        folds = (fold_weight, in_fold @ binned / safe[:, None])
        ties = None
        if proxy is not None and size <= cross:
            ties = atoms_by_rank(proxy, weights if total else None).scaled(total)
        return cls(
            *(size, cross, len(ranked), exponent, rank_mean, first, second, folds, low, high),
            ties,
        )

    def merge(self, other: RankMoments) -> RankMoments:
        """The moments of the union."""
        if (self.size, self.cross) != (other.size, other.cross):
            raise InputError("moments of different sizes or with different cross do not merge")
        exponent = max(self.exponent, other.exponent)
        a, b = self.in_units(exponent), other.in_units(exponent)
        total = a.first.weight + b.first.weight
        share = b.first.weight / total if total else 0.0
        unweighted = self.first is self.second and other.first is other.second
        first = a.first.merge(b.first)
        weight = a.folds[0] + b.folds[0]
        part = (b.folds[0] / np.where(weight > 0, weight, 1.0))[:, None]
        return RankMoments(
            self.size,
            self.cross,
            self.count + other.count,
            exponent,
            a.rank_mean + share * (b.rank_mean - a.rank_mean),
            first,
            first if unweighted else a.second.merge(b.second),
            (weight, a.folds[1] + part * (b.folds[1] - a.folds[1])),
            min(self.low, other.low),
            max(self.high, other.high),
            None if self.ties is None or other.ties is None else self.ties.merge(other.ties),
        )

    def in_units(self, exponent: int) -> RankMoments:
        """The same in units of 2^exponent."""
        shift = self.exponent - exponent
        if shift == 0:
            return self
        first = self.first.scaled(shift)
        return replace(
            self,
            exponent=exponent,
            rank_mean=times_power(self.rank_mean, shift),
            first=first,
            second=first if self.first is self.second else self.second.scaled(shift),
            folds=(self.folds[0], times_power(self.folds[1], shift)),
        )

    @property
    def nbytes(self) -> int:
        shared = self.first is self.second
        return self.first.comoment.nbytes * (1 if shared else 2) + self.folds[1].nbytes


def rank_bins(size: int, cross: int) -> NDArray[np.int64]:
    """Where bins of ranks start (ranks from 0): each rank its own up to S = cross.

    Beyond, the top cross/4 ranks have their own and the others share bins whose width grows with
    the distance from the top: within a bin the weights of a smooth policy are nearly constant, and
    where they are, nothing is lost.

    >>> rank_bins(3, 512).tolist(), len(rank_bins(10**6, 512)) <= 512
    ([0, 1, 2], True)
    """
    if size <= cross:
        return np.arange(size)
    top = cross // 4
    below = np.geomspace(top, size, cross - top + 1).round().astype(np.int64)
    ends = np.union1d(np.arange(1, top + 1), np.maximum(below, top))
    return np.asarray(np.sort(size - ends), np.int64)


def _widths(starts: NDArray[np.int64], size: int) -> Array:
    return np.diff(starts, append=size).astype(np.float64)
