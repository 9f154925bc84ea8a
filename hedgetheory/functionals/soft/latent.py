"""Soft Best-of-n on any continuous law by its strands: R = T(Y), integrated in Y.

Each strand is cut where its tail is below the precision, and what is left is halved into panels
until, on a box around a panel's Bernstein ellipse, complex balls bound the density and the gold
curve and show that |Im z| ≤ d for z = λT(y) (or λF(T(y)), where the softmax is over quantiles).
There |exp(−te^z)| ≤ 1 and |w(z)| ≤ w(Re z)/cos d (see `hedgetheory.numerics.race`), w increases and
w′ ≤ w, so that every integrand has a bound on the ellipse and Gauss–Legendre its error. d = 0.3
where h(w) has a logarithm or a power of w, 1.4 where it is a polynomial.

**Heavy tails** stretch over a long range of z. What is beyond a point where P(beyond) is the root
of the precision needs no integral of w, which is between w there and n (below: between 0 and w),
and adds to φ(t) at most P(beyond)e^{−te^z}: in all an error of the order of P(beyond)². Where the
range is still too long, `NotCertified` says so.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r, u, ubar
from hedgetheory.functionals.continuous import RankOnContinuous, unit_supremum
from hedgetheory.functionals.evaluate import end_ball, tail_cut
from hedgetheory.functionals.growth import Growth
from hedgetheory.functionals.plans import LineIntegral
from hedgetheory.functionals.soft.scenes import Racing, Weighing
from hedgetheory.functionals.soft.transforms import Transform, UnitTransform
from hedgetheory.laws.base import ContinuousLaw, Strand
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import TILT, Grid, Panels, Race, check_work, nats
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: More panels than this are not made.
MAX_PANELS = 3000
#: The largest |Im z| for polynomials in w.
WIDE = Fraction(7, 5)


@dataclass(frozen=True)
class Patch:
    """One panel of a strand: bounds on its ellipse, and (y, mass, z) at its points."""

    strand: Strand
    panels: Panels
    density: Any
    height: Any
    top: Any
    points: Sequence[tuple[Any, Any, Any]]

    @property
    def error(self) -> Any:
        """The quadrature error for the density times a factor of modulus at most one."""
        return _weight(self.strand) * self.panels.error(self.density)


@dataclass(frozen=True)
class Patches:
    """All panels; ``outside`` bounds E[1 + |h|; what they leave out] below and above.

    ``tails`` has the exact probabilities beyond the cuts of a heavy-tailed law, in place of that,
    and ``ends`` z at the cuts.
    """

    rows: Sequence[Patch]
    outside: tuple[Any, Any]
    tails: tuple[Any, Any] | None = None
    ends: tuple[Any, Any] | None = None

    @property
    def low(self) -> Fraction:
        return min(_floor(row.points[0][2]) for row in self.rows) - 1

    @property
    def high(self) -> Fraction:
        return max(-_floor(-row.points[-1][2]) for row in self.rows) + 1


def _floor(x: Any) -> Fraction:
    return Fraction(math.floor(64 * balls.enclosing_rationals(x)[0]), 64)


def _weight(strand: Strand) -> Any:
    weight = strand.weight
    return ball(weight) if isinstance(weight, Fraction) else compiled(weight, ())(REAL)


@dataclass(frozen=True)
class LatentTransform(Transform):
    """φ by the patches' points: only where X is neither tiny nor huge is an exponential taken."""

    patches: Patches

    @property
    def low(self) -> Fraction:  # type: ignore[override]
        return self.patches.low

    @property
    def high(self) -> Fraction:  # type: ignore[override]
        return self.patches.high

    def sector(self) -> Fraction | None:
        return None

    def values(self, grid: Grid) -> list[Any]:
        points = sorted(
            (float(z.mid()), mass, z) for row in self.patches.rows for _, mass, z in row.points
        )
        places = [place for place, _, _ in points]
        sums = [ball(Fraction(0))]
        for _, mass, _ in points:
            sums.append(sums[-1] + mass)
        rates = [z.exp() for _, _, z in points]
        error = sum((row.error for row in self.patches.rows), ball(Fraction(0)))
        rest = hull(-error, error + self.patches.outside[0] + self.patches.outside[1])
        heavy, ends = self.patches.tails, self.patches.ends
        size = nats()
        # X < e^{−size}: e^{−X} in [1 − e^{−size}, 1]. X > 2 size: e^{−X} in [0, e^{−2 size}]. The
        # places are off by less than 0.01.
        near_one = hull(1 - ball(Fraction(-math.floor(size))).exp(), ball(Fraction(1)))
        near_zero = hull(ball(Fraction(0)), ball(Fraction(-math.floor(2 * size))).exp())
        check_work(grid.count * min(len(points), 400), "the race transform")
        out = []
        for k, time in zip(range(grid.first, grid.last + 1), grid.times, strict=True):
            s = k * float(grid.step)
            first = bisect_left(places, -s - size - 0.01)
            last = bisect_left(places, -s + math.log(2 * size) + 0.01)
            total = sums[first] * near_one + (sums[-1] - sums[last]) * near_zero
            for i in range(first, last):
                total += points[i][1] * (-time * rates[i]).exp()
            value = total + rest
            if heavy is not None and ends is not None:
                cap = value * 0 + 64 * math.ceil(size)
                near = [(-REAL.minimum(time * z.exp(), cap)).exp() for z in ends]
                value += heavy[0] * hull(near[0], cap * 0 + 1) + heavy[1] * hull(cap * 0, near[1])
            out.append(REAL.minimum(REAL.maximum(value, value * 0), value * 0 + 1))
        return out


@dataclass(frozen=True)
class LatentScene(Racing):
    """The policy on a law given by strands; the variable of gold curves is the reward."""

    policy: SoftBestOfN
    law: ContinuousLaw

    @property
    def ranked(self) -> bool:
        return self.policy.scale == "quantile"

    def transform(self) -> Transform:
        if self.ranked:
            return UnitTransform(self.strength)
        return LatentTransform(self.patches(sympy.S.One, WIDE))

    def sector(self) -> Fraction | None:
        return UnitTransform(self.strength).sector() if self.ranked else None

    def lowest(self) -> Fraction:
        return Fraction(0) if self.ranked else self.transform().low

    def spread(self, time: Fraction) -> Any:
        """V(τ) ≤ L(τ) ≤ τe^z − ln F of `soft_strips`, where Y tilted is log-concave.

        With h = τe^{λT(y)} its potential has at least the curvature h″ = h((λT′)² + λT″) ≥
        h(λT′)² for convex T, so that Brascamp and Lieb give Var h ≤ E[h′²/h″] ≤ E[h].
        """
        # More than one strand: the sides of one log-concave law, not a mixture.
        one = len(self.law.strands) == 1
        if not all(
            (one and s.law.log_concave and sympy.diff(s.reward, r, 2).is_nonnegative)
            or (s.reward == r and s.law == self.law)
            for s in self.law.strands
        ):
            raise NotCertified(
                f"a real n needs the zeros of the race transform excluded, which is not known on "
                f"{self.law}: take an integer n"
            )
        best = balls.no_bound()
        for row in self.patches(sympy.S.One, WIDE).rows:
            y, _, z = row.points[0]
            level = compiled(row.strand.cdf, (r,))(REAL, y)
            size = (ball(time) + z).exp() - level.log()
            if size.is_finite() and not best < size:
                best = size
        return best.upper()

    def mean_size(self) -> Any:
        ones = Weighing(lambda w: w * 0 + 1, lambda top: top * 0 + 1, 0.0, True)
        return self.expectation(ones, r, True)

    def reach(self, powers: Any) -> Any:
        raise NotCertified(f"the score in lam is certified for n >= 2 on {self.law}")

    def patches(self, gold: sympy.Expr, tilt: Fraction) -> Patches:
        """Panels with |Im z| ≤ tilt on which balls bound the gold curve, in r, u and ū."""
        return _patches(self, balls.current_bits(), gold, tilt)

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """t·E[R e^z e^{−te^z}] at the nodes; |X e^{−X}| ≤ 1/(e cos Im z) bounds the rest."""
        patches = self.patches(r, TILT)
        total = [ball(Fraction(0))] * grid.count
        error = patches.outside[0] + patches.outside[1]
        check_work(grid.count * sum(len(row.points) for row in patches.rows), "the race")
        for row in patches.rows:
            error += row.error * row.height / ball(TILT).cos()
            reward = compiled(row.strand.reward, (r,))
            for y, mass, z in row.points:
                value = mass * reward(REAL, y)
                kernel = grid.kernel(z, 0, True, 2)
                total = [a + value * b for a, b in zip(total, kernel, strict=True)]
        return [x + symmetric(error) for x in total]

    def ratios(self, patches: Patches) -> list[list[Any]]:
        """w at all points."""
        count = sum(len(row.points) for row in patches.rows)
        check_work(count * 400, "the race")
        race = self.race(patches.low, patches.high, trim=False)
        return [[race.near(z) for _, _, z in row.points] for row in patches.rows]

    def expectation(
        self, weighing: Weighing, gold: sympy.Expr = sympy.S.One, absolute: bool = False
    ) -> Any:
        """E_ref[h(w)·g(R)], certified; with ``absolute`` an upper bound of E_ref[|h(w)·g(R)|]."""
        patches = self.patches(gold, WIDE if weighing.entire else TILT)
        total = error = ball(Fraction(0))
        for row, ratios in zip(patches.rows, self.ratios(patches), strict=True):
            inside = compiled(_inside(gold, row.strand), (r,))
            for (y, mass, _), w in zip(row.points, ratios, strict=True):
                value = weighing.value(w) * inside(REAL, y)
                total += mass * (abs(value) if absolute else value)
            if absolute:
                # |g| ≤ its height: no quadrature, since |g| is not analytic.
                width = ball(row.panels.width) * _weight(row.strand)
                error += width * row.density * row.height * weighing.bound(self._top(row, ratios))
            else:
                error += row.error * row.height * weighing.bound(self._top(row, ratios))
        sup = weighing.bound(ball(self.draws))
        error += (patches.outside[0] + patches.outside[1]) * sup
        if patches.tails is not None and patches.ends is not None:
            # Only without a gold curve: w increases towards n.
            race = self.race(patches.low, patches.high, trim=False)
            low, high = (race.near(z).nonnegative_part() for z in patches.ends)
            total += patches.tails[0] * weighing.value(hull(low * 0, low))
            total += patches.tails[1] * weighing.value(hull(high, ball(self.draws)))
        return (total + error).upper() if absolute else total + symmetric(error)

    def _top(self, row: Patch, ratios: Sequence[Any]) -> Any:
        """|w| on the ellipse: w_last·e^{distance in Re z}/cos, as w increases and w′ ≤ w."""
        distance = REAL.maximum(row.top - row.points[-1][2], row.top * 0)
        grown = ratios[-1].upper() * distance.exp()
        return REAL.minimum(grown, ball(self.draws)).upper() / ball(WIDE).cos()

    # -- cdf ----------------------------------------------------------------------------------
    def ends(self) -> tuple[Fraction, Fraction]:
        """Rewards between which all but the tails lies."""
        rows = self.patches(sympy.S.One, WIDE).rows
        lows, highs = [], []
        for row in rows:
            reward = compiled(row.strand.reward, (r,))
            start, stop = row.panels.start, row.panels.left(1)
            lows.append(balls.enclosing_rationals(reward(REAL, ball(start)))[0])
            highs.append(balls.enclosing_rationals(reward(REAL, ball(stop)))[1])
        return min(lows), max(highs)

    def cdf(self, at: Fraction) -> Any:
        """E_ref[w; R ≤ at], certified."""
        patches = self.patches(sympy.S.One, WIDE)
        ratios = _all_ratios(self, balls.current_bits())
        total = ball(Fraction(0))
        error = (patches.outside[0] + patches.outside[1]) * ball(self.draws)
        race = self.race(patches.low, patches.high, trim=False)
        if patches.tails is not None and patches.ends is not None:
            below = race.near(patches.ends[0]).nonnegative_part()
            total += patches.tails[0] * hull(below * 0, below)
            if at >= self.ends()[1]:
                error += patches.tails[1] * ball(self.draws)
        for row, ws in zip(patches.rows, ratios, strict=True):
            low, high = row.strand.rewards
            if high is not None and at >= high:
                share = Fraction(1)
                place = None
            elif low is not None and at <= low:
                continue
            else:
                coordinate = compiled(row.strand.coordinate, (r,))(REAL, ball(at))
                if not coordinate.is_finite():
                    return balls.no_bound()
                place = balls.enclosing_rationals(coordinate)
                start, stop = row.panels.start, row.panels.left(1)
                if place[1] <= start:
                    continue
                share = Fraction(1) if place[0] >= stop else Fraction(0)
            error += row.error * self._top(row, ws)
            if share == 1:
                for (_, mass, _), w in zip(row.points, ws, strict=True):
                    total += mass * w
                continue
            assert place is not None
            inner, slack = self._part(row, ws, place, race)
            total, error = total + inner, error + slack
        return total + symmetric(error)

    def _part(
        self, row: Patch, ratios: Sequence[Any], place: tuple[Fraction, Fraction], race: Race
    ) -> tuple[Any, Any]:
        """E_ref[w; the panel up to a point between two rationals], and a bound of its error."""
        start, stop = row.panels.start, row.panels.left(1)
        inside = min(max(place[0], start), stop)
        weight = _weight(row.strand)
        gap = weight * row.density * ball(min(place[1], stop) - inside) * ball(self.draws)
        if inside == start:
            return ball(Fraction(0)), gap
        # A shorter panel's ellipse, with the same ρ or a larger one that fits, is inside of the
        # whole one's box.
        panels = Panels.covering(start, inside, (inside - start) / 2, 1, 5)
        total = ball(Fraction(0))
        for _, mass, z in _points(self, row.strand, panels):
            total += mass * race.near(z)
        return total, gap + weight * panels.error(row.density) * self._top(row, ratios)

    def quantile(self, level: Fraction) -> Any:
        """The reward where the cdf is ``level``."""
        low, high = self.ends()
        goal = ball(level)

        def excess(share: Any) -> Any:
            return self.cdf(low + (high - low) * balls.enclosing_rationals(share)[0]) - goal

        if not (self.cdf(low) < goal and self.cdf(high) > goal):
            return balls.no_bound()
        return ball(low) + ball(high - low) * balls.increasing_root(excess)


@lru_cache(maxsize=8)
def _all_ratios(scene: LatentScene, bits: int) -> list[list[Any]]:
    return scene.ratios(scene.patches(sympy.S.One, WIDE))


def _inside(gold: sympy.Expr, strand: Strand) -> sympy.Expr:
    return gold.xreplace({r: strand.reward, u: strand.cdf, ubar: strand.survival})


def _exponent(scene: LatentScene, strand: Strand) -> sympy.Expr:
    return strand.cdf if scene.ranked else strand.reward


def _points(scene: LatentScene, strand: Strand, panels: Panels) -> list[tuple[Any, Any, Any]]:
    """(y, mass, z) at the Gauss points of one panel."""
    pdf, see = compiled(strand.pdf, (r,)), compiled(_exponent(scene, strand), (r,))
    weight, lam = _weight(strand), ball(scene.strength)
    out = []
    for offset, share in panels.rule:
        y = ball(panels.start) + offset
        out.append((y, weight * share * pdf(REAL, y), lam * see(REAL, y)))
    return out


@lru_cache(maxsize=12)
def _patches(scene: LatentScene, bits: int, gold: sympy.Expr, tilt: Fraction) -> Patches:
    reference = RankOnContinuous(BestOfN(1), scene.law)
    strands = scene.law.strands
    heavy = any(scene.law.tail_index) and gold == 1 and len(strands) == 1 and not scene.ranked
    tails = [ball(Fraction(0)), ball(Fraction(0))]
    rows: list[Patch] = []
    outside = [ball(Fraction(0)), ball(Fraction(0))]
    for strand in scene.law.strands:
        bounded = gold.has(u, ubar) and not gold.has(r)
        most = Growth(unit_supremum(gold)) if bounded else None
        plans = [reference._over(strand, sympy.S.One), reference._over(strand, gold, most)]
        cuts = []
        for side, end in enumerate(strand.support):
            sign = 2 * side - 1
            if end is not None:
                # An end that is not rational: the sliver next to it is left out, and bounded.
                near = end_ball(end)
                cut = balls.enclosing_rationals(near)[1 - side]
                sliver = hull(near, ball(cut))
                width = (2 * sliver.rad()).upper()
                value = compiled(strand.pdf, (r,))(REAL, sliver)
                size = 1 + abs(compiled(_inside(gold, strand), (r,))(REAL, sliver))
                bound = ball(Fraction(0)) if near == ball(cut) else abs(value) * width * size
            elif heavy:
                with balls.precision(bits // 2 + 8):
                    cut = _cut(plans[:1], sign)
                form = strand.cdf if side == 0 else strand.survival
                tails[side], bound = compiled(form, (r,))(REAL, ball(cut)), ball(Fraction(0))
            else:
                cut = _cut(plans, sign)
                bound = plans[0].tail(ball(cut), sign) + plans[1].tail(ball(cut), sign)
            if not bound.is_finite():
                raise NotCertified(f"the tail of {gold} on {scene.law} is not bounded")
            outside[side] += _weight(strand) * bound.upper()
            cuts.append(cut)
        rows += _halved(scene, strand, gold, (cuts[0], cuts[1]), tilt)
    if not heavy:
        return Patches(rows, (outside[0], outside[1]))
    see, lam = compiled(strands[0].reward, (r,)), ball(scene.strength)
    low, high = (lam * see(REAL, ball(cut)) for cut in cuts)
    return Patches(rows, (outside[0], outside[1]), (tails[0], tails[1]), (low, high))


def _cut(plans: Sequence[LineIntegral], sign: int) -> Fraction:
    """A point beyond which all tails are below the precision, hardly farther out than it need be.

    The reward is exponential in Y where it has a heavy tail: a cut twice too far costs much.
    """
    small = balls.power_of_two(-balls.current_bits())
    far = max(sign * tail_cut(plan, sign)[0] for plan in plans) * sign
    near = plans[0].centre
    for _ in range(7):
        middle = (near + far) / 2
        bounds = [plan.tail(ball(middle), sign) for plan in plans]
        if all(bound.is_finite() and bound < small for bound in bounds):
            far = middle
        else:
            near = middle
    return far


def _halved(
    scene: LatentScene,
    strand: Strand,
    gold: sympy.Expr,
    cuts: tuple[Fraction, Fraction],
    tilt: Fraction,
) -> list[Patch]:
    """Panels between the cuts, each halved until its integrands are bounded on its ellipse."""
    low, high = cuts
    start = max(1, math.ceil((high - low) / (2 * strand.width)))
    width = (high - low) / start
    todo = [(low + k * width, low + (k + 1) * width) for k in reversed(range(start))]
    done: list[Patch] = []
    programs = [compiled(x, (r,)) for x in (strand.pdf, _exponent(scene, strand))]
    inside = compiled(_inside(gold, strand), (r,))
    smallest = strand.width / 2**40
    arithmetic = balls.complex_arithmetic(True)
    while todo:
        left, right = todo.pop()
        panels = Panels.covering(left, right, (right - left) / 2, 1, 5)
        overhang = panels.half_length - panels.width / 2
        reach = ball(panels.half_height)
        box = balls.complex_box(ball(left - overhang), ball(right + overhang), -reach, reach)
        density, place = (program(arithmetic, box) for program in programs)
        z = place * ball(scene.strength)
        height = abs(inside(arithmetic, box))
        fits = abs(z.imag) <= ball(tilt) and abs(density) * ball(panels.width) <= 8
        if fits and height.is_finite() and z.is_finite():
            points = _points(scene, strand, panels)
            top = z.real.upper()
            done.append(Patch(strand, panels, abs(density).upper(), height.upper(), top, points))
        elif right - left < smallest or len(done) + len(todo) > MAX_PANELS:
            raise NotCertified(
                f"certified values of {scene.policy} on {scene.law} need more panels than are made "
                "here (a heavy tail at a large lam, or a gold curve that is not analytic): take a "
                "smaller lam or fewer digits"
            )
        else:
            middle = (left + right) / 2
            todo += [(middle, right), (left, middle)]
    return done
