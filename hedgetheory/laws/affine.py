"""Affine transforms of continuous laws."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import InputError
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.symbols import lam, r
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, exact_symbol


class Affine(ContinuousLaw):
    """loc + scale·R with R of a continuous law, scale > 0.

    Rank policies do not see it; a tilt by λ is the tilt of R by λ·scale. Raises InputError for
    scale <= 0 or a law with atoms.

    >>> from hedgetheory.laws.exponential import Exponential
    >>> Affine(Exponential(1), 2, 3).mean
    5
    """

    name = "affine"

    def __init__(self, law: ContinuousLaw, loc: RealInput = 0, scale: RealInput = 1) -> None:
        if not isinstance(law, ContinuousLaw):
            raise InputError(f"law={law!r}, but must be a law without atoms [affine(...)]")
        self.law = law
        self.loc = rational(loc, "loc")
        self.scale = self._positive("scale", scale)
        c, s = exact_symbol(self.loc), exact_symbol(self.scale)
        self._back = {r: (r - c) / s}
        self.pdf = law.pdf.xreplace(self._back) / s
        self.cdf, self.survival = law.cdf.xreplace(self._back), law.survival.xreplace(self._back)
        self.support = self._moved(law.support)
        self.formulas, self.log_concave = law.formulas, law.log_concave
        self.tilt_unknown = law.tilt_unknown
        self.tail_index, self.evaluation_cost = law.tail_index, law.evaluation_cost
        self.mgf_limit = None if law.mgf_limit is None else law.mgf_limit / self.scale
        if "quantile" in law.formulas:
            self.quantile = c + s * law.quantile
        if "log_mgf" in law.formulas and law.mgf_limit != 0:
            self.log_mgf = c * lam + law.log_mgf.xreplace({lam: s * lam})
        if "mean" in law.formulas:
            self.mean = c + s * law.mean
        self.end_density = {
            side: (peak / s ** exact_symbol(power + 1), power)
            for side, (peak, power) in law.end_density.items()
        }
        self.centre, self.width = self.loc + self.scale * law.centre, self.scale * law.width

    def _moved(self, ends: tuple[Any, Any]) -> tuple[Any, Any]:
        low, high = (None if x is None else self.loc + self.scale * x for x in ends)
        return low, high

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        s = exact_symbol(self.scale)
        return tuple(
            Piece(
                *self._moved((piece.low, piece.high)),
                piece.pdf.xreplace(self._back) / s,
                *(form.xreplace(self._back) for form in (piece.cdf, piece.survival)),
            )
            for piece in self.law.pieces
        )

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        c, s = exact_symbol(self.loc), exact_symbol(self.scale)
        return tuple(
            replace(
                strand,
                reward=c + s * strand.reward,
                coordinate=strand.coordinate.xreplace(self._back),
                rewards=self._moved(strand.rewards),
            )
            for strand in self.law.strands
        )

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        c, s = exact_symbol(self.loc), exact_symbol(self.scale)
        low, high = self.law.quantile_bracket
        return c + s * low, c + s * high

    def tilted(self, strength: Fraction) -> Affine | None:
        inner = self.law.tilted(strength * self.scale)
        return None if inner is None else Affine(inner, self.loc, self.scale)

    def __str__(self) -> str:
        return f"affine({self.law}, loc={short(self.loc)}, scale={short(self.scale)})"
