"""The shape of f(λ) = E_λ[g] under the raw tilt, on every law on which some tilt exists.

**At most one turn.** M(λ)(f(λ) − c) = ∫ (g − c) e^{λr} dF is a Laplace transform: where finite it
has, counted with multiplicity, at most as many zeros as g − c has changes of sign, and where it has
as many its signs come in the same order (Pólya and Szegő, part V; Karlin 1968). Let g rise, then
fall (else take −g): g − c has at most the signs −, +, −. A zero λ₀ of f′ is a zero of f − f(λ₀)
of order two or more, so of order two exactly, and f < f(λ₀) everywhere else: f′ has at most one
zero, and changes there from + to −. So a certified sign − of f′ at one λ holds from there on, a
sign + up to there; f′ = Cov_λ(g, R) is continuous at λ = 0, so the sign there counts as well. If g
is monotone, so is f: the tilt is stochastically increasing.

**Two turns.** Let g fall, rise and fall again, with a limit L at the top no lower than that at the
bottom (else take −g). Then g − c still changes sign at most twice for every c, as −, +, − above
both limits and +, −, + below: f has at most one maximum, above L, and one minimum, below L, and f′
at most two zeros. And g − L changes once, from − to +, so that f stays above L where it once is:
from there on it has no minimum, and as it goes to L its slope ends with the last sign of g′. So it
does where λ has no limit: g > L from some x on, so that ∫ (g − L) e^{λr} dF is positive for large
λ. The sign of f′ at 0 then says whether f has an even or an odd number of turns.

**The far end.** As λ goes to its limit (∞, or where M(λ) = ∞; M is infinite at every finite limit
of the laws here) all mass goes to the top of the law, so that f goes to the limit of g there,
provided that |g| grows more slowly than every exponential or the limit is ∞.

**The value at the turn** λ† in [a, b]: f(λ†) is between f(a) and f(a) ± (b − a) sup |f′|, for which
`TiltMoments.steepest` has a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import islice, pairwise
from typing import Any

from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.deciding import limit_at_top
from hedgetheory.analysis.expsum import Coefficient, canonical, constant_ball, symbolic
from hedgetheory.analysis.gold import Change, Gold, NotPolynomial, constant_sign
from hedgetheory.analysis.gold_shape import GoldShape
from hedgetheory.analysis.gold_signs import limit_at_infinity
from hedgetheory.analysis.lattice_shape import lattice_pattern
from hedgetheory.analysis.picture import Extremum, Picture, Point, settled
from hedgetheory.analysis.smooth_pattern import is_symmetric
from hedgetheory.analysis.soft.pattern import between
from hedgetheory.analysis.tilt_moments import (
    FIRST_BITS,
    ContinuousMoments,
    CountableMoments,
    TiltMoments,
)
from hedgetheory.analysis.zeros import Zero
from hedgetheory.errors import NotCertified
from hedgetheory.exact import Number, short
from hedgetheory.functionals.growth import growth
from hedgetheory.laws.base import ContinuousLaw, Law, exact_symbol
from hedgetheory.laws.beta import Beta
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.laplace import Laplace
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.mixed import MixedLaw
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics.ball import ball, enclosing_rationals, precision

#: As many as signs are first asked for to: a value serves for both.
_GUESS_BITS = FIRST_BITS
#: Points λ that are tried for a sign of f′: doublings, or halvings of what is left to the limit.
_STEPS = 16
_VALUE_BITS = 400
#: No λ† or value is narrowed to more digits than these.
_MOST_DIGITS = 60
_SYMMETRIC = (Normal, Logistic, Laplace)
_THEOREM = (
    "e^(lam r) is strictly totally positive and g has one turn: f is monotone or turns once "
    "(variation diminishing, Karlin 1968); "
)
_TWICE = (
    "e^(lam r) is strictly totally positive and g meets no level more than twice: f has at most "
    "one maximum and one minimum (variation diminishing, Karlin 1968); "
)


@dataclass(frozen=True)
class TiltSlope:
    """f′ as a function of λ: signs are certified at the rational itself."""

    moments: TiltMoments

    def exact_sign(self, x: Fraction) -> int:
        """The certified sign of f′ at λ = x, 0 where it is not decided."""
        return self.moments.sign(x)

    def __call__(self, x: Any) -> Any:
        """A ball near f′, for guesses of where it vanishes; decisions use `exact_sign`."""
        at = enclosing_rationals(x.mid())[0]
        try:
            with precision(_GUESS_BITS):
                slope = self.moments.slope(at)
        except NotCertified:
            return ball(0)
        return slope.mid() if slope.is_finite() else ball(0)


def raw_tilt_picture(law: Law, gold: Gold) -> tuple[Picture, tuple[list[int], list[Change]] | None]:
    """The picture of f on [0, limit of M), and the signs of dg with their changes (None: open).

    Raises NoExactForm for laws and gold curves that are not of the forms known here.
    """
    return RawTilt(law, gold).run()


class RawTilt:
    """f on its domain; a law with atoms and a density brings the shape of g and its moments."""

    def __init__(
        self,
        law: Law,
        gold: Gold,
        shape: GoldShape | None = None,
        moments: TiltMoments | None = None,
    ) -> None:
        self.law, self.gold = law, gold
        self.shape = GoldShape(law, gold) if shape is None else shape
        self.limit: Fraction | None
        self.moments: TiltMoments
        self.top = Number.infinity()
        if isinstance(law, (ContinuousLaw, MixedLaw)):
            if isinstance(law, ContinuousLaw):
                moments = ContinuousMoments(law, gold.expr)
            assert moments is not None
            self.moments = moments
            self.limit = law.mgf_limit
            if self.limit is not None:
                self.top = Number.exact(self.limit)
        elif isinstance(law, CountableLaw):
            self.moments = CountableMoments(law, gold.expr)
            self.limit = _log_below(law.growth_limit)
        else:
            raise NoExactForm(f"the tilt of {law} is not examined here")
        self.slope = TiltSlope(self.moments)

    def run(self) -> tuple[Picture, tuple[list[int], list[Change]] | None]:
        try:
            if isinstance(self.law, CountableLaw):
                pattern = lattice_pattern(self.law, self.shape)
            else:
                pattern = self.shape.pattern
        except NotPolynomial as why:
            raise NoExactForm(str(why)) from None
        if pattern is None:
            return self._open("the sign changes of g' are not certified"), None
        blocked = self._infinite()
        if blocked:
            return self._open(blocked), pattern
        signs, changes = pattern
        if not changes:
            text = "g' does not change sign and the tilt is stochastically increasing (strict MLR)"
            return self._drawn(signs, [], "", text), pattern
        if len(changes) == 1:
            return self._single(signs[0], signs[1]), pattern
        if len(changes) == 2 and self._returns(signs[-1]):
            return self._double(signs[-1], changes), pattern
        return self._listed(changes), pattern

    # What must hold first ---------------------------------------------------------------------

    def _infinite(self) -> str:
        """Why E_λ[g] is not known to be finite for every λ below the limit; empty if it is."""
        try:
            with precision(64):
                start = self.moments.mean_gold(Fraction(0))
            if not start.is_finite():
                return "E[g] is not certified to be finite"
            # Below the limit a polynomial times e^{λr} is still integrable.
            unbounded = self.shape.in_reward and self.shape.high is None
            if self.limit is not None and unbounded and growth(self.moments.gold, 1).rate > 0:
                return "g grows like an exponential: E_lam[g] may be infinite before lam's limit"
        except NotCertified as why:
            return f"E[g] is not certified to be finite: {why}"
        return ""

    def _start_sign(self, last: int) -> int:
        """The sign of Cov(g, R), that of f′ at λ = 0; ``last`` for gold even about the centre.

        There f′(0) = 0 exactly, and M is finite on both sides of 0: an inner zero, so the turn.
        """
        if _is_symmetric(self.law) and self.shape.q == 1:
            assert isinstance(self.law, ContinuousLaw)
            centre = _middle(self.law) if self.shape.in_reward else Fraction(1, 2)
            if is_symmetric(self.shape.pieces, self.shape.x, centre):
                return last
        return self.moments.sign(Fraction(0))

    # The shape --------------------------------------------------------------------------------

    def _grid(self) -> Iterator[Fraction]:
        """λ from small to large, in units of the width of the law, and up to its limit."""
        if self.limit is not None:
            yield from (self.limit * (1 - Fraction(2) ** -j) for j in range(1, _STEPS))
            return
        law = self.law
        width = law.width if isinstance(law, ContinuousLaw) else Fraction(1)
        unit = Fraction(1) if width == 0 else 1 / width
        yield from (unit * Fraction(2) ** j for j in range(-3, _STEPS - 3))

    def _first_points(self) -> list[Fraction]:
        """Where turns are looked for that may be several: integrals near a limit take seconds."""
        count = _STEPS // 2 if self.limit is None else _STEPS // 3
        return [Fraction(0), *islice(self._grid(), count)]

    def _single(self, first: int, last: int, theorem: str = _THEOREM) -> Picture:
        """f′ is known to have at most one zero, and to change there from ``first`` to ``last``."""
        start = self._start_sign(last)
        if start == last:
            return self._drawn([last], [], "", theorem + "Cov(g, R) has the last sign of g'")
        low, missed = Fraction(0), 0
        for high in self._grid():
            sign = self.slope.exact_sign(high)
            if sign == first:
                low, start = high, first
            elif sign == last:
                if start != first:
                    return self._open("the sign of f' at lam = 0 is not certain")
                text = f"f' changes sign between lam = {float(low):.6g} and {float(high):.6g}"
                zero = Zero(self.slope, low, high, 1, first)
                extremum = self._extremum(zero, True)
                return self._drawn([first, last], [extremum], "", theorem + text)
            elif low:
                # The turn itself may be a point of the grid; beyond it signs come back.
                missed += 1
                if missed > 1:
                    break
        return self._open(
            "f is monotone or turns once, and no lam was found where f' has the last sign of g'"
        )

    def _returns(self, last: int) -> bool:
        """Whether g of two turns meets no level more than twice: see "Two turns" above."""
        first, end = self._limit(-1), self._limit(1)
        if first is None or end is None:
            return False
        if isinstance(first, int) or isinstance(end, int):
            order = (end if isinstance(end, int) else 0) - (first if isinstance(first, int) else 0)
            return order * last < 0
        difference = canonical(symbolic(end) - symbolic(first))
        try:
            return difference == 0 or constant_sign(difference) * last < 0
        except NotPolynomial:
            return False

    def _limit(self, side: int) -> Coefficient | int | None:
        """The limit of g at the top (side 1) or bottom: exact, ±1 (an int) for ±∞, or None."""
        piece = self.shape.pieces[-1 if side > 0 else 0]
        x, end = self.shape.x, self.shape.high if side > 0 else self.shape.low
        if end is None:
            return limit_at_infinity(piece.value.xreplace({x: side * x}), x)
        value = canonical(piece.value.subs(x, exact_symbol(end)))
        return value if isinstance(value, Fraction) or value.is_finite else None

    def _scan(self, points: list[Fraction]) -> list[Zero]:
        known = [(x, sign) for x in points if (sign := self.slope.exact_sign(x))]
        return [
            Zero(self.slope, low, high, 1, before)
            for (low, before), (high, after) in pairwise(known)
            if before != after
        ]

    def _beyond_limit(self, x: Fraction, last: int) -> bool:
        """Whether f(x) is certified to be on the side of lim g from which f goes to it."""
        end = self._limit(1)
        if end is None or isinstance(end, int):
            return False
        try:
            with precision(_GUESS_BITS):
                above = self.moments.mean_gold(x) - constant_ball(end)
        except NotCertified:
            return False
        return bool(above > 0) if last < 0 else bool(above < 0)

    def _double(self, last: int, changes: list[Change]) -> Picture:
        """Gold that turns twice and meets no level more than twice."""
        if self._beyond_limit(Fraction(0), last):
            side = "above" if last < 0 else "below"
            return self._single(-last, last, _TWICE + f"f(0) is {side} the limit of g: one turn; ")
        start = self.slope.exact_sign(Fraction(0))
        zeros = self._scan(self._first_points())
        odd = len(zeros) == 1 and start == -last
        if odd and self.limit is not None:
            odd = isinstance(self._limit(1), int) or self._beyond_limit(zeros[0].low, last)
        if len(zeros) != 2 and not odd:
            return self._listed(changes)
        signs = [zeros[0].sign_low, *[-zero.sign_low for zero in zeros]]
        text = _TWICE + f"f' has {len(zeros)} certified change(s) of sign"
        return self._drawn(signs, [self._extremum(zero, True) for zero in zeros], "", text)

    def _listed(self, changes: list[Change]) -> Picture:
        """The turns that certified signs of f′ on a grid show: more may be there."""
        points = self._first_points()
        turns = [self._extremum(zero, False) for zero in self._scan(points)]
        reason = (
            f"g' changes sign {len(changes)} times, and only one change bounds the turns of f; "
            f"{len(turns)} certified for lam up to {float(points[-1]):.6g}"
        )
        return self._drawn([], turns, reason, "")

    # The parts of a picture -------------------------------------------------------------------

    def _open(self, reason: str) -> Picture:
        return self._drawn([], [], reason, "")

    def value_at(self, x: Fraction, digits: int) -> Number:
        """f at a rational λ."""
        try:
            return settled(lambda: self.moments.mean_gold(x), digits, _VALUE_BITS, zero_factor=2)
        except NotCertified:
            return Number.undefined("the value of this tilt is not certified")

    def _drawn(self, signs: list[int], extrema: list[Extremum], reason: str, route: str) -> Picture:
        return Picture(
            signs,
            extrema,
            Point(lambda _: Number.exact(0), lambda digits: self.value_at(Fraction(0), digits)),
            Point(self._upper, lambda digits: limit_at_top(self.shape, digits), attained=False),
            self.value_at,
            reason,
            route,
        )

    def _upper(self, digits: int) -> Number:
        limit = self.law.growth_limit if isinstance(self.law, CountableLaw) else None
        return self.top if limit is None else settled(lambda: ball(limit).log(), digits)

    def _extremum(self, zero: Zero, single: bool) -> Extremum:
        def narrowed(width: Fraction) -> bool:
            try:
                zero.narrow(width)
            except (ArithmeticError, NotCertified):
                return False
            return True

        def theta(digits: int) -> Number:
            narrowed(zero.high / 10 ** (min(digits, _MOST_DIGITS) + 1))
            return between(zero.low, zero.high, digits)

        @cache
        def value(digits: int) -> Number:
            if not single:
                return Number.undefined("only the turn is enclosed where more may be near it")
            narrowed(zero.high / 10 ** (min(digits, _MOST_DIGITS) + 2))
            return self._between_values(zero, digits)

        return Extremum(theta, value, True, "max" if zero.sign_low > 0 else "min", zero)

    def _between_values(self, zero: Zero, digits: int) -> Number:
        """f(λ†) from f(low): f is monotone from there to the turn."""
        try:
            steepest = self.moments.steepest(zero.low, zero.high)
        except NotCertified as why:
            return Number.undefined(str(why))
        at_low = self.value_at(zero.low, digits + 2)
        if at_low.is_undefined or not steepest.is_finite():
            return Number.undefined("the value at this turn is not certified")
        below, above = at_low.bounds
        slack = (zero.high - zero.low) * enclosing_rationals(steepest)[1]
        if zero.sign_low > 0:
            return between(below, above + slack, digits)
        return between(below - slack, above, digits)


def _is_symmetric(law: Law) -> bool:
    return isinstance(law, _SYMMETRIC) or (isinstance(law, Beta) and law.a == law.b)


def _middle(law: ContinuousLaw) -> Fraction:
    """The centre of symmetry of a law that has one."""
    return Fraction(1, 2) if isinstance(law, Beta) else law.centre


def _log_below(limit: Fraction | None) -> Fraction | None:
    """A rational a little below ln(limit)."""
    if limit is None:
        return None
    with precision(256):
        return enclosing_rationals(ball(limit).log())[0]


def tilt_domain(law: Law) -> str | None:
    """The domain of λ as text, where its end is a logarithm; None elsewhere."""
    if isinstance(law, MixedLaw) and law.mgf_limit is not None:
        return f"[0, {short(law.mgf_limit)})"
    if not isinstance(law, CountableLaw) or law.growth_limit is None:
        return None
    return f"[0, ln({short(law.growth_limit)}))"


__all__ = ["RawTilt", "raw_tilt_picture", "tilt_domain"]
