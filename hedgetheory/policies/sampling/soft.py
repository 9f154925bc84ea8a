"""Soft Best-of-n from a law: n draws and a softmax, or for a real n the race itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from hedgetheory.errors import InputError
from hedgetheory.exact import short
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.sampling.counts import largest_of, random_draws
from hedgetheory.policies.sampling.inputs import Array, count_within_reach, lenient
from hedgetheory.policies.sampling.rewards import atoms_at, rewards_at
from hedgetheory.policies.sampling.softmax import energies, pick
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: Numbers held at once (8 MB), and draws that one call may make.
_BLOCK = 1 << 20
MAX_WORK = 10**10

#: Independent (λ·what the softmax sees, reward) of reference draws, in arrays of a shape.
Draw = Callable[[tuple[int, ...]], tuple[Array, Array]]


def soft_rewards(
    policy: SoftBestOfN, law: Law, size: int, rng: np.random.Generator, call: str
) -> Array:
    """``size`` independent selected rewards, in blocks of bounded memory."""
    count_within_reach("n", lenient(policy.draws), call)
    whole = policy.draws.denominator == 1
    if whole and isinstance(law, FiniteLaw):
        return np.concatenate(list(_by_counts(policy, law, size, rng)))
    n = int(policy.draws)
    if n * size > MAX_WORK:
        raise InputError(f"{n} draws each for {size} copies is above {MAX_WORK:.0e} [{call}]")
    rows = max(1, _BLOCK // n)
    counts = [min(rows, size - start) for start in range(0, size, rows)]
    if whole:
        return np.concatenate([_by_blocks(policy, law, count, rng) for count in counts])
    draw = _energetic(policy, law, rng, call)
    return np.concatenate([_by_race(policy, draw, count, rng) for count in counts])


def _by_counts(
    policy: SoftBestOfN, law: FiniteLaw, size: int, rng: np.random.Generator
) -> Iterator[Array]:
    """On atoms: weights (times drawn)·e^{λr}, so that n may be large."""
    values = np.array([float(value) for value, _ in law.atoms])
    masses = np.array([float(mass) for _, mass in law.atoms])
    seen = _seen(policy, law)
    rows = max(1, _BLOCK // len(values))
    for start in range(0, size, rows):
        count = min(rows, size - start)
        times = rng.multinomial(int(policy.draws), masses, size=count).astype(np.float64)
        top = np.where(times > 0, seen, -np.inf).max(axis=1, keepdims=True)
        yield values[pick(times * np.exp(energies(seen, lenient(policy.strength), top)), rng)]


def _seen(policy: SoftBestOfN, law: FiniteLaw) -> Array:
    if policy.scale == "quantile":
        return np.array([float(level) for level in law.cumulative])
    return np.array([float(value) for value, _ in law.atoms])


def _by_blocks(policy: SoftBestOfN, law: Law, rows: int, rng: np.random.Generator) -> Array:
    """One pick of n draws a row, block of draws by block: a running pick against each block's."""
    strength, left = lenient(policy.strength), int(policy.draws)
    line = np.arange(rows)
    best = top = weight = np.empty(0)
    while left:
        width = min(left, _BLOCK)
        u, ubar = largest_of(1.0, (rows, width), rng)
        rewards = rewards_at(law, u, ubar)
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


# -- real n ----------------------------------------------------------------------------------------


def _energetic(policy: SoftBestOfN, law: Law, rng: np.random.Generator, call: str) -> Draw:
    strength = lenient(policy.strength)
    if isinstance(law, FiniteLaw):
        table = energies(_seen(policy, law), strength)

    def draw(shape: tuple[int, ...]) -> tuple[Array, Array]:
        u, ubar = largest_of(1.0, shape, rng)
        rewards = rewards_at(law, u, ubar)
        if isinstance(law, FiniteLaw):
            energy = table[atoms_at(law, u, ubar)]
        else:
            with np.errstate(over="ignore"):
                energy = strength * (-ubar if policy.scale == "quantile" else rewards)
        if not np.isfinite(energy).all():
            raise InputError(
                f"lam={short(policy.strength)} times a reward is outside the range of binary64, "
                f"and n is not an integer: take n an integer, or a smaller lam [{call}]"
            )
        return energy, rewards

    return draw


def _by_race(policy: SoftBestOfN, draw: Draw, rows: int, rng: np.random.Generator) -> Array:
    """n = m + f, 0 < f < 1: the first of m ringing times and of a time with survival φ^f.

    The winner rings at T with P(T > t) = φ(t)ⁿ = φ(t)^m φ(t)^f, and its reward given T = t has
    density ∝ e^{λr} e^{−te^{λr}} whatever n. A time with survival (1 − H)^f is the largest of M
    times with cdf H, M Sibuya(f), since 1 − (1 − H)^f is M's generating function at H. They are
    drawn until the M are done or one is beyond the first of the m, who then wins.
    """
    m = int(policy.draws)
    first, winner = _first_of(m, draw, rows, rng)
    left = random_draws(Sibuya(policy.draws - m), rows, rng)
    last, runner = np.full(rows, -np.inf), np.empty(rows)
    racing, width = np.arange(rows), 1
    while len(racing):
        times, rewards = _rings(draw, (len(racing), width), rng)
        times[np.arange(width) >= left[racing, None]] = -np.inf
        place = times.argmax(axis=1)
        line = np.arange(len(racing))
        later = times[line, place] > last[racing]
        last[racing[later]] = times[line, place][later]
        runner[racing[later]] = rewards[line, place][later]
        left[racing] -= width
        racing = racing[(left[racing] > 0) & (last[racing] < first[racing])]
        width = max(1, min(2 * width, _BLOCK // max(len(racing), 1)))
    return np.where(last < first, runner, winner)


def _first_of(m: int, draw: Draw, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """The logarithm of the first of m ringing times, and who rings, in blocks."""
    first, winner = np.full(rows, np.inf), np.empty(rows)
    line = np.arange(rows)
    while m:
        width = min(m, _BLOCK)
        times, rewards = _rings(draw, (rows, width), rng)
        place = times.argmin(axis=1)
        sooner = times[line, place] < first
        first = np.where(sooner, times[line, place], first)
        winner = np.where(sooner, rewards[line, place], winner)
        m -= width
    return first, winner


def _rings(draw: Draw, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Array, Array]:
    """(ln of the ringing time, reward): candidate i rings at rate e^{λr_i}."""
    energy, rewards = draw(shape)
    return np.log(rng.standard_exponential(shape)) - energy, rewards
