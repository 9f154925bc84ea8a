"""Numbers that take seconds, computed once: to the digits that comparisons ask for first, or more.

`compare.largest` begins with so many digits, whatever a table shows: fewer would be computed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hedgetheory.exact import Number

#: What `compare.largest` asks for first.
FIRST_DIGITS = 15


class Remembered:
    """A number to any digits, kept with at least `FIRST_DIGITS` where it has so many."""

    def __init__(self, compute: Callable[[int], Number]) -> None:
        self._compute = compute
        self._known: dict[int, Number] = {}

    def learn(self, digits: int, number: Number) -> None:
        """Keep what was computed elsewhere."""
        self._known[digits] = number

    def __call__(self, digits: int) -> Number:
        for asked in (max(digits, FIRST_DIGITS), digits):
            for known, number in self._known.items():
                if known >= asked and not number.is_undefined:
                    return number
            if asked not in self._known:
                self._known[asked] = self._compute(asked)
            if not self._known[asked].is_undefined:
                break
        return self._known[asked]


class RememberedValues:
    """A function of a rational parameter, each of its values remembered."""

    def __init__(self, at: Callable[[Fraction], Callable[[int], Number]]) -> None:
        self._at = at
        self._values: dict[Fraction, Remembered] = {}

    def of(self, x: Fraction) -> Remembered:
        """The number at x."""
        if x not in self._values:
            self._values[x] = Remembered(self._at(x))
        return self._values[x]

    def __call__(self, x: Fraction, digits: int) -> Number:
        return self.of(x)(digits)
