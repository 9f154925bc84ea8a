"""Majority labels from another phrasing of the question: accuracy, reward, and the update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import comb, factorial

import sympy

from hedgetheory.errors import InputError, must_be
from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam

#: Published number of samples of each phrasing (arXiv 2508.00410).
GROUP = 8
MAX_GROUP = 1000
#: The chance that a sample of one phrasing is right.
p = sympy.Symbol("p", positive=True)
#: The same for the other phrasing.
q = sympy.Symbol("q", positive=True)


def logit(x: sympy.Expr) -> sympy.Expr:
    return sympy.log(x / (1 - x))


def next_logit(own: sympy.Expr, accuracy: sympy.Expr) -> sympy.Expr:
    """logit p ← logit p + λ(2a − 1), a the accuracy of the other phrasing's label.

    2a − 1 is how much more a right answer earns than a wrong one.
    """
    return own + lam * (2 * accuracy - 1)


def majority_accuracy(p: RealInput, group: int = GROUP) -> Fraction:
    """The chance that most of ``group`` samples are right, ties split, with two possible answers.

    Σ_{j > G/2} C(G, j) p^j (1 − p)^{G−j} + ½ P(tie); 2m and 2m − 1 samples give the same,
    I_p(m, m). Exact. Raises InputError for p outside [0, 1] or a group outside 1 to 1000.

    >>> majority_accuracy("3/5")
    Fraction(11097, 15625)
    """
    chance = _chance(p, "p")
    size = _group(group)
    terms = (
        comb(size, j) * chance**j * (1 - chance) ** (size - j) * _won(2 * j - size)
        for j in range(size + 1)
    )
    return sum(terms, Fraction(0))


def plurality_accuracy(masses: Sequence[RealInput], group: int = GROUP) -> Fraction:
    """The chance that the first of several answers is the most frequent of ``group`` samples.

    Ties are split evenly. ``masses`` are the chances of the answers, the right one first, with sum
    exactly 1; 2 to 6 answers, group at most 60. Exact. Raises InputError.

    >>> plurality_accuracy(["2/5", "3/10", "3/10"], 1)
    Fraction(2, 5)
    """
    chances = [_chance(mass, "masses") for mass in masses]
    if not 2 <= len(chances) <= 6 or sum(chances) != 1:
        raise InputError(f"masses={masses}, but must be 2 to 6 chances with sum exactly 1")
    if not 1 <= group <= 60:
        raise must_be("group", group, "a whole number from 1 to 60", "plurality_accuracy(...)")

    @cache
    def others(left: int, top: int, start: int) -> dict[int, Fraction]:
        """Σ Π x^k/k! over counts of the answers from ``start`` on, none above ``top``, by the
        number of them that equal ``top``."""
        if start == len(chances):
            return {0: Fraction(1)} if left == 0 else {}
        out: dict[int, Fraction] = {}
        for count in range(min(left, top) + 1):
            weight = chances[start] ** count / factorial(count)
            for ties, value in others(left - count, top, start + 1).items():
                equal = ties + (count == top)
                out[equal] = out.get(equal, Fraction(0)) + weight * value
        return out

    total = Fraction(0)
    for first in range(1, group + 1):
        weight = factorial(group) * chances[0] ** first / factorial(first)
        rest = others(group - first, first, 1)
        total += weight * sum((value / (1 + ties) for ties, value in rest.items()), Fraction(0))
    return total


def best_of_n_success(n: RealInput, p: RealInput, accuracy: RealInput) -> Fraction:
    """Success of Best-of-n (whole n) where the proxy is agreement with the label.

    π(1 − (1 − p)ⁿ) + (1 − π) pⁿ: with a right label one right response is enough, with a wrong one
    all must be right. Exact. Raises InputError.

    >>> best_of_n_success(1, "3/5", "9/10")
    Fraction(3, 5)
    """
    count = rational(n, "n")
    if count.denominator != 1 or not 1 <= count <= 10_000:
        raise must_be("n", n, "a whole number from 1 to 10000", "best_of_n_success(...)")
    right, label = _chance(p, "p"), _chance(accuracy, "accuracy")
    power = int(count)
    return label * (1 - (1 - right) ** power) + (1 - label) * right**power


def orbit(p: float, q: float, lam: float, group: int = GROUP) -> Iterator[tuple[float, float]]:
    """The chances after each simultaneous update, in binary64: an estimate, for simulations."""
    from scipy.special import betainc, expit
    from scipy.special import logit as float_logit

    half = (group + 1) // 2
    x, y = float(float_logit(p)), float(float_logit(q))
    while True:
        ahead_x, ahead_y = (2 * float(betainc(half, half, expit(z))) - 1 for z in (x, y))
        x, y = x + lam * ahead_y, y + lam * ahead_x
        yield float(expit(x)), float(expit(y))


def _won(margin: int) -> Fraction:
    return Fraction(1 + (margin > 0) - (margin < 0), 2)


def _chance(value: RealInput, name: str) -> Fraction:
    chance = rational(value, name)
    if not 0 <= chance <= 1:
        raise must_be(name, value, "a probability from 0 to 1", f"{name}={value}")
    return chance


def _group(group: int) -> int:
    if not 1 <= group <= MAX_GROUP:
        raise must_be("group", group, f"a whole number from 1 to {MAX_GROUP}", f"group={group}")
    return int(group)


__all__ = [
    "GROUP",
    "best_of_n_success",
    "majority_accuracy",
    "next_logit",
    "orbit",
    "plurality_accuracy",
]
