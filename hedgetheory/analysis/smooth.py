"""f′ by certified quadrature, for gold curves that have no exact form.

f′(θ) = ∫ g′(x) k_θ(F(x)) dx + Σ jumps · k_θ, on x = u (or x = u^{1/q}, where g is smooth at 0 only
in that) or on x = r with explicit tails. f(θ) = g(c) + ∫_c g′ (1 − G) − ∫^c g′ G likewise.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any

import sympy

from hedgetheory.analysis.coordinates import Coordinate, coordinates
from hedgetheory.analysis.curve import ONE, ZERO, NoExactForm
from hedgetheory.analysis.expsum import Coefficient, constant_ball
from hedgetheory.analysis.gold import (
    Gold,
    NotPolynomial,
    smooth_pieces,
)
from hedgetheory.analysis.nodes import Nodes, is_costly
from hedgetheory.analysis.rank_kernels import KERNELS, RankKernel, plain_tilt
from hedgetheory.analysis.smooth_pattern import SmoothPiece, settling
from hedgetheory.effort import Rebuilt
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import lam, r, u, ubar
from hedgetheory.functionals.growth import Growth, growth
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.uniform import Uniform
from hedgetheory.numerics.ball import (
    REAL,
    ball,
    complex_arithmetic,
    current_bits,
    enclosing_rationals,
    hull,
    integral,
    no_bound,
    precision,
    symmetric,
)
from hedgetheory.numerics.program import Program, UnsupportedExpression, compiled
from hedgetheory.policies.family import Family


class SmoothCurve(Rebuilt):
    """f and f′ of a rank family by certified quadrature; ``exact_sign`` is never known."""

    def __init__(
        self, law: ContinuousLaw, family: Family, gold: Gold, rank: RankKernel | None = None
    ) -> None:
        self._travels_as(law, family, gold, rank)
        if rank is None and family.name not in KERNELS:
            raise NoExactForm(f"no certified quadrature for the family {family}")
        self.rank = rank or KERNELS[family.name]
        self.lower = family.domain.lower
        expr = gold.expr
        self.in_reward = expr.has(r) and not isinstance(law, Uniform)
        self.law: ContinuousLaw = law if self.in_reward else Uniform()
        q = 1
        if self.in_reward:
            self.x, self.low, self.high = r, *law.support
            self.coordinates = coordinates(law)
        else:
            expr = expr.xreplace({r: u})
            q = lcm(*(int(p.exp.q) for p in expr.atoms(sympy.Pow) if p.exp.is_Rational), 1)
            self.x, self.low, self.high = u, ZERO, ONE
            expr = expr.subs(u, u**q) if q > 1 else expr
            self.coordinates = [Coordinate(u, u, u**q, 1 - u**q, ZERO, ONE, ZERO, ONE)]
        #: The integrals run over x = u^{1/q}, or x = r; g in x is `expr`.
        self.q, self.expr = q, expr
        try:
            self.pieces = self._in_pieces()
            self._compile()
        except (UnsupportedExpression, NotPolynomial) as why:
            raise NoExactForm(str(why)) from None

    def _in_pieces(self) -> list[SmoothPiece]:
        return [
            SmoothPiece(a, b, e, sympy.diff(e, self.x), sympy.diff(e, self.x, 2))
            for a, b, e in smooth_pieces(self.expr, self.x, self.low, self.high)
        ]

    def _compile(self) -> None:
        theta = self.rank.theta
        forms = self.rank.forms()
        plain = plain_tilt() if theta is lam else {}
        at = [{u: c.cdf, ubar: c.survival} for c in self.coordinates]
        self.weight, self.plain = (
            [
                {name: compiled(e.xreplace(place), (self.x, theta)) for name, e in these.items()}
                for place in at
            ]
            for these in (forms, plain)
        )
        self._slopes: dict[Fraction, Any] = {}
        self._values: dict[tuple[tuple[Fraction, Fraction], int], Any] = {}
        self._settled: dict[tuple[int, int], tuple[Fraction | None, Coefficient] | None] = {}
        self.forward = [compiled(c.forward, (self.x,)) for c in self.coordinates]
        self.inverse = [compiled(c.inverse, (self.x,)) for c in self.coordinates]
        self.slopes = [compiled(piece.slope, (self.x,)) for piece in self.pieces]
        self.values = [compiled(piece.value, (self.x,)) for piece in self.pieces]
        #: dg/dy along each piece in each coordinate.
        self.along = [[_along(piece.slope, c, self.x) for c in self.coordinates]
                      for piece in self.pieces]  # fmt: skip
        self.rates = [[compiled(e, (self.x,)) for e in row] for row in self.along]
        self.nodes = [
            [
                Nodes(rate, c.cdf, c.survival, self.x) if is_costly(self.law, slope) else None
                for rate, slope, c in zip(rates, slopes, self.coordinates, strict=True)
            ]
            for rates, slopes in zip(self.rates, self.along, strict=True)
        ]

    def exact_sign(self, x: Fraction) -> int | None:
        return None

    def _weight(self, name: str, theta: Any, place: int) -> Program:
        plain = self.plain[place] and theta > ball(Fraction(1, 16))
        return self.plain[place][name] if plain else self.weight[place][name]

    @cached_property
    def finite(self) -> bool:
        """Whether E[g] under the reference is certified to be finite: then so is every f(θ)."""
        try:
            with precision(64):
                return bool(self.value(ball(self.lower)).is_finite())
        except NotCertified:
            return False

    # The integrals -----------------------------------------------------------------------------

    def __call__(self, x: Any) -> Any:
        """f′ at a ball; at an exact point an earlier ball of a third of the digits serves again."""
        place = enclosing_rationals(x)
        known = self._slopes.get(place[0]) if place[0] == place[1] else None
        if known is not None and 3 * known.rel_accuracy_bits() >= current_bits():
            return known
        slope = self.integral("k", x, self.low, self.high)
        if place[0] == place[1] and slope.is_finite():
            self._slopes[place[0]] = slope
        return slope

    def value(self, theta: Any) -> Any:
        """f at a ball, computed once for each precision."""
        key = (enclosing_rationals(theta), current_bits())
        if key not in self._values:
            self._values[key] = self._value(theta)
        return self._values[key]

    def _value(self, theta: Any) -> Any:
        """f at a ball: G is small at an infinite lower end, 1 − G at an infinite upper one."""
        if self.high is not None and self.coordinates[-1].high is not None:
            top = self.values[-1](REAL, ball(self.high))
            return top - self.integral("G", theta, self.low, self.high)
        if self.low is not None and self.coordinates[0].low is not None:
            bottom = self.values[0](REAL, ball(self.low))
            return bottom + self.integral("S", theta, self.low, self.high)
        centre = self.law.centre
        middle = self._at(centre)
        above = self.integral("S", theta, centre, self.high)
        return middle + above - self.integral("G", theta, self.low, centre)

    def _at(self, x: Fraction) -> Any:
        for piece, program in zip(self.pieces, self.values, strict=True):
            if piece.high is None or x <= piece.high:
                return program(REAL, ball(x))
        raise ArithmeticError("a point outside the support")

    def integral(self, weight: str, theta: Any, low: Fraction | None, high: Fraction | None) -> Any:
        """∫ g′·weight + Σ jumps·weight over [low, high], with both tails enclosed."""
        total = ball(0)
        for i, piece in enumerate(self.pieces):
            a, b = _larger(piece.low, low), _smaller(piece.high, high)
            if a is not None and b is not None and a >= b:
                continue
            for j, start, stop in self._stretches(a, b):
                total += self._one((i, j), weight, theta, start, stop)
            cut = piece.low
            if i and cut is not None and (low is None or cut >= low):
                jump = self.values[i](REAL, ball(cut)) - self.values[i - 1](REAL, ball(cut))
                total += jump * self._at_reward(weight, theta, cut)
        return total

    def _stretches(
        self, a: Fraction | None, b: Fraction | None
    ) -> Iterator[tuple[int, Fraction | None, Fraction | None]]:
        """[a, b] by coordinate, and by the centre where a coordinate has no upper end."""
        for j, coordinate in enumerate(self.coordinates):
            start, stop = _larger(a, coordinate.start), _smaller(b, coordinate.stop)
            cut = self.law.centre
            if start is not None and stop is not None and start >= stop:
                continue
            inside = (start is None or start < cut) and (stop is None or cut < stop)
            if coordinate.high is None and inside:
                yield j, start, cut
                yield j, cut, stop
            else:
                yield j, start, stop

    def _at_reward(self, weight: str, theta: Any, cut: Fraction) -> Any:
        j = next(j for j, c in enumerate(self.coordinates) if c.stop is None or cut <= c.stop)
        y = self.inverse[j](REAL, ball(cut))
        return self._weight(weight, theta, j)(REAL, y, theta)

    def _one(
        self,
        place: tuple[int, int],
        weight: str,
        theta: Any,
        start: Fraction | None,
        stop: Fraction | None,
    ) -> Any:
        """One piece of g in one coordinate, over the stretch [start, stop] of x."""
        i, j = place
        where, rate = self.coordinates[j], self.rates[i][j]
        high_part = where.high is None and start is not None and start >= self.law.centre
        factor = self._weight(f"{weight}+" if high_part else weight, theta, j)
        total = ball(0)
        low = self._in_coordinate(j, start, where.start, where.low)
        high = self._in_coordinate(j, stop, where.stop, where.high)
        if low is None:
            low, tail = self._tail(i, j, -1, theta, weight)
            total += tail
        if high is None:
            high, tail = self._tail(i, j, 1, theta, weight)
            total += tail
        if not total.is_finite():
            return total
        if start == self.low and where.low is not None and not self.rank.analytic_at_zero:
            low, left_out = self._beyond_start(i, j, low, high, weight)
            total += left_out

        if where.clipped:
            # As above: the weights are at most one, next to ends at which formulas are singular.
            low, high, left_out = _inside(rate, low, high, start == where.low, stop == where.high)
            total += left_out

        if not all(rate(REAL, end).is_finite() for end in (low, high)):
            return ball(0) / ball(0)

        def integrand(z: Any, analytic: bool) -> Any:
            arithmetic = complex_arithmetic(analytic)
            return rate(arithmetic, z) * factor(arithmetic, z, theta + z * 0)

        nodes = self.nodes[i][j]
        if nodes is None:
            return total + integral(integrand, low, high)
        kernel = self._bare(f"{weight}+" if high_part else weight, theta, j)
        read = {analytic: nodes.reader(complex_arithmetic(analytic)) for analytic in (False, True)}

        def from_nodes(z: Any, analytic: bool) -> Any:
            slope, level, above = read[analytic](z)
            return slope * kernel(complex_arithmetic(analytic), level, above, theta + z * 0)

        return total + integral(from_nodes, low, high)

    def _beyond_start(self, i: int, j: int, low: Any, high: Any, weight: str) -> tuple[Any, Any]:
        """A range without its lower end, at which k is not analytic, and a bound of what is left.

        On [low, cut] k and G are at most 3u^{7/8} (see `_tail`) with u ≤ F(cut), and all three at
        most one, for every n ≥ 1. Where F vanishes like a difference, as on a truncated law, its
        logarithm needs a cut as far out as the first bound allows.
        """
        where, rate, bits = self.coordinates[j], self.rates[i][j], current_bits()
        small = ball(Fraction(1, 2**bits))
        for exponent in (-(-(bits + 8) * 8 // 15), bits + 8):
            cut = low + ball(Fraction(1, 2**exponent))
            if not cut < high:
                return low, ball(0)
            left_out = abs(rate(REAL, hull(low, cut))) * (cut - low)
            if weight.startswith(("k", "G")):
                level = compiled(where.cdf, (self.x,))(REAL, cut).abs_upper()
                left_out = left_out * REAL.minimum(3 * (level.log() * 7 / 8).exp(), ball(1))
            if left_out < small:
                break
        return cut, symmetric(left_out)

    def _bare(self, name: str, theta: Any, place: int) -> Program:
        """As `_weight`, in (u, 1 − u, θ)."""
        form = self.rank.forms()[name]
        if self.plain[place] and theta > ball(Fraction(1, 16)):
            form = plain_tilt()[name]
        return compiled(form, (u, ubar, self.rank.theta))

    def _in_coordinate(
        self, j: int, x: Fraction | None, end: Fraction | None, own: Fraction | None
    ) -> Any:
        """y at a point x of a stretch, at its end the end in y; None where that is infinite."""
        if x is None or x == end:
            return None if own is None else ball(own)
        return self.inverse[j](REAL, ball(x))

    def _tail(self, i: int, j: int, side: int, theta: Any, weight: str) -> tuple[Any, Any]:
        """A cut and a ball around the integral beyond it, for a log-concave law of Y.

        S(y + t) ≤ S(y) e^{−ρt}, ρ = f(y)/S(y): the hazard increases. Above, k and 1 − G are at most
        C·(1 − u) with C = max w + 1: 1 − G by w ≤ C; −u ln u ≤ 1 − u; and the tilt's
        k is Cov_λ(1{U > u}, U) ≤ 1 − G. Below, k and G are at most 3u^{7/8}: G ≤ u, k ≤ G for the
        tilt, −u ln u ≤ (8/e) u^{7/8}. These bounds W fall outwards. Where g is monotone beyond y,
        with a limit, what is left out is at most W(y)·|lim g − g(T(y))|; elsewhere, with
        |dg/dy| ≤ H and H(y + t) ≤ H(y)e^{σt}, at most W(y) H(y)/(ρ − σ).
        """
        where = self.coordinates[j]
        if weight == ("G" if side > 0 else "S"):
            return ball(where.centre), no_bound()  # these weights tend to one here
        scale = ball(3)
        if side > 0:
            scale = compiled(self.rank.largest_ratio, (self.rank.theta,))(REAL, theta) + 1
        target = ball(Fraction(1, 2 ** (current_bits() + 8)))
        y = max(side * where.centre, ZERO) * side + side * where.width
        settling, tail = self._settling(i, side), no_bound()
        bound = self._growth(i, j, side) if settling is None else None
        for _ in range(64):
            at = ball(y)
            beyond = self._masses(where, side, at, theta)
            if settling is not None:
                mark, limit = settling
                place = self.forward[j](REAL, at)
                if mark is None or (place - ball(mark)) * side >= 0:
                    whole = sum((mass for mass, _ in beyond), ball(0))
                    tail = scale * whole * abs(constant_ball(limit) - self.values[i](REAL, place))
            elif bound is not None and where.parts:
                size = REAL.maximum(abs(at), ball(1))
                sigma = ball(bound.rate) + ball(bound.degree) / size
                if all(rho > sigma for _, rho in beyond):
                    height = size ** ball(bound.degree) * (ball(bound.rate) * size).exp()
                    shares = sum((mass / (rho - sigma) for mass, rho in beyond), ball(0))
                    tail = scale * shares * ball(bound.size) * height
            if tail < target:
                break
            y = y * 2 if abs(y) >= 1 else y + side
        return ball(y), symmetric(tail)

    def _masses(self, where: Coordinate, side: int, at: Any, theta: Any) -> list[tuple[Any, Any]]:
        """W and its hazard by part: (1 − u)^c ≤ Σ (weight·S)^c above and u^{7/8} likewise below.

        c ≤ 1 is the `upper_power` of the kernel.
        """
        out = []
        for weight, law in where.parts:
            mass = compiled(law.survival if side > 0 else law.cdf, (r,))(REAL, at)
            rho = compiled(law.pdf, (r,))(REAL, at) / mass
            out.append((ball(weight) * mass, rho))
        if not where.parts:
            mass = compiled(where.survival if side > 0 else where.cdf, (self.x,))(REAL, at)
            out.append((mass, no_bound()))
        if side > 0 and self.rank.upper_power == 1:
            return out
        power = ball(Fraction(7, 8))
        if side > 0:
            power = compiled(self.rank.upper_power, (self.rank.theta,))(REAL, theta)
        # F^c falls at c times the rate.
        return [((mass.log() * power).exp(), rho * power) for mass, rho in out]

    def _settling(self, i: int, side: int) -> tuple[Fraction | None, Coefficient] | None:
        """From where on outwards piece i of g is monotone, and its limit; None if not known."""
        if (i, side) not in self._settled:
            self._settled[i, side] = settling(self.pieces[i], self.x, side)
        return self._settled[i, side]

    def _growth(self, i: int, j: int, side: int) -> Growth:
        """A bound of |dg/dy| on one side of y = 0, by its structure or by that of g′ and T."""
        where = self.coordinates[j]
        try:
            return growth(self.along[i][j], side)
        except NotCertified:
            low, high = self.low, self.high
            reward_side = 1 if low is not None and low >= 0 else 0
            if high is not None and high <= 0:
                reward_side = -1
            outer = growth(self.pieces[i].slope, reward_side)
            if outer.rate != 0:
                raise
            inner = growth(where.forward, side).raised(outer)
            return inner * growth(sympy.diff(where.forward, r), side)


def _inside(
    rate: Program, low: Any, high: Any, at_low: bool, at_high: bool
) -> tuple[Any, Any, Any]:
    """A range without its outermost 2^{−bits}, and a bound of ∫ |g′| over what was left out."""
    offset, total = ball(Fraction(1, 2 ** (current_bits() + 8))), ball(0)
    if not low + 2 * offset < high:
        return low, high, total
    if at_low:
        total += symmetric(rate(REAL, hull(low, low + offset)) * offset)
        low = low + offset
    if at_high:
        total += symmetric(rate(REAL, hull(high - offset, high)) * offset)
        high = high - offset
    return low, high, total


def _along(slope: sympy.Expr, where: Coordinate, x: sympy.Symbol) -> sympy.Expr:
    if where.forward == x:
        return slope
    return sympy.powsimp(sympy.expand(slope.xreplace({x: where.forward}))) * sympy.diff(
        where.forward, x
    )


def _larger(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return b if a is None else a if b is None else max(a, b)


def _smaller(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return b if a is None else a if b is None else min(a, b)
