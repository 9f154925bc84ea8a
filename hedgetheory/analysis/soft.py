"""Soft Best-of-n along λ: every turn that certified signs of f′ on a grid show, and no more.

k_λ is not totally positive here, and f may have a trough or several extrema although g has one
peak: no number of sign changes of g′ bounds those of f′. So the list of extrema is never called
complete; each one on it is certified, by a change of sign of the within-draw covariance slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hedgetheory.analysis.gold import Gold
from hedgetheory.analysis.picture import Extremum, Picture, Point
from hedgetheory.analysis.zeros import Zero
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import lam, r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.continuous import unit_supremum
from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft_slope import slope_in_strength, slope_sign
from hedgetheory.laws.base import FiniteLaw, Law
from hedgetheory.numerics.ball import REAL, ball, enclosing_rationals, upper_integer
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: The signs of f′ are asked for at λ = 2^{k/2}, from 1/64 to 128: the cost grows with λ.
GRID = range(-12, 15)
_SLOPE_DIGITS = 3


def along_strength(family: Family) -> bool:
    """Whether a family is Soft Best-of-n with λ free."""
    return family.symbol == lam and isinstance(family.at(family.domain.lower), SoftBestOfN)


def grid_point(k: int) -> Fraction:
    """2^{k/2} to three binary digits or more, exactly a dyadic rational."""
    return Fraction(round(2 ** (k / 2 + 8)), 256)


@dataclass(frozen=True)
class StrengthSlope:
    """f′ as a function of λ: signs are certified at the rational itself."""

    family: Family
    law: Law
    gold: GoldCurve

    def exact_sign(self, x: Fraction) -> int:
        """The certified sign of f′ at λ = x, 0 where it is not decided."""
        policy = self.family.at(x)
        assert isinstance(policy, SoftBestOfN)
        try:
            return slope_sign(policy, self.law, self.gold)
        except NotCertified:
            return 0

    def __call__(self, x: Any) -> Any:
        """A ball near f′, for guesses of where it vanishes; decisions use `exact_sign`."""
        policy = self.family.at(enclosing_rationals(x.mid())[0])
        assert isinstance(policy, SoftBestOfN)
        try:
            slope = slope_in_strength(policy, self.law, self.gold, _SLOPE_DIGITS)
        except NotCertified:
            return ball(0)
        low, high = slope.bounds
        return ball((low + high) / 2)


def soft_picture(law: Law, family: Family, gold: Gold) -> Picture:
    """The certified extrema between grid points, the ends, and what stays open.

    λ = 0 is the reference, λ → ∞ Best-of-n. Raises nothing: what is not certified is said.
    """
    curve = GoldCurve(gold.expr, gold.variable)
    policy = family.at(1)
    assert isinstance(policy, SoftBestOfN)
    ends = (
        Point(lambda _: Number.exact(0), lambda d: _value(law, BestOfN(1), curve, d)),
        Point(
            lambda _: Number.infinity(),
            lambda d: _value(law, BestOfN(policy.draws), curve, d),
            attained=False,
        ),
    )
    slope = StrengthSlope(family, law, curve)
    points = [grid_point(k) for k in GRID]
    try:
        signs = [(x, slope.exact_sign(x)) for x in points]
    except (InputError, NotCertified) as why:
        return Picture([], [], *ends, lambda _, __: _unknown(), str(why))
    known = [(x, sign) for x, sign in signs if sign]
    zeros = [
        Zero(slope, low, high, 1, before)
        for (low, before), (high, after) in pairwise(known)
        if before != after
    ]
    extrema = [_extremum(law, family, curve, zero) for zero in zeros]
    reason = (
        f"f' was asked at {len(points)} values of lam from {float(points[0]):.4g} to "
        f"{float(points[-1]):.4g}, {len(known)} signs certified, {len(zeros)} change(s) of sign: "
        "that f has no other turn is not proved (Soft Best-of-n is not totally positive in lam)"
    )
    return Picture([], extrema, *ends, lambda x, d: _value(law, family.at(x), curve, d), reason)


def _unknown() -> Number:
    return Number.undefined("not certified")


def _value(law: Law, policy: Any, curve: GoldCurve, digits: int) -> Number:
    try:
        return value(law, policy, "gold", gold=curve, digits=digits)
    except NotCertified:
        return _unknown()


def _extremum(law: Law, family: Family, curve: GoldCurve, zero: Zero) -> Extremum:
    def theta(digits: int) -> Number:
        zero.narrow(max(zero.high, Fraction(1)) / 10 ** (digits + 1))
        return _between(zero.low, zero.high, digits)

    def best(digits: int) -> Number:
        # The value at an end of the interval, with the width times a bound of |f′| as slack.
        zero.narrow(max(zero.high, Fraction(1)) / 10 ** (digits + 3))
        at_end = _value(law, family.at(zero.low), curve, digits + 3)
        if at_end.is_undefined:
            return at_end
        low, high = at_end.bounds
        slack = (zero.high - zero.low) * _slope_bound(law, curve)
        return _between(low - slack, high + slack, digits)

    return Extremum(theta, best, True, "max" if zero.sign_low > 0 else "min", zero)


def _slope_bound(law: Law, curve: GoldCurve) -> Fraction:
    """|f′| ≤ E|Cov(g, x)| ≤ (range of g)(range of x)/4 ≤ sup|g|·(range of x)/2."""
    if not isinstance(law, FiniteLaw):
        return unit_supremum(curve.expr.xreplace({r: u}))
    program = compiled(curve.expr, (r, u))
    sizes = [
        upper_integer(program(REAL, ball(at), ball(level)))
        for (at, _), level in zip(law.atoms, law.cumulative, strict=True)
    ]
    return max(sizes) * max(law.atoms[-1][0] - law.atoms[0][0], Fraction(1))


def _between(low: Fraction, high: Fraction, digits: int) -> Number:
    """The tightest decimal ball around [low, high]."""
    middle = (low + high) / 2
    size = max(abs(middle), Fraction(1, 10**300))
    exponent = len(str(int(size))) if size >= 1 else -len(str(int(1 / size))) + 1
    exp10 = exponent - digits - 6
    unit = Fraction(10) ** exp10
    mid = round(middle / unit)
    rad = -(-max(high - mid * unit, mid * unit - low) // unit)
    return Number.ball(mid, int(rad), exp10)
