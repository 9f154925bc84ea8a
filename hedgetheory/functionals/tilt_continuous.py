"""The exponential tilt on a law without atoms."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from sympy import Abs, exp, log

from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import alpha, lam, r, total, u, ubar
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.evaluate import enclosure, end_ball
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.functionals.lines import (
    OnContinuous,
    at_ball,
    constant_plan,
    quantile_plan,
    unit_supremum,
)
from hedgetheory.functionals.plans import (
    Bindings,
    Closed,
    Infinite,
    LineIntegral,
    Plan,
    Race,
    Undefined,
)
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol
from hedgetheory.numerics.ball import REAL, ball, certify, increasing_root
from hedgetheory.numerics.highprec import HighPrecision
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.tilt import Tilt

#: K(λ) = ln M(λ) where it is an integral, and E_λ[R] then.
CUMULANT, MEAN = sympy.Symbol("K", real=True), sympy.Symbol("mean", real=True)


class TiltOnContinuous(OnContinuous):
    """The exponential tilt on a law without atoms, by its cumulant function K = ln M."""

    policy: Tilt

    def __init__(self, policy: Tilt, law: ContinuousLaw) -> None:
        limit = law.mgf_limit
        if limit is not None and policy.strength >= limit and not policy.is_reference:
            where = f"from lam = {short(limit)} on; take lam < {short(limit)}"
            if limit == 0:
                where = "for every lam > 0: no tilt exists there; tilt the quantile instead"
            raise NotOnThisLaw(
                f"{policy} does not exist on {law}: E[e^(lam R)] is infinite {where}"
            )
        if law.tilt_unknown and not policy.is_reference:
            raise NotCertified(
                f"it is not decided whether {policy} exists on {law}, which has no upper end: "
                "tilt the quantile instead"
            )
        self.policy, self.law = policy, law

    # -- the cumulant function -------------------------------------------------------------------
    @property
    def _stated(self) -> bool:
        return "log_mgf" in self.law.formulas and self.law.mgf_limit != 0

    @property
    def bindings(self) -> Bindings:
        if self._stated or self.policy.is_reference:
            return self.policy.bindings
        return {**self.policy.bindings, CUMULANT: self._cumulant(Fraction(1))}

    def _cumulant(self, order: Fraction) -> Plan:
        """K(order·λ)."""
        if self.policy.is_reference:
            return Closed(sympy.S.Zero)
        if self._stated:
            return Closed(self.law.log_mgf, {lam: order * self.policy.strength})
        scaled = _Untilted(Tilt(order * self.policy.strength), self.law)
        return Closed(log(total), {total: scaled.whole()})

    @property
    def _k(self) -> sympy.Expr:
        """K(λ) in λ, or in a symbol of its own where it is bound to an integral."""
        if self.policy.is_reference:
            return sympy.S.Zero
        return self.law.log_mgf if self._stated else CUMULANT

    @property
    def ratio_formula(self) -> sympy.Expr:
        return exp(self.log_ratio_formula)

    @property
    def log_ratio_formula(self) -> sympy.Expr:
        return lam * r - self._k

    @cached_property
    def _tilted(self) -> ContinuousLaw | None:
        return self.law.tilted(self.policy.strength)

    def _defined_to(self, order: Fraction) -> bool:
        limit = self.law.mgf_limit
        return limit is None or order * self.policy.strength < limit or self.policy.is_reference

    # -- divergences -----------------------------------------------------------------------------
    def kl(self) -> Iterable[Plan]:
        if self._stated:
            slope = sympy.diff(self.law.log_mgf, lam)
            yield Closed(lam * slope - self.law.log_mgf, self.bindings, "KL = λK′ − K")
            yield self._mean(self.log_ratio_formula.xreplace({lam: self._strength}))
        elif self.policy.is_reference:
            yield Closed(sympy.S.Zero)
        else:
            mean = self._mean(r)
            yield Closed(lam * MEAN - CUMULANT, {**self.bindings, MEAN: mean}, "KL = λE_λ[R] − K")

    @property
    def _strength(self) -> sympy.Rational:
        strength = self.policy.strength
        return sympy.Rational(strength.numerator, strength.denominator)

    def chi2(self) -> Iterable[Plan]:
        if not self._defined_to(Fraction(2)):
            return [Infinite(1, "E[w²] = M(2λ)/M(λ)² and M(2λ) is infinite")]
        title = "χ² = M(2λ)/M(λ)² − 1"
        return [self._by_cumulants(exp(total - 2 * self._k) - 1, Fraction(2), title)]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if not self._defined_to(order):
            return [Infinite(1, f"M({short(order)}·λ) is infinite")]
        title = "(K(αλ) − αK(λ))/(α − 1)"
        plan = self._by_cumulants((total - alpha * self._k) / (alpha - 1), order, title)
        return [replace(plan, bindings={**plan.bindings, alpha: order})]

    def _by_cumulants(self, form: sympy.Expr, order: Fraction, title: str) -> Closed:
        """A formula in K(λ) and, written total, K(order·λ)."""
        if self._stated:
            scaled = self.law.log_mgf.xreplace({lam: sympy.Rational(*_pair(order)) * lam})
            return Closed(form.xreplace({total: scaled}), self.bindings, title)
        return Closed(form, {**self.bindings, total: self._cumulant(order)}, title)

    def total_variation(self) -> Iterable[Plan]:
        # w > 1 exactly above r* = K/λ, so TV = F(r*) − F_θ(r*).
        tilted = self._tilted
        if tilted is None:
            # |1 − w| f ≤ f_θ + f: the tail of two densities.
            half = (Abs(1 - self.ratio_formula) / 2).xreplace({lam: self._strength})
            return [_Difference(self.policy, self.law)._mean(half, ONE)]
        star = self._k / lam
        value = self.law.cdf.xreplace({r: star}) - tilted.cdf.xreplace({r: star})
        return [Closed(value, self.bindings, "TV = F(r*) − F_θ(r*), r* = K/λ")]

    # -- means -----------------------------------------------------------------------------------
    def mean_reward(self) -> Iterable[Plan]:
        if self.policy.is_reference and "mean" in self.law.formulas:
            plan = constant_plan(self.law.mean)
            yield plan
            if not isinstance(plan, Closed):
                return
        if self._stated:
            slope = sympy.diff(self.law.log_mgf, lam)
            yield Closed(slope, self.bindings, "E_λ[R] = K′(λ)")
        yield self._mean(r)

    def mean_quantile(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.Rational(1, 2)), *self.gold(GoldCurve(u, "u"))]
        return self.gold(GoldCurve(u, "u"))

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if not curve.expr.has(r, u):
            return [Closed(curve.expr)]
        if curve.variable == "r":
            diverges = self.divergent(curve.expr)
            return [diverges or self._mean(curve.expr)]
        return [self._mean(curve.expr, Growth(unit_supremum(curve.expr)))]

    # -- points ----------------------------------------------------------------------------------
    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        if self._stated:
            return super().score(at, wrt)
        require_parameter(self.policy, wrt)
        if self._outside(at):
            return super().score(at, wrt)
        if self.policy.is_reference:
            return [Undefined(f"{self.law} has no tilt to move on to: M(lam) = oo for lam > 0")]
        plan = self._at(r - MEAN, at)
        assert isinstance(plan, Closed)
        return [replace(plan, bindings={**plan.bindings, MEAN: self._mean(r)})]

    def cdf(self, at: Point) -> Iterable[Plan]:
        if at.quantile is not None:
            raise InputError("at=u=…, but the cdf of a tilt is asked for at a reward")
        assert at.reward is not None
        if self._outside(at) or self._end(at):
            return [Closed(sympy.Integer(int(at.reward > self.law.centre)))]
        known = self.law if self.policy.is_reference else self._tilted
        if known is not None:
            return [Closed(known.cdf, {r: at.reward})]
        return [self._below(at.reward)]

    def _below(self, reward: Fraction) -> Plan:
        """P_θ(R ≤ reward) as integrals over the strands up to there."""
        parts: dict[sympy.Symbol, Plan] = {}
        whole = sympy.S.Zero
        for strand in self.law.strands:
            part = sympy.Symbol(f"part_{len(parts)}")
            plan = self._over(strand, sympy.S.One, ONE)
            parts[part] = up_to(plan, strand, reward)
            whole += part
        return Closed(whole, parts)

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        levels = {u: level, ubar: 1 - level}
        if self.policy.is_reference:
            return [quantile_plan(self.law, levels)]
        if self._tilted is None:
            what = f"the quantile of {self.policy} on {self.law}"
            return [Race(lambda: self._crossing(level), lambda d: self._estimate(level, d), what)]
        return [Closed(self._tilted.quantile, levels)]

    def _crossing(self, level: Fraction) -> Any:
        """A ball around the x with P_θ(R ≤ x) = level, by certified signs of the integral."""
        cumulant = None if CUMULANT not in self.bindings else enclosure(self._cumulant(Fraction(1)))
        fixed: dict[sympy.Symbol, Plan] = {}
        if cumulant is not None:
            fixed[CUMULANT] = Race(lambda: cumulant, float, "K")
        bindings: Bindings = {**self.policy.bindings, **fixed}
        plans = [
            (strand, replace(self._over(strand, sympy.S.One, ONE), bindings=bindings))
            for strand in self.law.strands
        ]

        def above(x: Any) -> Any:
            parts = [enclosure(up_to(plan, strand, x)) for strand, plan in plans]
            return sum(parts[1:], parts[0]) - ball(level)

        if len(plans) > 1:
            return _root(above, self.law.support, self.law.centre, self.law.width)
        # In the coordinate, in which a reward next to a singular end is as far as any other.
        ((strand, plan),) = plans
        place = _root(
            lambda y: enclosure(until(plan, y)) - ball(level),
            *(strand.support, plan.centre, plan.width),
        )
        return at_ball(strand.reward, place)

    def _estimate(self, level: Fraction, digits: int) -> Any:
        value = certify(lambda: self._crossing(level), digits, "the quantile", costly=True)
        low, high = value.bounds
        return HighPrecision(digits).constant((low + high) / 2)

    # -- integrals -------------------------------------------------------------------------------
    @property
    def _plain(self) -> bool:
        """Whether every strand is in the reward itself, R = Y."""
        return all(strand.reward == r for strand in self.law.strands)

    def _moved(self, strand: Strand) -> Strand | None:
        """The strand of the tilted law on the same rewards, where that law is in the package."""
        if self._tilted is None or not self._plain:
            return None
        return self._tilted.strands[self.law.strands.index(strand)]

    def strand_density(self, strand: Strand) -> sympy.Expr:
        moved = self._moved(strand)
        if moved is not None:
            return moved.pdf
        # λ as a constant, so that K(λ) is computed once for each precision.
        return super().strand_density(strand).xreplace({lam: self._strength})

    def bulk(self, strand: Strand) -> tuple[Any, Fraction, Fraction]:
        moved = self._moved(strand) or strand
        return strand.support, moved.centre, moved.width

    def largest_ratio(self, strand: Strand, x: Any, values: list[Any]) -> Any:
        return (ball(self.policy.strength) * at_ball(strand.reward, x)).exp() / (
            self._least_cumulant(strand).exp()
        )

    def tail_envelope(self, x: Any, side: int, strand: Strand) -> tuple[Any, Any]:
        strength = ball(self.policy.strength)
        if side < 0 and not self._plain:
            # e^{λT} increases and the cdf of Y is log-concave.
            below = at_ball(strand.law.cdf, x)
            lift = (strength * at_ball(strand.reward, x) - self._least_cumulant(strand)).exp()
            return lift * below, at_ball(strand.law.pdf, x) / below
        top = strand.rewards[1]
        if side > 0 and not strand.falling_bend:
            # e^{λT} ≤ e^{λ sup T}, and the survival of Y is log-concave.
            above = at_ball(strand.law.survival, x)
            if top is None:
                return above * 0, above * 0
            lift = (strength * ball(top) - self._least_cumulant(strand)).exp()
            return lift * above, at_ball(strand.law.pdf, x) / above
        # The tilted density is log-concave, in a coordinate Y from any point on at which it is:
        # beyond x it is at most its value there times e^{−d|y−x|}, d its logarithmic slope at x.
        reward = strand.reward
        slope = at_ball(strand.law.log_density_slope, x)
        slope += strength * at_ball(sympy.diff(reward, r), x)
        if not self._plain:
            bend = at_ball(sympy.diff(strand.law.log_density_slope, r), x)
            bend += strength * at_ball(sympy.diff(reward, r, 2), x)
            if not bend <= 0:
                return slope * 0, slope * 0
        decay = -side * slope
        moved = self._moved(strand)
        if moved is not None:
            density = at_ball(moved.law.pdf, x)
        else:
            lift = (strength * at_ball(reward, x) - self._least_cumulant(strand)).exp()
            density = lift * at_ball(strand.law.pdf, x)
        return density / decay, decay if decay > 0 else decay * 0

    def _least_cumulant(self, strand: Strand) -> Any:
        """A ball whose values are at most K(λ), up to its own radius."""
        if self._stated or self.policy.is_reference:
            return compiled(self._k, (lam,))(REAL, ball(self.policy.strength))
        # M(λ) ≥ e^{λx} P(R ≥ x), at the centre of the strand.
        centre = ball(strand.centre)
        place = at_ball(strand.reward, centre)
        return ball(self.policy.strength) * place + at_ball(strand.survival, centre).log()


class _Untilted(TiltOnContinuous):
    """e^{λr} f(r) with nothing divided out: its integral is M(λ)."""

    @property
    def bindings(self) -> Bindings:
        return self.policy.bindings

    @property
    def _k(self) -> sympy.Expr:
        return sympy.S.Zero

    def _least_cumulant(self, strand: Strand) -> Any:
        return ball(Fraction(0))

    def whole(self) -> Plan:
        return self._mean(sympy.S.One, ONE)


class _Difference(TiltOnContinuous):
    """The reference with the tails of both the reference and the tilt."""

    def strand_density(self, strand: Strand) -> sympy.Expr:
        return strand.pdf

    def bulk(self, strand: Strand) -> tuple[Any, Fraction, Fraction]:
        return strand.support, strand.centre, strand.width

    def tail_envelope(self, x: Any, side: int, strand: Strand) -> tuple[Any, Any]:
        mass, decay = super().tail_envelope(x, side, strand)
        form = strand.law.cdf if side < 0 else strand.law.survival
        beyond = at_ball(form, x)
        rate = at_ball(strand.law.pdf, x) / beyond
        return mass + beyond, REAL.minimum(decay, rate)


def up_to(plan: LineIntegral, strand: Strand, reward: Any) -> LineIntegral | Closed:
    """The part of an integral over a strand below a reward, a rational or a ball."""
    bottom, top = strand.rewards
    at = end_ball(reward)
    if bottom is not None and at <= ball(bottom):
        return Closed(sympy.S.Zero)
    if top is not None and at >= ball(top):
        return plan
    if isinstance(reward, Fraction):
        # A formula, which every working precision encloses anew.
        return until(plan, strand.coordinate.xreplace({r: exact_symbol(reward)}))
    return until(plan, at_ball(strand.coordinate, reward))


def until(plan: LineIntegral, place: Any) -> LineIntegral:
    """The part of an integral below a place inside of its range, a formula or a ball."""
    low, _ = plan.support
    if not end_ball(place).is_finite():
        raise NotCertified("where a reward lies in the coordinate of its law has no formula")
    middle = Fraction(float(end_ball(place).mid()))
    centre = min(plan.centre, middle - plan.width)
    if low is not None:
        centre = (Fraction(float(end_ball(low).mid())) + middle) / 2
    return replace(plan, support=(low, place), centre=centre)


def _root(
    above: Callable[[Any], Any], support: tuple[Any, Any], centre: Fraction, width: Fraction
) -> Any:
    """The root of an increasing function, the bracket certified from the centre outwards."""
    ends: list[Any] = []
    for side, end in zip((-1, 1), support, strict=True):
        step, place = width, ball(centre) if end is None else end_ball(end)
        for _ in range(0 if end is not None else 200):
            place = ball(centre + side * step)
            if side * above(place) > 0:
                break
            step *= 2
        ends.append(place.lower() if side < 0 else place.upper())
    low, high = ends
    return low + (high - low) * increasing_root(lambda t: above(low + (high - low) * t))


def _pair(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator
