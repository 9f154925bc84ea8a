"""Shaped rewards: an increasing formula of the reward of a continuous law."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.formula import Formula
from hedgetheory.expressions.inverting import inverse
from hedgetheory.expressions.signs import shown_positive
from hedgetheory.expressions.symbols import r
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, exact_symbol
from hedgetheory.laws.by_quantile import KnownByQuantile
from hedgetheory.laws.formula_reading import (
    UNKNOWN,
    in_exponentials,
    plain,
    rational_value,
    read_formula,
)
from hedgetheory.laws.latent import near
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.positivity import BITS, nonnegative
from hedgetheory.numerics.program import UnsupportedExpression, compiled


class Shaped(KnownByQuantile):
    """S = φ(R) with R of a continuous law and φ an increasing formula in r.

    Rank policies see only the quantile, so that w is the same function of it and only what asks for
    the reward itself changes; the density is f(φ⁻¹(s))/φ′(φ⁻¹(s)) where undoing the steps of φ one
    by one gives φ⁻¹ (elsewhere what asks for it raises NotCertified; ask at ``u=…``). φ′ > 0 is
    certified by its form, or by balls where the support is bounded. A bounded φ has every tilt; a
    tilt of one without an upper end raises NotCertified, as its existence is not decided.

    Raises InputError for a law with atoms and a φ that certainly decreases somewhere, NotCertified
    where that is not decided, or an end of the support is neither rational nor infinite.

    >>> from hedgetheory.laws.normal import Normal
    >>> Shaped(Normal(), "tanh(r)").support
    (Fraction(-1, 1), Fraction(1, 1))
    """

    name = "shaped"
    log_concave = False

    def __init__(self, law: ContinuousLaw, formula: str | Formula) -> None:
        self._take(law)
        self.formula = read_formula(formula, "r", self.name)
        self.shape = self.formula.expr
        self.slope = sympy.diff(self.shape, r)
        self._increasing()
        self.support = (self._image(law.support[0], -1), self._image(law.support[1], 1))
        self._settle(self._inverse())

    def _take(self, law: ContinuousLaw) -> None:
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"law={law!r}, but must be a law without atoms [{self.name}(...)]")
        self.law = law

    def _settle(self, back: sympy.Expr | None) -> None:
        """What follows from the shape φ, its slope and the support; ``back`` is φ⁻¹ in r."""
        law = self.law
        self.tilt_unknown = self.support[1] is None
        self.formulas = law.formulas & {"quantile"}
        if self.formulas:
            self.quantile = self.shape.xreplace({r: law.quantile})
        self.evaluation_cost = law.evaluation_cost
        with precision(BITS):
            at = ball(law.centre)
            self.centre = near(float(compiled(self.shape, (r,))(REAL, at).mid()))
            stretch = near(float(compiled(self.slope, (r,))(REAL, at).mid()))
        self.width = (stretch or Fraction(1, 1000)) * law.width
        self._back = back
        if back is not None:
            place = {r: back}
            self.cdf, self.survival = law.cdf.xreplace(place), law.survival.xreplace(place)
            self.pdf = law.pdf.xreplace(place) / self.slope.xreplace(place)

    # -- what is certified -------------------------------------------------------------------------
    @cached_property
    def _inside(self) -> dict[sympy.Symbol, sympy.Expr]:
        """The reward in a symbol that is merely positive, or any real one."""
        t = sympy.Symbol("t", positive=True)
        low, high = (None if end is None else exact_symbol(end) for end in self.law.support)
        if low is not None and high is not None:
            return {r: low + (high - low) / (1 + t)}
        if low is not None:
            return {r: low + t}
        return {} if high is None else {r: high - t}

    def _increasing(self) -> None:
        for form in (self.slope, in_exponentials(self.slope), plain(self.slope)):
            if shown_positive(form.xreplace(self._inside)):
                return
        low, high = self.law.support
        try:
            program = compiled(self.slope, (r,))
        except UnsupportedExpression as why:
            raise NotCertified(f"{why} [{self}]") from None
        if low is not None and high is not None:
            found = nonnegative(self.slope, r, low, high)
            if found.verdict == "positive":
                return
            if found.verdict == "negative" and found.place is not None:
                raise self._falls(found.place)
        with precision(BITS):
            for k in range(-20, 21):
                place = self.law.centre + k * self.law.width / 4
                outside = (low is not None and place <= low) or (high is not None and place >= high)
                if not outside and program(REAL, ball(place)) < 0:
                    raise self._falls(place)
        raise NotCertified(f"the shape is not shown to increase by its form [{self}]")

    def _falls(self, place: Fraction) -> InputError:
        return InputError(
            f"the shape decreases at r = {float(place):.15g}, but must increase [{self}]"
        )

    def _image(self, end: Fraction | None, side: int) -> Fraction | None:
        """φ at an end, None where it is infinite."""
        t = sympy.Symbol("t", positive=True)
        if end is None:
            value = _limit(in_exponentials(self.shape).xreplace({r: side * t}), t, sympy.oo)
        else:
            value = self.shape.subs(r, exact_symbol(end))
            if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                inside = self.shape.xreplace({r: exact_symbol(end) - side * t})
                value = _limit(inside, t, sympy.S.Zero)
        if value == side * sympy.oo:
            return None
        found = None if value is None else rational_value(value)
        if found is None:
            where = f"{'-' * (side < 0)}oo" if end is None else short(end)
            raise NotCertified(
                f"the shape is {value} at {where}: an end that is neither rational nor infinite "
                f"is not built [{self}]"
            )
        return found

    def _inverse(self) -> sympy.Expr | None:
        def sign_of(expr: sympy.Expr) -> int:
            inside = expr.xreplace(self._inside)
            return int(shown_positive(inside)) - int(shown_positive(-inside))

        return inverse(self.shape, r, r, sign_of)

    # -- the law -----------------------------------------------------------------------------------
    def _moved(self, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        """Cuts between pieces, and ends of the support, as shaped rewards."""
        return self._cut(ends[0], 0), self._cut(ends[1], 1)

    def _cut(self, cut: Fraction | None, i: int) -> Fraction | None:
        if cut is None or cut == self.law.support[i]:
            return self.support[i]
        found = rational_value(self.shape.subs(r, exact_symbol(cut)))
        if found is None:
            raise NotCertified(f"the pieces of {self} meet at an irrational reward: not built")
        return found

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        back = self._back
        if back is None:
            raise self._unknown("density")
        place = {r: back}
        slope = self.slope.xreplace(place)
        return tuple(
            Piece(
                *self._moved((piece.low, piece.high)),
                piece.pdf.xreplace(place) / slope,
                *(form.xreplace(place) for form in (piece.cdf, piece.survival)),
            )
            for piece in self.law.pieces
        )

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        back = UNKNOWN if self._back is None else self._back
        return tuple(
            replace(
                strand,
                reward=self.shape.xreplace({r: strand.reward}),
                coordinate=strand.coordinate.xreplace({r: back}),
                rewards=self._moved(strand.rewards),
                falling_bend=False,
            )
            for strand in self.law.strands
        )

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        low, high = self.law.quantile_bracket
        return self.shape.xreplace({r: low}), self.shape.xreplace({r: high})

    def __str__(self) -> str:
        return f"shaped({self.law}, {self.formula.text})"


def _limit(expr: sympy.Expr, t: sympy.Symbol, at: sympy.Expr) -> sympy.Expr | None:
    try:
        return sympy.limit(sympy.simplify(expr), t, at, "+" if at == 0 else "-")
    except (NotImplementedError, ValueError):
        return None
