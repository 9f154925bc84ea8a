"""Strict MLR, an increasing score and a unimodal g do not give a single peak.

Three atoms with w proportional to (1, a, ab), a and b increasing in s: that is strict MLR. With
g = (0, 1, 0) and equal reference masses, f = a/(1 + a + ab) = 1/(1/a + 1 + b). Let 1/a fall and b
rise, each linearly, so that their sum is constant, and add to both half of a small wave that keeps
them monotone: f follows the wave. Here the wave is sin(6 s)/7, with at least four extrema on (0,3).
(The package's witness is a polynomial.)
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import sympy

from proofs_check.tools import Check, Verdict, algebra, ball, bits, same_claim

ID = "peaks.mlr-and-unimodal-gold-suffice"
EXPECTED: Verdict = "refuted"


def checks() -> Iterator[Check]:
    s = sympy.Symbol("s", real=True)
    wave = sympy.sin(6 * s) / 7
    rising, falling = 1 + s + wave / 2, 6 - s + wave / 2
    a, b = 1 / falling, rising
    yield algebra("f = 1/(8 + wave)", 1 / (1 / a + 1 + b) - 1 / (8 + wave))
    # |wave'/2| ≤ 3/7 < 1.
    yield algebra(
        "b' = 1 + 3 cos(6s)/7 >= 4/7", sympy.diff(rising, s) - 1 - 3 * sympy.cos(6 * s) / 7
    )
    yield algebra(
        "(1/a)' = -1 + 3 cos(6s)/7 <= -4/7", sympy.diff(falling, s) + 1 - 3 * sympy.cos(6 * s) / 7
    )
    with bits(100):
        values = [1 / (8 + (6 * ball(Fraction(k, 4))).sin() / 7) for k in range(12)]
        signs = [bool(y > x) - bool(y < x) for x, y in pairwise(values)]
    turns = sum(x * y < 0 for x, y in pairwise([sign for sign in signs if sign]))
    yield Check("counterexample", f"f turns {turns} times on 0 < s < 11/4, by balls", turns >= 3)
    yield same_claim(ID, EXPECTED)
