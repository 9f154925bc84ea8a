"""Values of selection policies from ranked gold scores: every one is a weight on each rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.ranks import rank_gold
from hedgetheory.hedgetune.table import Array

#: Ranks whose weights sum to less than e^-40 = 4e-18 are left out.
NEGLIGIBLE = 40.0
#: Up to this S the whole matrix of Best-of-n weights is kept (512² doubles are 2 MB).
CACHED_SIZE = 512
_BLOCK = 1 << 22
_SMALL_BLOCK = 1 << 16


def best_of_n_weights(n: ArrayLike, size: int) -> Array:
    """Weights of the unbiased Best-of-n estimate on the ranks 1..S of S responses.

    W[n, i] = C(i−1, n−1) / C(S, n): the share of the n-subsets of the S responses whose best has
    rank i. So W @ g averages over *all* subsets drawn without replacement, ties shared as
    ``rank_gold`` shares them.

    ``n``: integers 1 ≤ n ≤ S, of shape (k,); ``size``: S ≥ 1. Returns (k, S), rows summing to one,
    relative error at most about S·2⁻⁵², without overflow for any S; ranks that together weigh less
    than 4e-18 get zero.

    Raises InputError for n outside 1..S: n > S is not estimable without a model.

    >>> best_of_n_weights([1, 2, 3], 3).round(3).tolist()
    [[0.333, 0.333, 0.333], [0.0, 0.333, 0.667], [0.0, 0.0, 1.0]]

    Source: THEORY.md, section 8; for 0/1 gold it is pass@n of Chen et al., arXiv 2107.03374.
    """
    draws = _draws(n, size)
    weights = np.zeros((len(draws), size))
    for block in _blocks(draws, size):
        top = _top_weights(draws[block], size)
        weights[block, size - top.shape[1] :] = top
    return weights


def best_of_n_values(ranked: ArrayLike, n: ArrayLike | None = None) -> Array:
    """Unbiased value of Best-of-n on each prompt, for many n in one pass.

    v_n = Σ_i C(i−1, n−1)/C(S, n) g_(i), the mean over all n-subsets of the S responses.

    ``ranked``: (prompts, S), as ``rank_gold`` gives it, ties shared; ``n``: integers in 1..S, all
    of them when left out. Returns (prompts, len(n)); error at most about S·2⁻⁵²·max|g|.

    Raises InputError for n outside 1..S.

    >>> best_of_n_values([[0.0, 1.0, 0.0]]).round(3).tolist()
    [[0.333, 0.333, 0.0]]

    Source: THEORY.md, section 8.
    """
    ranked = np.atleast_2d(np.asarray(ranked, np.float64))
    size = ranked.shape[1]
    draws = np.arange(1, size + 1) if n is None else _draws(n, size)
    if size <= CACHED_SIZE:
        weights = _all_weights(size)
        return ranked @ (weights if n is None else weights[draws - 1]).T
    values = np.empty((len(ranked), len(draws)))
    for block in _blocks(draws, size):
        top = _top_weights(draws[block], size)
        values[:, block] = ranked[:, size - top.shape[1] :] @ top.T
    return values


def best_of_n_curve(proxy: ArrayLike, gold: ArrayLike) -> tuple[Array, Array]:
    """Value of Best-of-n for every n = 1..S, with its standard error over prompts.

    Mean and s/√P of v_n = Σ_i C(i−1, n−1)/C(S, n) g_(i) over the P prompts; ties share their mean.

    ``proxy``, ``gold``: (P, S) arrays of finite numbers. Returns two arrays of shape (S,): the
    unbiased values, and their standard errors (NaN with one prompt).

    Raises InputError for shapes that differ, NaN and infinities.

    >>> value, error = best_of_n_curve([[1, 2], [1, 2]], [[0, 1], [1, 1]])
    >>> value.tolist(), error.tolist()
    ([0.75, 1.0], [0.25, 0.0])

    Source: THEORY.md, section 8.
    """
    return mean_and_error(best_of_n_values(rank_gold(proxy, gold)))


def mean_and_error(curves: Array) -> tuple[Array, Array]:
    """Mean over prompts (rows) and its standard error; NaN errors with one prompt."""
    count = len(curves)
    mean = curves.mean(axis=0)
    if count == 1:
        return mean, np.full_like(mean, np.nan)
    squares = np.zeros_like(mean)
    step = max(1, _SMALL_BLOCK // curves.shape[1])
    for start in range(0, count, step):
        offset = curves[start : start + step] - mean
        squares += np.einsum("ij,ij->j", offset, offset)
    return mean, np.sqrt(squares / (count * (count - 1)))


def plug_in_weights(rank_cdf: Callable[[Array], Array], size: int) -> Array:
    """Plug-in weights of a rank policy on the ranks 1..S of S responses.

    W_i = G(i/S) − G((i−1)/S): the policy as if the S responses were the whole law. Biased by O(1/S)
    for Lipschitz gold; use ``best_of_n_weights`` at integer n.

    ``rank_cdf``: G, increasing from G(0) = 0 to G(1) = 1, vectorised; any real parameter.
    ``size``: S ≥ 1. Returns (S,). Raises InputError where G is not such a cdf.

    >>> plug_in_weights(lambda u: u**2.5, 2).round(4).tolist()
    [0.1768, 0.8232]

    Source: THEORY.md, sections 2 and 8.
    """
    cdf = np.asarray(rank_cdf(np.arange(size + 1) / size), np.float64)
    weights = np.diff(cdf)
    if not (cdf.shape == (size + 1,) and cdf[0] == 0 and abs(cdf[-1] - 1) < 1e-12):
        raise InputError("rank_cdf must map arrays of [0, 1] to values from G(0) = 0 to G(1) = 1")
    if not (weights >= 0).all():
        raise InputError("rank_cdf must be increasing on [0, 1]")
    return weights


def best_of_poisson_mixture(mu: ArrayLike, size: int) -> tuple[Array, Array]:
    """Best-of-Poisson as a mixture of Best-of-n, n = 1..S, and the mass that S cannot reach.

    BoP(μ) draws N = 1 + Poisson(μ). With p_n = P(N = n) the mixture is p_1, …, p_{S−1} and, on
    n = S, everything left: P(N ≥ S). So **N is capped at S**: ``best_of_n_values(g) @ mixture.T``
    is unbiased for "draw min(N, S) and keep the best", and differs from BoP(μ) in expectation by
    at most ``tail`` = P(N > S) = P(Poisson(μ) ≥ S), times the range of the gold score. (A plug-in
    for the tail is worse near μ ~ S: it draws with replacement, as if N were smaller.)

    ``mu``: finite, ≥ 0, shape (k,); ``size``: S ≥ 1. Returns ``mixture`` (k, S), rows summing to
    one, and ``tail`` (k,). Raises InputError for μ outside its domain.

    >>> mixture, tail = best_of_poisson_mixture([0.0, 1.0], 2)
    >>> mixture.round(4).tolist(), tail.round(4).tolist()
    ([[1.0, 0.0], [0.3679, 0.6321]], [0.0, 0.2642])

    Source: THEORY.md, sections 2 and 8.
    """
    means = np.asarray(mu, np.float64).reshape(-1)
    if not ((means >= 0) & np.isfinite(means)).all():
        raise must_be("mu", mu, "finite and >= 0", "best_of_poisson_mixture")
    if size < 1:
        raise must_be("size", size, "an integer >= 1", "best_of_poisson_mixture")
    mixture = np.zeros((len(means), size))
    if len(means):
        first, window = _poisson_window(means, size)
        mixture[:, first : first + window.shape[1]] = window
    return mixture, poisson_tail(means, size)


def best_of_poisson_values(by_n: Array, mu: Array) -> Array:
    """``by_n @ best_of_poisson_mixture(mu, S).T`` without holding the whole mixture.

    ``by_n``: (prompts, S), the values of Best-of-n for n = 1..S. Returns (prompts, len(mu)).

    >>> best_of_poisson_values(np.array([[0.0, 1.0]]), np.array([0.0, 1.0])).round(4).tolist()
    [[0.0, 0.6321]]
    """
    size = by_n.shape[1]
    values = np.empty((len(by_n), len(mu)))
    step = max(1, _BLOCK // size)
    for start in range(0, len(mu), step):
        first, window = _poisson_window(mu[start : start + step], size)
        part = by_n[:, first : first + window.shape[1]]
        values[:, start : start + step] = part @ window.T
    return values


def poisson_tail(mu: Array, size: int) -> Array:
    """P(Poisson(μ) ≥ S): the share of Best-of-Poisson's draws N that exceeds S responses."""
    from scipy.special import gammainc

    return np.asarray(gammainc(size, mu), np.float64)


def _poisson_window(mu: Array, size: int) -> tuple[int, Array]:
    """P(N = n) for N = 1 + Poisson(μ), from n = 1 + first on, everything from S on at n = S.

    Outside μ ± (12√μ + 100) there is less than 2e^-50 (Chernoff).
    """
    from scipy.special import gammaln, xlogy

    reach = 12 * np.sqrt(mu) + 100
    first = int(np.clip((mu - reach).min(), 0, size - 1))
    stop = int(np.clip((mu + reach).max() + 1, first + 1, size))
    extra = np.arange(first, stop)
    window = np.exp(xlogy(extra, mu[:, None]) - mu[:, None] - gammaln(extra + 1.0))
    if stop == size:
        window[:, -1] = poisson_tail(mu, size - 1) if size > 1 else 1.0
    window /= window.sum(axis=1, keepdims=True)
    return first, window


def _draws(n: ArrayLike, size: int) -> NDArray[np.int64]:
    draws = np.asarray(n)
    if size < 1 or draws.ndim != 1 or draws.dtype.kind not in "iu":
        raise must_be("n", n, "a sequence of integers", f"Best-of-n from {size} responses")
    if draws.size and not (draws.min() >= 1 and draws.max() <= size):
        bad = draws[(draws < 1) | (draws > size)][0]
        raise must_be("n", bad, f"between 1 and S = {size}", f"Best-of-n from {size} responses")
    return draws.astype(np.int64)


@lru_cache(maxsize=16)
def _all_weights(size: int) -> Array:
    weights = _top_weights(np.arange(1, size + 1), size)
    weights.setflags(write=False)
    return weights


def _top_weights(draws: NDArray[np.int64], size: int) -> Array:
    """W[n, i] on the highest ranks only, as many as count for the smallest n; the last is S.

    From W[n, S] = n/S downwards by W[n, i−1]/W[n, i] = (i−n)/(i−1) ≤ 1: nothing overflows. The top
    k ranks leave out C(S−k, n)/C(S, n) ≤ e^(−nk/S).
    """
    count = min(size, int(NEGLIGIBLE * size / draws.min()) + 1)
    rank = np.arange(size, size - count, -1)[:-1]
    weights = np.empty((len(draws), count))
    weights[:, 0] = draws / size
    np.divide(np.maximum(rank - draws[:, None], 0), rank - 1, out=weights[:, 1:])
    np.cumprod(weights, axis=1, out=weights)
    return np.ascontiguousarray(weights[:, ::-1])


def _blocks(draws: NDArray[np.int64], size: int) -> Iterator[slice]:
    """Slices of ``draws`` within which n at most doubles (if sorted) and a block fits in memory."""
    start = 0
    while start < len(draws):
        count = min(size, int(NEGLIGIBLE * size / draws[start]) + 1)
        stop = start + max(1, _BLOCK // count)
        doubled = np.flatnonzero(draws[start:stop] > 2 * max(int(draws[start]), 32))
        stop = start + int(doubled[0]) if len(doubled) else min(stop, len(draws))
        yield slice(start, stop)
        start = stop
