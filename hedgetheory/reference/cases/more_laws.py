"""Means, gold in the reward, and gaps on every law of the grammar, with few members each."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases.curves import REWARD_GOLDS
from hedgetheory.reference.cases.functionals import MEAN_MEMBERS, MEAN_TILTS, MEANS
from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.cases.members import CORE, THREE, TINY
from hedgetheory.reference.cases.supports import ATOMS, CONTINUOUS

#: On laws with atoms: orders near the ends, of the members that are asked on every law.
ORDERS = (TINY, Fraction(16))
GAP_LAWS = (
    "normal", "normal(2, 1/2)", "exponential(1/1048576)", "logistic", "gumbel", "laplace",
    "gamma(5/2)", "gamma(1/2, 2)", "beta(2, 3)", "beta(1/2, 1/2)", "bernoulli(1/2)",
    "bernoulli(1/1048576)", "finite({-1: 1/1048576, 0: 1/2, 3: 524287/1048576})",
)  # fmt: skip
GAP_DRAWS = (Fraction(1, 2**20), Fraction(1, 8), 1, 5, 30)


def jobs(table: str) -> Iterator[Job]:
    if table in MEANS:
        for law, policy in product(CONTINUOUS, (*MEAN_MEMBERS, *THREE, *MEAN_TILTS)):
            yield Job(table, policy, law)
    elif table == "gold":
        for law, gold in product(CONTINUOUS, REWARD_GOLDS):
            if (law, gold) == ("normal(0, 1099511627776)", "exp(-r**2)"):
                continue  # a bump of width 1 on 2^40: the estimate that checks it has 18 digits
            yield from (Job(table, policy, law, gold=gold) for policy in (*THREE, "tilt(1/2)"))
        for law, policy, gold in product(ATOMS, THREE, REWARD_GOLDS):
            yield Job(table, policy, law, gold=gold)
    elif table == "renyi":
        for law, policy, order in product(ATOMS, CORE, ORDERS):
            yield Job(table, policy, law, order=order)
    elif table in ("gap", "gap_strength"):
        for law, mu in product(GAP_LAWS, GAP_DRAWS):
            yield Job(table, f"bop({mu})", law)
