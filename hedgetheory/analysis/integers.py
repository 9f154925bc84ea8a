"""The best integer n under Best-of-n: neighbours compared, never a rounded real optimum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from hedgetheory.analysis.compare import exceeds, floor_of, largest
from hedgetheory.analysis.picture import Picture, TiedValues
from hedgetheory.analysis.zeros import Zero
from hedgetheory.exact import Number

#: As many integers as may be compared one by one around a maximum.
MAX_AROUND = 32


@dataclass(frozen=True)
class IntegerChoice:
    """Candidates (n, f(n)) and the best of them.

    ``best`` is empty where no integer attains the supremum (f rises towards n = ∞), holds several
    integers on an exact tie, and ``certain`` is False where balls could not part its members.
    """

    candidates: list[tuple[int, Number]]
    best: list[int]
    certain: bool
    note: str = ""

    def to_json(self, digits: int) -> dict[str, object]:
        entry: dict[str, object] = {
            "candidates": [{"n": n, "value": v.to_json(digits)} for n, v in self.candidates],
            "best": self.best,
        }
        if self.note:
            entry["note"] = self.note
        return entry


def best_integer(picture: Picture, digits: int) -> IntegerChoice | None:
    """The best integer n ≥ 1, from a complete picture of Best-of-n; None without one.

    Between extrema f is monotone, so the best integer is 1 or a neighbour of a local maximum,
    unless f rises on the last stretch and its limit is above all of these.
    """
    if not picture.complete:
        return None
    integers = {1}
    for extremum in picture.extrema:
        if extremum.kind == "max" and extremum.zero is not None:
            integers |= _neighbours(extremum.zero)
        elif extremum.kind == "max" and extremum.around is not None:
            low, high = extremum.around
            if high - low > MAX_AROUND:
                return None
            integers |= set(range(max(low.__floor__(), 1), high.__ceil__() + 1))
    candidates = sorted(integers)
    values = [_valued(picture, n) for n in candidates]
    shown = [(n, value(digits)) for n, value in zip(candidates, values, strict=True)]
    if any(value.is_undefined for _, value in shown):
        return IntegerChoice(shown, [], False, "undecided: a value is not known")
    indices, certain = largest(values)
    best, note = [candidates[i] for i in indices], ""
    values_at = picture.value_at
    if not certain and isinstance(values_at, TiedValues) and _all_tied(values_at, best):
        certain, note = True, "an exact tie, proved"
    if picture.signs and picture.signs[-1] > 0:
        if picture.upper_end.value(digits).is_undefined:
            return IntegerChoice(shown, [], False, "undecided: the limit of f is not known")
        above = exceeds(picture.upper_end.value, values[indices[0]])
        if above:
            best, note = [], "no integer is best: f rises to its supremum as n goes to infinity"
        elif above is None:
            best, certain, note = [], False, "undecided: f rises to a limit near the best value"
    if not picture.signs:
        note = "f is constant: every n is equally good, 1 is the cheapest"
    if not certain and not note:
        # The balls say how far they agree: not every family is asked for hundreds of digits.
        note = "the balls of these values overlap at every precision tried: a tie is not proved"
    return IntegerChoice(shown, best, certain, note)


def _all_tied(values: TiedValues, integers: list[int]) -> bool:
    return all(values.equal(first, second) for first, second in pairwise(integers))


def _valued(picture: Picture, n: int) -> Callable[[int], Number]:
    return lambda digits: picture.value_at(Fraction(n), digits)


def _neighbours(zero: Zero) -> set[int]:
    """⌊θ⌋ and ⌊θ⌋ + 1; of an enclosure that cannot leave an integer, all that may be these."""
    for _ in range(8):
        below = floor_of(zero.low, zero.high)
        if below is not None:
            return {max(below, 1), below + 1}
        zero.narrow((zero.high - zero.low) / 2**64)
    middle = zero.high.__floor__()
    return {max(middle - 1, 1), middle, middle + 1}
