"""KL of a selection policy from the reference, as if the responses at hand were its law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.table import Array


def rank_kl(proxy: Array, rank_cdf: Callable[[Array], Array]) -> Array:
    """KL(policy‖reference) in nats of a rank policy on each prompt's tied empirical law.

    Σ_r ΔG(r) ln(ΔG(r)/ΔF(r)) over the distinct proxies r, ΔF their shares, ΔG = G(F(r)) − G(F(r−)):
    exact for the plug-in policy. It is at most ln S, and with many ties far below the value on a
    continuous law: ties cannot be told apart.

    ``proxy``: (P, S), finite; ``rank_cdf``: G on [0, 1], vectorised. Returns (P,).

    >>> rank_kl(np.array([[0.0, 1.0]]), lambda u: u**2).round(6).tolist()  # ln 2 − H(1/4)
    [0.130812]
    >>> rank_kl(np.array([[0.0, 0.0]]), lambda u: u**2).tolist()
    [0.0]

    Source: THEORY.md, section 7.
    """
    if not np.isfinite(proxy).all():
        raise InputError("proxy must be finite: drop rows with NaN or infinite scores")
    out = np.empty(len(proxy))
    for row, scores in enumerate(np.sort(proxy, axis=1)):
        atoms = atoms_by_rank(scores[None])
        out[row] = atoms.kl(rank_cdf(np.arange(atoms.size + 1) / atoms.size)[None])[0]
    return out


@dataclass(frozen=True, slots=True)
class Atoms:
    """The ties of many prompts with S responses: runs of equal proxies by their ranks.

    The run from rank ``start`` + 1 to ``stop`` occurs ``count`` times a prompt. Two such sets merge
    by adding counts; no proxy is needed any more.
    """

    size: int
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    count: Array

    def kl(self, rank_cdf: Array) -> Array:
        """Mean KL over the prompts: ``rank_cdf`` (k, S + 1) holds G at 0, 1/S, …, 1; returns (k,).

        Term by term ≥ 0: ΔF h(ΔG/ΔF) with h(x) = x ln x − x + 1, since Σ (ΔG − ΔF) = 0.
        """
        from scipy.special import xlogy

        share = (self.stop - self.start) / self.size
        ratio = (rank_cdf[:, self.stop] - rank_cdf[:, self.start]) / share
        terms = np.maximum(xlogy(ratio, ratio) - ratio + 1, 0)
        return np.asarray(terms @ (share * self.count))

    def scaled(self, factor: float) -> Atoms:
        """With ``factor`` times the counts."""
        return Atoms(self.size, self.start, self.stop, self.count * factor)

    def merge(self, other: Atoms) -> Atoms:
        """The runs of both, counts added."""
        key = np.concatenate([a.start * (a.size + 1) + a.stop for a in (self, other)])
        count = np.concatenate([self.count, other.count])
        return _runs(self.size, key, count)


def _runs(size: int, key: NDArray[np.int64], count: Array) -> Atoms:
    """Runs by key = start (S + 1) + stop; equal ones become one."""
    found, place = np.unique(key, return_inverse=True)
    total = np.bincount(place, weights=count, minlength=len(found))
    return Atoms(size, found // (size + 1), found % (size + 1), np.asarray(total, np.float64))


def atoms_by_rank(ordered: Array, weights: Array | None = None) -> Atoms:
    """The ties of ordered proxies (P, S), prompts weighted.

    >>> atoms = atoms_by_rank(np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 3.0]]))
    >>> list(zip(atoms.start.tolist(), atoms.stop.tolist(), atoms.count.tolist()))
    [(0, 1, 0.5), (0, 2, 0.5), (1, 2, 0.5), (2, 3, 1.0)]
    """
    prompts, size = ordered.shape
    share = np.full(prompts, 1 / prompts) if weights is None else weights / weights.sum()
    change = ordered[:, 1:] != ordered[:, :-1]
    if change.all():
        rank = np.arange(size)
        return Atoms(size, rank, rank + 1, np.ones(size))
    first = np.ones(ordered.shape, bool)
    first[:, 1:] = change
    row, start = np.nonzero(first)
    stop = np.append(start[1:], 0)
    stop[stop == 0] = size
    return _runs(size, start * (size + 1) + stop, share[row])


def weights_kl(weights: Array) -> Array:
    """Σ_i W_i ln(S W_i) of each row of weights on S responses, in nats.

    >>> weights_kl(np.array([[0.5, 0.5], [1.0, 0.0]])).round(6).tolist()
    [0.0, 0.693147]
    """
    from scipy.special import xlogy

    ratio = weights * weights.shape[1]
    return np.asarray(np.maximum(xlogy(ratio, ratio) - ratio + 1, 0).mean(axis=1))
