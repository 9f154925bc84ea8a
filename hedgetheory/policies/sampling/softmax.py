"""Softmax picks that neither overflow nor turn to NaN, whatever the strength and the scores."""

from __future__ import annotations

import numpy as np

from hedgetheory.policies.sampling.inputs import Array, Places


def energies(scores: Array, strength: float, top: Array | None = None) -> Array:
    """λ(score − top) <= 0 along the last axis, top its maximum unless given; 0 at the top.

    The difference is taken first, so that equal scores stay equal and close ones keep their
    digits; λ = ∞ leaves 0 at the top and −∞ elsewhere. Scores above a given ``top`` count as top.

    >>> energies(np.array([-1e308, 1e308]), 1.0), energies(np.array([1.0, 2.0, 2.0]), 3.0)
    (array([-inf,   0.]), array([-3.,  0.,  0.]))
    """
    given = top is not None
    if top is None:
        top = scores.max(axis=-1, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):
        below = scores - top
        if np.isinf(strength):
            return np.where(below < 0, -np.inf, 0.0)
        energy = strength * below
        wide = np.isinf(below)
        if wide.any():
            energy = np.where(wide, 2 * (strength * (scores / 2 - top / 2)), energy)
    return np.minimum(energy, 0.0) if given else np.asarray(energy)


def pick(weights: Array, rng: np.random.Generator) -> Places:
    """One place of each row (the last axis), with probability in proportion to its weight.

    By inverse transform of the row's cumulative sum: each probability is right to about S·2⁻⁵³.
    """
    cumulative = np.cumsum(weights, axis=-1)
    level = rng.random(weights.shape[:-1]) * cumulative[..., -1]
    return np.asarray((cumulative > level[..., None]).argmax(axis=-1), np.int64)


def soft_pick(scores: Array, strength: float, rng: np.random.Generator) -> Places:
    """One place of each row (the last axis) by softmax(λ·score); uniform at λ = 0.

    >>> soft_pick(np.array([[0.0, 1e300], [5.0, 4.0]]), 1e300, np.random.default_rng(0)).tolist()
    [1, 0]
    """
    return pick(np.exp(energies(scores, strength)), rng)
