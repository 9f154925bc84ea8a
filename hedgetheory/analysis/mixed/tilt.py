"""The raw tilt on a law with atoms and a density: certified moments, and the gold as a shape."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, smooth_pieces
from hedgetheory.analysis.gold_shape import GoldShape
from hedgetheory.analysis.mixed.axis import Axis, gold_in_quantiles
from hedgetheory.analysis.picture import Picture
from hedgetheory.analysis.raw_tilt import RawTilt
from hedgetheory.analysis.smooth_pattern import SmoothPiece
from hedgetheory.analysis.tilt_moments import Product, TiltMoments
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.atoms.finite import at_or_below, reward
from hedgetheory.functionals.evaluate import enclosure
from hedgetheory.functionals.mixed.tilt import TiltOnMixed
from hedgetheory.functionals.plans import Bindings, Race
from hedgetheory.functionals.tilt_continuous import CUMULANT
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball, current_bits
from hedgetheory.numerics.program import UnsupportedExpression, compiled
from hedgetheory.policies.tilt import Tilt

#: Some λ > 0, to see whether any tilt exists.
_SOME = Fraction(1)


class _Inside(Product):
    """Moments over the density, with K of the whole law computed once.

    M(λ) ≥ e^{λx} P(R ≥ x), which bounds tails, holds with the survival of the whole law: that of
    the strands.
    """

    def __init__(self, policy: Tilt, law: MixedLaw) -> None:
        super().__init__(policy, law.within)
        self.mixed = TiltOnMixed(policy, law)

    @property
    def bindings(self) -> Bindings:
        if self.policy.is_reference:
            return self.policy.bindings
        known = self.cumulant
        return {**self.policy.bindings, CUMULANT: Race(lambda: known, lambda _: known, "K")}

    def settle(self) -> None:
        self.cumulant = enclosure(self.mixed.cumulant(Fraction(1)))


class MixedMoments(TiltMoments):
    """Sums over the atoms and certified integrals over the density; u is F(r), atom included."""

    def __init__(self, law: MixedLaw, expr: sympy.Expr) -> None:
        super().__init__(expr)
        self.law = law
        self._bound: tuple[Fraction, int, _Inside] | None = None

    def _at(self, strength: Fraction) -> _Inside:
        key = (strength, current_bits())
        if self._bound is None or self._bound[:2] != key:
            bound = _Inside(Tilt(strength), self.law)
            bound.settle()
            self._bound = (*key, bound)
        return self._bound[2]

    def _mean(self, strength: Fraction, outer: sympy.Expr, factor: sympy.Expr) -> Any:
        bound = self._at(strength)
        total = enclosure(bound.product(outer, factor))
        term = (outer * factor).xreplace({r: reward, u: at_or_below})
        program = compiled(term, (reward, at_or_below))
        for atom in bound.mixed.atoms:
            upto = atom.bindings[at_or_below]
            level = ball(upto) if isinstance(upto, Fraction) else enclosure(upto)
            value = ball(atom.value)
            weight = (ball(strength) * value - bound.cumulant).exp() * ball(atom.mass)
            total += weight * program(REAL, value, level)
        return total

    def _mean_reward(self, strength: Fraction) -> Any:
        return self._mean(strength, sympy.S.One, r)


class MixedShape(GoldShape):
    """The gold along an `Axis`: as it is on the support, with the fewest turns."""

    def __init__(self, axis: Axis) -> None:
        self.in_reward, self.q, self.x = True, 1, r
        self.low, self.high, self.expr = axis.low, axis.high, axis.expr
        try:
            self.pieces = [
                SmoothPiece(a, b, e, sympy.diff(e, r), sympy.diff(e, r, 2))
                for a, b, e in smooth_pieces(self.expr, r, self.low, self.high)
            ]
            self.values = [compiled(piece.value, (r,)) for piece in self.pieces]
        except (UnsupportedExpression, NotPolynomial) as why:
            raise NoExactForm(str(why)) from None


def mixed_tilt_picture(
    law: MixedLaw, gold: Gold
) -> tuple[Picture, tuple[list[int], list[Change]] | None]:
    """`raw_tilt_picture` on a law with atoms and a density.

    What is proved there holds on every law, with the sign changes of g − c along the support.
    """
    TiltOnMixed(Tilt(law.mgf_limit / 2 if law.mgf_limit else _SOME), law)
    axis = Axis(law, gold.expr) if gold.expr.has(r) else None
    shape = GoldShape(Uniform(), gold_in_quantiles(law, gold)) if axis is None else MixedShape(axis)
    picture, pattern = RawTilt(law, gold, shape, MixedMoments(law, gold.expr)).run()
    if pattern is None or axis is None:
        return picture, pattern
    return picture, (pattern[0], axis.moved(pattern[1]))


__all__ = ["MixedMoments", "mixed_tilt_picture"]
