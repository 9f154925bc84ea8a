"""Soft Best-of-n on the raw reward of a law without atoms, and on quantiles integrated in it.

The variable x is the reward r on a line; z = λr, or λF(r) where the softmax is over quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy

from hedgetheory.effort import spend
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.continuous import RankOnContinuous
from hedgetheory.functionals.evaluate import tail_cut
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.functionals.soft.scenes import Samples, Scene, tops
from hedgetheory.functionals.soft.strips import scanned_spread
from hedgetheory.functionals.soft.transforms import (
    LineTransform,
    Transform,
    UnitTransform,
    line_sector,
)
from hedgetheory.laws.base import ContinuousLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import TILT, Grid, Panels, Race, gathered, nats, panel_count
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: |g| ≤ 2|r| for |r| ≥ 1: bounds both P and E|R| far out.
LINEAR = Growth(Fraction(1), Fraction(1)) + ONE
#: The laws that a `LineScene` knows: all constants of its bounds are below.
RAW_LAWS = (Normal, Logistic, Exponential)
#: The exponentials, at 64 bits, that a search for zeros may take.
MAX_SCAN = 2_000_000


def smallest(x: Any, y: Any) -> Any:
    """The smaller of two upper bounds, either of which may be missing (not finite)."""
    if not (x.is_finite() and y.is_finite()):
        return y if y.is_finite() else x
    return REAL.minimum(x, y).upper()


@dataclass(frozen=True)
class LineScene(Scene):
    """The raw-reward scene on a law with unbounded support: x = r, z = λr."""

    policy: SoftBestOfN
    law: ContinuousLaw

    def sector(self) -> Fraction | None:
        return line_sector(self.law, self.strength)

    def lowest(self) -> Fraction:
        return self.strength * self._cuts(LINEAR, 3)[0]

    def spread(self, time: Fraction) -> Any:
        """The smallest of what is known of the law, of −ln φ, and of a search by moments."""
        best = self._depth(time)
        if isinstance(self.law, Logistic):
            # c of `LineTransform`.
            best = smallest(best, 1 / ball(self.strength * self.law.scale))
        if best > 2:
            with balls.precision(2 * balls.current_bits() + 64):
                scanned = self._scanned(time)
            best = smallest(best, scanned)
        return best

    def _scanned(self, time: Fraction) -> Any:
        """`scanned_spread` by panels, or no bound where it would cost too much.

        |xe^{−x}| and |x²e^{−x}| are at most 1/(e cos Im z) and 4/(e cos Im z)² on the ellipses and
        in the tails. Below e^{−top−1}, top the panels' end in z, τX ≤ 1/e there, so that V(τ) ≤
        (e^{−2}e^{−1/e} + P(outside))/(e^{−1/e}(1 − P(outside))) ≤ ¼.
        """
        transform = self._by_panels()
        panels, top = transform.panels, transform.high + 1
        cost = panels.points * panels.count
        work = cost * 16 * float(time + top) * (balls.current_bits() / 64) ** 2
        if work > MAX_SCAN or not transform.outside < ball(Fraction(1, 100)):
            return balls.no_bound()
        bound = 1 / (REAL.constant("e") * ball(TILT).cos())
        sups = (bound * 0 + 1, bound, 4 * bound**2)
        rest = [symmetric(transform.error * sup + transform.outside * sup) for sup in sups]
        points = [
            (mass, (ball(self.strength) * (ball(panels.left(j)) + offset)).exp())
            for j, row in enumerate(transform.densities)
            for (offset, _), mass in zip(panels.rule, row, strict=True)
        ]

        def moments(t: Any) -> tuple[Any, Any, Any]:
            first, second, third = rest
            for mass, rate in points:
                x = t * rate
                part = mass * (-x).exp()
                first, second, third = first + part, second + part * x, third + part * x * x
            return first, second, third

        return scanned_spread(moments, top, time, cost)

    def _depth(self, time: Fraction) -> Any:
        """V(τ) ≤ L(τ) ≤ τe^z − ln F(z) for every z, on a log-concave law: see `soft_strips`."""
        best = balls.no_bound()
        for k in range(8):
            # Where te^z = e·nats/2^k.
            z = Fraction(round(64 * (math.log(nats()) + 1 - k * math.log(2))), 64) - time
            reward = z / self.strength
            low, high = self.law.support
            if low is not None and reward <= low:
                reward = low + self.law.width / 2 ** (8 - k)
            if high is not None and reward >= high:
                reward = high - self.law.width / 2 ** (8 - k)
            size = ball(time + self.strength * reward).exp()
            size -= compiled(self.law.cdf, (r,))(REAL, ball(reward)).log()
            best = smallest(best, size)
        return best

    def _cuts(self, tail: Growth, extra: float) -> tuple[Fraction, Fraction, tuple[Any, Any]]:
        """The range of r that is integrated, and bounds of E_ref[|g|; outside] below and above."""
        plan = RankOnContinuous(BestOfN(1), self.law)._line(sympy.S.One, tail)
        cuts, bounds = [], []
        for end, side in zip(self.law.support, (-1, 1), strict=True):
            if end is not None:
                cuts.append(end)
                bounds.append(ball(Fraction(0)))
                continue
            with balls.precision(balls.current_bits() + math.ceil(2 * extra)):
                cut, bound = tail_cut(plan, side)
            if not bound.is_finite():
                raise NotCertified(f"no tail bound on {self.law} is small anywhere")
            cuts.append(cut)
            bounds.append(bound)
        return cuts[0], cuts[1], (bounds[0], bounds[1])

    def reach(self, powers: Any) -> Any:
        """The cut's ends, and what the tails add.

        (n − 1) ∫ φ^{n−2} E[|R|Xe^{−X}; tail] ds = E[|R| w_m; tail], w_m the race of m = n − 1
        draws; w_m ≤ F^{m−1} by φ(Xe^{−z}) ≥ F(z)e^{−X}. To the right F^{m−1} ≤ 2; to the left
        F(r) ≤ F(a)e^{−κ(a−r)}, κ = f/F at the cut a, as ln F is concave, so that by parts
        ∫ |r|F^{m−1} dF ≤ (|a| + 1/(mκ))F(a)^m/m. ``powers`` times the tails' E|R| is what they add
        at one point.
        """
        low, high, outside = self._cuts(LINEAR, 3)
        total = ball(max(abs(low), abs(high))) + 2 * outside[1]
        total += 3 * powers * (outside[0] + outside[1])
        if self.law.support[0] is None:
            m, at = ball(self.draws - 1), ball(low)
            level = compiled(self.law.cdf, (r,))(REAL, at)
            rate = compiled(self.law.pdf, (r,))(REAL, at) / level
            total += (abs(at) + 1 / (m * rate)) * level**m / m
        return total

    def _panels(self, low: Fraction, high: Fraction, extra: float, refine: int) -> Panels:
        cap = min(TILT / self.strength, _half_height(self.law)) / refine
        count = panel_count(high - low, self.strength) * refine
        # Where λ is small the law itself says how wide a panel may be.
        count = max(count, math.ceil((high - low) / (4 * cap)))
        return Panels.covering(low, high, cap, count, extra)

    def _density_sup(self, panels: Panels) -> Any:
        """sup |pdf| on all ellipses, from its formula: see `_strip_factor`."""
        return _strip_supremum(self.law, panels.half_height, panels.half_length - panels.width / 2)

    def _masses(self, panels: Panels) -> list[list[Any]]:
        program = compiled(self.law.pdf, (r,))
        out = []
        for j in range(panels.count):
            spend(panels.points)
            left = ball(panels.left(j))
            out.append([program(REAL, left + x) * weight for x, weight in panels.rule])
        return out

    def _line_transform(
        self, panels: Panels, masses: list[list[Any]], outside: Any
    ) -> LineTransform:
        error = panels.error(self._density_sup(panels)) * panels.count
        return LineTransform(self.law, self.strength, panels, masses, error.upper(), outside)

    def transform(self) -> Transform:
        return self._by_panels()

    def _by_panels(self) -> LineTransform:
        # The cuts of `weighted`, so that both have one panel width and share exponentials.
        low, high, outside = self._cuts(LINEAR, 3)
        panels = self._panels(low, high, 5, 1)
        return self._line_transform(panels, self._masses(panels), (outside[0] + outside[1]).upper())

    def _sample(self, extra: float, refine: int, tail: Growth) -> Samples:
        # Outside of the panels the bound of h is up to e^{extra}.
        low, high, outside = self._cuts(tail + ONE, extra)
        panels = self._panels(low, high, extra, refine)
        masses = self._masses(panels)
        phi = self._line_transform(panels, masses, (outside[0] + outside[1]).upper())
        strip = self.strip(phi.low)
        grid = Grid.covering(phi.low, phi.high, self.draws, strip, phi.period)
        race = Race.of(grid, self.draws, phi.values(grid))
        ratios = race.ratios(panels, self.strength)
        rows = [
            [
                (ball(panels.left(j)) + offset, mass, w)
                for (offset, _), mass, w in zip(panels.rule, row, ws, strict=True)
            ]
            for j, (row, ws) in enumerate(zip(masses, ratios, strict=True))
        ]
        sups = tops(panels, self.strength, ratios)
        return Samples(panels, rows, self._density_sup(panels), sups, outside)

    def ends(self) -> tuple[Fraction, Fraction]:
        """Rewards between which all but the tails lies."""
        return self._cuts(ONE, 3)[:2]

    def cdf(self, at: Fraction) -> Any:
        """E_ref[w; R ≤ at], certified: whole panels, and a part of one."""
        samples, sums = self._cumulative()
        panels = samples.panels
        end = panels.left(panels.count)
        if at <= panels.start:
            # w ≤ n; at the finite end of a support there is nothing.
            return hull(samples.outside[0] * 0, samples.outside[0] * ball(self.draws))
        if at >= end:
            return sums[-1] + hull(samples.outside[1] * 0, samples.outside[1] * ball(self.draws))
        j = min(math.floor((at - panels.start) / panels.width), panels.count - 1)
        return sums[j] if at == panels.left(j) else sums[j] + self._part(samples, j, at)

    def _cumulative(self) -> tuple[Samples, list[Any]]:
        """The panels, and E_ref[w; R ≤ their left ends and the last right one]."""
        samples = self.samples(5 + math.log(self.draws), 1, ONE + ONE)
        total = symmetric(samples.outside[0] * ball(self.draws))
        sums = [total]
        for row, top in zip(samples.rows, samples.ratios, strict=True):
            for _, mass, w in row:
                total += mass * w
            total += symmetric(samples.panels.error(samples.density * top))
            sums.append(total)
        return samples, sums

    def _part(self, samples: Samples, panel: int, at: Fraction) -> Any:
        """E_ref[w; R in the panel, R ≤ at] by a panel of its own."""
        left = samples.panels.left(panel)
        cap = min(TILT / self.strength, _half_height(self.law))
        panels = Panels.covering(left, at, cap, 1, 5 + math.log(self.draws))
        low, high = self.strength * left, self.strength * (left + samples.panels.width)
        rows = self.race(low, high, trim=False).ratios(panels, self.strength)
        total = ball(Fraction(0))
        for mass, w in zip(self._masses(panels)[0], rows[0], strict=True):
            total += mass * w
        top = tops(panels, self.strength, rows)[0]
        return total + symmetric(panels.error(self._density_sup(panels) * top))

    def quantile(self, level: Fraction) -> Any:
        """The reward where the cdf is ``level``: bracketed by panels, then inside of one."""
        samples, sums = self._cumulative()
        panels, goal = samples.panels, ball(level)
        below = [j for j, value in enumerate(sums) if value < goal]
        above = [j for j, value in enumerate(sums) if value > goal]
        if not (below and above):
            return balls.no_bound()
        low, high = panels.left(below[-1]), panels.left(above[0])

        def excess(share: Any) -> Any:
            place = balls.enclosing_rationals(share)[0]
            return self.cdf(low + (high - low) * place) - goal

        return ball(low) + ball(high - low) * balls.increasing_root(excess)

    def mean_size(self) -> Any:
        """A bound of E|R|: the cut's ends, and what is outside."""
        low, high, outside = self._cuts(LINEAR, 3)
        return ball(max(abs(low), abs(high))) + outside[0] + outside[1]

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """t·E[R e^{λR} e^{−te^{λR}}] at the nodes; |X e^{−X}| ≤ 1/(e cos Im z) bounds the rest."""
        low, high, outside = self._cuts(LINEAR, 3)
        panels = self._panels(low, high, 8, 1)
        masses = self._masses(panels)
        values = [
            [
                mass * (ball(panels.left(j)) + offset)
                for (offset, _), mass in zip(panels.rule, row, strict=True)
            ]
            for j, row in enumerate(masses)
        ]
        size = ball(max(abs(low), abs(high)) + panels.half_length + 1)
        error = panels.error(self._density_sup(panels) * size) * panels.count
        rest = symmetric(error + outside[0] + outside[1])
        return [x + rest for x in gathered(grid, panels, self.strength, values, True)]


@dataclass(frozen=True)
class RankedScene(LineScene):
    """A softmax over quantiles, integrated in the reward: x = r, z = λF(r)."""

    def sector(self) -> Fraction | None:
        return self.transform().sector()

    def lowest(self) -> Fraction:
        return Fraction(0)

    def transform(self) -> Transform:
        return UnitTransform(self.strength)

    def _sample(self, extra: float, refine: int, tail: Growth) -> Samples:
        low, high, outside = self._cuts(tail + ONE, extra)
        # |F(x + iy) − F(x)| ≤ |y| sup |pdf| on the strip, to be at most 0.3/λ.
        cap = _half_height(self.law) / refine
        while ball(cap * self.strength) * _strip_supremum(self.law, cap, cap) > ball(TILT):
            cap = cap * 3 / 4
        count = max(1, math.ceil((high - low) / (3 * cap)))
        panels = Panels.covering(low, high, cap, count, extra)
        race = self.race(Fraction(0), self.strength)
        cdf = compiled(self.law.cdf, (r,))
        lam = ball(self.strength)
        rows, ratios = [], []
        for j, masses in enumerate(self._masses(panels)):
            row = []
            for (offset, _), mass in zip(panels.rule, masses, strict=True):
                x = ball(panels.left(j)) + offset
                row.append((x, mass, race.ratio(lam * cdf(REAL, x))))
            rows.append(row)
            ratios.append([w for _, _, w in row])
        # Re z moves from the last point by at most λ·sup pdf·distance.
        density = _strip_supremum(self.law, panels.half_height, panels.half_length)
        reach = lam * density * ball(panels.width + 2 * panels.half_length)
        return Samples(panels, rows, density, tops(panels, self.strength, ratios, reach), outside)


def _half_height(law: ContinuousLaw) -> Fraction:
    """How far the strip in r may go: below the poles of the density, or while it grows little."""
    if isinstance(law, Logistic):
        return Fraction(5, 2) * law.scale
    if isinstance(law, Normal):
        return Fraction(3, 2) * law.sd
    assert isinstance(law, Exponential)
    return 3 / law.rate


def _strip_supremum(law: ContinuousLaw, height: Fraction, overhang: Fraction) -> Any:
    """sup |pdf| for |Im r| ≤ height, and Re r no further than ``overhang`` outside of the support.

    Normal: |f(x + iy)| = f(x)e^{y²/(2sd²)}. Logistic: f = 1/(4s cosh²((r − c)/(2s))) and
    |cosh(x + iy)| ≥ cosh x cos y. Exponential: |f(x + iy)| = f(x).
    """
    if isinstance(law, Normal):
        pi = REAL.constant("pi")
        return ((ball(height / law.sd)) ** 2 / 2).exp() / (ball(law.sd) * (2 * pi).sqrt())
    if isinstance(law, Logistic):
        return 1 / (4 * ball(law.scale) * ball(height / (2 * law.scale)).cos() ** 2)
    assert isinstance(law, Exponential)
    return ball(law.rate) * ball(law.rate * overhang).exp()
