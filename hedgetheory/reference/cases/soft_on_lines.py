"""Soft Best-of-n on laws with a density, and its slopes, scores and peaks on every law."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases import functionals
from hedgetheory.reference.cases.job import FEWER_DIGITS, Job
from hedgetheory.reference.cases.members import TINY
from hedgetheory.reference.cases.soft import FINITE_LAWS
from hedgetheory.reference.cases.supports import ATOMS

#: (draws, λ): easy and hard, near the reference (λ → 0, n → 1), towards Best-of-n (λ → ∞), a real
#: number of draws, and so many that Γ(n) overflows.
ON_UNIFORM = (
    "sbon(2, 1)", "sbon(2, 8)", "sbon(3, 2)", "sbon(4, 2)", "sbon(16, 5)", "sbon(16, 24)",
    "sbon(8, 64)", "sbon(8, 1/2)", "sbon(3, 1/1024)", "sbon(3, 1/1048576)", "sbon(5/2, 2)",
    "sbon(1025/1024, 2)", "sbon(64, 20)", "sbon(172, 1)", "sbon(1024, 16)",
)  # fmt: skip
ON_LINES = ("sbon(2, 1)", "sbon(4, 1/2)")
#: law -> rewards asked of it, none for those where a value takes long.
LINES: dict[str, tuple[Fraction | int, ...]] = {
    "normal": (-1, Fraction(3, 2)),
    "exponential": (Fraction(1, 2), 3),
    "logistic": (-1, 2),
    "gumbel": (-1, 2),
    "laplace": (-1, 2),
    "gamma(3)": (1, 4),
    "beta(2, 3)": (Fraction(1, 4), Fraction(3, 4)),
    "weibull(2)": (Fraction(1, 2), 2),
    "mixture({normal(0, 1): 3/4, normal(3, 1/2): 1/4})": (0, 2),
}
UNIFORM_REWARDS = (TINY, Fraction(1, 4), Fraction(3, 4), 1 - TINY)
GOLDS = ("4*u*(1 - u)", "u**12*(1 - u)")
#: There what depends on the reward has no second method that ends.
ON_QUANTILE = ("sbon(4, 2, scale=quantile)", "sbon(16, 24, scale=quantile)")
#: Families with a peak that check finds, and laws where they have none. A family along λ on the
#: uniform law takes a minute each.
PEAKS = (
    ("sbon(n=8)", "uniform", GOLDS[1]),
    ("sbon(n=16)", "uniform", GOLDS[1]),
    ("sbon(n=32)", "uniform", GOLDS[1]),
    ("sbon(lam=20)", "uniform", GOLDS[1]),
    ("sbon(lam=20)", "uniform", GOLDS[0]),
    ("sbon(lam=3)", "uniform", GOLDS[1]),
    *((f"sbon(n={n})", law, gold) for n, law, gold in product(
        (2, 4, 16), FINITE_LAWS, (GOLDS[0], "where(u < 1/2, 0, where(u < 7/8, 2, 1))"))),
)  # fmt: skip


def jobs(table: str) -> Iterator[Job]:
    if table == "first_peak":
        for family, law, gold in PEAKS:
            yield Job(table, family, law, gold=gold, digits=FEWER_DIGITS)
    elif table == "slope":
        yield from _slopes()
    elif table in ("ratio", "density", "cdf", "score", "score_strength"):
        yield from _pointwise(table)
    elif table == "quantile":
        for policy, law in _pairs():
            for level in (Fraction(1, 4), Fraction(1023, 1024)):
                yield Job(table, policy, law, ("probability", level), digits=FEWER_DIGITS)
    elif table in functionals.TABLES:
        order = functionals.FEW_ORDERS[-1] if table == "renyi" else None
        for policy, law in _pairs():
            if table != "mean_reward" or "scale" not in policy:
                yield Job(table, policy, law, order=order, digits=FEWER_DIGITS)
    elif table == "gold":
        for (policy, law), gold in product(_pairs(), (*GOLDS, "tanh(r)")):
            if "r" not in gold or "scale" not in policy:
                yield Job(table, policy, law, gold=gold, digits=FEWER_DIGITS)


def _pairs() -> Iterator[tuple[str, str]]:
    yield from product(ON_UNIFORM, ("uniform",))
    # The laws outside, so that what is known of one is used again.
    for law in LINES:
        yield from product(ON_LINES, (law,))
    yield from product(("sbon(16, 1)",), ("normal", "exponential", "beta(2, 3)"))
    yield from product(ON_QUANTILE, ("normal",))


def _pointwise(table: str) -> Iterator[Job]:
    for policy, law in _pairs():
        if table == "score_strength" and "scale" in policy:
            continue
        rewards = UNIFORM_REWARDS if law == "uniform" else LINES[law]
        for reward in rewards:
            yield Job(table, policy, law, ("reward", Fraction(reward)), digits=FEWER_DIGITS)
    if table.startswith("score"):
        for law, policy in product(FINITE_LAWS, ("sbon(2, 1)", "sbon(4, 2)", "sbon(16, 5)")):
            for reward in ATOMS[law] if table == "score_strength" else ():
                yield Job(table, policy, law, ("reward", Fraction(reward)), digits=FEWER_DIGITS)


def _slopes() -> Iterator[Job]:
    for policy, gold in product(ON_UNIFORM, GOLDS):
        yield Job("slope", policy, "uniform", gold=gold, digits=FEWER_DIGITS)
    # Between the peak by the marginal covariance and the true one: there it has the wrong sign.
    for policy in ("sbon(8, 40)", "sbon(16, 22)", "sbon(16, 25)", "sbon(32, 17)"):
        yield Job("slope", policy, "uniform", gold=GOLDS[1], digits=FEWER_DIGITS)
    for policy, gold in product(ON_LINES, ("tanh(r)", GOLDS[1])):
        yield Job("slope", policy, "normal", gold=gold, digits=FEWER_DIGITS)
    for law, policy, gold in product(
        FINITE_LAWS, ("sbon(2, 1)", "sbon(4, 2)", "sbon(16, 5)"), GOLDS
    ):
        yield Job("slope", policy, law, gold=gold, digits=FEWER_DIGITS)
