"""Coordinates in which the formula of a law has no singular end."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.prover import reduces_to_zero
from hedgetheory.expressions.symbols import r, u
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol
from hedgetheory.laws.formula_reading import MAX_ROOT, UNKNOWN, T, ball_of, rational_value

if TYPE_CHECKING:
    from hedgetheory.laws.formula import FormulaLaw, QuantileLaw


class Part(ContinuousLaw):
    """The law behind a bounded strand of which nothing but its formulas is known."""

    name = "part"
    log_concave = False

    def __init__(self, owner: ContinuousLaw, side: int) -> None:
        self.owner, self.side = owner, side
        self.support = owner.support

    def __str__(self) -> str:
        return f"part({self.owner}, side={self.side})"


class Place:
    """Half of an interval as x = end ± L t^k, t from 0 at the outer end to 1 in the middle.

    Or the ``whole`` of it, t = 1 at the other end.
    """

    def __init__(
        self, low: Fraction, high: Fraction, side: int, power: int, whole: bool = False
    ) -> None:
        self.low, self.high, self.side, self.power, self.whole = low, high, side, power, whole
        self.end = low if side < 0 else high
        self.length = high - low if whole else (high - low) / 2
        #: dx/dt has this sign.
        self.direction = -side

    @property
    def formula(self) -> sympy.Expr:
        return exact_symbol(self.end) - self.side * exact_symbol(self.length) * T**self.power

    def reward(self, t: Fraction) -> Fraction:
        return self.end - self.side * self.length * t**self.power

    def inside(self, expr: sympy.Expr, x: sympy.Symbol = r) -> sympy.Expr:
        return (
            sympy.expand(expr.subs(x, self.formula))
            if self.power > 1
            else expr.subs(x, self.formula)
        )

    def density(self, pdf: sympy.Expr) -> sympy.Expr:
        """pdf·|dx/dt|, in t."""
        jacobian = exact_symbol(self.length) * self.power * T ** (self.power - 1)
        raw = pdf.subs(r, self.formula)
        return raw * jacobian if self.power == 1 else sympy.expand(raw * jacobian)

    def leading(self, pdf: sympy.Expr) -> tuple[sympy.Expr, Fraction] | None:
        """(c, p) with pdf ~ c d^p at the outer end, where a fractional power stands there.

        pdf·L k t^{k−1} ~ g t^m and d = L t^k: c = g/k · L^{−(m+1)/k}, p = (m + 1 − k)/k.
        """
        if self.power == 1:
            return None
        form = self.density(pdf)
        for order in range(40):
            value = sympy.diff(form, T, order).subs(T, 0) / sympy.factorial(order)
            if not reduces_to_zero(value):
                if ball_of(value).contains(0):
                    break
                share = Fraction(order + 1, self.power)
                scale = exact_symbol(self.length) ** -exact_symbol(share)
                return value / self.power * scale, share - 1
        raise NotCertified("the density is not shown to have a power of the distance at an end")

    # In a strand the coordinate y increases with the reward: y = t below, and 2 − t above, so that
    # both halves together run from 0 to 2.
    @property
    def _t(self) -> sympy.Expr:
        return r if self.side < 0 else 2 - r

    @property
    def _range(self) -> tuple[Fraction, Fraction]:
        return (Fraction(0), Fraction(1)) if self.side < 0 else (Fraction(1), Fraction(2))

    @property
    def _back(self) -> sympy.Expr:
        """t in terms of x = r."""
        share = (r - exact_symbol(self.end)) * -self.side / exact_symbol(self.length)
        return share ** sympy.Rational(1, self.power)

    def _halves(self) -> tuple[Fraction, Fraction]:
        middle = (self.low + self.high) / 2
        return (self.low, middle) if self.side < 0 else (middle, self.high)

    def strand(self, law: FormulaLaw) -> Strand:
        part, half = Part(law, self.side), self._halves()
        if self.power == 1:
            forms = (law.pdf, law.cdf, law.survival)
            centre = (half[0] + half[1]) / 2
            return Strand(part, r, r, *forms, half, centre, half[1] - half[0], half)
        forms = (
            self.density(law.pdf),
            self.inside(law.cdf),
            self.inside(law.survival),
        )
        return self._strand(part, self.formula, self._back, forms, half)

    def quantile_strand(
        self, law: QuantileLaw, quantile: sympy.Expr, cdf: sympy.Expr | None
    ) -> Strand:
        """The uniform law of u in the coordinate t, with the reward Q(u(t))."""
        part, level = Part(law, self.side), self.formula
        jacobian = exact_symbol(self.length) * self.power * T ** (self.power - 1)
        bar = sympy.expand(1 - level)
        back = UNKNOWN if cdf is None else self._back.xreplace({r: cdf})
        low, high = law.support
        cut = rational_value(quantile.subs(u, sympy.Rational(1, 2)))
        ends = (low, high) if self.whole else (low, cut) if self.side < 0 else (cut, high)
        return self._strand(part, self.inside(quantile, u), back, (jacobian, level, bar), ends)

    def _strand(
        self, part: Part, reward: sympy.Expr, back: sympy.Expr, forms: Any, rewards: Any
    ) -> Strand:
        to_y = {T: self._t}
        low, high = self._range
        coordinate = back if self.side < 0 else 2 - back
        return Strand(
            part,
            reward.xreplace(to_y),
            coordinate,
            forms[0].xreplace(to_y),
            forms[1].xreplace(to_y),
            forms[2].xreplace(to_y),
            (low, high),
            (low + high) / 2,
            Fraction(1),
            rewards,
        )


def coordinate_of(expr: sympy.Expr, low: Fraction, high: Fraction, side: int) -> Place:
    """The coordinate in which the fractional powers of the distance to an end are whole ones."""
    end = exact_symbol(low if side < 0 else high)
    power = 1
    for part in expr.atoms(sympy.Pow):
        if part.exp.is_Rational and not part.exp.is_Integer and part.base.free_symbols:
            (x,) = part.base.free_symbols
            if reduces_to_zero(part.base.subs(x, end)):
                power = lcm(power, int(part.exp.q))
    if power > MAX_ROOT:
        raise NotCertified(f"a power of {expr} has a denominator above {MAX_ROOT}")
    return Place(low, high, side, power)


def end_densities(
    pdf: sympy.Expr, support: tuple[Any, Any]
) -> dict[int, tuple[sympy.Expr, Fraction]]:
    places = {side: coordinate_of(pdf, *support, side) for side in (-1, 1)}
    found = {side: place.leading(pdf) for side, place in places.items()}
    return {side: lead for side, lead in found.items() if lead is not None}
