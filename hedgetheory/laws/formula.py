"""Laws given by a formula of their pdf, cdf or quantile: what makes it one is proved.

On a finite support: the formula is finite and continuous, and the density ≥ 0 with isolated zeros
at most, by `numerics.positivity`; an antiderivative of a pdf is differentiated back; and the cdf is
exactly 0 and 1 at the two ends, reduced symbolically. Fractional powers at an end, as of √r at 0,
are undone by a coordinate in which nothing is singular: r = low + (middle − low)·t^k.

On an infinite one every tail bound rests on a log-concave density, so that is asked of the form:
(ln f)″ ≤ 0, and the limits of the cdf, by structure and by limits.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.formula import Formula
from hedgetheory.expressions.inverting import SignOf, inverse
from hedgetheory.expressions.prover import reduces_to_zero
from hedgetheory.expressions.signs import shown_positive
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, exact_symbol
from hedgetheory.laws.by_quantile import KnownByQuantile
from hedgetheory.laws.formula_places import Place, coordinate_of, end_densities
from hedgetheory.laws.formula_reading import (
    MAX_OPERATIONS,
    T,
    antiderivative,
    ball_of,
    end_of,
    integral_of,
    limit_at,
    plain,
    rational_value,
    read_formula,
    tidy,
)
from hedgetheory.laws.latent import near
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.positivity import BITS, finite, nonnegative
from hedgetheory.numerics.program import UnsupportedExpression, compiled


class FormulaLaw(ContinuousLaw):
    """A law without atoms by a formula; built by `from_pdf`, `from_cdf` and `from_quantile`.

    >>> FormulaLaw.from_pdf("6*r*(1 - r)", 0, 1)
    pdf(6*r*(1 - r), low=0, high=1)
    """

    log_concave = False
    formulas = frozenset()

    @staticmethod
    def from_pdf(formula: str | Formula, low: Any = "-oo", high: Any = "oo") -> PdfLaw:
        """The law with a density; see `PdfLaw`."""
        return PdfLaw(formula, low, high)

    @staticmethod
    def from_cdf(formula: str | Formula, low: Any = "-oo", high: Any = "oo") -> CdfLaw:
        """The law with a cdf; see `CdfLaw`."""
        return CdfLaw(formula, low, high)

    @staticmethod
    def from_quantile(formula: str | Formula) -> QuantileLaw:
        """The law with a quantile function; see `QuantileLaw`."""
        return QuantileLaw(formula)

    # -- building --------------------------------------------------------------------------------
    def _state(self, formula: str | Formula, low: Any, high: Any) -> sympy.Expr:
        self.formula = read_formula(formula, "r", self.name)
        self.support = (end_of("low", low, -1), end_of("high", high, 1))
        start, stop = self.support
        if start is not None and stop is not None and start >= stop:
            raise InputError(f"low={short(start)}, but must be < high={short(stop)} [{self}]")
        return self.formula.expr

    def _settle(self, pdf: Any, below: Any, bottom: Any, top: Any) -> None:
        """What is certified of f and of an F with F(low) = bottom and F(high) = top, here stored.

        1 − F is stated as top − F where top − bottom = 1, so that neither end cancels more than
        the formula itself does.
        """
        self.pdf = pdf
        self.cdf, self.survival = tidy(below - bottom), tidy(top - below)
        if None in self.support:
            self._certify_log_concave()
        else:
            self._certify_bounded()

    def _certify_bounded(self) -> None:
        low, high = self._ends
        self.centre, self.width = (low + high) / 2, high - low
        self._maps = [coordinate_of(self.pdf, low, high, side) for side in (-1, 1)]
        for place in self._maps:
            density = place.density(self.pdf)
            self._finite(density, place)
            self._finite(place.inside(self.cdf), place)
            self._increasing(density, place)
        self.end_density = end_densities(self.pdf, (low, high))
        self._invert(self._sign_of)

    def _invert(self, sign_of: SignOf) -> None:
        found = inverse(self.cdf, r, u, sign_of)
        if found is not None:
            self.quantile = found
            self.formulas = frozenset({"quantile"})

    @property
    def _ends(self) -> tuple[Fraction, Fraction]:
        low, high = self.support
        assert low is not None
        assert high is not None
        return low, high

    def _sign_of(self, expr: sympy.Expr) -> int:
        for sign in (1, -1):
            if nonnegative(sign * expr, r, *self._ends).verdict == "positive":
                return sign
        return 0

    def _finite(self, expr: sympy.Expr, place: Place) -> None:
        try:
            where = finite(expr, T, Fraction(0), Fraction(1))
        except UnsupportedExpression as why:
            raise NotCertified(f"{why} [{self}]") from None
        if where is not None:
            at = float(place.reward(where))
            raise NotCertified(
                f"the {self.name} is not shown to be finite near r = {at:.6g}: a pole, or a "
                f"logarithm or a power that is singular there [{self}]"
            )

    def _increasing(self, density: sympy.Expr, place: Place) -> None:
        sign = nonnegative(density, T, Fraction(0), Fraction(1))
        if sign.verdict == "positive":
            return
        at = "" if sign.place is None else f" near r = {float(place.reward(sign.place)):.15g}"
        if sign.verdict == "negative":
            what = "negative" if self.name == "pdf" else "decreasing"
            raise InputError(f"the {self.name} is {what}{at}, but must not be [{self}]")
        raise NotCertified(f"the density is not certified to be >= 0{at} [{self}]")

    # -- infinite support --------------------------------------------------------------------------
    def _certify_log_concave(self) -> None:
        low, high = self.support
        if sympy.count_ops(self.pdf) > MAX_OPERATIONS:
            raise NotCertified(f"the formula is too long for a law without ends [{self}]")
        t = sympy.Symbol("t", positive=True)
        there: dict[sympy.Symbol, sympy.Expr] = {}
        if low is not None:
            there = {r: exact_symbol(low) + t}
        elif high is not None:
            there = {r: exact_symbol(high) - t}
        simple = plain(self.pdf)
        slope = plain(sympy.diff(simple, r) / simple)
        bend = plain(-sympy.diff(slope, r))
        if not any(shown_positive(form.xreplace(there)) for form in (self.pdf, simple)):
            raise NotCertified(f"the density is not shown to be positive by its form [{self}]")
        if bend != 0 and not shown_positive(bend.xreplace(there)):
            raise NotCertified(
                f"the density is not shown to be log-concave by its form, on which the bounds of "
                f"an infinite tail rest: give finite low and high [{self}]"
            )
        for end, forms in ((low, (self.cdf, self.survival)), (high, (self.survival, self.cdf))):
            if end is not None and not all(
                compiled(form, (r,))(REAL, ball(end)).is_finite() for form in (*forms, self.pdf)
            ):
                raise NotCertified(f"the {self.name} is singular at {short(end)} [{self}]")
        self.log_concave, self.log_density_slope = True, slope
        self.mgf_limit = None if high is not None else self._limit_of_tilts(slope)
        self._place_bulk()
        self._invert(
            lambda e: (
                int(shown_positive(e.xreplace(there))) - int(shown_positive(-e.xreplace(there)))
            )
        )

    def _limit_of_tilts(self, slope: sympy.Expr) -> Fraction | None:
        """The rate of the upper tail: (ln f)′ falls to −rate, so that M(rate) = ∞."""
        found = sympy.limit(slope, r, sympy.oo)
        if found is -sympy.oo:
            return None
        if not found.is_Rational or not found < 0:
            raise NotCertified(f"the rate of the upper tail is not a known rational [{self}]")
        return -Fraction(int(found.p), int(found.q))

    def _place_bulk(self) -> None:
        """A rational near the median, and a width: where integrals start, not what they are."""
        low, high = self.support
        program = compiled(self.cdf, (r,))
        left = Fraction(-1) if low is None else low
        right = Fraction(1) if high is None else high
        left, right = min(left, right - 1), max(right, left + 1)
        with precision(BITS):
            for _ in range(200):
                if low is None and not program(REAL, ball(left)) < ball(Fraction(1, 2)):
                    left = 2 * left - right
                elif high is None and not program(REAL, ball(right)) > ball(Fraction(1, 2)):
                    right = 2 * right - left
                else:
                    break
            for _ in range(30):
                middle = (left + right) / 2
                if program(REAL, ball(middle)) < ball(Fraction(1, 2)):
                    left = middle
                else:
                    right = middle
            median = near(float((left + right) / 2))
            inside = (low is None or median > low) and (high is None or median < high)
            self.centre = median if inside else (left + right) / 2
            peak = compiled(self.pdf, (r,))(REAL, ball(self.centre))
            self.width = near(float((1 / (2 * peak)).mid())) or Fraction(1, 1000)

    # -- the law ---------------------------------------------------------------------------------
    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        if self.log_concave:
            return super().strands
        # Two halves, of a law that is not this one: nothing here is known to be log-concave.
        return tuple(place.strand(self) for place in self._maps)

    @cached_property
    def quantile_bracket(self) -> tuple[sympy.Expr, sympy.Expr]:
        if not self.log_concave or None not in self.support:
            low, high = self._ends
            return exact_symbol(low), exact_symbol(high)
        return self._chords()

    def _chords(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Q between the tangents of the concave ln F and ln(1 − F) at the centre c.

        ln F(x) ≤ ln F(c) + (f/F)(c)(x − c), so that Q(v) ≥ c + (ln v − ln F(c))/(f/F)(c), and in
        the same way Q(v) ≤ c − (ln v̄ − ln(1 − F(c)))/(f/(1 − F))(c).
        """
        at = {r: exact_symbol(self.centre)}
        f, below, above = (form.xreplace(at) for form in (self.pdf, self.cdf, self.survival))
        c = exact_symbol(self.centre)
        low = c + (sympy.log(u) - sympy.log(below)) * below / f
        high = c - (sympy.log(ubar) - sympy.log(above)) * above / f
        start, stop = (None if end is None else exact_symbol(end) for end in self.support)
        return start if start is not None else low, stop if stop is not None else high

    def __str__(self) -> str:
        low, high = self.support
        parts = [self.formula.text]
        parts += [] if low is None else [f"low={short(low)}"]
        parts += [] if high is None else [f"high={short(high)}"]
        return f"{self.name}({', '.join(parts)})"


class PdfLaw(FormulaLaw):
    """The law whose density is a formula in r on [low, high].

    Certified when built: f ≥ 0, and ∫ f = 1 exactly by an antiderivative that is differentiated
    back. Fractional powers of r − low and high − r are allowed. low and high are rationals, or
    "-oo" and "oo", where f must be log-concave by its form. No atoms.

    Raises InputError where f is certainly negative somewhere or certainly does not integrate to one
    (with the integral, to divide by), and NotCertified where either is not decided or no
    antiderivative is found: then state the cdf.

    >>> PdfLaw("2*r", 0, 1).quantile
    sqrt(u)
    >>> PdfLaw("r**2", 0, 1)
    Traceback (most recent call last):
        ...
    hedgetheory.errors.InputError: the pdf integrates to 1/3, but must integrate to 1: divide it \
by that [pdf(r**2, low=0, high=1)]
    """

    name = "pdf"

    def __init__(self, formula: str | Formula, low: Any = "-oo", high: Any = "oo") -> None:
        pdf = self._state(formula, low, high)
        below = antiderivative(pdf, self.support)
        if below is None:
            raise self._not_integrated(pdf)
        bottom, top = (self._value(below, end, side) for end, side in self._sides)
        total = top - bottom
        if sympy.I in total.atoms() or below.has(sympy.I):
            raise self._not_integrated(pdf)  # the antiderivative crosses a pole
        if not reduces_to_zero(total - 1):
            raise self._not_one(total)
        self._settle(pdf, below, bottom, top)

    @property
    def _sides(self) -> list[tuple[Fraction | None, int]]:
        return list(zip(self.support, (-1, 1), strict=True))

    def _value(self, below: sympy.Expr, end: Fraction | None, side: int) -> sympy.Expr:
        place = exact_symbol(end) if end is not None else side * sympy.oo
        value = below.subs(r, place) if end is not None else limit_at(below, side)
        if value is None or value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            raise NotCertified(f"the integral of the pdf is not finite up to {place} [{self}]")
        return value

    def _not_one(self, total: sympy.Expr) -> Exception:
        with precision(BITS):
            value = compiled(total, ())(REAL)
            if value.is_finite() and not value.contains(1):
                said = str(total) if total.is_Rational else value.str(20, radius=False)
                advice = ": divide it by that" if value > 0 else ""
                return InputError(
                    f"the pdf integrates to {said}, but must integrate to 1{advice} [{self}]"
                )
        return NotCertified(f"the pdf integrates to {total}, which is not shown to be 1 [{self}]")

    def _not_integrated(self, pdf: sympy.Expr) -> Exception:
        if None not in self.support:
            low, high = self.support
            assert low is not None
            assert high is not None
            value = integral_of(pdf, low, high)
            if value is not None and not value.contains(1):
                said = value.str(20, radius=False)
                return InputError(
                    f"the pdf integrates to {said}, but must integrate to 1: divide it by the "
                    f"exact value [{self}]"
                )
        return NotCertified(
            f"no antiderivative of the pdf is found, so that its integral is not shown to be 1: "
            f"state the law by its cdf [{self}]"
        )


class CdfLaw(FormulaLaw):
    """The law whose cdf is a formula in r on [low, high].

    Certified when built: F(low) = 0 and F(high) = 1 exactly, and F increasing between. low and high
    are rationals, or "-oo" and "oo", where F′ must be log-concave by its form. No atoms.

    Raises InputError where F certainly decreases somewhere or has other ends, and NotCertified
    where that is not decided.

    >>> CdfLaw("r**2", 0, 1).pdf
    2*r
    """

    name = "cdf"

    def __init__(self, formula: str | Formula, low: Any = "-oo", high: Any = "oo") -> None:
        below = self._state(formula, low, high)
        for end, side, wanted in zip(self.support, (-1, 1), (0, 1), strict=True):
            value = limit_at(below, side) if end is None else below.subs(r, exact_symbol(end))
            if value is None or value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.I):
                value = sympy.nan
            elif reduces_to_zero(value - wanted):
                continue
            place = f"r = {short(end)}" if end is not None else f"{'-' if side < 0 else ''}oo"
            if value is not sympy.nan and not ball_of(value).contains(wanted):
                raise InputError(
                    f"the cdf is {value} at {place}, but must be {wanted} there [{self}]"
                )
            raise NotCertified(f"the cdf is not shown to be {wanted} at {place} [{self}]")
        self._settle(sympy.diff(below, r), below, sympy.S.Zero, sympy.S.One)


class QuantileLaw(KnownByQuantile, FormulaLaw):
    """The law of Q(U), U uniform, by a formula Q in u: finite at both ends, and increasing.

    Certified when built: Q finite and continuous on [0, 1] with rational ends, Q′ > 0 but for
    isolated zeros. pdf and cdf have formulas where undoing the steps of Q one by one gives its
    inverse; elsewhere what asks for them raises NotCertified (ask at ``u=…``). No atoms.

    Raises InputError where Q certainly decreases somewhere, and NotCertified where that is not
    decided or an end is infinite or irrational: then state the cdf.

    >>> QuantileLaw("u**(1/2)").cdf
    r**2
    """

    name = "quantile"

    def __init__(self, formula: str | Formula) -> None:
        self.formula = read_formula(formula, "u", self.name)
        self.quantile = self.formula.expr
        low, high = (rational_value(self.quantile.subs(u, x)) for x in (0, 1))
        if low is None or high is None:
            raise NotCertified(
                f"the quantile function has no rational value at u = 0 and at u = 1: state the "
                f"law by its cdf [{self}]"
            )
        if low >= high:
            raise InputError(f"the quantile function does not increase [{self}]")
        self.support = (low, high)
        self.centre, self.width = (low + high) / 2, high - low
        self.formulas = frozenset({"quantile"})
        self._maps = self._places()
        for place in self._maps:
            inside = place.inside(self.quantile, u)
            self._finite(inside, place)
            slope = sympy.expand(sympy.diff(inside, T) * place.direction)
            self._finite(slope, place)
            self._increasing(slope, place)
        self._inverse = self._found_inverse()
        if self._inverse is not None:
            self.cdf = self._inverse
            self.survival = tidy(1 - self.cdf)
            self.pdf = sympy.simplify(sympy.diff(self.cdf, r))
            self.end_density = end_densities(self.pdf, self.support)

    def _places(self) -> list[Place]:
        """Two halves that meet at a rational reward, or one coordinate for the whole."""
        unit = Fraction(0), Fraction(1)
        places = [coordinate_of(self.quantile, *unit, side) for side in (-1, 1)]
        if rational_value(self.quantile.subs(u, sympy.Rational(1, 2))) is not None:
            return places
        if places[0].power > 1 and places[1].power > 1:
            raise NotCertified(
                f"fractional powers at both ends, and an irrational median, are not built: state "
                f"the law by its cdf [{self}]"
            )
        place = max(places, key=lambda p: p.power)
        return [Place(*unit, place.side, place.power, whole=True)]

    def _found_inverse(self) -> sympy.Expr | None:
        def sign_of(expr: sympy.Expr) -> int:
            for sign in (1, -1):
                if nonnegative(sign * expr, u, Fraction(0), Fraction(1)).verdict == "positive":
                    return sign
            return 0

        return inverse(self.quantile, u, r, sign_of)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        return (Piece(*self.support, self.pdf, self.cdf, self.survival),)

    @cached_property
    def strands(self) -> tuple[Strand, ...]:
        # Y is the quantile itself, or a root of it: R = Q(place(t)).
        forms = self._inverse
        return tuple(place.quantile_strand(self, self.quantile, forms) for place in self._maps)

    def __str__(self) -> str:
        return f"quantile({self.formula.text})"
