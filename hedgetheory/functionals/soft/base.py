"""What Soft Best-of-n shares on every law: divergences as weighted means of h(w)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from hedgetheory.functionals.bound import Bound
from hedgetheory.functionals.plans import Closed, Plan, Race, Undefined
from hedgetheory.functionals.soft.scenes import Weighing
from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.policies.soft_best_of_n import SoftBestOfN


def log_times(w: Any) -> Any:
    """w ln w for a ball around a positive number, also where the ball touches zero."""
    if w > 0:
        return w * w.log()
    top = w.upper()
    if top < ball(Fraction(1, 3)) and top > 0:
        # x ln x decreases on (0, 1/e).
        return hull(top * top.log(), top * 0)
    return balls.no_bound()


def log_times_bound(top: Any) -> Any:
    # |w ln w| ≤ |w|(|ln|w|| + π/2), and x|ln x| ≤ 1/e below x = 1.
    top = top.upper()
    return ball(Fraction(3, 8)) + top * (
        REAL.maximum(top, top * 0 + 1).log() + 8 / ball(Fraction(5))
    )


KL_WEIGHING = Weighing(log_times, log_times_bound, 1.2)
SQUARE = Weighing(lambda w: w * w, lambda top: top * top, 2.0, True)
MEAN = Weighing(lambda w: w, lambda top: top, 1.0, True)


def power(order: Fraction) -> Weighing:
    a = ball

    def value(w: Any) -> Any:
        if w > 0:
            return w ** a(order)
        return hull(w * 0, w.upper() ** a(order))

    return Weighing(value, lambda top: top.upper() ** a(order), float(order))


class SoftBound(Bound):
    """What Soft Best-of-n shares on every law."""

    policy: SoftBestOfN

    def expected_draws(self) -> Iterable[Plan]:
        if self.policy.draws.denominator != 1:
            return [Undefined(f"{self.policy} has a real n, so it is not a choice among n draws")]
        return [Closed(exact_symbol(self.policy.draws))]

    def _race(self, what: str, enclose: Callable[[], Any], **arguments: Any) -> Race:
        from hedgetheory.functionals.soft.estimates import estimate

        return Race(
            enclose,
            lambda digits: estimate(self.policy, self.law, what, digits, **arguments),
            f"{what} of {self.policy} on {self.law}",
        )
