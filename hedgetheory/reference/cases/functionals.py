"""Divergences and means: what is an integral over the whole law."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.cases.members import FINITE_CORE, RANK, THREE, TILT, TINY
from hedgetheory.reference.cases.pointwise import tilts_on
from hedgetheory.reference.cases.supports import ATOMS, CONTINUOUS

MEANS = ("mean_reward", "mean_quantile", "win_rate")
TABLES = ("kl", "chi2", "renyi", "total_variation", *MEANS)
#: Order 1 is the KL divergence, in a table of its own.
ORDERS = (TINY, Fraction(1, 2), Fraction(2), Fraction(16))
FEW_ORDERS = (Fraction(1, 2), Fraction(3))
#: Laws, members and tilts of which means are asked.
MEAN_LAWS = (
    "normal", "normal(2, 1/2)", "exponential", "logistic", "lognormal", "pareto(3)", "pareto(7/8)",
    "student_t(1)",
)  # fmt: skip
MEAN_MEMBERS = ("bon(1)", "bon(5/2)", "best_of_random(sibuya(3/4))")
MEAN_TILTS = ("tilt(1/2)", "tilt(1)")


def jobs(table: str) -> Iterator[Job]:
    if table not in TABLES:
        return
    orders: tuple[Fraction | None, ...] = (None,)
    few = orders
    if table == "renyi":
        orders, few = ORDERS, FEW_ORDERS
    # Without a closed form each is a quadrature, twice: a third of the members is asked.
    for policy, order in product(RANK[::3] if table == "renyi" else RANK, orders):
        yield Job(table, policy, "uniform", order=order)
    for law in ATOMS:
        wide = law.startswith("poisson") and table not in ("kl", "chi2", "total_variation")
        # A Poisson law tilted by 8 has its mass on a hundred thousand atoms.
        for policy, order in product((*FINITE_CORE, *(TILT[:8] if wide else TILT)), few):
            yield Job(table, policy, law, order=order)
    # Without atoms a divergence is the same on every law: three members show whether it is. Means
    # are integrals of each law, and expensive: fewer laws and members.
    for law in MEAN_LAWS if table in MEANS else CONTINUOUS:
        members = (*MEAN_MEMBERS, *THREE) if table in MEANS else THREE
        tilts = MEAN_TILTS if table in MEANS else tilts_on(law, table)
        for policy, order in product((*members, *tilts), few):
            yield Job(table, policy, law, order=order)
