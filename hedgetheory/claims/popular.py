"""Popular false claims: formulas of continuous laws used on every law."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from hedgetheory.claims.atoms import bon_kl, bon_win_rate, continuous_kl
from hedgetheory.claims.checks import as_json, witness
from hedgetheory.claims.model import Claim, Evidence, claim
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


CLAIMS: tuple[Claim, ...] = (bon_kl_on_every_law, win_rate_on_every_law)
