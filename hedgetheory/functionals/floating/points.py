"""What a law says at an array of rewards: u = F(r), ln u and ln f, in float64 and as pairs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array, Pair

#: float64 arrays; the results of numpy's ufuncs have no static type.
Values: TypeAlias = Any


#: Rewards and standardised rewards are cut here: nothing of a law with light tails is left there.
FAR = 1e100
#: A logarithm that stands for ln 0, so that a parameter of 0 times it is 0.
LOG_ZERO = -1e200
#: An exponent larger than this is recomputed as a pair: float64 loses |exponent| ulp.
CAREFUL = 100.0


class Points(ABC):
    """A law at an array of rewards: u = F(r), ū = 1 − u, ln u and ln f, in float64 and as pairs."""

    #: Rewards are cut here.
    far = FAR

    def __init__(self, law: Any, r: Array) -> None:
        self.law = law
        least, greatest = -self.far, self.far
        if law.support[0] is not None:
            least = float(law.support[0])
        if law.support[1] is not None:
            greatest = float(law.support[1])
        #: Whether every reward is where the formulas may be used as they are.
        self.all_inside = r.size == 0 or bool(r.min() >= least and r.max() <= greatest)
        self.r = r if self.all_inside else np.clip(r, least, greatest)

    def at(self, r: Array) -> Points:
        return type(self)(self.law, r)

    def standardised(self, location: Fraction, rate: Fraction) -> Pair:
        """(r − location)·rate as a pair."""
        z: Pair = (self.r, np.zeros_like(self.r))
        if not location and rate == 1:
            return z
        if location:
            high, low = k.pair_of(location)
            z = k.two_sum(self.r, -high)
            z = k.two_sum(z[0], z[1] - low)
        if rate != 1:
            z = times(z, rate)
        return np.clip(z[0], -FAR, FAR), np.where(np.abs(z[0]) < FAR, z[1], 0.0)

    @property
    def careful(self) -> Values:
        """The size of θ ln u from where on it is taken as a pair."""
        return CAREFUL

    @property
    def minus_ubar(self) -> Values:
        return -self.ubar

    u: Values
    ubar: Values
    log_u: Values
    log_density: Values

    @abstractmethod
    def ubar_pair(self) -> Pair: ...
    @abstractmethod
    def log_u_pair(self) -> Pair: ...
    @abstractmethod
    def log_density_pair(self) -> Pair: ...


class UniformPoints(Points):
    @cached_property
    def u(self) -> Values:
        return self.r

    @cached_property
    def ubar(self) -> Values:
        return 1.0 - self.r

    @cached_property
    def log_u(self) -> Values:
        return _log_by_half(self.r, self.ubar)

    @cached_property
    def log_density(self) -> Values:
        return np.zeros_like(self.r)

    def ubar_pair(self) -> Pair:
        return k.two_sum(1.0, -self.r)

    def log_u_pair(self) -> Pair:
        return _log_pair_by_half((self.r, np.zeros_like(self.r)), self.ubar_pair())

    def log_density_pair(self) -> Pair:
        return self.log_density, self.log_density


class NormalPoints(Points):
    def __init__(self, law: Normal, r: Array) -> None:
        super().__init__(law, r)
        self.z = self.standardised(law.mean, 1 / law.sd)
        self.log_scale = k.constant_pair("log", law.sd)

    @cached_property
    def above(self) -> Values:
        return self.z[0] >= 0

    @cached_property
    def size(self) -> Values:
        return np.abs(self.z[0])

    @cached_property
    def a(self) -> Pair:
        return self.size, self.z[1] * np.sign(self.z[0])

    @property
    def careful(self) -> Values:
        # Cephes' tail has lost z²/2 ulp, which the logarithm below 0 forgives and that above not.
        return np.where(self.above, CAREFUL / (1.0 + 0.25 * self.size**2), CAREFUL)

    @cached_property
    def log_tail(self) -> Pair:
        return k.log_normal_tail(self.a)

    @cached_property
    def tail(self) -> Values:
        return k.exp_of(self.log_tail)

    @cached_property
    def u(self) -> Values:
        return np.where(self.above, 1.0 - self.tail, self.tail)

    @cached_property
    def ubar(self) -> Values:
        return np.where(self.above, self.tail, 1.0 - self.tail)

    @cached_property
    def log_u(self) -> Values:
        if self.size.max(initial=0.0) > 6.0:
            # Cephes' tail has lost z²/2 ulp, and underflows where its logarithm does not.
            return np.where(self.above, np.log1p(-self.tail), self.log_tail[0])
        tail = k.ndtr(-self.size)
        if self.above.all():
            return np.log1p(-tail)
        return np.where(self.above, np.log1p(-tail), np.log(tail))

    @cached_property
    def log_density(self) -> Values:
        return -0.5 * (self.z[0] * self.z[0]) - (k.LOG_SQRT_2PI + self.log_scale[0])

    def ubar_pair(self) -> Pair:
        tail = k.normal_tail_pair(self.a)
        return k.choose(self.above, tail, _one_minus(tail))

    def log_u_pair(self) -> Pair:
        high, low = k.log_normal_tail_pair(self.a)
        above = self.above
        if above.any():
            log_tail = high[above], low[above]
            high[above], low[above] = k.log1p_pair(k.negative(k.exp_pair(log_tail)))
        return high, low

    def log_density_pair(self) -> Pair:
        return _minus_constant(k.log_normal_density_pair(self.a), self.log_scale)


class ExponentialPoints(Points):
    def __init__(self, law: Exponential, r: Array) -> None:
        super().__init__(law, r)
        self.z = self.standardised(Fraction(0), law.rate)
        self.log_rate = k.constant_pair("log", law.rate)

    @cached_property
    def u(self) -> Values:
        return -k.expm1_of(k.negative(self.z))

    @cached_property
    def ubar(self) -> Values:
        return k.exp_of(k.negative(self.z))

    @cached_property
    def log_u(self) -> Values:
        return _log_by_half(self.u, self.ubar)

    @cached_property
    def log_density(self) -> Values:
        return self.log_rate[0] - self.z[0]

    def ubar_pair(self) -> Pair:
        return k.exp_pair(k.negative(self.z))

    def log_u_pair(self) -> Pair:
        u = k.negative(k.expm1_pair(k.negative(self.z)))
        return _log_pair_by_half(u, self.ubar_pair())

    def log_density_pair(self) -> Pair:
        return _minus_constant(k.negative(self.z), (-self.log_rate[0], -self.log_rate[1]))


class LogisticPoints(Points):
    def __init__(self, law: Logistic, r: Array) -> None:
        super().__init__(law, r)
        self.z = self.standardised(law.loc, 1 / law.scale)
        self.above = self.z[0] >= 0
        self.minus_size = k.choose(self.above, k.negative(self.z), self.z)
        self.small = k.exp_of(self.minus_size)
        self.log_scale = k.constant_pair("log", law.scale)

    @cached_property
    def u(self) -> Values:
        return np.where(self.above, 1.0, self.small) / (1.0 + self.small)

    @cached_property
    def ubar(self) -> Values:
        return np.where(self.above, self.small, 1.0) / (1.0 + self.small)

    @cached_property
    def log_u(self) -> Values:
        return np.where(self.above, 0.0, self.z[0]) - np.log1p(self.small)

    @cached_property
    def log_density(self) -> Values:
        return self.minus_size[0] - 2.0 * np.log1p(self.small) - self.log_scale[0]

    def ubar_pair(self) -> Pair:
        small = k.exp_pair(self.minus_size)
        one = np.ones_like(small[0]), np.zeros_like(small[0])
        return k.pair_quotient(k.choose(self.above, small, one), k.pair_sum(one, small))

    def _log1p_pair(self) -> Pair:
        return k.log1p_pair(k.exp_pair(self.minus_size))

    def log_u_pair(self) -> Pair:
        log = k.negative(self._log1p_pair())
        return k.choose(self.above, log, k.pair_sum(self.z, log))

    def log_density_pair(self) -> Pair:
        high, low = self._log1p_pair()
        return _minus_constant(
            k.pair_sum(self.minus_size, (-2.0 * high, -2.0 * low)), self.log_scale
        )


def times(x: Pair, factor: Fraction) -> Pair:
    high, low = k.pair_of(factor)
    with np.errstate(over="ignore", invalid="ignore"):
        return k.pair_product(x, (np.full_like(x[0], high), np.full_like(x[0], low)))


def _one_minus(x: Pair) -> Pair:
    high, low = k.two_sum(1.0, -x[0])
    return k.two_sum(high, low - x[1])


def _minus_constant(x: Pair, constant: tuple[float, float]) -> Pair:
    return k.pair_sum(x, (np.full_like(x[0], -constant[0]), np.full_like(x[0], -constant[1])))


def _log_by_half(u: Array, ubar: Array) -> Array:
    """ln u from the smaller of u and ū; ln 0 is a very negative number."""
    upper = u > 0.5
    low = np.log(np.where(u > 0, u, 1.0))
    high = np.log1p(-np.minimum(ubar, 0.5))
    return np.where(upper, high, np.where(u > 0, low, LOG_ZERO))


def _log_pair_by_half(u: Pair, ubar: Pair) -> Pair:
    upper = u[0] > 0.5
    quarter = np.full_like(u[0], 0.25), np.zeros_like(u[0])
    low = k.log_pair(k.choose(~upper & (u[0] > 0), u, quarter))
    high = k.log1p_pair(k.choose(upper, k.negative(ubar), k.negative(quarter)))
    zero = np.full_like(u[0], LOG_ZERO), np.zeros_like(u[0])
    return k.choose(upper, high, k.choose(u[0] > 0, low, zero))
