"""What resampling prompts says: intervals, and values that selection has not flattered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.table import Array

#: Numbers held at once (half a megabyte): larger blocks are slower, not faster.
_BLOCK = 1 << 16
#: Studentised slopes of this many resamples are kept; more would not move their quantiles.
MAX_STUDENTISED = 10_000
#: Cross-fitting: folds of prompts, and random partitions into them.
FOLDS, PARTITIONS = 10, 10


def resampled_counts(prompts: int, points: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each prompt is drawn: blocks (b, P) of rows that sum to P, ``resamples`` in all.

    ``points``: how many numbers a prompt will be multiplied with, for the size of the blocks.
    """
    rng = np.random.default_rng(seed)
    # At least some rows at once: a product with one row reads all curves for nothing.
    block = max(16, _BLOCK // max(prompts, points))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        picks = rng.integers(prompts, size=(rows, prompts))
        picks += prompts * np.arange(rows)[:, None]
        counts = np.bincount(picks.ravel(), minlength=rows * prompts).reshape(rows, prompts)
        yield counts.astype(np.float64)


def resampled_means(
    curves: Array, resamples: int, seed: int, weights: Array | None = None
) -> Iterator[Array]:
    """Mean curves of bootstrap resamples of the prompts, block after block.

    A resample draws P of the P prompts with replacement; its mean curve is (counts / P) @ curves,
    so all of them are one matrix product. With ``weights``, (P,), each draw counts by its weight.

    ``curves``: (P, M). Yields arrays (b, M), ``resamples`` rows in all; the same for the same seed.

    >>> next(resampled_means(np.ones((3, 2)), 4, seed=0)).tolist()
    [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]
    """
    prompts, points = curves.shape
    for counts in resampled_counts(prompts, points, resamples, seed):
        if weights is None:
            yield counts @ curves / prompts
        else:
            shares = counts * weights
            total = shares.sum(axis=1, keepdims=True)
            # A resample of weightless prompts only says nothing: it repeats the estimate.
            shares = np.where(total > 0, shares, weights)
            yield shares @ curves / shares.sum(axis=1, keepdims=True)


def studentised_quantiles(
    steps: Array, resamples: int, seed: int, confidence: float, weights: Array | None = None
) -> tuple[Array, Array]:
    """Bootstrapped critical values of the studentised steps of a mean curve: upper and lower, (M,).

    Of (rise* − rise)/error* over resamples of the prompts, error* the standard error that the
    resample itself would report, the quantiles at (1 ± confidence)/2. The estimate's own
    rise/error above the upper is significantly positive, below the lower negative.

    ``steps``: (P, M), each prompt's steps.
    """
    prompts, points = steps.shape
    centre = steps.mean(axis=0) if weights is None else weights @ steps / weights.sum()
    offset = steps - centre
    squares = offset * offset
    found = []
    for counts in resampled_counts(prompts, 2 * points, min(resamples, MAX_STUDENTISED), seed):
        shares = counts if weights is None else counts * weights
        total = np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
        moved = shares @ offset / total
        # Σ c w² (x − x̄*)² = Σ c w² x² − 2 x̄* Σ c w² x + x̄*² Σ c w², all about the estimate.
        twice = shares if weights is None else shares * weights
        spread = twice @ squares + moved * moved * twice.sum(axis=1, keepdims=True)
        spread -= 2 * moved * (moved * total if weights is None else twice @ offset)
        error = np.sqrt(np.maximum(spread, 0) * prompts / (prompts - 1)) / total
        found.append(np.divide(moved, error, out=np.zeros_like(moved), where=error > 0))
    values = np.concatenate(found)
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(values, [tail, 1 - tail], axis=0)
    return upper, lower


def first_of_the_best(means: Array, tolerance: float) -> NDArray[np.int64]:
    """For each row the first point whose value is the largest, up to ``tolerance``.

    >>> first_of_the_best(np.array([[0.0, 1.0, 1.0], [2.0, 1.0, 0.0]]), 1e-12).tolist()
    [1, 0]
    """
    near = means >= means.max(axis=1, keepdims=True) - tolerance
    return np.asarray(near.argmax(axis=1), np.int64)


def held_out_value(
    curves: Array, tolerance: float, weights: Array | None = None, seed: int = 0
) -> float | None:
    """Value of the chosen parameter on prompts that had no say in choosing it.

    Cross-fitting in K = `FOLDS` folds of prompts (K = P with fewer): θ_{−k} maximises the mean
    curve of the prompts outside fold k, and fold k is valued at θ_{−k}. The (weighted) mean over
    prompts is unbiased for the value, on a new prompt, of what this procedure picks from
    P(1 − 1/K) prompts; the maximum of the mean curve itself is biased upwards (the winner's curse).
    Averaged over `PARTITIONS` seeded partitions, so that little hangs on any one of them.

    Why not K = P: leaving one prompt out hardly ever moves the choice, and then the answer *is* the
    flattered maximum; it is unbiased only because near a tie it errs far to the other side. With
    two equal curves that differ by σ on a prompt, the choice flips with probability ~ 1/√K and then
    moves the answer by ~ σ√(K/P), a variance ~ σ²√K/P: for K = P √P times that of a mean.

    ``curves``: (P, M); ``weights``: (P,). None where fewer than two prompts have weight. The same
    for the same seed.

    >>> held_out_value(np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 0.0]]), 1e-12)  # 0, 0 and 0
    0.0

    Source: THEORY.md, section 8.
    """
    mass = np.ones(len(curves)) if weights is None else weights
    weighty = np.flatnonzero(mass)
    if len(weighty) < 2:
        return None
    # Of one fold a prompt all partitions are the same.
    count = min(FOLDS, len(weighty))
    rng = np.random.default_rng(seed)
    kept = []
    for _ in range(PARTITIONS if count < len(weighty) else 1):
        order = rng.permutation(weighty) if count < len(weighty) else weighty
        parts = np.array_split(order, count)
        sums = np.stack([mass[part] @ curves[part] for part in parts])
        kept.append(cross_fitted(sums, np.array([mass[part].sum() for part in parts]), tolerance))
    return float(np.mean(kept))


def cross_fitted(sums: Array, mass: Array, tolerance: float) -> float:
    """Each fold valued at what the others choose: ``sums`` (K, M) of w·curve, ``mass`` (K,) > 0."""
    others = mass.sum() - mass
    chosen = first_of_the_best((sums.sum(axis=0) - sums) / others[:, None], tolerance)
    return float(sums[np.arange(len(sums)), chosen].sum() / mass.sum())
