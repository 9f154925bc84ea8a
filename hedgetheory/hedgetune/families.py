"""The families that ``tune`` searches: their parameters, values on each prompt, and best point."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.bootstrap import first_of_the_best
from hedgetheory.hedgetune.estimators import best_of_n_values, best_of_poisson_values, poisson_tail
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.table import Array

#: Up to this many responses the curve has every n; beyond, a geometric grid of some 200.
EVERY_N = 200
#: Best-of-Poisson: μ runs to where this share of its draws would exceed the responses at hand,
MAX_TAIL = 0.1
#: and a share above this one at the chosen μ is worth a warning.
SMALL_TAIL = 1e-3
_GRID = 129


def integer_grid(size: int) -> NDArray[np.int64]:
    """Every n up to S = 200; beyond, some 200 in ratio, with 1, 2, 4, 8, … and S among them.

    >>> integer_grid(3).tolist(), len(integer_grid(10**5))
    ([1, 2, 3], 219)
    """
    if size <= EVERY_N:
        return np.arange(1, size + 1)
    ratio = np.geomspace(1, size, 256).round().astype(np.int64)
    powers = 2 ** np.arange(size.bit_length())
    return np.union1d(np.union1d(ratio, powers), [size])


class BestOfNPoints:
    """Best-of-n: the integers n up to the smallest S."""

    method = "inverted_cdf"

    def __init__(self, groups: list[RankGroup], name: str) -> None:
        self.groups, self.size = groups, groups[0].size
        if self.size == 1:
            alone = len(groups[0].gold)
            total = sum(len(group.gold) for group in groups)
            raise InputError(
                f"{name}: {alone} of {total} prompts have one response only, which leaves nothing "
                "to select; every prompt must have at least 2"
            )
        self.thetas = integer_grid(self.size)
        self.ties: list[int] = []

    def best(self, rounding: float) -> int:
        """The place of the best n of all, which joins the grid if it was not there."""
        every = np.arange(1, self.size + 1)
        mean = np.zeros(self.size)
        for group in self.groups:
            mean += len(group.gold) * best_of_n_values(group.gold.mean(axis=0), every)[0]
        mean /= sum(len(group.gold) for group in self.groups)
        self.ties = [int(n) for n in every[mean >= mean.max() - rounding]]
        self.thetas = np.union1d(self.thetas, self.ties[:1])
        self.curves = np.concatenate([best_of_n_values(g.gold, self.thetas) for g in self.groups])
        return int(np.searchsorted(self.thetas, self.ties[0]))

    def refined(self, means: Array, places: Any) -> Array:
        return np.asarray(self.thetas[places], np.float64)

    def number(self, theta: float) -> int:
        return int(theta)

    def more(self, place: int) -> dict[str, float | None]:
        return {}

    def expected_draws(self, theta: float) -> float:
        return theta

    def warnings(self, place: int, unit: float) -> list[str]:
        found = []
        larger = sum(len(group.gold) for group in self.groups[1:])
        if larger:
            found.append(
                f"n stops at {self.size}, the smallest number of responses of a prompt "
                f"({larger} prompts have more)"
            )
        if len(self.ties) > 1:
            shown = ", ".join(map(str, self.ties[:8])) + (", ..." if len(self.ties) > 8 else "")
            found.append(f"tied at the top: n = {shown}; theta is the smallest")
        if place == len(self.thetas) - 1:
            found.append(
                f"no interior threshold: the largest n = {self.size} is the best, "
                "and a larger one cannot be estimated from this table"
            )
        return found


class BestOfPoissonPoints:
    """Best-of-Poisson: a grid of μ, even in log(1 + μ), from 0 to where the responses run out."""

    method = "linear"

    def __init__(self, groups: list[RankGroup], name: str) -> None:
        if groups[-1].size == 1:
            raise InputError(
                f"{name}: every prompt has one response only, which leaves nothing to select"
            )
        self.groups = groups
        self.prompts = sum(len(group.gold) for group in groups)
        #: The values of Best-of-n, n = 1..S, on every prompt, and their mean, for each S.
        self.by_n = [best_of_n_values(group.gold) for group in groups]
        self.by_n_mean = [values.mean(axis=0, keepdims=True) for values in self.by_n]
        self.largest = self._largest_mu()
        self.thetas = np.expm1(np.linspace(0, np.log1p(self.largest), _GRID))
        self.ties: list[int] = []

    def _tails(self, mu: Array) -> Array:
        tails = [poisson_tail(mu, group.size) for group in self.groups]
        return cast(Array, np.average(tails, axis=0, weights=[len(g.gold) for g in self.groups]))

    def _largest_mu(self) -> float:
        low, high = 0.0, float(self.groups[-1].size)
        for _ in range(60):
            middle = (low + high) / 2
            fits = self._tails(np.array([middle]))[0] <= MAX_TAIL
            low, high = (middle, high) if fits else (low, middle)
        return low

    def _mean(self, mu: Array) -> Array:
        mean = np.zeros(len(mu))
        for group, values in zip(self.groups, self.by_n_mean, strict=True):
            mean += len(group.gold) * best_of_poisson_values(values, mu)[0]
        return mean / self.prompts

    def best(self, rounding: float) -> int:
        """Every local extremum of the grid is refined in its own bracket and joins the grid."""
        mean = self._mean(self.thetas)
        if np.ptp(mean) > rounding:
            found = [self._zoom(k, s, rounding) for s in (1, -1) for k in _tops(s * mean)]
            self.thetas = np.union1d(self.thetas, found)
        self.tails = self._tails(self.thetas)
        self.curves = np.concatenate(
            [best_of_poisson_values(values, self.thetas) for values in self.by_n]
        )
        return int(first_of_the_best(self._mean(self.thetas)[None], rounding)[0])

    def _zoom(self, place: int, sign: int, rounding: float) -> float:
        """The top of ``sign`` × mean between the neighbours of a point, or the point if as good."""
        grid = np.log1p(self.thetas)
        low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
        for _ in range(8):
            line = np.linspace(low, high, 33)
            best = int(np.argmax(sign * self._mean(np.expm1(line))))
            low, high = line[max(best - 1, 0)], line[min(best + 1, 32)]
        mu = float(np.expm1(line[best]))
        here, there = sign * self._mean(np.array([self.thetas[place], mu]))
        return mu if there > here + rounding else float(self.thetas[place])

    def refined(self, means: Array, places: Any) -> Array:
        """The top of the parabola through the best grid point and its neighbours."""
        grid = np.log1p(self.thetas)
        middle = np.clip(places, 1, len(grid) - 2)
        rows = np.arange(len(means))
        x0, x1, x2 = (grid[middle + k] for k in (-1, 0, 1))
        y0, y1, y2 = (means[rows, middle + k] for k in (-1, 0, 1))
        left, right = (y1 - y0) * (x2 - x1), (y2 - y1) * (x1 - x0)
        bend = left - right
        safe = np.where(bend > 0, bend, 1.0)
        top = np.where(bend > 0, (left * (x1 + x2) - right * (x0 + x1)) / (2 * safe), x1)
        inside = (places == middle) & (bend > 0)
        mu = np.where(inside, np.expm1(np.clip(top, x0, x2)), self.thetas[places])
        return np.asarray(mu, np.float64)

    def number(self, theta: float) -> float:
        return float(theta)

    def more(self, place: int) -> dict[str, float | None]:
        return {"tail_mass": float(self.tails[place])}

    def expected_draws(self, theta: float) -> float:
        return 1 + theta

    def warnings(self, place: int, unit: float) -> list[str]:
        found = []
        tail = float(self.tails[place])
        if tail > SMALL_TAIL:
            ranges = [float(np.ptp(group.gold)) for group in self.groups]
            bound = tail * max(ranges) * unit
            found.append(
                f"at mu = {self.thetas[place]:.4g} a share {tail:.2g} of the draws N exceeds the "
                "responses of a prompt and is capped there: that share of the range of the gold "
                f"score, {bound:.2g}, bounds what it changes"
            )
        if place == len(self.thetas) - 1:
            found.append(
                f"no interior threshold up to mu = {self.largest:.4g}, where {MAX_TAIL:.0%} of the "
                "draws N exceed the responses; a larger mu cannot be estimated from this table"
            )
        return found


def _tops(values: Array) -> list[int]:
    """Local maxima of a row of values, ends included, the first of a level stretch."""
    padded = np.concatenate([[-np.inf], values, [-np.inf]])
    middle = padded[1:-1]
    tops = np.flatnonzero((middle > padded[:-2]) & (middle >= padded[2:]))
    return [int(k) for k in tops]
