"""f and f′ of a rank family on a law with atoms and a density, by certified quadrature."""

from __future__ import annotations

import sympy

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.gold import Gold, NotPolynomial, smooth_pieces
from hedgetheory.analysis.mixed.axis import Axis
from hedgetheory.analysis.rank_kernels import KERNELS
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import SmoothPiece
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.mixed import MixedLaw, PartWithin
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


__all__ = ["MixedCurve"]
