"""f and f′ of a rank family on a law with atoms and a density, by certified quadrature."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.gold import Gold, NotPolynomial, smooth_pieces
from hedgetheory.analysis.mixed.axis import Axis
from hedgetheory.analysis.rank_kernels import KERNELS
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import SmoothPiece
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.mixed import MixedLaw, PartWithin
from hedgetheory.numerics.ball import REAL, ball, current_bits, hull, no_bound, symmetric
from hedgetheory.numerics.program import UnsupportedExpression
from hedgetheory.policies.family import Family


class MixedCurve(SmoothCurve):
    """f′(θ) = ∫ g′(x) k_θ(F(x)) dx along an `Axis`, for gold in r.

    All that `SmoothCurve` bounds its tails by is of the density beyond the outermost atoms, where
    F, or 1 − F, is that of the part times its weight.
    """

    def __init__(self, law: MixedLaw, family: Family, gold: Gold) -> None:
        if family.name not in KERNELS:
            raise NoExactForm(f"no certified quadrature for the family {family} on {law}")
        self.rank = KERNELS[family.name]
        self.lower = family.domain.lower
        self.in_reward, self.q = True, 1
        self.axis = Axis(law, gold.expr)
        #: Of the law only the place is used at which the whole line is cut.
        self.law = PartWithin(law)
        self.law.centre = self.axis.centre
        self.x, self.low, self.high = r, self.axis.low, self.axis.high
        self.coordinates, self.expr = self.axis.coordinates, self.axis.expr
        try:
            self.pieces = [
                SmoothPiece(a, b, e, sympy.diff(e, r), sympy.diff(e, r, 2))
                for a, b, e in smooth_pieces(self.expr, r, self.low, self.high)
            ]
            self._compile()
        except (UnsupportedExpression, NotPolynomial) as why:
            raise NoExactForm(str(why)) from None

    def _in_coordinate(
        self, j: int, x: Fraction | None, end: Fraction | None, own: Fraction | None
    ) -> Any:
        """y at a point x: of a stretch cut at an atom found by the inverse, ±∞ at its own end."""
        if x is None or own is not None:
            return super()._in_coordinate(j, x, end, own)
        y = self.inverse[j](REAL, ball(x))
        return y if y.is_finite() else None

    def _tail(self, i: int, j: int, side: int, theta: Any, weight: str) -> tuple[Any, Any]:
        """A cut and a ball around the integral beyond it.

        Where y is infinite at a finite reward an atom may lie there or beyond it, so that neither
        F nor 1 − F need vanish: all weights are at most one, and what is left out is at most
        ∫ |g′| dx ≤ sup |g′|·|end − x|.
        """
        where = self.coordinates[j]
        end = where.stop if side > 0 else where.start
        if end is None:
            return super()._tail(i, j, side, theta, weight)
        # Not so near to the end that the working precision no longer tells F from its limit.
        target = ball(Fraction(1, 2 ** max(current_bits() - 16, 8)))
        y, tail = max(side * where.centre, Fraction(0)) * side + side * where.width, no_bound()
        for _ in range(64):
            place = self.forward[j](REAL, ball(y))
            tail = abs(self.slopes[i](REAL, hull(place, ball(end)))) * abs(ball(end) - place)
            if tail < target:
                break
            y = y * Fraction(5, 4) if abs(y) >= 4 else y + side
        return ball(y), symmetric(tail)


__all__ = ["MixedCurve"]
