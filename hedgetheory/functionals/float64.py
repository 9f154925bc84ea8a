"""The vectorised float64 layer: every functional of BoN, BoP and the tilts over arrays.

`evaluate` takes arrays of parameters and of rewards and returns an array. The formulas are the
conditioned forms of the closed forms that `hedgetheory.functionals.closed_forms` proves; what
certifies them is the comparison with balls in tests/functionals/test_float64_record.py, whose worst
errors are recorded in float64_record.json beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from hedgetheory.errors import InputError, NotOnThisLaw, must_be, nearest
from hedgetheory.exact import short
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array, Pair
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.tilt import Tilt

#: float64 arrays; the results of numpy's ufuncs have no static type.
Values: TypeAlias = Any

FAMILIES: dict[str, type[Policy]] = {
    family.name: family for family in (BestOfN, BestOfPoisson, QuantileTilt, Tilt)
}
POINTWISE = ("density", "ratio", "cdf", "survival", "score")
FUNCTIONALS = ("kl", "chi2", "total_variation", "mean_reward", "mean_quantile", "win_rate")

#: Rewards and standardised rewards are cut here: nothing of a law is left this far out.
_FAR = 1e100
#: A logarithm that stands for ln 0, so that a parameter of 0 times it is 0.
_LOG_ZERO = -1e200
#: Larger parameters are refused: products of three such numbers stay in the range.
MAX_PARAMETER = 1e100
#: Elements at a time of pointwise formulas, and of what is done in pairs: the more intermediates,
#: the fewer elements stay in the cache.
_POINTS_BLOCK, _PAIRS_BLOCK = 16384, 4096
#: An exponent larger than this is recomputed as a pair: float64 loses |exponent| ulp.
_CAREFUL = 100.0


# -- what a law says at given rewards --------------------------------------------------------------


class _Points(ABC):
    """A law at an array of rewards: u = F(r), ū = 1 − u, ln u and ln f, in float64 and as pairs."""

    def __init__(self, law: Any, r: Array) -> None:
        self.law = law
        least, greatest = -_FAR, _FAR
        if law.support[0] is not None:
            least = float(law.support[0])
        if law.support[1] is not None:
            greatest = float(law.support[1])
        #: Whether every reward is where the formulas may be used as they are.
        self.all_inside = r.size == 0 or bool(r.min() >= least and r.max() <= greatest)
        self.r = r if self.all_inside else np.clip(r, least, greatest)

    def at(self, r: Array) -> _Points:
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
            z = _times(z, rate)
        return np.clip(z[0], -_FAR, _FAR), np.where(np.abs(z[0]) < _FAR, z[1], 0.0)

    @property
    def careful(self) -> Values:
        """The size of θ ln u from where on it is taken as a pair."""
        return _CAREFUL

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


class _UniformPoints(_Points):
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


class _NormalPoints(_Points):
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
        return np.where(self.above, _CAREFUL / (1.0 + 0.25 * self.size**2), _CAREFUL)

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
        if self.size.max(initial=0.0) > 36.0:
            # The tail underflows where its logarithm does not.
            return np.where(self.above, np.log1p(-self.tail), self.log_tail[0])
        tail = k.ndtr(-self.size)
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


class _ExponentialPoints(_Points):
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


class _LogisticPoints(_Points):
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


_POINTS: dict[type[Law], type[_Points]] = {
    Uniform: _UniformPoints,
    Normal: _NormalPoints,
    Exponential: _ExponentialPoints,
    Logistic: _LogisticPoints,
}


def _times(x: Pair, factor: Fraction) -> Pair:
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
    return np.where(upper, high, np.where(u > 0, low, _LOG_ZERO))


def _log_pair_by_half(u: Pair, ubar: Pair) -> Pair:
    upper = u[0] > 0.5
    quarter = np.full_like(u[0], 0.25), np.zeros_like(u[0])
    low = k.log_pair(k.choose(~upper & (u[0] > 0), u, quarter))
    high = k.log1p_pair(k.choose(upper, k.negative(ubar), k.negative(quarter)))
    zero = np.full_like(u[0], _LOG_ZERO), np.zeros_like(u[0])
    return k.choose(upper, high, k.choose(u[0] > 0, low, zero))


# -- exponents -------------------------------------------------------------------------------------


def _exponential(theta: Array, points: _Points, slope: str, shift: str = "") -> Array:
    """exp(θ·slope + shift), broadcast; ``slope`` and ``shift`` name what the points give.

    In float64 where the exponent is small, as a pair where float64 would lose its |exponent| ulp.
    """
    first = getattr(points, slope)
    second = getattr(points, shift) if shift else 0.0
    with np.errstate(over="ignore", under="ignore"):
        product = theta * first
        exponent = product + second if shift else product
        result: Array = np.exp(exponent)
    careful = np.abs(product) > (points.careful if slope == "log_u" else _CAREFUL)
    if shift:
        careful |= np.abs(second) > _CAREFUL
    if careful.any():
        careful &= exponent > -760.0
        result = np.array(result)
        result[careful] = _carefully(theta, points, slope, shift, careful)
    return result


def _carefully(theta: Array, points: _Points, slope: str, shift: str, where: Any) -> Array:
    """exp(θ·slope + shift) by pairs, at the selected elements of the broadcast."""
    thetas: Array = np.broadcast_to(theta, where.shape)[where]
    if points.r.size < thetas.size:
        # Few rewards against many parameters: what the law says, once for each reward.
        first, second = (_get_pair(points, name) for name in (slope, shift))
        spread = [np.broadcast_to(x, where.shape)[where] for x in (*first, *second)]
        return k.exp_of(_exponent_pair(thetas, (spread[0], spread[1]), (spread[2], spread[3])))
    rewards: Array = np.broadcast_to(points.r, where.shape)[where]
    out = np.empty_like(thetas)
    for start in range(0, out.size, _PAIRS_BLOCK):
        part = slice(start, start + _PAIRS_BLOCK)
        inner = points.at(rewards[part])
        first, second = (_get_pair(inner, name) for name in (slope, shift))
        out[part] = k.exp_of(_exponent_pair(thetas[part], first, second))
    return out


def _get_pair(points: _Points, name: str) -> Pair:
    if not name:
        zero = np.zeros_like(points.r)
        return zero, zero
    if name == "minus_ubar":
        return k.negative(points.ubar_pair())
    pair: Pair = getattr(points, name + "_pair")()
    return pair


def _exponent_pair(theta: Array, slope: Pair, shift: Pair) -> Pair:
    return k.pair_sum(k.pair_product((theta, np.zeros_like(theta)), slope), shift)


# -- policies --------------------------------------------------------------------------------------


class _Formulas(ABC):
    """A family on a law: each method is one quantity, over broadcast arrays."""

    def __init__(self, law: Any) -> None:
        self.law = law
        #: Quantities that have no formula here, with the reason.
        self.missing: dict[str, str] = {}

    def ratio(self, theta: Values, points: Any) -> Values:
        return self.weight(theta, points, "")

    def density(self, theta: Values, points: Any) -> Values:
        return self.weight(theta, points, "log_density")

    @abstractmethod
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        """w·exp(shift): one exponential, so that neither factor under- or overflows alone."""

    @abstractmethod
    def cdf(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def survival(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def score(self, theta: Values, points: Any) -> Values: ...
    @abstractmethod
    def kl(self, theta: Values) -> Values: ...
    @abstractmethod
    def chi2(self, theta: Values) -> Values: ...
    @abstractmethod
    def total_variation(self, theta: Values) -> Values: ...
    @abstractmethod
    def mean_reward(self, theta: Values) -> Values: ...
    @abstractmethod
    def mean_quantile(self, theta: Values) -> Values: ...

    def win_rate(self, theta: Values) -> Values:
        return self.mean_quantile(theta)


class _Rank(_Formulas):
    """A rank policy: on every law without atoms the divergences are the same."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        if isinstance(law, Normal):
            self.missing = {"mean_reward": "the mean reward on a normal law has no closed form"}

    def mean_reward(self, theta: Values) -> Values:
        if isinstance(self.law, Exponential):
            return self.minus_log_ubar(theta) / float(self.law.rate)
        if isinstance(self.law, Logistic):
            return float(self.law.loc) + float(self.law.scale) * self.logit(theta)
        return self.mean_quantile(theta)

    @abstractmethod
    def minus_log_ubar(self, theta: Values) -> Values:
        """E[−ln(1 − U)]."""

    @abstractmethod
    def logit(self, theta: Values) -> Values:
        """E[ln(U/(1 − U))]."""


class _BestOfN(_Rank):
    """In the excess x = n − 1."""

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return (1.0 + theta) * _exponential(theta, points, "log_u", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return _exponential(theta, points, "log_u", "log_u")

    def survival(self, theta: Values, points: Any) -> Values:
        return -np.expm1((1.0 + theta) * points.log_u)

    def score(self, theta: Values, points: Any) -> Values:
        log = np.where(points.log_u <= _LOG_ZERO, -np.inf, points.log_u)
        return 1.0 / (1.0 + theta) + log

    def kl(self, theta: Values) -> Values:
        return k.bon_kl(theta)

    def chi2(self, theta: Values) -> Values:
        return k.bon_chi2(theta)

    def total_variation(self, theta: Values) -> Values:
        return k.bon_total_variation(theta)

    def mean_quantile(self, theta: Values) -> Values:
        return (1.0 + theta) / (2.0 + theta)

    def minus_log_ubar(self, theta: Values) -> Values:
        # H_n = H_x + 1/n, all positive.
        return k.harmonic(1.0 + theta)

    def logit(self, theta: Values) -> Values:
        # H_n − 1/n = H_{n−1}.
        return k.harmonic(theta)


class _BestOfPoisson(_Rank):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return (1.0 + theta * points.u) * _exponential(theta, points, "minus_ubar", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return points.u * _exponential(theta, points, "minus_ubar")

    def survival(self, theta: Values, points: Any) -> Values:
        return points.ubar - points.u * np.expm1(-theta * points.ubar)

    def score(self, theta: Values, points: Any) -> Values:
        return points.u / (1.0 + theta * points.u) - points.ubar

    def kl(self, theta: Values) -> Values:
        return k.bop_kl(theta)

    def chi2(self, theta: Values) -> Values:
        return k.bop_chi2(theta)

    def total_variation(self, theta: Values) -> Values:
        return k.bop_total_variation(theta)

    def mean_quantile(self, theta: Values) -> Values:
        return 1.0 - k.phi2_minus(theta)

    def minus_log_ubar(self, theta: Values) -> Values:
        return k.ein(theta) + k.phi1_minus(theta)

    def logit(self, theta: Values) -> Values:
        # E[−ln(1 − U)] − E[−ln U] = Ein(μ) + φ₁(−μ) − φ₁(−μ).
        return k.ein(theta)


class _QuantileTilt(_Rank):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return _exponential(theta, points, "minus_ubar", shift) / k.phi1_minus(theta)

    def cdf(self, theta: Values, points: Any) -> Values:
        scale = k.phi1_minus(theta * points.u) / k.phi1_minus(theta)
        return points.u * scale * _exponential(theta, points, "minus_ubar")

    def survival(self, theta: Values, points: Any) -> Values:
        return points.ubar * (k.phi1_minus(theta * points.ubar) / k.phi1_minus(theta))

    def score(self, theta: Values, points: Any) -> Values:
        # u − E_λ[U] from the end where both are small.
        return k.tilt_shortfall(theta) - points.ubar

    def kl(self, theta: Values) -> Values:
        return k.tilt_kl(theta)

    def chi2(self, theta: Values) -> Values:
        return 0.5 * theta * k.langevin(0.5 * theta)

    def total_variation(self, theta: Values) -> Values:
        return k.tilt_total_variation(theta)

    def mean_quantile(self, theta: Values) -> Values:
        return 0.5 + 0.5 * k.langevin(0.5 * theta)

    def minus_log_ubar(self, theta: Values) -> Values:
        safe = np.maximum(theta, 1e-300)
        return k.ein(safe) / -np.expm1(-safe)

    def logit(self, theta: Values) -> Values:
        return k.tilt_logit(theta)


class _TiltOnNormal(_Formulas):
    """R is normal with mean m + λ sd²; δ = λ sd."""

    def _shift(self, theta: Values) -> Pair:
        return _times((theta, np.zeros_like(theta)), self.law.sd)

    def _from_mean(self, theta: Values, points: _NormalPoints) -> Pair:
        return k.pair_sum(points.z, k.negative(self._shift(theta)))

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        if shift:
            away = k.half_square(self._from_mean(theta, points))
            scale = k.SQRT_2PI * float(self.law.sd)
            return k.exp_of(k.negative(away)) / scale
        # δz − δ²/2 = δ(z − δ/2): the difference is taken in pairs, before the product.
        high, low = self._shift(theta)
        return k.exp_of(
            k.pair_product((high, low), k.pair_sum(points.z, (-0.5 * high, -0.5 * low)))
        )

    def _tails(self, theta: Values, points: Any) -> tuple[Values, Values]:
        z = self._from_mean(theta, points)
        tail = k.normal_tail(k.choose(z[0] < 0, k.negative(z), z))
        return tail, z[0] < 0

    def cdf(self, theta: Values, points: Any) -> Values:
        tail, below = self._tails(theta, points)
        return np.where(below, tail, 1.0 - tail)

    def survival(self, theta: Values, points: Any) -> Values:
        tail, below = self._tails(theta, points)
        return np.where(below, 1.0 - tail, tail)

    def score(self, theta: Values, points: Any) -> Values:
        return float(self.law.sd) * self._from_mean(theta, points)[0]

    def kl(self, theta: Values) -> Values:
        return k.half_square(self._shift(theta))[0]

    def chi2(self, theta: Values) -> Values:
        high, low = k.half_square(self._shift(theta))
        return k.expm1_of((2.0 * high, 2.0 * low))

    def total_variation(self, theta: Values) -> Values:
        return k.erf(self._shift(theta)[0] * np.sqrt(0.125))

    def mean_reward(self, theta: Values) -> Values:
        return float(self.law.mean) + float(self.law.sd) * self._shift(theta)[0]

    def mean_quantile(self, theta: Values) -> Values:
        # Φ((R − m)/sd) for R normal around δ: the chance that one normal exceeds another.
        return 0.5 + 0.5 * k.erf(0.5 * self._shift(theta)[0])


class _TiltOnExponential(_Formulas):
    """R is exponential with rate b − λ; t = λ/b."""

    def _rate(self, theta: Values) -> Pair:
        high, low = k.pair_of(self.law.rate)
        total, error = k.two_sum(high, -theta)
        return k.two_sum(total, error + low)

    def _t(self, theta: Values) -> Values:
        return theta / float(self.law.rate)

    def _rest(self, theta: Values) -> Values:
        """1 − t."""
        return self._rate(theta)[0] / float(self.law.rate)

    def _scaled(self, theta: Values, points: Any) -> Pair:
        """(b − λ) r."""
        return k.pair_product(self._rate(theta), (points.r, np.zeros_like(points.r)))

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        if shift:
            return self._rate(theta)[0] * k.exp_of(k.negative(self._scaled(theta, points)))
        return self._rest(theta) * k.exp_of(k.two_product(theta, points.r))

    def cdf(self, theta: Values, points: Any) -> Values:
        return -k.expm1_of(k.negative(self._scaled(theta, points)))

    def survival(self, theta: Values, points: Any) -> Values:
        return k.exp_of(k.negative(self._scaled(theta, points)))

    def score(self, theta: Values, points: Any) -> Values:
        return points.r - 1.0 / self._rate(theta)[0]

    def kl(self, theta: Values) -> Values:
        return k.minus_log1pmx(theta / self._rate(theta)[0])

    def chi2(self, theta: Values) -> Values:
        high, low = k.pair_of(self.law.rate)
        rest = (high - 2.0 * theta) + low
        finite = rest > 0
        t = self._t(theta)
        return np.where(finite, t * t / (np.where(finite, rest, 1.0) / high), np.inf)

    def total_variation(self, theta: Values) -> Values:
        t = np.maximum(self._t(theta), 1e-300)
        # ln(1 − t) from 1 − t, which is exact in the last half, where t is not 1 rounded.
        rest = self._rest(theta)
        log = np.where(t < 0.5, np.log1p(-np.minimum(t, 0.5)), np.log(rest))
        return self._t(theta) * np.exp(rest / t * log)

    def mean_reward(self, theta: Values) -> Values:
        return 1.0 / self._rate(theta)[0]

    def mean_quantile(self, theta: Values) -> Values:
        return 1.0 / (1.0 + self._rest(theta))


class _TiltOnLogistic(_Formulas):
    """M(λ) = e^{λ loc} πt/sin πt, t = scale·λ < 1."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        self.missing = {
            name: f"the {name} of a tilted logistic law has no closed form"
            for name in ("cdf", "survival", "total_variation")
        }

    def _t(self, theta: Values) -> Pair:
        return _times((theta, np.zeros_like(theta)), self.law.scale)

    def _below(self, top: float, theta: Values) -> Values:
        high, low = self._t(theta)
        return (top - high) - low

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        t = self._t(theta)
        exponent = k.pair_product(t, points.z)
        if shift:
            exponent = k.pair_sum(exponent, points.log_density_pair())
        return k.exp_of(exponent) * k.sinc_pi(t[0], self._below(1.0, theta))

    def cdf(self, theta: Values, points: Any) -> Values:
        raise NotImplementedError

    def survival(self, theta: Values, points: Any) -> Values:
        raise NotImplementedError

    def total_variation(self, theta: Values) -> Values:
        raise NotImplementedError

    def score(self, theta: Values, points: Any) -> Values:
        mean = k.logistic_tilt_mean(self._t(theta)[0], self._below(1.0, theta))
        return float(self.law.scale) * (points.z[0] - mean)

    def kl(self, theta: Values) -> Values:
        return k.logistic_tilt_kl(self._t(theta)[0], self._below(1.0, theta))

    def chi2(self, theta: Values) -> Values:
        return k.logistic_tilt_chi2(self._t(theta)[0], self._below(0.5, theta))

    def mean_reward(self, theta: Values) -> Values:
        mean = k.logistic_tilt_mean(self._t(theta)[0], self._below(1.0, theta))
        return float(self.law.loc) + float(self.law.scale) * mean

    def mean_quantile(self, theta: Values) -> Values:
        return 0.5 + 0.5 * self._t(theta)[0]


_RANK: dict[type[Policy], type[_Formulas]] = {
    BestOfN: _BestOfN,
    BestOfPoisson: _BestOfPoisson,
    QuantileTilt: _QuantileTilt,
}
_TILT: dict[type[Law], type[_Formulas]] = {
    Uniform: _QuantileTilt,
    Normal: _TiltOnNormal,
    Exponential: _TiltOnExponential,
    Logistic: _TiltOnLogistic,
}


# -- the public function ---------------------------------------------------------------------------


def evaluate(
    quantity: str,
    family: str | type[Policy],
    thetas: ArrayLike,
    law: Law | None = None,
    *,
    at: ArrayLike | None = None,
    excess: bool = False,
) -> Array:
    """A quantity of a one-parameter family at arrays of parameters and rewards, in float64.

    The quantities are those of `hedgetheory.functionals.quantities` by their names: "density",
    "ratio" w = dπ/dπ_ref, "cdf", "survival" 1 − cdf and "score" ∂_θ ln w at rewards; "kl" (nats),
    "chi2", "total_variation", "mean_reward", "mean_quantile" and "win_rate" of the policy.

    The families are Best-of-n, w = n u^{n−1} (n >= 1), Best-of-Poisson, w = (1 + μu) e^{μ(u−1)}
    (μ >= 0), the quantile tilt, w = λ e^{λu}/(e^λ − 1), and the tilt, w = e^{λr}/M(λ) (λ >= 0, in
    the unit 1/reward, where M(λ) is finite), with u = F(r). The laws have no atoms.

    Args:
        quantity: a name of `POINTWISE` or `FUNCTIONALS`.
        family: a policy class or its name: "bon", "bop", "quantile_tilt" or "tilt".
        thetas: parameters, any shape; each float64 is taken as the exact number that it is.
        law: uniform (the default), normal, exponential or logistic, with its exact parameters.
        at: rewards, for pointwise quantities; any shape that broadcasts against ``thetas``.
        excess: for Best-of-n, whether ``thetas`` are n − 1. n itself is spaced by 2e-16 near 1:
            only the excess can say n − 1 = 1e-20, or 1e-12 to more than four digits.

    Returns an array of the broadcast shape. Guarantee: estimated, by tests against certified balls
    with parameters from 1e-12 to 1e12: relative error at most 1e-13 where the true value is a
    normal float64, except for what has a sign (the score, a mean reward around a location), which
    is right within 16 ulp of its largest term. Beyond float64 the value is 0 or ∞, without a
    warning; χ² is ∞ where E[w²] is. Outside the support of the law the density is 0, and ratio and
    score are NaN.

    Raises InputError for unknown names, parameters out of domain, NaN, missing or superfluous
    ``at``, laws with atoms, and quantities without a closed form here; NotOnThisLaw for a tilt with
    M(λ) = ∞.

    >>> evaluate("kl", "bop", [0.0, 1e-9, 5.0, 1e12]).tolist()
    [0.0, 1.6666666658333332e-19, 0.8334494257619074, 26.63102111592955]
    >>> evaluate("density", "bon", [[2.0], [3.0]], at=[0.25, 0.5]).tolist()
    [[0.5, 1.0], [0.1875, 0.75]]

    Source: closed forms of `hedgetheory.functionals.closed_forms`; KL of Best-of-Poisson: paper,
    Theorem 2 (arXiv 2506.19248).
    """
    where = f"evaluate({quantity}, ...)"
    if quantity not in (*POINTWISE, *FUNCTIONALS):
        hint = nearest(quantity, [*POINTWISE, *FUNCTIONALS])
        raise InputError(f"unknown quantity {quantity}: {hint} [{where}]")
    policy = _family(family, where)
    base = law if law is not None else Uniform()
    if type(base) not in _POINTS:
        raise InputError(f"law={base}, but must be {_names(_POINTS)} [{where}]")
    theta = _parameters(policy, thetas, excess, where)
    if policy is Tilt:
        _require_finite_mgf(theta, base)
        formulas = _TILT[type(base)](base)
    else:
        formulas = _RANK[policy](base)
    if quantity in formulas.missing:
        raise InputError(f"{formulas.missing[quantity]}: use value(...) [{where}]")
    if (at is not None) != (quantity in POINTWISE):
        wanted = "needs" if at is None else "takes no"
        raise InputError(f"{quantity} {wanted} at=rewards [{where}]")
    method: Callable[..., Any] = getattr(formulas, quantity)
    # n − 1 is exact for every float64 n from 1 to 2^53.
    shift = 1.0 if policy is BestOfN and not excess else 0.0

    def compute(t: Array, *points: _Points) -> Any:
        return method(t - shift if shift else t, *points)

    if at is None:
        return _blockwise(compute, theta, size=k.WIDE_BLOCK)
    rewards = _numbers("at", at, where)
    kind = _POINTS[type(base)]
    low, high = base.support  # type: ignore[attr-defined]

    def pointwise(t: Array, r: Array) -> Any:
        points = kind(base, r)
        result = compute(t, points)
        if points.all_inside:
            return result
        below = r < (-np.inf if low is None else float(low))
        above = r > (np.inf if high is None else float(high))
        outside: dict[str, Any] = {"density": 0.0, "cdf": 1.0 * above, "survival": 1.0 * below}
        return np.where(below | above, outside.get(quantity, np.nan), result)

    if theta.size == 1 and theta.ndim <= rewards.ndim:
        return _blockwise(lambda r: pointwise(theta.reshape(1), r), rewards, size=_POINTS_BLOCK)
    if theta.shape == rewards.shape:
        return _blockwise(pointwise, theta, rewards, size=_POINTS_BLOCK)
    # At least one dimension each, so that every intermediate is an array.
    result = pointwise(np.atleast_1d(theta), np.atleast_1d(rewards))
    shape = np.broadcast_shapes(theta.shape, rewards.shape)
    return np.reshape(np.asarray(result, dtype=np.float64), shape)


def _blockwise(function: Callable[..., Any], *arrays: Array, size: int) -> Array:
    """A function of arrays of one shape, in blocks whose intermediates stay in the cache."""
    flat = [np.ascontiguousarray(array).reshape(-1) for array in arrays]
    out = np.empty_like(flat[0])
    for start in range(0, out.size, size):
        out[start : start + size] = function(*(part[start : start + size] for part in flat))
    return out.reshape(arrays[0].shape)


def _names(kinds: dict[Any, Any]) -> str:
    return ", ".join(kind.name for kind in kinds)


def _family(family: str | type[Policy], where: str) -> type[Policy]:
    if isinstance(family, str):
        if family not in FAMILIES:
            raise InputError(
                f"unknown family {family}: {nearest(family, list(FAMILIES))} [{where}]"
            )
        return FAMILIES[family]
    if family not in FAMILIES.values():
        raise InputError(f"family={family}, but must be one of {', '.join(FAMILIES)} [{where}]")
    return family


def _as_array(name: str, values: ArrayLike, where: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise must_be(name, values, "numbers", where) from None


def _numbers(name: str, values: ArrayLike, where: str) -> Array:
    array = _as_array(name, values, where)
    if not np.isfinite(array).all():
        raise must_be(name, array[~np.isfinite(array)].flat[0], "finite real numbers", where)
    return array


def _parameters(policy: type[Policy], values: ArrayLike, excess: bool, where: str) -> Array:
    """The parameters as an array, each checked to be in the domain."""
    if excess and policy is not BestOfN:
        raise InputError(f"excess=True is n − 1 of Best-of-n, not of {policy.name} [{where}]")
    symbol = policy.symbols[0].name
    name = f"{symbol} - 1" if excess else symbol
    theta = _as_array(name, values, where)
    least = 1.0 if policy is BestOfN and not excess else 0.0
    # One comparison each that NaN fails, so that an array is read twice and not more.
    if theta.size and not (theta.min() >= least and theta.max() <= MAX_PARAMETER):
        theta = _numbers(name, theta, where)
        if (theta < least).any():
            raise must_be(name, theta[theta < least].flat[0], f"real numbers >= {least:g}", where)
        raise must_be(name, theta.max(), f"at most {MAX_PARAMETER:g}", where)
    return theta


def _require_finite_mgf(theta: Array, law: Any) -> None:
    limit: Fraction | None = law.mgf_limit
    if limit is None or not theta.size:
        return
    largest = float(theta.max())
    if Fraction(largest) >= limit:
        raise NotOnThisLaw(
            f"tilt(lam={largest:g}) does not exist on {law}: E[e^(lam R)] is infinite from "
            f"lam = {short(limit)} on; take lam < {short(limit)}"
        )
