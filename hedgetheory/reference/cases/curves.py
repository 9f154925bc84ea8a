"""Gold curves, their thresholds, the gap between Best-of-Poisson and the tilt, and draws."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hedgetheory.reference.cases.job import Job
from hedgetheory.reference.cases.members import (
    BOTH_WAYS,
    FINITE_CORE,
    HUGE,
    RANK,
    SMALL,
    THREE,
    TILT,
    TINY,
)
from hedgetheory.reference.cases.supports import ATOMS

GOLDS = (
    "u", "4*u*(1 - u)", "u**12*(1 - u)", "1 - u**3", "sqrt(u)", "exp(-2*u)", "u*sin(8*u)",
    "where(u < 1/2, u, 1 - u)", "u**40 - u**41",
)  # fmt: skip
RANK_GOLDS = GOLDS[1:8:2]
REWARD_GOLDS = ("tanh(r)", "exp(-r**2)", "r - r**2/8")
#: Laws on which gold in the reward is asked.
REWARD_GOLD_LAWS = ("uniform", "normal", "exponential")
#: Thresholds: gold curves with one peak, with none, and those whose integers tie or mislead.
PEAKED = (
    *(f"u**{a}*(1 - u)" for a in (1, 2, 3, 5, 8, 12, 13, 20, 50, 100, 1000)),
    *(f"u**{a}*(1 - u)**{b}" for a in (1, 2, 4, 9) for b in (2, 3, 6)),
    "u**(2401/200)*(1 - u)", "u**(1/2)*(1 - u)", "4*u*(1 - u)", "u - u**2/2", "u - 3*u**3/4",
    "u", "1 - u", "u**2 - u**8192", "u/1048576 - u**2/1048576", "1048576*u**3*(1 - u)",
)  # fmt: skip
GAP_LAWS = (
    "uniform", "exponential", "bernoulli(1/4)", "finite({0: 1/4, 1/2: 1/4, 1: 1/2})",
)  # fmt: skip
GAP_DRAWS: tuple[Fraction | int, ...] = (TINY, SMALL, *BOTH_WAYS[3:12], 1024, 2**20, HUGE)


def jobs(table: str) -> Iterator[Job]:
    match table:
        case "gold":
            yield from _gold()
        case "expected_draws":
            yield from (Job(table, policy, "uniform") for policy in RANK)
        case "threshold":
            yield from _thresholds()
        case "gap" | "gap_strength":
            for law, mu in product(GAP_LAWS, GAP_DRAWS):
                # There the gap of a bounded law with atoms is below 10^−300 of its terms.
                if not (law.startswith("finite") and mu > 100):
                    yield Job(table, f"bop({mu})", law)


def _gold() -> Iterator[Job]:
    for policy, gold in product(RANK[::3], RANK_GOLDS):
        yield Job("gold", policy, "uniform", gold=gold)
    for law in ATOMS:
        for policy, gold in product((*FINITE_CORE, *TILT[:8]), GOLDS[1:3]):
            yield Job("gold", policy, law, gold=gold)
    for law, gold in product(REWARD_GOLD_LAWS, REWARD_GOLDS):
        for policy in (*THREE, "tilt(1/2)"):
            yield Job("gold", policy, law, gold=gold)


def _thresholds() -> Iterator[Job]:
    yield from (Job("threshold", "bon", "uniform", gold=gold) for gold in PEAKED)
    # Powers of a thousand cost a minute each in the other families.
    moderate = [gold for gold in PEAKED if "8192" not in gold and "1000" not in gold]
    for family, gold in product(("bop", "quantile_tilt"), moderate):
        yield Job("threshold", family, "uniform", gold=gold)
