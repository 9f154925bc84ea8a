"""Wrong divergences and means: another policy, another law, a histogram, other units."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from hedgetheory.reference.mistakes.facts import ATOMIC, Facts, Values
from hedgetheory.reference.wrong_laws import Array

BINS = (10, 16, 20, 25, 30, 32, 40, 50, 60, 64, 80, 100, 128, 200, 250, 256, 500, 512, 1000, 1024)


def kl_best_of_n(n: float) -> float:
    return math.log(n) - (n - 1) / n


def kl_best_of_poisson(mu: float) -> float:
    if mu < 1e-2:
        return mu * mu / 6
    if mu > 600:
        return math.log1p(mu) - 1 + 1 / mu
    ei = float(special.expi(mu + 1) - special.expi(1))
    return math.exp(-mu - 1) * ei / mu + math.log1p(mu) - 1


def kl_quantile_tilt(lam: float) -> float:
    if lam < 1e-2:
        return lam * lam / 24
    return lam / -math.expm1(-lam) - 1 - (lam + math.log(-math.expm1(-lam) / lam))


def other_policy(f: Facts) -> Values:
    """The KL of another policy at this parameter, or at the one that draws as many."""
    if f.quantity != "kl":
        return
    if f.policy == "bon":
        n = f.p["n"]
        yield from (kl_best_of_poisson(n), kl_best_of_poisson(n - 1), kl_quantile_tilt(n))
    elif f.policy == "bop":
        mu = f.p["mu"]
        yield from (
            kl_best_of_n(mu) if mu > 0 else None,
            kl_best_of_n(mu + 1),
            kl_quantile_tilt(mu),
        )
    elif f.policy == "quantile_tilt":
        lam = f.p["lam"]
        yield from (kl_best_of_poisson(lam), kl_best_of_n(lam) if lam > 0 else None)


def _continuous(quantity: str, policy: str, p: dict[str, float]) -> float | None:
    """The closed forms of a law without atoms."""
    if quantity == "kl" and policy in _KL:
        return _KL[policy](next(iter(p.values())))
    if quantity in ("win_rate", "mean_quantile") and policy == "bon":
        return p["n"] / (p["n"] + 1)
    if quantity in ("win_rate", "mean_quantile") and policy == "bop" and p["mu"] > 0.01:
        return 1 - 1 / p["mu"] - math.expm1(-p["mu"]) / p["mu"] ** 2
    return None


_KL = {"bon": kl_best_of_n, "bop": kl_best_of_poisson, "quantile_tilt": kl_quantile_tilt}


def on_atoms(f: Facts) -> Values:
    if f.law in ATOMIC:
        yield _continuous(f.quantity, f.policy, f.p)


def histogram(f: Facts) -> Values:
    """Σ q_i ln(q_i B) over B bins of equal mass: what a histogram of endless samples gives."""
    cdf = _CDF.get(f.policy)
    if f.quantity == "kl" and cdf is not None and f.law not in ATOMIC:
        for bins in BINS:
            mass = np.diff(cdf(np.linspace(0, 1, bins + 1), next(iter(f.p.values()))))
            yield float(np.sum(special.xlogy(mass, mass * bins)))


_CDF: dict[str, Callable[[Array, float], Array]] = {
    "bon": lambda u, n: u**n,
    "bop": lambda u, mu: u * np.exp(mu * (u - 1)),
    "quantile_tilt": lambda u, lam: np.exp(lam * (u - 1)) * np.expm1(-lam * u) / np.expm1(-lam),
}


def reversed_kl(f: Facts) -> Values:
    if f.quantity == "kl" and f.policy == "bon":
        yield f.p["n"] - 1 - math.log(f.p["n"])


def in_bits(f: Facts) -> Values:
    if f.quantity in ("kl", "renyi") and math.isfinite(f.truth):
        yield f.truth / math.log(2)


def one_draw_off(f: Facts) -> Values:
    if f.policy == "bon" and f.law not in ATOMIC:
        for n in (f.p["n"] - 1, f.p["n"] + 1):
            if n > 0:
                yield _continuous(f.quantity, "bon", {"n": n})
