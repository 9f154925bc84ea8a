"""What resampling prompts says: intervals, and values that selection has not flattered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.table import Array

#: Numbers held at once (half a megabyte): larger blocks are slower, not faster.
_BLOCK = 1 << 16


def resampled_means(curves: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Mean curves of bootstrap resamples of the prompts, block after block.

    A resample draws P of the P prompts with replacement; its mean curve is (counts / P) @ curves,
    so all of them are one matrix product.

    ``curves``: (P, M). Yields arrays (b, M), ``resamples`` rows in all; the same for the same seed.

    >>> next(resampled_means(np.ones((3, 2)), 4, seed=0)).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    rng = np.random.default_rng(seed)
    prompts, points = curves.shape
    block = max(1, _BLOCK // max(prompts, points))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        picks = rng.integers(prompts, size=(rows, prompts))
        picks += prompts * np.arange(rows)[:, None]
        counts = np.bincount(picks.ravel(), minlength=rows * prompts).reshape(rows, prompts)
        yield counts.astype(np.float64) @ curves / prompts


def first_of_the_best(means: Array, tolerance: float) -> NDArray[np.int64]:
    """For each row the first point whose value is the largest, up to ``tolerance``.

    >>> first_of_the_best(np.array([[0.0, 1.0, 1.0], [2.0, 1.0, 0.0]]), 1e-12).tolist()
    [1, 0]
    """
    near = means >= means.max(axis=1, keepdims=True) - tolerance
    return np.asarray(near.argmax(axis=1), np.int64)


def held_out_value(curves: Array, tolerance: float) -> float | None:
    """Value of the chosen parameter on prompts that had no say in choosing it.

    Cross-fitting with one prompt left out at a time: θ_{−p} maximises the mean curve of the other
    prompts, and the answer is the mean over p of curve_p(θ_{−p}). It is unbiased for the value, on
    a new prompt, of what this procedure picks from P − 1 prompts; the maximum of the mean curve
    itself is biased upwards (the winner's curse). No randomness.

    ``curves``: (P, M). None with one prompt.

    >>> held_out_value(np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 0.0]]), 1e-12)  # 0, 0 and 0
    0.0

    Source: THEORY.md, section 8.
    """
    prompts, points = curves.shape
    if prompts == 1:
        return None
    total = curves.sum(axis=0)
    block = max(1, _BLOCK // points)
    gained = 0.0
    for start in range(0, prompts, block):
        out = curves[start : start + block]
        chosen = first_of_the_best((total - out) / (prompts - 1), tolerance)
        gained += float(out[np.arange(len(out)), chosen].sum())
    return float(gained / prompts)
