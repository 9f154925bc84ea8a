"""Soft Best-of-n: every quantity of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases import functionals
from hedgetheory.reference.cases.curves import GOLDS
from hedgetheory.reference.cases.job import FEWER_DIGITS, Job
from hedgetheory.reference.cases.members import SOFT
from hedgetheory.reference.cases.supports import ATOMS

FINITE_LAWS = (
    "bernoulli(1/4)",
    "finite({0: 1/4, 1/2: 1/4, 1: 1/2})",
    "finite({-1: 1/1048576, 0: 1/2, 3: 524287/1048576})",
)


def jobs(table: str) -> Iterator[Job]:
    if table == "expected_draws":
        yield from (Job(table, policy, "uniform") for policy in SOFT)
    elif table in ("ratio", "cdf", "mass", "quantile"):
        yield from _pointwise(table)
    elif table == "gold":
        for law, policy, gold in product(FINITE_LAWS, SOFT, GOLDS[1:3]):
            yield Job("gold", policy, law, gold=gold, digits=FEWER_DIGITS)
    elif table in functionals.TABLES:
        order = functionals.FEW_ORDERS[-1] if table == "renyi" else None
        for law, policy in product(FINITE_LAWS, SOFT):
            yield Job(table, policy, law, order=order, digits=FEWER_DIGITS)


def _pointwise(table: str) -> Iterator[Job]:
    for law, policy in product(FINITE_LAWS, SOFT):
        if table == "quantile":
            points = [("probability", Fraction(1, 4))]
        else:
            points = [("reward", Fraction(reward)) for reward in ATOMS[law]]
        yield from (Job(table, policy, law, at, digits=FEWER_DIGITS) for at in points)
