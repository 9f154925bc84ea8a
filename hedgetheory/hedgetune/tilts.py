"""The exponential tilt, RLHF's optimum, from samples: self-normalised weights and their worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import must_be
from hedgetheory.hedgetune.ranks import checked_scores
from hedgetheory.hedgetune.table import Array

#: Fewer effective responses than this, or than about half of those there are, mean nothing.
MIN_EFFECTIVE = 5.0


def least_effective(size: int) -> float:
    """The effective sample size of S responses below which a tilt says nothing."""
    return min(MIN_EFFECTIVE, (size + 1) / 2)


def tilt_weights(proxy: ArrayLike, lam: float) -> Array:
    """Weights of the tilt on the responses of each prompt: the softmax of λ·proxy.

    W_i = e^{λp_i}/Σ_j e^{λp_j}. ``proxy``: (P, S), finite; λ finite, of either sign. Returns
    (P, S), rows summing to one, tied responses alike. Raises InputError outside the domains.

    >>> tilt_weights([[0.0, np.log(3)]], 1).round(12).tolist()
    [[0.25, 0.75]]

    Source: THEORY.md, section 2.
    """
    scores, _ = checked_scores(proxy, proxy)
    if not np.isfinite(lam):
        raise must_be("lam", lam, "finite", "tilt_weights")
    # Halved, so that the range of huge scores does not overflow.
    end = scores.max(axis=1, keepdims=True) if lam >= 0 else scores.min(axis=1, keepdims=True)
    with np.errstate(over="ignore"):
        weights = np.exp(2 * (lam * (scores / 2 - end / 2)))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights)


def effective_sample_size(weights: Array) -> Array:
    """1/Σ_i W_i² of each row of weights: as many equal responses would be as noisy.

    >>> effective_sample_size(np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])).tolist()
    [2.0, 1.0]
    """
    return np.asarray(1 / np.einsum("ij,ij->i", weights, weights))


def tilt_values(
    proxy: ArrayLike, gold: ArrayLike, lam: ArrayLike, *, jackknife: bool = True
) -> Array:
    """Value of the tilt on each prompt, E[g e^{λR}]/E[e^{λR}], by self-normalised weights.

    v = Σ_i W_i g_i, W the softmax of λ·proxy within the prompt: a ratio, biased by O(1/S). With
    ``jackknife`` v becomes S v − (S−1)/S Σ_i v_{−i}, v_{−i} without response i, which leaves
    O(1/S²). NaN where the effective sample size 1/ΣW² is below min(5, (S+1)/2): there the answer is
    the luck of the top responses.

    ``proxy``, ``gold``: (P, S), finite; ``lam``: finite, shape (L,). Returns (P, L). Raises
    InputError outside the domains.

    >>> tilt_values([[0, 1, 1, 1]], [[0, 1, 1, 1]], [0, 50.0], jackknife=False).round(6).tolist()
    [[0.75, 1.0]]

    Source: THEORY.md, section 8; Quenouille 1956 for the jackknife.
    """
    values, effective = tilt_values_and_sizes(proxy, gold, lam, jackknife=jackknife)
    size = np.asarray(proxy).shape[1]
    return np.where(effective >= least_effective(size), values, np.nan)


def tilt_values_and_sizes(
    proxy: ArrayLike, gold: ArrayLike, lam: ArrayLike, *, jackknife: bool = True
) -> tuple[Array, Array]:
    """``tilt_values`` without the NaN, and the effective sample size of each: both (P, L)."""
    scores, gold = checked_scores(proxy, gold)
    strengths = np.asarray(lam, np.float64)
    if strengths.ndim != 1:
        raise must_be("lam", lam, "a sequence of finite numbers", "tilt_values")
    size = scores.shape[1]
    values = np.empty((len(scores), len(strengths)))
    effective = np.empty_like(values)
    for column, strength in enumerate(strengths):
        weights = tilt_weights(scores, float(strength))
        plain = np.einsum("ij,ij->i", weights, gold)
        effective[:, column] = effective_sample_size(weights)
        if jackknife and size > 1:
            # v_{−i} − v = −W_i (g_i − v)/(1 − W_i); a weight of one has nothing left to leave out.
            rest = 1 - weights
            share = np.divide(weights, rest, out=np.zeros_like(rest), where=rest > 1e-12)
            moved = np.einsum("ij,ij->i", share, gold - plain[:, None])
            plain = plain + (size - 1) / size * moved
        values[:, column] = plain
    return values, effective


def tilt_slopes(proxy: ArrayLike, gold: ArrayLike, lam: ArrayLike) -> Array:
    """d/dλ of Σ_i W_i g_i on each prompt: Σ_i W_i (p_i − Σ_j W_j p_j) g_i.

    The score p − E_λ[p] is **centred under the weights themselves**. Uncentred, or centred by
    anything else, the slope of a constant gold is not zero and the threshold is biased.

    Arguments as ``tilt_values``; returns (P, L).

    >>> bool(abs(tilt_slopes([[0, 1]], [[7, 7]], [0.3])).max() < 1e-12)
    True

    Source: THEORY.md, section 6.
    """
    scores, gold = checked_scores(proxy, gold)
    slopes = []
    for strength in np.asarray(lam, np.float64):
        weights = tilt_weights(scores, float(strength))
        centred = scores - np.einsum("ij,ij->i", weights, scores)[:, None]
        slopes.append(np.einsum("ij,ij,ij->i", weights, centred, gold))
    return np.stack(slopes, axis=1)
