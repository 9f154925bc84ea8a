"""A strictly increasing transform of the reward changes nothing for a rank policy.

{T(R) <= T(r)} and {R <= r} are the same event, so the quantile F(R) is the same variable before and
after, and a rank policy is a function of it. Seen from the reward side: BoN on the exponential law
has density n F^{n-1} f, and its KL integrated over the reward r is that of the uniform law; on
atoms, enumeration gives the same masses before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from proofs_check.tools import Check, Verdict, algebra, ball, best_of, bits, integral, same_claim

ID = "rank.monotone-invariance"
EXPECTED: Verdict = "proved"


def checks() -> Iterator[Check]:
    r, _n = sympy.symbols("r n", positive=True)
    cdf, pdf = 1 - sympy.exp(-r), sympy.exp(-r)
    for name, forward, back in (
        ("e^r", sympy.exp(r), sympy.log),
        ("r^3", r**3, lambda s: s ** sympy.Rational(1, 3)),
        ("-ln(1-e^{-r}) reversed", -1 / r, lambda s: -1 / s),
    ):
        s = sympy.Symbol("s", real=True)
        moved_cdf = cdf.subs(r, back(s))
        moved = sympy.diff(moved_cdf, s)
        yield algebra(f"T = {name}: F_T(T(r)) = F(r)", moved_cdf.subs(s, forward) - cdf)
        pulled = moved.subs(s, forward) * sympy.diff(forward, r)
        yield algebra(f"T = {name}: f_T(T(r)) T'(r) = f(r)", pulled - pdf)
        yield Check("algebra", f"T = {name} increases", bool(sympy.diff(forward, r).is_positive))
    for draws in (2, 3, 7):
        yield Check("confirmed", f"KL over r, exponential law, n = {draws}", _over_rewards(draws))
    law = (
        (Fraction(0), Fraction(1, 5)),
        (Fraction(1), Fraction(3, 10)),
        (Fraction(2), Fraction(1, 2)),
    )
    image = tuple((10 * value**3 - 7, mass) for value, mass in law)
    for draws in (2, 3, 5):
        same = list(best_of(law, draws).values()) == list(best_of(image, draws).values())
        yield Check("confirmed", f"three atoms, n = {draws}: equal masses", same)
    yield same_claim(ID, EXPECTED)


def _over_rewards(draws: int) -> bool:
    """∫ w ln w f dr over [1/1000, 60] plus bounds of the rest, against ln n − (n−1)/n."""
    with bits(160):
        n, low, high = ball(draws), ball(Fraction(1, 1000)), ball(60)

        def term(r: Any) -> Any:
            w = n * (1 - (-r).exp()) ** (draws - 1)
            return w * w.log() * (-r).exp()

        inside = integral(term, low, high)
        # |w ln w| ≤ max(1/e, n ln n) ≤ n²; below 1/1000 w ≤ n r^{n−1}, and v ↦ −v ln v increases.
        small = n * low ** (draws - 1)
        rest = small * abs(small.log()) * low + n**2 * (-high).exp()
        return bool(abs(inside - (n.log() - (n - 1) / n)) <= rest)
