"""Rank policies and tilts on a law without atoms."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from sympy import Abs, exp, log

from hedgetheory.errors import InputError, NotCertified, NotOnThisLaw
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import a, alpha, lam, r, total, u, ubar
from hedgetheory.functionals.bound import Bound, GoldCurve, Point, require_parameter
from hedgetheory.functionals.closed_forms import (
    INTEGRANDS,
    RANK_FORMS,
    mean_reward,
    policy_key,
)
from hedgetheory.functionals.growth import ONE, Growth, growth
from hedgetheory.functionals.plans import (
    Closed,
    Infinite,
    Inverse,
    LineIntegral,
    Plan,
    Undefined,
    UnitIntegral,
    eps,
)
from hedgetheory.laws.base import ContinuousLaw, exact_symbol
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import (
    REAL,
    WHERE_DEFINED,
    ball,
    no_bound,
    unit_interval,
    upper_integer,
)
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.quantile_tilt import QuantileTilt
from hedgetheory.policies.random_draws import Sibuya
from hedgetheory.policies.tilt import Tilt


class OnContinuous(Bound):
    """What rank policies and tilts share on a law without atoms."""

    law: ContinuousLaw

    @property
    @abstractmethod
    def ratio_formula(self) -> sympy.Expr:
        """w in r, u and ū together."""

    @property
    @abstractmethod
    def log_ratio_formula(self) -> sympy.Expr: ...

    def _in_reward(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.xreplace({u: self.law.cdf, ubar: self.law.survival})

    def _at(self, expr: sympy.Expr, at: Point) -> Plan:
        """An expression in r, u, ū at a point, as a closed plan."""
        if at.quantile is not None:
            level = at.quantile
            inner = expr.xreplace({r: self.law.quantile})
            return Closed(inner, {**self.bindings, u: level, ubar: 1 - level})
        assert at.reward is not None
        return Closed(self._in_reward(expr), {**self.bindings, r: at.reward})

    def _outside(self, at: Point) -> int:
        """−1 below the support, +1 above it, 0 in it (its finite ends included)."""
        if at.reward is None:
            return 0
        low, high = self.law.support
        if low is not None and at.reward < low:
            return -1
        return 1 if high is not None and at.reward > high else 0

    def density(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            return [Closed(sympy.S.Zero)]
        return [self._at(self.ratio_formula * self.law.pdf, at)]

    def ratio(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            return [Undefined(f"{short(at.reward or Fraction(0))} is outside the support")]
        return [self._at(self.ratio_formula, at)]

    def mass(self, at: Point) -> Iterable[Plan]:
        return [Closed(sympy.S.Zero)]

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        require_parameter(self.policy, wrt)
        if self._outside(at):
            return [Undefined(f"{short(at.reward or Fraction(0))} is outside the support")]
        return [self._at(sympy.diff(self.log_ratio_formula, wrt), at)]

    def win_rate(self) -> Iterable[Plan]:
        # No ties on a law without atoms: P(R' < R) + ½P(R' = R) = E[F(R)].
        return self.mean_quantile()

    def _line(
        self, integrand: sympy.Expr, everywhere: Growth, h: sympy.Expr | None = None
    ) -> LineIntegral:
        """∫ h(r) f_θ(r) dr for an integrand h·f_θ with |h| bounded by ``everywhere``.

        With the formula ``h`` itself, the tail on the side of 0 that it lies on has a bound of its
        own: e^{−r} does not grow to the right.
        """
        one_sided = {} if h is None else {side: growth(h, side) for side in (-1, 1)}

        def tail(x: Any, side: int) -> Any:
            beyond_zero = x >= 0 if side > 0 else x <= 0
            bound = one_sided.get(side, everywhere) if beyond_zero else everywhere
            prob, decay = self.tail_envelope(x, side)
            size = REAL.maximum(abs(x), REAL.constant(Fraction(1)))
            slope = ball(bound.rate) + ball(bound.degree) / size
            # |h| ≤ H(max(1, |y|)) ≤ H(size + |y − x|), P(X beyond y) ≤ prob·e^{−decay |y−x|}, and
            # H′/H ≤ slope from size on: E[|h|; beyond x] ≤ H(size)·prob·(1 + slope/(decay−slope)).
            height = ball(bound.size) * size ** ball(bound.degree) * (ball(bound.rate) * size).exp()
            if decay > slope:
                return height * prob * decay / (decay - slope)
            return no_bound()

        return LineIntegral(integrand, self.bindings, self.law.support, *self.bulk, tail=tail)

    @property
    def bulk(self) -> tuple[Fraction, Fraction]:
        """Where an integral over the line is centred, and its width."""
        return self.law.centre, self.law.width

    @abstractmethod
    def tail_envelope(self, x: Any, side: int) -> tuple[Any, Any]:
        """(p, d) with P_θ(R beyond y) ≤ p·e^{−d|y − x|} for every y beyond the ball x."""

    def _law_ball(self, expr: sympy.Expr, x: Any) -> Any:
        return compiled(expr, (r,))(REAL, x)


class RankOnContinuous(OnContinuous):
    """A rank policy on a law without atoms: what does not see the reward is free of F."""

    policy: RankPolicy

    def __init__(self, policy: RankPolicy, law: ContinuousLaw) -> None:
        self.policy, self.law = policy, law

    @property
    def ratio_formula(self) -> sympy.Expr:
        return self.policy.ratio

    @property
    def log_ratio_formula(self) -> sympy.Expr:
        return self.policy.log_ratio

    def _unit(
        self, integrand: sympy.Expr, post: sympy.Expr, bound: Any, order: Fraction | None = None
    ) -> UnitIntegral:
        """The definition over u; ``bound`` is a bound of |integrand| in w, non-decreasing in w."""
        policy, more = self.policy, {} if order is None else {alpha: order}
        left = right = None
        if self._sibuya:
            right = _sibuya_omitted(bound)
        elif not policy.regular or _vanishes_at_zero(policy):
            left = eps * bound(policy.ratio.xreplace({u: eps, ubar: 1 - eps}))
        return UnitIntegral(integrand, {**self.bindings, **more}, post, left, right)

    @property
    def _sibuya(self) -> bool:
        return isinstance(self.policy, BestOfRandom) and isinstance(self.policy.draws, Sibuya)

    def _divergence(self, name: str, bound: Any, order: Fraction | None = None) -> Iterable[Plan]:
        integrand, post = INTEGRANDS[name]
        form = RANK_FORMS.get((policy_key(self.policy), name))
        if form is not None:
            extra = {} if order is None else {"order": order}
            yield self._closed(form, **extra)
        f = integrand(self.policy.ratio, self.policy.log_ratio)
        yield self._unit(f, post, bound, order)

    def kl(self) -> Iterable[Plan]:
        return self._divergence("kl", lambda w: sympy.Max(exp(-1), Abs(w * log(w))))

    def chi2(self) -> Iterable[Plan]:
        if self._sibuya and self._sibuya_diverges(Fraction(2)):
            return [_DIVERGES]
        return self._divergence("chi2", lambda w: w**2 + 1)

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if self._sibuya and self._sibuya_diverges(order):
            return [_DIVERGES]
        return self._divergence("renyi", lambda w: w**alpha, order)

    def _sibuya_diverges(self, order: Fraction) -> bool:
        """E[w^α] = a^α ∫ v^{α(a−1)} dv is infinite from α(1 − a) = 1 on."""
        return order * (1 - self.policy.tail_power) >= 1

    def total_variation(self) -> Iterable[Plan]:
        return self._divergence("total_variation", lambda w: w + 1)

    def mean_quantile(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            yield Closed(sympy.Rational(1, 2))  # the closed forms are 0/0 there
        yield from self._divergence("mean_quantile", lambda w: w)

    def mean_reward(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            yield Closed(sympy.sympify(self.law.mean))
        if isinstance(self.law, Uniform):
            yield from self.mean_quantile()
            return
        form = mean_reward(policy_key(self.policy), self.law)
        if form is not None:
            yield self._closed(form)
        yield self._line(r * self._in_reward(self.policy.ratio) * self.law.pdf, growth(r))

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        expr = curve.expr
        if not expr.has(r, u):
            yield Closed(expr)
        if curve.variable == "r" and isinstance(self.law, Uniform):
            expr = expr.xreplace({r: u})
        elif curve.variable == "r":
            weight = self._in_reward(self.policy.ratio) * self.law.pdf
            yield self._line(expr * weight, growth(expr), expr)
            return
        if isinstance(self.policy, BestOfN):
            moments = _best_of_n_moments(expr)
            if moments is not None:
                yield Closed(moments, self.bindings, "E[U^c] = n/(n + c) under Best-of-n")
        if self._sibuya:
            # ∫ g dG = ∫ g(G⁻¹(v)) dv with 1 − G⁻¹(v) = (1 − v)^{1/a}: no singular weight.
            parameter = next(iter(self.bindings))
            outer = ubar ** (1 / parameter)
            inside = in_u(expr).xreplace({u: 1 - outer})
            yield UnitIntegral(inside, self.bindings, total, None, eps * _sup(expr))
        else:
            yield self._unit(expr * self.policy.ratio, total, lambda w: w * _sup(expr))

    def cdf(self, at: Point) -> Iterable[Plan]:
        side = self._outside(at)
        if side:
            return [Closed(sympy.Integer((side + 1) // 2))]
        return [self._at(self.policy.cdf, at)]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        at_level = {u: level, ubar: 1 - level}
        if self.policy.is_reference:
            yield Closed(self.law.quantile, at_level)
        elif self.policy.inverse is not None:
            inner = self.policy.inverse
            outer = self.policy.inverse_bar
            place = {u: inner, ubar: 1 - inner if outer is None else outer}
            yield Closed(self.law.quantile.xreplace(place), {**self.bindings, **at_level})
        post = self.law.quantile.xreplace({u: total, ubar: 1 - total})
        yield Inverse(in_u(self.policy.cdf), u, level, self.bindings, post)

    def _end(self, at: Point) -> int:
        """−1 at the finite lower end of the support (u = 0), +1 at the upper (ū = 0), else 0."""
        low, high = self.law.support
        if at.reward is None:
            return 0
        return -1 if at.reward == low else int(at.reward == high)

    def _top_is_infinite(self, at: Point) -> bool:
        # w = a ū^{a−1} of Sibuya(a), a < 1, grows without bound towards ū = 0.
        return self._sibuya and not self.policy.is_reference and self._end(at) == 1

    def density(self, at: Point) -> Iterable[Plan]:
        return [_TOP] if self._top_is_infinite(at) else super().density(at)

    def ratio(self, at: Point) -> Iterable[Plan]:
        return [_TOP] if self._top_is_infinite(at) else super().ratio(at)

    def score(self, at: Point, wrt: sympy.Symbol) -> Iterable[Plan]:
        bottom = isinstance(self.policy, BestOfN) and self._end(at) == -1
        if bottom or (self._sibuya and self._end(at) == 1):
            require_parameter(self.policy, wrt)
            return [Infinite(-1, "the logarithm of the distance to this end")]
        return super().score(at, wrt)

    def tail_envelope(self, x: Any, side: int) -> tuple[Any, Any]:
        # F and 1 − F are log-concave where the density is, so they decay at least at the rate at
        # x. G(u) ≤ u, and 1 − G(1 − s) ≤ E[N]·s, or s^a for Sibuya(a).
        density = self._law_ball(self.law.pdf, x)
        if side < 0:
            below_x = self._law_ball(self.law.cdf, x)
            return below_x, density / below_x
        above = self._law_ball(self.law.survival, x)
        power = ball(self.policy.tail_power)
        symbols = tuple(self.bindings)
        values = [ball(v) for v in self.bindings.values() if isinstance(v, Fraction)]
        draws = self.policy.mean_draws
        factor = (
            REAL.constant(Fraction(1))
            if draws == sympy.oo
            else compiled(draws, symbols)(REAL, *values)
        )
        return factor * above**power, power * density / above


def _vanishes_at_zero(policy: RankPolicy) -> bool:
    """Whether w(0) = P(N = 1) is zero, so that ln w is not analytic at u = 0."""
    symbols = tuple(policy.bindings)
    values = map(ball, policy.bindings.values())
    return not compiled(in_u(policy.ratio), (u, *symbols))(REAL, ball(Fraction(0)), *values) > 0


_TOP = Infinite(1, "w grows without bound towards the top of the law")
_DIVERGES = Infinite(1, "the power of w is not integrable at the top of the law")


def _sibuya_omitted(bound: Any) -> sympy.Expr:
    """A bound of ∫ bound(w) over the top eps of [0, 1], where w = a v^{a−1}, v = 1 − u.

    bound(w) ≤ c (1 + w^q)(1 + |ln w|) with its order q in w, so that the integral is at most
    2c (eps + a^q eps^{1−q(1−a)}/(1 − q(1−a))) (1 + |ln a| + |ln eps| + 1/(1 − q(1−a))).
    """
    w = sympy.Symbol("w", positive=True)
    order = alpha if bound(w).has(alpha) else sympy.Integer(2 if bound(w).has(w**2) else 1)
    gap = 1 - order * (1 - a)
    powers = eps + a**order * eps**gap / gap
    logs = 1 + Abs(log(a)) + Abs(log(eps)) + 1 / gap
    return 2 * powers * logs


def _sup(expr: sympy.Expr) -> sympy.Expr:
    """A rational upper bound of |g| on [0, 1]."""
    return exact_symbol(unit_supremum(expr))


def _best_of_n_moments(expr: sympy.Expr) -> sympy.Expr | None:
    """Σ c_k n/(n + k) for g = Σ c_k u^k with rational powers k ≥ 0, else None."""
    n = BestOfN.symbols[0]
    terms = []
    for term in sympy.Add.make_args(sympy.expand(expr)):
        coefficient, rest = term.as_coeff_Mul()
        base, power = rest.as_base_exp()
        if rest == 1:
            power = sympy.S.Zero
        elif base != u or not power.is_Rational or power < 0:
            return None
        terms.append(coefficient * n / (n + power))
    return sympy.Add(*terms)


class TiltOnContinuous(OnContinuous):
    """The exponential tilt on a law without atoms, by its cumulant function K = ln M."""

    policy: Tilt

    def __init__(self, policy: Tilt, law: ContinuousLaw) -> None:
        limit = law.mgf_limit
        if limit is not None and policy.strength >= limit:
            raise NotOnThisLaw(
                f"{policy} does not exist on {law}: E[e^(lam R)] is infinite from "
                f"lam = {short(limit)} on; take lam < {short(limit)}"
            )
        self.policy, self.law = policy, law

    @cached_property
    def _slope(self) -> sympy.Expr:
        return sympy.diff(self.law.log_mgf, lam)

    @property
    def ratio_formula(self) -> sympy.Expr:
        return exp(lam * r - self.law.log_mgf)

    @property
    def log_ratio_formula(self) -> sympy.Expr:
        return lam * r - self.law.log_mgf

    @cached_property
    def _density(self) -> sympy.Expr:
        tilted = self.law.tilted(self.policy.strength)
        return self.ratio_formula * self.law.pdf if tilted is None else tilted.pdf

    @property
    def bulk(self) -> tuple[Fraction, Fraction]:
        tilted = self.law.tilted(self.policy.strength)
        base = self.law if tilted is None else tilted
        return base.centre, base.width

    def _scaled(self, order: sympy.Expr) -> sympy.Expr:
        return self.law.log_mgf.xreplace({lam: order * lam})

    def _defined_to(self, order: Fraction) -> bool:
        limit = self.law.mgf_limit
        return limit is None or order * self.policy.strength < limit

    def kl(self) -> Iterable[Plan]:
        yield Closed(lam * self._slope - self.law.log_mgf, self.bindings, "KL = λK′ − K")
        bound = growth(r) * Growth(self.policy.strength + 1) + Growth(self._log_mgf_size)
        yield self._line(self.log_ratio_formula * self._density, bound)

    @cached_property
    def _log_mgf_size(self) -> Fraction:
        """A rational upper bound of |K(λ)|."""
        value = compiled(self.law.log_mgf, (lam,))(REAL, ball(self.policy.strength))
        return upper_integer(value)

    def chi2(self) -> Iterable[Plan]:
        if not self._defined_to(Fraction(2)):
            return [Infinite(1, "E[w²] = M(2λ)/M(λ)² and M(2λ) is infinite")]
        closed = exp(self._scaled(sympy.Integer(2)) - 2 * self.law.log_mgf) - 1
        return [Closed(closed, self.bindings, "χ² = M(2λ)/M(λ)² − 1")]

    def renyi(self, order: Fraction) -> Iterable[Plan]:
        if not self._defined_to(order):
            return [Infinite(1, f"M({short(order)}·λ) is infinite")]
        closed = (self._scaled(alpha) - alpha * self.law.log_mgf) / (alpha - 1)
        return [Closed(closed, {**self.bindings, alpha: order}, "(K(αλ) − αK(λ))/(α − 1)")]

    def total_variation(self) -> Iterable[Plan]:
        # w > 1 exactly above r* = K/λ, so TV = F(r*) − F_θ(r*).
        tilted = self.law.tilted(self.policy.strength)
        if tilted is None:
            half = Abs(1 - self.ratio_formula) / 2 * self.law.pdf
            return [self._line_of_difference(half)]
        star = self.law.log_mgf / lam
        value = self.law.cdf.xreplace({r: star}) - tilted.cdf.xreplace({r: star})
        return [Closed(value, self.bindings, "TV = F(r*) − F_θ(r*), r* = K/λ")]

    def _line_of_difference(self, integrand: sympy.Expr) -> Plan:
        bound = self._line(integrand, ONE)

        def tail(x: Any, side: int) -> Any:
            # |1 − w| f ≤ f_θ + f: the sum of two envelopes.
            reference = RankOnContinuous(QuantileTilt(0), self.law)
            return bound.tail(x, side) + reference.tail_envelope(x, side)[0]

        return LineIntegral(integrand, self.bindings, self.law.support, *self.bulk, tail=tail)

    def mean_reward(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            yield Closed(sympy.sympify(self.law.mean))
        yield Closed(self._slope, self.bindings, "E_λ[R] = K′(λ)")
        yield self._line(r * self._density, growth(r))

    def mean_quantile(self) -> Iterable[Plan]:
        if self.policy.is_reference:
            return [Closed(sympy.Rational(1, 2)), *self.gold(GoldCurve(u, "u"))]
        return self.gold(GoldCurve(u, "u"))

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        if not curve.expr.has(r, u):
            return [Closed(curve.expr)]
        if curve.variable == "r":
            return [self._line(curve.expr * self._density, growth(curve.expr), curve.expr)]
        size = unit_supremum(curve.expr)
        inside = self._in_reward(curve.expr)
        return [self._line(inside * self._density, Growth(size))]

    def cdf(self, at: Point) -> Iterable[Plan]:
        tilted = self.law.tilted(self.policy.strength)
        if tilted is None:
            return [self._cdf_by_integral(self._reward_point(at))]
        return RankOnContinuous(QuantileTilt(0), tilted).cdf(self._reward_point(at))

    def _cdf_by_integral(self, at: Point) -> Plan:
        assert at.reward is not None
        whole = self._line(self._density, ONE)
        centre = min(self.law.centre, at.reward - self.law.width)
        return replace(whole, support=(self.law.support[0], at.reward), centre=centre)

    def _reward_point(self, at: Point) -> Point:
        if at.quantile is not None:
            raise InputError("at=u=…, but the cdf of a tilt is asked for at a reward")
        return at

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        tilted = self.law.tilted(self.policy.strength)
        if tilted is None:
            raise NotCertified(f"the quantile of {self.policy} on {self.law} is not built yet")
        return [Closed(tilted.quantile, {u: level, ubar: 1 - level})]

    def tail_envelope(self, x: Any, side: int) -> tuple[Any, Any]:
        # The tilted density is log-concave too: beyond x it is at most its value there times
        # e^{−d|y−x|} with d its logarithmic slope at x.
        slope = self._law_ball(self.law.log_density_slope, x) + ball(self.policy.strength)
        decay = -side * slope
        density = compiled(self._density, (r, lam))(REAL, x, ball(self.policy.strength))
        return density / decay, decay if decay > 0 else decay * 0


def unit_supremum(expr: sympy.Expr) -> Fraction:
    """A rational upper bound of |g| over [0, 1]; raises NotCertified where g is not bounded."""
    value = compiled(in_u(expr), (u,))(WHERE_DEFINED, unit_interval())
    if not value.is_finite():
        raise NotCertified(f"{expr} is not bounded on [0, 1] by ball arithmetic")
    return upper_integer(value)
