"""Soft Best-of-n in n and in lambda: monotone in both, totally positive in n, not in lambda.

In n: w_n(r) = n x int e^{-tx} phi(t)^{n-1} dt composes two exponential kernels, e^{sx} and
e^{(n-1) c(s)} with c increasing; so it is totally positive of every order (Karlin 1968, cited), and
f(n) = E_n[g] turns at most as often as a unimodal g does. In lambda: given the draws the softmax
moves up, so that E[h] rises for every non-decreasing h; but two atoms close together below a heavy
one make w(r_2)/w(r_1) fall, and f may have a trough although g has one peak. Everything is checked
here on laws with three atoms by counting draws: with e^{lambda r} a power of two every number is an
exact rational.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import factorial

import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "sbon.stochastically-increasing"
EXPECTED: Verdict = "proved"

#: Rewards 0, 1, 3 with masses; e^{lambda r} = z^r.
REWARDS = (0, 1, 3)
MASSES = (Fraction(1, 2), Fraction(1, 6), Fraction(1, 3))


def chosen(
    draws: int, z: Fraction, rewards: Sequence[int] = REWARDS, masses: Sequence[Fraction] = MASSES
) -> list[Fraction]:
    """P(the chosen atom), exactly: over the numbers of draws on each atom."""
    found = [Fraction(0)] * 3
    for i in range(draws + 1):
        for j in range(draws + 1 - i):
            counts = (i, j, draws - i - j)
            weight = Fraction(factorial(draws))
            for count, mass in zip(counts, masses, strict=True):
                weight = weight * mass**count / factorial(count)
            shares = [count * z**reward for count, reward in zip(counts, rewards, strict=True)]
            for k in range(3):
                found[k] += weight * shares[k] / sum(shares)
    return found


def determinant(rows: Sequence[Sequence[Fraction]]) -> Fraction:
    return sum(
        (
            rows[0][j] * (rows[1][j - 2] * rows[2][j - 1] - rows[1][j - 1] * rows[2][j - 2])
            for j in range(3)
        ),
        Fraction(0),
    )


def checks() -> Iterator[Check]:
    lam, t, n, a = sympy.symbols("l t n a", positive=True)
    r = sympy.Symbol("r", real=True)
    kernel = sympy.exp(lam * r) * sympy.exp(-t * sympy.exp(lam * r))
    yield algebra("d/dl [X e^{-tX}] = r d/dt [t X e^{-tX}], X = e^{lr}",
                  sympy.diff(kernel, lam) - r * sympy.diff(t * kernel, t))  # fmt: skip
    x1, x2, g1, g2 = sympy.symbols("x1 x2 g1 g2", real=True)
    softmax = (g1 * sympy.exp(lam * x1) + g2 * sympy.exp(lam * x2)) / (
        sympy.exp(lam * x1) + sympy.exp(lam * x2)
    )
    share = sympy.exp(lam * x1) / (sympy.exp(lam * x1) + sympy.exp(lam * x2))
    yield algebra(
        "two draws: d/dl of the softmax mean is p(1-p)(g1 - g2)(x1 - x2)",
        sympy.diff(softmax, lam) - share * (1 - share) * (g1 - g2) * (x1 - x2),
    )
    decay = sympy.exp(-n * a)
    yield algebra(
        "d/da [a e^{-na}] = d/dn [n e^{-na}]", sympy.diff(a * decay, a) - sympy.diff(n * decay, n)
    )
    w1, w2 = sympy.symbols("w1 w2", positive=True)
    yield algebra(
        "w2 ln w2 - w1 ln w1 = w2 ln(w2/w1) + (w2 - w1) ln w1",
        w2 * sympy.log(w2) - w1 * sympy.log(w1)
        - w2 * (sympy.log(w2) - sympy.log(w1)) - (w2 - w1) * sympy.log(w1),
    )  # fmt: skip
    yield Check("cited", "composition of totally positive kernels; variation diminishing "
                "(Karlin 1968)", True)  # fmt: skip
    yield from on_atoms()
    yield same_claim(ID, "proved")
    yield same_claim("sbon.totally-positive-in-n", "proved")
    yield same_claim("sbon.mlr-in-strength-fails-for-every-n", "proved")
    yield same_claim("popular.soft-best-of-n-is-mlr-in-strength", "refuted")
    yield same_claim("popular.soft-best-of-n-peaks-once-in-strength", "refuted")
    conjecture = "sbon.single-peak-on-uniform-from-ten-draws"
    from hedgetheory.ledger import find

    found = find(conjecture)
    verdict = found.check().verdict
    says = f"the package's {conjecture} expects {found.expected} and is {verdict}"
    yield Check("same", says, found.expected == verdict == "supported")


def on_atoms() -> Iterator[Check]:
    """Exact rationals on three atoms."""
    rows = [
        [p / mass for p, mass in zip(chosen(n, Fraction(2)), MASSES, strict=True)]
        for n in (1, 2, 3, 5, 9)
    ]
    yield Check("confirmed", "three atoms, z = 2: the minors of order 3 in (n, r) are positive",
                all(determinant(rows[k : k + 3]) > 0 for k in range(3)))  # fmt: skip
    minors = [
        low[i] * high[i + 1] - low[i + 1] * high[i] for low, high in pairwise(rows) for i in (0, 1)
    ]
    yield Check("confirmed", "and those of order 2", all(minor > 0 for minor in minors))
    tops = [[chosen(n, Fraction(z)) for z in (1, 2, 4, 64)] for n in (2, 5)]
    rising = all(
        high[2] > low[2] and high[1] + high[2] > low[1] + low[2]
        for row in tops
        for low, high in pairwise(row)
    )
    yield Check("confirmed", "P(R >= r) rises in lambda at n = 2 and 5", rising)
    # A close pair of small mass below a heavy atom; lambda = k ln 2, its rates 1 and 1 + k/10^6.
    low = Fraction(1, 2**61)
    masses = (low, low, 1 - 2 * low)
    ratios = [low_ratio(k, masses) for k in (58, 66)]
    yield Check("confirmed", "two draws, a close low pair of small mass: w(r_2)/w(r_1) falls",
                ratios[0] > ratios[1])  # fmt: skip


def low_ratio(k: int, masses: Sequence[Fraction]) -> Fraction:
    """w_2/w_1 for two draws, exactly: w = sum over the other draw of 2 own/(own + other)."""
    rates = (Fraction(1), 1 + Fraction(k, 10**6), Fraction(2) ** k)
    ratio = [
        sum((2 * mass * own / (own + other) for other, mass in zip(rates, masses, strict=True)),
            Fraction(0))
        for own in rates[:2]
    ]  # fmt: skip
    return ratio[1] / ratio[0]
