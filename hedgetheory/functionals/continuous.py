"""Rank policies on a law without atoms."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import sympy
from sympy import Abs, exp, log

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import a, alpha, r, total, u, ubar
from hedgetheory.functionals.bound import GoldCurve, Point, require_parameter
from hedgetheory.functionals.closed_forms import (
    INTEGRANDS,
    RANK_FORMS,
    mean_reward,
    policy_key,
)
from hedgetheory.functionals.lines import (
    OnContinuous,
    at_ball,
    constant_plan,
    quantile_plan,
    supremum,
    unit_supremum,
    weight_ball,
)
from hedgetheory.functionals.plans import (
    Closed,
    Infinite,
    Inverse,
    Plan,
    UnitIntegral,
    eps,
)
from hedgetheory.functionals.tilt_continuous import TiltOnContinuous
from hedgetheory.laws.base import ContinuousLaw, Strand
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import REAL, ball
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import RankPolicy, in_u
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.best_of_random import BestOfRandom
from hedgetheory.policies.random_draws import FinitePmf, Sibuya

#: The highest power of the reward whose mean under the reference is taken from M(λ).
MAX_MOMENT = 8


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
        if self.policy.is_reference and "mean" in self.law.formulas:
            plan = constant_plan(self.law.mean)
            yield plan
            if not isinstance(plan, Closed):
                return
        if isinstance(self.law, Uniform):
            yield from self.mean_quantile()
            return
        diverges = self.divergent(r)
        if diverges is not None:
            yield diverges
            return
        form = mean_reward(policy_key(self.policy), self.law)
        if form is not None:
            yield self._closed(form)
        yield self._mean(r)

    def gold(self, curve: GoldCurve) -> Iterable[Plan]:
        expr = curve.expr
        if not expr.has(r, u):
            yield Closed(expr)
        if curve.variable == "r" and isinstance(self.law, Uniform):
            expr = expr.xreplace({r: u})
        elif curve.variable == "r":
            divergent = self.divergent(expr)
            closed = None if divergent else self._closed_gold(expr)
            if closed is not None:
                yield closed
            yield divergent or self._mean(expr)
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
            yield UnitIntegral(inside, self.bindings, total, None, eps * supremum(expr))
        else:
            yield self._unit(expr * self.policy.ratio, total, lambda w: w * supremum(expr))

    def _closed_gold(self, expr: sympy.Expr) -> Plan | None:
        """E[g(R)] of a polynomial g: by the mean where g is a line, by moments at the reference."""
        if not expr.is_polynomial(r) or sympy.degree(expr, r) > MAX_MOMENT:
            return None
        terms = sympy.Poly(expr, r).terms()
        if self.policy.is_reference:
            moments = [self.law.moment(k) if k else sympy.S.One for (k,), _ in terms]
            if all(m is not None for m in moments):
                return Closed(sympy.Add(*(c * m for (_, c), m in zip(terms, moments, strict=True))))
        first = next(iter(self.mean_reward()))
        if sympy.degree(expr, r) == 1 and isinstance(first, Closed):
            return Closed(expr.xreplace({r: first.expr}), first.bindings, first.proof)
        return None

    def cdf(self, at: Point) -> Iterable[Plan]:
        side = self._outside(at)
        if side:
            return [Closed(sympy.Integer((side + 1) // 2))]
        return [self._at(self.policy.cdf, at)]

    def quantile(self, level: Fraction) -> Iterable[Plan]:
        at_level = {u: level, ubar: 1 - level}
        stated = "quantile" in self.law.formulas
        if self.policy.is_reference:
            yield quantile_plan(self.law, at_level)
        elif self.policy.inverse is not None:
            inner = self.policy.inverse
            outer = self.policy.inverse_bar
            outer = 1 - inner if outer is None else outer
            bindings = {**self.bindings, **at_level}
            if stated:
                place = {u: inner, ubar: outer}
                yield Closed(self.law.quantile.xreplace(place), bindings)
            else:
                levels = {u: Closed(inner, bindings), ubar: Closed(outer, bindings)}
                yield quantile_plan(self.law, levels)
        increasing = in_u(self.policy.cdf)
        if stated:
            post = self.law.quantile.xreplace({u: total, ubar: 1 - total})
            yield Inverse(increasing, u, level, self.bindings, post)
        else:
            inverse = Inverse(increasing, u, level, self.bindings)
            yield quantile_plan(self.law, {u: inverse, ubar: Closed(1 - total, {total: inverse})})

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

    def end_order(self, side: int) -> Fraction:
        if side > 0:
            return self.policy.tail_power
        if isinstance(self.policy, BestOfN):
            return self.policy.bindings[BestOfN.symbols[0]]
        if isinstance(self.policy, BestOfRandom) and isinstance(self.policy.draws, FinitePmf):
            return self.policy.draws.masses[0][0]
        return Fraction(1)  # P(N = 1) > 0

    def bulk(self, strand: Strand) -> tuple[Any, Fraction, Fraction]:
        if self._sibuya and strand.support[1] is not None and not self.policy.is_reference:
            top = self.law.support[1]
            if top is not None and strand.rewards[1] == top:
                raise NotCertified(
                    f"{self.policy} has a singular density at the top of {self.law}: its integrals "
                    "in the reward are not built; ask for gold in u"
                )
        return super().bulk(strand)

    def largest_ratio(self, strand: Strand, x: Any, values: list[Any]) -> Any:
        if self.policy.mean_draws == sympy.oo:
            # w = a s^{a−1} grows without bound only where s = 0.
            inside = self.policy.ratio.xreplace({ubar: strand.survival})
            return compiled(inside, (r, *self.bindings))(REAL, x.upper(), *values)
        return compiled(self.policy.mean_draws, tuple(self.bindings))(REAL, *values)

    def tail_envelope(self, x: Any, side: int, strand: Strand) -> tuple[Any, Any]:
        # The cdf H and the survival of Y are log-concave, so that they decay at least at the rate
        # at x. On the strand F ≥ weight·H and 1 − F ≥ weight·(1 − H) beyond x.
        density = at_ball(strand.law.pdf, x)
        weight = weight_ball(strand)
        symbols, values = tuple(self.bindings), map(ball, self.policy.bindings.values())
        if side < 0:
            below = at_ball(strand.law.cdf, x)
            if strand.whole:
                # G(u) ≤ u^q, q = min N: u^k ≤ u^q for k ≥ q.
                order = ball(self.end_order(-1))
                return below**order, order * density / below
            # w increases.
            inside = self.policy.ratio.xreplace({u: strand.cdf, ubar: strand.survival})
            return below * compiled(inside, (r, *symbols))(REAL, x, *values), density / below
        # 1 − G(1 − s) ≤ E[N]·s; for Sibuya(a) w(1 − s) = a s^{a−1}, which falls in s, so that
        # ∫ w dF over the strand is at most ∫ a (weight·s)^{a−1} weight ds = (weight·s)^a.
        above = at_ball(strand.law.survival, x)
        power = ball(self.policy.tail_power)
        draws = self.policy.mean_draws
        factor = (
            REAL.constant(Fraction(1))
            if draws == sympy.oo
            else compiled(draws, symbols)(REAL, *values)
        )
        return factor * (weight * above) ** power / weight, power * density / above


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


__all__ = ["RankOnContinuous", "TiltOnContinuous", "unit_supremum"]
