"""Certified points of f along a family, for a picture: each by its own evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from hedgetheory.cli.pages.plot import SHIFTED
from hedgetheory.effort import Effort, OutOfWork, working
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number, short

if TYPE_CHECKING:
    from hedgetheory.analysis.check import CheckResult
    from hedgetheory.analysis.gold import Gold
    from hedgetheory.laws.base import Law
    from hedgetheory.policies.family import Family

#: Points of the picture, and the digits of each: finer than a screen.
POINTS, DIGITS = 50, 6
#: Work for all points, in units as of `check --bound`: a count, so that the page is reproducible.
BOUND = 300_000
#: Beyond a turn so much farther, and at least up to so much above the lower end, on a half-line.
_BEYOND, _AT_LEAST = 6.0, 15.0


@dataclass(frozen=True)
class Sampled:
    """θ and f(θ) with its guarantee, in increasing θ; why some points are not there."""

    points: tuple[tuple[Fraction, Number], ...]
    missing: tuple[str, ...]


def sampled(law: Law, family: Family, gold: Gold, found: CheckResult) -> Sampled:
    """f at some 50 places around all that was found: exact or certified, never interpolated.

    A place that is not certified within the bound of the work is left out, and said to be.
    """
    from hedgetheory.functionals.quantities import value

    points: list[tuple[Fraction, Number]] = []
    missing: list[str] = []
    with working(Effort(BOUND)):
        for theta in places(found):
            try:
                known = value(law, family.at(theta), "gold", gold=gold, digits=DIGITS)
            except NotCertified as why:
                if why.enclosure is None or not math.isfinite(float(why.enclosure)):
                    missing.append(f"{short(theta)}: {why}")
                    continue
                known = why.enclosure
            except InputError as why:  # no member of the family there: a whole n, a convergent mean
                missing.append(f"{short(theta)}: {why}")
                continue
            except OutOfWork as why:
                missing.append(f"{short(theta)} and beyond: {why}")
                break
            if known.is_undefined or known.infinite:
                missing.append(f"{short(theta)}: {known}")
            else:
                points.append((theta, known))
    return Sampled(tuple(points), tuple(missing))


def places(found: CheckResult) -> list[Fraction]:
    """Where f is evaluated: around its turns, the ends included where they belong to the domain.

    Whole numbers where the answer has an `integer`, rationals of three digits elsewhere.
    """
    low = _known(found.ends[0].theta)
    if low is None:  # a domain that has no least element
        return []
    high = _known(found.ends[1].theta)
    turns = [theta for e in found.extrema if (theta := _known(e.theta)) is not None]
    if found.integer is not None:
        turns += [Fraction(n) for n in found.integer.best]
    if high is None:
        top = max([_BEYOND * float(t - low) for t in turns] + [_AT_LEAST])
        if found.integer is not None:
            power = math.ceil(math.log2(top + float(low)))
            return _whole(low, Fraction(2**power))
        return [low] * found.ends[0].attained + sorted(set(_growing(low, top)))
    if found.integer is not None:
        return _whole(low, high)
    width = high - low
    inner = [low + width * Fraction(k, POINTS) for k in range(1, POINTS)]
    return [low] * found.ends[0].attained + inner + [high] * found.ends[1].attained


def _growing(low: Fraction, top: float) -> Iterator[Fraction]:
    """Beyond low, up to low + top, evenly on the scale of the picture."""
    unit = float(low) if low > 0 else top / SHIFTED
    ratio = (unit + top) / unit
    for k in range(1, POINTS):
        shift = unit * (ratio ** (k / (POINTS - 1)) - 1)
        place = Fraction(f"{float(low) + shift:.3g}")
        if place > low:
            yield place


def _whole(low: Fraction, high: Fraction) -> list[Fraction]:
    """Whole numbers from low to high, all of them or some evenly in the logarithm."""
    first, last = math.ceil(low), math.floor(high)
    if last - first < POINTS:
        return [Fraction(n) for n in range(first, last + 1)]
    span = last - first + 1
    chosen = {first - 1 + round(span ** (k / (POINTS - 1))) for k in range(POINTS)}
    return [Fraction(n) for n in sorted(chosen)]


def _known(number: Number) -> Fraction | None:
    """A finite number as a rational near it; None where it is infinite or undefined."""
    if number.is_undefined or number.infinite:
        return None
    if number.fraction is not None:
        return number.fraction
    near = float(number)
    return Fraction(f"{near:.6g}") if math.isfinite(near) else None
