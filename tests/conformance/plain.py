"""A correct implementation in plain numpy, written from the definitions and from nothing else.

With u = 1/(1+e^{−x}) every integral over (0, 1) becomes one over the line whose integrand decays
exponentially and is analytic near it: the trapezoid rule then has full accuracy, at any parameter.
Divergences are written as integrals of non-negative terms, h(w − 1) and (w − 1)².
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np

STEP = 1 / 32
X = np.arange(-200.0, 200.0, STEP)
# u and 1 − u, each to full relative accuracy, and their logarithms.
U, UBAR = 1 / (1 + np.exp(-X)), 1 / (1 + np.exp(X))
LOG_U = np.where(X < 0, X, 0) - np.log1p(np.exp(-np.abs(X)))
LOG_UBAR = np.where(X > 0, -X, 0) - np.log1p(np.exp(-np.abs(X)))
GRID = (U, UBAR, LOG_U, LOG_UBAR)
WEIGHT = U * UBAR * STEP
CONTINUOUS = ("uniform", "normal", "exponential", "logistic", "gumbel", "laplace", "beta", "gamma",
              "lognormal", "pareto", "student_t", "weibull", "mixture")  # fmt: skip


def h(x):
    """(1 + x) ln(1 + x) − x, by its series near 0."""
    small = np.abs(x) < 0.05
    y = np.where(small, x, 0)
    series = sum((-1) ** k * y**k / (k * (k - 1)) for k in range(2, 16))
    with np.errstate(invalid="ignore", divide="ignore"):
        direct = (1 + x) * np.log1p(x) - x
    return np.where(small, series, np.where(x <= -1, 1.0, direct))


def log_sinhc(x):
    """ln(sinh x / x) for 0 <= x <= 2."""
    term, total = 1.0, 0.0
    for k in range(1, 25):
        term *= x * x / (2 * k * (2 * k + 1))
        total += term
    return math.log1p(total)


def log_minus_expm1(x):
    """ln(1 − e^{−x}), x > 0."""
    return math.log(-math.expm1(-x)) if x < 1 else math.log1p(-math.exp(-x))


def log_ratio(policy, p, place):
    """ln w at (u, 1 − u, ln u, ln(1 − u)); None for an unknown policy."""
    u, ubar, log_u, log_ubar = place
    if policy == "bon":
        excess = float(p["n"] - 1)
        return math.log1p(excess) + excess * log_u
    if policy == "bop":
        mu = float(p["mu"])
        return np.log1p(mu * u) - mu * ubar
    if policy in ("quantile_tilt", "ztp"):
        lam = float(p["lam"])
        if lam < 4:
            return lam * (u - ubar) / 2 - log_sinhc(lam / 2)
        return math.log(lam) - log_minus_expm1(lam) - lam * ubar
    if policy == "sibuya":
        a = float(p["a"])
        return math.log(a) + (a - 1) * log_ubar
    if policy == "geometric":
        q = float(1 - p["p"])
        if q <= 0.5:
            return math.log1p(-q) - 2 * np.log1p(-q * u)
        return math.log(float(p["p"])) - 2 * np.log(float(p["p"]) + q * ubar)
    return None


def parameters(entry):
    """(policy or law of draws, its numbers), exactly."""
    policy, given = entry["policy"], entry["parameters"]
    for value in given.values():
        if isinstance(value, dict) and "name" in value:
            policy, given = value["name"], value["parameters"]
    if not all(isinstance(value, dict) and "rational" in value for value in given.values()):
        return None
    return policy, {name: Fraction(value["rational"]) for name, value in given.items()}


def mean_quantile(policy, p):
    if policy == "bon":
        return float(p["n"] / (p["n"] + 1))
    if policy == "sibuya":  # ∫ u a (1 − u)^{a−1} du
        return float(1 / (1 + p["a"]))
    ratio = log_ratio(policy, p, GRID)
    return None if ratio is None else float(np.sum(WEIGHT * np.exp(ratio) * U))


def divergence(quantity, policy, p, order):
    ratio = log_ratio(policy, p, GRID)
    if ratio is None or (quantity == "renyi" and order != 2):
        return None
    if policy == "sibuya" and quantity != "kl" and p["a"] <= Fraction(1, 2):
        return math.inf if p["a"] < 1 else 0.0
    if policy == "sibuya" and p["a"] < 1:  # w is unbounded: e^{−x/8} decays too slowly for x <= 200
        return None
    excess = np.expm1(ratio)
    if quantity == "kl":
        return float(np.sum(WEIGHT * h(excess)))
    chi2 = float(np.sum(WEIGHT * excess**2))
    return chi2 if quantity == "chi2" else math.log1p(chi2)


def at_point(quantity, policy, p, u):
    """A quantity at a quantile 0 < u < 1, exact."""
    ubar = 1 - u
    log_u = math.log1p(-float(ubar)) if ubar < Fraction(1, 2) else math.log(u)
    log_ubar = math.log1p(-float(u)) if u < Fraction(1, 2) else math.log(ubar)
    x, xbar = float(u), float(ubar)
    if quantity in ("ratio", "density"):
        ratio = log_ratio(policy, p, (x, xbar, log_u, log_ubar))
        return None if ratio is None else float(np.exp(ratio))
    if quantity == "cdf":
        if policy == "bon":
            return math.exp(float(p["n"]) * log_u)
        if policy == "bop":
            return x * math.exp(-float(p["mu"]) * xbar)
        if policy == "quantile_tilt":
            lam = float(p["lam"])
            return math.exp(-lam * xbar) * (math.expm1(-lam * x) / math.expm1(-lam)) if lam else x
    if quantity == "score":
        if policy == "bon":  # 1/n + ln u, where both nearly cancel
            near = float(1 / p["n"] - ubar)
            tail = -sum(xbar**k / k for k in range(2, 20)) if xbar < 0.05 else log_u + xbar
            return near + tail
        if policy == "bop":
            return float((u - ubar - p["mu"] * u * ubar) / (1 + p["mu"] * u))
    return None


def quantile(policy, p, level):
    if policy == "bon":
        log_level = math.log1p(-float(1 - level)) if level > Fraction(1, 2) else math.log(level)
        return math.exp(log_level / float(p["n"]))
    return None


def log_of(ratio):
    """ln of a rational of any size."""
    if Fraction(1, 2) < ratio < 2:
        return math.log1p(float(ratio - 1))
    return math.log(ratio.numerator) - math.log(ratio.denominator)


def on_atoms(quantity, policy, p, masses):
    """Best of an integer number of draws on finitely many atoms, in exact rationals."""
    if policy != "bon" or p["n"].denominator != 1 or p["n"] > 2000:
        return None
    n, below, kl, wins, chi2 = int(p["n"]), Fraction(0), 0.0, Fraction(0), Fraction(-1)
    for mass in masses:
        chosen = (below + mass) ** n - below**n
        kl += float(chosen) * (log_of(chosen / mass) if chosen else 0)
        wins += chosen * (below + mass / 2)
        chi2 += chosen**2 / mass
        below += mass
    return {"kl": max(kl, 0.0), "win_rate": float(wins), "chi2": float(chi2)}.get(quantity)


def expected_draws(policy, p):
    """E[N] of a best of a random number of draws."""
    if policy == "bon":
        return float(p["n"]) if p["n"].denominator == 1 else None
    if policy == "geometric":
        return float(1 / p["p"])
    if policy == "sibuya":
        return math.inf if p["a"] < 1 else 1.0
    if policy in ("quantile_tilt", "ztp"):
        lam = float(p["lam"])
        return lam / -math.expm1(-lam) if lam else 1.0
    return float(1 + p["mu"]) if policy == "bop" else None


def over_subsets(inputs):
    """Best-of-n over all subsets, one by one; a tie shares its mean gold."""
    rows = [tuple(Fraction(x["rational"]) for x in row) for row in inputs["responses"]]
    n = Fraction(inputs["parameters"]["n"]["rational"])
    if n > len(rows):
        return math.nan
    total, count = Fraction(0), 0
    for subset in combinations(rows, int(n)):
        best = [gold for proxy, gold in subset if proxy == max(subset)[0]]
        total, count = total + sum(best) / len(best), count + 1
    return float(total / count)


def answer(case):
    """The value of a case, None for what is not covered."""
    quantity, inputs = case["quantity"], case["inputs"]
    if "responses" in inputs:
        return over_subsets(inputs) if quantity != "sample_plug_in" else None
    known = None if "function" in inputs else parameters(inputs)
    if known is None:
        return None
    policy, p = known
    if quantity == "expected_draws":
        return expected_draws(policy, p)
    if inputs["law"] == "bernoulli":
        top = Fraction(inputs["law_parameters"]["p"]["rational"])
        return on_atoms(quantity, policy, p, [1 - top, top])
    if inputs["law"] not in CONTINUOUS:
        return None
    order = Fraction(inputs["order"]["rational"]) if "order" in inputs else None
    if quantity in ("kl", "chi2", "renyi"):
        return divergence(quantity, policy, p, order)
    if quantity in ("mean_quantile", "win_rate"):
        return mean_quantile(policy, p)
    at = inputs.get("at", {})
    if quantity == "mean_reward" and inputs["law"] == "uniform":
        return mean_quantile(policy, p)
    if quantity == "quantile" and inputs["law"] == "uniform":
        return quantile(policy, p, Fraction(at["probability"]["rational"]))
    place = at.get("reward") if inputs["law"] == "uniform" else None
    place = at.get("quantile", place)
    if place is None or not 0 < Fraction(place["rational"]) < 1:
        return None
    if quantity == "density" and inputs["law"] != "uniform":
        return None
    return at_point(quantity, policy, p, Fraction(place["rational"]))
