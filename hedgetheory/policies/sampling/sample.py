"""Sampling a policy's selected reward and its number of draws from a law of the proxy reward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hedgetheory.errors import InputError, NotOnThisLaw, must_be
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import u as u_symbol
from hedgetheory.expressions.symbols import ubar as ubar_symbol
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.floats import FLOAT64
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.sampling.counts import largest_of, numbers_of_draws
from hedgetheory.policies.sampling.inputs import (
    Array,
    Randomness,
    count_within_reach,
    generator,
    lenient,
    whole,
)
from hedgetheory.policies.sampling.softmax import energies, pick
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

#: Numbers held at once by Soft Best-of-n (8 MB), and draws that one call may make.
_BLOCK = 1 << 20
MAX_WORK = 10**10
#: A Sibuya(a) quantile is below 2^-1022, the smallest of binary64, with probability 2^(-1022 a).
_LEAST_SIBUYA = 0.05
_LEAST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Sample:
    """Selected rewards and the numbers of draws they took, float64 arrays of one length.

    ``draws`` is NaN where the policy is not a choice among a number of draws (a real n, a tilt of
    the raw reward on a law other than the uniform), and ∞ for a number beyond binary64.
    """

    rewards: Array
    draws: Array


def sample(policy: Policy, law: Law, size: int, rng: Randomness) -> Sample:
    """Independent copies of (selected reward, number of draws N) of a policy on a law.

    A rank policy's quantile is V^{1/N}, V uniform and N from its law (or a real n), and its reward
    Q(V^{1/N}); so the cost does not depend on N. A tilt is drawn from the tilted law; on the
    uniform law it is the quantile tilt, N zero-truncated Poisson. Soft Best-of-n draws n rewards,
    n an integer, and picks one by softmax(λ·reward) or softmax(λ·quantile); on a law with atoms it
    counts how often each is drawn, so that n may be large there too.

    Assumptions: none beyond the policy's existence on the law. On a law with atoms the reward is
    the atom, and which of the tied responses was selected is not told.

    Args:
        policy: the policy.
        law: the law of the proxy reward under the reference.
        size: how many copies, an integer >= 1.
        rng: a numpy Generator, or a seed, an integer >= 0. Nothing else is random.

    Returns a `Sample`. Rewards are exact in law up to binary64: the quantile is carried both as u
    and as ū = 1 − u, so that neither tail loses digits, and inverted by the law's float64 quantile.
    N is drawn by numpy: its probabilities are right to a relative M·ln(M)·2⁻⁵⁰ or so at mean M
    (1e-13 at 10, 1e-8 at 10⁶), which moves the reward's law by far less, as it depends on N slowly.

    Raises InputError for a mean of N above 10¹², a parameter outside binary64, a real n in Soft
    Best-of-n or more than 10¹⁰ draws in all, and for Sibuya(a < 0.05) on a law without an upper
    end, where quantiles leave binary64; NotOnThisLaw for a tilt with M(λ) = ∞.

    >>> from hedgetheory.laws.normal import Normal
    >>> from hedgetheory.policies.best_of_poisson import BestOfPoisson
    >>> drawn = sample(BestOfPoisson(1e9), Normal(), size=3, rng=0)
    >>> drawn.rewards.round(1).tolist(), drawn.draws.round(-6).tolist()
    ([6.1, 6.0, 5.8], [1000000000.0, 1000000000.0, 1000000000.0])

    Source: the samplers of the paper's Algorithms (arXiv 2506.19248).
    """
    call = f"sample({policy} on {law})"
    size, random = whole("size", size, 1, call), generator(rng, call)
    if not isinstance(law, (ContinuousLaw, FiniteLaw)):
        raise must_be("law", law, "a law of the proxy reward", call)
    if isinstance(policy, Tilt):
        if not isinstance(law, Uniform):
            return Sample(_tilted(policy, law, size, random), np.full(size, np.nan))
        policy = QuantileTilt(policy.strength)
    if isinstance(policy, RankPolicy):
        return _ranked(policy, law, size, random, call)
    if isinstance(policy, SoftBestOfN):
        rewards = _soft(policy, law, size, random, call)
        return Sample(rewards, np.full(size, float(policy.draws)))
    raise InputError(f"policy={policy!r}, but must be a selection policy [{call}]")


def _ranked(policy: RankPolicy, law: Law, size: int, rng: np.random.Generator, call: str) -> Sample:
    if isinstance(policy, BestOfRandom) and isinstance(policy.draws, Sibuya):
        a = float(policy.tail_power)
        if a < _LEAST_SIBUYA and isinstance(law, ContinuousLaw) and law.support[1] is None:
            raise must_be("a", a, f"a real number >= {_LEAST_SIBUYA} on a law without an end", call)
    draws = numbers_of_draws(policy, size, rng)
    if draws is None:
        n = float(policy.bindings[BestOfN.symbols[0]])
        return Sample(_rewards_at(law, *largest_of(n, size, rng)), np.full(size, np.nan))
    return Sample(_rewards_at(law, *largest_of(draws, size, rng)), draws)


def _rewards_at(law: Law, u: Array, ubar: Array) -> Array:
    """The law's rewards at quantiles, each half of [0, 1] from the smaller of u and ū."""
    if isinstance(law, FiniteLaw):
        values = np.array([float(value) for value, _ in law.atoms])
        return np.asarray(values[_atoms_at(law, u, ubar)], np.float64)
    assert isinstance(law, ContinuousLaw)
    program = compiled(law.quantile, (u_symbol, ubar_symbol))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        rewards = program(FLOAT64, np.maximum(u, _LEAST), np.maximum(ubar, _LEAST))
    return np.asarray(rewards, np.float64)


def _atoms_at(law: FiniteLaw, u: Array, ubar: Array) -> Array:
    """The place of the smallest atom whose cdf is at least u, its survival at most ū."""
    cdf = np.array([float(value) for value in law.cumulative])
    survival = np.array([float(1 - value) for value in law.cumulative])
    low = np.searchsorted(cdf, u, side="left")
    high = len(cdf) - np.searchsorted(survival[::-1], ubar, side="right")
    return np.where(u < 0.5, low, high)


def _tilted(policy: Tilt, law: Law, size: int, rng: np.random.Generator) -> Array:
    if isinstance(law, FiniteLaw):
        values = np.array([float(value) for value, _ in law.atoms])
        masses = np.array([float(mass) for _, mass in law.atoms])
        weights = masses * np.exp(energies(values, lenient(policy.strength)))
        return np.asarray(values[pick(np.broadcast_to(weights, (size, len(values))), rng)])
    assert isinstance(law, ContinuousLaw)
    limit = law.mgf_limit
    if limit is not None and policy.strength >= limit:
        raise NotOnThisLaw(
            f"{policy} does not exist on {law}: E[e^(lam R)] is infinite from "
            f"lam = {short(limit)} on; take lam < {short(limit)}"
        )
    if isinstance(law, Logistic):
        # F(R) is Beta(1 + κ, 1 − κ), κ = λ·scale, and R the logarithm of a ratio of gammas.
        kappa = policy.strength * law.scale
        above = _log_gamma_variate(float(1 + kappa), size, rng)
        below = _log_gamma_variate(float(1 - kappa), size, rng)
        return float(law.loc) + float(law.scale) * (above - below)
    tilted = law if policy.is_reference else law.tilted(policy.strength)
    if tilted is None:
        raise InputError(f"there is no sampler for {policy} on {law}")
    return _rewards_at(tilted, *largest_of(1.0, size, rng))


def _log_gamma_variate(shape: float, size: int, rng: np.random.Generator) -> Array:
    """ln of a Gamma(shape) variate, also where the variate itself underflows.

    Gamma(a) is Gamma(a + 1)·V^{1/a}.
    """
    return np.log(rng.standard_gamma(shape + 1, size)) - rng.standard_exponential(size) / shape


def _soft(policy: SoftBestOfN, law: Law, size: int, rng: np.random.Generator, call: str) -> Array:
    if policy.draws.denominator != 1:
        raise must_be("n", policy.draws, "an integer, to draw n rewards and pick one", call)
    count_within_reach("n", lenient(policy.draws), call)
    if isinstance(law, FiniteLaw):
        return np.concatenate(list(_soft_by_counts(policy, law, size, rng)))
    assert isinstance(law, ContinuousLaw)
    n = int(policy.draws)
    if n * size > MAX_WORK:
        raise InputError(f"{n} draws each for {size} copies is above {MAX_WORK:.0e} [{call}]")
    rows = max(1, _BLOCK // n)
    parts = [
        _soft_by_blocks(policy, law, min(rows, size - start), rng) for start in range(0, size, rows)
    ]
    return np.concatenate(parts)


def _soft_by_counts(
    policy: SoftBestOfN, law: FiniteLaw, size: int, rng: np.random.Generator
) -> Iterator[Array]:
    """On atoms: weights (times drawn)·e^{λr}."""
    values = np.array([float(value) for value, _ in law.atoms])
    masses = np.array([float(mass) for _, mass in law.atoms])
    levels = np.array([float(level) for level in law.cumulative])
    seen = levels if policy.scale == "quantile" else values
    rows = max(1, _BLOCK // len(values))
    for start in range(0, size, rows):
        count = min(rows, size - start)
        times = rng.multinomial(int(policy.draws), masses, size=count).astype(np.float64)
        top = np.where(times > 0, seen, -np.inf).max(axis=1, keepdims=True)
        yield values[pick(times * np.exp(energies(seen, lenient(policy.strength), top)), rng)]


def _soft_by_blocks(
    policy: SoftBestOfN, law: ContinuousLaw, rows: int, rng: np.random.Generator
) -> Array:
    """One pick of n draws a row, block of draws by block: a running pick against each block's."""
    strength, left = lenient(policy.strength), int(policy.draws)
    line = np.arange(rows)
    best = top = weight = np.empty(0)
    while left:
        width = min(left, _BLOCK)
        u, ubar = largest_of(1.0, (rows, width), rng)
        rewards = _rewards_at(law, u, ubar)
        # −ū is the quantile less one: full precision where the largest are.
        seen = -ubar if policy.scale == "quantile" else rewards
        weights = np.exp(energies(seen, strength))
        reward = rewards[line, pick(weights, rng)]
        high, mass = seen.max(axis=1), weights.sum(axis=1)
        if len(best):
            pair = np.stack([top, high], axis=1)
            masses = np.stack([weight, mass], axis=1) * np.exp(energies(pair, strength))
            reward = np.where(pick(masses, rng) == 1, reward, best)
            high, mass = pair.max(axis=1), masses.sum(axis=1)
        best, top, weight = reward, high, mass
        left -= width
    return best
