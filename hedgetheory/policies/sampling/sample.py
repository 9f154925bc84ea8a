"""Sampling a policy's selected reward and its number of draws from a law of the proxy reward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hedgetheory.errors import InputError, NotOnThisLaw, must_be
from hedgetheory.exact import short
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.policies.base import Policy, RankPolicy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.sampling.counts import largest_of, numbers_of_draws
from hedgetheory.policies.sampling.inputs import (
    Array,
    Randomness,
    generator,
    lenient,
    whole,
)
from hedgetheory.policies.sampling.rewards import rewards_at
from hedgetheory.policies.sampling.soft import soft_rewards
from hedgetheory.policies.sampling.softmax import energies, pick
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

#: A Sibuya(a) quantile is below 2^-1022, the smallest of binary64, with probability 2^(-1022 a).
_LEAST_SIBUYA = 0.05


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
    uniform law it is the quantile tilt, N zero-truncated Poisson. Soft Best-of-n draws n rewards
    and picks one by softmax(λ·reward) or softmax(λ·quantile); on a law with atoms it counts how
    often each is drawn, so that n may be large there. A real n = m + f runs the exponential race:
    m candidates against the last of Sibuya(f) ringing times, whose survival is φ^f.

    Assumptions: none beyond the policy's existence on the law. On a law with atoms the reward is
    the atom, and which of the tied responses was selected is not told.

    Args:
        policy: the policy.
        law: the law of the proxy reward under the reference.
        size: how many copies, an integer >= 1.
        rng: a numpy Generator, or a seed, an integer >= 0. Nothing else is random.

    Returns a `Sample`. Rewards are exact in law up to binary64: the quantile is carried both as u
    and as ū = 1 − u, so that neither tail loses digits, inverted by the law's float64 quantile, and
    the reward rounded (near 1 on the uniform law to a multiple of 2⁻⁵³, which n ≥ 10¹² notices).
    N is drawn by numpy: its probabilities are right to a relative M·ln(M)·2⁻⁵⁰ or so at mean M
    (1e-8 at 10⁶, 3e-2 at 10¹²), which moves the law of the reward by less than 0.4/√M of that, the
    standard deviation of u^N for a Poisson N.

    Raises InputError for a mean of N above 10¹², a parameter outside binary64, more than 10¹⁰
    draws in all by Soft Best-of-n, and for Sibuya(a < 0.05) on a law without an upper end, where
    quantiles leave binary64; NotOnThisLaw for a tilt with M(λ) = ∞.

    >>> from hedgetheory.laws.normal import Normal
    >>> from hedgetheory.policies.best_of_poisson import BestOfPoisson
    >>> drawn = sample(BestOfPoisson(1e9), Normal(), size=3, rng=0)
    >>> drawn.rewards.round(1).tolist(), drawn.draws.round(-6).tolist()
    ([6.1, 6.0, 5.8], [1000000000.0, 1000000000.0, 1000000000.0])

    Source: the samplers of the paper's Algorithms (arXiv 2506.19248).
    """
    call = f"sample({policy} on {law})"
    size, random = whole("size", size, 1, call), generator(rng, call)
    if not isinstance(law, (ContinuousLaw, CountableLaw, FiniteLaw, MixedLaw)):
        raise must_be("law", law, "a law of the proxy reward", call)
    if isinstance(law, MixedLaw) and not isinstance(policy, RankPolicy):
        raise InputError(f"there is no sampler for {policy} on atoms and a density [{call}]")
    policy = policy.simplest() if isinstance(policy, Policy) else policy
    if isinstance(policy, Tilt):
        if not isinstance(law, Uniform):
            return Sample(_tilted(policy, law, size, random), np.full(size, np.nan))
        policy = QuantileTilt(policy.strength)
    if isinstance(policy, RankPolicy):
        return _ranked(policy, law, size, random, call)
    if isinstance(policy, SoftBestOfN):
        if isinstance(law, CountableLaw) and policy.scale == "quantile":
            # The softmax sees F(r), the same for tied draws, and not the uniform behind a draw.
            raise InputError(f"there is no sampler for {policy} on countably many atoms [{call}]")
        rewards = soft_rewards(policy, law, size, random, call)
        draws = float(policy.draws) if policy.draws.denominator == 1 else np.nan
        return Sample(rewards, np.full(size, draws))
    raise InputError(f"policy={policy!r}, but must be a selection policy [{call}]")


def _ranked(policy: RankPolicy, law: Law, size: int, rng: np.random.Generator, call: str) -> Sample:
    if isinstance(policy, BestOfRandom) and isinstance(policy.draws, Sibuya):
        a = float(policy.tail_power)
        if a < _LEAST_SIBUYA and isinstance(law, ContinuousLaw) and law.support[1] is None:
            raise must_be("a", a, f"a real number >= {_LEAST_SIBUYA} on a law without an end", call)
    draws = numbers_of_draws(policy, size, rng)
    if draws is None:
        n = float(policy.bindings[BestOfN.symbols[0]])
        return Sample(rewards_at(law, *largest_of(n, size, rng)), np.full(size, np.nan))
    return Sample(rewards_at(law, *largest_of(draws, size, rng)), draws)


def _tilted(policy: Tilt, law: Law, size: int, rng: np.random.Generator) -> Array:
    if isinstance(law, FiniteLaw):
        values = np.array([float(value) for value, _ in law.atoms])
        masses = np.array([float(mass) for _, mass in law.atoms])
        weights = masses * np.exp(energies(values, lenient(policy.strength)))
        return np.asarray(values[pick(np.broadcast_to(weights, (size, len(values))), rng)])
    if isinstance(law, CountableLaw):
        law.require_tilt(policy.strength)
        nearly = law.nearly_tilted(lenient(policy.strength))
        return rewards_at(nearly, *largest_of(1.0, size, rng))
    assert isinstance(law, ContinuousLaw)
    limit = law.mgf_limit
    if limit is not None and policy.strength >= limit and not policy.is_reference:
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
    return rewards_at(tilted, *largest_of(1.0, size, rng))


def _log_gamma_variate(shape: float, size: int, rng: np.random.Generator) -> Array:
    """ln of a Gamma(shape) variate, also where the variate itself underflows.

    Gamma(a) is Gamma(a + 1)·V^{1/a}.
    """
    return np.log(rng.standard_gamma(shape + 1, size)) - rng.standard_exponential(size) / shape
