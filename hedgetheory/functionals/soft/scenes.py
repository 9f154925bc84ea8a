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

from hedgetheory.effort import spend
from hedgetheory.errors import NotCertified
from hedgetheory.expressions.symbols import r
from hedgetheory.functionals.growth import ONE, Growth
from hedgetheory.functionals.soft.strips import FREE, bounded_strip, scanned_spread
from hedgetheory.functionals.soft.transforms import AtomTransform, Transform, UnitTransform
from hedgetheory.laws.base import FiniteLaw
from hedgetheory.numerics import ball as balls
from hedgetheory.numerics.ball import REAL, ball, symmetric
from hedgetheory.numerics.program import compiled
from hedgetheory.numerics.race import (
    STRIP,
    TILT,
    WHOLE,
    Grid,
    Panels,
    Race,
    Strip,
    check_work,
    last_abscissa,
    panel_count,
)
from hedgetheory.policies.soft_best_of_n import SoftBestOfN

#: A known sector narrower than this is compared with what can be measured.
NARROW = Fraction(1, 2)
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
    #: Is h a polynomial?
    entire: bool = False


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


def scan_bits(strength: Fraction) -> int:
    """The precision at which zeros are looked for: X is within λ of a constant for small λ."""
    return 64 + 2 * max(0, math.ceil(-math.log2(strength)))


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
    def sector(self) -> Fraction | None:
        """A half-angle without zeros of φ in |arg t| ≤ angle, for every |t|; None where unknown."""

    def zero_free_angle(self) -> Fraction:
        """`sector`, for what needs all |t|. Raises NotCertified where none is known."""
        angle = self.sector()
        if angle is None:
            raise NotCertified(
                f"a sector where the race transform of {self.policy} has no zeros is not certified "
                "here: take an integer n"
            )
        return angle

    @abstractmethod
    def lowest(self) -> Fraction:
        """A lower bound of z (for a law without bounds: where it is cut)."""

    @abstractmethod
    def spread(self, time: Fraction) -> Any:
        """A bound of V(τ) of `soft_strips` for 0 < τ ≤ e^time."""

    def strip(self, low: Fraction | None = None) -> Strip:
        """How far the trapezoid for z from ``low`` on may be shifted: φ^{n−1} must be analytic."""
        return WHOLE if self.draws.denominator == 1 else self.zero_free(low)

    def zero_free(self, low: Fraction | None = None, ahead: Fraction = Fraction(0)) -> Strip:
        """A strip without zeros of φ, up to ``ahead`` beyond the nodes. May raise NotCertified."""
        angle = self.sector()
        known = None if angle is None else Strip(min(STRIP, angle), free=angle)
        if known is not None and known.half >= NARROW:
            return known
        measured = self.measured(FREE, low, ahead)
        return measured if known is None or known.half < measured.half else known

    def measured(
        self, share: Fraction, low: Fraction | None = None, ahead: Fraction = Fraction(0)
    ) -> Strip:
        """The bounded strip where |φ(te^{iy})| ≥ (1 − share/2) φ(t cos y)."""
        low = self.lowest() if low is None else low
        return _measured(self, balls.current_bits(), low - ahead, share)

    @abstractmethod
    def mean_size(self) -> Any:
        """A bound of E|x|."""

    @abstractmethod
    def reach(self, powers: Any) -> Any:
        """A bound of (n − 1) ∫ φ^{n−2} E[|x| X e^{−X}] ds, for 1 < n < 2.

        It is at most sup|x|, as E[X e^{−X}] = −dφ/ds; ``powers`` bounds φ^{n−2} from above.
        """

    @abstractmethod
    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        """ψ(t) = t·E[x e^z e^{−te^z}] at the nodes, x what the softmax sees."""

    def race(
        self, low: Fraction, high: Fraction, *, trim: bool = True, strip: Strip | None = None
    ) -> Race:
        """Nodes for z in [low, high]."""
        return _race(self, balls.current_bits(), low, high, trim, strip or self.strip(low))

    def race_at(self, z: Any, *, trim: bool = True, strip: Strip | None = None) -> Race:
        """Nodes for the values of a finite real ball."""
        low, high = around(z)
        return self.race(low, high, trim=trim, strip=strip)

    def ratio(self, z: Any) -> Any:
        """w at a real ball z, with as many nodes as a small w needs for its relative accuracy."""
        if not z.is_finite():
            return balls.no_bound()
        low, high = around(z)
        race = self.race(low, high, trim=False)
        size = race.plain_sum(z)
        if size > ball(Fraction(1, 1000)) or not size > 0:
            return race.ratio(z)
        # What is left out below the first node is e^{−nats} in absolute terms: begin earlier. The
        # top of z is early enough, since w e^{−z} decreases from w(top) ≥ 1 at the top.
        deeper = math.ceil(min(float(-size.log().lower()), 1e6))
        top = max(high, min(high + deeper, self.transform().high))
        return self.race(low, top + 1, trim=False).ratio(z)


def around(z: Any) -> tuple[Fraction, Fraction]:
    """A range that contains a finite real ball, with room on both sides."""
    low, high = (end.limit_denominator(64) for end in balls.enclosing_rationals(z))
    return low - 1, high + 1


@lru_cache(maxsize=64)
def _measured(scene: Racing, bits: int, low: Fraction, share: Fraction) -> Strip:
    return bounded_strip(scene.spread(last_abscissa(low)), share, scene.draws)


class Scene(Racing):
    """A policy on a law without atoms."""

    @abstractmethod
    def _sample(self, extra: float, refine: int, tail: Growth) -> Samples:
        """Points for integrands with ln |sup| up to ``extra``."""

    def samples(self, extra: float, refine: int = 1, tail: Growth = ONE) -> Samples:
        return _samples(self, balls.current_bits(), math.ceil(extra), refine, tail)

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
            heights = self.heights(samples.panels, gold)
            if heights is not None:
                return self._integrate(samples, weighing, gold, heights)
        raise NotCertified(
            f"{gold} is not bounded near the law's range by complex balls (a corner, a jump or a "
            "singular end): certified values of Soft Best-of-n need an analytic gold curve"
        )

    def heights(self, panels: Panels, gold: sympy.Expr | None) -> list[Any] | None:
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
            spend(len(row))
            for x, mass, w in row:
                term = mass * weighing.value(w)
                total += term if program is None else term * program(REAL, x)
        # Outside of the panels w ≤ n.
        sup = weighing.bound(ball(self.draws))
        for side in samples.outside:
            error += side * sup
        return total + symmetric(error)


@lru_cache(maxsize=6)
def _samples(scene: Scene, bits: int, extra: float, refine: int, tail: Growth) -> Samples:
    return scene._sample(extra, refine, tail)


@lru_cache(maxsize=32)
def _race(
    scene: Racing, bits: int, low: Fraction, high: Fraction, trim: bool, strip: Strip
) -> Race:
    transform = scene.transform()
    grid = Grid.covering(low, high, scene.draws, strip, transform.period)
    return Race.of(grid, scene.draws, transform.values(grid), trim=trim)


def tops(
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

    def sector(self) -> Fraction | None:
        return self.transform().sector()

    def lowest(self) -> Fraction:
        return Fraction(0)

    def spread(self, time: Fraction) -> Any:
        with balls.precision(scan_bits(self.strength)):
            return scanned_spread(UnitTransform(self.strength).moments, self.strength, time, 4)

    def reach(self, powers: Any) -> Any:
        return REAL.constant(Fraction(1))

    def panels(self, extra: float, refine: int) -> tuple[Panels, Fraction | None]:
        """Panels over [0, 1], and the period of the race's kernel over them where they have one."""
        lam = self.strength
        count = panel_count(Fraction(1), lam) * refine
        panels = Panels.covering(
            Fraction(0), Fraction(1), min(TILT / lam, Fraction(3, refine)), count, extra
        )
        return panels, panels.width * lam * refine if count > refine else None

    def panels_of(self, gold: sympy.Expr) -> tuple[Panels, Fraction | None, list[Any]]:
        """Panels on whose ellipses g is bounded, their period, and the bounds of |g| there."""
        for refine in (1, 2, 4, 8):
            panels, period = self.panels(5, refine)
            heights = self.heights(panels, gold)
            if heights is not None:
                return panels, period, heights
        raise NotCertified(f"{gold} is not bounded near [0, 1] by complex balls")

    def _sample(self, extra: float, refine: int, tail: Growth) -> Samples:
        lam = self.strength
        panels, period = self.panels(extra, refine)
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
        return Samples(panels, rows, one, tops(panels, lam, ratios), (zero, zero))

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

    def sector(self) -> Fraction | None:
        return _atom_angle(self)

    def lowest(self) -> Fraction:
        return self.strength * self.seen[0]

    def spread(self, time: Fraction) -> Any:
        transform = self.transform()
        with balls.precision(scan_bits(self.strength)):
            cost = len(self.law.atoms)
            return scanned_spread(transform.moments, transform.high, time, cost)

    def reach(self, powers: Any) -> Any:
        return self.mean_size()

    def ratios(self) -> list[Any]:
        """w at every atom, at a cost of nodes × atoms; refused at once where that is too much."""
        return _atom_ratios(self, balls.current_bits())

    def mean_size(self) -> Any:
        return ball(max(abs(x) for x in self.seen))

    def weighted(self, grid: Grid, phi: Sequence[Any]) -> list[Any]:
        total = [ball(Fraction(0))] * grid.count
        for x, (_, mass) in zip(self.seen, self.law.atoms, strict=True):
            kernel, weight = grid.kernel(ball(self.strength * x), 0, True), ball(x * mass)
            total = [a + weight * b for a, b in zip(total, kernel, strict=True)]
        return total


@lru_cache(maxsize=8)
def _atom_ratios(scene: AtomScene, bits: int) -> list[Any]:
    transform = scene.transform()
    plain = Grid.covering(transform.low, transform.high, scene.draws)
    check_work(2 * plain.count * len(scene.law.atoms), "the race over all atoms")
    race = scene.race(transform.low, transform.high)
    check_work(2 * race.grid.count * len(scene.law.atoms), "the race over all atoms")
    return [race.ratio(ball(z)) for z in transform.exponents]


@lru_cache(maxsize=64)
def _atom_angle(scene: AtomScene) -> Fraction | None:
    return scene.transform().sector()
