"""Soft Best-of-n along λ, where f may have a trough or several extrema although g has one peak.

w is not totally positive in (λ, r), and no number of sign changes of g′ bounds those of f′. What is
decided here: monotone gold, by f′(λ) = E[Cov(g, x | the n drawn)] ≥ 0 for g non-decreasing; and for
integer n on finitely many atoms every gold curve, by a covering of [0, λ₁] and an exponential sum
beyond. On the uniform scale the covering ends at a stated λ₁, all extrema up to there are listed,
and the regime on the half-line stays undecided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import sympy

from hedgetheory.analysis.curve import NoExactForm, gold_on_atoms, mean_of
from hedgetheory.analysis.expsum import Coefficient, canonical, constant_ball, is_zero, symbolic
from hedgetheory.analysis.gold import Gold, NotPolynomial, pieces_of
from hedgetheory.analysis.picture import Extremum, Picture, Point
from hedgetheory.analysis.soft.cover import Cover, Place, cover
from hedgetheory.analysis.soft.pattern import between, certified_value, gold_pattern, gold_supremum
from hedgetheory.analysis.soft.tail import tail_of_slope
from hedgetheory.analysis.zeros import Zero
from hedgetheory.effort import doing, each, found
from hedgetheory.errors import InputError, NotCertified
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.functionals.quantities import value
from hedgetheory.functionals.soft.slope import slope_enclosure, slope_in_strength, slope_sign
from hedgetheory.laws.base import FiniteLaw, Law, exact_symbol
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import (
    WHERE_DEFINED,
    ball,
    enclosing_rationals,
    hull,
    precision,
)
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: Where no covering exists (real n) signs of f′ are asked for at λ = 2^{k/2}, from 1/64 to 128.
GRID = range(-12, 15)
_SLOPE_DIGITS = 3
#: How far the covering goes on the uniform scale, where nothing decides the rest of the half-line.
FARTHEST = Fraction(128)
#: The work of a covering: places weighted by what they cost (some 0.006 s on the uniform scale).
BUDGET = 3_000.0
_EXACT_BITS = 200


def grid_point(k: int) -> Fraction:
    """2^{k/2} to three binary digits or more, exactly a dyadic rational."""
    return Fraction(round(2 ** (k / 2 + 8)), 256)


@dataclass(frozen=True)
class StrengthSlope:
    """f′ as a function of λ: signs are certified at the rational itself."""

    family: Family
    law: Law
    curve: GoldCurve

    def policy(self, x: Fraction) -> SoftBestOfN:
        policy = self.family.at(x)
        assert isinstance(policy, SoftBestOfN)
        return policy

    @property
    def draws(self) -> Fraction:
        return self.policy(Fraction(1)).draws

    @property
    def by_quantile(self) -> bool:
        return self.policy(Fraction(1)).scale == "quantile"

    def exact_sign(self, x: Fraction) -> int:
        """The certified sign of f′ at λ = x, 0 where it is not decided."""
        return _sign(self, x)

    def __call__(self, x: Any) -> Any:
        """A ball near f′, for guesses of where it vanishes; decisions use `exact_sign`."""
        at = enclosing_rationals(x.mid())[0]
        return ball(0) / ball(0) if at == 0 else ball(_guess(self, at))

    # What the covering asks -------------------------------------------------------------------

    @cached_property
    def places(self) -> tuple[Fraction, ...]:
        """What the softmax sees at the atoms of a finite law."""
        assert isinstance(self.law, FiniteLaw)
        if self.by_quantile:
            return self.law.cumulative
        return tuple(x for x, _ in self.law.atoms)

    @property
    def reach(self) -> Fraction:
        """max x − min x."""
        if isinstance(self.law, FiniteLaw):
            return self.places[-1] - self.places[0]
        return Fraction(1)

    def at_reference(self, gold: Gold) -> Place:
        """λ = 0: f′(0) = (1 − 1/n) Cov(g, x), exactly zero where that is visible."""
        factor = 1 - 1 / self.draws
        try:
            exact = self._covariance(gold)
            with precision(_EXACT_BITS):
                slope = constant_ball(exact) * ball(factor)
            rest = is_zero(exact)
        except (NoExactForm, NotPolynomial):
            curve = GoldCurve(self.curve.expr.xreplace({r: u}) * (u - sympy.Rational(1, 2)), "u")
            centred = certified_value(Uniform(), BestOfN(1), curve, 12)
            rest = False
            with precision(_EXACT_BITS):
                if centred.is_undefined:
                    slope = ball(0) / ball(0)
                else:
                    slope = hull(*map(ball, centred.bounds)) * ball(factor)
        return Place(Fraction(0), slope, ball(self._mean()), rest)

    def _mean(self) -> Fraction:
        if not isinstance(self.law, FiniteLaw):
            return Fraction(1, 2)
        masses = (mass for _, mass in self.law.atoms)
        return sum((x * p for x, p in zip(self.places, masses, strict=True)), Fraction(0))

    def _covariance(self, gold: Gold) -> Coefficient:
        if isinstance(self.law, FiniteLaw):
            total = sympy.S.Zero
            for g, x, (_, p) in zip(
                gold_on_atoms(self.law, gold), self.places, self.law.atoms, strict=True
            ):
                total += symbolic(g) * exact_symbol(p * (x - self._mean()))
            return canonical(total)
        centred = self.curve.expr.xreplace({r: u}) * (u - sympy.Rational(1, 2))
        return mean_of(pieces_of(sympy.expand(centred), u, Fraction(0), Fraction(1)))

    def place(self, x: Fraction) -> Place:
        """f′ and m at λ = x > 0."""
        policy = self.policy(x)
        quantity = "mean_reward"
        if self.by_quantile or isinstance(self.law, Uniform):
            quantity = "mean_quantile"
        law = self.law if isinstance(self.law, FiniteLaw) else Uniform()
        mean = value(law, policy, quantity, digits=8)
        for bits in (64, 128):
            with precision(bits):
                slope = slope_enclosure(policy, law, self.curve)
                if slope > 0 or slope < 0:
                    break
        with precision(_EXACT_BITS):
            return Place(x, slope, hull(*map(ball, mean.bounds)))


# Each costs up to seconds, and a search comes back to the ends of its intervals.
@lru_cache(maxsize=512)
def _sign(slope: StrengthSlope, x: Fraction) -> int:
    doing(f"the sign of f' at lam = {float(x):.6g}")
    try:
        return slope_sign(slope.policy(x), slope.law, slope.curve)
    except NotCertified:
        return 0


@lru_cache(maxsize=512)
def _guess(slope: StrengthSlope, x: Fraction) -> Fraction:
    try:
        near = slope_in_strength(slope.policy(x), slope.law, slope.curve, _SLOPE_DIGITS)
    except NotCertified:
        return Fraction(0)
    low, high = near.bounds
    return (low + high) / 2


def soft_picture(law: Law, family: Family, gold: Gold) -> Picture:
    """The certified extrema, the ends, and what stays open; λ = 0 is the reference, ∞ Best-of-n."""
    curve = GoldCurve.of(gold)
    slope = StrengthSlope(family, law, curve)
    pattern, _ = gold_pattern(law, gold)
    if slope.draws == 1:
        return _drawn(slope, [], [], "", "n = 1: every lam is the reference")
    if pattern is not None and not pattern[1]:
        route = (
            "g' does not change sign, and f' is the mean of the within-draw covariance of g and "
            "the reward: Soft Best-of-n is stochastically increasing in lam on every law"
        )
        return _drawn(slope, pattern[0], [], "", route)
    bounded = isinstance(law, (FiniteLaw, Uniform)) or (slope.by_quantile and not curve.expr.has(r))
    if bounded and slope.draws.denominator == 1:
        try:
            return _covered(slope, gold)
        except NotCertified as why:
            return _drawn(slope, [], [], str(why))
    return _scanned(slope)


def _covered(slope: StrengthSlope, gold: Gold) -> Picture:
    """The picture from a covering, and from the tail on atoms."""
    supremum = gold_supremum(slope.law, slope.curve)
    tail, golds = None, None
    if isinstance(slope.law, FiniteLaw):
        golds = gold_on_atoms(slope.law, gold)
        masses = [p for _, p in slope.law.atoms]
        tail = tail_of_slope(slope.places, masses, golds, int(slope.draws))
    spread = _spread(slope, golds, supremum)
    if spread is None:
        return _drawn(slope, [], [], "the gold curve is not seen to be bounded")
    target = FARTHEST / slope.reach if tail is None else tail[0]
    start = slope.at_reference(gold)

    def evaluate(x: Fraction) -> Place:
        return slope.place(x) if x else start

    def cost(x: Fraction) -> float:
        return 8.0 + float(x * slope.reach) if golds is None else 2.0 + len(golds) / 2

    covered = cover(evaluate, spread, slope.reach, target, cost, BUDGET)
    zeros = [Zero(slope, low, high, 1, before) for low, high, before in covered.zeros]
    for zero in zeros:
        found(
            f"f' changes sign in ({zero.low}, {zero.high})",
            turn=(zero.low, zero.high, zero.sign_low),
        )
    reason, box = _open_reason(covered, target, tail)
    if box and covered.end < target:
        later = _changes(slope, [(covered.end, covered.last)], target)
        zeros += later
        reason += (
            f"; up to lam = {float(target):.6g} {len(later)} more change(s) of sign are certified"
        )
    extrema = [_extremum(slope, zero) for zero in zeros]
    signs = [] if reason else [covered.first, *[-zero.sign_low for zero in zeros]]
    route = (
        f"f' changes sign {len(zeros)} time(s): {covered.evaluations} certified values of f' with "
        f"bounds of f'' and f''' cover 0 <= lam <= {float(target):.6g}, and beyond it the slowest "
        "exponential of f' outweighs all others"
    )
    return _drawn(slope, signs, extrema, reason, "" if reason else route, box)


def _changes(
    slope: StrengthSlope, known: list[tuple[Fraction, int]], target: Fraction
) -> list[Zero]:
    """Changes of certified signs after the last known one, on the grid up to ``target``."""
    points = [x for x in map(grid_point, GRID) if known[-1][0] < x <= target]
    signs = [*known, *zip(points, each(slope.exact_sign, points), strict=True)]
    kept = [(x, sign) for x, sign in signs if sign]
    return [
        Zero(slope, low, high, 1, before)
        for (low, before), (high, after) in pairwise(kept)
        if before != after
    ]


def _open_reason(
    found: Cover, target: Fraction, tail: tuple[Fraction, int] | None
) -> tuple[str, str]:
    """(why the half-line is open, the box that is covered); empty where they do not apply."""
    reached = found.end >= target
    if reached and tail is not None:
        agrees = found.last == tail[1]
        return "" if agrees else "the signs at the end of the covering and beyond disagree", ""
    box = f"0 <= lam <= {_short(found.end)}" if found.end else ""
    known = f"f' has {len(found.zeros)} zero(s) for {box}" if box else "f' is not decided near 0"
    if reached or tail is None:
        return f"{known}; beyond it no theorem bounds how often f turns", box
    return f"{known}; the bounded work ends there", box


def _short(x: Fraction) -> str:
    """At most x, in few digits."""
    return str(x) if x.denominator == 1 else f"{int(x * 10**4) / 10**4:.4f}"


def _spread(
    slope: StrengthSlope, golds: list[Coefficient] | None, supremum: Fraction | None
) -> Fraction | None:
    """A bound of Γ = max g − min g: from exact values, or from boxes that cover [0, 1]."""
    if golds is not None:
        with precision(_EXACT_BITS):
            values = [constant_ball(g) for g in golds]
            return max(enclosing_rationals((a - b).abs_upper())[1] for a in values for b in values)
    if supremum is None:
        return None
    return range_on_unit(slope.curve.expr.xreplace({r: u}))


def range_on_unit(expr: sympy.Expr, boxes: int = 256) -> Fraction:
    """A rational upper bound of max g − min g on [0, 1], by balls over boxes and their middles.

    On a box of width δ, g is within sup|g′|·δ/2 of its middle.
    """
    program, slope = compiled(expr, (u,)), compiled(sympy.diff(expr, u), (u,))
    lows, highs = [], []
    with precision(64):
        for i in range(boxes):
            a, b = Fraction(i, boxes), Fraction(i + 1, boxes)
            box, middle = hull(ball(a), ball(b)), ball((a + b) / 2)
            size = slope(WHERE_DEFINED, box).abs_upper() / (2 * boxes)
            near = program(WHERE_DEFINED, middle)
            direct = program(WHERE_DEFINED, box)
            ends = [near - size, near + size] if (near + size).is_finite() else [direct, direct]
            if not ends[0].is_finite():
                raise NotCertified(f"{expr} is not bounded on [0, 1] by ball arithmetic")
            lows.append(enclosing_rationals(ends[0])[0])
            highs.append(enclosing_rationals(ends[1])[1])
    return max(highs) - min(lows)


def _scanned(slope: StrengthSlope) -> Picture:
    """Changes of certified signs on a grid: no covering is proved for real n, or on this law."""
    points = [grid_point(k) for k in GRID]
    try:
        signs = list(zip(points, each(slope.exact_sign, points), strict=True))
    except (InputError, NotCertified) as why:
        return _drawn(slope, [], [], str(why))
    known = [(x, sign) for x, sign in signs if sign]
    if not known:
        return _drawn(slope, [], [], "no sign of f' in lam is certified on this law")
    zeros = [
        Zero(slope, low, high, 1, before)
        for (low, before), (high, after) in pairwise(known)
        if before != after
    ]
    for zero in zeros:
        found(
            f"f' changes sign in ({zero.low}, {zero.high})",
            turn=(zero.low, zero.high, zero.sign_low),
        )
    reason = (
        f"f' was asked at {len(points)} values of lam from {float(points[0]):.4g} to "
        f"{float(points[-1]):.4g}, {len(known)} signs certified, {len(zeros)} change(s) of sign: "
        "that f has no other turn is not proved (Soft Best-of-n is not totally positive in lam)"
    )
    return _drawn(slope, [], [_extremum(slope, zero) for zero in zeros], reason)


def _drawn(
    slope: StrengthSlope,
    signs: list[int],
    extrema: list[Extremum],
    reason: str,
    route: str = "",
    box: str = "",
) -> Picture:
    def at(policy: Any) -> Callable[[int], Number]:
        return lambda digits: certified_value(slope.law, policy, slope.curve, digits)

    return Picture(
        signs,
        extrema,
        Point(lambda _: Number.exact(0), at(BestOfN(1))),
        Point(lambda _: Number.infinity(), at(BestOfN(slope.draws)), attained=False),
        lambda x, digits: at(slope.policy(x))(digits),
        reason,
        route,
        box=box,
    )


def _extremum(slope: StrengthSlope, zero: Zero) -> Extremum:
    def theta(digits: int) -> Number:
        zero.narrow(max(zero.high, Fraction(1)) / 10 ** (digits + 1))
        return between(zero.low, zero.high, digits)

    def best(digits: int) -> Number:
        # The value at an end of the interval, with the width times a bound of |f′| as slack:
        # |f′| ≤ E|Cov(g, x)| ≤ (range of g)(range of x)/4 ≤ sup|g|·(range of x)/2.
        zero.narrow(max(zero.high, Fraction(1)) / 10 ** (digits + 3))
        at_end = certified_value(slope.law, slope.policy(zero.low), slope.curve, digits + 3)
        supremum = gold_supremum(slope.law, slope.curve)
        if at_end.is_undefined or supremum is None:
            return Number.undefined("the value of this extremum is not certified")
        low, high = at_end.bounds
        slack = (zero.high - zero.low) * supremum * slope.reach / 2
        return between(low - slack, high + slack, digits)

    return Extremum(theta, best, True, "max" if zero.sign_low > 0 else "min", zero)
