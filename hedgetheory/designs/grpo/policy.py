"""GRPO's optimum as a policy: π = β π_ref/(η − r), on the raw reward or on its quantile."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sympy import exp, log

from hedgetheory.errors import must_be
from hedgetheory.exact import RealInput
from hedgetheory.expressions.symbols import beta, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, phi1
from hedgetheory.policies.base import Domain, Policy, RankPolicy
from hedgetheory.policies.random_draws import LogarithmicSeries

if TYPE_CHECKING:
    from hedgetheory.functionals.bound import Bound
    from hedgetheory.laws.base import Law

#: 1/β, the λ of the tilt that it is compared with.
strength = 1 / beta


class Grpo(Policy):
    """The optimum of E[R] − β KL(π_ref ‖ π), where GRPO with the k3 penalty stops on-policy.

    w = β/(η − r), with η above every reward so that E[w] = 1; on the quantile (``scale``) r is u
    and η = 1/(1 − e^{−1/β}). β → ∞ is the reference, and greed grows as β falls: the k3 loss has
    the gradient of KL(π_ref ‖ π), not of KL(π ‖ π_ref), so this and not the tilt by 1/β is where
    it stops. From the paper: the loss; *derived here*: its optimum. *Modelling choices*: responses
    drawn from the current policy (no clipping), one token or k3 on whole responses, advantages not
    divided by the standard deviation, groups so large that the group's mean is that of the policy
    (in a group of G responses β stands for βG/(G − 1)).

    ``beta`` > 0, in the unit of the reward (published defaults: 0.04 in DeepSeekMath, 0.001 in
    DeepSeek-R1). On the raw reward: finitely many atoms, or the uniform law. Raises InputError for
    β <= 0, NotOnThisLaw for rewards without upper bound, NotCertified on other bounded laws.

    >>> Grpo("1/25", scale="quantile")
    grpo(beta=0.04, scale=quantile)

    Source: DeepSeekMath, arXiv 2402.03300; the claims `grpo.optimum` and `grpo.k-three-gradient`.
    """

    name = "grpo"
    symbols = (beta,)
    domains = (Domain(Fraction(0), lower_closed=False),)
    scale = "reward"

    def __new__(cls, beta: RealInput, scale: str = "reward") -> Grpo:
        return super().__new__(QuantileGrpo if scale == "quantile" else cls)

    def __init__(self, beta: RealInput, scale: str = "reward") -> None:
        if scale not in ("reward", "quantile"):
            raise must_be("scale", scale, "reward or quantile", f"grpo(beta={beta}, ...)")
        self._set(beta)

    @property
    def is_reference(self) -> bool:
        return False

    def bound_on(self, law: Law) -> Bound | None:
        from hedgetheory.designs.grpo.bound import reward_bound

        return reward_bound(self, law)

    def __str__(self) -> str:
        return f"{super().__str__()[:-1]}, scale={self.scale})"


class QuantileGrpo(Grpo, RankPolicy):
    """The same on the quantile: G = β ln(η/(η − u)), a rank policy.

    With p = 1 − e^{−1/β} = 1/η this is ln(1 − pu)/ln(1 − p), the pgf of the logarithmic-series
    law: it is best of N draws with P(N = k) = β p^k/k, and E[N] = β(e^{1/β} − 1).
    """

    scale = "quantile"
    cdf = LogarithmicSeries.pgf
    ratio: Any = LogarithmicSeries.slope
    log_ratio: Any = log(phi1(-strength)) - log(ubar + u * exp(-strength))
    survival: Any = beta * log1p(ubar * expm1(strength))
    mean_draws = LogarithmicSeries.mean
    inverse, inverse_bar = LogarithmicSeries.inverse, LogarithmicSeries.inverse_bar

    @property
    def draws(self) -> LogarithmicSeries:
        """The law of the number of draws of which it is the best."""
        return LogarithmicSeries(self.bindings[beta])

    def drawn(self, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Copies of N: geometric with P(one more) = 1 − e^{−V/β}, V uniform (Kemp 1981)."""
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            x = -(1.0 - rng.random(size)) / float(self.bindings[beta])
            near, far = (
                np.log(-np.expm1(np.maximum(x, -1.0))),
                np.log1p(-np.exp(np.minimum(x, -0.5))),
            )
            rate = -np.where(x > -0.7, near, far)
            return np.asarray(1.0 + np.floor(rng.standard_exponential(size) / rate))

    def bound_on(self, law: Law) -> Bound | None:
        from hedgetheory.designs.grpo.bound import quantile_bound

        return quantile_bound(self, law)
