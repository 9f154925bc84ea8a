"""The policies that are asked, their parameters dyadic and from 2⁻⁴⁰ to 2⁴⁰."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

TINY, SMALL, HUGE = Fraction(1, 2**40), Fraction(1, 2**20), Fraction(2**40)


def members(pattern: str, values: Sequence[Fraction | int]) -> tuple[str, ...]:
    return tuple(pattern.format(_exact(Fraction(value))) for value in values)


def _exact(value: Fraction) -> str:
    return str(value)


BOTH_WAYS: tuple[Fraction | int, ...] = (
    TINY, Fraction(1, 2**30), SMALL, Fraction(1, 2**10), Fraction(1, 8), Fraction(1, 2), 1, 2, 5,
    10, 30, 100, 709, 710, 1024, 2**15, 2**20, 2**30, HUGE,
)  # fmt: skip
DRAW_NUMBERS: tuple[Fraction | int, ...] = (
    1, 1 + TINY, 1 + SMALL, 1 + Fraction(1, 2**10), Fraction(3, 2), 2, Fraction(5, 2), 3, 4, 8, 16,
    100, 171, 172, 1024, 2**20, 2**30, HUGE,
)  # fmt: skip
BEST_OF_N = members("bon({})", DRAW_NUMBERS)
BEST_OF_POISSON = members("bop({})", (0, *BOTH_WAYS))
QUANTILE_TILT = members("quantile_tilt({})", (0, *BOTH_WAYS))
RANDOM_DRAWS = tuple(
    f"best_of_random({draws})"
    for draws in (
        *members("geometric({})", (TINY, SMALL, Fraction(1, 8), Fraction(1, 2),
                                    1 - Fraction(1, 2**10), 1 - TINY, 1)),
        "binomial(4, 1/2)", "binomial(16, 1/4)", "binomial(2, 1/1048576)", "binomial(64, 1)",
        "negative_binomial(2, 1/2)", "negative_binomial(1/2, 1/4)",
        "negative_binomial(5/2, 1/1048576)",
        "sibuya(1/2)", "sibuya(3/4)", "sibuya(1/8)", "sibuya(1)",
        "ztp(3)", "ztp(1/1099511627776)", "ztp(1024)",
        "finite({1: 1/2, 3: 1/2})", "finite({2: 1/4, 5: 3/4})", "finite({1: 1/4, 2: 1/4, 64: 1/2})",
    )
)  # fmt: skip
RANK = (*BEST_OF_N, *BEST_OF_POISSON, *QUANTILE_TILT, *RANDOM_DRAWS)
#: The members that are asked on every law.
CORE = (
    "bon(1)", "bon(4)", "bon(5/2)", "bon(1048577/1048576)", "bon(1024)",
    "bop(5)", "bop(1/1048576)", "bop(1024)", "quantile_tilt(3)", "quantile_tilt(1/1048576)",
    "best_of_random(geometric(1/4))", "best_of_random(sibuya(3/4))",
)  # fmt: skip
THREE = ("bon(4)", "bop(5)", "quantile_tilt(3)")
#: The members that are asked on every law with atoms, where each sees another rank cdf.
FINITE_CORE = (
    *CORE, "bon(2)", "bon(8)", "bon(128)", "bon(1048576)", "bon(1099511627777/1099511627776)",
    "bop(0)", "bop(1/2)", "bop(30)", "bop(1048576)", "bop(1/1099511627776)", "quantile_tilt(1)",
    "quantile_tilt(30)", "quantile_tilt(1024)", "best_of_random(geometric(1/1048576))",
    "best_of_random(binomial(4, 1/2))", "best_of_random(negative_binomial(2, 1/2))",
    "best_of_random(finite({1: 1/2, 3: 1/2}))",
)  # fmt: skip
TILT = members("tilt({})", (0, TINY, SMALL, Fraction(1, 8), Fraction(1, 2), Fraction(3, 4), 1, 2,
                             8, 64, 1024, 2**20))  # fmt: skip
#: With atoms their scores cancel below 10^−300: the second method has no digits of them.
SATURATED = {
    "bon(128)", "bon(1024)", "bop(1024)", "quantile_tilt(1024)", "tilt(1024)", "tilt(1048576)",
}  # fmt: skip
SOFT = (
    "sbon(1, 2)", "sbon(2, 0)", "sbon(2, 1)", "sbon(4, 2)", "sbon(16, 5)", "sbon(3, 1/1024)",
    "sbon(4, 64)", "sbon(8, 1/2)",
)  # fmt: skip
