"""KL of a rank policy with atoms is below its value without.

On an atom's interval of length p let c be the mean of w. The function v ln v lies strictly above
its tangent at c: v ln v - c ln c - (ln c + 1)(v - c) = v ln(v/c) - v + c, which as a function of v
is zero at v = c, where its derivative ln(v/c) changes sign from minus to plus. Integrate w over the
interval: the tangent's part integrates to zero, so p c ln c < ∫ w ln w unless w is constant there.
KL(BoN) <= ln(1/p) for the top atom: every ratio is at most the top one, and that at most 1/p.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy
from flint import arb

from proofs_check.tools import Atoms, Check, Verdict, algebra, ball, best_of, bits, same_claim

ID = "atoms.kl-below-continuous"
EXPECTED: Verdict = "proved"

LAWS: tuple[Atoms, ...] = (
    ((Fraction(0), Fraction(1, 2)), (Fraction(1), Fraction(1, 2))),
    ((Fraction(0), Fraction(2, 3)), (Fraction(1), Fraction(1, 4)), (Fraction(2), Fraction(1, 12))),
)


def kl(law: Atoms, draws: int) -> arb:
    """Σ q ln(q/p) with the masses counted by enumeration."""
    return sum(
        (
            ball(q) * ball(q / p).log()
            for q, (_, p) in zip(best_of(law, draws).values(), law, strict=True)
        ),
        ball(0),
    )


def checks() -> Iterator[Check]:
    from hedgetheory.claims.atoms import bon_kl
    from hedgetheory.laws.finite import Finite

    v, c = sympy.symbols("v c", positive=True)
    tangent = c * sympy.log(c) + (sympy.log(c) + 1) * (v - c)
    above = v * (sympy.log(v) - sympy.log(c)) - v + c
    yield algebra("v ln v - tangent = v ln(v/c) - v + c", v * sympy.log(v) - tangent - above)
    yield algebra("zero at v = c", above.subs(v, c))
    yield algebra(
        "its derivative is ln v - ln c", sympy.diff(above, v) - sympy.log(v) + sympy.log(c)
    )
    for law in LAWS:
        for draws in (2, 3, 6):
            with bits(160):
                value = kl(law, draws)
                continuous = ball(draws).log() - ball(Fraction(draws - 1, draws))
                top = -ball(law[-1][1]).log()
                says = f"{len(law)} atoms, n = {draws}"
                yield Check("confirmed", f"{says}: below ln n - (n-1)/n", bool(value < continuous))
                yield Check(
                    "confirmed", f"{says}: below ln(1/p), p the top mass", bool(value < top)
                )
                theirs = bon_kl(Finite(dict(law)), draws)
                same = bool(abs(theirs - value) < arb(2) ** -100)
                yield Check("same", f"{says}: the package's value", same)
    with bits(300):
        half = ball(Fraction(1, 2**128))
        value = (1 - half) * (2 * (1 - half)).log() + half * (2 * half).log()
        yield Check("confirmed", "bernoulli(1/2), n = 128: KL < ln 2", bool(value < ball(2).log()))
    yield same_claim(ID, EXPECTED)
    yield same_claim("atoms.kl-below-top-atom", "proved")
    yield same_claim("atoms.bernoulli-kl-bounded", "certified")
    counts = (1, 2, 5)
    third = ((Fraction(0), Fraction(2, 3)), (Fraction(1), Fraction(1, 3)))
    passes = [best_of(third, k)[Fraction(1)] for k in counts]
    one_minus = [1 - Fraction(2, 3) ** k for k in counts]
    yield Check("confirmed", "pass@n = 1 - (1-p)^n, counted", passes == one_minus)
    p, s, z = sympy.symbols("p s z", positive=True)
    (solved,) = sympy.solve(p * z / (1 - p + p * z) - s, z)
    yield algebra("one tilt e^lam has a given success rate", solved - s * (1 - p) / (p * (1 - s)))
    yield same_claim("atoms.bernoulli-one-curve", "proved")
    yield same_claim("popular.bon-kl-on-every-law", "refuted")
