"""Best-of-n, Best-of-Poisson and the quantile tilt on every law without atoms."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from hedgetheory.functionals.floating.exponents import exponential
from hedgetheory.functionals.floating.formulas import Formulas
from hedgetheory.functionals.floating.points import LOG_ZERO, Values
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics import kernels as k
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.quantile_tilt import QuantileTilt


class RankPolicy(Formulas):
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


class BestOfNFormulas(RankPolicy):
    """In the excess x = n − 1."""

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return (1.0 + theta) * exponential(theta, points, "log_u", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return exponential(theta, points, "log_u", "log_u")

    def survival(self, theta: Values, points: Any) -> Values:
        return -np.expm1((1.0 + theta) * points.log_u)

    def score(self, theta: Values, points: Any) -> Values:
        log = np.where(points.log_u <= LOG_ZERO, -np.inf, points.log_u)
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


class BestOfPoissonFormulas(RankPolicy):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return (1.0 + theta * points.u) * exponential(theta, points, "minus_ubar", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return points.u * exponential(theta, points, "minus_ubar")

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


class QuantileTiltFormulas(RankPolicy):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return exponential(theta, points, "minus_ubar", shift) / k.phi1_minus(theta)

    def cdf(self, theta: Values, points: Any) -> Values:
        scale = k.phi1_minus(theta * points.u) / k.phi1_minus(theta)
        return points.u * scale * exponential(theta, points, "minus_ubar")

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


RANK: dict[type[Policy], type[Formulas]] = {
    BestOfN: BestOfNFormulas,
    BestOfPoisson: BestOfPoissonFormulas,
    QuantileTilt: QuantileTiltFormulas,
}
