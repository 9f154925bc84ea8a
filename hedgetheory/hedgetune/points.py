"""A family's points on a table: its parameters, the value of each on every prompt, and the best."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.bootstrap import first_of_the_best
from hedgetheory.hedgetune.divergence import atoms_by_rank
from hedgetheory.hedgetune.intervals import Steps, step_errors
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.table import Array

_BLOCK = 1 << 22


class Points:
    """Points θ of a family, increasing, and their values on every prompt.

    A subclass says ``symbol``, where the hardest selection is (``strongest``, 0 or −1), and how to
    get ``curves_at``. After ``best``: ``thetas`` (M,) and ``curves`` (P, M), prompts in the order
    of the groups, and ``base``, which of them are the grid and not points put in between.
    """

    symbol: str
    integral = False
    #: How ``np.quantile`` reads the interval of θ off resampled θ.
    method = "linear"
    strongest: Literal[0, -1] = -1
    #: Error of a value, gold scores being at most 2 in size; rounding comes on top.
    precision = 0.0

    def __init__(self, groups: list[RankGroup], weights: Array | None, name: str) -> None:
        self.groups, self.name = groups, name
        self.prompts = sum(len(group.gold) for group in groups)
        self.weights = weights
        bounds = np.cumsum([0] + [len(group.gold) for group in groups])
        mass = np.ones(self.prompts) if weights is None else weights
        #: The weights of each group's prompts; they sum to one over all groups.
        self.shares = [mass[a:b] / mass.sum() for a, b in pairwise(bounds)]
        self.ties: list[int] = []
        self.thetas: Array
        self.curves: Array
        self.base: NDArray[np.bool_]

    def curves_at(self, thetas: Array) -> Array:
        """(P, k): the value of each θ on every prompt."""
        raise NotImplementedError

    def best(self, rounding: float) -> int:
        """Settle ``thetas`` and ``curves``; the place of the best, the first of equals."""
        raise NotImplementedError

    def coordinate(self, thetas: Array) -> Array:
        """An increasing map of θ in which curves are smooth and grids even."""
        return np.asarray(np.log1p(thetas))

    def parameter(self, coordinate: Array) -> Array:
        """Its inverse."""
        return np.asarray(np.expm1(coordinate))

    def mean(self, curves: Array) -> Array:
        """The weighted mean over prompts."""
        return np.asarray(np.concatenate(self.shares) @ curves)

    def steps(self) -> Steps:
        """The slope of the mean curve, on the grid."""
        curves = self.curves[:, self.base]
        error = step_errors(curves, self.weights)
        return Steps.of(self.coordinate(self.thetas[self.base]), self.mean(curves), error)

    def insert(self, thetas: Array) -> None:
        """Let more points join."""
        new = np.setdiff1d(thetas, self.thetas)
        order = np.argsort(np.concatenate([self.thetas, new]), kind="stable")
        self.base = np.concatenate([self.base, np.zeros(len(new), bool)])[order]
        self.curves = np.concatenate([self.curves, self.curves_at(new)], axis=1)[:, order]
        self.thetas = np.concatenate([self.thetas, new])[order]

    def kl_at(self, thetas: Array) -> Array:
        """Mean over prompts of KL(policy‖reference) on the tied empirical law, in nats."""
        raise NotImplementedError

    def expected_draws(self, theta: float) -> float | None:
        """Draws a prompt; None where the policy is not a selection among draws."""
        raise NotImplementedError

    def refined(self, means: Array, places: Any) -> Array:
        """θ at the maximum of resampled mean curves (b, M), given its ``places``."""
        return np.asarray(self.thetas[places], np.float64)

    def number(self, theta: float) -> float:
        return int(theta) if self.integral else float(theta)

    def more(self) -> dict[str, Array]:
        """What else there is to say of every point."""
        return {}

    def warnings(self, place: int, unit: float) -> list[str]:
        return []

    def at_the_end(self, place: int) -> bool:
        """Whether a place is the hardest selection of all points."""
        return place % len(self.thetas) == self.strongest % len(self.thetas)


class RankPolicyPoints(Points):
    """What policies share that see ranks only."""

    def rank_cdf(self, u: Array, thetas: Array) -> Array:
        """G_θ(u): (k, len(u))."""
        raise NotImplementedError

    def kl_at(self, thetas: Array) -> Array:
        total = np.zeros(len(thetas))
        for group, share in zip(self.groups, self.shares, strict=True):
            u = np.arange(group.size + 1) / group.size
            ranks = np.arange(group.size, dtype=np.float64)[None]  # without proxies: no ties
            ordered = ranks if group.proxy is None else group.proxy
            weights = None if group.proxy is None or self.weights is None else share
            if weights is None or weights.sum() > 0:
                atoms = atoms_by_rank(ordered, weights)
                step = max(1, _BLOCK // group.size)
                for start in range(0, len(thetas), step):
                    part = slice(start, start + step)
                    total[part] += share.sum() * atoms.kl(self.rank_cdf(u, thetas[part]))
        return total


class RealPoints(Points):
    """A grid that is even in the coordinate, every local extremum refined in its own bracket."""

    grid_size = 129
    #: Rounds of refinement, and points in each.
    rounds, fineness = 8, 33

    def __init__(self, groups: list[RankGroup], weights: Array | None, name: str) -> None:
        super().__init__(groups, weights, name)
        if groups[-1].size == 1:
            raise InputError(
                f"{name}: every prompt has one response only, which leaves nothing to select"
            )

    def domain(self) -> tuple[float, float]:
        """The ends of the grid, in the coordinate."""
        raise NotImplementedError

    def mean_at(self, thetas: Array) -> Array:
        return self.mean(self.curves_at(thetas))

    def best(self, rounding: float) -> int:
        grid = np.linspace(*self.domain(), self.grid_size)
        self.thetas = self.parameter(grid)
        self.base = np.ones(len(grid), bool)
        self.curves = self.curves_at(self.thetas)
        mean = self.mean(self.curves)
        if np.ptp(mean) > rounding:
            places = [(k, sign) for sign in (1, -1) for k in _tops(sign * mean)]
            self.insert(np.array([self._zoom(grid, k, sign, rounding) for k, sign in places]))
        return int(first_of_the_best(self.mean(self.curves)[None], rounding)[0])

    def _zoom(self, grid: Array, place: int, sign: int, rounding: float) -> float:
        """The top of ``sign`` × mean between the neighbours of a point, or the point if as good."""
        low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
        last = self.fineness - 1
        for _ in range(self.rounds):
            line = np.linspace(low, high, self.fineness)
            values = sign * self.mean_at(self.parameter(line))
            best = int(np.argmax(values))
            low, high = line[max(best - 1, 0)], line[min(best + 1, last)]
        top = float(line[best])
        if self.rounds == 1 and 0 < best < last:
            top = float(_parabola(line, values[None], np.array([best]))[0])
        here = float(self.parameter(grid[place : place + 1])[0])
        there = float(self.parameter(np.array([top]))[0])
        ours, theirs = sign * self.mean_at(np.array([here, there]))
        # ``here`` is a point already.
        return there if theirs > ours + rounding else here

    def refined(self, means: Array, places: Any) -> Array:
        """The top of the parabola through the best point and its neighbours."""
        grid = self.coordinate(self.thetas)
        inside = (places > 0) & (places < len(grid) - 1)
        top = _parabola(grid, means, np.clip(places, 1, len(grid) - 2))
        return np.where(inside, self.parameter(top), self.thetas[places])


def _parabola(grid: Array, values: Array, middle: NDArray[np.int64]) -> Array:
    """Tops of the parabolas through three neighbouring points of each row, within them."""
    rows = np.arange(len(values))
    x0, x1, x2 = (grid[middle + k] for k in (-1, 0, 1))
    y0, y1, y2 = (values[rows, middle + k] for k in (-1, 0, 1))
    left, right = (y1 - y0) * (x2 - x1), (y2 - y1) * (x1 - x0)
    bend = left - right
    safe = np.where(bend > 0, bend, 1.0)
    top = np.where(bend > 0, (left * (x1 + x2) - right * (x0 + x1)) / (2 * safe), x1)
    return cast(Array, np.clip(top, x0, x2))


def _tops(values: Array) -> list[int]:
    """Local maxima of a row of values, ends included, the first of a level stretch."""
    padded = np.concatenate([[-np.inf], values, [-np.inf]])
    middle = padded[1:-1]
    tops = np.flatnonzero((middle > padded[:-2]) & (middle >= padded[2:]))
    return [int(k) for k in tops]
