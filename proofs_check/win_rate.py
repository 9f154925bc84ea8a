"""The win rate of Best-of-n against one reference draw, ties one half, is n/(n+1) without atoms.

The selected quantile has density n x^{n-1} and beats an independent uniform with probability x.
With atoms the win rate is E[(F(R)+F(R-))/2]: counted here by enumerating every outcome of n + 1
draws, and strictly below n/(n+1), since on an atom's interval (a,b) of middle m an increasing w
has ∫ x w > m ∫ w: with y = m + h, y' = m - h, the pair adds h (w(y) - w(y')) > 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import sympy

from proofs_check.tools import Atoms, Check, Verdict, algebra, best_of, same_claim

ID = "atoms.win-rate-below-continuous"
EXPECTED: Verdict = "proved"

LAWS: tuple[Atoms, ...] = (
    ((Fraction(0), Fraction(1, 2)), (Fraction(1), Fraction(1, 2))),
    ((Fraction(-1), Fraction(1, 6)), (Fraction(0), Fraction(1, 3)), (Fraction(5), Fraction(1, 2))),
)


def counted(law: Atoms, draws: int) -> Fraction:
    """P(win) + P(tie)/2 by enumeration of all outcomes of the draws and the reference."""
    rate = Fraction(0)
    for *mine, (other, mass) in product(law, repeat=draws + 1):
        probability = mass
        for _, part in mine:
            probability *= part
        best = max(value for value, _ in mine)
        rate += probability * (1 if best > other else Fraction(best == other, 2))
    return rate


def by_formula(law: Atoms, draws: int) -> Fraction:
    """E[(F(R) + F(R−))/2] under the enumerated law of the best."""
    rate, below = Fraction(0), Fraction(0)
    for (_, mass), selected in zip(law, best_of(law, draws).values(), strict=True):
        rate += selected * (below + mass / 2)
        below += mass
    return rate


def checks() -> Iterator[Check]:
    from hedgetheory.claims.atoms import bon_win_rate
    from hedgetheory.laws.finite import Finite

    x, n, m, h = sympy.symbols("x n m h", positive=True)
    yield algebra("∫ x n x^{n-1} = n/(n+1)", sympy.integrate(n * x**n, (x, 0, 1)) - n / (n + 1))
    up, down = sympy.symbols("w_up w_down", real=True)
    pair = (m + h) * up + (m - h) * down - m * (up + down)
    yield algebra("a pair m ± h adds h (w(m+h) - w(m-h))", pair - h * (up - down))
    slope = sympy.diff(n * x ** (n - 1), x) / x ** (n - 2)
    yield algebra("w' = n(n-1) x^{n-2} > 0 for n > 1", slope - n * (n - 1))
    for law in LAWS:
        for draws in (1, 2, 3, 4):
            count, formula = counted(law, draws), by_formula(law, draws)
            theirs = bon_win_rate(Finite(dict(law)), draws)
            says = f"{len(law)} atoms, n = {draws}: {count}"
            yield Check("confirmed", f"{says}, counted = formula", count == formula)
            below = count < Fraction(draws, draws + 1) or draws == 1
            yield Check("confirmed", f"{says}, below n/(n+1)", below)
            yield Check("same", f"{says}, the package's value", theirs == count)
    yield same_claim(ID, EXPECTED)
    yield same_claim("divergence.win-rate", "proved")
    yield same_claim("popular.win-rate-on-every-law", "refuted")
