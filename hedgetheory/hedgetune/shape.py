"""The shape of a curve on a grid: its regime and its turns."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hedgetheory.hedgetune.table import Array

Regime = Literal["increasing", "decreasing", "constant", "peak", "trough", "multiple"]
REGIMES: tuple[Regime, ...] = ("increasing", "decreasing", "constant", "peak", "trough", "multiple")
_INCREASING, _DECREASING, _CONSTANT, _PEAK, _TROUGH, _MULTIPLE = range(6)


def regimes(values: Array, tolerance: float) -> NDArray[np.int64]:
    """The regime of each row, as an index into REGIMES.

    Steps of at most ``tolerance`` (rounding, not noise) are level; of the others only the signs
    count, in order: none is constant, all + increasing, all − decreasing, then one turn + − peak,
    − + trough, and more turns multiple.

    ``values``: (k, M), M ≥ 1. Returns (k,).

    >>> rows = np.array([[0.0, 1, 2], [0, 2, 1], [1, 1, 1], [2, 1, 2]])
    >>> [REGIMES[k] for k in regimes(rows, 1e-12)]
    ['increasing', 'peak', 'constant', 'trough']
    """
    signs = _signs(values, tolerance)
    if signs.shape[1] == 0:
        return np.full(len(values), _CONSTANT)
    last = signs[:, -1]
    turned = np.count_nonzero(signs[:, 1:] * signs[:, :-1] == -1, axis=1)
    monotone = np.where(last > 0, _INCREASING, _DECREASING)
    once = np.where(last > 0, _TROUGH, _PEAK)
    level = np.full_like(monotone, _CONSTANT)
    found = np.select([last == 0, turned == 0, turned == 1], [level, monotone, once], _MULTIPLE)
    return found.astype(np.int64)


def turns(values: Array, tolerance: float) -> list[tuple[int, Literal["max", "min"]]]:
    """Interior local extrema of one curve: positions in the grid, the first of a level stretch.

    >>> turns(np.array([0.0, 2, 2, 1, 3]), 1e-12)
    [(1, 'max'), (3, 'min')]
    """
    signs = _signs(values[None], tolerance)[0]
    steps = np.diff(values)
    found: list[tuple[int, Literal["max", "min"]]] = []
    for place in np.flatnonzero(signs[1:] * signs[:-1] == -1) + 1:
        start = place
        while abs(steps[start - 1]) <= tolerance:
            start -= 1
        found.append((int(start), "max" if signs[place] < 0 else "min"))
    return found


def _signs(values: Array, tolerance: float) -> NDArray[np.int64]:
    """Sign of each step, level steps repeating the sign before them (0 before the first)."""
    steps = np.diff(values, axis=1)
    signs = np.where(np.abs(steps) > tolerance, np.sign(steps), 0).astype(np.int64)
    places = np.where(signs != 0, np.arange(signs.shape[1]), 0)
    return np.take_along_axis(signs, np.maximum.accumulate(places, axis=1), axis=1)
