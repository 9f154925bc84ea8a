"""Sampling the number N of draws of a rank policy, and the largest of N uniforms.

Every law here is drawn by an identity that holds exactly (a first arrival, a mixture), so that
the only errors are those of binary64 and of numpy's Poisson, binomial and gamma variates. Counts
come as float64: exact integers up to 2⁵³.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.policies.base import RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import (
    Binomial,
    Draws,
    FinitePmf,
    Geometric,
    NegativeBinomial,
    Sibuya,
    ZeroTruncatedPoisson,
)
from hedgetheory.policies.sampling.inputs import Array, binary64, count_within_reach, lenient


def numbers_of_draws(policy: RankPolicy, size: int, rng: np.random.Generator) -> Array | None:
    """``size`` independent copies of N, or None for a real n: no number of draws has its law."""
    call = str(policy)
    first = next(iter(policy.bindings.values()), Fraction(0))
    if isinstance(policy, BestOfN):
        n = binary64("n", first, call)
        return np.full(size, n) if first.denominator == 1 else None
    if isinstance(policy, BestOfPoisson):
        mu = binary64("mu", first, call)
        count_within_reach("mu", mu, call)
        return np.asarray(1.0 + rng.poisson(mu, size), np.float64)
    if isinstance(policy, QuantileTilt):
        return _truncated_poisson(binary64("lam", first, call), size, rng, call)
    if isinstance(policy, BestOfRandom):
        return random_draws(policy.draws, size, rng)
    own = policy.drawn(size, rng)
    if own is None:
        raise InputError(f"there is no sampler for {policy}")
    return own


def most_draws(policy: RankPolicy) -> float:
    """The largest value that N can take; ∞ where there is none."""
    if policy.is_reference:
        return 1
    if isinstance(policy, BestOfN):
        return lenient(next(iter(policy.bindings.values())))
    draws = policy.draws if isinstance(policy, BestOfRandom) else None
    if isinstance(draws, FinitePmf):
        return float(draws.masses[-1][0])
    if isinstance(draws, Binomial):
        return lenient(next(iter(draws.bindings.values())))
    return policy.most_draws


def largest_of(
    count: Array | float, size: int | tuple[int, ...], rng: np.random.Generator
) -> tuple[Array, Array]:
    """(u, ū): the largest of ``count`` uniforms, u = V^{1/count}, and ū = 1 − u to full precision.

    −ln V is exponential, so that neither end loses digits. A real count is allowed.

    >>> u, ubar = largest_of(1e300, 2, np.random.default_rng(0))
    >>> u.tolist(), bool((ubar > 0).all())
    ([1.0, 1.0], True)
    """
    x = rng.standard_exponential(size) / count
    return np.exp(-x), -np.expm1(-x)


def random_draws(draws: Draws, size: int, rng: np.random.Generator) -> Array:
    """``size`` independent copies of N."""
    call = str(draws)
    if draws.is_reference:
        return np.ones(size)
    if isinstance(draws, FinitePmf):
        values = np.array([float(value) for value, _ in draws.masses])
        masses = np.array([float(mass) for _, mass in draws.masses])
        places = np.searchsorted(np.cumsum(masses)[:-1], rng.random(size), side="right")
        return np.asarray(values[places], np.float64)
    first = next(iter(draws.bindings.values()))
    if isinstance(draws, ZeroTruncatedPoisson):
        return _truncated_poisson(binary64("lam", first, call), size, rng, call)
    if isinstance(draws, Geometric):
        return _geometric(_rate(first), size, rng)
    if isinstance(draws, Sibuya):
        return _sibuya(first, size, rng)
    second = list(draws.bindings.values())[1]
    if isinstance(draws, Binomial):
        return _truncated_binomial(first, second, size, rng, call)
    if isinstance(draws, NegativeBinomial):
        return _truncated_negative_binomial(first, second, size, rng, call)
    raise InputError(f"there is no sampler for {draws}")


def _rate(p: Fraction) -> float:
    """−ln(1 − p) without cancellation; ∞ at p = 1."""
    if p <= Fraction(1, 2):
        return -math.log1p(-binary64("p", p, "p"))
    rest = float(1 - p)
    return -math.log(rest) if rest else math.inf


def _geometric(rate: Array | float, size: int, rng: np.random.Generator) -> Array:
    """P(N > k) = e^{−rate·k}, N >= 1; an exponential variate rounded up. ∞ beyond binary64."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1.0 + np.floor(rng.standard_exponential(size) / rate)


def _truncated_poisson(lam: float, size: int, rng: np.random.Generator, call: str) -> Array:
    """Poisson(λ) given N >= 1: its first arrival on [0, λ], then Poisson over what is left."""
    count_within_reach("lam", lam, call)
    arrival = -np.log1p(rng.random(size) * math.expm1(-lam))
    return np.asarray(1.0 + rng.poisson(np.maximum(lam - arrival, 0.0)), np.float64)


def _truncated_binomial(
    m: Fraction, p: Fraction, size: int, rng: np.random.Generator, call: str
) -> Array:
    """Binomial(m, p) given N >= 1: its first success, then Binomial over the trials left."""
    count_within_reach("m", lenient(m), call)
    trials, rate = int(m), _rate(p)
    first = -np.log1p(rng.random(size) * math.expm1(-trials * rate)) / rate
    place = np.clip(np.floor(first) + 1, 1, trials).astype(np.int64)
    return np.asarray(1.0 + rng.binomial(trials - place, float(p)), np.float64)


def _truncated_negative_binomial(
    r: Fraction, p: Fraction, size: int, rng: np.random.Generator, call: str
) -> Array:
    """Negative binomial given N >= 1, as a process in r: first jump, its size, and the rest.

    Jumps come at rate −ln p with logarithmic sizes; what is left of r is Poisson with a gamma mean.
    """
    shape, rate = binary64("r", r, call), _rate(1 - p)
    odds = lenient((1 - p) / p)
    count_within_reach("r(1 − p)/p", (shape + 50) * odds, call)
    time = -np.log1p(rng.random(size) * math.expm1(-shape * rate)) / rate
    # Logarithmic(1 − p): geometric with P(more) = q = 1 − p^U, −ln q by the smaller of q, 1 − q.
    x = -rate * (1.0 - rng.random(size))
    near = np.log(-np.expm1(np.maximum(x, -1.0)))
    far = np.log1p(-np.exp(np.minimum(x, -0.5)))
    jump = _geometric(-np.where(x > -0.7, near, far), size, rng)
    rest = rng.standard_gamma(np.maximum(shape - time, 0.0)) * odds
    return np.asarray(jump + rng.poisson(rest), np.float64)


def _sibuya(a: Fraction, size: int, rng: np.random.Generator) -> Array:
    """Geometric with success probability Beta(a, 1 − a) = X/(X + Y): −ln(1 − B) = ln(1 + X/Y)."""
    x = rng.standard_gamma(float(a), size)
    y = rng.standard_gamma(float(1 - a), size)
    with np.errstate(divide="ignore", over="ignore"):
        return _geometric(np.log1p(x / y), size, rng)
