"""The parameters that budgets and a floor on the worst group leave."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError, must_be
from hedgetheory.hedgetune.points import Points, RealPoints
from hedgetheory.hedgetune.table import Array

_ROUNDS, _FINE = 4, 11


@dataclass(frozen=True, slots=True)
class Labels:
    """The group of each prompt in the order of the points: a place in ``names``."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constraints:
    """At most so much KL, at most so many draws a prompt, at least so much for every group."""

    kl_budget: float | None = None
    draw_budget: float | None = None
    floor: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("kl_budget", 0.0), ("draw_budget", 1.0), ("floor", -np.inf)):
            value = getattr(self, name)
            if value is None:
                continue
            real = isinstance(value, Real) and not isinstance(value, bool)
            if not (real and np.isfinite(float(value))):
                raise must_be(name, value, "a finite number", "tune")
            if value < least:
                raise must_be(name, value, f"at least {least:g}", "tune")

    def to_json(self) -> dict[str, float] | None:
        asked = {
            "kl_budget": self.kl_budget,
            "draw_budget": self.draw_budget,
            "floor": self.floor,
        }
        found = {name: float(value) for name, value in asked.items() if value is not None}
        return found or None

    def allow(self, points: Points, thetas: Array, labels: Labels | None) -> NDArray[np.bool_]:
        """Which θ keep all of them; the worst group by the estimated means."""
        allowed = np.ones(len(thetas), bool)
        if self.draw_budget is not None:
            draws = [points.expected_draws(float(theta)) for theta in thetas]
            allowed &= np.array([d is not None and d <= self.draw_budget for d in draws])
        if self.kl_budget is not None and allowed.any():
            allowed &= points.kl_at(thetas) <= self.kl_budget
        if self.floor is not None and labels is not None and allowed.any():
            means = group_means(points.curves_at(thetas), labels.codes, points.weights)
            allowed &= means.min(axis=0) >= self.floor
        return allowed

    def settle(self, points: Points, labels: Labels | None, unit: float) -> NDArray[np.bool_]:
        """The allowed points; where θ is real, the borders of what is allowed join them first."""
        own = Constraints(
            self.kl_budget, self.draw_budget, None if self.floor is None else self.floor / unit
        )
        if self.draw_budget is not None and points.expected_draws(float(points.thetas[0])) is None:
            raise InputError("a tilt is not a selection among draws: no --draw-budget with it")
        allowed = own.allow(points, points.thetas, labels)
        if isinstance(points, RealPoints) and allowed.any() and not allowed.all():
            for _ in range(_ROUNDS):
                flips = np.flatnonzero(allowed[1:] != allowed[:-1])
                grid = points.coordinate(points.thetas)
                fine = np.concatenate(
                    [np.linspace(grid[k], grid[k + 1], _FINE)[1:-1] for k in flips]
                )
                points.insert(points.parameter(fine))
                allowed = own.allow(points, points.thetas, labels)
        if not allowed.any():
            raise InputError(f"{points.name}: {self._why_not(points, labels, unit)}")
        return allowed

    def _why_not(self, points: Points, labels: Labels | None, unit: float) -> str:
        if self.floor is not None and labels is not None:
            worst = group_means(points.curves, labels.codes, points.weights).min(axis=0)
            best = int(np.argmax(worst))
            theta = f"{points.symbol} = {points.thetas[best]:.4g}"
            if worst[best] * unit < self.floor:
                return (
                    f"no parameter keeps the worst group at {self.floor:g}: the best that it "
                    f"gets is {worst[best] * unit:.4g}, at {theta}"
                )
        return "no parameter meets all the constraints together"


def group_means(curves: Array, codes: NDArray[np.int64], weights: Array | None) -> Array:
    """(groups, M): the weighted mean curve of each group; +∞ for one without weight."""
    count = int(codes.max()) + 1
    mass = np.ones(len(codes)) if weights is None else weights
    means = np.full((count, curves.shape[1]), np.inf)
    for code in range(count):
        share = np.where(codes == code, mass, 0.0)
        if share.sum() > 0:
            means[code] = share @ curves / share.sum()
    return means
