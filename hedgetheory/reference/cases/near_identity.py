"""Policies that are nearly the reference: θ that are no power of two.

At n = 1 + 2^−k the textbook ln n − (n−1)/n is lucky: its terms are doubles, and cancel without an
error. An n − 1 of many bits is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases import functionals
from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.cases.members import TINY, members

#: What θ is away from the identity. All are doubles, and so is 1 + each, 1 − each.
NEAR: tuple[Fraction, ...] = (
    Fraction(5, 2**30),
    Fraction(3, 2**40),
    Fraction(1234567, 2**52),
    Fraction(888887, 2**40),
    Fraction(9973, 2**26),
    Fraction(3, 2**51),
)
ABOVE, BELOW = [1 + x for x in NEAR], [1 - x for x in NEAR]
CLOSED = (
    *members("bon({})", ABOVE), *members("bop({})", NEAR), *members("quantile_tilt({})", NEAR),
)  # fmt: skip
BY_RANK = (
    *CLOSED,
    *members("best_of_random(geometric({}))", BELOW[:3]),
    *members("best_of_random(ztp({}))", NEAR[:3]),
    *members("best_of_random(sibuya({}))", BELOW[:3]),
    *members("best_of_random(binomial(3, {}))", NEAR[:3]),
    *members("best_of_random(negative_binomial(3/2, {}))", BELOW[:3]),
)
TILTS = members("tilt({})", NEAR)
LEVELS = (TINY, Fraction(1, 4), 1 - TINY)
ATOMS = ("bernoulli(1/4)", "finite({0: 1/4, 1/2: 1/4, 1: 1/2})", "poisson(3)")
#: law -> a reward of it.
TILTED = {"uniform": Fraction(3, 4), "normal": Fraction(3, 2), "exponential": Fraction(3),
          "bernoulli(1/4)": Fraction(1), "poisson(3)": Fraction(3)}  # fmt: skip


def jobs(table: str) -> Iterator[Job]:
    if table in ("ratio", "cdf", "score"):
        for policy, level in product(BY_RANK, LEVELS):
            yield Job(table, policy, "uniform", ("quantile", level))
        for (law, reward), policy in product(TILTED.items(), TILTS):
            yield Job(table, policy, law, ("reward", reward))
    elif table == "gold":
        for policy, gold in product((*BY_RANK, *TILTS), ("4*u*(1 - u)", "u**12*(1 - u)")):
            yield Job(table, policy, "uniform", gold=gold)
    elif table == "expected_draws":
        yield from (Job(table, policy, "uniform") for policy in BY_RANK)
    elif table in functionals.TABLES:
        # A Rényi divergence has no closed form on the uniform law: a quadrature, twice.
        policies = CLOSED if table == "renyi" else BY_RANK
        order = Fraction(2) if table == "renyi" else None
        for policy in policies:
            yield Job(table, policy, "uniform", order=order)
        for law, policy in product(ATOMS, BY_RANK):
            yield Job(table, policy, law, order=order)
        for law, policy in product(TILTED, TILTS):
            yield Job(table, policy, law, order=order)
