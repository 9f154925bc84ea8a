"""The rank families as the ledger quotes them, from the package's own statements."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import exp, log

from hedgetheory.claims.checks import in_u
from hedgetheory.expressions.symbols import lam, mu, n, u
from hedgetheory.expressions.vocabulary import phi1, phi2
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson

PAPER = "arXiv 2506.19248"
RECONSTRUCTED = f"{PAPER}, reconstructed from its abstract and summaries"


@dataclass(frozen=True)
class RankFamily:
    """θ ↦ G_θ with its ratio w = G′, ln w, score ∂_θ ln w, and ∫₀ᵘ G, all in u."""

    name: str
    theta: sympy.Symbol
    cdf: sympy.Expr
    ratio: sympy.Expr
    log_ratio: sympy.Expr
    score: sympy.Expr
    #: H with H′ = G, for integrals by parts.
    cdf_integral: sympy.Expr


BON = RankFamily(
    "BoN",
    n,
    in_u(BestOfN.cdf),
    in_u(BestOfN.ratio),
    in_u(BestOfN.log_ratio),
    1 / n + log(u),
    u ** (n + 1) / (n + 1),
)
BOP = RankFamily(
    "BoP",
    mu,
    in_u(BestOfPoisson.cdf),
    in_u(BestOfPoisson.ratio),
    in_u(BestOfPoisson.log_ratio),
    (u - 1) + u / (1 + mu * u),
    exp(mu * (u - 1)) * (u / mu - 1 / mu**2),
)
#: In plain exponentials; density.rank-policies shows that the package's forms are the same.
TILT = RankFamily(
    "quantile tilt",
    lam,
    (exp(lam * u) - 1) / (exp(lam) - 1),
    lam * exp(lam * u) / (exp(lam) - 1),
    log(lam) + lam * u - log(exp(lam) - 1),
    u - phi2(-lam) / phi1(-lam),
    (exp(lam * u) / lam - u) / (exp(lam) - 1),
)
FAMILIES = (BON, BOP, TILT)
