"""Steps, lists, rankings, trees and particles by hand, by another route than the package's.

Nothing here calls the package. A function returns a rational or an mpmath number.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import comb
from typing import Any

from hedgetheory.reference.functions.arithmetic import Rows, mp, real, total

# -- process rewards -------------------------------------------------------------------------------


def clip_return(scores: Rows, eta: Fraction, k: Fraction, gamma: Fraction) -> Fraction:
    start = int(k) - 1
    return total(gamma**j * (x - eta) for j, x in enumerate(scores[start:]) if x < eta)


def delta_return(scores: Rows, k: Fraction, gamma: Fraction) -> Fraction:
    """PRM_k − (1 − γ) Σ_{k<j<K} γ^{j−k−1} PRM_j, and 0 from the last step."""
    start, last = int(k), len(scores)
    if start >= last:
        return Fraction(0)
    later = total(gamma ** (j - start - 1) * scores[j - 1] for j in range(start + 1, last))
    return scores[start - 1] - (1 - gamma) * later


# -- likelihoods, lists, rankings ------------------------------------------------------------------


def jepo_uniform(group: Fraction) -> Any:
    """ln S = ∫ (e^{−t} − e^{−tS})/t dt (Frullani), S the sum: its mean by (1 − e^{−t})/t."""
    size = int(group)

    def integrand(t: Any) -> Any:
        if t == 0:
            return mp.mpf(size) / 2 - 1
        return (mp.exp(-t) - (-mp.expm1(-t) / t) ** size) / t

    with mp.workdps(50):
        edge = mp.mpf(2) ** 12
        cuts = [0, *(mp.mpf(2) ** j for j in range(-6, 13))]
        # Beyond it e^{−t} is 0 to all digits and the rest is ∫ (1 − e^{−t})^G t^{−G−1} dt.
        tail = -(edge**-size) / size
        return mp.quad(integrand, cuts) + tail - mp.log(size)


def listwise(true: Rows, scores: Rows) -> Fraction:
    kept = whole = Fraction(0)
    for i in range(len(true)):
        for j in range(i):
            weight = 1 + abs(true[i] - true[j])
            whole += weight
            given, right = scores[i] - scores[j], true[i] - true[j]
            if right == 0 or given * right > 0:
                kept += weight
            elif given == 0:
                kept += weight / 2
    return kept / whole


def share_of_ties(true: Rows) -> Fraction:
    size = len(true)
    tied = sum(true.count(x) - 1 for x in true) // 2
    gaps = total(abs(a - b) for a in true for b in true) / 2
    return Fraction(tied) / (Fraction(size * (size - 1), 2) + gaps)


def kendall(first: Rows, second: Rows) -> Fraction:
    size = len(first)
    agree = disagree = 0
    for i in range(size):
        for j in range(size):
            if first[i] < first[j] and second[i] != second[j]:
                agree += second[i] < second[j]
                disagree += second[i] > second[j]
    return Fraction(agree - disagree, comb(size, 2))


def cream_loss(margin: Fraction, tau: Fraction) -> Any:
    """−C ln σ(z) − (1 − C) ln(1 − σ(z)), in the digits that e^{−|z|} needs."""
    with mp.workdps(120 + abs(int(margin))):
        sigma = 1 / (1 + mp.exp(-real(margin)))
        share = real((1 + tau) / 2)
        found = mp.zero
        if share:
            found -= share * mp.log(sigma)
        if share != 1:
            found -= (1 - share) * mp.log(1 - sigma)
        return +found


def null_variance(responses: Fraction) -> Fraction:
    """τ = 1 − 4 I/(N(N − 1)), I the inversions: a sum of independent uniforms on 0, …, j."""
    size = int(responses)
    inversions = total(Fraction((j + 1) ** 2 - 1, 12) for j in range(1, size))
    return inversions * Fraction(16, (size * (size - 1)) ** 2)


# -- SuperHF ---------------------------------------------------------------------------------------


def draws(n: Fraction, beta: Fraction, rounds: Fraction, count: Fraction) -> Any:
    """The coefficient of the pgf by its values at roots of unity."""
    size = int(n) ** int(rounds) + 1
    whole = mp.zero
    for j in range(size):
        u = value = mp.expjpi(mp.mpf(2 * j) / size)
        for _ in range(int(rounds)):
            value = (value ** int(n) + real(beta) * u) / (1 + real(beta))
        whole += value * mp.expjpi(mp.mpf(-2 * j * int(count)) / size)
    return mp.re(whole) / size


def mean_draws(n: Fraction, beta: Fraction, rounds: Fraction) -> Fraction:
    """The solution of the recursion in closed form."""
    if n == 1 + beta:
        return 1 + rounds * beta / (1 + beta)
    rest = beta / (1 + beta - n)
    return rest + (1 - rest) * (n / (1 + beta)) ** int(rounds)


# -- T-REG and Feynman–Kac -------------------------------------------------------------------------


def token_reward(better: Fraction, worse: Fraction) -> Any:
    """σ(ln π_b − ln π_w) − ½ = tanh of half the log-ratio, over 2."""
    if better == worse:
        return Fraction(0)
    if not better or not worse:
        return Fraction(1, 2) if better else Fraction(-1, 2)
    return mp.tanh((mp.log(real(better)) - mp.log(real(worse))) / 2) / 2


def selection(rewards: Rows, lam: Fraction) -> Any:
    top = max(rewards)
    weights = [mp.exp(real(lam * (r - top))) for r in rewards]
    return weights[0] / mp.fsum(weights)


def clamped(difference: Fraction, lam: Fraction) -> Any:
    return min(mp.exp(real(lam) * real(difference)), mp.mpf(10) ** 10)


def sample_size(weights: Rows) -> Fraction:
    whole = sum(weights, Fraction(0))
    return 1 / total((w / whole) ** 2 for w in weights)


def followed(potential: str) -> Callable[..., Fraction]:
    """The exponents of the weights along a path, resampled at each step, the last corrected."""

    def followed(rewards: Rows, floor: Fraction) -> Fraction:
        memory, applied = floor, Fraction(0)
        for place, reward in enumerate(rewards):
            if potential == "difference":
                weight, memory = reward - memory, reward
            else:
                memory = {
                    "max": max(reward, memory), "sum": reward + memory, "terminal": reward
                }[potential]  # fmt: skip
                last = place == len(rewards) - 1
                weight = memory - applied if last else memory
            applied += weight
        return applied

    return followed
