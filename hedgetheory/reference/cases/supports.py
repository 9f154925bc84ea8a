"""The laws that are asked, each with the rewards asked of it."""

from __future__ import annotations

from fractions import Fraction

from hedgetheory.reference.cases.members import HUGE, TINY

#: law -> rewards asked of it: its ends where it has them, the bulk, and far out.
CONTINUOUS: dict[str, tuple[Fraction | int, ...]] = {
    "uniform": (0, TINY, Fraction(1, 4), Fraction(3, 4), 1 - TINY, 1),
    "normal": (-8, -1, 0, Fraction(3, 2), 8, 30),
    "normal(2, 1/2)": (0, 2, Fraction(13, 4)),
    "normal(0, 1099511627776)": (-HUGE, 0, 3 * HUGE),
    "exponential": (0, TINY, Fraction(1, 2), 3, 50),
    "exponential(1/1048576)": (1, 2**20, 2**24),
    "logistic": (-40, -1, 0, 2, 40),
    "gumbel": (-4, -1, 0, 2, 40),
    "laplace": (-40, -1, 0, 2, 40),
    "beta(2, 3)": (TINY, Fraction(1, 4), Fraction(3, 4), 1 - TINY),
    "beta(1/2, 1/2)": (TINY, Fraction(1, 4), 1 - TINY),
    "gamma(5/2)": (TINY, 1, 4, 60),
    "gamma(1/2, 2)": (TINY, Fraction(1, 4), 8),
    "lognormal": (TINY, Fraction(1, 2), 1, 4, 2**20),
    "lognormal(0, 1/4)": (Fraction(1, 2), 1, 2),
    "pareto(3)": (1, 1 + TINY, 2, 2**20),
    "pareto(7/8)": (1, 2, 2**40),
    "student_t(3)": (-(2**20), -1, 0, 2, 2**20),
    "student_t(1)": (-1, 0, 2, 2**40),
    "weibull(2)": (TINY, 1, 3, 6),
    "weibull(1/2)": (TINY, 1, 100),
    "mixture({normal(0, 1): 3/4, normal(3, 1/2): 1/4})": (-2, 0, 2, 5),
}
#: law -> atoms asked of it.
ATOMS: dict[str, tuple[Fraction | int, ...]] = {
    "bernoulli(1/2)": (0, 1),
    "bernoulli(1/4)": (0, 1),
    "bernoulli(1/1048576)": (0, 1),
    "bernoulli(1048575/1048576)": (0, 1),
    "finite({0: 1/4, 1/2: 1/4, 1: 1/2})": (0, Fraction(1, 2), 1),
    "finite({-1: 1/1048576, 0: 1/2, 3: 524287/1048576})": (-1, 0, 3),
    "finite({0: 1/8, 1: 1/8, 2: 1/8, 3: 1/8, 4: 1/8, 5: 1/8, 6: 1/8, 7: 1/8})": (0, 3, 7),
    "poisson(3)": (0, 3, 20),
    "poisson(1/1024)": (0, 1, 5),
    "poisson(64)": (0, 64, 200),
    "geometric(1/4)": (1, 4, 100),
    "geometric(1/2)": (1, 2, 40),
}
LAWS = {**CONTINUOUS, **ATOMS}
