"""The picture of f along best of a random number of draws: exact, or by certified signs of f′.

Without an exact form f′ is a certified integral (or sum over atoms) of g′ (its increments) against
the kernel of the line. Where g turns once f′ has at most one change of sign, the same as that of
g′: it is decided by its signs at both ends. For Sibuya the number of sign changes of g′ bounds the
zeros of f′ with multiplicity: as many found are all there are, and so is one fewer where the signs
at both ends are known, as what is left over is even.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

from hedgetheory.analysis.curve import ZERO, NoExactForm
from hedgetheory.analysis.deciding import (
    RankCurve,
    limit_at_top,
    start_sign,
    turn_at,
    valued,
    zeros_above,
)
from hedgetheory.analysis.gold import Change, Gold
from hedgetheory.analysis.gold_signs import limit_at_infinity
from hedgetheory.analysis.lattice_curve import LatticeCurve
from hedgetheory.analysis.picture import (
    Extremum,
    Picture,
    Point,
    constant_number,
    picture_of,
    settled,
)
from hedgetheory.analysis.random_draws.atoms import AtomCurve
from hedgetheory.analysis.random_draws.exact import (
    LOGARITHM,
    RECIPROCAL,
    SAME,
    Chart,
    exact_curve,
)
from hedgetheory.analysis.random_draws.lines import (
    Line,
    kernel_at_lower,
    kernel_of,
    mirrored_sibuya,
)
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.smooth_pattern import smooth_pattern
from hedgetheory.analysis.soft.pattern import between
from hedgetheory.analysis.zeros import Zero, sign_at
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import mu, u
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.countable import CountableLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import ball, enclosing_rationals, precision
from hedgetheory.policies.base import Domain
from hedgetheory.policies.best_of_poisson import BestOfPoisson
from hedgetheory.policies.family import Family
from hedgetheory.policies.random_draws import LogarithmicSeries, Sibuya

#: The strict signs of dg in order, and where they change.
Pattern: TypeAlias = tuple[list[int], list[Change]]
#: Best-of-Poisson near μ = 0 has the k of every power-series law near its reference: uū.
_NEAR_REFERENCE = Family("bop", BestOfPoisson, mu, Domain(ZERO))
_BITS, _LIMIT, _ZERO_BITS = 64, 400, 48
_MAX_SAMPLES = 60
#: Where the search starts: with no meaning, so that no turn of note is where a box is cut.
_FIRST = Fraction(1021, 4096)
_MAX_GRID = 40
_MANY_ATOMS = 20


def drawn_picture(
    law: Law, line: Line, gold: Gold, changes: list[Change] | None
) -> tuple[Picture, Pattern | None]:
    """The picture of f in the family's own parameter, and the pattern of g′ where it was needed.

    Raises NoExactForm or NotCertified where there is neither an exact form nor a certified curve.
    """
    if line.constant:
        return _constant(law, line, gold), None
    many = isinstance(law, FiniteLaw) and len(law.atoms) > _MANY_ATOMS
    if many and not line.is_power_series and changes is not None and len(changes) <= 1:
        # Sums of so many powers are slow to search, and one turn needs no search.
        return _certified(law, line, gold, "")
    try:
        curve, chart = exact_curve(law, line, gold)
    except NoExactForm as why:
        return _certified(law, line, gold, str(why))
    bound = None if changes is None else len(changes)
    if bound is not None and bound > 1 and not line.every_order:
        bound = None
    picture = picture_of(curve, bound)

    def value_at(theta: Fraction, digits: int) -> Number:
        if chart is SAME:
            return picture.value_at(theta, digits)
        return settled(lambda: curve.value(chart.back(ball(theta))), digits)

    return charted(picture, chart, line, value_at), None


def _constant(law: Law, line: Line, gold: Gold) -> Picture:
    """One draw at most: every member is the reference."""
    picture = drawn_picture(law, replace(line, fixed=Fraction(2)), gold, None)[0]
    start = picture.lower_end
    ends = start, Point(lambda _: Number.exact(1), start.value)
    return Picture([], [], *ends, lambda _, digits: start.value(digits), "", "w = 1 throughout")


def charted(picture: Picture, chart: Chart, line: Line, value_at: Any) -> Picture:
    """A picture in another variable as one in the family's own parameter."""
    domain = line.family.domain
    ends = [picture.lower_end, picture.upper_end]
    signs, extrema = list(picture.signs), [_moved(e, chart) for e in picture.extrema]
    if chart.falls:
        ends, extrema = ends[::-1], extrema[::-1]
        signs = [-sign for sign in reversed(signs)]
    top = Number.infinity() if domain.upper is None else Number.exact(domain.upper)
    lower = Point(lambda _: Number.exact(domain.lower), ends[0].value, domain.lower_closed)
    upper = Point(lambda _: top, ends[1].value, domain.upper_closed)
    return replace(
        picture,
        signs=signs,
        extrema=extrema,
        lower_end=lower,
        upper_end=upper,
        value_at=value_at,
        falls=line.falls,
        whole=line.whole,
    )


def _moved(extremum: Extremum, chart: Chart) -> Extremum:
    if chart is SAME:
        return extremum

    def theta(digits: int) -> Number:
        # θ is rational in x, or e^{−x}: the relative error grows by x at most.
        found = extremum.theta(digits + 4)
        if found.is_undefined:
            return found
        low, high = found.bounds
        if low == high and chart.rational:
            return Number.exact(chart.theta(low))
        with precision(4 * digits + 64):
            ends = [
                place for x in (low, high) for place in enclosing_rationals(chart.theta(ball(x)))
            ]
        return between(min(ends), max(ends), digits)

    return Extremum(theta, extremum.value, extremum.attained, extremum.kind)


# Without an exact form --------------------------------------------------------------------------


class MirroredCurve(SmoothCurve):
    """Sibuya for gold in the quantile: its k is singular at u = 1, so integrals run over 1 − u."""

    def __init__(self, family: Family, gold: Gold, line: Line) -> None:
        super().__init__(Uniform(), family, gold, kernel_of(line))
        if self.q > 1:
            raise NoExactForm("roots of u with Sibuya are not certified")
        mirrored = SimpleNamespace(expr=self.expr.subs(u, 1 - u), variable="u")
        self.inner = SmoothCurve(Uniform(), family, mirrored, mirrored_sibuya())

    def integral(self, weight: str, theta: Any, low: Fraction | None, high: Fraction | None) -> Any:
        """∫ g′(u) W(u) du = −∫ g̃′(v) W(1 − v) dv with g̃(v) = g(1 − v)."""
        start = ZERO if high is None else 1 - high
        return -self.inner.integral(weight, theta, start, 1 - (low or ZERO))


def _renamed(line: Line, domain: Domain) -> Family:
    return replace(line.family, name="drawn", symbol=mu, domain=domain)


def _certified(law: Law, line: Line, gold: Gold, why: str) -> tuple[Picture, Pattern | None]:
    family = _renamed(line, Domain(line.lower, upper=line.upper))
    rank, curve = kernel_of(line), cast("RankCurve | AtomCurve", None)
    if isinstance(law, FiniteLaw):
        curve = AtomCurve(law, gold, rank, line.lower)
        pattern, quantile_power = curve.pattern, 1
    elif isinstance(law, CountableLaw) and line.draws is not Sibuya:
        curve = LatticeCurve(law, family, gold, rank)
        pattern, quantile_power = curve.pattern, 1
    elif isinstance(law, ContinuousLaw):
        smooth = SmoothCurve(law, family, gold, rank)
        if line.draws is Sibuya and not smooth.in_reward:
            smooth = MirroredCurve(family, gold, line)
        curve, quantile_power = smooth, smooth.q
        pattern = smooth_pattern(smooth)
    else:
        raise NoExactForm(why)
    picture = _Decision(law, line, gold, curve, pattern).picture()
    if pattern is not None and quantile_power > 1:
        q, (signs, places) = quantile_power, pattern
        pattern = signs, [Change(c.low**q, c.high**q, c.before, c.after) for c in places]
    return picture, pattern


@dataclass
class _Decision:
    law: Law
    line: Line
    gold: Gold
    curve: Any
    pattern: Pattern | None

    def picture(self) -> Picture:
        reference = self._reference()
        signs, zeros, reason = self._decided(reference)
        count = len(self.pattern[1]) if self.pattern else 0
        route = (
            f"g' has {count} certified sign change(s); k is totally positive in the parameter and "
            "u (kernel_tp2), and certified signs of f' leave no other zero"
        )
        top = Point(lambda _: Number.infinity(), self._top, attained=False)
        if self.line.upper is not None:
            top = Point(lambda _: Number.exact(1), valued(self.curve, self.line.upper))
        picture = Picture(
            signs,
            [turn_at(self.curve, zero) for zero in zeros],
            Point(lambda _: Number.exact(self.line.lower), valued(reference, reference.lower)),
            top,
            lambda t, digits: valued(self.curve, t)(digits),
            reason,
            route,
        )
        if self.line.draws is LogarithmicSeries:
            return charted(picture, LOGARITHM, self.line, self._at_logarithm)
        chart = RECIPROCAL if self.line.falls else SAME
        return charted(picture, chart, self.line, lambda x, d: picture.value_at(chart.back(x), d))

    def _at_logarithm(self, theta: Fraction, digits: int) -> Number:
        return settled(lambda: self.curve.value(LOGARITHM.back(ball(theta))), digits)

    def _top(self, digits: int) -> Number:
        if isinstance(self.curve, AtomCurve):
            return constant_number(self.curve.gold[-1], digits)
        return limit_at_top(self.curve, digits)

    def _reference(self) -> Any:
        """The curve in the form that is regular at the lower end."""
        line = self.line
        if line.draws is Sibuya:
            return self.curve
        rank = kernel_at_lower(line)
        if isinstance(self.law, FiniteLaw):
            return AtomCurve(self.law, self.gold, rank, line.lower)
        if isinstance(self.law, CountableLaw):
            return LatticeCurve(self.law, self._known, self.gold, rank)
        return SmoothCurve(cast("ContinuousLaw", self.law), self._known, self.gold, rank)

    @property
    def _known(self) -> Family:
        """The family as `start_sign` knows it."""
        domain = Domain(self.line.lower)
        return _NEAR_REFERENCE if self.line.is_power_series else _renamed(self.line, domain)

    def _decided(self, reference: Any) -> tuple[list[int], list[Zero], str]:
        """(signs along t, zeros, why it is open)."""
        if self.pattern is None:
            return [], [], "the sign changes of g' are not certified"
        if not reference.finite or not self._finite_throughout():
            return [], [], "E[g] is not certified to be finite along the family"
        signs, changes = self.pattern
        if not changes:
            return signs, [], ""
        start = self._start(reference)
        if self.line.separates and start is not None:
            return [start] if start else [], [], ""
        if len(changes) == 1:
            return self._single(start, signs[-1])
        if self.line.every_order and start:
            return self._several(start, signs[-1], self._most_zeros(self.pattern))
        return (
            [],
            [],
            f"no theorem here bounds the turns of f where g' changes {len(changes)} times",
        )

    def _finite_throughout(self) -> bool:
        """w is bounded, but for Sibuya: every moment that g asks for must be finite there."""
        curve = self.curve
        if self.line.draws is not Sibuya or not isinstance(curve, SmoothCurve):
            return True
        if not curve.in_reward or curve.high is not None:
            return True
        limit = limit_at_infinity(curve.pieces[-1].value, curve.x)
        if limit is not None and not isinstance(limit, int):
            return True
        last = len(curve.coordinates) - 1
        # S falls exponentially or faster and g at most like a power: so does every S^a against g′.
        where = curve.coordinates[last]
        return bool(where.parts) and curve._growth(len(curve.pieces) - 1, last, 1).rate == 0

    def _start(self, reference: Any) -> int | None:
        if isinstance(reference, AtomCurve) and self.line.is_power_series:
            return reference.covariance_sign()
        return start_sign(reference, self._known)

    def _single(self, start: int | None, last: int) -> tuple[list[int], list[Zero], str]:
        if start in (0, last):
            # f′/k(u₁) is strictly monotone towards the last sign.
            return [last], [], ""
        lower = self.line.lower
        t, high = lower + _FIRST, None
        for _ in range(_MAX_SAMPLES):
            sign = sign_at(self.curve, t, _BITS, _LIMIT)
            if sign == -last:
                if high is not None:
                    return [-last, last], [Zero(self.curve, t, high, 1, -last, _ZERO_BITS)], ""
                return self._upwards(t, last)
            if sign == last:
                high = t
                if start is None:
                    break
            # The sign at the lower end is the other one: it is met on the way down.
            t = lower + (t - lower) / 2
        return [], [], "the sign of f' at the lower end is not certain"

    def _upwards(self, low: Fraction, last: int) -> tuple[list[int], list[Zero], str]:
        """f′ has the sign −last up to ``low``: where beyond it, if at all, it changes."""
        lower, upper = self.line.lower, self.line.upper
        t = low
        for _ in range(_MAX_SAMPLES):
            t = lower + 2 * (t - lower)
            if upper is not None and t > upper:
                t = upper
            sign = sign_at(self.curve, t, _BITS, _LIMIT)
            if sign == last:
                return [-last, last], [Zero(self.curve, low, t, 1, -last, _ZERO_BITS)], ""
            if sign == -last:
                low = t
            if t == upper:
                if sign == -last:
                    return [-last], [], ""
                break
        return [], [], "the sign of f' at the upper end is not certain, or it was not met"

    def _most_zeros(self, pattern: Pattern) -> int:
        """A proved bound on the zeros of f′, for Sibuya.

        With s = ln(1/ū) and H(s) = ∫_s^∞ dg k at a = 1, f′ at a < 1 is a positive multiple of
        H(0) + x ∫ H e^{xs} ds, x = 1 − a, as k_a is one of k e^{xs}; with 1/x = ∫_{s<0} e^{xs} ds
        f′/x is a Laplace transform, with at most as many zeros as H, first H(0), changes sign.
        """
        known = None
        if isinstance(self.curve, SmoothCurve):
            known = zeros_above(self.curve, self._known, self.line.lower, pattern)
        count = len(pattern[1])
        return count if known is None else min(known, count)

    def _several(self, start: int, last: int, bound: int) -> tuple[list[int], list[Zero], str]:
        low = self.line.lower
        grid = [(low, start)]
        for i in range(_MAX_GRID):
            t = low + _FIRST * Fraction(2) ** (i - 2)
            sign = sign_at(self.curve, t, _BITS, _LIMIT)
            if sign:
                grid.append((t, sign))
        zeros = [
            Zero(self.curve, a, b, 1, before, _ZERO_BITS)
            for (a, before), (b, after) in pairwise(grid)
            if before != after
        ]
        signs = [start, *[-zero.sign_low for zero in zeros]]
        if len(zeros) == bound or (len(zeros) == bound - 1 and grid[-1][1] == last):
            return signs, zeros, ""
        return [], [], f"f' changes sign {len(zeros)} time(s) on a grid, of {bound} that it may"


__all__ = ["charted", "drawn_picture"]
