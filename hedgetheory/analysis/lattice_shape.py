"""Signs of the increments g(k + 1) − g(k) over countably many atoms, all of them certified.

Between the places where g turns or breaks it is strictly monotone, by the form of g′
(`gold_signs`), and so are its values at atoms; the increments across such a place are compared, in
balls or exactly. Where g has flat pieces every increment up to the last of these is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.analysis.gold import Change
from hedgetheory.analysis.gold_shape import GoldShape
from hedgetheory.analysis.zeros import sign_of
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.atoms.lattice import Lattice
from hedgetheory.laws.base import exact_symbol
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.program import UnsupportedExpression, compiled

_BITS = 256
#: Increments that are compared one by one.
_MAX_COMPARED = 1_000
#: Atoms whose increments are asked for the one that is not zero, where g may be flat elsewhere.
_FIRST_FEW = 64
_FARTHEST = 1 << 20


def lattice_of(law: CountableLaw) -> Lattice:
    """The masses of a law at the current precision."""
    program = compiled(law.mass, (r,))
    return Lattice(
        law.first,
        law.mode,
        lambda k: program(REAL, ball(k)),
        lambda k: ball(law.step(k)),
        f"the shape of g on {law}",
    )


def lattice_pattern(law: CountableLaw, shape: GoldShape) -> tuple[list[int], list[Change]] | None:
    """The strict signs of the increments of g in order, and the atoms after which they change.

    A change at the atom k: g(k + 1) − g(k) is the first increment of the new sign. Gold in u is
    taken at u = F(k), the atom included. None where a sign is not certain.
    """
    found = shape.pattern
    if found is None:
        return None
    if not found[0]:
        return [], []
    marks: list[tuple[int, int]] | None
    try:
        steps = _Steps(law, shape)
        if any(sympy.simplify(piece.slope) == 0 for piece in shape.pieces):
            marks = _one_by_one(law, shape, steps, *found)
        else:
            marks = _by_stretches(law, shape, steps, *found)
    except (NotCertified, UnsupportedExpression):
        return None
    if marks is None:
        return None
    out: list[int] = []
    turns: list[Change] = []
    for k, sign in marks:
        if out and sign != out[-1]:
            turns.append(Change(Fraction(k), Fraction(k), out[-1], sign))
        if not out or sign != out[-1]:
            out.append(sign)
    return out, turns


def _one_by_one(
    law: CountableLaw, shape: GoldShape, steps: _Steps, signs: list[int], changes: list[Change]
) -> list[tuple[int, int]] | None:
    """Where g has flat pieces: every increment up to the last piece, and what follows."""
    flat = sympy.simplify(shape.pieces[-1].slope) == 0
    places = [c.high for c in changes]
    places += [piece.low for piece in shape.pieces[1:] if piece.low is not None]
    count = _FIRST_FEW if flat else 1
    if places:
        count = max(count, steps.first_beyond(max(places)) - law.first)
    if count > _MAX_COMPARED:
        return None
    marks = []
    for k in range(law.first, law.first + count):
        sign = steps.sign(k)
        if sign is None:
            return None
        if sign:
            marks.append((k, sign))
    if not flat:
        marks.append((law.first + count, signs[-1]))
    return marks


def _by_stretches(
    law: CountableLaw, shape: GoldShape, steps: _Steps, signs: list[int], changes: list[Change]
) -> list[tuple[int, int]] | None:
    """Between the places where g turns or breaks it is strictly monotone: only these are asked."""
    critical = [(c.low, c.high) for c in changes]
    critical += [(p.low, p.low) for p in shape.pieces[1:] if p.low is not None]
    marks: list[tuple[int, int]] = []
    settled = law.first
    for low, high in sorted(critical):
        before, beyond = steps.last_before(low), steps.first_beyond(high)
        if before > settled:
            marks.append((settled, signs[sum(c.high < low for c in changes)]))
        if beyond - max(before, settled) > _MAX_COMPARED:
            return None
        for k in range(max(before, settled), beyond):
            sign = steps.sign(k)
            if sign is None:
                return None
            if sign:
                marks.append((k, sign))
        settled = max(settled, beyond)
    return [*marks, (settled, signs[-1])]


class _Steps:
    """Increments of g at atoms, their signs exact where balls do not tell."""

    def __init__(self, law: CountableLaw, shape: GoldShape) -> None:
        self.law, self.shape = law, shape
        # The whole formula and not its pieces: at a breakpoint it says which of them holds.
        self.program = compiled(shape.expr, (shape.x,))

    def first_beyond(self, place: Fraction) -> int:
        """An atom k that is certainly beyond a place, as is all after it."""
        if self.shape.in_reward:
            return max(self.law.first, place.__floor__() + 1)
        with precision(_BITS):
            return self._crossing(lambda k: bool(self._sides(k)[1] < ball(1 - place)))

    def last_before(self, place: Fraction) -> int:
        """An atom k that is certainly before a place, as is all before it; or the first one."""
        if self.shape.in_reward:
            return max(self.law.first, place.__ceil__() - 1)
        with precision(_BITS):
            beyond = self._crossing(lambda k: not bool(self._sides(k)[0] < ball(place)))
        return max(self.law.first, beyond - 1)

    def _crossing(self, reached: Callable[[int], bool]) -> int:
        """The first atom, of those looked at, for which something monotone holds."""
        low, high, step = self.law.first - 1, max(self.law.first, self.law.mode), 1
        while not reached(high):
            low, high, step = high, high + step, 2 * step
            if step > _FARTHEST:
                raise NotCertified("g turns beyond what is searched")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(middle) else (middle, high)
        return high

    def _sides(self, k: int) -> tuple[Any, Any]:
        return lattice_of(self.law).sides(k)

    def point(self, k: int) -> tuple[Fraction | None, Any]:
        """The gold's variable (r, or F(k) for u) at the atom k: exact where rational; a ball."""
        if self.shape.in_reward:
            return Fraction(k), ball(k)
        level = self.law.upto(k)
        if level is not None and level.denominator.bit_length() < 4 * _BITS:
            return level, ball(level)
        return None, self._sides(k)[0]

    def sign(self, k: int) -> int | None:
        """The sign of g(k + 1) − g(k), 0 where it is exactly zero, None where it is not known."""
        with precision(_BITS):
            (first, start), (second, end) = self.point(k), self.point(k + 1)
            sign = sign_of(self.value(end) - self.value(start))
        if sign or first is None or second is None:
            return sign or None
        values = [
            self.shape.expr.subs(self.shape.x, exact_symbol(x) ** sympy.Rational(1, self.shape.q))
            for x in (first, second)
        ]
        return 0 if sympy.simplify(values[1] - values[0]) == 0 else None

    def value(self, at: Any) -> Any:
        """g at a ball of r or u."""
        q = self.shape.q
        return self.program(REAL, at if q == 1 else at ** (ball(1) / q))


__all__ = ["lattice_of", "lattice_pattern"]
