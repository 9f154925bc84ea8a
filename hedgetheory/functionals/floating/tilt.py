"""The tilt on the raw reward, w = e^{λr}/M(λ), on the laws where it has closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from hedgetheory.functionals.floating.formulas import Formulas
from hedgetheory.functionals.floating.points import NormalPoints, Values, times
from hedgetheory.functionals.floating.rank import QuantileTiltFormulas
from hedgetheory.functionals.floating.tilt_by_logarithms import (
    TiltOnGamma,
    TiltOnGumbel,
    TiltOnLaplace,
)
from hedgetheory.laws.base import Law
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gamma import Gamma
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Pair


class TiltOnNormal(Formulas):
    """R is normal with mean m + λ sd²; δ = λ sd."""

    def _shift(self, theta: Values) -> Pair:
        return times((theta, np.zeros_like(theta)), self.law.sd)

    def _from_mean(self, theta: Values, points: NormalPoints) -> Pair:
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


class TiltOnExponential(Formulas):
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


class TiltOnLogistic(Formulas):
    """M(λ) = e^{λ loc} πt/sin πt, t = scale·λ < 1."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        self.missing |= {
            name: f"the {name} of a tilted logistic law has no closed form"
            for name in ("cdf", "survival", "total_variation")
        }

    def _t(self, theta: Values) -> Pair:
        return times((theta, np.zeros_like(theta)), self.law.scale)

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


TILT: dict[type[Law], type[Formulas]] = {
    Uniform: QuantileTiltFormulas,
    Normal: TiltOnNormal,
    Exponential: TiltOnExponential,
    Logistic: TiltOnLogistic,
    Gumbel: TiltOnGumbel,
    Laplace: TiltOnLaplace,
    Gamma: TiltOnGamma,
}
