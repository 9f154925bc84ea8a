"""The functions of related systems once more, by hand and by another route than the package's.

From the standard library's `statistics` in rationals, enumeration, another formula, a root or an
integral in mpmath. Nothing here calls the package. A function returns a rational, an mpmath number,
or None where there is no value.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, comb, factorial
from typing import Any

import mpmath

#: Its own arithmetic: 120 digits pay for what cancels.
mp = mpmath.mp.clone()
mp.dps = 120

Rows = Sequence[Fraction]


def _real(value: Fraction) -> Any:
    return mp.mpf(value.numerator) / value.denominator


def _sum(values: Iterator[Fraction]) -> Fraction:
    return sum(values, Fraction(0))


# -- ensembles -------------------------------------------------------------------------------------


def _spread(rewards: Rows, ddof: int) -> Fraction:
    """The variance; `statistics` works in exact rationals."""
    if ddof == 0:
        return Fraction(statistics.pvariance(rewards))
    return Fraction(statistics.variance(rewards))


def _less_std(ddof: int) -> Callable[..., Any]:
    return lambda rewards, c: (
        _real(statistics.mean(rewards)) - _real(c) * mp.sqrt(_real(_spread(rewards, ddof)))
    )


def _less_var(ddof: int) -> Callable[..., Any]:
    return lambda rewards, c: statistics.mean(rewards) - c * _spread(rewards, ddof)


# -- groups ----------------------------------------------------------------------------------------


def advantage(rewards: Rows, i: Fraction, epsilon: Fraction, ddof: Fraction = Fraction(1)) -> Any:
    bottom = mp.sqrt(_real(_spread(rewards, int(ddof)))) + _real(epsilon)
    return _real(rewards[int(i)] - statistics.mean(rewards)) / bottom if bottom else None


def standardised(rewards: Rows, index: Fraction, epsilon: Fraction, ddof: Fraction) -> Any:
    return advantage(rewards, index, epsilon, ddof)


def right_advantage(right: Fraction, group: Fraction) -> Any:
    """From the list of ones and zeros."""
    c, size = int(right), int(group)
    rewards = [Fraction(1)] * c + [Fraction(0)] * (size - c)
    return advantage(rewards, Fraction(0), Fraction(0))


def k_three(policy: Fraction, reference: Fraction) -> Any:
    """e^x − 1 − x at x = ln π_ref − ln π."""
    x = mp.log(_real(reference)) - mp.log(_real(policy))
    return Fraction(0) if policy == reference else mp.expm1(x) - x


# -- partial rewards -------------------------------------------------------------------------------


def margin(execution: Fraction, judge: Fraction, schema: Fraction, ngram: Fraction) -> Fraction:
    """All extreme scores enumerated; syntax and format weigh 1 here, as any weight cancels."""
    weights = (execution, judge, schema, ngram)
    right: list[Fraction] = []
    wrong: list[Fraction] = []
    for bits in range(16):
        scores = [bits >> place & 1 for place in range(4)]
        value = _sum(w * s for w, s in zip(weights, scores, strict=True)) + 2
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
    return 1 - _sum(mixed)


def dominated_success(p: Fraction, n: Fraction) -> Fraction:
    """The binomial sum over one right query or more."""
    size = int(n)
    return _sum(comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(1, size + 1))


def success(p: Fraction, values: Rows, correct: Rows, wrong: Rows, n: Fraction) -> Fraction:
    """n times the chance that the first query is right and wins, against j that tie with it."""
    size, total, below = int(n), Fraction(0), Fraction(0)
    for c, w, _ in zip(correct, wrong, values, strict=True):
        here = p * c + (1 - p) * w
        wins = _sum(
            comb(size - 1, j) * here**j * below ** (size - 1 - j) / (j + 1) for j in range(size)
        )
        total += size * p * c * wins
        below += here
    return total


# -- contamination ---------------------------------------------------------------------------------


def contaminated_value(n: Fraction, eps: Fraction, h: Fraction) -> Any:
    """No hack among n, and the mean of the largest of n uniforms as ∫ e^{−t(1+1/n)} dt."""
    rate = 1 + 1 / _real(n)
    cuts = [0, 1, 4, 16, 64, 400]
    largest = mp.quad(lambda t: mp.exp(-t * rate), cuts)
    clean = mp.exp(_real(n) * mp.log1p(-_real(eps)))
    return clean * largest + _real(h) * (1 - clean)


def contaminated_threshold(eps: Fraction) -> Any:
    """The root in n of the slope of n ln(1 − ε) + ln n − ln(n + 1), by bisection in ln n."""
    slope = mp.log1p(-_real(eps))
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
        return -mp.log(_real(eps if rate else 1 - eps))
    odds = rate / (1 - rate) / (eps / (1 - eps))
    return _real(rate) * mp.log(_real(odds)) - mp.log(_real(1 - eps + eps * odds))


# -- majority --------------------------------------------------------------------------------------


def majority(p: Fraction, group: Fraction) -> Any:
    """I_p(m, m) with m = ⌈G/2⌉, as an incomplete beta function."""
    if p in (0, 1, Fraction(1, 2)):
        return p
    half = ceil(group / 2)
    return mp.betainc(half, half, 0, _real(p), regularized=True)


def _counts(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _counts(total - first, parts - 1):
            yield (first, *rest)


def plurality(masses: Rows, group: Fraction) -> Fraction:
    """All counts enumerated."""
    size, total = int(group), Fraction(0)
    for counts in _counts(size, len(masses)):
        top = max(counts)
        if counts[0] == top:
            chance = Fraction(factorial(size), counts.count(top))
            for mass, count in zip(masses, counts, strict=True):
                chance *= mass**count / factorial(count)
            total += chance
    return total


def agreed_success(n: Fraction, p: Fraction, accuracy: Fraction) -> Fraction:
    """Over the number right among n: one is enough for a right label, a wrong one needs all."""
    size = int(n)
    chances = [comb(size, c) * p**c * (1 - p) ** (size - c) for c in range(size + 1)]
    return accuracy * sum(chances[1:], Fraction(0)) + (1 - accuracy) * chances[-1]


# -- process rewards -------------------------------------------------------------------------------


def clip_return(scores: Rows, eta: Fraction, k: Fraction, gamma: Fraction) -> Fraction:
    start = int(k) - 1
    return _sum(gamma**j * (x - eta) for j, x in enumerate(scores[start:]) if x < eta)


def delta_return(scores: Rows, k: Fraction, gamma: Fraction) -> Fraction:
    """PRM_k − (1 − γ) Σ_{k<j<K} γ^{j−k−1} PRM_j, and 0 from the last step."""
    start, last = int(k), len(scores)
    if start >= last:
        return Fraction(0)
    later = _sum(gamma ** (j - start - 1) * scores[j - 1] for j in range(start + 1, last))
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
    gaps = _sum(abs(a - b) for a in true for b in true) / 2
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
        sigma = 1 / (1 + mp.exp(-_real(margin)))
        share = _real((1 + tau) / 2)
        found = mp.zero
        if share:
            found -= share * mp.log(sigma)
        if share != 1:
            found -= (1 - share) * mp.log(1 - sigma)
        return +found


def null_variance(responses: Fraction) -> Fraction:
    """τ = 1 − 4 I/(N(N − 1)), I the inversions: a sum of independent uniforms on 0, …, j."""
    size = int(responses)
    inversions = _sum(Fraction((j + 1) ** 2 - 1, 12) for j in range(1, size))
    return inversions * Fraction(16, (size * (size - 1)) ** 2)


# -- SuperHF ---------------------------------------------------------------------------------------


def draws(n: Fraction, beta: Fraction, rounds: Fraction, count: Fraction) -> Any:
    """The coefficient of the pgf by its values at roots of unity."""
    size = int(n) ** int(rounds) + 1
    total = mp.zero
    for j in range(size):
        u = value = mp.expjpi(mp.mpf(2 * j) / size)
        for _ in range(int(rounds)):
            value = (value ** int(n) + _real(beta) * u) / (1 + _real(beta))
        total += value * mp.expjpi(mp.mpf(-2 * j * int(count)) / size)
    return mp.re(total) / size


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
    return mp.tanh((mp.log(_real(better)) - mp.log(_real(worse))) / 2) / 2


def selection(rewards: Rows, lam: Fraction) -> Any:
    top = max(rewards)
    weights = [mp.exp(_real(lam * (r - top))) for r in rewards]
    return weights[0] / mp.fsum(weights)


def clamped(difference: Fraction, lam: Fraction) -> Any:
    return min(mp.exp(_real(lam) * _real(difference)), mp.mpf(10) ** 10)


def sample_size(weights: Rows) -> Fraction:
    whole = sum(weights, Fraction(0))
    return 1 / _sum((w / whole) ** 2 for w in weights)


def _followed(potential: str) -> Callable[..., Fraction]:
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


SECOND: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "ensembles.mean": ("statistics", lambda rewards, c: statistics.mean(rewards)),
    "ensembles.median": ("statistics", lambda rewards, c: statistics.median(rewards)),
    "ensembles.min": ("sorted", lambda rewards, c: sorted(rewards)[0]),
    "ensembles.mean_minus_std_ddof0": ("statistics and mpmath", _less_std(0)),
    "ensembles.mean_minus_std_ddof1": ("statistics and mpmath", _less_std(1)),
    "ensembles.mean_minus_var_ddof0": ("statistics", _less_var(0)),
    "ensembles.mean_minus_var_ddof1": ("statistics", _less_var(1)),
    "partial_margin": ("all extreme scores", margin),
    "partial_jaccard": ("counting", jaccard),
    "partial_no_gradient": ("binomial sum", no_gradient),
    "partial_success_with_dominance": ("binomial sum", dominated_success),
    "partial_success": ("the first query wins, n times", success),
    "contamination.best_of_n": ("integral in mpmath", contaminated_value),
    "contamination.threshold": ("bisection in mpmath", contaminated_threshold),
    "contamination.least_kl": ("duality in mpmath", least_kl),
    "majority.accuracy": ("incomplete beta function in mpmath", majority),
    "majority.plurality": ("all counts", plurality),
    "majority.best_of_n": ("binomial sum", agreed_success),
    "process_clip_return": ("powers of gamma", clip_return),
    "process_delta_return": ("telescoped", delta_return),
    "likelihood.jepo_uniform": ("Frullani's integral in mpmath", jepo_uniform),
    "likelihood.standardised": ("statistics and mpmath", standardised),
    "listwise.reward": ("what is not penalised", listwise),
    "listwise.share_of_ties": ("counting", share_of_ties),
    "cream.kendall_tau": ("agreeing less disagreeing pairs", kendall),
    "cream.loss": ("logarithms of sigma in mpmath", cream_loss),
    "cream.optimal_margin": ("artanh in mpmath", lambda tau: 2 * mp.atanh(_real(tau))),
    "cream.multiplier": (
        "artanh in mpmath", lambda tau, beta: mp.exp(2 * mp.atanh(_real(tau)) / _real(beta))
    ),
    "cream.null_variance": ("variance of inversions", null_variance),
    "superhf_draws": ("roots of unity in mpmath", draws),
    "superhf_mean_draws": ("closed form", mean_draws),
    "treg.token_reward": ("tanh in mpmath", token_reward),
    "treg.token_weight": ("by hand", lambda reward, alpha: alpha * reward + 1),
    "fk_selection_probability": ("softmax in mpmath", selection),
    "fk_clamped_weight": ("mpmath", clamped),
    "fk_clamp_edge": ("mpmath", lambda lam: mp.log(mp.mpf(10) ** 10) / _real(lam)),
    "fk_effective_sample_size": ("1/sum of squared shares", sample_size),
    **{
        f"fk_exponent_{p}": ("step by step", _followed(p))
        for p in ("difference", "max", "sum", "terminal")
    },
    "grpo_advantage": ("statistics and mpmath", advantage),
    "grpo_right_advantage": ("statistics and mpmath", right_advantage),
    "grpo_k3": ("expm1 in mpmath", k_three),
}  # fmt: skip
