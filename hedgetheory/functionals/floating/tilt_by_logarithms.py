"""The tilt on the raw reward of the Laplace, gamma and Gumbel laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from hedgetheory.functionals.floating.by_incomplete import GammaPoints
from hedgetheory.functionals.floating.by_logarithms import GumbelPoints, LaplacePoints
from hedgetheory.functionals.floating.formulas import Formulas
from hedgetheory.functionals.floating.points import Values, times
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Pair


def _pair(x: Values) -> Pair:
    x = np.asarray(x, dtype=np.float64)
    return x, np.zeros_like(x)


def _minus(top: float, x: Pair) -> Pair:
    """top − x."""
    high, low = k.two_sum(top, -x[0])
    return k.two_sum(high, low - x[1])


class TiltOnLaplace(Formulas):
    """R − loc is two-sided exponential: rates 1 − t above and 1 + t below, t = scale·λ."""

    def _t(self, theta: Values) -> Pair:
        return times(_pair(theta), self.law.scale)

    def _rates(self, theta: Values) -> tuple[Pair, Pair]:
        t = self._t(theta)
        return _minus(1.0, t), _minus(1.0, k.negative(t))

    def weight(self, theta: Values, points: LaplacePoints, shift: str) -> Values:
        up, down = self._rates(theta)
        if not shift:
            exponent = k.pair_product(self._t(theta), points.z)
            return k.exp_of(exponent) * (up[0] * down[0])
        scale = 2.0 * float(self.law.scale)
        return k.exp_of(self._fall(theta, points)) * (up[0] * down[0]) / scale

    def _fall(self, theta: Values, points: LaplacePoints) -> Pair:
        """tz − |z| <= 0: −(1 − t) z above, (1 + t) z below."""
        up, down = self._rates(theta)
        above = points.above
        return k.pair_product(k.choose(above, up, down), points.minus_size)

    def cdf(self, theta: Values, points: LaplacePoints) -> Values:
        up, _ = self._rates(theta)
        fall = self._fall(theta, points)
        mass = 0.5 * up[0] * k.exp_of(fall)
        return np.where(points.above, mass - k.expm1_of(fall), mass)

    def survival(self, theta: Values, points: LaplacePoints) -> Values:
        up, down = self._rates(theta)
        fall = k.exp_of(self._fall(theta, points))
        return np.where(points.above, 0.5 * down[0] * fall, 1.0 - 0.5 * up[0] * fall)

    def _mean(self, theta: Values) -> Values:
        """(E[R] − loc)/scale."""
        up, down = self._rates(theta)
        return 2.0 * self._t(theta)[0] / (up[0] * down[0])

    def score(self, theta: Values, points: LaplacePoints) -> Values:
        return float(self.law.scale) * (points.z[0] - self._mean(theta))

    def kl(self, theta: Values) -> Values:
        # 2x − ln(1 + x), x = t²/(1 − t²).
        x = 0.5 * self._t(theta)[0] * self._mean(theta)
        return x + k.minus_log1pmx(x)

    def chi2(self, theta: Values) -> Values:
        t, rest = self._t(theta), _minus(0.5, self._t(theta))[0]
        square = t[0] * t[0]
        finite = rest > 0
        below = 4.0 * np.where(finite, rest, 1.0) * (0.5 + t[0])
        return np.where(finite, square * (2.0 + square) / below, np.inf)

    def total_variation(self, theta: Values) -> Values:
        # The ratio is 1 at z = −ln(1 − t²)/t, where t/(1 − t) times half of e^{−z} is between.
        up, down = self._rates(theta)
        t = np.maximum(self._t(theta)[0], 1e-300)
        log = np.where(t < 0.5, np.log1p(-(np.minimum(t, 0.5) ** 2)), np.log(up[0] * down[0]))
        return 0.5 * self._t(theta)[0] / up[0] * np.exp(log / t)

    def mean_reward(self, theta: Values) -> Values:
        return float(self.law.loc) + float(self.law.scale) * self._mean(theta)

    def mean_quantile(self, theta: Values) -> Values:
        up, down = (rate[0] for rate in self._rates(theta))
        below = 0.25 * up * down / (1.0 + down)
        return below + 0.5 * down * (1.0 - 0.5 * up / (1.0 + up))


class TiltOnGamma(Formulas):
    """R is gamma with rate b − λ."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        self.missing |= {
            "total_variation": "the total_variation of a tilted gamma law has no closed form"
        }

    def _rate(self, theta: Values) -> Pair:
        high, low = k.pair_of(self.law.rate)
        total, error = k.two_sum(high, -np.asarray(theta))
        return k.two_sum(total, error + low)

    def _log_rest(self, theta: Values) -> Pair:
        """ln(1 − λ/b)."""
        t = times(_pair(theta), 1 / self.law.rate)
        small = t[0] < 0.5
        zero = np.zeros_like(t[0])
        near = k.log1p_pair(k.choose(small, k.negative(t), (zero, zero)))
        rest = times(self._rate(theta), 1 / self.law.rate)
        far = k.log_pair(k.choose(small, (zero + 0.5, zero), rest))
        return k.choose(small, near, far)

    def weight(self, theta: Values, points: GammaPoints, shift: str) -> Values:
        exponent = k.pair_sum(
            times(self._log_rest(theta), self.law.shape), k.two_product(theta, points.r)
        )
        if shift:
            exponent = k.pair_sum(exponent, points.log_density_pair())
        return k.exp_of(exponent)

    def _tails(self, theta: Values, points: GammaPoints) -> tuple[Pair, Pair]:
        x = k.pair_product(self._rate(theta), _pair(points.r))
        log_x = k.pair_sum(self._log_rest(theta), points.log_x)
        return k.log_gamma_tails(self.law.shape, x, log_x)

    def cdf(self, theta: Values, points: GammaPoints) -> Values:
        return k.exp_of(self._tails(theta, points)[0])

    def survival(self, theta: Values, points: GammaPoints) -> Values:
        return k.exp_of(self._tails(theta, points)[1])

    def score(self, theta: Values, points: GammaPoints) -> Values:
        return points.r - self.mean_reward(theta)

    def kl(self, theta: Values) -> Values:
        return float(self.law.shape) * k.minus_log1pmx(theta / self._rate(theta)[0])

    def chi2(self, theta: Values) -> Values:
        # ((1 − t)²/(1 − 2t))^shape − 1, whose exponent is a difference: a pair has room for it.
        rest = _minus(1.0, times(_pair(2.0 * theta), 1 / self.law.rate))
        finite = rest[0] > 0
        one = np.ones_like(rest[0]), np.zeros_like(rest[0])
        near = rest[0] > 0.5
        double = times(_pair(np.where(near, 2.0 * theta, 0.0)), 1 / self.law.rate)
        log = k.choose(
            near,
            k.log1p_pair(k.negative(double)),
            k.log_pair(k.choose(finite & ~near, rest, (0.25 * one[0], one[1]))),
        )
        high, low = self._log_rest(theta)
        exponent = times(k.pair_sum((2.0 * high, 2.0 * low), k.negative(log)), self.law.shape)
        return np.where(finite, k.expm1_of(exponent), np.inf)

    def total_variation(self, theta: Values) -> Values:
        raise NotImplementedError

    def mean_reward(self, theta: Values) -> Values:
        return float(self.law.shape) / self._rate(theta)[0]

    def mean_quantile(self, theta: Values) -> Values:
        # A gamma variable exceeds another: I at 1/(1 + rest) of beta(shape, shape).
        rest = times(self._rate(theta), 1 / self.law.rate)
        one = np.ones_like(rest[0]), np.zeros_like(rest[0])
        total = k.pair_sum(one, rest)
        x, xbar = k.pair_quotient(one, total), k.pair_quotient(rest, total)
        log = k.log1p_pair(rest)
        logs = k.negative(log), k.pair_sum(self._log_rest(theta), k.negative(log))
        return k.exp_of(k.log_beta_tails(self.law.shape, self.law.shape, x, xbar, logs)[0])


class TiltOnGumbel(Formulas):
    """e^{−(R − loc)/scale} is gamma with shape d = 1 − t, t = scale·λ: M(λ) = e^{λ loc} Γ(d)."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        self.missing |= {
            "total_variation": "the total_variation of a tilted gumbel law has no closed form"
        }

    def _t(self, theta: Values) -> Pair:
        return times(_pair(theta), self.law.scale)

    def _d(self, theta: Values) -> Pair:
        return _minus(1.0, self._t(theta))

    def weight(self, theta: Values, points: GumbelPoints, shift: str) -> Values:
        d, t = self._d(theta), self._t(theta)
        scale = d[0] * np.exp(-k.log_gamma_1p(d[0], t[0]))
        if not shift:
            return k.exp_of(k.pair_product(t, points.z)) * scale
        exponent = k.negative(k.pair_sum(k.pair_product(d, points.z), points.x))
        return k.exp_of(exponent) * (scale / float(self.law.scale))

    def _tails(self, theta: Values, points: GumbelPoints) -> tuple[Values, Values]:
        d, t = self._d(theta), self._t(theta)
        return k.small_gamma_tails(d, t[0], points.x, k.negative(points.z))

    def cdf(self, theta: Values, points: GumbelPoints) -> Values:
        return self._tails(theta, points)[1]

    def survival(self, theta: Values, points: GumbelPoints) -> Values:
        return self._tails(theta, points)[0]

    def _mean(self, theta: Values) -> Values:
        return -k.digamma(self._d(theta)[0])

    def score(self, theta: Values, points: GumbelPoints) -> Values:
        return float(self.law.scale) * (points.z[0] - self._mean(theta))

    def kl(self, theta: Values) -> Values:
        return k.gumbel_tilt_kl(self._t(theta)[0], self._d(theta)[0])

    def chi2(self, theta: Values) -> Values:
        t = self._t(theta)
        return k.gumbel_tilt_chi2(t[0], _minus(0.5, t)[0], self._d(theta)[0])

    def total_variation(self, theta: Values) -> Values:
        raise NotImplementedError

    def mean_reward(self, theta: Values) -> Values:
        return float(self.law.loc) + float(self.law.scale) * self._mean(theta)

    def mean_quantile(self, theta: Values) -> Values:
        return np.exp2(-self._d(theta)[0])
