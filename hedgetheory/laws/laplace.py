"""The Laplace law, and the two-sided exponential laws that are its tilts."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import ClassVar

import sympy
from sympy import exp, log

from hedgetheory.exact import RealInput, rational
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.expressions.vocabulary import log1p
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, exact_symbol


class TwoSidedExponential(ContinuousLaw):
    """Density ∝ e^{−up (r−loc)} above loc and e^{−down (loc−r)} below it, up, down > 0.

    Log-concave, with a corner at loc: each side is a strand. Not a name of the spec grammar.
    """

    name = "two_sided_exponential"
    parameters: ClassVar[tuple[str, ...]] = ("loc", "up", "down")
    support = (None, None)
    log_concave = False  # it is, but its density is not analytic at loc

    def __init__(self, loc: Fraction, up: Fraction, down: Fraction) -> None:
        self.loc, self.up, self.down = loc, up, down
        c, high, low = exact_symbol(loc), exact_symbol(up), exact_symbol(down)
        below, above = high / (high + low), low / (high + low)  # the masses of the sides
        z = r - c
        peak = high * low / (high + low)
        self._below = (peak * exp(low * z), below * exp(low * z), 1 - below * exp(low * z))
        self._above = (peak * exp(-high * z), 1 - above * exp(-high * z), above * exp(-high * z))
        self.pdf, self.cdf, self.survival = (
            sympy.Piecewise((x, r < c), (y, True))
            for x, y in zip(self._below, self._above, strict=True)
        )
        self.quantile = c + sympy.Piecewise(
            (log(u / below) / low, u < below), (-log(ubar / above) / high, True)
        )
        self.log_density_slope = sympy.Piecewise((low, r < c), (-high, True))
        self.log_mgf = c * lam - log1p(-lam / high) - log1p(lam / low)
        self.mgf_limit = up
        self.mean = c + 1 / high - 1 / low
        self.centre, self.width = loc, 1 / up + 1 / down

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return Piece(None, self.loc, *self._below), Piece(self.loc, None, *self._above)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        down, up = 1 / self.down, 1 / self.up
        below, above = (None, self.loc), (self.loc, None)
        return (
            Strand(self, r, r, *self._below, below, self.loc - down, down, below),
            Strand(self, r, r, *self._above, above, self.loc + up, up, above),
        )

    def tilted(self, strength: Fraction) -> TwoSidedExponential:
        return TwoSidedExponential(self.loc, self.up - strength, self.down + strength)


class Laplace(TwoSidedExponential):
    """Laplace with location and scale > 0, f(r) = e^{−|r−loc|/scale}/(2 scale).

    E[e^{λR}] = e^{λ loc}/(1 − λ² scale²), finite for λ < 1/scale. Raises InputError for scale <= 0.

    >>> Laplace(0, 2).mgf_limit
    Fraction(1, 2)
    """

    name = "laplace"
    parameters = ("loc", "scale")

    def __init__(self, loc: RealInput = 0, scale: RealInput = 1) -> None:
        self.scale = self._positive("scale", scale)
        super().__init__(rational(loc, "loc"), 1 / self.scale, 1 / self.scale)
