"""The tilt is optimal, and the gap is a divergence (Donsker-Varadhan, Pythagoras).

For a density v of q with respect to the reference and w = e^{l r - K}, pointwise
ln v = (ln v - ln w) + l r - K. Expectation under q: KL(q) = KL(q||tilt) + l E_q[R] - K. Divide by l
for optimality; put q with E_q[R] = K'(l) and KL(tilt) = l K' - K for KL(q) - KL(tilt) =
KL(q||tilt) >= 0. Checked in full on three atoms with free masses.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from proofs_check.tools import Check, Verdict, algebra, same_claim

ID = "tilt.optimal"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    lam, v, r, k = sympy.symbols("lam v r K", positive=True)
    log_w = lam * r - k
    yield algebra("pointwise", sympy.log(v) - (sympy.log(v) - log_w) - lam * r + k)
    p1, p2, q1, q2 = sympy.symbols("p1 p2 q1 q2", positive=True)
    p3, q3 = 1 - p1 - p2, 1 - q1 - q2
    rewards = (0, 1, 3)
    partition = sum(
        p * sympy.exp(lam * value) for p, value in zip((p1, p2, p3), rewards, strict=True)
    )
    big_k = sympy.Symbol("K", real=True)
    kl = sum(q * (sympy.log(q) - sympy.log(p)) for q, p in ((q1, p1), (q2, p2), (q3, p3)))
    to_tilt = sum(
        q * (sympy.log(q) - sympy.log(p) - lam * value + big_k)
        for q, p, value in ((q1, p1, 0), (q2, p2, 1), (q3, p3, 3))
    )
    mean = q2 + 3 * q3
    yield algebra("three atoms: KL(q) = KL(q||tilt) + lam E - K", kl - to_tilt - lam * mean + big_k)
    potential = sympy.log(partition)
    tilted = [
        p * sympy.exp(lam * value) / partition
        for p, value in zip((p1, p2, p3), rewards, strict=True)
    ]
    yield algebra("K' is the tilt's mean", sympy.diff(potential, lam) - tilted[1] - 3 * tilted[2])
    second = tilted[1] + 9 * tilted[2] - (tilted[1] + 3 * tilted[2]) ** 2
    yield algebra("K'' is the tilt's variance", sympy.diff(potential, lam, 2) - second)
    t = sympy.Symbol("t", positive=True)
    yield algebra("(t ln t - t + 1)' = ln t, zero at 1: t ln t - t + 1 >= 0, so KL >= 0",
                  sympy.diff(t * sympy.log(t) - t + 1, t) - sympy.log(t))  # fmt: skip
    yield same_claim(ID, EXPECTED)
    yield same_claim("gap.pythagoras", EXPECTED)
    yield same_claim("peaks.tilt-single-peak", EXPECTED)
