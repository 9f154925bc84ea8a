"""Intervals for the real parameter at the top of an estimated curve, by its slope.

The slope of a curve is unbiased wherever the curve is, but the place where it vanishes is not, and
far from normal where the top is flat. So the slope is tested, not the place: the interval holds the
θ at which the slope is not significantly different from zero (Fieller's way). It needs only the
mean curve and the standard errors of its steps, from prompts or from their second moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgetheory.hedgetune.table import Array


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a mean curve on a grid: where, how high, and how sure.

    ``middle``: the middles of the grid's cells in a smooth coordinate c of θ, increasing;
    ``width``: their widths; ``rise``: the mean curve's step over each; ``error``: its standard
    error. A step over a cell is its width times the slope at its middle, up to O(width³).
    """

    middle: Array
    width: Array
    rise: Array
    error: Array

    @classmethod
    def of(cls, coordinate: Array, mean: Array, error: Array) -> Steps:
        """From a grid (M,), the mean curve there (M,), and the standard errors of its steps."""
        width = np.diff(coordinate)
        return cls(coordinate[:-1] + width / 2, width, np.diff(mean), error)

    def studentised(self) -> Array:
        """rise/error; a step without error is certain, ±∞, unless it is zero."""
        sure = np.where(self.rise == 0, 0.0, np.copysign(np.inf, self.rise))
        return np.divide(self.rise, self.error, out=sure, where=self.error > 0)


def step_errors(curves: Array, weights: Array | None = None) -> Array:
    """Standard errors over prompts (rows) of the steps of the mean curve, (M − 1,).

    >>> step_errors(np.array([[0.0, 1.0], [0.0, 3.0]])).tolist()
    [1.0]
    """
    steps = np.diff(curves, axis=1)
    return mean_error(steps, steps.mean(axis=0) if weights is None else None, weights)


def mean_error(values: Array, mean: Array | None = None, weights: Array | None = None) -> Array:
    """Standard error of the weighted mean of independent rows: √(Σ w²(x − x̄)² P/(P−1))/Σw."""
    count = len(values)
    if count == 1:
        return np.full(values.shape[1], np.nan)
    share = np.full(count, 1 / count) if weights is None else weights / weights.sum()
    if mean is None:
        mean = share @ values
    total = np.zeros(values.shape[1])
    block = max(1, (1 << 16) // max(1, values.shape[1]))
    for start in range(0, count, block):
        rows = slice(start, start + block)
        offset = (values[rows] - mean) * share[rows, None]
        total += np.einsum("ij,ij->j", offset, offset)
    return np.asarray(np.sqrt(total * count / (count - 1)))


def slope_interval(
    steps: Steps, place: float, upper: float | Array, lower: float | Array
) -> tuple[float, float]:
    """The coordinates around a maximum at ``place`` between which the slope may vanish.

    From the maximum to the left until the studentised slope is above ``upper`` (the curve certainly
    still rises there), to the right until it is below ``lower``; −∞ or ∞ where it never is. Between
    the middles of cells the excess is interpolated. For θ† with f′(θ†) = 0 the interval misses only
    if the slope is significant at a point between θ̂ and θ†; for a curve whose only zero slope is
    at θ† that is the error of a test at θ† itself.

    ``upper``, ``lower``: critical values, Student's or bootstrapped, one or one for each cell.

    >>> steps = Steps.of(np.arange(5.0), np.array([0.0, 3, 4, 3, 0]), np.ones(4))
    >>> slope_interval(steps, 2.0, 2.0, -2.0)
    (1.0, 3.0)
    """
    slope = steps.studentised()
    rising, falling = slope - upper, lower - slope
    # Without a slope; not rising − slope, which is ∞ − ∞ where a step is certain.
    none_up, none_down = (np.broadcast_to(x, slope.shape) for x in (-np.asarray(upper), lower))
    left = np.flatnonzero(steps.middle < place)[::-1]
    right = np.flatnonzero(steps.middle > place)
    low = _crossing(place, steps.middle[left], rising[left], none_up[left], -np.inf)
    high = _crossing(place, steps.middle[right], falling[right], none_down[right], np.inf)
    return low, high


def _crossing(place: float, middle: Array, excess: Array, none: Array, never: float) -> float:
    """Where ``excess`` first becomes ≥ 0 from ``place`` on along ``middle``, linear in between.

    ``none``: the excess of no slope at all, which is that of ``place`` itself.
    """
    above = np.flatnonzero(excess >= 0)
    if not len(above):
        return never
    k = int(above[0])
    before = float(none[0] if k == 0 else excess[k - 1])
    start = place if k == 0 else float(middle[k - 1])
    if not np.isfinite([before, excess[k]]).all() or before >= 0:
        return float(middle[k])
    return float(start + before / (before - excess[k]) * (middle[k] - start))


def delta_error(steps: Steps, place: float) -> float:
    """Standard error of the maximum in the coordinate by the delta method: se(f′)/|f″|.

    Both at ``place``, the slope's error and the second derivative from a line through the slopes of
    the four cells around it. NaN where the curve is not bent down there or ``place`` is at an end.
    """
    k = int(np.searchsorted(steps.middle, place))
    if not 2 <= k <= len(steps.middle) - 2:
        return float("nan")
    near = slice(k - 2, k + 2)
    slope = steps.rise[near] / steps.width[near]
    bend = float(np.polyfit(steps.middle[near] - place, slope, 1)[0])
    error = float(np.interp(place, steps.middle[near], steps.error[near] / steps.width[near]))
    return error / -bend if bend < 0 else float("nan")


def normal_quantile(confidence: float) -> float:
    """z with P(|Z| ≤ z) = confidence.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))


def student_quantile(confidence: float, freedom: int) -> float:
    """t with P(|T| ≤ t) = confidence for Student's T.

    >>> round(student_quantile(0.95, 10), 4)
    2.2281
    """
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


#: The fields of a TuneResult about θ†, without one.
NO_THRESHOLD: dict[str, Any] = {
    "threshold": None,
    "threshold_interval": None,
    "threshold_se": None,
}


def threshold(
    steps: Steps,
    at: float,
    parameter: Callable[[Array], Array],
    ends: tuple[float, float],
    *,
    confidence: float,
    prompts: int,
) -> dict[str, Any]:
    """The fields about θ†, ``at`` in the coordinate: Student's test and the delta method.

    ``parameter`` takes coordinates to θ, ``ends`` are the first and the last θ that there is,
    ``prompts`` how many count: with one there is no interval.
    """
    theta = float(parameter(np.array([at]))[0])
    if prompts < 2:
        return NO_THRESHOLD | {"threshold": theta}
    critical = student_quantile(confidence, prompts - 1)
    found = slope_interval(steps, at, critical, -critical)
    error = delta_error(steps, at)
    nudge = 1e-6
    near = parameter(np.array([at - nudge, at + nudge]))
    error *= float(near[1] - near[0]) / (2 * nudge)
    return {
        "threshold": theta,
        "threshold_interval": within(parameter, found, ends),
        "threshold_se": error if np.isfinite(error) else None,
    }


def within(
    parameter: Callable[[Array], Array], coordinates: tuple[float, float], ends: tuple[float, float]
) -> list[float]:
    """Coordinates as parameters, no further than the ends."""
    first, last = ends
    low, high = (float(parameter(np.array([c]))[0]) if np.isfinite(c) else c for c in coordinates)
    return [min(max(low, first), last), max(min(high, last), first)]


def turning(steps: Steps, near: float) -> float | None:
    """Where the slope falls through zero, nearest to a coordinate; None where it does not."""
    slope = steps.rise / steps.width
    down = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
    if not len(down):
        return None
    share = slope[down] / (slope[down] - slope[down + 1])
    zeros = steps.middle[down] + share * (steps.middle[down + 1] - steps.middle[down])
    return float(zeros[np.argmin(np.abs(zeros - near))])
