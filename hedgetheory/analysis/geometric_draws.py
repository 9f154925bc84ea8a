"""Best of a geometric number of draws: the picture along its odds, told in p.

With θ = 1/p − 1 the rank cdf is G = u/(1 + θū), from the reference at θ = 0 to the top, and
k = −∂_θG = uū/(1 + θū)². Its logarithm has ∂_θ∂_u ln k = 2/(1 + θū)² > 0: k is strictly TP2, and
k_θ/k_T increases in u for θ > T, which is what `deciding` rests on. In p everything runs backwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from hedgetheory.analysis.deciding import smooth_picture
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.picture import Extremum, Picture, Point
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.analysis.soft.pattern import between
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import mu
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.policies.base import Domain
from hedgetheory.policies.family import Family

NAME = "best_of_random(geometric)"


def geometric_picture(
    law: ContinuousLaw, family: Family, gold: Gold
) -> tuple[Picture, tuple[list[int], list[Change]] | None]:
    """The picture of f in p on (0, 1], and the sign changes of g′.

    Raises NoExactForm or NotCertified where the curve has no certified quadrature.
    """
    odds = replace(family, name="geometric_odds", symbol=mu, domain=Domain(Fraction(0)))
    curve = SmoothCurve(law, odds, gold)
    pattern = smooth_pattern(curve)
    return _in_probability(smooth_picture(curve, odds, pattern)), pattern


def _in_probability(picture: Picture) -> Picture:
    return Picture(
        [-sign for sign in reversed(picture.signs)],
        [
            Extremum(_probability(e.theta), e.value, e.attained, e.kind)
            for e in reversed(picture.extrema)
        ],
        Point(lambda _: Number.exact(0), picture.upper_end.value, attained=False),
        Point(lambda _: Number.exact(1), picture.lower_end.value),
        lambda p, digits: picture.value_at(1 / p - 1, digits),
        picture.open_reason,
        picture.route,
    )


def _probability(theta: Callable[[int], Number]) -> Callable[[int], Number]:
    """p = 1/(1 + θ), which falls in θ."""

    def probability(digits: int) -> Number:
        odds = theta(digits + 2)
        if odds.is_undefined:
            return odds
        low, high = odds.bounds
        if low == high:
            return Number.exact(1 / (1 + low))
        return between(1 / (1 + high), 1 / (1 + low), digits)

    return probability
