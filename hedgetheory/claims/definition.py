"""Definition 1 on the paper's example."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sympy import Rational, S, Symbol, diff, log, sqrt, together

from hedgetheory.claims.checks import certified, identity, integral_is, of_step
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.claims.statements import BON, RECONSTRUCTED
from hedgetheory.expressions.prover import positive as sign
from hedgetheory.expressions.symbols import n, u


@claim(
    "paper.definition-1",
    "Definition 1: g = u^12 (1-u) is hacked under BoN, beyond n = sqrt(156)",
    "f(n) = n/((n+12)(n+13)) strictly increases up to n = sqrt(156) and strictly decreases beyond, "
    "while E[U] and KL strictly increase on the whole of n > 1: inference-time reward hacking with "
    "threshold sqrt(156) (the least theta† beyond which f decreases).",
    hypotheses=("g(u) = u^12 (1-u) up to a positive factor", "real n > 1, a law without atoms"),
    source=f"{RECONSTRUCTED}: Definition 1",
)
def definition_1() -> Iterator[Evidence]:
    yield from hacking_steps(Rational(156))


def hacking_steps(square: Rational) -> Iterator[Evidence]:
    """f′ has the sign of square − n²; KL and E[U] increase."""
    value = n / (n + 12) - n / (n + 13)
    yield from integral_is(
        "f(n) = E_n[u^12 (1-u)] = n/((n+12)(n+13))",
        u**12 * (1 - u) * BON.ratio,
        n * (u ** (n + 12) / (n + 12) - u ** (n + 13) / (n + 13)),
        value,
        {S.Zero: S.Zero},
    )
    common = ((n + 12) * (n + 13)) ** 2
    yield from identity(
        f"f'(n) ((n+12)(n+13))^2 = {square} - n^2", diff(value, n) * common - (square - n**2)
    )
    s, root = Symbol("s", positive=True), sqrt(square)
    before, beyond = square - (root / (1 + s)) ** 2, (root + s) ** 2 - square
    yield of_step(sign("square - n^2 > 0 for n = root/(1+s), s > 0", together(before)))
    yield of_step(sign("n^2 - square > 0 for n = root + s, s > 0", beyond.expand()))
    yield of_step(sign("E[U] = n/(n+1) strictly increases", together(diff(n / (n + 1), n))))
    kl = log(n) - (n - 1) / n
    yield of_step(sign("KL strictly increases for n > 1", together(diff(kl, n))))
    yield words("So f decreases beyond the root and on no larger half-line, and proxy and KL grow.")


@claim(
    "paper.definition-1-tie",
    "The example's best integers tie: n = 12 and n = 13",
    "f(12) = f(13) = 1/50 exactly, larger than f at every other integer.",
    hypotheses=("g(u) = u^12 (1-u)", "integer n >= 1, a law without atoms", "paper.definition-1"),
    source="this project",
    expected="certified",
)
def tie() -> Iterator[Evidence]:
    values = {k: Fraction(k, (k + 12) * (k + 13)) for k in (11, 12, 13, 14)}
    yield certified(
        "f(12) = f(13) = 1/50",
        "rational arithmetic",
        values[12] == values[13] == Fraction(1, 50),
        values={str(k): str(v) for k, v in values.items()},
    )
    yield certified(
        "f(11) < f(12) and f(14) < f(13)",
        "rational arithmetic",
        values[11] < values[12] and values[14] < values[13],
    )
    yield certified("12 < sqrt(156) < 13", "squares", 12**2 < 156 < 13**2)
    yield words("f increases before sqrt(156) and decreases after: other integers are smaller.")


CLAIMS: tuple[Claim, ...] = (definition_1, tie)
