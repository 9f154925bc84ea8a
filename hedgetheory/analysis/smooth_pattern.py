"""A gold curve in smooth pieces: the strict signs of dg, where they change, its limits at ends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import sympy

from hedgetheory.analysis.expsum import Coefficient, canonical
from hedgetheory.analysis.gold import Change, NotPolynomial, pieces_of, slope_pattern
from hedgetheory.analysis.gold_signs import Mark, limit_at_infinity, slope_signs
from hedgetheory.analysis.zeros import sign_of
from hedgetheory.laws.base import exact_symbol
from hedgetheory.numerics.ball import REAL, ball, hull, precision, symmetric
from hedgetheory.numerics.program import Program, compiled

#: Narrowest box, as a power of two of the whole, in the search for sign changes of g′.
_NARROWEST = Fraction(1, 2**40)
_MAX_BOXES = 2_000


@dataclass(frozen=True)
class SmoothPiece:
    """g on [low, high] (in x, an end None infinite) with its first two derivatives."""

    low: Fraction | None
    high: Fraction | None
    value: sympy.Expr
    slope: sympy.Expr
    curvature: sympy.Expr


class Shaped(Protocol):
    """A gold curve in smooth pieces of x between ``low`` and ``high``, None where infinite."""

    expr: sympy.Expr
    x: sympy.Symbol
    low: Fraction | None
    high: Fraction | None
    pieces: list[SmoothPiece]
    values: list[Program]


def is_symmetric(pieces: list[SmoothPiece], x: sympy.Symbol, centre: Fraction) -> bool:
    """Whether g(2c − x) = g(x), piece by piece."""
    for piece, other in zip(pieces, reversed(pieces), strict=True):
        if piece.low is not None and other.high != 2 * centre - piece.low:
            return False
        if piece.low is None and other.high is not None:
            return False
        mirrored = piece.value.subs(x, 2 * exact_symbol(centre) - x)
        if sympy.simplify(mirrored - other.value) != 0:
            return False
    return True


def settling(
    piece: SmoothPiece, x: sympy.Symbol, side: int
) -> tuple[Fraction | None, Coefficient] | None:
    """The last sign change of g′ on a side of a piece (None: there is none), and g at its end."""
    marks = slope_signs(piece.slope, x, piece.low, piece.high)
    if marks is None:
        return None
    end = piece.high if side > 0 else piece.low
    limit: Coefficient | int | None
    if end is None:
        limit = limit_at_infinity(piece.value.xreplace({x: side * x}), x)
    else:
        limit = canonical(piece.value.subs(x, exact_symbol(end)))
        if not isinstance(limit, Fraction) and not limit.is_finite:
            return None
    if limit is None or isinstance(limit, int):
        return None
    changes = marks[1:]
    if not changes:
        return None, limit
    return (changes[-1][1] if side > 0 else changes[0][0]), limit


def smooth_pattern(curve: Shaped) -> tuple[list[int], list[Change]] | None:
    """The strict signs of dg and where they change, exact or in balls; None where open."""
    try:
        return slope_pattern(pieces_of(curve.expr, curve.x, curve.low, curve.high))
    except NotPolynomial:
        pass
    marks: list[Mark] = []
    for i, piece in enumerate(curve.pieces):
        if i and piece.low is not None:
            before, after = curve.pieces[i - 1].value, piece.value
            at = {curve.x: exact_symbol(piece.low)}
            jump = sympy.simplify(after.subs(at) - before.subs(at))
            if jump != 0:
                with precision(256):
                    sign = sign_of(compiled(jump, ())(REAL))
                if not sign:
                    return None
                marks.append((piece.low, piece.low, sign))
        found = _signs_on(piece, curve.x)
        if found is None:
            return None
        marks += found
    signs: list[int] = []
    changes: list[Change] = []
    for low, high, sign in marks:
        if signs and signs[-1] != sign:
            changes.append(Change(low, high, signs[-1], sign))
        if not signs or signs[-1] != sign:
            signs.append(sign)
    return signs, changes


def _signs_on(piece: SmoothPiece, x: sympy.Symbol) -> list[Mark] | None:
    """The signs of g′ along one piece: by its form, else by subdivision of a bounded piece."""
    low, high = piece.low, piece.high
    if sympy.simplify(piece.slope) == 0:
        return []
    by_form = slope_signs(piece.slope, x, low, high)
    if by_form is not None or low is None or high is None:
        return by_form
    slope, curvature = compiled(piece.slope, (x,)), compiled(piece.curvature, (x,))
    stack, out, boxes = [(low, high)], [], 0

    def end_sign(point: Fraction) -> int | None:
        with precision(256):
            sign = sign_of(slope(REAL, ball(point)))
        if sign:
            return sign
        exact = piece.slope.subs(x, exact_symbol(point))
        return 0 if sympy.simplify(exact) == 0 else None

    with precision(96):
        while stack:
            a, b = stack.pop()
            boxes += 1
            box = hull(ball(a), ball(b))
            middle = (a + b) / 2
            bend = curvature(REAL, box)
            sign = sign_of(slope(REAL, box)) or sign_of(
                slope(REAL, ball(middle)) + bend * symmetric(ball((b - a) / 2))
            )
            if sign:
                out.append((a, a, sign))
                continue
            turn = sign_of(bend)
            if turn:
                left, right = end_sign(a), end_sign(b)
                if left is not None and right is not None:
                    # g′ is strictly monotone here: a zero at an end leaves one sign inside.
                    if left * right < 0:
                        place = _narrowed(slope, a, b, left)
                        out += [(a, a, left), (*place, right)]
                    else:
                        out.append((a, a, left or right))
                    continue
            if boxes > _MAX_BOXES or b - a < _NARROWEST * (high - low):
                return None
            stack += [(middle, b), (a, middle)]
    return out


def _narrowed(
    slope: Program, low: Fraction, high: Fraction, left: int
) -> tuple[Fraction, Fraction]:
    for _ in range(60):
        middle = (low + high) / 2
        sign = sign_of(slope(REAL, ball(middle)))
        if not sign:
            break
        low, high = (middle, high) if sign == left else (low, middle)
    return low, high
