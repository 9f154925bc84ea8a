"""Best-of-n, Best-of-Poisson and the quantile tilt on every law without atoms."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from hedgetheory.functionals.floating.exponents import exponential, scaled_exponential
from hedgetheory.functionals.floating.formulas import Formulas
from hedgetheory.functionals.floating.gold import Polynomial, slope_by_nodes, value_by_nodes
from hedgetheory.functionals.floating.grids import Grid, normal_grid_up_to
from hedgetheory.functionals.floating.points import LOG_ZERO, Values
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.gumbel import Gumbel
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.laws.pareto import Pareto
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import kernels as k
from hedgetheory.numerics.kernels import Array
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.quantile_tilt import QuantileTilt


class RankPolicy(Formulas):
    """A rank policy: on every law without atoms the divergences are the same."""

    def __init__(self, law: Any) -> None:
        super().__init__(law)
        self.missing = {}
        if not self.has_mean(law):
            self.missing["mean_reward"] = f"the mean_reward on {law} has no closed form here"

    def has_mean(self, law: Any) -> bool:
        """Whether `mean_reward` has a formula."""
        return isinstance(law, Uniform | Normal | Exponential | Logistic)

    def mean_reward(self, theta: Values) -> Values:
        if isinstance(self.law, Normal):
            return float(self.law.mean) + float(self.law.sd) * mean_by_nodes(self, theta)
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

    @abstractmethod
    def push(self, theta: Values, grid: Grid) -> Values:
        """u − G(u) >= 0 at the nodes of a grid: how far the policy's rank cdf is pushed down."""

    @abstractmethod
    def kl_into(self, theta: Array, out: Array) -> None:
        """`kl` of at most `kernels.BLOCK` parameters, written to ``out``."""

    # What `gold` asks of the policies without closed moments.

    #: a in E[Ū^k] ≈ k!/θ^k (1 − a k/θ), far away.
    far_shift = 0.0

    def ratio_on(self, theta: Values, grid: Grid) -> Values:
        """w at the nodes of a grid."""
        raise NotImplementedError

    def push_rate(self, theta: Values, grid: Grid) -> Values:
        """−∂G/∂θ >= 0 at the nodes of a grid."""
        raise NotImplementedError

    def gold(self, theta: Values, curve: Polynomial) -> Values:
        return value_by_nodes(self, theta, curve)

    def slope(self, theta: Values, curve: Polynomial) -> Values:
        return slope_by_nodes(self, theta, curve)


#: Parameters at a time of what is a matrix of parameters by nodes.
_ROWS = 32


def mean_by_nodes(policy: RankPolicy, theta: Values) -> Values:
    """E[Z] = ∫ (Φ(z) − G(Φ(z))) dz, Z standard normal at rank U: an integrand without a sign."""
    flat = np.ascontiguousarray(theta, dtype=np.float64).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _ROWS):
        part = flat[start : start + _ROWS]
        grid = normal_grid_up_to(float(part.max()))
        out[start : start + _ROWS] = policy.push(part[:, None], grid) @ grid.weights
    return out.reshape(np.shape(theta))


def _is_power(law: Any) -> bool:
    """Whether F(r) = r^a."""
    return isinstance(law, Beta) and law.b == 1


class BestOfNFormulas(RankPolicy):
    """In the excess x = n − 1."""

    def has_mean(self, law: Any) -> bool:
        return super().has_mean(law) or isinstance(law, Gumbel | Pareto) or _is_power(law)

    def mean_reward(self, theta: Values) -> Values:
        # The largest of n draws is of the same kind: Gumbel around loc + scale ln n, beta(n a, 1).
        law = self.law
        if isinstance(law, Gumbel):
            return float(law.loc) + float(law.scale) * k.gumbel_mean(theta)
        if isinstance(law, Pareto):
            return k.pareto_mean(theta, law.alpha) if law.alpha > 1 else np.full_like(theta, np.inf)
        if _is_power(law):
            order = float(law.a) * (1.0 + theta)
            return order / (1.0 + order)
        return super().mean_reward(theta)

    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return scaled_exponential(1.0 + theta, theta, points, "log_u", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return exponential(theta, points, "log_u", "log_u")

    def survival(self, theta: Values, points: Any) -> Values:
        return -np.expm1((1.0 + theta) * points.log_u)

    def score(self, theta: Values, points: Any) -> Values:
        log = np.where(points.log_u <= LOG_ZERO, -np.inf, points.log_u)
        return 1.0 / (1.0 + theta) + log

    def kl(self, theta: Values) -> Values:
        return k.bon_kl(theta)

    def kl_into(self, theta: Array, out: Array) -> None:
        k.bon_kl_into(theta, out)

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

    def push(self, theta: Values, grid: Grid) -> Values:
        return -grid.u * np.expm1(theta * grid.log_u)

    def gold(self, theta: Values, curve: Polynomial) -> Values:
        return curve.under_best_of_n(theta)

    def slope(self, theta: Values, curve: Polynomial) -> Values:
        return curve.slope_under_best_of_n(theta)


class BestOfPoissonFormulas(RankPolicy):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return scaled_exponential(1.0 + theta * points.u, theta, points, "minus_ubar", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        return points.u * exponential(theta, points, "minus_ubar")

    def survival(self, theta: Values, points: Any) -> Values:
        return points.ubar - points.u * np.expm1(-theta * points.ubar)

    def score(self, theta: Values, points: Any) -> Values:
        return points.u / (1.0 + theta * points.u) - points.ubar

    def kl(self, theta: Values) -> Values:
        return k.bop_kl(theta)

    def kl_into(self, theta: Array, out: Array) -> None:
        k.bop_kl_into(theta, out)

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

    far_shift = 1.0

    def ratio_on(self, theta: Values, grid: Grid) -> Values:
        return (1.0 + theta * grid.u) * np.exp(-theta * grid.ubar)

    def push(self, theta: Values, grid: Grid) -> Values:
        return -grid.u * np.expm1(-theta * grid.ubar)

    def push_rate(self, theta: Values, grid: Grid) -> Values:
        return grid.u * grid.ubar * np.exp(-theta * grid.ubar)


class QuantileTiltFormulas(RankPolicy):
    def weight(self, theta: Values, points: Any, shift: str) -> Values:
        return scaled_exponential(1.0 / k.phi1_minus(theta), theta, points, "minus_ubar", shift)

    def cdf(self, theta: Values, points: Any) -> Values:
        scale = k.phi1_minus(theta * points.u) / k.phi1_minus(theta)
        return points.u * scale * exponential(theta, points, "minus_ubar")

    def survival(self, theta: Values, points: Any) -> Values:
        # The quotient is at most 1/ū, but for its last place.
        return np.minimum(
            points.ubar * (k.phi1_minus(theta * points.ubar) / k.phi1_minus(theta)), 1.0
        )

    def score(self, theta: Values, points: Any) -> Values:
        # u − E_λ[U] from the end where both are small.
        return k.tilt_shortfall(theta) - points.ubar

    def kl(self, theta: Values) -> Values:
        return k.tilt_kl(theta)

    def kl_into(self, theta: Array, out: Array) -> None:
        k.tilt_kl_into(theta, out)

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

    def ratio_on(self, theta: Values, grid: Grid) -> Values:
        return np.exp(-theta * grid.ubar) / k.phi1_minus(theta)

    def _log_lift(self, theta: Values, grid: Grid) -> Values:
        """ln(u/G) = hū + A(h) − A(hu), for small h = λ/2: no part of it is negative."""
        h = 0.5 * theta
        return h * grid.ubar + (k.log_sinhc(h) - k.log_sinhc(h * grid.u))

    def push(self, theta: Values, grid: Grid) -> Values:
        theta = np.broadcast_to(theta, (theta.shape[0], grid.u.size))
        out = np.empty(theta.shape)
        mild = theta[:, 0] < 1.0
        out[mild] = -grid.u * np.expm1(-self._log_lift(theta[mild], grid))
        # ū φ₁(−λū)/φ₁(−λ) − ū above ½, u − u e^{−λū} φ₁(−λu)/φ₁(−λ) below.
        half = int(np.searchsorted(grid.u, 0.5))
        low, high, strong = grid[:half], grid[half:], theta[~mild]
        scale = k.phi1_minus(strong[:, :1])
        left, right = strong[:, :half], strong[:, half:]
        decay = np.exp(-left * low.ubar) * k.phi1_minus(left * low.u)
        out[~mild, :half] = low.u * (1.0 - decay / scale)
        out[~mild, half:] = high.ubar * (k.phi1_minus(right * high.ubar) / scale - 1.0)
        return out

    def push_rate(self, theta: Values, grid: Grid) -> Values:
        # G (E_λ[U] − E_λ[U | U <= u]), where E_λ[U | U <= u] = u E_{λu}[U].
        theta = np.broadcast_to(theta, (theta.shape[0], grid.u.size))
        out = np.empty(theta.shape)
        mild = theta[:, 0] < 1.0
        h = 0.5 * theta[mild]
        gap = 0.5 * (grid.ubar + (k.langevin(h) - grid.u * k.langevin(h * grid.u)))
        out[mild] = grid.u * np.exp(-self._log_lift(theta[mild], grid)) * gap
        strong = theta[~mild]
        gap = grid.ubar - k.tilt_shortfall(strong) + grid.u * k.tilt_shortfall(strong * grid.u)
        scale = k.phi1_minus(strong * grid.u) / k.phi1_minus(strong[:, :1])
        out[~mild] = grid.u * scale * np.exp(-strong * grid.ubar) * gap
        return out


RANK: dict[type[Policy], type[Formulas]] = {
    BestOfN: BestOfNFormulas,
    BestOfPoisson: BestOfPoissonFormulas,
    QuantileTilt: QuantileTiltFormulas,
}
