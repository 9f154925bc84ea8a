"""Points of the families that see ranks only: Best-of-n and the best of a random number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hedgetheory.errors import InputError
from hedgetheory.hedgetune.estimators import best_of_n_values, best_of_poisson_values
from hedgetheory.hedgetune.intervals import Steps, step_errors
from hedgetheory.hedgetune.mixtures import DRAWS
from hedgetheory.hedgetune.points import RankPolicyPoints, RealPoints
from hedgetheory.hedgetune.ranks import RankGroup
from hedgetheory.hedgetune.real_draws import real_best_of_n_weights
from hedgetheory.hedgetune.table import Array

#: Up to this many responses the curve has every n; beyond, a geometric grid of some 200.
EVERY_N = 200
#: A random N may exceed the responses at hand with at most this mean probability,
MAX_TAIL = 0.1
#: and one above this at the chosen θ is worth a warning.
SMALL_TAIL = 1e-3
#: Beyond this S the local extrema of a random N are not refined to the last digits.
MANY_RESPONSES = 1 << 14
_BLOCK = 1 << 22


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


def _parts(count: int, size: int) -> Iterator[slice]:
    """Slices of ``count`` parameters whose weights on ``size`` ranks fit in memory."""
    step = max(1, _BLOCK // size)
    return (slice(start, start + step) for start in range(0, count, step))


def smallest_size(groups: list[RankGroup], name: str) -> int:
    """The number of responses that every prompt has. Raises InputError where it is one."""
    if groups[0].size == 1:
        alone = len(groups[0].gold)
        total = sum(len(group.gold) for group in groups)
        raise InputError(
            f"{name}: {alone} of {total} prompts have one response only, which leaves nothing "
            "to select; every prompt must have at least 2"
        )
    return groups[0].size


def integer_warnings(
    groups: list[RankGroup], size: int, ties: list[int], at_the_end: bool
) -> list[str]:
    """What is to be said of integers n up to ``size``, which one prompt at least has."""
    found = []
    larger = sum(len(group.gold) for group in groups if group.size > size)
    if larger:
        found.append(
            f"n stops at {size}, the smallest number of responses of a prompt "
            f"({larger} prompts have more)"
        )
    if len(ties) > 1:
        shown = ", ".join(map(str, ties[:8])) + (", ..." if len(ties) > 8 else "")
        found.append(f"tied at the top: n = {shown}; theta is the smallest")
    if at_the_end:
        found.append(
            f"no interior threshold: the largest n = {size} is the best, "
            "and a larger one cannot be estimated from this table"
        )
    return found


class BestOfNPoints(RankPolicyPoints):
    """Best-of-n: the integers n up to the smallest S."""

    symbol = "n"
    integral = True
    method = "inverted_cdf"

    def __init__(self, groups: list[RankGroup], weights: Array | None, name: str) -> None:
        super().__init__(groups, weights, name)
        self.size = smallest_size(groups, name)
        self.thetas: Any = integer_grid(self.size)

    def curves_at(self, thetas: Array) -> Array:
        draws = np.asarray(thetas).astype(np.int64)
        return np.concatenate([self.values(group.gold, draws) for group in self.groups])

    def values(self, ranked: Array, draws: NDArray[np.int64]) -> Array:
        """The value of each integer n on rows of ranked gold."""
        return best_of_n_values(ranked, draws)

    def best(self, rounding: float) -> int:
        """The place of the best n of all, which joins the grid if it was not there."""
        every = np.arange(1, self.size + 1)
        mean = np.zeros(self.size)
        for group, share in zip(self.groups, self.shares, strict=True):
            mean += self.values((share @ group.gold)[None], every)[0]
        self.ties = [int(n) for n in every[mean >= mean.max() - rounding]]
        self.thetas = np.asarray(np.union1d(self.thetas, self.ties[:1]))
        self.base = np.ones(len(self.thetas), bool)
        self.curves = self.curves_at(self.thetas)
        return int(np.searchsorted(self.thetas, self.ties[0]))

    def coordinate(self, thetas: Array) -> Array:
        return np.log(thetas)

    def parameter(self, coordinate: Array) -> Array:
        return np.exp(coordinate)

    def steps(self) -> Steps:
        """At real n, between the integers too."""
        grid = np.linspace(0, np.log(self.size), 65)
        curves = self.at_real_n(np.minimum(np.exp(grid), self.size))
        return Steps.of(grid, self.mean(curves), step_errors(curves, self.weights))

    def at_real_n(self, draws: Array) -> Array:
        """(P, k): the value of Best-of-n at real n on every prompt."""
        curves = np.empty((self.prompts, len(draws)))
        for part in _parts(len(draws), self.groups[-1].size):
            weighed = [
                group.gold @ real_best_of_n_weights(draws[part], group.size).T
                for group in self.groups
            ]
            curves[:, part] = np.concatenate(weighed)
        return curves

    def rank_cdf(self, u: Array, thetas: Array) -> Array:
        return np.asarray(u ** np.asarray(thetas, np.float64)[:, None])

    def expected_draws(self, theta: float) -> float:
        return theta

    def warnings(self, place: int, unit: float) -> list[str]:
        return integer_warnings(self.groups, self.size, self.ties, self.at_the_end(place))


class MixturePoints(RankPolicyPoints, RealPoints):
    """The best of a random number N: each prompt's N is capped at its own S."""

    def __init__(
        self,
        groups: list[RankGroup],
        weights: Array | None,
        name: str,
        draws: tuple[str, str],
        fixed: dict[str, float],
    ) -> None:
        super().__init__(groups, weights, name)
        law, free = draws
        self.law, self.symbol, self.fixed = DRAWS[law], free, fixed
        #: p, a and β small means many draws, except the p of a binomial.
        self.strongest = 0 if free in ("p", "a", "beta") and law != "binomial" else -1
        #: The values of Best-of-n, n = 1..S, on every prompt, and their mean, for each S.
        self.by_n = [best_of_n_values(group.gold) for group in groups]
        if groups[-1].size > MANY_RESPONSES:  # a value costs S: one round, and a parabola
            self.rounds, self.fineness = 1, 7
        self.by_n_mean = [
            share @ values for share, values in zip(self.shares, self.by_n, strict=True)
        ]

    def _given(self, thetas: Array) -> dict[str, Any]:
        return self.fixed | {self.symbol: np.asarray(thetas, np.float64)}

    def coordinate(self, thetas: Array) -> Array:
        match self.symbol, self.law.name:
            case ("p", "negative_binomial"):
                return np.asarray(-np.log1p(self.fixed["r"] * (1 - thetas) / thetas))
            case ("p", "binomial"):
                return np.asarray(thetas, np.float64)
            case ("p" | "a" | "beta", _):
                return np.asarray(np.log(thetas))
        return super().coordinate(thetas)

    def parameter(self, coordinate: Array) -> Array:
        match self.symbol, self.law.name:
            case ("p", "negative_binomial"):
                r = self.fixed["r"]
                return np.asarray(r / (r + np.expm1(-coordinate)))
            case ("p", "binomial"):
                return coordinate
            case ("p" | "a", _):
                return np.asarray(np.minimum(np.exp(coordinate), 1.0))
            case ("beta", _):
                return np.asarray(np.exp(coordinate))
        return super().parameter(coordinate)

    def domain(self) -> tuple[float, float]:
        """From (nearly) one draw to where the responses run out, by bisection on the tail."""
        size = self.groups[-1].size
        ends = {
            ("p", "negative_binomial"): (-np.log1p(1e4 * size), -np.log1p(1e-3)),
            ("p", "binomial"): (1e-3 / self.fixed.get("m", 1), 1.0),
            ("p", "geometric"): (-np.log(1e4 * size), 0.0),
            ("a", "sibuya"): (-8.0, 0.0),
            ("beta", "logarithmic"): (-np.log(np.log(1e4 * size)), np.log(500.0)),
            ("r", "negative_binomial"): (np.log1p(1e-3), np.log1p(1e9)),
        }
        low, high = ends.get((self.symbol, self.law.name), (0.0, np.log1p(4.0 * size + 100)))
        near, far = (high, low) if self.strongest == 0 else (low, high)
        if self._tails(self.parameter(np.array([far])))[0] > MAX_TAIL:
            for _ in range(60):
                middle = (near + far) / 2
                fits = self._tails(self.parameter(np.array([middle])))[0] <= MAX_TAIL
                near, far = (middle, far) if fits else (near, middle)
            far = near
            near = high if self.strongest == 0 else low
        self.cut = far not in (low, high)
        if near == far or self._tails(self.parameter(np.array([far])))[0] > MAX_TAIL:
            raise InputError(
                f"{self.name}: already the mildest {self.law.name} draws more than the "
                f"{size} responses of a prompt with probability above {MAX_TAIL:.0%}; take bon"
            )
        return min(near, far), max(near, far)

    def _tails(self, thetas: Array) -> Array:
        """Mean over prompts of P(N > S)."""
        total = np.zeros(len(thetas))
        for group, share in zip(self.groups, self.shares, strict=True):
            columns = {key: np.atleast_1d(v)[:, None] for key, v in self._given(thetas).items()}
            beyond = np.asarray(self.law.beyond(float(group.size), **columns))
            total += share.sum() * beyond[:, 0]
        return total

    def _mixed(self, by_n: Array, size: int, thetas: Array) -> Array:
        if self.law.name == "bop":
            return best_of_poisson_values(by_n, thetas)
        values = np.empty((len(by_n), len(thetas)))
        for part in _parts(len(thetas), size):
            values[:, part] = by_n @ self.law.mixture(size, **self._given(thetas[part]))[0].T
        return values

    def curves_at(self, thetas: Array) -> Array:
        return np.concatenate(
            [
                self._mixed(by_n, group.size, thetas)
                for by_n, group in zip(self.by_n, self.groups, strict=True)
            ]
        )

    def mean_at(self, thetas: Array) -> Array:
        parts = zip(self.by_n_mean, self.groups, strict=True)
        return np.asarray(sum(self._mixed(m[None], g.size, thetas)[0] for m, g in parts))

    def rank_cdf(self, u: Array, thetas: Array) -> Array:
        columns = {key: np.atleast_1d(v)[:, None] for key, v in self._given(thetas).items()}
        return np.asarray(self.law.pgf(u, **columns))

    def expected_draws(self, theta: float) -> float | None:
        mean = float(self.law.mean(**(self.fixed | {self.symbol: theta})))
        return mean if np.isfinite(mean) else None

    def more(self) -> dict[str, Array]:
        return {"tail_mass": self._tails(self.thetas)}

    def warnings(self, place: int, unit: float) -> list[str]:
        found = []
        tail = float(self._tails(self.thetas[place : place + 1])[0])
        theta = f"{self.symbol} = {self.thetas[place]:.4g}"
        if tail > SMALL_TAIL:
            ranges = [float(np.ptp(group.gold)) for group in self.groups]
            bound = tail * max(ranges) * unit
            found.append(
                f"at {theta} a share {tail:.2g} of the draws N exceeds the "
                "responses of a prompt and is capped there: that share of the range of the gold "
                f"score, {bound:.2g}, bounds what it changes"
            )
        if self.at_the_end(place):
            why = (
                f", where {MAX_TAIL:.0%} of the draws N exceed the responses; a harder selection "
                "cannot be estimated from this table"
            )
            found.append(f"no interior threshold up to {theta}{why if self.cut else ''}")
        return found
