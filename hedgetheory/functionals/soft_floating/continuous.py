"""Soft Best-of-n in float64 on laws without atoms: pointwise, functionals, slopes, vectorised.

Beside it: `race` (the race and its table), `transforms` (ln φ of each law), `base` (what all laws
share), `samples` (finite laws and samples), `evaluate` (arrays of n and λ), `threshold`. Everything
is an estimate:
tests/functionals/test_soft_float64_record.py compares it with certified balls on a grid of (n, λ)
and records the worst errors; nothing here is certified.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from hedgetheory.errors import InputError, NotOnThisLaw, must_be
from hedgetheory.exact import RealInput
from hedgetheory.functionals.soft_floating.base import Gold, Soft
from hedgetheory.functionals.soft_floating.race import LEFT, RIGHT, Array, Race
from hedgetheory.functionals.soft_floating.transforms import (
    ExponentialShape,
    LogisticShape,
    NormalShape,
    Shape,
    SmoothShape,
    UnitShape,
    gauss,
)
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.soft_best_of_n import Scale

#: The race's nodes for integer n; twice as many otherwise, where φ must have no zeros near.
STEP = 0.25
#: The largest λ·width.
MAX_STRENGTH = 1e4
_UNIFORM = Uniform()


class SoftBestOfNFloats(Soft):
    """Soft Best-of-n on a law without atoms: density, ratio, cdf, functionals, slopes, in float64.

    Estimates with relative errors at most 1e-10 (a test records the worst) for real n from 1 to
    1e6 and λ·width from 1e-6 to 1e3, the width being 1 (uniform, or scale=quantile), sd, 1/rate or
    scale; accepted up to n = 1e9 and λ·width = 1e4 (seconds there on an unbounded law). `gold` and
    `gain` are as accurate relative to E|w g|, for gold curves that are analytic near the range of
    the law; slopes come with a size of their rounding error (`slope_with_noise`).

    Args:
        draws: n, a real number >= 1.
        strength: λ >= 0.
        law: Uniform (the default), Normal, Exponential or Logistic.
        scale: "reward", or "quantile" where the softmax sees F(r).

    Raises InputError for arguments out of domain, NotOnThisLaw for another law (finite laws and
    samples: `SoftBestOfNSamples`).

    >>> import numpy as np
    >>> SoftBestOfNFloats(2, 3).ratio(np.array([0.5])).round(12)
    array([1.])
    >>> round(SoftBestOfNFloats(16, 3, Normal(0, 1)).kl(), 10)
    1.3400773629
    """

    def __init__(
        self,
        draws: RealInput,
        strength: RealInput,
        law: Law = _UNIFORM,
        scale: Scale = "reward",
    ) -> None:
        call = f"SoftBestOfNFloats(n={draws}, lam={strength}, {law})"
        self._set(draws, strength, call)
        if scale not in ("reward", "quantile"):
            raise must_be("scale", scale, "reward or quantile", call)
        self.law = law
        self.shape, self.location, self.width = _standardised(law, call)
        self.ranked = scale == "quantile" and not isinstance(self.shape, UnitShape)
        #: What the softmax sees as a standardised law, and λ in its units.
        self.sight: Shape = UnitShape() if self.ranked else self.shape
        self.unit = 1.0 if self.ranked else self.width
        self.strength *= self.unit
        if self.strength > MAX_STRENGTH:
            raise must_be("lam", strength, f"at most {MAX_STRENGTH:g} / width", call)

    # -- the race -----------------------------------------------------------------------------
    def _race(self, low: float) -> Race:
        """The race for all z from that of x = ``low`` up."""
        found = self.__dict__.get("_cached_race")
        bottom = min(low, self.sight.core[0])
        if found is None or found[0] > bottom:
            gentle = self.strength < self.sight.gentle
            transform = self.sight.log_spread if gentle else self.sight.log_transform
            high = self.strength * self.sight.beyond(self.strength)
            start = -float(np.log(10 * self.draws))
            start -= 1.0 if gentle else self.strength * self.sight.rare
            step = STEP if self.whole else STEP / 2
            if isinstance(self.sight, UnitShape) and not gentle:
                # A whole number of steps from z = 0 to z = λ, for `_aligned`.
                step = self.strength / np.ceil(self.strength / step)
            race = Race(
                (self.draws, self.others),
                step,
                (self.strength * bottom, high, start),
                lambda s: transform(s, self.strength),
                gentle,
            )
            found = self.__dict__["_cached_race"] = (bottom, race)
        race_found: Race = found[1]
        return race_found

    @cached_property
    def _full_race(self) -> Race:
        return self._race(self.sight.core[0])

    def _see(self, x: Array) -> Array:
        """What the softmax sees at standardised rewards, cut where w is n."""
        seen = self.shape.cdf(x) if self.ranked else x
        most = self.sight.beyond(self.strength)
        return np.minimum(seen, most) if seen.size and seen.max() > most else seen

    def _placed(self, x: Array) -> tuple[Race, Array]:
        """The race, and what the softmax sees: z is λ times that."""
        seen = self._see(x)
        return self._race(float(seen.min()) if seen.size else 0.0), seen

    def _ratio(self, x: Array) -> Array:
        race, seen = self._placed(x)
        return race.ratio(seen, self.strength)

    def _excess(self, x: Array) -> Array:
        race, seen = self._placed(x)
        return race.excess(self.strength * seen)

    def _log_ratio(self, x: Array) -> Array:
        race, seen = self._placed(x)
        return race.log_ratio(self.strength * seen)

    def _standardise(self, r: ArrayLike, name: str) -> tuple[Array, float, float]:
        """x = (r − location)/width, flat, and its range.

        Rewards so far below that no float64 is left of the law are refused.
        """
        x = np.asarray(r, dtype=np.float64).ravel()
        if self.location or self.width != 1.0:
            x = (x - self.location) / self.width
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 0.0)
        if np.isnan(low):
            raise InputError(f"a reward is NaN, but must be a number [{name}(r)]")
        if low < self.shape.low and self.shape.low < 0:
            lowest = f"at least {self.location + self.width * self.shape.low:g} on {self.law}"
            raise must_be("r", self.location + self.width * low, lowest, f"{name}(r)")
        return x, low, high

    def _pointwise(
        self, r: ArrayLike, name: str, function: Callable[[Array], Array], outside: float
    ) -> Array:
        """``function`` of x where x is in the support, a constant elsewhere; in the shape of r."""
        x, low, high = self._standardise(r, name)
        if low >= self.shape.low and high <= self.shape.high:
            return function(x).reshape(np.shape(r))
        inside = (x >= self.shape.low) & (x <= self.shape.high)
        out = np.full_like(x, outside)
        if inside.any():
            out[inside] = function(x[inside])
        return out.reshape(np.shape(r))

    # -- pointwise ----------------------------------------------------------------------------
    def ratio(self, r: ArrayLike) -> Array:
        """w = dπ/dπ_ref at rewards of any shape; NaN outside the support."""
        return self._pointwise(r, "ratio", self._ratio, np.nan)

    def log_ratio(self, r: ArrayLike) -> Array:
        """ln w at rewards, also where w itself is below 1e-308."""
        return self._pointwise(r, "log_ratio", self._log_ratio, np.nan)

    def excess(self, r: ArrayLike) -> Array:
        """w − 1 at rewards, with its own digits near the reference."""
        return self._pointwise(r, "excess", self._excess, np.nan)

    def density(self, r: ArrayLike) -> Array:
        """The density of the selected reward, 0 outside the support."""
        if isinstance(self.shape, UnitShape):
            return self._pointwise(r, "density", self._ratio, 0.0)
        return self._pointwise(
            r, "density", lambda x: self.shape.pdf(x) / self.width * self._ratio(x), 0.0
        )

    def cdf(self, r: ArrayLike) -> Array:
        """P(selected reward ≤ r)."""
        return self._cumulative(r, "cdf", upwards=True)

    def survival(self, r: ArrayLike) -> Array:
        """P(selected reward > r)."""
        return self._cumulative(r, "survival", upwards=False)

    def _cumulative(self, r: ArrayLike, name: str, upwards: bool) -> Array:
        x, least, most = self._standardise(r, name)
        edges, (below, above) = self._edges, self.shape.tails()
        if least < edges[0]:
            edges = np.concatenate([below, edges])
        if most > edges[-1]:
            edges = np.concatenate([edges, above])
        points, weight = gauss(edges)
        masses = (self._ratio(points) * self.shape.pdf(points) * weight).reshape(len(edges) - 1, -1)
        sums = masses.sum(axis=1)
        x = np.clip(x, edges[0], edges[-1])
        panel = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(sums) - 1)
        if upwards:
            whole = np.concatenate([[0.0], np.cumsum(sums)])[panel]
            start, stop = edges[panel], x
        else:
            whole = np.concatenate([np.cumsum(sums[::-1])[::-1], [0.0]])[panel + 1]
            start, stop = x, edges[panel + 1]
        rule, unit = gauss(np.array([0.0, 1.0]))
        inside = start[:, None] + (stop - start)[:, None] * rule
        part = self._ratio(inside.ravel()) * self.shape.pdf(inside.ravel())
        out = whole + (part.reshape(inside.shape) @ unit) * (stop - start)
        return out.reshape(np.shape(r))

    # -- what functionals need ----------------------------------------------------------------
    @cached_property
    def _edges(self) -> Array:
        """Panels in x, short in what the softmax sees: F(x) changes at most as fast as x."""
        return self.shape.edges(self.strength)

    @cached_property
    def _rule(self) -> tuple[Array, Array]:
        points, weight = gauss(self._edges)
        return points, weight * self.shape.pdf(points)

    @property
    def _points(self) -> tuple[Array, Array]:
        x, weight = self._rule
        return self.location + self.width * x, weight

    @cached_property
    def _levels(self) -> Array:
        return self.shape.cdf(self._rule[0])

    @cached_property
    def _weighed(self) -> tuple[Array, Array]:
        x = self._rule[0]
        return self._excess(x), self._log_ratio(x)

    def _gold(self, gold: Gold, at: Array) -> Array:
        if not callable(gold):
            raise InputError("gold must be a function of the reward on a law without atoms")
        return np.broadcast_to(np.asarray(gold(at), dtype=np.float64), at.shape)

    @cached_property
    def _fine(self) -> tuple[Array, Array, Array, Array]:
        edges = self._edges
        # X e^{−X} is analytic for |Im z| < π/2: panels are at most 1/2 long in z.
        length = np.diff(self.shape.cdf(edges) if self.ranked else edges) * self.strength
        count = np.maximum(1, np.ceil(length / 0.5)).astype(int)
        starts, width = np.repeat(edges[:-1], count), np.repeat(np.diff(edges) / count, count)
        place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        cuts = np.concatenate([starts + place * width, edges[-1:]])
        x, weight = gauss(cuts, 20 if self.strength < 8 else 8)
        seen = self._see(x)
        weight *= self.shape.pdf(x)
        return self.location + self.width * x, weight, self.strength * seen, seen * self.unit

    def _moments(
        self, columns: Callable[[Array, Array], list[Array]], rough: bool = False
    ) -> tuple[float, Array, list[Array]]:
        shape, lam = self.shape, self.strength
        if self.ranked or lam < 1:
            return super()._moments(columns)
        if not isinstance(shape, SmoothShape):
            return self._aligned(columns, 1 if rough else 6)

        def moments(x: Array) -> list[Array]:
            at = self.location + self.width * x
            return [shape.pdf(x) * column for column in columns(at, x * self.width)]

        # All is as smooth in s/λ as F is: the nodes may be λ/16 apart.
        step = max(0.25, lam / 16)
        first = np.floor((-lam * shape.core[1] - LEFT) / step)
        s = step * np.arange(first, np.ceil((RIGHT - lam * shape.core[0]) / step) + 1)
        log_phi, found = shape.smoothed(s, lam, moments)
        return step, log_phi, [total / lam for total in found]

    def _aligned(
        self, columns: Callable[[Array, Array], list[Array]], count: int
    ) -> tuple[float, Array, list[Array]]:
        """`_moments` on [0, …) by panels one step of the nodes long in z: correlations."""
        race, lam = self._full_race, self.strength
        panels = round(lam * min(self.shape.core[1], 60.0) / race.step)
        x, weight = gauss(np.linspace(0.0, panels * race.step / lam, panels + 1), count)
        weight *= self.shape.pdf(x)
        values = [
            (weight * column).reshape(panels, count)
            for column in columns(self.location + self.width * x, x * self.width)
        ]
        inside = gauss(np.array([0.0, race.step]), count)[0]
        place = np.exp(np.arange(-race.left, race.right + 1)[:, None] * race.step + inside)
        kernel = place * np.exp(-place)
        first = -race.left - (panels - 1) - race.first
        out = []
        for value in values:
            total = np.zeros(len(race.s))
            # Σ_j v_j K((k + j)h + offset) for every k.
            for q in range(count):
                found = np.correlate(kernel[:, q], value[:, q], "full")
                total[first : first + len(found)] += found
            out.append(total)
        return race.step, race.log_phi, out

    def mean_reward(self) -> float:
        """E[R] under the policy."""
        x, weight = self._rule
        moved = float(weight @ (self._weighed[0] * x))
        base = {UnitShape: 0.5, ExponentialShape: 1.0}.get(type(self.shape), 0.0)
        return self.location + self.width * (base + moved)

    def total_variation(self) -> float:
        """½ E|w − 1| = E[1 − w; w < 1], an interval since w increases."""
        if self.others == 0:
            return 0.0
        low, high = self.shape.core

        middle = optimize.brentq(
            lambda x: float(self._excess(np.array([x]))[0]), low, high, xtol=1e-14, rtol=1e-14
        )
        edges = self._edges
        cuts = np.append(edges[edges < middle], middle)
        points, weight = gauss(cuts)
        return -float((weight * self.shape.pdf(points)) @ self._excess(points))


def _standardised(law: Law, call: str) -> tuple[Shape, float, float]:
    """The shape, location and width of a law."""
    if isinstance(law, Uniform):
        return UnitShape(), 0.0, 1.0
    if isinstance(law, Normal):
        return NormalShape(), float(law.mean), float(law.sd)
    if isinstance(law, Exponential):
        return ExponentialShape(), 0.0, float(1 / law.rate)
    if isinstance(law, Logistic):
        return LogisticShape(), float(law.loc), float(law.scale)
    raise NotOnThisLaw(
        f"Soft Best-of-n in float64 is on the uniform, normal, exponential and logistic law, on "
        f"finite laws and on samples, not on {law} [{call}]"
    )
