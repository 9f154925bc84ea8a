"""What an ensemble makes of its members' rewards: mean, median, min, mean − c·std, mean − c·var."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

import sympy

from hedgetheory.errors import InputError, must_be, nearest
from hedgetheory.exact import RealInput, rational

MAX_MEMBERS = 1000


def mean(rewards: Sequence[Fraction]) -> Fraction:
    return sum(rewards, Fraction(0)) / len(rewards)


def median(rewards: Sequence[Fraction]) -> Fraction:
    """The middle one, the mean of the two middle ones of an even number."""
    ordered, half = sorted(rewards), len(rewards) // 2
    return ordered[half] if len(rewards) % 2 else mean(ordered[half - 1 : half + 1])


def variance(rewards: Sequence[Fraction], ddof: int) -> Fraction:
    """Σ (r − mean)²/(k − ddof)."""
    centre = mean(rewards)
    return sum(((x - centre) ** 2 for x in rewards), Fraction(0)) / (len(rewards) - ddof)


def _less_std(ddof: int) -> Callable[[Sequence[Fraction], Fraction], sympy.Expr]:
    def aggregate(rewards: Sequence[Fraction], c: Fraction) -> sympy.Expr:
        spread = sympy.sqrt(sympy.Rational(variance(rewards, ddof)))
        return sympy.Rational(mean(rewards)) - sympy.Rational(c) * spread

    return aggregate


def _less_var(ddof: int) -> Callable[[Sequence[Fraction], Fraction], sympy.Expr]:
    return lambda rewards, c: sympy.Rational(mean(rewards) - c * variance(rewards, ddof))


#: Both conventions of the uncertainty-weighted aggregator are in use, each with both ddof.
AGGREGATORS: Mapping[str, Callable[[Sequence[Fraction], Fraction], sympy.Expr]] = MappingProxyType(
    {
        "mean": lambda rewards, c: sympy.Rational(mean(rewards)),
        "median": lambda rewards, c: sympy.Rational(median(rewards)),
        "min": lambda rewards, c: sympy.Rational(min(rewards)),
        "mean_minus_std_ddof0": _less_std(0),
        "mean_minus_std_ddof1": _less_std(1),
        "mean_minus_var_ddof0": _less_var(0),
        "mean_minus_var_ddof1": _less_var(1),
    }
)


def aggregate(rewards: Sequence[RealInput], how: str, c: RealInput = 1) -> sympy.Expr:
    """The reward of an ensemble for one response, exact.

    ``how`` is one of `AGGREGATORS`: mean, median, min (worst case), or the mean less c standard
    deviations or variances, with ddof 0 or 1 in its name. 1 to 1000 rewards (2 where ddof is 1),
    c >= 0. Raises InputError. Source: arXiv 2312.09244 (mean, median, min); 2310.02743 (mean −
    c·var).

    >>> aggregate([0, 0, 3], "mean_minus_var_ddof0")
    -1
    """
    if how not in AGGREGATORS:
        raise InputError(f"unknown aggregator {how}: {nearest(how, list(AGGREGATORS))}")
    weight = rational(c, "c")
    if weight < 0:
        raise must_be("c", c, "a real number >= 0", f"aggregate(..., {how})")
    least = 2 if how.endswith("ddof1") else 1
    if not least <= len(rewards) <= MAX_MEMBERS:
        raise InputError(
            f"{len(rewards)} rewards, but must be {least} to {MAX_MEMBERS} [aggregate(..., {how})]"
        )
    return AGGREGATORS[how]([rational(x, "reward") for x in rewards], weight)
