"""What rank policies and tilts share on a law without atoms: points, and integrals over strands."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

import sympy
from sympy import log

from hedgetheory.errors import NotCertified
from hedgetheory.exact import short
from hedgetheory.expressions.symbols import r, total, u, ubar
from hedgetheory.functionals.bound import Bound, Point, require_parameter
from hedgetheory.functionals.growth import Growth, growth
from hedgetheory.functionals.plans import (
    Bindings,
    Closed,
    Infinite,
    Inverse,
    LineIntegral,
    Plan,
    Undefined,
)
from hedgetheory.laws.base import ContinuousLaw, Strand, exact_symbol
from hedgetheory.numerics.ball import (
    REAL,
    WHERE_DEFINED,
    ball,
    hull,
    no_bound,
    unit_interval,
    upper_integer,
)
from hedgetheory.numerics.program import compiled
from hedgetheory.policies.base import in_u

#: tail(x, side) bounds E_θ[|h|; beyond x] in a strand's coordinate.
Tail = Callable[[Any, int], Any]


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

    # -- points ----------------------------------------------------------------------------------
    def _in_reward(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.xreplace({u: self.law.cdf, ubar: self.law.survival})

    def _at(self, expr: sympy.Expr, at: Point) -> Plan:
        """An expression in r, u, ū at a point, as a closed plan."""
        if at.quantile is not None:
            levels: Bindings = {u: at.quantile, ubar: 1 - at.quantile}
            if not expr.has(r):
                return Closed(expr, {**self.bindings, **levels})
            if "quantile" in self.law.formulas:
                inner = expr.xreplace({r: self.law.quantile})
                return Closed(inner, {**self.bindings, **levels})
            there = quantile_plan(self.law, levels)
            return Closed(expr, {**self.bindings, **levels, r: there})
        assert at.reward is not None
        side = self._end(at)
        if side:
            # The cdf is 0 or 1 there, whatever its formula makes of a logarithm of zero.
            ends = {u: Fraction((1 + side) // 2), ubar: Fraction((1 - side) // 2)}
            return Closed(expr, {**self.bindings, r: at.reward, **ends})
        return Closed(self._in_reward(expr), {**self.bindings, r: at.reward})

    def _outside(self, at: Point) -> int:
        """−1 below the support, +1 above it, 0 in it (its finite ends included)."""
        if at.reward is None:
            return 0
        low, high = self.law.support
        if low is not None and at.reward < low:
            return -1
        return 1 if high is not None and at.reward > high else 0

    def _end(self, at: Point) -> int:
        """−1 at the finite lower end of the support (u = 0), +1 at the upper (ū = 0), else 0."""
        low, high = self.law.support
        if at.reward is None:
            return 0
        return -1 if at.reward == low else int(at.reward == high)

    def density(self, at: Point) -> Iterable[Plan]:
        if self._outside(at):
            return [Closed(sympy.S.Zero)]
        side = self._end(at)
        if side in self.law.end_density:
            return [self._density_at_end(side, at)]
        return [self._at(self.ratio_formula * self.law.pdf, at)]

    def _density_at_end(self, side: int, at: Point) -> Plan:
        """The limit of w·f at an end where f ~ c·d^p: w is of order F^{q−1} or (1 − F)^{q−1}."""
        peak, power = self.law.end_density[side]
        order = self.end_order(side)
        exponent = (power + 1) * order - 1
        if peak == 0 or exponent > 0:
            return Closed(sympy.S.Zero)
        if exponent < 0:
            return Infinite(1, "the density grows without bound towards this end of the law")
        if order != 1:
            raise NotCertified(f"the limit of the density at this end of {self.law} is not built")
        return self._at(self.ratio_formula * peak, at)

    def end_order(self, side: int) -> Fraction:
        """q where P_θ(R beyond r) ~ c·P(R beyond r)^q: the order of G, or of 1 − G, at its end."""
        return Fraction(1)

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

    # -- means -----------------------------------------------------------------------------------
    def divergent(self, h: sympy.Expr) -> Plan | None:
        """E_θ[h] where a polynomial h has no finite mean on a heavy tail, else None.

        P_θ(R beyond r) ~ c|r|^{−αq}, so E_θ[|R|^d] is infinite on that side exactly from d = αq on.
        """
        if not any(self.law.tail_index) or not h.is_polynomial(r) or not h.has(r):
            return None
        polynomial = sympy.Poly(h, r)
        lead, signs = polynomial.LC(), set()
        for side, index in zip((-1, 1), self.law.tail_index, strict=True):
            if index is not None and polynomial.degree() >= index * self.end_order(side):
                signs.add(int(sympy.sign(lead)) * side ** polynomial.degree())
        if not signs:
            return None
        if len(signs) > 1:
            return Undefined("the integral diverges to +oo above and to -oo below")
        return Infinite(signs.pop(), "the tail of the law is too heavy for a finite mean")

    def _mean(self, h: sympy.Expr, bound: Growth | None = None) -> Plan:
        """E_θ[h(R)], h in r, u and ū; ``bound``, where given, bounds |h| in each coordinate."""
        parts: dict[sympy.Symbol, Plan] = {}
        whole = sympy.S.Zero
        for strand in self.law.strands:
            part = sympy.Symbol(f"part_{len(parts)}")
            parts[part] = self._over(strand, h, bound)
            whole += part
        if len(parts) == 1:
            return next(iter(parts.values()))
        return Closed(whole, parts)

    def _over(self, strand: Strand, h: sympy.Expr, bound: Growth | None = None) -> LineIntegral:
        """∫ h dP_θ over one strand."""
        inside = h.xreplace({r: strand.reward, u: strand.cdf, ubar: strand.survival})
        if h.has(log):
            inside = sympy.expand_log(inside)
        bounds = self._growth(h, inside, strand) if bound is None else {0: bound}
        support, centre, width = self.bulk(strand)
        return LineIntegral(
            inside * self.strand_density(strand) * sympy.sympify(strand.weight),
            self.bindings,
            *(support, centre, width),
            tail=self._tail(strand, bounds),
            singular=strand.singular,
            edge=self._edge(strand, h, bound),
            cost=self.law.evaluation_cost,
        )

    def _edge(self, strand: Strand, h: sympy.Expr, bound: Growth | None) -> Callable[[Any], Any]:
        """A bound of |h| dP_θ/dy on a ball of the strand's coordinate, next to a singular end."""
        outer = h.xreplace({r: strand.reward})
        known = {s: v for s, v in self.bindings.items() if isinstance(v, Fraction)}
        bounded = bound is not None and bound.degree == bound.rate == 0

        def edge(x: Any) -> Any:
            values = [ball(v) for v in known.values()]
            if bounded and bound is not None:
                size = ball(bound.size)
            elif outer.free_symbols <= {r, *known}:
                size = abs(compiled(outer, (r, *known))(REAL, x, *values))
            else:
                return no_bound()
            density = weight_ball(strand) * at_ball(strand.pdf, x)
            return size * density * self.largest_ratio(strand, x, values)

        return edge

    @abstractmethod
    def largest_ratio(self, strand: Strand, x: Any, values: list[Any]) -> Any:
        """A bound of w on the ball x of a strand's coordinate."""

    def _line(self, h: sympy.Expr, bound: Growth) -> LineIntegral:
        """E_θ[h] on a law that is one strand."""
        (strand,) = self.law.strands
        return self._over(strand, h, bound)

    def _growth(
        self, h: sympy.Expr, inside: sympy.Expr, strand: Strand
    ) -> dict[int, Growth | None]:
        """Bounds of |h| in the strand's coordinate: everywhere (0), and on one side of 0 (±1)."""
        low, high = self.law.support
        if low is not None and high is not None and not h.has(u, ubar):
            value = compiled(h, (r,))(WHERE_DEFINED, hull(ball(low), ball(high)))
            if value.is_finite():
                return {0: Growth(upper_integer(value))}
        bounds: dict[int, Growth | None] = {0: None}
        for side, end in zip((-1, 1), strand.support, strict=True):
            if end is None:
                bounds[side] = self._growth_towards(side, h, inside, strand)
        with suppress(NotCertified):  # then a bound is known only beyond 0
            bounds[0] = growth(inside)
        return bounds

    def _growth_towards(
        self, side: int, h: sympy.Expr, inside: sympy.Expr, strand: Strand
    ) -> Growth:
        """A bound of |h(T(y))| on one side of y = 0: by its own structure, or that of h and T."""
        try:
            return growth(inside, side)
        except NotCertified:
            low, high = self.law.support
            # The sign of the reward there, where the whole law has one.
            reward_side = side if strand.reward == r else 0
            if low is not None and low >= 0:
                reward_side = 1
            elif high is not None and high <= 0:
                reward_side = -1
            outer = growth(h, reward_side)
            if outer.rate != 0:
                raise
            return growth(strand.reward, side).raised(outer)

    def _tail(self, strand: Strand, bounds: Mapping[int, Growth | None]) -> Tail:
        """The bound of ∫ |h| dP_θ beyond a point of a strand.

        With the formula ``h`` itself, the tail on the side of 0 that it lies on has a bound of its
        own: e^{−r} does not grow to the right.
        """

        def tail(x: Any, side: int) -> Any:
            beyond_zero = x >= 0 if side > 0 else x <= 0
            bound = bounds.get(side) if beyond_zero else None
            bound = bounds[0] if bound is None else bound
            if bound is None:
                return no_bound()
            prob, decay = self.tail_envelope(x, side, strand)
            prob = prob * weight_ball(strand)
            size = REAL.maximum(abs(x), REAL.constant(Fraction(1)))
            slope = ball(bound.rate) + ball(bound.degree) / size
            # |h| ≤ H(max(1, |y|)) ≤ H(size + |y − x|), P(X beyond y) ≤ prob·e^{−decay |y−x|}, and
            # H′/H ≤ slope from size on: E[|h|; beyond x] ≤ H(size)·prob·(1 + slope/(decay−slope)).
            height = ball(bound.size) * size ** ball(bound.degree) * (ball(bound.rate) * size).exp()
            if decay > slope:
                return height * prob * decay / (decay - slope)
            return no_bound()

        return tail

    def strand_density(self, strand: Strand) -> sympy.Expr:
        """dP_θ/dy on a strand, its weight left out."""
        ratio = self.ratio_formula.xreplace(
            {r: strand.reward, u: strand.cdf, ubar: strand.survival}
        )
        return ratio * strand.pdf

    def bulk(self, strand: Strand) -> tuple[Any, Fraction, Fraction]:
        """The range of an integral over a strand, where it is centred, and its width."""
        return strand.support, strand.centre, strand.width

    @abstractmethod
    def tail_envelope(self, x: Any, side: int, strand: Strand) -> tuple[Any, Any]:
        """(p, d): the mass that P_θ has on the strand beyond y is at most p·e^{−d|y − x|}, d ≥ 0.

        For every y beyond the ball x in the strand's coordinate, its weight left out.
        """


def at_ball(expr: sympy.Expr, x: Any) -> Any:
    """An expression in r at a real ball."""
    return compiled(expr, (r,))(REAL, x)


def weight_ball(strand: Strand) -> Any:
    """A ball around the weight of a strand."""
    weight = strand.weight
    return ball(weight) if isinstance(weight, Fraction) else compiled(weight, ())(REAL)


def constant_plan(value: sympy.Expr) -> Plan:
    """An exact constant, or ±∞ or nan of a mean, as a plan."""
    if value in (sympy.oo, -sympy.oo):
        return Infinite(
            1 if value > 0 else -1, "the tail of the law is too heavy for a finite mean"
        )
    if value is sympy.nan:
        return Undefined("the integral of the mean diverges to +oo above and to -oo below")
    return Closed(sympy.sympify(value))


def quantile_plan(law: ContinuousLaw, levels: Bindings) -> Plan:
    """Q at the level bound to u, with ū bound beside it."""
    if "quantile" in law.formulas:
        return Closed(law.quantile, levels)
    low, high, t = (sympy.Symbol(name, real=True) for name in ("low", "high", "t"))
    ends = dict(zip((low, high), law.quantile_bracket, strict=True))
    bindings = {**levels, **{s: Closed(end, levels) for s, end in ends.items()}}
    place = {r: low + t * (high - low)}
    # The logit of the cdf is as quick to invert in a far tail as in the middle.
    form = log(law.cdf.xreplace(place)) - log(law.survival.xreplace(place)) - log(u) + log(ubar)
    return Inverse(form, t, Fraction(0), bindings, low + total * (high - low))


def unit_supremum(expr: sympy.Expr) -> Fraction:
    """A rational upper bound of |g| over [0, 1]; raises NotCertified where g is not bounded."""
    value = compiled(in_u(expr), (u,))(WHERE_DEFINED, unit_interval())
    if not value.is_finite():
        raise NotCertified(f"{expr} is not bounded on [0, 1] by ball arithmetic")
    return upper_integer(value)


def supremum(expr: sympy.Expr) -> sympy.Expr:
    """`unit_supremum` as a formula."""
    return exact_symbol(unit_supremum(expr))
