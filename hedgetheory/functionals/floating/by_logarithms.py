"""Laws at arrays of rewards, each by three pairs: ln u, ln ū and ln f.

A pair keeps the relative accuracy of both tails through exp, and no tail underflows where its
logarithm does not; everything else that `Points` asks for follows from the three.
"""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from hedgetheory.functionals.floating.points import LOG_ZERO, NormalPoints, Points, Values, times
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array, Pair

#: ln of what stands for ∞ in a doubly exponential tail: e^460 = 6e199, so that 1e100 times it, a
#: parameter times it, is still a number.
_LARGEST_EXPONENT = 460.0


class LogarithmPoints(Points):
    """A law that states `log_tails` and `log_density_pair`."""

    @abstractmethod
    def log_tails(self) -> tuple[Pair, Pair]:
        """ln u and ln ū as pairs, each right in relative terms."""

    @cached_property
    def _tails(self) -> tuple[Pair, Pair]:
        lower, upper = self.log_tails()
        return _capped(lower), _capped(upper)

    @cached_property
    def log_u(self) -> Values:
        return self._tails[0][0]

    @cached_property
    def u(self) -> Values:
        return k.exp_of(self._tails[0])

    @cached_property
    def ubar(self) -> Values:
        return k.exp_of(self._tails[1])

    @cached_property
    def log_density(self) -> Values:
        return self.log_density_pair()[0]

    def ubar_pair(self) -> Pair:
        return k.exp_pair(self._tails[1])

    def log_u_pair(self) -> Pair:
        return self._tails[0]

    def plus(self, x: Pair, constant: tuple[float, float], sign: float = 1.0) -> Pair:
        return k.pair_sum(x, k.as_pair((sign * constant[0], sign * constant[1]), x[0]))


def _capped(log: Pair) -> Pair:
    """Not below ln 0, so that a parameter times it is still a number."""
    return np.maximum(log[0], LOG_ZERO), np.where(log[0] > LOG_ZERO, log[1], 0.0)


def log_of(r: Array) -> Pair:
    """ln r, r >= 0, right in relative terms around 1 too; ln 0 is a very negative number."""
    near = (r > 0.5) & (r < 1.75)
    zero = np.zeros_like(r)
    # r − 1 is exact between 1/2 and 2.
    close = k.log1p_pair((np.where(near, r - 1.0, 0.0), zero))
    other = k.log_pair((np.where(near | (r <= 0), 2.0, r), zero))
    return k.choose(near, close, k.choose(r > 0, other, (np.full_like(r, LOG_ZERO), zero)))


def _exp_and_log_complement(y: Pair) -> tuple[Pair, Pair]:
    """x = e^y and ln(1 − e^{−x}), which is y − x/2 + … where x is small."""
    capped = y[0] > _LARGEST_EXPONENT
    x = k.exp_pair((np.minimum(y[0], _LARGEST_EXPONENT), np.where(capped, 0.0, y[1])))
    return x, k.choose(y[0] < -100.0, y, k.log_one_minus_exp(x))


class GumbelPoints(LogarithmPoints):
    """ln u = −e^{−z}."""

    def __init__(self, law: Any, r: Array) -> None:
        super().__init__(law, r)
        self.z = self.standardised(law.loc, 1 / law.scale)
        self.x, self._log_ubar = _exp_and_log_complement(k.negative(self.z))

    def log_tails(self) -> tuple[Pair, Pair]:
        return k.negative(self.x), self._log_ubar

    def log_density_pair(self) -> Pair:
        total = k.negative(k.pair_sum(self.z, self.x))
        return self.plus(total, k.constant_pair("log", self.law.scale), -1.0)


class LaplacePoints(LogarithmPoints):
    """The tail on the side of the reward is e^{−|z|}/2."""

    def __init__(self, law: Any, r: Array) -> None:
        super().__init__(law, r)
        self.z = self.standardised(law.loc, 1 / law.scale)
        self.above = self.z[0] >= 0
        self.minus_size = k.choose(self.above, k.negative(self.z), self.z)

    def log_tails(self) -> tuple[Pair, Pair]:
        tail = self.plus(self.minus_size, k.constant_pair("log", Fraction(1, 2)))
        other = k.log1p_pair(k.negative(k.exp_pair(tail)))
        return k.choose(self.above, other, tail), k.choose(self.above, tail, other)

    def log_density_pair(self) -> Pair:
        return self.plus(self.minus_size, k.constant_pair("log", 2 * self.law.scale), -1.0)


class WeibullPoints(LogarithmPoints):
    """ln ū = −x, x = (r/scale)^shape."""

    far = 1e308

    def __init__(self, law: Any, r: Array) -> None:
        super().__init__(law, r)
        self.log_r = log_of(self.r)
        ratio = self.plus(self.log_r, k.constant_pair("log", law.scale), -1.0)
        self.y = times(ratio, law.shape)
        self.x, self._log_u = _exp_and_log_complement(self.y)

    def log_tails(self) -> tuple[Pair, Pair]:
        return self._log_u, k.negative(self.x)

    def log_density_pair(self) -> Pair:
        total = k.pair_sum(k.pair_sum(self.y, k.negative(self.log_r)), k.negative(self.x))
        return self.plus(total, k.constant_pair("log", self.law.shape))


class ParetoPoints(LogarithmPoints):
    """ln ū = −alpha ln r."""

    far = 1e308

    def __init__(self, law: Any, r: Array) -> None:
        super().__init__(law, r)
        self.log_r = log_of(self.r)
        self.y = times(self.log_r, law.alpha)

    def log_tails(self) -> tuple[Pair, Pair]:
        return k.log_one_minus_exp(self.y), k.negative(self.y)

    def log_density_pair(self) -> Pair:
        total = k.negative(k.pair_sum(self.y, self.log_r))
        return self.plus(total, k.constant_pair("log", self.law.alpha))


class LogNormalPoints(NormalPoints):
    """A normal law at ln r."""

    far = 1e308

    def __init__(self, law: Any, r: Array) -> None:
        Points.__init__(self, law, r)
        self.log_r = log_of(self.r)
        mean = k.as_pair(k.pair_of(-law.mu), self.r)
        z = times(k.pair_sum(self.log_r, mean), 1 / law.sigma)
        # ln 0 stands for −∞: nothing of a normal law is left at 1e100.
        self.z = np.clip(z[0], -1e100, 1e100), np.where(np.abs(z[0]) < 1e100, z[1], 0.0)
        self.log_scale = k.constant_pair("log", law.sigma)

    @cached_property
    def log_density(self) -> Values:
        return self.log_density_pair()[0]

    def log_density_pair(self) -> Pair:
        # At r = 0 the square outweighs ln r, which is cut as z is.
        log_r = np.maximum(self.log_r[0], -1e100), np.where(self.r > 0, self.log_r[1], 0.0)
        return k.pair_sum(super().log_density_pair(), k.negative(log_r))
