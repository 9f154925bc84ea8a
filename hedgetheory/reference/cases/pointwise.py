"""Quantities at a point: density, ratio, mass, cdf, quantile, score."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.cases.members import (
    CORE,
    FINITE_CORE,
    RANK,
    SATURATED,
    SMALL,
    THREE,
    TILT,
    TINY,
)
from hedgetheory.reference.cases.supports import ATOMS, CONTINUOUS, LAWS

TABLES = ("density", "ratio", "cdf", "mass", "quantile", "score")
LEVELS = (TINY, Fraction(1, 2**10), Fraction(1, 4), Fraction(3, 4), 1 - Fraction(1, 2**10),
          1 - TINY)  # fmt: skip
FEW_LEVELS = (Fraction(1, 4), 1 - SMALL)


def jobs(table: str) -> Iterator[Job]:
    if table not in TABLES:
        return
    for job in (*_by_rank(table), *_on_every_law(table)):
        # A law of draws that is a table of masses has no parameter to take a score in.
        by_masses = "(finite(" in job.policy
        lost = job.law in ATOMS and job.policy in SATURATED
        if not (table == "score" and (by_masses or lost)):
            yield job


def _by_rank(table: str) -> Iterator[Job]:
    """Every rank policy at quantiles of the uniform law, where the law does not matter."""
    for policy, level in product(RANK, LEVELS):
        if table == "quantile":
            yield Job(table, policy, "uniform", ("probability", level))
        elif table not in ("mass", "density"):
            yield Job(table, policy, "uniform", ("quantile", level))


def _on_every_law(table: str) -> Iterator[Job]:
    for law, every in LAWS.items():
        trivial = (table == "density" and law in ATOMS) or (table == "mass" and law in CONTINUOUS)
        if trivial:
            yield from (Job(table, each, law, ("reward", Fraction(every[0]))) for each in THREE)
            continue
        policies = (*_members_on(law), *tilts_on(law, table))
        if table == "quantile":
            for policy, level in product(policies, FEW_LEVELS):
                yield Job(table, policy, law, ("probability", level))
            continue
        rewards = every[1:3] if table == "score" and len(every) > 2 else every
        for policy, reward in product(policies, rewards):
            yield Job(table, policy, law, ("reward", Fraction(reward)))


def _members_on(law: str) -> tuple[str, ...]:
    """The rank policies asked on a law: with atoms each sees another law, so that all are."""
    return FINITE_CORE if law in ATOMS else CORE


def tilts_on(law: str, table: str) -> tuple[str, ...]:
    """The tilts asked on a law: fewer where each is an integral, none where a search of them is."""
    if not law.startswith(_INTEGRALS):
        return TILT
    return TILT[:1] if table == "quantile" else TILT[2:8]


_INTEGRALS = ("beta", "weibull(2", "mixture", "gamma", "gumbel", "logistic", "laplace")
