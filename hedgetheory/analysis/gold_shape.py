"""The gold curve alone, without a family: its pieces, its turns, its limit at the top."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import lcm

import sympy

from hedgetheory.analysis.curve import ONE, ZERO, NoExactForm
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, smooth_pieces
from hedgetheory.analysis.smooth_pattern import SmoothPiece, smooth_pattern
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.laws.base import ContinuousLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.numerics.program import Program, UnsupportedExpression, compiled


class GoldShape:
    """g on an interval of u, or of r, in its smooth pieces."""

    def __init__(self, law: Law, gold: Gold) -> None:
        self.in_reward = bool(gold.expr.has(r))
        self.low: Fraction | None = ZERO
        self.high: Fraction | None = ONE
        self.x = u
        if self.in_reward:
            self.x = r
            if isinstance(law, ContinuousLaw):
                self.low, self.high = law.support
            elif isinstance(law, CountableLaw):
                self.low, self.high = Fraction(law.first), None
        self.expr: sympy.Expr = gold.expr.xreplace({ubar: 1 - u})
        #: x = u^{1/q}, in which roots of u are smooth at 0.
        self.q = 1
        if not self.in_reward:
            powers = [p.exp for p in self.expr.atoms(sympy.Pow) if p.exp.is_Rational]
            self.q = lcm(*(int(p.q) for p in powers), 1)
            self.expr = self.expr.subs(u, u**self.q) if self.q > 1 else self.expr
        try:
            self.pieces = [
                SmoothPiece(a, b, e, sympy.diff(e, self.x), sympy.diff(e, self.x, 2))
                for a, b, e in smooth_pieces(self.expr, self.x, self.low, self.high)
            ]
            self.values: list[Program] = [compiled(p.value, (self.x,)) for p in self.pieces]
        except (UnsupportedExpression, NotPolynomial) as why:
            raise NoExactForm(str(why)) from None

    @cached_property
    def pattern(self) -> tuple[list[int], list[Change]] | None:
        """The certified strict signs of dg and where they change; None where open."""
        found = smooth_pattern(self)
        if found is None or self.q == 1:
            return found
        signs, changes = found
        moved = [Change(c.low**self.q, c.high**self.q, c.before, c.after) for c in changes]
        return signs, moved


__all__ = ["GoldShape"]
