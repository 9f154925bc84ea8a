"""Right formulas that break down: cancellation, overflow, divergent integrals cut off."""

from __future__ import annotations

import math

from hedgetheory.reference.mistakes.facts import EPSILON, ROUNDINGS, Facts, is_rounding


def cancellation_in_best_of_n(f: Facts) -> bool:
    return f.policy == "bon" and f.quantity == "kl" and f.p["n"] < 2 and is_rounding(f, 1)


def cancellation(f: Facts) -> bool:
    """The closed forms near the identity policy: terms of size 1, 1/θ and 1/θ² cancel."""
    theta = f.p.get("mu", f.p.get("lam", 0.0))
    if not 0 < theta < 1:
        return f.policy == "bon" and f.p["n"] < 2 and is_rounding(f, 1)
    if f.quantity in ("mean_quantile", "win_rate", "mean_reward"):
        error = abs(f.given - f.truth)
        return not math.isfinite(f.given) or error <= ROUNDINGS * EPSILON / theta**2
    return f.quantity in ("kl", "chi2", "total_variation", "renyi") and is_rounding(
        f, 1 + 1 / theta
    )


def single_precision(f: Facts) -> bool:
    return math.isfinite(f.truth) and abs(f.given - f.truth) <= 2.0**-21 * abs(f.truth)


def finite_where_infinite(f: Facts) -> bool:
    return math.isinf(f.truth) and math.isfinite(f.given)


def number_where_none(f: Facts) -> bool:
    return math.isnan(f.truth) and not math.isnan(f.given)


def overflow(f: Facts) -> bool:
    far = any(size >= 170 for name, size in f.p.items() if name in ("n", "lam", "mu"))
    return far and f.lost
