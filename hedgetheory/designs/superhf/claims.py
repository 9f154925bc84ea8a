"""Claims on SuperHF."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from hedgetheory.claims.checks import identity
from hedgetheory.claims.model import Claim, Evidence, claim, words
from hedgetheory.designs.superhf.policy import next_cdf
from hedgetheory.expressions.symbols import beta, n, u

PAPER = "arXiv 2310.16763"


@claim(
    "superhf.one-round-keeps-the-threshold",
    "One round of SuperHF has the hacking threshold of Best-of-n",
    "With one round, E[g] = (f(n) + beta f(1))/(1 + beta) with f that of Best-of-n: every extremum "
    "in n is at the same place, and its distance from f(1) is divided by 1 + beta.",
    hypotheses=("beta > 0", "any law", "E[g] finite under Best-of-n and the reference"),
    source=f"this project, on {PAPER}",
)
def one_round_keeps_the_threshold() -> Iterator[Evidence]:
    mixture = (u**n + beta * u) / (1 + beta)
    yield from identity("G after one round is (u^n + beta u)/(1 + beta)", next_cdf(u) - mixture)
    yield words(
        "E[g] is linear in the law, and u^n, u are the rank cdfs of Best-of-n and the reference, "
        "atoms or not: f' is multiplied by 1/(1 + beta) > 0."
    )


CLAIMS: tuple[Claim, ...] = (one_round_keeps_the_threshold,)

#: The statement from which policy and claims are derived.
STATEMENT = sympy.Eq(sympy.Function("G_next")(u), next_cdf(sympy.Function("G")(u)))
