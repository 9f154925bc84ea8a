"""Soft Best-of-n on a law without atoms: every quantity by the exponential race, certified.

Definition: w(r) = n ∫₀^∞ e^{λr} e^{−t e^{λr}} φ(t)^{n−1} dt. The trapezoid rule in s = ln t, its
error bound and the bounds behind the outer integrals are in `hedgetheory.numerics.race`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from sympy import log

from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, n, r, total, u, ubar
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.continuous import RankOnContinuous, unit_supremum
from hedgetheory.functionals.growth import ONE, Growth, growth, side_of
from hedgetheory.functionals.plans import Closed, Infinite, Plan, Race, Undefined
from hedgetheory.functionals.soft.base import KL_WEIGHING, MEAN, SQUARE, SoftBound, power
from hedgetheory.functionals.soft.latent import LatentScene
from hedgetheory.functionals.soft.lines import RAW_LAWS, LineScene, RankedScene
from hedgetheory.functionals.soft.scenes import Racing, UnitScene, Weighing
from hedgetheory.functionals.soft.scores import score_in_draws, score_in_strength
from hedgetheory.functionals.soft.two_draws import TWO_DRAWS
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

_ratio, _pdf = sympy.Symbol("w", positive=True), sympy.Symbol("f", nonnegative=True)


class SoftOnContinuous(SoftBound):
    """Soft Best-of-n on a law without atoms.

    On the uniform law, and with scale=quantile on every law, the divergences, mean_quantile and
    gold curves in u are integrals over the quantile; on the raw reward over the line, with tails
    bounded by w ≤ n. A gold curve must be analytic on the law's range.
    """

    law: ContinuousLaw

    def __init__(self, policy: SoftBestOfN, law: ContinuousLaw) -> None:
        self.policy, self.law = policy, law

    @cached_property
    def _unit(self) -> bool:
        return self.policy.scale == "quantile" or isinstance(self.law, Uniform)

    @cached_property
    def scene(self) -> UnitScene | LineScene | LatentScene:
        if self._unit:
            return UnitScene(self.policy)
        return self._raw

    @cached_property
    def _raw(self) -> LineScene | LatentScene:
        """The scene in the reward, also of a softmax over quantiles."""
        if not isinstance(self.law, RAW_LAWS):
            return LatentScene(self.policy, self.law)
        ranked = self.policy.scale == "quantile"
        return (RankedScene if ranked else LineScene)(self.policy, self.law)

    @cached_property
    def _reference(self) -> RankOnContinuous:
        return RankOnContinuous(BestOfN(1), self.law)

    # -- divergences and means ----------------------------------------------------------------
    def _expectation(self, what: str, weighing: Weighing, **arguments: Any) -> Race:
        scene = self.scene
        return self._race(what, lambda: scene.expectation(weighing), **arguments)

    def kl(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        return [self._expectation("kl", KL_WEIGHING)]

    def chi2(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        return [Closed(total - 1, {total: self._expectation("square", SQUARE)})]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        inner = self._expectation("power", power(order), order=order)
        return [Closed(log(total) / (alpha - 1), {total: inner, alpha: order})]

    def total_variation(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.S.Zero)]
        scene = self.scene
        return [self._race("total_variation", lambda: _total_variation(scene))]

    def mean_quantile(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.Rational(1, 2))]
        scene, definition = self.scene, self._gold(GoldCurve(u, "u"))
        if isinstance(scene, UnitScene):
            return [self._race("mean_quantile", scene.mean), definition]
        return [definition]

    def win_rate(self) -> Iterable[Plan]:
        return self.mean_quantile()

    def mean_reward(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.mean_reward()
        if isinstance(self.law, Uniform):
            return self.mean_quantile()
        return [self._gold(GoldCurve(r, "r"))]

    @property
    def _alike_at_the_ends(self) -> BestOfN:
        """The Best-of-n whose w has the order of this one at both ends of a heavy-tailed law.

        On the raw reward the other n − 1 draws must lie lower still, w ~ nF^{n−1} at the bottom;
        a softmax over quantiles has w bounded away from zero.
        """
        return BestOfN(1 if self.policy.scale == "quantile" else self.policy.draws)

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.gold(curve)
        return [self._gold(curve)]

    def _gold(self, curve: GoldCurve) -> Plan:
        scene, expr, tail = self.scene, curve.expr, ONE
        if isinstance(scene, UnitScene) and (
            curve.variable != "r" or isinstance(self.law, Uniform)
        ):
            expr = expr.xreplace({ubar: 1 - r, u: r})
        elif not isinstance(self.law, RAW_LAWS):
            return self._latent_gold(curve)
        elif curve.variable == "r":
            tail, scene = growth(expr, side_of(self.law.support)), self._raw
        else:
            tail = Growth(unit_supremum(expr))
            expr = expr.xreplace({u: self.law.cdf, ubar: self.law.survival})
        assert not isinstance(scene, LatentScene)
        at_work = scene
        return self._race("gold", lambda: at_work.expectation(MEAN, expr, tail), gold=curve)

    def _latent_gold(self, curve: GoldCurve) -> Plan:
        # P(R beyond r) is of the order of Best-of-n's on both sides: w → n above, and w is of the
        # order of F^{n−1} below a heavy lower tail.
        diverges = RankOnContinuous(self._alike_at_the_ends, self.law).divergent(curve.expr)
        scene = self._raw
        assert isinstance(scene, LatentScene)
        return diverges or self._race(
            "gold", lambda: scene.expectation(MEAN, curve.expr), gold=curve
        )

    # -- pointwise ----------------------------------------------------------------------------
    def _outside(self, at: Point) -> int:
        return self._reference._outside(at)

    def _exponent(self, at: Point) -> Any:
        """z = λ·(reward or quantile) at the point, as a ball."""
        strength = ball(self.policy.strength)
        if self._unit and at.quantile is not None:
            return strength * ball(at.quantile)
        if self._unit:
            assert at.reward is not None
            return strength * compiled(self.law.cdf, (r,))(REAL, ball(at.reward))
        return strength * self._reward(at)

    def _reward(self, at: Point) -> Any:
        if at.reward is not None:
            return ball(at.reward)
        assert at.quantile is not None
        level = at.quantile
        return compiled(self.law.quantile, (u, ubar))(REAL, ball(level), ball(1 - level))

    def ratio(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            yield Undefined(f"{short(at.reward or Fraction(0))} is outside the support")
            return
        if self.policy.is_reference:
            yield Closed(sympy.S.One)
            return
        if self._unit and self.policy.draws == 2:
            levels: dict[sympy.Symbol, Fraction | Plan]
            if at.quantile is not None:
                levels = {u: at.quantile, ubar: 1 - at.quantile}
            else:
                reward: dict[sympy.Symbol, Fraction | Plan] = {r: at.reward or Fraction(0)}
                levels = {
                    u: Closed(self.law.cdf, reward),
                    ubar: Closed(self.law.survival, reward),
                }
            yield Closed(TWO_DRAWS.expr, {lam: self.policy.strength, **levels}, TWO_DRAWS.title)
        scene = self.scene
        yield self._race("ratio", lambda: scene.ratio(self._exponent(at)), at=at)

    def density(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            yield Closed(sympy.S.Zero)
            return
        base = next(iter(self._reference.density(at)))
        if isinstance(base, (Infinite, Undefined)):
            yield base  # w is finite and positive at every reward
            return
        for plan in self.ratio(at):
            yield Closed(_ratio * _pdf, {_ratio: plan, _pdf: base})

    def mass(self, at: Point) -> Iterable[Plan]:
        return [Closed(sympy.S.Zero)]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        if self._outside(at):
            return [Undefined(f"{short(at.reward or Fraction(0))} is outside the support")]
        scene = self.scene
        if wrt == n:
            if self.policy.strength == 0:
                return [Closed(sympy.S.Zero)]
            return [
                self._race("score", lambda: score_in_draws(scene, self._exponent(at)), at=at, wrt=n)
            ]
        if self.policy.draws == 1:
            return [Closed(sympy.S.Zero)]
        if self.policy.strength == 0:
            # ln w = λ(1 − 1/n)(x − E[x]) + O(λ²).
            mean = sympy.Rational(1, 2) if self._unit else self.law.mean
            factor = 1 - 1 / exact_symbol(self.policy.draws)
            return [
                Closed(factor * (total - mean), {total: self._race("x", lambda: self._place(at))})
            ]

        def enclose() -> Any:
            return score_in_strength(scene, self._exponent(at), self._place(at))

        return [self._race("score", enclose, at=at, wrt=lam)]

    def _place(self, at: Point) -> Any:
        """x = quantile or reward, whichever the softmax sees."""
        if not self._unit:
            return self._reward(at)
        if at.quantile is not None:
            return ball(at.quantile)
        return compiled(self.law.cdf, (r,))(REAL, self._reward(at))

    def cdf(self, at: Point) -> Iterable[Plan]:
        side = self._outside(at)
        if side or (at.reward is not None and at.reward in self.law.support):
            # A finite end of the support itself has no mass: 0 at the lower one, 1 at the upper.
            above = side > 0 or (side == 0 and at.reward == self.law.support[1])
            return [Closed(sympy.Integer(int(above)))]
        if self.policy.is_reference:
            return self._reference.cdf(at)
        scene = self.scene
        if isinstance(scene, UnitScene):
            return [self._race("cdf", lambda: scene.cdf_at(self._place(at)), at=at)]
        line = scene

        def enclose() -> Any:
            # The cdf increases: between its values at the two ends of the reward's ball.
            low, high = (line.cdf(x) for x in balls.enclosing_rationals(self._reward(at)))
            return hull(low, high)

        if at.reward is not None:
            reward = at.reward
            return [self._race("cdf", lambda: line.cdf(reward), at=at)]
        return [self._race("cdf", enclose, at=at)]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        if self.policy.is_reference:
            return self._reference.quantile(level)
        scene = self.scene
        if not isinstance(scene, UnitScene):
            line = scene
            return [self._race("quantile", lambda: line.quantile(level), level=level)]
        inner = self._race(
            "quantile",
            lambda: balls.increasing_root(lambda x: scene.cdf_at(x) - ball(level)),
            level=level,
        )
        post = self.law.quantile.xreplace({u: total, ubar: 1 - total})
        return [Closed(post, {total: inner})]


def _crossing(scene: Racing, low: Any, high: Any) -> Fraction:
    """A dyadic x with w(x) ≈ 1, by bisection on the certified w (its sign need not be certain)."""
    strength = ball(scene.strength)
    race = scene.race(scene.strength * low, scene.strength * high)
    left, right = Fraction(low), Fraction(high)
    values = [_middle(race.ratio(strength * ball(x))) - 1 for x in (left, right)]
    for step in range(4 * balls.current_bits()):
        # Regula falsi (Illinois), with a bisection now and then.
        middle = (left + right) / 2
        if step % 3 and values[1] != values[0]:
            middle = right - values[1] * (right - left) / (values[1] - values[0])
        middle = Fraction(
            round(middle * 2 ** (2 * balls.current_bits())), 2 ** (2 * balls.current_bits())
        )
        value = race.ratio(strength * ball(middle)) - 1
        if abs(value) < balls.power_of_two(8 - balls.current_bits()) or middle in (left, right):
            return middle
        if _middle(value) < 0:
            left, values = middle, [_middle(value), values[1] if step % 3 == 0 else values[1] / 2]
        else:
            right, values = middle, [values[0] if step % 3 == 0 else values[0] / 2, _middle(value)]
    return middle


def _middle(x: Any) -> Fraction:
    low, high = balls.enclosing_rationals(x)
    return (low + high) / 2


def _total_variation(scene: UnitScene | LineScene | LatentScene) -> Any:
    """TV = ∫ (1 − w) dF over w < 1, an interval since w increases.

    At a point x̂ near the crossing the same integral is off by at most |1 − w(x̂)|, since |1 − w| is
    no larger between the two.
    """
    if isinstance(scene, UnitScene):
        at = _crossing(scene, Fraction(0), Fraction(1))
        inside = ball(at) - scene.cdf(at)
    else:
        law = scene.law
        low, high = scene.ends()
        at = _crossing(scene, low, high)
        # F(x̂) − G(x̂).
        inside = compiled(law.cdf, (r,))(REAL, ball(at)) - scene.cdf(at)
    miss = abs(scene.ratio(ball(scene.strength) * ball(at)) - 1).upper()
    return inside + hull(miss * 0, miss)
