"""Wrong Best-of-Poisson and Soft Best-of-n."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy import optimize, special

from hedgetheory.reference.cases.job import CURVES
from hedgetheory.reference.mistakes.facts import CLOSE, Facts, Values, is_rounding
from hedgetheory.reference.wrong_laws import Array, functional, gold_values, soft_masses

# -- Best-of-Poisson -------------------------------------------------------------------------------


def exponent_flipped(f: Facts) -> Values:
    if f.policy == "bop" and f.asked is not None:
        mu = f.p["mu"]
        yield functional(lambda u, ubar: np.log1p(mu * u) + mu * ubar, f.asked)


def score_exchanged(f: Facts) -> Values:
    if f.policy == "bop" and f.quantity == "score" and f.u is not None:
        mu, u = f.p["mu"], f.u
        yield u + (u - 1) / (1 + mu * u)
        yield u + (u - 1) / (1 + mu * (u - 1)) if mu * (u - 1) != -1 else None


def naive_ei(f: Facts) -> bool:
    """e^{−μ−1}(Ei(μ+1) − Ei(1))/μ + ln(1+μ) − 1: terms of size 1/μ near 0; Ei overflows far out."""
    if f.policy != "bop" or f.quantity != "kl" or not f.p["mu"]:
        return False
    mu = f.p["mu"]
    if mu >= 700 and f.lost:
        return True
    # From μ = 709.8 on e^{−μ−1} is 0 before Ei is infinite, which loses the first summand, ~1/μ.
    if mu >= 700 and abs(f.given - (math.log1p(mu) - 1)) <= CLOSE * abs(f.given):
        return abs(f.given - f.truth) > 10 * abs(f.given - (math.log1p(mu) - 1))
    return mu < 1 and is_rounding(f, 1 / mu + 1)


def lost_peak(f: Facts) -> bool:
    """A quadrature whose nodes all miss the peak at u = 1."""
    far = max((size for name, size in f.p.items() if name in ("mu", "lam", "n")), default=0) >= 1e3
    integral = f.quantity in ("kl", "chi2", "mean_quantile", "win_rate", "mean_reward", "gold")
    return far and integral and abs(f.given) <= 1e-3 * min(1, abs(f.truth)) != 0


# -- Soft Best-of-n --------------------------------------------------------------------------------


def soft_as_product(f: Facts) -> Values:
    if f.policy == "sbon" and f.asked is not None:
        n, lam, law = f.p["n"], f.p["lam"], f.asked.law
        on_quantile = f.scale == "quantile"
        yield functional(
            lambda u, ubar: (
                (n - 1) * np.log(u) + lam * (u if on_quantile else law.quantile(u, ubar))
            ),
            f.asked,
        )


def incomplete_gamma(f: Facts) -> Values:
    """u^{n−1}e^{λu} over γ(n, λ)/λⁿ, which is ∫ u^{n−1} e^{−λu}."""
    if f.policy == "sbon" and f.asked is not None and f.on_uniform and f.p["lam"] > 0:
        n, lam = f.p["n"], f.p["lam"]
        log_total = float(np.log(special.gammainc(n, lam)) + special.gammaln(n) - n * math.log(lam))
        yield functional(lambda u, _: (n - 1) * np.log(u) + lam * u, f.asked, log_total)


def gamma_overflows(f: Facts) -> bool:
    return f.policy == "sbon" and f.p["n"] >= 172 and f.lost


def marginal_slope(f: Facts) -> Values:
    """Cov(g, r) under the policy, and where it vanishes; no such λ is given as not a number."""
    if not (f.policy == "sbon" and f.on_uniform and f.gold and "n" in f.p):
        return
    if f.quantity == "slope":
        yield _covariance(f, f.p["lam"])
    elif f.quantity in CURVES:
        yield from _sign_changes(lambda lam: _covariance(f, lam), np.geomspace(0.05, 128, 24))


def marginal_slope_without_root(f: Facts) -> bool:
    concerned = f.policy == "sbon" and f.quantity in CURVES and f.on_uniform and "n" in f.p
    return concerned and f.lost and bool(f.gold) and not list(marginal_slope(f))


def _covariance(f: Facts, lam: float) -> float:
    u, mass = soft_masses(f.p["n"], lam)
    gold = gold_values(f.gold or "", u, u)
    if gold is None:
        return math.nan
    return float(np.sum(mass * gold * (u - np.sum(mass * u))))


def _sign_changes(function: Callable[[float], float], grid: Array) -> Iterator[float]:
    values = [function(float(x)) for x in grid]
    for a, b, at_a, at_b in zip(grid, grid[1:], values, values[1:], strict=False):
        if at_a * at_b < 0:
            yield float(optimize.brentq(function, float(a), float(b), rtol=1e-10))
