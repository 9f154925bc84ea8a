"""Popular false claims: formulas of continuous laws used on every law."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import sympy

from hedgetheory.claims.atoms import bon_kl, bon_win_rate, continuous_kl
from hedgetheory.claims.checks import as_json, certified, identity, witness
from hedgetheory.claims.model import Claim, Evidence, claim
from hedgetheory.expressions.symbols import n
from hedgetheory.laws.finite import Bernoulli
from hedgetheory.numerics.ball import precision


@claim(
    "popular.bon-kl-on-every-law",
    "KL of Best-of-n is ln n - (n-1)/n on every law",
    "KL(BoN||ref) = ln n - (n-1)/n for every n, whatever the law of the proxy reward.",
    hypotheses=("any law, atoms included",),
    source="widely used; refuted by Beirami et al., arXiv 2401.01879",
    expected="refuted",
)
def bon_kl_on_every_law() -> Iterator[Evidence]:
    law = Bernoulli("1/2")
    with precision(200):
        kl, formula = bon_kl(law, 2), continuous_kl(2)
    yield witness(
        "bernoulli(1/2), n = 2: the KL is smaller",
        "balls",
        kl < formula,
        kl=as_json(kl),
        formula=as_json(formula),
    )


@claim(
    "popular.win-rate-on-every-law",
    "The win rate of Best-of-n is n/(n+1) on every law, ties one half",
    "P(win) + P(tie)/2 of BoN against one reference draw is n/(n+1), whatever the law.",
    hypotheses=("any law, atoms included",),
    source="widely used",
    expected="refuted",
)
def win_rate_on_every_law() -> Iterator[Evidence]:
    rate = bon_win_rate(Bernoulli("1/2"), 2)
    yield witness(
        f"bernoulli(1/2), n = 2: the win rate is {rate}, not 2/3",
        "rational arithmetic",
        rate != Fraction(2, 3),
        win_rate=str(rate),
    )


@claim(
    "popular.round-the-threshold",
    "The best integer n is the threshold rounded",
    "Under BoN with a single-peaked f, the best integer n is the real threshold n† rounded to the "
    "nearest integer.",
    hypotheses=("g as in paper.corollary-1", "f single-peaked with threshold n†"),
    source="common practice",
    expected="refuted",
)
def round_the_threshold() -> Iterator[Evidence]:
    # g = u^a (1−u): f = n/((n+a)(n+a+1)), whose slope has the sign of a(a+1) − n².
    a = sympy.Symbol("a", positive=True)
    value = n / ((n + a) * (n + a + 1))
    slope = sympy.diff(value, n) * ((n + a) * (n + a + 1)) ** 2
    yield from identity("f' ((n+a)(n+a+1))^2 = a(a+1) - n^2", slope - (a * (a + 1) - n**2))
    power = Fraction(2401, 200)
    square = power * (power + 1)
    yield certified(
        "a = 2401/200: 12 < n† = sqrt(a(a+1)) < 12.5, which rounds to 12",
        "squares",
        12**2 < square < Fraction(25, 2) ** 2,
    )
    values = {k: Fraction(k) / ((k + power) * (k + power + 1)) for k in (12, 13)}
    yield witness(
        "g = u^(2401/200) (1-u): f(13) > f(12)",
        "rational arithmetic",
        values[13] > values[12],
        values={str(k): str(v) for k, v in values.items()},
    )


CLAIMS: tuple[Claim, ...] = (bon_kl_on_every_law, win_rate_on_every_law, round_the_threshold)
