"""Soft Best-of-n from samples: over all subsets, and as if the sample were the law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.ranks import checked_scores
from hedgetheory.hedgetune.soft_small import (
    few_multisets,
    few_subsets,
    multiset_ratio,
    subset_values,
)
from hedgetheory.hedgetune.table import Array

Scale: TypeAlias = Literal["reward", "quantile"]
SCALES: tuple[Scale, ...] = ("reward", "quantile")

#: Step of the trapezoid rule in s = ln t: relative error at most 2/(cos d (e^{2πd/h} − 1)) for any
#: d < π/2, which is 1.4e-11 at d = 1.518 (THEORY.md, section 2), for integer n.
STEP = 1 / 3
#: A gap λ(p_i − p_j) beyond this decides between i and j up to e^-45 = 3e-20: shorten it.
DECIDED = 45.0
#: The race is followed from t = 1e-7/n, its start taken to first order (error 1e-14), to where
#: the slowest rings but for e^-36.
_START, _END = np.log(1e-7), np.log(36.0)
_NODES = 24
_BLOCK = 1 << 16
#: Multiplications of one call, a minute or so: beyond it, refuse.
MAX_WORK = 2e10


def soft_best_of_n_values(
    proxy: ArrayLike,
    gold: ArrayLike,
    n: ArrayLike,
    lam: ArrayLike,
    *,
    scale: Scale = "reward",
) -> Array:
    """Unbiased value of Soft Best-of-n on each prompt: the mean over all n-subsets of responses.

    v(n, λ) = Σ_i g_i ∫₀^∞ e^{λp_i − t e^{λp_i}} e_{n−1}({e^{−t e^{λp_j}}}_{j≠i}) dt / C(S, n)
    = mean over subsets A, |A| = n, of Σ_{i∈A} g_i e^{λp_i} / Σ_{j∈A} e^{λp_j}.

    e_m is the elementary symmetric polynomial. The sum over i is a derivative: with
    E_j = e^{−T_j}, T_j = t e^{λp_j}, it is d/dε of e_n({E_j (1 + ε g_j T_j)})/t at 0, so that one
    pass of dual numbers gives every n and no division by E_j is ever needed. e_m/C(j, m) of the
    first j factors is a convex combination at each step: nothing overflows, and with g ≥ 0 nothing
    cancels. Where subsets are few they are written out.

    ``proxy``, ``gold``: (P, S), finite; ``n``: integers 1 ≤ n ≤ S, shape (N,); ``lam``: λ ≥ 0,
    finite, shape (L,). ``scale``: "reward", the softmax of λ times the proxy itself, or "quantile",
    of λ F(p) with F(p) = #{j: p_j ≤ p}/S in the whole prompt, ties sharing the upper F: unbiased
    for that softmax, whose quantiles carry an error O(1/√S) of their own.

    Returns (P, N, L), error at most 2e-11·max|g| (+ S·2⁻⁵²); tied responses are chosen alike.

    Raises InputError for arguments outside their domains, n > S included, and for more work than
    some minutes: S·max n·nodes a prompt and λ.

    >>> soft_best_of_n_values([[0, 1]], [[0, 1]], [1, 2], [0, np.log(3)])[0].round(10).tolist()
    [[0.5, 0.5], [0.5, 0.75]]

    Source: THEORY.md, section 8; exponential race of the paper's Soft Best-of-n.
    """
    scores, values = checked_scores(proxy, gold)
    size = scores.shape[1]
    draws = _integers(n, size)
    strengths = _strengths(lam)
    out = np.empty((len(scores), len(draws), len(strengths)))
    if not len(draws):
        return out
    few = np.array([few_subsets(size, int(k)) for k in draws])
    race = draws[~few]
    most = int(race.max(initial=0))
    _check_work(len(scores), size, most, len(strengths))
    places, values = _ordered(scores, values, scale)
    for column, strength in enumerate(strengths):
        heights = _heights(places, float(strength))
        for place in np.flatnonzero(few):
            out[:, place, column] = subset_values(heights, values, int(draws[place]))
        if most:
            found = np.empty((len(scores), len(race)))
            for rows, times in _blocks(heights, most, 2 * most + 2):
                found[rows] = _over_subsets(heights[rows], values[rows], race, times)
            out[:, ~few, column] = found
    return out


def _check_work(prompts: int, size: int, most: int, strengths: int) -> None:
    """Refuse races of n up to ``most`` that take more than some minutes.

    A step of the race is one array operation over some rows: it costs at least as much as a few
    thousand multiplications, which is what counts where rows are few.
    """
    rows = max(1.0, min(prompts, _BLOCK / ((2 * most + 2) * _NODES)))
    step = max(128.0 * rows * most, 2.0**14)
    if most and prompts / rows * size * strengths * step > MAX_WORK:
        raise InputError(
            f"soft Best-of-n over all subsets of {prompts} x {size} responses, n up to "
            f"{most}, at {strengths} values of lam is more work than fits in minutes; "
            "take smaller n, fewer responses, or the plug-in"
        )


def soft_best_of_n_plug_in(
    proxy: ArrayLike,
    gold: ArrayLike,
    n: ArrayLike,
    lam: ArrayLike,
    *,
    scale: Scale = "reward",
) -> Array:
    """Value of Soft Best-of-n on each prompt as if its S responses were the whole law.

    v(n, λ) = (n/S) Σ_i g_i ∫₀^∞ e^{λp_i − t e^{λp_i}} φ(t)^{n−1} dt with
    φ(t) = (1/S) Σ_j e^{−t e^{λp_j}}, the mean over *all* j: n draws with replacement. Biased by
    O(1/S); ``soft_best_of_n_values`` is not, but costs S·n where this costs S. All n share φ.

    Arguments as there, but n real, 1 ≤ n < ∞, also beyond S. Returns (P, N, L), error at most
    2e-11·max|g| for integer n. Real n is as accurate only where φ has no zeros near the positive
    axis (THEORY.md, section 2).

    >>> soft_best_of_n_plug_in([[0, 1]], [[0, 1]], [1, 2], [0, np.log(3)])[0].round(10).tolist()
    [[0.5, 0.5], [0.5, 0.625]]

    Raises InputError for arguments outside their domains. Source: THEORY.md, sections 2 and 8.
    """
    scores, values = checked_scores(proxy, gold)
    draws = _reals(n)
    strengths = _strengths(lam)
    out = np.empty((len(scores), len(draws), len(strengths)))
    places, values = _ordered(scores, values, scale)
    size = scores.shape[1]
    for column, strength in enumerate(strengths):
        heights = _heights(places, float(strength))
        for rows, times in _blocks(heights, float(draws.max(initial=1)), size):
            start = (np.exp(heights[rows]) * values[rows]).mean(axis=1)
            total = np.repeat((_before(times) * start)[:, None], len(draws), axis=1)
            for window in _windows(heights[rows], times, size):
                rings = np.matmul(window.rings, values[rows, window.active, None])[..., 0]
                rings *= STEP / size
                power = np.exp((draws - 1) * window.log_mean[:, :, None])
                total += np.matmul(rings[:, None, :], power)[:, 0]
            out[rows, :, column] = draws * total
    return out


def soft_best_of_n_ratio(
    proxy: ArrayLike, n: float, lam: float, *, scale: Scale = "reward"
) -> Array:
    """The plug-in density ratio w_i of Soft Best-of-n on each response: its weight is w_i/S.

    w_i = n ∫₀^∞ e^{λp_i − t e^{λp_i}} φ(t)^{n−1} dt, with mean one over the responses of a prompt.

    ``proxy``: (P, S); real n ≥ 1, λ ≥ 0. Returns (P, S), as accurate as the plug-in values. Raises
    InputError outside the domains.

    >>> soft_best_of_n_ratio([[0, 1]], 2, np.log(3)).round(10).tolist()
    [[0.75, 1.25]]

    Source: THEORY.md, section 2.
    """
    scores, _ = checked_scores(proxy, proxy)
    draws, strength = float(_reals([n])[0]), float(_strengths([lam])[0])
    order = np.argsort(scores, axis=1)
    heights = _heights(_ordered(scores, scores, scale)[0], strength)
    ratio, out = np.empty_like(scores), np.empty_like(scores)
    size = scores.shape[1]
    if few_multisets(size, draws):
        np.put_along_axis(out, order, multiset_ratio(heights, int(draws)), axis=1)
        return out
    for rows, times in _blocks(heights, draws, size):
        total = _before(times) * np.exp(heights[rows])
        for window in _windows(heights[rows], times, size):
            power = np.exp((draws - 1) * window.log_mean)
            total[:, window.active] += STEP * np.matmul(power[:, None, :], window.rings)[:, 0]
        ratio[rows] = draws * total
    np.put_along_axis(out, order, ratio, axis=1)
    return np.asarray(out / out.mean(axis=1, keepdims=True))


def upper_quantiles(scores: Array) -> Array:
    """F(p_i) = #{j: p_j ≤ p_i}/S within each prompt (row): ties share the upper value.

    >>> upper_quantiles(np.array([[3.0, 1.0, 3.0, 7.0]])).tolist()
    [[0.75, 0.25, 0.75, 1.0]]
    """
    size = scores.shape[1]
    order = np.argsort(scores, axis=1, kind="stable")
    ordered = np.take_along_axis(scores, order, axis=1)
    last = np.ones(scores.shape, bool)
    last[:, :-1] = ordered[:, 1:] != ordered[:, :-1]
    # The count at the end of each run of ties, carried back over the run.
    count = np.where(last, np.arange(1, size + 1), size + 1)
    upper = np.minimum.accumulate(count[:, ::-1], axis=1)[:, ::-1]
    out = np.empty(scores.shape)
    np.put_along_axis(out, order, upper / size, axis=1)
    return out


@dataclass(frozen=True, slots=True)
class _Window:
    """Some nodes t and the responses ``active`` there: those before never ring, those after have.

    ``silent`` = e^{−T} and ``rings`` = T e^{−T}, (prompts, nodes, active), T = t e^{λp};
    ``log_mean`` = ln φ over all responses.
    """

    active: slice
    silent: Array
    rings: Array
    log_mean: Array


def _windows(heights: Array, times: Array, depth: int) -> Iterator[_Window]:
    """The race in windows of nodes. Heights increase along rows; ``depth`` arrays of each are used.

    Responses with T < 1e-15 on the whole window count as silent, those with T > 36 as rung: an
    error of 1e-15 each in φ, and of the ring that is left out.
    """
    rows, size = heights.shape
    # Short windows leave out more responses, long ones are fewer.
    count = int(np.clip((1 << 15) // (rows * depth), _NODES, 8 * _NODES))
    for start in range(0, len(times), count):
        nodes = times[start : start + count]
        slow = int((heights < -34.5 - nodes[-1]).sum(axis=1).min())
        stop = int((heights <= _END - nodes[0]).sum(axis=1).max())
        active = slice(slow, max(slow, stop))
        rings = np.exp(nodes[:, None] + heights[:, None, active])
        silent = np.exp(-rings)
        rings *= silent
        mean = (slow + silent.sum(axis=2)) / size
        yield _Window(active, silent, rings, np.log(np.maximum(mean, 1e-300)))


def _before(times: Array) -> float:
    """h Σ_{k≥1} t_0 e^{−kh}: the nodes before the first, where the integrand is a line in t."""
    return float(STEP * np.exp(times[0]) / np.expm1(STEP))


def _over_subsets(heights: Array, gold: Array, draws: NDArray[np.int64], times: Array) -> Array:
    """(P, N): dual numbers ``state`` of e_m/C(j, m) after j responses, window by window.

    Responses that are silent for certain come first, all factors one: e_m/C(j, m) = 1 for m ≤ j.
    Those that have rung multiply nothing in: e_m is theirs no more, and C(j, m) becomes C(S, m).
    """
    size = heights.shape[1]
    most, least = int(draws.max()), int(draws.min())
    start = (np.exp(heights) * gold).mean(axis=1)[:, None] * draws
    total: Array = _before(times) * start
    for window in _windows(heights, times, most + 1):
        first, last = window.active.start, window.active.stop
        if first >= last:
            continue  # nobody rings here
        silent, rings = np.moveaxis(window.silent, 2, 0), np.moveaxis(window.rings, 2, 0)
        state = np.zeros((2, most + 1, *silent.shape[1:]))
        state[0, : first + 1] = 1
        for j in range(first + 1, last + 1):
            factor = silent[j - first - 1]
            ring = rings[j - first - 1] * gold[:, j - 1, None]
            # Only degrees that can still reach some n of the answer.
            low, high = max(1, least - (last - j)), min(j, most)
            below, here = slice(low - 1, high), slice(low, high + 1)
            share = np.arange(low, high + 1)[:, None, None] / j
            step = state[:, below] * factor
            step[1] += state[0, below] * ring
            step *= share
            state[:, here] *= 1 - share
            state[:, here] += step
        total += STEP * state[1, draws].sum(axis=2).T * _share_of_subsets(last, size, draws)
    return total


def _share_of_subsets(last: int, size: int, draws: NDArray[np.int64]) -> Array:
    """C(last, n)/C(S, n): the share of the n-subsets within the first ``last`` of S."""
    from scipy.special import gammaln

    if last == size:
        return np.ones(len(draws))
    left = np.where(draws <= last, last - draws, 0)
    logs = gammaln(last + 1.0) - gammaln(left + 1.0) - gammaln(size + 1.0)
    logs += gammaln(size - draws + 1.0)
    return np.asarray(np.where(draws <= last, np.exp(logs), 0.0))


def _ordered(scores: Array, gold: Array, scale: Scale) -> tuple[Array, Array]:
    """What the softmax sees, increasing along each row, and gold in that order."""
    if scale not in SCALES:
        raise must_be("scale", repr(scale), "reward or quantile", "soft Best-of-n")
    order = np.argsort(scores, axis=1)
    places = np.take_along_axis(scores, order, axis=1)
    if scale == "quantile":
        places = upper_quantiles(places)
    return places, np.take_along_axis(gold, order, axis=1)


def _heights(places: Array, strength: float) -> Array:
    """λ(p_i − max p) ≤ 0 of ordered rows; gaps that decide for certain shortened to ``DECIDED``."""
    # Halved, so that the range of huge scores does not overflow; a product may, to −∞.
    with np.errstate(over="ignore"):
        heights = (places / 2 - places[:, -1:] / 2) * strength * 2
        if heights.min() >= -DECIDED:
            return np.asarray(heights)
        gaps = np.minimum(np.diff(places / 2, axis=1) * strength * 2, DECIDED)
    shorter = np.zeros_like(heights)
    shorter[:, :-1] = -np.cumsum(gaps[:, ::-1], axis=1)[:, ::-1]
    return shorter


def _times(heights: Array, most: float) -> Array:
    """The nodes s = ln t for these prompts and n up to ``most``."""
    low, high = _START - np.log(most), _END - float(heights.min())
    return np.asarray(low + STEP * np.arange(np.ceil((high - low) / STEP) + 1), np.float64)


def _blocks(heights: Array, most: float, depth: int) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Rows of like range, with their nodes: so few that ``depth`` × rows × nodes stays small."""
    order = np.argsort(-heights.min(axis=1), kind="stable")
    start = 0
    while start < len(order):
        stop = start + max(1, _BLOCK // (depth * _NODES))
        rows = order[start:stop]
        yield rows, _times(heights[rows], most)
        start = stop


def _integers(n: ArrayLike, size: int) -> NDArray[np.int64]:
    draws = np.asarray(n)
    call = f"soft Best-of-n from {size} responses"
    if draws.ndim != 1 or draws.dtype.kind not in "iu":
        raise must_be("n", n, "a sequence of integers", call)
    if len(draws) and not (draws.min() >= 1 and draws.max() <= size):
        bad = draws[(draws < 1) | (draws > size)][0]
        raise must_be("n", bad, f"between 1 and S = {size}", call)
    return draws.astype(np.int64)


def _reals(n: ArrayLike) -> Array:
    draws = np.asarray(n, np.float64)
    if draws.ndim != 1 or not ((draws >= 1) & np.isfinite(draws)).all():
        raise must_be("n", n, "a sequence of real numbers >= 1", "soft Best-of-n")
    return draws


def _strengths(lam: ArrayLike) -> Array:
    strengths = np.asarray(lam, np.float64)
    if strengths.ndim != 1 or not ((strengths >= 0) & np.isfinite(strengths)).all():
        raise must_be("lam", lam, "a sequence of finite numbers >= 0", "soft Best-of-n")
    return strengths
