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
from math import lcm
from typing import Any

import sympy
from sympy.integrals.manualintegrate import manualintegrate

from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import RealInput, rational, short
from hedgetheory.expressions.formula import Formula, parse_formula
from hedgetheory.expressions.inverting import SignOf, inverse
from hedgetheory.expressions.prover import limit_is, reduces_to_zero
from hedgetheory.expressions.reading import read
from hedgetheory.expressions.signs import shown_positive
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.expressions.vocabulary import expm1, log1p, ndtr
from hedgetheory.expressions.writing import written
from hedgetheory.laws.base import ContinuousLaw, Piece, Strand, exact_symbol
from hedgetheory.laws.latent import near
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, precision
from hedgetheory.numerics.positivity import BITS, finite, nonnegative
from hedgetheory.numerics.program import UnsupportedExpression, compiled

#: Formulas of more operations are not integrated, or asked for log-concavity.
MAX_OPERATIONS = 80
#: The largest k of a coordinate r = low + t^k.
MAX_ROOT = 12
_T = sympy.Symbol("t", positive=True)
#: A formula without a value anywhere: where a coordinate has none.
UNKNOWN = log1p(-2 - r**2)
_CORNERS = (sympy.Piecewise, sympy.Abs, sympy.Min, sympy.Max)


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
        self.support = (_end("low", low, -1), _end("high", high, 1))
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
        self.cdf, self.survival = _tidy(below - bottom), _tidy(top - below)
        if None in self.support:
            self._certify_log_concave()
        else:
            self._certify_bounded()

    def _certify_bounded(self) -> None:
        low, high = self._ends
        self.centre, self.width = (low + high) / 2, high - low
        self._maps = [_coordinate(self.pdf, low, high, side) for side in (-1, 1)]
        for place in self._maps:
            density = place.density(self.pdf)
            self._finite(density, place)
            self._finite(place.inside(self.cdf), place)
            self._increasing(density, place)
        self.end_density = _end_densities(self.pdf, (low, high))
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

    def _finite(self, expr: sympy.Expr, place: _Place) -> None:
        try:
            where = finite(expr, _T, Fraction(0), Fraction(1))
        except UnsupportedExpression as why:
            raise NotCertified(f"{why} [{self}]") from None
        if where is not None:
            at = float(place.reward(where))
            raise NotCertified(
                f"the {self.name} is not shown to be finite near r = {at:.6g}: a pole, or a "
                f"logarithm or a power that is singular there [{self}]"
            )

    def _increasing(self, density: sympy.Expr, place: _Place) -> None:
        sign = nonnegative(density, _T, Fraction(0), Fraction(1))
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
        value = below.subs(r, place) if end is not None else _limit(below, side)
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
            value = _integral(pdf, low, high)
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
            value = _limit(below, side) if end is None else below.subs(r, exact_symbol(end))
            if value is None or value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
                value = sympy.nan
            elif reduces_to_zero(value - wanted):
                continue
            place = f"r = {short(end)}" if end is not None else f"{'-' if side < 0 else ''}oo"
            if value is not sympy.nan and not _ball_of(value).contains(wanted):
                raise InputError(
                    f"the cdf is {value} at {place}, but must be {wanted} there [{self}]"
                )
            raise NotCertified(f"the cdf is not shown to be {wanted} at {place} [{self}]")
        self._settle(sympy.diff(below, r), below, sympy.S.Zero, sympy.S.One)


class QuantileLaw(FormulaLaw):
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
            slope = sympy.expand(sympy.diff(inside, _T) * place.direction)
            self._finite(slope, place)
            self._increasing(slope, place)
        self._inverse = self._found_inverse()
        if self._inverse is not None:
            self.cdf = self._inverse
            self.survival = _tidy(1 - self.cdf)
            self.pdf = sympy.simplify(sympy.diff(self.cdf, r))
            self.end_density = _end_densities(self.pdf, self.support)

    def _places(self) -> list[_Place]:
        """Two halves that meet at a rational reward, or one coordinate for the whole."""
        unit = Fraction(0), Fraction(1)
        places = [_coordinate(self.quantile, *unit, side) for side in (-1, 1)]
        if rational_value(self.quantile.subs(u, sympy.Rational(1, 2))) is not None:
            return places
        if places[0].power > 1 and places[1].power > 1:
            raise NotCertified(
                f"fractional powers at both ends, and an irrational median, are not built: state "
                f"the law by its cdf [{self}]"
            )
        place = max(places, key=lambda p: p.power)
        return [_Place(*unit, place.side, place.power, whole=True)]

    def _found_inverse(self) -> sympy.Expr | None:
        def sign_of(expr: sympy.Expr) -> int:
            for sign in (1, -1):
                if nonnegative(sign * expr, u, Fraction(0), Fraction(1)).verdict == "positive":
                    return sign
            return 0

        return inverse(self.quantile, u, r, sign_of)

    @cached_property
    def cdf(self) -> sympy.Expr:
        raise self._unknown("cdf")

    @cached_property
    def survival(self) -> sympy.Expr:
        raise self._unknown("cdf")

    @cached_property
    def pdf(self) -> sympy.Expr:
        raise self._unknown("density")

    def _unknown(self, what: str) -> NotCertified:
        return NotCertified(f"the {what} of {self} has no formula in the reward: ask at u=…")

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


# -- coordinates -----------------------------------------------------------------------------------


class _Part(ContinuousLaw):
    """The law behind a bounded strand of which nothing but its formulas is known."""

    name = "part"
    log_concave = False

    def __init__(self, owner: ContinuousLaw, side: int) -> None:
        self.owner, self.side = owner, side
        self.support = owner.support

    def __str__(self) -> str:
        return f"part({self.owner}, side={self.side})"


class _Place:
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
        return exact_symbol(self.end) - self.side * exact_symbol(self.length) * _T**self.power

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
        jacobian = exact_symbol(self.length) * self.power * _T ** (self.power - 1)
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
            value = sympy.diff(form, _T, order).subs(_T, 0) / sympy.factorial(order)
            if not reduces_to_zero(value):
                if _ball_of(value).contains(0):
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
        part, half = _Part(law, self.side), self._halves()
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
        part, level = _Part(law, self.side), self.formula
        jacobian = exact_symbol(self.length) * self.power * _T ** (self.power - 1)
        bar = sympy.expand(1 - level)
        back = UNKNOWN if cdf is None else self._back.xreplace({r: cdf})
        low, high = law.support
        cut = rational_value(quantile.subs(u, sympy.Rational(1, 2)))
        ends = (low, high) if self.whole else (low, cut) if self.side < 0 else (cut, high)
        return self._strand(part, self.inside(quantile, u), back, (jacobian, level, bar), ends)

    def _strand(
        self, part: _Part, reward: sympy.Expr, back: sympy.Expr, forms: Any, rewards: Any
    ) -> Strand:
        to_y = {_T: self._t}
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


def _coordinate(expr: sympy.Expr, low: Fraction, high: Fraction, side: int) -> _Place:
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
    return _Place(low, high, side, power)


def _end_densities(
    pdf: sympy.Expr, support: tuple[Any, Any]
) -> dict[int, tuple[sympy.Expr, Fraction]]:
    places = {side: _coordinate(pdf, *support, side) for side in (-1, 1)}
    found = {side: place.leading(pdf) for side, place in places.items()}
    return {side: lead for side, lead in found.items() if lead is not None}


# -- helpers ---------------------------------------------------------------------------------------


def read_formula(formula: str | Formula, variable: str, what: str) -> Formula:
    """A formula in one variable, without corners, its text in the canonical form."""
    text = formula if isinstance(formula, str) else formula.text
    text = written(read(text, what))
    found = parse_formula(text, (variable,), what)
    if found.variable is None:
        raise InputError(f"{what} must be a formula in {variable} [{text}]")
    if found.expr.has(*_CORNERS):
        raise InputError(
            f"{what} may not have where, abs, min or max: write a mixture of laws by formulas, "
            f"one for each piece [{text}]"
        )
    return found


def _end(name: str, given: Any, side: int) -> Fraction | None:
    if isinstance(given, str) and given.strip() in ("oo", "-oo"):
        if given.strip() != ("-oo" if side < 0 else "oo"):
            raise InputError(f"{name}={given}, but must be a rational or {'-' * (side < 0)}oo")
        return None
    value: RealInput = given
    return rational(value, name)


def antiderivative(
    pdf: sympy.Expr, support: tuple[Fraction | None, Fraction | None]
) -> sympy.Expr | None:
    """An A with A′ = f, differentiated back and by balls continuous on the interval; else None."""
    x = sympy.Symbol("x", real=True)
    f = pdf.xreplace({r: x})
    if sympy.count_ops(f) > MAX_OPERATIONS:
        return None
    polynomial = f.is_polynomial(x)
    try:
        found = sympy.Poly(f, x).integrate().as_expr() if polynomial else manualintegrate(f, x)
    except (NotImplementedError, ValueError, TypeError, RecursionError, AttributeError):
        return None
    if found is None or found.has(sympy.Integral, *_CORNERS):
        return None
    found = found.xreplace({x: r})
    if not reduces_to_zero(sympy.diff(found, r) - pdf):
        return None
    try:
        compiled(found, (r,))
    except UnsupportedExpression:
        return None
    return found


def _tidy(expr: sympy.Expr) -> sympy.Expr:
    """An equal formula that cancels less at the end at which it vanishes, where one is known."""
    if expr.is_polynomial(r):
        return sympy.factor(expr)
    if not sympy.expand(expr).as_independent(r, as_Add=True)[0]:
        return expr  # without a constant, nothing to cancel
    constant, rest = expr.as_independent(r, as_Add=True)
    if constant == 1 and isinstance(-rest, sympy.exp):
        return -expm1((-rest).args[0])
    if expr.has(sympy.erf):
        # erf(z) = 2Φ(√2 z) − 1 = 1 − 2Φ(−√2 z)
        spread = sympy.expand(expr)
        z = next(iter(spread.atoms(sympy.erf))).args[0]
        for sign in (1, -1):
            level = sign * (2 * ndtr(sympy.sqrt(2) * sign * z) - 1)
            other = sympy.expand(spread.xreplace({sympy.erf(z): level}))
            if not other.as_independent(r, as_Add=True)[0]:
                return other
        return expr
    other = plain(expr)
    return other if other != expr and reduces_to_zero(other - in_exponentials(expr)) else expr


def in_exponentials(expr: sympy.Expr) -> sympy.Expr:
    return expr.rewrite([sympy.tanh, sympy.sinh, sympy.cosh], sympy.exp)


def plain(expr: sympy.Expr) -> sympy.Expr:
    """One quotient in exponentials, numerator and denominator without a common factor."""
    if sympy.count_ops(expr) > MAX_OPERATIONS:
        return expr
    return sympy.factor(in_exponentials(sympy.simplify(in_exponentials(expr))))


def _limit(expr: sympy.Expr, side: int) -> sympy.Expr | None:
    """The limit at ±∞, by sympy on a formula in exponentials; None where it finds none."""
    t = sympy.Symbol("t", positive=True)
    inside = sympy.simplify(in_exponentials(expr).xreplace({r: side * t}))
    try:
        value = sympy.limit(inside, t, sympy.oo)
    except (NotImplementedError, ValueError):
        return None
    return value if limit_is("", inside, t, sympy.oo, value).holds else None


def _ball_of(value: sympy.Expr) -> Any:
    with precision(BITS):
        return compiled(value, ())(REAL)


def rational_value(value: sympy.Expr) -> Fraction | None:
    if value.is_Rational:
        return Fraction(int(value.p), int(value.q))
    simple = sympy.simplify(value)
    return Fraction(int(simple.p), int(simple.q)) if simple.is_Rational else None


def _integral(pdf: sympy.Expr, low: Fraction, high: Fraction) -> Any:
    """A ball around ∫ f, None where balls do not bound it."""
    program = compiled(pdf, (r,))
    with precision(BITS):
        value = balls.integral(
            lambda x, analytic: program(balls.complex_arithmetic(analytic), x),
            *(ball(low), ball(high)),
        )
    return value if value.is_finite() else None
