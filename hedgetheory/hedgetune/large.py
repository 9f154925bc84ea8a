"""HedgeTune on a table larger than memory, or on a cluster: from the rank reduction alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.bootstrap import cross_fitted
from hedgetheory.hedgetune.estimators import (
    best_of_n_values,
    best_of_n_weights,
    best_of_poisson_mixture,
    best_of_poisson_values,
    poisson_tail,
)
from hedgetheory.hedgetune.intervals import NO_THRESHOLD, Steps, threshold, turning
from hedgetheory.hedgetune.mixtures import DRAWS
from hedgetheory.hedgetune.moments import CROSS
from hedgetheory.hedgetune.rank_points import integer_grid
from hedgetheory.hedgetune.real_draws import real_best_of_n_weights
from hedgetheory.hedgetune.reduction import CurveMoments, RankWeights, Reduction
from hedgetheory.hedgetune.result import TuneResult
from hedgetheory.hedgetune.shape import REGIMES, regimes, turns
from hedgetheory.hedgetune.sources import Source
from hedgetheory.hedgetune.streaming import reduce_table
from hedgetheory.hedgetune.table import Array

Family = Literal["bon", "bop"]

#: Best-of-Poisson mixes all n ≤ S: S² numbers.
MAX_POISSON_SIZE = 4096
#: Best-of-Poisson: μ runs to where this share of its draws would exceed the responses at hand.
MAX_TAIL = 0.1
MAX_RESAMPLES = 100_000
_GRID, _REAL_GRID = 129, 65


def tune_large(
    table: Source | Reduction,
    family: Family = "bon",
    *,
    scheduler: Any = None,
    seed: int = 0,
    resamples: int = 1000,
    confidence: float = 0.95,
    cross: int = CROSS,
    **reading: Any,
) -> TuneResult:
    """`tune` for a table of any size: one pass in bounded memory, here or on a Dask cluster.

    θ̂, the curve and its standard errors are those of `tune` on the same table up to rounding
    (standard errors up to binning where S > ``cross``). Intervals and ``regime_support`` come from
    normal resamples of the mean curve, by the central limit theorem over prompts, not from the
    bootstrap; ``value_heldout`` is cross-fitted over 16 folds of prompts; ``kl`` comes from the
    counted ties, and is None where S > ``cross``; the ``threshold`` and its interval are those of
    `tune`, and under "bop" ``theta_interval`` is that interval. Constraints need the table itself.

    ``table``: what `read_table` takes, or a Reduction that is there already. ``family``: "bon" or
    "bop". ``scheduler``: the address of a Dask scheduler, or None for this machine. ``reading``:
    column names, ``drop_invalid`` and the rest of `reduce_table` or `reduce_distributed`.

    Raises InputError as `reduce_table`; for a prompt with a single response (under "bop": if all
    have one), and a proxy constant within every prompt.

    >>> result = tune_large("ridge_overfit")
    >>> result.theta, result.regime, round(result.value, 4)
    (3, 'peak', 0.2087)
    """
    call = f"tune_large(family={family!r})"
    if family not in ("bon", "bop"):
        raise must_be("family", repr(family), "bon or bop from the rank reduction", call)
    if not (isinstance(seed, int) and seed >= 0):
        raise must_be("seed", seed, "an integer >= 0", call)
    if not (isinstance(resamples, int) and 0 <= resamples <= MAX_RESAMPLES):
        raise must_be("resamples", resamples, f"an integer from 0 to {MAX_RESAMPLES}", call)
    if not (isinstance(confidence, float) and 0 < confidence < 1):
        raise must_be("confidence", confidence, "strictly between 0 and 1", call)
    if not isinstance(table, Reduction):
        if scheduler is None:
            table = reduce_table(table, cross=cross, **reading)
        else:
            from hedgetheory.hedgetune.distributed import reduce_distributed

            table = reduce_distributed(table, scheduler=scheduler, cross=cross, **reading)
    if not table.selects:
        raise InputError(
            f"{table.name}: the proxy is constant within every prompt, so that it selects nothing; "
            "take another proxy column"
        )
    points = _best_of_n(table) if family == "bon" else _best_of_poisson(table)
    return _answer(table, family, points, seed=seed, resamples=resamples, confidence=confidence)


@dataclass(frozen=True, slots=True)
class _Points:
    """``grid``: even in the coordinate ``to``, whose inverse is ``back``, for slopes;
    ``real``: the weights there, at real parameters."""

    thetas: Array
    place: int
    curve: CurveMoments
    weights: RankWeights
    ties: list[int]
    tails: Array | None
    warnings: list[str]
    grid: Array
    real: RankWeights
    to: Callable[[Array], Array]
    back: Callable[[Array], Array]
    rank_cdf: RankWeights


def _answer(
    table: Reduction,
    family: Family,
    points: _Points,
    *,
    seed: int,
    resamples: int,
    confidence: float,
) -> TuneResult:
    thetas, place, curve = points.thetas, points.place, points.curve
    unit, mean = curve.unit, curve.mean
    rounding = 2.0**-49 * table.sizes()[-1].size
    tail = (1 - confidence) / 2
    theta_interval = regret_interval = support = None
    shape = int(regimes(mean[None], rounding)[0])
    if resamples and curve.count > 1:
        means = curve.resampled_means(resamples, seed)
        chosen = np.sort(thetas[_first_best(means, rounding)])
        ends = [int(np.ceil(q * resamples)) - 1 for q in (tail, 1 - tail)]
        theta_interval = [_number(family, chosen[max(end, 0)]) for end in ends]
        losses = means[:, place] - means[:, -1]
        regret_interval = [float(x) * unit for x in np.quantile(losses, [tail, 1 - tail])]
        support = float((regimes(means, rounding) == shape).mean())
    inside = turns(mean, rounding)
    turn = NO_THRESHOLD
    if (place, "max") in inside:
        turn = _threshold(table, points, confidence, curve.count, family)
        if family == "bop" and theta_interval is not None:
            low, high = turn["threshold_interval"]
            theta_interval = [min(low, float(thetas[place])), max(high, float(thetas[place]))]
    heldout = _held_out(curve, rounding)
    error = curve.error
    kl = table.kl(points.rank_cdf, thetas)
    points_out: list[dict[str, float | None]] = []
    one: dict[str, float | None]
    for k, theta in enumerate(thetas):
        se = float(error[k]) * unit if np.isfinite(error[k]) else None
        value = float(mean[k]) * unit
        one = {"theta": _number(family, theta), "value": value, "se": se}
        one["expected_draws"] = float(theta) if family == "bon" else 1 + float(theta)
        one["kl"] = None if kl is None else float(kl[k])
        if points.tails is not None:
            one["tail_mass"] = float(points.tails[k])
        points_out.append(one)
    theta = _number(family, thetas[place])
    return TuneResult(
        family=family,
        parameter="n" if family == "bon" else "mu",
        theta=theta,
        theta_interval=theta_interval,
        value=float(mean[place]) * unit,
        value_heldout=None if heldout is None else heldout * unit,
        regime=REGIMES[shape],
        regime_support=support,
        n_prompts=curve.count,
        n_responses=table.rows,
        dropped=table.dropped,
        curve=points_out,
        warnings=[*_notes(table, curve), *points.warnings],
        largest=points_out[-1],
        regret=float(mean[place] - mean[-1]) * unit,
        regret_interval=regret_interval,
        hacks=None if regret_interval is None else regret_interval[0] > 0,
        ties=points.ties,
        extrema=[
            {"theta": _number(family, thetas[k]), "value": float(mean[k]) * unit, "kind": kind}
            for k, kind in inside
        ],
        **turn,
        expected_draws=theta if family == "bon" else 1 + theta,
        kl=points_out[place]["kl"],
        tail_mass=None if points.tails is None else float(points.tails[place]),
        effective_sample_size=None,
        constraints=None,
        unconstrained=None,
        groups=_groups(table, points, family) if table.groups else None,
        seed=seed,
        resamples=resamples,
        confidence=confidence,
    )


def _threshold(
    table: Reduction, points: _Points, confidence: float, prompts: int, family: Family
) -> dict[str, Any]:
    """The real θ† by the moments of the steps themselves: their errors do not cancel."""
    grid, size = points.grid, len(points.grid)
    places = np.arange(size)

    def step(k: Array, responses: int) -> Array:
        first, last = int(k[0]), int(k[-1]) + 2
        return np.diff(points.real(points.back(grid[first:last]), responses), axis=0)

    moved = table.curve(places[:-1], step)
    width = np.diff(grid)
    steps = Steps(grid[:-1] + width / 2, width, moved.mean, moved.error)
    at = float(points.to(points.thetas[points.place : points.place + 1])[0])
    if family == "bon":
        turned = turning(steps, at)
        if turned is None:
            return NO_THRESHOLD
        at = turned
    ends = float(points.thetas[0]), float(points.thetas[-1])
    return threshold(steps, at, points.back, ends, confidence=confidence, prompts=prompts)


def _notes(table: Reduction, curve: CurveMoments) -> list[str]:
    notes = ["from the rank reduction: intervals by the central limit theorem"]
    if table.dropped:
        notes.append(f"{table.dropped} invalid rows were dropped")
    if not curve.exact:
        notes.append("so many responses that ranks were binned for errors and intervals")
    if curve.count == 1:
        notes.append("one prompt: no standard errors, no interval, no held-out value")
    return notes


def _groups(table: Reduction, points: _Points, family: Family) -> list[dict[str, Any]]:
    """For each group its prompts, its value at theta, and its own best of the same points."""
    found = []
    for name in table.groups:
        curve = table.group(name).curve(points.thetas, points.weights)
        own = int(np.argmax(curve.mean))
        found.append(
            {
                "group": name,
                "n_prompts": curve.count,
                "value": float(curve.mean[points.place]) * curve.unit,
                "theta": _number(family, points.thetas[own]),
                "best": float(curve.mean[own]) * curve.unit,
            }
        )
    return found


def _number(family: Family, theta: float) -> float:
    return int(theta) if family == "bon" else float(theta)


def _first_best(means: Array, tolerance: float) -> NDArray[np.intp]:
    near = means >= means.max(axis=1, keepdims=True) - tolerance
    return np.asarray(near.argmax(axis=1))


def _held_out(curve: CurveMoments, tolerance: float) -> float | None:
    """Each fold valued at what the others choose; None where all prompts are in one fold."""
    weight, value = curve.fold_weight, curve.fold_mean
    if np.count_nonzero(weight) < 2:
        return None
    full = weight > 0
    return cross_fitted(weight[full, None] * value[full], weight[full], tolerance)


def _best_of_n(table: Reduction) -> _Points:
    found = table.sizes()
    size, largest = found[0].size, found[-1].size
    if size == 1:
        raise InputError(
            f"{table.name}: {found[0].count} of {sum(m.count for m in found)} prompts have one "
            "response only, which leaves nothing to select; every prompt must have at least 2"
        )
    every = np.arange(1, size + 1)
    mean = table.mean(lambda n, gold: best_of_n_values(gold, n)[0], every, table.exponent)
    ties = [int(n) for n in every[mean >= mean.max() - 2.0**-49 * largest]]
    thetas = np.union1d(integer_grid(size), ties[:1])
    warnings = []
    if largest > size:
        more = sum(m.count for m in found[1:])
        warnings.append(
            f"n stops at {size}, the smallest number of responses of a prompt "
            f"({more} prompts have more)"
        )
    if len(ties) > 1:
        shown = ", ".join(map(str, ties[:8])) + (", ..." if len(ties) > 8 else "")
        warnings.append(f"tied at the top: n = {shown}; theta is the smallest")
    if ties[0] == size:
        warnings.append(
            f"no interior threshold: the largest n = {size} is the best, "
            "and a larger one cannot be estimated from this table"
        )
    curve = table.curve(thetas, best_of_n_weights)
    place = int(np.searchsorted(thetas, ties[0]))
    grid = np.linspace(0, np.log(size), _REAL_GRID)

    def real(n: Array, responses: int) -> Array:
        return real_best_of_n_weights(np.minimum(n, size), responses)

    def rank_cdf(n: Array, responses: int) -> Array:
        u = np.arange(responses + 1) / responses
        return np.asarray(u ** np.asarray(n, np.float64)[:, None])

    return _Points(
        *(thetas, place, curve, best_of_n_weights, ties, None, warnings),
        *(grid, real, np.log, np.exp, rank_cdf),
    )


def _best_of_poisson(table: Reduction) -> _Points:
    found = table.sizes()
    if found[-1].size == 1:
        raise InputError(
            f"{table.name}: every prompt has one response only, which leaves nothing to select"
        )
    if found[-1].size > MAX_POISSON_SIZE:
        raise InputError(
            f"{table.name}: a prompt has {found[-1].size} responses; Best-of-Poisson from the "
            f"reduction takes up to {MAX_POISSON_SIZE}; tune it in memory"
        )

    def tails(mu: Array) -> Array:
        weights = [m.first.weight for m in found]
        each = [poisson_tail(mu, m.size) for m in found]
        return np.asarray(np.average(each, axis=0, weights=weights), np.float64)

    def mean(mu: Array) -> Array:
        def values(mu: Array, gold: Array) -> Array:
            return np.asarray(best_of_poisson_values(best_of_n_values(gold), mu)[0], np.float64)

        return table.mean(values, mu, table.exponent)

    low, largest = 0.0, float(found[-1].size)
    for _ in range(60):
        middle = (low + largest) / 2
        low, largest = (
            (middle, largest) if tails(np.array([middle]))[0] <= MAX_TAIL else (low, middle)
        )
    thetas = np.expm1(np.linspace(0, np.log1p(low), _GRID))
    rounding = 2.0**-49 * found[-1].size
    best = int(_first_best(mean(thetas)[None], rounding)[0])
    grid = np.log1p(thetas)
    start, stop = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    for _ in range(8):
        line = np.linspace(start, stop, 33)
        top = int(np.argmax(mean(np.expm1(line))))
        start, stop = line[max(top - 1, 0)], line[min(top + 1, 32)]
    refined = np.expm1(line[top : top + 1])
    if mean(refined)[0] > mean(thetas[best : best + 1])[0] + rounding:
        thetas = np.union1d(thetas, refined)
    place = int(_first_best(mean(thetas)[None], rounding)[0])

    def weights(mu: Array, size: int) -> Array:
        return best_of_poisson_mixture(mu, size)[0] @ best_of_n_weights(
            np.arange(1, size + 1), size
        )

    warnings = []
    if place == len(thetas) - 1:
        warnings.append(
            f"no interior threshold up to mu = {low:.4g}, where {MAX_TAIL:.0%} of the draws N "
            "exceed the responses; a larger mu cannot be estimated from this table"
        )
    curve = table.curve(thetas, weights)

    def rank_cdf(mu: Array, responses: int) -> Array:
        u = np.arange(responses + 1) / responses
        return DRAWS["bop"].pgf(u, mu=np.asarray(mu, np.float64)[:, None])

    return _Points(
        *(thetas, place, curve, weights, [], tails(thetas), warnings),
        *(grid, weights, np.log1p, np.expm1, rank_cdf),
    )
