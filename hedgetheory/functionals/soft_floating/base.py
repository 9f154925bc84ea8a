"""What Soft Best-of-n shares on all laws in float64: functionals and slopes from w at points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.functionals.soft_floating.race import Array, Race

#: A gold curve: a vectorised function of the reward, or its values at the rewards of a sample.
Gold: TypeAlias = Callable[[Array], ArrayLike] | ArrayLike
#: The largest n.
MAX_DRAWS = 1e9
#: Of a slope, relative to the sum of the sizes of its terms.
_ROUNDING = 1e-14


#: What λ = 0 is taken as: every quantity is smooth there, and what vanishes is below 1e-298.
LEAST_STRENGTH = Fraction(1, 2**1000)


class Soft(ABC):
    """What Soft Best-of-n shares on all laws: the functionals, from w at weighted points.

    A subclass gives points that E_F[h] = Σ p·h(point) holds at for what is integrated here.
    """

    draws: float
    others: float
    strength: float
    #: The unit of reward that λ is measured against: a width or the range of the law.
    unit: float

    def _set(self, draws: RealInput, strength: RealInput, call: str) -> None:
        n, lam = rational(draws, "n"), rational(strength, "lam")
        if not 1 <= n <= MAX_DRAWS:
            raise must_be("n", draws, "a real number >= 1 and <= 1e9", call)
        if lam < 0:
            raise must_be("lam", strength, "a real number >= 0", call)
        if lam == 0:
            lam = LEAST_STRENGTH
        self.draws, self.others, self.strength = float(n), float(n - 1), float(lam)
        self.whole = n.denominator == 1

    # -- what a subclass gives ----------------------------------------------------------------
    @property
    @abstractmethod
    def _points(self) -> tuple[Array, Array]:
        """Rewards and reference weights of E_F."""

    @property
    @abstractmethod
    def _levels(self) -> Array:
        """F at the points."""

    @property
    @abstractmethod
    def _weighed(self) -> tuple[Array, Array]:
        """w − 1 and ln w at the points."""

    @abstractmethod
    def _gold(self, gold: Gold, at: Array) -> Array:
        """A gold curve at rewards."""

    @property
    @abstractmethod
    def _fine(self) -> tuple[Array, Array, Array, Array]:
        """For moments on the race: rewards, weights, z, and what the softmax sees."""

    @property
    @abstractmethod
    def _full_race(self) -> Race:
        """The race over all points."""

    # -- functionals --------------------------------------------------------------------------
    def kl(self) -> float:
        """KL(policy‖reference) in nats."""
        excess, log_w = self._weighed
        return float(self._points[1] @ _relative(excess, log_w))

    def chi2(self) -> float:
        """E[w²] − 1."""
        return float(self._points[1] @ self._weighed[0] ** 2)

    def mean_quantile(self) -> float:
        """E[F(R)] under the policy."""
        levels = self._levels
        return self._mean_level + float(self._points[1] @ (self._weighed[0] * levels))

    @property
    def _mean_level(self) -> float:
        return 0.5

    def gain(self, gold: Gold) -> float:
        """E[g] under the policy less E[g] under the reference, with its own digits."""
        at, weight = self._points
        return float(weight @ (self._weighed[0] * self._gold(gold, at)))

    def gold(self, gold: Gold) -> float:
        """E[g] under the policy, g a vectorised function of the reward."""
        at, weight = self._points
        values = self._gold(gold, at)
        return float(weight @ values + weight @ (self._weighed[0] * values))

    # -- slopes -------------------------------------------------------------------------------
    def slope(self, gold: Gold) -> float:
        """d/dλ of E[g], the expected covariance within a draw.

            f′(λ) = E[Cov(g, x | the n drawn, softmax weights)]
                  = n(n − 1) ∫ φ^{n−2} (M₁ M_{gx} − M_g M_x) ds,  M_h = E[h X e^{−X}]

        with x what the softmax sees. Source: paper, §4; THEORY §2.
        """
        return self.slope_with_noise(gold)[0]

    def slope_with_noise(self, gold: Gold) -> tuple[float, float]:
        """`slope`, and a size of its rounding error: a sign is believed beyond that."""
        g_mean, x_mean = self._centres(gold)

        def columns(at: Array, seen: Array) -> list[Array]:
            g, x = self._gold(gold, at) - g_mean, seen - x_mean
            return [np.ones_like(x), x, g, g * x]

        step, log_phi, (one, place, values, both) = self._moments(columns)
        power = np.exp(np.minimum((self.others - 1) * log_phi, 700.0))
        factor = self.draws * self.others * step
        total = factor * float(power @ (one * both - values * place))
        size = factor * float(power @ (np.abs(one * both) + np.abs(values * place)))
        return total, size * _ROUNDING

    def slope_in_draws(self, gold: Gold) -> float:
        """d/dn of E[g] at fixed λ, n real.

            f′(n) = ∫ M_g φ^{n−1} (1 + n ln φ) ds,  M_g = E[g X e^{−X}]

        Its rounding error is relative to ∫ M_|g| φ^{n−1} |1 + n ln φ| ds, which is about 1/λ times
        larger for small λ.
        """
        return self.slope_in_draws_with_noise(gold)[0]

    def slope_in_draws_with_noise(self, gold: Gold) -> tuple[float, float]:
        """`slope_in_draws`, and a size of its rounding error."""
        g_mean, _ = self._centres(gold)

        def columns(at: Array, seen: Array) -> list[Array]:
            g = self._gold(gold, at) - g_mean
            return [g, np.abs(g)]

        step, log_phi, (values, sizes) = self._moments(columns)
        change = np.exp(self.others * log_phi) * (1 + self.draws * log_phi)
        total = step * float(values @ change)
        return total, step * float(sizes @ np.abs(change)) * _ROUNDING

    def _centres(self, gold: Gold) -> tuple[float, float]:
        """Near the policy's means of g and x: slopes do not change, and little has to cancel."""

        def columns(at: Array, seen: Array) -> list[Array]:
            return [np.ones_like(seen), self._gold(gold, at), seen]

        _, log_phi, (one, values, place) = self._moments(columns, rough=True)
        power = np.exp(self.others * log_phi)
        total = float(power @ one)
        return float(power @ values) / total, float(power @ place) / total

    def _moments(
        self, columns: Callable[[Array, Array], list[Array]], rough: bool = False
    ) -> tuple[float, Array, list[Array]]:
        """The step of the race's nodes, ln φ there, and E[h X e^{−X}] for each column h.

        A few digits are enough where ``rough``.
        """
        race = self._full_race
        at, weight, z, seen = self._fine
        values = [weight * column for column in columns(at, seen)]
        out = [np.zeros(len(race.s)) for _ in values]
        for start in range(0, len(z), 1024):
            part = slice(start, start + 1024)
            index, x = race.windows(z[part])
            low, high = int(index.min()), int(index.max()) + 1
            flat, kernel = (index - low).ravel(), x * np.exp(-x)
            for total, column in zip(out, values, strict=True):
                weights = (kernel * column[part, None]).ravel()
                total[low:high] += np.bincount(flat, weights, high - low)
        return race.step, race.log_phi, out


def _relative(excess: Array, log_w: Array) -> Array:
    """w ln w − (w − 1) from both w − 1 and ln w, without cancellation near 0."""
    small = np.abs(excess) < 0.02
    y = np.where(small, excess, 0.0)
    series = np.zeros_like(y)
    for k in range(12, 1, -1):
        series = series * y + (-1.0) ** k / (k * (k - 1))
    out: Array = np.where(small, series * y * y, np.exp(log_w) * log_w - excess)
    return out
