"""Soft Best-of-n on a law, ready to integrate: points, weights and certified w at them.

A scene is a policy on a law without atoms. Its variable x is the quantile u on the unit scene (the
uniform law, or a softmax over quantiles) and the reward r on a line; z = λx, or λF(r) where the
softmax is over quantiles and the integrand is in r.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy

from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.continuous import RankOnContinuous
from hedgetheory.functionals.evaluate import tail_cut
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.functionals.soft_transforms import (
    AtomTransform,
    LineTransform,
    Transform,
    UnitTransform,
    line_zero_free_angle,
)
from hedgetheory.laws.base import ContinuousLaw, FiniteLaw
from hedgetheory.laws.exponential import Exponential
from hedgetheory.laws.logistic import Logistic
from hedgetheory.laws.normal import Normal
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, hull, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import (
    STRIP,
    TILT,
    Grid,
    Panels,
    Race,
    check_work,
    gathered,
    panel_count,
)
from hedgetheory.policies.best_of_n import BestOfN
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: |g| ≤ 2|r| for |r| ≥ 1: bounds both P and E|R| far out.
_LINEAR = Growth(Fraction(1), Fraction(1)) + ONE
#: How often the panels may be halved until an integrand is bounded on their ellipses.
REFINEMENTS = (1, 2, 4)


@dataclass(frozen=True)
class Weighing:
    """h(w) inside an expectation: ``value`` at a ball w > 0, ``bound`` of |h| where |w| ≤ W.

    ``order`` says that |h| grows like W^order, for the choice of the number of points.
    """

    value: Callable[[Any], Any]
    bound: Callable[[Any], Any]
    order: float = 1.0


@dataclass(frozen=True)
class Samples:
    """Gauss points of a scene: ``rows[j][q]`` is (x, density × weight, w) in panel j."""

    panels: Panels
    rows: Sequence[Sequence[tuple[Any, Any, Any]]]
    #: sup of the reference density on the ellipses, and of w there by panel
    density: Any
    ratios: Sequence[Any]
    #: bounds of E_ref[|g|; outside] at both sides, for the growth that the cut was made for
    outside: tuple[Any, Any]


class Racing(ABC):
    """A policy on a law with its race; subclasses are frozen dataclasses, hence hashable."""

    policy: SoftBestOfN

    @property
    def draws(self) -> Fraction:
        return self.policy.draws

    @property
    def strength(self) -> Fraction:
        return self.policy.strength

    @abstractmethod
    def transform(self) -> Transform:
        """φ at the working precision."""

    @abstractmethod
    def zero_free_angle(self) -> Fraction:
        """A half-angle of a sector where φ has no zeros. Raises NotCertified if none is known."""

    def strip(self) -> Fraction:
        """How far the trapezoid may be shifted: φ^{n−1} is entire only for integer n."""
        return STRIP if self.draws.denominator == 1 else min(STRIP, self.zero_free_angle())

    @abstractmethod
    def mean_size(self) -> Any:
        """A bound of E|x|."""

    @abstractmethod
    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """ψ(t) = t·E[x e^z e^{−te^z}] at the nodes, x what the softmax sees."""

    def race(
        self, low: Fraction, high: Fraction, *, trim: bool = True, strip: Fraction | None = None
    ) -> Race:
        """Nodes for z in [low, high]."""
        return _race(self, balls.current_bits(), low, high, trim, strip or self.strip())

    def race_at(self, z: Any, *, trim: bool = True, strip: Fraction | None = None) -> Race:
        """Nodes for the values of a finite real ball."""
        low, high = (end.limit_denominator(64) for end in balls.enclosing_rationals(z))
        return self.race(low - 1, high + 1, trim=trim, strip=strip)

    def ratio(self, z: Any) -> Any:
        """w at a real ball z, with as many nodes as a small w needs for its relative accuracy."""
        if not z.is_finite():
            return balls.no_bound()
        low, high = (end.limit_denominator(64) for end in balls.enclosing_rationals(z))
        race = self.race(low - 1, high + 1, trim=False)
        size = race.plain_sum(z)
        if size > ball(Fraction(1, 1000)) or not size > 0:
            return race.ratio(z)
        # What is left out below the first node is e^{−nats} in absolute terms: begin earlier. The
        # top of z is early enough, since w e^{−z} decreases from w(top) ≥ 1 at the top.
        deeper = math.ceil(min(float(-size.log().lower()), 1e6))
        top = max(high, min(high + deeper, self.transform().high))
        return self.race(low - 1, top + 1, trim=False).ratio(z)


class Scene(Racing):
    """A policy on a law without atoms."""

    @abstractmethod
    def _sample(self, extra: float, refine: int, tail: Growth, anchor: Fraction | None) -> Samples:
        """Points for integrands with ln |sup| up to ``extra``, a panel boundary at ``anchor``."""

    def samples(
        self, extra: float, refine: int = 1, tail: Growth = ONE, anchor: Fraction | None = None
    ) -> Samples:
        return _samples(self, balls.current_bits(), math.ceil(extra), refine, tail, anchor)

    def expectation(
        self, weighing: Weighing, gold: sympy.Expr | None = None, tail: Growth = ONE
    ) -> Any:
        """E_ref[h(w)·g(x)], certified, with |g| bounded by ``tail`` far out; g = 1 by default."""
        extra = 5 + abs(weighing.order) * math.log(self.draws)
        for refine in REFINEMENTS:
            try:
                samples = self.samples(extra, refine, tail)
            except NotCertified:
                if refine == 1:
                    raise
                break
            heights = self._heights(samples.panels, gold)
            if heights is not None:
                return self._integrate(samples, weighing, gold, heights)
        raise NotCertified(
            f"{gold} is not bounded near the law's range by complex balls (a corner, a jump or a "
            "singular end): certified values of Soft Best-of-n need an analytic gold curve"
        )

    def _heights(self, panels: Panels, gold: sympy.Expr | None) -> list[Any] | None:
        """A bound of |g| on each panel's ellipse, or None where balls give none."""
        if gold is None or not gold.has(r):
            size = (
                REAL.constant(Fraction(1))
                if gold is None
                else abs(compiled(gold, (r,))(REAL, None))
            )
            return [size] * panels.count
        out = []
        program, arithmetic = compiled(gold, (r,)), balls.complex_arithmetic(True)
        overhang = panels.half_length - panels.width / 2
        height = ball(panels.half_height)
        for j in range(panels.count):
            low, length = panels.left(j) - overhang, 2 * panels.half_length
            pieces = 4
            sup = height * 0
            for i in range(pieces):
                ends = [ball(low + length * (i + k) / pieces) for k in (0, 1)]
                box = balls.complex_box(ends[0], ends[1], -height, height)
                value = program(arithmetic, box)
                sup = REAL.maximum(sup, abs(value).upper())
            if not sup.is_finite():
                return None
            out.append(sup)
        return out

    def _integrate(
        self, samples: Samples, weighing: Weighing, gold: sympy.Expr | None, heights: list[Any]
    ) -> Any:
        program = None if gold is None else compiled(gold, (r,))
        total = error = ball(Fraction(0))
        for row, top, height in zip(samples.rows, samples.ratios, heights, strict=True):
            error += samples.panels.error(samples.density * weighing.bound(top) * height)
            for x, mass, w in row:
                term = mass * weighing.value(w)
                total += term if program is None else term * program(REAL, x)
        # Outside of the panels w ≤ n.
        sup = weighing.bound(ball(self.draws))
        for side in samples.outside:
            error += side * sup
        return total + symmetric(error)


@lru_cache(maxsize=6)
def _samples(  # noqa: PLR0917
    scene: Scene, bits: int, extra: float, refine: int, tail: Growth, anchor: Fraction | None
) -> Samples:
    return scene._sample(extra, refine, tail, anchor)


@lru_cache(maxsize=32)
def _race(  # noqa: PLR0917
    scene: Racing, bits: int, low: Fraction, high: Fraction, trim: bool, strip: Fraction
) -> Race:
    transform = scene.transform()
    grid = Grid.covering(low, high, scene.draws, strip, transform.period)
    return Race.of(grid, scene.draws, transform.values(grid), trim=trim)


def _tops(
    panels: Panels, strength: Fraction, rows: Sequence[Sequence[Any]], overhang: Any = None
) -> list[Any]:
    """A bound of |w| on each panel's ellipse: 1.05·w_last·e^{distance to its right end}."""
    reach = ball(strength * (panels.width + panels.half_length - panels.width / 2))
    factor = (reach if overhang is None else overhang).exp() * ball(Fraction(105, 100))
    return [(row[-1].upper() * factor).upper() for row in rows]


@dataclass(frozen=True)
class UnitScene(Scene):
    """The quantile scene: x = u on [0, 1] with density one."""

    policy: SoftBestOfN

    def transform(self) -> Transform:
        return UnitTransform(self.strength)

    def zero_free_angle(self) -> Fraction:
        return self.transform().zero_free_angle()

    def _sample(self, extra: float, refine: int, tail: Growth, anchor: Fraction | None) -> Samples:
        lam = self.strength
        count = panel_count(Fraction(1), lam, self.strip()) * refine
        panels = Panels.covering(
            Fraction(0), Fraction(1), min(TILT / lam, Fraction(3, refine)), count, extra
        )
        period = panels.width * lam * refine if count > refine else None
        grid = Grid.covering(Fraction(0), lam, self.draws, self.strip(), period)
        race = Race.of(grid, self.draws, self.transform().values(grid))
        ratios = race.ratios(panels, lam)
        rows = [
            [
                (ball(panels.left(j)) + offset, weight, w)
                for (offset, weight), w in zip(panels.rule, row, strict=True)
            ]
            for j, row in enumerate(ratios)
        ]
        zero = ball(Fraction(0))
        one = REAL.constant(Fraction(1))
        return Samples(panels, rows, one, _tops(panels, lam, ratios), (zero, zero))

    def cdf(self, at: Fraction) -> Any:
        """G(u) = (n/λ) ∫ (e^{−t} − e^{−te^{λu}}) φ^{n−1} dt/t, the race mixed over [0, u]."""
        return self.cdf_at(ball(at))

    def cdf_at(self, at: Any) -> Any:
        z = ball(self.strength) * at
        race = self.race(Fraction(0), self.strength, trim=False)
        growth = z.expm1()
        total = growth * 0
        for time, weight in zip(race.times, race.weights, strict=True):
            total -= weight * (-time).exp() * REAL.expm1(-time * growth)
        # Left out: at most n t₀ (e^z − 1) below, and by h Σ e^{−t} ≤ e^{−t}/t above the last node.
        low = race.draws * race.times[0] * growth
        return race.close(total, low, self._above(race)) / ball(self.strength)

    def mean(self) -> Any:
        """E[U] = (n/λ) ∫ φ^{n−1} (φ − e^{−te^λ}) dt/t, by ∫ u λte^{λu} e^{−te^{λu}} du by parts."""
        race = self.race(Fraction(0), self.strength)
        top = ball(self.strength).exp()
        cut = ball(Fraction(64 * 8 * balls.current_bits()))
        total = top * 0
        for time, weight, phi in zip(race.times, race.weights, race.transform, strict=True):
            total += weight * (phi - (-REAL.minimum(time * top, cut)).exp())
        low = race.draws * race.times[0] * top
        return race.close(total, low, self._above(race)) / ball(self.strength)

    def _above(self, race: Race) -> Any:
        """n φ_last^{n−1} h Σ e^{−t} beyond the last node, h Σ at most ∫ e^{−t} dt/t = E₁."""
        t = race.times[-1]
        # E₁(t) ≤ e^{−t} ln(1 + 1/t) for every t > 0.
        damping = (-REAL.minimum(t, t * 0 + 64 * balls.current_bits())).exp()
        return race.draws * race.last_power * damping * (1 / t).log1p()

    def mean_size(self) -> Any:
        return REAL.constant(Fraction(1))

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """t·E[U e^{λU} e^{−te^{λU}}] = (φ − e^{−te^λ})/λ at the nodes."""
        kernel = grid.kernel(ball(self.strength), 0, False)
        lam = ball(self.strength)
        return [(a - b) / lam for a, b in zip(phi, kernel, strict=True)]


@dataclass(frozen=True)
class LineScene(Scene):
    """The raw-reward scene on a law with unbounded support: x = r, z = λr."""

    policy: SoftBestOfN
    law: ContinuousLaw

    def zero_free_angle(self) -> Fraction:
        return line_zero_free_angle(self.law, self.strength)

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
            cuts.append(cut)
            bounds.append(bound)
        return cuts[0], cuts[1], (bounds[0], bounds[1])

    def _panels(
        self, low: Fraction, high: Fraction, extra: float, refine: int, anchor: Fraction | None
    ) -> Panels:
        cap = min(TILT / self.strength, _half_height(self.law)) / refine
        count = panel_count(high - low, self.strength, self.strip()) * refine
        if anchor is not None:
            low, high, count = self._anchored(low, high, count, anchor)
        return Panels.covering(low, high, cap, count, extra)

    def _anchored(
        self, low: Fraction, high: Fraction, count: int, anchor: Fraction
    ) -> tuple[Fraction, Fraction, int]:
        """The range moved outwards so that a panel begins at ``anchor``, low < anchor < high."""
        width = (high - low) / count
        before = math.ceil((anchor - low) / width)
        if self.law.support[0] is not None:
            # The density's formula holds from the support's end on: that end stays.
            width = (anchor - low) / before
        after = math.ceil((high - anchor) / width)
        return anchor - before * width, anchor + after * width, before + after

    def _density_sup(self, panels: Panels) -> Any:
        """sup |pdf| on all ellipses, from its formula: see `_strip_factor`."""
        return _strip_supremum(self.law, panels.half_height, panels.half_length - panels.width / 2)

    def _masses(self, panels: Panels) -> list[list[Any]]:
        program = compiled(self.law.pdf, (r,))
        return [
            [
                program(REAL, ball(panels.left(j)) + offset) * weight
                for offset, weight in panels.rule
            ]
            for j in range(panels.count)
        ]

    def _line_transform(
        self, panels: Panels, masses: list[list[Any]], outside: Any
    ) -> LineTransform:
        error = panels.error(self._density_sup(panels)) * panels.count
        return LineTransform(self.law, self.strength, panels, masses, error.upper(), outside)

    def transform(self) -> Transform:
        # The cuts of `weighted`, so that both have one panel width and share exponentials.
        low, high, outside = self._cuts(_LINEAR, 3)
        panels = self._panels(low, high, 5, 1, None)
        return self._line_transform(panels, self._masses(panels), (outside[0] + outside[1]).upper())

    def _sample(self, extra: float, refine: int, tail: Growth, anchor: Fraction | None) -> Samples:
        # Outside of the panels the bound of h is up to e^{extra}.
        low, high, outside = self._cuts(tail + ONE, extra)
        panels = self._panels(low, high, extra, refine, anchor)
        masses = self._masses(panels)
        phi = self._line_transform(panels, masses, (outside[0] + outside[1]).upper())
        period = panels.width * self.strength
        shared = panels.count > 1 and panel_count(high - low, self.strength, self.strip()) > 1
        grid = Grid.covering(
            phi.low, phi.high, self.draws, self.strip(), period if shared else None
        )
        race = Race.of(grid, self.draws, phi.values(grid))
        ratios = race.ratios(panels, self.strength)
        rows = [
            [
                (ball(panels.left(j)) + offset, mass, w)
                for (offset, _), mass, w in zip(panels.rule, row, ws, strict=True)
            ]
            for j, (row, ws) in enumerate(zip(masses, ratios, strict=True))
        ]
        tops = _tops(panels, self.strength, ratios)
        return Samples(panels, rows, self._density_sup(panels), tops, outside)

    def partial(self, at: Fraction, weighing: Weighing) -> Any:
        """E_ref[h(w); R ≤ at], certified."""
        extra = 5 + weighing.order * math.log(self.draws)
        low, high, outside = self._cuts(ONE + ONE, extra)
        sup = weighing.bound(ball(self.draws))
        if at <= low:
            return (
                hull(outside[0] * 0, outside[0] * sup)
                if self.law.support[0] is None
                else outside[0]
            )
        if at >= high:
            return self.expectation(weighing) - hull(outside[1] * 0, outside[1] * sup)
        width = (high - low) / (panel_count(high - low, self.strength, self.strip()))
        if self.law.support[0] is not None and at - low < width:
            return self._first_panel(low, at, extra, weighing)
        samples = self.samples(extra, 1, ONE, at)
        total = error = ball(Fraction(0))
        for j, (row, top) in enumerate(zip(samples.rows, samples.ratios, strict=True)):
            if samples.panels.left(j) >= at:
                break
            error += samples.panels.error(samples.density * weighing.bound(top))
            total += sum((mass * weighing.value(w) for _, mass, w in row), ball(Fraction(0)))
        return total + symmetric(error + samples.outside[0] * sup)

    def _first_panel(self, low: Fraction, at: Fraction, extra: float, weighing: Weighing) -> Any:
        """E_ref[h(w); R ≤ at] by one panel from a finite end of the support."""
        cap = min(TILT / self.strength, _half_height(self.law))
        panels = Panels.covering(low, at, cap, 1, extra)
        race = self.race(self.strength * low, self.strength * at)
        rows = race.ratios(panels, self.strength)
        total = ball(Fraction(0))
        for mass, w in zip(self._masses(panels)[0], rows[0], strict=True):
            total += mass * weighing.value(w)
        top = _tops(panels, self.strength, rows)[0]
        return total + symmetric(panels.error(self._density_sup(panels) * weighing.bound(top)))

    def mean_size(self) -> Any:
        """A bound of E|R|: the cut's ends, and what is outside."""
        low, high, outside = self._cuts(_LINEAR, 3)
        return ball(max(abs(low), abs(high))) + outside[0] + outside[1]

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """t·E[R e^{λR} e^{−te^{λR}}] at the nodes; |X e^{−X}| ≤ 1/(e cos Im z) bounds the rest."""
        low, high, outside = self._cuts(_LINEAR, 3)
        panels = self._panels(low, high, 8, 1, None)
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

    def zero_free_angle(self) -> Fraction:
        return self.transform().zero_free_angle()

    def transform(self) -> Transform:
        return UnitTransform(self.strength)

    def _sample(self, extra: float, refine: int, tail: Growth, anchor: Fraction | None) -> Samples:
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
        return Samples(panels, rows, density, _tops(panels, self.strength, ratios, reach), outside)


@dataclass(frozen=True)
class AtomScene(Racing):
    """Finitely many atoms: x is the reward, or F at the atom's upper end with scale=quantile."""

    policy: SoftBestOfN
    law: FiniteLaw

    @property
    def seen(self) -> tuple[Fraction, ...]:
        """What the softmax sees at each atom, increasing."""
        if self.policy.scale == "quantile":
            return self.law.cumulative
        return tuple(value for value, _ in self.law.atoms)

    def transform(self) -> AtomTransform:
        masses = tuple(mass for _, mass in self.law.atoms)
        return AtomTransform(tuple(self.strength * x for x in self.seen), masses)

    def zero_free_angle(self) -> Fraction:
        return _atom_angle(self)

    def ratios(self) -> list[Any]:
        """w at every atom."""
        transform = self.transform()
        race = self.race(transform.low, transform.high)
        check_work(2 * race.grid.count * len(self.law.atoms), "the race")
        return [race.ratio(ball(z)) for z in transform.exponents]

    def mean_size(self) -> Any:
        return ball(max(abs(x) for x in self.seen))

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        total = [ball(Fraction(0))] * grid.count
        for x, (_, mass) in zip(self.seen, self.law.atoms, strict=True):
            kernel, weight = grid.kernel(ball(self.strength * x), 0, True), ball(x * mass)
            total = [a + weight * b for a, b in zip(total, kernel, strict=True)]
        return total


@lru_cache(maxsize=64)
def _atom_angle(scene: AtomScene) -> Fraction:
    return scene.transform().zero_free_angle()


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
