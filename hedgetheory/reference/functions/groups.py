"""Votes, groups, ensembles and contamination by hand, by another route than the package's.

Nothing here calls the package. A function returns a rational, an mpmath number, or None where there
is no value.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil, comb, factorial
from typing import Any

from hedgetheory.reference.functions.arithmetic import Rows, mp, real, total

# -- ensembles -------------------------------------------------------------------------------------


def _spread(rewards: Rows, ddof: int) -> Fraction:
    """The variance; `statistics` works in exact rationals."""
    if ddof == 0:
        return Fraction(statistics.pvariance(rewards))
    return Fraction(statistics.variance(rewards))


def less_std(ddof: int) -> Callable[..., Any]:
    return lambda rewards, c: (
        real(statistics.mean(rewards)) - real(c) * mp.sqrt(real(_spread(rewards, ddof)))
    )


def less_var(ddof: int) -> Callable[..., Any]:
    return lambda rewards, c: statistics.mean(rewards) - c * _spread(rewards, ddof)


# -- groups ----------------------------------------------------------------------------------------


def advantage(rewards: Rows, i: Fraction, epsilon: Fraction, ddof: Fraction = Fraction(1)) -> Any:
    bottom = mp.sqrt(real(_spread(rewards, int(ddof)))) + real(epsilon)
    return real(rewards[int(i)] - statistics.mean(rewards)) / bottom if bottom else None


def standardised(rewards: Rows, index: Fraction, epsilon: Fraction, ddof: Fraction) -> Any:
    return advantage(rewards, index, epsilon, ddof)


def right_advantage(right: Fraction, group: Fraction) -> Any:
    """From the list of ones and zeros."""
    c, size = int(right), int(group)
    rewards = [Fraction(1)] * c + [Fraction(0)] * (size - c)
    return advantage(rewards, Fraction(0), Fraction(0))


def k_three(policy: Fraction, reference: Fraction) -> Any:
    """e^x − 1 − x at x = ln π_ref − ln π."""
    x = mp.log(real(reference)) - mp.log(real(policy))
    return Fraction(0) if policy == reference else mp.expm1(x) - x


# -- partial rewards -------------------------------------------------------------------------------


def margin(execution: Fraction, judge: Fraction, schema: Fraction, ngram: Fraction) -> Fraction:
    """All extreme scores enumerated; syntax and format weigh 1 here, as any weight cancels."""
    weights = (execution, judge, schema, ngram)
    right: list[Fraction] = []
    wrong: list[Fraction] = []
    for bits in range(16):
        scores = [bits >> place & 1 for place in range(4)]
        value = total(w * s for w, s in zip(weights, scores, strict=True)) + 2
        (right if scores[0] else wrong).append(value)
    return min(right) - max(wrong)


def jaccard(a: Rows, b: Rows) -> Fraction:
    left, right = sorted(set(a)), sorted(set(b))
    both = [x for x in left if x in right]
    return Fraction(len(both), len(left) + len(right) - len(both))


def no_gradient(p: Fraction, group: Fraction) -> Fraction:
    """One less the chance of a mixed group."""
    size = int(group)
    if size == 1:
        return Fraction(1) + 0 * p
    mixed = (comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(1, size))
    return 1 - total(mixed)


def dominated_success(p: Fraction, n: Fraction) -> Fraction:
    """The binomial sum over one right query or more."""
    size = int(n)
    return total(comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(1, size + 1))


def success(p: Fraction, values: Rows, correct: Rows, wrong: Rows, n: Fraction) -> Fraction:
    """n times the chance that the first query is right and wins, against j that tie with it."""
    size, whole, below = int(n), Fraction(0), Fraction(0)
    for c, w, _ in zip(correct, wrong, values, strict=True):
        here = p * c + (1 - p) * w
        wins = total(
            comb(size - 1, j) * here**j * below ** (size - 1 - j) / (j + 1) for j in range(size)
        )
        whole += size * p * c * wins
        below += here
    return whole


# -- contamination ---------------------------------------------------------------------------------


def contaminated_value(n: Fraction, eps: Fraction, h: Fraction) -> Any:
    """No hack among n, and the mean of the largest of n uniforms as ∫ e^{−t(1+1/n)} dt."""
    rate = 1 + 1 / real(n)
    cuts = [0, 1, 4, 16, 64, 400]
    largest = mp.quad(lambda t: mp.exp(-t * rate), cuts)
    clean = mp.exp(real(n) * mp.log1p(-real(eps)))
    return clean * largest + real(h) * (1 - clean)


def contaminated_threshold(eps: Fraction) -> Any:
    """The root in n of the slope of n ln(1 − ε) + ln n − ln(n + 1), by bisection in ln n."""
    slope = mp.log1p(-real(eps))
    if slope + mp.mpf(1) / 2 <= 0:
        return Fraction(1)
    low, high = mp.zero, mp.mpf(60)
    for _ in range(420):
        middle = (low + high) / 2
        n = mp.exp(middle)
        if slope + 1 / (n * (n + 1)) > 0:
            low = middle
        else:
            high = middle
    return mp.exp(low)


def least_kl(rate: Fraction, eps: Fraction) -> Any:
    """By duality: λq − ln(1 − ε + ε e^λ) at λ = logit q − logit ε, and its limits."""
    if rate == eps:
        return Fraction(0)
    if rate in (0, 1):
        return -mp.log(real(eps if rate else 1 - eps))
    odds = rate / (1 - rate) / (eps / (1 - eps))
    return real(rate) * mp.log(real(odds)) - mp.log(real(1 - eps + eps * odds))


# -- majority --------------------------------------------------------------------------------------


def majority(p: Fraction, group: Fraction) -> Any:
    """I_p(m, m) with m = ⌈G/2⌉, as an incomplete beta function."""
    if p in (0, 1, Fraction(1, 2)):
        return p
    half = ceil(group / 2)
    return mp.betainc(half, half, 0, real(p), regularized=True)


def _counts(whole: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (whole,)
        return
    for first in range(whole + 1):
        for rest in _counts(whole - first, parts - 1):
            yield (first, *rest)


def plurality(masses: Rows, group: Fraction) -> Fraction:
    """All counts enumerated."""
    size, whole = int(group), Fraction(0)
    for counts in _counts(size, len(masses)):
        top = max(counts)
        if counts[0] == top:
            chance = Fraction(factorial(size), counts.count(top))
            for mass, count in zip(masses, counts, strict=True):
                chance *= mass**count / factorial(count)
            whole += chance
    return whole


def agreed_success(n: Fraction, p: Fraction, accuracy: Fraction) -> Fraction:
    """Over the number right among n: one is enough for a right label, a wrong one needs all."""
    size = int(n)
    chances = [comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(size + 1)]
    return accuracy * sum(chances[1:], Fraction(0)) + (1 - accuracy) * chances[-1]
