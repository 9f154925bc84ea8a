"""Points of Soft Best-of-n: λ at fixed n, or n at fixed λ, over all subsets of each prompt."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.divergence import weights_kl
from hedgetheory.hedgetune.points import Points, RealPoints
from hedgetheory.hedgetune.rank_points import integer_grid, integer_warnings, smallest_size
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.soft import Scale, soft_best_of_n_ratio, soft_best_of_n_values
from hedgetheory.hedgetune.table import Array
from hedgetheory.hedgetune.tilt_points import spread

#: At fixed λ n goes no further: the work grows like n for every response.
MAX_SOFT_N = 512
#: λ times the bulk of the proxies goes so far, where n draws are hardly ever picked but the best.
MAX_STRENGTH = 64.0


class _Soft(Points):
    scale: Scale
    precision = 1e-10

    def soft_curves(self, n: Array, lam: Array) -> Array:
        """(P, N, L)."""
        return np.concatenate(
            [
                soft_best_of_n_values(
                    group.proxy, group.gold, np.asarray(n).astype(np.int64), lam, scale=self.scale
                )
                for group in self.groups
                if group.proxy is not None
            ]
        )

    def soft_kl(self, n: float, lam: float) -> float:
        total = 0.0
        for group, share in zip(self.groups, self.shares, strict=True):
            assert group.proxy is not None
            ratio = soft_best_of_n_ratio(group.proxy, n, lam, scale=self.scale)
            total += float(share @ weights_kl(ratio / group.size))
        return total


class SoftStrengthPoints(_Soft, RealPoints):
    """λ at fixed n: a global search, since the curve may turn more than once (THEORY.md, §5)."""

    symbol = "lam"
    grid_size = 41
    rounds, fineness = 1, 7

    def __init__(
        self, groups: list[RankGroup], weights: Array | None, name: str, n: int, scale: str
    ) -> None:
        super().__init__(groups, weights, name)
        self.n, self.scale = n, cast(Scale, scale)
        if n == 1:
            raise InputError("sbon(n=1) is the reference whatever lam: take n >= 2")
        few = sum(len(group.gold) for group in groups if group.size < n)
        if few:
            raise InputError(
                f"{name}: {few} of {self.prompts} prompts have fewer than n = {n} responses; "
                f"take n up to {groups[0].size}"
            )
        self.spread = spread(groups, self.shares, name) if scale == "reward" else 0.25
        self.bulk = min(self.spread, _bulk(groups) or self.spread) if scale == "reward" else 0.25

    def coordinate(self, thetas: Array) -> Array:
        return np.asarray(np.log1p(thetas * self.spread))

    def parameter(self, coordinate: Array) -> Array:
        return np.asarray(np.expm1(coordinate) / self.spread)

    def domain(self) -> tuple[float, float]:
        return 0.0, float(np.log1p(MAX_STRENGTH * self.spread / self.bulk))

    def curves_at(self, thetas: Array) -> Array:
        return self.soft_curves(np.array([self.n]), thetas)[:, 0]

    def kl_at(self, thetas: Array) -> Array:
        return np.array([self.soft_kl(self.n, float(theta)) for theta in thetas])

    def expected_draws(self, theta: float) -> float:
        return float(self.n)

    def at_the_end(self, place: int) -> bool:
        """Also where the curve is level from there on: the best of n has been decided."""
        mean = self.mean(self.curves)
        return bool(np.ptp(mean) > self.precision and mean[-1] >= mean[place] - self.precision)

    def warnings(self, place: int, unit: float) -> list[str]:
        if not self.at_the_end(place):
            return []
        lam = self.thetas[place]
        return [
            f"no interior threshold up to lam = {lam:.4g}, which is nearly Best-of-{self.n}: "
            "take bon"
        ]


def _bulk(groups: list[RankGroup]) -> float | None:
    """A typical scale of the proxy that outliers do not stretch: the median over prompts of the
    distance between quartiles, where there is one, as a normal law's standard deviation."""
    found = []
    for group in groups:
        assert group.proxy is not None
        quarter = group.size // 4
        distance = group.proxy[:, group.size - 1 - quarter] - group.proxy[:, quarter]
        found.append(distance[distance > 0])
    every = np.concatenate(found)
    return float(np.median(every)) / 1.349 if len(every) else None


class SoftDrawsPoints(_Soft):
    """n at fixed λ: integers up to the smallest S."""

    symbol = "n"
    integral = True
    method = "inverted_cdf"

    def __init__(
        self, groups: list[RankGroup], weights: Array | None, name: str, lam: float, scale: str
    ) -> None:
        super().__init__(groups, weights, name)
        self.lam, self.scale = lam, cast(Scale, scale)
        if lam == 0:
            raise InputError("sbon(lam=0) is the reference whatever n: take lam > 0")
        self.size = min(smallest_size(groups, name), MAX_SOFT_N)
        self.thetas: Any = integer_grid(self.size)
        self.base = np.ones(len(self.thetas), bool)

    def coordinate(self, thetas: Array) -> Array:
        return np.log(thetas)

    def parameter(self, coordinate: Array) -> Array:
        return np.exp(coordinate)

    def curves_at(self, thetas: Array) -> Array:
        return self.soft_curves(thetas, np.array([self.lam]))[:, :, 0]

    def best(self, rounding: float) -> int:
        """The best of the grid; between its points (beyond S = 200), of every n there."""
        self.curves = self.curves_at(self.thetas)
        mean = self.mean(self.curves)
        top = int(np.argmax(mean))
        low, high = self.thetas[max(top - 1, 0)], self.thetas[min(top + 1, len(mean) - 1)]
        between = np.setdiff1d(np.arange(low, high + 1), self.thetas)
        if len(between):
            near = self.mean(self.curves_at(between))
            self.thetas = np.union1d(self.thetas, between[np.argmax(near) :][:1])
            self.base = np.ones(len(self.thetas), bool)
            self.curves = self.curves_at(self.thetas)
            mean = self.mean(self.curves)
        self.ties = [int(n) for n in self.thetas[mean >= mean.max() - rounding]]
        return int(np.searchsorted(self.thetas, self.ties[0]))

    def kl_at(self, thetas: Array) -> Array:
        return np.array([self.soft_kl(float(n), self.lam) for n in thetas])

    def expected_draws(self, theta: float) -> float:
        return theta

    def warnings(self, place: int, unit: float) -> list[str]:
        end = self.at_the_end(place)
        if self.size == self.groups[0].size:
            return integer_warnings(self.groups, self.size, self.ties, end)
        far = f"no interior threshold up to n = {self.size}"
        return [f"n stops at {self.size}: the work grows with n"] + ([far] if end else [])
