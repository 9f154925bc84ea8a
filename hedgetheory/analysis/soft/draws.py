"""Soft Best-of-n along n: for unimodal gold the whole shape, on every law.

**The theorem.** w_n(r) = n ∫ x e^{−tx} φ(t)^{n−1} dt, x = e^{λr}, composes e^{−tx}, strictly
totally positive in (−t, x), with φ^{n−1} = e^{(n−1) ln φ(t)}, strictly totally positive in (n, −t)
as φ strictly decreases: w is strictly totally positive of every order in (n, r), on every law
(basic composition, Karlin 1968; `sbon.totally-positive-in-n`). So where g has one turn, f is
strictly monotone or has one turn of the same kind (variation diminishing).

**The ends.** With a = −ln φ and E_t the law dF x e^{−tx} made a probability,
    f′(n) = ∫₀^∞ a e^{−na} C(a) da,  C = −dE_{t(a)}[g]/da,
where t falls as selection grows and E_t is a tilt in −x, so that C too has at most one change of
sign (`peaks.tilt-single-peak`). If C keeps at a = 0 the sign that it has for large a, it has that
sign everywhere, and so has f′. Where M(2λ) < ∞, C(0) is a positive multiple of the covariance of g
and e^{λR} under the tilt, hence of E_{2λ}[g] − E_λ[g]: two values of the tilt decide the far end.

**The value at a turn n†.** With C changing sign at a* ≥ 0, e^{na*}f′(n) = ∫ a e^{−n(a−a*)} C(a) da
is strictly monotone in n and vanishes at n†: between n₁ < n† and n†, |f′| ≤ |f′(n₁)|.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Any

from hedgetheory.analysis.compare import exceeds
from hedgetheory.analysis.curve import NoExactForm
from hedgetheory.analysis.deciding import limit_at_top
from hedgetheory.analysis.gold import Gold
from hedgetheory.analysis.picture import Extremum, Picture, Point, settled
from hedgetheory.analysis.smooth import SmoothCurve
from hedgetheory.analysis.soft.pattern import (
    BON,
    between,
    certified_value,
    gold_pattern,
    gold_supremum,
)
from hedgetheory.analysis.soft.slopes import slope_in_draws, slope_in_draws_sign
from hedgetheory.analysis.zeros import Zero
from hedgetheory.effort import Rebuilt, doing, each, is_spread
from hedgetheory.errors import NotCertified, NotOnThisLaw
from hedgetheory.exact import Number
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.bound import GoldCurve
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw, Law
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball, enclosing_rationals, precision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import Policy
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.family import Family
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.soft_best_of_n import SoftBestOfN
from hedgetheory.policies.tilt import Tilt

_DOUBLINGS = 24
#: Values at n = 1, 2, 4, … that are computed where there is no slope; some take seconds.
_VALUES = 12
_DIGITS = 6
_GUESS_BITS = 96
#: No value is asked for to more digits than these: each costs a race.
MOST_DIGITS = 20
_NARROWINGS = 4
_THEOREM = (
    "w is strictly totally positive in (n, r) on every law (basic composition, Karlin 1968) and g "
    "has at most one turn: f is monotone or turns once; "
)


@dataclass(frozen=True)
class DrawsSlope:
    """f′ as a function of n: signs are certified at the rational itself."""

    family: Family
    law: Law
    curve: GoldCurve

    def policy(self, x: Fraction) -> SoftBestOfN:
        policy = self.family.at(x)
        assert isinstance(policy, SoftBestOfN)
        return policy

    def exact_sign(self, x: Fraction) -> int:
        """The certified sign of f′ at n = x, 0 where it is not decided."""
        return slope_in_draws_sign(self.policy(x), self.law, self.curve)

    def largest(self, x: Fraction) -> Fraction | None:
        """An upper bound of |f′(x)|."""
        with precision(_GUESS_BITS):
            slope = slope_in_draws(self.policy(x), self.law, self.curve)
            return enclosing_rationals(slope.abs_upper())[1] if slope.is_finite() else None

    def __call__(self, x: Any) -> Any:
        """A ball near f′, for guesses of where it vanishes; decisions use `exact_sign`."""
        policy = self.policy(enclosing_rationals(x.mid())[0])
        with precision(_GUESS_BITS):
            slope = slope_in_draws(policy, self.law, self.curve)
        return slope.mid() if slope.is_finite() else ball(0)


def draws_picture(law: Law, family: Family, gold: Gold) -> Picture:
    """The shape of f along n ≥ 1: complete for gold with at most one turn where the ends decide.

    n = 1 is the reference; n → ∞ the tilt at λ where M(λ) < ∞, else the top of the law.
    """
    return _Draws(law, family, gold).picture()


class _Draws(Rebuilt):
    def __init__(self, law: Law, family: Family, gold: Gold) -> None:
        self._travels_as(law, family, gold)
        self._values: dict[tuple[Fraction, int], Number] = {}
        self.law, self.family, self.gold = law, family, gold
        self.curve = GoldCurve.of(gold)
        first = family.at(1)
        assert isinstance(first, SoftBestOfN)
        self.strength, self.scale = first.strength, first.scale
        self.slope = DrawsSlope(family, law, self.curve)
        #: The slope is certified on bounded scales; elsewhere values at integers decide.
        self.bounded = isinstance(law, (FiniteLaw, Uniform)) or (
            self.scale == "quantile" and not self.curve.expr.has(r)
        )

    # Values -----------------------------------------------------------------------------------

    def value_at(self, x: Fraction, digits: int) -> Number:
        key = x, min(digits, MOST_DIGITS)
        if key not in self._values:
            self._values[key] = self.computed(key)
        return self._values[key]

    def computed(self, key: tuple[Fraction, int]) -> Number:
        """f at n = x to so many digits."""
        x, digits = key
        doing(f"f at n = {float(x):.6g}")
        policy: Policy = BestOfN(1) if x == 1 else self.family.at(x)
        return certified_value(self.law, policy, self.curve, digits)

    def compute_ahead(self, keys: list[tuple[Fraction, int]]) -> None:
        """Values on several processes, where there are some; else nothing."""
        keys = [key for key in keys if key not in self._values]
        if is_spread():
            self._values.update(zip(keys, each(self.computed, keys), strict=True))

    def tilted(self, factor: int, digits: int) -> Number:
        """E[g] of the tilt at factor·λ, on the scale that the softmax sees."""
        strength = factor * self.strength
        if self.scale == "quantile" and isinstance(self.law, FiniteLaw):
            return self._tilted_ranks(strength, digits)
        policy = QuantileTilt(strength) if self.scale == "quantile" else Tilt(strength)
        return certified_value(self.law, policy, self.curve, digits)

    def _tilted_ranks(self, strength: Fraction, digits: int) -> Number:
        """Σ p g e^{λF}/Σ p e^{λF}, the softmax over quantiles F at the atoms."""
        assert isinstance(self.law, FiniteLaw)
        rows = list(zip(self.law.atoms, self.law.cumulative, strict=True))
        program = compiled(self.curve.expr.xreplace({ubar: 1 - u}), (r, u))

        def evaluate() -> Any:
            top = bottom = ball(0)
            for (place, mass), level in rows:
                weight = ball(mass) * ball(strength * (level - 1)).exp()
                top += weight * program(REAL, ball(place), ball(level))
                bottom += weight
            return top / bottom

        return settled(evaluate, digits)

    def limit(self, digits: int) -> Number:
        """f(∞)."""
        try:
            return self.tilted(1, digits)
        except NotOnThisLaw:
            pass
        if not isinstance(self.law, ContinuousLaw):
            return Number.undefined(f"the limit on {self.law} is not computed")
        try:
            return limit_at_top(SmoothCurve(self.law, BON, self.gold), digits)
        except NoExactForm as why:
            return Number.undefined(str(why))

    def far_sign(self) -> int:
        """The sign of E_{2λ}[g] − E_λ[g], that of f′ far out; 0 where it is not decided."""
        try:
            values = [partial(self.tilted, factor) for factor in (1, 2)]
            if any(value(_DIGITS).is_undefined for value in values):
                return 0
            more = exceeds(values[1], values[0])
        except (NotOnThisLaw, NotCertified):
            return 0
        if more is None:
            return 0
        if more:
            return 1
        return -1 if exceeds(values[0], values[1]) else 0

    # The shape --------------------------------------------------------------------------------

    def picture(self) -> Picture:
        if self.strength == 0:
            return self._drawn([], [], "", "lam = 0: every n is the reference")
        pattern, why = gold_pattern(self.law, self.gold)
        if pattern is None:
            return self._drawn([], [], why or "the sign changes of g' are not certified", "")
        signs, changes = pattern
        if not changes:
            text = "g' does not change sign and the policy is stochastically increasing in n"
            return self._drawn(signs, [], "", text)
        if len(changes) > 1:
            zeros = self._scan()
            reason = (
                f"g has {len(changes)} turns: no bound on the turns of f is proved here; "
                f"{len(zeros)} certified"
            )
            return self._drawn([], [self._extremum(zero, False) for zero in zeros], reason, "")
        first, last = signs
        far = self.far_sign()
        if far == first:
            text = _THEOREM + "E_{2 lam}[g] - E_lam[g] under the tilt keeps the first sign of g'"
            return self._drawn([first], [], "", text)
        return self._by_slope(first, last) if self.bounded else self._by_values(first, last)

    def _by_slope(self, first: int, last: int) -> Picture:
        start = self.slope.exact_sign(Fraction(1))
        if start == last:
            text = _THEOREM + "f' has the last sign of g' at n = 1 already"
            return self._drawn([last], [], "", text)
        low = Fraction(1)
        for k in range(-6, _DOUBLINGS):
            high = 1 + Fraction(2) ** k
            sign = self.slope.exact_sign(high)
            if sign == first:
                low, start = high, first
            elif sign == last:
                break
        else:
            return self._drawn([], [], "no n was found beyond which f' keeps its sign", "")
        if start != first:
            return self._drawn([], [], "the sign of f' at n = 1 is not certain", "")
        zero = Zero(self.slope, low, high, 1, first)
        text = _THEOREM + f"f' changes sign between n = {float(low):.6g} and {float(high):.6g}"
        return self._drawn([first, last], [self._extremum(zero, True)], "", text)

    def _by_values(self, first: int, last: int) -> Picture:
        """A turn between integers: f(a) and f(b) on one side of f(m), a < m < b (or b = ∞)."""
        self.compute_ahead([(Fraction(2**k), _DIGITS) for k in range(4)])
        points: list[int] = [1, 2]
        while self._rise(points[-2], points[-1]) == first and len(points) < _VALUES:
            points.append(2 * points[-1])
        if self._rise(points[-2], points[-1]) != last:
            return self._drawn([], [], "no certified fall and rise of f was found", "")
        if len(points) == 2:
            return self._drawn([], [], "the sign of f' at n = 1 is not certified on this law", "")
        low, high = points[-3], points[-1]
        # The turn is in [low, high]; halve by comparing neighbours, which are integers.
        while high - low > 2:
            middle = (low + high) // 2
            rise = self._rise(middle, middle + 1)
            if rise == 0:
                break
            low, high = (middle, high) if rise == first else (low, middle + 1)
        ends = self._narrowed(Fraction(low), Fraction(high), first)
        text = _THEOREM + f"certified values show a turn between n = {low} and {high}"
        extremum = Extremum(
            lambda digits: between(*ends, digits),
            lambda digits: self._valued(*ends, digits),
            True,
            "max" if first > 0 else "min",
            around=(Fraction(low), Fraction(high)),
        )
        return self._drawn([first, last], [extremum], "", text)

    def _narrowed(self, low: Fraction, high: Fraction, first: int) -> tuple[Fraction, Fraction]:
        """Fewer digits than a slope would give: f at two inner points, real n where certified."""
        for _ in range(_NARROWINGS):
            third = (high - low) / 3
            rise = self._rise(low + third, high - third)
            if rise == 0:
                break
            low, high = (low + third, high) if rise == first else (low, high - third)
        return low, high

    def _rise(self, low: Fraction | int, high: Fraction | int) -> int:
        """The certified sign of f(high) − f(low), 0 where balls of a few digits do not tell."""
        a, b = (self.value_at(Fraction(x), _DIGITS) for x in (low, high))
        if a.is_undefined or b.is_undefined or a.infinite or b.infinite:
            return 0
        return (b.bounds[0] > a.bounds[1]) - (b.bounds[1] < a.bounds[0])

    def _scan(self) -> list[Zero]:
        if not self.bounded:
            return []
        grid = [1 + Fraction(2) ** k for k in range(-4, 8)]
        signs = [(x, self.slope.exact_sign(x)) for x in grid]
        known = [(x, sign) for x, sign in signs if sign]
        return [
            Zero(self.slope, low, high, 1, before)
            for (low, before), (high, after) in pairwise(known)
            if before != after
        ]

    # The parts of a picture -------------------------------------------------------------------

    def _drawn(self, signs: list[int], extrema: list[Extremum], reason: str, route: str) -> Picture:
        def one(digits: int) -> Number:
            return self.value_at(Fraction(1), digits)

        far = self.limit if self.strength else one
        return Picture(
            signs,
            extrema,
            Point(lambda _: Number.exact(1), one),
            Point(lambda _: Number.infinity(), far, attained=False),
            self.value_at,
            reason,
            route,
        )

    def _extremum(self, zero: Zero, single: bool) -> Extremum:
        def theta(digits: int) -> Number:
            zero.narrow(zero.high / 10 ** (digits + 1))
            return between(zero.low, zero.high, digits)

        def best(digits: int) -> Number:
            # Of one turn only: see the module's docstring.
            zero.narrow(zero.high / 10 ** ((digits + 4) // 2 if single else digits + 3))
            steepest = self.slope.largest(zero.low) if single else None
            return self._valued(zero.low, zero.high, digits, steepest)

        return Extremum(theta, best, True, "max" if zero.sign_low > 0 else "min", zero)

    def _valued(
        self, low: Fraction, high: Fraction, digits: int, steepest: Fraction | None = None
    ) -> Number:
        """f on [low, high]: f(low) ± the width times |f′| ≤ 2 sup|g|/n, or ``steepest``."""
        if steepest is None:
            supremum = gold_supremum(self.law, self.curve)
            if supremum is None:
                return Number.undefined("the gold curve is not bounded: only n is enclosed")
            steepest = 2 * supremum
        at_end = self.value_at(low, digits + 3)
        if at_end.is_undefined:
            return at_end
        below, above = at_end.bounds
        slack = (high - low) * steepest
        return between(below - slack, above + slack, digits)
