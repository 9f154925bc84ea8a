"""The global picture of f: its monotone stretches, every extremum, both ends, and what is open."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import sympy

from hedgetheory.analysis.curve import Curve
from hedgetheory.analysis.expsum import Coefficient, ExpSum, constant_ball
from hedgetheory.analysis.zeros import Isolation, Zero, isolate, sign_at
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number
from hedgetheory.numerics.ball import BITS_PER_DIGIT, ball, number, precision

Kind = Literal["max", "min"]
MAX_SETTLING_BITS = 1 << 15


def settled(
    evaluate: Callable[[], Any],
    digits: int,
    most: int = MAX_SETTLING_BITS,
    zero_factor: int = 5,
) -> Number:
    """The value to ``digits`` significant digits, or a ball around zero far below them.

    Far below: ``zero_factor`` times as many digits, counted from one, and 60 bits.

    Raises NotCertified with the best enclosure past ``most`` bits beyond those of the digits.
    """
    target = math.ceil((digits + 1) * BITS_PER_DIGIT) + 2
    bits, best = target + 60, None
    while bits <= most + 8 * target:
        with precision(bits):
            x = evaluate()
            if x.is_finite():
                best = x
                tiny = x.abs_upper() < ball(Fraction(1, 2 ** (zero_factor * target + 60)))
                if x.is_zero() or x.rel_accuracy_bits() >= target or tiny:
                    return number(x, digits)
        bits *= 2
    raise NotCertified(
        f"the value is not certified to {digits} digits; "
        + ("no enclosure was found" if best is None else f"best: {best}"),
        number(best, digits) if best is not None else None,
    )


def constant_number(value: Coefficient, digits: int) -> Number:
    """An exact constant as a number."""
    if isinstance(value, Fraction):
        return Number.exact(value)
    return settled(lambda: constant_ball(value), digits)


@dataclass
class Point:
    """A parameter value with f there: both can be had to any number of digits."""

    theta: Callable[[int], Number]
    value: Callable[[int], Number]
    attained: bool = True


@dataclass
class Extremum(Point):
    """An interior extremum; ``zero`` isolates it, or values around it show it to be ``around``."""

    kind: Kind = "max"
    zero: Zero | None = None
    around: tuple[Fraction, Fraction] | None = None


@dataclass(frozen=True)
class TiedValues:
    """f at a rational, to any digits; ``equal``: is f(a) = f(b) proved, for integers a < b?

    A picture in another variable has another function of values, and so none of these ties.
    """

    compute: Callable[[Fraction, int], Number]
    equal: Callable[[int, int], bool]

    def __call__(self, x: Fraction, digits: int) -> Number:
        return self.compute(x, digits)


@dataclass
class Picture:
    """What is known of f on its domain.

    ``signs`` are those of f′ on the stretches between extrema, in order; ``open_reason`` is empty
    where the picture is complete. ``box`` is a part of the domain on which ``extrema`` are all
    there are although the rest of it stays open.
    """

    signs: list[int]
    extrema: list[Extremum]
    lower_end: Point
    upper_end: Point
    value_at: Callable[[Fraction, int], Number]
    open_reason: str = ""
    route: str = ""
    touches: list[Zero] = field(default_factory=list)
    box: str = ""
    #: Compute all its numbers to so many digits at once, where there are processes to do it.
    ahead: Callable[[int], None] = lambda digits: None
    #: Whether KL and proxy reward increase as θ falls, proved, and whether θ is whole.
    falls: bool = False
    whole: bool = False

    @property
    def complete(self) -> bool:
        return not self.open_reason

    @property
    def regime(self) -> str:
        if not self.complete:
            return "undecided"
        if len(self.signs) > 2:
            return "multiple"
        names = {(): "constant", (1,): "increasing", (-1,): "decreasing"}
        names |= {(1, -1): "peak", (-1, 1): "trough"}
        return names[tuple(self.signs)]


def picture_of(curve: Curve, bound: int | None) -> Picture:
    """The picture of an exact curve; ``bound`` is a proved bound on the zeros of f′ (or None)."""
    slope = curve.slope
    if not slope:
        shape: Shape = ([], [], [], "")
        route = "f' is identically zero, exactly"
    else:
        shape = _stretches(curve, slope, isolate(slope, curve.lower, curve.upper), bound)
        route = _route(slope)
    signs, extrema, touches, reason = shape
    return Picture(
        signs,
        extrema,
        lower_end(curve.lower, curve.start),
        upper_end(curve.upper, curve.end),
        TiedValues(
            lambda x, digits: value_number(curve, x, digits),
            lambda first, second: _equal(curve, first, second),
        ),
        reason,
        route,
        touches,
    )


def _equal(curve: Curve, first: int, second: int) -> bool:
    """Whether f(a) = f(b), by the exact constants of f; False where that is not seen."""
    values = [curve.at_integer(n) for n in (first, second)]
    if values[0] is None or values[1] is None:
        return False
    return bool(sympy.simplify(values[0] - values[1]) == 0)


def lower_end(lower: Fraction, start: Coefficient) -> Point:
    return Point(lambda _: Number.exact(lower), lambda digits: constant_number(start, digits))


def upper_end(upper: Fraction | None, end: Any) -> Point:
    theta = Number.infinity() if upper is None else Number.exact(upper)
    if isinstance(end, int):
        return Point(lambda _: theta, lambda _: Number.infinity(end), attained=False)
    return Point(lambda _: theta, lambda digits: constant_number(end, digits), attained=False)


#: Signs between extrema, the extrema, zeros without a sign change, and why it is open.
Shape: TypeAlias = "tuple[list[int], list[Extremum], list[Zero], str]"


def _route(slope: ExpSum) -> str:
    if slope.is_polynomial and slope.is_rational:
        return "f' is a rational function: exact isolation of the roots of its numerator"
    if slope.is_rational and not slope.logarithmic:
        return (
            "f' is in Q[x, e^(x/q)]: squarefree, so its zeros are simple (Lindemann); "
            "ball subdivision covers the whole domain"
        )
    return "f' is an exponential sum: ball subdivision covers the whole domain"


def _stretches(curve: Curve, slope: ExpSum, isolation: Isolation, bound: int | None) -> Shape:
    """Signs of f′ between the zeros and gaps, sampled at rationals, and the extrema they show."""
    marks: list[tuple[Fraction, Fraction | None, Zero | None]] = [
        (zero.low, zero.high, zero) for zero in isolation.zeros
    ]
    marks += [(low, high, None) for low, high in isolation.gaps]
    marks.sort(key=lambda mark: mark[0])
    samples = [_sign_between(slope, curve, None, marks[0] if marks else None)]
    for i, mark in enumerate(marks):
        following = marks[i + 1] if i + 1 < len(marks) else None
        samples.append(_sign_between(slope, curve, mark, following))
    known = [sign for sign in samples if sign]
    found = sum(a != b for a, b in pairwise(known))
    reason = _open_reason(isolation, samples, found, bound, curve)
    signs, extrema, touches = known[:1], [], []
    before = samples[0]
    for mark, after in zip(marks, samples[1:], strict=True):
        zero = mark[2]
        if before and after and before != after:
            if zero is None and mark[1] is not None and not reason:
                # The bound is attained: this gap holds exactly one zero.
                zero = Zero(slope, mark[0], mark[1], 1, before)
            if zero is not None:
                extrema.append(_extremum(curve, zero, before))
                signs.append(after)
        elif zero is not None:
            touches.append(zero)
        before = after or before
    return signs, extrema, touches, reason


def _sign_between(slope: ExpSum, curve: Curve, left: Any, right: Any) -> int:
    """The sign of f′ between two neighbouring marks, 0 where there is no room or no certainty."""
    low = curve.lower if left is None else left[1]
    high = curve.upper if right is None else right[0]
    if low is None or (high is not None and low >= high):
        return 0
    return sign_at(slope, low + 1 if high is None else (low + high) / 2)


def _open_reason(
    isolation: Isolation, samples: list[int], found: int, bound: int | None, curve: Curve
) -> str:
    if isolation.complete:
        return "" if all(samples) else "a sign of f' between its zeros stays uncertain"
    if bound is not None and found == bound:
        return ""
    low, high = isolation.gaps[0]
    ends_known = low > curve.lower and isolation.gaps[-1][1] is not None
    if bound is not None and ends_known and all(samples) and found == bound - 1:
        # What is left over counts with multiplicity and leaves the signs as they are: it is even.
        return ""
    where = f"[{float(low):.6g}, {'inf' if high is None else f'{float(high):.6g}'}]"
    return f"f' is not decided on {len(isolation.gaps)} interval(s), the first {where}"


def _extremum(curve: Curve, zero: Zero, before: int) -> Extremum:
    kind: Kind = "max" if before > 0 else "min"

    def theta(digits: int) -> Number:
        exact = zero.exact
        return Number.exact(exact) if exact is not None else settled(zero.ball, digits)

    def value(digits: int) -> Number:
        if zero.exact is not None:
            return value_number(curve, zero.exact, digits)
        return settled(lambda: curve.value(zero.ball()), digits)

    return Extremum(theta, value, True, kind, zero)


def value_number(curve: Curve, x: Fraction, digits: int) -> Number:
    """f at a rational of the domain: exact where visibly rational, else certified."""
    if x == curve.lower:
        return constant_number(curve.start, digits)
    exact = curve.exact_value(x)
    if exact is not None:
        return Number.exact(exact)
    return settled(lambda: curve.value(ball(x)), digits)
