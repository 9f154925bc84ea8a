"""The largest value of a gap on a compact range of its parameter, by branch and bound in balls.

On a box [a, b] with the middle c, and with the λ matched at c held fixed, the gap is at most
H(θ) = KL(θ) − λ m(θ) + K(λ), whatever λ is (Pythagoras), and H = gap at c. So

    gap ≤ H(c) + |H′(c)| ρ + max(0, max H″) ρ²/2,  ρ = (b − a)/2:

by Taylor, with H″ enclosed over the box. Next to the maximiser H′(c) = gap′(c) is small, so that
the excess is of second order in ρ and few boxes stay. A box whose bound is below a certified value
of the gap anywhere holds no maximiser; what stays at the end encloses all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from hedgetheory.errors import NotCertified
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import ball, hull

#: Boxes that one search may look at.
MAX_BOXES = 20_000


class Objective(Protocol):
    """θ ↦ H(θ) = KL(θ) − λ m(θ) + K(λ) at a fixed λ, and the λ at which it is the gap."""

    def strength(self, at: Fraction) -> Any:
        """A ball around the λ of the tilt with the mean of the policy at θ."""

    def value(self, at: Fraction, strength: Any) -> Any:
        """H(θ)."""

    def slope(self, at: Fraction, strength: Any) -> Any:
        """H′(θ) with λ held fixed."""

    def curvature(self, low: Fraction, high: Fraction, strength: Any) -> Any:
        """A ball around every H″(θ), low ≤ θ ≤ high, with λ held fixed."""


@dataclass(frozen=True)
class Largest:
    """Balls around the maximum, and around every point where it is attained."""

    value: Any
    place: Any


def gap_at_point(objective: Objective, at: Fraction) -> Any:
    """A ball around the gap at θ."""
    return objective.value(at, objective.strength(at))


def box_bound(objective: Objective, low: Fraction, high: Fraction) -> tuple[Any, Any]:
    """A ball around the gap in the middle of [low, high], and an upper bound of it on all of it."""
    middle, radius = (low + high) / 2, ball((high - low) / 2)
    matched = objective.strength(middle)
    strength = matched.mid()
    slope = balls.symmetric(objective.slope(middle, strength)) * radius
    bend = objective.curvature(low, high, strength).upper().max(ball(0)) * radius**2 / 2
    bound = objective.value(middle, strength) + slope + bend
    return objective.value(middle, matched), bound.upper()


def largest(
    objective: Objective, low: Fraction, high: Fraction, digits: int, weight: int = 1
) -> Largest:
    """The maximum of the gap on [low, high] and where it is, to ``digits`` significant digits.

    ``weight`` is the cost of one evaluation in those of a short formula. At the working precision
    in force, which should be more than twice the digits. Raises NotCertified past the work bound,
    and where two places are too close in value to be told apart: with the best enclosure.
    """
    boxes, step = [], low
    while step < high:
        boxes.append((step, min(high, step * 3 / 2)))
        step = boxes[-1][1]
    floor, seen, limit = ball(0), 0, max(MAX_BOXES // weight, 400)
    while True:
        bounds = []
        for left, right in boxes:
            here, above = box_bound(objective, left, right)
            if not (here.is_finite() and above.is_finite()):
                above = balls.no_bound()
            elif here.lower() > floor:
                floor = here.lower()
            bounds.append(above)
        seen += len(boxes)
        kept = [(box, top) for box, top in zip(boxes, bounds, strict=True) if not top < floor]
        ends = min(box[0] for box, _ in kept), max(box[1] for box, _ in kept)
        top = floor
        for _, bound in kept:
            top = top.max(bound) if bound.is_finite() else bound
        if top.is_finite() and floor > 0:
            value, place = hull(floor, top.upper()), hull(ball(ends[0]), ball(ends[1]))
            if all(_tight(x, digits) for x in (value, place)):
                return Largest(value, place)
        if seen + 2 * len(kept) > limit:
            best = balls.number(hull(floor, top), digits) if top.is_finite() else None
            raise NotCertified(
                f"{seen} boxes do not tell the largest gap and its place to {digits} digits "
                f"on [{float(low):.4g}, {float(high):.4g}]" + (f": {best}" if best else ""),
                best,
            )
        boxes = [
            half
            for (left, right), _ in kept
            for half in ((left, (left + right) / 2), ((left + right) / 2, right))
        ]


def _tight(x: Any, digits: int) -> bool:
    return bool(x.rel_accuracy_bits() >= (digits + 1) * balls.BITS_PER_DIGIT + 2)
