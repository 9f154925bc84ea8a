"""Tests of samplers that reject a right sampler with a stated probability, and exact enumeration.

Every check compares counts with binomial laws whose probabilities are known (certified, or exact
by enumeration), each cell two-sided by the exact binomial tail, and divides `ALARM` by the number
of cells (Bonferroni). So one call rejects a right sampler with probability at most ALARM = 1e-9,
whatever the dependence between cells; no large-sample approximation enters. The whole suite makes
fewer than 1000 such calls: right samplers fail it with probability below 1e-6 for fresh seeds.
Seeds are fixed, so a run is the same run every time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, product
from math import exp

import numpy as np
from scipy import special

ALARM = 1e-9
#: Rows of a test of `select`, copies of a test of `sample`.
ROWS = 60_000
COPIES = 50_000


def misfit(counts: Sequence[int], probabilities: Sequence[float], total: int) -> str:
    """Empty where the counts fit; else the worst cell. Right samplers fail with P <= ALARM."""
    n, p = np.asarray(counts), np.clip(np.asarray(probabilities, float), 0, 1)
    above = np.where(n > 0, special.bdtrc(np.maximum(n - 1, 0), total, p), 1.0)
    tails = 2 * np.minimum(special.bdtr(n, total, p), above)
    worst = int(np.argmin(tails))
    if tails[worst] >= ALARM / len(n):
        return ""
    wanted = f"{total * p[worst]:.1f}"
    return f"cell {worst}: {n[worst]} of {total}, expected {wanted} (p={tails[worst]:.1g})"


def select_misfit(
    choose: Callable[[np.ndarray, int], np.ndarray], rewards: Sequence[float], law: Sequence[float]
) -> str:
    """A selector on ROWS copies of one prompt against the exact law of the selected index.

    Two neighbouring prompts are looked at together, so that dependent prompts fail as well.
    """
    table = np.tile(np.asarray(rewards, float), (ROWS, 1))
    chosen = np.asarray(choose(table, 1))
    size = len(rewards)
    assert chosen.shape == (ROWS,)
    alone = misfit(np.bincount(chosen, minlength=size), [float(p) for p in law], ROWS)
    pairs = np.bincount(chosen[::2] * size + chosen[1::2], minlength=size**2)
    joint = [float(p) * float(q) for p in law for q in law]
    return alone or misfit(pairs, joint, ROWS // 2)


def cdf_misfit(rewards: np.ndarray, points: Sequence[float], cdf: Sequence[float]) -> str:
    """How many rewards are <= each fixed point, against the cdf there."""
    counts = [int((rewards <= point).sum()) for point in points]
    return misfit(counts, cdf, len(rewards))


# -- exact laws of the selected index, by enumeration ----------------------------------------------


def drawn(size: int, n: int, replace: bool) -> list[tuple[int, ...]]:
    """Every equally likely outcome of n draws from ``size`` responses."""
    if replace:
        return list(product(range(size), repeat=n))
    return list(combinations(range(size), n))


def best_law(rewards: Sequence[float], n: int, replace: bool) -> list[Fraction]:
    """P(index) of Best-of-n, ties equally likely. With replacement a response drawn twice is one
    response, but each draw is as likely: tied responses stay exchangeable."""
    law = [Fraction(0)] * len(rewards)
    outcomes = drawn(len(rewards), n, replace)
    for outcome in outcomes:
        top = max(rewards[i] for i in outcome)
        best = [i for i in outcome if rewards[i] == top]
        for i in best:
            law[i] += Fraction(1, len(best) * len(outcomes))
    return law


def soft_law(rewards: Sequence[float], n: int, strength: float, replace: bool) -> list[float]:
    """P(index) of Soft Best-of-n: the mean over the draws of the softmax over them."""
    law = [0.0] * len(rewards)
    outcomes = drawn(len(rewards), n, replace)
    for outcome in outcomes:
        top = max(rewards[i] for i in outcome)
        weights = [exp(strength * (rewards[i] - top)) for i in outcome]
        for i, weight in zip(outcome, weights, strict=True):
            law[i] += weight / sum(weights) / len(outcomes)
    return law


def mixed(laws: Sequence[Sequence[Fraction]], masses: Sequence[Fraction]) -> list[Fraction]:
    """Σ_k P(N = k) law_k."""
    return [
        sum((m * law[i] for law, m in zip(laws, masses, strict=True)), Fraction(0))
        for i in range(len(laws[0]))
    ]
