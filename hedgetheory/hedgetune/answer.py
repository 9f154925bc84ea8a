"""The answer of ``tune`` from the points of a family: the best, its intervals, shapes, regret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.bootstrap import (
    first_of_the_best,
    held_out_value,
    resampled_means,
    studentised_quantiles,
)
from hedgetheory.hedgetune.constraints import Constraints, Labels, group_means
from hedgetheory.hedgetune.intervals import (
    NO_THRESHOLD,
    mean_error,
    slope_interval,
    threshold,
    turning,
    within,
)
from hedgetheory.hedgetune.points import Points, RealPoints
from hedgetheory.hedgetune.rank_points import BestOfNPoints
from hedgetheory.hedgetune.shape import REGIMES, regimes, turns
from hedgetheory.hedgetune.table import Array

if TYPE_CHECKING:
    from hedgetheory.hedgetune.tune import Settings


def answer(
    points: Points,
    settings: Settings,
    constraints: Constraints,
    labels: Labels | None,
    unit: float,
) -> dict[str, Any]:
    """The fields of a TuneResult that depend on the family; gold is in units of ``unit``."""
    rounding = max(2.0**-49 * points.groups[-1].size, points.precision)
    top = points.best(rounding)
    free_best = {"theta": points.number(points.thetas[top])}
    asked = constraints.to_json() is not None
    allowed = np.ones(len(points.thetas), bool)
    if asked:
        free_best["value"] = float(points.mean(points.curves[:, [top]])[0]) * unit
        allowed = constraints.settle(points, labels, unit)
    curves, weights = points.curves, points.weights
    mean = points.mean(curves)
    places = np.flatnonzero(allowed)
    place = int(places[first_of_the_best(mean[None, places], rounding)[0]])
    theta = points.number(points.thetas[place])
    resampled = settings.resamples > 0 and _enough(points)
    found = _resampled(points, settings, places, place, rounding) if resampled else None
    error = mean_error(curves, mean, weights)
    more = {"kl": points.kl_at(points.thetas)} | points.more()
    curve: list[dict[str, float | None]] = [
        {
            "theta": points.number(t),
            "value": _number(mean[k] * unit),
            "se": _number(error[k] * unit),
            "expected_draws": points.expected_draws(float(t)),
        }
        | {key: _number(values[k]) for key, values in more.items()}
        for k, t in enumerate(points.thetas)
    ]
    shape = int(regimes(mean[None], rounding)[0])
    heldout = held_out_value(curves[:, places], rounding, weights, settings.seed)
    inside = turns(mean, rounding)
    interior = (place, "max") in inside
    turn = _threshold(points, settings.confidence, place) if interior else NO_THRESHOLD
    interval = None
    if found is not None:
        interval = found["interval"]
        if interior and isinstance(points, RealPoints) and _enough(points):
            interval = _slope_interval(points, settings, place, inside, found)
        if isinstance(points, RealPoints):  # on a level stretch resamples may settle beside theta
            interval = [min(interval[0], theta), max(interval[1], theta)]
    return {
        "theta": theta,
        "theta_interval": None if interval is None else [points.number(t) for t in interval],
        "value": float(mean[place]) * unit,
        "value_heldout": None if heldout is None else heldout * unit,
        "regime": REGIMES[shape],
        "regime_support": None if found is None else float(found["shapes"][shape]),
        "curve": curve,
        "warnings": points.warnings(place, unit) if not asked else _notes(points, place, unit, top),
        "largest": curve[points.strongest],
        "regret": float(mean[place] - mean[points.strongest]) * unit,
        "regret_interval": None if found is None else [float(x) * unit for x in found["losses"]],
        "hacks": None if found is None else bool(found["losses"][0] > 0),
        "ties": points.ties if not asked else [],
        "extrema": [
            {"theta": points.number(points.thetas[k]), "value": float(mean[k]) * unit, "kind": kind}
            for k, kind in inside
        ],
        **turn,
        "expected_draws": points.expected_draws(float(theta)),
        "kl": curve[place]["kl"],
        "tail_mass": curve[place].get("tail_mass"),
        "effective_sample_size": curve[place].get("effective_sample_size"),
        "parameter": points.symbol,
        "unconstrained": free_best if asked else None,
        "groups": None if labels is None else _groups(points, labels, place, unit),
    }


def _number(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


def _enough(points: Points) -> bool:
    """Whether more than one prompt counts."""
    return points.prompts > 1 and (
        points.weights is None or int(np.count_nonzero(points.weights)) > 1
    )


def _notes(points: Points, place: int, unit: float, top: int) -> list[str]:
    """Under constraints the end of the points is no news unless it is the answer."""
    return points.warnings(place, unit) if points.at_the_end(place) else []


def _resampled(
    points: Points,
    settings: Settings,
    places: NDArray[np.int64],
    place: int,
    rounding: float,
) -> dict[str, Any]:
    """Percentile intervals of θ and of the regret, shares of the shapes, and the resampled θ."""
    chosen: list[Array] = []
    losses: list[Array] = []
    shapes = np.zeros(len(REGIMES))
    every = len(places) == len(points.thetas)
    blocks = resampled_means(points.curves, settings.resamples, settings.seed, points.weights)
    for means in blocks:
        best = places[first_of_the_best(means[:, places] if not every else means, rounding)]
        chosen.append(points.refined(means, best) if every else points.thetas[best].astype(float))
        losses.append(means[:, place] - means[:, points.strongest])
        shapes += np.bincount(regimes(means, rounding), minlength=len(REGIMES))
    thetas = np.concatenate(chosen)
    return {
        "chosen": thetas,
        "interval": _percentiles(thetas, settings.confidence, points.method),
        "losses": _percentiles(np.concatenate(losses), settings.confidence, "linear"),
        "shapes": shapes / settings.resamples,
    }


def _percentiles(values: Array, confidence: float, method: str) -> list[float]:
    tail = (1 - confidence) / 2
    return [float(np.quantile(values, q, method=cast(Any, method))) for q in (tail, 1 - tail)]


def _slope_interval(
    points: RealPoints,
    settings: Settings,
    place: int,
    inside: list[tuple[int, Any]],
    resampled: dict[str, Any],
) -> list[float]:
    """Where the slope may vanish around the maximum, by a studentised bootstrap.

    Where resamples choose another peak, beyond the troughs next to this one, more often than the
    interval may be wrong, that peak may be the best: the percentile interval is joined.
    """
    curves = points.curves[:, points.base]
    upper, lower = studentised_quantiles(
        np.diff(curves, axis=1),
        settings.resamples,
        settings.seed,
        settings.confidence,
        points.weights,
    )
    at = float(points.coordinate(points.thetas[place : place + 1])[0])
    found = slope_interval(points.steps(), at, upper, lower)
    ends = within(points.parameter, found, _ends(points))
    troughs = [k for k, kind in inside if kind == "min"]
    left = max((points.thetas[k] for k in troughs if k < place), default=-np.inf)
    right = min((points.thetas[k] for k in troughs if k > place), default=np.inf)
    chosen, percentile = resampled["chosen"], resampled["interval"]
    astray = np.mean((chosen < left) | (chosen > right))
    if astray > 1 - settings.confidence:
        ends = [min(ends[0], percentile[0]), max(ends[1], percentile[1])]
    return ends


def _threshold(points: Points, confidence: float, place: int) -> dict[str, Any]:
    """The real θ† next to the best point, with what Student's test and the delta method say."""
    if points.integral and not isinstance(points, BestOfNPoints):
        return NO_THRESHOLD
    steps = points.steps()
    at = float(points.coordinate(points.thetas[place : place + 1])[0])
    if points.integral:
        turned = turning(steps, at)
        if turned is None:
            return NO_THRESHOLD
        at = turned
    prompts = points.prompts if _enough(points) else 1
    return threshold(
        steps, at, points.parameter, _ends(points), confidence=confidence, prompts=prompts
    )


def _ends(points: Points) -> tuple[float, float]:
    return float(points.thetas[0]), float(points.thetas[-1])


def _groups(points: Points, labels: Labels, place: int, unit: float) -> list[dict[str, Any]]:
    means = group_means(points.curves, labels.codes, points.weights)
    return [
        {
            "group": name,
            "n_prompts": int(np.count_nonzero(labels.codes == code)),
            "value": _number(means[code, place] * unit),
            "theta": points.number(points.thetas[int(np.argmax(means[code]))])
            if np.isfinite(means[code, 0])
            else None,
            "best": _number(means[code].max() * unit),
        }
        for code, name in enumerate(labels.names)
    ]
