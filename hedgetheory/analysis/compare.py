"""Which of several values is largest: by exact rationals or disjoint balls; ties are said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from hedgetheory.exact import Number

Valued = Callable[[int], Number]


def largest(values: Sequence[Valued], digits: int = 15) -> tuple[list[int], bool]:
    """The indices of the largest values, and whether that is certain.

    Several indices are an exact tie (equal rationals, or one and the same infinity) where it is
    certain, and values that balls of up to 8 times ``digits`` + 200 digits do not part otherwise,
    or that are not known to so many.
    """
    alive = list(range(len(values)))
    for ask in (digits, 2 * digits + 30, 8 * digits + 200):
        numbers = {i: values[i](ask) for i in alive}
        if any(number.is_undefined for number in numbers.values()):
            return alive, False
        infinite = [i for i in alive if numbers[i].infinite > 0]
        if infinite:
            return infinite, True
        alive = [i for i in alive if not numbers[i].infinite] or alive
        if all(numbers[i].infinite for i in alive):
            return alive, True
        best = max(numbers[i].bounds[0] for i in alive)
        alive = [i for i in alive if numbers[i].bounds[1] >= best]
        exact = {numbers[i].fraction for i in alive}
        if len(alive) == 1 or (None not in exact and len(exact) == 1):
            return alive, True
    return alive, False


def exceeds(first: Valued, second: Valued) -> bool | None:
    """Whether first > second, None where that is not certain."""
    indices, certain = largest([first, second])
    if indices == [0]:
        return True
    return False if certain else None


def floor_of(low: Fraction, high: Fraction) -> int | None:
    """The common integer part of all of [low, high], None where there is none."""
    bottom, top = low.__floor__(), high.__floor__()
    return bottom if bottom == top else None
