"""G, 1 − G and k = −∂_θ G of the rank families whose gold is integrated by quadrature."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from hedgetheory.expressions.symbols import lam, mu, n, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, phi1, phi2
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.quantile_tilt import QuantileTilt


@dataclass(frozen=True)
class RankKernel:
    """G, 1 − G and k = −∂_θ G in (u, ū, θ), with max w for the tails."""

    theta: sympy.Symbol
    below: sympy.Expr
    above: sympy.Expr
    kernel: sympy.Expr
    largest_ratio: sympy.Expr
    #: 1 − G and k above the centre of a law, where u tends to 1 and the plain forms lose it.
    high_above: sympy.Expr
    high_kernel: sympy.Expr
    #: Is k analytic in u at u = 0?
    analytic_at_zero: bool
    #: 1 − G and k are at most (max w + 1)·ū^power: below one where w is not bounded.
    upper_power: sympy.Expr = sympy.S.One

    def forms(self) -> dict[str, sympy.Expr]:
        """By name, with a + for those above the centre."""
        above = {"k+": self.high_kernel, "S+": self.high_above, "G+": self.below}
        return {"k": self.kernel, "G": self.below, "S": self.above, **above}


def _quantile_tilt_kernel() -> sympy.Expr:
    # k = [a(u) M′ − a′(u) M]/M² with a(u) = ∫₀ᵘ e^{λx} dx = uφ₁(λu), a′ = ∫₀ᵘ x e^{λx} dx, in the
    # form that neither cancels nor divides by zero at λ = 0: ∫₀¹ x e^{λx} dx = e^λ φ₂(−λ).
    inner = u**2 * sympy.exp(lam * u) * phi2(-lam * u)
    whole = sympy.exp(lam) * phi2(-lam)
    return (u * phi1(lam * u) * whole - inner * phi1(lam)) / phi1(lam) ** 2


def plain_tilt() -> dict[str, sympy.Expr]:
    """The same G, 1 − G and k in plain exponentials: faster, for λ away from zero."""
    whole = 1 - sympy.exp(-lam)
    below = (sympy.exp(-lam * ubar) - sympy.exp(-lam)) / whole
    above = (1 - sympy.exp(-lam * ubar)) / whole
    plain = {"k": -sympy.diff(below, lam), "G": below, "S": above}
    return {**plain, **{f"{name}+": form for name, form in plain.items()}}


KERNELS = {
    # 1 − uⁿ and not its conditioned form: near u = 0 that one is the logarithm of a cancellation.
    "bon": RankKernel(
        *(n, BestOfN.cdf, 1 - BestOfN.cdf, -(u**n) * sympy.log(u), n),
        -expm1(n * log1p(-ubar)),
        -sympy.exp(n * log1p(-ubar)) * log1p(-ubar),
        False,
    ),
    "bop": RankKernel(
        mu,
        BestOfPoisson.cdf,
        BestOfPoisson.survival,
        u * ubar * sympy.exp(-mu * ubar),
        1 + mu,
        BestOfPoisson.survival,
        u * ubar * sympy.exp(-mu * ubar),
        True,
    ),
    "quantile_tilt": RankKernel(
        lam,
        QuantileTilt.cdf,
        QuantileTilt.survival,
        _quantile_tilt_kernel(),
        1 / phi1(-lam),
        QuantileTilt.survival,
        _quantile_tilt_kernel(),
        True,
    ),
}
