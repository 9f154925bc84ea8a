"""Continuous laws given that they fall in an interval."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import sympy

from hedgetheory.errors import InputError
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, clipped, exact_symbol
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import compiled


class Truncated(ContinuousLaw):
    """A continuous law given that it falls in [low, high].

    F = (F₀ − F₀(low))/(F₀(high) − F₀(low)). Every moment is finite, and every tilt exists. Raises
    InputError for low >= high, a law with atoms, and an interval without probability.

    >>> from hedgetheory.laws.pareto import Pareto
    >>> Truncated(Pareto("0.9"), 1, 10).support
    (Fraction(1, 1), Fraction(10, 1))
    """

    name = "truncated"
    log_concave = False

    def __init__(self, law: ContinuousLaw, low: RealInput, high: RealInput) -> None:
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"law={law!r}, but must be a law without atoms [truncated(...)]")
        self.law = law
        self.low, self.high = rational(low, "low"), rational(high, "high")
        start, stop = law.support
        bottom = self.low if start is None else max(self.low, start)
        top = self.high if stop is None else min(self.high, stop)
        if self.low >= self.high or bottom >= top:
            raise InputError(f"[low, high] is not an interval of rewards of {law} [{self}]")
        self.support = (bottom, top)
        below, above_low = self._levels(bottom)
        below_high, above = self._levels(top)
        #: Whether the mass is closer to the top: then it is a difference of survivals.
        high_up = bool(compiled(below, ())(REAL) > ball(Fraction(1, 2)))
        self.mass = above_low - above if high_up else below_high - below
        if not compiled(self.mass, ())(REAL) > 0:
            raise InputError(f"{law} has no probability that is seen in [low, high] [{self}]")
        self._outer = (below, above_low, below_high, above, high_up)
        self.pdf, self.cdf, self.survival = self._given(law.pdf, law.cdf, law.survival)
        self.evaluation_cost = law.evaluation_cost
        self.formulas = law.formulas & {"quantile"}
        if self.formulas:
            levels = {u: below + u * self.mass, ubar: above + ubar * self.mass}
            self.quantile = law.quantile.xreplace(levels)
        self.end_density = {
            side: (peak / self.mass, power)
            for side, (peak, power) in law.end_density.items()
            if self.support[(1 + side) // 2] == law.support[(1 + side) // 2]
        }
        self.centre, self.width = (bottom + top) / 2, top - bottom

    def _levels(self, end: Fraction) -> tuple[sympy.Expr, sympy.Expr]:
        """F₀ and 1 − F₀ at an end."""
        if end == self.law.support[0]:
            return sympy.S.Zero, sympy.S.One
        if end == self.law.support[1]:
            return sympy.S.One, sympy.S.Zero
        at = {r: exact_symbol(end)}
        return self.law.cdf.xreplace(at), self.law.survival.xreplace(at)

    def _given(
        self, pdf: sympy.Expr, cdf: sympy.Expr, survival: sympy.Expr
    ) -> tuple[sympy.Expr, sympy.Expr, sympy.Expr]:
        below, above_low, below_high, above, high_up = self._outer
        if high_up:
            forms = above_low - survival, survival - above
        else:
            forms = cdf - below, below_high - cdf
        return pdf / self.mass, forms[0] / self.mass, forms[1] / self.mass

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        low, high = self.support
        assert low is not None
        assert high is not None
        out = []
        for piece in self.law.pieces:
            start = low if piece.low is None else max(low, piece.low)
            stop = high if piece.high is None else min(high, piece.high)
            if start < stop:
                out.append(Piece(start, stop, *self._given(piece.pdf, piece.cdf, piece.survival)))
        return tuple(out)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        out = []
        for strand in self.law.strands:
            part = clipped(strand, *self.support)
            if part is not None:
                _, cdf, survival = self._given(part.pdf, part.cdf, part.survival)
                weight = (
                    part.weight
                    if not isinstance(part.weight, Fraction)
                    else exact_symbol(part.weight)
                )
                out.append(replace(part, cdf=cdf, survival=survival, weight=weight / self.mass))
        return tuple(out)

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        low, high = self.support
        assert low is not None
        assert high is not None
        return exact_symbol(low), exact_symbol(high)

    def __str__(self) -> str:
        return f"truncated({self.law}, low={short(self.low)}, high={short(self.high)})"
