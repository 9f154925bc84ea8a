"""What the softmax sees, in float64: ln φ of the race, and quadrature rules of the law.

A law is standardised: x = (r − location)/width, and λ is λ·width. φ(e^s) = E[exp(−e^{s+λx})].
With Y = ln E, E exponential, P(E > e^{s+λx}) says that φ(e^s) = E[F((Y − s)/λ)] and 1 − φ the same
of 1 − F: sums of positive terms, so that both tails keep their digits. Y has the density
e^{y − e^y}, and on the normal and the logistic law the trapezoid rule applies once more, as a
correlation with F on one lattice.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import special

from hedgetheory.functionals.soft_floating.race import LOG_ZERO, Array
from hedgetheory.numerics.floats import FLOAT64

#: t itself is cut at e^600.
_FAR = 600.0
_BLOCK = 256
#: E[h(x)] = Σ weights·h(points).
Rule = tuple[Array, Array]


def gauss(edges: Array, count: int = 20) -> Rule:
    """Gauss–Legendre, ``count`` points between neighbouring edges: points and plain weights."""
    base, weight = _legendre(count)
    width = np.diff(edges)
    points = edges[:-1, None] + width[:, None] * base
    return points.ravel(), (width[:, None] * weight).ravel()


@lru_cache
def _legendre(count: int) -> Rule:
    """Nodes and weights on [0, 1]."""
    base, weight = np.polynomial.legendre.leggauss(count)
    return (base + 1) / 2, weight / 2


def graded(width: float, smallest: float) -> Array:
    """Edges from 0 that double from ``smallest`` up to ``width``: 0, a, 2a, 4a, …, width."""
    count = max(0, int(np.ceil(np.log2(max(width / smallest, 1.0)))))
    return np.concatenate([[0.0], width * 2.0 ** np.arange(-count, 1)])


class Shape(ABC):
    """A standardised law without atoms, and its race transform."""

    #: Where x may be: outside [low, high] is refused below and means w = n (or 0 density) above.
    low: float
    high: float
    #: Below this λ the gentle form is used, and beyond the other one no table is built.
    gentle: float
    #: 1 − F is 1e-10 here: the best of n <= 1e9 draws is below or near.
    rare: float

    @abstractmethod
    def cdf(self, x: Array) -> Array: ...
    @abstractmethod
    def survival(self, x: Array) -> Array: ...
    @abstractmethod
    def pdf(self, x: Array) -> Array: ...
    @abstractmethod
    def edges(self, strength: float) -> Array:
        """Panels over `core`, each short in the law and in w."""

    def tails(self) -> tuple[Array, Array]:
        """Edges of panels below and above `core`, as far as the density is a float64."""
        return np.zeros(0), np.zeros(0)

    @abstractmethod
    def log_transform(self, s: Array, strength: float) -> Array:
        """ln φ(e^s) at nodes a quarter (or a smaller power of ½) apart."""

    @abstractmethod
    def mild_rule(self) -> Rule:
        """A rule for functions that change little over the law."""

    def log_spread(self, s: Array, strength: float) -> Array:
        """ln χ(e^s), χ(t) = E[exp(−t expm1(λx))], for λ below `gentle`."""
        x, weight = self.mild_rule()
        inside = -np.exp(np.minimum(s, 60.0))[:, None] * np.expm1(strength * x)
        out: Array = np.log1p(np.expm1(np.minimum(inside, 700.0)) @ weight)
        return out

    def beyond(self, strength: float) -> float:
        """An x past which w is n to all digits."""
        return min(self.high, self.core[1] + 60.0 / strength)

    #: The range outside of which the law has less than 1e-27.
    core: tuple[float, float]

    def rule(self, strength: float) -> Rule:
        """Points x and weights with the density in them."""
        points, weight = gauss(self.edges(strength))
        return points, weight * self.pdf(points)


class UnitShape(Shape):
    """x uniform on [0, 1]."""

    low, high, gentle, rare, core = 0.0, 1.0, 1.0, 1.0, (0.0, 1.0)

    def cdf(self, x: Array) -> Array:
        return np.clip(x, 0.0, 1.0)

    def survival(self, x: Array) -> Array:
        return np.clip(1.0 - x, 0.0, 1.0)

    def pdf(self, x: Array) -> Array:
        return np.where((x >= 0) & (x <= 1), 1.0, 0.0)

    def edges(self, strength: float) -> Array:
        half = graded(0.5, min(0.5, 1.0 / strength))
        return np.concatenate([half, 1.0 - half[-2::-1]])

    def mild_rule(self) -> Rule:
        x, weight = gauss(np.array([0.0, 0.5, 1.0]))
        return x, weight

    def log_transform(self, s: Array, strength: float) -> Array:
        # 1 − φ = (Ein(te^λ) − Ein(t))/λ, and φ = (E₁(t) − E₁(te^λ))/λ where that is small.
        near, far = _exponential_integrals(s), _exponential_integrals(s + strength)
        return log_of((near[0] - far[0]) / strength, (far[1] - near[1]) / strength)


def _exponential_integrals(s: Array) -> Rule:
    """E₁(e^s) and Ein(e^s) = γ + s + E₁(e^s), where e^s may be beyond a float64."""
    t = np.exp(np.minimum(s, _FAR))
    # Ein(t) = Σ (−1)^{k+1} t^k/(k·k!) where the sum of the three would cancel.
    small = np.minimum(t, 1.0)
    series = np.zeros_like(t)
    for coefficient in _EIN:
        series = (series + coefficient) * small
    one = np.where(t > 1, special.exp1(np.maximum(t, 1.0)), series - s - np.euler_gamma)
    return one, np.where(t > 1, np.euler_gamma + s + one, series)


_EIN = [(-1.0) ** (k + 1) / (k * math.factorial(k)) for k in range(20, 0, -1)]


class SmoothShape(Shape):
    """A law on the whole line whose F is analytic in a strip about as wide as its bulk."""

    #: h/λ of the rule in Y is at most this.
    spacing: float

    def log_transform(self, s: Array, strength: float) -> Array:
        step = s[1] - s[0]
        split = max(int(np.ceil(16 * step)), int(np.ceil(step / (self.spacing * strength))))
        fine = step / split
        below, above = int(np.ceil(60.0 / step)) * split, int(np.ceil(4.2 / step)) * split
        y = fine * np.arange(-below, above)
        kernel = fine * np.exp(y - np.exp(y))
        # x = (y − s)/λ on one lattice: at node k and point j its index is j − k·split.
        count = (len(s) - 1) * split + len(y)
        x = (y[0] - s[-1] + fine * np.arange(count)) / strength

        def smooth(values: Array) -> Array:
            total = np.zeros(len(s))
            for phase in range(split):
                total += np.correlate(values[phase::split], kernel[phase::split], "valid")[: len(s)]
            return total[::-1]

        return log_of(smooth(self.cdf(x)), smooth(self.survival(x)))

    def smoothed(
        self, s: Array, strength: float, functions: Callable[[Array], list[Array]]
    ) -> tuple[Array, list[Array]]:
        """ln φ(e^s), and E[h((Y − s)/λ)] for each of ``functions``, at any nodes, λ at least 1."""
        y = np.arange(-60.0, 4.25, 0.25)
        kernel = 0.25 * np.exp(y - np.exp(y))
        log_phi, columns = [], []
        for start in range(0, len(s), _BLOCK):
            x = (y - s[start : start + _BLOCK, None]) / strength
            log_phi.append(log_of(self.cdf(x) @ kernel, self.survival(x) @ kernel))
            columns.append([h @ kernel for h in functions(x)])
        return np.concatenate(log_phi), [np.concatenate(c) for c in zip(*columns, strict=True)]


class NormalShape(SmoothShape):
    """The standard normal law."""

    low, high, gentle, rare, core = -36.0, 1e300, 0.01, 6.4, (-11.0, 12.0)
    spacing = 0.25

    def cdf(self, x: Array) -> Array:
        return np.asarray(FLOAT64.ndtr(x))

    def survival(self, x: Array) -> Array:
        return np.asarray(FLOAT64.ndtr(-x))

    def pdf(self, x: Array) -> Array:
        return np.asarray(np.exp(-0.5 * np.minimum(np.abs(x), 1e3) ** 2) / np.sqrt(2 * np.pi))

    def edges(self, strength: float) -> Array:
        return np.linspace(-11.0, 12.0, 47)

    def tails(self) -> tuple[Array, Array]:
        return np.arange(-36.0, -11.0, 0.5), np.arange(12.5, 39.0, 0.5)

    def mild_rule(self) -> Rule:
        x = np.arange(-12.0, 12.125, 0.25)
        return x, 0.25 * self.pdf(x)


class LogisticShape(SmoothShape):
    """The standard logistic law."""

    low, high, gentle, rare, core = -690.0, 1e300, 0.001, 23.1, (-66.0, 66.0)
    spacing = 0.25

    def cdf(self, x: Array) -> Array:
        return np.asarray(special.expit(x))

    def survival(self, x: Array) -> Array:
        return np.asarray(special.expit(-x))

    def pdf(self, x: Array) -> Array:
        return np.asarray(special.expit(x) * special.expit(-x))

    def edges(self, strength: float) -> Array:
        return np.linspace(-66.0, 66.0, 265)

    def tails(self) -> tuple[Array, Array]:
        return np.arange(-690.0, -66.0, 8.0), np.arange(74.0, 745.0, 8.0)

    def mild_rule(self) -> Rule:
        x = np.arange(-66.0, 66.125, 0.25)
        return x, 0.25 * self.pdf(x)


class ExponentialShape(Shape):
    """The standard exponential law, φ(t) = E_p(t)/λ with p = 1 + 1/λ."""

    low, high, gentle, rare, core = 0.0, 1e300, 0.01, 23.1, (0.0, 75.0)

    def cdf(self, x: Array) -> Array:
        return -np.expm1(-np.maximum(x, 0.0))

    def survival(self, x: Array) -> Array:
        return np.exp(-np.maximum(x, 0.0))

    def pdf(self, x: Array) -> Array:
        return np.where(x >= 0, np.exp(-np.maximum(x, 0.0)), 0.0)

    def edges(self, strength: float) -> Array:
        near = graded(0.5, min(0.5, 0.5 / strength))
        return np.concatenate([near, np.arange(1.0, 75.25, 0.5)])

    def tails(self) -> tuple[Array, Array]:
        return np.zeros(0), np.arange(83.0, 745.0, 8.0)

    def mild_rule(self) -> Rule:
        return self.rule(0.01)

    def log_transform(self, s: Array, strength: float) -> Array:
        out = np.empty_like(s)
        late = s >= 0
        out[late] = self._far(np.exp(np.minimum(s[late], _FAR)), strength)
        out[~late] = np.log1p(-self._missing(s[~late], strength))
        return out

    @staticmethod
    def _far(t: Array, strength: float) -> Array:
        # E_p(t) = e^{−t}/(t + p − 1·p/(t + p + 2 − 2(p + 1)/(t + p + 4 − …))), t >= 1.
        p = 1.0 + 1.0 / strength
        fraction = t + p + 400.0
        for k in range(200, 0, -1):
            fraction = t + p + 2 * (k - 1) - k * (p + k - 1) / fraction
        out: Array = -t - np.log(strength * fraction)
        return out

    def _missing(self, s: Array, strength: float) -> Array:
        t = np.exp(s)
        if strength > 2:
            # 1 − φ = P(Y < s) + E[e^{−(Y−s)/λ}; Y > s], an upper incomplete gamma function.
            a = 1.0 - 1.0 / strength
            upper = special.gammaincc(a, t) * special.gamma(a)
            return np.asarray(-np.expm1(-t) + np.exp(s / strength) * upper)
        x, weight = self.rule(strength)
        out = np.empty_like(s)
        for start in range(0, len(s), _BLOCK):
            part = slice(start, start + _BLOCK)
            out[part] = -np.expm1(-np.exp(s[part, None] + strength * x)) @ weight
        return out


def log_of(phi: Array, missing: Array) -> Array:
    """ln φ from whichever of φ and 1 − φ is small."""
    return np.where(
        missing < 0.5,
        np.log1p(-np.minimum(missing, 0.5)),
        np.log(np.maximum(phi, np.exp(-700.0))),
    )


def atoms_transform(seen: Array, masses: Array, strength: float) -> Callable[[Array], Array]:
    """ln φ(e^s) = ln Σ p_i exp(−e^{s+λx_i}), the x_i increasing; only atoms in transition cost."""
    z, total = strength * seen, np.concatenate([[0.0], np.cumsum(masses)])
    rest = np.concatenate([np.cumsum(masses[::-1])[::-1], [0.0]])

    def transform(s: Array) -> Array:
        out = np.empty_like(s)
        for start in range(0, len(s), 64):
            part = s[start : start + 64]
            low, high = np.searchsorted(z, [-part[-1] - 60.0, 4.4 - part[0]])
            x = np.exp(part[:, None] + z[low:high])
            phi = total[low] + np.exp(-x) @ masses[low:high]
            missing = rest[high] - np.expm1(-x) @ masses[low:high]
            out[start : start + 64] = np.maximum(log_of(phi, missing), LOG_ZERO)
        return out

    return transform
