"""SuperHF in one place."""

from __future__ import annotations

from fractions import Fraction

import sympy

from hedgetheory.designs.model import Function, System
from hedgetheory.designs.superhf.claims import CLAIMS, STATEMENT
from hedgetheory.designs.superhf.draws import draws_pmf, expected_leaves
from hedgetheory.designs.superhf.policy import PAPER


def _leaves(n: Fraction, beta: Fraction, rounds: Fraction, count: Fraction) -> sympy.Expr:
    mass = draws_pmf(int(n), beta, int(rounds)).get(int(count), Fraction(0))
    return sympy.Rational(mass.numerator, mass.denominator)


def _mean(n: Fraction, beta: Fraction, rounds: Fraction) -> sympy.Expr:
    mean = expected_leaves(n, beta, int(rounds))
    return sympy.Rational(mean.numerator, mean.denominator)


SUPERHF = System(
    id="superhf",
    title="SuperHF: filter the best, imitate, stay near the prior",
    source=PAPER,
    kind="policy",
    definition="population rounds p <- (BoN_n[p] + beta p0)/(1 + beta) from the reference p0",
    statement=STATEMENT,
    claims=CLAIMS,
    effect="superhf.one-round-keeps-the-threshold",
    effect_says="one round: that of Best-of-n; the gain at the peak divided by 1 + beta",
    grammar=("superhf(n=32, beta=0.23)", "superhf(n=4, beta=0.23, rounds=3)"),
    functions=(
        Function(
            "superhf_draws",
            ("n", "beta", "rounds", "count"),
            _leaves,
            "P(N = count), N the number of leaves of the random tree of draws",
        ),
        Function(
            "superhf_mean_draws",
            ("n", "beta", "rounds"),
            _mean,
            "E[N], the mean number of draws after the rounds",
        ),
    ),
)
